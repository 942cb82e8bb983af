//! Whole days of several tenants and processes, each from one seed (`hos-testkit/tests/simulation/`).

use super::{Count, Order, counted};
use std::io;

/// Lives through days from the order's seed on until the time is over.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    let environment = [("HOS_TORTURE_SECONDS", order.seconds.to_string()), ("HOS_TORTURE_SEED", order.seed.to_string())];
    let test = ["--workspace", "--test", "simulation", "--", "--exact", "long", "--nocapture"];
    counted(order, &test, &environment)
}
