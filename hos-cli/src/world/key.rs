//! What rows are read by in pages, as a column gives it and takes it back. PostgreSQL's driver hands over texts, whole numbers and bytes;
//! a key of any other type (UUID, NUMERIC, CHAR) is read as its text, and that text is made one of the type again where the next page
//! begins. So the column's own index serves.

use super::cells::{as_words, shown};
use super::words::{as_text, name, text};
use crate::usage::usage;
use hos_core::id::Shown;
use hos_engine::Failure;
use hos_engine::store::Sql;
use hos_engine::store::sql::dialect::Dialect;

/// A table's column.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The type that a word is made of before it is compared, where the driver does not know it.
    ty: Option<String>,
}

/// Types of PostgreSQL that the driver hands over and takes as they are.
const PLAIN: [&str; 6] = ["bigint", "integer", "smallint", "text", "character varying", "bytea"];

/// Numbers that are not exact.
const FRACTIONS: [&str; 2] = ["double precision", "real"];

/// Types of MySQL whose values do not come as words, or are compared with none: such an id would never be found again.
const NO_WORDS: [&str; 7] = ["float", "double", "date", "datetime", "timestamp", "time", "bit"];

/// What a table is read by in pages: in whose order, and how it is read and given back.
#[derive(Debug, Clone)]
pub(super) struct Paged {
    pub(super) by: String,
    pub(super) key: Key,
}

/// A row's id, as its column gives it and by the bytes of its text: by these it is told from what a collation takes for the same.
#[derive(Clone)]
pub(super) struct Id {
    pub(super) column: Sql,
    pub(super) bytes: Sql,
}

impl Id {
    /// Its text; none where it is no UTF-8. MySQL writes `?` for what it cannot read: the column itself says whether there was any.
    pub(super) fn text(&self) -> Option<String> {
        if matches!(&self.column, Sql::Raw(bytes) if std::str::from_utf8(bytes).is_err()) {
            return None;
        }
        match &self.bytes {
            Sql::Blob(bytes) | Sql::Raw(bytes) => String::from_utf8(bytes.clone()).ok(),
            Sql::Text(_) | Sql::Int(_) | Sql::Null => None,
        }
    }

    pub(super) fn shown(&self) -> String {
        self.text().map_or_else(|| shown(&self.column), |text| Shown(&text).to_string())
    }
}

/// What is said of an id that is no UTF-8.
pub(super) const NO_UTF8: &str = "its id is no UTF-8";

/// What is said of an id that several rows have.
pub(super) fn twice(rows: u64) -> String {
    if rows == 2 { "its id is there twice".to_owned() } else { format!("its id is there {rows} times") }
}

impl Key {
    /// A column as the driver gives it, in words where it knows no value for it.
    pub(super) fn read(&self, dialect: Dialect, column: &str) -> String {
        if self.ty.is_some() { as_text(dialect, column) } else { column.to_owned() }
    }

    /// A parameter's place, as what the column is compared with.
    pub(super) fn place(&self, place: &str) -> String {
        self.ty.as_ref().map_or_else(|| place.to_owned(), |ty| format!("CAST(CAST({place} AS TEXT) AS {ty})"))
    }

    /// The key of a table's column, which the database is asked for its type; none where its words may be other ones on another
    /// connection, or are not taken back, so that they are nobody's id.
    pub(super) fn of(
        dialect: Dialect,
        table: &str,
        column: &str,
        ask: &mut dyn FnMut(&str) -> Asked,
    ) -> Result<Option<Self>, Failure> {
        match dialect {
            Dialect::Sqlite => return Ok(Some(Self::default())),
            Dialect::Mysql => {
                let of = ask(&mysqls_type(table, column))?.into_iter().flatten().next().and_then(as_words);
                return Ok(of.is_none_or(|of| !NO_WORDS.contains(&of.as_str())).then(Self::default));
            }
            Dialect::Postgres => {}
        }
        let (relation, attribute) = (text(dialect, &name(dialect, table)), text(dialect, column));
        let sql = format!(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass({relation}) AND attname = {attribute}"
        );
        let of = ask(&sql)?.into_iter().flatten().next().and_then(as_words);
        if of.as_ref().is_some_and(|of| FRACTIONS.contains(&of.as_str())) {
            return Ok(None);
        }
        Ok(Some(Self { ty: of.filter(|of| !PLAIN.contains(&of.split('(').next().unwrap_or_default())) }))
    }
}

/// Asks MySQL for a column's type.
fn mysqls_type(table: &str, column: &str) -> String {
    let word = |word: &str| text(Dialect::Mysql, word);
    let (schema, table) = match table.split_once('.') {
        Some((schema, table)) => (word(schema), table),
        None => ("DATABASE()".to_owned(), table),
    };
    let (table, column) = (word(table), word(column));
    format!(
        "SELECT data_type FROM information_schema.columns \
         WHERE table_schema = {schema} AND table_name = {table} AND column_name = {column}"
    )
}

/// The rows that came.
type Asked = Result<Vec<Vec<Sql>>, Failure>;

/// A column whose values do not come back as they were read: no page would ever be the last.
pub(super) fn stuck(table: &str, column: &str) -> Failure {
    usage(format!(
        "the column `{column}` of `{table}` has a type that rows cannot be read by in pages: an id is a text or a whole number"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_the_driver_does_not_know_goes_by_its_text() {
        let key = |ty: Option<&str>| Key { ty: ty.map(str::to_owned) };
        assert_eq!(key(None).read(Dialect::Postgres, "w.\"id\""), "w.\"id\"");
        assert_eq!(key(None).place("$1"), "$1");
        assert_eq!(key(Some("uuid")).read(Dialect::Postgres, "w.\"id\""), "CAST(w.\"id\" AS TEXT)");
        assert_eq!(key(Some("numeric(20,0)")).place("$1"), "CAST(CAST($1 AS TEXT) AS numeric(20,0))");
    }

    #[test]
    fn an_id_is_its_text_where_that_is_utf8() {
        let raw = |column: &[u8], bytes: &[u8]| Id { column: Sql::Raw(column.to_vec()), bytes: Sql::Raw(bytes.to_vec()) };
        assert_eq!(raw(b"o-1", b"o-1").text().as_deref(), Some("o-1"));
        // MySQL's own text of these bytes would be somebody else's id.
        assert_eq!(raw(b"o\xff", b"o?").text(), None);
        let blob = |bytes: &[u8]| Id { column: Sql::Blob(bytes.to_vec()), bytes: Sql::Blob(bytes.to_vec()) };
        assert_eq!((blob(b"o\xff").text(), blob(b"o").text().as_deref()), (None, Some("o")));
        // Bytes of PostgreSQL have a text of their own.
        let hex = Id { column: Sql::Blob(vec![0xff]), bytes: Sql::Blob(b"\\xff".to_vec()) };
        assert_eq!(hex.text().as_deref(), Some("\\xff"));
        assert_eq!((twice(2), twice(3)), ("its id is there twice".to_owned(), "its id is there 3 times".to_owned()));
    }

    #[test]
    fn a_type_of_mysqls_that_gives_no_words_is_nobodys_id() {
        let of = |ty: &str| {
            let mut asked = String::new();
            let key = Key::of(Dialect::Mysql, "shop.orders", "id", &mut |sql| {
                asked = sql.to_owned();
                Ok(vec![vec![Sql::Raw(ty.as_bytes().to_vec())]])
            });
            assert!(asked.ends_with("table_schema = 'shop' AND table_name = 'orders' AND column_name = 'id'"), "{asked}");
            key.map_err(|failure| failure.message).unwrap()
        };
        assert_eq!((of("double"), of("bit"), of("datetime")), (None, None, None));
        assert_eq!((of("varchar"), of("bigint"), of("uuid")), (Some(Key::default()), Some(Key::default()), Some(Key::default())));
    }
}
