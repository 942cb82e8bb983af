//! What the engine tells of itself: history, verification, work, messages.

use hos_core::answer::{Answer, Receipt};
use hos_core::id::{KeyId, LawHash, Name, Tenant};
use hos_core::proof::key::VerifyKey;
use hos_core::proof::record::Header;
use hos_core::proof::trust::Trust;
use hos_core::time::Timestamp;
use hos_core::value::Record;

/// One record of a thread, opened as far as its keys allow.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    /// Where it is.
    pub receipt: Receipt,
    /// The header.
    pub header: Header,
    /// The principal, the arguments, the facts, the messages, … as (part's name, content as a record of values); an erased part
    /// is absent and named in `erased`.
    pub parts: Vec<(String, Record)>,
    /// Parts whose key is gone.
    pub erased: Vec<String>,
}

/// How much of a store's evidence holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something does not hold; see the findings.
    Broken,
    /// Chains, trees, signatures, commitments and all derived rows agree.
    Intact,
    /// Intact, and consistent with a checkpoint kept outside.
    Anchored,
    /// Intact at least, and every decision that can be judged again gives the same answer.
    Replayed,
}

impl Level {
    /// `broken`, `intact`, `anchored`, `replayed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Broken => "broken",
            Level::Intact => "intact",
            Level::Anchored => "anchored",
            Level::Replayed => "replayed",
        }
    }
}

/// What to verify against.
#[derive(Default)]
pub struct VerifyOptions<'a> {
    /// Checkpoints (signed notes) kept outside the store; each tenant named by its origin.
    pub anchors: Vec<String>,
    /// Checkpoints as well, of logs that were verified up to there: what stands before them is not read again, as far as their
    /// roots vouch for it. Each is an anchor too.
    pub since: Vec<String>,
    /// The verifier's own copy of the seal key (C2SP vkey); without it the store's own is used and the report says so.
    pub vkey: Option<String>,
    /// Whom the verifier believes: a kept checkpoint is called cosigned by those witnesses alone whose keys it names. Without it by
    /// whichever the store names, and the report says so.
    pub trust: Option<&'a Trust>,
    /// Told now and then: (records done, records in all).
    pub progress: Option<&'a dyn Fn(u64, u64)>,
    /// On how many threads records are examined; none of them outlives the call. 0 is 1.
    pub threads: usize,
    /// About how many bytes are kept in memory of what grows with a store: its instances, once-keys, messages, deadlines. What is more
    /// lies in temporary files meanwhile (in `TMPDIR`), without anything that a person could be known by. `None`: 256 MiB.
    pub memory: Option<usize>,
}

/// What verification found.
#[derive(Debug, Clone)]
pub struct VerifyReport {
    /// The level reached.
    pub level: Level,
    /// Records verified.
    pub records: u64,
    /// Tenants' logs: (tenant, size, root in hex).
    pub logs: Vec<(String, u64, String)>,
    /// Logs that were not read from their beginning: (tenant, the first entry that was read). What is said of them is said of
    /// their entries from there on, and of the rows of threads that these touch.
    pub since: Vec<(String, u64)>,
    /// How far checkpoints from outside reach, where all that were given hold: (tenant, entries from the first). What came after, and
    /// logs that are not named, are the store's own word.
    pub anchored: Vec<(String, u64)>,
    /// Records not yet sealed, and the age of the oldest in milliseconds.
    pub unsealed: (u64, i64),
    /// Parts whose key is gone.
    pub erased_parts: u64,
    /// Checkpoints that the store keeps with what witnesses signed.
    pub cosigned: Vec<CosignedNote>,
    /// What does not hold: (where, what), located by tenant, table and key.
    pub findings: Vec<(String, String)>,
    /// What a reader should know besides.
    pub notices: Vec<String>,
}

/// A checkpoint that the store keeps with what witnesses signed. Their keys are the store's word, which whoever writes into it can give
/// under anybody's name: whom to believe says a trust file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedNote {
    /// Whose log.
    pub tenant: String,
    /// How many entries.
    pub size: u64,
    /// The keys of who signed (C2SP vkeys, which begin with the name).
    pub witnesses: Vec<String>,
    /// The whole note.
    pub note: String,
}

/// The sizes of a tenant's log for which a key's signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// Whose log.
    pub tenant: Tenant,
    /// The key.
    pub key: VerifyKey,
    /// The first size.
    pub from: u64,
    /// The last size; none until now.
    pub to: Option<u64>,
}

/// What a round of work did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkReport {
    /// Records sealed.
    pub sealed: u64,
    /// Checkpoints signed since the round before, or since the store was opened.
    pub checkpoints: u64,
    /// Tenants whose newest head could not be signed, and why.
    pub unsigned: Vec<(String, String)>,
    /// Why the mark outside could not be written, if that is so.
    pub mark: Option<String>,
    /// Deadlines fired.
    pub fired: u64,
    /// Once-keys past their time, forgotten.
    pub forgotten: u64,
    /// Rows of queues that lead to no record that waits. The engine writes none such: somebody else did, or a record was taken away.
    pub nowhere: u64,
}

/// What an erasure came to.
#[derive(Debug, Clone)]
pub struct Erased {
    /// The answer.
    pub answer: Answer,
    /// What the erasure's record says.
    pub record: Option<hos_core::proof::erasure::Erasure>,
    /// What an operator must know besides: what is not off the disk yet.
    pub notices: Vec<String>,
}

/// How a law of a store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LawStanding {
    /// In force.
    Active,
    /// Judged beside the active one.
    Candidate,
    /// Kept by its hash, for what was judged and for what began under it.
    Earlier,
}

impl LawStanding {
    /// `active`, `candidate`, `earlier`.
    pub fn as_str(self) -> &'static str {
        match self {
            LawStanding::Active => "active",
            LawStanding::Candidate => "candidate",
            LawStanding::Earlier => "earlier",
        }
    }
}

/// A law of a store.
#[derive(Debug, Clone)]
pub struct LawEntry {
    /// Its hash.
    pub hash: LawHash,
    /// Its name.
    pub name: String,
    /// Its contracts, with their versions.
    pub contracts: Vec<(Name, u32)>,
    /// How it stands now.
    pub standing: LawStanding,
    /// Every activation that named it, oldest first.
    pub activations: Vec<LawActivation>,
    /// Instances under it that are not at their end.
    pub live: u64,
}

/// An activation that named a law.
#[derive(Debug, Clone)]
pub struct LawActivation {
    /// Its number, from 0.
    pub n: u64,
    /// When, as its record claims.
    pub at: Timestamp,
    /// As which it was named: active or candidate.
    pub standing: LawStanding,
    /// Its record.
    pub receipt: Receipt,
}

/// A message that waits in the outbox, leased to whoever polled it.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxMessage {
    /// Its place in the tenant's outbox.
    pub pos: u64,
    /// Its kind (`mail.order_paid`).
    pub kind: String,
    /// What it carries; `None` when the person it is about was erased.
    pub body: Option<Record>,
    /// The record that made it.
    pub receipt: Receipt,
    /// How often it was polled, this time included.
    pub attempts: u32,
    /// Acknowledge with this.
    pub lease: KeyId,
}

/// What `available` says of one event.
#[derive(Debug, Clone)]
pub struct Available {
    /// The event or override.
    pub event: Name,
    /// Whether it can be done now, and if not why.
    pub answer: Answer,
    /// Arguments that must be given before its guards can be judged.
    pub needs: Vec<Name>,
}
