//! One record as a bundle has it: its entry's bytes, its proof, its parts as far as they are disclosed.

use super::hide::Patterns;
use crate::Failure;
use crate::court::Court;
use crate::court::epoch::Epochs;
use crate::court::history::part_name;
use crate::store::Row;
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use hos_core::id::{EntryHash, Handle, KeyId, RecordHash, Tenant};
use hos_core::proof::bundle::{Item, Opening, Why, Withheld};
use hos_core::proof::chain::Entry;
use hos_core::proof::record::Header;
use hos_core::proof::stored::decode_stored;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;

/// A record's row with its place in the log.
pub(crate) struct Placed {
    pub(crate) entry: Entry,
    pub(crate) header: Header,
    /// The stored parts.
    pub(crate) parts: Vec<u8>,
}

fn broken(tenant: &Tenant, seq: u64, what: impl std::fmt::Display) -> Failure {
    Failure::new(Code::StoreIntegrity, format!("entry {seq} of `{tenant}`: {what}"))
}

/// An entry from a row of [`sql::log_records`], and the hash of the entry before it.
pub(super) fn placed(court: &Court, tenant: &Tenant, row: &Row, prev: EntryHash, epoch: u64) -> Result<Placed, Failure> {
    let seq = row.uint(0)?;
    let (Some(bytes), Some(parts)) = (row.opt_blob(8)?, row.opt_blob(9)?) else {
        return Err(broken(tenant, seq, "its record is missing"));
    };
    let header = Header::decode(bytes).map_err(|e| broken(tenant, seq, e))?;
    let stream = header.n.is_none().then_some((row.uint(2)?, row.opt_bytes(4)?.map(RecordHash)));
    let entry = Entry {
        store: court.of.store,
        epoch,
        tenant: tenant.clone(),
        seq,
        prev,
        sealed_at: Timestamp(row.int(3)?),
        stream,
        disputed: row.opt_uint(5)?.map(|d| d as u16),
        header: bytes.to_vec(),
    };
    Ok(Placed { entry, header, parts: parts.to_vec() })
}

/// The record at a place in a tenant's log.
pub(crate) fn at(tx: &Tx<'_>, court: &Court, tenant: &Tenant, seq: u64) -> Result<Placed, Failure> {
    let lost = || broken(tenant, seq, "it is missing");
    let epochs = Epochs::of(tx, tenant, court.of)?;
    let before = match seq.checked_sub(1) {
        None => None,
        Some(before) => Some(EntryHash(tx.row(&sql::entry_hash(tenant, before))?.ok_or_else(lost)?.bytes(0)?)),
    };
    let prev = epochs.prev(&court.of.store, tenant, seq, before);
    let row = tx.row(&sql::log_records(tenant, seq, 1))?.ok_or_else(lost)?;
    let placed = placed(court, tenant, &row, prev, epochs.at(seq))?;
    if placed.entry.seq == seq { Ok(placed) } else { Err(lost()) }
}

/// The bytes of an entry.
pub(crate) fn entry_bytes(tenant: &Tenant, placed: &Placed) -> Result<Vec<u8>, Failure> {
    placed.entry.encode().map_err(|e| broken(tenant, placed.entry.seq, e))
}

/// The places in the log of a thread's records below a size, from the first on.
pub(super) fn thread(tx: &Tx<'_>, tenant: &Tenant, thread: &Handle, size: u64) -> Result<Vec<u64>, Failure> {
    let mut places = Vec::new();
    let mut from = 0;
    loop {
        let page = tx.rows(&sql::thread_records(tenant, thread, from, 500))?;
        for row in &page {
            match row.opt_uint(3)?.filter(|seq| *seq < size) {
                Some(seq) => places.push(seq),
                None => return Ok(places),
            }
            from = row.uint(0)? + 1;
        }
        if page.is_empty() {
            return Ok(places);
        }
    }
}

/// Who is called what when parts are hidden.
pub(super) struct Whose<'w> {
    /// The key of the instance's data subject, and the fact that names it.
    pub(super) subject: Option<(KeyId, &'w str)>,
    pub(super) hide: Option<&'w Patterns>,
}

/// A record as an item, with its proof to a tree of this size.
pub(super) fn item(
    tx: &Tx<'_>,
    court: &Court,
    tenant: &Tenant,
    placed: &Placed,
    size: u64,
    whose: &Whose<'_>,
) -> Result<Item, Failure> {
    let seq = placed.entry.seq;
    let proof = court.inclusion(tx, tenant, seq, size)?;
    let (mut opened, mut withheld) = (Vec::new(), Vec::new());
    for stored in decode_stored(&placed.parts).map_err(|e| broken(tenant, seq, e))? {
        let owner = match whose.subject {
            _ if stored.is_clear() => "nobody",
            Some((key, fact)) if key == stored.key => fact,
            _ => "others",
        };
        let hidden = |slot| whose.hide.is_some_and(|hide| hide.hides(owner, part_name(slot)));
        match court.open_box(tx, &placed.header, &stored)? {
            None => {
                for (slot, index) in stored.places.iter().copied() {
                    // Asked for all the same: a pattern of what is gone is not misspelt.
                    let _ = hidden(slot);
                    withheld.push(Withheld { slot, index, why: Why::Erased });
                }
            }
            Some(parts) => {
                for part in parts {
                    if hidden(part.slot) {
                        withheld.push(Withheld { slot: part.slot, index: part.index, why: Why::Hidden });
                    } else {
                        opened.push(Opening { slot: part.slot, index: part.index, salt: part.salt, plaintext: part.plaintext });
                    }
                }
            }
        }
    }
    opened.sort_by_key(|p| (p.slot, p.index));
    withheld.sort_by_key(|p| (p.slot, p.index));
    Ok(Item { entry: entry_bytes(tenant, placed)?, proof, opened, withheld })
}

/// The key of the box in which a record's part of this slot lies.
pub(super) fn key_of(placed: &Placed, slot: hos_core::proof::record::Slot) -> Option<KeyId> {
    let boxes = decode_stored(&placed.parts).ok()?;
    let found = boxes.iter().find(|b| b.places.iter().any(|(s, _)| *s == slot))?;
    (!found.is_clear()).then_some(found.key)
}
