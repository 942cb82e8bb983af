//! The tables as they are: nothing of them may be another's, and nothing may hang on them that works by itself.

use super::Pass;
use crate::Failure;
use crate::store::form::{self, Objects};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::MIGRATIONS;
use crate::store::{Tx, sqlite};
use crate::vault::Vault;
use std::sync::OnceLock;

/// Tables, indexes and triggers of an SQLite file that are of our tables: kind, name, table, text. A view changes nothing, and what
/// `hos told` copies for the world's pages is no evidence.
const OF_SQLITE: &str =
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name LIKE 'hos!_%' ESCAPE '!' AND sql IS NOT NULL
       AND type <> 'view' AND NOT (type IN ('table', 'index') AND tbl_name IN ('hos_told', 'hos_told_upto'))";
/// Triggers on our tables: kind, name, table.
const OF_POSTGRES: &str = "SELECT 'trigger' AS kind, CAST(t.tgname AS TEXT) AS name, CAST(c.relname AS TEXT) AS tab
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE NOT t.tgisinternal AND c.relname LIKE 'hos!_%' ESCAPE '!' AND c.relnamespace = CAST(current_schema() AS regnamespace)";
const OF_MYSQL: &str =
    "SELECT 'trigger' AS kind, trigger_name AS name, event_object_table AS tab FROM information_schema.triggers
     WHERE event_object_schema = DATABASE() AND event_object_table LIKE 'hos!_%' ESCAPE '!'";

/// Where a database keeps the tables, nothing is to hang on them.
static NONE: Objects = Objects::new();

/// What the schema's steps make of a file: made once in a process.
fn of_the_steps() -> Result<&'static Objects, Failure> {
    static MADE: OnceLock<Objects> = OnceLock::new();
    match MADE.get() {
        Some(made) => Ok(made),
        None => {
            let made = sqlite::objects(MIGRATIONS, OF_SQLITE)?;
            Ok(MADE.get_or_init(|| made))
        }
    }
}

/// Compares what the file says of its tables with what the schema's steps make; where a database keeps the tables, triggers on them
/// are looked for. The same of the file that keeps the keys of persons.
///
/// Of a file it is looked besides whether each table and its indexes hold the same rows, unless only what went on since is asked for:
/// that takes the whole file.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>, is_whole: bool) -> Result<(), Failure> {
    let (sql, columns, wanted) = match tx.dialect() {
        Dialect::Sqlite => (OF_SQLITE, 4, of_the_steps()?),
        Dialect::Postgres => (OF_POSTGRES, 3, &NONE),
        Dialect::Mysql => (OF_MYSQL, 3, &NONE),
    };
    let found = form::objects(tx, sql, columns)?;
    for (at, what) in form::differences(&found, wanted) {
        pass.findings.add(at, what);
    }
    if tx.dialect() == Dialect::Sqlite {
        if is_whole {
            for table in form::tables(wanted, &found) {
                for fault in form::faults(tx, table)? {
                    pass.findings.add(format!("table {table}"), format!("the file: {fault}"));
                }
            }
        } else {
            let what = "it was not looked whether the tables and their indexes hold the same rows: that takes the whole file";
            pass.notices.push(what.into());
        }
    }
    if let Vault::File(vault) = &pass.court.vault {
        for (at, what) in vault.faults()? {
            pass.findings.add(format!("vault, {at}"), what);
        }
    }
    Ok(())
}
