//! The world's accounts, shops and roles brought into the directory, and who belongs to what.

use super::adopt::{Adoption, How, LISTED_MAX, nobodys_id};
use super::cells::{as_words, no_words, typed_column};
use super::key::{Id, Key, NO_UTF8, Paged, twice};
use super::words::{as_bytes, as_id, as_text, name};
use super::{Attr, is_word};
use hos_core::call::{Call, Change, Directory};
use hos_core::id::{Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
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

/// What the rows of one id say: how many they are, and the attributes or why there are none.
struct Person {
    id: String,
    rows: u64,
    attrs: Result<Record, String>,
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

impl Done {
    fn refuse(&mut self, rows: u64, id: String, why: String) {
        self.refused += rows;
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

/// A row's attributes; or why it has none.
fn attrs(of: &People, words: impl Iterator<Item = Option<String>>, law: &Law) -> Result<Record, String> {
    let mut record = Record::new();
    for ((name, attr), word) in of.attrs.iter().zip(words) {
        let Some(word) = word else { continue };
        record.insert(name.clone(), typed_column(name, &attr.ty.declared(), &word, law).map_err(|failure| failure.message)?);
    }
    Ok(record)
}

impl Adoption<'_> {
    /// Puts the rows of a table into the directory: persons into the universe, all else into the tenant.
    pub(crate) fn people(&mut self, engine: &Engine, of: &People, known: &mut Known, how: &How<'_>) -> Result<Done, Failure> {
        let (mut done, mut after) = (Done::default(), None);
        let nobodys = self.nulls(&of.table, &of.id)?;
        if nobodys > 0 {
            done.refuse(nobodys, "NULL".to_owned(), nobodys_id(nobodys));
        }
        let paged = self.paged(&of.table, &of.id)?;
        while done.put < how.limit {
            let Some(end) = self.end(&of.table, &of.id, &paged, after.as_ref())? else { break };
            for person in self.people_page(of, &paged, after.as_ref(), &end)? {
                if done.put >= how.limit {
                    break;
                }
                self.person(of, person, known, how, &mut done)?;
            }
            after = Some(end);
            self.count(engine, how)?;
        }
        Ok(done)
    }

    fn person(
        &mut self,
        of: &People,
        Person { id, rows, attrs }: Person,
        known: &mut Known,
        how: &How<'_>,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let (uid, attrs) = match (self.uid(&of.entity, &id), attrs) {
            (Ok(uid), Ok(attrs)) => (uid, attrs),
            (Err(failure), _) => {
                done.refuse(rows, id, failure.message);
                return Ok(());
            }
            (_, Err(why)) => {
                done.refuse(rows, id, why);
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
            Some(why) => done.refuse(rows, id, why),
        }
        Ok(())
    }

    /// Joins who belongs to what, in the tenant.
    pub(crate) fn memberships(
        &mut self,
        engine: &Engine,
        of: &Memberships,
        known: &mut Known,
        how: &How<'_>,
    ) -> Result<Done, Failure> {
        let (mut done, mut after) = (Done::default(), None);
        let paged = self.paged(&of.table, &of.member.column)?;
        while done.put < how.limit {
            let Some(end) = self.end(&of.table, &of.member.column, &paged, after.as_ref())? else { break };
            for pair in self.pairs(of, &paged, after.as_ref(), &end)? {
                if done.put >= how.limit {
                    break;
                }
                self.joined_to(of, pair, known, how, &mut done)?;
            }
            after = Some(end);
            self.count(engine, how)?;
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
                done.refuse(1, shown, failure.message);
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
        // A dry run has put the member and rolled it back: the engine would miss it, and the real run misses the other end.
        if self.put.contains_key(&uid) && !known.0.contains_key(&parent) {
            done.refuse(1, shown, format!("{}: `{parent}`", Code::EntityMissing));
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
            Some(why) => done.refuse(1, shown, why),
        }
        Ok(())
    }

    /// What a table is read by in pages: the column itself, so that its index serves; or its text, where the column's values cannot
    /// be given back to the database as they came, or where one id may stand there as a text and as a number.
    fn paged(&mut self, table: &str, column: &str) -> Result<Paged, Failure> {
        let d = self.dialect;
        let key = Key::of(d, table, column, &mut |sql| self.read(sql, &[]))?;
        let (table, column) = (name(d, table), format!("p.{}", name(d, column)));
        let types = match d {
            Dialect::Sqlite => {
                self.read(&format!("SELECT DISTINCT typeof({column}) FROM {table} p WHERE {column} IS NOT NULL"), &[])?
            }
            Dialect::Postgres | Dialect::Mysql => Vec::new(),
        };
        let is_plain = types.len() <= 1 && !types.into_iter().flatten().any(|ty| as_words(ty).is_some_and(|ty| ty == "real"));
        Ok(match key.filter(|_| is_plain) {
            Some(key) => Paged { by: column, key },
            None => Paged { by: as_text(d, &column), key: Key::default() },
        })
    }

    fn nulls(&mut self, table: &str, column: &str) -> Result<u64, Failure> {
        let d = self.dialect;
        self.number(&format!("SELECT count(*) FROM {} w WHERE w.{} IS NULL", name(d, table), name(d, column)))
    }

    /// A page's ids, and what the rows of each say. Several that say the same are one.
    fn people_page(&mut self, of: &People, paged: &Paged, after: Option<&Sql>, end: &Sql) -> Result<Vec<Person>, Failure> {
        let d = self.dialect;
        let column = |column: &String| format!("p.{}", name(d, column));
        // By their bytes: to a collation rows would be the same that are not.
        let attributes = of.attrs.values().map(|attr| as_bytes(d, &column(&attr.column)));
        let columns: Vec<String> = std::iter::once(as_id(d, &column(&of.id))).chain(attributes).collect();
        let (read, columns) = (paged.key.read(d, &paged.by), columns.join(", "));
        let (within, params) = self.within(paged, after, end);
        let sql = format!("SELECT DISTINCT {read}, {columns} FROM {} p WHERE {within} ORDER BY 2, 1", name(d, &of.table));
        let mut people: Vec<Person> = Vec::new();
        for row in self.read(&sql, &params)? {
            let mut cells = row.into_iter();
            let Some((column, bytes)) = cells.next().zip(cells.next()) else { continue };
            let id = Id { column, bytes };
            let Some(text) = id.text() else {
                people.push(Person { id: as_words(id.column).unwrap_or_default(), rows: 1, attrs: Err(NO_UTF8.to_owned()) });
                continue;
            };
            let cells: Vec<Sql> = cells.collect();
            let attrs = match no_words(&cells, of.attrs.values().map(|attr| attr.column.as_str())) {
                Some(why) => Err(why),
                None => attrs(of, cells.into_iter().map(as_words), self.law),
            };
            match people.last_mut().filter(|last| last.id == text) {
                None => people.push(Person { id: text, rows: 1, attrs }),
                Some(last) if last.rows == 1 && last.attrs == attrs => {}
                Some(last) => {
                    last.rows += 1;
                    last.attrs = Err(format!("{}, with attributes that differ", twice(last.rows)));
                }
            }
        }
        Ok(people)
    }

    /// Members of a page and what they belong to, where both say something.
    fn pairs(
        &mut self,
        of: &Memberships,
        paged: &Paged,
        after: Option<&Sql>,
        end: &Sql,
    ) -> Result<Vec<(String, String)>, Failure> {
        let (d, table) = (self.dialect, name(self.dialect, &of.table));
        let [one, other] = [&of.member.column, &of.of.column].map(|column| as_bytes(d, &format!("p.{}", name(d, column))));
        let (within, params) = self.within(paged, after, end);
        let sql = format!("SELECT DISTINCT {one}, {other} FROM {table} p WHERE {within} ORDER BY 1, 2");
        let rows = self.read(&sql, &params)?;
        let pair = |row: Vec<Sql>| {
            let mut words = row.into_iter().map(as_words);
            words.next().flatten().zip(words.next().flatten()).filter(|(a, b)| !a.is_empty() && !b.is_empty())
        };
        Ok(rows.into_iter().filter_map(pair).collect())
    }

    /// Has the changes of a page counted: whoever judges beside them, and this run itself, would read all of them with each one more.
    /// A user of the database who may not do so leaves them to the next round of work.
    fn count(&self, engine: &Engine, how: &How<'_>) -> Result<(), Failure> {
        if how.dry {
            return Ok(());
        }
        for tenant in [Tenant::universe(), Tenant::new(self.world.tenant.as_str())?] {
            let _ = engine.count_changes(&tenant);
        }
        Ok(())
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
