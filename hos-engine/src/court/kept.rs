//! What a group of calls leaves to the next one of this process, so that it need not be read again: which laws are in force,
//! how old each directory is, where each log ends, which keys sign it.
//!
//! INVARIANT: it is used only where the store says that nobody else has written since
//! ([`Tx::is_untouched`](crate::store::Tx::is_untouched)), and it is taken away while a group runs: a group that is
//! undone leaves nothing, and the next one reads.

use crate::Failure;
use crate::court::keys::Ring;
use crate::court::{Court, Group};
use crate::seal;
use crate::settings::Seal;
use crate::store::Tx;
use crate::store::sql::evidence::Head;
use crate::view::{self, InForce};
use crate::work::Job;
use hos_core::call::Call;
use hos_core::id::{KeyId, Tenant};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, TryLockError};

/// Above so many tenants everything is forgotten and read again as it is needed.
const TENANTS_MAX: usize = 1024;

/// What is known of the store without reading it.
#[derive(Default)]
pub(crate) struct Kept {
    in_force: Option<Arc<InForce>>,
    /// The version of each tenant's view.
    versions: HashMap<Tenant, u64>,
    /// Heads of tenants whose queue is empty.
    heads: HashMap<Tenant, Head>,
    /// The store's seal keys.
    pub(super) ring: Option<Ring>,
    /// The keys that erasures' records name.
    gone: Option<Arc<HashSet<KeyId>>>,
}

impl Kept {
    pub(super) fn in_force(&self) -> Option<Arc<InForce>> {
        self.in_force.clone()
    }

    pub(super) fn gone(&self) -> Option<Arc<HashSet<KeyId>>> {
        self.gone.clone()
    }
}

/// Whether a job leaves laws, directories and queues as they are.
fn is_plain(job: &Job) -> bool {
    match job {
        Job::Call(_, call) => !matches!(**call, Call::Directory(_)),
        Job::Tick(..) | Job::Keep(_) | Job::Flush => true,
        _ => false,
    }
}

impl Court {
    /// Takes what the last group left, if it still holds.
    pub(super) fn take_kept(&self, tx: &Tx<'_>) -> Kept {
        // A forked child may find the mutex locked for ever: it reads instead.
        let kept = match self.kept.try_lock() {
            Ok(mut kept) => kept.take(),
            Err(TryLockError::Poisoned(kept)) => kept.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        };
        kept.filter(|_| tx.is_untouched()).unwrap_or_default()
    }

    /// Before a job: what it may change is forgotten, for this group and the next.
    pub(super) fn doubt(&self, group: &mut Group, job: &Job) {
        if !is_plain(job) {
            group.keeps = false;
            group.kept = Kept::default();
        }
    }

    /// The version of a tenant's view.
    pub(super) fn version(&self, tx: &Tx<'_>, group: &Group, tenant: &Tenant) -> Result<u64, Failure> {
        match group.kept.versions.get(tenant) {
            Some(version) => Ok(*version),
            None => view::version(tx, tenant),
        }
    }

    /// Has the head of a tenant's log at hand in the group.
    pub(super) fn meet_head(&self, tx: &Tx<'_>, group: &mut Group, tenant: &Tenant) -> Result<(), Failure> {
        if group.heads.contains_key(tenant) {
            return Ok(());
        }
        let head = match group.kept.heads.remove(tenant) {
            Some(head) => {
                group.drained.insert(tenant.clone());
                head
            }
            None => seal::head(tx, tenant, self.of)?,
        };
        group.heads.insert(tenant.clone(), head);
        Ok(())
    }

    /// After the commit: leaves to the next group what this one knows.
    pub(super) fn keep(&self, group: &mut Group) {
        if !group.keeps || self.settings.seal != Seal::Inline {
            return;
        }
        let mut kept = std::mem::take(&mut group.kept);
        kept.in_force = group.in_force.clone();
        kept.gone = Some(group.fresh.gone());
        kept.versions.extend(group.views.iter().map(|(tenant, view)| (tenant.clone(), view.version)));
        let drained: &HashSet<Tenant> = &group.drained;
        kept.heads.extend(group.heads.iter().filter(|(t, _)| drained.contains(*t)).map(|(t, h)| (t.clone(), h.clone())));
        if kept.heads.len().max(kept.versions.len()) > TENANTS_MAX {
            return;
        }
        if let Ok(mut place) = self.kept.try_lock() {
            *place = Some(kept);
        }
    }
}
