//! A log that is not read from its beginning: a checkpoint that was kept outside vouches for what stands before it.
//!
//! The walk begins at the last full tile below the checkpoint, on the tree that the stored tiles make. That tree, and the entry
//! before, are the store's word at first: the entries that follow cite them, and the root that the walk comes to at the
//! checkpoint's size is its own. Of a thread that goes on, its earlier records are read all the same, each held against the tree by
//! its entry's audit path, and the fold of them is what the thread's rows must say. Rows of threads that do not go on are not
//! compared, and what is said of the whole log is not said: the report names where it begins.

use super::Pass;
use super::fold::{Fold, Taken};
use super::ring::Asked;
use super::tiles::Tiles;
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::seal::{self, Origin};
use crate::store::sql::evidence as sql;
use crate::store::{Row, Tx};
use hos_core::id::{EntryHash, Handle, RecordHash, Tenant, TreeHash};
use hos_core::proof::chain::{EntryView, LogHead};
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::examine::Examiner;
use hos_core::proof::tree::{self, Frontier, TILE_WIDTH, TreeError};
use hos_core::proof::view::HeaderView;
use hos_core::time::Timestamp;
use std::cell::RefCell;
use std::collections::HashMap;

/// How many of a thread's earlier records are read at once.
const READ: usize = 32;

/// How many tiles are kept for proofs, beside those above the leaves: eight megabytes.
const TILES_KEPT: usize = 1024;

/// What is found of a record whose entry, as its row and the one before it say, is not in the tree below.
const NOT_BELOW: &str = "the tree has no such entry before those that follow it";

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

/// The entries that are not read, as far as they are asked for.
pub(super) struct Below<'b> {
    pub(super) of: Origin,
    pub(super) epochs: &'b Epochs,
    /// The tree of them.
    pub(super) tree: Frontier,
    /// Tiles by level and index, as they are stored or as those below them make them: the ones that proofs asked for last.
    tiles: RefCell<HashMap<(u8, u64), Vec<TreeHash>>>,
}

impl<'b> Below<'b> {
    pub(super) fn new(of: Origin, epochs: &'b Epochs, tree: Frontier) -> Self {
        Self { of, epochs, tree, tiles: RefCell::default() }
    }

    /// Whether the log's tree goes on from the one of this size and root. The proof is made of the stored tiles and believed by
    /// itself alone: what stands in a tile need not be what the tile above was made of.
    pub(super) fn goes_on(&self, tx: &Tx<'_>, tenant: &Tenant, size: u64, root: &TreeHash) -> bool {
        if size == 0 {
            return *root == Frontier::default().root();
        }
        let all = self.tree.size();
        let proof = tree::prove_consistency(size, all, &|level, index| self.node(tx, tenant, level, index));
        proof.is_ok_and(|proof| tree::verify_consistency(size, all, root, &self.tree.root(), &proof).is_ok())
    }

    fn node(&self, tx: &Tx<'_>, tenant: &Tenant, level: u8, index: u64) -> Option<TreeHash> {
        tree::node_from_tiles(level, index, &|level, index| {
            let mut tiles = self.tiles.borrow_mut();
            if let Some(known) = tiles.get(&(level, index)) {
                return Some(known.clone());
            }
            let tile = seal::tile_so_far(tx, tenant, self.tree.size(), level, index)?;
            if tiles.len() >= TILES_KEPT {
                // Those above the leaves serve every proof, and one that is not full costs all the tiles below it.
                tiles.retain(|(level, _), _| *level > 0);
            }
            tiles.insert((level, index), tile.clone());
            Some(tile)
        })
    }

    /// Whether a row of [`sql::thread_placed`] is that of an entry which the tree has.
    fn has(&self, tx: &Tx<'_>, tenant: &Tenant, row: &Row, is_stream: bool) -> Result<bool, Failure> {
        let (Some(seq), Some(sealed_at)) = (row.opt_uint(3)?, row.opt_int(5)?) else { return Ok(false) };
        let stream_prev = row.opt_bytes(6)?.map(RecordHash);
        let before = row.opt_bytes(7)?.map(EntryHash);
        let entry = EntryView {
            store: self.of.store,
            epoch: self.epochs.at(seq),
            tenant: tenant.as_str(),
            seq,
            prev: self.epochs.prev(&self.of.store, tenant, seq, before),
            sealed_at: Timestamp(sealed_at),
            stream: if is_stream { Some((row.uint(0)?, stream_prev)) } else { None },
            disputed: row.opt_uint(4)?.map(|number| u16::try_from(number).unwrap_or(u16::MAX)),
            header: row.blob(1)?,
        };
        let Ok(bytes) = entry.encode_into(Vec::new()) else { return Ok(false) };
        let size = self.tree.size();
        let nodes = |level, index| self.node(tx, tenant, level, index);
        let leaf = hos_core::digest::tree_leaf(&bytes);
        let proof = tree::prove_inclusion(seq, size, &nodes);
        Ok(proof.is_ok_and(|proof| tree::verify_inclusion(seq, size, &leaf, &proof, &self.tree.root()).is_ok()))
    }
}

impl Fold {
    /// Meets a record before it is taken: where its thread is met for the first time, the fold takes what stands before. The
    /// thread's last record before is answered. Of a named stream that one alone is read.
    pub(super) fn meet(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        below: &Below<'_>,
        thread: &Handle,
        n: u64,
        is_stream: bool,
    ) -> Result<Option<(u64, RecordHash)>, Failure> {
        let Some(since) = &mut self.since else { return Ok(None) };
        if !since.meet(*thread, if is_stream { n } else { 0 }) {
            return Ok(None);
        }
        match n.checked_sub(1) {
            None => Ok(None),
            Some(last) if is_stream => self.stream_before(tx, pass, below, thread, last),
            Some(_) => self.thread_before(tx, pass, below, thread, n),
        }
    }

    fn stream_before(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        below: &Below<'_>,
        thread: &Handle,
        n: u64,
    ) -> Result<Option<(u64, RecordHash)>, Failure> {
        let tenant = self.tenant().clone();
        let at = || format!("tenant {tenant}, thread {thread}, n {n}");
        let Some(row) = tx.rows(&sql::thread_placed(&tenant, thread, n, 1))?.into_iter().next() else {
            pass.findings.add(at(), "the record is missing");
            return Ok(None);
        };
        let bytes = row.blob(1)?;
        if row.uint(0)? != n || !below.has(tx, &tenant, &row, true)? {
            pass.findings.add(at(), NOT_BELOW);
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
        below: &Below<'_>,
        thread: &Handle,
        until: u64,
    ) -> Result<Option<(u64, RecordHash)>, Failure> {
        let tenant = self.tenant().clone();
        let (mut examiner, mut last) = (Examiner::default(), None::<(u64, RecordHash)>);
        let (mut next, mut seen) = (0, None);
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
                (next, seen) = (n.saturating_add(1), Some(n));
                let at = || format!("tenant {tenant}, thread {thread}, n {n}");
                if !below.has(tx, &tenant, &row, false)? {
                    pass.findings.add(at(), NOT_BELOW);
                }
                let mut asked = Asked::default();
                let record = examiner.record(row.blob(1)?, row.blob(2)?, |id| asked.key(pass.ring, id));
                asked.answered()?;
                for key in &asked.strange {
                    pass.findings.add(at(), format!("column parts: the vault never had the key {key}"));
                }
                let disputed = row.opt_uint(4)?.is_some();
                let wanted = (last.map_or(0, |(n, _)| n.saturating_add(1)), last.map(|(_, hash)| hash));
                let Some(header) = record.header() else {
                    if let Some(error) = record.header_error().filter(|_| !disputed) {
                        pass.findings.add(at(), format!("column header: {error}"));
                    }
                    continue;
                };
                for key in &asked.gone {
                    pass.gone.take(*key, &tenant, header.kind, row.opt_uint(3)?, &record.hash());
                }
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
                let taken = Taken { header, record: &record, n, seq: row.opt_uint(3)?, readable: !disputed };
                self.take(&mut pass.findings, &pass.laws, &taken)?;
            }
        }
        if seen != until.checked_sub(1) {
            let first = seen.map_or(0, |n: u64| n.saturating_add(1));
            pass.findings.add(format!("tenant {tenant}, thread {thread}, n {first}"), "the record is missing");
        }
        Ok(last)
    }
}
