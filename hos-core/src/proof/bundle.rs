//! A bundle's bytes: one instance's whole story in one file (`spec/bundle.md`). How they are read is said in [`read`]; what they
//! prove is [`crate::audit`]'s business.

mod read;

use super::format::SUITE;
use super::heads::HeadKind;
use super::record::Slot;
use crate::canon::{CanonError, Writer};
use crate::id::{Handle, LawHash, MapHash, RecordHash, TreeHash};
use crate::limits::BUNDLE_BYTES_MAX;

/// What stands in field 3.
pub const WHAT: &str = "hos bundle";
/// The media type of a bundle.
pub const MEDIA_TYPE: &str = "application/vnd.hos.bundle+cbor";

const VERSION: u64 = 1;

/// One part that is disclosed: what its commitment was made of.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// Which part.
    pub slot: Slot,
    /// Its place among the parts of one slot.
    pub index: u8,
    /// The salt.
    pub salt: [u8; 32],
    /// The content.
    pub plaintext: Vec<u8>,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opening({:?} {}, {} bytes)", self.slot, self.index, self.plaintext.len())
    }
}

/// Why a part is not disclosed. Numbers are forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Why {
    /// The exporter kept it back.
    Hidden = 1,
    /// Its key is gone.
    Erased = 2,
}

impl Why {
    /// The stable number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The one with this number.
    pub fn from_number(number: u64) -> Option<Self> {
        [Why::Hidden, Why::Erased].into_iter().find(|why| u64::from(why.number()) == number)
    }
}

/// One part that is not disclosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld {
    /// Which part.
    pub slot: Slot,
    /// Its place among the parts of one slot.
    pub index: u8,
    /// Why.
    pub why: Why,
}

/// A record with its place and what of it is disclosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The log entry's bytes.
    pub entry: Vec<u8>,
    /// The inclusion proof to the log's checkpoint.
    pub proof: Vec<TreeHash>,
    /// Disclosed parts, ascending.
    pub opened: Vec<Opening>,
    /// The others, ascending.
    pub withheld: Vec<Withheld>,
}

/// A tenant's log, as far as the bundle needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogNote {
    /// The tenant, as the bundle says.
    pub tenant: String,
    /// The checkpoint: the whole note.
    pub note: String,
}

/// A record of the map of heads, and the proof of the thread's end in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadsProof {
    /// The record.
    pub item: Item,
    /// Whether the thread stands.
    pub kind: HeadKind,
    /// Its last record's place.
    pub n: u64,
    /// Its last record's hash.
    pub last: RecordHash,
    /// From the end of the way up to the root.
    pub siblings: Vec<MapHash>,
}

/// Which key signed a log for which sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The log's place in the bundle.
    pub log: usize,
    /// The key in text form.
    pub vkey: String,
    /// The first size.
    pub from: u64,
    /// The last size; 0 until now.
    pub to: u64,
}

/// A law's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawFiles {
    /// The hash it stands under.
    pub hash: LawHash,
    /// Paths and bytes, ascending by path.
    pub files: Vec<(String, Vec<u8>)>,
}

/// One instance's story. Nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The instance's log, then the universe's unless it is the same.
    pub logs: Vec<LogNote>,
    /// The instance's thread.
    pub thread: Handle,
    /// Its records, from the first.
    pub records: Vec<Item>,
    /// The map's word on its end.
    pub heads: Option<HeadsProof>,
    /// Records that it stands on: the log's place in the bundle, and the record.
    pub cited: Vec<(usize, Item)>,
    /// The laws it was judged under.
    pub laws: Vec<LawFiles>,
    /// The keys of the logs.
    pub keys: Vec<KeyRange>,
}

/// Why bytes are no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Longer than [`BUNDLE_BYTES_MAX`].
    #[error("a bundle has at most {BUNDLE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not deterministic CBOR of the expected shape.
    #[error("not a bundle: {0}")]
    Canon(#[from] CanonError),
    /// Another version.
    #[error("version {0} is not known here")]
    Version(u64),
    /// Another suite.
    #[error("suite {0} is not known here")]
    Suite(u64),
    /// Something else than a bundle.
    #[error("this is no bundle")]
    What,
    /// A field that this version does not have.
    #[error("there is no field {0}")]
    UnknownField(u64),
    /// A field that must be there is not.
    #[error("field {0} is missing")]
    MissingField(u64),
    /// A number beyond its limit, or one that stands for nothing.
    #[error("{0}: beyond the limit, or unknown")]
    Limit(&'static str),
    /// A list that must ascend without repeats does not.
    #[error("{0} are not in ascending order, or one repeats")]
    Order(&'static str),
    /// No records.
    #[error("the bundle has no records")]
    Empty,
}

impl BundleError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            BundleError::TooLarge => "bundle.too_large",
            BundleError::Canon(_) => "bundle.not_canonical",
            BundleError::Version(_) => "bundle.version",
            BundleError::Suite(_) => "bundle.suite",
            BundleError::What => "bundle.what",
            BundleError::UnknownField(_) => "bundle.unknown_field",
            BundleError::MissingField(_) => "bundle.missing_field",
            BundleError::Limit(_) => "bundle.limit",
            BundleError::Order(_) => "bundle.order",
            BundleError::Empty => "bundle.empty",
        }
    }
}

impl Bundle {
    /// The bundle's bytes. Lists are written in the order in which they stand.
    ///
    /// # Errors
    /// When it would be longer than [`BUNDLE_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        let mut w = Writer::with_capacity(64 * 1024);
        w.map(9 + usize::from(self.heads.is_some()));
        w.uint(1).uint(VERSION).uint(2).uint(SUITE).uint(3).text(WHAT);
        w.uint(4).array(self.logs.len());
        for log in &self.logs {
            w.array(2).text(&log.tenant).text(&log.note);
        }
        w.uint(5).bytes(self.thread.as_bytes());
        w.uint(6).array(self.records.len());
        self.records.iter().for_each(|item| write_item(&mut w, item));
        if let Some(heads) = &self.heads {
            w.uint(7).array(5);
            write_item(&mut w, &heads.item);
            w.uint(heads.kind.number().into()).uint(heads.n).bytes(heads.last.as_bytes()).array(heads.siblings.len());
            heads.siblings.iter().for_each(|hash| {
                w.bytes(hash.as_bytes());
            });
        }
        w.uint(8).array(self.cited.len());
        for (log, item) in &self.cited {
            w.array(2).uint(*log as u64);
            write_item(&mut w, item);
        }
        w.uint(9).array(self.laws.len());
        for law in &self.laws {
            w.array(2).bytes(law.hash.as_bytes()).array(law.files.len());
            law.files.iter().for_each(|(path, bytes)| {
                w.array(2).text(path).bytes(bytes);
            });
        }
        w.uint(10).array(self.keys.len());
        for key in &self.keys {
            w.array(4).uint(key.log as u64).text(&key.vkey).uint(key.from).uint(key.to);
        }
        let bytes = w.finish();
        if bytes.len() > BUNDLE_BYTES_MAX { Err(BundleError::TooLarge) } else { Ok(bytes) }
    }
}

fn write_item(w: &mut Writer, item: &Item) {
    w.array(4).bytes(&item.entry).array(item.proof.len());
    item.proof.iter().for_each(|hash| {
        w.bytes(hash.as_bytes());
    });
    w.array(item.opened.len());
    for part in &item.opened {
        w.array(4).uint(part.slot.number().into()).uint(part.index.into()).bytes(&part.salt).bytes(&part.plaintext);
    }
    w.array(item.withheld.len());
    for part in &item.withheld {
        w.array(3).uint(part.slot.number().into()).uint(part.index.into()).uint(part.why.number().into());
    }
}
