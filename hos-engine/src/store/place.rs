//! Where a store is: a file of its own, or a database that others use too.

use super::server::ServerStore;
use super::sqlite::{Runner, SqliteStore, Stats};
use super::{StoreError, Tx};
use hos_core::refusal::Code;
use std::sync::Arc;

/// An open store.
pub(crate) enum Place<R: Runner> {
    /// A file that is the engine's alone.
    File(Box<SqliteStore<R>>),
    /// A database.
    Server(Arc<ServerStore>),
}

impl<R: Runner> Place<R> {
    /// Runs one job in a commit, and answers when it is durable.
    pub(crate) fn submit(&self, runner: &R, job: R::Job) -> Result<R::Answer, StoreError> {
        match self {
            Self::File(file) => file.submit(runner, job),
            Self::Server(server) => server.submit(runner, job),
        }
    }

    /// Runs these jobs in one commit, each in a savepoint of its own, and answers each, in their order. The outer error
    /// means that none of them ran.
    pub(crate) fn submit_all(&self, runner: &R, jobs: Vec<R::Job>) -> Result<Vec<Result<R::Answer, StoreError>>, StoreError> {
        match self {
            Self::File(file) => file.submit_all(runner, jobs),
            Self::Server(server) => server.submit_all(runner, jobs),
        }
    }

    /// Reads for an answer, all of one moment.
    pub(crate) fn read_verified<T>(
        &self,
        runner: &R,
        work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Self::File(file) => file.read_verified(runner, work),
            Self::Server(server) => server.read(work),
        }
    }

    /// Reads, all of one moment, before there is anything that a file could be held against.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self {
            Self::File(file) => file.read(work),
            Self::Server(server) => server.read(work),
        }
    }

    /// Counters of this process.
    pub(crate) fn stats(&self) -> Result<Stats, StoreError> {
        match self {
            Self::File(file) => file.stats(),
            Self::Server(server) => Ok(server.stats()),
        }
    }

    /// Whether others write beside us in transactions of their own.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// The file, if it is one.
    pub(crate) fn as_file(&self) -> Option<&SqliteStore<R>> {
        match self {
            Self::File(file) => Some(file),
            Self::Server(_) => None,
        }
    }

    /// The file, for what only a file has; `what` is it, for the message.
    pub(crate) fn file(&self, what: &str) -> Result<&SqliteStore<R>, StoreError> {
        match self {
            Self::File(file) => Ok(file),
            Self::Server(server) => Err(StoreError::new(
                Code::StoreUnavailable,
                format!("{what} is for a store that is a file; {} has its own tools for that", server.shown()),
            )),
        }
    }
}
