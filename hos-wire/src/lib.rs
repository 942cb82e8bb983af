//! H-OS wire: Call -> Answer as JSON, the one meaning of a call for every shell.
//!
//! A shell hands over an operation's name and JSON bytes, and gets JSON bytes back ([`serve`]). What may stand in those bytes
//! is said in `spec/answer.md`. Five rooms: [`strict`] reads JSON and refuses what two parsers could read differently;
//! [`call`] makes calls of it; [`answer`] says what came of them, [`verdict`] what a verifier found, [`page`] an
//! instance's story for a person to read; `salvage` keeps the world's own answer where a call cannot be read. Beside `serve`
//! stand its swift sister for `can` ([`can()`]), whose words come apart, and [`open()`], which opens an engine by options in
//! JSON. [`call_bytes`] writes a call as it would have come. [`Class`] says how a call ended in one stable word. `shared` gives who opens a store in
//! the same way again the same engine; `round` deals out what came back of many statements at once; `failpoint` is for tests alone. No rule of the law is decided here.

pub mod answer;
pub mod call;
mod class;
#[cfg(feature = "failpoints")]
mod failpoint;
mod fields;
pub mod joined;
pub mod limits;
mod made;
mod open;
pub mod page;
mod round;
mod salvage;
mod serve;
mod several;
mod shared;
pub mod strict;
mod swift;
pub mod value;
pub mod verdict;
mod written;

pub use call::{Asked, Scalar};
pub use class::Class;
pub use joined::{JoinedEngine, Stepped};
pub use limits::{CALL_BYTES_MAX, OPTIONS_BYTES_MAX};
pub use open::{is_address, open};
pub use serve::{Served, Standing, present, recorded, serve, serve_instead, serve_with};
pub use swift::{Decided, can, decide, decide_instead, is_at_hand};
pub use written::call_bytes;
