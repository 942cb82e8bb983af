//! Rows that somebody made up who can write to the store's file and has no key: none passes for evidence because the records that would
//! speak against it can be read no more, nor because nothing reads it.

mod support;

use hos_core::call::Change;
use hos_engine::{Level, Settings};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use support::{Store, change, fresh, go, new_order, root, uid};

/// A store in which a person was erased, and what it was before.
fn erased() -> (Store, PathBuf, PathBuf) {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") });
    let (principal, resource) = (Some(uid("A", "ann")), Some(uid("R", "staff")));
    change(&tenant, Change::Grant { id: "g".into(), template: "t".into(), principal, resource });
    for id in ["1", "2"] {
        assert!(tenant.begin(new_order(id).once(&format!("k{id}")).unwrap()).unwrap().allowed);
        assert!(tenant.transition(go(id)).unwrap().allowed);
    }
    let before = backup(&store, "before.db");
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "request").unwrap().allowed);
    store.engine.work().unwrap();
    let after = backup(&store, "after.db");
    (store, before, after)
}

fn backup(store: &Store, name: &str) -> PathBuf {
    let to = store.dir.path().join(name);
    let report = store.engine.backup(&to, None).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    to
}

/// What verifying a copy finds after these statements; `old` is the other copy.
#[track_caller]
fn found(store: &Store, sound: &Path, old: &Path, edits: &str) -> Vec<(String, String)> {
    let path = store.dir.path().join("forged.db");
    std::fs::copy(sound, &path).unwrap();
    let db = Connection::open(&path).unwrap();
    db.execute("ATTACH ?1 AS old", [old.to_str().unwrap()]).unwrap();
    let before = db.total_changes();
    db.execute_batch(edits).unwrap();
    assert!(edits.contains("CREATE") || db.total_changes() > before, "{edits}: nothing was changed");
    drop(db);
    let report = store.engine.verify_copy(&path);
    std::fs::remove_file(&path).unwrap();
    match report {
        Ok(report) => report.findings,
        Err(failure) => vec![(failure.code.to_string(), failure.message)],
    }
}

#[test]
fn what_an_erasure_took_away_comes_back_by_nobody() {
    if support::database::is_on() {
        return;
    }
    let (store, before, after) = erased();
    for (edits, at) in [
        ("INSERT INTO hos_directory SELECT * FROM old.hos_directory WHERE tenant = 't1' AND id = x'616e6e'", "hos_directory t1"),
        (
            "INSERT INTO hos_directory SELECT * FROM old.hos_directory WHERE tenant = 't1' AND id = x'616e6e';
             UPDATE hos_directory SET id = x'6d616c', attrs_key = zeroblob(16), attrs = x'', parents = (SELECT parents FROM
               hos_directory WHERE tenant = 'universe' AND id = x'726f6f74') WHERE tenant = 't1' AND id = x'616e6e'",
            "hos_directory t1",
        ),
        ("INSERT INTO hos_grant SELECT * FROM old.hos_grant", "hos_grant t1"),
        (
            "INSERT INTO hos_grant SELECT tenant, x'68', handle, n, last, removed, template, principal, resource FROM old.hos_grant",
            "hos_grant t1",
        ),
        ("INSERT INTO hos_once SELECT * FROM old.hos_once WHERE key = x'6b31'", "hos_once t1 k1"),
        (
            "INSERT INTO hos_once SELECT tenant, x'7a', digest, thread, n, at FROM old.hos_once WHERE key = x'6b31'",
            "hos_once t1 z",
        ),
        ("UPDATE hos_outbox SET body_key = zeroblob(16)", "hos_outbox t1 pos 1"),
        ("UPDATE hos_outbox SET kind = 'forged', body_key = zeroblob(16), body = x''", "hos_outbox t1 pos 1"),
    ] {
        let found = found(&store, &after, &before, edits);
        assert!(found.iter().any(|(place, _)| place.starts_with(at)), "{edits}: {found:?}");
    }
}

/// Older versions forgot keys by their clock alone: no fault of the evidence, and to be known.
#[test]
fn once_keys_that_the_log_does_not_show_to_be_past_their_time_are_told() {
    if support::database::is_on() {
        return;
    }
    let (store, _, copy) = erased();
    let told = || {
        let report = store.engine.verify_copy(&copy).unwrap();
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        report.notices.iter().any(|notice| notice.starts_with("hos_tenant t1, column once_floor: once-keys were forgotten"))
    };
    assert!(!told());
    let db = Connection::open(&copy).unwrap();
    let early = "UPDATE hos_tenant SET once_floor = (SELECT max(sealed_at) FROM hos_entry) WHERE tenant = 't1'";
    assert_eq!(db.execute(early, []), Ok(1));
    drop(db);
    assert!(told());
}

#[test]
fn what_no_comparison_reads_is_looked_for() {
    if support::database::is_on() {
        return;
    }
    let (store, before, after) = erased();
    for (edits, at) in [
        ("CREATE TRIGGER quiet AFTER INSERT ON hos_outbox BEGIN UPDATE hos_outbox SET acked = 1; END", "trigger quiet of hos_outbox"),
        ("CREATE INDEX slow ON hos_record (parts)", "index slow of hos_record"),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE name = 'hos_entry' AND type = 'table'",
            "table hos_entry of hos_entry",
        ),
        (
            "UPDATE hos_tenant SET once_floor = (SELECT max(sealed_at) FROM hos_entry) + 6 * 366 * 86400000 WHERE tenant = 't1'",
            "hos_tenant t1",
        ),
        (
            "INSERT INTO hos_instance SELECT tenant, contract, x'78', x'01020304050607080102030405060708', n, last, '', version, entered_n,
               entered_at, last_time, law, contract_version, facts_key, facts, deadlines FROM hos_instance LIMIT 1",
            "hos_instance t1",
        ),
        ("INSERT INTO hos_once SELECT tenant, x'78', digest, thread, -1, at FROM old.hos_once LIMIT 1", "hos_once t1"),
        ("INSERT INTO hos_stream (tenant, name, handle, n, last) VALUES ('t1', 'x', zeroblob(16), -1, zeroblob(32))", "column `n`"),
        ("INSERT INTO hos_epoch (tenant, epoch, seq, note) SELECT tenant, 1, size, 'x' FROM hos_head WHERE tenant = 't1'", "hos_epoch t1"),
    ] {
        let found = found(&store, &after, &before, edits);
        assert!(found.iter().any(|(place, what)| place.starts_with(at) || what.contains(at)), "{edits}: {found:?}");
    }
}
