//! Which parts an exporter keeps back.

use crate::Failure;
use crate::limits::{HIDE_PATTERN_BYTES_MAX, HIDE_PATTERNS_MAX};
use hos_core::id::Shown;
use hos_core::refusal::Code;

/// Patterns over `whose.part` or `part`, `*` standing for any run of characters.
pub(super) struct Patterns(Vec<String>);

impl Patterns {
    pub(super) fn new(patterns: &[String]) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::new(Code::CallMalformed, what);
        if patterns.len() > HIDE_PATTERNS_MAX {
            return Err(wrong(format!("at most {HIDE_PATTERNS_MAX} patterns say what to hide")));
        }
        for pattern in patterns {
            let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '*');
            if pattern.is_empty() || pattern.len() > HIDE_PATTERN_BYTES_MAX || !pattern.chars().all(sound) {
                return Err(wrong(format!("`{}` is no pattern of parts: write `buyer.*`, `args` or `*.slice`", Shown(pattern))));
            }
        }
        Ok(Self(patterns.to_vec()))
    }

    pub(super) fn hides(&self, whose: &str, part: &str) -> bool {
        let whole = format!("{whose}.{part}");
        self.0.iter().any(|pattern| matches(pattern.as_bytes(), whole.as_bytes()) || matches(pattern.as_bytes(), part.as_bytes()))
    }
}

/// Whether a pattern with `*` is the text; linear in the text for each star, without recursion.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    #[test]
    fn patterns_name_parts_with_or_without_whose_they_are() {
        let hides = |pattern: &str, whose: &str, part: &str| Patterns::new(&[pattern.to_owned()]).unwrap().hides(whose, part);
        for (pattern, whose, part, wanted) in [
            ("buyer.*", "buyer", "facts", true),
            ("buyer.*", "others", "facts", false),
            ("args", "buyer", "args", true),
            ("args", "buyer", "args2", false),
            ("*.slice", "nobody", "slice", true),
            ("*", "nobody", "deadlines", true),
            ("b*r.f*s", "buyer", "facts", true),
            ("b*r.f*z", "buyer", "facts", false),
            ("buyer", "buyer", "facts", false),
        ] {
            assert_eq!(hides(pattern, whose, part), wanted, "{pattern} {whose}.{part}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        for bad in ["", "a b", "ş", "a\0", &"x".repeat(256)] {
            assert_eq!(Patterns::new(&[bad.to_owned()]).err().map(|f| f.code), Some(Code::CallMalformed), "{bad:?}");
        }
    }

    #[test]
    fn patterns_end_at_their_limits() {
        let told = |patterns: Vec<String>| Patterns::new(&patterns).map(drop).map_err(|failure| failure.code.as_str().to_owned());
        assert_eq!(limits::tried("HIDE_PATTERNS_MAX", |n| told(vec!["a".to_owned(); n])), Ok(()));
        assert_eq!(limits::tried("HIDE_PATTERN_BYTES_MAX", |n| told(vec!["x".repeat(n)])), Ok(()));
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!matches("*a".repeat(60).as_bytes(), "a".repeat(59).as_bytes()));
        assert!(!matches(format!("{}b", "*a".repeat(100)).as_bytes(), "a".repeat(255).as_bytes()));
    }
}
