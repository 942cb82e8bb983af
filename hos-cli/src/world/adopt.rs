//! The world's rows brought in as instances while the world goes on: one row, one transaction, which locks that row. What is
//! locked by somebody else is left for a later pass; what is adopted already is passed over, so that a run that was ended goes on.

use super::cells::{as_words, no_words, shown, typed_column};
use super::key::{Id, Key, NO_UTF8, Paged, stuck, twice};
use super::words::{as_bytes, as_id, name, text};
use super::{Rows, World};
use crate::progress::Progress;
use hos_core::call::{self, By, Call};
use hos_core::id::{InstanceId, Name, Shown, Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};
use hos_engine::joined::{Asked, Joined};
use hos_engine::store::Sql;
use hos_engine::store::server::Connection;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Failure, Settings};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How many ids are read at once.
pub(super) const PAGE: usize = 500;
/// How often a row is tried again that the database asked to begin again.
const TRIES: u32 = 5;
/// How many refused rows are listed; all are counted.
pub(super) const LISTED_MAX: usize = 1000;
/// How many rows that others hold are kept for later passes; the next run takes the rest.
const HELD_MAX: usize = 100_000;
/// What no id is, though SQLite keeps it in any column.
pub(super) const REAL: &str = "a number with a fraction (REAL): an id is a text or a whole number";

/// How rows are brought in.
pub(crate) struct How<'h> {
    pub(crate) by: By,
    /// Everything is done and rolled back again.
    pub(crate) dry: bool,
    /// How many rows of a table are taken at most; those that are refused do not count.
    pub(crate) limit: u64,
    /// How often what was locked is tried again.
    pub(crate) passes: u32,
    /// How much of the time is worked, in hundredths; the rest is the world's.
    pub(crate) share: u32,
    pub(crate) progress: &'h Progress,
}

/// What came of a table.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) adopted: BTreeMap<String, u64>,
    pub(crate) refused: u64,
    /// Of refused rows: id, and why.
    pub(crate) listed: Vec<(String, String)>,
    /// Rows that a dry run cannot tell: when their deadlines are due is reckoned over people that it has put and rolled back.
    pub(crate) untold: u64,
    /// Rows that others kept locked to the end, or of whose instances calls in shadow waited to be judged.
    pub(crate) locked: u64,
}

impl Done {
    fn count(&self) -> u64 {
        self.adopted.values().sum::<u64>() + self.untold
    }

    fn refuse(&mut self, rows: u64, id: String, why: String) {
        self.refused += rows;
        if self.listed.len() < LISTED_MAX {
            self.listed.push((id, why));
        }
    }
}

/// What became of one row.
enum Fate {
    Adopted(String),
    Already,
    /// Only the real run can say.
    Untold,
    Locked,
    /// Taken away since its id was read.
    Gone,
    Refused(String),
}

/// What the rows of one id came to when a page was read.
struct Found {
    id: Id,
    rows: u64,
    is_adopted: bool,
}

/// Something done in a transaction: whether it is to be kept, and what came of it.
pub(super) type Work<'w, A, T> = &'w mut dyn FnMut(&mut A) -> Result<(bool, T), Failure>;

/// An entity as the world has it, if it has it; or why its row is none.
pub(super) type Read = Result<Option<Entity>, String>;

/// One table on its way.
pub(crate) struct Adoption<'a> {
    pub(crate) connection: Box<dyn Connection>,
    pub(crate) dialect: Dialect,
    pub(crate) world: &'a World,
    pub(crate) law: &'a Law,
    pub(super) joined: Joined,
    pub(super) given: HashMap<Uid, Read>,
    /// What a dry run has put into the directory and rolled back.
    pub(super) put: HashMap<Uid, Entity>,
    /// Contract and id of what a dry run has made and rolled back.
    pub(super) would: HashSet<(String, String)>,
    /// How columns are read that are asked for in pages, by table and column.
    pub(super) keys: HashMap<(String, String), Key>,
}

impl<'a> Adoption<'a> {
    pub(crate) fn new(connection: Box<dyn Connection>, dialect: Dialect, world: &'a World, law: &'a Law) -> Self {
        let builder = hos_engine::Engine::builder().settings(Settings::default());
        let joined = Joined::open(builder, dialect, dialect.places());
        let (given, put, would, keys) = Default::default();
        Self { connection, dialect, world, law, joined, given, put, would, keys }
    }

    /// Brings a table's rows in.
    pub(crate) fn run(&mut self, rows: &Rows, how: &How<'_>) -> Result<Done, Failure> {
        let mut done = Done::default();
        let all = self.left(rows)?;
        let mut seen = self.without_id(rows, &mut done)?;
        let key = self.key_of(&rows.table, &rows.id)?;
        let paged = Paged { by: format!("p.{}", name(self.dialect, &rows.id)), key };
        let (mut after, mut held) = (None, Vec::new());
        'pages: while let Some(end) = self.end(&rows.table, &rows.id, &paged, after.as_ref())? {
            for found in self.page(rows, &paged, after.as_ref(), &end)? {
                if found.is_adopted && found.rows == 1 {
                    continue;
                }
                if done.count() >= how.limit {
                    break 'pages;
                }
                if found.rows == 1 {
                    seen += u64::from(self.settle(rows, found.id, how, &mut done, &mut held)?);
                } else {
                    // Which of them the instance stands for nobody can tell, though one were adopted when it was alone.
                    done.refuse(found.rows, found.id.shown(), twice(found.rows));
                    seen += found.rows;
                }
                how.progress.tell(seen.min(all), all);
            }
            after = Some(end);
        }
        for _ in 1..how.passes.max(1) {
            if held.is_empty() || how.dry || done.count() >= how.limit {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
            for id in std::mem::take(&mut held) {
                if done.count() >= how.limit {
                    held.push(id);
                    continue;
                }
                seen += u64::from(self.settle(rows, id, how, &mut done, &mut held)?);
                how.progress.tell(seen.min(all), all);
            }
        }
        done.locked += held.len() as u64;
        Ok(done)
    }

    /// One row; says whether it is settled. One that somebody else holds is kept for later, or counted where too many are kept.
    fn settle(&mut self, rows: &Rows, id: Id, how: &How<'_>, done: &mut Done, held: &mut Vec<Id>) -> Result<bool, Failure> {
        match self.one(rows, &id, how)? {
            Fate::Adopted(state) => {
                *done.adopted.entry(state).or_default() += 1;
                if how.dry {
                    self.would.insert((rows.contract.clone(), id.text().unwrap_or_default()));
                }
            }
            Fate::Untold => {
                done.untold += 1;
                self.would.insert((rows.contract.clone(), id.text().unwrap_or_default()));
            }
            Fate::Already | Fate::Gone => {}
            Fate::Refused(why) => done.refuse(1, id.shown(), why),
            Fate::Locked => {
                if held.len() < HELD_MAX {
                    held.push(id);
                } else {
                    done.locked += 1;
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses the rows whose id is none, which no page holds; says how many they are.
    fn without_id(&mut self, rows: &Rows, done: &mut Done) -> Result<u64, Failure> {
        let (table, id) = (name(self.dialect, &rows.table), name(self.dialect, &rows.id));
        let nobodys = self.number(&format!("SELECT count(*) FROM {table} w WHERE w.{id} IS NULL"))?;
        if nobodys > 0 {
            done.refuse(nobodys, "NULL".to_owned(), nobodys_id(nobodys));
        }
        if self.dialect != Dialect::Sqlite {
            return Ok(nobodys);
        }
        let its = self.is_its(rows, &as_id(self.dialect, &format!("w.{id}")));
        let real =
            format!("FROM {table} w WHERE typeof(w.{id}) = 'real' AND NOT EXISTS (SELECT 1 FROM hos_instance i WHERE {its})");
        let count = self.number(&format!("SELECT count(*) {real}"))?;
        let listed = self.read(&format!("SELECT CAST(w.{id} AS TEXT) {real} ORDER BY w.{id} LIMIT {LISTED_MAX}"), &[])?;
        done.refused += count - (listed.len() as u64).min(count);
        for row in listed {
            let id = row.first().map(shown).unwrap_or_default();
            done.refuse(1, id, format!("its id is {REAL}"));
        }
        Ok(nobodys + count)
    }

    /// That `i` is the instance of the row that has this id.
    fn is_its(&self, rows: &Rows, id: &str) -> String {
        let d = self.dialect;
        let (tenant, contract) = (text(d, &self.world.tenant), text(d, &rows.contract));
        format!("i.tenant = {tenant} AND i.contract = {contract} AND i.id = {id} AND i.state <> ''")
    }

    fn left(&mut self, rows: &Rows) -> Result<u64, Failure> {
        let id = as_id(self.dialect, &format!("w.{}", name(self.dialect, &rows.id)));
        let (table, its) = (name(self.dialect, &rows.table), self.is_its(rows, &id));
        let sql = format!("SELECT count(*) FROM {table} w WHERE NOT EXISTS (SELECT 1 FROM hos_instance i WHERE {its})");
        self.number(&sql)
    }

    pub(super) fn number(&mut self, sql: &str) -> Result<u64, Failure> {
        let found = self.read(sql, &[])?.pop().and_then(|mut row| row.pop());
        Ok(found.and_then(as_words).and_then(|digits| digits.parse().ok()).unwrap_or(0))
    }

    /// That a row has an id, and one behind another.
    pub(super) fn behind(&self, id: &str, key: &Key, after: Option<&Sql>) -> String {
        let behind = after.map_or_else(String::new, |after| format!(" AND {id} > {}", self.given_at(1, key, after)));
        let real = if self.dialect == Dialect::Sqlite { format!(" AND typeof({id}) <> 'real'") } else { String::new() };
        format!("{id} IS NOT NULL{real}{behind}")
    }

    /// A value's place, as what a column is compared with.
    pub(super) fn given_at(&self, n: usize, key: &Key, value: &Sql) -> String {
        match value {
            // A text that is no UTF-8 is bound as bytes, which stand behind all texts. The sign takes the cast's own type from it, by
            // which numbers on the other side would be compared as texts.
            Sql::Raw(_) if self.dialect == Dialect::Sqlite => format!("+CAST({} AS TEXT)", self.place(n)),
            _ => key.place(&self.place(n)),
        }
    }

    /// Where the next page ends. With it comes all that the column takes for the same, however much that is: the page behind it
    /// begins behind all of these.
    pub(super) fn end(&mut self, table: &str, column: &str, paged: &Paged, after: Option<&Sql>) -> Result<Option<Sql>, Failure> {
        let (d, by) = (self.dialect, &paged.by);
        let (from, behind) = (name(d, table), self.behind(by, &paged.key, after));
        let page = format!("SELECT {by} AS k FROM {from} p WHERE {behind} ORDER BY {by} LIMIT {PAGE}");
        let sql = format!("SELECT {} FROM ({page}) w ORDER BY w.k DESC LIMIT 1", paged.key.read(d, "w.k"));
        let params: Vec<&Sql> = after.into_iter().collect();
        let end = self.read(&sql, &params)?.pop().and_then(|mut row| row.pop());
        if end.is_some() && end.as_ref() == after {
            return Err(stuck(table, column));
        }
        Ok(end)
    }

    /// That a row lies in a page, with the parameters for it.
    pub(super) fn within<'v>(&self, paged: &Paged, after: Option<&'v Sql>, end: &'v Sql) -> (String, Vec<&'v Sql>) {
        let params: Vec<&Sql> = after.into_iter().chain([end]).collect();
        let place = self.given_at(params.len(), &paged.key, end);
        (format!("{} AND {} <= {place}", self.behind(&paged.by, &paged.key, after), paged.by), params)
    }

    /// A page's ids, in the order of the table's own key: how many rows have each, and whether it is adopted already.
    ///
    /// The page is taken first, and each of its ids looked for then: asked for the next rows that are not adopted, a database may
    /// go through all instances for each page.
    fn page(&mut self, rows: &Rows, paged: &Paged, after: Option<&Sql>, end: &Sql) -> Result<Vec<Found>, Failure> {
        let (d, by, its) = (self.dialect, &paged.by, self.is_its(rows, "w.b"));
        let (bytes, table) = (as_id(d, by), name(d, &rows.table));
        let (within, params) = self.within(paged, after, end);
        let page = format!("SELECT {by} AS k, {bytes} AS b, count(*) AS n FROM {table} p WHERE {within} GROUP BY {by}, {bytes}");
        let instance = format!("(SELECT 1 FROM hos_instance i WHERE {its})");
        let sql = format!("SELECT {}, w.b, w.n, {instance} FROM ({page}) w ORDER BY w.k, w.b", paged.key.read(d, "w.k"));
        let found = |row: Vec<Sql>| {
            let mut cells = row.into_iter();
            let id = Id { column: cells.next()?, bytes: cells.next()? };
            let rows = cells.next().and_then(as_words).and_then(|digits| digits.parse().ok())?;
            let is_adopted = cells.next().is_some_and(|of| !matches!(of, Sql::Null)) && id.text().is_some();
            Some(Found { id, rows, is_adopted })
        };
        Ok(self.read(&sql, &params)?.into_iter().filter_map(found).collect())
    }

    fn one(&mut self, rows: &Rows, id: &Id, how: &How<'_>) -> Result<Fate, Failure> {
        let done = self.transact_if_free(how, &mut |this| {
            let fate = this.in_transaction(rows, id, how)?;
            Ok((matches!(fate, Fate::Adopted(_)), fate))
        })?;
        Ok(done.unwrap_or(Fate::Locked))
    }

    /// As [`Adoption::transact`]; nothing where the database asks for it again and again: one row that others hold ends no run.
    pub(super) fn transact_if_free<T>(&mut self, how: &How<'_>, work: Work<'_, Self, T>) -> Result<Option<T>, Failure> {
        match self.transact(how, work) {
            Err(failure) if failure.code == Code::Retry => Ok(None),
            done => done.map(Some),
        }
    }

    /// Does something in a transaction, which is kept if it says so and this is no dry run; and again where the database asks for
    /// it. Then it rests.
    pub(super) fn transact<T>(&mut self, how: &How<'_>, work: Work<'_, Self, T>) -> Result<T, Failure> {
        let begun = Instant::now();
        let done = self.transaction(how.dry, work);
        let share = how.share.clamp(1, 100);
        if share < 100 {
            std::thread::sleep(begun.elapsed() * (100 - share) / share);
        }
        done
    }

    fn transaction<T>(&mut self, dry: bool, work: Work<'_, Self, T>) -> Result<T, Failure> {
        let mut attempt = 0;
        loop {
            self.say(if self.dialect == Dialect::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" })?;
            let done = work(self);
            let keep = matches!(done, Ok((true, _))) && !dry;
            let ended = self.say(if keep { "COMMIT" } else { "ROLLBACK" });
            match (done, ended) {
                (Err(failure), _) | (Ok(_), Err(failure)) if failure.code == Code::Retry && attempt < TRIES => {
                    std::thread::sleep(Duration::from_millis(20 << attempt));
                    attempt += 1;
                }
                (Err(failure), _) | (Ok(_), Err(failure)) => return Err(failure),
                (Ok((_, done)), Ok(())) => return Ok(done),
            }
        }
    }

    fn in_transaction(&mut self, rows: &Rows, id: &Id, how: &How<'_>) -> Result<Fate, Failure> {
        let Some(id_text) = id.text() else { return Ok(Fate::Refused(NO_UTF8.to_owned())) };
        let mut found = self.locked(rows, id)?;
        let Some(row) = found.pop() else { return self.missed(rows, id) };
        if !found.is_empty() {
            return Ok(Fate::Refused(twice(2)));
        }
        if let Some(why) = no_words(&row, columns(rows).map(String::as_str)) {
            return Ok(Fate::Refused(why));
        }
        let mut row: Vec<Option<String>> = row.into_iter().map(as_words).collect();
        let mut next = || row.pop().flatten();
        let facts: Vec<(&String, Option<String>)> = rows.facts.keys().rev().map(|name| (name, next())).collect();
        let Some(word) = next() else { return Ok(Fate::Refused("its state is NULL".to_owned())) };
        let state = rows.state_of(&word).to_owned();
        let contract = crate::input::contract(self.law, &rows.contract);
        if !contract.is_some_and(|c| c.states.iter().any(|s| s.name.as_str() == state)) {
            return Ok(Fate::Refused(format!("`{}` is no state of the contract; map it in `states`", Shown(&word))));
        }
        let mut values = Record::new();
        for (name, column) in facts {
            let Some(column) = column else { continue };
            let declared = contract.and_then(|c| c.facts.get(name.as_str())).map(|attribute| &attribute.ty);
            let value = declared.map_or(Ok(Value::String(column.clone())), |ty| typed_column(name, ty, &column, self.law));
            match value {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(failure) => return Ok(Fate::Refused(format!("{}: {}", failure.code, failure.message))),
            }
        }
        let names_put = values.values().any(|value| matches!(value, Value::Entity(uid) if self.put.contains_key(uid)));
        let mut by = how.by.clone();
        match self.brought(values.values())? {
            Ok(brought) => by.given.extend(brought),
            Err(why) => return Ok(Fate::Refused(why)),
        }
        let id = match InstanceId::new(id_text) {
            Ok(id) => id,
            Err(e) => return Ok(Fate::Refused(e.to_string())),
        };
        let adopt = call::Adopt {
            by,
            contract: Name::new(rows.contract.as_str())?,
            id,
            state: Name::new(state.as_str())?,
            facts: values,
            once: None,
        };
        let tenant = Tenant::new(self.world.tenant.as_str())?;
        let asked = Asked::Call(tenant, Box::new(Call::Adopt(adopt)), Vec::new());
        let answer = match self.joined.over(&mut *self.connection, asked)?.answer {
            // Calls in shadow of it wait to be judged first: that takes longer than a lock.
            Err(failure) if failure.code == Code::Retry => return Ok(Fate::Locked),
            answer => answer?,
        };
        Ok(match answer.code() {
            _ if answer.allowed => Fate::Adopted(state),
            Some(code) if code == Code::InstanceExists.as_str() => Fate::Already,
            // The clock reckons over the directory alone: to it nobody gives whom a dry run has put and rolled back.
            Some(code) if names_put && code == Code::GuardError.as_str() => Fate::Untold,
            _ => {
                let why: Vec<String> = answer.blockers.iter().map(|b| format!("{}: {}", b.code, b.detail)).collect();
                Fate::Refused(why.join("; "))
            }
        })
    }

    /// State and facts of the row that has an id, as text, while it is ours alone; of two where there are more, and none where
    /// somebody else has it.
    fn locked(&mut self, rows: &Rows, id: &Id) -> Result<Vec<Vec<Sql>>, Failure> {
        let d = self.dialect;
        let columns: Vec<String> = columns(rows).map(|column| as_bytes(d, &format!("w.{}", name(d, column)))).collect();
        let lock = if d == Dialect::Sqlite { "" } else { " FOR UPDATE SKIP LOCKED" };
        let (just, params) = self.is_just(rows, id)?;
        let sql = format!("SELECT {} FROM {} w WHERE {just} LIMIT 2{lock}", columns.join(", "), name(d, &rows.table));
        self.read(&sql, &params)
    }

    /// That a row has just this id, with the parameters for it: the column's own index finds what it takes for the same, and of
    /// that the letters are compared.
    fn is_just<'i>(&mut self, rows: &Rows, id: &'i Id) -> Result<(String, Vec<&'i Sql>), Failure> {
        let (d, key) = (self.dialect, self.key_of(&rows.table, &rows.id)?);
        let column = format!("w.{}", name(d, &rows.id));
        let bytes = as_id(d, &column);
        Ok(match d {
            // A column of SQLite's may hold one text as a text, as bytes and as a number.
            Dialect::Sqlite => {
                (format!("{column} IN (CAST(?1 AS TEXT), ?1, CAST(?1 AS INTEGER)) AND {bytes} = ?1"), vec![&id.bytes])
            }
            Dialect::Postgres | Dialect::Mysql => {
                let [first, second] = [1, 2].map(|n| self.place(n));
                (format!("{column} = {} AND {bytes} = {second}", key.place(&first)), vec![&id.column, &id.bytes])
            }
        })
    }

    /// Why a row was not found that is nobody's: somebody holds it, or it is gone.
    fn missed(&mut self, rows: &Rows, id: &Id) -> Result<Fate, Failure> {
        let (just, params) = self.is_just(rows, id)?;
        let sql = format!("SELECT 1 FROM {} w WHERE {just} LIMIT 1", name(self.dialect, &rows.table));
        Ok(if self.read(&sql, &params)?.is_empty() { Fate::Gone } else { Fate::Locked })
    }

    pub(super) fn place(&self, n: usize) -> String {
        match self.dialect {
            Dialect::Postgres => format!("${n}"),
            Dialect::Sqlite => format!("?{n}"),
            Dialect::Mysql => "?".to_owned(),
        }
    }

    /// What a table's column is read by, asked once.
    pub(super) fn key_of(&mut self, table: &str, column: &str) -> Result<Key, Failure> {
        let at = (table.to_owned(), column.to_owned());
        if let Some(known) = self.keys.get(&at) {
            return Ok(known.clone());
        }
        let key = Key::of(self.dialect, table, column, &mut |sql| self.read(sql, &[]))?;
        let key = key.ok_or_else(|| stuck(table, column))?;
        self.keys.insert(at, key.clone());
        Ok(key)
    }

    fn say(&mut self, sql: &str) -> Result<(), Failure> {
        self.connection.say(sql).map_err(|e| Failure::from(e.into_store("the world's transaction")))
    }

    pub(super) fn read(&mut self, sql: &str, params: &[&Sql]) -> Result<Vec<Vec<Sql>>, Failure> {
        let mut rows = Vec::new();
        let asked = self.connection.query(sql, params, &mut |cells| {
            rows.push(cells);
            ControlFlow::Continue(())
        });
        asked.map_err(|e| Failure::from(e.into_store("the world's rows cannot be read")))?;
        Ok(rows)
    }
}

/// A row's columns in the order in which they are read: its state and its facts.
fn columns(rows: &Rows) -> impl Iterator<Item = &String> {
    std::iter::once(&rows.state).chain(rows.facts.values())
}

/// Why rows that have no id are refused, in one line.
pub(super) fn nobodys_id(rows: u64) -> String {
    if rows == 1 { "its id is NULL".to_owned() } else { format!("its id is NULL ({rows} rows)") }
}
