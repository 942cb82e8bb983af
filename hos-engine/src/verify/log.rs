//! One tenant's log: every entry from its bytes, every record's parts, tiles, head, queue.

use super::fold::Fold;
use super::{Pass, epochs, keys};
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::store::Row;
use crate::store::sql::evidence as sql;
use crate::store::sqlite::Tx;
use hos_core::id::{EntryHash, Handle, KeyId, RecordHash, Tenant, TreeHash};
use hos_core::proof::chain::{Entry, LogHead};
use hos_core::proof::checkpoint::NoteKey;
use hos_core::proof::part::SubjectKey;
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::stored::{Opened, StoredBox, decode_stored};
use hos_core::proof::tree::{TILE_WIDTH, complete_root};
use hos_core::proof::verify::LogVerifier;
use hos_core::time::Timestamp;
use std::collections::HashMap;

/// How many entries are read at once.
const PAGE: usize = 512;

/// What a log came to.
pub(super) struct Done {
    pub(super) size: u64,
    pub(super) root: TreeHash,
    pub(super) fold: Fold,
    pub(super) unsealed: (u64, i64),
    /// Sizes at which an outside checkpoint was found to hold.
    pub(super) anchored: Vec<u64>,
}

/// Keys by id, looked up once; a key that the vault never had is told apart from a destroyed one.
#[derive(Default)]
struct KeyRing(HashMap<KeyId, Option<Option<SubjectKey>>>);

impl KeyRing {
    fn of(&mut self, pass: &Pass<'_>, id: &KeyId) -> Result<&Option<Option<SubjectKey>>, Failure> {
        if !self.0.contains_key(id) {
            let kept = pass.court.vault.get_by_id(*id)?;
            let key = kept.map(|k| k.key.as_ref().map(|key| SubjectKey::new(*key.bytes())));
            self.0.insert(*id, key);
        }
        Ok(self.0.get(id).unwrap_or(&None))
    }
}

/// The tiles that a growing log fills, compared as they fill.
#[derive(Default)]
struct Tiles {
    levels: Vec<Vec<TreeHash>>,
    filled: u64,
}

impl Tiles {
    fn push(&mut self, tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, seq: u64, leaf: TreeHash) -> Result<(), Failure> {
        let (mut level, mut hash) = (0usize, leaf);
        let mut index = seq / TILE_WIDTH as u64;
        loop {
            if self.levels.len() <= level {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(row) = self.levels.get_mut(level) else { return Ok(()) };
            row.push(hash);
            if row.len() < TILE_WIDTH {
                return Ok(());
            }
            let full = std::mem::take(row);
            self.filled += 1;
            let bytes: Vec<u8> = full.iter().flat_map(|h| h.0).collect();
            let stored = tx.row(&sql::tile(tenant, level as u8, index))?;
            if stored.as_ref().and_then(|row| row.blob(0).ok()) != Some(&bytes[..]) {
                pass.findings.add(format!("hos_tile {tenant} {level}/{index}"), "the tile is not made of the log's entries");
            }
            let Some(root) = complete_root(&full) else { return Ok(()) };
            (hash, index, level) = (root, index / TILE_WIDTH as u64, level + 1);
        }
    }
}

/// Verifies one log and folds its records.
pub(super) fn verify(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, anchors: &[&str]) -> Result<Done, Failure> {
    let of = pass.court.of;
    let epochs = Epochs::of(tx, tenant, of)?;
    let first = match epochs.begins(0) {
        Some((epoch, note)) => LogHead::genesis(of.store, epoch, tenant.clone(), note.as_bytes()),
        None => LogHead::genesis(of.store, epochs.at(0), tenant.clone(), &[]),
    };
    let mut verifier = LogVerifier::new(first).keeping_parts().through(of.epoch);
    let admitted = epochs::admit(pass, tenant, &epochs, anchors)?;
    let all_count = admitted.len() == anchors.len();
    keys::expect_closings(pass, tenant, &mut verifier);
    if let Some(row) = tx.row(&sql::checkpoint(tenant))? {
        let key = keys::of_note(pass, tenant, row.text(1)?, true)?;
        verifier.expect(row.text(1)?.as_bytes(), &key);
        stored_size(pass, tenant, &row, &key);
    }
    let before = anchors.len();
    for anchor in admitted {
        let key = keys::of_note(pass, tenant, anchor, false)?;
        verifier.expect(anchor.as_bytes(), &key);
    }
    let mut ring = KeyRing::default();
    let mut fold = Fold::new(tenant);
    let mut tiles = Tiles::default();
    let mut next = 0u64;
    let mut last_sealed = Timestamp(0);
    loop {
        let page = tx.rows(&sql::log_page(tenant, next, PAGE))?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            match read(row) {
                Ok(read) => {
                    if read.seq != next {
                        pass.findings.add(format!("hos_entry {tenant} seq {next}"), "the entry is missing");
                    }
                    next = read.seq + 1;
                    last_sealed = read.sealed_at;
                    take(tx, pass, tenant, &epochs, &mut verifier, &mut ring, &mut fold, &mut tiles, read)?;
                }
                Err(e) => {
                    pass.findings.add(format!("hos_entry {tenant} after seq {next}"), e.message);
                    next = row.uint(0).map_or(next, |seq| seq.max(next)) + 1;
                }
            }
        }
        if let Some(tell) = pass.progress {
            tell(pass.records, pass.total);
        }
    }
    let unsealed = queue(tx, pass, tenant, &mut ring, &mut fold)?;
    let (root, size, entry) = (verifier.tree().root(), verifier.tree().size(), verifier.next_prev());
    head(tx, pass, tenant, &verifier, entry, last_sealed)?;
    let stored_tiles = tx.rows(&sql::tiles(tenant))?.len() as u64;
    if stored_tiles != tiles.filled {
        pass.findings.add(format!("hos_tile {tenant}"), format!("{stored_tiles} tiles are stored where {} belong", tiles.filled));
    }
    let counted = tx.row(&sql::record_count(tenant))?.map_or(Ok(0), |row| row.uint(0))?;
    if counted != size + unsealed.0 {
        pass.findings.add(
            format!("hos_record {tenant}"),
            format!("{counted} records are stored, and {} have a place in log or queue", size + unsealed.0),
        );
    }
    let report = verifier.finish();
    pass.erased_parts += report.erased;
    for failure in &report.failures {
        pass.findings.add(failure.to_string(), failure.what.code());
    }
    let anchored: Vec<u64> =
        if before > 0 && all_count && report.failures.is_empty() { (0..before as u64).collect() } else { Vec::new() };
    Ok(Done { size, root, fold, unsealed, anchored })
}

fn stored_size(pass: &mut Pass<'_>, tenant: &Tenant, row: &Row, key: &NoteKey) {
    let note = row.text(1).unwrap_or_default();
    let said = hos_core::proof::checkpoint::Checkpoint::open(note.as_bytes(), key).map(|c| c.size);
    if let (Ok(said), Ok(size)) = (said, row.uint(0))
        && said != size
    {
        pass.findings.add(format!("hos_checkpoint {tenant}"), "column size: the note is of another size");
    }
}

/// One entry's row, with its record.
struct Read {
    seq: u64,
    thread: Handle,
    n: u64,
    sealed_at: Timestamp,
    stream_prev: Option<RecordHash>,
    disputed: Option<u16>,
    hash: EntryHash,
    leaf: TreeHash,
    record: Option<(Vec<u8>, Vec<u8>)>,
}

fn read(row: &Row) -> Result<Read, crate::store::StoreError> {
    let record = match (row.opt_blob(8)?, row.opt_blob(9)?) {
        (Some(header), Some(parts)) => Some((header.to_vec(), parts.to_vec())),
        _ => None,
    };
    Ok(Read {
        seq: row.uint(0)?,
        thread: Handle(row.bytes(1)?),
        n: row.uint(2)?,
        sealed_at: Timestamp(row.int(3)?),
        stream_prev: row.opt_bytes(4)?.map(RecordHash),
        disputed: row.opt_uint(5)?.map(|d| d as u16),
        hash: EntryHash(row.bytes(6)?),
        leaf: TreeHash(row.bytes(7)?),
        record,
    })
}

#[expect(clippy::too_many_arguments, reason = "one entry goes through all that a pass builds up")]
fn take(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    epochs: &Epochs,
    verifier: &mut LogVerifier,
    ring: &mut KeyRing,
    fold: &mut Fold,
    tiles: &mut Tiles,
    read: Read,
) -> Result<(), Failure> {
    let at = || format!("tenant {tenant}, seq {}, thread {}, n {}", read.seq, read.thread, read.n);
    let Some((header_bytes, parts_bytes)) = read.record else {
        pass.findings.add(at(), "the record is missing");
        return Ok(());
    };
    pass.records += 1;
    let header = Header::decode(&header_bytes).ok();
    let is_stream = header.as_ref().is_some_and(|h| h.n.is_none());
    if let Some((epoch, note)) = epochs.begins(read.seq) {
        verifier.turn(epoch, note.as_bytes());
    }
    let below =
        header.as_ref().filter(|h| h.kind == Kind::Epoch || epochs.begins(read.seq).is_some()).map(|_| verifier.tree().clone());
    let entry = Entry {
        store: pass.court.of.store,
        epoch: epochs.at(read.seq),
        tenant: tenant.clone(),
        seq: read.seq,
        prev: verifier.next_prev(),
        sealed_at: read.sealed_at,
        stream: is_stream.then_some((read.n, read.stream_prev)),
        disputed: read.disputed,
        header: header_bytes,
    };
    if !is_stream && read.stream_prev.is_some() {
        pass.findings.add(at(), "column stream_prev: the record is of no stream");
    }
    let boxes = match decode_stored(&parts_bytes) {
        Ok(boxes) => boxes,
        Err(e) => {
            pass.findings.add(at(), format!("column parts: {e}"));
            Vec::new()
        }
    };
    for stored in boxes.iter().filter(|b| !b.is_clear()) {
        if ring.of(pass, &stored.key)?.is_none() {
            pass.findings.add(at(), format!("parts {:?}: the vault never had their key", stored.places));
        }
    }
    let keys = |id: &KeyId| ring.0.get(id).cloned().flatten().flatten();
    verifier.push_entry(&entry, Some(&boxes), keys);
    if verifier.last() != Some((read.hash, read.leaf)) {
        pass.findings.add(at(), "column hash or leaf: not the entry's");
    }
    tiles.push(tx, pass, tenant, read.seq, verifier.last().map_or(read.leaf, |(_, leaf)| leaf))?;
    if let Some(header) = header {
        if header.thread != read.thread || header.n.is_some_and(|n| n != read.n) {
            pass.findings.add(at(), "column thread or n: the header says another");
        }
        let opened = verifier.take_opened();
        let open = |slot: Slot| {
            let first = header.parts.iter().find(|part| part.slot == slot)?;
            let part = opened.iter().find(|(of, index, _)| (*of, *index) == (slot, first.index))?;
            Some(part.2.as_slice())
        };
        if let Some(below) = &below {
            epochs::hold(pass, tenant, epochs, read.seq, below, &header, open(Slot::Change));
        }
        let hash = hos_core::digest::record_hash(&entry.header);
        fold.take(&mut pass.findings, &pass.laws, &header, hash, read.n, &open);
    }
    Ok(())
}

fn fold_one(
    pass: &mut Pass<'_>,
    ring: &KeyRing,
    fold: &mut Fold,
    header: &Header,
    bytes: &[u8],
    n: u64,
    boxes: &[StoredBox<'_>],
) {
    let mut opened: Vec<Opened> = Vec::new();
    for stored in boxes {
        let key = if stored.is_clear() { None } else { ring.0.get(&stored.key).cloned().flatten().flatten() };
        opened.extend(stored.open_listed(key.as_ref(), &header.parts).unwrap_or_default());
    }
    let open = |slot: Slot| {
        let first = header.parts.iter().find(|part| part.slot == slot)?;
        let part = opened.iter().find(|part| (part.slot, part.index) == (slot, first.index))?;
        Some(part.plaintext.as_slice())
    };
    fold.take(&mut pass.findings, &pass.laws, header, hos_core::digest::record_hash(bytes), n, &open);
}

/// Records that wait for their place: they count for the fold, and nothing vouches for them yet.
fn queue(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, ring: &mut KeyRing, fold: &mut Fold) -> Result<(u64, i64), Failure> {
    let now = pass.court.clock.now();
    let (mut count, mut oldest) = (0, 0);
    for row in tx.rows(&sql::queue(tenant, usize::MAX >> 1))? {
        count += 1;
        let (thread, n) = (Handle(row.bytes(1)?), row.uint(2)?);
        let at = || format!("hos_queue {tenant}, thread {thread}, n {n}");
        let Some(record) = tx.row(&sql::record(tenant, &thread, n))? else {
            pass.findings.add(at(), "the record is missing");
            continue;
        };
        let bytes = record.blob(0)?;
        let (Ok(header), Ok(boxes)) = (Header::decode(bytes), decode_stored(record.blob(1)?)) else {
            pass.findings.add(at(), "the record does not decode");
            continue;
        };
        pass.records += 1;
        oldest = oldest.max(now.0.saturating_sub(header.time.0));
        for stored in boxes.iter().filter(|b| !b.is_clear()) {
            ring.of(pass, &stored.key)?;
        }
        fold_one(pass, ring, fold, &header, bytes, n, &boxes);
    }
    Ok((count, oldest))
}

fn head(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    verifier: &LogVerifier,
    entry: EntryHash,
    sealed_at: Timestamp,
) -> Result<(), Failure> {
    let at = || format!("hos_head {tenant}");
    let Some(row) = tx.row(&sql::head(tenant))? else {
        if verifier.tree().size() > 0 {
            pass.findings.add(at(), "the head is missing");
        }
        return Ok(());
    };
    match sql::head_from(&row) {
        Err(e) => pass.findings.add(at(), e.message),
        Ok(head) => {
            pass.findings.same(at, &head.size, &verifier.tree().size(), "column size: not the log's");
            pass.findings.same(at, &head.entry, &entry, "column entry: not the last entry's hash");
            pass.findings.same(at, &head.frontier, verifier.tree(), "column frontier: not the tree's");
            pass.findings.same(at, &head.epoch, &pass.court.of.epoch, "column epoch: not the store's");
            pass.findings.same(at, &head.sealed_at, &sealed_at, "column sealed_at: not the last entry's");
        }
    }
    Ok(())
}
