//! Sealing by a worker: records of one tenant that wait in the queue, given their places in the log.

use crate::Result;
use crate::harness::Seen;
use crate::shop::Shop;
use crate::table::{Bar, Row, Table};
use hos_engine::{Level, Seal, Settings, VerifyOptions};
use std::time::Instant;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let (rounds, moves) = if quick { (1, 640) } else { (5, 20_000) };
    let shop = Shop::with(16, Settings { seal: Seal::Worker, ..Settings::default() })?;
    shop.engine.work()?;
    let mut rates = Vec::new();
    for _ in 0..rounds {
        shop.move_all(moves)?;
        let begun = Instant::now();
        let sealed = shop.engine.work()?.sealed;
        rates.push(sealed as f64 / begun.elapsed().as_secs_f64());
        assert!(sealed as usize >= moves, "{sealed} records were sealed");
    }
    let report = shop.engine.verify(&VerifyOptions::default())?;
    assert_eq!(report.level, Level::Intact, "{:?}", report.findings);
    let row = Row::rate(format!("records sealed by a worker, SQLite, one tenant, {moves} waiting"), Seen::of(rates));
    table.row(row.wants(Bar::AtLeast(20_000.0)));
    Ok(())
}
