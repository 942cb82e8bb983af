//! Headers, parts and receipts as bytes: both ways, and every way to be wrong.

mod proof_support;

use hos_core::canon::Writer;
use hos_core::id::*;
use hos_core::limits::{BOXES_BYTES_MAX, HEADER_BYTES_MAX, PART_BYTES_MAX};
use hos_core::proof::format::FormatError;
use hos_core::proof::part::*;
use hos_core::proof::receipt::{Receipt, Seal};
use hos_core::proof::record::*;
use hos_core::proof::stored::*;
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
    assert_eq!((Kind::ALL.len(), Slot::ALL.len(), Decision::ALL.len(), Durability::ALL.len()), (22, 13, 3, 3));
    assert_eq!((Kind::from_number(0), Kind::from_number(23), Kind::from_number(257)), (None, None, None));
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
        ("place", Header { n: Some(1), prev, label: Some(MapKey([2; 32])), ..bare_header() }),
        ("place", Header { n: None, label: Some(MapKey([2; 32])), ..bare_header() }),
        ("unknown_number", Header { mode: 3, ..bare_header() }),
        ("unknown_number", Header { judge: [4, 5, 1, 2], ..bare_header() }),
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
    assert_eq!(with(8, &|w| done(w.uint(8).uint(23))), Err("unknown_number"));
    assert_eq!(with(9, &|w| done(w.uint(9).uint(u64::MAX))), Err("time"));
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
    assert_eq!(more(28, &|w| done(w.uint(0))), Err("not_canonical"));
    assert_eq!(more(29, &|w| done(w.uint(0))), Err("unknown_field"));
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
fn policies_ascend_in_what_is_read_as_in_what_is_written() {
    let of = |ids: [&str; 2]| Header { policies: ids.map(str::to_owned).to_vec(), ..bare_header() };
    let bytes = of(["p1", "p2"]).encode().unwrap();
    let at = bytes.windows(6).position(|six| six == b"\x62p1\x62p2").expect("both stand there");
    let read = |first: u8, second: u8| {
        let mut bent = bytes.clone();
        (bent[at + 2], bent[at + 5]) = (first, second);
        Header::decode(&bent)
    };
    assert_eq!(read(b'1', b'3'), Ok(of(["p1", "p3"])));
    for (first, second) in [(b'1', b'1'), (b'2', b'1')] {
        assert_eq!(read(first, second), Err(FormatError::Order("determining policies")));
    }
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

fn facts() -> [Part; 2] {
    let part = |slot, index, text: &str| {
        Part::new(slot, index, Some(subject()), drawn("salt", u64::from(index)), text.as_bytes().to_vec())
    };
    [part(Slot::Facts, 0, "plain facts"), part(Slot::Args, 2, "plain words")]
}

fn sealed_box() -> ([Part; 2], StoredBox<'static>) {
    let (id, key) = subject_key();
    let parts = facts();
    let stored = boxed(&parts.each_ref(), Some((&id, &key)), drawn("nonce", 0));
    (parts, stored)
}

fn listed(parts: &[Part]) -> Vec<PartRef> {
    let mut listed: Vec<PartRef> = parts.iter().map(Part::to_ref).collect();
    listed.sort_by_key(|part| (part.slot, part.index));
    listed
}

#[test]
fn boxes_open_under_their_key_and_place_alone() {
    let (id, key) = subject_key();
    let (parts, stored) = sealed_box();
    let list = listed(&parts);
    assert_eq!(stored.places, [(Slot::Facts, 0), (Slot::Args, 2)]);
    assert_eq!(stored.sealed.len(), 24 + 2 * (40 + 11) + 16);
    assert!(!stored.sealed.windows(5).any(|w| w == b"plain"));
    let opened = stored.open_listed(Some(&key), &list).unwrap();
    assert_eq!(opened.len(), 2);
    for (opened, part) in opened.iter().zip(&parts) {
        assert_eq!((opened.slot, opened.index, opened.salt), (part.slot, part.index, part.salt));
        assert_eq!(opened.plaintext, part.plaintext);
    }
    assert_eq!(stored.open_listed(None, &list), Err(PartError::KeyMissing));
    assert_eq!(stored.open_listed(Some(&SubjectKey::new([0; 32])), &list), Err(PartError::Unopened));
    assert_eq!(stored.open_listed(Some(&key), &list[..1]), Err(PartError::Unlisted));

    // The same person's other part, moved here; and the box under commitments in another order.
    let other = Part::new(Slot::Args, 2, Some(subject()), drawn("salt", 9), b"plain words".to_vec());
    let moved = boxed(&[&parts[0], &other], Some((&id, &key)), drawn("nonce", 1));
    assert_eq!(moved.open_listed(Some(&key), &list), Err(PartError::Unopened));
    let mut swapped = stored.clone();
    swapped.places.swap(0, 1);
    assert_eq!(swapped.open_listed(Some(&key), &list), Err(PartError::Unopened));

    for at in 0..stored.sealed.len() * 8 {
        let mut bent = stored.clone();
        bent.sealed.to_mut()[at / 8] ^= 1 << (at % 8);
        assert_eq!(bent.open_listed(Some(&key), &list), Err(PartError::Unopened), "bit {at}");
    }
    for cut in 0..stored.sealed.len() {
        let short = StoredBox { sealed: stored.sealed[..cut].into(), ..stored.clone() };
        assert_eq!(short.open_listed(Some(&key), &list), Err(PartError::Unopened));
    }
}

#[test]
fn parts_of_nobody_are_clear_and_still_committed() {
    let parts = [
        Part::new(Slot::Payload, 0, None, drawn("salt", 3), Vec::new()),
        Part::new(Slot::Payload, 1, None, drawn("salt", 4), b"xy".to_vec()),
    ];
    let list = listed(&parts);
    let stored = boxed(&parts.each_ref(), None, [0; 24]);
    assert!(stored.is_clear());
    let preimages = [&parts[0].salt[..], &[0; 8], &parts[1].salt, &[0, 0, 0, 0, 0, 0, 0, 2], b"xy"].concat();
    assert_eq!(*stored.sealed, preimages);
    assert_eq!(stored.open_listed(None, &list).unwrap()[1].plaintext, b"xy");
    for at in 0..preimages.len() * 8 {
        let mut bent = stored.clone();
        bent.sealed.to_mut()[at / 8] ^= 1 << (at % 8);
        // A length is the box's own word; whatever else is changed, the commitment speaks.
        let in_length = matches!(at / 8, 32..40 | 72..80);
        let wanted = if in_length { PartError::Content } else { PartError::Mismatch };
        assert_eq!(bent.open_listed(None, &list), Err(wanted), "bit {at}");
    }
    for cut in 0..preimages.len() {
        let short = StoredBox { sealed: preimages[..cut].into(), ..stored.clone() };
        assert_eq!(short.open_listed(None, &list), Err(PartError::Content));
    }
    let long = StoredBox { sealed: [&preimages[..], &[0]].concat().into(), ..stored.clone() };
    assert_eq!(long.open_listed(None, &list), Err(PartError::Content));
    let empty = StoredBox { places: Vec::new(), sealed: Vec::new().into(), ..stored };
    assert_eq!(empty.open_listed(None, &list), Err(PartError::Mixed));
}

#[test]
fn nothing_of_a_person_is_stored_in_the_clear() {
    let (id, key) = subject_key();
    let seal = |parts: &[&Part], key: Option<(&KeyId, &SubjectKey)>| {
        let parts: Vec<(&Part, Commitment)> = parts.iter().map(|part| (*part, part.commitment())).collect();
        StoredBox::seal(&parts, key, [0; 24]).map(drop)
    };
    let [part, mut other] = facts();
    assert_eq!(seal(&[&part], None), Err(PartError::KeyMissing));
    assert_eq!(seal(&[&part], Some((&KeyId([0; 16]), &key))), Err(PartError::KeyUnwanted));
    assert_eq!(seal(&[&part, &other], Some((&id, &key))), Ok(()));
    other.subject = Some(Uid::new("Pazar::Account", "can").unwrap());
    assert_eq!(seal(&[&part, &other], Some((&id, &key))), Err(PartError::Mixed));
    assert_eq!(seal(&[], None), Err(PartError::Mixed));
    other.subject = None;
    assert_eq!(seal(&[&part, &other], Some((&id, &key))), Err(PartError::Mixed));
    assert_eq!(seal(&[&other, &part], None), Err(PartError::Mixed));
    assert_eq!(seal(&[&other], Some((&id, &key))), Err(PartError::KeyUnwanted));
    other.plaintext = vec![0; PART_BYTES_MAX];
    assert_eq!(seal(&[&other], None), Ok(()));
    let nine: Vec<Part> = (0..9).map(|index| Part { index, ..other.clone() }).collect();
    assert_eq!(seal(&nine.iter().collect::<Vec<_>>(), None), Err(PartError::TooLarge));
    other.plaintext.push(0);
    assert_eq!(seal(&[&other], None), Err(PartError::TooLarge));
    let (parts, stored) = sealed_box();
    let shown = format!("{parts:?} {key:?} {:?}", stored.open_listed(Some(&key), &listed(&parts)));
    assert!(!shown.contains("plain") && !shown.contains("112, 108"), "{shown}");
}

#[test]
fn a_part_that_is_too_long_is_not_opened() {
    let long = [&[0; 32][..], &(PART_BYTES_MAX as u64 + 1).to_be_bytes(), &vec![0; PART_BYTES_MAX + 1]].concat();
    let stored = StoredBox { key: KeyId([0; 16]), places: vec![(Slot::Payload, 0)], sealed: long.into() };
    let list = [PartRef { slot: Slot::Payload, index: 0, commitment: Commitment([0; 32]) }];
    assert_eq!(stored.open_listed(None, &list), Err(PartError::TooLarge));
    let endless = [&[0; 32][..], &u64::MAX.to_be_bytes()].concat();
    let stored = StoredBox { sealed: endless.into(), ..stored };
    assert_eq!(stored.open_listed(None, &list), Err(PartError::Content));
    let huge = StoredBox { key: KeyId([1; 16]), sealed: vec![0; BOXES_BYTES_MAX + 1].into(), ..stored };
    assert_eq!(huge.open_listed(Some(&SubjectKey::new([0; 32])), &list), Err(PartError::TooLarge));
}

#[test]
fn lists_of_boxes_come_back() {
    let (_, a) = sealed_box();
    let b = boxed(&[&Part::new(Slot::Payload, 0, None, [0; 32], b"x".to_vec())], None, [0; 24]);
    let bytes = encode_stored(&[a.clone(), b.clone()]).unwrap();
    assert_eq!(decode_stored(&bytes), Ok(vec![b.clone(), a.clone()]));
    assert_eq!(encode_stored(&[]), Ok(vec![0x80]));
    assert_eq!(decode_stored(&[0x80]), Ok(vec![]));
    for cut in 0..bytes.len() {
        assert!(decode_stored(&bytes[..cut]).is_err());
    }
    let code = |boxes: &[StoredBox<'_>]| {
        let read = decode_stored(&written_boxes(boxes)).map(drop).map_err(|e| e.code());
        let mut sorted = boxes.to_vec();
        sorted.sort_by_key(|b| b.key);
        if sorted == boxes {
            assert_eq!(encode_stored(boxes).map(drop).map_err(|e| e.code()), read, "what is not read is not written");
        }
        read
    };
    assert_eq!(code(&[b.clone(), a.clone()]), Ok(()));
    assert_eq!(code(&[a.clone(), b.clone()]), Err("order"));
    assert_eq!(code(&[a.clone(), a.clone()]), Err("order"));
    let with = |places: &[(Slot, u8)]| StoredBox { places: places.to_vec(), ..a.clone() };
    assert_eq!(code(&[with(&[(Slot::Args, 2), (Slot::Facts, 0)])]), Err("order"));
    assert_eq!(code(&[with(&[(Slot::Args, 2), (Slot::Args, 2)])]), Err("order"));
    assert_eq!(code(&[with(&[])]), Err("empty"));
    assert_eq!(code(&[b.clone(), with(&[(Slot::Payload, 0)])]), Err("twice"));
    let many = |from: u8, count: u8| (from..from + count).map(|index| (Slot::Args, index)).collect::<Vec<_>>();
    assert_eq!(code(&[with(&many(0, 64))]), Ok(()));
    assert_eq!(code(&[with(&many(0, 65))]), Err("too_large"));
    assert_eq!(code(&[b.clone(), with(&many(0, 64))]), Err("too_large"));
    let each: Vec<StoredBox<'_>> =
        (1..=65).map(|i| StoredBox { key: KeyId([i; 16]), places: many(i, 1), sealed: vec![].into() }).collect();
    assert_eq!((code(&each[..64]), code(&each)), (Ok(()), Err("too_large")));
    let half = |key| StoredBox { key: KeyId([key; 16]), places: many(key, 1), sealed: vec![0; BOXES_BYTES_MAX / 2].into() };
    assert_eq!(code(&[half(1), half(2)]), Ok(()));
    assert_eq!(code(&[b, half(1), half(2)]), Err("too_large"));
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
        (n, prev, stream) in (prop_oneof![Just(0), any::<u64>()], any_bytes::<32>(), any::<bool>()),
        label in prop::option::of(any_bytes::<32>()),
        (kind, decision, durability) in (1u64..=21, 0u64..=2, 0u64..=2),
        (time, mode, directory_version) in (0i64..=9_214_646_399_999, 0u8..=2, any::<u64>()),
        (language, ours, compat) in (any::<[u16; 2]>(), any::<u16>(), 0u16..=1),
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
            judge: [language[0], language[1], ours, compat],
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
            label: label.filter(|_| !stream && n == 0).map(MapKey),
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
    fn parts_come_back(
        plain in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        seed in any::<u64>(),
        owned in any::<bool>(),
    ) {
        let (id, key) = subject_key();
        let parts: Vec<Part> = (0u8..)
            .zip(plain)
            .map(|(i, plain)| Part::new(Slot::Context, i, owned.then(subject), drawn("salt", seed ^ u64::from(i)), plain))
            .collect();
        let stored = boxed(&parts.iter().collect::<Vec<_>>(), owned.then_some((&id, &key)), drawn("nonce", seed));
        let bytes = encode_stored(&[stored]).unwrap();
        let opened = decode_stored(&bytes).unwrap()[0].open_listed(Some(&key), &listed(&parts)).unwrap();
        prop_assert_eq!(opened.len(), parts.len());
        for (opened, part) in opened.into_iter().zip(parts) {
            prop_assert_eq!((opened.index, opened.salt, opened.plaintext), (part.index, part.salt, part.plaintext));
        }
    }

    #[test]
    fn a_bent_list_of_boxes_never_passes_for_another_spelling(at in any::<prop::sample::Index>(), to in any::<u8>(), cut in 0usize..3) {
        let b = boxed(&[&Part::new(Slot::Payload, 0, None, [0; 32], vec![7; 300])], None, [0; 24]);
        let mut bytes = encode_stored(&[sealed_box().1, b]).unwrap();
        let at = at.index(bytes.len());
        match cut {
            0 => bytes[at] = to,
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, to),
        }
        if let Ok(boxes) = decode_stored(&bytes) {
            prop_assert_eq!(encode_stored(&boxes), Ok(bytes.clone()));
            prop_assert_eq!(written_boxes(&boxes), bytes);
        }
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
