//! Shadow is harmless: where the law is off or in shadow and the caller brings the world's own outcome, that outcome is the
//! answer even when we fail, be it the store, a lock, a bound or a panic. Enforced, a failure stays one.
//!
//! The mode is that of the laws in force as the store has them, or, when the store cannot be asked, as this process last saw
//! them.

use crate::Failure;
use crate::desk::Desk;
use crate::view::InForce;
use crate::work::Job;
use hos_core::answer::Answer;
use hos_core::call::{Call, Legacy};
use hos_core::id::Tenant;
use hos_core::judge::{self, About};
use hos_core::law::mode::Mode;
use hos_core::refusal::{Blocker, Code};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Whether a failure says of the store, and not of a call, that nothing can be judged: another time it may.
pub(crate) fn is_for_now(code: Code) -> bool {
    code.number() < 20 && code != Code::Internal
}

/// Runs what may panic; a panic is a failure, and never a yes.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What a panic leaves half done lies in a transaction that is rolled back, or in a cache that is replaced whole.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::new(Code::Internal, "a fault inside; the call was not judged")))
}

/// What is kept of a call that brings the world's own outcome, while the call itself is judged.
pub(crate) struct Spare(Option<Box<Call>>);

impl Spare {
    /// Costs nothing where the call brings no outcome of the world's.
    pub(crate) fn of(call: &Call) -> Self {
        Self(call.by().legacy.is_some().then(|| Box::new(judge::bare(call))))
    }

    /// Whether there is an outcome of the world's to fall back on.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.is_some()
    }
}

impl Desk {
    /// A call, answered; in shadow whatever happens.
    pub(crate) fn call(&self, tenant: &Tenant, call: Call) -> Result<Answer, Failure> {
        let spare = Spare::of(&call);
        let answer = guarded(|| self.answered(Job::Call(tenant.clone(), Box::new(call))));
        answer.or_else(|failure| self.spared(tenant, spare, failure))
    }

    /// The world's own answer to a call that we failed, if it may stand.
    pub(crate) fn spared(&self, tenant: &Tenant, spare: Spare, failure: Failure) -> Result<Answer, Failure> {
        let Some(call) = spare.0 else { return Err(failure) };
        let answer = self.instead(tenant, About::of(&call), call.by().legacy.as_ref(), failure)?;
        // A store that failed would fail again, and the world has waited long enough.
        let store_failed = answer.blockers.iter().filter_map(Blocker::hos).any(is_for_now);
        let why = answer.blockers.first().filter(|_| answer.mode == Mode::Shadow && !store_failed).cloned();
        let recorded = why.and_then(|why| guarded(|| self.answered(Job::Unjudged(tenant.clone(), call, why))).ok());
        Ok(recorded.unwrap_or(answer))
    }

    /// The answer in place of one that could not be given: the world's own, with what went wrong as a blocker; or the failure.
    pub(crate) fn instead(
        &self,
        tenant: &Tenant,
        about: About<'_>,
        legacy: Option<&Legacy>,
        failure: Failure,
    ) -> Result<Answer, Failure> {
        let Some(in_force) = legacy.and_then(|_| self.newest_in_force()) else { return Err(failure) };
        stand_in(&in_force, tenant, about, legacy, failure)
    }

    fn newest_in_force(&self) -> Option<Arc<InForce>> {
        let known = self.in_force();
        let read = guarded(|| {
            self.read(|tx| {
                let row = tx.row(&crate::store::sql::law::activation())?;
                let n = row.map(|row| row.uint(0)).transpose()?;
                match &known {
                    Some(known) if Some(known.activation.n) == n => Ok(known.clone()),
                    _ => InForce::read(tx, &self.court.laws).map(Arc::new),
                }
            })
        });
        read.ok().or(known)
    }
}

/// The world's own answer under these laws, with what went wrong as a blocker; enforced, the failure.
pub(crate) fn stand_in(
    in_force: &InForce,
    tenant: &Tenant,
    about: About<'_>,
    legacy: Option<&Legacy>,
    failure: Failure,
) -> Result<Answer, Failure> {
    let mode = about.mode(&in_force.law, &in_force.activation.modes, tenant);
    if mode == Mode::Enforce {
        return Err(failure);
    }
    let mut answer = Answer::refused(in_force.law.hash, 0);
    answer.blockers.push(Blocker::new(failure.code, failure.message));
    judge::stands(&mut answer, mode, legacy);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_a_code() {
        let failure = guarded::<()>(|| panic!("planted")).unwrap_err();
        assert_eq!(failure.code, Code::Internal);
        assert!(!failure.message.contains("planted"));
    }
}
