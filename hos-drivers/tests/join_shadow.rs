//! Calls in shadow in a host's transaction: whatever happens to us, the world's answer stands and its transaction goes on.

mod world;

use hos_core::call::{Begin, Call, Change, Directory, Transition};
use hos_core::law::mode::Mode;
use hos_core::refusal::Code;
use hos_drivers::join::{Dialect, Joining};
use std::time::{Duration, Instant};
use world::client::Client;
use world::{Kind, World, birth, builder, go, kinds, legacy, question, root, uid};

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

/// A process's first call is one that nobody can read: the law is read for it, and says whether the world's outcome stands.
#[test]
fn the_worlds_answer_stands_where_nothing_was_read_yet() {
    for kind in kinds() {
        let world = World::new(&kind);
        let huge = || {
            let word = Begin::new(root(), "o", "2", "new").unwrap().fact("who", "x".repeat(hos_wire::CALL_BYTES_MAX).as_str());
            legacy(Call::Begin(word), true)
        };
        let mut client = world.client();
        client.say("BEGIN").unwrap();
        let error = client.call(&world.joining(), huge()).err().expect("enforced, no call");
        assert_eq!(error.code(), Code::CallTooLarge, "{kind:?}");
        client.say("ROLLBACK").unwrap();
        world.in_shadow();
        client.say("BEGIN").unwrap();
        client.say("INSERT INTO orders VALUES ('1', 'x')").unwrap();
        let judged = client.call(&world.joining(), huge()).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert_eq!((judged.allowed, judged.mode), (true, Mode::Shadow), "{kind:?}");
        assert_eq!(judged.blockers.first().map(|b| &*b.code), Some(Code::CallTooLarge.as_str()), "{kind:?}");
        client.say("COMMIT").unwrap();
        assert_eq!(client.number("SELECT count(*) FROM orders"), 1, "{kind:?}");
    }
}

#[test]
fn a_question_with_the_worlds_answer_harms_no_transaction() {
    for kind in kinds() {
        let world = World::new(&kind);
        world.in_shadow();
        let (joining, mut client) = (world.joining(), world.client());
        // The law is known from now on.
        stands(&mut client, &joining, "1", None);
        let before = patience(&mut client);
        client.say("ALTER TABLE hos_activation RENAME TO away").unwrap();
        client.say("BEGIN").unwrap();
        client.say("INSERT INTO orders VALUES ('2', 'x')").unwrap();
        let one = client.on(&joining, |here| here.can(question("1", true))).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert_eq!((one.allowed, one.mode, one.code()), (true, Mode::Shadow, Some("hos.store_version")), "{kind:?}");
        let all = client.on(&joining, |here| here.can_all(vec![question("1", false), question("1", true)])).unwrap();
        assert_eq!(all.iter().map(|answer| answer.allowed).collect::<Vec<_>>(), [false, true], "{kind:?}");
        client.say("UPDATE orders SET status = 'y' WHERE id = '2'").unwrap();
        assert_eq!(patience(&mut client), before, "{kind:?}");
        client.say("COMMIT").unwrap();
        assert_eq!(client.number("SELECT count(*) FROM orders WHERE id = '2' AND status = 'y'"), 1, "{kind:?}");
        // Outside of a transaction there is none to be harmed.
        assert!(client.on(&joining, |here| here.can(question("1", true))).unwrap().allowed, "{kind:?}");
        client.say("ALTER TABLE away RENAME TO hos_activation").unwrap();
        // It counts the directory's changes: what is not counted yet is read each time.
        world.engine.work().unwrap();
        let exchanges = |client: &mut Client| {
            let since = joining.exchanges();
            let answer = client.on(&joining, |here| here.can(question("1", true))).unwrap();
            assert_eq!((answer.allowed, answer.code()), (true, None), "{kind:?}");
            joining.exchanges() - since
        };
        assert!(exchanges(&mut client) > 0 && exchanges(&mut client) == 0, "{kind:?}: what was read is known for a while");
    }
}

/// In a file without WAL who writes has the whole of it, and the host waits for that longer than we may.
#[test]
fn a_file_that_another_has_to_itself_holds_up_no_call_in_shadow() {
    let world = World::new(&Kind { server: "sqlite".to_owned(), session: "DELETE".to_owned() });
    world.in_shadow();
    let (joining, mut client, mut other) = (world.joining(), world.client(), world.client());
    stands(&mut client, &joining, "1", None);
    // One that waits for less is left as it is.
    for (waits, held_up) in [(20_000, 250), (100, 100)] {
        client.say(&format!("PRAGMA busy_timeout = {waits}")).unwrap();
        other.say("BEGIN EXCLUSIVE").unwrap();
        client.say("BEGIN").unwrap();
        let since = Instant::now();
        let judged = client.call(&joining, legacy(go("1"), true)).unwrap();
        let (judged, took) = ((judged.allowed, judged.code() == Some("hos.retry")), since.elapsed());
        client.say("COMMIT").unwrap();
        other.say("ROLLBACK").unwrap();
        assert_eq!(judged, (true, true), "{waits}");
        assert!(took >= Duration::from_millis(held_up) && took < Duration::from_secs(4), "{waits}: {took:?}");
        assert_eq!(patience(&mut client), [waits]);
    }
    stands(&mut client, &joining, "2", None);
}

/// Each has an instance and wants the other's: MySQL takes the whole transaction of one, and the savepoint with it.
#[test]
fn behind_a_deadlock_the_hosts_settings_stand_and_it_begins_again() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() != Dialect::Sqlite) {
        // Enforced: a call in shadow claims nothing.
        let world = World::new(&kind);
        let (joining, mut one, mut other) = (world.joining(), world.client(), world.client());
        one.say("BEGIN").unwrap();
        for id in ["1", "2"] {
            assert!(one.call(&joining, birth(id)).unwrap().allowed);
        }
        one.say("COMMIT").unwrap();
        for (client, id) in [(&mut one, "1"), (&mut other, "2")] {
            client.say("BEGIN").unwrap();
            assert!(client.call(&joining, go(id)).unwrap().allowed);
        }
        let wants = |client: &mut Client, id: &str| {
            let before = patience(client);
            let came = client.call(&joining, legacy(go(id), true)).map(|judged| judged.allowed).map_err(|e| e.code());
            assert_eq!(patience(client), before, "{kind:?}: nothing that was set is left");
            if came.is_err() && kind.dialect() == Dialect::Mysql {
                assert_eq!(client.number("SELECT @@in_transaction"), 0, "it was a deadlock, and no wait that was too long");
            }
            came
        };
        let came = std::thread::scope(|scope| {
            let first = scope.spawn(|| wants(&mut one, "2"));
            // It waits by then, and not yet for too long.
            std::thread::sleep(Duration::from_millis(300));
            let second = wants(&mut other, "1");
            [first.join().unwrap(), second]
        });
        assert!(came.iter().all(|came| matches!(came, Ok(true) | Err(Code::Retry))), "{kind:?}: {came:?}");
        assert!(came.iter().any(Result::is_err), "{kind:?}: {came:?}");
        for client in [&mut one, &mut other] {
            client.say("ROLLBACK").unwrap();
        }
        world.intact();
    }
}

/// In MySQL a deadlock takes the whole transaction, the world's own rows with it: then its outcome does not stand, and nobody says so.
#[test]
fn behind_a_deadlock_that_took_the_hosts_rows_its_outcome_does_not_stand() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Mysql) {
        let world = World::new(&kind);
        world.in_shadow();
        let (joining, mut client, mut other) = (world.joining(), world.client(), world.client());
        stands(&mut client, &joining, "1", None);
        let before = patience(&mut client);
        client.say("BEGIN").unwrap();
        client.say("UPDATE orders SET status = 'mine' WHERE id = '1'").unwrap();
        other.say("BEGIN").unwrap();
        // Whoever changed less is the one that the database gives up.
        for i in 0..50 {
            other.say(&format!("INSERT INTO orders VALUES ('other{i}', 'x')")).unwrap();
        }
        other.say("UPDATE hos_queue SET n = n WHERE tenant = 't1'").unwrap();
        other.say("SELECT * FROM hos_inbox WHERE tenant = 't1' FOR UPDATE").unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| client.call(&joining, legacy(go("1"), true)).map(|judged| judged.allowed));
            std::thread::sleep(Duration::from_millis(300));
            other.say("UPDATE orders SET status = 'theirs' WHERE id = '1'").unwrap();
            let came = waits.join().unwrap();
            assert_eq!(came.map_err(|e| e.code()), Err(Code::Retry), "{kind:?}");
        });
        assert_eq!(client.number("SELECT @@in_transaction"), 0, "it was a deadlock");
        assert_eq!(patience(&mut client), before, "nothing that was set is left");
        other.say("ROLLBACK").unwrap();
        // The next one begins anew.
        stands(&mut client, &joining, "2", None);
        world.intact();
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
