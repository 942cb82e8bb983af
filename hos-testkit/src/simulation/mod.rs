//! Whole days of several tenants and processes, from one seed: what a day is made of, how chance chooses one, how it is written
//! down, and how one that fails is made small.
//!
//! Nothing here runs anything: a day is a list of steps, and each of them means something whatever is left of the others. What
//! runs it is `tests/simulation/`, which gives the engines their clock, their chance, their store and their turns, and holds what
//! they say against the reference model.

mod plan;
pub mod shrink;
mod step;
mod text;

pub use plan::{LENGTH, day};
pub use step::{Act, Day, Deed, End, Fault, Kind, PROCESSES, Sealing, Step, Transaction};
pub use text::{Unreadable, read};
