//! Rounds of work while a host's transaction holds something, or after somebody added rows. On the database that `HOS_TEST_STORE_ON`
//! names.

mod support;

use hos_core::call::{Call, Note};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::{Sql, Statement};
use hos_engine::{Level, VerifyOptions};
use std::time::{Duration, Instant};
use support::host::{begin, host, intact, joined, world};
use support::{at, go, new_order, uid};

#[test]
fn an_instance_that_a_host_holds_is_left_to_the_next_round_and_delays_no_other() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let dialect = host.joined.dialect();
    // Of a file nobody holds a part.
    if dialect == Dialect::Sqlite {
        return;
    }
    let tenant = store.tenant("t1");
    for id in ["1", "2", "3"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    host.say(begin(dialect));
    host.claim(Call::Transition(go("1"))).unwrap();
    store.clock.set(at("2026-01-01T02:00:00Z"));
    let since = Instant::now();
    assert_eq!(tenant.tick(10).unwrap(), 2);
    assert!(since.elapsed() < Duration::from_secs(6), "it waited as for a call of its own: {:?}", since.elapsed());
    assert_eq!(tenant.tick(10).unwrap(), 0, "what is held is no failure");
    host.say("ROLLBACK");
    assert_eq!(tenant.tick(10).unwrap(), 1);
    intact(&store);
}

#[test]
fn a_once_key_that_a_host_holds_keeps_nobody_from_forgetting_another() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let dialect = host.joined.dialect();
    // Of a file nobody holds a part.
    if dialect == Dialect::Sqlite {
        return;
    }
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1").once("old").unwrap()).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    store.engine.work().unwrap();
    // The log shows that the key is old.
    store.clock.set(at("2026-02-05T00:00:00Z"));
    assert!(tenant.record(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap()).unwrap().allowed);
    host.say(begin(dialect));
    assert!(host.call(Call::Begin(new_order("2").once("new").unwrap())).unwrap().allowed);
    assert_eq!(store.engine.work().unwrap().forgotten, 1);
    host.say("COMMIT");
    assert_eq!(host.number("SELECT count(*) FROM hos_once"), 1);
    intact(&store);
}

#[test]
fn more_once_keys_are_forgotten_than_are_looked_at_in_one_piece() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let bytes = if host.joined.dialect() == Dialect::Postgres { "'\\x" } else { "x'" };
    let key = if host.joined.dialect() == Dialect::Mysql { "`key`" } else { "key" };
    // Claims that hosts committed, as one who breaks off in the middle does: they hold nothing, and are older than any key.
    let claims: Vec<String> = (0..20_001).map(|n| format!("('t1', {bytes}{n:08x}', {bytes}', {bytes}', -1, 0)")).collect();
    host.say(&format!("INSERT INTO hos_once (tenant, {key}, digest, thread, n, at) VALUES {}", claims.join(", ")));
    assert!(store.tenant("t1").begin(new_order("1").once("young").unwrap()).unwrap().allowed);
    assert!(store.tenant("t1").transition(go("1")).unwrap().allowed);
    assert_eq!(store.engine.work().unwrap().forgotten, 0, "no key is older than its tenant");
    store.clock.set(at("2026-02-05T00:00:00Z"));
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("2").once("younger").unwrap()).unwrap().allowed);
    assert!(tenant.transition(go("2")).unwrap().allowed);
    assert_eq!(store.engine.work().unwrap().forgotten, 20_002);
    assert_eq!(host.number("SELECT count(*) FROM hos_once"), 1);
    intact(&store);
}

#[test]
fn a_deadline_that_names_no_instance_holds_up_no_other() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let forged = |contract: &str, id: &[u8]| {
        let params = [Sql::from("t1"), Sql::from(1_i64), Sql::from(contract), Sql::from(id)];
        Statement::new("INSERT INTO hos_deadline (tenant, due, contract, id, place) VALUES (?1, ?2, ?3, ?4, 0)", params)
    };
    host.do_all(&[forged("o", b"\xff"), forged("o", b""), forged("no name!", b"1")]);
    store.clock.set(at("2026-01-01T02:00:00Z"));
    assert_eq!(store.engine.work().unwrap().fired, 1);
    assert_eq!(tenant.tick(10).unwrap(), 0);
    assert_eq!(store.engine.verify(&VerifyOptions::default()).unwrap().level, Level::Broken, "they are found");
}
