//! The tree, held against other people's vectors and against another implementation.

mod proof_support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hos_core::digest::{tree_empty, tree_leaf, tree_node};
use hos_core::id::TreeHash;
use hos_core::limits::PROOF_MAX;
use hos_core::proof::tree::*;
use proof_support::{read_json, shared};
use std::path::Path;

/// A tree in memory: every level's complete nodes.
#[derive(Default)]
struct Tree(Vec<Vec<TreeHash>>);

impl Tree {
    fn grown(leaves: u64) -> Self {
        let mut tree = Tree::default();
        (0..leaves).for_each(|i| tree.push(tree_leaf(&i.to_be_bytes())));
        tree
    }
    fn push(&mut self, leaf: TreeHash) {
        let (mut hash, mut level) = (leaf, 0);
        loop {
            if self.0.len() == level {
                self.0.push(Vec::new());
            }
            self.0[level].push(hash);
            let row = &self.0[level];
            let [.., left, right] = &row[..] else { return };
            if row.len() % 2 == 1 {
                return;
            }
            hash = tree_node(left, right);
            level += 1;
        }
    }
    fn node(&self, level: u8, index: u64) -> Option<TreeHash> {
        self.0.get(usize::from(level))?.get(index as usize).copied()
    }
}

/// The definition, straight from RFC 6962 section 2.1.
fn naive_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => tree_empty(),
        [one] => *one,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            tree_node(&naive_root(&leaves[..middle]), &naive_root(&leaves[middle..]))
        }
    }
}

/// Some vectors use texts of other lengths where any wrong hash would do: they stay equal or different. Nothing is no hash.
fn hash_of(text: &serde_json::Value) -> Option<TreeHash> {
    let raw = BASE64.decode(text.as_str()?).unwrap();
    if raw.is_empty() { None } else { Some(TreeHash::from_slice(&raw).unwrap_or_else(|| tree_leaf(&raw))) }
}

fn cases(folder: &Path, found: &mut Vec<serde_json::Value>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            cases(&path, found);
        } else {
            found.push(read_json(&path));
        }
    }
}

fn proof_of(case: &serde_json::Value) -> Option<Vec<TreeHash>> {
    case["proof"].as_array().into_iter().flatten().map(hash_of).collect()
}

#[test]
fn inclusion_vectors() {
    let Some(folder) = shared("vectors/rfc6962-merkle/testdata/inclusion") else { return };
    let mut all = Vec::new();
    cases(&folder, &mut all);
    let mut refused = 0;
    for case in &all {
        let (index, size) = (case["leafIdx"].as_u64().unwrap(), case["treeSize"].as_u64().unwrap());
        let hashes = hash_of(&case["leafHash"]).zip(proof_of(case)).zip(hash_of(&case["root"]));
        let verdict =
            hashes.ok_or(TreeError::Root).and_then(|((leaf, proof), root)| verify_inclusion(index, size, &leaf, &proof, &root));
        assert_eq!(verdict.is_err(), case["wantErr"].as_bool().unwrap(), "{case}: {verdict:?}");
        refused += usize::from(verdict.is_err());
    }
    assert_eq!((all.len(), refused), (98, 92));
}

#[test]
fn consistency_vectors() {
    let Some(folder) = shared("vectors/rfc6962-merkle/testdata/consistency") else { return };
    let mut all = Vec::new();
    cases(&folder, &mut all);
    let mut refused = 0;
    for case in &all {
        let (old, size) = (case["size1"].as_u64().unwrap(), case["size2"].as_u64().unwrap());
        let hashes = hash_of(&case["root1"]).zip(hash_of(&case["root2"])).zip(proof_of(case));
        let verdict = hashes
            .ok_or(TreeError::Root)
            .and_then(|((before, after), proof)| verify_consistency(old, size, &before, &after, &proof));
        assert_eq!(verdict.is_err(), case["wantErr"].as_bool().unwrap(), "{case}: {verdict:?}");
        refused += usize::from(verdict.is_err());
    }
    assert_eq!((all.len(), refused), (98, 92));
}

#[test]
fn roots_are_those_of_the_definition() {
    let leaves: Vec<TreeHash> = (0..70u64).map(|i| tree_leaf(&i.to_be_bytes())).collect();
    let (mut frontier, mut tree) = (Frontier::default(), Tree::default());
    for (i, leaf) in leaves.iter().enumerate() {
        assert_eq!(frontier.root(), naive_root(&leaves[..i]));
        frontier.append_leaf(*leaf);
        tree.push(*leaf);
        let size = i as u64 + 1;
        let nodes = |level, index| tree.node(level, index);
        assert_eq!(root(size, &nodes), Ok(frontier.root()));
        assert_eq!(Frontier::from_nodes(size, &nodes).as_ref(), Ok(&frontier));
        assert_eq!(Frontier::decode(&frontier.encode()).as_ref(), Ok(&frontier));
    }
    let bytes = frontier.encode();
    for cut in 0..bytes.len() {
        assert!(Frontier::decode(&bytes[..cut]).is_err());
    }
    let mut other = bytes.clone();
    other[2] ^= 1; // another size has another number of roots
    assert!(Frontier::decode(&other).is_err());
}

#[test]
fn every_proof_of_small_trees_holds_and_no_other() {
    let tree = Tree::grown(40);
    let nodes = |level, index| tree.node(level, index);
    for size in 1..=40u64 {
        let whole = root(size, &nodes).unwrap();
        for index in 0..size {
            let leaf = tree.node(0, index).unwrap();
            let proof = prove_inclusion(index, size, &nodes).unwrap();
            assert_eq!(verify_inclusion(index, size, &leaf, &proof, &whole), Ok(()));
            let wrong = tree_leaf(b"another");
            assert_eq!(verify_inclusion(index, size, &wrong, &proof, &whole), Err(TreeError::Root));
            for other in (0..size).filter(|other| *other != index) {
                assert!(verify_inclusion(other, size, &leaf, &proof, &whole).is_err());
            }
            if let Some((_, shorter)) = proof.split_last() {
                assert_eq!(verify_inclusion(index, size, &leaf, shorter, &whole), Err(TreeError::Length));
            }
        }
        for old in 1..=size {
            let before = root(old, &nodes).unwrap();
            let proof = prove_consistency(old, size, &nodes).unwrap();
            assert_eq!(verify_consistency(old, size, &before, &whole, &proof), Ok(()), "{old} of {size}");
            for i in 0..proof.len() {
                let mut bent = proof.clone();
                bent[i].0[0] ^= 1;
                assert_eq!(verify_consistency(old, size, &before, &whole, &bent), Err(TreeError::Root));
            }
            let longer = [&proof[..], &[whole]].concat();
            assert!(verify_consistency(old, size, &before, &whole, &longer).is_err());
            if old != size {
                assert!(verify_consistency(old, size, &whole, &before, &proof).is_err());
            }
        }
    }
    assert_eq!(prove_inclusion(3, 3, &nodes), Err(TreeError::Range));
    assert_eq!(prove_consistency(0, 3, &nodes), Err(TreeError::Range));
    assert_eq!(prove_consistency(4, 3, &nodes), Err(TreeError::Range));
    assert_eq!(prove_inclusion(0, 64, &nodes), Err(TreeError::Missing { level: 5, index: 1 }));
    let long = vec![tree_empty(); PROOF_MAX + 1];
    assert_eq!(verify_inclusion(0, u64::MAX, &tree_empty(), &long, &tree_empty()), Err(TreeError::Length));
    assert_eq!(verify_consistency(1, u64::MAX, &tree_empty(), &tree_empty(), &long), Err(TreeError::Length));
    assert!(verify_inclusion(u64::MAX - 1, u64::MAX, &tree_empty(), &long[..64], &tree_empty()).is_err());
}

#[test]
fn nodes_are_found_in_tiles() {
    let tree = Tree::grown(70_000);
    let tiles = |level: u8, index: u64| -> Option<Vec<TreeHash>> {
        let row = tree.0.get(usize::from(level) * 8)?;
        Some(row.chunks(TILE_WIDTH).nth(index as usize)?.to_vec())
    };
    let from_tiles = |level, index| node_from_tiles(level, index, &tiles);
    for (level, row) in tree.0.iter().enumerate() {
        for index in [0, row.len() / 2, row.len() - 1] {
            assert_eq!(from_tiles(level as u8, index as u64), Some(row[index]), "level {level} index {index}");
        }
        assert_eq!(from_tiles(level as u8, row.len() as u64), None);
    }
    assert_eq!(from_tiles(63, 2), None);
    assert_eq!(from_tiles(64, 0), None);
    let direct = |level, index| tree.node(level, index);
    for index in [0, 255, 256, 65_535, 65_536, 69_999] {
        assert_eq!(prove_inclusion(index, 70_000, &from_tiles), prove_inclusion(index, 70_000, &direct));
    }
    assert_eq!(prove_consistency(777, 70_000, &from_tiles), prove_consistency(777, 70_000, &direct));
    assert_eq!(tile_place(11, 40), Some(TilePlace { level: 1, index: 1, first: 64, count: 8 }));
}

mod another {
    use super::*;
    use tlog_tiles::{Hash, HashReader, check_record, check_tree, prove_record, prove_tree, stored_hashes_for_record_hash};

    struct Stored(Vec<Hash>);

    impl HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
            Ok(indexes.iter().map(|i| self.0[*i as usize]).collect())
        }
    }

    #[test]
    fn proofs_are_exchanged_with_another_implementation() {
        let size = 131u64;
        let (tree, mut theirs) = (Tree::grown(size), Stored(Vec::new()));
        for i in 0..size {
            let new = stored_hashes_for_record_hash(i, Hash(tree.node(0, i).unwrap().0), &theirs).unwrap();
            theirs.0.extend(new);
        }
        let nodes = |level, index| tree.node(level, index);
        let strange = |proof: &[TreeHash]| proof.iter().map(|h| Hash(h.0)).collect::<Vec<_>>();
        let own = |proof: &[Hash]| proof.iter().map(|h| TreeHash(h.0)).collect::<Vec<_>>();
        for size in [1, 2, 3, 64, 100, 127, 128, 131] {
            let whole = root(size, &nodes).unwrap();
            assert_eq!(tlog_tiles::tree_hash(size, &theirs).unwrap().0, whole.0);
            for index in 0..size {
                let leaf = tree.node(0, index).unwrap();
                let ours = strange(&prove_inclusion(index, size, &nodes).unwrap());
                check_record(&ours, size, Hash(whole.0), index, Hash(leaf.0)).unwrap();
                let given = own(&prove_record(size, index, &theirs).unwrap());
                assert_eq!(verify_inclusion(index, size, &leaf, &given, &whole), Ok(()));
            }
            for old in 1..=size {
                let before = root(old, &nodes).unwrap();
                let ours = strange(&prove_consistency(old, size, &nodes).unwrap());
                check_tree(&ours, size, Hash(whole.0), old, Hash(before.0)).unwrap();
                let given = own(&prove_tree(size, old, &theirs).unwrap());
                assert_eq!(verify_consistency(old, size, &before, &whole, &given), Ok(()));
            }
        }
    }
}

#[test]
fn each_subtree_that_a_leaf_completes_is_told_from_below() {
    let (tree, mut frontier) = (Tree::grown(70), Frontier::default());
    for i in 0..70u64 {
        let mut told = Vec::new();
        frontier.append_telling(tree.node(0, i).unwrap(), |level, root| told.push((level, *root)));
        // The leaf completes a subtree of each level of which the new size is a multiple.
        let completed = (1..7u8).take_while(|level| (i + 1) % (1 << level) == 0);
        let expected: Vec<(u32, TreeHash)> =
            completed.map(|level| (u32::from(level), tree.node(level, ((i + 1) >> level) - 1).unwrap())).collect();
        assert_eq!(told, expected, "leaf {i}");
    }
}

#[test]
fn the_longest_proof_has_a_hash_for_each_bit_of_a_size() {
    // The leaf at the left of the largest tree there can be: a hash for each level, all of them to its right.
    let others: Vec<TreeHash> = (0..PROOF_MAX as u64).map(|i| tree_leaf(&i.to_be_bytes())).collect();
    let leaf = tree_leaf(b"first");
    let whole = others.iter().fold(leaf, |hash, other| tree_node(&hash, other));
    assert_eq!(verify_inclusion(0, u64::MAX, &leaf, &others, &whole), Ok(()));
    assert_eq!(verify_inclusion(0, u64::MAX, &leaf, &others[1..], &whole), Err(TreeError::Length));
    // A tree of one leaf grew into that tree: the old root is the leaf.
    assert_eq!(verify_consistency(1, u64::MAX, &leaf, &whole, &others), Ok(()));
    assert_eq!(verify_consistency(1, u64::MAX, &leaf, &whole, &others[1..]), Err(TreeError::Length));
}

#[test]
fn two_trees_of_one_size_are_one_tree_or_a_fork() {
    let (one, other) = (tree_leaf(b"one"), tree_leaf(b"other"));
    assert_eq!(verify_consistency(5, 5, &one, &one, &[]), Ok(()));
    assert_eq!(verify_consistency(5, 5, &one, &other, &[]), Err(TreeError::Root));
    assert_eq!(verify_consistency(5, 5, &one, &one, &[other]), Err(TreeError::Length));
}

#[test]
fn only_a_power_of_two_of_leaves_is_a_complete_subtree() {
    let leaves: Vec<TreeHash> = (0..8u8).map(|n| tree_leaf(&[n])).collect();
    for count in 0..=leaves.len() {
        let wanted = count.is_power_of_two().then(|| naive_root(&leaves[..count]));
        assert_eq!(complete_root(&leaves[..count]), wanted, "{count}");
    }
}
