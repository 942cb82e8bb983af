//! A Rust host's transactions, by each client that it may have: its rows and the evidence together, or nothing.

mod world;

use hos_core::call::{Call, Can, Change, Directory, Note, Transition};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};
use hos_drivers::join::{AnyError, Dialect, End, Error, Joining, TRIES};
use hos_engine::Engine;
use std::time::{Duration, Instant};
use world::client::Client;
use world::{World, birth, go, kinds, kinds_and_settings, once, root, uid};

/// In a transaction that the host begins and ends by its own words.
fn within<T>(client: &mut Client, end: &str, work: impl FnOnce(&mut Client) -> T) -> T {
    client.say("BEGIN").unwrap();
    let done = work(client);
    client.say(end).unwrap();
    done
}

#[test]
fn rows_and_evidence_commit_together_or_not_at_all() {
    for kind in kinds_and_settings() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let before = world.intact();
        let born = client
            .run(&joining, |tx| {
                tx.write("INSERT INTO orders VALUES ('1', 'a')")?;
                Ok(tx.call(birth("1"))?.end())
            })
            .unwrap();
        assert!(born.allowed && born.receipt.as_ref().unwrap().seal.is_none(), "{kind:?}: its place comes later");
        // Refused: the host's own row goes too. An error of the host's: likewise.
        let refused = client.run(&joining, |tx| {
            tx.write("INSERT INTO orders VALUES ('2', 'a')")?;
            Ok(tx.call(go("2"))?.end())
        });
        assert_eq!(refused.unwrap().code(), Some("hos.instance_unknown"));
        let failed: Result<(), AnyError> = client.run(&joining, |tx| {
            tx.write("INSERT INTO orders VALUES ('2', 'a')")?;
            assert!(tx.call(birth("2"))?.allowed && tx.call(go("2"))?.allowed, "it sees what it did before");
            Err("the shop is closed".into())
        });
        assert_eq!(failed.unwrap_err().to_string(), "the shop is closed");
        assert_eq!(client.number("SELECT count(*) FROM orders"), 1);
        assert_eq!(world.intact(), before + 1, "{kind:?}");
        assert_eq!(world.agree(), 0);
    }
}

#[test]
fn several_calls_are_one() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let before = world.intact();
        let mut all =
            |end: &str, calls: Vec<Call>| within(&mut client, end, |client| client.on(&joining, |here| here.all(calls).unwrap()));
        let refused = all("COMMIT", vec![birth("1"), go("none"), birth("2")]);
        assert_eq!((refused.code(), refused.earlier.len()), (Some("hos.instance_unknown"), 1), "{kind:?}");
        assert!(refused.earlier[0].allowed && refused.earlier[0].receipt.is_none() && refused.refusal.is_some());
        let born = all("COMMIT", vec![birth("1"), birth("2")]);
        assert!(born.allowed && born.earlier.len() == 1 && born.earlier[0].receipt.is_some(), "{kind:?}: {:?}", born.blockers);
        assert_eq!(world.intact(), before + 2, "{kind:?}");
    }
}

#[test]
fn a_connection_outside_a_transaction_is_refused() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let before = world.intact();
        let outside = |client: &mut Client| {
            for call in [birth("1"), go("1")] {
                assert_eq!(client.call(&joining, call).err().map(|e| e.code()), Some(Code::NoTransaction), "{kind:?}");
            }
        };
        outside(&mut client);
        within(&mut client, "COMMIT", |client| assert!(client.call(&joining, birth("0")).unwrap().allowed));
        outside(&mut client);
        if kind.dialect() == Dialect::Mysql {
            // A definition has ended the transaction, and nobody said so.
            client.say("BEGIN").unwrap();
            client.say("CREATE TABLE other (id INT)").unwrap();
            outside(&mut client);
        }
        client.say("ROLLBACK").ok();
        assert_eq!(client.number("SELECT count(*) FROM hos_instance WHERE tenant = 't1' AND state <> ''"), 1, "{kind:?}");
        assert_eq!(world.intact(), before + 1);
    }
}

#[test]
fn half_of_a_step_is_never_written_though_the_host_commits() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        within(&mut client, "COMMIT", |client| assert!(client.call(&joining, birth("1")).unwrap().allowed));
        let fails: &[&str] = match kind.dialect() {
            Dialect::Sqlite => &["CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue BEGIN SELECT RAISE(FAIL, 'planted'); END"],
            Dialect::Mysql => &[
                "CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'planted'",
            ],
            Dialect::Postgres => &[
                "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$",
                "CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW EXECUTE FUNCTION fails()",
            ],
        };
        fails.iter().for_each(|sql| client.say(sql).unwrap());
        let records = client.number("SELECT count(*) FROM hos_record");
        within(&mut client, "COMMIT", |client| {
            let error = client.call(&joining, go("1")).err().unwrap().to_string();
            assert!(error.contains("planted") || error.contains("1644"), "{kind:?}: {error}");
        });
        assert_eq!(client.number("SELECT count(*) FROM hos_record"), records, "{kind:?}");
        let on = if kind.dialect() == Dialect::Postgres { " ON hos_queue" } else { "" };
        client.say(&format!("DROP TRIGGER hos_fails{on}")).unwrap();
        within(&mut client, "COMMIT", |client| assert!(client.call(&joining, go("1")).unwrap().allowed));
        world.intact();
    }
}

#[test]
fn a_connection_of_another_kind_or_a_tenant_that_is_none_is_refused() {
    let world = World::new(&kinds()[0]);
    let Client::Sqlite(conn) = world.client() else { panic!("{:?}", world.kind) };
    let other = Joining::open(Engine::builder(), Dialect::Postgres);
    let refused = hos_drivers::join::rusqlite::on(&other, "t1", &conn).err().unwrap();
    assert!(
        refused.code() == Code::CallMalformed && refused.to_string().contains("sqlite was given where postgres"),
        "{refused}"
    );
    let refused = hos_drivers::join::rusqlite::on(&world.joining(), "no tenant", &conn).err().unwrap();
    assert_eq!(refused.code(), Code::IdInvalid);
}

#[test]
fn a_connection_that_is_lost_or_forgotten_leaves_nothing() {
    for kind in kinds() {
        let world = World::new(&kind);
        let joining = world.joining();
        let before = world.intact();
        for _ in 0..2 {
            let mut client = world.client();
            client.say("BEGIN").unwrap();
            client.say("INSERT INTO orders VALUES ('1', 'a')").unwrap();
            assert!(client.call(&joining, once(birth("1"), "k")).unwrap().allowed, "{kind:?}");
        }
        let mut client = world.client();
        within(&mut client, "COMMIT", |client| {
            let answer = client.call(&joining, once(birth("1"), "k")).unwrap();
            assert!(answer.allowed && !answer.again);
        });
        // A second COMMIT is nobody's.
        client.say("COMMIT").ok();
        assert_eq!(world.intact(), before + 1);
    }
}

#[test]
fn a_refusal_leaves_nothing_and_becomes_evidence_afterwards() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let before = world.intact();
        let judged = within(&mut client, "COMMIT", |client| client.call(&joining, once(go("none"), "k")).unwrap());
        assert!(!judged.allowed);
        assert_eq!(world.intact(), before, "{kind:?}: the host committed, and nothing of it is stored");
        let refusal = judged.refusal.expect("what was refused can be kept");
        let kept = within(&mut client, "COMMIT", |client| client.on(&joining, |here| here.refused(refusal)).unwrap());
        assert_eq!(kept.code(), Some("hos.instance_unknown"));
        assert_eq!(world.intact(), before + 1);
        within(&mut client, "COMMIT", |client| {
            assert!(client.call(&joining, once(birth("1"), "k")).unwrap().allowed, "the key is free")
        });
    }
}

#[test]
fn a_once_key_brings_the_first_receipt_again() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let mut first = None;
        for round in 0..3 {
            let answer = within(&mut client, "COMMIT", |client| client.call(&joining, once(birth("1"), "k")).unwrap());
            assert_eq!((answer.allowed, answer.again), (true, round > 0));
            let record = answer.receipt.as_ref().unwrap().record;
            assert_eq!(*first.get_or_insert(record), record);
        }
        let answer = within(&mut client, "ROLLBACK", |client| client.call(&joining, once(birth("2"), "k")).unwrap());
        assert_eq!(answer.code(), Some("hos.once_conflict"));
        world.intact();
    }
}

#[test]
fn ids_are_bytes() {
    let alike =
        ["o-1", "O-1", "o-1 ", "straße", "strasse", "İ", "i", "🍎", "🍏", "e\u{301}", "é", "'", "%s", "?", "$1", "a\0b", "a"];
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        within(&mut client, "COMMIT", |client| {
            for id in alike {
                let answer = client.call(&joining, once(birth(id), &format!("k {id}"))).unwrap();
                assert!(answer.allowed && !answer.again, "{kind:?} {id:?}: {:?}", answer.blockers);
            }
        });
        within(&mut client, "COMMIT", |client| {
            for id in alike.iter().step_by(2) {
                assert!(client.call(&joining, go(id)).unwrap().allowed, "{kind:?} {id:?}");
            }
        });
        let moved = client.number("SELECT count(*) FROM hos_instance WHERE tenant = 't1' AND state = 'b'");
        assert_eq!(moved, alike.len().div_ceil(2) as i64, "{kind:?}");
        world.intact();
    }
}

#[test]
fn a_store_that_is_not_there_or_is_another_is_refused_with_its_code() {
    for kind in kinds() {
        let world = World::new(&kind);
        let mut client = world.client();
        let code = |client: &mut Client, joining: &Joining| {
            client.say("BEGIN").unwrap();
            let code =
                client.call(joining, birth("1")).err().map(|error| (error.code(), std::error::Error::source(&error).is_some()));
            client.say("ROLLBACK").unwrap();
            code
        };
        client.say("ALTER TABLE hos_instance RENAME TO away").unwrap();
        assert_eq!(code(&mut client, &world.joining()), Some((Code::StoreVersion, true)), "{kind:?}");
        client.say("ALTER TABLE away RENAME TO hos_instance").unwrap();
        client.say("ALTER TABLE hos_store RENAME TO away").unwrap();
        assert_eq!(code(&mut client, &world.joining()), Some((Code::StoreVersion, true)), "{kind:?}");
        client.say("ALTER TABLE away RENAME TO hos_store").unwrap();
        // The schema of another version lacks a column, or has it under another name.
        for column in ["state", "version"] {
            client.say(&format!("ALTER TABLE hos_instance RENAME COLUMN {column} TO away")).unwrap();
            assert_eq!(code(&mut client, &world.joining()), Some((Code::StoreVersion, true)), "{kind:?}: {column}");
            client.say(&format!("ALTER TABLE hos_instance RENAME COLUMN away TO {column}")).unwrap();
        }
        let other = world::law::law_but(|path, text| if path == "law.toml" { text.replace("\"t\"", "\"other\"") } else { text });
        let other = Joining::open(Engine::builder().law(std::sync::Arc::new(other)), kind.dialect());
        assert_eq!(code(&mut client, &other), Some((Code::LawNotActive, false)), "{kind:?}");
        assert_eq!(code(&mut client, &world.joining()), None);
    }
}

#[test]
fn the_law_and_the_directory_change_between_and_within_transactions() {
    for kind in kinds() {
        let world = World::new(&kind);
        // Without a law of its own the host follows the one in force.
        let (joining, mut client) = (Joining::open(Engine::builder(), kind.dialect()), world.client());
        let by_ann = || Call::Transition(Transition::new(uid("A", "ann"), "o", "1", "go").unwrap());
        let view = |client: &mut Client| {
            let attrs = Record::from([("who".into(), Value::from(uid("A", "ann"))), ("state".into(), Value::from("a"))]);
            let order = Entity { uid: uid("O", "1"), attrs, parents: [].into(), record: None };
            let can = Can::new(uid("A", "ann"), "o.go", uid("O", "1")).given(order);
            client.on(&joining, |here| {
                let all = here.can_all(vec![can.clone(), can.clone()]).unwrap();
                let judged = here.can(can).unwrap();
                assert!(all.len() == 2 && all.iter().all(|answer| *answer == judged.answer), "{all:?}");
                assert!(judged.allowed || judged.code() == Some("hos.not_permitted"), "{:?}", judged.blockers);
                judged.allowed
            })
        };
        let join = Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") };
        within(&mut client, "COMMIT", |client| {
            assert!(client.call(&joining, birth("1")).unwrap().allowed && !view(client));
            assert!(!client.call(&joining, by_ann()).unwrap().allowed);
        });
        within(&mut client, "ROLLBACK", |client| {
            assert!(client.call(&joining, Call::Directory(Directory::new(root(), join.clone()))).unwrap().allowed);
            assert!(client.call(&joining, by_ann()).unwrap().allowed, "{kind:?}: its own change is seen at once");
        });
        within(&mut client, "ROLLBACK", |client| {
            assert!(!client.call(&joining, by_ann()).unwrap().allowed, "{kind:?}: taken back")
        });
        within(&mut client, "COMMIT", |client| {
            assert!(client.call(&joining, Call::Directory(Directory::new(root(), join.clone()))).unwrap().allowed);
        });
        within(&mut client, "ROLLBACK", |client| assert!(client.call(&joining, by_ann()).unwrap().allowed && view(client)));
        let note = Note::new(root(), "n", vec![0, 1, 255]).unwrap();
        let noted = within(&mut client, "COMMIT", |client| client.call(&joining, Call::Note(note)).unwrap());
        assert_eq!(noted.receipt.as_ref().unwrap().n, None, "its place in the stream comes later");
        // From now on nobody may go.
        let text = |path: &str, text: String| {
            if path.starts_with("policies") {
                text + "@id(\"no\")forbid(principal,action==N::Action::\"o.go\",resource);\n"
            } else {
                text
            }
        };
        let law = std::sync::Arc::new(world::law::law_but(text));
        assert!(world.engine.activate(&hos_core::call::By::new(root()), law, None, Default::default()).unwrap().allowed);
        within(&mut client, "ROLLBACK", |client| {
            let answer = client.call(&joining, by_ann()).unwrap();
            assert_eq!(answer.code(), Some("hos.forbidden"), "{kind:?}: {:?}", answer.blockers);
        });
        world.intact();
        assert_eq!(world.engine.tenant("t1").unwrap().last_note("n").unwrap().unwrap(), [0, 1, 255]);
    }
}

#[test]
fn what_is_claimed_stands_still_until_the_call() {
    for kind in kinds() {
        let world = World::new(&kind);
        let joining = world.joining();
        let (mut client, mut other) = (world.client(), world.client());
        other.hurry();
        within(&mut client, "COMMIT", |client| assert!(client.call(&joining, birth("1")).unwrap().allowed));
        let before = world.intact();
        within(&mut client, "COMMIT", |client| {
            let _claimed = client.on(&joining, |here| here.claim(&once(go("1"), "k")).unwrap());
            let blocked =
                within(&mut other, "ROLLBACK", |other| other.call(&joining, go("1")).err().map(|e| (e.code(), e.is_retry())));
            assert_eq!(blocked, Some((Code::Retry, true)), "{kind:?}");
            assert!(client.call(&joining, once(go("1"), "k")).unwrap().allowed);
        });
        // One that is left leaves nothing.
        within(&mut client, "COMMIT", |client| {
            client.on(&joining, |here| {
                let claimed = here.claim(&once(birth("2"), "k2")).unwrap();
                here.leave(claimed).unwrap();
            });
        });
        assert_eq!(client.number("SELECT count(*) FROM hos_instance WHERE tenant = 't1'"), 1, "{kind:?}");
        assert_eq!(world.intact(), before + 1);
    }
}

#[test]
fn two_births_at_once_are_one() {
    for kind in kinds_and_settings() {
        let world = World::new(&kind);
        let joining = world.joining();
        for round in 0..10 {
            let barrier = std::sync::Barrier::new(2);
            let born: Vec<bool> = std::thread::scope(|scope| {
                let hook = |worker: u32| {
                    let (world, joining, barrier) = (&world, &joining, &barrier);
                    scope.spawn(move || {
                        let mut client = world.client();
                        barrier.wait();
                        let birth = once(birth(&format!("r{round}")), &format!("{round}-{worker}"));
                        let judged = client.run(joining, |tx| Ok(tx.call(birth.clone())?.end())).unwrap();
                        assert!(judged.allowed || judged.code() == Some("hos.instance_exists"), "{:?}", judged.blockers);
                        judged.allowed
                    })
                };
                [hook(0), hook(1)].into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(born.iter().filter(|yes| **yes).count(), 1, "{kind:?}, round {round}");
        }
        assert_eq!(world.client().number("SELECT count(*) FROM hos_once WHERE tenant = 't1'"), 10, "{kind:?}");
        world.intact();
    }
}

/// Two transactions that take two rows in opposite order: a deadlock, which the database ends by an error of one. SQLite has one
/// lock, and says that it is busy.
#[test]
fn a_real_deadlock_is_run_again() {
    for kind in kinds() {
        let world = World::new(&kind);
        let joining = world.joining();
        world.client().say("INSERT INTO orders VALUES ('x', '0'), ('y', '0')").unwrap();
        let barrier = std::sync::Barrier::new(2);
        let tries: Vec<u32> = std::thread::scope(|scope| {
            let run = |rows: [&'static str; 2]| {
                let (world, joining, barrier, kind) = (&world, &joining, &barrier, &kind);
                scope.spawn(move || {
                    let mut client = world.client();
                    if kind.dialect() == Dialect::Sqlite {
                        client.say("PRAGMA busy_timeout = 0").unwrap();
                    }
                    barrier.wait();
                    let mut tries = 0;
                    let judged = client.run(joining, |tx| {
                        tries += 1;
                        tx.write(&format!("UPDATE orders SET status = 'a' WHERE id = '{}'", rows[0]))?;
                        std::thread::sleep(Duration::from_millis(if tries == 1 { 30 } else { 0 }));
                        tx.write(&format!("UPDATE orders SET status = 'a' WHERE id = '{}'", rows[1]))?;
                        Ok(tx.call(birth(&format!("of-{}", rows[0])))?.end())
                    });
                    assert!(judged.unwrap().allowed);
                    tries
                })
            };
            [run(["x", "y"]), run(["y", "x"])].into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // SQLite: whoever finds the file locked has not begun, so its work runs once.
        assert_eq!(tries.iter().sum::<u32>() > 2, kind.dialect() != Dialect::Sqlite, "{kind:?}: {tries:?}");
        assert_eq!(world.client().number("SELECT count(*) FROM hos_instance WHERE tenant = 't1'"), 2);
        world.intact();
    }
}

/// The host has read a row under a snapshot, another changes it, and the host's own write fails: all of it is done again.
#[test]
fn a_row_that_changed_under_a_snapshot_is_run_again() {
    for kind in kinds_and_settings() {
        if !["REPEATABLE", "SERIALIZABLE", "snapshot"].iter().any(|word| kind.session.contains(word)) {
            continue;
        }
        let world = World::new(&kind);
        let (joining, mut client, mut other) = (world.joining(), world.client(), world.client());
        client.say("INSERT INTO orders VALUES ('x', '0')").unwrap();
        let mut tries = 0;
        let judged = client.run(&joining, |tx| {
            tries += 1;
            tx.write("SELECT status FROM orders")?;
            if tries == 1 {
                other.say("UPDATE orders SET status = '1' WHERE id = 'x'").unwrap();
            }
            tx.write("UPDATE orders SET status = 'a' WHERE id = 'x'")?;
            Ok(tx.call(birth("x"))?.end())
        });
        assert!(judged.unwrap().allowed);
        assert_eq!(tries, 2, "{kind:?}");
        world.agree();
    }
}

#[test]
fn an_error_that_stays_is_not_tried_for_ever_and_another_not_twice() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client, mut holder) = (world.joining(), world.client(), world.client());
        within(&mut holder, "COMMIT", |holder| assert!(holder.call(&joining, birth("1")).unwrap().allowed));
        client.hurry();
        holder.say("BEGIN").unwrap();
        assert!(holder.call(&joining, go("1")).unwrap().allowed);
        let (mut tries, since) = (0, Instant::now());
        let error = client
            .run(&joining, |tx| {
                tries += 1;
                Ok(tx.call(go("1"))?.end())
            })
            .err()
            .unwrap();
        // SQLite says so when the transaction begins: no work was done.
        let sqlite = kind.dialect() == Dialect::Sqlite;
        assert_eq!(tries, if sqlite { 0 } else { TRIES }, "{kind:?}: {error}");
        assert!(error.downcast_ref::<Error>().is_some_and(Error::is_retry) || sqlite, "{error}");
        assert!(since.elapsed() < Duration::from_secs(15), "{kind:?}: {:?}", since.elapsed());
        holder.say("ROLLBACK").unwrap();
        let mut tries = 0;
        let failed: Result<(), AnyError> = client.run(&joining, |tx| {
            tries += 1;
            tx.write("INSERT INTO nowhere VALUES (1)")?;
            Ok(End::Commit(()))
        });
        assert!(failed.is_err() && tries == 1, "{kind:?}: {tries}");
    }
}
