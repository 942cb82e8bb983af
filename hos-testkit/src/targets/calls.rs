//! JSON, and the calls in it.

use hos_core::id::Shown;
use hos_core::judge::call_digest;
use hos_wire::call::{self, Ask};
use hos_wire::joined::call_that_came;
use hos_wire::strict::{self, Tree};
use hos_wire::value;

/// The longest input that is read.
const BYTES_MAX: usize = 1 << 16;

/// What no message may hold, for somebody's terminal shows it.
fn steers(message: &str) -> bool {
    message.chars().any(|c| c == '\u{1b}' || c == '\0')
}

/// JSON that two parsers could read differently is refused; what is left says the same to the other parser, and goes out and
/// comes back.
pub(super) fn json(data: &[u8]) {
    let tree = match strict::parse(data, BYTES_MAX) {
        Ok(tree) => tree,
        Err(failure) => {
            assert!(!steers(&failure.message), "a message steers a terminal: {:?}", failure.message);
            return;
        }
    };
    let other: serde_json::Value = serde_json::from_slice(data).unwrap_or_else(|e| panic!("JSON for us alone: {e}"));
    assert_eq!(read_again(&other), Some(tree.clone()), "two parsers read it differently");
    let written = serde_json::to_vec(&other).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(strict::parse(&written, BYTES_MAX * 8), Ok(tree.clone()), "it does not survive its own text");
    if let Ok(value) = value::value(tree.clone()) {
        let again = serde_json::to_vec(&value::value_json(&value)).unwrap_or_else(|e| panic!("{e}"));
        let again = strict::parse(&again, BYTES_MAX * 8).and_then(value::value);
        assert_eq!(again, Ok(value), "a value does not survive its own JSON");
    }
    if let Ok(entity) = value::entity(tree) {
        let again = serde_json::to_vec(&value::entity_json(&entity)).unwrap_or_else(|e| panic!("{e}"));
        let again = strict::parse(&again, BYTES_MAX * 8).and_then(value::entity);
        assert_eq!(again, Ok(entity), "an entity does not survive its own JSON");
    }
}

/// What another parser read, as a tree; none where it read what a tree cannot hold.
fn read_again(json: &serde_json::Value) -> Option<Tree> {
    Some(match json {
        serde_json::Value::Bool(v) => Tree::Bool(*v),
        serde_json::Value::Number(n) => Tree::Long(n.as_i64()?),
        serde_json::Value::String(text) => Tree::Text(text.clone()),
        serde_json::Value::Array(items) => Tree::List(items.iter().map(read_again).collect::<Option<_>>()?),
        serde_json::Value::Object(fields) => {
            Tree::Object(fields.iter().map(|(k, v)| Some((k.clone(), read_again(v)?))).collect::<Option<_>>()?)
        }
        serde_json::Value::Null => return None,
    })
}

/// An operation and its JSON: the first line, and the rest.
pub(super) fn apart(data: &[u8]) -> Option<(&str, &[u8])> {
    let cut = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (operation, rest) = data.split_at_checked(cut)?;
    Some((std::str::from_utf8(operation).ok()?, rest.get(1..).unwrap_or_default()))
}

/// Calls as JSON.
pub(super) fn call(data: &[u8]) {
    let Some((operation, json)) = apart(data) else { return };
    let request = match call::parse(operation, json, BYTES_MAX) {
        Ok(request) => request,
        Err(failure) => {
            assert!(!steers(&failure.message), "a message steers a terminal: {:?}", failure.message);
            return;
        }
    };
    let Ask::Call(call) = request.ask else { return };
    assert!(call_that_came(data).is_ok_and(|again| again == call), "one call is read in two ways");
    // What waits in an inbox is written anew, and is the same call.
    if let Ok(bytes) = hos_wire::call_bytes(&request.tenant, &call) {
        let again = call_that_came(&bytes).unwrap_or_else(|f| panic!("a call does not survive its own bytes: {}", f.message));
        assert_eq!(call_digest(&again), call_digest(&call), "{}", Shown(&String::from_utf8_lossy(&bytes)));
    }
}
