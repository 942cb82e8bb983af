//! The universe's log as the log of all tenants' checkpoints: what is recorded, asked, kept, exported and found again.

mod support;

use hos_core::audit::{Standing, Verdict, bundle};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::proof::checkpoint::{Checkpoint, Note, WitnessKey, cosignature};
use hos_core::proof::key::SealKey;
use hos_core::refusal::Code;
use hos_engine::keys::{read_seal_key, write_seal_key};
use hos_engine::signer::FileSigner;
use hos_engine::{Engine, ExportOptions, Level, Seal, Settings, VerifyOptions};
use rusqlite::Connection;
use std::sync::Arc;
use support::witness::{NAMES, Witnesses, policy};
use support::{Store, fresh, go, new_order, root, store};

/// A store with two tenants and an order in each.
fn two() -> Store {
    let store = store();
    assert!(store.engine.open_tenant(&root(), &Tenant::new("t2").unwrap()).unwrap().allowed);
    support::change(
        &store.tenant("t2"),
        hos_core::call::Change::Put { uid: support::uid("R", "staff"), attrs: hos_core::value::Record::new() },
    );
    assert!(store.tenant("t2").begin(new_order("9")).unwrap().allowed);
    store
}

fn size(store: &Store, tenant: &str) -> u64 {
    let note = store.tenant(tenant).checkpoint().unwrap().unwrap();
    Checkpoint::parse(Note::parse(note.as_bytes()).unwrap().text()).unwrap().size
}

fn intact(store: &Store) -> hos_engine::VerifyReport {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    report
}

/// Exports an order and verifies it by its tenant's policy.
fn exported(store: &Store, witnesses: &Witnesses, tenant: &str, id: &str) -> Verdict {
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new(id).unwrap());
    let options = ExportOptions::default();
    let done = witnesses.with(|by| store.tenant(tenant).export_cosigned(&contract, &id, &options, by)).unwrap();
    let trust = hos_core::proof::trust::Trust::parse(policy(store, tenant).as_bytes()).unwrap();
    bundle(&done.bytes, &trust, &[])
}

#[track_caller]
fn anchored(verdict: &Verdict, by: &[&str]) {
    assert_eq!(
        (&verdict.standing, verdict.witnesses.as_slice()),
        (&Standing::Anchored, &by.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()[..])
    );
    assert!(verdict.complete.is_some());
}

#[test]
fn one_question_is_asked_for_all_tenants() {
    let store = two();
    let witnesses = Witnesses::of(&store, "t1");
    let first = witnesses.whole(&store);
    assert_eq!((first.tenant.as_str(), first.recorded), ("universe", 2));
    assert_eq!(witnesses.asked.borrow().len(), 1, "the witnesses saw the universe's checkpoint alone");
    let report = intact(&store);
    let kept: Vec<_> = report.cosigned.iter().map(|one| (one.tenant.as_str(), one.size, one.witnesses.len())).collect();
    assert_eq!(kept, [("universe", first.size, 3)]);
    // Nothing moved: nothing is recorded, and nobody's checkpoint is another.
    let again = witnesses.whole(&store);
    assert_eq!((again.recorded, &again.note), (0, &first.note));
    // One tenant moved.
    assert!(store.tenant("t1").transition(go("2")).unwrap().allowed);
    assert_eq!((witnesses.whole(&store).recorded, size(&store, "universe")), (1, first.size + 1));
    intact(&store);
}

#[test]
fn a_crash_between_record_and_question_leaves_nothing_to_write_twice() {
    for seal in [Seal::Inline, Seal::Worker] {
        let store = fresh(Settings { seal, ..Settings::default() });
        assert!(store.tenant("t1").begin(new_order("1")).unwrap().allowed);
        store.engine.work().unwrap();
        assert_eq!(store.engine.record_roots().unwrap(), 1);
        store.engine.work().unwrap();
        let before = size(&store, "universe");
        let witnesses = Witnesses::of(&store, "t1");
        let asked = witnesses.whole(&store);
        assert_eq!((asked.recorded, asked.size), (0, before), "{seal:?}");
        intact(&store);
    }
}

#[test]
fn an_export_stands_under_the_universes_witnesses_and_uses_what_is_kept() {
    let store = two();
    let witnesses = Witnesses::of(&store, "t1");
    anchored(&exported(&store, &witnesses, "t1", "1"), &NAMES);
    let asked = witnesses.asked.borrow().len();
    assert!(witnesses.asked.borrow().iter().all(|(origin, _)| origin.contains("/universe/")));
    // Another order under the same checkpoints: nobody is asked, and nobody is there.
    witnesses.there.borrow_mut().clear();
    anchored(&exported(&store, &witnesses, "t1", "2"), &NAMES);
    assert_eq!(witnesses.asked.borrow().len(), asked);
    // The other tenant moves the universe, so it asks; one witness is down.
    *witnesses.there.borrow_mut() = vec![0, 2];
    let other = Witnesses { trust: hos_core::proof::trust::Trust::parse(policy(&store, "t2").as_bytes()).unwrap(), ..witnesses };
    anchored(&exported(&store, &other, "t2", "9"), &["w0", "w2"]);
    // The record of the other tenant is none of this reader's business.
    intact(&store);
}

#[test]
fn without_a_quorum_nothing_is_exported_and_what_was_signed_is_kept() {
    let store = two();
    let witnesses = Witnesses::of(&store, "t1");
    *witnesses.there.borrow_mut() = vec![1];
    let (contract, id) = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    let failed =
        witnesses.with(|by| store.tenant("t1").export_cosigned(&contract, &id, &ExportOptions::default(), by)).unwrap_err();
    assert_eq!(failed.code, Code::SignerFailed);
    // The tenant's own checkpoint was asked for as well.
    assert!(witnesses.asked.borrow().iter().any(|(origin, _)| origin.contains("/t1/")));
    // Another witness comes: the line of the first is not lost, of whichever log it is.
    *witnesses.there.borrow_mut() = vec![2];
    anchored(&exported(&store, &witnesses, "t1", "1"), &["w1", "w2"]);
}

#[test]
fn the_newest_and_the_newest_that_met_the_quorum_are_kept() {
    let store = two();
    let witnesses = Witnesses::of(&store, "t1");
    let sizes = || -> Vec<u64> { intact(&store).cosigned.iter().map(|one| one.size).collect() };
    let moved = |id: &str| {
        assert!(store.tenant("t1").begin(new_order(id)).unwrap().allowed);
        witnesses.whole(&store).size
    };
    let met = moved("10");
    *witnesses.there.borrow_mut() = vec![1];
    let mut last = moved("11");
    assert_eq!(sizes(), [met, last]);
    last = moved("12");
    assert_eq!(sizes(), [met, last]);
    witnesses.there.borrow_mut().clear();
    moved("13");
    assert_eq!(sizes(), [met, last], "what nobody cosigned is not kept");
    *witnesses.there.borrow_mut() = vec![0, 1];
    last = moved("14");
    assert_eq!(sizes(), [last]);
}

#[test]
fn what_is_kept_survives_a_backup_and_a_start() {
    if support::database::is_on() {
        return;
    }
    let store = two();
    let witnesses = Witnesses::of(&store, "t1");
    let first = witnesses.whole(&store);
    let copy = store.dir.path().join("copy.db");
    assert_eq!(store.engine.backup(&copy, None).unwrap().cosigned.len(), 1);
    let builder = store.builder();
    drop(store.engine.close());
    let engine: Engine = builder.open().unwrap();
    let kept = engine.cosigned_notes().unwrap();
    assert_eq!((kept.len(), &kept[0].note, kept[0].size), (1, &first.note, first.size));
}

#[test]
fn a_cosignature_counts_by_the_key_and_not_by_the_name() {
    if support::database::is_on() {
        return;
    }
    let store = two();
    let witnesses = Witnesses::of(&store, "t1");
    witnesses.whole(&store);
    let verified = |engine: &Engine, trust| {
        let report = engine.verify(&VerifyOptions { trust, ..VerifyOptions::default() }).unwrap();
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        let told = report.notices.iter().any(|notice| notice.contains("store's own word"));
        let by: Vec<String> = report.cosigned.into_iter().flat_map(|one| one.witnesses).collect();
        assert_eq!(told, trust.is_none() && !by.is_empty(), "{:#?}", report.notices);
        by
    };
    let real = verified(&store.engine, Some(&witnesses.trust));
    assert_eq!((real.len(), &real), (3, &verified(&store.engine, None)));
    // Who writes into the store signs under the first one's name, by a key of their own.
    let builder = store.builder();
    store.engine.close().unwrap();
    let db = Connection::open(&store.path).unwrap();
    let note: String = db.query_row("SELECT note FROM hos_cosigned", [], |row| row.get(0)).unwrap();
    let (text, signed) = note.split_once("\n\n").unwrap();
    let (text, log) = (format!("{text}\n"), signed.split_inclusive('\n').next().unwrap());
    let key = SealKey::from_seed(&[9; 32]);
    let line = cosignature("witness.example/0", &key, 1, &text).unwrap();
    let named = WitnessKey::new("witness.example/0", key.verify_key()).unwrap().to_string();
    let row = [format!("{text}\n{log}{line}"), format!("{named}\n")];
    assert_eq!(db.execute("UPDATE hos_cosigned SET note = ?1, witnesses = ?2", row).unwrap(), 1);
    drop(db);
    let engine = builder.open().unwrap();
    assert_eq!(verified(&engine, None), std::slice::from_ref(&named));
    assert!(!real.contains(&named));
    assert_eq!(verified(&engine, Some(&witnesses.trust)), Vec::<String>::new());
}

#[test]
fn a_store_from_before_opens_and_goes_on() {
    if support::database::is_on() {
        return;
    }
    let store = two();
    let (path, builder) = (store.path.clone(), store.builder());
    drop(store.engine.close());
    // As the store was before it had these tables, and those of later steps of its schema.
    let db = Connection::open(&path).unwrap();
    let later = "ALTER TABLE hos_tenant DROP COLUMN directory_mark; DROP INDEX hos_queue_thread; DELETE FROM hos_migration WHERE name = 'marks';
        DROP TABLE hos_inbox; DROP TABLE hos_change; DROP TABLE hos_vault; DELETE FROM hos_migration WHERE name = 'joined';";
    let these = "DROP TABLE hos_root; DROP TABLE hos_cosigned; DELETE FROM hos_migration WHERE name = 'witnesses';";
    db.execute_batch(&format!("{later}{these}")).unwrap();
    drop(db);
    let engine = builder.open().unwrap();
    let store = Store { engine, ..store };
    intact(&store);
    let witnesses = Witnesses::of(&store, "t1");
    assert_eq!(witnesses.whole(&store).recorded, 2);
    assert_eq!(intact(&store).cosigned.len(), 1);
}

#[test]
fn rows_that_say_another_root_or_another_cosigner_are_found() {
    if support::database::is_on() {
        return;
    }
    let store = two();
    let witnesses = Witnesses::of(&store, "t1");
    witnesses.whole(&store);
    let copy = store.dir.path().join("copy.db");
    store.engine.backup(&copy, None).unwrap();
    let edits = [
        ("hos_root t1", "UPDATE hos_root SET size = size + 1 WHERE tenant = 't1'"),
        ("hos_root t2", "DELETE FROM hos_root WHERE tenant = 't2'"),
        ("hos_root universe", "INSERT INTO hos_root VALUES ('universe', 1, 1)"),
        ("hos_cosigned universe", "UPDATE hos_cosigned SET witnesses = replace(witnesses, 'example/1', 'example/4')"),
        // A line is gone with its key, or without it; a key without a line.
        ("hos_cosigned universe", "UPDATE hos_cosigned SET witnesses = substr(witnesses, 1, instr(witnesses, x'0a'))"),
        ("hos_cosigned universe", "UPDATE hos_cosigned SET note = substr(note, 1, length(note) - 40)"),
        ("tenant t1", "INSERT INTO hos_cosigned SELECT 't1', size, note, witnesses FROM hos_cosigned"),
        ("hos_stream universe", "UPDATE hos_stream SET n = n - 1 WHERE name = 'hos.checkpoints'"),
        (
            "tenant universe",
            "UPDATE hos_record SET parts = CAST(substr(parts, 1, length(parts) - 1) || x'00' AS BLOB)
             WHERE tenant = 'universe' AND thread = (SELECT handle FROM hos_stream WHERE name = 'hos.checkpoints')",
        ),
    ];
    for (at, sql) in edits {
        let broken = store.dir.path().join("broken.db");
        std::fs::copy(&copy, &broken).unwrap();
        let db = Connection::open(&broken).unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
        drop(db);
        let found = store.engine.verify_copy(&broken).unwrap().findings;
        assert!(found.iter().any(|(place, what)| place.starts_with(at) || what.starts_with(at)), "{sql}: {found:#?}");
        std::fs::remove_file(&broken).unwrap();
    }
}

#[test]
fn records_and_cosignatures_hold_across_a_change_of_key() {
    let store = two();
    Witnesses::of(&store, "t1").whole(&store);
    let path = store.dir.path().join("key9");
    write_seal_key(&path, &[9; 32]).unwrap();
    store.engine.rotate_key(Arc::new(FileSigner::new(read_seal_key(&path).unwrap()))).unwrap();
    assert_eq!(intact(&store).cosigned.len(), 1, "what the old key signed stays what it was");
    assert!(store.tenant("t1").transition(go("2")).unwrap().allowed);
    let witnesses = Witnesses::of(&store, "t1");
    anchored(&exported(&store, &witnesses, "t1", "1"), &NAMES);
    intact(&store);
}

#[test]
fn a_store_that_was_put_back_goes_on_in_a_new_epoch() {
    if support::database::is_on() {
        return;
    }
    let store = two();
    Witnesses::of(&store, "t1").whole(&store);
    let copy = store.dir.path().join("copy.db");
    store.engine.backup(&copy, None).unwrap();
    assert!(store.tenant("t1").transition(go("2")).unwrap().allowed);
    Witnesses::of(&store, "t1").whole(&store);
    let lost = ["t1", "universe"].map(|name| store.tenant(name).checkpoint().unwrap().unwrap());
    let (path, builder) = (store.path.clone(), store.builder());
    drop(store.engine.close());
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    std::fs::copy(&copy, &path).unwrap();
    assert_eq!(builder.open().unwrap().new_epoch("the disk died", &lost).unwrap(), 1);
    let builder = Engine::builder().sqlite(&path).clock(store.clock.clone());
    let store = Store { engine: builder.open().unwrap(), ..store };
    assert_eq!(intact(&store).cosigned.len(), 1, "what is there of before still holds");
    let witnesses = Witnesses::of(&store, "t1");
    assert_eq!(witnesses.whole(&store).recorded, 2);
    anchored(&exported(&store, &witnesses, "t1", "1"), &NAMES);
    intact(&store);
}
