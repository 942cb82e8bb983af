//! A call in our own transaction: its rounds, and the rows that it settles to.

use super::fetch::{Before, WAITING, present};
use crate::Failure;
use crate::court::{Court, Group, Refusal, streams};
use crate::join::{self, Found, ROUNDS_MAX, Round, Rows};
use crate::seal::Unsealed;
use crate::sealed::{Chance, Refused};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::{claim, evidence as evidence_sql, inbox, operation as operation_sql, state as state_sql};
use crate::store::{Statement, Tx};
use crate::view::{Bench as LawBench, View};
use hos_core::answer::{Answer, Receipt};
use hos_core::call::{By, Call, LegacyEntry, LegacyLog};
use hos_core::canon::Writer;
use hos_core::id::{Handle, InstanceId, KeyId, Name, RecordHash, Tenant, Uid};
use hos_core::judge::{self, Bench, Draft, Instance, Judged, Place};
use hos_core::law::mode::{Mode, Modes};
use hos_core::limits::LEGACY_ENTRIES_MAX;
use hos_core::proof::record::Kind;
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Timestamp;
use hos_core::value::Record;
use std::collections::BTreeMap;
use std::sync::Arc;

const HOUR_MS: i64 = 3_600_000;

/// The modes by which a call is judged that was in shadow when it came, and would be enforced by now.
static WATCHED: Modes = Modes { default: Mode::Shadow, entries: BTreeMap::new() };

impl Court {
    /// The bench of one case.
    pub(crate) fn bench<'a>(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &'a Tenant,
        view: &'a View,
        guards: Option<&'a LawBench>,
    ) -> Result<Bench<'a>, Failure> {
        let last_sealed = self.last_sealed(tx, group, tenant)?;
        let bench = self.bench_at(tx, tenant, view, guards, last_sealed, self.case_seed(group)?);
        Ok(if group.watches { Bench { modes: &WATCHED, ..bench } } else { bench })
    }

    /// The same, by what it stands on beside the view: the newest time in the log, where that is to bound the clock, and the
    /// case's seed.
    pub(super) fn bench_at<'a>(
        &self,
        tx: &Tx<'_>,
        tenant: &'a Tenant,
        view: &'a View,
        guards: Option<&'a LawBench>,
        last_sealed: Option<Timestamp>,
        seed: [u8; 32],
    ) -> Bench<'a> {
        Bench {
            store: self.of.store,
            tenant,
            now: self.now(tx),
            last_sealed,
            durability: tx.durability(),
            seed,
            compared: false,
            active: view.active.standing(),
            candidate: view.candidate.as_ref().map(LawBench::standing),
            guards: guards.map(LawBench::standing),
            modes: &view.in_force.activation.modes,
            activation: Some(view.in_force.activation.record),
            directory_version: view.version,
            limits: self.limits(&view.in_force),
        }
    }

    /// A call, from its first round to its rows.
    pub(crate) fn call(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant, call: &Call) -> Result<Answer, Failure> {
        group.once = call.once().map(|key| key.as_str().as_bytes().to_vec());
        if let Some(blocker) = unbounded(call) {
            return self.unjudged(tx, group, tenant, call, blocker);
        }
        // Whoever waits for a claim waits for others' commits: what decides is read behind it.
        self.claim(tx, tenant, call, &join::first_needs(call, &Rows::default()))?;
        let view = self.view_for(tx, group, tenant, &call.by().principal)?;
        self.is_as_claimed(tx, tenant, &view, call)?;
        if tx.is_shared() && !group.watches {
            self.nothing_waits(tx, tenant, &view, call)?;
        }
        let mut rows = Rows::default();
        let mut before = None;
        let mut guards: Option<LawBench> = None;
        for _ in 0..=ROUNDS_MAX {
            let bench = self.bench(tx, group, tenant, &view, guards.as_ref())?;
            match join::step(&bench, call, &rows) {
                Round::Need(reads) => {
                    for read in reads {
                        self.fetch(tx, group, tenant, &view, read, &mut rows, &mut before, &mut guards)?;
                    }
                }
                Round::Settle(judged) => {
                    let answer = self.settle(tx, group, tenant, &view, call.by(), *judged, before, &bench.seed)?;
                    // What was claimed and not taken is left: who commits all the same has stored nothing of it.
                    for leave in std::mem::take(&mut group.claims) {
                        tx.execute(&leave)?;
                    }
                    return Ok(answer);
                }
            }
        }
        Err(Failure::new(Code::Internal, "a call took too many rounds"))
    }

    /// A call that could not be judged: refused, or where the law is not enforced the world's own answer, and a record of it.
    pub(crate) fn unjudged(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        call: &Call,
        blocker: Blocker,
    ) -> Result<Answer, Failure> {
        let view = self.view(tx, group, tenant)?;
        let bench = self.bench(tx, group, tenant, &view, None)?;
        let judged = judge::unjudged(&bench, call, blocker);
        self.settle(tx, group, tenant, &view, call.by(), judged, None, &bench.seed)
    }

    /// Fires what is due in one instance; says how many deadlines.
    pub(crate) fn tick(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        contract: &Name,
        id: &InstanceId,
    ) -> Result<u64, Failure> {
        if tx.is_shared() {
            // What decides is read behind the claim, as in a call; PostgreSQL claims what must be there by reading it.
            match tx.dialect() {
                Dialect::Postgres => drop(tx.row(&state_sql::instance(tenant, contract, id).locked())?),
                Dialect::Mysql | Dialect::Sqlite => tx.claim(&claim::instance(tenant, contract, id))?,
            }
        }
        let view = self.view(tx, group, tenant)?;
        let (Found::Live(instance), Some(before)) = self.instance(tx, group, tenant, &view, contract, id)? else {
            for leave in std::mem::take(&mut group.claims) {
                tx.execute(&leave)?;
            }
            return Ok(0);
        };
        let guards =
            if instance.law == view.active.law.hash { None } else { Some(view.under(self.laws.get(tx, &instance.law)?)?) };
        let bench = self.bench(tx, group, tenant, &view, guards.as_ref())?;
        let judged = judge::tick(&bench, &instance);
        let fired = judged.answer.fired.len() as u64;
        if let Some(blocker) = judged.answer.blockers.first() {
            return Err(blocker.clone().into());
        }
        let by = By::new(view.active.law.clock.clone());
        self.settle(tx, group, tenant, &view, &by, judged, Some(before), &bench.seed)?;
        Ok(fired)
    }

    /// Settles what was judged: records and their parts, the instance, deadlines, once-key, messages, directory rows.
    #[expect(clippy::too_many_arguments, reason = "everything that a settlement writes comes from one of these")]
    fn settle(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        view: &View,
        by: &By,
        mut judged: Judged,
        before: Option<Arc<Before>>,
        seed: &[u8; 32],
    ) -> Result<Answer, Failure> {
        if judged.drafts.is_empty() && judged.instance.is_none() {
            self.entry_receipt(tx, tenant, &mut judged.answer, before.as_ref().map(|b| &*b.instance))?;
            return Ok(judged.answer);
        }
        if tx.is_host() && !judged.answer.allowed {
            return Ok(left_out(group, judged, &by.principal, before.as_deref(), seed));
        }
        let counts = is_refusal(&judged);
        if counts && !self.may_keep_refusal(tx, tenant, view, &by.principal)? {
            return Ok(judged.answer);
        }
        let mut chance = Chance::new(seed);
        // All that can be refused is sealed before the first row is written.
        let mut parts = Vec::with_capacity(judged.drafts.len());
        for draft in &judged.drafts {
            match self.keys(tx).seal_parts(draft, &mut group.fresh, &mut chance) {
                Ok(sealed) => parts.push(sealed),
                Err(Refused::Erased(blocker)) => {
                    let mut answer = refusal(view, blocker);
                    judge::stands(&mut answer, judged.answer.mode, by.legacy.as_ref());
                    return Ok(answer);
                }
                Err(Refused::Failure(failure)) => return Err(failure),
            }
        }
        if counts {
            self.count_refusal(tx, tenant, &by.principal)?;
        }
        self.write(tx, group, tenant, view, judged, before, parts, &mut chance)
    }

    /// Writes what was judged, the parts of its records being sealed.
    #[expect(clippy::too_many_arguments, reason = "everything that a settlement writes comes from one of these")]
    pub(super) fn write(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        view: &View,
        mut judged: Judged,
        before: Option<Arc<Before>>,
        parts: Vec<Vec<u8>>,
        chance: &mut Chance,
    ) -> Result<Answer, Failure> {
        let time = judged.drafts.last().map_or_else(|| self.clock.now(), |d| d.header.time);
        let drafts = std::mem::take(&mut judged.drafts);
        let mut places = Vec::with_capacity(drafts.len());
        for (draft, parts) in drafts.into_iter().zip(parts) {
            places.push(self.write_record(tx, group, tenant, draft, parts, chance)?);
        }
        let facts = match &judged.instance {
            Some(after) => Some(self.write_instance(tx, group, tenant, after, before.as_deref(), chance)?),
            None => None,
        };
        if let (Some((key, digest)), Some((thread, n, _))) = (&judged.once, places.last()) {
            if tx.is_shared() {
                let (thread, n) = match group.waiting.filter(|_| *n == WAITING) {
                    Some(id) => (Handle(id), claim::WAITING),
                    None => (*thread, i64::try_from(*n).unwrap_or(i64::MAX)),
                };
                tx.execute(&claim::take_once(tenant, key, digest, &thread, n, time))?;
                group.taken(&claim::leave_once(tenant, key));
            } else {
                tx.execute(&operation_sql::insert_once(tenant, key, digest, thread, *n, time))?;
            }
        }
        let subject = judged.instance.as_ref().and_then(|i| i.subject.clone());
        for (i, (draft, message)) in judged.messages.iter().enumerate() {
            let Some((thread, n, _)) = places.get(*draft) else { continue };
            let mut w = Writer::default();
            w.record(&message.body);
            let (key, body) =
                self.keys(tx).seal_copy(subject.as_ref(), w.finish(), &mut group.fresh, chance).map_err(failure_of)?;
            let place = judged.messages.iter().take(i).filter(|(d, _)| d == draft).count();
            tx.execute(&operation_sql::insert_message(tenant, thread, *n, place, message.kind.as_str(), &key, body))?;
        }
        if let Some(after) = judged.directory.take() {
            self.write_directory(tx, group, tenant, view, after, chance)?;
        }
        if !judged.answer.again
            && let Some((thread, n, record)) = places.last()
        {
            let n = Some(*n).filter(|n| *n != WAITING);
            judged.answer.receipt = Some(Receipt { tenant: tenant.clone(), thread: *thread, n, record: *record, seal: None });
        }
        self.entry_receipt(tx, tenant, &mut judged.answer, judged.instance.as_ref().or(before.as_ref().map(|b| &*b.instance)))?;
        if let (Some(after), Some((facts_key, facts_sealed)), false) = (judged.instance, facts, tx.is_shared()) {
            let now = Before { facts_key, facts_sealed, instance: Arc::new(after) };
            group.moved.push((tenant.clone(), now));
        }
        Ok(judged.answer)
    }

    /// An event that found its work done (`on_same`) is answered with the receipt of the entry into the state.
    fn entry_receipt(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        answer: &mut Answer,
        instance: Option<&Instance>,
    ) -> Result<(), Failure> {
        let Some(instance) = instance.filter(|_| answer.again && answer.receipt.is_none()) else { return Ok(()) };
        if let Some(row) = tx.row(&present(tx, evidence_sql::record(tenant, &instance.handle, instance.entered_n)))? {
            let record = hos_core::digest::record_hash(row.blob(0)?);
            answer.receipt = Some(self.receipt(tx, tenant, instance.handle, instance.entered_n, record)?);
        }
        Ok(())
    }

    /// Whether one more refusal of a principal may be kept as evidence; one too many is answered all the same.
    pub(super) fn may_keep_refusal(&self, tx: &Tx<'_>, tenant: &Tenant, view: &View, principal: &Uid) -> Result<bool, Failure> {
        let (principal, hour) = self.refuser(principal);
        let count = tx.row(&operation_sql::refusals(tenant, &principal, hour))?.map_or(Ok(0), |row| row.uint(0))?;
        Ok(count < u64::from(view.active.law.limits.refusals_per_hour))
    }

    /// Counts a refusal that is kept. Of an erased principal none is, and nothing is written.
    pub(super) fn count_refusal(&self, tx: &Tx<'_>, tenant: &Tenant, principal: &Uid) -> Result<(), Failure> {
        let (principal, hour) = self.refuser(principal);
        tx.execute(&operation_sql::count_refusal(tenant, &principal, hour))?;
        Ok(())
    }

    /// Under what name, and in which hour, a principal's refusals are counted now.
    fn refuser(&self, principal: &Uid) -> ([u8; 16], i64) {
        let mut name = [0; 16];
        name.iter_mut().zip(self.tag(principal)).for_each(|(to, from)| *to = from);
        (name, self.clock.now().0.div_euclid(HOUR_MS))
    }

    /// What asks how many refusals of a principal were kept in this hour.
    pub(crate) fn refusals_asked(&self, tenant: &Tenant, principal: &Uid) -> Statement {
        let (principal, hour) = self.refuser(principal);
        operation_sql::refusals(tenant, &principal, hour)
    }

    /// Writes one record; says where: thread, n, hash.
    pub(crate) fn write_record(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        draft: Draft,
        parts: Vec<u8>,
        chance: &mut Chance,
    ) -> Result<(Handle, u64, RecordHash), Failure> {
        let (draft, thread, n, stream) = match draft.place.clone() {
            Place::Thread { handle, n, .. } => (draft, handle, n, None),
            // What a host left there has its place given by the sealer; what is written behind it, too.
            Place::Stream(name) if tx.is_host() || self.stream_waits(tx, group, tenant, name.as_str())? => {
                let (id, name): ([u8; 16], _) = (chance.bytes(INBOX), name.as_str());
                let draft = draft.into_stream(hos_core::digest::stream_handle(&self.of.store, tenant, name))?;
                tx.execute(&inbox::insert(tenant, &id, name, group.once.as_deref(), &draft.bytes, parts))?;
                tx.execute(&evidence_sql::enqueue_waiting(tenant, &id))?;
                group.waiting = Some(id);
                return Ok((draft.header.thread, WAITING, draft.hash));
            }
            Place::Stream(name) => {
                let slot = (tenant.clone(), name.as_str().to_owned());
                let known = match group.streams.get(&slot) {
                    Some(known) => Some(*known),
                    None => self.stream_end(tx, tenant, name.as_str())?,
                };
                let (handle, n, prev) = match known {
                    Some((handle, next, last)) => (handle, next, Some(last)),
                    None => (hos_core::digest::stream_handle(&self.of.store, tenant, name.as_str()), 0, None),
                };
                let draft = draft.into_stream(handle)?;
                tx.execute(&evidence_sql::put_stream(tenant, name.as_str(), &handle, n, &draft.hash))?;
                group.streams.insert(slot, (handle, n + 1, draft.hash));
                (draft, handle, n, Some(prev))
            }
        };
        tx.execute(&evidence_sql::insert_record(tenant, &thread, n, &draft.bytes, parts))?;
        let (hash, h) = (draft.hash, &draft.header);
        let sound = h.store == self.of.store && h.tenant == *tenant && h.thread == thread && h.n.is_none_or(|own| own == n);
        self.lay(tx, group, Unsealed { tenant: tenant.clone(), thread, n, header: draft.bytes, stream, sound })?;
        Ok((thread, n, hash))
    }

    /// Whether records of a stream wait in the inbox. Once the stream is claimed, and none waits, this transaction gives its own
    /// places.
    fn stream_waits(&self, tx: &Tx<'_>, group: &Group, tenant: &Tenant, name: &str) -> Result<bool, Failure> {
        if !tx.is_shared() || streams::is_own(name) || group.streams.contains_key(&(tenant.clone(), name.to_owned())) {
            return Ok(false);
        }
        let end = self.stream_end(tx, tenant, name)?;
        let waits = tx.row(&inbox::waits_in(tenant, name))?.is_some();
        if waits && end.is_none() {
            tx.execute(&claim::leave_stream(tenant, name))?;
        }
        Ok(waits)
    }

    /// Where a stream goes on: handle, next place, last record; `None` before its first. Where others write beside us, it is
    /// claimed.
    pub(crate) fn stream_end(
        &self,
        tx: &Tx<'_>,
        tenant: &Tenant,
        name: &str,
    ) -> Result<Option<(Handle, u64, RecordHash)>, Failure> {
        let mut read = evidence_sql::stream(tenant, name);
        if tx.is_shared() {
            tx.claim(&claim::stream(tenant, name, &hos_core::digest::stream_handle(&self.of.store, tenant, name)))?;
            read = read.locked();
        }
        match tx.row(&read)? {
            Some(row) if row.int(1)? != claim::CLAIMED => {
                Ok(Some((Handle(row.bytes(0)?), row.uint(1)? + 1, RecordHash(row.bytes(2)?))))
            }
            _ => Ok(None),
        }
    }

    fn write_instance(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        after: &Instance,
        before: Option<&Before>,
        chance: &mut Chance,
    ) -> Result<(KeyId, Vec<u8>), Failure> {
        let (key, facts) = match before.filter(|b| b.instance.facts == after.facts) {
            Some(before) => (before.facts_key, before.facts_sealed.clone()),
            None => {
                let plaintext = if after.facts.is_empty() { Vec::new() } else { encode(&after.facts) };
                self.keys(tx).seal_copy(after.subject.as_ref(), plaintext, &mut group.fresh, chance).map_err(failure_of)?
            }
        };
        let version = before.map(|b| b.instance.version);
        if tx.is_shared() {
            if before.is_none() {
                group.taken(&claim::leave_instance(tenant, &after.contract, &after.id));
            }
            tx.execute(&state_sql::put_claimed(tenant, after, &key, facts.clone(), version))?;
        } else if tx.execute(&state_sql::put_instance(tenant, after, &key, facts.clone(), version))? != 1 {
            return Err(Failure::new(Code::Retry, "the instance moved meanwhile"));
        }
        let armed_before = before.map(|b| b.instance.deadlines.as_slice()).unwrap_or_default();
        for gone in armed_before.iter().filter(|d| !after.deadlines.contains(d)) {
            tx.execute(&state_sql::delete_deadline(tenant, gone.due, &after.contract, &after.id, gone.deadline))?;
        }
        for armed in after.deadlines.iter().filter(|d| !armed_before.contains(d)) {
            tx.execute(&state_sql::insert_deadline(tenant, armed.due, &after.contract, &after.id, armed.deadline))?;
        }
        Ok((key, facts))
    }
}

/// For what the ids of what waits in the inbox are drawn.
pub(super) const INBOX: &str = "inbox";

/// Whether nothing came of a call but the record of its refusal.
fn is_refusal(judged: &Judged) -> bool {
    // In shadow each is counted, whoever asks how often: it is not the one who is refused that is on trial.
    let is_one = |d: &Draft| d.header.kind == Kind::Refused && d.header.mode != Mode::Shadow as u8;
    judged.drafts.len() == 1 && judged.instance.is_none() && judged.drafts.iter().all(is_one)
}

/// A refusal in a host's transaction, which the host will roll back: nothing of it is written. What becomes evidence of it comes
/// afterwards, if at all. Deadlines that fell due before it, and a migration, fire with the next call that is allowed, or by `hos work`.
fn left_out(group: &mut Group, judged: Judged, principal: &Uid, before: Option<&Before>, seed: &[u8; 32]) -> Answer {
    let Judged { drafts, mut answer, .. } = judged;
    let alone = drafts.len() == 1;
    // A deadline that was refused has its place in the instance's own thread: it is one of those that come later.
    let refusals: Vec<Draft> = drafts.into_iter().filter(|d| d.header.kind == Kind::Refused && d.header.n.is_none()).collect();
    if !refusals.is_empty() {
        group.refused = Some(Refusal { principal: principal.clone(), drafts: refusals, seed: *seed });
    }
    if let Some(before) = before.filter(|_| !alone) {
        answer.fired.clear();
        answer.to = Some(before.instance.state.clone());
        answer.version = Some(before.instance.version);
    }
    answer
}

pub(crate) fn encode(record: &Record) -> Vec<u8> {
    let mut w = Writer::default();
    w.record(record);
    w.finish()
}

pub(crate) fn failure_of(refused: Refused) -> Failure {
    match refused {
        Refused::Erased(blocker) => blocker.into(),
        Refused::Failure(failure) => failure,
    }
}

/// A refusal that is not recorded.
pub(crate) fn refusal(view: &View, blocker: Blocker) -> Answer {
    let mut answer = Answer::refused(view.active.law.hash, view.version);
    answer.blockers.push(blocker);
    answer
}

/// What a call may hold was bounded when it was made; what only the engine's own callers could exceed is checked here.
pub(super) fn unbounded(call: &Call) -> Option<Blocker> {
    let by = call.by();
    let mut records: Vec<&Record> = vec![&*by.context];
    records.extend(by.given.iter().map(|e| &e.attrs));
    match call {
        Call::Begin(c) => records.extend([&c.facts, &c.args]),
        Call::Transition(c) => records.push(&c.args),
        Call::Adopt(c) => records.push(&c.facts),
        Call::LegacyLog(c) => {
            if let Some(blocker) = unbounded_log(c) {
                return Some(blocker);
            }
        }
        Call::Directory(c) => {
            if let hos_core::call::Change::Put { attrs, .. } = &c.change {
                records.push(attrs);
            }
        }
        Call::Note(c) => {
            if c.payload.len() > hos_core::limits::VALUE_BYTES_MAX {
                return Some(Blocker::new(Code::CallTooLarge, format!("the payload has {} bytes", c.payload.len())));
            }
        }
    }
    records
        .into_iter()
        .find_map(|r| hos_core::value::Value::check_bounds(r).err())
        .map(|e| Blocker::new(Code::CallTooLarge, e.to_string()))
}

fn unbounded_log(call: &LegacyLog) -> Option<Blocker> {
    let too_large = |why: String| Some(Blocker::new(Code::CallTooLarge, why));
    let (rows, bytes) = (call.entries.len(), call.entries.iter().map(LegacyEntry::bytes).sum::<usize>());
    if rows == 0 || rows > LEGACY_ENTRIES_MAX {
        return too_large(format!("the call tells {rows} rows of a log, not 1 to {LEGACY_ENTRIES_MAX}"));
    }
    if bytes > hos_core::limits::VALUE_BYTES_MAX {
        return too_large(format!("the rows of a log have {bytes} bytes"));
    }
    let fault = call.entries.iter().enumerate().find_map(|(i, entry)| Some((i, entry.fault()?)));
    fault.and_then(|(i, fault)| too_large(format!("row {i} of a log: {fault}")))
}
