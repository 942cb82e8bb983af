//! Which steps of the schema a database has, and running those that it lacks.

use super::client::{ClientError, Connection, Trouble};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema;
use crate::store::{Sql, StoreError};
use hos_core::id::Shown;
use hos_core::refusal::Code;
use std::ops::ControlFlow;

/// Brings a database to our schema, or says what is missing. One process at a time makes tables. In PostgreSQL and SQLite it makes
/// all of them or none; definitions commit by themselves in MySQL, where one that is killed leaves what it made.
pub(super) fn bring_up(conn: &mut dyn Connection, dialect: Dialect, create: bool) -> Result<(), StoreError> {
    let all = schema::steps(dialect).len();
    let done = steps_done(conn, dialect)?.map_or(Ok(0), |done| compare(&done, dialect))?;
    if done == all {
        return Ok(());
    }
    if !create {
        return Err(missing(dialect, done, all));
    }
    let (begin, end, undo): (&[&str], _, _) = match dialect {
        Dialect::Postgres => (&["BEGIN", "SELECT pg_advisory_xact_lock(1752134515)"], "COMMIT", "ROLLBACK"),
        Dialect::Sqlite => (&["BEGIN IMMEDIATE"], "COMMIT", "ROLLBACK"),
        Dialect::Mysql => (&[], UNLOCK, UNLOCK),
    };
    let cannot = |e: ClientError| e.into_store("cannot begin to make tables");
    begin.iter().try_for_each(|statement| conn.say(statement)).map_err(cannot)?;
    if dialect == Dialect::Mysql && !locked(conn).map_err(cannot)? {
        return Err(StoreError::new(Code::StoreBusy, "another makes the tables of this database, and is not done"));
    }
    let made =
        make(conn, dialect).and_then(|()| conn.say(end).map_err(|e| e.into_store("cannot keep the tables that were made")));
    if made.is_err() {
        // What went wrong is told; this connection ends with it.
        let _ = conn.say(undo);
    }
    made
}

/// MySQL's lock is a function with an answer: 1 where it was had.
fn locked(conn: &mut dyn Connection) -> Result<bool, ClientError> {
    let mut had = false;
    conn.query("SELECT GET_LOCK(MD5(CONCAT('hos ', DATABASE())), 60)", &[], &mut |cells| {
        had = matches!(cells.first(), Some(Sql::Int(1)));
        ControlFlow::Continue(())
    })?;
    Ok(had)
}

const UNLOCK: &str = "SELECT RELEASE_LOCK(MD5(CONCAT('hos ', DATABASE())))";

/// Runs the steps that another has not run meanwhile.
fn make(conn: &mut dyn Connection, dialect: Dialect) -> Result<(), StoreError> {
    conn.say(schema::steps_table(dialect)).map_err(|e| e.into_store("cannot make `hos_migration`"))?;
    let done = compare(&steps_done(conn, dialect)?.unwrap_or_default(), dialect)?;
    // Definitions commit by themselves there. A step behind the first is of tables that hold evidence.
    let left = match (dialect, done) {
        (Dialect::Mysql, 0) => "; what it made stays: drop the tables `hos_…` before it is begun anew",
        (Dialect::Mysql, _) => "; the statements before it stay: say it, and those behind it, as `hos schema` prints them",
        _ => "",
    };
    for (n, step) in (1i64..).zip(schema::steps(dialect)).skip(done) {
        let doing = format!("step {n} (`{}`) of the schema failed{left}", step.name);
        for (place, statement) in (1..).zip(schema::statements(step.sql)) {
            let doing = format!("statement {place} of {doing}");
            conn.say(statement).map_err(|e| e.into_store(&doing))?;
        }
        let row = [Sql::Int(n), step.name.into(), step.sql.into()];
        let insert = match dialect {
            Dialect::Sqlite => "INSERT INTO hos_migration (n, name, sql) VALUES (?1, ?2, ?3)",
            Dialect::Postgres => "INSERT INTO hos_migration (n, name, sql) VALUES ($1, $2, $3)",
            Dialect::Mysql => "INSERT INTO hos_migration (n, name, `sql`) VALUES (?, ?, ?)",
        };
        conn.execute(insert, &row.iter().collect::<Vec<_>>()).map_err(|e| e.into_store(&doing))?;
    }
    Ok(())
}

fn missing(dialect: Dialect, done: usize, all: usize) -> StoreError {
    StoreError::new(
        Code::StoreVersion,
        format!(
            "the database has {done} of {all} steps of the schema; `hos schema --dialect {} --from {done}` prints the others",
            dialect.name()
        ),
    )
}

/// The steps that have run: name and text; none where there is no such table.
fn steps_done(conn: &mut dyn Connection, dialect: Dialect) -> Result<Option<Vec<(String, String)>>, StoreError> {
    let select = match dialect {
        Dialect::Mysql => "SELECT name, `sql` FROM hos_migration ORDER BY n",
        Dialect::Sqlite | Dialect::Postgres => "SELECT name, sql FROM hos_migration ORDER BY n",
    };
    let mut done = Vec::new();
    let mut broken = false;
    let asked = conn.query(select, &[], &mut |cells| {
        let mut texts = cells.into_iter().map(|cell| match cell {
            Sql::Text(text) => Some(text),
            Sql::Raw(bytes) | Sql::Blob(bytes) => String::from_utf8(bytes).ok(),
            _ => None,
        });
        match (texts.next().flatten(), texts.next().flatten()) {
            (Some(name), Some(sql)) => done.push((name, sql)),
            _ => broken = true,
        }
        ControlFlow::Continue(())
    });
    match asked {
        Ok(()) if broken => Err(StoreError::integrity("a row of `hos_migration` is not text")),
        Ok(()) => Ok(Some(done)),
        Err(e) if e.trouble == Trouble::Missing => Ok(None),
        Err(e) => Err(e.into_store("cannot read the store's schema")),
    }
}

/// How many of our steps have run; refuses a database whose steps are not ours.
fn compare(done: &[(String, String)], dialect: Dialect) -> Result<usize, StoreError> {
    let steps = schema::steps(dialect);
    for (place, (name, sql)) in done.iter().enumerate() {
        let n = place + 1;
        let Some(ours) = steps.get(place) else {
            let message = format!("the store has step {n} (`{}`), which this H-OS does not know: it is newer", Shown(name));
            return Err(StoreError::new(Code::StoreVersion, message));
        };
        if ours.name != name || ours.sql != sql {
            let message = format!("step {n} of the schema (`{}`) is not the one of this H-OS (`{}`)", Shown(name), ours.name);
            return Err(StoreError::new(Code::StoreVersion, message));
        }
    }
    Ok(done.len())
}
