//! Where each thread of a log stands; and the map of heads, made anew from that at each of its records, and compared
//! (`spec/heads.md`).

use super::Pass;
use super::aside::{ByThread, Kept, Room, Sorted};
use crate::Failure;
use crate::store::StoreError;
use hos_core::canon::{CanonError, Reader, Writer};
use hos_core::digest;
use hos_core::id::{Handle, MapHash, MapKey, RecordHash, Tenant};
use hos_core::proof::heads::{Head, HeadKind, HeadsError, HeadsRoot};
use hos_core::proof::record::Kind;
use hos_core::proof::view::HeaderView;

/// Where a thread stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    n: u64,
    last: RecordHash,
    /// The key of an instance whose birth bears a label.
    label: Option<MapKey>,
    /// Whether its last record is an erasure.
    erased: bool,
}

impl Kept for End {
    fn write(&self, w: &mut Writer) {
        let label = self.label.as_ref().map_or(&[][..], |label| label.as_bytes());
        w.array(4).uint(self.n).bytes(self.last.as_bytes()).bytes(label).bool(self.erased);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, CanonError> {
        r.array_of(4)?;
        let (n, last) = (r.uint()?, RecordHash(r.bytes_of()?));
        Ok(Self { n, last, label: r.bytes()?.try_into().ok().map(MapKey), erased: r.bool()? })
    }
}

/// Where all threads stand.
pub(super) struct Heads {
    threads: ByThread<End>,
    /// Labels as births bore them, each with its entry: label, entry; thread.
    labels: Sorted,
}

impl Heads {
    pub(super) fn new(room: Room) -> Self {
        Self { threads: ByThread::new(room.threads), labels: Sorted::new(room.bytes) }
    }

    /// The last record of a thread so far.
    pub(super) fn stood(&mut self, thread: &Handle) -> Result<Option<(u64, RecordHash)>, StoreError> {
        Ok(self.threads.get(thread)?.map(|end| (end.n, end.last)))
    }

    /// Takes a record that moved its thread to where it stands now. One that is disputed says nothing else.
    pub(super) fn take(
        &mut self,
        header: &HeaderView<'_>,
        seq: u64,
        (n, last): (u64, RecordHash),
        disputed: bool,
    ) -> Result<(), StoreError> {
        let label = header.label.filter(|_| !disputed);
        if let Some(label) = label {
            self.labels.push(&[label.as_bytes(), &seq.to_be_bytes()], &[&header.thread.0])?;
        }
        let erased = header.kind == Kind::Erased && header.n.is_some();
        let end = self.threads.or_insert(header.thread, || End { n, last, label: None, erased: false })?;
        (end.n, end.last) = (n, last);
        if !disputed {
            (end.label, end.erased) = (label.or(end.label), erased);
        }
        Ok(())
    }

    /// Holds a record of the map against the entries before it.
    pub(super) fn hold(&self, pass: &mut Pass<'_>, tenant: &Tenant, seq: u64, content: Option<&[u8]>) -> Result<(), Failure> {
        let at = format!("tenant {tenant}, seq {seq}");
        let Some((size, count, root)) = content.and_then(crate::court::heads::decode_heads) else {
            pass.findings.add(at, "a record of the map of heads that says nothing");
            return Ok(());
        };
        if size != seq {
            pass.findings.add(at.clone(), format!("the map of heads is of {size} entries and stands at {seq}"));
        }
        match self.root(pass.room, tenant)? {
            Err(error) => pass.findings.add(at, error.to_string()),
            Ok(found) if found != (count, root) => {
                pass.findings.add(at, "the map of heads is another than the log's");
            }
            Ok(_) => {}
        }
        Ok(())
    }

    fn root(&self, room: Room, tenant: &Tenant) -> Result<Result<(u64, MapHash), HeadsError>, StoreError> {
        let mut leaves = Sorted::new(room.bytes);
        self.threads.each(|thread, end| {
            let key = end.label.unwrap_or_else(|| digest::heads_thread(tenant, thread));
            let kind = if end.erased { HeadKind::Erased } else { HeadKind::Live };
            let head = Head { key, kind, thread: *thread, n: end.n, last: end.last };
            leaves.push(&[key.as_bytes()], &[head.hash().as_bytes()])
        })?;
        let (mut map, mut wrong) = (HeadsRoot::default(), None);
        leaves.each(|key, leaf| {
            let sized = key.try_into().map(MapKey).ok().zip(leaf.try_into().map(MapHash).ok());
            let (key, leaf) = sized.ok_or_else(|| StoreError::internal("a leaf of the map of heads of another length"))?;
            wrong = wrong.or(map.push(key, leaf).err());
            Ok::<_, StoreError>(())
        })?;
        Ok(match wrong {
            Some(error) => Err(error),
            None => Ok(map.finish()),
        })
    }

    /// Ends: a label that two threads bear is found.
    pub(super) fn finish(self, pass: &mut Pass<'_>, tenant: &Tenant) -> Result<(), Failure> {
        let mut before: Option<(Vec<u8>, Vec<u8>)> = None;
        self.labels.each(|key, thread| {
            let (label, seq) = key.split_at_checked(32).unwrap_or_default();
            let bears = before.as_ref().is_some_and(|(of, by)| *of == label && *by != thread);
            if bears {
                let seq = seq.try_into().map(u64::from_be_bytes).unwrap_or_default();
                pass.findings.add(format!("tenant {tenant}, seq {seq}"), "a second birth bears the label of an instance");
            }
            before = Some((label.to_vec(), thread.to_vec()));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::court::heads::{decode_heads, encode_heads};

    #[test]
    fn what_a_record_of_the_map_says_is_read_again() {
        let root = MapHash([7; 32]);
        assert_eq!(decode_heads(&encode_heads(3, 2, &root)), Some((3, 2, root)));
        for broken in [&[][..], &[0x83], &[0x80], &[0x83, 3, 2, 0x41, 1]] {
            assert_eq!(decode_heads(broken), None);
        }
    }

    #[test]
    fn where_a_thread_stands_is_read_again() {
        for label in [None, Some(MapKey([3; 32]))] {
            let end = End { n: 7, last: RecordHash([1; 32]), label, erased: label.is_some() };
            let mut w = Writer::default();
            end.write(&mut w);
            assert_eq!(End::read(&mut Reader::new(&w.finish())), Ok(end));
        }
    }
}
