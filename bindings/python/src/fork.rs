//! Forking while threads are inside an engine: who forks waits for them (`os.register_at_fork`, in `python/hos/__init__.py`).

use crate::guard::entry;
use crate::name::Uid;
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

/// Makes what pyo3 makes once in a process, when it is first used. Who is at that lets go of the interpreter's lock; a child that another
/// thread forks meanwhile finds it half made, and waits for ever for the one who makes it. So it is made while the module is imported, and
/// nothing here is made so: no `intern!`, no `PyOnceLock`.
pub(crate) fn prepare(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // What its messages are made of: a class's names, and what it says to arguments that are of another kind.
    let kind = module.py().get_type::<Uid>();
    for name in [kind.name(), kind.qualname(), kind.module(), kind.fully_qualified_name()] {
        name?;
    }
    let _ = kind.call1((0, 0));
    Ok(())
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
