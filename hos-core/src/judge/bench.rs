//! What a case is judged with: the laws in force, the tenant's directory under them, the time, a seed.

use super::instance::Instance;
use crate::answer::Answer;
use crate::id::{LawHash, Name, RecordHash, StoreId, Tenant, Uid};
use crate::law::Law;
use crate::law::bundle::LawContract;
use crate::law::mode::{Mode, Modes};
use crate::policy::Bound;
use crate::proof::record::Durability;
use crate::refusal::{Blocker, Code};
use crate::time::Timestamp;

/// The judge's own version: what changes an answer raises it. Stands in every header beside Cedar's language version.
const JUDGE_VERSION: u16 = 1;
/// The Cedar language that `cedar-policy` 4.14 speaks, as it reports itself.
const CEDAR_LANGUAGE: (u16, u16) = (4, 5);

/// With how many bytes of its case's seed a new instance's handle begins: who draws seeds says by them whose rows lie beside whose.
pub const NEAR_BYTES: usize = 6;

/// A law, and the tenant's directory under it.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The law.
    pub law: &'a Law,
    /// The directory bound to it.
    pub bound: &'a Bound,
}

/// Bounds that are settings of the store, not law.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How far a clock may step back against a thread's last record, in milliseconds.
    pub skew_max_ms: i64,
    /// How far a clock may jump forward against the tenant's last sealed record, in milliseconds.
    pub jump_max_ms: i64,
    /// How many due deadlines one call fires at most. With 0 a call is judged as if none were due.
    pub deadlines_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { skew_max_ms: 5_000, jump_max_ms: 5 * 366 * 86_400_000, deadlines_max: 16 }
    }
}

/// What a case is judged with.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// The store.
    pub store: StoreId,
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The time, as claimed.
    pub now: Timestamp,
    /// The newest time that the tenant's log claims; `None` for an empty log.
    pub last_sealed: Option<Timestamp>,
    /// How durable the transaction is.
    pub durability: Durability,
    /// Chance for salts and handles: 32 bytes that nobody can foretell but for the first [`NEAR_BYTES`], never used for two cases.
    pub seed: [u8; 32],
    /// Whether what comes of it is only held against a record that is there: then it has neither salts nor commitments, nor a hash, for
    /// these are never the same again.
    pub compared: bool,
    /// The law whose policies judge.
    pub active: Standing<'a>,
    /// The law judged beside it.
    pub candidate: Option<Standing<'a>>,
    /// The law under which the instance began, where it is not the active one.
    pub guards: Option<Standing<'a>>,
    /// The modes of the activation.
    pub modes: &'a Modes,
    /// The activation's record.
    pub activation: Option<RecordHash>,
    /// The directory version of `bound`.
    pub directory_version: u64,
    /// Settings.
    pub limits: Limits,
}

impl<'a> Bench<'a> {
    /// The law of an instance's contract: the one it began under, or the active one.
    pub(super) fn guard_standing(&self) -> Standing<'a> {
        self.guards.unwrap_or(self.active)
    }

    /// A contract as the law of an instance of it has it ([`Bench::guard_standing`]).
    pub(super) fn contract(&self, name: &Name) -> Option<&'a LawContract> {
        self.guard_standing().law.contracts.get(name)
    }

    /// The bench behind a migration, if there was one: from there on the instance is the active law's, guards included.
    pub(super) fn behind(&self, before: &Instance, after: &Instance) -> Self {
        if after.law == before.law { *self } else { Self { guards: None, ..*self } }
    }

    /// An answer that says nothing yet, and no.
    pub(super) fn blank(&self) -> Answer {
        Answer::refused(self.active.law.hash, self.directory_version)
    }

    /// The mode for an action of a contract: what is said of the action wins over what is said of the contract.
    pub(super) fn mode(&self, action: &str, contract: Option<&str>) -> Mode {
        match contract {
            Some(contract) => self.modes.of_act(self.tenant, action, contract),
            None => self.modes.of(self.tenant, action),
        }
    }

    /// Whether an entity of this type is a person, whose data is encrypted under a key of their own.
    pub(super) fn is_person(&self, uid: &Uid) -> bool {
        self.active.law.persons.contains(uid.type_name())
    }

    /// Refuses a clock that cannot be: outside what a record may claim, or too far ahead of the log.
    pub(super) fn check_clock(&self, thread_last: Option<Timestamp>) -> Result<(), Blocker> {
        if !self.now.is_claimable() {
            return Err(Blocker::new(Code::ClockImplausible, format!("the clock says {}", self.now)));
        }
        if let Some(last) = thread_last.filter(|last| self.now.0 < last.0.saturating_sub(self.limits.skew_max_ms)) {
            return Err(Blocker::new(Code::ClockImplausible, format!("the clock says {}, the last record {last}", self.now)));
        }
        if let Some(last) = self.last_sealed.filter(|last| self.now.0 > last.0.saturating_add(self.limits.jump_max_ms)) {
            return Err(Blocker::new(Code::ClockImplausible, format!("the clock jumped from {last} to {}", self.now)));
        }
        Ok(())
    }

    /// The judge's version as it stands in headers.
    pub(super) fn judge_version(&self) -> [u16; 4] {
        let compat = u16::from(self.active.law.compat == crate::policy::Compat::Cedar);
        [CEDAR_LANGUAGE.0, CEDAR_LANGUAGE.1, JUDGE_VERSION, compat]
    }

    /// The law of the guards for headers: only where it is another.
    pub(super) fn guard_law(&self) -> Option<LawHash> {
        self.guards.map(|g| g.law.hash).filter(|h| *h != self.active.law.hash)
    }
}
