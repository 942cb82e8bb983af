//! The vectors, made from fixed seeds.

use super::*;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hos_core::proof::tree::{node_from_tiles, prove_consistency, prove_inclusion};

fn numbered(cases: Vec<(&str, Json)>) -> Vectors {
    cases.into_iter().enumerate().map(|(i, (name, case))| (format!("{:03}_{name}.json", i + 1), case)).collect()
}

fn header_case(note: &str, header: &Header) -> Json {
    let bytes = header.encode().unwrap();
    json!({"what": "header", "about": note, "fields": header_json(header), "bytes": hex(&bytes), "hash": record_hash(&bytes).to_string()})
}

fn refused(what: &str, note: &str, bytes: &[u8], error: &str) -> Json {
    json!({"what": what, "about": note, "bytes": hex(bytes), "error": error})
}

fn value_case(note: &str, value: Value) -> Json {
    json!({"what": "value", "about": note, "value": value_json(&value), "bytes": hex(encode_value(&value))})
}

/// Replaces the one place where a run of bytes stands.
#[track_caller]
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at: Vec<usize> = (0..=bytes.len() - from.len()).filter(|i| bytes[*i..].starts_with(from)).collect();
    assert_eq!(at.len(), 1, "the place is not the only one");
    [&bytes[..at[0]], to, &bytes[at[0] + from.len()..]].concat()
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

fn bent(case: &Json, note: &str, error: &str, change: impl FnOnce(&mut Json)) -> Json {
    let mut case = case.clone();
    case["about"] = note.into();
    case["error"] = error.into();
    change(&mut case);
    case
}

pub(super) fn record_vectors() -> Vectors {
    let stream = Header { n: None, prev: None, kind: Kind::Noted, ..bare_header() };
    let bare = bare_header().encode().unwrap();
    let full = full_header().encode().unwrap();
    let labelled = Header { label: Some(MapKey(drawn("label", 0))), ..bare_header() };
    let label_at = |bytes: &[u8]| [&[bytes[0] + 1][..], &bytes[1..], &[0x18, 28]].concat();
    let with_label = |bytes: &[u8]| [&label_at(bytes)[..], &[0x58, 32], &[1; 32]].concat();
    let second = Header { n: Some(1), prev: Some(RecordHash([1; 32])), ..bare_header() };
    let label_later = with_label(&second.encode().unwrap());
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
    ])
}

fn entry_case(note: &str, entry: &Entry) -> Json {
    let bytes = entry.encode().unwrap();
    json!({
        "what": "entry", "about": note, "fields": entry_json(entry), "bytes": hex(&bytes),
        "hash": entry_hash(&bytes).to_string(), "leaf": tree_leaf(&bytes).to_string(),
    })
}

fn log_case(note: &str, rows: &[Row], notes: &[String], change: impl FnOnce(&mut Json)) -> Json {
    let (id, key) = subject_key();
    let entries: Vec<Json> =
        rows.iter().map(|row| json!({"entry": hex(&row.entry), "parts": hex(encode_stored(&row.boxes).unwrap())})).collect();
    let mut case = json!({
        "what": "log", "about": note, "store": store().to_string(), "tenant": tenant().as_str(), "epoch": 0, "predecessor": "",
        "verifier_key": note_key().to_string(), "keys": [{"key_id": id.to_string(), "key": hex(key.expose())}],
        "checkpoints": notes, "entries": entries,
    });
    change(&mut case);
    case["report"] = report_json(&run_log(&case));
    case
}

fn checkpoint_case(note: &str, checkpoint: &Checkpoint) -> Json {
    json!({
        "what": "checkpoint", "about": note, "verifier_key": note_key().to_string(), "seed": hex(drawn::<32>("seal-key", 0)),
        "note": checkpoint.sign(&seal_key()).unwrap(), "origin": checkpoint.origin, "size": checkpoint.size,
        "root": checkpoint.root.to_string(), "extensions": checkpoint.extensions,
    })
}

fn bad_note(note: String, error: &str) -> Json {
    json!({"what": "checkpoint", "verifier_key": note_key().to_string(), "note": note, "error": error})
}

fn bad_key(text: String) -> Json {
    json!({"what": "verifier_key", "verifier_key": text, "error": "verifier_key"})
}

fn rebuilt(row: &Row, change: impl FnOnce(&mut Entry)) -> Row {
    let mut entry = Entry::decode(&row.entry).unwrap();
    change(&mut entry);
    Row { entry: entry.encode().unwrap(), boxes: row.boxes.clone() }
}

pub(super) fn chain_vectors() -> Vectors {
    let log = Log::grown(12);
    let note = log.note();
    let anchored = [Log::grown(5).note(), note.clone()];
    let genesis = LogHead::genesis(store(), 0, tenant(), b"");
    let first = genesis.next(Timestamp(START), None, None, bare_header().encode().unwrap());
    let bytes = first.encode().unwrap();
    let stream = Entry::decode(&log.rows[9].entry).unwrap();
    let stream_start = Entry::decode(&log.rows[4].entry).unwrap();
    let disputed = Entry { disputed: Some(Dispute::Malformed.number()), header: b"not a header".to_vec(), ..first.clone() };
    let genesis_case = |note: &str, epoch: u64, predecessor: &str| {
        json!({
            "what": "genesis", "about": note, "store": store().to_string(), "tenant": tenant().as_str(), "epoch": epoch,
            "predecessor": predecessor,
            "hash": genesis_hash(&store(), epoch, &tenant(), predecessor.as_bytes()).to_string(),
        })
    };
    let leaves: Vec<TreeHash> = log.rows.iter().map(|row| tree_leaf(&row.entry)).collect();
    let nodes = |level, index| node_from_tiles(level, index, &|l, i| (l == 0 && i == 0).then(|| leaves.clone()));
    let texts = |proof: &[TreeHash]| proof.iter().map(|h| h.to_string()).collect::<Vec<_>>();
    let root = log.tree.root();
    let old_root = Log::grown(5).tree.root();
    let inclusion = json!({
        "what": "inclusion", "index": 6, "size": 12, "leaf": leaves[6].to_string(), "root": root.to_string(),
        "proof": texts(&prove_inclusion(6, 12, &nodes).unwrap()),
    });
    let consistency = json!({
        "what": "consistency", "old_size": 5, "size": 12, "old_root": old_root.to_string(), "root": root.to_string(),
        "proof": texts(&prove_consistency(5, 12, &nodes).unwrap()),
    });
    let spoiled = |case: &Json, note: &str, change: &dyn Fn(&mut Json)| {
        let mut case = case.clone();
        change(&mut case);
        case["error"] = "proof".into();
        case["about"] = note.into();
        case
    };
    let whole = |note: &str, rows: &[Row], notes: &[String]| log_case(note, rows, notes, |_| ());
    let with = |note: &str, change: &dyn Fn(&mut Vec<Row>)| {
        let mut rows = log.rows.clone();
        change(&mut rows);
        whole(note, &rows, &anchored)
    };
    let mut forked = Log::grown(11);
    forked.with_parts = false;
    forked.grow();
    let mut disputing = Log::grown(3);
    let entry = disputing.head.next(Timestamp(START + 9000), None, Some(Dispute::Malformed), b"not a header".to_vec());
    disputing.append(&entry, Vec::new());
    disputing.grow();
    let checkpoint = log.checkpoint();
    let extended = Checkpoint { extensions: vec!["an extension".into(), "another".into()], ..checkpoint.clone() };
    let (key_name, key_rest) = {
        let text = note_key().to_string();
        let (a, b) = text.split_once('+').unwrap();
        (a.to_owned(), b.to_owned())
    };
    let signature = note.lines().last().unwrap().to_owned();
    let other_key = SealKey::from_seed(&[9; 32]);
    let stranger = checkpoint.sign(&other_key).unwrap();
    numbered(vec![
        ("genesis_first", genesis_case("the first log of a tenant", 0, "")),
        ("genesis_epoch", genesis_case("a new epoch that cites a checkpoint", 1, &note)),
        ("entry_first", entry_case("the first entry of a log", &first)),
        ("entry_stream_first", entry_case("the first record of a named stream", &stream_start)),
        ("entry_stream", entry_case("a later record of a named stream", &stream)),
        ("entry_disputed", entry_case("disputed: the header may be anything", &disputed)),
        ("entry_version", refused("entry", "version 2", &replaced(&bytes, &[0xa9, 1, 1], &[0xa9, 1, 2]), "version")),
        ("entry_suite", refused("entry", "suite 2", &[&bytes[..4], &[2], &bytes[5..]].concat(), "suite")),
        ("entry_left_over", refused("entry", "a byte too many", &[&bytes[..], &[0]].concat(), "not_canonical")),
        ("entry_cut", refused("entry", "a byte too few", &bytes[..bytes.len() - 1], "not_canonical")),
        (
            "entry_long_int",
            refused(
                "entry",
                "epoch 0 in two bytes",
                &replaced(&bytes, &[4, 0, 5, 0x68], &[4, 0x18, 0, 5, 0x68]),
                "not_canonical",
            ),
        ),
        (
            "entry_stream_place",
            refused(
                "entry",
                "place 0 of a stream with a predecessor",
                &replaced(&stream.encode().unwrap(), &[9, 1, 10, 0x58], &[9, 0, 10, 0x58]),
                "place",
            ),
        ),
        (
            "entry_tenant",
            refused("entry", "a tenant in capitals", &replaced(&bytes, b"\x05\x68pazar-tr", b"\x05\x68PAZAR-TR"), "malformed"),
        ),
        ("entry_too_large", refused("entry", "longer than a header and 512 bytes", &vec![0; ENTRY_BYTES_MAX + 1], "too_large")),
        ("checkpoint", checkpoint_case("of twelve entries", &checkpoint)),
        ("checkpoint_empty", checkpoint_case("of the empty log", &Log::new().checkpoint())),
        ("checkpoint_extended", checkpoint_case("with extensions", &extended)),
        (
            "checkpoint_witnessed",
            json!({
                "what": "checkpoint", "verifier_key": note_key().to_string(), "origin": checkpoint.origin, "size": 12,
                "root": root.to_string(), "extensions": [],
                "note": format!("{note}\u{2014} witness.example/w1 AAAAAQECAwQF\n"),
            }),
        ),
        ("checkpoint_other_key", bad_note(stranger.clone(), "unsigned")),
        ("checkpoint_other_size", bad_note(note.replacen("\n12\n", "\n13\n", 1), "signature")),
        ("checkpoint_false_second", bad_note(format!("{note}{}\n", Log::grown(5).note().lines().last().unwrap()), "signature")),
        ("checkpoint_unsigned", bad_note(note.replace(&signature, ""), "malformed")),
        ("checkpoint_no_newline", bad_note(note.trim_end().to_owned(), "malformed")),
        ("checkpoint_carriage_return", bad_note(note.replace('\n', "\r\n"), "malformed")),
        ("checkpoint_hyphen", bad_note(note.replace('\u{2014}', "-"), "malformed")),
        ("checkpoint_name_plus", bad_note(note.replace("\u{2014} hos/", "\u{2014} hos+"), "name")),
        ("verifier_key_other_name", bad_key(format!("{key_name}x+{key_rest}"))),
        ("verifier_key_no_id", bad_key(key_name.clone())),
        ("verifier_key_small_order", bad_key(format!("{key_name}+91e5e580+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))),
        ("inclusion", inclusion.clone()),
        ("inclusion_other_leaf", spoiled(&inclusion, "another leaf", &|c| c["leaf"] = leaves[7].to_string().into())),
        ("inclusion_other_index", spoiled(&inclusion, "another place", &|c| c["index"] = 7.into())),
        ("inclusion_beyond", spoiled(&inclusion, "a place beyond the tree", &|c| c["index"] = 12.into())),
        ("inclusion_truncated", spoiled(&inclusion, "a hash too few", &|c| drop(c["proof"].as_array_mut().unwrap().pop()))),
        (
            "inclusion_longer",
            spoiled(&inclusion, "a hash too many", &|c| c["proof"].as_array_mut().unwrap().push(root.to_string().into())),
        ),
        ("consistency", consistency.clone()),
        (
            "consistency_swapped",
            spoiled(&consistency, "the roots swapped", &|c| {
                (c["root"], c["old_root"]) = (c["old_root"].clone(), c["root"].clone())
            }),
        ),
        ("consistency_truncated", spoiled(&consistency, "a hash too few", &|c| drop(c["proof"].as_array_mut().unwrap().pop()))),
        (
            "consistency_reordered",
            spoiled(&consistency, "two hashes swapped", &|c| c["proof"].as_array_mut().unwrap().swap(0, 1)),
        ),
        ("consistency_from_nothing", spoiled(&consistency, "an empty old tree proves nothing", &|c| c["old_size"] = 0.into())),
        ("log_whole", whole("twelve entries under two checkpoints", &log.rows, &anchored)),
        ("log_unanchored", whole("no checkpoint: intact, and not anchored", &log.rows, &[])),
        ("log_erased", log_case("the person's key was destroyed", &log.rows, &anchored, |c| c["keys"] = json!([]))),
        (
            "log_without_parts",
            log_case("the parts are withheld", &log.rows, &anchored, |c| {
                for row in c["entries"].as_array_mut().unwrap() {
                    row["parts"] = Json::Null;
                }
            }),
        ),
        ("log_disputed", whole("an entry that the sealer disputes", &disputing.rows, &[disputing.note()])),
        ("log_end_lost", whole("the end was lost: the chain that is left is whole", &log.rows[..9], &anchored)),
        ("log_forked", whole("the last entry is another one", &forked.rows, &anchored)),
        ("log_gap", with("an entry is missing", &|rows| drop(rows.remove(6)))),
        ("log_reordered", with("two entries swapped", &|rows| rows.swap(6, 7))),
        ("log_twice", with("an entry twice", &|rows| rows.insert(6, rows[6].clone()))),
        ("log_bent_bit", with("a bit of an entry's last byte", &|rows| *rows[6].entry.last_mut().unwrap() ^= 1)),
        ("log_not_canonical", with("an entry with a byte too many", &|rows| rows[6].entry.push(0))),
        (
            "log_other_tenant",
            with("an entry of another tenant", &|rows| rows[6] = rebuilt(&rows[6], |e| e.tenant = Tenant::universe())),
        ),
        ("log_other_epoch", with("an entry of another epoch", &|rows| rows[6] = rebuilt(&rows[6], |e| e.epoch = 1))),
        ("log_sealed_back", with("sealed-at goes back", &|rows| rows[6] = rebuilt(&rows[6], |e| e.sealed_at = Timestamp(START)))),
        (
            "log_forged_verdict",
            with("a denial made an allowance", &|rows| {
                rows[6] = rebuilt(&rows[6], |e| {
                    let mut header = Header::decode(&e.header).unwrap();
                    (header.decision, header.refusal) = (Decision::Allow, None);
                    e.header = header.encode().unwrap();
                });
            }),
        ),
        (
            "log_stream_place",
            with("a stream's place is wrong", &|rows| rows[9] = rebuilt(&rows[9], |e| e.stream = Some((0, None)))),
        ),
        (
            "log_placed_twice",
            with("a place in header and entry", &|rows| rows[8] = rebuilt(&rows[8], |e| e.stream = Some((0, None)))),
        ),
        ("log_part_missing", with("a part is missing", &|rows| drop(rows[6].boxes.pop()))),
        (
            "log_part_unlisted",
            with("a part too many", &|rows| {
                let extra = StoredBox { key: KeyId([1; 16]), places: vec![(Slot::Payload, 9)], ..rows[6].boxes[0].clone() };
                rows[6].boxes.push(extra);
            }),
        ),
        ("log_part_bent", with("a bit of a sealed box", &|rows| rows[6].boxes[1].sealed.to_mut()[30] ^= 1)),
        ("log_part_clear_bent", with("a bit of nobody's plaintext", &|rows| rows[6].boxes[0].sealed.to_mut()[50] ^= 1)),
        ("log_part_content", with("nobody's box with a byte too many", &|rows| rows[6].boxes[0].sealed.to_mut().push(0))),
        ("log_part_swapped", with("another record's parts", &|rows| rows[6].boxes = rows[7].boxes.clone())),
        ("log_wrong_key", log_case("the checkpoint is another key's", &log.rows, &[stranger], |_| ())),
        (
            "log_other_genesis",
            log_case("begun from another genesis", &log.rows, &anchored, |c| c["predecessor"] = note.clone().into()),
        ),
        (
            "log_other_store",
            with("an entry of another store", &|rows| rows[6] = rebuilt(&rows[6], |e| e.store = StoreId([1; 16]))),
        ),
        (
            "log_thread_prev",
            with("a record cites another than its thread's last", &|rows| {
                rows[6] = rebuilt(&rows[6], |e| {
                    let mut header = Header::decode(&e.header).unwrap();
                    header.prev = header.prev.map(|_| RecordHash([1; 32]));
                    e.header = header.encode().unwrap();
                });
            }),
        ),
        ("log_note_signature", whole("a note of another size", &log.rows, &[note.replacen("\n12\n", "\n11\n", 1)])),
        ("log_note_malformed", whole("a note that is cut", &log.rows, &[note.trim_end().to_owned()])),
        ("log_note_name", whole("a note under a name with a plus", &log.rows, &[note.replace("\u{2014} hos/", "\u{2014} hos+")])),
        (
            "log_note_too_large",
            whole("a note of 17 signatures", &log.rows, &[note.clone() + &"\u{2014} example.org/x AAAAAAAA\n".repeat(16)]),
        ),
    ])
}
