//! The world's rows against the law's: which bypassed it.

use super::words::{as_id, name, same, state, text};
use super::{Rows, World};
use hos_core::digest::heads_label;
use hos_core::id::Tenant;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::Sql;
use hos_engine::store::server::Connection;
use hos_engine::store::sql::dialect::Dialect;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// How many findings of a table are listed; all are counted.
pub(crate) const LISTED_MAX: usize = 1000;

/// How a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// The law holds another state: somebody wrote the row and did not ask.
    Bypassed,
    /// No instance stands for the row: it was never adopted, or was born without the law.
    Unknown,
    /// An instance stands for no row.
    Gone,
}

impl How {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bypassed => "bypassed",
            Self::Unknown => "unknown",
            Self::Gone => "gone",
        }
    }
}

/// One row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) contract: String,
    pub(crate) id: String,
    pub(crate) how: How,
    /// What the world's row says, as the contract calls it.
    pub(crate) row: Option<String>,
    /// What the law holds.
    pub(crate) law: Option<String>,
}

/// What a table came to: its rows, and what of them differs.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: u64,
    pub(crate) differ: u64,
    /// Rows and instances that differ while calls in shadow of them wait to be judged: they count as nothing else.
    pub(crate) waiting: u64,
    pub(crate) listed: Vec<Finding>,
}

/// The instances of which calls in shadow wait: the world's row is ahead of the law's until they are judged.
struct Waiting {
    tenant: Tenant,
    /// Their labels.
    about: HashSet<Vec<u8>>,
}

impl Waiting {
    fn read(connection: &mut dyn Connection, dialect: Dialect, world: &World) -> Result<Self, Failure> {
        let of = text(dialect, &world.tenant);
        let sql = format!("SELECT about FROM hos_inbox WHERE tenant = {of} AND stream = '' AND about IS NOT NULL");
        let mut about = HashSet::new();
        let asked = connection.query(&sql, &[], &mut |cells| {
            about.extend(cells.into_iter().filter_map(|cell| match cell {
                Sql::Blob(label) | Sql::Raw(label) => Some(label),
                Sql::Null | Sql::Int(_) | Sql::Text(_) => None,
            }));
            ControlFlow::Continue(())
        });
        asked.map_err(|e| Failure::from(e.into_store("what waits in shadow cannot be read")))?;
        Ok(Self { tenant: Tenant::new(world.tenant.as_str())?, about })
    }

    fn has(&self, contract: &str, id: &str) -> bool {
        !self.about.is_empty() && self.about.contains(heads_label(&self.tenant, contract, id).as_bytes().as_slice())
    }
}

/// Compares the file's tables, by the database itself, as of one moment.
pub(crate) fn compare(connection: &mut dyn Connection, dialect: Dialect, world: &World) -> Result<Vec<Table>, Failure> {
    let begin: &[&str] = match dialect {
        Dialect::Postgres => &["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
        Dialect::Mysql => {
            &["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"]
        }
        Dialect::Sqlite => &["BEGIN"],
    };
    begin.iter().try_for_each(|sql| say(connection, sql))?;
    let waiting = Waiting::read(connection, dialect, world)?;
    let tables = world.rows.iter().map(|rows| table(connection, dialect, world, rows, &waiting));
    let tables = tables.collect::<Result<Vec<_>, Failure>>()?;
    say(connection, "COMMIT")?;
    Ok(tables)
}

fn table(
    connection: &mut dyn Connection,
    dialect: Dialect,
    world: &World,
    rows: &Rows,
    waiting: &Waiting,
) -> Result<Table, Failure> {
    let (table, id, column) = (name(dialect, &rows.table), name(dialect, &rows.id), name(dialect, &rows.state));
    let ours = format!(
        "i.tenant = {} AND i.contract = {} AND i.state <> ''",
        text(dialect, &world.tenant),
        text(dialect, &rows.contract)
    );
    let row_id = as_id(dialect, &format!("w.{id}"));
    let row_state = state(dialect, rows, &format!("w.{column}"));
    let same = same(dialect, "i.state", &row_state);
    let mut found = Table { rows: number(connection, &format!("SELECT count(*) FROM {table}"))?, ..Table::default() };
    let differing = format!(
        "SELECT {row_id} AS id, {row_state} AS said, i.state FROM {table} w LEFT JOIN hos_instance i ON {ours} AND i.id = {row_id}
         WHERE i.state IS NULL OR NOT ({same}) OR w.{column} IS NULL ORDER BY 1"
    );
    take(connection, &differing, |row| {
        let how = if row.2.is_some() { How::Bypassed } else { How::Unknown };
        found.add(rows, how, row, waiting);
    })?;
    // Rows of one contract may lie in several tables: an instance is gone where none of them has its row, and is told with the first.
    let mut tables = world.rows.iter().filter(|other| other.contract == rows.contract).peekable();
    if tables.peek().is_none_or(|first| !std::ptr::eq(*first, rows)) {
        return Ok(found);
    }
    // The ids of all rows as a table of its own, which the database can look up in: an id that is made of a column is in no index.
    let ids = |of: &Rows| {
        let (table, id) = (name(dialect, &of.table), name(dialect, &of.id));
        format!("SELECT {} AS id FROM {table} w", as_id(dialect, &format!("w.{id}")))
    };
    let ids: Vec<String> = tables.map(ids).collect();
    let ids = if let [one] = ids.as_slice() { one.replacen("SELECT", "SELECT DISTINCT", 1) } else { ids.join(" UNION ") };
    let gone = format!(
        "SELECT i.id, NULL AS said, i.state FROM hos_instance i LEFT JOIN ({ids}) d ON d.id = i.id
         WHERE {ours} AND d.id IS NULL ORDER BY 1"
    );
    take(connection, &gone, |row| found.add(rows, How::Gone, row, waiting))?;
    Ok(found)
}

type Row = (String, Option<String>, Option<String>);

impl Table {
    fn add(&mut self, rows: &Rows, how: How, (id, row, law): Row, waiting: &Waiting) {
        if waiting.has(&rows.contract, &id) {
            self.waiting += 1;
            return;
        }
        self.differ += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(Finding { contract: rows.contract.clone(), id, how, row, law });
        }
    }
}

fn say(connection: &mut dyn Connection, sql: &str) -> Result<(), Failure> {
    connection.say(sql).map_err(|e| Failure::from(e.into_store("the world's rows cannot be compared")))
}

fn take(connection: &mut dyn Connection, sql: &str, mut each: impl FnMut(Row)) -> Result<(), Failure> {
    let asked = connection.query(sql, &[], &mut |cells| {
        let mut texts = cells.into_iter().map(|cell| match cell {
            Sql::Null => None,
            Sql::Int(n) => Some(n.to_string()),
            Sql::Text(text) => Some(text),
            Sql::Blob(bytes) | Sql::Raw(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        });
        let id = texts.next().flatten().unwrap_or_default();
        each((id, texts.next().flatten(), texts.next().flatten()));
        ControlFlow::Continue(())
    });
    asked.map_err(|e| Failure::from(e.into_store("the world's rows cannot be compared")))
}

fn number(connection: &mut dyn Connection, sql: &str) -> Result<u64, Failure> {
    let mut found = None;
    let asked = connection.query(sql, &[], &mut |cells| {
        found = match cells.first() {
            Some(Sql::Int(n)) => u64::try_from(*n).ok(),
            Some(Sql::Raw(digits)) => std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        ControlFlow::Break(())
    });
    asked.map_err(|e| Failure::from(e.into_store("the world's rows cannot be counted")))?;
    found.ok_or_else(|| Failure::new(Code::StoreIntegrity, "a count that is no number"))
}
