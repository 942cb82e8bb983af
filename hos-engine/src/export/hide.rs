//! Which parts an exporter keeps back.

use crate::Failure;
use crate::limits::{HIDE_PATTERN_BYTES_MAX, HIDE_PATTERNS_MAX};
use hos_core::id::Shown;
use hos_core::refusal::Code;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How many of an export's names a refusal tells.
const NAMES_TOLD: usize = 24;

/// Patterns over `whose.part` or `part`, `*` standing for any run of characters.
pub(super) struct Patterns {
    patterns: Vec<String>,
    /// The names that were asked for until now, and whether a pattern is of them: a story has a few, over and over again.
    met: RefCell<BTreeMap<String, bool>>,
}

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
        Ok(Self { patterns: patterns.to_vec(), met: RefCell::default() })
    }

    pub(super) fn hides(&self, whose: &str, part: &str) -> bool {
        let hidden = || self.patterns.iter().any(|pattern| is_of(pattern, whose, part));
        *self.met.borrow_mut().entry(format!("{whose}.{part}")).or_insert_with(hidden)
    }

    /// Refuses a pattern that is of no part that was met: who misspells one would show to everybody what it should keep back.
    pub(super) fn all_met(&self) -> Result<(), Failure> {
        let met = self.met.borrow();
        let is_idle = |pattern: &&String| {
            !met.keys().filter_map(|name| name.rsplit_once('.')).any(|(whose, part)| is_of(pattern, whose, part))
        };
        let Some(idle) = self.patterns.iter().find(is_idle) else { return Ok(()) };
        let told: Vec<String> = met.keys().take(NAMES_TOLD).map(|name| format!("`{name}`")).collect();
        let names = match met.len().saturating_sub(told.len()) {
            _ if told.is_empty() => "it has none that can be hidden".to_owned(),
            0 => format!("its parts are {}", told.join(", ")),
            more => format!("its parts are {}, and {more} more", told.join(", ")),
        };
        let what = format!("`{idle}` hides nothing: no part of this export has such a name; {names}");
        Err(Failure::new(Code::CallMalformed, what))
    }
}

/// Whether a pattern is of a part, by its whole name or by the part's alone.
fn is_of(pattern: &str, whose: &str, part: &str) -> bool {
    let whole = format!("{whose}.{part}");
    matches(pattern.as_bytes(), whole.as_bytes()) || matches(pattern.as_bytes(), part.as_bytes())
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
    fn a_pattern_that_met_no_part_is_refused_with_the_names_that_there_are() {
        let met = |patterns: &[&str], parts: &[(&str, &str)]| {
            let patterns = Patterns::new(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()).unwrap();
            for (whose, part) in parts {
                patterns.hides(whose, part);
            }
            patterns.all_met().map_err(|failure| (failure.code, failure.message))
        };
        let parts = [("buyer", "facts"), ("buyer", "args"), ("buyer", "facts"), ("nobody", "slice")];
        for sound in [&["buyer.*"][..], &["args", "*.slice"], &["*"], &[]] {
            assert_eq!(met(sound, &parts), Ok(()), "{sound:?}");
        }
        assert_eq!(met(&[], &[]), Ok(()));
        // One that is right does not speak for one that is not, and none is made good by a pattern that covers it.
        for (patterns, wrong) in
            [(&["buyr.*"][..], "buyr.*"), (&["args", "others.*"][..], "others.*"), (&["*", "arg"][..], "arg")]
        {
            let (code, message) = met(patterns, &parts).unwrap_err();
            let said = format!(
                "`{wrong}` hides nothing: no part of this export has such a name; its parts are `buyer.args`, `buyer.facts`, \
                 `nobody.slice`"
            );
            assert_eq!((code, message), (Code::CallMalformed, said));
        }
        assert!(met(&["x"], &[]).unwrap_err().1.ends_with("it has none that can be hidden"));
        let many: Vec<String> = (0..NAMES_TOLD + 3).map(|n| format!("part{n:02}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|part| ("buyer", part.as_str())).collect();
        let (_, message) = met(&["x"], &many).unwrap_err();
        assert!(message.ends_with("`buyer.part23`, and 3 more") && message.contains("`buyer.part00`"), "{message}");
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
