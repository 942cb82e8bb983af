//! The engine's face: tenants, calls, and what operators need.

use crate::court::{Court, lock};
use crate::report::{Available, HistoryEntry, OutboxMessage, VerifyOptions, VerifyReport, WorkReport};
use crate::sealed::FreshKeys;
use crate::store::StoreError;
use crate::store::sql::{evidence as evidence_sql, state as state_sql};
use crate::store::sqlite::{SqliteStore, Stats, Tx};
use crate::view::{self, InForce, View};
use crate::work::Plan;
use crate::work::{Done, Job};
use crate::{Failure, seal, verify};
use hos_core::answer::Answer;
use hos_core::call::{Adopt, Begin, By, Call, Can, Directory, Note, Transition};
use hos_core::id::{InstanceId, KeyId, Name, StoreId, Tenant, TreeHash, Uid};
use hos_core::judge::{self, Bench, Instance};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::proof::checkpoint::{NoteKey, origin};
use hos_core::proof::record::Durability;
use hos_core::refusal::Code;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// An open store under its active law. Cheap to clone; used from many threads.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: SqliteStore<Court>,
    court: Court,
}

/// One tenant of an engine.
#[derive(Clone)]
pub struct TenantRef {
    engine: Engine,
    name: Tenant,
}

impl Engine {
    pub(crate) fn assemble(store: SqliteStore<Court>, court: Court) -> Self {
        Self(Arc::new(Inner { store, court }))
    }

    pub(crate) fn found(&self, plan: Plan) -> Result<(), Failure> {
        self.submit(Job::Found(Box::new(plan))).map(drop)
    }

    /// What start-up does before the first call: the laws in force are read, erasures are carried out that a crash left half
    /// done, and heads without a checkpoint are signed.
    pub(crate) fn recover(&self) -> Result<(), Failure> {
        let court = &self.0.court;
        let erased = self.read(|tx| {
            let in_force = Arc::new(InForce::read(tx, &court.laws)?);
            *court.in_force.write().unwrap_or_else(PoisonError::into_inner) = Some(in_force);
            for tenant in court.tenants(tx)? {
                let head = seal::head(tx, &tenant, court.of)?;
                let stored = tx.row(&evidence_sql::checkpoint(&tenant))?;
                let (size, note) = match &stored {
                    Some(row) => (row.uint(0)?, Some(row.text(1)?.to_owned())),
                    None => (0, None),
                };
                if size > head.size {
                    return Err(Failure::new(
                        Code::StoreIntegrity,
                        format!(
                            "the log of `{tenant}` has {} entries, and a checkpoint of {size} was signed: its end is lost",
                            head.size
                        ),
                    ));
                }
                if let Some(note) = note.filter(|_| size == head.size) {
                    lock(&court.checkpoints).insert(tenant, crate::court::Signed { size, note: note.into(), stored: true });
                } else {
                    court.sign_heads(&[(tenant, head)].into());
                }
            }
            court.erased_keys(tx)
        })?;
        court.destroy_keys(&erased)
    }

    fn submit(&self, job: Job) -> Result<Done, Failure> {
        Ok(self.0.store.submit(&self.0.court, job)?)
    }

    fn answered(&self, job: Job) -> Result<Answer, Failure> {
        match self.submit(job)? {
            Done::Answer(answer) => Ok(*answer),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than an answer")),
        }
    }

    fn counted(&self, job: Job) -> Result<u64, Failure> {
        match self.submit(job)? {
            Done::Count(count) => Ok(count),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than a count")),
        }
    }

    /// Reads in one transaction; what fails keeps its own failure.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut failed = None;
        let result = self.0.store.read(|tx| {
            work(tx).map_err(|failure| {
                let error = StoreError::new(failure.code, failure.message.clone());
                failed = Some(failure);
                error
            })
        });
        result.map_err(|error| failed.unwrap_or_else(|| error.into()))
    }

    fn in_force(&self) -> Option<Arc<InForce>> {
        self.0.court.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The active law, as this process last saw it.
    pub fn law(&self) -> Arc<Law> {
        // An engine is handed out only when a law is in force, and none is ever taken away.
        match self.in_force() {
            Some(in_force) => in_force.law.clone(),
            None => unreachable!("an engine without a law in force"),
        }
    }

    /// The modes of the activation, as this process last saw it.
    pub fn modes(&self) -> Modes {
        self.in_force().map(|f| f.activation.modes.clone()).unwrap_or_default()
    }

    /// The store's identity.
    pub fn store_id(&self) -> StoreId {
        self.0.court.of.store
    }

    /// Counters of the store.
    pub fn stats(&self) -> Result<Stats, Failure> {
        Ok(self.0.store.stats()?)
    }

    /// The seal key's public half for this tenant's origin, as a C2SP vkey.
    pub fn vkey(&self, tenant: &Tenant) -> Result<String, Failure> {
        let court = &self.0.court;
        NoteKey::new(origin(&court.of.store, tenant, court.of.epoch), court.key.verify_key())
            .map(|key| key.to_string())
            .map_err(|e| Failure::new(Code::KeyInvalid, e.to_string()))
    }

    /// A tenant; refused if it was never opened.
    pub fn tenant(&self, name: &str) -> Result<TenantRef, Failure> {
        let name = Tenant::new(name)?;
        self.read(|tx| view::version(tx, &name))?;
        Ok(TenantRef { engine: self.clone(), name })
    }

    /// All tenants, the universe included.
    pub fn tenants(&self) -> Result<Vec<Tenant>, Failure> {
        self.read(|tx| self.0.court.tenants(tx))
    }

    /// Opens a new tenant: judged as `tenant.open` on `Gate::"<tenant>"`, recorded in the universe.
    pub fn open_tenant(&self, by: &By, name: &Tenant) -> Result<Answer, Failure> {
        self.answered(Job::OpenTenant(by.clone(), name.clone()))
    }

    /// Activates a law with its modes, and a candidate beside it: judged as `law.activate` on `Gate::"law"`.
    pub fn activate(&self, by: &By, law: Arc<Law>, candidate: Option<Arc<Law>>, modes: Modes) -> Result<Answer, Failure> {
        self.answered(Job::Activate { by: by.clone(), law, candidate, modes })
    }

    /// Many calls in one commit, with an answer each; one that fails does not touch the others.
    pub fn batch(&self, calls: Vec<(Tenant, Call)>) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        let jobs = calls.into_iter().map(|(tenant, call)| Job::Call(tenant, Box::new(call))).collect();
        let done = self.0.store.submit_all(&self.0.court, jobs)?;
        Ok(done
            .into_iter()
            .map(|done| match done {
                Ok(Done::Answer(answer)) => Ok(*answer),
                Ok(_) => Err(Failure::new(Code::Internal, "a job came to something else than an answer")),
                Err(error) => Err(error.into()),
            })
            .collect())
    }

    /// Erases a person: judged as `evidence.erase` on the account. Live instances that need the person's facts refuse it.
    pub fn erase(&self, by: &By, subject: &Uid, ground: &str) -> Result<Answer, Failure> {
        self.answered(Job::Erase { by: by.clone(), subject: subject.clone(), ground: ground.to_owned() })
    }

    /// Verifies the whole store.
    pub fn verify(&self, options: &VerifyOptions<'_>) -> Result<VerifyReport, Failure> {
        self.read(|tx| verify::store(tx, &self.0.court, options))
    }

    /// Verifies a copy of this store (a backup, say) with this store's keys.
    pub fn verify_copy(&self, path: &Path) -> Result<VerifyReport, Failure> {
        verify::copy(path, &self.0.court)
    }

    /// A round of work: seals, signs, fires due deadlines of all tenants, forgets old once-keys, stores checkpoints.
    pub fn work(&self) -> Result<WorkReport, Failure> {
        let mut report = WorkReport::default();
        for name in self.tenants()? {
            loop {
                let sealed = self.counted(Job::Seal { tenant: name.clone(), limit: 1000 })?;
                report.sealed += sealed;
                if sealed == 0 {
                    break;
                }
            }
            report.fired += TenantRef { engine: self.clone(), name: name.clone() }.tick(1000)?;
            report.forgotten += self.counted(Job::Forget(name))?;
        }
        report.checkpoints = lock(&self.0.court.checkpoints).values().filter(|s| !s.stored).count() as u64;
        self.counted(Job::Flush)?;
        Ok(report)
    }

    /// Copies the store while it is in use, verifies the copy, and only then gives it its name.
    pub fn backup(&self, to: &Path, progress: Option<&dyn Fn(u64, u64)>) -> Result<VerifyReport, Failure> {
        let found = std::cell::RefCell::new(None);
        self.counted(Job::Flush)?;
        self.0.store.backup(
            to,
            &mut |at| {
                if let Some(tell) = progress {
                    tell(at.pages_done, at.pages_total);
                }
                ControlFlow::Continue(())
            },
            &|copy| {
                let report = verify::copy(copy, &self.0.court).map_err(StoreError::from)?;
                let intact = report.findings.is_empty();
                let first = report.findings.first().map(|(at, what)| format!("{at}: {what}")).unwrap_or_default();
                *found.borrow_mut() = Some(report);
                if intact { Ok(()) } else { Err(StoreError::integrity(format!("the copy does not verify: {first}"))) }
            },
        )?;
        found.into_inner().ok_or_else(|| Failure::new(Code::Internal, "a backup was not verified"))
    }

    /// Stores what is still in memory (the last checkpoint) and closes.
    pub fn close(self) -> Result<(), Failure> {
        self.counted(Job::Flush).map(drop)
    }
}

impl TenantRef {
    /// The tenant's name.
    pub fn name(&self) -> &Tenant {
        &self.name
    }

    fn court(&self) -> &Court {
        &self.engine.0.court
    }

    /// The tenant's directory: this process's if it was the store's not longer ago than the settings allow, else confirmed.
    fn view(&self) -> Result<Arc<View>, Failure> {
        let court = self.court();
        loop {
            let known = court.views.read().unwrap_or_else(PoisonError::into_inner).get(&self.name).cloned();
            if let Some((view, since)) = &known
                && since.elapsed() <= court.settings.directory_age_max
            {
                return Ok(view.clone());
            }
            let (changes, begun) = (court.changes.load(Ordering::SeqCst), Instant::now());
            let view = self.read_view(known.map(|(view, _)| view))?;
            let mut views = court.views.write().unwrap_or_else(PoisonError::into_inner);
            if court.changes.load(Ordering::SeqCst) == changes {
                views.insert(self.name.clone(), (view.clone(), begun));
                return Ok(view);
            }
            // This process changed a directory meanwhile: what was read may be older than that.
        }
    }

    fn read_view(&self, known: Option<Arc<View>>) -> Result<Arc<View>, Failure> {
        let court = self.court();
        let read = self.engine.read(|tx| {
            let row = tx.row(&crate::store::sql::law::activation())?;
            let n = row.map(|row| row.uint(0)).transpose()?;
            let version = view::version(tx, &self.name)?;
            match known {
                Some(view) if view.version == version && Some(view.in_force.activation.n) == n => Ok(view),
                _ => {
                    let in_force = Arc::new(InForce::read(tx, &court.laws)?);
                    View::read(tx, &self.name, in_force, &court.keys(), &FreshKeys::new()).map(Arc::new)
                }
            }
        });
        read.map_err(|f| if f.code == Code::TenantUnknown { f } else { Failure::new(Code::DirectoryStale, f.message) })
    }

    fn bench<'a>(&'a self, view: &'a View, guards: Option<&'a view::Bench>) -> Bench<'a> {
        let court = self.court();
        Bench {
            store: court.of.store,
            tenant: &self.name,
            now: court.clock.now(),
            last_sealed: None,
            durability: Durability::Unknown,
            seed: [0; 32],
            active: view.active.standing(),
            candidate: view.candidate.as_ref().map(view::Bench::standing),
            guards: guards.map(view::Bench::standing),
            modes: &view.in_force.activation.modes,
            activation: Some(view.in_force.activation.record),
            directory_version: view.version,
            limits: court.limits(&view.in_force),
        }
    }

    /// May this principal do this to that? Answered from memory, at a directory version that the answer names.
    pub fn can(&self, call: &Can) -> Result<Answer, Failure> {
        let view = self.view()?;
        Ok(judge::can(&self.bench(&view, None), call))
    }

    /// A birth.
    pub fn begin(&self, call: Begin) -> Result<Answer, Failure> {
        self.call(Call::Begin(call))
    }

    /// An event or an override.
    pub fn transition(&self, call: Transition) -> Result<Answer, Failure> {
        self.call(Call::Transition(call))
    }

    /// A free record.
    pub fn record(&self, call: Note) -> Result<Answer, Failure> {
        self.call(Call::Note(call))
    }

    /// A directory change.
    pub fn directory(&self, call: Directory) -> Result<Answer, Failure> {
        self.call(Call::Directory(call))
    }

    /// An existing row brought in.
    pub fn adopt(&self, call: Adopt) -> Result<Answer, Failure> {
        self.call(Call::Adopt(call))
    }

    /// Any call.
    pub fn call(&self, call: Call) -> Result<Answer, Failure> {
        self.engine.answered(Job::Call(self.name.clone(), Box::new(call)))
    }

    /// The instance as it stands.
    pub fn instance(&self, contract: &Name, id: &InstanceId) -> Result<Option<Instance>, Failure> {
        let view = self.view()?;
        self.engine.read(|tx| self.court().look_at(tx, &self.name, &view, contract, id))
    }

    /// The instance's records, oldest first, at most `limit` from the record `from_n` on.
    pub fn history(&self, contract: &Name, id: &InstanceId, from_n: u64, limit: usize) -> Result<Vec<HistoryEntry>, Failure> {
        self.engine.read(|tx| {
            let row = tx.row(&state_sql::instance(&self.name, contract, id))?;
            let row = row.ok_or_else(|| Failure::new(Code::InstanceUnknown, format!("`{contract}/{id}`")))?;
            let handle = state_sql::instance_from(&row, contract.clone(), id.clone())?.instance.handle;
            self.court().history(tx, &self.name, &handle, from_n, limit)
        })
    }

    /// The newest payload of a stream that [`TenantRef::record`] wrote, if any.
    pub fn last_note(&self, stream: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.engine.read(|tx| self.court().last_note(tx, &self.name, stream))
    }

    /// What this principal can do with the instance now, and why not the rest.
    pub fn available(&self, contract: &Name, id: &InstanceId, by: &By) -> Result<Vec<Available>, Failure> {
        let view = self.view()?;
        let court = self.court();
        let (instance, guards) = self.engine.read(|tx| {
            let instance = court.look_at(tx, &self.name, &view, contract, id)?;
            let instance = instance.ok_or_else(|| Failure::new(Code::InstanceUnknown, format!("`{contract}/{id}`")))?;
            let older = instance.law != view.active.law.hash;
            let guards = if older { Some(view.under(court.laws.get(tx, &instance.law)?)?) } else { None };
            Ok((instance, guards))
        })?;
        let found = judge::available(&self.bench(&view, guards.as_ref()), &instance, by);
        Ok(found.into_iter().map(|(event, answer, needs)| Available { event, answer, needs }).collect())
    }

    /// Fires due deadlines, at most `limit` instances; says how many fired.
    pub fn tick(&self, limit: usize) -> Result<u64, Failure> {
        let now = self.court().clock.now();
        let due = self.engine.read(|tx| {
            let mut due = Vec::new();
            for row in tx.rows(&state_sql::due(&self.name, now, limit))? {
                let contract = Name::new(row.text(0)?).map_err(|e| row.fault(0, &e.to_string()))?;
                let id = std::str::from_utf8(row.blob(1)?).map_err(|_| row.fault(1, "not UTF-8"))?;
                due.push((contract, InstanceId::new(id).map_err(|e| row.fault(1, &e.to_string()))?));
            }
            Ok(due)
        })?;
        let mut due = due;
        due.dedup();
        let jobs = due.into_iter().map(|(contract, id)| Job::Tick(self.name.clone(), contract, id)).collect();
        let mut fired = 0;
        for done in self.engine.0.store.submit_all(self.court(), jobs)? {
            if let Done::Count(count) = done? {
                fired += count;
            }
        }
        Ok(fired)
    }

    /// Leases waiting messages, oldest first; judged as `outbox.poll` on `Gate::"<tenant>"`.
    pub fn outbox_poll(&self, by: &By, limit: usize, lease: Duration) -> Result<Vec<OutboxMessage>, Failure> {
        match self.engine.submit(Job::Poll { tenant: self.name.clone(), by: by.clone(), limit, lease })? {
            Done::Messages(messages) => messages,
            _ => Err(Failure::new(Code::Internal, "a poll came to something else than messages")),
        }
    }

    /// Acknowledges a message under its lease.
    pub fn outbox_ack(&self, by: &By, pos: u64, lease: &KeyId) -> Result<(), Failure> {
        self.engine.counted(Job::Acknowledge { tenant: self.name.clone(), by: by.clone(), pos, lease: *lease }).map(drop)
    }

    /// The directory's entities and grants of this tenant and the universe, sorted.
    pub fn directory_entities(&self) -> Result<(Vec<hos_core::policy::Entity>, Vec<hos_core::policy::Link>), Failure> {
        let law = self.engine.law();
        self.engine.read(|tx| view::read_directory(tx, &self.name, &law, &self.court().keys(), &FreshKeys::new()))
    }

    /// The newest checkpoint (a C2SP signed note); `None` for an empty log.
    pub fn checkpoint(&self) -> Result<Option<String>, Failure> {
        let court = self.court();
        let head = self.engine.read(|tx| seal::head(tx, &self.name, court.of))?;
        if head.size == 0 {
            return Ok(None);
        }
        court.sign_heads(&[(self.name.clone(), head)].into());
        Ok(lock(&court.checkpoints).get(&self.name).map(|s| s.note.to_string()))
    }

    /// An inclusion proof for entry `seq` in the tree of `size` (hashes, leaf to root).
    pub fn inclusion(&self, seq: u64, size: u64) -> Result<Vec<TreeHash>, Failure> {
        self.engine.read(|tx| self.court().inclusion(tx, &self.name, seq, size))
    }

    /// A consistency proof between two sizes.
    pub fn consistency(&self, from: u64, to: u64) -> Result<Vec<TreeHash>, Failure> {
        self.engine.read(|tx| self.court().consistency(tx, &self.name, from, to))
    }
}
