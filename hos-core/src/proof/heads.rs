//! The map of heads: where each thread of a tenant ends, under one root (`spec/heads.md`).
//!
//! A compact sparse Merkle tree over 256-bit keys: a subtree without leaves is zeros, one with a single leaf is that leaf, so
//! that a proof among a million threads has some twenty hashes, of presence and of absence alike.

use crate::digest::{heads_leaf, heads_node};
use crate::id::{Handle, MapHash, MapKey, RecordHash};
use crate::limits::SIBLINGS_MAX;

/// The hash of a subtree without leaves.
pub const EMPTY: MapHash = MapHash([0; 32]);

/// What a thread's end is. Numbers are forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum HeadKind {
    /// The thread stands.
    Live = 1,
    /// Its last record is an erasure: a tombstone, its id is not given again.
    Erased = 2,
}

impl HeadKind {
    /// The stable number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The one with this number.
    pub fn from_number(number: u64) -> Option<Self> {
        [HeadKind::Live, HeadKind::Erased].into_iter().find(|kind| u64::from(kind.number()) == number)
    }
}

/// Where a thread ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its key in the map.
    pub key: MapKey,
    /// Whether it stands.
    pub kind: HeadKind,
    /// Its handle.
    pub thread: Handle,
    /// Its last record's place.
    pub n: u64,
    /// Its last record's hash.
    pub last: RecordHash,
}

impl Head {
    /// The leaf's hash.
    pub fn hash(&self) -> MapHash {
        heads_leaf(&self.key, self.kind.number(), &self.thread, self.n, &self.last)
    }
}

/// What does not hold about a map or a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadsError {
    /// Two threads have one key.
    #[error("two threads have the key {0} in the map of heads")]
    Twice(MapKey),
    /// A leaf comes before the one that was told before it.
    #[error("the leaves of the map of heads are not told by ascending key")]
    Order,
    /// More siblings than a key has bits.
    #[error("the proof has more siblings than a key has bits")]
    Length,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
    /// The leaf at which the way ends is of another way, or is the wanted key's own.
    #[error("the leaf given says nothing of the wanted key")]
    Other,
}

/// Collects heads in any order; 64 bytes each.
#[derive(Debug, Clone, Default)]
pub struct HeadsBuilder {
    leaves: Vec<(MapKey, MapHash)>,
}

impl HeadsBuilder {
    /// Adds a thread's end.
    pub fn push(&mut self, head: &Head) {
        self.leaves.push((head.key, head.hash()));
    }

    /// The map of all that were added; refused where two have one key.
    pub fn finish(mut self) -> Result<HeadsMap, HeadsError> {
        self.leaves.sort_unstable();
        match self.leaves.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(HeadsError::Twice(pair[0].0)),
            None => Ok(HeadsMap { leaves: self.leaves }),
        }
    }
}

/// A whole map, for whoever makes it.
#[derive(Debug, Clone)]
pub struct HeadsMap {
    /// Ascending by key.
    leaves: Vec<(MapKey, MapHash)>,
}

/// The root of a map whose leaves are told one after the other, by ascending key: for who has no room for all of them at once.
///
/// What is not finished yet are subtrees to the left of the last leaf, at most one at each depth.
#[derive(Debug, Clone, Default)]
pub struct HeadsRoot {
    /// The subtrees that wait for the one at their right, each with the depth at which the two become one. Depths ascend.
    waiting: Vec<(usize, MapHash)>,
    last: Option<(MapKey, MapHash)>,
    count: u64,
}

impl HeadsRoot {
    /// Tells the next leaf: a thread's key, and [`Head::hash`].
    ///
    /// # Errors
    /// [`HeadsError::Twice`] for the key before, [`HeadsError::Order`] for one that comes before it.
    pub fn push(&mut self, key: MapKey, leaf: MapHash) -> Result<(), HeadsError> {
        if let Some((before, hash)) = self.last {
            if before >= key {
                return Err(if before == key { HeadsError::Twice(key) } else { HeadsError::Order });
            }
            let apart = (0..KEY_BITS).find(|depth| bit(&before, *depth) != bit(&key, *depth)).unwrap_or(KEY_BITS);
            let whole = self.close(&before, hash, apart + 1);
            self.waiting.push((apart, whole));
        }
        self.last = Some((key, leaf));
        self.count += 1;
        Ok(())
    }

    /// How many leaves there were, and the root.
    pub fn finish(mut self) -> (u64, MapHash) {
        let root = match self.last.take() {
            None => EMPTY,
            Some((key, hash)) => self.close(&key, hash, 0),
        };
        (self.count, root)
    }

    /// The subtree at this depth that ends with a leaf. A leaf that is alone in it is its root; above the deepest place at which it
    /// has somebody beside it, every level has a node.
    fn close(&mut self, key: &MapKey, leaf: MapHash, depth: usize) -> MapHash {
        let mut hash = leaf;
        let deepest = self.waiting.last().filter(|(at, _)| *at >= depth).map_or(depth, |(at, _)| at + 1);
        for level in (depth..deepest).rev() {
            hash = match self.waiting.pop_if(|(at, _)| *at == level) {
                Some((_, left)) => heads_node(&left, &hash),
                None if bit(key, level) => heads_node(&EMPTY, &hash),
                None => heads_node(&hash, &EMPTY),
            };
        }
        hash
    }
}

/// How many bits a key has.
const KEY_BITS: usize = 256;

/// A way through the map along a key's bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// From the end of the way up to the root.
    pub siblings: Vec<MapHash>,
    /// The key of the leaf at which it ends; none where it ends with nothing.
    pub end: Option<MapKey>,
}

impl HeadsMap {
    /// How many threads.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// The root.
    pub fn root(&self) -> MapHash {
        subtree(&self.leaves, 0)
    }

    /// The way along a key: a proof of presence if it ends at that key, of absence otherwise.
    pub fn way(&self, key: &MapKey) -> Way {
        let mut rest = &self.leaves[..];
        let mut siblings = Vec::new();
        let mut depth = 0;
        while rest.len() > 1 {
            let (left, right) = halves(rest, depth);
            let (on, other) = if bit(key, depth) { (right, left) } else { (left, right) };
            depth += 1;
            siblings.push(subtree(other, depth));
            rest = on;
        }
        siblings.reverse();
        Way { siblings, end: rest.first().map(|(key, _)| *key) }
    }
}

fn bit(key: &MapKey, depth: usize) -> bool {
    key.0.get(depth / 8).is_some_and(|byte| byte >> (7 - depth % 8) & 1 == 1)
}

type Leaves = [(MapKey, MapHash)];

/// Splits leaves that agree in the bits before by the bit at this depth; they ascend, so the zeros come first.
fn halves(leaves: &Leaves, depth: usize) -> (&Leaves, &Leaves) {
    leaves.split_at(leaves.partition_point(|(key, _)| !bit(key, depth)))
}

/// INVARIANT: keys differ, so no two leaves agree in 256 bits and the depth stays below that.
fn subtree(leaves: &Leaves, depth: usize) -> MapHash {
    match leaves {
        [] => EMPTY,
        [(_, leaf)] => *leaf,
        many => {
            let (left, right) = halves(many, depth);
            heads_node(&subtree(left, depth + 1), &subtree(right, depth + 1))
        }
    }
}

fn fold(key: &MapKey, end: MapHash, siblings: &[MapHash]) -> Result<MapHash, HeadsError> {
    if siblings.len() > SIBLINGS_MAX {
        return Err(HeadsError::Length);
    }
    let depths = (0..siblings.len()).rev();
    Ok(siblings.iter().zip(depths).fold(end, |hash, (sibling, depth)| {
        if bit(key, depth) { heads_node(sibling, &hash) } else { heads_node(&hash, sibling) }
    }))
}

/// Verifies that a thread ends as the head says, in the map with this root.
pub fn verify_presence(root: &MapHash, head: &Head, siblings: &[MapHash]) -> Result<(), HeadsError> {
    if fold(&head.key, head.hash(), siblings)? == *root { Ok(()) } else { Err(HeadsError::Root) }
}

/// Verifies that no thread has this key: the way along it ends with nothing, or with the only leaf of a subtree, another's.
pub fn verify_absence(root: &MapHash, key: &MapKey, end: Option<&Head>, siblings: &[MapHash]) -> Result<(), HeadsError> {
    let hash = match end {
        None => EMPTY,
        Some(other) if other.key == *key || (0..siblings.len()).any(|d| bit(&other.key, d) != bit(key, d)) => {
            return Err(HeadsError::Other);
        }
        Some(other) => other.hash(),
    };
    if fold(key, hash, siblings)? == *root { Ok(()) } else { Err(HeadsError::Root) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::expand;
    use proptest::prelude::*;

    fn head(seed: u64) -> Head {
        let mut bytes = [0u8; 80];
        expand(&[9; 32], "head", seed, &mut bytes);
        let take = |at: usize| -> [u8; 32] { bytes[at..at + 32].try_into().unwrap() };
        let thread = Handle(bytes[64..80].try_into().unwrap());
        Head { key: MapKey(take(0)), kind: HeadKind::Live, thread, n: seed, last: RecordHash(take(32)) }
    }

    fn map(heads: &[Head]) -> HeadsMap {
        let mut builder = HeadsBuilder::default();
        heads.iter().for_each(|h| builder.push(h));
        builder.finish().unwrap()
    }

    /// The same, told one after the other.
    fn told(heads: &[Head]) -> Result<(u64, MapHash), HeadsError> {
        let mut leaves: Vec<_> = heads.iter().map(|h| (h.key, h.hash())).collect();
        leaves.sort_unstable();
        let mut root = HeadsRoot::default();
        leaves.into_iter().try_for_each(|(key, leaf)| root.push(key, leaf))?;
        Ok(root.finish())
    }

    /// The definition, written out: the root over all 256 levels with empty and single subtrees collapsed.
    fn defined(heads: &[Head], prefix: &[bool]) -> MapHash {
        let within: Vec<&Head> = heads.iter().filter(|h| prefix.iter().enumerate().all(|(d, b)| bit(&h.key, d) == *b)).collect();
        match within[..] {
            [] => EMPTY,
            [one] => one.hash(),
            _ => heads_node(&defined(heads, &[prefix, &[false]].concat()), &defined(heads, &[prefix, &[true]].concat())),
        }
    }

    proptest! {
        #[test]
        fn every_thread_is_proved_present_and_every_other_absent(count in 0u64..60, probe in 1000u64..2000) {
            let heads: Vec<Head> = (0..count).map(head).collect();
            let map = map(&heads);
            let root = map.root();
            prop_assert_eq!(root, defined(&heads, &[]));
            prop_assert_eq!(told(&heads), Ok((count, root)));
            for one in &heads {
                let way = map.way(&one.key);
                prop_assert_eq!(way.end, Some(one.key));
                prop_assert_eq!(verify_presence(&root, one, &way.siblings), Ok(()));
                for wrong in [
                    Head { n: one.n + 1, ..*one },
                    Head { kind: HeadKind::Erased, ..*one },
                    Head { thread: Handle([1; 16]), ..*one },
                    Head { last: RecordHash([1; 32]), ..*one },
                ] {
                    prop_assert_eq!(verify_presence(&root, &wrong, &way.siblings), Err(HeadsError::Root));
                }
                prop_assert!(verify_absence(&root, &one.key, None, &way.siblings).is_err());
                prop_assert!(verify_absence(&root, &one.key, Some(one), &way.siblings).is_err());
            }
            let absent = head(probe).key;
            let way = map.way(&absent);
            let end = heads.iter().find(|h| Some(h.key) == way.end);
            prop_assert_eq!(verify_absence(&root, &absent, end, &way.siblings), Ok(()));
        }
    }

    #[test]
    fn keys_that_agree_in_all_but_their_last_bit_have_the_longest_way() {
        let mut pair = [head(1), head(1)];
        pair[1].key.0[31] ^= 1;
        let map = map(&pair);
        assert_eq!(told(&pair), Ok((2, map.root())));
        let way = map.way(&pair[0].key);
        assert_eq!(way.siblings.len(), SIBLINGS_MAX);
        assert_eq!(verify_presence(&map.root(), &pair[0], &way.siblings), Ok(()));
        let longer = [&way.siblings[..], &[EMPTY]].concat();
        assert_eq!(verify_presence(&map.root(), &pair[0], &longer), Err(HeadsError::Length));
    }

    /// Keys that agree in many bits and differ in few, at places that leaves before and behind them do not share.
    #[test]
    fn leaves_that_lie_close_together_come_to_the_same_root_one_by_one() {
        for places in [&[0usize, 1][..], &[7, 8, 9], &[250, 255], &[0, 128, 255], &[3, 3], &[]] {
            let mut heads = vec![head(1), head(2), head(3)];
            for (i, place) in places.iter().enumerate() {
                let mut key = heads[i].key;
                key.0[place / 8] ^= 0x80 >> (place % 8);
                heads.push(Head { key, ..head(9 + i as u64) });
            }
            assert_eq!(told(&heads), Ok((heads.len() as u64, defined(&heads, &[]))), "{places:?}");
        }
    }

    #[test]
    fn leaves_that_are_told_out_of_order_make_no_root() {
        let mut root = HeadsRoot::default();
        root.push(MapKey([2; 32]), MapHash([1; 32])).unwrap();
        assert_eq!(root.push(MapKey([1; 32]), MapHash([1; 32])), Err(HeadsError::Order));
        assert_eq!(root.push(MapKey([2; 32]), MapHash([1; 32])), Err(HeadsError::Twice(MapKey([2; 32]))));
        assert_eq!(HeadsRoot::default().finish(), (0, EMPTY));
    }

    #[test]
    fn two_threads_of_one_key_make_no_map() {
        let mut builder = HeadsBuilder::default();
        builder.push(&head(1));
        builder.push(&Head { thread: Handle([2; 16]), ..head(1) });
        assert_eq!(builder.finish().err(), Some(HeadsError::Twice(head(1).key)));
    }

    #[test]
    fn a_leaf_of_another_way_proves_no_absence() {
        let heads: Vec<Head> = (0..20).map(head).collect();
        let map = map(&heads);
        let way = map.way(&heads[3].key);
        let absent = head(77).key;
        assert!(verify_absence(&map.root(), &absent, Some(&heads[3]), &way.siblings).is_err());
    }
}
