//! On however many threads records are examined, what is found is the same.

mod support;

use hos_core::call::{Call, Note};
use hos_core::id::Tenant;
use hos_engine::{Engine, Level, Settings, VerifyOptions, VerifyReport};
use rusqlite::Connection;
use support::{fresh, uid};

/// What a report says, as far as it can be compared.
fn said(report: &VerifyReport) -> String {
    format!("{:?} {} {:?} {:#?}", report.level, report.records, report.logs, report.findings)
}

#[test]
fn more_threads_find_what_one_finds() {
    let store = fresh(Settings::default());
    let tenant = Tenant::new("t1").unwrap();
    // More records than a page takes.
    let note = |i: u32| Call::Note(Note::new(uid("A", "root"), "n", i.to_be_bytes().to_vec()).unwrap());
    let answers = store.engine.batch((0..1_300).map(|i| (tenant.clone(), note(i))).collect()).unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|a| a.allowed)));
    let verified = |engine: &Engine, threads| engine.verify(&VerifyOptions { threads, ..VerifyOptions::default() }).unwrap();
    let whole = verified(&store.engine, 1);
    assert!(whole.level == Level::Intact && whole.records > 1_300, "{:?}", whole.findings);
    for threads in [0, 2, 3, 16] {
        assert_eq!(said(&verified(&store.engine, threads)), said(&whole), "{threads} threads");
    }
    let builder = || Engine::builder().sqlite(&store.path).clock(store.clock.clone());
    let mut engine = store.engine;
    // A hash that the next entry is supposed to cite, at a page's end and inside one; a header; a part.
    for (sql, least) in [
        ("UPDATE hos_entry SET hash = zeroblob(32) WHERE tenant = 't1' AND seq IN (1023, 40)", 2),
        (
            "UPDATE hos_record SET header = CAST(header || x'00' AS BLOB) WHERE rowid IN (SELECT max(rowid) - 700 FROM hos_record)",
            1,
        ),
        (
            "UPDATE hos_record SET parts = CAST(parts || x'00' AS BLOB) WHERE rowid IN (SELECT max(rowid) - 200 FROM hos_record)",
            1,
        ),
    ] {
        engine.close().unwrap();
        let db = Connection::open(&store.path).unwrap();
        assert!(db.execute(sql, []).unwrap() >= least, "{sql}");
        drop(db);
        engine = builder().open().unwrap();
        let one = verified(&engine, 1);
        assert!(one.level == Level::Broken && one.findings.len() >= least, "{sql}: {:?}", one.findings);
        for threads in [2, 3, 16] {
            assert_eq!(said(&verified(&engine, threads)), said(&one), "{sql}: {threads} threads");
        }
    }
}
