//! Records, entries, heads, tiles, checkpoints, the queue.

use crate::store::{Row, Sql, Statement, StoreError};
use hos_core::id::{EntryHash, Handle, RecordHash, Tenant, TreeHash};
use hos_core::proof::tree::Frontier;
use hos_core::time::Timestamp;
use std::sync::LazyLock;

pub(crate) fn tenant(t: &Tenant) -> Sql {
    Sql::Text(t.as_str().to_owned())
}

pub(crate) fn int(n: u64) -> Sql {
    Sql::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Inserts a record.
pub fn insert_record(t: &Tenant, thread: &Handle, n: u64, header: &[u8], parts: Vec<u8>) -> Statement {
    Statement::new(
        "INSERT INTO hos_record (tenant, thread, n, header, parts) VALUES (?1, ?2, ?3, ?4, ?5)",
        [tenant(t), thread.0.into(), int(n), header.into(), parts.into()],
    )
}

/// One record: header, parts.
pub fn record(t: &Tenant, thread: &Handle, n: u64) -> Statement {
    Statement::new(
        "SELECT header, parts FROM hos_record WHERE tenant = ?1 AND thread = ?2 AND n = ?3",
        [tenant(t), thread.0.into(), int(n)],
    )
}

/// A thread's records from `from` on, at most `limit`: n, header, parts, seq (or null), entry hash (or null).
pub fn thread_records(t: &Tenant, thread: &Handle, from: u64, limit: usize) -> Statement {
    Statement::new(
        "SELECT r.n, r.header, r.parts, e.seq, e.hash FROM hos_record r
         LEFT JOIN hos_entry e ON e.tenant = r.tenant AND e.thread = r.thread AND e.n = r.n
         WHERE r.tenant = ?1 AND r.thread = ?2 AND r.n >= ?3 ORDER BY r.n LIMIT ?4",
        [tenant(t), thread.0.into(), int(from), int(limit as u64)],
    )
}

/// How many bytes each of these records holds, in the same order.
pub fn thread_sizes(t: &Tenant, thread: &Handle, from: u64, limit: usize) -> Statement {
    Statement::new(
        "SELECT length(header) + length(parts) AS bytes FROM hos_record
         WHERE tenant = ?1 AND thread = ?2 AND n >= ?3 ORDER BY n LIMIT ?4",
        [tenant(t), thread.0.into(), int(from), int(limit as u64)],
    )
}

/// A thread's records with their entries, from one place on, at most `limit`: n, header, parts; seq, disputed, sealed_at and
/// stream_prev of the entry, and the hash of the entry before it (or null).
pub fn thread_placed(t: &Tenant, thread: &Handle, from: u64, limit: usize) -> Statement {
    Statement::new(
        "SELECT r.n, r.header, r.parts, e.seq, e.disputed, e.sealed_at, e.stream_prev, p.hash FROM hos_record r
         LEFT JOIN hos_entry e ON e.tenant = r.tenant AND e.thread = r.thread AND e.n = r.n
         LEFT JOIN hos_entry p ON p.tenant = e.tenant AND p.seq = e.seq - 1
         WHERE r.tenant = ?1 AND r.thread = ?2 AND r.n >= ?3 ORDER BY r.n LIMIT ?4",
        [tenant(t), thread.0.into(), int(from), int(limit as u64)],
    )
}

/// Entries in the order of the log, from entry `from` on, at most `limit`: seq, thread, n, sealed_at, stream_prev, disputed,
/// hash, leaf.
pub fn log_page(t: &Tenant, from: u64, limit: usize) -> Statement {
    Statement::new(
        "SELECT seq, thread, n, sealed_at, stream_prev, disputed, hash, leaf FROM hos_entry
         WHERE tenant = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3",
        [tenant(t), int(from), int(limit as u64)],
    )
}

/// A tenant's records by thread and place, from one place on, at most `limit`: thread, n, header, parts, seq (or null). The thread is said
/// twice, for MariaDB reads no index from a pair on.
pub fn records_from(t: &Tenant, thread: &Handle, n: u64, limit: usize) -> Statement {
    Statement::new(
        "SELECT r.thread, r.n, r.header, r.parts, e.seq FROM hos_record r
         LEFT JOIN hos_entry e ON e.tenant = r.tenant AND e.thread = r.thread AND e.n = r.n
         WHERE r.tenant = ?1 AND r.thread >= ?2 AND (r.thread, r.n) >= (?2, ?3) ORDER BY r.thread, r.n LIMIT ?4",
        [tenant(t), thread.0.into(), int(n), int(limit as u64)],
    )
}

/// Where records wait that have no place in the log, in their order: thread, n.
pub fn queue_places(t: &Tenant) -> Statement {
    Statement::new("SELECT thread, n FROM hos_queue WHERE tenant = ?1 AND n >= 0 ORDER BY pos", [tenant(t)])
}

/// Entries as [`log_page`] gives them, each with its record: header and parts behind (null where it is missing).
pub fn log_records(t: &Tenant, from: u64, limit: usize) -> Statement {
    Statement::new(
        "SELECT e.seq, e.thread, e.n, e.sealed_at, e.stream_prev, e.disputed, e.hash, e.leaf, r.header, r.parts FROM hos_entry e
         LEFT JOIN hos_record r ON r.tenant = e.tenant AND r.thread = e.thread AND r.n = e.n
         WHERE e.tenant = ?1 AND e.seq >= ?2 ORDER BY e.seq LIMIT ?3",
        [tenant(t), int(from), int(limit as u64)],
    )
}

/// How many bytes each of these records holds, in the same order; 0 where it is missing.
pub fn log_sizes(t: &Tenant, from: u64, limit: usize) -> Statement {
    Statement::new(
        "SELECT coalesce(length(r.header) + length(r.parts), 0) AS bytes FROM hos_entry e
         LEFT JOIN hos_record r ON r.tenant = e.tenant AND r.thread = e.thread AND r.n = e.n
         WHERE e.tenant = ?1 AND e.seq >= ?2 ORDER BY e.seq LIMIT ?3",
        [tenant(t), int(from), int(limit as u64)],
    )
}

/// All tenants' records in the order in which they were written, behind a row: rowid, tenant (as bytes), thread, n, header, parts.
pub fn records_written(behind: i64) -> Statement {
    Statement::new(
        "SELECT rowid, CAST(tenant AS BLOB), thread, n, header, parts FROM hos_record WHERE rowid > ?1 ORDER BY rowid",
        [behind.into()],
    )
}

/// The row of the record that was written last: rowid (null where there is none).
pub fn last_written() -> Statement {
    Statement::new("SELECT max(rowid) FROM hos_record", [])
}

/// A tenant's records among those that were written behind one row and up to another, the last first: rowid, header. All tenants' are
/// walked through (`+`): of one alone there may be any number before the first that is wanted.
pub fn written_in(t: &Tenant, behind: i64, to: i64) -> Statement {
    Statement::new(
        "SELECT rowid, header FROM hos_record WHERE +tenant = ?1 AND rowid > ?2 AND rowid <= ?3 ORDER BY rowid DESC",
        [tenant(t), behind.into(), to.into()],
    )
}

/// The parts of the record that was written to a row: parts.
pub fn parts_written(rowid: i64) -> Statement {
    Statement::new("SELECT parts FROM hos_record WHERE rowid = ?1", [rowid.into()])
}

/// One record with the row that it was written to: rowid, header, parts.
pub fn record_written(t: &Tenant, thread: &Handle, n: u64) -> Statement {
    Statement::new(
        "SELECT rowid, header, parts FROM hos_record WHERE tenant = ?1 AND thread = ?2 AND n = ?3",
        [tenant(t), thread.0.into(), int(n)],
    )
}

/// How many records a tenant has.
pub fn record_count(t: &Tenant) -> Statement {
    Statement::new("SELECT count(*) FROM hos_record WHERE tenant = ?1", [tenant(t)])
}

/// A log entry's row.
#[derive(Debug, Clone, Copy)]
pub struct EntryRow {
    /// Its place.
    pub seq: u64,
    /// The record's thread.
    pub thread: Handle,
    /// The record's place there.
    pub n: u64,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// The record that a stream's entry cites.
    pub stream_prev: Option<RecordHash>,
    /// Why the sealer disputes it.
    pub disputed: Option<u16>,
    /// The entry's hash.
    pub hash: EntryHash,
    /// Its hash in the tree.
    pub leaf: TreeHash,
}

/// Inserts a log entry.
pub fn insert_entry(t: &Tenant, e: &EntryRow) -> Statement {
    let mut params = Vec::with_capacity(1 + COLUMNS);
    params.push(tenant(t));
    params.extend(entry_params(e));
    Statement::new(
        "INSERT INTO hos_entry (tenant, seq, thread, n, sealed_at, stream_prev, disputed, hash, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params,
    )
}

/// How many rows the statements have that take several at once: to a server each statement is a way there and back.
pub const SEVERAL: usize = 32;

/// Inserts [`SEVERAL`] log entries of one tenant.
pub fn insert_entries(t: &Tenant, entries: &[EntryRow; SEVERAL]) -> Statement {
    static TEXT: LazyLock<&str> = LazyLock::new(|| {
        let row = |i: usize| {
            let places: String = (0..8).map(|column| format!(", ?{}", 2 + i * 8 + column)).collect();
            format!("(?1{places})")
        };
        let rows: Vec<String> = (0..SEVERAL).map(row).collect();
        let columns = "tenant, seq, thread, n, sealed_at, stream_prev, disputed, hash, leaf";
        // Once for the process: statements are known by the place of their text.
        String::leak(format!("INSERT INTO hos_entry ({columns}) VALUES {}", rows.join(", ")))
    });
    let mut params = vec![tenant(t)];
    entries.iter().for_each(|entry| params.extend(entry_params(entry)));
    Statement::new(*TEXT, params)
}

/// A log entry's columns beside its tenant.
const COLUMNS: usize = 8;

fn entry_params(e: &EntryRow) -> [Sql; COLUMNS] {
    [
        int(e.seq),
        e.thread.0.into(),
        int(e.n),
        e.sealed_at.0.into(),
        e.stream_prev.map(|p| p.0).into(),
        e.disputed.into(),
        e.hash.0.into(),
        e.leaf.0.into(),
    ]
}

/// The leaves from one entry to before another: leaf.
pub fn leaves(t: &Tenant, from: u64, to: u64) -> Statement {
    Statement::new(
        "SELECT leaf FROM hos_entry WHERE tenant = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq",
        [tenant(t), int(from), int(to)],
    )
}

/// The entry of a record: seq, hash.
pub fn entry_of(t: &Tenant, thread: &Handle, n: u64) -> Statement {
    Statement::new(
        "SELECT seq, hash FROM hos_entry WHERE tenant = ?1 AND thread = ?2 AND n = ?3",
        [tenant(t), thread.0.into(), int(n)],
    )
}

/// The hash of one entry.
pub fn entry_hash(t: &Tenant, seq: u64) -> Statement {
    Statement::new("SELECT hash FROM hos_entry WHERE tenant = ?1 AND seq = ?2", [tenant(t), int(seq)])
}

/// A tenant's log head.
#[derive(Debug, Clone)]
pub struct Head {
    /// The store's epoch.
    pub epoch: u64,
    /// How many entries.
    pub size: u64,
    /// The last entry's hash, or the genesis hash.
    pub entry: EntryHash,
    /// The tree's right edge.
    pub frontier: Frontier,
    /// The last entry's sealing time; never decreases.
    pub sealed_at: Timestamp,
}

/// Reads a head.
pub fn head(t: &Tenant) -> Statement {
    Statement::new("SELECT epoch, size, entry, frontier, sealed_at FROM hos_head WHERE tenant = ?1", [tenant(t)])
}

/// A head's row as a value.
pub fn head_from(row: &Row) -> Result<Head, StoreError> {
    Ok(Head {
        epoch: row.uint(0)?,
        size: row.uint(1)?,
        entry: EntryHash(row.bytes(2)?),
        frontier: Frontier::decode(row.blob(3)?).map_err(|e| row.fault(3, &e.to_string()))?,
        sealed_at: Timestamp(row.int(4)?),
    })
}

/// Writes a head.
pub fn put_head(t: &Tenant, head: &Head) -> Statement {
    Statement::new(
        "INSERT INTO hos_head (tenant, epoch, size, entry, frontier, sealed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant) DO UPDATE SET epoch = ?2, size = ?3, entry = ?4, frontier = ?5, sealed_at = ?6",
        [tenant(t), int(head.epoch), int(head.size), head.entry.0.into(), head.frontier.encode().into(), head.sealed_at.0.into()],
    )
}

/// Inserts a complete tile.
pub fn insert_tile(t: &Tenant, level: u8, index: u64, hashes: &[TreeHash]) -> Statement {
    let bytes: Vec<u8> = hashes.iter().flat_map(|h| h.0).collect();
    Statement::new(
        "INSERT INTO hos_tile (tenant, level, idx, hashes) VALUES (?1, ?2, ?3, ?4)",
        [tenant(t), level.into(), int(index), bytes.into()],
    )
}

/// One tile's hashes.
pub fn tile(t: &Tenant, level: u8, index: u64) -> Statement {
    Statement::new(
        "SELECT hashes FROM hos_tile WHERE tenant = ?1 AND level = ?2 AND idx = ?3",
        [tenant(t), level.into(), int(index)],
    )
}

/// How many tiles there are.
pub fn tile_count(t: &Tenant) -> Statement {
    Statement::new("SELECT count(*) FROM hos_tile WHERE tenant = ?1", [tenant(t)])
}

/// Keeps a checkpoint, and no older one: receipts carry their own, and any size can be proved consistent with this one.
pub fn put_checkpoint(t: &Tenant, size: u64, note: &str) -> Statement {
    Statement::new(
        "INSERT INTO hos_checkpoint (tenant, size, note) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant) DO UPDATE SET size = ?2, note = ?3 WHERE hos_checkpoint.size < ?2",
        [tenant(t), int(size), note.into()],
    )
    .mysql(
        "INSERT INTO hos_checkpoint (tenant, size, note) VALUES (?1, ?2, ?3)
         ON DUPLICATE KEY UPDATE note = CASE WHEN hos_checkpoint.size < ?2 THEN ?3 ELSE hos_checkpoint.note END,
           size = CASE WHEN hos_checkpoint.size < ?2 THEN ?2 ELSE hos_checkpoint.size END",
    )
}

/// The newest stored checkpoint: size, note.
pub fn checkpoint(t: &Tenant) -> Statement {
    Statement::new("SELECT size, note FROM hos_checkpoint WHERE tenant = ?1", [tenant(t)])
}

/// The epochs of a log after its first: epoch, first entry, what it goes on from.
pub fn epochs(t: &Tenant) -> Statement {
    Statement::new("SELECT epoch, seq, note FROM hos_epoch WHERE tenant = ?1 ORDER BY epoch", [tenant(t)])
}

/// An epoch begins with an entry.
pub fn insert_epoch(t: &Tenant, epoch: u64, seq: u64, note: &str) -> Statement {
    Statement::new(
        "INSERT INTO hos_epoch (tenant, epoch, seq, note) VALUES (?1, ?2, ?3, ?4)",
        [tenant(t), int(epoch), int(seq), note.into()],
    )
}

/// Puts a record into the sealing queue, behind all others of its tenant.
pub fn enqueue(t: &Tenant, thread: &Handle, n: u64) -> Statement {
    Statement::new(
        "INSERT INTO hos_queue (tenant, pos, thread, n) VALUES (?1, (SELECT coalesce(max(pos), 0) + 1 FROM hos_queue WHERE tenant = ?1), ?2, ?3)",
        [tenant(t), thread.0.into(), int(n)],
    )
}

/// The same for a record in the inbox, under its id there.
pub fn enqueue_waiting(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new(
        "INSERT INTO hos_queue (tenant, pos, thread, n) VALUES (?1, (SELECT coalesce(max(pos), 0) + 1 FROM hos_queue WHERE tenant = ?1), ?2, -2)",
        [tenant(t), id.into()],
    )
}

/// The same for a call in shadow, which is judged and not sealed.
pub fn enqueue_shadow(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new(
        "INSERT INTO hos_queue (tenant, pos, thread, n) VALUES (?1, (SELECT coalesce(max(pos), 0) + 1 FROM hos_queue WHERE tenant = ?1), ?2, -3)",
        [tenant(t), id.into()],
    )
}

/// Takes a call in shadow out of the queue; none is changed where another has done so, though its place be another's by now.
pub fn dequeue_shadow(t: &Tenant, pos: i64, id: &[u8; 16]) -> Statement {
    Statement::new(
        "DELETE FROM hos_queue WHERE tenant = ?1 AND pos = ?2 AND thread = ?3 AND n = -3",
        [tenant(t), pos.into(), id.into()],
    )
}

/// Calls in shadow that wait behind a place, at most `limit`: pos, id (null where it is none), 1 (null where the inbox has no such row),
/// the label of its instance (null where it has none).
pub fn shadows(t: &Tenant, after: i64, limit: usize) -> Statement {
    Statement::new(
        "SELECT q.pos, CASE WHEN length(q.thread) = 16 THEN q.thread END AS id, CASE WHEN i.id = q.thread THEN 1 END AS waits,
           CASE WHEN length(i.about) = 32 THEN i.about END AS about
         FROM hos_queue q LEFT JOIN hos_inbox i ON i.tenant = q.tenant AND i.id = q.thread
         WHERE q.tenant = ?1 AND q.n = -3 AND q.pos > ?2 ORDER BY q.pos LIMIT ?3",
        [tenant(t), after.into(), int(limit as u64)],
    )
}

/// The queue's first rows: pos, thread, n, header (null where the record is missing, or the header is longer than an entry may hold: who
/// may add records may add such ones, and a page of them is held at once), the place in the log that the record has already (null where
/// it has none), and the place there of the record before it in its thread (likewise).
pub fn queue(t: &Tenant, limit: usize) -> Statement {
    Statement::new(
        "SELECT q.pos, q.thread, q.n, CASE WHEN length(r.header) <= 16384 THEN r.header END AS header,
           (SELECT e.seq FROM hos_entry e WHERE e.tenant = q.tenant AND e.thread = q.thread AND e.n = q.n) AS seq,
           (SELECT e.seq FROM hos_entry e WHERE e.tenant = q.tenant AND e.thread = q.thread AND e.n = q.n - 1) AS prior
         FROM hos_queue q LEFT JOIN hos_record r ON r.tenant = q.tenant AND r.thread = q.thread AND r.n = q.n
         WHERE q.tenant = ?1 AND q.n >= -2 ORDER BY q.pos LIMIT ?2",
        [tenant(t), int(limit as u64)],
    )
}

/// The queue's first rows, or those behind a place in it: pos, thread, n, the place in the log that the record has already (or null).
pub fn queue_after(t: &Tenant, pos: Option<i64>, limit: usize) -> Statement {
    match pos {
        None => Statement::new(
            "SELECT q.pos, q.thread, q.n,
               (SELECT e.seq FROM hos_entry e WHERE e.tenant = q.tenant AND e.thread = q.thread AND e.n = q.n) AS seq
             FROM hos_queue q WHERE q.tenant = ?1 AND q.n >= -2 ORDER BY q.pos LIMIT ?2",
            [tenant(t), int(limit as u64)],
        ),
        Some(pos) => Statement::new(
            "SELECT q.pos, q.thread, q.n,
               (SELECT e.seq FROM hos_entry e WHERE e.tenant = q.tenant AND e.thread = q.thread AND e.n = q.n) AS seq
             FROM hos_queue q WHERE q.tenant = ?1 AND q.n >= -2 AND q.pos > ?2 ORDER BY q.pos LIMIT ?3",
            [tenant(t), pos.into(), int(limit as u64)],
        ),
    }
}

/// Records of one thread that have their place in it and wait for one in the log, the earliest first, as [`queue`] gives them.
pub fn queued_of(t: &Tenant, thread: &Handle, limit: usize) -> Statement {
    Statement::new(
        "SELECT q.pos, q.thread, q.n, CASE WHEN length(r.header) <= 16384 THEN r.header END AS header,
           (SELECT e.seq FROM hos_entry e WHERE e.tenant = q.tenant AND e.thread = q.thread AND e.n = q.n) AS seq,
           (SELECT e.seq FROM hos_entry e WHERE e.tenant = q.tenant AND e.thread = q.thread AND e.n = q.n - 1) AS prior
         FROM hos_queue q LEFT JOIN hos_record r ON r.tenant = q.tenant AND r.thread = q.thread AND r.n = q.n
         WHERE q.tenant = ?1 AND q.thread = ?2 AND q.n >= 0 ORDER BY q.n LIMIT ?3",
        [tenant(t), thread.0.into(), int(limit as u64)],
    )
}

/// How many records of a tenant's queue will be sealed: those that are there, and have no place in the log. Of a store in which nothing
/// waits in the inbox.
pub fn queue_len(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT count(*) FROM (SELECT DISTINCT q.thread, q.n FROM hos_queue q
           JOIN hos_record r ON r.tenant = q.tenant AND r.thread = q.thread AND r.n = q.n
           WHERE q.tenant = ?1 AND q.n >= 0 AND length(q.thread) = 16 AND NOT EXISTS
             (SELECT 1 FROM hos_entry e WHERE e.tenant = q.tenant AND e.thread = q.thread AND e.n = q.n)) waiting",
        [tenant(t)],
    )
}

/// Where each thread ends: thread, n and header of its last record, header of its first (or null).
pub fn ends(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT m.thread, m.n, l.header, f.header FROM (SELECT thread, max(n) AS n FROM hos_record WHERE tenant = ?1 GROUP BY thread) m
         JOIN hos_record l ON l.tenant = ?1 AND l.thread = m.thread AND l.n = m.n
         LEFT JOIN hos_record f ON f.tenant = ?1 AND f.thread = m.thread AND f.n = 0",
        [tenant(t)],
    )
}

/// The same of the records that have their place in the log, and of no others; a header is null where the record is missing.
pub fn sealed_ends(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT m.thread, m.n, l.header, f.header FROM (SELECT thread, max(n) AS n FROM hos_entry WHERE tenant = ?1 GROUP BY thread) m
         LEFT JOIN hos_record l ON l.tenant = ?1 AND l.thread = m.thread AND l.n = m.n
         LEFT JOIN hos_record f ON f.tenant = ?1 AND f.thread = m.thread AND f.n = 0",
        [tenant(t)],
    )
}

/// Whether any record waits in a tenant's queue: one row, or none.
pub fn queued(t: &Tenant) -> Statement {
    Statement::new("SELECT 1 FROM hos_queue WHERE tenant = ?1 AND n >= -2 LIMIT 1", [tenant(t)])
}

/// How many records wait in a tenant's queue.
pub fn queue_count(t: &Tenant) -> Statement {
    Statement::new("SELECT count(*) FROM hos_queue WHERE tenant = ?1 AND n >= -2", [tenant(t)])
}

/// Leaves a row of the queue that leads to nothing where it is, for who looks into it: no sealer meets it again.
pub fn set_aside(t: &Tenant, pos: i64) -> Statement {
    Statement::new("UPDATE hos_queue SET n = -4 WHERE tenant = ?1 AND pos = ?2", [tenant(t), pos.into()])
}

/// The same of one that leads to no call in shadow; none is changed where another has judged that call meanwhile, though its place be
/// another's by now. What has no id is nobody's, and stays where it is.
pub fn set_shadow_aside(t: &Tenant, pos: i64, id: Option<&[u8; 16]>) -> Statement {
    match id {
        Some(id) => Statement::new(
            "UPDATE hos_queue SET n = -4 WHERE tenant = ?1 AND pos = ?2 AND thread = ?3 AND n = -3",
            [tenant(t), pos.into(), id.into()],
        ),
        None => Statement::new("UPDATE hos_queue SET n = -4 WHERE tenant = ?1 AND pos = ?2 AND n = -3", [tenant(t), pos.into()]),
    }
}

/// What a row of the inbox that was set aside is about keeps nobody from its instance any more.
pub fn about_nothing(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new("UPDATE hos_inbox SET about = NULL WHERE tenant = ?1 AND id = ?2", [tenant(t), id.into()])
}

/// Rows of the queue that lead to nothing: how many, and the places of the first and the last.
pub fn aside(t: &Tenant) -> Statement {
    Statement::new("SELECT count(*), min(pos), max(pos) FROM hos_queue WHERE tenant = ?1 AND n < -3", [tenant(t)])
}

/// Takes a row out of the queue.
pub fn dequeue(t: &Tenant, pos: i64) -> Statement {
    Statement::new("DELETE FROM hos_queue WHERE tenant = ?1 AND pos = ?2", [tenant(t), pos.into()])
}

/// Takes [`SEVERAL`] rows out of the queue.
pub fn dequeue_several(t: &Tenant, places: &[i64; SEVERAL]) -> Statement {
    static TEXT: LazyLock<&str> = LazyLock::new(|| {
        let places: Vec<String> = (0..SEVERAL).map(|i| format!("?{}", 2 + i)).collect();
        String::leak(format!("DELETE FROM hos_queue WHERE tenant = ?1 AND pos IN ({})", places.join(", ")))
    });
    let mut params = vec![tenant(t)];
    params.extend(places.iter().map(|place| Sql::from(*place)));
    Statement::new(*TEXT, params)
}

/// A stream's thread: handle, n of its last record, that record's hash.
pub fn stream(t: &Tenant, name: &str) -> Statement {
    Statement::new("SELECT handle, n, last FROM hos_stream WHERE tenant = ?1 AND name = ?2", [tenant(t), name.into()])
}

/// All streams: name, handle, n, last.
pub fn streams(t: &Tenant) -> Statement {
    Statement::new("SELECT name, handle, n, last FROM hos_stream WHERE tenant = ?1 ORDER BY name", [tenant(t)])
}

/// Writes a stream's thread.
pub fn put_stream(t: &Tenant, name: &str, handle: &Handle, n: u64, last: &RecordHash) -> Statement {
    Statement::new(
        "INSERT INTO hos_stream (tenant, name, handle, n, last) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant, name) DO UPDATE SET n = ?4, last = ?5",
        [tenant(t), name.into(), handle.0.into(), int(n), last.0.into()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use hos_core::limits::HEADER_BYTES_MAX;

    #[test]
    fn a_queue_brings_no_header_that_no_entry_holds() {
        let t = Tenant::new("t").unwrap();
        let limit = format!("CASE WHEN length(r.header) <= {HEADER_BYTES_MAX} THEN r.header END");
        for statement in [queue(&t, 1), queued_of(&t, &Handle([1; 16]), 1)] {
            assert!(statement.sql.contains(&limit), "{}", statement.sql);
        }
    }
}
