//! The map of heads, put together by hand (`spec/heads.md`).

use hos_core::digest::{heads_leaf, heads_node};
use hos_core::id::{Handle, MapHash, MapKey, RecordHash};
use hos_core::limits::SIBLINGS_MAX;
use hos_core::proof::heads::*;

/// A thread whose key begins with these eight bits.
fn head(bits: u8, kind: HeadKind) -> Head {
    let mut key = [0; 32];
    key[0] = bits;
    Head { key: MapKey(key), kind, thread: Handle([bits; 16]), n: 7, last: RecordHash([bits; 32]) }
}

fn live(bits: u8) -> Head {
    head(bits, HeadKind::Live)
}

fn map(heads: &[Head]) -> HeadsMap {
    let mut builder = HeadsBuilder::default();
    heads.iter().for_each(|head| builder.push(head));
    builder.finish().unwrap()
}

#[test]
fn a_map_of_nothing_is_zeros_and_one_of_a_single_thread_is_its_leaf() {
    let empty = map(&[]);
    assert_eq!((empty.is_empty(), empty.len(), empty.root()), (true, 0, EMPTY));
    assert_eq!(EMPTY, MapHash([0; 32]));
    assert_eq!(empty.way(&live(1).key), Way { siblings: vec![], end: None });
    assert_eq!(verify_absence(&EMPTY, &live(1).key, None, &[]), Ok(()));
    let one = map(&[live(1)]);
    let leaf = heads_leaf(&live(1).key, 1, &Handle([1; 16]), 7, &RecordHash([1; 32]));
    assert_eq!((one.is_empty(), one.len(), one.root()), (false, 1, leaf));
    assert_eq!(live(1).hash(), leaf);
    assert_ne!(head(1, HeadKind::Erased).hash(), leaf, "a tombstone is another leaf");
    assert_eq!(one.way(&live(1).key), Way { siblings: vec![], end: Some(live(1).key) });
}

#[test]
fn the_bits_of_a_key_say_on_which_side_it_stands_from_the_first_on() {
    // Two keys agree in three bits, a third begins with another one.
    let [a, b, c] = [live(0b0010_0000), live(0b0011_0000), live(0b1000_0000)];
    let map = map(&[b, c, a]);
    let low = heads_node(&a.hash(), &b.hash());
    // At depth 3 the two part; at depths 1 and 2 there is nobody beside them.
    let third = heads_node(&EMPTY, &low);
    let second = heads_node(&third, &EMPTY);
    let root = heads_node(&second, &c.hash());
    assert_eq!((map.root(), map.len()), (root, 3));
    assert_eq!(map.way(&a.key).siblings, [b.hash(), EMPTY, EMPTY, c.hash()]);
    assert_eq!(map.way(&b.key).siblings, [a.hash(), EMPTY, EMPTY, c.hash()]);
    assert_eq!(map.way(&c.key).siblings, [second]);
    for one in [&a, &b, &c] {
        assert_eq!(verify_presence(&root, one, &map.way(&one.key).siblings), Ok(()));
    }
    // The way of an absent key ends with nothing, or with the only leaf of a subtree.
    let beside = live(0b0100_0000).key;
    assert_eq!(map.way(&beside), Way { siblings: vec![third, c.hash()], end: None });
    assert_eq!(verify_absence(&root, &beside, None, &map.way(&beside).siblings), Ok(()));
    let behind = live(0b1100_0000).key;
    assert_eq!(map.way(&behind), Way { siblings: vec![second], end: Some(c.key) });
    assert_eq!(verify_absence(&root, &behind, Some(&c), &map.way(&behind).siblings), Ok(()));
    // Who is there is not absent; nor does a leaf of another way say anything.
    assert_eq!(verify_absence(&root, &c.key, Some(&c), &[second]), Err(HeadsError::Other));
    assert_eq!(verify_absence(&root, &beside, Some(&c), &[second]), Err(HeadsError::Other));
    assert_eq!(verify_absence(&root, &c.key, None, &[second]), Err(HeadsError::Root));
    let long = vec![EMPTY; SIBLINGS_MAX + 1];
    assert_eq!(verify_presence(&root, &a, &long), Err(HeadsError::Length));
}

#[test]
fn the_numbers_of_a_threads_end_are_forever() {
    assert_eq!([1, 2].map(HeadKind::from_number), [Some(HeadKind::Live), Some(HeadKind::Erased)]);
    assert_eq!([HeadKind::Live, HeadKind::Erased].map(HeadKind::number), [1, 2]);
    assert_eq!((HeadKind::from_number(0), HeadKind::from_number(3), HeadKind::from_number(257)), (None, None, None));
}
