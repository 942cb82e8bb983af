//! A tenant and who acts in it: `can` at once, and everything else as JSON. The package's `Actor` is made of it.

use crate::answer::{Answer, Asked as Whose, Words};
use crate::core::Core;
use crate::fault::Fault;
use crate::fork;
use crate::guard::{entry, error, served_error};
use crate::joined::JoinedCore;
use crate::writer::{Held, Writer};
use hos_core::refusal::Code;
use hos_engine::{Engine, Failure};
use hos_wire::{Asked, Decided, Scalar, Served, Standing};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use pyo3::{PyTraverseError, PyVisit};
use std::sync::Arc;

/// Whose answers an actor gets: those of an engine with a store of its own, or of one that joins a host's transactions. The second
/// is asked in Python (`hos/joined.py`), and only the words of its calls are written here.
#[derive(FromPyObject)]
enum Of {
    Own(Py<Core>),
    Joined(Py<JoinedCore>),
}

#[pyclass(frozen, subclass, module = "hos._hos")]
pub(crate) struct Asker {
    core: Of,
    whose: Arc<Whose>,
    principal: (String, String),
    request: Option<String>,
    /// A language that is no text: a call with it is refused, unless the world's own answer stands.
    strange_language: bool,
    /// What of the above is not of its form. Every call says so, unless the world's own answer stands.
    fault: Option<Fault>,
    /// `language` and `request` as JSON; empty where there are none.
    beside: Vec<u8>,
}

/// The words of a `can` that do not stand in its question.
struct Besides<'a, 'py> {
    context: Option<&'a Bound<'py, PyAny>>,
    given: Option<&'a Bound<'py, PyAny>>,
    legacy: Option<&'a Bound<'py, PyAny>>,
    request: Option<&'a Bound<'py, PyAny>>,
}

impl Asker {
    fn core_of<'a>(&'a self, py: Python<'a>) -> Result<&'a Core, Failure> {
        match &self.core {
            Of::Own(core) => Ok(core.bind(py).get()),
            Of::Joined(_) => {
                let message = "an engine that joins transactions has no store of its own: ask one that has";
                Err(Failure::new(Code::CallMalformed, message))
            }
        }
    }

    fn answer(&self, py: Python<'_>, allowed: bool, words: Words, refusal: Option<u64>) -> Answer {
        let core = match &self.core {
            Of::Own(core) => core.clone_ref(py).into_any(),
            Of::Joined(core) => core.clone_ref(py).into_any(),
        };
        Answer::new(allowed, words, core, self.whose.clone(), refusal)
    }

    /// A call in the words of the wire, and what is wrong with it. `keeps`: whether what the caller's objects raise is kept as well.
    fn written(&self, py: Python<'_>, fields: &Bound<'_, PyDict>, keeps: bool) -> PyResult<(Vec<u8>, Option<Fault>)> {
        let mut writer = Writer::new(py, self.fault.clone(), keeps);
        writer.text_field("tenant", &self.whose.tenant);
        writer.uid_field("principal", (&self.principal.0, &self.principal.1));
        self.bound(&mut writer, fields.get_item("request")?.filter(|own| !own.is_none()).as_ref())?;
        for item in fields.items() {
            let (name, value): (Bound<'_, PyString>, Bound<'_, PyAny>) = item.extract()?;
            let name = name.to_cow()?;
            // What is asked about is told also where it is `None`: that is none, as other things that are no action.
            if name == "action" || name != "request" && !value.is_none() {
                writer.field(&name, &value)?;
            }
        }
        let fault = writer.fault().cloned();
        Ok((writer.object(), fault))
    }

    /// Decides one `can`.
    fn decided<'py>(
        &self,
        py: Python<'py>,
        action: &Bound<'py, PyAny>,
        resource: &Bound<'py, PyAny>,
        besides: &Besides<'_, 'py>,
    ) -> PyResult<Decided> {
        let core = self.core_of(py).map_err(|failure| error(py, &failure))?;
        let engine = core.engine().map_err(|failure| error(py, &failure))?;
        // The caller's objects, and a look at the store, let go of the interpreter's lock: somebody may close the engine meanwhile.
        let decided = self.decided_by(py, &engine, action, resource, besides);
        core.give_back(py, engine);
        decided
    }

    fn decided_by<'py>(
        &self,
        py: Python<'py>,
        engine: &Engine,
        action: &Bound<'py, PyAny>,
        resource: &Bound<'py, PyAny>,
        besides: &Besides<'_, 'py>,
    ) -> PyResult<Decided> {
        let mut writer = Writer::new(py, self.fault.clone(), besides.legacy.is_some());
        let action = writer.word("action", action);
        let (resource_type, resource_id) = writer.who("resource", resource)?;
        let scalars = besides.context.and_then(Writer::scalars);
        let held = scalars.as_deref().unwrap_or_default();
        let context: Vec<(&str, Scalar<'_>)> = held.iter().map(|(name, held)| (name.as_str(), scalar(held))).collect();
        let json = besides.context.filter(|_| scalars.is_none());
        let bare = json.is_none() && besides.given.is_none() && besides.legacy.is_none() && besides.request.is_none();
        let (fault, beside) = if bare {
            (writer.fault().cloned(), None)
        } else {
            self.bound(&mut writer, besides.request)?;
            for (name, value) in [("context", json), ("given", besides.given), ("legacy", besides.legacy)] {
                if let Some(value) = value {
                    writer.field(name, value)?;
                }
            }
            (writer.fault().cloned(), Some(writer.object()))
        };
        if let (Some(fault), None) = (&fault, besides.legacy) {
            return Err(fault.error(py));
        }
        let asked = Asked {
            tenant: &self.whose.tenant,
            principal: (&self.principal.0, &self.principal.1),
            action: &action,
            resource: (&resource_type, &resource_id),
            context: &context,
            beside: beside.as_deref().unwrap_or(&self.beside),
        };
        decide(py, engine, &asked, besides.legacy.is_some(), fault.as_ref().map(|fault| fault.failure(py)))
            .map_err(|failure| fault.as_ref().map_or_else(|| error(py, &failure), |fault| fault.error(py)))
    }

    // What was bound with the actor, and this call's own request id in place of the bound one.
    fn bound<'py>(&self, writer: &mut Writer<'py>, request: Option<&Bound<'py, PyAny>>) -> PyResult<()> {
        if self.strange_language {
            writer.null_field("language");
        } else if let Some(language) = &self.whose.language {
            writer.text_field("language", language);
        }
        match (request, &self.request) {
            (Some(own), _) => writer.field("request", own)?,
            (None, Some(bound)) => writer.text_field("request", bound),
            (None, None) => {}
        }
        Ok(())
    }

    /// Makes any other call of somebody.
    fn made<'py>(&self, py: Python<'py>, operation: &str, fields: &Bound<'py, PyDict>) -> PyResult<Served> {
        let has_legacy = fields.get_item("legacy")?.is_some_and(|legacy| !legacy.is_none());
        let (call, fault) = self.written(py, fields, has_legacy)?;
        if let Some(fault) = fault.as_ref().filter(|_| !has_legacy) {
            return Err(fault.error(py));
        }
        let core = self.core_of(py).map_err(|failure| error(py, &failure))?;
        let served = match &fault {
            Some(fault) => core.stood(py, operation, &call, fault.failure(py)),
            None => core.served(py, operation, &call),
        };
        let served = served.map_err(|failure| error(py, &failure))?;
        match (served.standing, fault) {
            (Standing::Failed(_), Some(fault)) => Err(fault.error(py)),
            (standing @ Standing::Failed(_), None) => Err(served_error(py, standing, &served.json)),
            _ => Ok(served),
        }
    }
}

#[pymethods]
impl Asker {
    #[new]
    #[pyo3(signature = (core, tenant, principal, language=None, request=None, /))]
    fn new(
        core: Of,
        tenant: &Bound<'_, PyAny>,
        principal: &Bound<'_, PyAny>,
        language: Option<&Bound<'_, PyAny>>,
        request: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = tenant.py();
        entry(py, || {
            // What the principal raises is kept: only a call says whether it carries the world's own outcome.
            let mut writer = Writer::new(py, None, true);
            let tenant = writer.word("tenant", tenant).into_owned();
            let (type_name, id) = writer.who("principal", principal)?;
            // The empty text is no language.
            let language = language.filter(|given| !given.cast::<PyString>().is_ok_and(|text| *text == *""));
            let language = language.map(|text| writer.word("language", text).into_owned());
            // An empty text stands where there was none.
            let strange_language = language.as_deref() == Some("");
            let request = request.map(|text| writer.word("request", text).into_owned());
            let fault = writer.fault().cloned();
            let principal = (type_name.into_owned(), id.into_owned());
            let whose = Arc::new(Whose { tenant, language });
            let mut asker = Self { core, whose, principal, request, strange_language, fault, beside: Vec::new() };
            let mut writer = Writer::new(py, None, false);
            asker.bound(&mut writer, None)?;
            asker.beside = writer.object();
            Ok(asker)
        })
    }

    /// May this principal do this to that?
    ///
    /// `action` is the action's id in the law's namespace (`order.view`); `resource` a Uid, a text `Type::"id"`, or an object that
    /// says its own by `__hos_uid__`. The answer is at hand in microseconds; ask for its `.allowed`. Raises HosError where there
    /// is no answer.
    #[pyo3(signature = (action, resource, *, context=None, given=None, legacy=None, request=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the words of the call, and Python names them")]
    fn can<'py>(
        &self,
        py: Python<'py>,
        action: &Bound<'py, PyAny>,
        resource: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        given: Option<&Bound<'py, PyAny>>,
        legacy: Option<&Bound<'py, PyAny>>,
        request: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Answer> {
        entry(py, || {
            let decided = self.decided(py, action, resource, &Besides { context, given, legacy, request })?;
            Ok(self.answer(py, decided.allowed(), Words::Decided(Box::new(decided)), None))
        })
    }

    /// Makes a call that comes to an answer.
    fn _answer(&self, py: Python<'_>, operation: &str, fields: &Bound<'_, PyDict>) -> PyResult<Answer> {
        entry(py, || {
            let served = self.made(py, operation, fields)?;
            Ok(self.answer(py, served.standing == Standing::Allowed, Words::Json(served.json), None))
        })
    }

    /// Makes a call that tells something, and gives its JSON.
    fn _told(&self, py: Python<'_>, operation: &str, fields: &Bound<'_, PyDict>) -> PyResult<String> {
        entry(py, || Ok(String::from_utf8_lossy(&self.made(py, operation, fields)?.json).into_owned()))
    }

    /// A call in the words of the wire, and what is wrong with it. One that may carry the world's own outcome (`world`) is written
    /// whatever its values are, and what the caller's objects raise is a fault of it; of any other that is raised.
    fn _written(&self, py: Python<'_>, fields: &Bound<'_, PyDict>, world: bool) -> PyResult<(Py<PyBytes>, Option<Py<PyAny>>)> {
        entry(py, || {
            let (call, fault) = self.written(py, fields, world)?;
            let fault = fault.map(|fault| fault.error(py).into_value(py).into_any());
            Ok((PyBytes::new(py, &call).unbind(), fault))
        })
    }

    /// The answer that came as JSON; with the number of the refusal that it can be kept by.
    #[pyo3(signature = (allowed, json, refusal=None, /))]
    fn _came(&self, py: Python<'_>, allowed: bool, json: &[u8], refusal: Option<u64>) -> PyResult<Answer> {
        entry(py, || Ok(self.answer(py, allowed, Words::Json(json.to_vec()), refusal)))
    }

    /// Whether a `can` would be answered from memory now. Where not, it would look at the store, or wait for a fork.
    fn _is_at_hand(&self, py: Python<'_>) -> PyResult<bool> {
        // A closed engine keeps nobody waiting.
        entry(py, || Ok(self.core_of(py).and_then(Core::engine).map_or(true, |engine| is_at_hand(&engine, &self.whose.tenant))))
    }

    /// Who acts: a `Uid` made of what was given.
    #[getter]
    fn principal(&self) -> crate::name::Uid {
        crate::name::Uid { type_name: self.principal.0.clone(), id: self.principal.1.clone() }
    }

    // A raised exception that is kept knows the frames that it came through, and they may know this actor.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.fault.as_ref().map_or(Ok(()), |fault| fault.visit(&visit))
    }
}

// `can` holds the interpreter's lock where it is answered from memory: it takes microseconds, and where other threads are at
// work it takes several times as long to let go of the lock and get it back. Where it looks at the store (every half second), may
// write (the world's own outcome is recorded), or would wait for a fork, it lets go. Of a question that is `known` to be none, only
// what the world decided by itself may stand.
fn decide(
    py: Python<'_>,
    engine: &Engine,
    asked: &Asked<'_>,
    may_write: bool,
    known: Option<Failure>,
) -> Result<Decided, Failure> {
    if let Some(failure) = known {
        py.detach(|| hos_wire::decide_instead(engine, asked, failure))
    } else if may_write || !is_at_hand(engine, asked.tenant) {
        py.detach(|| hos_wire::decide(engine, asked))
    } else {
        hos_wire::decide(engine, asked)
    }
}

fn is_at_hand(engine: &Engine, tenant: &str) -> bool {
    !fork::is_under_way() && hos_wire::is_at_hand(engine, tenant)
}

fn scalar(held: &Held) -> Scalar<'_> {
    match held {
        Held::Bool(value) => Scalar::Bool(*value),
        Held::Long(value) => Scalar::Long(*value),
        Held::Text(value) => Scalar::Text(value),
    }
}
