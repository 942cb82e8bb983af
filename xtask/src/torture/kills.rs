//! Writers of several processes, killed at any moment (`hos-engine/tests/store_processes.rs`).

use super::{Count, Order, counted};
use std::io;

/// What a small machine does in a second; a faster one ends earlier.
const KILLS_A_SECOND: u64 = 10;

/// Runs as many kills as fit. The moments are chance's own: the seed says nothing here.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    let environment = [("HOS_TEST_KILLS", (order.seconds * KILLS_A_SECOND).to_string())];
    let test = "no_acknowledged_entry_is_lost_when_writers_are_killed";
    counted(order, &["--workspace", "--test", "store_processes", "--", "--exact", test, "--nocapture"], &environment)
}
