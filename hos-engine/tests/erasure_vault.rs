//! An erasure counts from its commit on, though the vault's file is in somebody's hands just then; and what a shared commit holds.

mod support;

use hos_core::call::{Begin, Change};
use hos_core::id::{InstanceId, KeyId, Name};
use hos_core::policy::Entity;
use hos_core::value::Record;
use hos_engine::{Erasure, Level, Settings, VerifyOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::host::{host, joined, world};
use support::{Store, change, fresh, go, new_order, root, uid};

const ROLE: &str = "HOS_TEST_VAULT_HELD";

/// What a child does: it holds the vault's file.
#[test]
fn role_of_a_child() {
    let Some(path) = std::env::var_os(ROLE) else { return };
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    println!("\nheld");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

/// Another program that writes to the vault, and does not come to an end.
struct Holder(Child);

impl Holder {
    fn of(store: &Path) -> Self {
        let mut path = store.as_os_str().to_owned();
        path.push(".vault");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "role_of_a_child", "--nocapture", "--test-threads=1"]);
        let mut child = command.env(ROLE, path).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        assert!(BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap().ends_with("held")));
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[track_caller]
fn intact(store: &Store) {
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
}

#[test]
fn nothing_is_written_of_an_erased_person_while_the_vault_is_busy() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings::default());
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let given = || Entity { uid: uid("A", "ann"), attrs: Record::new(), parents: [].into(), record: None };
    let held = Holder::of(&store.path);
    let done = store.engine.erase_with(&root(), &uid("A", "ann"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    assert!(done.answer.allowed && done.notices.iter().any(|notice| notice.contains("not destroyed yet")), "{:?}", done.notices);
    // The key lies in the vault; and by the store's word there is none.
    let mut begin = new_order("2");
    begin.by.given.push(given());
    assert_eq!(tenant.begin(begin).unwrap().code(), Some("hos.subject_erased"));
    drop(held);
    store.engine.work().unwrap();
    intact(&store);
    // Destroyed by now, and so for whoever opens anew.
    let Store { engine, clock, path, dir, database } = store;
    drop((engine, tenant));
    let vault = dir.path().join("s.db.vault");
    let keys = rusqlite::Connection::open(vault).unwrap();
    assert_eq!(keys.query_row("SELECT count(*) FROM hos_vault WHERE destroyed IS NOT NULL", [], |row| row.get(0)), Ok(1));
    drop(keys);
    let engine = hos_engine::Engine::builder().sqlite(&path).clock(clock.clone()).open().unwrap();
    intact(&Store { engine, clock, path, dir, database });
}

#[test]
fn who_never_had_a_key_is_found_again_by_the_one_that_was_destroyed() {
    if support::database::is_on() {
        return;
    }
    let store = fresh(Settings::default());
    let mut by = root();
    by.given.push(Entity { uid: uid("A", "zoe"), attrs: Record::new(), parents: [].into(), record: None });
    let held = Holder::of(&store.path);
    // Her key cannot be made: nothing is committed.
    assert!(store.engine.erase(&by, &uid("A", "zoe"), "x").is_err());
    drop(held);
    let done = store.engine.erase_with(&by, &uid("A", "zoe"), &Erasure { ground: "x", ..Erasure::default() }).unwrap();
    let record = done.record.unwrap();
    assert!(done.answer.allowed && record.key != KeyId([0; 16]) && record.lost.is_empty());
    intact(&store);
}

#[test]
fn what_a_sleeping_host_wrote_of_a_person_who_is_erased_is_told_and_no_fault() {
    let Some(store) = world() else { return };
    let joined = joined(&store);
    if joined.dialect() == hos_engine::store::sql::dialect::Dialect::Sqlite {
        eprintln!("left out: who writes has the whole file to itself");
        return;
    }
    change(&store.tenant("universe"), Change::Put { uid: uid("A", "bob"), attrs: Record::new() });
    let tenant = store.tenant("t1");
    assert!(tenant.begin(new_order("1")).unwrap().allowed && tenant.transition(go("1")).unwrap().allowed);
    let mut sleeper = host(&store, &joined);
    sleeper.say("BEGIN");
    let begin = Begin::new(uid("A", "root"), "o", "2", "new").unwrap().fact("who", uid("A", "ann")).once("of-ann").unwrap();
    assert!(sleeper.call(hos_core::call::Call::Begin(begin)).unwrap().allowed);
    let erased = store.engine.erase(&root(), &uid("A", "ann"), "x").unwrap();
    assert!(erased.allowed, "{:?}", erased.blockers);
    let Some(()) = sleeper.commit() else { return };
    store.engine.work().unwrap();
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert!(report.notices.iter().any(|notice| notice.contains("nobody can read it")), "{:#?}", report.notices);
    let left = tenant.instance(&Name::new("o").unwrap(), &InstanceId::new("2").unwrap());
    assert!(left.is_err() || left.unwrap().is_none_or(|instance| instance.facts.is_empty()));
}
