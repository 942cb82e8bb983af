//! What headers, entries, receipts and bundles have in common as bytes: a map with ascending integer keys, read strictly.

use crate::canon::{CanonError, Reader};
use crate::id::IdError;
use crate::time::Timestamp;
use std::marker::PhantomData;

/// The version of headers, entries and receipts that is written here.
pub const VERSION: u64 = 1;
/// The suite: BLAKE3 for hashes and commitments, SHA-256 for the tree, Ed25519 for checkpoints, XChaCha20-Poly1305 for parts.
pub const SUITE: u64 = 1;

/// Why bytes are no header, entry, part list or receipt, or why a value cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Not deterministic CBOR of the expected types.
    #[error(transparent)]
    Canon(#[from] CanonError),
    /// A version that is not known here.
    #[error("version {0} is not known here")]
    Version(u64),
    /// A suite that is not known here.
    #[error("suite {0} is not known here")]
    Suite(u64),
    /// A field that this version does not have.
    #[error("there is no field {0}")]
    UnknownField(u64),
    /// A field that must be there is not.
    #[error("field {0} is missing")]
    MissingField(u64),
    /// A number that stands for nothing.
    #[error("{number} is no {what}")]
    UnknownNumber {
        /// What it should stand for.
        what: &'static str,
        /// The number found.
        number: u64,
    },
    /// A text or id that is not of its kind.
    #[error("a {what} is malformed: {why}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        why: IdError,
    },
    /// More than a limit allows.
    #[error("{what}: {len} is more than {max}")]
    TooLarge {
        /// What is limited.
        what: &'static str,
        /// What was found.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// A list that must ascend without repeats does not.
    #[error("{0} are not in ascending order, or one repeats")]
    Order(&'static str),
    /// A list that must have something in it has nothing.
    #[error("a {0} without parts")]
    Empty(&'static str),
    /// Something stands in two lists, and may stand in one.
    #[error("a {0} is there twice")]
    Twice(&'static str),
    /// Place and predecessor contradict each other: only the first of a thread has no predecessor.
    #[error("place and previous hash contradict each other")]
    Place,
    /// A time that a record may not claim, in milliseconds.
    #[error("{0} ms is outside the times that may be claimed")]
    Time(i64),
}

impl FormatError {
    /// A stable word for it; test vectors name it.
    pub fn code(&self) -> &'static str {
        match self {
            FormatError::Canon(_) => "not_canonical",
            FormatError::Version(_) => "version",
            FormatError::Suite(_) => "suite",
            FormatError::UnknownField(_) => "unknown_field",
            FormatError::MissingField(_) => "missing_field",
            FormatError::UnknownNumber { .. } => "unknown_number",
            FormatError::Malformed { .. } => "malformed",
            FormatError::TooLarge { .. } => "too_large",
            FormatError::Order(_) => "order",
            FormatError::Empty(_) => "empty",
            FormatError::Twice(_) => "twice",
            FormatError::Place => "place",
            FormatError::Time(_) => "time",
        }
    }
}

/// Turns an id's complaint into one about the field.
pub(crate) fn malformed(what: &'static str) -> impl Fn(IdError) -> FormatError {
    move |why| FormatError::Malformed { what, why }
}

/// Refuses what is longer than its limit.
pub(crate) fn at_most(what: &'static str, len: usize, max: usize) -> Result<(), FormatError> {
    if len <= max { Ok(()) } else { Err(FormatError::TooLarge { what, len, max }) }
}

/// How a format names what is wrong with the keys of its map.
pub(crate) trait KeyError: From<CanonError> {
    /// A key that this version does not have.
    fn unknown(key: u64) -> Self;
    /// A key that must be there is not.
    fn missing(key: u64) -> Self;
}

impl KeyError for FormatError {
    fn unknown(key: u64) -> Self {
        Self::UnknownField(key)
    }

    fn missing(key: u64) -> Self {
        Self::MissingField(key)
    }
}

/// Reads the pairs of a map whose integer keys ascend. The caller asks for every field it knows, in ascending order.
pub(crate) struct Fields<'r, 'a, E = FormatError> {
    /// Where values are read from, once [`Fields::need`] or [`Fields::has`] said that one is next.
    pub(crate) r: &'r mut Reader<'a>,
    left: usize,
    next: Option<u64>,
    last: Option<u64>,
    error: PhantomData<E>,
}

impl<'r, 'a> Fields<'r, 'a> {
    /// Reads the head of the map and the two fields that begin every format: version and suite.
    pub(crate) fn open(r: &'r mut Reader<'a>) -> Result<Self, FormatError> {
        let mut fields = Self::of_map(r)?;
        fields.need(1)?;
        match fields.r.uint()? {
            VERSION => {}
            other => return Err(FormatError::Version(other)),
        }
        fields.need(2)?;
        match fields.r.uint()? {
            SUITE => Ok(fields),
            other => Err(FormatError::Suite(other)),
        }
    }
}

impl<'r, 'a, E: KeyError> Fields<'r, 'a, E> {
    /// Reads the head of the map, and no field yet.
    pub(crate) fn of_map(r: &'r mut Reader<'a>) -> Result<Self, E> {
        let left = r.map()?;
        Ok(Self { r, left, next: None, last: None, error: PhantomData })
    }

    /// Whether this field is there; its value must then be read.
    #[inline]
    pub(crate) fn has(&mut self, key: u64) -> Result<bool, E> {
        // Most keys are one byte, which says all: what is asked for ascends, so the one asked for is in its place, and a larger one is
        // for a later question.
        if self.next.is_none()
            && self.left > 0
            && let Some(found) = self.r.small()
        {
            if found == key {
                self.r.skip_small();
                self.left -= 1;
                self.last = Some(found);
                return Ok(true);
            }
            if found > key {
                return Ok(false);
            }
        }
        self.has_by_reading(key)
    }

    fn has_by_reading(&mut self, key: u64) -> Result<bool, E> {
        if self.next.is_none() && self.left > 0 {
            let at = self.r.position();
            let found = self.r.uint()?;
            if self.last.is_some_and(|last| found <= last) {
                return Err(CanonError("map keys are not in ascending order, or one repeats", at).into());
            }
            self.left -= 1;
            self.last = Some(found);
            self.next = Some(found);
        }
        match self.next {
            Some(found) if found == key => {
                self.next = None;
                Ok(true)
            }
            Some(found) if found < key => Err(E::unknown(found)),
            _ => Ok(false),
        }
    }

    /// This field must be there.
    pub(crate) fn need(&mut self, key: u64) -> Result<(), E> {
        if self.has(key)? { Ok(()) } else { Err(E::missing(key)) }
    }

    /// No field may be left over.
    pub(crate) fn close(mut self) -> Result<(), E> {
        if self.has(u64::MAX)? { Err(E::unknown(u64::MAX)) } else { Ok(()) }
    }
}

/// A claimed time in milliseconds; what is beyond what may be claimed is so however far beyond it is.
pub(super) fn claimed(millis: u64) -> Result<Timestamp, FormatError> {
    let time = Timestamp(i64::try_from(millis).unwrap_or(i64::MAX));
    if time.is_claimable() { Ok(time) } else { Err(FormatError::Time(time.0)) }
}
