//! The desk of an open store: jobs in, answers out. What the engine's face and its tenants share.

use crate::Failure;
use crate::court::Court;
use crate::store::StoreError;
use crate::store::sqlite::{SqliteStore, Tx};
use crate::view::InForce;
use crate::work::{Done, HeadsDone, Job};
use hos_core::answer::Answer;
use hos_core::refusal::Code;
use std::sync::{Arc, PoisonError};

/// An open store, and the court that judges in its commits.
pub(crate) struct Desk {
    pub(crate) store: SqliteStore<Court>,
    pub(crate) court: Court,
}

impl Desk {
    /// Runs one job in a commit that it may share.
    pub(crate) fn submit(&self, job: Job) -> Result<Done, Failure> {
        Ok(self.store.submit(&self.court, job)?)
    }

    /// A job that comes to an answer.
    pub(crate) fn answered(&self, job: Job) -> Result<Answer, Failure> {
        match self.submit(job)? {
            Done::Answer(answer) => Ok(*answer),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than an answer")),
        }
    }

    /// A job that comes to a number.
    pub(crate) fn counted(&self, job: Job) -> Result<u64, Failure> {
        match self.submit(job)? {
            Done::Count(count) => Ok(count),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than a count")),
        }
    }

    /// A job that comes to a map of heads.
    pub(crate) fn mapped(&self, job: Job) -> Result<HeadsDone, Failure> {
        match self.submit(job)? {
            Done::Heads(done) => Ok(*done),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than a map of heads")),
        }
    }

    /// Reads in one transaction; what fails keeps its own failure.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut failed = None;
        let result = self.store.read(|tx| {
            work(tx).map_err(|failure| {
                let error = StoreError::new(failure.code, failure.message.clone());
                failed = Some(failure);
                error
            })
        });
        result.map_err(|error| failed.unwrap_or_else(|| error.into()))
    }

    /// The laws in force, as this process last saw them.
    pub(crate) fn in_force(&self) -> Option<Arc<InForce>> {
        self.court.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
