//! A small world for the engine's tests: the smallest law that uses every table, and a store in which each has a row.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod database;
pub(crate) mod evidence;
pub(crate) mod host;
pub(crate) mod law;
pub(crate) mod rich;
pub(crate) mod witness;
pub(crate) mod writers;

use hos_core::answer::Answer;
use hos_core::call::{Begin, By, Change, Directory, Note, Transition};
use hos_core::id::{Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::time::Timestamp;
use hos_core::value::Record;
use hos_engine::clock::SetClock;
use hos_engine::{Engine, Founding, Settings, TenantRef};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("N::{kind}"), id).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) struct Store {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) path: PathBuf,
    pub(crate) dir: tempfile::TempDir,
    /// Where the store lies in a database and not in the file.
    pub(crate) database: Option<database::Database>,
}

/// A store with one tenant `t1`, a root operator, a person `ann` and a role `staff`.
pub(crate) fn fresh(settings: Settings) -> Store {
    fresh_under(settings, |_, text| text)
}

/// The same, under a law of which some file is another.
pub(crate) fn fresh_under(settings: Settings, other: impl Fn(&str, String) -> String) -> Store {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    let clock = Arc::new(SetClock::at(at("2026-01-01T00:00:00Z")));
    let role = Entity { uid: uid("R", "op"), attrs: Record::new(), parents: [].into(), record: None };
    let founder = Entity { uid: uid("A", "root"), attrs: Record::new(), parents: [uid("R", "op")].into(), record: None };
    let database = database::fresh();
    let engine = database::place(Engine::builder(), database.as_ref(), &path)
        .law(Arc::new(law::law_but(other)))
        .clock(clock.clone())
        .settings(settings)
        .found(Founding { founder, roles: vec![role] })
        .unwrap();
    assert!(engine.open_tenant(&root(), &Tenant::new("t1").unwrap()).unwrap().allowed);
    let store = Store { engine, clock, path, dir, database };
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "ann"), attrs: Record::new() });
    change(&store.tenant("t1"), Change::Put { uid: uid("R", "staff"), attrs: Record::new() });
    store
}

impl Store {
    pub(crate) fn tenant(&self, name: &str) -> TenantRef {
        self.engine.tenant(name).unwrap()
    }

    pub(crate) fn builder(&self) -> hos_engine::Builder {
        database::place(Engine::builder(), self.database.as_ref(), &self.path).clock(self.clock.clone())
    }
}

pub(crate) fn root() -> By {
    By::new(uid("A", "root"))
}

pub(crate) fn change(at: &TenantRef, change: Change) -> Answer {
    let answer = at.directory(Directory::new(uid("A", "root"), change)).unwrap();
    assert!(answer.allowed, "{:?}", answer.blockers);
    answer
}

pub(crate) fn new_order(id: &str) -> Begin {
    Begin::new(uid("A", "root"), "o", id, "new").unwrap().fact("who", uid("A", "ann"))
}

pub(crate) fn go(id: &str) -> Transition {
    Transition::new(uid("A", "root"), "o", id, "go").unwrap()
}

/// A small store in which every table has a row.
pub(crate) fn store() -> Store {
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "staff") });
    let grant = Change::Grant {
        id: "g".into(),
        template: "t".into(),
        principal: Some(uid("A", "ann")),
        resource: Some(uid("R", "staff")),
    };
    change(&tenant, grant);
    for id in ["1", "2"] {
        let answer = tenant.begin(new_order(id).once(&format!("k{id}")).unwrap()).unwrap();
        assert!(answer.allowed, "{:?}", answer.blockers);
    }
    assert!(tenant.transition(go("1")).unwrap().allowed);
    assert!(!tenant.transition(Transition::new(uid("A", "ann"), "o", "2", "go").unwrap()).unwrap().allowed);
    assert!(tenant.record(Note::new(uid("A", "root"), "n", b"x".to_vec()).unwrap()).unwrap().allowed);
    // The last checkpoints reach the store with the next commit.
    store.engine.work().unwrap();
    store
}

/// Files of a directory that hold these bytes. They are copied by another process first: one that opened and closed a store's
/// file here would drop the locks of the store.
pub(crate) fn files(dir: &std::path::Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let copies = tempfile::tempdir().unwrap();
    assert!(std::process::Command::new("cp").arg("-r").arg(dir).arg(copies.path().join("all")).status().unwrap().success());
    for path in
        std::fs::read_dir(copies.path().join("all")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        let bytes = std::fs::read(&path).unwrap();
        for at in bytes.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle).map(|(at, _)| at) {
            let context = &bytes[at.saturating_sub(40)..(at + needle.len() + 40).min(bytes.len())];
            found.push(format!("{} at {at}: {}", path.display(), context.escape_ascii()));
        }
    }
    found
}
