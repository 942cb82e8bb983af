//! What is wrong with a file that somebody wrote: where, what, and what was probably meant.

use std::fmt;
use std::ops::Range;

/// A file of a law, as text, with the path it has inside the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the law's directory, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Whether a law with this fault may load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The law does not load.
    Error,
    /// The law loads; `hos check` shows it, and with `--strict` its exit code says so.
    Warning,
    /// Worth knowing.
    Note,
}

/// One fault of one place in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable code, such as `law.contract.unknown_state`.
    pub code: &'static str,
    /// How grave.
    pub severity: Severity,
    /// The file's path inside the law.
    pub file: String,
    /// Byte offsets into the file; empty at 0 when the whole file is meant.
    pub span: Range<usize>,
    /// 1-based line of the span's start (0: the whole file).
    pub line: usize,
    /// 1-based column, counted in characters (0: the whole file).
    pub column: usize,
    /// What is wrong, for a person; lower-case first letter, no full stop.
    pub message: String,
    /// What was probably meant, or what to do.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault at a place of a file.
    pub fn at(code: &'static str, severity: Severity, file: &SourceFile, span: Range<usize>, message: impl Into<String>) -> Self {
        let start = floor_char_boundary(&file.text, span.start);
        let before = &file.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Self { code, severity, file: file.path.clone(), span, line, column, message: message.into(), hint: None }
    }

    /// A fault of a whole file, or of one that is missing.
    pub fn whole(code: &'static str, severity: Severity, path: &str, message: impl Into<String>) -> Self {
        Self { code, severity, file: path.to_owned(), span: 0..0, line: 0, column: 0, message: message.into(), hint: None }
    }

    /// Adds what was probably meant.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds "did you mean" when one of the known names is near.
    pub fn did_you_mean<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(wrong, known) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {} [{}]", self.file, self.line, self.column, self.message, self.code)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

/// The known name nearest to a wrong one, if it is near enough to be meant: at most a third of its letters differ
/// (Damerau-Levenshtein, adjacent swaps count once).
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let budget = (wrong.chars().count() / 3).max(1);
    known.into_iter().map(|k| (distance(wrong, k), k)).filter(|(d, _)| *d <= budget).min().map(|(_, k)| k)
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(128).collect(), b.chars().take(128).collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let swap = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + swap);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters() {
        let file = SourceFile { path: "a.toml".into(), text: "x = 1\nşü = 2\n".into() };
        let fault = Fault::at("law.test", Severity::Error, &file, 8..10, "odd");
        assert_eq!((fault.line, fault.column), (2, 2));
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        assert_eq!(nearest("shiped", ["paid", "shipped"]), Some("shipped"));
        assert_eq!(nearest("piad", ["paid", "shipped"]), Some("paid"));
        assert_eq!(nearest("zzz", ["paid", "shipped"]), None);
    }
}
