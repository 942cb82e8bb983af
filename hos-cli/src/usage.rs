//! A command that is not of its form.

use hos_core::refusal::Code;
use hos_engine::Failure;

/// A failure of the command's form.
pub(crate) fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Code::CallMalformed, message)
}
