//! An asynchronous host's transactions, by `tokio_postgres`.
#![cfg(feature = "tokio-postgres")]

mod world;

use hos_core::call::{Call, Can};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_drivers::join::{AnyError, Dialect, End, Error, Joining, Judged, Tries, tokio_postgres as join};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio_postgres::{Client, NoTls};
use world::cut::{Cut, through};
use world::{Dice, World, birth, go, kinds_and_settings, legacy, once, question, root, uid};

/// Each PostgreSQL, at each isolation.
fn on_each(work: impl AsyncFn(&World, Arc<Joining>)) {
    for kind in kinds_and_settings().into_iter().filter(|kind| kind.dialect() == Dialect::Postgres) {
        let world = World::new(&kind);
        let joining = Arc::new(world.joining());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work(&world, joining));
    }
}

/// The engine's own connections are no guests of a runtime.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

async fn client(url: &str, session: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(session).await.unwrap();
    client
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[test]
fn rows_and_evidence_commit_together_or_not_at_all() {
    on_each(async |world, joining| {
        let mut client = client(&world.url, &world.kind.session).await;
        let before = apart(|| world.intact());
        let joining = &joining;
        let born = join::run(&mut client, async |tx| {
            tx.execute("INSERT INTO orders VALUES ('1', 'a')", &[]).await?;
            let Call::Begin(call) = once(birth("1"), "k") else { panic!() };
            Ok(join::on(joining, "t1", tx)?.begin(call).await?.end())
        });
        assert!(born.await.unwrap().allowed);
        let refused = join::run(&mut client, async |tx| {
            tx.execute("INSERT INTO orders VALUES ('2', 'a')", &[]).await?;
            Ok(join::on(joining, "t1", tx)?.call(once(go("2"), "k2")).await?.end())
        });
        let refused = refused.await.unwrap();
        assert_eq!(refused.code(), Some("hos.instance_unknown"));
        let failed: Result<(), AnyError> = join::run(&mut client, async |tx| {
            tx.execute("INSERT INTO orders VALUES ('2', 'a')", &[]).await?;
            assert!(join::on(joining, "t1", tx)?.call(birth("2")).await?.allowed);
            Err("the shop is closed".into())
        })
        .await;
        assert_eq!(failed.unwrap_err().to_string(), "the shop is closed");
        assert_eq!(number(&client, "SELECT count(*) FROM orders").await, 1);
        assert_eq!(apart(|| world.intact()), before + 1);
        // Evidence of the refusal, and a claim, in transactions that the host begins by its own words.
        client.batch_execute("BEGIN").await.unwrap();
        let here = join::on(joining, "t1", &client).unwrap();
        assert_eq!(here.refused(refused.refusal.unwrap()).await.unwrap().code(), Some("hos.instance_unknown"));
        let gate = Entity { uid: uid("Gate", "n"), attrs: [].into(), parents: [].into(), record: None };
        let all = [root(), uid("A", "ann")].map(|who| Can::new(who, "record.note", uid("Gate", "n")).given(gate.clone()));
        let answers: Vec<bool> = here.can_all(all.to_vec()).await.unwrap().iter().map(|answer| answer.allowed).collect();
        assert_eq!(answers, [true, false]);
        let claimed = here.claim(&once(birth("3"), "k3")).await.unwrap();
        here.leave(claimed).await.unwrap();
        client.batch_execute("COMMIT").await.unwrap();
        assert_eq!(number(&client, "SELECT count(*) FROM hos_once WHERE tenant = 't1'").await, 1);
        let outside = join::on(joining, "t1", &client).unwrap().call(go("1")).await;
        assert_eq!(outside.err().map(|e| e.code()), Some(Code::NoTransaction));
        assert_eq!(apart(|| world.intact()), before + 2);
    });
}

#[test]
fn in_shadow_the_worlds_answer_stands() {
    on_each(async |world, joining| {
        apart(|| world.in_shadow());
        let (client, other) = (client(&world.url, "").await, client(&world.url, "").await);
        let here = join::on(&joining, "t1", &client).unwrap();
        for (round, setting) in [("1", "7s"), ("2", "0")] {
            client.batch_execute(&format!("SET lock_timeout = '{setting}'; BEGIN")).await.unwrap();
            client.execute(&format!("INSERT INTO orders VALUES ('{round}', 'x')"), &[]).await.unwrap();
            let judged = here.call(legacy(birth(round), true)).await.unwrap();
            assert!(judged.allowed && judged.blockers.is_empty() == (round == "1"), "{:?}", judged.blockers);
            let now: String = client.query_one("SELECT current_setting('lock_timeout')", &[]).await.unwrap().get(0);
            assert_eq!(now, setting);
            client.batch_execute("COMMIT").await.unwrap();
            assert_eq!(number(&client, "SELECT count(*) FROM orders").await, round.parse::<i64>().unwrap());
            other.batch_execute("BEGIN; LOCK TABLE hos_inbox IN ACCESS EXCLUSIVE MODE").await.unwrap();
        }
        other.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(apart(|| world.engine.fold_shadows(10, &hos_wire::joined::call_that_came)).unwrap(), 1);
        apart(|| world.intact());
    });
}

#[test]
fn a_question_with_the_worlds_answer_harms_no_transaction() {
    on_each(async |world, joining| {
        apart(|| world.in_shadow());
        let client = client(&world.url, &world.kind.session).await;
        let here = join::on(&joining, "t1", &client).unwrap();
        client.batch_execute("BEGIN").await.unwrap();
        assert!(here.call(legacy(birth("1"), true)).await.unwrap().allowed, "the law is known from now on");
        client.batch_execute("COMMIT").await.unwrap();
        client.batch_execute("ALTER TABLE hos_activation RENAME TO away").await.unwrap();
        client.batch_execute("BEGIN").await.unwrap();
        client.batch_execute("INSERT INTO orders VALUES ('2', 'x')").await.unwrap();
        let one = here.can(question("1", true)).await.unwrap();
        assert_eq!((one.allowed, one.code()), (true, Some("hos.store_version")));
        let all = here.can_all(vec![question("1", false), question("1", true)]).await.unwrap();
        assert_eq!(all.iter().map(|answer| answer.allowed).collect::<Vec<_>>(), [false, true]);
        client.batch_execute("UPDATE orders SET status = 'y' WHERE id = '2'").await.unwrap();
        client.batch_execute("COMMIT").await.unwrap();
        assert_eq!(number(&client, "SELECT count(*) FROM orders WHERE status = 'y'").await, 1);
        assert!(here.can(question("1", true)).await.unwrap().allowed, "outside of a transaction");
        client.batch_execute("ALTER TABLE away RENAME TO hos_activation").await.unwrap();
        assert_eq!(here.can(question("1", true)).await.unwrap().code(), None, "outside of a transaction");
    });
}

/// A birth under a once-key, in a transaction of its own.
async fn born(client: &mut Client, joining: &Joining, id: &str) -> Result<Judged, AnyError> {
    join::run(client, async |tx| {
        let judged = join::on(joining, "t1", tx)?.call(once(birth(id), id)).await?;
        Ok(judged.end())
    })
    .await
}

#[test]
fn a_commit_that_nobody_answers_is_an_unknown_outcome() {
    on_each(async |world, joining| {
        for (id, when) in [("1", Cut::Before), ("2", Cut::After)] {
            let mut breaks = client(&through(&world.url, when), &world.kind.session).await;
            let error = born(&mut breaks, &joining, id).await.err().unwrap();
            assert_eq!(error.downcast_ref::<Error>().map(Error::code), Some(Code::OutcomeUnknown), "{when:?}: {error}");
            let mut other = client(&world.url, &world.kind.session).await;
            let again = born(&mut other, &joining, id).await.unwrap();
            assert_eq!((again.allowed, again.again), (true, when == Cut::After), "{when:?}");
        }
        apart(|| world.intact());
    });
}

#[test]
fn rows_and_evidence_agree_after_a_thousand_at_once() {
    on_each(async |world, joining| {
        let mut tasks = Vec::new();
        for worker in 0..16 {
            let (url, session, joining) = (world.url.clone(), world.kind.session.clone(), joining.clone());
            // Spawned, so what the driver awaits can go from thread to thread.
            tasks.push(tokio::spawn(async move {
                let mut conn = client(&url, &session).await;
                let (mut dice, mut gave_up) = (Dice(worker + 1), 0);
                for _ in 0..64 {
                    let (id, key) = (dice.roll(60).to_string(), format!("evt-{}", dice.roll(200)));
                    let fate = dice.roll(10);
                    let ended = one(&mut conn, &joining, &id, &key, fate).await;
                    match ended {
                        Ok(()) => {}
                        Err(error) if is_retry(&error) => gave_up += 1,
                        Err(error) => panic!("{error:?}"),
                    }
                    if fate == 1 {
                        // Dropped in the middle, with its connection.
                        let _ = tokio::time::timeout(std::time::Duration::from_millis(2), one(&mut conn, &joining, &id, &key, 9))
                            .await;
                        conn = client(&url, &session).await;
                    }
                }
                gave_up
            }));
        }
        let mut gave_up = 0;
        for task in tasks {
            gave_up += task.await.unwrap();
        }
        apart(|| world.intact());
        let paid = apart(|| world.agree());
        println!("{}: {paid} paid, {gave_up} gave up", world.kind.session);
        assert!(paid > 20);
    });
}

/// As the driver's helper sees it: ours, or the database's own at COMMIT.
fn is_retry(error: &AnyError) -> bool {
    let code = error.downcast_ref::<tokio_postgres::Error>().and_then(|error| error.code()).map(|code| code.code());
    error.downcast_ref::<Error>().is_some_and(Error::is_retry) || matches!(code, Some("40001" | "40P01"))
}

async fn one(client: &mut Client, joining: &Joining, id: &str, key: &str, fate: u64) -> Result<(), AnyError> {
    let mut tries = Tries::default();
    loop {
        let tx = client.transaction().await?;
        let done = async {
            let here = join::on(joining, "t1", &tx)?;
            if here.call(birth(id)).await?.allowed {
                tx.execute(&format!("INSERT INTO orders VALUES ('{id}', 'a')"), &[]).await?;
            }
            let went = here.call(once(go(id), key)).await?;
            if went.allowed && !went.again {
                tx.execute(&format!("INSERT INTO pays VALUES ('{id}', '{key}')"), &[]).await?;
                tx.execute(&format!("UPDATE orders SET status = 'b' WHERE id = '{id}'"), &[]).await?;
            }
            Ok::<_, AnyError>(if fate < 3 { End::Rollback(()) } else { End::Commit(()) })
        };
        let done = done.await;
        match join::ended(tx, done).await {
            Err(error) if tries.again(&error).await => {}
            ended => return ended,
        }
    }
}

/// PostgreSQL answers COMMIT with ROLLBACK then, and calls that no error.
#[test]
fn a_transaction_that_failed_or_ended_before_its_commit_is_not_a_commit() {
    on_each(async |world, joining| {
        let mut client = client(&world.url, &world.kind.session).await;
        let joining = &joining;
        for (said, fails, code) in [
            ("SELECT nothing", true, Code::StoreUnavailable),
            ("ROLLBACK", false, Code::NoTransaction),
            ("ROLLBACK; BEGIN", false, Code::NoTransaction),
        ] {
            let done = join::run(&mut client, async |tx| {
                tx.execute("INSERT INTO orders VALUES ('1', 'a')", &[]).await?;
                assert!(join::on(joining, "t1", tx)?.call(birth("1")).await?.allowed);
                assert_eq!(tx.batch_execute(said).await.is_err(), fails);
                Ok(End::Commit(()))
            });
            let error = done.await.unwrap_err();
            assert_eq!(error.downcast_ref::<Error>().map(Error::code), Some(code), "{said}: {error}");
            assert_eq!(number(&client, "SELECT count(*) FROM orders").await, 0);
        }
    });
}

/// What comes of work that is polled so often and then dropped.
async fn dropped_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

const BORN: &str = "SELECT count(*) FROM hos_instance WHERE tenant = 't1' AND state <> ''";

/// A host may give up a call that takes too long, and commit what it did before.
#[test]
fn of_a_call_that_is_dropped_anywhere_all_is_committed_or_nothing() {
    on_each(async |world, joining| {
        let client = client(&world.url, &world.kind.session).await;
        let here = join::on(&joining, "t1", &client).unwrap();
        let (mut polls, mut ended) = (0, false);
        while !ended {
            assert!(polls < 500, "it never ends");
            let before = number(&client, BORN).await;
            client.batch_execute("BEGIN").await.unwrap();
            let calls = (0..16).map(|n| birth(&format!("{polls}-{n}"))).collect();
            let done = dropped_after(polls, here.all(calls)).await;
            client.batch_execute("COMMIT").await.unwrap();
            let born = number(&client, BORN).await - before;
            ended = done.is_some_and(|judged| judged.unwrap().allowed);
            assert!(born == 16 || born == 0 && !ended, "{born} after {polls} polls");
            polls += 1;
        }
        apart(|| world.intact());
    });
}

/// What the host says beside a call that it did not wait for ends the transaction under it.
#[test]
fn nothing_is_written_behind_a_commit_that_came_in_between() {
    on_each(async |world, joining| {
        let client = client(&world.url, &world.kind.session).await;
        let here = join::on(&joining, "t1", &client).unwrap();
        client.batch_execute("BEGIN").await.unwrap();
        assert!(here.call(birth("1")).await.unwrap().allowed, "the law is known from now on");
        client.batch_execute("COMMIT; BEGIN").await.unwrap();
        let (judged, committed) = futures_util::future::join(here.call(birth("2")), client.batch_execute("COMMIT")).await;
        committed.unwrap();
        assert_eq!(judged.err().map(|error| error.code()), Some(Code::NoTransaction));
        assert_eq!(number(&client, BORN).await, 1);
        apart(|| world.intact());
    });
}
