//! In a transaction of `rusqlite`.

use super::error::{AnyError, Error, What};
use super::{Connection, Dialect, End, Here, Joining, Said, retry};
use hos_engine::store::Sql;
use hos_engine::store::server::Several;
use rusqlite::types::ValueRef;
use rusqlite::{Transaction, TransactionBehavior, ffi};
use std::error::Error as StdError;

/// The host's connection.
pub struct Sqlite<'c>(&'c rusqlite::Connection);

/// A tenant in the transaction that this connection is in: a `&Transaction`, a `&Savepoint` or a `&Connection`.
pub fn on<'j, 'c>(joining: &'j Joining, tenant: &str, tx: &'c rusqlite::Connection) -> Result<Here<'j, Sqlite<'c>>, Error> {
    Ok(Here { joining, tenant: joining.tenant(tenant, Dialect::Sqlite)?, connection: Sqlite(tx) })
}

/// Does a host's work in a transaction that takes the file's lock at its beginning (`BEGIN IMMEDIATE`), and all of it again where
/// another was faster; see [`super::TRIES`]. An error rolls back, and so does [`End::Rollback`]. A transaction that has ended is not
/// committed, though the work says so.
pub fn run<T>(
    conn: &mut rusqlite::Connection,
    mut work: impl FnMut(&Transaction<'_>) -> Result<End<T>, AnyError>,
) -> Result<T, AnyError> {
    retry::again(what, || {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch("SAVEPOINT hos_begun")?;
        match work(&tx)? {
            End::Commit(done) => {
                // The work may have ended it and begun another one, in which nothing of ours is.
                retry::still(found(tx.execute_batch("RELEASE SAVEPOINT hos_begun")))?;
                tx.commit().map(|()| done).map_err(AnyError::from)
            }
            End::Rollback(done) => tx.rollback().map(|()| done).map_err(AnyError::from),
        }
    })
}

impl Connection for Sqlite<'_> {
    fn inside(&mut self) -> Result<bool, Error> {
        Ok(!self.0.is_autocommit())
    }

    fn rows(&mut self, said: &Said) -> Result<Vec<Vec<Sql>>, Error> {
        rows(self.0, said).map_err(told)
    }

    fn several(&mut self, _text: &str) -> Result<Several, Error> {
        Ok(Several::Unknown)
    }
}

fn rows(conn: &rusqlite::Connection, said: &Said) -> rusqlite::Result<Vec<Vec<Sql>>> {
    // A setting is read, and set, when it is prepared: one that was kept would do neither.
    if said.sql.starts_with("PRAGMA ") {
        return all(&mut conn.prepare(&said.sql)?);
    }
    let mut statement = conn.prepare_cached(&said.sql)?;
    for (place, value) in (1..).zip(&said.params) {
        statement.raw_bind_parameter(place, value)?;
    }
    if !said.reads {
        return statement.raw_execute().map(|_| Vec::new());
    }
    all(&mut statement)
}

/// Its rows.
fn all(statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<Vec<Vec<Sql>>> {
    let columns = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        found.push((0..columns).map(|column| row.get_ref(column).map(cell)).collect::<Result<_, _>>()?);
    }
    Ok(found)
}

fn cell(value: ValueRef<'_>) -> Sql {
    match value {
        ValueRef::Null => Sql::Null,
        ValueRef::Integer(n) => Sql::Int(n),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Sql::Raw(bytes.to_vec()),
        // Our tables have no such columns; it is refused where it is read.
        ValueRef::Real(_) => Sql::Raw(b"?".to_vec()),
    }
}

/// Whether a savepoint was found again.
fn found(said: rusqlite::Result<()>) -> Result<bool, Error> {
    match said {
        Ok(()) => Ok(true),
        Err(rusqlite::Error::SqliteFailure(_, Some(words))) if words.starts_with("no such savepoint") => Ok(false),
        Err(error) => Err(told(error)),
    }
}

fn told(error: rusqlite::Error) -> Error {
    // Without the text of the statement, which the client shows too.
    let words = match &error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    Error::of(Dialect::Sqlite, what(&error).unwrap_or(What::Other), &words, error)
}

/// What an error of this client says, if it is one.
fn what(error: &(dyn StdError + 'static)) -> Option<What> {
    let (code, words) = match error.downcast_ref::<rusqlite::Error>()? {
        rusqlite::Error::SqliteFailure(said, words) => (said.extended_code, words.as_deref().unwrap_or("")),
        rusqlite::Error::SqlInputError { error, msg, .. } => (error.extended_code, msg.as_str()),
        _ => return Some(What::Other),
    };
    Some(match code & 0xff {
        ffi::SQLITE_BUSY => What::Retry,
        ffi::SQLITE_READONLY => What::ReadOnly,
        ffi::SQLITE_ERROR if crate::sqlite::is_missing(words) => What::Missing,
        _ => What::Other,
    })
}
