//! H-OS for Python.

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
fn _hos(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
