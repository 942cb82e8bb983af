//! A round of work: what is done beside calls, for all tenants.

use crate::court::folded::{Came, Page, Waiting};
use crate::court::host::COUNTED_MAX;
use crate::report::WorkReport;
use crate::shadow::is_for_now;
use crate::store::sql::{evidence as evidence_sql, state as state_sql};
use crate::tenant::Cursor;
use crate::work::Job;
use crate::{Engine, Failure};
use hos_core::call::Call;
use hos_core::id::Tenant;
use hos_core::judge;
use hos_core::refusal::Blocker;
use std::collections::HashSet;

/// How many records, or instances, one commit of a round takes.
const STEP: usize = 1000;

/// How far a round is, and how much it found to do when it began.
struct Told<'t> {
    done: u64,
    all: u64,
    tell: &'t dyn Fn(u64, u64),
}

impl Told<'_> {
    fn add(&mut self, count: u64) {
        self.done += count;
        // What came in meanwhile is done too, and was not foreseen.
        (self.tell)(self.done, self.all.max(self.done));
    }
}

impl Engine {
    /// A round of work: seals, signs, fires due deadlines of all tenants, forgets old once-keys, wipes what erasures left on the disk,
    /// stores checkpoints. What fails in one tenant holds up no other; the first failure is told when all is done.
    pub fn work(&self) -> Result<WorkReport, Failure> {
        self.work_telling(&|_, _| {})
    }

    /// The same, told now and then how far it is: (records and deadlines done, in all).
    pub fn work_telling(&self, tell: &dyn Fn(u64, u64)) -> Result<WorkReport, Failure> {
        // On the word of records that nobody has verified no key is destroyed either.
        self.desk().may_write()?;
        let mut report = WorkReport::default();
        let tenants = self.tenants()?;
        let mut waiting = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let (queued, due) = self.waiting(&tenant)?;
            waiting.push((tenant, queued, due));
        }
        let mut told = Told { done: 0, all: waiting.iter().map(|(_, queued, due)| queued + due).sum(), tell };
        told.add(0);
        let mut failed = None;
        for (tenant, _, due) in waiting {
            if let Err(failure) = self.work_of(&tenant, due, &mut report, &mut told) {
                failed.get_or_insert(failure);
            }
        }
        if let Err(failure) =
            self.desk().read(|tx| self.desk().court.gone(tx)).and_then(|gone| self.desk().court.follow_new_erasures(&gone))
        {
            failed.get_or_insert(failure);
        }
        if let Err(failure) = self.wipe(false) {
            failed.get_or_insert(failure);
        }
        self.desk().sign_all();
        report.unsigned = self.desk().court.signing.failures().into_iter().map(|(t, why)| (t.to_string(), why)).collect();
        report.checkpoints = self.desk().court.signing.take_signed();
        if let Err(failure) = self.desk().counted(Job::Flush) {
            failed.get_or_insert(failure);
        }
        report.mark = self.mark_trouble().map(|failure| failure.message);
        failed.map_or(Ok(report), Err)
    }

    /// Counts the changes of a tenant's directory that hosts' transactions wrote: until they are counted, whoever judges beside them reads
    /// each of them whenever there is another. Part of a round; who makes many changes does it meanwhile.
    pub fn count_changes(&self, tenant: &Tenant) -> Result<(), Failure> {
        // In a store that nobody else writes there are none.
        while self.desk().store.is_shared() && self.desk().counted(Job::CountChanges(tenant.clone()))? == COUNTED_MAX {}
        Ok(())
    }

    /// Judges calls in shadow that hosts' transactions left, at most `limit` of a tenant; says how many. `read` makes a call of the
    /// bytes that it came in. One that cannot be judged is recorded as such. One that fails for now is left, and those behind it about
    /// the same instance wait with it, for calls are judged in the order in which they came; it is the failure when the others are done.
    /// What cannot be read is no call that a host's transaction left: it is set aside for who looks into it. Of a person who was erased
    /// nothing is left to be judged: the call goes.
    pub fn fold_shadows(&self, limit: usize, read: &dyn Fn(&[u8]) -> Result<Call, Failure>) -> Result<u64, Failure> {
        let (mut folded, mut failed) = (0, None);
        for tenant in self.tenants()? {
            if let Err(failure) = self.fold_tenant(&tenant, limit, read, &mut folded) {
                failed.get_or_insert(failure);
            }
        }
        failed.map_or(Ok(folded), Err)
    }

    fn fold_tenant(
        &self,
        tenant: &Tenant,
        mut left: usize,
        read: &dyn Fn(&[u8]) -> Result<Call, Failure>,
        folded: &mut u64,
    ) -> Result<(), Failure> {
        let (mut held, mut failed, mut after) = (HashSet::new(), None, i64::MIN);
        while left > 0 {
            let page = self.desk().read(|tx| self.desk().court.shadows(tx, tenant, after, STEP))?;
            let Page { waiting, mut nothing, last: Some(last) } = page else { break };
            after = last;
            for waiting in waiting {
                if left == 0 {
                    break;
                }
                // What waits behind another takes nobody's turn.
                if waiting.about.as_ref().is_some_and(|about| held.contains(about)) {
                    continue;
                }
                match self.fold_one(tenant, &waiting, read) {
                    Ok(Some(count)) => {
                        *folded += count;
                        left -= 1;
                    }
                    Ok(None) => nothing.push((waiting.pos, Some(waiting.id))),
                    Err(failure) => {
                        held.extend(waiting.about);
                        failed.get_or_insert(failure);
                        left -= 1;
                    }
                }
            }
            if !nothing.is_empty() {
                self.desk().counted(Job::SetAside(tenant.clone(), nothing))?;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Judges one call; says how many were judged, or nothing where there is no call.
    fn fold_one(
        &self,
        tenant: &Tenant,
        waiting: &Waiting,
        read: &dyn Fn(&[u8]) -> Result<Call, Failure>,
    ) -> Result<Option<u64>, Failure> {
        let fold = |call: Option<Call>, unjudged: Option<Blocker>| {
            let (pos, id, call) = (waiting.pos, waiting.id, call.map(Box::new));
            self.desk().counted(Job::Fold { tenant: tenant.clone(), pos, id, call, unjudged }).map(Some)
        };
        let bytes = match self.desk().read(|tx| self.desk().court.came(tx, tenant, &waiting.id))? {
            Came::Call(bytes) => bytes,
            Came::Erased => return fold(None, None),
            Came::Nothing => return Ok(None),
        };
        let call = match read(&bytes) {
            Ok(call) => call,
            Err(failure) if is_for_now(failure.code) => return Err(failure),
            Err(_) => return Ok(None),
        };
        fold(Some(call.clone()), None).or_else(|failure| match failure.code {
            // Of a commit whose end nobody knows the next round sees whether the call is gone.
            code if is_for_now(code) => Err(failure),
            _ => fold(Some(judge::bare(&call)), Some(Blocker::new(failure.code, failure.message))),
        })
    }

    /// How many records of a tenant wait for their seal, and how many of its deadlines are due.
    fn waiting(&self, tenant: &Tenant) -> Result<(u64, u64), Failure> {
        let now = self.desk().court.clock.now();
        self.desk().read(|tx| {
            let count = |row: Option<crate::store::Row>| row.map_or(Ok(0), |row| row.uint(0));
            let queued = count(tx.row(&evidence_sql::queue_count(tenant))?)?;
            Ok((queued, count(tx.row(&state_sql::due_count(tenant, now))?)?))
        })
    }

    fn work_of(&self, tenant: &Tenant, due: u64, report: &mut WorkReport, told: &mut Told<'_>) -> Result<(), Failure> {
        self.seal_all(tenant, report, told)?;
        // Deadlines that cannot be fired hold up nothing else of the tenant.
        let fired = self.fire_due(tenant, due, report, told);
        fired.and(self.work_behind(tenant, due, report, told))
    }

    fn seal_all(&self, tenant: &Tenant, report: &mut WorkReport, told: &mut Told<'_>) -> Result<(), Failure> {
        loop {
            let drained = self.desk().drained(tenant, STEP)?;
            report.sealed += drained.sealed;
            told.add(drained.sealed + drained.aside);
            if !drained.is_something() {
                return Ok(());
            }
        }
    }

    /// Each due deadline is looked at once, and as many as were due at the beginning: one that fired nothing, or arms itself anew, waits
    /// for the next round.
    fn fire_due(&self, tenant: &Tenant, due: u64, report: &mut WorkReport, told: &mut Told<'_>) -> Result<(), Failure> {
        let (tenant, mut behind) = (self.tenant_named(tenant), Some(Cursor::first()));
        for _ in 0..=due / STEP as u64 {
            let fired = tenant.tick_behind(&mut behind, STEP)?;
            report.fired += fired;
            told.add(fired);
            if behind.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// What comes when deadlines have fired.
    fn work_behind(&self, tenant: &Tenant, due: u64, report: &mut WorkReport, told: &mut Told<'_>) -> Result<(), Failure> {
        if due > 0 {
            // Sealed by a worker, the records of what has fired, or was refused, wait as well.
            self.seal_all(tenant, report, told)?;
        }
        self.count_changes(tenant)?;
        self.forget_onces(tenant, report)?;
        report.nowhere += self.desk().read(|tx| Ok(tx.row(&evidence_sql::aside(tenant))?.map_or(Ok(0), |row| row.uint(0))?))?;
        Ok(())
    }

    /// Forgets once-keys that are past their time. They are looked for beside whoever writes.
    fn forget_onces(&self, tenant: &Tenant, report: &mut WorkReport) -> Result<(), Failure> {
        let mut behind: Option<Vec<u8>> = None;
        loop {
            let (old, next) = self.desk().read(|tx| self.desk().court.old_onces(tx, tenant, behind.as_deref()))?;
            // The last page is told though it holds none: the clock is held against the log, and since when keys are kept is written down.
            if next.is_none() || !old.keys.is_empty() {
                report.forgotten += self.desk().counted(Job::Forget(old))?;
            }
            if next.is_none() {
                return Ok(());
            }
            behind = next;
        }
    }
}
