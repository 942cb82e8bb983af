//! A store that was put back: the mark, the quarantine, the fork report, the new epoch.

mod common;

use common::World;
use serde_json::json;

struct Put {
    world: World,
    lost: String,
}

impl Put {
    fn run(&self, arguments: &[&str]) -> common::Run {
        self.world.run(&[arguments, &["--mark", &self.world.path("mark")]].concat())
    }
}

fn restore(world: &World, name: &str) {
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", world.path("hos.db")));
    }
    std::fs::copy(world.path(name), world.path("hos.db")).unwrap();
}

fn checkpoint(world: &World, name: &str) -> String {
    // The receipt of the newest record bears it.
    let begin = ["begin", "order", name, "place", "--fact", "buyer=ayse", "--fact", "total=1"];
    let note = world.ayse_json(&begin).ended(0).json()["receipt"]["seal"]["checkpoint"].as_str().unwrap().to_owned();
    let path = world.path(&format!("{name}.note"));
    std::fs::write(&path, note).unwrap();
    path
}

fn put_back() -> Put {
    let world = World::new();
    world.order("o-1");
    let mark = world.path("mark");
    world.run(&["work", "--mark", &mark, "--json"]).ended(4);
    world.run(&["mark", "--mark", &mark]).ended(0);
    world.run(&["backup", &world.path("old.db"), "--mark", &mark]).ended(0);
    world.order("o-2");
    let lost = checkpoint(&world, "o-3");
    world.run(&["work", "--mark", &mark]).ended(0);
    restore(&world, "old.db");
    Put { world, lost }
}

#[test]
fn a_store_behind_its_mark_is_read_only_until_a_new_epoch() {
    let put = put_back();
    let begin = ["begin", "order", "o-9", "place", "--fact", "buyer=ayse", "--fact", "total=1", "--json"];
    assert_eq!(put.run(&begin).ended(4).code(), "hos.quarantined");
    put.run(&["history", "order", "o-1"]).ended(0);
    let verified = put.run(&["verify", "--json"]).ended(3).json();
    assert_eq!(verified["findings"][0]["where"], "mark");
    // What was not lost, or nothing, begins no epoch.
    put.world.run(&["epoch", "new", "--reason", "x"]).ended(2);
    std::fs::write(put.world.path("no.note"), "no note").unwrap();
    put.run(&["epoch", "new", "--reason", "x", "--lost", &put.world.path("no.note")]).ended(2);
    let done = put.run(&["epoch", "new", "--reason", "the disk died", "--lost", &put.lost, "--json"]).ended(0).json();
    assert_eq!(done, json!({ "epoch": 1 }));
    let verified = put.run(&["verify", "--json"]).ended(0).json();
    assert_eq!(verified["level"], "intact");
    assert!(verified["notices"].to_string().contains("epoch 1 of `pazar`"), "{verified}");
    assert_eq!(put.run(&begin).exit, 1, "the law says no again, and the store is open");
    put.world.order("o-9");
    put.run(&["verify"]).ended(0);
    put.run(&["epoch", "new", "--reason", "again", "--lost", &put.lost]).ended(2);
}

#[test]
fn what_the_mark_alone_says_was_lost_ends_its_quarantine() {
    let put = put_back();
    let epoch = ["epoch", "new", "--reason", "the disk died", "--json"];
    assert_eq!(put.run(&epoch).ended(0).json(), json!({ "epoch": 1 }));
    put.world.order("o-9");
    put.run(&["verify"]).ended(0);
    let again = put.run(&epoch).ended(2);
    assert!(again.code() == "hos.call_malformed" && again.out.contains("neither --lost nor a mark"), "{again:?}");
}

#[test]
fn a_mark_that_cannot_be_written_is_told_by_whoever_writes() {
    let world = World::new();
    let mark = world.path("mark");
    world.run(&["mark", "--mark", &mark]).ended(0);
    // A new mark is written beside the old one, and this cannot be.
    std::fs::create_dir(world.path("mark.new")).unwrap();
    let marked = std::fs::read(&mark).unwrap();
    let begin = ["begin", "order", "o-1", "place", "--as", "Account::ayse", "--fact", "buyer=ayse", "--fact", "total=1"];
    for words in [
        &begin[..],
        &["directory", "put", "Role::support"],
        &["outbox", "poll", "--json"],
        &["hold", "--subject", "Account::kedi", "--reason", "case 7", "--json"],
        &["tenant", "open", "pazar-de", "--json"],
    ] {
        let told = world.run(&[words, &["--mark", &mark]].concat()).ended(0);
        let is_told = told.err.starts_with("notice hos.store_unavailable: ") && told.err.contains("mark cannot be written");
        assert!(is_told && told.err.lines().count() == 1, "{told:?}");
    }
    let worked = world.run(&["work", "--mark", &mark, "--json"]).ended(4);
    assert!(worked.err.is_empty() && worked.json()["mark"].to_string().contains("cannot be written"), "{worked:?}");
    assert_eq!(std::fs::read(&mark).unwrap(), marked);
    std::fs::remove_dir(world.path("mark.new")).unwrap();
    assert_eq!(world.run(&["tick", "--mark", &mark]).ended(0).err, "");
    assert_ne!(std::fs::read(&mark).unwrap(), marked, "it follows as soon as it can");

    // What is there and cannot be read says nothing of the store.
    std::fs::remove_file(&mark).unwrap();
    std::fs::create_dir(&mark).unwrap();
    assert_eq!(world.run(&["tick", "--mark", &mark, "--json"]).ended(4).code(), "hos.store_unavailable");
}

#[test]
fn no_store_is_founded_whose_mark_cannot_be_written() {
    let (world, other, law) = (World::empty(), World::empty(), common::law());
    let words = ["init", "--law", law.to_str().unwrap(), "--founder", "Account::root", "--role", "Role::operator"];
    let init =
        |world: &World, mark: &str| world.run(&[&words[..], &["--attr", "active=true", "--json", "--mark", mark]].concat());
    assert_eq!(init(&world, &world.path("nowhere/mark")).ended(4).code(), "hos.store_unavailable");
    assert!(!std::path::Path::new(&world.path("hos.db.key")).exists());
    let mark = world.path("mark");
    assert_eq!(init(&world, &mark).ended(0).err, "");
    world.run(&["tick", "--mark", &mark]).ended(0);
    // Another store's mark is not written over.
    assert_eq!(init(&other, &mark).ended(4).code(), "hos.store_integrity");
}

#[test]
fn two_histories_become_a_report_that_a_stranger_verifies() {
    let put = put_back();
    let world = &put.world;
    // The old copy goes on without its mark.
    let other = checkpoint(world, "x-1");
    checkpoint(world, "x-2");
    world.run(&["verify", "--against", &other]).ended(0);
    let report = world.path("fork");
    let found = world.run(&["verify", "--against", &put.lost, "--fork-report", &report, "--json"]).ended(3).json();
    assert_eq!(found["forked"], true, "{found}");
    let vkeys = world.run(&["keys", "show", "--json"]).ended(0).json();
    let of = |tenant: &str| {
        let row = vkeys["keys"].as_array().unwrap().iter().find(|row| row["tenant"] == tenant).unwrap().clone();
        format!("log {}\nquorum none\n", row["vkey"].as_str().unwrap())
    };
    std::fs::write(world.path("trust"), of("pazar")).unwrap();
    std::fs::write(world.path("other"), of("universe")).unwrap();
    let verdict = world.run(&["verify", &report, "--trust", &world.path("trust"), "--json"]).ended(0).json();
    assert_eq!(verdict["verdict"], "forked");
    assert_eq!(verdict["sizes"].as_array().unwrap().len(), 2);
    assert!(world.run(&["verify", &report, "--trust", &world.path("trust")]).ended(0).out.starts_with("forked "));
    let verdict = world.run(&["verify", &report, "--trust", &world.path("other"), "--json"]).ended(3).json();
    assert_eq!(verdict["code"], "trust.unknown_log");
    // A bent one proves nothing.
    let text = std::fs::read_to_string(&report).unwrap();
    std::fs::write(world.path("bent"), text.replacen("root ", "root 0", 1)).unwrap();
    let verdict = world.run(&["verify", &world.path("bent"), "--trust", &world.path("trust"), "--json"]).ended(3).json();
    assert_eq!(verdict["code"], "fork.malformed");
    // An existing report is not replaced.
    world.run(&["verify", "--against", &put.lost, "--fork-report", &report]).ended(2);
}
