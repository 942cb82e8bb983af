//! A record's parts as they are stored: one box a person, and one for what is nobody's (`spec/proof-record.md`).
//!
//! A box holds, for each of its parts, exactly the bytes that the part's commitment hashes, one after the other: who verifies
//! opens a person's box once and hashes slices of it.

use super::format::{FormatError, at_most};
use super::part::{NONCE, PartError, SubjectKey, TAG};
use super::record::{Part, PartRef, Slot};
use crate::canon::{Reader, Writer};
use crate::digest;
use crate::id::{Commitment, KeyId};
use crate::limits::{BOXES_BYTES_MAX, PART_BYTES_MAX, PARTS_MAX};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

const SALT: usize = 32;
/// What stands before a part's plaintext: salt, and length in 8 bytes.
const BEFORE: usize = SALT + 8;
/// The key id of a box that is nobody's.
const NOBODY: KeyId = KeyId([0; 16]);

/// One person's parts of a record as they are stored, or nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBox<'a> {
    /// The person's key; all zero: nobody's, and in the clear.
    pub key: KeyId,
    /// Which parts, ascending by slot and index.
    pub places: Vec<(Slot, u8)>,
    /// Nonce, ciphertext and tag of the content; nobody's content as it is.
    pub sealed: Cow<'a, [u8]>,
}

/// A part that was opened and is what the header commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Which part.
    pub slot: Slot,
    /// Its place among the parts of one slot.
    pub index: u8,
    /// The salt of the commitment.
    pub salt: [u8; SALT],
    /// The bytes.
    pub plaintext: Vec<u8>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({:?} {}, {} bytes)", self.slot, self.index, self.plaintext.len())
    }
}

/// A part's bytes inside an open box: what its commitment hashes.
#[derive(Clone, Copy, Default)]
pub struct Piece<'b> {
    preimage: &'b [u8],
}

impl<'b> Piece<'b> {
    /// What stands in a range that was found to be a part.
    pub(super) fn in_range(content: &'b [u8], range: Range<usize>) -> Self {
        Self { preimage: content.get(range).unwrap_or_default() }
    }

    /// How many bytes are hashed.
    pub(super) fn len(&self) -> usize {
        self.preimage.len()
    }

    /// The salt of the commitment.
    pub fn salt(&self) -> [u8; SALT] {
        self.preimage.first_chunk().copied().unwrap_or_default()
    }

    /// The bytes.
    pub fn plaintext(&self) -> &'b [u8] {
        self.preimage.get(BEFORE..).unwrap_or_default()
    }

    /// The commitment that it comes to.
    pub fn commitment(&self) -> Commitment {
        digest::commitment_of(self.preimage)
    }
}

impl fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Piece({} bytes)", self.preimage.len())
    }
}

/// The parts in an open box, in the box's order. Made by [`StoredBox::open`] alone, which saw that nothing is left over.
#[derive(Debug, Clone)]
pub struct Pieces<'b> {
    left: &'b [u8],
}

impl<'b> Iterator for Pieces<'b> {
    type Item = Piece<'b>;

    fn next(&mut self) -> Option<Piece<'b>> {
        let (preimage, left) = self.left.split_at_checked(piece_len(self.left)?)?;
        self.left = left;
        Some(Piece { preimage })
    }
}

/// How long the first part's bytes are, as they say themselves.
fn piece_len(content: &[u8]) -> Option<usize> {
    let len = content.get(SALT..)?.first_chunk().map(|len| u64::from_be_bytes(*len))?;
    usize::try_from(len).ok()?.checked_add(BEFORE)
}

/// Sees that the content is so many parts one after the other, none too long, and nothing else.
pub(super) fn checked(content: &[u8], count: usize) -> Result<Pieces<'_>, PartError> {
    let mut left = content;
    for _ in 0..count {
        let len = piece_len(left).ok_or(PartError::Content)?;
        left = left.get(len..).ok_or(PartError::Content)?;
        if len > BEFORE + PART_BYTES_MAX {
            return Err(PartError::TooLarge);
        }
    }
    if left.is_empty() { Ok(Pieces { left: content }) } else { Err(PartError::Content) }
}

impl StoredBox<'_> {
    /// Seals parts with their commitments: a person's under the person's key, nobody's in the clear.
    ///
    /// The commitments are the cipher's associated data, so that a ciphertext cannot be moved to another record or place.
    ///
    /// # Errors
    /// When the parts are a person's and no key is given, or nobody's and one is: data of persons is never written in the
    /// clear. When they are of several persons, or none is given.
    pub fn seal(
        parts: &[(&Part, Commitment)],
        key: Option<(&KeyId, &SubjectKey)>,
        nonce: [u8; NONCE],
    ) -> Result<StoredBox<'static>, PartError> {
        let mut parts = parts.to_vec();
        parts.sort_by_key(|(part, _)| (part.slot, part.index));
        let subject = parts.first().map(|(part, _)| &part.subject).ok_or(PartError::Mixed)?;
        if parts.iter().any(|(part, _)| part.subject != *subject) {
            return Err(PartError::Mixed);
        }
        match (subject, key) {
            (None, None) => {}
            (Some(_), None) => return Err(PartError::KeyMissing),
            (None, Some(_)) | (Some(_), Some((&NOBODY, _))) => return Err(PartError::KeyUnwanted),
            (Some(_), Some(_)) => {}
        }
        let content: usize = parts.iter().map(|(part, _)| BEFORE + part.plaintext.len()).sum();
        if content + NONCE + TAG > BOXES_BYTES_MAX || parts.iter().any(|(part, _)| part.plaintext.len() > PART_BYTES_MAX) {
            return Err(PartError::TooLarge);
        }
        let mut sealed = Vec::with_capacity(NONCE + content + TAG);
        if key.is_some() {
            sealed.extend_from_slice(&nonce);
        }
        for (part, _) in &parts {
            sealed.extend_from_slice(&part.salt);
            sealed.extend_from_slice(&(part.plaintext.len() as u64).to_be_bytes());
            sealed.extend_from_slice(&part.plaintext);
        }
        if let Some((_, secret)) = key {
            let aad: Vec<u8> = parts.iter().flat_map(|(_, commitment)| commitment.0).collect();
            let tag = sealed.get_mut(NONCE..).and_then(|content| secret.close(&nonce, &aad, content));
            sealed.extend_from_slice(&tag.ok_or(PartError::TooLarge)?);
        }
        let places = parts.iter().map(|(part, _)| (part.slot, part.index)).collect();
        Ok(StoredBox { key: key.map_or(NOBODY, |(id, _)| *id), places, sealed: Cow::Owned(sealed) })
    }

    /// Whether it is nobody's, and therefore in the clear.
    pub fn is_clear(&self) -> bool {
        self.key == NOBODY
    }

    /// Opens the box and gives its parts, each still to be held against its commitment; the ones given are those of the
    /// box's parts, in the box's order. A sealed box is opened into `room`.
    ///
    /// # Errors
    /// [`PartError::KeyMissing`] when it is a person's and no key is given; everything else is evidence of tampering, or of a
    /// wrong key.
    pub fn open<'b>(
        &'b self,
        key: Option<&SubjectKey>,
        commitments: &[Commitment],
        room: &'b mut Vec<u8>,
    ) -> Result<Pieces<'b>, PartError> {
        let aad: Vec<u8> = commitments.iter().flat_map(|commitment| commitment.0).collect();
        room.clear();
        let content = match self.view().open(key, &aad, room)? {
            Content::Clear(content) => content,
            Content::Room(range) => room.get(range).ok_or(PartError::Content)?,
        };
        checked(content, self.places.len())
    }

    /// The box over its own bytes.
    pub fn view(&self) -> BoxView<'_, '_> {
        BoxView { key: self.key, places: &self.places, sealed: &self.sealed }
    }

    /// Opens the box and holds each of its parts against what the header lists.
    ///
    /// # Errors
    /// As [`StoredBox::open`], and where a part is not listed or not what the header commits to.
    pub fn open_listed(&self, key: Option<&SubjectKey>, listed: &[PartRef]) -> Result<Vec<Opened>, PartError> {
        let commitments: Vec<Commitment> = self
            .places
            .iter()
            .map(|place| listed_at(listed, *place).map(|(_, part)| part.commitment))
            .collect::<Option<_>>()
            .ok_or(PartError::Unlisted)?;
        let mut room = Vec::new();
        let pieces = self.open(key, &commitments, &mut room)?;
        let mut opened = Vec::with_capacity(self.places.len());
        for ((slot, index), (piece, commitment)) in self.places.iter().zip(pieces.zip(commitments)) {
            if piece.commitment() != commitment {
                return Err(PartError::Mismatch);
            }
            opened.push(Opened { slot: *slot, index: *index, salt: piece.salt(), plaintext: piece.plaintext().to_vec() });
        }
        Ok(opened)
    }
}

/// What a header lists at this place, and where; the list ascends.
pub(super) fn listed_at(listed: &[PartRef], place: (Slot, u8)) -> Option<(usize, &PartRef)> {
    let at = listed.binary_search_by_key(&place, |part| (part.slot, part.index)).ok()?;
    Some((at, listed.get(at)?))
}

/// The bytes of a record's boxes: an array of `[key id, [[slot, index]…], sealed]`, ascending by key id.
///
/// # Errors
/// When they are no list that could be read again: a key or a part twice, parts out of order, a box without parts, or more than
/// the limits allow.
pub fn encode_stored(boxes: &[StoredBox<'_>]) -> Result<Vec<u8>, FormatError> {
    let mut sorted: Vec<&StoredBox<'_>> = boxes.iter().collect();
    sorted.sort_by_key(|b| b.key);
    at_most("boxes", sorted.len(), PARTS_MAX)?;
    let mut seen = Seen::default();
    let mut places = Vec::with_capacity(PARTS_MAX);
    for stored in &sorted {
        seen.open(stored.key, stored.places.len(), stored.sealed.len())?;
        for place in &stored.places {
            seen.take(&places, *place)?;
            places.push(*place);
        }
    }
    let mut w = Writer::with_capacity(8 + sorted.iter().map(|b| b.sealed.len() + b.places.len() * 4 + 32).sum::<usize>());
    w.array(sorted.len());
    for stored in sorted {
        w.array(3).bytes(stored.key.as_bytes()).array(stored.places.len());
        for (slot, index) in &stored.places {
            w.array(2).uint(slot.number().into()).uint((*index).into());
        }
        w.bytes(&stored.sealed);
    }
    Ok(w.finish())
}

/// The boxes that these bytes are. Every item is read in its only form and every order is checked, so that no second spelling
/// of one list passes.
pub fn decode_stored(bytes: &[u8]) -> Result<Vec<StoredBox<'_>>, FormatError> {
    let mut table = BoxTable::default();
    table.read(bytes)?;
    let boxes = table.boxes(bytes);
    Ok(boxes.map(|b| StoredBox { key: b.key, places: b.places.to_vec(), sealed: Cow::Borrowed(b.sealed) }).collect())
}

/// A box over bytes that are kept elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct BoxView<'p, 'a> {
    /// The person's key; all zero: nobody's, and in the clear.
    pub key: KeyId,
    /// Which parts, ascending by slot and index.
    pub places: &'p [(Slot, u8)],
    /// Nonce, ciphertext and tag of the content; nobody's content as it is.
    pub sealed: &'a [u8],
}

/// Where the content of an open box is.
#[derive(Debug, Clone)]
pub(super) enum Content<'a> {
    /// Where it was stored.
    Clear(&'a [u8]),
    /// In the room given.
    Room(Range<usize>),
}

impl<'a> BoxView<'_, 'a> {
    /// Whether it is nobody's, and therefore in the clear.
    pub fn is_clear(&self) -> bool {
        self.key == NOBODY
    }

    /// Opens the box; a sealed one is opened behind what stands in `room`. The content is not looked at yet.
    pub(super) fn open(&self, key: Option<&SubjectKey>, aad: &[u8], room: &mut Vec<u8>) -> Result<Content<'a>, PartError> {
        if self.places.is_empty() {
            return Err(PartError::Mixed);
        }
        if self.sealed.len() > BOXES_BYTES_MAX {
            return Err(PartError::TooLarge);
        }
        if self.is_clear() {
            return Ok(Content::Clear(self.sealed));
        }
        let key = key.ok_or(PartError::KeyMissing)?;
        let (nonce, boxed) = self.sealed.split_first_chunk::<NONCE>().ok_or(PartError::Unopened)?;
        let (boxed, tag) = boxed.split_last_chunk::<TAG>().ok_or(PartError::Unopened)?;
        let before = room.len();
        key.disclose(nonce, aad, boxed, tag, room).ok_or(PartError::Unopened)?;
        Ok(Content::Room(before..room.len()))
    }
}

/// The boxes of a record as places in its bytes. It holds none of the bytes, so one serves for record after record.
#[derive(Debug, Default)]
pub struct BoxTable {
    boxes: Vec<(KeyId, Range<usize>, Range<usize>)>,
    places: Vec<(Slot, u8)>,
}

impl BoxTable {
    /// Reads a list of boxes; what was read before is forgotten. After an error there is no box.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        let read = self.fill(bytes);
        if read.is_err() {
            self.forget();
        }
        read
    }

    /// Forgets what was read.
    pub fn forget(&mut self) {
        self.boxes.clear();
        self.places.clear();
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.forget();
        let mut r = Reader::new(bytes);
        let count = r.array()?;
        at_most("boxes", count, PARTS_MAX)?;
        let mut seen = Seen::default();
        for _ in 0..count {
            r.array_of(3)?;
            let key = KeyId(r.bytes_of()?);
            let parts = r.array()?;
            seen.open(key, parts, 0)?;
            let first = self.places.len();
            for _ in 0..parts {
                r.array_of(2)?;
                let number = r.uint()?;
                let slot = Slot::from_number(number).ok_or(FormatError::UnknownNumber { what: "slot", number })?;
                let place = (slot, r.uint_as()?);
                seen.take(&self.places, place)?;
                self.places.push(place);
            }
            let sealed = r.bytes()?.len();
            seen.grow(sealed)?;
            let end = r.position();
            self.boxes.push((key, first..self.places.len(), end - sealed..end));
        }
        Ok(r.end()?)
    }

    /// The boxes; the bytes are those that were read.
    pub fn boxes<'t, 'a: 't>(&'t self, bytes: &'a [u8]) -> impl Iterator<Item = BoxView<'t, 'a>> {
        self.boxes.iter().filter_map(|(key, places, sealed)| {
            let places = self.places.get(places.clone())?;
            Some(BoxView { key: *key, places, sealed: bytes.get(sealed.clone())? })
        })
    }
}

/// What a list of boxes has had so far.
#[derive(Default)]
struct Seen {
    key: Option<KeyId>,
    bytes: usize,
    /// The last place of the box that is open.
    last: Option<(Slot, u8)>,
    places: usize,
}

impl Seen {
    fn open(&mut self, key: KeyId, parts: usize, bytes: usize) -> Result<(), FormatError> {
        if self.key.is_some_and(|last| last >= key) {
            return Err(FormatError::Order("boxes"));
        }
        if parts == 0 {
            return Err(FormatError::Empty("box"));
        }
        at_most("parts", self.places + parts, PARTS_MAX)?;
        (self.key, self.last) = (Some(key), None);
        self.places += parts;
        self.grow(bytes)
    }

    /// The next place of the box, behind those before.
    fn take(&mut self, before: &[(Slot, u8)], place: (Slot, u8)) -> Result<(), FormatError> {
        if self.last.is_some_and(|last| last >= place) {
            return Err(FormatError::Order("parts"));
        }
        // Few enough to be looked through.
        if before.contains(&place) {
            return Err(FormatError::Twice("part"));
        }
        self.last = Some(place);
        Ok(())
    }

    fn grow(&mut self, bytes: usize) -> Result<(), FormatError> {
        self.bytes = self.bytes.saturating_add(bytes);
        at_most("stored bytes", self.bytes, BOXES_BYTES_MAX)
    }
}
