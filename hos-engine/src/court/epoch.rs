//! Epochs of a store: where each began, and beginning another after the log's end was lost (`spec/chain.md`).

use crate::Failure;
use crate::court::founding::KEY_EPOCH;
use crate::court::{Court, Group};
use crate::seal;
use crate::settings::Seal;
use crate::store::Tx;
use crate::store::sql::{evidence as sql, law as law_sql};
use crate::work::NewEpoch;
use hos_core::digest;
use hos_core::id::{EntryHash, StoreId, Tenant};
use hos_core::judge::{self, Act};
use hos_core::proof::epoch::{STREAM, Turn};
use hos_core::proof::record::Kind;
use hos_core::refusal::Code;

/// The size that a note says, in its second line.
pub(crate) fn marked_size(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

/// Where the epochs of a log begin.
#[derive(Debug, Default)]
pub(crate) struct Epochs {
    /// The store's epoch now.
    now: u64,
    /// Epoch, the first entry, what it goes on from; ascending.
    turns: Vec<(u64, u64, String)>,
}

impl Epochs {
    /// Of a log that has had none but the store's.
    #[cfg(test)]
    pub(crate) fn new(of: seal::Origin) -> Self {
        Self { now: of.epoch, turns: Vec::new() }
    }

    /// Reads them.
    pub(crate) fn of(tx: &Tx<'_>, tenant: &Tenant, of: seal::Origin) -> Result<Self, Failure> {
        let rows = tx.rows(&sql::epochs(tenant))?;
        let turns = rows.iter().map(|row| Ok((row.uint(0)?, row.uint(1)?, row.text(2)?.to_owned())));
        Ok(Self { now: of.epoch, turns: turns.collect::<Result<_, Failure>>()? })
    }

    /// The epoch of an entry.
    pub(crate) fn at(&self, seq: u64) -> u64 {
        let begun = self.turns.partition_point(|(_, from, _)| *from <= seq);
        let began = begun.checked_sub(1).and_then(|place| self.turns.get(place)).map(|(epoch, ..)| *epoch);
        began.unwrap_or(if self.turns.is_empty() { self.now } else { 0 })
    }

    /// The epoch that begins with an entry, and what it goes on from.
    pub(crate) fn begins(&self, seq: u64) -> Option<(u64, &str)> {
        // Of several that begin with it the last does: an epoch in which a log had no entry has no record.
        let begun = self.turns.partition_point(|(_, from, _)| *from <= seq);
        let last = begun.checked_sub(1).and_then(|place| self.turns.get(place));
        last.filter(|(_, from, _)| *from == seq).map(|(epoch, _, note)| (*epoch, note.as_str()))
    }

    /// What an entry cites: the entry before, or the genesis of the epoch that begins with it.
    pub(crate) fn prev(&self, store: &StoreId, tenant: &Tenant, seq: u64, before: Option<EntryHash>) -> EntryHash {
        match (self.begins(seq), before) {
            (Some((epoch, note)), _) => digest::genesis_hash(store, epoch, tenant, note.as_bytes()),
            (None, Some(before)) => before,
            (None, None) => digest::genesis_hash(store, self.at(0), tenant, &[]),
        }
    }

    /// All turns: epoch, first entry, what it goes on from.
    pub(crate) fn turns(&self) -> &[(u64, u64, String)] {
        &self.turns
    }
}

impl Court {
    /// Begins another epoch in every log: its first record says what was lost and what is kept. In one commit: a crash before
    /// it leaves the store in quarantine, after it all logs have turned.
    pub(crate) fn new_epoch(&self, tx: &Tx<'_>, group: &mut Group, new: &NewEpoch) -> Result<(), Failure> {
        if self.settings.seal != Seal::Inline {
            return Err(Failure::new(Code::CallMalformed, "an epoch begins where records are sealed inline"));
        }
        if !group.unsealed.is_empty() {
            return Err(Failure::new(Code::Retry, "an epoch begins in a commit of its own"));
        }
        let epoch = new.epoch;
        for tenant in self.tenants(tx)? {
            let mut head = if tx.is_shared() { self.lock_head(tx, &tenant)? } else { seal::head(tx, &tenant, self.of)? };
            let stored = tx.row(&sql::checkpoint(&tenant))?.map(|row| row.text(1).map(str::to_owned)).transpose()?;
            let note = new.lost.get(&tenant).cloned().or(stored).unwrap_or_default();
            let turn = Turn { epoch, note, size: head.size, root: head.frontier.root(), reason: new.reason.clone() };
            if head.epoch > 0 && head.size > 0 && tx.rows(&sql::epochs(&tenant))?.is_empty() {
                // A log that was opened in a later epoch, and has entries of it: its beginning is said now that it will have two.
                tx.execute(&sql::insert_epoch(&tenant, head.epoch, 0, ""))?;
            }
            tx.execute(&sql::insert_epoch(&tenant, epoch, head.size, &turn.note))?;
            head.epoch = epoch;
            head.entry = digest::genesis_hash(&self.of.store, epoch, &tenant, turn.note.as_bytes());
            group.heads.insert(tenant.clone(), head);
            let view = self.view(tx, group, &tenant)?;
            let bench = self.bench(tx, group, &tenant, &view, None)?;
            let change = turn.encode();
            let act = Act { kind: Kind::Epoch, stream: STREAM, by: None, change: &change, judged: None };
            let draft = judge::act(&bench, &act)?;
            let (thread, n, _) = self.write_own(tx, group, &tenant, draft, &bench.seed)?;
            // It comes before what waits in the queue: it is the epoch's first entry.
            let mut record = std::mem::take(&mut group.unsealed);
            if tx.is_shared() {
                record.push(self.out_of_queue(tx, &tenant, &thread, n)?);
            }
            seal::seal(tx, self.of, self.sealing(), &mut group.heads, &record)?;
            if let Some(head) = group.heads.get(&tenant) {
                tx.execute(&sql::put_head(&tenant, head))?;
            }
        }
        tx.execute(&law_sql::set_store_value(KEY_EPOCH, &epoch.to_be_bytes()))?;
        Ok(())
    }
}
