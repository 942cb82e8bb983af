//! For tests only: a reference model of the engine, the bodies of the fuzz targets, and a source of mutated inputs.
//!
//! [`model`] shares no code with the engine: it is written against the design, by hand, for one small law (`law/`). The model
//! test (`tests/model.rs`) asks both the same and holds their answers together, step by step. [`targets`] are run by a short
//! test on every build (`tests/short_fuzz.rs`), and by the fuzzer (`fuzz/`) for as long as one lets it. [`told`] holds what killed
//! processes ([`victim`]) were told against what is there.

pub mod chance;
pub mod model;
pub mod mutate;
pub mod targets;
pub mod told;
pub mod victim;
