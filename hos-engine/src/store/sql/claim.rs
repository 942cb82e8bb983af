//! Rows that are claimed before they are read, where others write beside us.
//!
//! A row that may be absent is inserted first, conflicts ignored, and then read under a lock: so two who want it meet at the
//! row itself, and nobody locks a gap between rows, which is where MariaDB's transactions deadlock. Until it is settled, a
//! claimed row says that it holds nothing (a state of no letters, a place of -1); what is not settled is taken back in the same
//! transaction. A claim that a host committed all the same, because it broke off in the middle, is whoever's claims it next.

use super::evidence::{int, tenant};
use crate::store::Statement;
use crate::store::sql::evidence::Head;
use hos_core::id::{CallDigest, Handle, InstanceId, Name, OnceKey, Tenant, Uid};
use hos_core::time::Timestamp;

/// The place of a once-key that is claimed, of a directory row, of a stream.
pub const CLAIMED: i64 = -1;
/// The place of a record that waits in the inbox for its place.
pub const WAITING: i64 = -2;

/// The place of a call in shadow that waits in the inbox to be judged.
pub const SHADOW: i64 = -3;
/// The place of a row of the queue that leads to nothing, and was set aside ([`set_aside`](super::evidence::set_aside)). So is all below it.
pub const NOWHERE: i64 = -4;

/// Claims a once-key.
pub fn once(t: &Tenant, key: &OnceKey) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_once (tenant, key, digest, thread, n, at) VALUES (?1, ?2, ?3, ?3, -1, 0)",
        [tenant(t), key.as_str().as_bytes().into(), [0u8; 16].into()],
    )
}

/// Takes a claimed once-key; `n` is [`WAITING`] for a record in the inbox, whose id `thread` is. One that is taken fails the statement
/// ([`put_claimed`](super::state::put_claimed)).
pub fn take_once(t: &Tenant, key: &OnceKey, digest: &CallDigest, thread: &Handle, n: i64, at: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO hos_once (tenant, key, digest, thread, n, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant, key) DO UPDATE SET
           n = CASE WHEN hos_once.n = -1 THEN ?5 ELSE hos_once.n + 5 + 9223372036854775807 END, digest = ?3, thread = ?4, at = ?6",
        [tenant(t), key.as_str().as_bytes().into(), digest.0.into(), thread.0.into(), n.into(), at.0.into()],
    )
}

/// Gives a once-key the place of its record, which waited in the inbox under this id.
pub fn place_once(t: &Tenant, key: &[u8], inbox: &[u8; 16], thread: &Handle, n: u64) -> Statement {
    Statement::new(
        "UPDATE hos_once SET thread = ?4, n = ?5 WHERE tenant = ?1 AND key = ?2 AND thread = ?3 AND n = -2",
        [tenant(t), key.into(), inbox.into(), thread.0.into(), int(n)],
    )
}

/// Takes a claim of a once-key back.
pub fn leave_once(t: &Tenant, key: &OnceKey) -> Statement {
    Statement::new("DELETE FROM hos_once WHERE tenant = ?1 AND key = ?2 AND n = -1", [tenant(t), key.as_str().as_bytes().into()])
}

/// Claims an instance, or the place where one would be. In MySQL's words nothing empty is written as it is: a session of MariaDB's may
/// take that for NULL, and is refused for it by its name, but behind the claim.
pub fn instance(t: &Tenant, contract: &Name, id: &InstanceId) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_instance (tenant, contract, id, handle, n, last, state, version, entered_n, entered_at, last_time,
           law, contract_version, facts_key, facts, deadlines)
         VALUES (?1, ?2, ?3, ?4, 0, ?4, '', 0, 0, 0, 0, ?4, 0, ?4, ?5, ?5)",
        [tenant(t), contract.as_str().into(), id.as_str().as_bytes().into(), [0u8; 16].into(), Vec::new().into()],
    )
    .mysql(
        "INSERT OR IGNORE INTO hos_instance (tenant, contract, id, handle, n, last, state, version, entered_n, entered_at, last_time,
           law, contract_version, facts_key, facts, deadlines)
         VALUES (?1, ?2, ?3, ?4, 0, ?4, left(?1, 0), 0, 0, 0, 0, ?4, 0, ?4, left(?4, 0), left(?4, 0))",
    )
}

/// Takes the claim of an instance back.
pub fn leave_instance(t: &Tenant, contract: &Name, id: &InstanceId) -> Statement {
    Statement::new(
        "DELETE FROM hos_instance WHERE tenant = ?1 AND contract = ?2 AND id = ?3 AND version = 0",
        [tenant(t), contract.as_str().into(), id.as_str().as_bytes().into()],
    )
}

/// Claims a directory row.
pub fn entity(t: &Tenant, uid: &Uid) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_directory (tenant, type, id, handle, n, last, removed, attrs_key, attrs, parents)
         VALUES (?1, ?2, ?3, ?4, -1, ?4, 1, ?4, ?5, ?5)",
        [tenant(t), uid.type_name().into(), uid.id().as_bytes().into(), [0u8; 16].into(), Vec::new().into()],
    )
}

/// Takes the claim of a directory row back.
pub fn leave_entity(t: &Tenant, uid: &Uid) -> Statement {
    Statement::new(
        "DELETE FROM hos_directory WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND n = -1",
        [tenant(t), uid.type_name().into(), uid.id().as_bytes().into()],
    )
}

/// Claims a grant.
pub fn grant(t: &Tenant, id: &str) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_grant (tenant, id, handle, n, last, removed, template, principal, resource)
         VALUES (?1, ?2, ?3, -1, ?3, 1, '', ?4, ?4)",
        [tenant(t), id.as_bytes().into(), [0u8; 16].into(), Vec::new().into()],
    )
}

/// Takes the claim of a grant back.
pub fn leave_grant(t: &Tenant, id: &str) -> Statement {
    Statement::new("DELETE FROM hos_grant WHERE tenant = ?1 AND id = ?2 AND n = -1", [tenant(t), id.as_bytes().into()])
}

/// Claims a stream for who gives its records their places.
pub fn stream(t: &Tenant, name: &str, handle: &Handle) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_stream (tenant, name, handle, n, last) VALUES (?1, ?2, ?3, -1, ?4)",
        [tenant(t), name.into(), handle.0.into(), [0u8; 32].into()],
    )
}

/// Takes the claim of a stream back.
pub fn leave_stream(t: &Tenant, name: &str) -> Statement {
    Statement::new("DELETE FROM hos_stream WHERE tenant = ?1 AND name = ?2 AND n = -1", [tenant(t), name.into()])
}

/// Claims the end of a log for who seals.
pub fn head(t: &Tenant, genesis: &Head) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_head (tenant, epoch, size, entry, frontier, sealed_at) VALUES (?1, ?2, 0, ?3, ?4, 0)",
        [tenant(t), int(genesis.epoch), genesis.entry.0.into(), genesis.frontier.encode().into()],
    )
}
