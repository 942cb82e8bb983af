//! What an erasure reads, changes and takes away.

use super::evidence::{int, tenant};
use super::state::uids_to;
use crate::store::{Sql, Statement};
use hos_core::id::{Handle, KeyId, MapKey, Name, RecordHash, Tenant, Uid};
use hos_core::judge::{Instance, encode_armed};

/// Instances whose facts are sealed under a key, as [`super::state::instances`] has them.
pub fn instances_of_key(t: &Tenant, key: &KeyId) -> Statement {
    Statement::new(
        "SELECT handle, n, last, state, version, entered_n, entered_at, last_time, law, contract_version, facts_key, facts, deadlines, contract, id
         FROM hos_instance WHERE tenant = ?1 AND facts_key = ?2 ORDER BY contract, id",
        [tenant(t), key.0.into()],
    )
}

/// What stands in an erased instance's row for an id that names a person: no UTF-8, so no id of a caller's; a hash, so that
/// the id is not given again.
pub fn tombstone_id(label: &MapKey) -> Vec<u8> {
    [&[0xff][..], label.as_bytes()].concat()
}

/// An erased instance whose id names a person: the thirteen columns of [`super::state::instance`].
pub fn tombstone(t: &Tenant, contract: &Name, label: &MapKey) -> Statement {
    Statement::new(
        "SELECT handle, n, last, state, version, entered_n, entered_at, last_time, law, contract_version, facts_key, facts, deadlines
         FROM hos_instance WHERE tenant = ?1 AND contract = ?2 AND id = ?3",
        [tenant(t), contract.as_str().into(), tombstone_id(label).into()],
    )
}

/// Ends an instance: its last record, no deadlines, another version (whoever read it before must not write it), and where the
/// id names a person, the tombstone in its place.
pub fn end_instance(
    t: &Tenant,
    i: &Instance,
    n: u64,
    last: &RecordHash,
    last_time: i64,
    tombstone: Option<&MapKey>,
) -> Statement {
    let id: Sql = match tombstone {
        Some(label) => tombstone_id(label).into(),
        None => i.id.as_str().as_bytes().into(),
    };
    Statement::new(
        "UPDATE hos_instance SET n = ?4, last = ?5, last_time = ?6, version = version + 1, deadlines = ?7, id = ?8
         WHERE tenant = ?1 AND contract = ?2 AND id = ?3 AND version = ?9",
        [
            tenant(t),
            i.contract.as_str().into(),
            i.id.as_str().as_bytes().into(),
            int(n),
            last.0.into(),
            last_time.into(),
            encode_armed(&[]).into(),
            id,
            int(i.version),
        ],
    )
}

/// Directory rows whose attributes are sealed under a key: the columns of [`super::state::directory_entities`].
pub fn entities_of_key(t: &Tenant, key: &KeyId) -> Statement {
    Statement::new(
        "SELECT type, id, handle, n, last, removed, attrs_key, attrs, parents FROM hos_directory
         WHERE tenant = ?1 AND attrs_key = ?2 ORDER BY type, id",
        [tenant(t), key.0.into()],
    )
}

/// Grants that name a person, as principal or as resource: the columns of [`super::state::grants`].
pub fn grants_naming(t: &Tenant, uid: &Uid) -> Statement {
    Statement::new(
        "SELECT id, handle, n, last, removed, template, principal, resource FROM hos_grant
         WHERE tenant = ?1 AND (principal = ?2 OR resource = ?2) ORDER BY id",
        [tenant(t), uids_to(&[uid.clone()].into()).into()],
    )
}

/// Takes a person's directory row away, for good.
pub fn delete_entity(t: &Tenant, uid: &Uid) -> Statement {
    Statement::new(
        "DELETE FROM hos_directory WHERE tenant = ?1 AND type = ?2 AND id = ?3",
        [tenant(t), uid.type_name().into(), uid.id().as_bytes().into()],
    )
}

/// Takes a grant away, for good.
pub fn delete_grant(t: &Tenant, id: &str) -> Statement {
    Statement::new("DELETE FROM hos_grant WHERE tenant = ?1 AND id = ?2", [tenant(t), id.as_bytes().into()])
}

/// All once-keys that are taken, those too whose records wait in the inbox: key, thread, n.
pub fn onces_taken(t: &Tenant) -> Statement {
    Statement::new("SELECT key, thread, n FROM hos_once WHERE tenant = ?1 AND n <> -1 ORDER BY key", [tenant(t)])
}

/// What stands beside a once-key that this record took: digest; none where the key is another record's by now.
pub fn once_digest(t: &Tenant, key: &[u8], thread: &Handle, n: i64) -> Statement {
    Statement::new(
        "SELECT digest FROM hos_once WHERE tenant = ?1 AND key = ?2 AND thread = ?3 AND n = ?4",
        [tenant(t), key.into(), thread.0.into(), n.into()],
    )
}

/// Takes a once-key away from the record that took it, for good.
pub fn delete_once(t: &Tenant, key: &[u8], thread: &Handle, n: i64) -> Statement {
    Statement::new(
        "DELETE FROM hos_once WHERE tenant = ?1 AND key = ?2 AND thread = ?3 AND n = ?4",
        [tenant(t), key.into(), thread.0.into(), n.into()],
    )
}

/// Forgets how often a principal was refused.
pub fn forget_refusals(t: &Tenant, principal: &[u8; 16]) -> Statement {
    Statement::new("DELETE FROM hos_refusal WHERE tenant = ?1 AND principal = ?2", [tenant(t), principal.into()])
}
