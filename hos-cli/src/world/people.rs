//! The world's accounts, shops and roles brought into the directory, and who belongs to what.

use super::adopt::{Adoption, How, LISTED_MAX, NO_WORD, PAGE, nobodys_id};
use super::cells::{as_words, typed_column};
use super::key::{Key, stuck};
use super::words::{as_text, name};
use super::{Attr, is_word};
use hos_core::call::{Call, Change, Directory};
use hos_core::id::{Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::value::Record;
use hos_engine::joined::Asked;
use hos_engine::store::Sql;
use hos_engine::store::sql::dialect::Dialect;
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
    /// Memberships that a dry run cannot tell: they name what it has put and rolled back.
    pub(crate) untold: u64,
    pub(crate) refused: u64,
    /// Of refused rows: id, and why.
    pub(crate) listed: Vec<(String, String)>,
}

/// What a table is read by in pages: in whose order, and how it is read and given back.
struct Paged {
    by: String,
    key: Key,
}

/// A row of a table of people: its key, its id, and its attributes or why it has none.
type Person = (Sql, String, Result<Record, String>);

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

impl Done {
    fn refuse(&mut self, id: String, why: String) {
        self.refused += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push((id, why));
        }
    }
}

/// What a row says of an entity, with the attributes that the directory has of it and the file does not name: a change replaces
/// all of them, and what others put there is none of the table's affair.
fn with_others(of: &People, attrs: Record, there: Option<&Entity>) -> Record {
    let Some(there) = there else { return attrs };
    let others = there.attrs.iter().filter(|(name, _)| !of.attrs.contains_key(*name));
    others.map(|(name, value)| (name.clone(), value.clone())).chain(attrs).collect()
}

impl Adoption<'_> {
    /// Puts the rows of a table into the directory: persons into the universe, all else into the tenant.
    pub(crate) fn people(&mut self, of: &People, known: &mut Known, how: &How<'_>) -> Result<Done, Failure> {
        let (mut done, mut after) = (Done::default(), None);
        let nobodys = self.nulls(&of.table, &of.id)?;
        if nobodys > 0 {
            done.refuse("NULL".to_owned(), nobodys_id(nobodys));
            done.refused += nobodys - 1;
        }
        let key = self.paged(&of.table, &of.id)?;
        while done.put < how.limit {
            let page = self.people_page(of, &key, after.as_ref())?;
            let Some((last, ..)) = page.last().cloned() else { break };
            for (_, id, attrs) in page {
                if done.put >= how.limit {
                    break;
                }
                self.person(of, (id, attrs), known, how, &mut done)?;
            }
            after = self.next(&of.table, &of.id, after, last)?;
        }
        Ok(done)
    }

    fn person(
        &mut self,
        of: &People,
        (id, attrs): (String, Result<Record, String>),
        known: &mut Known,
        how: &How<'_>,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let (uid, attrs) = match (self.uid(&of.entity, &id), attrs) {
            (Ok(uid), Ok(attrs)) => (uid, attrs),
            (Err(failure), _) => {
                done.refuse(id, failure.message);
                return Ok(());
            }
            (_, Err(why)) => {
                done.refuse(id, why);
                return Ok(());
            }
        };
        let attrs = with_others(of, attrs, known.0.get(&uid));
        if known.0.get(&uid).is_some_and(|entity| entity.attrs == attrs) {
            done.known += 1;
            return Ok(());
        }
        let tenant = if self.law.persons.contains(uid.type_name()) { "universe" } else { &self.world.tenant };
        let change = Change::Put { uid: uid.clone(), attrs: attrs.clone() };
        match self.changed(tenant, change, how)? {
            None => {
                done.put += 1;
                let parents = known.0.get(&uid).map(|entity| entity.parents.clone());
                let is_new = parents.is_none();
                let entity = Entity { uid: uid.clone(), attrs, parents: parents.unwrap_or_default(), record: None };
                // Of an entity that two tables tell of, a dry run puts the second part behind the first.
                if how.dry && (is_new || self.put.contains_key(&uid)) {
                    self.put.insert(uid.clone(), entity.clone());
                }
                known.0.insert(uid, entity);
            }
            Some(why) => done.refuse(id, why),
        }
        Ok(())
    }

    /// Joins who belongs to what, in the tenant.
    pub(crate) fn memberships(&mut self, of: &Memberships, known: &mut Known, how: &How<'_>) -> Result<Done, Failure> {
        let (mut done, mut after) = (Done::default(), None);
        let key = self.paged(&of.table, &of.member.column)?;
        while done.put < how.limit {
            let members = self.members(of, &key, after.as_ref())?;
            let Some(last) = members.last().cloned() else { break };
            for pair in self.pairs(of, &key, after.as_ref(), &last)? {
                if done.put >= how.limit {
                    break;
                }
                self.joined_to(of, pair, known, how, &mut done)?;
            }
            after = self.next(&of.table, &of.member.column, after, last)?;
        }
        Ok(done)
    }

    fn joined_to(
        &mut self,
        of: &Memberships,
        (member, group): (String, String),
        known: &mut Known,
        how: &How<'_>,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let shown = format!("{member} in {group}");
        let (uid, parent) = match (self.uid(&of.member.entity, &member), self.uid(&of.of.entity, &group)) {
            (Ok(uid), Ok(parent)) => (uid, parent),
            (Err(failure), _) | (_, Err(failure)) => {
                done.refuse(shown, failure.message);
                return Ok(());
            }
        };
        if known.0.get(&uid).is_some_and(|entity| entity.parents.contains(&parent)) {
            done.known += 1;
            return Ok(());
        }
        // Of what a dry run has put and rolled back, the directory knows nothing: nobody can be asked.
        if (self.put.contains_key(&uid) || self.put.contains_key(&parent))
            && known.0.contains_key(&uid)
            && known.0.contains_key(&parent)
        {
            done.untold += 1;
            if let Some(entity) = self.put.get_mut(&uid) {
                entity.parents.insert(parent);
            }
            return Ok(());
        }
        let tenant = self.world.tenant.clone();
        match self.changed(&tenant, Change::Join { uid: uid.clone(), parent: parent.clone() }, how)? {
            None => {
                done.put += 1;
                if let Some(entity) = known.0.get_mut(&uid) {
                    entity.parents.insert(parent);
                }
            }
            Some(why) => done.refuse(shown, why),
        }
        Ok(())
    }

    /// What a table is read by in pages: the column itself, so that its index serves; or its text, where the column's values cannot be
    /// given back to the database as they came.
    fn paged(&mut self, table: &str, column: &str) -> Result<Paged, Failure> {
        let d = self.dialect;
        let key = Key::of(d, table, column, &mut |sql| self.read(sql, &[]))?;
        let (table, column) = (name(d, table), format!("p.{}", name(d, column)));
        let first = |what: &str, only: &str| format!("SELECT {what} FROM {table} p WHERE {only} LIMIT 1");
        let is_plain = match d {
            Dialect::Postgres => key.is_some(),
            Dialect::Sqlite => self.read(&first("1", &format!("typeof({column}) = 'real'")), &[])?.is_empty(),
            Dialect::Mysql => {
                let of = self.read(&first(&column, &format!("{column} IS NOT NULL")), &[])?;
                !matches!(of.into_iter().flatten().next(), Some(Sql::Raw(word)) if word == NO_WORD)
            }
        };
        Ok(if is_plain {
            Paged { by: column, key: key.unwrap_or_default() }
        } else {
            Paged { by: as_text(d, &column), key: Key::default() }
        })
    }

    /// Where the next page begins; it must be further on.
    fn next(&self, table: &str, column: &str, after: Option<Sql>, last: Sql) -> Result<Option<Sql>, Failure> {
        if after.as_ref() == Some(&last) {
            return Err(stuck(table, column));
        }
        Ok(Some(last))
    }

    fn nulls(&mut self, table: &str, column: &str) -> Result<u64, Failure> {
        let d = self.dialect;
        self.number(&format!("SELECT count(*) FROM {} w WHERE w.{} IS NULL", name(d, table), name(d, column)))
    }

    /// The next rows: the key, the id, and the attributes or why there are none.
    fn people_page(&mut self, of: &People, key: &Paged, after: Option<&Sql>) -> Result<Vec<Person>, Failure> {
        let d = self.dialect;
        let columns = std::iter::once(&of.id).chain(of.attrs.values().map(|attr| &attr.column));
        let columns: Vec<String> = columns.map(|column| as_text(d, &format!("p.{}", name(d, column)))).collect();
        let (columns, behind, table) = (columns.join(", "), self.behind(&key.by, &key.key, after), name(d, &of.table));
        let (by, read) = (&key.by, key.key.read(d, &key.by));
        let sql = format!("SELECT {read}, {columns} FROM {table} p WHERE {behind} ORDER BY {by} LIMIT {PAGE}");
        let params: Vec<&Sql> = after.into_iter().collect();
        let rows = self.read(&sql, &params)?;
        let law = self.law;
        let one = |row: Vec<Sql>| {
            let mut cells = row.into_iter();
            let key = cells.next()?;
            let mut words = cells.map(as_words);
            let id = words.next().flatten().unwrap_or_default();
            let mut record = Record::new();
            for ((name, attr), word) in of.attrs.iter().zip(words) {
                let Some(word) = word else { continue };
                match typed_column(name, &attr.ty.declared(), &word, law) {
                    Ok(value) => {
                        record.insert(name.clone(), value);
                    }
                    Err(failure) => return Some((key, id, Err(failure.message))),
                }
            }
            Some((key, id, Ok(record)))
        };
        Ok(rows.into_iter().filter_map(one).collect())
    }

    /// The next members that a table names.
    fn members(&mut self, of: &Memberships, key: &Paged, after: Option<&Sql>) -> Result<Vec<Sql>, Failure> {
        let (table, behind) = (name(self.dialect, &of.table), self.behind(&key.by, &key.key, after));
        let (by, read) = (&key.by, key.key.read(self.dialect, "q.k"));
        let page = format!("SELECT DISTINCT {by} AS k FROM {table} p WHERE {behind} ORDER BY {by} LIMIT {PAGE}");
        let sql = format!("SELECT {read} FROM ({page}) q ORDER BY q.k");
        let params: Vec<&Sql> = after.into_iter().collect();
        Ok(self.read(&sql, &params)?.into_iter().filter_map(|mut row| row.pop()).collect())
    }

    /// Members of a page and what they belong to, where both say something.
    fn pairs(
        &mut self,
        of: &Memberships,
        key: &Paged,
        after: Option<&Sql>,
        last: &Sql,
    ) -> Result<Vec<(String, String)>, Failure> {
        let d = self.dialect;
        let [one, other] = [&of.member.column, &of.of.column].map(|column| as_text(d, &format!("p.{}", name(d, column))));
        let behind = self.behind(&key.by, &key.key, after);
        let place = self.place(if after.is_some() { 2 } else { 1 });
        let place = match last {
            Sql::Raw(_) if d == Dialect::Sqlite => format!("CAST({place} AS TEXT)"),
            _ => key.key.place(&place),
        };
        let table = name(d, &of.table);
        let sql = format!("SELECT DISTINCT {one}, {other} FROM {table} p WHERE {behind} AND {} <= {place} ORDER BY 1, 2", key.by);
        let params: Vec<&Sql> = after.into_iter().chain([last]).collect();
        let rows = self.read(&sql, &params)?;
        let pair = |row: Vec<Sql>| {
            let mut words = row.into_iter().map(as_words);
            words.next().flatten().zip(words.next().flatten()).filter(|(a, b)| !a.is_empty() && !b.is_empty())
        };
        Ok(rows.into_iter().filter_map(pair).collect())
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
        Ok(Uid::new(crate::entity::qualified(entity, self.law), id)?)
    }
}
