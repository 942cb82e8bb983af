//! Which changes there are: `cargo mutants --list` says, for what to change in Rust is its craft.

use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// What kind of change it is; where its span lies depends on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Genre {
    /// A function that answers something else; the span is what its body holds.
    FnValue,
    /// Another operator between two operands; the span is the operator.
    BinaryOperator,
    /// An operator before an operand that is left out; the span is the operator.
    UnaryOperator,
    /// An arm of a match that is left out; the span is the arm.
    MatchArm,
    /// The condition of an arm that is always, or never, so; the span is the condition.
    MatchArmGuard,
    /// A field that is left to what follows `..`; the span is the field.
    StructField,
}

#[derive(Debug, Deserialize)]
struct Listed {
    file: String,
    name: String,
    genre: Genre,
    replacement: String,
    span: Span,
}

#[derive(Debug, Deserialize)]
struct Span {
    start: Place,
}

/// Both from one; columns are characters.
#[derive(Debug, Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

/// One change of one file.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// From `src/`.
    pub file: String,
    /// The line, for who looks for it.
    pub line: usize,
    /// `replace + with - in f`: what it is called wherever it stands.
    pub what: String,
    pub genre: Genre,
    /// What stands there instead.
    pub replacement: String,
    /// Where its span begins in the file, in bytes.
    pub start: usize,
}

/// All changes of a package's library, in the order of files and lines.
pub fn all(package: &Path) -> Result<Vec<Mutant>, String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["mutants", "--list", "--json", "--colors", "never", "--dir"]).arg(package);
    let output = command.current_dir(package).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|e| format!("{command:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}; `cargo install cargo-mutants`, if it is not there", output.status));
    }
    let listed: Vec<Listed> = serde_json::from_slice(&output.stdout).map_err(|e| format!("{command:?}: {e}"))?;
    let mut texts = std::collections::BTreeMap::<String, String>::new();
    let mut out = Vec::with_capacity(listed.len());
    for change in listed {
        let Some((_, file)) = change.file.split_once("src/") else { continue };
        if !texts.contains_key(file) {
            let path = package.join("src").join(file);
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            texts.insert(file.to_owned(), text);
        }
        let text = &texts[file];
        let what = change.name.splitn(4, ':').last().unwrap_or_default().trim().to_owned();
        out.push(Mutant {
            file: file.to_owned(),
            line: change.span.start.line,
            what,
            genre: change.genre,
            replacement: change.replacement,
            start: offset(text, &change.span.start),
        });
    }
    Ok(out)
}

fn offset(text: &str, place: &Place) -> usize {
    let before: usize = text.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
    let line = &text[before..];
    before + line.char_indices().nth(place.column - 1).map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_behind_letters_of_several_bytes() {
        let text = "first\n  \u{131}\u{15f} + b\n";
        assert_eq!(&text[offset(text, &Place { line: 2, column: 6 })..], "+ b\n");
        assert_eq!(offset(text, &Place { line: 1, column: 1 }), 0);
    }
}
