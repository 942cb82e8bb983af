//! The laws of a bundle: their files, and that each record was judged under the law that was then in force.

use super::item::Held;
use super::refused::Refused;
use super::story::{Cited, Story};
use crate::canon::Reader;
use crate::digest;
use crate::id::LawHash;
use crate::proof::bundle::Bundle;
use crate::proof::record::{Kind, Slot};
use std::collections::HashSet;

/// The stream of activations.
const STREAM: &str = "hos.law";
/// How far a claimed time may be off, in milliseconds: the engine refuses larger steps.
const SKEW_MS: i64 = 5000;

/// Holds the laws, then each record's activation.
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
    for (place, held) in story.records.iter().enumerate() {
        activation(held, cited, &format!("records {place}"))?;
    }
    Ok(())
}

/// The law that an activation puts in force.
fn put_in_force(held: &Held<'_>) -> Option<LawHash> {
    let is_one = held.header.kind == Kind::Activated && held.header.event.as_ref().is_some_and(|e| e.as_str() == STREAM);
    let mut r = Reader::new(held.content(Slot::Change).filter(|_| is_one)?);
    r.array_of(3).ok()?;
    r.bytes_of().ok().map(LawHash)
}

fn activation(held: &Held<'_>, cited: &Cited<'_>, at: &str) -> Result<(), Refused> {
    let missing = || Refused::new("activation.missing", at, "the activation that the record cites is not in the bundle");
    let (slot, place) = held.header.activation.and_then(|hash| cited.find(&hash)).ok_or_else(missing)?;
    let thread = cited.threads.get(slot).ok_or_else(missing)?;
    let this = thread.get(place).ok_or_else(missing)?;
    let law = put_in_force(this).ok_or_else(missing)?;
    if held.header.law != Some(law) {
        return Err(Refused::new("activation.law", at, "the activation put another law in force"));
    }
    let time = held.header.time.0;
    if time.saturating_add(SKEW_MS) < this.header.time.0 {
        return Err(Refused::new("activation.early", at, "the record claims a time before its law was activated"));
    }
    if thread.get(place + 1).is_some_and(|next| time > next.header.time.0.saturating_add(SKEW_MS)) {
        return Err(Refused::new("activation.stale", at, "another law was in force by then"));
    }
    Ok(())
}
