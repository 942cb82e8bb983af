//! The messages that a tenant's records sent, and the rows of its outbox.

use super::Pass;
use super::copies::same_copy;
use super::fold::Fold;

use crate::Failure;
use crate::store::sql::operation as sql;
use crate::store::{Row, Tx};
use hos_core::id::{Handle, KeyId, Tenant};
use std::collections::HashSet;

/// Compares the rows with what the records sent, one by one: there may be millions.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, fold: &Fold) -> Result<(), Failure> {
    let (mut seen, mut place, mut failed) = (HashSet::new(), 0, None);
    tx.each(&sql::messages(tenant), |row| {
        if failed.is_none() {
            // A database's numbers are given before the commit: those of who rolled back are never used.
            let gaps = tx.is_shared();
            failed = message(pass, tenant, fold, &row, &mut seen, &mut place, gaps).err();
        }
        Ok(())
    })?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    for (thread, n, i) in fold.messages.keys().filter(|key| !seen.contains(*key)) {
        pass.findings.add(format!("hos_outbox {tenant} thread {thread}, n {n}, i {i}"), "the row is missing");
    }
    Ok(())
}

fn message(
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    fold: &Fold,
    row: &Row,
    seen: &mut HashSet<(Handle, u64, u64)>,
    place: &mut u64,
    gaps: bool,
) -> Result<(), Failure> {
    *place += 1;
    let (pos, thread, n, i) = (row.uint(0)?, Handle(row.bytes(1)?), row.uint(2)?, row.uint(3)?);
    let at = format!("hos_outbox {tenant} pos {pos}");
    if pos != *place && !gaps {
        pass.findings.add(at.clone(), "column pos: messages are missing before it");
        *place = pos;
    }
    match fold.messages.get(&(thread, n, i)) {
        Some((kind, body)) => {
            if row.text(4)? != kind {
                pass.findings.add(at.clone(), "column kind: not what the records say");
            }
            same_copy(pass, &at, "body", KeyId(row.bytes(5)?), row.blob(6)?, Some(body))?;
        }
        None if fold.disputed.contains(&(thread, n)) || !fold.covers(&thread, n) => {}
        // It was sealed for the person whose key the record's own words were under.
        None if fold.unread_messages.contains(&(thread, n)) => {
            if !pass.ring.is_destroyed(&KeyId(row.bytes(5)?))? {
                pass.findings
                    .add(at.clone(), "column body_key: what the record sent is under a key that is gone, and this is not");
            }
        }
        None => pass.findings.add(at.clone(), "columns thread, n, i: no record made it"),
    }
    if !seen.insert((thread, n, i)) {
        pass.findings.add(at, "columns thread, n, i: another row has them too");
    }
    Ok(())
}
