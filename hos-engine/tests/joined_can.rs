//! What `can` says in a host's process while transactions are open: it judges by what is committed, or by its own transaction. On the
//! database that `HOS_TEST_STORE_ON` names; without one these tests say so and do nothing.

mod support;

use hos_core::call::{Call, Can, Change, Directory};
use hos_core::policy::Entity;
use hos_engine::store::sql::dialect::Dialect;
use std::time::Duration;
use support::host::{Host, begin, host, joined, world};
use support::{Store, change, new_order, uid};

fn may(host: &mut Host) -> bool {
    let gate = || uid("Gate", "x");
    let entity = Entity { uid: gate(), attrs: [].into(), parents: [].into(), record: None };
    let can = Can::new(uid("A", "ann"), "record.note", gate()).given(entity);
    let allowed = host.can_all(can.clone()).unwrap().allowed;
    assert_eq!(host.can(can).unwrap().allowed, allowed);
    allowed
}

fn hosts(store: &Store) -> (Host, Host) {
    let joined = joined(store);
    (host(store, &joined), host(store, &joined))
}

#[test]
fn nobody_may_by_what_another_transaction_has_not_committed() {
    let Some(store) = world() else { return };
    let (mut one, mut other) = hosts(&store);
    assert!(!may(&mut other), "she has no role");
    let join = Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") };
    one.say(begin(one.joined.dialect()));
    assert!(one.call(Call::Directory(Directory::new(uid("A", "root"), join))).unwrap().allowed);
    // What is read in this transaction has her role; each of these remembers a directory.
    assert!(one.call(Call::Begin(new_order("1"))).unwrap().allowed);
    assert!(may(&mut one), "its own change is seen at once");
    assert!(!may(&mut other), "and by nobody else");
    one.say("ROLLBACK");
    assert!(!may(&mut other) && !may(&mut one));
}

#[test]
fn the_law_is_known_once_it_was_asked() {
    let Some(store) = world() else { return };
    let (mut one, _) = hosts(&store);
    assert!(one.joined.law().is_none());
    may(&mut one);
    assert!(one.joined.law().is_some());
}

#[test]
fn a_change_that_was_rolled_back_does_not_pass_for_one_that_was_counted() {
    let Some(store) = world() else { return };
    let (mut one, mut other) = hosts(&store);
    let join = || Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") };
    let put = |id: &str| Change::Put { uid: uid("R", id), attrs: [].into() };
    let mut in_vain = |made: Change, order: &str| {
        one.say(begin(one.joined.dialect()));
        assert!(one.call(Call::Directory(Directory::new(uid("A", "root"), made))).unwrap().allowed);
        // What this call reads, and leaves to the next one of the process, has the change.
        assert!(one.call(Call::Begin(new_order(order))).unwrap().allowed);
        one.say("ROLLBACK");
    };
    in_vain(join(), "1");
    // As many changes are counted as are gone, and it is another one.
    change(&store.tenant("t1"), put("night"));
    assert!(!may(&mut other), "her role was rolled back");
    in_vain(put("day"), "2");
    change(&store.tenant("t1"), join());
    assert!(may(&mut other), "and what was committed is seen");
}

#[test]
fn a_directory_of_long_ago_takes_the_place_of_none_that_is_newer() {
    if support::database::readers_keep_writers_out() {
        return;
    }
    let Some(store) = world() else { return };
    let (mut one, mut other) = hosts(&store);
    let dialect = one.joined.dialect();
    let tenant = store.tenant("t1");
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
    one.say(if dialect == Dialect::Postgres { "BEGIN ISOLATION LEVEL REPEATABLE READ" } else { "BEGIN" });
    assert!(may(&mut one), "its snapshot has her role");
    change(&tenant, Change::Leave { uid: uid("A", "ann"), parent: uid("R", "op") });
    let age = || std::thread::sleep(Duration::from_millis(600));
    age();
    assert!(!may(&mut other));
    age();
    may(&mut one);
    assert!(!may(&mut other), "what the old transaction reads is for it alone");
    one.say("ROLLBACK");
}
