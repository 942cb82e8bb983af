//! A log as files (C2SP tlog-tiles), and a record's proof as text (C2SP tlog-proof).

use hos_core::digest::tree_leaf;
use hos_core::id::TreeHash;
use hos_core::limits::TLOG_PROOF_BYTES_MAX;
use hos_core::proof::tiles::*;
use hos_core::proof::tlog_proof::TlogProof;
use hos_core::proof::tree::{TILE_WIDTH, complete_root};
use std::collections::BTreeMap;

fn entry(i: u64) -> Vec<u8> {
    i.to_be_bytes().to_vec()
}

fn bundle(from: u64, to: u64) -> Vec<u8> {
    (from..to).flat_map(|i| [&8u16.to_be_bytes()[..], &entry(i)].concat()).collect()
}

fn hashes(from: u64, to: u64) -> Vec<TreeHash> {
    (from..to).map(|i| tree_leaf(&entry(i))).collect()
}

fn bytes(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[test]
fn the_files_of_a_log_are_those_that_the_standard_names() {
    let full = |index: u64| hashes(index * 256, (index + 1) * 256);
    let root = |index: u64| complete_root(&full(index)).unwrap();
    type Files = Vec<(&'static str, Vec<u8>)>;
    let cases: [(u64, Files); 5] = [
        (0, vec![]),
        (3, vec![("tile/entries/000.p/3", bundle(0, 3)), ("tile/0/000.p/3", bytes(&hashes(0, 3)))]),
        (256, vec![("tile/entries/000", bundle(0, 256)), ("tile/0/000", bytes(&full(0))), ("tile/1/000.p/1", bytes(&[root(0)]))]),
        (
            300,
            vec![
                ("tile/entries/000", bundle(0, 256)),
                ("tile/0/000", bytes(&full(0))),
                ("tile/entries/001.p/44", bundle(256, 300)),
                ("tile/0/001.p/44", bytes(&hashes(256, 300))),
                ("tile/1/000.p/1", bytes(&[root(0)])),
            ],
        ),
        (
            513,
            vec![
                ("tile/entries/000", bundle(0, 256)),
                ("tile/0/000", bytes(&full(0))),
                ("tile/entries/001", bundle(256, 512)),
                ("tile/0/001", bytes(&full(1))),
                ("tile/entries/002.p/1", bundle(512, 513)),
                ("tile/0/002.p/1", bytes(&hashes(512, 513))),
                ("tile/1/000.p/2", bytes(&[root(0), root(1)])),
            ],
        ),
    ];
    for (size, expected) in cases {
        let mut writer = TileWriter::default();
        let mut made: Vec<TileFile> = (0..size).flat_map(|i| writer.push(&entry(i))).collect();
        assert_eq!(writer.size(), size);
        made.extend(writer.finish());
        let made: BTreeMap<String, Vec<u8>> = made.into_iter().collect();
        let expected: BTreeMap<String, Vec<u8>> = expected.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect();
        assert_eq!(made.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{size} entries");
        assert!(made == expected, "{size} entries: a file holds something else");
    }
    assert_eq!(TILE_WIDTH, 256);
}

#[test]
fn numbers_become_paths_of_three_digits() {
    let cases = [
        (0, "tile/0/000"),
        (7, "tile/0/007"),
        (999, "tile/0/999"),
        (1000, "tile/0/x001/000"),
        (1_234_067, "tile/0/x001/x234/067"),
        (1_000_000_000, "tile/0/x001/x000/x000/000"),
    ];
    for (index, path) in cases {
        assert_eq!(tile_path(0, index, TILE_WIDTH), path);
        assert_eq!(tile_path(0, index, 255), format!("{path}.p/255"));
        assert_eq!(entries_path(index, TILE_WIDTH), path.replace("tile/0", "tile/entries"));
    }
}

#[test]
fn a_proof_as_text_is_read_up_to_its_limit() {
    let proof = |filler: usize| TlogProof {
        entry: vec![1, 2, 3],
        index: 7,
        proof: vec![TreeHash([1; 32])],
        checkpoint: "x".repeat(filler),
    };
    let besides = proof(0).encode().len();
    let longest = proof(TLOG_PROOF_BYTES_MAX - besides);
    assert_eq!(TlogProof::parse(longest.encode().as_bytes()), Ok(longest));
    let longer = proof(TLOG_PROOF_BYTES_MAX - besides + 1);
    assert_eq!(TlogProof::parse(longer.encode().as_bytes()), Err("the proof is too long"));
}
