//! Forking while threads are at work.
//!
//! A child can go on with a store only if no thread of its parent was inside it at the fork. A host that forks while its
//! threads write makes sure of that with three hooks (`pthread_atfork`, Python's `os.register_at_fork`): [`before_fork`]
//! lets the work that is under way end and holds new work back, for all stores of the process; the other two let it go on.
//! Without the hooks all that is in `mod.rs` still holds: an unlucky child is refused, and nothing hangs or is lost.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Threads that are inside a store.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);
/// Forks that are under way.
static PAUSES: AtomicUsize = AtomicUsize::new(0);
/// The process that counts above.
static HOME: AtomicU32 = AtomicU32::new(0);
/// Whether this process was forked from one that had stores open: then it may have descriptors of theirs.
static CHILD: AtomicBool = AtomicBool::new(false);

/// Neither a fork nor the work it holds back waits longer than this: a hook that is missing may not stop a program.
const WAIT_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_micros(50);

thread_local! {
    /// How often this thread is inside: a store may call the vault.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A stay inside a store, or at what a store's callers share: a lock of theirs that another thread has at a fork is locked for ever in
/// the child.
pub(crate) struct Stay;

impl Stay {
    pub(crate) fn enter() -> Self {
        let depth = DEPTH.get();
        if depth == 0 {
            // The clock is asked only where a fork is on its way: a stay is entered for every question.
            let mut until = None;
            loop {
                // First counted, then looked: `before_fork` does it the other way round, so one of the two sees the other.
                ACTIVE.fetch_add(1, Ordering::SeqCst);
                if PAUSES.load(Ordering::SeqCst) == 0 {
                    break;
                }
                let now = Instant::now();
                if now >= *until.get_or_insert(now + WAIT_MAX) {
                    break;
                }
                leave();
                thread::sleep(POLL);
            }
        }
        DEPTH.set(depth + 1);
        Self
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let depth = DEPTH.get().saturating_sub(1);
        DEPTH.set(depth);
        if depth == 0 {
            leave();
        }
    }
}

fn leave() {
    let _ = ACTIVE.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
}

/// In a child: the parent's other threads are not here. Before this process's first own stay.
pub(super) fn arrive(pid: u32) {
    let before = HOME.load(Ordering::SeqCst);
    if before != pid && HOME.compare_exchange(before, pid, Ordering::SeqCst, Ordering::SeqCst).is_ok() && before != 0 {
        CHILD.store(true, Ordering::SeqCst);
        after_fork_in_child();
    }
}

/// Whether a parent's descriptors may be open here.
pub(super) fn is_child() -> bool {
    CHILD.load(Ordering::SeqCst)
}

/// Call before `fork`, on the thread that forks. Returns when no other thread is inside a store, or after 20 s.
pub fn before_fork() {
    PAUSES.fetch_add(1, Ordering::SeqCst);
    let own = usize::from(DEPTH.get() > 0);
    let until = Instant::now() + WAIT_MAX;
    while ACTIVE.load(Ordering::SeqCst) > own && Instant::now() < until {
        thread::sleep(POLL);
    }
}

/// Call after `fork` in the parent, on the thread that forked.
pub fn after_fork_in_parent() {
    let _ = PAUSES.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
}

/// Call after `fork` in the child.
pub fn after_fork_in_child() {
    HOME.store(std::process::id(), Ordering::SeqCst);
    PAUSES.store(0, Ordering::SeqCst);
    ACTIVE.store(usize::from(DEPTH.get() > 0), Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_fork_waits_for_who_is_inside_and_holds_back_who_comes() {
        let (inside, forked) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _stay = Stay::enter();
                inside.store(true, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(30));
                // A nested stay must not wait for the fork that waits for this one.
                let _nested = Stay::enter();
                assert!(!forked.load(Ordering::SeqCst), "it forked while a thread was inside");
            });
            while !inside.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            before_fork();
            forked.store(true, Ordering::SeqCst);
            let late = scope.spawn(|| {
                let _stay = Stay::enter();
                assert!(!forked.load(Ordering::SeqCst), "it came in while the fork was under way");
            });
            thread::sleep(Duration::from_millis(30));
            forked.store(false, Ordering::SeqCst);
            after_fork_in_parent();
            late.join().unwrap();
        });
    }
}
