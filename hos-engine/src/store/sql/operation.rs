//! Once-keys, the outbox, bounds on refusals.

use super::evidence::{int, tenant};
use crate::store::Statement;
use hos_core::id::{CallDigest, Handle, KeyId, OnceKey, Tenant};
use hos_core::time::Timestamp;

/// What a once-key was used for: digest, thread, n.
pub fn once(t: &Tenant, key: &OnceKey) -> Statement {
    Statement::new(
        "SELECT digest, thread, n FROM hos_once WHERE tenant = ?1 AND key = ?2",
        [tenant(t), key.as_str().as_bytes().into()],
    )
}

/// Once-keys whose records have their place, the first or those behind one: key, digest, thread, n, at.
pub fn onces(t: &Tenant, after: Option<&[u8]>, limit: usize) -> Statement {
    let limit = int(limit as u64);
    match after {
        None => Statement::new(
            "SELECT key, digest, thread, n, at FROM hos_once WHERE tenant = ?1 AND n >= 0 ORDER BY key LIMIT ?2",
            [tenant(t), limit],
        ),
        Some(key) => Statement::new(
            "SELECT key, digest, thread, n, at FROM hos_once WHERE tenant = ?1 AND n >= 0 AND key > ?2 ORDER BY key LIMIT ?3",
            [tenant(t), key.into(), limit],
        ),
    }
}

/// Takes a once-key.
pub fn insert_once(t: &Tenant, key: &OnceKey, digest: &CallDigest, thread: &Handle, n: u64, at: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO hos_once (tenant, key, digest, thread, n, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        [tenant(t), key.as_str().as_bytes().into(), digest.0.into(), thread.0.into(), int(n), at.0.into()],
    )
}

/// Puts a message into the outbox, behind all others of its tenant.
pub fn insert_message(t: &Tenant, thread: &Handle, n: u64, i: usize, kind: &str, key: &KeyId, body: Vec<u8>) -> Statement {
    Statement::new(
        "INSERT INTO hos_outbox (tenant, pos, thread, n, i, kind, body_key, body, lease, leased_until, attempts, acked)
         VALUES (?1, (SELECT coalesce(max(pos), 0) + 1 FROM hos_outbox WHERE tenant = ?1), ?2, ?3, ?4, ?5, ?6, ?7, NULL, 0, 0, 0)",
        [tenant(t), thread.0.into(), int(n), int(i as u64), kind.into(), key.0.into(), body.into()],
    )
}

/// Messages that wait and are not leased, the first or those behind one: pos, thread, n, i, kind, body_key, body, attempts. SQLite and
/// MySQL take the primary key unless they are told, and read all that were ever acknowledged. MySQL reads whole rows before it looks
/// whether they are leased, bodies that lie apart as well: so it finds the places first.
pub fn waiting(t: &Tenant, now: Timestamp, behind: Option<i64>, limit: usize) -> Statement {
    let limit = int(limit as u64);
    match behind {
        None => Statement::new(
            "SELECT pos, thread, n, i, kind, body_key, body, attempts FROM hos_outbox INDEXED BY hos_outbox_waiting
             WHERE tenant = ?1 AND acked = 0 AND leased_until <= ?2 ORDER BY pos LIMIT ?3",
            [tenant(t), now.0.into(), limit],
        )
        .mysql(
            "SELECT o.pos, o.thread, o.n, o.i, o.kind, o.body_key, o.body, o.attempts FROM
               (SELECT pos FROM hos_outbox FORCE INDEX (hos_outbox_waiting)
                WHERE tenant = ?1 AND acked = 0 AND leased_until <= ?2 ORDER BY pos LIMIT ?3) w
             STRAIGHT_JOIN hos_outbox o ON o.tenant = ?1 AND o.pos = w.pos ORDER BY o.pos LIMIT ?3",
        ),
        Some(pos) => Statement::new(
            "SELECT pos, thread, n, i, kind, body_key, body, attempts FROM hos_outbox INDEXED BY hos_outbox_waiting
             WHERE tenant = ?1 AND acked = 0 AND leased_until <= ?2 AND pos > ?3 ORDER BY pos LIMIT ?4",
            [tenant(t), now.0.into(), pos.into(), limit],
        )
        .mysql(
            "SELECT o.pos, o.thread, o.n, o.i, o.kind, o.body_key, o.body, o.attempts FROM
               (SELECT pos FROM hos_outbox FORCE INDEX (hos_outbox_waiting)
                WHERE tenant = ?1 AND acked = 0 AND leased_until <= ?2 AND pos > ?3 ORDER BY pos LIMIT ?4) w
             STRAIGHT_JOIN hos_outbox o ON o.tenant = ?1 AND o.pos = w.pos ORDER BY o.pos LIMIT ?4",
        ),
    }
}

/// All messages: pos, thread, n, i, kind, body_key, body, acked.
pub fn messages(t: &Tenant, after: Option<i64>, limit: usize) -> Statement {
    let limit = int(limit as u64);
    match after {
        None => Statement::new(
            "SELECT pos, thread, n, i, kind, body_key, body, acked FROM hos_outbox WHERE tenant = ?1 ORDER BY pos LIMIT ?2",
            [tenant(t), limit],
        ),
        Some(pos) => Statement::new(
            "SELECT pos, thread, n, i, kind, body_key, body, acked FROM hos_outbox WHERE tenant = ?1 AND pos > ?2 ORDER BY pos LIMIT ?3",
            [tenant(t), pos.into(), limit],
        ),
    }
}

/// Leases a message; no row changed means that another was faster. Attempts are counted as far as a column of ours may: a row
/// that somebody put in with more is no reason that none is leased.
pub fn lease(t: &Tenant, pos: u64, lease: &KeyId, now: Timestamp, until: Timestamp) -> Statement {
    Statement::new(
        "UPDATE hos_outbox SET lease = ?3, leased_until = ?4,
           attempts = CASE WHEN attempts < 4294967295 THEN attempts + 1 ELSE attempts END
         WHERE tenant = ?1 AND pos = ?2 AND acked = 0 AND leased_until <= ?5",
        [tenant(t), int(pos), lease.0.into(), until.0.into(), now.0.into()],
    )
}

/// Acknowledges a message under its lease; no row changed means the lease is lost.
pub fn acknowledge(t: &Tenant, pos: u64, lease: &KeyId) -> Statement {
    Statement::new(
        "UPDATE hos_outbox SET acked = 1, lease = NULL WHERE tenant = ?1 AND pos = ?2 AND acked = 0 AND lease = ?3",
        [tenant(t), int(pos), lease.0.into()],
    )
}

/// How many refusals were recorded for a principal in an hour.
pub fn refusals(t: &Tenant, principal: &[u8; 16], hour: i64) -> Statement {
    Statement::new(
        "SELECT count FROM hos_refusal WHERE tenant = ?1 AND principal = ?2 AND hour = ?3",
        [tenant(t), principal.into(), hour.into()],
    )
}

/// Counts a refusal.
pub fn count_refusal(t: &Tenant, principal: &[u8; 16], hour: i64) -> Statement {
    Statement::new(
        "INSERT INTO hos_refusal (tenant, principal, hour, count) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT (tenant, principal, hour) DO UPDATE SET count = hos_refusal.count + 1",
        [tenant(t), principal.into(), hour.into()],
    )
}
