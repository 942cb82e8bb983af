//! Why there is no answer.

use hos_core::id::Shown;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::sql::dialect::Dialect;
use std::fmt;

/// Any error: what the host's own work in a transaction may end in.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// No answer was given, and nothing of the call is stored once the host has rolled back; of a COMMIT that nobody answered
/// ([`Code::OutcomeUnknown`]) nobody knows. A refusal is never one of these.
#[derive(Debug)]
pub struct Error {
    failure: Failure,
    source: Option<AnyError>,
}

impl Error {
    /// An error of the host's own client, by what the database called it.
    ///
    /// `said` is shown: it names tables and codes, and no value of a row.
    pub(crate) fn of(dialect: Dialect, what: What, said: &str, source: impl Into<AnyError>) -> Self {
        let (code, words) = match what {
            What::Retry => (Code::Retry, "the transaction met another: begin it again"),
            What::Missing => (Code::StoreVersion, "a table of H-OS is not there: `hos schema` prints them"),
            What::ReadOnly => (Code::StoreReadOnly, "the database takes no writes here: ask the primary"),
            What::Unanswered => (Code::OutcomeUnknown, "the server did not answer the commit: ask again under the same once-key"),
            What::Other => (Code::StoreUnavailable, "the database did not do what it was asked"),
        };
        let message = format!("{}: {words}: {}", dialect.name(), Shown(said));
        Self { failure: Failure::new(code, message), source: Some(source.into()) }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.failure.code
    }

    /// What went wrong, with the law's faults where it is the law.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Whether the host may begin its whole transaction again: a deadlock, a lock that took too long, a row that changed.
    pub fn is_retry(&self) -> bool {
        self.failure.code == Code::Retry
    }

    pub(crate) fn into_parts(self) -> (Failure, Option<AnyError>) {
        (self.failure, self.source)
    }

    pub(crate) fn with(failure: Failure, source: Option<AnyError>) -> Self {
        Self { failure, source }
    }
}

/// What an error of a database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Retry,
    Missing,
    ReadOnly,
    /// Of a COMMIT: whether all is stored, or nothing.
    Unanswered,
    Other,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self { failure, source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
