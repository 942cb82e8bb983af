//! The world's rows brought in as instances while the world goes on: one row, one transaction, which locks that row. What is
//! locked by somebody else is left for a later pass; what is adopted already is passed over, so that a run that was ended goes on.

use super::words::{as_id, as_text, name, text};
use super::{Attr, Given, Rows, World};
use crate::progress::Progress;
use crate::typed;
use hos_core::call::{self, By, Call};
use hos_core::id::{InstanceId, Name, Shown, Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::shape::Type;
use hos_core::value::{Ext, Record, Value};
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

/// How rows are brought in.
pub(crate) struct How<'h> {
    pub(crate) by: By,
    /// Everything is done and rolled back again.
    pub(crate) dry: bool,
    /// How many rows at most.
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
    /// Rows that others kept locked to the end.
    pub(crate) locked: u64,
}

/// What became of one row.
enum Fate {
    Adopted(String),
    Already,
    Locked,
    Refused(String),
}

/// Something done in a transaction: whether it is to be kept, and what came of it.
pub(super) type Work<'w, A, T> = &'w mut dyn FnMut(&mut A) -> Result<(bool, T), Failure>;

/// One table on its way.
pub(crate) struct Adoption<'a> {
    pub(crate) connection: Box<dyn Connection>,
    pub(crate) dialect: Dialect,
    pub(crate) world: &'a World,
    pub(crate) law: &'a Law,
    pub(super) joined: Joined,
    given: HashMap<Uid, Option<Entity>>,
    /// Contract and id of what a dry run has made and rolled back.
    pub(super) would: HashSet<(String, String)>,
}

impl<'a> Adoption<'a> {
    pub(crate) fn new(connection: Box<dyn Connection>, dialect: Dialect, world: &'a World, law: &'a Law) -> Self {
        let builder = hos_engine::Engine::builder().settings(Settings::default());
        let joined = Joined::open(builder, dialect, dialect.places());
        Self { connection, dialect, world, law, joined, given: HashMap::new(), would: HashSet::new() }
    }

    /// Brings a table's rows in.
    pub(crate) fn run(&mut self, rows: &Rows, how: &How<'_>) -> Result<Done, Failure> {
        let (mut done, mut seen) = (Done::default(), 0);
        let all = self.left(rows)?.min(how.limit);
        for pass in 0..how.passes.max(1) {
            if pass > 0 {
                std::thread::sleep(Duration::from_secs(1));
            }
            done.locked = 0;
            let mut after = None;
            loop {
                let page = self.page(rows, after.as_ref())?;
                let Some((last, _)) = page.last().cloned() else { break };
                for (id, _) in page.iter().filter(|(_, is_adopted)| !is_adopted) {
                    if seen >= how.limit {
                        return Ok(done);
                    }
                    match self.one(rows, id, how)? {
                        Fate::Adopted(state) => {
                            *done.adopted.entry(state).or_default() += 1;
                            if how.dry {
                                self.would.insert((rows.contract.clone(), as_words(id.clone()).unwrap_or_default()));
                            }
                            seen += 1;
                        }
                        Fate::Already => {}
                        Fate::Locked => done.locked += 1,
                        // It was told in the first pass.
                        Fate::Refused(_) if pass > 0 => {}
                        Fate::Refused(why) => {
                            done.refused += 1;
                            seen += 1;
                            if done.listed.len() < LISTED_MAX {
                                done.listed.push((shown(id), why));
                            }
                        }
                    }
                    how.progress.tell(seen.min(all), all);
                }
                after = Some(last);
            }
            if done.locked == 0 || how.dry {
                break;
            }
        }
        Ok(done)
    }

    /// That `i` is the instance of the row `w`.
    fn is_its(&self, rows: &Rows) -> String {
        let d = self.dialect;
        let id = as_id(d, &format!("w.{}", name(d, &rows.id)));
        let (tenant, contract) = (text(d, &self.world.tenant), text(d, &rows.contract));
        format!("i.tenant = {tenant} AND i.contract = {contract} AND i.id = {id} AND i.state <> ''")
    }

    fn left(&mut self, rows: &Rows) -> Result<u64, Failure> {
        let (table, its) = (name(self.dialect, &rows.table), self.is_its(rows));
        let sql = format!("SELECT count(*) FROM {table} w WHERE NOT EXISTS (SELECT 1 FROM hos_instance i WHERE {its})");
        let found = self.read(&sql, &[])?.pop().and_then(|mut row| row.pop());
        Ok(match found {
            Some(Sql::Int(n)) => u64::try_from(n).unwrap_or(0),
            Some(Sql::Raw(digits)) => String::from_utf8_lossy(&digits).parse().unwrap_or(0),
            _ => 0,
        })
    }

    /// The next ids, in the order of the table's own key, and whether each is adopted already.
    ///
    /// The page is taken first, and each of its rows looked for then: asked for the next rows that are not adopted, a database may go
    /// through all instances for each page.
    fn page(&mut self, rows: &Rows, after: Option<&Sql>) -> Result<Vec<(Sql, bool)>, Failure> {
        let (table, id) = (name(self.dialect, &rows.table), name(self.dialect, &rows.id));
        let behind = if after.is_some() { format!("WHERE p.{id} > {} ", self.place(1)) } else { String::new() };
        let page = format!("SELECT p.{id} FROM {table} p {behind}ORDER BY p.{id} LIMIT {PAGE}");
        let its = self.is_its(rows);
        let sql = format!("SELECT w.{id}, i.tenant FROM ({page}) w LEFT JOIN hos_instance i ON {its} ORDER BY w.{id}");
        let params: Vec<&Sql> = after.into_iter().collect();
        let read = |row: Vec<Sql>| {
            let mut cells = row.into_iter();
            cells.next().zip(cells.next()).map(|(id, of)| (id, !matches!(of, Sql::Null)))
        };
        Ok(self.read(&sql, &params)?.into_iter().filter_map(read).collect())
    }

    fn one(&mut self, rows: &Rows, id: &Sql, how: &How<'_>) -> Result<Fate, Failure> {
        self.transact(how, &mut |this| {
            let fate = this.in_transaction(rows, id, how)?;
            Ok((matches!(fate, Fate::Adopted(_)), fate))
        })
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

    /// The ids and attributes of a table's rows.
    #[expect(clippy::type_complexity, reason = "rows, each with its values or why it has none")]
    pub(super) fn entity_rows(
        &mut self,
        table: &str,
        id: &str,
        attrs: &BTreeMap<String, Attr>,
    ) -> Result<Vec<(String, Result<Record, String>)>, Failure> {
        let d = self.dialect;
        let columns = std::iter::once(id).chain(attrs.values().map(|attr| attr.column.as_str()));
        let columns: Vec<String> = columns.map(|column| as_text(d, &name(d, column))).collect();
        let rows = self.read(&format!("SELECT {} FROM {} ORDER BY 1", columns.join(", "), name(d, table)), &[])?;
        let law = self.law;
        let one = |row: Vec<Sql>| {
            let mut cells = row.into_iter().map(as_words);
            let id = cells.next().flatten().unwrap_or_default();
            let mut record = Record::new();
            for ((name, attr), word) in attrs.iter().zip(cells) {
                let Some(word) = word else { continue };
                match typed_column(name, &attr.ty.declared(), &word, law) {
                    Ok(value) => {
                        record.insert(name.clone(), value);
                    }
                    Err(failure) => return (id, Err(failure.message)),
                }
            }
            (id, Ok(record))
        };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Two columns of a table's rows, where both say something.
    pub(super) fn pairs(&mut self, table: &str, one: &str, other: &str) -> Result<Vec<(String, String)>, Failure> {
        let d = self.dialect;
        let [one, other] = [one, other].map(|column| as_text(d, &name(d, column)));
        let rows = self.read(&format!("SELECT DISTINCT {one}, {other} FROM {} ORDER BY 1, 2", name(d, table)), &[])?;
        let pair = |row: Vec<Sql>| {
            let mut words = row.into_iter().map(as_words);
            words.next().flatten().zip(words.next().flatten()).filter(|(a, b)| !a.is_empty() && !b.is_empty())
        };
        Ok(rows.into_iter().filter_map(pair).collect())
    }

    fn in_transaction(&mut self, rows: &Rows, id: &Sql, how: &How<'_>) -> Result<Fate, Failure> {
        let Some(mut row) = self.locked(rows, id)? else { return Ok(Fate::Locked) };
        let mut next = || row.pop().flatten();
        let facts: Vec<(&String, Option<String>)> = rows.facts.keys().rev().map(|name| (name, next())).collect();
        let (word, id_text) = (next(), next());
        let Some(word) = word else { return Ok(Fate::Refused("its state is NULL".to_owned())) };
        let Some(id_text) = id_text else { return Ok(Fate::Refused("its id is NULL".to_owned())) };
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
        let mut by = how.by.clone();
        for value in values.values() {
            if let Value::Entity(uid) = value
                && let Some(entity) = self.given_entity(uid)?
            {
                by.given.push(entity);
            }
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
        let answer = self.joined.over(&mut *self.connection, asked)?.answer?;
        Ok(match answer.code() {
            _ if answer.allowed => Fate::Adopted(state),
            Some(code) if code == Code::InstanceExists.as_str() => Fate::Already,
            _ => {
                let why: Vec<String> = answer.blockers.iter().map(|b| format!("{}: {}", b.code, b.detail)).collect();
                Fate::Refused(why.join("; "))
            }
        })
    }

    /// The row's id, state and facts, as text, while it is ours alone; none where somebody else has it.
    fn locked(&mut self, rows: &Rows, id: &Sql) -> Result<Option<Vec<Option<String>>>, Failure> {
        let d = self.dialect;
        let columns = [&rows.id, &rows.state].into_iter().chain(rows.facts.values());
        let columns: Vec<String> = columns.map(|column| as_text(d, &format!("w.{}", name(d, column)))).collect();
        let lock = if d == Dialect::Sqlite { "" } else { " FOR UPDATE SKIP LOCKED" };
        let sql = format!(
            "SELECT {} FROM {} w WHERE w.{} = {}{lock}",
            columns.join(", "),
            name(d, &rows.table),
            name(d, &rows.id),
            self.place(1)
        );
        let found = self.read(&sql, &[id])?.pop();
        Ok(found.map(|row| row.into_iter().map(as_words).collect()))
    }

    /// An entity that a fact names, as the world has it.
    pub(super) fn given_entity(&mut self, uid: &Uid) -> Result<Option<Entity>, Failure> {
        if let Some(known) = self.given.get(uid) {
            return Ok(known.clone());
        }
        let world = self.world;
        let short = uid.type_name().rsplit("::").next().unwrap_or_default();
        let of = world.given.iter().find(|given| given.entity == short || given.entity == uid.type_name());
        let entity = match of {
            Some(given) => self.read_entity(given, uid)?,
            None => None,
        };
        self.given.insert(uid.clone(), entity.clone());
        Ok(entity)
    }

    fn read_entity(&mut self, given: &Given, uid: &Uid) -> Result<Option<Entity>, Failure> {
        let d = self.dialect;
        let columns: Vec<String> = given.attrs.values().map(|a| as_text(d, &name(d, &a.column))).collect();
        let columns = if columns.is_empty() { "1".to_owned() } else { columns.join(", ") };
        let id = as_text(d, &name(d, &given.id));
        let sql = format!("SELECT {columns} FROM {} WHERE {id} = {}", name(d, &given.table), self.place(1));
        let Some(row) = self.read(&sql, &[&Sql::Text(uid.id().to_owned())])?.pop() else { return Ok(None) };
        let mut attrs = Record::new();
        for ((attr, of), cell) in given.attrs.iter().zip(row) {
            let Some(word) = as_words(cell) else { continue };
            attrs.insert(attr.clone(), typed_column(attr, &of.ty.declared(), &word, self.law)?);
        }
        Ok(Some(Entity { uid: uid.clone(), attrs, parents: Default::default(), record: None }))
    }

    pub(super) fn place(&self, n: usize) -> String {
        match self.dialect {
            Dialect::Postgres => format!("${n}"),
            Dialect::Sqlite => format!("?{n}"),
            Dialect::Mysql => "?".to_owned(),
        }
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

pub(super) fn as_words(cell: Sql) -> Option<String> {
    match cell {
        Sql::Null => None,
        Sql::Int(n) => Some(n.to_string()),
        Sql::Text(text) => Some(text),
        Sql::Blob(bytes) | Sql::Raw(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

pub(super) fn shown(id: &Sql) -> String {
    Shown(&as_words(id.clone()).unwrap_or_default()).to_string()
}

/// A column's text as a declared type: databases write truth and time in their own ways.
fn typed_column(name: &str, ty: &Type, word: &str, law: &Law) -> Result<Value, Failure> {
    let word = match ty {
        Type::Bool => match word {
            "1" | "t" | "TRUE" => "true".to_owned(),
            "0" | "f" | "FALSE" => "false".to_owned(),
            other => other.to_owned(),
        },
        Type::Ext(Ext::Datetime) => instant(word),
        _ => word.to_owned(),
    };
    typed::read(name, ty, &word, law)
}

/// `2026-01-02 03:04:05.678` as Cedar writes it, in UTC; what is no such time is left for the law to refuse.
pub(super) fn instant(word: &str) -> String {
    let text = word.trim_end_matches("+00").replacen(' ', "T", 1);
    let (date_time, fraction) = text.split_once('.').map_or((text.as_str(), None), |(t, f)| (t, Some(f)));
    match fraction.map(|f| f.chars().take(3).collect::<String>()) {
        _ if !date_time.contains('T') || date_time.ends_with('Z') => text.clone(),
        Some(ms) => format!("{date_time}.{ms:0<3}Z"),
        None => format!("{date_time}Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_databases_are_cedars() {
        for (word, wanted) in [
            ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05.6", "2026-01-02T03:04:05.600Z"),
            ("2026-01-02 03:04:05.678912+00", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02", "2026-01-02"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("never", "never"),
        ] {
            assert_eq!(instant(word), wanted);
        }
    }
}
