//! Judging ahead of one's turn: what may come of it, and when it is tried.

use std::num::NonZero;

use super::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// What can be said of a job before its turn.
pub enum Foresight<A> {
    /// This.
    Judged(A),
    /// Nothing without rows.
    Rows,
    /// Nothing.
    Dark,
}

/// What a miss costs, in hits.
const MISS: u32 = 4;
/// From here on nothing is judged ahead.
const ENOUGH: u32 = 32;
const MOST: u32 = 64;

/// Whether it pays: where callers meet at the same rows, what was judged ahead is stale by its turn, and the work was for
/// nothing. How it went lately; updates may be lost between threads: it is a guess.
#[derive(Default)]
pub(super) struct Luck {
    misses: AtomicU32,
    good: AtomicU64,
    stale: AtomicU64,
}

impl Luck {
    /// Whether to try. Each "no" brings the next try nearer.
    pub(super) fn holds(&self) -> bool {
        let misses = self.misses.load(Ordering::Relaxed);
        if misses < ENOUGH {
            return true;
        }
        self.misses.store(misses - 1, Ordering::Relaxed);
        false
    }

    /// What was judged ahead was good, or stale.
    pub(super) fn turned_out(&self, good: bool) {
        if good { &self.good } else { &self.stale }.fetch_add(1, Ordering::Relaxed);
        let misses = self.misses.load(Ordering::Relaxed);
        let now = if good { misses.saturating_sub(1) } else { (misses + MISS).min(MOST) };
        if now != misses {
            self.misses.store(now, Ordering::Relaxed);
        }
    }

    /// How many jobs were written as they were judged ahead, and how many had to be judged again.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.good.load(Ordering::Relaxed), self.stale.load(Ordering::Relaxed))
    }
}

/// How many may read at once to judge ahead: fewer than there are cores, for the leader needs one.
pub(super) struct Desks {
    free: AtomicUsize,
}

impl Default for Desks {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { free: AtomicUsize::new(cores.saturating_sub(1)) }
    }
}

impl Desks {
    /// A place, if one is free. Never waits.
    pub(super) fn enter(&self) -> Option<Taken<'_>> {
        let taken = self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1));
        taken.ok().map(|_| Taken(self))
    }
}

/// A place that is given back when this is dropped.
pub(super) struct Taken<'d>(&'d Desks);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back() {
        let desks = Desks { free: AtomicUsize::new(1) };
        let taken = desks.enter().unwrap();
        assert!(desks.enter().is_none());
        drop(taken);
        assert!(desks.enter().is_some());
    }

    #[test]
    fn bad_luck_ends_the_tries_and_time_brings_them_back() {
        let luck = Luck::default();
        assert!(luck.holds());
        for _ in 0..ENOUGH / MISS {
            assert!(luck.holds());
            luck.turned_out(false);
        }
        assert!(!luck.holds());
        assert!(luck.holds(), "the next one tries again");
        for _ in 0..100 {
            luck.turned_out(false);
        }
        let refused = (0..1000).take_while(|_| !luck.holds()).count();
        assert_eq!(refused as u32, MOST - ENOUGH + 1);
        for _ in 0..ENOUGH {
            luck.turned_out(true);
        }
        assert!(luck.holds() && luck.misses.load(Ordering::Relaxed) == 0);
        assert_eq!(luck.counts(), (u64::from(ENOUGH), u64::from(ENOUGH / MISS) + 100));
    }
}
