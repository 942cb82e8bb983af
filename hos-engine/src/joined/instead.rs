//! What stands where a call in shadow could not be judged or kept.

use super::Joined;
use crate::Failure;
use crate::shadow::stand_in;
use hos_core::answer::Answer;
use hos_core::call::Legacy;
use hos_core::id::Tenant;
use hos_core::judge::About;
use std::sync::PoisonError;

impl Joined {
    /// The world's own outcome in place of an answer that could not be given, where this process last saw the law leave it that;
    /// what went wrong is a blocker. Enforced, or where nothing was ever seen of the store, the failure stays one.
    pub fn instead(
        &self,
        tenant: &Tenant,
        about: About<'_>,
        legacy: Option<&Legacy>,
        failure: Failure,
    ) -> Result<Answer, Failure> {
        let known = self.court.get().and_then(|court| court.in_force.read().unwrap_or_else(PoisonError::into_inner).clone());
        match known {
            Some(in_force) if legacy.is_some() => stand_in(&in_force, tenant, about, legacy, failure),
            _ => Err(failure),
        }
    }
}
