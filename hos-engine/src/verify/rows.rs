//! Every derived row of a tenant against the fold of its records.

use super::copies::same_copy;
use super::fold::{Fold, FoldedRow};
use super::{Pass, deadlines, gone, instances, messages, onces, owners};
use crate::Failure;
use crate::court::activation::{AHEAD_OF_LOG_MS, ONCE_KEPT_MS};
use crate::court::founding::{KEY_EPOCH, KEY_SEAL, KEY_STORE, encode_store};
use crate::court::settle::encode;
use crate::court::traces;
use crate::seal::Origin;
use crate::store::Statement;
use crate::store::Tx;
use crate::store::sql::{evidence as evidence_sql, law as law_sql, state as sql};
use hos_core::id::{Handle, Tenant};
use std::collections::HashSet;

/// What is wrong with a row of a thread that has none.
const ENDED: &str = "an erasure ended this thread, and took its row away";

/// Compares all derived rows of a tenant.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, fold: &mut Fold) -> Result<(), Failure> {
    let armed = instances::compare(tx, pass, tenant, fold)?;
    deadlines::compare(tx, pass, tenant, armed)?;
    let (onces, messages) = fold.operations(pass.room);
    let is_unsaid = |thread: &Handle, n: u64| fold.disputed.contains(&(*thread, n)) || !fold.covers(thread, n);
    onces::compare(tx, pass, tenant, onces, is_unsaid)?;
    messages::compare(tx, pass, tenant, messages, is_unsaid)?;
    directory(tx, pass, tenant, fold)?;
    grants(tx, pass, tenant, fold)?;
    streams(tx, pass, tenant, fold)?;
    if !fold.is_whole() {
        return Ok(());
    }
    let version = if tx.is_shared() {
        let rows = tx.rows(&law_sql::directory_stands(tenant))?;
        let own = rows.iter().find(|row| row.text(0).is_ok_and(|name| name == tenant.as_str()));
        own.map(|row| Ok::<_, crate::store::StoreError>(row.uint(1)? + row.uint(2)?))
    } else {
        tx.row(&law_sql::tenant_row(tenant))?.map(|row| row.uint(0))
    };
    match version {
        Some(Ok(version)) if version == fold.directory_version => {}
        _ => pass.findings.add(
            format!("hos_tenant {tenant}"),
            format!("column directory_version: the records come to {}", fold.directory_version),
        ),
    }
    Ok(())
}

fn directory(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, fold: &Fold) -> Result<(), Failure> {
    let mut seen: HashSet<Handle> = HashSet::new();
    for row in tx.rows(&sql::directory_entities(tenant))? {
        let name = format!("{}::{}", row.text(0).unwrap_or("?"), String::from_utf8_lossy(row.blob(1)?));
        let at = format!("hos_directory {tenant} {}", hos_core::id::Shown(&name));
        let sealed = match sql::entity_from(&row) {
            Ok(sealed) => sealed,
            Err(e) => {
                pass.findings.add(at, e.message);
                continue;
            }
        };
        seen.insert(sealed.thread.handle);
        match fold.directory.get(&sealed.thread.handle) {
            Some(FoldedRow::Entity { thread, entity, removed, joined }) => {
                let parents = gone::others(pass, tenant, &at, (&sealed.parents, &entity.parents), joined)?;
                let wanted = (&entity.uid, thread, removed, &entity.parents);
                if (&sealed.uid, &sealed.thread, &sealed.removed, &parents) != wanted {
                    pass.findings.add(at.clone(), "columns type, id, n, last, removed or parents: not what the records say");
                }
                same_copy(pass, &at, "attrs", sealed.attrs_key, &sealed.attrs, |found| found == Some(&encode(&entity.attrs)))?;
                owners::hold_row(pass, &at, sealed.attrs_key, &entity.uid)?;
            }
            Some(FoldedRow::Unreadable { thread, key }) => {
                if sealed.thread != *thread {
                    pass.findings.add(at.clone(), "columns n or last: not what the records say");
                }
                gone::entity(pass, tenant, &at, &sealed, *key)?;
            }
            Some(FoldedRow::Ended) => pass.findings.add(at, ENDED),
            None if !fold.has(&sealed.thread.handle) => {}
            Some(FoldedRow::Grant { .. }) | None => pass.findings.add(at, "column handle: no record is of this thread"),
        }
    }
    for (handle, row) in fold.directory.iter().filter(|(handle, _)| !seen.contains(handle)) {
        if let FoldedRow::Entity { entity, .. } = row {
            pass.findings
                .add(format!("hos_directory {tenant} thread {handle}"), format!("the row of `{}` is missing", entity.uid));
        }
    }
    Ok(())
}

fn grants(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, fold: &Fold) -> Result<(), Failure> {
    let mut seen: HashSet<Handle> = HashSet::new();
    for row in tx.rows(&sql::grants(tenant))? {
        let id = String::from_utf8_lossy(row.blob(0)?).into_owned();
        let at = format!("hos_grant {tenant} {}", hos_core::id::Shown(&id));
        let (thread, link, removed) = match sql::grant_from(&row) {
            Ok(grant) => grant,
            Err(e) => {
                pass.findings.add(at, e.message);
                continue;
            }
        };
        seen.insert(thread.handle);
        match fold.directory.get(&thread.handle) {
            Some(FoldedRow::Grant { thread: wanted, link: wanted_link, removed: wanted_removed }) => {
                if (&thread, &link, &removed) != (wanted, wanted_link, wanted_removed) {
                    pass.findings.add(at, "the row is not what the records say");
                }
            }
            Some(FoldedRow::Unreadable { thread: wanted, key }) => {
                if thread != *wanted {
                    pass.findings.add(at.clone(), "columns n or last: not what the records say");
                }
                gone::grant(pass, tenant, &at, &link, *key)?;
            }
            Some(FoldedRow::Ended) => pass.findings.add(at, ENDED),
            None if !fold.has(&thread.handle) => {}
            Some(FoldedRow::Entity { .. }) | None => pass.findings.add(at, "column handle: no record is of this thread"),
        }
    }
    for (handle, row) in fold.directory.iter().filter(|(handle, _)| !seen.contains(handle)) {
        if let FoldedRow::Grant { link, .. } = row {
            pass.findings.add(
                format!("hos_grant {tenant} thread {handle}"),
                format!("the row of `{}` is missing", hos_core::id::Shown(&link.id)),
            );
        }
    }
    Ok(())
}

fn streams(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, fold: &Fold) -> Result<(), Failure> {
    let mut seen = 0;
    for row in tx.rows(&evidence_sql::streams(tenant))? {
        let name = row.text(0).unwrap_or("?").to_owned();
        let found = (Handle(row.bytes(1)?), row.uint(2)?, hos_core::id::RecordHash(row.bytes(3)?));
        if !fold.has(&found.0) {
            continue;
        }
        seen += 1;
        let wanted = fold.streams.get(&found.0).map(|(name, n, last)| (name.as_str(), *n, *last));
        if wanted != Some((name.as_str(), found.1, found.2)) {
            pass.findings
                .add(format!("hos_stream {tenant} {}", hos_core::id::Shown(&name)), "the row is not what the records say");
        }
    }
    if seen != fold.streams.len() {
        pass.findings.add(format!("hos_stream {tenant}"), format!("{seen} rows are stored where {} belong", fold.streams.len()));
    }
    Ok(())
}

/// The store's own facts against the universe's records: id, epoch, key, activations, tenants.
pub(super) fn compare_store(tx: &Tx<'_>, pass: &mut Pass<'_>, fold: &Fold, tenants: &[Tenant]) -> Result<(), Failure> {
    let of = pass.court.of;
    if fold.founded.as_deref() != Some(&encode_store(Origin { epoch: 0, ..of })[..]) {
        pass.findings.add("hos_store", "store_id or epoch: not what the founding says");
    }
    let last = tx.rows(&evidence_sql::epochs(&Tenant::universe()))?.last().map_or(Ok(0), |row| row.uint(0))?;
    if last != of.epoch {
        pass.findings.add("hos_store epoch", "not the epoch that began last");
    }
    let public = pass.seals.current().map(|key| *key.as_bytes());
    if fold.keys != pass.key_records {
        pass.findings.add("hos.keys", "the records of keys are not those that the log has");
    }
    for row in tx.rows(&law_sql::store_values())? {
        let key = row.text(0)?.to_owned();
        let right = match key.as_str() {
            KEY_STORE => row.blob(1)? == of.store.as_bytes(),
            KEY_EPOCH => row.blob(1)? == of.epoch.to_be_bytes(),
            KEY_SEAL => public.is_some_and(|public| row.blob(1).is_ok_and(|stored| stored == public)),
            key => traces::of(key, row.blob(1)?).is_some(),
        };
        if !right {
            pass.findings.add(format!("hos_store {}", hos_core::id::Shown(&key)), "not what the records say");
        }
    }
    let waiting = traces::left(tx)?.len();
    if waiting > 0 {
        pass.notices.push(format!("rows that {waiting} erasure(s) deleted may still lie in the file: `hos work` wipes them"));
    }
    let mut number = 0;
    for row in tx.rows(&law_sql::activations())? {
        let at = format!("hos_activation {number}");
        match law_sql::activation_from(&row) {
            Err(e) => pass.findings.add(at, e.message),
            Ok(a) => {
                let wanted = fold.activations.get(number as usize);
                let found = (a.record, (a.law, a.candidate, a.modes.encode()));
                if wanted != Some(&found) || a.n != number {
                    pass.findings.add(at.clone(), "the row is not what the records say");
                }
                for law in std::iter::once(a.law).chain(a.candidate).filter(|law| !pass.laws.has(law)) {
                    pass.findings.add(at.clone(), format!("law {law} is missing"));
                }
            }
        }
        number += 1;
    }
    if number != fold.activations.len() as u64 {
        pass.findings.add("hos_activation", format!("{number} rows are stored where {} belong", fold.activations.len()));
    }
    for row in tx.rows(&law_sql::tenants())? {
        let name = row.text(0)?.to_owned();
        let opened = if name == Tenant::UNIVERSE {
            fold.founded_at
        } else {
            fold.opened.iter().find(|(n, _)| *n == name).map(|(_, at)| *at)
        };
        if opened.map(|at| at.0) != Some(row.int(2)?) {
            pass.findings.add(
                format!("hos_tenant {}", hos_core::id::Shown(&name)),
                "column tenant or opened_at: not what the records say",
            );
        }
        once_floor(tx, pass, &name, row.int(3)?)?;
    }
    for (name, _) in fold.opened.iter().filter(|(name, _)| !tenants.iter().any(|t| t.as_str() == name)) {
        pass.findings.add(format!("hos_tenant {}", hos_core::id::Shown(name)), "the row is missing");
    }
    Ok(())
}

/// Since when a tenant's once-keys are kept, against the newest time that its log claims: a verifier's own clock says nothing of the one
/// by which they were forgotten.
fn once_floor(tx: &Tx<'_>, pass: &mut Pass<'_>, name: &str, floor: i64) -> Result<(), Failure> {
    let head = Tenant::new(name).ok().map(|tenant| tx.row(&evidence_sql::head(&tenant))).transpose()?.flatten();
    let sealed = head.map_or(Ok(0), |row| row.int(4))?;
    let most = |ahead: i64| sealed.saturating_add(ahead).saturating_sub(ONCE_KEPT_MS).max(0);
    let at = || format!("hos_tenant {}", hos_core::id::Shown(name));
    // Whoever confirmed the clock was believed further than the log is: then the time has come by now.
    let come = pass.court.clock.now().0.saturating_sub(ONCE_KEPT_MS);
    if floor < 0 || floor > most(pass.court.settings.limits.jump_max_ms).max(come) {
        pass.findings.add(at(), "column once_floor: later than once-keys may be forgotten");
    } else if floor > most(AHEAD_OF_LOG_MS) {
        let what = "once-keys were forgotten that the log does not show to be past their time";
        let why = "older versions went by their clock alone; if that was ahead, a call that comes again under one of them is done again";
        pass.notices.push(format!("{}, column once_floor: {what}: {why}", at()));
    }
    Ok(())
}

/// The tenants that each table names, to find rows of none.
pub(super) fn tenants_by_table() -> Vec<(&'static str, Statement)> {
    macro_rules! tables {
        ($($table:literal),*) => {
            vec![$(($table, Statement::new(concat!("SELECT DISTINCT tenant FROM ", $table), []))),*]
        };
    }
    tables!(
        "hos_store",
        "hos_law",
        "hos_activation",
        "hos_stream",
        "hos_record",
        "hos_entry",
        "hos_epoch",
        "hos_head",
        "hos_tile",
        "hos_checkpoint",
        "hos_root",
        "hos_cosigned",
        "hos_queue",
        "hos_once",
        "hos_instance",
        "hos_deadline",
        "hos_outbox",
        "hos_directory",
        "hos_grant",
        "hos_refusal",
        "hos_inbox",
        "hos_change",
        "hos_vault"
    )
}
