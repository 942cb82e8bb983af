//! What threads meet at, by one name: a table that is read without a lock, and a counter. The tests of their schedules
//! (`hos-models/src/schedules/`) include `numbers.rs` as it stands, over a scheduler's own.

pub(crate) use arc_swap::ArcSwap;
pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
