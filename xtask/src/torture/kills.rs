//! Writers of several processes, killed at any moment (`hos-engine/tests/store_processes.rs`).

use super::{Count, Order, counted};
use std::io;
use std::time::{Duration, Instant};

/// How many writers are killed on one file, before it is held against what they were told and the next begins.
const KILLS: &str = "1000";

/// Kills until the time is over. The moments are chance's own: the seed says nothing here.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    let until = Instant::now() + Duration::from_secs(order.seconds);
    let test = "no_acknowledged_entry_is_lost_when_writers_are_killed";
    let args = ["--workspace", "--test", "store_processes", "--", "--exact", test, "--nocapture"];
    let mut sum: Vec<Count> = Vec::new();
    loop {
        for count in counted(order, &args, &[("HOS_TEST_KILLS", KILLS.to_owned())])? {
            match sum.iter_mut().find(|known| (&known.what, &known.of) == (&count.what, &count.of)) {
                Some(known) => known.number += count.number,
                None => sum.push(count),
            }
        }
        if Instant::now() >= until {
            return Ok(sum);
        }
    }
}
