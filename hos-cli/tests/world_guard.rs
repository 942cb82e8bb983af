//! What `hos guard` puts into a database, against whoever goes round it: by another table of the same name, another level of
//! isolation, a policy that hides rows, rows that share an id. And that it is in nobody's way who writes what the law holds.

mod common;

use common::World;
use common::database::{Database, on_each};
use common::shop::{ROWS, Shop, on_a_file};
use std::time::Duration;

/// Orders `o-1`, which is open, and `o-2`, which is paid, in the world and in the law.
const TWO: &str = "INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'ayse', 1, 'paid')";

/// With and without rows that no instance stands for.
const KINDS: [&[&str]; 2] = [&[], &["--unless-unknown"]];

fn on_postgres(test: impl Fn(&Database, &Shop)) {
    on_each(|database| {
        if database.is_postgres() {
            test(database, &Shop::new(World::empty(), &database.url));
        }
    });
}

fn on_mysql(test: impl Fn(&Database, &Shop)) {
    on_each(|database| {
        if !database.is_postgres() {
            test(database, &Shop::new(World::empty(), &database.url));
        }
    });
}

/// Runs statements on a connection of their own; says what the database refused.
fn tried(url: &str, statements: &[&str]) -> Result<(), String> {
    let connector = hos_drivers::connector(url).unwrap();
    let mut connection = connector.connect(Duration::from_secs(20)).map_err(|e| e.message)?;
    statements.iter().try_for_each(|sql| connection.say(sql).map_err(|e| e.message))
}

#[track_caller]
fn refused(url: &str, statements: &[&str]) {
    let said = tried(url, statements).expect_err(statements.last().unwrap());
    assert!(said.contains("hos.guard") || said.contains("31001"), "{statements:?}: {said}");
}

#[track_caller]
fn taken(url: &str, statements: &[&str]) {
    tried(url, statements).unwrap_or_else(|said| panic!("{statements:?}: {said}"));
}

fn script(shop: &Shop, file: &str, more: &[&str]) -> String {
    let dialect = ["sqlite", "postgres", "mysql"].into_iter().find(|name| shop.url.starts_with(name)).unwrap();
    shop.hos(&[&["guard", file, "--dialect", dialect][..], more].concat()).ended(0).out
}

/// Puts a script in, as a person would.
#[track_caller]
fn put(database: &Database, script: &str) {
    let (well, said) = database.client(script);
    assert!(well, "{said}");
}

fn file_of(shop: &Shop, name: &str, table: &str) {
    std::fs::write(shop.world.path(name), ROWS.replace("table = \"orders\"", &format!("table = \"{table}\""))).unwrap();
}

#[test]
fn a_table_of_the_same_name_beside_the_laws_is_another_one() {
    on_postgres(|database, shop| {
        shop.sql("CREATE SCHEMA shop; CREATE TABLE shop.orders (LIKE public.orders INCLUDING ALL)");
        shop.sql("INSERT INTO shop.orders VALUES ('o-1', 'ayse', 1, 'open')");
        file_of(shop, "shop.toml", "shop.orders");
        shop.adopt("shop.toml", &[]).ended(0);
        put(database, &format!("SET search_path = shop, public;\n{}", script(shop, "rows.toml", &[])));
        refused(&shop.url, &["UPDATE shop.orders SET status = 'paid' WHERE id = 'o-1'"]);
        taken(
            &shop.url,
            &["UPDATE shop.orders SET total = 2 WHERE id = 'o-1'", "INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'lost')"],
        );
    });
}

#[test]
fn who_may_not_read_the_law_writes_what_it_holds_and_who_hides_a_row_writes_nothing_else() {
    on_postgres(|database, shop| {
        shop.sql(TWO);
        shop.adopt("rows.toml", &[]).ended(0);
        shop.sql("DELETE FROM orders WHERE id = 'o-2'");
        put(database, &script(shop, "rows.toml", &[]));
        let (app, url) = database.user("app");
        shop.sql(&format!("GRANT SELECT, INSERT, UPDATE ON orders TO {app}"));
        taken(&url, &["INSERT INTO orders VALUES ('o-2', 'ayse', 1, 'paid')"]);
        // Even where it may read the law.
        shop.sql(&format!("GRANT SELECT ON hos_instance TO {app}; ALTER TABLE orders ENABLE ROW LEVEL SECURITY"));
        shop.sql("CREATE POLICY seen ON orders USING (current_setting('app.seen', true) = 'yes')");
        let [seen, hidden] = ["yes", "no"].map(|seen| format!("SET app.seen = '{seen}'"));
        taken(&url, &[&seen, "BEGIN", "UPDATE orders SET total = 2 WHERE id = 'o-1'", &hidden, "COMMIT"]);
        refused(&url, &[&seen, "BEGIN", "UPDATE orders SET status = 'paid' WHERE id = 'o-1'", &hidden, "COMMIT"]);
        assert_eq!(shop.ask("SELECT status FROM orders ORDER BY id"), ["open", "paid"]);
        // Nor is it asked about others' rows by a trigger on a table of somebody's own.
        let trigger = "CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION public.hos_guard_orders_order()";
        let said = tried(&url, &["CREATE TEMP TABLE mine (id TEXT, status TEXT)", trigger]).unwrap_err();
        assert!(said.contains("permission denied"), "{said}");
    });
}

#[test]
fn a_guard_that_would_not_see_every_row_is_not_put_in() {
    on_postgres(|database, shop| {
        let (owner, url) = database.user("owner");
        shop.sql(&format!("GRANT {owner} TO CURRENT_USER; GRANT CREATE ON SCHEMA public TO {owner}"));
        shop.sql(&format!("GRANT SELECT ON hos_instance TO {owner}; ALTER TABLE orders OWNER TO {owner}"));
        taken(&url, &["ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "ALTER TABLE orders FORCE ROW LEVEL SECURITY"]);
        let script = script(shop, "rows.toml", &[]);
        let said = tried(&url, &[&script]).unwrap_err();
        assert!(said.contains("does not see every row"), "{said}");
        taken(&url, &["ALTER TABLE orders NO FORCE ROW LEVEL SECURITY", &script]);
        // What is turned on later hides no row from it either.
        taken(
            &url,
            &["ALTER TABLE orders FORCE ROW LEVEL SECURITY", "CREATE POLICY blind ON orders FOR INSERT WITH CHECK (true)"],
        );
        let said = tried(&url, &["INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')"]).unwrap_err();
        assert!(said.contains("row-level security"), "{said}");
    });
}

#[test]
fn of_rows_that_share_an_id_each_is_held_against_the_law() {
    on_postgres(|database, shop| {
        let columns =
            "id VARCHAR(64), at INT, buyer VARCHAR(64) NOT NULL, total BIGINT NOT NULL, status VARCHAR(16), PRIMARY KEY (id, at)";
        shop.sql(&format!("DROP TABLE orders; CREATE TABLE orders ({columns}) PARTITION BY RANGE (at)"));
        shop.sql("CREATE TABLE orders_old PARTITION OF orders FOR VALUES FROM (0) TO (10)");
        shop.sql("CREATE TABLE orders_new PARTITION OF orders FOR VALUES FROM (10) TO (20)");
        shop.sql("INSERT INTO orders VALUES ('o-1', 1, 'ayse', 1, 'open')");
        shop.adopt("rows.toml", &[]).ended(0);
        put(database, &script(shop, "rows.toml", &[]));
        taken(&shop.url, &["INSERT INTO orders VALUES ('o-1', 11, 'ayse', 1, 'open')"]);
        for of in ["at = 1", "at = 11", "id = 'o-1'"] {
            refused(&shop.url, &[&format!("UPDATE orders SET status = 'paid' WHERE {of}")]);
        }
        refused(&shop.url, &["INSERT INTO orders_new VALUES ('o-1', 12, 'ayse', 1, 'paid')"]);
    });
}

#[test]
fn a_row_without_an_id_stands_for_no_instance_and_a_collation_of_its_own_for_no_other_word() {
    on_postgres(|database, shop| {
        shop.sql("ALTER TABLE orders DROP CONSTRAINT orders_pkey; ALTER TABLE orders ALTER COLUMN id DROP NOT NULL");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        shop.adopt("rows.toml", &[]).ended(0);
        let loose = "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
        if let Err(said) = tried(&shop.url, &[loose, "ALTER TABLE orders ALTER COLUMN status TYPE VARCHAR(16) COLLATE loose"]) {
            eprintln!("left out: a collation of ICU's: {said}");
        }
        put(database, &script(shop, "rows.toml", &[]));
        refused(&shop.url, &["INSERT INTO orders VALUES (NULL, 'ayse', 1, 'open')"]);
        refused(&shop.url, &["UPDATE orders SET status = 'OPEN' WHERE id = 'o-1'"]);
        assert_eq!(shop.hos(&["drift", "rows.toml"]).ended(0).out, "orders: 1 rows, 0 differ\n");
        taken(
            &shop.url,
            &["BEGIN", "INSERT INTO orders VALUES (NULL, 'ayse', 1, 'open')", "UPDATE orders SET id = 'o-1'", "COMMIT"],
        );
        put(database, &script(shop, "rows.toml", &["--remove"]));
        put(database, &script(shop, "rows.toml", &["--unless-unknown"]));
        taken(&shop.url, &["INSERT INTO orders VALUES (NULL, 'ayse', 1, 'open')"]);
    });
}

#[test]
fn an_id_has_the_text_by_which_it_was_adopted_whatever_a_session_likes() {
    on_postgres(|database, shop| {
        for (kind, id, style, styled) in [
            ("DATE", "2024-05-02", "SET DateStyle = 'German'", "2.5.2024"),
            ("INTERVAL", "1 day", "SET IntervalStyle = 'iso_8601'", "P1D"),
        ] {
            let order = |id: &str| format!("INSERT INTO orders VALUES ('{id}', 'ayse', 1, 'open')");
            shop.sql("DROP TABLE orders");
            shop.sql(&format!(
                "CREATE TABLE orders (id {kind} PRIMARY KEY, buyer VARCHAR(64), total BIGINT, status VARCHAR(16))"
            ));
            shop.sql(&order(id));
            shop.adopt("rows.toml", &[]).ended(0);
            put(database, &script(shop, "rows.toml", &["--unless-unknown"]));
            refused(&shop.url, &[style, "UPDATE orders SET status = 'paid'"]);
            put(database, &script(shop, "rows.toml", &["--remove"]));
            put(database, &script(shop, "rows.toml", &[]));
            shop.sql("DELETE FROM orders");
            taken(&shop.url, &[style, &order(styled)]);
            put(database, &script(shop, "rows.toml", &["--remove"]));
        }
    });
}

#[test]
fn a_table_that_others_inherit_from_is_refused() {
    on_postgres(|database, shop| {
        shop.sql("CREATE TABLE orders_old () INHERITS (orders)");
        let (well, said) = database.client(&script(shop, "rows.toml", &[]));
        assert!(!well && said.contains("rows of tables that inherit from orders would not be held"), "{said}");
        shop.sql("DROP TABLE orders_old");
        put(database, &script(shop, "rows.toml", &[]));
    });
}

#[test]
fn a_row_that_is_written_anew_waits_for_who_moves_its_instance() {
    on_postgres(|database, shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        shop.adopt("rows.toml", &[]).ended(0);
        put(database, &script(shop, "rows.toml", &[]));
        let connector = hos_drivers::connector(&shop.url).unwrap();
        let mut mover = connector.connect(Duration::from_secs(20)).map_err(|e| e.message).unwrap();
        mover.say("BEGIN").unwrap();
        mover.say("UPDATE hos_instance SET state = 'paid' WHERE tenant = 'pazar' AND contract = 'order'").unwrap();
        let row = "INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')";
        let anew = ["SET lock_timeout = 100", "BEGIN", "DELETE FROM orders", row, "COMMIT"];
        assert!(tried(&shop.url, &anew).is_err(), "what the law holds is not sure yet");
        mover.say("ROLLBACK").unwrap();
        taken(&shop.url, &anew);
    });
}

#[test]
fn a_backslash_is_a_letter_whatever_the_database_or_a_client_takes_it_for() {
    on_each(|database| {
        let shop = &Shop::new(World::empty(), &database.url);
        let client = if database.is_postgres() {
            shop.sql(&format!("ALTER DATABASE {} SET standard_conforming_strings = off", database.name));
            ""
        } else {
            "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH';\n"
        };
        std::fs::write(shop.world.path("rows.toml"), ROWS.replace("{ open = \"new\" }", "{ 'App\\Open' = \"new\" }")).unwrap();
        let order = "INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'App\\\\Open')";
        shop.sql(order);
        shop.adopt("rows.toml", &[]).ended(0);
        put(database, &[client, &script(shop, "rows.toml", &[])].concat());
        taken(&shop.url, &["DELETE FROM orders", order]);
        refused(&shop.url, &["UPDATE orders SET status = 'AppOpen'"]);
        assert_eq!(shop.hos(&["drift", "rows.toml"]).ended(0).out, "orders: 1 rows, 0 differ\n");
    });
}

#[test]
fn what_nobody_has_committed_is_not_the_law_and_what_somebody_moves_is_waited_for() {
    on_mysql(|database, shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        shop.adopt("rows.toml", &[]).ended(0);
        let connector = hos_drivers::connector(&shop.url).unwrap();
        for more in KINDS {
            shop.sql("UPDATE orders SET status = 'lost'");
            put(database, &script(shop, "rows.toml", more));
            // What somebody moves the instance to, and what it was before: neither is sure until they have done.
            for (level, status) in [
                ("READ UNCOMMITTED", "paid"),
                ("READ UNCOMMITTED", "open"),
                ("READ COMMITTED", "paid"),
                ("READ COMMITTED", "open"),
                ("REPEATABLE READ", "open"),
            ] {
                let mut mover = connector.connect(Duration::from_secs(20)).map_err(|e| e.message).unwrap();
                mover.say("BEGIN").unwrap();
                mover.say("UPDATE hos_instance SET state = 'paid' WHERE tenant = 'pazar' AND contract = 'order'").unwrap();
                let isolation = format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}");
                let write = format!("UPDATE orders SET status = '{status}'");
                let written = tried(&shop.url, &[&isolation, "SET SESSION innodb_lock_wait_timeout = 1", &write]);
                assert!(written.is_err(), "{level}: {status} stands in no law");
                mover.say("ROLLBACK").unwrap();
            }
            assert_eq!(shop.ask("SELECT status FROM orders"), ["lost"]);
            taken(&shop.url, &["UPDATE orders SET status = 'open'"]);
            put(database, &script(shop, "rows.toml", &["--remove"]));
        }
    });
}

#[test]
fn a_table_is_named_with_its_database_which_is_the_laws() {
    on_mysql(|database, shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        shop.adopt("rows.toml", &[]).ended(0);
        let other = Database::beside(database);
        file_of(shop, "own.toml", &format!("{}.orders", database.name));
        file_of(shop, "other.toml", &format!("{}.orders", other.name));
        // Whatever database the client is in.
        put(&other, &script(shop, "own.toml", &[]));
        refused(&shop.url, &["UPDATE orders SET status = 'paid'"]);
        refused(&other.url, &[&format!("UPDATE {}.orders SET status = 'paid'", database.name)]);
        taken(&shop.url, &["UPDATE orders SET total = 2"]);
        put(&other, &script(shop, "own.toml", &["--remove"]));
        taken(&shop.url, &["UPDATE orders SET status = 'paid'"]);
        taken(&other.url, &["CREATE TABLE orders (id VARCHAR(64) PRIMARY KEY, status VARCHAR(16))"]);
        let (well, said) = database.client(&script(shop, "other.toml", &[]));
        assert!(!well && said.contains("hos.guard: the tables of H-OS must lie in the database of orders"), "{said}");
        taken(&other.url, &["INSERT INTO orders VALUES ('o-9', 'open')"]);
    });
}

#[test]
fn a_table_that_triggers_do_not_hold_is_refused() {
    on_mysql(|database, shop| {
        shop.sql("CREATE TABLE words (word VARCHAR(64) PRIMARY KEY)");
        let table = |key: &str, after: &str| {
            let columns = "id VARCHAR(64) PRIMARY KEY, buyer VARCHAR(64) NOT NULL, total BIGINT NOT NULL, status VARCHAR(64)";
            shop.sql("DROP TABLE orders");
            shop.sql(&format!("CREATE TABLE orders ({columns}{key}){after}"));
            database.client(&script(shop, "rows.toml", &[]))
        };
        let (well, said) = table("", " ENGINE = MyISAM");
        assert!(!well && said.contains("its engine takes nothing back"), "{said}");
        let key = |column: &str, rule: &str| format!(", FOREIGN KEY ({column}) REFERENCES words (word) {rule}");
        for (column, rule) in [("id", "ON UPDATE CASCADE"), ("status", "ON UPDATE CASCADE"), ("status", "ON DELETE SET NULL")] {
            let (well, said) = table(&key(column, rule), "");
            assert!(!well && said.contains("a foreign key writes the id or the state"), "{column} {rule}: {said}");
            assert!(
                shop.ask("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()").is_empty()
            );
        }
        // What a state is reckoned from is written in its place.
        shop.sql("DROP TABLE orders");
        let state = "said VARCHAR(64), status VARCHAR(64) AS (said) VIRTUAL";
        let columns =
            format!("id VARCHAR(64) PRIMARY KEY, buyer VARCHAR(64), total BIGINT, {state}{}", key("said", "ON UPDATE CASCADE"));
        shop.sql(&format!("CREATE TABLE orders ({columns})"));
        let (well, said) = database.client(&script(shop, "rows.toml", &[]));
        assert!(!well && said.contains("a foreign key writes the id or the state"), "{said}");
        // Neither of these writes an id or a state.
        let (well, said) = table(&[key("status", "ON DELETE CASCADE"), key("buyer", "ON UPDATE CASCADE")].concat(), "");
        assert!(well, "{said}");
        let left = "SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()";
        assert!(shop.ask(left).is_empty(), "the procedure is there for as long as it is needed");
    });
}

#[test]
fn a_row_is_looked_at_when_the_file_has_given_its_id_and_written_it() {
    let shop = on_a_file();
    shop.sql("DROP TABLE orders");
    shop.sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer TEXT NOT NULL, total INTEGER NOT NULL, status TEXT)");
    shop.sql("INSERT INTO orders VALUES (1, 'ayse', 1, 'open'), (2, 'ayse', 1, 'paid')");
    shop.adopt("rows.toml", &[]).ended(0);
    for more in KINDS {
        shop.sql("DELETE FROM orders");
        shop.sql(&script(&shop, "rows.toml", more));
        // The file gives 1, and then 2.
        taken(&shop.url, &["INSERT INTO orders (buyer, total, status) VALUES ('ayse', 1, 'open')"]);
        refused(&shop.url, &["INSERT INTO orders (buyer, total, status) VALUES ('ayse', 1, 'open')"]);
        taken(
            &shop.url,
            &[
                "INSERT OR IGNORE INTO orders VALUES (1, 'ayse', 1, 'paid')",
                "INSERT INTO orders VALUES (1, 'ayse', 1, 'paid') ON CONFLICT DO NOTHING",
                "INSERT INTO orders VALUES (1, 'ayse', 1, 'paid') ON CONFLICT (id) DO UPDATE SET total = 7",
            ],
        );
        assert_eq!(shop.ask("SELECT id || status || total FROM orders"), ["1open7"]);
        for sql in [
            "INSERT OR IGNORE INTO orders VALUES (2, 'ayse', 1, 'open')",
            "INSERT OR REPLACE INTO orders VALUES (1, 'ayse', 1, 'paid')",
            "INSERT INTO orders VALUES (1, 'ayse', 1, 'paid') ON CONFLICT (id) DO UPDATE SET status = excluded.status",
            "UPDATE OR IGNORE orders SET status = 'paid'",
            "UPDATE OR REPLACE orders SET id = 2",
        ] {
            refused(&shop.url, &[sql]);
        }
        assert_eq!(shop.ask("SELECT id || status || total FROM orders"), ["1open7"]);
        shop.sql(&script(&shop, "rows.toml", &["--remove"]));
    }
}
