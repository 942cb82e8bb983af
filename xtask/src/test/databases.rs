//! PostgreSQL and MariaDB of our own, which run until the last part has ended.

use super::tally::Tally;
use super::{House, Outcome};
use crate::databases::{self, Databases};
use std::io;

/// Starts both and tells every later part where they are. Where they cannot be had, tests that need them say so themselves; in
/// CI that is a failure.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    if let Some(why) = databases::php_drivers()? {
        println!("{why}");
    }
    databases::install()?;
    let started = Databases::start(&house.target)?;
    for why in &started.failed {
        println!("{why}");
    }
    let ended = outcome(started.count(), &started.absent, started.failed.len(), in_ci());
    // They are kept as they are, also when only one of them came up.
    if house.databases.set(started).is_err() {
        println!("they had been started before");
        return Ok(Outcome::Done(Tally::of(false)));
    }
    Ok(ended)
}

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

fn outcome(running: usize, absent: &[String], failed: usize, ci: bool) -> Outcome {
    let why = absent.join("; ");
    if failed == 0 && !absent.is_empty() && !ci {
        println!("skipped: {why}");
        return Outcome::Skipped(why);
    }
    if !absent.is_empty() {
        println!("{why}");
    }
    let failed = failed + if ci { absent.len() } else { 0 };
    Outcome::Done(Tally { passed: running as u64, failed: failed as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_a_failure_in_ci_alone() {
        let absent = ["MariaDB is not installed".to_owned()];
        let told = |running, absent: &[String], failed, ci| match outcome(running, absent, failed, ci) {
            Outcome::Done(tally) => tally.to_string(),
            Outcome::Skipped(why) => why,
        };
        assert_eq!(told(2, &[], 0, true), "2 passed, 0 failed");
        assert_eq!(told(1, &absent, 0, false), "MariaDB is not installed");
        assert_eq!(told(1, &absent, 0, true), "1 passed, 1 failed");
        assert_eq!(told(0, &absent, 1, false), "0 passed, 1 failed");
        assert_eq!(told(1, &[], 1, false), "1 passed, 1 failed");
    }
}
