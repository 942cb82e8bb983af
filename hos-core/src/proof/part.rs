//! A part in the clear, and the key that seals it: destroying a person's key erases the person. How sealed parts become bytes
//! is said in [`super::stored`] (`spec/proof-record.md`).

use super::record::{Part, Slot};
use crate::id::Uid;
use crate::limits::PART_BYTES_MAX;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroize;

/// The bytes of a nonce.
pub(super) const NONCE: usize = 24;
/// The bytes of a tag.
pub(super) const TAG: usize = 16;

/// Why parts cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The parts are a person's, and the person's key is not there: destroyed, or not given.
    #[error("the key of the part's data subject is not there")]
    KeyMissing,
    /// The parts are nobody's, or the key's id is the reserved one.
    #[error("a part of nobody takes no key, and a key has an id that is not zero")]
    KeyUnwanted,
    /// The parts are of several persons, or of none at all: a box is of one person, or nobody's.
    #[error("a box holds parts of one person, or of nobody, and at least one")]
    Mixed,
    /// A part that is longer than [`PART_BYTES_MAX`], or a box beyond its limit.
    #[error("the part is longer than {PART_BYTES_MAX} bytes, or its box too long")]
    TooLarge,
    /// Shorter than its nonce and tag, or the cipher refuses: changed, moved, or another key.
    #[error("the part does not open: it was changed or moved, or the key is another's")]
    Unopened,
    /// It opens, but what it holds is not its parts one after the other: a length goes beyond it, or something is left over.
    #[error("what the box holds is not its parts one after the other")]
    Content,
    /// The header does not list it.
    #[error("the header does not list the part")]
    Unlisted,
    /// It opens, but is not what the header commits to.
    #[error("the part is not what its header commits to")]
    Mismatch,
}

impl PartError {
    /// A stable word for it; test vectors name it.
    pub fn code(self) -> &'static str {
        match self {
            PartError::KeyMissing => "key_missing",
            PartError::KeyUnwanted => "key_unwanted",
            PartError::Mixed => "mixed",
            PartError::TooLarge => "too_large",
            PartError::Unopened => "unopened",
            PartError::Content => "content",
            PartError::Unlisted => "unlisted",
            PartError::Mismatch => "mismatch",
        }
    }
}

/// The key under which one data subject's parts are sealed. Never printed; wiped when it is dropped.
#[derive(Clone)]
pub struct SubjectKey([u8; 32]);

impl SubjectKey {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes, for the vault that keeps them and for nobody else.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals bytes in place, and gives the tag.
    pub(super) fn close(&self, nonce: &[u8; NONCE], aad: &[u8], bytes: &mut [u8]) -> Option<[u8; TAG]> {
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        let tag = cipher.encrypt_inout_detached(&XNonce::from(*nonce), aad, InOutBuf::from(bytes)).ok()?;
        Some(tag.into())
    }

    /// Writes what the ciphertext says behind `room`; nothing is left there when the cipher refuses.
    pub(super) fn disclose(
        &self,
        nonce: &[u8; NONCE],
        aad: &[u8],
        sealed: &[u8],
        tag: &[u8; TAG],
        room: &mut Vec<u8>,
    ) -> Option<()> {
        let before = room.len();
        room.resize(before + sealed.len(), 0);
        let opened = InOutBuf::new(sealed, room.get_mut(before..)?).ok().and_then(|buffer| {
            let cipher = XChaCha20Poly1305::new((&self.0).into());
            cipher.decrypt_inout_detached(&XNonce::from(*nonce), aad, buffer, &Tag::from(*tag)).ok()
        });
        if opened.is_none() {
            room.truncate(before);
        }
        opened
    }
}

impl Drop for SubjectKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(hidden)")
    }
}

impl Part {
    /// A part with its salt: 32 random bytes that were never used before.
    pub fn new(slot: Slot, index: u8, subject: Option<Uid>, salt: [u8; 32], plaintext: Vec<u8>) -> Self {
        Self { slot, index, subject, salt, plaintext }
    }
}
