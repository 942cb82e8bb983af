//! What rows are read by in pages, as a column gives it and takes it back. PostgreSQL's driver hands over texts, whole numbers and bytes;
//! a key of any other type (UUID, NUMERIC, CHAR) is read as its text, and that text is made one of the type again where the next page
//! begins. So the column's own index serves.

use super::adopt::{Adoption, stuck};
use super::cells::as_words;
use super::words::{as_text, name, text};
use hos_engine::Failure;
use hos_engine::store::sql::dialect::Dialect;

/// A table's column.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The type that a word is made of before it is compared, where the driver does not know it.
    ty: Option<String>,
}

/// Types of PostgreSQL that the driver hands over and takes as they are.
const PLAIN: [&str; 6] = ["bigint", "integer", "smallint", "text", "character varying", "bytea"];

/// Types whose words may be other ones on another connection: they are nobody's id.
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
}

impl Adoption<'_> {
    /// What a table's column is read by, asked once.
    pub(super) fn key_of(&mut self, table: &str, column: &str) -> Result<Key, Failure> {
        let at = (table.to_owned(), column.to_owned());
        if let Some(known) = self.keys.get(&at) {
            return Ok(known.clone());
        }
        let d = self.dialect;
        let ty = match d {
            Dialect::Postgres => {
                let (relation, attribute) = (text(d, &name(d, table)), text(d, column));
                let sql = format!(
                    "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass({relation}) AND attname = {attribute}"
                );
                let of = self.read(&sql, &[])?.into_iter().flatten().next().and_then(as_words);
                if of.as_ref().is_some_and(|of| FRACTIONS.contains(&of.as_str())) {
                    return Err(stuck(table, column));
                }
                of.filter(|of| !PLAIN.contains(&of.split('(').next().unwrap_or_default()))
            }
            Dialect::Sqlite | Dialect::Mysql => None,
        };
        let key = Key { ty };
        self.keys.insert(at, key.clone());
        Ok(key)
    }
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
