//! Verifying a tenant's whole log in one pass, in memory that grows with the number of threads alone.
//!
//! Everything is computed anew from the same bytes: canonical form, log chain, thread chains, commitments, tree. No layer
//! stands in for another; what breaks is located, and the pass goes on from what is there.

use super::chain::{ChainError, Entry, LogHead, Place, Threads};
use super::checkpoint::{Checkpoint, NoteError, NoteKey, origin_parts};
use super::format::FormatError;
use super::part::{PartError, SubjectKey};
use super::record::{Header, Slot};
use super::stored::{StoredBox, listed_at};
use super::tree::Frontier;
use crate::digest;
use crate::id::{EntryHash, Handle, KeyId, StoreId, Tenant, TreeHash};
use std::collections::BTreeMap;
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

/// Verifies a log, entry by entry.
#[derive(Debug)]
pub struct LogVerifier {
    /// The last epoch whose checkpoints are the log's.
    last_epoch: u64,
    head: LogHead,
    threads: Threads,
    tree: Frontier,
    awaited: BTreeMap<u64, Vec<TreeHash>>,
    report: Report,
    last: Option<(EntryHash, TreeHash)>,
    /// Where what the last push opened is kept, if anybody wants it.
    opened: Option<Vec<(Slot, u8, Vec<u8>)>>,
}

impl LogVerifier {
    /// Starts before the first entry; [`LogHead::genesis`] makes the head.
    pub fn new(genesis: LogHead) -> Self {
        let tree = Frontier::default();
        let report = Report {
            tenant: genesis.tenant.clone(),
            size: 0,
            root: tree.root(),
            head: genesis.prev,
            threads: 0,
            parts: 0,
            erased: 0,
            withheld: 0,
            disputed: 0,
            anchors: Vec::new(),
            failed: 0,
            failures: Vec::new(),
        };
        Self {
            last_epoch: genesis.epoch,
            head: genesis,
            threads: Threads::default(),
            tree,
            awaited: BTreeMap::new(),
            report,
            last: None,
            opened: None,
        }
    }

    /// Takes a checkpoint to be compared when the log reaches its size; to be called before that. The key's name must be the
    /// log's [`origin`].
    pub fn expect(&mut self, note: &[u8], key: &NoteKey) {
        let opened = Checkpoint::open(note, key).and_then(|checkpoint| {
            let is_ours = |(store, tenant, epoch): (StoreId, Tenant, u64)| {
                store == self.head.store && tenant == self.head.tenant && epoch >= self.head.epoch && epoch <= self.last_epoch
            };
            if origin_parts(&checkpoint.origin).is_some_and(is_ours) {
                Ok(checkpoint)
            } else {
                Err(NoteError::Origin(checkpoint.origin))
            }
        });
        let size = self.tree.size();
        match opened {
            Err(error) => self.fail(size, None, None, Broken::Checkpoint(error)),
            Ok(checkpoint) if checkpoint.size < size => self.fail(checkpoint.size, None, None, Broken::Late),
            Ok(checkpoint) => {
                let roots = self.awaited.entry(checkpoint.size).or_default();
                if !roots.contains(&checkpoint.root) {
                    roots.push(checkpoint.root);
                }
                self.compare();
            }
        }
    }

    /// Verifies the next entry from its bytes. `boxes` are the record's stored parts; without them only their number is
    /// counted. `keys` gives the key of an id, or nothing when it was destroyed.
    pub fn push(&mut self, entry: &[u8], boxes: Option<&[StoredBox<'_>]>, keys: impl FnMut(&KeyId) -> Option<SubjectKey>) {
        match Entry::decode(entry) {
            Ok(decoded) => self.take(&decoded, entry, boxes, keys),
            Err(error) => {
                let seq = self.head.next_seq;
                self.fail(seq, None, None, Broken::Entry(error));
                self.head.next_seq = seq.saturating_add(1);
                self.grow(entry);
            }
        }
    }

    /// Verifies the next entry from its fields, for stores that keep fields.
    pub fn push_entry(&mut self, entry: &Entry, boxes: Option<&[StoredBox<'_>]>, keys: impl FnMut(&KeyId) -> Option<SubjectKey>) {
        match entry.encode() {
            Ok(bytes) => self.take(entry, &bytes, boxes, keys),
            Err(error) => {
                self.fail(entry.seq, None, None, Broken::Entry(error));
                self.head.next_seq = entry.seq.saturating_add(1);
            }
        }
    }

    /// Keeps the plaintext of each part that is opened, for [`LogVerifier::take_opened`]: who folds records need not open
    /// their parts again.
    pub fn keeping_parts(mut self) -> Self {
        self.opened = Some(Vec::new());
        self
    }

    /// The parts that were opened and are what their headers commit to, since this was last called.
    pub fn take_opened(&mut self) -> Vec<(Slot, u8, Vec<u8>)> {
        self.opened.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The hash of the last entry, and its hash in the tree: what a store may keep beside the entry.
    pub fn last(&self) -> Option<(EntryHash, TreeHash)> {
        self.last
    }

    /// Checkpoints of later epochs are the log's too, up to this one.
    pub fn through(mut self, epoch: u64) -> Self {
        self.last_epoch = epoch.max(self.last_epoch);
        self
    }

    /// A new epoch begins with the next entry; see [`LogHead::turn`]. Who calls this has read the entry's record and holds
    /// what it says of the tree so far against [`LogVerifier::tree`].
    pub fn turn(&mut self, epoch: u64, predecessor: &[u8]) {
        self.head.turn(epoch, predecessor);
        self.last_epoch = self.last_epoch.max(epoch);
    }

    /// What the next entry must cite.
    pub fn next_prev(&self) -> EntryHash {
        self.head.prev
    }

    /// The tree so far.
    pub fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// Ends the pass. A checkpoint whose size was not reached is a failure.
    pub fn finish(mut self) -> Report {
        let found = self.tree.size();
        for size in std::mem::take(&mut self.awaited).into_keys() {
            self.fail(size, None, None, Broken::Beyond { size, found });
        }
        self.report.size = found;
        self.report.root = self.tree.root();
        self.report.head = self.head.prev;
        self.report.threads = self.threads.len() as u64;
        self.report
    }

    fn take(
        &mut self,
        entry: &Entry,
        bytes: &[u8],
        boxes: Option<&[StoredBox<'_>]>,
        keys: impl FnMut(&KeyId) -> Option<SubjectKey>,
    ) {
        if let Err(error) = self.head.check(entry) {
            self.fail(entry.seq, None, None, Broken::Log(error));
        }
        self.record(entry, boxes, keys);
        self.head.advance(entry, self.head.prev);
        self.grow(bytes);
    }

    /// Moves log chain and tree on behind an entry's bytes.
    fn grow(&mut self, bytes: &[u8]) {
        self.head.prev = digest::entry_hash(bytes);
        let leaf = digest::tree_leaf(bytes);
        self.tree.append_leaf(leaf);
        self.last = Some((self.head.prev, leaf));
        self.compare();
    }

    fn compare(&mut self) {
        let size = self.tree.size();
        let Some(roots) = self.awaited.remove(&size) else { return };
        let root = self.tree.root();
        for vouched in roots {
            if vouched == root {
                self.report.anchors.push(size);
            } else {
                self.fail(size, None, None, Broken::Root);
            }
        }
    }

    /// Verifies the record inside an entry. Of a disputed record nothing is vouched for, so nothing of it fails; it moves its
    /// thread on only where it follows.
    fn record(&mut self, entry: &Entry, boxes: Option<&[StoredBox<'_>]>, keys: impl FnMut(&KeyId) -> Option<SubjectKey>) {
        let disputed = entry.disputed.is_some();
        self.report.disputed += u64::from(disputed);
        let header = match Header::decode(&entry.header) {
            Ok(header) if header.store == entry.store && header.tenant == entry.tenant => header,
            _ if disputed => return,
            Ok(header) => return self.fail(entry.seq, Some(header.thread), header.n, Broken::Foreign),
            Err(error) => return self.fail(entry.seq, None, None, Broken::Header(error)),
        };
        let place = match Place::of(&header, entry.stream) {
            Ok(place) => place,
            Err(_) if disputed => return,
            Err(error) => return self.fail(entry.seq, Some(header.thread), header.n, Broken::Thread(error)),
        };
        let follows = self.threads.check(&header.thread, place);
        if follows.is_ok() || !disputed {
            self.threads.advance(header.thread, place.n, digest::record_hash(&entry.header));
        }
        if disputed {
            return;
        }
        if let Err(error) = follows {
            self.fail(entry.seq, Some(header.thread), Some(place.n), Broken::Thread(error));
        }
        match boxes {
            Some(boxes) => self.boxes(entry.seq, place.n, &header, boxes, keys),
            None => self.report.withheld += header.parts.len() as u64,
        }
    }

    /// Holds the boxes against the header's list. A box with a part that is not listed is not opened: what it was sealed
    /// for is not known.
    fn boxes(
        &mut self,
        seq: u64,
        n: u64,
        header: &Header,
        boxes: &[StoredBox<'_>],
        mut keys: impl FnMut(&KeyId) -> Option<SubjectKey>,
    ) {
        let (thread, n) = (Some(header.thread), Some(n));
        let mut there: Vec<(Slot, u8)> = Vec::with_capacity(header.parts.len());
        let (mut commitments, mut room) = (Vec::new(), Vec::new());
        for stored in boxes {
            commitments.clear();
            for place in &stored.places {
                match listed_at(&header.parts, *place) {
                    Some(listed) if !there.contains(place) => {
                        there.push(*place);
                        commitments.push(listed.commitment);
                    }
                    _ => self.fail(seq, thread, n, Broken::PartUnlisted { slot: place.0, index: place.1 }),
                }
            }
            if commitments.len() != stored.places.len() {
                continue;
            }
            let key = if stored.is_clear() { None } else { keys(&stored.key) };
            match stored.open(key.as_ref(), &commitments, &mut room) {
                Err(PartError::KeyMissing) => self.report.erased += commitments.len() as u64,
                Err(error) => {
                    let what = stored.places.first().map_or(Broken::BoxEmpty, |(slot, index)| Broken::Part {
                        slot: *slot,
                        index: *index,
                        error,
                    });
                    self.fail(seq, thread, n, what);
                }
                Ok(pieces) => {
                    for ((slot, index), (piece, commitment)) in stored.places.iter().copied().zip(pieces.zip(&commitments)) {
                        if piece.commitment() != *commitment {
                            self.fail(seq, thread, n, Broken::Part { slot, index, error: PartError::Mismatch });
                            continue;
                        }
                        self.report.parts += 1;
                        if let Some(kept) = &mut self.opened {
                            kept.push((slot, index, piece.plaintext().to_vec()));
                        }
                    }
                }
            }
        }
        for listed in &header.parts {
            let (slot, index) = (listed.slot, listed.index);
            if !there.contains(&(slot, index)) {
                self.fail(seq, thread, n, Broken::PartMissing { slot, index });
            }
        }
    }

    fn fail(&mut self, seq: u64, thread: Option<Handle>, n: Option<u64>, what: Broken) {
        self.report.failed += 1;
        if self.report.failures.len() < FAILURES_LISTED_MAX {
            self.report.failures.push(Failure { tenant: self.head.tenant.clone(), seq, thread, n, what });
        }
    }
}
