//! A record: its header, its parts, and their bytes (`spec/proof-record.md`).
//!
//! No personal data in a header, ever: whom it concerns stands in parts, each of exactly one data subject or none.

use crate::digest;
use crate::id::{Commitment, DottedName, GroupId, Handle, LawHash, MapKey, Name, RecordHash, RequestId, StoreId, Tenant, Uid};
use crate::time::Timestamp;
use std::borrow::Cow;
use std::fmt;

/// Gives an enum its numbers both ways.
macro_rules! numbered {
    ($name:ident { $($variant:ident),* $(,)? }) => {
        impl $name {
            /// Every one, by ascending number.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The stable number.
            pub fn number(self) -> u8 {
                self as u8
            }

            /// The one with this number.
            pub fn from_number(number: u64) -> Option<Self> {
                // Numbers follow each other without a gap.
                let first = Self::ALL.first()?.number();
                let at = usize::try_from(number.checked_sub(first.into())?).ok()?;
                Self::ALL.get(at).copied().filter(|one| u64::from(one.number()) == number)
            }
        }
    };
}

numbered!(Kind {
    Begun,
    Moved,
    Refused,
    Expired,
    Overridden,
    Migrated,
    Noted,
    Directory,
    Activated,
    Retired,
    Founded,
    Tenant,
    Observed,
    Adopted,
    Legacy,
    Imported,
    Erased,
    Key,
    Heads,
    Epoch,
    Decided,
    Checkpoint,
});
numbered!(Decision { None, Allow, Deny });
numbered!(Durability { Unknown, Full, Weak });
numbered!(Slot { Principal, Slice, Facts, Args, Context, Id, Once, Payload, Change, Blockers, Effects, Legacy, Deadlines });

/// What a record says happened. Numbers are forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A birth.
    Begun = 1,
    /// A move.
    Moved = 2,
    /// A call that was refused.
    Refused = 3,
    /// A move by a due deadline.
    Expired = 4,
    /// A move by an override.
    Overridden = 5,
    /// An instance taken to a newer version of its contract.
    Migrated = 6,
    /// A free record of a named stream.
    Noted = 7,
    /// A directory change.
    Directory = 8,
    /// A law activated (with modes and candidate).
    Activated = 9,
    /// An earlier activation retired. Reserved.
    Retired = 10,
    /// The store's first record: who may do the first directory change.
    Founded = 11,
    /// A tenant made, or its state changed.
    Tenant = 12,
    /// In shadow: what the world did, with the law's verdict.
    Observed = 13,
    /// An existing row brought in: attested, not judged.
    Adopted = 14,
    /// An older log's row: told by the old world, never judged.
    Legacy = 15,
    /// A copy of a universe account. Reserved.
    Imported = 16,
    /// A person erased.
    Erased = 17,
    /// A seal key made, changed or retired.
    Key = 18,
    /// The authenticated map of thread heads. Reserved.
    Heads = 19,
    /// A new epoch that cites a lost head. Reserved.
    Epoch = 20,
    /// A decision of `can`, recorded on request or in shadow.
    Decided = 21,
    /// A tenant's checkpoint, in the universe's log: what makes that the log of all tenants' checkpoints.
    Checkpoint = 22,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Decision {
    /// Nothing was to be decided (attested, or of the engine itself).
    None = 0,
    /// Allowed.
    Allow = 1,
    /// Denied; the refusal code says why.
    Deny = 2,
}

/// How durable the transaction was in which a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Durability {
    /// Not known.
    Unknown = 0,
    /// Synced to stable storage before the answer.
    Full = 1,
    /// Could be lost on power failure.
    Weak = 2,
}

/// Which part of a record. Numbers are forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Slot {
    /// Who asked: an entity.
    Principal = 1,
    /// The closed entities and links that were judged.
    Slice = 2,
    /// Facts given or changed.
    Facts = 3,
    /// Arguments, supplied by the caller.
    Args = 4,
    /// Context beyond the arguments.
    Context = 5,
    /// The instance's id, or the stream's name, or the entity changed: what the thread's handle stands for.
    Id = 6,
    /// The once-key and its digest.
    Once = 7,
    /// Free bytes.
    Payload = 8,
    /// A directory change, a modes table, a key: the content of the engine's own records.
    Change = 9,
    /// All blockers, with details.
    Blockers = 10,
    /// Messages for the outbox.
    Effects = 11,
    /// The world's own outcome, in shadow.
    Legacy = 12,
    /// The deadlines armed after a move, where it changes them.
    Deadlines = 13,
}

/// The stream of refusals and of what shadow observed, as far as they claim no thread: what was judged and moved nothing.
pub const STREAM_REFUSED: &str = "hos.refused";

/// The name of the stream that a record stands in, where it stands in no instance's thread: what was refused or observed has
/// [`STREAM_REFUSED`], all others name theirs as their class.
pub fn stream_of(kind: Kind, class: Option<&str>) -> Option<&str> {
    match kind {
        Kind::Refused | Kind::Observed => Some(STREAM_REFUSED),
        _ => class,
    }
}

/// A header: everything that is hashed and never erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The store.
    pub store: StoreId,
    /// The tenant.
    pub tenant: Tenant,
    /// The thread.
    pub thread: Handle,
    /// The record's place in its thread, from 0; `None` in a named stream, whose order stands in the entry.
    pub n: Option<u64>,
    /// The thread's previous record; `None` at a thread's start and in streams.
    pub prev: Option<RecordHash>,
    /// What happened.
    pub kind: Kind,
    /// When, as claimed.
    pub time: Timestamp,
    /// The activation it was judged under; `None` before the first.
    pub activation: Option<RecordHash>,
    /// The law of the policies.
    pub law: Option<LawHash>,
    /// The law of the guards, where it is another.
    pub guard_law: Option<LawHash>,
    /// The judge: Cedar language major, minor, ours, compat (0 strict, 1 Cedar).
    pub judge: [u16; 4],
    /// The mode, as [`crate::law::mode::Mode`]'s number.
    pub mode: u8,
    /// The tenant's directory version judged under.
    pub directory_version: u64,
    /// The decision.
    pub decision: Decision,
    /// The first refusal code.
    pub refusal: Option<Cow<'static, str>>,
    /// Determining policies, sorted.
    pub policies: Vec<String>,
    /// The contract.
    pub contract: Option<Name>,
    /// The contract's version.
    pub contract_version: Option<u32>,
    /// The event, birth, override, or the stream's class.
    pub event: Option<DottedName>,
    /// The state before.
    pub from: Option<Name>,
    /// The state after.
    pub to: Option<Name>,
    /// How durable.
    pub durability: Durability,
    /// The caller's request id.
    pub request: Option<RequestId>,
    /// One call over several tenants: id, this record's place, of how many.
    pub group: Option<(GroupId, u16, u16)>,
    /// Commitments of the parts, ascending by slot and index.
    pub parts: Vec<PartRef>,
    /// In an instance's first record: the key under which the map of heads knows it by its id (`spec/heads.md`).
    pub label: Option<MapKey>,
}

/// A commitment in a header. A slot may have several parts, one a data subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRef {
    /// Which part.
    pub slot: Slot,
    /// Its place among the parts of one slot.
    pub index: u8,
    /// The commitment.
    pub commitment: Commitment,
}

/// A part in the clear. Its `Debug` form shows no data.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// Which part.
    pub slot: Slot,
    /// Its place among the parts of one slot.
    pub index: u8,
    /// Whose data it is.
    pub subject: Option<Uid>,
    /// The salt of its commitment.
    pub salt: [u8; 32],
    /// The bytes: deterministic CBOR, or for [`Slot::Payload`] the bytes given.
    pub plaintext: Vec<u8>,
}

impl Part {
    /// The commitment that stands in the header.
    pub fn commitment(&self) -> Commitment {
        digest::commitment(&self.salt, &self.plaintext)
    }

    /// What the header says of this part.
    pub fn to_ref(&self) -> PartRef {
        PartRef { slot: self.slot, index: self.index, commitment: self.commitment() }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({:?} {}, {} bytes)", self.slot, self.index, self.plaintext.len())
    }
}
