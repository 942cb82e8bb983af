//! Stores: where records lie, and how a write becomes true.
//!
//! [`statement`] holds what every database shares: parameters, statements, rows; [`tx`] a transaction of any. [`sqlite`] is
//! the store that needs nothing but a file; [`server`] one of a database server; [`host`] a transaction that is somebody
//! else's, whose statements may go out [`together`].

pub(crate) mod form;
pub mod host;
mod migration;
pub(crate) mod place;
mod row_ref;
mod rows;
pub mod server;
pub mod sql;
pub mod sqlite;
pub mod statement;
pub(crate) mod tables;
pub mod together;
pub mod tx;

pub use migration::Migration;
pub use row_ref::RowRef;
pub use statement::{Row, Sql, Statement};
pub use tx::{Session, Tx, Unread};

use hos_core::refusal::Code;

/// Why a store did not do what it was asked.
///
/// `code` says what became of the call: under every code but [`Code::OutcomeUnknown`] nothing of it was stored. The
/// message is for a person; it names files and columns, never the values of rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct StoreError {
    /// The stable code.
    pub code: Code,
    /// What exactly; lower-case first letter, no full stop.
    pub message: String,
}

impl StoreError {
    /// An error with this code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A fault of the engine itself ([`Code::Internal`]).
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// A stored row is not what it must be ([`Code::StoreIntegrity`]).
    pub fn integrity(message: impl Into<String>) -> Self {
        Self::new(Code::StoreIntegrity, message)
    }

    /// A commit of which nobody can say whether it is stored ([`Code::OutcomeUnknown`]).
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Code::OutcomeUnknown, message)
    }
}
