//! Who signs checkpoints: a key from a file, an agent over a Unix socket, a program (`spec/signer.md`).

mod agent;
mod command;
mod file;
mod memory;
mod none;
mod protocol;
mod remote;
mod socket;

pub use agent::Agent;
pub use command::CommandLine;
pub use file::FileSigner;
pub use none::NoSigner;
pub use protocol::refusal;
pub use remote::{Line, Remote};
pub use socket::SocketLine;

use crate::Failure;
use hos_core::refusal::Code;
use std::time::Duration;

/// How long the engine waits for a signer's answer, if nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(3);

fn failed(what: impl Into<String>) -> Failure {
    Failure::new(Code::SignerFailed, what)
}
