//! Cosigned checkpoints that the store keeps: each is of the log, and every line on it is the log's or a witness's whose key is
//! kept beside it.

use super::Pass;
use crate::Failure;
use crate::court::cosigned::{self, Cosigned, KEPT_MAX};
use crate::report::CosignedNote;
use crate::store::Tx;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::{Checkpoint, Note, WitnessKey};

/// Looks at what is kept of a log. Gives the notes, for the log itself to be held against.
pub(super) fn read(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant) -> Result<Vec<String>, Failure> {
    let kept = match cosigned::of(tx, tenant) {
        Ok(kept) => kept,
        Err(failure) => {
            pass.findings.add(format!("hos_cosigned {tenant}"), failure.message);
            return Ok(Vec::new());
        }
    };
    if kept.len() > KEPT_MAX {
        pass.findings.add(format!("hos_cosigned {tenant}"), format!("{} rows are kept where {KEPT_MAX} may be", kept.len()));
    }
    let trust = pass.trust;
    let is_believed = |key: &&WitnessKey| trust.is_none_or(|trust| trust.witnesses().any(|(_, named, _)| named == *key));
    for one in &kept {
        match witnesses(one) {
            Ok(keys) => {
                let witnesses: Vec<String> = keys.iter().filter(is_believed).map(ToString::to_string).collect();
                if witnesses.is_empty() {
                    let what =
                        format!("who cosigned `{tenant}` at {} is nobody whom the trust file names: it does not count", one.size);
                    pass.notices.push(what);
                    continue;
                }
                let (tenant, note) = (tenant.to_string(), one.note.clone());
                pass.cosigned.push(CosignedNote { tenant, size: one.size, witnesses, note });
            }
            Err(why) => pass.findings.add(format!("hos_cosigned {tenant} size {}", one.size), why),
        }
    }
    Ok(kept.into_iter().map(|one| one.note).collect())
}

/// The witnesses whose lines a note bears, and no other line but the log's.
fn witnesses(one: &Cosigned) -> Result<Vec<WitnessKey>, String> {
    let note = Note::parse(one.note.as_bytes()).map_err(|e| format!("column note: {e}"))?;
    let said = Checkpoint::parse(note.text()).map_err(|e| format!("column note: {e}"))?;
    if said.size != one.size {
        return Err("column size: the note is of another size".into());
    }
    let mut keys: Vec<WitnessKey> = Vec::new();
    for line in one.witnesses.strip_suffix('\n').ok_or("column witnesses: no line ends it")?.split('\n') {
        let key = WitnessKey::parse(line).map_err(|e| format!("column witnesses: {e}"))?;
        if key.to_string() != line || keys.contains(&key) {
            return Err("column witnesses: a key is not written in the one way, or comes twice".into());
        }
        if !key.vouches(&note).map_err(|e| format!("column note: {}: {e}", key.name()))? {
            return Err(format!("column witnesses: {} did not sign the note", key.name()));
        }
        keys.push(key);
    }
    // Each key has a line, and the log's own is looked for with the log: one more belongs to nobody.
    if note.signatures().len() != keys.len() + 1 {
        return Err("column note: it bears a line of a witness that is not named".into());
    }
    Ok(keys)
}
