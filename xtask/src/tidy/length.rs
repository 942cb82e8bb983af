//! One question, one file: a file that answers many is too long. Tests are told, not forbidden: a long table is no tangle.

use super::Finding;
use crate::tree::File;

const LINES_MAX: usize = 600;
const LINES_WARN: usize = 400;

/// What a program of ours writes is as long as it is.
const MADE: &str = "examples/pazar/types/";

/// All findings of this rule.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let sources = files.iter().filter(|f| f.path.ends_with(".rs") && !f.path.starts_with(MADE));
    sources
        .filter_map(|file| match file.text.lines().count() {
            lines if lines > LINES_MAX && !file.path.contains("/tests/") => {
                Some(Finding::error(&file.path, 0, format!("{lines} lines, at most {LINES_MAX}")))
            }
            lines if lines > LINES_WARN => Some(Finding::warning(&file.path, 0, format!("{lines} lines, above {LINES_WARN}"))),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found() {
        let file = |lines: usize| File { path: "a/src/b.rs".into(), text: "x\n".repeat(lines) };
        assert!(check(&[file(400)]).is_empty());
        assert!(check(&[file(401)]).iter().all(|f| f.warning));
        assert!(check(&[file(601)]).iter().all(|f| !f.warning));
        assert_eq!(check(&[file(401), file(601)]).len(), 2);
        let table = File { path: "a/tests/b.rs".into(), text: "x\n".repeat(900) };
        assert!(check(&[table]).iter().all(|f| f.warning));
    }
}
