//! Every byte of every column of every row, changed in turn: caught, and located.
//!
//! Columns that are the queue's own (who has leased what, how often) and the bounds on refusals are no evidence and are left
//! out; they are declared here.

mod support;

use hos_core::call::Note;
use hos_core::refusal::Code;
use hos_engine::{Engine, Level, VerifyOptions};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::witness::Witnesses;
use support::{Store, store, uid};

/// Tables and columns that are no evidence.
const DECLARED: [(&str, &str); 7] = [
    ("hos_outbox", "lease"),
    ("hos_outbox", "leased_until"),
    ("hos_outbox", "attempts"),
    ("hos_outbox", "acked"),
    ("hos_tenant", "once_floor"),
    ("hos_tenant", "directory_mark"),
    ("hos_refusal", "*"),
];

/// A copy that the engine does not have open: made by the engine's own backup.
fn copy(store: &Store) -> PathBuf {
    let to = store.dir.path().join("copy.db");
    let report = store.engine.backup(&to, None).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    to
}

fn tables(db: &Connection) -> Vec<String> {
    let mut found = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'hos%' ORDER BY name").unwrap();
    found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Every way of changing one value by one byte.
fn changed(value: &Value) -> Vec<Value> {
    let flips = |bytes: &[u8]| -> Vec<Vec<u8>> {
        (0..bytes.len())
            .map(|i| {
                let mut other = bytes.to_vec();
                other[i] ^= 1;
                other
            })
            .collect()
    };
    match value {
        Value::Null => Vec::new(),
        Value::Integer(n) => (0..8).map(|byte| Value::Integer(n ^ (1 << (8 * byte)))).collect(),
        Value::Blob(bytes) => flips(bytes).into_iter().map(Value::Blob).collect(),
        Value::Text(text) => {
            flips(text.as_bytes()).into_iter().filter_map(|b| String::from_utf8(b).ok()).map(Value::Text).collect()
        }
        Value::Real(_) => panic!("no column holds a float"),
    }
}

fn verdict(engine: &Engine, path: &Path) -> Result<Vec<(String, String)>, (Code, String)> {
    match engine.verify_copy(path) {
        Ok(report) => Ok(report.findings),
        Err(failure) => Err((failure.code, failure.message)),
    }
}

/// What changing bytes came to.
#[derive(Default)]
struct Tally {
    tried: usize,
    /// Tables that have rows.
    filled: usize,
    unseen: BTreeSet<String>,
    unlocated: BTreeSet<String>,
}

/// Each with a copy of its own, they share the rows.
const SHARES: usize = 2;

#[test]
fn every_byte_of_every_row_is_evidence() {
    let store = store();
    Witnesses::of(&store, "t1").whole(&store);
    let path = copy(&store);
    let tallies = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..SHARES)
            .map(|share| {
                let own = store.dir.path().join(format!("copy-{share}.db"));
                std::fs::copy(&path, &own).unwrap();
                let engine = &store.engine;
                scope.spawn(move || tampered(engine, &own, share))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let mut sum = Tally::default();
    for tally in tallies {
        sum.tried += tally.tried;
        sum.filled = sum.filled.max(tally.filled);
        sum.unseen.extend(tally.unseen);
        sum.unlocated.extend(tally.unlocated);
    }
    println!("{} changes tried in {} tables", sum.tried, sum.filled);
    assert!(sum.unseen.is_empty(), "{} not seen: {:#?}", sum.unseen.len(), sum.unseen);
    assert!(sum.unlocated.is_empty(), "not located: {:#?}", sum.unlocated);
    assert!(sum.tried > 5_000 && sum.filled >= 17, "{} changes in {} tables", sum.tried, sum.filled);
}

/// Changes every byte of its share of the rows of a copy, one at a time, and has the copy verified each time.
fn tampered(engine: &Engine, path: &Path, share: usize) -> Tally {
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;").unwrap();
    let mut tally = Tally::default();
    let mut turn = 0;
    for table in tables(&db) {
        if DECLARED.contains(&(table.as_str(), "*")) {
            continue;
        }
        let columns: Vec<(String, i64)> = {
            let mut info = db.prepare(&format!("SELECT name, pk FROM pragma_table_info('{table}')")).unwrap();
            info.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
        };
        let keys: Vec<&str> = columns.iter().filter(|(_, pk)| *pk > 0).map(|(name, _)| name.as_str()).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let rows: Vec<Vec<Value>> = {
            let mut all = db.prepare(&format!("SELECT {} FROM {table}", names.join(", "))).unwrap();
            let width = names.len();
            all.query_map([], |row| (0..width).map(|i| row.get(i)).collect()).unwrap().map(Result::unwrap).collect()
        };
        tally.filled += usize::from(!rows.is_empty());
        for row in &rows {
            turn += 1;
            if turn % SHARES != share {
                continue;
            }
            for (at, name) in names.iter().enumerate().filter(|(_, name)| !DECLARED.contains(&(table.as_str(), **name))) {
                // Where, in terms of the key as it was; a changed key is found again by its new value.
                for other in changed(&row[at]) {
                    let condition = |from: usize| {
                        keys.iter().enumerate().map(|(i, k)| format!("{k} = ?{}", from + i)).collect::<Vec<_>>().join(" AND ")
                    };
                    let key_of = |row: &[Value]| -> Vec<Value> {
                        keys.iter().map(|k| row[names.iter().position(|n| n == k).unwrap()].clone()).collect()
                    };
                    let mut after = row.clone();
                    after[at] = other.clone();
                    let put = |value: &Value, key: Vec<Value>| {
                        let params = std::iter::once(value.clone()).chain(key);
                        db.execute(&format!("UPDATE {table} SET {name} = ?1 WHERE {}", condition(2)), params_from_iter(params))
                    };
                    // A change that the table's own constraints refuse cannot be made by an edit of one byte.
                    if put(&other, key_of(row)).is_err() {
                        continue;
                    }
                    tally.tried += 1;
                    match verdict(engine, path) {
                        Ok(findings) if findings.is_empty() => {
                            tally.unseen.insert(format!("{table}.{name} of {:?}", key_of(row)));
                        }
                        Ok(findings) => {
                            if !findings.iter().any(|(at, what)| located(at) || located(what)) {
                                tally.unlocated.insert(format!("{table}.{name}: {findings:?}"));
                            }
                        }
                        Err((code, message)) => {
                            if !matches!(code, Code::StoreIntegrity | Code::StoreVersion) || message.is_empty() {
                                tally.unlocated.insert(format!("{table}.{name}: {code} {message}"));
                            }
                        }
                    }
                    put(&row[at], key_of(&after)).unwrap();
                }
            }
        }
    }
    assert_eq!(verdict(engine, path), Ok(Vec::new()), "the copy is whole again");
    tally
}

fn located(text: &str) -> bool {
    ["hos_", "tenant ", "vault"].iter().any(|place| text.contains(place))
}

#[test]
fn rows_removed_swapped_spliced_or_cut_are_found() {
    let store = store();
    let path = copy(&store);
    let edits: [(&str, &str); 9] = [
        ("a record removed", "DELETE FROM hos_record WHERE rowid = (SELECT max(rowid) FROM hos_record WHERE tenant = 't1')"),
        ("an entry removed", "DELETE FROM hos_entry WHERE tenant = 't1' AND seq = 1"),
        (
            "two records swapped",
            "UPDATE hos_entry SET thread = (SELECT thread FROM hos_entry WHERE tenant = 't1' AND seq = 2), n = 77 WHERE tenant = 't1' AND seq = 1",
        ),
        (
            "a record spliced from another tenant",
            "UPDATE hos_record SET header = (SELECT header FROM hos_record WHERE tenant = 'universe' LIMIT 1)
             WHERE rowid = (SELECT max(rowid) FROM hos_record WHERE tenant = 't1')",
        ),
        (
            "the tail cut",
            "DELETE FROM hos_entry WHERE tenant = 't1' AND seq = (SELECT max(seq) FROM hos_entry WHERE tenant = 't1')",
        ),
        ("an instance's state changed", "UPDATE hos_instance SET state = 'b' WHERE state = 'a'"),
        ("a membership made up", "UPDATE hos_directory SET parents = x'80' WHERE tenant = 't1'"),
        ("a deadline removed", "DELETE FROM hos_deadline"),
        ("a message removed", "DELETE FROM hos_outbox"),
    ];
    for (what, sql) in edits {
        let broken = store.dir.path().join("broken.db");
        std::fs::copy(&path, &broken).unwrap();
        let db = Connection::open(&broken).unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{what}: the edit did nothing");
        drop(db);
        let found = verdict(&store.engine, &broken);
        assert!(!matches!(&found, Ok(findings) if findings.is_empty()), "{what} was not found");
        std::fs::remove_file(&broken).unwrap();
    }
}

#[test]
fn a_checkpoint_kept_outside_anchors_the_store() {
    let store = store();
    let tenant = store.engine.tenant("t1").unwrap();
    let anchor = tenant.checkpoint().unwrap().unwrap();
    let vkey = store.engine.vkey(tenant.name()).unwrap();
    assert!(tenant.record(Note::new(uid("A", "root"), "n", b"y".to_vec()).unwrap()).unwrap().allowed);
    let options = VerifyOptions { anchors: vec![anchor.clone()], vkey: Some(vkey), threads: 2, ..VerifyOptions::default() };
    let report = store.engine.verify(&options).unwrap();
    assert_eq!(report.level, Level::Anchored, "{:#?}", report.findings);
    // Another root under the same signature: the note no longer holds.
    let mut lines: Vec<String> = anchor.lines().map(str::to_owned).collect();
    lines[2] = lines[2].chars().rev().collect();
    let other = VerifyOptions { anchors: vec![lines.join("\n") + "\n"], threads: 1, ..VerifyOptions::default() };
    assert_eq!(store.engine.verify(&other).unwrap().level, Level::Broken);
    assert!(store.path.exists());
}
