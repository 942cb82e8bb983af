//! What the records tell, given back to the world as a log of its own: plain rows that its pages read by SQL, through a view that
//! looks like the table that the world wrote itself.
//!
//! The rows are a copy and no evidence. They follow the tenant's log, place by place: what is sealed is copied once. Where a thread
//! ends by an erasure its rows go, and who was erased stands in no row any more.

use super::logs::{Logs, Of};
use super::words::{head, name, text};
use super::{Rows, World};
use crate::usage::usage;
use hos_core::id::Uid;
use hos_core::proof::record::Kind;
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Record, Value};
use hos_core::{digest, refusal::Code};
use hos_engine::store::Sql;
use hos_engine::store::server::{Connection, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Engine, Failure, HistoryEntry};
use std::ops::ControlFlow;

/// How many records are copied in one transaction.
const PAGE: usize = 500;

/// Tables, indexes, the tenant's place, and a view for each log that the file names. What is there already stays: the script may be
/// put in again, and another tenant's beside it.
pub(crate) fn script(world: &World, dialect: Dialect) -> String {
    let (word, id, number, bytes, tail) = match dialect {
        Dialect::Sqlite => ("TEXT", "TEXT", "INTEGER", "BLOB", " STRICT"),
        Dialect::Postgres => ("TEXT", "TEXT", "BIGINT", "BYTEA", ""),
        Dialect::Mysql => (
            "VARCHAR(255)",
            "VARCHAR(255)",
            "BIGINT",
            "VARBINARY(64)",
            " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin",
        ),
    };
    let is_mysql = dialect == Dialect::Mysql;
    let (tenant, long) = if is_mysql { ("VARCHAR(63)", "LONGTEXT") } else { ("TEXT", "TEXT") };
    // MySQL knows no index that is made if it is not there.
    let (keys, indexes, nowhere) = if is_mysql {
        (",\n  KEY hos_told_of (tenant, contract, id, n), KEY hos_told_who (who)", "", " FROM DUAL")
    } else {
        let indexes = "CREATE INDEX IF NOT EXISTS hos_told_of ON hos_told (tenant, contract, id, n);
CREATE INDEX IF NOT EXISTS hos_told_who ON hos_told (who);
";
        ("", indexes, "")
    };
    let mut out = format!(
        "{head}-- What the records tell, as rows; `hos told` brings them up to the log. `at` is in milliseconds since 1970, UTC.
CREATE TABLE IF NOT EXISTS hos_told (
  tenant {tenant} NOT NULL, thread {bytes} NOT NULL, n {number} NOT NULL, seq {number} NOT NULL, contract {word} NOT NULL, id {id} NOT NULL,
  at {number} NOT NULL, kind {word} NOT NULL, event {word}, from_state {word}, to_state {word} NOT NULL, actor {word}, who {bytes}, detail {long},
  PRIMARY KEY (tenant, thread, n){keys}
){tail};
{indexes}CREATE TABLE IF NOT EXISTS hos_told_upto (tenant {tenant} NOT NULL PRIMARY KEY, seq {number} NOT NULL){tail};
INSERT INTO hos_told_upto (tenant, seq) SELECT {of}, 0{nowhere} WHERE NOT EXISTS (SELECT 1 FROM hos_told_upto WHERE tenant = {of});
",
        head = head(dialect),
        of = text(dialect, &world.tenant)
    );
    for logs in &world.logs {
        out.push('\n');
        out.push_str(&view(world, logs, dialect));
    }
    out
}

/// The statements that take away what is the tenant's: its views and its rows. The tables may hold other tenants' rows.
pub(crate) fn removal(world: &World, dialect: Dialect) -> String {
    let views: String = world.logs.iter().map(|logs| format!("DROP VIEW IF EXISTS {};\n", view_name(logs))).collect();
    let of = text(dialect, &world.tenant);
    let rows = ["hos_told", "hos_told_upto"].map(|table| format!("DELETE FROM {table} WHERE tenant = {of};\n"));
    views + &rows.concat()
}

fn view_name(logs: &Logs) -> String {
    format!("hos_{}", logs.table.replace('.', "_"))
}

/// The view has the columns that the file names of the log's table, in the world's words.
fn view(world: &World, logs: &Logs, dialect: Dialect) -> String {
    let instant = match dialect {
        Dialect::Sqlite => "strftime('%Y-%m-%d %H:%M:%f', t.at / 1000.0, 'unixepoch')",
        Dialect::Postgres => "CAST(to_timestamp(t.at / 1000.0) AT TIME ZONE 'UTC' AS TIMESTAMP(3))",
        Dialect::Mysql => "TIMESTAMPADD(MICROSECOND, t.at * 1000, CAST('1970-01-01' AS DATETIME(3)))",
    };
    let contracts = logs.contracts();
    let mut columns = vec![(logs.key.as_str(), "t.seq".to_owned())];
    if let Of::Column(of) = &logs.contract {
        let same = contracts.iter().all(|(contract, word)| word.is_none_or(|(_, word)| word == *contract));
        let arms: String = contracts
            .iter()
            .filter_map(|(contract, word)| Some(format!(" WHEN {} THEN {}", text(dialect, contract), text(dialect, (*word)?.1))))
            .collect();
        // A column that is there as it is can be looked up in the index.
        columns.push((of.column.as_str(), if same { "t.contract".to_owned() } else { format!("CASE t.contract{arms} END") }));
    }
    columns.push((logs.id.as_str(), "t.id".to_owned()));
    columns.push((logs.at.as_str(), instant.to_owned()));
    columns.push((logs.to.as_str(), in_the_worlds_words(world, &contracts, dialect, "t.to_state")));
    let besides = [
        (&logs.from, in_the_worlds_words(world, &contracts, dialect, "t.from_state")),
        (&logs.event, "t.event".to_owned()),
        (&logs.actor, "t.actor".to_owned()),
        (&logs.detail, "t.detail".to_owned()),
    ];
    columns.extend(besides.into_iter().filter_map(|(column, said)| Some((column.as_deref()?, said))));
    let columns: Vec<String> = columns.iter().map(|(column, said)| format!("  {said} AS {}", name(dialect, column))).collect();
    let of: Vec<String> = contracts.iter().map(|(contract, _)| text(dialect, contract)).collect();
    let view = view_name(logs);
    // Rights on a view that is replaced stay; SQLite has none, and replaces none.
    let create = match dialect {
        Dialect::Sqlite => format!("DROP VIEW IF EXISTS {view};\nCREATE VIEW"),
        Dialect::Postgres | Dialect::Mysql => "CREATE OR REPLACE VIEW".to_owned(),
    };
    format!(
        "{create} {view} AS SELECT\n{}\nFROM hos_told t WHERE t.tenant = {} AND t.contract IN ({});\n",
        columns.join(",\n"),
        text(dialect, &world.tenant),
        of.join(", ")
    )
}

/// A state as the world calls it. An older log's words are the world's own already.
fn in_the_worlds_words(world: &World, contracts: &[(&str, Option<(&str, &str)>)], dialect: Dialect, column: &str) -> String {
    let mapped = |rows: &&Rows| !rows.states.is_empty() && contracts.iter().any(|(contract, _)| *contract == rows.contract);
    let arms: String = world
        .rows
        .iter()
        .filter(mapped)
        .flat_map(|rows| rows.states.iter().map(move |(word, state)| (rows, word, state)))
        .map(|(rows, word, state)| {
            let [contract, state, word] = [&rows.contract, state, word].map(|part| text(dialect, part));
            format!(" WHEN t.kind <> 'legacy' AND t.contract = {contract} AND {column} = {state} THEN {word}")
        })
        .collect();
    if arms.is_empty() { column.to_owned() } else { format!("CASE{arms} ELSE {column} END") }
}

/// How far the copy came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    /// Rows that were written.
    pub(crate) told: u64,
    /// The place in the log behind the last record that was looked at.
    pub(crate) upto: u64,
    /// Rows in which an erased person no longer stands, and rows of erased threads.
    pub(crate) erased: u64,
}

/// Brings the rows up to the log; what is there already is passed over, so that a run that was ended goes on.
pub(crate) fn follow(
    connection: &mut dyn Connection,
    dialect: Dialect,
    engine: &Engine,
    world: &World,
    tell: &dyn Fn(u64),
) -> Result<Followed, Failure> {
    let mut followed = Followed::default();
    loop {
        let begin = match dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            // Who waited for another one reads what that one wrote, whatever level the database begins transactions at.
            Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Dialect::Mysql => "BEGIN",
        };
        say(connection, begin)?;
        let page = one_page(connection, dialect, engine, world, &mut followed);
        say(connection, if page.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        tell(followed.upto);
        // A page of big records holds fewer.
        if page? == 0 {
            return Ok(followed);
        }
    }
}

fn one_page(
    connection: &mut dyn Connection,
    dialect: Dialect,
    engine: &Engine,
    world: &World,
    followed: &mut Followed,
) -> Result<usize, Failure> {
    let of = Sql::from(world.tenant.as_str());
    // Who comes second waits here, and goes on behind who was first.
    let locked = if dialect == Dialect::Sqlite { "" } else { " FOR UPDATE" };
    let from = number(connection, &said(dialect, &format!("SELECT seq FROM hos_told_upto WHERE tenant = ?{locked}")), &of)?;
    let records = engine.tenant(&world.tenant)?.log(from, PAGE)?;
    for record in &records {
        if record.header.kind == Kind::Erased {
            let thread = Sql::from(record.receipt.thread.0);
            followed.erased +=
                run(connection, &said(dialect, "DELETE FROM hos_told WHERE tenant = ? AND thread = ?"), &[&of, &thread])?;
        } else if let Some(kind) = kind(record.header.kind)
            && let Some(id) = id(connection, dialect, &of, record)?
            && let Some(row) = row(engine, record, kind, id)
        {
            let row = if dialect == Dialect::Postgres { row.map(without_nul) } else { row };
            let row: Vec<&Sql> = row.iter().collect();
            followed.told += run(connection, &said(dialect, INSERT), &row)?;
        }
    }
    // A person's key is destroyed before the log says so: nothing is asked of it.
    let forget = format!("{FORGET} AND {} IS NULL)", name(dialect, "key"));
    followed.erased += run(connection, &forget, &[])?;
    followed.upto = from + records.len() as u64;
    let upto = Sql::Int(i64::try_from(followed.upto).unwrap_or(i64::MAX));
    run(connection, &said(dialect, "UPDATE hos_told_upto SET seq = ? WHERE tenant = ?"), &[&upto, &of])?;
    Ok(records.len())
}

const INSERT: &str =
    "INSERT INTO hos_told (tenant, thread, n, seq, contract, id, at, kind, event, from_state, to_state, actor, who, detail)
 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const FORGET: &str = "UPDATE hos_told SET actor = NULL, who = NULL, detail = NULL
 WHERE who IN (SELECT subject FROM hos_vault WHERE tenant = 'universe'";

/// Whose record it is. Only what begins a thread says so; the rows of that thread that are there already say it again.
fn id(connection: &mut dyn Connection, dialect: Dialect, of: &Sql, record: &HistoryEntry) -> Result<Option<String>, Failure> {
    if let Some(id) = part(record, "id").and_then(|part| word(part, "text")) {
        return Ok(Some(id));
    }
    let sql = said(dialect, "SELECT id FROM hos_told WHERE tenant = ? AND thread = ? ORDER BY n LIMIT 1");
    first(connection, &sql, &[of, &Sql::from(record.receipt.thread.0)])
}

/// The word for a record that says what became of an instance.
fn kind(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Begun => "begun",
        Kind::Moved => "moved",
        Kind::Expired => "expired",
        Kind::Overridden => "overridden",
        Kind::Migrated => "migrated",
        Kind::Observed => "observed",
        Kind::Adopted => "adopted",
        Kind::Legacy => "legacy",
        _ => return None,
    })
}

/// Such a record's row, in the order of [`INSERT`].
fn row(engine: &Engine, record: &HistoryEntry, kind: &str, id: String) -> Option<[Sql; 14]> {
    let header = &record.header;
    let who = part(record, "principal").and_then(|part| match part.get("uid") {
        Some(Value::Entity(uid)) => Some(uid),
        _ => None,
    });
    let said = part(record, "args").filter(|_| header.kind == Kind::Overridden && who.is_some());
    let told = part(record, "payload").filter(|_| header.kind == Kind::Legacy);
    let of = |field: &str| told.and_then(|row| word(row, field));
    let at = match told.and_then(|row| row.get("at")) {
        Some(Value::Ext(Ext::Datetime, at)) => Timestamp::parse(at).ok()?.0,
        _ => header.time.0,
    };
    let tag = |uid: &Uid| digest::subject_tag(&engine.store_id(), uid);
    Some([
        header.tenant.as_str().into(),
        record.receipt.thread.0.into(),
        int(header.n?),
        int(record.receipt.seal.as_ref()?.seq),
        header.contract.as_ref()?.as_str().into(),
        id.into(),
        Sql::Int(at),
        kind.into(),
        told.map_or_else(|| header.event.as_ref().map(|event| event.as_str().to_owned()), |_| of("event")).into(),
        told.map_or_else(|| header.from.as_ref().map(|from| from.as_str().to_owned()), |_| of("from")).into(),
        told.map_or_else(|| header.to.as_ref().map(|to| to.as_str().to_owned()), |_| of("to"))?.into(),
        told.map_or_else(|| who.map(|uid| uid.id().to_owned()), |_| of("actor")).into(),
        who.filter(|_| told.is_none()).map(tag).into(),
        // Whoever was erased since has no word left, whosever order it was about.
        told.map_or_else(|| said.and_then(|args| word(args, "reason")), |_| of("detail")).into(),
    ])
}

/// PostgreSQL's texts hold no NUL, which ids and reasons may.
fn without_nul(cell: Sql) -> Sql {
    match cell {
        Sql::Text(text) if text.contains('\0') => Sql::Text(text.replace('\0', "\u{fffd}")),
        other => other,
    }
}

fn part<'r>(record: &'r HistoryEntry, name: &str) -> Option<&'r Record> {
    record.parts.iter().find(|(part, _)| part == name).map(|(_, content)| content)
}

fn word(record: &Record, field: &str) -> Option<String> {
    match record.get(field) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn int(n: u64) -> Sql {
    Sql::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Places as PostgreSQL writes them.
fn said(dialect: Dialect, sql: &str) -> String {
    if dialect != Dialect::Postgres {
        return sql.to_owned();
    }
    let mut parts = sql.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.zip(1..).fold(first, |out, (part, n): (&str, u32)| format!("{out}${n}{part}"))
}

fn say(connection: &mut dyn Connection, sql: &str) -> Result<(), Failure> {
    connection.say(sql).map_err(|e| Failure::from(e.into_store("the world's transaction")))
}

fn run(connection: &mut dyn Connection, sql: &str, params: &[&Sql]) -> Result<u64, Failure> {
    let ran =
        connection.execute(sql, params).map_err(|e| Failure::from(e.into_store("what the records tell cannot be written")))?;
    Ok(ran as u64)
}

fn number(connection: &mut dyn Connection, sql: &str, of: &Sql) -> Result<u64, Failure> {
    let lost =
        || Failure::new(Code::CallMalformed, "hos_told_upto has no row of this tenant: `hos told` without --follow prints it");
    first(connection, sql, &[of])?.and_then(|digits| digits.parse().ok()).ok_or_else(lost)
}

/// The first column of the first row, as text.
fn first(connection: &mut dyn Connection, sql: &str, params: &[&Sql]) -> Result<Option<String>, Failure> {
    let mut found = None;
    let asked = connection.query(sql, params, &mut |cells| {
        found = super::cells::as_words(cells.into_iter().next().unwrap_or(Sql::Null));
        ControlFlow::Break(())
    });
    asked.map_err(|e| match e.trouble {
        Trouble::Missing => usage(format!("`hos told` without --follow prints the tables that it needs: {}", e.message)),
        _ => Failure::from(e.into_store("what the records tell cannot be read")),
    })?;
    Ok(found)
}
