//! Seeds of what proves something: tiles, records of the office, cosignatures, proofs as text, forks, trees, maps.

use super::Seeds;
use hos_core::canon::encode_record;
use hos_core::id::{KeyId, StoreId, Tenant, TreeHash};
use hos_core::proof::checkpoint::{Checkpoint, WitnessKey};
use hos_core::proof::epoch::Turn;
use hos_core::proof::erasure::{Attestation, Erasure, LastVerdict, LogStand, Lost, RecordList, encode_end};
use hos_core::proof::key::SealKey;
use hos_core::proof::keyring::KeyChange;
use hos_core::proof::record::Kind;
use hos_core::proof::roots::TenantRoot;
use hos_core::proof::tlog_proof::TlogProof;
use hos_core::value::{Ext, Record, Value};
use std::collections::BTreeMap;

pub(super) fn all(seeds: &mut Seeds) -> Result<(), Box<dyn std::error::Error>> {
    let bundle = |entries: &[&[u8]]| -> Vec<u8> {
        entries.iter().flat_map(|e| [&(e.len() as u16).to_be_bytes()[..], e].concat()).collect()
    };
    seeds.push(("tiles", "three", bundle(&[b"one", b"", b"three"])));
    seeds.push(("tiles", "many", bundle(&[&b"entry"[..]; 300])));
    office(seeds)?;
    seeds.push(("cosignature", "line", hos_testkit::targets::cosigned()));
    seeds.push(("cosignature", "two", [&b"\xe2\x80\x94 other AAAAAAAA\n"[..], &hos_testkit::targets::cosigned()].concat()));
    seeds.push(("cosignature", "conflict", b"4711\n".to_vec()));
    let witness = WitnessKey::new("witness.example/w", SealKey::from_seed(&[7; 32]).verify_key())?;
    seeds.push(("vkey", "witness", witness.to_string().into_bytes()));
    seeds.push(("vkey", "hash", hos_core::proof::checkpoint::hash_base64(&TreeHash([5; 32])).into_bytes()));
    let checkpoint = Checkpoint { origin: "log.example".into(), size: 3, root: TreeHash([5; 32]), extensions: Vec::new() };
    let proof = TlogProof {
        entry: b"entry".to_vec(),
        index: 1,
        proof: vec![TreeHash([1; 32]), TreeHash([2; 32])],
        checkpoint: checkpoint.sign(&SealKey::from_seed(&[7; 32]))?,
    };
    seeds.push(("proof", "two", proof.encode().into_bytes()));
    seeds.push(("fork", "two", hos_testkit::targets::forked()));
    seeds.push(("tree", "honest", vec![3, 5, 9, 0, 0, 0, 0, 0]));
    seeds.push(("tree", "bent", vec![3, 5, 69, 0, 0, 1, 3, 1, 8, 0, 2, 1, 0]));
    seeds.push(("heads", "honest", vec![4, 7, 0, 1, 0, 0, 2]));
    seeds.push(("heads", "bent", vec![4, 7, 1, 5, 1, 1, 3, 1, 8, 2, 0, 1, 1]));
    Ok(())
}

fn office(seeds: &mut Seeds) -> Result<(), Box<dyn std::error::Error>> {
    let (key, tenant) = (SealKey::from_seed(&[42; 32]), Tenant::new("pazar-tr")?);
    let sizes = BTreeMap::from([(tenant.clone(), 7), (Tenant::universe(), 12)]);
    let mut put = |name: &'static str, bytes: Vec<u8>| seeds.push(("contents", name, bytes));
    put("key-first", KeyChange::First(key.verify_key()).encode());
    put("key-rotated", KeyChange::Rotated(key.verify_key(), sizes.clone()).encode());
    put("key-confirmed", KeyChange::Confirmed(key.verify_key(), "a note\n".into()).encode());
    put("key-revoked", KeyChange::Revoked(key.verify_key(), sizes, "stolen".into()).encode());
    let root = TreeHash([6; 32]);
    put("turn", Turn { epoch: 2, note: "a note\n".into(), size: 4, root, reason: "restored".into() }.encode());
    put("root", TenantRoot { tenant: tenant.clone(), epoch: 0, size: 9, root }.encode());
    let (store, gone) = (StoreId([1; 16]), KeyId([9; 16]));
    let mut list = RecordList::default();
    list.push(&tenant, 3, &hos_core::id::RecordHash([4; 32]));
    let logs = vec![LogStand { tenant: tenant.clone(), size: 9, root }];
    let attestation = Attestation::sign(&key, &store, &gone, logs, &list);
    put("erasure-end", encode_end(&gone, "asked for"));
    let erasure = Erasure {
        key: gone,
        ground: "asked for".into(),
        lost: vec![Lost { tenant, kind: Kind::Moved, count: 1 }],
        verdict: LastVerdict::Intact,
        attestation: Some(attestation),
        article: String::new(),
    };
    put("erasure", erasure.encode());
    let row = Record::from([
        ("at".to_owned(), Value::Ext(Ext::Datetime, "2026-11-01T00:00:00Z".into())),
        ("from".to_owned(), Value::from("new")),
        ("to".to_owned(), Value::from("paid")),
        ("actor".to_owned(), Value::from("ay\u{15f}e")),
    ]);
    put("legacy", encode_record(&row));
    Ok(())
}
