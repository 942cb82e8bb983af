//! A key that this process holds.

use crate::Failure;
use crate::ports::{Growth, Signer};
use hos_core::proof::key::{SealKey, VerifyKey};

/// Signs with a key in memory; it believes its process and asks for no proof.
#[derive(Debug)]
pub struct FileSigner(SealKey);

impl FileSigner {
    /// A signer with this key.
    pub fn new(key: SealKey) -> Self {
        Self(key)
    }
}

impl Signer for FileSigner {
    fn public(&self) -> Result<VerifyKey, Failure> {
        Ok(self.0.verify_key())
    }

    fn is_here(&self) -> bool {
        true
    }

    fn holds_key(&self) -> bool {
        true
    }

    fn sign(&self, growth: &Growth<'_>) -> Result<[u8; 64], Failure> {
        Ok(self.0.sign(growth.checkpoint.text().as_bytes()))
    }
}
