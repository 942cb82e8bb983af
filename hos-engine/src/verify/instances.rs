//! The rows of instances against the fold of their records.

use super::Pass;
use super::copies::same_copy;
use super::deadlines::Armed;
use super::erasures::Stands;
use super::fold::Fold;
use super::folded::Folded;
use crate::Failure;
use crate::store::sql::state as sql;
use crate::store::{Row, StoreError, Tx};
use hos_core::id::{InstanceId, Name, Shown, Tenant};

/// Compares them, one by one: there may be millions. What the records armed is answered, for the rows of deadlines.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, fold: &mut Fold) -> Result<Armed, Failure> {
    let mut armed = Armed::new(pass.room, &fold.marks, fold.is_whole());
    let page = |last: Option<&Row>, limit| {
        let after = last.map(|row| Ok::<_, StoreError>((row.text(13)?, row.blob(14)?))).transpose()?;
        Ok(sql::instances(tenant, after, limit))
    };
    tx.pages(page, |row| instance(pass, tenant, fold, &mut armed, row))?;
    fold.instances.each(|handle, folded| {
        pass.findings.add(format!("hos_instance {tenant} thread {handle}"), "the row is missing");
        armed.by(handle, folded, folded.id)
    })?;
    Ok(armed)
}

fn instance(pass: &mut Pass<'_>, tenant: &Tenant, fold: &mut Fold, armed: &mut Armed, row: &Row) -> Result<(), Failure> {
    let name = row.text(13).unwrap_or("?").to_owned();
    let id = row.blob(14).map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
    let at = format!("hos_instance {tenant} {}/{}", Shown(&name), Shown(&id));
    let parsed = Name::new(&name).ok().zip(InstanceId::new(&id).ok());
    let Some((contract, instance_id)) = parsed else {
        pass.findings.add(at, "column contract or id: not a name");
        return Ok(());
    };
    let sealed = match sql::instance_from(row, contract, instance_id) {
        Ok(sealed) => sealed,
        Err(e) => {
            pass.findings.add(at, e.message);
            return Ok(());
        }
    };
    let i = &sealed.instance;
    if !fold.has(&i.handle) {
        return Ok(());
    }
    // Each is taken by the first row that has its handle.
    let Some(folded) = fold.instances.take(&i.handle)? else {
        pass.findings.add(at, "column handle: no record is of this thread, or another row has it too");
        return Ok(());
    };
    // Whose id can no longer be read is told by its label.
    let labelled = || fold.marks.of(hos_core::digest::heads_label(tenant, i.contract.as_str(), &id).as_bytes());
    let label = folded.label.filter(|_| folded.id.is_none()).map(|wanted| wanted == labelled());
    let known = folded.id.or_else(|| (label == Some(true)).then(|| fold.marks.of(id.as_bytes())));
    armed.by(&i.handle, &folded, known)?;
    let Folded { contract, n, last, state, version, entered_n, entered_at, last_time, law, contract_version, .. } = &folded;
    let mut wrong = Vec::new();
    let mut hold = |ok: bool, column: &'static str| {
        if !ok {
            wrong.push(column);
        }
    };
    hold(contract.as_ref() == Some(&i.contract), "contract");
    hold(folded.id.is_none_or(|wanted| wanted == fold.marks.of(id.as_bytes())), "id");
    hold(label != Some(false), "id");
    hold(*n == i.n, "n");
    hold(*last == i.last, "last");
    hold(state.as_ref() == Some(&i.state), "state");
    hold(*version == i.version, "version");
    hold(*entered_n == i.entered_n, "entered_n");
    hold(*entered_at == i.entered_at, "entered_at");
    hold(*last_time == i.last_time, "last_time");
    hold(*law == Some(i.law), "law");
    hold(*contract_version == i.contract_version, "contract_version");
    hold(folded.deadlines == i.deadlines, "deadlines");
    for column in wrong {
        pass.findings.add(at.clone(), format!("column {column}: not what the records say"));
    }
    let is_said = |found: Option<&[u8]>| found.map(|found| fold.marks.of(found)) == folded.facts;
    same_copy(pass, &at, "facts", sealed.facts_key, &sealed.facts, is_said)?;
    if !folded.ended && folded.facts.is_none() && pass.ring.is_destroyed(&sealed.facts_key)? {
        pass.gone.stands(tenant, &at, sealed.facts_key, Stands::Instance);
    }
    Ok(())
}
