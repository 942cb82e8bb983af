//! The table: ours, what it is measured against, the ratio, and whether that is what we want.

use crate::harness::Seen;
use std::fmt;

/// What a figure counts.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Seconds; less is better.
    Time,
    /// So many a second; more is better.
    Rate,
    /// Bytes.
    Bytes,
    /// So many; less is better.
    Count,
}

/// What we want of a line.
#[derive(Clone, Copy)]
pub(crate) enum Bar {
    /// Of ours by the rival's, at most.
    RatioAtMost(f64),
    /// Of ours by the rival's, at least.
    RatioAtLeast(f64),
    /// Of ours alone, in the line's unit.
    AtMost(f64),
    /// Of ours alone, in the line's unit.
    AtLeast(f64),
}

/// One line.
pub(crate) struct Row {
    what: String,
    unit: Unit,
    ours: Seen,
    beside: Option<(String, Seen)>,
    bar: Option<Bar>,
}

impl Row {
    fn new(what: impl Into<String>, unit: Unit, ours: Seen) -> Self {
        Self { what: what.into(), unit, ours, beside: None, bar: None }
    }

    pub(crate) fn time(what: impl Into<String>, ours: Seen) -> Self {
        Self::new(what, Unit::Time, ours)
    }

    pub(crate) fn rate(what: impl Into<String>, ours: Seen) -> Self {
        Self::new(what, Unit::Rate, ours)
    }

    pub(crate) fn bytes(what: impl Into<String>, ours: f64) -> Self {
        Self::new(what, Unit::Bytes, Seen::once(ours))
    }

    pub(crate) fn count(what: impl Into<String>, ours: f64) -> Self {
        Self::new(what, Unit::Count, Seen::once(ours))
    }

    /// What it is measured against: a rival on the same ground, a limit, or ours in another place.
    pub(crate) fn beside(mut self, name: impl Into<String>, theirs: Seen) -> Self {
        self.beside = Some((name.into(), theirs));
        self
    }

    pub(crate) fn wants(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }

    fn ratio(&self) -> Option<f64> {
        self.beside.as_ref().map(|(_, theirs)| self.ours.median / theirs.median)
    }

    /// Whether the bar is met; a figure that is none meets no bar.
    fn verdict(&self) -> &'static str {
        let met = match self.bar {
            None => return "",
            Some(Bar::RatioAtMost(bar)) => self.ratio().is_some_and(|ratio| ratio <= bar),
            Some(Bar::RatioAtLeast(bar)) => self.ratio().is_some_and(|ratio| ratio >= bar),
            Some(Bar::AtMost(bar)) => self.ours.median <= bar,
            Some(Bar::AtLeast(bar)) => self.ours.median >= bar,
        };
        if met { "pass" } else { "**FAIL**" }
    }

    fn wanted(&self) -> String {
        match self.bar {
            None => String::new(),
            Some(Bar::RatioAtMost(bar)) => format!("ratio at most {bar}"),
            Some(Bar::RatioAtLeast(bar)) => format!("ratio at least {bar}"),
            Some(Bar::AtMost(bar)) => format!("at most {}", said(self.unit, bar)),
            Some(Bar::AtLeast(bar)) => format!("at least {}", said(self.unit, bar)),
        }
    }
}

/// A figure as it is read.
fn said(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Time if value >= 1.0 => format!("{value:.2} s"),
        Unit::Time if value >= 1e-2 => format!("{:.1} ms", value * 1e3),
        Unit::Time => format!("{:.2} us", value * 1e6),
        Unit::Rate => format!("{}/s", thousands(value)),
        Unit::Bytes => format!("{} B", thousands(value)),
        Unit::Count => format!("{value:.1}"),
    }
}

/// `1,234,567`.
fn thousands(value: f64) -> String {
    let whole = format!("{value:.0}");
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What is printed at the end, part by part.
#[derive(Default)]
pub(crate) struct Table(Vec<(String, Vec<Row>)>);

impl Table {
    /// Lines from here on belong to this part.
    pub(crate) fn part(&mut self, name: &str) {
        self.0.push((name.to_owned(), Vec::new()));
    }

    pub(crate) fn row(&mut self, row: Row) {
        if self.0.is_empty() {
            self.part("");
        }
        if let Some((_, rows)) = self.0.last_mut() {
            rows.push(row);
        }
    }

    /// How many bars there are, and how many are missed.
    pub(crate) fn bars(&self) -> (usize, usize) {
        let verdicts = || self.0.iter().flat_map(|(_, rows)| rows).map(Row::verdict).filter(|verdict| !verdict.is_empty());
        (verdicts().count(), verdicts().filter(|verdict| *verdict != "pass").count())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (part, rows) in self.0.iter().filter(|(_, rows)| !rows.is_empty()) {
            writeln!(f, "\n### {part}\n")?;
            writeln!(f, "| what | ours | spread | measured against | theirs | ratio | wanted | |")?;
            writeln!(f, "|---|---:|---:|---|---:|---:|---|---|")?;
            for row in rows {
                let (name, theirs) = match &row.beside {
                    Some((name, theirs)) => (name.as_str(), said(row.unit, theirs.median)),
                    None => ("", String::new()),
                };
                let spread = row.ours.spread().map_or(String::new(), |part| format!("{:.0} %", part * 100.0));
                let ratio = row.ratio().map_or(String::new(), |ratio| format!("{ratio:.3}"));
                let (ours, wanted, verdict) = (said(row.unit, row.ours.median), row.wanted(), row.verdict());
                writeln!(f, "| {} | {ours} | {spread} | {name} | {theirs} | {ratio} | {wanted} | {verdict} |", row.what)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        let all =
            [(Unit::Time, 3.42e-6), (Unit::Time, 0.0123), (Unit::Time, 2.0), (Unit::Rate, 1_234_567.4), (Unit::Bytes, 12.0)];
        let all: Vec<_> = all.into_iter().map(|(unit, value)| said(unit, value)).collect();
        assert_eq!(all, ["3.42 us", "12.3 ms", "2.00 s", "1,234,567/s", "12 B"]);
    }

    #[test]
    fn a_bar_is_met_or_missed() {
        let row = |bar| Row::time("x", Seen::once(2e-6)).beside("y", Seen::once(1e-6)).wants(bar);
        let said = [Bar::RatioAtMost(2.0), Bar::RatioAtMost(1.9), Bar::RatioAtLeast(2.1), Bar::AtMost(2e-6), Bar::AtLeast(3e-6)];
        let said = said.map(|bar| row(bar).verdict());
        assert_eq!(said, ["pass", "**FAIL**", "**FAIL**", "pass", "**FAIL**"]);
        assert_eq!(Row::time("x", Seen::once(f64::NAN)).wants(Bar::AtMost(1.0)).verdict(), "**FAIL**");
        assert_eq!(Row::time("x", Seen::once(1.0)).wants(Bar::RatioAtMost(1.0)).verdict(), "**FAIL**", "beside nothing");
        let mut table = Table::default();
        table.part("p");
        table.row(row(Bar::RatioAtMost(1.0)));
        table.row(row(Bar::AtMost(1.0)));
        table.row(Row::bytes("z", 1.0));
        assert_eq!(table.bars(), (2, 1));
        assert!(table.to_string().contains("| x | 2.00 us |  | y | 1.00 us | 2.000 | ratio at most 1 | **FAIL** |"), "{table}");
    }
}
