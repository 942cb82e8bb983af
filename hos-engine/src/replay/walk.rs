//! Every record of a tenant, thread by thread, with what stood before it.

use super::ReplayOptions;
use crate::Failure;
use crate::court::ended::ended_rows;
use crate::court::fetch::instance_row;
use crate::court::founding::STREAM_ERASED;
use crate::court::{Court, streams};
use crate::sealed::FreshKeys;
use crate::store::Row;
use crate::store::Tx;
use crate::store::sql::{evidence as sql, state as state_sql};
use hos_core::audit::replay::{Before, Part, Past, Record, RowFold, Rows, Thread};
use hos_core::digest;
use hos_core::id::{Handle, InstanceId, Name, RecordHash, Tenant};
use hos_core::judge::{WasAsked, decode_asked, decode_text};
use hos_core::proof::part::PartError;
use hos_core::proof::record::{Header, Kind, Slot};
use hos_core::proof::stored::{Opened, decode_stored};
use hos_core::refusal::Code;
use std::collections::HashMap;

/// How many records are read at once.
const PAGE: usize = 256;
/// How many records of a directory row are read at once: most have few.
const ROW_PAGE: usize = 4;
/// After how many records the keys that were met are forgotten.
const KEYS_FOR: u64 = 65_536;

/// A record where it lies.
pub(super) struct Seen<'s> {
    pub(super) tenant: &'s Tenant,
    pub(super) seq: Option<u64>,
    pub(super) n: u64,
    /// Its place among all records of the tenant, those that wait behind the others.
    pub(super) place: u64,
    pub(super) record: &'s Record<'s>,
}

/// A record's row, opened.
struct Read {
    thread: Handle,
    n: u64,
    seq: Option<u64>,
    header: Header,
    hash: RecordHash,
    opened: Vec<Opened>,
}

impl Read {
    fn record(&self) -> Record<'_> {
        let parts = self.opened.iter().map(|p| Part { slot: p.slot, index: p.index, content: &p.plaintext }).collect();
        Record::new(&self.header, self.hash, parts)
    }
}

/// A walk over a tenant.
pub(super) struct Walk<'w, 't> {
    pub(super) tx: &'w Tx<'t>,
    pub(super) court: &'w Court,
    pub(super) past: &'w Past<'w>,
    pub(super) options: &'w ReplayOptions<'w>,
    /// Records in all, for the progress.
    pub(super) total: u64,
    pub(super) done: u64,
    fresh: FreshKeys,
    /// The universe's rows that erasures took: each tenant's decisions stand on them.
    ended: Option<Vec<Handle>>,
}

impl<'w, 't> Walk<'w, 't> {
    pub(super) fn new(tx: &'w Tx<'t>, court: &'w Court, past: &'w Past<'w>, options: &'w ReplayOptions<'w>) -> Self {
        Self { tx, court, past, options, total: 0, done: 0, fresh: FreshKeys::new(), ended: None }
    }

    /// The tenants that the options name.
    pub(super) fn tenants(&mut self) -> Result<Vec<Tenant>, Failure> {
        let all = self.court.tenants(self.tx)?;
        let tenants = match &self.options.tenant {
            None => all,
            Some(one) if all.contains(one) => vec![one.clone()],
            Some(one) => return Err(Failure::new(Code::TenantUnknown, format!("`{one}`"))),
        };
        for tenant in &tenants {
            self.total += self.tx.row(&sql::record_count(tenant))?.map_or(Ok(0), |row| row.uint(0))?;
        }
        Ok(tenants)
    }

    /// Shows each record that the options cover, with what stood before it.
    pub(super) fn tenant(
        &mut self,
        tenant: &Tenant,
        see: &mut dyn FnMut(&Seen<'_>, &Before<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let waiting = self.waiting(tenant)?;
        let (mut thread, mut row) = (Thread::default(), RowFold::default());
        let mut at: Option<Handle> = None;
        let mut from = (Handle([0; 16]), 0);
        loop {
            let page = self.tx.rows(&sql::records_from(tenant, &from.0, from.1, PAGE))?;
            for stored in &page {
                let read = self.read(tenant, stored)?;
                from = (read.thread, read.n + 1);
                if at != Some(read.thread) {
                    (thread, row, at) = (Thread::default(), RowFold::default(), Some(read.thread));
                }
                let record = read.record();
                let header = &read.header;
                if self.options.covers(read.seq, header.time) {
                    let place = place(&waiting, read.seq, (read.thread, read.n));
                    let seen = Seen { tenant, seq: read.seq, n: read.n, place, record: &record };
                    match header.kind {
                        Kind::Refused if header.n.is_none() => {
                            let named = self.named(tenant, &record, place, &waiting)?;
                            see(&seen, &before(named.as_ref()))?;
                        }
                        Kind::Directory => see(&seen, &row.rows().map_or(Before::Lost, Before::Row))?,
                        _ if header.n.is_some() => see(&seen, &before(Some(&thread)))?,
                        _ => see(&seen, &Before::Nothing)?,
                    }
                }
                if header.kind == Kind::Directory {
                    let _ = row.take(&record);
                } else if header.n.is_some() {
                    thread.take(self.past, &record);
                }
                self.done += 1;
                if self.done.is_multiple_of(KEYS_FOR) {
                    self.fresh = FreshKeys::new();
                }
            }
            if let Some(tell) = self.options.progress {
                tell(self.done, self.total);
            }
            if page.is_empty() {
                return Ok(());
            }
        }
    }

    /// Every version of the directory rows that a tenant's decisions stand on.
    pub(super) fn rows(&mut self, tenant: &Tenant) -> Result<Rows, Failure> {
        let mut rows = if self.tx.is_shared() { Rows::written_beside() } else { Rows::default() };
        let universe = Tenant::universe();
        if self.tx.is_shared() {
            for erasure in streams::own_records(self.tx, STREAM_ERASED)? {
                let broken = |e| Failure::new(Code::StoreIntegrity, format!("an erasure's record: {e}; see `hos verify`"));
                rows.erased(Header::decode(erasure.blob(1)?).map_err(broken)?.directory_version);
            }
        }
        let owners: &[&Tenant] = if tenant.is_universe() { &[&universe] } else { &[&universe, tenant] };
        for owner in owners {
            let waiting = self.waiting(owner)?;
            let mut handles = Vec::new();
            self.tx.each(&state_sql::directory_entities(owner), |row| {
                handles.push(state_sql::entity_from(&row)?.thread.handle);
                Ok(())
            })?;
            self.tx.each(&state_sql::grants(owner), |row| {
                handles.push(state_sql::grant_from(&row)?.0.handle);
                Ok(())
            })?;
            handles.extend(self.ended(owner)?);
            // An end that somebody made up may name a row that is there still: each thread is folded once.
            handles.sort_unstable();
            handles.dedup();
            for handle in handles {
                let (mut fold, mut from) = (RowFold::default(), 0);
                'thread: loop {
                    let page = self.tx.rows(&sql::records_from(owner, &handle, from, ROW_PAGE))?;
                    for stored in &page {
                        if Handle(stored.bytes(0)?) != handle {
                            break 'thread;
                        }
                        let read = self.read(owner, stored)?;
                        from = read.n + 1;
                        let place = place(&waiting, read.seq, (read.thread, read.n));
                        rows.take(owner.is_universe(), &mut fold, &read.record(), place);
                    }
                    if page.len() < ROW_PAGE {
                        break;
                    }
                }
            }
        }
        Ok(rows)
    }

    /// The rows that erasures took: decisions from before stand on them, and a tenant's changes of them count in its version.
    fn ended(&mut self, owner: &Tenant) -> Result<Vec<Handle>, Failure> {
        if !owner.is_universe() {
            return ended_rows(self.tx, owner);
        }
        let ended = match self.ended.take() {
            Some(known) => known,
            None => ended_rows(self.tx, owner)?,
        };
        self.ended = Some(ended.clone());
        Ok(ended)
    }

    /// The instance that a refused call named, as it was then.
    fn named(
        &mut self,
        tenant: &Tenant,
        record: &Record<'_>,
        place: u64,
        waiting: &HashMap<(Handle, u64), u64>,
    ) -> Result<Option<Thread>, Failure> {
        let open = |slot: Slot| record.parts.iter().find(|part| part.slot == slot).map(|part| part.content);
        let asked = open(Slot::Change).and_then(|bytes| decode_asked(bytes).ok());
        let id = open(Slot::Id).and_then(|bytes| decode_text(bytes).ok()).and_then(|text| InstanceId::new(text).ok());
        let contract: Option<Name> = match asked {
            Some(
                WasAsked::Begin(contract, _)
                | WasAsked::Transition(contract, ..)
                | WasAsked::Adopt(contract, _)
                | WasAsked::LegacyLog(contract),
            ) => Some(contract),
            Some(WasAsked::Directory(_)) | None => None,
        };
        let (Some(contract), Some(id)) = (contract, id) else { return Ok(None) };
        let Some(row) = instance_row(self.tx, tenant, &contract, &id)? else { return Ok(None) };
        let handle = Handle(row.bytes(0)?);
        let mut thread = Thread::default();
        let mut from = 0;
        loop {
            let page = self.tx.rows(&sql::records_from(tenant, &handle, from, PAGE))?;
            for stored in &page {
                let read = self.read(tenant, stored)?;
                let there = self::place(waiting, read.seq, (read.thread, read.n));
                if read.thread != handle || there >= place {
                    return Ok((thread.instance().is_some() || thread.is_lost()).then_some(thread));
                }
                from = read.n + 1;
                thread.take(self.past, &read.record());
            }
            if page.is_empty() {
                return Ok((thread.instance().is_some() || thread.is_lost()).then_some(thread));
            }
        }
    }

    /// Records without a place in the log, in the order in which they wait: behind all others.
    fn waiting(&self, tenant: &Tenant) -> Result<HashMap<(Handle, u64), u64>, Failure> {
        let rows = self.tx.rows(&sql::queue_places(tenant))?;
        let mut waiting = HashMap::new();
        for (place, row) in (WAITS_FROM..).zip(&rows) {
            // What leads to nothing, or to what another row led to, is no record.
            if let Ok(thread) = row.bytes(0) {
                waiting.entry((Handle(thread), row.uint(1)?)).or_insert(place);
            }
        }
        Ok(waiting)
    }

    fn read(&self, tenant: &Tenant, row: &Row) -> Result<Read, Failure> {
        let (thread, n) = (Handle(row.bytes(0)?), row.uint(1)?);
        let broken = |what: &dyn std::fmt::Display| {
            Failure::new(Code::StoreIntegrity, format!("record {thread}/{n} of `{tenant}`: {what}; see `hos verify`"))
        };
        let bytes = row.blob(2)?;
        let header = Header::decode(bytes).map_err(|e| broken(&e))?;
        let mut opened = Vec::with_capacity(header.parts.len());
        for stored in decode_stored(row.blob(3)?).map_err(|e| broken(&e))? {
            let key = if stored.is_clear() { None } else { self.court.keys(self.tx).by_id(&stored.key, &self.fresh)? };
            match stored.open_listed(key.as_ref(), &header.parts) {
                Ok(parts) => opened.extend(parts),
                Err(PartError::KeyMissing) => {}
                Err(e) => return Err(broken(&e)),
            }
        }
        Ok(Read { thread, n, seq: row.opt_uint(4)?, hash: digest::record_hash(bytes), header, opened })
    }
}

/// Where unsealed records begin.
const WAITS_FROM: u64 = 1 << 62;

fn place(waiting: &HashMap<(Handle, u64), u64>, seq: Option<u64>, record: (Handle, u64)) -> u64 {
    seq.or_else(|| waiting.get(&record).copied()).unwrap_or(u64::MAX)
}

fn before(thread: Option<&Thread>) -> Before<'_> {
    match thread {
        Some(thread) if thread.is_lost() => Before::Lost,
        thread => Before::Instance(thread.and_then(Thread::instance)),
    }
}
