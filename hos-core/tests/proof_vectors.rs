//! The vectors in `testdata/vectors/{record,chain}`: the common tongue of every implementation.
//!
//! One test reads the files and holds the code to them, as a stranger would. Another makes them anew from fixed seeds and
//! compares; with `HOS_WRITE_VECTORS=1` it writes those that are missing. A file that was released is never written again.

#[path = "proof_support/made/mod.rs"]
mod made;
mod proof_support;

use hos_core::canon::{decode_value, encode_value};
use hos_core::digest::{commitment, entry_hash, genesis_hash, record_hash, tree_leaf};
use hos_core::id::*;
use hos_core::limits::{BOXES_BYTES_MAX, ENTRY_BYTES_MAX, HEADER_BYTES_MAX, PART_BYTES_MAX, PARTS_MAX, POLICIES_MAX};
use hos_core::proof::chain::*;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::key::SealKey;
use hos_core::proof::part::*;
use hos_core::proof::receipt::{Receipt, Seal};
use hos_core::proof::record::*;
use hos_core::proof::report::Report;
use hos_core::proof::stored::*;
use hos_core::proof::tree::{verify_consistency, verify_inclusion};
use hos_core::proof::verify::LogVerifier;
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Value};
use proof_support::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors").join(name)
}

type Vectors = BTreeMap<String, Json>;

/// What a header says, in words that any language can build it from.
fn header_json(h: &Header) -> Json {
    let mut json = json!({
        "store": h.store.to_string(),
        "tenant": h.tenant.as_str(),
        "thread": h.thread.to_string(),
        "n": h.n,
        "prev": h.prev.map(|x| x.to_string()),
        "kind": h.kind.number(),
        "time": h.time.0,
        "activation": h.activation.map(|x| x.to_string()),
        "law": h.law.map(|x| x.to_string()),
        "guard_law": h.guard_law.map(|x| x.to_string()),
        "judge": h.judge,
        "mode": h.mode,
        "directory_version": h.directory_version,
        "decision": h.decision.number(),
        "refusal": h.refusal,
        "policies": h.policies,
        "contract": h.contract.as_ref().map(Name::as_str),
        "contract_version": h.contract_version,
        "event": h.event.as_ref().map(DottedName::as_str),
        "from": h.from.as_ref().map(Name::as_str),
        "to": h.to.as_ref().map(Name::as_str),
        "durability": h.durability.number(),
        "request": h.request.as_ref().map(RequestId::as_str),
        "group": h.group.map(|(id, i, of)| json!([id.to_string(), i, of])),
        "parts": h.parts.iter().map(|p| json!([p.slot.number(), p.index, p.commitment.to_string()])).collect::<Vec<_>>(),
    });
    // Told only where it is there: headers had none at first.
    if let Some(label) = h.label {
        json["label"] = label.to_string().into();
    }
    json
}

fn entry_json(e: &Entry) -> Json {
    json!({
        "store": e.store.to_string(),
        "epoch": e.epoch,
        "tenant": e.tenant.as_str(),
        "seq": e.seq,
        "prev": e.prev.to_string(),
        "sealed_at": e.sealed_at.0,
        "stream": e.stream.map(|(n, prev)| json!([n, prev.map(|x| x.to_string())])),
        "disputed": e.disputed,
        "header": hex(&e.header),
    })
}

fn receipt_json(r: &Receipt) -> Json {
    let seal = match &r.seal {
        Seal::Pending => Json::Null,
        Seal::Sealed { seq, entry, checkpoint } => json!({"seq": seq, "entry": entry.to_string(), "checkpoint": checkpoint}),
    };
    json!({"tenant": r.tenant.as_str(), "thread": r.thread.to_string(), "n": r.n, "record": r.record.to_string(), "seal": seal})
}

/// A value in words: what JSON has, as it is; the rest as an object with one key that begins with `$`.
fn value_json(v: &Value) -> Json {
    match v {
        Value::Bool(b) => json!(b),
        Value::Long(n) => json!(n),
        Value::String(s) => json!(s),
        Value::Entity(uid) => json!({"$entity": [uid.type_name(), uid.id()]}),
        Value::Set(members) => json!({"$set": members.iter().map(value_json).collect::<Vec<_>>()}),
        Value::Ext(ext, argument) => json!({"$ext": [ext.function(), argument]}),
        Value::Record(fields) => fields.iter().map(|(k, v)| (k.clone(), value_json(v))).collect(),
    }
}

fn report_json(report: &Report) -> Json {
    json!({
        "size": report.size,
        "root": report.root.to_string(),
        "head": report.head.to_string(),
        "threads": report.threads,
        "parts": report.parts,
        "erased": report.erased,
        "withheld": report.withheld,
        "disputed": report.disputed,
        "anchors": report.anchors,
        "failures": report.failures.iter().map(|f| json!([f.seq, f.what.code()])).collect::<Vec<_>>(),
    })
}

fn text<'a>(case: &'a Json, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} is a text"))
}

fn raw(case: &Json, field: &str) -> Vec<u8> {
    unhex(text(case, field))
}

fn fixed<const N: usize>(case: &Json, field: &str) -> [u8; N] {
    raw(case, field).try_into().unwrap()
}

fn expect<T>(name: &str, case: &Json, outcome: Result<T, String>) -> Option<T> {
    match (outcome, case.get("error")) {
        (Ok(value), None) => Some(value),
        (Err(code), Some(wanted)) if *wanted == code => None,
        (Ok(_), Some(wanted)) => panic!("{name}: accepted, though {wanted}"),
        (Err(code), wanted) => panic!("{name}: {code} instead of {wanted:?}"),
    }
}

fn place(case: &Json) -> (Slot, u8) {
    let number = |at: usize| case[at].as_u64().unwrap();
    (Slot::from_number(number(0)).unwrap(), number(1) as u8)
}

fn stored_box(case: &Json) -> StoredBox<'static> {
    let places = case["places"].as_array().unwrap().iter().map(place).collect();
    StoredBox { key: KeyId(fixed(case, "key_id")), places, sealed: raw(case, "sealed").into() }
}

fn places_json(places: &[(Slot, u8)]) -> Json {
    places.iter().map(|(slot, index)| json!([slot.number(), index])).collect()
}

fn box_json(stored: &StoredBox<'_>) -> Json {
    json!({"key_id": stored.key.to_string(), "places": places_json(&stored.places), "sealed": hex(&stored.sealed)})
}

fn subject_keys(case: &Json) -> Vec<(KeyId, SubjectKey)> {
    let pairs = case["keys"].as_array().into_iter().flatten();
    pairs.map(|pair| (KeyId(fixed(pair, "key_id")), SubjectKey::new(fixed(pair, "key")))).collect()
}

fn hashes(case: &Json, field: &str) -> Vec<TreeHash> {
    case[field].as_array().unwrap().iter().map(|h| TreeHash::from_hex(h.as_str().unwrap()).unwrap()).collect()
}

fn tree_hash(case: &Json, field: &str) -> TreeHash {
    TreeHash::from_hex(text(case, field)).unwrap()
}

fn run_log(case: &Json) -> Report {
    let tenant = Tenant::new(text(case, "tenant")).unwrap();
    let epoch = case["epoch"].as_u64().unwrap();
    let head = LogHead::genesis(StoreId(fixed(case, "store")), epoch, tenant, text(case, "predecessor").as_bytes());
    let key = NoteKey::parse(text(case, "verifier_key")).unwrap();
    let keys = subject_keys(case);
    let mut verifier = LogVerifier::new(head);
    for note in case["checkpoints"].as_array().unwrap() {
        verifier.expect(note.as_str().unwrap().as_bytes(), &key);
    }
    for row in case["entries"].as_array().unwrap() {
        let list = row["parts"].as_str().map(unhex);
        let boxes = list.as_ref().map(|list| decode_stored(list).unwrap());
        verifier.push(&raw(row, "entry"), boxes.as_deref(), |id| {
            keys.iter().find(|(known, _)| known == id).map(|(_, key)| key.clone())
        });
    }
    verifier.finish()
}

fn run(name: &str, case: &Json) {
    match text(case, "what") {
        "value" => {
            let bytes = raw(case, "bytes");
            if let Some(value) = expect(name, case, decode_value(&bytes).map_err(|_| "not_canonical".into())) {
                assert_eq!((value_json(&value), encode_value(&value)), (case["value"].clone(), bytes), "{name}");
            }
        }
        "header" => {
            let bytes = raw(case, "bytes");
            if let Some(header) = expect(name, case, Header::decode(&bytes).map_err(|e| e.code().into())) {
                assert_eq!((header_json(&header), header.encode().unwrap()), (case["fields"].clone(), bytes), "{name}");
                assert_eq!(header.hash().unwrap().to_string(), text(case, "hash"), "{name}");
            }
        }
        "box" => {
            let stored = stored_box(case);
            let commitments = case["commitments"].as_array().unwrap().iter();
            let listed: Vec<PartRef> = stored
                .places
                .iter()
                .zip(commitments)
                .map(|((slot, index), c)| PartRef {
                    slot: *slot,
                    index: *index,
                    commitment: Commitment::from_hex(c.as_str().unwrap()).unwrap(),
                })
                .collect();
            let key = case.get("key").map(|_| SubjectKey::new(fixed(case, "key")));
            let opened = stored.open_listed(key.as_ref(), &listed).map_err(|e| e.code().into());
            if let Some(opened) = expect(name, case, opened) {
                let parts = case["parts"].as_array().unwrap();
                assert_eq!(opened.len(), parts.len(), "{name}");
                let mut again = Vec::new();
                for (opened, (part, listed)) in opened.iter().zip(parts.iter().zip(&listed)) {
                    assert_eq!((hex(opened.salt).as_str(), &opened.plaintext), (text(part, "salt"), &raw(part, "plaintext")));
                    assert_eq!(commitment(&opened.salt, &opened.plaintext), listed.commitment, "{name}");
                    let subject = key.as_ref().map(|_| subject());
                    again.push(Part::new(opened.slot, opened.index, subject, opened.salt, opened.plaintext.clone()));
                }
                let again: Vec<(&Part, Commitment)> = again.iter().map(|part| (part, part.commitment())).collect();
                let nonce = key.as_ref().map_or([0; 24], |_| fixed(case, "nonce"));
                let sealed = StoredBox::seal(&again, key.as_ref().map(|key| (&stored.key, key)), nonce).unwrap();
                assert_eq!(sealed, stored, "{name}");
            }
        }
        "box_list" => {
            let bytes = raw(case, "bytes");
            if let Some(boxes) = expect(name, case, decode_stored(&bytes).map_err(|e| e.code().into())) {
                let listed: Vec<StoredBox<'_>> = case["boxes"].as_array().unwrap().iter().map(stored_box).collect();
                assert_eq!((encode_stored(&boxes).unwrap(), boxes), (bytes.clone(), listed), "{name}");
            }
        }
        "receipt" => {
            let bytes = raw(case, "bytes");
            if let Some(receipt) = expect(name, case, Receipt::decode(&bytes).map_err(|e| e.code().into())) {
                assert_eq!((receipt_json(&receipt), receipt.encode()), (case["fields"].clone(), bytes), "{name}");
            }
        }
        "genesis" => {
            let tenant = Tenant::new(text(case, "tenant")).unwrap();
            let epoch = case["epoch"].as_u64().unwrap();
            let hash = genesis_hash(&StoreId(fixed(case, "store")), epoch, &tenant, text(case, "predecessor").as_bytes());
            assert_eq!(hash.to_string(), text(case, "hash"), "{name}");
        }
        "entry" => {
            let bytes = raw(case, "bytes");
            if let Some(entry) = expect(name, case, Entry::decode(&bytes).map_err(|e| e.code().into())) {
                assert_eq!((entry_json(&entry), entry.encode().unwrap()), (case["fields"].clone(), bytes.clone()), "{name}");
                assert_eq!(entry_hash(&bytes).to_string(), text(case, "hash"), "{name}");
                assert_eq!(tree_leaf(&bytes).to_string(), text(case, "leaf"), "{name}");
            }
        }
        "verifier_key" => {
            expect(name, case, NoteKey::parse(text(case, "verifier_key")).map_err(|e| e.code().into()));
        }
        "checkpoint" => {
            let key = NoteKey::parse(text(case, "verifier_key")).unwrap();
            let opened = Checkpoint::open(text(case, "note").as_bytes(), &key).map_err(|e| e.code().into());
            if let Some(checkpoint) = expect(name, case, opened) {
                assert_eq!(checkpoint.origin, text(case, "origin"), "{name}");
                assert_eq!(checkpoint.size, case["size"].as_u64().unwrap(), "{name}");
                assert_eq!(checkpoint.root, tree_hash(case, "root"), "{name}");
                assert_eq!(checkpoint.extensions, case["extensions"].as_array().unwrap()[..], "{name}");
                if case.get("seed").is_some() {
                    assert_eq!(checkpoint.sign(&SealKey::from_seed(&fixed(case, "seed"))).unwrap(), text(case, "note"), "{name}");
                }
            }
        }
        "inclusion" => {
            let (index, size) = (case["index"].as_u64().unwrap(), case["size"].as_u64().unwrap());
            let proof = hashes(case, "proof");
            let verdict = verify_inclusion(index, size, &tree_hash(case, "leaf"), &proof, &tree_hash(case, "root"));
            expect(name, case, verdict.map_err(|_| "proof".into()));
        }
        "consistency" => {
            let (old, size) = (case["old_size"].as_u64().unwrap(), case["size"].as_u64().unwrap());
            let proof = hashes(case, "proof");
            let verdict = verify_consistency(old, size, &tree_hash(case, "old_root"), &tree_hash(case, "root"), &proof);
            expect(name, case, verdict.map_err(|_| "proof".into()));
        }
        "log" => assert_eq!(report_json(&run_log(case)), case["report"], "{name}"),
        other => panic!("{name}: a vector of an unknown kind, {other}"),
    }
}

#[test]
fn the_files_hold() {
    for (name, least) in [("record", 90), ("chain", 60)] {
        let mut seen = 0;
        for item in std::fs::read_dir(folder(name)).unwrap() {
            let path = item.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                run(&path.display().to_string(), &read_json(&path));
                seen += 1;
            }
        }
        assert!(seen >= least, "{name}: only {seen} vectors");
    }
}

#[test]
fn the_files_are_what_the_seeds_give() {
    for (name, vectors) in [("record", made::record_vectors()), ("chain", made::chain_vectors())] {
        for (file, case) in vectors {
            run(&file, &case);
            let path = folder(name).join(&file);
            if std::env::var_os("HOS_WRITE_VECTORS").is_some() && !path.exists() {
                std::fs::create_dir_all(folder(name)).unwrap();
                std::fs::write(&path, serde_json::to_string_pretty(&case).unwrap() + "\n").unwrap();
            }
            assert_eq!(read_json(&path), case, "{file}");
        }
    }
}

#[test]
fn the_spec_names_every_domain_and_limit() {
    let spec = |name: &str| std::fs::read_to_string(folder("../../spec").join(name)).unwrap();
    let (chain, record) = (spec("chain.md"), spec("proof-record.md"));
    for tag in hos_core::digest::TAGS {
        assert!(chain.contains(&format!("`{tag}`")), "{tag}");
    }
    for (text, limit) in [
        (&record, HEADER_BYTES_MAX),
        (&record, PART_BYTES_MAX),
        (&record, BOXES_BYTES_MAX),
        (&record, POLICIES_MAX),
        (&record, PARTS_MAX),
        (&chain, ENTRY_BYTES_MAX),
        (&chain, hos_core::limits::NOTE_BYTES_MAX),
        (&chain, hos_core::limits::SIGNATURES_MAX),
        (&chain, hos_core::limits::PROOF_MAX),
    ] {
        assert!(text.contains(&format!(" {limit} ")), "{limit}");
    }
    let last = |numbers: &[u8]| numbers.last().copied().unwrap();
    let kinds: Vec<u8> = Kind::ALL.iter().map(|k| k.number()).collect();
    assert!(record.contains(&format!("{} checkpoint", last(&kinds))));
}
