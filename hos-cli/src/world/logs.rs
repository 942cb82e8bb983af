//! The world's own log of what became of its rows, told into the threads of their instances: one instance, one transaction. What
//! is told already stands in the thread, under the log's own key: so a run that was ended goes on, and nothing is told twice.

use super::adopt::{Adoption, How, LISTED_MAX, PAGE, REAL};
use super::cells::{as_words, instant, no_words};
use super::is_word;
use super::key::{Id, NO_UTF8, stuck};
use super::words::{as_bytes, as_id, as_text, name, says, text};
use hos_core::call::{Call, LegacyEntry, LegacyLog};
use hos_core::id::{InstanceId, Name, Shown, Tenant};
use hos_core::limits::LEGACY_ENTRIES_MAX;
use hos_core::proof::record::Kind;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::Value;
use hos_engine::Failure;
use hos_engine::joined::Asked;
use hos_engine::store::Sql;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Engine, TenantRef};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::time::Duration;

/// How many bytes of rows one call tells; more are told by several calls of one transaction.
const CALL_BYTES_MAX: usize = 512 << 10;
/// The longest page of a thread.
const HISTORY_PAGE: usize = 1_000;

/// A table whose rows say what became of instances.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logs {
    pub(crate) table: String,
    pub(crate) contract: Of,
    /// The column whose text is the instance's id.
    pub(crate) id: String,
    /// The column by which a row is known for good.
    pub(crate) key: String,
    /// The column that says when.
    pub(crate) at: String,
    /// The column of the state after.
    pub(crate) to: String,
    pub(crate) from: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) detail: Option<String>,
    /// Rows from this instant on are left alone: by then the law has records of its own.
    pub(crate) until: Option<String>,
}

/// Whose rows they are.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Of {
    /// One contract's.
    One(String),
    /// A column says it.
    Column(Column),
}

/// A column that says of which contract a row is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    pub(crate) column: String,
    /// The column's words; rows of any other are left alone.
    pub(crate) words: BTreeMap<String, String>,
}

/// What came of a log.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// By contract.
    pub(crate) told: BTreeMap<String, u64>,
    /// Rows that stand in their threads already.
    pub(crate) known: u64,
    /// Rows whose instance is not there, or was erased.
    pub(crate) unknown: u64,
    /// Of those instances: which.
    pub(crate) strangers: Vec<String>,
    pub(crate) refused: u64,
    /// Of refused rows: the instance and key, and why.
    pub(crate) listed: Vec<(String, String)>,
    /// Rows of instances that others kept locked to the end, or of which calls in shadow waited to be judged.
    pub(crate) locked: u64,
}

/// An instance that somebody else held: its id as the table has it and as text, and how many rows it has.
type Held = (Sql, String, u64);

/// A log's rows of one contract.
struct Part<'l> {
    logs: &'l Logs,
    contract: Name,
    /// The column that says so, and its word.
    word: Option<(&'l str, &'l str)>,
    /// From then on rows are left alone.
    until: Option<Timestamp>,
}

/// An instance's rows, the oldest first; what cannot be told has its reason.
type Entries = Vec<Result<LegacyEntry, (String, String)>>;

/// When a row says that it was. A log may be finer than a record's thousandths: the digits behind them keep its order.
type Moment = (Timestamp, String);

/// What was read of a log for one id of its column.
struct Found {
    /// All rows, with those that are left alone.
    rows: u64,
    /// By the id as text: what a column takes for one may be several.
    entries: BTreeMap<String, Entries>,
}

/// What became of an instance's rows that no record tells yet.
enum Fate {
    Told(u64),
    Locked,
    Refused(String),
}

impl Logs {
    pub(super) fn check(&self) -> Result<(), String> {
        let words = [&self.table, &self.id, &self.key, &self.at, &self.to].into_iter();
        let besides = [&self.from, &self.event, &self.actor, &self.detail].into_iter().flatten();
        words.chain(besides).try_for_each(|word| is_word(word))?;
        if let Some(until) = &self.until {
            Timestamp::parse(until).map_err(|e| format!("`until`: {e}"))?;
        }
        if let Of::Column(of) = &self.contract {
            is_word(&of.column)?;
        }
        self.contracts().into_iter().try_for_each(|(contract, _)| Name::new(contract).map(drop).map_err(|e| e.to_string()))
    }

    /// Contracts, each with the column and the word that say it.
    pub(super) fn contracts(&self) -> Vec<(&str, Option<(&str, &str)>)> {
        match &self.contract {
            Of::One(contract) => vec![(contract, None)],
            Of::Column(of) => {
                of.words.iter().map(|(word, contract)| (contract.as_str(), Some((of.column.as_str(), word.as_str())))).collect()
            }
        }
    }
}

impl Part<'_> {
    /// That a row is left alone. What is no time is not: it is named as what cannot be told.
    fn leaves(&self, moment: Option<&Moment>) -> bool {
        self.until.zip(moment).is_some_and(|(until, (at, _))| *at >= until)
    }
}

impl Told {
    fn done(&self) -> u64 {
        self.told.values().sum()
    }

    fn refuse(&mut self, rows: u64, which: String, why: String) {
        self.refused += rows;
        if self.listed.len() < LISTED_MAX {
            self.listed.push((which, why));
        }
    }
}

impl Adoption<'_> {
    /// Tells a log's rows.
    pub(crate) fn logs(&mut self, engine: &Engine, logs: &Logs, how: &How<'_>) -> Result<Told, Failure> {
        let (mut told, tenant) = (Told::default(), engine.tenant(&self.world.tenant)?);
        for (contract, word) in logs.contracts() {
            let until = logs.until.as_deref().and_then(|until| Timestamp::parse(until).ok());
            let part = Part { logs, contract: Name::new(contract)?, word, until };
            let all = format!("SELECT count(*) {}", self.of(&part));
            let (all, mut seen) = (self.number(&all)?, 0);
            self.without_instance(&part, &mut told)?;
            let (mut after, mut held) = (None, Vec::new());
            while told.done() < how.limit {
                let page = self.instances(&part, after.as_ref())?;
                let Some(last) = page.last().map(|id| id.column.clone()) else { break };
                if after.as_ref() == Some(&last) {
                    return Err(stuck(&logs.table, &logs.id));
                }
                for id in page {
                    let found = self.entries(&part, &id.column)?;
                    seen += found.rows;
                    let is_text = id.text().is_some();
                    for (text, entries) in found.entries {
                        if is_text {
                            self.told_of(&tenant, &part, (&id.column, &text), entries, how, &mut told, &mut held)?;
                        } else {
                            told.refuse(entries.len() as u64, format!("{contract}/{}", id.shown()), NO_UTF8.to_owned());
                        }
                    }
                    how.progress.tell(seen.min(all), all);
                }
                after = Some(last);
            }
            for _ in 1..how.passes.max(1) {
                if held.is_empty() || how.dry {
                    break;
                }
                std::thread::sleep(Duration::from_secs(1));
                for (id, text, _) in std::mem::take(&mut held) {
                    let entries = self.entries(&part, &id)?.entries.remove(&text).unwrap_or_default();
                    self.told_of(&tenant, &part, (&id, &text), entries, how, &mut told, &mut held)?;
                }
            }
            told.locked += held.iter().map(|(.., rows)| rows).sum::<u64>();
        }
        Ok(told)
    }

    /// One instance's rows.
    #[expect(clippy::too_many_arguments, reason = "whose rows, and where what becomes of them is put down")]
    fn told_of(
        &mut self,
        tenant: &TenantRef,
        part: &Part<'_>,
        (column, text): (&Sql, &str),
        entries: Entries,
        how: &How<'_>,
        told: &mut Told,
        held: &mut Vec<Held>,
    ) -> Result<(), Failure> {
        let rows = entries.len() as u64;
        let id = match InstanceId::new(text) {
            Ok(id) => id,
            Err(e) => {
                told.refuse(rows, Shown(text).to_string(), e.to_string());
                return Ok(());
            }
        };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for entry in entries {
            match entry {
                Ok(entry) => good.push(entry),
                Err(why) => bad.push(why),
            }
        }
        let known = match tenant.instance(&part.contract, &id)? {
            Some(_) => Some(known(tenant, &part.contract, &id)?),
            // A dry run has rolled the instance back.
            None if self.would.contains(&(part.contract.to_string(), text.to_owned())) => Some(HashSet::new()),
            None => None,
        };
        let Some(known) = known else {
            told.unknown += rows;
            if told.strangers.len() < LISTED_MAX {
                told.strangers.push(format!("{}/{}", part.contract, Shown(text)));
            }
            return Ok(());
        };
        let all = good.len();
        good.retain(|entry| entry.key.as_ref().is_none_or(|key| !known.contains(key)));
        let already = (all - good.len()) as u64;
        good.truncate(usize::try_from(how.limit.saturating_sub(told.done())).unwrap_or(usize::MAX));
        let which = format!("{}/{}", part.contract, Shown(text));
        let fate = if good.is_empty() { Fate::Told(0) } else { self.tell(tenant, part, &id, &good, how)? };
        match fate {
            // It is seen again as a whole.
            Fate::Locked => {
                held.push((column.clone(), text.to_owned(), rows));
                return Ok(());
            }
            Fate::Told(0) => {}
            Fate::Told(count) => *told.told.entry(part.contract.to_string()).or_default() += count,
            Fate::Refused(why) => told.refuse(good.len() as u64, which.clone(), why),
        }
        told.known += already;
        for (key, why) in bad {
            told.refuse(1, format!("{which} {}", Shown(&key)), why);
        }
        Ok(())
    }

    /// Tells rows in a transaction that holds the instance: what somebody else told meanwhile is left out.
    fn tell(
        &mut self,
        tenant: &TenantRef,
        part: &Part<'_>,
        id: &InstanceId,
        entries: &[LegacyEntry],
        how: &How<'_>,
    ) -> Result<Fate, Failure> {
        let done = self.transact_if_free(how, &mut |this| {
            let Some(instance) = tenant.instance(&part.contract, id)? else {
                // A dry run has rolled it back; nobody else takes one away but an erasure.
                let fate = if how.dry { Fate::Told(entries.len() as u64) } else { Fate::Locked };
                return Ok((false, fate));
            };
            if !this.hold(&part.contract, id)? {
                return Ok((false, Fate::Locked));
            }
            let known = known(tenant, &part.contract, id)?;
            let mut by = how.by.clone();
            match this.brought(instance.facts.values())? {
                Ok(brought) => by.given.extend(brought),
                Err(why) => return Ok((false, Fate::Refused(why))),
            }
            let fresh = entries.iter().filter(|entry| entry.key.as_ref().is_none_or(|key| !known.contains(key)));
            let (mut told, mut calls) = (0, vec![(Vec::new(), 0)]);
            for entry in fresh {
                let full = calls.last().is_none_or(|(rows, bytes): &(Vec<_>, usize)| {
                    rows.len() == LEGACY_ENTRIES_MAX || bytes + entry.bytes() > CALL_BYTES_MAX
                });
                if full {
                    calls.push((Vec::new(), 0));
                }
                if let Some((rows, bytes)) = calls.last_mut() {
                    rows.push(entry.clone());
                    *bytes += entry.bytes();
                }
            }
            for (entries, _) in calls.into_iter().filter(|(rows, _)| !rows.is_empty()) {
                told += entries.len() as u64;
                let log = LegacyLog { by: by.clone(), contract: part.contract.clone(), id: id.clone(), entries, once: None };
                let asked = Asked::Call(Tenant::new(this.world.tenant.as_str())?, Box::new(Call::LegacyLog(log)), Vec::new());
                let answer = match this.joined.over(&mut *this.connection, asked)?.answer {
                    Err(failure) if failure.code == Code::Retry => return Ok((false, Fate::Locked)),
                    answer => answer?,
                };
                if !answer.allowed {
                    let why: Vec<String> = answer.blockers.iter().map(|b| format!("{}: {}", b.code, b.detail)).collect();
                    return Ok((false, Fate::Refused(why.join("; "))));
                }
            }
            Ok((true, Fate::Told(told)))
        })?;
        Ok(done.unwrap_or(Fate::Locked))
    }

    /// Holds an instance's row to the transaction's end, unless somebody else does.
    fn hold(&mut self, contract: &Name, id: &InstanceId) -> Result<bool, Failure> {
        let d = self.dialect;
        if d == Dialect::Sqlite {
            return Ok(true);
        }
        let sql = format!(
            "SELECT 1 FROM hos_instance WHERE tenant = {} AND contract = {} AND id = {} FOR UPDATE SKIP LOCKED",
            text(d, &self.world.tenant),
            text(d, contract.as_str()),
            self.place(1)
        );
        Ok(!self.read(&sql, &[&Sql::Blob(id.as_str().as_bytes().to_vec())])?.is_empty())
    }

    fn of(&self, part: &Part<'_>) -> String {
        let d = self.dialect;
        let only = part.word.map(|(column, word)| says(d, &format!("w.{}", name(d, column)), word));
        format!("FROM {} w WHERE {}", name(d, &part.logs.table), only.as_deref().unwrap_or("1 = 1"))
    }

    /// Refuses the rows that name no instance, which no page holds.
    fn without_instance(&mut self, part: &Part<'_>, told: &mut Told) -> Result<(), Failure> {
        let id = format!("w.{}", name(self.dialect, &part.logs.id));
        let nobodys = self.not_left(part, &format!("{id} IS NULL"))?;
        if nobodys > 0 {
            told.refuse(nobodys, part.contract.to_string(), format!("{nobodys} rows name no instance"));
        }
        if self.dialect == Dialect::Sqlite {
            let real = self.not_left(part, &format!("typeof({id}) = 'real'"))?;
            if real > 0 {
                told.refuse(real, part.contract.to_string(), format!("{real} rows name their instance by {REAL}"));
            }
        }
        Ok(())
    }

    /// How many of these rows are not left alone. Which are, is not asked of the database: each takes other texts for times.
    fn not_left(&mut self, part: &Part<'_>, only: &str) -> Result<u64, Failure> {
        let at = as_text(self.dialect, &format!("w.{}", name(self.dialect, &part.logs.at)));
        let (sql, mut rows) = (format!("SELECT {at} {} AND {only}", self.of(part)), 0);
        let asked = self.connection.query(&sql, &[], &mut |cells| {
            let at = cells.into_iter().next().and_then(as_words).and_then(|at| moment(&at).ok());
            rows += u64::from(!part.leaves(at.as_ref()));
            ControlFlow::Continue(())
        });
        asked.map_err(|e| Failure::from(e.into_store("the world's rows cannot be read")))?;
        Ok(rows)
    }

    /// The next instances that the log names, in the order of its column.
    fn instances(&mut self, part: &Part<'_>, after: Option<&Sql>) -> Result<Vec<Id>, Failure> {
        let (d, key) = (self.dialect, self.key_of(&part.logs.table, &part.logs.id)?);
        let id = format!("w.{}", name(d, &part.logs.id));
        let behind = self.behind(&id, &key, after);
        let page = format!("SELECT DISTINCT {id} AS k {} AND {behind} ORDER BY {id} LIMIT {PAGE}", self.of(part));
        let sql = format!("SELECT {}, {} FROM ({page}) p ORDER BY p.k", key.read(d, "p.k"), as_id(d, "p.k"));
        let params: Vec<&Sql> = after.into_iter().collect();
        let id = |row: Vec<Sql>| {
            let mut cells = row.into_iter();
            Some(Id { column: cells.next()?, bytes: cells.next()? })
        };
        Ok(self.read(&sql, &params)?.into_iter().filter_map(id).collect())
    }

    /// The rows that name an instance, those that are left alone left out.
    fn entries(&mut self, part: &Part<'_>, id: &Sql) -> Result<Found, Failure> {
        let (d, logs, of) = (self.dialect, part.logs, self.key_of(&part.logs.table, &part.logs.id)?);
        let cell = |column: &String| as_bytes(d, &format!("w.{}", name(d, column)));
        let needed = [&logs.id, &logs.key, &logs.at, &logs.to].map(Some);
        let besides = [&logs.from, &logs.event, &logs.actor, &logs.detail].map(Option::as_ref);
        let named = [needed, besides].concat();
        let columns: Vec<String> = named.iter().map(|column| column.map_or_else(|| "NULL".to_owned(), cell)).collect();
        let columns = columns.join(", ");
        let [key, id_column] = [&logs.key, &logs.id].map(|column| name(d, column));
        let place = self.given_at(1, &of, id);
        let sql = format!("SELECT {columns} {} AND w.{id_column} = {place} ORDER BY w.{key}", self.of(part));
        let (mut rows, mut found) = (0, Vec::new());
        for row in self.read(&sql, &[id])? {
            rows += 1;
            let strange = no_words(&row, named.iter().map(|column| column.map_or("", String::as_str)));
            let mut cells = row.into_iter().map(as_words);
            let mut next = || cells.next().flatten().filter(|word| !word.is_empty());
            let (id, key, at, to) = (next().unwrap_or_default(), next(), next(), next());
            let (from, event, actor, detail) = (next(), next(), next(), next());
            let at = at.map(|at| moment(&at));
            let moment = at.as_ref().and_then(|at| at.as_ref().ok()).cloned();
            if part.leaves(moment.as_ref()) {
                continue;
            }
            let entry = strange.map_or(Ok(()), Err).and_then(|()| entry(&logs.table, key.as_deref(), at, to)).and_then(|entry| {
                let entry = LegacyEntry { from, event, actor, detail, ..entry };
                entry.fault().map_or(Ok(entry), Err)
            });
            found.push((moment, id, entry.map_err(|why| (key.unwrap_or_default(), why))));
        }
        // By what the times say, and not by how they are written; rows of one moment stay in the order of their keys.
        found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut entries: BTreeMap<String, Entries> = BTreeMap::new();
        for (_, id, entry) in found {
            entries.entry(id).or_default().push(entry);
        }
        Ok(Found { rows, entries })
    }
}

/// What a row needs: a key, a time, a state.
fn entry(table: &str, key: Option<&str>, at: Option<Result<Moment, String>>, to: Option<String>) -> Result<LegacyEntry, String> {
    let (Some(key), Some(at), Some(to)) = (key, at, to) else {
        return Err("its key, its time or its state is NULL or empty".to_owned());
    };
    Ok(LegacyEntry { key: Some(format!("{table}:{key}")), ..LegacyEntry::new(at?.0, &to) })
}

/// When a row was, from the text of its time.
fn moment(at: &str) -> Result<Moment, String> {
    let stamp = Timestamp::parse(&instant(at)).map_err(|e| e.to_string())?;
    let fraction = at.split_once('.').map(|(_, fraction)| fraction).unwrap_or_default();
    let finer: String = fraction.chars().take_while(char::is_ascii_digit).skip(3).collect();
    Ok((stamp, finer.trim_end_matches('0').to_owned()))
}

/// The keys of the rows that an instance's thread tells already.
fn known(tenant: &TenantRef, contract: &Name, id: &InstanceId) -> Result<HashSet<String>, Failure> {
    let (mut known, mut from) = (HashSet::new(), 0);
    loop {
        let page = tenant.history(contract, id, from, HISTORY_PAGE)?;
        let Some(last) = page.last().and_then(|entry| entry.header.n) else { return Ok(known) };
        for entry in page.iter().filter(|entry| entry.header.kind == Kind::Legacy) {
            for (_, values) in entry.parts.iter().filter(|(name, _)| name == "payload") {
                if let Some(Value::String(key)) = values.get("key") {
                    known.insert(key.clone());
                }
            }
        }
        from = last + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_apart_beyond_the_thousandth_and_whatever_their_spelling() {
        let of = |at: &str| moment(at).unwrap();
        let ordered = [
            "2024-01-01 06:00:00+03:00",
            "2024-01-01T05:00:00Z",
            "2024-01-01 05:00:00.0001",
            "2024-01-01 08:00:00.000900+03",
            "2024-01-01 05:00:00.001",
        ];
        assert!(ordered.windows(2).all(|pair| of(pair[0]) < of(pair[1])), "{:?}", ordered.map(of));
        assert_eq!(of("2024-01-01 05:00:00.120000"), of("2024-01-01T05:00:00.12Z"));
        assert!(["yesterday", "31/04/2024 10:00", "1714600000", ""].iter().all(|at| moment(at).is_err()));
    }
}
