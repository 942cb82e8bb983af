//! The tables, as numbered steps, in the words of each database. A step that was released is never edited.

mod grants;
mod mysql;
mod postgres;
mod sqlite;

pub use grants::grants;

use super::dialect::Dialect;
use crate::store::{Migration, Statement};

/// `HOSS` in the file's header: tells a store from a vault and from another program's file.
pub const APPLICATION_ID: i32 = 0x484f_5353;

/// The steps of a store that is a file of its own.
pub const MIGRATIONS: &[Migration] = sqlite::STEPS;

/// Where a database keeps which steps have run. The text of each is its own checksum.
pub fn steps_table(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "CREATE TABLE IF NOT EXISTS hos_migration (n INTEGER PRIMARY KEY, name TEXT NOT NULL, sql TEXT NOT NULL) STRICT"
        }
        Dialect::Postgres => postgres::STEPS_TABLE,
        Dialect::Mysql => mysql::STEPS_TABLE,
    }
}

/// The number of the last step that has run in a database: n; 0 where none has.
pub fn last_step() -> Statement {
    Statement::new("SELECT coalesce(max(n), 0) AS n FROM hos_migration", [])
}

/// Each step, in order.
pub fn steps(dialect: Dialect) -> &'static [Migration] {
    match dialect {
        Dialect::Sqlite => sqlite::STEPS,
        Dialect::Postgres => postgres::STEPS,
        Dialect::Mysql => mysql::STEPS,
    }
}

/// The schema as a script that a database administrator reads and runs: what a database needs that has so many of the steps.
pub fn script(dialect: Dialect, done: usize) -> String {
    let mut out = format!("{};\n", steps_table(dialect));
    // A word of MySQL's own.
    let sql = if dialect == Dialect::Mysql { "`sql`" } else { "sql" };
    for (n, step) in (1..).zip(steps(dialect)).skip(done) {
        out.push_str(&format!("\n-- step {n}: {}\n{}\n", step.name, step.sql.trim()));
        out.push_str(&format!(
            "INSERT INTO hos_migration (n, name, {sql}) VALUES ({n}, '{}', {});\n",
            step.name,
            literal(step.sql, dialect)
        ));
    }
    out
}

/// A text of ours as a literal.
fn literal(text: &str, dialect: Dialect) -> String {
    let text = text.replace('\'', "''");
    match dialect {
        // A backslash would be an escape; our texts have none, and one that had would be found by the test below.
        Dialect::Mysql | Dialect::Sqlite | Dialect::Postgres => format!("'{text}'"),
    }
}

/// The single statements of a step: databases' interfaces take them one by one. Our steps hold no semicolon but at the end
/// of a statement or of a comment's line.
pub fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The columns of each table, as a schema declares them.
    fn columns(dialect: Dialect) -> BTreeMap<String, Vec<String>> {
        let mut tables = BTreeMap::new();
        for statement in steps(dialect).iter().flat_map(|step| statements(step.sql)) {
            let text: String = statement.lines().filter(|l| !l.trim_start().starts_with("--")).collect::<Vec<_>>().join(" ");
            if let Some((table, column)) =
                text.trim().strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(" ADD COLUMN "))
            {
                let columns: &mut Vec<String> = tables.get_mut(table).unwrap();
                columns.push(column.split_whitespace().next().unwrap().to_owned());
            }
            let Some(rest) = text.trim().strip_prefix("CREATE TABLE ") else { continue };
            let (name, body) = rest.split_once('(').unwrap();
            let mut depth = 0;
            let mut parts = vec![String::new()];
            for c in body.chars() {
                match c {
                    '(' => depth += 1,
                    ')' if depth == 0 => break,
                    ')' => depth -= 1,
                    ',' if depth == 0 => {
                        parts.push(String::new());
                        continue;
                    }
                    _ => {}
                }
                parts.last_mut().unwrap().push(c);
            }
            let names = parts.iter().filter_map(|part| part.split_whitespace().next());
            let names = names.filter(|word| !["PRIMARY", "KEY", "UNIQUE", "INDEX"].contains(word));
            tables.insert(name.trim().to_owned(), names.map(|n| n.replace('`', "")).collect());
        }
        tables
    }

    #[test]
    fn every_database_has_the_same_tables_and_columns() {
        let sqlite = columns(Dialect::Sqlite);
        assert!(sqlite.len() > 20 && sqlite["hos_record"] == ["tenant", "thread", "n", "header", "parts"], "{sqlite:?}");
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            assert_eq!(columns(dialect), sqlite, "{}", dialect.name());
        }
    }

    #[test]
    fn a_script_has_the_steps_that_a_database_lacks() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
            let all = steps(dialect).len();
            for done in 0..=all {
                let script = script(dialect, done);
                for n in 1..=all {
                    assert_eq!(script.contains(&format!("\n-- step {n}: ")), n > done, "{}, {done}", dialect.name());
                }
            }
        }
    }

    #[test]
    fn every_primary_key_begins_with_the_tenant() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
            for step in steps(dialect) {
                for table in statements(step.sql).filter(|s| s.contains("CREATE TABLE")) {
                    let single = table.lines().any(|l| l.trim_start().starts_with("tenant ") && l.contains("PRIMARY KEY"));
                    assert!(single || table.contains("PRIMARY KEY (tenant"), "{table}");
                }
                assert!(!step.sql.contains('\\') && !step.sql.contains("REFERENCES"), "{}", step.name);
            }
        }
    }
}
