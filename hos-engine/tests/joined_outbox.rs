//! The outbox where several poll it, and where somebody put rows into it that are no messages. On the database that
//! `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::id::{Handle, KeyId, Tenant};
use hos_core::time::Timestamp;
use hos_engine::OutboxMessage;
use hos_engine::store::sql::dialect::{Dialect, Places, say};
use hos_engine::store::sql::operation;
use hos_engine::store::{Sql, Statement};
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;
use support::host::{begin, host, joined, world};
use support::{Store, go, new_order, root};

const LEASE: Duration = Duration::from_secs(60);

/// Orders that sent a message each.
fn orders(store: &Store, ids: &[&str]) {
    let tenant = store.tenant("t1");
    for id in ids {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
        assert!(tenant.transition(go(id)).unwrap().allowed);
    }
}

fn poll(store: &Store, limit: usize) -> Vec<OutboxMessage> {
    store.tenant("t1").outbox_poll(&root(), limit, LEASE).unwrap()
}

#[test]
fn who_polls_while_another_leases_looks_on_behind() {
    let Some(store) = world() else { return };
    orders(&store, &["1", "2", "3", "4"]);
    let mut other = host(&store, &joined(&store));
    let second = other.number("SELECT pos FROM hos_outbox WHERE tenant = 't1' ORDER BY pos LIMIT 1 OFFSET 1");
    other.say(begin(other.joined.dialect()));
    other.say(&format!("UPDATE hos_outbox SET leased_until = 9000000000000 WHERE tenant = 't1' AND pos <= {second}"));
    let polled = thread::scope(|scope| {
        let polling = scope.spawn(|| poll(&store, 2));
        // By now it waits for the first row.
        thread::sleep(Duration::from_millis(700));
        other.say("COMMIT");
        polling.join().unwrap()
    });
    assert_eq!(polled.len(), 2, "{polled:?}");
    assert!(polled.iter().all(|message| i64::try_from(message.pos).unwrap() > second), "{polled:?}");
}

/// Messages stay when they are acknowledged, and who waits for the next one asks again and again. (Of a file: `operators.rs`.)
#[test]
fn who_polls_mysql_reads_no_message_that_was_acknowledged() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    // The index of PostgreSQL's holds none such, and nothing else is as short.
    if host.joined.dialect() != Dialect::Mysql {
        return;
    }
    orders(&store, &["1", "2"]);
    for behind in [None, Some(1)] {
        let asked = operation::waiting(&Tenant::new("t1").unwrap(), Timestamp(9_000_000_000_000), behind, 10);
        let said = say(&asked, Dialect::Mysql, Places::Question);
        let params: Vec<&Sql> = said.params(&asked).collect();
        let mut plan = Vec::new();
        let take = &mut |cells: Vec<Sql>| {
            plan.push(cells.into_iter().filter_map(text).collect::<Vec<_>>());
            ControlFlow::Continue(())
        };
        host.conn.query(&format!("EXPLAIN {}", said.sql), &params, take).map_err(|e| e.message).unwrap();
        // It may choose one index, and has chosen it: so two columns say.
        let waiting = |row: &Vec<String>| row.iter().filter(|cell| *cell == "hos_outbox_waiting").count() == 2;
        assert!(plan.iter().any(waiting), "{plan:?}");
        // The places are found first, and what lies there is read behind that.
        assert!(plan[0].iter().any(|cell| cell.starts_with("<derived")), "{plan:?}");
    }
}

fn text(cell: Sql) -> Option<String> {
    match cell {
        Sql::Raw(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

#[test]
fn a_row_that_is_no_message_is_passed_over() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let t1 = Tenant::new("t1").unwrap();
    orders(&store, &["1"]);
    let first = poll(&store, 10);
    assert_eq!(first.len(), 1);
    let receipt = &first[0].receipt;
    let clear = KeyId([0; 16]);
    let none = operation::insert_message(&t1, &Handle([9; 16]), 0, 0, "m", &clear, vec![1; 40]);
    let unopened = operation::insert_message(&t1, &receipt.thread, receipt.n.unwrap(), 1, "m", &clear, vec![1; 3]);
    let strange = operation::insert_message(&t1, &receipt.thread, receipt.n.unwrap(), 2, "m", &clear, vec![1; 40]);
    host.say("BEGIN");
    for statement in [none, unopened, strange] {
        host.run(&statement, false).map_err(|e| e.message).unwrap();
    }
    // As if it had been tried as often as a column can say.
    let often = Statement::new("UPDATE hos_outbox SET attempts = 9223372036854775807 WHERE tenant = 't1' AND i = 2", []);
    host.run(&often, false).map_err(|e| e.message).unwrap();
    host.say("COMMIT");
    orders(&store, &["2", "3"]);
    let polled = poll(&store, 10);
    assert_eq!(polled.iter().map(|message| message.attempts).collect::<Vec<_>>(), [1, 1], "{polled:?}");
    for message in &polled {
        store.tenant("t1").outbox_ack(&root(), message.pos, &message.lease).unwrap();
    }
    let report = store.engine.verify(&hos_engine::VerifyOptions::default()).unwrap();
    let named = report.findings.iter().filter(|(place, _)| place.starts_with("hos_outbox t1 pos ")).count();
    assert!(named >= 3, "each is named: {:#?}", report.findings);
}
