//! Several calls of a host's transaction as one: all of it is written, or nothing. On the database that `HOS_TEST_STORE_ON` names;
//! without one these tests say so and do nothing.

mod support;

use hos_core::answer::Answer;
use hos_core::call::{Call, Change, Directory, Legacy, LegacyEntry, LegacyLog, Note};
use hos_core::id::{OnceKey, Tenant};
use hos_core::refusal::Code;
use hos_engine::joined::{Asked, Joined};
use hos_engine::{Engine, Failure, Settings};
use std::sync::Arc;
use support::host::{Host, host, intact, joined, world};
use support::{at, change, go, new_order, uid};

fn birth(id: &str) -> Call {
    Call::Begin(new_order(id))
}

fn note(text: &str, once: &str) -> Call {
    let note = Note::new(uid("A", "root"), "n", text.as_bytes().to_vec()).unwrap();
    Call::Note(Note { once: Some(OnceKey::new(once).unwrap()), ..note })
}

/// The answers of all that were judged.
fn all(host: &mut Host, calls: Vec<Call>) -> Result<Vec<Answer>, Failure> {
    let last = host.ask(Asked::All(Tenant::new("t1").unwrap(), calls))?;
    Ok(std::mem::take(&mut host.earlier).into_iter().chain([last]).collect())
}

fn rows(host: &mut Host, table: &str) -> i64 {
    host.number(&format!("SELECT count(*) FROM {table} WHERE tenant = 't1'"))
}

#[test]
fn all_of_them_commit_with_the_hosts_rows_or_roll_back_with_them() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let before = intact(&store);
    host.say("BEGIN");
    assert!(host.call(birth("0")).unwrap().allowed);
    let alone = host.rounds;
    host.say("COMMIT");
    for end in ["ROLLBACK", "COMMIT"] {
        host.say("BEGIN");
        let calls = || {
            let go = Call::Transition(go("0").once("k").unwrap());
            vec![Call::Begin(new_order("1").once("b").unwrap()), birth("2"), go, note("x", "n1"), note("y", "n2")]
        };
        let answers = all(&mut host, calls()).unwrap();
        assert!(host.rounds <= alone, "{} rounds where one call takes {alone}", host.rounds);
        let told: Vec<_> = answers.iter().map(|a| (a.allowed, a.again, a.to.as_ref().map(|to| to.as_str()))).collect();
        let (born, moved, noted) = ((true, false, Some("a")), (true, false, Some("b")), (true, false, None));
        assert_eq!(told, [born, born, moved, noted, noted]);
        assert!(answers.iter().all(|answer| answer.receipt.is_some()));
        host.say(end);
        if end == "COMMIT" {
            // What was done is done once.
            let sealed = intact(&store);
            host.say("BEGIN");
            let calls = calls().into_iter().filter(|call| call.once().is_some()).collect();
            let again = all(&mut host, calls).unwrap();
            host.say("COMMIT");
            assert!(again.iter().all(|answer| answer.allowed && answer.again), "{again:?}");
            let records = |answers: &[Answer]| answers.iter().map(|a| a.receipt.as_ref().unwrap().record).collect::<Vec<_>>();
            assert_eq!(records(&again), records(&[&answers[..1], &answers[2..]].concat()));
            assert_eq!(intact(&store), sealed);
        }
    }
    assert_eq!(intact(&store), before + 6);
    // Of a call that was made before, the receipt stands, whatever becomes of the others.
    host.say("BEGIN");
    let calls = vec![Call::Begin(new_order("1").once("b").unwrap()), birth("3"), Call::Transition(go("none"))];
    let answers = all(&mut host, calls).unwrap();
    host.say("COMMIT");
    let told: Vec<_> = answers.iter().map(|a| (a.allowed, a.again, a.receipt.is_some())).collect();
    assert_eq!(told, [(true, true, true), (true, false, false), (false, false, false)]);
    assert_eq!(intact(&store), before + 6);
}

#[test]
fn one_that_is_refused_leaves_nothing_of_any_though_the_host_commits() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let before = intact(&store);
    let tables = ["hos_instance", "hos_once", "hos_record", "hos_inbox", "hos_queue", "hos_outbox", "hos_deadline"];
    let none = || Call::Transition(go("none").once("k").unwrap());
    for (calls, judged) in [
        (vec![none()], 1),
        (vec![birth("1"), note("x", "n"), none()], 3),
        (vec![Call::Begin(new_order("1").once("b").unwrap()), none(), birth("2")], 2),
        (vec![none(), birth("1"), birth("2")], 1),
    ] {
        let counted = tables.map(|table| rows(&mut host, table));
        host.say("BEGIN");
        let answers = all(&mut host, calls).unwrap();
        host.say("COMMIT");
        assert_eq!(answers.len(), judged);
        let (last, earlier) = answers.split_last().unwrap();
        assert_eq!(last.code(), Some("hos.instance_unknown"));
        assert!(earlier.iter().all(|answer| answer.allowed && answer.receipt.is_none()), "{earlier:?}");
        assert_eq!(tables.map(|table| rows(&mut host, table)), counted);
        // Of the one that was refused there can be evidence, and of no other.
        let kept = host.refusal.take().expect("what was refused can be kept");
        host.say("BEGIN");
        let evidence = host.ask(Asked::Refused(kept)).unwrap();
        host.say(if judged == 1 { "COMMIT" } else { "ROLLBACK" });
        assert_eq!(evidence.code(), Some("hos.instance_unknown"));
    }
    assert_eq!(intact(&store), before + 2);
    host.say("BEGIN");
    let free =
        vec![Call::Begin(new_order("1").once("b").unwrap()), Call::Begin(new_order("2").once("k").unwrap()), note("x", "n")];
    assert!(all(&mut host, free).unwrap().iter().all(|answer| answer.allowed), "ids and keys are free");
    host.say("COMMIT");
    assert_eq!(intact(&store), before + 5);
}

#[test]
fn what_cannot_be_judged_as_one_is_refused_before_anything_is_asked() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let put = Change::Put { uid: uid("R", "new"), attrs: Default::default() };
    let entry = LegacyEntry {
        at: at("2024-01-01T00:00:00Z"),
        from: None,
        to: "a".into(),
        event: None,
        actor: None,
        detail: None,
        key: None,
    };
    let log = LegacyLog {
        by: support::root(),
        contract: new_order("1").contract,
        id: new_order("1").id,
        entries: vec![entry],
        once: None,
    };
    let mut watched = new_order("2");
    watched.by.legacy = Some(Legacy { allowed: true, state: None });
    host.say("BEGIN");
    for (calls, wanted) in [
        (vec![], "0 calls"),
        ((0..17).map(|i| birth(&i.to_string())).collect(), "17 calls"),
        (vec![birth("1"), birth("2"), Call::Transition(go("1"))], "calls 1 and 3"),
        (vec![note("x", "n"), birth("2"), note("y", "n")], "calls 1 and 3"),
        (vec![birth("1"), Call::Directory(Directory::new(uid("A", "root"), put))], "call 2 of several is of the directory"),
        (vec![Call::LegacyLog(log)], "call 1 of several is of the directory or of an older log"),
        (vec![Call::Begin(watched)], "call 1 of several has `legacy`"),
    ] {
        let failure = all(&mut host, calls).unwrap_err();
        assert_eq!(failure.code, Code::CallMalformed);
        assert!(failure.message.contains(wanted), "{}", failure.message);
        assert_eq!((host.rounds, host.said.len()), (0, 0));
    }
    host.say("ROLLBACK");
    host.inside = Some(false);
    assert_eq!(all(&mut host, vec![birth("1"), birth("2")]).unwrap_err().code, Code::NoTransaction);
}

/// Two that claim the same rows in another order: one goes on, the other begins again, and each instance is born once.
#[test]
fn hosts_that_claim_in_another_order_end() {
    let Some(store) = world() else { return };
    let joined = joined(&store);
    let before = intact(&store);
    let born: Vec<usize> = std::thread::scope(|scope| {
        let work = |turned: bool| {
            let mut host = host(&store, &joined);
            move || {
                let mut born = 0;
                for pair in 0..10 {
                    let mut ids = [format!("{pair}-x"), format!("{pair}-y")];
                    if turned {
                        ids.reverse();
                    }
                    loop {
                        host.say(support::host::begin(host.joined.dialect()));
                        let answers = match all(&mut host, ids.iter().map(|id| birth(id)).collect()) {
                            Err(failure) => {
                                assert_eq!(failure.code, Code::Retry, "{}", failure.message);
                                host.say("ROLLBACK");
                                continue;
                            }
                            Ok(answers) => answers,
                        };
                        let are_all = answers.len() == 2 && answers.iter().all(|answer| answer.allowed);
                        if !are_all {
                            assert_eq!(answers.last().unwrap().code(), Some("hos.instance_exists"));
                            host.say("ROLLBACK");
                            break;
                        }
                        if host.commit().is_some() {
                            born += 2;
                            break;
                        }
                    }
                }
                born
            }
        };
        let threads = [scope.spawn(work(false)), scope.spawn(work(true))];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert_eq!(born.iter().sum::<usize>(), 20);
    assert_eq!(intact(&store), before + 20);
}

#[test]
fn an_engine_is_of_one_store() {
    let (Some(store), Some(stranger)) = (world(), world()) else { return };
    let joined = joined(&store);
    let mut first = host(&store, &joined);
    first.say("BEGIN");
    assert!(all(&mut first, vec![birth("1")]).unwrap()[0].allowed);
    first.say("COMMIT");
    let mut second = host(&stranger, &joined);
    for _ in 0..2 {
        second.say("BEGIN");
        for judged in [all(&mut second, vec![birth("1")]).map(drop), second.call(birth("1")).map(drop)] {
            let failure = judged.unwrap_err();
            assert_eq!(failure.code, Code::StoreUnavailable);
            assert!(failure.message.contains("another store"), "{}", failure.message);
        }
        second.say("ROLLBACK");
    }
    assert_eq!(rows(&mut second, "hos_instance"), 0);
    intact(&stranger);
}

#[test]
fn many_take_no_more_rounds_than_one_nor_do_those_that_were_made_before() {
    let Some(store) = world() else { return };
    for i in (0..16).chain([100]) {
        change(&store.tenant("universe"), Change::Put { uid: uid("A", &format!("new-{i}")), attrs: Default::default() });
    }
    let mut host = host(&store, &joined(&store));
    let of = |i: usize| {
        let order = new_order(&i.to_string()).once(&format!("k{i}")).unwrap();
        Call::Begin(order.fact("who", uid("A", &format!("new-{i}"))))
    };
    let mut alone = Vec::new();
    for calls in [vec![of(100)], vec![of(100)], (0..16).map(of).collect(), (0..16).map(of).collect()] {
        let count = calls.len();
        host.say("BEGIN");
        let answers = all(&mut host, calls).unwrap();
        host.say("COMMIT");
        assert!(answers.len() == count && answers.iter().all(|answer| answer.allowed), "{:?}", answers.last());
        if count == 1 {
            alone.push(host.rounds);
        } else {
            assert!(host.rounds <= alone.remove(0), "{} rounds", host.rounds);
        }
        store.engine.work().unwrap();
    }
    intact(&store);
}

/// A deadline fell due and the call is refused for it: nothing is written in the host's transaction, and the answer says so.
#[test]
fn what_is_refused_behind_a_deadline_writes_nothing() {
    let store = support::fresh_under(Settings::default(), |_, text| text.replace("PT1H", "PT1S"));
    let Some(database) = store.database.as_ref() else { return };
    let dialect = database.own.dialect();
    let joined = Arc::new(Joined::open(Engine::builder(), dialect, dialect.places()));
    let mut host = host(&store, &joined);
    let before = intact(&store);
    host.say("BEGIN");
    assert!(host.call(birth("1")).unwrap().allowed);
    host.say("COMMIT");
    let written = (rows(&mut host, "hos_instance"), rows(&mut host, "hos_record"));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    for several in [false, true] {
        host.say("BEGIN");
        let go = Call::Transition(go("1"));
        let answer = if several { all(&mut host, vec![birth("2"), go]).unwrap().remove(1) } else { host.call(go).unwrap() };
        assert_eq!((answer.allowed, answer.code(), answer.receipt.is_some()), (false, Some("hos.terminal"), false));
        assert_eq!((&answer.fired, answer.to.as_ref().map(|to| to.as_str()), answer.version), (&Vec::new(), Some("a"), Some(1)));
        host.say("COMMIT");
        assert_eq!((rows(&mut host, "hos_instance"), rows(&mut host, "hos_record")), written);
        let kept = host.refusal.take().expect("there can be evidence of it");
        host.say("BEGIN");
        assert_eq!(host.ask(Asked::Refused(kept)).unwrap().code(), Some("hos.terminal"));
        host.say(if several { "COMMIT" } else { "ROLLBACK" });
    }
    // The birth, and the one refusal that was kept: it is judged again to the same, though what it stood behind was not written.
    assert_eq!(intact(&store), before + 2);
}

/// The clock is nobody's principal here: a deadline that fell due is refused, in the instance's own thread. What is kept of the refusal of
/// the call behind it is that call's alone.
#[test]
fn a_refused_deadline_is_no_part_of_a_refusal_that_is_kept() {
    let clock = "@id(\"clock\")permit(principal is N::Clock,action,resource);\n";
    let store = support::fresh_under(Settings::default(), |_, text| text.replace("PT1H", "PT1S").replace(clock, ""));
    let Some(database) = store.database.as_ref() else { return };
    let dialect = database.own.dialect();
    let joined = Arc::new(Joined::open(Engine::builder(), dialect, dialect.places()));
    let mut host = host(&store, &joined);
    host.say("BEGIN");
    assert!(host.call(birth("1")).unwrap().allowed);
    host.say("COMMIT");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    host.say("BEGIN");
    let refused = hos_core::call::Transition::new(uid("A", "ann"), "o", "1", "go").unwrap();
    assert_eq!(host.call(Call::Transition(refused)).unwrap().code(), Some("hos.not_permitted"));
    host.say("ROLLBACK");
    let kept = host.refusal.take().expect("there can be evidence of it");
    host.say("BEGIN");
    assert_eq!(host.ask(Asked::Refused(kept)).unwrap().code(), Some("hos.not_permitted"));
    host.say("COMMIT");
    host.say("BEGIN");
    assert!(host.call(Call::Transition(go("1"))).unwrap().allowed);
    host.say("COMMIT");
    intact(&store);
}

#[test]
fn a_call_that_fails_leaves_nothing_though_the_host_commits() {
    let (Some(store), Some(stranger)) = (world(), world()) else { return };
    let joined = joined(&store);
    let mut first = host(&store, &joined);
    first.say("BEGIN");
    assert!(first.call(birth("1")).unwrap().allowed);
    first.say("COMMIT");
    let mut second = host(&stranger, &joined);
    for several in [false, true] {
        second.say("BEGIN");
        let order = || Call::Begin(new_order("1").once("k").unwrap());
        let failed = if several { all(&mut second, vec![order()]).map(drop) } else { second.call(order()).map(drop) };
        assert_eq!(failed.unwrap_err().code, Code::StoreUnavailable);
        second.say("COMMIT");
        assert_eq!((rows(&mut second, "hos_instance"), rows(&mut second, "hos_once")), (0, 0));
    }
    // Nor one about a tenant that is none, though the world's own outcome comes with it: the law is enforced.
    for watched in [false, true] {
        first.say("BEGIN");
        let mut order = new_order("2").once("k").unwrap();
        order.by.legacy = watched.then_some(Legacy { allowed: true, state: None });
        let nowhere = Asked::Call(Tenant::new("nowhere").unwrap(), Box::new(Call::Begin(order)), Vec::new());
        assert_eq!(first.ask(nowhere).unwrap_err().code, Code::TenantUnknown);
        first.say("COMMIT");
        for table in ["hos_instance", "hos_once"] {
            assert_eq!(first.number(&format!("SELECT count(*) FROM {table} WHERE tenant = 'nowhere'")), 0, "{table}, {watched}");
        }
    }
}
