//! The page of results: a table at the end of `docs/reliability.md`, to which each campaign adds a row. Rows have no date: what was
//! run is in the history of the page.

use super::{Count, Order};
use std::fmt::Write;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

pub(super) const PAGE: &str = "docs/reliability.md";
/// The last line of the page's head.
const TABLE: &str = "|---|---|---|---|---|";

/// What a campaign came to.
pub(super) fn row(name: &str, order: &Order, counts: &[Count], machine: &str) -> String {
    let mut told = String::new();
    for (i, count) in counts.iter().enumerate() {
        let comma = if i == 0 { "" } else { "; " };
        let _ = write!(told, "{comma}{}: {} {}", count.what, grouped(count.number), count.of);
    }
    format!("| {name} | {} | {} | {told} | {machine} |", order.seed, order.seconds)
}

/// Adds it to the page.
pub(super) fn add(root: &Path, row: &str) -> io::Result<()> {
    let page = root.join(PAGE);
    if !fs::read_to_string(&page)?.contains(TABLE) {
        return Err(io::Error::other(format!("{PAGE} has no table")));
    }
    writeln!(OpenOptions::new().append(true).open(page)?, "{row}")
}

/// 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_was_counted() {
        let order = Order { root: "r".into(), seconds: 60, seed: 7 };
        let count = |what: &str, number| Count { what: what.into(), number, of: "states".into() };
        assert_eq!(
            row("models", &order, &[count("a", 7), count("b", 1_234_567)], "2 cores, x"),
            "| models | 7 | 60 | a: 7 states; b: 1,234,567 states | 2 cores, x |"
        );
        assert_eq!([grouped(0), grouped(999), grouped(1000), grouped(123_456)], ["0", "999", "1,000", "123,456"]);
    }

    #[test]
    fn the_page_ends_with_its_table() {
        let text = fs::read_to_string(crate::root().join(PAGE)).unwrap();
        let rows = text.split_once(TABLE).unwrap().1;
        assert!(rows.lines().skip(1).all(|line| line.starts_with("| ")), "rows are added at the end of the page");
        assert!(text.ends_with('\n'));
    }
}
