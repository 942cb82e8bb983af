//! What every door returns: a decision that explains itself. A denial is an answer, never an error.

use crate::id::{EntryHash, Handle, LawHash, Name, RecordHash, Tenant};
use crate::law::mode::Mode;
use crate::policy::{Effect, PolicyError};
use crate::refusal::{Blocker, Code};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the caller must heed: the law's word where it is enforced, the world's own in `off` and `shadow`.
    pub allowed: bool,
    /// Everything the law has against it, in order of precedence; the first is *the* refusal code.
    pub blockers: Vec<Blocker>,
    /// What the policies say; `None` where judging ended before them.
    pub effect: Option<Effect>,
    /// Ids of the policies and grants that decided.
    pub policies: Vec<String>,
    /// Policies that could not be evaluated.
    pub errors: Vec<PolicyError>,
    /// How the law stands to this call.
    pub mode: Mode,
    /// In `shadow`: whether law and world differ.
    pub divergence: bool,
    /// What the candidate law would have said, where one is set and it differs.
    pub candidate: Option<Candidate>,
    /// The law of the policies.
    pub law: LawHash,
    /// The directory version judged under.
    pub directory_version: u64,
    /// The state before.
    pub from: Option<Name>,
    /// The state after (of a refused call: the present one).
    pub to: Option<Name>,
    /// The instance's version after.
    pub version: Option<u64>,
    /// Deadlines that fired before the call was judged.
    pub fired: Vec<Name>,
    /// Whether this is the first answer's receipt again (once-key, or `on_same = "noop"`).
    pub again: bool,
    /// The record, and its place in the log once sealed. `None`: nothing was recorded.
    pub receipt: Option<Receipt>,
}

/// The candidate law's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which law.
    pub law: LawHash,
    /// Whether it would allow.
    pub allowed: bool,
    /// What it has against it.
    pub blockers: Vec<Blocker>,
}

/// Where a call's record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The tenant.
    pub tenant: Tenant,
    /// The thread.
    pub thread: Handle,
    /// The record's place in its thread; `None` for a named stream's record that a host's transaction wrote, until it is sealed.
    pub n: Option<u64>,
    /// The record's hash.
    pub record: RecordHash,
    /// The seal; `None` while it is pending.
    pub seal: Option<Seal>,
}

/// A record's place in its tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The entry's number, from 0.
    pub seq: u64,
    /// The entry's hash.
    pub entry: EntryHash,
    /// The checkpoint (a C2SP signed note) that covers it; `None` until it is signed.
    pub checkpoint: Option<std::sync::Arc<str>>,
}

impl Answer {
    /// An answer that says no and, so far, not why.
    pub fn refused(law: LawHash, directory_version: u64) -> Self {
        Self {
            allowed: false,
            blockers: Vec::new(),
            effect: None,
            policies: Vec::new(),
            errors: Vec::new(),
            mode: Mode::Enforce,
            divergence: false,
            candidate: None,
            law,
            directory_version,
            from: None,
            to: None,
            version: None,
            fired: Vec::new(),
            again: false,
            receipt: None,
        }
    }

    /// Whether the law (not the world) says yes.
    pub fn lawful(&self) -> bool {
        self.blockers.is_empty()
    }

    /// The refusal code, if the law refuses.
    pub fn code(&self) -> Option<&str> {
        self.blockers.first().map(|b| &*b.code)
    }

    /// Sorts blockers by precedence: ours first by number, guards' after them in the contract's order.
    pub fn settle_precedence(blockers: &mut [Blocker]) {
        blockers.sort_by_key(|b| b.hos().map_or(u16::MAX, Code::number));
    }
}
