//! A change of the seal key: each log's ranges, what crashes between the steps leave, and keys out of their range.

mod support;

use hos_core::audit;
use hos_core::call::{Call, Change, Note};
use hos_core::id::{InstanceId, Name, Tenant};
use hos_core::proof::chain::Entry;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::key::{SealKey, VerifyKey};
use hos_core::proof::record::{Header, Kind};
use hos_core::proof::trust::Trust;
use hos_core::refusal::Code;
use hos_engine::joined::Asked;
use hos_engine::keys::{read_seal_key, write_seal_key};
use hos_engine::ports::{Growth, Signer};
use hos_engine::signer::FileSigner;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Engine, ExportOptions, Failure, Level, Seal, Settings, VerifyOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Store, fresh, go, new_order, root, store, uid};

fn t1() -> Tenant {
    Tenant::new("t1").unwrap()
}

fn new_key(store: &Store, n: u8) -> PathBuf {
    let path = store.dir.path().join(format!("key{n}"));
    write_seal_key(&path, &[n; 32]).unwrap();
    path
}

fn signer(path: &Path) -> Arc<dyn Signer> {
    Arc::new(FileSigner::new(read_seal_key(path).unwrap()))
}

fn public(n: u8) -> VerifyKey {
    SealKey::from_seed(&[n; 32]).verify_key()
}

#[track_caller]
fn sound(engine: &Engine) {
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

fn signed_by(note: &str, key: &VerifyKey) -> bool {
    let named = NoteKey::new(note.lines().next().unwrap(), key.clone()).unwrap();
    Checkpoint::open(note.as_bytes(), &named).is_ok()
}

/// The engine of a store whose old one was dropped.
fn reopened(store: Store, key: &Path) -> (Result<Engine, Failure>, Store) {
    let builder = store.builder().key_file(key);
    let Store { engine, clock, path, dir, database } = store;
    drop(engine);
    let opened = builder.open();
    let engine = match &opened {
        Ok(engine) => engine.clone(),
        // Something to keep the shape; it is not used.
        Err(_) => support::fresh(hos_engine::Settings::default()).engine,
    };
    (opened, Store { engine, clock, path, dir, database })
}

#[test]
fn after_a_change_every_log_is_signed_by_the_new_key() {
    let store = store();
    // An idle tenant, whose range must be closed too, and one that never had an entry.
    for name in ["idle", "empty"] {
        assert!(store.engine.open_tenant(&root(), &Tenant::new(name).unwrap()).unwrap().allowed);
    }
    support::change(
        &store.tenant("idle"),
        hos_core::call::Change::Put { uid: support::uid("R", "x"), attrs: Default::default() },
    );
    let idle_before = store.tenant("idle").checkpoint().unwrap().unwrap();
    let old = store.engine.keys().unwrap().0[0].key.clone();
    let old_path = PathBuf::from(format!("{}.key", store.path.display()));
    let key = new_key(&store, 9);
    store.engine.rotate_key(signer(&key)).unwrap();
    sound(&store.engine);
    let (ranges, pending) = store.engine.keys().unwrap();
    assert_eq!(pending, None);
    for name in ["t1", "idle", "universe"] {
        let of: Vec<_> = ranges.iter().filter(|r| r.tenant.as_str() == name).collect();
        assert_eq!(of.len(), 2, "{name}: {of:?}");
        assert_eq!((&of[0].key, &of[1].key), (&old, &public(9)));
        assert_eq!(of[0].to, Some(of[1].from - 1), "{name}: no size without a key, none with two");
    }
    assert_eq!(ranges.iter().filter(|r| r.tenant.as_str() == "empty").count(), 1);
    // The universe has grown by the change's own records: it is the new key's. The idle log is still the old one's.
    assert!(signed_by(&store.tenant("universe").checkpoint().unwrap().unwrap(), &public(9)));
    assert_eq!(store.tenant("idle").checkpoint().unwrap().unwrap(), idle_before);
    let answer = store.tenant("t1").begin(new_order("after")).unwrap();
    assert!(signed_by(&answer.receipt.unwrap().seal.unwrap().checkpoint.unwrap(), &public(9)));
    sound(&store.engine);
    // The old key opens it no more, and says why.
    store.engine.work().unwrap();
    let (refused, store) = reopened(store, &old_path);
    let failure = refused.err().unwrap();
    assert!(failure.code == Code::KeyInvalid && failure.message.contains("another took over"), "{failure}");
    let (opened, store) = reopened(store, &key);
    sound(&opened.unwrap());
    // A verifier's own copy of either key is enough; a stranger's is not.
    for (key, level) in [(&old, Level::Intact), (&public(9), Level::Intact), (&public(8), Level::Broken)] {
        let vkey = NoteKey::new("x", key.clone()).unwrap().to_string();
        let report = store.engine.verify(&VerifyOptions { vkey: Some(vkey), ..VerifyOptions::default() }).unwrap();
        assert_eq!(report.level, level, "{:#?}", report.findings);
    }
    // And once more, to a third.
    let third = new_key(&store, 10);
    store.engine.rotate_key(signer(&third)).unwrap();
    sound(&store.engine);
    let of = |name: &str| store.engine.keys().unwrap().0.into_iter().filter(|r| r.tenant.as_str() == name).count();
    assert_eq!((of("t1"), of("idle"), of("universe")), (3, 2, 3), "a key that had no size of a log has no range there");
    for (n, what) in [(9, "once"), (10, "now")] {
        let failure = store.engine.rotate_key(Arc::new(FileSigner::new(SealKey::from_seed(&[n; 32])))).unwrap_err();
        assert_eq!(failure.code, Code::KeyInvalid, "{what}");
    }
}

/// A key that signs so many times and then no more: a crash of the one who changes keys.
struct Dies {
    key: SealKey,
    left: AtomicUsize,
}

impl Signer for Dies {
    fn public(&self) -> Result<VerifyKey, Failure> {
        Ok(self.key.verify_key())
    }

    fn is_here(&self) -> bool {
        true
    }

    fn sign(&self, growth: &Growth<'_>) -> Result<[u8; 64], Failure> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err() {
            return Err(Failure::new(Code::SignerFailed, "gone"));
        }
        Ok(self.key.sign(growth.checkpoint.text().as_bytes()))
    }
}

#[test]
fn a_change_that_was_cut_short_is_resolved_or_named() {
    for left in [0, 100] {
        let store = store();
        store.engine.work().unwrap();
        let old_path = PathBuf::from(format!("{}.key", store.path.display()));
        let seed = std::fs::read_to_string(&old_path).unwrap();
        let bytes: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&seed[2 * i..2 * i + 2], 16).unwrap()).collect();
        let Store { engine, clock, path, dir, database } = store;
        drop(engine);
        // The old key dies right after the record of the change was committed, or only the process does, after that key has vouched for
        // the change and before it is confirmed.
        let dying = Arc::new(Dies { key: SealKey::from_seed(&bytes.try_into().unwrap()), left: AtomicUsize::new(left) });
        let at = || support::database::place(Engine::builder(), database.as_ref(), &path);
        let engine = at().clock(clock.clone()).signer(dying.clone()).open().unwrap();
        let key = dir.path().join("key9");
        write_seal_key(&key, &[9; 32]).unwrap();
        engine.begin_rotation_and_stop(&public(9)).unwrap();
        let (_, pending) = engine.keys().unwrap();
        assert_eq!(pending, Some(public(9)));
        sound(&engine);
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert!(report.notices.iter().any(|n| n.contains("not confirmed")), "{:?}", report.notices);
        // Meanwhile the old key signs no size that is the new key's.
        let answer = engine.tenant("t1").unwrap().begin(new_order("meanwhile")).unwrap();
        assert_eq!(answer.receipt.unwrap().seal.unwrap().checkpoint, None);
        if left > 0 {
            engine.vouch_for_change(&public(9)).unwrap();
            assert_eq!(engine.withdraw_key("too late").unwrap_err().code, Code::KeyInvalid, "the new key may take over by now");
        }
        drop(engine);
        let open = |key: &Path| at().clock(clock.clone()).key_file(key).open();
        if left == 0 {
            // Nobody vouched for the change: the new key alone is not believed, and the message names what to do.
            let failure = open(&key).err().unwrap();
            assert!(failure.code == Code::KeyInvalid && failure.message.contains("old key"), "{failure}");
            let engine = open(&old_path).unwrap();
            let other = Arc::new(FileSigner::new(SealKey::from_seed(&[8; 32])));
            assert_eq!(engine.rotate_key(other).unwrap_err().code, Code::KeyInvalid, "another change has begun");
            engine.rotate_key(signer(&key)).unwrap();
            sound(&engine);
        } else {
            let engine = open(&key).unwrap();
            assert_eq!(engine.keys().unwrap().1, None, "it is confirmed");
            sound(&engine);
            let note = engine.tenant("t1").unwrap().checkpoint().unwrap().unwrap();
            assert!(signed_by(&note, &public(9)));
        }
    }
}

/// Who can write the store, and has no key, writes the record of a change to a key of their own. Whoever has the key in force goes on
/// with the day's work, and signs nothing that makes the other key the store's.
#[test]
fn nobody_but_who_changes_keys_vouches_for_a_change() {
    let store = store();
    store.engine.work().unwrap();
    let old_path = PathBuf::from(format!("{}.key", store.path.display()));
    let old = read_seal_key(&old_path).unwrap().verify_key();
    let vouched = |engine: &Engine| engine.tenant("universe").unwrap().checkpoint();
    let before = vouched(&store.engine).unwrap().unwrap();
    store.engine.begin_rotation_and_stop(&public(9)).unwrap();
    let theirs = new_key(&store, 9);
    let is_told = |engine: &Engine| {
        let failure = vouched(engine).unwrap_err();
        assert!(failure.code == Code::KeyInvalid && failure.message.contains("hos keys withdraw"), "{failure}");
        let unsigned = engine.work().unwrap().unsigned;
        assert!(unsigned.iter().any(|(log, why)| log == "universe" && why.contains("has begun")), "{unsigned:?}");
        assert_eq!(engine.pending_key(), Some(public(9)));
    };
    is_told(&store.engine);
    // Opened anew, with the change at the end of the universe's log, and with more behind it.
    let (opened, store) = reopened(store, &old_path);
    is_told(&opened.unwrap());
    let (refused, store) = reopened(store, &theirs);
    assert_eq!(refused.err().unwrap().code, Code::KeyInvalid, "nobody vouched for it");
    let (opened, store) = reopened(store, &old_path);
    let engine = opened.unwrap();
    support::change(&engine.tenant("universe").unwrap(), Change::Put { uid: uid("R", "x"), attrs: Default::default() });
    is_told(&engine);
    drop(engine);
    let (refused, store) = reopened(store, &theirs);
    assert_eq!(refused.err().unwrap().code, Code::KeyInvalid);
    // It is taken back, and the key in force goes on as before.
    let (opened, store) = reopened(store, &old_path);
    let engine = opened.unwrap();
    let mine = new_key(&store, 8);
    assert_eq!(engine.rotate_key(signer(&mine)).unwrap_err().code, Code::KeyInvalid, "another change has begun");
    assert!(engine.withdraw_key("").is_err(), "without a reason");
    assert_eq!(engine.withdraw_key("nobody of ours began it").unwrap(), public(9));
    assert_eq!(engine.withdraw_key("once more").unwrap_err().code, Code::KeyInvalid);
    assert!(signed_by(&vouched(&engine).unwrap().unwrap(), &old));
    assert_eq!((engine.pending_key(), engine.work().unwrap().unsigned.len()), (None, 0));
    let report = engine.verify(&VerifyOptions { anchors: vec![before], ..VerifyOptions::default() }).unwrap();
    assert_eq!(report.level, Level::Anchored, "{:#?}", report.findings);
    engine.rotate_key(signer(&mine)).unwrap();
    sound(&engine);
    drop(engine);
    let (opened, store) = reopened(store, &mine);
    let (bytes, trust) = {
        let engine = opened.unwrap();
        assert!(engine.tenant("t1").unwrap().transition(go("2")).unwrap().allowed);
        drop(engine);
        exported(&store, true)
    };
    let verdict = audit::bundle(&bytes, &Trust::parse(trust.as_bytes()).unwrap(), &[]);
    assert!(verdict.holds(), "{verdict:?}");
}

/// The record of the change is hidden from who reads the keys, while its entry is the last that the tree has.
#[test]
fn a_change_that_is_hidden_is_not_vouched_for_either() {
    if support::database::is_on() {
        return;
    }
    let store = store();
    store.engine.work().unwrap();
    store.engine.begin_rotation_and_stop(&public(9)).unwrap();
    let (theirs, old_path) = (new_key(&store, 9), PathBuf::from(format!("{}.key", store.path.display())));
    let Store { engine, clock, path, dir, database: _ } = store;
    engine.close().unwrap();
    let change = |sql: &str| assert_eq!(rusqlite::Connection::open(&path).unwrap().execute(sql, []).unwrap(), 1, "{sql}");
    let open = |key: &Path| Engine::builder().sqlite(&path).clock(clock.clone()).key_file(key).open();
    change("UPDATE hos_stream SET n = n - 1 WHERE tenant = 'universe' AND name = 'hos.keys'");
    let engine = open(&old_path).unwrap();
    assert_eq!(engine.pending_key(), None, "it is not seen among the keys");
    let failure = engine.tenant("universe").unwrap().checkpoint().unwrap_err();
    assert!(failure.code == Code::KeyInvalid && failure.message.contains("has begun"), "{failure}");
    engine.close().unwrap();
    change("UPDATE hos_stream SET n = n + 1 WHERE tenant = 'universe' AND name = 'hos.keys'");
    assert_eq!(open(&theirs).err().unwrap().code, Code::KeyInvalid);
    // Another record in its place is none that the tree has.
    change(
        "UPDATE hos_record SET header = (SELECT header FROM hos_record r WHERE r.thread = hos_record.thread AND r.n = 0)
         WHERE tenant = 'universe' AND n = 1 AND thread =
         (SELECT handle FROM hos_stream WHERE tenant = 'universe' AND name = 'hos.keys')",
    );
    change("UPDATE hos_stream SET n = n - 1 WHERE tenant = 'universe' AND name = 'hos.keys'");
    let engine = open(&old_path).unwrap();
    assert_eq!(engine.tenant("universe").unwrap().checkpoint().unwrap_err().code, Code::StoreIntegrity);
    drop((engine, dir));
}

#[test]
fn a_key_out_of_its_range_is_refused() {
    let store = store();
    let old_path = PathBuf::from(format!("{}.key", store.path.display()));
    let old = read_seal_key(&old_path).unwrap();
    let early = store.tenant("t1").checkpoint().unwrap().unwrap();
    store.engine.rotate_key(signer(&new_key(&store, 9))).unwrap();
    assert!(store.tenant("t1").begin(new_order("after")).unwrap().allowed);
    let late = store.tenant("t1").checkpoint().unwrap().unwrap();
    let named = |note: &str, key: VerifyKey| NoteKey::new(note.lines().next().unwrap(), key).unwrap();
    let said = |note: &str, key: VerifyKey| Checkpoint::open(note.as_bytes(), &named(note, key)).unwrap();
    let (early_says, late_says) = (said(&early, old.verify_key()), said(&late, public(9)));
    let with =
        |anchor: String| store.engine.verify(&VerifyOptions { anchors: vec![anchor], ..VerifyOptions::default() }).unwrap();
    assert_eq!(with(early.clone()).level, Level::Anchored);
    assert_eq!(with(late.clone()).level, Level::Anchored);
    // The same heads, each under the other key.
    let old_on_new = late_says.sign(&old).unwrap();
    let new_on_old = early_says.sign(&SealKey::from_seed(&[9; 32])).unwrap();
    for note in [old_on_new, new_on_old] {
        let report = with(note);
        assert_eq!(report.level, Level::Broken);
        assert!(report.findings.iter().any(|(_, what)| what.starts_with("key.range")), "{:?}", report.findings);
    }
    // A revoked key counts for nothing from there on.
    let sizes = BTreeMap::from([(t1(), early_says.size)]);
    assert_eq!(store.engine.revoke_key(&public(9), &sizes, "x").unwrap_err().code, Code::KeyInvalid, "the key in force");
    assert_eq!(store.engine.revoke_key(&public(7), &sizes, "x").unwrap_err().code, Code::KeyInvalid, "a stranger's key");
    let stranger = BTreeMap::from([(Tenant::new("t9").unwrap(), 1)]);
    assert_eq!(store.engine.revoke_key(&old.verify_key(), &stranger, "x").unwrap_err().code, Code::TenantUnknown);
    assert!(store.engine.revoke_key(&old.verify_key(), &sizes, "").is_err());
    store.engine.revoke_key(&old.verify_key(), &sizes, "the machine was stolen").unwrap();
    let report = with(early);
    assert!(report.findings.iter().any(|(_, what)| what.starts_with("key.range")), "{:?}", report.findings);
    sound(&store.engine);
}

fn exported(store: &Store, map: bool) -> (Vec<u8>, String) {
    let options = ExportOptions { without_map: !map, ..ExportOptions::default() };
    let of = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    let done = store.tenant("t1").export(&of.0, &of.1, &options).unwrap();
    (done.bytes, done.trust)
}

#[test]
fn bundles_hold_across_a_change_and_their_ranges_are_held_to_the_records() {
    use hos_core::proof::bundle::Bundle;
    let store = store();
    let verdict = |bytes: &[u8], trust: &str| audit::bundle(bytes, &Trust::parse(trust.as_bytes()).unwrap(), &[]);
    let (before, trust_before) = exported(&store, true);
    assert!(verdict(&before, &trust_before).holds());
    store.engine.rotate_key(signer(&new_key(&store, 9))).unwrap();
    // The tenant's log is idle: its checkpoint is the old key's, the universe's the new one's.
    let (idle, both) = exported(&store, false);
    assert_eq!(both.matches("log ").count(), 2, "{both}");
    assert!(verdict(&idle, &both).holds(), "{:?}", verdict(&idle, &both));
    assert!(!verdict(&idle, &trust_before).holds(), "the new key is not in the trust file");
    assert!(store.tenant("t1").transition(go("2")).unwrap().allowed);
    let (after, trust) = exported(&store, true);
    assert!(verdict(&after, &trust).holds(), "{:?}", verdict(&after, &trust));
    assert_eq!(trust.matches("log ").count(), 1, "the old key counts for nothing in it: {trust}");
    assert!(!verdict(&after, &both).notices.contains(&audit::Notice::FormerKey), "both keys are told of");
    let old_story = verdict(&before, &both);
    assert!(old_story.holds(), "what was exported before holds as it did, for whoever still names its key");
    assert!(old_story.notices.contains(&audit::Notice::FormerKey), "and it is told that it is from before the change");
    let mut hidden = Bundle::decode(&after).unwrap();
    hidden
        .cited
        .retain(|(_, item)| !Header::decode(&Entry::decode(&item.entry).unwrap().header).is_ok_and(|h| h.kind == Kind::Key));
    let hidden = hidden.encode().unwrap();
    let said = |trust: &str| match verdict(&hidden, trust).standing {
        audit::Standing::Refused(refused) => refused.code,
        other => other.as_str().into(),
    };
    assert_eq!((&*said(&trust), &*said(&both)), ("intact", "key.missing"));
    let bundle = Bundle::decode(&after).unwrap();
    assert_eq!(bundle.keys.len(), 4, "two keys of two logs");
    type Bend = Box<dyn Fn(&mut Bundle)>;
    let bent: Vec<(&str, Bend)> = vec![
        ("the new key from the beginning", Box::new(|b| b.keys[1].from = 1)),
        ("the old key for ever", Box::new(|b| b.keys[0].to = 0)),
        ("the new key alone", Box::new(|b| drop(b.keys.remove(0)))),
    ];
    for (what, bend) in bent {
        let mut other = bundle.clone();
        bend(&mut other);
        let verdict = verdict(&other.encode().unwrap(), &trust);
        assert!(
            matches!(&verdict.standing, audit::Standing::Refused(r) if r.code == "key.range"),
            "{what}: {:?}",
            verdict.standing
        );
    }
    // Whoever has the old key signs the newest head with it: the key is known, the size is not its own.
    let old = read_seal_key(Path::new(&format!("{}.key", store.path.display()))).unwrap();
    let mut stolen = bundle.clone();
    for log in &mut stolen.logs {
        let named = NoteKey::new(log.note.lines().next().unwrap(), public(9)).unwrap();
        log.note = Checkpoint::open(log.note.as_bytes(), &named).unwrap().sign(&old).unwrap();
    }
    let said = verdict(&stolen.encode().unwrap(), &both);
    assert!(matches!(&said.standing, audit::Standing::Refused(r) if r.code == "key.range"), "{:?}", said.standing);
}

#[test]
fn whoever_commits_beside_a_change_comes_behind_it() {
    let store = fresh(Settings { seal: Seal::Worker, ..Settings::default() });
    let Some(database) = store.database.as_ref() else { return };
    if database.own.dialect() == Dialect::Sqlite {
        return; // It has one who writes.
    }
    assert!(store.tenant("t1").begin(new_order("1")).unwrap().allowed);
    store.engine.work().unwrap();
    let mut host = support::host::host(&store, &support::host::joined(&store));
    let note = Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap();
    host.say("BEGIN");
    let noted = host.ask(Asked::Call(Tenant::universe(), Box::new(Call::Note(note)), Vec::new())).unwrap();
    assert!(noted.allowed, "{:?}", noted.blockers);
    // The host's record came into the queue first.
    store.engine.begin_rotation_and_stop(&public(9)).unwrap();
    host.say("COMMIT");
    store.engine.work().unwrap();
    sound(&store.engine);
    store.engine.rotate_key(signer(&new_key(&store, 9))).unwrap();
    store.engine.work().unwrap();
    sound(&store.engine);
    let (bytes, trust) = exported(&store, true);
    let verdict = audit::bundle(&bytes, &Trust::parse(trust.as_bytes()).unwrap(), &[]);
    assert!(verdict.holds(), "{verdict:?}");
}

#[test]
fn a_change_that_stands_elsewhere_than_it_says_is_found() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings { seal: Seal::Worker, ..Settings::default() });
    store.engine.work().unwrap();
    store.engine.begin_rotation_and_stop(&public(9)).unwrap();
    support::change(&store.tenant("universe"), Change::Put { uid: uid("R", "x"), attrs: Default::default() });
    sound(&store.engine);
    let builder = store.builder();
    let Store { engine, path, dir, .. } = store;
    engine.close().unwrap();
    // What was written behind the change is sealed before it.
    let db = rusqlite::Connection::open(&path).unwrap();
    let behind = "UPDATE hos_queue SET pos = pos + 1000 WHERE tenant = 'universe' AND thread =
        (SELECT handle FROM hos_stream WHERE tenant = 'universe' AND name = 'hos.keys')";
    assert_eq!(db.execute(behind, []).unwrap(), 1);
    drop(db);
    let engine = builder.open().unwrap();
    engine.work().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Broken);
    assert!(report.findings.iter().any(|(_, what)| what.contains("the universe's size is not")), "{:?}", report.findings);
    drop(dir);
}

/// A store that was put back to before a change of key does not know who sealed what was lost: that is told, and is no fault of the store.
#[test]
fn a_store_put_back_to_before_a_change_of_key_goes_on_and_says_so() {
    if support::database::is_on() {
        return;
    }
    let support::Store { engine, clock, path, dir, .. } = fresh(Settings::default());
    engine.close().unwrap();
    let (mark, old) = (dir.path().join("mark"), dir.path().join("old"));
    let builder = || Engine::builder().sqlite(&path).clock(clock.clone()).mark(&mark);
    let engine = builder().unmarked().open().unwrap();
    engine.write_mark().unwrap();
    engine.close().unwrap();
    std::fs::copy(&path, &old).unwrap();
    let engine = builder().open().unwrap();
    engine.rotate_key(Arc::new(FileSigner::new(SealKey::from_seed(&[7; 32])))).unwrap();
    assert!(engine.tenant("t1").unwrap().begin(new_order("1")).unwrap().allowed);
    let lost = engine.tenant("t1").unwrap().checkpoint().unwrap().unwrap();
    engine.close().unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    std::fs::copy(&old, &path).unwrap();
    assert_eq!(builder().open().unwrap().new_epoch("the disk died", &[lost]).unwrap(), 1);
    let engine = builder().open().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!((report.level, report.findings), (Level::Intact, Vec::new()));
    assert!(report.notices.iter().any(|told| told.contains("under a key that this store does not know")), "{:?}", report.notices);
    engine.backup(&dir.path().join("copy"), None).unwrap();
}
