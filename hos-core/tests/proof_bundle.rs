//! A bundle's lists, which ascend and hold nothing twice; an erasure's record, whose lists do so too.

use hos_core::id::{Handle, KeyId, LawHash, RecordHash, StoreId, Tenant, TreeHash};
use hos_core::proof::bundle::*;
use hos_core::proof::erasure::*;
use hos_core::proof::key::SealKey;
use hos_core::proof::record::Slot;

fn opening(slot: Slot, index: u8) -> Opening {
    Opening { slot, index, salt: [1; 32], plaintext: b"x".to_vec() }
}

fn withheld(slot: Slot, index: u8) -> Withheld {
    Withheld { slot, index, why: Why::Hidden }
}

fn law(seed: u8, paths: &[&str]) -> LawFiles {
    LawFiles { hash: LawHash([seed; 32]), files: paths.iter().map(|path| ((*path).to_owned(), b"x".to_vec())).collect() }
}

fn range(log: usize, from: u64) -> KeyRange {
    KeyRange { log, vkey: "key".into(), from, to: 0 }
}

fn item() -> Item {
    Item { entry: b"entry".to_vec(), proof: vec![TreeHash([2; 32])], opened: Vec::new(), withheld: Vec::new() }
}

/// As small as a bundle is; nothing in it is verified when it is read.
fn bundle() -> Bundle {
    Bundle {
        logs: vec![LogNote { tenant: "a".into(), note: "n\n".into() }, LogNote { tenant: "universe".into(), note: "n\n".into() }],
        thread: Handle([3; 16]),
        records: vec![item()],
        heads: None,
        cited: vec![(1, item())],
        laws: Vec::new(),
        keys: Vec::new(),
    }
}

#[test]
fn every_list_of_a_bundle_ascends_and_repeats_nothing() {
    type Change = fn(&mut Bundle);
    let cases: [(&str, Change, Option<&'static str>); 15] = [
        ("parts", |b| b.records[0].opened = vec![opening(Slot::Facts, 0), opening(Slot::Args, 0), opening(Slot::Args, 1)], None),
        ("a part twice", |b| b.records[0].opened = vec![opening(Slot::Args, 1); 2], Some("opened parts")),
        ("places fall", |b| b.records[0].opened = vec![opening(Slot::Args, 1), opening(Slot::Args, 0)], Some("opened parts")),
        ("slots fall", |b| b.records[0].opened = vec![opening(Slot::Args, 0), opening(Slot::Facts, 1)], Some("opened parts")),
        ("withheld", |b| b.records[0].withheld = vec![withheld(Slot::Facts, 1), withheld(Slot::Args, 0)], None),
        ("a withheld part twice", |b| b.records[0].withheld = vec![withheld(Slot::Args, 0); 2], Some("withheld parts")),
        ("in a cited record", |b| b.cited[0].1.withheld = vec![withheld(Slot::Args, 0); 2], Some("withheld parts")),
        ("laws", |b| b.laws = vec![law(1, &["a", "b"]), law(2, &["a"])], None),
        ("a law twice", |b| b.laws = vec![law(1, &["a"]), law(1, &["b"])], Some("laws")),
        ("laws fall", |b| b.laws = vec![law(2, &["a"]), law(1, &["a"])], Some("laws")),
        ("a file twice", |b| b.laws = vec![law(1, &["a", "a"])], Some("a law's files")),
        ("files fall", |b| b.laws = vec![law(1, &["b", "a"])], Some("a law's files")),
        ("ranges", |b| b.keys = vec![range(0, 0), range(0, 5), range(1, 0)], None),
        ("a range twice", |b| b.keys = vec![range(0, 5), range(0, 5)], Some("key ranges")),
        ("ranges fall", |b| b.keys = vec![range(1, 0), range(0, 5)], Some("key ranges")),
    ];
    for (name, change, wrong) in cases {
        let mut bent = bundle();
        change(&mut bent);
        let expected = wrong.map_or(Ok(bent.clone()), |what| Err(BundleError::Order(what)));
        assert_eq!(Bundle::decode(&bent.encode().unwrap()), expected, "{name}");
    }
}

#[test]
fn the_logs_of_an_attestation_ascend() {
    let stand = |tenant: &str| LogStand { tenant: Tenant::new(tenant).unwrap(), size: 9, root: TreeHash([3; 32]) };
    let of = |logs: Vec<LogStand>| {
        let signed =
            Attestation::sign(&SealKey::from_seed(&[1; 32]), &StoreId([2; 16]), &KeyId([7; 16]), logs, &RecordList::default());
        Erasure {
            key: KeyId([7; 16]),
            ground: "request 12".into(),
            article: String::new(),
            lost: Vec::new(),
            verdict: LastVerdict::Intact,
            attestation: Some(signed),
        }
    };
    let whole = of(vec![stand("a"), stand("b"), stand("universe")]);
    assert_eq!(Erasure::decode(&whole.encode()), Ok(whole));
    for logs in [vec![stand("b"), stand("a")], vec![stand("a"), stand("a")]] {
        assert!(Erasure::decode(&of(logs).encode()).is_err());
    }
}

#[test]
fn a_list_of_records_knows_how_many_they_are() {
    let mut list = RecordList::default();
    for seq in 0..3u64 {
        assert_eq!(list.finish().0, seq);
        list.push(&Tenant::universe(), seq, &RecordHash([1; 32]));
    }
    assert_eq!(list.finish().0, 3);
}
