//! A record by its place in a log, held against a tree: a row alone says nothing of what was signed.

use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::roots;
use crate::seal::{self, Origin};
use crate::store::sql::evidence as sql;
use crate::store::{Row, Tx};
use hos_core::digest;
use hos_core::id::{EntryHash, Handle, RecordHash, Tenant, TreeHash};
use hos_core::proof::chain::EntryView;
use hos_core::proof::record::{Header, Kind};
use hos_core::proof::tree::{prove_inclusion, verify_inclusion};
use hos_core::time::Timestamp;

/// A record, as the rows of an entry and its own say.
pub(crate) struct Placed {
    seq: u64,
    leaf: TreeHash,
    kind: Option<Kind>,
    record: Row,
}

impl Placed {
    /// Reads it; nothing where the rows make no entry.
    pub(crate) fn read(tx: &Tx<'_>, of: Origin, tenant: &Tenant, seq: u64) -> Result<Option<Self>, Failure> {
        let entry = |seq| Ok::<_, Failure>(tx.row(&sql::log_page(tenant, seq, 1))?.filter(|row| row.uint(0) == Ok(seq)));
        let Some(row) = entry(seq)? else { return Ok(None) };
        let (thread, n) = (Handle(row.bytes(1)?), row.uint(2)?);
        let Some(record) = tx.row(&sql::record(tenant, &thread, n))? else { return Ok(None) };
        let before = match seq.checked_sub(1) {
            Some(before) => entry(before)?.map(|row| row.bytes(6)).transpose()?.map(EntryHash),
            None => None,
        };
        let header = Header::decode(record.blob(0)?).ok();
        let is_of_stream = header.as_ref().is_some_and(|header| header.n.is_none());
        let epochs = Epochs::of(tx, tenant, of)?;
        let view = EntryView {
            store: of.store,
            epoch: epochs.at(seq),
            tenant: tenant.as_str(),
            seq,
            prev: epochs.prev(&of.store, tenant, seq, before),
            sealed_at: Timestamp(row.int(3)?),
            stream: if is_of_stream { Some((n, row.opt_bytes(4)?.map(RecordHash))) } else { None },
            disputed: row.opt_uint(5)?.map(|number| u16::try_from(number).unwrap_or(u16::MAX)),
            header: record.blob(0)?,
        };
        let Ok(bytes) = view.encode_into(Vec::new()) else { return Ok(None) };
        Ok(Some(Self { seq, leaf: digest::tree_leaf(&bytes), kind: header.map(|header| header.kind), record }))
    }

    /// Its place.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// What it says, where it is of this kind.
    pub(crate) fn says(&self, kind: Kind) -> Option<Result<Vec<u8>, String>> {
        if self.kind != Some(kind) {
            return None;
        }
        Some(match (self.record.blob(0), self.record.blob(1)) {
            (Ok(header), Ok(parts)) => roots::content(header, parts),
            (Err(error), _) | (_, Err(error)) => Err(error.message),
        })
    }

    /// Whether the log's tree of this size and root has it in its place. The proof is made of what is stored, of a log that has so many
    /// entries now, and believed by itself alone.
    pub(crate) fn is_in(&self, tx: &Tx<'_>, tenant: &Tenant, now: u64, size: u64, root: &TreeHash) -> bool {
        let nodes = |level, index| seal::node(tx, tenant, now, level, index);
        let proof = prove_inclusion(self.seq, size, &nodes);
        proof.is_ok_and(|proof| verify_inclusion(self.seq, size, &self.leaf, &proof, root).is_ok())
    }
}
