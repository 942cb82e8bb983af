//! A header's bytes as they are written (`spec/proof-record.md`), what holds of every header, and the hash over the bytes. How they
//! are read is said in [`super::view`].

use super::format::{FormatError, SUITE, VERSION, at_most, malformed};
use super::record::Header;
use crate::canon::Writer;
use crate::digest;
use crate::id::{DottedName, GroupId, IdError, RecordHash};
use crate::limits::{HEADER_BYTES_MAX, ID_BYTES_MAX, PARTS_MAX, POLICIES_MAX};
use crate::refusal::Code;

/// The highest mode's number ([`crate::law::mode::Mode`]).
const MODE_MAX: u8 = 2;
/// The highest number of a compat: 0 strict, 1 Cedar.
const COMPAT_MAX: u16 = 1;

/// The fields' numbers. They are forever.
pub(super) mod key {
    pub(in super::super) const VERSION: u64 = 1;
    pub(in super::super) const SUITE: u64 = 2;
    pub(in super::super) const STORE: u64 = 3;
    pub(in super::super) const TENANT: u64 = 4;
    pub(in super::super) const THREAD: u64 = 5;
    pub(in super::super) const N: u64 = 6;
    pub(in super::super) const PREV: u64 = 7;
    pub(in super::super) const KIND: u64 = 8;
    pub(in super::super) const TIME: u64 = 9;
    pub(in super::super) const ACTIVATION: u64 = 10;
    pub(in super::super) const LAW: u64 = 11;
    pub(in super::super) const GUARD_LAW: u64 = 12;
    pub(in super::super) const JUDGE: u64 = 13;
    pub(in super::super) const MODE: u64 = 14;
    pub(in super::super) const DIRECTORY_VERSION: u64 = 15;
    pub(in super::super) const DECISION: u64 = 16;
    pub(in super::super) const REFUSAL: u64 = 17;
    pub(in super::super) const POLICIES: u64 = 18;
    pub(in super::super) const CONTRACT: u64 = 19;
    pub(in super::super) const CONTRACT_VERSION: u64 = 20;
    pub(in super::super) const EVENT: u64 = 21;
    pub(in super::super) const FROM: u64 = 22;
    pub(in super::super) const TO: u64 = 23;
    pub(in super::super) const DURABILITY: u64 = 24;
    pub(in super::super) const REQUEST: u64 = 25;
    pub(in super::super) const GROUP: u64 = 26;
    pub(in super::super) const PARTS: u64 = 27;
    pub(in super::super) const LABEL: u64 = 28;
}

/// The fields that are always there.
const ALWAYS: usize = 14;

impl Header {
    /// Checks what the types do not say: limits, orders, and that place and predecessor agree.
    pub fn check(&self) -> Result<(), FormatError> {
        if !self.time.is_claimable() {
            return Err(FormatError::Time(self.time.0));
        }
        known_compat(self.judge)?;
        known_mode(self.mode)?;
        placed(self.n, self.prev.is_some(), self.label.is_some())?;
        if let Some(code) = self.refusal.as_ref().filter(|code| Code::from_text(code).is_none()) {
            DottedName::check(code).map_err(malformed("refusal code"))?;
        }
        at_most("determining policies", self.policies.len(), POLICIES_MAX)?;
        self.policies.iter().try_for_each(|id| policy_id(id).map(drop))?;
        follows("determining policies", self.policies.is_sorted_by(|a, b| a < b))?;
        self.group.map(in_group).transpose()?;
        at_most("parts", self.parts.len(), PARTS_MAX)?;
        follows("parts", self.parts.is_sorted_by(|a, b| (a.slot, a.index) < (b.slot, b.index)))
    }

    /// The header's bytes.
    ///
    /// # Errors
    /// When a limit is exceeded or [`Header::check`] finds a contradiction.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let bytes = self.write();
        at_most("header bytes", bytes.len(), HEADER_BYTES_MAX)?;
        Ok(bytes)
    }

    /// The record's hash: of the header's bytes.
    pub fn hash(&self) -> Result<RecordHash, FormatError> {
        Ok(digest::record_hash(&self.encode()?))
    }

    fn write(&self) -> Vec<u8> {
        let optional = [
            self.n.is_some(),
            self.prev.is_some(),
            self.activation.is_some(),
            self.law.is_some(),
            self.guard_law.is_some(),
            self.refusal.is_some(),
            self.contract.is_some(),
            self.contract_version.is_some(),
            self.event.is_some(),
            self.from.is_some(),
            self.to.is_some(),
            self.request.is_some(),
            self.group.is_some(),
            self.label.is_some(),
        ];
        let mut w = Writer::with_capacity(512 + self.parts.len() * 40);
        w.map(ALWAYS + optional.iter().filter(|there| **there).count());
        w.uint(key::VERSION).uint(VERSION).uint(key::SUITE).uint(SUITE);
        w.uint(key::STORE).bytes(self.store.as_bytes());
        w.uint(key::TENANT).text(self.tenant.as_str());
        w.uint(key::THREAD).bytes(self.thread.as_bytes());
        put(&mut w, key::N, &self.n, |w, n| w.uint(*n));
        put(&mut w, key::PREV, &self.prev, |w, hash| w.bytes(hash.as_bytes()));
        w.uint(key::KIND).uint(self.kind.number().into());
        // Claimable times are never negative: `check` saw to it.
        w.uint(key::TIME).uint(self.time.0.unsigned_abs());
        put(&mut w, key::ACTIVATION, &self.activation, |w, hash| w.bytes(hash.as_bytes()));
        put(&mut w, key::LAW, &self.law, |w, hash| w.bytes(hash.as_bytes()));
        put(&mut w, key::GUARD_LAW, &self.guard_law, |w, hash| w.bytes(hash.as_bytes()));
        w.uint(key::JUDGE).array(self.judge.len());
        self.judge.iter().for_each(|n| {
            w.uint((*n).into());
        });
        w.uint(key::MODE).uint(self.mode.into());
        w.uint(key::DIRECTORY_VERSION).uint(self.directory_version);
        w.uint(key::DECISION).uint(self.decision.number().into());
        put(&mut w, key::REFUSAL, &self.refusal, |w, code| w.text(code));
        w.uint(key::POLICIES).array(self.policies.len());
        self.policies.iter().for_each(|id| {
            w.text(id);
        });
        put(&mut w, key::CONTRACT, &self.contract, |w, name| w.text(name.as_str()));
        put(&mut w, key::CONTRACT_VERSION, &self.contract_version, |w, version| w.uint((*version).into()));
        put(&mut w, key::EVENT, &self.event, |w, name| w.text(name.as_str()));
        put(&mut w, key::FROM, &self.from, |w, name| w.text(name.as_str()));
        put(&mut w, key::TO, &self.to, |w, name| w.text(name.as_str()));
        w.uint(key::DURABILITY).uint(self.durability.number().into());
        put(&mut w, key::REQUEST, &self.request, |w, id| w.text(id.as_str()));
        put(&mut w, key::GROUP, &self.group, |w, (id, i, of)| {
            w.array(3).bytes(id.as_bytes()).uint((*i).into()).uint((*of).into())
        });
        w.uint(key::PARTS).array(self.parts.len());
        for part in &self.parts {
            w.array(3).uint(part.slot.number().into()).uint(part.index.into()).bytes(part.commitment.as_bytes());
        }
        put(&mut w, key::LABEL, &self.label, |w, label| w.bytes(label.as_bytes()));
        w.finish()
    }
}

/// Place and previous record agree, and a label stands in no record but a thread's first.
pub(super) fn placed(n: Option<u64>, has_prev: bool, has_label: bool) -> Result<(), FormatError> {
    if has_prev != n.is_some_and(|n| n > 0) || has_label && n != Some(0) { Err(FormatError::Place) } else { Ok(()) }
}

/// A mode that is known.
pub(super) fn known_mode(mode: u8) -> Result<u8, FormatError> {
    if mode > MODE_MAX { Err(FormatError::UnknownNumber { what: "mode", number: mode.into() }) } else { Ok(mode) }
}

/// A judge whose compat is known.
pub(super) fn known_compat(judge: [u16; 4]) -> Result<[u16; 4], FormatError> {
    if judge[3] > COMPAT_MAX {
        return Err(FormatError::UnknownNumber { what: "compat", number: judge[3].into() });
    }
    Ok(judge)
}

/// A group whose place is below their number.
pub(super) fn in_group(group: (GroupId, u16, u16)) -> Result<(GroupId, u16, u16), FormatError> {
    let (_, i, of) = group;
    if i < of { Ok(group) } else { Err(FormatError::UnknownNumber { what: "place in a group", number: i.into() }) }
}

/// An item of a list that ascends.
pub(super) fn follows(what: &'static str, ascends: bool) -> Result<(), FormatError> {
    if ascends { Ok(()) } else { Err(FormatError::Order(what)) }
}

fn put<T>(w: &mut Writer, key: u64, value: &Option<T>, write: impl for<'w> FnOnce(&'w mut Writer, &T) -> &'w mut Writer) {
    if let Some(value) = value {
        write(w.uint(key), value);
    }
}

/// A policy's id is any text within the bounds of ids: Cedar allows every character.
pub(super) fn policy_id(id: &str) -> Result<&str, FormatError> {
    let wrong = malformed("policy id");
    match id.len() {
        0 => Err(wrong(IdError::Empty("policy id"))),
        len if len > ID_BYTES_MAX => Err(wrong(IdError::TooLong { what: "policy id", max: ID_BYTES_MAX, len })),
        _ => Ok(id),
    }
}
