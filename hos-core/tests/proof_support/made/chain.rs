//! Entries, logs, checkpoints, proofs.

use super::super::*;
use super::*;
use hos_core::limits::{ENTRY_BYTES_MAX, HEADER_BYTES_MAX};
use hos_core::proof::tree::{node_from_tiles, prove_consistency, prove_inclusion};

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

pub(in super::super) fn chain_vectors() -> Vectors {
    let log = Log::grown(12);
    let note = log.note();
    let anchored = [Log::grown(5).note(), note.clone()];
    let genesis = LogHead::genesis(store(), 0, tenant(), b"");
    let first = genesis.next(Timestamp(START), None, None, bare_header().encode().unwrap());
    let bytes = first.encode().unwrap();
    let before_header = &bytes[1..bytes.len() - first.header.len() - 2];
    let long = [&[bytes[0] + 1][..], before_header, &[0x59, 0x40, 0x01], &[0; HEADER_BYTES_MAX + 1], &[13, 0]].concat();
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
        ("entry_header_before_unknown", refused("entry", "a header of 16385 bytes, and an unknown field", &long, "too_large")),
    ])
}
