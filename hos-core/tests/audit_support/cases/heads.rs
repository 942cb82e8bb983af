//! The cases of the map of heads: leaves, root, and what is proved of them.

use crate::audit_support::*;
use hos_core::digest::{heads_label, heads_thread};
use hos_core::id::*;
use hos_core::proof::heads::{Head, HeadKind, HeadsBuilder, HeadsMap};
use serde_json::{Value as Json, json};

fn order(id: &str, n: u64) -> Head {
    let thread = Handle(drawn(id, 0));
    Head { key: heads_label(&tenant(), "order", id), kind: HeadKind::Live, thread, n, last: RecordHash(drawn(id, 1)) }
}

fn orders(count: u64) -> Vec<Head> {
    (0..count).map(|i| order(&format!("o-{}", 17 + i), i)).collect()
}

fn map(leaves: &[Head]) -> HeadsMap {
    let mut builder = HeadsBuilder::default();
    leaves.iter().for_each(|leaf| builder.push(leaf));
    builder.finish().unwrap()
}

pub fn leaf_json(head: &Head) -> Json {
    json!({
        "key": head.key.to_string(), "kind": head.kind.number(), "thread": head.thread.to_string(), "n": head.n,
        "record": head.last.to_string(),
    })
}

/// The proof that the map gives for a key: of presence where it is there, else of absence.
fn proof(leaves: &[Head], key: &MapKey) -> Json {
    let way = map(leaves).way(key);
    let end = leaves.iter().find(|leaf| Some(leaf.key) == way.end);
    let siblings: Vec<String> = way.siblings.iter().map(MapHash::to_string).collect();
    json!({"key": key.to_string(), "end": end.map(leaf_json), "siblings": siblings})
}

fn case(name: &'static str, about: &'static str, leaves: &[Head], proofs: Vec<Json>) -> (&'static str, Json) {
    let leaves_json: Vec<Json> = leaves.iter().map(leaf_json).collect();
    let root = map(leaves).root().to_string();
    (name, json!({"what": "heads", "about": about, "leaves": leaves_json, "root": root, "proofs": proofs}))
}

fn bent(proof: &Json, about: &str, change: impl FnOnce(&mut Json)) -> Json {
    let mut proof = proof.clone();
    change(&mut proof);
    proof["error"] = "proof".into();
    proof["about"] = about.into();
    proof
}

pub fn all() -> Vec<(&'static str, Json)> {
    let absent = order("nobody", 0).key;
    let twenty = orders(20);
    let of = |leaves: &[Head], i: usize| proof(leaves, &leaves[i].key);
    let mut neighbours = orders(2);
    neighbours[1].key = neighbours[0].key;
    neighbours[1].key.0[31] ^= 1;
    let tombstone = Head { kind: HeadKind::Erased, ..order("o-17", 3) };
    let unlabelled = Head { key: heads_thread(&tenant(), &Handle(drawn("o-99", 0))), ..order("o-99", 0) };
    let present = of(&twenty, 3);
    let hash = |n: u8| Json::from(MapHash([n; 32]).to_string());
    let negatives = vec![
        present.clone(),
        bent(&present, "another end", |p| p["end"]["n"] = 4.into()),
        bent(&present, "an erased thread", |p| p["end"]["kind"] = 2.into()),
        bent(&present, "another thread", |p| p["end"]["thread"] = Handle([1; 16]).to_string().into()),
        bent(&present, "another last record", |p| p["end"]["record"] = RecordHash([1; 32]).to_string().into()),
        bent(&present, "a sibling is another", |p| p["siblings"][0] = hash(1)),
        bent(&present, "two siblings swapped", |p| p["siblings"].as_array_mut().unwrap().swap(0, 1)),
        bent(&present, "a sibling too few", |p| drop(p["siblings"].as_array_mut().unwrap().pop())),
        bent(&present, "a sibling too many", |p| p["siblings"].as_array_mut().unwrap().push(hash(0))),
        bent(&present, "said to be absent: the way ends with nothing", |p| p["end"] = Json::Null),
        bent(&present, "257 siblings", |p| p["siblings"] = vec![hash(0); 257].into()),
        bent(&proof(&twenty, &absent), "another's leaf that is not on the way", |p| p["end"] = leaf_json(&twenty[3])),
        bent(&proof(&twenty, &absent), "said to end with nothing", |p| p["end"] = Json::Null),
    ];
    vec![
        case("one", "one order's thread", &orders(1), vec![of(&orders(1), 0), proof(&orders(1), &absent)]),
        case("none", "no thread: the root is zeros", &[], vec![proof(&[], &absent)]),
        case("two", "two threads", &orders(2), vec![of(&orders(2), 0), of(&orders(2), 1), proof(&orders(2), &absent)]),
        case("twenty", "twenty threads", &twenty, vec![of(&twenty, 0), of(&twenty, 19), proof(&twenty, &absent)]),
        case("tombstone", "an erased order", &[tombstone, order("o-18", 0)], vec![of(&[tombstone, order("o-18", 0)], 0)]),
        case(
            "unlabelled",
            "a thread without a label",
            &[unlabelled, order("o-17", 2)],
            vec![of(&[unlabelled, order("o-17", 2)], 0)],
        ),
        case(
            "neighbours",
            "keys that differ in their last bit: 256 siblings",
            &neighbours,
            vec![of(&neighbours, 0), of(&neighbours, 1)],
        ),
        case("great_n", "a thread of 2^64 records", &[order("o-17", u64::MAX)], vec![of(&[order("o-17", u64::MAX)], 0)]),
        case("absent_nothing", "the way of an absent key ends with nothing", &twenty, {
            let nothing = (0..).map(|i| order(&format!("absent {i}"), 0).key).find(|key| map(&twenty).way(key).end.is_none());
            vec![proof(&twenty, &nothing.unwrap())]
        }),
        case("refused", "what proves nothing", &twenty, negatives),
    ]
}

/// The keys themselves.
pub fn keys() -> Vec<(&'static str, Json)> {
    let label = |tenant: &str, contract: &str, id: &str| {
        let made = heads_label(&Tenant::new(tenant).unwrap(), contract, id).to_string();
        json!({"what": "label", "tenant": tenant, "contract": contract, "id": id, "label": made})
    };
    let thread = Handle(drawn("o-17", 0));
    vec![
        ("label", label("pazar-tr", "order", "o-17")),
        ("label_text", label("pazar-tr", "order", "şeker \u{1f36c}")),
        ("label_moved_letter", label("pazar-tr", "ordero", "-17")),
        (
            "thread_key",
            json!({
                "what": "thread_key", "tenant": "pazar-tr", "thread": thread.to_string(),
                "key": heads_thread(&tenant(), &thread).to_string(),
            }),
        ),
    ]
}
