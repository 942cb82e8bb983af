//! Rows of the inbox and the queue that no entry can hold in their place, and records that stand in the queue before the one that
//! they follow: none of them breaks a log. On the database that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::call::{Call, Note};
use hos_core::id::{Handle, Tenant};
use hos_core::limits::HEADER_BYTES_MAX;
use hos_core::proof::record::Header;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sql::{evidence, inbox};
use hos_engine::store::{Sql, Statement};
use hos_engine::{Level, VerifyOptions};
use support::host::{Host, begin, host, intact, joined, world};
use support::{Store, go, new_order, uid};

/// A list of parts that has none.
const NO_PARTS: [u8; 1] = [0x80];

/// The newest records of orders.
const OF_ORDERS: &str = "SELECT r.header FROM hos_record r
     JOIN hos_instance i ON i.tenant = r.tenant AND i.handle = r.thread WHERE i.tenant = 't1' ORDER BY r.n DESC";

/// One call in a transaction that commits.
#[track_caller]
fn calls(host: &mut Host, call: Call) {
    host.say(begin(host.joined.dialect()));
    let answer = host.call(call).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    host.say("COMMIT");
}

fn note(text: &str) -> Call {
    Call::Note(Note::new(uid("A", "root"), "s", text.as_bytes().to_vec()).unwrap())
}

/// What somebody does who has looked into rows that lead to nothing.
fn clean(host: &mut Host, records: &[(Handle, i64)]) {
    let delete = |(thread, n): &(Handle, i64)| {
        let params = [Sql::from(thread.0), Sql::from(*n)];
        Statement::new("DELETE FROM hos_record WHERE tenant = 't1' AND thread = ?1 AND n = ?2", params)
    };
    host.do_all(&records.iter().map(delete).collect::<Vec<_>>());
    host.say("DELETE FROM hos_inbox WHERE tenant = 't1'");
    host.say("DELETE FROM hos_queue WHERE tenant = 't1' AND n < -3");
}

/// The log itself holds, whatever lies beside it.
#[track_caller]
fn the_log_holds(store: &Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Broken, "what lies there is found");
    assert!(report.findings.iter().all(|(place, _)| !place.contains("seq ")), "{:#?}", report.findings);
}

#[test]
fn what_is_no_record_of_the_stream_it_waits_for_is_set_aside() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    assert!(store.tenant("t1").begin(new_order("1")).unwrap().allowed);
    store.engine.work().unwrap();
    calls(&mut host, note("first"));
    let header = host.cell("SELECT header FROM hos_inbox WHERE tenant = 't1'");
    let of_order = host.cell(OF_ORDERS);
    let (t1, real) = (Tenant::new("t1").unwrap(), Header::decode(&header).unwrap());
    assert!(Header::decode(&of_order).unwrap().n.is_some());
    let long = vec![7; HEADER_BYTES_MAX + 1];
    let foreign = Header { tenant: Tenant::universe(), ..real.clone() }.encode().unwrap();
    let unfit = [
        ("s", vec![0]),
        ("s", of_order),
        ("s", long.clone()),
        ("s", foreign),
        ("z", header.clone()),
        ("hos.keys", header.clone()),
    ];
    let mut rows = Vec::new();
    for (at, (stream, header)) in (1u8..).zip(&unfit) {
        rows.push(inbox::insert(&t1, &[at; 16], stream, None, header, NO_PARTS.to_vec()));
        rows.push(evidence::enqueue_waiting(&t1, &[at; 16]));
    }
    // The same without the inbox: one that is too long for an entry, and one of the stream that the stream does not count.
    let made_up = [(Handle([9; 16]), 0), (real.thread, 7)];
    for ((thread, n), header) in made_up.iter().zip([&long, &header]) {
        let n = u64::try_from(*n).unwrap();
        rows.push(evidence::insert_record(&t1, thread, n, header, NO_PARTS.to_vec()));
        rows.push(evidence::enqueue(&t1, thread, n));
    }
    host.do_all(&rows);
    calls(&mut host, note("second"));
    calls(&mut host, Call::Begin(new_order("2")));

    let work = store.engine.work().unwrap();
    assert_eq!((work.sealed >= 3, work.nowhere), (true, 8), "what comes behind them is sealed");
    the_log_holds(&store);
    assert_eq!(store.tenant("t1").last_note("s").unwrap().as_deref(), Some(&b"second"[..]));
    clean(&mut host, &made_up);
    intact(&store);
}

#[test]
fn records_are_sealed_in_the_order_of_their_thread_whatever_their_places_in_the_queue() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    store.engine.work().unwrap();
    for id in ["1", "2"] {
        calls(&mut host, Call::Begin(new_order(id)));
        calls(&mut host, Call::Transition(go(id)));
    }
    assert_eq!(host.number("SELECT count(*) FROM hos_queue WHERE tenant = 't1' AND n >= 0"), 4);
    host.say("UPDATE hos_queue SET pos = -pos WHERE tenant = 't1'");
    // One that follows nothing that is there, nor will be.
    let last = Header::decode(&host.cell(OF_ORDERS)).unwrap();
    let (t1, thread) = (Tenant::new("t1").unwrap(), last.thread);
    let bytes = Header { n: Some(9), ..last }.encode().unwrap();
    host.do_all(&[evidence::insert_record(&t1, &thread, 9, &bytes, NO_PARTS.to_vec()), evidence::enqueue(&t1, &thread, 9)]);
    let work = store.engine.work().unwrap();
    assert_eq!((work.sealed >= 4, work.nowhere), (true, 1));
    the_log_holds(&store);
    clean(&mut host, &[(thread, 9)]);
    intact(&store);
}

/// MySQL takes `DEFAULT` for 0 there, and a record that comes first in the queue is sealed first.
#[test]
fn no_place_in_a_queue_hangs_on_the_mode_of_the_session() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    if host.joined.dialect() != Dialect::Mysql {
        return;
    }
    store.engine.work().unwrap();
    host.say("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
    calls(&mut host, Call::Begin(new_order("1")));
    calls(&mut host, Call::Transition(go("1")));
    assert!(host.number("SELECT min(pos) FROM hos_queue WHERE tenant = 't1'") > 0);
    assert!(host.number("SELECT min(pos) FROM hos_outbox WHERE tenant = 't1'") > 0);
    intact(&store);
}
