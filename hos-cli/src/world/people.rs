//! The world's accounts, shops and roles brought into the directory, and who belongs to what.

use super::adopt::{Adoption, How};
use super::{Attr, is_word};
use hos_core::call::{Call, Change, Directory};
use hos_core::id::{Tenant, Uid};
use hos_core::policy::Entity;
use hos_engine::joined::Asked;
use hos_engine::{Engine, Failure};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// A table whose rows are entities of the directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    /// The entity's type in the law's namespace.
    pub(crate) entity: String,
    pub(crate) table: String,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) attrs: BTreeMap<String, Attr>,
}

/// A table that says who belongs to what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memberships {
    pub(crate) table: String,
    pub(crate) member: End,
    pub(crate) of: End,
}

/// One end of a membership.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) entity: String,
    pub(crate) column: String,
}

/// What came of a table.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) put: u64,
    pub(crate) known: u64,
    pub(crate) refused: Vec<(String, String)>,
}

impl People {
    pub(crate) fn check(&self) -> Result<(), String> {
        let columns = self.attrs.values().map(|attr| &attr.column);
        let mut words = [&self.table, &self.id].into_iter().chain(columns).chain(self.attrs.keys());
        words.try_for_each(|word| is_word(word))
    }
}

impl Memberships {
    pub(crate) fn check(&self) -> Result<(), String> {
        [&self.table, &self.member.column, &self.of.column].into_iter().try_for_each(|word| is_word(word))
    }
}

/// The directory as it stands, so that what is there already is passed over.
pub(crate) struct Known(HashMap<Uid, Entity>);

impl Known {
    pub(crate) fn read(engine: &Engine, tenant: &str) -> Result<Self, Failure> {
        let (entities, _) = engine.tenant(tenant)?.directory_entities()?;
        Ok(Self(entities.into_iter().map(|entity| (entity.uid.clone(), entity)).collect()))
    }
}

impl Adoption<'_> {
    /// Puts the rows of a table into the directory: persons into the universe, all else into the tenant.
    pub(crate) fn people(&mut self, of: &People, known: &mut Known, how: &How<'_>) -> Result<Done, Failure> {
        let mut done = Done::default();
        for (id, attrs) in self.entity_rows(&of.table, &of.id, &of.attrs)? {
            let uid = match self.uid(&of.entity, &id) {
                Ok(uid) => uid,
                Err(failure) => {
                    done.refused.push((id, failure.message));
                    continue;
                }
            };
            let attrs = match attrs {
                Ok(attrs) => attrs,
                Err(why) => {
                    done.refused.push((id, why));
                    continue;
                }
            };
            if known.0.get(&uid).is_some_and(|entity| entity.attrs == attrs) {
                done.known += 1;
                continue;
            }
            let tenant = if self.law.persons.contains(uid.type_name()) { "universe" } else { &self.world.tenant };
            let change = Change::Put { uid: uid.clone(), attrs: attrs.clone() };
            match self.changed(tenant, change, how)? {
                None => {
                    done.put += 1;
                    let parents = known.0.get(&uid).map(|entity| entity.parents.clone()).unwrap_or_default();
                    known.0.insert(uid.clone(), Entity { uid, attrs, parents, record: None });
                }
                Some(why) => done.refused.push((id, why)),
            }
        }
        Ok(done)
    }

    /// Joins who belongs to what, in the tenant.
    pub(crate) fn memberships(&mut self, of: &Memberships, known: &mut Known, how: &How<'_>) -> Result<Done, Failure> {
        let mut done = Done::default();
        for (member, group) in self.pairs(&of.table, &of.member.column, &of.of.column)? {
            let shown = format!("{member} in {group}");
            let (uid, parent) = match (self.uid(&of.member.entity, &member), self.uid(&of.of.entity, &group)) {
                (Ok(uid), Ok(parent)) => (uid, parent),
                (Err(failure), _) | (_, Err(failure)) => {
                    done.refused.push((shown, failure.message));
                    continue;
                }
            };
            if known.0.get(&uid).is_some_and(|entity| entity.parents.contains(&parent)) {
                done.known += 1;
                continue;
            }
            let tenant = self.world.tenant.clone();
            match self.changed(&tenant, Change::Join { uid: uid.clone(), parent: parent.clone() }, how)? {
                None => {
                    done.put += 1;
                    if let Some(entity) = known.0.get_mut(&uid) {
                        entity.parents.insert(parent);
                    }
                }
                Some(why) => done.refused.push((shown, why)),
            }
        }
        Ok(done)
    }

    /// One change in a transaction of its own; says why it was refused.
    fn changed(&mut self, tenant: &str, change: Change, how: &How<'_>) -> Result<Option<String>, Failure> {
        let call = Call::Directory(Directory { by: how.by.clone(), change, once: None });
        let tenant = Tenant::new(tenant)?;
        let answer = self.transact(how, &mut |this| {
            let asked = Asked::Call(tenant.clone(), Box::new(call.clone()), Vec::new());
            let answer = this.joined.over(&mut *this.connection, asked)?.answer?;
            Ok((answer.allowed, answer))
        })?;
        let why: Vec<String> = answer.blockers.iter().map(|b| format!("{}: {}", b.code, b.detail)).collect();
        Ok((!answer.allowed).then(|| why.join("; ")))
    }

    fn uid(&self, entity: &str, id: &str) -> Result<Uid, Failure> {
        let full = if entity.contains("::") { entity.to_owned() } else { format!("{}::{entity}", self.law.namespace) };
        Ok(Uid::new(full, id)?)
    }
}
