//! What is asked of the client of a database: connections, and errors that say what became of a statement.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::store::sql::dialect::Dialect;
use crate::store::{Sql, StoreError};
use hos_core::refusal::Code;

/// Makes connections to one database.
pub trait Connector: Send + Sync {
    /// What the database speaks.
    fn dialect(&self) -> Dialect;

    /// Where it is, for messages: never its password.
    fn shown(&self) -> String;

    /// Connects, and waits no longer than this for the server, nor later for another transaction's lock.
    fn connect(&self, patience: Duration) -> Result<Box<dyn Connection>, ClientError>;
}

/// One connection. Statements are in the database's own words, with its own places for parameters.
pub trait Connection: Send {
    /// Runs a statement that answers no rows; says how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[&Sql]) -> Result<usize, ClientError>;

    /// Hands over each row of an answer; `take` says when it has seen enough.
    fn query(&mut self, sql: &str, params: &[&Sql], take: &mut dyn FnMut(Vec<Sql>) -> ControlFlow<()>)
    -> Result<(), ClientError>;

    /// Runs a statement about the transaction itself, or a definition: without parameters or rows.
    fn say(&mut self, sql: &str) -> Result<(), ClientError>;

    /// Runs several statements that stand in one text, in one exchange. An error ends them; what stood before it is done.
    fn several(&mut self, text: &str) -> Result<Several, ClientError>;

    /// Whether it may be used again.
    fn is_alive(&self) -> bool;
}

/// What came of several statements in one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Several {
    /// The rows of each statement that brings any, in their order. Numbers and bytes are [`Sql::Raw`], as they were written.
    Rows(Vec<Vec<Vec<Sql>>>),
    /// The database takes no such text, and nothing was run.
    Unknown,
    /// There is no transaction, which the text asked for, and nothing was run.
    Outside,
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The transaction was the victim of a deadlock, or met another's change: begin it again.
    Retry,
    /// The connection is gone; of a COMMIT nobody knows.
    Lost,
    /// The server does not answer, or does not let us in.
    Unavailable,
    /// A lock was waited for too long.
    Busy,
    /// The disk is full.
    Full,
    /// The server takes no writes: a replica, or read-only.
    ReadOnly,
    /// A table or a column is not there.
    Missing,
    /// The user lacks a right.
    Forbidden,
    /// Two rows of one key.
    Duplicate,
    /// What is stored cannot be read: the database's own pages are broken.
    Corrupt,
    /// Anything else.
    Other,
}

/// Why the client did not do what it was asked.
#[derive(Debug, Clone)]
pub struct ClientError {
    /// What became of the statement.
    pub trouble: Trouble,
    /// For a person. It names codes and tables, never values of rows.
    pub message: String,
}

impl ClientError {
    /// As an error of the store, of something that was `doing`.
    pub fn into_store(self, doing: &str) -> StoreError {
        let code = match self.trouble {
            Trouble::Retry => Code::Retry,
            Trouble::Lost | Trouble::Unavailable => Code::StoreUnavailable,
            Trouble::Busy => Code::StoreBusy,
            Trouble::Full => Code::StoreFull,
            Trouble::ReadOnly => Code::StoreReadOnly,
            Trouble::Missing => Code::StoreVersion,
            Trouble::Forbidden => Code::StoreUnavailable,
            Trouble::Corrupt => Code::StoreIntegrity,
            Trouble::Duplicate | Trouble::Other => Code::Internal,
        };
        StoreError::new(code, format!("{doing}: {}", hos_core::id::Shown(&self.message)))
    }
}
