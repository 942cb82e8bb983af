//! A transaction that is somebody else's: its statements are handed out, its rows handed in, and nothing is run here.
//!
//! Who judges reads rows as in any transaction. What has not been handed in yet is noted, and the judging is given up and begun
//! again when it is there: it is pure, and the same rows lead it the same way. Writes are collected until it has come to its
//! end.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use super::sql::dialect::{Dialect, Places, Said, say};
use super::{Row, Session, Sql, Statement, StoreError};
use hos_core::proof::record::Durability;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;

/// A statement that the host is asked to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The statement.
    pub statement: Statement,
    /// Whether its rows are wanted; else it only claims one.
    pub reads: bool,
}

impl Ask {
    /// Its text and the order of its parameters in the host's words.
    pub fn said(&self, dialect: Dialect, places: Places) -> std::rc::Rc<Said> {
        say(&self.statement, dialect, places)
    }
}

/// What the host has been asked, what it has said, and what it is to write.
pub(crate) struct Script {
    dialect: Dialect,
    answered: RefCell<Vec<(Ask, Vec<Vec<Sql>>)>>,
    wanted: RefCell<Vec<Ask>>,
    writes: RefCell<Vec<Statement>>,
    now: Cell<Option<Timestamp>>,
    durability: Cell<Durability>,
}

impl Script {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            answered: RefCell::default(),
            wanted: RefCell::default(),
            writes: RefCell::default(),
            now: Cell::new(None),
            durability: Cell::new(Durability::Unknown),
        }
    }

    /// Takes the rows of what was asked last, in its order. The numbers must agree: whoever answers another question is not
    /// listened to.
    pub(crate) fn take(&self, rows: Vec<Vec<Vec<Sql>>>) -> Result<(), StoreError> {
        let asked = std::mem::take(&mut *self.wanted.borrow_mut());
        if asked.len() != rows.len() {
            return Err(StoreError::new(
                Code::CallMalformed,
                format!("{} statements were asked for, and rows of {} came", asked.len(), rows.len()),
            ));
        }
        self.answered.borrow_mut().extend(asked.into_iter().zip(rows));
        Ok(())
    }

    /// Begins the judging anew.
    pub(crate) fn begin(&self) {
        self.writes.borrow_mut().clear();
        self.wanted.borrow_mut().clear();
    }

    /// What is wanted before the judging can go on.
    pub(crate) fn wanted(&self) -> Vec<Ask> {
        self.wanted.borrow().clone()
    }

    /// Whether rows are awaited.
    pub(crate) fn waits(&self) -> bool {
        !self.wanted.borrow().is_empty()
    }

    /// What is to be written.
    pub(crate) fn writes(&self) -> Vec<Statement> {
        std::mem::take(&mut *self.writes.borrow_mut())
    }

    /// The time and how the database keeps what is committed, as it says itself.
    pub(crate) fn settle(&self, now: Timestamp, durability: Durability) {
        self.now.set(Some(now));
        self.durability.set(durability);
    }

    /// The rows of a statement, if they were handed in.
    pub(crate) fn known(&self, statement: &Statement) -> Option<Vec<Row>> {
        let answered = self.answered.borrow();
        let (_, rows) = answered.iter().find(|(ask, _)| ask.reads && ask.statement == *statement)?;
        Some(rows.iter().map(|cells| Row::new(statement.sql, cells.clone())).collect())
    }

    /// Asks for a statement, unless it was or is asked for; says whether it was answered.
    pub(crate) fn want(&self, statement: &Statement, reads: bool) -> bool {
        let is_it = |ask: &Ask| ask.reads == reads && ask.statement == *statement;
        if self.answered.borrow().iter().any(|(ask, _)| is_it(ask)) {
            return true;
        }
        let mut wanted = self.wanted.borrow_mut();
        if !wanted.iter().any(is_it) {
            wanted.push(Ask { statement: statement.clone(), reads });
        }
        false
    }
}

impl Session for Script {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn execute(&self, statement: &Statement) -> Result<usize, StoreError> {
        self.writes.borrow_mut().push(statement.clone());
        // What it changes was claimed before: it is one row.
        Ok(1)
    }

    fn each(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        if let Some(rows) = self.known(statement) {
            for row in rows {
                if take(row)?.is_break() {
                    break;
                }
            }
            return Ok(());
        }
        self.want(statement, true);
        Err(StoreError::internal("rows of the host are awaited"))
    }

    fn claim(&self, statement: &Statement) -> Result<(), StoreError> {
        self.want(statement, false);
        Ok(())
    }

    fn now(&self) -> Option<Timestamp> {
        self.now.get()
    }

    fn durability(&self) -> Durability {
        self.durability.get()
    }

    fn is_host(&self) -> bool {
        true
    }

    fn seen(&self, sql: &'static str, wanted: &dyn Fn(&Row) -> bool) -> Option<Row> {
        let answered = self.answered.borrow();
        let mut rows = answered.iter().filter(|(ask, _)| ask.statement.sql == sql).flat_map(|(_, rows)| rows);
        rows.find_map(|cells| Some(Row::new(sql, cells.clone())).filter(|row| wanted(row)))
    }

    fn foresee(&self, statements: &[Statement]) -> Result<(), StoreError> {
        for statement in statements {
            self.want(statement, true);
        }
        Ok(())
    }
}
