//! The store's tables as the database has them, held against what the schema's steps make: nothing of them may be another's, and
//! nothing may hang on them that works by itself.
//!
//! A file that is the store's own is compared by the texts of its schema. A server has none: what its catalogue says of a table is
//! told in the words of the steps, an object a row ([`postgres`], [`mysql`]), and what the steps make is read from their texts
//! ([`steps`]).

mod mysql;
mod postgres;
mod steps;

use super::form::{self, Form, Objects};
use super::sql::dialect::Dialect;
use super::sql::schema::MIGRATIONS;
use super::{StoreError, Tx, sqlite};
use std::sync::OnceLock;

/// Tables, indexes and triggers of an SQLite file that are of our tables: kind, name, table, text. A view changes nothing, and what
/// `hos told` copies for the world's pages is no evidence. Beside them whatever has a name of SQLite's own, so that it could be asked
/// in its place; what `ANALYZE` and `AUTOINCREMENT` make has such names lawfully.
const OF_SQLITE: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL
       AND (tbl_name LIKE 'hos!_%' ESCAPE '!' AND type <> 'view'
              AND NOT (type IN ('table', 'index') AND tbl_name IN ('hos_told', 'hos_told_upto'))
            OR name LIKE 'pragma!_%' ESCAPE '!'
            OR name LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'sqlite!_stat_' ESCAPE '!' AND name <> 'sqlite_sequence')";
/// Virtual tables: a host's file may hold them, the store's own has none.
const VIRTUAL: &str =
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type = 'table' AND rootpage = 0 AND sql IS NOT NULL";

/// Where the tables differ from what the steps make, each with what is wrong.
///
/// A plain index more, over columns as they are, is a database's administrator's own business on a server.
pub(crate) fn differences(tx: &Tx<'_>) -> Result<Vec<(String, &'static str)>, StoreError> {
    let dialect = tx.dialect();
    let queries = match dialect {
        Dialect::Sqlite => return Ok(form::differences(&of_file(tx)?, &form_of_file()?.objects)),
        Dialect::Postgres => postgres::QUERIES,
        Dialect::Mysql => mysql::QUERIES,
    };
    let wanted = steps::made(dialect);
    let mut found = Objects::new();
    for query in queries {
        found.append(&mut form::objects(tx, query, 4)?);
    }
    found.retain(|object| match &object[..] {
        [kind, name, table, ..] => is_among(&wanted, "table", table) && (kind != "index" || is_among(&wanted, kind, name)),
        _ => true,
    });
    Ok(form::differences(&found, &wanted))
}

/// Sees that nothing in the tables could keep a key that is destroyed in one of them.
///
/// # Errors
///
/// `hos.store_integrity`: they are not as the steps make them.
pub(crate) fn sound(tx: &Tx<'_>) -> Result<(), StoreError> {
    match differences(tx)?.first() {
        None => Ok(()),
        Some((at, what)) => {
            let why = "no key is destroyed while it may be kept by something else";
            Err(StoreError::integrity(format!("{at}: {what}; {why}")))
        }
    }
}

/// Where each table of a file and its indexes hold different rows, each with what is wrong. A server's are its own business.
pub(crate) fn faults(tx: &Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    match tx.dialect() {
        Dialect::Sqlite => form_of_file()?.faults(tx, &of_file(tx)?),
        Dialect::Postgres | Dialect::Mysql => Ok(Vec::new()),
    }
}

fn of_file(tx: &Tx<'_>) -> Result<Objects, StoreError> {
    let mut found = form::objects(tx, OF_SQLITE, 4)?;
    if !tx.is_shared() {
        found.append(&mut form::objects(tx, VIRTUAL, 4)?);
    }
    Ok(found)
}

/// What the schema's steps make of a file: made once in a process.
fn form_of_file() -> Result<&'static Form, StoreError> {
    static MADE: OnceLock<Form> = OnceLock::new();
    match MADE.get() {
        Some(made) => Ok(made),
        None => {
            let made = Form::new(sqlite::objects(MIGRATIONS, OF_SQLITE)?);
            Ok(MADE.get_or_init(|| made))
        }
    }
}

fn is_among(objects: &Objects, kind: &str, name: &str) -> bool {
    objects.iter().any(|object| matches!(&object[..], [a, b, ..] if a == kind && b == name))
}
