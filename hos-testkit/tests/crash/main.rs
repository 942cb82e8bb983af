//! The store on a disk that loses power and fails: what was told to a caller holds, whatever was left. `docs/reliability.md` tells what
//! each campaign looks for; this file has their tests, and starts this very binary again in a role.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod disk;
mod faults;
mod judge;
#[path = "../../../hos-engine/tests/support/law.rs"]
mod law;
mod mounts;
mod phases;
mod power;
mod record;
mod shim;
mod told;
mod world;

use hos_testkit::chance::Chance;
use power::{Crash, Tally};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a child does; nothing when this binary runs as itself.
#[test]
fn role_of_a_child() {
    let Ok(role) = std::env::var("HOS_CRASH_ROLE") else { return };
    let path = |name: &str| std::path::PathBuf::from(std::env::var_os(name).unwrap());
    let words: Vec<&str> = role.split(' ').collect();
    phases::run(&words, &path("HOS_CRASH_ROOT"), &path("HOS_CRASH_TOLD"));
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_was_told_holds_after_a_loss_of_power() {
    let mut tally = Tally::default();
    for seed in [1, 2] {
        power::campaign(seed, 200, &mut tally).unwrap_or_else(|what| panic!("{what}"));
    }
    println!("count: {} states of a loss of power, {} of them distinct", tally.states, tally.distinct);
    assert!(tally.distinct > 200, "{tally:?}");
}

/// Syncs that are answered and not done. Each loses something that was told, and the judge must see it.
#[test]
fn syncs_that_are_not_done_are_found() {
    for (swallowed, sign) in [
        // Commits; every name that the store, its vault, a backup and the mark have; persons' keys; what a checkpoint is of.
        ("s.db-wal", &["lost", "is at []"][..]),
        ("/", &["cannot be opened"]),
        ("s.db.vault-wal", &["key is gone", "erased", "key"]),
        ("s.db", &["cannot be opened", "evidence", "lost", "is at []"]),
        ("keys/", &["cannot be opened"]),
        (".new", &["cannot be opened"]),
    ] {
        let recording = power::record(3, Some(swallowed)).unwrap();
        let chosen = power::crashes(&recording.events, 150, &mut Chance::new(5));
        let found = power::findings(&recording.events, &chosen);
        let what = found.iter().find(|what| sign.iter().any(|sign| what.contains(sign)));
        let what = what.unwrap_or_else(|| panic!("`{swallowed}` was not synced, and of it was seen: {found:#?}"));
        println!("`{swallowed}` not synced: {} of {} do not hold, such as: {what}", found.len(), chosen.len());
    }
}

/// One operation in so many fails, each in its own way.
#[test]
fn what_was_told_holds_on_a_disk_that_fails() {
    let operations = faults::operations(1);
    // Steps that have no common divisor meet every sort of operation.
    let chosen = (1..).zip(&operations).step_by(operations.len() / 90).zip(faults::KINDS.iter().cycle());
    let all: Vec<_> = chosen.filter(|((_, operation), kind)| kind.fits(operation)).collect();
    let next = AtomicU64::new(0);
    // Most of a run is waiting for locks that cannot be set.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(((at, operation), kind)) = all.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let told = |what: String| faults::told_again(1, *at, operation, **kind, &what);
                    faults::run(1, *at, **kind).unwrap_or_else(|what| panic!("{}", told(what)));
                }
            });
        }
    });
    println!("count: {} operations of a disk that fails, of {}", all.len(), operations.len());
    assert!(all.len() > 50, "{}", all.len());
}

/// A file that cannot be opened once, of all that the program opens: SQLite takes it for one that may only be read.
#[test]
fn a_store_that_could_not_be_opened_once_is_written_again() {
    let operations = faults::operations(2);
    let once = faults::KINDS[0];
    let opens = |(_, operation): &(usize, &String)| matches!(operation.as_str(), "open store/s.db" | "open store/s.db.vault");
    let all: Vec<usize> = (1..).zip(&operations).filter(opens).map(|(at, _)| at).collect();
    for at in &all {
        faults::run(2, *at, once)
            .unwrap_or_else(|what| panic!("{}", faults::told_again(2, *at, &operations[at - 1], once, &what)));
    }
    println!("count: {} openings of a disk that fails once", all.len());
    assert!(all.len() > 6, "{}", all.len());
}

/// A disk that says yes and does nothing, and an engine that says what is not so: both are found.
#[test]
fn a_disk_that_lies_and_an_answer_that_lies_are_found() {
    let operations = faults::operations(1);
    let lies = |path: &str| {
        let of = |(_, operation): &(usize, &String)| operation.ends_with(path) && faults::LIE.fits(operation);
        (1..).zip(&operations).filter(of).map(|(at, _)| at).collect::<Vec<usize>>()
    };
    for path in ["write store/s.db-wal", "write store/s.db.vault-wal"] {
        let all = lies(path);
        let found = all.iter().step_by(all.len() / 12).filter_map(|at| faults::run(1, *at, faults::LIE).err());
        let what = found.into_iter().next().unwrap_or_else(|| panic!("`{path}` was not done, and nobody noticed"));
        println!("`{path}` not done: {what}");
    }
    faults::a_lie_is_found();
}

/// One run again: `HOS_FAULT`.
#[test]
fn fault_again() {
    let Ok(words) = std::env::var("HOS_FAULT") else { return };
    let numbers: Vec<usize> = words.split(':').map(|word| word.parse().unwrap()).collect();
    let kind = faults::KINDS.get(numbers[2]).copied().unwrap_or(faults::LIE);
    let account = faults::run(numbers[0] as u64, numbers[1], kind).unwrap_or_else(|what| panic!("{what}"));
    println!("{account:#?}");
}

#[test]
fn what_was_told_is_on_a_copy_of_the_file_system() {
    if let Some(why) = mounts::missing() {
        println!("skipped: no file system can be mounted here: {why}");
        return;
    }
    let mut tally = mounts::Tally::default();
    for seed in 1..20 {
        tally.add(mounts::campaign(seed, None).unwrap());
        if tally.copies >= 12 {
            break;
        }
    }
    println!("count: {} copies of a mounted file system, {} of them while it was written", tally.copies, tally.moving);
    assert!(tally.findings.is_empty() && tally.copies > 0, "{tally:#?}");
    // The same where syncs of the log are answered and not done.
    let mut lying = mounts::Tally::default();
    for seed in 20..40 {
        lying.add(mounts::campaign(seed, Some("s.db-wal")).unwrap());
        if !lying.findings.is_empty() {
            break;
        }
    }
    let found = lying.findings.first().unwrap_or_else(|| panic!("the log was not synced, and nobody noticed: {lying:#?}"));
    println!("not synced: {} of {} copies do not hold, such as: {found}", lying.findings.len(), lying.copies);
}

/// The long form of it.
#[test]
fn mounts_long() {
    let Some(seconds) = number("HOS_TORTURE_SECONDS") else { return };
    if let Some(why) = mounts::missing() {
        panic!("no file system can be mounted here: {why}");
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    let first = number("HOS_TORTURE_SEED").unwrap_or(1) * 1_000_000;
    let mut sum = mounts::Tally::default();
    for seed in first.. {
        sum.add(mounts::campaign(seed, None).unwrap());
        assert!(sum.findings.is_empty(), "seed {seed}: {:#?}", sum.findings);
        if Instant::now() > until {
            break;
        }
    }
    println!("count: {} copies of a mounted file system", sum.copies);
    println!("count: {} copies (while it was written) of a mounted file system", sum.moving);
    println!("count: {} acknowledgements (none lost) of a mounted file system", sum.kept);
}

/// The long form, every operation in every way; `HOS_TORTURE_SECONDS` bounds it, and it says how far it came.
#[test]
fn faults_long() {
    let Some(seconds) = number("HOS_TORTURE_SECONDS") else { return };
    let seed = number("HOS_TORTURE_SEED").unwrap_or(1);
    let until = Instant::now() + Duration::from_secs(seconds);
    let operations = faults::operations(seed);
    let all: Vec<(usize, faults::Kind)> = (1..=operations.len())
        .flat_map(|at| faults::KINDS.map(|kind| (at, kind)))
        .filter(|(at, kind)| kind.fits(&operations[at - 1]))
        .collect();
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let done = AtomicU64::new(0);
    // Most of a run is waiting for locks that cannot be set.
    let workers = 4 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while Instant::now() < until && failed.lock().unwrap().len() < 20 {
                    let Some((at, kind)) = all.get(next.fetch_add(1, Ordering::Relaxed) as usize) else { break };
                    match faults::run(seed, *at, *kind) {
                        Ok(_) => {
                            let done = 1 + done.fetch_add(1, Ordering::Relaxed);
                            if done.is_multiple_of(500) {
                                eprintln!("{done} of {} runs", all.len());
                            }
                        }
                        Err(what) => {
                            let told = faults::told_again(seed, *at, &operations[at - 1], *kind, &what);
                            eprintln!("{told}");
                            failed.lock().unwrap().push(told);
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    println!("count: {} operations of a disk that fails", operations.len());
    println!("count: {} runs (of {}) of a disk that fails", done.into_inner(), all.len());
}

/// One crash of a record that was kept: `HOS_CRASH_LOG`, `HOS_CRASH_STATE`.
#[test]
fn power_again() {
    let (Ok(log), Ok(state)) = (std::env::var("HOS_CRASH_LOG"), std::env::var("HOS_CRASH_STATE")) else { return };
    let events = record::read(log.as_ref()).unwrap();
    let crash = Crash::read(&state).unwrap();
    power::try_all(&events, &[crash], &mut Tally::default()).unwrap_or_else(|(_, what)| panic!("{what}"));
}

/// The long form: `HOS_TORTURE_SECONDS`, `HOS_TORTURE_SEED`, and `HOS_TORTURE_STATES` in each recording.
#[test]
fn power_long() {
    let Some(seconds) = number("HOS_TORTURE_SECONDS") else { return };
    let until = Instant::now() + Duration::from_secs(seconds);
    let states = number("HOS_TORTURE_STATES").unwrap_or(1000) as usize;
    let next = AtomicU64::new(number("HOS_TORTURE_SEED").unwrap_or(1) * 1_000_000);
    let (sum, failed) = (Mutex::new((Tally::default(), 0)), Mutex::new(Vec::new()));
    let workers = 3 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while Instant::now() < until && failed.lock().unwrap().is_empty() {
                    let mut tally = Tally::default();
                    let done = power::campaign(next.fetch_add(1, Ordering::Relaxed), states, &mut tally);
                    let mut sum = sum.lock().unwrap();
                    sum.0.states += tally.states;
                    sum.0.distinct += tally.distinct;
                    sum.0.kept += tally.kept;
                    sum.1 += 1;
                    eprintln!("{} histories, {} states", sum.1, sum.0.states);
                    failed.lock().unwrap().extend(done.err());
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let (tally, histories) = sum.into_inner().unwrap();
    println!("count: {histories} histories of a loss of power");
    println!("count: {} states of a loss of power", tally.states);
    println!("count: {} different stores of a loss of power", tally.distinct);
    println!("count: {} acknowledgements (none lost) of a loss of power", tally.kept);
}
