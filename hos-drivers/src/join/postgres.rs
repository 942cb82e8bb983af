//! In a transaction of `postgres`, the blocking client; and what both clients of PostgreSQL share.

use super::error::{AnyError, Error, What};
use super::{Connection, Dialect, End, Here, Joining, Said, retry};
use crate::postgres::results;
use hos_engine::store::Sql;
use hos_engine::store::server::Several;
use hos_engine::store::together::OUTSIDE_POSTGRES;
use postgres::error::{DbError, Severity};
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{GenericClient, Row, SimpleQueryMessage, Transaction};
use std::error::Error as StdError;

/// Fails in no transaction, and in one that has failed.
pub(super) const INSIDE: &str = "SAVEPOINT hos_inside; RELEASE SAVEPOINT hos_inside";
/// Said in a transaction of ours alone, and gone with it. A savepoint would make all that is written that of a transaction below it.
pub(super) const MARK: &str = "SET LOCAL hos.begun = 'on'";
/// Fails as [`INSIDE`] does; has a row in a transaction that was marked.
pub(super) const MARKED: &str =
    "SAVEPOINT hos_inside; RELEASE SAVEPOINT hos_inside; SELECT 1 WHERE current_setting('hos.begun', true) = 'on'";

/// The host's connection.
pub struct Postgres<'c, G>(&'c mut G);

/// A tenant in the transaction that this is in: a `&mut Transaction`, or a `&mut Client` on which `BEGIN` was said.
pub fn on<'j, 'c, G: GenericClient>(
    joining: &'j Joining,
    tenant: &str,
    tx: &'c mut G,
) -> Result<Here<'j, Postgres<'c, G>>, Error> {
    Ok(Here { joining, tenant: joining.tenant(tenant, Dialect::Postgres)?, connection: Postgres(tx) })
}

/// Does a host's work in a transaction, and all of it again where the database asks for it; see [`super::TRIES`]. An error rolls
/// back, and so does [`End::Rollback`]. A transaction that has failed, or has ended, is not committed, though the work says so.
pub fn run<T>(
    client: &mut postgres::Client,
    mut work: impl FnMut(&mut Transaction<'_>) -> Result<End<T>, AnyError>,
) -> Result<T, AnyError> {
    retry::again(what, || {
        let mut tx = client.transaction()?;
        tx.batch_execute(MARK)?;
        match work(&mut tx)? {
            End::Commit(done) => {
                // The work may have ended it and begun another one, in which nothing of ours is.
                retry::still(marked(tx.simple_query(MARKED)))?;
                tx.commit().map(|()| done).map_err(uncommitted)
            }
            End::Rollback(done) => tx.rollback().map(|()| done).map_err(AnyError::from),
        }
    })
}

impl<G: GenericClient> Connection for Postgres<'_, G> {
    fn inside(&mut self) -> Result<bool, Error> {
        inside(self.0.batch_execute(INSIDE))
    }

    fn rows(&mut self, said: &Said) -> Result<Vec<Vec<Sql>>, Error> {
        let params = params(said);
        let params: Vec<_> = params.iter().map(|p| (p as &(dyn ToSql + Sync), p.1.clone())).collect();
        let rows = self.0.query_typed(&said.sql, &params).map_err(told)?;
        rows.iter().map(cells).collect()
    }

    fn several(&mut self, text: &str) -> Result<Several, Error> {
        match self.0.simple_query(text) {
            Ok(messages) => Ok(Several::Rows(results(messages))),
            Err(error) if is_outside(&error) => Ok(Several::Outside),
            Err(error) => Err(told(error)),
        }
    }
}

/// What [`INSIDE`] came to.
pub(super) fn inside(said: Result<(), postgres::Error>) -> Result<bool, Error> {
    match said {
        Ok(()) => Ok(true),
        Err(error) if is_outside(&error) => Ok(false),
        Err(error) => Err(told(error)),
    }
}

/// What [`MARKED`] came to.
pub(super) fn marked(said: Result<Vec<SimpleQueryMessage>, postgres::Error>) -> Result<bool, Error> {
    let is_row = |message: &SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(_));
    match said {
        Ok(messages) => Ok(messages.iter().any(is_row)),
        Err(error) => inside(Err(error)),
    }
}

/// A savepoint was set in no transaction.
fn is_outside(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code() == OUTSIDE_POSTGRES)
}

/// The parameters with their types: so a statement takes one exchange, and is forgotten again, as poolers of connections want it.
pub(super) fn params(said: &Said) -> Vec<Param<'_>> {
    let ty = |value: &Sql| match value {
        // The database knows by the place what is null.
        Sql::Null => Type::UNKNOWN,
        Sql::Int(_) => Type::INT8,
        Sql::Text(_) => Type::TEXT,
        Sql::Blob(_) | Sql::Raw(_) => Type::BYTEA,
    };
    said.params.iter().map(|value| Param(value, ty(value))).collect()
}

#[derive(Debug)]
pub(super) struct Param<'s>(&'s Sql, pub(super) Type);

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self.0 {
            Sql::Null => Ok(IsNull::Yes),
            Sql::Int(n) => n.to_sql(ty, out),
            Sql::Text(text) => text.as_str().to_sql(ty, out),
            Sql::Blob(bytes) | Sql::Raw(bytes) => bytes.as_slice().to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

pub(super) fn cells(row: &Row) -> Result<Vec<Sql>, Error> {
    (0..row.len()).map(|column| row.try_get::<_, Cell>(column).map(|cell| cell.0)).collect::<Result<_, _>>().map_err(told)
}

struct Cell(Sql);

impl<'r> FromSql<'r> for Cell {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT8 => Sql::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Sql::Int(i32::from_sql(ty, raw)?.into()),
            _ => Sql::Raw(raw.to_vec()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Sql::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(super) fn told(error: postgres::Error) -> Error {
    let what = what(&error).unwrap_or(What::Other);
    said_of(what, error)
}

/// Why a COMMIT failed: in the server's words, where it said what came of it.
pub(super) fn uncommitted(error: postgres::Error) -> AnyError {
    if error.as_db_error().is_some_and(is_answer) { error.into() } else { said_of(What::Unanswered, error).into() }
}

/// What ends a session (a server that goes down, a pooler that lost its server) says nothing of the statement that was under way.
fn is_answer(said: &DbError) -> bool {
    let code = said.code().code();
    let ends = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    !ends && !code.starts_with("57P") && !code.starts_with("08") && code != "40003"
}

fn said_of(what: What, error: postgres::Error) -> Error {
    let words = match error.as_db_error() {
        // Without details and hints, which may quote rows.
        Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        None => error.to_string(),
    };
    Error::of(Dialect::Postgres, what, &words, error)
}

/// What an error of this client says, if it is one.
pub(super) fn what(error: &(dyn StdError + 'static)) -> Option<What> {
    let said = error.downcast_ref::<postgres::Error>()?.code().map(|code| code.code());
    Some(match said {
        Some("40001" | "40P01" | "55P03") => What::Retry,
        Some("42P01" | "42703" | "3F000") => What::Missing,
        Some("25006") => What::ReadOnly,
        _ => What::Other,
    })
}
