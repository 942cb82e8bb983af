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

fn others(name: &str) -> Vec<Vec<u8>> {
    ALL.iter().filter(|other| other.name != name).flat_map(|other| corpus(other.name)).collect()
}

fn run(target: &Target) {
    let own = corpus(target.name);
    assert!(!own.is_empty(), "{} has no corpus", target.name);
    own.iter().for_each(|input| (target.body)(input));
    if target.cost < 40 {
        others(target.name).iter().for_each(|input| (target.body)(input));
    }
    mutated(target, &own);
}

fn mutated(Target { name, body, cost }: &Target, own: &[Vec<u8>]) {
    let others = others(name);
    let mut chance = Chance::new(number("HOS_FUZZ_SEED", 1) ^ name.bytes().fold(0, |sum, b| sum * 31 + u64::from(b)));
    for _ in 0..number("HOS_FUZZ_RUNS", 4_000) / cost {
        let (Some(good), Some(other)) = (chance.pick(own).cloned(), chance.pick(&others).cloned()) else { return };
        let input = mutate(&mut chance, &good, &other);
        // The input that breaks a body is shown, for it belongs into the corpus.
        let caught = std::panic::catch_unwind(|| body(&input));
        assert!(caught.is_ok(), "{name} panicked on {} bytes: {}", input.len(), input.escape_ascii());
    }
}

/// Targets are parted among tests, so that these run side by side; every one is in one of them.
fn run_among(cost: impl Fn(u64) -> bool, part: usize, parts: usize) {
    let mine = ALL.iter().filter(|target| cost(target.cost)).enumerate().filter(|(at, _)| at % parts == part);
    mine.for_each(|(_, target)| run(target));
}

#[test]
fn swift_ones() {
    run_among(|cost| cost == 1, 0, 2);
}

#[test]
fn other_swift_ones() {
    run_among(|cost| cost == 1, 1, 2);
}

#[test]
fn those_that_take_longer() {
    run_among(|cost| (2..40).contains(&cost), 0, 2);
}

#[test]
fn others_that_take_longer() {
    run_among(|cost| (2..40).contains(&cost), 1, 2);
}

#[test]
fn laws_and_doors() {
    run_among(|cost| cost >= 40, 0, 1);
}

/// A decoder that forgets to look whether something stands behind what it read, and one that forgets a bound: both are found in fewer
/// runs than every target has.
#[test]
fn planted_faults_are_found() {
    fn forgets_the_end(data: &[u8]) {
        for end in 0..=data.len() {
            if let Ok(value) = hos_core::canon::decode_value(&data[..end]) {
                assert_eq!(hos_core::canon::encode_value(&value), data, "a second form of one value was accepted");
            }
        }
    }
    fn forgets_a_bound(data: &[u8]) {
        let said = data.get(2).map_or(0, |byte| usize::from(*byte));
        assert!(data.first().is_none_or(|kind| *kind != 0xa5) || data[1..].len() >= said % 64);
    }
    for body in [forgets_the_end, forgets_a_bound] {
        let planted = Target { name: "canon", body, cost: 2 };
        assert!(std::panic::catch_unwind(|| mutated(&planted, &corpus("canon"))).is_err(), "a planted fault was not found");
    }
}

#[test]
fn every_corpus_has_its_target() {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut found: Vec<String> =
        std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    found.sort();
    let mut known: Vec<&str> = ALL.iter().map(|target| target.name).chain(["abi"]).collect();
    known.sort_unstable();
    assert_eq!(found, known);
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
