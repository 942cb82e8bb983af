//! Writers of every language on one store, killed at any moment. `cargo xtask torture kills` does it for long.

mod processes;

use hos_testkit::chance::Chance;
use hos_testkit::told::{Fault, Told};
use hos_testkit::victim::Victim;
use processes::{Language, PATIENCE, done, ended, evidence::evidence, found, holds, open, set, start};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What a process is that one of these tests started; nothing when this program runs as itself.
#[test]
fn a_process() {
    let Ok(told) = std::env::var("HOS_PROCESS") else { return };
    let words: Vec<&str> = told.lines().collect();
    say("");
    let engine = open(Path::new(words[1]));
    let one = |key: &str, again: bool| {
        let answer = done(&engine.tenant("t1").unwrap(), key).unwrap();
        assert!(answer.allowed && answer.again == again, "{answer:?}");
        say(&format!("ack {key} {}", answer.receipt.unwrap().record));
    };
    if words[0] == "again" {
        return words[2..].iter().for_each(|key| one(key, true));
    }
    let (name, one) = (words[2], &one);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            scope.spawn(move || {
                for k in 0.. {
                    let key = format!("{name}.{thread}-{k}");
                    for key in [key.clone(), format!("{key}+step")].iter().take(if k % 3 == 0 { 2 } else { 1 }) {
                        say(&format!("try {key}"));
                        one(key, false);
                    }
                }
            });
        }
    });
}

#[test]
fn writers_of_every_language_are_killed_and_nothing_is_lost() {
    let languages = Language::all();
    let kills = set("HOS_TEST_KILLS").unwrap_or(4 * languages.len() as u64);
    let until = Instant::now() + Duration::from_secs(set("HOS_TEST_SECONDS").unwrap_or(0));
    let (mut killed, mut acknowledged, mut again) = (BTreeMap::<&str, u64>::new(), 0, 0);
    for round in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let store = found(dir.path());
        let (told, by) = storm(&store, &languages, kills, set("HOS_TEST_SEED").unwrap_or(1) + round);
        acknowledged += holds(&store, &told).acknowledged;
        again += once_more(&store, &languages, told);
        by.into_iter().for_each(|(name, count)| *killed.entry(name).or_default() += count);
        if Instant::now() >= until {
            break;
        }
    }
    for (name, count) in killed {
        println!("count: {count} kills of writers in {name}");
    }
    println!("count: {acknowledged} acknowledgements (none lost) of writers in {} languages", languages.len());
    println!("count: {again} once-keys (the same receipt) of writers asked in another language");
}

/// One writer of each language at a time, each killed after another number of acknowledgements.
fn storm(store: &Path, languages: &[Language], kills: u64, seed: u64) -> (Told, BTreeMap<&'static str, u64>) {
    let (mut told, mut by, mut dice, mut begun) = (Told::default(), BTreeMap::new(), Chance::new(seed), 0);
    let mut begin = |language: Language| {
        begun += 1;
        (language, start(language, "writer", &["write", &store.display().to_string(), &format!("{}{begun}", language.name())]))
    };
    let mut writers: Vec<(Language, Victim)> = languages.iter().map(|language| begin(*language)).collect();
    for _ in 0..kills {
        let at = dice.below(writers.len());
        let (language, mut writer) = writers.swap_remove(at);
        let in_time = writer.says("ack", 1 + dice.below(40), PATIENCE);
        std::thread::sleep(Duration::from_micros(dice.below(20_000) as u64));
        writer.kill();
        let end = writer.end().unwrap();
        assert!(in_time && end.is_killed(), "{language:?} ended by itself: {}\n{}", end.trouble, end.text);
        told.read(&end.text);
        *by.entry(language.name()).or_default() += 1;
        writers.push(begin(language));
    }
    for (language, mut writer) in writers {
        assert!(writer.says("ack", 1, PATIENCE), "{language:?}: {}", writer.end().unwrap().trouble);
        writer.kill();
        told.read(&writer.end().unwrap().text);
    }
    (told, by)
}

/// Each language asks for some of what was acknowledged in any: the receipts are those that were given first.
fn once_more(store: &Path, languages: &[Language], mut told: Told) -> u64 {
    let keys: Vec<String> = told.acknowledged().map(|(key, _)| key.to_owned()).collect();
    let chosen: Vec<&str> = keys.iter().step_by(keys.len().div_ceil(20)).map(String::as_str).collect();
    let path = store.display().to_string();
    for language in languages {
        let args: Vec<&str> = ["again", &path].into_iter().chain(chosen.iter().copied()).collect();
        told.read(&ended(start(*language, "writer", &args)));
    }
    holds(store, &told);
    (chosen.len() * languages.len()) as u64
}

/// Planted: a writer that says so before it is true, a record that is taken out of the file.
#[test]
fn a_writer_that_says_so_too_early_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = found(dir.path());
    let path = store.display().to_string();
    if Language::Python.is_here() {
        let mut early = start(Language::Python, "writer", &["early", &path, "e"]);
        assert!(early.says("ack", 1, PATIENCE), "{}", early.end().unwrap().trouble);
        early.kill();
        let mut told = Told::default();
        told.read(&early.end().unwrap().text);
        assert_eq!(told.held(evidence(&store).unwrap()), Err(vec![Fault::Lost("e".to_owned())]));
    }
    let (told, _) = storm(&store, &[Language::Rust], 1, 1);
    let file = rusqlite::Connection::open(&store).unwrap();
    let key = told.acknowledged().next().unwrap().0.to_owned();
    assert_eq!(file.execute("DELETE FROM hos_once WHERE key = CAST(?1 AS BLOB)", [&key]).unwrap(), 1);
    assert_eq!(told.held(evidence(&store).unwrap()), Err(vec![Fault::Lost(key)]));
}
