//! What an open engine answers once its file, or the log of it, is another one: nothing, until it is opened anew.

mod support;

use hos_core::call::{Can, Change};
use hos_core::id::{InstanceId, Name};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::Record;
use hos_engine::{Answer, Engine, Failure, Seal, Settings, TenantRef};
use std::path::Path;
use std::time::Duration;
use support::{Store, change, fresh, new_order, uid};

/// Every question is one to the store.
fn asking(seal: Seal) -> Settings {
    Settings { seal, directory_age_max: Duration::ZERO, ..Settings::default() }
}

fn role() -> (hos_core::id::Uid, hos_core::id::Uid) {
    (uid("A", "ann"), uid("R", "op"))
}

/// A store with an order, in which ann is an operator; closed, so that all of it lies in the file.
fn lived(seal: Seal) -> Store {
    let store = fresh(asking(seal));
    let (ann, operators) = role();
    let tenant = store.tenant("t1");
    change(&tenant, Change::Join { uid: ann, parent: operators });
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    drop(tenant);
    let Store { engine, clock, path, dir, database } = store;
    engine.close().unwrap();
    let engine = Engine::builder().sqlite(&path).clock(clock.clone()).settings(asking(seal)).open().unwrap();
    Store { engine, clock, path, dir, database }
}

/// Whether ann may do what operators may.
fn ask(tenant: &TenantRef) -> Result<Answer, Failure> {
    let gate = Entity { uid: uid("Gate", "x"), attrs: Record::new(), parents: [].into(), record: None };
    tenant.can(&Can::new(uid("A", "ann"), "record.note", gate.uid.clone()).given(gate))
}

/// Removes files without opening them: a descriptor that is closed here would drop the store's locks.
fn remove(path: &Path, endings: &[&str]) {
    for ending in endings {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
}

/// By no door anything is answered, however often one asks.
#[track_caller]
fn answers_nothing(tenant: &TenantRef) {
    let (order, id) = (Name::new("o").unwrap(), InstanceId::new("1").unwrap());
    assert_eq!(ask(tenant).unwrap_err().code, Code::DirectoryStale);
    for n in 0..3 {
        let answer = ask(tenant);
        assert_eq!(answer.map(|answer| answer.allowed).map_err(|failure| failure.code), Err(Code::DirectoryStale), "{n}");
        assert_eq!(tenant.history(&order, &id, 0, 10).map(|told| told.len()).unwrap_err().code, Code::StoreIntegrity, "{n}");
        assert_eq!(tenant.begin(new_order("2")).unwrap_err().code, Code::StoreIntegrity, "{n}");
    }
}

#[test]
fn a_right_that_was_taken_away_does_not_come_back_with_an_older_file() {
    if support::database::is_on() {
        return;
    }
    // Sealed by a worker the log does not grow: the directory alone says that it is older.
    for seal in [Seal::Inline, Seal::Worker] {
        let store = lived(seal);
        let tenant = store.tenant("t1");
        assert!(ask(&tenant).unwrap().allowed);
        let (ann, operators) = role();
        change(&tenant, Change::Leave { uid: ann, parent: operators });
        assert!(!ask(&tenant).unwrap().allowed);
        remove(&store.path, &["-wal", "-shm"]);
        answers_nothing(&tenant);
    }
}

#[test]
fn another_store_in_the_place_of_this_one_gives_nobody_its_rights() {
    if support::database::is_on() {
        return;
    }
    let store = lived(Seal::Inline);
    let tenant = store.tenant("t1");
    let (ann, operators) = role();
    change(&tenant, Change::Leave { uid: ann, parent: operators });
    assert!(!ask(&tenant).unwrap().allowed);
    let Store { engine, path: other, dir: _other_dir, .. } = lived(Seal::Inline);
    engine.close().unwrap();
    remove(&store.path, &["-wal", "-shm", ".vault-wal", ".vault-shm"]);
    for ending in ["", ".vault"] {
        std::fs::rename(format!("{}{ending}", other.display()), format!("{}{ending}", store.path.display())).unwrap();
    }
    answers_nothing(&tenant);
}

#[test]
fn a_file_that_was_only_touched_goes_on() {
    if support::database::is_on() {
        return;
    }
    let store = lived(Seal::Inline);
    let tenant = store.tenant("t1");
    assert!(ask(&tenant).unwrap().allowed);
    std::fs::read(&store.path).unwrap();
    assert_eq!(ask(&tenant).unwrap_err().code, Code::DirectoryStale);
    assert!(ask(&tenant).unwrap().allowed);
    assert!(tenant.begin(new_order("2")).unwrap().allowed);
    assert_eq!(store.engine.stats().unwrap().reopens, 1);
}
