//! The epochs of a log: where each begins stands in a row, and its first record must say the same.

use super::Pass;
use crate::Failure;
use crate::court::epoch::{Epochs, marked_size};
use crate::court::keys::is_signed;
use hos_core::id::Tenant;
use hos_core::proof::epoch::Turn;
use hos_core::proof::record::Kind;
use hos_core::proof::tree::Frontier;

/// Holds the first record of an epoch, or the lack of one, against the rows. `tree` is the tree below the entry.
pub(super) fn hold(
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    epochs: &Epochs,
    seq: u64,
    below: &Frontier,
    kind: Kind,
    content: Option<&[u8]>,
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
            if !turn.note.is_empty() && !is_signed(&pass.seals, &turn.note) {
                pass.findings.add(at(), "what the epoch goes on from is signed by none of the store's keys");
            }
            if (turn.epoch, turn.note.as_str()) != (epoch, note) {
                pass.findings.add(at(), "columns epoch or note: not what the epoch's first record says");
            }
            if turn.size != seq || (turn.size, turn.root) != (below.size(), below.root()) {
                pass.findings.add(at(), "the epoch keeps other entries than those below it");
            }
            let lost = marked_size(&turn.note).filter(|size| *size > turn.size);
            let words = lost
                .map_or_else(|| "another history of it was signed".to_owned(), |size| format!("{size} entries were signed for"));
            if lost.is_some() || !turn.note.is_empty() {
                pass.notices.push(format!("epoch {} of `{tenant}` goes on from {} entries: {words}", turn.epoch, turn.size));
            }
        }
        (None, _) => {}
    }
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
pub(super) fn admit<'a>(
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    epochs: &Epochs,
    anchors: &[&'a str],
) -> Result<Vec<&'a str>, Failure> {
    let store = pass.court.of.store;
    let mut kept = Vec::new();
    for anchor in anchors {
        let Ok((_, said)) = crate::mark::marked(&store, anchor) else {
            kept.push(*anchor);
            continue;
        };
        let ended = epochs.turns().iter().find(|(epoch, ..)| *epoch > said.epoch);
        let admitted = ended.is_some_and(|(_, seq, note)| {
            said.said.size > *seq && (note == anchor || marked_size(note).is_some_and(|lost| lost >= said.said.size))
        });
        if admitted {
            let what = "is of entries that were lost, as a later epoch says: it vouches for nothing here";
            pass.notices.push(format!("the checkpoint of `{tenant}` at size {} {what}", said.said.size));
        } else {
            kept.push(*anchor);
        }
    }
    Ok(kept)
}
