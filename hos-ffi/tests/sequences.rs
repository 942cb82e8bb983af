//! The C ABI with arguments in any order: the short form of the fuzz target `abi`, on chance of a seed and on its corpus.
//!
//! `HOS_FUZZ_RUNS` sets how many sequences (else 300), `HOS_FUZZ_SEED` another seed than 1.

#[path = "support/sequence.rs"]
mod sequence;
mod support;

use std::path::Path;

const CALLS: [(&str, &str); 3] = [
    (
        "can",
        r#"{"tenant":"lamps","principal":{"type":"S::Account","id":"ayse"},"action":"lamp.on","resource":{"type":"S::Lamp","id":"1"}}"#,
    ),
    ("history", r#"{"tenant":"lamps","contract":"lamp","id":"1","limit":10}"#),
    ("go_on", r#"{"step":1,"rows":[[]]}"#),
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn drawn(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn any_sequence_of_calls_keeps_its_word() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("lamps.db");
    support::found(&store);
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/abi");
    let mut inputs: Vec<Vec<u8>> =
        std::fs::read_dir(corpus).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty());
    let mut state = number("HOS_FUZZ_SEED", 1);
    inputs.extend((0..number("HOS_FUZZ_RUNS", 300)).map(|_| {
        let len = drawn(&mut state) % 200;
        (0..len).map(|_| drawn(&mut state) as u8).collect()
    }));
    for input in inputs {
        let caught = std::panic::catch_unwind(|| sequence::run(&input, &store, &CALLS));
        assert!(caught.is_ok(), "{}", input.escape_ascii());
    }
}
