//! Calls in shadow in a host's transaction: whatever happens to us, the world's answer stands and its transaction goes on.

mod world;

use hos_core::call::{Call, Change, Directory, Transition};
use hos_core::law::mode::Mode;
use hos_core::refusal::Code;
use hos_drivers::join::{Dialect, Joining};
use std::time::{Duration, Instant};
use world::client::Client;
use world::{World, birth, builder, go, kinds, legacy, root, uid};

/// How long the host waits for locks, in its own words.
fn patience(client: &mut Client) -> Vec<i64> {
    match client {
        Client::Sqlite(_) => vec![client.number("SELECT timeout FROM pragma_busy_timeout")],
        Client::Postgres(_) => vec![client.number("SELECT setting::bigint FROM pg_settings WHERE name = 'lock_timeout'")],
        Client::Mysql(_) => vec![client.number("SELECT @@lock_wait_timeout"), client.number("SELECT @@innodb_lock_wait_timeout")],
    }
}

/// The host's work with a call in shadow in its middle: its rows are stored, its settings are as they were, and the world's answer
/// is the answer.
#[track_caller]
fn stands(client: &mut Client, joining: &Joining, id: &str, trouble: Option<Code>) {
    let before = patience(client);
    client.say("BEGIN").unwrap();
    client.say(&format!("INSERT INTO orders VALUES ('{id}', 'x')")).unwrap();
    for (call, allowed) in [(birth(id), true), (go(id), false)] {
        let since = Instant::now();
        let judged = client.call(joining, legacy(call, allowed)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((judged.allowed, judged.mode), (allowed, Mode::Shadow));
        assert_eq!(judged.blockers.first().map(|b| &*b.code), trouble.map(Code::as_str), "{:?}", judged.blockers);
        assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    }
    client.say(&format!("UPDATE orders SET status = 'y' WHERE id = '{id}'")).unwrap();
    assert_eq!(patience(client), before, "nothing that was set is left");
    client.say("COMMIT").unwrap();
    assert_eq!(patience(client), before);
    assert_eq!(client.number(&format!("SELECT count(*) FROM orders WHERE id = '{id}' AND status = 'y'")), 1);
}

#[test]
fn a_call_in_shadow_waits_and_is_judged_afterwards() {
    for kind in kinds() {
        let world = World::new(&kind);
        world.in_shadow();
        let (joining, mut client) = (world.joining(), world.client());
        let before = world.intact();
        stands(&mut client, &joining, "1", None);
        // A rolled-back one leaves nothing.
        client.say("BEGIN").unwrap();
        assert!(client.call(&joining, legacy(birth("2"), true)).unwrap().allowed);
        client.say("ROLLBACK").unwrap();
        let folded = world.engine.fold_shadows(100, &hos_wire::joined::call_that_came).unwrap();
        assert_eq!(folded, 2, "{kind:?}");
        // The law would have let it go, and the world did not: that is on record, and nothing moved.
        assert_eq!(world.intact(), before + 2);
        let state = "SELECT count(*) FROM hos_instance WHERE tenant = 't1' AND state = 'a'";
        assert_eq!(client.number(state), 1);
    }
}

/// Who folds has listed what waits; before it takes the first, another folds all, and a host's move takes the free place.
#[test]
fn two_who_fold_judge_each_call_once_and_take_nothing_else() {
    for kind in kinds() {
        let world = World::new(&kind);
        world.in_shadow();
        let (joining, mut client) = (world.joining(), world.client());
        let before = world.intact();
        client.say("BEGIN").unwrap();
        for id in ["1", "2"] {
            assert!(client.call(&joining, legacy(birth(id), true)).unwrap().allowed);
        }
        client.say("COMMIT").unwrap();
        let other = builder(&world.url, &world.dir.path().join("seal.key")).open().unwrap();
        let met = std::cell::Cell::new(false);
        let client = std::cell::RefCell::new(client);
        let folded = world.engine.fold_shadows(100, &|bytes| {
            if !met.replace(true) {
                assert_eq!(other.fold_shadows(100, &hos_wire::joined::call_that_came).unwrap(), 2);
                let mut client = client.borrow_mut();
                client.say("BEGIN").unwrap();
                for id in ["3", "4"] {
                    // A directory change is always judged at once.
                    let put = Change::Put { uid: uid("R", id), attrs: Default::default() };
                    assert!(client.call(&joining, Call::Directory(Directory::new(root(), put))).unwrap().allowed);
                }
                client.say("COMMIT").unwrap();
            }
            hos_wire::joined::call_that_came(bytes)
        });
        assert_eq!(folded.unwrap(), 0, "{kind:?}");
        assert_eq!(world.intact(), before + 4, "{kind:?}");
        assert_eq!(client.borrow_mut().number("SELECT count(*) FROM hos_inbox"), 0);
    }
}

#[test]
fn the_worlds_answer_stands_whatever_happens_to_us() {
    for kind in kinds() {
        let world = World::new(&kind);
        world.in_shadow();
        let (joining, mut client, mut other) = (world.joining(), world.client(), world.client());
        stands(&mut client, &joining, "1", None);
        client.say("ALTER TABLE hos_inbox RENAME TO away").unwrap();
        stands(&mut client, &joining, "2", Some(Code::StoreVersion));
        client.say("ALTER TABLE hos_activation RENAME TO away2").unwrap();
        stands(&mut client, &joining, "3", Some(Code::StoreVersion));
        client.say("ALTER TABLE away RENAME TO hos_inbox").unwrap();
        client.say("ALTER TABLE away2 RENAME TO hos_activation").unwrap();
        // Somebody changes the table, and does not end.
        match kind.dialect() {
            Dialect::Postgres => {
                other.say("BEGIN; LOCK TABLE hos_inbox IN ACCESS EXCLUSIVE MODE").unwrap();
                stands(&mut client, &joining, "4", Some(Code::Retry));
                other.say("ROLLBACK").unwrap();
            }
            Dialect::Mysql => {
                other.say("LOCK TABLES hos_inbox WRITE").unwrap();
                stands(&mut client, &joining, "4", Some(Code::Retry));
                other.say("UNLOCK TABLES").unwrap();
            }
            // One lock for the whole file: who holds it holds up the host's own writes as well.
            Dialect::Sqlite => {}
        }
        stands(&mut client, &joining, "5", None);
        // A lock that the host's own transaction holds up nobody.
        client.say("BEGIN").unwrap();
        assert!(client.call(&joining, legacy(birth("6"), true)).unwrap().allowed);
        other.say("BEGIN").unwrap();
        if kind.dialect() != Dialect::Sqlite {
            assert!(other.call(&joining, legacy(go("6"), true)).unwrap().allowed);
        }
        client.say("COMMIT").unwrap();
        other.say("COMMIT").unwrap();
    }
}

#[test]
fn a_transaction_that_has_failed_already_is_none_of_ours() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Postgres) {
        let world = World::new(&kind);
        world.in_shadow();
        let (joining, mut client) = (world.joining(), world.client());
        stands(&mut client, &joining, "1", None);
        client.say("BEGIN").unwrap();
        assert!(client.say("INSERT INTO nowhere VALUES (1)").is_err());
        let judged = client.call(&joining, legacy(go("1"), true)).unwrap();
        assert_eq!((judged.allowed, judged.code()), (true, Some("hos.store_unavailable")));
        client.say("ROLLBACK").unwrap();
    }
}

#[test]
fn where_the_law_is_enforced_the_worlds_outcome_counts_for_nothing() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let before = world.intact();
        let by_ann = |id: &str| {
            let call = Call::Transition(Transition::new(uid("A", "ann"), "o", id, "go").unwrap());
            legacy(call, true)
        };
        client.say("BEGIN").unwrap();
        assert!(client.call(&joining, legacy(birth("1"), false)).unwrap().allowed, "{kind:?}");
        let refused = client.call(&joining, by_ann("1")).unwrap();
        assert!(!refused.allowed);
        client.say("COMMIT").unwrap();
        assert_eq!(world.intact(), before + 1);
        // Nor is it an answer where we fail, in shadow or not: directory changes are always judged.
        client.say("ALTER TABLE hos_directory RENAME TO away").unwrap();
        client.say("BEGIN").unwrap();
        let failed = client.call(&joining, by_ann("1")).err().map(|e| e.code());
        assert_eq!(failed, Some(Code::StoreVersion), "{kind:?}");
        client.say("ROLLBACK").unwrap();
        client.say("ALTER TABLE away RENAME TO hos_directory").unwrap();
        world.in_shadow();
        let put = Change::Put { uid: uid("R", "new"), attrs: Default::default() };
        let mut change = Directory::new(uid("A", "ann"), put);
        change.by.legacy = Some(hos_core::call::Legacy { allowed: true, state: None });
        client.say("BEGIN").unwrap();
        assert!(!client.call(&joining, Call::Directory(change)).unwrap().allowed, "{kind:?}");
        client.say("ROLLBACK").unwrap();
    }
}
