//! Deadlines that fall due while a host's transaction holds an instance. On the database that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::call::Call;
use hos_engine::store::sql::dialect::Dialect;
use std::time::{Duration, Instant};
use support::host::{begin, host, intact, joined, world};
use support::{at, go, new_order};

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
