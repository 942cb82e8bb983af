//! A contract proposed from a history: what happened, told apart into what looks like a rule and what looks like a breach.
//!
//! [`History`] takes the rows one by one and keeps what is in proportion to instances and kinds of move, never to rows;
//! [`judge`](judge::judge) says of each move whether it is usual, rare or looks illegal, and why; [`text`] writes the contract's
//! file. The bounds of judgement stand here and in `spec/infer.md`, and nowhere else.

mod arrows;
mod deadline;
mod history;
pub mod judge;
mod names;
mod proposal;
pub mod text;
mod waits;

pub use arrows::{Arrow, Arrows, arrows};
pub use history::{Column, History, Move, Refused, Source};
pub use names::Renamed;
pub use proposal::{Birth, Break, Edge, Example, Proposal, Reason, Rule, State, Verdict};
pub use waits::{Times, human};

use crate::time::Span;

/// The most kinds of move (source, event, target) of a history: above it, a column is not what it is taken for.
pub const EDGES_MAX: usize = 2_048;
/// The most instances of a history: each is kept in memory.
pub const INSTANCES_MAX: usize = 10_000_000;
/// How many examples are kept of each kind of move.
pub const EXAMPLES: usize = 3;

/// A move is rare where at most one in so many visits to its source took it.
pub const RARE_ONE_IN: u64 = 100;
/// Of a state that was visited less often, no move is called rare: one would be no small share.
pub const RARE_VISITS_MIN: u64 = 100;
/// A state ends nearly everything where so many came to it,
pub const END_ENTRIES_MIN: u64 = 20;
/// and at most one in so many left it.
pub const END_ONE_IN: u64 = 20;
/// A move out of such a state looks illegal where at most one in so many came to its target that way.
pub const OTHERWISE_ONE_IN: u64 = 20;
/// A move runs backwards where the opposite was seen at least so often,
pub const OPPOSITE_MIN: u64 = 100;
/// and at least so many times as often as the move itself.
pub const OPPOSITE_TIMES: u64 = 100;

/// A deadline is proposed from at least so many moves.
pub const RULE_MOVES_MIN: u64 = 30;
/// The times in state of nine in ten of them lie within one part in so many of the median.
pub const RULE_SPREAD_ONE_IN: i64 = 10;
/// At most one in so many stayed longer: by another move, or still.
pub const RULE_BEYOND_ONE_IN: u64 = 20;
/// Shorter waits are a machine's own pace, not a rule.
pub const RULE_SPAN_MIN: Span = Span(60_000);
