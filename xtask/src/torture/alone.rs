//! Campaigns that are one test each, which goes on for as long as it is told: the test counts.

use super::{Count, Order, built, counted};
use std::io;

/// Backups under load (`hos-engine/tests/backups.rs`).
pub(super) fn backups(order: &Order) -> io::Result<Vec<Count>> {
    test(order, "backups", "a_backup_holds_what_was_acknowledged_before_it_began", &[])
}

/// Clocks that jump (`hos-engine/tests/clocks.rs`).
pub(super) fn clocks(order: &Order) -> io::Result<Vec<Count>> {
    test(order, "clocks", "clocks_jump_while_processes_write", &[])
}

/// Storms of forks (`hos-testkit/tests/forks.rs`).
pub(super) fn forks(order: &Order) -> io::Result<Vec<Count>> {
    built(order, "forks")?;
    test(order, "forks", "forks_of_a_busy_process_hang_nobody_and_lose_nothing", &[("HOS_TEST_LANGUAGES", "all")])
}

/// Another SQLite in the process that writes (`hos-testkit/tests/foreign.rs`).
pub(super) fn foreign(order: &Order) -> io::Result<Vec<Count>> {
    built(order, "foreign")?;
    test(order, "foreign", "a_foreign_library_takes_nothing_that_was_acknowledged", &[("HOS_TEST_LANGUAGES", "all")])
}

fn test(order: &Order, file: &str, name: &str, more: &[(&str, &str)]) -> io::Result<Vec<Count>> {
    let args = ["--workspace", "--test", file, "--", "--exact", name, "--nocapture"];
    let mut environment = vec![("HOS_TEST_SECONDS", order.seconds.to_string()), ("HOS_TEST_SEED", order.seed.to_string())];
    environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    counted(order, &args, &environment)
}
