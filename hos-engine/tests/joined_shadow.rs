//! Shadow in a host's transaction: the world's outcome stands, nobody waits, and who works judges it afterwards. On the database
//! that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::answer::Answer;
use hos_core::call::{Call, Legacy, Transition};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::law::mode::{Mode, Modes};
use hos_engine::Level;
use hos_engine::joined::Asked;
use std::sync::Arc;
use support::host::{Host, host, joined, world};
use support::{Store, law, new_order, root, uid};

fn in_shadow() -> Option<Store> {
    let store = world()?;
    let mut modes = Modes::default();
    modes.entries.insert((Some(Tenant::new("t1").unwrap()), String::new()), Mode::Shadow);
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, modes).unwrap().allowed);
    Some(store)
}

fn legacy(allowed: bool, state: Option<&str>) -> Option<Legacy> {
    Some(Legacy { allowed, state: state.map(|s| Name::new(s).unwrap()) })
}

/// A call as it comes over the wire is kept in its bytes; here they are a number into a list.
fn shadow(host: &mut Host, calls: &mut Vec<Call>, call: Call) -> Answer {
    let came = vec![u8::try_from(calls.len()).unwrap()];
    calls.push(call.clone());
    host.say("BEGIN");
    let answer = host.ask(Asked::Call(Tenant::new("t1").unwrap(), Box::new(call), came)).unwrap();
    host.say("COMMIT");
    answer
}

fn event(name: &str, allowed: bool, state: &str) -> Call {
    let mut call = Transition::new(uid("A", "root"), "o", "1", name).unwrap();
    call.by.legacy = legacy(allowed, Some(state));
    Call::Transition(call)
}

#[test]
fn the_worlds_outcome_stands_and_is_judged_by_who_works() {
    let Some(store) = in_shadow() else { return };
    let mut host = host(&store, &joined(&store));
    let mut calls = Vec::new();
    let mut begin = new_order("1");
    begin.by.legacy = legacy(true, Some("a"));
    let answer = shadow(&mut host, &mut calls, Call::Begin(begin));
    assert_eq!((answer.allowed, answer.mode, answer.receipt.is_none()), (true, Mode::Shadow, true));
    println!("{} statements in {} rounds: {:#?}", host.said.len(), host.rounds, host.said);
    // The world allows what the law does not: the instance follows the world.
    assert!(shadow(&mut host, &mut calls, event("go", true, "b")).allowed);
    assert!(!shadow(&mut host, &mut calls, event("go", false, "b")).allowed);
    // A host that rolls back has asked nothing.
    host.say("BEGIN");
    let call = event("go", true, "c");
    assert!(host.ask(Asked::Call(Tenant::new("t1").unwrap(), Box::new(call), vec![9])).unwrap().allowed);
    host.say("ROLLBACK");
    assert_eq!(host.number("SELECT count(*) FROM hos_instance"), 0);
    assert_eq!(host.number("SELECT count(*) FROM hos_inbox"), 3);

    let read = |bytes: &[u8]| Ok(calls[usize::from(bytes[0])].clone());
    assert_eq!(store.engine.fold_shadows(2, &read).unwrap(), 2);
    assert_eq!(store.engine.fold_shadows(100, &read).unwrap(), 1);
    assert_eq!(store.engine.fold_shadows(100, &read).unwrap(), 0);
    store.engine.work().unwrap();
    let tenant = store.tenant("t1");
    let instance = tenant.instance(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap()).unwrap().unwrap();
    assert_eq!(instance.state.as_str(), "b");
    let report = store.engine.verify(&Default::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(host.number("SELECT count(*) FROM hos_inbox"), 0);
}

#[test]
fn an_enforced_call_waits_until_what_shadow_left_is_judged() {
    let Some(store) = in_shadow() else { return };
    let mut host = host(&store, &joined(&store));
    let mut calls = Vec::new();
    let mut begin = new_order("1");
    begin.by.legacy = legacy(true, Some("a"));
    shadow(&mut host, &mut calls, Call::Begin(begin));
    // The world went another way than the law would have.
    shadow(&mut host, &mut calls, event("go", true, "c"));
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    let go = || Call::Transition(Transition::new(uid("A", "root"), "o", "1", "go").unwrap());
    for call in [go(), event("go", true, "b")] {
        host.say("BEGIN");
        assert_eq!(host.call(call).unwrap_err().code, hos_core::refusal::Code::Retry);
        host.say("ROLLBACK");
    }
    host.say("BEGIN");
    assert!(host.call(Call::Begin(new_order("2"))).unwrap().allowed, "others go on");
    host.say("COMMIT");
    assert_eq!(store.engine.fold_shadows(10, &|bytes| Ok(calls[usize::from(bytes[0])].clone())).unwrap(), 2);
    // They were in shadow when they came, and are judged so: the instance stands where the world has it.
    let instance = store.tenant("t1").instance(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap()).unwrap().unwrap();
    assert_eq!(instance.state.as_str(), "c");
    host.say("BEGIN");
    let answer = host.call(go()).unwrap();
    assert!(answer.allowed || answer.code() != Some("hos.retry"), "{:?}", answer.blockers);
    host.say("COMMIT");
    store.engine.work().unwrap();
    assert_eq!(store.engine.verify(&Default::default()).unwrap().level, Level::Intact);
}

#[test]
fn a_call_in_shadow_waits_for_no_row_and_keeps_none() {
    let Some(store) = in_shadow() else { return };
    let joined = joined(&store);
    if joined.dialect() == hos_engine::store::sql::dialect::Dialect::Sqlite {
        eprintln!("left out: who writes has the whole file to itself");
        return;
    }
    let mut calls = Vec::new();
    let (mut sleeper, mut other) = (host(&store, &joined), host(&store, &joined));
    let mut begin = new_order("1");
    begin.by.legacy = legacy(true, Some("a"));
    shadow(&mut other, &mut calls, Call::Begin(begin));
    store.engine.fold_shadows(10, &|bytes| Ok(calls[usize::from(bytes[0])].clone())).unwrap();
    // Somebody holds the instance's row, and the account's.
    sleeper.say("BEGIN");
    sleeper.say("UPDATE hos_instance SET version = version WHERE tenant = 't1'");
    sleeper.say("UPDATE hos_directory SET n = n WHERE tenant = 'universe'");
    assert!(shadow(&mut other, &mut calls, event("go", true, "b")).allowed);
    // And one that sleeps after its own call in shadow keeps nobody from working.
    let mut asleep = host(&store, &joined);
    asleep.say("BEGIN");
    assert!(asleep.ask(Asked::Call(Tenant::new("t1").unwrap(), Box::new(event("go", true, "b")), vec![1])).unwrap().allowed);
    sleeper.say("ROLLBACK");
    store.engine.fold_shadows(10, &|bytes| Ok(calls[usize::from(bytes[0])].clone())).unwrap();
    store.engine.work().unwrap();
    asleep.say("ROLLBACK");
    assert_eq!(store.engine.verify(&Default::default()).unwrap().level, Level::Intact);
}

#[test]
fn a_call_of_who_was_erased_is_in_nobody_s_way() {
    let Some(store) = in_shadow() else { return };
    let mut host = host(&store, &joined(&store));
    let mut calls = Vec::new();
    let mut begin = hos_core::call::Begin::new(uid("A", "ann"), "o", "1", "new").unwrap().fact("who", uid("A", "root"));
    begin.by.legacy = legacy(true, Some("a"));
    shadow(&mut host, &mut calls, Call::Begin(begin));
    let erased = store.engine.erase(&root(), &uid("A", "ann"), "KVKK m.7").unwrap();
    assert!(erased.allowed, "{:?}", erased.blockers);
    // Nothing of it can be read any more: it goes, and whoever waits for the instance goes on.
    let read = |bytes: &[u8]| Ok(calls[usize::from(bytes[0])].clone());
    assert_eq!(store.engine.fold_shadows(10, &read).unwrap(), 1);
    assert_eq!(host.number("SELECT count(*) FROM hos_inbox"), 0);
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    host.say("BEGIN");
    assert!(host.call(Call::Begin(new_order("1").fact("who", uid("A", "root")))).unwrap().allowed);
    host.say("COMMIT");
    store.engine.work().unwrap();
    assert_eq!(store.engine.verify(&Default::default()).unwrap().level, Level::Intact);
}

#[test]
fn behind_a_call_that_must_come_again_those_about_the_same_wait() {
    let Some(store) = in_shadow() else { return };
    let mut host = host(&store, &joined(&store));
    let mut calls = Vec::new();
    for id in ["1", "2"] {
        let mut begin = new_order(id);
        begin.by.legacy = legacy(true, Some("a"));
        shadow(&mut host, &mut calls, Call::Begin(begin));
    }
    shadow(&mut host, &mut calls, event("go", true, "b"));
    // The first cannot be had for now; what follows it on the same instance is not judged before it.
    let busy = |bytes: &[u8]| match bytes[0] {
        0 => Err(hos_engine::Failure::new(hos_core::refusal::Code::StoreBusy, "not now")),
        n => Ok(calls[usize::from(n)].clone()),
    };
    assert_eq!(store.engine.fold_shadows(10, &busy).unwrap_err().code, hos_core::refusal::Code::StoreBusy);
    assert_eq!(host.number("SELECT count(*) FROM hos_inbox"), 2);
    store.engine.fold_shadows(10, &|bytes| Ok(calls[usize::from(bytes[0])].clone())).unwrap();
    let instance = store.tenant("t1").instance(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap()).unwrap().unwrap();
    assert_eq!(instance.state.as_str(), "b");
    store.engine.work().unwrap();
    assert_eq!(store.engine.verify(&Default::default()).unwrap().level, Level::Intact);
}

#[test]
fn a_call_of_a_batch_that_must_come_again_takes_no_other_with_it() {
    let Some(store) = in_shadow() else { return };
    let mut host = host(&store, &joined(&store));
    let mut calls = Vec::new();
    let mut begin = new_order("1");
    begin.by.legacy = legacy(true, Some("a"));
    shadow(&mut host, &mut calls, Call::Begin(begin));
    assert!(store.engine.activate(&root(), Arc::new(law::law()), None, Modes::default()).unwrap().allowed);
    let t1 = || Tenant::new("t1").unwrap();
    let waits = Call::Transition(Transition::new(uid("A", "root"), "o", "1", "go").unwrap());
    let answers = store.engine.batch(vec![(t1(), waits), (t1(), Call::Begin(new_order("2")))]).unwrap();
    assert_eq!(answers[0].as_ref().unwrap_err().code, hos_core::refusal::Code::Retry);
    assert!(answers[1].as_ref().unwrap().allowed);
}
