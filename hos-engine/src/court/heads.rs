//! The record of a tenant's map of heads: where each thread ends as of the entries below it (`spec/heads.md`).
//!
//! The map is made from the records themselves, one thread at a time, and is nowhere kept: 64 bytes a thread while it is
//! made.

use crate::Failure;
use crate::court::fetch::instance_row;
use crate::court::{Court, Group};
use crate::seal;
use crate::store::Row;
use crate::store::Statement;
use crate::store::Tx;
use crate::store::sql::{evidence as sql, state as state_sql};
use crate::work::HeadsDone;
use hos_core::canon::{Reader, Writer};
use hos_core::digest;
use hos_core::id::{Handle, InstanceId, MapHash, Name, Tenant};
use hos_core::judge::{self, Act};
use hos_core::proof::heads::{Head, HeadKind, HeadsBuilder, HeadsMap};
use hos_core::proof::record::{Header, Kind};
use hos_core::refusal::Code;

/// The stream of these records.
pub(crate) const STREAM_HEADS: &str = "hos.heads";

/// What such a record holds: `[size, count, root]`.
pub(crate) fn encode_heads(size: u64, count: u64, root: &MapHash) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(3).uint(size).uint(count).bytes(root.as_bytes());
    w.finish()
}

/// Reads what such a record holds.
pub(crate) fn decode_heads(bytes: &[u8]) -> Option<(u64, u64, MapHash)> {
    let mut r = Reader::new(bytes);
    r.array_of(3).ok()?;
    let said = (r.uint().ok()?, r.uint().ok()?, MapHash(r.bytes_of().ok()?));
    r.end().ok().map(|()| said)
}

/// Where a thread ends, from the headers of its last and its first record.
pub(crate) fn head_of(tenant: &Tenant, thread: Handle, n: u64, last: &[u8], first: Option<&[u8]>) -> Result<Head, Failure> {
    let broken = |e: &dyn std::fmt::Display| Failure::new(Code::StoreIntegrity, format!("thread {thread} of `{tenant}`: {e}"));
    let ended = Header::decode(last).map_err(|e| broken(&e))?;
    let label = match first {
        Some(first) => Header::decode(first).map_err(|e| broken(&e))?.label,
        None => return Err(broken(&"its first record is missing")),
    };
    let key = label.unwrap_or_else(|| digest::heads_thread(tenant, &thread));
    let kind = if ended.kind == Kind::Erased && ended.n.is_some() { HeadKind::Erased } else { HeadKind::Live };
    Ok(Head { key, kind, thread, n, last: digest::record_hash(last) })
}

/// The map of a tenant's threads, each as `ends` says, and where one thread ends. `without` is a thread's last record, to be left out.
pub(crate) fn map(
    tx: &Tx<'_>,
    tenant: &Tenant,
    ends: &Statement,
    wanted: Option<Handle>,
    without: Option<(Handle, u64)>,
) -> Result<(HeadsMap, Option<Head>), Failure> {
    let mut builder = HeadsBuilder::default();
    let (mut found, mut failed) = (None, None);
    let mut take = |row: &Row| -> Result<(), Failure> {
        let (thread, n) = (Handle(row.bytes(0)?), row.uint(1)?);
        let head = match without.filter(|last| *last == (thread, n)) {
            None => head_of(tenant, thread, n, row.blob(2)?, row.opt_blob(3)?)?,
            Some(_) => {
                let Some(before) = n.checked_sub(1) else { return Ok(()) };
                let lost = || Failure::new(Code::StoreIntegrity, format!("record {thread}/{before} of `{tenant}` is missing"));
                let last = tx.row(&sql::record(tenant, &thread, before))?.ok_or_else(lost)?;
                head_of(tenant, thread, before, last.blob(0)?, row.opt_blob(3)?)?
            }
        };
        if wanted == Some(thread) {
            found = Some(head);
        }
        builder.push(&head);
        Ok(())
    };
    tx.each(ends, |row| {
        if failed.is_none() {
            failed = take(&row).err();
        }
        Ok(())
    })?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    let map = builder.finish().map_err(|e| Failure::new(Code::StoreIntegrity, format!("`{tenant}`: {e}")))?;
    Ok((map, found))
}

/// An entry's place in the log, and its record's thread and place there.
type Newest = (u64, (Handle, u64));

/// The log's last entry, if it is a record of the map: its place, its thread and its place there.
fn newest(tx: &Tx<'_>, tenant: &Tenant, size: u64) -> Result<Option<Newest>, Failure> {
    let Some(seq) = size.checked_sub(1) else { return Ok(None) };
    let Some(row) = tx.row(&sql::log_records(tenant, seq, 1))? else { return Ok(None) };
    let is_one = row.opt_blob(8)?.and_then(|bytes| Header::decode(bytes).ok()).is_some_and(|h| h.kind == Kind::Heads);
    let undisputed = row.opt_uint(5)?.is_none();
    Ok(if is_one && undisputed { Some((seq, (Handle(row.bytes(1)?), row.uint(2)?))) } else { None })
}

impl Court {
    /// Writes the record, unless the log ends with one already. What waits for its place is sealed before it, so its own place is known.
    pub(crate) fn heads(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        of: Option<&(Name, InstanceId)>,
    ) -> Result<HeadsDone, Failure> {
        let wanted = match of {
            None => None,
            Some((contract, id)) => {
                let unknown = || Failure::new(Code::InstanceUnknown, format!("`{contract}/{id}`"));
                let row = instance_row(tx, tenant, contract, id)?.ok_or_else(unknown)?;
                Some(state_sql::instance_from(&row, contract.clone(), id.clone())?.instance.handle)
            }
        };
        let (ends, sealed, unsealed) = if tx.is_shared() {
            // Others write beside us, and what they commit while we look would come in between: the end of the log is held, and what
            // has no place below it by now counts for nothing.
            (sql::sealed_ends(tenant), self.drain_whole(tx, group, tenant)?, 0)
        } else {
            let waiting = tx.row(&sql::queue_len(tenant))?.map_or(Ok(0), |row| row.uint(0))?;
            let written = group.unsealed.iter().filter(|record| record.tenant == *tenant).count() as u64;
            (sql::ends(tenant), seal::head(tx, tenant, self.of)?.size, waiting + written)
        };
        if unsealed == 0
            && let Some((seq, last)) = newest(tx, tenant, sealed)?
        {
            // Nothing was written since: the record that is there says it.
            let (map, found) = map(tx, tenant, &ends, wanted, Some(last))?;
            return Ok(HeadsDone { seq, proved: found.map(|head| (head, map.way(&head.key).siblings)) });
        }
        let (map, found) = map(tx, tenant, &ends, wanted, None)?;
        let seq = sealed + unsealed;
        let change = encode_heads(seq, map.len() as u64, &map.root());
        let view = self.view(tx, group, tenant)?;
        let bench = self.bench(tx, group, tenant, &view, None)?;
        let act = Act { kind: Kind::Heads, stream: STREAM_HEADS, by: None, change: &change, judged: None };
        let draft = judge::act(&bench, &act)?;
        let (thread, n, _) = self.write_own(tx, group, tenant, draft, &bench.seed)?;
        if tx.is_shared() && self.seal_next(tx, group, tenant, &thread, n)? != seq {
            // A map at another place than it says would be wrong for good: nothing of this is stored.
            return Err(Failure::new(Code::Internal, format!("the map of heads of `{tenant}` has another place than {seq}")));
        }
        let proved = found.map(|head| (head, map.way(&head.key).siblings));
        Ok(HeadsDone { seq, proved })
    }
}
