//! Rows that are met in any order, and looked at in that of their keys.

use crate::store::StoreError;
use crate::store::sqlite::Scratch;
use std::ops::Range;

/// Collects rows; those that are more than a bound lie in a file.
pub(in crate::verify) struct Sorted {
    bytes: Vec<u8>,
    /// Each row's key and value; both in `bytes`.
    rows: Vec<(Range<usize>, Range<usize>)>,
    bytes_max: usize,
    far: Option<Scratch>,
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
        self.rows.push((from..middle, middle..self.bytes.len()));
        if self.bytes.len() + self.rows.len() * size_of::<(Range<usize>, Range<usize>)>() > self.bytes_max {
            self.put_away()?;
        }
        Ok(())
    }

    fn put_away(&mut self) -> Result<(), StoreError> {
        let far = match &mut self.far {
            Some(far) => far,
            none => none.insert(Scratch::to_sort()?),
        };
        far.put(self.rows.iter().map(|row| shown(&self.bytes, row)))?;
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
        rows.sort_by(|a, b| shown(&bytes, a).0.cmp(shown(&bytes, b).0));
        rows.iter().try_for_each(|row| {
            let (key, value) = shown(&bytes, row);
            see(key, value)
        })
    }
}

fn shown<'b>(bytes: &'b [u8], (key, value): &(Range<usize>, Range<usize>)) -> (&'b [u8], &'b [u8]) {
    (bytes.get(key.clone()).unwrap_or_default(), bytes.get(value.clone()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_the_order_of_their_keys_wherever_they_lay() {
        for bytes_max in [0, 100, 1 << 20] {
            let mut sorted = Sorted::new(bytes_max);
            for (i, key) in [&b"b"[..], b"", b"ab", b"b", b"\xff", b"a", b"b"].iter().enumerate() {
                sorted.push(&[key], &[&[i as u8], b"!"]).unwrap();
            }
            let mut found = Vec::new();
            sorted
                .each(|key, value| {
                    found.push((key.to_vec(), value.to_vec()));
                    Ok::<_, StoreError>(())
                })
                .unwrap();
            let wanted = [(&b""[..], 1u8), (b"a", 5), (b"ab", 2), (b"b", 0), (b"b", 3), (b"b", 6), (b"\xff", 4)];
            assert_eq!(found, wanted.map(|(key, i)| (key.to_vec(), vec![i, b'!'])), "{bytes_max}");
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
