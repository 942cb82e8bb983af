//! What the proof tests share: data of other people's making, records by seed, and a log that grows.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test takes what it needs")]

use hos_core::canon::Writer;
use hos_core::digest::expand;
use hos_core::id::*;
use hos_core::proof::chain::{Dispute, Entry, LogHead, Threads};
use hos_core::proof::checkpoint::{Checkpoint, NoteKey, origin};
use hos_core::proof::key::SealKey;
use hos_core::proof::part::SubjectKey;
use hos_core::proof::record::*;
use hos_core::proof::stored::StoredBox;
use hos_core::proof::tree::Frontier;
use hos_core::time::Timestamp;
use std::path::{Path, PathBuf};

/// A folder of the shared data, beside the workspace or where `HOS_SHARED_DATA` says; says so when it is not there.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = std::env::var_os("HOS_SHARED_DATA").map_or_else(beside, PathBuf::from).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/data is absent");
    None
}

pub fn read_json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0);
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// Bytes that look random and are the same every time.
pub fn drawn<const N: usize>(purpose: &str, index: u64) -> [u8; N] {
    let mut out = [0; N];
    expand(&[7; 32], purpose, index, &mut out);
    out
}

pub const START: i64 = 1_783_000_000_000;

pub fn store() -> StoreId {
    StoreId(drawn("store", 0))
}

pub fn tenant() -> Tenant {
    Tenant::new("pazar-tr").unwrap()
}

pub fn seal_key() -> SealKey {
    SealKey::from_seed(&drawn("seal-key", 0))
}

pub fn note_key() -> NoteKey {
    NoteKey::new(origin(&store(), &tenant(), 0), seal_key().verify_key()).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The smallest header there is.
pub fn bare_header() -> Header {
    Header {
        store: store(),
        tenant: tenant(),
        thread: Handle(drawn("thread", 0)),
        n: Some(0),
        prev: None,
        kind: Kind::Begun,
        time: Timestamp(START),
        activation: None,
        law: None,
        guard_law: None,
        judge: [0; 4],
        mode: 0,
        directory_version: 0,
        decision: Decision::None,
        refusal: None,
        policies: Vec::new(),
        contract: None,
        contract_version: None,
        event: None,
        from: None,
        to: None,
        durability: Durability::Unknown,
        request: None,
        group: None,
        parts: Vec::new(),
        label: None,
    }
}

/// A header with every field.
pub fn full_header() -> Header {
    let part = |slot, index| PartRef { slot, index, commitment: Commitment(drawn("commitment", u64::from(index))) };
    Header {
        n: Some(300),
        prev: Some(RecordHash(drawn("prev", 0))),
        kind: Kind::Refused,
        activation: Some(RecordHash(drawn("activation", 0))),
        law: Some(LawHash(drawn("law", 0))),
        guard_law: Some(LawHash(drawn("guard-law", 0))),
        judge: [4, 5, 1, 0],
        mode: 2,
        directory_version: 70_000,
        decision: Decision::Deny,
        refusal: Some("order.amount_short".into()),
        policies: vec!["buyer-pays".into(), "clerk-pays".into()],
        contract: Some(name("order")),
        contract_version: Some(3),
        event: Some(DottedName::new("pay").unwrap()),
        from: Some(name("new")),
        to: Some(name("paid")),
        durability: Durability::Full,
        request: Some(RequestId::new("req-1:a.b_C").unwrap()),
        group: Some((GroupId(drawn("group", 0)), 1, 3)),
        parts: vec![part(Slot::Principal, 0), part(Slot::Args, 0), part(Slot::Args, 1), part(Slot::Effects, 0)],
        ..bare_header()
    }
}

pub fn subject() -> Uid {
    Uid::new("Pazar::Account", "ayşe").unwrap()
}

pub fn subject_key() -> (KeyId, SubjectKey) {
    (KeyId(drawn("key-id", 0)), SubjectKey::new(drawn("subject-key", 0)))
}

/// Parts in their box.
pub fn boxed(parts: &[&Part], key: Option<(&KeyId, &SubjectKey)>, nonce: [u8; 24]) -> StoredBox<'static> {
    let parts: Vec<(&Part, Commitment)> = parts.iter().map(|part| (*part, part.commitment())).collect();
    StoredBox::seal(&parts, key, nonce).unwrap()
}

/// The bytes of a list of boxes, whatever is wrong with it.
pub fn written_boxes(boxes: &[StoredBox<'_>]) -> Vec<u8> {
    let mut w = Writer::default();
    w.array(boxes.len());
    for b in boxes {
        w.array(3).bytes(b.key.as_bytes()).array(b.places.len());
        b.places.iter().for_each(|(slot, index)| {
            w.array(2).uint(slot.number().into()).uint((*index).into());
        });
        w.bytes(&b.sealed);
    }
    w.finish()
}

/// One row of a log.
#[derive(Clone)]
pub struct Row {
    pub entry: Vec<u8>,
    pub boxes: Vec<StoredBox<'static>>,
}

/// A log that grows: three instances taking turns, and one named stream, which is every fifth record.
pub struct Log {
    pub head: LogHead,
    pub threads: Threads,
    pub tree: Frontier,
    pub rows: Vec<Row>,
    pub with_parts: bool,
}

impl Log {
    pub fn new() -> Self {
        let head = LogHead::genesis(store(), 0, tenant(), b"");
        Self { head, threads: Threads::default(), tree: Frontier::default(), rows: Vec::new(), with_parts: true }
    }

    pub fn grown(rows: u64) -> Self {
        let mut log = Self::new();
        (0..rows).for_each(|_| log.grow());
        log
    }

    /// The next record's header and parts.
    pub fn next_record(&self) -> (Header, Vec<StoredBox<'static>>) {
        let i = self.rows.len() as u64;
        let stream = i % 5 == 4;
        let thread = Handle(drawn("thread", if stream { 9 } else { i % 3 }));
        let place = self.threads.next(&thread);
        let mut header = full_header();
        header.thread = thread;
        header.kind = if stream { Kind::Noted } else { Kind::Moved };
        (header.n, header.prev) = if stream { (None, None) } else { (Some(place.n), place.prev) };
        header.time = Timestamp(START + i as i64 * 1000);
        header.parts.clear();
        let mut stored = Vec::new();
        if self.with_parts {
            let (id, key) = subject_key();
            let principal = Part::new(Slot::Principal, 0, Some(subject()), drawn("salt", 2 * i), b"who it was".to_vec());
            let payload = Part::new(Slot::Payload, 0, None, drawn("salt", 2 * i + 1), drawn::<200>("payload", i).to_vec());
            header.parts = vec![principal.to_ref(), payload.to_ref()];
            stored.push(boxed(&[&payload], None, [0; 24]));
            stored.push(boxed(&[&principal], Some((&id, &key)), drawn("nonce", i)));
        }
        (header, stored)
    }

    pub fn grow(&mut self) {
        let (header, stored) = self.next_record();
        self.seal(&header, stored, None);
    }

    pub fn seal(&mut self, header: &Header, boxes: Vec<StoredBox<'static>>, disputed: Option<Dispute>) {
        let place = self.threads.next(&header.thread);
        let stream = header.n.is_none().then_some((place.n, place.prev));
        let bytes = header.encode().unwrap();
        if disputed.is_none() {
            self.threads.advance(header.thread, header.n.unwrap_or(place.n), hos_core::digest::record_hash(&bytes));
        }
        let entry = self.head.next(Timestamp(header.time.0 + 7), stream, disputed, bytes);
        self.append(&entry, boxes);
    }

    pub fn append(&mut self, entry: &Entry, boxes: Vec<StoredBox<'static>>) {
        let bytes = entry.encode().unwrap();
        self.head.advance(entry, hos_core::digest::entry_hash(&bytes));
        self.tree.append(&bytes);
        self.rows.push(Row { entry: bytes, boxes });
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: origin(&store(), &tenant(), 0),
            size: self.tree.size(),
            root: self.tree.root(),
            extensions: Vec::new(),
        }
    }

    pub fn note(&self) -> String {
        self.checkpoint().sign(&seal_key()).unwrap()
    }
}
