//! Triggers by which the database itself refuses a status that the law's tables do not hold in the same transaction.

use super::words::{as_id, name, same, state, text};
use super::{Rows, World};
use hos_engine::store::sql::dialect::Dialect;

/// The longest name of a guard; databases allow 63, of which `_insert` and a number take some.
const NAME_BYTES_MAX: usize = 52;

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
        // The world's words are written in the script's own letters, whatever a client's are.
        Dialect::Mysql => {
            "SET NAMES utf8mb4;\n-- A status is held against the law when it is written: ask H-OS first, then write the status, in one transaction.\n"
        }
        Dialect::Sqlite => {
            "-- A status is held against the law when it is written: ask H-OS first, then write the status, in one transaction.\n"
        }
    };
    let mut out = head.to_owned();
    for (guard, rows) in guards(world) {
        out.push('\n');
        out.push_str(&match dialect {
            Dialect::Postgres => postgres(world, &guard, rows, unknown),
            Dialect::Mysql => mysql(world, &guard, rows, unknown),
            Dialect::Sqlite => sqlite(world, &guard, rows, unknown),
        });
    }
    out
}

/// The statements that take them away again.
pub(crate) fn removal(world: &World, dialect: Dialect) -> String {
    let mut out = String::new();
    for (guard, rows) in guards(world) {
        let table = name(dialect, &rows.table);
        out.push_str(&match dialect {
            // An older guard was one trigger, called as its function is.
            Dialect::Postgres => {
                let triggers = ["_insert", "_update", ""].map(|of| format!("DROP TRIGGER IF EXISTS {guard}{of} ON {table};\n"));
                format!("{}DROP FUNCTION {guard}();\n", triggers.concat())
            }
            Dialect::Mysql | Dialect::Sqlite => format!("DROP TRIGGER {guard}_insert;\nDROP TRIGGER {guard}_update;\n"),
        });
    }
    out
}

/// Each table's rows with the name of their guard: one table may hold the rows of several contracts.
fn guards(world: &World) -> Vec<(String, &Rows)> {
    let mut guards: Vec<(String, &Rows)> = Vec::new();
    for rows in &world.rows {
        let whole = format!("hos_guard_{}_{}", rows.table, rows.contract).replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let same = guards.iter().filter(|(name, _)| *name == short(&whole, 0)).count();
        guards.push((short(&whole, same), rows));
    }
    guards
}

/// A name that is no longer than databases take, `_insert` behind it; what is cut off is told apart by a sum.
fn short(whole: &str, same: usize) -> String {
    let number = if same == 0 { String::new() } else { format!("_{}", same + 1) };
    if whole.len() <= NAME_BYTES_MAX {
        return format!("{whole}{number}");
    }
    let sum = whole.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{}_{sum:08x}{number}", whole.get(..NAME_BYTES_MAX - 9).unwrap_or_default())
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

fn postgres(world: &World, guard: &str, rows: &Rows, unknown: Unknown) -> String {
    let d = Dialect::Postgres;
    let (table, id, column) = (name(d, &rows.table), name(d, &rows.id), name(d, &rows.state));
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
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT state INTO lawful FROM {instance};
{unless_known}  IF lawful IS NULL OR present IS NULL OR lawful <> present THEN
    RAISE EXCEPTION 'hos.guard: a row of % is in a state that the law does not hold', {table_text}
      USING ERRCODE = 'HS001', DETAIL = format('%s %s: the row says %s, the law says %s', {contract_text}, NEW.{id}, coalesce(present, 'nothing'), coalesce(lawful, 'nothing'));
  END IF;
  RETURN NULL;
END $hos$;
-- The tables are those that these names mean now, whatever path, or temporary table, a session has later.
DO $hos$ BEGIN
  EXECUTE format('ALTER FUNCTION {guard}() SET search_path = %s, pg_temp', (
    SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY c.oid = 'hos_instance'::regclass DESC)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid IN ('hos_instance'::regclass, {table_name}::regclass)));
END $hos$;
CREATE CONSTRAINT TRIGGER {guard}_insert AFTER INSERT ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {guard}();
-- Not `UPDATE OF`: what a trigger of the world's own writes into a row stands in no statement's list of columns.
CREATE CONSTRAINT TRIGGER {guard}_update AFTER UPDATE ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NOT ({untouched})) EXECUTE FUNCTION {guard}();
",
        untouched = untouched(d, [&id, &column], "IS NOT DISTINCT FROM"),
        mapped = state(d, rows, &column),
        instance = instance(d, world, rows, &format!("NEW.{id}")),
        table_text = text(d, &rows.table),
        table_name = text(d, &table),
        contract_text = text(d, &rows.contract),
    )
}

/// Behind the write, and so behind what triggers of the world's own put into the row.
fn mysql(world: &World, guard: &str, rows: &Rows, unknown: Unknown) -> String {
    let d = Dialect::Mysql;
    let (table, id, column) = (name(d, &rows.table), name(d, &rows.id), name(d, &rows.state));
    let body = format!(
        "  IF {unlawful} THEN
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001, MESSAGE_TEXT = {message};
  END IF;",
        unlawful = unlawful(d, world, rows, &format!("NEW.{id}"), &format!("NEW.{column}"), unknown),
        message = text(d, &format!("hos.guard: a row of {} is in a state that the law does not hold", rows.table)),
    );
    format!(
        "DELIMITER //
CREATE TRIGGER {guard}_insert AFTER INSERT ON {table} FOR EACH ROW
BEGIN
{body}
END//
CREATE TRIGGER {guard}_update AFTER UPDATE ON {table} FOR EACH ROW
IF NOT ({untouched}) THEN
{body}
END IF//
DELIMITER ;
",
        untouched = untouched(d, [&id, &column], "<=>"),
    )
}

fn sqlite(world: &World, guard: &str, rows: &Rows, unknown: Unknown) -> String {
    let d = Dialect::Sqlite;
    let (table, id, column) = (name(d, &rows.table), name(d, &rows.id), name(d, &rows.state));
    let body = format!(
        "BEGIN\n  SELECT RAISE(ABORT, {message}) WHERE {unlawful};\nEND;\n",
        unlawful = unlawful(d, world, rows, &format!("NEW.{id}"), &format!("NEW.{column}"), unknown),
        message = text(d, &format!("hos.guard: a row of {} is in a state that the law does not hold", rows.table)),
    );
    format!(
        "CREATE TRIGGER {guard}_insert BEFORE INSERT ON {table} FOR EACH ROW\n{body}CREATE TRIGGER {guard}_update BEFORE UPDATE ON {table} FOR EACH ROW WHEN NOT ({untouched})\n{body}",
        untouched = untouched(d, [&id, &column], "IS"),
    )
}

/// That an update leaves these columns as they are, letter by letter: what a collation takes for the same may be another id.
fn untouched(dialect: Dialect, columns: [&String; 2], is: &str) -> String {
    let one = |column: &String| {
        let [new, old] = ["NEW", "OLD"].map(|row| as_id(dialect, &format!("{row}.{column}")));
        format!("{new} {is} {old}")
    };
    columns.map(one).join(" AND ")
}

/// Whether the law holds another state than the row, or none.
fn unlawful(dialect: Dialect, world: &World, rows: &Rows, id: &str, column: &str, unknown: Unknown) -> String {
    let instance = instance(dialect, world, rows, id);
    let same = same(dialect, "state", &state(dialect, rows, column));
    let other = format!("NOT EXISTS (SELECT 1 FROM {instance} AND {same})");
    match unknown {
        Unknown::Refused => other,
        Unknown::Passed => format!("EXISTS (SELECT 1 FROM {instance}) AND {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(tables: &[(&str, &str)]) -> World {
        let rows = |(table, contract): &(&str, &str)| {
            format!("[[rows]]\ncontract = \"{contract}\"\ntable = \"{table}\"\nid = \"id\"\nstate = \"status\"\n")
        };
        toml::from_str(&["tenant = \"pazar\"\n".to_owned(), tables.iter().map(rows).collect()].concat()).unwrap()
    }

    #[test]
    fn guards_have_names_of_their_own_that_databases_take() {
        let long = "x".repeat(60);
        let tables =
            [("shop.orders", "order"), ("shop.orders", "gift-card"), ("shop.orders", "order"), (&long, "a"), (&long, "b")];
        let world = world(&tables);
        let names: Vec<String> = guards(&world).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names[..3],
            ["hos_guard_shop_orders_order", "hos_guard_shop_orders_gift_card", "hos_guard_shop_orders_order_2"]
        );
        assert!(names[3] != names[4] && names.iter().all(|name| name.len() <= 55), "{names:?}");
    }

    #[test]
    fn a_guard_of_postgresql_means_its_own_tables_and_takes_null_for_no_state() {
        let script = script(&world(&[("orders", "order")]), Dialect::Postgres, Unknown::Refused);
        for wanted in [
            "_insert AFTER INSERT ON \"orders\"",
            "_update AFTER UPDATE ON \"orders\"",
            "FOR EACH ROW WHEN (NOT (convert_to(CAST(NEW.\"id\" AS TEXT), 'UTF8') IS NOT DISTINCT FROM convert_to(CAST(OLD.\"id\" AS",
            "IF NOT FOUND THEN RETURN NULL",
            "lawful IS NULL OR present IS NULL OR",
            "SET search_path = %s, pg_temp",
        ] {
            assert!(script.contains(wanted), "{wanted}: {script}");
        }
    }

    #[test]
    fn a_guard_looks_behind_the_worlds_own_triggers_and_all_of_it_is_taken_away() {
        let world = world(&[("orders", "order")]);
        let script = script(&world, Dialect::Mysql, Unknown::Refused);
        assert!(script.starts_with("SET NAMES utf8mb4;\n") && !script.contains("BEFORE"), "{script}");
        let gone = removal(&world, Dialect::Postgres);
        for wanted in ["hos_guard_orders_order_insert ON", "hos_guard_orders_order_update ON", "hos_guard_orders_order ON"] {
            assert!(gone.contains(&format!("DROP TRIGGER IF EXISTS {wanted} \"orders\";\n")), "{wanted}: {gone}");
        }
        assert!(gone.ends_with("DROP FUNCTION hos_guard_orders_order();\n"), "{gone}");
    }
}
