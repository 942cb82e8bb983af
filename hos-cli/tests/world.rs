//! A world's own rows beside the law: adopted, guarded, compared. On the databases that the environment names.

mod common;

use common::database::{Database, on_each};
use common::{Run, World, hos, law, run};
use std::sync::atomic::{AtomicBool, Ordering};

const WORLD: &str = r#"
tenant = "pazar"

[[people]]
entity = "Account"
table = "users"
id = "id"
attrs = { active = { column = "active", type = "Bool" } }

[[memberships]]
table = "user_roles"
member = { entity = "Account", column = "user_id" }
of = { entity = "Role", column = "role" }

[[rows]]
contract = "order"
table = "orders"
id = "id"
state = "status"
states = { open = "new" }
facts = { buyer = "buyer", total = "total", gift = "gift" }
"#;

/// The program on a store in a database, by the machine's clock: the database claims the time in its own transactions.
struct Shop<'d> {
    world: World,
    database: &'d Database,
}

impl<'d> Shop<'d> {
    fn new(database: &'d Database) -> Self {
        let shop = Self { world: World::empty(), database };
        std::fs::write(shop.world.path("url"), format!("{}\n", database.url)).unwrap();
        std::fs::write(shop.world.path("world.toml"), WORLD).unwrap();
        let law = law();
        let init = ["init", "--law", law.to_str().unwrap(), "--founder", "Account::root", "--role", "Role::operator"];
        shop.hos(&[&init[..], &["--attr", "active=true"]].concat()).ended(0);
        for sql in [
            "CREATE TABLE users (id VARCHAR(64) PRIMARY KEY, active SMALLINT NOT NULL)",
            "CREATE TABLE user_roles (user_id VARCHAR(64) NOT NULL, role VARCHAR(64) NOT NULL)",
            "CREATE TABLE orders (id VARCHAR(64) PRIMARY KEY, buyer VARCHAR(64) NOT NULL, total BIGINT NOT NULL, gift SMALLINT, status VARCHAR(16))",
            "INSERT INTO users VALUES ('ayse', 1), ('kedi', 0)",
            "INSERT INTO user_roles VALUES ('ayse', 'operator'), ('ayse', ''), ('kedi', 'nothing')",
        ] {
            shop.sql(sql).unwrap();
        }
        shop
    }

    fn hos(&self, arguments: &[&str]) -> Run {
        let mut command = hos();
        command.env("HOS_STORE_FILE", self.world.path("url")).env("HOS_TENANT", "pazar").env("HOS_AS", "Account::root");
        command.args(["--key-file", &self.world.path("key")]).args(arguments).current_dir(self.world.dir.path());
        run(command)
    }

    fn adopt(&self, more: &[&str]) -> Run {
        self.hos(&[&["adopt", "--rows", "world.toml", "--json"][..], more].concat())
    }

    /// Puts in what `hos guard` prints, as a person would.
    fn guard(&self, more: &[&str]) {
        let arguments = [&["guard", "world.toml", "--dialect", self.database.dialect()][..], more].concat();
        let (well, said) = self.database.client(&self.hos(&arguments).ended(0).out);
        assert!(well, "{said}");
    }

    fn sql(&self, sql: &str) -> Result<(), String> {
        self.database.tell(&self.database.url, sql)
    }

    fn intact(&self) {
        self.hos(&["work"]).ended(0);
        assert!(self.hos(&["verify"]).ended(0).out.starts_with("intact"));
    }
}

#[test]
fn rows_are_adopted_once_and_what_cannot_be_is_named() {
    on_each(|database| {
        let shop = Shop::new(database);
        for row in ["'o-1', 'ayse', 1, 1, 'open'", "'o-2', 'ayse', 2, NULL, 'paid'", "'O-2', 'ayse', 2, 0, 'paid'"] {
            let sql = format!("INSERT INTO orders VALUES ({row})");
            // Ids that differ by case alone are two; whether the world's own key tells them apart is its own affair.
            let _ = shop.sql(&sql);
        }
        let ours = database.ask("SELECT id FROM orders").len();
        shop.sql("INSERT INTO orders VALUES ('x-1', 'nobody', 1, 1, 'open'), ('x-2', 'ayse', 1, 1, 'lost'), ('x-3', 'ayse', 1, 1, NULL)")
            .unwrap();
        let dry = shop.adopt(&["--dry-run"]).ended(1).json();
        assert_eq!(dry["directory"][0]["put"], 2, "{dry}");
        assert_eq!(database.ask("SELECT count(*) FROM hos_instance"), ["0"], "a dry run leaves nothing");
        let done = shop.adopt(&[]).ended(1).json();
        assert_eq!(done["directory"][0]["put"], 2, "{done}");
        assert_eq!(
            (&done["directory"][1]["put"], done["directory"][1]["refused"].as_array().unwrap().len()),
            (&1.into(), 1),
            "{done}"
        );
        let table = &done["tables"][0];
        assert_eq!(
            (table["adopted"]["new"].as_u64(), table["adopted"]["paid"].as_u64()),
            (Some(1), Some(ours as u64 - 1)),
            "{done}"
        );
        let why: Vec<&str> = table["listed"].as_array().unwrap().iter().map(|l| l["why"].as_str().unwrap()).collect();
        assert_eq!(why.len(), 3, "{done}");
        assert!(
            why[0].contains("hos.entity_missing") && why[1].contains("`lost` is no state") && why[2].contains("NULL"),
            "{why:?}"
        );
        let again = shop.adopt(&[]).ended(1).json();
        assert_eq!(
            (&again["directory"][0]["known"], &again["tables"][0]["adopted"]),
            (&2.into(), &serde_json::json!({})),
            "{again}"
        );
        let history = shop.hos(&["history", "order", "o-1", "--json"]).ended(0).json();
        assert_eq!(history["history"][0]["kind"], "adopted", "{history}");
        shop.intact();
    });
}

#[test]
fn adoption_goes_on_beside_who_sells_and_who_holds_a_row() {
    on_each(|database| {
        let shop = Shop::new(database);
        shop.adopt(&[]).ended(1);
        let rows: Vec<String> = (0..400).map(|i| format!("('r-{i:04}', 'ayse', {i}, 0, 'open')")).collect();
        shop.sql(&format!("INSERT INTO orders VALUES {}", rows.join(", "))).unwrap();
        let connector = hos_drivers::connector(&database.url).unwrap();
        let mut holder = connector.connect(std::time::Duration::from_secs(10)).map_err(|e| e.message).unwrap();
        holder.say("BEGIN").unwrap();
        holder.say("UPDATE orders SET total = 7 WHERE id = 'r-0007'").unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (connector, over) = (&connector, &over);
            let seller = scope.spawn(move || {
                let mut own = connector.connect(std::time::Duration::from_secs(10)).map_err(|e| e.message).unwrap();
                let mut sold = 0;
                while !over.load(Ordering::Relaxed) {
                    own.say(&format!("INSERT INTO orders VALUES ('s-{sold}', 'ayse', 1, 0, 'open')")).unwrap();
                    sold += 1;
                    std::thread::sleep(std::time::Duration::from_millis(3));
                }
                sold
            });
            let first = shop.adopt(&["--passes", "1"]).json();
            assert_eq!(first["tables"][0]["locked"], 1, "{first}");
            over.store(true, Ordering::Relaxed);
            assert!(seller.join().unwrap() > 0);
        });
        holder.say("COMMIT").unwrap();
        // What was ended, or locked, is gone on with.
        for share in ["0", "101"] {
            shop.adopt(&["--share", share]).ended(2);
        }
        shop.adopt(&["--limit", "1", "--share", "50"]);
        let rest = shop.adopt(&[]).json();
        assert_eq!((&rest["tables"][0]["locked"], &rest["tables"][0]["refused"]), (&0.into(), &0.into()), "{rest}");
        let [instances, rows] =
            ["hos_instance WHERE contract = 'order'", "orders"].map(|of| database.ask(&format!("SELECT count(*) FROM {of}")));
        assert_eq!(instances, rows);
        assert_eq!(shop.hos(&["drift", "world.toml"]).ended(0).out, format!("orders: {} rows, 0 differ\n", rows[0]));
        shop.intact();
    });
}

#[test]
fn the_database_refuses_what_the_law_does_not_hold_and_drift_names_what_it_let_through() {
    on_each(|database| {
        let shop = Shop::new(database);
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 1, 'open'), ('o-2', 'ayse', 1, 1, 'paid'), ('o-3', 'ayse', 1, 1, 'paid')")
            .unwrap();
        shop.adopt(&[]).ended(1);
        let guard = |more: &[&str]| shop.guard(more);
        guard(&["--unless-unknown"]);
        shop.sql("INSERT INTO orders VALUES ('new', 'ayse', 1, 1, 'open')").unwrap();
        for sql in ["UPDATE orders SET status = 'paid' WHERE id = 'o-1'", "UPDATE orders SET status = 'open' WHERE id = 'o-2'"] {
            let refused = shop.sql(sql).unwrap_err();
            assert!(refused.contains("hos.guard") || refused.contains("31001"), "{refused}");
        }
        shop.sql("UPDATE orders SET total = 9 WHERE id = 'o-1'").unwrap();
        guard(&["--remove"]);
        guard(&[]);
        assert!(shop.sql("INSERT INTO orders VALUES ('newer', 'ayse', 1, 1, 'open')").is_err(), "no instance stands for it");
        // Neither another id nor no state at all, nor a table of the session's own that is called as the law's.
        assert!(shop.sql("UPDATE orders SET id = 'o-9' WHERE id = 'o-1'").is_err(), "the id says which instance it is");
        assert!(shop.sql("UPDATE orders SET status = NULL WHERE id = 'o-1'").is_err(), "NULL is no state");
        if database.is_postgres() {
            let shadowed = "CREATE TEMP TABLE hos_instance AS SELECT tenant, contract, id, 'paid'::text AS state FROM hos_instance; \
                            UPDATE orders SET status = 'paid' WHERE id = 'o-1'";
            assert!(shop.sql(shadowed).is_err(), "the law's table is meant");
        }
        guard(&["--remove"]);
        shop.sql("UPDATE orders SET status = 'paid' WHERE id = 'o-1'").unwrap();
        shop.sql("DELETE FROM orders WHERE id = 'o-3'").unwrap();
        let drift = shop.hos(&["drift", "world.toml", "--json"]).ended(3).json();
        let found: Vec<(String, String)> = drift["tables"][0]["listed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| (f["how"].as_str().unwrap().to_owned(), f["id"].as_str().unwrap().to_owned()))
            .collect();
        let wanted = [("unknown", "new"), ("bypassed", "o-1"), ("gone", "o-3")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(found, wanted, "{drift}");
        assert!(drift["tables"][0]["listed"][1]["since"].as_str().unwrap().contains("adoption"), "{drift}");
        shop.intact();
    });
}

#[test]
fn what_a_trigger_of_the_worlds_own_writes_is_held_against_the_law_too() {
    on_each(|database| {
        let shop = Shop::new(database);
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 1, 'open'), ('o-2', 'ayse', 1, 1, 'paid')").unwrap();
        shop.adopt(&[]).ended(1);
        shop.guard(&[]);
        // It runs behind whatever was there before it.
        if database.is_postgres() {
            shop.sql(
                "CREATE FUNCTION hasty() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   IF NEW.total = 9 THEN NEW.status := 'paid'; END IF; RETURN NEW;
                 END $$;
                 CREATE TRIGGER hasty BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION hasty()",
            )
            .unwrap();
        } else {
            let body = "FOR EACH ROW SET NEW.status = IF(NEW.total = 9, 'paid', NEW.status)";
            shop.sql(&format!("CREATE TRIGGER hasty_update BEFORE UPDATE ON orders {body}")).unwrap();
            shop.sql(&format!("CREATE TRIGGER hasty_insert BEFORE INSERT ON orders {body}")).unwrap();
        }
        shop.sql("UPDATE orders SET total = 8").unwrap();
        let refused = shop.sql("UPDATE orders SET total = 9 WHERE id = 'o-1'").unwrap_err();
        assert!(refused.contains("hos.guard") || refused.contains("31001"), "{refused}");
        shop.sql("UPDATE orders SET total = 9 WHERE id = 'o-2'").unwrap();
        assert_eq!(database.ask("SELECT status FROM orders ORDER BY id"), ["open", "paid"]);
        shop.guard(&["--remove"]);
        shop.sql("UPDATE orders SET total = 9 WHERE id = 'o-1'").unwrap();
        assert_eq!(shop.hos(&["drift", "world.toml", "--json"]).ended(3).json()["differ"], 1);
    });
}

#[test]
fn words_that_a_collation_takes_for_the_same_are_others() {
    on_each(|database| {
        let shop = Shop::new(database);
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 1, 'open'), ('o-2', 'ayse', 1, 1, 'paid')").unwrap();
        shop.adopt(&[]).ended(1);
        shop.guard(&[]);
        for (id, word) in [("o-2", "PAID"), ("o-2", "paid "), ("o-1", "Open"), ("o-1", "open ")] {
            let refused = shop.sql(&format!("UPDATE orders SET status = '{word}' WHERE id = '{id}'")).unwrap_err();
            assert!(refused.contains("hos.guard") || refused.contains("31001"), "{word}: {refused}");
        }
        shop.guard(&["--remove"]);
        shop.sql("UPDATE orders SET status = 'PAID' WHERE id = 'o-2'").unwrap();
        shop.sql("UPDATE orders SET status = 'open ' WHERE id = 'o-1'").unwrap();
        let drift = shop.hos(&["drift", "world.toml", "--json"]).ended(3).json();
        assert_eq!(drift["differ"], 2, "{drift}");
        shop.intact();
    });
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_done() {
    on_each(|database| {
        let shop = Shop::new(database);
        for (from, to, wanted) in [
            ("contract = \"order\"", "contract = \"ordre\"", "no contract `ordre`"),
            ("open = \"new\"", "open = \"fresh\"", "no state `fresh`"),
            ("gift = \"gift\"", "gifts = \"gift\"", "no fact `gifts`"),
            ("table = \"orders\"", "table = \"orders;\"", "no name of a table"),
        ] {
            std::fs::write(shop.world.path("other.toml"), WORLD.replace(from, to)).unwrap();
            for command in [&["adopt", "--rows", "other.toml"][..], &["drift", "other.toml"]] {
                let said = shop.hos(command).ended(2).err;
                assert!(said.contains(wanted), "{command:?}: {said}");
            }
        }
        let world = shop.world.path("world.toml");
        let said = World::new().run(&["drift", &world]).ended(2).err;
        assert!(said.contains("give its URL by --store"), "{said}");
    });
}

#[test]
fn a_row_that_is_refused_when_who_held_it_lets_go_is_told_once() {
    on_each(|database| {
        let shop = Shop::new(database);
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 0, 'lost'), ('o-2', 'ayse', 1, 0, 'lost'), ('o-3', 'ayse', 1, 0, 'open')").unwrap();
        let connector = hos_drivers::connector(&database.url).unwrap();
        let mut holder = connector.connect(std::time::Duration::from_secs(20)).map_err(|e| e.message).unwrap();
        holder.say("BEGIN").unwrap();
        holder.say("UPDATE orders SET total = 7 WHERE id IN ('o-2', 'o-3')").unwrap();
        let done = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(2_500));
                holder.say("COMMIT").unwrap();
            });
            shop.adopt(&["--passes", "8"]).ended(1).json()
        });
        let table = &done["tables"][0];
        assert_eq!(
            (&table["adopted"], &table["refused"], &table["locked"]),
            (&serde_json::json!({ "new": 1 }), &2.into(), &0.into()),
            "{done}"
        );
        let ids: Vec<&str> = table["listed"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["o-1", "o-2"], "{done}");
    });
}
