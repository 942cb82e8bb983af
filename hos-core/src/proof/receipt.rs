//! A receipt: what a caller is given for a move, and what it later proves.

use super::chain::Entry;
use super::checkpoint::{Checkpoint, NoteError, NoteKey};
use super::format::{Fields, FormatError, SUITE, VERSION, at_most, malformed};
use super::record::Header;
use super::tree::{TreeError, verify_inclusion};
use crate::canon::{Reader, Writer, same};
use crate::digest;
use crate::id::{EntryHash, Handle, RecordHash, Tenant, TreeHash};
use crate::limits::RECEIPT_BYTES_MAX;

/// Names a record, and its place in the log once it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The tenant.
    pub tenant: Tenant,
    /// The thread.
    pub thread: Handle,
    /// The place in the thread; a named stream's is not known before sealing.
    pub n: Option<u64>,
    /// The record.
    pub record: RecordHash,
    /// The place in the log.
    pub seal: Seal,
}

/// Whether a record has its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// Not yet: the record is committed or will be, and nothing is vouched for.
    Pending,
    /// Sealed under a checkpoint.
    Sealed {
        /// The entry's place.
        seq: u64,
        /// The entry's hash.
        entry: EntryHash,
        /// A checkpoint that covers it: the whole note.
        checkpoint: String,
    },
}

/// Why a receipt is not borne out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Nothing is sealed yet.
    #[error("the receipt is pending: nothing is sealed yet")]
    Pending,
    /// The entry does not decode.
    #[error("the entry is malformed: {0}")]
    Entry(#[from] FormatError),
    /// The entry or its record is another one.
    #[error("the entry is not the one that the receipt names")]
    Other,
    /// The checkpoint does not hold.
    #[error("the checkpoint does not hold: {0}")]
    Checkpoint(#[from] NoteError),
    /// The entry is not proved to be under the checkpoint.
    #[error("the entry is not under the checkpoint: {0}")]
    Inclusion(#[from] TreeError),
}

impl Receipt {
    /// Whether the record has its place.
    pub fn is_sealed(&self) -> bool {
        matches!(self.seal, Seal::Sealed { .. })
    }

    /// Holds the receipt against an entry's bytes and the proof that the entry is under the receipt's checkpoint.
    pub fn verify(&self, entry: &[u8], proof: &[TreeHash], key: &NoteKey) -> Result<(), ReceiptError> {
        let Seal::Sealed { seq, entry: hash, checkpoint } = &self.seal else { return Err(ReceiptError::Pending) };
        let decoded = Entry::decode(entry)?;
        let named = decoded.seq == *seq
            && decoded.tenant == self.tenant
            && digest::entry_hash(entry) == *hash
            && digest::record_hash(&decoded.header) == self.record;
        if !named {
            return Err(ReceiptError::Other);
        }
        // The record's hash vouches for the header, and the header for the thread and the place in it; a named stream's is the entry's.
        let header = Header::decode(&decoded.header)?;
        let n = header.n.or(decoded.stream.map(|(n, _)| n));
        if header.thread != self.thread || (self.n.is_some() && self.n != n) {
            return Err(ReceiptError::Other);
        }
        let checkpoint = Checkpoint::open(checkpoint.as_bytes(), key)?;
        Ok(verify_inclusion(*seq, checkpoint.size, &digest::tree_leaf(entry), proof, &checkpoint.root)?)
    }

    /// The receipt's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let seal = if self.is_sealed() { 3 } else { 0 };
        let mut w = Writer::with_capacity(384);
        w.map(5 + usize::from(self.n.is_some()) + seal).uint(1).uint(VERSION).uint(2).uint(SUITE);
        w.uint(3).text(self.tenant.as_str()).uint(4).bytes(self.thread.as_bytes());
        if let Some(n) = self.n {
            w.uint(5).uint(n);
        }
        w.uint(6).bytes(self.record.as_bytes());
        if let Seal::Sealed { seq, entry, checkpoint } = &self.seal {
            w.uint(7).uint(*seq).uint(8).bytes(entry.as_bytes()).uint(9).text(checkpoint);
        }
        w.finish()
    }

    /// The receipt that these bytes are. Its checkpoint is not looked at.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        at_most("receipt bytes", bytes.len(), RECEIPT_BYTES_MAX)?;
        let mut r = Reader::new(bytes);
        let mut f = Fields::open(&mut r)?;
        f.need(3)?;
        let tenant = Tenant::new(f.r.text()?).map_err(malformed("tenant"))?;
        f.need(4)?;
        let thread = Handle(f.r.bytes_of()?);
        let n = if f.has(5)? { Some(f.r.uint()?) } else { None };
        f.need(6)?;
        let record = RecordHash(f.r.bytes_of()?);
        let seal = if f.has(7)? {
            let seq = f.r.uint()?;
            f.need(8)?;
            let entry = EntryHash(f.r.bytes_of()?);
            f.need(9)?;
            Seal::Sealed { seq, entry, checkpoint: f.r.text()?.to_owned() }
        } else {
            Seal::Pending
        };
        f.close()?;
        r.end()?;
        let receipt = Self { tenant, thread, n, record, seal };
        same(bytes, &receipt.encode())?;
        Ok(receipt)
    }
}
