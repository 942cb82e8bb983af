//! What the schema's steps make of a server's tables: an object a row, as the catalogues' queries tell it.

use crate::store::form::Objects;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema;

/// All objects: tables, columns, primary keys, indexes.
pub(super) fn made(dialect: Dialect) -> Objects {
    let mut made = Objects::new();
    for text in texts(dialect) {
        add(&text, &mut made);
    }
    made
}

/// The statements, each on one line and without comments and quotes.
fn texts(dialect: Dialect) -> impl Iterator<Item = String> {
    let steps = schema::steps(dialect).iter().flat_map(|step| schema::statements(step.sql));
    std::iter::once(schema::steps_table(dialect)).chain(steps).map(|statement| {
        let lines = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
        lines.collect::<Vec<_>>().join(" ").replace('`', "")
    })
}

/// Adds what a statement makes; `None` where it is of another kind than any of ours.
fn add(text: &str, made: &mut Objects) -> Option<()> {
    if let Some((table, column)) = text.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(" ADD COLUMN ")) {
        // The catalogues' queries tell that there is a default, and not which.
        let told = column.split_once(" DEFAULT ").map_or_else(|| column.to_owned(), |(before, _)| format!("{before} DEFAULT"));
        return add_part(&told, table, made);
    }
    let (head, rest) = text.split_once('(')?;
    let (body, behind) = rest.rsplit_once(')')?;
    let one = match head.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["CREATE", "TABLE", .., table] => {
            for part in parts(body) {
                add_part(part, table, made)?;
            }
            object(["table", table, table, ""])
        }
        ["CREATE", "UNIQUE", "INDEX", name, "ON", table] => object(["unique index", name, table, &format!("({body})")]),
        ["CREATE", "INDEX", name, "ON", table] => match behind.trim().strip_prefix("WHERE ") {
            Some(which) => object(["partial index", name, table, &format!("({body}) WHERE ({which})")]),
            None => object(["index", name, table, &format!("({body})")]),
        },
        _ => return None,
    };
    made.insert(one);
    Some(())
}

/// Adds a column of a table, or a key.
fn add_part(part: &str, table: &str, made: &mut Objects) -> Option<()> {
    let columns = || part.split_once('(').map(|(_, rest)| format!("({rest}"));
    let one = match part.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["PRIMARY", "KEY", ..] => object(["PRIMARY KEY", &columns()?, table, ""]),
        ["KEY", name, ..] => object(["index", name, table, &columns()?]),
        [name, declared @ ..] => {
            let mut declared = declared.join(" ");
            if let Some(rest) = declared.strip_suffix(" PRIMARY KEY").map(str::to_owned) {
                made.insert(object(["PRIMARY KEY", &format!("({name})"), table, ""]));
                // A key's columns are never NULL, said or not.
                declared = if rest.ends_with(" NOT NULL") { rest } else { format!("{rest} NOT NULL") };
            }
            object(["column", name, table, &declared])
        }
        [] => return None,
    };
    made.insert(one);
    Some(())
}

/// What commas part outside of parentheses.
fn parts(body: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    let parts = body.split(move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim)
}

fn object(columns: [&str; 4]) -> Vec<String> {
    columns.map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_of_the_steps_is_understood() {
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            for text in texts(dialect) {
                assert!(add(&text, &mut Objects::new()).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn an_object_is_told_as_the_catalogues_tell_it() {
        for (dialect, columns) in [
            (Dialect::Postgres, ["column key hos_vault BYTEA", "column tenant hos_head TEXT COLLATE \"C\" NOT NULL"]),
            (Dialect::Mysql, ["column key hos_vault VARBINARY(64)", "column pos hos_queue BIGINT NOT NULL AUTO_INCREMENT"]),
        ] {
            let made: Vec<String> = made(dialect).iter().map(|object| object.join(" ").trim_end().to_owned()).collect();
            let wanted = [
                "table hos_migration hos_migration",
                "column n hos_migration BIGINT NOT NULL",
                "PRIMARY KEY (n) hos_migration",
                "PRIMARY KEY (tenant, thread, n) hos_record",
                "unique index hos_vault_key_id hos_vault (tenant, key_id)",
                "index hos_inbox_about hos_inbox (tenant, about)",
            ];
            for wanted in wanted.iter().chain(&columns) {
                assert!(made.iter().any(|object| object == wanted), "{wanted}: {made:#?}");
            }
        }
        let partial = ["partial index", "hos_outbox_waiting", "hos_outbox", "(tenant, pos) WHERE (acked = 0)"];
        assert!(made(Dialect::Postgres).contains(&object(partial)));
    }
}
