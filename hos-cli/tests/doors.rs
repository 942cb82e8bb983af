//! One order through the three doors, from the founding of its store to the verification of its evidence.

mod common;

use common::{World, hos, law, run};
use serde_json::json;

#[test]
fn an_order_through_the_three_doors() {
    let world = World::new();
    let born = world.ayse(&["begin", "order", "o-17", "place", "--fact", "buyer=ayse", "--fact", "total=4200"]).ended(0);
    assert!(born.out.starts_with("allowed  order/o-17: -> new (place)  seq "), "{}", born.out);

    let short = world.ayse(&["transition", "order", "o-17", "pay", "--arg", "amount=100", "--arg", "psp_ref=x"]).ended(1);
    assert!(short.out.starts_with("refused  order.amount_short\n"), "{}", short.out);
    assert!(short.out.contains("The amount is too small."), "{}", short.out);

    let pay = ["transition", "order", "o-17", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x", "--once", "k-1"];
    let paid = world.ayse(&pay).ended(0);
    assert!(paid.out.starts_with("allowed  order/o-17: new -> paid (pay)  seq "), "{}", paid.out);
    let again = world.ayse(&pay).ended(0);
    assert!(again.out.contains("(again"), "{}", again.out);
    assert_eq!(again.out.split("  (again").next(), paid.out.split('\n').next());

    assert!(world.ayse(&["can", "order.view", "order/o-17"]).ended(0).out.contains("by buyer"));
    let stranger = run(world.with(&["can", "order.view", "order/o-17", "--json"], "Account::mehmet")).ended(1);
    assert_eq!(stranger.code(), "hos.not_permitted");
    let asleep = run(world.with(&["can", "order.view", "order/o-17", "--json"], "Account::kedi")).ended(1);
    assert_eq!((asleep.code().as_str(), &asleep.json()["policies"]), ("hos.forbidden", &json!(["inactive"])));

    let history = world.ayse(&["history", "order", "o-17", "--json"]).ended(0).json();
    let kinds: Vec<&str> = history["history"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["begun", "moved"]);
    assert_eq!(history["history"][1]["parts"]["args"], json!({ "amount": 4200, "psp_ref": "x" }));
    assert_eq!(history["history"][0]["time"], "2026-03-01T12:00:00.000Z");
    let lines = world.ayse(&["history", "order", "o-17"]).ended(0).out;
    assert!(lines.lines().nth(1).unwrap().contains("new -> paid  by Stall::Account::\"ayse\""), "{lines}");

    let verified = world.run(&["verify", "--json"]).ended(0).json();
    assert_eq!((verified["level"].as_str().unwrap(), &verified["findings"]), ("intact", &json!([])));
}

#[test]
fn arguments_are_read_as_the_contract_declares_them() {
    let world = World::new();
    let facts = ["--fact", "buyer=Stall::Account::\"ayse\"", "--fact", "total=1", "--fact", "gift=true", "--fact", "tags=a,b"];
    world.ayse(&[&["begin", "order", "o-1", "place"][..], &facts].concat()).ended(0);
    // Text that looks like a number stays text where text is declared.
    let label = ["transition", "order", "o-1", "label", "--arg", "tags=[\"7\",\"a,b\"]", "--arg", "by=Account::ayse"];
    world.ayse(&[&label[..], &["--arg", "weight=1.50"]].concat()).ended(0);
    world.ayse(&["transition", "order", "o-1", "pay", "--arg", "amount=1", "--arg", "psp_ref=12"]).ended(0);
    let history = world.ayse(&["history", "order", "o-1", "--json"]).json();
    let parts = |n: usize| history["history"][n]["parts"].clone();
    let ayse = json!({ "__entity": { "type": "Stall::Account", "id": "ayse" } });
    assert_eq!(parts(0)["facts"], json!({ "buyer": ayse, "gift": true, "tags": ["a", "b"], "total": 1 }));
    assert_eq!(parts(1)["args"]["tags"], json!(["7", "a,b"]));
    assert_eq!(parts(1)["args"]["by"], ayse);
    assert_eq!(parts(1)["args"]["weight"], json!({ "__extn": { "fn": "decimal", "arg": "1.50" } }));
    assert_eq!(parts(2)["args"]["psp_ref"], "12");
}

#[test]
fn one_call_is_one_call_whether_in_words_or_in_json() {
    let world = World::new();
    world.order("o-1");
    let words = world.ayse_json(&["can", "order.view", "order/o-1"]).ended(0).json();
    let json = json!({
        "tenant": "pazar",
        "principal": { "type": "Stall::Account", "id": "ayse" },
        "language": "en",
        "action": "order.view",
        "resource": { "type": "Stall::Order", "id": "o-1" },
        "given": [{
            "uid": { "type": "Stall::Order", "id": "o-1" },
            "attrs": { "buyer": { "__entity": { "type": "Stall::Account", "id": "ayse" } }, "total": 4200, "state": "new" },
        }],
    });
    let mut call = world.command(&["call", "can"]);
    call.write_stdin(json.to_string());
    assert_eq!(run(call).ended(0).json(), words);
}

#[test]
fn a_resource_of_the_world_comes_with_the_call() {
    let world = World::new();
    world.ayse(&["can", "tag.read", "Tag::t", "--attr", "owner=Stall::Account::\"ayse\"", "--attr", "rank=3"]).ended(0);
    let without = world.ayse_json(&["can", "tag.read", "Tag::t"]).ended(1);
    assert_eq!(without.code(), "hos.entity_missing");
    let half = world.ayse_json(&["can", "tag.read", "Tag::t", "--attr", "rank=3"]).ended(1);
    assert_eq!(half.code(), "hos.attribute_missing");
    let given = r#"{"uid":{"type":"Stall::Tag","id":"t"},"attrs":{"owner":{"__entity":{"type":"Stall::Account","id":"ayse"}}}}"#;
    world.ayse(&["can", "tag.read", "Tag::t", "--given", given, "--context", r#"{"reason":"look"}"#]).ended(0);
}

#[test]
fn deadlines_overrides_adoption_and_messages() {
    let world = World::new();
    world.order("o-1");
    let one_hour_on = ["--time", "2026-03-01T13:00:00Z"];
    // What is due is looked past, in what can be done and in what is said of the state.
    let due = |more: &[&str]| world.run(&[&["available", "order", "o-1"][..], more, &one_hour_on].concat()).ended(0);
    assert_eq!(due(&["--json"]).json()["state"], "expired");
    assert!(due(&[]).out.starts_with("order/o-1 is expired\n"), "{}", due(&[]).out);
    assert_eq!(world.run(&["available", "order", "o-1", "--json"]).ended(0).json()["state"], "new");
    assert!(world.run(&[&["tick"][..], &one_hour_on].concat()).ended(0).out.contains("fired    1"));
    let reopen = ["transition", "order", "o-1", "reopen", "--json"];
    assert_eq!(world.run(&[&reopen[..], &one_hour_on].concat()).ended(1).code(), "hos.reason_missing");
    world.run(&[&reopen[..], &one_hour_on, &["--reason", "the money came late"]].concat()).ended(0);

    let adopt = ["adopt", "order", "old-1", "paid", "--fact", "buyer=mehmet", "--fact", "total=7"];
    world.run(&[&adopt[..], &one_hour_on].concat()).ended(0);
    let available = world.run(&[&["available", "order", "old-1", "--json"][..], &one_hour_on].concat()).ended(0).json();
    assert_eq!(available["state"], "paid");
    assert!(available["available"].as_array().unwrap().iter().all(|e| e["allowed"] == false));

    let pay = ["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x"];
    world.ayse(&[&pay[..], &one_hour_on].concat()).ended(0);
    let messages = world.run(&[&["outbox", "poll", "--json"][..], &one_hour_on].concat()).ended(0).json();
    let message = &messages["messages"][0];
    assert_eq!((&message["kind"], &message["attempts"]), (&json!("mail.order_paid"), &json!(1)));
    let (pos, lease) = (message["pos"].to_string(), message["lease"].as_str().unwrap().to_owned());
    let ack = |lease: &str| world.run(&[&["outbox", "ack", &pos, lease, "--json"][..], &one_hour_on].concat());
    assert_eq!(ack(&"0".repeat(32)).ended(1).code(), "hos.lease_lost");
    ack(&lease).ended(0);
    assert_eq!(ack(&lease).ended(1).code(), "hos.lease_lost");
}

#[test]
fn a_grant_names_somebody_else_than_who_asks() {
    let world = World::new();
    world.order("o-1");
    let view = ["can", "order.view", "order/o-1", "--json"];
    let mehmet = |world: &World| run(world.with(&view, "Account::mehmet"));
    assert_eq!(mehmet(&world).ended(1).code(), "hos.not_permitted");
    let grant = ["directory", "grant", "g-1", "viewer", "--principal", "Account::mehmet"];
    assert_eq!(world.ayse_json(&grant).ended(1).code(), "hos.not_permitted");
    world.run(&grant).ended(0);
    assert_eq!(mehmet(&world).ended(0).json()["policies"], json!(["g-1"]));
    let listed = world.run(&["directory", "list", "--json"]).ended(0).json();
    let principal = json!({ "type": "Stall::Account", "id": "mehmet" });
    assert_eq!(listed["grants"], json!([{ "id": "g-1", "template": "viewer", "principal": principal }]));
    world.run(&["directory", "revoke", "g-1"]).ended(0);
    assert_eq!(mehmet(&world).ended(1).code(), "hos.not_permitted");
}

#[test]
fn in_shadow_the_worlds_own_outcome_stands() {
    let world = World::new();
    let directory = law();
    world.run(&["law", "activate", directory.to_str().unwrap(), "--mode", "tag.read=shadow"]).ended(0);
    let tag = ["can", "tag.read", "Tag::t", "--attr", "owner=Stall::Account::\"ayse\"", "--json"];
    assert_eq!(run(world.with(&tag, "Account::mehmet")).ended(1).code(), "hos.legacy_missing");
    let watched = run(world.with(&[&tag[..], &["--legacy", "yes"]].concat(), "Account::mehmet")).ended(0).json();
    assert_eq!(
        (&watched["allowed"], &watched["divergence"], &watched["code"]),
        (&json!(true), &json!(true), &json!("hos.not_permitted"))
    );
    let said = run(world
        .with(&["can", "tag.read", "Tag::t", "--attr", "owner=Stall::Account::\"ayse\"", "--legacy", "yes"], "Account::mehmet"));
    assert!(said.out.contains("unlawful hos.not_permitted") && said.out.contains("law and world differ"), "{}", said.out);
    let unsaid = run(world.with(&tag[..tag.len() - 1], "Account::mehmet")).ended(1).out;
    assert!(unsaid.contains("none was given (--legacy)") && !unsaid.contains("outcome stands"), "{unsaid}");
}

#[test]
fn evidence_is_verified_against_what_is_kept_outside() {
    let world = World::new();
    world.order("o-1");
    let keys = world.run(&["keys", "show", "--json"]).ended(0).json();
    let vkey =
        keys["keys"].as_array().unwrap().iter().find(|k| k["tenant"] == "pazar").unwrap()["vkey"].as_str().unwrap().to_owned();
    let born = world.ayse_json(&["begin", "order", "o-2", "place", "--fact", "buyer=ayse", "--fact", "total=1"]).ended(0).json();
    let note = born["receipt"]["seal"]["checkpoint"].as_str().unwrap();
    let anchor = world.path("anchor.note");
    std::fs::write(&anchor, note).unwrap();
    let verified = world.run(&["verify", "--json", "--anchor", &anchor, "--key", &vkey]).ended(0).json();
    assert_eq!(verified["level"], "anchored", "{verified}");
    // Another log's note, and a note that somebody changed, are findings.
    std::fs::write(&anchor, note.replacen("pazar", "pazaz", 1)).unwrap();
    world.run(&["verify", "--anchor", &anchor, "--key", &vkey]).ended(3);
    // A copy is verified before it has its name, and an existing file is not replaced.
    let copy = world.path("copy.db");
    let copied = world.run(&["backup", &copy, "--json"]).ended(0).json();
    assert_eq!(copied["level"], "intact");
    world.run(&["backup", &copy]).ended(2);
    // The copy opens with the vault beside it and the key; without the vault it says so.
    let key = world.path("hos.db.key");
    let history = ["history", "order", "o-1", "--store", &copy, "--key-file", &key];
    assert!(world.run(&history).ended(4).err.contains("the vault"), "a copy without its vault");
    let second = world.path("second.db");
    let vault = world.path("copy.db.vault");
    world.run(&["backup", &second, "--vault", &vault]).ended(0);
    world.run(&history).ended(0);
}

#[test]
fn a_copy_of_broken_evidence_is_a_finding_and_gets_no_name() {
    let world = World::new();
    world.run(&["record", "till.closed", "--text", "12"]).ended(0);
    // Another stream, wherever the file speaks of it: the record is no longer what its hash says.
    let store = world.path("hos.db");
    let mut bytes = std::fs::read(&store).unwrap();
    let places: Vec<usize> = bytes.windows(11).enumerate().filter(|(_, b)| *b == b"till.closed").map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[at + 8] = b'z');
    std::fs::write(&store, bytes).unwrap();
    world.run(&["verify"]).ended(3);
    let copy = world.path("copy.db");
    let told = world.run(&["backup", &copy, "--json"]).ended(3);
    assert_eq!(told.code(), "hos.store_integrity");
    let said = world.run(&["backup", &copy]).ended(3).out;
    assert!(said.starts_with("broken   nothing was copied: the copy does not verify: "), "{said}");
    assert!(!std::path::Path::new(&copy).exists());
}

#[test]
fn evidence_too_broken_to_be_opened_is_a_finding_too() {
    let world = World::new();
    let store = world.path("hos.db");
    let mut bytes = std::fs::read(&store).unwrap();
    bytes[4096..8192].fill(0xff);
    std::fs::write(&store, bytes).unwrap();
    let copy = world.path("copy.db");
    for (words, told) in [
        (&["verify"][..], "broken  `"),
        (&["verify", "--replay"], "broken  `"),
        (&["verify", "--lang", "tr"], "bozuk  `"),
        (&["backup", &copy], "broken   nothing was copied: `"),
    ] {
        let said = world.run(words).ended(3);
        assert!(said.out.starts_with(told) && said.err.is_empty(), "{words:?}: {said:?}");
        assert!(!said.out.contains("Run `hos verify`"), "{words:?}: {said:?}");
        let json = world.run(&[words, &["--json"]].concat()).ended(3);
        assert_eq!((json.code().as_str(), &json.json()["level"]), ("hos.store_integrity", &json!("broken")), "{words:?}");
    }
    // Whoever wants something else of it is sent to `hos verify`.
    assert!(world.run(&["law", "show"]).ended(4).err.contains("Run `hos verify`"));
}

#[test]
fn init_says_what_to_do_next_and_founds_nothing_unfit() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("hos.db");
    let found = |more: &[&str]| {
        let mut command = hos();
        command.arg("init").arg("--law").arg(law()).arg("--store").arg(&store).args(["--founder", "Account::root"]).args(more);
        run(command)
    };
    let unfit = found(&["--role", "Role::operator", "--json"]).ended(1);
    assert_eq!(unfit.code(), "hos.attribute_missing");
    assert!(!store.exists());
    // Nor a founder that no act is for, nor a role that the schema has no place for: the store would be lost at birth.
    for (founder, role) in [("Acount::root", "Role::operator"), ("Role::x", "Role::operator"), ("Account::root", "Shop::s1")] {
        let mut command = hos();
        command.arg("init").arg("--law").arg(law()).arg("--store").arg(&store);
        command.args(["--founder", founder, "--role", role, "--attr", "active=true", "--json"]);
        let told = run(command).ended(1);
        assert!(!store.exists(), "{founder} {role}: {told:?}");
    }
    // Whom the law seems to permit nothing is told so: nobody could ever do anything there.
    for more in [&["--attr", "active=true"][..], &["--role", "Role::operator", "--attr", "active=false"]] {
        let dead = found(&[more, &["--json"]].concat()).ended(0).json();
        assert!(dead["notice"].as_str().unwrap().contains("nobody can ever do anything in this store"), "{dead}");
        for ending in ["", ".key", ".vault"] {
            let file = format!("{}{ending}", store.display());
            std::fs::remove_file(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
        }
    }
    // A founder who may not open the tenant would leave a store that the same command could not found again.
    let unopened = found(&["--attr", "active=true", "--tenant", "pazar", "--json"]).ended(1);
    assert_eq!(unopened.code(), "hos.not_permitted");
    assert!(unopened.out.contains("nothing was founded") && unopened.out.contains("--role") && !store.exists(), "{unopened:?}");
    assert!(!unopened.out.contains("leave --tenant out"), "{unopened:?}");
    let founded = found(&["--role", "Role::operator", "--attr", "active=true", "--tenant", "pazar"]).ended(0);
    assert!(founded.out.contains("export HOS_STORE=") && founded.out.contains("HOS_TENANT=pazar"), "{}", founded.out);
    assert_eq!(found(&["--attr", "active=true", "--json"]).exit, 1);
}

#[test]
fn what_init_says_to_do_next_can_be_done() {
    for (attrs, more) in [
        (["--attr", "active=true"], &["--tenant", "pazar"][..]),
        (["--attr", "active=true"], &[][..]),
        (["--attrs", r#"{"active":true}"#], &[][..]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = hos();
        command.arg("init").arg("--law").arg(law()).arg("--store").arg(dir.path().join("hos.db"));
        command.args(["--founder", "Account::root", "--role", "Role::operator"]).args(attrs).args(more);
        let said = run(command).ended(0).out;
        let script = said.split_once("\nnext:\n").unwrap().1.replace("TENANT\n", "pazar\n");
        let programs = std::path::Path::new(env!("CARGO_BIN_EXE_hos")).parent().unwrap();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-exc", &script]).env("LANG", "C");
        shell.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default()));
        for name in ["HOS_TENANT", "HOS_STORE_FILE", "HOS_SIGNER_SOCKET", "HOS_SIGNER_COMMAND", "HOS_MARK"] {
            shell.env_remove(name);
        }
        let done = shell.output().unwrap();
        assert!(done.status.success() && script.contains("active"), "{script}\n{done:?}");
    }
}

#[test]
fn languages_follow_the_environment_and_the_option() {
    let world = World::new();
    world.order("o-1");
    let pay = ["transition", "order", "o-1", "pay", "--arg", "amount=1", "--arg", "psp_ref=x"];
    let mut turkish = world.with(&pay, "Account::ayse");
    turkish.env("LANG", "tr_TR.UTF-8");
    assert!(run(turkish).out.contains("Tutar yetersiz."));
    assert!(world.ayse(&[&pay[..], &["--lang", "tr"]].concat()).out.contains("Tutar yetersiz."));
    assert!(world.ayse(&pay).out.contains("The amount is too small."));
    let json = world.ayse_json(&[&pay[..], &["--lang", "tr"]].concat()).json();
    assert_eq!(json["blockers"][0]["message"], "Tutar yetersiz.");
    for written in ["TR", "tr_TR.UTF-8"] {
        assert!(world.ayse(&[&pay[..], &["--lang", written]].concat()).out.contains("Tutar yetersiz."), "{written}");
    }
    // In a language that nobody speaks here a failure says all that it says in English.
    let none = ["history", "order", "none"];
    let english = world.ayse(&none).ended(1).err;
    let mut german = world.with(&none, "Account::ayse");
    german.env("LANG", "de_DE.UTF-8");
    assert_eq!(run(german).ended(1).err, english);
    assert_eq!((english.lines().count(), world.ayse(&[&none[..], &["--lang", "xx"]].concat()).err), (2, english));
}

#[test]
fn the_store_s_laws_are_listed() {
    let world = World::new();
    world.order("o-1");
    let first = world.run(&["law", "list", "--json"]).ended(0).json();
    assert_eq!(first["laws"].as_array().unwrap().len(), 1);
    assert_eq!((&first["laws"][0]["standing"], &first["laws"][0]["live"]), (&json!("active"), &json!(1)));
    // Another law, word for word but for a comment.
    let other = tempfile::tempdir().unwrap();
    copy(&law(), other.path());
    let path = other.path().join("law.toml");
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "# another\n").unwrap();
    let activated = world.run(&["law", "activate", other.path().to_str().unwrap(), "--json"]).ended(0).json();
    let laws = world.run(&["law", "list", "--json"]).ended(0).json()["laws"].clone();
    assert_eq!(laws[0]["activations"][0]["receipt"]["record"], activated["receipt"]["record"]);
    assert_eq!(laws[1]["law"], first["laws"][0]["law"]);
    let told: Vec<_> = (0..2).map(|i| (laws[i]["standing"].clone(), laws[i]["live"].clone())).collect();
    assert_eq!(told, [(json!("active"), json!(0)), (json!("earlier"), json!(1))]);
    let said = world.run(&["law", "list"]).ended(0).out;
    for word in ["active", "earlier", "1 live instance\n", "0 live instances\n", laws[1]["law"].as_str().unwrap()] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn of_many_processes_on_one_instance_one_moves_it() {
    let world = World::new();
    world.order("o-1");
    let runs: Vec<common::Run> = std::thread::scope(|scope| {
        let racer = |k: usize| {
            let key = format!("k-{k}");
            let arguments = ["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x", "--once", &key];
            world.ayse_json(&arguments)
        };
        let racers: Vec<_> = (0..8).map(|k| scope.spawn(move || racer(k))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    // Whoever comes second finds the work done, and gets the receipt of the one move.
    let answers: Vec<_> = runs.into_iter().map(|run| run.ended(0).json()).collect();
    assert_eq!(answers.iter().filter(|a| a["again"] == false).count(), 1, "{answers:?}");
    assert!(answers.windows(2).all(|w| w[0]["receipt"]["record"] == w[1]["receipt"]["record"]), "{answers:?}");
    assert_eq!(world.ayse(&["history", "order", "o-1", "--json"]).json()["history"].as_array().unwrap().len(), 2);
    assert_eq!(world.run(&["verify", "--json"]).ended(0).json()["level"], "intact");
}
