//! In a transaction of `mysql`, with MySQL or MariaDB.

use super::error::{AnyError, Error, What};
use super::{Connection, Dialect, End, Here, Joining, Said, retry};
use crate::mysql::{cell, several};
use hos_engine::store::Sql;
use hos_engine::store::server::Several;
use mysql::prelude::Queryable;
use mysql::{Params, Transaction, TxOpts, Value};
use std::error::Error as StdError;

/// Where a savepoint is not to be found again there is no transaction.
const NO_SAVEPOINT: u16 = 1305;
/// How the next transaction is to be, said where there is one already.
const HAS_BEGUN: u16 = 1568;
/// What ends a session says nothing of the statement that was under way.
const GONE: [u16; 8] = [1053, 1080, 1152, 1159, 1160, 1161, 1317, 1927];

/// The host's connection.
pub struct Mysql<'c, Q>(&'c mut Q);

/// A tenant in the transaction that this is in: a `&mut Transaction`, or a `&mut Conn` on which `BEGIN` was said.
pub fn on<'j, 'c, Q: Queryable>(joining: &'j Joining, tenant: &str, tx: &'c mut Q) -> Result<Here<'j, Mysql<'c, Q>>, Error> {
    Ok(Here { joining, tenant: joining.tenant(tenant, Dialect::Mysql)?, connection: Mysql(tx) })
}

/// Does a host's work in a transaction, and all of it again where the database asks for it; see [`super::TRIES`]. An error rolls
/// back, and so does [`End::Rollback`]. A transaction that has ended is not committed, though the work says so.
pub fn run<T>(
    conn: &mut mysql::Conn,
    mut work: impl FnMut(&mut Transaction<'_>) -> Result<End<T>, AnyError>,
) -> Result<T, AnyError> {
    retry::again(what, || {
        let mut tx = conn.start_transaction(TxOpts::default())?;
        tx.query_drop("SAVEPOINT hos_begun")?;
        match work(&mut tx)? {
            End::Commit(done) => {
                // A deadlock that the work passed over took its transaction; what came behind may have begun another.
                retry::still(found(tx.query_drop("RELEASE SAVEPOINT hos_begun")))?;
                tx.commit().map(|()| done).map_err(uncommitted)
            }
            End::Rollback(done) => tx.rollback().map(|()| done).map_err(AnyError::from),
        }
    })
}

impl<Q: Queryable> Connection for Mysql<'_, Q> {
    /// A definition ends a transaction of MySQL's without a word, whatever the client believes.
    fn inside(&mut self) -> Result<bool, Error> {
        found(self.0.query_drop("SAVEPOINT hos_inside").and_then(|()| self.0.query_drop("RELEASE SAVEPOINT hos_inside")))
    }

    /// The server says by an error alone whether there is one.
    fn reads(&mut self) -> Result<bool, Error> {
        let autocommit: Option<i64> = self.0.query_first("SELECT @@autocommit").map_err(told)?;
        if autocommit != Some(0) {
            return Ok(false);
        }
        match self.0.query_drop("SET TRANSACTION READ ONLY") {
            Ok(()) => Ok(true),
            Err(mysql::Error::MySqlError(said)) if said.code == HAS_BEGUN => Ok(false),
            Err(error) => Err(told(error)),
        }
    }

    fn rows(&mut self, said: &Said) -> Result<Vec<Vec<Sql>>, Error> {
        // MySQL prepares nothing that is about the transaction, such as a savepoint (error 1295).
        if said.params.is_empty() && !said.reads {
            return self.0.query_drop(&said.sql).map(|()| Vec::new()).map_err(told);
        }
        let rows: Vec<mysql::Row> = self.0.exec(&said.sql, params(said)).map_err(told)?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect())
    }

    fn several(&mut self, text: &str) -> Result<Several, Error> {
        several(self.0, text).map_err(told)
    }
}

/// Whether a savepoint was found again.
fn found(said: mysql::Result<()>) -> Result<bool, Error> {
    match said {
        Ok(()) => Ok(true),
        Err(mysql::Error::MySqlError(said)) if said.code == NO_SAVEPOINT => Ok(false),
        Err(error) => Err(told(error)),
    }
}

fn params(said: &Said) -> Params {
    let value = |value: &Sql| match value {
        Sql::Null => Value::NULL,
        Sql::Int(n) => Value::Int(*n),
        Sql::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
        Sql::Blob(bytes) | Sql::Raw(bytes) => Value::Bytes(bytes.clone()),
    };
    if said.params.is_empty() { Params::Empty } else { Params::Positional(said.params.iter().map(value).collect()) }
}

fn told(error: mysql::Error) -> Error {
    let what = what(&error).unwrap_or(What::Other);
    said_of(what, error)
}

/// Why a COMMIT failed: in the server's words, where it said what came of it.
fn uncommitted(error: mysql::Error) -> AnyError {
    let is_answer = matches!(&error, mysql::Error::MySqlError(said) if !GONE.contains(&said.code));
    if is_answer { error.into() } else { said_of(What::Unanswered, error).into() }
}

fn said_of(what: What, error: mysql::Error) -> Error {
    let words = match &error {
        // Messages of other errors may quote rows.
        mysql::Error::MySqlError(said) if what == What::Other => format!("error {}, SQLSTATE {}", said.code, said.state),
        mysql::Error::MySqlError(said) => format!("{} (error {}, SQLSTATE {})", said.message, said.code, said.state),
        other => other.to_string(),
    };
    Error::of(Dialect::Mysql, what, &words, error)
}

/// What an error of this client says, if it is one.
fn what(error: &(dyn StdError + 'static)) -> Option<What> {
    Some(match error.downcast_ref::<mysql::Error>()? {
        mysql::Error::MySqlError(said) => match said.code {
            1020 | 1205 | 1213 | 3572 => What::Retry,
            1146 | 1054 => What::Missing,
            1290 | 1792 | 1836 => What::ReadOnly,
            _ => What::Other,
        },
        _ => What::Other,
    })
}
