//! What may follow what: a thread's records (n ascends by one, each cites the one before) and a log's entries (seq ascends
//! by one, each cites the one before, sealed-at never decreases). `spec/chain.md` gives the bytes.

use super::format::{Fields, FormatError, SUITE, VERSION, at_most, claimed, malformed};
use super::record::Header;
use crate::canon::{Reader, Writer};
use crate::digest;
use crate::id::{EntryHash, Handle, RecordHash, StoreId, Tenant};
use crate::limits::{ENTRY_BYTES_MAX, HEADER_BYTES_MAX};
use crate::time::Timestamp;
use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};

mod key {
    pub(super) const VERSION: u64 = 1;
    pub(super) const SUITE: u64 = 2;
    pub(super) const STORE: u64 = 3;
    pub(super) const EPOCH: u64 = 4;
    pub(super) const TENANT: u64 = 5;
    pub(super) const SEQ: u64 = 6;
    pub(super) const PREV: u64 = 7;
    pub(super) const SEALED_AT: u64 = 8;
    pub(super) const STREAM_N: u64 = 9;
    pub(super) const STREAM_PREV: u64 = 10;
    pub(super) const DISPUTED: u64 = 11;
    pub(super) const HEADER: u64 = 12;
}

/// Why the sealer disputes a record. Numbers are forever; a verifier keeps a number that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Dispute {
    /// The header does not decode.
    Malformed = 1,
    /// The header is longer than [`HEADER_BYTES_MAX`]; the entry holds its 32-byte record hash instead.
    TooLarge = 2,
    /// The header names another store or tenant.
    Foreign = 3,
    /// The record does not follow its thread.
    Thread = 4,
    /// A part is missing, or is not what the header commits to.
    Part = 5,
    /// The law named is not known to the store.
    Law = 6,
    /// A record cited is not known, or comes later.
    Citation = 7,
    /// Judged under an activation that was retired.
    Stale = 8,
    /// Judged again, the answer is another.
    Verdict = 9,
}

impl Dispute {
    /// Every one, by ascending number.
    pub const ALL: &'static [Dispute] = &[
        Dispute::Malformed,
        Dispute::TooLarge,
        Dispute::Foreign,
        Dispute::Thread,
        Dispute::Part,
        Dispute::Law,
        Dispute::Citation,
        Dispute::Stale,
        Dispute::Verdict,
    ];

    /// The stable number.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The one with this number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|d| d.number() == number)
    }
}

/// One line of a tenant's log: a record's header and the place that sealing gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The store.
    pub store: StoreId,
    /// The store's epoch, from 0.
    pub epoch: u64,
    /// The tenant whose log it is.
    pub tenant: Tenant,
    /// The entry's place in the log, from 0.
    pub seq: u64,
    /// The hash of the entry before, or [`digest::genesis_hash`].
    pub prev: EntryHash,
    /// When it was sealed, as claimed; never earlier than the entry before.
    pub sealed_at: Timestamp,
    /// For a record of a named stream: its place in the stream, from 0, and the stream's previous record.
    pub stream: Option<(u64, Option<RecordHash>)>,
    /// Why the sealer disputes the record, as [`Dispute`]'s number.
    pub disputed: Option<u16>,
    /// The header's bytes. In a disputed entry they may be anything.
    pub header: Vec<u8>,
}

impl Entry {
    /// The entry over its own header.
    pub fn view(&self) -> EntryView<'_> {
        EntryView {
            store: self.store,
            epoch: self.epoch,
            tenant: self.tenant.as_str(),
            seq: self.seq,
            prev: self.prev,
            sealed_at: self.sealed_at,
            stream: self.stream,
            disputed: self.disputed,
            header: &self.header,
        }
    }

    /// The entry's bytes.
    ///
    /// # Errors
    /// When the header is too long, the time cannot be claimed, or a stream's place and predecessor contradict each other.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.view().encode_into(Vec::with_capacity(self.header.len() + 256))
    }

    /// The entry that these bytes are. The header inside is not looked at.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let view = EntryView::decode(bytes)?;
        Ok(Entry {
            store: view.store,
            epoch: view.epoch,
            tenant: Tenant::new(view.tenant).map_err(malformed("tenant"))?,
            seq: view.seq,
            prev: view.prev,
            sealed_at: view.sealed_at,
            stream: view.stream,
            disputed: view.disputed,
            header: view.header.to_vec(),
        })
    }

    /// The entry's hash: what the next one cites.
    pub fn hash(&self) -> Result<EntryHash, FormatError> {
        Ok(digest::entry_hash(&self.encode()?))
    }
}

/// An entry over a header's bytes. The fields are those of [`Entry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the one of the same name in `Entry`")]
pub struct EntryView<'a> {
    pub store: StoreId,
    pub epoch: u64,
    pub tenant: &'a str,
    pub seq: u64,
    pub prev: EntryHash,
    pub sealed_at: Timestamp,
    pub stream: Option<(u64, Option<RecordHash>)>,
    pub disputed: Option<u16>,
    pub header: &'a [u8],
}

impl<'a> EntryView<'a> {
    /// The entry's bytes, in memory that was used before.
    ///
    /// # Errors
    /// As [`Entry::encode`].
    pub fn encode_into(&self, room: Vec<u8>) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let stream = self.stream.map_or(0, |(_, prev)| 1 + usize::from(prev.is_some()));
        let mut w = Writer::reusing(room);
        w.map(9 + stream + usize::from(self.disputed.is_some()));
        w.uint(key::VERSION).uint(VERSION).uint(key::SUITE).uint(SUITE);
        w.uint(key::STORE).bytes(self.store.as_bytes());
        w.uint(key::EPOCH).uint(self.epoch);
        w.uint(key::TENANT).text(self.tenant);
        w.uint(key::SEQ).uint(self.seq);
        w.uint(key::PREV).bytes(self.prev.as_bytes());
        // Claimable times are never negative: `check` saw to it.
        w.uint(key::SEALED_AT).uint(self.sealed_at.0.unsigned_abs());
        if let Some((n, prev)) = self.stream {
            w.uint(key::STREAM_N).uint(n);
            if let Some(prev) = prev {
                w.uint(key::STREAM_PREV).bytes(prev.as_bytes());
            }
        }
        if let Some(number) = self.disputed {
            w.uint(key::DISPUTED).uint(number.into());
        }
        w.uint(key::HEADER).bytes(self.header);
        Ok(w.finish())
    }

    fn check(&self) -> Result<(), FormatError> {
        at_most("header bytes", self.header.len(), HEADER_BYTES_MAX)?;
        if !self.sealed_at.is_claimable() {
            return Err(FormatError::Time(self.sealed_at.0));
        }
        match self.stream {
            Some((n, prev)) if prev.is_some() != (n > 0) => Err(FormatError::Place),
            _ => Ok(()),
        }
    }

    /// The entry that these bytes are, every item in its only form. The header inside is not looked at.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FormatError> {
        at_most("entry bytes", bytes.len(), ENTRY_BYTES_MAX)?;
        let mut r = Reader::new(bytes);
        let mut f = Fields::open(&mut r)?;
        f.need(key::STORE)?;
        let store = StoreId(f.r.bytes_of()?);
        f.need(key::EPOCH)?;
        let epoch = f.r.uint()?;
        f.need(key::TENANT)?;
        let tenant = f.r.text()?;
        Tenant::check(tenant).map_err(malformed("tenant"))?;
        f.need(key::SEQ)?;
        let seq = f.r.uint()?;
        f.need(key::PREV)?;
        let prev = EntryHash(f.r.bytes_of()?);
        f.need(key::SEALED_AT)?;
        let sealed_at = claimed(f.r.uint()?)?;
        let stream_n = if f.has(key::STREAM_N)? { Some(f.r.uint()?) } else { None };
        let stream_prev = if f.has(key::STREAM_PREV)? { Some(RecordHash(f.r.bytes_of()?)) } else { None };
        let disputed = if f.has(key::DISPUTED)? { Some(f.r.uint_as()?) } else { None };
        f.need(key::HEADER)?;
        let header = f.r.bytes()?;
        at_most("header bytes", header.len(), HEADER_BYTES_MAX)?;
        f.close()?;
        r.end()?;
        let stream = match (stream_n, stream_prev) {
            (Some(n), prev) => Some((n, prev)),
            (None, None) => None,
            (None, Some(_)) => return Err(FormatError::Place),
        };
        let entry = EntryView { store, epoch, tenant, seq, prev, sealed_at, stream, disputed, header };
        entry.check()?;
        Ok(entry)
    }
}

/// What does not follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The entry is of another store.
    #[error("the entry is of another store")]
    Store,
    /// The entry is of another epoch.
    #[error("the entry is of another epoch")]
    Epoch,
    /// The entry is of another tenant.
    #[error("the entry is of another tenant")]
    Tenant,
    /// The log has a gap or a repetition here.
    #[error("seq {found} where {wanted} must follow")]
    Seq {
        /// The seq that must follow.
        wanted: u64,
        /// The seq found.
        found: u64,
    },
    /// The entry does not cite the one before.
    #[error("the entry does not cite the hash of the entry before")]
    Prev,
    /// Sealed earlier than the entry before.
    #[error("sealed-at goes back")]
    SealedAt,
    /// The thread has a gap or a repetition here.
    #[error("n {found} where {wanted} must follow")]
    ThreadN {
        /// The n that must follow.
        wanted: u64,
        /// The n found.
        found: u64,
    },
    /// The record does not cite its thread's last.
    #[error("the record does not cite the hash of its thread's last record")]
    ThreadPrev,
    /// Both header and entry give the record a place in its thread, or neither does.
    #[error("a record's place stands in its header or, for a stream, in its entry, and never in both")]
    Placed,
}

impl ChainError {
    /// A stable word for it; test vectors name it.
    pub fn code(self) -> &'static str {
        match self {
            ChainError::Store => "store",
            ChainError::Epoch => "epoch",
            ChainError::Tenant => "tenant",
            ChainError::Seq { .. } => "seq",
            ChainError::Prev => "prev",
            ChainError::SealedAt => "sealed_at",
            ChainError::ThreadN { .. } => "thread_n",
            ChainError::ThreadPrev => "thread_prev",
            ChainError::Placed => "placed",
        }
    }
}

/// The head of a tenant's log: what the next entry must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// The store.
    pub store: StoreId,
    /// The epoch.
    pub epoch: u64,
    /// The tenant.
    pub tenant: Tenant,
    /// The seq of the next entry.
    pub next_seq: u64,
    /// The hash of the last entry, or of the genesis.
    pub prev: EntryHash,
    /// When the last entry was sealed; the beginning of time before the first.
    pub sealed_at: Timestamp,
}

impl LogHead {
    /// The head of an empty log. A moved tenant or a new epoch gives the checkpoint that it goes on from, as the note's
    /// bytes; a first log gives nothing.
    pub fn genesis(store: StoreId, epoch: u64, tenant: Tenant, predecessor: &[u8]) -> Self {
        let prev = digest::genesis_hash(&store, epoch, &tenant, predecessor);
        Self { store, epoch, tenant, next_seq: 0, prev, sealed_at: crate::time::TIME_MIN }
    }

    /// A new epoch begins here: the next entry keeps its seq, and cites the genesis of the epoch instead of the entry before.
    pub fn turn(&mut self, epoch: u64, predecessor: &[u8]) {
        self.epoch = epoch;
        self.prev = digest::genesis_hash(&self.store, epoch, &self.tenant, predecessor);
    }

    /// The entry that follows. A clock that went back does not take sealed-at back with it.
    pub fn next(
        &self,
        now: Timestamp,
        stream: Option<(u64, Option<RecordHash>)>,
        disputed: Option<Dispute>,
        header: Vec<u8>,
    ) -> Entry {
        Entry {
            store: self.store,
            epoch: self.epoch,
            tenant: self.tenant.clone(),
            seq: self.next_seq,
            prev: self.prev,
            sealed_at: now.max(self.sealed_at),
            stream,
            disputed: disputed.map(Dispute::number),
            header,
        }
    }

    /// Whether an entry follows.
    pub fn check(&self, entry: &Entry) -> Result<(), ChainError> {
        self.check_view(&entry.view())
    }

    /// Whether an entry follows.
    pub fn check_view(&self, entry: &EntryView<'_>) -> Result<(), ChainError> {
        if entry.store != self.store {
            return Err(ChainError::Store);
        }
        if entry.epoch != self.epoch {
            return Err(ChainError::Epoch);
        }
        if entry.tenant != self.tenant.as_str() {
            return Err(ChainError::Tenant);
        }
        if entry.seq != self.next_seq {
            return Err(ChainError::Seq { wanted: self.next_seq, found: entry.seq });
        }
        if entry.prev != self.prev {
            return Err(ChainError::Prev);
        }
        if entry.sealed_at < self.sealed_at { Err(ChainError::SealedAt) } else { Ok(()) }
    }

    /// Moves on behind an entry, whether or not it follows: a verifier that found a break goes on from what is there.
    pub fn advance(&mut self, entry: &Entry, hash: EntryHash) {
        self.advance_view(&entry.view(), hash);
    }

    /// Moves on behind an entry, as [`LogHead::advance`].
    pub fn advance_view(&mut self, entry: &EntryView<'_>, hash: EntryHash) {
        self.next_seq = entry.seq.saturating_add(1);
        self.prev = hash;
        self.sealed_at = self.sealed_at.max(entry.sealed_at);
    }
}

/// A record's place in its thread: n, and the hash of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The place, from 0.
    pub n: u64,
    /// The thread's previous record; none at 0.
    pub prev: Option<RecordHash>,
}

impl Place {
    /// The place that header and entry give together: an instance's stands in the header, a stream's in the entry.
    pub fn of(header: &Header, stream: Option<(u64, Option<RecordHash>)>) -> Result<Self, ChainError> {
        Self::given(header.n, header.prev, stream)
    }

    /// The same, from what a header says of it: n, and the hash of the record before.
    pub(super) fn given(
        n: Option<u64>,
        prev: Option<RecordHash>,
        stream: Option<(u64, Option<RecordHash>)>,
    ) -> Result<Self, ChainError> {
        match (n, stream) {
            (Some(n), None) => Ok(Self { n, prev }),
            (None, Some((n, prev))) => Ok(Self { n, prev }),
            _ => Err(ChainError::Placed),
        }
    }

    fn follows(&self, wanted: Place) -> Result<(), ChainError> {
        if self.n != wanted.n {
            return Err(ChainError::ThreadN { wanted: wanted.n, found: self.n });
        }
        if self.prev == wanted.prev { Ok(()) } else { Err(ChainError::ThreadPrev) }
    }
}

/// Where each thread of one tenant stands: 56 bytes a thread, and nothing else is kept.
#[derive(Debug, Clone, Default)]
pub struct Threads {
    heads: HashMap<Handle, (u64, RecordHash)>,
}

impl Threads {
    /// How many threads there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The place and hash of a thread's last record.
    pub fn head(&self, thread: &Handle) -> Option<(u64, RecordHash)> {
        self.heads.get(thread).copied()
    }

    /// Every thread with the place and hash of its last record, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, u64, RecordHash)> + '_ {
        self.heads.iter().map(|(thread, (n, hash))| (*thread, *n, *hash))
    }

    /// The place that a thread's next record must have.
    pub fn next(&self, thread: &Handle) -> Place {
        match self.heads.get(thread) {
            Some((n, hash)) => Place { n: n.saturating_add(1), prev: Some(*hash) },
            None => Place { n: 0, prev: None },
        }
    }

    /// Whether a record follows its thread's last.
    pub fn check(&self, thread: &Handle, place: Place) -> Result<(), ChainError> {
        place.follows(self.next(thread))
    }

    /// Whether a record follows its thread's last, and moves the thread on behind it if `always` or if it does.
    pub(super) fn follow(&mut self, thread: Handle, place: Place, record: RecordHash, always: bool) -> Result<(), ChainError> {
        let slot = self.heads.entry(thread);
        let wanted = match &slot {
            Occupied(head) => {
                let (n, hash) = *head.get();
                Place { n: n.saturating_add(1), prev: Some(hash) }
            }
            Vacant(_) => Place { n: 0, prev: None },
        };
        let follows = place.follows(wanted);
        if always || follows.is_ok() {
            slot.insert_entry((place.n, record));
        }
        follows
    }

    /// Forgets a thread, and says where it stood.
    pub fn remove(&mut self, thread: &Handle) -> Option<(u64, RecordHash)> {
        self.heads.remove(thread)
    }

    /// Moves a thread on behind a record, whether or not it follows.
    pub fn advance(&mut self, thread: Handle, n: u64, record: RecordHash) {
        self.heads.insert(thread, (n, record));
    }
}
