//! The world's own log told into the threads of what it is about: on a file, and on the databases that the environment names.

mod common;

use common::shop::{LOGS, ROWS, everywhere};
use serde_json::{Value as Json, json};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn told(done: &Json) -> (u64, u64, u64, u64) {
    let log = &done["logs"][0];
    let count = |name: &str| log[name].as_u64().unwrap();
    (log["told"]["order"].as_u64().unwrap_or(0), count("known"), count("unknown"), count("refused"))
}

#[test]
fn a_log_is_told_once_in_its_order_and_what_cannot_be_is_named() {
    everywhere(|shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open'), ('o-2', 'ayse', 2, 'paid')");
        shop.log(&[
            // The oldest stands last: times decide.
            "('order', 'o-2', 'new', 'paid', 'pay', 'ayse', '{\"psp\":1}', '2024-05-01 10:00:00.500')".into(),
            "('order', 'o-2', NULL, 'new', 'place', 'ayse', '', '2024-05-01 09:00:00')".into(),
            "('order', 'o-2', 'paid', 'bir ara \"durum\"', 'elle', 'kedi', NULL, '2024-05-02 09:00:00')".into(),
            "('order', 'o-1', NULL, 'new', 'place', 'ayse', '{}', '2024-05-03 09:00:00')".into(),
            "('order', 'gone', 'new', 'paid', 'pay', 'ayse', '', '2024-05-03 09:00:00')".into(),
            "('order', 'o-1', 'new', NULL, 'pay', 'ayse', '', '2024-05-03 09:00:00')".into(),
            "('order', NULL, 'new', 'paid', 'pay', 'ayse', '', '2024-05-03 09:00:00')".into(),
            "('product', 'o-1', 'in', 'out', 'sell', 'ayse', '', '2024-05-03 09:00:00')".into(),
        ]);
        // Who is who is rolled back by a dry run as well: it must stand before, or no row could be adopted.
        std::fs::write(shop.world.path("people.toml"), ROWS.split("[[rows]]").next().unwrap()).unwrap();
        shop.adopt("people.toml", &[]).ended(0);
        let dry = shop.adopt("world.toml", &["--dry-run"]).ended(1).json();
        assert_eq!(told(&dry), (4, 0, 1, 2), "{dry}");
        assert_eq!(shop.ask("SELECT count(*) FROM hos_instance"), ["0"], "a dry run leaves nothing");

        let done = shop.adopt("world.toml", &[]).ended(1).json();
        assert_eq!(told(&done), (4, 0, 1, 2), "{done}");
        assert_eq!(done["logs"][0]["strangers"], json!(["order/gone"]), "{done}");
        let why = done["logs"][0]["listed"].to_string();
        assert!(why.contains("1 rows name no instance") && why.contains("its key, its time or its state"), "{why}");
        let records = shop.records();
        let again = shop.adopt("world.toml", &[]).ended(1).json();
        assert_eq!((told(&again), shop.records()), ((0, 4, 1, 2), records), "{again}");

        let history = shop.hos(&["history", "order", "o-2", "--json"]).ended(0).json();
        let story: Vec<[&str; 2]> = history["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let row = &entry["parts"]["payload"];
                [entry["kind"].as_str().unwrap(), row["to"].as_str().unwrap_or_default()]
            })
            .collect();
        let wanted = [["adopted", ""], ["legacy", "new"], ["legacy", "paid"], ["legacy", "bir ara \"durum\""]];
        assert_eq!(story, wanted, "{history}");
        let last = &history["history"][3];
        assert_eq!((&last["decision"], last.get("to")), (&json!("none"), None), "{last}");
        assert_eq!(last["parts"]["payload"]["actor"], "kedi");
        assert_eq!(history["history"][2]["parts"]["payload"]["at"]["__extn"]["arg"], "2024-05-01T10:00:00.500Z");
        let line = shop.hos(&["history", "order", "o-2"]).ended(0).out;
        assert!(line.contains("told by the old world: 2024-05-02T09:00:00.000Z  elle  paid -> bir ara"), "{line}");
        // From an instant on the log is left alone; and a file may name a log alone.
        let until = ["tenant = \"pazar\"\n", LOGS, "until = \"2024-05-02T00:00:00Z\"\n"].concat();
        std::fs::write(shop.world.path("until.toml"), until).unwrap();
        assert_eq!(told(&shop.adopt("until.toml", &[]).ended(0).json()), (0, 2, 0, 0));
        shop.log(&["('order', 'o-2', 'paid', 'sent', 'send', 'ayse', '', NULL)".into()]);
        let done = shop.adopt("until.toml", &[]).ended(1).json();
        assert_eq!(told(&done), (0, 2, 0, 1), "a row without its time is named: {done}");
        shop.sql("DELETE FROM status_change_logs WHERE event = 'send'");
        // The state is the row's, whatever was told; and a row that comes later is told behind the others.
        assert_eq!(shop.hos(&["drift", "world.toml"]).ended(0).out, "orders: 2 rows, 0 differ\n");
        shop.log(&["('order', 'o-2', 'paid', 'lost', 'lose', 'ayse', '', '2020-01-01 00:00:00')".into()]);
        shop.log(&["('order', 'o-2', 'paid', 'found', 'find', 'ayse', '', '2020-01-01 00:00:00')".into()]);
        assert_eq!(told(&shop.adopt("world.toml", &["--limit", "1"]).ended(1).json()).0, 1);
        assert_eq!(told(&shop.adopt("world.toml", &[]).ended(1).json()).0, 1);
        assert_eq!(shop.records(), records + 2);
        shop.intact();
    });
}

#[test]
fn a_time_that_is_a_number_is_named_and_not_left_out_for_one_that_is_too_late() {
    everywhere(|shop| {
        match &shop.url {
            // It compares no number with a time: the run fails as a whole.
            url if url.starts_with("postgres") => return,
            url if url.starts_with("sqlite") => {}
            _ => shop.sql("ALTER TABLE status_change_logs MODIFY changed_at BIGINT"),
        }
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        let row = |at: &str| format!("('order', 'o-1', NULL, 'new', 'place', 'ayse', '', {at})");
        shop.log(&["1714608000", "1714608000000"].map(row));
        std::fs::write(shop.world.path("until.toml"), [ROWS, LOGS, "until = \"2026-12-01T00:00:00Z\"\n"].concat()).unwrap();
        let done = shop.adopt("until.toml", &[]).ended(1).json();
        assert_eq!(told(&done), (0, 0, 0, 2), "{done}");
        assert!(done["logs"][0]["listed"].to_string().contains("1714608000"), "{done}");
    });
}

#[test]
fn a_run_that_was_killed_goes_on_beside_who_writes_and_nothing_is_lost_or_told_twice() {
    everywhere(|shop| {
        let rows: Vec<String> = (0..150).map(|i| format!("('r-{i:03}', 'ayse', {i}, 'paid')")).collect();
        shop.sql(&format!("INSERT INTO orders VALUES {}", rows.join(", ")));
        let log = |i: usize, step: usize| {
            let (from, to) = [("NULL", "'new'"), ("'new'", "'paid'"), ("'paid'", "'sent'")][step];
            format!("('order', 'r-{i:03}', {from}, {to}, 'e{step}', 'ayse', '', '2024-05-01 10:00:0{step}')")
        };
        let logs: Vec<String> = (0..150).flat_map(|i| (0..3).map(move |step| log(i, step))).collect();
        shop.log(&logs);
        // One order has more rows than a call tells.
        let many: Vec<String> = (0..130)
            .map(|i| format!("('order', 'r-000', 'paid', 'paid', 'touch', 'ayse', 'x', '2024-05-02 10:{:02}:00')", i % 60))
            .collect();
        shop.log(&many);
        shop.adopt("rows.toml", &[]).ended(0);
        let before = shop.records();
        let mut child = Command::new(env!("CARGO_BIN_EXE_hos"));
        child
            .env("HOS_STORE_FILE", shop.world.path("url"))
            .env("HOS_TENANT", "pazar")
            .env("HOS_AS", "Account::root")
            .env("LANG", "C");
        child.args(shop.words(&["adopt", "--rows", "world.toml"])).current_dir(shop.world.dir.path());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while shop.records() < before + 150 && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let half = shop.records() - before;
        assert!(half >= 150, "{half}");

        let over = AtomicBool::new(false);
        let more = std::thread::scope(|scope| {
            let over = &over;
            let writer = scope.spawn(move || {
                let mut more = 0;
                while !over.load(Ordering::Relaxed) && more < 60 {
                    shop.log(&[log(more, 2)]);
                    more += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
                more
            });
            shop.adopt("world.toml", &[]).ended(0);
            over.store(true, Ordering::Relaxed);
            writer.join().unwrap()
        });
        shop.adopt("world.toml", &[]).ended(0);
        let all: u64 = shop.ask("SELECT count(*) FROM status_change_logs")[0].parse().unwrap();
        assert_eq!(all, 580 + more as u64);
        assert_eq!(shop.records() - before, all, "each row once, {half} of them before it was killed");
        let done = shop.adopt("world.toml", &[]).ended(0).json();
        assert_eq!((told(&done), shop.records() - before), ((0, all, 0, 0), all));
        shop.intact();
    });
}

#[test]
fn a_file_that_does_not_fit_is_told_before_anything_is_done() {
    everywhere(|shop| {
        for (from, to, wanted) in [
            ("order = \"order\" }", "order = \"ordre\" }", "no contract `ordre`"),
            ("\"changed_at\"", "\"changed at\"", "no name of a table"),
            ("key = \"id\"\n", "", "missing field `key`"),
            ("actor = ", "actors = ", "unknown field `actors`"),
            ("actor = ", "until = ", "`until`: `actor` is not an RFC 3339 time"),
            ("\"changed_at\"", "\"changed_on\"", "the table `status_change_logs` is not as the file says"),
            ("\"status_change_logs\"", "\"logs\"", "the table `logs` is not as the file says"),
        ] {
            std::fs::write(shop.world.path("other.toml"), [ROWS, &LOGS.replace(from, to)].concat()).unwrap();
            let said = shop.hos(&["adopt", "--rows", "other.toml"]).ended(2).err;
            assert!(said.contains(wanted), "{said}");
            let people = shop.hos(&["directory", "list", "--json", "--tenant", "universe"]).ended(0).out;
            assert!(!people.contains("ayse"), "nobody was taken in: {people}");
        }
    });
}

#[test]
fn a_time_with_a_zone_is_told_in_utc_wherever_the_server_lives() {
    everywhere(|shop| {
        shop.sql("INSERT INTO orders VALUES ('o-1', 'ayse', 1, 'open')");
        let zoned = match &shop.url {
            url if url.starts_with("postgres") => {
                let name = url.rsplit('/').next().unwrap();
                shop.sql(&format!("ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'"));
                shop.sql("ALTER TABLE status_change_logs ALTER COLUMN changed_at TYPE TIMESTAMPTZ");
                "2024-05-01 12:00:00.5+03"
            }
            url if url.starts_with("sqlite") => "2024-05-01T12:00:00.500+03:00",
            // Which zone a session of MySQL's has is the server's affair.
            _ => return,
        };
        shop.log(&[format!("('order', 'o-1', NULL, 'new', 'place', 'ayse', '', '{zoned}')")]);
        shop.adopt("world.toml", &[]).ended(0);
        let history = shop.hos(&["history", "order", "o-1", "--json"]).ended(0).json();
        let at = &history["history"][1]["parts"]["payload"]["at"]["__extn"]["arg"];
        assert_eq!(at, "2024-05-01T09:00:00.500Z", "{history}");
    });
}
