//! Headers, parts and receipts as bytes: both ways, and every way to be wrong.

mod proof_support;

use hos_core::canon::Writer;
use hos_core::id::*;
use hos_core::proof::format::FormatError;
use hos_core::proof::header::*;
use hos_core::proof::part::*;
use hos_core::proof::receipt::{Receipt, Seal};
use hos_core::proof::record::*;
use hos_core::time::Timestamp;
use proof_support::*;
use proptest::prelude::*;

#[test]
fn headers_come_back() {
    for header in [bare_header(), full_header()] {
        let bytes = header.encode().unwrap();
        assert_eq!(Header::decode(&bytes), Ok(header));
    }
    assert!(bare_header().encode().unwrap().len() < 120);
}

#[test]
fn numbers_are_one_to_one() {
    for (i, kind) in Kind::ALL.iter().enumerate() {
        assert_eq!((Kind::from_number(i as u64 + 1), usize::from(kind.number())), (Some(*kind), i + 1));
    }
    for (i, slot) in Slot::ALL.iter().enumerate() {
        assert_eq!((Slot::from_number(i as u64 + 1), usize::from(slot.number())), (Some(*slot), i + 1));
    }
    assert_eq!((Kind::ALL.len(), Slot::ALL.len(), Decision::ALL.len(), Durability::ALL.len()), (21, 13, 3, 3));
    assert_eq!((Kind::from_number(0), Kind::from_number(22), Kind::from_number(257)), (None, None, None));
    assert_eq!((Slot::from_number(0), Decision::from_number(3), Durability::from_number(3)), (None, None, None));
}

#[test]
fn contradictions_are_refused_both_ways() {
    let prev = Some(RecordHash([1; 32]));
    let part = |slot, index| PartRef { slot, index, commitment: Commitment([0; 32]) };
    let ids = |n: usize| (0..n).map(|i| format!("p{i:03}")).collect::<Vec<_>>();
    let cases: Vec<(&str, Header)> = vec![
        ("place", Header { n: Some(1), prev: None, ..bare_header() }),
        ("place", Header { n: Some(0), prev, ..bare_header() }),
        ("place", Header { n: None, prev, ..bare_header() }),
        ("time", Header { time: Timestamp(-1), ..bare_header() }),
        ("time", Header { time: Timestamp(i64::MAX), ..bare_header() }),
        ("unknown_number", Header { mode: 3, ..bare_header() }),
        ("malformed", Header { refusal: Some("no code".into()), ..bare_header() }),
        ("malformed", Header { refusal: Some("".into()), ..bare_header() }),
        ("malformed", Header { policies: vec![String::new()], ..bare_header() }),
        ("malformed", Header { policies: vec!["x".repeat(256)], ..bare_header() }),
        ("order", Header { policies: vec!["b".into(), "a".into()], ..bare_header() }),
        ("order", Header { policies: vec!["a".into(), "a".into()], ..bare_header() }),
        ("too_large", Header { policies: ids(65), ..bare_header() }),
        ("too_large", Header { policies: (0..64).map(|i| format!("{i:03}{}", "x".repeat(252))).collect(), ..bare_header() }),
        ("unknown_number", Header { group: Some((GroupId([0; 16]), 2, 2)), ..bare_header() }),
        ("order", Header { parts: vec![part(Slot::Args, 0), part(Slot::Principal, 0)], ..bare_header() }),
        ("order", Header { parts: vec![part(Slot::Args, 0), part(Slot::Args, 0)], ..bare_header() }),
        ("too_large", Header { parts: (0..65).map(|i| part(Slot::Args, i)).collect(), ..bare_header() }),
    ];
    for (code, header) in cases {
        assert_eq!(header.encode().map_err(|e| e.code()), Err(code), "{header:?}");
    }
    assert!(
        Header { policies: ids(64), parts: (0..64).map(|i| part(Slot::Args, i)).collect(), ..bare_header() }.encode().is_ok()
    );
}

/// Ends a chain of writing.
fn done(_: &mut Writer) {}

/// The bare header's fields, to be written with one of them bent.
fn written(bend: impl Fn(u64, &mut Writer) -> bool) -> Vec<u8> {
    let h = bare_header();
    let keys = [1, 2, 3, 4, 5, 6, 8, 9, 13, 14, 15, 16, 18, 24, 27];
    let mut w = Writer::default();
    w.map(keys.len());
    for key in keys {
        if bend(key, &mut w) {
            continue;
        }
        w.uint(key);
        match key {
            1 | 2 | 8 => w.uint(1),
            3 => w.bytes(h.store.as_bytes()),
            4 => w.text(h.tenant.as_str()),
            5 => w.bytes(h.thread.as_bytes()),
            9 => w.uint(START as u64),
            13 => w.array(4).uint(0).uint(0).uint(0).uint(0),
            18 | 27 => w.array(0),
            _ => w.uint(0),
        };
    }
    w.finish()
}

#[test]
fn strange_bytes_are_no_header() {
    assert_eq!(written(|_, _| false), bare_header().encode().unwrap());
    let with = |at: u64, write: &dyn Fn(&mut Writer)| {
        let bytes = written(|key, w| {
            if key == at {
                write(w);
            }
            key == at
        });
        Header::decode(&bytes).map_err(|e| e.code())
    };
    assert_eq!(with(1, &|w| done(w.uint(1).uint(2))), Err("version"));
    assert_eq!(with(2, &|w| done(w.uint(2).uint(2))), Err("suite"));
    assert_eq!(with(3, &|w| done(w.uint(3).bytes(&[0; 15]))), Err("not_canonical"));
    assert_eq!(with(4, &|w| done(w.uint(4).text("Pazar"))), Err("malformed"));
    assert_eq!(with(4, &|w| done(w.uint(4).text(""))), Err("malformed"));
    assert_eq!(with(5, &|w| done(w.uint(5).text("0123456789abcdef"))), Err("not_canonical"));
    assert_eq!(with(6, &|w| done(w.uint(6).uint(1))), Err("place"));
    assert_eq!(with(6, &|w| done(w.uint(7).bytes(&[0; 32]))), Err("place"));
    assert_eq!(with(8, &|w| done(w.uint(8).uint(22))), Err("unknown_number"));
    assert_eq!(with(9, &|w| done(w.uint(9).uint(u64::MAX))), Err("not_canonical"));
    assert_eq!(with(9, &|w| done(w.uint(9).uint(i64::MAX as u64))), Err("time"));
    assert_eq!(with(9, &|w| done(w.uint(9).int(-1))), Err("not_canonical"));
    assert_eq!(with(13, &|w| done(w.uint(13).array(3).uint(0).uint(0).uint(0))), Err("not_canonical"));
    assert_eq!(with(13, &|w| done(w.uint(13).array(4).uint(0).uint(0).uint(0).uint(65_536))), Err("not_canonical"));
    assert_eq!(with(14, &|w| done(w.uint(14).uint(3))), Err("unknown_number"));
    assert_eq!(with(16, &|w| done(w.uint(16).uint(3))), Err("unknown_number"));
    assert_eq!(with(16, &|w| done(w.uint(17).text("hos.retry"))), Err("missing_field"));
    assert_eq!(with(24, &|w| done(w.uint(24).uint(9))), Err("unknown_number"));
    assert_eq!(with(24, &|w| done(w.uint(25).text("a b"))), Err("missing_field"));
    assert_eq!(with(27, &|w| done(w.uint(28).uint(0))), Err("missing_field"));
    let part = |w: &mut Writer, slot, index| done(w.array(3).uint(slot).uint(index).bytes(&[0; 32]));
    assert_eq!(with(27, &|w| part(w.uint(27).array(1), 0, 0)), Err("unknown_number"));
    assert_eq!(with(27, &|w| part(w.uint(27).array(1), 1, 256)), Err("not_canonical"));

    let more = |key: u64, write: &dyn Fn(&mut Writer)| {
        let mut bytes = written(|_, _| false);
        bytes[0] += 1;
        let mut w = Writer::default();
        w.uint(key);
        write(&mut w);
        bytes.extend(w.finish());
        Header::decode(&bytes).map_err(|e| e.code())
    };
    assert_eq!(more(28, &|w| done(w.uint(0))), Err("unknown_field"));
    assert_eq!(more(u64::MAX, &|w| done(w.uint(0))), Err("unknown_field"));
    assert_eq!(more(27, &|w| done(w.array(0))), Err("not_canonical"));
    assert_eq!(more(26, &|w| done(w.array(0))), Err("not_canonical"));

    let bytes = full_header().encode().unwrap();
    assert!(matches!(Header::decode(&[&bytes[..], &[0]].concat()), Err(FormatError::Canon(_))));
    for cut in 0..bytes.len() {
        assert!(Header::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert_eq!(Header::decode(&[0; HEADER_BYTES_MAX + 1]).map_err(|e| e.code()), Err("too_large"));
}

#[test]
fn every_flipped_bit_of_a_header_is_refused_or_seen() {
    let header = full_header();
    let bytes = header.encode().unwrap();
    for at in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[at / 8] ^= 1 << (at % 8);
        if let Ok(other) = Header::decode(&bent) {
            assert_ne!(other, header, "bit {at}");
            assert_eq!(other.encode().as_ref(), Ok(&bent), "bit {at}");
            assert_ne!(other.hash(), header.hash(), "bit {at}");
        }
    }
}

fn sealed_part() -> (Part, StoredPart) {
    let (id, key) = subject_key();
    let part = Part::new(Slot::Args, 2, Some(subject()), drawn("salt", 0), b"plain words".to_vec());
    let stored = part.seal(Some((&id, &key)), drawn("nonce", 0)).unwrap();
    (part, stored)
}

#[test]
fn parts_open_under_their_key_and_place_alone() {
    let (id, key) = subject_key();
    let (part, stored) = sealed_part();
    let commitment = part.commitment();
    assert!(!stored.sealed.windows(5).any(|w| w == b"plain"));
    let opened = stored.open(Some(&key), &commitment).unwrap();
    assert_eq!((opened.salt, &opened.plaintext), (part.salt, &part.plaintext));
    assert_eq!(stored.open(None, &commitment), Err(PartError::KeyMissing));
    assert_eq!(stored.open(Some(&SubjectKey::new([0; 32])), &commitment), Err(PartError::Unopened));

    // The same person's other part, moved here.
    let other = Part::new(Slot::Args, 2, Some(subject()), drawn("salt", 1), b"other words".to_vec());
    let moved = other.seal(Some((&id, &key)), drawn("nonce", 1)).unwrap();
    assert_eq!(moved.open(Some(&key), &commitment), Err(PartError::Unopened));

    for at in 0..stored.sealed.len() * 8 {
        let mut bent = stored.clone();
        bent.sealed[at / 8] ^= 1 << (at % 8);
        assert_eq!(bent.open(Some(&key), &commitment), Err(PartError::Unopened), "bit {at}");
    }
    for cut in 0..stored.sealed.len() {
        let short = StoredPart { sealed: stored.sealed[..cut].to_vec(), ..stored.clone() };
        assert_eq!(short.verify(Some(&key), &commitment), Err(PartError::Unopened));
    }
}

#[test]
fn parts_of_nobody_are_clear_and_still_committed() {
    let part = Part::new(Slot::Payload, 0, None, drawn("salt", 3), Vec::new());
    let stored = part.seal(None, [0; 24]).unwrap();
    assert!(stored.is_clear());
    assert_eq!(stored.sealed, part.salt);
    assert!(stored.open(None, &part.commitment()).unwrap().plaintext.is_empty());
    assert_eq!(stored.verify(None, &part.commitment()), Ok(()));
    for at in 0..256 {
        let mut bent = stored.clone();
        bent.sealed[at / 8] ^= 1 << (at % 8);
        assert_eq!(bent.open(None, &part.commitment()), Err(PartError::Mismatch));
        assert_eq!(bent.verify(None, &part.commitment()), Err(PartError::Mismatch));
    }
    let short = StoredPart { sealed: vec![0; 31], ..stored };
    assert_eq!(short.open(None, &part.commitment()), Err(PartError::Unopened));
    assert_eq!(short.verify(None, &part.commitment()), Err(PartError::Unopened));
}

#[test]
fn nothing_of_a_person_is_stored_in_the_clear() {
    let (id, key) = subject_key();
    let (mut part, _) = sealed_part();
    assert_eq!(part.seal(None, [0; 24]), Err(PartError::KeyMissing));
    assert_eq!(part.seal(Some((&KeyId([0; 16]), &key)), [0; 24]), Err(PartError::KeyUnwanted));
    part.subject = None;
    assert_eq!(part.seal(Some((&id, &key)), [0; 24]), Err(PartError::KeyUnwanted));
    part.plaintext = vec![0; PART_BYTES_MAX + 1];
    assert_eq!(part.seal(None, [0; 24]), Err(PartError::TooLarge));
    let shown = format!("{:?} {key:?} {:?}", sealed_part().0, sealed_part().1.open(Some(&key), &sealed_part().0.commitment()));
    assert!(!shown.contains("plain") && !shown.contains("112, 108"), "{shown}");
}

#[test]
fn lists_of_stored_parts_come_back() {
    let (_, a) = sealed_part();
    let b = Part::new(Slot::Payload, 0, None, [0; 32], b"x".to_vec()).seal(None, [0; 24]).unwrap();
    let bytes = encode_stored(&[b.clone(), a.clone()]);
    assert_eq!(decode_stored(&bytes), Ok(vec![a.clone(), b.clone()]));
    assert_eq!(encode_stored(&[]), [0x80]);
    assert_eq!(decode_stored(&[0x80]), Ok(vec![]));
    let code = |bytes: &[u8]| decode_stored(bytes).map_err(|e| e.code());
    assert_eq!(code(&encode_stored(&[a.clone(), a.clone()])), Err("order"));
    assert_eq!(code(&[&bytes[..], &[0]].concat()), Err("not_canonical"));
    let many: Vec<StoredPart> = (0..65).map(|index| StoredPart { index, ..b.clone() }).collect();
    assert_eq!(code(&encode_stored(&many)), Err("too_large"));
    let huge = StoredPart { sealed: vec![0; PART_BYTES_MAX + 100], ..b };
    assert_eq!(code(&encode_stored(&[huge])), Err("too_large"));
    for cut in 0..bytes.len() {
        assert!(decode_stored(&bytes[..cut]).is_err());
    }
}

#[test]
fn receipts_come_back() {
    let pending =
        Receipt { tenant: tenant(), thread: Handle([1; 16]), n: Some(4), record: RecordHash([2; 32]), seal: Seal::Pending };
    let seal = Seal::Sealed { seq: 7, entry: EntryHash([3; 32]), checkpoint: Log::grown(1).note() };
    for receipt in [Receipt { n: None, ..pending.clone() }, Receipt { seal, ..pending.clone() }, pending] {
        let bytes = receipt.encode();
        assert_eq!(Receipt::decode(&bytes).as_ref(), Ok(&receipt));
        for cut in 0..bytes.len() {
            assert!(Receipt::decode(&bytes[..cut]).is_err());
        }
    }
}

fn any_bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    any::<u64>().prop_map(|seed| drawn("any", seed))
}

prop_compose! {
    fn any_header()(
        (n, prev, stream) in (any::<u64>(), any_bytes::<32>(), any::<bool>()),
        (kind, decision, durability) in (1u64..=21, 0u64..=2, 0u64..=2),
        (time, mode, directory_version) in (0i64..=9_214_646_399_999, 0u8..=2, any::<u64>()),
        judge in any::<[u16; 4]>(),
        hashes in prop::array::uniform3(prop::option::of(any_bytes::<32>())),
        policies in prop::collection::btree_set("\\PC{1,20}", 0..5),
        refusal in prop::option::of("[a-z]{1,8}(\\.[a-z_]{1,8}){0,2}"),
        names in prop::array::uniform3(prop::option::of("[A-Za-z_][A-Za-z0-9_-]{0,30}")),
        contract_version in prop::option::of(any::<u32>()),
        event in prop::option::of("[a-z]{1,8}(\\.[a-z_]{1,8}){0,2}"),
        request in prop::option::of("[A-Za-z0-9._:-]{1,64}"),
        group in prop::option::of((any_bytes::<16>(), 0u16..100)),
        parts in prop::collection::btree_map((1u64..=12, any::<u8>()), any_bytes::<32>(), 0..6),
    ) -> Header {
        let [contract, from, to] = names.map(|name| name.map(|n| Name::new(n).unwrap()));
        let [activation, law, guard_law] = hashes;
        Header {
            n: (!stream).then_some(n),
            prev: (!stream && n > 0).then_some(RecordHash(prev)),
            kind: Kind::from_number(kind).unwrap(),
            time: Timestamp(time),
            activation: activation.map(RecordHash),
            law: law.map(LawHash),
            guard_law: guard_law.map(LawHash),
            judge,
            mode,
            directory_version,
            decision: Decision::from_number(decision).unwrap(),
            refusal: refusal.map(Into::into),
            policies: policies.into_iter().collect(),
            contract,
            contract_version,
            event: event.map(|e| DottedName::new(e).unwrap()),
            from,
            to,
            durability: Durability::from_number(durability).unwrap(),
            request: request.map(|r| RequestId::new(r).unwrap()),
            group: group.map(|(id, i)| (GroupId(id), i, i + 1)),
            parts: parts
                .into_iter()
                .map(|((slot, index), c)| PartRef { slot: Slot::from_number(slot).unwrap(), index, commitment: Commitment(c) })
                .collect(),
            ..bare_header()
        }
    }
}

proptest! {
    #[test]
    fn any_header_comes_back(header in any_header()) {
        let bytes = header.encode().unwrap();
        prop_assert_eq!(Header::decode(&bytes), Ok(header));
    }

    #[test]
    fn a_bent_header_never_passes_for_another_spelling(header in any_header(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = header.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(other) = Header::decode(&bytes) {
            prop_assert_eq!(other.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (Header::decode(&bytes), decode_stored(&bytes), Receipt::decode(&bytes));
        let _ = hos_core::canon::decode_value(&bytes);
        let _ = hos_core::proof::chain::Entry::decode(&bytes);
        let _ = hos_core::proof::tree::Frontier::decode(&bytes);
        let _ = hos_core::proof::checkpoint::Note::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = hos_core::proof::checkpoint::Checkpoint::parse(&text);
        let _ = hos_core::proof::checkpoint::NoteKey::parse(&text);
    }

    #[test]
    fn parts_come_back(plain in prop::collection::vec(any::<u8>(), 0..500), seed in any::<u64>(), owned in any::<bool>()) {
        let (id, key) = subject_key();
        let part = Part::new(Slot::Context, 0, owned.then(subject), drawn("salt", seed), plain);
        let stored = part.seal(owned.then_some((&id, &key)), drawn("nonce", seed)).unwrap();
        let opened = stored.open(Some(&key), &part.commitment()).unwrap();
        prop_assert_eq!((opened.salt, opened.plaintext), (part.salt, part.plaintext));
    }
}

mod values {
    use super::*;
    use hos_core::canon::*;
    use hos_core::value::{Ext, Value};

    fn any_value() -> impl Strategy<Value = Value> {
        let ext = prop::sample::select(vec![Ext::Decimal, Ext::Datetime, Ext::Duration, Ext::Ip]);
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Long),
            ".{0,30}".prop_map(Value::String),
            ("[A-Z][a-z]{0,5}(::[A-Z][a-z]{0,5})?", ".{1,20}").prop_map(|(t, i)| Value::Entity(Uid::new(t, i).unwrap())),
            (ext, ".{0,20}").prop_map(|(e, a)| Value::Ext(e, a)),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::btree_set(inner.clone(), 0..6).prop_map(Value::Set),
                prop::collection::btree_map(".{0,30}", inner, 0..6).prop_map(Value::Record),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in any_value()) {
            let bytes = encode_value(&value);
            prop_assert_eq!(check_items(&bytes), Ok(()));
            prop_assert_eq!(decode_value(&bytes), Ok(value));
        }

        #[test]
        fn what_decodes_is_the_only_spelling(value in any_value(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let mut bytes = encode_value(&value);
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(other) = decode_value(&bytes) {
                prop_assert_eq!(encode_value(&other), bytes);
            }
        }
    }
}
