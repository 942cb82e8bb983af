//! One transaction of ours on a connection.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use super::client::{ClientError, Connection, Trouble};
use crate::store::sql::dialect::{Dialect, say};
use crate::store::{Row, Session, Sql, Statement, StoreError, Tx};

/// What a transaction sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what is committed when it begins: for who claims what it decides by.
    Latest,
    /// All statements see one moment, and nothing is written.
    OneMoment,
}

/// Transactions of our own, short ones, on connections of our own.
pub trait Reach: Send + Sync {
    /// Reads, all of one moment.
    fn read(&self, work: &mut dyn FnMut(&Tx<'_>) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Writes, and commits.
    fn write(&self, work: &mut dyn FnMut(&Tx<'_>) -> Result<(), StoreError>) -> Result<(), StoreError>;
}

/// An open transaction.
pub(super) struct Open<'c> {
    conn: RefCell<&'c mut dyn Connection>,
    dialect: Dialect,
    broken: Cell<bool>,
}

impl<'c> Open<'c> {
    /// Begins on a connection, which [`Open::on`] then takes.
    pub(super) fn begin(conn: &mut dyn Connection, dialect: Dialect, isolation: Isolation) -> Result<(), ClientError> {
        let begin: &[&str] = match (dialect, isolation) {
            (Dialect::Postgres, Isolation::Latest) => &["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"],
            (Dialect::Postgres, Isolation::OneMoment) => &["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
            (Dialect::Mysql, Isolation::Latest) => {
                &["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ WRITE"]
            }
            (Dialect::Mysql, Isolation::OneMoment) => {
                &["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"]
            }
            // SQLite knows no other isolation; who writes takes the lock at once.
            (Dialect::Sqlite, Isolation::Latest) => &["BEGIN IMMEDIATE"],
            (Dialect::Sqlite, Isolation::OneMoment) => &["BEGIN DEFERRED"],
        };
        for statement in begin {
            conn.say(statement)?;
        }
        Ok(())
    }

    /// The transaction that was begun on a connection.
    pub(super) fn on(conn: &'c mut dyn Connection, dialect: Dialect) -> Self {
        Self { conn: RefCell::new(conn), dialect, broken: Cell::new(false) }
    }

    /// Says a statement about the transaction.
    pub(super) fn say(&self, sql: &str) -> Result<(), StoreError> {
        let said = self.conn.borrow_mut().say(sql);
        said.map_err(|e| self.failed(e, sql))
    }

    /// Waits but a moment for other transactions' locks from here on: PostgreSQL in this transaction alone; MySQL, which counts
    /// whole seconds, on this connection. An SQLite file has one lock, and who is here has it.
    pub(super) fn hurry(&self) -> Result<(), StoreError> {
        match self.dialect {
            Dialect::Postgres => self.say("SET LOCAL lock_timeout = 200"),
            Dialect::Mysql => self.say("SET SESSION innodb_lock_wait_timeout = 1"),
            Dialect::Sqlite => Ok(()),
        }
    }

    /// Whether the transaction cannot go on.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Commits. An error that the server gave says that nothing is stored; one of the connection says nothing.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        let said = self.conn.borrow_mut().say("COMMIT");
        said.map_err(|e| match e.trouble {
            Trouble::Lost | Trouble::Unavailable => {
                StoreError::unknown(format!("the connection was lost while it was committing: {}", e.message))
            }
            _ => e.into_store("the commit was refused"),
        })
    }

    /// Rolls back; says whether the connection is fit for another transaction.
    pub(super) fn abandon(self) -> bool {
        self.conn.borrow_mut().say("ROLLBACK").is_ok()
    }

    fn failed(&self, error: ClientError, what: &str) -> StoreError {
        if matches!(error.trouble, Trouble::Retry | Trouble::Lost | Trouble::Unavailable) {
            self.broken.set(true);
        }
        error.into_store(&format!("`{what}` failed"))
    }
}

/// The transaction as who judges in it sees it.
pub(super) struct OpenSession<'o, 'c>(&'o Open<'c>);

impl<'o, 'c> OpenSession<'o, 'c> {
    pub(super) fn new(open: &'o Open<'c>) -> Self {
        Self(open)
    }
}

impl Session for OpenSession<'_, '_> {
    fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    fn execute(&self, statement: &Statement) -> Result<usize, StoreError> {
        let said = say(statement, self.0.dialect, self.0.dialect.places());
        let params: Vec<&Sql> = said.params(statement).collect();
        let done = self.0.conn.borrow_mut().execute(&said.sql, &params);
        done.map_err(|e| self.0.failed(e, statement.sql))
    }

    fn each(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let said = say(statement, self.0.dialect, self.0.dialect.places());
        let params: Vec<&Sql> = said.params(statement).collect();
        let mut failed = None;
        // The rows come first, and are handed over when the connection is free: who takes one may ask for another. Long
        // listings are asked for page by page.
        let mut rows = Vec::new();
        let done = self.0.conn.borrow_mut().query(&said.sql, &params, &mut |cells| {
            rows.push(cells);
            ControlFlow::Continue(())
        });
        done.map_err(|e| self.0.failed(e, statement.sql))?;
        for cells in rows {
            match take(Row::new(statement.sql, cells)) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }
}
