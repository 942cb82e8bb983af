//! A header's bytes, both ways (`spec/proof-record.md`), and the hash over them.

use super::format::{Fields, FormatError, SUITE, VERSION, at_most, malformed};
use super::record::{Decision, Durability, Header, Kind, PartRef, Slot};
use crate::canon::{Reader, Writer, same};
use crate::digest;
use crate::id::{
    Commitment, DottedName, GroupId, Handle, ID_BYTES_MAX, IdError, LawHash, MapKey, Name, RecordHash, RequestId, StoreId, Tenant,
};
use crate::refusal::Code;
use crate::time::Timestamp;
use std::borrow::Cow;

/// The longest header, in bytes.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// The most determining policies that a header may name.
pub const POLICIES_MAX: usize = 64;
/// The most parts that a record may have.
pub const PARTS_MAX: usize = 64;
/// The highest mode's number ([`crate::law::mode::Mode`]).
const MODE_MAX: u8 = 2;
/// The highest number of a compat: 0 strict, 1 Cedar.
const COMPAT_MAX: u16 = 1;

/// The fields' numbers. They are forever.
mod key {
    pub(super) const VERSION: u64 = 1;
    pub(super) const SUITE: u64 = 2;
    pub(super) const STORE: u64 = 3;
    pub(super) const TENANT: u64 = 4;
    pub(super) const THREAD: u64 = 5;
    pub(super) const N: u64 = 6;
    pub(super) const PREV: u64 = 7;
    pub(super) const KIND: u64 = 8;
    pub(super) const TIME: u64 = 9;
    pub(super) const ACTIVATION: u64 = 10;
    pub(super) const LAW: u64 = 11;
    pub(super) const GUARD_LAW: u64 = 12;
    pub(super) const JUDGE: u64 = 13;
    pub(super) const MODE: u64 = 14;
    pub(super) const DIRECTORY_VERSION: u64 = 15;
    pub(super) const DECISION: u64 = 16;
    pub(super) const REFUSAL: u64 = 17;
    pub(super) const POLICIES: u64 = 18;
    pub(super) const CONTRACT: u64 = 19;
    pub(super) const CONTRACT_VERSION: u64 = 20;
    pub(super) const EVENT: u64 = 21;
    pub(super) const FROM: u64 = 22;
    pub(super) const TO: u64 = 23;
    pub(super) const DURABILITY: u64 = 24;
    pub(super) const REQUEST: u64 = 25;
    pub(super) const GROUP: u64 = 26;
    pub(super) const PARTS: u64 = 27;
    pub(super) const LABEL: u64 = 28;
}

/// The fields that are always there.
const ALWAYS: usize = 14;

impl Header {
    /// Checks what the types do not say: limits, orders, and that place and predecessor agree.
    pub fn check(&self) -> Result<(), FormatError> {
        if self.prev.is_some() != self.n.is_some_and(|n| n > 0) {
            return Err(FormatError::Place);
        }
        if self.label.is_some() && self.n != Some(0) {
            return Err(FormatError::Place);
        }
        if !self.time.is_claimable() {
            return Err(FormatError::Time(self.time.0));
        }
        if self.mode > MODE_MAX {
            return Err(FormatError::UnknownNumber { what: "mode", number: self.mode.into() });
        }
        if self.judge[3] > COMPAT_MAX {
            return Err(FormatError::UnknownNumber { what: "compat", number: self.judge[3].into() });
        }
        if let Some(code) = &self.refusal {
            refusal_code(code)?;
        }
        at_most("determining policies", self.policies.len(), POLICIES_MAX)?;
        self.policies.iter().try_for_each(|id| policy_id(id).map(drop))?;
        if !self.policies.is_sorted_by(|a, b| a < b) {
            return Err(FormatError::Order("determining policies"));
        }
        if let Some((_, i, of)) = self.group
            && i >= of
        {
            return Err(FormatError::UnknownNumber { what: "place in a group", number: i.into() });
        }
        at_most("parts", self.parts.len(), PARTS_MAX)?;
        if !self.parts.is_sorted_by(|a, b| (a.slot, a.index) < (b.slot, b.index)) {
            return Err(FormatError::Order("parts"));
        }
        Ok(())
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

    /// The header that these bytes are: every id checked, nothing left over, and the same bytes when encoded again.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        at_most("header bytes", bytes.len(), HEADER_BYTES_MAX)?;
        let mut r = Reader::new(bytes);
        let mut f = Fields::open(&mut r)?;
        let header = Header {
            store: StoreId(need(&mut f, key::STORE, |r| Ok(r.bytes_of()?))?),
            tenant: need(&mut f, key::TENANT, |r| Tenant::new(r.text()?).map_err(malformed("tenant")))?,
            thread: Handle(need(&mut f, key::THREAD, |r| Ok(r.bytes_of()?))?),
            n: take(&mut f, key::N, |r| Ok(r.uint()?))?,
            prev: take(&mut f, key::PREV, |r| Ok(RecordHash(r.bytes_of()?)))?,
            kind: need(&mut f, key::KIND, |r| numbered("kind", r.uint()?, Kind::from_number))?,
            time: need(&mut f, key::TIME, |r| Ok(Timestamp(r.uint_as()?)))?,
            activation: take(&mut f, key::ACTIVATION, |r| Ok(RecordHash(r.bytes_of()?)))?,
            law: take(&mut f, key::LAW, |r| Ok(LawHash(r.bytes_of()?)))?,
            guard_law: take(&mut f, key::GUARD_LAW, |r| Ok(LawHash(r.bytes_of()?)))?,
            judge: need(&mut f, key::JUDGE, |r| {
                r.array_of(4)?;
                Ok([r.uint_as()?, r.uint_as()?, r.uint_as()?, r.uint_as()?])
            })?,
            mode: need(&mut f, key::MODE, |r| Ok(r.uint_as()?))?,
            directory_version: need(&mut f, key::DIRECTORY_VERSION, |r| Ok(r.uint()?))?,
            decision: need(&mut f, key::DECISION, |r| numbered("decision", r.uint()?, Decision::from_number))?,
            refusal: take(&mut f, key::REFUSAL, |r| refusal_code(r.text()?))?,
            policies: need(&mut f, key::POLICIES, |r| {
                let count = r.array()?;
                at_most("determining policies", count, POLICIES_MAX)?;
                (0..count).map(|_| Ok(policy_id(r.text()?)?.to_owned())).collect()
            })?,
            contract: take(&mut f, key::CONTRACT, |r| name("contract", r))?,
            contract_version: take(&mut f, key::CONTRACT_VERSION, |r| Ok(r.uint_as()?))?,
            event: take(&mut f, key::EVENT, |r| DottedName::new(r.text()?).map_err(malformed("event")))?,
            from: take(&mut f, key::FROM, |r| name("state", r))?,
            to: take(&mut f, key::TO, |r| name("state", r))?,
            durability: need(&mut f, key::DURABILITY, |r| numbered("durability", r.uint()?, Durability::from_number))?,
            request: take(&mut f, key::REQUEST, |r| RequestId::new(r.text()?).map_err(malformed("request id")))?,
            group: take(&mut f, key::GROUP, |r| {
                r.array_of(3)?;
                Ok((GroupId(r.bytes_of()?), r.uint_as()?, r.uint_as()?))
            })?,
            parts: need(&mut f, key::PARTS, part_refs)?,
            label: take(&mut f, key::LABEL, |r| Ok(MapKey(r.bytes_of()?)))?,
        };
        f.close()?;
        r.end()?;
        header.check()?;
        same(bytes, &header.write())?;
        Ok(header)
    }
}

fn put<T>(w: &mut Writer, key: u64, value: &Option<T>, write: impl for<'w> FnOnce(&'w mut Writer, &T) -> &'w mut Writer) {
    if let Some(value) = value {
        write(w.uint(key), value);
    }
}

fn need<'a, T>(
    f: &mut Fields<'_, 'a>,
    key: u64,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    f.need(key)?;
    read(f.r)
}

fn take<'a, T>(
    f: &mut Fields<'_, 'a>,
    key: u64,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, FormatError>,
) -> Result<Option<T>, FormatError> {
    if f.has(key)? { read(f.r).map(Some) } else { Ok(None) }
}

fn numbered<T>(what: &'static str, number: u64, from: fn(u64) -> Option<T>) -> Result<T, FormatError> {
    from(number).ok_or(FormatError::UnknownNumber { what, number })
}

fn name(what: &'static str, r: &mut Reader<'_>) -> Result<Name, FormatError> {
    Name::new(r.text()?).map_err(malformed(what))
}

/// A policy's id is any text within the bounds of ids: Cedar allows every character.
fn policy_id(id: &str) -> Result<&str, FormatError> {
    let wrong = malformed("policy id");
    match id.len() {
        0 => Err(wrong(IdError::Empty("policy id"))),
        len if len > ID_BYTES_MAX => Err(wrong(IdError::TooLong { what: "policy id", max: ID_BYTES_MAX, len })),
        _ => Ok(id),
    }
}

fn refusal_code(text: &str) -> Result<Cow<'static, str>, FormatError> {
    match Code::from_text(text) {
        Some(code) => Ok(Cow::Borrowed(code.as_str())),
        None => {
            DottedName::new(text).map_err(malformed("refusal code"))?;
            Ok(Cow::Owned(text.to_owned()))
        }
    }
}

fn part_refs(r: &mut Reader<'_>) -> Result<Vec<PartRef>, FormatError> {
    let count = r.array()?;
    at_most("parts", count, PARTS_MAX)?;
    (0..count)
        .map(|_| {
            r.array_of(3)?;
            let slot = numbered("slot", r.uint()?, Slot::from_number)?;
            Ok(PartRef { slot, index: r.uint_as()?, commitment: Commitment(r.bytes_of()?) })
        })
        .collect()
}
