//! The laws of a bundle: their files, and that each record was judged under the law that was then in force.

use super::item::Held;
use super::refused::Refused;
use super::story::{Cited, Story};
use crate::canon::Reader;
use crate::digest;
use crate::id::{LawHash, RecordHash};
use crate::law::mode::Modes;
use crate::proof::bundle::Bundle;
use crate::proof::record::{Kind, Slot};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The stream of activations.
const STREAM: &str = "hos.law";
/// How far a claimed time may be off from its activation, in milliseconds: the engine refuses larger steps.
pub const SKEW_MS: i64 = 5000;

/// Holds the laws, then each record's activation, then its time.
pub(super) fn check(bundle: &Bundle, story: &Story<'_>, cited: &Cited<'_>) -> Result<(), Refused> {
    let mut known: HashSet<LawHash> = HashSet::new();
    for (place, law) in bundle.laws.iter().enumerate() {
        if digest::law_hash(law.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))) != law.hash {
            return Err(Refused::new("law.hash", format!("laws {place}"), "the files are not those of the hash"));
        }
        known.insert(law.hash);
    }
    for (place, held) in story.records.iter().enumerate() {
        let at = format!("records {place}");
        for law in held.header.law.iter().chain(&held.header.guard_law) {
            if !known.contains(law) {
                return Err(Refused::new("law.missing", at, format!("law {law} is not in the bundle")));
            }
        }
    }
    let activations = activations(cited);
    let mut judged = Vec::with_capacity(story.records.len());
    for (place, held) in story.records.iter().enumerate() {
        let at = format!("records {place}");
        let found = held.header.activation.and_then(|hash| activations.get(&hash));
        let (this, next) = *found.ok_or_else(|| missing(&at))?;
        let (law, _) = put_in_force(this).ok_or_else(|| missing(&at))?;
        if held.header.law != Some(law) {
            return Err(Refused::new("activation.law", at, "the activation put another law in force"));
        }
        judged.push((at, held, this, next));
    }
    // Times are looked at once every record has its law: the duties go row by row.
    judged.into_iter().try_for_each(|(at, held, this, next)| in_time(held, this, next, &at))
}

/// The table of modes that each activation set, by its record.
pub(super) fn modes(cited: &Cited<'_>) -> HashMap<RecordHash, Arc<Modes>> {
    let set = |held: &Held<'_>| Modes::decode(put_in_force(held)?.1).ok().map(Arc::new);
    activations(cited).into_iter().filter_map(|(hash, (held, _))| Some((hash, set(held)?))).collect()
}

/// The law that an activation puts in force, and the bytes of its table of modes.
fn put_in_force<'h>(held: &'h Held<'_>) -> Option<(LawHash, &'h [u8])> {
    let mut r = Reader::new(held.content(Slot::Change)?);
    r.array_of(3).ok()?;
    let law = LawHash(r.bytes_of().ok()?);
    let candidate = r.bytes().ok()?;
    let modes = r.bytes().ok()?;
    (matches!(candidate.len(), 0 | 32) && r.end().is_ok()).then_some((law, modes))
}

/// Whether a record is one of the stream of activations: its class says so, and its place stands in the entry.
fn activates(held: &Held<'_>) -> bool {
    let of_stream = held.header.event.as_ref().is_some_and(|class| class.as_str() == STREAM);
    held.header.kind == Kind::Activated && of_stream && held.entry.stream.is_some()
}

/// Each activation that is cited, and the one after it.
fn activations<'c>(cited: &'c Cited<'c>) -> HashMap<RecordHash, (&'c Held<'c>, Option<&'c Held<'c>>)> {
    let mut found = HashMap::new();
    for thread in cited.threads.values() {
        let of_stream: Vec<&Held<'_>> = thread.iter().filter(|held| activates(held)).collect();
        let next = of_stream.iter().skip(1).copied().map(Some).chain([None]);
        found.extend(of_stream.iter().copied().zip(next).map(|(held, next)| (held.hash, (held, next))));
    }
    found
}

/// Whether a record claims a time at which its activation was in force.
fn in_time(held: &Held<'_>, this: &Held<'_>, next: Option<&Held<'_>>, at: &str) -> Result<(), Refused> {
    let time = held.header.time.0;
    if next.is_some_and(|next| time > next.header.time.0.saturating_add(SKEW_MS)) {
        return Err(Refused::new("activation.stale", at, "another law was in force by then"));
    }
    if time.saturating_add(SKEW_MS) < this.header.time.0 {
        return Err(Refused::new("activation.early", at, "the record claims a time before its law was activated"));
    }
    Ok(())
}

fn missing(at: &str) -> Refused {
    Refused::new("activation.missing", at, "the activation that the record cites is not in the bundle")
}
