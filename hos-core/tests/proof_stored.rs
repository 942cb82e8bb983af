//! Boxes of parts at their limits, and what is shown of them where somebody prints them.

mod proof_support;

use hos_core::id::{Commitment, KeyId};
use hos_core::limits::{BOXES_BYTES_MAX, PART_BYTES_MAX};
use hos_core::proof::bundle::Opening;
use hos_core::proof::part::{PartError, SubjectKey};
use hos_core::proof::record::{Part, Slot};
use hos_core::proof::stored::{BoxTable, StoredBox, encode_stored};
use proof_support::*;

/// Salt and length, which stand before a part's bytes.
const BEFORE: usize = 40;
/// A nonce and a tag, which stand around a sealed content.
const AROUND: usize = 40;

fn part(index: u8, len: usize) -> Part {
    Part::new(Slot::Payload, index, None, [index; 32], vec![index; len])
}

fn sealed(parts: &[Part]) -> Result<StoredBox<'static>, PartError> {
    // What they commit to is not asked for here.
    let parts: Vec<(&Part, Commitment)> = parts.iter().map(|part| (part, Commitment([0; 32]))).collect();
    StoredBox::seal(&parts, None, [0; 24])
}

/// How many parts open, or why none does.
fn opened(stored: &StoredBox<'_>) -> Result<usize, PartError> {
    let mut room = Vec::new();
    stored.open(None, &[], &mut room).map(Iterator::count)
}

#[test]
fn a_part_is_opened_up_to_its_limit() {
    let longest = sealed(&[part(0, PART_BYTES_MAX)]).unwrap();
    assert_eq!(opened(&longest), Ok(1));
    assert_eq!(sealed(&[part(0, PART_BYTES_MAX + 1)]).err(), Some(PartError::TooLarge));
    // One that was not sealed here may claim more.
    let mut content = longest.sealed.to_vec();
    content.push(0);
    content[32..40].copy_from_slice(&(PART_BYTES_MAX as u64 + 1).to_be_bytes());
    assert_eq!(opened(&StoredBox { sealed: content.into(), ..longest }), Err(PartError::TooLarge));
}

#[test]
fn a_box_is_sealed_and_opened_up_to_its_limit() {
    let parts = |bytes: usize| {
        let last = bytes - 7 * PART_BYTES_MAX - 8 * BEFORE;
        (0..8u8).map(|i| part(i, if i < 7 { PART_BYTES_MAX } else { last })).collect::<Vec<Part>>()
    };
    // There is room for a nonce and a tag, whether or not they are needed.
    let longest = sealed(&parts(BOXES_BYTES_MAX - AROUND)).unwrap();
    assert_eq!(longest.sealed.len(), BOXES_BYTES_MAX - AROUND);
    assert_eq!(sealed(&parts(BOXES_BYTES_MAX - AROUND + 1)).err(), Some(PartError::TooLarge));
    // What was made elsewhere is opened as long as a list of boxes may be.
    let written = |bytes: usize| {
        let mut content = Vec::with_capacity(bytes);
        for part in parts(bytes) {
            content.extend_from_slice(&part.salt);
            content.extend_from_slice(&(part.plaintext.len() as u64).to_be_bytes());
            content.extend_from_slice(&part.plaintext);
        }
        StoredBox { key: longest.key, places: longest.places.clone(), sealed: content.into() }
    };
    assert_eq!(opened(&written(BOXES_BYTES_MAX)), Ok(8));
    assert_eq!(opened(&written(BOXES_BYTES_MAX + 1)), Err(PartError::TooLarge));
}

#[test]
fn a_box_is_in_the_clear_only_if_it_is_nobodys() {
    let (id, key) = subject_key();
    let mine = Part::new(Slot::Args, 0, Some(subject()), [1; 32], b"mine".to_vec());
    let (clear, sealed) = (boxed(&[&part(0, 5)], None, [0; 24]), boxed(&[&mine], Some((&id, &key)), [2; 24]));
    assert!(clear.is_clear() && clear.view().is_clear());
    assert!(!sealed.is_clear() && !sealed.view().is_clear());
    assert!(!sealed.sealed.windows(4).any(|bytes| bytes == b"mine"));
}

#[test]
fn a_table_of_boxes_forgets_what_it_read_before() {
    let one = encode_stored(&[boxed(&[&part(0, 5), &part(1, 6)], None, [0; 24])]).unwrap();
    let (id, key) = subject_key();
    let mine = Part::new(Slot::Args, 0, Some(subject()), [1; 32], b"mine".to_vec());
    let other = encode_stored(&[boxed(&[&mine], Some((&id, &key)), [2; 24])]).unwrap();
    let mut table = BoxTable::default();
    let places = |table: &BoxTable, bytes: &[u8]| table.boxes(bytes).map(|b| (b.key, b.places.to_vec())).collect::<Vec<_>>();
    table.read(&one).unwrap();
    assert_eq!(places(&table, &one), [(KeyId([0; 16]), vec![(Slot::Payload, 0), (Slot::Payload, 1)])]);
    table.read(&other).unwrap();
    assert_eq!(places(&table, &other), [(id, vec![(Slot::Args, 0)])]);
    // What ends inside its last box has no box at all.
    assert!(table.read(&one[..one.len() - 1]).is_err());
    assert_eq!(places(&table, &one), []);
    table.read(&other).unwrap();
    table.forget();
    assert_eq!(places(&table, &other), []);
}

#[test]
fn nothing_that_a_part_holds_is_shown_where_it_is_printed() {
    let secret = b"ayse pays";
    let whole = Part::new(Slot::Args, 2, None, [0x77; 32], secret.to_vec());
    let stored = boxed(&[&whole], None, [0; 24]);
    let opened = stored.open_listed(None, &[whole.to_ref()]).unwrap();
    let mut room = Vec::new();
    let piece = stored.open(None, &[whole.commitment()], &mut room).unwrap().next().unwrap();
    let opening = Opening { slot: Slot::Args, index: 2, salt: [0x77; 32], plaintext: secret.to_vec() };
    let key = SubjectKey::new([0x77; 32]);
    let shown = [
        (format!("{whole:?}"), "Part(Args 2, 9 bytes)"),
        (format!("{:?}", opened[0]), "Opened(Args 2, 9 bytes)"),
        (format!("{piece:?}"), "Piece(49 bytes)"),
        (format!("{opening:?}"), "Opening(Args 2, 9 bytes)"),
        (format!("{key:?}"), "SubjectKey(hidden)"),
    ];
    for (text, expected) in shown {
        assert_eq!(text, expected);
    }
}
