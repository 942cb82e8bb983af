//! What operators see and do: the store's laws, rounds of work, what can be done now.

mod support;

use hos_core::call::{By, Call, Change, Directory, Legacy, Transition};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::law::Law;
use hos_core::law::mode::{Mode, Modes};
use hos_core::limits::{LAW_FILE_BYTES_MAX, LAW_FILES_MAX};
use hos_core::proof::record::Kind;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::Record;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sql::{operation, schema};
use hos_engine::{LawStanding, Level, Seal, Settings, VerifyOptions, load_law};
use std::cell::RefCell;
use std::sync::Arc;
use support::{at, change, fresh, go, law, new_order, root, uid};

fn other(comment: &str) -> Arc<Law> {
    let mut files = law::files();
    files[0].1.extend_from_slice(format!("# {comment}\n").as_bytes());
    Arc::new(Law::load(files).unwrap())
}

#[test]
fn every_law_is_listed_with_its_records_and_its_living() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for id in ["1", "2", "3"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    assert!(tenant.transition(go("1")).unwrap().allowed, "one is at its end");
    let founded = store.engine.law().unwrap().hash;
    store.clock.set(at("2026-01-01T00:10:00Z"));
    let (second, third) = (other("second"), other("third"));
    let activated = store.engine.activate(&root(), second.clone(), Some(third.clone()), Modes::default()).unwrap();
    assert!(tenant.begin(new_order("4")).unwrap().allowed);
    let laws = store.engine.laws().unwrap();
    let told: Vec<_> = laws.iter().map(|l| (l.hash, l.standing, l.live, l.activations.len())).collect();
    let wanted = [
        (second.hash, LawStanding::Active, 1, 1),
        (third.hash, LawStanding::Candidate, 0, 1),
        (founded, LawStanding::Earlier, 2, 1),
    ];
    assert_eq!(told, wanted);
    let active = &laws[0].activations[0];
    assert_eq!(active.at, at("2026-01-01T00:10:00Z"));
    assert_eq!(Some(active.receipt.record), activated.receipt.map(|r| r.record));
    assert!(active.receipt.seal.is_some());
    assert_eq!((laws[0].name.as_str(), laws[0].contracts.len()), ("t", 1));
    // The first one comes back: it is active again, and both its activations are told.
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    let laws = store.engine.laws().unwrap();
    assert_eq!((laws[0].hash, laws[0].standing, laws[0].activations.len()), (founded, LawStanding::Active, 2));
    assert_eq!(laws[1].hash, second.hash, "of the earlier ones the newest first");
    assert_eq!(laws[0].activations[1].receipt.n, Some(2));
}

#[test]
fn a_candidate_is_judged_beside_the_active_law_and_decides_nothing() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    let mut files = law::files();
    let policies = &mut files.iter_mut().find(|(path, _)| path.ends_with(".cedar")).unwrap().1;
    policies.extend_from_slice(b"@id(\"no\")forbid(principal,action in [N::Action::\"o.new\",N::Action::\"o.go\"],resource);\n");
    let candidate = Arc::new(Law::load(files).unwrap_or_else(|f| panic!("{f:#?}")));
    assert!(tenant.begin(new_order("1")).unwrap().candidate.is_none());
    let activated = store.engine.activate(&root(), Arc::new(law::law()), Some(candidate.clone()), Modes::default());
    assert!(activated.unwrap().allowed);
    let begun = tenant.begin(new_order("2")).unwrap();
    let moved = tenant.transition(go("2")).unwrap();
    for answer in [&begun, &moved] {
        assert!(answer.allowed && answer.lawful() && answer.receipt.is_some(), "{answer:?}");
        let said = answer.candidate.as_ref().unwrap();
        assert_eq!((said.law, said.allowed, &*said.blockers[0].code), (candidate.hash, false, "hos.forbidden"));
    }
    // Where both say the same there is nothing to tell.
    let stranger = Transition::new(uid("A", "ann"), "o", "1", "late").unwrap();
    let refused = tenant.transition(stranger).unwrap();
    assert_eq!((refused.code(), &refused.candidate), (Some("hos.principal_type_unknown"), &None));
    assert_eq!(store.engine.verify(&VerifyOptions::default()).unwrap().level, Level::Intact);
}

#[test]
fn live_instances_migrate_at_their_next_touch() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    for id in ["1", "2"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    let second = |migration: &str| {
        let mut files = law::files();
        let text = &mut files.iter_mut().find(|(path, _)| path == "contracts/o.toml").unwrap().1;
        let changed = String::from_utf8(text.clone()).unwrap().replace("version=1", "version=2").replace("\"a\"", "\"x\"");
        *text = (changed + migration).into_bytes();
        Arc::new(Law::load(files).unwrap_or_else(|f| panic!("{f:#?}")))
    };
    let without = store.engine.activate(&root(), second(""), None, Modes::default()).unwrap();
    assert_eq!(without.code(), Some("hos.law_in_use"));
    let law = second("[migrate.\"1\"]\na=\"x\"\n");
    assert!(store.engine.activate(&root(), law.clone(), None, Modes::default()).unwrap().allowed);
    assert_eq!(tenant.instance(&contract, &id).unwrap().unwrap().state.as_str(), "a", "nobody has touched it yet");
    assert!(tenant.available(&contract, &id, &root()).unwrap()[0].answer.allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let history = tenant.history(&contract, &id, 0, 10).unwrap();
    let told: Vec<_> = history.iter().map(|e| (e.header.kind, e.header.to.as_ref().unwrap().as_str().to_owned())).collect();
    assert_eq!(told, [(Kind::Begun, "a".into()), (Kind::Migrated, "x".into()), (Kind::Moved, "b".into())]);
    let instance = tenant.instance(&contract, &id).unwrap().unwrap();
    assert_eq!((instance.law, instance.contract_version), (law.hash, 2));
    // The other one is touched by its deadline: it migrates, and waits anew in the state that it enters.
    let state = || tenant.instance(&contract, &InstanceId::new("2").unwrap()).unwrap().unwrap().state.as_str().to_owned();
    store.clock.set(at("2026-01-01T01:00:00Z"));
    assert_eq!((store.engine.work().unwrap().fired, state()), (0, "x".to_owned()));
    store.clock.set(at("2026-01-01T02:00:00Z"));
    assert_eq!((store.engine.work().unwrap().fired, state()), (1, "c".to_owned()));
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

#[test]
fn proofs_of_the_log_hold_for_its_own_roots() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    let mut heads = Vec::new();
    for id in 0..9 {
        assert!(tenant.begin(new_order(&format!("{id}"))).unwrap().allowed);
        let report = store.engine.verify(&VerifyOptions::default()).unwrap();
        let (_, size, root) = report.logs.iter().find(|(name, ..)| name == "t1").unwrap().clone();
        heads.push((size, root));
    }
    let (last, last_root) = heads.last().cloned().unwrap();
    for (size, root) in &heads {
        let proof = tenant.consistency(*size, last).unwrap();
        let (old, new) = (hash_of(root), hash_of(&last_root));
        assert!(hos_core::proof::tree::verify_consistency(*size, last, &old, &new, &proof).is_ok(), "{size}");
        if *size < last {
            assert!(hos_core::proof::tree::verify_consistency(*size, last, &new, &old, &proof).is_err(), "{size}");
        }
    }
    assert!(tenant.inclusion(0, last).is_ok() && tenant.inclusion(last, last).is_err());
}

fn hash_of(hex: &str) -> hos_core::id::TreeHash {
    let byte = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap();
    hos_core::id::TreeHash(std::array::from_fn(byte))
}

#[test]
fn a_round_of_work_tells_how_far_it_is() {
    let store = fresh(Settings { seal: Seal::Worker, ..Settings::default() });
    let tenant = store.tenant("t1");
    for id in 0..30 {
        assert!(tenant.begin(new_order(&format!("{id}"))).unwrap().allowed);
    }
    store.clock.set(at("2026-01-02T00:00:00Z"));
    let told = RefCell::new(Vec::new());
    let report = store.engine.work_telling(&|done, all| told.borrow_mut().push((done, all))).unwrap();
    assert_eq!(report.fired, 30);
    let told = told.into_inner();
    assert_eq!(told[0].0, 0);
    assert!(told[0].1 >= 60, "30 births to seal, 30 deadlines to fire: {told:?}");
    assert!(told.windows(2).all(|w| w[0].0 <= w[1].0) && told.iter().all(|(done, all)| done <= all), "{told:?}");
    assert_eq!(told.last().map(|(done, _)| *done), Some(report.sealed + report.fired));
    let again = store.engine.work().unwrap();
    assert_eq!((again.fired, again.sealed), (0, 0), "one round leaves nothing, not even the records of what fired");
    let verified = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((verified.level, verified.unsealed.0), (Level::Intact, 0), "{:?}", verified.findings);
}

#[test]
fn what_a_batch_or_a_tick_has_written_is_sealed_behind_it() {
    for seal in [Seal::Inline, Seal::Worker] {
        let store = fresh(Settings { seal, ..Settings::default() });
        let t1 = Tenant::new("t1").unwrap();
        let put = Change::Put { uid: uid("R", "x"), attrs: Default::default() };
        let calls = vec![
            (t1.clone(), Call::Begin(new_order("1"))),
            (Tenant::universe(), Call::Directory(Directory::new(uid("A", "root"), put))),
            (t1, Call::Begin(new_order("2"))),
        ];
        for answer in store.engine.batch(calls).unwrap() {
            let placed = answer.unwrap().receipt.unwrap().seal;
            assert_eq!(placed.is_some_and(|placed| placed.checkpoint.is_some()), seal == Seal::Inline);
        }
        let waits = || {
            let report = store.engine.verify(&VerifyOptions::default()).unwrap();
            assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
            report.unsealed.0 > 0
        };
        assert_eq!(waits(), seal == Seal::Worker);
        store.engine.work().unwrap();
        store.clock.set(at("2026-01-01T02:00:00Z"));
        assert_eq!(store.tenant("t1").tick(10).unwrap(), 2);
        assert_eq!(waits(), seal == Seal::Worker);
    }
}

#[test]
fn an_instance_that_cannot_be_judged_holds_up_no_other_deadline() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for id in ["1", "2", "3"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    // The first instance's last record is of a clock that ran ahead.
    let shadow = Modes { default: Mode::Shadow, ..Modes::default() };
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, shadow).unwrap().allowed);
    store.clock.set(at("2026-01-01T05:00:00Z"));
    let mut seen = go("1");
    seen.by.legacy = Some(Legacy { allowed: true, state: Name::new("a").ok() });
    assert!(tenant.transition(seen).unwrap().allowed);
    assert_eq!(tenant.tick(10).unwrap(), 0, "in shadow nothing moves by itself");
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    store.clock.set(at("2026-01-01T02:00:00Z"));
    assert_eq!(tenant.tick(1).unwrap(), 1, "the limit is heeded");
    assert_eq!(tenant.tick(10).unwrap(), 1);
    assert_eq!(tenant.tick(10).unwrap_err().code, Code::ClockImplausible, "what alone is left says why");
    store.clock.set(at("2026-01-01T06:00:00Z"));
    assert_eq!(tenant.tick(10).unwrap(), 1);
    assert_eq!(store.engine.verify(&VerifyOptions::default()).unwrap().level, Level::Intact);
}

/// It stays armed until the law is enforced: a round that judged it each time would do so for ever.
#[test]
fn a_deadline_in_shadow_is_no_work_for_any_round() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    for id in ["1", "2", "3"] {
        assert!(tenant.begin(new_order(id)).unwrap().allowed);
    }
    store.clock.set(at("2026-01-01T00:30:00Z"));
    let in_shadow = || {
        let entry = ((Some(Tenant::new("t1").unwrap()), "o.late".to_owned()), Mode::Shadow);
        Modes { entries: [entry].into(), ..Modes::default() }
    };
    let activate = |law, modes| assert!(store.engine.activate(&root(), law, None, modes).unwrap().allowed);
    activate(Arc::new(law::law()), in_shadow());
    // Those that were born before are of the law before.
    activate(other("second"), in_shadow());
    assert!(tenant.begin(new_order("4")).unwrap().allowed);
    store.clock.set(at("2026-01-01T02:00:00Z"));
    let jobs = || store.engine.stats().unwrap().jobs;
    let before = jobs();
    assert_eq!(tenant.tick(10).unwrap(), 0);
    assert_eq!(jobs(), before, "nothing of it is judged");
    activate(other("second"), Modes::default());
    assert_eq!(tenant.tick(10).unwrap(), 4);
    assert_eq!(store.engine.verify(&VerifyOptions::default()).unwrap().level, Level::Intact);
}

/// A checkpoint that the round itself has stored was signed in it all the same.
#[test]
fn a_round_tells_of_what_it_signed_and_stored() {
    let store = fresh(Settings { seal: Seal::Worker, ..Settings::default() });
    store.engine.work().unwrap();
    let tenant = store.tenant("t1");
    for id in 0..70 {
        assert!(tenant.begin(new_order(&format!("{id}"))).unwrap().allowed);
    }
    assert!(store.engine.work().unwrap().checkpoints > 0);
    assert_eq!(store.engine.work().unwrap().checkpoints, 0, "nothing is new");
}

/// Messages stay when they are acknowledged, and who waits for the next one asks again and again.
#[test]
fn who_polls_a_file_reads_no_message_that_was_acknowledged() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch(&schema::script(Dialect::Sqlite, 0)).unwrap();
    for behind in [None, Some(7)] {
        let asked = operation::waiting(&Tenant::new("t1").unwrap(), Timestamp(0), behind, 10);
        let sql = ["?1", "?2", "?3", "?4"].iter().fold(asked.sql.to_owned(), |sql, place| sql.replace(place, "1"));
        let plan: String = db.query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3)).unwrap();
        assert!(plan.contains("USING INDEX hos_outbox_waiting"), "{plan}");
    }
}

#[test]
fn what_can_be_done_now_is_what_a_call_would_be_told() {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let ask = |by: &By| {
        let found = tenant.available(&contract, &id, by).unwrap();
        let told = found.iter().map(|a| (a.event.as_str().to_owned(), a.answer.code().unwrap_or("").to_owned()));
        told.collect::<Vec<_>>()
    };
    let said = |codes: [&str; 2]| vec![("go".to_owned(), codes[0].to_owned()), ("late".to_owned(), codes[1].to_owned())];
    let ann = By::new(uid("A", "ann"));
    assert_eq!(ask(&root()), said(["", "hos.principal_type_unknown"]));
    assert_eq!(ask(&ann), said(["hos.not_permitted", "hos.principal_type_unknown"]));
    // The deadline is due: it would fire before any event, so that nothing can be done any more. Looking fires nothing.
    store.clock.set(at("2026-01-01T01:00:00Z"));
    assert_eq!(ask(&root())[0], ("go".to_owned(), "hos.terminal".to_owned()));
    let found = tenant.available(&contract, &id, &root()).unwrap();
    assert_eq!(found[0].answer.fired.len(), 1);
    assert_eq!(tenant.instance(&contract, &id).unwrap().unwrap().state.as_str(), "a");
    // A stranger learns no state: policy comes before it, as in a call.
    assert_eq!(ask(&ann)[0], ("go".to_owned(), "hos.not_permitted".to_owned()));
    assert_eq!(tenant.transition(go("1")).unwrap().code(), Some("hos.terminal"));
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
    assert_eq!(ask(&ann)[0], ("go".to_owned(), "hos.terminal".to_owned()));
}

#[test]
fn a_law_beyond_its_bounds_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let policies = dir.path().join("policies");
    std::fs::create_dir(&policies).unwrap();
    let codes = || {
        let failure = load_law(dir.path()).unwrap_err();
        (failure.code, failure.faults.first().map(|f| f.code))
    };
    // Files without bytes on the disk: nobody could read a terabyte here.
    let sparse = |name: &str, len: u64| {
        std::fs::File::create(policies.join(name)).unwrap().set_len(len).unwrap();
    };
    sparse("a.cedar", 1 << 40);
    assert_eq!(codes(), (Code::LawInvalid, Some("law.file.too_large")));
    for i in 0..5 {
        sparse(&format!("{}.cedar", (b'a' + i) as char), LAW_FILE_BYTES_MAX as u64);
    }
    assert_eq!(codes(), (Code::LawInvalid, Some("law.file.total_too_large")));
    std::fs::remove_dir_all(&policies).unwrap();
    std::fs::create_dir(&policies).unwrap();
    for i in 0..=LAW_FILES_MAX {
        sparse(&format!("{i}.cedar"), 0);
    }
    assert_eq!(codes(), (Code::LawInvalid, Some("law.file.too_many")));
    std::fs::remove_dir_all(&policies).unwrap();
    // What is no file is not waited for.
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("law.toml")).unwrap();
    let failure = load_law(dir.path()).unwrap_err();
    assert_eq!(failure.code, Code::LawInvalid);
    assert!(failure.message.contains("law.toml") && failure.message.contains("not a regular file"), "{failure}");
}

/// Under a law that nobody could follow by another the store would stay for ever.
#[test]
fn a_law_after_which_nobody_could_activate_another_is_refused() {
    let store = fresh(Settings::default());
    let active = || store.engine.law().unwrap().hash;
    let before = active();
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "ben"), attrs: Record::new() });
    let with = |from: &'static str, to: &'static str| Arc::new(support::law::law_but(move |_, text| text.replace(from, to)));
    let activate = |law: Arc<Law>| store.engine.activate(&root(), law, None, Modes::default()).unwrap();
    for (from, to, allowed) in [
        ("entity A in [R]={}", "entity A in [R]={phone:String}", false),
        ("\"law.activate\",", "", false),
        ("principal in N::R::\"op\"", "principal == N::A::\"nobody\"", false),
        ("entity A in [R]={}", "entity A in [R]={phone?:String}", true),
    ] {
        let answer = activate(with(from, to));
        assert_eq!(answer.allowed, allowed, "{to}: {:?}", answer.blockers);
        assert!(allowed || answer.code() == Some("hos.law_in_use") && active() == before, "{to}: {:?}", answer.blockers);
    }
    // Somebody else is enough.
    assert!(activate(with("principal in N::R::\"op\"", "principal == N::A::\"ben\"")).allowed);
}
