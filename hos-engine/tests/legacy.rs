//! What an older log tells of an instance: kept in its thread, and nothing else of it changed.

mod support;

use hos_core::call::{Adopt, Begin, By, Change, LegacyEntry, LegacyLog, Transition};
use hos_core::id::{DottedName, InstanceId, Name, RecordHash, Tenant};
use hos_core::limits::{LEGACY_DETAIL_BYTES_MAX, LEGACY_ENTRIES_MAX};
use hos_core::policy::Entity;
use hos_core::proof::record::{Decision, Header, Kind};
use hos_core::value::{Ext, Record, Value};
use hos_engine::clock::SetClock;
use hos_engine::{Engine, ExportOptions, Founding, HistoryEntry, Level, ReplayOptions, Seal, Settings, VerifyOptions};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::sync::Arc;
use support::{Store, at, rich, uid};

/// A store under the rich law, with the order `old`, adopted in `b`, and the order `1`, born here.
fn world(seal: Seal) -> Store {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    let clock = Arc::new(SetClock::at(at("2026-01-01T00:00:00Z")));
    let role = Entity { uid: uid("R", "op"), attrs: Record::new(), parents: [].into(), record: None };
    let founder = Entity { uid: uid("A", "root"), attrs: Record::new(), parents: [uid("R", "op")].into(), record: None };
    let database = support::database::fresh();
    let engine = support::database::place(Engine::builder(), database.as_ref(), &path)
        .law(rich::law())
        .clock(clock.clone())
        .settings(Settings { seal, ..Settings::default() })
        .found(Founding { founder, roles: vec![role] })
        .unwrap();
    assert!(engine.open_tenant(&support::root(), &Tenant::new("t1").unwrap()).unwrap().allowed);
    let store = Store { engine, clock, path, dir, database };
    support::change(&store.tenant("universe"), Change::Put { uid: uid("A", "ann"), attrs: Record::new() });
    let closes = Value::Ext(Ext::Datetime, "2026-01-02".into());
    let attrs = Record::from([("closes".to_owned(), closes), ("frozen".to_owned(), Value::Bool(false))]);
    support::change(&store.tenant("t1"), Change::Put { uid: uid("S", "s"), attrs });
    let facts = Begin::new(uid("A", "root"), "o", "1", "new").unwrap();
    let facts = facts.fact("who", uid("A", "ann")).fact("shop", uid("S", "s")).fact("cap", 100);
    let adopt = Adopt {
        by: support::root(),
        contract: Name::new("o").unwrap(),
        id: InstanceId::new("old").unwrap(),
        state: Name::new("b").unwrap(),
        facts: facts.facts.clone(),
        once: None,
    };
    assert!(store.tenant("t1").adopt(adopt).unwrap().allowed);
    assert!(store.tenant("t1").begin(facts).unwrap().allowed);
    store
}

fn row(minute: i64, to: &str) -> LegacyEntry {
    LegacyEntry::new(hos_core::time::Timestamp(1_700_000_000_000 + minute * 60_000), to)
}

fn log(id: &str, entries: Vec<LegacyEntry>) -> LegacyLog {
    LegacyLog { by: support::root(), contract: Name::new("o").unwrap(), id: InstanceId::new(id).unwrap(), entries, once: None }
}

fn rows() -> Vec<LegacyEntry> {
    let words = |from: &str, event: &str, entry| LegacyEntry { from: Some(from.into()), event: Some(event.into()), ..entry };
    let mut by_hand = words("yeni", "elle", row(2, "ödendi, ayşe söyledi"));
    (by_hand.actor, by_hand.detail, by_hand.key) = (Some("ayşe".into()), Some("{\"not\":1}".into()), Some("log:2".into()));
    vec![row(0, "a"), words("a", "go", row(1, "b")), by_hand]
}

fn history(store: &Store, id: &str) -> Vec<HistoryEntry> {
    store.tenant("t1").history(&Name::new("o").unwrap(), &InstanceId::new(id).unwrap(), 0, 1_000).unwrap()
}

fn replayed(store: &Store) -> hos_engine::ReplayReport {
    store.engine.work().unwrap();
    let (report, replay) = store.engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
    assert_eq!((report.findings, replay.differs), (Vec::new(), 0), "{:?}", replay.listed);
    replay
}

/// Whoever reads a page holds all of it at once: its bytes end it too, however many records are asked for.
#[test]
fn long_records_are_read_in_shorter_pages() {
    let store = world(Seal::Inline);
    let t1 = store.tenant("t1");
    for call in 0..30_i64 {
        let long = |i| LegacyEntry { detail: Some("x".repeat(LEGACY_DETAIL_BYTES_MAX)), ..row(call * 10 + i, "a") };
        let told = t1.legacy(log("old", (0..10_i64).map(long).collect())).unwrap();
        assert!(told.allowed, "{:?}", told.blockers);
    }
    store.engine.work().unwrap();
    let whole = |page: &dyn Fn(u64) -> Vec<HistoryEntry>| {
        let (mut records, mut pages) = (Vec::new(), 0);
        loop {
            let entries = page(records.len() as u64);
            if entries.is_empty() {
                return (records, pages);
            }
            records.extend(entries.into_iter().map(|entry| entry.receipt.record));
            pages += 1;
        }
    };
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new("old").unwrap());
    let (thread, pages) = whole(&|from| t1.history(&contract, &id, from, 1_000).unwrap());
    assert_eq!((thread.len(), pages), (301, 2));
    let (log, pages) = whole(&|from| t1.log(from, 1_000).unwrap());
    assert_eq!(pages, 2);
    let told = |records: &[RecordHash]| records.iter().filter(|record| thread.contains(record)).count();
    assert_eq!((told(&log), log.iter().collect::<BTreeSet<_>>().len()), (301, log.len()), "each of them, and none twice");
    assert_eq!(t1.history(&contract, &id, 0, 3).unwrap().len(), 3);
}

#[test]
fn a_log_goes_into_the_thread_and_the_instance_stays_as_it_is() {
    let store = world(Seal::Inline);
    let t1 = store.tenant("t1");
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new("old").unwrap());
    let before = t1.instance(&contract, &id).unwrap().unwrap();
    let attested = replayed(&store).attested;
    store.clock.set(at("2026-01-01T00:10:00Z"));
    let mut call = log("old", rows());
    call.once = hos_core::id::OnceKey::new("log-1").ok();
    let told = t1.legacy(call.clone()).unwrap();
    assert!(told.allowed && !told.again, "{told:?}");
    assert_eq!((told.to.as_ref(), told.version, told.policies.len()), (Some(&before.state), Some(before.version), 1), "{told:?}");
    let again = t1.legacy(call.clone()).unwrap();
    assert!(again.allowed && again.again && again.to.is_none(), "{again:?}");
    assert_eq!(again.receipt.map(|r| r.record), told.receipt.map(|r| r.record));
    call.entries.pop();
    assert_eq!(t1.legacy(call).unwrap().code(), Some("hos.once_conflict"));

    let after = t1.instance(&contract, &id).unwrap().unwrap();
    assert_eq!((after.n, after.last != before.last), (before.n + 3, true));
    let unmoved = hos_core::judge::Instance { n: before.n, last: before.last, last_time: before.last_time, ..after };
    assert_eq!(unmoved, before, "state, version, entry, facts and deadlines are what they were");
    let told: Vec<_> = history(&store, "old").into_iter().filter(|entry| entry.header.kind == Kind::Legacy).collect();
    let words =
        |h: &Header| [h.from.as_ref(), h.to.as_ref()].map(|name| name.map_or("-".to_owned(), ToString::to_string)).join(" ");
    let said: Vec<String> = told.iter().map(|entry| words(&entry.header)).collect();
    assert_eq!(said, ["- a", "a b", "- -"], "a header has no words but the law's");
    assert!(told.iter().all(|entry| entry.header.decision == Decision::None && entry.header.policies.is_empty()));
    assert_eq!(told[1].header.event.as_ref().map(DottedName::as_str), Some("go"));
    let (_, payload) = told[2].parts.iter().find(|(name, _)| name == "payload").unwrap();
    assert_eq!(payload["to"], Value::from("ödendi, ayşe söyledi"));
    assert_eq!(payload["at"], Value::Ext(Ext::Datetime, "2023-11-14T22:15:20.000Z".into()));

    // It goes on as if nothing had been told, deadlines included.
    let paid = Transition::new(uid("A", "root"), "o", "old", "paid").unwrap().arg("ref", "r");
    assert!(t1.transition(paid).unwrap().allowed);
    assert!(t1.legacy(log("old", vec![row(9, "d")])).unwrap().allowed, "even behind the end");
    store.clock.set(at("2026-01-02T00:00:00Z"));
    assert!(t1.legacy(log("1", vec![row(3, "c")])).unwrap().allowed, "no deadline fires by being told of the past");
    assert_eq!(t1.instance(&contract, &InstanceId::new("1").unwrap()).unwrap().unwrap().state.as_str(), "a");
    assert_eq!(t1.tick(10).unwrap(), 1);
    let replay = replayed(&store);
    assert_eq!(replay.attested, attested + 5, "never judged: {replay:?}");
    let tried = store.engine.backtest(&rich::stricter(), &ReplayOptions::default()).unwrap();
    assert_eq!(tried.differs(), 0, "{tried:#?}");
}

#[test]
fn what_may_not_be_told_is_refused() {
    let store = world(Seal::Inline);
    let t1 = store.tenant("t1");
    let code = |call| t1.legacy(call).unwrap().code().map(str::to_owned);
    let by_ann = LegacyLog { by: By::new(uid("A", "ann")), ..log("old", rows()) };
    assert_eq!(code(by_ann).as_deref(), Some("hos.not_permitted"));
    assert_eq!(code(log("nobody", rows())).as_deref(), Some("hos.instance_unknown"));
    let strange = LegacyLog { contract: Name::new("p").unwrap(), ..log("old", rows()) };
    assert_eq!(code(strange).as_deref(), Some("hos.contract_unknown"));
    let many = vec![row(0, "a"); LEGACY_ENTRIES_MAX + 1];
    let long = LegacyEntry { actor: Some("x".repeat(256)), ..row(0, "a") };
    for entries in [Vec::new(), many, vec![long], vec![row(0, "")]] {
        assert_eq!(code(log("old", entries)).as_deref(), Some("hos.call_too_large"));
    }
    assert!(t1.legacy(log("old", vec![row(0, "a"); LEGACY_ENTRIES_MAX])).unwrap().allowed);
    assert_eq!(replayed(&store).erased, 0, "refusals are judged again like any");
}

#[test]
fn an_erased_person_takes_what_was_told_along() {
    let store = world(Seal::Inline);
    let t1 = store.tenant("t1");
    assert!(t1.legacy(log("old", rows())).unwrap().allowed);
    for id in ["old", "1"] {
        let event = if id == "old" { "paid" } else { "go" };
        let end = Transition::new(uid("A", "root"), "o", id, event).unwrap();
        let end = if id == "old" { end.arg("ref", "r") } else { end.arg("amount", 0) };
        assert!(t1.transition(end).unwrap().allowed);
    }
    assert!(store.engine.erase(&support::root(), &uid("A", "ann"), "KVKK m.7").unwrap().allowed);
    assert_eq!(t1.legacy(log("old", rows())).unwrap().code(), Some("hos.instance_erased"));
    let told: Vec<_> = history(&store, "old").into_iter().filter(|entry| entry.header.kind == Kind::Legacy).collect();
    assert_eq!(told.len(), 3);
    for entry in told {
        assert!(entry.erased.contains(&"payload".to_owned()), "{entry:?}");
    }
    if !support::database::is_on() {
        assert!(support::files(store.dir.path(), "ayşe söyledi".as_bytes()).is_empty());
    }
    replayed(&store);
}

#[test]
fn a_bundle_with_what_was_told_holds_and_says_that_it_is_attested() {
    let store = world(Seal::Inline);
    assert!(store.tenant("t1").legacy(log("1", rows())).unwrap().allowed);
    store.engine.work().unwrap();
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    let exported = store.tenant("t1").export(&contract, &id, &ExportOptions::default()).unwrap();
    let trust = hos_core::proof::trust::Trust::parse(exported.trust.as_bytes()).unwrap();
    let (verdict, replayed) = hos_core::audit::bundle_replayed(&exported.bytes, &trust, &[]);
    assert!(verdict.holds() && verdict.notices.contains(&hos_core::audit::Notice::Attested), "{verdict:?}");
    assert_eq!(verdict.states, [Name::new("a").unwrap()], "states are what the law knows of");
    assert_eq!(replayed.unwrap().first, None);
}

/// Rewrites the last record of an instance's thread before it has a place in the log, as a bent program would have made it.
fn bent(store: Store, id: &str, change: impl FnOnce(&mut Header)) -> Vec<(String, String)> {
    let (builder, path) = (store.builder(), store.path.clone());
    let Store { engine, dir, .. } = store;
    engine.close().unwrap();
    let db = Connection::open(&path).unwrap();
    let read = "SELECT i.handle, i.n, r.header FROM hos_instance i JOIN hos_record r
                ON r.tenant = i.tenant AND r.thread = i.handle AND r.n = i.n WHERE i.tenant = 't1' AND i.id = ?1";
    let (handle, n, bytes): (Vec<u8>, i64, Vec<u8>) =
        db.query_row(read, params![id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let mut header = Header::decode(&bytes).unwrap();
    change(&mut header);
    let made = header.encode().unwrap();
    let write = "UPDATE hos_record SET header = ?3 WHERE tenant = 't1' AND thread = ?1 AND n = ?2";
    assert_eq!(db.execute(write, params![handle, n, made]).unwrap(), 1);
    let last = hos_core::digest::record_hash(&made).0.to_vec();
    assert_eq!(db.execute("UPDATE hos_instance SET last = ?2 WHERE handle = ?1", params![handle, last]).unwrap(), 1);
    drop(db);
    let engine = builder.open().unwrap();
    engine.work().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    drop(dir);
    if report.findings.is_empty() {
        assert_eq!(report.level, Level::Intact);
    }
    report.findings
}

#[test]
fn one_that_claims_more_than_it_may_is_found() {
    if support::database::is_on() {
        return;
    }
    type Bend = (&'static str, fn(&mut Header));
    let bends: [Bend; 6] = [
        ("said to have been judged", |header| header.decision = Decision::Allow),
        ("said to have been judged", |header| header.policies = vec!["all".into()]),
        ("is not what the header says", |header| header.to = Name::new("c").ok()),
        ("is not what the header says", |header| header.event = DottedName::new("late").ok()),
        ("names another contract", |header| header.contract = Name::new("p").ok()),
        ("", |_| ()),
    ];
    for (wanted, change) in bends {
        let store = world(Seal::Worker);
        assert!(store.tenant("t1").legacy(log("old", rows()[..2].to_vec())).unwrap().allowed);
        let findings = bent(store, "old", change);
        assert_eq!(findings.is_empty(), wanted.is_empty(), "{findings:?}");
        assert!(findings.iter().all(|(at, what)| at.contains("n 2") && what.contains(wanted)), "{wanted}: {findings:?}");
    }
    // A birth that says it were a row of an old log: no instance is there, and what follows stands on nothing.
    let findings = bent(world(Seal::Worker), "1", |header| header.kind = Kind::Legacy);
    assert!(findings.iter().any(|(_, what)| what.contains("where no instance is")), "{findings:?}");
    assert!(findings.iter().any(|(_, what)| what.contains("in the thread of no instance")), "{findings:?}");
}
