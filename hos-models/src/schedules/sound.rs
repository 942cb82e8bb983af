//! The files over the scheduler's locks.
#![expect(dead_code, reason = "the files serve others, too")]

#[path = "callers.rs"]
pub(super) mod callers;
#[path = "desks.rs"]
pub(super) mod desks;
#[path = "../../../hos-engine/src/store/sqlite/foresight.rs"]
#[expect(unreachable_pub, reason = "at home it is the store's own")]
mod foresight;
#[path = "../../../hos-engine/src/store/sqlite/line.rs"]
mod line;
#[path = "numbered.rs"]
pub(super) mod numbered;
#[path = "../../../hos-ffi/src/numbers.rs"]
mod numbers;
#[path = "../../../hos-engine/src/store/sqlite/seat.rs"]
mod seat;
#[path = "seated.rs"]
pub(super) mod seated;

mod sync {
    pub(crate) use shuttle::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
    pub(crate) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;

    /// Stands for `arc_swap`'s: who changes it swaps against what it read, and else reads again.
    pub(crate) struct ArcSwap<T>(Mutex<Arc<T>>);

    impl<T> ArcSwap<T> {
        pub(crate) fn from_pointee(value: T) -> Self {
            Self(Mutex::new(Arc::new(value)))
        }

        pub(crate) fn load(&self) -> Arc<T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }

        pub(crate) fn rcu(&self, mut change: impl FnMut(&Arc<T>) -> T) {
            loop {
                let before = self.load();
                let after = Arc::new(change(&before));
                let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if Arc::ptr_eq(&now, &before) {
                    *now = after;
                    return;
                }
            }
        }
    }
}
