//! What rows are read by in pages, as a column gives it and takes it back. PostgreSQL's driver hands over texts, whole numbers and bytes;
//! a key of any other type (UUID, NUMERIC, CHAR) is read as its text, and that text is made one of the type again where the next page
//! begins. So the column's own index serves.

use super::cells::as_words;
use super::words::{as_text, name, text};
use crate::usage::usage;
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

impl Key {
    /// A column as the driver gives it, in words where it knows no value for it.
    pub(super) fn read(&self, dialect: Dialect, column: &str) -> String {
        if self.ty.is_some() { as_text(dialect, column) } else { column.to_owned() }
    }

    /// A parameter's place, as what the column is compared with.
    pub(super) fn place(&self, place: &str) -> String {
        self.ty.as_ref().map_or_else(|| place.to_owned(), |ty| format!("CAST(CAST({place} AS TEXT) AS {ty})"))
    }

    /// The key of a table's column, which PostgreSQL is asked for its type; none where its words may be other ones on another
    /// connection, so that they are nobody's id.
    pub(super) fn of(
        dialect: Dialect,
        table: &str,
        column: &str,
        ask: &mut dyn FnMut(&str) -> Asked,
    ) -> Result<Option<Self>, Failure> {
        if dialect != Dialect::Postgres {
            return Ok(Some(Self::default()));
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
}
