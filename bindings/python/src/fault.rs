//! What is wrong with a call before it is made.

use crate::guard::error;
use hos_core::refusal::Code;
use hos_engine::Failure;
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::PyTraceback;
use pyo3::{PyTraverseError, PyVisit};
use std::sync::Arc;

/// How much of an exception's words is told.
const SAID_MAX: usize = 1000;

/// A value, a word or a name that is none; or what one of the caller's objects raised when it was asked.
#[derive(Clone)]
pub(crate) enum Fault {
    Found(Failure),
    Raised(Arc<Raised>),
}

/// An exception of the caller's, as it came.
pub(crate) struct Raised {
    value: Py<PyBaseException>,
    traceback: Option<Py<PyTraceback>>,
}

fn short(said: &str) -> String {
    said.chars().take(SAID_MAX).collect()
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Found(failure)
    }
}

impl Fault {
    /// Keeps what was raised.
    pub(crate) fn of(py: Python<'_>, raised: PyErr) -> Self {
        let traceback = raised.traceback(py).map(Bound::unbind);
        Self::Raised(Arc::new(Raised { value: raised.into_value(py), traceback }))
    }

    /// The exception that says it: a failure's own, or the caller's as it was raised.
    pub(crate) fn error(&self, py: Python<'_>) -> PyErr {
        match self {
            Self::Found(failure) => error(py, failure),
            Self::Raised(raised) => {
                let value = raised.value.bind(py);
                // Whoever raises an exception again lengthens its way, for as long as it is kept.
                let way = raised.traceback.as_ref().map(|way| way.clone_ref(py));
                match value.setattr("__traceback__", way) {
                    Ok(()) => PyErr::from_value(value.clone().into_any()),
                    Err(_) => error(py, &Failure::new(Code::Internal, "an exception that cannot be raised again")),
                }
            }
        }
    }

    /// What is told of it where the world's own outcome stands: an exception of ours by its code, any other as it shows itself.
    pub(crate) fn failure(&self, py: Python<'_>) -> Failure {
        match self {
            Self::Found(failure) => failure.clone(),
            Self::Raised(raised) => {
                let value = raised.value.bind(py);
                let text = |name: &str| value.getattr(name).ok().and_then(|said| said.extract::<String>().ok());
                if let Some(code) = text("code").and_then(|code| Code::from_text(&code)) {
                    return Failure::new(code, short(&text("message").unwrap_or_default()));
                }
                let said = value.repr().map_or_else(|_| "what cannot be shown".to_owned(), |said| short(&said.to_string_lossy()));
                Failure::new(Code::ValueInvalid, format!("one of the caller's objects raised {said}"))
            }
        }
    }

    /// Shows the interpreter's collector what is kept.
    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Raised(raised) => {
                visit.call(&raised.value)?;
                visit.call(&raised.traceback)
            }
            Self::Found(_) => Ok(()),
        }
    }
}
