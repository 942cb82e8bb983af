//! A fork, proved to anybody: two checkpoints of one log that no one log can have (`spec/chain.md`, "Forks").
//!
//! The smaller says that the tree of its size has one root. The larger, with a consistency proof, says that it has another.
//! Both are signed by the log.

use super::checkpoint::NoteKey;
use super::tree::verify_consistency;
use super::trust::{Distrust, Trust};
use crate::id::TreeHash;
use crate::limits::{FORK_BYTES_MAX, NOTE_BYTES_MAX, PROOF_MAX};
use std::fmt::Write;

/// The line with which a report begins.
pub const FIRST: &str = "hos fork 1\n";

/// A report, read but not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The root that the larger checkpoint's tree has at the smaller one's size.
    pub root: TreeHash,
    /// That it has it; empty between equal sizes.
    pub proof: Vec<TreeHash>,
    /// The checkpoint of the smaller size.
    pub smaller: String,
    /// The other.
    pub larger: String,
}

/// Why a report proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// Not a report.
    #[error("not a report of a fork: {0}")]
    Malformed(&'static str),
    /// One of the checkpoints is not the log's.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// They are of two logs.
    #[error("the checkpoints are of two logs")]
    Origin,
    /// They agree.
    #[error("the checkpoints agree: there is no fork")]
    Same,
    /// The larger one's tree does not have that root.
    #[error("the proof does not lead from the root to the larger checkpoint")]
    Proof,
}

impl ForkError {
    /// The stable code.
    pub fn code(&self) -> String {
        match self {
            ForkError::Malformed(_) => "fork.malformed".into(),
            ForkError::Distrust(e) => e.code(),
            ForkError::Origin => "fork.origin".into(),
            ForkError::Same => "fork.same".into(),
            ForkError::Proof => "fork.proof".into(),
        }
    }
}

/// A fork that is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The log.
    pub origin: String,
    /// The sizes of the checkpoints.
    pub sizes: (u64, u64),
    /// The roots at the smaller size.
    pub roots: (TreeHash, TreeHash),
    /// The keys that signed them; usually one.
    pub keys: (NoteKey, NoteKey),
}

impl Fork {
    /// The report's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = format!("{FIRST}root {}\n", self.root);
        for hash in &self.proof {
            let _ = writeln!(out, "{hash}");
        }
        for note in [&self.smaller, &self.larger] {
            let _ = write!(out, "note {}\n{note}", note.len());
        }
        out.into_bytes()
    }

    /// Reads a report.
    pub fn decode(bytes: &[u8]) -> Result<Self, ForkError> {
        let wrong = |what| ForkError::Malformed(what);
        if bytes.len() > FORK_BYTES_MAX {
            return Err(wrong("it is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
        let hash = |text: &str| TreeHash::from_hex(text).filter(|hash| hash.to_string() == text);
        let (mut rest, mut lines) = (text.strip_prefix(FIRST).ok_or_else(|| wrong("the first line"))?, Vec::new());
        while !rest.starts_with("note ") {
            let (line, after) = rest.split_once('\n').ok_or_else(|| wrong("no note"))?;
            if lines.len() > PROOF_MAX {
                return Err(wrong("the proof has too many hashes"));
            }
            lines.push(line);
            rest = after;
        }
        let (root, proof) = lines.split_first().ok_or_else(|| wrong("no root"))?;
        let root = root.strip_prefix("root ").and_then(hash).ok_or_else(|| wrong("the root is no hash"))?;
        let proof = proof.iter().map(|line| hash(line)).collect::<Option<Vec<_>>>().ok_or_else(|| wrong("a line is no hash"))?;
        let mut note = || -> Option<String> {
            let (head, after) = rest.split_once('\n')?;
            let length = head.strip_prefix("note ")?;
            let bytes: usize = length.parse().ok().filter(|n: &usize| n.to_string() == length && *n <= NOTE_BYTES_MAX)?;
            let (note, after) = after.split_at_checked(bytes)?;
            rest = after;
            Some(note.to_owned())
        };
        let (smaller, larger) = note().zip(note()).ok_or_else(|| wrong("a note is cut"))?;
        if rest.is_empty() { Ok(Self { root, proof, smaller, larger }) } else { Err(wrong("something stands behind it")) }
    }

    /// Whether it proves a fork, to somebody who knows the log. Witnesses are not asked: a fork is one whoever saw it.
    pub fn prove(&self, trust: &Trust) -> Result<Proved, ForkError> {
        let (smaller, one) = trust.signed(self.smaller.as_bytes())?;
        let (larger, other) = trust.signed(self.larger.as_bytes())?;
        if smaller.origin != larger.origin {
            return Err(ForkError::Origin);
        }
        if smaller.size == 0 || smaller.size > larger.size {
            return Err(ForkError::Malformed("the first checkpoint is not the smaller one, or is of nothing"));
        }
        verify_consistency(smaller.size, larger.size, &self.root, &larger.root, &self.proof).map_err(|_| ForkError::Proof)?;
        if self.root == smaller.root {
            return Err(ForkError::Same);
        }
        let (sizes, roots) = ((smaller.size, larger.size), (smaller.root, self.root));
        Ok(Proved { origin: smaller.origin, sizes, roots, keys: (one, other) })
    }
}
