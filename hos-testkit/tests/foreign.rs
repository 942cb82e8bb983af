//! A foreign SQLite library in the process that writes, and another process that opens and closes the file: what SQLite loses by
//! that is not lost here. `cargo xtask torture foreign` does it for long.

mod processes;

use hos_testkit::told::{Fault, Told};
use hos_testkit::victim::Victim;
use processes::{Language, PATIENCE, ended, found, holds, set, start};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

fn foreign(words: &[&str]) -> Victim {
    start(Language::Python, "foreign", words)
}

/// What touches the file inside the process that writes. Plain reads drop its locks; a whole library inside takes and lets go of
/// them besides, which is not held off yet: `docs/reliability.md` says what is left.
fn hands() -> String {
    std::env::var("HOS_TEST_FOREIGN_HANDS").unwrap_or_else(|_| "reads".to_owned())
}

fn codes(text: &str) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    for code in text.lines().filter_map(|line| line.strip_prefix("met ")?.split(' ').next()) {
        *codes.entry(code.to_owned()).or_default() += 1;
    }
    codes
}

#[test]
fn a_foreign_library_takes_nothing_that_was_acknowledged() {
    if !Language::Python.is_here() {
        return;
    }
    let until = Instant::now() + Duration::from_secs(set("HOS_TEST_SECONDS").unwrap_or(0));
    let count = if set("HOS_TEST_SECONDS").is_some() { "200" } else { "40" };
    let (mut met, mut acknowledged) = (BTreeMap::<String, usize>::new(), 0);
    for round in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let store = found(dir.path());
        let path = store.display().to_string();
        let seed = set("HOS_TEST_SEED").unwrap_or(1) * 1000 + round;
        let mut told = Told::default();
        let mut toucher = foreign(&["touch", &path]);
        // Two processes that write, each with a foreign library inside.
        let writers = ["a", "b"].map(|name| foreign(&["write", &path, name, count, &seed.to_string(), &hands()]));
        for writer in writers {
            let text = ended(writer);
            told.read(&text);
            codes(&text).into_iter().for_each(|(code, count)| *met.entry(code).or_default() += count);
        }
        assert!(toucher.runs(), "{}", toucher.end().unwrap().trouble);
        toucher.kill();
        toucher.end().unwrap();
        acknowledged += holds(&store, &told).acknowledged;
        if Instant::now() >= until {
            break;
        }
    }
    let lawful = ["hos.store_integrity", "hos.outcome_unknown"];
    assert!(met.keys().all(|code| lawful.contains(&code.as_str())), "{met:?}");
    let refused = met.get("hos.store_integrity").copied().unwrap_or_default();
    assert!(refused > 0, "nobody noticed anything: {met:?}");
    println!("count: {refused} refusals (each went on) of writers beside a foreign library");
    println!(
        "count: {} outcomes unknown (each resolved) of writers beside a foreign library",
        met.values().sum::<usize>() - refused
    );
    println!("count: {acknowledged} acknowledgements (none lost) of writers beside a foreign library");
}

/// Planted: a writer without a guard, on SQLite as it comes, loses what was committed: the trap closes.
#[test]
fn a_writer_without_a_guard_loses_what_it_acknowledged() {
    if !Language::Python.is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("plain.db");
    let told = trapped(&store);
    let file = rusqlite::Connection::open(&store).unwrap();
    let mut statement = file.prepare("SELECT key FROM log").unwrap();
    let there: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, String::new()))).unwrap().map(Result::unwrap).collect();
    let faults = told.held(there).unwrap_err();
    assert!(faults.iter().all(|fault| matches!(fault, Fault::Lost(_))) && faults.len() == 20, "{faults:?}");
}

fn trapped(store: &Path) -> Told {
    let path = store.display().to_string();
    let mut writer = foreign(&["plain", &path, "p"]);
    assert!(writer.says("touched", 1, PATIENCE), "{}", writer.end().unwrap().trouble);
    ended(foreign(&["once", &path]));
    std::fs::write(store.with_extension("go"), "").unwrap();
    assert!(writer.says("done", 1, PATIENCE), "{}", writer.end().unwrap().trouble);
    writer.kill();
    let mut told = Told::default();
    told.read(&writer.end().unwrap().text);
    told
}
