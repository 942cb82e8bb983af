//! Hosts that join transactions and workers that seal, killed (`hos-drivers/tests/join_kills.rs`), on databases of this run's own.

use super::{Count, Order, counted};
use crate::databases::{self, Databases};
use std::io;

/// How many processes are killed on one store, before it is held against what they were told and the next begins.
const KILLS: &str = "30";

/// Storms on each database, under each setting of the hosts' connections, until the time is over.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    databases::install()?;
    let databases = Databases::start(&crate::target(&order.root))?;
    for why in databases.absent.iter().chain(&databases.failed) {
        println!("{why}");
    }
    if databases.count() == 0 {
        return Err(io::Error::other("no database runs"));
    }
    let test = "hosts_and_workers_are_killed_at_any_moment";
    let args = ["--workspace", "--test", "join_kills", "--", "--exact", test, "--nocapture"];
    let mut environment: Vec<(String, String)> =
        databases.environment().into_iter().map(|(name, value)| (name, value.to_string_lossy().into_owned())).collect();
    let said = [
        ("HOS_TEST_KILLS", KILLS.to_owned()),
        ("HOS_TEST_SECONDS", order.seconds.to_string()),
        ("HOS_TEST_SEED", order.seed.to_string()),
        // Nobody else uses these.
        ("HOS_TEST_RESTARTS", "1".to_owned()),
    ];
    environment.extend(said.map(|(name, value)| (name.to_owned(), value)));
    let environment: Vec<(&str, String)> = environment.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    counted(order, &args, &environment)
}
