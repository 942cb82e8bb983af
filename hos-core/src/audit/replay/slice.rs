//! A slice of a decision's entity world, read once.

use crate::canon::CanonError;
use crate::judge::{decode_slice, encode_world};
use crate::policy::{Entity, Link};
use std::collections::HashMap;
use std::sync::Arc;

/// How many bytes of slices are kept read. What they hold takes some ten times as much.
const SLICES_BYTES_MAX: usize = 1 << 20;

/// A slice that is open: the entities and links in it.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) entities: Vec<Entity>,
    pub(super) links: Vec<Link>,
    /// The bytes of a slice of what of it is the directory's.
    pub(super) stored_bytes: Vec<u8>,
}

impl Slice {
    pub(super) fn read(bytes: &[u8]) -> Result<Arc<Self>, CanonError> {
        let (entities, links) = decode_slice(bytes)?;
        let is_stored = |entity: &&Entity| entity.record.is_some();
        let stored_bytes = if entities.iter().all(|entity| is_stored(&entity)) {
            bytes.to_vec()
        } else {
            encode_world(entities.iter().filter(is_stored), &links)
        };
        Ok(Arc::new(Self { entities, links, stored_bytes }))
    }

    /// What of it is the directory's.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(|entity| entity.record.is_some())
    }
}

/// Slices that were read, by their bytes: who asked stands in the records of all that they did, and so do the roles that they had.
#[derive(Debug, Default)]
pub(super) struct ReadSlices {
    read: HashMap<Vec<u8>, Arc<Slice>>,
    /// How many bytes these have.
    bytes: usize,
}

impl ReadSlices {
    /// Reads a slice, unless it was read before.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Arc<Slice>, CanonError> {
        if let Some(known) = self.read.get(bytes) {
            return Ok(known.clone());
        }
        let slice = Slice::read(bytes)?;
        if self.bytes + bytes.len() > SLICES_BYTES_MAX {
            (self.read, self.bytes) = (HashMap::new(), 0);
        }
        self.bytes += bytes.len();
        self.read.insert(bytes.to_vec(), slice.clone());
        Ok(slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{RecordHash, Uid};
    use crate::value::{Record, Value};

    fn entity(id: &str, words: usize, record: Option<RecordHash>) -> Entity {
        let attrs = Record::from([("words".to_owned(), Value::String("w".repeat(words)))]);
        Entity { uid: Uid::new("N::R", id).unwrap(), attrs, parents: [].into(), record }
    }

    #[test]
    fn what_tells_worlds_apart_is_what_the_directory_has() {
        let (stored, given) = (entity("a", 1, Some(RecordHash([1; 32]))), entity("b", 1, None));
        let alone = encode_world([&stored], None::<&Link>);
        for all in [vec![&stored], vec![&stored, &given]] {
            let slice = Slice::read(&encode_world(all.iter().copied(), None::<&Link>)).unwrap();
            assert_eq!(slice.stored_bytes, alone);
            assert_eq!(slice.entities.iter().collect::<Vec<_>>(), all);
            assert_eq!(slice.stored().collect::<Vec<_>>(), [&stored]);
        }
    }

    #[test]
    fn a_slice_is_read_once_and_no_more_are_kept_than_there_is_room_for() {
        let mut slices = ReadSlices::default();
        let first = encode_world([&entity("first", 1, None)], None::<&Link>);
        let read = slices.read(&first).unwrap();
        assert!(Arc::ptr_eq(&read, &slices.read(&first).unwrap()));
        for i in 0..40 {
            let wanted = entity(&i.to_string(), SLICES_BYTES_MAX / 10, None);
            let slice = slices.read(&encode_world([&wanted], None::<&Link>)).unwrap();
            assert_eq!(slice.entities, [wanted]);
            assert!(slices.bytes <= SLICES_BYTES_MAX && slices.bytes == slices.read.keys().map(Vec::len).sum::<usize>());
        }
        assert_eq!(slices.read(&first).unwrap().entities, read.entities);
        assert!(slices.read(b"no slice").is_err() && slices.read(b"no slice").is_err());
    }
}
