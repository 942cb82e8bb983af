//! Nobody: this process has no key. What it seals is signed by another, `hos work` for one.

use crate::Failure;
use crate::ports::{Growth, Signer};
use hos_core::proof::key::VerifyKey;
use hos_core::refusal::Code;

/// Signs nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoSigner;

impl Signer for NoSigner {
    fn public(&self) -> Result<VerifyKey, Failure> {
        Err(nobody())
    }

    fn is_here(&self) -> bool {
        false
    }

    fn sign(&self, _growth: &Growth<'_>) -> Result<[u8; 64], Failure> {
        Err(nobody())
    }
}

fn nobody() -> Failure {
    Failure::new(Code::SignerFailed, "this process was given neither a key nor a signer; `hos work` signs")
}
