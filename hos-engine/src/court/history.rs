//! Looking at what is stored: instances, threads, streams, proofs. Reads of one moment, bounded.

use crate::court::Court;
use crate::court::fetch::instance_row;
use crate::seal;
use crate::store::sql::{evidence as sql, state as state_sql};
use crate::store::{Statement, Tx};
use crate::view::View;
use crate::{Failure, HistoryEntry};
use hos_core::answer::{Receipt, Seal};
use hos_core::canon::Reader;
use hos_core::digest;
use hos_core::id::{EntryHash, Handle, InstanceId, Name, Tenant, TreeHash};
use hos_core::judge::Instance;
use hos_core::proof::part::PartError;
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::stored::{Opened, StoredBox, decode_stored};
use hos_core::proof::tree::{prove_consistency, prove_inclusion};
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};

/// The longest page of a history.
pub(crate) const PAGE_MAX: usize = 1000;
/// Behind how many stored bytes a page ends: each record is held several times over until its reader has it.
const PAGE_BYTES: u64 = 16 << 20;

impl Court {
    /// The instance as it stands.
    pub(crate) fn look_at(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        view: &View,
        contract: &Name,
        id: &InstanceId,
    ) -> Result<Option<Instance>, Failure> {
        let Some(row) = instance_row(tx, tenant, contract, id)? else { return Ok(None) };
        let sealed = state_sql::instance_from(&row, contract.clone(), id.clone())?;
        self.open_instance(tx, view, sealed.instance, &sealed.facts_key, &sealed.facts, &self.reading_keys(tx)?)
    }

    /// A page of a thread's records, opened as far as keys allow. It holds one at least, if there is any; the next page begins behind its
    /// last.
    pub(crate) fn history(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        thread: &Handle,
        from: u64,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, Failure> {
        let limit = in_a_page(tx, &sql::thread_sizes(tenant, thread, from, limit.min(PAGE_MAX)))?;
        let mut entries = Vec::new();
        for row in tx.rows(&sql::thread_records(tenant, thread, from, limit))? {
            let seal = match (row.opt_uint(3)?, row.opt_bytes(4)?) {
                (Some(seq), Some(entry)) => Some(Seal { seq, entry: EntryHash(entry), checkpoint: None }),
                _ => None,
            };
            entries.push(self.opened(tx, tenant, thread, row.uint(0)?, [row.blob(1)?, row.blob(2)?], seal)?);
        }
        Ok(entries)
    }

    /// A page of a tenant's records in the order of its log, from a place on, opened as far as keys allow. It holds one at least, if there
    /// is any.
    pub(crate) fn log(&self, tx: &Tx<'_>, tenant: &Tenant, from: u64, limit: usize) -> Result<Vec<HistoryEntry>, Failure> {
        let limit = in_a_page(tx, &sql::log_sizes(tenant, from, limit.min(PAGE_MAX)))?;
        let mut entries = Vec::new();
        for row in tx.rows(&sql::log_records(tenant, from, limit))? {
            let (seq, thread, n) = (row.uint(0)?, Handle(row.bytes(1)?), row.uint(2)?);
            let seal = Seal { seq, entry: EntryHash(row.bytes(6)?), checkpoint: None };
            entries.push(self.opened(tx, tenant, &thread, n, [row.blob(8)?, row.blob(9)?], Some(seal))?);
        }
        Ok(entries)
    }

    fn opened(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        thread: &Handle,
        n: u64,
        [bytes, parts]: [&[u8]; 2],
        seal: Option<Seal>,
    ) -> Result<HistoryEntry, Failure> {
        let broken = |what: String| Failure::new(Code::StoreIntegrity, format!("record {thread}/{n} of `{tenant}`: {what}"));
        let header = Header::decode(bytes).map_err(|e| broken(e.to_string()))?;
        let stored = decode_stored(parts).map_err(|e| broken(e.to_string()))?;
        let receipt = Receipt { tenant: tenant.clone(), thread: *thread, n: Some(n), record: digest::record_hash(bytes), seal };
        let (mut opened, mut erased) = (Vec::new(), Vec::new());
        for stored in &stored {
            match self.open_box(tx, &header, stored)? {
                Some(parts) => opened.extend(parts),
                None => erased.extend(stored.places.iter().copied()),
            }
        }
        opened.sort_by_key(|part| (part.slot, part.index));
        erased.sort_unstable();
        let parts = opened.iter().map(|p| (part_name(p.slot).to_owned(), shown(header.kind, p.slot, &p.plaintext))).collect();
        let erased = erased.iter().map(|(slot, _)| part_name(*slot).to_owned()).collect();
        Ok(HistoryEntry { receipt, header, parts, erased })
    }

    /// The parts in a box; `None` when its key is gone.
    pub(crate) fn open_box(&self, tx: &Tx<'_>, header: &Header, stored: &StoredBox<'_>) -> Result<Option<Vec<Opened>>, Failure> {
        let key = if stored.is_clear() { None } else { self.keys(tx).by_id(&stored.key, &self.reading_keys(tx)?)? };
        match stored.open_listed(key.as_ref(), &header.parts) {
            Ok(opened) => Ok(Some(opened)),
            Err(PartError::KeyMissing) => Ok(None),
            Err(e) => Err(Failure::new(Code::StoreIntegrity, format!("parts {:?}: {e}", stored.places))),
        }
    }

    /// What one of the engine's own records says: the content that is nobody's.
    pub(crate) fn own(&self, tx: &Tx<'_>, tenant: &Tenant, thread: &Handle, n: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some(row) = tx.row(&sql::record(tenant, thread, n))? else { return Ok(None) };
        let broken = |e: &dyn std::fmt::Display| Failure::new(Code::StoreIntegrity, format!("record {thread}/{n}: {e}"));
        let header = Header::decode(row.blob(0)?).map_err(|e| broken(&e))?;
        let boxes = decode_stored(row.blob(1)?).map_err(|e| broken(&e))?;
        let Some(stored) = boxes.iter().find(|stored| stored.is_clear()) else { return Ok(None) };
        let opened = self.open_box(tx, &header, stored)?;
        Ok(opened.and_then(|parts| parts.into_iter().find(|p| p.slot == Slot::Change)).map(|p| p.plaintext))
    }

    /// The newest payload of a stream.
    pub(crate) fn last_note(&self, tx: &Tx<'_>, tenant: &Tenant, stream: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(row) = tx.row(&sql::stream(tenant, stream))? else { return Ok(None) };
        let (thread, n) = (Handle(row.bytes(0)?), row.uint(1)?);
        let lost = || Failure::new(Code::StoreIntegrity, format!("record {thread}/{n} of `{tenant}` is missing"));
        let row = tx.row(&sql::record(tenant, &thread, n))?.ok_or_else(lost)?;
        let header = Header::decode(row.blob(0)?).map_err(|_| lost())?;
        let boxes = decode_stored(row.blob(1)?).map_err(|_| lost())?;
        let of = boxes.iter().find(|b| b.places.iter().any(|(slot, _)| *slot == Slot::Payload));
        let Some(stored) = of else { return Ok(Some(Vec::new())) };
        let opened = self.open_box(tx, &header, stored)?;
        Ok(opened.and_then(|parts| parts.into_iter().find(|p| p.slot == Slot::Payload)).map(|p| p.plaintext))
    }

    /// An inclusion proof.
    pub(crate) fn inclusion(&self, tx: &Tx<'_>, tenant: &Tenant, seq: u64, size: u64) -> Result<Vec<TreeHash>, Failure> {
        let size_now = seal::head(tx, tenant, self.of)?.size;
        prove_inclusion(seq, size, &|level, index| seal::node(tx, tenant, size_now, level, index)).map_err(no_proof)
    }

    /// A consistency proof.
    pub(crate) fn consistency(&self, tx: &Tx<'_>, tenant: &Tenant, from: u64, to: u64) -> Result<Vec<TreeHash>, Failure> {
        let size_now = seal::head(tx, tenant, self.of)?.size;
        prove_consistency(from, to, &|level, index| seal::node(tx, tenant, size_now, level, index)).map_err(no_proof)
    }
}

/// How many records of these sizes make a page.
fn in_a_page(tx: &Tx<'_>, sizes: &Statement) -> Result<usize, Failure> {
    let (mut count, mut bytes) = (0, 0u64);
    for row in tx.rows(sizes)? {
        bytes = bytes.saturating_add(row.uint(0)?);
        if count > 0 && bytes > PAGE_BYTES {
            break;
        }
        count += 1;
    }
    Ok(count)
}

fn no_proof(error: hos_core::proof::tree::TreeError) -> Failure {
    Failure::new(Code::CallMalformed, format!("no such proof: {error}"))
}

/// The name under which a part is shown.
pub(crate) fn part_name(slot: Slot) -> &'static str {
    match slot {
        Slot::Principal => "principal",
        Slot::Slice => "slice",
        Slot::Facts => "facts",
        Slot::Args => "args",
        Slot::Context => "context",
        Slot::Id => "id",
        Slot::Once => "once",
        Slot::Payload => "payload",
        Slot::Change => "change",
        Slot::Blockers => "blockers",
        Slot::Effects => "effects",
        Slot::Legacy => "legacy",
        Slot::Deadlines => "deadlines",
    }
}

/// A part's content for a person: a record of values where it is one, else one field that says it.
fn shown(kind: Kind, slot: Slot, bytes: &[u8]) -> Record {
    let one = |name: &str, text: String| Record::from([(name.to_owned(), Value::String(text))]);
    let values = || {
        let mut r = Reader::new(bytes);
        let record = r.record().ok()?;
        r.end().ok().map(|()| record)
    };
    let known = match slot {
        Slot::Principal => {
            hos_core::judge::decode_entity(bytes).ok().map(|uid| Record::from([("uid".to_owned(), Value::Entity(uid))]))
        }
        Slot::Id | Slot::Legacy => hos_core::judge::decode_text(bytes).ok().map(|text| one("text", text)),
        Slot::Facts | Slot::Args | Slot::Context => values(),
        Slot::Once => hos_core::judge::decode_once(bytes).ok().map(|(key, _)| one("key", key.as_str().to_owned())),
        Slot::Blockers => hos_core::judge::decode_blockers(bytes)
            .ok()
            .map(|all| all.into_iter().enumerate().map(|(i, b)| (i.to_string(), Value::String(b.to_string()))).collect()),
        Slot::Effects => hos_core::judge::decode_messages(bytes)
            .ok()
            .map(|all| all.into_iter().map(|m| (m.kind.as_str().to_owned(), Value::Record(m.body))).collect()),
        Slot::Deadlines => hos_core::judge::decode_armed(bytes)
            .ok()
            .map(|all| all.into_iter().map(|a| (a.event.as_str().to_owned(), Value::String(a.due.to_string()))).collect()),
        Slot::Slice => hos_core::judge::decode_slice(bytes)
            .ok()
            .map(|(entities, _)| entities.into_iter().map(|e| (e.uid.to_string(), Value::Record(e.attrs))).collect()),
        Slot::Payload if kind == Kind::Legacy => values(),
        Slot::Payload | Slot::Change => None,
    };
    known.unwrap_or_else(|| one("bytes", bytes.iter().map(|b| format!("{b:02x}")).collect()))
}
