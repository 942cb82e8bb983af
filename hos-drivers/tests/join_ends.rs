//! How a transaction ends that a host's work left in another state than it believes: what was not stored is never said to be.

mod world;

use hos_core::refusal::Code;
use hos_drivers::join::{AnyError, Dialect, End, Error};
use std::sync::Barrier;
use world::cut::{Cut, through};
use world::{World, birth, client, go, kinds, once};

fn code(error: &AnyError) -> Option<Code> {
    error.downcast_ref::<Error>().map(Error::code)
}

/// PostgreSQL answers COMMIT with ROLLBACK then, and calls that no error.
#[test]
fn a_statement_that_failed_and_was_passed_over_is_not_a_commit() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let done = client.run(&joining, |tx| {
            tx.write("INSERT INTO orders VALUES ('1', 'a')")?;
            assert!(tx.call(birth("1"))?.allowed);
            tx.write("SELECT nothing FROM nowhere").unwrap_err();
            Ok(End::Commit(()))
        });
        let aborts = kind.dialect() == Dialect::Postgres;
        assert_eq!(done.err().as_ref().and_then(code), aborts.then_some(Code::StoreUnavailable), "{kind:?}");
        assert_eq!(world.client().number("SELECT count(*) FROM orders"), i64::from(!aborts), "{kind:?}");
        world.agree();
        // The connection is as good as before.
        let born = client.run(&joining, |tx| {
            tx.write("INSERT INTO orders VALUES ('2', 'a')")?;
            Ok(tx.call(birth("2"))?.end())
        });
        assert!(born.unwrap().allowed);
    }
}

#[test]
fn a_transaction_that_its_own_work_ended_is_not_a_commit() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        // MySQL begins another one by itself.
        let sessions: &[&str] = if kind.dialect() == Dialect::Mysql { &["", "SET autocommit = 0"] } else { &[""] };
        for session in sessions {
            if !session.is_empty() {
                client.say(session).unwrap();
            }
            let done = client.run(&joining, |tx| {
                tx.write("INSERT INTO orders VALUES ('1', 'a')")?;
                assert!(tx.call(birth("1"))?.allowed);
                tx.write("ROLLBACK")?;
                tx.write("SELECT count(*) FROM orders")?;
                Ok(End::Commit(()))
            });
            let error = done.unwrap_err();
            assert_eq!(code(&error), Some(Code::NoTransaction), "{kind:?} {session}: {error}");
            assert_eq!(world.client().number("SELECT count(*) FROM orders"), 0, "{kind:?}");
        }
    }
}

/// Nothing that was judged is in it.
#[test]
fn another_transaction_in_the_place_of_the_one_that_was_begun_is_not_committed() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let done = client.run(&joining, |tx| {
            assert!(tx.call(birth("1"))?.allowed);
            tx.write("ROLLBACK")?;
            tx.write("BEGIN")?;
            tx.write("INSERT INTO orders VALUES ('1', 'a')")?;
            Ok(End::Commit(()))
        });
        let error = done.unwrap_err();
        assert_eq!(code(&error), Some(Code::NoTransaction), "{kind:?}: {error}");
        assert_eq!(world.client().number("SELECT count(*) FROM orders"), 0, "{kind:?}");
        // The connection is as good as before, and a savepoint of the work's own is no end.
        let born = client.run(&joining, |tx| {
            tx.write("INSERT INTO orders VALUES ('2', 'a')")?;
            let born = tx.call(birth("2"))?;
            tx.write("SAVEPOINT own")?;
            tx.write("INSERT INTO orders VALUES ('3', 'a')")?;
            tx.write("ROLLBACK TO SAVEPOINT own")?;
            Ok(born.end())
        });
        assert!(born.unwrap().allowed, "{kind:?}");
        world.agree();
    }
}

/// The whole transaction of who lost is gone; its work goes on as if nothing had been.
#[test]
fn a_deadlock_that_was_passed_over_is_not_a_commit() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() != Dialect::Sqlite) {
        let world = World::new(&kind);
        let joining = world.joining();
        let mut owner = world.client();
        owner.say("INSERT INTO orders VALUES ('x', '0')").unwrap();
        owner.say("INSERT INTO orders VALUES ('y', '0')").unwrap();
        let both = Barrier::new(2);
        let crossing = |rows: [&'static str; 2]| {
            let (world, joining, both) = (&world, &joining, &both);
            move || {
                let mut lost = false;
                let done = world.client().run(joining, |tx| {
                    tx.write(&format!("UPDATE orders SET status = '{}' WHERE id = '{}'", rows[0], rows[0]))?;
                    both.wait();
                    lost = tx.write(&format!("UPDATE orders SET status = '{}' WHERE id = '{}'", rows[0], rows[1])).is_err();
                    Ok(End::Commit(()))
                });
                (lost, done.err().as_ref().and_then(code))
            }
        };
        let ends: Vec<_> = std::thread::scope(|scope| {
            let threads = [scope.spawn(crossing(["x", "y"])), scope.spawn(crossing(["y", "x"]))];
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let why = if kind.dialect() == Dialect::Postgres { Code::StoreUnavailable } else { Code::NoTransaction };
        assert_eq!(ends.iter().filter(|end| **end == (true, Some(why))).count(), 1, "{kind:?}: {ends:?}");
        assert_eq!(ends.iter().filter(|end| **end == (false, None)).count(), 1, "{kind:?}: {ends:?}");
    }
}

/// Whether the server has had the COMMIT or not, the host has heard nothing of it; the once-key finds it out.
#[test]
fn a_commit_that_nobody_answers_is_an_unknown_outcome() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() != Dialect::Sqlite) {
        for when in [Cut::Before, Cut::After] {
            let world = World::new(&kind);
            let joining = world.joining();
            let before = world.intact();
            let mut breaks = client::connect(&through(&world.url, when), "");
            let lost = breaks.run(&joining, |tx| {
                tx.write("INSERT INTO orders VALUES ('1', 'a')")?;
                Ok(tx.call(once(birth("1"), "k"))?.end())
            });
            let error = lost.err().unwrap();
            assert_eq!(code(&error), Some(Code::OutcomeUnknown), "{kind:?} {when:?}: {error}");
            assert!(error.to_string().contains("ask again under the same once-key"), "{error}");
            let again = world.client().run(&joining, |tx| {
                let born = tx.call(once(birth("1"), "k"))?;
                if !born.again {
                    tx.write("INSERT INTO orders VALUES ('1', 'a')")?;
                }
                Ok(born.end())
            });
            let again = again.unwrap();
            assert_eq!((again.allowed, again.again), (true, when == Cut::After), "{kind:?} {when:?}");
            assert_eq!(world.client().number("SELECT count(*) FROM orders"), 1, "{kind:?} {when:?}");
            assert_eq!(world.intact(), before + 1, "{kind:?} {when:?}");
        }
    }
}

/// A session that is ended in its COMMIT says so, and not what came of the transaction. What refuses a commit is an answer.
#[test]
fn a_session_that_is_ended_in_its_commit_leaves_the_outcome_unknown() {
    for kind in kinds().into_iter().filter(|kind| kind.dialect() == Dialect::Postgres) {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        for sql in [
            "CREATE TABLE late (x INT UNIQUE DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE dies (x INT)",
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER d AFTER INSERT ON dies DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
        ] {
            client.say(sql).unwrap();
        }
        let mut commit = |sql: &str| {
            let done = client.run(&joining, |tx| {
                tx.write(sql)?;
                Ok(End::Commit(()))
            });
            done.unwrap_err()
        };
        let refused = commit("INSERT INTO late VALUES (1), (1)");
        assert!(refused.is::<postgres::Error>(), "{refused}");
        let ended = commit("INSERT INTO dies VALUES (1)");
        assert_eq!(code(&ended), Some(Code::OutcomeUnknown), "{ended}");
    }
}

#[test]
fn a_database_that_takes_no_writes_says_so() {
    for kind in kinds() {
        let world = World::new(&kind);
        let (joining, mut client) = (world.joining(), world.client());
        let begun: &[&str] = match kind.dialect() {
            Dialect::Sqlite => &["PRAGMA query_only = ON", "BEGIN"],
            Dialect::Postgres => &["BEGIN READ ONLY"],
            Dialect::Mysql => &["START TRANSACTION READ ONLY"],
        };
        for call in [birth("1"), go("1")] {
            begun.iter().for_each(|sql| client.say(sql).unwrap());
            let error = client.call(&joining, call).err().unwrap();
            assert_eq!(error.code(), Code::StoreReadOnly, "{kind:?}: {error}");
            client.say("ROLLBACK").unwrap();
        }
    }
}
