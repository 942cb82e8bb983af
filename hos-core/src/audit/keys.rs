//! Which key signs which sizes: what the bundle lists is what the records of keys come to, and each checkpoint's key counts
//! for its size.

use super::item::Held;
use super::logs::Log;
use super::refused::Refused;
use super::story::Cited;
use crate::proof::bundle::{Bundle, KeyRange};
use crate::proof::checkpoint::NoteKey;
use crate::proof::keyring::{KeyChange, KeyRing, STREAM};
use crate::proof::record::{Kind, Slot};
use crate::proof::trust::Trust;

const AT: &str = "keys";

/// A record of keys, and its content.
type Said<'c> = (&'c Held<'c>, &'c [u8]);

/// Holds listed ranges and signing keys against the cited records of the stream of keys. Says whether the trust file names a
/// key of the log that they do not tell of.
pub(super) fn check(bundle: &Bundle, logs: &[Log], cited: &Cited<'_>, trust: &Trust) -> Result<bool, Refused> {
    let Some(first) = logs.first() else { return Ok(false) };
    let said = said(logs, cited)?;
    let named: Vec<&NoteKey> = trust.keys_of(&first.checkpoint.origin).collect();
    let Some(said) = said else {
        // Of one key they could say nothing that who has it could not write otherwise; of several they say which counts.
        return if named.len() < 2 {
            Ok(false)
        } else {
            let what = "the trust file names several keys for the log, and the records that say which counts for which sizes are not shown";
            Err(Refused::new("key.missing", AT, what))
        };
    };
    let ring = ring(first, &said)?;
    held(bundle, logs, &ring)?;
    let tells_of = |key: &NoteKey| ring.keys().any(|(known, confirmed)| confirmed && known == key.key());
    Ok(named.len() > 1 && !named.iter().all(|key| tells_of(key)))
}

/// Whether a record is one of the stream: its class says so, and its place stands in the entry.
fn is_of_stream(held: &Held<'_>) -> bool {
    held.entry.stream.is_some() && held.header.event.as_ref().is_some_and(|class| class.as_str() == STREAM)
}

/// The records of keys and what each says; none where they are not there, or not all of them are disclosed.
fn said<'c>(logs: &[Log], cited: &'c Cited<'_>) -> Result<Option<Vec<Said<'c>>>, Refused> {
    let refuse = |what: &str| Err(Refused::new("key.range", AT, what));
    let of_universe = |log: &usize| logs.get(*log).is_some_and(|log| log.tenant.is_universe());
    let mut threads = cited.threads.iter().filter(|((log, _), thread)| of_universe(log) && thread.iter().any(is_of_stream));
    let Some((_, thread)) = threads.next() else { return Ok(None) };
    if threads.next().is_some() {
        return refuse("there are two streams of the store's keys");
    }
    if !thread.iter().all(|held| is_of_stream(held) && held.header.kind == Kind::Key) {
        return refuse("a record of the store's keys is of another kind or class");
    }
    Ok(thread.iter().map(|held| Some((held, held.content(Slot::Change)?))).collect())
}

fn ring(first: &Log, said: &[Said<'_>]) -> Result<KeyRing, Refused> {
    let mut ring = KeyRing::default();
    for (held, content) in said {
        KeyChange::decode(content)
            .and_then(|change| {
                change.fits(held.entry.seq, held.entry.epoch)?;
                ring.take(&first.store, change)
            })
            .map_err(|e| Refused::new("key.range", AT, e))?;
    }
    Ok(ring)
}

/// Holds the signing keys, then the list, against what the records come to.
fn held(bundle: &Bundle, logs: &[Log], ring: &KeyRing) -> Result<(), Refused> {
    let mut wanted = Vec::new();
    for (place, log) in logs.iter().enumerate() {
        if !log.keys.iter().any(|key| ring.allows(key.key(), &log.tenant, log.checkpoint.size)) {
            let what = "no key that signed the checkpoint counts for its size";
            return Err(Refused::new("key.range", format!("logs {place}"), what));
        }
        for range in ring.ranges(&log.tenant) {
            let vkey = NoteKey::new(log.checkpoint.origin.as_str(), range.key).map_err(|e| Refused::new("key.range", AT, e))?;
            wanted.push(KeyRange { log: place, vkey: vkey.to_string(), from: range.from, to: range.to });
        }
    }
    let what = "the keys listed are not those that the records of keys come to";
    if bundle.keys == wanted { Ok(()) } else { Err(Refused::new("key.range", AT, what)) }
}
