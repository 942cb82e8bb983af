//! The contract door: declarative state machines. Flat, deterministic, no callbacks.
//!
//! [`parse`](parse::parse) makes a checked [`Contract`] of a file, or says all that is wrong with it; [`step`] says what an
//! event does in a state; [`check`](check::check) finds what is lawful to write and still unwise; [`model`] follows every path
//! of an instance; [`draw`] and [`svg`] draw it.

pub mod check;
pub mod definition;
pub mod draw;
pub mod infer;
mod layout;
pub mod model;
pub mod outline;
pub mod parse;
mod picture;
pub mod step;
pub mod svg;

pub use definition::Contract;
pub use picture::{Step as PathStep, Walk};
