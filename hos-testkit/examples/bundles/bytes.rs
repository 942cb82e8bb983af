//! What is bent in a bundle's bytes: single ones, and items spelled or put otherwise.

use crate::audit_support::cbor;
use hos_testkit::chance::Chance;

pub(crate) fn bend(chance: &mut Chance, mut bytes: Vec<u8>) -> Vec<u8> {
    let at = chance.below(bytes.len());
    match chance.below(8) {
        0 | 1 => bytes[at] ^= 1 << chance.below(8),
        2 => drop(bytes.remove(at)),
        3 => bytes.insert(at, chance.bits() as u8),
        4 => bytes.truncate(at),
        5 => {
            let key = 1 + chance.below(11) as u64;
            let value = [None, Some(vec![0x80]), Some(vec![0]), Some(vec![2]), Some(vec![0xf6])][chance.below(5)].clone();
            return cbor::with_field(&bytes, key, value.as_deref());
        }
        _ => {
            let depth = 1 + chance.below(6);
            return inside(chance, &bytes, depth);
        }
    }
    bytes
}

/// Bends an item some levels down.
fn inside(chance: &mut Chance, item: &[u8], depth: usize) -> Vec<u8> {
    let (major, argument, head) = cbor::head(item);
    let is_list = matches!(major, 4 | 5) && argument > 0;
    if depth > 0 && is_list {
        let mut items = cbor::items(item);
        // Of a map the values alone.
        let at = if major == 5 { chance.below(items.len() / 2) * 2 + 1 } else { chance.below(items.len()) };
        items[at] = inside(chance, &items[at], depth - 1);
        return cbor::of_items(major, &items);
    }
    let rest = &item[head..];
    match chance.below(8) {
        // The same argument in a longer form.
        0 if argument < 24 => [&[major << 5 | 24, argument as u8][..], rest].concat(),
        0 | 1 => [&[major << 5 | 27][..], &argument.to_be_bytes(), rest].concat(),
        2 => cbor::uint(chance.bits() >> chance.below(64)),
        3 => vec![[0xf6, 0xf5, 0x20, 0xa0, 0x80, 0x60, 0x40, 0xff][chance.below(8)]],
        4 if is_list => {
            let mut items = cbor::items(item);
            items.reverse();
            cbor::of_items(major, &items)
        }
        5 if is_list => {
            let mut items = cbor::items(item);
            items.pop();
            cbor::of_items(4, &items)
        }
        6 if is_list => {
            let mut items = cbor::items(item);
            items.push(items[0].clone());
            cbor::of_items(4, &items)
        }
        4 | 5 => [&[0xc1][..], item].concat(),
        _ => [&[major << 5 | 31][..], rest, &[0xff]].concat(),
    }
}
