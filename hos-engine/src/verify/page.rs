//! A stretch of a tenant's log as it is stored, read at once: so many rows, and no more bytes than a bound.

use crate::Failure;
use crate::store::StoreError;
use crate::store::sql::evidence as sql;
use crate::store::sqlite::{RowRef, Tx};
use hos_core::id::{EntryHash, Handle, RecordHash, Tenant, TreeHash};
use hos_core::time::Timestamp;
use std::ops::{ControlFlow, Range};

/// How many entries are read at once, at most.
const ROWS: usize = 1024;
/// After how many bytes of headers and parts a page ends. The record that goes beyond is still part of it.
const BYTES: usize = 4 << 20;

/// Rows of the log with their records, in the log's order.
pub(super) struct Page {
    bytes: Vec<u8>,
    pub(super) lines: Vec<Line>,
    /// Where the next page begins; none when no entry can follow.
    pub(super) next: Option<u64>,
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

impl Page {
    /// The next page of a log, from this entry on.
    pub(super) fn read(tx: &Tx<'_>, tenant: &Tenant, from: u64) -> Result<Self, Failure> {
        let mut page = Self { bytes: Vec::new(), lines: Vec::with_capacity(ROWS), next: None };
        let mut next = from;
        tx.visit(&sql::log_page(tenant, from, ROWS), |row| {
            let line = page.line(row);
            next = row.uint(0).map_or(next, |seq| seq.max(next)).saturating_add(1);
            page.lines.push(line.unwrap_or_else(|e| Line::Broken(e.message)));
            Ok(if page.bytes.len() < BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        // No row has a higher number than a column can hold: behind it there is nothing to ask for.
        page.next = Some(next).filter(|next| i64::try_from(*next).is_ok());
        Ok(page)
    }

    fn line(&mut self, row: &RowRef<'_>) -> Result<Line, StoreError> {
        let disputed = row.opt_uint(5)?;
        let disputed = disputed.map(u16::try_from).transpose().map_err(|_| row.fault(5, "is not between 0 and 65535"))?;
        let mut entry = Entry {
            seq: row.uint(0)?,
            thread: Handle(row.bytes(1)?),
            n: row.uint(2)?,
            sealed_at: Timestamp(row.int(3)?),
            stream_prev: row.opt_bytes(4)?.map(RecordHash),
            disputed,
            hash: EntryHash(row.bytes(6)?),
            leaf: TreeHash(row.bytes(7)?),
            record: None,
        };
        if let (Some(header), Some(parts)) = (row.opt_blob(8)?, row.opt_blob(9)?) {
            let from = self.bytes.len();
            self.bytes.extend_from_slice(header);
            let middle = self.bytes.len();
            self.bytes.extend_from_slice(parts);
            entry.record = Some((from..middle, middle..self.bytes.len()));
        }
        Ok(Line::Entry(entry))
    }

    /// An entry's header and parts, if its record is there.
    pub(super) fn record(&self, entry: &Entry) -> Option<(&[u8], &[u8])> {
        let (header, parts) = entry.record.clone()?;
        Some((self.bytes.get(header)?, self.bytes.get(parts)?))
    }
}
