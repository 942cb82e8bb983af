//! Shadow in a host's transaction: the world's outcome stands, nobody waits, and who works judges it afterwards. On the database
//! that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::answer::Answer;
use hos_core::call::{Call, Legacy, Transition};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::law::mode::{Mode, Modes};
use hos_core::refusal::Code;
use hos_engine::joined::Asked;
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector, Several, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Engine, Failure, Level};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
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

/// What becomes of the next COMMIT: all is well.
const WELL: u8 = 0;
/// The connection is lost before the server has read it.
const LOST: u8 = 1;
/// It is lost when the server has done it.
const DONE: u8 = 2;

/// A database whose connections are cut in the next COMMIT, where that is asked for.
struct Cut(Arc<dyn Connector>, Arc<AtomicU8>);

impl Connector for Cut {
    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn shown(&self) -> String {
        self.0.shown()
    }

    fn connect(&self, patience: Duration) -> Result<Box<dyn Connection>, ClientError> {
        Ok(Box::new(CutConnection(self.0.connect(patience)?, self.1.clone())))
    }
}

struct CutConnection(Box<dyn Connection>, Arc<AtomicU8>);

impl Connection for CutConnection {
    fn execute(&mut self, sql: &str, params: &[&Sql]) -> Result<usize, ClientError> {
        self.0.execute(sql, params)
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[&Sql],
        take: &mut dyn FnMut(Vec<Sql>) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        self.0.query(sql, params, take)
    }

    fn say(&mut self, sql: &str) -> Result<(), ClientError> {
        let fate = if sql == "COMMIT" { self.1.swap(WELL, Ordering::SeqCst) } else { WELL };
        self.0.say(if fate == LOST { "ROLLBACK" } else { sql })?;
        if fate == WELL { Ok(()) } else { Err(ClientError { trouble: Trouble::Lost, message: "it was cut".to_owned() }) }
    }

    fn several(&mut self, text: &str) -> Result<Several, ClientError> {
        self.0.several(text)
    }

    fn is_alive(&self) -> bool {
        self.0.is_alive()
    }
}

#[test]
fn a_call_whose_commit_was_cut_off_is_judged_by_the_next_round() {
    for (fate, left) in [(LOST, 1), (DONE, 0)] {
        let Some(store) = in_shadow() else { return };
        let mut world = host(&store, &joined(&store));
        let mut calls = Vec::new();
        let mut begin = new_order("1");
        begin.by.legacy = legacy(true, Some("a"));
        shadow(&mut world, &mut calls, Call::Begin(begin));
        shadow(&mut world, &mut calls, event("go", true, "b"));
        let next = Arc::new(AtomicU8::new(WELL));
        let cut = Cut(store.database.as_ref().unwrap().own.clone(), next.clone());
        let key = format!("{}.key", store.path.display());
        let builder = Engine::builder().server(Arc::new(cut)).key_file(key).clock(store.clock.clone());
        let engine = builder.open().unwrap();
        let read = |bytes: &[u8]| -> Result<Call, Failure> { Ok(calls[usize::from(bytes[0])].clone()) };
        let cutting = |bytes: &[u8]| {
            next.store(if bytes[0] == 1 { fate } else { WELL }, Ordering::SeqCst);
            read(bytes)
        };
        assert_eq!(engine.fold_shadows(10, &cutting).unwrap_err().code, Code::OutcomeUnknown);
        assert_eq!(engine.fold_shadows(10, &read).unwrap(), left);
        assert_eq!(world.number("SELECT count(*) FROM hos_inbox"), 0);
        engine.work().unwrap();
        let instance = store.tenant("t1").instance(&Name::new("o").unwrap(), &InstanceId::new("1").unwrap()).unwrap().unwrap();
        assert_eq!(instance.state.as_str(), "b", "it stands where the world has it");
        assert_eq!(store.engine.verify(&Default::default()).unwrap().level, Level::Intact);
    }
}

#[test]
fn what_cannot_be_read_is_set_aside_and_keeps_no_call_waiting() {
    let Some(store) = in_shadow() else { return };
    let mut host = host(&store, &joined(&store));
    let mut calls = Vec::new();
    for id in ["1", "2"] {
        let mut begin = new_order(id);
        begin.by.legacy = legacy(true, Some("a"));
        shadow(&mut host, &mut calls, Call::Begin(begin));
    }
    let asked = Mutex::new(0);
    let read = |bytes: &[u8]| {
        *asked.lock().unwrap() += 1;
        match bytes[0] {
            0 => Err(Failure::new(Code::CallMalformed, "no call")),
            n => Ok(calls[usize::from(n)].clone()),
        }
    };
    // One at a time: what is none takes no call's turn.
    assert_eq!(store.engine.fold_shadows(1, &read).unwrap(), 1);
    assert_eq!(store.engine.fold_shadows(10, &read).unwrap(), 0);
    assert_eq!(*asked.lock().unwrap(), 2, "nobody meets it again");
    assert_eq!(store.engine.work().unwrap().nowhere, 1);
    assert!(store.tenant("t1").instance(&Name::new("o").unwrap(), &InstanceId::new("2").unwrap()).unwrap().is_some());
    let report = store.engine.verify(&Default::default()).unwrap();
    let said: Vec<&str> = report.findings.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(said, ["1 row(s) lead to no record that waits", "1 row(s), and the queue leads to 0"], "{:?}", report.findings);
}

#[test]
fn calls_are_opened_one_at_a_time() {
    let Some(store) = in_shadow() else { return };
    let mut host = host(&store, &joined(&store));
    let mut calls = Vec::new();
    for (who, id) in [("root", "1"), ("ann", "2")] {
        let mut begin = hos_core::call::Begin::new(uid("A", who), "o", id, "new").unwrap().fact("who", uid("A", "root"));
        begin.by.legacy = legacy(true, Some("a"));
        shadow(&mut host, &mut calls, Call::Begin(begin));
    }
    // She is erased while a call before hers is judged: hers is not in anybody's memory then.
    let asked = RefCell::new(Vec::new());
    let read = |bytes: &[u8]| {
        asked.borrow_mut().push(bytes[0]);
        let erased = store.engine.erase(&root(), &uid("A", "ann"), "KVKK m.7").unwrap();
        assert!(erased.allowed, "{:?}", erased.blockers);
        Ok(calls[usize::from(bytes[0])].clone())
    };
    assert_eq!(store.engine.fold_shadows(10, &read).unwrap(), 2);
    assert_eq!(*asked.borrow(), [0]);
    assert_eq!(host.number("SELECT count(*) FROM hos_inbox"), 0);
    store.engine.work().unwrap();
    assert_eq!(store.engine.verify(&Default::default()).unwrap().level, Level::Intact);
}
