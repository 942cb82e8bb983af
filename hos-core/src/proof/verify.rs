//! Verifying a tenant's whole log in one pass, in memory that grows with the number of threads alone, or with nothing where
//! the caller keeps them ([`LogVerifier::leave`]).
//!
//! Everything is computed anew from the same bytes: canonical form, log chain, thread chains, commitments, tree. No layer
//! stands in for another; what breaks is located ([`super::report`]), and the pass goes on from what is there.

use super::chain::{Entry, EntryView, LogHead, Place, Threads};
use super::checkpoint::{Checkpoint, NoteError, NoteKey, origin_parts};
use super::examine::{Examined, ExaminedEntry, Examiner};
use super::format::FormatError;
use super::part::SubjectKey;
use super::report::{Broken, FAILURES_LISTED_MAX, Failure, Report};
use super::stored::StoredBox;
use super::tree::{Frontier, TILE_HEIGHT};
use crate::digest;
use crate::id::{EntryHash, Handle, KeyId, RecordHash, StoreId, Tenant, TreeHash};
use std::collections::BTreeMap;

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
    /// The roots of the tiles that the last entry filled, by ascending level.
    filled: Vec<TreeHash>,
    examiner: Examiner,
}

impl LogVerifier {
    /// Starts before the first entry; [`LogHead::genesis`] makes the head.
    pub fn new(genesis: LogHead) -> Self {
        Self::behind(genesis, Frontier::default())
    }

    /// Starts behind entries that are not verified again: `head` is what the next entry must be, `tree` the tree of those before
    /// it. Both may be what a store claims where a checkpoint of a later size is expected ([`LogVerifier::expect`]) that comes from
    /// outside: its root vouches for either, since the next entry cites the one before. Where threads stood is to be told by
    /// [`LogVerifier::stood`], each before its first record.
    pub fn behind(head: LogHead, tree: Frontier) -> Self {
        let report = Report {
            tenant: head.tenant.clone(),
            size: tree.size(),
            root: tree.root(),
            head: head.prev,
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
            last_epoch: head.epoch,
            head,
            threads: Threads::default(),
            tree,
            awaited: BTreeMap::new(),
            report,
            last: None,
            filled: Vec::new(),
            examiner: Examiner::default(),
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
        self.push_view(entry, EntryView::decode(entry), boxes, keys);
    }

    /// The same for who has read the entry already: `view` is what its bytes came to.
    pub(crate) fn push_view(
        &mut self,
        entry: &[u8],
        view: Result<EntryView<'_>, FormatError>,
        boxes: Option<&[StoredBox<'_>]>,
        keys: impl FnMut(&KeyId) -> Option<SubjectKey>,
    ) {
        match view {
            Ok(view) => {
                let record = self.examiner.record_of(view.header, boxes, keys);
                self.take(&view, &record, digest::entry_hash(entry), digest::tree_leaf(entry));
            }
            Err(error) => {
                let seq = self.head.next_seq;
                self.fail(seq, None, None, Broken::Entry(error));
                self.head.next_seq = seq.saturating_add(1);
                self.grow(digest::entry_hash(entry), digest::tree_leaf(entry));
            }
        }
    }

    /// Verifies the next entry from its fields, for stores that keep fields.
    pub fn push_entry(&mut self, entry: &Entry, boxes: Option<&[StoredBox<'_>]>, keys: impl FnMut(&KeyId) -> Option<SubjectKey>) {
        let view = entry.view();
        let record = self.examiner.record_of(view.header, boxes, keys);
        let examined = self.examiner.entry(view, record);
        self.push_examined(&examined);
    }

    /// Verifies the next entry, which was examined by itself.
    pub fn push_examined(&mut self, examined: &ExaminedEntry<'_>) {
        match &examined.hashes {
            Ok((hash, leaf)) => self.take(&examined.entry, &examined.record, *hash, *leaf),
            Err(error) => {
                self.fail(examined.entry.seq, None, None, Broken::Entry(error.clone()));
                self.head.next_seq = examined.entry.seq.saturating_add(1);
            }
        }
    }

    /// The roots of the tiles that the last entry filled, by ascending level from 0.
    pub fn filled(&self) -> &[TreeHash] {
        &self.filled
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

    /// The same where the record's content is not at hand, as in tiles: what the entry cites is believed, for the tree covers it
    /// all the same.
    pub fn turn_unread(&mut self, epoch: u64, prev: EntryHash) {
        self.head.epoch = epoch;
        self.head.prev = prev;
        self.last_epoch = self.last_epoch.max(epoch);
    }

    /// A thread's last record so far, where it is kept elsewhere or lies among entries that are not verified again.
    pub fn stood(&mut self, thread: Handle, n: u64, record: RecordHash) {
        self.threads.advance(thread, n, record);
    }

    /// Forgets where a thread stands, and says it: for who keeps that elsewhere, and tells it by [`LogVerifier::stood`] before the
    /// thread's next record. The report counts those alone that were not forgotten.
    pub fn leave(&mut self, thread: &Handle) -> Option<(u64, RecordHash)> {
        self.threads.remove(thread)
    }

    /// The epoch so far.
    pub fn epoch(&self) -> u64 {
        self.head.epoch
    }

    /// What the next entry must cite.
    pub fn next_prev(&self) -> EntryHash {
        self.head.prev
    }

    /// Where each thread stands.
    pub fn threads(&self) -> &Threads {
        &self.threads
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

    fn take(&mut self, entry: &EntryView<'_>, record: &Examined<'_>, hash: EntryHash, leaf: TreeHash) {
        if let Err(error) = self.head.check_view(entry) {
            self.fail(entry.seq, None, None, Broken::Log(error));
        }
        self.record(entry, record);
        self.head.advance_view(entry, hash);
        self.grow(hash, leaf);
    }

    /// Moves log chain and tree on behind an entry.
    fn grow(&mut self, hash: EntryHash, leaf: TreeHash) {
        self.head.prev = hash;
        self.filled.clear();
        self.tree.append_telling(leaf, |level, root| {
            if level % u32::from(TILE_HEIGHT) == 0 {
                self.filled.push(*root);
            }
        });
        self.last = Some((hash, leaf));
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
    fn record(&mut self, entry: &EntryView<'_>, record: &Examined<'_>) {
        let disputed = entry.disputed.is_some();
        self.report.disputed += u64::from(disputed);
        let header = match &record.header {
            Ok(header) if header.store == entry.store && header.tenant == entry.tenant => header,
            _ if disputed => return,
            Ok(header) => return self.fail(entry.seq, Some(header.thread), header.n, Broken::Foreign),
            Err(error) => return self.fail(entry.seq, None, None, Broken::Header(error.clone())),
        };
        let place = match Place::given(header.n, header.prev, entry.stream) {
            Ok(place) => place,
            Err(_) if disputed => return,
            Err(error) => return self.fail(entry.seq, Some(header.thread), header.n, Broken::Thread(error)),
        };
        let follows = self.threads.follow(header.thread, place, record.hash(), !disputed);
        if disputed {
            return;
        }
        let (thread, n) = (Some(header.thread), Some(place.n));
        if let Err(error) = follows {
            self.fail(entry.seq, thread, n, Broken::Thread(error));
        }
        if record.withheld {
            self.report.withheld += header.parts.len() as u64;
            return;
        }
        self.report.parts += record.held;
        self.report.erased += record.erased;
        for broken in &record.broken {
            self.fail(entry.seq, thread, n, broken.clone());
        }
    }

    fn fail(&mut self, seq: u64, thread: Option<Handle>, n: Option<u64>, what: Broken) {
        self.report.failed += 1;
        if self.report.failures.len() < FAILURES_LISTED_MAX {
            self.report.failures.push(Failure { tenant: self.head.tenant.clone(), seq, thread, n, what });
        }
    }
}
