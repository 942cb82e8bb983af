//! A person erased: what is gone, what is refused from then on, what the evidence says of it, and who may stand in the way.

mod support;

use hos_core::call::{Begin, Call, Change, Directory, Note};
use hos_core::id::{InstanceId, KeyId, Name, Tenant};
use hos_core::proof::bundle::Bundle;
use hos_core::proof::erasure::LastVerdict;
use hos_core::proof::key::SealKey;
use hos_core::proof::record::Kind;
use hos_core::proof::trust::Trust;
use hos_core::refusal::Code;
use hos_core::value::Record;
use hos_engine::{Erasure, ExportOptions, Level, Seal, Settings, VerifyOptions};
use rusqlite::Connection;
use std::path::Path;
use support::host::{host, joined};
use support::{Store, change, files, fresh, fresh_under, go, new_order, root, store, uid};

fn order(id: &str) -> (Name, InstanceId) {
    (Name::new("o").unwrap(), InstanceId::new(id).unwrap())
}

/// A person that comes with the call.
fn known(id: &str) -> hos_core::policy::Entity {
    hos_core::policy::Entity { uid: uid("A", id), attrs: Record::new(), parents: [].into(), record: None }
}

/// All findings of a store that verifies, which are none.
#[track_caller]
fn intact(store: &Store) -> hos_engine::VerifyReport {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    report
}

/// Everybody's orders closed, so that nothing stands in the way of erasing `ann`.
fn closed(settings: Settings) -> Store {
    let store = fresh(settings);
    let tenant = store.tenant("t1");
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") });
    for id in ["1", "2"] {
        assert!(tenant.begin(new_order(id).once(&format!("k{id}")).unwrap()).unwrap().allowed);
        assert!(tenant.transition(go(id)).unwrap().allowed);
    }
    store
}

#[test]
fn every_thread_of_the_person_ends_with_a_record_of_its_own() {
    let store = store();
    let tenant = store.tenant("t1");
    assert!(tenant.transition(go("2")).unwrap().allowed);
    let before = tenant.instance(&order("1").0, &order("1").1).unwrap().unwrap();
    let done = store
        .engine
        .erase_with(&root(), &uid("A", "ann"), &Erasure { ground: "request 12", article: "KVKK m.7", attest: None })
        .unwrap();
    assert!(done.answer.allowed, "{:?}", done.answer.blockers);
    assert_eq!(done.notices, Vec::<String>::new());
    let record = done.record.unwrap();
    assert_eq!((record.ground.as_str(), record.article.as_str()), ("request 12", "KVKK m.7"));
    assert_eq!((record.verdict, record.attestation), (LastVerdict::Intact, None));
    let said: Vec<(String, Kind, u64)> = record.lost.iter().map(|l| (l.tenant.to_string(), l.kind, l.count)).collect();
    let t1 = || "t1".to_owned();
    let wanted = [
        (t1(), Kind::Begun, 2),
        (t1(), Kind::Moved, 2),
        (t1(), Kind::Refused, 1),
        (t1(), Kind::Directory, 2),
        ("universe".to_owned(), Kind::Directory, 1),
    ];
    assert_eq!(said, wanted);
    intact(&store);
    for id in ["1", "2"] {
        let (contract, id) = order(id);
        let history = tenant.history(&contract, &id, 0, 10).unwrap();
        let last = history.last().unwrap();
        assert_eq!((last.header.kind, last.header.n), (Kind::Erased, Some(2)));
        assert_eq!((&last.header.from, &last.header.to), (&Name::new("b").ok(), &Name::new("b").ok()), "the state stays");
        assert_eq!(last.receipt.tenant.as_str(), "t1");
        assert!(last.parts.iter().any(|(name, _)| name == "principal"), "by whom");
        assert!(tenant.is_erased(&contract, &id).unwrap());
        assert_eq!(tenant.instance(&contract, &id).unwrap(), None);
    }
    assert!(before.version == 2 && !tenant.is_erased(&order("9").0, &order("9").1).unwrap());
    // The rows that named her are gone, in every tenant, and so is what counted her refusals.
    let (entities, links) = tenant.directory_entities().unwrap();
    assert!(entities.iter().all(|e| e.uid != uid("A", "ann")) && links.is_empty());
}

/// How many rows count the refusals of somebody.
fn counted(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM hos_refusal";
    if store.database.is_some() {
        return host(store, &joined(store)).number(sql);
    }
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    store.engine.backup(&copy, None).unwrap();
    Connection::open(&copy).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn under_an_erased_id_nothing_happens_any_more() {
    let store = closed(Settings::default());
    let tenant = store.tenant("t1");
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    let records = || intact(&store).records;
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    let other = Begin::new(uid("A", "root"), "o", "1", "new").unwrap().fact("who", uid("A", "bob"));
    assert_eq!(tenant.begin(other.clone()).unwrap().code(), Some("hos.instance_erased"));
    // Her once-keys are forgotten: a retry of her call is a new call, and refused as such.
    assert_eq!(tenant.begin(other.once("k1").unwrap()).unwrap().code(), Some("hos.instance_erased"));
    assert_eq!(tenant.transition(go("1")).unwrap().code(), Some("hos.instance_erased"));
    assert_eq!(tenant.available(&order("1").0, &order("1").1, &root()).unwrap_err().code, Code::InstanceErased);
    assert_eq!(tenant.transition(go("nobody")).unwrap().code(), Some("hos.instance_unknown"));
    // Not even a refusal is written about her.
    assert_eq!(tenant.begin(new_order("3")).unwrap().code(), Some("hos.subject_erased"));
    let mut given = new_order("3");
    given.by.given.push(known("ann"));
    assert_eq!(tenant.begin(given).unwrap().code(), Some("hos.subject_erased"));
    let put = Directory::new(uid("A", "root"), Change::Put { uid: uid("A", "ann"), attrs: Record::new() });
    assert_eq!(store.tenant("universe").directory(put).unwrap().code(), Some("hos.subject_erased"));
    assert_eq!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().code(), Some("hos.subject_erased"));
    // Nor does who asks as her leave so much as a count.
    let before = counted(&store);
    for _ in 0..2 {
        let put = Directory::new(uid("A", "ann"), Change::Put { uid: uid("R", "x"), attrs: Record::new() });
        assert_eq!(tenant.directory(put).unwrap().code(), Some("hos.subject_erased"));
    }
    assert_eq!(counted(&store), before);
    // Only who may erase is told who was.
    for (who, told) in [("root", "hos.subject_erased"), ("bob", "hos.not_permitted")] {
        let mut by = hos_core::call::By::new(uid("A", who));
        by.given.push(known("ann"));
        assert_eq!(store.engine.erase(&by, &uid("A", "ann"), "x").unwrap().code(), Some(told), "{who}");
    }
    assert!(records() > 0);
}

#[test]
fn what_shares_the_erasure_s_commit_is_refused_as_well() {
    for seal in [Seal::Inline, Seal::Worker] {
        let store = closed(Settings { seal, ..Settings::default() });
        let engine = &store.engine;
        // Many callers at once: some of them share the commit.
        let results: Vec<_> = std::thread::scope(|scope| {
            let erase = scope.spawn(|| engine.erase(&root(), &uid("A", "ann"), "x").unwrap());
            let begins: Vec<_> = (0..16)
                .map(|i| scope.spawn(move || engine.tenant("t1").unwrap().begin(new_order(&format!("n{i}"))).unwrap()))
                .collect();
            let erased = erase.join().unwrap();
            begins.into_iter().map(|b| b.join().unwrap()).map(|b| (erased.clone(), b)).collect()
        });
        for (erased, begun) in &results {
            assert!(!begun.allowed || erased.code() == Some("hos.subject_in_use"), "{erased:?} {begun:?}");
        }
        store.engine.work().unwrap();
        intact(&store);
    }
}

#[test]
fn an_erased_order_s_bundle_is_complete_and_verifies() {
    let store = closed(Settings::default());
    let tenant = store.tenant("t1");
    let (contract, id) = order("1");
    let before = tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    let exported = tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    let trust = Trust::parse(exported.trust.as_bytes()).unwrap();
    let verdict = hos_core::audit::bundle(&exported.bytes, &trust, &[]);
    assert_eq!(code_of(&verdict), None, "{verdict:?}");
    assert!(verdict.complete.is_some() && exported.records == 3 && exported.parts.2 > 0);

    // A pattern of what is erased hides nothing any more and is right all the same; one that is of nothing is refused.
    let hiding = |pattern: &str| {
        tenant.export(&contract, &id, &ExportOptions { hide: vec![pattern.to_owned()], ..ExportOptions::default() })
    };
    assert_eq!(hiding("who.facts").unwrap().parts.2, exported.parts.2);
    let refused = hiding("whom.facts").unwrap_err();
    assert!(refused.code == Code::CallMalformed && refused.message.contains("`who.facts`"), "{refused}");

    // The tail cut: the map says that the thread ends later, and with a tombstone.
    let code = |bundle: &Bundle| {
        let verdict = hos_core::audit::bundle(&bundle.encode().unwrap(), &trust, &[]);
        code_of(&verdict)
    };
    let whole = Bundle::decode(&exported.bytes).unwrap();
    assert_eq!(code(&whole), None);
    let mut cut = whole.clone();
    cut.records.pop();
    assert_eq!(code(&cut).as_deref(), Some("heads.end"));
    let mut alive = whole.clone();
    alive.heads.as_mut().unwrap().kind = hos_core::proof::heads::HeadKind::Live;
    assert_eq!(code(&alive).as_deref(), Some("heads.root"));

    // An erased part offered again: the right bytes with their salt are what the header commits to; no others are.
    let old = Bundle::decode(&before.bytes).unwrap();
    let mut again = whole.clone();
    let facts = old.records[0].opened.iter().find(|p| p.slot == hos_core::proof::record::Slot::Facts).unwrap().clone();
    again.records[0].withheld.retain(|w| (w.slot, w.index) != (facts.slot, facts.index));
    again.records[0].opened.push(facts.clone());
    again.records[0].opened.sort_by_key(|p| (p.slot, p.index));
    assert_eq!(code(&again), None, "whoever kept it can still show it");
    for change in [0, 1] {
        let mut forged = again.clone();
        let part = forged.records[0].opened.iter_mut().find(|p| p.slot == facts.slot).unwrap();
        if change == 0 {
            *part.plaintext.last_mut().unwrap() ^= 1;
        } else {
            part.salt[0] ^= 1;
        }
        assert_eq!(code(&forged).as_deref(), Some("part.mismatch"));
    }
}

#[test]
fn a_hold_stands_in_the_way_until_each_is_released() {
    let store = closed(Settings::default());
    let (engine, ann) = (&store.engine, uid("A", "ann"));
    assert_eq!(engine.release(&root(), &ann, "no case").unwrap().code(), Some("hos.subject_not_held"));
    let by_ann = hos_core::call::By::new(ann.clone());
    assert_eq!(engine.hold(&by_ann, &ann, "mine").unwrap().code(), Some("hos.not_permitted"));
    for case in ["case 7", "case 8"] {
        assert!(engine.hold(&root(), &ann, case).unwrap().allowed);
    }
    let refused = || engine.erase(&root(), &ann, "x").unwrap();
    assert_eq!(refused().code(), Some("hos.subject_held"));
    assert!(refused().blockers[0].detail.contains("2 hold(s)") && !refused().blockers[0].detail.contains("case"));
    assert!(engine.release(&root(), &ann, "case 7 closed").unwrap().allowed);
    assert_eq!(refused().code(), Some("hos.subject_held"));
    assert_eq!(engine.release(&by_ann, &ann, "mine").unwrap().code(), Some("hos.not_permitted"));
    // Somebody else's hold is not hers.
    assert!(engine.hold(&root(), &uid("A", "root"), "case 9").unwrap().allowed);
    assert!(engine.release(&root(), &ann, "case 8 closed").unwrap().allowed);
    assert!(refused().allowed);
    assert_eq!(engine.hold(&root(), &ann, "too late").unwrap().code(), Some("hos.subject_erased"));
    // The holds are erased with her; what they said is told nowhere.
    intact(&store);
    assert!(engine.release(&root(), &uid("A", "root"), "case 9 closed").unwrap().allowed);
}

#[test]
fn streams_of_the_engine_are_closed_to_free_records() {
    let store = closed(Settings::default());
    for stream in ["hos.erased", "hos.holds", "hos.law", "hos"] {
        let note = store.tenant("universe").record(Note::new(uid("A", "root"), stream, b"x".to_vec()).unwrap()).unwrap();
        assert_eq!(note.code(), Some("hos.id_invalid"), "{stream}");
    }
    let near = Note::new(uid("A", "root"), "hosts.x", b"x".to_vec()).unwrap();
    assert!(store.tenant("universe").record(near).unwrap().allowed);
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    intact(&store);
}

/// A copy of every file of a store, as a backup of the machine would make it.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_restored_store_does_not_bring_the_person_back() {
    if support::database::is_on() {
        return;
    }
    let store = closed(Settings::default());
    let tenant = store.tenant("t1");
    // Alive in the backup, closed afterwards: the copy is older than the close and the erasure.
    assert!(tenant.begin(new_order("live")).unwrap().allowed);
    let backup = store.dir.path().join("old.db");
    store.engine.backup(&backup, None).unwrap();
    assert!(tenant.transition(go("live")).unwrap().allowed);
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    drop(tenant);
    let Store { engine, clock, path, dir, .. } = store;
    engine.close().unwrap();
    // The backup beside the present vault and key.
    let restored = dir.path().join("restored");
    std::fs::create_dir_all(&restored).unwrap();
    let at = restored.join("s.db");
    std::fs::copy(&backup, &at).unwrap();
    for ending in ["vault", "key"] {
        std::fs::copy(format!("{}.{ending}", path.display()), format!("{}.{ending}", at.display())).unwrap();
    }
    let engine = hos_engine::Engine::builder().sqlite(&at).clock(clock.clone()).open().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert!(report.erased_parts > 0 && report.notices.iter().any(|n| n.contains("were erased")), "{:?}", report.notices);
    let tenant = engine.tenant("t1").unwrap();
    for id in ["1", "2", "live"] {
        let (contract, id) = order(id);
        assert_eq!(tenant.instance(&contract, &id).unwrap(), None);
        let history = tenant.history(&contract, &id, 0, 10).unwrap();
        assert_eq!(history.last().unwrap().header.kind, Kind::Erased, "the erasure is carried out again");
        assert!(history[0].erased.iter().any(|part| part == "facts"));
    }
    assert_eq!(tenant.transition(go("live")).unwrap().code(), Some("hos.instance_erased"));
    assert_eq!(tenant.tick(10).unwrap(), 0);
    let (entities, _) = tenant.directory_entities().unwrap();
    assert!(entities.iter().all(|e| e.uid != uid("A", "ann")));
    // It is carried out once.
    let records = engine.verify(&VerifyOptions::default()).unwrap().records;
    drop(tenant);
    engine.close().unwrap();
    let engine = hos_engine::Engine::builder().sqlite(&at).clock(clock).open().unwrap();
    assert_eq!(engine.verify(&VerifyOptions::default()).unwrap().records, records);
    let found = files(&restored, &directory_row("t1"));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_vault_older_than_the_erasure_is_set_right_at_the_start() {
    if support::database::is_on() {
        return;
    }
    let store = closed(Settings::default());
    let old = store.dir.path().join("then");
    store.engine.work().unwrap();
    let Store { engine, clock, path, dir, .. } = store;
    engine.close().unwrap();
    copied(dir.path(), &old);
    let engine = hos_engine::Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
    assert!(engine.erase(&root(), &uid("A", "ann"), "x").unwrap().allowed);
    engine.close().unwrap();
    let (now, then) = (format!("{}.vault", path.display()), old.join("s.db.vault"));
    std::fs::remove_file(&now).unwrap();
    std::fs::copy(&then, &now).unwrap();
    let secrets: i64 = Connection::open(&now).unwrap().query_row("SELECT count(key) FROM hos_vault", [], |r| r.get(0)).unwrap();
    // Until then it is told, and no fault.
    let engine = hos_engine::Engine::builder().sqlite(&path).clock(clock.clone()).reading().open().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert!(report.notices.iter().any(|n| n.contains("the next start that may write destroys it")), "{:#?}", report.notices);
    engine.close().unwrap();
    let engine = hos_engine::Engine::builder().sqlite(&path).clock(clock).open().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(engine.tenant("t1").unwrap().instance(&order("1").0, &order("1").1).unwrap(), None);
    engine.close().unwrap();
    let left: i64 = Connection::open(&now).unwrap().query_row("SELECT count(key) FROM hos_vault", [], |r| r.get(0)).unwrap();
    assert_eq!(left, secrets - 1);
}

/// What a directory row of `ann` begins with in a file.
fn directory_row(tenant: &str) -> Vec<u8> {
    format!("{tenant}N::Aann").into_bytes()
}

#[test]
fn no_file_holds_what_was_the_person_s() {
    if support::database::is_on() {
        return;
    }
    // Ids name persons in this law, and so do once-keys.
    let store = fresh_under(Settings::default(), |path, text| match path {
        "contracts/o.toml" => text.replace("version=1\n", "version=1\npersonal_ids=true\n"),
        _ => text,
    });
    let tenant = store.tenant("t1");
    let canary = "canary-of-a-person-4711";
    let person = uid("A", canary);
    change(&store.tenant("universe"), Change::Put { uid: person.clone(), attrs: Record::new() });
    change(&tenant, Change::Join { uid: person.clone(), parent: uid("R", "staff") });
    let (to, on) = (Some(person.clone()), Some(uid("R", "staff")));
    change(&tenant, Change::Grant { id: "g".into(), template: "t".into(), principal: to, resource: on });
    let born = Begin::new(uid("A", "root"), "o", canary, "new").unwrap().fact("who", person.clone());
    assert!(tenant.begin(born.clone().once(&format!("once-{canary}")).unwrap()).unwrap().allowed);
    assert!(tenant.transition(go(canary)).unwrap().allowed);
    // Enough of others that pages split and move.
    for i in 0..400 {
        let other = uid("A", &format!("other-{i}"));
        change(&store.tenant("universe"), Change::Put { uid: other.clone(), attrs: Record::new() });
        if i % 4 == 0 {
            change(&tenant, Change::Join { uid: other, parent: uid("R", "staff") });
        }
    }
    let secret = {
        let copy = store.dir.path().join("keys");
        let vault = format!("{}.vault", store.path.display());
        let copied = std::process::Command::new("sh").arg("-c").arg("mkdir $1; cp $0* $1").arg(vault).arg(&copy).status();
        assert!(copied.unwrap().success());
        let vault = Connection::open(copy.join("s.db.vault")).unwrap();
        let mut keys = vault.prepare("SELECT key FROM hos_vault WHERE key IS NOT NULL ORDER BY n").unwrap();
        let keys: Vec<Vec<u8>> = keys.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        keys[2].clone()
    };
    assert!(!files(store.dir.path(), canary.as_bytes()).is_empty(), "the search finds what is in the clear");
    assert!(!files(store.dir.path(), &secret).is_empty(), "and keys");
    assert!(tenant.transition(go(canary)).unwrap().code() == Some("hos.terminal"));
    let done = store.engine.erase_with(&root(), &person, &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert!(done.answer.allowed, "{:?}", done.answer.blockers);
    assert_eq!(done.notices, Vec::<String>::new());
    assert_eq!(files(store.dir.path(), canary.as_bytes()), Vec::<String>::new());
    assert_eq!(files(store.dir.path(), &secret), Vec::<String>::new());
    let backup = store.dir.path().join("after.db");
    store.engine.backup(&backup, None).unwrap();
    assert_eq!(files(store.dir.path(), canary.as_bytes()), Vec::<String>::new());
    intact(&store);
    // The id is not given again, though no row holds it.
    let (contract, id) = order(canary);
    assert!(tenant.is_erased(&contract, &id).unwrap());
    let bob = Begin::new(uid("A", "root"), "o", canary, "new").unwrap().fact("who", uid("A", "other-1"));
    assert_eq!(tenant.begin(bob).unwrap().code(), Some("hos.instance_erased"));
    assert_eq!(tenant.history(&contract, &id, 0, 10).unwrap().last().unwrap().header.kind, Kind::Erased);
    let exported = tenant.export(&contract, &id, &ExportOptions::default()).unwrap();
    let trust = Trust::parse(exported.trust.as_bytes()).unwrap();
    let verdict = hos_core::audit::bundle(&exported.bytes, &trust, &[]);
    assert!(code_of(&verdict).is_none() && verdict.complete.is_some(), "{verdict:?}");
    assert!(!exported.bytes.windows(canary.len()).any(|w| w == canary.as_bytes()));
}

#[test]
fn a_second_key_attests_what_was_there() {
    if support::database::is_on() {
        return;
    }
    let store = closed(Settings::default());
    let witness = SealKey::from_seed(&[42; 32]);
    let what = Erasure { ground: "x", article: "", attest: Some(&witness) };
    let done = store.engine.erase_with(&root(), &uid("A", "ann"), &what).unwrap();
    assert!(done.answer.allowed, "{:?}", done.answer.blockers);
    let record = done.record.unwrap();
    let attestation = record.attestation.unwrap();
    assert_eq!(attestation.key, *witness.verify_key().as_bytes());
    assert_eq!(attestation.verify(&store.engine.store_id(), &record.key), Ok(()));
    assert_eq!(attestation.count, record.lost.iter().map(|l| l.count).sum::<u64>());
    assert_eq!(attestation.logs.iter().map(|l| l.tenant.as_str()).collect::<Vec<_>>(), ["t1", "universe"]);
    let report = intact(&store);
    assert!(report.notices.iter().any(|n| n.contains("attested by key")), "{:?}", report.notices);
    // A part's key named otherwise afterwards: what was lost is another, and what was attested too.
    let copy = store.dir.path().join("copy.db");
    store.engine.backup(&copy, None).unwrap();
    let db = Connection::open(&copy).unwrap();
    let sql = "SELECT r.rowid, r.parts FROM hos_record r WHERE tenant = 't1' ORDER BY rowid";
    let rows: Vec<(i64, Vec<u8>)> = {
        let mut all = db.prepare(sql).unwrap();
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let holds = |parts: &[u8], key: &KeyId| parts.windows(16).position(|w| w == key.0);
    let (row, parts) = rows.iter().find(|(_, parts)| holds(parts, &record.key).is_some()).unwrap();
    let other: Vec<u8> = Connection::open(format!("{}.vault", store.path.display()))
        .unwrap()
        .query_row("SELECT key_id FROM hos_vault WHERE key_id <> ?1 LIMIT 1", [record.key.0.to_vec()], |row| row.get(0))
        .unwrap();
    let mut moved = parts.clone();
    let place = holds(&moved, &record.key).unwrap();
    moved[place..place + 16].copy_from_slice(&other);
    db.execute("UPDATE hos_record SET parts = ?1 WHERE rowid = ?2", rusqlite::params![moved, row]).unwrap();
    drop(db);
    let findings = store.engine.verify_copy(&copy).unwrap().findings;
    assert!(findings.iter().any(|(at, what)| at.contains("erasure of key") && what.contains("was lost")), "{findings:#?}");
    assert!(findings.iter().any(|(_, what)| what.contains("attestation is of other records")), "{findings:#?}");
}

#[test]
fn nothing_is_attested_that_does_not_hold() {
    if support::database::is_on() {
        return;
    }
    let store = closed(Settings::default());
    let witness = SealKey::from_seed(&[42; 32]);
    let what = || Erasure { ground: "x", article: "", attest: Some(&witness) };
    let ann = uid("A", "ann");
    let Store { engine, clock, path, dir: _dir, .. } = store;
    engine.close().unwrap();
    let db = Connection::open(&path).unwrap();
    assert!(db.execute("UPDATE hos_instance SET state = 'c' WHERE id = x'31'", []).unwrap() == 1);
    drop(db);
    let engine = hos_engine::Engine::builder().sqlite(&path).clock(clock).open().unwrap();
    let failure = engine.erase_with(&root(), &ann, &what()).unwrap_err();
    assert!(failure.code == Code::StoreIntegrity && failure.message.contains("nothing is attested"), "{failure}");
    // Erasing itself is not put off by that: the person has a right to it, and the record says how it stood.
    let done = engine.erase_with(&root(), &ann, &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert!(done.answer.allowed);
}

#[test]
fn a_record_that_no_longer_opens_is_counted_as_broken() {
    if support::database::is_on() {
        return;
    }
    let store = closed(Settings::default());
    let Store { engine, clock, path, dir: _dir, .. } = store;
    engine.close().unwrap();
    let db = Connection::open(&path).unwrap();
    let (row, mut parts, key): (i64, Vec<u8>, Vec<u8>) = db
        .query_row(
            "SELECT r.rowid, r.parts, i.facts_key FROM hos_record r JOIN hos_instance i ON i.handle = r.thread
             WHERE r.n = 0 AND i.id = x'31'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    // A byte of what is sealed under the person's key.
    let place = parts.windows(16).position(|w| w == key).unwrap() + 16 + 60;
    parts[place] ^= 1;
    db.execute("UPDATE hos_record SET parts = ?1 WHERE rowid = ?2", rusqlite::params![parts, row]).unwrap();
    drop(db);
    let engine = hos_engine::Engine::builder().sqlite(&path).clock(clock).open().unwrap();
    let done = engine.erase_with(&root(), &uid("A", "ann"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert_eq!(done.record.unwrap().verdict, LastVerdict::Broken(1));
}

#[test]
fn a_person_without_any_data_is_erased_too() {
    let store = closed(Settings::default());
    let by = root();
    // Known to no directory: refused before anything is written.
    assert_eq!(store.engine.erase(&by, &uid("A", "nobody"), "x").unwrap().code(), Some("hos.entity_missing"));
    assert_eq!(store.engine.hold(&by, &uid("A", "nobody"), "x").unwrap().code(), Some("hos.entity_missing"));
    let mut given = root();
    given.given.push(known("walk-in"));
    let done = store.engine.erase_with(&given, &uid("A", "walk-in"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    let record = done.record.unwrap();
    assert!(done.answer.allowed && record.key != KeyId([0; 16]) && record.lost.is_empty() && done.notices.is_empty());
    let mut born = Begin::new(uid("A", "root"), "o", "8", "new").unwrap().fact("who", uid("A", "walk-in"));
    born.by.given.push(known("walk-in"));
    assert_eq!(store.tenant("t1").begin(born).unwrap().code(), Some("hos.subject_erased"));
    assert_eq!(store.engine.erase(&given, &uid("A", "walk-in"), "x").unwrap().code(), Some("hos.subject_erased"));
    intact(&store);
}

#[test]
fn an_erasure_by_a_worker_sealed_store_waits_for_nothing() {
    let store = closed(Settings { seal: Seal::Worker, ..Settings::default() });
    // Nothing is sealed yet: the queue is looked at too, and nothing unsealed is attested.
    let witness = SealKey::from_seed(&[42; 32]);
    let attest = Erasure { ground: "x", article: "", attest: Some(&witness) };
    assert_eq!(store.engine.erase_with(&root(), &uid("A", "ann"), &attest).unwrap_err().code, Code::StoreIntegrity);
    let done = store.engine.erase_with(&root(), &uid("A", "ann"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert!(done.answer.allowed, "{:?}", done.answer.blockers);
    assert!(done.record.unwrap().lost.iter().map(|l| l.count).sum::<u64>() >= 4);
    intact(&store);
    store.engine.work().unwrap();
    intact(&store);
}

#[test]
fn a_refused_erasure_in_a_batch_leaves_others_alone() {
    let store = closed(Settings::default());
    let t1 = Tenant::new("t1").unwrap();
    assert_eq!(
        store.engine.erase(&hos_core::call::By::new(uid("A", "ann")), &uid("A", "root"), "x").unwrap().code(),
        Some("hos.not_permitted")
    );
    let answers = store.engine.batch(vec![(t1, Call::Begin(new_order("7")))]).unwrap();
    assert!(answers[0].as_ref().unwrap().allowed);
}

fn code_of(verdict: &hos_core::audit::Verdict) -> Option<String> {
    match &verdict.standing {
        hos_core::audit::Standing::Refused(refused) => Some(refused.code.to_string()),
        _ => None,
    }
}
