//! The world's tables in each database's words.

use super::Rows;
use hos_core::time::Timestamp;
use hos_engine::store::sql::dialect::Dialect;

/// A name of a table or column, quoted; a schema before a dot.
pub(crate) fn name(dialect: Dialect, word: &str) -> String {
    let quote = if dialect == Dialect::Mysql { '`' } else { '"' };
    word.split('.').map(|part| format!("{quote}{part}{quote}")).collect::<Vec<_>>().join(".")
}

/// A text as a literal.
pub(crate) fn text(dialect: Dialect, text: &str) -> String {
    let text = text.replace('\'', "''");
    // A backslash is a letter in standard SQL, and an escape in MySQL's.
    let text = if dialect == Dialect::Mysql { text.replace('\\', "\\\\") } else { text };
    format!("'{text}'")
}

/// A column as text, which is compared letter by letter: other collations take `Ali` for `ali`, and some `oğuz` for `oguz`.
pub(crate) fn as_text(dialect: Dialect, column: &str) -> String {
    let text = cast(dialect, column);
    match dialect {
        Dialect::Mysql => format!("{text} COLLATE utf8mb4_bin"),
        Dialect::Sqlite => format!("{text} COLLATE BINARY"),
        Dialect::Postgres => text,
    }
}

fn cast(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("CAST({column} AS CHAR CHARACTER SET utf8mb4)"),
        Dialect::Sqlite | Dialect::Postgres => format!("CAST({column} AS TEXT)"),
    }
}

/// A column's text as the bytes that an id is kept in.
pub(crate) fn as_id(dialect: Dialect, column: &str) -> String {
    let text = cast(dialect, column);
    match dialect {
        Dialect::Sqlite => format!("CAST({text} AS BLOB)"),
        Dialect::Postgres => format!("convert_to({text}, 'UTF8')"),
        Dialect::Mysql => format!("CAST({text} AS BINARY)"),
    }
}

/// That two texts are the same, byte by byte: all of MySQL's older collations pass over blanks at the end.
pub(crate) fn same(dialect: Dialect, one: &str, other: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("CAST({one} AS BINARY) = CAST({other} AS BINARY)"),
        Dialect::Sqlite | Dialect::Postgres => format!("{one} = {other}"),
    }
}

/// That a time is before an instant. What is no time passes: it is named as what cannot be told, and not left out in silence.
pub(crate) fn before(dialect: Dialect, column: &str, until: Timestamp) -> String {
    let written = text(dialect, until.to_string().replacen('T', " ", 1).trim_end_matches('Z'));
    match dialect {
        // A file's times are texts of several spellings.
        Dialect::Sqlite => format!("coalesce(julianday({column}) < julianday({written}), 1)"),
        Dialect::Postgres => format!("coalesce({column} < {written}, true)"),
        // Beside a number a text would be one too, and no time.
        Dialect::Mysql => format!("coalesce(CAST({column} AS DATETIME(6)) < {written}, 1)"),
    }
}

/// The contract's state for the world's word in a column.
pub(crate) fn state(dialect: Dialect, rows: &Rows, column: &str) -> String {
    let word = as_text(dialect, column);
    if rows.states.is_empty() {
        return word;
    }
    let arms: String =
        rows.states.iter().map(|(from, to)| format!(" WHEN {} THEN {}", text(dialect, from), text(dialect, to))).collect();
    // Beside bytes MySQL takes the words for bytes too.
    let said = if dialect == Dialect::Mysql { as_id(dialect, column) } else { word.clone() };
    format!("CASE {said}{arms} ELSE {word} END")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(name(Dialect::Postgres, "shop.orders"), "\"shop\".\"orders\"");
        assert_eq!(name(Dialect::Mysql, "orders"), "`orders`");
        assert_eq!(text(Dialect::Mysql, "a'\\b"), "'a''\\\\b'");
        assert_eq!(text(Dialect::Sqlite, "a'\\b"), "'a''\\b'");
    }

    #[test]
    fn words_are_compared_letter_by_letter_whatever_the_collation() {
        let all = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];
        let binary = "CAST(w.s AS CHAR CHARACTER SET utf8mb4)";
        let texts = ["CAST(w.s AS TEXT) COLLATE BINARY", "CAST(w.s AS TEXT)", &format!("{binary} COLLATE utf8mb4_bin")];
        assert_eq!(all.map(|dialect| as_text(dialect, "w.s")), texts);
        let ids =
            ["CAST(CAST(w.s AS TEXT) AS BLOB)", "convert_to(CAST(w.s AS TEXT), 'UTF8')", &format!("CAST({binary} AS BINARY)")];
        assert_eq!(all.map(|dialect| as_id(dialect, "w.s")), ids);
        let rows = "contract = \"order\"\ntable = \"orders\"\nid = \"id\"\nstate = \"s\"\nstates = { open = \"new\" }";
        let rows: Rows = toml::from_str(rows).unwrap();
        assert_eq!(
            state(Dialect::Mysql, &rows, "w.s"),
            format!("CASE CAST({binary} AS BINARY) WHEN 'open' THEN 'new' ELSE {binary} COLLATE utf8mb4_bin END")
        );
        assert_eq!(same(Dialect::Mysql, "i.state", "x"), "CAST(i.state AS BINARY) = CAST(x AS BINARY)");
        assert_eq!(same(Dialect::Postgres, "i.state", "x"), "i.state = x");
    }

    #[test]
    fn what_is_no_time_passes_for_one_that_is_early_enough() {
        let until = Timestamp::parse("2024-05-02T00:00:00Z").unwrap();
        let early = |dialect| before(dialect, "w.at", until);
        assert_eq!(early(Dialect::Postgres), "coalesce(w.at < '2024-05-02 00:00:00.000', true)");
        assert_eq!(early(Dialect::Mysql), "coalesce(CAST(w.at AS DATETIME(6)) < '2024-05-02 00:00:00.000', 1)");
        assert_eq!(early(Dialect::Sqlite), "coalesce(julianday(w.at) < julianday('2024-05-02 00:00:00.000'), 1)");
    }
}
