//! The world's tables in each database's words.

use super::Rows;
use hos_engine::store::sql::dialect::Dialect;

/// What a script says first, so that its words mean what they mean here, whatever a client's session takes them for. The triggers of
/// MySQL keep the mode that they were made under.
pub(crate) fn head(dialect: Dialect) -> String {
    match dialect {
        Dialect::Mysql => format!("SET NAMES utf8mb4;\nSET SESSION sql_mode = '{}';\n", hos_drivers::MYSQL_MODE),
        Dialect::Postgres => "SET standard_conforming_strings = on;\n".to_owned(),
        Dialect::Sqlite => String::new(),
    }
}

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

/// A column's text as bytes, and bytes of MySQL's as they are: of those that are no text it would make one, with a `?` for each.
pub(crate) fn as_bytes(dialect: Dialect, column: &str) -> String {
    let bytes = as_id(dialect, column);
    match dialect {
        Dialect::Mysql => format!("CASE CHARSET({column}) WHEN 'binary' THEN CAST({column} AS BINARY) ELSE {bytes} END"),
        Dialect::Sqlite | Dialect::Postgres => bytes,
    }
}

/// That two texts are the same, byte by byte: all of MySQL's older collations pass over blanks at the end.
pub(crate) fn same(dialect: Dialect, one: &str, other: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("CAST({one} AS BINARY) = CAST({other} AS BINARY)"),
        Dialect::Sqlite | Dialect::Postgres => format!("{one} = {other}"),
    }
}

/// That a column holds just this word, whatever its collation takes for the same; the column's own index serves, but for words that
/// MySQL's column may have no letters for: held against such a column they are an error.
pub(crate) fn says(dialect: Dialect, column: &str, word: &str) -> String {
    let literal = text(dialect, word);
    let same = format!("{} = {}", as_id(dialect, column), as_id(dialect, &literal));
    if dialect == Dialect::Mysql && !word.is_ascii() {
        return same;
    }
    format!("{column} = {literal} AND {same}")
}

/// The contract's state for the world's word in a column.
pub(crate) fn state(dialect: Dialect, rows: &Rows, column: &str) -> String {
    let word = as_text(dialect, column);
    // A collation of the column's own could take other words for the same, and is at odds with that of the law's column.
    let word = if dialect == Dialect::Postgres { format!("({word} COLLATE \"C\")") } else { word };
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
        assert_eq!(
            state(Dialect::Postgres, &rows, "w.s"),
            "CASE (CAST(w.s AS TEXT) COLLATE \"C\") WHEN 'open' THEN 'new' ELSE (CAST(w.s AS TEXT) COLLATE \"C\") END"
        );
        assert_eq!(as_bytes(Dialect::Postgres, "w.s"), as_id(Dialect::Postgres, "w.s"));
        assert!(as_bytes(Dialect::Mysql, "w.s").starts_with("CASE CHARSET(w.s) WHEN 'binary' THEN CAST(w.s AS BINARY) ELSE "));
        assert_eq!(same(Dialect::Mysql, "i.state", "x"), "CAST(i.state AS BINARY) = CAST(x AS BINARY)");
        assert_eq!(same(Dialect::Postgres, "i.state", "x"), "i.state = x");
    }

    #[test]
    fn a_word_is_looked_up_and_held_against_its_letters() {
        let said = says(Dialect::Postgres, "w.s", "o'r");
        assert_eq!(said, "w.s = 'o''r' AND convert_to(CAST(w.s AS TEXT), 'UTF8') = convert_to(CAST('o''r' AS TEXT), 'UTF8')");
        assert!(says(Dialect::Sqlite, "w.s", "order").starts_with("w.s = 'order' AND CAST(CAST(w.s AS TEXT) AS BLOB) ="));
        assert!(says(Dialect::Mysql, "w.s", "order").starts_with("w.s = 'order' AND CAST("));
        assert!(says(Dialect::Mysql, "w.s", "sipariş").starts_with("CAST("));
    }
}
