//! A part as it is stored: sealed under its data subject's key, so that destroying the key erases the person; and the list
//! of a record's stored parts as bytes (`spec/proof-record.md`).

use super::format::{FormatError, at_most};
use super::header::PARTS_MAX;
use super::record::{Part, Slot, StoredPart};
use crate::canon::{Reader, Writer, same};
use crate::digest;
use crate::id::{Commitment, KeyId, Uid};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroize;

/// The longest plaintext of a part, in bytes.
pub const PART_BYTES_MAX: usize = 4 << 20;

const SALT: usize = 32;
const NONCE: usize = 24;
const TAG: usize = 16;
/// The key id of a part that is nobody's.
const NOBODY: KeyId = KeyId([0; 16]);

/// Why a part cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The part is a person's, and the person's key is not there: destroyed, or not given.
    #[error("the key of the part's data subject is not there")]
    KeyMissing,
    /// The part is nobody's, or the key's id is the reserved one.
    #[error("a part of nobody takes no key, and a key has an id that is not zero")]
    KeyUnwanted,
    /// Longer than [`PART_BYTES_MAX`].
    #[error("the part is longer than {PART_BYTES_MAX} bytes")]
    TooLarge,
    /// Shorter than its salt, nonce and tag, or the cipher refuses: changed, moved, or another key.
    #[error("the part does not open: it was changed or moved, or the key is another's")]
    Unopened,
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
            PartError::TooLarge => "too_large",
            PartError::Unopened => "unopened",
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

/// What a stored part holds once it is open and known to be what the header commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The salt of the commitment.
    pub salt: [u8; 32],
    /// The bytes.
    pub plaintext: Vec<u8>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} bytes)", self.plaintext.len())
    }
}

impl Part {
    /// A part with its salt: 32 random bytes that were never used before.
    pub fn new(slot: Slot, index: u8, subject: Option<Uid>, salt: [u8; 32], plaintext: Vec<u8>) -> Self {
        Self { slot, index, subject, salt, plaintext }
    }

    /// Seals the part: a data subject's under the subject's key, nobody's in the clear.
    ///
    /// The commitment is the cipher's associated data, so that a ciphertext cannot be moved to another record or place.
    ///
    /// # Errors
    /// When the part is a person's and no key is given, or nobody's and one is: data of persons is never written in the clear.
    pub fn seal(&self, key: Option<(&KeyId, &SubjectKey)>, nonce: [u8; NONCE]) -> Result<StoredPart, PartError> {
        if self.plaintext.len() > PART_BYTES_MAX {
            return Err(PartError::TooLarge);
        }
        let mut clear = Vec::with_capacity(SALT + self.plaintext.len());
        clear.extend_from_slice(&self.salt);
        clear.extend_from_slice(&self.plaintext);
        match (&self.subject, key) {
            (None, None) => Ok(StoredPart { slot: self.slot, index: self.index, key: NOBODY, sealed: clear }),
            (Some(_), None) => Err(PartError::KeyMissing),
            (None, Some(_)) | (Some(_), Some((&NOBODY, _))) => Err(PartError::KeyUnwanted),
            (Some(_), Some((id, secret))) => {
                let aad = self.commitment();
                let cipher = XChaCha20Poly1305::new((&secret.0).into());
                let boxed = cipher
                    .encrypt(&XNonce::from(nonce), Payload { msg: &clear, aad: aad.as_bytes() })
                    .map_err(|_| PartError::TooLarge)?;
                clear.zeroize();
                let sealed = [&nonce[..], &boxed].concat();
                Ok(StoredPart { slot: self.slot, index: self.index, key: *id, sealed })
            }
        }
    }
}

impl StoredPart {
    /// Whether it is nobody's, and therefore in the clear.
    pub fn is_clear(&self) -> bool {
        self.key == NOBODY
    }

    /// Opens the part and holds it against the commitment in the header.
    ///
    /// # Errors
    /// [`PartError::KeyMissing`] when it is a person's and no key is given; everything else is evidence of tampering, or of a
    /// wrong key.
    pub fn open(&self, key: Option<&SubjectKey>, commitment: &Commitment) -> Result<Opened, PartError> {
        let opened = if self.is_clear() {
            split(self.sealed.clone())?
        } else {
            let key = key.ok_or(PartError::KeyMissing)?;
            let (nonce, boxed) = self.sealed.split_first_chunk::<NONCE>().ok_or(PartError::Unopened)?;
            let clear = XChaCha20Poly1305::new((&key.0).into())
                .decrypt(&XNonce::from(*nonce), Payload { msg: boxed, aad: commitment.as_bytes() })
                .map_err(|_| PartError::Unopened)?;
            split(clear)?
        };
        if opened.plaintext.len() > PART_BYTES_MAX {
            return Err(PartError::TooLarge);
        }
        if digest::commitment(&opened.salt, &opened.plaintext) == *commitment { Ok(opened) } else { Err(PartError::Mismatch) }
    }

    /// Holds a part in the clear against the commitment without taking a copy; a sealed one is opened.
    pub fn verify(&self, key: Option<&SubjectKey>, commitment: &Commitment) -> Result<(), PartError> {
        if !self.is_clear() {
            return self.open(key, commitment).map(drop);
        }
        let (salt, plaintext) = self.sealed.split_first_chunk::<SALT>().ok_or(PartError::Unopened)?;
        if plaintext.len() > PART_BYTES_MAX {
            return Err(PartError::TooLarge);
        }
        if digest::commitment(salt, plaintext) == *commitment { Ok(()) } else { Err(PartError::Mismatch) }
    }
}

fn split(mut clear: Vec<u8>) -> Result<Opened, PartError> {
    let Some((salt, _)) = clear.split_first_chunk::<SALT>() else { return Err(PartError::Unopened) };
    let salt = *salt;
    clear.drain(..SALT);
    Ok(Opened { salt, plaintext: clear })
}

/// The bytes of a record's stored parts: an array of `[slot, index, key id, sealed]`, ascending by slot and index.
///
/// The list is sorted here; it is the caller's duty that no two have the same slot and index.
pub fn encode_stored(parts: &[StoredPart]) -> Vec<u8> {
    let mut sorted: Vec<&StoredPart> = parts.iter().collect();
    sorted.sort_by_key(|p| (p.slot, p.index));
    let mut w = Writer::with_capacity(8 + parts.iter().map(|p| p.sealed.len() + 32).sum::<usize>());
    w.array(sorted.len());
    for part in sorted {
        w.array(4).uint(part.slot.number().into()).uint(part.index.into()).bytes(part.key.as_bytes()).bytes(&part.sealed);
    }
    w.finish()
}

/// The stored parts that these bytes are.
pub fn decode_stored(bytes: &[u8]) -> Result<Vec<StoredPart>, FormatError> {
    let mut r = Reader::new(bytes);
    let count = r.array()?;
    at_most("parts", count, PARTS_MAX)?;
    let mut parts: Vec<StoredPart> = Vec::with_capacity(count);
    for _ in 0..count {
        r.array_of(4)?;
        let number = r.uint()?;
        let slot = Slot::from_number(number).ok_or(FormatError::UnknownNumber { what: "slot", number })?;
        let (index, key, sealed) = (r.uint_as()?, KeyId(r.bytes_of()?), r.bytes()?);
        at_most("a stored part's bytes", sealed.len(), PART_BYTES_MAX + SALT + NONCE + TAG)?;
        if parts.last().is_some_and(|last| (last.slot, last.index) >= (slot, index)) {
            return Err(FormatError::Order("parts"));
        }
        parts.push(StoredPart { slot, index, key, sealed: sealed.to_vec() });
    }
    r.end()?;
    same(bytes, &encode_stored(&parts))?;
    Ok(parts)
}
