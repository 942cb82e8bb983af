//! The store's keys, before anything that they signed is looked at: which of them counts for a note.

use super::Pass;
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::keys;
use crate::store::Tx;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::{Checkpoint, Note, NoteKey, origin, origin_parts};
use hos_core::proof::keyring::KeyChange;
use hos_core::proof::verify::LogVerifier;
use hos_core::refusal::Code;

/// Reads the records of keys. They are what the log says too: the fold compares them.
pub(super) fn read(tx: &Tx<'_>, pass: &mut Pass<'_>, vkey: Option<&str>) -> Result<(), Failure> {
    let read = keys::placed(tx).and_then(|placed| {
        let (places, records): (Vec<Option<u64>>, Vec<Vec<u8>>) = placed.into_iter().unzip();
        Ok((keys::ring_of(&pass.court.of.store, &records)?, places, records))
    });
    match read {
        Ok((ring, places, records)) => {
            hold(tx, pass, &places, &records)?;
            (pass.seals, pass.key_records) = (ring, records);
        }
        Err(failure) => pass.findings.add("hos.keys", failure.message),
    }
    match vkey {
        Some(text) => {
            let key = NoteKey::parse(text).map_err(|e| Failure::new(Code::ValueInvalid, format!("the vkey given: {e}")))?;
            // A change of key is signed for by the key before it: whoever has one of the keys has all that follow.
            if !pass.seals.knows(key.key()) {
                pass.findings.add("hos_store seal_key", "the store is sealed with another key than the one given");
            }
        }
        None => {
            pass.notices.push("checkpoints were verified with the store's own key; a verifier's own copy of it says more".into())
        }
    }
    if let Some(key) = pass.seals.pending() {
        pass.notices.push(keys::begun(key));
    }
    Ok(())
}

/// Holds what each record says against its own entry: a change takes the universe from a size that is counted from there. What waits
/// has no place yet.
fn hold(tx: &Tx<'_>, pass: &mut Pass<'_>, places: &[Option<u64>], records: &[Vec<u8>]) -> Result<(), Failure> {
    let epochs = Epochs::of(tx, &Tenant::universe(), pass.court.of)?;
    let mut is_begun_in_log = true;
    for (place, content) in places.iter().zip(records) {
        let change = KeyChange::decode(content);
        match &change {
            Ok(KeyChange::Rotated(..)) => is_begun_in_log = place.is_some(),
            Ok(KeyChange::Confirmed(..)) if !is_begun_in_log => {
                // The old key vouches for a change by signing the log that has it.
                pass.findings.add("hos.keys", "a key's record: a change is confirmed that has no place in the log yet");
            }
            _ => {}
        }
        let Some(seq) = *place else { continue };
        if let Err(e) = change.and_then(|change| change.fits(seq, epochs.at(seq))) {
            pass.findings.add(format!("hos.keys, seq {seq}"), format!("a key's record: {e}"));
        }
    }
    Ok(())
}

/// The key that must have signed this note of a log: the one whose turn it was at the note's size. One that another key of
/// the store signed is out of that key's range; the store's own, under a key that was revoked, is worth nothing and no lie.
pub(super) fn of_note(pass: &mut Pass<'_>, tenant: &Tenant, note: &str, is_own: bool) -> Result<NoteKey, Failure> {
    let of = pass.court.of;
    // A note of no log is held against this one's own name, and does not hold.
    let first = note.lines().next().unwrap_or_default();
    let name = origin_parts(first).map_or_else(|| origin(&of.store, tenant, of.epoch), |_| first.to_owned());
    let invalid = |e: hos_core::proof::checkpoint::NoteError| Failure::new(Code::KeyInvalid, e.to_string());
    let parsed = Note::parse(note.as_bytes()).ok();
    let size = parsed.as_ref().and_then(|note| Checkpoint::parse(note.text()).ok()).map_or(u64::MAX, |said| said.size);
    let fallback = pass.court.signing.public();
    let reigning = pass.seals.reigning(tenant, size).cloned().unwrap_or(fallback);
    let mut signers = Vec::new();
    for key in pass.seals.keys().map(|(key, _)| key.clone()).collect::<Vec<_>>() {
        let named = NoteKey::new(name.as_str(), key.clone()).map_err(invalid)?;
        if parsed.as_ref().is_some_and(|note| note.verify(&named).is_ok()) {
            signers.push((key, named));
        }
    }
    let counts = |key| pass.seals.allows(key, tenant, size);
    if let Some((_, named)) = signers.iter().find(|(key, _)| counts(key)) {
        return Ok(named.clone());
    }
    if let Some((_, named)) = signers.iter().find(|(key, _)| is_own && *key == reigning) {
        let why = "stands under a key that was revoked: nobody vouches for it until the log grows";
        pass.notices.push(format!("the stored checkpoint of `{tenant}` at size {size} {why}"));
        return Ok(named.clone());
    }
    if let Some((_, named)) = signers.into_iter().next() {
        pass.findings.add(
            format!("checkpoint of `{tenant}` at size {size}"),
            "key.range: the key that signed it does not count for this size",
        );
        return Ok(named);
    }
    NoteKey::new(name, reigning).map_err(invalid)
}

/// The checkpoints by which one key vouched for the next stand in the universe's log, and must be of it.
pub(super) fn expect_closings(pass: &Pass<'_>, tenant: &Tenant, verifier: &mut LogVerifier) {
    if tenant.is_universe() {
        for (note, key) in pass.seals.closings() {
            if let Ok(named) = NoteKey::new(note.lines().next().unwrap_or_default(), key.clone()) {
                verifier.expect(note.as_bytes(), &named);
            }
        }
    }
}
