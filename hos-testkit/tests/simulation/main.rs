//! Whole days of several tenants and processes over one database, each from one seed: calls, transactions of the world's own,
//! rounds of work, statement by statement in an order that the seed chooses, with failures and deaths in between. Clock, chance,
//! store and scheduling are inputs, so a day is the same as often as it is lived. Judges are the reference model, the verifier,
//! and what was acknowledged.
//!
//! A day that fails is made small and printed as text; put into `testdata/simulation/` it is a test from then on.
//!
//! `HOS_SIMULATION_DAYS` sets how many days are lived (else 30), `HOS_TORTURE_SEED` from which seed on (else 1), and
//! `HOS_TORTURE_SECONDS` lives days for so long (`cargo xtask torture simulation`).

mod host;
mod judge;
mod line;
mod planted;
mod rig;
mod turns;
#[path = "../words/mod.rs"]
mod words;

use hos_testkit::simulation::{Day, LENGTH, day, read, shrink::shrink};
use judge::{Broken, Told, live};
use planted::{Plant, What};
use rig::START_MS;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How many days a search for a smaller one lives through, at most.
const TRIES: usize = 400;
/// In how many days a planted fault must be found.
const FOUND_IN: u64 = 20;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What has been lived through.
#[derive(Debug, Default)]
struct Tally {
    days: usize,
    steps: usize,
    calls: usize,
    faults: usize,
    records: u64,
}

impl Tally {
    fn add(&mut self, day: &Day, told: &Told) {
        self.days += 1;
        self.steps += day.steps.len();
        self.calls += day.calls();
        self.faults += told.faults;
        self.records += told.records;
    }

    fn tell(&self) {
        for (what, number) in [
            ("days", self.days as u64),
            ("steps", self.steps as u64),
            ("calls", self.calls as u64),
            ("failures and deaths", self.faults as u64),
            ("records", self.records),
        ] {
            println!("count: {number} {what} of the simulation");
        }
    }
}

/// Lives through a day with a fault in it, or without; a panic breaks it too.
fn lived(day: &Day, plant: &Plant) -> Result<Told, Broken> {
    std::panic::catch_unwind(|| live(day, plant)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().cloned();
        let what = what.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Broken { step: day.steps.len(), what: format!("panicked: {}", what.unwrap_or_default()) })
    })
}

/// Lives through the day of a seed; what breaks is made small and told.
fn holds(seed: u64, tally: &mut Tally) {
    let day = day(seed, LENGTH, START_MS);
    match lived(&day, &Plant::default()) {
        Ok(told) => tally.add(&day, &told),
        Err(broken) => {
            let (small, tried) = shrink(&day, TRIES, &mut |day| lived(day, &Plant::default()).is_err());
            let why = lived(&small, &Plant::default()).err().unwrap_or_else(|| broken.clone());
            panic!(
                "seed {seed} does not hold: at step {} {}\n\nsmall, after {tried} tries (at step {} {}); \
                 put it into testdata/simulation/:\n\n# seed {seed}\n{small}",
                broken.step, broken.what, why.step, why.what
            );
        }
    }
}

#[test]
fn days_hold() {
    let (first, mut tally) = (number("HOS_TORTURE_SEED", 1), Tally::default());
    (first..first + number("HOS_SIMULATION_DAYS", 30)).for_each(|seed| holds(seed, &mut tally));
    tally.tell();
}

/// The long form: days for so many seconds.
#[test]
fn long() {
    let seconds = number("HOS_TORTURE_SECONDS", 0);
    if seconds == 0 {
        return;
    }
    let (begun, mut seed, mut tally) = (Instant::now(), number("HOS_TORTURE_SEED", 1), Tally::default());
    while begun.elapsed() < Duration::from_secs(seconds) {
        holds(seed, &mut tally);
        seed += 1;
    }
    tally.tell();
}

#[test]
fn a_seed_is_the_same_day_to_the_last_byte() {
    for seed in 1..=6 {
        let day = day(seed, LENGTH, START_MS);
        let (first, second) = (live(&day, &Plant::default()), live(&day, &Plant::default()));
        assert_eq!(first, second, "seed {seed}");
    }
}

/// Each fault breaks a day before long, and what is left of the day fits on one's hand.
#[test]
fn planted_faults_are_found_and_made_small() {
    std::thread::scope(|scope| {
        for faults in What::ALL.chunks(What::ALL.len().div_ceil(2)) {
            scope.spawn(|| faults.iter().for_each(|(what, most)| found_and_made_small(*what, *most)));
        }
    });
}

fn found_and_made_small(what: What, most: usize) {
    let plant = Plant::of(what);
    let broken = (1..=FOUND_IN).map(|seed| day(seed, LENGTH, START_MS)).find(|day| lived(day, &plant).is_err());
    let day = broken.unwrap_or_else(|| panic!("{what:?} is not found in {FOUND_IN} days"));
    let (small, tried) = shrink(&day, TRIES, &mut |day| lived(day, &plant).is_err());
    let why = lived(&small, &plant).unwrap_err();
    println!("{what:?}, after {tried} tries: {}\n{small}", why.what);
    assert!(small.steps.len() <= most, "{what:?} is left with more than {most} steps:\n{small}");
    let text = small.to_string();
    assert_eq!(read(&text).map(|day| lived(&day, &plant)), Ok(Err(why)), "as text it fails alike:\n{text}");
    // Without the fault it holds: it is the fault that was found.
    assert!(lived(&small, &Plant::default()).is_ok(), "{what:?}");
}

/// Chance that nobody gave makes two days of one seed.
#[test]
fn a_day_with_other_chance_is_another() {
    let day = day(1, LENGTH, START_MS);
    let (given, other) = (live(&day, &Plant::default()).unwrap(), live(&day, &Plant::of(What::OtherChance)).unwrap());
    assert_ne!(given.trace, other.trace);
}

/// The days that failed once.
#[test]
fn what_failed_once_holds() {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/simulation");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let day = read(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let told = lived(&day, &Plant::default()).unwrap_or_else(|b| panic!("{}: at step {} {}", path.display(), b.step, b.what));
        assert_eq!(live(&day, &Plant::default()), Ok(told), "{}", path.display());
    }
}
