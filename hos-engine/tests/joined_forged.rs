//! What a database user of an application could add beside the engine: its rights let it insert records, and none of that decides over
//! keys. On the database that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::call::{Call, Change, Note};
use hos_core::digest;
use hos_core::id::{DottedName, Handle, InstanceId, KeyId, Name, RecordHash, Tenant};
use hos_core::limits::HEADER_BYTES_MAX;
use hos_core::proof::erasure::{Erasure, LastVerdict};
use hos_core::proof::record::{Header, Kind, Part, PartRef, Slot};
use hos_core::proof::stored::{StoredBox, encode_stored};
use hos_core::value::Record;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sql::{evidence, inbox};
use hos_engine::store::{Sql, Statement};
use hos_engine::{Level, VerifyOptions};
use std::cell::RefCell;
use support::host::{host, joined, world};
use support::{Store, change, go, new_order, uid};

/// A record of one of the engine's own streams, as somebody would make it up after one that is real: header, parts.
fn forged(store: &Store, real: &[u8], stream: &str, kind: Kind, content: Vec<u8>) -> (Header, Vec<u8>, Vec<u8>) {
    let universe = Tenant::universe();
    let part = Part::new(Slot::Change, 0, None, [7; 32], content);
    let commitment = part.commitment();
    let parts = encode_stored(&[StoredBox::seal(&[(&part, commitment)], None, [0; 24]).unwrap()]).unwrap();
    let header = Header {
        thread: digest::stream_handle(&store.engine.store_id(), &universe, stream),
        tenant: universe,
        kind,
        event: DottedName::new(stream).ok(),
        parts: vec![PartRef { slot: Slot::Change, index: 0, commitment }],
        ..Header::decode(real).unwrap()
    };
    let bytes = header.encode().unwrap();
    (header, bytes, parts)
}

/// The newest order's thread.
const ORDERS: &str = "SELECT handle FROM hos_instance WHERE tenant = 't1' AND contract = 'o' ORDER BY id DESC";

#[test]
fn who_may_only_add_records_destroys_no_key_and_shuts_no_store() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    host.say("BEGIN");
    assert!(host.call(Call::Note(Note::new(uid("A", "root"), "s", b"x".to_vec()).unwrap())).unwrap().allowed);
    let real = host.cell("SELECT header FROM hos_inbox");
    host.say("COMMIT");
    let key = KeyId(host.cell("SELECT facts_key FROM hos_instance WHERE tenant = 't1'").try_into().unwrap());
    let erasure = Erasure {
        key,
        ground: "x".into(),
        article: String::new(),
        lost: Vec::new(),
        verdict: LastVerdict::Intact,
        attestation: None,
    };
    let universe = Tenant::universe();
    let erased = forged(&store, &real, "hos.erased", Kind::Erased, erasure.encode());
    let keys = forged(&store, &real, "hos.keys", Kind::Key, b"no key".to_vec());
    let mut statements = Vec::new();
    for (id, (stream, (_, header, parts))) in [("hos.erased", &erased), ("hos.keys", &keys)].into_iter().enumerate() {
        let id = [id as u8 + 1; 16];
        statements.push(inbox::insert(&universe, &id, stream, None, header, parts.clone()));
        statements.push(evidence::enqueue_waiting(&universe, &id));
    }
    // And one that takes a place of the stream for itself.
    let (header, bytes, parts) = &erased;
    statements.push(evidence::insert_record(&universe, &header.thread, 0, bytes, parts.clone()));
    statements.push(evidence::enqueue(&universe, &header.thread, 0));
    host.do_all(&statements);
    store.engine.work().unwrap();
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Broken, "somebody wrote what the engine did not");

    let opened = store.builder().open().unwrap();
    let tenant = opened.tenant("t1").unwrap();
    let instance = tenant.instance(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap()).unwrap().unwrap();
    assert!(!instance.facts.is_empty(), "her key is there");
    assert!(tenant.transition(go("1")).unwrap().allowed);
}

/// Keys lie in the same database here: who writes there destroys one, and takes for another what its records can speak against no more.
#[test]
fn a_grant_is_not_taken_by_destroying_the_key_of_whose_it_was() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    for (id, to) in [("g", "ann"), ("h", "bob")] {
        let (principal, resource) = (Some(uid("A", to)), Some(uid("R", "staff")));
        change(&store.tenant("t1"), Change::Grant { id: id.into(), template: "t".into(), principal, resource });
    }
    store.engine.work().unwrap();
    let anns = host.cell("SELECT attrs_key FROM hos_directory WHERE tenant = 'universe' AND type = 'N::A' ORDER BY id");
    let bob = host.cell("SELECT principal FROM hos_grant WHERE tenant = 't1' ORDER BY id DESC");
    host.do_all(&[
        Statement::new("UPDATE hos_vault SET key = NULL, destroyed = 1 WHERE key_id = ?1", [Sql::from(anns)]),
        Statement::new("UPDATE hos_grant SET principal = ?1", [Sql::from(bob)]),
    ]);
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    let found = |place: &str| report.findings.iter().any(|(at, _)| at.starts_with(place));
    assert!(found("hos_grant t1 g") && found("vault key ") && !found("hos_grant t1 h"), "{:#?}", report.findings);

    // Whoever opens the store next carries the erasure out, as after a restore: what the evidence has under the key ends.
    let opened = store.builder().open().unwrap();
    opened.work().unwrap();
    let links = opened.tenant("t1").unwrap().directory_entities().unwrap().1;
    assert_eq!(links.iter().map(|link| link.id.as_str()).collect::<Vec<_>>(), ["h"]);
    let report = opened.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

#[test]
fn rows_of_the_queue_that_lead_nowhere_hold_up_nobody_and_are_found() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    store.engine.work().unwrap();
    let dialect = host.joined.dialect();
    let (of, sealed) = (Tenant::new("t1").unwrap(), Handle(host.cell(ORDERS).try_into().unwrap()));
    let at = |pos: &str, thread: &[u8], n: i64| {
        let params = [Sql::from("t1"), Sql::from(thread.to_vec()), Sql::from(n)];
        Statement::new(format!("INSERT INTO hos_queue (tenant, pos, thread, n) VALUES (?1, {pos}, ?2, ?3)").leak(), params)
    };
    let next = if dialect == Dialect::Sqlite { "(SELECT max(pos) + 1 FROM hos_queue)" } else { "DEFAULT" };
    let row = |thread: &[u8], n: i64| at(next, thread, n);
    let mut rows = vec![evidence::enqueue(&of, &Handle([9; 16]), 0), evidence::enqueue_waiting(&of, &[8; 16])];
    rows.extend([evidence::enqueue(&of, &sealed, 0), row(b"no handle", 0), row(b"no handle", -2), row(&[7; 16], -9)]);
    rows.extend([at("-1", b"no handle", 0), at("-2", &[6; 16], -2), row(&[5; 16], -1)]);
    // As calls in shadow: one that is nowhere, one that is none, and one that is taken for a record.
    rows.extend([row(b"no handle", -3), at("-3", &[4; 16], -3)]);
    for id in [[3; 16], [2; 16]] {
        rows.push(inbox::insert_shadow(&of, &id, None, &KeyId([1; 16]), b"no call".to_vec()));
    }
    rows.extend([evidence::enqueue_shadow(&of, &[3; 16]), evidence::enqueue_waiting(&of, &[2; 16])]);
    host.do_all(&rows);
    assert!(
        store.engine.verify(&VerifyOptions::default()).unwrap().findings.len() > 9,
        "they are found before anybody meets them"
    );
    assert_eq!(store.engine.fold_shadows(100, &|_| unreachable!("no call waits")).unwrap(), 0);

    // What comes behind them is sealed, though a round takes them all at once and what comes is there twice.
    host.say("BEGIN");
    assert!(host.call(Call::Begin(new_order("2"))).unwrap().allowed);
    let second = host.cell(ORDERS);
    host.run(&row(&second, 0), false).map_err(|e| e.message).unwrap();
    host.say("COMMIT");
    let work = store.engine.work().unwrap();
    assert_eq!((work.sealed > 0, work.nowhere), (true, 14));
    assert!(tenant.transition(go("1")).unwrap().allowed);
    assert_eq!(store.engine.work().unwrap().nowhere, 14, "they stay for who looks into it");
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    let said: Vec<&str> = report.findings.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(report.level, Level::Broken);
    // The two of the inbox have no row of the queue any more.
    assert_eq!(said, ["14 row(s) lead to no record that waits", "2 row(s), and the queue leads to 0"], "{:?}", report.findings);
}

/// Who may add such rows may add as many as they like. The end of the log is let go behind each page of them, for others seal it too.
#[test]
fn rows_of_the_queue_that_lead_nowhere_are_set_aside_page_by_page() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    store.engine.work().unwrap();
    let of = Tenant::new("t1").unwrap();
    let thread = |i: u16| {
        let mut thread = [9; 16];
        thread[..2].copy_from_slice(&i.to_be_bytes());
        Handle(thread)
    };
    let mut rows: Vec<Statement> = (0..2_100).map(|i| evidence::enqueue(&of, &thread(i), 7)).collect();
    // Every other one leads to a record of whose thread nobody has an earlier one.
    let record = |i| evidence::insert_record(&of, &thread(i), 7, b"no header", b"no parts".to_vec());
    rows.extend((0..2_100).step_by(2).map(record));
    host.do_all(&rows);
    let told = RefCell::new(Vec::new());
    let work = store.engine.work_telling(&|done, _| told.borrow_mut().push(done)).unwrap();
    assert_eq!((work.sealed, work.nowhere), (0, 2_100));
    let mut told = told.into_inner();
    told.dedup();
    assert_eq!(told, [0, 1_000, 2_000, 2_100]);
    // They hold up nobody.
    assert!(store.tenant("t1").begin(new_order("1")).unwrap().receipt.unwrap().seal.is_some());
}

#[test]
fn a_header_that_no_entry_holds_is_not_read() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let t1 = Tenant::new("t1").unwrap();
    store.engine.work().unwrap();
    let mut rows = Vec::new();
    // Bytes that are no text, of which a database could count something else.
    for (thread, length) in [(1, HEADER_BYTES_MAX), (2, HEADER_BYTES_MAX + 1), (3, 1_000_000)] {
        rows.push(evidence::insert_record(&t1, &Handle([thread; 16]), 0, &vec![0xc3; length], Vec::new()));
        rows.push(evidence::enqueue(&t1, &Handle([thread; 16]), 0));
    }
    host.do_all(&rows);
    let mut headers = |statement: &Statement| -> Vec<Option<usize>> {
        let rows = host.run(statement, true).map_err(|e| e.message).unwrap();
        let length = |cell: &Sql| match cell {
            Sql::Blob(bytes) | Sql::Raw(bytes) => Some(bytes.len()),
            _ => None,
        };
        rows.iter().map(|row| length(&row[3])).collect()
    };
    assert_eq!(headers(&evidence::queue(&t1, 9)), [Some(HEADER_BYTES_MAX), None, None]);
    assert_eq!(headers(&evidence::queued_of(&t1, &Handle([1; 16]), 9)), [Some(HEADER_BYTES_MAX)]);
    assert_eq!(headers(&evidence::queued_of(&t1, &Handle([2; 16]), 9)), [None]);
    assert_eq!(store.engine.work().unwrap().nowhere, 2, "they hold up nobody");
    assert!(store.tenant("t1").begin(new_order("1")).unwrap().receipt.unwrap().seal.is_some());
}

#[test]
fn a_record_of_a_law_that_was_never_in_force_is_found() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    host.say("BEGIN");
    assert!(host.call(Call::Note(Note::new(uid("A", "root"), "s", b"x".to_vec()).unwrap())).unwrap().allowed);
    let (real, parts) = (host.cell("SELECT header FROM hos_inbox"), host.cell("SELECT parts FROM hos_inbox"));
    host.say("COMMIT");
    let other = Header { activation: Some(RecordHash([5; 32])), ..Header::decode(&real).unwrap() }.encode().unwrap();
    let none = Header { activation: None, ..Header::decode(&real).unwrap() }.encode().unwrap();
    let t1 = Tenant::new("t1").unwrap();
    let mut statements = Vec::new();
    for (id, header) in [other, none].iter().enumerate() {
        let id = [id as u8 + 1; 16];
        statements.push(inbox::insert(&t1, &id, "s", None, header, parts.clone()));
        statements.push(evidence::enqueue_waiting(&t1, &id));
    }
    host.do_all(&statements);
    store.engine.work().unwrap();
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    let told = |what: &str| report.findings.iter().filter(|(_, found)| found.contains(what)).count();
    assert_eq!((told("which the store does not have"), told("cites no activation")), (1, 1), "{:#?}", report.findings);
    assert_eq!(report.findings.len(), 2, "{:#?}", report.findings);
}
