//! H-OS engine: the only room with I/O. Stores, clock, keys, the transaction, sealing.
//!
//! ```text
//! let engine = Engine::builder().law_dir("law")?.sqlite("hos.db").open()?;
//! let pazar = engine.tenant("pazar-tr")?;
//! if pazar.can(&Can::new(ayse, "order.view", order))?.allowed { .. }
//! let answer = pazar.transition(Transition::new(ayse, "order", "o-17", "pay")?.arg("amount", 4200).once("psp-evt-9")?)?;
//! ```

pub mod clock;
mod cosign;
mod court;
mod desk;
mod divergence;
mod engine;
mod erasure;
mod export;
mod failure;
pub mod join;
pub mod joined;
pub mod keys;
mod laws;
pub mod limits;
mod mark;
mod open;
pub mod ports;
mod quarantine;
mod replay;
mod report;
mod roots;
mod rotation;
mod round;
mod seal;
mod sealed;
mod settings;
mod shadow;
pub mod signer;
pub mod store;
mod survey;
mod tenant;
mod vault;
mod verify;
mod view;
mod work;

pub use cosign::{Cosign, Cosigned, Proof, Witnessing};
pub use divergence::{Act, Shadowed};
pub use engine::{Engine, WeakEngine};
pub use erasure::Erasure;
pub use export::{ExportOptions, Exported};
pub use failure::Failure;
pub use laws::{load_law, read_law_files};
pub use open::Builder;
pub use replay::{BacktestReport, Change, Counts, Differing, ReplayOptions, ReplayReport, Span, Witness};
pub use report::{
    Available, CosignedNote, Erased, HistoryEntry, KeyRange, LawActivation, LawEntry, LawStanding, Level, OutboxMessage,
    VerifyOptions, VerifyReport, WorkReport,
};
pub use settings::{Founding, Seal, Settings};
pub use store::sqlite::Stats;
pub use tenant::TenantRef;

pub use hos_core::answer::Answer;
pub use hos_core::call;

/// The README's snippet compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
