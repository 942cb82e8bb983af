//! Writes the fuzz targets' first inputs into `fuzz/corpus`: good ones of every kind, the same on every run.
//!
//! `cargo run -p hos-testkit --example seeds`

#[path = "../../../hos-core/tests/audit_support/mod.rs"]
mod audit_support;
mod doors;
mod proofs;

use audit_support::story::{Plan, made};
use hos_core::canon::{Writer, encode_record, encode_value};
use hos_core::digest;
use hos_core::id::{
    CallDigest, DottedName, EntryHash, GroupId, Handle, KeyId, LawHash, Name, RecordHash, RequestId, StoreId, Tenant, Uid,
};
use hos_core::law::mode::{Mode, Modes};
use hos_core::proof::chain::Entry;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey, origin};
use hos_core::proof::key::SealKey;
use hos_core::proof::part::SubjectKey;
use hos_core::proof::receipt::{Receipt, Seal};
use hos_core::proof::record::{Decision, Durability, Header, Kind, Part, Slot};
use hos_core::proof::stored::{StoredBox, encode_stored};
use hos_core::proof::tree::Frontier;
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Record, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;

type Seeds = Vec<(&'static str, &'static str, Vec<u8>)>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut seeds: Seeds = Vec::new();
    values(&mut seeds)?;
    let header = records(&mut seeds)?;
    logs(&mut seeds, &header)?;
    texts(&mut seeds);
    evidence(&mut seeds);
    bundles(&mut seeds);
    proofs::all(&mut seeds)?;
    doors::all(&mut seeds);
    for (target, name, bytes) in seeds {
        let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
        std::fs::create_dir_all(&place)?;
        std::fs::write(place.join(name), bytes)?;
    }
    Ok(())
}

fn account() -> Result<Uid, hos_core::id::IdError> {
    Uid::new("Kit::Account", "ayşe \u{202e}\n")
}

fn values(seeds: &mut Seeds) -> Result<(), Box<dyn std::error::Error>> {
    let record: Record = BTreeMap::from([
        ("buyer".to_owned(), Value::Entity(account()?)),
        ("total".to_owned(), Value::Long(-4_200)),
        ("lines".to_owned(), Value::Set([Value::Long(i64::MAX), Value::from("x"), Value::Bool(true)].into())),
        ("price".to_owned(), Value::Ext(Ext::Decimal, "1.5000".to_owned())),
        ("nested".to_owned(), Value::Record(BTreeMap::from([("a".to_owned(), Value::Long(0))]))),
    ]);
    seeds.push(("canon", "record", encode_record(&record)));
    seeds.push(("canon", "long", encode_value(&Value::Long(i64::MIN))));
    let deep = (0..30).fold(Value::Bool(false), |v, _| Value::Set([v].into()));
    seeds.push(("canon", "deep", encode_value(&deep)));
    seeds.push(("canon", "instant", encode_value(&Value::Ext(Ext::Datetime, "2026-11-01T00:00:00Z".to_owned()))));
    Ok(())
}

fn records(seeds: &mut Seeds) -> Result<Header, Box<dyn std::error::Error>> {
    let part = Part::new(Slot::Facts, 0, Some(account()?), [7; 32], vec![0xa0]);
    let open = Part::new(Slot::Payload, 0, None, [8; 32], b"payload".to_vec());
    let (key_id, key) = (KeyId([9; 16]), SubjectKey::new([3; 32]));
    let id = Part::new(Slot::Id, 0, Some(account()?), [6; 32], b"o-17".to_vec());
    let of_person = StoredBox::seal(&[(&part, part.commitment()), (&id, id.commitment())], Some((&key_id, &key)), [1; 24])?;
    let nobodys = StoredBox::seal(&[(&open, open.commitment())], None, [2; 24])?;
    seeds.push(("parts", "two", encode_stored(&[nobodys.clone(), of_person])?));
    seeds.push(("parts", "nobodys", encode_stored(&[nobodys])?));
    seeds.push(("parts", "none", encode_stored(&[])?));
    let least = Header {
        store: StoreId([1; 16]),
        tenant: Tenant::new("pazar-tr")?,
        thread: Handle([2; 16]),
        n: None,
        prev: None,
        kind: Kind::Noted,
        time: Timestamp(1_764_000_000_000),
        activation: None,
        law: None,
        guard_law: None,
        judge: [4, 5, 1, 0],
        mode: 2,
        directory_version: 0,
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
    let full = Header {
        n: Some(3),
        prev: Some(RecordHash([4; 32])),
        kind: Kind::Moved,
        activation: Some(RecordHash([5; 32])),
        law: Some(LawHash([6; 32])),
        guard_law: Some(LawHash([7; 32])),
        directory_version: 12,
        decision: Decision::Allow,
        policies: vec!["buyer-acts".to_owned()],
        contract: Some(Name::new("order")?),
        contract_version: Some(3),
        event: Some(DottedName::new("pay")?),
        from: Some(Name::new("new")?),
        to: Some(Name::new("paid")?),
        request: Some(RequestId::new("req-1")?),
        group: Some((GroupId([8; 16]), 0, 2)),
        parts: vec![part.to_ref(), open.to_ref()],
        ..least.clone()
    };
    let refused = Header {
        kind: Kind::Refused,
        decision: Decision::Deny,
        refusal: Some("hos.forbidden".into()),
        policies: vec!["inactive-account".to_owned()],
        ..least.clone()
    };
    seeds.push(("header", "least", least.encode()?));
    seeds.push(("header", "full", full.encode()?));
    seeds.push(("header", "refused", refused.encode()?));
    Ok(full)
}

fn logs(seeds: &mut Seeds, header: &Header) -> Result<(), Box<dyn std::error::Error>> {
    let entry = Entry {
        store: header.store,
        epoch: 0,
        tenant: header.tenant.clone(),
        seq: 0,
        prev: digest::genesis_hash(&header.store, 0, &header.tenant, b""),
        sealed_at: header.time,
        stream: None,
        disputed: None,
        header: header.encode()?,
    };
    let bytes = entry.encode()?;
    let streamed = Entry { seq: 9, prev: EntryHash([1; 32]), stream: Some((1, Some(RecordHash([2; 32])))), ..entry.clone() };
    seeds.push(("entry", "first", bytes.clone()));
    seeds.push(("entry", "stream", streamed.encode()?));

    let mut frontier = Frontier::default();
    seeds.push(("frontier", "empty", frontier.encode()));
    for _ in 0..11 {
        frontier.append(&bytes);
    }
    seeds.push(("frontier", "eleven", frontier.encode()));

    let key = SealKey::from_seed(&[42; 32]);
    let name = origin(&header.store, &header.tenant, 0);
    let checkpoint = Checkpoint { origin: name.clone(), size: frontier.size(), root: frontier.root(), extensions: Vec::new() };
    let note = checkpoint.sign(&key)?;
    seeds.push(("note", "checkpoint", note.clone().into_bytes()));
    seeds.push(("vkey", "seal", NoteKey::new(name, key.verify_key())?.to_string().into_bytes()));

    let pending =
        Receipt { tenant: header.tenant.clone(), thread: header.thread, n: Some(3), record: header.hash()?, seal: Seal::Pending };
    let sealed = Receipt { seal: Seal::Sealed { seq: 0, entry: entry.hash()?, checkpoint: note }, ..pending.clone() };
    seeds.push(("receipt", "pending", pending.encode()));
    seeds.push(("receipt", "sealed", sealed.encode()));

    let modes = Modes {
        default: Mode::Enforce,
        entries: BTreeMap::from([
            ((None, "order".to_owned()), Mode::Shadow),
            ((Some(header.tenant.clone()), "order.pay".to_owned()), Mode::Off),
        ]),
    };
    seeds.push(("modes", "three", modes.encode()));
    seeds.push(("modes", "default", Modes::default().encode()));
    Ok(())
}

fn texts(seeds: &mut Seeds) {
    let law = hos_testkit::targets::base_law();
    let file = |path: &str| law.iter().find(|(p, _)| p == path).map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    seeds.push(("contract", "ticket.toml", file("contracts/ticket.toml")));
    seeds.push(("contract", "stay.toml", file("contracts/stay.toml")));
    seeds.push(("toml", "law.toml", file("law.toml")));
    seeds.push(("toml", "strings.toml", b"a = \"x\\n\\u00e9\"\nb = '''y'''\n[[c]]\nd = [1, -2, true, { e = \"f\" }]\n".to_vec()));
    seeds.push((
        "modes",
        "modes.toml",
        b"default = \"enforce\"\n\n[[mode]]\ntenant = \"north\"\nsubject = \"ticket.pay\"\nmode = \"shadow\"\n".to_vec(),
    ));
    for path in ["law.toml", "policies/all.cedar", "schema.cedarschema", "contracts/ticket.toml"] {
        let name = path.rsplit('/').next().unwrap_or(path);
        seeds.push(("law", name, [format!("=== {path}\n").into_bytes(), file(path)].concat()));
    }
    seeds.push(("law", "messages", b"=== messages.en.toml\n\"hos.forbidden\" = \"No.\"\n".to_vec()));
    for (name, text) in [
        (
            "can",
            "can\n{\"tenant\":\"north\",\"principal\":{\"type\":\"Kit::Account\",\"id\":\"ayse\"},\"action\":\"ticket.pay\",\"resource\":{\"type\":\"Kit::Ticket\",\"id\":\"1\"}}",
        ),
        (
            "begin",
            "begin\n{\"tenant\":\"north\",\"principal\":{\"type\":\"Kit::Account\",\"id\":\"ayse\"},\"contract\":\"ticket\",\"id\":\"1\",\"event\":\"place\",\"facts\":{\"buyer\":{\"__entity\":{\"type\":\"Kit::Account\",\"id\":\"ayse\"}},\"total\":40},\"once\":\"k\"}",
        ),
        (
            "transition",
            "transition\n{\"tenant\":\"north\",\"principal\":{\"type\":\"Kit::Account\",\"id\":\"ayse\"},\"contract\":\"ticket\",\"id\":\"1\",\"event\":\"pay\",\"args\":{\"amount\":4200}}",
        ),
        (
            "directory",
            "directory\n{\"tenant\":\"north\",\"principal\":{\"type\":\"Kit::Account\",\"id\":\"root\"},\"change\":{\"join\":{\"uid\":{\"type\":\"Kit::Account\",\"id\":\"ayse\"},\"parent\":{\"type\":\"Kit::Role\",\"id\":\"desk\"}}}}",
        ),
        ("history", "history\n{\"tenant\":\"north\",\"contract\":\"ticket\",\"id\":\"1\",\"limit\":10}"),
    ] {
        seeds.push(("call", name, text.as_bytes().to_vec()));
    }
    for (name, text) in [
        ("uid", "Kit::Account::\"a\\\"y\\\\ş\\n\""),
        ("time", "2026-11-22T21:20:22.123Z"),
        ("span", "P1W2DT3H4M5S"),
        ("hostile", "a\u{1b}[2J\u{202e}\u{0}b"),
        ("tenant", "pazar-tr"),
    ] {
        seeds.push(("ids", name, text.as_bytes().to_vec()));
    }
}

fn evidence(seeds: &mut Seeds) {
    let written = |write: fn(&mut Writer) -> &mut Writer| {
        let mut w = Writer::default();
        write(&mut w);
        w.finish()
    };
    seeds.push(("evidence", "entity", written(|w| w.array(2).text("Kit::Account").text("ayse"))));
    seeds.push(("evidence", "text", written(|w| w.text("o-17"))));
    seeds.push(("evidence", "blockers", written(|w| w.array(1).array(2).text("hos.forbidden").text("why"))));
    seeds.push(("evidence", "once", written(|w| w.array(2).text("k1").bytes(CallDigest([1; 32]).as_bytes()))));
    seeds.push(("evidence", "messages", written(|w| w.array(1).array(2).text("mail.paid").record(&Record::new()))));
    seeds.push(("evidence", "armed", written(|w| w.array(1).array(3).uint(0).text("expire").int(1_764_000_000_000))));
    seeds.push(("evidence", "change", written(|w| w.array(2).uint(5).text("grant-1"))));
    seeds.push((
        "evidence",
        "slice",
        written(|w| {
            w.array(2).array(1).array(4).array(2).text("Kit::Account").text("ayse");
            w.record(&Record::from([("active".to_owned(), Value::Bool(true))]));
            w.array(1).array(2).text("Kit::Role").text("desk").bytes(&[]).array(0)
        }),
    ));
}

fn bundles(seeds: &mut Seeds) {
    let whole = Plan { witnesses: (2, vec![0, 1], 2), ..Plan::default() };
    let erased =
        Plan { universe: false, roles: false, erased: true, label: false, second_law: Some(25 * 60_000), ..Plan::default() };
    for (name, plan) in [("least", Plan::least()), ("whole", whole), ("erased", erased)] {
        let made = made(&plan);
        seeds.push(("bundle", name, made.bytes()));
        seeds.push(("trust", name, made.trust.into_bytes()));
    }
    let groups = audit_support::trust(&audit_support::log_key(&audit_support::tenant(), 0), 3, 2)
        .replace("quorum most", "witness w3 https://example.org\ngroup one any most w3\nquorum one");
    let named = format!("witness w3 {}", audit_support::witness(3).1);
    seeds.push(("trust", "groups", format!("# of groups\n{}", groups.replace("witness w3", &named)).into_bytes()));
}
