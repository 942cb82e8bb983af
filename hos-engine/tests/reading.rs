//! An engine that was opened to look: it signs nothing, writes nothing, and tells what nobody has signed.

mod support;

use hos_core::refusal::Code;
use hos_engine::{Engine, Level, VerifyOptions, VerifyReport};
use std::os::unix::fs::PermissionsExt;
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
