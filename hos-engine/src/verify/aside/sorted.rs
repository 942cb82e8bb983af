//! Rows that are met in any order, and looked at in that of their keys.

use crate::store::StoreError;
use crate::store::sqlite::Scratch;

/// Collects rows; those that are more than a bound lie in a file.
pub(in crate::verify) struct Sorted {
    bytes: Vec<u8>,
    rows: Vec<Place>,
    bytes_max: usize,
    far: Option<Scratch>,
}

/// Where a row lies: its key, and its value behind it.
struct Place {
    /// The key's first bytes, as a number. Most keys differ in them, and are put in order without a look at the others.
    begins: u64,
    from: usize,
    middle: usize,
    end: usize,
}

impl Place {
    fn shown<'b>(&self, bytes: &'b [u8]) -> (&'b [u8], &'b [u8]) {
        (bytes.get(self.from..self.middle).unwrap_or_default(), bytes.get(self.middle..self.end).unwrap_or_default())
    }
}

/// A short key is as if zeros followed: so numbers never stand in another order than their keys.
fn begins(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(key).for_each(|(to, byte)| *to = *byte);
    u64::from_be_bytes(first)
}

impl Sorted {
    /// Of so many bytes in memory.
    pub(in crate::verify) fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), rows: Vec::new(), bytes_max, far: None }
    }

    /// Adds a row.
    pub(in crate::verify) fn push(&mut self, key: &[&[u8]], value: &[&[u8]]) -> Result<(), StoreError> {
        let from = self.bytes.len();
        key.iter().for_each(|part| self.bytes.extend_from_slice(part));
        let middle = self.bytes.len();
        value.iter().for_each(|part| self.bytes.extend_from_slice(part));
        let begins = begins(self.bytes.get(from..middle).unwrap_or_default());
        self.rows.push(Place { begins, from, middle, end: self.bytes.len() });
        if self.bytes.len() + self.rows.len() * size_of::<Place>() > self.bytes_max {
            self.put_away()?;
        }
        Ok(())
    }

    fn put_away(&mut self) -> Result<(), StoreError> {
        let far = match &mut self.far {
            Some(far) => far,
            none => none.insert(Scratch::to_sort()?),
        };
        far.put(self.rows.iter().map(|row| row.shown(&self.bytes)))?;
        self.bytes.clear();
        self.rows.clear();
        Ok(())
    }

    /// Shows all rows by ascending key, bytewise; of equal keys, as they were added.
    pub(in crate::verify) fn each<E: From<StoreError>>(
        mut self,
        mut see: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.far.is_some() {
            self.put_away()?;
        }
        if let Some(far) = &self.far {
            return far.each(see);
        }
        let Self { bytes, mut rows, .. } = self;
        rows.sort_by(|a, b| a.begins.cmp(&b.begins).then_with(|| a.shown(&bytes).0.cmp(b.shown(&bytes).0)));
        rows.iter().try_for_each(|row| {
            let (key, value) = row.shown(&bytes);
            see(key, value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_of_their_keys_wherever_they_lay() {
        for bytes_max in [0, 100, 1 << 20] {
            let mut sorted = Sorted::new(bytes_max);
            let keys: [&[u8]; 10] = [b"b", b"", b"ab", b"b", b"\xff", b"a", b"b", b"eight---2", b"eight---1", b"a\0"];
            for (i, key) in keys.iter().enumerate() {
                sorted.push(&[key], &[&[i as u8], b"!"]).unwrap();
            }
            let mut found = Vec::new();
            sorted
                .each(|key, value| {
                    found.push((key.to_vec(), value.to_vec()));
                    Ok::<_, StoreError>(())
                })
                .unwrap();
            let wanted = [1, 5, 9, 2, 0, 3, 6, 8, 7, 4].map(|i: u8| (keys[usize::from(i)].to_vec(), vec![i, b'!']));
            assert_eq!(found, wanted, "{bytes_max}");
        }
    }

    #[test]
    fn who_looks_may_stop() {
        for bytes_max in [0, 1 << 20] {
            let mut sorted = Sorted::new(bytes_max);
            for key in [b"a", b"b", b"c"] {
                sorted.push(&[key], &[]).unwrap();
            }
            let mut seen = 0;
            let stopped = sorted.each(|key, _| {
                seen += 1;
                if key == b"b" { Err(StoreError::internal("enough")) } else { Ok(()) }
            });
            assert_eq!((stopped, seen), (Err(StoreError::internal("enough")), 2));
        }
    }
}
