//! The checkpoints of a bundle: whether they are believed, and whether somebody besides the log vouches for them.

use super::refused::Refused;
use crate::id::{StoreId, Tenant};
use crate::proof::bundle::{Bundle, KeyRange};
use crate::proof::checkpoint::{Checkpoint, Note, NoteError, NoteKey, origin, origin_parts};
use crate::proof::trust::{Trust, Vouching};

/// A log whose checkpoint is believed.
pub(super) struct Log {
    pub(super) store: StoreId,
    pub(super) epoch: u64,
    pub(super) tenant: Tenant,
    /// The log's keys that signed its checkpoint, one at least.
    pub(super) keys: Vec<NoteKey>,
    pub(super) checkpoint: Checkpoint,
    /// Who cosigned it; whether that is enough is asked later.
    pub(super) vouching: Vouching,
}

/// Believes the instance's log by the trust file, and the universe's under the same keys.
pub(super) fn believe(bundle: &Bundle, trust: &Trust) -> Result<Vec<Log>, Refused> {
    let mut logs: Vec<Log> = Vec::with_capacity(2);
    for (place, said) in bundle.logs.iter().enumerate() {
        let at = || format!("logs {place}");
        let wrong = || Refused::new("log.origin", at(), "the checkpoint is of another log than the bundle says");
        match logs.first() {
            None => {
                let (checkpoint, keys) = trust.signers(said.note.as_bytes()).map_err(|e| Refused::new(e.code(), at(), e))?;
                let vouching = vouching(&said.note, trust).map_err(|e| refuse(e, at()))?;
                let (store, tenant, epoch) = origin_parts(&checkpoint.origin).ok_or_else(wrong)?;
                if tenant.as_str() != said.tenant {
                    return Err(wrong());
                }
                logs.push(Log { store, epoch, tenant, keys, checkpoint, vouching });
            }
            Some(first) => {
                let tenant = Tenant::universe();
                if said.tenant != Tenant::UNIVERSE || first.tenant.is_universe() {
                    return Err(wrong());
                }
                let name = origin(&first.store, &tenant, first.epoch);
                if said.note.split('\n').next() != Some(&name) {
                    return Err(wrong());
                }
                let (keys, checkpoint) =
                    opened(&said.note, &name, &first.checkpoint.origin, trust).map_err(|e| refuse(e, at()))?;
                let vouching = vouching(&said.note, trust).map_err(|e| refuse(e, at()))?;
                let (store, epoch) = (first.store, first.epoch);
                logs.push(Log { store, epoch, tenant, keys, checkpoint, vouching });
            }
        }
    }
    let first = logs.first().ok_or_else(|| Refused::new("bundle.empty", "logs", "there is no log"))?;
    let signers: Vec<String> = first.keys.iter().map(NoteKey::to_string).collect();
    let size = first.checkpoint.size;
    let holds = |k: &KeyRange| k.log == 0 && signers.contains(&k.vkey) && k.from <= size && (k.to == 0 || size <= k.to);
    if bundle.keys.iter().any(holds) {
        Ok(logs)
    } else {
        Err(Refused::new("key.range", "keys", "the key that signed the checkpoint is not listed for its size"))
    }
}

fn refuse(error: NoteError, at: String) -> Refused {
    Refused::new(format!("checkpoint.{}", error.code()), at, error)
}

fn vouching(note: &str, trust: &Trust) -> Result<Vouching, NoteError> {
    trust.vouching(&Note::parse(note.as_bytes())?)
}

/// Opens the universe's checkpoint under the keys that the trust file names for the instance's log: after a change of key an
/// idle log still stands under the old one.
fn opened(note: &str, name: &str, first: &str, trust: &Trust) -> Result<(Vec<NoteKey>, Checkpoint), NoteError> {
    let note = Note::parse(note.as_bytes())?;
    let known: Result<Vec<NoteKey>, NoteError> = trust.keys_of(first).map(|key| NoteKey::new(name, key.key().clone())).collect();
    let known = known?;
    let signers = note.signers(&known)?.into_iter().cloned().collect();
    Ok((signers, Checkpoint::parse(note.text())?))
}

/// Whether somebody besides the log vouches for the instance's checkpoint: witnesses that the trust file asks for, or a
/// checkpoint that the verifier kept.
pub(super) fn anchored(logs: &[Log], trust: &Trust, kept: &[&[u8]]) -> Result<bool, Refused> {
    let Some(log) = logs.first() else { return Ok(false) };
    Ok(trust.asks_witnesses() | is_kept(&log.checkpoint, trust, kept)?)
}

/// Whether one of the checkpoints that the verifier kept is this one. One that was kept of the same size with another root is a fork; of an
/// earlier epoch it says nothing here, for what it was of may be lost, as that epoch's end says.
pub(super) fn is_kept(checkpoint: &Checkpoint, trust: &Trust, kept: &[&[u8]]) -> Result<bool, Refused> {
    let mut found = false;
    for (place, note) in kept.iter().enumerate() {
        let (opened, _) = kept_of(note, &checkpoint.origin, trust).map_err(|e| refuse(e, against(place)))?;
        if opened.size != checkpoint.size {
            continue;
        }
        if opened.root == checkpoint.root {
            found = true;
        } else if opened.origin == checkpoint.origin {
            return Err(forked(place));
        }
    }
    Ok(found)
}

/// Where a checkpoint stands that the verifier kept.
pub(super) fn against(place: usize) -> String {
    format!("against {place}")
}

/// What is said where a log's checkpoint and one that the verifier kept cannot be of one log.
pub(super) fn forked(place: usize) -> Refused {
    Refused::new("trust.fork", against(place), "the log signed two roots for one size: it is forked")
}

/// What was kept is of the log, of its epoch or an earlier one, under any key that the trust file names for it: it may be from before a
/// change of key. A key is named once, so those of the log's own name count under the names that it had in earlier epochs too. With it
/// one of those that signed it.
pub(super) fn kept_of(note: &[u8], origin: &str, trust: &Trust) -> Result<(Checkpoint, NoteKey), NoteError> {
    let note = Note::parse(note)?;
    let name = name_of(note.text(), origin)?;
    let renamed = trust.keys_of(origin).map(|key| NoteKey::new(name, key.key().clone()));
    let known: Vec<NoteKey> = if name == origin {
        trust.keys_of(origin).cloned().collect()
    } else {
        trust.keys_of(name).cloned().map(Ok).chain(renamed).collect::<Result<_, _>>()?
    };
    let key = note.signers(&known)?.into_iter().next().cloned().ok_or(NoteError::Unsigned)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin == name { Ok((checkpoint, key)) } else { Err(NoteError::Origin(checkpoint.origin)) }
}

/// The name under which a note must be signed to be the log's: the log's own, or the one that it had in an earlier epoch, where the note
/// says so.
fn name_of<'n>(text: &'n str, origin: &'n str) -> Result<&'n str, NoteError> {
    let said = text.split('\n').next().unwrap_or_default();
    match (origin_parts(said), origin_parts(origin)) {
        (Some((store, tenant, epoch)), Some((of, log, now))) if store == of && tenant == log => {
            if epoch <= now {
                Ok(said)
            } else {
                Err(NoteError::Origin(said.to_owned()))
            }
        }
        _ => Ok(origin),
    }
}
