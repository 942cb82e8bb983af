//! Reports of forks: what proves one to a stranger, and what proves nothing.

use hos_core::digest::tree_leaf;
use hos_core::id::TreeHash;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::epoch::Turn;
use hos_core::proof::fork::{Fork, ForkError};
use hos_core::proof::key::SealKey;
use hos_core::proof::tree::{Frontier, complete_root, prove_consistency};
use hos_core::proof::trust::Trust;

const ORIGIN: &str = "hos/b883fcb71d90c0a6f983537e40fc5952/t1/0";

fn key(n: u8) -> SealKey {
    SealKey::from_seed(&[n; 32])
}

fn leaves(size: u64, word: &str) -> Vec<TreeHash> {
    (0..size).map(|i| tree_leaf(format!("{word} {i}").as_bytes())).collect()
}

fn root(leaves: &[TreeHash]) -> TreeHash {
    let mut tree = Frontier::default();
    leaves.iter().for_each(|leaf| tree.append_leaf(*leaf));
    tree.root()
}

fn note(leaves: &[TreeHash], origin: &str, n: u8) -> String {
    let checkpoint = Checkpoint { origin: origin.into(), size: leaves.len() as u64, root: root(leaves), extensions: Vec::new() };
    checkpoint.sign(&key(n)).unwrap()
}

fn proof(leaves: &[TreeHash], from: u64) -> Vec<TreeHash> {
    let nodes = |level: u8, index: u64| {
        let width = 1usize << level;
        let begin = index as usize * width;
        complete_root(leaves.get(begin..begin + width)?)
    };
    prove_consistency(from, leaves.len() as u64, &nodes).unwrap()
}

fn trust() -> Trust {
    let vkey = |name: &str, n| NoteKey::new(name, key(n).verify_key()).unwrap();
    let other = "hos/b883fcb71d90c0a6f983537e40fc5952/t2/0";
    Trust::parse(format!("log {}\nlog {}\nlog {}\nquorum none\n", vkey(ORIGIN, 1), vkey(ORIGIN, 2), vkey(other, 3)).as_bytes())
        .unwrap()
}

/// One history of five entries, another of nine.
fn fork() -> Fork {
    let (one, other) = (leaves(5, "a"), leaves(9, "b"));
    Fork { root: root(&other[..5]), proof: proof(&other, 5), smaller: note(&one, ORIGIN, 1), larger: note(&other, ORIGIN, 1) }
}

#[test]
fn two_histories_of_one_log_are_proved_to_a_stranger() {
    let fork = fork();
    let bytes = fork.encode();
    assert_eq!(Fork::decode(&bytes).unwrap(), fork);
    let proved = fork.prove(&trust()).unwrap();
    assert_eq!((proved.origin.as_str(), proved.sizes), (ORIGIN, (5, 9)));
    assert_ne!(proved.roots.0, proved.roots.1);
    // Equal sizes need no proof; two keys of the log are as good as one.
    let (one, other) = (leaves(5, "a"), leaves(5, "b"));
    let equal = Fork { root: root(&other), proof: Vec::new(), smaller: note(&one, ORIGIN, 1), larger: note(&other, ORIGIN, 2) };
    let proved = Fork::decode(&equal.encode()).unwrap().prove(&trust()).unwrap();
    assert_ne!(proved.keys.0, proved.keys.1);
}

#[test]
fn what_proves_nothing_is_refused_with_its_code() {
    let (one, other) = (leaves(5, "a"), leaves(9, "b"));
    let whole = leaves(9, "a");
    let t2 = "hos/b883fcb71d90c0a6f983537e40fc5952/t2/0";
    let empty = note(&[], ORIGIN, 1);
    let table: Vec<(&str, Fork, &str)> = vec![
        (
            "one log that grew",
            Fork { root: root(&one), proof: proof(&whole, 5), smaller: note(&one, ORIGIN, 1), larger: note(&whole, ORIGIN, 1) },
            "fork.same",
        ),
        (
            "the same checkpoint twice",
            Fork { root: root(&one), proof: vec![], smaller: note(&one, ORIGIN, 1), larger: note(&one, ORIGIN, 1) },
            "fork.same",
        ),
        ("a root that the larger one has not", Fork { root: root(&one[..4]), ..fork() }, "fork.proof"),
        ("no proof", Fork { proof: vec![], ..fork() }, "fork.proof"),
        ("a proof too long", Fork { proof: [proof(&other, 5), vec![root(&one)]].concat(), ..fork() }, "fork.proof"),
        ("an unknown log", Fork { smaller: note(&one, "hos/00/t/0", 1), ..fork() }, "trust.unknown_log"),
        ("a stranger's key", Fork { larger: note(&other, ORIGIN, 9), ..fork() }, "checkpoint.unsigned"),
        ("two logs", Fork { larger: note(&other, t2, 3), ..fork() }, "fork.origin"),
        (
            "the larger one first",
            Fork { smaller: note(&other, ORIGIN, 1), larger: note(&one, ORIGIN, 1), ..fork() },
            "fork.malformed",
        ),
        ("nothing", Fork { smaller: empty, ..fork() }, "fork.malformed"),
    ];
    for (what, fork, code) in table {
        assert_eq!(fork.prove(&trust()).unwrap_err().code(), code, "{what}");
    }
    let mut bent = fork();
    bent.smaller = bent.smaller.replacen("\n5\n", "\n6\n", 1);
    assert_eq!(bent.prove(&trust()).unwrap_err().code(), "checkpoint.signature");
}

#[test]
fn a_report_has_one_spelling() {
    let bytes = fork().encode();
    for cut in 0..bytes.len() {
        assert!(matches!(Fork::decode(&bytes[..cut]), Err(ForkError::Malformed(_))), "cut at {cut}");
    }
    let text = String::from_utf8(bytes).unwrap();
    for bent in [
        format!("{text}\n"),
        text.replacen("hos fork 1", "hos fork 2", 1),
        text.replacen("note ", "note 0", 1),
        text.replacen("note ", "note +", 1),
        text.replacen("root ", "root 0", 1),
        text.replacen("root ", "", 1),
        text.replacen("note ", "note 9999999999999999999999", 1),
        text.to_uppercase(),
        text.replacen("hos fork 1\n", &format!("hos fork 1\n{}", "x\n".repeat(100)), 1),
        format!("{text}{}", "x".repeat(200_000)),
    ] {
        assert!(Fork::decode(bent.as_bytes()).is_err(), "{}", bent.chars().take(200).collect::<String>());
    }
}

#[test]
fn the_first_record_of_an_epoch_has_one_spelling() {
    let turn = Turn { epoch: 1, note: "n".into(), size: 7, root: TreeHash([3; 32]), reason: "why".into() };
    let bytes = turn.encode();
    assert_eq!(Turn::decode(&bytes).unwrap(), turn);
    for cut in 0..bytes.len() {
        assert!(Turn::decode(&bytes[..cut]).is_err());
    }
    assert!(Turn::decode(&[&bytes[..], &[0]].concat()).is_err());
}
