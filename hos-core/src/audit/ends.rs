//! Whether the records are all: the map of heads says where the thread ends.

use super::item::hold;
use super::logs::Log;
use super::refused::Refused;
use super::story::Story;
use crate::canon::Reader;
use crate::digest;
use crate::id::MapHash;
use crate::proof::bundle::Bundle;
use crate::proof::heads::{Head, HeadKind, verify_presence};
use crate::proof::record::{Kind, Slot};

/// The records are all, as of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complete {
    /// The entry that holds the map of heads.
    pub as_of: u64,
    /// Whether the map knows the instance by its id, or only its thread.
    pub labelled: bool,
}

const AT: &str = "heads";

/// What a record of kind `heads` says: the size covered, the number of leaves, the root.
fn content(bytes: &[u8]) -> Option<(u64, u64, MapHash)> {
    let mut r = Reader::new(bytes);
    r.array_of(3).ok()?;
    let said = (r.uint().ok()?, r.uint().ok()?, MapHash(r.bytes_of().ok()?));
    r.end().ok().map(|()| said)
}

/// Holds the thread's end against the map; says as of which entry it is complete. Without a map nothing is said.
pub(super) fn check(bundle: &Bundle, logs: &[Log], story: &Story<'_>) -> Result<Option<Complete>, Refused> {
    let (Some(proof), Some(log)) = (&bundle.heads, logs.first()) else { return Ok(None) };
    let (Some(first), Some(last)) = (story.records.first(), story.records.last()) else { return Ok(None) };
    let held = hold(&proof.item, log, AT)?;
    let wrong = |code: &'static str, why: &str| Refused::new(code, AT, why);
    let said = held.content(Slot::Change).filter(|_| held.header.kind == Kind::Heads).and_then(content);
    let (size, _, root) = said.ok_or_else(|| wrong("heads.record", "this is no record of the map of heads"))?;
    if size != held.entry.seq {
        return Err(wrong("heads.size", "the map is made of other entries than those below its record"));
    }
    if last.entry.seq >= size {
        return Err(wrong("heads.behind", "the bundle has records that the map does not cover"));
    }
    let labelled = first.header.label.is_some();
    let key = first.header.label.unwrap_or_else(|| digest::heads_thread(&log.tenant, &bundle.thread));
    let head = Head { key, kind: proof.kind, thread: bundle.thread, n: proof.n, last: proof.last };
    verify_presence(&root, &head, &proof.siblings).map_err(|e| Refused::new("heads.root", AT, e))?;
    let erased = last.header.kind == Kind::Erased;
    if last.place().map(|place| place.n) != Ok(proof.n) || last.hash != proof.last || erased != (proof.kind == HeadKind::Erased) {
        return Err(wrong("heads.end", "the thread ends elsewhere: records are missing or too many"));
    }
    Ok(Some(Complete { as_of: held.entry.seq, labelled }))
}
