//! The verifier of a log beside its failures: what it tells of where it stands, epochs, and records that are examined by themselves.

mod proof_support;

use hos_core::digest::{entry_hash, genesis_hash, record_hash, tree_leaf};
use hos_core::id::*;
use hos_core::proof::chain::*;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey, origin};
use hos_core::proof::examine::Examiner;
use hos_core::proof::part::SubjectKey;
use hos_core::proof::record::*;
use hos_core::proof::roots::TenantRoot;
use hos_core::proof::stored::encode_stored;
use hos_core::proof::tree::complete_root;
use hos_core::proof::verify::LogVerifier;
use proof_support::*;
use std::collections::BTreeMap;

fn verifier() -> LogVerifier {
    LogVerifier::new(LogHead::genesis(store(), 0, tenant(), b""))
}

fn keys(id: &KeyId) -> Option<SubjectKey> {
    let (known, key) = subject_key();
    (*id == known).then_some(key)
}

fn push(verifier: &mut LogVerifier, row: &Row) {
    verifier.push(&row.entry, Some(&row.boxes), keys);
}

fn codes(verifier: LogVerifier) -> Vec<String> {
    verifier.finish().failures.iter().map(|f| f.what.code()).collect()
}

/// A record with parts of two persons and of nobody, some of them in one slot: header, stored parts, whose they are.
fn crowded() -> (Header, Vec<u8>, [(KeyId, SubjectKey); 2]) {
    let person = |n: u8| (KeyId([n; 16]), SubjectKey::new([n; 32]));
    let uid = |id: &str| Some(Uid::new("Account", id).unwrap());
    let part =
        |slot, index, subject: Option<Uid>, text: &str| Part::new(slot, index, subject, drawn(text, 1), text.as_bytes().to_vec());
    let ayse = [part(Slot::Principal, 0, uid("ayse"), "who asks"), part(Slot::Args, 0, uid("ayse"), "her words")];
    let can = [part(Slot::Facts, 0, uid("can"), "what was known of him"), part(Slot::Args, 1, uid("can"), "his")];
    let nobody = [part(Slot::Payload, 0, None, "free bytes"), part(Slot::Effects, 3, None, "a message to all of them")];
    let all = [&ayse[..], &can, &nobody].concat();
    let mut header = bare_header();
    header.parts = all.iter().map(Part::to_ref).collect();
    header.parts.sort_by_key(|part| (part.slot, part.index));
    let (first, second) = (person(1), person(2));
    let boxes = [
        boxed(&nobody.each_ref(), None, [0; 24]),
        boxed(&ayse.each_ref(), Some((&first.0, &first.1)), [1; 24]),
        boxed(&can.each_ref(), Some((&second.0, &second.1)), [2; 24]),
    ];
    (header, encode_stored(&boxes).unwrap(), [first, second])
}

#[test]
fn a_record_that_is_examined_shows_its_parts_to_whoever_has_the_keys() {
    let (header, parts, people) = crowded();
    let bytes = header.encode().unwrap();
    let shown = |known: &[(KeyId, SubjectKey)]| {
        let mut examiner = Examiner::default();
        let examined = examiner.record(&bytes, &parts, |id| known.iter().find(|(k, _)| k == id).map(|(_, key)| key.clone()));
        assert_eq!(examined.hash(), record_hash(&bytes));
        assert_eq!(examined.header().map(|view| view.to_header()), Some(Ok(header.clone())));
        assert_eq!(examined.list_error(), None);
        let slots = [Slot::Principal, Slot::Facts, Slot::Args, Slot::Payload, Slot::Effects, Slot::Change];
        slots.map(|slot| examined.part(slot).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
    };
    let [ayse, can] = people;
    let texts = |found: [Option<&str>; 6]| found.map(|text| text.map(str::to_owned));
    let (free, effects) = (Some("free bytes"), Some("a message to all of them"));
    let (principal, facts, args) = (Some("who asks"), Some("what was known of him"), Some("her words"));
    // Of a slot with several parts the first is meant, whatever its index; a slot that is not listed has none.
    assert_eq!(shown(&[ayse.clone(), can.clone()]), texts([principal, facts, args, free, effects, None]));
    assert_eq!(shown(&[ayse]), texts([principal, None, args, free, effects, None]));
    assert_eq!(shown(&[can]), texts([None, facts, None, free, effects, None]), "her part is not shown in place of his");
    assert_eq!(shown(&[]), texts([None, None, None, free, effects, None]));
}

#[test]
fn a_list_of_boxes_that_cannot_be_read_says_why() {
    let (header, parts, _) = crowded();
    let bytes = header.encode().unwrap();
    let mut examiner = Examiner::default();
    let examined = examiner.record(&bytes, &parts[..parts.len() - 1], |_| None);
    assert_eq!(examined.list_error().map(|e| e.code()), Some("not_canonical"));
    assert_eq!(examined.part(Slot::Payload), None);
    let nothing = examiner.record(b"no header", &parts, |_| None);
    assert!(nothing.header().is_none() && nothing.part(Slot::Payload).is_none());
    assert_eq!(nothing.header_error().map(|e| e.code()), Some("not_canonical"));
    assert_eq!((nothing.broken(), examined.header_error()), (&[][..], None));
    let broken: Vec<String> = examined.broken().iter().map(|broken| broken.code()).collect();
    assert_eq!(broken, vec!["part.missing"; header.parts.len()]);
    assert_eq!(nothing.hash(), record_hash(b"no header"));
}

#[test]
fn an_entry_is_hashed_around_the_record_that_was_examined_and_cites_what_it_is_told_to() {
    let log = Log::grown(3);
    let entries: Vec<Entry> = log.rows.iter().map(|row| Entry::decode(&row.entry).unwrap()).collect();
    let mut examiner = Examiner::default();
    let mut verifier = verifier();
    for (row, entry) in log.rows.iter().zip(&entries) {
        // Records are examined apart, before anybody knows what the entry before comes to.
        let record = examiner.record_of(&entry.header, Some(&row.boxes), keys);
        let view = EntryView { header: b"another's", prev: EntryHash([0; 32]), ..entry.view() };
        let mut examined = examiner.entry(view, record);
        assert_eq!(examined.entry().header, &entry.header[..]);
        assert_eq!(examined.record().hash(), record_hash(&entry.header));
        examined.cite(verifier.next_prev(), &mut examiner);
        assert_eq!(examined.entry(), &entry.view());
        examined.cite(entry.prev, &mut examiner);
        verifier.push_examined(&examined);
        assert_eq!(verifier.last(), Some((entry_hash(&row.entry), tree_leaf(&row.entry))));
    }
    let report = verifier.finish();
    assert!(report.is_intact());
    assert_eq!((report.root, report.parts), (log.tree.root(), 6));
}

#[test]
fn a_verifier_says_where_it_stands() {
    let mut log = Log::new();
    log.with_parts = false;
    let mut verifier = verifier();
    assert_eq!((verifier.last(), verifier.epoch(), verifier.threads().is_empty()), (None, 0, true));
    let mut leaves = Vec::new();
    for size in 1..=513u64 {
        log.grow();
        let row = log.rows.last().unwrap();
        push(&mut verifier, row);
        leaves.push(tree_leaf(&row.entry));
        // A tile of 256 hashes is told when it is full, and at no other time.
        let full = size % 256 == 0;
        let expected: Vec<TreeHash> = full.then(|| complete_root(&leaves[leaves.len() - 256..]).unwrap()).into_iter().collect();
        assert_eq!(verifier.filled(), expected, "at {size}");
        assert_eq!(verifier.last().map(|(hash, _)| hash), Some(verifier.next_prev()));
        assert_eq!(verifier.next_prev(), entry_hash(&row.entry));
    }
    assert_eq!(verifier.tree(), &log.tree);
    assert_eq!((verifier.threads().len(), verifier.threads().is_empty()), (4, false));
    let ends = |threads: &Threads| threads.iter().map(|(thread, n, hash)| (thread, (n, hash))).collect::<BTreeMap<_, _>>();
    assert_eq!(ends(verifier.threads()).len(), 4);
    assert_eq!(ends(verifier.threads()), ends(&log.threads));
    for (thread, end) in ends(&log.threads) {
        assert_eq!(verifier.threads().head(&thread), Some(end));
    }
    assert!(verifier.finish().is_intact());
}

#[test]
fn a_log_is_gone_through_from_where_another_pass_ended() {
    let mut log = Log::grown(7);
    let (head, tree, threads) = (log.head.clone(), log.tree.clone(), log.threads.clone());
    (0..5).for_each(|_| log.grow());
    let note = log.note();
    let from = |head: &LogHead, told: bool| {
        let mut verifier = LogVerifier::behind(head.clone(), tree.clone());
        if told {
            threads.iter().for_each(|(thread, n, last)| verifier.stood(thread, n, last));
        }
        verifier.expect(note.as_bytes(), &note_key());
        log.rows[7..].iter().for_each(|row| push(&mut verifier, row));
        verifier.finish()
    };
    let report = from(&head, true);
    assert!(report.is_intact(), "{:?}", report.failures);
    assert_eq!((report.size, report.root, report.threads, report.anchors), (12, log.tree.root(), 4, vec![12]));
    let nothing = LogVerifier::behind(head.clone(), tree.clone()).finish();
    assert_eq!((nothing.size, nothing.root, nothing.head), (7, tree.root(), head.prev));
    // Where a thread stood that goes on must be told, and the entry before is held to what the next one cites.
    let found = |report: hos_core::proof::report::Report| report.failures.iter().map(|f| f.what.code()).collect::<Vec<_>>();
    let untold = found(from(&head, false));
    assert!(!untold.is_empty() && untold.iter().all(|code| code.starts_with("thread.")), "{untold:?}");
    assert_eq!(found(from(&LogHead { prev: EntryHash([7; 32]), ..head.clone() }, true)), ["log.prev"]);
    // A tree below that is another comes to another root.
    let mut verifier = LogVerifier::behind(head, Log::grown(6).tree);
    verifier.expect(note.as_bytes(), &note_key());
    threads.iter().for_each(|(thread, n, last)| verifier.stood(thread, n, last));
    log.rows[7..].iter().for_each(|row| push(&mut verifier, row));
    assert_eq!(codes(verifier), ["checkpoint.beyond"]);
}

#[test]
fn a_new_epoch_keeps_the_numbers_and_cites_its_own_genesis() {
    let mut log = Log::grown(2);
    let note = log.note();
    log.head.turn(1, note.as_bytes());
    assert_eq!((log.head.epoch, log.head.next_seq), (1, 2));
    log.grow();
    log.grow();
    let turned = Entry::decode(&log.rows[2].entry).unwrap();
    assert_eq!((turned.epoch, turned.seq), (1, 2));
    assert_eq!(turned.prev, genesis_hash(&store(), 1, &tenant(), note.as_bytes()));
    assert_eq!(Entry::decode(&log.rows[3].entry).unwrap().prev, entry_hash(&log.rows[2].entry));

    let passed = |turn: &dyn Fn(&mut LogVerifier)| {
        let mut verifier = verifier();
        log.rows[..2].iter().for_each(|row| push(&mut verifier, row));
        turn(&mut verifier);
        log.rows[2..].iter().for_each(|row| push(&mut verifier, row));
        let epoch = verifier.epoch();
        (epoch, codes(verifier))
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(passed(&|v| v.turn(1, note.as_bytes())), (1, none.clone()));
    // Where the record is not at hand, what the entry cites is believed.
    assert_eq!(passed(&|v| v.turn_unread(1, turned.prev)), (1, none));
    let epochs = ["log.epoch".to_owned(), "log.epoch".to_owned()];
    assert_eq!(passed(&|_| ()), (0, epochs.to_vec()), "nobody said that an epoch begins");
    assert_eq!(passed(&|v| v.turn(1, b"another")), (1, vec!["log.prev".to_owned()]));
    assert_eq!(passed(&|v| v.turn(2, note.as_bytes())).1.first().map(String::as_str), Some("log.epoch"));
}

#[test]
fn a_checkpoint_is_compared_only_if_it_is_this_logs() {
    let log = Log::grown(2);
    let other_store = StoreId([9; 16]);
    let other_tenant = Tenant::new("pazar-de").unwrap();
    let signed = |name: &str| {
        let note = Checkpoint { origin: name.to_owned(), ..log.checkpoint() }.sign(&seal_key()).unwrap();
        (note, NoteKey::new(name, seal_key().verify_key()).unwrap())
    };
    let said = |name: &str, prepare: &dyn Fn(LogVerifier) -> LogVerifier| {
        let mut verifier = prepare(verifier());
        let (note, key) = signed(name);
        verifier.expect(note.as_bytes(), &key);
        log.rows.iter().for_each(|row| push(&mut verifier, row));
        let report = verifier.finish();
        (report.anchored(), report.failures.iter().map(|f| f.what.code()).collect::<Vec<String>>())
    };
    let as_it_is = |verifier: LogVerifier| verifier;
    let anchored = (Some(2), Vec::new());
    let foreign = (None, vec!["checkpoint.origin".to_owned()]);
    assert_eq!(said(&origin(&store(), &tenant(), 0), &as_it_is), anchored);
    for name in [
        origin(&other_store, &tenant(), 0),
        origin(&store(), &other_tenant, 0),
        origin(&other_store, &other_tenant, 0),
        origin(&store(), &tenant(), 1),
        "another".to_owned(),
    ] {
        assert_eq!(said(&name, &as_it_is), foreign, "{name}");
    }
    // A later epoch's checkpoints count as soon as somebody says that the epoch is the log's, and no later one's.
    let through = |verifier: LogVerifier| verifier.through(1);
    assert_eq!(said(&origin(&store(), &tenant(), 0), &through), anchored);
    assert_eq!(said(&origin(&store(), &tenant(), 1), &through), anchored);
    assert_eq!(said(&origin(&store(), &tenant(), 2), &through), foreign);
}

#[test]
fn a_checkpoint_of_nothing_vouches_for_nothing() {
    let log = Log::grown(3);
    let mut verifier = verifier();
    verifier.expect(Log::new().note().as_bytes(), &note_key());
    log.rows.iter().for_each(|row| push(&mut verifier, row));
    let report = verifier.finish();
    assert!(report.is_intact());
    assert_eq!((report.anchors.clone(), report.anchored()), (vec![0], None));
}

#[test]
fn of_a_disputed_record_nothing_fails_and_no_thread_moves() {
    let log = Log::new();
    let (header, boxes) = log.next_record();
    // Both header and entry give it a place.
    let placed = |disputed| log.head.next(header.time, Some((0, None)), disputed, header.encode().unwrap());
    let pass = |entry: &Entry| {
        let mut verifier = verifier();
        verifier.push(&entry.encode().unwrap(), Some(&boxes), keys);
        (verifier.threads().len(), verifier.finish())
    };
    let (threads, report) = pass(&placed(Some(Dispute::Thread)));
    assert_eq!((threads, report.disputed, report.failed, report.parts), (0, 1, 0, 0));
    let (threads, report) = pass(&placed(None));
    assert_eq!((threads, report.disputed, report.failures.len()), (0, 0, 1));
    assert_eq!(report.failures[0].what.code(), "thread.placed");
}

#[test]
fn a_tenants_root_is_told_in_one_line() {
    let said = TenantRoot { tenant: tenant(), epoch: 1, size: 12, root: TreeHash([0xab; 32]) };
    assert_eq!(said.to_string(), format!("`pazar-tr` in epoch 1 at size 12: root {}", "ab".repeat(32)));
}
