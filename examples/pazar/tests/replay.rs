//! The program as a user starts it: whole replays, killed ones, wrong inputs.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn pazar(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pazar"));
    command.args(args).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    pazar(args).output().expect("the program starts")
}

/// The last line of stdout, which is JSON; the run must have ended well.
fn report(args: &[&str]) -> Value {
    let out = run(args);
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: ../shared/data is absent");
    None
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// What must be the same however often a replay was stopped.
fn essence(report: &Value) -> Value {
    let mut out = report.clone();
    let object = out.as_object_mut().expect("an object");
    for varying in ["rate_per_second", "seconds", "resumed_at", "store", "ask", "verify"] {
        object.remove(varying);
    }
    out
}

/// Starts the replay again and again, and kills it (SIGKILL) a little later each time, until it ends by itself.
fn killed_replay(args: &[&str], first_ms: u64, step_ms: u64) -> (Value, u32) {
    let (mut kills, mut patience) = (0, first_ms);
    loop {
        let mut child = pazar(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(patience));
        if child.try_wait().expect("a child").is_some() {
            let out = child.wait_with_output().expect("its output");
            assert!(out.status.success(), "after {kills} kills: {}", String::from_utf8_lossy(&out.stderr));
            let text = String::from_utf8(out.stdout).expect("UTF-8");
            return (serde_json::from_str(text.lines().last().expect("a line")).expect("JSON"), kills);
        }
        child.kill().expect("a kill");
        child.wait().expect("a child");
        kills += 1;
        patience += step_ms;
        assert!(kills < 500, "the replay does not come to an end");
    }
}

#[test]
fn the_sample_is_replayed_and_holds() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("sample.db");
    let args = ["--bookings", "300", "--store", text(&store), "--json"];
    let first = report(&args);
    assert_eq!(first["bookings"], 300);
    assert_eq!(first["verify"]["level"], "intact");
    assert_eq!(first["attempted"].as_u64(), Some(first["accepted"].as_u64().unwrap() + first["refused_calls"].as_u64().unwrap()));
    let ended: u64 = first["final"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(ended, 300 - first["refused_calls"].as_u64().unwrap());
    // Once more on the same store: nothing is left, and nothing is lost or added.
    let second = report(&args);
    assert_eq!(essence(&second), essence(&first));
    assert_eq!(second["resumed_at"], first["attempted"]);
}

#[test]
fn a_text_for_people_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let out = run(&["--bookings", "50", "--store", text(&dir.path().join("s.db"))]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8(out.stdout).unwrap();
    for word in
        ["50 bookings", "reservation.request", "policy booker-books", "checked_out", "evidence   intact", "hos history --store "]
    {
        assert!(said.contains(word), "{word} is not in:\n{said}");
    }
    assert!(out.stderr.is_empty(), "no bar where nobody sees it");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (store, file) = (dir.path().join("s.db"), dir.path().join("wrong.csv"));
    std::fs::write(&file, "hotel,lead_time\nA,1\n").unwrap();
    let late = dir.path().join("late.csv");
    let lines = "Invoice,StockCode,Quantity,InvoiceDate,Price,Customer ID\n1,A,2,2025-12-01 08:26:00,0.5,7\n2,A,1,2052-12-01 08:26:00,0.5,7\n";
    std::fs::write(&late, lines).unwrap();
    for (args, why) in [
        (vec!["--reservations", text(&file)], "there is no column `arrival_date_year`"),
        (vec!["--orders", text(&file)], "there is no column `InvoiceNo`"),
        (vec!["--orders", "no-such-file"], "cannot be read"),
        (vec!["--orders", text(&late)], "line 3, column `InvoiceDate`: invoice 2, line 2, `order.place`: more than 1830 days"),
        (vec!["--bookings", "3", "--law", text(dir.path())], "law"),
        (vec!["--orders", "a", "--reservations", "b"], "cannot be used with"),
        (vec!["--bookings", "0"], "0 is not in"),
    ] {
        let out = run(&[&args[..], &["--store", text(&store)]].concat());
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && said.contains(why), "{args:?}: {said}");
        assert!(!store.exists(), "{args:?} made a store");
    }
}

#[test]
fn two_inputs_share_a_store_unless_their_rows_meet() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("s.db");
    let one = report(&["--bookings", "40", "--seed", "1", "--store", text(&store), "--json"]);
    // The rows of another sample bear the same numbers: that is refused, in words.
    let out = run(&["--bookings", "40", "--seed", "2", "--store", text(&store), "--json"]);
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("choose another --store"), "{}", String::from_utf8_lossy(&out.stderr));
    let file = dir.path().join("orders.csv");
    std::fs::write(&file, "Invoice,StockCode,Quantity,InvoiceDate,Price,Customer ID\n1,A,2,2025-12-01 08:26:00,0.5,7\nC2,A,-2,2025-12-01 08:30:00,0.5,7\n").unwrap();
    let two = report(&["--orders", text(&file), "--store", text(&store), "--json"]);
    assert_eq!((&two["placed"], &two["returns_accepted"], &two["refused"]), (&json!(1), &json!(1), &json!({})));
    assert!(two["records"].as_u64() > one["records"].as_u64());
}

#[test]
fn a_second_replay_into_a_store_at_once_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("new").join("s.db");
    let args = ["--bookings", "3", "--store", text(&store), "--json"];
    std::fs::create_dir(dir.path().join("new")).unwrap();
    let other = std::fs::File::create(dir.path().join("new").join("s.db.replaying")).unwrap();
    other.lock().unwrap();
    let out = run(&args);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && said.contains("another pazar replays into"), "{said}");
    assert!(!store.exists(), "and leaves the store to the first one");
    drop(other);
    assert_eq!(report(&args)["bookings"], 3);
}

#[test]
fn real_bookings_end_as_they_are_known_to() {
    let Some(path) = shared("reservations/dev_resort_2015.csv.gz") else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = report(&["--reservations", text(&path), "--store", text(&dir.path().join("s.db")), "--json"]);
    assert_eq!(out["bookings"], 8_314);
    assert_eq!((&out["attempted"], &out["accepted"]), (&json!(34_649), &json!(34_545)));
    assert_eq!(out["refused"], json!({"no_nights": 100, "no_guests": 5}));
    assert_eq!(out["final"], json!({"checked_out": 6_073, "cancelled": 2_069, "no_show": 68}));
    assert_eq!(out["verify"]["level"], "intact");
}

#[test]
fn real_orders_end_as_they_are_known_to() {
    let Some(path) = shared("orders/dev_2010-12.csv.gz") else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = report(&["--orders", text(&path), "--store", text(&dir.path().join("s.db")), "--json"]);
    assert_eq!((&out["orders"], &out["placed"], &out["returns_accepted"]), (&json!(1_400), &json!(1_400), &json!(299)));
    assert_eq!(out["refused"], json!({"exceeds_balance": 2, "nothing_bought": 389}));
    assert_eq!(out["verify"]["level"], "intact");
}

#[test]
fn a_killed_replay_ends_as_if_nothing_had_happened() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, killed) = (dir.path().join("whole.db"), dir.path().join("killed.db"));
    let uninterrupted = report(&["--bookings", "400", "--store", text(&whole), "--json"]);
    let (resumed, kills) = killed_replay(&["--bookings", "400", "--store", text(&killed), "--json"], 5, 60);
    assert!(kills > 2, "killed only {kills} times");
    assert_eq!(essence(&resumed), essence(&uninterrupted), "after {kills} kills");
    assert_eq!(resumed["verify"]["level"], "intact");
}
