//! What a host's transaction writes without waiting for anybody: records of named streams, whose places are given when they
//! are sealed; calls in shadow; changes of a directory.

use super::evidence::tenant;
use crate::store::{Sql, Statement};
use hos_core::id::{KeyId, MapKey, Tenant, Uid};

/// Puts a stream's record into the inbox; with the once-key that it took, if any.
pub fn insert(t: &Tenant, id: &[u8; 16], stream: &str, once: Option<&[u8]>, header: &[u8], parts: Vec<u8>) -> Statement {
    Statement::new(
        "INSERT INTO hos_inbox (tenant, id, stream, once, header, parts) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        [tenant(t), id.into(), stream.into(), once.map(<[u8]>::to_vec).into(), header.into(), parts.into()],
    )
}

/// Puts a call in shadow into the inbox, sealed under a key; `about` is the label of its instance, if it is of one.
pub fn insert_shadow(t: &Tenant, id: &[u8; 16], about: Option<&MapKey>, key: &KeyId, call: Vec<u8>) -> Statement {
    Statement::new(
        "INSERT INTO hos_inbox (tenant, id, stream, about, header, parts) VALUES (?1, ?2, '', ?3, ?4, ?5)",
        [tenant(t), id.into(), about.map(|label| *label.as_bytes()).into(), key.0.into(), call.into()],
    )
}

/// Whether calls in shadow of an instance wait: one row, or none.
pub fn waits_about(t: &Tenant, about: &MapKey) -> Statement {
    Statement::new("SELECT 1 FROM hos_inbox WHERE tenant = ?1 AND about = ?2 LIMIT 1", [tenant(t), about.as_bytes().into()])
}

/// Whether records of a stream wait: one row, or none.
pub fn waits_in(t: &Tenant, stream: &str) -> Statement {
    Statement::new("SELECT 1 FROM hos_inbox WHERE tenant = ?1 AND stream = ?2 LIMIT 1", [tenant(t), stream.into()])
}

/// The record that waits under an id: stream, header.
pub fn get(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new("SELECT stream, header FROM hos_inbox WHERE tenant = ?1 AND id = ?2 AND stream <> ''", [tenant(t), id.into()])
}

/// What waits under an id: header, parts.
pub fn record(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new("SELECT header, parts FROM hos_inbox WHERE tenant = ?1 AND id = ?2 AND stream <> ''", [tenant(t), id.into()])
}

/// Once-keys that are said to be taken by what waits, and are not: key.
pub fn onces_of_none(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT o.key FROM hos_once o WHERE o.tenant = ?1 AND o.n = -2 AND NOT EXISTS
           (SELECT 1 FROM hos_inbox i WHERE i.tenant = ?1 AND i.id = o.thread AND i.once = o.key)",
        [tenant(t)],
    )
}

/// What waits under an id, to be given its place: stream, once, header, parts, about.
pub fn waiting(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new(
        "SELECT stream, once, header, parts, about FROM hos_inbox WHERE tenant = ?1 AND id = ?2",
        [tenant(t), id.into()],
    )
}

/// Takes what waited out of the inbox.
pub fn delete(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new("DELETE FROM hos_inbox WHERE tenant = ?1 AND id = ?2", [tenant(t), id.into()])
}

/// Says that a directory's row was changed.
pub fn change_entity(t: &Tenant, id: &[u8; 16], uid: &Uid) -> Statement {
    Statement::new(
        "INSERT INTO hos_change (tenant, id, mark, type, subject) VALUES (?1, ?2, ?3, ?4, ?5)",
        [tenant(t), id.into(), mark(id), uid.type_name().into(), uid.id().as_bytes().into()],
    )
}

/// Says that a grant was changed.
pub fn change_grant(t: &Tenant, id: &[u8; 16], grant: &str) -> Statement {
    Statement::new(
        "INSERT INTO hos_change (tenant, id, mark, type, subject) VALUES (?1, ?2, ?3, '', ?4)",
        [tenant(t), id.into(), mark(id), grant.as_bytes().into()],
    )
}

/// Marks are added up modulo this.
pub const MARKS: i64 = 1 << 32;

/// A change's number: the first four bytes of its id, so that a sum of many is a number that every language holds. Once the change is
/// counted, its mark is in the sum that the tenant's row keeps ([`raise_directory_version`](super::law::raise_directory_version)): by the
/// version and that sum, a directory is known from the same number of changes in another history, where a database was put back.
pub fn mark_of(id: &[u8; 16]) -> i64 {
    id.iter().take(4).fold(0, |sum, byte| sum << 8 | i64::from(*byte))
}

fn mark(id: &[u8; 16]) -> Sql {
    mark_of(id).into()
}

/// Changes that the directory's version does not count yet: id, type, subject.
pub fn changes(t: &Tenant, limit: i64) -> Statement {
    Statement::new("SELECT id, type, subject FROM hos_change WHERE tenant = ?1 ORDER BY id LIMIT ?2", [tenant(t), limit.into()])
}

/// Takes a change out of the list.
pub fn delete_change(t: &Tenant, id: &[u8; 16]) -> Statement {
    Statement::new("DELETE FROM hos_change WHERE tenant = ?1 AND id = ?2", [tenant(t), id.into()])
}
