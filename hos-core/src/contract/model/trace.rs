//! What was found, and the path that shows it.

use super::search::{Bound, Limits};
use crate::contract::definition::PathRule;
use crate::fault::Severity;
use crate::id::{DottedName, Name};
use std::ops::Range;

/// What a step of a trace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A birth.
    Born,
    /// An instance of this older version was migrated.
    Migrated(u32),
    /// An event moved it.
    Moved,
    /// An override did.
    Overridden,
    /// A deadline's event did.
    Fired,
    /// A deadline's event was refused: it runs no more.
    Disarmed,
    /// A call was answered with the first receipt: what it asks for is done already.
    Same,
    /// The same call again, under the same once-key.
    Repeated,
    /// A call was refused.
    Refused,
}

/// One step of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub happened: Happened,
    /// By which birth, event or override; none for a migration.
    pub event: Option<Name>,
    /// Where from; none at the first step.
    pub from: Option<Name>,
    /// Where to.
    pub to: Name,
    /// What must hold, or fail, for it: guards first, then the branch's condition, as the contract says them.
    pub given: Vec<String>,
    /// The messages that it sends.
    pub effects: Vec<DottedName>,
    /// Whether it depends on a guard or a condition whose truth is not known.
    pub possible: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// No end can be come to from this state.
    Trap {
        /// The state.
        state: Name,
    },
    /// One move sends one message twice.
    EffectTwice {
        /// Whose move.
        event: Name,
        /// The message.
        effect: DottedName,
    },
    /// A call that moved nothing moves the instance when it comes again under its once-key.
    Replay {
        /// The call's event.
        event: Name,
    },
    /// Two events that tell the same news end in different states.
    Diverges {
        /// One of them.
        one: Name,
        /// The other.
        other: Name,
        /// Where it ends when the first of them comes first.
        ends: Name,
        /// And where it can end the other way round.
        otherwise: Vec<Name>,
    },
    /// A promise is not kept.
    Promise {
        /// Its code.
        code: String,
        /// What it says.
        rule: PathRule,
        /// The state whose entry broke it.
        state: Name,
    },
    /// A reply that comes late is refused.
    ReplyLost {
        /// Whose effects it answers.
        event: Name,
        /// The reply.
        reply: Name,
        /// Where it is refused, in the order in which they are come to.
        states: Vec<Name>,
    },
    /// Nothing moves an instance on by itself: its deadline came, and moved it nowhere else.
    Waits {
        /// The state it waits in.
        state: Name,
        /// The deadline's event.
        event: Name,
        /// Whether that was refused.
        refused: bool,
    },
    /// Not everything was seen.
    Incomplete {
        /// Why.
        bound: Bound,
        /// The limits.
        limits: Limits,
    },
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Where in the contract's file; empty at 0 where no place is meant.
    pub span: Range<usize>,
    /// Whether the trace depends on a guard or a condition: with real values it may never come to it.
    pub possible: bool,
    /// The shortest path to it. Empty where not everything was seen.
    pub trace: Vec<Step>,
    /// The other order, where two orders differ.
    pub other: Vec<Step>,
}

impl Kind {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Kind::Trap { .. } => "law.model.trap",
            Kind::EffectTwice { .. } => "law.model.effect_twice",
            Kind::Replay { .. } => "law.model.replay",
            Kind::Diverges { .. } => "law.model.diverges",
            Kind::Promise { .. } => "law.model.promise",
            Kind::ReplyLost { .. } => "law.model.reply_lost",
            Kind::Waits { .. } => "law.model.waits",
            Kind::Incomplete { .. } => "law.model.incomplete",
        }
    }

    /// How grave. What the world may be slow to tell, and what only time shows, is a warning.
    pub fn severity(&self) -> Severity {
        match self {
            Kind::ReplyLost { .. } | Kind::Waits { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }
}
