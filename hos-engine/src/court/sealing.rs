//! How records get their places in a tenant's log: in the commit that writes them, or later, from the queue.

use crate::Failure;
use crate::court::{Court, Group, Signed, lock, streams};
use crate::seal::{self, Sealing, Unsealed};
use crate::settings::Seal;
use crate::store::sql::{claim, evidence as sql, inbox};
use crate::store::{Row, Tx};
use crate::work::Drained;
use hos_core::digest;
use hos_core::id::{EntryHash, Handle, RecordHash, Tenant};
use hos_core::limits::HEADER_BYTES_MAX;
use hos_core::proof::record::{Header, Kind, stream_of};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use std::collections::HashSet;

/// How many records are taken from a queue at once by who takes them all.
const DRAINED: usize = 256;

impl Court {
    /// The newest time that the tenant's log claims.
    pub(crate) fn last_sealed(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant) -> Result<Option<Timestamp>, Failure> {
        if self.settings.clock_confirmed {
            return Ok(None);
        }
        self.meet_head(tx, group, tenant)?;
        Ok(group.heads.get(tenant).filter(|h| h.size > 0).map(|h| h.sealed_at))
    }

    /// When it is now, for what is no record and cannot be taken back.
    ///
    /// # Errors
    /// `hos.clock_implausible` where a call would be refused for it.
    pub(super) fn believed_now(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant) -> Result<Timestamp, Failure> {
        let now = self.clock.now();
        let implausible = |what: String| Failure::new(Code::ClockImplausible, what);
        if !now.is_claimable() {
            return Err(implausible(format!("the clock says {now}")));
        }
        let last = self.last_sealed(tx, group, tenant)?;
        match last.filter(|last| now.0 > last.0.saturating_add(self.settings.limits.jump_max_ms)) {
            Some(last) => Err(implausible(format!("the clock jumped from {last} to {now}"))),
            None => Ok(now),
        }
    }

    /// When it is now, for a sealer.
    pub(super) fn sealing(&self) -> Sealing {
        let jump_max_ms = if self.settings.clock_confirmed { i64::MAX } else { self.settings.limits.jump_max_ms };
        Sealing { now: self.clock.now(), jump_max_ms }
    }

    /// Gives a record its way into the log: in this commit, or through the queue.
    pub(crate) fn lay(&self, tx: &Tx<'_>, group: &mut Group, record: Unsealed) -> Result<(), Failure> {
        match self.settings.seal {
            Seal::Inline if !tx.is_shared() => group.unsealed.push(record),
            // Where others write beside us, nobody holds the end of a log longer than it takes to seal.
            Seal::Inline | Seal::Worker => {
                tx.execute(&sql::enqueue(&record.tenant, &record.thread, record.n))?;
            }
        }
        Ok(())
    }

    pub(super) fn seal_group(&self, tx: &Tx<'_>, group: &mut Group) -> Result<(), Failure> {
        if group.unsealed.is_empty() {
            return Ok(());
        }
        let now = self.sealing();
        let mut tenants: Vec<Tenant> = group.unsealed.iter().map(|r| r.tenant.clone()).collect();
        tenants.sort();
        tenants.dedup();
        for tenant in &tenants {
            self.meet_head(tx, group, tenant)?;
            if group.drained.contains(tenant) {
                continue;
            }
            // What waits in the queue from a time of worker sealing comes first: sealed order is the order of writing.
            while tx.row(&sql::queued(tenant))?.is_some() && self.drain(tx, group, tenant, DRAINED)?.is_something() {}
            group.drained.insert(tenant.clone());
        }
        let records = std::mem::take(&mut group.unsealed);
        self.seal_at_end(tx, group, now, &records)?;
        for tenant in tenants {
            if let Some(head) = group.heads.get(&tenant) {
                tx.execute(&sql::put_head(&tenant, head))?;
            }
        }
        Ok(())
    }

    /// Gives records the places at the ends of their logs, and notes them in the group.
    fn seal_at_end(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        now: Sealing,
        records: &[Unsealed],
    ) -> Result<Vec<(u64, EntryHash)>, Failure> {
        let places = seal::seal(tx, self.of, now, &mut group.heads, records)?;
        if let Some(last) = records.iter().rev().find(|record| record.tenant.is_universe()) {
            group.ends_plainly = !Header::decode(&last.header).is_ok_and(|header| header.kind == Kind::Key);
        }
        group.sealed.extend(records.iter().zip(&places).map(|(record, place)| ((record.thread, record.n), *place)));
        Ok(places)
    }

    /// Seals a page of a tenant's queue. A row that leads to nothing, or to what no entry can hold in its place, is set aside, and
    /// holds up nobody: who may add rows may add such ones, and as many as they like, so a page that held no others is a page too,
    /// behind which the end of the log can be let go.
    pub(crate) fn drain(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant, limit: usize) -> Result<Drained, Failure> {
        self.hold_head(tx, group, tenant)?;
        let taken = self.taken(tx, tenant, limit)?;
        taken.nothing.iter().try_for_each(|pos| tx.execute(&sql::set_aside(tenant, *pos)).map(drop))?;
        dequeue(tx, tenant, &taken.places)?;
        let drained = Drained { sealed: taken.records.len() as u64, aside: taken.nothing.len() as u64 };
        if taken.records.is_empty() {
            return Ok(drained);
        }
        self.seal_at_end(tx, group, self.sealing(), &taken.records)?;
        if let Some(head) = group.heads.get(tenant) {
            tx.execute(&sql::put_head(tenant, head))?;
        }
        Ok(drained)
    }

    /// Takes the first records of a tenant's queue, in the order in which they are sealed: that of the queue, and within each
    /// thread the thread's own, whatever places in the queue its records have.
    fn taken(&self, tx: &Tx<'_>, tenant: &Tenant, limit: usize) -> Result<Taken, Failure> {
        let mut taken = Taken::default();
        // Records of the inbox that go behind others of their stream, and those others' thread.
        let mut held: Vec<(i64, [u8; 16], Handle)> = Vec::new();
        // Threads of which a record came up before the one that it follows.
        let mut early: Vec<Handle> = Vec::new();
        for row in &tx.rows(&sql::queue(tenant, limit))? {
            if taken.records.len() >= limit {
                break;
            }
            let pos = row.int(0)?;
            let Ok(id) = row.bytes(1) else {
                taken.nothing.push(pos);
                continue;
            };
            if row.int(2)? == claim::WAITING {
                let Some(name) = self.waits_for(tx, tenant, id)? else {
                    taken.nothing.push(pos);
                    continue;
                };
                match self.goes_behind(tx, tenant, &name, &taken.records)? {
                    Some(thread) => held.push((pos, id, thread)),
                    None => taken.take(pos, self.place(tx, tenant, id)?),
                }
                continue;
            }
            let record = self.queued(tx, tenant, row)?;
            let thread = record.as_ref().map(|record| record.thread);
            if let Some(thread) = thread
                && !taken.follows(row)?
            {
                early.push(thread);
                continue;
            }
            taken.take(pos, record);
            let mut at = 0;
            while let Some((pos, id, of)) = held.get(at).copied().filter(|_| taken.records.len() < limit) {
                if Some(of) == thread
                    && let Some(name) = self.waits_for(tx, tenant, id)?
                    && self.goes_behind(tx, tenant, &name, &taken.records)?.is_none()
                {
                    taken.take(pos, self.place(tx, tenant, id)?);
                    held.remove(at);
                } else {
                    at += 1;
                }
            }
        }
        if let (true, Some((.., thread))) = (taken.records.is_empty(), held.first()) {
            // All that they wait for is further on in the queue.
            early.push(*thread);
        }
        early.sort_unstable();
        early.dedup();
        for thread in early {
            self.take_thread(tx, tenant, &thread, limit, &mut taken)?;
        }
        Ok(taken)
    }

    /// Takes what waits of one thread in the thread's order, wherever it is in the queue. Who writes a record has seen the one
    /// before it committed, and that one with its row of the queue: a record that is there without any trace of the one before is
    /// none of ours, follows nothing that will come, and is set aside.
    fn take_thread(&self, tx: &Tx<'_>, tenant: &Tenant, thread: &Handle, limit: usize, taken: &mut Taken) -> Result<(), Failure> {
        for row in &tx.rows(&sql::queued_of(tenant, thread, limit))? {
            if taken.records.len() >= limit {
                break;
            }
            let pos = row.int(0)?;
            if taken.has(pos) {
                continue;
            }
            let record = if taken.follows(row)? { self.queued(tx, tenant, row)? } else { None };
            taken.take(pos, record);
        }
        Ok(())
    }

    /// Seals all that waits in a tenant's queue, as far as it is committed; says how many entries the log has then. What others commit
    /// later stays behind that end, which is held until this transaction ends.
    pub(super) fn drain_whole(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant) -> Result<u64, Failure> {
        while self.drain(tx, group, tenant, DRAINED)?.is_something() {}
        self.meet_head(tx, group, tenant)?;
        Ok(group.heads.get(tenant).map_or(0, |head| head.size))
    }

    /// Gives a record that this transaction has put into the queue the place directly behind the end that is held, before all that waits;
    /// says which.
    pub(super) fn seal_next(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        thread: &Handle,
        n: u64,
    ) -> Result<u64, Failure> {
        let record = [self.out_of_queue(tx, tenant, thread, n)?];
        let places = self.seal_at_end(tx, group, self.sealing(), &record)?;
        let lost = || Failure::new(Code::Internal, format!("record {thread}/{n} of `{tenant}` was sealed, and has no place"));
        let place = places.first().copied().ok_or_else(lost)?;
        if let Some(head) = group.heads.get(tenant) {
            tx.execute(&sql::put_head(tenant, head))?;
        }
        Ok(place.0)
    }

    /// Holds the end of a log until this transaction ends, where others write beside us; else nobody but us moves it.
    pub(super) fn hold_head(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant) -> Result<(), Failure> {
        if tx.is_shared() && !group.locked.contains(tenant) {
            group.heads.insert(tenant.clone(), self.lock_head(tx, tenant)?);
            group.locked.insert(tenant.clone());
        }
        Ok(())
    }

    /// The end of a log, which nobody else moves until this transaction ends.
    pub(super) fn lock_head(&self, tx: &Tx<'_>, tenant: &Tenant) -> Result<sql::Head, Failure> {
        tx.claim(&claim::head(tenant, &seal::genesis(tenant, self.of)))?;
        let row = tx.row(&sql::head(tenant).locked())?;
        let row = row.ok_or_else(|| Failure::new(Code::StoreIntegrity, "the end of a log was claimed, and is not there"))?;
        Ok(sql::head_from(&row)?)
    }

    /// A record that this transaction has put into the queue, out of it again: it is sealed before what waits there.
    pub(super) fn out_of_queue(&self, tx: &Tx<'_>, tenant: &Tenant, thread: &Handle, n: u64) -> Result<Unsealed, Failure> {
        for row in &tx.rows(&sql::queued_of(tenant, thread, usize::MAX >> 1))? {
            if row.uint(2)? == n
                && let Some(record) = self.queued(tx, tenant, row)?
            {
                tx.execute(&sql::dequeue(tenant, row.int(0)?))?;
                return Ok(record);
            }
        }
        Err(Failure::new(
            Code::StoreIntegrity,
            format!("record {thread}/{n} of `{tenant}` was put into the queue, and is not there"),
        ))
    }

    /// A record of the queue; none where there is no such record, where it has its place in the log already, or where no entry
    /// can hold it so that it is made anew from the record: a header that is too long for one, a stream's record that the stream
    /// does not count.
    fn queued(&self, tx: &Tx<'_>, tenant: &Tenant, row: &Row) -> Result<Option<Unsealed>, Failure> {
        let (Ok(thread), Ok(n), true) = (row.bytes(1).map(Handle), row.uint(2), row.is_null(4)?) else { return Ok(None) };
        let Some(header) = row.opt_blob(3)?.filter(|header| header.len() <= HEADER_BYTES_MAX) else { return Ok(None) };
        let stream = match seal::placed_by_entry(header) {
            Some(header) if !Self::counts(tx, tenant, &header, &thread, n)? => return Ok(None),
            Some(_) => Some(self.stream_prev(tx, tenant, &thread, n)?),
            None => None,
        };
        Ok(Some(Unsealed { tenant: tenant.clone(), thread, n, header: header.to_vec(), stream, sound: false }))
    }

    /// Whether a stream's row counts this record: who may only add records has not written that row.
    fn counts(tx: &Tx<'_>, tenant: &Tenant, header: &Header, thread: &Handle, n: u64) -> Result<bool, Failure> {
        let class = header.event.as_ref().map(|event| event.as_str());
        let Some(name) = stream_of(header.kind, class) else { return Ok(false) };
        let Some(row) = tx.row(&sql::stream(tenant, name))? else { return Ok(false) };
        Ok(Handle(row.bytes(0)?) == *thread && u64::try_from(row.int(1)?).is_ok_and(|last| n <= last))
    }

    /// The stream that a record waits for under an id of the inbox; none where there is no such record, or none of that stream.
    fn waits_for(&self, tx: &Tx<'_>, tenant: &Tenant, id: [u8; 16]) -> Result<Option<String>, Failure> {
        // A call in shadow is of no stream, and is not among these rows.
        let Some(row) = tx.row(&inbox::get(tenant, &id))? else { return Ok(None) };
        let (Ok(name), Ok(header)) = (row.text(0), row.blob(1)) else { return Ok(None) };
        Ok(streams::takes(name, header, self.of, tenant).then(|| name.to_owned()))
    }

    /// The stream's thread, where a record that waits in the inbox goes behind others of it: a transaction of our own that ran
    /// beside the host's gave its record its place in the stream at once, and was committed first. It is not sealed yet, though it
    /// is further on in the queue, and the host's gets the place behind it.
    fn goes_behind(&self, tx: &Tx<'_>, tenant: &Tenant, name: &str, records: &[Unsealed]) -> Result<Option<Handle>, Failure> {
        // INVARIANT: the stream is claimed here, so nobody writes into it until this transaction ends.
        let Some((thread, next, _)) = self.stream_end(tx, tenant, name)? else { return Ok(None) };
        let Some(last) = next.checked_sub(1) else { return Ok(None) };
        let sealed =
            records.iter().any(|r| (r.thread, r.n) == (thread, last)) || tx.row(&sql::entry_of(tenant, &thread, last))?.is_some();
        Ok((!sealed).then_some(thread))
    }

    /// Gives a record that waits in the inbox for its stream ([`Court::waits_for`]) its place there; none where it is not there.
    fn place(&self, tx: &Tx<'_>, tenant: &Tenant, id: [u8; 16]) -> Result<Option<Unsealed>, Failure> {
        let Some(mut row) = tx.row(&inbox::waiting(tenant, &id))? else { return Ok(None) };
        let name = row.text(0)?.to_owned();
        let (once, header, parts) = (row.opt_blob(1)?.map(<[u8]>::to_vec), row.take_blob(2)?, row.take_blob(3)?);
        let (thread, n, prev) = match self.stream_end(tx, tenant, &name)? {
            Some((thread, next, last)) => (thread, next, Some(last)),
            None => (digest::stream_handle(&self.of.store, tenant, &name), 0, None),
        };
        tx.execute(&sql::insert_record(tenant, &thread, n, &header, parts))?;
        tx.execute(&sql::put_stream(tenant, &name, &thread, n, &digest::record_hash(&header)))?;
        tx.execute(&inbox::delete(tenant, &id))?;
        if let Some(key) = once {
            tx.execute(&claim::place_once(tenant, &key, &id, &thread, n))?;
        }
        Ok(Some(Unsealed { tenant: tenant.clone(), thread, n, header, stream: Some(prev), sound: false }))
    }

    fn stream_prev(&self, tx: &Tx<'_>, tenant: &Tenant, thread: &Handle, n: u64) -> Result<Option<RecordHash>, Failure> {
        let Some(before) = n.checked_sub(1) else { return Ok(None) };
        let row = tx.row(&sql::record(tenant, thread, before))?;
        let row =
            row.ok_or_else(|| Failure::new(Code::StoreIntegrity, format!("record {thread}/{before} of `{tenant}` is missing")))?;
        Ok(Some(digest::record_hash(row.blob(0)?)))
    }

    /// Stores checkpoints that were signed after an earlier commit.
    pub(super) fn store_checkpoints(&self, tx: &Tx<'_>, group: &mut Group) -> Result<(), Failure> {
        let waiting: Vec<(Tenant, Signed)> =
            lock(&self.checkpoints).iter().filter(|(_, s)| s.is_due(group.flush)).map(|(t, s)| (t.clone(), s.clone())).collect();
        for (tenant, signed) in waiting {
            tx.execute(&sql::put_checkpoint(&tenant, signed.size, &signed.note))?;
            group.stored.push((tenant, signed.size));
        }
        Ok(())
    }
}

/// What was taken from a queue.
#[derive(Default)]
struct Taken {
    records: Vec<Unsealed>,
    met: HashSet<(Handle, u64)>,
    /// The records' places in the queue.
    places: Vec<i64>,
    /// Places in the queue that lead to nothing, or to what another place led to.
    nothing: Vec<i64>,
}

impl Taken {
    /// Whether a record of the queue is the first of its thread, or the one before it is in the log, or was taken.
    fn follows(&self, row: &Row) -> Result<bool, Failure> {
        let (thread, n) = (Handle(row.bytes(1)?), row.uint(2)?);
        Ok(n.checked_sub(1).is_none_or(|before| self.met.contains(&(thread, before))) || !row.is_null(5)?)
    }

    /// Whether this place in the queue was met already.
    fn has(&self, pos: i64) -> bool {
        self.places.contains(&pos) || self.nothing.contains(&pos)
    }

    fn take(&mut self, pos: i64, record: Option<Unsealed>) {
        match record.filter(|record| self.met.insert((record.thread, record.n))) {
            Some(record) => {
                self.records.push(record);
                self.places.push(pos);
            }
            None => self.nothing.push(pos),
        }
    }
}

/// Takes these rows out of a tenant's queue.
fn dequeue(tx: &Tx<'_>, tenant: &Tenant, mut places: &[i64]) -> Result<(), Failure> {
    while let Some((several, rest)) = places.split_first_chunk::<{ sql::SEVERAL }>().filter(|_| tx.is_shared()) {
        tx.execute(&sql::dequeue_several(tenant, several))?;
        places = rest;
    }
    for place in places {
        tx.execute(&sql::dequeue(tenant, *place))?;
    }
    Ok(())
}
