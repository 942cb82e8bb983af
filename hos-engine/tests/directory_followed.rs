//! The universe's directory after another process has changed it: every answer is as if all of it were read anew, and few of its rows are.
//!
//! The other process is this very binary again; see `role_of_another_process`.

mod support;

use hos_core::call::{Can, Change};
use hos_core::id::Uid;
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::Record;
use hos_engine::{Engine, Erasure, Failure, Level, ReplayOptions, Seal, Settings, VerifyOptions};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use support::{Store, change, fresh_under, root, uid};

/// What the other process does, in words; see [`done`].
const DONE: &str = "HOS_TEST_DONE";

#[test]
fn role_of_another_process() {
    let Some(path) = std::env::var_os("HOS_TEST_STORE") else { return };
    let clock = Arc::new(hos_engine::clock::SetClock::at(support::at("2026-01-01T00:00:00Z")));
    let engine = Engine::builder().sqlite(&path).clock(clock).open().unwrap();
    for line in std::env::var(DONE).unwrap().lines() {
        done(&engine, &line.split(' ').collect::<Vec<_>>());
    }
    drop(engine);
    // Behind everybody's back: a row that nobody can read any more.
    if std::env::var_os("HOS_TEST_DAMAGED").is_some() {
        let db = rusqlite::Connection::open(path).unwrap();
        assert_eq!(db.execute("UPDATE hos_directory SET attrs = x'00' WHERE CAST(id AS TEXT) = 'ann'", []).unwrap(), 1);
    }
}

fn done(engine: &Engine, words: &[&str]) {
    let of = |kind: &str, name: &str| uid(kind, name);
    let made = match *words {
        ["put", kind, name] => Change::Put { uid: of(kind, name), attrs: Record::new() },
        ["remove", kind, name] => Change::Remove { uid: of(kind, name) },
        ["join", name, role] => Change::Join { uid: of("A", name), parent: of("R", role) },
        ["leave", name, role] => Change::Leave { uid: of("A", name), parent: of("R", role) },
        ["under", name, other] => Change::Join { uid: of("A", name), parent: of("A", other) },
        ["apart", name, other] => Change::Leave { uid: of("A", name), parent: of("A", other) },
        ["grant", name] => {
            Change::Grant { id: name.to_owned(), template: "may".into(), principal: Some(of("A", name)), resource: None }
        }
        ["revoke", name] => Change::Revoke { id: name.to_owned() },
        ["erase", name] => {
            let erasure = Erasure { ground: "x", ..Erasure::default() };
            assert!(engine.erase_with(&root(), &of("A", name), &erasure).unwrap().answer.allowed);
            return;
        }
        _ => panic!("{words:?}"),
    };
    change(&engine.tenant("universe").unwrap(), made);
}

/// Has another process do this.
fn elsewhere(store: &Store, lines: &str, damaged: bool) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "role_of_another_process", "--nocapture"]);
    child.env("HOS_TEST_STORE", &store.path).env(DONE, lines);
    if damaged {
        child.env("HOS_TEST_DAMAGED", "1");
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

/// Notes are made by writers and by whoever is granted it, and by nobody who is banned. Nothing is answered from memory.
fn world(seal: Seal) -> Option<Store> {
    if support::database::is_on() {
        return None;
    }
    let more = "@id(\"notes\")permit(principal in N::R::\"writer\",action==N::Action::\"record.note\",resource);
@id(\"may\")permit(principal==?principal,action==N::Action::\"record.note\",resource);
@id(\"ban\")forbid(principal in N::R::\"banned\",action,resource);\n";
    let settings = Settings { seal, directory_age_max: Duration::ZERO, ..Settings::default() };
    let granting = "\"directory.grant\",\"directory.revoke\" appliesTo{principal:[A],resource:[";
    let store = fresh_under(settings, |path, text| match path {
        "policies/p.cedar" => text + more,
        // A grant without a resource is judged on whom it is for; and some are under others.
        _ => text
            .replace(granting, &format!("{granting}A,"))
            .replace("entity A in [R]", "entity A in [R,A]")
            .replace("resource:[R],context:{subject:A}", "resource:[R,A],context:{subject:A}"),
    });
    // So many entities that looking for changes is worth it.
    for i in 0..80 {
        change(&store.tenant("universe"), Change::Put { uid: uid("R", &format!("role{i}")), attrs: Record::new() });
    }
    for role in ["writer", "banned"] {
        change(&store.tenant("universe"), Change::Put { uid: uid("R", role), attrs: Record::new() });
    }
    change(&store.tenant("universe"), Change::Join { uid: uid("A", "ann"), parent: uid("R", "writer") });
    Some(store)
}

fn asked(store: &Store, tenant: &str, who: &Uid) -> Result<bool, Failure> {
    let gate = Entity { uid: uid("Gate", "x"), attrs: Record::new(), parents: [].into(), record: None };
    Ok(store.tenant(tenant).can(&Can::new(who.clone(), "record.note", uid("Gate", "x")).given(gate))?.allowed)
}

/// Who of these may make a note, in the tenant and in the universe alike.
fn may(store: &Store) -> Vec<&'static str> {
    let all = ["ann", "bob", "cat", "dan"];
    let may = |tenant: &str| all.into_iter().filter(|who| asked(store, tenant, &uid("A", who)).unwrap()).collect::<Vec<_>>();
    let here = may("t1");
    assert_eq!(may("universe"), here);
    here
}

#[test]
fn what_another_process_changed_decides_here() {
    for seal in [Seal::Inline, Seal::Worker] {
        let Some(store) = world(seal) else { return };
        assert_eq!(may(&store), ["ann"]);
        let many = (0..70).map(|i| format!("put R later{i}\n")).collect::<String>() + "leave bob banned";
        let steps: &[(&str, &[&str])] = &[
            ("put A bob", &["ann"]),
            ("join bob writer", &["ann", "bob"]),
            ("put A cat\njoin cat writer\nput A dan", &["ann", "bob", "cat"]),
            ("leave cat writer\njoin bob banned", &["ann"]),
            ("grant dan\ngrant bob", &["ann", "dan"]),
            ("revoke dan\nput R new\njoin dan new", &["ann"]),
            (&many, &["ann", "bob"]),
            // Whoever was in a role that goes is in it again when it comes back.
            ("remove R writer", &["bob"]),
            ("put R writer", &["ann", "bob"]),
            ("remove R writer\nput R writer", &["ann", "bob"]),
            ("remove R banned\njoin cat writer", &["ann", "bob", "cat"]),
            ("put R banned\njoin cat banned", &["ann", "bob"]),
            ("leave cat banned", &["ann", "bob", "cat"]),
            // Of an erasure no record of the directory tells.
            ("erase cat", &["ann", "bob"]),
            ("put A cat2\nerase bob\ngrant dan", &["ann", "dan"]),
            ("revoke dan", &["ann"]),
            ("put A over\nput A top\nunder ann over\njoin top writer", &["ann"]),
            // Between these changes the rows that are there in the end would be a circle.
            ("under over top\napart ann over\nunder over ann\njoin over banned\nput A bob2", &["ann"]),
        ];
        for (lines, wanted) in steps {
            elsewhere(&store, lines, false);
            assert_eq!(may(&store), *wanted, "{lines}");
            // And this process goes on from there.
            change(&store.tenant("universe"), Change::Put { uid: uid("R", "own"), attrs: Record::new() });
            assert_eq!(may(&store), *wanted, "{lines}, and a change of this process");
        }
        store.engine.work().unwrap();
        let report = store.engine.verify(&VerifyOptions::default()).unwrap();
        assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
        assert_eq!(store.engine.replay(&ReplayOptions::default()).unwrap().listed, []);
    }
}

/// A directory of a hundred thousand is not read anew for one who signs up: a row that cannot be read is not met.
#[test]
fn no_other_row_is_read_for_what_changed() {
    let Some(store) = world(Seal::Inline) else { return };
    assert_eq!(may(&store), ["ann"]);
    elsewhere(&store, "put A bob\njoin bob writer\nput A cat\ngrant cat", true);
    assert_eq!(may(&store), ["ann", "bob", "cat"], "as ann was");
    change(&store.tenant("universe"), Change::Put { uid: uid("R", "own"), attrs: Record::new() });
    assert_eq!(may(&store), ["ann", "bob", "cat"]);
    // Who goes may be somebody's role: then all are read.
    change(&store.tenant("universe"), Change::Remove { uid: uid("R", "own") });
    let answer = asked(&store, "t1", &uid("A", "ann")).map_err(|failure| failure.code);
    assert_eq!(answer, Err(Code::DirectoryStale));
}
