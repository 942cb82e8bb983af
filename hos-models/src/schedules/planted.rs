//! The same files over locks with a fault each: what a scheduler is for must be found by it.
#![expect(clippy::duplicate_mod, reason = "the very same files, over other locks")]

#[path = "callers.rs"]
pub(super) mod callers;
#[path = "../../../hos-engine/src/store/sqlite/line.rs"]
mod line;
#[path = "numbered.rs"]
pub(super) mod numbered;
#[path = "../../../hos-ffi/src/numbers.rs"]
mod numbers;
#[path = "../../../hos-engine/src/store/sqlite/seat.rs"]
mod seat;

mod sync {
    use std::ops::{Deref, DerefMut};

    pub(crate) use shuttle::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    pub(crate) use std::sync::{Arc, LockResult, PoisonError};

    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    pub(crate) struct MutexGuard<'m, T> {
        of: &'m Mutex<T>,
        held: shuttle::sync::MutexGuard<'m, T>,
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            Ok(MutexGuard { of: self, held: self.0.lock().unwrap_or_else(PoisonError::into_inner) })
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.held
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.held
        }
    }

    /// The fault: it gives the lock back, and only then begins to sleep. A call in between is lost.
    pub(crate) struct Condvar {
        calls: shuttle::sync::Mutex<u64>,
        called: shuttle::sync::Condvar,
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self { calls: shuttle::sync::Mutex::new(0), called: shuttle::sync::Condvar::new() }
        }

        pub(crate) fn wait<'m, T>(&self, guard: MutexGuard<'m, T>) -> LockResult<MutexGuard<'m, T>> {
            let of = guard.of;
            drop(guard);
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            let asleep = *calls;
            while *calls == asleep {
                calls = self.called.wait(calls).unwrap_or_else(PoisonError::into_inner);
            }
            drop(calls);
            of.lock()
        }

        pub(crate) fn notify_one(&self) {
            *self.calls.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.called.notify_one();
        }
    }

    pub(crate) struct ArcSwap<T>(shuttle::sync::Mutex<Arc<T>>);

    impl<T> ArcSwap<T> {
        pub(crate) fn from_pointee(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(Arc::new(value)))
        }

        pub(crate) fn load(&self) -> Arc<T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }

        /// The fault: what came in between is overwritten.
        pub(crate) fn rcu(&self, mut change: impl FnMut(&Arc<T>) -> T) {
            let after = Arc::new(change(&self.load()));
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = after;
        }
    }
}
