//! An engine that was opened to look: it signs nothing, writes nothing, and tells what nobody has signed.

mod support;

use hos_core::refusal::Code;
use hos_engine::{Engine, Level, VerifyOptions, VerifyReport};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::{Store, new_order};

fn says(report: &VerifyReport, words: &str) -> bool {
    report.notices.iter().any(|notice| notice.contains("`t1`") && notice.contains(words))
}

#[test]
fn a_backup_is_looked_at_where_nothing_can_be_written() {
    if support::database::is_on() {
        return;
    }
    let Store { engine, clock, dir, .. } = support::store();
    let medium = dir.path().join("medium");
    std::fs::create_dir(&medium).unwrap();
    let copy = medium.join("copy.db");
    engine.backup(&copy, None).unwrap();
    engine.backup_vault(&medium.join("copy.db.vault")).unwrap();
    let may = |mode| std::fs::set_permissions(&medium, std::fs::Permissions::from_mode(mode)).unwrap();
    may(0o555);
    let is_written = std::fs::write(medium.join("probe"), "").is_ok();
    if is_written {
        eprintln!("left out: whoever runs this may write anywhere");
    } else {
        let builder = || Engine::builder().sqlite(&copy).clock(clock.clone());
        let engine = builder().reading().open().unwrap();
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{:?}", report.findings);
        assert_eq!(engine.tenant("t1").unwrap().begin(new_order("9")).unwrap_err().code, Code::StoreReadOnly);
        engine.close().unwrap();
        assert!(builder().open().is_err(), "who writes needs more");
    }
    may(0o755);
}

#[test]
fn the_key_beside_the_store_is_nothing_to_who_looks() {
    if support::database::is_on() {
        return;
    }
    let Store { engine, clock, path, dir, .. } = support::store();
    engine.close().unwrap();
    let key = path.with_extension("db.key");
    let seed = std::fs::read_to_string(&key).unwrap();
    let looked = |named: bool| {
        let builder = Engine::builder().sqlite(&path).clock(clock.clone()).reading();
        let builder = if named { builder.key_file(&key) } else { builder };
        builder.open().map(|engine| engine.verify(&VerifyOptions::default()).unwrap().level).map_err(|failure| failure.code)
    };
    // One that others may read; one of before a change of key; none at all.
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!((looked(false), looked(true)), (Ok(Level::Intact), Err(Code::KeyInvalid)));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, format!("{}\n", "07".repeat(32))).unwrap();
    assert_eq!((looked(false), looked(true)), (Ok(Level::Intact), Err(Code::KeyInvalid)));
    std::fs::write(&key, seed).unwrap();
    assert_eq!(looked(true), Ok(Level::Intact));
    drop(dir);
}

#[test]
fn a_store_that_is_no_backup_says_what_is_read_where_nothing_can_be_written() {
    if support::database::is_on() {
        return;
    }
    let Store { engine, clock, path, dir, .. } = support::store();
    engine.close().unwrap();
    let may = |mode| std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    may(0o555);
    if std::fs::write(dir.path().join("probe"), "").is_ok() {
        eprintln!("left out: whoever runs this may write anywhere");
    } else {
        let refused = Engine::builder().sqlite(&path).clock(clock).reading().open().map(drop).unwrap_err();
        assert!(refused.message.contains("only a copy that `hos backup` made"), "{}", refused.message);
    }
    may(0o755);
}

#[test]
fn who_looks_signs_nothing() {
    if support::database::is_on() {
        return;
    }
    let Store { engine, clock, path, dir, .. } = support::store();
    assert!(engine.tenant("t1").unwrap().begin(new_order("9")).unwrap().allowed);
    // Not closed: its last checkpoint is in memory alone, as after a crash.
    drop(engine);
    let builder = || Engine::builder().sqlite(&path).clock(clock.clone());
    let verified = |engine: &Engine| {
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{:?}", report.findings);
        report
    };
    // Who only looks needs no key.
    let (key, kept) = (path.with_extension("db.key"), dir.path().join("kept"));
    std::fs::rename(&key, &kept).unwrap();
    for _ in 0..2 {
        let engine = builder().reading().open().unwrap();
        let report = verified(&engine);
        assert!(says(&report, "bear no stored checkpoint; whoever opens the store to write"), "{:?}", report.notices);
        assert!(!says(&report, "bears no checkpoint"), "{:?}", report.notices);
        let tenant = engine.tenant("t1").unwrap();
        assert_eq!(tenant.begin(new_order("10")).unwrap_err().code, Code::StoreReadOnly);
        engine.close().unwrap();
    }
    assert_eq!(builder().open().map(drop).unwrap_err().code, Code::KeyInvalid);
    std::fs::rename(&kept, &key).unwrap();
    // Who opens it to write signs it, and says so; then nothing is left to say.
    let engine = builder().open().unwrap();
    let report = verified(&engine);
    assert!(says(&report, "bore no stored checkpoint when the store was opened"), "{:?}", report.notices);
    engine.close().unwrap();
    let engine = builder().reading().open().unwrap();
    let report = verified(&engine);
    assert!(!says(&report, "stored checkpoint"), "{:?}", report.notices);
}

/// What the last step of the schema made.
const LAST: &str = "ALTER TABLE hos_tenant DROP COLUMN directory_mark; DROP INDEX hos_queue_thread; DROP INDEX hos_inbox_stream;
    DELETE FROM hos_migration WHERE name = 'marks';";

/// Takes the last step back; with `in_log` that lies in the write-ahead log alone, as a killed process leaves it.
fn made_older(path: &Path, in_log: bool) {
    let db = Connection::open(path).unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, in_log).unwrap();
    db.execute_batch(LAST).unwrap();
}

#[test]
fn an_older_store_is_looked_at_and_stays_as_it_is() {
    if support::database::is_on() {
        return;
    }
    for in_log in [false, true] {
        let Store { engine, clock, path, dir, .. } = support::store();
        engine.close().unwrap();
        made_older(&path, in_log);
        let beside = |ending: &str| path.with_extension(format!("db{ending}"));
        let bytes = || [path.clone(), beside("-wal"), beside(".vault")].map(|file| std::fs::read(file).unwrap_or_default());
        let (before, builder) = (bytes(), || Engine::builder().sqlite(&path).clock(clock.clone()));
        let [_, log, _] = &before;
        assert_eq!(log.is_empty(), !in_log);
        let copies = || {
            let ours = format!("hos-copy-{}-", std::process::id());
            let all = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
            all.filter(|entry| entry.path().is_dir() && entry.file_name().to_string_lossy().starts_with(&ours)).count()
        };
        // What one that was killed left goes with the next.
        let left = std::env::temp_dir().join(format!("hos-copy-0-{}", std::process::id()));
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join("copy.db"), "rows").unwrap();
        let lacks = |report: &VerifyReport| report.notices.iter().any(|notice| notice.contains("lacks steps of the schema"));
        for _ in 0..2 {
            let engine = builder().reading().open().unwrap();
            let report = engine.verify(&VerifyOptions::default()).unwrap();
            assert_eq!(report.level, Level::Intact, "{:?}", report.findings);
            assert!(lacks(&report) && copies() == 1 && !left.exists(), "{:?}", report.notices);
            let (_, replay) = engine.verify_replayed(&VerifyOptions::default(), None).unwrap();
            assert_eq!(replay.differs, 0);
            engine.close().unwrap();
            assert!(bytes() == before && copies() == 0, "in the log: {in_log}");
        }
        // Who opens it to write brings it up.
        builder().open().unwrap().close().unwrap();
        assert!(bytes() != before);
        let engine = builder().reading().open().unwrap();
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert!(report.level == Level::Intact && !lacks(&report), "{:?}", report.findings);
        engine.close().unwrap();
        drop(dir);
    }
}
