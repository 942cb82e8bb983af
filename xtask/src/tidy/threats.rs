//! Every threat on the page names a test that exists and is one.

use super::Finding;
use crate::tree::File;

/// The page.
const PAGE: &str = "docs/threat-model.md";
/// Below this line stand threats to what does not exist yet; they have no test.
const ABSENT: &str = "## What is not there yet";

/// All findings of this rule.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let Some(page) = files.iter().find(|f| f.path == PAGE) else { return Vec::new() };
    let mut out = Vec::new();
    let mut rows = 0;
    for (number, line) in page.text.lines().enumerate() {
        if line == ABSENT {
            break;
        }
        if !line.starts_with("| ") || line.starts_with("| threat |") {
            continue;
        }
        rows += 1;
        let named: Vec<&str> = line.split('`').skip(1).step_by(2).filter(|word| word.contains(".rs:")).collect();
        if named.is_empty() {
            out.push(Finding::error(PAGE, number + 1, "the threat names no test (`path.rs:name`)"));
        }
        for reference in named {
            let (path, name) = reference.split_once(':').unwrap_or((reference, ""));
            if !files.iter().any(|f| f.path == path && is_test(&f.text, name)) {
                out.push(Finding::error(PAGE, number + 1, format!("`{reference}` is no test")));
            }
        }
    }
    if rows == 0 {
        out.push(Finding::error(PAGE, 0, "no threat was found"));
    }
    out
}

/// Whether a function of this name is a test: `#[test]` stands above it, with nothing but other attributes and words between.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    lines.iter().enumerate().filter(|(_, line)| line.starts_with(&head)).any(|(at, _)| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        above.into_iter().any(|line| *line == "#[test]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(rows: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let code = "/// Words.\n#[test]\n#[ignore = \"long\"]\nfn it_holds() {}\n\nfn helper() {}\n";
        let page = format!(
            "# Threats\n\n| threat | what happens | test |\n|---|---|---|\n{rows}\n{ABSENT}\n\n| threat | where |\n|---|---|\n| `alg` | none |\n"
        );
        check(&[file(PAGE, &page), file("hos-core/tests/a.rs", code)]).into_iter().map(|f| f.message).collect()
    }

    #[test]
    fn every_threat_has_its_test() {
        assert_eq!(findings("| a flood | refused | `hos-core/tests/a.rs:it_holds` |"), Vec::<String>::new());
        assert_eq!(findings("| a flood | refused | |"), ["the threat names no test (`path.rs:name`)"]);
        assert_eq!(findings("| a flood | refused | `hos-core/tests/a.rs` |"), ["the threat names no test (`path.rs:name`)"]);
        assert_eq!(findings("| a flood | refused | `hos-core/tests/a.rs:helper` |"), ["`hos-core/tests/a.rs:helper` is no test"]);
        assert_eq!(
            findings("| a flood | refused | `hos-core/tests/b.rs:it_holds` |"),
            ["`hos-core/tests/b.rs:it_holds` is no test"]
        );
        assert_eq!(findings(""), ["no threat was found"]);
    }
}
