//! A stretch of a tenant's log as it is stored, read at once: so many rows, and no more bytes than a bound.

use crate::Failure;
use crate::store::StoreError;
use crate::store::sql::evidence as sql;
use crate::store::{RowRef, Tx};
use hos_core::id::{EntryHash, Handle, RecordHash, Tenant, TreeHash};
use hos_core::time::Timestamp;
use std::ops::{ControlFlow, Range};

/// How many entries are read at once, at most: what is read, and what is found out about it, is to stay in a core's own cache.
const ROWS: usize = 256;
/// How many entries are asked of a database over a wire at once.
const JOINED: usize = 256;
/// After how many bytes of headers and parts a page ends. The record that goes beyond is still part of it.
const BYTES: usize = 4 << 20;

/// Rows of the log with their records, in the log's order.
#[derive(Default)]
pub(super) struct Page {
    bytes: Vec<u8>,
    pub(super) lines: Vec<Line>,
    /// Where the next page begins; none when no entry can follow.
    pub(super) next: Option<u64>,
    /// The row behind which the next page's records are looked for first.
    pub(super) behind: i64,
}

/// One row.
pub(super) enum Line {
    /// It reads.
    Entry(Entry),
    /// It holds what no row may hold.
    Broken(String),
}

/// One entry's row.
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) thread: Handle,
    pub(super) n: u64,
    pub(super) sealed_at: Timestamp,
    pub(super) stream_prev: Option<RecordHash>,
    pub(super) disputed: Option<u16>,
    pub(super) hash: EntryHash,
    pub(super) leaf: TreeHash,
    /// Header and parts; none when the record is missing.
    record: Option<(Range<usize>, Range<usize>)>,
}

/// How many records that are not looked for may be met, beyond those that are, before one looks for each by its key.
const STRANGERS: usize = 64;
/// How far ahead in the log a record that was met may have its entry.
const AHEAD: usize = 16;

impl Page {
    /// The next page of a log, from this entry on; `behind` is the row behind which its records are looked for first.
    ///
    /// Records are looked for in the order in which they were written, which is nearly the log's, so that the file is read from
    /// front to back; what is not met that way is looked for by its key.
    /// It takes the memory of a page that was used.
    pub(super) fn read(tx: &Tx<'_>, tenant: &Tenant, from: u64, behind: i64, used: Self) -> Result<Self, Failure> {
        let mut page = used;
        page.bytes.clear();
        page.lines.clear();
        (page.next, page.behind) = (None, behind);
        let (mut next, mut ends) = (from, false);
        if tx.is_shared() {
            return page.joined(tx, tenant, from);
        }
        tx.visit(&sql::log_page(tenant, from, ROWS), |row| {
            ends = row.uint(0).is_err();
            next = row.uint(0).map_or(next, |seq| seq.max(next)).saturating_add(1);
            page.lines.push(line(row).unwrap_or_else(|e| Line::Broken(e.message)));
            // What has no number in its place sorts behind all that have: one would meet it again and again.
            Ok(if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        page.met(tx, tenant)?;
        if let Some(cut) = page.sought(tx, tenant)? {
            (next, ends) = (cut, false);
        }
        // No row has a higher number than a column can hold: behind it there is nothing to ask for.
        page.next = Some(next).filter(|next| !ends && i64::try_from(*next).is_ok());
        Ok(page)
    }

    /// The same of a database that is asked over a wire: entries come with their records, a question a page.
    fn joined(mut self, tx: &Tx<'_>, tenant: &Tenant, from: u64) -> Result<Self, Failure> {
        let (mut next, mut ends) = (from, false);
        let Self { bytes, lines, .. } = &mut self;
        tx.visit(&sql::log_records(tenant, from, JOINED), |row| {
            if bytes.len() >= BYTES {
                return Ok(ControlFlow::Break(()));
            }
            ends = row.uint(0).is_err();
            next = row.uint(0).map_or(next, |seq| seq.max(next)).saturating_add(1);
            lines.push(match (line(row), row.opt_blob(8), row.opt_blob(9)) {
                (Ok(Line::Entry(mut entry)), Ok(header), Ok(parts)) => {
                    entry.record = header.zip(parts).map(|(header, parts)| store(bytes, header, parts));
                    Line::Entry(entry)
                }
                (Ok(broken), ..) => broken,
                (Err(e), ..) => Line::Broken(e.message),
            });
            Ok(if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        self.next = Some(next).filter(|next| !ends && i64::try_from(*next).is_ok());
        Ok(self)
    }

    /// Takes the records that are met in the order of writing, until too many of others are, or the page is full.
    fn met(&mut self, tx: &Tx<'_>, tenant: &Tenant) -> Result<(), Failure> {
        let (mut first, mut strangers, mut known) = (0, 0, 0);
        let Self { bytes, lines, behind, .. } = self;
        tx.visit(&sql::records_written(*behind), |row| {
            while lines.get(first).is_some_and(|line| !line.lacks()) {
                first += 1;
            }
            if first >= lines.len() || bytes.len() >= BYTES || strangers > known + STRANGERS {
                return Ok(ControlFlow::Break(()));
            }
            let place = || -> Result<_, StoreError> { Ok((row.blob(1)?, row.bytes::<16>(2)?, row.uint(3)?)) };
            // What a row holds that it may not is said where its entry is looked for by its key.
            let wanted = place().ok().filter(|(of, ..)| *of == tenant.as_str().as_bytes()).and_then(|(_, thread, n)| {
                let ahead = lines.iter_mut().skip(first).take(AHEAD);
                ahead.filter_map(Line::lacking).find(|entry| entry.thread.0 == thread && entry.n == n)
            });
            match (wanted, row.blob(4), row.blob(5)) {
                (Some(entry), Ok(header), Ok(parts)) => {
                    entry.record = Some(store(bytes, header, parts));
                    *behind = row.int(0)?;
                    known += 1;
                }
                _ => strangers += 1,
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    }

    /// Looks for the records that were not met, each by its key. A page that is full ends there; where the next begins is
    /// answered.
    fn sought(&mut self, tx: &Tx<'_>, tenant: &Tenant) -> Result<Option<u64>, Failure> {
        let Self { bytes, lines, behind, .. } = self;
        for at in 0..lines.len() {
            let Some(entry) = lines.get_mut(at).and_then(Line::lacking) else { continue };
            // The record that goes beyond the bound was still taken.
            if at > 0 && bytes.len() >= BYTES {
                let next = entry.seq;
                lines.truncate(at);
                return Ok(Some(next));
            }
            let mut wrong = None;
            tx.visit(&sql::record_written(tenant, &entry.thread, entry.n), |row| {
                match (row.int(0), row.blob(1), row.blob(2)) {
                    (Ok(rowid), Ok(header), Ok(parts)) => {
                        entry.record = Some(store(bytes, header, parts));
                        *behind = rowid.max(*behind);
                    }
                    (Err(e), ..) | (_, Err(e), _) | (.., Err(e)) => wrong = Some(e.message),
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if let (Some(why), Some(line)) = (wrong, lines.get_mut(at)) {
                *line = Line::Broken(why);
            }
        }
        Ok(None)
    }

    /// An entry's header and parts, if its record is there.
    pub(super) fn record(&self, entry: &Entry) -> Option<(&[u8], &[u8])> {
        let (header, parts) = entry.record.clone()?;
        Some((self.bytes.get(header)?, self.bytes.get(parts)?))
    }
}

impl Line {
    /// The entry, while it has no record.
    fn lacking(&mut self) -> Option<&mut Entry> {
        match self {
            Line::Entry(entry) if entry.record.is_none() => Some(entry),
            Line::Entry(_) | Line::Broken(_) => None,
        }
    }

    fn lacks(&self) -> bool {
        matches!(self, Line::Entry(entry) if entry.record.is_none())
    }
}

/// Where a record's bytes are kept.
fn store(bytes: &mut Vec<u8>, header: &[u8], parts: &[u8]) -> (Range<usize>, Range<usize>) {
    let from = bytes.len();
    bytes.extend_from_slice(header);
    let middle = bytes.len();
    bytes.extend_from_slice(parts);
    (from..middle, middle..bytes.len())
}

fn line(row: &RowRef<'_>) -> Result<Line, StoreError> {
    let disputed = row.opt_uint(5)?;
    let disputed = disputed.map(u16::try_from).transpose().map_err(|_| row.fault(5, "is not between 0 and 65535"))?;
    Ok(Line::Entry(Entry {
        seq: row.uint(0)?,
        thread: Handle(row.bytes(1)?),
        n: row.uint(2)?,
        sealed_at: Timestamp(row.int(3)?),
        stream_prev: row.opt_bytes(4)?.map(RecordHash),
        disputed,
        hash: EntryHash(row.bytes(6)?),
        leaf: TreeHash(row.bytes(7)?),
        record: None,
    }))
}
