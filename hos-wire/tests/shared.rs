//! A store that is opened again by the same options is the same engine; by others it is refused, and then it opens.

use hos_core::id::{Tenant, Uid};
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::call::By;
use hos_engine::{Engine, Founding};
use std::path::{Path, PathBuf};

fn found(store: &Path) {
    let uid = |kind: &str, id: &str| Uid::new(format!("Pazar::{kind}"), id).unwrap();
    let law = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar/law");
    let operator = Entity { uid: uid("Role", "operator"), attrs: Record::new(), parents: Default::default(), record: None };
    let attrs = Record::from([("active".to_owned(), Value::Bool(true))]);
    let founder = Entity { uid: uid("Account", "root"), attrs, parents: [operator.uid.clone()].into(), record: None };
    let engine =
        Engine::builder().law_dir(law).unwrap().sqlite(store).found(Founding { founder, roles: vec![operator] }).unwrap();
    assert!(engine.open_tenant(&By::new(uid("Account", "root")), &Tenant::new("t1").unwrap()).unwrap().allowed);
    engine.close().unwrap();
}

fn options(store: &Path, more: &str) -> Vec<u8> {
    format!(r#"{{"store":"{}"{more}}}"#, store.display()).into_bytes()
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("hos.db");
    found(&store);
    (dir, store)
}

#[test]
fn the_same_options_give_the_same_engine_and_others_wait_for_its_end() {
    let (_dir, store) = place();
    let (plain, worker) = (options(&store, ""), options(&store, r#","seal":"worker""#));
    let first = hos_wire::open(&plain).unwrap();
    let second = hos_wire::open(&options(&store, " ")).unwrap();
    let code = |refused: Result<Engine, hos_engine::Failure>| refused.err().map(|f| f.code.as_str());
    assert_eq!(code(hos_wire::open(&worker)), Some("hos.store_busy"));
    first.close().unwrap();
    assert!(second.tenant("t1").is_ok(), "the other has not closed its own");
    assert_eq!(code(hos_wire::open(&worker)), Some("hos.store_busy"));
    second.close().unwrap();
    hos_wire::open(&worker).unwrap().close().unwrap();
    assert_eq!(code(hos_wire::open(&plain)), None);
}

#[test]
fn one_file_by_two_names_is_one_engine() {
    let (dir, store) = place();
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink(&store, &link).unwrap();
    let first = hos_wire::open(&options(&store, "")).unwrap();
    assert!(first.is(&hos_wire::open(&options(&link, "")).unwrap()));
    let winding = dir.path().join(".").join("hos.db");
    assert!(first.is(&hos_wire::open(&options(&winding, "")).unwrap()));
}

#[test]
fn a_laws_files_are_read_where_a_store_is_opened_and_not_where_it_is_open() {
    let (dir, store) = place();
    let law = dir.path().join("law");
    std::os::unix::fs::symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar/law"), &law).unwrap();
    let given = options(&store, &format!(r#","law":"{}""#, law.display()));
    let first = hos_wire::open(&given).unwrap();
    std::fs::remove_file(&law).unwrap();
    let second = hos_wire::open(&given).unwrap();
    assert!(first.is(&second));
    first.close().unwrap();
    second.close().unwrap();
    assert!(hos_wire::open(&given).is_err(), "now there is no law to open it with");
}

#[test]
fn threads_that_open_at_once_get_one_engine() {
    let (_dir, store) = place();
    let options = options(&store, "");
    for _ in 0..20 {
        std::thread::scope(|scope| {
            let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| hos_wire::open(&options).unwrap())).collect();
            let engines: Vec<Engine> = opened.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert!(engines.iter().all(|engine| engine.tenant("t1").is_ok()));
        });
    }
}

#[test]
fn another_file_under_the_same_name_is_another_store() {
    let (dir, store) = place();
    let options = options(&store, "");
    let first = hos_wire::open(&options).unwrap();
    for name in std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
        std::fs::remove_file(name).unwrap();
    }
    found(&store);
    let second = hos_wire::open(&options).unwrap();
    assert_ne!(first.store_id(), second.store_id());
    // What the first one had open is gone, and neither answers for the other: not by reading either.
    assert_eq!(first.tenant("t1").map(drop).unwrap_err().code.as_str(), "hos.store_integrity");
    assert!(second.tenant("t1").is_ok());
}

/// As an operator does it, from outside of this process.
fn shell(words: &[&str]) {
    assert!(std::process::Command::new(words[0]).args(&words[1..]).status().unwrap().success(), "{words:?}");
}

fn opens_a_tenant(engine: &Engine, name: &str) -> Result<bool, &'static str> {
    let by = By::new(Uid::new("Pazar::Account", "root").unwrap());
    engine.open_tenant(&by, &Tenant::new(name).unwrap()).map(|answer| answer.allowed).map_err(|failure| failure.code.as_str())
}

/// A store, the options it is opened by, and a copy of it; and how a copy is put in the store's place.
fn copied() -> (tempfile::TempDir, Vec<u8>, impl Fn(bool)) {
    let (dir, store) = place();
    let options = options(&store, "");
    let [store, copy, next] = ["hos.db", "copy.db", "next.db"].map(|name| dir.path().join(name).display().to_string());
    shell(&["cp", &store, &copy]);
    let put_back = move |by_a_name: bool| {
        if by_a_name {
            shell(&["cp", &copy, &next]);
            shell(&["mv", &next, &store]);
        } else {
            shell(&["cp", &copy, &store]);
        }
        shell(&["rm", "-f", &format!("{store}-wal"), &format!("{store}-shm")]);
    };
    (dir, options, put_back)
}

#[test]
fn a_store_that_was_put_back_is_opened_anew_by_whoever_opens_it_again() {
    // By the name, or in the file that is open; the vault stays where it is.
    for by_a_name in [true, false] {
        let (_dir, options, put_back) = copied();
        let first = hos_wire::open(&options).unwrap();
        assert_eq!(opens_a_tenant(&first, "t2"), Ok(true));
        put_back(by_a_name);
        // Whoever had the first one does not close it.
        let second = hos_wire::open(&options).unwrap();
        assert!(!second.is(&first), "what lies there is not what the first has answered from");
        assert!(second.is(&hos_wire::open(&options).unwrap()));
        assert_eq!(opens_a_tenant(&second, "t2"), Ok(true), "the copy does not know of it");
        assert_eq!(opens_a_tenant(&first, "t3"), Err("hos.store_integrity"));
        assert_eq!(first.tenant("t1").map(drop).unwrap_err().code.as_str(), "hos.store_integrity");
        let _ = first.close();
        assert_eq!(opens_a_tenant(&second, "t3"), Ok(true));
        assert_eq!(second.stats().unwrap().reopens, 0, "nothing of the first has touched what the second has open");
    }
}

#[test]
fn a_store_that_was_put_back_whole_is_gone_on_with() {
    let (_dir, options, put_back) = copied();
    let first = hos_wire::open(&options).unwrap();
    put_back(true);
    let second = hos_wire::open(&options).unwrap();
    assert!(second.is(&first));
    assert_eq!(opens_a_tenant(&first, "t2"), Ok(true));
    assert_eq!(first.stats().unwrap().reopens, 1);
}

#[test]
fn who_opens_what_is_being_closed_waits_for_it() {
    let (_dir, store) = place();
    let options = options(&store, "");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..300 {
                    let engine = hos_wire::open(&options).unwrap_or_else(|f| panic!("round {round}: {} {}", f.code, f.message));
                    engine.close().unwrap();
                }
            });
        }
    });
}
