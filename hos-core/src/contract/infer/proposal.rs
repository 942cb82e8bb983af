//! What is proposed, as values: states, births, moves with the judgement on each, breaks, deadlines.

use super::names::{Renamed, brief};
use super::waits::{Times, human};
use super::{END_ENTRIES_MIN, OPPOSITE_MIN, RARE_ONE_IN};
use crate::id::Name;
use crate::time::Span;
use std::fmt;

/// One time that something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// To which instance.
    pub instance: String,
    /// Where the row is.
    pub line: u64,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {})", brief(&self.instance), self.line)
    }
}

/// Everything that is proposed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Rows read.
    pub rows: u64,
    /// Instances seen.
    pub instances: u64,
    /// States in the order in which they were first seen.
    pub states: Vec<State>,
    /// Births, the most frequent first.
    pub births: Vec<Birth>,
    /// Moves, by source in the order of the states, the most frequent first.
    pub edges: Vec<Edge>,
    /// Where an instance was not where its row says, the most frequent first.
    pub breaks: Vec<Break>,
    /// Deadlines that look like rules.
    pub rules: Vec<Rule>,
    /// Names that were changed.
    pub renamed: Vec<Renamed>,
}

/// A state's figures.
#[derive(Debug, Clone)]
pub struct State {
    /// Its name.
    pub name: Name,
    /// How often an instance came to it.
    pub entries: u64,
    /// Of these, how often one that had been there before.
    pub again: u64,
    /// How often one left it by a move of the history.
    pub left: u64,
    /// How many are in it at the end.
    pub resting: u64,
    /// How many rows name no event and leave it as it is: no moves.
    pub stayed: u64,
    /// How long they stayed, those that left.
    pub stay: Option<Times>,
    /// Whether no move that is kept leaves it, or stays in it.
    pub ends: bool,
}

/// A way to come into being.
#[derive(Debug, Clone)]
pub struct Birth {
    /// By which event, where the history says.
    pub event: Option<Name>,
    /// In which state.
    pub to: Name,
    /// How often.
    pub count: u64,
    /// Whether a row says so; else the state is where the instance's first row found it.
    pub told: bool,
    /// Whether it is proposed.
    pub kept: bool,
    /// The first few.
    pub examples: Vec<Example>,
}

/// What a move looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A way that is gone.
    Usual,
    /// A way that is seldom gone; kept.
    Rare,
    /// Left out.
    Illegal,
}

impl Verdict {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Usual => "usual",
            Verdict::Rare => "rare",
            Verdict::Illegal => "illegal",
        }
    }
}

/// A kind of move.
#[derive(Debug, Clone)]
pub struct Edge {
    /// From this state
    pub from: Name,
    /// by this event
    pub event: Name,
    /// into this.
    pub to: Name,
    /// How often.
    pub count: u64,
    /// How often an instance came to the source.
    pub visits: u64,
    /// What it looks like.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The first few.
    pub examples: Vec<Example>,
    /// How long the instances had been in the source.
    pub wait: Option<Times>,
}

/// Why a move is rare, or looks illegal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Few visits to the source took it.
    Seldom {
        /// How often it was taken.
        count: u64,
        /// Of so many visits.
        visits: u64,
    },
    /// It leaves a state that otherwise ends nearly everything, into one that is otherwise come to another way.
    LeavesEnd {
        /// The state.
        from: Name,
        /// How many came to it.
        entries: u64,
        /// How many of them left, by whatever move.
        left: u64,
    },
    /// The opposite move is the way that is gone.
    Backwards {
        /// How often the opposite was seen.
        opposite: u64,
        /// How often this was.
        count: u64,
    },
    /// It is seldom at both of its ends, and there is a usual way between them.
    Jumps {
        /// The way, both ends in it.
        way: Vec<Name>,
    },
    /// Most of its instances were in another state than the row says.
    AfterBreak {
        /// How many.
        broken: u64,
        /// Of so many.
        count: u64,
    },
}

impl Reason {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::Seldom { .. } => "seldom",
            Reason::LeavesEnd { .. } => "leaves_end",
            Reason::Backwards { .. } => "backwards",
            Reason::Jumps { .. } => "jumps",
            Reason::AfterBreak { .. } => "after_break",
        }
    }

    /// Whether it makes a move look illegal; else it is only rare.
    pub fn is_grave(&self) -> bool {
        !matches!(self, Reason::Seldom { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Seldom { count, visits } => {
                write!(f, "seldom: {count} of {visits} visits went this way, at most one in {RARE_ONE_IN}")
            }
            Reason::LeavesEnd { from, entries, left } => write!(
                f,
                "leaves an end: of {entries} that came to `{from}` {left} went on (asked of states with {END_ENTRIES_MIN} or \
                 more), and what it leads to is otherwise come to another way"
            ),
            Reason::Backwards { opposite, count } => {
                write!(f, "runs backwards: {count} against {opposite} of the opposite move (asked from {OPPOSITE_MIN} on)")
            }
            Reason::Jumps { way } => {
                let way: Vec<&str> = way.iter().map(Name::as_str).collect();
                write!(f, "jumps: seldom at both its ends, and there is a usual way: {}", way.join(" -> "))
            }
            Reason::AfterBreak { broken, count } => {
                write!(f, "after a break: in {broken} of {count} rows the instance was in another state than the row says")
            }
        }
    }
}

/// An instance was not where its row says.
#[derive(Debug, Clone)]
pub struct Break {
    /// Where it was by the row before.
    pub was: Name,
    /// Where the row says it was; `None`: it says that it came into being.
    pub said: Option<Name>,
    /// Where the row leads.
    pub to: Name,
    /// How often.
    pub count: u64,
    /// The first few.
    pub examples: Vec<Example>,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { was, to, count, .. } = self;
        match &self.said {
            Some(said) => write!(f, "{count} in `{was}`, and the row says `{said}` -> `{to}`")?,
            None => write!(f, "{count} in `{was}`, and the row says that it came into being in `{to}`")?,
        }
        if was == to { f.write_str(", where it was: told twice?") } else { Ok(()) }
    }
}

/// A deadline that looks like a rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// In this state
    pub from: Name,
    /// comes this event
    pub event: Name,
    /// into this state
    pub to: Name,
    /// after so long.
    pub after: Span,
    /// The times in state that say so.
    pub times: Times,
    /// How many stayed longer: by another move, or still.
    pub beyond: u64,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Times { count, low, half, high } = self.times;
        let [low, half, high] = [low, half, high].map(human);
        write!(f, "{count} went after {low} / {half} / {high} (5 % / half / 95 %), {} stayed longer", self.beyond)
    }
}
