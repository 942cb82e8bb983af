//! Answers, receipts and records in a line or two, for a person.

use hos_core::answer::{Answer, Receipt};
use hos_core::id::Shown;
use hos_core::law::Law;
use hos_core::law::mode::Mode;
use hos_core::proof::key::VerifyKey;
use hos_core::refusal::{Blocker, Code};
use hos_core::value::{Record, Value};
use std::fmt::Write;

/// A text that may hold what a terminal would obey, with that escaped; backslashes stay. A line feed is escaped too: what somebody
/// else wrote must not look like a line of ours.
pub(crate) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push(c),
            _ => {
                // Writing into a String cannot fail.
                let _ = write!(out, "{}", Shown(c.encode_utf8(&mut [0; 4])));
            }
        }
    }
    out
}

/// The public half of a key, in hexadecimal.
pub(crate) fn key(key: &VerifyKey) -> String {
    key.as_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

/// JSON in which nothing steers a terminal: what JSON itself leaves as it is (controls beyond U+001F, direction marks) is escaped.
pub(crate) fn inert_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let shown = Shown(c.encode_utf8(&mut [0; 4])).to_string();
        // All of these lie below U+10000, and stand in texts alone.
        if c == '\\' || shown.starts_with(c) {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out
}

/// What an answer says: `allowed  order/o-17: new -> paid (pay)  seq 12`, or `refused  order.amount_short: ...` with the
/// law's message under it. `subject` is what it is about, `event` what was to happen.
pub(crate) fn answer(answer: &Answer, subject: &str, event: &str, law: &Law, language: &str) -> String {
    let mut out = String::new();
    if answer.allowed {
        let _ = write!(out, "allowed  {}{}", inert(subject), moved(answer, event));
        if !answer.policies.is_empty() && answer.receipt.is_none() {
            let _ = write!(out, "  by {}", inert(&answer.policies.join(", ")));
        }
        if let Some(receipt) = &answer.receipt {
            let _ = write!(out, "  {}", seal(receipt));
        }
        if answer.again {
            out.push_str("  (again: the first receipt)");
        }
        out.push('\n');
    } else if answer.blockers.is_empty() {
        let _ = writeln!(out, "refused  by the world's own outcome");
    }
    let against = if answer.allowed { "unlawful" } else { "refused " };
    for (i, blocker) in answer.blockers.iter().enumerate() {
        objection(&mut out, if i == 0 { against } else { "    and " }, blocker, law, language);
    }
    for error in &answer.errors {
        let _ = writeln!(out, "         policy `{}` could not be judged: {}", inert(&error.policy), inert(&error.message));
    }
    if !answer.fired.is_empty() {
        let names: Vec<&str> = answer.fired.iter().map(|n| n.as_str()).collect();
        let _ = writeln!(out, "         deadlines fired before: {}", names.join(", "));
    }
    if answer.mode != Mode::Enforce {
        let word = if answer.code() == Some(Code::LegacyMissing.as_str()) {
            "the world's own outcome would stand, and none was given (--legacy)"
        } else if answer.divergence {
            "the world's own outcome stands, law and world differ"
        } else {
            "the world's own outcome stands"
        };
        let _ = writeln!(out, "         mode {}: {word}", answer.mode.as_str());
    }
    if let Some(candidate) = &answer.candidate {
        let word = candidate.blockers.first().map_or("would allow it".to_owned(), |b| format!("would refuse it: {}", b.code));
        let _ = writeln!(out, "         the candidate law {word}");
    }
    out
}

fn objection(out: &mut String, word: &str, blocker: &Blocker, law: &Law, language: &str) {
    let _ = writeln!(out, "{word} {}", inert(&blocker.to_string()));
    let message = law.message(language, &blocker.code);
    if !message.is_empty() {
        let _ = writeln!(out, "         {}", inert(&message));
    }
}

fn moved(answer: &Answer, event: &str) -> String {
    match (&answer.from, &answer.to) {
        (Some(from), Some(to)) => format!(": {from} -> {to} ({event})"),
        (None, Some(to)) => format!(": -> {to} ({event})"),
        _ => format!(": {event}"),
    }
}

/// Where a record is in the log: `seq 12`, or `seal pending`.
pub(crate) fn seal(receipt: &Receipt) -> String {
    receipt.seal.as_ref().map_or_else(|| "seal pending".to_owned(), |seal| format!("seq {}", seal.seq))
}

/// A value in one line, as Cedar writes it.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Bool(v) => v.to_string(),
        Value::Long(v) => v.to_string(),
        Value::String(v) => quoted(v),
        Value::Entity(uid) => uid.to_string(),
        Value::Set(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Record(fields) => record(fields),
        Value::Ext(ext, arg) => format!("{}({})", ext.function(), quoted(arg)),
    }
}

/// A text in quotes: one in it is escaped, so that nobody's words read as what stands behind them.
fn quoted(text: &str) -> String {
    let pieces: Vec<String> = text.split('"').map(|piece| Shown(piece).to_string()).collect();
    format!("\"{}\"", pieces.join("\\\""))
}

/// A record's key, as Cedar writes it: bare where it is an identifier.
fn field(name: &str) -> String {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_bare = begins && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A record in one line.
pub(crate) fn record(record: &Record) -> String {
    let fields: Vec<String> = record.iter().map(|(k, v)| format!("{}: {}", field(k), value(v))).collect();
    if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shown_steers_a_terminal() {
        assert_eq!(inert("a\u{1b}[2J\nb\\u\u{202e}"), "a\\u{1b}[2J\\nb\\u\\u{202e}");
        let json = serde_json::json!({ "a\u{9b}": "\u{202e}\n\u{7f}ş" });
        let escaped = inert_json(&json.to_string());
        assert_eq!(escaped, r#"{"a\u009b":"\u202e\n\u007fş"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), json);
        let shown = value(&Value::Set([Value::String("\u{7}".into()), Value::Long(1)].into()));
        assert_eq!(shown, "[1, \"\\u{7}\"]");
    }

    #[test]
    fn nobodys_words_read_as_what_stands_behind_them() {
        let text = |text: &str| Value::String(text.into());
        assert_eq!(value(&text("x\", role: \"y")), r#""x\", role: \"y""#);
        assert_eq!(value(&Value::Ext(hos_core::value::Ext::Decimal, "1\"".into())), r#"decimal("1\"")"#);
        let fields = Record::from([("plain_1".to_owned(), text("v")), ("a: \"b\", c".to_owned(), text("w"))]);
        assert_eq!(record(&fields), r#"{ "a: \"b\", c": "w", plain_1: "v" }"#);
    }
}
