//! What is wrong with a file that somebody wrote: where, what, and what was probably meant.

use std::cell::{Cell, OnceCell};
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

/// The lines of a file, for who finds much in it: a place's line is looked up instead of counted from the top, and in a long line its
/// column is counted on from the last place.
#[derive(Debug)]
pub struct Lines<'f> {
    file: &'f SourceFile,
    /// Where each line begins.
    starts: OnceCell<Vec<usize>>,
    /// The last place: its line, its offset, its column.
    last: Cell<(usize, usize, usize)>,
}

impl<'f> Lines<'f> {
    /// Those of this file.
    pub fn of(file: &'f SourceFile) -> Self {
        Self { file, starts: OnceCell::new(), last: Cell::new((0, 0, 0)) }
    }

    /// The file.
    pub fn file(&self) -> &'f SourceFile {
        self.file
    }

    /// A fault at a place of the file, as [`Fault::at`] makes it.
    pub fn fault(&self, code: &'static str, severity: Severity, span: Range<usize>, message: impl Into<String>) -> Fault {
        let (line, column) = self.place(span.start);
        Fault { code, severity, file: self.file.path.clone(), span, line, column, message: message.into(), hint: None }
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let text = self.file.text.as_str();
        let at = floor_char_boundary(text, at);
        let starts = self.starts.get_or_init(|| {
            let behind = text.match_indices('\n').map(|(end, _)| end + 1);
            std::iter::once(0).chain(behind).collect()
        });
        let line = starts.partition_point(|start| *start <= at);
        let (from, column) = match self.last.get() {
            (last, from, column) if last == line && from <= at => (from, column),
            _ => (starts.get(line.saturating_sub(1)).copied().unwrap_or_default(), 1),
        };
        let column = column + text.get(from..at).unwrap_or_default().chars().count();
        self.last.set((line, at, column));
        (line, column)
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
    let length = wrong.chars().count();
    let budget = (length / 3).max(1);
    // One much longer or shorter differs by more than that: nothing needs to be compared.
    let near = |k: &&str| k.chars().count().abs_diff(length) <= budget;
    known.into_iter().filter(near).map(|k| (distance(wrong, k), k)).filter(|(d, _)| *d <= budget).min().map(|(_, k)| k)
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
    fn a_place_that_is_looked_up_is_the_one_that_is_counted() {
        for text in ["", "\n", "a", "x = 1\nşü = 2\n\nlong ş line\r\nend", "no end\n\n"] {
            let file = SourceFile { path: "a.toml".into(), text: text.into() };
            let onward: Vec<usize> = (0..text.len() + 2).collect();
            let back = onward.iter().rev().copied().collect();
            let across = onward.iter().map(|at| at * 7 % 11).collect();
            for places in [onward, back, across] {
                let lines = Lines::of(&file);
                for at in places {
                    let looked_up = lines.fault("law.test", Severity::Error, at..at, "odd");
                    assert_eq!(looked_up, Fault::at("law.test", Severity::Error, &file, at..at, "odd"), "{text:?} {at}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        assert_eq!(nearest("shiped", ["paid", "shipped"]), Some("shipped"));
        assert_eq!(nearest("piad", ["paid", "shipped"]), Some("paid"));
        assert_eq!(nearest("zzz", ["paid", "shipped"]), None);
    }
}
