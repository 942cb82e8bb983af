//! What a pass over a store has to remember for long, in memory that does not grow with the store: so much of it is kept at hand,
//! the rest in files without names.
//!
//! Nothing that a person could be known by reaches such a file, but what every header of the log says in clear (the label of an instance
//! in the map of heads): of ids, once-keys, calls, facts and messages it has marks, made with a secret that goes with the pass ([`Marks`]).

mod by_thread;
mod sorted;

pub(super) use by_thread::{ByThread, Kept};
pub(super) use sorted::Sorted;

use crate::Failure;
use crate::ports::Entropy;
use hos_core::digest;

/// How many bytes are kept at hand where nobody says it.
const MEMORY: usize = 256 << 20;
/// What a thread takes at hand, by and large: what is known of it, and its place in a table.
const THREAD_BYTES: usize = 512;
/// What a person's key takes there.
const KEY_BYTES: usize = 96;

/// Whose word a row of a list is, as the last part of what it is sorted by: a record's, which comes first, or a table's.
pub(super) const SAID: &[u8] = &[0];
pub(super) const STORED: &[u8] = &[1];

/// How many rows that are not as they should be are told by words that are not put aside: for that the table is read again.
pub(super) const NAMED_MAX: usize = 1_024;

/// How much is kept at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Threads, of each list of them.
    pub(super) threads: usize,
    /// Bytes, of each list of rows that is to be sorted.
    pub(super) bytes: usize,
    /// Keys of persons, of each list of them.
    pub(super) keys: usize,
}

impl Room {
    /// Of so many bytes: two lists of threads take half, six lists of rows three eighths, two lists of keys the rest.
    pub(super) fn of(memory: Option<usize>) -> Self {
        let memory = memory.unwrap_or(MEMORY);
        Self { threads: memory / 4 / THREAD_BYTES, bytes: memory / 16, keys: memory / 16 / KEY_BYTES }
    }
}

/// What stands for bytes that no file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mark(pub(super) [u8; 32]);

/// Makes marks.
#[derive(Clone)]
pub(super) struct Marks {
    secret: [u8; 32],
}

impl Marks {
    pub(super) fn new(entropy: &dyn Entropy) -> Result<Self, Failure> {
        let mut secret = [0; 32];
        entropy.fill(&mut secret)?;
        Ok(Self { secret })
    }

    /// The mark of these bytes: the same for the same, in this pass alone.
    pub(super) fn of(&self, bytes: &[u8]) -> Mark {
        Mark(digest::mark(&self.secret, bytes))
    }
}
