//! In the transaction that a host already has: its rows and the evidence commit together or not at all. On the database that
//! `HOS_TEST_STORE_ON` names; without one these tests say so and do nothing.

mod support;

use hos_core::call::{Call, Change, Directory, Note};
use hos_core::id::{InstanceId, Name, OnceKey, Tenant};
use hos_core::refusal::Code;
use hos_engine::clock::SystemEntropy;
use hos_engine::joined::{Asked, Joined, KeptRefusal, Next};
use hos_engine::ports::Entropy;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sqlite::{after_fork_in_parent, before_fork};
use hos_engine::{Engine, Failure, Level, Seal, Settings, VerifyOptions};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::host::{Host, host, intact, joined, world};
use support::{Store, go, law, new_order, uid};

fn birth(id: &str) -> Call {
    Call::Begin(new_order(id))
}

fn event(id: &str) -> Call {
    Call::Transition(go(id))
}

fn with_rows(store: &Store) -> Host {
    let mut host = host(store, &joined(store));
    host.say("CREATE TABLE orders (id VARCHAR(64) PRIMARY KEY, status VARCHAR(16) NOT NULL)");
    host
}

#[test]
fn the_hosts_rows_and_the_evidence_commit_together() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    host.say("BEGIN");
    host.say("INSERT INTO orders VALUES ('1', 'a')");
    let answer = host.call(birth("1")).unwrap();
    assert!(answer.allowed && answer.to.as_ref().unwrap().as_str() == "a", "{:?}", answer.blockers);
    assert!(answer.receipt.as_ref().unwrap().seal.is_none(), "its place in the log comes later");
    host.say("COMMIT");
    host.say("BEGIN");
    host.say("UPDATE orders SET status = 'b' WHERE id = '1'");
    let answer = host.call(event("1")).unwrap();
    assert_eq!((answer.allowed, answer.to.as_ref().map(|s| s.as_str())), (true, Some("b")), "{:?}", answer.blockers);
    println!("{} rounds, {} statements: {:#?}", host.rounds, host.said.len(), host.said);
    host.say("COMMIT");
    assert_eq!(host.number("SELECT count(*) FROM orders WHERE status = 'b'"), 1);
    let history = store.tenant("t1").history(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap(), 0, 10).unwrap();
    assert_eq!(history.len(), 2);
    intact(&store);
}

#[test]
fn a_host_that_rolls_back_leaves_nothing() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let before = intact(&store);
    host.say("BEGIN");
    host.say("INSERT INTO orders VALUES ('1', 'a')");
    assert!(host.call(birth("1")).unwrap().allowed);
    assert!(host.call(event("1")).unwrap().allowed, "and sees its own writes before");
    host.say("ROLLBACK");
    assert_eq!(host.number("SELECT count(*) FROM orders"), 0);
    assert_eq!(intact(&store), before);
    host.say("BEGIN");
    assert_eq!(host.call(event("1")).unwrap().code(), Some("hos.instance_unknown"));
    host.say("ROLLBACK");
}

#[test]
fn a_refused_call_leaves_nothing_though_the_host_commits() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let before = intact(&store);
    for call in [event("none"), Call::Transition(go("none").once("k").unwrap())] {
        host.say("BEGIN");
        assert!(!host.call(call).unwrap().allowed);
        host.say("COMMIT");
    }
    host.say("BEGIN");
    assert!(host.call(Call::Begin(new_order("1").once("k").unwrap())).unwrap().allowed, "the key is free");
    host.say("COMMIT");
    host.say("BEGIN");
    let answer = host.call(birth("1")).unwrap();
    assert_eq!(answer.code(), Some("hos.instance_exists"));
    host.say("COMMIT");
    for table in ["hos_instance", "hos_once", "hos_record"] {
        let rows = host.number(&format!("SELECT count(*) FROM {table} WHERE tenant = 't1'"));
        assert_eq!(rows, if table == "hos_record" { rows } else { 1 }, "{table}");
    }
    assert_eq!(intact(&store), before + 1);
}

/// A call that is refused, and rolled back: what can be made evidence of it.
fn refused(host: &mut Host) -> Box<KeptRefusal> {
    host.say("BEGIN");
    assert!(!host.call(event("none")).unwrap().allowed);
    host.say("ROLLBACK");
    host.refusal.take().expect("what was refused can be kept")
}

#[test]
fn a_refusal_becomes_evidence_afterwards() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let before = intact(&store);
    let kept = refused(&mut host);
    // It is recorded again only where its transaction was rolled back.
    for ends in ["ROLLBACK", "COMMIT"] {
        host.say("BEGIN");
        let answer = host.ask(Asked::Refused(kept.clone())).unwrap();
        assert_eq!((answer.code(), answer.receipt.as_ref().unwrap().n), (Some("hos.instance_unknown"), None));
        assert_eq!(host.ask(Asked::Refused(kept.clone())).unwrap_err().code, Code::CallMalformed, "it is there already");
        host.say(ends);
    }
    assert_eq!(intact(&store), before + 1);
}

#[test]
fn refusals_that_become_evidence_are_bounded_per_principal() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let before = intact(&store);
    let bound = law::law().limits.refusals_per_hour as usize;
    let mut is_kept = || {
        let kept = refused(&mut host);
        host.say("BEGIN");
        let answer = host.ask(Asked::Refused(kept)).unwrap();
        host.say("COMMIT");
        assert_eq!(answer.code(), Some("hos.instance_unknown"));
        answer.receipt.is_some()
    };
    let kept = (0..2 * bound + 3).filter(|_| is_kept()).count();
    // An hour may end in the middle.
    assert!(kept == bound || (bound + 3..=2 * bound).contains(&kept), "{kept} of {bound} an hour");
    assert_eq!(intact(&store), before + kept as u64);
}

#[test]
fn a_step_that_cannot_go_on_leaves_what_it_claimed() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    host.say("BEGIN");
    assert!(host.call(birth("1")).unwrap().allowed, "the law is known then, and claims are the first round's");
    host.say("COMMIT");
    let joined = host.joined.clone();
    let mut step = joined.step(Asked::Call(Tenant::new("t1").unwrap(), Box::new(birth("2")), Vec::new()), Some(true));
    let Next::Need(asks) = step.go(&joined, Vec::new()) else { panic!("it asks for rows") };
    assert!(asks.iter().any(|ask| !ask.reads), "it claims");
    // A driver that loses rows on the way.
    let Next::Settle(leaves, outcome) = step.go(&joined, Vec::new()) else { panic!("it ends") };
    assert_eq!(outcome.answer.unwrap_err().code, Code::CallMalformed);
    assert!(leaves.iter().any(|leave| leave.sql.starts_with("DELETE FROM hos_instance")), "{leaves:?}");
}

#[test]
fn outside_a_transaction_nothing_is_judged() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    for inside in [Some(false), None] {
        host.inside = inside;
        assert_eq!(host.call(birth("1")).unwrap_err().code, Code::NoTransaction);
        assert_eq!(host.call(event("1")).unwrap_err().code, Code::NoTransaction);
    }
    assert_eq!(host.number("SELECT count(*) FROM hos_instance WHERE state <> ''"), 0);
}

#[test]
fn what_is_claimed_stands_still_until_the_call_is_made() {
    let Some(store) = world() else { return };
    let joined = joined(&store);
    let (mut host, mut other) = (support::host::host(&store, &joined), support::host::host(&store, &joined));
    let before = intact(&store);
    other.hurry();
    // A birth, then a move, whoever claims first for whichever of both.
    for (id, call) in [("1", Call::Begin(new_order("1").once("b").unwrap())), ("1", Call::Transition(go("1").once("k").unwrap()))]
    {
        host.say("BEGIN");
        host.claim(call.clone()).unwrap();
        for wanted in [call.clone(), birth(id)] {
            other.say("BEGIN");
            assert_eq!(other.call(wanted).unwrap_err().code, Code::Retry, "another waits for the claim");
            other.say("ROLLBACK");
        }
        let answer = host.call(call).unwrap();
        assert!(answer.allowed && !answer.again, "{:?}", answer.blockers);
        host.say("COMMIT");
    }
    assert_eq!(intact(&store), before + 2);
}

#[test]
fn a_claim_whose_call_is_not_made_leaves_nothing() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let before = intact(&store);
    let put = Change::Put { uid: uid("R", "new"), attrs: Default::default() };
    let calls = [
        Call::Begin(new_order("1").once("b").unwrap()),
        Call::Transition(go("none").once("k").unwrap()),
        Call::Directory(Directory::new(uid("A", "root"), put)),
    ];
    let nothing = |host: &mut Host| {
        for (table, place) in [("hos_instance", "state <> '?'"), ("hos_once", "n < 0"), ("hos_directory", "n < 0")] {
            let rows = host.number(&format!("SELECT count(*) FROM {table} WHERE tenant = 't1' AND {place}"));
            assert_eq!(rows, 0, "{table}");
        }
    };
    for call in &calls {
        host.say("BEGIN");
        host.claim(call.clone()).unwrap();
        host.leave();
        host.say("COMMIT");
        nothing(&mut host);
    }
    // And what was committed though it was not left hinders nobody.
    for call in &calls {
        host.say("BEGIN");
        host.claim(call.clone()).unwrap();
        host.say("COMMIT");
    }
    host.say("BEGIN");
    assert!(host.call(calls[0].clone()).unwrap().allowed);
    assert!(!host.call(calls[1].clone()).unwrap().allowed);
    assert!(host.call(calls[2].clone()).unwrap().allowed);
    host.say("COMMIT");
    assert_eq!(intact(&store), before + 2);
    for inside in [Some(false), None] {
        host.inside = inside;
        assert_eq!(host.claim(calls[0].clone()).unwrap_err().code, Code::NoTransaction);
    }
}

#[test]
fn a_once_key_brings_the_first_receipt_again() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let mut first = None;
    for round in 0..3 {
        host.say("BEGIN");
        let answer = host.call(Call::Begin(new_order("1").once("k").unwrap())).unwrap();
        host.say("COMMIT");
        assert_eq!((answer.allowed, answer.again), (true, round > 0));
        let record = answer.receipt.unwrap().record;
        assert_eq!(*first.get_or_insert(record), record);
        if round == 1 {
            store.engine.work().unwrap();
        }
    }
    host.say("BEGIN");
    let answer = host.call(Call::Begin(new_order("2").once("k").unwrap())).unwrap();
    assert_eq!(answer.code(), Some("hos.once_conflict"));
    host.say("ROLLBACK");
    intact(&store);
}

#[test]
fn a_stream_of_hosts_and_ours_keeps_one_order() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let note = |text: &str| Note::new(uid("A", "root"), "n", text.as_bytes().to_vec()).unwrap();
    // Ours has its place in the stream at once; where a worker seals, it has none in the log yet.
    let worker = store.builder().settings(Settings { seal: Seal::Worker, ..Settings::default() }).open().unwrap();
    let ours = worker.batch(vec![(Tenant::new("t1").unwrap(), Call::Note(note("ours")))]).unwrap().remove(0).unwrap();
    assert_eq!(ours.receipt.unwrap().n, Some(0));
    host.say("BEGIN");
    assert_eq!(host.call(Call::Note(note("theirs"))).unwrap().receipt.unwrap().n, None);
    host.say("COMMIT");
    // As where both ran at once: the host's came into the queue first, and was committed last.
    host.say("UPDATE hos_queue SET pos = pos + 1000 WHERE tenant = 't1' AND n >= 0");
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((report.level, report.unsealed.0, report.findings), (Level::Intact, 2, Vec::new()));
    // Behind what waits, ours waits too.
    let late = worker.batch(vec![(Tenant::new("t1").unwrap(), Call::Note(note("late")))]).unwrap().remove(0).unwrap();
    assert_eq!(late.receipt.unwrap().n, None);
    intact(&store);
    let log = store.tenant("t1").log(0, 100).unwrap();
    let notes: Vec<Option<u64>> = log.iter().filter(|e| e.header.n.is_none()).map(|e| e.receipt.n).collect();
    assert_eq!(notes, [Some(0), Some(1), Some(2)]);
}

#[test]
fn records_of_a_stream_wait_for_their_place() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    let note = |text: &str| {
        let note = Note::new(uid("A", "root"), "n", text.as_bytes().to_vec()).unwrap();
        Note { once: Some(OnceKey::new(text).unwrap()), ..note }
    };
    let mut records = Vec::new();
    for text in ["x", "y"] {
        host.say("BEGIN");
        let answer = host.call(Call::Note(note(text))).unwrap();
        host.say("COMMIT");
        let receipt = answer.receipt.unwrap();
        assert_eq!(receipt.n, None);
        records.push(receipt.record);
    }
    // Again, before its place is given and after.
    host.say("BEGIN");
    let again = host.call(Call::Note(note("x"))).unwrap();
    host.say("COMMIT");
    assert_eq!((again.again, again.receipt.unwrap().record), (true, records[0]));
    intact(&store);
    host.say("BEGIN");
    let again = host.call(Call::Note(note("y"))).unwrap();
    host.say("COMMIT");
    let receipt = again.receipt.unwrap();
    assert_eq!((again.again, receipt.n, receipt.record), (true, Some(1), records[1]));
    assert_eq!(store.tenant("t1").last_note("n").unwrap().unwrap(), b"y");
}

#[test]
fn a_directory_follows_what_hosts_and_operators_change() {
    let Some(store) = world() else { return };
    // Hosts go by the database's clock, and the operators' stands no hour behind it.
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    store.clock.set(hos_core::time::Timestamp(i64::try_from(now).unwrap()));
    let mut host = with_rows(&store);
    let mut other = support::host::host(&store, &joined(&store));
    let by_ann = || Call::Transition(hos_core::call::Transition::new(uid("A", "ann"), "o", "1", "go").unwrap());
    host.say("BEGIN");
    assert!(host.call(birth("1")).unwrap().allowed);
    host.say("COMMIT");
    for one in [&mut host, &mut other] {
        one.say("BEGIN");
        let refused = one.call(by_ann()).unwrap();
        one.say("ROLLBACK");
        assert!(!refused.allowed, "she has no role");
    }
    // A host makes her an operator, in its transaction; another sees it when it is committed, and not before.
    let join = Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") };
    host.say("BEGIN");
    let answer = host.call(Call::Directory(Directory::new(uid("A", "root"), join))).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    host.say("SAVEPOINT s");
    assert!(host.call(by_ann()).unwrap().allowed, "its own change is seen at once");
    host.say("ROLLBACK TO SAVEPOINT s");
    host.say("COMMIT");
    other.say("BEGIN");
    let answer = other.call(by_ann()).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    other.say("ROLLBACK");
    intact(&store);
    // The changes are counted now; nothing changes for who has read them.
    other.say("BEGIN");
    assert!(other.call(by_ann()).unwrap().allowed);
    other.say("ROLLBACK");
    // A change that is rolled back leaves nobody an operator.
    let leave = Change::Leave { uid: uid("A", "ann"), parent: uid("R", "op") };
    host.say("BEGIN");
    assert!(host.call(Call::Directory(Directory::new(uid("A", "root"), leave.clone()))).unwrap().allowed);
    assert!(!host.call(by_ann()).unwrap().allowed);
    host.say("ROLLBACK");
    host.say("BEGIN");
    assert!(host.call(by_ann()).unwrap().allowed);
    host.say("ROLLBACK");
    // An operator's change, by the engine's own transaction.
    support::change(&store.tenant("t1"), leave);
    for one in [&mut host, &mut other] {
        one.say("BEGIN");
        assert!(!one.call(by_ann()).unwrap().allowed);
        one.say("ROLLBACK");
    }
    intact(&store);
}

/// Whether the database asks for a transaction again that met another's change: SQLite, and what settings of the host make so.
fn snapshots(dialect: Dialect) -> bool {
    dialect == Dialect::Sqlite || support::host::settings().is_some()
}

/// Small chance, the same for each seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % sides
    }
}

/// Does something in a transaction, and again where the database asks for it; commits where the work says so.
fn retried<T>(host: &mut Host, mut work: impl FnMut(&mut Host) -> Result<(T, bool), hos_engine::Failure>) -> T {
    for _ in 0..1000 {
        host.say("BEGIN");
        match work(host) {
            Ok((done, false)) => return done,
            Ok((done, true)) => {
                if host.commit().is_some() {
                    return done;
                }
            }
            Err(failure) if failure.code == Code::Retry => host.say("ROLLBACK"),
            Err(failure) => panic!("{}: {}", failure.code, failure.message),
        }
    }
    panic!("a thousand times in vain")
}

#[test]
fn rows_and_evidence_agree_after_a_thousand_with_rollbacks_and_lost_connections() {
    let Some(store) = world() else { return };
    let mut host = with_rows(&store);
    host.say("CREATE TABLE pays (id VARCHAR(64) NOT NULL, evt VARCHAR(64) PRIMARY KEY)");
    let joined = joined(&store);
    let (workers, each) = (8, 125);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (store, joined) = (&store, &joined);
            scope.spawn(move || {
                let mut host = support::host::host(store, joined);
                let mut dice = Dice(worker + 1);
                for _ in 0..each {
                    // Few ids and few keys, so that workers meet.
                    let (id, evt) = (dice.roll(60).to_string(), dice.roll(200));
                    let fate = dice.roll(10);
                    let commits = fate > 2;
                    retried(&mut host, |host| {
                        let key = format!("evt-{evt}");
                        let born = host.call(Call::Begin(new_order(&id)))?;
                        if born.allowed {
                            host.write(&format!("INSERT INTO orders VALUES ('{id}', 'a')"))?;
                        }
                        let went = host.call(Call::Transition(go(&id).once(&key).unwrap()))?;
                        if went.allowed && !went.again {
                            host.write(&format!("INSERT INTO pays VALUES ('{id}', '{key}')"))?;
                            host.write(&format!("UPDATE orders SET status = 'b' WHERE id = '{id}'"))?;
                        }
                        Ok(((), commits))
                    });
                    match fate {
                        0 | 1 => host.say("ROLLBACK"),
                        // The connection is lost before the commit.
                        2 => host = support::host::host(store, joined),
                        _ => {}
                    }
                }
            });
        }
        // Somebody seals meanwhile.
        for _ in 0..5 {
            std::thread::sleep(std::time::Duration::from_millis(100));
            store.engine.work().unwrap();
        }
    });
    intact(&store);
    let agree = "SELECT count(*) FROM orders o JOIN hos_instance i ON i.tenant = 't1' AND i.contract = 'o'";
    let by_id = match host.joined.dialect() {
        Dialect::Postgres => "i.id = convert_to(o.id, 'UTF8')",
        Dialect::Mysql => "i.id = o.id",
        Dialect::Sqlite => "i.id = CAST(o.id AS BLOB)",
    };
    let orders = host.number("SELECT count(*) FROM orders");
    assert!(orders > 10, "{orders}");
    assert_eq!(host.number(&format!("{agree} AND {by_id} AND i.state = o.status")), orders);
    assert_eq!(host.number("SELECT count(*) FROM hos_instance WHERE tenant = 't1'"), orders);
    let moved = host.number("SELECT count(*) FROM orders WHERE status = 'b'");
    assert_eq!(
        (host.number("SELECT count(*) FROM pays"), host.number("SELECT count(*) FROM hos_once WHERE tenant = 't1'")),
        (moved, moved)
    );
}

#[test]
fn two_births_of_one_at_once_are_one_birth_and_no_deadlock() {
    let Some(store) = world() else { return };
    let joined = joined(&store);
    let mut born = 0;
    for round in 0..30 {
        let barrier = std::sync::Barrier::new(2);
        let outcomes: Vec<bool> = std::thread::scope(|scope| {
            let run = |worker: u32| {
                let (store, joined, barrier) = (&store, &joined, &barrier);
                scope.spawn(move || {
                    let mut host = support::host::host(store, joined);
                    barrier.wait();
                    let begin = new_order(&format!("r{round}")).once(&format!("hook-{round}-{worker}")).unwrap();
                    let mut tries = 0;
                    let answer = retried(&mut host, |host| {
                        tries += 1;
                        host.call(Call::Begin(begin.clone())).map(|answer| (answer, true))
                    });
                    // Where a transaction sees what others commit meanwhile, waiting is enough.
                    assert!(tries == 1 || snapshots(host.joined.dialect()), "{tries} tries");
                    assert!(answer.allowed || answer.code() == Some("hos.instance_exists"), "{:?}", answer.blockers);
                    answer.allowed
                })
            };
            let threads = [run(0), run(1)];
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|yes| **yes).count(), 1, "round {round}");
        born += 1;
    }
    assert_eq!(host(&store, &joined).number("SELECT count(*) FROM hos_once WHERE tenant = 't1'"), born);
    intact(&store);
}

#[test]
fn who_sleeps_in_a_transaction_keeps_nobody_else_waiting() {
    let Some(store) = world() else { return };
    let joined = joined(&store);
    if joined.dialect() == Dialect::Sqlite {
        eprintln!("left out: who writes has the whole file to itself");
        return;
    }
    if joined.dialect() == Dialect::Mysql && support::host::settings().is_some_and(|s| s.contains("SERIALIZABLE")) {
        eprintln!("left out: MySQL makes each read one that locks then");
        return;
    }
    let mut sleeper = host(&store, &joined);
    let mut other = host(&store, &joined);
    // What is there already, so that nothing is made for the first time by a sleeper.
    for id in ["s", "o"] {
        retried(&mut other, |host| host.call(birth(id)).map(|answer| (answer, true)));
    }
    let put = |name: &str| {
        Call::Directory(Directory::new(uid("A", "root"), Change::Put { uid: uid("R", name), attrs: Default::default() }))
    };
    let note = || Call::Note(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap());
    other.hurry();
    let sleeps: [(&str, Call); 4] =
        [("a move", event("s")), ("a birth", birth("sb")), ("a record", note()), ("a directory change", put("x"))];
    for (at, (what, call)) in sleeps.into_iter().enumerate() {
        sleeper.say("BEGIN");
        assert!(sleeper.call(call.clone()).unwrap().allowed, "{what}");
        for (what_too, call) in [
            ("a move", Call::Transition(hos_core::call::Transition::new(uid("A", "root"), "o", "o", "go").unwrap())),
            ("a birth", birth(&format!("ob{at}"))),
            ("a record", note()),
            ("a directory change", put(&format!("y{at}"))),
        ] {
            other.say("BEGIN");
            let answer = other.call(call);
            let answer = answer.unwrap_or_else(|f| panic!("{what_too} waits for {what}: {}", f.message));
            assert!(answer.allowed || what_too == "a move", "{:?}", answer.blockers);
            assert!(other.commit().is_some() || snapshots(other.joined.dialect()), "{what_too} met {what}");
        }
        // Sealing waits for nobody either, and seals what is committed.
        store.engine.work().unwrap();
        if sleeper.commit().is_none() {
            // SERIALIZABLE lets one of them begin again, though neither waited.
            assert!(snapshots(sleeper.joined.dialect()), "{what}");
            retried(&mut sleeper, |host| host.call(call.clone()).map(|answer| (answer, true)));
        }
    }
    intact(&store);
}

/// Chance that is waited for.
#[derive(Default)]
struct Slow {
    asked: AtomicUsize,
    held: Mutex<()>,
}

impl Entropy for Slow {
    fn fill(&self, out: &mut [u8]) -> Result<(), Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        drop(self.held.lock().unwrap());
        SystemEntropy.fill(out)
    }
}

#[test]
fn a_fork_waits_for_a_step_under_way() {
    let Some(store) = world() else { return };
    let (slow, forked) = (Arc::new(Slow::default()), AtomicBool::new(false));
    let dialect = store.database.as_ref().unwrap().own.dialect();
    let builder = Engine::builder().law(Arc::new(law::law())).entropy(slow.clone());
    let joined = Arc::new(Joined::open(builder, dialect, dialect.places()));
    std::thread::scope(|scope| {
        let held = slow.held.lock().unwrap();
        let step = scope.spawn(|| {
            let mut host = host(&store, &joined);
            host.say("BEGIN");
            assert!(host.call(birth("1")).unwrap().allowed);
            host.say("COMMIT");
        });
        while slow.asked.load(Ordering::SeqCst) < 1 && !step.is_finished() {
            std::thread::yield_now();
        }
        // In the middle of judging: for what a child of now found half made it would wait for ever.
        scope.spawn(|| {
            before_fork();
            forked.store(true, Ordering::SeqCst);
            after_fork_in_parent();
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!forked.load(Ordering::SeqCst), "it forked in between");
        drop(held);
        step.join().unwrap();
    });
    assert!(forked.load(Ordering::SeqCst));
    assert_eq!(slow.asked.load(Ordering::SeqCst), 1, "chance is taken once a step, where it is needed");
}
