//! Bytes that are no bundle, and bundles beyond their bounds.

use super::*;
use crate::audit_support::cbor;
use hos_core::proof::bundle::{Bundle, KeyRange, LogNote, Why};
use hos_core::proof::record::Slot;

const NC: &str = "bundle.not_canonical";

/// The spelling of the version, which is the first field's value, exchanged.
fn version(name: &'static str, about: &'static str, value: &'static [u8]) -> Case {
    spelled(name, about, NC, &Plan::least(), |b| [&b[..2], value, &b[3..]].concat())
}

/// One of the outermost map's fields, spelled anew.
fn field(
    name: &'static str,
    about: &'static str,
    code: &'static str,
    key: u64,
    change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>,
) -> Case {
    spelled(name, about, code, &Plan::least(), |b| {
        let there = cbor::items(&b).chunks(2).any(|pair| cbor::head(&pair[0]).1 == key);
        let value = change(if there { cbor::field(&b, key) } else { Vec::new() });
        cbor::with_field(&b, key, value.as_deref())
    })
}

fn not_canonical() -> Vec<Case> {
    let least = Plan::least();
    let long = |major: u8, n: u8| move |v: Vec<u8>| Some([&[major << 5 | 24, n][..], &v[1..]].concat());
    vec![
        version("long_uint_1", "version 1 in two bytes", &[0x18, 1]),
        version("long_uint_2", "version 1 in three bytes", &[0x19, 0, 1]),
        version("long_uint_4", "version 1 in five bytes", &[0x1a, 0, 0, 0, 1]),
        version("long_uint_8", "version 1 in nine bytes", &[0x1b, 0, 0, 0, 0, 0, 0, 0, 1]),
        version("negative", "version -1", &[0x20]),
        version("float_16", "version 1.0", &[0xf9, 0x3c, 0]),
        version("float_32", "version 1.0 in four bytes", &[0xfa, 0x3f, 0x80, 0, 0]),
        version("float_64", "version 1.0 in eight bytes", &[0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        version("nan", "no number at all", &[0xf9, 0x7e, 0]),
        version("null", "a null", &[0xf6]),
        version("undefined", "an undefined", &[0xf7]),
        version("simple", "a simple value that has no name", &[0xf0]),
        version("simple_two_bytes", "true in two bytes", &[0xf8, 21]),
        version("simple_reserved", "a simple value that cannot be", &[0xf8, 32]),
        version("bool", "true for 1", &[0xf5]),
        version("tag", "a tag", &[0xc1, 1]),
        version("big_tag", "a bignum", &[0xc2, 0x41, 1]),
        version("break_alone", "a break where nothing is open", &[0xff]),
        version("reserved_info", "an additional information that is reserved", &[0x1c]),
        field("long_array", "an array's length in two bytes", NC, 8, long(4, 1)),
        field("long_bytes", "a byte string's length in two bytes", NC, 5, long(2, 16)),
        field("long_text", "a text's length in two bytes", NC, 3, long(3, 10)),
        spelled("long_map", "the map's length in two bytes", NC, &least, |b| [&[0xb8, 9], &b[1..]].concat()),
        spelled("indefinite_map", "a map without a length", NC, &least, |b| [&[0xbf], &b[1..], &[0xff]].concat()),
        field("indefinite_array", "an array without a length", NC, 9, |v| Some([&[0x9f], &v[1..], &[0xff]].concat())),
        field("indefinite_bytes", "a byte string in pieces", NC, 5, |v| Some([&[0x5f], &v[..], &[0xff]].concat())),
        field("indefinite_text", "a text in pieces", NC, 3, |v| Some([&[0x7f], &v[..], &[0xff]].concat())),
        field("not_utf8", "a text that is not UTF-8", NC, 3, |v| Some([&v[..v.len() - 1], &[0xff]].concat())),
        field("surrogate", "a text with half a surrogate pair", NC, 3, |v| Some([&v[..8], &[0xed, 0xa0, 0x80]].concat())),
        spelled("key_order", "two fields swapped", NC, &least, |b| {
            let mut pairs = cbor::items(&b);
            pairs.swap(0, 2);
            pairs.swap(1, 3);
            cbor::of_items(5, &pairs)
        }),
        spelled("key_twice", "a field twice", NC, &least, |b| {
            let mut pairs = cbor::items(&b);
            let again = [pairs[0].clone(), pairs[1].clone()];
            pairs.splice(2..2, again);
            cbor::of_items(5, &pairs)
        }),
        spelled("key_of_text", "a field named by a text", NC, &least, |b| {
            let mut pairs = cbor::items(&b);
            pairs.extend([cbor::text("a"), cbor::uint(0)]);
            cbor::of_items(5, &pairs)
        }),
        spelled("left_over", "a byte too many", NC, &least, |b| [&b[..], &[0]].concat()),
        spelled("cut", "a byte too few", NC, &least, |b| b[..b.len() - 1].to_vec()),
        spelled("cut_half", "half of it", NC, &least, |b| b[..b.len() / 2].to_vec()),
        spelled("empty_file", "no bytes", NC, &least, |_| Vec::new()),
        spelled("zip", "a ZIP archive", NC, &least, |_| b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
        spelled("json", "a JSON text", NC, &least, |_| b"{\"what\":\"hos bundle\"}".to_vec()),
        spelled("twice", "two bundles one after the other", NC, &least, |b| [&b[..], &b[..]].concat()),
        spelled("in_an_array", "a bundle in an array", NC, &least, |b| [&[0x81], &b[..]].concat()),
        spelled("claims_much", "a byte string of 2^63 bytes", NC, &least, |b| {
            cbor::with_field(&b, 5, Some(&[0x5b, 0x80, 0, 0, 0, 0, 0, 0, 0]))
        }),
        spelled("claims_many", "an array of 2^64 - 1 items", NC, &least, |b| [&b[..b.len() - 1], &[0x9b], &[255; 8]].concat()),
        spelled("deep", "300 arrays in each other", NC, &least, |b| {
            cbor::with_field(&b, 9, Some(&[vec![0x81; 300], vec![0x80]].concat()))
        }),
        field("thread_short", "a thread of 15 bytes", NC, 5, |v| Some(cbor::bytes(&v[1..16]))),
        field("logs_of_three", "a log of three items", NC, 4, |v| {
            let mut log = cbor::items(&cbor::items(&v)[0]);
            log.push(cbor::uint(0));
            Some(cbor::of_items(4, &[cbor::of_items(4, &log)]))
        }),
        field("records_map", "a map where records are due", NC, 6, |_| Some(vec![0xa0])),
    ]
}

fn bounds() -> Vec<Case> {
    let least = Plan::least();
    let item = |m: &mut crate::audit_support::story::Made| m.bundle.records[0].clone();
    let places =
        |name, about, key: u64, value: fn(Vec<u8>) -> Vec<u8>| field(name, about, "bundle.limit", key, move |v| Some(value(v)));
    /// One of an item's lists, exchanged in the first record.
    fn in_record(records: &[u8], at: usize, list: Vec<Vec<u8>>) -> Vec<u8> {
        let mut all = cbor::items(records);
        let mut parts = cbor::items(&all[0]);
        parts[at] = cbor::of_items(4, &list);
        all[0] = cbor::of_items(4, &parts);
        cbor::of_items(4, &all)
    }
    vec![
        field("version_2", "version 2", "bundle.version", 1, |_| Some(vec![2])),
        field("suite_2", "suite 2", "bundle.suite", 2, |_| Some(vec![2])),
        field("what_else", "something else", "bundle.what", 3, |_| Some(cbor::text("hos receipt"))),
        field("field_11", "a field that this version does not have", "bundle.unknown_field", 11, |_| Some(vec![0])),
        field("field_0", "a field before the first", "bundle.unknown_field", 0, |_| Some(vec![0])),
        field("no_version", "no version", "bundle.missing_field", 1, |_| None),
        field("no_thread", "no thread", "bundle.missing_field", 5, |_| None),
        field("no_cited", "no list of cited records", "bundle.missing_field", 8, |_| None),
        field("no_keys", "no keys", "bundle.missing_field", 10, |_| None),
        field("no_records", "no records", "bundle.empty", 6, |_| Some(vec![0x80])),
        field("no_logs", "no logs: the records cited are of none", "bundle.empty", 4, |_| Some(vec![0x80])),
        bent("three_logs", "three logs", "bundle.limit", &least, |m| {
            let log = m.bundle.logs[0].clone();
            m.bundle.logs.extend([log.clone(), log]);
        }),
        bent("long_note", "a note of more than 65536 bytes", "bundle.limit", &least, |m| {
            m.bundle.logs.push(LogNote { tenant: "universe".into(), note: "x".repeat(65_537) });
        }),
        bent("hashes_65", "a proof of 65 hashes", "bundle.limit", &least, |m| {
            let hash = m.bundle.records[0].proof[0];
            m.bundle.records[0].proof = vec![hash; 65];
        }),
        bent("siblings_257", "257 siblings", "bundle.limit", &Plan { map: true, ..Plan::least() }, |m| {
            m.bundle.heads.as_mut().unwrap().siblings = vec![hos_core::id::MapHash([1; 32]); 257];
        }),
        bent("entry_long", "an entry of more than 16896 bytes", "bundle.limit", &least, |m| {
            m.bundle.records[0].entry = vec![0; 16_897];
        }),
        bent("laws_65", "65 laws", "bundle.limit", &least, |m| {
            let empty = |n: u8| hos_core::proof::bundle::LawFiles { hash: hos_core::id::LawHash([n; 32]), files: Vec::new() };
            m.bundle.laws = (0..65).map(empty).collect();
        }),
        bent("keys_257", "257 key ranges", "bundle.limit", &least, |m| {
            m.bundle.keys = (0..257).map(|from| KeyRange { log: 0, vkey: String::new(), from, to: 0 }).collect();
        }),
        bent("cited_of_no_log", "a cited record of a log that is not there", "bundle.limit", &least, |m| {
            let item = item(m);
            m.bundle.cited.push((1, item));
        }),
        bent("key_of_no_log", "a key of a log that is not there", "bundle.limit", &least, |m| m.bundle.keys[0].log = 1),
        places("slot_14", "a part of slot 14", 6, |v| {
            in_record(&v, 3, vec![cbor::of_items(4, &[cbor::uint(14), cbor::uint(0), cbor::uint(1)])])
        }),
        places("slot_0", "a part of slot 0", 6, |v| {
            in_record(&v, 3, vec![cbor::of_items(4, &[cbor::uint(0), cbor::uint(0), cbor::uint(1)])])
        }),
        places("index_256", "a part's index 256", 6, |v| {
            in_record(&v, 3, vec![cbor::of_items(4, &[cbor::uint(9), cbor::uint(256), cbor::uint(1)])])
        }),
        places("why_3", "a part withheld for reason 3", 6, |v| {
            in_record(&v, 3, vec![cbor::of_items(4, &[cbor::uint(9), cbor::uint(0), cbor::uint(3)])])
        }),
        places("why_0", "a part withheld for reason 0", 6, |v| {
            in_record(&v, 3, vec![cbor::of_items(4, &[cbor::uint(9), cbor::uint(0), cbor::uint(0)])])
        }),
        spelled("head_kind_3", "a head of kind 3", "bundle.limit", &Plan { map: true, ..Plan::least() }, |b| {
            let mut heads = cbor::items(&cbor::field(&b, 7));
            heads[1] = cbor::uint(3);
            cbor::with_field(&b, 7, Some(&cbor::of_items(4, &heads)))
        }),
        bent("opened_twice", "two contents for one position", "bundle.order", &least, |m| {
            let mut again = m.bundle.records[0].opened[0].clone();
            again.plaintext.push(0);
            m.bundle.records[0].opened.insert(0, again);
        }),
        bent("opened_order", "opened parts out of order", "bundle.order", &least, |m| m.bundle.records[0].opened.reverse()),
        bent(
            "withheld_order",
            "withheld parts out of order",
            "bundle.order",
            &Plan::least().bending(|name, rec| {
                if name == "birth" {
                    rec.parts.iter_mut().for_each(|part| part.withheld = Some(Why::Hidden));
                }
            }),
            |m| m.bundle.records[0].withheld.reverse(),
        ),
        bent("laws_order", "laws out of order", "bundle.order", &Plan { second_law: Some(25 * 60_000), ..small() }, |m| {
            m.bundle.laws.reverse();
        }),
        bent("law_twice", "a law twice", "bundle.order", &least, |m| {
            let law = m.bundle.laws[0].clone();
            m.bundle.laws.push(law);
        }),
        bent("files_order", "a law's files out of order", "bundle.order", &least, |m| m.bundle.laws[0].files.reverse()),
        bent("keys_order", "two keys from one size on", "bundle.order", &least, |m| {
            let key = m.bundle.keys[0].clone();
            m.bundle.keys.push(key);
        }),
        bent("cited_order", "cited records out of order", "bundle.order", &Plan::default(), |m| m.bundle.cited.swap(2, 3)),
        bent("cited_logs_order", "cited records of the second log first", "bundle.order", &Plan::default(), |m| {
            m.bundle.cited.reverse();
        }),
        bent("cited_twice", "a cited record twice", "bundle.order", &least, |m| {
            let cited = m.bundle.cited[0].clone();
            m.bundle.cited.push(cited);
        }),
        spelled(
            "missing_before_limit",
            "a field is missing behind a limit: the field is told",
            "bundle.missing_field",
            &least,
            |b| {
                let mut bundle = Bundle::decode(&b).unwrap();
                bundle.keys[0].log = 1;
                bundle.records[0].opened.retain(|part| part.slot != Slot::Facts);
                cbor::with_field(&bundle.encode().unwrap(), 10, None)
            },
        ),
        spelled("spelling_before_version", "another version, and a byte too many: the spelling is told", NC, &least, |b| {
            [&cbor::with_field(&b, 1, Some(&[2])), &[0][..]].concat()
        }),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    not_canonical().into_iter().chain(bounds()).collect()
}
