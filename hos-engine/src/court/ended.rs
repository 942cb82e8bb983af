//! Directory rows that an erasure took: no table has them any more, and what others did in their name still stands on them. The
//! evidence alone has their threads.

use crate::Failure;
use crate::court::founding::STREAM_ERASED;
use crate::court::{Court, streams};
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use hos_core::call::Change;
use hos_core::digest;
use hos_core::id::{Handle, RecordHash, Tenant, Uid};
use hos_core::judge::decode_change;
use hos_core::proof::record::{Header, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// How many records of a thread are read at once: most rows have few.
pub(super) const PAGE: usize = 16;

/// What slices cite of the directory: each record, with the entity that it made, or none where that is a grant.
pub(crate) type Wanted = BTreeMap<RecordHash, Option<Uid>>;

/// The threads of a tenant's directory rows that erasures took.
pub(crate) fn ended_rows(tx: &Tx<'_>, tenant: &Tenant) -> Result<Vec<Handle>, Failure> {
    let mut ended = Vec::new();
    // Each erasure has a record there: most stores need not be gone through.
    if streams::own_count(tx, STREAM_ERASED)? == 0 {
        return Ok(ended);
    }
    tx.each(&sql::ends(tenant), |row| {
        let kind = |column, bytes: &[u8]| match Header::decode(bytes) {
            Ok(header) => Ok(header.kind),
            Err(e) => Err(row.fault(column, &e.to_string())),
        };
        if kind(2, row.blob(2)?)? == Kind::Erased
            && let Some(first) = row.opt_blob(3)?
            && kind(3, first)? == Kind::Directory
        {
            ended.push(Handle(row.bytes(0)?));
        }
        Ok(())
    })?;
    Ok(ended)
}

/// Those of a log's ended rows that have a wanted record below a size; `above` a tenant's log, also those that were made for the
/// same entity, for a tenant's row stands on the universe's.
pub(crate) fn wanted_rows(
    tx: &Tx<'_>,
    court: &Court,
    tenant: &Tenant,
    size: u64,
    wanted: &Wanted,
    above: bool,
) -> Result<Vec<Handle>, Failure> {
    let entities: BTreeSet<&Uid> = wanted.values().flatten().filter(|_| above).collect();
    let mut found = Vec::new();
    for thread in ended_rows(tx, tenant)? {
        if has_one(tx, tenant, &thread, size, wanted)? || (above && is_of(tx, court, tenant, &thread, &entities)?) {
            found.push(thread);
        }
    }
    Ok(found)
}

fn has_one(tx: &Tx<'_>, tenant: &Tenant, thread: &Handle, size: u64, wanted: &Wanted) -> Result<bool, Failure> {
    let mut from = 0;
    loop {
        let page = tx.rows(&sql::thread_records(tenant, thread, from, PAGE))?;
        for row in &page {
            if row.opt_uint(3)?.is_none_or(|seq| seq >= size) {
                return Ok(false);
            }
            if wanted.contains_key(&digest::record_hash(row.blob(1)?)) {
                return Ok(true);
            }
            from = row.uint(0)? + 1;
        }
        if page.len() < PAGE {
            return Ok(false);
        }
    }
}

/// Whether a row of the universe began as one of these; what is sealed under a key that is gone says nothing.
fn is_of(tx: &Tx<'_>, court: &Court, tenant: &Tenant, thread: &Handle, entities: &BTreeSet<&Uid>) -> Result<bool, Failure> {
    let first = court.own(tx, tenant, thread, 0)?.and_then(|bytes| decode_change(&bytes).ok());
    Ok(matches!(&first, Some(Change::Put { uid, .. }) if entities.contains(uid)))
}
