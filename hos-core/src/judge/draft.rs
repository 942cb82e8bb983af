//! A record in the making: header, parts with their salts and commitments, bytes and hash.

use super::bench::Bench;
use crate::digest;
use crate::id::{Commitment, DottedName, Handle, Name, RecordHash, RequestId, Uid};
use crate::limits::{ID_BYTES_MAX, POLICIES_MAX};
use crate::proof::format::FormatError;
use crate::proof::record::{Decision, Header, Kind, Part, PartRef, Slot};
use crate::refusal::{Blocker, Code};
use std::borrow::Cow;

/// Which thread a record goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A claimed thread: an instance's, or a directory row's.
    Thread {
        /// The handle.
        handle: Handle,
        /// The record's place.
        n: u64,
        /// The record before it.
        prev: Option<RecordHash>,
    },
    /// A named stream; its handle and order are the engine's to give.
    Stream(DottedName),
}

/// A finished record.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where it goes.
    pub place: Place,
    /// The header. For a stream, `thread` is all zero until the engine sets it by [`Draft::into_stream`].
    pub header: Header,
    /// The header's bytes.
    pub bytes: Vec<u8>,
    /// The header's hash.
    pub hash: RecordHash,
    /// The parts, in the clear.
    pub parts: Vec<Part>,
}

impl Draft {
    /// Gives a stream's record the stream's handle, which only the engine knows.
    pub fn into_stream(mut self, handle: Handle) -> Result<Self, Blocker> {
        self.header.thread = handle;
        self.bytes = self.header.encode().map_err(too_large)?;
        self.hash = digest::record_hash(&self.bytes);
        Ok(self)
    }
}

/// Collects what a record says.
pub(super) struct Drafting<'b, 'a> {
    bench: &'b Bench<'a>,
    header: Header,
    place: Place,
    parts: Vec<Part>,
    ordinal: u64,
}

impl<'b, 'a> Drafting<'b, 'a> {
    /// Starts a record; `ordinal` is its number among the records of this case, so that no salt is used twice.
    pub(super) fn new(bench: &'b Bench<'a>, kind: Kind, place: Place, ordinal: usize) -> Self {
        let (thread, n, prev) = match &place {
            Place::Thread { handle, n, prev } => (*handle, Some(*n), *prev),
            Place::Stream(_) => (Handle([0; 16]), None, None),
        };
        let header = Header {
            store: bench.store,
            tenant: bench.tenant.clone(),
            thread,
            n,
            prev,
            kind,
            time: bench.now,
            activation: bench.activation,
            law: Some(bench.active.law.hash),
            guard_law: bench.guard_law(),
            judge: bench.judge_version(),
            mode: crate::law::mode::Mode::Enforce as u8,
            directory_version: bench.directory_version,
            decision: Decision::None,
            refusal: None,
            policies: Vec::new(),
            contract: None,
            contract_version: None,
            event: None,
            from: None,
            to: None,
            durability: bench.durability,
            request: None,
            group: None,
            parts: Vec::new(),
            label: None,
        };
        Self { bench, header, place, parts: Vec::new(), ordinal: ordinal as u64 }
    }

    pub(super) fn header(&mut self) -> &mut Header {
        &mut self.header
    }

    pub(super) fn request(mut self, request: Option<&RequestId>) -> Self {
        self.header.request = request.cloned();
        self
    }

    pub(super) fn contract(mut self, name: &Name, version: u32, event: &Name) -> Self {
        self.header.contract = Some(name.clone());
        self.header.contract_version = Some(version);
        self.header.event = DottedName::new(event.as_str()).ok();
        self
    }

    pub(super) fn decided(mut self, blockers: &[Blocker], policies: &[String]) -> Self {
        self.header.decision = if blockers.is_empty() { Decision::Allow } else { Decision::Deny };
        self.header.refusal = blockers.first().map(|b| Cow::Owned(b.code.clone().into_owned()));
        // A grant of an earlier version may bear a name that no header holds: it must stay possible to take it away.
        let held = policies.iter().filter(|id| (1..=ID_BYTES_MAX).contains(&id.len()));
        self.header.policies = held.take(POLICIES_MAX).cloned().collect();
        self
    }

    /// Adds a part; an empty plaintext adds none.
    pub(super) fn part(&mut self, slot: Slot, subject: Option<&Uid>, plaintext: Vec<u8>) {
        if plaintext.is_empty() {
            return;
        }
        let index = self.parts.iter().filter(|p| p.slot == slot).count() as u8;
        let mut salt = [0u8; 32];
        if !self.bench.compared {
            let number = self.ordinal << 16 | u64::from(slot as u8) << 8 | u64::from(index);
            digest::expand(&self.bench.seed, "part salt", number, &mut salt);
        }
        self.parts.push(Part { slot, index, subject: subject.cloned(), salt, plaintext });
    }

    /// The header's bytes. Of the policies that decided it names as many as there is room for: their ids are anybody's words, and
    /// what they allowed is not undone by their length.
    fn encoded(&mut self) -> Result<Vec<u8>, Blocker> {
        loop {
            match self.header.encode() {
                Err(FormatError::TooLarge { .. }) if self.header.policies.pop().is_some() => {}
                encoded => return encoded.map_err(too_large),
            }
        }
    }

    /// Finishes the record.
    pub(super) fn finish(mut self) -> Result<Draft, Blocker> {
        self.parts.sort_by_key(|p| (p.slot, p.index));
        let compared = self.bench.compared;
        let commitment = |p: &Part| if compared { Commitment([0; 32]) } else { digest::commitment(&p.salt, &p.plaintext) };
        let listed = |p: &Part| PartRef { slot: p.slot, index: p.index, commitment: commitment(p) };
        self.header.parts = self.parts.iter().map(listed).collect();
        // Also of what is compared: what does not fit into a header was refused.
        let bytes = self.encoded()?;
        let hash = if compared { RecordHash([0; 32]) } else { digest::record_hash(&bytes) };
        Ok(Draft { place: self.place, header: self.header, bytes, hash, parts: self.parts })
    }
}

fn too_large(error: FormatError) -> Blocker {
    Blocker::new(Code::CallTooLarge, format!("the record's header: {error}"))
}
