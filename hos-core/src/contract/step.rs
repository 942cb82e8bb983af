//! State + event -> the move, or what stands against it. Pure: expressions are judged by the caller's closure.

use super::definition::{Branch, Contract, Due, Effect, Event, ExpressionIndex, Field, OnSame};
use crate::id::{Name, Shown, Uid};
use crate::refusal::{Blocker, Code};
use crate::shape::Attribute;
use crate::time::{TIME_MAX, TIME_MIN, Timestamp};
use crate::value::{Record, Value};
use std::collections::BTreeMap;

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

/// How an arrow stands to a state. [`Contract::event`] picks the arrow. An override may leave a terminal state that its
/// `from` names; nothing else may, but `on_same = "noop"` is answered there too.
pub fn standing(contract: &Contract, event: &Event, is_override: bool, state: &str) -> Standing {
    let terminal = contract.state(state).is_some_and(|s| s.terminal);
    if event.leaves(state) && (is_override || !terminal) {
        Standing::Lawful
    } else if event.on_same == OnSame::Noop && event.targets().any(|t| t.as_str() == state) {
        Standing::Same
    } else if terminal {
        Standing::Terminal
    } else {
        Standing::WrongState
    }
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
/// them as `hos.guard_error` naming the guard's code. A branch whose condition errs refuses as well: which branch would
/// be taken is then in doubt. Branches are judged only where every guard holds.
pub fn outcome<'e>(event: &'e Event, judge: &mut dyn FnMut(ExpressionIndex) -> Truth) -> Result<&'e Branch, Vec<Blocker>> {
    let mut blockers = Vec::new();
    for guard in &event.require {
        match judge(guard.when) {
            Truth::True => {}
            Truth::False => blockers.push(Blocker::guard(guard.code.clone(), "")),
            Truth::Error(why) => {
                blockers.push(Blocker::new(
                    Code::GuardError,
                    format!("the guard `{}` could not be judged: {}", guard.code, Shown(&why)),
                ));
            }
        }
    }
    if !blockers.is_empty() {
        return Err(blockers);
    }
    for branch in &event.branches {
        match branch.when.map_or(Truth::True, &mut *judge) {
            Truth::True => return Ok(branch),
            Truth::False => {}
            Truth::Error(why) => {
                let detail = format!("the branch to `{}` could not be judged: {}", branch.to, Shown(&why));
                return Err(vec![Blocker::new(Code::GuardError, detail)]);
            }
        }
    }
    // The last branch of a parsed contract has no condition, so that this is reached only by a contract made otherwise.
    Err(vec![Blocker::new(Code::GuardError, format!("no branch of `{}` holds", event.name))])
}

/// Checks given arguments (or facts at a birth) against their declaration: missing, unknown and mistyped ones, all at once,
/// as `hos.attribute_*` blockers naming each (`what` is "argument" or "fact").
pub fn check_given(what: &str, declared: &BTreeMap<Name, Attribute>, given: &Record) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    for (name, attribute) in declared {
        match given.get(name.as_str()) {
            Some(value) if attribute.ty.admits(value) => {}
            Some(value) => {
                let detail = format!("the {what} `{name}` must be {}, this is {}", attribute.ty, kind_of(value));
                blockers.push(Blocker::new(Code::AttributeType, detail));
            }
            None if attribute.optional => {}
            None => blockers.push(Blocker::new(Code::AttributeMissing, format!("the {what} `{name}` is missing"))),
        }
    }
    for unknown in given.keys().filter(|key| !declared.contains_key(key.as_str())) {
        let shortened: String = unknown.chars().take(80).collect();
        blockers.push(Blocker::new(Code::AttributeUnknown, format!("no {what} is called `{}`", Shown(&shortened))));
    }
    blockers.sort();
    blockers
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Entity(uid) => uid.type_name().to_owned(),
        other => other.kind().to_owned(),
    }
}

/// The facts after the event's `sets`. An optional argument that is absent leaves its fact as it was.
pub fn facts_after(event: &Event, facts: &Record, args: &Record) -> Record {
    let mut after = facts.clone();
    for (fact, arg) in &event.sets {
        if let Some(value) = args.get(arg.as_str()) {
            after.insert(fact.to_string(), value.clone());
        }
    }
    after
}

/// The messages of a move: the event's own, then the branch's.
pub fn effects<'e>(event: &'e Event, branch: &'e Branch) -> impl Iterator<Item = &'e Effect> {
    event.effects.iter().chain(&branch.effects)
}

/// What a message carries, under the names that the contract wrote (`id`, `facts.buyer`, `args.psp_ref`). `state` is the
/// state and `facts` are the facts after the move. What is optional and absent is left out.
pub fn body(effect: &Effect, id: &str, state: &str, principal: &Uid, facts: &Record, args: &Record) -> Record {
    let field = |field: &Field| match field {
        Field::Id => Some(("id".to_owned(), Value::from(id))),
        Field::State => Some(("state".to_owned(), Value::from(state))),
        Field::Principal => Some(("principal".to_owned(), Value::Entity(principal.clone()))),
        Field::Fact(name) => facts.get(name.as_str()).map(|v| (format!("facts.{name}"), v.clone())),
        Field::Arg(name) => args.get(name.as_str()).map(|v| (format!("args.{name}"), v.clone())),
    };
    effect.body.iter().filter_map(field).collect()
}

/// A deadline that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    /// Its place in [`Contract::deadlines`].
    pub deadline: usize,
    /// The event that fires.
    pub event: Name,
    /// When.
    pub due: Timestamp,
}

/// The deadlines that an entry into a state arms, the earliest first; of those due together, in the order of the file.
/// `at` evaluates an expression over the facts after the move. An instant before the entry is due at once; one outside
/// the time that records may claim is moved to its end. One that cannot be evaluated refuses the move with the code that `at`
/// gives (`hos.guard_error` where the expression errs): an instance whose deadline is in doubt would wait for ever.
pub fn deadlines_on_entry(
    contract: &Contract,
    state: &str,
    entered: Timestamp,
    at: &mut dyn FnMut(ExpressionIndex) -> Result<Timestamp, Blocker>,
) -> Result<Vec<Armed>, Blocker> {
    let mut armed = Vec::new();
    for (index, deadline) in contract.deadlines.iter().enumerate().filter(|(_, d)| d.state.as_str() == state) {
        let due = match &deadline.due {
            Due::After(span) => entered.plus(*span),
            Due::At(expression) => at(*expression).map_err(|Blocker { code, detail }| {
                let (of, why) = (deadline, Shown(&detail));
                let detail = format!("the deadline of `{}` for `{}` could not be judged: {why}", of.state, of.event);
                Blocker { code, detail }
            })?,
        };
        armed.push(Armed { deadline: index, event: deadline.event.clone(), due: due.clamp(TIME_MIN, TIME_MAX) });
    }
    armed.sort_by_key(|a| (a.due, a.deadline));
    Ok(armed)
}

/// Whether a move starts the deadlines of the state it leads to: every move into another state does; a self-loop does
/// where the event says `rearm`. (A fact that an `at` reads may change without either; the caller asks again then.)
pub fn arms(event: &Event, from: &str, to: &str) -> bool {
    from != to || event.rearm
}

/// Where an instance of an older version stands in this contract, migrations applied one after another. A state that a
/// migration does not name stays what it is where this contract has it as a terminal one. `None`: it has no place here.
pub fn migrate<'c>(contract: &'c Contract, from_version: u32, state: &str) -> Option<&'c Name> {
    let stays = |state: &str, terminal: bool| contract.state(state).filter(|s| s.terminal || !terminal).map(|s| &s.name);
    if from_version == contract.version {
        return stays(state, false);
    }
    // The first step must begin at exactly this version; each further one begins where the one before it led.
    contract.migrations.get(&from_version)?;
    let mut place: Option<&Name> = None;
    for (_, migration) in contract.migrations.range(from_version..) {
        let here = place.map_or(state, Name::as_str);
        place = Some(match migration.states.get(here) {
            Some(next) => next,
            None => stays(here, true)?,
        });
    }
    place.and_then(|name| stays(name.as_str(), false))
}

/// The live states of an older contract that have no place in a newer one: while there are instances in one of them, the
/// newer one cannot be activated.
pub fn unplaced<'o>(older: &'o Contract, newer: &Contract) -> Vec<&'o Name> {
    let live = older.states.iter().filter(|s| !s.terminal);
    live.filter(|s| migrate(newer, older.version, s.name.as_str()).is_none()).map(|s| &s.name).collect()
}
