//! The content of parts: deterministic CBOR of what was judged (`spec/proof-record.md` lists the shapes).
//!
//! Every encoder has its decoder, for whoever folds or replays records; decoders refuse what the encoders would not write.

use super::instance::Message;
use crate::call::{Call, Change};
use crate::canon::{CanonError, Reader, Writer};
use crate::contract::step::Armed;
use crate::id::{CallDigest, DottedName, Name, OnceKey, RecordHash, Uid};
use crate::policy::{Entity, Link};
use crate::refusal::Blocker;
use crate::time::Timestamp;
use crate::value::Record;
use std::collections::BTreeSet;

pub(super) fn refuse(why: &'static str) -> CanonError {
    CanonError(why, 0)
}

fn finished<T>(reader: &Reader<'_>, value: T) -> Result<T, CanonError> {
    reader.end().map(|()| value)
}

fn write_uid(w: &mut Writer, uid: &Uid) {
    w.array(2).text(uid.type_name()).text(uid.id());
}

fn read_uid(r: &mut Reader<'_>) -> Result<Uid, CanonError> {
    expect(r.array()?, 2)?;
    Uid::new(r.text()?, r.text()?).map_err(|_| refuse("an entity that is none"))
}

fn expect(found: usize, wanted: usize) -> Result<(), CanonError> {
    if found == wanted { Ok(()) } else { Err(refuse("an array of another length")) }
}

/// An entity: `[type, id]`.
pub(super) fn encode_entity(uid: &Uid) -> Vec<u8> {
    let mut w = Writer::default();
    write_uid(&mut w, uid);
    w.finish()
}

/// Reads an entity.
pub fn decode_entity(bytes: &[u8]) -> Result<Uid, CanonError> {
    let mut r = Reader::new(bytes);
    let uid = read_uid(&mut r)?;
    finished(&r, uid)
}

/// A text, such as an instance's id.
pub(super) fn encode_text(text: &str) -> Vec<u8> {
    let mut w = Writer::default();
    w.text(text);
    w.finish()
}

/// Reads a text.
pub fn decode_text(bytes: &[u8]) -> Result<String, CanonError> {
    let mut r = Reader::new(bytes);
    let text = r.text()?.to_owned();
    finished(&r, text)
}

/// A record of values; nothing for an empty one.
pub(super) fn encode_record(record: &Record) -> Vec<u8> {
    if record.is_empty() {
        return Vec::new();
    }
    let mut w = Writer::default();
    w.record(record);
    w.finish()
}

/// Reads a record of values.
pub fn decode_values(bytes: &[u8]) -> Result<Record, CanonError> {
    let mut r = Reader::new(bytes);
    let record = r.record()?;
    finished(&r, record)
}

fn optional_hash(w: &mut Writer, hash: Option<&RecordHash>) {
    w.bytes(hash.map_or(&[][..], |h| h.as_bytes()));
}

fn read_optional_hash(r: &mut Reader<'_>) -> Result<Option<RecordHash>, CanonError> {
    match r.bytes()? {
        [] => Ok(None),
        bytes => RecordHash::from_slice(bytes).map(Some).ok_or_else(|| refuse("a hash of another length")),
    }
}

/// The slice that was judged: `[entities, links]`; an entity is `[[type, id], attributes, [parents], record or empty]`, a link
/// `[id, template, principal or [], resource or [], record or empty]`.
pub(super) fn encode_slice(entities: &[&Entity], links: &[&Link]) -> Vec<u8> {
    if entities.is_empty() && links.is_empty() {
        return Vec::new();
    }
    let mut w = Writer::with_capacity(128 * (entities.len() + links.len()));
    w.array(2).array(entities.len());
    for entity in entities {
        w.array(4);
        write_uid(&mut w, &entity.uid);
        w.record(&entity.attrs).array(entity.parents.len());
        entity.parents.iter().for_each(|p| write_uid(&mut w, p));
        optional_hash(&mut w, entity.record.as_ref());
    }
    w.array(links.len());
    for link in links {
        w.array(5).text(&link.id).text(&link.template);
        write_slot(&mut w, link.principal.as_ref());
        write_slot(&mut w, link.resource.as_ref());
        optional_hash(&mut w, link.record.as_ref());
    }
    w.finish()
}

/// A slice's bytes, for whoever tells slices apart.
pub fn encode_world<'e>(entities: impl IntoIterator<Item = &'e Entity>, links: impl IntoIterator<Item = &'e Link>) -> Vec<u8> {
    encode_slice(&entities.into_iter().collect::<Vec<_>>(), &links.into_iter().collect::<Vec<_>>())
}

fn write_slot(w: &mut Writer, uid: Option<&Uid>) {
    match uid {
        Some(uid) => write_uid(w, uid),
        None => {
            w.array(0);
        }
    }
}

fn read_slot(r: &mut Reader<'_>) -> Result<Option<Uid>, CanonError> {
    match r.array()? {
        0 => Ok(None),
        2 => Uid::new(r.text()?, r.text()?).map(Some).map_err(|_| refuse("an entity that is none")),
        _ => Err(refuse("an array of another length")),
    }
}

/// Reads a slice.
pub fn decode_slice(bytes: &[u8]) -> Result<(Vec<Entity>, Vec<Link>), CanonError> {
    let mut r = Reader::new(bytes);
    expect(r.array()?, 2)?;
    let mut entities = Vec::new();
    for _ in 0..r.array()? {
        expect(r.array()?, 4)?;
        let uid = read_uid(&mut r)?;
        let attrs = r.record()?;
        let mut parents = BTreeSet::new();
        for _ in 0..r.array()? {
            parents.insert(read_uid(&mut r)?);
        }
        entities.push(Entity { uid, attrs, parents, record: read_optional_hash(&mut r)? });
    }
    let mut links = Vec::new();
    for _ in 0..r.array()? {
        expect(r.array()?, 5)?;
        let (id, template) = (r.text()?.to_owned(), r.text()?.to_owned());
        let (principal, resource) = (read_slot(&mut r)?, read_slot(&mut r)?);
        links.push(Link { id, template, principal, resource, record: read_optional_hash(&mut r)? });
    }
    // Parents are a set: one slice has one spelling.
    let (said, meant): (Vec<&Entity>, Vec<&Link>) = (entities.iter().collect(), links.iter().collect());
    if encode_slice(&said, &meant) != bytes {
        return Err(refuse("a slice in another spelling"));
    }
    finished(&r, (entities, links))
}

/// Blockers: `[[code, detail], …]`.
pub(super) fn encode_blockers(blockers: &[Blocker]) -> Vec<u8> {
    if blockers.is_empty() {
        return Vec::new();
    }
    let mut w = Writer::default();
    w.array(blockers.len());
    for blocker in blockers {
        w.array(2).text(&blocker.code).text(&blocker.detail);
    }
    w.finish()
}

/// Reads blockers.
pub fn decode_blockers(bytes: &[u8]) -> Result<Vec<Blocker>, CanonError> {
    let mut r = Reader::new(bytes);
    let mut blockers = Vec::new();
    for _ in 0..r.array()? {
        expect(r.array()?, 2)?;
        blockers.push(Blocker::guard(r.text()?, r.text()?));
    }
    finished(&r, blockers)
}

/// A once-key and its digest: `[key, digest]`.
pub(super) fn encode_once(key: &OnceKey, digest: &CallDigest) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(2).text(key.as_str()).bytes(digest.as_bytes());
    w.finish()
}

/// Reads a once-key and its digest.
pub fn decode_once(bytes: &[u8]) -> Result<(OnceKey, CallDigest), CanonError> {
    let (key, digest) = read_once(bytes)?;
    Ok((OnceKey::new(key).map_err(|_| refuse("a once-key that is none"))?, digest))
}

/// Reads a once-key and its digest; the key is not copied.
pub fn read_once(bytes: &[u8]) -> Result<(&str, CallDigest), CanonError> {
    let mut r = Reader::new(bytes);
    expect(r.array()?, 2)?;
    let key = r.text()?;
    OnceKey::check(key).map_err(|_| refuse("a once-key that is none"))?;
    let digest = CallDigest::from_slice(r.bytes()?).ok_or_else(|| refuse("a digest of another length"))?;
    finished(&r, (key, digest))
}

/// Messages: `[[kind, body], …]`.
pub(super) fn encode_messages(messages: &[Message]) -> Vec<u8> {
    if messages.is_empty() {
        return Vec::new();
    }
    let mut w = Writer::default();
    w.array(messages.len());
    for message in messages {
        w.array(2).text(message.kind.as_str()).record(&message.body);
    }
    w.finish()
}

/// Reads messages.
pub fn decode_messages(bytes: &[u8]) -> Result<Vec<Message>, CanonError> {
    let mut r = Reader::new(bytes);
    let mut messages = Vec::new();
    for _ in 0..r.array()? {
        expect(r.array()?, 2)?;
        let kind = DottedName::new(r.text()?).map_err(|_| refuse("a kind that is none"))?;
        messages.push(Message { kind, body: r.record()? });
    }
    finished(&r, messages)
}

/// Deadlines armed after a move, replacing those before: `[[place in the contract, event, due in ms], …]`.
pub fn encode_armed(armed: &[Armed]) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(armed.len());
    for one in armed {
        w.array(3).uint(one.deadline as u64).text(one.event.as_str()).int(one.due.0);
    }
    w.finish()
}

/// Reads armed deadlines.
pub fn decode_armed(bytes: &[u8]) -> Result<Vec<Armed>, CanonError> {
    let mut r = Reader::new(bytes);
    let mut armed = Vec::new();
    for _ in 0..r.array()? {
        expect(r.array()?, 3)?;
        let deadline = usize::try_from(r.uint()?).map_err(|_| refuse("a place beyond all contracts"))?;
        let event = Name::new(r.text()?).map_err(|_| refuse("an event that is none"))?;
        armed.push(Armed { deadline, event, due: Timestamp(r.int()?) });
    }
    finished(&r, armed)
}

/// A directory change: `[number, …]`, in the order of [`Change`].
pub(super) fn encode_change(change: &Change) -> Vec<u8> {
    let mut w = Writer::default();
    match change {
        Change::Put { uid, attrs } => {
            w.array(3).uint(0);
            write_uid(&mut w, uid);
            w.record(attrs);
        }
        Change::Remove { uid } => {
            w.array(2).uint(1);
            write_uid(&mut w, uid);
        }
        Change::Join { uid, parent } | Change::Leave { uid, parent } => {
            w.array(3).uint(if matches!(change, Change::Join { .. }) { 2 } else { 3 });
            write_uid(&mut w, uid);
            write_uid(&mut w, parent);
        }
        Change::Grant { id, template, principal, resource } => {
            w.array(5).uint(4).text(id).text(template);
            write_slot(&mut w, principal.as_ref());
            write_slot(&mut w, resource.as_ref());
        }
        Change::Revoke { id } => {
            w.array(2).uint(5).text(id);
        }
    }
    w.finish()
}

/// What a refused call asked, where the law need not know the names: `[6, contract, event]` a birth, `[7, contract, event,
/// reason]` an event, `[8, contract, state]` an adoption, `[9, contract]` what an older log tells; a directory change as it is.
pub(super) fn encode_asked(call: &Call) -> Vec<u8> {
    let mut w = Writer::default();
    match call {
        Call::Begin(c) => w.array(3).uint(6).text(c.contract.as_str()).text(c.event.as_str()),
        Call::Transition(c) => {
            let reason = c.reason.as_deref().unwrap_or_default();
            w.array(4).uint(7).text(c.contract.as_str()).text(c.event.as_str()).text(reason)
        }
        Call::Adopt(c) => w.array(3).uint(8).text(c.contract.as_str()).text(c.state.as_str()),
        Call::LegacyLog(c) => w.array(2).uint(9).text(c.contract.as_str()),
        Call::Directory(c) => return encode_change(&c.change),
        Call::Note(_) => return Vec::new(),
    };
    w.finish()
}

/// What a refused call asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WasAsked {
    /// A birth.
    Begin(Name, Name),
    /// An event, with the reason given.
    Transition(Name, Name, String),
    /// An adoption into a state.
    Adopt(Name, Name),
    /// What an older log tells of an instance.
    LegacyLog(Name),
    /// A directory change.
    Directory(Change),
}

/// Reads what a refused call asked.
pub fn decode_asked(bytes: &[u8]) -> Result<WasAsked, CanonError> {
    let mut r = Reader::new(bytes);
    let len = r.array()?;
    let number = r.uint()?;
    if number < 6 {
        return decode_change(bytes).map(WasAsked::Directory);
    }
    let mut name = || Name::new(r.text()?).map_err(|_| refuse("a name that is none"));
    let contract = name()?;
    if (number, len) == (9, 2) {
        return finished(&r, WasAsked::LegacyLog(contract));
    }
    let second = name()?;
    let asked = match (number, len) {
        (6, 3) => WasAsked::Begin(contract, second),
        (7, 4) => WasAsked::Transition(contract, second, r.text()?.to_owned()),
        (8, 3) => WasAsked::Adopt(contract, second),
        _ => return Err(refuse("an unknown call")),
    };
    finished(&r, asked)
}

/// Reads a directory change.
pub fn decode_change(bytes: &[u8]) -> Result<Change, CanonError> {
    let mut r = Reader::new(bytes);
    let len = r.array()?;
    let change = match (r.uint()?, len) {
        (0, 3) => Change::Put { uid: read_uid(&mut r)?, attrs: r.record()? },
        (1, 2) => Change::Remove { uid: read_uid(&mut r)? },
        (2, 3) => Change::Join { uid: read_uid(&mut r)?, parent: read_uid(&mut r)? },
        (3, 3) => Change::Leave { uid: read_uid(&mut r)?, parent: read_uid(&mut r)? },
        (4, 5) => {
            let (id, template) = (r.text()?.to_owned(), r.text()?.to_owned());
            Change::Grant { id, template, principal: read_slot(&mut r)?, resource: read_slot(&mut r)? }
        }
        (5, 2) => Change::Revoke { id: r.text()?.to_owned() },
        _ => return Err(refuse("an unknown directory change")),
    };
    finished(&r, change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(id: &str) -> Uid {
        Uid::new("Pazar::Account", id).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let changes = [
            Change::Put { uid: uid("a"), attrs: [("active".to_owned(), true.into())].into() },
            Change::Remove { uid: uid("a") },
            Change::Join { uid: uid("a"), parent: uid("b") },
            Change::Leave { uid: uid("a"), parent: uid("b") },
            Change::Grant { id: "g".into(), template: "t".into(), principal: Some(uid("a")), resource: None },
            Change::Revoke { id: "g".into() },
        ];
        for change in changes {
            assert_eq!(decode_change(&encode_change(&change)), Ok(change));
        }
        let entity =
            Entity { uid: uid("a"), attrs: Record::new(), parents: [uid("b")].into(), record: Some(RecordHash([7; 32])) };
        let link = Link { id: "l".into(), template: "t".into(), principal: Some(uid("a")), resource: None, record: None };
        assert_eq!(decode_slice(&encode_slice(&[&entity], &[&link])), Ok((vec![entity], vec![link])));
        let asked = |call: &Call| decode_asked(&encode_asked(call)).unwrap();
        let name = |text: &str| Name::new(text).unwrap();
        let begin = crate::call::Begin::new(uid("a"), "order", "o-1", "place").unwrap();
        assert_eq!(asked(&Call::Begin(begin)), WasAsked::Begin(name("order"), name("place")));
        let pay = crate::call::Transition::new(uid("a"), "order", "o-1", "pay").unwrap().because("so");
        assert_eq!(asked(&Call::Transition(pay)), WasAsked::Transition(name("order"), name("pay"), "so".into()));
        let revoke = crate::call::Directory::new(uid("a"), Change::Revoke { id: "g".into() });
        assert_eq!(asked(&Call::Directory(revoke)), WasAsked::Directory(Change::Revoke { id: "g".into() }));
        let armed = vec![Armed { deadline: 1, event: Name::new("expire").unwrap(), due: Timestamp(-5) }];
        assert_eq!(decode_armed(&encode_armed(&armed)), Ok(armed));
        let message = Message { kind: DottedName::new("mail.x").unwrap(), body: [("id".to_owned(), "1".into())].into() };
        assert_eq!(decode_messages(&encode_messages(std::slice::from_ref(&message))), Ok(vec![message]));
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for bytes in [&[][..], &[0x80], &[0x82, 0x00], &[0xff], &[0x85, 0x04, 0x60, 0x60, 0x81]] {
            assert!(decode_change(bytes).is_err());
            assert!(decode_slice(bytes).is_err());
            assert!(decode_once(bytes).is_err());
            assert!(decode_asked(bytes).is_err());
        }
    }
}
