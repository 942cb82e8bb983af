//! Which key signs which sizes: what the bundle lists is what the records of keys come to, and each checkpoint's key counts
//! for its size.

use super::logs::Log;
use super::refused::Refused;
use super::story::Cited;
use crate::proof::bundle::{Bundle, KeyRange};
use crate::proof::checkpoint::NoteKey;
use crate::proof::keyring::{KeyChange, KeyRing, STREAM};
use crate::proof::record::{Kind, Slot};

/// Holds listed ranges and signing keys against the cited records of the stream of keys.
pub(super) fn check(bundle: &Bundle, logs: &[Log], cited: &Cited<'_>) -> Result<(), Refused> {
    let refuse = |what: &str| Refused::new("key.range", "keys", what);
    let Some(first) = logs.first() else { return Ok(()) };
    let universe = logs.len() - 1;
    let mut ring = KeyRing::default();
    let mut threads = cited.threads.iter().filter(|((log, _), records)| {
        let is_of = records.first().is_some_and(|held| {
            held.header.kind == Kind::Key && held.header.event.as_ref().is_some_and(|event| event.as_str() == STREAM)
        });
        *log == universe && is_of
    });
    // Whoever leaves them out has the list alone to go by, and so has the verifier: a key that the trust file names can write
    // such records itself, so to ask for them would prove no more.
    let Some((_, records)) = threads.next() else { return Ok(()) };
    if threads.next().is_some() {
        return Err(refuse("there are two streams of the store's keys"));
    }
    let contents: Option<Vec<&[u8]>> = records.iter().map(|held| held.content(Slot::Change)).collect();
    let Some(contents) = contents else { return Ok(()) };
    for content in contents {
        KeyChange::decode(content)
            .and_then(|change| ring.take(&first.store, change))
            .map_err(|e| Refused::new("key.range", "keys", e))?;
    }
    let mut wanted = Vec::new();
    for (place, log) in logs.iter().enumerate() {
        let key = log.key.key();
        if !ring.allows(key, &log.tenant, log.checkpoint.size) {
            return Err(Refused::new(
                "key.range",
                format!("logs {place}"),
                "the key that signed the checkpoint does not count for its size",
            ));
        }
        for range in ring.ranges(&log.tenant) {
            let vkey = NoteKey::new(log.key.name(), range.key).map_err(|e| Refused::new("key.range", "keys", e))?;
            wanted.push(KeyRange { log: place, vkey: vkey.to_string(), from: range.from, to: range.to });
        }
    }
    if bundle.keys == wanted { Ok(()) } else { Err(refuse("the keys listed are not those that the records of keys come to")) }
}
