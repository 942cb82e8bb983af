//! Triggers by which the database itself refuses a status that the law's tables do not hold in the same transaction.

mod mysql;
mod postgres;

use super::words::{self, as_id, name, same, state, text};
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
    let when = match dialect {
        Dialect::Postgres => {
            "-- A status is held against the law when the transaction commits: the world's own write may come before H-OS or after.\n"
        }
        Dialect::Mysql | Dialect::Sqlite => {
            "-- A status is held against the law when it is written: ask H-OS first, then write the status, in one transaction.\n"
        }
    };
    let mut out = words::head(dialect) + when;
    for (guard, rows) in guards(world) {
        out.push('\n');
        out.push_str(&match dialect {
            Dialect::Postgres => postgres::script(world, &guard, rows, unknown),
            Dialect::Mysql => mysql::script(world, &guard, rows, unknown),
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
            Dialect::Mysql => mysql::removal(&guard, rows),
            Dialect::Sqlite => format!("DROP TRIGGER {guard}_insert;\nDROP TRIGGER {guard}_update;\n"),
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

/// The row of the instance that a row of the world stands for, in the law's table.
fn instance(dialect: Dialect, law: &str, world: &World, rows: &Rows, id: &str) -> String {
    format!(
        "{law} WHERE tenant = {} AND contract = {} AND id = {} AND state <> ''",
        text(dialect, &world.tenant),
        text(dialect, &rows.contract),
        as_id(dialect, id)
    )
}

/// Behind the write: before it nobody knows which id the database gives to a row, nor whether the row is written at all.
fn sqlite(world: &World, guard: &str, rows: &Rows, unknown: Unknown) -> String {
    let d = Dialect::Sqlite;
    let (table, id, column) = (name(d, &rows.table), name(d, &rows.id), name(d, &rows.state));
    let body = format!(
        "BEGIN\n  SELECT RAISE(ABORT, {message}) WHERE {unlawful};\nEND;\n",
        unlawful = unlawful(d, world, rows, &format!("NEW.{id}"), &format!("NEW.{column}"), unknown),
        message = text(d, &format!("hos.guard: a row of {} is in a state that the law does not hold", rows.table)),
    );
    format!(
        "CREATE TRIGGER {guard}_insert AFTER INSERT ON {table} FOR EACH ROW
{body}CREATE TRIGGER {guard}_update AFTER UPDATE ON {table} FOR EACH ROW WHEN NOT ({untouched})
{body}",
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
    let instance = instance(dialect, "hos_instance", world, rows, id);
    let same = same(dialect, "state", &state(dialect, rows, column));
    // What MySQL reads without a lock may be what somebody has not committed, or what was before somebody did.
    let locked = if dialect == Dialect::Mysql { " LOCK IN SHARE MODE" } else { "" };
    let other = format!("NOT EXISTS (SELECT 1 FROM {instance} AND {same}{locked})");
    match unknown {
        Unknown::Refused => other,
        Unknown::Passed => format!("EXISTS (SELECT 1 FROM {instance}{locked}) AND {other}"),
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
            "SET standard_conforming_strings = on;\n-- A status",
            "SECURITY DEFINER\n    SET search_path = pg_catalog, pg_temp SET row_security = off\n    SET DateStyle =",
            "SET standard_conforming_strings = on AS %L",
            "inhparent = '\"orders\"'::regclass AND c.relkind <> 'p'",
            "INTO hos.lawful FROM %1$s WHERE tenant = 'pazar'",
            "FROM %2$s w WHERE w.\"id\" %3$s NEW.\"id\" AND convert_to(",
            "OR w.\"id\" IS NULL AND NEW.\"id\" IS NULL",
            "WHERE hos.lawful IS NULL OR d.said IS DISTINCT FROM hos.lawful",
            "REVOKE ALL ON FUNCTION hos_guard_orders_order() FROM PUBLIC",
        ] {
            assert!(script.contains(wanted), "{wanted}: {script}");
        }
    }

    #[test]
    fn the_files_own_words_are_no_part_of_a_pattern() {
        let mut world = world(&[("orders", "order")]);
        world.rows[0].states = [("10%s".to_owned(), "new".to_owned())].into();
        for (dialect, wanted) in [(Dialect::Postgres, "WHEN '10%%s' THEN 'new'"), (Dialect::Mysql, "WHEN '10%s' THEN 'new'")] {
            let script = script(&world, dialect, Unknown::Passed);
            assert!(script.contains(wanted), "{script}");
        }
    }

    #[test]
    fn a_guard_of_mysql_lies_in_its_tables_database_and_reads_what_is_committed() {
        let world = world(&[("shop.orders", "order")]);
        let script = script(&world, Dialect::Mysql, Unknown::Passed);
        for wanted in [
            "CREATE PROCEDURE `shop`.hos_guard_shop_orders_order_fits()",
            "CREATE TRIGGER `shop`.hos_guard_shop_orders_order_insert AFTER INSERT ON `shop`.`orders`",
            "CREATE TRIGGER `shop`.hos_guard_shop_orders_order_update AFTER UPDATE ON `shop`.`orders`",
            "a row of orders is in a state",
        ] {
            assert!(script.contains(wanted), "{wanted}: {script}");
        }
        let [read, locked] = ["FROM hos_instance", "LOCK IN SHARE MODE)"].map(|of| script.matches(of).count());
        assert_eq!((read, locked), (4, 4), "{script}");
        assert!(removal(&world, Dialect::Mysql).contains("DROP TRIGGER `shop`.hos_guard_shop_orders_order_update;\n"));
    }

    #[test]
    fn a_guard_of_sqlite_looks_at_rows_that_are_written() {
        let script = script(&world(&[("orders", "order")]), Dialect::Sqlite, Unknown::Refused);
        assert!(script.contains("_insert AFTER INSERT ON") && script.contains("_update AFTER UPDATE ON"), "{script}");
        assert!(!script.contains("BEFORE") && !script.contains("LOCK"), "{script}");
    }

    #[test]
    fn a_guard_looks_behind_the_worlds_own_triggers_and_all_of_it_is_taken_away() {
        let world = world(&[("orders", "order")]);
        let script = script(&world, Dialect::Mysql, Unknown::Refused);
        assert!(script.starts_with("SET NAMES utf8mb4;\nSET SESSION sql_mode = 'STRICT_ALL_TABLES,"), "{script}");
        assert!(!script.contains("BEFORE"), "{script}");
        let gone = removal(&world, Dialect::Postgres);
        for wanted in ["hos_guard_orders_order_insert ON", "hos_guard_orders_order_update ON", "hos_guard_orders_order ON"] {
            assert!(gone.contains(&format!("DROP TRIGGER IF EXISTS {wanted} \"orders\";\n")), "{wanted}: {gone}");
        }
        assert!(gone.ends_with("DROP FUNCTION hos_guard_orders_order();\n"), "{gone}");
    }
}
