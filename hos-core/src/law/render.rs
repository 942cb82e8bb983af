//! Faults for a person: the place, the line under it with carets, what was meant. Plain text; colour is the shell's.

use crate::fault::{Fault, Severity, SourceFile};
use crate::id::Shown;
use std::fmt::Write;

/// How many characters of a line are shown, the fault's place among them.
const WINDOW_CHARS: usize = 120;
/// How many characters stand before the fault's place when a line is cut.
const LEAD_CHARS: usize = 40;

/// Shows faults in the order given, each with its line of the file, and a summary at the end. What stands in the files is
/// escaped: no terminal obeys it. The empty string when there are none.
pub fn render(faults: &[Fault], files: &[SourceFile]) -> String {
    let mut out = String::new();
    for fault in faults {
        let file = files.iter().find(|f| f.path == fault.file);
        out.push_str(&one(fault, file));
    }
    if let Some(summary) = summary(faults) {
        out.push_str(&summary);
        out.push('\n');
    }
    out
}

/// `3 errors, 1 warning`; `None` when there is nothing to say.
pub fn summary(faults: &[Fault]) -> Option<String> {
    let count = |severity| faults.iter().filter(|f| f.severity == severity).count();
    let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counted = kinds.map(|(severity, word)| (count(severity), word));
    let told: Vec<String> =
        counted.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}{}", if *n == 1 { "" } else { "s" })).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// Shows one fault with its line of the file, and an empty line after it.
pub fn one(fault: &Fault, file: Option<&SourceFile>) -> String {
    let mut out = String::new();
    let word = match fault.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{word}[{}]: {}", fault.code, inert(&fault.message));
    let path = if fault.file.is_empty() { "the law" } else { &fault.file };
    let place = if fault.line == 0 { String::new() } else { format!(":{}:{}", fault.line, fault.column) };
    let gutter = fault.line.to_string().len();
    let _ = writeln!(out, "{:gutter$}--> {}{place}", "", inert(path));
    if let Some(excerpt) = file.filter(|_| fault.line > 0).and_then(|f| excerpt(f, fault)) {
        let _ = writeln!(out, "{:gutter$} |", "");
        let _ = writeln!(out, "{} | {}", fault.line, excerpt.text);
        let _ = writeln!(out, "{:gutter$} | {:2$}{3}", "", "", excerpt.indent, "^".repeat(excerpt.carets));
    }
    if let Some(hint) = &fault.hint {
        let _ = writeln!(out, "{:gutter$} = {}", "", inert(hint));
    }
    out.push('\n');
    out
}

struct Excerpt {
    text: String,
    indent: usize,
    carets: usize,
}

// The line that the span starts in, cut to a window around it; columns are counted in what is shown.
fn excerpt(file: &SourceFile, fault: &Fault) -> Option<Excerpt> {
    let line = file.text.split('\n').nth(fault.line - 1)?.trim_end_matches('\r');
    let start = fault.column.saturating_sub(1);
    let span_chars = file.text.get(fault.span.clone()).map_or(1, |s| s.split('\n').next().unwrap_or("").chars().count());
    let chars: Vec<char> = line.chars().collect();
    let from = if chars.len() > WINDOW_CHARS { start.saturating_sub(LEAD_CHARS) } else { 0 };
    let to = (from + WINDOW_CHARS).min(chars.len());
    let shown =
        |range: std::ops::Range<usize>| -> String { chars.get(range).unwrap_or_default().iter().map(|c| source(*c)).collect() };
    let start = start.clamp(from, to);
    let end = (start + span_chars).min(to);
    let dots = |cut: bool| if cut { "..." } else { "" };
    Some(Excerpt {
        text: format!("{}{}{}", dots(from > 0), shown(from..to), dots(to < chars.len())),
        indent: dots(from > 0).len() + shown(from..start).chars().count(),
        carets: shown(start..end).chars().count().max(1),
    })
}

// A character of a file: a backslash stays, for a person compares what is shown with the file.
fn source(c: char) -> String {
    match c {
        '\t' => "    ".to_owned(),
        '\\' => "\\".to_owned(),
        _ => Shown(c.encode_utf8(&mut [0; 4])).to_string(),
    }
}

// Messages escape what they quote; a library's words among them may not have been.
fn inert(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { " ".to_owned() } else { source(c) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "contracts/order.toml".into(), text: text.into() }
    }

    #[test]
    fn faults_are_shown_with_their_line_and_carets() {
        let order = file("contract = \"order\"\n[event.ship]\n\tto = \"shiped\"  # ş\n");
        let at = order.text.find("shiped").unwrap();
        let faults = [
            Fault::at("law.contract.unknown_state", Severity::Error, &order, at..at + 6, "`shiped` is no state of this contract")
                .hint("did you mean `shipped`?"),
            Fault::whole("law.file.missing", Severity::Error, "law.toml", "a law needs a file `law.toml`"),
            Fault::at("law.contract.unused", Severity::Warning, &order, 0..8, "nothing uses this"),
        ];
        let wanted = r#"error[law.contract.unknown_state]: `shiped` is no state of this contract
 --> contracts/order.toml:3:8
  |
3 |     to = "shiped"  # ş
  |           ^^^^^^
  = did you mean `shipped`?

error[law.file.missing]: a law needs a file `law.toml`
 --> law.toml

warning[law.contract.unused]: nothing uses this
 --> contracts/order.toml:1:1
  |
1 | contract = "order"
  | ^^^^^^^^

2 errors, 1 warning
"#;
        assert_eq!(render(&faults, &[order]), wanted);
    }

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        let order = file("a = \"\u{1b}[2J\u{202e}x\" \u{7}\nb");
        let fault = Fault::at("law.test", Severity::Note, &order, 5..12, "odd \u{1b}[31m\nwords").hint("\u{9b}x");
        let shown = render(&[fault], &[order]);
        assert!(shown.chars().all(|c| !c.is_control() || c == '\n'), "{shown:?}");
        assert!(shown.contains("\\u{1b}[2J\\u{202e}x"), "{shown}");
        assert!(shown.ends_with("1 note\n"));
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let order = file(&format!("{}HERE{}", "a".repeat(500), "b".repeat(500)));
        let shown = render(&[Fault::at("law.test", Severity::Error, &order, 500..504, "x")], &[order]);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[3], format!("1 | ...{}HERE{}...", "a".repeat(40), "b".repeat(76)));
        assert_eq!(lines[4], format!("  | {}^^^^", " ".repeat(43)));
    }

    #[test]
    fn faults_whose_file_or_place_is_not_there_are_still_shown() {
        let mut fault = Fault::whole("law.test", Severity::Error, "gone.toml", "x");
        (fault.line, fault.column, fault.span) = (7, 90, 5..1000);
        assert_eq!(render(&[fault.clone()], &[]), "error[law.test]: x\n --> gone.toml:7:90\n\n1 error\n");
        fault.file = "contracts/order.toml".into();
        (fault.line, fault.column) = (1, 90);
        assert!(render(&[fault], &[file("short")]).contains("1 | short\n  |      ^\n"));
        assert_eq!(render(&[], &[]), "");
    }
}
