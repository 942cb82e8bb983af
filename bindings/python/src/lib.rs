//! H-OS for Python: the part of the package `hos` that touches the engine.
//!
//! Small on purpose. Here are what must be quick (`can`, and the writing of calls), what must be safe (threads, forks, panics), and
//! what Python cannot hold (an engine, an answer whose words are not written yet). What reads better in Python is in
//! `python/hos/`: exceptions, answers' parts, the words of writing, and the types of it all (`_hos.pyi`).
//!
//! No rule of the law is decided here, and a fault inside is an exception, never a yes.

mod answer;
mod asker;
mod core;
mod fault;
mod fork;
mod guard;
mod joined;
mod name;
mod writer;

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
fn _hos(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<core::Core>()?;
    module.add_class::<joined::JoinedCore>()?;
    module.add_class::<asker::Asker>()?;
    module.add_class::<answer::Answer>()?;
    module.add_class::<name::Uid>()?;
    module.add_class::<name::Ext>()?;
    module.add_function(wrap_pyfunction!(answer::restored, module)?)?;
    module.add_function(wrap_pyfunction!(fork::before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(fork::after_fork_in_parent, module)?)?;
    module.add_function(wrap_pyfunction!(fork::after_fork_in_child, module)?)?;
    fork::prepare(module)
}
