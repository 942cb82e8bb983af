//! The tree of a tenant's log: RFC 6962 over SHA-256, a leaf an entry's bytes.
//!
//! [`Frontier`] grows a tree and knows its root in a few dozen hashes. Proofs are made from the hashes of complete subtrees,
//! wherever those are kept; [`node_from_tiles`] finds them in tiles of the shape that C2SP's tlog-tiles has.

use crate::canon::{CanonError, Reader, Writer};
use crate::digest::{tree_empty, tree_leaf, tree_node};
use crate::id::TreeHash;
use crate::limits::PROOF_MAX;

/// The leaves' hashes that one tile holds when it is full; 2 to the power of [`TILE_HEIGHT`].
pub const TILE_WIDTH: usize = 256;
/// The levels of the tree that one tile spans.
pub const TILE_HEIGHT: u8 = 8;

/// What is wrong with a proof or with a request for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The leaf or the smaller tree lies beyond the tree.
    #[error("there is no such leaf or smaller tree in a tree of this size")]
    Range,
    /// A complete subtree's hash is not kept where it should be.
    #[error("the hash of subtree {index} of level {level} is missing")]
    Missing {
        /// The level, leaves being 0.
        level: u8,
        /// The place in its level.
        index: u64,
    },
    /// The proof has not as many hashes as it must have.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The hash of a complete subtree: of the 2^level leaves that begin at index * 2^level.
pub trait Nodes {
    /// The hash, if it is kept.
    fn node(&self, level: u8, index: u64) -> Option<TreeHash>;
}

impl<F: Fn(u8, u64) -> Option<TreeHash>> Nodes for F {
    fn node(&self, level: u8, index: u64) -> Option<TreeHash> {
        self(level, index)
    }
}

/// The right edge of a growing tree: the roots of its complete subtrees, the largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<TreeHash>,
}

impl Frontier {
    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry's bytes.
    pub fn append(&mut self, entry: &[u8]) {
        self.append_leaf(tree_leaf(entry));
    }

    /// Appends a leaf's hash.
    pub fn append_leaf(&mut self, leaf: TreeHash) {
        self.append_telling(leaf, |_, _| ());
    }

    /// Appends a leaf's hash and tells of each subtree that it completes: the level, ascending from 1, and the root.
    pub fn append_telling(&mut self, leaf: TreeHash, mut tell: impl FnMut(u32, &TreeHash)) {
        let mut hash = leaf;
        for below in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                hash = tree_node(&left, &hash);
                tell(below + 1, &hash);
            }
        }
        self.roots.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree as it stands.
    pub fn root(&self) -> TreeHash {
        fold(&self.roots).unwrap_or_else(tree_empty)
    }

    /// The edge of a tree whose complete subtrees are kept elsewhere.
    pub fn from_nodes(size: u64, nodes: &impl Nodes) -> Result<Self, TreeError> {
        let mut roots = Vec::new();
        cover(0, size, nodes, &mut roots)?;
        Ok(Self { size, roots })
    }

    /// The bytes, for a store to keep: `[size, [roots]]`.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(16 + self.roots.len() * 34);
        w.array(2).uint(self.size).array(self.roots.len());
        self.roots.iter().for_each(|root| {
            w.bytes(root.as_bytes());
        });
        w.finish()
    }

    /// The edge that these bytes are.
    pub fn decode(bytes: &[u8]) -> Result<Self, CanonError> {
        let mut r = Reader::new(bytes);
        r.array_of(2)?;
        let size = r.uint()?;
        r.array_of(size.count_ones() as usize)?;
        let roots = (0..size.count_ones()).map(|_| Ok(TreeHash(r.bytes_of()?))).collect::<Result<_, CanonError>>()?;
        r.end()?;
        Ok(Self { size, roots })
    }
}

/// The root of the whole, from the roots of its complete subtrees.
fn fold(roots: &[TreeHash]) -> Option<TreeHash> {
    let (last, rest) = roots.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| tree_node(left, &right)))
}

/// The complete subtrees that cover the leaves from `begin` to `end`, the largest first. `begin` must be a multiple of a power
/// of two that is not smaller than `end - begin`.
fn cover(begin: u64, end: u64, nodes: &impl Nodes, found: &mut Vec<TreeHash>) -> Result<(), TreeError> {
    let (mut at, mut left) = (begin, end.saturating_sub(begin));
    while left > 0 {
        let level = left.ilog2() as u8;
        let index = at >> level;
        found.push(nodes.node(level, index).ok_or(TreeError::Missing { level, index })?);
        at += 1 << level;
        left -= 1 << level;
    }
    Ok(())
}

fn range_root(begin: u64, end: u64, nodes: &impl Nodes) -> Result<TreeHash, TreeError> {
    let mut roots = Vec::new();
    cover(begin, end, nodes, &mut roots)?;
    Ok(fold(&roots).unwrap_or_else(tree_empty))
}

/// The root of a tree of this size.
pub fn root(size: u64, nodes: &impl Nodes) -> Result<TreeHash, TreeError> {
    range_root(0, size, nodes)
}

/// The largest power of two below `n`, for `n` of at least 2.
fn split_point(n: u64) -> u64 {
    1 << (n.saturating_sub(1).max(1).ilog2())
}

/// RFC 6962's audit path: that the leaf at `index` is in the tree of `size`.
pub fn prove_inclusion(index: u64, size: u64, nodes: &impl Nodes) -> Result<Vec<TreeHash>, TreeError> {
    if index >= size {
        return Err(TreeError::Range);
    }
    let (mut begin, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - begin > 1 {
        let middle = begin + split_point(end - begin);
        if index < middle {
            proof.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range_root(begin, middle, nodes)?);
            begin = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// RFC 6962's consistency proof: that the tree of `size` begins with the tree of `old`, which may not be empty: every tree
/// begins with nothing. Empty for equal trees.
pub fn prove_consistency(old: u64, size: u64, nodes: &impl Nodes) -> Result<Vec<TreeHash>, TreeError> {
    if old == 0 || old > size {
        return Err(TreeError::Range);
    }
    if old == size {
        return Ok(Vec::new());
    }
    let (mut begin, mut end) = (0, size);
    let mut proof = Vec::new();
    while end != old {
        let middle = begin + split_point(end - begin);
        if old <= middle {
            proof.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            proof.push(range_root(begin, middle, nodes)?);
            begin = middle;
        }
    }
    // The old tree's own last subtree, unless it is the old tree itself, whose root the verifier has.
    if begin > 0 {
        proof.push(range_root(begin, end, nodes)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies an audit path (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(index: u64, size: u64, leaf: &TreeHash, proof: &[TreeHash], root: &TreeHash) -> Result<(), TreeError> {
    if index >= size {
        return Err(TreeError::Range);
    }
    // Below `inner` levels the path may turn either way; above them every hash stands to the left.
    let inner = (u64::BITS - (index ^ (size - 1)).leading_zeros()) as usize;
    let border = index.checked_shr(inner as u32).unwrap_or(0).count_ones() as usize;
    if proof.len() != inner + border || proof.len() > PROOF_MAX {
        return Err(TreeError::Length);
    }
    let hash = proof.iter().enumerate().fold(*leaf, |hash, (level, other)| {
        let turns_right = level < inner && (index >> level) & 1 == 0;
        if turns_right { tree_node(&hash, other) } else { tree_node(other, &hash) }
    });
    if hash == *root { Ok(()) } else { Err(TreeError::Root) }
}

/// Verifies a consistency proof (RFC 9162 section 2.1.4.2). An empty old tree is refused: nothing would be proved.
pub fn verify_consistency(
    old: u64,
    size: u64,
    old_root: &TreeHash,
    root: &TreeHash,
    proof: &[TreeHash],
) -> Result<(), TreeError> {
    if old == 0 || old > size {
        return Err(TreeError::Range);
    }
    if proof.len() > PROOF_MAX {
        return Err(TreeError::Length);
    }
    if old == size {
        return match proof {
            [] if old_root == root => Ok(()),
            [] => Err(TreeError::Root),
            _ => Err(TreeError::Length),
        };
    }
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (first, rest) = if node == 0 { (old_root, proof) } else { proof.split_first().ok_or(TreeError::Length)? };
    let (mut old_hash, mut hash) = (*first, *first);
    for other in rest {
        if last == 0 {
            return Err(TreeError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = tree_node(other, &old_hash);
            hash = tree_node(other, &hash);
            while node != 0 && node & 1 == 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = tree_node(&hash, other);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(TreeError::Length);
    }
    if old_hash == *old_root && hash == *root { Ok(()) } else { Err(TreeError::Root) }
}

/// The root of a run of hashes whose number is a power of two; none for any other number.
pub fn complete_root(hashes: &[TreeHash]) -> Option<TreeHash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut frontier = Frontier::default();
    hashes.iter().for_each(|hash| frontier.append_leaf(*hash));
    frontier.roots.first().copied()
}

/// Where a subtree's hash is to be found in tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePlace {
    /// The tile's level: a tile of level 0 holds leaves' hashes, one of level 1 the roots of full tiles of level 0.
    pub level: u8,
    /// The tile's place in its level.
    pub index: u64,
    /// The first hash needed.
    pub first: usize,
    /// How many hashes the subtree takes.
    pub count: usize,
}

/// The tile, and the run of hashes in it, whose root is the complete subtree at this level and index; none beyond 2^64 leaves.
pub fn tile_place(level: u8, index: u64) -> Option<TilePlace> {
    let within = level % TILE_HEIGHT;
    if u32::from(level) >= u64::BITS {
        return None;
    }
    let at = index.checked_mul(1 << within)?;
    Some(TilePlace {
        level: level / TILE_HEIGHT,
        index: at >> TILE_HEIGHT,
        first: (at % TILE_WIDTH as u64) as usize,
        count: 1 << within,
    })
}

/// The hash of a complete subtree, from a source of tiles: `(tile level, tile index) -> the hashes it holds so far`.
///
/// Whoever keeps tiles puts the root of a tile into the tile above as soon as it is full, so one tile is always enough.
pub fn node_from_tiles(level: u8, index: u64, tiles: &impl Fn(u8, u64) -> Option<Vec<TreeHash>>) -> Option<TreeHash> {
    let place = tile_place(level, index)?;
    let tile = tiles(place.level, place.index)?;
    complete_root(tile.get(place.first..place.first.checked_add(place.count)?)?)
}
