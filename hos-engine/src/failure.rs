//! What is not an answer: the engine could not do what was asked. A denial is never one of these.

use hos_core::fault::Fault;
use hos_core::refusal::{Blocker, Code};

/// Nothing of the call was stored, unless the code is [`Code::OutcomeUnknown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// What, where and what to do, for a person.
    pub message: String,
    /// The law's faults, where the code is [`Code::LawInvalid`].
    pub faults: Vec<Fault>,
}

impl Failure {
    /// A failure with its message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), faults: Vec::new() }
    }
}

impl From<Blocker> for Failure {
    fn from(blocker: Blocker) -> Self {
        let code = blocker.hos().unwrap_or(Code::Internal);
        Self::new(code, blocker.detail)
    }
}

impl From<hos_core::id::IdError> for Failure {
    fn from(error: hos_core::id::IdError) -> Self {
        Self::new(Code::IdInvalid, error.to_string())
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        Self::new(error.code, error.message)
    }
}

impl From<Failure> for crate::store::StoreError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.message)
    }
}
