//! The rows of deadlines against what the records armed.

use super::Pass;
use super::aside::{Mark, Marks, NAMED_MAX, Room, SAID, STORED, Sorted};
use super::folded::Folded;
use crate::Failure;
use crate::store::sql::state as sql;
use crate::store::{Row, StoreError, Tx};
use hos_core::id::{Handle, Shown, Tenant};
use hos_core::time::Timestamp;
use std::collections::HashSet;

/// Deadlines as records armed them, and rows.
pub(super) struct Armed {
    marks: Marks,
    /// [`place`], side; the thread, where a record armed it.
    all: Sorted,
    /// Of a log that is not read from its beginning: the instances of which it is known what they armed.
    known: Option<HashSet<Mark>>,
    /// Whether an instance armed some whose id can no longer be told.
    is_unreadable: bool,
}

/// Where a deadline stands: when it is due, its place in the contract, which instance's it is.
fn place(due: Timestamp, place: u64, instance: &Mark) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&due.0.to_be_bytes());
    bytes[8..16].copy_from_slice(&place.to_be_bytes());
    bytes[16..].copy_from_slice(&instance.0);
    bytes
}

impl Armed {
    pub(super) fn new(room: Room, marks: &Marks, is_whole: bool) -> Self {
        let known = (!is_whole).then(HashSet::new);
        Self { marks: marks.clone(), all: Sorted::new(room.bytes), known, is_unreadable: false }
    }

    /// What an instance armed; its id, as far as it is known.
    pub(super) fn by(&mut self, thread: &Handle, folded: &Folded, id: Option<Mark>) -> Result<(), Failure> {
        let (Some(contract), Some(id)) = (&folded.contract, id) else {
            self.is_unreadable |= id.is_none() && !folded.deadlines.is_empty();
            return Ok(());
        };
        if self.known.is_none() && folded.deadlines.is_empty() {
            return Ok(());
        }
        let instance = self.instance(contract.as_str(), &id);
        if let Some(known) = &mut self.known {
            known.insert(instance);
        }
        for one in &folded.deadlines {
            self.all.push(&[&place(one.due, one.deadline as u64, &instance), SAID], &[&thread.0])?;
        }
        Ok(())
    }

    fn of_row(&self, row: &Row) -> Result<[u8; 48], StoreError> {
        let instance = self.instance(row.text(1)?, &self.marks.of(row.blob(2)?));
        Ok(place(Timestamp(row.int(0)?), row.uint(3)?, &instance))
    }

    /// Whether it is known what the instance of a place armed.
    fn knows(&self, place: &[u8; 48]) -> bool {
        let has = |known: &HashSet<Mark>| place.last_chunk().is_some_and(|mark| known.contains(&Mark(*mark)));
        !self.is_unreadable && self.known.as_ref().is_none_or(has)
    }

    fn instance(&self, contract: &str, id: &Mark) -> Mark {
        self.marks.of(&[&id.0, contract.as_bytes()].concat())
    }
}

/// Compares the rows with what the records armed.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, mut armed: Armed) -> Result<(), Failure> {
    let page = |last: Option<&Row>, limit| {
        let after = last.map(|row| Ok::<_, StoreError>((row.int(0)?, row.text(1)?, row.blob(2)?, row.int(3)?))).transpose()?;
        Ok(sql::deadlines(tenant, after, limit))
    };
    tx.pages(page, |row| {
        let place = armed.of_row(row)?;
        armed.all.push(&[&place, STORED], &[])
    })?;
    let all = std::mem::replace(&mut armed.all, Sorted::new(0));
    // The last that a record armed and no row was met of.
    let mut said: Option<([u8; 48], Vec<u8>)> = None;
    let mut odd = HashSet::new();
    let missing = |pass: &mut Pass<'_>, said: Option<([u8; 48], Vec<u8>)>| {
        if let Some((place, thread)) = said {
            let (due, thread) = (due(&place), Handle::from_slice(&thread).unwrap_or(Handle([0; 16])));
            pass.findings.add(format!("hos_deadline {tenant} {due} thread {thread}"), "the row is missing");
        }
    };
    all.each(|key, thread| {
        let (place, side) = key.split_first_chunk::<48>().ok_or_else(|| StoreError::internal("a deadline without a place"))?;
        let before = said.take();
        let same = before.as_ref().is_some_and(|(of, _)| of == place);
        if !same {
            missing(pass, before);
        }
        if side == SAID {
            said = Some((*place, thread.to_vec()));
        } else if !same && armed.knows(place) {
            if odd.len() < NAMED_MAX {
                odd.insert(*place);
            } else {
                pass.findings.add(format!("hos_deadline {tenant} {}", due(place)), NOT_ARMED);
            }
        }
        Ok::<_, Failure>(())
    })?;
    missing(pass, said);
    if odd.is_empty() {
        return Ok(());
    }
    // What is put aside has no ids, so the rows are read again.
    tx.pages(page, |row| {
        let place = armed.of_row(row)?;
        if odd.contains(&place) {
            let id = String::from_utf8_lossy(row.blob(2)?).into_owned();
            pass.findings.add(format!("hos_deadline {tenant} {} {}", due(&place), Shown(&id)), NOT_ARMED);
        }
        Ok::<_, Failure>(())
    })?;
    Ok(())
}

const NOT_ARMED: &str = "no record armed it";

fn due(place: &[u8; 48]) -> Timestamp {
    Timestamp(place.first_chunk().map_or(0, |due| i64::from_be_bytes(*due)))
}
