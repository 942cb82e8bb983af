//! What verifying does on other threads. A page of records is examined on as many as one likes: what each record shows by itself needs no
//! other record.
//!
//! INVARIANT: no thread that is started here outlives the call; whoever calls waits for all of them.

use super::page::{Entry, Line, Page};
use super::ring::{Asked, KeyRing};
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::seal::Origin;
use hos_core::id::EntryHash;
use hos_core::proof::chain::EntryView;
use hos_core::proof::examine::{ExaminedEntry, Examiner};
use hos_core::refusal::Code;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many records a thread takes at a time.
const TAKEN: usize = 32;

/// An entry that was examined, as far as its record is there.
pub(super) struct Seen<'p> {
    pub(super) examined: Option<ExaminedEntry<'p>>,
    /// What became of the keys that its boxes name.
    pub(super) asked: Asked,
}

/// What examining a log's records needs beside them.
pub(super) struct Crew<'v> {
    pub(super) of: Origin,
    pub(super) epochs: &'v Epochs,
    pub(super) tenant: &'v str,
    pub(super) ring: &'v KeyRing<'v>,
    pub(super) threads: usize,
}

impl Crew<'_> {
    /// Examines a page, while the caller's thread does something else first and then helps. What comes back are stretches of the
    /// page in its order, with one place for each line; none where the line is broken.
    pub(super) fn examine<'p, R>(
        &'p self,
        page: &'p Page,
        before: EntryHash,
        meanwhile: impl FnOnce() -> R,
    ) -> (R, Result<Vec<Stretch<'p>>, Failure>) {
        let next = AtomicUsize::new(0);
        let work = || self.work(page, before, &next);
        let (result, parts) = thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads.max(1).min(page.lines.len().div_ceil(TAKEN)))
                // Where no thread can be had, fewer do the work.
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let result = meanwhile();
            let mut parts = vec![Ok(work())];
            parts.extend(others.into_iter().map(thread::ScopedJoinHandle::join));
            (result, parts)
        });
        (result, in_order(page.lines.len(), parts))
    }

    /// Takes stretches of the page until there are none left.
    fn work<'p>(&'p self, page: &'p Page, before: EntryHash, next: &AtomicUsize) -> Result<Stretches<'p>, Failure> {
        let mut examiner = Examiner::default();
        let mut done = Vec::new();
        loop {
            let from = next.fetch_add(TAKEN, Ordering::Relaxed);
            if from >= page.lines.len() {
                return Ok(done);
            }
            let mut stretch = Vec::with_capacity(TAKEN);
            for (at, line) in page.lines.iter().enumerate().skip(from).take(TAKEN) {
                let seen = match line {
                    Line::Broken(_) => None,
                    Line::Entry(entry) => {
                        // What the row before says is only supposed; who takes the entries in order sees to it.
                        let prev = match at.checked_sub(1).and_then(|at| page.lines.get(at)) {
                            Some(Line::Entry(entry)) => entry.hash,
                            Some(Line::Broken(_)) | None => before,
                        };
                        Some(self.one(&mut examiner, page, entry, prev)?)
                    }
                };
                stretch.push(seen);
            }
            done.push((from, stretch));
        }
    }

    fn one<'p>(&'p self, examiner: &mut Examiner, page: &'p Page, entry: &Entry, prev: EntryHash) -> Result<Seen<'p>, Failure> {
        let mut asked = Asked::default();
        let Some((header, parts)) = page.record(entry) else { return Ok(Seen { examined: None, asked }) };
        let record = examiner.record(header, parts, |id| asked.key(self.ring, id));
        asked.answered()?;
        let streams = record.header().is_some_and(|header| header.n.is_none());
        let view = EntryView {
            store: self.of.store,
            epoch: self.epochs.at(entry.seq),
            tenant: self.tenant,
            seq: entry.seq,
            prev,
            sealed_at: entry.sealed_at,
            stream: streams.then_some((entry.n, entry.stream_prev)),
            disputed: entry.disputed,
            header,
        };
        Ok(Seen { examined: Some(examiner.entry(view, record)), asked })
    }
}

/// What a thread of its own does while the caller's goes on.
pub(super) struct Beside<'s, R>(Option<thread::ScopedJoinHandle<'s, R>>);

impl<R> Beside<'_, R> {
    /// Waits for what it came to. Nothing where there was nothing to do, no thread to be had, or it broke off.
    pub(super) fn finish(self) -> Option<R> {
        self.0.and_then(|thread| thread.join().ok())
    }
}

/// Has a thread do something, where there is something to do, until the caller has done the rest.
pub(super) fn beside<R: Send, T>(work: Option<impl FnOnce() -> R + Send>, rest: impl FnOnce(Beside<'_, R>) -> T) -> T {
    thread::scope(|scope| rest(Beside(work.and_then(|work| thread::Builder::new().spawn_scoped(scope, work).ok()))))
}

/// Stretches of a page, each with the place of its first line.
type Stretches<'p> = Vec<(usize, Stretch<'p>)>;

/// Lines of a page, one after the other; none where a line is broken.
pub(super) type Stretch<'p> = Vec<Option<Seen<'p>>>;

/// Brings what each thread did into the page's order; every line must have been seen by one.
fn in_order<'p>(lines: usize, parts: Vec<thread::Result<Result<Stretches<'p>, Failure>>>) -> Result<Vec<Stretch<'p>>, Failure> {
    let mut all: Stretches<'p> = Vec::new();
    for part in parts {
        all.extend(part.map_err(|_| Failure::new(Code::Internal, "a thread that examined records panicked"))??);
    }
    all.sort_by_key(|(from, _)| *from);
    let mut next = 0;
    for (from, stretch) in &all {
        if *from != next {
            return Err(Failure::new(Code::Internal, "a stretch of the log was not examined"));
        }
        next += stretch.len();
    }
    if next == lines {
        Ok(all.into_iter().map(|(_, stretch)| stretch).collect())
    } else {
        Err(Failure::new(Code::Internal, "the end of a stretch of the log was not examined"))
    }
}
