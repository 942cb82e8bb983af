//! What is known of each thread, at hand for those that were met last.

use crate::store::StoreError;
use crate::store::sqlite::Scratch;
use hos_core::canon::{CanonError, Reader, Writer};
use hos_core::id::Handle;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What can be kept in a file.
pub(in crate::verify) trait Kept: Sized {
    fn write(&self, w: &mut Writer);
    fn read(r: &mut Reader<'_>) -> Result<Self, CanonError>;
}

/// Values by thread. Those that were not met for the longest time lie in a file.
///
/// Two tables of half the size each: who is met goes to the younger one; when that is full the older one is put away, and the younger
/// one is the older from then on.
pub(in crate::verify) struct ByThread<V> {
    young: HashMap<Handle, V>,
    old: HashMap<Handle, V>,
    /// How many a table holds.
    half: usize,
    far: Option<Scratch>,
}

impl<V: Kept> ByThread<V> {
    /// Of so many in memory.
    pub(in crate::verify) fn new(threads_max: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: (threads_max / 2).max(1), far: None }
    }

    /// What is known of a thread.
    pub(in crate::verify) fn get(&mut self, thread: &Handle) -> Result<Option<&mut V>, StoreError> {
        self.make_room()?;
        match self.young.entry(*thread) {
            Entry::Occupied(place) => Ok(Some(place.into_mut())),
            Entry::Vacant(place) => Ok(elsewhere(&mut self.old, self.far.as_ref(), thread)?.map(|value| place.insert(value))),
        }
    }

    /// What is known of a thread, or from now on.
    pub(in crate::verify) fn or_insert(&mut self, thread: Handle, new: impl FnOnce() -> V) -> Result<&mut V, StoreError> {
        self.make_room()?;
        match self.young.entry(thread) {
            Entry::Occupied(place) => Ok(place.into_mut()),
            Entry::Vacant(place) => {
                let value = elsewhere(&mut self.old, self.far.as_ref(), &thread)?;
                Ok(place.insert(value.unwrap_or_else(new)))
            }
        }
    }

    /// What is known of a thread, and no longer.
    pub(in crate::verify) fn take(&mut self, thread: &Handle) -> Result<Option<V>, StoreError> {
        let near = self.young.remove(thread).or_else(|| self.old.remove(thread));
        let Some(far) = &self.far else { return Ok(near) };
        match near {
            // What lies in the file of a thread that was met since is out of date.
            Some(value) => far.remove(&thread.0).map(|()| Some(value)),
            None => far.take(&thread.0)?.map(|bytes| decode(&bytes)).transpose(),
        }
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        if self.young.len() < self.half { Ok(()) } else { self.put_away() }
    }

    fn put_away(&mut self) -> Result<(), StoreError> {
        let older = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        if older.is_empty() {
            return Ok(());
        }
        let far = match &mut self.far {
            Some(far) => far,
            none => none.insert(Scratch::by_key()?),
        };
        let mut rows: Vec<(Handle, Vec<u8>)> = older.iter().map(|(thread, value)| (*thread, encode(value))).collect();
        // Neighbours in the file are written together.
        rows.sort_unstable_by_key(|(thread, _)| *thread);
        far.put(rows.iter().map(|(thread, value)| (&thread.0[..], &value[..])))
    }

    /// Shows every thread, in no order.
    pub(in crate::verify) fn each<E: From<StoreError>>(
        &self,
        mut see: impl FnMut(&Handle, &V) -> Result<(), E>,
    ) -> Result<(), E> {
        self.young.iter().chain(&self.old).try_for_each(|(thread, value)| see(thread, value))?;
        let Some(far) = &self.far else { return Ok(()) };
        far.each(|key, bytes| {
            let thread = Handle(key.try_into().map_err(|_| broken(&"a key that is no handle"))?);
            if self.young.contains_key(&thread) || self.old.contains_key(&thread) {
                return Ok(());
            }
            see(&thread, &decode(bytes)?)
        })
    }
}

/// A thread that is not in the younger table, for whoever puts it there.
fn elsewhere<V: Kept>(old: &mut HashMap<Handle, V>, far: Option<&Scratch>, thread: &Handle) -> Result<Option<V>, StoreError> {
    match (old.remove(thread), far) {
        (Some(value), _) => Ok(Some(value)),
        (None, Some(far)) => far.get(&thread.0)?.map(|bytes| decode(&bytes)).transpose(),
        (None, None) => Ok(None),
    }
}

fn encode<V: Kept>(value: &V) -> Vec<u8> {
    let mut w = Writer::default();
    value.write(&mut w);
    w.finish()
}

fn decode<V: Kept>(bytes: &[u8]) -> Result<V, StoreError> {
    V::read(&mut Reader::new(bytes)).map_err(|e| broken(&e))
}

fn broken(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::internal(format!("a temporary file holds what was not put there: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    impl Kept for u64 {
        fn write(&self, w: &mut Writer) {
            w.uint(*self);
        }
        fn read(r: &mut Reader<'_>) -> Result<Self, CanonError> {
            r.uint()
        }
    }

    proptest! {
        /// Whatever is asked of it in whichever order, it knows what a map in memory knows.
        #[test]
        fn it_knows_what_a_map_knows(room in 0usize..12, steps in prop::collection::vec((0u8..4, 0u8..20, 0u64..100), 0..200)) {
            let (mut threads, mut wanted) = (ByThread::<u64>::new(room), BTreeMap::<Handle, u64>::new());
            for (what, thread, value) in steps {
                let thread = Handle([thread; 16]);
                match what {
                    0 => {
                        *threads.or_insert(thread, || value).unwrap() = value;
                        wanted.insert(thread, value);
                    }
                    1 => {
                        // What is changed in its place is kept as well.
                        let (ours, theirs) = (threads.get(&thread).unwrap(), wanted.get_mut(&thread));
                        prop_assert_eq!(ours.as_deref(), theirs.as_deref());
                        if let (Some(ours), Some(theirs)) = (ours, theirs) {
                            (*ours, *theirs) = (value, value);
                        }
                        prop_assert_eq!(threads.or_insert(thread, || value).unwrap(), wanted.entry(thread).or_insert(value));
                    }
                    2 => prop_assert_eq!(threads.take(&thread).unwrap(), wanted.remove(&thread)),
                    _ => {
                        let mut all = BTreeMap::new();
                        threads.each(|thread, value| {
                            assert!(all.insert(*thread, *value).is_none(), "shown twice");
                            Ok::<_, StoreError>(())
                        }).unwrap();
                        prop_assert_eq!(&all, &wanted);
                    }
                }
                prop_assert!(threads.young.len() <= threads.half && threads.old.len() <= threads.half);
            }
        }
    }
}
