//! Proofs over trees and maps: one that is believed is the one that the whole tree or map gives, for a hash cannot be guessed.

use hos_core::digest::tree_leaf;
use hos_core::id::{Handle, MapHash, MapKey, RecordHash, TreeHash};
use hos_core::proof::heads::{EMPTY, Head, HeadKind, HeadsBuilder, HeadsMap, verify_absence, verify_presence};
use hos_core::proof::tree::{complete_root, prove_consistency, prove_inclusion, root, verify_consistency, verify_inclusion};
use std::sync::LazyLock;

/// The largest tree that is tried.
const LEAVES_MAX: usize = 70;
/// The keys of the map that is tried, and of those that are not in it.
const HEADS: u64 = 24;
const STRANGERS: u64 = 8;

static LEAVES: LazyLock<Vec<TreeHash>> = LazyLock::new(|| (0..LEAVES_MAX as u64).map(|i| tree_leaf(&i.to_be_bytes())).collect());
/// Threads' ends, those in front in the map, and the others not.
static ENDS: LazyLock<Vec<Head>> = LazyLock::new(|| (0..HEADS + STRANGERS).map(head).collect());
static MAP: LazyLock<(HeadsMap, MapHash)> = LazyLock::new(|| {
    let mut builder = HeadsBuilder::default();
    known().iter().for_each(|head| builder.push(head));
    let map = builder.finish().unwrap_or_else(|e| panic!("{e}"));
    let root = map.root();
    (map, root)
});

fn known() -> &'static [Head] {
    ENDS.get(..HEADS as usize).unwrap_or_default()
}

/// The node of a tree over these leaves, if it is whole.
pub(super) fn node(leaves: &[TreeHash], level: u8, index: u64) -> Option<TreeHash> {
    let width = 1u64.checked_shl(level.into())?;
    let from = usize::try_from(index.checked_mul(width)?).ok()?;
    complete_root(leaves.get(from..from.checked_add(usize::try_from(width).ok()?)?)?)
}

/// A cursor over an input: what is not there is zero.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Mostly small, now and then anything.
    fn size(&mut self) -> u64 {
        match self.byte() {
            255 => (0..8).fold(0, |sum, _| sum << 8 | u64::from(self.byte())),
            byte => u64::from(byte) % (LEAVES_MAX as u64 + 2),
        }
    }

    fn hash(&mut self) -> [u8; 32] {
        let mut out = [0; 32];
        out.iter_mut().for_each(|byte| *byte = self.byte());
        out
    }
}

/// A list of hashes, changed as the input says: one exchanged, taken away, doubled, added, swapped.
fn bent(input: &mut Input<'_>, proof: &mut Vec<[u8; 32]>) {
    for _ in 0..input.byte() % 4 {
        let (what, at) = (input.byte() % 6, usize::from(input.byte()));
        let place = if proof.is_empty() { 0 } else { at % proof.len() };
        match what {
            0 if !proof.is_empty() => drop(proof.remove(place)),
            1 => proof.insert(place, input.hash()),
            2 if !proof.is_empty() => proof.insert(place, proof[place]),
            3 if !proof.is_empty() => proof[place][at % 32] ^= input.byte(),
            4 if proof.len() > 1 => proof.swap(place, 0),
            5 => proof.resize(at, [0; 32]),
            _ => {}
        }
    }
}

/// Proofs of inclusion and of consistency.
pub(super) fn tree(data: &[u8]) {
    let mut input = Input(data);
    let (index, old, size) = (input.size(), input.size(), input.size());
    let nodes = |level: u8, index: u64| node(&LEAVES, level, index);
    let whole = |size: u64| if size <= LEAVES_MAX as u64 { root(size, &nodes).ok() } else { None };
    let said = match input.byte() % 3 {
        0 => whole(size),
        1 => whole(input.size()),
        _ => Some(TreeHash(input.hash())),
    };
    let leaf = match input.byte() % 3 {
        0 => usize::try_from(index).ok().and_then(|i| LEAVES.get(i).copied()),
        1 => LEAVES.get(usize::from(input.byte()) % LEAVES_MAX).copied(),
        _ => Some(TreeHash(input.hash())),
    };
    let (Some(said), Some(leaf)) = (said, leaf) else { return };
    let honest = |size: u64| size <= LEAVES_MAX as u64;
    let path = if honest(size) { prove_inclusion(index, size, &nodes).unwrap_or_default() } else { Vec::new() };
    let mut proof: Vec<[u8; 32]> = path.iter().map(|hash| hash.0).collect();
    bent(&mut input, &mut proof);
    let proof: Vec<TreeHash> = proof.into_iter().map(TreeHash).collect();
    let believed = verify_inclusion(index, size, &leaf, &proof, &said).is_ok();
    let holds = index < size && whole(size) == Some(said) && LEAVES.get(index as usize) == Some(&leaf) && proof == path;
    assert!(believed || !holds, "an honest proof of inclusion was refused: {index} of {size}");
    // A root says its size nowhere: under another size another path may lead to it.
    let foreign = whole(size) != Some(said);
    assert!(holds || !believed || foreign, "a proof of inclusion was believed that the tree does not give: {index} of {size}");

    let before = match input.byte() % 2 {
        0 => whole(old),
        _ => Some(TreeHash(input.hash())),
    };
    let Some(before) = before else { return };
    let way = if honest(size) { prove_consistency(old, size, &nodes).unwrap_or_default() } else { Vec::new() };
    let mut proof: Vec<[u8; 32]> = way.iter().map(|hash| hash.0).collect();
    bent(&mut input, &mut proof);
    let proof: Vec<TreeHash> = proof.into_iter().map(TreeHash).collect();
    let believed = verify_consistency(old, size, &before, &said, &proof).is_ok();
    let holds = old > 0 && old <= size && whole(old) == Some(before) && whole(size) == Some(said) && proof == way;
    assert!(believed || !holds, "an honest proof of consistency was refused: {old} to {size}");
    let foreign = whole(size) != Some(said);
    assert!(holds || !believed || foreign, "a proof of consistency was believed that the tree does not give: {old} to {size}");
}

/// The i-th thread's end.
fn head(i: u64) -> Head {
    let mut key = [0; 32];
    hos_core::digest::expand(&[3; 32], "heads", i, &mut key);
    // Neighbours that part late make long ways.
    if i % 3 == 1 {
        let mut near = [0; 32];
        hos_core::digest::expand(&[3; 32], "heads", i - 1, &mut near);
        near[7] ^= 1;
        key = near;
    }
    let kind = if i % 5 == 4 { HeadKind::Erased } else { HeadKind::Live };
    Head { key: MapKey(key), kind, thread: Handle([i as u8; 16]), n: i, last: RecordHash([i as u8; 32]) }
}

/// A root that differs in one byte, or in none.
fn flipped(MapHash(mut root): MapHash, input: &mut Input<'_>) -> MapHash {
    root[usize::from(input.byte()) % 32] ^= input.byte();
    MapHash(root)
}

/// Ways through the map of heads.
pub(super) fn heads(data: &[u8]) {
    let mut input = Input(data);
    let (map, whole) = &*MAP;
    let chosen = usize::from(input.byte()) % ENDS.len();
    let mut told = ENDS[chosen];
    match input.byte() % 8 {
        0 => told.n ^= u64::from(input.byte()),
        1 => told.last.0[usize::from(input.byte()) % 32] ^= input.byte(),
        2 => told.key.0[usize::from(input.byte()) % 32] ^= input.byte(),
        3 => told.kind = if told.kind == HeadKind::Live { HeadKind::Erased } else { HeadKind::Live },
        _ => {}
    }
    let asked = match input.byte() % 3 {
        0 => told.key,
        1 => ENDS[usize::from(input.byte()) % ENDS.len()].key,
        _ => MapKey(input.hash()),
    };
    // Not one that the input chooses: who looks at what is compared with it makes the root of whatever was told.
    let root = match input.byte() % 4 {
        0 => flipped(*whole, &mut input),
        1 => EMPTY,
        _ => *whole,
    };
    let present = map.way(&told.key);
    let mut siblings: Vec<[u8; 32]> = present.siblings.iter().map(|hash| hash.0).collect();
    bent(&mut input, &mut siblings);
    let siblings: Vec<MapHash> = siblings.into_iter().map(MapHash).collect();
    let is_in = known().contains(&told);
    let holds = is_in && root == *whole && siblings == present.siblings;
    assert_eq!(verify_presence(&root, &told, &siblings).is_ok(), holds, "presence of {chosen}");

    let way = map.way(&asked);
    let mut siblings: Vec<[u8; 32]> = way.siblings.iter().map(|hash| hash.0).collect();
    bent(&mut input, &mut siblings);
    let siblings: Vec<MapHash> = siblings.into_iter().map(MapHash).collect();
    let end = match input.byte() % 4 {
        0 => None,
        1 => Some(told),
        _ => way.end.and_then(|end| known().iter().copied().find(|head| head.key == end)),
    };
    let is_way = way.end == end.map(|head| head.key) && end.is_none_or(|end| known().contains(&end));
    // A root of zeros is the map of nobody, from which every key is absent.
    let nobody = root == EMPTY && siblings.is_empty() && end.is_none();
    let holds = nobody || root == *whole && siblings == way.siblings && is_way && way.end != Some(asked);
    assert_eq!(verify_absence(&root, &asked, end.as_ref(), &siblings).is_ok(), holds, "absence of {asked:?}");
}
