//! The records of a bundle: the instance's own, one after the other from its birth, and the threads that they stand on.

use super::item::{Held, hold};
use super::logs::Log;
use super::refused::Refused;
use crate::digest;
use crate::id::Handle;
use crate::judge::decode_text;
use crate::proof::bundle::Bundle;
use crate::proof::chain::Threads;
use crate::proof::record::Slot;
use std::collections::HashMap;

/// The instance's records, without a gap from the first.
pub(super) struct Story<'b> {
    pub(super) records: Vec<Held<'b>>,
}

/// Threads that records stand on, each without a gap from its first record: by log and handle.
pub(super) struct Cited<'b> {
    pub(super) threads: HashMap<(usize, Handle), Vec<Held<'b>>>,
}

impl<'b> Cited<'b> {
    /// The thread and place of a record, in any log.
    pub(super) fn find(&self, hash: &crate::id::RecordHash) -> Option<(&(usize, Handle), usize)> {
        self.threads.iter().find_map(|(slot, records)| Some((slot, records.iter().position(|held| held.hash == *hash)?)))
    }

    /// All records.
    pub(super) fn all(&self) -> impl Iterator<Item = &Held<'b>> {
        self.threads.values().flatten()
    }
}

/// Reads the instance's records.
pub(super) fn read<'b>(bundle: &'b Bundle, logs: &[Log]) -> Result<Story<'b>, Refused> {
    let log = logs.first().ok_or_else(|| Refused::new("bundle.empty", "logs", "there is no log"))?;
    let mut threads = Threads::default();
    let mut records: Vec<Held<'b>> = Vec::with_capacity(bundle.records.len());
    for (place, item) in bundle.records.iter().enumerate() {
        let at = format!("records {place}");
        let held = hold(item, log, &at)?;
        if held.header.thread != bundle.thread {
            return Err(Refused::new("thread.handle", at, "the record is of another thread"));
        }
        follow(&mut threads, &held, &at)?;
        if records.last().is_some_and(|last| last.entry.seq >= held.entry.seq) {
            return Err(Refused::new("thread.seq", at, "the log has the record before the one that it follows"));
        }
        records.push(held);
    }
    label(&records)?;
    Ok(Story { records })
}

fn follow(threads: &mut Threads, held: &Held<'_>, at: &str) -> Result<(), Refused> {
    let refuse = |e: crate::proof::chain::ChainError| Refused::new(format!("thread.{}", e.code()), at, e);
    let place = held.place().map_err(refuse)?;
    threads.check(&held.header.thread, place).map_err(refuse)?;
    threads.advance(held.header.thread, place.n, held.hash);
    Ok(())
}

/// A label is what the opened id says that it is.
fn label(records: &[Held<'_>]) -> Result<(), Refused> {
    let Some(first) = records.first() else { return Ok(()) };
    let (Some(label), Some(contract), Some(content)) = (first.header.label, &first.header.contract, first.content(Slot::Id))
    else {
        return Ok(());
    };
    let wrong = |why: &str| Refused::new("thread.label", "records 0", why);
    let id = decode_text(content).map_err(|_| wrong("the part that holds the id does not decode"))?;
    if digest::heads_label(&first.header.tenant, contract.as_str(), &id) == label {
        Ok(())
    } else {
        Err(wrong("the label is not that of the id"))
    }
}

/// Reads the cited records, each thread from its first.
pub(super) fn cited<'b>(bundle: &'b Bundle, logs: &[Log]) -> Result<Cited<'b>, Refused> {
    let mut growing: Vec<Threads> = logs.iter().map(|_| Threads::default()).collect();
    let mut threads: HashMap<(usize, Handle), Vec<Held<'b>>> = HashMap::new();
    let mut last: Option<(usize, u64)> = None;
    for (place, (log, item)) in bundle.cited.iter().enumerate() {
        let at = format!("cited {place}");
        let (Some(of), Some(grown)) = (logs.get(*log), growing.get_mut(*log)) else {
            return Err(Refused::new("bundle.limit", at, "a log that is not there"));
        };
        let held = hold(item, of, &at)?;
        let here = (*log, held.entry.seq);
        if last.is_some_and(|last| last >= here) {
            return Err(Refused::new("bundle.order", at, "cited records are not in ascending order, or one repeats"));
        }
        last = Some(here);
        follow(grown, &held, &at)?;
        threads.entry((*log, held.header.thread)).or_default().push(held);
    }
    Ok(Cited { threads })
}
