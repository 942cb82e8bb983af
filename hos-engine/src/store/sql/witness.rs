//! What witnesses are asked about and what they signed: recorded roots of tenants, cosigned checkpoints.

use super::evidence::{int, tenant};
use crate::store::Statement;
use hos_core::id::Tenant;

/// A tenant's newest recorded root: its size, and its record's place in the stream of roots.
pub fn root(t: &Tenant) -> Statement {
    Statement::new("SELECT size, n FROM hos_root WHERE tenant = ?1", [tenant(t)])
}

/// Writes where a tenant's newest root is recorded.
pub fn put_root(t: &Tenant, size: u64, n: u64) -> Statement {
    Statement::new(
        "INSERT INTO hos_root (tenant, size, n) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant) DO UPDATE SET size = ?2, n = ?3",
        [tenant(t), int(size), int(n)],
    )
}

/// The cosigned checkpoints that are kept of a log, by ascending size: size, note, witnesses.
pub fn cosigned(t: &Tenant) -> Statement {
    Statement::new("SELECT size, note, witnesses FROM hos_cosigned WHERE tenant = ?1 ORDER BY size", [tenant(t)])
}

/// Keeps a cosigned checkpoint, in place of one of the same size.
pub fn put_cosigned(t: &Tenant, size: u64, note: &str, witnesses: &str) -> Statement {
    Statement::new(
        "INSERT INTO hos_cosigned (tenant, size, note, witnesses) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant, size) DO UPDATE SET note = ?3, witnesses = ?4",
        [tenant(t), int(size), note.into(), witnesses.into()],
    )
}

/// Keeps a cosigned checkpoint no longer.
pub fn drop_cosigned(t: &Tenant, size: u64) -> Statement {
    Statement::new("DELETE FROM hos_cosigned WHERE tenant = ?1 AND size = ?2", [tenant(t), int(size)])
}
