//! Canonical bytes: every kind of value, and every way not to be canonical.

use hos_core::canon::*;
use hos_core::id::Uid;
use hos_core::limits::CANON_DEPTH_MAX;
use hos_core::value::{Ext, Record, Value};
use std::collections::BTreeSet;

const NOT_SHORTEST: &str = "an integer or a length is not in its shortest form";
const INDEFINITE: &str = "an indefinite length";
const CUT_SHORT: &str = "the bytes end inside an item";
const KEY_ORDER: &str = "map keys are not in ascending order, or one repeats";
const SET_ORDER: &str = "set members are not in ascending order, or one repeats";
const TAGGED: &str = "a tag";
const SIMPLE: &str = "a float, null, undefined or simple value";
const TOO_DEEP: &str = "values nest too deep";
const NOT_UTF8: &str = "text is not UTF-8";
const OUT_OF_RANGE: &str = "an integer is out of range";
const LEFT_OVER: &str = "bytes are left over";
const REENCODED: &str = "the same value encodes to other bytes";
fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

fn why(bytes: &[u8]) -> &'static str {
    decode_value(bytes).expect_err("these bytes are not canonical").0
}

#[test]
fn keys_ascend_by_length_first() {
    let r = record(&[("b", 1.into()), ("aa", 2.into()), ("", true.into())]);
    let bytes = encode_record(&r);
    assert_eq!(bytes, [0xa3, 0x60, 0xf5, 0x61, b'b', 0x01, 0x62, b'a', b'a', 0x02]);
    assert_eq!(decode_record(&bytes), Ok(r));
    let swapped = [0xa2, 0x62, b'a', b'a', 0x02, 0x61, b'b', 0x01];
    assert_eq!(decode_record(&swapped), Err(CanonError(KEY_ORDER, 5)));
    let twice = [0xa2, 0x61, b'b', 0x02, 0x61, b'b', 0x01];
    assert_eq!(decode_record(&twice), Err(CanonError(KEY_ORDER, 4)));
    let long = record(&[(&"x".repeat(24), 1.into()), (&"z".repeat(23), 2.into()), (&"a".repeat(300), 3.into())]);
    assert_eq!(decode_record(&encode_record(&long)), Ok(long));
}

#[test]
fn every_kind_of_value_has_its_bytes() {
    let uid = Uid::new("T", "i").unwrap();
    let cases: [(Value, &[u8]); 12] = [
        (false.into(), &[0xf4]),
        (true.into(), &[0xf5]),
        (23.into(), &[0x17]),
        (24.into(), &[0x18, 24]),
        ((-1).into(), &[0x20]),
        (i64::MIN.into(), &[0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        (i64::MAX.into(), &[0x1b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("ş".into(), &[0x62, 0xc5, 0x9f]),
        (uid.into(), &[0x83, 0, 0x61, b'T', 0x61, b'i']),
        (Value::Set(BTreeSet::new()), &[0x82, 1, 0x80]),
        (Value::Set([1.into(), false.into(), (-1).into()].into()), &[0x82, 1, 0x83, 0x01, 0x20, 0xf4]),
        (Value::Ext(Ext::Ip, "::".into()), &[0x83, 2, 0x62, b'i', b'p', 0x62, b':', b':']),
    ];
    for (value, bytes) in cases {
        assert_eq!(encode_value(&value), bytes, "{value:?}");
        assert_eq!(decode_value(bytes), Ok(value));
    }
}

#[test]
fn four_ways_not_to_be_canonical_are_refused() {
    // Not shortest: integers, then lengths.
    for bytes in [
        &[0x18, 0x17][..],
        &[0x19, 0x00, 0xff],
        &[0x1a, 0, 0, 0xff, 0xff],
        &[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        &[0x38, 0x17],
        &[0x39, 0x00, 0x18],
        &[0x78, 0x01, b'a'],
        &[0x98, 0x02, 0x01, 0x80],
        &[0xb8, 0x00],
    ] {
        assert_eq!(why(bytes), NOT_SHORTEST, "{bytes:x?}");
    }
    // Indefinite.
    for bytes in [&[0x9f, 0x01, 0x80, 0xff][..], &[0xbf, 0xff], &[0x7f, 0x61, b'a', 0xff], &[0x5f, 0xff], &[0xff]] {
        assert_eq!(why(bytes), INDEFINITE, "{bytes:x?}");
    }
    // Out of order.
    assert_eq!(why(&[0xa2, 0x61, b'b', 0x01, 0x61, b'a', 0x01]), KEY_ORDER);
    assert_eq!(why(&[0x82, 1, 0x82, 0x02, 0x01]), SET_ORDER);
    // Repeated.
    assert_eq!(why(&[0xa2, 0x61, b'a', 0x01, 0x61, b'a', 0x01]), KEY_ORDER);
    assert_eq!(why(&[0x82, 1, 0x82, 0x01, 0x01]), SET_ORDER);
}

#[test]
fn what_is_not_used_here_is_refused() {
    for bytes in [
        &[0xf6][..],
        &[0xf7],
        &[0xe0],
        &[0xf3],
        &[0xf8, 0xf4],
        &[0xf8, 0xff],
        &[0xf9, 0x3c, 0x00],
        &[0xfa, 0, 0, 0, 0],
        &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert_eq!(why(bytes), SIMPLE, "{bytes:x?}");
    }
    for bytes in [&[0xc0, 0x61, b'a'][..], &[0xc2, 0x41, 0x01], &[0xd9, 0xd9, 0xf7, 0x00]] {
        assert_eq!(why(bytes), TAGGED, "{bytes:x?}");
    }
    for bytes in [&[0x1c][..], &[0x3d], &[0x5e], &[0x7c], &[0x9d], &[0xbe]] {
        assert_eq!(why(bytes), "a reserved length", "{bytes:x?}");
    }
    assert_eq!(why(&[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), OUT_OF_RANGE);
    assert_eq!(why(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), OUT_OF_RANGE);
    assert_eq!(why(&[0x41, 0x00]), "bytes are not a value");
    assert_eq!(why(&[0x62, 0xc3, 0x28]), NOT_UTF8);
    assert_eq!(why(&[0x01, 0x01]), LEFT_OVER);
    assert_eq!(why(&[0xa1, 0x01, 0x01]), "text was expected");
    assert_eq!(why(&[0x83, 0x00, 0x61, b'T', 0x60]), "an entity is malformed");
    assert_eq!(why(&[0x83, 0x02, 0x61, b'T', 0x60]), "an unknown extension function");
    for bytes in [&[0x80][..], &[0x81, 0x00], &[0x82, 0x03, 0x80], &[0x84, 0, 0, 0, 0]] {
        assert_eq!(why(bytes), "an array that is no value", "{bytes:x?}");
    }
}

#[test]
fn lengths_are_held_against_what_is_left() {
    for bytes in [
        &[][..],
        &[0x18],
        &[0x1b, 0, 0],
        &[0x61],
        &[0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x60, 0x00],
        &[0xa1, 0x60],
        &[0x82, 0x01, 0x9a, 0xff, 0xff, 0xff, 0xff],
    ] {
        assert_eq!(why(bytes), CUT_SHORT, "{bytes:x?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let mut v = Value::Set(BTreeSet::new());
        for _ in 1..depth {
            v = Value::Set([v].into());
        }
        encode_value(&v)
    };
    assert!(decode_value(&nested(CANON_DEPTH_MAX)).is_ok());
    assert_eq!(why(&nested(CANON_DEPTH_MAX + 1)), TOO_DEEP);
    // What stands in the innermost set is no deeper than it.
    for inside in [Value::Long(0), Value::Entity(Uid::new("T", "i").unwrap()), Value::Ext(Ext::Ip, "::1".into())] {
        let filled = |levels: usize| (0..levels).fold(inside.clone(), |inner, _| Value::Set([inner].into()));
        assert_eq!(decode_value(&encode_value(&filled(CANON_DEPTH_MAX))), Ok(filled(CANON_DEPTH_MAX)));
        assert_eq!(why(&encode_value(&filled(CANON_DEPTH_MAX + 1))), TOO_DEEP);
        let within = |levels: usize| Record::from([("k".to_owned(), filled(levels))]);
        assert_eq!(decode_record(&encode_record(&within(CANON_DEPTH_MAX))), Ok(within(CANON_DEPTH_MAX)));
        assert!(decode_record(&encode_record(&within(CANON_DEPTH_MAX + 1))).is_err());
    }
    let endless: Vec<u8> = [0x82, 0x01, 0x81].repeat(100_000);
    assert!(matches!(why(&endless), TOO_DEEP));
    assert!(check_items(&[0x81; 100_000]).is_err());
}

#[test]
fn items_may_be_checked_without_meaning() {
    assert_eq!(check_items(&[0x01, 0xa2, 0x01, 0x41, 0x00, 0x18, 0x18, 0x80]), Ok(()));
    assert_eq!(check_items(&[0xa2, 0x02, 0x00, 0x01, 0x00]), Err(CanonError(KEY_ORDER, 3)));
    // An item without meaning may be any integer that CBOR has; a value has 64 bits with a sign.
    let least = [&[0x3b][..], &[0xff; 8]].concat();
    assert_eq!((check_items(&least), why(&least)), (Ok(()), OUT_OF_RANGE));
    assert_eq!(check_items(&[0x3b, 0, 0, 0, 0, 0, 0, 0, 1]), Err(CanonError(NOT_SHORTEST, 0)));
    assert_eq!(same(&[1, 2, 3], &[1, 2]), Err(CanonError(REENCODED, 2)));
}

#[test]
fn heads_are_those_of_another_encoder_at_every_edge() {
    let edges = [0, 1, 23, 24, 25, 255, 256, 257, 65_535, 65_536, (1 << 32) - 1, 1 << 32, u64::MAX];
    for n in edges {
        let mut w = Writer::default();
        w.uint(n);
        let bytes = w.finish();
        assert_eq!(bytes, minicbor::to_vec(n).unwrap());
        assert_eq!(Reader::new(&bytes).uint(), Ok(n));
    }
    for n in edges.into_iter().filter(|n| *n <= 65_536) {
        let (text, raw) = ("x".repeat(n as usize), vec![7u8; n as usize]);
        let mut w = Writer::default();
        w.text(&text).bytes(&raw).array(n as usize);
        (0..n).for_each(|i| {
            w.bool(i % 2 == 0);
        });
        let bytes = w.finish();
        let mut r = Reader::new(&bytes);
        assert_eq!((r.text(), r.bytes(), r.array()), (Ok(&text[..]), Ok(&raw[..]), Ok(n as usize)));
        let mut theirs = minicbor::Encoder::new(Vec::new());
        theirs.str(&text).unwrap().bytes(&raw).unwrap().array(n).unwrap();
        assert!(bytes.starts_with(&theirs.into_writer()));
    }
    for n in [i64::MIN, -65_537, -257, -256, -25, -24, -1, 0, 23, 24, 255, 256, i64::MAX] {
        let mut w = Writer::default();
        w.int(n);
        let bytes = w.finish();
        assert_eq!(bytes, minicbor::to_vec(n).unwrap());
        assert_eq!(Reader::new(&bytes).int(), Ok(n));
    }
}

#[test]
fn a_kind_that_is_not_used_here_is_named_whatever_was_expected() {
    // Float, null, undefined and simple values; the places where something else was wanted.
    for first in [0xe0u8, 0xf3, 0xf6, 0xf7, 0xf8, 0xf9, 0xfe] {
        let bytes = [first, 0, 0];
        let simple = CanonError(SIMPLE, 0);
        assert_eq!(Reader::new(&bytes).array(), Err(simple.clone()), "{first:x}");
        assert_eq!(Reader::new(&bytes).uint(), Err(simple.clone()), "{first:x}");
        assert_eq!(Reader::new(&bytes).int(), Err(simple.clone()), "{first:x}");
        assert_eq!(Reader::new(&bytes).text(), Err(simple), "{first:x}");
    }
    assert_eq!(Reader::new(&[0xc0, 0x00]).map(), Err(CanonError(TAGGED, 0)));
    assert_eq!(Reader::new(&[0xf4]).array(), Err(CanonError("an array was expected", 0)));
}

#[test]
fn a_length_is_refused_before_anything_is_read_when_what_is_left_cannot_hold_it() {
    // An item takes a byte at least, and so a pair takes two.
    assert_eq!(Reader::new(&[0x82, 0x00, 0x00]).array(), Ok(2));
    assert_eq!(Reader::new(&[0x82, 0x00]).array(), Err(CanonError(CUT_SHORT, 0)));
    assert_eq!(Reader::new(&[0xa2, 0x00, 0x00, 0x01, 0x00]).map(), Ok(2));
    assert_eq!(Reader::new(&[0xa2, 0x00, 0x00, 0x01]).map(), Err(CanonError(CUT_SHORT, 0)));
    let endless = [0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(Reader::new(&endless).array(), Err(CanonError(CUT_SHORT, 0)));
}

#[test]
fn records_nest_no_deeper_than_sets() {
    let nested = |depth: usize| {
        let deepest = Record::from([("k".to_owned(), Value::Long(0))]);
        (1..depth).fold(deepest, |inner, _| Record::from([("k".to_owned(), Value::Record(inner))]))
    };
    // The outermost does not count, whoever reads it.
    let deepest = nested(CANON_DEPTH_MAX + 1);
    assert_eq!(decode_value(&encode_record(&deepest)), Ok(Value::Record(deepest.clone())));
    assert_eq!(decode_record(&encode_record(&deepest)), Ok(deepest));
    let bytes = encode_record(&nested(CANON_DEPTH_MAX + 2));
    assert_eq!(decode_record(&bytes), Err(CanonError(TOO_DEEP, bytes.len() - 4)));
    assert_eq!(why(&bytes), TOO_DEEP);
}

#[test]
fn items_without_meaning_nest_twice_as_deep_as_values_and_some() {
    // A set of sets is two arrays a level; what holds values adds a few levels of its own, and no multiple of them.
    let nested = |depth: usize| [&vec![0x81; depth - 1][..], &[0x80]].concat();
    assert_eq!(check_items(&nested(2 * CANON_DEPTH_MAX + 8)), Ok(()));
    assert_eq!(check_items(&nested(3 * CANON_DEPTH_MAX)).map_err(|why| why.0), Err(TOO_DEEP));
}

#[test]
fn a_map_of_many_fields_has_a_long_head_and_text_is_no_integer() {
    let mut w = Writer::with_capacity(8);
    w.map(300);
    for n in 0..300 {
        w.uint(n).uint(0);
    }
    assert_eq!(w.finish()[..5], [0xb9, 0x01, 0x2c, 0x00, 0x00]);
    assert_eq!(Reader::new(&[0x61, b'1']).int(), Err(CanonError("an integer was expected", 0)));
}
