//! The guard of MySQL and MariaDB: it looks behind the write, and so behind what triggers of the world's own put into the row.
//!
//! It reads the law's table itself. A view would know that table's database, and a temporary table of its name would not lead it
//! astray; but one of the view's own name would, and MariaDB 10.11 dies when a trigger that read the one reads the other.

use super::{Unknown, unlawful, untouched};
use crate::world::words::{name, text};
use crate::world::{Rows, World};
use hos_engine::store::sql::dialect::Dialect;

const D: Dialect = Dialect::Mysql;

/// A table's database, quoted, with the dot behind it; nothing where the file names none. A trigger lies beside its table.
fn database(rows: &Rows) -> String {
    rows.table.split_once('.').map_or_else(String::new, |(database, _)| format!("{}.", name(D, database)))
}

/// A table's own name: MySQL takes messages of 128 letters.
fn bare(rows: &Rows) -> &str {
    rows.table.split_once('.').map_or(rows.table.as_str(), |(_, bare)| bare)
}

pub(super) fn script(world: &World, guard: &str, rows: &Rows, unknown: Unknown) -> String {
    let (table, id, column) = (name(D, &rows.table), name(D, &rows.id), name(D, &rows.state));
    let body = format!(
        "  IF {unlawful} THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001, MESSAGE_TEXT = {message};
  END IF;",
        unlawful = unlawful(D, world, rows, &format!("NEW.{id}"), &format!("NEW.{column}"), unknown),
        message = text(D, &format!("hos.guard: a row of {} is in a state that the law does not hold", bare(rows))),
    );
    format!(
        "DELIMITER //
{fits}CREATE TRIGGER {in_database}{guard}_insert AFTER INSERT ON {table} FOR EACH ROW
BEGIN
{body}
END//
CREATE TRIGGER {in_database}{guard}_update AFTER UPDATE ON {table} FOR EACH ROW
IF NOT ({untouched}) THEN
{body}
END IF//
DELIMITER ;
",
        fits = fits(guard, rows),
        in_database = database(rows),
        untouched = untouched(D, [&id, &column], "<=>"),
    )
}

/// A procedure that is called once, and refuses a table that triggers do not hold. It lies in the table's database, as they do:
/// `DATABASE()` means that one there, and in it a trigger looks for `hos_instance`.
fn fits(guard: &str, rows: &Rows) -> String {
    let refused = |why: String| format!("    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = {};\n  END IF;\n", text(D, &why));
    let procedure = format!("{}{guard}_fits", database(rows));
    let table = bare(rows);
    format!(
        "DROP PROCEDURE IF EXISTS {procedure}//
CREATE PROCEDURE {procedure}()
BEGIN
  -- A trigger reads the law in its own database; of another one the name is not known here.
  IF NOT EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'hos_instance') THEN
{elsewhere}  -- What such an engine has written stays, whatever a trigger says behind it.
  IF NOT EXISTS (SELECT 1 FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
      WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME = {table_text} AND e.TRANSACTIONS = 'YES') THEN
{stays}  -- Rows that a foreign key changes, or sets to NULL, run no trigger; what is reckoned from other columns may follow from one of these.
  IF EXISTS (SELECT 1 FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
      WHERE k.TABLE_SCHEMA = DATABASE() AND k.TABLE_NAME = {table_text}
        AND (k.COLUMN_NAME IN ({id_text}, {column_text}) OR EXISTS (SELECT 1 FROM information_schema.COLUMNS c
          WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = {table_text} AND c.COLUMN_NAME IN ({id_text}, {column_text})
            AND c.GENERATION_EXPRESSION <> ''))
        AND (r.UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR r.DELETE_RULE IN ('SET NULL', 'SET DEFAULT'))) THEN
{changes}END//
CALL {procedure}()//
DROP PROCEDURE {procedure}//
",
        elsewhere = refused(format!("hos.guard: the tables of H-OS must lie in the database of {table}")),
        stays = refused(format!("hos.guard: {table} is not there, or its engine takes nothing back")),
        changes = refused(format!("hos.guard: a foreign key writes the id or the state of {table}")),
        table_text = text(D, table),
        id_text = text(D, &rows.id),
        column_text = text(D, &rows.state),
    )
}

/// What takes it away. A table that was refused has no triggers, and its procedure still.
pub(super) fn removal(guard: &str, rows: &Rows) -> String {
    let of = format!("{}{guard}", database(rows));
    format!("DROP PROCEDURE IF EXISTS {of}_fits;\nDROP TRIGGER {of}_insert;\nDROP TRIGGER {of}_update;\n")
}
