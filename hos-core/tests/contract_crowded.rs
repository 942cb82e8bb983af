//! A picture of very many lines is drawn in a time that somebody waits for.

use hos_core::contract::parse::parse;
use hos_core::contract::svg::svg;
use hos_core::fault::SourceFile;
use std::fmt::Write;
use std::time::{Duration, Instant};

const STATES: usize = 80;

/// Every state leads to every other one: six thousand lines, of a file of a few kilobytes.
#[test]
fn eighty_states_that_lead_everywhere_are_drawn() {
    let states: Vec<String> = (0..STATES).map(|i| format!("\"s{i}\"")).collect();
    let mut text = format!(
        "contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [{}]\nforever = [{}]\n[begin.new]\nto = \"s0\"\n",
        states.join(","),
        states.join(",")
    );
    for i in 0..STATES {
        let _ = writeln!(text, "[event.e{i}]\nfrom = [\"*\"]\nto = \"s{i}\"\non_same = \"noop\"");
    }
    assert!(text.len() < 8_000);
    let file = SourceFile { path: "contracts/c.toml".into(), text };
    let (contract, _) = parse(&file, "N").unwrap_or_else(|faults| panic!("{faults:#?}"));
    let begun = Instant::now();
    let picture = svg(&contract, None);
    // It took a minute where it was ordered as others are, and many in a build for tests.
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
    for i in 0..STATES {
        assert!(picture.contains(&format!(">s{i}<")), "s{i}");
    }
    assert_eq!(picture, svg(&contract, None), "twice the same");
}
