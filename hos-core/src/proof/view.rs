//! A header read over its bytes, its texts not copied: what a verifier needs, checked as strictly as ever.
//!
//! Every item is read in its only form and every order is checked while it is read, so nothing need be encoded again to see
//! that no second spelling of one header passes. Tests hold this against encoding.

use super::format::{Fields, FormatError, at_most, claimed, malformed};
use super::header::{follows, in_group, key, known_compat, known_mode, placed, policy_id};
use super::record::{Decision, Durability, Header, Kind, PartRef, Slot};
use crate::canon::Reader;
use crate::id::{
    Commitment, DottedName, GroupId, Handle, IdError, LawHash, MapKey, Name, RecordHash, RequestId, StoreId, Tenant,
};
use crate::limits::{HEADER_BYTES_MAX, PARTS_MAX, POLICIES_MAX};
use crate::refusal::Code;
use crate::time::Timestamp;
use std::borrow::Cow;

/// A checked header over its bytes. The fields are those of [`Header`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the one of the same name in `Header`")]
pub struct HeaderView<'a> {
    pub store: StoreId,
    pub tenant: &'a str,
    pub thread: Handle,
    pub n: Option<u64>,
    pub prev: Option<RecordHash>,
    pub kind: Kind,
    pub time: Timestamp,
    pub activation: Option<RecordHash>,
    pub law: Option<LawHash>,
    pub guard_law: Option<LawHash>,
    pub judge: [u16; 4],
    pub mode: u8,
    pub directory_version: u64,
    pub decision: Decision,
    pub refusal: Option<&'a str>,
    pub policies: Vec<&'a str>,
    pub contract: Option<&'a str>,
    pub contract_version: Option<u32>,
    pub event: Option<&'a str>,
    pub from: Option<&'a str>,
    pub to: Option<&'a str>,
    pub durability: Durability,
    pub request: Option<&'a str>,
    pub group: Option<(GroupId, u16, u16)>,
    pub parts: Vec<PartRef>,
    pub label: Option<MapKey>,
}

impl<'a> HeaderView<'a> {
    /// The header that these bytes are: every id checked, every item in its only form, nothing left over.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FormatError> {
        at_most("header bytes", bytes.len(), HEADER_BYTES_MAX)?;
        let mut r = Reader::new(bytes);
        let mut f = Fields::open(&mut r)?;
        let header = HeaderView {
            store: StoreId(need(&mut f, key::STORE, |r| Ok(r.bytes_of()?))?),
            tenant: need(&mut f, key::TENANT, |r| text("tenant", Tenant::check, r))?,
            thread: Handle(need(&mut f, key::THREAD, |r| Ok(r.bytes_of()?))?),
            n: take(&mut f, key::N, |r| Ok(r.uint()?))?,
            prev: take(&mut f, key::PREV, |r| Ok(RecordHash(r.bytes_of()?)))?,
            kind: need(&mut f, key::KIND, |r| numbered("kind", r.uint()?, Kind::from_number))?,
            time: need(&mut f, key::TIME, |r| claimed(r.uint()?))?,
            activation: take(&mut f, key::ACTIVATION, |r| Ok(RecordHash(r.bytes_of()?)))?,
            law: take(&mut f, key::LAW, |r| Ok(LawHash(r.bytes_of()?)))?,
            guard_law: take(&mut f, key::GUARD_LAW, |r| Ok(LawHash(r.bytes_of()?)))?,
            judge: need(&mut f, key::JUDGE, |r| {
                r.array_of(4)?;
                known_compat([r.uint_as()?, r.uint_as()?, r.uint_as()?, r.uint_as()?])
            })?,
            mode: need(&mut f, key::MODE, |r| known_mode(r.uint_as()?))?,
            directory_version: need(&mut f, key::DIRECTORY_VERSION, |r| Ok(r.uint()?))?,
            decision: need(&mut f, key::DECISION, |r| numbered("decision", r.uint()?, Decision::from_number))?,
            refusal: take(&mut f, key::REFUSAL, |r| text("refusal code", refusal_code, r))?,
            policies: need(&mut f, key::POLICIES, policies)?,
            contract: take(&mut f, key::CONTRACT, |r| text("contract", Name::check, r))?,
            contract_version: take(&mut f, key::CONTRACT_VERSION, |r| Ok(r.uint_as()?))?,
            event: take(&mut f, key::EVENT, |r| text("event", DottedName::check, r))?,
            from: take(&mut f, key::FROM, |r| text("state", Name::check, r))?,
            to: take(&mut f, key::TO, |r| text("state", Name::check, r))?,
            durability: need(&mut f, key::DURABILITY, |r| numbered("durability", r.uint()?, Durability::from_number))?,
            request: take(&mut f, key::REQUEST, |r| text("request id", RequestId::check, r))?,
            group: take(&mut f, key::GROUP, |r| {
                r.array_of(3)?;
                in_group((GroupId(r.bytes_of()?), r.uint_as()?, r.uint_as()?))
            })?,
            parts: need(&mut f, key::PARTS, part_refs)?,
            label: take(&mut f, key::LABEL, |r| Ok(MapKey(r.bytes_of()?)))?,
        };
        f.close()?;
        r.end()?;
        placed(header.n, header.prev.is_some(), header.label.is_some())?;
        Ok(header)
    }

    /// The header with texts of its own.
    pub fn to_header(&self) -> Result<Header, FormatError> {
        let name = |what: &'static str, text: Option<&str>| text.map(Name::new).transpose().map_err(malformed(what));
        Ok(Header {
            store: self.store,
            tenant: Tenant::new(self.tenant).map_err(malformed("tenant"))?,
            thread: self.thread,
            n: self.n,
            prev: self.prev,
            kind: self.kind,
            time: self.time,
            activation: self.activation,
            law: self.law,
            guard_law: self.guard_law,
            judge: self.judge,
            mode: self.mode,
            directory_version: self.directory_version,
            decision: self.decision,
            refusal: self.refusal.map(|text| match Code::from_text(text) {
                Some(code) => Cow::Borrowed(code.as_str()),
                None => Cow::Owned(text.to_owned()),
            }),
            policies: self.policies.iter().map(|id| (*id).to_owned()).collect(),
            contract: name("contract", self.contract)?,
            contract_version: self.contract_version,
            event: self.event.map(DottedName::new).transpose().map_err(malformed("event"))?,
            from: name("state", self.from)?,
            to: name("state", self.to)?,
            durability: self.durability,
            request: self.request.map(RequestId::new).transpose().map_err(malformed("request id"))?,
            group: self.group,
            parts: self.parts.clone(),
            label: self.label,
        })
    }
}

impl Header {
    /// The header that these bytes are: every id checked, every item in its only form, nothing left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        HeaderView::decode(bytes)?.to_header()
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

/// A text that is an id of its kind.
fn text<'a>(
    what: &'static str,
    check: impl FnOnce(&str) -> Result<(), IdError>,
    r: &mut Reader<'a>,
) -> Result<&'a str, FormatError> {
    let text = r.text()?;
    check(text).map_err(malformed(what))?;
    Ok(text)
}

fn refusal_code(text: &str) -> Result<(), IdError> {
    if Code::from_text(text).is_some() { Ok(()) } else { DottedName::check(text) }
}

fn policies<'a>(r: &mut Reader<'a>) -> Result<Vec<&'a str>, FormatError> {
    let count = r.array()?;
    at_most("determining policies", count, POLICIES_MAX)?;
    let mut ids: Vec<&str> = Vec::with_capacity(count);
    for _ in 0..count {
        let id = policy_id(r.text()?)?;
        follows("determining policies", ids.last().is_none_or(|last| *last < id))?;
        ids.push(id);
    }
    Ok(ids)
}

fn part_refs(r: &mut Reader<'_>) -> Result<Vec<PartRef>, FormatError> {
    let count = r.array()?;
    at_most("parts", count, PARTS_MAX)?;
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        r.array_of(3)?;
        let slot = numbered("slot", r.uint()?, Slot::from_number)?;
        let part = PartRef { slot, index: r.uint_as()?, commitment: Commitment(r.bytes_of()?) };
        follows("parts", parts.last().is_none_or(|last: &PartRef| (last.slot, last.index) < (slot, part.index)))?;
        parts.push(part);
    }
    Ok(parts)
}
