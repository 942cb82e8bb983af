//! CBOR as bytes: where an item ends, a map's pairs, an array's items; and the spellings that nobody may use.

/// The bytes of the item that begins here, whatever its form.
pub fn item_len(bytes: &[u8]) -> usize {
    let (major, argument, head) = head(bytes);
    let mut at = head;
    match major {
        2 | 3 => at += argument as usize,
        4 | 5 => {
            for _ in 0..argument * if major == 5 { 2 } else { 1 } {
                at += item_len(&bytes[at..]);
            }
        }
        6 => at += item_len(&bytes[at..]),
        _ => {}
    }
    at
}

/// Major type, argument, and the bytes that they take.
pub fn head(bytes: &[u8]) -> (u8, u64, usize) {
    let (major, short) = (bytes[0] >> 5, bytes[0] & 31);
    let wide = |n: usize| bytes[1..=n].iter().fold(0u64, |v, b| v << 8 | u64::from(*b));
    match short {
        24 => (major, wide(1), 2),
        25 => (major, wide(2), 3),
        26 => (major, wide(4), 5),
        27 => (major, wide(8), 9),
        small => (major, small.into(), 1),
    }
}

/// A head in its shortest form.
pub fn written_head(major: u8, argument: u64) -> Vec<u8> {
    let typed = |short: u8| major << 5 | short;
    match argument {
        0..=23 => vec![typed(argument as u8)],
        24..=0xff => vec![typed(24), argument as u8],
        0x100..=0xffff => [&[typed(25)], &(argument as u16).to_be_bytes()[..]].concat(),
        0x1_0000..=0xffff_ffff => [&[typed(26)], &(argument as u32).to_be_bytes()[..]].concat(),
        _ => [&[typed(27)], &argument.to_be_bytes()[..]].concat(),
    }
}

/// The items of an array, or of a map: keys and values by turns.
pub fn items(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (major, argument, mut at) = head(bytes);
    let count = argument * if major == 5 { 2 } else { 1 };
    let mut out = Vec::new();
    for _ in 0..count {
        let len = item_len(&bytes[at..]);
        out.push(bytes[at..at + len].to_vec());
        at += len;
    }
    out
}

/// An array, or a map, of these items.
pub fn of_items(major: u8, items: &[Vec<u8>]) -> Vec<u8> {
    let count = if major == 5 { items.len() / 2 } else { items.len() };
    [&written_head(major, count as u64)[..], &items.concat()].concat()
}

/// The bytes of a map with one field changed, added (where it was not) or taken away (`None`); keys stay in order.
pub fn with_field(map: &[u8], key: u64, value: Option<&[u8]>) -> Vec<u8> {
    let mut pairs: Vec<(u64, Vec<u8>)> = items(map).chunks(2).map(|pair| (head(&pair[0]).1, pair[1].clone())).collect();
    pairs.retain(|(k, _)| *k != key);
    pairs.extend(value.map(|value| (key, value.to_vec())));
    pairs.sort_by_key(|(k, _)| *k);
    let flat: Vec<Vec<u8>> = pairs.into_iter().flat_map(|(k, v)| [written_head(0, k), v]).collect();
    of_items(5, &flat)
}

/// A field of a map.
pub fn field(map: &[u8], key: u64) -> Vec<u8> {
    items(map).chunks(2).find(|pair| head(&pair[0]).1 == key).map(|pair| pair[1].clone()).unwrap()
}

pub fn uint(n: u64) -> Vec<u8> {
    written_head(0, n)
}

pub fn bytes(content: &[u8]) -> Vec<u8> {
    [&written_head(2, content.len() as u64)[..], content].concat()
}

pub fn text(content: &str) -> Vec<u8> {
    [&written_head(3, content.len() as u64)[..], content.as_bytes()].concat()
}
