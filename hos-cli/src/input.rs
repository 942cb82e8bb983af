//! What is given on the command line, in files or on standard input, made into values.

use crate::typed;
use crate::usage::usage;
use hos_core::contract::definition::{Contract, Event};
use hos_core::id::{Name, Shown};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::shape::Attribute;
use hos_core::value::Record;
use hos_engine::Failure;
use hos_wire::CALL_BYTES_MAX;
use hos_wire::strict::{self, Tree};
use hos_wire::value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// How much of a call is read: one beyond its bounds still says what the world decided, which may be the answer.
const READ_BYTES: usize = 32 * CALL_BYTES_MAX;

/// Reads JSON given as such, as `@FILE` or as `-` (standard input); never more than a call may hold.
pub(crate) fn json(what: &str, source: &str) -> Result<Tree, Failure> {
    let bytes = match source.strip_prefix('@') {
        Some(path) => file(path)?,
        None if source == "-" => bounded(std::io::stdin().lock(), "standard input", CALL_BYTES_MAX)?,
        None => source.as_bytes().to_vec(),
    };
    strict::parse(&bytes, CALL_BYTES_MAX).map_err(|f| Failure { message: format!("{what}: {}", f.message), ..f })
}

/// A file's bytes (`-`: standard input); never more than a call may hold.
pub(crate) fn file(path: &str) -> Result<Vec<u8>, Failure> {
    read(path, CALL_BYTES_MAX)
}

/// A call's bytes, as [`file()`] reads them: one that is too large is refused by who serves it.
pub(crate) fn call(path: &str) -> Result<Vec<u8>, Failure> {
    read(path, READ_BYTES)
}

fn read(path: &str, most: usize) -> Result<Vec<u8>, Failure> {
    if path == "-" {
        return bounded(std::io::stdin().lock(), "standard input", most);
    }
    let shown = Shown(path).to_string();
    let file = std::fs::File::open(path).map_err(|e| usage(format!("`{shown}` cannot be read: {e}")))?;
    bounded(file, &shown, most)
}

fn bounded(source: impl Read, name: &str, most: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = source.take(most as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|e| usage(format!("`{name}` cannot be read: {e}")))?;
    within(bytes, name, most)
}

fn within(bytes: Vec<u8>, name: &str, most: usize) -> Result<Vec<u8>, Failure> {
    if bytes.len() > most {
        return Err(Failure::new(Code::CallTooLarge, format!("`{name}` holds more than {most} bytes")));
    }
    Ok(bytes)
}

/// The text of a file that may not be longer than so many bytes; `unreadable` says that it cannot be read, in the language asked for.
pub(crate) fn text(path: &Path, most: usize, unreadable: &str) -> Result<String, Failure> {
    let name = Shown(&path.to_string_lossy()).to_string();
    let failed = |why: &dyn std::fmt::Display| usage(format!("`{name}` {unreadable}: {why}"));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    String::from_utf8(within(bytes, &name, most)?).map_err(|_| failed(&"it is no UTF-8"))
}

/// A record given as JSON.
pub(crate) fn record(what: &'static str, source: &str) -> Result<Record, Failure> {
    value::record(what, json(what, source)?)
}

/// Entities given as a JSON array, or one as an object.
pub(crate) fn entities(source: &str) -> Result<Vec<Entity>, Failure> {
    match json("--given", source)? {
        Tree::List(items) => items.into_iter().map(value::entity).collect(),
        one => Ok(vec![value::entity(one)?]),
    }
}

/// `name=value` pairs and a JSON object, put together; they are given by the options `what` (`--arg`, and `--args` for the object). What
/// is declared is read as its type, the rest by its looks; the engine says what is missing, unknown or of another type.
pub(crate) fn values(
    [what, of_object]: [&'static str; 2],
    pairs: &[String],
    object: Option<&String>,
    declared: Option<&BTreeMap<Name, Attribute>>,
    law: &Law,
) -> Result<Record, Failure> {
    let mut out = object.map_or(Ok(Record::new()), |source| record(of_object, source))?;
    for pair in pairs {
        let Some((name, text)) = pair.split_once('=') else {
            return Err(usage(format!("{what} `{}`: write NAME=VALUE", Shown(pair))));
        };
        if name.is_empty() {
            return Err(usage(format!("{what} `{}` lacks a name", Shown(pair))));
        }
        let value = match declared.and_then(|d| d.get(name)) {
            Some(attribute) => typed::read(name, &attribute.ty, text, law)?,
            None => typed::guess(text, law)?,
        };
        if out.insert(name.to_owned(), value).is_some() {
            return Err(usage(format!("{what} `{}` is given twice", Shown(name))));
        }
    }
    Ok(out)
}

/// The contract of this name in the active law.
pub(crate) fn contract<'l>(law: &'l Law, name: &str) -> Option<&'l Contract> {
    law.contracts.get(name).map(|of| &of.contract)
}

/// A birth of the contract.
pub(crate) fn birth<'l>(law: &'l Law, contract: &str, name: &str) -> Option<&'l Event> {
    self::contract(law, contract)?.begins.get(name)
}

/// The arguments of an event or override; all arrows of one name have the same.
pub(crate) fn event_args<'l>(law: &'l Law, contract: &str, name: &str) -> Option<&'l BTreeMap<Name, Attribute>> {
    let contract = self::contract(law, contract)?;
    let arrows = contract.events.get(name).or_else(|| contract.overrides.get(name))?;
    arrows.first().map(|e| &e.args)
}

/// Reads a file that may not be longer than so many bytes, and not more of it than one more.
pub(crate) fn bounded_file(path: &Path, max: usize) -> Result<Vec<u8>, Failure> {
    let name = || Shown(&path.to_string_lossy()).to_string();
    let failed = |e: std::io::Error| Failure::new(Code::StoreUnavailable, format!("`{}` cannot be read: {e}", name()));
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
