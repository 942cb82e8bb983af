//! What `can` says in a host's process while transactions are open: it judges by what is committed, or by its own transaction. On the
//! database that `HOS_TEST_STORE_ON` names; without one these tests say so and do nothing.

mod support;

use hos_core::call::{Call, Can, Change, Directory};
use hos_core::policy::Entity;
use support::host::{Host, begin, host, joined, world};
use support::{Store, new_order, uid};

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
