//! Models of what runs concurrently, and schedules of the engine's own files (`hos-models`).

use super::{Count, Order, counted};
use std::io;

/// Runs the long forms. The crate needs nothing of the engine's, so it is built alone.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    let environment = [("HOS_TORTURE_SECONDS", order.seconds.to_string()), ("HOS_TORTURE_SEED", order.seed.to_string())];
    let tests = ["-p", "hos-models", "--test", "models", "--test", "schedules", "--", "--exact", "long", "--nocapture"];
    counted(order, &tests, &environment)
}
