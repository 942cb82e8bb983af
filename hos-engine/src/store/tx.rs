//! A transaction, as who judges in it sees it: statements in, rows out, whatever database it is of and whoever ends it.

use std::ops::ControlFlow;

use super::row_ref::RowRef;
use super::sql::dialect::Dialect;
use super::{Row, Statement, StoreError};
use hos_core::proof::record::Durability;
use hos_core::time::Timestamp;

/// How many rows of a long listing are asked of a database at once.
const PAGE: usize = 1_024;
/// All of them: more than a column can count.
const ALL: usize = usize::MAX >> 1;

/// What a transaction is of: a file, a database server, a host that has begun it.
pub trait Session {
    /// What the database speaks; statements arrive as they are written, and are said in it
    /// ([`say`](super::sql::dialect::say)).
    fn dialect(&self) -> Dialect;

    /// Runs a statement that answers no rows; says how many rows it inserted, changed or deleted.
    fn execute(&self, statement: &Statement) -> Result<usize, StoreError>;

    /// Hands over each row; `take` says when it has seen enough.
    fn each(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError>;

    /// Hands over each row where it lies.
    fn visit(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(&RowRef<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.each(statement, &mut |row| take(&RowRef::of(&row)))
    }

    /// Whether others may write while it goes on.
    fn is_shared(&self) -> bool {
        true
    }

    /// Whether the store is as this process's last shared commit left it.
    fn is_untouched(&self) -> bool {
        false
    }

    /// Runs a write that later statements of this very transaction depend on: a row is claimed.
    fn claim(&self, statement: &Statement) -> Result<(), StoreError> {
        self.execute(statement).map(drop)
    }

    /// Now, by the database's own clock, where that is the one to go by.
    fn now(&self) -> Option<Timestamp> {
        None
    }

    /// How the database keeps what this transaction commits.
    fn durability(&self) -> Durability {
        Durability::Full
    }

    /// Whether the transaction is somebody else's, who will end it as they like and may sleep in it.
    fn is_host(&self) -> bool {
        false
    }

    /// A row that a statement of this text has answered already, if that is known.
    fn seen(&self, _sql: &'static str, _wanted: &dyn Fn(&Row) -> bool) -> Option<Row> {
        None
    }

    /// Says that all these rows will be asked for, so that they may be fetched at once.
    fn foresee(&self, _statements: &[Statement]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// An open transaction. Beginning and ending it is the store's business alone, or the host's.
pub struct Tx<'c>(&'c dyn Session);

impl<'c> Tx<'c> {
    /// The transaction of a session.
    pub fn of(session: &'c dyn Session) -> Self {
        Self(session)
    }

    /// Whether others may write while this goes on: then what decides is claimed before it is read.
    pub fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// Whether the transaction is somebody else's: then no row is locked that others need.
    pub fn is_host(&self) -> bool {
        self.0.is_host()
    }

    /// What the database speaks.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    /// Whether the store is, to the byte, as this process's last shared commit left it: what was known at the end of that
    /// commit needs no reading. Never true where that cannot be told.
    pub fn is_untouched(&self) -> bool {
        self.0.is_untouched()
    }

    /// Now, by the database's own clock, in a transaction that is somebody else's.
    pub fn now(&self) -> Option<Timestamp> {
        self.0.now()
    }

    /// How the database keeps what this transaction commits.
    pub fn durability(&self) -> Durability {
        self.0.durability()
    }

    /// Runs a statement that answers no rows; says how many rows it inserted, changed or deleted.
    pub fn execute(&self, statement: &Statement) -> Result<usize, StoreError> {
        self.0.execute(statement)
    }

    /// Runs a write that later statements of this very transaction depend on: a row is claimed.
    pub fn claim(&self, statement: &Statement) -> Result<(), StoreError> {
        self.0.claim(statement)
    }

    /// Says that all these rows will be asked for, so that a transaction that is far away fetches them at once.
    pub fn foresee(&self, statements: &[Statement]) -> Result<(), StoreError> {
        self.0.foresee(statements)
    }

    /// A row that a statement of this text has answered already, if that is known: a host's transaction asks for what belongs together
    /// at once.
    pub fn seen(&self, sql: &'static str, wanted: &dyn Fn(&Row) -> bool) -> Option<Row> {
        self.0.seen(sql, wanted)
    }

    /// All rows, in the statement's order. For answers that are known to be short; [`Tx::each`] holds one row at a time.
    pub fn rows(&self, statement: &Statement) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.each(statement, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The one row, or none. A second row is an integrity error: the caller asked by a key.
    pub fn row(&self, statement: &Statement) -> Result<Option<Row>, StoreError> {
        let mut found = None;
        self.each(statement, |row| match found.replace(row) {
            None => Ok(()),
            Some(_) => Err(StoreError::integrity(format!("several rows where one may be: {}", statement.sql))),
        })?;
        Ok(found)
    }

    /// Hands over each row as it is read; an error from `take` ends the reading and is passed on.
    pub fn each(&self, statement: &Statement, mut take: impl FnMut(Row) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.each(statement, &mut |row| take(row).map(ControlFlow::Continue))
    }

    /// Hands over each row of a long listing: of a file as it is read; of a database over a wire, whose whole answer is held before its
    /// first row is handed over, page by page. `page` asks for so many rows behind one, or for the first.
    ///
    /// # Errors
    /// Those of `take` end the reading and are passed on.
    pub fn pages<E: From<StoreError>>(
        &self,
        page: impl Fn(Option<&Row>, usize) -> Result<Statement, StoreError>,
        mut take: impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_shared() {
            let mut last = None;
            loop {
                let mut rows = self.rows(&page(last.as_ref(), PAGE)?)?;
                rows.iter().try_for_each(&mut take)?;
                if rows.len() < PAGE {
                    return Ok(());
                }
                last = rows.pop();
            }
        }
        let mut failed = None;
        self.0.each(&page(None, ALL)?, &mut |row| {
            failed = take(&row).err();
            Ok(if failed.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// As [`Tx::pages`], each row of a file where it lies.
    pub fn visit_pages(
        &self,
        page: impl Fn(Option<&Row>, usize) -> Result<Statement, StoreError>,
        mut take: impl FnMut(&RowRef<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.is_shared() {
            return self.pages(page, |row| take(&RowRef::of(row)));
        }
        self.visit(&page(None, ALL)?, |row| take(row).map(ControlFlow::Continue))
    }

    /// Hands over each row as it lies in the file's page, without a copy; `take` says when it has seen enough. For answers of
    /// which there are many.
    pub fn visit(
        &self,
        statement: &Statement,
        mut take: impl FnMut(&RowRef<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.0.visit(statement, &mut take)
    }
}

/// No transaction at all: whatever is asked of it fails. For what may turn out to need no rows.
pub struct Unread;

impl Unread {
    fn refuse<T>() -> Result<T, StoreError> {
        Err(StoreError::internal("rows were asked for where none are read"))
    }
}

impl Session for Unread {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn execute(&self, _statement: &Statement) -> Result<usize, StoreError> {
        Self::refuse()
    }

    fn each(
        &self,
        _statement: &Statement,
        _take: &mut dyn FnMut(Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        Self::refuse()
    }
}
