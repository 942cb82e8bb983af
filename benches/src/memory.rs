//! What verifying keeps in memory, of a store of few instances and of one of many.

use crate::Result;
use crate::child;
use crate::harness::Seen;
use crate::shop::Shop;
use crate::table::{Bar, Row, Table};
use hos_engine::{Engine, Level, VerifyOptions};
use std::time::Instant;

/// How much it is told to keep at hand, in KiB: less than what the smaller store takes.
const KEPT_KIB: usize = 16 << 10;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let (kept, sizes) = if quick { (16, [1_000, 4_000]) } else { (KEPT_KIB, [100_000, 1_000_000]) };
    let shop = Shop::new(0)?;
    let (mut made, mut first) = (0, None);
    for size in sizes {
        shop.grow(made, size - made)?;
        made = size;
        let path = shop.path();
        let path = path.to_str().ok_or("a path that is no text")?;
        let begun = Instant::now();
        let most = child::number(&["verified", path, &kept.to_string()])?;
        let rate = Seen::once(size as f64 / begun.elapsed().as_secs_f64());
        let of = format!("{size} instances, {kept} KiB at hand");
        let row = Row::bytes(format!("the most that verifying takes, {of}"), most);
        table.row(match first {
            None => row,
            Some(before) => row.beside("itself at the smaller size", Seen::once(before)).wants(Bar::RatioAtMost(1.3)),
        });
        table.row(Row::rate(format!("records verified so, on one thread, {of}"), rate));
        first = first.or(Some(most));
    }
    Ok(())
}

/// In a process of its own: the most memory that verifying a store takes beside what the process had before.
pub(crate) fn verified(args: &[String]) -> Result<String> {
    let [path, kept] = args else { return Err("which store, and how many KiB?".into()) };
    let engine = Engine::builder().sqlite(path).open()?;
    let before = child::resident()?;
    let report = engine.verify(&VerifyOptions { memory: Some(kept.parse::<usize>()? << 10), ..VerifyOptions::default() })?;
    if report.level != Level::Intact {
        return Err("what was written does not verify".into());
    }
    Ok(format!("{}", child::resident_most()? - before))
}
