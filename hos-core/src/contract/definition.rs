//! A contract as data: states, births, events, overrides, deadlines, migrations.
//!
//! Everything here was checked by [`super::parse`]: names are declared, types are known, numbers are bounded. Expressions
//! are kept as text ([`Contract::expressions`]) and named by their place in that list; the law compiles them.

use crate::id::{DottedName, Name};
use crate::shape::{Attribute, Expression};
use crate::time::Span;
use std::collections::BTreeMap;
use std::ops::Range;

/// A checked contract.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Its name, unique in the law.
    pub name: Name,
    /// Its version; an instance keeps the version it was born under or migrated to.
    pub version: u32,
    /// The file's path inside the law.
    pub file: String,
    /// The resource's entity type, fully qualified.
    pub entity: String,
    /// The fact that names the person the parts belong to.
    pub data_subject: Option<Name>,
    /// All states in the order of the file.
    pub states: Vec<State>,
    /// Facts by name.
    pub facts: BTreeMap<Name, Attribute>,
    /// Births by name.
    pub begins: BTreeMap<Name, Event>,
    /// Events by name.
    pub events: BTreeMap<Name, Event>,
    /// Lawful ways round: events with a mandatory reason, allowed out of terminal states as well.
    pub overrides: BTreeMap<Name, Event>,
    /// Deadlines in the order of the file.
    pub deadlines: Vec<Deadline>,
    /// Migrations by the version they start from.
    pub migrations: BTreeMap<u32, Migration>,
    /// All expressions, in order; [`Guard::when`] and others are indices into it.
    pub expressions: Vec<Expression>,
}

/// A state.
#[derive(Debug, Clone)]
pub struct State {
    /// Its name.
    pub name: Name,
    /// Whether nothing may follow but an override.
    pub terminal: bool,
    /// Whether it may last without a deadline (`forever = [..]`), said on purpose.
    pub forever: bool,
    /// Where it is declared.
    pub span: Range<usize>,
}

/// An index into [`Contract::expressions`].
pub type ExpressionIndex = usize;

/// An event, a birth (no `from`) or an override.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub span: Range<usize>,
    /// States it is lawful in; empty for births.
    pub from: Vec<Name>,
    /// Whether `from = ["*"]` was written.
    pub wildcard: bool,
    /// The action's id within the default namespace.
    pub action: String,
    /// Arguments by name.
    pub args: BTreeMap<Name, Attribute>,
    /// Guards, all judged, all failures reported.
    pub require: Vec<Guard>,
    /// At least one; the last has no condition.
    pub branches: Vec<Branch>,
    /// Facts that the event changes: fact to argument.
    pub sets: BTreeMap<Name, Name>,
    /// When the instance already is where this event leads: `noop` gives the first receipt again.
    pub on_same: OnSame,
    /// Messages for the outbox.
    pub effects: Vec<Effect>,
    /// Whether a self-loop starts the state's deadlines anew.
    pub rearm: bool,
    /// Whether a self-loop was declared on purpose (`to` among `from` with `self_loop = true`, or `rearm` given).
    pub self_loop: bool,
    /// Events that answer this one's effects (for the check that replies are handled).
    pub replies: Vec<Name>,
}

/// A condition with the code of its refusal.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Namespaced: `order.amount_short`.
    pub code: String,
    /// The condition.
    pub when: ExpressionIndex,
}

/// One outcome of an event.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Where it leads.
    pub to: Name,
    /// When; `None` always.
    pub when: Option<ExpressionIndex>,
    /// Messages besides the event's own.
    pub effects: Vec<Effect>,
}

/// What an event does where it would change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSame {
    /// It is refused as unlawful in this state.
    Refuse,
    /// It is answered with the first receipt.
    Noop,
}

/// A message for the outbox.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Its kind, such as `mail.order_paid`.
    pub kind: DottedName,
    /// What the message carries, in order.
    pub body: Vec<Field>,
}

/// A value that a message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The instance's id.
    Id,
    /// The state after the move.
    State,
    /// The principal.
    Principal,
    /// A fact.
    Fact(Name),
    /// An argument.
    Arg(Name),
}

/// When an instance that waits in a state is moved on.
#[derive(Debug, Clone)]
pub struct Deadline {
    /// The state it waits in.
    pub state: Name,
    /// How long, or until when.
    pub due: Due,
    /// The event that then fires.
    pub event: Name,
    /// Where it is declared.
    pub span: Range<usize>,
}

/// When a deadline is due.
#[derive(Debug, Clone)]
pub enum Due {
    /// So long after the entry into the state.
    After(Span),
    /// At the instant that an expression over `resource` comes to; a changed fact arms it anew.
    At(ExpressionIndex),
}

/// Where live instances of an older version go.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The older version.
    pub from_version: u32,
    /// Old state to new state; total over the old version's live states.
    pub states: BTreeMap<Name, Name>,
    /// Where it is declared.
    pub span: Range<usize>,
}

impl Contract {
    /// The state of this name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|s| s.name.as_str() == name)
    }

    /// The event or override of this name, and whether it is an override.
    pub fn event(&self, name: &str, _state: &str) -> Option<(&Event, bool)> {
        self.events.get(name).map(|e| (e, false)).or_else(|| self.overrides.get(name).map(|e| (e, true)))
    }
}
