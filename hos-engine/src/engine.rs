//! The engine's face: tenants, laws, and what operators need.

use crate::court::{Court, lock};
use crate::desk::Desk;
use crate::replay::{self, BacktestReport, ReplayOptions, ReplayReport};
use crate::report::{LawEntry, Level, VerifyOptions, VerifyReport};
use crate::shadow::{Spare, guarded};
use crate::store::StoreError;
use crate::store::place::Place;
use crate::store::sql::evidence as evidence_sql;
use crate::store::sqlite::{Stats, Vault};
use crate::tenant::TenantRef;
use crate::view::{self, InForce};
use crate::work::{Done, Job, Plan};
use crate::{Failure, seal, verify};
use hos_core::answer::Answer;
use hos_core::call::{By, Call, Legacy};
use hos_core::id::{KeyId, LawHash, StoreId, Tenant};
use hos_core::judge::About;
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::proof::checkpoint::{NoteKey, origin};
use hos_core::refusal::Code;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, PoisonError, Weak};

/// How often what did not hold is looked at anew because somebody was erased meanwhile.
const LOOKS: usize = 3;

/// An open store under its active law. Cheap to clone; used from many threads.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Desk>);

/// An engine that is not kept open by whoever has this.
#[derive(Clone)]
pub struct WeakEngine(Weak<Desk>, Weak<()>);

impl WeakEngine {
    /// The engine, while somebody keeps it open.
    pub fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }

    /// Whether it is this one.
    pub fn is(&self, engine: &Engine) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&engine.0))
    }

    /// Whether its files are closed: some time after nobody keeps it open any more.
    pub fn is_closed(&self) -> bool {
        self.1.strong_count() == 0
    }
}

impl Engine {
    /// Whether both are one engine.
    pub fn is(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// This engine, without keeping it open.
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.0), Arc::downgrade(&self.0.open))
    }

    pub(crate) fn assemble(store: Place<Court>, court: Court) -> Self {
        Self(Arc::new(Desk { store, court, open: Arc::new(()) }))
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.0
    }

    pub(crate) fn found(&self, plan: Plan) -> Result<(), Failure> {
        self.0.submit(Job::Found(Box::new(plan))).map(drop)
    }

    /// What start-up does before the first call: the laws in force are read, heads without a checkpoint are signed, the vault is looked
    /// at, and erasures are carried out that a crash left half done, to the wiping of what they deleted.
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
                    unsigned.push((tenant, head, size));
                }
            }
            court.gone(tx)
        })?;
        // A signer that does not answer is no reason to stay closed, and is asked once: what it owes is named by `verify` and `work`.
        let signs = self.0.may_write().is_ok();
        for (tenant, head, stored) in &unsigned {
            if court.reading || (signs && !court.signing.is_paused() && self.0.sign(tenant, head).is_ok()) {
                court.signing.late(tenant, *stored, head.size);
            }
        }
        // Where nothing may be written, no key goes on the word of a record that nobody has verified; it opens nothing all the same.
        if self.0.may_write().is_err() {
            return Ok(());
        }
        self.0.read(|tx| court.has_its_vault(tx, &erased))?;
        self.erase_restored(court.follow_erasures(&erased)?)?;
        // What cannot be wiped now is no reason to stay closed: the store says that it waits.
        let _ = self.wipe(false);
        Ok(())
    }

    /// The active law, as this process last saw it.
    pub fn law(&self) -> Result<Arc<Law>, Failure> {
        let in_force = self.0.in_force().ok_or_else(|| Failure::new(Code::StoreIntegrity, "the store has no activation"))?;
        Ok(in_force.law.clone())
    }

    /// A law of the store, whether or not it is in force.
    pub fn law_of(&self, hash: &LawHash) -> Result<Arc<Law>, Failure> {
        self.0.read(|tx| self.0.court.laws.get(tx, hash))
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

    /// A tenant by its name alone: whether it was ever opened is seen by each call. So the world's own answer stands in shadow
    /// even for a tenant that nobody opened, or whose store cannot be asked.
    pub fn tenant_named(&self, name: &Tenant) -> TenantRef {
        TenantRef { desk: self.0.clone(), name: name.clone() }
    }

    /// The world's own answer in place of a call that could not even be read, if the law is not enforced for what it is about;
    /// else the failure.
    pub fn instead(&self, tenant: &Tenant, about: About<'_>, legacy: &Legacy, failure: Failure) -> Result<Answer, Failure> {
        self.0.instead(tenant, about, Some(legacy), failure)
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

    /// Many calls in one commit, with an answer each; one that fails does not touch the others. The outer failure means that
    /// none of them ran.
    pub fn batch(&self, calls: Vec<(Tenant, Call)>) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        let spares: Vec<(Tenant, Spare)> = calls.iter().map(|(tenant, call)| (tenant.clone(), Spare::of(call))).collect();
        let jobs: Vec<Job> = calls.into_iter().map(|(tenant, call)| Job::Call(tenant, Box::new(call))).collect();
        let grown: Vec<Vec<Tenant>> = jobs.iter().map(|job| self.0.seals_behind(job)).collect();
        let mut done: Vec<Result<Done, Failure>> = match guarded(|| self.0.submit_all(jobs)) {
            Ok(done) => done.into_iter().map(|done| done.map_err(Failure::from)).collect(),
            Err(failure) if spares.iter().any(|(_, spare)| spare.is_kept()) => {
                let stands = |(tenant, spare): (Tenant, Spare)| self.0.spared(&tenant, spare, failure.clone());
                return Ok(spares.into_iter().map(stands).collect());
            }
            Err(failure) => return Err(failure),
        };
        self.0.seal_behind(grown, &mut done);
        self.0.sign_answers(&mut done);
        self.0.advance_mark(false);
        let answers = done.into_iter().zip(spares).map(|(done, (tenant, spare))| match done {
            Ok(Done::Answer(answer)) => Ok(*answer),
            Ok(_) => Err(Failure::new(Code::Internal, "a job came to something else than an answer")),
            Err(failure) => self.0.spared(&tenant, spare, failure),
        });
        Ok(answers.collect())
    }

    /// Verifies the whole store.
    pub fn verify(&self, options: &VerifyOptions<'_>) -> Result<VerifyReport, Failure> {
        let look = |_: &HashSet<KeyId>| self.0.read(|tx| verify::store(tx, &self.0.court, options, self.0.store.as_file()));
        self.settled(look, |report| report.level != Level::Broken)
    }

    /// Looks once more where something did not hold and somebody was erased meanwhile: the vault is of a later moment than what was read. It
    /// is given the keys that the store's records say are destroyed.
    fn settled<T>(&self, look: impl Fn(&HashSet<KeyId>) -> Result<T, Failure>, holds: impl Fn(&T) -> bool) -> Result<T, Failure> {
        // Records that do not read are found by who looks.
        let erased = || self.0.read(|tx| self.0.court.gone(tx)).unwrap_or_default();
        let mut before = erased();
        for _ in 0..LOOKS {
            let seen = look(&before);
            let now = erased();
            if now.len() == before.len() || seen.as_ref().is_ok_and(&holds) {
                return seen;
            }
            before = now;
        }
        look(&before)
    }

    /// Judges the kept past again, under the laws it was judged under. What is read is taken as it is stored: whether that is
    /// the evidence is [`Engine::verify`]'s question.
    pub fn replay(&self, options: &ReplayOptions<'_>) -> Result<ReplayReport, Failure> {
        self.0.read(|tx| replay::again(tx, &self.0.court, options))
    }

    /// Verifies the whole store and judges it again, both as of one moment. The level is [`Level::Replayed`] where the evidence
    /// holds and every record that can be judged again gives the same answer.
    pub fn verify_replayed(
        &self,
        options: &VerifyOptions<'_>,
        progress: Option<&dyn Fn(u64, u64)>,
    ) -> Result<(VerifyReport, ReplayReport), Failure> {
        if !options.since.is_empty() {
            let message =
                "a log that is not read from its beginning is not judged again: verify by the checkpoint, or judge the whole";
            return Err(Failure::new(Code::CallMalformed, message));
        }
        let look = |_: &HashSet<KeyId>| {
            self.0.read(|tx| {
                let mut report = verify::store(tx, &self.0.court, options, self.0.store.as_file())?;
                if report.level == Level::Broken {
                    return Ok((report, ReplayReport { evidence: Some(Level::Broken), ..ReplayReport::default() }));
                }
                let mut replay = replay::again(tx, &self.0.court, &ReplayOptions { progress, ..ReplayOptions::default() })?;
                replay.evidence = Some(report.level);
                if replay.differs == 0 {
                    report.level = Level::Replayed;
                }
                Ok((report, replay))
            })
        };
        self.settled(look, |(report, _)| report.level != Level::Broken)
    }

    /// Tries a law on the kept past: what of it would have been decided otherwise.
    pub fn backtest(&self, law: &Arc<Law>, options: &ReplayOptions<'_>) -> Result<BacktestReport, Failure> {
        self.0.read(|tx| replay::backtest(tx, &self.0.court, law, options))
    }

    /// Verifies a copy of this store (a backup, say) with this store's keys.
    pub fn verify_copy(&self, path: &Path) -> Result<VerifyReport, Failure> {
        self.settled(|erased| verify::copy(path, &self.0.court, erased), |report| report.level != Level::Broken)
    }

    /// The store's laws: the active one, the candidate, then the earlier ones from the newest to the oldest.
    pub fn laws(&self) -> Result<Vec<LawEntry>, Failure> {
        self.0.read(|tx| self.0.court.law_entries(tx))
    }

    /// Copies the store while it is in use, verifies the copy, and only then gives it its name.
    pub fn backup(&self, to: &Path, progress: Option<&dyn Fn(u64, u64)>) -> Result<VerifyReport, Failure> {
        self.settled(|erased| self.copied(to, progress, erased), |_| true)
    }

    fn copied(&self, to: &Path, progress: Option<&dyn Fn(u64, u64)>, erased: &HashSet<KeyId>) -> Result<VerifyReport, Failure> {
        let found = std::cell::RefCell::new(None);
        self.0.counted(Job::Flush)?;
        self.0.store.file("a backup")?.backup(
            to,
            &mut |at| {
                if let Some(tell) = progress {
                    tell(at.pages_done, at.pages_total);
                }
                ControlFlow::Continue(())
            },
            &|copy| {
                let report = verify::copy(copy, &self.0.court, erased).map_err(StoreError::from)?;
                let intact = report.findings.is_empty();
                let first = report.findings.first().map(|(at, what)| format!("{at}: {what}")).unwrap_or_default();
                *found.borrow_mut() = Some(report);
                if intact { Ok(()) } else { Err(StoreError::integrity(format!("the copy does not verify: {first}"))) }
            },
        )?;
        found.into_inner().ok_or_else(|| Failure::new(Code::Internal, "a backup was not verified"))
    }

    /// Copies the vault while it is in use. The copy brings back every key that it holds, also those of persons who are erased
    /// later: keep it apart from copies of the store, and for a short time.
    pub fn backup_vault(&self, to: &Path) -> Result<(), Failure> {
        let readable = |copy: &Path| Vault::open_with(copy, Vault::options().read_only(true)).map(drop);
        Ok(self.0.court.vault.file()?.backup(to, &mut |_| ControlFlow::Continue(()), &readable)?)
    }

    /// Closes the files for good where what lies there now is not what this engine has answered from: the store was put back from a copy,
    /// or is another one. It answers nothing any more as it is; closed, it no longer keeps others in this process from opening what lies
    /// there. Says whether it is closed so.
    pub fn leave_if_lost(&self) -> Result<bool, Failure> {
        let court = &self.0.court;
        match self.0.store.as_file() {
            Some(file) if file.leave_if_lost(court)? => {
                court.vault.file()?.leave()?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Stores what is still in memory (the last checkpoint) and closes. A failure is of that checkpoint alone, which whoever
    /// opens the store next signs again: every call that was answered is stored.
    pub fn close(self) -> Result<(), Failure> {
        if self.0.may_write().is_err() {
            return Ok(());
        }
        self.0.counted(Job::Flush).map(drop)
    }
}
