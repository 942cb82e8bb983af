//! Good days and bad ones: deadlines, clocks, crowds, erasure, sealing by a worker, shadow, another law.

mod support;

use hos_core::call::{Begin, Call, Change, Directory, Legacy, Note, Transition};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::law::mode::{Mode, Modes};
use hos_core::refusal::Code;
use hos_engine::{Answer, Failure, Level, ReplayOptions, Seal, Settings, VerifyOptions};
use std::sync::Arc;
use std::time::Duration;
use support::{at, change, fresh, go, law, new_order, root, store, uid};

fn intact(store: &support::Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(store.engine.replay(&ReplayOptions::default()).unwrap().listed, [], "what was judged is judged again");
}

fn state(store: &support::Store, id: &str) -> String {
    let instance = store.tenant("t1").instance(&Name::new("o").unwrap(), &InstanceId::new(id).unwrap()).unwrap();
    instance.unwrap().state.as_str().to_owned()
}

#[test]
fn a_due_deadline_fires_before_a_later_event_tick_or_not() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for id in ["1", "2", "3"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    store.clock.set(at("2026-01-01T00:59:59Z"));
    assert_eq!(tenant.tick(100).unwrap(), 0);
    assert!(tenant.transition(go("3")).unwrap().allowed);
    store.clock.set(at("2026-01-03T00:00:00Z"));
    let late = tenant.transition(go("1")).unwrap();
    assert_eq!((late.code(), late.fired.len()), (Some("hos.terminal"), 1));
    assert_eq!(tenant.tick(100).unwrap(), 1, "only the one that nobody touched");
    assert_eq!((state(&store, "1"), state(&store, "2"), state(&store, "3")), ("c".into(), "c".into(), "b".into()));
    assert_eq!(tenant.tick(100).unwrap(), 0);
    intact(&store);
}

#[test]
fn deadlines_of_an_older_law_and_behind_those_in_shadow_fire() {
    let two = |path: &str, text: String| match path {
        "schema.cedarschema" => text
            .replace("\"o.new\",\"o.go\"", "\"o.new\",\"o.go\",\"o.on\"")
            .replace("action \"o.late\"", "action \"o.late\",\"o.end\""),
        "contracts/o.toml" => {
            text.replace("states=[\"a\",", "states=[\"a\",\"d\",")
                .replace("[event.late]", "[event.on]\nfrom=[\"a\"]\nto=\"d\"\n[event.end]\nfrom=[\"d\"]\nto=\"c\"\n[event.late]")
                + "[[deadline]]\nstate=\"d\"\nafter=\"PT2H\"\nevent=\"end\"\n"
        }
        _ => text,
    };
    let store = support::fresh_under(Settings::default(), two);
    let tenant = store.tenant("t1");
    for id in ["1", "2", "3"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    let on = |id: &str| tenant.transition(Transition::new(uid("A", "root"), "o", id, "on").unwrap()).unwrap();
    assert!(on("3").allowed);
    // What is due first is in shadow, and stays where the world has it.
    let mut modes = Modes::default();
    modes.entries.insert((Some(Tenant::new("t1").unwrap()), "o.late".into()), Mode::Shadow);
    assert!(store.engine.activate(&root(), Arc::new(law::law_but(two)), None, modes).unwrap().allowed);
    store.clock.set(at("2026-01-01T06:00:00Z"));
    assert_eq!(tenant.tick(1).unwrap(), 1);
    assert_eq!((state(&store, "1"), state(&store, "2"), state(&store, "3")), ("a".into(), "a".into(), "c".into()));
    // A law that has no deadlines takes none from those who live under the one before.
    let none = |path: &str, text: String| match path {
        "contracts/o.toml" => two(path, text).split("[[deadline]]").next().unwrap().to_owned(),
        _ => two(path, text),
    };
    assert!(store.engine.activate(&root(), Arc::new(law::law_but(none)), None, Modes::default()).unwrap().allowed);
    assert_eq!(tenant.tick(100).unwrap(), 2);
    assert_eq!((state(&store, "1"), state(&store, "2")), ("c".into(), "c".into()));
    intact(&store);
}

#[test]
fn an_event_that_a_newer_edition_alone_has_takes_the_instance_to_it() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for id in ["1", "2"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    let newer = |path: &str, text: String| match path {
        "schema.cedarschema" => text.replace("\"o.new\",\"o.go\"", "\"o.new\",\"o.go\",\"o.back\""),
        "contracts/o.toml" => {
            text.replace("version=1", "version=2").replace("[event.late]", "[event.back]\nfrom=[\"a\"]\nto=\"c\"\n[event.late]")
                + "[migrate.\"1\"]\na=\"a\"\nb=\"b\"\nc=\"c\"\n"
        }
        _ => text,
    };
    assert!(store.engine.activate(&root(), Arc::new(law::law_but(newer)), None, Modes::default()).unwrap().allowed);
    let event = |id: &str, name: &str| tenant.transition(Transition::new(uid("A", "root"), "o", id, name).unwrap()).unwrap();
    assert_eq!(event("2", "nothing").code(), Some("hos.event_unknown"));
    let back = event("1", "back");
    assert!(back.allowed, "{:?}", back.blockers);
    assert_eq!(state(&store, "1"), "c");
    assert!(event("2", "go").allowed);
    intact(&store);
}

#[test]
fn a_clock_that_cannot_be_is_refused() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    store.clock.set(at("2026-01-02T00:00:00Z"));
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    store.clock.set(at("2026-01-01T23:59:57Z"));
    assert!(tenant.transition(go("1")).unwrap().allowed, "three seconds back are a clock's daily bread");
    assert!(tenant.begin(new_order("2")).unwrap().allowed);
    store.clock.set(at("2025-06-01T00:00:00Z"));
    assert_eq!(tenant.transition(go("2")).unwrap().code(), Some("hos.clock_implausible"));
    store.clock.set(at("2036-01-02T00:00:00Z"));
    for _ in 0..3 {
        // Once and again: the refusal is sealed too, and does not make the clock plausible.
        assert_eq!(tenant.begin(new_order("3")).unwrap().code(), Some("hos.clock_implausible"));
        let _ = store.engine.work();
    }
    store.clock.set(at("2026-01-02T00:10:00Z"));
    assert!(tenant.transition(go("2")).unwrap().allowed);
    intact(&store);
}

#[test]
fn by_a_clock_that_cannot_be_no_once_key_is_forgotten_and_no_message_leased() {
    let store = store();
    let tenant = store.tenant("t1");
    // No deadline is due, which would be refused first.
    assert!(tenant.transition(go("2")).unwrap().allowed);
    let poll = || tenant.outbox_poll(&root(), 10, Duration::from_secs(60));
    store.clock.set(at("2036-01-02T00:00:00Z"));
    assert_eq!(store.engine.work().unwrap_err().code, Code::ClockImplausible);
    assert_eq!(poll().unwrap_err().code, Code::ClockImplausible);
    store.clock.set(at("2026-01-01T00:10:00Z"));
    assert!(tenant.begin(new_order("1").once("k1").unwrap()).unwrap().again, "the same key happens once");
    assert_eq!(poll().unwrap().len(), 2, "nobody holds them");
    store.engine.work().unwrap();
    intact(&store);
}

#[test]
fn no_once_key_is_forgotten_that_the_log_does_not_show_to_be_past_its_time() {
    let store = store();
    let tenant = store.tenant("t1");
    // No deadline is due, which would be recorded as of then.
    assert!(tenant.transition(go("2")).unwrap().allowed);
    store.engine.work().unwrap();
    store.clock.set(at("2026-04-03T00:00:00Z"));
    assert_eq!(store.engine.work().unwrap().forgotten, 0, "for all the log says the clock is ahead");
    store.clock.set(at("2026-01-01T00:10:00Z"));
    assert!(tenant.begin(new_order("1").once("k1").unwrap()).unwrap().again, "the same key happens once");
    intact(&store);
    if store.database.is_none() {
        store.engine.backup(&store.dir.path().join("copy.db"), None).unwrap();
    }
    store.clock.set(at("2026-04-03T00:00:00Z"));
    assert!(tenant.record(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap()).unwrap().allowed);
    assert_eq!(store.engine.work().unwrap().forgotten, 2);
    // What was lawfully forgotten is so whatever the time is for who verifies.
    store.clock.set(at("2026-01-01T00:10:00Z"));
    intact(&store);
}

#[test]
fn old_once_keys_are_looked_for_again_when_there_is_a_day_of_them() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for (id, when) in [("1", "2026-01-01T00:10:00Z"), ("2", "2026-01-01T12:00:00Z"), ("3", "2026-01-02T12:00:00Z")] {
        store.clock.set(at(when));
        assert!(tenant.begin(new_order(id).once(&format!("k{id}")).unwrap()).unwrap().allowed);
        assert!(tenant.transition(go(id)).unwrap().allowed);
    }
    let forgotten = |when: &str| {
        store.clock.set(at(when));
        // The log shows how late it is.
        assert!(tenant.record(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap()).unwrap().allowed);
        let forgotten = store.engine.work().unwrap().forgotten;
        intact(&store);
        forgotten
    };
    assert_eq!(forgotten("2026-01-31T06:00:00Z"), 1, "those before the sixth hour of the first day");
    assert_eq!(forgotten("2026-01-31T18:00:00Z"), 0, "to find the second all would be read: it was done today");
    assert_eq!(forgotten("2026-02-01T06:00:00Z"), 1);
    assert_eq!(forgotten("2026-03-01T00:00:00Z"), 1);
    assert!(!tenant.begin(new_order("4").once("k1").unwrap()).unwrap().again, "a key that was forgotten is free");
    intact(&store);
}

#[test]
fn by_a_clock_that_cannot_be_nobody_writes_anything() {
    let store = store();
    let (engine, tenant) = (&store.engine, store.tenant("t1"));
    assert!(tenant.transition(go("2")).unwrap().allowed, "nothing stands in the way of an erasure");
    let acts = || {
        let put = Change::Put { uid: uid("R", "x"), attrs: [].into() };
        [
            ("a birth", tenant.begin(new_order("3"))),
            ("a note", tenant.record(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap())),
            ("a directory change", tenant.directory(Directory::new(uid("A", "root"), put))),
            ("a tenant", engine.open_tenant(&root(), &Tenant::new("t2").unwrap())),
            ("a law", engine.activate(&root(), Arc::new(law::law()), None, Modes::default())),
            ("a hold", engine.hold(&root(), &uid("A", "ann"), "case 1")),
        ]
    };
    let absurd = |what: &str, answer: Result<Answer, Failure>| {
        let code = match answer {
            Ok(answer) => answer.code().map(str::to_owned),
            Err(failure) => Some(failure.code.as_str().to_owned()),
        };
        assert_eq!(code.as_deref(), Some("hos.clock_implausible"), "{what}");
    };
    store.clock.set(at("2036-01-02T00:00:00Z"));
    for (what, answer) in acts() {
        absurd(what, answer);
    }
    absurd("an erasure", engine.erase(&root(), &uid("A", "ann"), "request"));
    store.clock.set(at("2026-01-01T00:10:00Z"));
    for (what, answer) in acts() {
        assert!(answer.unwrap().allowed, "{what}");
    }
    store.clock.set(at("2036-01-02T00:00:00Z"));
    absurd("a release", engine.release(&root(), &uid("A", "ann"), "case 1"));
    store.clock.set(at("2026-01-01T00:10:00Z"));
    intact(&store);
}

#[test]
fn a_hundred_at_once_under_one_key_make_one_event() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> =
            (0..100).map(|_| scope.spawn(|| tenant.begin(new_order("1").once("k").unwrap()).unwrap())).collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|a| a.allowed));
    assert_eq!(answers.iter().filter(|a| !a.again).count(), 1);
    let records: std::collections::BTreeSet<_> = answers.iter().map(|a| a.receipt.as_ref().unwrap().record).collect();
    assert_eq!(records.len(), 1);
    if store.database.is_none() {
        assert!(store.engine.stats().unwrap().commits < 100, "callers share commits of a file");
    }
    intact(&store);
}

#[test]
fn the_same_key_with_any_other_value_is_refused() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: [].into() });
    assert!(tenant.begin(new_order("1").once("k").unwrap()).unwrap().allowed);
    let others = [
        new_order("2").once("k").unwrap(),
        Begin::new(uid("A", "ann"), "o", "1", "new").unwrap().fact("who", uid("A", "ann")).once("k").unwrap(),
        Begin::new(uid("A", "root"), "o", "1", "new").unwrap().fact("who", uid("A", "bob")).once("k").unwrap(),
    ];
    for other in others {
        assert_eq!(tenant.begin(other).unwrap().code(), Some("hos.once_conflict"));
    }
    assert_eq!(tenant.transition(go("1").once("k").unwrap()).unwrap().code(), Some("hos.once_conflict"));
    assert!(tenant.begin(new_order("1").once("k").unwrap()).unwrap().again);
    intact(&store);
}

#[test]
fn a_batch_answers_each_and_keeps_what_is_lawful() {
    let store = fresh(Settings::default());
    let t1 = Tenant::new("t1").unwrap();
    let calls = vec![
        (t1.clone(), Call::Begin(new_order("1"))),
        (t1.clone(), Call::Transition(go("nobody"))),
        (t1.clone(), Call::Transition(go("1"))),
        (Tenant::new("elsewhere").unwrap(), Call::Begin(new_order("1"))),
    ];
    let before = store.engine.stats().unwrap().commits;
    let answers = store.engine.batch(calls).unwrap();
    // Where others write beside us, what was written is sealed in a commit of its own.
    let sealing = u64::from(store.database.is_some());
    assert_eq!(store.engine.stats().unwrap().commits, before + 1 + sealing);
    assert!(answers[0].as_ref().unwrap().allowed && answers[2].as_ref().unwrap().allowed);
    assert_eq!(answers[1].as_ref().unwrap().code(), Some("hos.instance_unknown"));
    assert_eq!(answers[3].as_ref().unwrap_err().code, Code::TenantUnknown);
    intact(&store);
}

#[test]
fn a_worker_seals_what_callers_left() {
    let store = fresh(Settings { seal: Seal::Worker, ..Settings::default() });
    let tenant = store.tenant("t1");
    let answer = tenant.begin(new_order("1")).unwrap();
    assert!(answer.receipt.unwrap().seal.is_none(), "pending until the worker comes");
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let before = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(before.level, Level::Intact, "{:#?}", before.findings);
    assert!(before.unsealed.0 > 0);
    let report = store.engine.work().unwrap();
    assert_eq!(report.sealed, before.unsealed.0);
    let after = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((after.level, after.unsealed.0), (Level::Intact, 0), "{:#?}", after.findings);
    let path = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    assert!(tenant.history(&path.0, &path.1, 0, 10).unwrap().iter().all(|e| e.receipt.seal.is_some()));
}

#[test]
fn erasing_a_person_leaves_everything_verifying() {
    let store = store();
    let ann = uid("A", "ann");
    let refused = store.engine.erase(&root(), &ann, "KVKK m.7").unwrap();
    assert_eq!(refused.code(), Some("hos.subject_in_use"));
    assert!(refused.blockers[0].detail.contains("o/2"), "{}", refused.blockers[0].detail);
    assert!(store.tenant("t1").transition(go("2")).unwrap().allowed);
    let erased = store.engine.erase(&root(), &ann, "KVKK m.7").unwrap();
    assert!(erased.allowed, "{:?}", erased.blockers);
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert!(report.erased_parts > 0);
    let tenant = store.tenant("t1");
    let again = tenant.begin(new_order("9")).unwrap();
    assert!(!again.allowed, "nothing is written about an erased person");
    let history = tenant.history(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap(), 0, 10).unwrap();
    assert!(history.iter().any(|entry| entry.erased.iter().any(|part| part == "facts")));
    let messages = tenant.outbox_poll(&root(), 10, Duration::from_secs(60)).unwrap();
    assert!(messages.iter().all(|m| m.body.is_none()));
    let twice = store.engine.erase(&root(), &ann, "again").unwrap();
    assert!(!twice.allowed, "an erased person cannot be erased again");
}

#[test]
fn the_outbox_is_leased_and_acknowledged() {
    let store = store();
    let tenant = store.tenant("t1");
    let first = tenant.outbox_poll(&root(), 10, Duration::from_secs(60)).unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].body.as_ref().unwrap().get("id"), Some(&"1".into()));
    assert!(tenant.outbox_poll(&root(), 10, Duration::from_secs(60)).unwrap().is_empty(), "leased to another");
    store.clock.set(at("2026-01-01T00:02:00Z"));
    let again = tenant.outbox_poll(&root(), 10, Duration::from_secs(60)).unwrap();
    assert_eq!((again.len(), again[0].attempts), (1, 2));
    assert_eq!(tenant.outbox_ack(&root(), first[0].pos, &first[0].lease).unwrap_err().code, Code::LeaseLost);
    tenant.outbox_ack(&root(), again[0].pos, &again[0].lease).unwrap();
    store.clock.set(at("2026-01-01T00:10:00Z"));
    assert!(tenant.outbox_poll(&root(), 10, Duration::from_secs(60)).unwrap().is_empty());
    let for_years = tenant.outbox_poll(&root(), 10, Duration::from_secs(86_400 * 366));
    assert_eq!(for_years.unwrap_err().code, Code::CallMalformed);
    let ann = hos_core::call::By::new(uid("A", "ann"));
    assert_eq!(tenant.outbox_poll(&ann, 10, Duration::from_secs(60)).unwrap_err().code, Code::NotPermitted);
    intact(&store);
}

#[test]
fn in_shadow_the_world_s_word_stands_and_the_law_s_is_recorded() {
    let store = fresh(Settings::default());
    let mut modes = Modes::default();
    modes.entries.insert((Some(Tenant::new("t1").unwrap()), "o".into()), Mode::Shadow);
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, modes).unwrap().allowed);
    let tenant = store.tenant("t1");
    let legacy = |allowed: bool, state: &str| Some(Legacy { allowed, state: Name::new(state).ok() });
    let mut begin = new_order("1");
    begin.by.legacy = legacy(true, "a");
    assert!(tenant.begin(begin).unwrap().allowed);
    assert_eq!(tenant.transition(go("1")).unwrap().code(), Some("hos.legacy_missing"));
    // However early the law comes to an end: an instance that it never saw, an event that it does not know.
    for (id, event) in [("never-seen", "go"), ("1", "made-up")] {
        let mut early = Transition::new(uid("A", "root"), "o", id, event).unwrap();
        early.by.legacy = legacy(true, "b");
        let answer = tenant.transition(early).unwrap();
        assert!(answer.allowed && answer.divergence && !answer.lawful(), "{id} {event}: {answer:?}");
    }
    // The world let somebody do what the law forbids: its word stands, the difference is seen.
    let mut illegal = Transition::new(uid("A", "ann"), "o", "1", "go").unwrap();
    illegal.by.legacy = legacy(true, "b");
    let answer = tenant.transition(illegal).unwrap();
    assert!(answer.allowed && answer.divergence);
    assert_eq!(answer.code(), Some("hos.not_permitted"));
    assert_eq!(state(&store, "1"), "b");
    // A state of the world's that the contract lacks: the world's word stands, and nothing stands where nothing leads out.
    let mut misspelt = new_order("2");
    misspelt.by.legacy = legacy(true, "payed");
    let answer = tenant.begin(misspelt).unwrap();
    assert!(answer.allowed && answer.divergence && answer.receipt.is_some(), "{answer:?}");
    assert_eq!(answer.code(), Some("hos.wrong_state"));
    assert!(tenant.instance(&Name::new("o").unwrap(), &InstanceId::new("2").unwrap()).unwrap().is_none());
    let mut born = new_order("2");
    born.by.legacy = legacy(true, "a");
    assert!(tenant.begin(born).unwrap().allowed);
    let mut misspelt = go("2");
    misspelt.by.legacy = legacy(true, "payed");
    let answer = tenant.transition(misspelt).unwrap();
    assert!(answer.allowed && answer.divergence, "{answer:?}");
    assert_eq!((answer.code(), state(&store, "2")), (Some("hos.wrong_state"), "a".into()));
    intact(&store);
}

#[test]
fn a_store_opens_again_under_its_law_and_no_other() {
    let store = store();
    let before = store.engine.verify(&VerifyOptions::default()).unwrap();
    let (builder, again, third) = (store.builder(), store.builder(), store.builder());
    let support::Store { engine, dir, database: _database, .. } = store;
    engine.close().unwrap();
    let engine = builder.open().unwrap();
    let after = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((after.level, &after.logs), (Level::Intact, &before.logs), "{:#?}", after.findings);
    drop(engine);
    let files = law::files()
        .into_iter()
        .map(|(p, b)| if p == "law.toml" { (p, [b, b"# other\n".to_vec()].concat()) } else { (p, b) })
        .collect();
    let other = hos_core::law::Law::load(files).unwrap();
    let failure = again.law(Arc::new(other)).open().map(drop).unwrap_err();
    assert_eq!(failure.code, Code::LawNotActive);
    let key = dir.path().join("s.db.key");
    std::fs::write(&key, format!("{}\n", "01".repeat(32))).unwrap();
    let failure = third.open().map(drop).unwrap_err();
    assert_eq!(failure.code, Code::KeyInvalid);
}

#[test]
fn a_law_that_live_instances_need_is_not_taken_away() {
    let store = fresh(Settings::default());
    assert!(store.tenant("t1").begin(new_order("1")).unwrap().allowed);
    let files = law::files().into_iter().filter(|(path, _)| !path.starts_with("contracts/")).collect();
    let without = Arc::new(hos_core::law::Law::load(files).unwrap_or_else(|f| panic!("{f:#?}")));
    let refused = store.engine.activate(&root(), without.clone(), None, Modes::default()).unwrap();
    assert_eq!(refused.code(), Some("hos.law_in_use"));
    assert!(store.tenant("t1").transition(go("1")).unwrap().allowed);
    assert!(store.engine.activate(&root(), without, None, Modes::default()).unwrap().allowed);
    assert_eq!(store.tenant("t1").begin(new_order("2")).unwrap().code(), Some("hos.contract_unknown"));
    intact(&store);
}

#[test]
fn can_sees_this_process_s_changes_at_once() {
    let store = fresh(Settings { directory_age_max: Duration::from_secs(3600), ..Settings::default() });
    let tenant = store.tenant("t1");
    let entity = |id: &str| hos_core::policy::Entity { uid: uid("Gate", id), attrs: [].into(), parents: [].into(), record: None };
    let ask =
        || tenant.can(&hos_core::call::Can::new(uid("A", "ann"), "record.note", uid("Gate", "x")).given(entity("x"))).unwrap();
    let before = ask();
    assert!(!before.allowed);
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
    let after = ask();
    assert!(after.allowed, "{:?}", after.blockers);
    assert!(after.directory_version > before.directory_version);
    change(&tenant, Change::Leave { uid: uid("A", "ann"), parent: uid("R", "op") });
    assert!(!ask().allowed);
}

#[test]
fn a_schema_that_lets_more_be_said_takes_no_deadline_from_those_who_live() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for id in ["1", "2"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    let wider = |path: &str, text: String| match path {
        "schema.cedarschema" => text.replace("entity A in [R]={};", "entity A in [R]={tier?:Long};"),
        _ => text,
    };
    assert!(store.engine.activate(&root(), Arc::new(law::law_but(wider)), None, Modes::default()).unwrap().allowed);
    let attrs = hos_core::value::Record::from([("tier".to_owned(), 3.into())]);
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "ann"), attrs });
    let went = tenant.transition(go("1")).unwrap();
    assert!(went.allowed, "{:?}", went.blockers);
    store.clock.set(at("2026-01-01T02:00:00Z"));
    assert_eq!(tenant.tick(100).unwrap(), 1);
    assert_eq!((state(&store, "1"), state(&store, "2")), ("b".into(), "c".into()));
    intact(&store);
}

#[test]
fn a_clock_and_gates_of_enumerated_types_serve() {
    let store = support::fresh_under(Settings::default(), |path, text| match path {
        "schema.cedarschema" => text
            .replace("entity Clock;", "entity Clock enum [\"clock\"];")
            .replace("entity Gate;", "entity Gate enum [\"law\",\"t1\"];"),
        _ => text,
    });
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    store.clock.set(at("2026-01-01T02:00:00Z"));
    assert_eq!(tenant.tick(100).unwrap(), 1);
    assert_eq!(state(&store, "1"), "c");
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    intact(&store);
}

#[test]
fn a_policy_may_not_take_a_grant_s_name() {
    let store = fresh(Settings::default());
    let grant = Change::Grant {
        id: "later".into(),
        template: "t".into(),
        principal: Some(uid("A", "ann")),
        resource: Some(uid("R", "staff")),
    };
    change(&store.tenant("t1"), grant);
    let called = |path: &str, text: String| match path {
        "policies/p.cedar" => text + "@id(\"later\")permit(principal is N::A,action==N::Action::\"o.go\",resource);\n",
        _ => text,
    };
    let activate = || store.engine.activate(&root(), Arc::new(law::law_but(called)), None, Modes::default()).unwrap();
    let refused = activate();
    assert_eq!(refused.code(), Some("hos.law_in_use"));
    assert_eq!(refused.blockers[0].detail, "`t1` has a grant `later`, which is what a policy of the new law is called");
    // Other modes of the law in force are no other law.
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    change(&store.tenant("t1"), Change::Revoke { id: "later".into() });
    assert!(activate().allowed);
    intact(&store);
}

#[test]
fn a_grant_may_not_take_a_policy_s_name() {
    let store = fresh(Settings::default());
    let grant = Change::Grant {
        id: "all".into(),
        template: "t".into(),
        principal: Some(uid("A", "ann")),
        resource: Some(uid("R", "staff")),
    };
    let answer = store.tenant("t1").directory(hos_core::call::Directory::new(uid("A", "root"), grant)).unwrap();
    assert_eq!(answer.code(), Some("hos.directory_conflict"));
    intact(&store);
}
