//! What somebody changed who edits the store's file or the vault's past the engine, where each row by itself is as it was: an index that
//! leads elsewhere, a key that the vault knows under another name, a trigger that keeps what is destroyed, rows that nothing reads.

mod support;

use hos_core::call::Change;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::{Checkpoint, origin};
use hos_core::proof::key::SealKey;
use hos_core::proof::tree::Frontier;
use hos_core::refusal::Code;
use hos_engine::{Engine, Level, Settings, VerifyOptions, VerifyReport};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use support::{Store, change, fresh, go, new_order, root, uid};

/// A store in which a person has a row, a role and an order.
fn lived() -> Store {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") });
    assert!(tenant.begin(new_order("1").once("k1").unwrap()).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    store.engine.work().unwrap();
    store
}

/// A copy that the engine does not have open.
fn copy(store: &Store) -> PathBuf {
    let to = store.dir.path().join("copy.db");
    let report = store.engine.backup(&to, None).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    to
}

fn verified(engine: &Engine, options: &VerifyOptions<'_>) -> VerifyReport {
    engine.verify(options).unwrap()
}

fn places(report: &VerifyReport) -> Vec<&str> {
    report.findings.iter().map(|(at, _)| at.as_str()).collect()
}

/// The store closed, its vault edited, and the store opened again.
fn with_vault(store: Store, edit: &str) -> Store {
    let Store { engine, clock, path, dir, database } = store;
    engine.close().unwrap();
    let db = Connection::open(dir.path().join("s.db.vault")).unwrap();
    db.execute_batch(edit).unwrap();
    drop(db);
    let engine = Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
    Store { engine, clock, path, dir, database }
}

/// Writes what the file's schema says of the records' table, and which index is on it.
fn say_schema(path: &Path, table: &str, index: &str) {
    let db = Connection::open(path).unwrap();
    let version: i64 = db.query_row("PRAGMA schema_version", [], |row| row.get(0)).unwrap();
    db.execute_batch("PRAGMA writable_schema = ON").unwrap();
    db.execute("UPDATE sqlite_schema SET sql = ?1 WHERE name = 'hos_record'", [table]).unwrap();
    db.execute("DELETE FROM sqlite_schema WHERE tbl_name = 'hos_record' AND type = 'index'", []).unwrap();
    db.execute_batch(&format!("{index}; PRAGMA schema_version = {}", version + 1)).unwrap();
}

#[test]
fn an_index_that_leads_to_another_row_than_the_table_has_is_found() {
    if support::database::is_on() {
        return;
    }
    let store = lived();
    let path = copy(&store);
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    let text = |name: &str| -> (Option<String>, i64) {
        let row = db.query_row("SELECT sql, rootpage FROM sqlite_schema WHERE name = ?1", [name], |r| Ok((r.get(0)?, r.get(1)?)));
        row.unwrap()
    };
    let (table, page) = (text("hos_record").0.unwrap(), text("sqlite_autoindex_hos_record_1").1);
    // Without the key in its text, rows come into the table alone; with an index of another name at its place, into both.
    let bare = table.replace(",\n  PRIMARY KEY (tenant, thread, n)", "");
    assert_ne!(bare, table);
    let (rowid, tenant, thread): (i64, String, Vec<u8>) = db
        .query_row("SELECT rowid, tenant, thread FROM hos_record WHERE tenant = 't1' AND n = 1 LIMIT 1", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })
        .unwrap();
    let (header, parts): (Vec<u8>, Vec<u8>) =
        db.query_row("SELECT header, parts FROM hos_record WHERE rowid = ?1", [rowid], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    drop(db);
    let unique = "CREATE UNIQUE INDEX aside ON hos_record(tenant,thread,n)";
    say_schema(&path, &bare, &format!("INSERT INTO sqlite_schema VALUES ('index', 'aside', 'hos_record', {page}, '{unique}')"));
    let db = Connection::open(&path).unwrap();
    db.execute("DELETE FROM hos_record WHERE rowid = ?1", [rowid]).unwrap();
    let insert = "INSERT INTO hos_record (rowid, tenant, thread, n, header, parts) VALUES (?1, ?2, ?3, 1, ?4, ?5)";
    db.execute(insert, rusqlite::params![100_000, tenant, thread, b"forged".to_vec(), parts]).unwrap();
    drop(db);
    say_schema(&path, &bare, "SELECT 1");
    let db = Connection::open(&path).unwrap();
    db.execute(insert, rusqlite::params![rowid, tenant, thread, header, parts]).unwrap();
    drop(db);
    let auto = format!("INSERT INTO sqlite_schema VALUES ('index', 'sqlite_autoindex_hos_record_1', 'hos_record', {page}, NULL)");
    say_schema(&path, &table, &auto);
    // Who asks by the key is served what somebody forged.
    let db = Connection::open(&path).unwrap();
    let asked = "SELECT header FROM hos_record WHERE tenant = ?1 AND thread = ?2 AND n = 1";
    let served: Vec<u8> = db.query_row(asked, rusqlite::params![tenant, thread], |row| row.get(0)).unwrap();
    assert_eq!(served, b"forged");
    drop(db);
    let report = store.engine.verify_copy(&path).unwrap();
    let found =
        |(at, what): &&(String, String)| at == "table hos_record" && what.contains(&format!("row {rowid} missing from index"));
    assert!(report.findings.iter().any(|finding| found(&finding)), "{:#?}", report.findings);
    // And nothing in the file answers in SQLite's place that all is well.
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE VIRTUAL TABLE pragma_integrity_check USING fts5(integrity_check)").unwrap();
    drop(db);
    let report = store.engine.verify_copy(&path).unwrap();
    assert!(report.findings.iter().any(|finding| found(&finding)), "{:#?}", report.findings);
    assert!(places(&report).contains(&"table pragma_integrity_check of pragma_integrity_check"), "{:#?}", report.findings);

    // In the store's place it is found whoever looks: the connection that verifies, or one beside it on a thread of its own.
    let Store { engine, clock, path: own, dir: _dir, .. } = store;
    engine.close().unwrap();
    std::fs::rename(&path, &own).unwrap();
    let engine = Engine::builder().sqlite(&own).clock(clock).open().unwrap();
    let [alone, beside] = [1, 2].map(|threads| verified(&engine, &VerifyOptions { threads, ..VerifyOptions::default() }));
    assert!(alone.findings.iter().any(|finding| found(&finding)), "{:#?}", alone.findings);
    assert_eq!(alone.findings, beside.findings);
}

#[test]
fn a_key_that_the_vault_knows_under_another_name_is_found_and_no_erasure_passes_it_by() {
    if support::database::is_on() {
        return;
    }
    // The key of who has a row in the directory; the other one is the founder's.
    let store = with_vault(lived(), "UPDATE hos_vault SET subject = randomblob(32)");
    let before = verified(&store.engine, &VerifyOptions::default());
    assert_eq!(before.level, Level::Broken);
    let keys =
        before.findings.iter().filter(|(at, what)| at.starts_with("vault key ") && what.contains("an erasure would not find it"));
    assert_eq!(keys.count(), 2, "{:#?}", before.findings);
    let refused = store.engine.erase(&root(), &uid("A", "ann"), "request").unwrap_err();
    assert_eq!(refused.code, Code::StoreIntegrity, "{}", refused.message);
    assert!(refused.message.contains("nothing was erased"), "{}", refused.message);
    let after = verified(&store.engine, &VerifyOptions::default());
    assert_eq!(after.records, before.records, "no record of it was written");
}

#[test]
fn a_key_whose_person_has_no_row_is_told_by_the_facts_under_it() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings::default());
    // Whom only a call speaks of: there is no row.
    let zoe = hos_core::policy::Entity {
        uid: uid("A", "zoe"),
        attrs: hos_core::value::Record::new(),
        parents: [].into(),
        record: None,
    };
    let mut begin = hos_core::call::Begin::new(uid("A", "root"), "o", "9", "new").unwrap().fact("who", uid("A", "zoe"));
    begin.by.given.push(zoe);
    let answer = store.tenant("t1").begin(begin).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    store.engine.work().unwrap();
    assert_eq!(verified(&store.engine, &VerifyOptions::default()).level, Level::Intact);
    let newest = "UPDATE hos_vault SET subject = randomblob(32) WHERE n = (SELECT max(n) FROM hos_vault)";
    let report = verified(&with_vault(store, newest).engine, &VerifyOptions::default());
    assert!(report.findings.len() == 1 && places(&report)[0].starts_with("vault key "), "{:#?}", report.findings);
}

#[test]
fn a_vault_that_could_keep_what_is_destroyed_is_found_and_no_key_is_destroyed_in_it() {
    if support::database::is_on() {
        return;
    }
    let trigger = "CREATE TRIGGER quiet AFTER UPDATE ON hos_vault BEGIN UPDATE hos_vault SET created = created; END";
    let keeps = "CREATE TABLE hos_keep AS SELECT * FROM hos_vault;
       CREATE TRIGGER keeps AFTER UPDATE ON hos_vault BEGIN INSERT INTO hos_keep SELECT old.n, old.tenant, old.subject, old.key_id, old.key,
         old.created, old.destroyed; END";
    for (edit, at) in [
        (trigger, "vault, trigger quiet of hos_vault"),
        (keeps, "vault, table hos_keep of hos_keep"),
        ("CREATE VIEW peek AS SELECT key FROM hos_vault", "vault, view peek of peek"),
        ("DROP INDEX hos_vault_key_id", "vault, index hos_vault_key_id of hos_vault"),
    ] {
        let store = with_vault(lived(), edit);
        let before = verified(&store.engine, &VerifyOptions::default());
        assert!(places(&before).contains(&at), "{edit}: {:#?}", before.findings);
        let refused = store.engine.erase(&root(), &uid("A", "ann"), "request").unwrap_err();
        assert!(refused.code == Code::StoreIntegrity && refused.message.contains("the vault's file"), "{}", refused.message);
        let after = verified(&store.engine, &VerifyOptions::default());
        assert_eq!(after.records, before.records, "no record of it was written");
        let Store { engine, dir, .. } = store;
        engine.close().unwrap();
        let keys = Connection::open(dir.path().join("s.db.vault")).unwrap();
        let destroyed = keys.query_row("SELECT count(*) FROM hos_vault WHERE key IS NULL", [], |row| row.get::<_, i64>(0));
        assert_eq!(destroyed, Ok(0), "{edit}");
    }
}

#[test]
fn a_virtual_table_is_none_of_a_store_of_its_own() {
    if support::database::is_on() {
        return;
    }
    let store = lived();
    let path = copy(&store);
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE VIRTUAL TABLE words USING fts5(word)").unwrap();
    drop(db);
    let report = store.engine.verify_copy(&path).unwrap();
    assert_eq!(places(&report), ["table words of words"], "{:#?}", report.findings);
}

#[test]
fn a_row_from_which_nothing_can_go_on_is_the_stores_fault_and_not_the_engines() {
    if support::database::is_on() {
        return;
    }
    for edit in [
        "UPDATE hos_head SET sealed_at = -1 WHERE tenant = 't1'",
        "UPDATE hos_head SET sealed_at = 9223372036854775807 WHERE tenant = 't1'",
        "UPDATE hos_outbox SET pos = 9223372036854775807 WHERE tenant = 't1'",
    ] {
        let Store { engine, clock, path, dir: _dir, .. } = lived();
        engine.close().unwrap();
        let db = Connection::open(&path).unwrap();
        db.execute_batch(edit).unwrap();
        drop(db);
        let engine = Engine::builder().sqlite(&path).clock(clock).open().unwrap();
        let tenant = engine.tenant("t1").unwrap();
        let refused = tenant.begin(new_order("2")).and_then(|_| tenant.transition(go("2"))).unwrap_err();
        assert_eq!(refused.code, Code::StoreIntegrity, "{edit}: {}", refused.message);
    }
}

#[test]
fn rows_that_nothing_reads_are_found() {
    if support::database::is_on() {
        return;
    }
    let store = lived();
    let sound = copy(&store);
    for (edit, at) in [
        ("INSERT INTO hos_store VALUES ('t1', 'x', x'00')", "hos_store t1"),
        ("INSERT INTO hos_law SELECT 't1', hash, files FROM hos_law LIMIT 1", "hos_law t1"),
        (
            "INSERT INTO hos_activation SELECT 't1', 7, record, law, candidate, modes FROM hos_activation LIMIT 1",
            "hos_activation t1",
        ),
        ("INSERT INTO hos_epoch VALUES ('t1', 0, 0, '')", "hos_epoch t1 epoch 0"),
        ("INSERT INTO hos_epoch VALUES ('universe', 0, 0, '')", "hos_epoch universe epoch 0"),
        ("INSERT INTO hos_vault VALUES ('t1', x'00', zeroblob(16), zeroblob(32), 0, NULL)", "hos_vault t1"),
        ("INSERT INTO hos_vault VALUES ('universe', x'00', zeroblob(16), zeroblob(32), 0, NULL)", "hos_vault universe"),
    ] {
        let path = store.dir.path().join("forged.db");
        std::fs::copy(&sound, &path).unwrap();
        let db = Connection::open(&path).unwrap();
        db.execute_batch(edit).unwrap();
        drop(db);
        let report = store.engine.verify_copy(&path).unwrap();
        assert!(places(&report).contains(&at), "{edit}: {:#?}", report.findings);
        std::fs::remove_file(&path).unwrap();
    }
}

/// A checkpoint of no entries, which whoever has the store's key may sign for any history.
fn of_nothing(store: &Store) -> String {
    let text = std::fs::read_to_string(store.dir.path().join("s.db.key")).unwrap();
    let seed: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    let name = origin(&store.engine.store_id(), &Tenant::new("t1").unwrap(), 0);
    let said = Checkpoint { origin: name, size: 0, root: Frontier::default().root(), extensions: Vec::new() };
    said.sign(&SealKey::from_seed(seed.as_slice().try_into().unwrap())).unwrap()
}

#[test]
fn a_checkpoint_of_no_entries_anchors_nothing() {
    if support::database::is_on() {
        return;
    }
    let store = lived();
    let (nothing, kept) = (of_nothing(&store), store.tenant("t1").checkpoint().unwrap().unwrap());
    let level = |anchors: &[&str], since: &[&str]| {
        let all = |notes: &[&str]| notes.iter().map(|note| (*note).to_owned()).collect();
        let report =
            verified(&store.engine, &VerifyOptions { anchors: all(anchors), since: all(since), ..VerifyOptions::default() });
        let told = report.notices.iter().any(|notice| notice.contains("it vouches for nothing"));
        assert_eq!(told, anchors.iter().chain(since).any(|note| *note == nothing), "{:#?}", report.notices);
        (report.level, report.findings)
    };
    assert_eq!(level(&[&nothing], &[]), (Level::Intact, Vec::new()));
    assert_eq!(level(&[], &[&nothing]), (Level::Intact, Vec::new()));
    assert_eq!(level(&[&kept], &[]), (Level::Anchored, Vec::new()));
    assert_eq!(level(&[&nothing, &kept], &[]), (Level::Anchored, Vec::new()));
}

#[test]
fn of_a_log_without_entries_none_is_said_to_bear_no_checkpoint() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings::default());
    assert!(store.engine.open_tenant(&root(), &Tenant::new("idle").unwrap()).unwrap().allowed);
    store.engine.work().unwrap();
    let Store { engine, clock, path, dir, .. } = store;
    engine.close().unwrap();
    let engine = Engine::builder().sqlite(&path).clock(clock).reading().open().unwrap();
    let report = verified(&engine, &VerifyOptions::default());
    assert!(!report.notices.iter().any(|notice| notice.contains("`idle`")), "{:#?}", report.notices);
    drop((engine, dir));
}
