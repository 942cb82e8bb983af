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
    let message = "this process was given neither a key nor a signer: give `hos work` a `--key-file FILE`, a \
                   `--signer-socket PATH` or a `--signer-command WORDS`, and it signs";
    Failure::new(Code::SignerFailed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is told to who runs `hos work` without a key, and must not send them to `hos work`.
    #[test]
    fn who_has_no_key_is_told_how_to_give_one() {
        let message = nobody().message;
        assert!(["--key-file", "--signer-socket", "--signer-command"].iter().all(|option| message.contains(option)), "{message}");
    }
}
