//! However little verifying may keep at hand, what is found is the same.

mod support;

use hos_engine::{Engine, Level, VerifyOptions, VerifyReport};
use rusqlite::Connection;
use support::store;
use support::witness::Witnesses;

/// What a report says. Of rows that are missing at once it is up to chance which is told first.
fn said(report: &VerifyReport) -> (String, Vec<(String, String)>) {
    let mut findings = report.findings.clone();
    findings.sort();
    (format!("{:?} {} {:?} {:?}", report.level, report.records, report.logs, report.unsealed), findings)
}

fn verified(engine: &Engine, memory: Option<usize>) -> VerifyReport {
    engine.verify(&VerifyOptions { memory, ..VerifyOptions::default() }).unwrap()
}

#[test]
fn whoever_keeps_little_at_hand_finds_what_others_find() {
    let store = store();
    Witnesses::of(&store, "t1").whole(&store);
    // Nothing at all; one row of most lists; all that there is.
    let bounds = [Some(0), Some(2_048), None];
    let whole = verified(&store.engine, None);
    assert_eq!(whole.level, Level::Intact, "{:#?}", whole.findings);
    for memory in bounds {
        assert_eq!(said(&verified(&store.engine, memory)), said(&whole), "{memory:?}");
    }
    let path = store.path.clone();
    let builder = || Engine::builder().sqlite(&path).clock(store.clock.clone());
    store.engine.close().unwrap();
    for (table, harm) in [
        ("hos_once", "DELETE FROM hos_once"),
        ("hos_once", "UPDATE hos_once SET digest = zeroblob(32)"),
        ("hos_once", "UPDATE hos_once SET key = CAST('x' || key AS BLOB)"),
        ("hos_outbox", "DELETE FROM hos_outbox WHERE pos = (SELECT max(pos) FROM hos_outbox)"),
        ("hos_outbox", "UPDATE hos_outbox SET kind = kind || 'x'"),
        ("hos_outbox", "UPDATE hos_outbox SET i = i + 1"),
        ("hos_deadline", "DELETE FROM hos_deadline"),
        ("hos_deadline", "UPDATE hos_deadline SET due = due + 1"),
        ("hos_instance", "DELETE FROM hos_instance"),
        ("hos_instance", "UPDATE hos_instance SET version = version + 1"),
        ("hos_instance", "UPDATE hos_instance SET id = CAST(id || 'x' AS BLOB)"),
        ("hos_record", "DELETE FROM hos_record WHERE rowid = (SELECT max(rowid) / 2 FROM hos_record)"),
    ] {
        let kept = path.with_extension("kept");
        std::fs::copy(&path, &kept).unwrap();
        let db = Connection::open(&path).unwrap();
        let harmed = db.execute(harm, []).unwrap();
        assert!(harmed > 0, "{harm}: there is no such row");
        drop(db);
        let engine = builder().open().unwrap();
        let one = verified(&engine, None);
        let located = one.findings.iter().filter(|(at, _)| at.starts_with(table) || table == "hos_record").count();
        assert!(one.level == Level::Broken && located > 0, "{harm}: {:#?}", one.findings);
        for memory in bounds {
            assert_eq!(said(&verified(&engine, memory)), said(&one), "{harm}: {memory:?}");
        }
        engine.close().unwrap();
        std::fs::rename(&kept, &path).unwrap();
    }
    let engine = builder().open().unwrap();
    assert_eq!(said(&verified(&engine, Some(0))), said(&whole));
}
