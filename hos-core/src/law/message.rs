//! `messages.{language}.toml`: what an end user reads for a code.

use crate::fault::{Fault, Lines, Severity, SourceFile};
use crate::id::Shown;
use crate::limits::MESSAGE_CHARS_MAX;
use crate::refusal::Code;
use crate::spanned::{self, Data, FAULTS_MAX, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// One language's messages, with the place of each code.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) language: String,
    pub(super) texts: BTreeMap<String, String>,
    pub(super) spans: BTreeMap<String, Range<usize>>,
}

/// Reads a file of messages. A code is written whole (`"order.amount_short" = ..`) or in tables (`[order]`).
pub(super) fn read(file: &SourceFile, language: &str, faults: &mut Vec<Fault>) -> Messages {
    let mut messages = Messages { language: language.to_owned(), texts: BTreeMap::new(), spans: BTreeMap::new() };
    match spanned::parse(file) {
        Ok(table) => gather(&Lines::of(file), "", &table, &mut messages, faults),
        Err(found) => faults.extend(found),
    }
    messages
}

// Recursive, and no deeper than the reader of TOML admitted.
fn gather(lines: &Lines<'_>, prefix: &str, table: &Table, messages: &mut Messages, faults: &mut Vec<Fault>) {
    for entry in &table.entries {
        let code = if prefix.is_empty() { entry.key.clone() } else { format!("{prefix}.{}", entry.key) };
        let error = |code, span: &Range<usize>, message: String| lines.fault(code, Severity::Error, span.clone(), message);
        let text = match &entry.item.data {
            Data::Table(inner) => {
                gather(lines, &code, inner, messages, faults);
                continue;
            }
            Data::String(text) => text,
            other => {
                let message = format!("the message of `{}` must be a string, this is {}", Shown(&code), other.kind());
                faults.push(error("law.message.wrong_type", &entry.item.span, message));
                continue;
            }
        };
        if let Some(why) = unfit(&text.value) {
            faults.push(error("law.message.text", &text.span, format!("the message of `{}` {why}", Shown(&code))));
        }
        if messages.texts.insert(code.clone(), text.value.clone()).is_some() {
            faults.push(error("law.message.duplicate", &entry.span, format!("`{}` has a message already", Shown(&code))));
        }
        messages.spans.insert(code, entry.span.clone());
    }
}

fn unfit(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("is empty")
    } else if text.chars().count() > MESSAGE_CHARS_MAX {
        Some("has more than 500 characters")
    } else if text.chars().any(|c| c.is_control()) {
        Some("holds control characters")
    } else {
        None
    }
}

/// Guards without a message, and messages without a guard; `guards` maps each code to the contract file that has it.
pub(super) fn findings(file: &SourceFile, messages: &Messages, guards: &BTreeMap<&str, &str>) -> Vec<Fault> {
    let mut found = Vec::new();
    let lines = Lines::of(file);
    let known: BTreeSet<&str> = guards.keys().copied().chain(Code::ALL.iter().map(|c| c.as_str())).collect();
    for (code, span) in &messages.spans {
        if !known.contains(code.as_str()) {
            let message = format!("no guard and no refusal has the code `{}`", Shown(code));
            let fault = lines.fault("law.message.unknown_code", Severity::Warning, span.clone(), message);
            // Looking for what was meant takes time; of so many nothing was.
            let is_one_of_few = found.len() < FAULTS_MAX;
            found.push(if is_one_of_few { fault.did_you_mean(code, known.iter().copied()) } else { fault });
        }
    }
    for (code, contract_file) in guards {
        if !messages.texts.contains_key(*code) {
            let message = format!("`{}` of {} has no message in `{}`", Shown(code), Shown(contract_file), messages.language);
            found.push(Fault::whole("law.message.missing", Severity::Warning, &file.path, message));
        }
    }
    found
}

/// The text for a code: the language, its base (`pt` of `pt-BR`), the code's own meaning in that language, English, the code's own
/// meaning, the code itself.
pub(super) fn lookup(messages: &BTreeMap<String, BTreeMap<String, String>>, language: &str, code: &str) -> String {
    let base = language.split(['-', '_']).next().unwrap_or_default();
    let text = |language: &str| messages.get(language)?.get(code).map(String::as_str);
    let ours = Code::from_text(code);
    // Ours in the reader's language comes before the law's in another.
    let own = || ours.filter(|_| base == "tr").map(|code| code.meaning_in(base));
    let found = text(language).or_else(|| text(base)).or_else(own).or_else(|| text("en"));
    found.or_else(|| ours.map(Code::meaning)).unwrap_or(code).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "messages.en.toml".into(), text: text.into() }
    }

    #[test]
    fn both_ways_of_writing_a_code_are_one() {
        let mut faults = Vec::new();
        let file = file("\"a.x\" = \"one\"\n[b]\ny = \"two\"\n[a]\nx = \"again\"\n");
        let messages = read(&file, "en", &mut faults);
        assert_eq!(messages.texts.keys().collect::<Vec<_>>(), ["a.x", "b.y"]);
        assert_eq!(faults.iter().map(|f| (f.code, f.line)).collect::<Vec<_>>(), [("law.message.duplicate", 5)]);
    }

    #[test]
    fn texts_must_be_fit_to_be_read() {
        let mut faults = Vec::new();
        let long = "x".repeat(501);
        read(&file(&format!("a = \"\"\nb = \"\\u001b[2J\"\nc = 3\nd = \"{long}\"\n")), "en", &mut faults);
        let told: Vec<_> = faults.iter().map(|f| (f.code, f.line, f.column)).collect();
        let wanted = [
            ("law.message.text", 1, 6),
            ("law.message.text", 2, 6),
            ("law.message.wrong_type", 3, 5),
            ("law.message.text", 4, 6),
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn guards_and_messages_are_held_against_each_other() {
        let file = file("[order]\namount_shrot = \"x\"\n[hos]\nforbidden = \"no\"\n");
        let messages = read(&file, "en", &mut Vec::new());
        let found = findings(&file, &messages, &BTreeMap::from([("order.amount_short", "contracts/order.toml")]));
        let told: Vec<_> = found.iter().map(|f| (f.code, f.line, f.hint.as_deref())).collect();
        let near = Some("did you mean `order.amount_short`?");
        assert_eq!(told, [("law.message.unknown_code", 2, near), ("law.message.missing", 0, None)]);
    }

    #[test]
    fn a_language_falls_back_to_its_base_to_english_and_to_the_meaning() {
        let of =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
        let messages = BTreeMap::from([
            ("en".to_owned(), of(&[("a.x", "english"), ("a.y", "why")])),
            ("tr".to_owned(), of(&[("a.x", "türkçe")])),
        ]);
        assert_eq!(lookup(&messages, "tr", "a.x"), "türkçe");
        assert_eq!(lookup(&messages, "tr-TR", "a.x"), "türkçe");
        assert_eq!(lookup(&messages, "tr", "a.y"), "why");
        assert_eq!(lookup(&messages, "de", "a.x"), "english");
        assert_eq!(lookup(&messages, "tr", "hos.forbidden"), Code::Forbidden.meaning_in("tr"));
        assert_ne!(Code::Forbidden.meaning_in("tr-TR"), Code::Forbidden.meaning_in("de"));
        assert_eq!(lookup(&messages, "tr", "a.z"), "a.z");
    }
}
