//! What Python has no value of its own for: an entity's identity, and Cedar's extension values.

use crate::guard::{entry, error};
use hos_engine::Failure;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// An entity's type and id. Whether they are sound is said by the call that they stand in.
#[pyclass(frozen, eq, hash, module = "hos._hos")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Uid {
    pub(crate) type_name: String,
    pub(crate) id: String,
}

#[pymethods]
impl Uid {
    #[new]
    #[pyo3(signature = (r#type, id, /))]
    fn new(r#type: &Bound<'_, PyString>, id: &Bound<'_, PyString>) -> PyResult<Self> {
        entry(r#type.py(), || Ok(Self { type_name: utf8("the type", r#type)?, id: utf8("the id", id)? }))
    }

    /// Reads Cedar's own form, `Pazar::Account::"ayse"`.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn parse(text: &Bound<'_, PyString>) -> PyResult<Self> {
        let py = text.py();
        entry(py, || Self::read(&utf8("the text", text)?).map_err(|failure| error(py, &failure)))
    }

    #[getter]
    fn r#type(&self) -> &str {
        &self.type_name
    }

    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    fn __str__(&self) -> String {
        let mut out = format!("{}::\"", self.type_name);
        for c in self.id.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0' => out.push_str("\\0"),
                other => out.push(other),
            }
        }
        out.push('"');
        out
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let me = slf.get();
        Ok(format!("Uid({}, {})", shown(slf.py(), &me.type_name)?, shown(slf.py(), &me.id)?))
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> (Py<PyAny>, (String, String)) {
        (slf.get_type().into_any().unbind(), (slf.get().type_name.clone(), slf.get().id.clone()))
    }
}

impl Uid {
    /// Reads Cedar's own form.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let uid = hos_core::id::Uid::parse(text)?;
        Ok(Self { type_name: uid.type_name().to_owned(), id: uid.id().to_owned() })
    }
}

/// A value of one of Cedar's extension types: the function that makes it, and its text.
#[pyclass(frozen, eq, hash, module = "hos._hos")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Ext {
    pub(crate) function: String,
    pub(crate) text: String,
}

#[pymethods]
impl Ext {
    #[new]
    #[pyo3(signature = (function, text, /))]
    fn new(function: &Bound<'_, PyString>, text: &Bound<'_, PyString>) -> PyResult<Self> {
        entry(function.py(), || Ok(Self { function: utf8("the function", function)?, text: utf8("the text", text)? }))
    }

    #[getter]
    fn function(&self) -> &str {
        &self.function
    }

    #[getter]
    fn text(&self) -> &str {
        &self.text
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let me = slf.get();
        Ok(format!("Ext({}, {})", shown(slf.py(), &me.function)?, shown(slf.py(), &me.text)?))
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> (Py<PyAny>, (String, String)) {
        (slf.get_type().into_any().unbind(), (slf.get().function.clone(), slf.get().text.clone()))
    }
}

fn utf8(what: &str, text: &Bound<'_, PyString>) -> PyResult<String> {
    let read = text.to_cow().map(std::borrow::Cow::into_owned);
    read.map_err(|_| {
        let message = format!("{what} is not UTF-8: it holds a lone surrogate");
        error(text.py(), &Failure::new(hos_core::refusal::Code::CallMalformed, message))
    })
}

fn shown(py: Python<'_>, text: &str) -> PyResult<String> {
    PyString::new(py, text).repr()?.extract().map_err(|_| PyTypeError::new_err("a text that has no form"))
}
