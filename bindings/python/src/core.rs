//! An open engine, the process that opened it, and calls as JSON.

use crate::guard::{entry, error, served_error};
use hos_core::refusal::Code;
use hos_engine::{Engine, Failure};
use hos_wire::{CALL_BYTES_MAX, Served, Standing};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::{Mutex, PoisonError};

/// An open store. The package's `Engine` is made of it.
#[pyclass(frozen, subclass, module = "hos._hos")]
pub(crate) struct Core {
    pid: u32,
    // Held for an instant, and never while the interpreter's lock is let go: a child that is forked finds it free.
    engine: Mutex<Option<Engine>>,
}

impl Core {
    /// The engine, if it is open in this process. It stays open while the answer is held.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        if self.pid != std::process::id() {
            let message = "the engine was opened before a fork, in another process; open it again in this one";
            return Err(Failure::new(Code::EngineClosed, message));
        }
        self.engine
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(|| Failure::new(Code::EngineClosed, "the engine was closed; open it again"))
    }

    fn take(&self) -> Option<Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives back an engine that was held for a call. Where it was closed meanwhile this may be the last of it, and letting go of a
    /// store may wait.
    pub(crate) fn give_back(&self, py: Python<'_>, engine: Engine) {
        let is_closed = self.engine.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        if is_closed {
            py.detach(move || drop(engine));
        }
    }

    /// Serves a call without the interpreter's lock.
    pub(crate) fn served(&self, py: Python<'_>, operation: &str, json: &[u8]) -> Result<Served, Failure> {
        let engine = self.engine()?;
        Ok(py.detach(move || hos_wire::serve_with(&engine, operation, json, CALL_BYTES_MAX)))
    }

    /// As [`Self::served`], of a call of which it is known why it is none.
    pub(crate) fn stood(&self, py: Python<'_>, operation: &str, json: &[u8], failure: Failure) -> Result<Served, Failure> {
        let engine = self.engine()?;
        Ok(py.detach(move || hos_wire::serve_instead(&engine, operation, json, failure)))
    }
}

#[pymethods]
impl Core {
    /// Opens a store by options in JSON.
    #[new]
    fn new(py: Python<'_>, options: &[u8]) -> PyResult<Self> {
        entry(py, || {
            let engine = py.detach(|| hos_wire::open(options)).map_err(|failure| error(py, &failure))?;
            Ok(Self { pid: std::process::id(), engine: Mutex::new(Some(engine)) })
        })
    }

    /// Serves a call in JSON: whether it was allowed, and the answer's JSON.
    fn _serve(&self, py: Python<'_>, operation: &str, call: &[u8]) -> PyResult<(bool, Py<PyString>)> {
        entry(py, || {
            let served = self.served(py, operation, call).map_err(|failure| error(py, &failure))?;
            match served.standing {
                Standing::Failed(_) => Err(served_error(py, served.standing, &served.json)),
                standing => {
                    let json = PyString::new(py, &String::from_utf8_lossy(&served.json)).unbind();
                    Ok((standing == Standing::Allowed, json))
                }
            }
        })
    }

    /// Closes the engine. Calls that are under way end as they would have; later ones are refused, as is to close it again. What
    /// was opened in the parent of this process is left as it is, and refused as well.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        entry(py, || {
            let engine = self.engine().map_err(|failure| error(py, &failure))?;
            drop(self.take());
            py.detach(|| engine.close()).map_err(|failure| error(py, &failure))
        })
    }

    /// Whether calls will be refused: the engine was closed, or opened in another process.
    #[getter]
    fn closed(&self) -> bool {
        self.engine().is_err()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let Some(engine) = self.take() else { return };
        if self.pid != std::process::id() {
            // What the parent has open is not this process's to close; its memory goes with the process.
            std::mem::forget(engine);
            return;
        }
        // Letting go of a store may wait for other processes, and for a fork that waits for the interpreter's lock.
        let mut engine = Some(engine);
        let _ = Python::try_attach(|py| {
            let engine = engine.take();
            py.detach(move || drop(engine));
        });
        drop(engine);
    }
}
