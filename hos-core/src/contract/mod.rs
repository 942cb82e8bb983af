//! The contract door: declarative state machines. Flat, deterministic, no callbacks.

pub mod definition;
pub mod step;

pub use definition::Contract;
