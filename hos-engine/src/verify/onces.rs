//! The once-keys that a tenant's records took, and the rows that keep them.

use super::Pass;
use super::aside::{Mark, Marks, NAMED_MAX, Room, SAID, STORED, Sorted};
use super::erasures::Stands;
use crate::Failure;
use crate::store::sql::{law as law_sql, operation as sql};
use crate::store::{Row, RowRef, StoreError, Tx};
use hos_core::id::{CallDigest, Handle, KeyId, Shown, Tenant};
use hos_core::time::Timestamp;
use std::collections::HashMap;

/// Once-keys as records took them. A key that was forgotten may be taken again: the last one counts.
pub(super) struct Onces {
    marks: Marks,
    /// Mark, side, place of the record's entry; [`Once`].
    taken: Sorted,
    /// Records whose once-key cannot be read any more: thread, n, side; the key that it lies under, where that is why.
    unread: Sorted,
}

/// What a record says of its once-key, or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Once {
    /// Of the call's digest: who guesses a call could tell it by that.
    digest: Mark,
    thread: Handle,
    n: u64,
    time: Timestamp,
}

impl Once {
    fn encode(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.digest.0);
        bytes[32..48].copy_from_slice(&self.thread.0);
        bytes[48..56].copy_from_slice(&self.n.to_be_bytes());
        bytes[56..].copy_from_slice(&self.time.0.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk()?;
        let (thread, rest) = rest.split_first_chunk()?;
        let (n, time) = rest.split_first_chunk()?;
        Some(Self {
            digest: Mark(*digest),
            thread: Handle(*thread),
            n: u64::from_be_bytes(*n),
            time: Timestamp(i64::from_be_bytes(time.try_into().ok()?)),
        })
    }
}

impl Onces {
    pub(super) fn new(room: Room, marks: &Marks) -> Self {
        Self { marks: marks.clone(), taken: Sorted::new(room.bytes), unread: Sorted::new(room.bytes) }
    }

    /// A record took a key; `seq` is the place of its entry: one that has none yet comes after all that have.
    pub(super) fn push(
        &mut self,
        key: &str,
        digest: CallDigest,
        (thread, n): (Handle, u64),
        time: Timestamp,
        seq: Option<u64>,
    ) -> Result<(), StoreError> {
        // Of one key the later ones stand behind the earlier, in whichever order the records were met.
        let place = seq.unwrap_or(u64::MAX).to_be_bytes();
        let (mark, digest) = (self.marks.of(key.as_bytes()), self.marks.of(digest.as_bytes()));
        self.taken.push(&[&mark.0, SAID, &place], &[&Once { digest, thread, n, time }.encode()])
    }

    /// A record took a key that cannot be read any more.
    pub(super) fn unread(&mut self, (thread, n): (Handle, u64), key: Option<KeyId>) -> Result<(), StoreError> {
        let key = key.as_ref().map_or(&[][..], |key| &key.0[..]);
        self.unread.push(&[&thread.0, &n.to_be_bytes(), SAID], &[key])
    }

    /// Takes a row.
    fn row(&mut self, key: &[u8], digest: &[u8; 32], (thread, n): (Handle, u64), time: Timestamp) -> Result<(), StoreError> {
        let once = Once { digest: self.marks.of(digest), thread, n, time };
        self.taken.push(&[&self.marks.of(key).0, STORED], &[&once.encode()])
    }
}

/// A row that is not what a record says.
enum Odd {
    /// What to say of it.
    Wrong(&'static str),
    /// The record that took it says so under a key that is gone.
    Unread(KeyId),
}

/// Rows that are not what a record says, by their marks; so many of them are told by their keys.
#[derive(Default)]
struct Odds {
    marked: HashMap<Mark, Odd>,
}

impl Odds {
    fn push(&mut self, pass: &mut Pass<'_>, tenant: &Tenant, mark: Mark, (thread, n): (Handle, u64), odd: Odd) {
        if self.marked.len() < NAMED_MAX {
            self.marked.insert(mark, odd);
            return;
        }
        let at = || format!("hos_once {tenant} thread {thread}, n {n}");
        match odd {
            Odd::Wrong(what) => pass.findings.add(at(), what),
            Odd::Unread(key) => pass.gone.stands(tenant, &at(), key, Stands::Once),
        }
    }

    /// Says them: what is put aside has no keys, so the rows are read again.
    fn told(mut self, tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, marks: &Marks) -> Result<(), Failure> {
        if self.marked.is_empty() {
            return Ok(());
        }
        each(tx, tenant, &mut |row| {
            let key = row.blob(0)?;
            let at = || format!("hos_once {tenant} {}", Shown(&String::from_utf8_lossy(key)));
            match self.marked.remove(&marks.of(key)) {
                Some(Odd::Wrong(what)) => pass.findings.add(at(), what),
                Some(Odd::Unread(key)) => pass.gone.stands(tenant, &at(), key, Stands::Once),
                None => {}
            }
            Ok(())
        })?;
        Ok(())
    }
}

const WRONG: [&str; 2] = ["column key: no record took it", "columns digest, thread, n, at: not what the records say"];

/// Compares the rows with what the records took. Of a record that `is_unsaid`, nobody says what it took.
pub(super) fn compare(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    mut onces: Onces,
    is_unsaid: impl Fn(&Handle, u64) -> bool,
) -> Result<(), Failure> {
    let floor = tx.row(&law_sql::tenant_row(tenant))?.map_or(Ok(0), |row| row.int(2))?;
    each(tx, tenant, &mut |row| {
        onces.row(row.blob(0)?, &row.bytes(1)?, (Handle(row.bytes(2)?), row.uint(3)?), Timestamp(row.int(4)?))
    })?;
    let Onces { marks, taken, mut unread } = onces;
    let mut odds = Odds::default();
    let mut said: Option<(Mark, Once)> = None;
    let missing = |pass: &mut Pass<'_>, said: Option<(Mark, Once)>| {
        if let Some((_, once)) = said.filter(|(_, once)| once.time.0 >= floor) {
            let at = format!("hos_once {tenant} thread {}, n {}", once.thread, once.n);
            pass.findings.add(at, "the row is missing");
        }
    };
    taken.each(|key, value| {
        let (mark, side) = key.split_first_chunk().ok_or_else(|| broken("a mark that is none"))?;
        let once = Once::decode(value).ok_or_else(|| broken("another length"))?;
        let mark = Mark(*mark);
        let wanted = match said.take() {
            Some((of, once)) if of == mark => Some(once),
            other => {
                missing(pass, other);
                None
            }
        };
        if side.starts_with(SAID) {
            // Of a key that was taken twice the last counts.
            said = Some((mark, once));
            return Ok::<_, Failure>(());
        }
        // Where it was forgotten, another record may have taken it then.
        let held = wanted.as_ref().is_some_and(|wanted| wanted.time.0 >= floor);
        if wanted.as_ref() == Some(&once) {
            return Ok(());
        }
        if held {
            odds.push(pass, tenant, mark, (once.thread, once.n), Odd::Wrong(WRONG[1]));
            return Ok(());
        }
        let place: &[&[u8]] = &[&once.thread.0, &once.n.to_be_bytes(), STORED, &mark.0];
        Ok(unread.push(place, &[&[u8::from(wanted.is_some())]])?)
    })?;
    missing(pass, said);
    // The last record whose once-key cannot be read; and the last of them that has a row.
    let mut gone: Option<([u8; 24], Option<KeyId>)> = None;
    let mut met: Option<[u8; 24]> = None;
    unread.each(|key, value| {
        let (place, side) = key.split_first_chunk::<24>().ok_or_else(|| broken("a place that is none"))?;
        if side == SAID {
            gone = Some((*place, KeyId::from_slice(value)));
            return Ok::<_, Failure>(());
        }
        let mark = side.get(1..).and_then(|mark| mark.try_into().ok()).map(Mark).ok_or_else(|| broken("a mark that is none"))?;
        let (thread, n) = place.split_first_chunk::<16>().ok_or_else(|| broken("a place that is none"))?;
        let n = n.try_into().map(u64::from_be_bytes).unwrap_or_default();
        let record = (Handle(*thread), n);
        match &gone {
            // A record takes one once-key.
            Some((of, _)) if of == place && met.replace(*place) == Some(*place) => {
                odds.push(pass, tenant, mark, record, Odd::Wrong(WRONG[0]));
            }
            Some((of, Some(key))) if of == place => odds.push(pass, tenant, mark, record, Odd::Unread(*key)),
            // What nothing is vouched for of is found by itself.
            Some((of, None)) if of == place => {}
            _ if is_unsaid(&record.0, n) => {}
            _ => odds.push(pass, tenant, mark, record, Odd::Wrong(WRONG[usize::from(value == [1])])),
        }
        Ok(())
    })?;
    odds.told(tx, pass, tenant, &marks)
}

/// Shows the rows one after the other.
fn each(tx: &Tx<'_>, tenant: &Tenant, take: &mut dyn FnMut(&RowRef<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let page = |last: Option<&Row>, limit| Ok(sql::onces(tenant, last.map(|row| row.blob(0)).transpose()?, limit));
    tx.visit_pages(page, take)
}

fn broken(why: &str) -> StoreError {
    StoreError::internal(format!("a once-key that was put aside: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_is_read_again() {
        let once = Once { digest: Mark([1; 32]), thread: Handle([2; 16]), n: 3, time: Timestamp(-4) };
        assert_eq!(Once::decode(&once.encode()), Some(once));
    }

    #[test]
    fn no_key_is_put_aside() {
        let marks = Marks::new(&crate::clock::SystemEntropy).unwrap();
        let mut onces = Onces::new(Room::of(Some(0)), &marks);
        let call = hos_core::digest::call_digest(b"whom it is about");
        onces.push("said-key", call, (Handle([2; 16]), 3), Timestamp(4), Some(5)).unwrap();
        onces.row(b"stored-key", call.as_bytes(), (Handle([2; 16]), 3), Timestamp(4)).unwrap();
        let mut rows = Vec::new();
        let shown = onces.taken.each(|key, value| {
            let all = [key, value].concat();
            assert!(!all.windows(4).any(|window| window == b"-key"), "a key");
            assert!(!all.windows(32).any(|window| window == call.as_bytes()), "what a guessed call could be told by");
            rows.push(value.to_vec());
            Ok::<_, StoreError>(())
        });
        assert_eq!(shown, Ok(()));
        assert!(rows.len() == 2 && rows[0] == rows[1], "what is said and what is stored come to the same");
    }
}
