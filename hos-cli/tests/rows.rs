//! Rows of the world's that are not as they should be: what is refused is named, and the rest goes on.

mod common;

use common::shop::{ROWS, Shop, everywhere, on_a_file};
use common::{World, hos, law, run};
use serde_json::{Value as Json, json};

/// The same file of one table.
fn of(table: &str) -> String {
    ROWS.replace("table = \"orders\"", &format!("table = \"{table}\""))
}

fn write(shop: &Shop, name: &str, text: &str) {
    std::fs::write(shop.world.path(name), text).unwrap();
}

fn why(table: &Json) -> Vec<(String, String)> {
    let word = |one: &Json, name: &str| one[name].as_str().unwrap().to_owned();
    table["listed"].as_array().unwrap().iter().map(|one| (word(one, "id"), word(one, "why"))).collect()
}

#[test]
fn a_page_begins_behind_rows_that_have_no_id() {
    let shop = on_a_file();
    shop.sql("CREATE TABLE loose (id, buyer TEXT, total INTEGER, status TEXT)");
    let rows = |count: usize, id: &dyn Fn(usize) -> String| {
        let rows: Vec<String> = (0..count).map(|i| format!("({}, 'ayse', 1, 'open')", id(i))).collect();
        shop.sql(&format!("INSERT INTO loose VALUES {}", rows.join(", ")));
    };
    rows(700, &|_| "NULL".to_owned());
    rows(600, &|i| format!("{i}.5"));
    rows(3, &|i| format!("'o-{i}'"));
    rows(1, &|_| "7".to_owned());
    rows(1, &|_| "CAST(X'6fff' AS TEXT)".to_owned());
    write(&shop, "loose.toml", &of("loose"));
    for again in [false, true] {
        let done = shop.adopt("loose.toml", &[]).ended(1).json();
        let table = &done["tables"][0];
        assert_eq!(table["adopted"], if again { json!({}) } else { json!({ "new": 4 }) }, "{table}");
        assert_eq!((&table["refused"], &table["locked"]), (&json!(1301), &json!(0)), "{table}");
        let why = why(table);
        assert_eq!(why[0], ("NULL".to_owned(), "its id is NULL (700 rows)".to_owned()));
        assert!(why[1].0 == "0.5" && why[1].1.contains("(REAL)"), "{:?}", why[1]);
        assert!(why.iter().any(|(_, why)| why == "its id is no UTF-8"), "{:?}", why.last());
    }
    shop.intact();
}

#[test]
fn a_limit_counts_what_is_taken_and_not_what_is_refused() {
    everywhere(|shop| {
        shop.sql("INSERT INTO users VALUES ('kedi', 0), ('mehmet', 1)");
        shop.sql("INSERT INTO orders VALUES ('a-1', 'ayse', 1, 'lost'), ('a-2', 'ayse', 1, 'lost'), ('a-3', 'ayse', 1, NULL)");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'ayse', 1, 'open'), ('o-3', 'ayse', 1, 'open')");
        for (people, rows, refused) in [(2, 2, 3), (1, 1, 3), (0, 0, 3)] {
            let done = shop.adopt("rows.toml", &["--limit", "2"]).ended(1).json();
            assert_eq!(done["directory"][0]["put"], people, "{done}");
            let table = &done["tables"][0];
            assert_eq!((table["adopted"]["new"].as_u64().unwrap_or(0), &table["refused"]), (rows, &json!(refused)), "{done}");
        }
        shop.intact();
    });
}

#[test]
fn an_instance_of_which_calls_in_shadow_wait_is_left_for_later() {
    everywhere(|shop| {
        shop.hos(&["law", "activate", law().to_str().unwrap(), "--mode", "order.pay=shadow"]).ended(0);
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'ayse', 1, 'open')");
        shop.pays_in_shadow("o-1");
        let adopted = |exit: i32| {
            let done = shop.adopt("world.toml", &["--passes", "2"]).ended(exit).json();
            let (table, log) = (&done["tables"][0], &done["logs"][0]);
            let count = |of: &Json| of.as_u64().unwrap_or(0);
            [count(&table["adopted"]["new"]), count(&table["locked"]), count(&log["told"]["order"]), count(&log["locked"])]
        };
        assert_eq!(adopted(1), [1, 1, 0, 0], "the other one is taken in");
        shop.hos(&["work"]).ended(0);
        assert_eq!(adopted(0), [1, 0, 0, 0]);
        // Of its log's rows the same holds.
        let log = |id: &str| format!("('order', '{id}', NULL, 'new', 'place', 'ayse', '', '2024-05-01 09:00:00')");
        shop.log(&[log("o-1"), log("o-2")]);
        shop.pays_in_shadow("o-2");
        assert_eq!(adopted(1), [0, 0, 1, 1]);
        shop.hos(&["work"]).ended(0);
        assert_eq!(adopted(0), [0, 0, 1, 0]);
        shop.intact();
    });
}

#[test]
fn a_row_that_is_no_entity_ends_no_run() {
    everywhere(|shop| {
        shop.sql("CREATE TABLE buyers (id VARCHAR(64) PRIMARY KEY, kind VARCHAR(16))");
        shop.sql("INSERT INTO buyers VALUES ('b-1', 'maybe'), ('b-2', '1')");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'b-1', 1, 'open'), ('o-2', 'b-2', 1, 'open')");
        let rows = ROWS.split("[[rows]]").nth(1).unwrap();
        let given = "[[given]]\nentity = \"Account\"\ntable = \"buyers\"\nid = \"id\"\nattrs = { active = { column = \"kind\", type = \"Bool\" } }\n";
        write(shop, "given.toml", &["tenant = \"pazar\"\n[[rows]]", rows, given].concat());
        let done = shop.adopt("given.toml", &[]).ended(1).json();
        let table = &done["tables"][0];
        assert_eq!((&table["adopted"], &table["refused"]), (&json!({ "new": 1 }), &json!(1)), "{done}");
        let (id, why) = why(table).remove(0);
        assert_eq!(id, "o-1");
        assert!(why.contains("the table `buyers`, row `b-1`, column `kind`") && why.contains("`maybe`"), "{why}");
    });
}

#[test]
fn people_are_read_in_pages_and_those_without_an_id_are_named() {
    let shop = on_a_file();
    shop.sql("CREATE TABLE anybody (id, active INTEGER)");
    // What is refused costs no transaction; the last page holds what is taken.
    let rows: Vec<String> = (0..510).map(|i| format!("('p-{i:03}', {})", if i < 505 { 2 } else { 1 })).collect();
    shop.sql(&format!("INSERT INTO anybody VALUES (NULL, 1), (NULL, 1), (1.5, 1), (3, 1), {}", rows.join(", ")));
    shop.sql("CREATE TABLE belongs (who, role TEXT)");
    let rows: Vec<String> = (0..510).map(|i| format!("('p-{i:03}', 'operator')")).collect();
    shop.sql(&format!("INSERT INTO belongs VALUES (NULL, 'operator'), ('', 'operator'), ('p-509', 'none'), {}", rows.join(", ")));
    let people = ROWS.split("[[rows]]").next().unwrap().replace("users", "anybody");
    let memberships = "[[memberships]]\ntable = \"belongs\"\nmember = { entity = \"Account\", column = \"who\" }\nof = { entity = \"Role\", column = \"role\" }\n";
    write(&shop, "people.toml", &[&people, memberships].concat());
    let done = shop.adopt("people.toml", &[]).ended(1).json();
    let [people, joined] = [0, 1].map(|at| &done["directory"][at]);
    assert_eq!((&people["put"], &people["refused_rows"]), (&json!(7), &json!(507)), "{people}");
    assert_eq!(people["refused"][0]["why"], "its id is NULL (2 rows)");
    assert_eq!((&joined["put"], &joined["refused_rows"]), (&json!(5), &json!(506)), "{joined}");
    assert_eq!(joined["refused"][505]["id"], "p-509 in none", "{joined}");
    assert_eq!(shop.ask("SELECT count(*) FROM hos_change"), ["0"], "what a run changed it has counted as it went");
    let again = shop.adopt("people.toml", &[]).ended(1).json();
    assert_eq!((&again["directory"][0]["known"], &again["directory"][1]["known"]), (&json!(7), &json!(5)));
    shop.intact();
}

#[test]
fn people_whose_ids_cannot_be_given_back_as_they_came_are_read_by_their_text() {
    everywhere(|shop| {
        shop.sql("CREATE TABLE anybody (id DOUBLE PRECISION PRIMARY KEY, active SMALLINT)");
        shop.sql("INSERT INTO anybody VALUES (1.5, 1), (2.5, 1)");
        write(shop, "people.toml", &ROWS.split("[[rows]]").next().unwrap().replace("users", "anybody"));
        assert_eq!(shop.adopt("people.toml", &[]).ended(0).json()["directory"][0]["put"], 2);
        // Those of a type that PostgreSQL can be given back go by the column's own index.
        let other = if shop.url.starts_with("sqlite") { "CHAR(40)" } else { "UUID" };
        shop.sql(&format!("CREATE TABLE others (id {other} PRIMARY KEY, active SMALLINT)"));
        let uuid = |i: usize| format!("0b9ad7f5-{i:04}-4c1e-9b0a-6f2d39000000");
        let rows: Vec<String> = (0..502).map(|i| format!("('{}', 1)", uuid(i))).collect();
        shop.sql(&format!("INSERT INTO others VALUES {}", rows.join(", ")));
        shop.sql(&format!("CREATE TABLE other_roles (who {other}, role VARCHAR(64))"));
        let rows: Vec<String> = (0..502).map(|i| format!("('{}', 'operator')", uuid(i))).collect();
        shop.sql(&format!("INSERT INTO other_roles VALUES {}", rows.join(", ")));
        let memberships = "[[memberships]]\ntable = \"other_roles\"\nmember = { entity = \"Account\", column = \"who\" }\nof = { entity = \"Role\", column = \"role\" }\n";
        let people = ROWS.split("[[rows]]").next().unwrap().replace("users", "others");
        write(shop, "others.toml", &[&people, memberships].concat());
        for put in [502, 0] {
            let done = shop.adopt("others.toml", &[]).ended(0).json();
            assert_eq!((&done["directory"][0]["put"], &done["directory"][1]["put"]), (&json!(put), &json!(put)), "{done}");
        }
        // Rows that are instances are found again by their id as it is.
        shop.sql("CREATE TABLE loose (id DOUBLE PRECISION PRIMARY KEY, buyer VARCHAR(64), total BIGINT, status VARCHAR(16))");
        shop.sql("INSERT INTO loose VALUES (1.5, '1.5', 1, 'open')");
        write(shop, "loose.toml", &of("loose"));
        let run = shop.adopt("loose.toml", &[]);
        assert!(run.exit != 0 && !run.out.contains("\"new\":1"), "{run:?}");
        assert!(!shop.url.starts_with("postgres") || run.out.contains("an id is a text or a whole number"), "{run:?}");
    });
}

#[test]
fn words_that_a_collation_takes_for_the_same_are_others() {
    everywhere(|shop| {
        // Columns in which all of these are kept, and in SQLite one that takes them for the same itself.
        let [person, member] = match &shop.url {
            url if url.starts_with("sqlite") => ["VARCHAR(64)", "VARCHAR(64) COLLATE NOCASE"],
            url if url.starts_with("postgres") => ["VARCHAR(64)"; 2],
            _ => ["VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"; 2],
        };
        shop.sql(&format!("CREATE TABLE anybody (id {person} PRIMARY KEY, active SMALLINT)"));
        shop.sql("INSERT INTO anybody VALUES ('oguz', 1), ('oğuz', 1), ('ali', 1), ('Ali', 1)");
        shop.sql(&format!("CREATE TABLE belongs (who {member}, role VARCHAR(64))"));
        shop.sql("INSERT INTO belongs SELECT id, 'operator' FROM anybody");
        let people = ROWS.split("[[rows]]").next().unwrap().replace("users", "anybody");
        let memberships = "[[memberships]]\ntable = \"belongs\"\nmember = { entity = \"Account\", column = \"who\" }\nof = { entity = \"Role\", column = \"role\" }\n";
        write(shop, "people.toml", &[&people, memberships].concat());
        for put in [4, 0] {
            let done = shop.adopt("people.toml", &[]).ended(0).json();
            assert_eq!((&done["directory"][0]["put"], &done["directory"][1]["put"]), (&json!(put), &json!(put)), "{done}");
        }
        // An entity that a fact names is the row of just this id.
        shop.sql(&format!("CREATE TABLE buyers (id {member}, kind VARCHAR(16))"));
        shop.sql("INSERT INTO buyers VALUES ('B-1', '1'), ('b-1', 'maybe')");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'B-1', 1, 'open')");
        let rows = ROWS.split("[[rows]]").nth(1).unwrap();
        let given = "[[given]]\nentity = \"Account\"\ntable = \"buyers\"\nid = \"id\"\nattrs = { active = { column = \"kind\", type = \"Bool\" } }\n";
        write(shop, "given.toml", &["tenant = \"pazar\"\n[[rows]]", rows, given].concat());
        assert_eq!(shop.adopt("given.toml", &[]).ended(0).json()["tables"][0]["adopted"], json!({ "new": 1 }));
    });
}

#[test]
fn a_set_is_words_parted_by_commas_or_json_and_no_array() {
    everywhere(|shop| {
        let array = if shop.url.starts_with("postgres") { "TEXT[]" } else { "VARCHAR(64)" };
        let columns = "id VARCHAR(64) PRIMARY KEY, buyer VARCHAR(64), total BIGINT, status VARCHAR(16), labels VARCHAR(64)";
        shop.sql(&format!("CREATE TABLE tagged ({columns}, tags {array})"));
        for row in ["'o-1', 'ayse', 1, 'open', 'red,bay', '{red,bay}'", "'o-2', 'ayse', 1, 'open', '[\"a,b\"]', '{}'"] {
            shop.sql(&format!("INSERT INTO tagged VALUES ({row})"));
        }
        shop.sql("INSERT INTO tagged VALUES ('o-3', 'ayse', 1, 'open', '', NULL)");
        let reading = |column: &str, exit: i32| {
            let facts = format!("total = \"total\", tags = \"{column}\" }}");
            write(shop, "tagged.toml", &of("tagged").replace("total = \"total\" }", &facts));
            shop.adopt("tagged.toml", &[]).ended(exit).json()["tables"][0].clone()
        };
        let table = reading("tags", 1);
        assert_eq!((&table["adopted"], &table["refused"]), (&json!({ "new": 1 }), &json!(2)), "{table}");
        let (id, told) = why(&table).remove(0);
        assert!(id == "o-1" && told.contains("hos.attribute_type") && told.contains("`{red,bay}`"), "{id}: {told}");
        assert!(told.contains("to_jsonb") && told.contains("parted by commas"), "{told}");
        // What was refused is taken in by another column.
        let table = reading("labels", 0);
        assert_eq!((&table["adopted"], &table["refused"]), (&json!({ "new": 2 }), &json!(0)), "{table}");
        for (id, tags) in [("o-1", json!(["bay", "red"])), ("o-2", json!(["a,b"]))] {
            let history = shop.hos(&["history", "order", id, "--json"]).ended(0).json();
            assert_eq!(history["history"][0]["parts"]["facts"]["tags"], tags, "{history}");
        }
        shop.intact();
    });
}

#[test]
fn a_bit_is_a_truth() {
    everywhere(|shop| {
        let bit = if shop.url.starts_with("sqlite") { "BOOLEAN" } else { "BIT(1)" };
        shop.sql(&format!("CREATE TABLE anybody (id VARCHAR(64) PRIMARY KEY, active {bit})"));
        let [no, yes] = if bit == "BOOLEAN" { ["FALSE", "TRUE"] } else { ["b'0'", "b'1'"] };
        shop.sql(&format!("INSERT INTO anybody VALUES ('ali', {yes}), ('veli', {no})"));
        write(shop, "people.toml", &ROWS.split("[[rows]]").next().unwrap().replace("users", "anybody"));
        for put in [2, 0] {
            assert_eq!(shop.adopt("people.toml", &[]).ended(0).json()["directory"][0]["put"], put);
        }
        let listed = shop.hos(&["directory", "list", "--tenant", "universe", "--json"]).ended(0).json();
        let active = |who: &str| {
            let entities = listed["entities"].as_array().unwrap();
            entities.iter().find(|one| one["uid"]["id"] == who).unwrap()["attrs"]["active"].clone()
        };
        assert_eq!((active("ali"), active("veli")), (json!(true), json!(false)), "{listed}");
    });
}

#[test]
fn ids_of_other_types_are_read_in_pages_by_the_columns_own_index() {
    everywhere(|shop| {
        let uuid = |i: usize| format!("0b9ad7f5-{i:04}-4c1e-9b0a-6f2d39000000");
        let kinds: &[(&str, usize)] = match &shop.url {
            url if url.starts_with("sqlite") => &[("CHAR(40)", 600)],
            _ => &[("UUID", 600), ("NUMERIC(20)", 2), ("CHAR(8)", 2), ("SMALLINT", 2)],
        };
        for (kind, count) in kinds {
            shop.sql(&format!("CREATE TABLE typed (id {kind} PRIMARY KEY, buyer VARCHAR(64), total BIGINT, status VARCHAR(16))"));
            let id = |i: usize| match *kind {
                "UUID" | "CHAR(40)" => uuid(i),
                "CHAR(8)" => format!("c-{i}"),
                "SMALLINT" => format!("{}", 30 + i),
                _ => format!("1234567890123456789{i}"),
            };
            let rows: Vec<String> = (0..*count).map(|i| format!("('{}', 'ayse', 1, 'open')", id(i))).collect();
            shop.sql(&format!("INSERT INTO typed VALUES {}", rows.join(", ")));
            write(shop, "typed.toml", &of("typed"));
            let all = json!({ "new": count });
            for adopted in [all.clone(), json!({})] {
                let done = shop.adopt("typed.toml", &[]).ended(0).json();
                assert_eq!(done["tables"][0]["adopted"], adopted, "{kind}: {done}");
            }
            let one = shop.hos(&["history", "order", &id(1), "--json"]).ended(0).json();
            assert!(one.to_string().contains("adopt"), "{kind}: {one}");
            let drift = shop.hos(&["drift", "typed.toml", "--json"]);
            assert!(drift.out.contains(&format!("\"rows\":{count}")), "{kind}: {drift:?}");
            shop.sql("DROP TABLE typed");
        }
        shop.intact();
    });
}

#[test]
fn a_log_names_its_instances_by_ids_of_other_types() {
    everywhere(|shop| {
        let id = |i: usize| format!("0b9ad7f5-{i:04}-4c1e-9b0a-6f2d39000000");
        shop.sql("DROP TABLE orders");
        let ty = if shop.url.starts_with("sqlite") { "CHAR(40)" } else { "UUID" };
        shop.sql(&format!("CREATE TABLE orders (id {ty} PRIMARY KEY, buyer VARCHAR(64), total BIGINT, status VARCHAR(16))"));
        match &shop.url {
            url if url.starts_with("sqlite") => {}
            url if url.starts_with("postgres") => {
                shop.sql("ALTER TABLE status_change_logs ALTER COLUMN subject_id TYPE UUID USING CAST(subject_id AS UUID)");
            }
            _ => shop.sql("ALTER TABLE status_change_logs MODIFY subject_id UUID"),
        }
        // More than a page of them.
        let orders: Vec<String> = (0..510).map(|i| format!("('{}', 'ayse', 1, 'open')", id(i))).collect();
        shop.sql(&format!("INSERT INTO orders VALUES {}", orders.join(", ")));
        let log = |i: usize| format!("('order', '{}', NULL, 'new', 'place', 'ayse', NULL, '2024-05-01 12:00:00')", id(i));
        shop.log(&(0..510).map(log).collect::<Vec<_>>());
        let done = shop.adopt("world.toml", &[]).ended(0).json();
        assert_eq!(done["logs"][0]["told"], json!({ "order": 510 }), "{done}");
        let again = shop.adopt("world.toml", &[]).ended(0).json();
        assert_eq!((&again["logs"][0]["known"], &again["logs"][0]["told"]), (&json!(510), &json!({})), "{again}");
        shop.intact();
    });
}

#[test]
fn a_dry_run_on_a_fresh_store_tells_what_the_real_run_takes() {
    everywhere(|shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'nobody', 2, 'paid')");
        shop.sql("CREATE TABLE roles (who VARCHAR(64), role VARCHAR(64))");
        shop.sql("INSERT INTO roles VALUES ('ayse', 'operator'), ('ayse', 'none')");
        let memberships = "[[memberships]]\ntable = \"roles\"\nmember = { entity = \"Account\", column = \"who\" }\nof = { entity = \"Role\", column = \"role\" }\n";
        write(shop, "world.toml", &[ROWS, memberships].concat());
        let dry = shop.adopt("world.toml", &["--dry-run"]).ended(1).json();
        assert_eq!((&dry["directory"][1]["untold"], &dry["directory"][1]["refused_rows"]), (&json!(1), &json!(1)), "{dry}");
        assert_eq!(shop.ask("SELECT count(*) FROM hos_instance"), ["0"]);
        let done = shop.adopt("world.toml", &[]).ended(1).json();
        for part in ["adopted", "refused", "listed"] {
            assert_eq!(dry["tables"][0][part], done["tables"][0][part], "{dry} {done}");
        }
        assert_eq!(done["tables"][0]["adopted"], json!({ "new": 1 }));
        assert_eq!(dry["directory"][1]["refused"], done["directory"][1]["refused"], "both name the role that is missing");
        let said = shop.hos(&["adopt", "--rows", "world.toml", "--dry-run"]).ended(1).out;
        assert!(!said.contains("cannot be told"), "all stand in the directory now: {said}");
    });
}

/// The test law with its files' texts changed.
fn law_with(change: impl Fn(String) -> String) -> tempfile::TempDir {
    let laws = tempfile::tempdir().unwrap();
    for name in
        ["law.toml", "schema.cedarschema", "contracts/order.toml", "policies/all.cedar", "messages.en.toml", "messages.tr.toml"]
    {
        let path = laws.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, change(std::fs::read_to_string(law().join(name)).unwrap())).unwrap();
    }
    laws
}

#[test]
fn a_deadline_that_a_dry_run_cannot_reckon_is_no_refusal() {
    everywhere(|shop| {
        let at = "at = 'if resource.total > 0 then datetime(\"2099-01-01\") else datetime(\"2098-01-01\")'";
        let laws = law_with(|text| text.replace("after = \"PT60M\"", at));
        shop.hos(&["law", "activate", laws.path().to_str().unwrap()]).ended(0);
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        let dry = shop.adopt("rows.toml", &["--dry-run"]).ended(0).json();
        let table = &dry["tables"][0];
        assert_eq!((&table["untold"], &table["refused"], &table["adopted"]), (&json!(1), &json!(0), &json!({})), "{dry}");
        let said = shop.hos(&["adopt", "--rows", "rows.toml", "--dry-run"]).ended(0).out;
        assert!(said.contains("1 cannot be told in a dry run"), "{said}");
        let done = shop.adopt("rows.toml", &[]).ended(0).json();
        let table = &done["tables"][0];
        assert_eq!((&table["untold"], &table["adopted"]), (&json!(0), &json!({ "new": 1 })), "{done}");
    });
}

#[test]
fn people_of_a_law_without_a_namespace_are_put() {
    let world = World::empty();
    let laws = law_with(|text| {
        let text = text.replace("Stall::", "").replace("\"Stall\"\n", "\"\"\n");
        match text.trim_end().strip_prefix("namespace Stall {") {
            Some(inside) => inside.strip_suffix('}').unwrap().to_owned(),
            None => text,
        }
    });
    let store = world.path("shop.db");
    std::fs::write(&store, "").unwrap();
    let url = format!("sqlite://{store}");
    let on = |words: &[&str]| {
        let mut command = hos();
        command.args(words).args(["--store", &url, "--key-file", &world.path("key"), "--as", "Account::root"]);
        run(command)
    };
    let founder = ["--founder", "Account::root", "--role", "Role::operator", "--attr", "active=true", "--tenant", "pazar"];
    on(&[&["init", "--law", laws.path().to_str().unwrap()][..], &founder].concat()).ended(0);
    let connector = hos_drivers::connector(&url).unwrap();
    let mut connection = connector.connect(std::time::Duration::from_secs(20)).map_err(|e| e.message).unwrap();
    connection.say("CREATE TABLE users (id TEXT PRIMARY KEY, active INTEGER); INSERT INTO users VALUES ('ayse', 1)").unwrap();
    drop(connection);
    std::fs::write(world.path("people.toml"), ROWS.split("[[rows]]").next().unwrap()).unwrap();
    let done = on(&["adopt", "--rows", &world.path("people.toml"), "--json"]).ended(0).json();
    assert_eq!(done["directory"][0]["put"], 1, "{done}");
}

/// Another law in force: the test law, with a text replaced in one of its files.
fn under(shop: &Shop, file: &str, from: &str, to: &str) {
    let dir = std::path::PathBuf::from(shop.world.path("law"));
    let files =
        ["law.toml", "schema.cedarschema", "contracts/order.toml", "policies/all.cedar", "messages.en.toml", "messages.tr.toml"];
    for name in files {
        let mut text = std::fs::read_to_string(law().join(name)).unwrap();
        if name == file {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    shop.hos(&["law", "activate", dir.to_str().unwrap()]).ended(0);
}

#[test]
fn attributes_that_the_file_does_not_name_stay_as_they_are() {
    let shop = on_a_file();
    under(&shop, "schema.cedarschema", "{ active: Bool };", "{ active: Bool, blocked?: Bool, rank?: Long };");
    let people = ROWS.split("[[rows]]").next().unwrap();
    write(&shop, "people.toml", people);
    let counts = |done: &Json, at: usize| ["put", "known"].map(|name| done["directory"][at][name].as_u64().unwrap());
    let adopted = |file: &str| shop.adopt(file, &[]).ended(0).json();
    let said = |attr: &str| {
        let listed = shop.hos(&["directory", "list", "--tenant", "universe"]).ended(0).out;
        listed.lines().any(|line| line.contains("ayse") && line.contains(attr))
    };
    assert_eq!(counts(&adopted("people.toml"), 0), [1, 0]);
    let put = ["directory", "put", "Account::ayse", "--attr", "active=true", "--attr", "blocked=true", "--tenant", "universe"];
    shop.hos(&put).ended(0);
    assert_eq!(counts(&adopted("people.toml"), 0), [0, 1], "what is blocked stays so");
    shop.sql("UPDATE users SET active = 0");
    assert_eq!(counts(&adopted("people.toml"), 0), [1, 0]);
    assert!(said("blocked"), "and where something else is changed too");
    // Two tables tell of one entity, each its own part; and what is NULL in a column that is named is not there any more.
    shop.sql("CREATE TABLE ranks (id VARCHAR(64) PRIMARY KEY, rank INTEGER)");
    shop.sql("INSERT INTO ranks VALUES ('ayse', 7)");
    let ranks = "[[people]]\nentity = \"Account\"\ntable = \"ranks\"\nid = \"id\"\nattrs = { rank = { column = \"rank\", type = \"Long\" } }\n";
    write(&shop, "both.toml", &[people, ranks].concat());
    for wanted in [[1, 0], [0, 1]] {
        let done = adopted("both.toml");
        assert_eq!((counts(&done, 0), counts(&done, 1)), ([0, 1], wanted), "{done}");
    }
    shop.sql("UPDATE ranks SET rank = NULL");
    assert_eq!(counts(&adopted("both.toml"), 1), [1, 0]);
    assert!(!said("rank") && said("blocked"));
    shop.intact();
}

#[test]
fn a_file_that_is_no_file_of_rows_is_refused_in_few_words() {
    let shop = on_a_file();
    let long = "x".repeat(600_000);
    for (text, wanted) in [
        (format!("{ROWS}# {}\n", "x".repeat(1 << 20)), "holds more than 1048576 bytes"),
        (format!("{ROWS}{long} = 1\n"), "line 17, column 1: unknown field `xxx"),
        (format!("tenant = \"pazar\"\n[[rows]]\ncontract = \"{long}\n"), "line 3, column"),
        ("tenant = 1\n".to_owned(), "line 1, column 10: invalid type: integer `1`"),
    ] {
        write(&shop, "other.toml", &text);
        let said = shop.hos(&["adopt", "--rows", "other.toml"]).ended(2).err;
        assert!(
            said.contains(wanted) && said.len() < 1_000 && !said.contains("\\n"),
            "{wanted}: {}",
            said.get(..900).unwrap_or(&said)
        );
    }
}

#[test]
fn another_tenant_than_the_files_own_is_refused() {
    let shop = on_a_file();
    for words in [&["adopt", "--rows", "rows.toml"][..], &["drift", "rows.toml"], &["told", "world.toml", "--follow"]] {
        let said = shop.hos(&[words, &["--tenant", "other"]].concat()).ended(2).err;
        assert!(said.contains("--tenant `other`") && said.contains("`pazar`"), "{said}");
    }
}

#[test]
fn what_moved_in_shadow_is_compared_when_its_call_is_judged() {
    everywhere(|shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'ayse', 1, 'open')");
        shop.adopt("rows.toml", &[]).ended(0);
        let law = law();
        shop.hos(&["law", "activate", law.to_str().unwrap(), "--mode", "order.pay=shadow"]).ended(0);
        shop.pays_in_shadow("o-1");
        shop.sql("UPDATE orders SET status = 'paid'");
        for waiting in [1, 0] {
            let table = shop.hos(&["drift", "rows.toml", "--json"]).ended(3).json()["tables"][0].clone();
            assert_eq!((&table["differ"], &table["waiting"]), (&json!(1), &json!(waiting)), "{table}");
            assert_eq!((&table["listed"][0]["id"], &table["listed"][0]["how"]), (&json!("o-2"), &json!("bypassed")), "{table}");
            let said = shop.hos(&["drift", "rows.toml"]).ended(3).out;
            assert_eq!(said.contains("  1 not compared: calls in shadow"), waiting == 1, "{said}");
            shop.hos(&["work"]).ended(0);
        }
    });
}

#[test]
fn instances_whose_rows_lie_in_several_tables_are_gone_where_none_has_them() {
    everywhere(|shop| {
        shop.sql("CREATE TABLE older (id VARCHAR(64) PRIMARY KEY, buyer VARCHAR(64), total BIGINT, status VARCHAR(16))");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'ayse', 1, 'open')");
        shop.sql("INSERT INTO older VALUES ('p-1', 'ayse', 1, 'paid'), ('p-2', 'ayse', 1, 'paid')");
        let older = ["[[rows]]", of("older").split("[[rows]]").nth(1).unwrap()].concat();
        write(shop, "both.toml", &[ROWS, &older].concat());
        shop.adopt("both.toml", &[]).ended(0);
        assert_eq!(shop.hos(&["drift", "both.toml"]).ended(0).out, "orders: 2 rows, 0 differ\nolder: 2 rows, 0 differ\n");
        shop.sql("DELETE FROM older WHERE id = 'p-2'");
        let said = shop.hos(&["drift", "both.toml"]).ended(3).out;
        assert!(
            said.starts_with("orders: 2 rows, 1 differ\n  gone      order/p-2") && said.contains("older: 1 rows, 0 differ"),
            "{said}"
        );
        for (from, to) in [("table = \"older\"", "table = \"oldest\""), ("state = \"status\"", "state = \"stand\"")] {
            write(shop, "wrong.toml", &[ROWS, &older].concat().replace(from, to));
            let said = shop.hos(&["drift", "wrong.toml"]).ended(2).err;
            assert!(said.contains("is not as the file says"), "{said}");
        }
    });
}

#[test]
fn a_guard_watches_the_id_and_each_contract_of_a_table() {
    let shop = on_a_file();
    shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'ayse', 1, 'paid')");
    shop.adopt("rows.toml", &[]).ended(0);
    let rows = ["[[rows]]", ROWS.split("[[rows]]").nth(1).unwrap()].concat();
    write(&shop, "twice.toml", &[ROWS, &rows].concat());
    for file in ["rows.toml", "twice.toml"] {
        let script = |more: &[&str]| shop.hos(&[&["guard", file, "--dialect", "sqlite"][..], more].concat()).ended(0).out;
        shop.sql(&script(&[]));
        for sql in [
            "UPDATE orders SET id = 'o-9' WHERE id = 'o-1'",
            "UPDATE orders SET id = 'O-1' WHERE id = 'o-1'",
            "UPDATE orders SET id = 'o-3', status = 'open' WHERE id = 'o-2'",
            "UPDATE orders SET status = NULL WHERE id = 'o-1'",
        ] {
            let connector = hos_drivers::connector(&shop.url).unwrap();
            let mut connection = connector.connect(std::time::Duration::from_secs(20)).map_err(|e| e.message).unwrap();
            assert!(connection.say(sql).is_err(), "{sql}");
        }
        shop.sql("UPDATE orders SET total = 7");
        shop.sql(&script(&["--remove"]));
        assert_eq!(shop.ask("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'hos_guard%'"), ["0"]);
    }
}
