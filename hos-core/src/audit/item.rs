//! One record of a bundle: its bytes, its place under the checkpoint, what of it is disclosed.

use super::logs::Log;
use super::refused::Refused;
use crate::digest;
use crate::id::RecordHash;
use crate::judge::decode_text;
use crate::proof::bundle::{Item, Why};
use crate::proof::chain::{ChainError, Entry, Place};
use crate::proof::format::FormatError;
use crate::proof::record::{Header, Slot};
use crate::proof::tree::{TreeError, verify_inclusion};

/// A record that holds.
pub(super) struct Held<'b> {
    pub(super) entry: Entry,
    pub(super) header: Header,
    pub(super) hash: RecordHash,
    pub(super) item: &'b Item,
    place: Result<Place, ChainError>,
}

impl Held<'_> {
    /// Its place in its thread.
    pub(super) fn place(&self) -> Result<Place, ChainError> {
        self.place
    }

    /// The content of the first part of a slot, if it is disclosed.
    pub(super) fn content(&self, slot: Slot) -> Option<&[u8]> {
        self.contents(slot).next()
    }

    /// The contents of all disclosed parts of a slot.
    pub(super) fn contents(&self, slot: Slot) -> impl Iterator<Item = &[u8]> {
        self.item.opened.iter().filter(move |part| part.slot == slot).map(|part| &part.plaintext[..])
    }

    /// The ids that are disclosed: what the thread's handle stands for.
    pub(super) fn ids(&self) -> impl Iterator<Item = Option<String>> {
        self.contents(Slot::Id).map(|bytes| decode_text(bytes).ok())
    }

    /// Whether the header lists a part of a slot that is not disclosed.
    pub(super) fn withholds(&self, slot: Slot) -> bool {
        self.item.withheld.iter().any(|part| part.slot == slot)
    }

    /// How many parts are withheld for this reason.
    pub(super) fn withheld(&self, why: Why) -> u64 {
        self.item.withheld.iter().filter(|part| part.why == why).count() as u64
    }
}

/// Holds an item against its log.
pub(super) fn hold<'b>(item: &'b Item, log: &Log, at: &str) -> Result<Held<'b>, Refused> {
    let entry = Entry::decode(&item.entry).map_err(|e| Refused::new(format!("entry.{}", e.code()), at, e))?;
    let foreign = || Refused::new("foreign", at, "the record is of another store, tenant or epoch");
    if entry.store != log.store || entry.epoch > log.epoch || entry.tenant != log.tenant {
        return Err(foreign());
    }
    if entry.disputed.is_some() {
        return Err(Refused::new("disputed", at, "the sealer disputes this record: nothing of it is vouched for"));
    }
    let wrong = |e: FormatError| Refused::new(format!("header.{}", e.code()), at, e);
    let header = Header::decode(&entry.header).map_err(wrong)?;
    let place = Place::of(&header, entry.stream);
    if header.store != log.store || header.tenant != log.tenant {
        return Err(foreign());
    }
    let (size, root) = (log.checkpoint.size, &log.checkpoint.root);
    verify_inclusion(entry.seq, size, &digest::tree_leaf(&item.entry), &item.proof, root).map_err(|e| {
        let code = match e {
            TreeError::Range => "inclusion.range",
            TreeError::Root => "inclusion.root",
            _ => "inclusion.length",
        };
        Refused::new(code, at, e)
    })?;
    parts(item, &header, at)?;
    let hash = digest::record_hash(&entry.header);
    Ok(Held { entry, header, hash, item, place })
}

/// Opened and withheld together name what the header lists, each once; what is opened is what it commits to.
fn parts(item: &Item, header: &Header, at: &str) -> Result<(), Refused> {
    let wrong = |code: &'static str, (slot, index): (Slot, u8), what: &str| {
        Err(Refused::new(code, at, format!("part {slot:?} {index} {what}")))
    };
    let opened: Vec<(Slot, u8)> = item.opened.iter().map(|p| (p.slot, p.index)).collect();
    let withheld: Vec<(Slot, u8)> = item.withheld.iter().map(|p| (p.slot, p.index)).collect();
    let listed: Vec<(Slot, u8)> = header.parts.iter().map(|p| (p.slot, p.index)).collect();
    // All three ascend, so each search is short however many a hostile item names.
    if let Some(place) = opened.iter().chain(&withheld).find(|place| listed.binary_search(place).is_err()) {
        return wrong("part.unlisted", *place, "is not listed by the header");
    }
    if let Some(place) = listed.iter().find(|p| opened.binary_search(p).is_err() && withheld.binary_search(p).is_err()) {
        return wrong("part.missing", *place, "is neither opened nor withheld");
    }
    if let Some(place) = opened.iter().find(|place| withheld.binary_search(place).is_ok()) {
        return wrong("part.twice", *place, "is both opened and withheld");
    }
    for part in &item.opened {
        let commits = header.parts.iter().find(|p| (p.slot, p.index) == (part.slot, part.index)).map(|p| p.commitment);
        if commits != Some(digest::commitment(&part.salt, &part.plaintext)) {
            return wrong("part.mismatch", (part.slot, part.index), "is not what the header commits to");
        }
    }
    Ok(())
}
