//! A contract checked by model: every path of an instance through its states, within bounds, and the shortest one to whatever
//! is wrong.
//!
//! [`world`] says what can happen next, by the same steps as the engine's; `search` goes there, breadth first; `judge` asks
//! its questions of what was found. No value is known here, so every guard and every condition may come out either way, but
//! for those that say `true` or `false`; what depends on one is marked as possible. Policies are taken to permit.

mod ask;
mod judge;
mod order;
mod path;
mod search;
mod trace;
mod words;
pub mod world;

pub use judge::{FINDINGS_MAX, Report, explore};
pub use search::{Bound, Limits};
pub use trace::{Finding, Happened, Kind, Step};
