//! Instances, deadlines, the directory: the fold of the records, kept for speed.

use super::evidence::{int, tenant};
use crate::store::{Row, Sql, Statement, StoreError};
use hos_core::canon::{Reader, Writer};
use hos_core::id::{Handle, InstanceId, KeyId, LawHash, Name, RecordHash, Tenant, Uid};
use hos_core::judge::{DirectoryThread, Instance, decode_armed, encode_armed};
use hos_core::time::Timestamp;
use hos_core::value::Record;
use std::collections::BTreeSet;

/// The columns of an instance, with its facts still sealed.
#[derive(Debug, Clone)]
pub struct SealedInstance {
    /// Everything but facts and subject, which the row does not say in the clear.
    pub instance: Instance,
    /// The key of the facts; all zero: not encrypted.
    pub facts_key: KeyId,
    /// The sealed facts.
    pub facts: Vec<u8>,
}

/// One instance.
pub fn instance(t: &Tenant, contract: &Name, id: &InstanceId) -> Statement {
    Statement::new(
        "SELECT handle, n, last, state, version, entered_n, entered_at, last_time, law, contract_version, facts_key, facts, deadlines
         FROM hos_instance WHERE tenant = ?1 AND contract = ?2 AND id = ?3",
        [tenant(t), contract.as_str().into(), id.as_str().as_bytes().into()],
    )
}

/// Instances by contract and id, the first or those behind one; after the thirteen columns come contract and id.
pub fn instances(t: &Tenant, after: Option<(&str, &[u8])>, limit: usize) -> Statement {
    let limit = int(limit as u64);
    match after {
        None => Statement::new(
            "SELECT handle, n, last, state, version, entered_n, entered_at, last_time, law, contract_version, facts_key, facts, deadlines, contract, id
             FROM hos_instance WHERE tenant = ?1 AND state <> '' ORDER BY contract, id LIMIT ?2",
            [tenant(t), limit],
        ),
        // Said twice: PostgreSQL reads an index from the first form on, MariaDB from the second.
        Some((contract, id)) => Statement::new(
            "SELECT handle, n, last, state, version, entered_n, entered_at, last_time, law, contract_version, facts_key, facts, deadlines, contract, id
             FROM hos_instance WHERE tenant = ?1 AND state <> '' AND (contract, id) > (?2, ?3)
               AND (contract > ?2 OR contract = ?2 AND id > ?3) ORDER BY contract, id LIMIT ?4",
            [tenant(t), contract.into(), id.into(), limit],
        ),
    }
}

/// What stands where: contract, law, contract_version, state of any instance, each once.
pub fn standing(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT DISTINCT contract, law, contract_version, state FROM hos_instance WHERE tenant = ?1 AND state <> ''",
        [tenant(t)],
    )
}

/// How many instances stand under a law: contract, state, count.
pub fn counted_under(t: &Tenant, law: &LawHash) -> Statement {
    Statement::new(
        "SELECT contract, state, count(*) FROM hos_instance WHERE tenant = ?1 AND law = ?2 GROUP BY contract, state",
        [tenant(t), law.0.into()],
    )
}

/// An instance's row as a value.
pub fn instance_from(row: &Row, contract: Name, id: InstanceId) -> Result<SealedInstance, StoreError> {
    let name = |column| Name::new(row.text(column)?).map_err(|e| row.fault(column, &e.to_string()));
    Ok(SealedInstance {
        instance: Instance {
            contract,
            id,
            handle: Handle(row.bytes(0)?),
            n: row.uint(1)?,
            last: RecordHash(row.bytes(2)?),
            state: name(3)?,
            version: row.uint(4)?,
            entered_n: row.uint(5)?,
            entered_at: Timestamp(row.int(6)?),
            last_time: Timestamp(row.int(7)?),
            law: LawHash(row.bytes(8)?),
            contract_version: row.u32(9)?,
            facts: Record::new(),
            subject: None,
            deadlines: decode_armed(row.blob(12)?).map_err(|e| row.fault(12, &e.to_string()))?,
        },
        facts_key: KeyId(row.bytes(10)?),
        facts: row.blob(11)?.to_vec(),
    })
}

/// Inserts an instance, or compares and swaps: a row that is not of the version before is left alone, which the caller
/// sees by the count of rows.
pub fn put_instance(t: &Tenant, i: &Instance, facts_key: &KeyId, facts: Vec<u8>, version_before: Option<u64>) -> Statement {
    let mut params: Vec<Sql> = vec![
        tenant(t),
        i.contract.as_str().into(),
        i.id.as_str().as_bytes().into(),
        i.handle.0.into(),
        int(i.n),
        i.last.0.into(),
        i.state.as_str().into(),
        int(i.version),
        int(i.entered_n),
        i.entered_at.0.into(),
        i.last_time.0.into(),
        i.law.0.into(),
        i.contract_version.into(),
        facts_key.0.into(),
        facts.into(),
        encode_armed(&i.deadlines).into(),
    ];
    match version_before {
        None => Statement::new(
            "INSERT OR IGNORE INTO hos_instance (tenant, contract, id, handle, n, last, state, version, entered_n, entered_at, last_time,
               law, contract_version, facts_key, facts, deadlines)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            params,
        ),
        Some(version) => {
            params.push(int(version));
            Statement::new(
                "UPDATE hos_instance SET handle = ?4, n = ?5, last = ?6, state = ?7, version = ?8, entered_n = ?9, entered_at = ?10,
                   last_time = ?11, law = ?12, contract_version = ?13, facts_key = ?14, facts = ?15, deadlines = ?16
                 WHERE tenant = ?1 AND contract = ?2 AND id = ?3 AND version = ?17",
                params,
            )
        }
    }
}

/// Puts an instance where others write beside us: over its row of the version before, or over what only claims its place, whose version
/// is 0. The row was claimed. Of one that is another all the same a number is asked that no column holds, so that the database itself
/// fails the statement: a host's driver need not look how many rows it hit.
pub fn put_claimed(t: &Tenant, i: &Instance, facts_key: &KeyId, facts: Vec<u8>, version_before: Option<u64>) -> Statement {
    let mut params = put_instance(t, i, facts_key, facts, None).params;
    params.push(int(version_before.unwrap_or(0)));
    Statement::new(
        "INSERT INTO hos_instance (tenant, contract, id, handle, n, last, state, version, entered_n, entered_at, last_time,
           law, contract_version, facts_key, facts, deadlines)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (tenant, contract, id) DO UPDATE SET
           version = CASE WHEN hos_instance.version = ?17 THEN ?8 ELSE hos_instance.version + 1 + 9223372036854775807 END,
           handle = ?4, n = ?5, last = ?6, state = ?7, entered_n = ?9, entered_at = ?10, last_time = ?11, law = ?12,
           contract_version = ?13, facts_key = ?14, facts = ?15, deadlines = ?16",
        params,
    )
}

/// Arms a deadline.
pub fn insert_deadline(t: &Tenant, due: Timestamp, contract: &Name, id: &InstanceId, place: usize) -> Statement {
    Statement::new(
        "INSERT INTO hos_deadline (tenant, due, contract, id, place) VALUES (?1, ?2, ?3, ?4, ?5)",
        [tenant(t), due.0.into(), contract.as_str().into(), id.as_str().as_bytes().into(), int(place as u64)],
    )
}

/// Disarms a deadline.
pub fn delete_deadline(t: &Tenant, due: Timestamp, contract: &Name, id: &InstanceId, place: usize) -> Statement {
    Statement::new(
        "DELETE FROM hos_deadline WHERE tenant = ?1 AND due = ?2 AND contract = ?3 AND id = ?4 AND place = ?5",
        [tenant(t), due.0.into(), contract.as_str().into(), id.as_str().as_bytes().into(), int(place as u64)],
    )
}

/// A page of due deadlines, the earliest first: due, contract, id, place, and the law of the instance, if there is one; those after the
/// given one.
pub fn due(t: &Tenant, now: Timestamp, after: &(Timestamp, String, Vec<u8>, i64), limit: usize) -> Statement {
    let (due, contract, id, place) = after;
    Statement::new(
        // The law is looked up for each row by itself: a join might be made the other way round.
        "SELECT d.due, d.contract, d.id, d.place, (SELECT i.law FROM hos_instance i
           WHERE i.tenant = d.tenant AND i.contract = d.contract AND i.id = d.id AND i.state <> '') AS law
         FROM hos_deadline d WHERE d.tenant = ?1 AND d.due <= ?2 AND (d.due, d.contract, d.id, d.place) > (?3, ?4, ?5, ?6)
         ORDER BY d.due, d.contract, d.id, d.place LIMIT ?7",
        [
            tenant(t),
            now.0.into(),
            due.0.into(),
            contract.as_str().into(),
            id.as_slice().into(),
            (*place).into(),
            int(limit as u64),
        ],
    )
    // MariaDB reads an index from this form on, and SQLite from the other alone.
    .mysql(
        "SELECT d.due, d.contract, d.id, d.place, (SELECT i.law FROM hos_instance i
           WHERE i.tenant = d.tenant AND i.contract = d.contract AND i.id = d.id AND i.state <> '') AS law
         FROM hos_deadline d WHERE d.tenant = ?1 AND d.due <= ?2
           AND (d.due > ?3 OR d.due = ?3 AND (d.contract > ?4 OR d.contract = ?4 AND (d.id > ?5 OR d.id = ?5 AND d.place > ?6)))
         ORDER BY d.due, d.contract, d.id, d.place LIMIT ?7",
    )
}

/// How many deadlines are due.
pub fn due_count(t: &Tenant, now: Timestamp) -> Statement {
    Statement::new("SELECT count(*) FROM hos_deadline WHERE tenant = ?1 AND due <= ?2", [tenant(t), now.0.into()])
}

/// Deadlines, the first or those behind one: due, contract, id, place.
pub fn deadlines(t: &Tenant, after: Option<(i64, &str, &[u8], i64)>, limit: usize) -> Statement {
    let limit = int(limit as u64);
    match after {
        None => Statement::new(
            "SELECT due, contract, id, place FROM hos_deadline WHERE tenant = ?1 ORDER BY due, contract, id, place LIMIT ?2",
            [tenant(t), limit],
        ),
        // Said twice, as above.
        Some((due, contract, id, place)) => Statement::new(
            "SELECT due, contract, id, place FROM hos_deadline WHERE tenant = ?1 AND (due, contract, id, place) > (?2, ?3, ?4, ?5)
               AND (due > ?2 OR due = ?2 AND (contract > ?3 OR contract = ?3 AND (id > ?4 OR id = ?4 AND place > ?5)))
             ORDER BY due, contract, id, place LIMIT ?6",
            [tenant(t), due.into(), contract.into(), id.into(), place.into(), limit],
        ),
    }
}

/// A directory entity's row, its attributes still sealed.
#[derive(Debug, Clone)]
pub struct SealedEntity {
    /// Who or what.
    pub uid: Uid,
    /// Its thread.
    pub thread: DirectoryThread,
    /// Whether it is removed.
    pub removed: bool,
    /// The key of the attributes; all zero: not encrypted.
    pub attrs_key: KeyId,
    /// The sealed attributes.
    pub attrs: Vec<u8>,
    /// Direct parents.
    pub parents: BTreeSet<Uid>,
}

/// One directory row: type, id, handle, n, last, removed, attrs_key, attrs, parents.
pub fn directory_entity(t: &Tenant, uid: &Uid) -> Statement {
    Statement::new(
        "SELECT type, id, handle, n, last, removed, attrs_key, attrs, parents FROM hos_directory WHERE tenant = ?1 AND type = ?2 AND id = ?3",
        [tenant(t), uid.type_name().into(), uid.id().as_bytes().into()],
    )
}

/// All directory rows of a tenant.
pub fn directory_entities(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT type, id, handle, n, last, removed, attrs_key, attrs, parents FROM hos_directory WHERE tenant = ?1 AND n >= 0 ORDER BY type, id",
        [tenant(t)],
    )
    .apart()
}

/// The same, each with the key of its attributes behind it, where keys lie in the same database.
pub fn directory_with_keys(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT d.type, d.id, d.handle, d.n, d.last, d.removed, d.attrs_key, d.attrs, d.parents, v.key FROM hos_directory d
         LEFT JOIN hos_vault v ON v.tenant = 'universe' AND v.key_id = d.attrs_key
         WHERE d.tenant = ?1 AND d.n >= 0 ORDER BY d.type, d.id",
        [tenant(t)],
    )
    .apart()
}

/// A directory row as a value.
pub fn entity_from(row: &Row) -> Result<SealedEntity, StoreError> {
    let id = std::str::from_utf8(row.blob(1)?).map_err(|_| row.fault(1, "not UTF-8"))?;
    let uid = Uid::new(row.text(0)?, id).map_err(|e| row.fault(0, &e.to_string()))?;
    Ok(SealedEntity {
        uid,
        thread: DirectoryThread { handle: Handle(row.bytes(2)?), n: row.uint(3)?, last: RecordHash(row.bytes(4)?) },
        removed: row.bool(5)?,
        attrs_key: KeyId(row.bytes(6)?),
        attrs: row.blob(7)?.to_vec(),
        parents: uids_from(row.blob(8)?).ok_or_else(|| row.fault(8, "not a list of entities"))?,
    })
}

/// Writes a directory row.
pub fn put_entity(t: &Tenant, e: &SealedEntity) -> Statement {
    Statement::new(
        "INSERT INTO hos_directory (tenant, type, id, handle, n, last, removed, attrs_key, attrs, parents)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (tenant, type, id) DO UPDATE SET handle = ?4, n = ?5, last = ?6, removed = ?7, attrs_key = ?8, attrs = ?9, parents = ?10",
        [
            tenant(t),
            e.uid.type_name().into(),
            e.uid.id().as_bytes().into(),
            e.thread.handle.0.into(),
            int(e.thread.n),
            e.thread.last.0.into(),
            e.removed.into(),
            e.attrs_key.0.into(),
            e.attrs.clone().into(),
            uids_to(&e.parents).into(),
        ],
    )
}

/// One grant: id, handle, n, last, removed, template, principal, resource.
pub fn grant(t: &Tenant, id: &str) -> Statement {
    Statement::new(
        "SELECT id, handle, n, last, removed, template, principal, resource FROM hos_grant WHERE tenant = ?1 AND id = ?2",
        [tenant(t), id.as_bytes().into()],
    )
}

/// Whether any tenant has a grant of this id: one look for each tenant.
pub fn granted_in_a_tenant(id: &str) -> Statement {
    Statement::new(
        "SELECT 1 FROM hos_tenant t JOIN hos_grant g ON g.tenant = t.tenant AND g.id = ?1
         WHERE t.tenant <> 'universe' AND g.n >= 0 AND g.removed = 0 LIMIT 1",
        [id.as_bytes().into()],
    )
}

/// All grants of a tenant.
pub fn grants(t: &Tenant) -> Statement {
    Statement::new(
        "SELECT id, handle, n, last, removed, template, principal, resource FROM hos_grant WHERE tenant = ?1 AND n >= 0 ORDER BY id",
        [tenant(t)],
    )
    .apart()
}

/// A grant's row as a value: thread, link, removed.
pub fn grant_from(row: &Row) -> Result<(DirectoryThread, hos_core::policy::Link, bool), StoreError> {
    let thread = DirectoryThread { handle: Handle(row.bytes(1)?), n: row.uint(2)?, last: RecordHash(row.bytes(3)?) };
    let slot = |column| {
        Ok::<_, StoreError>(uids_from(row.blob(column)?).ok_or_else(|| row.fault(column, "not an entity"))?.into_iter().next())
    };
    let link = hos_core::policy::Link {
        id: std::str::from_utf8(row.blob(0)?).map_err(|_| row.fault(0, "not UTF-8"))?.to_owned(),
        template: row.text(5)?.to_owned(),
        principal: slot(6)?,
        resource: slot(7)?,
        record: Some(thread.last),
    };
    Ok((thread, link, row.bool(4)?))
}

/// Writes a grant.
pub fn put_grant(t: &Tenant, thread: &DirectoryThread, link: &hos_core::policy::Link, removed: bool) -> Statement {
    let slot = |uid: &Option<Uid>| uids_to(&uid.iter().cloned().collect());
    Statement::new(
        "INSERT INTO hos_grant (tenant, id, handle, n, last, removed, template, principal, resource) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (tenant, id) DO UPDATE SET handle = ?3, n = ?4, last = ?5, removed = ?6, template = ?7, principal = ?8, resource = ?9",
        [
            tenant(t),
            link.id.as_bytes().into(),
            thread.handle.0.into(),
            int(thread.n),
            thread.last.0.into(),
            removed.into(),
            link.template.as_str().into(),
            slot(&link.principal).into(),
            slot(&link.resource).into(),
        ],
    )
}

/// A list of entities as canonical bytes: `[[type, id], …]`.
pub fn uids_to(uids: &BTreeSet<Uid>) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(uids.len());
    for uid in uids {
        w.array(2).text(uid.type_name()).text(uid.id());
    }
    w.finish()
}

fn uids_from(bytes: &[u8]) -> Option<BTreeSet<Uid>> {
    let mut r = Reader::new(bytes);
    let mut uids = BTreeSet::new();
    for _ in 0..r.array().ok()? {
        if r.array().ok()? != 2 {
            return None;
        }
        let (type_name, id) = (r.text().ok()?, r.text().ok()?);
        uids.insert(Uid::new(type_name, id).ok()?);
    }
    r.end().ok().filter(|()| uids_to(&uids) == bytes).map(|()| uids)
}
