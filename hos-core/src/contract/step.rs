//! State + event -> the move, or what stands against it. Pure: expressions are judged by the caller's closure.

use super::definition::{Branch, Contract, Event, ExpressionIndex};
use crate::refusal::Blocker;
use crate::value::Record;

/// How an event stands to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is lawful here; guards decide.
    Lawful,
    /// The instance already is where the event leads, and the event says `on_same = "noop"`.
    Same,
    /// The state is terminal.
    Terminal,
    /// It is not lawful in this state.
    WrongState,
}

/// How an event stands to a state. An override may leave a terminal state that its `from` names.
pub fn standing(_contract: &Contract, _event: &Event, _is_override: bool, _state: &str) -> Standing {
    todo!()
}

/// What an expression came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It could not be evaluated; the text says why.
    Error(String),
}

/// Judges all guards and picks the branch: the first whose condition holds. All blockers are reported, an error among
/// them as `hos.guard_error` naming the guard's code.
pub fn outcome<'e>(_event: &'e Event, _judge: &mut dyn FnMut(ExpressionIndex) -> Truth) -> Result<&'e Branch, Vec<Blocker>> {
    todo!()
}

/// Checks given arguments (or facts at a birth) against their declaration: missing, unknown and mistyped ones, all at once,
/// as `hos.attribute_*` blockers naming each (`what` is "argument" or "fact").
pub fn check_given(
    _what: &str,
    _declared: &std::collections::BTreeMap<crate::id::Name, crate::shape::Attribute>,
    _given: &Record,
) -> Vec<Blocker> {
    todo!()
}

/// The facts after the event's `sets`.
pub fn facts_after(_event: &Event, _facts: &Record, _args: &Record) -> Record {
    todo!()
}

/// A deadline that is armed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    /// place
    pub deadline: usize,
    /// event
    pub event: crate::id::Name,
    /// due
    pub due: crate::time::Timestamp,
}
/// x
pub fn deadlines_on_entry(
    _c: &Contract,
    _state: &str,
    _entered: crate::time::Timestamp,
    _at: &mut dyn FnMut(ExpressionIndex) -> Result<crate::time::Timestamp, String>,
) -> Result<Vec<Armed>, Blocker> {
    todo!()
}
/// x
pub fn effects<'e>(_e: &'e Event, _b: &'e Branch) -> Vec<&'e super::definition::Effect> {
    todo!()
}
/// x
pub fn body(_e: &super::definition::Effect, _id: &crate::id::InstanceId, _state: &str, _p: &crate::id::Uid, _f: &Record, _a: &Record) -> Record {
    todo!()
}
/// x
pub fn migrate<'c>(_c: &'c Contract, _from: u32, _state: &str) -> Option<&'c crate::id::Name> {
    todo!()
}
