//! What came of a call. Whether it is a yes is known at once; the rest is written and read when somebody looks.

use crate::guard::entry;
use hos_wire::Decided;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use std::sync::{Arc, OnceLock};

/// Who asked, where: what an answer's own questions need.
pub(crate) struct Asked {
    pub(crate) tenant: String,
    pub(crate) language: Option<String>,
}

pub(crate) enum Words {
    /// Of `can`, not written yet.
    Decided(Box<Decided>),
    /// JSON.
    Json(Vec<u8>),
}

/// What an answer is written of again: its JSON, its tenant, and its language.
type Written = (String, String, Option<String>);

/// An answer: never to be used as a condition by itself.
#[pyclass(frozen, module = "hos._hos")]
pub(crate) struct Answer {
    allowed: bool,
    words: Words,
    /// The engine; none where the answer came from elsewhere.
    core: Option<Py<PyAny>>,
    asked: Arc<Asked>,
    /// Of a refusal in a host's transaction: what it can be made evidence by.
    refusal: Option<u64>,
    // Set by who has read it, with the interpreter's lock: a child that is forked finds it whole, or empty (`fork.rs`).
    told: OnceLock<Py<PyTuple>>,
}

impl Answer {
    pub(crate) fn new(allowed: bool, words: Words, core: Py<PyAny>, asked: Arc<Asked>, refusal: Option<u64>) -> Self {
        Self { allowed, words, core: Some(core), asked, refusal, told: OnceLock::new() }
    }

    fn text(&self) -> String {
        match &self.words {
            Words::Decided(decided) => String::from_utf8_lossy(&decided.json()).into_owned(),
            Words::Json(json) => String::from_utf8_lossy(json).into_owned(),
        }
    }

    // Places are those of `_answers.fields`.
    fn field(&self, py: Python<'_>, place: usize) -> PyResult<Py<PyAny>> {
        entry(py, || {
            let told = match self.told.get() {
                Some(told) => told,
                None => {
                    let read = py.import("hos._answers")?.call_method1("fields", (self.text(),))?;
                    let read = read.cast_into::<PyTuple>()?.unbind();
                    self.told.get_or_init(|| read)
                }
            };
            Ok(told.bind(py).get_item(place)?.unbind())
        })
    }
}

#[pymethods]
impl Answer {
    #[getter]
    fn allowed(&self) -> bool {
        self.allowed
    }

    #[getter]
    fn code(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 0)
    }

    #[getter]
    fn blockers(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 1)
    }

    #[getter]
    fn effect(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 2)
    }

    #[getter]
    fn policies(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 3)
    }

    #[getter]
    fn errors(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 4)
    }

    #[getter]
    fn mode(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 5)
    }

    #[getter]
    fn divergence(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 6)
    }

    #[getter]
    fn candidate(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 7)
    }

    #[getter]
    fn law(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 8)
    }

    #[getter]
    fn directory_version(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 9)
    }

    #[getter]
    fn from_(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 10)
    }

    #[getter]
    fn to(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 11)
    }

    #[getter]
    fn version(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 12)
    }

    #[getter]
    fn fired(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 13)
    }

    #[getter]
    fn again(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 14)
    }

    #[getter]
    fn receipt(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.field(py, 15)
    }

    /// The engine that gave it, and the number by which it keeps the refusal; nothing where there is none to keep.
    #[getter]
    fn _kept(&self, py: Python<'_>) -> Option<(Py<PyAny>, u64)> {
        self.core.as_ref().map(|core| core.clone_ref(py)).zip(self.refusal)
    }

    /// Another answer to the same asker.
    fn _followed(&self, py: Python<'_>, allowed: bool, json: &[u8]) -> PyResult<Self> {
        entry(py, || {
            let core = self.core.as_ref().map(|core| core.clone_ref(py));
            let words = Words::Json(json.to_vec());
            Ok(Self { allowed, words, core, asked: self.asked.clone(), refusal: None, told: OnceLock::new() })
        })
    }

    /// The answer as JSON, as `spec/answer.md` has it.
    fn json(&self, py: Python<'_>) -> PyResult<Py<PyString>> {
        entry(py, || Ok(PyString::new(py, &self.text()).unbind()))
    }

    /// The law's message for the answer's code: in this language, else the actor's, else English. `None` where there is no code.
    #[pyo3(signature = (language=None))]
    fn message(&self, py: Python<'_>, language: Option<&Bound<'_, PyString>>) -> PyResult<Py<PyAny>> {
        let (code, blockers) = (self.field(py, 0)?, self.field(py, 1)?);
        entry(py, || {
            let bound = self.asked.language.as_deref().map(|bound| PyString::new(py, bound));
            let language = language.cloned().or_else(|| bound.clone());
            let module = py.import("hos._answers")?;
            let core = self.core.as_ref().map(|core| core.bind(py));
            let told = module.call_method1("message", (core, self.asked.tenant.as_str(), code, language, bound, blockers))?;
            Ok(told.unbind())
        })
    }

    /// An answer is no condition: `if can(..)` would read a no as a yes.
    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err("an answer is neither true nor false: ask for its `.allowed`"))
    }

    // It cannot be changed, so it is its own copy.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    // To another process, as a raised `Denied` goes: with its words, and without the engine.
    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, Written)> {
        entry(py, || {
            let restore = py.import("hos._answers")?.getattr("restore")?;
            Ok((restore.unbind(), (self.text(), self.asked.tenant.clone(), self.asked.language.clone())))
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        if self.allowed {
            return Ok("<Answer allowed=True>".to_owned());
        }
        let code = self.field(py, 0)?;
        Ok(format!("<Answer allowed=False code={}>", code.bind(py).repr()?))
    }
}

/// An answer that was written before.
#[pyfunction]
#[pyo3(name = "_answer", signature = (allowed, json, tenant, language=None, /))]
pub(crate) fn restored(allowed: bool, json: String, tenant: String, language: Option<String>) -> Answer {
    let asked = Arc::new(Asked { tenant, language });
    Answer { allowed, words: Words::Json(json.into_bytes()), core: None, asked, refusal: None, told: OnceLock::new() }
}
