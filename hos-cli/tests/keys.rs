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
    let rotated = world.run(&["keys", "rotate", "--new-key", &old_path, "--json"]).ended(0).json();
    assert_eq!((rotated["public"].as_str().unwrap(), rotated["already"].as_bool()), (old.as_str(), Some(true)));
    let rotated = world.run(&["keys", "rotate", "--new-key", &new_path, "--json"]).ended(0).json();
    assert_eq!((rotated["public"].as_str().unwrap(), rotated["unsigned"].as_u64()), (new.as_str(), Some(0)));
    // Who was stopped behind the last commit asks again, with either key, and it is done already.
    for key in [&old_path, &new_path] {
        let again = ["keys", "rotate", "--new-key", &new_path, "--key-file", key];
        assert!(world.run(&again).ended(0).out.starts_with("rotated  already"));
        let json = world.run(&[&again[..], &["--json"]].concat()).ended(0).json();
        assert_eq!((json["public"].as_str().unwrap(), json["already"].as_bool()), (new.as_str(), Some(true)));
    }
    // The key before has had its time.
    let back = world.run(&["keys", "rotate", "--new-key", &old_path, "--key-file", &new_path, "--json"]);
    assert_eq!(back.ended(4).code(), "hos.key_invalid");
    // The old key opens it no more.
    let failure = world.run(&["work", "--json"]).ended(4);
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
        (vec!["keys", "revoke", &old, "--from-size", "pazar=2", "--from-size", "pazar=1", "--reason", "x"], 2),
        (vec!["keys", "revoke", &old, "--from-size", "1", "--from-size", "pazar=2", "--reason", "x"], 2),
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
fn a_change_that_nobody_of_ours_began_is_told_signed_by_nobody_and_taken_back() {
    let world = World::new();
    world.order("o-1");
    world.run(&["work"]).ended(0);
    world.run(&["keys", "withdraw", "--reason", "x"]).ended(4);
    let (ours, theirs) = (world.path("hos.db.key"), world.path("theirs.key"));
    let mut generate = hos();
    generate.args(["keys", "generate", &theirs, "--json"]);
    let key = run(generate).ended(0).json()["public"].as_str().unwrap().to_owned();
    let kept = world.path("kept.note");
    world.run(&["checkpoint", "--tenant", "universe", "-o", &kept]).ended(0);
    let vkeys = world.run(&["keys", "show", "--json"]).ended(0).json();
    let vkey = vkeys["keys"][0]["vkey"].as_str().unwrap().to_owned();
    // The signer refuses, and the record is there.
    std::fs::rename(&ours, world.path("away")).unwrap();
    world.run(&["keys", "rotate", "--new-key", &theirs, "--signer-command", "false"]).ended(4);
    std::fs::rename(world.path("away"), &ours).unwrap();
    for day in [&["directory", "put", "Account::x", "--attr", "active=true", "--tenant", "universe"][..], &["keys", "list"]] {
        let told = world.run(day).ended(0);
        assert!(told.err.starts_with("notice a change of the seal key") && told.err.contains(&key), "{told:?}");
    }
    let worked = world.run(&["work"]).ended(4);
    assert!(worked.out.contains("unsigned universe: a change of the seal key"), "{worked:?}");
    world.run(&["work", "--key-file", &theirs]).ended(4);
    let verified = world.run(&["verify", "--key", &vkey, "--against", &kept, "--json"]).ended(0).json();
    assert!(verified["notices"].to_string().contains(&key), "{verified}");
    let other = world.path("other.key");
    let mut generate = hos();
    generate.args(["keys", "generate", &other]);
    run(generate).ended(0);
    world.run(&["keys", "rotate", "--new-key", &other]).ended(4);
    let back = world.run(&["keys", "withdraw", "--reason", "nobody of ours began it", "--json"]).ended(0);
    assert_eq!((back.json()["withdrawn"].as_str().unwrap(), back.err.as_str()), (key.as_str(), ""));
    assert_eq!(world.run(&["work"]).ended(0).err, "");
    world.run(&["keys", "rotate", "--new-key", &other]).ended(0);
    let with = ["verify", "--key", &vkey, "--against", &kept, "--key-file", &other];
    world.run(&with).ended(0);
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
