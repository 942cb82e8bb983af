//! What the records tell, given back to the world's pages as a log of its own: on a file, and on the databases that the environment
//! names.

mod common;

use common::World;
use common::database::on_each;
use common::shop::{LOGS, Shop, everywhere};
use std::time::Duration;

/// What a page would show: the view's rows, a line each.
fn page(shop: &Shop) -> Vec<String> {
    let mysql = shop.url.starts_with("mysql");
    let text = |column: &str| match mysql {
        true => format!("coalesce(CAST({column} AS CHAR), '-')"),
        false => format!("coalesce(CAST({column} AS TEXT), '-')"),
    };
    let columns = ["subject_id", "old_status", "new_status", "event", "actor", "detail"].map(text);
    let line = match mysql {
        true => format!("CONCAT_WS(' ', {})", columns.join(", ")),
        false => columns.join(" || ' ' || "),
    };
    shop.ask(&format!("SELECT {line} FROM hos_status_change_logs WHERE subject = 'order' ORDER BY subject_id, id"))
}

fn times(shop: &Shop) -> Vec<String> {
    let text = if shop.url.starts_with("mysql") { "CAST(changed_at AS CHAR)" } else { "CAST(changed_at AS TEXT)" };
    shop.ask(&format!("SELECT {text} FROM hos_status_change_logs WHERE subject_id = 'o-1' ORDER BY id"))
}

/// Puts in what `hos told` prints, as a person would by the database's own program.
fn put(shop: &Shop, file: &str, more: &[&str]) {
    let dialect = ["sqlite", "postgres", "mysql"].into_iter().find(|name| shop.url.starts_with(name)).unwrap();
    let script = shop.hos(&[&["told", file, "--dialect", dialect][..], more].concat()).ended(0).out;
    let statements = script.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    statements.split(";\n").filter(|statement| !statement.trim().is_empty()).for_each(|statement| shop.sql(statement));
}

fn follow(shop: &Shop) -> [u64; 3] {
    shop.hos(&["work"]).ended(0);
    let said = shop.hos(&["told", "world.toml", "--follow", "--json"]).ended(0).json();
    ["told", "erased", "upto"].map(|name| said[name].as_u64().unwrap())
}

#[test]
fn pages_read_what_the_records_tell_and_nothing_of_who_is_erased() {
    everywhere(|shop| {
        shop.sql("INSERT INTO users VALUES ('bora', 1)");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'bora', 2, 'expired')");
        shop.log(&[
            "('order', 'o-1', NULL, 'open', 'place', 'ayse', '{\"note\":\"kapıda öde\"}', '2024-05-01 09:00:00.250')".into()
        ]);
        put(shop, "world.toml", &[]);
        shop.hos(&["adopt", "--rows", "world.toml"]).ended(0);
        assert_eq!(follow(shop)[0], 3);
        shop.hos(&["transition", "order", "o-1", "pay", "--arg", "amount=1", "--arg", "psp_ref=x", "--as", "Account::ayse"])
            .ended(0);
        shop.hos(&["begin", "order", "o-3", "place", "--fact", "buyer=bora", "--fact", "total=5", "--as", "Account::bora"])
            .ended(0);
        // A refusal is evidence, and nothing became of the order.
        shop.hos(&["transition", "order", "o-2", "pay", "--as", "Account::ayse"]).ended(1);
        let [told, erased, upto] = follow(shop);
        assert_eq!((told, erased), (2, 0));
        let wanted = [
            "o-1 - open - root -",
            "o-1 - open place ayse {\"note\":\"kapıda öde\"}",
            "o-1 open paid pay ayse -",
            "o-2 - expired - root -",
            "o-3 - open place bora -",
        ];
        assert_eq!(page(shop), wanted, "the law's `new` is the shop's `open`");
        assert_eq!(times(shop)[1].trim_end_matches('0'), "2024-05-01 09:00:00.25");
        assert_eq!(follow(shop), [0, 0, upto], "what is there already is passed over");

        // Whose order it is, and who only did something to somebody else's.
        shop.hos(&["directory", "join", "Account::ayse", "Role::operator"]).ended(0);
        shop.hos(&["transition", "order", "o-2", "reopen", "--reason", "by phone", "--as", "Account::ayse"]).ended(0);
        assert_eq!(follow(shop)[..2], [1, 0]);
        assert_eq!(page(shop)[4], "o-2 expired open reopen ayse by phone");
        shop.hos(&["erase", "Account::ayse", "--ground", "r-1"]).ended(0);
        assert_eq!(follow(shop)[..2], [0, 4], "three rows of her order, and her act");
        assert_eq!(page(shop), ["o-2 - expired - root -", "o-2 expired open reopen - -", "o-3 - open place bora -"]);
        assert_eq!(follow(shop)[..2], [0, 0]);

        // What was not told yet when they were erased says no more than what was; and a NUL stops nobody.
        shop.hos(&["directory", "put", "Account::can", "--attr", "active=true", "--tenant", "universe"]).ended(0);
        shop.hos(&["directory", "join", "Account::can", "Role::operator"]).ended(0);
        for id in ["o-4", "o-5\\u0000z"] {
            let adopted = format!(
                r#"{{"tenant":"pazar","principal":{{"type":"Stall::Account","id":"root"}},"contract":"order","id":"{id}","state":"expired","facts":{{"buyer":{{"__entity":{{"type":"Stall::Account","id":"bora"}}}},"total":3}}}}"#
            );
            std::fs::write(shop.world.path("adopted.json"), adopted).unwrap();
            shop.hos(&["call", "adopt", "adopted.json"]).ended(0);
        }
        shop.hos(&["transition", "order", "o-4", "reopen", "--reason", "can called me", "--as", "Account::can"]).ended(0);
        shop.hos(&["directory", "leave", "Account::can", "Role::operator"]).ended(0);
        shop.hos(&["erase", "Account::can", "--ground", "r-2"]).ended(0);
        assert_eq!(follow(shop)[0], 3);
        assert_eq!(page(shop)[4], "o-4 expired open reopen - -");
        put(shop, "world.toml", &["--remove"]);
        let said = shop.hos(&["told", "world.toml", "--follow"]).ended(2);
        assert!(said.err.contains("no row of this tenant"), "{}", said.err);
        ["hos_told", "hos_told_upto"].iter().for_each(|table| shop.sql(&format!("DROP TABLE {table}")));
        let said = shop.hos(&["told", "world.toml", "--follow"]).ended(2);
        assert!(said.err.contains("prints the tables"), "{}", said.err);
        shop.intact();
    });
}

#[test]
fn the_script_is_put_in_again_and_another_tenants_beside_it() {
    everywhere(|shop| {
        let other = LOGS.replace("status_change_logs", "other_logs");
        std::fs::write(shop.world.path("other.toml"), ["tenant = \"other\"\n", &other].concat()).unwrap();
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        shop.hos(&["adopt", "--rows", "rows.toml"]).ended(0);
        shop.hos(&["tenant", "open", "other"]).ended(0);
        let begin = ["begin", "order", "p-1", "place", "--fact", "buyer=ayse", "--fact", "total=5", "--as", "Account::ayse"];
        shop.hos(&[&begin[..], &["--tenant", "other"]].concat()).ended(0);
        put(shop, "world.toml", &[]);
        let [told, _, upto] = follow(shop);
        assert_eq!(told, 1);
        put(shop, "world.toml", &[]);
        assert_eq!(follow(shop), [0, 0, upto], "what was told stands, and so does the place");
        put(shop, "other.toml", &[]);
        put(shop, "other.toml", &[]);
        assert_eq!(shop.hos(&["told", "other.toml", "--follow", "--json"]).ended(0).json()["told"], 1);
        let others = || shop.ask("SELECT subject_id FROM hos_other_logs");
        assert_eq!((page(shop), others()), (vec!["o-1 - open - root -".to_owned()], vec!["p-1".to_owned()]));
        put(shop, "world.toml", &["--remove"]);
        assert_eq!(others(), ["p-1"]);
        assert_eq!(shop.ask("SELECT DISTINCT tenant FROM hos_told"), ["other"]);
        assert_eq!(shop.hos(&["told", "other.toml", "--follow", "--json"]).ended(0).json()["told"], 0);
        // And it can come again.
        put(shop, "world.toml", &[]);
        assert_eq!(follow(shop)[0], 1);
        assert_eq!((page(shop).len(), others().len()), (1, 1));
        shop.intact();
    });
}

#[test]
fn who_comes_second_goes_on_behind_who_was_first_whatever_level_transactions_begin_at() {
    on_each(|database| {
        if !database.is_postgres() {
            return;
        }
        let shop = &Shop::new(World::empty(), &database.url);
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        shop.adopt("rows.toml", &[]).ended(0);
        put(shop, "world.toml", &[]);
        shop.hos(&["work"]).ended(0);
        shop.sql(&format!("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'", database.name));
        let connector = hos_drivers::connector(&shop.url).unwrap();
        let mut first = connector.connect(Duration::from_secs(20)).map_err(|e| e.message).unwrap();
        first.say("BEGIN").unwrap();
        first.say("UPDATE hos_told_upto SET seq = seq").unwrap();
        let second = std::thread::scope(|scope| {
            let second = scope.spawn(|| shop.hos(&["told", "world.toml", "--follow", "--json"]));
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while shop.ask(waits) == ["0"] && !second.is_finished() {}
            first.say("COMMIT").unwrap();
            second.join().unwrap()
        });
        assert_eq!(second.ended(0).json()["told"], 1);
    });
}

#[test]
fn what_cannot_be_is_told() {
    everywhere(|shop| {
        std::fs::write(shop.world.path("none.toml"), common::shop::ROWS).unwrap();
        let said = shop.hos(&["told", "none.toml", "--dialect", "mysql"]).ended(2).err;
        assert!(said.contains("no `[[logs]]`"), "{said}");
        let said = shop.hos(&["told", "world.toml", "--dialect", "oracle"]).ended(2).err;
        assert!(said.contains("sqlite, postgres or mysql"), "{said}");
        shop.hos(&["told", "world.toml"]).ended(2);
        shop.hos(&["told", "world.toml", "--dialect", "mysql", "--follow"]).ended(2);
    });
}
