//! Checkpoints: who vouches for a log of this size with this root. A C2SP signed note whose text is a C2SP tlog-checkpoint,
//! signed with Ed25519 (type 0x01), so that verifiers and witnesses that exist work unchanged.

use super::armor::{from_base64, to_base64};
use super::key::{KeyError, SealKey, VerifyKey};
use crate::digest::note_key_id;
use crate::id::{Shown, StoreId, Tenant, TreeHash};
use crate::limits::{NOTE_BYTES_MAX, SIGNATURES_MAX};
use std::fmt;

/// The number of Ed25519 among the types of note signatures.
const ED25519: u8 = 1;
/// The number of Ed25519 cosignatures with a time (C2SP tlog-cosignature).
const COSIGNATURE: u8 = 4;

/// Why a note, a checkpoint or a verifier key is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`], or more than [`SIGNATURES_MAX`] signatures.
    #[error("the note is larger than allowed")]
    TooLarge,
    /// Not a signed note.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// A name that no key may have.
    #[error("`{}` is no name of a key: spaces, `+` and control characters are not allowed", Shown(.0))]
    Name(String),
    /// Not a verifier key in text form.
    #[error("not a verifier key: {0}")]
    VerifierKey(&'static str),
    /// Nothing here is signed by the key.
    #[error("the note bears no signature of this key")]
    Unsigned,
    /// A signature that claims to be the key's does not hold.
    #[error("a signature that names this key does not hold")]
    Signature,
    /// The note's text is not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Checkpoint(&'static str),
    /// A checkpoint of another log.
    #[error("the checkpoint is of `{}`", Shown(.0))]
    Origin(String),
}

impl NoteError {
    /// A stable word for it; test vectors name it.
    pub fn code(&self) -> &'static str {
        match self {
            NoteError::TooLarge => "too_large",
            NoteError::Malformed(_) => "malformed",
            NoteError::Name(_) => "name",
            NoteError::VerifierKey(_) => "verifier_key",
            NoteError::Unsigned => "unsigned",
            NoteError::Signature => "signature",
            NoteError::Checkpoint(_) => "checkpoint",
            NoteError::Origin(_) => "origin",
        }
    }
}

/// The origin of a tenant's log, and the name of the key that signs it: `hos/<store id in hex>/<tenant>/<epoch>`.
pub fn origin(store: &StoreId, tenant: &Tenant, epoch: u64) -> String {
    ["hos/", &store.to_string(), "/", tenant.as_str(), "/", &epoch.to_string()].concat()
}

/// Reads an [`origin`], in the one way in which it is written.
pub fn origin_parts(text: &str) -> Option<(StoreId, Tenant, u64)> {
    let mut pieces = text.split('/');
    let ("hos", store, tenant, epoch) = (pieces.next()?, pieces.next()?, pieces.next()?, pieces.next()?) else { return None };
    let parts = (StoreId::from_hex(store)?, Tenant::new(tenant).ok()?, epoch.parse::<u64>().ok()?);
    (origin(&parts.0, &parts.1, parts.2) == text).then_some(parts)
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// The id under which notes name a key of this type, if the name is one that a key may have.
fn named(name: &str, kind: u8, key: &VerifyKey) -> Result<[u8; 4], NoteError> {
    if is_key_name(name) {
        Ok(note_key_id(name, kind, key.as_bytes()))
    } else {
        Err(NoteError::Name(name.chars().take(80).collect()))
    }
}

/// A public key under the name that notes give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    id: [u8; 4],
    key: VerifyKey,
}

impl NoteKey {
    /// Names a key; a log's key bears the log's [`origin`].
    pub fn new(name: impl Into<String>, key: VerifyKey) -> Result<Self, NoteError> {
        let name = name.into();
        let id = named(&name, ED25519, &key)?;
        Ok(Self { name, id, key })
    }

    /// Reads the text form, `name+hex id+base64(0x01 || public key)`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, id, key) = vkey(text, ED25519)?;
        Ok(Self { name, id, key })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes by which signatures name the key.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The key.
    pub fn key(&self) -> &VerifyKey {
        &self.key
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519], &self.key.as_bytes()[..]].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id), to_base64(typed))
    }
}

/// A verifier key in text form whose key is of this type: name, id, key.
fn vkey(text: &str, kind: u8) -> Result<(String, [u8; 4], VerifyKey), NoteError> {
    if text.len() > 1024 {
        return Err(NoteError::VerifierKey("too long"));
    }
    let mut pieces = text.splitn(3, '+');
    let (Some(name), Some(id), Some(encoded)) = (pieces.next(), pieces.next(), pieces.next()) else {
        return Err(NoteError::VerifierKey("expected name+id+key"));
    };
    let raw = from_base64(encoded).ok_or(NoteError::VerifierKey("the key is not base64"))?;
    let Some((_, public)) = raw.split_first().filter(|(found, _)| **found == kind) else {
        return Err(NoteError::VerifierKey("the key is not of the expected type"));
    };
    let public: &[u8; 32] = public.try_into().map_err(|_| NoteError::VerifierKey("the key has not 32 bytes"))?;
    let key = VerifyKey::from_bytes(public).map_err(|e| {
        NoteError::VerifierKey(match e {
            KeyError::SmallOrder => "the key is of small order",
            _ => "the key is not a canonically encoded point",
        })
    })?;
    let made = named(name, kind, &key)?;
    if hex(&made) == id {
        Ok((name.to_owned(), made, key))
    } else {
        Err(NoteError::VerifierKey("the id is not that of name and key"))
    }
}

/// A witness's public key: it cosigns checkpoints of others with the time at which it saw them (C2SP tlog-cosignature).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: VerifyKey,
}

impl WitnessKey {
    /// Names a key as a witness's.
    pub fn new(name: impl Into<String>, key: VerifyKey) -> Result<Self, NoteError> {
        let name = name.into();
        let id = named(&name, COSIGNATURE, &key)?;
        Ok(Self { name, id, key })
    }

    /// Reads the text form, `name+hex id+base64(0x04 || public key)`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, id, key) = vkey(text, COSIGNATURE)?;
        Ok(Self { name, id, key })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &VerifyKey {
        &self.key
    }

    /// Whether the witness cosigned the note. A line that names the witness and does not hold makes the note false.
    pub fn vouches(&self, note: &Note) -> Result<bool, NoteError> {
        let mut vouches = false;
        for line in note.signatures.iter().filter(|line| line.name == self.name && line.id == self.id) {
            let (time, signature) = line.signature.split_first_chunk::<8>().ok_or(NoteError::Signature)?;
            let signature: &[u8; 64] = signature.try_into().map_err(|_| NoteError::Signature)?;
            let seconds = i64::try_from(u64::from_be_bytes(*time)).map_err(|_| NoteError::Signature)?;
            let message = cosigned(seconds.unsigned_abs(), &note.text);
            self.key.verify(message.as_bytes(), signature).map_err(|_| NoteError::Signature)?;
            vouches = true;
        }
        Ok(vouches)
    }
}

/// The signature line of a witness over a checkpoint's text, newline included: what one that is made here, for a test or by a
/// tool, answers.
pub fn cosignature(name: &str, key: &SealKey, seconds: u64, text: &str) -> Result<String, NoteError> {
    let named = WitnessKey::new(name, key.verify_key())?;
    let signature = key.sign(cosigned(seconds, text).as_bytes());
    let raw = [&named.id[..], &seconds.to_be_bytes(), &signature].concat();
    Ok(format!("\u{2014} {name} {}\n", to_base64(raw)))
}

/// A hash as C2SP's formats have it.
pub fn hash_base64(hash: &TreeHash) -> String {
    to_base64(hash.as_bytes())
}

/// A hash from its base64.
pub fn hash_from_base64(text: &str) -> Option<TreeHash> {
    from_base64(text).and_then(|raw| TreeHash::from_slice(&raw))
}

/// What a cosignature covers.
pub fn cosigned(seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[COSIGNATURE], &self.key.as_bytes()[..]].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id), to_base64(typed))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub id: [u8; 4],
    /// What follows the id: for Ed25519 the signature's 64 bytes.
    pub signature: Vec<u8>,
}

/// A signed note, parsed but not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Parses a note; nothing is verified yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLarge);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        if whole.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Malformed("a control character"));
        }
        let split = whole.rfind("\n\n").ok_or(NoteError::Malformed("no empty line before the signatures"))?;
        let (text, rest) = whole.split_at(split + 1);
        let lines = rest.strip_prefix('\n').and_then(|l| l.strip_suffix('\n'));
        let lines = lines.ok_or(NoteError::Malformed("no newline after the signatures"))?;
        if lines.split('\n').count() > SIGNATURES_MAX {
            return Err(NoteError::TooLarge);
        }
        let signatures = lines.split('\n').map(signature_line).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text that is signed, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, as they stand.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Whether the key signed the text: at least one signature is the key's, and none that names it is false. Signatures of
    /// other keys are passed over.
    pub fn verify(&self, key: &NoteKey) -> Result<(), NoteError> {
        let mut signed = false;
        for line in self.signatures.iter().filter(|line| line.name == key.name && line.id == key.id) {
            let signature: &[u8; 64] = line.signature.as_slice().try_into().map_err(|_| NoteError::Signature)?;
            key.key.verify(self.text.as_bytes(), signature).map_err(|_| NoteError::Signature)?;
            signed = true;
        }
        if signed { Ok(()) } else { Err(NoteError::Unsigned) }
    }

    /// Those of a log's keys that signed the text: one at least. A log is known by several after a change of key; that one of
    /// them has not signed is no fault, that one is said to have and has not is.
    pub fn signers<'k>(&self, known: impl IntoIterator<Item = &'k NoteKey>) -> Result<Vec<&'k NoteKey>, NoteError> {
        let mut signers = Vec::new();
        for key in known {
            match self.verify(key) {
                Ok(()) => signers.push(key),
                Err(NoteError::Unsigned) => {}
                Err(error) => return Err(error),
            }
        }
        if signers.is_empty() { Err(NoteError::Unsigned) } else { Ok(signers) }
    }
}

fn signature_line(line: &str) -> Result<NoteSignature, NoteError> {
    let inner =
        line.strip_prefix("\u{2014} ").ok_or(NoteError::Malformed("a signature line begins with an em dash and a space"))?;
    let (name, encoded) = inner.split_once(' ').ok_or(NoteError::Malformed("a signature line has a name and base64"))?;
    if !is_key_name(name) {
        return Err(NoteError::Name(name.chars().take(80).collect()));
    }
    let raw = from_base64(encoded).ok_or(NoteError::Malformed("a signature is not base64"))?;
    match raw.split_first_chunk::<4>() {
        Some((id, signature)) if !signature.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), id: *id, signature: signature.to_vec() })
        }
        _ => Err(NoteError::Malformed("a signature is too short")),
    }
}

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
    /// Further lines, none of them empty; not interpreted here.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The text that is signed: origin, size, root in base64, extensions, each with a newline.
    pub fn text(&self) -> String {
        let mut text = [&*self.origin, "\n", &self.size.to_string(), "\n", &to_base64(self.root.as_bytes()), "\n"].concat();
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads the text of a note.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let body = text.strip_suffix('\n').ok_or(NoteError::Checkpoint("the text has no last newline"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoteError::Checkpoint("fewer than three lines"));
        };
        if origin.is_empty() {
            return Err(NoteError::Checkpoint("the origin is empty"));
        }
        let number: u64 = size.parse().map_err(|_| NoteError::Checkpoint("the size is no number"))?;
        if number.to_string() != size {
            return Err(NoteError::Checkpoint("the size is not written in the one way"));
        }
        let root = from_base64(root).and_then(|raw| TreeHash::from_slice(&raw));
        let root = root.ok_or(NoteError::Checkpoint("the root is not the base64 of 32 bytes"))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(NoteError::Checkpoint("an extension is empty"));
        }
        Ok(Self { origin: origin.to_owned(), size: number, root, extensions })
    }

    /// Signs under the origin as the key's name and gives the whole note. The same checkpoint and key give the same note.
    ///
    /// # Errors
    /// When the origin can be no key's name, an extension is empty or holds a newline or control character, or the note
    /// would be too long.
    pub fn sign(&self, key: &SealKey) -> Result<String, NoteError> {
        self.noted(&key.verify_key(), &key.sign(self.text().as_bytes()))
    }

    /// The whole note, with a signature over [`Checkpoint::text`] that was made elsewhere; one that does not hold makes no note.
    ///
    /// # Errors
    /// As [`Checkpoint::sign`], and when the signature is not this key's.
    pub fn signed(&self, key: &VerifyKey, signature: &[u8; 64]) -> Result<String, NoteError> {
        key.verify(self.text().as_bytes(), signature).map_err(|_| NoteError::Signature)?;
        self.noted(key, signature)
    }

    /// The whole note, with a signature that is the key's because whoever calls has just made it with that key; to look again
    /// would cost more than to sign.
    ///
    /// # Errors
    /// As [`Checkpoint::sign`].
    pub fn noted(&self, key: &VerifyKey, signature: &[u8; 64]) -> Result<String, NoteError> {
        let id = named(&self.origin, ED25519, key)?;
        if self.extensions.iter().any(|line| line.is_empty() || line.bytes().any(|b| b < 0x20)) {
            return Err(NoteError::Checkpoint("a line is empty, or holds a newline or a control character"));
        }
        let signature = to_base64([&id[..], signature].concat());
        let note = [&*self.text(), "\n\u{2014} ", &self.origin, " ", &signature, "\n"].concat();
        if note.len() > NOTE_BYTES_MAX { Err(NoteError::TooLarge) } else { Ok(note) }
    }

    /// Parses a note, verifies that the key signed it, and that it is of the log whose name the key bears.
    pub fn open(note: &[u8], key: &NoteKey) -> Result<Self, NoteError> {
        let note = Note::parse(note)?;
        note.verify(key)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin == key.name { Ok(checkpoint) } else { Err(NoteError::Origin(checkpoint.origin)) }
    }
}
