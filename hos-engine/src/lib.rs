//! H-OS engine: the only room with I/O. Stores, clock, keys, the transaction, sealing.
//!
//! ```text
//! let engine = Engine::builder().law_dir("law")?.sqlite("hos.db").open()?;
//! let pazar = engine.tenant("pazar-tr")?;
//! if pazar.can(&Can::new(ayse, "order.view", order))?.allowed { .. }
//! let answer = pazar.transition(Transition::new(ayse, "order", "o-17", "pay")?.arg("amount", 4200).once("psp-evt-9")?)?;
//! ```

pub mod clock;
mod engine;
mod failure;
mod open;
pub mod ports;
mod report;

pub use engine::{Engine, TenantRef};
pub use failure::Failure;
pub use open::{Builder, Founding, Seal, Settings, load_law};
pub use report::{Available, HistoryEntry, Level, OutboxMessage, VerifyOptions, VerifyReport, WorkReport};

pub use hos_core::answer::Answer;
pub use hos_core::call;
