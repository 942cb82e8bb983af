//! For tests only: a reference model of the engine, the bodies of the fuzz targets, and a source of mutated inputs.
//!
//! [`model`] shares no code with the engine: it is written against the design, by hand, for one small law (`law/`). The model
//! test (`tests/model.rs`) asks both the same and holds their answers together, step by step. [`targets`] are run by a short
//! test on every build (`tests/short_fuzz.rs`), and by the fuzzer (`fuzz/`) for as long as one lets it. [`simulation`] makes whole
//! days of several tenants and processes of one seed, which `tests/simulation/` lives through. [`told`] holds what killed processes
//! ([`victim`]) were told against what is there.

pub mod chance;
pub mod model;
pub mod mutate;
pub mod simulation;
pub mod targets;
pub mod told;
pub mod victim;

// The command line's own readers, as they stand: a program has no library to take them from.
#[allow(dead_code, unreachable_pub, reason = "what the program needs is more than what is fuzzed")]
#[path = "../../hos-cli/src/entity.rs"]
mod entity;
#[allow(dead_code, reason = "what the program needs is more than what is fuzzed")]
mod history;
#[path = "../../hos-cli/src/typed.rs"]
mod typed;
#[path = "../../hos-cli/src/usage.rs"]
mod usage;
