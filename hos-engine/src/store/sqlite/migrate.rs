//! The schema's steps: which have run in this file, and running those that have not.
//!
//! `hos_migration` keeps each step's number, name and whole text. The text is its own checksum: a file whose steps are not
//! letter for letter ours was written by another H-OS and is refused.

use hos_core::id::Shown;
use hos_core::refusal::Code;
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeSet;

use super::connection::use_wal;
use super::error::from_sqlite;
use super::options::{Migration, Older, OpenOptions};
use crate::store::StoreError;

const TABLE: &str = "CREATE TABLE hos_migration (n INTEGER PRIMARY KEY, name TEXT NOT NULL, sql TEXT NOT NULL) STRICT";

/// Brings the file to our schema, in one transaction; called under the side lock.
///
/// Commit point: COMMIT. A crash before it leaves the file as it was (perhaps empty); after it, all steps have run.
///
/// Nothing of the file is changed, not even its journal mode, before it is known to be ours.
pub(super) fn apply(conn: &mut Connection, options: &OpenOptions, create: bool) -> Result<(), StoreError> {
    if is_fresh(conn, options)? && !create {
        return Err(StoreError::new(Code::StoreUnavailable, "the file is empty: no store was ever made in it"));
    }
    use_wal(conn)?;
    let doing = "cannot bring the store's schema up to date";
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| from_sqlite(e, doing))?;
    let fresh = is_fresh(&tx, options)?;
    if fresh {
        tx.pragma_update(None, "application_id", options.application_id).map_err(|e| from_sqlite(e, doing))?;
        tx.execute_batch(TABLE).map_err(|e| from_sqlite(e, doing))?;
    }
    let done = compare(&tx, options.schema)?;
    if !fresh && done == options.schema.len() {
        return Ok(());
    }
    for (n, step) in (1i64..).zip(options.schema).skip(done) {
        let doing = format!("step {n} (`{}`) of the schema failed", step.name);
        tx.execute_batch(step.sql).map_err(|e| from_sqlite(e, &doing))?;
        tx.execute("INSERT INTO hos_migration (n, name, sql) VALUES (?1, ?2, ?3)", (n, step.name, step.sql))
            .map_err(|e| from_sqlite(e, &doing))?;
    }
    tx.commit().map_err(|e| from_sqlite(e, doing))
}

/// Says whether a file that is not to be brought up has our schema.
pub(super) fn check(conn: &Connection, options: &OpenOptions) -> Result<(), StoreError> {
    if is_fresh(conn, options)? {
        return Err(StoreError::new(Code::StoreUnavailable, "the file is empty: no store was ever made in it"));
    }
    let done = compare(conn, options.schema)?;
    if done < options.schema.len() && options.older != Older::AsItIs {
        let message = format!(
            "the store has {done} of {} steps of the schema: open it once where it can be written, or a copy of it",
            options.schema.len()
        );
        return Err(StoreError::new(Code::StoreVersion, message));
    }
    Ok(())
}

/// What a query of the schema says of a file that has these steps and nothing else, a row each.
pub(crate) fn objects(schema: &[Migration], query: &str) -> Result<BTreeSet<Vec<String>>, StoreError> {
    let failed = |e| from_sqlite(e, "cannot make the schema in memory");
    let conn = Connection::open_in_memory().map_err(failed)?;
    conn.execute_batch(TABLE).map_err(failed)?;
    for step in schema {
        conn.execute_batch(step.sql).map_err(failed)?;
    }
    let mut select = conn.prepare(query).map_err(failed)?;
    let columns = select.column_count();
    let rows = select.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).map_err(failed)?;
    rows.collect::<Result<_, _>>().map_err(failed)
}

/// Whether nothing was ever written; refuses files of other programs, above all the application's own database.
fn is_fresh(conn: &Connection, options: &OpenOptions) -> Result<bool, StoreError> {
    let read = |sql: &str| {
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|e| from_sqlite(e, "cannot read the store's header"))
    };
    let id = read("PRAGMA application_id")?;
    if id == i64::from(options.application_id) {
        return Ok(false);
    }
    if id == 0 && read("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(true);
    }
    let message = format!("the file is an SQLite database of another kind (application id {id}); H-OS needs a file of its own");
    Err(StoreError::new(Code::StoreUnavailable, message))
}

/// How many of our steps have run; refuses a file whose steps are not ours.
fn compare(conn: &Connection, schema: &[Migration]) -> Result<usize, StoreError> {
    let doing = "cannot read the store's schema";
    let mut select = conn.prepare("SELECT n, name, sql FROM hos_migration ORDER BY n").map_err(|e| from_sqlite(e, doing))?;
    let mut rows = select.query([]).map_err(|e| from_sqlite(e, doing))?;
    let mut done = 0usize;
    while let Some(row) = rows.next().map_err(|e| from_sqlite(e, doing))? {
        let fields = (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))();
        let (n, name, sql): (i64, String, String) = fields.map_err(|e| from_sqlite(e, doing))?;
        if usize::try_from(n).ok() != Some(done + 1) {
            return Err(StoreError::integrity(format!("step {} of the schema is missing from `hos_migration`", done + 1)));
        }
        let Some(ours) = schema.get(done) else {
            let message = format!("the store has step {n} (`{}`), which this H-OS does not know: it is newer", Shown(&name));
            return Err(StoreError::new(Code::StoreVersion, message));
        };
        if ours.name != name || ours.sql != sql {
            let message = format!("step {n} of the schema (`{}`) is not the one of this H-OS (`{}`)", Shown(&name), ours.name);
            return Err(StoreError::new(Code::StoreVersion, message));
        }
        done += 1;
    }
    Ok(done)
}
