//! Forking while threads are inside an engine: who forks waits for them (`os.register_at_fork`, in `python/hos/__init__.py`).

use crate::guard::entry;
use hos_engine::store::sqlite;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Forks that are under way.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Whether a fork is under way. What enters an engine meanwhile is held back by it, and may not keep the interpreter's lock:
/// the thread that forks needs it.
///
/// The number goes up under that lock, so who looks under it and goes on without letting go of it cannot be overtaken.
pub(crate) fn is_under_way() -> bool {
    FORKS.load(Ordering::SeqCst) > 0
}

/// Before `fork`: holds new calls back and waits for those under way, which end without the interpreter's lock.
#[pyfunction]
#[pyo3(name = "_before_fork")]
pub(crate) fn before_fork(py: Python<'_>) -> PyResult<()> {
    entry(py, || {
        FORKS.fetch_add(1, Ordering::SeqCst);
        py.detach(sqlite::before_fork);
        Ok(())
    })
}

/// After `fork`, in the parent.
#[pyfunction]
#[pyo3(name = "_after_fork_in_parent")]
pub(crate) fn after_fork_in_parent(py: Python<'_>) -> PyResult<()> {
    entry(py, || {
        sqlite::after_fork_in_parent();
        let _ = FORKS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        Ok(())
    })
}

/// After `fork`, in the child.
#[pyfunction]
#[pyo3(name = "_after_fork_in_child")]
pub(crate) fn after_fork_in_child(py: Python<'_>) -> PyResult<()> {
    entry(py, || {
        sqlite::after_fork_in_child();
        FORKS.store(0, Ordering::SeqCst);
        Ok(())
    })
}
