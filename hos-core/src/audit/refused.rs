//! Why something is not believed.

use std::borrow::Cow;
use std::fmt;

/// The first thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The stable code (`spec/bundle.md`).
    pub code: Cow<'static, str>,
    /// Where in the bundle: `records 2`.
    pub at: String,
    /// What is wrong, for a person.
    pub why: String,
}

impl Refused {
    /// Says what does not hold, and where.
    pub fn new(code: impl Into<Cow<'static, str>>, at: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { code: code.into(), at: at.into(), why: why.to_string() }
    }
}
