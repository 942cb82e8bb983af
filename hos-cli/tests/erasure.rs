//! A person erased by command: holds, attestation, what is said of it in both languages, and what can be shown afterwards.

mod common;

use common::World;
use serde_json::json;

fn paid(world: &World) {
    world.order("o-1");
    world.ayse(&["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x"]).ended(0);
}

#[test]
fn a_hold_stands_before_an_erasure() {
    let world = World::new();
    paid(&world);
    let hold = ["hold", "--subject", "Account::ayse", "--reason", "case 7"];
    assert_eq!(world.ayse_json(&hold).ended(1).code(), "hos.not_permitted");
    world.run(&hold).ended(0);
    let erase = ["erase", "--subject", "Account::ayse", "--ground", "request 12", "--legal", "KVKK m.7"];
    assert_eq!(world.run(&[&erase[..], &["--json"]].concat()).ended(1).code(), "hos.subject_held");
    let release = ["release", "--subject", "Account::ayse", "--reason", "closed"];
    world.run(&release).ended(0);
    assert_eq!(world.run(&[&release[..], &["--json"]].concat()).ended(1).code(), "hos.subject_not_held");
    world.run(&erase).ended(0);
    world.run(&["verify"]).ended(0);
}

#[test]
fn an_erasure_says_what_was_lost_and_who_looked() {
    let world = World::new();
    paid(&world);
    let key = world.path("auditor.key");
    world.run(&["keys", "generate", &key]).ended(0);
    let erase = ["erase", "Account::ayse", "--ground", "request 12", "--legal", "KVKK m.7", "--attest", &key, "--json"];
    let said = world.run(&erase).ended(0).json();
    let erasure = &said["erasure"];
    assert_eq!((&erasure["ground"], &erasure["legal"]), (&json!("request 12"), &json!("KVKK m.7")));
    assert_eq!((&erasure["verdict"], &said["notices"]), (&json!("intact"), &json!([])));
    assert_eq!(erasure["attested_by"].as_str().unwrap().len(), 64);
    let lost = json!([
        { "tenant": "pazar", "kind": "begun", "count": 1 },
        { "tenant": "pazar", "kind": "moved", "count": 1 },
        { "tenant": "universe", "kind": "directory", "count": 1 },
    ]);
    assert_eq!(erasure["lost"], lost);
    let verified = world.run(&["verify", "--json"]).ended(0).json();
    assert_eq!(verified["findings"], json!([]));

    // The order's story is still told, as far as it is anybody's.
    let history = world.run(&["history", "order", "o-1", "--json"]).ended(0).json();
    let kinds: Vec<&str> = history["history"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["begun", "moved", "erased"]);
    assert!(history["history"][0]["erased"].as_array().unwrap().contains(&json!("facts")));
    assert_eq!(world.run(&["available", "order", "o-1", "--json"]).ended(1).code(), "hos.instance_erased");
    let again = ["begin", "order", "o-1", "place", "--fact", "buyer=mehmet", "--fact", "total=1", "--json"];
    assert_eq!(world.run(&again).code(), "hos.instance_erased");
    assert_eq!(world.run(&["transition", "order", "o-1", "expire", "--json"]).code(), "hos.instance_erased");

    // A bundle of it is complete and verifies.
    let (bundle, trust) = (world.path("o-1.hosb"), world.path("o-1.hosb.trust"));
    world.run(&["export", "--instance", "order/o-1", "-o", &bundle, "--trust-out", &trust]).ended(0);
    #[cfg(unix)]
    {
        // What a bundle holds in the clear is for its owner to hand on; whom to trust is no secret.
        use std::os::unix::fs::PermissionsExt;
        let others = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
        assert_eq!(others(&bundle), 0);
        assert_eq!(std::fs::metadata(&trust).unwrap().permissions().mode() & 0o600, 0o600);
    }
    let verdict = world.run(&["verify", &bundle, "--trust", &trust, "--json"]).ended(0).json();
    assert!(verdict["complete"].is_object() && verdict["parts"]["erased"].as_u64().unwrap() > 0, "{verdict}");
}

#[test]
fn it_is_said_in_turkish_too() {
    let world = World::new();
    paid(&world);
    let erase = ["erase", "--subject", "Account::ayse", "--ground", "x", "--lang", "tr"];
    let said = world.run(&erase).ended(0).out;
    assert!(said.contains("kayıt artık yeniden yargılanamaz") && said.contains("bütündü"), "{said}");
    let english = World::new();
    paid(&english);
    let said = english.run(&erase[..5]).ended(0).out;
    assert!(said.contains("can no longer be judged again") && said.contains("intact until now"), "{said}");
}

/// Accounts of this law have an attribute that they must have, so that an id alone is no account: what the directory does not give, the
/// call does.
#[test]
fn who_is_in_no_directory_is_held_and_erased_by_what_comes_with_the_call() {
    let world = World::new();
    let given = r#"[{"uid": {"type": "Stall::Account", "id": "walkin"}, "attrs": {"active": true}}]"#;
    let hold = ["hold", "--subject", "Account::walkin", "--reason", "case 7"];
    let release = ["release", "--subject", "Account::walkin", "--reason", "closed"];
    let erase = ["erase", "Account::walkin", "--ground", "request 12"];
    let with = |words: &[&str]| world.run(&[words, &["--given", given, "--json"]].concat());
    for words in [&hold[..], &release, &erase] {
        assert_eq!(world.run(&[words, &["--json"]].concat()).ended(1).code(), "hos.entity_missing", "{words:?}");
    }
    with(&hold).ended(0);
    assert_eq!(with(&erase).ended(1).code(), "hos.subject_held");
    with(&release).ended(0);
    with(&erase).ended(0);
    assert_eq!(with(&erase).ended(1).code(), "hos.subject_erased");

    // The same of an account that was removed.
    world.run(&["directory", "remove", "Account::mehmet", "--tenant", "universe"]).ended(0);
    let erase = ["erase", "Account::mehmet", "--ground", "request 13"];
    assert_eq!(world.run(&[&erase[..], &["--json"]].concat()).ended(1).code(), "hos.entity_missing");
    world.run(&[&erase[..], &["--given", given.replace("walkin", "mehmet").as_str()]].concat()).ended(0);
    world.run(&["verify"]).ended(0);
    assert_eq!(world.run(&[&erase[..], &["--given", "no JSON", "--json"]].concat()).ended(2).code(), "hos.call_malformed");
}

#[test]
fn wrong_words_erase_nobody() {
    let world = World::new();
    paid(&world);
    for arguments in [
        &["erase", "--ground", "x"][..],
        &["erase", "Account::ayse", "--subject", "Account::kedi", "--ground", "x"],
        &["erase", "Account::ayse"],
        &["hold", "--subject", "Account::ayse"],
        &["release", "--reason", "x"],
    ] {
        world.run(arguments).ended(2);
    }
    // What stands for good says something, and is not long.
    let (whom, long) = (["--subject", "Account::ayse", "--json"], "x".repeat(1025));
    for words in [
        &["erase", "--ground", ""][..],
        &["erase", "--ground", " \t"],
        &["erase", "--ground", &long],
        &["erase", "--ground", "x", "--legal", &long],
        &["hold", "--reason", " "],
        &["hold", "--reason", &long],
        &["release", "--reason", ""],
    ] {
        assert_eq!(world.run(&[words, &whom].concat()).ended(2).code(), "hos.call_malformed", "{words:?}");
    }
    let missing = world.path("no.key");
    let attest = ["erase", "Account::ayse", "--ground", "x", "--attest", &missing, "--json"];
    assert_eq!(world.run(&attest).ended(4).code(), "hos.key_invalid");
    assert!(world.ayse(&["history", "order", "o-1"]).ended(0).out.contains("new -> paid"));
}
