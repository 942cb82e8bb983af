//! The locks and counters that callers meet at, by one name: the standard library's. The tests of their schedules
//! (`hos-models/src/schedules/`) include `seat.rs`, `line.rs` and `foresight.rs` as they stand, over a scheduler's own.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
