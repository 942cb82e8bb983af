//! Keys of persons in a table of the store's own database. A destroyed key leaves its row without a key.

use crate::store::Statement;
use hos_core::id::{InstanceId, KeyId, Name, Tenant};
use hos_core::time::Timestamp;

/// Keys are the universe's: a person is one in all tenants.
const TENANT: &str = "universe";

/// A person's key: key_id, key, destroyed.
pub fn by_subject(subject: &[u8; 32]) -> Statement {
    Statement::new(
        "SELECT key_id, key, destroyed FROM hos_vault WHERE tenant = ?1 AND subject = ?2",
        [TENANT.into(), subject.into()],
    )
}

/// The same of a row that is known to be there: read as it stands now, and kept so until our transaction ends.
pub fn in_force(subject: &[u8; 32]) -> Statement {
    by_subject(subject).shared()
}

/// The same in a host's transaction, which keeps nobody waiting.
pub fn in_force_now(subject: &[u8; 32]) -> Statement {
    by_subject(subject).latest()
}

/// A key by its id: key_id, key, destroyed.
pub fn by_id(id: &KeyId) -> Statement {
    Statement::new("SELECT key_id, key, destroyed FROM hos_vault WHERE tenant = ?1 AND key_id = ?2", [TENANT.into(), id.0.into()])
}

/// The same of a key that a row names: it is there, and read as it stands now.
pub fn named(id: &KeyId) -> Statement {
    by_id(id).latest()
}

/// The key that an instance's row names, in one go with the row, and whose it is: key_id, key, destroyed, subject.
pub fn of_instance(t: &Tenant, contract: &Name, id: &InstanceId) -> Statement {
    Statement::new(OF_INSTANCE, [t.as_str().into(), contract.as_str().into(), id.as_str().as_bytes().into()]).latest()
}

/// The text of [`of_instance`], by which what it answered is found again.
pub const OF_INSTANCE: &str = "SELECT v.key_id, v.key, v.destroyed, v.subject FROM hos_instance i
   JOIN hos_vault v ON v.tenant = 'universe' AND v.key_id = i.facts_key
 WHERE i.tenant = ?1 AND i.contract = ?2 AND i.id = ?3";

/// Keeps a key, unless the person has one.
pub fn insert(subject: &[u8; 32], id: &KeyId, key: &[u8; 32], created: Timestamp) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_vault (tenant, subject, key_id, key, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        [TENANT.into(), subject.into(), id.0.into(), key.into(), created.0.into()],
    )
    // The other form asks for the right to change keys, which who only adds to the evidence has not. Whatever fault this one hides,
    // the row is read again, and must be there.
    .mysql("INSERT IGNORE INTO hos_vault (tenant, subject, key_id, key, created) VALUES (?1, ?2, ?3, ?4, ?5)")
    .apart()
}

/// Keeps a person who never had a key from ever getting one.
pub fn entomb(subject: &[u8; 32], at: Timestamp) -> Statement {
    Statement::new(
        "INSERT OR IGNORE INTO hos_vault (tenant, subject, created, destroyed) VALUES (?1, ?2, ?3, ?3)",
        [TENANT.into(), subject.into(), at.0.into()],
    )
}

/// Destroys a person's key.
pub fn destroy(subject: &[u8; 32], at: Timestamp) -> Statement {
    Statement::new(
        "UPDATE hos_vault SET key = NULL, destroyed = ?3 WHERE tenant = ?1 AND subject = ?2 AND key IS NOT NULL",
        [TENANT.into(), subject.into(), at.0.into()],
    )
}

/// Destroys the key with this id.
pub fn destroy_by_id(id: &KeyId, at: Timestamp) -> Statement {
    Statement::new(
        "UPDATE hos_vault SET key = NULL, destroyed = ?3 WHERE tenant = ?1 AND key_id = ?2 AND key IS NOT NULL",
        [TENANT.into(), id.0.into(), at.0.into()],
    )
}

/// Whose keys were destroyed: subject, key_id.
pub fn destroyed_of() -> Statement {
    Statement::new(
        "SELECT subject, key_id FROM hos_vault WHERE tenant = ?1 AND key IS NULL AND key_id IS NOT NULL ORDER BY key_id",
        [TENANT.into()],
    )
}

/// The ids of all keys that were destroyed.
pub fn destroyed() -> Statement {
    Statement::new(
        "SELECT key_id FROM hos_vault WHERE tenant = ?1 AND key IS NULL AND key_id IS NOT NULL ORDER BY key_id",
        [TENANT.into()],
    )
}
