//! Every fuzz target on its corpus, on the corpora of the others, and on mutations of them: seconds, not hours. The fuzzer
//! proper (`fuzz/`) runs the same bodies for as long as one lets it.
//!
//! `HOS_FUZZ_RUNS` sets the mutated inputs of each target (else 4,000), `HOS_FUZZ_SEED` another seed than 1.

use hos_testkit::chance::Chance;
use hos_testkit::mutate::mutate;
use hos_testkit::targets::{ALL, Target};
use std::path::PathBuf;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&place)
        .unwrap_or_else(|e| panic!("{}: {e}", place.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A law is parsed, merged and validated by Cedar on each run: milliseconds where the others take microseconds.
fn runs_of(name: &str) -> u64 {
    let runs = number("HOS_FUZZ_RUNS", 4_000);
    if name == "law" { runs / 40 } else { runs }
}

fn run((name, body): &Target) {
    let own = corpus(name);
    assert!(!own.is_empty(), "{name} has no corpus");
    let others: Vec<Vec<u8>> = ALL.iter().filter(|(other, _)| other != name).flat_map(|(other, _)| corpus(other)).collect();
    own.iter().for_each(|input| body(input));
    if *name != "law" {
        others.iter().for_each(|input| body(input));
    }
    let mut chance = Chance::new(number("HOS_FUZZ_SEED", 1) ^ name.bytes().fold(0, |sum, b| sum * 31 + u64::from(b)));
    for _ in 0..runs_of(name) {
        let (Some(good), Some(other)) = (chance.pick(&own).cloned(), chance.pick(&others).cloned()) else { return };
        let input = mutate(&mut chance, &good, &other);
        // The input that breaks a body is shown, for it belongs into the corpus.
        let caught = std::panic::catch_unwind(|| body(&input));
        assert!(caught.is_ok(), "{name} panicked on {} bytes: {}", input.len(), input.escape_ascii());
    }
}

#[test]
fn bytes() {
    for target in ALL.iter().filter(|(name, _)| {
        matches!(*name, "canon" | "header" | "entry" | "parts" | "receipt" | "frontier" | "modes" | "evidence")
    }) {
        run(target);
    }
}

#[test]
fn text() {
    for target in ALL.iter().filter(|(name, _)| matches!(*name, "note" | "vkey" | "toml" | "contract" | "call" | "ids")) {
        run(target);
    }
}

#[test]
fn what_a_verifier_reads() {
    for target in ALL.iter().filter(|(name, _)| matches!(*name, "bundle" | "trust")) {
        run(target);
    }
}

#[test]
fn laws() {
    ALL.iter().filter(|(name, _)| *name == "law").for_each(run);
}

#[test]
fn every_target_is_run_by_one_of_these_tests() {
    assert_eq!(ALL.len(), 8 + 6 + 1 + 2);
}

/// The seeds are good inputs: a target whose seeds are all refused at the door would test the door alone.
#[test]
fn seeds_are_accepted() {
    use hos_core::proof::{
        chain::Entry,
        checkpoint::{Note, NoteKey},
        receipt::Receipt,
        record::Header,
        stored::decode_stored,
        tree::Frontier,
    };
    let law = hos_core::law::Law::load(hos_testkit::targets::base_law());
    assert!(law.is_ok(), "{law:?}");
    assert!(corpus("canon").iter().any(|b| hos_core::canon::decode_value(b).is_ok()));
    assert!(corpus("header").iter().any(|b| Header::decode(b).is_ok()));
    assert!(corpus("entry").iter().any(|b| Entry::decode(b).is_ok()));
    assert!(corpus("parts").iter().any(|b| decode_stored(b).is_ok_and(|p| !p.is_empty())));
    assert!(corpus("receipt").iter().any(|b| Receipt::decode(b).is_ok()));
    assert!(corpus("frontier").iter().any(|b| Frontier::decode(b).is_ok()));
    assert!(corpus("bundle").iter().all(|b| hos_core::proof::bundle::Bundle::decode(b).is_ok()));
    assert!(corpus("trust").iter().all(|b| hos_core::proof::trust::Trust::parse(b).is_ok()));
    assert!(corpus("note").iter().any(|b| Note::parse(b).is_ok()));
    assert!(corpus("vkey").iter().any(|b| std::str::from_utf8(b).is_ok_and(|t| NoteKey::parse(t).is_ok())));
}
