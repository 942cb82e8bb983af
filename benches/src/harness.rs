//! Rounds that take turns, and what is seen in them.

use std::time::{Duration, Instant};

/// How long `times` runs of the work take, each.
pub(crate) fn each(times: u32, mut work: impl FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..times {
        work();
    }
    begun.elapsed() / times.max(1)
}

/// What many rounds came to: the middle one, and the quarters below and above which a quarter of them lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Seen {
    pub(crate) fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let last = rounds.len().saturating_sub(1);
        let at = |place: usize| rounds.get(place).copied().unwrap_or(f64::NAN);
        Self { median: at(last / 2), low: at(last / 4), high: at(last - last / 4) }
    }

    /// What was measured once.
    pub(crate) fn once(value: f64) -> Self {
        Self { median: value, low: value, high: value }
    }

    /// How far the quarters lie apart, as a part of the middle; none where there was one round.
    pub(crate) fn spread(&self) -> Option<f64> {
        (self.low < self.high).then(|| (self.high - self.low) / self.median)
    }
}

/// Runs each of the measures once a round, in turns.
pub(crate) fn in_turns<const N: usize>(rounds: usize, mut measures: [Box<dyn FnMut() -> f64 + '_>; N]) -> [Seen; N] {
    let mut seen: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for (measure, seen) in measures.iter_mut().zip(&mut seen) {
            seen.push(measure());
        }
    }
    seen.map(Seen::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_quarters() {
        let seen = Seen::of(vec![9.0, 1.0, 5.0, 3.0, 7.0]);
        assert_eq!((seen.low, seen.median, seen.high), (3.0, 5.0, 7.0));
        assert_eq!(seen.spread(), Some(0.8));
        assert_eq!(Seen::of(vec![4.0, 1.0, 2.0, 3.0]).median, 2.0);
        assert_eq!(Seen::once(2.0).spread(), None);
        assert!(Seen::of(Vec::new()).median.is_nan());
    }
}
