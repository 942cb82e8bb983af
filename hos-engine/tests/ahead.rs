//! Calls judged before their turn: what they stood on changes in between, and nothing comes of it that would not have come of
//! judging them in their turn.

mod support;

use hos_core::call::{Begin, Change, Transition};
use hos_core::id::{InstanceId, Name};
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_engine::ports::Clock;
use hos_engine::store::sqlite::Stats;
use hos_engine::{Engine, Erasure, Level, Settings, TenantRef, VerifyOptions};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;
use support::{Store, change, fresh_under, root, uid};

const CONTRACT: &str = "contract=\"o\"\nversion=1\nentity=\"N::O\"\ndata_subject=\"facts.who\"\nstates=[\"a\",\"b\",\"c\"]\n\
    terminal=[\"c\"]\nforever=[\"a\",\"b\"]\n[facts]\nwho=\"A\"\n[begin.new]\nto=\"a\"\naction=\"o.new\"\n\
    [event.go]\nfrom=[\"a\"]\nto=\"b\"\naction=\"o.go\"\neffects=[{kind=\"m\",body=[\"id\"]}]\n\
    [event.back]\nfrom=[\"b\"]\nto=\"a\"\naction=\"o.go\"\n[event.late]\nfrom=[\"b\"]\nto=\"a\"\naction=\"o.late\"\n\
    [[deadline]]\nstate=\"b\"\nafter=\"PT1H\"\nevent=\"late\"\n[event.end]\nfrom=[\"a\",\"b\"]\nto=\"c\"\naction=\"o.go\"\n";

/// How many calls are made between two changes of the directory.
const STILL_CALLS: usize = 20;

/// A store of orders that go to and fro; everybody in `N::R::"op"` may move them.
fn store() -> Store {
    fresh_under(Settings::default(), |path, text| if path == "contracts/o.toml" { CONTRACT.to_owned() } else { text })
}

/// The same, unless the tests run on a database: there nothing is judged ahead.
fn in_a_file() -> Option<Store> {
    let store = store();
    if store.database.is_some() {
        eprintln!("skipped: in a database nothing is judged ahead");
        return None;
    }
    Some(store)
}

fn event(who: &str, id: &str, event: &str) -> Transition {
    Transition::new(uid("A", who), "o", id, event).unwrap()
}

fn born(tenant: &TenantRef, id: &str, whose: &str) {
    let begin = Begin::new(uid("A", "root"), "o", id, "new").unwrap().fact("who", uid("A", whose));
    assert!(tenant.begin(begin).unwrap().allowed);
}

fn version(tenant: &TenantRef, id: &str) -> u64 {
    tenant.instance(&Name::new("o").unwrap(), &InstanceId::new(id).unwrap()).unwrap().unwrap().version
}

fn stats(engine: &Engine) -> Stats {
    engine.stats().unwrap()
}

/// Every record judged again under its law, with its own parts, in the order of the log.
fn replays(engine: &Engine) {
    let (report, replay) = engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
    assert_eq!(report.level, Level::Replayed, "{:#?} {replay:#?}", report.findings);
    assert_eq!(replay.differs, 0, "{replay:#?}");
}

#[test]
fn a_known_instance_is_judged_ahead() {
    let Some(store) = in_a_file() else { return };
    let tenant = store.tenant("t1");
    born(&tenant, "1", "ann");
    let before = stats(&store.engine);
    for (i, name) in ["go", "back", "go", "back"].iter().enumerate() {
        let answer = tenant.transition(event("root", "1", name).once(&format!("k{i}")).unwrap()).unwrap();
        assert!(answer.allowed && answer.receipt.unwrap().seal.unwrap().checkpoint.is_some());
        let again = tenant.transition(event("root", "1", name).once(&format!("k{i}")).unwrap()).unwrap();
        assert!(again.allowed && again.again, "the once-key was taken");
    }
    let after = stats(&store.engine);
    assert_eq!(after.ahead - before.ahead, 4);
    assert_eq!(version(&tenant, "1"), 5);
    // A refusal is judged in its turn alone.
    assert_eq!(tenant.transition(event("root", "1", "back")).unwrap().code(), Some(Code::WrongState.as_str()));
    assert_eq!(tenant.transition(event("ann", "1", "go")).unwrap().code(), Some(Code::NotPermitted.as_str()));
    assert_eq!(stats(&store.engine).ahead, after.ahead);
    replays(&store.engine);
}

#[test]
fn a_once_key_that_was_used_before_is_found_though_the_event_is_lawful_again() {
    let Some(store) = in_a_file() else { return };
    let tenant = store.tenant("t1");
    born(&tenant, "1", "ann");
    let first = tenant.transition(event("root", "1", "go").once("k0").unwrap()).unwrap();
    assert!(tenant.transition(event("root", "1", "back").once("k1").unwrap()).unwrap().allowed);
    let before = stats(&store.engine);
    let again = tenant.transition(event("root", "1", "go").once("k0").unwrap()).unwrap();
    assert!(again.allowed && again.again);
    assert_eq!(again.receipt.map(|receipt| receipt.record), first.receipt.map(|receipt| receipt.record));
    let after = stats(&store.engine);
    assert_eq!((after.ahead - before.ahead, after.stale - before.stale), (0, 1));
    assert_eq!(version(&tenant, "1"), 3, "nothing moved");
    replays(&store.engine);
}

/// A clock that goes two hours on when it was read once more.
struct Leap {
    at: AtomicI64,
    armed: AtomicBool,
}

impl Clock for Leap {
    fn now(&self) -> Timestamp {
        let on = if self.armed.swap(false, Ordering::SeqCst) { 7_200_000 } else { 0 };
        Timestamp(self.at.fetch_add(on, Ordering::SeqCst))
    }
}

#[test]
fn a_deadline_that_became_due_meanwhile_fires_first() {
    let Some(store) = in_a_file() else { return };
    let Store { engine, path, dir, .. } = store;
    engine.close().unwrap();
    let clock = Arc::new(Leap { at: AtomicI64::new(support::at("2026-01-01T00:00:00Z").0), armed: AtomicBool::new(false) });
    let engine = Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
    let tenant = engine.tenant("t1").unwrap();
    born(&tenant, "1", "ann");
    assert!(tenant.transition(event("root", "1", "go")).unwrap().allowed);
    let before = stats(&engine);
    clock.armed.store(true, Ordering::SeqCst);
    let late = tenant.transition(event("root", "1", "back")).unwrap();
    assert_eq!((late.code(), late.fired.len()), (Some(Code::WrongState.as_str()), 1), "{late:?}");
    let after = stats(&engine);
    assert_eq!((after.ahead - before.ahead, after.stale - before.stale), (0, 1));
    replays(&engine);
    drop((engine, dir));
}

#[test]
fn a_directory_that_changed_is_the_one_that_counts() {
    let store = store();
    let tenant = store.tenant("t1");
    born(&tenant, "1", "ann");
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
    for _ in 0..3 {
        assert!(tenant.transition(event("ann", "1", "go")).unwrap().allowed);
        change(&tenant, Change::Leave { uid: uid("A", "ann"), parent: uid("R", "op") });
        let refused = tenant.transition(event("ann", "1", "back")).unwrap();
        assert_eq!(refused.code(), Some(Code::NotPermitted.as_str()));
        change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
        assert!(tenant.transition(event("ann", "1", "back")).unwrap().allowed);
    }
    replays(&store.engine);
}

#[test]
fn an_erased_person_is_not_remembered() {
    let store = store();
    let tenant = store.tenant("t1");
    born(&tenant, "1", "ann");
    for name in ["go", "back", "end"] {
        assert!(tenant.transition(event("root", "1", name)).unwrap().allowed);
    }
    let erasure = Erasure { ground: "g", article: "a", attest: None };
    let done = store.engine.erase_with(&root(), &uid("A", "ann"), &erasure).unwrap();
    assert!(done.answer.allowed, "{:?}", done.answer.blockers);
    let refused = tenant.transition(event("root", "1", "go")).unwrap();
    assert_eq!(refused.code(), Some(Code::InstanceErased.as_str()));
    assert_eq!(store.engine.verify(&VerifyOptions::default()).unwrap().level, Level::Intact);
}

#[test]
fn what_another_process_moved_is_seen() {
    let Some(store) = in_a_file() else { return };
    let tenant = store.tenant("t1");
    born(&tenant, "1", "ann");
    let elsewhere = |event: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "role_of_another_process", "--nocapture"]);
        let output = child.env("HOS_TEST_STORE", &store.path).env("HOS_TEST_EVENT", event).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    assert!(tenant.transition(event("root", "1", "go")).unwrap().allowed);
    elsewhere("back");
    let before = stats(&store.engine);
    // Here the order is remembered in `b`, where `back` is lawful.
    assert_eq!(tenant.transition(event("root", "1", "back")).unwrap().code(), Some(Code::WrongState.as_str()));
    let after = stats(&store.engine);
    assert_eq!((after.ahead - before.ahead, after.stale - before.stale), (0, 1));
    assert!(tenant.transition(event("root", "1", "go")).unwrap().allowed);
    assert_eq!(version(&tenant, "1"), 4);
    replays(&store.engine);
}

/// Not a test of its own: what another process does to a store.
#[test]
fn role_of_another_process() {
    let Some(path) = std::env::var_os("HOS_TEST_STORE") else { return };
    let event_name = std::env::var("HOS_TEST_EVENT").unwrap();
    let clock = Arc::new(hos_engine::clock::SetClock::at(support::at("2026-01-01T00:00:00Z")));
    let engine = Engine::builder().sqlite(path).clock(clock).open().unwrap();
    let answer = engine.tenant("t1").unwrap().transition(event("root", "1", &event_name)).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
}

/// Twelve callers move orders of their own and two that they share, some calls twice under one once-key, while a directory
/// keeps changing under them. It stands still for [`STILL_CALLS`] of their calls at a time, or whose calls hold when their
/// turn comes would be up to the machine's scheduler.
#[test]
fn whatever_happens_meanwhile_the_evidence_replays() {
    let store = store();
    let tenant = store.tenant("t1");
    let callers = 12;
    for i in 0..callers {
        change(&store.tenant("universe"), Change::Put { uid: uid("A", &format!("u{i}")), attrs: Default::default() });
        change(&tenant, Change::Join { uid: uid("A", &format!("u{i}")), parent: uid("R", "op") });
        born(&tenant, &format!("own{i}"), &format!("u{i}"));
    }
    born(&tenant, "shared0", "ann");
    born(&tenant, "shared1", "ann");
    let (over, called) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (accepted, kept) = thread::scope(|scope| {
        let (tenant, over, called) = (&tenant, &over, &called);
        let changing = scope.spawn(move || {
            let (mut turns, mut seen) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                let now = called.load(Ordering::Relaxed);
                if turns > 0 && now < seen + STILL_CALLS {
                    thread::yield_now();
                    continue;
                }
                seen = now;
                for i in 0..callers / 2 {
                    let (uid, parent) = (uid("A", &format!("u{i}")), uid("R", "op"));
                    change(tenant, Change::Leave { uid: uid.clone(), parent: parent.clone() });
                    change(tenant, Change::Join { uid, parent });
                    turns += 1;
                }
            }
            turns
        });
        let moving: Vec<_> = (0..callers)
            .map(|i| {
                scope.spawn(move || {
                    let (who, own) = (format!("u{i}"), format!("own{i}"));
                    let mut accepted = BTreeMap::new();
                    let mut refused = 0;
                    for turn in 0..40 {
                        for id in [&own, &format!("shared{}", turn % 2)] {
                            let name = if version(tenant, id) % 2 == 1 { "go" } else { "back" };
                            // Another caller uses the same key for another call: one of the two is refused.
                            let key = format!("{id}-{turn}-{}", if id == &own { i } else { i % 6 });
                            let answer = tenant.transition(event(&who, id, name).once(&key).unwrap()).unwrap();
                            called.fetch_add(1, Ordering::Relaxed);
                            if answer.allowed && !answer.again {
                                *accepted.entry(id.clone()).or_insert(0) += 1;
                            } else {
                                refused += 1;
                            }
                        }
                    }
                    (accepted, refused)
                })
            })
            .collect();
        let mut all = BTreeMap::<String, u64>::new();
        let mut refused = 0;
        for mover in moving {
            let (accepted, no) = mover.join().unwrap();
            accepted.into_iter().for_each(|(id, count)| *all.entry(id).or_default() += count);
            refused += no;
        }
        over.store(true, Ordering::Relaxed);
        assert!(changing.join().unwrap() > 0);
        assert!(refused > 0, "twelve callers never met at two orders");
        (all, refused)
    });
    for (id, count) in &accepted {
        assert_eq!(version(&tenant, id), count + 1, "{id}");
    }
    assert!(accepted.values().sum::<u64>() + kept >= callers as u64 * 80);
    if store.database.is_none() {
        assert!(stats(&store.engine).ahead > 0);
    }
    replays(&store.engine);
}
