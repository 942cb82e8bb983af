//! `hos keys`: rotated, revoked, listed.

mod common;

use common::{World, hos, run};

#[test]
fn a_key_is_rotated_listed_and_revoked() {
    let world = World::new();
    world.order("o-1");
    world.run(&["tenant", "open", "idle"]).ended(0);
    let before = world.run(&["keys", "list", "--json"]).ended(0).json();
    let old = before["keys"][0]["public"].as_str().unwrap().to_owned();
    let (old_path, new_path) = (world.path("hos.db.key"), world.path("new.key"));
    let mut generate = hos();
    generate.args(["keys", "generate", &new_path, "--json"]);
    let new = run(generate).ended(0).json()["public"].as_str().unwrap().to_owned();
    world.run(&["keys", "rotate"]).ended(2);
    world.run(&["keys", "rotate", "--new-key", &world.path("none")]).ended(4);
    assert_eq!(world.run(&["keys", "rotate", "--new-key", &old_path, "--json"]).ended(4).code(), "hos.key_invalid");
    let rotated = world.run(&["keys", "rotate", "--new-key", &new_path, "--json"]).ended(0).json();
    assert_eq!((rotated["public"].as_str().unwrap(), rotated["unsigned"].as_u64()), (new.as_str(), Some(0)));
    // The old key opens it no more.
    let failure = world.run(&["verify", "--json"]).ended(4);
    assert!(failure.code() == "hos.key_invalid" && failure.out.contains("another took over"), "{failure:?}");
    let with = |arguments: &[&str]| world.run(&[arguments, &["--key-file", &new_path]].concat());
    with(&["verify"]).ended(0);
    let listed = with(&["keys", "list", "--json"]).ended(0).json();
    let of = |tenant: &str| -> Vec<(String, u64, Option<u64>)> {
        let rows = listed["keys"].as_array().unwrap().iter().filter(|row| row["tenant"] == tenant);
        rows.map(|row| (row["public"].as_str().unwrap().to_owned(), row["from"].as_u64().unwrap(), row["to"].as_u64())).collect()
    };
    let pazar = of("pazar");
    assert_eq!(pazar, [(old.clone(), 0, Some(pazar[1].1 - 1)), (new.clone(), pazar[1].1, None)]);
    assert_eq!(of("idle"), [(new.clone(), 1, None)]);
    assert!(with(&["keys", "list"]).ended(0).out.contains(" to now\n"));

    for (arguments, exit) in [
        (vec!["keys", "revoke", "abc", "--from-size", "1", "--reason", "x"], 2),
        (vec!["keys", "revoke", &old, "--from-size", "one", "--reason", "x"], 2),
        (vec!["keys", "revoke", &old, "--from-size", "nowhere=1", "--reason", "x"], 2),
        (vec!["keys", "revoke", &old, "--from-size", "1", "--reason", ""], 4),
        (vec!["keys", "revoke", &new, "--from-size", "1", "--reason", "x"], 4),
        (vec!["keys", "revoke", &old, "--reason", "x"], 2),
        (vec!["keys", "revoke", &old, "--from-size", "1"], 2),
        (vec!["keys", "revoke", &old, "--from-size", "pazar=2", "--reason", "the machine was stolen"], 0),
    ] {
        let done = with(&arguments);
        assert_eq!(done.exit, exit, "{arguments:?}: {done:?}");
    }
    let listed = with(&["keys", "list", "--json"]).ended(0).json();
    let revoked = listed["keys"].as_array().unwrap().iter().find(|row| row["tenant"] == "pazar" && row["public"] == old.as_str());
    assert_eq!(revoked.map(|row| row["to"].as_u64()), Some(Some(1)));
    with(&["verify"]).ended(0);
}

#[test]
fn what_is_exported_right_after_a_change_holds_under_the_trust_file_written_with_it() {
    let world = World::new();
    world.order("o-1");
    let new_path = world.path("new.key");
    let mut generate = hos();
    generate.args(["keys", "generate", &new_path]);
    run(generate).ended(0);
    world.run(&["keys", "rotate", "--new-key", &new_path]).ended(0);
    let with = |arguments: &[&str]| world.run(&[arguments, &["--key-file", &new_path]].concat());
    let keys = |file: &str| std::fs::read_to_string(file).unwrap().lines().filter(|line| line.starts_with("log ")).count();
    let holds = |what: &str, arguments: &[&str], named: usize| {
        let (file, trust) = (world.path(what), world.path(&format!("{what}.trust")));
        with(&[&["export"], arguments, &[&file, "--trust-out", &trust]].concat()).ended(0);
        let evidence = if what == "proofs" { format!("{file}/000000.tlog-proof") } else { file };
        world.run(&["verify", &evidence, "--trust", &trust]).ended(0);
        assert_eq!(keys(&trust), named, "{what}");
    };
    // Nothing was written to the tenant's log since: it stands under the old key, the universe's under the new.
    holds("tiles", &["--tiles"], 2);
    holds("proofs", &["--instance", "order/o-1", "--proofs"], 2);
    holds("idle.hosb", &["--instance", "order/o-1", "--without-map", "-o"], 2);
    // The map's record is under the new key, and the old one counts for nothing any more.
    holds("mapped.hosb", &["--instance", "order/o-1", "-o"], 1);
}
