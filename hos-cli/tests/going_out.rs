//! What leaves a store: files whose names are taken, patterns that hide nothing, stories longer than a page, and a key of one's own
//! held against what somebody else exported.

mod common;

use common::{World, hos, run};
use hos_core::id::TreeHash;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::fork::Fork;
use hos_core::proof::key::SealKey;
use std::path::Path;

fn is_there(path: &str) -> bool {
    Path::new(path).symlink_metadata().is_ok()
}

/// The key of a tenant's log, as somebody keeps it outside.
fn vkey(world: &World, tenant: &str) -> String {
    let shown = world.run(&["keys", "show", "--json"]).ended(0).json();
    let keys = shown["keys"].as_array().unwrap();
    keys.iter().find(|key| key["tenant"] == tenant).unwrap()["vkey"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_of_one_s_own_is_held_against_what_is_in_a_file() {
    let world = World::new();
    world.order("o-1");
    let (bundle, trust, tiles, proofs) =
        (world.path("o-1.hosb"), world.path("o-1.trust"), world.path("tiles"), world.path("proofs"));
    world.run(&["export", "--instance", "order/o-1", "-o", &bundle, "--trust-out", &trust]).ended(0);
    world.run(&["export", "--tiles", &tiles]).ended(0);
    world.run(&["export", "--instance", "order/o-1", "--proofs", &proofs]).ended(0);
    let proof = format!("{proofs}/000000.tlog-proof");
    let (own, same, other) = (vkey(&world, "pazar"), vkey(&world, "universe"), vkey(&World::new(), "pazar"));
    for file in [bundle.as_str(), &tiles, &proof] {
        let verify = |key: &str, more: &[&str]| {
            let words = ["verify", file, "--trust", trust.as_str(), "--key", key];
            world.run(&[&words[..], more].concat())
        };
        verify(&own, &[]).ended(0);
        // The store seals all its logs with one key, under a name for each.
        verify(&same, &[]).ended(0);
        let refused = verify(&other, &["--json"]).ended(3);
        assert_eq!(refused.code(), "checkpoint.unsigned", "{file}");
        assert_eq!(refused.json()["verdict"], "refused", "{file}");
        assert!(verify(&other, &[]).ended(3).out.contains("no signature of the key given"), "{file}");
        assert!(verify(&other, &["--lang", "tr"]).ended(3).out.contains("bu anahtarın imzası yok"), "{file}");
        for none in ["garbage", "", &own[1..]] {
            assert_eq!(verify(none, &["--json"]).ended(2).code(), "hos.value_invalid", "{file} {none}");
        }
    }
    // What does not hold at all is said as it is without the key.
    let cut = world.path("cut.hosb");
    let bytes = std::fs::read(&bundle).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let broken = world.run(&["verify", &cut, "--trust", &trust, "--key", &other, "--json"]).ended(3);
    assert_eq!(broken.code(), "bundle.not_canonical");
}

#[test]
fn a_key_of_one_s_own_is_held_against_a_report_of_a_fork() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (key, other) = (SealKey::from_seed(&[7; 32]), SealKey::from_seed(&[8; 32]));
    let named = |key: &SealKey| NoteKey::new("log", key.verify_key()).unwrap().to_string();
    let signed = |root: u8| {
        let checkpoint = Checkpoint { origin: "log".into(), size: 3, root: TreeHash([root; 32]), extensions: Vec::new() };
        checkpoint.sign(&key).unwrap()
    };
    let fork = Fork { root: TreeHash([2; 32]), proof: Vec::new(), smaller: signed(1), larger: signed(2) };
    std::fs::write(path("fork"), fork.encode()).unwrap();
    std::fs::write(path("trust"), format!("log {}\nquorum none\n", named(&key))).unwrap();
    let verify = |key: &SealKey| {
        let mut command = hos();
        command.args(["verify", &path("fork"), "--trust", &path("trust"), "--key", &named(key), "--json"]);
        run(command)
    };
    assert_eq!(verify(&key).ended(0).json()["verdict"], "forked");
    assert_eq!(verify(&other).ended(3).code(), "checkpoint.unsigned");
}

#[test]
fn a_backup_whose_vault_cannot_be_copied_leaves_nothing() {
    let world = World::new();
    let (copy, vault) = (world.path("copy.db"), world.path("copy.vault"));
    let backup = |vault: &str, exit: i32| world.run(&["backup", &copy, "--vault", vault]).ended(exit);
    std::fs::write(&vault, "mine").unwrap();
    let taken = backup(&vault, 2);
    assert!(taken.err.contains("exists already") && !is_there(&copy), "{taken:?}");
    assert_eq!(std::fs::read(&vault).unwrap(), b"mine");
    for own in [copy.clone(), world.path("./copy.db")] {
        let same = backup(&own, 2);
        assert!(same.err.contains("the copy's own name") && !is_there(&copy), "{own}: {same:?}");
    }
    assert!(backup(&world.path("none/vault"), 2).err.contains("directory") && !is_there(&copy));
    // A name that no file can have is found when the store's copy is there.
    let late = backup(&world.path(&"v".repeat(300)), 4);
    assert!(!is_there(&copy), "{late:?}");
    std::fs::remove_file(&vault).unwrap();
    backup(&vault, 0);
    assert!(is_there(&copy) && is_there(&vault));
}

#[test]
fn an_export_whose_trust_file_cannot_be_written_leaves_nothing() {
    let world = World::new();
    world.order("o-1");
    let taken = world.path("taken");
    std::fs::write(&taken, "mine").unwrap();
    let records = || world.run(&["verify", "--json"]).ended(0).json()["records"].clone();
    for (what, name) in [
        (&["--instance", "order/o-1", "-o"][..], "q.hosb"),
        (&["--instance", "order/o-1", "--proofs"][..], "q.proofs"),
        (&["--tiles"][..], "q.tiles"),
    ] {
        let to = world.path(name);
        let export = |to: &str, trust: &str, exit: i32| {
            let done = world.run(&[&["export"][..], what, &[to, "--trust-out", trust][..]].concat()).ended(exit);
            assert!(exit == 0 || to == taken || !is_there(to), "{name}: {done:?}");
            done.err
        };
        let before = records();
        assert!(export(&to, &taken, 2).contains("exists already"), "{name}");
        assert!(export(&taken, &to, 2).contains("exists already"), "{name}");
        assert!(export(&to, &to, 2).contains("named twice"), "{name}");
        assert_eq!(records(), before, "{name}: no record is written for what is not exported");
        // A name that no file can have is found when the rest is there.
        export(&to, &world.path(&"t".repeat(300)), 2);
        let trust = world.path(&format!("{name}.trust"));
        export(&to, &trust, 0);
        assert!(is_there(&to) && is_there(&trust), "{name}");
    }
    assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
}

#[test]
fn a_pattern_that_hides_nothing_discloses_nothing() {
    let world = World::new();
    world.order("o-1");
    let out = world.path("hidden.hosb");
    let export = |patterns: &[&str], exit: i32| {
        let words = ["export", "--instance", "order/o-1", "-o", out.as_str()];
        let hide: Vec<&str> = patterns.iter().flat_map(|pattern| ["--hide", *pattern]).collect();
        world.run(&[&words[..], &hide[..]].concat()).ended(exit)
    };
    for patterns in [&["buyr.*"][..], &["buyer.*", "buyr.*"], &["buyr.*", "*"]] {
        let refused = export(patterns, 2);
        assert!(refused.err.contains("`buyr.*` hides nothing") && refused.err.contains("`buyer.facts`"), "{refused:?}");
        assert!(!is_there(&out), "{patterns:?}");
    }
    assert!(export(&["buyer.*"], 0).out.contains("4 hidden"));
}

#[test]
fn what_somebody_else_vouches_for_has_a_word_of_its_own_in_turkish() {
    let world = World::new();
    world.order("o-1");
    let (bundle, trust, kept) = (world.path("o-1.hosb"), world.path("o-1.trust"), world.path("kept"));
    world.run(&["export", "--instance", "order/o-1", "-o", &bundle, "--trust-out", &trust]).ended(0);
    world.run(&["checkpoint", "-o", &kept]).ended(0);
    // A witness is `tanık`; a checkpoint that was kept is none.
    for what in [&["verify"][..], &["verify", bundle.as_str(), "--trust", trust.as_str()]] {
        let said = world.run(&[what, &["--against", kept.as_str(), "--lang", "tr"][..]].concat()).ended(0).out;
        assert!(said.starts_with("dayanaklı "), "{said}");
    }
}

#[test]
fn a_history_that_goes_on_says_from_where() {
    let world = World::new();
    world.order("o-1");
    world.ayse(&["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x"]).ended(0);
    let history = |more: &[&str]| world.run(&[&["history", "order", "o-1"][..], more].concat()).ended(0);
    let first = history(&["--limit", "1"]).out;
    assert!(first.ends_with("\nmore: --from 1\n") && first.lines().count() == 2, "{first}");
    assert!(history(&["--limit", "1", "--lang", "tr"]).out.ends_with("\ndevamı: --from 1\n"));
    assert_eq!(history(&["--limit", "1", "--json"]).json()["next"], 1);
    let none = world.run(&["history", "order", "o-1", "--limit", "0"]).ended(2);
    assert!(none.out.is_empty() && none.err.contains("--limit: at least 1"), "{none:?}");
    let all: [&[&str]; 5] =
        [&[], &["--limit", "2"], &["--from", "1", "--limit", "1"], &["--from", "2"], &["--limit", "18446744073709551615"]];
    for all in all {
        let said = history(all).out;
        assert!(!said.contains("more"), "{all:?}: {said}");
        assert!(history(&[all, &["--json"][..]].concat()).json().get("next").is_none(), "{all:?}");
    }
}
