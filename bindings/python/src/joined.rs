//! An engine in the transactions of a host: statements out, rows in. It has no connection; `hos/joined.py` runs what it asks for.

use crate::guard::{entry, error, served_error};
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::{Class, JoinedEngine, Standing};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::sync::{Arc, Mutex, PoisonError};

/// An engine that joins transactions. The package's `JoinedEngine` is made of it.
#[pyclass(frozen, subclass, module = "hos._hos")]
pub(crate) struct JoinedCore {
    pid: u32,
    // Held for an instant, and never while the interpreter's lock is let go: a child that is forked finds it free.
    engine: Mutex<Option<Arc<JoinedEngine>>>,
}

impl JoinedCore {
    /// The engine, if it is open in this process. A child may find its inside locked for ever, so it is not touched there.
    fn engine(&self) -> Result<Arc<JoinedEngine>, Failure> {
        if self.pid != std::process::id() {
            let message = "the engine was opened before a fork, in another process; open it again in this one";
            return Err(Failure::new(Code::EngineClosed, message));
        }
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone();
        engine.ok_or_else(|| Failure::new(Code::EngineClosed, "the engine was closed; open it again"))
    }
}

#[pymethods]
impl JoinedCore {
    /// Opens by options in JSON. Nothing is read of the database yet.
    #[new]
    fn new(py: Python<'_>, options: &[u8]) -> PyResult<Self> {
        entry(py, || {
            let engine = py.detach(|| JoinedEngine::open(options)).map_err(|failure| error(py, &failure))?;
            Ok(Self { pid: std::process::id(), engine: Mutex::new(Some(Arc::new(engine))) })
        })
    }

    /// One round of a step, without the interpreter's lock: how the step ended in one word (`allowed`, `refused`, or the class of a
    /// failure), none while it is on its way; and JSON.
    fn _step(
        &self,
        py: Python<'_>,
        operation: &str,
        inside: Option<bool>,
        json: &[u8],
    ) -> PyResult<(Option<&'static str>, Py<PyBytes>)> {
        entry(py, || {
            let engine = self.engine().map_err(|failure| error(py, &failure))?;
            let stepped = py.detach(|| engine.step(operation, inside, json));
            Ok((stepped.standing.map(word), PyBytes::new(py, &stepped.json).unbind()))
        })
    }

    /// Tells what needs no transaction, as `Core._serve` does: what the law says of a code.
    fn _serve(&self, py: Python<'_>, operation: &str, call: &[u8]) -> PyResult<(bool, Py<PyString>)> {
        entry(py, || {
            let engine = self.engine().map_err(|failure| error(py, &failure))?;
            if operation != "message" {
                let message = format!("`{operation}` is asked of an engine that has a store of its own");
                return Err(error(py, &Failure::new(Code::CallMalformed, message)));
            }
            let told = py.detach(|| engine.step(operation, Some(true), call));
            match told.standing {
                Some(Standing::Allowed) => Ok((true, PyString::new(py, &String::from_utf8_lossy(&told.json)).unbind())),
                standing => Err(served_error(py, standing.unwrap_or(Standing::Refused), &told.json)),
            }
        })
    }

    /// Closes the engine; later calls are refused, as is to close it again. Connections are the host's.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        entry(py, || {
            self.engine().map_err(|failure| error(py, &failure))?;
            drop(self.engine.lock().unwrap_or_else(PoisonError::into_inner).take());
            Ok(())
        })
    }

    /// Whether calls will be refused: the engine was closed, or opened in another process.
    #[getter]
    fn closed(&self) -> bool {
        self.engine().is_err()
    }
}

fn word(standing: Standing) -> &'static str {
    Class::of(standing).as_str()
}
