//! A record before it has its place.

use super::{START, drawn, store, tenant};
use hos_core::canon::{Writer, encode_record};
use hos_core::id::*;
use hos_core::proof::bundle::Why;
use hos_core::proof::chain::Entry;
use hos_core::proof::record::*;
use hos_core::time::Timestamp;
use hos_core::value::{Record, Value};

/// A part, and whether it is shown.
#[derive(Clone)]
pub struct PartOf {
    pub slot: Slot,
    pub index: u8,
    pub plaintext: Vec<u8>,
    /// None: it is opened.
    pub withheld: Option<Why>,
}

pub fn part(slot: Slot, plaintext: Vec<u8>) -> PartOf {
    PartOf { slot, index: 0, plaintext, withheld: None }
}

/// An entity of a slice.
#[derive(Clone)]
pub struct Judged {
    pub uid: Uid,
    pub attrs: Record,
    pub parents: Vec<Uid>,
    pub record: Option<RecordHash>,
}

/// A link of a slice.
#[derive(Clone)]
pub struct JudgedLink {
    pub id: String,
    pub template: String,
    pub principal: Option<Uid>,
    pub resource: Option<Uid>,
    pub record: Option<RecordHash>,
}

/// The closed entities and links that were judged.
#[derive(Clone, Default)]
pub struct Slice {
    pub entities: Vec<Judged>,
    pub links: Vec<JudgedLink>,
}

type Change<T> = Box<dyn Fn(&mut T)>;

/// A record: its header but for place, previous hash and parts, which it is given when it is put.
pub struct Rec {
    pub header: Header,
    /// Whether its place stands in the entry.
    pub stream: bool,
    pub parts: Vec<PartOf>,
    /// Part 2, made of this.
    pub slice: Option<Slice>,
    pub disputed: Option<u16>,
    /// Bends the header after it has its place.
    pub bent_header: Option<Change<Header>>,
    pub bent_header_bytes: Option<Change<Vec<u8>>>,
    pub bent_entry: Option<Change<Entry>>,
    pub bent_entry_bytes: Option<Change<Vec<u8>>>,
    /// Whether the log goes on as if the record had not been put: signed for, never committed.
    pub lost: bool,
}

impl Rec {
    /// Of a thread, in minutes after the start.
    pub fn new(kind: Kind, thread: &str, minutes: i64) -> Self {
        let header = Header {
            store: store(),
            tenant: tenant(),
            thread: Handle(drawn(thread, 0)),
            n: None,
            prev: None,
            kind,
            time: Timestamp(START + minutes * 60_000),
            activation: None,
            law: None,
            guard_law: None,
            judge: [4, 5, 1, 0],
            mode: 2,
            directory_version: 3,
            decision: Decision::None,
            refusal: None,
            policies: Vec::new(),
            contract: None,
            contract_version: None,
            event: None,
            from: None,
            to: None,
            durability: Durability::Full,
            request: None,
            group: None,
            parts: Vec::new(),
            label: None,
        };
        Self {
            header,
            stream: false,
            parts: Vec::new(),
            slice: None,
            disputed: None,
            bent_header: None,
            bent_header_bytes: None,
            bent_entry: None,
            bent_entry_bytes: None,
            lost: false,
        }
    }

    /// Of a named stream: the class stands in the header, the place in the entry.
    pub fn of_stream(kind: Kind, class: &str, minutes: i64) -> Self {
        let mut rec = Self::new(kind, class, minutes);
        rec.stream = true;
        rec.header.event = Some(DottedName::new(class).unwrap());
        rec
    }

    pub fn with(mut self, slot: Slot, plaintext: Vec<u8>) -> Self {
        self.parts.push(part(slot, plaintext));
        self
    }

    /// The part of a slot.
    pub fn part_mut(&mut self, slot: Slot) -> &mut PartOf {
        self.parts.iter_mut().find(|part| part.slot == slot).unwrap()
    }
}

pub fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("Pazar::{kind}"), id).unwrap()
}

pub fn active(active: bool) -> Record {
    [("active".to_owned(), Value::Bool(active))].into()
}

fn write_uid(w: &mut Writer, uid: &Uid) {
    w.array(2).text(uid.type_name()).text(uid.id());
}

fn write_slot(w: &mut Writer, uid: Option<&Uid>) {
    match uid {
        Some(uid) => write_uid(w, uid),
        None => {
            w.array(0);
        }
    }
}

pub fn entity(uid: &Uid) -> Vec<u8> {
    let mut w = Writer::default();
    write_uid(&mut w, uid);
    w.finish()
}

pub fn text(text: &str) -> Vec<u8> {
    let mut w = Writer::default();
    w.text(text);
    w.finish()
}

pub fn values(record: &Record) -> Vec<u8> {
    encode_record(record)
}

pub fn put(uid: &Uid, attrs: &Record) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(3).uint(0);
    write_uid(&mut w, uid);
    w.record(attrs);
    w.finish()
}

pub fn remove(uid: &Uid) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(2).uint(1);
    write_uid(&mut w, uid);
    w.finish()
}

/// 2 joins, 3 leaves.
pub fn membership(number: u64, uid: &Uid, parent: &Uid) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(3).uint(number);
    write_uid(&mut w, uid);
    write_uid(&mut w, parent);
    w.finish()
}

pub fn grant(link: &JudgedLink) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(5).uint(4).text(&link.id).text(&link.template);
    write_slot(&mut w, link.principal.as_ref());
    write_slot(&mut w, link.resource.as_ref());
    w.finish()
}

pub fn revoke(id: &str) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(2).uint(5).text(id);
    w.finish()
}

/// `[law, no candidate, modes]`.
pub fn activation(law: &LawHash) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(3).bytes(law.as_bytes()).bytes(&[]).bytes(&hos_core::law::Modes::default().encode());
    w.finish()
}

pub fn heads_content(size: u64, count: u64, root: &MapHash) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(3).uint(size).uint(count).bytes(root.as_bytes());
    w.finish()
}

pub fn slice(slice: &Slice) -> Vec<u8> {
    let mut w = Writer::default();
    let record = |w: &mut Writer, hash: Option<&RecordHash>| {
        w.bytes(hash.map_or(&[][..], |hash| hash.as_bytes()));
    };
    w.array(2).array(slice.entities.len());
    for one in &slice.entities {
        w.array(4);
        write_uid(&mut w, &one.uid);
        w.record(&one.attrs).array(one.parents.len());
        one.parents.iter().for_each(|parent| write_uid(&mut w, parent));
        record(&mut w, one.record.as_ref());
    }
    w.array(slice.links.len());
    for link in &slice.links {
        w.array(5).text(&link.id).text(&link.template);
        write_slot(&mut w, link.principal.as_ref());
        write_slot(&mut w, link.resource.as_ref());
        record(&mut w, link.record.as_ref());
    }
    w.finish()
}
