//! Where the threads of instances that begin one after another lie: beside each other.
//!
//! Records and the log's index are kept by thread. Were a handle random from its first byte on, each birth would go to another page of
//! both, and once a store is larger than the memory of its database, each would be a page to read and a page to write. So a process
//! counts up from a place of chance in the first bytes of its cases' seeds, and a new instance's handle begins with them
//! ([`NEAR_BYTES`]). They say no more of an instance than its place among what this process did; ten bytes of chance remain, so
//! that nobody can take a handle before it is there.

use hos_core::judge::NEAR_BYTES;
use std::sync::atomic::{AtomicU64, Ordering};

/// A place, as a number: its last two bytes are not part of a handle.
const PLACE: u64 = 1 << (64 - 8 * NEAR_BYTES);
/// How many places lie between those of two groups: about as many cases as one judges.
const GROUP: u64 = 64;

/// Where the next group's cases lie; 0 before the first, and never again, for places are odd. Nobody waits here for anybody: a process may
/// fork at any moment.
#[derive(Debug, Default)]
pub(crate) struct Near(AtomicU64);

impl Near {
    /// Puts the next place into a group's seed; the first seed of all says where to begin.
    pub(crate) fn mark(&self, seed: &mut [u8; 32]) {
        // Whoever comes second goes on where the first begins.
        let _ = self.0.compare_exchange(0, place(seed) | 1, Ordering::Relaxed, Ordering::Relaxed);
        put(self.0.fetch_add(GROUP * PLACE, Ordering::Relaxed), seed);
    }
}

/// Puts into a case's seed the place so many behind that of its group. A step of a host's transaction comes to the same each time.
pub(super) fn behind(group: &[u8; 32], cases: u64, seed: &mut [u8; 32]) {
    put(place(group).wrapping_add(cases.wrapping_mul(PLACE)), seed);
}

fn place(seed: &[u8; 32]) -> u64 {
    seed.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

fn put(place: u64, seed: &mut [u8; 32]) {
    seed.iter_mut().zip(place.to_be_bytes()).take(NEAR_BYTES).for_each(|(byte, near)| *byte = near);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(near: u8, rest: u8) -> [u8; 32] {
        let mut seed = [rest; 32];
        seed[..NEAR_BYTES].fill(near);
        seed
    }

    #[test]
    fn groups_lie_one_behind_another_and_keep_their_chance() {
        let near = Near::default();
        let groups = [(0xff, 1), (7, 2), (9, 3)].map(|(first, rest)| {
            let mut seed = seed(first, rest);
            near.mark(&mut seed);
            seed
        });
        assert_eq!(groups.map(|g| g[..NEAR_BYTES].to_vec()), [vec![0xff; 6], vec![0, 0, 0, 0, 0, 63], vec![0, 0, 0, 0, 0, 127]]);
        assert_eq!(groups.map(|g| g[NEAR_BYTES..].to_vec()), [1, 2, 3].map(|rest| vec![rest; 26]));
    }

    #[test]
    fn cases_of_a_group_ascend_and_keep_their_chance() {
        let group = seed(3, 4);
        let case = |n| {
            let mut case = [8; 32];
            behind(&group, n, &mut case);
            case
        };
        assert_eq!(case(0), seed(3, 8));
        assert_eq!((case(1)[5], case(300)[4], &case(1)[NEAR_BYTES..]), (4, 4, &[8; 26][..]));
        assert_eq!(case(300), case(300));
    }
}
