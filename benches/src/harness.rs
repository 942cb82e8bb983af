//! Rounds that take turns, medians, and the table.

use std::fmt;
use std::time::{Duration, Instant};

/// How long `times` runs of the work take, each.
pub(crate) fn each(times: u32, mut work: impl FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..times {
        work();
    }
    begun.elapsed() / times.max(1)
}

/// The middle one; the lower of two middles.
pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Runs each of the measures once a round, in turns, and gives the median of each.
pub(crate) fn in_turns<const N: usize>(rounds: usize, mut measures: [Box<dyn FnMut() -> f64 + '_>; N]) -> [f64; N] {
    let mut seen: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for (measure, seen) in measures.iter_mut().zip(&mut seen) {
            seen.push(measure());
        }
    }
    seen.map(median)
}

/// One line of the table.
struct Row {
    what: String,
    ours: String,
    rival: String,
    ratio: f64,
    bar: String,
}

/// What is printed at the end.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// A line: what, ours, the rival's, ours by the rival's, and what we want of the ratio.
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        ours: impl Into<String>,
        rival: impl Into<String>,
        ratio: f64,
        bar: impl Into<String>,
    ) {
        self.0.push(Row { what: what.into(), ours: ours.into(), rival: rival.into(), ratio, bar: bar.into() });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| what | ours | rival or limit | ratio | wanted |")?;
        writeln!(f, "|---|---:|---:|---:|---|")?;
        for row in &self.0 {
            writeln!(f, "| {} | {} | {} | {:.2} | {} |", row.what, row.ours, row.rival, row.ratio, row.bar)?;
        }
        Ok(())
    }
}

/// `3.42 us`.
pub(crate) fn micros(seconds: f64) -> String {
    format!("{:.2} us", seconds * 1e6)
}

/// `1,234/s`.
pub(crate) fn rate(per_second: f64) -> String {
    let whole = format!("{per_second:.0}");
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + "/s"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_words() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.0);
        assert_eq!(rate(1_234_567.4), "1,234,567/s");
        assert_eq!(rate(12.0), "12/s");
        assert_eq!(micros(3.42e-6), "3.42 us");
    }
}
