//! A store in PostgreSQL or MariaDB, from the command line: where `HOS_TEST_POSTGRES` and `HOS_TEST_MARIADB` name one.

mod common;

use common::database::{Database, found, on_each};
use common::{NOON, Run, World, hos, law, run};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sql::schema;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// A store in a database, with an order in it.
fn world(database: &Database) -> World {
    let world = World::on(database);
    world.order("o-1");
    world
}

#[test]
fn every_command_runs_on_a_database_and_shows_no_password() {
    on_each(|database| {
        let world = world(database);
        let directory = law();
        let law_dir = directory.to_str().unwrap();
        let paths = ["new.key", "mark", "o-1.hosb", "proofs", "tiles", "trust", "kept"].map(|name| world.path(name));
        let [new_key, mark, bundle, proofs, tiles, trust, kept] = paths.each_ref().map(String::as_str);
        let commands: Vec<Vec<&str>> = vec![
            vec!["can", "order.view", "order/o-1", "--as", "Account::ayse"],
            vec!["begin", "order", "o-2", "place", "--as", "Account::ayse", "--fact", "buyer=ayse", "--fact", "total=1"],
            vec!["transition", "order", "o-1", "pay", "--as", "Account::ayse", "--arg", "amount=4200", "--arg", "psp_ref=x"],
            vec!["adopt", "order", "o-3", "paid", "--fact", "buyer=ayse", "--fact", "total=1"],
            vec!["history", "order", "o-1"],
            vec!["available", "order", "o-2"],
            vec!["record", "till.closed", "--text", "12"],
            vec!["keys", "show"],
            vec!["keys", "list"],
            vec!["law", "show"],
            vec!["law", "list"],
            vec!["law", "backtest", law_dir],
            vec!["law", "activate", law_dir, "--mode", "tag.read=shadow"],
            vec!["tenant", "open", "pazar-de"],
            vec!["tenant", "list"],
            vec!["directory", "put", "Role::support"],
            vec!["directory", "join", "Account::mehmet", "Role::support"],
            vec!["directory", "grant", "g-1", "viewer", "--principal", "Account::mehmet"],
            vec!["directory", "list"],
            vec!["directory", "revoke", "g-1"],
            vec!["directory", "leave", "Account::mehmet", "Role::support"],
            vec!["directory", "remove", "Role::support"],
            vec!["diagram", "--instance", "order/o-1"],
            vec!["outbox", "poll"],
            vec!["tick", "--time", "2026-03-01T13:00:00Z"],
            vec!["work", "--time", "2026-03-01T13:00:00Z"],
            vec![
                "begin",
                "order",
                "o-4",
                "place",
                "--as",
                "Account::ayse",
                "--fact",
                "buyer=ayse",
                "--fact",
                "total=1",
                "--time",
                "2026-03-01T13:00:00Z",
            ],
            vec!["mark", "--mark", mark],
            vec!["verify", "--replay", "--mark", mark],
            vec!["export", "--instance", "order/o-1", "-o", bundle, "--trust-out", trust],
            vec!["verify", bundle, "--trust", trust],
            vec!["export", "--instance", "order/o-1", "--proofs", proofs],
            vec!["export", "--tiles", tiles],
            vec!["checkpoint", "-o", kept],
            vec!["verify", "--since", kept],
            vec!["hold", "--subject", "Account::kedi", "--reason", "case 7"],
            vec!["release", "--subject", "Account::kedi", "--reason", "case 7"],
            vec!["erase", "Account::kedi", "--ground", "request 12"],
            vec!["keys", "generate", new_key],
            vec!["keys", "rotate", "--new-key", new_key],
            vec!["work", "--key-file", new_key],
            vec!["verify", "--replay", "--key-file", new_key],
        ];
        for command in commands {
            let got = world.run(&[&command[..], &["--json"]].concat());
            assert_eq!(got.exit, 0, "{} {command:?}: {got:?}", database.dialect());
            assert!(got.json().is_object() && got.err.is_empty(), "{command:?}: {got:?}");
            assert!(!got.out.contains(database.password()), "{command:?}");
            assert!(!command.contains(&"--replay") || got.json()["level"] == "replayed", "{got:?}");
        }
        let call = json!({ "tenant": "pazar", "principal": { "type": "Stall::Account", "id": "ayse" }, "contract": "order",
            "id": "o-4", "event": "pay", "args": { "amount": 1, "psp_ref": "y" } });
        let mut called = world.command(&["call", "transition", "--key-file", new_key, "--time", "2026-03-01T13:00:00Z"]);
        called.write_stdin(call.to_string());
        assert_eq!(run(called).ended(0).json()["allowed"], json!(true));
    });
}

#[test]
fn a_program_without_the_key_writes_and_signs_nothing() {
    on_each(|database| {
        let world = world(database);
        let noted = || database.ask("SELECT size FROM hos_checkpoint WHERE tenant = 'pazar'");
        let before = noted();
        let pay = ["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x", "--as", "Account::ayse"];
        let paid = run(world.without_key(&[&pay[..], &["--json"]].concat())).ended(0).json();
        assert_eq!(paid["allowed"], json!(true));
        let entries = || database.ask("SELECT count(*) FROM hos_entry WHERE tenant = 'pazar'");
        assert_eq!(noted(), before, "no key, no checkpoint");
        world.run(&["work"]).ended(0);
        assert_eq!(noted(), entries(), "who has the key signs the newest head");
        // Another program may have the key: what it is told to sign extends the last head, or it refuses.
        run(world.without_key(&[
            "begin",
            "order",
            "o-2",
            "place",
            "--as",
            "Account::ayse",
            "--fact",
            "buyer=ayse",
            "--fact",
            "total=1",
        ]))
        .ended(0);
        let signer = format!("{} signer --stdio --key-file {}", env!("CARGO_BIN_EXE_hos"), world.path("hos.db.key"));
        run(world.without_key(&["work", "--signer-command", &signer])).ended(0);
        assert_eq!(noted(), entries());
        let other = world.path("other.key");
        world.run(&["keys", "generate", &other]).ended(0);
        assert_eq!(world.run(&["work", "--key-file", &other, "--json"]).ended(4).code(), "hos.key_invalid");
    });
}

#[test]
fn two_workers_seal_what_eight_writers_write_each_record_once() {
    on_each(|database| {
        let world = World::on(database);
        let busy = AtomicBool::new(true);
        let write = |k: usize| {
            for n in 0..3 {
                let id = format!("o-{k}-{n}");
                let begin =
                    ["begin", "order", &id, "place", "--fact", "buyer=ayse", "--fact", "total=4200", "--as", "Account::ayse"];
                run(world.without_key(&begin)).ended(0);
                let pay =
                    ["transition", "order", &id, "pay", "--arg", "amount=4200", "--arg", "psp_ref=x", "--as", "Account::ayse"];
                run(world.without_key(&pay)).ended(0);
            }
        };
        let work = || {
            let mut rounds = 0;
            while busy.load(Ordering::Relaxed) {
                world.run(&["work", "--json"]).ended(0);
                rounds += 1;
            }
            rounds
        };
        let rounds: Vec<u32> = std::thread::scope(|scope| {
            let workers = [scope.spawn(work), scope.spawn(work)];
            let writers: Vec<_> = (0..8).map(|k| scope.spawn(move || write(k))).collect();
            let wrote: Vec<bool> = writers.into_iter().map(|writer| writer.join().is_ok()).collect();
            busy.store(false, Ordering::Relaxed);
            assert!(wrote.iter().all(|ended| *ended), "{}: {wrote:?}", database.dialect());
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        assert!(rounds.iter().all(|rounds| *rounds > 0), "{rounds:?}");
        world.run(&["work"]).ended(0);
        let count = |table: &str| database.ask(&format!("SELECT count(*) FROM {table} WHERE tenant = 'pazar'"))[0].clone();
        assert_eq!((count("hos_queue").as_str(), count("hos_inbox").as_str()), ("0", "0"));
        assert_eq!(count("hos_entry"), count("hos_record"));
        assert_eq!(database.ask("SELECT count(*) FROM hos_instance WHERE state = 'paid'"), ["24"]);
        let verified = world.run(&["verify", "--replay", "--json"]).ended(0).json();
        assert_eq!((&verified["level"], &verified["unsealed"]["records"]), (&json!("replayed"), &json!(0)), "{verified}");
    });
}

#[test]
fn a_database_is_founded_with_a_key_and_copied_with_its_own_tools() {
    on_each(|database| {
        let dir = tempfile::tempdir().unwrap();
        let found = |more: &[&str]| {
            let mut command = hos();
            command.env("HOS_STORE", &database.url).arg("init").arg("--law").arg(law()).args(["--founder", "Account::root"]);
            command.args(["--role", "Role::operator", "--attr", "active=true", "--time", NOON]).args(more);
            run(command)
        };
        let keyless = found(&[]).ended(2);
        assert!(keyless.err.contains("--key-file") && keyless.err.contains("--signer-socket"), "{}", keyless.err);
        let key = dir.path().join("seal.key");
        let with = ["--key-file", key.to_str().unwrap()];
        let founded = found(&with).ended(0);
        assert!(founded.out.contains(&database.name) && founded.out.contains("hos work"), "{}", founded.out);
        assert!(!founded.out.contains(database.password()) && key.exists());
        let again = found(&[&with[..], &["--json"]].concat());
        assert_eq!((again.exit, again.code().as_str()), (1, "hos.directory_conflict"));
        let mut copy = hos();
        copy.env("HOS_STORE", &database.url).args(["backup", dir.path().join("copy.db").to_str().unwrap()]);
        let told = run(copy).ended(2);
        let program = if database.is_postgres() { "pg_dump" } else { "mariadb-dump" };
        assert!(told.err.contains(program) && told.err.contains("hos_vault"), "{}", told.err);
    });
}

#[test]
fn a_dump_is_restored_with_the_vault_and_who_was_erased_since_stays_so() {
    on_each(|database| {
        let world = world(database);
        let restored = Database::beside(database);
        let dumped = database.dump(false);
        world.run(&["erase", "Account::kedi", "--ground", "request 12"]).ended(0);
        let vault = database.dump(true);
        let (ended_well, said) = restored.client(&dumped);
        assert!(ended_well, "{said}");
        assert_eq!(restored.ask("SELECT count(*) FROM hos_vault"), ["0"], "an old dump brings no key back");
        let (ended_well, said) = restored.client(&vault);
        assert!(ended_well, "{said}");
        std::fs::write(world.path("url"), &restored.url).unwrap();
        world.run(&["work"]).ended(0);
        assert_eq!(
            restored.ask("SELECT count(*) FROM hos_directory WHERE removed = 0"),
            database.ask("SELECT count(*) FROM hos_directory WHERE removed = 0")
        );
        let verified = world.run(&["verify", "--json"]).ended(0).json();
        assert_eq!((&verified["level"], &verified["findings"]), (&json!("intact"), &json!([])), "{verified}");
    });
}

#[test]
fn a_database_that_was_put_back_is_only_read_until_a_new_epoch() {
    on_each(|database| {
        let world = world(database);
        let mark = world.path("mark");
        let marked = |words: &[&str]| world.run(&[words, &["--mark", &mark, "--json"]].concat());
        marked(&["mark"]).ended(0);
        let old = database.dump(false) + &database.dump(true);
        let begin = ["begin", "order", "o-2", "place", "--fact", "buyer=ayse", "--fact", "total=1", "--as", "Account::ayse"];
        let born = marked(&begin).ended(0).json();
        let lost = world.path("lost.note");
        std::fs::write(&lost, born["receipt"]["seal"]["checkpoint"].as_str().unwrap()).unwrap();

        let restored = Database::beside(database);
        let (ended_well, said) = restored.client(&old);
        assert!(ended_well, "{said}");
        std::fs::write(world.path("url"), &restored.url).unwrap();
        assert_eq!(marked(&begin).ended(4).code(), "hos.quarantined");
        marked(&["history", "order", "o-1"]).ended(0);
        marked(&["verify"]).ended(3);
        let epoch = marked(&["epoch", "new", "--reason", "the server died", "--lost", &lost]).ended(0).json();
        assert_eq!(epoch, json!({ "epoch": 1 }));
        marked(&begin).ended(0);
        assert_eq!(marked(&["verify"]).ended(0).json()["level"], "intact");
    });
}

#[test]
fn a_store_is_named_in_one_way_and_its_password_is_nowhere_shown() {
    on_each(|database| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("url");
        std::fs::write(&file, &database.url).unwrap();
        let misspelt = database.url.replacen("://", "x://", 1);
        let wrong = database.url.replacen(database.password(), "canary", 1);
        let ended = |words: &[&str], variables: &[(&str, &str)], exit: i32| -> Run {
            let mut command = hos();
            command.args(words).envs(variables.iter().copied());
            let run = run(command).ended(exit);
            let said = format!("{}{}", run.out, run.err);
            assert!(!said.contains(database.password()) && !said.contains("canary"), "{words:?}: {said}");
            run
        };
        let file = file.to_str().unwrap();
        // Founded is nothing here, so a name that is understood leads to the tables that are missing.
        for (words, variables) in [
            (vec!["work", "--store", &database.url, "--json"], vec![]),
            (vec!["work", "--store-file", file, "--json"], vec![]),
            (vec!["work", "--json"], vec![("HOS_STORE", database.url.as_str())]),
            (vec!["work", "--json"], vec![("HOS_STORE_FILE", file)]),
        ] {
            assert_eq!(ended(&words, &variables, 4).code(), "hos.store_version", "{words:?}");
        }
        let denied = ended(&["work", "--store", &wrong, "--json"], &[], 4);
        assert_eq!(denied.code(), "hos.store_unavailable");
        assert!(denied.out.contains(&database.name), "{}", denied.out);
        ended(&["work", "--store", &misspelt], &[], 4);
        ended(&["work"], &[("HOS_STORE", &misspelt)], 4);
        ended(&["work", "--store", &database.url, "--store-file", file, "--json"], &[], 2);
        ended(&["work"], &[("HOS_STORE", &database.url), ("HOS_STORE_FILE", file)], 2);
        // Put where no URL belongs.
        ended(&["verify", &database.url], &[], 2);
        ended(&["work", &database.url, "--json"], &[], 2);
        ended(&["work", &format!("--stor={}", database.url)], &[], 2);
        for words in [&["--help"][..], &["init", "--help"], &["completions", "bash"]] {
            ended(words, &[("HOS_STORE", &database.url)], 0);
        }
    });
}

#[test]
fn the_printed_schema_is_what_a_founding_needs_and_an_application_rewrites_nothing() {
    on_each(|database| {
        let printed = |more: &[&str]| {
            let mut command = hos();
            command.args(["schema", "--dialect", database.dialect()]).args(more);
            run(command).ended(0).out
        };
        assert_eq!(database.client(&printed(&[])), (true, String::new()));

        // The founder defines nothing, and has no right to.
        let (founder, founder_url) = database.user("founder");
        let grantee = if database.is_postgres() { founder.clone() } else { format!("{founder}@'%'") };
        let tables = database.tables();
        let rights: String =
            tables.iter().map(|table| format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {grantee};\n")).collect();
        assert!(tables.len() > 20, "{tables:?}");
        assert_eq!(database.client(&rights), (true, String::new()));
        let world = World::empty();
        let founded = found(&world, &founder_url).ended(0);
        assert!(!founded.out.contains("canary"));
        assert!(database.tell(&founder_url, "CREATE TABLE hos_more (n INT)").is_err());
        let world = world.on_database();
        world.order("o-1");
        world.run(&["work"]).ended(0);

        // The application has the rights that are printed, and no other.
        let (shop, shop_url) = database.user("shop");
        assert_eq!(database.client(&printed(&["--grants", &shop])), (true, String::new()));
        database.tell(&shop_url, "SELECT count(*) FROM hos_record").unwrap();
        let evidence = [
            "hos_record",
            "hos_entry",
            "hos_head",
            "hos_tile",
            "hos_checkpoint",
            "hos_queue",
            "hos_inbox",
            "hos_outbox",
            "hos_law",
            "hos_activation",
            "hos_store",
            "hos_tenant",
            "hos_epoch",
            "hos_root",
            "hos_cosigned",
            "hos_change",
            "hos_vault",
            "hos_migration",
        ];
        for table in evidence {
            let key = if table == "hos_migration" { "name" } else { "tenant" };
            for statement in
                [format!("UPDATE {table} SET {key} = 'x'"), format!("DELETE FROM {table}"), format!("DROP TABLE {table}")]
            {
                let refused = database.tell(&shop_url, &statement).expect_err(&statement);
                assert!(["42501", "42000"].iter().any(|state| refused.contains(state)), "{statement}: {refused}");
            }
        }
        for statement in
            ["TRUNCATE hos_record", "INSERT INTO hos_head (tenant) VALUES ('x')", "INSERT INTO hos_entry (tenant) VALUES ('x')"]
        {
            assert!(database.tell(&shop_url, statement).is_err(), "{statement}");
        }
        assert_eq!(world.run(&["verify", "--json"]).ended(0).json()["level"], "intact");
    });
}

#[test]
fn the_printed_schema_of_sqlite_is_taken_by_its_client() {
    let printed = |words: &[&str]| {
        let mut command = hos();
        command.args(["schema", "--dialect"]).args(words);
        run(command)
    };
    let dir = tempfile::tempdir().unwrap();
    let mut client = std::process::Command::new("sqlite3");
    client.args(["-bail", dir.path().join("app.db").to_str().unwrap()]);
    let script = printed(&["sqlite"]).ended(0).out + "SELECT count(*) FROM hos_migration;\n";
    let steps = schema::steps(Dialect::Sqlite).len();
    match std::process::Command::new("sqlite3").arg("--version").output() {
        Ok(_) => {
            assert_eq!(common::database::fed(&mut client, &script), (true, format!("{steps}\n")));
            // A store among the tables of the world's own file.
            let world = World::empty();
            found(&world, &format!("sqlite://{}/app.db", dir.path().display())).ended(0);
            let world = world.on_database();
            world.order("o-1");
            assert_eq!(world.run(&["verify", "--replay", "--json"]).ended(0).json()["level"], "replayed");
            assert!(world.run(&["backup", &world.path("copy.db")]).ended(2).err.contains(".backup"));
        }
        Err(_) => eprintln!("left out: there is no sqlite3"),
    }
    assert!(printed(&["oracle"]).ended(2).err.contains("sqlite, postgres or mysql"));
    printed(&["sqlite", "--grants", "shop"]).ended(2);
    printed(&["postgres", "--grants", "a\nb"]).ended(2);
    let rest = printed(&["postgres", "--from", "1"]).ended(0).out;
    assert!(rest.contains("-- step 2: ") && !rest.contains("-- step 1: "), "{rest}");
    let json = printed(&["postgres", "--grants", "shop", "--json"]).ended(0).json();
    assert!(json["script"].as_str().unwrap().contains("GRANT INSERT ON hos_record TO \"shop\";"), "{json}");
}
