//! However little verifying may keep at hand, what is found is the same.

mod support;

use hos_core::call::{Begin, Call, Transition};
use hos_core::id::Tenant;
use hos_engine::{Engine, Level, Settings, VerifyOptions, VerifyReport};
use rusqlite::Connection;
use support::witness::Witnesses;
use support::{fresh_under, store, uid};

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
    if store.database.is_some() {
        return eprintln!("skipped: what a database holds is not changed here");
    }
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
        ("hos_outbox", "UPDATE hos_outbox SET body_key = x'00' WHERE pos = 1"),
        ("hos_queue", "INSERT INTO hos_queue VALUES ('t1', -9223372036854775808, randomblob(16), 0)"),
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

const CONTRACT: &str = "contract=\"o\"\nversion=1\nentity=\"N::O\"\ndata_subject=\"facts.who\"\nstates=[\"a\",\"b\"]\n\
    forever=[\"a\",\"b\"]\n[facts]\nwho=\"A\"\n[begin.new]\nto=\"a\"\naction=\"o.new\"\n\
    [event.go]\nfrom=[\"a\"]\nto=\"b\"\naction=\"o.go\"\neffects=[{kind=\"m\",body=[\"id\"]}]\n\
    [event.late]\nfrom=[\"b\"]\nto=\"a\"\naction=\"o.late\"\n[[deadline]]\nstate=\"b\"\nafter=\"PT1H\"\nevent=\"late\"\n";

/// Instances, once-keys, messages and deadlines, of each more than a database is asked for at once.
#[test]
fn more_rows_than_a_page_are_all_compared() {
    let store =
        fresh_under(Settings::default(), |path, text| if path == "contracts/o.toml" { CONTRACT.to_owned() } else { text });
    let tenant = Tenant::new("t1").unwrap();
    let ids: Vec<String> = (0..1_100).map(|i| format!("i{i}")).collect();
    let born = |id: &String| {
        let begin = Begin::new(uid("A", "root"), "o", id, "new").unwrap().fact("who", uid("A", "root"));
        Call::Begin(begin.once(&format!("new-{id}")).unwrap())
    };
    let gone = |id: &String| Call::Transition(Transition::new(uid("A", "root"), "o", id, "go").unwrap());
    let steps: [&dyn Fn(&String) -> Call; 2] = [&born, &gone];
    for step in steps {
        for group in ids.chunks(50) {
            let answers = store.engine.batch(group.iter().map(|id| (tenant.clone(), step(id))).collect()).unwrap();
            assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|a| a.allowed)), "{:?}", answers.first());
        }
    }
    for memory in [Some(0), None] {
        let report = verified(&store.engine, memory);
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        assert!(report.records >= 2_200);
    }
}
