//! A call as JSON, from Python's values.
//!
//! What has no form in JSON is not refused here at once: `null`, which the wire refuses, stands in its place, and what was wrong
//! is kept with its place in the call. So a call that carries the world's own outcome (`legacy`) reaches the engine whatever its
//! values are, and the world's answer stands as it does for a call that came as JSON. So does what the caller's own objects raise
//! while they are read, where the call may carry the world's outcome; where it does not, it goes through at once.

use crate::fault::Fault;
use crate::name::{Ext, Uid};
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::CALL_BYTES_MAX;
use hos_wire::limits::JSON_NESTING_MAX;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};
use std::borrow::Cow;

/// A scalar that is copied out of Python, so that it can be read without the interpreter's lock.
pub(crate) enum Held {
    Bool(bool),
    Long(i64),
    Text(String),
}

/// An entity's type and id.
pub(crate) type Named<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Where writing a field ends. A longer one is no part of a call, and as many as a call has are told whole with what went wrong.
const FIELD_BYTES_MAX: usize = CALL_BYTES_MAX;

/// Beyond so many scalars a context goes as JSON.
const SCALARS_MAX: usize = 32;

pub(crate) struct Writer<'py> {
    py: Python<'py>,
    out: Vec<u8>,
    path: Vec<String>,
    fault: Option<Fault>,
    /// Whether what the caller's objects raise is kept as a fault, and not passed on.
    keeps: bool,
    /// How long what is written may become; nobody's collection makes us write without end.
    limit: usize,
    full: bool,
}

impl<'py> Writer<'py> {
    /// A writer; `fault` is what is known to be wrong already, `keeps` whether what the caller's objects raise is kept as one.
    pub(crate) fn new(py: Python<'py>, fault: Option<Fault>, keeps: bool) -> Self {
        Self { py, out: Vec::new(), path: Vec::new(), fault, keeps, limit: FIELD_BYTES_MAX, full: false }
    }

    /// What was wrong first.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// The fields as one object; empty where there are none.
    pub(crate) fn object(mut self) -> Vec<u8> {
        if !self.out.is_empty() {
            self.out.push(b'}');
        }
        self.out
    }

    fn note(&mut self, code: Code, what: &str) {
        if self.fault.is_none() {
            let place = if self.path.is_empty() { String::new() } else { format!("`{}`: ", self.path.join(".")) };
            self.fault = Some(Failure::new(code, format!("{place}{what}")).into());
        }
    }

    // Only an error is kept: who interrupts the program or ends it is obeyed.
    fn keep(&mut self, raised: PyErr) -> PyResult<()> {
        if !self.keeps || !raised.is_instance_of::<PyException>(self.py) {
            return Err(raised);
        }
        if self.fault.is_none() {
            self.fault = Some(Fault::of(self.py, raised));
        }
        Ok(())
    }

    fn refuse(&mut self, code: Code, what: &str) {
        self.note(code, what);
        self.out.extend_from_slice(b"null");
    }

    /// Whether so much more is beyond what can be a call, so that writing on is in vain.
    fn is_full(&mut self, more: usize) -> bool {
        if self.out.len().saturating_add(more) > self.limit {
            self.full = true;
            self.note(Code::CallTooLarge, &format!("it is too large: a call has at most {CALL_BYTES_MAX} bytes"));
        }
        self.full
    }

    /// A word of the call by itself; the empty text where it is none.
    pub(crate) fn word<'a>(&mut self, what: &str, value: &'a Bound<'py, PyAny>) -> Cow<'a, str> {
        match value.cast::<PyString>() {
            Ok(text) => text.to_cow().unwrap_or_else(|_| {
                self.note(Code::CallMalformed, &format!("`{what}` is not UTF-8: it holds a lone surrogate"));
                Cow::Borrowed("")
            }),
            Err(_) => {
                self.note(Code::CallMalformed, &format!("`{what}` is a str, not {}", kind(value)));
                Cow::Borrowed("")
            }
        }
    }

    /// Who acts, or on what: as [`Self::name`]; empty where it could not be said.
    pub(crate) fn who<'a>(&mut self, what: &str, value: &'a Bound<'py, PyAny>) -> PyResult<Named<'a>> {
        match self.name(what, value) {
            Err(raised) => self.keep(raised).map(|()| (Cow::Borrowed(""), Cow::Borrowed(""))),
            named => named,
        }
    }

    /// An entity's identity: a `Uid`, a text in Cedar's form, or an object that says its own.
    fn name<'a>(&mut self, what: &str, value: &'a Bound<'py, PyAny>) -> PyResult<Named<'a>> {
        if let Some(named) = self.plain_name(what, value) {
            return Ok(named);
        }
        if let Some(own) = value.getattr_opt("__hos_uid__")? {
            let own = if own.is_callable() { own.call0()? } else { own };
            if let Some((type_name, id)) = self.plain_name(what, &own) {
                return Ok((Cow::Owned(type_name.into_owned()), Cow::Owned(id.into_owned())));
            }
            self.note(Code::CallMalformed, &format!("`{what}`: its `__hos_uid__` is a Uid or a str, not {}", kind(&own)));
        } else {
            let wanted = "a Uid, a text like Type::\"id\", or an object with `__hos_uid__`";
            self.note(Code::CallMalformed, &format!("`{what}` is {wanted}, not {}", kind(value)));
        }
        Ok((Cow::Borrowed(""), Cow::Borrowed("")))
    }

    fn plain_name<'a>(&mut self, what: &str, value: &'a Bound<'py, PyAny>) -> Option<Named<'a>> {
        if let Ok(uid) = value.cast::<Uid>() {
            let uid = uid.get();
            return Some((Cow::Borrowed(&uid.type_name), Cow::Borrowed(&uid.id)));
        }
        let text = self.word(what, value.cast::<PyString>().ok()?.as_any()).into_owned();
        Some(match Uid::read(&text) {
            Ok(uid) => (Cow::Owned(uid.type_name), Cow::Owned(uid.id)),
            Err(failure) => {
                self.note(failure.code, &format!("`{what}`: {}", failure.message));
                (Cow::Owned(text), Cow::Borrowed(""))
            }
        })
    }

    /// A context of a few scalars, copied out; `None` where it is anything else.
    pub(crate) fn scalars(context: &Bound<'py, PyAny>) -> Option<Vec<(String, Held)>> {
        let dict = context.cast::<PyDict>().ok()?;
        if dict.len() > SCALARS_MAX {
            return None;
        }
        let mut out = Vec::with_capacity(dict.len());
        for (key, value) in dict.iter() {
            let key = key.cast::<PyString>().ok()?.to_cow().ok()?.into_owned();
            let held = if let Ok(flag) = value.cast::<PyBool>() {
                Held::Bool(flag.is_true())
            } else if let Ok(number) = value.cast::<PyInt>() {
                Held::Long(number.extract().ok()?)
            } else {
                Held::Text(value.cast::<PyString>().ok()?.to_cow().ok()?.into_owned())
            };
            out.push((key, held));
        }
        Some(out)
    }

    /// A field of the call with a text.
    pub(crate) fn text_field(&mut self, name: &str, text: &str) {
        self.key(name);
        self.text(text);
    }

    /// A field of the call with what the wire refuses.
    pub(crate) fn null_field(&mut self, name: &str) {
        self.key(name);
        self.out.extend_from_slice(b"null");
    }

    /// A field of the call with an entity's identity.
    pub(crate) fn uid_field(&mut self, name: &str, uid: (&str, &str)) {
        self.key(name);
        self.uid(uid.0, uid.1);
    }

    /// A field of the call. What form it has is known by its name.
    pub(crate) fn field(&mut self, name: &str, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let bytes = (name == "payload").then(|| value.cast::<PyBytes>().ok()).flatten();
        self.key(if bytes.is_some() { "payload_hex" } else { name });
        // Each field has its own room: one that is too large takes nothing from the world's own outcome behind it.
        (self.limit, self.full) = (self.out.len() + FIELD_BYTES_MAX, false);
        self.path.push(name.to_owned());
        let written = match (name, bytes) {
            (_, Some(bytes)) => {
                self.hex(bytes.as_bytes());
                Ok(())
            }
            // An outcome that cannot be read is none: nothing may stand in its place.
            ("legacy", _) => self.legacy(value),
            _ => self.spared(|writer| match name {
                "action" => {
                    writer.action(value);
                    Ok(())
                }
                "subject" | "resource" => writer.named(name, value),
                "given" => writer.given(value),
                "change" => writer.change(value),
                "evaluations" => writer.evaluations(value),
                "calls" => writer.calls(value),
                _ => writer.value(value, 1),
            }),
        };
        self.path.pop();
        written
    }

    /// Writes what the caller's objects may raise in; what they raise is kept, and leaves what the wire refuses.
    fn spared(&mut self, write: impl FnOnce(&mut Self) -> PyResult<()>) -> PyResult<()> {
        let (before, depth) = (self.out.len(), self.path.len());
        if let Err(raised) = write(self) {
            self.keep(raised)?;
            // What was written of it was half of it.
            self.out.truncate(before);
            self.out.extend_from_slice(b"null");
            self.path.truncate(depth);
        }
        Ok(())
    }

    /// What is asked about. In place of what is no action stands one that no law knows: the world's own outcome is told by it.
    fn action(&mut self, value: &Bound<'py, PyAny>) {
        let action = self.word("action", value);
        let is_full = self.is_full(written_len(&action));
        self.quoted(if is_full { "" } else { &action });
    }

    fn key(&mut self, name: &str) {
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
        self.quoted(name);
        self.out.push(b':');
    }

    fn named(&mut self, what: &str, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let (type_name, id) = self.name(what, value)?;
        self.uid(&type_name, &id);
        Ok(())
    }

    fn uid(&mut self, type_name: &str, id: &str) {
        self.pair("type", type_name, "id", id);
    }

    fn pair(&mut self, first: &str, one: &str, second: &str, other: &str) {
        self.out.push(b'{');
        self.quoted(first);
        self.out.push(b':');
        self.text(one);
        self.out.push(b',');
        self.quoted(second);
        self.out.push(b':');
        self.text(other);
        self.out.push(b'}');
    }

    fn text(&mut self, text: &str) {
        if self.is_full(written_len(text)) {
            return self.out.extend_from_slice(b"null");
        }
        self.quoted(text);
    }

    fn quoted(&mut self, text: &str) {
        self.out.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                0..0x20 => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                other => self.out.push(other),
            }
        }
        self.out.push(b'"');
    }

    fn hex(&mut self, bytes: &[u8]) {
        if self.is_full(bytes.len().saturating_mul(2)) {
            return self.out.extend_from_slice(b"null");
        }
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.out.push(b'"');
        for byte in bytes {
            self.out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        self.out.push(b'"');
    }

    fn value(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<()> {
        if depth > JSON_NESTING_MAX {
            self.refuse(Code::CallTooLarge, "it nests too deep, or holds itself");
        } else if self.is_full(0) {
            self.out.extend_from_slice(b"null");
        } else if let Ok(flag) = value.cast::<PyBool>() {
            self.out.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
        } else if let Ok(number) = value.cast::<PyInt>() {
            match number.extract::<i64>() {
                Ok(number) => self.out.extend_from_slice(number.to_string().as_bytes()),
                Err(_) => self.refuse(Code::ValueInvalid, "an integer beyond 64 bits"),
            }
        } else if let Ok(text) = value.cast::<PyString>() {
            match text.to_cow() {
                Ok(text) => self.text(&text),
                Err(_) => self.refuse(Code::CallMalformed, "a text that is not UTF-8: it holds a lone surrogate"),
            }
        } else if let Ok(dict) = value.cast::<PyDict>() {
            self.record(dict, depth)?;
        } else if is_collection(value) {
            self.list(value, |writer, item| writer.value(item, depth + 1))?;
        } else if value.is_none() {
            self.refuse(Code::ValueInvalid, "None is no value; leave it out");
        } else if value.cast::<PyFloat>().is_ok() {
            self.refuse(Code::ValueInvalid, "a float is no value; a decimal.Decimal or an int is");
        } else {
            self.other(value, depth)?;
        }
        Ok(())
    }

    fn other(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<()> {
        if let Ok(uid) = value.cast::<Uid>() {
            self.out.extend_from_slice(b"{\"__entity\":");
            self.uid(&uid.get().type_name, &uid.get().id);
            self.out.push(b'}');
        } else if let Ok(ext) = value.cast::<Ext>() {
            self.out.extend_from_slice(b"{\"__extn\":");
            self.pair("fn", &ext.get().function, "arg", &ext.get().text);
            self.out.push(b'}');
        } else {
            // Python's own decimals, times and addresses, and objects that are entities.
            let module = self.py.import("hos._values")?;
            let read = module.call_method1("read", (value,))?;
            match read.cast::<PyString>() {
                Ok(why) => self.refuse(Code::ValueInvalid, &why.to_string_lossy()),
                Err(_) if read.cast::<Uid>().is_ok() || read.cast::<Ext>().is_ok() => self.other(&read, depth)?,
                Err(_) => match read.cast::<PyDict>() {
                    Ok(dict) => self.record(dict, depth)?,
                    Err(_) => self.refuse(Code::ValueInvalid, &format!("{} is no value", kind(value))),
                },
            }
        }
        Ok(())
    }

    fn record(&mut self, dict: &Bound<'py, PyDict>, depth: usize) -> PyResult<()> {
        self.members(dict, |writer, key, value| {
            if matches!(key, "__entity" | "__extn") {
                // A map that came from outside must not turn into somebody else's identity.
                writer.refuse(Code::CallMalformed, "a key of a record does not begin so; an entity is a Uid, the others an Ext");
                return Ok(());
            }
            writer.value(value, depth + 1)
        })
    }

    fn members(
        &mut self,
        dict: &Bound<'py, PyDict>,
        write: impl FnMut(&mut Self, &str, &Bound<'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<()> {
        // A copy: what is called on the way may change the map.
        self.pairs(dict.items(), write)
    }

    fn pairs(
        &mut self,
        items: impl IntoIterator<Item = Bound<'py, PyAny>>,
        mut write: impl FnMut(&mut Self, &str, &Bound<'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<()> {
        self.out.push(b'{');
        let mut first = true;
        for item in items {
            let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item.extract()?;
            if !std::mem::take(&mut first) {
                self.out.push(b',');
            }
            let name = key.cast::<PyString>().ok().and_then(|key| key.to_cow().ok());
            let Some(name) = name.filter(|name| !self.is_full(written_len(name))) else {
                let code = if key.cast::<PyString>().is_ok() { Code::CallMalformed } else { Code::ValueInvalid };
                self.note(code, &format!("a key of a record is a str in UTF-8, not {}", kind(&key)));
                self.out.extend_from_slice(b"\"\":null");
                break;
            };
            self.quoted(&name);
            self.out.push(b':');
            self.path.push(name.chars().take(80).collect());
            write(self, &name, &value)?;
            self.path.pop();
            if self.full {
                break;
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn list(
        &mut self,
        items: &Bound<'py, PyAny>,
        mut write: impl FnMut(&mut Self, &Bound<'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<()> {
        self.out.push(b'[');
        for (place, item) in items.try_iter()?.enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            write(self, &item?)?;
            if self.full {
                break;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// The world's own outcome: a map, or its yes or no alone. Of a map the yes or no goes first: what is wrong with the rest of it
    /// takes nothing from it.
    fn legacy(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if let Ok(allowed) = value.cast::<PyBool>() {
            let outcome: &[u8] = if allowed.is_true() { b"{\"allowed\":true}" } else { b"{\"allowed\":false}" };
            self.out.extend_from_slice(outcome);
            return Ok(());
        }
        let Ok(map) = value.cast::<PyDict>() else { return self.value(value, 1) };
        let is_said = |item: &Bound<'py, PyAny>| {
            item.get_item(0).is_ok_and(|key| key.cast::<PyString>().is_ok_and(|key| *key == *"allowed"))
        };
        let (mut items, rest): (Vec<_>, Vec<_>) = map.items().iter().partition(is_said);
        items.extend(rest);
        self.pairs(items, |writer, _, value| writer.spared(|writer| writer.value(value, 2)))
    }

    /// Entities that come with a call: maps, or objects with `uid`, `attrs` and `parents`.
    fn given(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if !is_several(value)? {
            return self.value(value, 1);
        }
        self.list(value, |writer, item| {
            let Some(fields) = named_members(item, &["uid", "attrs", "parents"])? else { return writer.value(item, 2) };
            writer.members(&fields, |writer, key, value| match key {
                "uid" => writer.named(key, value),
                "parents" if is_several(value)? => writer.list(value, |writer, parent| writer.named("parents", parent)),
                _ => writer.value(value, 3),
            })
        })
    }

    /// Questions that are asked at once: maps, or objects with `action`, `resource`, `context` and `given`.
    fn evaluations(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if !is_collection(value) {
            return self.value(value, 1);
        }
        self.list(value, |writer, item| {
            let Some(fields) = named_members(item, &["action", "resource", "context", "given"])? else {
                return writer.value(item, 2);
            };
            writer.members(&fields, |writer, key, value| match key {
                "resource" => writer.named(key, value),
                "given" => writer.given(value),
                _ => writer.value(value, 3),
            })
        })
    }

    /// Calls that are made as one: maps of their fields, with the operation's name among them.
    fn calls(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if !is_collection(value) {
            return self.value(value, 1);
        }
        self.list(value, |writer, item| {
            let Ok(fields) = item.cast::<PyDict>() else { return writer.value(item, 2) };
            let fields = fields.copy()?;
            // As in `field`: bytes have a field of their own.
            let payload = fields.get_item("payload")?.filter(|payload| payload.cast::<PyBytes>().is_ok());
            if let Some(bytes) = payload {
                fields.del_item("payload")?;
                fields.set_item("payload_hex", bytes)?;
            }
            writer.members(&fields, |writer, key, value| match (key, value.cast::<PyBytes>()) {
                ("payload_hex", Ok(bytes)) => {
                    writer.hex(bytes.as_bytes());
                    Ok(())
                }
                ("subject", _) => writer.named(key, value),
                ("given", _) => writer.given(value),
                _ => writer.value(value, 3),
            })
        })
    }

    /// A directory change: a map with one key that says what is done.
    fn change(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let Ok(kinds) = value.cast::<PyDict>() else { return self.value(value, 1) };
        self.members(kinds, |writer, _, value| {
            let Ok(words) = value.cast::<PyDict>() else { return writer.value(value, 2) };
            writer.members(words, |writer, key, value| match key {
                "uid" | "parent" | "principal" | "resource" => writer.named(key, value),
                _ => writer.value(value, 3),
            })
        })
    }
}

/// What a map holds, or an object of these attributes, of which it has the first; one that is `None` is absent. Nothing of anything
/// else.
fn named_members<'py>(item: &Bound<'py, PyAny>, names: &[&str]) -> PyResult<Option<Bound<'py, PyDict>>> {
    if let Ok(dict) = item.cast::<PyDict>() {
        return Ok(Some(dict.clone()));
    }
    match names.first() {
        Some(first) if item.hasattr(*first)? => {}
        _ => return Ok(None),
    }
    let members = PyDict::new(item.py());
    for name in names {
        let said = item.getattr(*name)?;
        if !said.is_none() {
            members.set_item(name, said)?;
        }
    }
    Ok(Some(members))
}

/// How long a text is as it is written.
fn written_len(text: &str) -> usize {
    text.bytes().map(|byte| if byte < 0x20 { 6 } else { 1 + usize::from(matches!(byte, b'"' | b'\\')) }).sum()
}

fn is_collection(value: &Bound<'_, PyAny>) -> bool {
    value.cast::<PyList>().is_ok()
        || value.cast::<PyTuple>().is_ok()
        || value.cast::<PySet>().is_ok()
        || value.cast::<PyFrozenSet>().is_ok()
}

/// Whether it gives several of something, one after the other, as a generator does. A map and a text are one thing by themselves.
fn is_several(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.cast::<PyDict>().is_ok() || value.cast::<PyString>().is_ok() || value.cast::<PyBytes>().is_ok() {
        return Ok(false);
    }
    // Of its type, as Python looks for it; to begin with it would be to begin twice.
    Ok(is_collection(value) || value.get_type().hasattr("__iter__")?)
}

fn kind(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "what it is".to_owned(), |name| format!("`{}`", name.to_string_lossy()))
}
