//! The boundary: no panic crosses it, and a failure becomes the exception of its class.

use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::answer::failure_json;
use hos_wire::{Class, Standing};
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what Python asked for. A panic ends here: it is `InternalError`, and never a yes.
pub(crate) fn entry<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(error(py, &Failure::new(Code::Internal, "a fault inside; the call was not answered"))))
}

/// The exception of a failure.
pub(crate) fn error(py: Python<'_>, failure: &Failure) -> PyErr {
    raised(py, Class::of_code(failure.code), &failure_json(failure).to_string())
}

/// The exception of an error that came as JSON.
pub(crate) fn served_error(py: Python<'_>, standing: Standing, json: &[u8]) -> PyErr {
    raised(py, Class::of(standing), &String::from_utf8_lossy(json))
}

// The classes are Python's own (`hos/errors.py`), so that they read, pickle and document as any other.
fn raised(py: Python<'_>, class: Class, json: &str) -> PyErr {
    let made = py.import("hos.errors").and_then(|module| module.call_method1("_from_wire", (class.as_str(), json)));
    made.map_or_else(|error| error, PyErr::from_value)
}
