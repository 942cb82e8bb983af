//! A log that is not read from its beginning: a checkpoint that was kept outside vouches for what stands before it.
//!
//! The walk begins at the last full tile below the checkpoint, on the tree that the stored tiles make. That tree, and the entry
//! before, are the store's word at first: the entries that follow cite them, and the root that the walk comes to at the
//! checkpoint's size is its own. Of a thread that goes on, its earlier records are read all the same: a record cites the one
//! before it, so they are those that the log has, and the fold of them is what the thread's rows must say. Rows of threads that
//! do not go on are not compared, and what is said of the whole log is not said: the report names where it begins.

use super::Pass;
use super::fold::{Fold, Taken};
use super::ring::Asked;
use super::tiles::Tiles;
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::seal;
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use hos_core::id::{EntryHash, Handle, RecordHash, Tenant, TreeHash};
use hos_core::proof::chain::LogHead;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::examine::Examiner;
use hos_core::proof::tree::{self, Frontier, TILE_WIDTH, TreeError};
use hos_core::proof::view::HeaderView;
use hos_core::time::Timestamp;

/// How many of a thread's earlier records are read at once.
const READ: usize = 256;

/// Where a walk begins.
pub(super) struct Start {
    pub(super) head: LogHead,
    pub(super) tree: Frontier,
    pub(super) tiles: Tiles,
}

/// Begins below the largest of these checkpoints whose root the stored tiles come to; nothing where there is none, or not a full
/// tile: then the log is read from its beginning, and what does not hold is found where it stands.
pub(super) fn start(
    tx: &Tx<'_>,
    pass: &Pass<'_>,
    tenant: &Tenant,
    epochs: &Epochs,
    notes: &[(&str, &NoteKey)],
) -> Result<Option<Start>, Failure> {
    let opened = notes.iter().filter_map(|(note, key)| Checkpoint::open(note.as_bytes(), key).ok());
    let mut said: Vec<Checkpoint> = opened.collect();
    said.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.size));
    for checkpoint in said {
        let from = checkpoint.size.saturating_sub(1) / TILE_WIDTH as u64 * TILE_WIDTH as u64;
        if from == 0 || root_of(tx, tenant, checkpoint.size) != Ok(checkpoint.root) {
            continue;
        }
        let Ok(tree) = Frontier::from_nodes(from, &|level, index| seal::node(tx, tenant, from, level, index)) else { continue };
        let Some(tiles) = Tiles::behind(tx, tenant, from) else { continue };
        let Some(before) = tx.row(&sql::log_page(tenant, from - 1, 1))?.filter(|row| row.uint(0).ok() == Some(from - 1)) else {
            continue;
        };
        let (Ok(sealed_at), Ok(hash)) = (before.int(3), before.bytes(6)) else { continue };
        let head = LogHead {
            store: pass.court.of.store,
            epoch: epochs.at(from - 1),
            tenant: tenant.clone(),
            next_seq: from,
            prev: EntryHash(hash),
            sealed_at: Timestamp(sealed_at),
        };
        return Ok(Some(Start { head, tree, tiles }));
    }
    Ok(None)
}

/// The root of a log's first entries, as its tiles and leaves are stored.
pub(super) fn root_of(tx: &Tx<'_>, tenant: &Tenant, size: u64) -> Result<TreeHash, TreeError> {
    tree::root(size, &|level, index| seal::node(tx, tenant, size, level, index))
}

/// A checkpoint of entries that are not read: its root is that of the stored tiles, which the tree of the walk goes on from.
pub(super) fn hold(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, said: &Checkpoint) {
    if root_of(tx, tenant, said.size) != Ok(said.root) {
        pass.findings.add(format!("checkpoint of `{tenant}` at size {}", said.size), "the stored tiles come to another root");
    }
}

impl Fold {
    /// Meets a record before it is taken: where its thread is met for the first time, the fold takes what stands before. The
    /// thread's last record before is answered. Of a named stream that one alone is read.
    pub(super) fn meet(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        examiner: &mut Examiner,
        thread: &Handle,
        n: u64,
        is_stream: bool,
    ) -> Result<Option<(u64, RecordHash)>, Failure> {
        let Some(since) = &mut self.since else { return Ok(None) };
        if !since.meet(*thread, if is_stream { n } else { 0 }) {
            return Ok(None);
        }
        let from = since.from;
        match n.checked_sub(1) {
            None => Ok(None),
            Some(last) if is_stream => self.stream_before(tx, pass, thread, last, from),
            Some(_) => self.thread_before(tx, pass, examiner, thread, n, from),
        }
    }

    fn stream_before(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        thread: &Handle,
        n: u64,
        from: u64,
    ) -> Result<Option<(u64, RecordHash)>, Failure> {
        let tenant = self.tenant().clone();
        let at = || format!("tenant {tenant}, thread {thread}, n {n}");
        let Some(row) = tx.rows(&sql::thread_placed(&tenant, thread, n, 1))?.into_iter().next() else {
            pass.findings.add(at(), "the record is missing");
            return Ok(None);
        };
        let (bytes, seq) = (row.blob(1)?, row.opt_uint(3)?);
        if row.uint(0)? != n || seq.is_none_or(|seq| seq >= from) {
            pass.findings.add(at(), "the record has no place before those that follow it");
        }
        let hash = hos_core::digest::record_hash(bytes);
        match HeaderView::decode(bytes) {
            Ok(header) => self.stream(&mut pass.findings, &header, hash, n),
            Err(error) => pass.findings.add(at(), format!("column header: {error}")),
        }
        Ok(Some((n, hash)))
    }

    fn thread_before(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        examiner: &mut Examiner,
        thread: &Handle,
        until: u64,
        from: u64,
    ) -> Result<Option<(u64, RecordHash)>, Failure> {
        let tenant = self.tenant().clone();
        let mut last: Option<(u64, RecordHash)> = None;
        let mut next = 0;
        while next < until {
            let rows = tx.rows(&sql::thread_placed(&tenant, thread, next, READ))?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let n = row.uint(0)?;
                if n >= until {
                    next = until;
                    break;
                }
                next = n.saturating_add(1);
                let at = || format!("tenant {tenant}, thread {thread}, n {n}");
                if row.opt_uint(3)?.is_none_or(|seq| seq >= from) {
                    pass.findings.add(at(), "the record has no place before those that follow it");
                }
                let mut asked = Asked::default();
                let record = examiner.record(row.blob(1)?, row.blob(2)?, |id| asked.key(pass.ring, id));
                asked.answered()?;
                let disputed = row.opt_uint(4)?.is_some();
                let wanted = (last.map_or(0, |(n, _)| n.saturating_add(1)), last.map(|(_, hash)| hash));
                let Some(header) = record.header() else {
                    if let Some(error) = record.header_error().filter(|_| !disputed) {
                        pass.findings.add(at(), format!("column header: {error}"));
                    }
                    continue;
                };
                let follows = header.n == Some(n) && header.thread == *thread && (n, header.prev) == wanted;
                if !follows && !disputed {
                    pass.findings.add(at(), "the record does not follow the one before it in its thread");
                }
                if follows || !disputed {
                    last = Some((n, record.hash()));
                }
                if let Some(error) = record.list_error().filter(|_| !disputed) {
                    pass.findings.add(at(), format!("column parts: {error}"));
                }
                for broken in record.broken().iter().filter(|_| !disputed) {
                    pass.findings.add(at(), broken.code());
                }
                self.take(&mut pass.findings, &pass.laws, &Taken { header, record: &record, n, readable: !disputed });
            }
        }
        Ok(last)
    }
}
