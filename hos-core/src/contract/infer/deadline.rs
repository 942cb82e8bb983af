//! Which times in state look like a rule.
//!
//! What people do is spread wide: where a wait has no memory (exponential), nine in ten of them span more than four times the
//! median. A timer's spread is the pace of whoever looks at it. So the middle nine tenths are held against the median, a
//! relative spread of quantiles (as the quartile coefficient of dispersion is), which a few wild values cannot move.

use super::waits::{Times, Waits};
use super::{RULE_MOVES_MIN, RULE_SPAN_MIN, RULE_SPREAD_ONE_IN};
use crate::time::Span;

/// What a person would say, the longest first: a week, a day, an hour, a quarter, five minutes, a minute, a second.
const ROUND: [i64; 7] = [604_800_000, 86_400_000, 3_600_000, 900_000, 300_000, 60_000, 1_000];
/// How exactly a quantile is known: one part in so many.
const EXACT_ONE_IN: i64 = 64;

/// The span that these waits crowd around. `resolution` is what all times are whole numbers of: what is not ten times as long
/// cannot be told from chance.
pub(super) fn rule(waits: &Waits, resolution: Span) -> Option<(Span, Times)> {
    let times = waits.times()?;
    let spread = times.high.0 - times.low.0;
    let crowded = times.count >= RULE_MOVES_MIN
        && times.low >= RULE_SPAN_MIN
        && times.low.0 / RULE_SPREAD_ONE_IN >= resolution.0
        && spread.saturating_mul(RULE_SPREAD_ONE_IN) <= times.half.0;
    crowded.then(|| (round(times.low, times.half), times))
}

/// The roundest span between two, each taken as exactly as it is known; where there is none, the first in whole seconds.
fn round(low: Span, half: Span) -> Span {
    let (least, most) = (low.0 - low.0 / EXACT_ONE_IN, half.0 + half.0 / EXACT_ONE_IN);
    let multiples = ROUND.iter().map(|unit| (least.div_ceil_of(*unit)) * unit);
    let found = multiples.into_iter().find(|span| *span <= most);
    Span(found.unwrap_or(low.0 / 1_000 * 1_000))
}

trait DivCeil {
    fn div_ceil_of(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_of(self, by: i64) -> i64 {
        self / by + i64::from(self % by > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn waits(spans: impl Iterator<Item = i64>) -> Waits {
        let mut waits = Waits::default();
        spans.for_each(|ms| waits.add(Span(ms)));
        waits
    }

    #[test]
    fn a_timer_is_a_rule_and_a_person_is_none() {
        // An hour, and up to a minute until somebody looked.
        let timer = waits((0..200).map(|n| 60 * MINUTE + n * MINUTE / 200));
        assert_eq!(rule(&timer, Span(1)).unwrap().0, Span(60 * MINUTE));
        // Exponential, by its quantiles.
        let people = waits((1..200).map(|n| (-(1.0 - f64::from(n) / 200.0).ln() * 3_600_000.0) as i64));
        assert!(rule(&people, Span(1)).is_none());
        // Around an hour, by a fifth.
        let habit = waits((0..200).map(|n| 54 * MINUTE + n * 12 * MINUTE / 200));
        assert!(rule(&habit, Span(1)).is_none());
    }

    #[test]
    fn few_short_or_coarse_waits_are_no_rule() {
        let same = |n: usize, ms: i64| waits(std::iter::repeat_n(ms, n));
        assert!(rule(&same(29, 60 * MINUTE), Span(1)).is_none());
        assert!(rule(&same(30, 60 * MINUTE), Span(1)).is_some());
        assert!(rule(&same(500, 2_000), Span(1)).is_none(), "a machine's pace");
        let day = 86_400_000;
        assert!(rule(&same(500, day), Span(day)).is_none(), "one day, told in days");
        assert_eq!(rule(&same(500, 14 * day), Span(day)).unwrap().0, Span(14 * day));
        assert!(rule(&Waits::default(), Span(1)).is_none());
    }

    #[test]
    fn spans_are_rounded_as_people_say_them() {
        for (low, half, said) in [
            (60 * MINUTE, 60 * MINUTE + 400, 60 * MINUTE),
            (90 * MINUTE, 90 * MINUTE + 5, 90 * MINUTE),
            (36 * 60 * MINUTE, 36 * 60 * MINUTE, 36 * 60 * MINUTE),
            (7 * 1_440 * MINUTE, 7 * 1_440 * MINUTE + 60, 7 * 1_440 * MINUTE),
            (17 * MINUTE, 17 * MINUTE + 10, 17 * MINUTE),
        ] {
            assert_eq!(round(Span(low), Span(half)), Span(said), "{low}");
        }
    }
}
