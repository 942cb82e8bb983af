//! Rows of the directory whose last change nobody can read any more, for the key is gone that it lies under: what such a row may still say,
//! and of whom. Whether it may be there at all is told when all erasures are known ([`super::erasures`]).

use super::copies::{Opened, open};
use super::erasures::Stands;
use super::{Pass, owners};
use crate::Failure;
use crate::court::settle::encode;
use crate::store::sql::state::SealedEntity;
use hos_core::id::{KeyId, Tenant, Uid};
use hos_core::policy::Link;
use hos_core::value::Record;
use std::collections::BTreeSet;

/// What is wrong with a row that is not of whom its record was.
const ANOTHERS: &str = "what the records say is under a key that is gone, and this is not of whose it was";

/// The parents that a row names; but for persons whose keys are gone and who are not among those that the records name, where it is under
/// these keys whether the row is in them.
pub(super) fn others(
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    at: &str,
    (found, said): (&BTreeSet<Uid>, &BTreeSet<Uid>),
    keys: &[KeyId],
) -> Result<BTreeSet<Uid>, Failure> {
    let mut others = found.clone();
    if keys.is_empty() {
        return Ok(others);
    }
    for person in found.difference(said) {
        if let Some(key) = owners::key_of(pass, person)?.filter(|key| keys.contains(key)) {
            others.remove(person);
            pass.gone.stands(tenant, at, key, Stands::Row);
        }
    }
    Ok(others)
}

/// A row of an entity. It is the person's own, and sealed as that; or of what is no person, joined or left the person, and says no more.
pub(super) fn entity(
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    at: &str,
    row: &SealedEntity,
    key: Option<KeyId>,
) -> Result<(), Failure> {
    let Some(key) = key else {
        // Nothing is vouched for of its record, which is found by itself.
        if !row.removed && !pass.ring.is_destroyed(&row.attrs_key)? {
            pass.findings.add(at, format!("column attrs_key: {ANOTHERS}"));
        }
        return Ok(());
    };
    if row.attrs_key == key {
        if owners::key_of(pass, &row.uid)? == Some(key) {
            pass.gone.stands(tenant, at, key, Stands::Row);
        } else {
            pass.findings.add(at, format!("columns type and id: {ANOTHERS}"));
        }
        return Ok(());
    }
    let nothing = encode(&Record::new());
    let is_bare = matches!(open(pass, at, "attrs", row.attrs_key, &row.attrs)?, Opened::Copy(attrs) if attrs == nothing);
    if is_bare && others(pass, tenant, at, (&row.parents, &BTreeSet::new()), &[key])?.is_empty() {
        pass.gone.stands(tenant, at, key, Stands::Bare);
    } else {
        pass.findings.add(at, format!("columns attrs_key, attrs or parents: {ANOTHERS}"));
    }
    Ok(())
}

/// A grant. Its record was sealed for the first person whom it names.
pub(super) fn grant(pass: &mut Pass<'_>, tenant: &Tenant, at: &str, link: &Link, key: Option<KeyId>) -> Result<(), Failure> {
    let Some(key) = key else { return Ok(()) };
    let mut whose = None;
    for uid in link.principal.iter().chain(&link.resource) {
        if whose.is_none() {
            whose = owners::key_of(pass, uid)?;
        }
    }
    if whose == Some(key) {
        pass.gone.stands(tenant, at, key, Stands::Row);
    } else {
        pass.findings.add(at, format!("columns principal or resource: {ANOTHERS}"));
    }
    Ok(())
}
