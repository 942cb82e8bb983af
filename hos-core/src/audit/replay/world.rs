//! The entity world of a decision, as its record keeps it.

use super::parts::{Record, broken};
use super::slice::Slice;
use super::{Difference, Stop};
use crate::policy::{Directory, Entity, Link};
use crate::proof::record::Slot;
use std::sync::Arc;

/// The entities and links that were judged.
#[derive(Debug, Default, Clone)]
pub(super) struct World(Vec<Arc<Slice>>);

impl World {
    /// That of a record; refused where a slice is not open, or does not decode.
    pub(super) fn of(record: &Record<'_>) -> Result<Self, Stop> {
        if record.withholds(Slot::Slice) {
            return Err(Stop::Erased);
        }
        let read = record.slices().iter().cloned().collect::<Result<Vec<_>, _>>();
        read.map(Self).map_err(|e| broken(Slot::Slice, &e))
    }

    /// The directory's entities.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Entity> {
        self.0.iter().flat_map(|slice| slice.stored())
    }

    /// What came with the call, and what judging made itself; ascending.
    pub(super) fn given(&self) -> Vec<&Entity> {
        let mut given: Vec<&Entity> = self.0.iter().flat_map(|s| &s.entities).filter(|e| e.record.is_none()).collect();
        given.sort_by(|a, b| a.uid.cmp(&b.uid));
        given
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.0.iter().flat_map(|slice| &slice.links)
    }

    /// What tells apart what is stored: two worlds with one key are closed alike.
    pub(super) fn key(&self) -> Vec<u8> {
        // One text in canonical form is no other one's beginning.
        self.0.iter().flat_map(|slice| &slice.stored_bytes).copied().collect()
    }

    /// The directory that is closed over what is stored.
    pub(super) fn close(&self) -> Result<Directory, Stop> {
        let mut stored: Vec<Entity> = self.stored().cloned().collect();
        stored.sort_by(|a, b| a.uid.cmp(&b.uid));
        Directory::new(stored, self.links().cloned().collect())
            .map_err(|b| Stop::Broken(Difference::new("part slice", "a world", b.to_string())))
    }
}
