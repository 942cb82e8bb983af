//! Ed25519, by one rule everywhere: canonical A, R and S, neither A nor R of small order, the cofactorless equation.
//!
//! This is the only file that knows the curve's implementation. Batch verification is not offered: it decides differently.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;

/// Why bytes are no key, or a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the canonical encoding of a point of the curve.
    #[error("the public key is not a canonically encoded point")]
    NotCanonical,
    /// A point of small order: signatures under it say nothing.
    #[error("the public key is of small order")]
    SmallOrder,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
}

/// The secret that signs checkpoints. Never printed; wiped when it is dropped.
pub struct SealKey(SigningKey);

impl SealKey {
    /// Makes the key from its 32-byte seed (RFC 8032's private key). The caller wipes its own copy.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn verify_key(&self) -> VerifyKey {
        VerifyKey(self.0.verifying_key())
    }

    /// Signs. The same message gives the same signature, so that recovery can remake what was not stored.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey(hidden, public {:?})", self.verify_key())
    }
}

/// A public key, checked: a canonical point that is not of small order.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyKey(VerifyingKey);

impl VerifyKey {
    /// Checks 32 bytes and makes the key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotCanonical)?;
        // Decompression alone takes some encodings that no honest encoder writes.
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() { Err(KeyError::SmallOrder) } else { Ok(Self(key)) }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether the signature holds, by the one rule.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), KeyError> {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| KeyError::Signature)
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyKey(")?;
        self.as_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let key = SealKey::from_seed(&[0x5a; 32]);
        assert!(!format!("{key:?}").contains("5a5a5a"));
        assert!(format!("{key:?}").contains("hidden"));
    }

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let (key, other) = (SealKey::from_seed(&[1; 32]), SealKey::from_seed(&[2; 32]));
        let signature = key.sign(b"message");
        assert_eq!(signature, key.sign(b"message"));
        assert_eq!(key.verify_key().verify(b"message", &signature), Ok(()));
        assert_eq!(key.verify_key().verify(b"messagf", &signature), Err(KeyError::Signature));
        assert_eq!(other.verify_key().verify(b"message", &signature), Err(KeyError::Signature));
    }

    #[test]
    fn encodings_beyond_the_field_are_refused() {
        // p + y for y below 19: each is a second spelling of y, and some of them are points of large order.
        let mut accepted_by_the_curve = 0;
        for y in 0u8..19 {
            for sign in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                bytes[0] = 0xed + y;
                bytes[31] = sign;
                accepted_by_the_curve += usize::from(VerifyingKey::from_bytes(&bytes).is_ok_and(|k| !k.is_weak()));
                assert_eq!(VerifyKey::from_bytes(&bytes), Err(KeyError::NotCanonical), "p + {y}");
            }
        }
        assert!(accepted_by_the_curve > 0, "the check has something to do");
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VerifyKey::from_bytes(&identity), Err(KeyError::SmallOrder));
        assert_eq!(VerifyKey::from_bytes(&[0; 32]), Err(KeyError::SmallOrder));
    }
}
