//! The epochs of a log: where each begins stands in a row, and its first record must say the same.

use super::{Pass, since};
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::keys;
use crate::court::lost::Ended;
use crate::mark::marked;
use crate::store::Tx;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::Checkpoint;
use hos_core::proof::epoch::Turn;
use hos_core::proof::record::Kind;
use hos_core::proof::tree::Frontier;
use hos_core::refusal::Code;

/// Holds the first record of an epoch, or the lack of one, against the rows: at an entry, with the tree below it, a record of this kind
/// that says this.
pub(super) fn hold(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    epochs: &Epochs,
    (seq, below): (u64, &Frontier),
    (kind, content): (Kind, Option<&[u8]>),
) {
    let row = epochs.begins(seq);
    let at = || format!("hos_epoch {tenant} seq {seq}");
    let is_turn = kind == Kind::Epoch;
    let said = content.filter(|_| is_turn).and_then(|bytes| Turn::decode(bytes).ok());
    match (row, said) {
        (None, _) if is_turn => pass.findings.add(at(), "an epoch begins here, and the row is missing"),
        (Some((_, "")), None) if seq == 0 && !is_turn => {}
        (Some(_), None) => pass.findings.add(at(), "column seq: no record begins an epoch here"),
        (Some((epoch, note)), Some(turn)) => {
            let from = from_note(pass, tenant, &turn);
            match marked(&pass.court.of.store, &turn.note) {
                _ if turn.note.is_empty() || from.is_some() => {}
                // A store that was put back to before a change of key does not know the key that sealed what was lost.
                Ok((whose, lost)) if whose == *tenant && lost.epoch < turn.epoch => {
                    let of = format!("epoch {} of `{tenant}` goes on from a checkpoint", turn.epoch);
                    pass.notices.push(format!("{of} under a key that this store does not know: it excuses nothing"));
                }
                _ => pass.findings.add(at(), "what the epoch goes on from is no checkpoint of this log, of an epoch before it"),
            }
            if (turn.epoch, turn.note.as_str()) != (epoch, note) {
                pass.findings.add(at(), "columns epoch or note: not what the epoch's first record says");
            }
            if turn.size != seq || (turn.size, turn.root) != (below.size(), below.root()) {
                pass.findings.add(at(), "the epoch keeps other entries than those below it");
            }
            if let Some(from) = from {
                let words = if from.size > turn.size {
                    format!("{} entries were signed for", from.size)
                } else if since::root_of(tx, tenant, from.size) == Ok(from.root) {
                    "nothing of it was lost".to_owned()
                } else {
                    "another history of it was signed".to_owned()
                };
                pass.notices.push(format!("epoch {} of `{tenant}` goes on from {} entries: {words}", turn.epoch, turn.size));
            }
        }
        (None, _) => {}
    }
}

/// What an epoch goes on from: a checkpoint of this log and of an epoch before, which a key of the store signed. Whether it excuses any
/// other is asked elsewhere ([`Court::ended`](crate::court::Court::ended)).
fn from_note(pass: &Pass<'_>, tenant: &Tenant, turn: &Turn) -> Option<Checkpoint> {
    let (whose, from) = marked(&pass.court.of.store, &turn.note).ok()?;
    let is_ours = whose == *tenant && from.epoch < turn.epoch && pass.seals.keys().any(|(key, _)| keys::is_signed(key, &from));
    is_ours.then_some(from.said)
}

/// Holds the rows against the entries that were met: each names one, and they ascend. What no entry was held against would excuse a
/// checkpoint by itself.
pub(super) fn all_met(pass: &mut Pass<'_>, tenant: &Tenant, epochs: &Epochs, from: u64, met: &[u64]) {
    let mut last: Option<(u64, u64)> = None;
    for (epoch, seq, _) in epochs.turns() {
        let at = || format!("hos_epoch {tenant} epoch {epoch}");
        if *epoch == 0 {
            pass.findings.add(at(), "column epoch: the first epoch has no row");
        } else if last.is_some_and(|(before, began)| before >= *epoch || (began >= *seq && *seq > 0)) {
            pass.findings.add(at(), "columns epoch and seq: not behind the epoch before");
        } else if *seq >= from && met.binary_search(seq).is_err() {
            pass.findings.add(at(), "column seq: the log has no such entry");
        }
        last = Some((*epoch, *seq));
    }
}

/// Checkpoints from outside that no log can have any more, because an epoch that began since says that they are lost: taken
/// out, each with a notice. What no epoch admits stays, and will not hold.
pub(super) fn admit<'a>(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, anchors: &[&'a str]) -> Result<Vec<&'a str>, Failure> {
    let mut kept = Vec::new();
    for anchor in anchors {
        let Ok((_, said)) = marked(&pass.court.of.store, anchor) else {
            kept.push(*anchor);
            continue;
        };
        let size = said.said.size;
        match pass.court.ended(tx, &pass.seals, tenant, &said) {
            Ok(Ended::Lost(epoch)) => {
                let what = format!("is of entries that were lost, as epoch {epoch} says: it vouches for nothing here");
                pass.notices.push(format!("the checkpoint of `{tenant}` at size {size} {what}"));
            }
            Ok(Ended::Unsigned(epoch)) => {
                let what = "began, and no checkpoint of it is signed: it excuses nothing";
                pass.notices.push(format!("epoch {epoch} of `{tenant}` {what}, and so not the checkpoint at size {size}"));
                kept.push(*anchor);
            }
            Ok(_) => kept.push(*anchor),
            // What does not read excuses nothing, and is found where it stands.
            Err(failure) if failure.code == Code::StoreIntegrity => kept.push(*anchor),
            Err(failure) => return Err(failure),
        }
    }
    Ok(kept)
}
