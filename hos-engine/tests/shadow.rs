//! Shadow is harmless: whatever happens to us, the world's own answer stands. Each fault has its control: enforced, it is a
//! failure or a refusal as ever.

mod support;

use hos_core::call::{Begin, Call, Can, Legacy, Note, Transition};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::law::mode::{Mode, Modes};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::time::Timestamp;
use hos_core::value::{Record, Value};
use hos_engine::ports::Clock;
use hos_engine::{Answer, Engine, Failure, Level, Settings, VerifyOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use support::{Store, at, fresh, law, new_order, root, uid};

/// A store with two tenants: `t1`, where all that can be is in shadow, and `t2`, where all is enforced.
fn two_tenants(settings: Settings) -> Store {
    let store = fresh(settings);
    assert!(store.engine.open_tenant(&root(), &Tenant::new("t2").unwrap()).unwrap().allowed);
    let mut modes = Modes::default();
    modes.entries.insert((Some(Tenant::new("t1").unwrap()), String::new()), Mode::Shadow);
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, modes).unwrap().allowed);
    for name in ["t1", "t2"] {
        let mut begin = new_order("1");
        begin.by.legacy = world(true);
        assert!(store.tenant(name).begin(begin).unwrap().allowed);
    }
    store
}

fn world(allowed: bool) -> Option<Legacy> {
    Some(Legacy { allowed, state: None })
}

fn go(id: &str, event: &str, allowed: bool) -> Call {
    let mut call = Transition::new(uid("A", "root"), "o", id, event).unwrap();
    call.by.legacy = world(allowed);
    Call::Transition(call)
}

/// The world's answer stood, and the law's says what went wrong.
#[track_caller]
fn stood(answer: &Result<Answer, Failure>, allowed: bool, code: Code) {
    let answer = answer.as_ref().unwrap_or_else(|f| panic!("{f}"));
    assert_eq!((answer.allowed, answer.mode, answer.code()), (allowed, Mode::Shadow, Some(code.as_str())), "{answer:?}");
    assert_eq!(answer.divergence, allowed, "who allows what the law does not differs from it: {answer:?}");
}

#[track_caller]
fn failed(answer: Result<Answer, Failure>, code: Code) {
    assert_eq!(answer.map_err(|f| f.code).map(|a| (a.allowed, a.blockers)), Err(code));
}

#[track_caller]
fn refused(answer: &Result<Answer, Failure>, code: Code) {
    let answer = answer.as_ref().unwrap_or_else(|f| panic!("{f}"));
    assert_eq!((answer.allowed, answer.mode, answer.code()), (false, Mode::Enforce, Some(code.as_str())), "{answer:?}");
}

fn intact(engine: &Engine) {
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(engine.replay(&hos_engine::ReplayOptions::default()).unwrap().listed, [], "what was judged is judged again");
}

/// A clock that panics as often as it is told to.
#[derive(Default)]
struct Faulty(AtomicU32);

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        let left = self.0.load(Ordering::SeqCst);
        if left > 0 {
            self.0.store(left - 1, Ordering::SeqCst);
            panic!("planted");
        }
        at("2026-01-01T00:00:00Z")
    }
}

#[test]
fn a_panic_while_judging_changes_nothing_of_the_world_s() {
    if support::database::is_on() {
        return;
    }
    let store = two_tenants(Settings::default());
    let clock = Arc::new(Faulty::default());
    let Store { engine, path, dir, .. } = store;
    engine.close().unwrap();
    let engine = Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
    let (shadow, enforced) = (engine.tenant("t1").unwrap(), engine.tenant("t2").unwrap());
    let with_panics = |count: u32, call: Call, tenant: &hos_engine::TenantRef| {
        clock.0.store(count, Ordering::SeqCst);
        let answer = tenant.call(call);
        clock.0.store(0, Ordering::SeqCst);
        answer
    };
    for allowed in [true, false] {
        // One panic: that the law could not judge is recorded. Panics without end: nothing can be, and the answer is the same.
        let once = with_panics(1, go("1", "go", allowed), &shadow);
        stood(&once, allowed, Code::Internal);
        assert!(once.unwrap().receipt.is_some());
        let always = with_panics(1000, go("1", "go", allowed), &shadow);
        stood(&always, allowed, Code::Internal);
        assert!(always.unwrap().receipt.is_none());
        failed(with_panics(1, go("1", "go", allowed), &enforced), Code::Internal);
    }
    // In a batch, each call by itself.
    clock.0.store(1000, Ordering::SeqCst);
    let names = ["t1", "t2"].map(|t| Tenant::new(t).unwrap());
    let answers = engine.batch(names.iter().map(|t| (t.clone(), go("1", "go", true))).collect()).unwrap();
    clock.0.store(0, Ordering::SeqCst);
    stood(&answers[0], true, Code::Internal);
    failed(answers.into_iter().nth(1).unwrap(), Code::Internal);
    // Without the world's own outcome there is nothing that could stand.
    let Call::Transition(mut mute) = go("1", "go", true) else { unreachable!() };
    mute.by.legacy = None;
    failed(with_panics(1, Call::Transition(mute), &shadow), Code::Internal);
    intact(&engine);
    drop(dir);
}

#[test]
fn a_call_beyond_the_bounds_is_the_law_s_trouble_not_the_world_s() {
    let store = two_tenants(Settings::default());
    let long = |mut call: Call| {
        if let Call::Transition(c) = &mut call {
            c.by.context.insert("x".into(), Value::String("x".repeat(10 << 20)));
        }
        call
    };
    for allowed in [true, false] {
        let answer = store.tenant("t1").call(long(go("1", "go", allowed)));
        stood(&answer, allowed, Code::CallTooLarge);
        assert!(answer.unwrap().receipt.is_some(), "that the law could not judge is evidence");
        refused(&store.tenant("t2").call(long(go("1", "go", allowed))), Code::CallTooLarge);
    }
    let note = |tenant: &str| {
        let mut note = Note::new(uid("A", "root"), "n", vec![0; 10 << 20]).unwrap();
        note.by.legacy = world(true);
        store.tenant(tenant).record(note)
    };
    stood(&note("t1"), true, Code::CallTooLarge);
    refused(&note("t2"), Code::CallTooLarge);
    intact(&store.engine);
}

#[test]
fn what_nobody_knows_stops_the_law_only() {
    let store = two_tenants(Settings::default());
    for (id, event, code) in [("none", "go", Code::InstanceUnknown), ("1", "none", Code::EventUnknown)] {
        for allowed in [true, false] {
            stood(&store.tenant("t1").call(go(id, event, allowed)), allowed, code);
            refused(&store.tenant("t2").call(go(id, event, allowed)), code);
        }
    }
    let begin = |tenant: &str, contract: &str, event: &str| {
        let mut begin = Begin::new(uid("A", "root"), contract, "1", event).unwrap();
        begin.by.legacy = world(true);
        store.tenant(tenant).begin(begin)
    };
    for (contract, event, code) in
        [("none", "new", Code::ContractUnknown), ("o", "none", Code::EventUnknown), ("o", "new", Code::InstanceExists)]
    {
        stood(&begin("t1", contract, event), true, code);
        refused(&begin("t2", contract, event), code);
    }
    // A tenant that nobody opened is enforced here, and in shadow where the law's default is.
    let nowhere = store.engine.tenant_named(&Tenant::new("nowhere").unwrap());
    let can = || {
        let mut can = Can::new(uid("A", "root"), "o.go", uid("O", "1"));
        can.by.legacy = world(true);
        nowhere.can(&can)
    };
    failed(nowhere.call(go("1", "go", true)), Code::TenantUnknown);
    failed(can(), Code::TenantUnknown);
    let modes = Modes { default: Mode::Shadow, ..Modes::default() };
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, modes).unwrap().allowed);
    stood(&nowhere.call(go("1", "go", true)), true, Code::TenantUnknown);
    stood(&can(), true, Code::TenantUnknown);
    assert!(nowhere.call(go("1", "go", false)).is_ok_and(|a| !a.allowed));
    intact(&store.engine);
}

#[test]
fn a_mode_said_of_an_action_reaches_what_has_no_instance() {
    let store = two_tenants(Settings::default());
    let mut modes = Modes::default();
    modes.entries.insert((None, "o.go".into()), Mode::Shadow);
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, modes).unwrap().allowed);
    stood(&store.tenant("t2").call(go("none", "go", true)), true, Code::InstanceUnknown);
    refused(&store.tenant("t2").call(go("none", "late", true)), Code::InstanceUnknown);
}

#[test]
fn neither_a_once_key_nor_an_erasure_contradicts_the_world() {
    let store = two_tenants(Settings::default());
    let begin = |tenant: &str, id: &str, allowed: bool, key: &str| {
        let mut begin = new_order(id).once(key).unwrap();
        begin.by.legacy = world(allowed);
        store.tenant(tenant).begin(begin)
    };
    for tenant in ["t1", "t2"] {
        assert!(begin(tenant, "2", true, "k").unwrap().allowed);
        assert!(begin(tenant, "2", true, "k").is_ok_and(|a| a.allowed && a.again));
    }
    // The world refused this time: the first receipt is told again, and its word stands.
    assert!(begin("t1", "2", false, "k").is_ok_and(|a| !a.allowed && a.again && a.divergence));
    assert!(begin("t2", "2", false, "k").is_ok_and(|a| a.allowed && a.again));
    stood(&begin("t1", "3", true, "k"), true, Code::OnceConflict);
    let conflict = begin("t2", "3", true, "k");
    refused(&conflict, Code::OnceConflict);

    for (tenant, id) in [("t1", "1"), ("t1", "2"), ("t2", "1"), ("t2", "2")] {
        assert!(store.tenant(tenant).call(go(id, "go", true)).unwrap().allowed);
    }
    // In shadow the world's state is the truth, and it said none: the instances stand where the law's first branch led.
    let erased = store.engine.erase(&root(), &uid("A", "ann"), "request").unwrap();
    assert!(erased.allowed, "{:?}", erased.blockers);
    stood(&begin("t1", "9", true, "k9"), true, Code::SubjectErased);
    refused(&begin("t2", "9", true, "k9"), Code::SubjectErased);
    let note = |tenant: &str| {
        let mut note = Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap();
        (note.subject, note.by.legacy) = (Some(uid("A", "ann")), world(true));
        store.tenant(tenant).record(note)
    };
    stood(&note("t1"), true, Code::SubjectErased);
    refused(&note("t2"), Code::SubjectErased);
    intact(&store.engine);
}

#[test]
fn a_store_that_cannot_be_read_leaves_the_world_its_word() {
    if support::database::is_on() {
        return;
    }
    let store = two_tenants(Settings { directory_age_max: Duration::ZERO, ..Settings::default() });
    let (shadow, enforced) = (store.tenant("t1"), store.tenant("t2"));
    let can = |tenant: &hos_engine::TenantRef| {
        let resource = Entity { uid: uid("Gate", "x"), attrs: Record::new(), parents: [].into(), record: None };
        let mut can = Can::new(uid("A", "root"), "record.note", resource.uid.clone()).given(resource);
        can.by.legacy = world(true);
        tenant.can(&can)
    };
    assert!(can(&shadow).is_ok_and(|a| a.allowed && a.lawful()) && can(&enforced).is_ok_and(|a| a.allowed));
    for ending in ["", "-wal", "-shm"] {
        let path = PathBuf::from(format!("{}{ending}", store.path.display()));
        let len = std::fs::metadata(&path).unwrap().len();
        std::fs::write(&path, vec![0xa5; usize::try_from(len).unwrap()]).unwrap();
    }
    let answer = can(&shadow).unwrap();
    assert!(answer.allowed && answer.divergence && answer.mode == Mode::Shadow, "{answer:?}");
    assert!(can(&enforced).is_err());
    for allowed in [true, false] {
        let answer = shadow.call(go("1", "go", allowed)).unwrap();
        assert!(answer.allowed == allowed && answer.receipt.is_none() && !answer.lawful(), "{answer:?}");
        assert!(enforced.call(go("1", "go", allowed)).is_err());
    }
}

#[test]
fn in_shadow_nothing_is_done_beside_the_world() {
    let store = two_tenants(Settings::default());
    let state = |tenant: &str, id: &str| {
        let (contract, id) = (Name::new("o").unwrap(), InstanceId::new(id).unwrap());
        store.tenant(tenant).instance(&contract, &id).unwrap().unwrap().state.as_str().to_owned()
    };
    let mut begin = new_order("2");
    begin.by.legacy = world(true);
    assert!(store.tenant("t1").begin(begin.clone()).unwrap().allowed && store.tenant("t2").begin(begin).unwrap().allowed);
    // The world moved its order and sent its own mail: no message of ours sends another.
    for (tenant, messages) in [("t1", 0), ("t2", 1)] {
        assert!(store.tenant(tenant).call(go("1", "go", true)).unwrap().allowed);
        let polled = store.tenant(tenant).outbox_poll(&root(), 10, Duration::from_secs(60)).unwrap();
        assert_eq!((state(tenant, "1").as_str(), polled.len()), ("b", messages), "{tenant}");
    }
    // A deadline is the world's to fire. It stays armed, and once the law is enforced it is due at once.
    store.clock.set(at("2026-01-01T02:00:00Z"));
    assert_eq!(store.engine.work().unwrap().fired, 1);
    assert_eq!((state("t1", "2"), state("t2", "2")), ("a".to_owned(), "c".to_owned()));
    intact(&store.engine);
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    assert_eq!(store.engine.work().unwrap().fired, 1);
    assert_eq!(state("t1", "2"), "c");
    intact(&store.engine);
}

/// This test binary again, in a role, after `setup` in a shell.
fn child(setup: &str, role: &str, path: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{setup} exec \"$@\""), "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "role_of_a_child", "--nocapture", "--test-threads=1"]);
    command.env("HOS_TEST_ROLE", role).env("HOS_TEST_STORE", path).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// What a child does; nothing when this binary runs as itself.
#[test]
fn role_of_a_child() {
    let Ok(role) = std::env::var("HOS_TEST_ROLE") else { return };
    let path = PathBuf::from(std::env::var_os("HOS_TEST_STORE").unwrap());
    if role == "hold" {
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        println!("held");
        std::thread::sleep(Duration::from_secs(60));
    } else {
        write_on_a_full_disk(&path);
    }
}

#[test]
fn a_lock_that_somebody_holds_keeps_the_law_waiting_not_the_world_s_answer() {
    if support::database::is_on() {
        return;
    }
    let store = two_tenants(Settings { busy_timeout: Duration::from_millis(200), ..Settings::default() });
    let mut holder = child("", "hold", &store.path).spawn().unwrap();
    let mut output = BufReader::new(holder.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("held") {
        assert!(output.read_line(&mut line).unwrap() > 0, "{line}");
    }
    for allowed in [true, false] {
        stood(&store.tenant("t1").call(go("1", "go", allowed)), allowed, Code::StoreBusy);
        failed(store.tenant("t2").call(go("1", "go", allowed)), Code::StoreBusy);
    }
    let names = ["t1", "t2"].map(|t| Tenant::new(t).unwrap());
    let answers = store.engine.batch(names.iter().map(|t| (t.clone(), go("1", "go", true))).collect()).unwrap();
    stood(&answers[0], true, Code::StoreBusy);
    failed(answers.into_iter().nth(1).unwrap(), Code::StoreBusy);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(store.tenant("t2").call(go("1", "go", true)).unwrap().allowed);
    intact(&store.engine);
}

#[test]
fn a_store_in_quarantine_leaves_the_world_its_word_in_a_batch_too() {
    if support::database::is_on() {
        return;
    }
    let Store { engine, clock, path, dir, .. } = two_tenants(Settings::default());
    engine.close().unwrap();
    let (mark, old) = (dir.path().join("mark"), dir.path().join("old"));
    std::fs::copy(&path, &old).unwrap();
    let builder = || Engine::builder().sqlite(&path).clock(clock.clone()).mark(&mark);
    let engine = builder().unmarked().open().unwrap();
    assert!(engine.tenant("t2").unwrap().begin(new_order("2")).unwrap().allowed);
    engine.write_mark().unwrap();
    engine.close().unwrap();
    let marked = std::fs::read(&mark).unwrap();
    std::fs::copy(&old, &path).unwrap();
    let engine = builder().open().unwrap();
    assert!(engine.quarantine().is_some());
    let names = ["t1", "t2"].map(|t| Tenant::new(t).unwrap());
    for allowed in [true, false] {
        let calls: Vec<(Tenant, Call)> = names.iter().map(|t| (t.clone(), go("1", "go", allowed))).collect();
        let answers = engine.batch(calls.clone()).unwrap();
        for ((tenant, call), answer) in calls.into_iter().zip(answers) {
            let alone = engine.tenant_named(&tenant).call(call);
            match tenant.as_str() {
                "t1" => [&answer, &alone].into_iter().for_each(|answer| stood(answer, allowed, Code::Quarantined)),
                _ => [answer, alone].into_iter().for_each(|answer| failed(answer, Code::Quarantined)),
            }
        }
    }
    engine.close().unwrap();
    assert_eq!(std::fs::read(&mark).unwrap(), marked, "the mark still says what was lost");
}

fn write_on_a_full_disk(path: &Path) {
    let clock = Arc::new(hos_engine::clock::SetClock::at(at("2026-01-01T00:00:00Z")));
    let engine = Engine::builder().sqlite(path).clock(clock).open().unwrap();
    let write = |tenant: &str| {
        let mut note = Note::new(uid("A", "root"), "n", vec![7; 60_000]).unwrap();
        note.by.legacy = world(true);
        engine.tenant_named(&Tenant::new(tenant).unwrap()).record(note)
    };
    let full = [Code::StoreFull, Code::OutcomeUnknown, Code::StoreUnavailable];
    let (mut stood, mut failed) = (0, 0);
    for _ in 0..60 {
        let answer = write("t1").unwrap_or_else(|f| panic!("in shadow no failure of ours comes back: {f}"));
        assert!(answer.allowed && answer.mode == Mode::Shadow, "{answer:?}");
        stood += u32::from(answer.blockers.iter().filter_map(|b| b.hos()).any(|c| full.contains(&c)));
        if let Err(failure) = write("t2") {
            assert!(full.contains(&failure.code), "{failure}");
            failed += 1;
        }
    }
    assert!(stood > 3 && failed > 3, "the disk was never full: {stood} {failed}");
    println!("full {stood} {failed}");
}

#[test]
fn a_full_disk_is_the_law_s_trouble_not_the_world_s() {
    if support::database::is_on() {
        return;
    }
    let store = two_tenants(Settings::default());
    let Store { engine, path, dir, .. } = store;
    engine.close().unwrap();
    // The limit strikes in the middle of the log; the signal is ignored, so that the write fails instead.
    let output = child("trap '' XFSZ; ulimit -f 1500;", "fill", &path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("full "), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let engine = Engine::builder().sqlite(&path).open().unwrap();
    intact(&engine);
    drop(dir);
}
