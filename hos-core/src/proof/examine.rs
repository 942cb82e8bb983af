//! What one record shows by itself, from its bytes: canonical form, hashes, and every part that can be opened against its
//! commitment.
//!
//! Pure, and of no other record: who verifies many may examine several at once. What depends on the records before (log,
//! threads, tree) is [`super::verify`]'s, which takes what was examined here in the log's order.

use super::chain::EntryView;
use super::format::FormatError;
use super::part::{PartError, SubjectKey};
use super::record::Slot;
use super::report::Broken;
use super::stored::{BoxTable, BoxView, Content, Piece, StoredBox, checked, listed_at};
use super::view::HeaderView;
use crate::digest;
use crate::id::{EntryHash, KeyId, RecordHash, TreeHash};
use std::ops::Range;

/// Memory that serves for record after record.
#[derive(Debug, Default)]
pub struct Examiner {
    table: BoxTable,
    aad: Vec<u8>,
    entry: Vec<u8>,
}

/// A record that was examined, over its bytes.
#[derive(Debug)]
pub struct Examined<'a> {
    bytes: &'a [u8],
    pub(super) header: Result<HeaderView<'a>, FormatError>,
    hash: RecordHash,
    /// Why the list of boxes could not be read.
    list: Option<FormatError>,
    pub(super) withheld: bool,
    /// Parts that are what the header commits to, and those whose key is not there.
    pub(super) held: u64,
    pub(super) erased: u64,
    /// Which these are, each with that key.
    gone: Vec<(Slot, u8, KeyId)>,
    /// What does not hold of the parts.
    pub(super) broken: Vec<Broken>,
    pieces: Vec<Held<'a>>,
    /// What sealed boxes hold.
    room: Vec<u8>,
}

/// A part that is what the header commits to.
#[derive(Debug)]
struct Held<'a> {
    slot: Slot,
    index: u8,
    /// The key of the box that it came out of; all zero: it was in the clear.
    key: KeyId,
    content: Content<'a>,
}

impl Examiner {
    /// Examines a record by its header's bytes and those of its stored parts. A list that cannot be read counts as one without
    /// boxes, and [`Examined::list_error`] says why. `keys` gives the key of an id, or nothing when it was destroyed.
    pub fn record<'a>(
        &mut self,
        header: &'a [u8],
        parts: &'a [u8],
        keys: impl FnMut(&KeyId) -> Option<SubjectKey>,
    ) -> Examined<'a> {
        let mut examined = Examined::of(header);
        let Self { table, aad, .. } = self;
        examined.list = table.read(parts).err();
        examined.boxes(table.boxes(parts), keys, aad);
        examined
    }

    /// Examines a record by its header's bytes and its boxes; without them its parts are withheld.
    pub fn record_of<'a>(
        &mut self,
        header: &'a [u8],
        boxes: Option<&'a [StoredBox<'_>]>,
        keys: impl FnMut(&KeyId) -> Option<SubjectKey>,
    ) -> Examined<'a> {
        let mut examined = Examined::of(header);
        match boxes {
            Some(boxes) => examined.boxes(boxes.iter().map(StoredBox::view), keys, &mut self.aad),
            None => examined.withheld = true,
        }
        examined
    }

    /// Hashes an entry around the header of a record that was examined.
    pub fn entry<'a>(&mut self, entry: EntryView<'a>, record: Examined<'a>) -> ExaminedEntry<'a> {
        let entry = EntryView { header: record.bytes, ..entry };
        ExaminedEntry { hashes: self.hashes(&entry), entry, record }
    }

    fn hashes(&mut self, entry: &EntryView<'_>) -> Result<(EntryHash, TreeHash), FormatError> {
        self.entry = entry.encode_into(std::mem::take(&mut self.entry))?;
        Ok((digest::entry_hash(&self.entry), digest::tree_leaf(&self.entry)))
    }
}

impl<'a> Examined<'a> {
    fn of(header: &'a [u8]) -> Self {
        Self {
            bytes: header,
            header: HeaderView::decode(header),
            hash: digest::record_hash(header),
            list: None,
            withheld: false,
            held: 0,
            erased: 0,
            gone: Vec::new(),
            broken: Vec::new(),
            pieces: Vec::new(),
            room: Vec::new(),
        }
    }

    /// The header, if its bytes are one.
    pub fn header(&self) -> Option<&HeaderView<'a>> {
        self.header.as_ref().ok()
    }

    /// Why the header's bytes are none.
    pub fn header_error(&self) -> Option<&FormatError> {
        self.header.as_ref().err()
    }

    /// What does not hold of the parts.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// The record's hash.
    pub fn hash(&self) -> RecordHash {
        self.hash
    }

    /// Why the list of boxes could not be read, if it could not.
    pub fn list_error(&self) -> Option<&FormatError> {
        self.list.as_ref()
    }

    /// The plaintext of the first part of a slot that the header lists, where it was opened and holds.
    pub fn part(&self, slot: Slot) -> Option<&[u8]> {
        self.part_under(slot).map(|(_, plaintext)| plaintext)
    }

    /// The same with the key that it was sealed under, which is all zero where it was in the clear.
    pub fn part_under(&self, slot: Slot) -> Option<(KeyId, &[u8])> {
        let listed = self.header()?.parts.iter().find(|part| part.slot == slot)?;
        let held = self.pieces.iter().find(|held| (held.slot, held.index) == (slot, listed.index))?;
        Some((held.key, self.piece(&held.content).plaintext()))
    }

    /// The key under which the first part of a slot lies that the header lists, where it could not be opened because that key is not there.
    pub fn part_gone(&self, slot: Slot) -> Option<KeyId> {
        let listed = self.header()?.parts.iter().find(|part| part.slot == slot)?;
        let gone = self.gone.iter().find(|(of, index, _)| (*of, *index) == (slot, listed.index));
        gone.map(|(.., key)| *key)
    }

    fn piece<'s>(&'s self, content: &Content<'s>) -> Piece<'s> {
        match content {
            Content::Clear(bytes) => Piece::in_range(bytes, 0..bytes.len()),
            Content::Room(range) => Piece::in_range(&self.room, range.clone()),
        }
    }

    /// Holds the boxes against the header's list. A box with a part that is not listed, or is in another box too, is not
    /// opened: what it was sealed for is not known.
    fn boxes<'p>(
        &mut self,
        boxes: impl Iterator<Item = BoxView<'p, 'a>>,
        mut keys: impl FnMut(&KeyId) -> Option<SubjectKey>,
        aad: &mut Vec<u8>,
    ) where
        'a: 'p,
    {
        let Ok(header) = &self.header else { return };
        let listed = &header.parts;
        self.pieces.reserve_exact(listed.len());
        // A bit for each part listed; a header lists 64 at most.
        let mut there = 0u64;
        for stored in boxes {
            aad.clear();
            let mut all = true;
            for place in stored.places {
                match listed_at(listed, *place) {
                    Some((at, part)) if there >> at & 1 == 0 => {
                        there |= 1 << at;
                        aad.extend_from_slice(part.commitment.as_bytes());
                    }
                    _ => {
                        all = false;
                        self.broken.push(Broken::PartUnlisted { slot: place.0, index: place.1 });
                    }
                }
            }
            if !all {
                continue;
            }
            let key = if stored.is_clear() { None } else { keys(&stored.key) };
            let before = self.room.len();
            let opened = stored.open(key.as_ref(), aad, &mut self.room).and_then(|content| {
                let bytes = match &content {
                    Content::Clear(bytes) => bytes,
                    Content::Room(range) => self.room.get(range.clone()).unwrap_or_default(),
                };
                Ok((checked(bytes, stored.places.len())?, content))
            });
            match opened {
                Err(PartError::KeyMissing) => {
                    self.erased += stored.places.len() as u64;
                    self.gone.extend(stored.places.iter().map(|(slot, index)| (*slot, *index, stored.key)));
                }
                Err(error) => self.broken.push(unopened(&stored, error)),
                Ok((pieces, content)) => {
                    let mut from = 0;
                    for ((slot, index), (piece, commitment)) in stored.places.iter().copied().zip(pieces.zip(aad.chunks(32))) {
                        let range = from..from + piece.len();
                        from = range.end;
                        if piece.commitment().as_bytes() != commitment {
                            self.broken.push(Broken::Part { slot, index, error: PartError::Mismatch });
                            continue;
                        }
                        self.held += 1;
                        self.pieces.push(Held { slot, index, key: stored.key, content: within(&content, range, before) });
                    }
                }
            }
        }
        for (at, part) in listed.iter().enumerate().filter(|(at, _)| there >> at & 1 == 0) {
            debug_assert!(at < 64, "a header lists 64 parts at most");
            self.broken.push(Broken::PartMissing { slot: part.slot, index: part.index });
        }
    }
}

/// A part of a content.
fn within<'a>(content: &Content<'a>, range: Range<usize>, before: usize) -> Content<'a> {
    match content {
        Content::Clear(bytes) => Content::Clear(bytes.get(range).unwrap_or_default()),
        Content::Room(_) => Content::Room(before + range.start..before + range.end),
    }
}

/// A box that does not open is named by its first part.
fn unopened(stored: &BoxView<'_, '_>, error: PartError) -> Broken {
    stored.places.first().map_or(Broken::BoxEmpty, |(slot, index)| Broken::Part { slot: *slot, index: *index, error })
}

/// An entry and its record, examined. Its hashes are of these very fields.
#[derive(Debug)]
pub struct ExaminedEntry<'a> {
    pub(super) entry: EntryView<'a>,
    pub(super) hashes: Result<(EntryHash, TreeHash), FormatError>,
    pub(super) record: Examined<'a>,
}

impl<'a> ExaminedEntry<'a> {
    /// The entry.
    pub fn entry(&self) -> &EntryView<'a> {
        &self.entry
    }

    /// The record.
    pub fn record(&self) -> &Examined<'a> {
        &self.record
    }

    /// Lets the entry cite this predecessor: where it was hashed with another one, it is hashed anew.
    pub fn cite(&mut self, prev: EntryHash, examiner: &mut Examiner) {
        if self.entry.prev != prev {
            self.entry.prev = prev;
            self.hashes = examiner.hashes(&self.entry);
        }
    }
}
