//! The table of refusal codes: from the code to the page.

use std::path::Path;
use std::process::ExitCode;

/// Where the codes are.
pub(crate) const SOURCE: &str = "hos-core/src/refusal.rs";
/// Where they are told.
pub(crate) const PAGE: &str = "spec/refusal-codes.md";
/// The table stands between these marks.
pub(crate) const BEGIN: &str = "<!-- codes -->";
/// See [`BEGIN`].
pub(crate) const END: &str = "<!-- end of codes -->";

/// One line of the `codes!` macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    /// The stable number.
    pub(crate) number: u16,
    /// `hos.…`.
    pub(crate) text: String,
    /// One line of meaning.
    pub(crate) meaning: String,
}

/// The codes of the source, in its order.
pub(crate) fn parse(source: &str) -> Vec<Code> {
    source.lines().filter_map(line).collect()
}

/// `Forbidden = 60, "hos.forbidden", "A forbid policy applies.";`
fn line(line: &str) -> Option<Code> {
    let (head, rest) = line.trim().split_once(", \"hos.")?;
    let number = head.split_once(" = ")?.1.parse().ok()?;
    let (text, rest) = rest.split_once("\", \"")?;
    let meaning = rest.strip_suffix("\";")?;
    Some(Code { number, text: format!("hos.{text}"), meaning: meaning.to_owned() })
}

/// The table in Markdown.
pub(crate) fn table(codes: &[Code]) -> String {
    let mut out = String::from("| number | code | meaning |\n|---:|---|---|\n");
    for code in codes {
        out.push_str(&format!("| {} | `{}` | {} |\n", code.number, code.text, code.meaning));
    }
    out
}

/// The table that a page holds between its marks.
pub(crate) fn table_of(page: &str) -> Option<&str> {
    page.split_once(BEGIN)?.1.split_once(END).map(|(table, _)| table)
}

/// `cargo xtask codes`.
pub(crate) fn run(root: &Path, write: bool) -> ExitCode {
    match print(root, write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print(root: &Path, write: bool) -> Result<(), String> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).map_err(|e| format!("{path}: {e}"));
    let table = table(&parse(&read(SOURCE)?));
    if !write {
        print!("{table}");
        return Ok(());
    }
    let page = read(PAGE)?;
    let (before, rest) = page.split_once(BEGIN).ok_or_else(|| format!("{PAGE}: there is no `{BEGIN}`"))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| format!("{PAGE}: there is no `{END}`"))?;
    std::fs::write(root.join(PAGE), format!("{before}{BEGIN}\n{table}{END}{after}")).map_err(|e| format!("{PAGE}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_macro_are_read() {
        let codes = parse("    A = 60, \"hos.forbidden\", \"A forbid policy applies.\";\n    // Group.\n    let x = 1;\n");
        assert_eq!(codes, [Code { number: 60, text: "hos.forbidden".into(), meaning: "A forbid policy applies.".into() }]);
        assert_eq!(table(&codes).lines().last(), Some("| 60 | `hos.forbidden` | A forbid policy applies. |"));
    }
}
