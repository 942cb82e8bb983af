//! How long things stayed: any number of spans in bounded memory, and what share was shorter than what.
//!
//! Spans are counted in buckets whose width is a 64th of their octave, so that a quantile is known to one part in 64 however
//! many spans there are. The shortest and the longest are kept exactly.

use crate::time::Span;
use std::collections::BTreeMap;

/// Bits of a span that are kept below its highest one.
const KEPT: u32 = 6;

/// A sum of spans.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    buckets: BTreeMap<u16, u64>,
    count: u64,
    min: u64,
    max: u64,
}

/// What is told of the spans: how many, and how they are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// How many are known.
    pub count: u64,
    /// One in twenty was at most so long.
    pub low: Span,
    /// Half of them were.
    pub half: Span,
    /// Nineteen in twenty were.
    pub high: Span,
}

/// A span in its two greatest units, for a person.
pub fn human(span: Span) -> String {
    const UNITS: [(i64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let Some(first) = UNITS.iter().position(|(unit, _)| span.0 >= *unit) else { return "0s".to_owned() };
    let mut rest = span.0;
    let mut said = Vec::new();
    for (unit, word) in UNITS.iter().skip(first).take(2) {
        if rest / unit > 0 {
            said.push(format!("{}{word}", rest / unit));
        }
        rest %= unit;
    }
    said.join(" ")
}

fn bucket(ms: u64) -> u16 {
    let top = 63 - (ms | 1).leading_zeros();
    let shift = top.saturating_sub(KEPT);
    // At most 57 octaves of 64 buckets, and 128 for the small ones.
    u16::try_from((u64::from(shift) << KEPT) + (ms >> shift)).unwrap_or(u16::MAX)
}

/// The least span of a bucket.
fn floor(bucket: u16) -> u64 {
    let shift = (u32::from(bucket) >> KEPT).saturating_sub(1);
    (u64::from(bucket) - (u64::from(shift) << KEPT)) << shift
}

impl Waits {
    pub(super) fn add(&mut self, span: Span) {
        let ms = u64::try_from(span.0).unwrap_or(0);
        *self.buckets.entry(bucket(ms)).or_default() += 1;
        self.min = if self.count == 0 { ms } else { self.min.min(ms) };
        self.max = self.max.max(ms);
        self.count += 1;
    }

    pub(super) fn merge(&mut self, other: &Waits) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
        if other.count > 0 {
            self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
            self.max = self.max.max(other.max);
            self.count += other.count;
        }
    }

    /// The span that so many in a hundred do not exceed.
    fn quantile(&self, percent: u64) -> Span {
        let rank = (self.count.saturating_mul(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            seen += **count;
            seen >= rank
        });
        let middle = found.map_or(0, |(at, _)| floor(*at).midpoint(floor(at + 1) - 1));
        Span(i64::try_from(middle.clamp(self.min, self.max)).unwrap_or(i64::MAX))
    }

    /// `None` where nothing is known.
    pub(super) fn times(&self) -> Option<Times> {
        let times = || Times { count: self.count, low: self.quantile(5), half: self.quantile(50), high: self.quantile(95) };
        (self.count > 0).then(times)
    }

    /// How many were longer, by whole buckets.
    pub(super) fn beyond(&self, span: Span) -> u64 {
        let last = bucket(u64::try_from(span.0).unwrap_or(0));
        self.buckets.range(last.saturating_add(1)..).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_ascending_and_narrow() {
        let mut before = 0;
        for ms in (0..2_000u64).chain((1..57).flat_map(|e| [(1 << e) - 1, 1 << e, (1 << e) + (1 << e) / 3])) {
            let at = bucket(ms);
            assert!(floor(at) <= ms && ms < floor(at + 1), "{ms}: {} {}", floor(at), floor(at + 1));
            assert!((floor(at + 1) - floor(at)) * 64 <= ms.max(64), "{ms}");
            before = before.max(at);
        }
        assert!(before < 4_000);
    }

    #[test]
    fn spans_are_said_in_two_units() {
        for (ms, said) in [(0, "0s"), (7, "7ms"), (61_000, "1m 1s"), (3_600_000, "1h"), (90_061_000, "1d 1h"), (86_400_500, "1d")]
        {
            assert_eq!(human(Span(ms)), said);
        }
    }

    #[test]
    fn quantiles_are_near() {
        let mut waits = Waits::default();
        assert_eq!(waits.times(), None);
        (1..=1_000).for_each(|n| waits.add(Span(n * 1_000)));
        let times = waits.times().unwrap();
        for (found, exact) in [(times.low, 50_000), (times.half, 500_000), (times.high, 950_000)] {
            assert!((found.0 - exact).abs() * 64 <= exact, "{found:?} {exact}");
        }
        assert!((95..=105).contains(&waits.beyond(Span(900_000))), "{}", waits.beyond(Span(900_000)));
        let mut one = Waits::default();
        one.add(Span(86_400_000));
        one.merge(&Waits::default());
        assert_eq!(one.times().unwrap().half, Span(86_400_000), "a single span is exact");
        one.merge(&waits);
        assert_eq!((one.count, one.max, one.min), (1_001, 86_400_000, 1_000));
    }
}
