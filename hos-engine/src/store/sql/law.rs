//! The store's own facts, laws by hash, activations, tenants.

use super::evidence::{int, tenant};
use crate::store::{Row, Statement, StoreError};
use hos_core::canon::{Reader, Writer};
use hos_core::id::{LawHash, RecordHash, Tenant};
use hos_core::law::mode::Modes;
use hos_core::time::Timestamp;

/// A fact of the store.
pub fn store_value(key: &str) -> Statement {
    Statement::new("SELECT value FROM hos_store WHERE tenant = 'universe' AND key = ?1", [key.into()])
}

/// All facts of the store: key, value.
pub fn store_values() -> Statement {
    Statement::new("SELECT key, value FROM hos_store WHERE tenant = 'universe' ORDER BY key", [])
}

/// Sets a fact of the store that was not set before.
pub fn insert_store_value(key: &str, value: &[u8]) -> Statement {
    Statement::new("INSERT INTO hos_store (tenant, key, value) VALUES ('universe', ?1, ?2)", [key.into(), value.into()])
}

/// Sets a fact of the store that was set before.
pub fn set_store_value(key: &str, value: &[u8]) -> Statement {
    Statement::new("UPDATE hos_store SET value = ?2 WHERE tenant = 'universe' AND key = ?1", [key.into(), value.into()])
}

/// Takes a fact of the store back.
pub fn delete_store_value(key: &str) -> Statement {
    Statement::new("DELETE FROM hos_store WHERE tenant = 'universe' AND key = ?1", [key.into()])
}

/// Keeps a law by its hash.
pub fn insert_law(hash: &LawHash, files: &[(String, Vec<u8>)]) -> Statement {
    let mut w = Writer::default();
    w.array(files.len());
    for (path, bytes) in files {
        w.array(2).text(path).bytes(bytes);
    }
    Statement::new(
        "INSERT OR IGNORE INTO hos_law (tenant, hash, files) VALUES ('universe', ?1, ?2)",
        [hash.0.into(), w.finish().into()],
    )
}

/// A law's files.
pub fn law(hash: &LawHash) -> Statement {
    Statement::new("SELECT files FROM hos_law WHERE tenant = 'universe' AND hash = ?1", [hash.0.into()])
}

/// All laws: hash, files.
pub fn laws() -> Statement {
    Statement::new("SELECT hash, files FROM hos_law WHERE tenant = 'universe' ORDER BY hash", [])
}

/// A law's row as files.
pub fn files_from(row: &Row, column: usize) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let fault = |e: hos_core::canon::CanonError| row.fault(column, &e.to_string());
    let mut r = Reader::new(row.blob(column)?);
    let mut files = Vec::new();
    for _ in 0..r.array().map_err(fault)? {
        if r.array().map_err(fault)? != 2 {
            return Err(row.fault(column, "not a list of files"));
        }
        let path = r.text().map_err(fault)?.to_owned();
        files.push((path, r.bytes().map_err(fault)?.to_vec()));
    }
    r.end().map_err(fault)?;
    Ok(files)
}

/// An activation in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// Its number, from 0.
    pub n: u64,
    /// Its record.
    pub record: RecordHash,
    /// The law.
    pub law: LawHash,
    /// The law judged beside it.
    pub candidate: Option<LawHash>,
    /// The modes.
    pub modes: Modes,
}

/// The newest activation.
pub fn activation() -> Statement {
    Statement::new(
        "SELECT n, record, law, candidate, modes FROM hos_activation WHERE tenant = 'universe' ORDER BY n DESC LIMIT 1",
        [],
    )
}

/// All activations, oldest first.
pub fn activations() -> Statement {
    Statement::new("SELECT n, record, law, candidate, modes FROM hos_activation WHERE tenant = 'universe' ORDER BY n", [])
}

/// An activation's row as a value.
pub fn activation_from(row: &Row) -> Result<Activation, StoreError> {
    Ok(Activation {
        n: row.uint(0)?,
        record: RecordHash(row.bytes(1)?),
        law: LawHash(row.bytes(2)?),
        candidate: row.opt_bytes(3)?.map(LawHash),
        modes: Modes::decode(row.blob(4)?).map_err(|e| row.fault(4, &e.to_string()))?,
    })
}

/// Puts an activation in force.
pub fn insert_activation(a: &Activation) -> Statement {
    Statement::new(
        "INSERT INTO hos_activation (tenant, n, record, law, candidate, modes) VALUES ('universe', ?1, ?2, ?3, ?4, ?5)",
        [int(a.n), a.record.0.into(), a.law.0.into(), a.candidate.map(|c| c.0).into(), a.modes.encode().into()],
    )
}

/// Makes a tenant.
pub fn insert_tenant(t: &Tenant, at: Timestamp) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_tenant (tenant, directory_version, opened_at, once_floor) VALUES (?1, 0, ?2, 0)",
        [tenant(t), at.0.into()],
    )
}

/// All tenants: tenant, directory_version, opened_at, once_floor.
pub fn tenants() -> Statement {
    Statement::new("SELECT tenant, directory_version, opened_at, once_floor FROM hos_tenant ORDER BY tenant", [])
}

/// A tenant's row: directory_version, opened_at, once_floor.
pub fn tenant_row(t: &Tenant) -> Statement {
    Statement::new("SELECT directory_version, opened_at, once_floor FROM hos_tenant WHERE tenant = ?1", [tenant(t)])
}

/// How the parts of a tenant's directory stand, the universe's and its own, where hosts' transactions change them too: tenant,
/// version, how many changes that does not count yet, the sum of all changes' marks, counted ones and others, which is to be taken modulo
/// [`MARKS`](super::inbox::MARKS). Grouped by the key alone, which costs MariaDB no table of its own.
pub fn directory_stands(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT t.tenant, max(t.directory_version) AS version, count(c.mark) AS changes,
           CAST(max(t.directory_mark) + coalesce(sum(c.mark), 0) AS BIGINT) AS marks
         FROM hos_tenant t LEFT JOIN hos_change c ON c.tenant = t.tenant
         WHERE t.tenant IN ('universe', ?1) GROUP BY t.tenant",
        [tenant(t)],
    )
    .mysql(
        "SELECT t.tenant, max(t.directory_version) AS version, count(c.mark) AS changes,
           CAST(max(t.directory_mark) + coalesce(sum(c.mark), 0) AS SIGNED) AS marks
         FROM hos_tenant t LEFT JOIN hos_change c ON c.tenant = t.tenant
         WHERE t.tenant IN ('universe', ?1) GROUP BY t.tenant",
    )
}

/// Counts changes in a tenant's directory version, with the sum of their marks.
pub fn raise_directory_version(t: &Tenant, changes: u64, marks: i64) -> Statement {
    Statement::new(
        "UPDATE hos_tenant SET directory_version = directory_version + ?2, directory_mark = (directory_mark + ?3) % 4294967296
         WHERE tenant = ?1",
        [tenant(t), int(changes), marks.into()],
    )
}

/// Once-keys, the first or those behind one: key, at. They are read first and forgotten by their keys, for a statement that looks for old
/// ones would wait in MariaDB for every key that a host's transaction holds.
pub fn onces_with_times(t: &Tenant, behind: Option<&[u8]>, limit: usize) -> Statement {
    let limit = int(limit as u64);
    match behind {
        None => Statement::new("SELECT key, at FROM hos_once WHERE tenant = ?1 ORDER BY key LIMIT ?2", [tenant(t), limit]),
        Some(key) => Statement::new(
            "SELECT key, at FROM hos_once WHERE tenant = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
            [tenant(t), key.into(), limit],
        ),
    }
}

/// Forgets a once-key, if it is older than an instant still.
pub fn forget_once(t: &Tenant, key: &[u8], before: Timestamp) -> Statement {
    Statement::new("DELETE FROM hos_once WHERE tenant = ?1 AND key = ?2 AND at < ?3", [tenant(t), key.into(), before.0.into()])
}

/// Says in the tenant's row that once-keys older than an instant were forgotten.
pub fn raise_once_floor(t: &Tenant, before: Timestamp) -> Statement {
    Statement::new(
        "UPDATE hos_tenant SET once_floor = CASE WHEN once_floor < ?2 THEN ?2 ELSE once_floor END WHERE tenant = ?1",
        [tenant(t), before.0.into()],
    )
}
