//! A new epoch: a log whose end was lost goes on from what is there, and says what is lost (`spec/chain.md`, "Epochs").

use crate::canon::{CanonError, Reader, Writer};
use crate::id::TreeHash;

/// The stream of these records, one in each tenant's log.
pub const STREAM: &str = "hos.epoch";

/// What the first record of an epoch says: `[epoch, note, size, root, reason]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The epoch that begins.
    pub epoch: u64,
    /// The checkpoint that it goes on from: of what was lost, or the newest of what is there. Empty where there is none.
    pub note: String,
    /// How many entries are there, which the new epoch keeps.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
    /// Why.
    pub reason: String,
}

impl Turn {
    /// The content of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.array(5).uint(self.epoch).text(&self.note).uint(self.size).bytes(self.root.as_bytes()).text(&self.reason);
        w.finish()
    }

    /// What these bytes say.
    pub fn decode(bytes: &[u8]) -> Result<Self, CanonError> {
        let mut r = Reader::new(bytes);
        r.array_of(5)?;
        let (epoch, note) = (r.uint()?, r.text()?.to_owned());
        let (size, root, reason) = (r.uint()?, TreeHash(r.bytes_of()?), r.text()?.to_owned());
        r.end()?;
        let turn = Self { epoch, note, size, root, reason };
        crate::canon::same(bytes, &turn.encode())?;
        Ok(turn)
    }
}
