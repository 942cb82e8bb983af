//! The checkpoints of a bundle: whether they are believed, and whether somebody besides the log vouches for them.

use super::refused::Refused;
use crate::id::{StoreId, Tenant};
use crate::proof::bundle::Bundle;
use crate::proof::checkpoint::{Checkpoint, Note, NoteError, NoteKey, origin, origin_parts};
use crate::proof::trust::{Trust, Vouching};

/// A log whose checkpoint is believed.
pub(super) struct Log {
    pub(super) store: StoreId,
    pub(super) epoch: u64,
    pub(super) tenant: Tenant,
    pub(super) key: NoteKey,
    pub(super) checkpoint: Checkpoint,
    /// Who cosigned it; whether that is enough is asked later.
    pub(super) vouching: Vouching,
}

/// Believes the instance's log by the trust file, and the universe's under the same key.
pub(super) fn believe(bundle: &Bundle, trust: &Trust) -> Result<Vec<Log>, Refused> {
    let mut logs: Vec<Log> = Vec::with_capacity(2);
    for (place, said) in bundle.logs.iter().enumerate() {
        let at = || format!("logs {place}");
        let wrong = || Refused::new("log.origin", at(), "the checkpoint is of another log than the bundle says");
        match logs.first() {
            None => {
                let (checkpoint, key) = trust.signed(said.note.as_bytes()).map_err(|e| Refused::new(e.code(), at(), e))?;
                let vouching = vouching(&said.note, trust).map_err(|e| refuse(e, at()))?;
                let (store, tenant, epoch) = origin_parts(&checkpoint.origin).ok_or_else(wrong)?;
                if tenant.as_str() != said.tenant {
                    return Err(wrong());
                }
                logs.push(Log { store, epoch, tenant, key, checkpoint, vouching });
            }
            Some(first) => {
                let tenant = Tenant::universe();
                if said.tenant != Tenant::UNIVERSE || first.tenant.is_universe() {
                    return Err(wrong());
                }
                let name = origin(&first.store, &tenant, first.epoch);
                if said.note.lines().next() != Some(&name) {
                    return Err(wrong());
                }
                let (key, checkpoint) = opened(&said.note, &name, &first.key, trust).map_err(|e| refuse(e, at()))?;
                let vouching = vouching(&said.note, trust).map_err(|e| refuse(e, at()))?;
                let (store, epoch) = (first.store, first.epoch);
                logs.push(Log { store, epoch, tenant, key, checkpoint, vouching });
            }
        }
    }
    let first = logs.first().ok_or_else(|| Refused::new("bundle.empty", "logs", "there is no log"))?;
    let vkey = first.key.to_string();
    let size = first.checkpoint.size;
    let ranged = bundle.keys.iter().any(|k| k.log == 0 && k.vkey == vkey && k.from <= size && (k.to == 0 || size <= k.to));
    if ranged {
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

/// Opens the universe's checkpoint under the key of the instance's, or another that the trust file names for the instance's
/// log: after a change of key an idle log still stands under the old one.
fn opened(note: &str, name: &str, first: &NoteKey, trust: &Trust) -> Result<(NoteKey, Checkpoint), NoteError> {
    let others = trust.logs().iter().filter(|key| key.name() == first.name() && key.key() != first.key());
    let mut unsigned = NoteError::Unsigned;
    for key in std::iter::once(first).chain(others) {
        let key = NoteKey::new(name, key.key().clone())?;
        match Checkpoint::open(note.as_bytes(), &key) {
            Ok(checkpoint) => return Ok((key, checkpoint)),
            Err(NoteError::Unsigned) => {}
            Err(error) => unsigned = error,
        }
    }
    Err(unsigned)
}

/// Whether somebody besides the log vouches for the instance's checkpoint: witnesses that the trust file asks for, or a
/// checkpoint that the verifier kept. One that was kept of the same size with another root is a fork.
pub(super) fn anchored(logs: &[Log], trust: &Trust, kept: &[String]) -> Result<bool, Refused> {
    let Some(log) = logs.first() else { return Ok(false) };
    let mut anchored = trust.asks_witnesses();
    for (place, note) in kept.iter().enumerate() {
        let opened = Checkpoint::open(note.as_bytes(), &log.key);
        let opened = opened.map_err(|e| Refused::new(format!("checkpoint.{}", e.code()), format!("against {place}"), e))?;
        if opened.size == log.checkpoint.size {
            if opened.root != log.checkpoint.root {
                let what = "the log signed two roots for one size: it is forked";
                return Err(Refused::new("trust.fork", format!("against {place}"), what));
            }
            anchored = true;
        }
    }
    Ok(anchored)
}
