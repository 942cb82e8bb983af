//! The tables as they are: nothing of them may be another's, and nothing may hang on them that works by itself.

use super::Pass;
use crate::Failure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::MIGRATIONS;
use crate::store::{Statement, Tx, sqlite};
use hos_core::id::Shown;
use std::collections::BTreeSet;
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

/// What stands for an object of the schema: its columns.
type Objects = BTreeSet<Vec<String>>;

/// Where a database keeps the tables, nothing is to hang on them.
static NONE: Objects = BTreeSet::new();

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
/// are looked for.
pub(super) fn compare(tx: &Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    let (sql, columns, wanted) = match tx.dialect() {
        Dialect::Sqlite => (OF_SQLITE, 4, of_the_steps()?),
        Dialect::Postgres => (OF_POSTGRES, 3, &NONE),
        Dialect::Mysql => (OF_MYSQL, 3, &NONE),
    };
    let mut found = BTreeSet::new();
    for row in tx.rows(&Statement::new(sql, []))? {
        let text = |column| Ok::<_, Failure>(row.text(column)?.to_owned());
        let mut object = (0..columns).map(text).collect::<Result<Vec<_>, _>>()?;
        if let [_, name, table, text] = &mut object[..] {
            // A table that was renamed and renamed back has its name in quotes.
            for name in [&*name, &*table] {
                *text = text.replace(&format!("\"{name}\""), name);
            }
        }
        found.insert(object);
    }
    let at = |object: &[String]| match object {
        [kind, name, table, ..] => format!("{} {} of {}", Shown(kind), Shown(name), Shown(table)),
        _ => "the schema".to_owned(),
    };
    for object in found.difference(wanted) {
        pass.findings.add(at(object), "the schema: no step of it makes this");
    }
    for object in wanted.difference(&found) {
        pass.findings.add(at(object), "the schema: it is not there as its steps make it");
    }
    Ok(())
}
