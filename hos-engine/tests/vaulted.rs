//! A vault that is another store's, or older than the store: no person gets a second key, and no living one is taken for erased.

mod support;

use hos_core::call::{Begin, Call, Change, Note};
use hos_core::id::Tenant;
use hos_core::refusal::Code;
use hos_core::value::Record;
use hos_engine::clock::SetClock;
use hos_engine::{Builder, Engine, Level, Settings, VerifyOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::{Store, change, fresh, root, uid};

/// A store that is closed.
struct World {
    path: PathBuf,
    clock: Arc<SetClock>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let Store { engine, clock, path, dir, .. } = fresh(Settings::default());
        engine.close().unwrap();
        Self { path, clock, _dir: dir }
    }

    fn builder(&self) -> Builder {
        Engine::builder().sqlite(&self.path).clock(self.clock.clone())
    }

    fn vault(&self) -> PathBuf {
        beside(&self.path, "vault")
    }

    /// The vault as it is now, kept.
    fn kept(&self, name: &str) -> PathBuf {
        let to = beside(&self.path, name);
        std::fs::copy(self.vault(), &to).unwrap();
        to
    }

    #[track_caller]
    fn does_not_open(&self) {
        let failure = self.builder().open().map(drop).unwrap_err();
        assert_eq!(failure.code, Code::StoreIntegrity, "{failure}");
        assert!(failure.message.contains("it is another store's vault, or older than the store"), "{failure}");
    }

    #[track_caller]
    fn is_intact(&self) {
        let engine = self.builder().open().unwrap();
        let report = engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        engine.close().unwrap();
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", path.display()))
}

fn bob(engine: &Engine) {
    change(&engine.tenant("universe").unwrap(), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
}

/// More of the universe's records than are looked at when the store is opened.
fn notes(engine: &Engine) {
    let note = || Call::Note(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap());
    let answers = engine.batch((0..40).map(|_| (Tenant::universe(), note())).collect()).unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.allowed)));
}

#[test]
fn with_another_stores_vault_no_store_opens_to_write() {
    if support::database::is_on() {
        return;
    }
    let (ours, others) = (World::new(), World::new());
    let right = ours.kept("right");
    std::fs::copy(others.vault(), ours.vault()).unwrap();
    ours.does_not_open();
    // Who only looks is told what is missing.
    let engine = ours.builder().reading().open().unwrap();
    let report = engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Broken);
    assert!(report.findings.iter().any(|(_, what)| what.contains("the vault never had")), "{:#?}", report.findings);
    engine.close().unwrap();
    std::fs::copy(right, ours.vault()).unwrap();
    ours.is_intact();
}

#[test]
fn with_a_vault_from_before_somebody_came_no_store_opens_to_write() {
    if support::database::is_on() {
        return;
    }
    let world = World::new();
    let old = world.kept("old");
    let engine = world.builder().open().unwrap();
    bob(&engine);
    engine.close().unwrap();
    let right = world.kept("right");
    std::fs::copy(old, world.vault()).unwrap();
    world.does_not_open();
    std::fs::copy(right, world.vault()).unwrap();
    world.is_intact();
}

#[test]
fn whose_key_an_older_vault_lacks_gets_no_other_one() {
    if support::database::is_on() {
        return;
    }
    let world = World::new();
    let old = world.kept("old");
    // Neither the first records nor the newest say that the vault is older.
    let engine = world.builder().open().unwrap();
    notes(&engine);
    bob(&engine);
    notes(&engine);
    engine.close().unwrap();
    let right = world.kept("right");
    std::fs::copy(old, world.vault()).unwrap();
    let born = |id: &str| Begin::new(uid("A", "root"), "o", id, "new").unwrap().fact("who", uid("A", "bob"));
    let engine = world.builder().open().unwrap();
    for id in ["1", "2"] {
        let failure = engine.tenant("t1").unwrap().begin(born(id)).unwrap_err();
        assert!(failure.code == Code::StoreIntegrity && failure.message.contains("bob"), "{failure}");
    }
    assert!(engine.open_tenant(&root(), &Tenant::new("t2").unwrap()).unwrap().allowed, "others are written about");
    engine.close().unwrap();
    std::fs::copy(right, world.vault()).unwrap();
    world.is_intact();
    let engine = world.builder().open().unwrap();
    assert!(engine.tenant("t1").unwrap().begin(born("1")).unwrap().allowed);
}
