//! The tables as they are: nothing of them may be another's, and nothing may hang on them that works by itself.

use super::Pass;
use crate::Failure;
use crate::store::form::{self, Objects};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::MIGRATIONS;
use crate::store::{StoreError, Tx, sqlite};
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
fn of_the_steps() -> Result<&'static Objects, StoreError> {
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
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    let (sql, columns, wanted) = match tx.dialect() {
        Dialect::Sqlite => (OF_SQLITE, 4, of_the_steps()?),
        Dialect::Postgres => (OF_POSTGRES, 3, &NONE),
        Dialect::Mysql => (OF_MYSQL, 3, &NONE),
    };
    for (at, what) in form::differences(&form::objects(tx, sql, columns)?, wanted) {
        pass.findings.add(at, what);
    }
    if let Vault::File(vault) = &pass.court.vault {
        for (at, what) in vault.faults()? {
            pass.findings.add(format!("vault, {at}"), what);
        }
    }
    Ok(())
}

/// What is wrong, each with where.
pub(super) type Faults = Vec<(String, String)>;

/// Looks whether each table of a file and its indexes hold the same rows: a sixth of the work, for which no other part of it waits, so
/// that a thread may do it that reads for itself.
///
/// What that thread sees need not be of the same moment as what the rest is verified by. Nothing is lost by it: no writer makes rows
/// that differ from their index, nor mends them.
pub(super) fn faults(tx: &Tx<'_>) -> Result<Faults, StoreError> {
    if tx.dialect() != Dialect::Sqlite {
        return Ok(Faults::new());
    }
    let wanted = of_the_steps()?;
    let mut faults = Faults::new();
    for table in form::tables(wanted, &form::objects(tx, OF_SQLITE, 4)?) {
        let found = form::faults(tx, table)?.into_iter();
        faults.extend(found.map(|fault| (format!("table {table}"), format!("the file: {fault}"))));
    }
    Ok(faults)
}
