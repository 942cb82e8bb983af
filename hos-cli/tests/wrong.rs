//! Wrong input, and the code that each gets.

mod common;

use common::{Run, World, hos, law, run};
use hos_core::limits::TOML_BYTES_MAX;
use hos_core::refusal::Code;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

fn places(world: &World, more: &[&str]) -> Run {
    world.ayse_json(&[&["begin", "order", "o-9", "place"][..], more].concat())
}

#[test]
fn every_wrong_word_has_its_code() {
    let world = World::new();
    world.order("o-1");
    let long = "x".repeat(256);
    let (law, endless) = (law().to_str().unwrap().to_owned(), world.path("endless"));
    std::fs::File::create(&endless).unwrap().set_len(TOML_BYTES_MAX as u64 + 1).unwrap();
    let pay = |args: &[&'static str]| [&["transition", "order", "o-1", "pay"][..], args].concat();
    let table: Vec<(Vec<&str>, Code, i32)> = vec![
        // Whom and what nobody knows.
        (vec!["can", "order.view", "order/o-1", "--tenant", "nowhere"], Code::TenantUnknown, 2),
        (vec!["can", "order.view", "order/o-1", "--tenant", "No Where"], Code::IdInvalid, 2),
        (vec!["can", "order.view", "order/o-1", "--as", "Account::nobody"], Code::PrincipalUnknown, 1),
        (vec!["can", "order.view", "order/o-1", "--as", "Ghost::ayse"], Code::PrincipalTypeUnknown, 1),
        (vec!["can", "order.view", "order/o-1", "--as", "ayse"], Code::IdInvalid, 2),
        (vec!["can", "order.view", "order/o-1", "--as", "Account::"], Code::IdInvalid, 2),
        (vec!["can", "order.view", "order/o-1", "--as", "Account::\"a\"b\""], Code::IdInvalid, 2),
        (vec!["can", "order.veiw", "order/o-1"], Code::ActionUnknown, 1),
        (vec!["can", "order.view", "Ghost::x"], Code::ResourceTypeUnknown, 1),
        (vec!["can", "order.view", "order/none"], Code::EntityMissing, 1),
        (vec!["can", "order.view", "ordre/o-1"], Code::ContractUnknown, 1),
        (vec!["can", "order.view", "order/"], Code::IdInvalid, 2),
        (vec!["begin", "ordre", "o-9", "place"], Code::ContractUnknown, 1),
        (vec!["begin", "order", "o-1", "place", "--fact", "buyer=ayse", "--fact", "total=1"], Code::InstanceExists, 1),
        (vec!["begin", "order", "o-9", "pay"], Code::EventUnknown, 1),
        (vec!["transition", "order", "none", "pay"], Code::InstanceUnknown, 1),
        (vec!["transition", "order", "o-1", "fly"], Code::EventUnknown, 1),
        (vec!["transition", "ordre", "o-1", "pay"], Code::ContractUnknown, 1),
        (vec!["history", "ordre", "o-1"], Code::ContractUnknown, 1),
        (vec!["history", "order", "none"], Code::InstanceUnknown, 1),
        (vec!["available", "order", "none"], Code::InstanceUnknown, 1),
        (vec!["directory", "grant", "g", "no-template"], Code::TemplateUnknown, 1),
        (vec!["outbox", "ack", "1", "not-hex"], Code::CallMalformed, 2),
        // Ids.
        (vec!["begin", "order", "", "place"], Code::IdInvalid, 2),
        (vec!["begin", "order", &long, "place"], Code::IdInvalid, 2),
        (vec!["transition", "order", "o-1", "pay", "--once", ""], Code::IdInvalid, 2),
        (vec!["transition", "or der", "o-1", "pay"], Code::IdInvalid, 2),
        // An answer that is no, whatever its code.
        (vec!["record", "hos.law", "--text", "x"], Code::IdInvalid, 1),
        // Arguments.
        (pay(&["--arg", "amount=1"]), Code::AttributeMissing, 1),
        (pay(&["--arg", "amount=1", "--arg", "psp_ref=x", "--arg", "tip=1"]), Code::AttributeUnknown, 1),
        (pay(&["--arg", "amount=many", "--arg", "psp_ref=x"]), Code::AttributeType, 1),
        (pay(&["--args", r#"{"amount":"1","psp_ref":"x"}"#]), Code::AttributeType, 1),
        (pay(&["--arg", "amount=9223372036854775808"]), Code::ValueInvalid, 2),
        (pay(&["--arg", "amount=42.5"]), Code::ValueInvalid, 2),
        (pay(&["--arg", "amount=null"]), Code::ValueInvalid, 2),
        (pay(&["--arg", "amount"]), Code::CallMalformed, 2),
        (pay(&["--arg", "amount=1", "--arg", "amount=2"]), Code::CallMalformed, 2),
        (pay(&["--arg", "amount=1", "--args", r#"{"amount":1}"#]), Code::CallMalformed, 2),
        (pay(&["--args", r#"{"amount":1,"amount":1}"#]), Code::CallMalformed, 2),
        (pay(&["--args", r#"{"amount":1.0}"#]), Code::ValueInvalid, 2),
        (pay(&["--args", r#"{"amount":null}"#]), Code::ValueInvalid, 2),
        (pay(&["--args", r#"{"amount":9223372036854775808}"#]), Code::ValueInvalid, 2),
        (pay(&["--args", "[]"]), Code::CallMalformed, 2),
        (pay(&["--args", "{"]), Code::CallMalformed, 2),
        (pay(&["--args", "@/no/such/file"]), Code::CallMalformed, 2),
        (vec!["work", "--time", "yesterday"], Code::ValueInvalid, 2),
        (vec!["verify", "--anchor", "/no/such/file"], Code::CallMalformed, 2),
        // No more is read than the longest there is, were it endless.
        (vec!["verify", "--against", &endless], Code::CallTooLarge, 2),
        (vec!["verify", "--since", &endless], Code::CallTooLarge, 2),
        (vec!["law", "activate", &law, "--modes", &endless], Code::CallTooLarge, 2),
        (vec!["law", "activate", "/no/such/law"], Code::LawInvalid, 5),
        (vec!["fly"], Code::CallMalformed, 2),
    ];
    for (arguments, code, exit) in table {
        let got = world.ayse_json(&arguments);
        assert_eq!((got.code().as_str(), got.exit), (code.as_str(), exit), "{arguments:?}: {got:?}");
        // The same, for a person: the words are on the other stream, and no colour among them.
        let said = world.ayse(&arguments);
        assert_eq!(said.exit, exit, "{arguments:?}");
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn what_is_wrong_with_an_object_is_told_of_its_own_option() {
    let world = World::new();
    world.order("o-1");
    let put = ["directory", "put", "Account::x", "--tenant", "universe", "--attrs", "{x"];
    let begin = ["begin", "order", "o-9", "place", "--facts", "[]"];
    for (words, wanted) in [
        (&["transition", "order", "o-1", "pay", "--args", "[]"][..], "--args must be an object"),
        (&["transition", "order", "o-1", "pay", "--args", "{x"][..], "--args: "),
        (&begin[..], "--facts must be an object"),
        (&put[..], "--attrs: "),
    ] {
        let said = world.ayse(words).ended(2).err;
        assert!(said.contains(wanted), "{words:?}: {said}");
    }
}

#[test]
fn a_misspelt_word_says_what_was_probably_meant() {
    let world = World::new();
    world.order("o-1");
    let table = [
        (vec!["transition", "order", "o-1", "pai"], "did you mean `pay`?"),
        (vec!["transition", "ordr", "o-1", "pay"], "did you mean `order`?"),
        (vec!["begin", "order", "o-9", "plaec", "--fact", "buyer=ayse", "--fact", "total=1"], "did you mean `place`?"),
    ];
    for (arguments, wanted) in table {
        let said = world.ayse(&arguments).ended(1);
        assert!(said.out.contains(wanted) || said.err.contains(wanted), "{arguments:?}: {said:?}");
    }
}

#[test]
fn a_mode_of_what_is_not_there_is_refused() {
    let world = World::new();
    let law = law();
    let law = law.to_str().unwrap();
    let modes = world.path("modes.toml");
    std::fs::write(&modes, "default = \"enforce\"\n[[mode]]\nsubject = \"ordr\"\nmode = \"shadow\"\n").unwrap();
    let json = |words: &[&str]| world.run(&[&["law"][..], words, &["--json"]].concat()).ended(0).json();
    let shown = || json(&["show"])["modes"].clone();
    let activations = || json(&["list"])["laws"][0]["activations"].as_array().unwrap().len();
    let before = (shown(), activations());
    for (words, wanted) in [
        (["--mode", "ordr.pay=shadow"], "no action and no contract `ordr.pay`; did you mean `order.pay`?"),
        (["--mode", "pazar:oder=shadow"], "no action and no contract `oder`; did you mean `order`?"),
        (["--mode", "warehouse=off"], "no action and no contract `warehouse`\n"),
        (["--mode", "pazr:order=off"], "the store has no tenant `pazr`; did you mean `pazar`?"),
        (["--mode", "elsewhere:=off"], "the store has no tenant `elsewhere`\n"),
        (["--modes", modes.as_str()], "no action and no contract `ordr`; did you mean `order`?"),
    ] {
        let said = world.run(&[&["law", "activate", law][..], &words].concat()).ended(2).err;
        assert!(said.contains(wanted), "{words:?}: {said}");
    }
    assert_eq!((shown(), activations()), before, "nothing was activated");
    let known = ["order.pay=shadow", "order=off", "pazar:=shadow", "universe:order=off"];
    let known: Vec<&str> = known.iter().flat_map(|mode| ["--mode", *mode]).collect();
    world.run(&[&["law", "activate", law][..], &known].concat()).ended(0);
    // What is carried over is none of this command's words, under a law that lacks it too.
    let other = tempfile::tempdir().unwrap();
    copy(std::path::Path::new(law), other.path());
    let schema = other.path().join("schema.cedarschema");
    let text = std::fs::read_to_string(&schema).unwrap().replace("action \"tag.read\"", "action \"tag.see\"");
    std::fs::write(schema, text).unwrap();
    let policies = other.path().join("policies/all.cedar");
    let text = std::fs::read_to_string(&policies).unwrap().replace("\"tag.read\"", "\"tag.see\"");
    std::fs::write(policies, text).unwrap();
    world.run(&["law", "activate", law, "--mode", "tag.read=shadow"]).ended(0);
    let other = other.path().to_str().unwrap();
    world.run(&["law", "activate", other, "--mode", "tag.see=shadow"]).ended(0);
    assert!(shown().to_string().contains("tag.read"));
    world.run(&["law", "activate", other, "--mode", "tag.read=shadow"]).ended(2);
    // A candidate's words are known as well.
    world.run(&["law", "activate", other, "--candidate", law, "--mode", "tag.read=shadow"]).ended(0);
}

#[test]
fn several_faults_are_told_at_once() {
    let world = World::new();
    let refused = places(&world, &["--fact", "gift=true"]).ended(1).json();
    let details: Vec<&str> = refused["blockers"].as_array().unwrap().iter().map(|b| b["detail"].as_str().unwrap()).collect();
    assert_eq!(details.len(), 2, "{details:?}");
    assert!(details[0].contains("buyer") && details[1].contains("total"), "{details:?}");
}

#[test]
fn odd_ids_are_kept_and_shown_escaped() {
    let world = World::new();
    for id in ["a\u{1b}[2Jb", "a\u{202e}b", "\n", "ş", "a b", "-"] {
        let born = world.ayse(&["begin", "order", "--fact", "buyer=ayse", "--fact", "total=1", "--", id, "place"]).ended(0);
        let shown = world.ayse(&["history", "order", "--parts", "--", id]).ended(0);
        for text in [&born.out, &shown.out] {
            assert!(text.trim_end().chars().all(|c| (!c.is_control() || c == '\n') && c != '\u{202e}'), "{text:?}");
        }
    }
    // A NUL cannot stand on a command line; in JSON it can, and is an id like any other.
    let mut call = world.command(&["call", "begin"]);
    call.write_stdin(
        r#"{"tenant":"pazar","principal":{"type":"Stall::Account","id":"ayse"},"contract":"order","id":"a\u0000b","event":"place",
            "facts":{"buyer":{"__entity":{"type":"Stall::Account","id":"ayse"}},"total":1}}"#,
    );
    run(call).ended(0);
    let mut call = world.command(&["call", "history"]);
    call.write_stdin(r#"{"tenant":"pazar","contract":"order","id":"a\u0000b"}"#);
    assert_eq!(run(call).ended(0).json()["history"][0]["parts"]["id"]["text"], "a\0b");
}

#[test]
fn huge_and_deep_input_is_refused_before_it_is_read() {
    let world = World::new();
    world.order("o-1");
    let big = format!(r#"{{"reason":"{}"}}"#, "x".repeat(10 << 20));
    let deep = format!(r#"{{"reason":{}"#, "[".repeat(100_000));
    for text in [&big, &deep] {
        let path = world.path("input.json");
        std::fs::write(&path, text).unwrap();
        let from_file = world.ayse_json(&["can", "order.view", "order/o-1", "--context", &format!("@{path}")]).ended(2);
        assert_eq!(from_file.code(), Code::CallTooLarge.as_str());
        let mut piped = world.with(&["can", "order.view", "order/o-1", "--json", "--context", "-"], "Account::ayse");
        piped.write_stdin(text.as_bytes());
        assert_eq!(run(piped).ended(2).code(), Code::CallTooLarge.as_str());
        let mut call = world.command(&["call", "can"]);
        call.write_stdin(text.as_bytes());
        assert_eq!(run(call).ended(2).code(), Code::CallTooLarge.as_str());
    }
}

#[test]
fn another_law_is_not_the_active_one() {
    let world = World::new();
    let other = tempfile::tempdir().unwrap();
    copy(&law(), other.path());
    let law_dir = other.path().to_str().unwrap();
    world.order("o-1");
    world.ayse(&["can", "order.view", "order/o-1", "--law", law_dir]).ended(0);
    std::fs::write(other.path().join("messages.en.toml"), "[order]\namount_short = \"Another word.\"\n").unwrap();
    let refused = world.ayse_json(&["can", "order.view", "order/o-1", "--law", law_dir]).ended(5);
    assert_eq!(refused.code(), Code::LawNotActive.as_str());
    // What one may not do oneself, an operator may.
    assert_eq!(world.ayse_json(&["law", "activate", law_dir]).ended(1).code(), Code::NotPermitted.as_str());
    world.run(&["law", "activate", law_dir]).ended(0);
    world.ayse(&["can", "order.view", "order/o-1", "--law", law_dir]).ended(0);
    // A law with a fault shows the line at fault.
    std::fs::write(other.path().join("messages.en.toml"), "[order\n").unwrap();
    let broken = world.run(&["law", "activate", law_dir]).ended(5);
    assert!(broken.err.contains("messages.en.toml:1:"), "{}", broken.err);
    let checked = world.run(&["check", law_dir]).ended(3);
    assert!(checked.out.contains("1 | [order") && checked.out.contains("1 error"), "{}", checked.out);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_key_file_must_be_private_whole_and_the_right_one() {
    let world = World::new();
    let key = world.path("hos.db.key");
    let code = || world.run(&["work", "--json"]).ended(4).code();
    let sound = std::fs::read(&key).unwrap();
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(code(), Code::KeyInvalid.as_str());
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, &sound[..20]).unwrap();
    assert_eq!(code(), Code::KeyInvalid.as_str());
    std::fs::remove_file(&key).unwrap();
    world.run(&["keys", "generate", &key]).ended(0);
    assert_eq!(code(), Code::KeyInvalid.as_str());
    std::fs::write(&key, &sound).unwrap();
    world.run(&["verify"]).ended(0);
    // A key file is never replaced.
    assert_eq!(world.run(&["keys", "generate", &key, "--json"]).ended(2).code(), Code::CallMalformed.as_str());
    assert_eq!(std::fs::read(&key).unwrap(), sound);
    // The secret stands in no output.
    let secret = String::from_utf8(sound).unwrap();
    for arguments in [&["keys", "show"][..], &["law", "show"], &["verify"]] {
        let shown = world.run(arguments);
        assert!(!shown.out.contains(secret.trim()) && !shown.err.contains(secret.trim()), "{arguments:?}");
    }
}

#[test]
fn a_store_that_is_none_is_told_from_one_that_is_not_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str, arguments: &[&str]| {
        let mut command = hos();
        command.args(arguments).args(["--json", "--store", path]);
        run(command)
    };
    let missing = dir.path().join("none.db").to_str().unwrap().to_owned();
    assert_eq!(at(&missing, &["verify"]).ended(4).code(), Code::StoreUnavailable.as_str());
    assert!(!std::path::Path::new(&missing).exists(), "a question made a store");
    let text = dir.path().join("text.db").to_str().unwrap().to_owned();
    std::fs::write(&text, "no database").unwrap();
    assert_eq!(at(&text, &["verify"]).ended(3).code(), Code::StoreIntegrity.as_str());
    assert_eq!(at(&text, &["law", "show"]).ended(4).code(), Code::StoreIntegrity.as_str());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was left beside it");
    let mut nowhere = hos();
    nowhere.args(["verify", "--json"]);
    assert_eq!(run(nowhere).ended(2).code(), Code::CallMalformed.as_str());
    let mut nobody = hos();
    nobody.args(["tick", "--json", "--store", &missing]);
    assert_ne!(run(nobody).exit, 0);
}

#[test]
fn an_option_that_would_be_passed_over_is_refused_with_the_one_that_it_goes_with() {
    let world = World::new();
    world.order("o-1");
    let out = world.path("out");
    let adopt = ["adopt", "order", "a-1", "new", "--fact", "buyer=ayse", "--fact", "total=1"];
    let with = |words: &[&'static str], more: &[&str]| -> Vec<String> {
        words.iter().copied().map(str::to_owned).chain(more.iter().map(|word| (*word).to_owned())).collect()
    };
    for (words, option, other) in [
        (with(&adopt, &["--dry-run"]), "--dry-run", "--rows"),
        (with(&adopt, &["--limit", "1"]), "--limit", "--rows"),
        (with(&adopt, &["--passes", "1"]), "--passes", "--rows"),
        (with(&adopt, &["--share", "50"]), "--share", "--rows"),
        (with(&["export", "--instance", "order/o-1", "--proofs"], &[&out, "--hide", "x"]), "--hide", "--out"),
        (with(&["export", "--instance", "order/o-1", "--proofs"], &[&out, "--without-map"]), "--without-map", "--out"),
        (with(&["export", "--instance", "order/o-1", "--proofs"], &[&out, "--policy", "none"]), "--policy", "--out"),
        (with(&["export", "--tiles"], &[&out, "-o", "none"]), "--out", "--instance"),
        (with(&["export", "--tiles"], &[&out, "--proofs", "none"]), "--proofs", "--instance"),
        (with(&["signer", "--stdio", "--socket-mode", "660"], &[]), "--socket-mode", "--socket"),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = world.run(&words).ended(2).err;
        assert!(said.contains(&format!("`{option}` goes with `{other}`")), "{words:?}: {said}");
        assert!(!std::path::Path::new(&out).exists(), "{words:?}");
    }
    world.run(&["history", "order", "a-1"]).ended(1);
    // What is enforced always takes no word of the world's.
    let unknown = world.run(&with(&adopt, &["--legacy", "yes"]).iter().map(String::as_str).collect::<Vec<_>>()).ended(2).err;
    assert!(unknown.contains("unexpected argument '--legacy'"), "{unknown}");
}

#[test]
fn what_is_missing_is_named_to_a_program_too() {
    let mut command = hos();
    command.args(["adopt", "--json"]);
    let said = run(command).ended(2).json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(["<CONTRACT>", "<ID>", "<STATE>"].iter().all(|word| said.contains(word)), "{said}");
    let table = run({
        let mut command = hos();
        command.arg("exit-codes");
        command
    });
    assert!(table.ended(0).out.contains("`hos drift` found rows that differ"));
}
