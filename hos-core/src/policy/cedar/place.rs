//! Cedar's errors as faults: their words, their place, their help.

use crate::fault::{Fault, Lines, Severity};
use miette::Diagnostic;
use std::ops::Range;

/// One thing that is wrong, before it is known in which file it stands.
#[derive(Debug)]
pub(in crate::policy) struct Trouble {
    pub(in crate::policy) span: Option<Range<usize>>,
    pub(in crate::policy) message: String,
    pub(in crate::policy) help: Option<String>,
}

impl Trouble {
    /// The trouble as a fault of a file whose text Cedar saw whole.
    pub(in crate::policy) fn fault(self, code: &'static str, severity: Severity, lines: &Lines<'_>) -> Fault {
        let fault = match self.span {
            Some(span) => lines.fault(code, severity, span, self.message),
            None => Fault::whole(code, severity, &lines.file().path, self.message),
        };
        match self.help {
            Some(help) => fault.hint(help),
            None => fault,
        }
    }
}

/// An error and all that is related to it, each with its first label.
pub(in crate::policy) fn troubles(error: &dyn Diagnostic) -> Vec<Trouble> {
    let mut found = vec![trouble(error)];
    found.extend(error.related().into_iter().flatten().map(trouble));
    found
}

/// An error with what caused it, in one line.
pub(in crate::policy) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn trouble(error: &dyn Diagnostic) -> Trouble {
    let span = error.labels().and_then(|mut labels| labels.next()).map(|l| l.offset()..l.offset() + l.len());
    Trouble { span, message: plain(&error.to_string()), help: error.help().map(|h| plain(&h.to_string())) }
}

/// Lower-case first letter (unless the word is a name in capitals), no full stop.
fn plain(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_s_words_begin_small_unless_they_are_a_name() {
        for (said, told) in [
            ("Unexpected token.", "unexpected token"),
            ("unexpected token", "unexpected token"),
            (" Not a set... ", "not a set"),
            ("JSON is malformed", "JSON is malformed"),
            ("IP addresses", "IP addresses"),
            ("A", "A"),
            ("a B", "a B"),
            ("\u{130}stanbul", "i\u{307}stanbul"),
            ("9 of them", "9 of them"),
            ("", ""),
        ] {
            assert_eq!(plain(said), told);
        }
    }

    #[test]
    fn an_error_is_told_with_all_that_caused_it() {
        #[derive(Debug, thiserror::Error)]
        #[error("the file cannot be read")]
        struct Outer(#[source] Middle);
        #[derive(Debug, thiserror::Error)]
        #[error("a line is odd")]
        struct Middle(#[source] std::num::ParseIntError);
        let inner = "x".parse::<u8>().unwrap_err();
        let told = format!("the file cannot be read: a line is odd: {inner}");
        assert_eq!(chain(&Outer(Middle(inner))), told);
    }
}
