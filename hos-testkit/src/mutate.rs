//! Inputs that are almost right: a good one, damaged in one or a few places.

use crate::chance::Chance;

/// Numbers at which length and sign are misread.
const EDGES: [u8; 16] = [0, 1, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x3f, 0x40, 0x7f, 0x80, 0x9f, 0xbf, 0xf7, 0xff];
/// Pieces that parsers of text stumble over.
const PIECES: [&str; 18] = [
    "\"",
    "\\",
    "\n",
    "\r\n",
    "\0",
    "\u{202e}",
    "{",
    "}",
    "[[",
    "]]",
    "::",
    "null",
    "1e400",
    "-0",
    "9223372036854775808",
    "\\ud800",
    "\u{2014} ",
    "__entity",
];

/// The longest input that mutation makes, in bytes.
const LENGTH_MAX: usize = 1 << 16;

/// One to eight changes of a good input, now and then with a piece of another.
pub fn mutate(chance: &mut Chance, good: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = good.to_vec();
    for _ in 0..=chance.below(8) {
        change(chance, &mut out, other);
    }
    out.truncate(LENGTH_MAX);
    out
}

fn change(chance: &mut Chance, out: &mut Vec<u8>, other: &[u8]) {
    let at = chance.below(out.len() + 1);
    match chance.below(9) {
        0 => flip(out, at, 1 << chance.below(8)),
        1 => {
            let edge = EDGES[chance.below(EDGES.len())];
            if let Some(byte) = out.get_mut(at) {
                *byte = edge;
            }
        }
        2 => out.truncate(at),
        3 => {
            let end = (at + 1 + chance.below(16)).min(out.len());
            out.drain(at.min(end)..end);
        }
        4 => out.insert(at, chance.bits() as u8),
        5 => {
            let piece = PIECES[chance.below(PIECES.len())];
            out.splice(at..at, piece.bytes());
        }
        6 => {
            let from = chance.below(other.len() + 1);
            let end = (from + 1 + chance.below(64)).min(other.len());
            out.splice(at..at, other[from.min(end)..end].iter().copied());
        }
        7 => {
            // A part twice: repeated keys, longer lists.
            let end = (at + 1 + chance.below(64)).min(out.len());
            let again = out[at.min(end)..end].to_vec();
            out.splice(at..at, again);
        }
        _ => {
            let byte = chance.bits() as u8;
            flip(out, at, byte);
        }
    }
}

fn flip(out: &mut [u8], at: usize, with: u8) {
    if let Some(byte) = out.get_mut(at) {
        *byte ^= with;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_series_and_most_inputs_differ() {
        let series = |seed| {
            let mut chance = Chance::new(seed);
            (0..200).map(|_| mutate(&mut chance, b"{\"tenant\":\"t\"}", b"[1,2,3]")).collect::<Vec<_>>()
        };
        assert_eq!(series(7), series(7));
        assert_ne!(series(7), series(8));
        assert!(series(7).iter().filter(|m| m.as_slice() != b"{\"tenant\":\"t\"}").count() > 180);
        assert!(series(7).iter().all(|m| m.len() <= LENGTH_MAX));
    }

    #[test]
    fn an_empty_input_is_no_trouble() {
        let mut chance = Chance::new(1);
        for _ in 0..1_000 {
            mutate(&mut chance, b"", b"");
        }
    }
}
