//! The store on a disk that loses power, that fails, and on one that is copied while it is written (`hos-testkit/tests/crash/`).

use super::{Count, Order, counted};
use std::io;

pub(super) fn power(order: &Order) -> io::Result<Vec<Count>> {
    long(order, "power_long")
}

pub(super) fn faults(order: &Order) -> io::Result<Vec<Count>> {
    long(order, "faults_long")
}

pub(super) fn mounts(order: &Order) -> io::Result<Vec<Count>> {
    long(order, "mounts_long")
}

fn long(order: &Order, test: &str) -> io::Result<Vec<Count>> {
    let environment = [("HOS_TORTURE_SECONDS", order.seconds.to_string()), ("HOS_TORTURE_SEED", order.seed.to_string())];
    counted(order, &["--workspace", "--test", "crash", "--", "--exact", test, "--nocapture"], &environment)
}
