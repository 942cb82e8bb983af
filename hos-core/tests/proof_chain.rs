//! Entries, threads and the verifier of a whole log: what follows, what does not, and where it says so.

mod proof_support;

use hos_core::digest::{entry_hash, genesis_hash, record_hash};
use hos_core::id::*;
use hos_core::limits::{ENTRY_BYTES_MAX, HEADER_BYTES_MAX};
use hos_core::proof::chain::*;
use hos_core::proof::part::{PartError, SubjectKey};
use hos_core::proof::receipt::{Receipt, ReceiptError, Seal};
use hos_core::proof::record::*;
use hos_core::proof::report::*;
use hos_core::proof::stored::StoredBox;
use hos_core::proof::tree::prove_inclusion;
use hos_core::proof::verify::*;
use hos_core::time::Timestamp;
use proof_support::*;
use proptest::prelude::*;

fn keys(id: &KeyId) -> Option<SubjectKey> {
    let (known, key) = subject_key();
    (*id == known).then_some(key)
}

fn verify(rows: &[Row], notes: &[String]) -> Report {
    let mut verifier = LogVerifier::new(LogHead::genesis(store(), 0, tenant(), b""));
    notes.iter().for_each(|note| verifier.expect(note.as_bytes(), &note_key()));
    rows.iter().for_each(|row| verifier.push(&row.entry, Some(&row.boxes), keys));
    verifier.finish()
}

/// The failures as (seq, code).
fn found(report: &Report) -> Vec<(u64, String)> {
    report.failures.iter().map(|f| (f.seq, f.what.code())).collect()
}

fn is(report: &Report, expected: &[(u64, &str)]) {
    let expected: Vec<(u64, String)> = expected.iter().map(|(seq, code)| (*seq, (*code).to_owned())).collect();
    assert_eq!(found(report), expected);
    assert_eq!(report.is_intact(), expected.is_empty());
}

/// An entry taken apart, changed and put together again; the rest of the log stays as it is.
fn bend(row: &mut Row, change: impl FnOnce(&mut Entry)) {
    let mut entry = Entry::decode(&row.entry).unwrap();
    change(&mut entry);
    row.entry = entry.encode().unwrap();
}

fn bend_header(row: &mut Row, change: impl FnOnce(&mut Header)) {
    bend(row, |entry| {
        let mut header = Header::decode(&entry.header).unwrap();
        change(&mut header);
        entry.header = header.encode().unwrap();
    });
}

#[test]
fn a_whole_log_is_intact_and_anchored() {
    let mut log = Log::new();
    let mut notes = vec![log.note()];
    for _ in 0..23 {
        log.grow();
        notes.push(log.note());
    }
    let report = verify(&log.rows, &notes);
    is(&report, &[]);
    assert_eq!((report.size, report.threads, report.parts, report.erased), (23, 4, 46, 0));
    assert_eq!((report.root, report.head), (log.tree.root(), log.head.prev));
    assert_eq!(report.anchors, (0..=23).collect::<Vec<_>>());
    assert_eq!(report.anchored(), Some(23));
    assert_eq!(verify(&log.rows, &[]).anchored(), None);

    let mut fields = LogVerifier::new(LogHead::genesis(store(), 0, tenant(), b""));
    for row in &log.rows {
        fields.push_entry(&Entry::decode(&row.entry).unwrap(), Some(&row.boxes), keys);
    }
    assert_eq!(fields.finish(), Report { anchors: vec![], ..report });
}

#[test]
fn erased_and_withheld_parts_are_counted() {
    let log = Log::grown(10);
    let mut verifier = LogVerifier::new(LogHead::genesis(store(), 0, tenant(), b""));
    for (i, row) in log.rows.iter().enumerate() {
        let parts = (i != 4).then_some(&row.boxes[..]);
        verifier.push(&row.entry, parts, |id| if i < 3 { None } else { keys(id) });
    }
    let report = verifier.finish();
    is(&report, &[]);
    assert_eq!((report.parts, report.erased, report.withheld), (15, 3, 2));
}

#[test]
fn every_flipped_bit_of_an_entry_is_located() {
    let log = Log::grown(6);
    let note = [log.note()];
    for at in 0..log.rows[3].entry.len() * 8 {
        let mut rows = log.rows.clone();
        rows[3].entry[at / 8] ^= 1 << (at % 8);
        let report = verify(&rows, &note);
        assert!(found(&report).iter().any(|(seq, code)| *seq == 4 && code.starts_with("log.")), "bit {at}: {:?}", found(&report));
        assert!(found(&report).contains(&(6, "checkpoint.root".into())), "bit {at}");
        assert_eq!(report.anchored(), None);
    }
    // The last entry has no successor: only the checkpoint sees it.
    for at in 0..log.rows[5].entry.len() * 8 {
        let mut rows = log.rows.clone();
        rows[5].entry[at / 8] ^= 1 << (at % 8);
        assert!(found(&verify(&rows, &note)).contains(&(6, "checkpoint.root".into())), "bit {at}");
    }
}

#[test]
fn what_is_lost_inserted_or_reordered_is_located() {
    let log = Log::grown(9);
    let note = [log.note()];

    let mut lost = log.rows.clone();
    lost.remove(4); // the stream's first record
    let report = verify(&lost, &note);
    assert_eq!(found(&report)[0], (5, "log.seq".into()));
    assert!(found(&report).contains(&(9, "checkpoint.beyond".into())));

    let mut lost = log.rows.clone();
    lost.remove(3);
    let report = verify(&lost, &[]);
    is(&report, &[(4, "log.seq"), (6, "thread.thread_n")]);
    assert_eq!(report.failures[1].n, Some(2));
    assert_eq!(report.failures[1].thread, Some(Handle(drawn("thread", 0))));
    assert!(report.failures[1].to_string().contains("n 2 where 1 must follow"), "{}", report.failures[1]);

    let mut swapped = log.rows.clone();
    swapped.swap(2, 3);
    is(&verify(&swapped, &[]), &[(3, "log.seq"), (2, "log.seq"), (4, "log.seq")]);

    let mut twice = log.rows.clone();
    twice.insert(3, twice[2].clone());
    is(&verify(&twice, &[]), &[(2, "log.seq"), (2, "thread.thread_n")]);

    // The end was lost: the chain that is left is whole, and only the checkpoint tells.
    is(&verify(&log.rows[..7], &[]), &[]);
    is(&verify(&log.rows[..7], &note), &[(9, "checkpoint.beyond")]);
}

#[test]
fn entries_that_do_not_follow_are_refused() {
    type Change = fn(&mut Entry);
    let cases: [(&str, Change); 6] = [
        ("log.store", |e| e.store = StoreId([0; 16])),
        ("log.epoch", |e| e.epoch = 1),
        ("log.tenant", |e| e.tenant = Tenant::new("other").unwrap()),
        ("log.seq", |e| e.seq = 50),
        ("log.prev", |e| e.prev = EntryHash([0; 32])),
        ("log.sealed_at", |e| e.sealed_at = Timestamp(START)),
    ];
    let log = Log::grown(4);
    for (code, change) in cases {
        let mut rows = log.rows.clone();
        bend(&mut rows[3], change);
        let report = verify(&rows, &[]);
        assert_eq!(found(&report)[0], (if code == "log.seq" { 50 } else { 3 }, code.to_owned()));
    }
    // Another store's or tenant's record under this log's entry.
    for change in [|h: &mut Header| h.store = StoreId([0; 16]), |h: &mut Header| h.tenant = Tenant::universe()] {
        let mut rows = log.rows.clone();
        bend_header(&mut rows[3], change);
        is(&verify(&rows, &[]), &[(3, "foreign")]);
    }
    let mut rows = log.rows.clone();
    rows[3].entry.push(0);
    is(&verify(&rows, &[]), &[(3, "entry.not_canonical")]);
    bend(&mut rows[2], |e| e.header = vec![0xa0]);
    assert_eq!(found(&verify(&rows, &[]))[0], (2, "header.missing_field".into()));
}

#[test]
fn records_that_do_not_follow_their_thread_are_refused() {
    type Change = fn(&mut Header);
    let cases: [(&str, Change); 5] = [
        ("thread.thread_prev", |h| h.prev = Some(RecordHash([0; 32]))),
        ("thread.thread_n", |h| h.n = Some(77)),
        ("thread.thread_n", |h| h.n = Some(1)),
        ("thread.thread_n", |h| (h.n, h.prev) = (Some(0), None)),
        ("thread.thread_n", |h| h.thread = Handle([0; 16])),
    ];
    for (code, change) in cases {
        let mut log = Log::grown(8);
        let (mut header, boxes) = log.next_record();
        assert_eq!(header.n, Some(2));
        change(&mut header);
        log.seal(&header, boxes, None);
        let report = verify(&log.rows, &[log.note()]);
        is(&report, &[(8, code)]);
        assert_eq!((report.failures[0].thread, report.failures[0].n), (Some(header.thread), header.n));
        // The verifier goes on from what is there: a thread that continues behind the break breaks only once.
        (0..6).for_each(|_| log.grow());
        is(&verify(&log.rows, &[log.note()]), &[(8, code)]);
    }
    // A stream's place is the entry's.
    let log = Log::grown(10);
    for (code, stream) in [
        ("thread.thread_n", Some((5, Some(RecordHash([0; 32]))))),
        ("thread.thread_n", Some((0, None))),
        ("thread.thread_prev", Some((1, Some(RecordHash([0; 32]))))),
        ("thread.placed", None),
    ] {
        let mut rows = log.rows.clone();
        bend(&mut rows[9], |entry| entry.stream = stream);
        is(&verify(&rows, &[]), &[(9, code)]);
    }
    let mut rows = log.rows.clone();
    bend(&mut rows[8], |entry| entry.stream = Some((0, None)));
    assert_eq!(found(&verify(&rows, &[]))[0], (8, "thread.placed".into()));
}

#[test]
fn parts_must_be_those_of_the_header() {
    let log = Log::grown(6);
    let with = |change: &dyn Fn(&mut Vec<StoredBox<'static>>)| {
        let mut rows = log.rows.clone();
        change(&mut rows[2].boxes);
        found(&verify(&rows, &[]))
    };
    let one = |code: &str| vec![(2, code.to_owned())];
    let two = |a: &str, b: &str| vec![(2, a.to_owned()), (2, b.to_owned())];
    assert_eq!(with(&|_| ()), vec![]);
    assert_eq!(with(&|b| drop(b.pop())), one("part.missing"));
    assert_eq!(with(&|b| drop(b.remove(0))), one("part.missing"));
    assert_eq!(with(&|b| b.push(b[1].clone())), one("part.unlisted"));
    assert_eq!(with(&|b| b.insert(0, b[0].clone())), one("part.unlisted"));
    assert_eq!(with(&|b| b[1].sealed.to_mut()[30] ^= 1), one("part.unopened"));
    assert_eq!(with(&|b| b[0].sealed.to_mut()[40] ^= 1), one("part.mismatch"));
    assert_eq!(with(&|b| b[0].sealed.to_mut()[39] ^= 1), one("part.content"));
    assert_eq!(with(&|b| b[0].sealed.to_mut().push(0)), one("part.content"));
    assert_eq!(with(&|b| b[1].key = KeyId([0; 16])), one("part.content"));
    assert_eq!(with(&|b| b[0].places[0].1 = 1), two("part.unlisted", "part.missing"));
    assert_eq!(with(&|b| b[0].places.clear()), two("part.empty", "part.missing"));
    assert_eq!(with(&|b| b[0].places.push((Slot::Principal, 0))), two("part.content", "part.unlisted"));
    // The parts of another record, in the right slots.
    let mut rows = log.rows.clone();
    rows[2].boxes = rows[3].boxes.clone();
    assert_eq!(found(&verify(&rows, &[])), two("part.mismatch", "part.unopened"));
}

#[test]
fn of_several_parts_in_a_box_the_changed_one_is_named() {
    let part = |slot, index, subject, text: &str| {
        Part::new(slot, index, subject, drawn("several", u64::from(index)), text.as_bytes().to_vec())
    };
    let (id, key) = subject_key();
    let nobodys = [part(Slot::Args, 0, None, "a"), part(Slot::Args, 1, None, "b"), part(Slot::Payload, 0, None, "c")];
    let of_person = [part(Slot::Principal, 0, Some(subject()), "d"), part(Slot::Facts, 0, Some(subject()), "e")];
    let mut header = Header { parts: nobodys.iter().chain(&of_person).map(Part::to_ref).collect(), ..bare_header() };
    header.parts.sort_by_key(|part| (part.slot, part.index));
    let clear = boxed(&nobodys.each_ref(), None, [0; 24]);
    let sealed = boxed(&of_person.each_ref(), Some((&id, &key)), drawn("nonce", 0));
    let failures = |boxes: Vec<StoredBox<'static>>, keys: bool| {
        let mut log = Log::new();
        log.seal(&header, boxes, None);
        let mut verifier = LogVerifier::new(LogHead::genesis(store(), 0, tenant(), b""));
        verifier.push(&log.rows[0].entry, Some(&log.rows[0].boxes), |_| keys.then(|| key.clone()));
        let report = verifier.finish();
        (report.failures.into_iter().map(|f| f.what).collect::<Vec<_>>(), report.parts, report.erased)
    };
    assert_eq!(failures(vec![clear.clone(), sealed.clone()], true), (vec![], 5, 0));
    assert_eq!(failures(vec![clear.clone(), sealed.clone()], false), (vec![], 3, 2));
    let mut bent = clear.clone();
    bent.sealed.to_mut()[40 + 1 + 40] ^= 1;
    let wrong = Broken::Part { slot: Slot::Args, index: 1, error: PartError::Mismatch };
    assert_eq!(failures(vec![bent, sealed.clone()], true), (vec![wrong], 4, 0));
    let mut bent = sealed.clone();
    bent.sealed.to_mut()[24] ^= 1;
    let wrong = Broken::Part { slot: Slot::Principal, index: 0, error: PartError::Unopened };
    assert_eq!(failures(vec![clear.clone(), bent], true), (vec![wrong], 3, 0));
    // Sealed for its parts in another order: the box says another list than it was sealed for.
    let mut swapped = sealed;
    swapped.places.swap(0, 1);
    let wrong = Broken::Part { slot: Slot::Facts, index: 0, error: PartError::Unopened };
    assert_eq!(failures(vec![clear, swapped], true), (vec![wrong], 3, 0));
}

#[test]
fn checkpoints_must_be_of_this_log_and_in_time() {
    let log = Log::grown(3);
    let mut other = Log::new();
    other.with_parts = false;
    (0..3).for_each(|_| other.grow());
    is(&verify(&log.rows, &[other.note()]), &[(3, "checkpoint.root")]);
    is(&verify(&log.rows, &[log.note(), other.note()]), &[(3, "checkpoint.root")]);
    is(&verify(&log.rows, &["not a note".into()]), &[(0, "checkpoint.malformed")]);

    let mut late = LogVerifier::new(LogHead::genesis(store(), 0, tenant(), b""));
    log.rows.iter().for_each(|row| late.push(&row.entry, None, |_| None));
    late.expect(log.note().as_bytes(), &note_key());
    late.expect(Log::grown(2).note().as_bytes(), &note_key());
    let report = late.finish();
    is(&report, &[(2, "checkpoint.late")]);
    assert_eq!((report.anchors.as_slice(), report.withheld), (&[3][..], 6));

    // A checkpoint of another epoch of this very tenant.
    let mut elsewhere = LogVerifier::new(LogHead::genesis(store(), 1, tenant(), log.note().as_bytes()));
    elsewhere.expect(Log::new().note().as_bytes(), &note_key());
    is(&elsewhere.finish(), &[(0, "checkpoint.origin")]);
}

#[test]
fn a_new_epoch_goes_on_from_what_it_cites() {
    let note = Log::grown(3).note();
    let (a, b) = (LogHead::genesis(store(), 1, tenant(), note.as_bytes()), LogHead::genesis(store(), 1, tenant(), b""));
    assert_eq!(a.prev, genesis_hash(&store(), 1, &tenant(), note.as_bytes()));
    assert_ne!(a.prev, b.prev);
    let entry = a.next(Timestamp(START), None, None, bare_header().encode().unwrap());
    assert_eq!((a.check(&entry), b.check(&entry)), (Ok(()), Err(ChainError::Prev)));
}

#[test]
fn disputed_records_are_counted_and_vouched_for_by_nothing() {
    let mut log = Log::grown(4);
    let sealed_at = Timestamp(START + 100_000);
    // Not a header at all; the hash of one that is too long; a record out of its thread; one of another tenant.
    let entry = log.head.next(sealed_at, None, Some(Dispute::Malformed), b"anything".to_vec());
    log.append(&entry, Vec::new());
    let entry = log.head.next(sealed_at, None, Some(Dispute::TooLarge), record_hash(&[0; 20_000]).0.to_vec());
    log.append(&entry, Vec::new());
    let out_of_thread = Header { n: Some(77), prev: Some(RecordHash([0; 32])), ..log.next_record().0 };
    log.seal(&out_of_thread, Vec::new(), Some(Dispute::Thread));
    let foreign = Header { tenant: Tenant::universe(), ..bare_header() };
    log.seal(&foreign, Vec::new(), Some(Dispute::Foreign));
    // Follows its thread though its parts are gone: the thread goes on behind it.
    let (header, _) = {
        log.with_parts = true;
        let i = log.rows.len();
        assert_ne!(i % 5, 4);
        log.next_record()
    };
    log.seal(&header, Vec::new(), Some(Dispute::Part));
    log.threads.advance(header.thread, header.n.unwrap(), header.hash().unwrap());
    (0..4).for_each(|_| log.grow());
    let report = verify(&log.rows, &[log.note()]);
    is(&report, &[]);
    assert_eq!((report.disputed, report.size, report.anchored()), (5, 13, Some(13)));
    for dispute in Dispute::ALL {
        assert_eq!(Dispute::from_number(dispute.number()), Some(*dispute));
    }
    assert_eq!(Dispute::from_number(10), None);
}

#[test]
fn a_place_stands_in_header_or_entry() {
    let stream = Header { n: None, prev: None, ..bare_header() };
    let both = Place::of(&bare_header(), Some((0, None)));
    let neither = Place::of(&stream, None);
    assert_eq!((both, neither), (Err(ChainError::Placed), Err(ChainError::Placed)));
    assert_eq!(Place::of(&stream, Some((0, None))), Ok(Place { n: 0, prev: None }));

    let mut threads = Threads::default();
    let (handle, first) = (Handle([1; 16]), RecordHash([2; 32]));
    assert_eq!(threads.check(&handle, Place { n: 1, prev: Some(first) }), Err(ChainError::ThreadN { wanted: 0, found: 1 }));
    assert_eq!(threads.check(&handle, Place { n: 0, prev: Some(first) }), Err(ChainError::ThreadPrev));
    assert_eq!(threads.check(&handle, Place { n: 0, prev: None }), Ok(()));
    threads.advance(handle, 0, first);
    assert_eq!(threads.head(&handle), Some((0, first)));
    assert_eq!(threads.check(&handle, Place { n: 0, prev: None }), Err(ChainError::ThreadN { wanted: 1, found: 0 }));
    assert_eq!(threads.check(&handle, Place { n: 1, prev: None }), Err(ChainError::ThreadPrev));
    assert_eq!(threads.check(&handle, Place { n: 1, prev: Some(first) }), Ok(()));
    assert_eq!((threads.len(), threads.is_empty()), (1, false));
}

#[test]
fn entries_are_bounded_and_consistent() {
    let head = LogHead::genesis(store(), 0, tenant(), b"");
    let entry = head.next(Timestamp(START), None, None, vec![0; 10]);
    let code = |change: &dyn Fn(&mut Entry)| {
        let mut entry = entry.clone();
        change(&mut entry);
        entry.encode().map_err(|e| e.code())
    };
    assert!(code(&|_| ()).is_ok());
    assert_eq!(code(&|e| e.header = vec![0; HEADER_BYTES_MAX + 1]), Err("too_large"));
    assert_eq!(code(&|e| e.sealed_at = Timestamp(-1)), Err("time"));
    assert_eq!(code(&|e| e.stream = Some((1, None))), Err("place"));
    assert_eq!(code(&|e| e.stream = Some((0, Some(RecordHash([0; 32]))))), Err("place"));
    let largest = Entry {
        epoch: u64::MAX,
        seq: u64::MAX,
        tenant: Tenant::new("x".repeat(63)).unwrap(),
        stream: Some((u64::MAX, Some(RecordHash([0; 32])))),
        disputed: Some(u16::MAX),
        header: vec![0; HEADER_BYTES_MAX],
        ..entry.clone()
    };
    let bytes = largest.encode().unwrap();
    assert!(bytes.len() <= ENTRY_BYTES_MAX);
    assert_eq!(Entry::decode(&bytes), Ok(largest));
    assert_eq!(Entry::decode(&[0; ENTRY_BYTES_MAX + 1]).map_err(|e| e.code()), Err("too_large"));
    // A clock that went back.
    let mut head = head;
    head.advance(&entry, entry.hash().unwrap());
    assert_eq!(head.next(Timestamp(START - 5000), None, None, vec![]).sealed_at, Timestamp(START));
}

#[test]
fn a_receipt_is_borne_out_by_its_entry_alone() {
    let log = Log::grown(7);
    let leaves: Vec<TreeHash> = log.rows.iter().map(|row| hos_core::digest::tree_leaf(&row.entry)).collect();
    let nodes =
        |level, index| hos_core::proof::tree::node_from_tiles(level, index, &|l, i| (l + i as u8 == 0).then(|| leaves.clone()));
    let entry = Entry::decode(&log.rows[5].entry).unwrap();
    let header = Header::decode(&entry.header).unwrap();
    let seal = Seal::Sealed { seq: 5, entry: entry_hash(&log.rows[5].entry), checkpoint: log.note() };
    let receipt = Receipt { tenant: tenant(), thread: header.thread, n: header.n, record: header.hash().unwrap(), seal };
    let proof = prove_inclusion(5, 7, &nodes).unwrap();
    assert_eq!(receipt.verify(&log.rows[5].entry, &proof, &note_key()), Ok(()));
    assert_eq!(receipt.verify(&log.rows[4].entry, &proof, &note_key()), Err(ReceiptError::Other));
    assert!(matches!(receipt.verify(&log.rows[5].entry, &proof[1..], &note_key()), Err(ReceiptError::Inclusion(_))));
    let stranger = hos_core::proof::checkpoint::NoteKey::new("x", seal_key().verify_key()).unwrap();
    assert!(matches!(receipt.verify(&log.rows[5].entry, &proof, &stranger), Err(ReceiptError::Checkpoint(_))));
    let pending = Receipt { seal: Seal::Pending, ..receipt.clone() };
    assert_eq!(pending.verify(&log.rows[5].entry, &proof, &note_key()), Err(ReceiptError::Pending));
    // Whatever it names must be the entry's, be the rest as it may.
    let named = |seq, entry| Seal::Sealed { seq, entry, checkpoint: log.note() };
    let hash = entry_hash(&log.rows[5].entry);
    for other in [
        Receipt { record: RecordHash([0; 32]), ..receipt.clone() },
        Receipt { tenant: Tenant::universe(), ..receipt.clone() },
        Receipt { thread: Handle([0; 16]), ..receipt.clone() },
        Receipt { n: Some(99), ..receipt.clone() },
        Receipt { seal: named(4, hash), ..receipt.clone() },
        Receipt { seal: named(5, EntryHash([0; 32])), ..receipt.clone() },
    ] {
        assert_eq!(other.verify(&log.rows[5].entry, &proof, &note_key()), Err(ReceiptError::Other), "{other:?}");
    }
}

#[test]
fn failures_are_counted_beyond_what_is_listed() {
    let mut verifier = LogVerifier::new(LogHead::genesis(store(), 0, tenant(), b""));
    (0..FAILURES_LISTED_MAX + 5).for_each(|_| verifier.push(b"nothing", None, |_| None));
    let report = verifier.finish();
    assert_eq!((report.failed, report.failures.len()), (1005, FAILURES_LISTED_MAX));
    assert!(!report.is_intact());
}

proptest! {
    #[test]
    fn any_entry_comes_back(
        (epoch, seq, time) in (any::<u64>(), any::<u64>(), 0i64..=9_214_646_399_999),
        stream in prop::option::of(any::<u64>()),
        disputed in prop::option::of(any::<u16>()),
        header in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let entry = Entry {
            store: store(),
            epoch,
            tenant: tenant(),
            seq,
            prev: EntryHash(drawn("prev", seq)),
            sealed_at: Timestamp(time),
            stream: stream.map(|n| (n, (n > 0).then(|| RecordHash(drawn("stream", n))))),
            disputed,
            header,
        };
        let bytes = entry.encode().unwrap();
        prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
    }

    #[test]
    fn no_bent_log_is_anchored(row in 0usize..12, at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let log = Log::grown(12);
        let mut rows = log.rows.clone();
        let at = at.index(rows[row].entry.len());
        prop_assume!(rows[row].entry[at] != to);
        rows[row].entry[at] = to;
        prop_assert_eq!(verify(&rows, &[log.note()]).anchored(), None);
    }
}

#[test]
fn a_stream_s_predecessor_without_its_place_is_no_entry() {
    let head = LogHead::genesis(store(), 0, tenant(), b"");
    let entry = head.next(Timestamp(START), Some((1, Some(RecordHash([7; 32])))), None, vec![0; 10]);
    let mut bytes = entry.encode().unwrap();
    // The fields 9 (the place, which is 1) and 10 (32 bytes), one behind the other.
    let at = bytes.windows(5).position(|w| w == [0x09, 0x01, 0x0a, 0x58, 0x20]).unwrap();
    bytes.drain(at..at + 2);
    bytes[0] -= 1;
    assert_eq!(Entry::decode(&bytes).map_err(|e| e.code()), Err("place"));
}
