//! The records of a bundle: the instance's own, one after the other from its birth, and the threads that they stand on.

use super::item::{Held, hold};
use super::legacy::Claim;
use super::logs::Log;
use super::refused::Refused;
use crate::digest;
use crate::id::Handle;
use crate::proof::bundle::Bundle;
use crate::proof::chain::{EntryView, Threads};
use crate::proof::record::{Kind, Slot};
use crate::proof::roots::STREAM;
use std::collections::HashMap;

/// The instance's records, without a gap from the first.
pub(super) struct Story<'b> {
    pub(super) records: Vec<Held<'b>>,
}

/// Threads that records stand on, each without a gap from its first record: by log and handle.
pub(super) struct Cited<'b> {
    pub(super) threads: HashMap<(usize, Handle), Vec<Held<'b>>>,
    /// Records of tenants' roots, with their places among the cited. Each says one thing whole, and what else their stream says
    /// is other tenants' business: they need not be all, nor from the first on.
    pub(super) roots: Vec<(usize, Held<'b>)>,
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
        told(&held, &at)?;
        label(&held, records.first().unwrap_or(&held), &at)?;
        records.push(held);
    }
    Ok(Story { records })
}

fn follow(threads: &mut Threads, held: &Held<'_>, at: &str) -> Result<(), Refused> {
    let refuse = |e: crate::proof::chain::ChainError| Refused::new(format!("thread.{}", e.code()), at, e);
    let place = held.place().map_err(refuse)?;
    threads.check(&held.header.thread, place).map_err(refuse)?;
    threads.advance(held.header.thread, place.n, held.hash);
    Ok(())
}

/// What an older log tells says no more than it may.
fn told(held: &Held<'_>, at: &str) -> Result<(), Refused> {
    if held.header.kind != Kind::Legacy {
        return Ok(());
    }
    match Claim::of(&held.header).excess(held.content(Slot::Payload)) {
        None => Ok(()),
        Some(excess) => Err(Refused::new(excess.code(), at, excess)),
    }
}

/// The thread's label is what every id that is disclosed says that it is.
fn label(held: &Held<'_>, first: &Held<'_>, at: &str) -> Result<(), Refused> {
    let Some(label) = first.header.label else { return Ok(()) };
    let contract = held.header.contract.as_ref();
    let made = |id: Option<String>| Some(digest::heads_label(&held.header.tenant, contract?.as_str(), &id?));
    if held.ids().all(|id| made(id) == Some(label)) {
        Ok(())
    } else {
        Err(Refused::new("thread.label", at, "the label is not that of the id"))
    }
}

/// Cited records ascend by log, then seq. One whose entry does not decode has no seq, and is refused when its turn comes.
pub(super) fn in_order(bundle: &Bundle) -> Result<(), Refused> {
    let mut last: Option<(usize, u64)> = None;
    for (place, (log, item)) in bundle.cited.iter().enumerate() {
        let seq = EntryView::decode(&item.entry).ok().map(|entry| entry.seq);
        let follows = last.is_none_or(|(of, before)| *log > of || *log == of && seq.is_none_or(|seq| seq > before));
        if !follows {
            let what = "cited records are not in ascending order, or one repeats";
            return Err(Refused::new("bundle.order", format!("cited {place}"), what));
        }
        last = seq.map(|seq| (*log, seq)).or(last);
    }
    Ok(())
}

/// Reads the cited records, each thread from its first.
pub(super) fn cited<'b>(bundle: &'b Bundle, logs: &[Log]) -> Result<Cited<'b>, Refused> {
    let mut growing: Vec<Threads> = logs.iter().map(|_| Threads::default()).collect();
    let mut threads: HashMap<(usize, Handle), Vec<Held<'b>>> = HashMap::new();
    let mut roots = Vec::new();
    for (place, (log, item)) in bundle.cited.iter().enumerate() {
        let at = format!("cited {place}");
        let (Some(of), Some(grown)) = (logs.get(*log), growing.get_mut(*log)) else {
            return Err(Refused::new("bundle.limit", at, "a log that is not there"));
        };
        let held = hold(item, of, &at)?;
        if says_root(&held) {
            roots.push((place, held));
            continue;
        }
        follow(grown, &held, &at)?;
        threads.entry((*log, held.header.thread)).or_default().push(held);
    }
    Ok(Cited { threads, roots })
}

/// Whether a record is one of the universe's stream of tenants' roots: its class says so, and its place stands in the entry.
fn says_root(held: &Held<'_>) -> bool {
    let of_stream = held.header.event.as_ref().is_some_and(|class| class.as_str() == STREAM);
    let placed = held.place().is_ok() && held.entry.stream.is_some();
    held.header.kind == Kind::Checkpoint && held.header.tenant.is_universe() && of_stream && placed
}
