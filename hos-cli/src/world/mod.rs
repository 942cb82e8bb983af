//! The world's rows: which row of the world's own tables is which instance of a contract, as a file says it (`spec/world.md`).

pub(crate) mod adopt;
mod cells;
pub(crate) mod columns;
pub(crate) mod drift;
mod given;
pub(crate) mod guard;
mod key;
pub(crate) mod logs;
pub(crate) mod people;
pub(crate) mod told;
pub(crate) mod words;

use crate::global::Global;
use crate::usage::usage;
use hos_core::id::{Name, Shown, Tenant};
use hos_core::law::Law;
use hos_core::shape::Type;
use hos_engine::Failure;
use hos_engine::store::server::{ClientError, Connection, Connector};
use hos_engine::store::sql::dialect::Dialect;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The longest file of this kind.
const FILE_BYTES_MAX: usize = 1 << 20;
/// How many characters of what is wrong with a file are told.
const SAID_MAX: usize = 300;
/// How long the database, and a lock, is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How PostgreSQL reads the file's words and writes values as text; the guard's function does so too.
const POSTGRES: &str = "SET TIME ZONE 'UTC'; SET DateStyle TO 'ISO'; SET IntervalStyle TO 'postgres'; SET bytea_output TO 'hex';
 SET standard_conforming_strings TO on";
/// The longest name of a table or a column; databases allow 63 or 64.
const WORD_BYTES_MAX: usize = 64;

/// What the file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct World {
    /// Whose rows they are.
    pub(crate) tenant: String,
    /// Tables whose rows are entities of the directory: accounts, shops, roles.
    #[serde(default)]
    pub(crate) people: Vec<people::People>,
    /// Tables that say who belongs to what.
    #[serde(default)]
    pub(crate) memberships: Vec<people::Memberships>,
    /// Tables whose rows are instances.
    #[serde(default)]
    pub(crate) rows: Vec<Rows>,
    /// Tables that say what became of instances.
    #[serde(default)]
    pub(crate) logs: Vec<logs::Logs>,
    /// Tables whose rows are entities that facts name and the directory does not hold.
    #[serde(default)]
    pub(crate) given: Vec<Given>,
}

/// A table whose rows are instances of a contract.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rows {
    pub(crate) contract: String,
    pub(crate) table: String,
    /// The column whose text is the instance's id.
    pub(crate) id: String,
    /// The column that holds the state.
    pub(crate) state: String,
    /// The world's word for a state; one that is not here is the state itself.
    #[serde(default)]
    pub(crate) states: BTreeMap<String, String>,
    /// Facts: each a column, read as the contract declares it.
    #[serde(default)]
    pub(crate) facts: BTreeMap<String, String>,
}

/// A table whose rows are entities.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// The entity's type in the law's namespace.
    pub(crate) entity: String,
    pub(crate) table: String,
    pub(crate) id: String,
    /// Attributes.
    #[serde(default)]
    pub(crate) attrs: BTreeMap<String, Attr>,
}

/// An attribute of an entity: a column, and what it holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attr {
    pub(crate) column: String,
    #[serde(rename = "type")]
    pub(crate) ty: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Kind {
    Bool,
    Long,
    String,
}

impl Kind {
    fn declared(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Long => Type::Long,
            Self::String => Type::String,
        }
    }
}

impl World {
    /// Reads the file, and holds every word in it against what a name may be.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: &dyn std::fmt::Display| usage(format!("{}: {why}", path.display()));
        let bytes = crate::input::bounded_file(path, FILE_BYTES_MAX)?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err(wrong(&format!("it holds more than {FILE_BYTES_MAX} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong(&"it is no UTF-8"))?;
        let world: Self = toml::from_str(&text).map_err(|e| wrong(&told(&text, &e)))?;
        Tenant::new(world.tenant.as_str()).map_err(|e| wrong(&e))?;
        for rows in &world.rows {
            Name::new(rows.contract.as_str()).map_err(|e| wrong(&e))?;
            let words = [&rows.table, &rows.id, &rows.state].into_iter().chain(rows.facts.values());
            let mut words = words.chain(rows.facts.keys());
            words.try_for_each(|word| is_word(word)).map_err(|e| wrong(&e))?;
        }
        for given in &world.given {
            let columns = given.attrs.values().map(|attr| &attr.column);
            let words = [&given.table, &given.id].into_iter().chain(columns).chain(given.attrs.keys());
            let mut words = words;
            words.try_for_each(|word| is_word(word)).map_err(|e| wrong(&e))?;
        }
        world.people.iter().try_for_each(people::People::check).map_err(|e| wrong(&e))?;
        world.memberships.iter().try_for_each(people::Memberships::check).map_err(|e| wrong(&e))?;
        world.logs.iter().try_for_each(logs::Logs::check).map_err(|e| wrong(&e))?;
        if world.rows.is_empty() && world.people.is_empty() && world.logs.is_empty() {
            return Err(wrong(&"it names no table: `[[rows]]`, `[[people]]` or `[[logs]]`"));
        }
        Ok(world)
    }

    /// Refuses another tenant than the file's own, where the command line names one.
    pub(crate) fn is_of(&self, global: &Global) -> Result<(), Failure> {
        match &global.tenant {
            Some(said) if *said != self.tenant => {
                let (said, own) = (Shown(said), &self.tenant);
                Err(usage(format!("--tenant `{said}`: the file's rows are those of the tenant `{own}`; leave --tenant out")))
            }
            _ => Ok(()),
        }
    }

    /// Holds the file against the law: contracts and states that are not there are named.
    pub(crate) fn fits(&self, law: &Law) -> Result<(), Failure> {
        let known = |name: &str| {
            crate::input::contract(law, name).ok_or_else(|| {
                let known: Vec<&str> = law.contracts.keys().map(Name::as_str).collect();
                usage(format!("the law has no contract `{}`; it has {}", Shown(name), known.join(", ")))
            })
        };
        for logs in &self.logs {
            logs.contracts().into_iter().try_for_each(|(contract, _)| known(contract).map(drop))?;
        }
        for rows in &self.rows {
            let contract = known(&rows.contract)?;
            let states: Vec<&str> = contract.states.iter().map(|state| state.name.as_str()).collect();
            if let Some(strange) = rows.states.values().find(|state| !states.contains(&state.as_str())) {
                let (of, known) = (&rows.contract, states.join(", "));
                return Err(usage(format!("contract `{of}` has no state `{}`; it has {known}", Shown(strange))));
            }
            if let Some(strange) = rows.facts.keys().find(|fact| !contract.facts.contains_key(fact.as_str())) {
                return Err(usage(format!("contract `{}` has no fact `{}`", rows.contract, Shown(strange))));
            }
        }
        Ok(())
    }
}

impl Rows {
    /// The contract's state for the world's word.
    pub(crate) fn state_of<'r>(&'r self, word: &'r str) -> &'r str {
        self.states.get(word).map_or(word, String::as_str)
    }
}

/// What is wrong with a file, and where: in one line, however long the file's own are.
fn told(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let (line, column) = (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
    let mut said: String = error.message().chars().take(SAID_MAX).map(|c| if c == '\n' { ' ' } else { c }).collect();
    if error.message().chars().count() > SAID_MAX {
        said.push('…');
    }
    format!("line {line}, column {column}: {said}")
}

/// A connection that reads the world's rows, with every time in UTC and written year first: as text it comes in the session's own
/// zone, and in PostgreSQL in the style that somebody set for the database. Nor does a setting of the
/// database's say what a backslash in the file's own words is.
pub(crate) fn connect(connector: &dyn Connector) -> Result<Box<dyn Connection>, Failure> {
    let failed = |e: ClientError| Failure::from(e.into_store("cannot connect"));
    let mut connection = connector.connect(PATIENCE).map_err(failed)?;
    match connector.dialect() {
        Dialect::Postgres => connection.say(POSTGRES).map_err(failed)?,
        Dialect::Mysql => connection.say("SET SESSION time_zone = '+00:00'").map_err(failed)?,
        Dialect::Sqlite => {}
    }
    Ok(connection)
}

/// Names of tables and columns become part of statements: letters, digits and underscores, a schema's name before a dot.
fn is_word(word: &str) -> Result<(), String> {
    let plain = |part: &str| {
        !part.is_empty()
            && part.len() <= WORD_BYTES_MAX
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !part.starts_with(|c: char| c.is_ascii_digit())
    };
    let parts: Vec<&str> = word.split('.').collect();
    if parts.len() <= 2 && parts.iter().all(|part| plain(part)) {
        return Ok(());
    }
    Err(format!("`{}` is no name of a table or a column that is known here: letters, digits and _", Shown(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn read(text: &str) -> Result<World, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        World::read(file.path())
    }

    const GOOD: &str = "tenant = \"pazar-tr\"\n[[rows]]\ncontract = \"order\"\ntable = \"shop.orders\"\nid = \"id\"\nstate = \"status\"\nstates = { basket = \"cart\" }\n";

    #[test]
    fn words_of_the_world_are_mapped_or_are_themselves() {
        let world = read(GOOD).unwrap();
        assert_eq!((world.rows[0].state_of("basket"), world.rows[0].state_of("paid")), ("cart", "paid"));
    }

    #[test]
    fn what_would_be_a_statement_of_its_own_is_refused() {
        for (from, to) in [
            ("shop.orders", "orders; DROP TABLE x"),
            ("shop.orders", "a.b.c"),
            ("\"id\"", "\"\""),
            ("\"status\"", "\"st'atus\""),
            ("\"status\"", "\"1status\""),
            ("pazar-tr", "Pazar"),
            ("contract = \"order\"", "contract = \"an order\""),
            ("states", "statez"),
        ] {
            let failure = read(&GOOD.replace(from, to)).unwrap_err();
            assert_eq!(failure.code.as_str(), "hos.call_malformed", "{to}: {}", failure.message);
        }
        assert!(read("tenant = \"t\"\n").unwrap_err().message.contains("names no table"));
    }
}
