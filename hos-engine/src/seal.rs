//! Sealing: unsealed records -> entries, tree, head, in the order in which they were written; and the checkpoint that vouches
//! for them, signed only when the commit is known to have succeeded.

use crate::Failure;
use crate::store::Tx;
use crate::store::sql::evidence::{self as sql, EntryRow, Head};
use hos_core::digest;
use hos_core::id::{EntryHash, Handle, RecordHash, StoreId, Tenant, TreeHash};
use hos_core::limits::HEADER_BYTES_MAX;
use hos_core::proof::chain::{Dispute, Entry};
use hos_core::proof::checkpoint::{Checkpoint, Note, NoteError, origin};
use hos_core::proof::record::Header;
use hos_core::proof::tree::{Frontier, TILE_WIDTH, complete_root, node_from_tiles};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use std::collections::HashMap;

/// A record that has no place in the log yet.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) tenant: Tenant,
    pub(crate) thread: Handle,
    pub(crate) n: u64,
    pub(crate) header: Vec<u8>,
    /// For a stream's record: what its entry cites.
    pub(crate) stream: Option<Option<RecordHash>>,
    /// Made in this very group and found to be of this store, tenant and thread when it was written; what comes from the
    /// queue is decoded and examined.
    pub(crate) sound: bool,
}

/// Where the log of each tenant ends, read once in a group.
pub(crate) type Heads = HashMap<Tenant, Head>;

/// Whose log it is, and which life of the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) store: StoreId,
    pub(crate) epoch: u64,
}

/// The head of a tenant's log; of an empty log the genesis.
pub(crate) fn head(tx: &Tx<'_>, tenant: &Tenant, of: Origin) -> Result<Head, Failure> {
    match tx.row(&sql::head(tenant))? {
        Some(row) => Ok(sql::head_from(&row)?),
        None => Ok(genesis(tenant, of)),
    }
}

/// The end of a log without entries.
pub(crate) fn genesis(tenant: &Tenant, of: Origin) -> Head {
    Head {
        epoch: of.epoch,
        size: 0,
        entry: digest::genesis_hash(&of.store, of.epoch, tenant, &[]),
        frontier: Frontier::default(),
        sealed_at: Timestamp(0),
    }
}

/// When records are sealed, as the sealer claims.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealing {
    pub(crate) now: Timestamp,
    /// How far that may lie ahead of the log's end, in milliseconds.
    pub(crate) jump_max_ms: i64,
}

impl Sealing {
    /// What the next entry claims: never less than the one before. A clock that jumped, and that nobody confirmed, claims
    /// nothing: calls are held against the end of the log, and one that was refused for its time would move that end.
    fn after(self, head: &Head) -> Timestamp {
        let jumped = head.size > 0 && self.now.0 > head.sealed_at.0.saturating_add(self.jump_max_ms);
        if jumped { head.sealed_at } else { head.sealed_at.max(self.now) }
    }
}

/// Gives each record its place, in the order given, and says where each is.
pub(crate) fn seal(
    tx: &Tx<'_>,
    of: Origin,
    now: Sealing,
    heads: &mut Heads,
    records: &[Unsealed],
) -> Result<Vec<(u64, EntryHash)>, Failure> {
    let mut places = Vec::with_capacity(records.len());
    // Entries of one tenant that are not inserted yet.
    let mut pending: Vec<EntryRow> = Vec::new();
    for (i, record) in records.iter().enumerate() {
        let tenant = &record.tenant;
        if !heads.contains_key(tenant) {
            heads.insert(tenant.clone(), head(tx, tenant, of)?);
        }
        let Some(head) = heads.get_mut(tenant) else { continue };
        let row = append(of, now, head, record)?;
        places.push((row.seq, row.hash));
        pending.push(row);
        let fills = head.size.is_multiple_of(TILE_WIDTH as u64);
        let ends = records.get(i + 1).is_none_or(|next| next.tenant != *tenant);
        if fills || ends || pending.len() == sql::SEVERAL {
            insert(tx, tenant, &std::mem::take(&mut pending))?;
        }
        if fills {
            complete_tiles(tx, tenant, head.size)?;
        }
    }
    Ok(places)
}

/// Inserts entries of one tenant, in their order.
fn insert(tx: &Tx<'_>, tenant: &Tenant, rows: &[EntryRow]) -> Result<(), Failure> {
    match <&[EntryRow; sql::SEVERAL]>::try_from(rows) {
        Ok(several) if tx.is_shared() => tx.execute(&sql::insert_entries(tenant, several)).map(drop)?,
        _ => rows.iter().try_for_each(|row| tx.execute(&sql::insert_entry(tenant, row)).map(drop))?,
    }
    Ok(())
}

/// The entry of a record, at the head that it extends.
fn append(of: Origin, now: Sealing, head: &mut Head, record: &Unsealed) -> Result<EntryRow, Failure> {
    let tenant = &record.tenant;
    // No entry claims such a time, so that none has given it to the head: somebody else wrote the row.
    if !head.sealed_at.is_claimable() {
        let what =
            format!("hos_head {tenant}: column sealed_at: {} ms is outside the times that may be claimed", head.sealed_at.0);
        return Err(Failure::new(Code::StoreIntegrity, what));
    }
    let sealed_at = now.after(head);
    let (header, disputed) = examined(record, of, tenant);
    let entry = Entry {
        store: of.store,
        epoch: head.epoch,
        tenant: tenant.clone(),
        seq: head.size,
        prev: head.entry,
        sealed_at,
        stream: record.stream.map(|prev| (record.n, prev)),
        disputed: disputed.map(Dispute::number),
        header,
    };
    let bytes = entry.encode().map_err(|e| Failure::new(Code::Internal, format!("an entry could not be made: {e}")))?;
    let row = EntryRow {
        seq: head.size,
        thread: record.thread,
        n: record.n,
        sealed_at,
        stream_prev: record.stream.flatten(),
        disputed: entry.disputed,
        hash: digest::entry_hash(&bytes),
        leaf: digest::tree_leaf(&bytes),
    };
    head.frontier.append_leaf(row.leaf);
    head.size += 1;
    head.entry = row.hash;
    head.sealed_at = sealed_at;
    Ok(row)
}

/// The header of a record whose place in its thread stands in its entry, a stream's: one that decodes, and says no place itself.
/// Who verifies makes each entry anew from the record's header, and goes by this rule: an entry that bears a place where this
/// says none, or none where this says one, has another hash for ever.
pub(crate) fn placed_by_entry(header: &[u8]) -> Option<Header> {
    Header::decode(header).ok().filter(|header| header.n.is_none())
}

/// What the sealer sees of a record before it gives it a place: what is wrong is sealed as disputed, never left out.
fn examined(record: &Unsealed, of: Origin, tenant: &Tenant) -> (Vec<u8>, Option<Dispute>) {
    if record.header.len() > HEADER_BYTES_MAX {
        return (digest::record_hash(&record.header).0.to_vec(), Some(Dispute::TooLarge));
    }
    if record.sound {
        return (record.header.clone(), None);
    }
    let dispute = match Header::decode(&record.header) {
        Err(_) => Some(Dispute::Malformed),
        Ok(header) if header.store != of.store || header.tenant != *tenant => Some(Dispute::Foreign),
        Ok(header) if header.thread != record.thread || header.n.is_some_and(|n| n != record.n) => Some(Dispute::Thread),
        Ok(_) => None,
    };
    (record.header.clone(), dispute)
}

/// Writes the tile of leaves that was just filled, and those above it that this fills.
fn complete_tiles(tx: &Tx<'_>, tenant: &Tenant, size: u64) -> Result<(), Failure> {
    let width = TILE_WIDTH as u64;
    let mut level = 0u8;
    let mut filled = size;
    while filled > 0 && filled.is_multiple_of(width) {
        let index = filled / width - 1;
        let hashes = if level == 0 {
            leaves(tx, tenant, size - width, size)?
        } else {
            (index * width..(index + 1) * width).map(|below| tile_root(tx, tenant, level - 1, below)).collect::<Result<_, _>>()?
        };
        if hashes.len() != TILE_WIDTH {
            return Err(Failure::new(Code::StoreIntegrity, format!("tile {level}/{index} of `{tenant}` lacks leaves")));
        }
        tx.execute(&sql::insert_tile(tenant, level, index, &hashes))?;
        filled /= width;
        level += 1;
    }
    Ok(())
}

fn leaves(tx: &Tx<'_>, tenant: &Tenant, from: u64, to: u64) -> Result<Vec<TreeHash>, Failure> {
    tx.rows(&sql::leaves(tenant, from, to))?.iter().map(|row| Ok(TreeHash(row.bytes(0)?))).collect()
}

fn tile(tx: &Tx<'_>, tenant: &Tenant, level: u8, index: u64) -> Result<Option<Vec<TreeHash>>, Failure> {
    let Some(row) = tx.row(&sql::tile(tenant, level, index))? else { return Ok(None) };
    Ok(Some(row.blob(0)?.chunks_exact(32).filter_map(TreeHash::from_slice).collect()))
}

fn tile_root(tx: &Tx<'_>, tenant: &Tenant, level: u8, index: u64) -> Result<TreeHash, Failure> {
    let hashes = tile(tx, tenant, level, index)?.unwrap_or_default();
    complete_root(&hashes)
        .ok_or_else(|| Failure::new(Code::StoreIntegrity, format!("tile {level}/{index} of `{tenant}` is missing")))
}

/// The complete subtrees of a tenant's tree, from its tiles and the leaves after the last one.
pub(crate) fn node(tx: &Tx<'_>, tenant: &Tenant, size: u64, level: u8, index: u64) -> Option<TreeHash> {
    node_from_tiles(level, index, &|level, index| tile_so_far(tx, tenant, size, level, index))
}

/// The root that a log's tree had at a size that it has reached.
pub(crate) fn root_at(tx: &Tx<'_>, tenant: &Tenant, size: u64, of: u64) -> Result<TreeHash, Failure> {
    hos_core::proof::tree::root(of, &|level, index| node(tx, tenant, size, level, index))
        .map_err(|e| Failure::new(Code::StoreIntegrity, format!("the tree of `{tenant}`: {e}")))
}

/// What a tile of a tree of this size holds, at least: one that is full since may hold more.
pub(crate) fn tile_so_far(tx: &Tx<'_>, tenant: &Tenant, size: u64, level: u8, index: u64) -> Option<Vec<TreeHash>> {
    let width = TILE_WIDTH as u64;
    match tile(tx, tenant, level, index).ok()? {
        Some(full) => Some(full),
        None if level == 0 => leaves(tx, tenant, index * width, size.min((index + 1) * width)).ok(),
        None => {
            // A tile above that is not full yet holds the roots of the full tiles below it.
            let below = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
            (index * width..below.min((index + 1) * width)).map(|i| tile_root(tx, tenant, level - 1, i).ok()).collect()
        }
    }
}

/// What a checkpoint of a head says.
pub(crate) fn checkpoint(of: Origin, tenant: &Tenant, head: &Head) -> Checkpoint {
    Checkpoint {
        origin: origin(&of.store, tenant, head.epoch),
        size: head.size,
        root: head.frontier.root(),
        extensions: Vec::new(),
    }
}

/// What a note of our own says.
pub(crate) fn checkpoint_of(note: &str) -> Result<Checkpoint, Failure> {
    let broken = |e: NoteError| Failure::new(Code::Internal, format!("our own checkpoint: {e}"));
    Checkpoint::parse(Note::parse(note.as_bytes()).map_err(broken)?.text()).map_err(broken)
}
