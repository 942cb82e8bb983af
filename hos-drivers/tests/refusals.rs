//! What keeps a database from being used: each has its code and its words, and none is answered with a yes.

mod support;

use hos_core::refusal::Code;
use hos_engine::Failure;
use std::net::TcpListener;
use support::{Store, begin, servers, tell, view};

/// The URL with another piece in place of one of its own.
fn with_password(url: &str, password: &str) -> String {
    let (before, rest) = url.split_once("://hos:").unwrap();
    let (_, after) = rest.split_once('@').unwrap();
    format!("{before}://hos:{password}@{after}")
}

#[track_caller]
fn refused(opened: Result<hos_engine::Engine, Failure>, code: Code, words: &[&str]) {
    let failure = opened.map(|_| "it opened").unwrap_err();
    assert_eq!(failure.code, code, "{failure}");
    for word in words {
        assert!(failure.message.contains(word), "{word}: {failure}");
    }
    assert!(!failure.message.contains("canary"), "{failure}");
}

#[test]
fn who_is_not_let_in_is_told_where_and_not_with_what() {
    for server in servers() {
        let store = Store::founded(&server);
        let wrong = store.builder_at(&with_password(&store.url, "canary")).open();
        refused(wrong, Code::StoreUnavailable, &[&store.name, "hos@127.0.0.1"]);
        let stranger = with_password(&store.url, "canary").replacen("hos:", "nobody:", 1);
        refused(store.builder_at(&stranger).open(), Code::StoreUnavailable, &[&store.name, "nobody@"]);
        let (base, _) = store.url.rsplit_once('/').unwrap();
        let elsewhere = store.builder_at(&format!("{base}/hos_no_such_database")).open();
        refused(elsewhere, Code::StoreUnavailable, &["hos_no_such_database"]);
    }
}

#[test]
fn where_no_server_is_nothing_is_allowed() {
    // A port that was free a moment ago, and one that takes whoever comes and says nothing of use.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let stranger = std::thread::spawn(move || {
        for stream in other.incoming().take(2) {
            drop(std::io::Write::write_all(&mut stream.unwrap(), b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    let dir = tempfile::tempdir().unwrap();
    for scheme in ["postgres", "mysql"] {
        for port in [free, port] {
            let url = format!("{scheme}://hos:canary@127.0.0.1:{port}/pazar");
            let opened =
                hos_engine::Engine::builder().server(hos_drivers::connector(&url).unwrap()).key_file(dir.path().join("k"));
            refused(opened.open(), Code::StoreUnavailable, &["hos@127.0.0.1", "/pazar"]);
        }
    }
    stranger.join().unwrap();
    let url = "postgres://hos:canary@no-such-host.invalid/pazar";
    let opened = hos_engine::Engine::builder().server(hos_drivers::connector(url).unwrap()).open();
    refused(opened, Code::StoreUnavailable, &["hos@no-such-host.invalid"]);
}

#[test]
fn tables_that_are_not_ours_are_named_and_left_alone() {
    for server in servers() {
        let empty = Store::empty(&server);
        refused(empty.builder().open(), Code::StoreVersion, &["0 of", "hos schema --dialect"]);
        assert_eq!(empty.ask("SELECT count(*) FROM information_schema.tables WHERE table_name = 'hos_migration' AND table_schema IN ('public', database_name())".replace("database_name()", if empty.is_postgres() { "''" } else { "database()" }).as_str()), [0]);

        let store = Store::founded(&server);
        store.open();
        let steps = store.ask("SELECT count(*) FROM hos_migration")[0];
        let newer = if store.is_postgres() { "sql" } else { "`sql`" };
        store.tell(&format!("INSERT INTO hos_migration (n, name, {newer}) VALUES ({}, 'tomorrow', 'x')", steps + 1));
        refused(store.builder().open(), Code::StoreVersion, &["`tomorrow`", "newer"]);
        store.tell("DELETE FROM hos_migration WHERE name = 'tomorrow'");
        store.tell(&format!("UPDATE hos_migration SET {newer} = 'CREATE TABLE x (n INT)' WHERE n = 1"));
        refused(store.builder().open(), Code::StoreVersion, &["step 1", "is not the one of this H-OS"]);
        store.tell("DELETE FROM hos_migration");
        refused(store.builder().open(), Code::StoreVersion, &["0 of"]);
        store.tell("DROP TABLE hos_migration");
        refused(store.builder().open(), Code::StoreVersion, &["0 of"]);
    }
}

#[test]
fn tables_that_cannot_all_be_made_found_nothing() {
    for server in servers() {
        let store = Store::empty(&server);
        // The last of ours is there already, and is somebody else's.
        store.tell("CREATE TABLE hos_vault (n INT)");
        let founded = store.found().map(|_| ());
        let failure = founded.unwrap_err();
        assert!(failure.message.contains("step 1"), "{failure}");
        refused(store.builder().open(), Code::StoreVersion, &["0 of"]);
        let made = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'hos%' AND table_schema = ";
        let schema = if store.is_postgres() { "current_schema()" } else { "database()" };
        let tables = store.ask(&format!("{made}{schema}"))[0];
        if store.is_postgres() {
            assert_eq!(tables, 1, "all, or none");
            store.tell("DROP TABLE hos_vault");
            store.found().unwrap();
        } else {
            assert!(tables > 1 && failure.message.contains("drop the tables"), "{failure}");
        }
    }
}

#[test]
fn of_many_founders_at_once_one_founds() {
    for server in servers() {
        let store = Store::empty(&server);
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let founders: Vec<_> = (0..4).map(|_| scope.spawn(|| store.found().map(|_| ()))).collect();
            founders.into_iter().map(|founder| founder.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let (engine, tenant) = store.open();
        assert!(tenant.begin(begin("o-1")).unwrap().allowed);
        support::intact(&engine);
    }
}

#[test]
fn a_table_that_is_gone_or_has_another_shape_is_no_answer() {
    for server in servers() {
        let store = Store::founded(&server);
        let (_engine, tenant) = store.open();
        assert!(tenant.begin(begin("o-1")).unwrap().allowed);
        store.tell("ALTER TABLE hos_instance RENAME TO hos_was_instance");
        let failure = tenant.begin(begin("o-2")).unwrap_err();
        assert_eq!(failure.code, Code::StoreVersion, "{failure}");
        store.tell("ALTER TABLE hos_was_instance RENAME TO hos_instance");
        assert!(tenant.begin(begin("o-2")).unwrap().allowed, "and the engine goes on");
        store.tell("ALTER TABLE hos_record RENAME COLUMN parts TO parts_of_another");
        let failure = tenant.begin(begin("o-3")).unwrap_err();
        assert_eq!(failure.code, Code::StoreVersion, "{failure}");
        store.tell("ALTER TABLE hos_record RENAME COLUMN parts_of_another TO parts");
        assert!(tenant.begin(begin("o-3")).unwrap().allowed);
        support::intact(&_engine);
    }
}

#[test]
fn a_database_that_says_it_is_read_only_is_not_written() {
    for server in servers().iter().filter(|url| url.starts_with("postgres")) {
        let store = Store::founded(server);
        let (engine, tenant) = store.open();
        tell(server, &format!("ALTER DATABASE {} SET default_transaction_read_only = on", store.name)).unwrap();
        refused(store.builder().open(), Code::StoreReadOnly, &[&store.name, "default_transaction_read_only"]);
        tell(server, &format!("ALTER DATABASE {} RESET default_transaction_read_only", store.name)).unwrap();
        let (_again, _) = store.open();
        // An engine that was open takes the whole of it from the server: no yes without a record.
        tell(server, &format!("ALTER DATABASE {} SET default_transaction_read_only = on", store.name)).unwrap();
        tell(server, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", store.name))
            .unwrap();
        let failure = tenant.begin(begin("o-1")).unwrap_err();
        assert_eq!(failure.code, Code::StoreReadOnly, "{failure}");
        drop(engine);
    }
}

#[test]
fn a_user_without_rights_reads_and_writes_nothing() {
    for server in servers() {
        let store = Store::founded(&server);
        let user = format!("{}_u", store.name);
        let (of, scheme) =
            (if store.is_postgres() { user.clone() } else { format!("{user}@'%'") }, store.url.split("://").next().unwrap());
        let by = if store.is_postgres() {
            format!("CREATE ROLE {of} LOGIN PASSWORD 'canary'")
        } else {
            format!("CREATE USER {of} IDENTIFIED BY 'canary'")
        };
        tell(&server, &by).unwrap();
        let (_, at) = store.url.split_once('@').unwrap();
        let url = format!("{scheme}://{user}:canary@{at}");
        let outcome = std::panic::catch_unwind(|| {
            refused(store.builder_at(&url).open(), Code::StoreUnavailable, &[]);
            let tables = if store.is_postgres() { "ALL TABLES IN SCHEMA public".to_owned() } else { format!("{}.*", store.name) };
            store.tell(&format!("GRANT SELECT ON {tables} TO {of}"));
            let engine = store.builder_at(&url).open().unwrap();
            let tenant = engine.tenant("t").unwrap();
            // What is only asked needs no more than to read.
            assert!(tenant.can(&view("o-1").given(support::order("o-1"))).unwrap().allowed);
            let failure = tenant.begin(begin("o-1")).unwrap_err();
            assert_eq!(failure.code, Code::StoreUnavailable, "{failure}");
        });
        tell(
            &server,
            &format!(
                "{} {of}",
                if store.is_postgres() { format!("DROP OWNED BY {user}; DROP ROLE") } else { "DROP USER".to_owned() }
            ),
        )
        .ok();
        outcome.unwrap();
    }
}

/// A server's own patience with statements and idle sessions, and how it spells what it is asked for.
#[test]
fn what_an_administrator_set_for_all_sessions_refuses_nobody() {
    for server in servers().into_iter().filter(|server| server.starts_with("postgres")) {
        let store = Store::founded(&server);
        for setting in ["statement_timeout = 200", "idle_session_timeout = 300", "quote_all_identifiers = on"] {
            store.tell(&format!("ALTER DATABASE {} SET {setting}", store.name));
        }
        let (engine, tenant) = store.open();
        assert!(tenant.begin(begin("o-1")).unwrap().allowed);
        let held = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Longer than a statement may take, and shorter than this engine waits for a lock.
                let sql = "BEGIN; LOCK TABLE hos_instance IN EXCLUSIVE MODE";
                let mut other =
                    hos_drivers::connector(&store.url).unwrap().connect(support::PATIENCE).map_err(|e| e.message).unwrap();
                other.say(sql).map_err(|e| e.message).unwrap();
                held.wait();
                std::thread::sleep(std::time::Duration::from_millis(800));
                other.say("COMMIT").map_err(|e| e.message).unwrap();
            });
            held.wait();
            assert!(tenant.begin(begin("o-2")).unwrap().allowed);
        });
        // Longer than a session may idle.
        std::thread::sleep(std::time::Duration::from_millis(1000));
        assert!(tenant.begin(begin("o-3")).unwrap().allowed);
        support::intact(&engine);
    }
}
