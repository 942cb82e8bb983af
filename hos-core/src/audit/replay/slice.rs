//! A slice of a decision's entity world, read once.

use crate::canon::CanonError;
use crate::judge::decode_slice;
use crate::policy::{Entity, Link};
use std::sync::Arc;

/// A slice that is open: the entities and links in it, and its bytes.
#[derive(Debug)]
pub(super) struct Slice<'r> {
    pub(super) bytes: &'r [u8],
    pub(super) entities: Vec<Entity>,
    pub(super) links: Vec<Link>,
}

impl<'r> Slice<'r> {
    pub(super) fn read(bytes: &'r [u8]) -> Result<Arc<Self>, CanonError> {
        decode_slice(bytes).map(|(entities, links)| Arc::new(Self { bytes, entities, links }))
    }

    /// What of it is the directory's.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(|entity| entity.record.is_some())
    }
}
