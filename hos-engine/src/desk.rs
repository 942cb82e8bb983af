//! The desk of an open store: jobs in, answers out. What the engine's face and its tenants share.

use crate::Failure;
use crate::court::{Court, lock};
use crate::ports::Unsigned;
use crate::seal;
use crate::settings::Seal;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::place::Place;
use crate::store::sql::evidence::Head;
use crate::store::sqlite::Stay;
use crate::view::InForce;
use crate::work::{Done, Drained, HeadsDone, Job};
use hos_core::answer::Answer;
use hos_core::id::Tenant;
use hos_core::refusal::Code;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};

/// How many records one transaction seals behind a commit.
const SEAL_STEP: u64 = 256;

/// How often a signer is asked again with a longer head, where other processes have theirs signed first.
const OVERTAKEN: usize = 8;

/// An open store, and the court that judges in its commits.
pub(crate) struct Desk {
    pub(crate) store: Place<Court>,
    pub(crate) court: Court,
    /// Goes last: while somebody sees it, the files above are not all closed.
    pub(crate) open: Arc<()>,
}

impl Desk {
    /// Runs one job in a commit that it may share.
    pub(crate) fn submit(&self, job: Job) -> Result<Done, Failure> {
        self.may_write()?;
        self.submit_even_in_quarantine(job)
    }

    /// Runs these jobs in one commit, and answers each, in their order. The outer failure means that none of them ran.
    pub(crate) fn submit_all(&self, jobs: Vec<Job>) -> Result<Vec<Result<Done, StoreError>>, Failure> {
        self.may_write()?;
        Ok(self.store.submit_all(&self.court, jobs)?)
    }

    /// Refuses where the store is only read.
    pub(crate) fn may_write(&self) -> Result<(), Failure> {
        let _stay = Stay::enter();
        match lock(&self.court.quarantine).as_ref() {
            Some(why) => Err(Failure::new(Code::Quarantined, why.clone())),
            None if self.court.reading => {
                Err(Failure::new(Code::StoreReadOnly, "the engine was opened to read; open it again to write"))
            }
            None => Ok(()),
        }
    }

    /// The same, for what ends a quarantine.
    pub(crate) fn submit_even_in_quarantine(&self, job: Job) -> Result<Done, Failure> {
        let flush = matches!(job, Job::Flush);
        let grown = [self.seals_behind(&job)];
        let mut done = [self.store.submit(&self.court, job)];
        self.seal_behind(grown, &mut done);
        self.sign_answers(&mut done);
        self.advance_mark(flush);
        let [done] = done;
        Ok(done?)
    }

    /// Whose logs a job grows that are sealed behind its commit: those of a store that others write too.
    pub(crate) fn seals_behind(&self, job: &Job) -> Vec<Tenant> {
        let behind = self.store.is_shared() && self.court.settings.seal == Seal::Inline;
        if behind { job.writes_to().unwrap_or_default() } else { Vec::new() }
    }

    /// Seals what a commit has left in queues, in transactions of their own, each log once, and completes the answers' receipts. `grown`
    /// are each job's logs. What cannot be sealed now is sealed by the next who seals: the answers stand, their receipts pending.
    pub(crate) fn seal_behind<E>(&self, grown: impl IntoIterator<Item = Vec<Tenant>>, done: &mut [Result<Done, E>]) {
        // What failed has written nothing.
        let written = grown.into_iter().zip(done.iter()).filter(|(_, done)| done.is_ok());
        let tenants: BTreeSet<Tenant> = written.flat_map(|(tenants, _)| tenants).collect();
        if tenants.is_empty() {
            return;
        }
        for tenant in &tenants {
            let page = || self.store.submit(&self.court, Job::Seal { tenant: tenant.clone(), limit: SEAL_STEP as usize });
            while let Ok(Done::Drained(drained)) = page()
                && drained.is_followed(SEAL_STEP)
            {}
        }
        let mut pending: Vec<&mut Answer> = done.iter_mut().flatten().filter_map(pending).collect();
        if pending.is_empty() {
            return;
        }
        let _ = self.read(|tx| {
            for answer in &mut pending {
                if let Some(receipt) = answer.receipt.as_mut()
                    && let Some(n) = receipt.n
                {
                    *receipt = self.court.receipt(tx, &receipt.tenant, receipt.thread, n, receipt.record)?;
                }
            }
            Ok(())
        });
        for answer in pending {
            self.court.complete(&HashMap::new(), answer);
        }
    }

    /// Lets the mark outside follow.
    pub(crate) fn advance_mark(&self, flush: bool) {
        if let Some(mark) = &self.court.mark {
            let _stay = Stay::enter();
            let newest =
                lock(&self.court.checkpoints).iter().map(|(t, signed)| (t.clone(), signed.size, signed.note.clone())).collect();
            mark.advance(&self.court.of.store, newest, flush);
        }
    }

    /// Signs one head, or a longer one that vouches for it too; the proof that it extends what was signed last is made when it is asked
    /// for. One that is refused has failed only where it is the newest: several processes may ask one signer, and who read the head
    /// before another committed is shown as one whose log shrinks.
    pub(crate) fn sign(&self, tenant: &Tenant, head: &Head) -> Result<(), Unsigned> {
        self.may_write()?;
        self.read(|tx| self.court.ring(tx))?;
        let (mut head, mut refused) = (head.clone(), 0);
        loop {
            if tenant.is_universe()
                && !self.court.covers(tenant, head.size)
                && let Err(failure) = self.read(|tx| self.court.ends_plainly(tx, &head))
            {
                self.court.signing.owes(tenant, &failure.message);
                return Err(failure.into());
            }
            let proof = |from| self.read(|tx| self.court.consistency(tx, tenant, from, head.size));
            let failure = match self.court.sign(tenant, &head, &proof) {
                Err(Unsigned::Refused(failure)) => failure,
                done => return done,
            };
            refused += 1;
            let newest = self.read(|tx| seal::head(tx, tenant, self.court.of))?;
            if newest.size <= head.size || refused == OVERTAKEN {
                self.court.signing.owes(tenant, &failure.message);
                return Err(Unsigned::Refused(failure));
            }
            head = newest;
        }
    }

    /// Signs the head that a tenant has now.
    pub(crate) fn sign_newest(&self, tenant: &Tenant) -> Result<(), Unsigned> {
        let head = self.read(|tx| seal::head(tx, tenant, self.court.of))?;
        self.sign(tenant, &head)
    }

    /// Signs every head that has no checkpoint; what fails is kept in [`crate::court::signing::Signing::failures`]. A signer that does
    /// not answer is asked once: the other heads are owed for the same reason.
    pub(crate) fn sign_all(&self) {
        let tenants = self.read(|tx| self.court.tenants(tx)).unwrap_or_default();
        let mut silent = None;
        for tenant in tenants {
            if silent.is_none() {
                silent = self.sign_newest(&tenant).err().and_then(of_the_signer);
            }
            if let Some(why) = &silent {
                self.owes(&tenant, why);
            }
        }
    }

    /// Says why a tenant's newest head is owed, if it is.
    fn owes(&self, tenant: &Tenant, why: &str) {
        let head = self.read(|tx| seal::head(tx, tenant, self.court.of));
        if head.is_ok_and(|head| head.size > 0 && !self.court.covers(tenant, head.size)) {
            self.court.signing.owes(tenant, why);
        }
    }

    /// Completes the receipts of answers, where the signer is elsewhere: the commit is durable, nobody waits for this but the
    /// callers themselves, and one that the signer fails is answered without checkpoint.
    pub(crate) fn sign_answers<E>(&self, done: &mut [Result<Done, E>]) {
        let _stay = Stay::enter();
        if self.court.signing.is_here() {
            return;
        }
        for answer in done.iter_mut().flatten() {
            let Done::Answer(answer) = answer else { continue };
            let due = answer.receipt.as_ref().filter(|r| r.seal.as_ref().is_some_and(|seal| seal.checkpoint.is_none()));
            let Some(tenant) = due.map(|receipt| receipt.tenant.clone()) else { continue };
            if !self.court.signing.is_paused() {
                let _ = self.sign_newest(&tenant);
            }
            self.court.complete(&HashMap::new(), answer);
        }
    }

    /// A job that comes to an answer.
    pub(crate) fn answered(&self, job: Job) -> Result<Answer, Failure> {
        match self.submit(job)? {
            Done::Answer(answer) => Ok(*answer),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than an answer")),
        }
    }

    /// A job that comes to a number.
    pub(crate) fn counted(&self, job: Job) -> Result<u64, Failure> {
        match self.submit(job)? {
            Done::Count(count) => Ok(count),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than a count")),
        }
    }

    /// Seals a page of what waits in a tenant's queue.
    pub(crate) fn drained(&self, tenant: &Tenant, limit: usize) -> Result<Drained, Failure> {
        match self.submit(Job::Seal { tenant: tenant.clone(), limit })? {
            Done::Drained(drained) => Ok(drained),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than a page of a queue")),
        }
    }

    /// A job that comes to a map of heads.
    pub(crate) fn mapped(&self, job: Job) -> Result<HeadsDone, Failure> {
        match self.submit(job)? {
            Done::Heads(done) => Ok(*done),
            _ => Err(Failure::new(Code::Internal, "a job came to something else than a map of heads")),
        }
    }

    /// Reads in one transaction; what fails keeps its own failure.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut failed = None;
        let result = self.store.read_verified(&self.court, |tx| {
            work(tx).map_err(|failure| {
                let error = StoreError::new(failure.code, failure.message.clone());
                failed = Some(failure);
                error
            })
        });
        result.map_err(|error| failed.unwrap_or_else(|| error.into()))
    }

    /// The laws in force, as this process last saw them.
    pub(crate) fn in_force(&self) -> Option<Arc<InForce>> {
        let _stay = Stay::enter();
        self.court.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why nobody else needs to ask the signer either.
fn of_the_signer(unsigned: Unsigned) -> Option<String> {
    match unsigned {
        Unsigned::Failed(failure) if failure.code == Code::SignerFailed => Some(failure.message),
        _ => None,
    }
}

/// An answer whose record has its place in its thread, and none in the log that its receipt says.
fn pending(done: &mut Done) -> Option<&mut Answer> {
    let Done::Answer(answer) = done else { return None };
    let waits = answer.receipt.as_ref().is_some_and(|receipt| receipt.seal.is_none() && receipt.n.is_some());
    if waits { Some(answer) } else { None }
}
