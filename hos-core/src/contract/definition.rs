//! A contract as data: states, births, events, overrides, deadlines, migrations, promises.
//!
//! Everything here was checked by [`super::parse`]: names are declared, types are known, numbers are bounded. Expressions
//! are kept as text ([`Contract::expressions`]) and named by their place in that list; the law compiles them.

use crate::id::{DottedName, Name};
use crate::shape::{ActionShape, Attribute, EntityShape, Expression, Type};
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
    /// Where the entity type is named.
    pub entity_span: Range<usize>,
    /// The fact that names the person the parts belong to.
    pub data_subject: Option<Name>,
    /// Whether an instance's id names a person: then no record says, even as a hash, which id a thread is of.
    pub personal_ids: bool,
    /// All states in the order of the file.
    pub states: Vec<State>,
    /// Facts by name.
    pub facts: BTreeMap<Name, Attribute>,
    /// Births by name.
    pub begins: BTreeMap<Name, Event>,
    /// Events by name; each has one arrow or more (`[[event.NAME]]`), never two out of one state, all with the same action
    /// and arguments.
    pub events: BTreeMap<Name, Vec<Event>>,
    /// Lawful ways round: events with a mandatory reason, allowed out of the terminal states that they name.
    pub overrides: BTreeMap<Name, Vec<Event>>,
    /// Deadlines in the order of the file.
    pub deadlines: Vec<Deadline>,
    /// Migrations by the version they start from.
    pub migrations: BTreeMap<u32, Migration>,
    /// What it promises of every path through its states, in the order of the file.
    pub promises: Vec<Promise>,
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

/// One arrow of an event, a birth (no `from`) or one arrow of an override.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name.
    pub name: Name,
    /// Where it is declared.
    pub span: Range<usize>,
    /// States it is lawful in, in the order of the contract's states; empty for births. A wildcard is spelled out here.
    pub from: Vec<Name>,
    /// Whether `"*"` was written in `from`.
    pub wildcard: bool,
    /// The action's id within the default namespace; where none is written, `contract.event`.
    pub action: String,
    /// Where the action is named, or the event's header.
    pub action_span: Range<usize>,
    /// Arguments by name.
    pub args: BTreeMap<Name, Attribute>,
    /// Guards, all judged, all failures reported.
    pub require: Vec<Guard>,
    /// At least one; the last has no condition, every other has one.
    pub branches: Vec<Branch>,
    /// Facts that the event changes: fact to argument, of one type.
    pub sets: BTreeMap<Name, Name>,
    /// When the instance already is where this event leads: `noop` gives the first receipt again.
    pub on_same: OnSame,
    /// Messages for the outbox.
    pub effects: Vec<Effect>,
    /// Whether a self-loop starts the state's deadlines anew.
    pub rearm: bool,
    /// Whether a self-loop was declared on purpose: `self_loop = true` or `rearm = true`.
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

/// Where live instances of an older version go: into the next version that has a migration, or into the present one.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The older version.
    pub from_version: u32,
    /// Old state to new state.
    pub states: BTreeMap<Name, Name>,
    /// Where it is declared.
    pub span: Range<usize>,
}

/// What a contract promises of every instance that was born under it. It changes nothing of what is judged: [`super::model`]
/// decides whether it is kept.
#[derive(Debug, Clone)]
pub struct Promise {
    /// Namespaced: `order.paid_first`.
    pub code: String,
    /// What is promised.
    pub rule: PathRule,
    /// Where it is declared.
    pub span: Range<usize>,
}

/// What holds on a path through states. A state is entered by a birth into it, and by a move into it from another state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathRule {
    /// The first is never entered before the second was.
    Before(Name, Name),
    /// The first is never entered, or never again, once the second was.
    After(Name, Name),
    /// No instance enters two of them.
    Apart(Vec<Name>),
}

impl Contract {
    /// The state of this name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|s| s.name.as_str() == name)
    }

    /// The arrow that an event or override of this name has in a state, and whether it is an override's. Where none leaves
    /// the state: the arrow that `on_same = "noop"` answers there, else the first, so that [`super::step::standing`] can
    /// say what is wrong. `None` where there is no such event.
    pub fn event(&self, name: &str, state: &str) -> Option<(&Event, bool)> {
        let (arrows, is_override) = match self.events.get(name) {
            Some(arrows) => (arrows, false),
            None => (self.overrides.get(name)?, true),
        };
        let leaves = |e: &&Event| e.leaves(state);
        let same = |e: &&Event| e.on_same == OnSame::Noop && e.targets().any(|t| t.as_str() == state);
        let arrow = arrows.iter().find(leaves).or_else(|| arrows.iter().find(same)).or_else(|| arrows.first())?;
        Some((arrow, is_override))
    }

    /// Every arrow of every event and override, in order of name, and whether it is an override's.
    pub fn arrows(&self) -> impl Iterator<Item = (&Event, bool)> {
        let plain = self.events.values().flatten().map(|e| (e, false));
        plain.chain(self.overrides.values().flatten().map(|e| (e, true)))
    }

    /// What the contract says of its resource: facts, and `state`.
    pub fn entity_shape(&self) -> EntityShape {
        let state = Attribute { name: "state".into(), ty: Type::String, optional: false, span: self.entity_span.clone() };
        EntityShape {
            file: self.file.clone(),
            type_name: self.entity.clone(),
            span: self.entity_span.clone(),
            attributes: self.facts.values().cloned().chain([state]).collect(),
        }
    }

    /// What the contract says of its actions: one shape for each birth, event and override; several may name one action.
    pub fn action_shapes(&self) -> Vec<ActionShape> {
        let named = self.events.values().chain(self.overrides.values()).filter_map(|arrows| arrows.first());
        self.begins
            .values()
            .chain(named)
            .map(|event| ActionShape {
                file: self.file.clone(),
                action: event.action.clone(),
                span: event.action_span.clone(),
                resource: self.entity.clone(),
                context: event.args.values().cloned().collect(),
            })
            .collect()
    }
}

impl Event {
    /// Whether the arrow leaves this state.
    pub fn leaves(&self, state: &str) -> bool {
        self.from.iter().any(|s| s.as_str() == state)
    }

    /// Where it may lead, in the order of its branches; a state that several branches lead to comes several times.
    pub fn targets(&self) -> impl Iterator<Item = &Name> {
        self.branches.iter().map(|b| &b.to)
    }
}
