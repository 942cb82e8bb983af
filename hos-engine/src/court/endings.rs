//! What is a person's in every tenant: what an erasure ends, and what stands in its way.

use crate::court::{Court, Group};
use crate::store::sql::{erase as sql, evidence as evidence_sql, state as state_sql};
use crate::store::{Row, StoreError, Tx};
use crate::survey::Survey;
use crate::{Failure, view};
use hos_core::id::{Handle, InstanceId, KeyId, LawHash, Name, Shown, Tenant, Uid};
use hos_core::judge::{DirectoryThread, Instance};
use hos_core::proof::record::{Header, Kind};
use hos_core::refusal::Code;
use hos_core::shape::Type;
use hos_core::value::Record;
use std::collections::HashMap;

/// How many of those who stand in the way a refusal names.
const NAMED_MAX: usize = 10;

/// A directory row that ends.
pub(super) enum EndedRow {
    Entity(Uid),
    Grant(String),
}

/// What ends in one tenant.
pub(super) struct Ending {
    pub(super) tenant: Tenant,
    pub(super) instances: Vec<Instance>,
    pub(super) rows: Vec<(DirectoryThread, EndedRow)>,
}

impl Ending {
    pub(super) fn is_nothing(&self) -> bool {
        self.instances.is_empty() && self.rows.is_empty()
    }
}

impl Court {
    /// Everything in every tenant that is the person's: instances whose facts are sealed under the survey's key, directory rows, grants; and
    /// how many of these rows are not what their records say.
    pub(super) fn endings(&self, tx: &Tx<'_>, survey: &Survey, subject: Option<&Uid>) -> Result<(Vec<Ending>, u64), Failure> {
        let (key, theirs) = (&survey.key, self.theirs(tx, survey)?);
        let keyed = key.0 != [0; 16];
        let mut persons: Vec<Uid> = subject.cloned().into_iter().collect();
        let tenants = self.tenants(tx)?;
        if keyed {
            for tenant in &tenants {
                self.persons_under(tx, tenant, key, &theirs, &mut persons)?;
            }
        }
        let (mut endings, mut differing) = (Vec::new(), 0);
        for tenant in tenants {
            let instances = if keyed { self.instances_under(tx, &tenant, key)? } else { Vec::new() };
            let rows = self.rows_of(tx, &tenant, key, &theirs, &persons)?;
            differing += rows.differing;
            endings.push(Ending { tenant, instances, rows: rows.ending });
        }
        Ok((endings, differing))
    }

    /// Whether any row is sealed under a key that is not ended yet.
    pub(super) fn stands_under(&self, tx: &Tx<'_>, key: &KeyId) -> Result<bool, Failure> {
        for tenant in self.tenants(tx)? {
            if !tx.rows(&sql::entities_of_key(&tenant, key))?.is_empty() || !self.instances_under(tx, &tenant, key)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The instances whose facts are sealed under a key, but for those that ended.
    fn instances_under(&self, tx: &Tx<'_>, tenant: &Tenant, key: &KeyId) -> Result<Vec<Instance>, Failure> {
        let mut instances = Vec::new();
        for row in tx.rows(&sql::instances_of_key(tenant, key))? {
            // An instance that ended already has a tombstone for an id, where that named a person.
            let Some(id) = std::str::from_utf8(row.blob(14)?).ok() else { continue };
            let contract = Name::new(row.text(13)?).map_err(|e| row.fault(13, &e.to_string()))?;
            let id = InstanceId::new(id).map_err(|e| row.fault(14, &e.to_string()))?;
            let instance = state_sql::instance_from(&row, contract, id)?.instance;
            if !has_ended(tx, tenant, &instance.handle, instance.n)? {
                instances.push(instance);
            }
        }
        Ok(instances)
    }

    /// Who needs a person that is to be erased, named: live instances whose facts are the person's, or name them; and who is in them.
    pub(super) fn needing(&self, tx: &Tx<'_>, group: &Group, subject: &Uid, key: Option<&KeyId>) -> Result<Vec<String>, Failure> {
        let mut named = Vec::new();
        let is_person = group.in_force()?.law.persons.contains(subject.type_name());
        for tenant in self.tenants(tx)? {
            if let Some(key) = key.filter(|key| key.0 != [0; 16]) {
                self.living(tx, &tenant, key, &mut named)?;
            }
            // What is no person can be put again, and whoever named it goes on.
            if is_person {
                self.naming(tx, group, &tenant, subject, key, &mut named)?;
                members(tx, &tenant, subject, &mut named)?;
            }
        }
        Ok(named)
    }

    /// Live instances whose facts are the person's.
    fn living(&self, tx: &Tx<'_>, tenant: &Tenant, key: &KeyId, named: &mut Vec<String>) -> Result<(), Failure> {
        for row in tx.rows(&sql::instances_of_key(tenant, key))? {
            let law = self.laws.get(tx, &LawHash(row.bytes(8)?))?;
            let of = law.contracts.get(row.text(13)?);
            let terminal = of.and_then(|of| of.contract.state(row.text(3).ok()?)).is_some_and(|s| s.terminal);
            if !terminal && named.len() < NAMED_MAX {
                named.push(instance_named(tenant, &row)?);
            }
        }
        Ok(())
    }

    /// Live instances whose facts are another's, or nobody's, and name the person. Nothing of theirs can be judged where the person is
    /// neither in the directory nor given, and an erased one cannot be given.
    fn naming(
        &self,
        tx: &Tx<'_>,
        group: &Group,
        tenant: &Tenant,
        subject: &Uid,
        key: Option<&KeyId>,
        named: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let could = self.could_name(tx, tenant, subject)?;
        if could.is_empty() {
            return Ok(());
        }
        let page = |last: Option<&Row>, limit| {
            let after = last.map(|row| Ok::<_, StoreError>((row.text(13)?, row.blob(14)?))).transpose()?;
            Ok(state_sql::instances(tenant, after, limit))
        };
        tx.pages(page, |row| -> Result<(), Failure> {
            let stands = (row.text(13)?.to_owned(), LawHash(row.bytes(8)?), row.text(3)?.to_owned());
            let facts_key = KeyId(row.bytes(10)?);
            let Some(another) = could.get(&stands) else { return Ok(()) };
            // What lies under somebody else's key has that one for its data subject.
            let is_anothers = facts_key != KeyId([0; 16]) && !another;
            if named.len() >= NAMED_MAX || key == Some(&facts_key) || is_anothers {
                return Ok(());
            }
            let facts = self.facts_of(tx, group, &facts_key, row.blob(11)?)?;
            let mut names = Vec::new();
            facts.values().for_each(|value| value.entities(&mut names));
            if names.contains(&subject) {
                named.push(instance_named(tenant, row)?);
            }
            Ok(())
        })
    }

    /// Where instances stand that live and have a fact which may name the person: contract, law, state.
    /// Whether a fact besides the data subject's may.
    fn could_name(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        subject: &Uid,
    ) -> Result<HashMap<(String, LawHash, String), bool>, Failure> {
        let mut could = HashMap::new();
        for row in tx.rows(&state_sql::standing(tenant))? {
            let (contract, hash, state) = (row.text(0)?, LawHash(row.bytes(1)?), row.text(3)?);
            let law = self.laws.get(tx, &hash)?;
            let of = law.contracts.get(contract).map(|of| &of.contract);
            let lives = of.and_then(|of| of.state(state)).is_none_or(|state| !state.terminal);
            let naming = |besides: Option<&Name>| {
                let mut facts = of.iter().flat_map(|of| &of.facts).filter(|(name, _)| besides != Some(*name));
                of.is_none() || facts.any(|(_, fact)| may_name(&fact.ty, subject.type_name()))
            };
            if lives && naming(None) {
                let another = naming(of.and_then(|of| of.data_subject.as_ref()));
                could.insert((contract.to_owned(), hash, state.to_owned()), another);
            }
        }
        Ok(could)
    }

    /// An instance's facts; none where they are erased, or do not open: `verify` finds those, and nobody's erasure waits for it.
    fn facts_of(&self, tx: &Tx<'_>, group: &Group, key: &KeyId, sealed: &[u8]) -> Result<Record, Failure> {
        let opened = self.keys(tx).open_copy(key, sealed, &group.fresh);
        let read = opened.and_then(|bytes| match bytes {
            Some(bytes) if !bytes.is_empty() => view::decode_record(&bytes),
            _ => Ok(Record::new()),
        });
        match read {
            Err(failure) if failure.code == Code::StoreIntegrity => Ok(Record::new()),
            read => read,
        }
    }
}

/// Whether an erasure's record was a thread's last.
fn has_ended(tx: &Tx<'_>, tenant: &Tenant, thread: &Handle, n: u64) -> Result<bool, Failure> {
    let last = tx.row(&evidence_sql::record(tenant, thread, n))?;
    let header = last.map(|row| Ok::<_, Failure>(Header::decode(row.blob(0)?).ok())).transpose()?.flatten();
    Ok(header.is_some_and(|header| header.kind == Kind::Erased))
}

/// Whether a fact of this type can hold an entity of that type.
fn may_name(ty: &Type, type_name: &str) -> bool {
    match ty {
        Type::Entity(of) => of == type_name,
        Type::Set(of) => may_name(of, type_name),
        _ => false,
    }
}

/// How an instance is named to who may erase.
fn instance_named(tenant: &Tenant, row: &Row) -> Result<String, Failure> {
    let id = String::from_utf8_lossy(row.blob(14)?).into_owned();
    Ok(format!("{tenant}: {}/{}", row.text(13)?, Shown(&id)))
}

/// Who is in the person. Their rows say so in the clear, and once the person is gone no change could take it out of them.
fn members(tx: &Tx<'_>, tenant: &Tenant, subject: &Uid, named: &mut Vec<String>) -> Result<(), Failure> {
    tx.each(&state_sql::directory_entities(tenant), |row| {
        let row = state_sql::entity_from(&row)?;
        if !row.removed && row.parents.contains(subject) && named.len() < NAMED_MAX {
            named.push(format!("{tenant}: {} is in it", row.uid));
        }
        Ok(())
    })?;
    Ok(())
}
