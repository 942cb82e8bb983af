//! What a pass over a log found: what holds, and what does not and where.

use super::chain::ChainError;
use super::checkpoint::NoteError;
use super::format::FormatError;
use super::part::PartError;
use super::record::Slot;
use crate::id::{EntryHash, Handle, Tenant, TreeHash};
use std::fmt;

/// How many failures a report lists; the rest are only counted.
pub const FAILURES_LISTED_MAX: usize = 1000;

/// One thing that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The tenant whose log it is.
    pub tenant: Tenant,
    /// The entry, or for a checkpoint its size.
    pub seq: u64,
    /// The thread, as far as it could be read.
    pub thread: Option<Handle>,
    /// The place in the thread, as far as it could be read.
    pub n: Option<u64>,
    /// What does not hold.
    pub what: Broken,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant {}, seq {}", self.tenant, self.seq)?;
        if let Some(thread) = self.thread {
            write!(f, ", thread {thread}")?;
        }
        if let Some(n) = self.n {
            write!(f, ", n {n}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What may not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The entry does not decode.
    #[error("the entry is malformed: {0}")]
    Entry(FormatError),
    /// The entry does not follow the one before.
    #[error("the log breaks: {0}")]
    Log(ChainError),
    /// The header does not decode.
    #[error("the header is malformed: {0}")]
    Header(FormatError),
    /// The header names another store or tenant than its entry.
    #[error("the record is of another store or tenant")]
    Foreign,
    /// The record does not follow its thread's last.
    #[error("the thread breaks: {0}")]
    Thread(ChainError),
    /// The header commits to a part that is not there.
    #[error("part {slot:?} {index} is missing")]
    PartMissing {
        /// Which part.
        slot: Slot,
        /// Its place among the parts of one slot.
        index: u8,
    },
    /// A part is stored that the header does not commit to, or stored twice.
    #[error("part {slot:?} {index} is none of the record's")]
    PartUnlisted {
        /// Which part.
        slot: Slot,
        /// Its place among the parts of one slot.
        index: u8,
    },
    /// A part is not what the header commits to; or a box does not open, whose first part this is.
    #[error("part {slot:?} {index}: {error}")]
    Part {
        /// Which part.
        slot: Slot,
        /// Its place among the parts of one slot.
        index: u8,
        /// What is wrong.
        error: PartError,
    },
    /// A box that holds no part.
    #[error("a box is stored that holds no part")]
    BoxEmpty,
    /// A checkpoint that is no checkpoint of this log's key.
    #[error("a checkpoint does not hold: {0}")]
    Checkpoint(NoteError),
    /// A checkpoint of this size vouches for another root: the log was changed, or forked.
    #[error("the checkpoint vouches for another root")]
    Root,
    /// A checkpoint vouches for more entries than there are: the log's end was lost.
    #[error("the checkpoint vouches for {size} entries, and there are only {found}")]
    Beyond {
        /// The checkpoint's size.
        size: u64,
        /// The entries that are there.
        found: u64,
    },
    /// A checkpoint was given after its size had passed; it was not compared.
    #[error("the checkpoint was given too late to be compared")]
    Late,
}

impl Broken {
    /// A stable word for it, and for what lies below; test vectors name it.
    pub fn code(&self) -> String {
        match self {
            Broken::Entry(e) => format!("entry.{}", e.code()),
            Broken::Log(e) => format!("log.{}", e.code()),
            Broken::Header(e) => format!("header.{}", e.code()),
            Broken::Foreign => "foreign".into(),
            Broken::Thread(e) => format!("thread.{}", e.code()),
            Broken::PartMissing { .. } => "part.missing".into(),
            Broken::PartUnlisted { .. } => "part.unlisted".into(),
            Broken::BoxEmpty => "part.empty".into(),
            Broken::Part { error, .. } => format!("part.{}", error.code()),
            Broken::Checkpoint(e) => format!("checkpoint.{}", e.code()),
            Broken::Root => "checkpoint.root".into(),
            Broken::Beyond { .. } => "checkpoint.beyond".into(),
            Broken::Late => "checkpoint.late".into(),
        }
    }
}

/// What a pass over a log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The tenant whose log it is.
    pub tenant: Tenant,
    /// The entries read.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
    /// The hash of the last entry, or the genesis.
    pub head: EntryHash,
    /// The threads seen.
    pub threads: u64,
    /// Parts that are what their headers commit to.
    pub parts: u64,
    /// Parts whose key is not there: erased, or withheld by who gave the keys.
    pub erased: u64,
    /// Parts that were not given at all.
    pub withheld: u64,
    /// Entries that the sealer disputes; nothing of their records is vouched for.
    pub disputed: u64,
    /// The sizes at which a checkpoint was found to vouch for this very log, ascending.
    pub anchors: Vec<u64>,
    /// How many things do not hold.
    pub failed: u64,
    /// The first [`FAILURES_LISTED_MAX`] of them.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Whether everything holds. Without a checkpoint it says only that the log agrees with itself.
    pub fn is_intact(&self) -> bool {
        self.failed == 0
    }

    /// The largest size that a checkpoint vouches for, if everything holds.
    pub fn anchored(&self) -> Option<u64> {
        if self.is_intact() { self.anchors.last().copied().filter(|size| *size > 0) } else { None }
    }
}
