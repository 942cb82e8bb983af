//! What a log says of a checkpoint of an epoch before its own: that the entries are kept, or that they were lost.
//!
//! Who can write the store can write an epoch's first record and its row too, and cite a checkpoint that somebody showed them. So an
//! epoch counts only where a checkpoint of it, or of a later one, is signed and has the record in its tree; and what it goes on from
//! counts only under a key that had its turn when the epoch began.

use crate::Failure;
use crate::court::epoch::Epochs;
use crate::court::placed::Placed;
use crate::court::{Court, keys, lock};
use crate::mark::Marked;
use crate::seal;
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use hos_core::id::Tenant;
use hos_core::proof::epoch::Turn;
use hos_core::proof::keyring::KeyRing;
use hos_core::proof::record::Kind;

/// How a checkpoint stands in a log that may have gone on in a later epoch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// No later epoch began in this log.
    Goes,
    /// The entries that it is of are kept.
    Kept,
    /// They were lost, or another history was signed, as this epoch says.
    Lost(u64),
    /// A row says that this epoch began, and no record does.
    Unrecorded(u64),
    /// This epoch began, and no checkpoint of it is signed: it excuses nothing.
    Unsigned(u64),
    /// This epoch says nothing of it.
    Unsaid(u64),
}

impl Court {
    /// How a checkpoint stands. `ring` are the store's keys.
    pub(crate) fn ended(&self, tx: &Tx<'_>, ring: &KeyRing, tenant: &Tenant, marked: &Marked) -> Result<Ended, Failure> {
        let epochs = Epochs::of(tx, tenant, self.of)?;
        let Some((next, seq, note)) = epochs.turns().iter().find(|(next, ..)| *next > marked.epoch) else {
            return Ok(Ended::Goes);
        };
        let Some((record, turn)) = self.turn_at(tx, tenant, *seq)? else { return Ok(Ended::Unrecorded(*next)) };
        if (turn.epoch, turn.size, &turn.note) != (*next, *seq, note) {
            return Ok(Ended::Unrecorded(*next));
        }
        let (now, said) = (seal::head(tx, tenant, self.of)?.size, &marked.said);
        if said.size <= *seq && (said.size == 0 || seal::root_at(tx, tenant, now, said.size)? == said.root) {
            return Ok(Ended::Kept);
        }
        if !self.is_vouched(tx, ring, tenant, now, *next, &record)? {
            return Ok(Ended::Unsigned(*next));
        }
        let before = keys::before(tx, self.of, *next)?;
        let lost = keys::signed(&before, &self.of.store, tenant, note).filter(|lost| lost.epoch < *next).map(|lost| lost.said);
        // Of another history that was signed the epoch goes on from the note that says so.
        let is_said = lost.is_some_and(|lost| match said.size > *seq {
            true => lost.size >= said.size,
            false => (lost.size, lost.root) == (said.size, said.root),
        });
        Ok(if is_said { Ended::Lost(*next) } else { Ended::Unsaid(*next) })
    }

    /// The record at an entry, and what it says of an epoch that begins with it.
    fn turn_at(&self, tx: &Tx<'_>, tenant: &Tenant, seq: u64) -> Result<Option<(Placed, Turn)>, Failure> {
        let Some(record) = Placed::read(tx, self.of, tenant, seq)? else { return Ok(None) };
        let turn = record.says(Kind::Epoch).and_then(Result::ok).and_then(|content| Turn::decode(&content).ok());
        Ok(turn.map(|turn| (record, turn)))
    }

    /// Whether a checkpoint of this epoch or a later one counts, and has the record in its tree.
    fn is_vouched(
        &self,
        tx: &Tx<'_>,
        ring: &KeyRing,
        tenant: &Tenant,
        now: u64,
        epoch: u64,
        record: &Placed,
    ) -> Result<bool, Failure> {
        let known = lock(&self.checkpoints).get(tenant).map(|signed| signed.note.to_string());
        let stored = tx.row(&sql::checkpoint(tenant))?.map(|row| row.text(1).map(str::to_owned)).transpose()?;
        let has = |note: String| {
            let said = keys::signed(ring, &self.of.store, tenant, &note).filter(|said| said.epoch >= epoch).map(|said| said.said);
            said.is_some_and(|said| said.size > record.seq() && record.is_in(tx, tenant, now, said.size, &said.root))
        };
        Ok(known.into_iter().chain(stored).any(has))
    }
}
