//! Triggers by which the database itself refuses a status that the law's tables do not hold in the same transaction.

use super::words::{as_id, name, state, text};
use super::{Rows, World};
use hos_engine::store::sql::dialect::Dialect;

/// What happens to rows that no instance stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They are refused as well.
    Refused,
    /// They are let through: not all rows are adopted yet.
    Passed,
}

/// The whole script.
pub(crate) fn script(world: &World, dialect: Dialect, unknown: Unknown) -> String {
    let head = match dialect {
        Dialect::Postgres => {
            "-- A status is held against the law when the transaction commits: the world's own write may come before H-OS or after.\n"
        }
        Dialect::Mysql | Dialect::Sqlite => {
            "-- A status is held against the law when it is written: ask H-OS first, then write the status, in one transaction.\n"
        }
    };
    let mut out = head.to_owned();
    for rows in &world.rows {
        out.push('\n');
        out.push_str(&match dialect {
            Dialect::Postgres => postgres(world, rows, unknown),
            Dialect::Mysql => mysql(world, rows, unknown),
            Dialect::Sqlite => sqlite(world, rows, unknown),
        });
    }
    out
}

/// The statements that take them away again.
pub(crate) fn removal(world: &World, dialect: Dialect) -> String {
    let mut out = String::new();
    for rows in &world.rows {
        let (guard, table) = (guard_name(rows), name(dialect, &rows.table));
        out.push_str(&match dialect {
            Dialect::Postgres => format!("DROP TRIGGER {guard} ON {table};\nDROP FUNCTION {guard}();\n"),
            Dialect::Mysql | Dialect::Sqlite => format!("DROP TRIGGER {guard}_insert;\nDROP TRIGGER {guard}_update;\n"),
        });
    }
    out
}

fn guard_name(rows: &Rows) -> String {
    format!("hos_guard_{}", rows.table.replace('.', "_"))
}

/// The row of the instance that a row of the world stands for.
fn instance(dialect: Dialect, world: &World, rows: &Rows, id: &str) -> String {
    format!(
        "hos_instance WHERE tenant = {} AND contract = {} AND id = {} AND state <> ''",
        text(dialect, &world.tenant),
        text(dialect, &rows.contract),
        as_id(dialect, id)
    )
}

fn postgres(world: &World, rows: &Rows, unknown: Unknown) -> String {
    let d = Dialect::Postgres;
    let (guard, table, id, column) = (guard_name(rows), name(d, &rows.table), name(d, &rows.id), name(d, &rows.state));
    let unless_known = match unknown {
        Unknown::Refused => "",
        Unknown::Passed => "  IF lawful IS NULL THEN RETURN NULL; END IF;\n",
    };
    format!(
        "CREATE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS $hos$
DECLARE
  lawful TEXT;
  present TEXT;
BEGIN
  -- As the row stands at the end of the transaction, not as it stood when it was written.
  SELECT {mapped} INTO present FROM {table} WHERE {id} = NEW.{id};
  IF present IS NULL THEN RETURN NULL; END IF;
  SELECT state INTO lawful FROM {instance};
{unless_known}  IF lawful IS DISTINCT FROM present THEN
    RAISE EXCEPTION 'hos.guard: a row of % is in a state that the law does not hold', {table_text}
      USING ERRCODE = 'HS001', DETAIL = format('%s %s: the row says %s, the law says %s', {contract_text}, NEW.{id}, present, coalesce(lawful, 'nothing'));
  END IF;
  RETURN NULL;
END $hos$;
CREATE CONSTRAINT TRIGGER {guard} AFTER INSERT OR UPDATE OF {column} ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {guard}();
",
        mapped = state(d, rows, &column),
        instance = instance(d, world, rows, &format!("NEW.{id}")),
        table_text = text(d, &rows.table),
        contract_text = text(d, &rows.contract),
    )
}

fn mysql(world: &World, rows: &Rows, unknown: Unknown) -> String {
    let d = Dialect::Mysql;
    let (guard, table, id, column) = (guard_name(rows), name(d, &rows.table), name(d, &rows.id), name(d, &rows.state));
    let body = format!(
        "  IF {unlawful} THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001, MESSAGE_TEXT = {message};
  END IF;",
        unlawful = unlawful(d, world, rows, &format!("NEW.{id}"), &format!("NEW.{column}"), unknown),
        message = text(d, &format!("hos.guard: a row of {} is in a state that the law does not hold", rows.table)),
    );
    format!(
        "DELIMITER //
CREATE TRIGGER {guard}_insert BEFORE INSERT ON {table} FOR EACH ROW
BEGIN
{body}
END//
CREATE TRIGGER {guard}_update BEFORE UPDATE ON {table} FOR EACH ROW
IF NOT (NEW.{column} <=> OLD.{column}) THEN
{body}
END IF//
DELIMITER ;
"
    )
}

fn sqlite(world: &World, rows: &Rows, unknown: Unknown) -> String {
    let d = Dialect::Sqlite;
    let (guard, table, id, column) = (guard_name(rows), name(d, &rows.table), name(d, &rows.id), name(d, &rows.state));
    let body = format!(
        "BEGIN\n  SELECT RAISE(ABORT, {message}) WHERE {unlawful};\nEND;\n",
        unlawful = unlawful(d, world, rows, &format!("NEW.{id}"), &format!("NEW.{column}"), unknown),
        message = text(d, &format!("hos.guard: a row of {} is in a state that the law does not hold", rows.table)),
    );
    format!(
        "CREATE TRIGGER {guard}_insert BEFORE INSERT ON {table} FOR EACH ROW\n{body}CREATE TRIGGER {guard}_update BEFORE UPDATE OF {column} ON {table} FOR EACH ROW WHEN NEW.{column} IS NOT OLD.{column}\n{body}"
    )
}

/// Whether the law holds another state than the row, or none.
fn unlawful(dialect: Dialect, world: &World, rows: &Rows, id: &str, column: &str, unknown: Unknown) -> String {
    let instance = instance(dialect, world, rows, id);
    let same = format!("state = {}", state(dialect, rows, column));
    let other = format!("NOT EXISTS (SELECT 1 FROM {instance} AND {same})");
    match unknown {
        Unknown::Refused => other,
        Unknown::Passed => format!("EXISTS (SELECT 1 FROM {instance}) AND {other}"),
    }
}
