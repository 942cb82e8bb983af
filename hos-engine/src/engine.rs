//! The engine's face: tenants, laws, and what operators need.

use crate::court::{Court, lock};
use crate::desk::Desk;
use crate::report::{VerifyOptions, VerifyReport, WorkReport};
use crate::store::StoreError;
use crate::store::sql::evidence as evidence_sql;
use crate::store::sqlite::{SqliteStore, Stats};
use crate::tenant::TenantRef;
use crate::view::{self, InForce};
use crate::work::{Done, Job, Plan};
use crate::{Failure, seal, verify};
use hos_core::answer::Answer;
use hos_core::call::{By, Call};
use hos_core::id::{StoreId, Tenant, Uid};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::proof::checkpoint::{NoteKey, origin};
use hos_core::refusal::Code;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// An open store under its active law. Cheap to clone; used from many threads.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Desk>);

impl Engine {
    pub(crate) fn assemble(store: SqliteStore<Court>, court: Court) -> Self {
        Self(Arc::new(Desk { store, court }))
    }

    pub(crate) fn found(&self, plan: Plan) -> Result<(), Failure> {
        self.0.submit(Job::Found(Box::new(plan))).map(drop)
    }

    /// What start-up does before the first call: the laws in force are read, erasures are carried out that a crash left half
    /// done, and heads without a checkpoint are signed.
    pub(crate) fn recover(&self) -> Result<(), Failure> {
        let court = &self.0.court;
        let mut unsigned = Vec::new();
        let erased = self.0.read(|tx| {
            court.ring(tx)?;
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
                    lock(&court.checkpoints).insert(tenant, crate::court::Signed { size, note: note.into(), stored: size });
                } else {
                    unsigned.push((tenant, head));
                }
            }
            court.erased_keys(tx)
        })?;
        // A signer that does not answer is no reason to stay closed: what it owes is named by `verify` and `work`.
        for (tenant, head) in unsigned.iter().filter(|_| !court.signing.is_paused() && self.0.may_write().is_ok()) {
            let _ = self.0.sign(tenant, head);
        }
        court.destroy_keys(&erased)
    }

    /// The active law, as this process last saw it.
    pub fn law(&self) -> Arc<Law> {
        // An engine is handed out only when a law is in force, and none is ever taken away.
        match self.0.in_force() {
            Some(in_force) => in_force.law.clone(),
            None => unreachable!("an engine without a law in force"),
        }
    }

    /// The modes of the activation, as this process last saw it.
    pub fn modes(&self) -> Modes {
        self.0.in_force().map(|f| f.activation.modes.clone()).unwrap_or_default()
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
        NoteKey::new(origin(&court.of.store, tenant, court.of.epoch), court.signing.public())
            .map(|key| key.to_string())
            .map_err(|e| Failure::new(Code::KeyInvalid, e.to_string()))
    }

    /// A tenant; refused if it was never opened.
    pub fn tenant(&self, name: &str) -> Result<TenantRef, Failure> {
        let name = Tenant::new(name)?;
        self.0.read(|tx| view::version(tx, &name))?;
        Ok(TenantRef { desk: self.0.clone(), name })
    }

    /// All tenants, the universe included.
    pub fn tenants(&self) -> Result<Vec<Tenant>, Failure> {
        self.0.read(|tx| self.0.court.tenants(tx))
    }

    /// Opens a new tenant: judged as `tenant.open` on `Gate::"<tenant>"`, recorded in the universe.
    pub fn open_tenant(&self, by: &By, name: &Tenant) -> Result<Answer, Failure> {
        self.0.answered(Job::OpenTenant(by.clone(), name.clone()))
    }

    /// Activates a law with its modes, and a candidate beside it: judged as `law.activate` on `Gate::"law"`.
    pub fn activate(&self, by: &By, law: Arc<Law>, candidate: Option<Arc<Law>>, modes: Modes) -> Result<Answer, Failure> {
        self.0.answered(Job::Activate { by: by.clone(), law, candidate, modes })
    }

    /// Many calls in one commit, with an answer each; one that fails does not touch the others.
    pub fn batch(&self, calls: Vec<(Tenant, Call)>) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        let jobs = calls.into_iter().map(|(tenant, call)| Job::Call(tenant, Box::new(call))).collect();
        self.0.may_write()?;
        let mut done = self.0.store.submit_all(&self.0.court, jobs)?;
        self.0.sign_answers(&mut done);
        self.0.advance_mark(false);
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
        self.0.answered(Job::Erase { by: by.clone(), subject: subject.clone(), ground: ground.to_owned() })
    }

    /// Verifies the whole store.
    pub fn verify(&self, options: &VerifyOptions<'_>) -> Result<VerifyReport, Failure> {
        self.0.read(|tx| verify::store(tx, &self.0.court, options))
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
                let sealed = self.0.counted(Job::Seal { tenant: name.clone(), limit: 1000 })?;
                report.sealed += sealed;
                if sealed == 0 {
                    break;
                }
            }
            report.fired += TenantRef { desk: self.0.clone(), name: name.clone() }.tick(1000)?;
            report.forgotten += self.0.counted(Job::Forget(name))?;
        }
        self.0.sign_all();
        report.unsigned = self.0.court.signing.failures().into_iter().map(|(t, why)| (t.to_string(), why)).collect();
        report.checkpoints = lock(&self.0.court.checkpoints).values().filter(|s| s.stored < s.size).count() as u64;
        self.0.counted(Job::Flush)?;
        report.mark = self.0.court.mark.as_ref().and_then(|mark| mark.trouble());
        Ok(report)
    }

    /// Copies the store while it is in use, verifies the copy, and only then gives it its name.
    pub fn backup(&self, to: &Path, progress: Option<&dyn Fn(u64, u64)>) -> Result<VerifyReport, Failure> {
        let found = std::cell::RefCell::new(None);
        self.0.counted(Job::Flush)?;
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
        if self.quarantine().is_some() {
            return Ok(());
        }
        self.0.counted(Job::Flush).map(drop)
    }
}
