//! What a group of calls is made of: the jobs that a shared commit runs, and what they come to.

use crate::survey::Survey;
use crate::{Failure, OutboxMessage};
use hos_core::answer::Answer;
use hos_core::call::{By, Call};
use hos_core::id::{InstanceId, KeyId, MapHash, Name, Tenant, Uid};
use hos_core::law::Law;
use hos_core::law::mode::Modes;
use hos_core::policy::Entity;
use hos_core::proof::checkpoint::WitnessKey;
use hos_core::proof::erasure::Attestation;
use hos_core::proof::heads::Head;
use hos_core::proof::key::VerifyKey;
use hos_core::proof::roots::TenantRoot;
use hos_core::proof::trust::Trust;
use hos_core::refusal::Blocker;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a founding writes.
pub(crate) struct Plan {
    pub(crate) law: Arc<Law>,
    pub(crate) founder: Entity,
    pub(crate) roles: Vec<Entity>,
}

/// An erasure that is asked for.
pub(crate) struct Erasing {
    pub(crate) by: By,
    pub(crate) subject: Uid,
    pub(crate) ground: String,
    pub(crate) article: String,
    /// What was seen of the person's records before the commit began.
    pub(crate) survey: Option<Survey>,
    /// Who looked at exactly those records.
    pub(crate) attestation: Option<Attestation>,
}

/// What happens to a seal key.
#[derive(Debug)]
pub(crate) enum KeyAct {
    /// Another key is to take over.
    Rotate(VerifyKey),
    /// It has: with the universe's last checkpoint under the key before it.
    Confirm(VerifyKey, String),
    /// Signatures are worthless from a size on.
    Revoke(VerifyKey, BTreeMap<Tenant, u64>, String),
}

/// A new epoch of all logs.
#[derive(Debug)]
pub(crate) struct NewEpoch {
    /// Above every epoch that is known: the store's, and those that checkpoints were signed in which it does not have any more.
    pub(crate) epoch: u64,
    pub(crate) reason: String,
    /// For each log whose end was lost: its lost checkpoint.
    pub(crate) lost: BTreeMap<Tenant, String>,
}

/// A place of the queue that leads to no call, and under which id, where it has one.
pub(crate) type Nowhere = (i64, Option<[u8; 16]>);

/// A cosigned checkpoint that is to be kept.
#[derive(Debug)]
pub(crate) struct Keep {
    pub(crate) tenant: Tenant,
    pub(crate) size: u64,
    pub(crate) note: String,
    /// Who cosigned it.
    pub(crate) witnesses: Vec<WitnessKey>,
    /// Whose quorum says which ones are worth keeping.
    pub(crate) trust: Trust,
}

/// Once-keys of a tenant that are past their time.
#[derive(Debug)]
pub(crate) struct OldOnces {
    pub(crate) tenant: Tenant,
    pub(crate) keys: Vec<Vec<u8>>,
    /// Whether they were looked for: if not, it was too early, and there are none.
    pub(crate) looked: bool,
}

/// One caller's work inside a shared commit.
pub(crate) enum Job {
    /// A call of a door.
    Call(Tenant, Box<Call>),
    /// Records that a call could not be judged, and why.
    Unjudged(Tenant, Box<Call>, Blocker),
    /// Fires what is due in one instance.
    Tick(Tenant, Name, InstanceId),
    /// Makes a tenant.
    OpenTenant(By, Tenant),
    /// Puts a law in force.
    Activate { by: By, law: Arc<Law>, candidate: Option<Arc<Law>>, modes: Modes },
    /// Erases a person.
    Erase(Box<Erasing>),
    /// Erases the person of a destroyed key again, in a store that was restored.
    EraseAgain(KeyId),
    /// Places a hold on a person, or takes one back.
    Hold { by: By, subject: Uid, held: bool, reason: String },
    /// Judges a call in shadow that waited in the inbox; or, where it could not be judged, says so.
    Fold { tenant: Tenant, pos: i64, id: [u8; 16], call: Option<Box<Call>>, unjudged: Option<Blocker> },
    /// Sets rows of the queue aside that lead to no call in shadow.
    SetAside(Tenant, Vec<Nowhere>),
    /// Leases messages.
    Poll { tenant: Tenant, by: By, limit: usize, lease: Duration },
    /// Acknowledges a message.
    Acknowledge { tenant: Tenant, by: By, pos: u64, lease: KeyId },
    /// Seals a page of what waits in a tenant's queue.
    Seal { tenant: Tenant, limit: usize },
    /// Counts changes of a tenant's directory that hosts' transactions wrote.
    CountChanges(Tenant),
    /// Writes the record of a tenant's map of heads, and proves in it where an instance's thread ends.
    Heads { tenant: Tenant, of: Option<(Name, InstanceId)> },
    /// Records roots of tenants in the universe's log.
    Roots(Vec<TenantRoot>),
    /// Keeps a cosigned checkpoint.
    Keep(Box<Keep>),
    /// Begins another epoch.
    NewEpoch(NewEpoch),
    /// Writes a record of the store's keys.
    Key(KeyAct),
    /// Forgets once-keys of a tenant, where the clock is to be believed.
    Forget(OldOnces),
    /// Stores the newest checkpoints.
    Flush,
    /// A store's first records.
    Found(Box<Plan>),
}

impl Job {
    /// The tenants whose queues it may have put records into; none where it seals, or writes no record.
    pub(crate) fn writes_to(&self) -> Option<Vec<Tenant>> {
        match self {
            Self::Call(tenant, _)
            | Self::Unjudged(tenant, ..)
            | Self::Tick(tenant, ..)
            | Self::Fold { tenant, .. }
            | Self::Heads { tenant, .. } => Some(vec![tenant.clone()]),
            Self::OpenTenant(..)
            | Self::Activate { .. }
            | Self::Erase(_)
            | Self::EraseAgain(_)
            | Self::Hold { .. }
            | Self::Roots(_)
            | Self::NewEpoch(_)
            | Self::Key(_)
            | Self::Found(_) => Some(vec![Tenant::universe()]),
            Self::Poll { tenant, .. } | Self::Acknowledge { tenant, .. } => Some(vec![tenant.clone()]),
            Self::Seal { .. } | Self::CountChanges(_) | Self::SetAside(..) | Self::Keep(_) | Self::Forget(_) | Self::Flush => {
                None
            }
        }
    }
}

/// A map of heads, as its record says.
#[derive(Debug, Clone)]
pub(crate) struct HeadsDone {
    /// The place in the log that its record has or will have: the map is made of the entries below.
    pub(crate) seq: u64,
    /// Where the thread that was asked for ends, and the siblings that prove it.
    pub(crate) proved: Option<(Head, Vec<MapHash>)>,
}

/// What became of a page of a tenant's queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drained {
    /// How many records were sealed.
    pub(crate) sealed: u64,
    /// How many rows lead to nothing, and were set aside.
    pub(crate) aside: u64,
}

impl Drained {
    /// Whether the page held anything: if not, nothing waits any more.
    pub(crate) fn is_something(&self) -> bool {
        self.sealed + self.aside > 0
    }

    /// Whether more may wait behind a page of so many rows.
    pub(crate) fn is_followed(&self, limit: u64) -> bool {
        self.sealed + self.aside >= limit || self.sealed == 0 && self.aside > 0
    }
}

/// What a job came to.
#[derive(Debug)]
pub(crate) enum Done {
    /// An answer.
    Answer(Box<Answer>),
    /// How many: fired, counted, forgotten, acknowledged.
    Count(u64),
    /// A page of a queue.
    Drained(Drained),
    /// A map of heads.
    Heads(Box<HeadsDone>),
    /// The place of each root's record in its stream; none where a newer one is recorded.
    Roots(Vec<Option<u64>>),
    /// Leased messages, or why not.
    Messages(Result<Vec<OutboxMessage>, Failure>),
}
