//! Headers, boxes of parts, receipts, values.

use super::super::*;
use super::*;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hos_core::limits::HEADER_BYTES_MAX;

fn header_case(note: &str, header: &Header) -> Json {
    let bytes = header.encode().unwrap();
    json!({"what": "header", "about": note, "fields": header_json(header), "bytes": hex(&bytes), "hash": record_hash(&bytes).to_string()})
}

fn value_case(note: &str, value: Value) -> Json {
    json!({"what": "value", "about": note, "value": value_json(&value), "bytes": hex(encode_value(&value))})
}

fn box_case(note: &str, parts: &[&Part], nonce: [u8; 24]) -> Json {
    let (id, key) = subject_key();
    let owned = parts[0].subject.is_some();
    let mut case = box_json(&boxed(parts, owned.then_some((&id, &key)), nonce));
    case["what"] = "box".into();
    case["about"] = note.into();
    case["commitments"] = parts.iter().map(|part| part.commitment().to_string()).collect();
    case["parts"] = parts.iter().map(|part| json!({"salt": hex(part.salt), "plaintext": hex(&part.plaintext)})).collect();
    if owned {
        case["nonce"] = hex(nonce).into();
        case["key"] = hex(key.expose()).into();
    }
    case
}

/// A person's box with a content that no sealer makes, under the commitments of these parts.
fn odd_content(note: &str, parts: &[&Part], content: &[u8]) -> Json {
    let mut case = box_case(note, parts, drawn("nonce", 2));
    let aad: Vec<u8> = parts.iter().flat_map(|part| part.commitment().0).collect();
    let nonce = drawn::<24>("nonce", 2);
    let cipher = XChaCha20Poly1305::new(subject_key().1.expose().into());
    let boxed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: content, aad: &aad }).unwrap();
    case["sealed"] = hex([&nonce[..], &boxed].concat()).into();
    case["error"] = "content".into();
    case.as_object_mut().unwrap().remove("parts");
    case
}

pub(in super::super) fn record_vectors() -> Vectors {
    let stream = Header { n: None, prev: None, kind: Kind::Noted, ..bare_header() };
    let bare = bare_header().encode().unwrap();
    let full = full_header().encode().unwrap();
    let labelled = Header { label: Some(MapKey(drawn("label", 0))), ..bare_header() };
    let label_at = |bytes: &[u8]| [&[bytes[0] + 1][..], &bytes[1..], &[0x18, 28]].concat();
    let with_label = |bytes: &[u8]| [&label_at(bytes)[..], &[0x58, 32], &[1; 32]].concat();
    let second = Header { n: Some(1), prev: Some(RecordHash([1; 32])), ..bare_header() };
    let label_later = with_label(&second.encode().unwrap());
    let policies = vec!["aa".to_owned(), "bb".to_owned()];
    let two = Header { policies, ..second.clone() }.encode().unwrap();
    let several = with_label(&replaced(&two, b"\x62aa\x62bb", b"\x62cc\x62bb"));
    let label_in_stream = with_label(&stream.encode().unwrap());
    let owned = Part::new(Slot::Args, 1, Some(subject()), drawn("salt", 0), b"amount: 4200".to_vec());
    let clear = Part::new(Slot::Payload, 0, None, drawn("salt", 1), vec![0, 255, 10]);
    let id = Part::new(Slot::Id, 0, Some(subject()), drawn("salt", 2), b"o-17".to_vec());
    let sealed = box_case("a person's parts", &[&owned, &id], drawn("nonce", 0));
    let open = box_case("nobody's part: salt, length, plaintext", &[&clear], [0; 24]);
    let preimage = |part: &Part| [&part.salt[..], &(part.plaintext.len() as u64).to_be_bytes(), &part.plaintext].concat();
    let (first, second) = (preimage(&owned), preimage(&id));
    let longer =
        |part: &Part, by: u64| [&part.salt[..], &(part.plaintext.len() as u64 + by).to_be_bytes(), &part.plaintext].concat();
    let flip = |case: &mut Json, at: usize| {
        let mut bytes = raw(case, "sealed");
        bytes[at] ^= 1;
        case["sealed"] = hex(bytes).into();
    };
    let (key_id, key) = subject_key();
    let nobodys = boxed(&[&clear], None, [0; 24]);
    let of_person = boxed(&[&owned, &id], Some((&key_id, &key)), drawn("nonce", 0));
    let list = encode_stored(&[nobodys.clone(), of_person.clone()]).unwrap();
    let list_case =
        |note: &str, boxes: &[StoredBox<'static>], error: &str| refused("box_list", note, &written_boxes(boxes), error);
    let placed = |places: &[(Slot, u8)]| StoredBox { places: places.to_vec(), ..of_person.clone() };
    let many = |count: u8| placed(&(0..count).map(|index| (Slot::Args, index)).collect::<Vec<_>>());
    let pending = Receipt {
        tenant: tenant(),
        thread: Handle(drawn("thread", 0)),
        n: Some(4),
        record: RecordHash(drawn("record", 0)),
        seal: Seal::Pending,
    };
    let seal = Seal::Sealed { seq: 7, entry: EntryHash(drawn("entry", 0)), checkpoint: Log::grown(8).note() };
    let receipt =
        |note: &str, r: &Receipt| json!({"what": "receipt", "about": note, "fields": receipt_json(r), "bytes": hex(r.encode())});
    let nested = Value::Record(
        [
            ("b".to_owned(), 1.into()),
            ("aa".to_owned(), Value::Set([2.into(), "x".into(), true.into(), (-1).into()].into())),
            ("owner".to_owned(), Value::Entity(subject())),
            ("price".to_owned(), Value::Ext(Ext::Decimal, "1.5000".into())),
        ]
        .into(),
    );
    let deep = |depth: usize| (1..depth).fold(vec![0x82, 1, 0x80], |inner, _| [&[0x82, 1, 0x81][..], &inner].concat());
    numbered(vec![
        ("header_bare", header_case("only what is always there", &bare_header())),
        ("header_full", header_case("every field", &full_header())),
        ("header_stream", header_case("of a named stream: no place in the header", &stream)),
        ("header_version", refused("header", "version 2", &replaced(&bare, &[0xaf, 1, 1], &[0xaf, 1, 2]), "version")),
        ("header_suite", refused("header", "suite 2", &replaced(&bare, &[1, 1, 2, 1, 3], &[1, 1, 2, 2, 3]), "suite")),
        ("header_left_over", refused("header", "a byte too many", &[&bare[..], &[0]].concat(), "not_canonical")),
        ("header_cut", refused("header", "a byte too few", &bare[..bare.len() - 1], "not_canonical")),
        (
            "header_long_int",
            refused("header", "kind 1 in two bytes", &replaced(&bare, &[8, 1, 9], &[8, 0x18, 1, 9]), "not_canonical"),
        ),
        (
            "header_indefinite",
            refused("header", "an indefinite list", &replaced(&bare, &[0x12, 0x80], &[0x12, 0x9f, 0xff]), "not_canonical"),
        ),
        ("header_float", refused("header", "a float", &replaced(&bare, &[0x0e, 0], &[0x0e, 0xf9, 0, 0]), "not_canonical")),
        ("header_null", refused("header", "a null", &replaced(&bare, &[0x12, 0x80], &[0x12, 0xf6]), "not_canonical")),
        ("header_tag", refused("header", "a tag", &replaced(&bare, &[0x12, 0x80], &[0x12, 0xc1, 0x80]), "not_canonical")),
        (
            "header_key_order",
            refused("header", "two fields swapped", &replaced(&bare, &[0x0e, 0, 0x0f, 0], &[0x0f, 0, 0x0e, 0]), "missing_field"),
        ),
        (
            "header_key_twice",
            refused("header", "a field twice", &replaced(&bare, &[0x0e, 0, 0x0f, 0], &[0x0e, 0, 0x0e, 0]), "not_canonical"),
        ),
        (
            "header_unknown_field",
            refused("header", "field 29", &[&[0xb0][..], &bare[1..], &[0x18, 29, 0]].concat(), "unknown_field"),
        ),
        (
            "header_missing_field",
            refused("header", "no parts", &[&[0xae][..], &bare[1..bare.len() - 3]].concat(), "missing_field"),
        ),
        ("header_unknown_kind", refused("header", "kind 23", &replaced(&bare, &[8, 1, 9], &[8, 23, 9]), "unknown_number")),
        (
            "header_unknown_decision",
            refused("header", "decision 3", &replaced(&bare, &[0x10, 0, 0x12], &[0x10, 3, 0x12]), "unknown_number"),
        ),
        ("header_tenant", refused("header", "a tenant in capitals", &replaced(&bare, b"pazar-tr", b"PAZAR-TR"), "malformed")),
        (
            "header_not_utf8",
            refused("header", "a tenant that is not UTF-8", &replaced(&bare, b"pazar-tr", b"pazar-\xff\xff"), "not_canonical"),
        ),
        (
            "header_place",
            refused(
                "header",
                "n 1 without a previous hash",
                &[&[0xaf][..], &replaced(&bare, &[6, 0, 8, 1], &[6, 1, 8, 1])[1..]].concat(),
                "place",
            ),
        ),
        (
            "header_policies_order",
            refused("header", "policies out of order", &replaced(&full, b"buyer-pays", b"duyer-pays"), "order"),
        ),
        (
            "header_parts_order",
            refused("header", "a part's index twice", &replaced(&full, &[0x83, 4, 1], &[0x83, 4, 0]), "order"),
        ),
        (
            "header_group",
            refused(
                "header",
                "place 3 in a group of 3",
                &replaced(&full, &[1, 3, 0x18, 27], &[3, 3, 0x18, 27]),
                "unknown_number",
            ),
        ),
        ("header_too_large", refused("header", "longer than 16 KiB", &vec![0; HEADER_BYTES_MAX + 1], "too_large")),
        ("box_sealed", sealed.clone()),
        ("box_clear", open.clone()),
        ("box_clear_several", {
            let more = Part::new(Slot::Payload, 1, None, drawn("salt", 3), Vec::new());
            box_case("nobody's parts, one of them empty", &[&clear, &more], [0; 24])
        }),
        ("box_no_key", bent(&sealed, "the key was destroyed", "key_missing", |c| drop(c.as_object_mut().unwrap().remove("key")))),
        ("box_wrong_key", bent(&sealed, "another person's key", "unopened", |c| c["key"] = hex([3; 32]).into())),
        ("box_bent_nonce", bent(&sealed, "a bit of the nonce", "unopened", |c| flip(c, 0))),
        ("box_bent_text", bent(&sealed, "a bit of the ciphertext", "unopened", |c| flip(c, 24))),
        (
            "box_moved",
            bent(&sealed, "under another record's commitments", "unopened", |c| c["commitments"][0] = hex([5; 32]).into()),
        ),
        (
            "box_commitments_swapped",
            bent(&sealed, "associated data in another order", "unopened", |c| {
                c["commitments"].as_array_mut().unwrap().swap(0, 1)
            }),
        ),
        (
            "box_part_dropped",
            bent(&sealed, "associated data of one of its parts alone", "unopened", |c| {
                c["commitments"].as_array_mut().unwrap().truncate(1);
                c["places"].as_array_mut().unwrap().truncate(1);
            }),
        ),
        ("box_short", bent(&sealed, "shorter than its nonce", "unopened", |c| c["sealed"] = hex([0; 23]).into())),
        ("box_no_tag", bent(&sealed, "shorter than nonce and tag", "unopened", |c| c["sealed"] = hex([0; 39]).into())),
        (
            "box_length_beyond",
            odd_content("a length beyond the content", &[&owned, &id], &[&first[..], &longer(&id, 1)].concat()),
        ),
        (
            "box_length_endless",
            odd_content("a length of 2^64-1", &[&owned, &id], &[&first[..], &drawn::<32>("salt", 2), &[255; 8]].concat()),
        ),
        ("box_left_over", odd_content("left-over content", &[&owned, &id], &[&first[..], &second, &[0]].concat())),
        ("box_part_too_few", odd_content("one part where two are listed", &[&owned, &id], &first)),
        ("box_clear_bent", bent(&open, "a bit of the plaintext", "mismatch", |c| flip(c, 41))),
        ("box_clear_salt", bent(&open, "a bit of the salt", "mismatch", |c| flip(c, 0))),
        ("box_clear_length", bent(&open, "a bit of the length", "content", |c| flip(c, 39))),
        ("box_clear_short", bent(&open, "shorter than salt and length", "content", |c| c["sealed"] = hex([0; 39]).into())),
        (
            "box_clear_left_over",
            bent(&open, "a byte too many", "content", |c| {
                c["sealed"] = (text(c, "sealed").to_owned() + "00").into();
            }),
        ),
        ("box_key_dropped", bent(&sealed, "passed off as nobody's", "content", |c| c["key_id"] = hex([0; 16]).into())),
        (
            "box_list",
            json!({
                "what": "box_list", "about": "a record's stored parts", "bytes": hex(&list),
                "boxes": [box_json(&nobodys), box_json(&of_person)],
            }),
        ),
        ("box_list_empty", json!({"what": "box_list", "about": "no parts", "boxes": [], "bytes": "80"})),
        ("box_list_order", list_case("boxes out of order", &[of_person.clone(), nobodys.clone()], "order")),
        ("box_list_key_twice", list_case("a key twice", &[of_person.clone(), placed(&[(Slot::Facts, 0)])], "order")),
        ("box_list_part_order", list_case("parts out of order in a box", &[placed(&[(Slot::Id, 0), (Slot::Args, 1)])], "order")),
        ("box_list_part_repeats", list_case("a part twice in a box", &[placed(&[(Slot::Id, 0), (Slot::Id, 0)])], "order")),
        ("box_list_part_twice", list_case("a part in two boxes", &[nobodys.clone(), placed(&[(Slot::Payload, 0)])], "twice")),
        ("box_list_no_part", list_case("a box without parts", &[placed(&[])], "empty")),
        ("box_list_many", list_case("65 parts in all", &[nobodys.clone(), many(64)], "too_large")),
        ("box_list_slot", refused("box_list", "slot 23", &replaced(&list, &[0x82, 8, 0], &[0x82, 23, 0]), "unknown_number")),
        (
            "box_list_index",
            refused("box_list", "index 256", &replaced(&list, &[0x82, 8, 0], &[0x82, 8, 0x19, 1, 0]), "not_canonical"),
        ),
        (
            "box_list_long_int",
            refused("box_list", "slot 8 in two bytes", &replaced(&list, &[0x82, 8, 0], &[0x82, 0x18, 8, 0]), "not_canonical"),
        ),
        (
            "box_list_key_id",
            refused(
                "box_list",
                "a key id of 15 bytes",
                &replaced(&list, &[&[0x83, 0x50][..], &[0; 16]].concat(), &[&[0x83, 0x4f][..], &[0; 15]].concat()),
                "not_canonical",
            ),
        ),
        ("box_list_left_over", refused("box_list", "a byte too many", &[&list[..], &[0x80]].concat(), "not_canonical")),
        ("box_list_cut", refused("box_list", "a byte too few", &list[..list.len() - 1], "not_canonical")),
        ("receipt_pending", receipt("not sealed yet", &pending)),
        ("receipt_stream", receipt("of a named stream, not sealed yet", &Receipt { n: None, ..pending.clone() })),
        ("receipt_sealed", receipt("sealed", &Receipt { seal, ..pending.clone() })),
        ("receipt_cut", refused("receipt", "a byte too few", &pending.encode()[..pending.encode().len() - 1], "not_canonical")),
        (
            "receipt_half_sealed",
            refused(
                "receipt",
                "a seq without its entry",
                &[&[0xa7][..], &pending.encode()[1..], &[7, 7]].concat(),
                "missing_field",
            ),
        ),
        ("value_nested", value_case("keys by length first, a set by its members' bytes", nested)),
        ("value_min", value_case("the least integer", i64::MIN.into())),
        ("value_max", value_case("the greatest integer", i64::MAX.into())),
        ("value_text", value_case("any UTF-8", "a\u{0}ş\u{1f600}".into())),
        ("value_empty_set", value_case("the empty set", Value::Set([].into()))),
        (
            "value_keys_alphabetic",
            refused("value", "keys in alphabetic order", &[0xa2, 0x62, b'a', b'a', 1, 0x61, b'b', 1], "not_canonical"),
        ),
        ("value_key_twice", refused("value", "a key twice", &[0xa2, 0x61, b'b', 1, 0x61, b'b', 1], "not_canonical")),
        ("value_set_order", refused("value", "a set out of order", &[0x82, 1, 0x82, 2, 1], "not_canonical")),
        ("value_set_twice", refused("value", "a member twice", &[0x82, 1, 0x82, 1, 1], "not_canonical")),
        ("value_too_low", refused("value", "below 64 bits", &[0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0], "not_canonical")),
        ("value_too_high", refused("value", "beyond 64 bits", &[0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0], "not_canonical")),
        ("value_bytes", refused("value", "bytes are no value", &[0x41, 0], "not_canonical")),
        ("value_float", refused("value", "a float", &[0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "not_canonical")),
        ("value_null", refused("value", "a null", &[0xf6], "not_canonical")),
        (
            "value_undefined_function",
            refused("value", "an extension that Cedar has not", &[0x83, 2, 0x61, b'f', 0x60], "not_canonical"),
        ),
        ("value_empty_id", refused("value", "an entity without an id", &[0x83, 0, 0x61, b'T', 0x60], "not_canonical")),
        ("value_too_deep", refused("value", "41 sets in each other", &deep(41), "not_canonical")),
        (
            "value_claims_much",
            refused("value", "an array that claims 2^63 items", &[0x9b, 0x80, 0, 0, 0, 0, 0, 0, 0], "not_canonical"),
        ),
        ("header_label", header_case("a birth that bears its label", &labelled)),
        (
            "header_label_short",
            refused("header", "a label of 31 bytes", &[&label_at(&bare)[..], &[0x58, 31], &[1; 31]].concat(), "not_canonical"),
        ),
        ("header_label_later", refused("header", "a label where n is not 0", &label_later, "place")),
        ("header_label_stream", refused("header", "a label in a named stream", &label_in_stream, "place")),
        (
            "header_compat",
            refused(
                "header",
                "compat 2",
                &replaced(&bare, &[0x0d, 0x84, 0, 0, 0, 0], &[0x0d, 0x84, 0, 0, 0, 2]),
                "unknown_number",
            ),
        ),
        ("header_mode", refused("header", "mode 3", &replaced(&bare, &[0x0e, 0, 0x0f], &[0x0e, 3, 0x0f]), "unknown_number")),
        ("header_compat_cedar", header_case("judged as Cedar alone does", &Header { judge: [4, 5, 1, 1], ..bare_header() })),
        ("header_order_before_place", refused("header", "policies out of order, and a label where n is 1", &several, "order")),
        (
            "value_type",
            refused("value", "an entity whose type is no identifier", &[0x83, 0, 0x62, b'T', b'+', 0x61, b'a'], "not_canonical"),
        ),
        (
            "value_type_digit",
            refused("value", "a type that begins with a digit", &[0x83, 0, 0x61, b'1', 0x61, b'a'], "not_canonical"),
        ),
        (
            "value_type_half",
            refused("value", "a type of a namespace alone", &[0x83, 0, 0x63, b'T', b':', b':', 0x61, b'a'], "not_canonical"),
        ),
    ])
}
