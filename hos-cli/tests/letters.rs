//! Ids, words and times of the world's that its database takes for the same, or for others than they are: each is read by its
//! letters.

mod common;

use common::shop::{LOGS, ROWS, Shop, everywhere, on_a_file};
use serde_json::{Value as Json, json};

/// A column of words that are the same in any case; in MySQL with blanks at the end and without, too.
fn lax(shop: &Shop) -> &'static str {
    match &shop.url {
        url if url.starts_with("sqlite") => "VARCHAR(64) COLLATE NOCASE",
        url if url.starts_with("postgres") => {
            if shop.ask("SELECT count(*) FROM pg_collation WHERE collprovider = 'i'") == ["0"] {
                eprintln!("left out: this PostgreSQL has no collation that takes words for the same");
                return "VARCHAR(64)";
            }
            shop.sql("CREATE COLLATION IF NOT EXISTS lax (provider = icu, locale = 'und-u-ks-level1', deterministic = false)");
            "VARCHAR(64) COLLATE lax"
        }
        _ => "VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    }
}

/// A table of orders whose ids may be there twice, and the file that names it.
fn orders(shop: &Shop, table: &str, id: &str, rows: &[String]) -> String {
    shop.sql(&format!("CREATE TABLE {table} (id {id}, buyer VARCHAR(64), total BIGINT, status VARCHAR(16))"));
    shop.sql(&format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
    let file = format!("{table}.toml");
    write(shop, &file, &ROWS.replace("table = \"orders\"", &format!("table = \"{table}\"")));
    file
}

fn order(id: &str, status: &str) -> String {
    format!("({id}, 'ayse', 1, '{status}')")
}

/// A table that is such a log as the shop's own; gives its part of the file.
fn logs(shop: &Shop, table: &str, subject: &str, id: &str, rows: &[String]) -> String {
    shop.sql(&format!(
        "CREATE TABLE {table} (id INTEGER PRIMARY KEY, subject {subject}, subject_id {id}, old_status VARCHAR(32), \
         new_status VARCHAR(32), event VARCHAR(32), actor VARCHAR(64), detail VARCHAR(64), changed_at VARCHAR(64))"
    ));
    let rows: Vec<String> = rows.iter().enumerate().map(|(key, row)| format!("({key}, {row})")).collect();
    shop.sql(&format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
    LOGS.replace("status_change_logs", table)
}

fn row(subject: &str, id: &str, event: &str) -> String {
    format!("'{subject}', {id}, 'new', 'new', '{event}', 'ayse', '', '2024-05-01 10:00:00'")
}

fn write(shop: &Shop, name: &str, text: &str) {
    std::fs::write(shop.world.path(name), text).unwrap();
}

fn why(listed: &Json, of: &str) -> Vec<(String, String)> {
    let word = |one: &Json, name: &str| one[name].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(|one| (word(one, of), word(one, "why"))).collect()
}

/// What the older log told of an order, in the order of its thread.
fn events(shop: &Shop, id: &str) -> Vec<String> {
    let history = shop.hos(&["history", "order", id, "--json"]).ended(0).json();
    let all = history["history"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "legacy");
    all.map(|entry| entry["parts"]["payload"]["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn rows_of_ids_that_a_collation_takes_for_one_are_each_adopted_and_those_of_one_id_refused() {
    everywhere(|shop| {
        let ids = ["'A1'", "'a1'", "'x'", "'x '", "'şa'", "'sa'", "'d'", "'d'"];
        let states = ["open", "paid"].into_iter().cycle();
        let rows: Vec<String> = ids.iter().zip(states).map(|(id, status)| order(id, status)).collect();
        let file = orders(shop, "loose", lax(shop), &rows);
        for adopted in [json!({ "new": 3, "paid": 3 }), json!({})] {
            let table = shop.adopt(&file, &[]).ended(1).json()["tables"][0].clone();
            assert_eq!((&table["adopted"], &table["refused"], &table["locked"]), (&adopted, &json!(2), &json!(0)), "{table}");
            assert_eq!(why(&table["listed"], "id"), [("d".to_owned(), "its id is there twice".to_owned())]);
        }
        let states = shop.ask("SELECT state FROM hos_instance WHERE tenant = 'pazar' ORDER BY id");
        assert_eq!(states, ["new", "paid", "paid", "new", "paid", "new"], "A1, a1, sa, x, `x `, şa");
        // One that is alone is taken, and not believed any more when another one comes.
        shop.sql("DELETE FROM loose WHERE id = 'd' AND status = 'open'");
        assert_eq!(shop.adopt(&file, &[]).ended(0).json()["tables"][0]["adopted"], json!({ "paid": 1 }));
        shop.sql("INSERT INTO loose VALUES ('d', 'ayse', 1, 'open')");
        let table = shop.adopt(&file, &[]).ended(1).json()["tables"][0].clone();
        assert_eq!((&table["adopted"], &table["refused"]), (&json!({}), &json!(2)), "{table}");
        shop.intact();
    });
}

#[test]
fn a_page_ends_behind_all_that_a_collation_takes_for_its_last() {
    everywhere(|shop| {
        // What is refused costs little; the page's five hundredth row is one of the last two.
        let mut rows: Vec<String> = (0..499).map(|i| order(&format!("'b-{i:03}'"), "lost")).collect();
        rows.extend([order("'z1'", "open"), order("'Z1'", "paid")]);
        let file = orders(shop, "loose", lax(shop), &rows);
        let table = shop.adopt(&file, &[]).ended(1).json()["tables"][0].clone();
        assert_eq!((&table["adopted"], &table["refused"]), (&json!({ "new": 1, "paid": 1 }), &json!(499)), "{table}");
    });
}

#[test]
fn one_id_as_a_number_a_text_and_bytes_is_one_id() {
    let shop = on_a_file();
    let ids = ["1", "'1'", "X'31'", "'2'", "3", "X'34'", "X'6fff'", "CAST(X'6ffe' AS TEXT)"];
    let file = orders(&shop, "typeless", "", &ids.map(|id| order(id, "open")));
    for adopted in [json!({ "new": 3 }), json!({})] {
        let table = shop.adopt(&file, &[]).ended(1).json()["tables"][0].clone();
        assert_eq!((&table["adopted"], &table["refused"]), (&adopted, &json!(5)), "{table}");
        let why = why(&table["listed"], "id");
        let said = |what: &str| why.iter().filter(|(_, why)| why == what).count();
        assert_eq!((said("its id is there twice"), said("its id is no UTF-8")), (3, 2), "{why:?}");
    }
    shop.intact();
}

#[test]
fn people_of_one_id_who_differ_are_refused_and_written_once_for_all() {
    everywhere(|shop| {
        shop.sql(&format!("CREATE TABLE anybody (id {}, active VARCHAR(8))", lax(shop)));
        let people = ["('Ali', '1')", "('ali', '0')", "('dup', '1')", "('dup', '0')", "('same', '1')", "('same', '1')"];
        let mut rows: Vec<String> = people.map(str::to_owned).to_vec();
        // The last two are cut in two by a page of five hundred.
        rows.extend((0..493).map(|i| format!("('m-{i:03}', 'maybe')")));
        rows.extend(["('z', '1')".to_owned(), "('Z', '0')".to_owned()]);
        shop.sql(&format!("INSERT INTO anybody VALUES {}", rows.join(", ")));
        write(shop, "people.toml", &ROWS.split("[[rows]]").next().unwrap().replace("users", "anybody"));
        let records = || shop.ask("SELECT count(*) FROM hos_record WHERE tenant = 'universe'");
        let mut before = Vec::new();
        for (put, known) in [(5, 0), (0, 5), (0, 5)] {
            let table = shop.adopt("people.toml", &[]).ended(1).json()["directory"][0].clone();
            assert_eq!((&table["put"], &table["known"], &table["refused_rows"]), (&json!(put), &json!(known), &json!(495)));
            let of_dup = why(&table["refused"], "id").into_iter().find(|(id, _)| id == "dup").unwrap();
            assert_eq!(of_dup.1, "its id is there twice, with attributes that differ");
            assert!(put > 0 || before == records(), "nothing is written twice");
            before = records();
        }
    });
}

#[test]
fn people_whose_id_is_no_utf8_or_stands_there_as_two_types_are_told() {
    let shop = on_a_file();
    shop.sql("CREATE TABLE anybody (id, active INTEGER)");
    shop.sql("INSERT INTO anybody VALUES (1, 1), ('1', 0), (2, 1), ('2', 1), (X'6fff', 1), ('o', 1)");
    write(&shop, "people.toml", &ROWS.split("[[rows]]").next().unwrap().replace("users", "anybody"));
    for (put, known) in [(2, 0), (0, 2)] {
        let table = shop.adopt("people.toml", &[]).ended(1).json()["directory"][0].clone();
        assert_eq!((&table["put"], &table["known"], &table["refused_rows"]), (&json!(put), &json!(known), &json!(3)), "{table}");
        let why: Vec<String> = why(&table["refused"], "id").into_iter().map(|(_, why)| why).collect();
        assert_eq!(why, ["its id is there twice, with attributes that differ", "its id is no UTF-8"]);
    }
}

#[test]
fn an_entity_of_which_two_rows_tell_differently_is_given_to_nobody() {
    everywhere(|shop| {
        shop.sql(&format!("CREATE TABLE buyers (id {}, kind VARCHAR(16))", lax(shop)));
        shop.sql("INSERT INTO buyers VALUES ('b-1', '1'), ('b-1', '0'), ('b-2', '1'), ('b-2', '1'), ('B-2', '0')");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'b-1', 1, 'open'), ('o-2', 'b-2', 1, 'open')");
        let rows = ROWS.split("[[rows]]").nth(1).unwrap();
        let given = "[[given]]\nentity = \"Account\"\ntable = \"buyers\"\nid = \"id\"\n";
        let attrs = "attrs = { active = { column = \"kind\", type = \"Bool\" } }\n";
        write(shop, "given.toml", &["tenant = \"pazar\"\n[[rows]]", rows, given, attrs].concat());
        let table = shop.adopt("given.toml", &[]).ended(1).json()["tables"][0].clone();
        assert_eq!((&table["adopted"], &table["refused"]), (&json!({ "new": 1 }), &json!(1)), "{table}");
        let (id, why) = why(&table["listed"], "id").remove(0);
        assert_eq!((id.as_str(), why.contains("row `b-1`: its id is there twice")), ("o-1", true), "{why}");
    });
}

#[test]
fn a_log_is_told_by_the_letters_of_its_words_and_ids() {
    everywhere(|shop| {
        let rows = orders(shop, "loose", lax(shop), &[order("'A1'", "open"), order("'a1'", "open")]);
        let rows = std::fs::read_to_string(shop.world.path(&rows)).unwrap();
        let told = [row("order", "'A1'", "first"), row("ORDER", "'A1'", "other"), row("order", "'a1'", "mine")];
        let log = logs(shop, "lax_logs", lax(shop), lax(shop), &told);
        write(shop, "lax.toml", &[rows, log].concat());
        for (told, known) in [(json!({ "order": 2 }), 0), (json!({}), 2)] {
            let log = shop.adopt("lax.toml", &[]).ended(0).json()["logs"][0].clone();
            assert_eq!((&log["told"], &log["known"], &log["unknown"]), (&told, &json!(known), &json!(0)), "{log}");
        }
        assert_eq!((events(shop, "A1"), events(shop, "a1")), (vec!["first".to_owned()], vec!["mine".to_owned()]));
        shop.intact();
    });
}

#[test]
fn an_instance_that_is_not_there_is_named_by_its_own_letters() {
    everywhere(|shop| {
        let told = [row("order", "'b1'", "first"), row("order", "'B1'", "other")];
        let log = logs(shop, "lax_logs", lax(shop), lax(shop), &told);
        write(shop, "lax.toml", &["tenant = \"pazar\"\n", &log].concat());
        let log = shop.adopt("lax.toml", &[]).ended(0).json()["logs"][0].clone();
        let mut strangers: Vec<&str> = log["strangers"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        strangers.sort_unstable();
        assert_eq!(strangers, ["order/B1", "order/b1"]);
    });
}

#[test]
fn a_word_that_a_logs_column_has_no_letters_for_is_in_none_of_its_rows() {
    everywhere(|shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        let subject = if shop.url.starts_with("mysql") { "VARCHAR(32) CHARACTER SET latin1" } else { "VARCHAR(32)" };
        let log = logs(shop, "narrow_logs", subject, "VARCHAR(64)", &[row("order", "'o-1'", "place")]);
        let log = log.replace("words = { order = \"order\" }", "words = { order = \"order\", \"sipariş\" = \"order\" }");
        write(shop, "narrow.toml", &[ROWS, &log].concat());
        assert_eq!(shop.adopt("narrow.toml", &[]).ended(0).json()["logs"][0]["told"], json!({ "order": 1 }));
    });
}

#[test]
fn bytes_that_are_no_text_are_refused_and_their_column_named() {
    everywhere(|shop| {
        match &shop.url {
            // Its bytes have a text of their own.
            url if url.starts_with("postgres") => return,
            url if url.starts_with("sqlite") => {}
            _ => {
                shop.sql("ALTER TABLE users MODIFY active VARBINARY(8)");
                shop.sql("ALTER TABLE orders MODIFY buyer VARBINARY(64)");
                let event = "MODIFY event VARCHAR(32) CHARACTER SET latin1";
                shop.sql(&format!("ALTER TABLE status_change_logs MODIFY actor VARBINARY(64), {event}"));
            }
        }
        shop.sql("INSERT INTO users VALUES ('bora', X'FF')");
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', X'6FFF', 1, 'open')");
        let row =
            |event: &str, actor: &str| format!("('order', 'o-1', 'new', 'new', '{event}', {actor}, '', '2024-05-01 10:00:00')");
        shop.log(&[row("ödendi", "X'C59F'"), row("lost", "X'6F67FC7A'")]);
        let done = shop.adopt("world.toml", &[]).ended(1).json();
        let all = [
            (&done["directory"][0]["refused"], "id", "bora", "active"),
            (&done["tables"][0]["listed"], "id", "o-2", "buyer"),
            (&done["logs"][0]["listed"], "row", "order/o-1 2", "actor"),
        ];
        for (listed, of, which, column) in all {
            assert_eq!(why(listed, of), [(which.to_owned(), format!("its column `{column}` is no UTF-8"))], "{done}");
        }
        assert_eq!((&done["logs"][0]["told"], events(shop, "o-1")), (&json!({ "order": 1 }), vec!["ödendi".to_owned()]));
        let history = shop.hos(&["history", "order", "o-1", "--json"]).ended(0).json();
        assert_eq!(history["history"][1]["parts"]["payload"]["actor"], "ş", "{history}");
    });
}

#[test]
fn a_column_that_gives_no_words_is_nobodys_id() {
    everywhere(|shop| {
        let kinds: &[(&str, &str)] = match &shop.url {
            url if url.starts_with("sqlite") => return,
            url if url.starts_with("postgres") => &[("DOUBLE PRECISION", "1.5"), ("REAL", "1")],
            _ => &[
                ("DOUBLE", "1.5"),
                ("FLOAT", "2"),
                ("DATE", "'2024-01-01'"),
                ("DATETIME", "'2024-01-01 10:00:00'"),
                ("TIME", "'10:00:00'"),
                ("BIT(8)", "b'101'"),
                ("BIT(8)", "b'0'"),
            ],
        };
        for (kind, id) in kinds {
            let rows = orders(shop, "typed", kind, &[order(id, "open")]);
            let log = logs(shop, "typed_logs", "VARCHAR(32)", kind, &[row("order", id, "place")]);
            write(shop, "log.toml", &["tenant = \"pazar\"\n", &log].concat());
            for file in [rows.as_str(), "log.toml"] {
                let run = shop.adopt(file, &[]);
                assert!(run.exit != 0 && run.out.contains("an id is a text or a whole number"), "{kind}, {file}: {run:?}");
            }
            shop.sql("DROP TABLE typed");
            shop.sql("DROP TABLE typed_logs");
        }
        assert_eq!(shop.ask("SELECT count(*) FROM hos_instance WHERE tenant = 'pazar'"), ["0"]);
    });
}

#[test]
fn rows_of_a_log_that_name_their_instance_by_no_id_are_counted() {
    let shop = on_a_file();
    shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
    // A page ends with the number that has a fraction, and texts stand behind it.
    let ids = (0..499).map(|i| i.to_string()).chain(["1000.5".to_owned()]).chain((0..600).map(|i| format!("'t-{i}'")));
    let odd = ["'o-1'", "CAST(X'6fff' AS TEXT)", "X'6ffe'", "X'6f2d31'"].map(str::to_owned);
    let rows: Vec<String> = ids.chain(odd).map(|id| row("order", &id, "place")).collect();
    let log = logs(&shop, "typeless_logs", "TEXT", "", &rows);
    shop.sql("CREATE INDEX typeless_by_id ON typeless_logs (subject, subject_id)");
    write(&shop, "typeless.toml", &[ROWS, &log].concat());
    let log = shop.adopt("typeless.toml", &[]).ended(1).json()["logs"][0].clone();
    assert_eq!((&log["told"], &log["unknown"], &log["refused"]), (&json!({ "order": 2 }), &json!(1099), &json!(3)), "{log}");
    let why: Vec<String> = why(&log["listed"], "row").into_iter().map(|(_, why)| why).collect();
    assert!(why[0].starts_with("1 rows name their instance by a number with a fraction (REAL)"), "{why:?}");
    assert_eq!(why[1..], ["its id is no UTF-8", "its id is no UTF-8"]);
    // Bytes are the text that they spell.
    assert_eq!(events(&shop, "o-1"), ["place", "place"]);
}

/// The log's times are texts, of any spelling.
fn with_times_of_any_spelling(shop: &Shop) {
    match &shop.url {
        url if url.starts_with("sqlite") => {}
        url if url.starts_with("postgres") => {
            shop.sql("ALTER TABLE status_change_logs ALTER COLUMN changed_at TYPE VARCHAR(64)");
        }
        _ => shop.sql("ALTER TABLE status_change_logs MODIFY changed_at VARCHAR(64)"),
    }
    shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
}

fn at(event: &str, time: &str) -> String {
    format!("('order', 'o-1', 'new', 'new', '{event}', 'ayse', '', '{time}')")
}

#[test]
fn a_log_is_told_in_the_order_of_its_times_and_not_of_their_spelling() {
    everywhere(|shop| {
        with_times_of_any_spelling(shop);
        shop.log(&[
            at("first", "2024-01-01T05:00:00Z"),
            at("second", "2024-01-01 10:00:00"),
            at("zeroth", "2024-01-01 06:00:00+03:00"),
            // The same moment as the first's, by a greater key; and two that differ by less than a record tells.
            at("also first", "2024-01-01 08:00:00+03:00"),
            at("finer", "2024-01-01 05:00:00.0002"),
            at("fine", "2024-01-01 05:00:00.0001Z"),
        ]);
        shop.adopt("world.toml", &[]).ended(0);
        assert_eq!(events(shop, "o-1"), ["zeroth", "first", "also first", "fine", "finer", "second"]);
        shop.intact();
    });
}

#[test]
fn what_is_too_late_is_read_and_what_is_no_time_is_named() {
    everywhere(|shop| {
        with_times_of_any_spelling(shop);
        shop.log(&[
            at("no day", "31/04/2024 10:00"),
            at("early", "2024-01-01 10:00:00"),
            at("just early", "2024-05-02T01:00:00+03:00"),
            at("number", "1714600000"),
            at("no time", "yesterday"),
            at("on time", "2024-05-02T00:00:00Z"),
            at("late", "2024-05-01 23:00:00-03:00"),
            at("nobodys", "2024-05-01 10:00:00").replace("'o-1'", "NULL"),
            at("nobodys, and late", "2024-06-01 10:00:00").replace("'o-1'", "NULL"),
        ]);
        write(shop, "until.toml", &[ROWS, LOGS, "until = \"2024-05-02T00:00:00Z\"\n"].concat());
        let log = shop.adopt("until.toml", &[]).ended(1).json()["logs"][0].clone();
        assert_eq!((&log["told"], &log["refused"], &log["unknown"]), (&json!({ "order": 2 }), &json!(4), &json!(0)), "{log}");
        let listed = log["listed"].to_string();
        for time in ["31/04/2024", "yesterday", "1714600000", "1 rows name no instance"] {
            assert!(listed.contains(time), "{time}: {listed}");
        }
        assert_eq!(events(shop, "o-1"), ["early", "just early"]);
        if shop.url.starts_with("postgres") {
            // A number ends no run, either.
            shop.sql("DELETE FROM status_change_logs");
            shop.sql("ALTER TABLE status_change_logs ALTER COLUMN changed_at TYPE BIGINT USING 0");
            shop.log(&[at("number", "1714600000")]);
            let log = shop.adopt("until.toml", &[]).ended(1).json()["logs"][0].clone();
            assert_eq!((&log["told"], &log["refused"]), (&json!({}), &json!(1)), "{log}");
        }
    });
}

#[test]
fn a_time_is_told_whatever_style_the_database_writes_dates_in() {
    everywhere(|shop| {
        if !shop.url.starts_with("postgres") {
            return;
        }
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        shop.sql("ALTER TABLE status_change_logs ALTER COLUMN changed_at TYPE TIMESTAMPTZ");
        let name = shop.url.rsplit('/').next().unwrap();
        for (n, style) in ["German", "SQL, DMY", "Postgres, MDY"].into_iter().enumerate() {
            shop.sql(&format!("ALTER DATABASE {name} SET datestyle = '{style}'"));
            shop.log(&[at(style, &format!("2024-05-01 12:00:0{n}.5+03"))]);
            let log = shop.adopt("world.toml", &[]).ended(0).json()["logs"][0].clone();
            assert_eq!(log["told"], json!({ "order": 1 }), "{style}: {log}");
        }
        let history = shop.hos(&["history", "order", "o-1", "--json"]).ended(0).json();
        let last = &history["history"][3]["parts"]["payload"]["at"]["__extn"]["arg"];
        assert_eq!(last, "2024-05-01T09:00:02.500Z", "{history}");
    });
}
