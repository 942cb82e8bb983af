//! A transaction of one file: statements prepared once for each connection and kept.

use std::cell::RefCell;
use std::ops::ControlFlow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use super::error::from_sqlite;
use crate::store::row_ref::{Cell, Cells, RowRef};
use crate::store::sql::dialect::Dialect;
use crate::store::statement::column_name;
use crate::store::{Row, Sql, Statement, StoreError};

/// An open transaction on a connection of the file's.
pub(in crate::store) struct Session<'c> {
    conn: &'c Connection,
    /// The statements that this transaction has said: found again by the place of their text, which is fixed. While one
    /// runs it is not here, so that a statement said while its own rows are read is prepared a second time.
    said: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
    untouched: bool,
}

impl<'c> Session<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { conn, said: RefCell::new(Vec::new()), untouched: false }
    }

    /// The same, knowing whether anybody else wrote meanwhile; see [`Tx::is_untouched`](crate::store::Tx::is_untouched).
    pub(super) fn of_group(conn: &'c Connection, untouched: bool) -> Self {
        Self { untouched, ..Self::new(conn) }
    }

    /// Says a statement without parameters or rows.
    pub(super) fn run(&self, sql: &'static str) -> rusqlite::Result<()> {
        let mut prepared = self.take(sql)?;
        let ended = prepared.raw_execute().map(|_| ());
        self.give_back(sql, prepared);
        ended
    }

    fn prepare(&self, statement: &Statement) -> Result<CachedStatement<'c>, StoreError> {
        let mut prepared = self.take(statement.sql).map_err(|e| failed(e, statement))?;
        if prepared.parameter_count() != statement.params.len() {
            let (wants, has) = (prepared.parameter_count(), statement.params.len());
            return Err(StoreError::internal(format!("{has} parameters where {wants} belong: {}", statement.sql)));
        }
        for (place, value) in (1usize..).zip(&statement.params) {
            prepared.raw_bind_parameter(place, value).map_err(|e| failed(e, statement))?;
        }
        Ok(prepared)
    }

    fn take(&self, sql: &'static str) -> rusqlite::Result<CachedStatement<'c>> {
        let mut said = self.said.borrow_mut();
        match said.iter().position(|(text, _)| std::ptr::eq(*text, sql)) {
            Some(place) => Ok(said.swap_remove(place).1),
            None => self.conn.prepare_cached(sql),
        }
    }

    fn give_back(&self, sql: &'static str, prepared: CachedStatement<'c>) {
        self.said.borrow_mut().push((sql, prepared));
    }
}

impl crate::store::tx::Session for Session<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn is_untouched(&self) -> bool {
        self.untouched
    }

    fn execute(&self, statement: &Statement) -> Result<usize, StoreError> {
        let mut prepared = self.prepare(statement)?;
        let changed = prepared.raw_execute().map_err(|e| failed(e, statement));
        self.give_back(statement.sql, prepared);
        changed
    }

    fn each(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut prepared = self.prepare(statement)?;
        let columns = prepared.column_count();
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(|e| failed(e, statement))? {
            let mut cells = Vec::with_capacity(columns);
            for column in 0..columns {
                let value = row.get_ref(column).map_err(|e| failed(e, statement))?;
                cells.push(cell(value, statement.sql, column)?);
            }
            if take(Row::new(statement.sql, cells))?.is_break() {
                break;
            }
        }
        // Gives up the read, so that the statement may be said again.
        drop(rows);
        self.give_back(statement.sql, prepared);
        Ok(())
    }

    fn visit(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(&RowRef<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut prepared = self.prepare(statement)?;
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(|e| failed(e, statement))? {
            if take(&RowRef::of(&FileRow(row)))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn failed(error: rusqlite::Error, statement: &Statement) -> StoreError {
    from_sqlite(error, &format!("`{}` failed", statement.sql))
}

fn cell(value: ValueRef<'_>, sql: &str, column: usize) -> Result<Sql, StoreError> {
    let name = || hos_core::id::Shown(column_name(sql, column)).to_string();
    match value {
        ValueRef::Null => Ok(Sql::Null),
        ValueRef::Integer(n) => Ok(Sql::Int(n)),
        ValueRef::Blob(bytes) => Ok(Sql::Blob(bytes.to_vec())),
        ValueRef::Text(bytes) => String::from_utf8(bytes.to_vec())
            .map(Sql::Text)
            .map_err(|_| StoreError::integrity(format!("column `{}` of a stored row is not UTF-8", name()))),
        ValueRef::Real(_) => Err(StoreError::integrity(format!("column `{}` of a stored row is a float", name()))),
    }
}

/// A row over its bytes in the file.
struct FileRow<'r>(&'r rusqlite::Row<'r>);

impl Cells for FileRow<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>, StoreError> {
        let value = self.0.get_ref(column);
        let value = value.map_err(|_| StoreError::internal(format!("column {column} was asked of a row that has it not")))?;
        Ok(match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(n) => Cell::Int(n),
            ValueRef::Real(_) => Cell::Real,
            ValueRef::Text(_) => Cell::Text,
            ValueRef::Blob(bytes) => Cell::Blob(bytes),
        })
    }

    fn name(&self, column: usize) -> &str {
        self.0.as_ref().column_name(column).unwrap_or("?")
    }
}

impl ToSql for Sql {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Sql::Null => ValueRef::Null,
            Sql::Int(n) => ValueRef::Integer(*n),
            Sql::Text(text) => ValueRef::Text(text.as_bytes()),
            Sql::Blob(bytes) | Sql::Raw(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Tx;
    use hos_core::refusal::Code;

    #[test]
    fn what_a_row_may_not_hold_is_an_integrity_error() {
        let conn = Connection::open_in_memory().unwrap();
        let session = Session::new(&conn);
        let tx = Tx::of(&session);
        for (sql, wanted) in [
            ("SELECT 1.5 AS price", "column `price` of a stored row is a float"),
            ("SELECT CAST(x'ff' AS TEXT) AS name", "column `name` of a stored row is not UTF-8"),
            ("SELECT 1 UNION SELECT 2", "several rows where one may be"),
        ] {
            let error = tx.row(&Statement::new(sql, [])).unwrap_err();
            assert_eq!(error.code, Code::StoreIntegrity);
            assert!(error.message.contains(wanted), "{error}");
        }
    }

    #[test]
    fn a_row_over_its_bytes_says_what_a_row_says() {
        let conn = Connection::open_in_memory().unwrap();
        let session = Session::new(&conn);
        let tx = Tx::of(&session);
        let columns = "SELECT 7 AS a, -1 AS b, 'x' AS c, x'0102' AS d, NULL AS e, 1.5 AS f";
        let mut seen = 0;
        let mut said = Vec::new();
        tx.visit(&Statement::new(columns, []), |row| {
            seen += 1;
            assert_eq!((row.int(0), row.uint(0), row.opt_uint(4)), (Ok(7), Ok(7), Ok(None)));
            assert_eq!((row.blob(3), row.bytes::<2>(3), row.opt_blob(4)), (Ok(&[1, 2][..]), Ok([1, 2]), Ok(None)));
            assert_eq!((row.opt_bytes::<2>(3), row.opt_bytes::<2>(4), row.is_null(4)), (Ok(Some([1, 2])), Ok(None), Ok(true)));
            said.extend([row.uint(1).unwrap_err(), row.int(2).unwrap_err(), row.bytes::<3>(3).unwrap_err()]);
            said.extend([row.blob(4).unwrap_err(), row.opt_blob(5).unwrap_err()]);
            assert_eq!(row.int(6).unwrap_err().code, Code::Internal);
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
        let wanted =
            ["`b` of a stored row is negative", "`c`", "`d` of a stored row has 2 bytes, not 3", "`e`", "is a float, not bytes"];
        for (error, wanted) in said.iter().zip(wanted) {
            assert!(error.code == Code::StoreIntegrity && error.message.contains(wanted), "{error}");
        }
        tx.visit(&Statement::new("SELECT 1 UNION SELECT 2 UNION SELECT 3", []), |_| {
            seen += 1;
            Ok(ControlFlow::Break(()))
        })
        .unwrap();
        assert_eq!((seen, said.len()), (2, 5));
    }

    #[test]
    fn a_statement_may_be_said_while_its_own_rows_are_read() {
        let conn = Connection::open_in_memory().unwrap();
        let session = Session::new(&conn);
        let tx = Tx::of(&session);
        let two = Statement::new("SELECT 1 AS a UNION SELECT 2", []);
        let mut seen = Vec::new();
        tx.each(&two, |row| {
            let inner = tx.rows(&two)?;
            seen.push((row.int(0)?, inner.len()));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(1, 2), (2, 2)]);
        // One that failed in the middle of its rows is prepared anew.
        assert!(tx.each(&two, |_| Err(StoreError::internal("enough"))).is_err());
        assert_eq!(tx.rows(&two).unwrap().len(), 2);
    }

    #[test]
    fn parameters_are_counted_and_values_round_trip() {
        let conn = Connection::open_in_memory().unwrap();
        let session = Session::new(&conn);
        let tx = Tx::of(&session);
        assert_eq!(tx.row(&Statement::new("SELECT ?1", [])).unwrap_err().code, Code::Internal);
        let values = vec![Sql::Null, Sql::Int(i64::MIN), Sql::Text("a\0ş".into()), Sql::Blob(vec![0, 255]), Sql::Blob(vec![])];
        let row = tx.row(&Statement::new("SELECT ?1, ?2, ?3, ?4, ?5", values.clone())).unwrap().unwrap();
        for (column, value) in values.iter().enumerate() {
            assert_eq!(row.value(column).unwrap(), value);
        }
    }
}
