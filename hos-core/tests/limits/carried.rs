//! What is carried to somebody else: bundles, trust files, reports of forks, proofs as text, a witness's answer.

use super::proof_support::*;
use super::{all_hold, but};
use hos_core::id::*;
use hos_core::proof::bundle::{Bundle, Item, KeyRange, LawFiles, LogNote, Opening};
use hos_core::proof::checkpoint::WitnessKey;
use hos_core::proof::fork::Fork;
use hos_core::proof::record::Slot;
use hos_core::proof::tlog_proof::TlogProof;
use hos_core::proof::trust::Trust;
use hos_core::proof::witness::with_cosignature;

fn item() -> Item {
    Item { entry: Vec::new(), proof: Vec::new(), opened: Vec::new(), withheld: Vec::new() }
}

/// The smallest bundle, in which everything can be changed. Nothing of it is verified here.
fn bundle(change: impl FnOnce(&mut Bundle)) -> Vec<u8> {
    let log = LogNote { tenant: "pazar-tr".into(), note: String::new() };
    let mut bundle = Bundle {
        logs: vec![log],
        thread: Handle([1; 16]),
        records: vec![item()],
        heads: None,
        cited: Vec::new(),
        laws: Vec::new(),
        keys: Vec::new(),
    };
    change(&mut bundle);
    bundle.encode().unwrap()
}

fn read(bytes: &[u8]) -> Result<(), String> {
    but(Bundle::decode(bytes).err().map(|error| error.code().to_owned()), &[])
}

fn changed(change: impl FnOnce(&mut Bundle)) -> Result<(), String> {
    read(&bundle(change))
}

#[test]
fn of_a_bundle() {
    let hash = |i: usize| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&(i as u64).to_be_bytes());
        hash
    };
    let whole = |n: usize| {
        // Laws of large files reach any size; a part's head of five bytes is long enough for each.
        let law = |i: usize, size: usize| LawFiles { hash: LawHash(hash(i)), files: vec![("f".into(), vec![0; size])] };
        let with = |laws: Vec<LawFiles>| Bundle { laws, ..Bundle::decode(&bundle(|_| ())).unwrap() }.encode();
        let large = 16 << 20;
        let three = || (0..3).map(|i| law(i, large)).collect::<Vec<_>>();
        let around = with([three(), vec![law(3, 70_000)]].concat()).unwrap().len() - 70_000;
        match with([three(), vec![law(3, n - around)]].concat()) {
            Ok(bytes) => {
                assert_eq!(bytes.len(), n);
                read(&bytes)
            }
            Err(error) => Err(error.code().to_owned()),
        }
    };
    let laws = |n| changed(|b| b.laws = (0..n).map(|i| LawFiles { hash: LawHash(hash(i)), files: Vec::new() }).collect());
    let keys =
        |n| changed(|b| b.keys = (0..n).map(|i| KeyRange { log: 0, vkey: String::new(), from: i as u64, to: 0 }).collect());
    let logs = |n| changed(|b| b.logs = vec![LogNote { tenant: "a".into(), note: String::new() }; n]);
    // As the deepest thing that a bundle holds: an opened part of a record that is cited; one level more has no place in it.
    let nesting = |n: usize| match n {
        6 => changed(|b| {
            let part = Opening { slot: Slot::Args, index: 0, salt: [0; 32], plaintext: Vec::new() };
            b.cited = vec![(0, Item { opened: vec![part], ..item() })];
        }),
        _ => read(&[0x81].repeat(n)),
    };
    all_hold(&[
        ("BUNDLE_BYTES_MAX", &whole),
        ("BUNDLE_RECORDS_MAX", &|n| changed(|b| b.records = vec![item(); n])),
        ("BUNDLE_LAWS_MAX", &laws),
        ("BUNDLE_KEYS_MAX", &keys),
        ("BUNDLE_LOGS_MAX", &logs),
        ("BUNDLE_NESTING_MAX", &nesting),
    ]);
    assert_eq!(changed(|b| b.cited = vec![(0, item()); 100_001]), Err("bundle.limit".into()), "cited records count apart");
}

#[test]
fn of_other_files() {
    let line = |i: usize| {
        let key = hos_core::proof::key::SealKey::from_seed(&drawn("trust", i as u64)).verify_key();
        let key = hos_core::proof::checkpoint::NoteKey::new(format!("hos/log/{i}"), key).unwrap();
        format!("log {key}\n")
    };
    let trust = |text: &str| but(Trust::parse(text.as_bytes()).err().map(|error| error.code().to_owned()), &[]);
    let trust_bytes = |n: usize| {
        let text = format!("{}quorum none\n", line(0));
        trust(&format!("{text}{}\n", "#".repeat(n - text.len() - 1)))
    };
    let trust_lines = |n: usize| trust(&format!("{}quorum none\n", (0..n).map(line).collect::<String>()));
    let fork = |n: usize| {
        // The longest report there is stays below the bound, which is for what is none.
        let of = |one: usize, other: usize, hashes: usize| {
            let notes = ("x".repeat(one), "y".repeat(other));
            Fork { root: TreeHash([1; 32]), proof: vec![TreeHash([2; 32]); hashes], smaller: notes.0, larger: notes.1 }.encode()
        };
        let longest = of(65_536, 65_536, 64);
        assert!(longest.len() <= hos_core::limits::FORK_BYTES_MAX);
        let bytes = if n > hos_core::limits::FORK_BYTES_MAX { vec![b'x'; n] } else { longest };
        but(Fork::decode(&bytes).err().map(|error| error.code()), &[])
    };
    let tlog = |n: usize| {
        let of = |checkpoint: usize| TlogProof {
            entry: vec![7; 300],
            index: 7,
            proof: Vec::new(),
            checkpoint: "x".repeat(checkpoint),
        };
        let text = of(n - of(0).encode().len()).encode();
        assert_eq!(text.len(), n);
        TlogProof::parse(text.as_bytes()).map(drop).map_err(str::to_owned)
    };
    let answer = |n: usize| {
        let log = Log::grown(1);
        let key = hos_core::proof::key::SealKey::from_seed(&drawn("witness", 0));
        let witness = WitnessKey::new("witness.example/w", key.verify_key()).unwrap();
        // Lines of other keys, in any number, and of any length.
        let other = log.note().lines().last().unwrap().to_owned();
        let mut lines = format!("{other}\n").repeat(n / (other.len() + 1) - 1);
        let rest = n - lines.len();
        let name = "z".repeat(rest - other.len() - 1);
        lines.push_str(&other.replacen("— hos", &format!("— {name}hos"), 1));
        lines.push('\n');
        assert_eq!(lines.len(), n);
        // Nobody's cosignature is in it: it was read to its end.
        but(with_cosignature(&log.note(), lines.as_bytes(), &witness).err().map(|error| error.code().to_owned()), &["unsigned"])
    };
    all_hold(&[
        ("TRUST_BYTES_MAX", &trust_bytes),
        ("TRUST_LINES_MAX", &trust_lines),
        ("FORK_BYTES_MAX", &fork),
        ("TLOG_PROOF_BYTES_MAX", &tlog),
        ("WITNESS_ANSWER_BYTES_MAX", &answer),
    ]);
}
