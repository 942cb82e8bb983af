//! A record as it is judged again: its header, and its parts as far as they are open.

use super::slice::Slice;
use super::{Difference, Stop};
use crate::canon::CanonError;
use crate::id::RecordHash;
use crate::proof::record::{Header, Slot};
use std::cell::OnceCell;
use std::sync::Arc;

/// A part that is open.
#[derive(Debug, Clone, Copy)]
pub struct Part<'r> {
    /// Which part.
    pub slot: Slot,
    /// Its place among the parts of one slot.
    pub index: u8,
    /// Its content, which the header commits to: whoever opened it has seen to that.
    pub content: &'r [u8],
}

/// A record.
#[derive(Debug, Clone)]
pub struct Record<'r> {
    /// Its header.
    pub header: &'r Header,
    /// Its hash.
    pub hash: RecordHash,
    /// Its open parts.
    pub parts: Vec<Part<'r>>,
    /// Its open slices, once they were read.
    slices: OnceCell<Slices>,
}

/// Slices in the order of the parts, each as far as it decodes.
type Slices = Vec<Result<Arc<Slice>, CanonError>>;

impl<'r> Record<'r> {
    /// A record with its open parts.
    pub fn new(header: &'r Header, hash: RecordHash, parts: Vec<Part<'r>>) -> Self {
        Self { header, hash, parts, slices: OnceCell::new() }
    }

    /// What it was judged over, as far as that is open: each slice is read once.
    pub(super) fn slices(&self) -> &Slices {
        self.slices_by(Slice::read)
    }

    /// The same by whoever may have read them before.
    pub(super) fn slices_by(&self, read: impl Fn(&[u8]) -> Result<Arc<Slice>, CanonError>) -> &Slices {
        let all = || self.parts.iter().filter(|part| part.slot == Slot::Slice).map(|part| read(part.content)).collect();
        self.slices.get_or_init(all)
    }

    /// The parts of a slot that the header lists, in their order; refused where one is not open.
    pub(super) fn all(&self, slot: Slot) -> Result<Vec<&'r [u8]>, Stop> {
        let listed = self.header.parts.iter().filter(|part| part.slot == slot);
        listed.map(|part| self.open(slot, part.index).ok_or(Stop::Erased)).collect()
    }

    /// The part of a slot, where the header lists one.
    pub(super) fn one(&self, slot: Slot) -> Result<Option<&'r [u8]>, Stop> {
        Ok(self.all(slot)?.first().copied())
    }

    /// The part of a slot, read.
    pub(super) fn read<T>(&self, slot: Slot, decode: fn(&[u8]) -> Result<T, CanonError>) -> Result<Option<T>, Stop> {
        self.one(slot)?.map(|bytes| decode(bytes).map_err(|e| broken(slot, &e))).transpose()
    }

    /// The part of a slot that this kind of record always has.
    pub(super) fn need<T>(&self, slot: Slot, decode: fn(&[u8]) -> Result<T, CanonError>) -> Result<T, Stop> {
        self.read(slot, decode)?.ok_or_else(|| Stop::Broken(Difference::new(name(slot), "absent", "needed to judge")))
    }

    /// The content of a part, where it is open.
    pub(super) fn open(&self, slot: Slot, index: u8) -> Option<&'r [u8]> {
        self.parts.iter().find(|part| (part.slot, part.index) == (slot, index)).map(|part| part.content)
    }

    /// Whether a part of the slot is listed and not open.
    pub(super) fn withholds(&self, slot: Slot) -> bool {
        self.header.parts.iter().any(|part| part.slot == slot && self.open(slot, part.index).is_none())
    }
}

pub(super) fn name(slot: Slot) -> String {
    format!("part {slot:?}").to_lowercase()
}

pub(super) fn broken(slot: Slot, error: &CanonError) -> Stop {
    Stop::Broken(Difference::new(name(slot), "bytes", format!("it does not decode: {error}")))
}
