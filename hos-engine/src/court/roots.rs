//! The universe's log as the log of all tenants' checkpoints: its records, written and read (`spec/chain.md`, "Roots").

use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::{Court, Group};
use crate::seal;
use crate::store::Tx;
use crate::store::sql::{evidence as sql, witness as witness_sql};
use hos_core::id::{Handle, Tenant};
use hos_core::judge::{self, Act};
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::roots::{STREAM, TenantRoot};
use hos_core::proof::stored::decode_stored;
use hos_core::proof::tree;
use hos_core::refusal::Code;

/// How many records are read at once.
const PAGE: usize = 1000;

/// A record of the stream: its place there, its place in the log if it has one, what it says.
pub(crate) struct Said {
    pub(crate) n: u64,
    pub(crate) seq: Option<u64>,
    pub(crate) content: Result<Vec<u8>, String>,
}

/// The handle of the stream, once there is one.
pub(crate) fn stream(tx: &Tx<'_>) -> Result<Option<Handle>, Failure> {
    tx.row(&sql::stream(&Tenant::universe(), STREAM))?.map(|row| Ok(Handle(row.bytes(0)?))).transpose()
}

/// Hands over every record of the stream, in order.
pub(crate) fn each(tx: &Tx<'_>, take: &mut dyn FnMut(Said)) -> Result<(), Failure> {
    let Some(thread) = stream(tx)? else { return Ok(()) };
    let mut from = 0;
    loop {
        let page = tx.rows(&sql::thread_records(&Tenant::universe(), &thread, from, PAGE))?;
        for row in &page {
            let n = row.uint(0)?;
            take(Said { n, seq: row.opt_uint(3)?, content: content(row.blob(1)?, row.blob(2)?) });
            from = n + 1;
        }
        if page.len() < PAGE {
            return Ok(());
        }
    }
}

/// What a record of the store's own says, in the clear: its part `change`.
pub(crate) fn content(header: &[u8], parts: &[u8]) -> Result<Vec<u8>, String> {
    let header = Header::decode(header).map_err(|e| e.to_string())?;
    let boxes = decode_stored(parts).map_err(|e| e.to_string())?;
    let said = boxes.iter().find(|b| b.is_clear()).ok_or("nothing is said")?;
    let opened = said.open_listed(None, &header.parts).map_err(|e| e.to_string())?;
    opened.into_iter().find(|part| part.slot == Slot::Change).map(|part| part.plaintext).ok_or_else(|| "nothing is said".into())
}

/// The newest size of a tenant that is recorded, and its record's place in the stream.
pub(crate) fn recorded(tx: &Tx<'_>, tenant: &Tenant) -> Result<Option<(u64, u64)>, Failure> {
    tx.row(&witness_sql::root(tenant))?.map(|row| Ok((row.uint(0)?, row.uint(1)?))).transpose()
}

impl Court {
    /// Records the roots of tenants, each unless it is recorded already. Gives each record's place in the stream; none where a
    /// larger size is recorded, behind which a smaller one cannot stand.
    pub(crate) fn record_roots(&self, tx: &Tx<'_>, group: &mut Group, roots: &[TenantRoot]) -> Result<Vec<Option<u64>>, Failure> {
        let mut places = Vec::with_capacity(roots.len());
        for root in roots {
            places.push(match recorded(tx, &root.tenant)? {
                Some((size, n)) if size == root.size => Some(n),
                Some((size, _)) if size > root.size => None,
                _ => Some(self.record_root(tx, group, root)?),
            });
        }
        Ok(places)
    }

    fn record_root(&self, tx: &Tx<'_>, group: &mut Group, root: &TenantRoot) -> Result<u64, Failure> {
        // Whoever cosigns the universe vouches for this: it is made anew from the log, whoever asks for the record.
        let head = seal::head(tx, &root.tenant, self.of)?;
        let nodes = |level, index| seal::node(tx, &root.tenant, head.size, level, index);
        let is_there = root.size > 0
            && root.size <= head.size
            && tree::root(root.size, &nodes) == Ok(root.root)
            && Epochs::of(tx, &root.tenant, self.of)?.at(root.size - 1) == root.epoch;
        if !is_there {
            return Err(Failure::new(Code::StoreIntegrity, format!("the log is another than its checkpoint says: {root}")));
        }
        let universe = Tenant::universe();
        let view = self.view(tx, group, &universe)?;
        let bench = self.bench(tx, group, &universe, &view, None)?;
        let act = Act { kind: Kind::Checkpoint, stream: STREAM, by: None, change: &root.encode(), judged: None };
        let draft = judge::act(&bench, &act)?;
        let (_, n, _) = self.write_own(tx, group, &universe, draft, &bench.seed)?;
        tx.execute(&witness_sql::put_root(&root.tenant, root.size, n))?;
        Ok(n)
    }
}
