//! The past judged again, and another law tried on it, against verifying as many records.

use crate::Result;
use crate::harness::in_turns;
use crate::shop::Shop;
use crate::table::{Bar, Row, Table};
use hos_engine::{Level, ReplayOptions, VerifyOptions};
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let moves = if quick { 500 } else { 10_000 };
    let shop = Shop::with_moves(moves)?;
    let report = shop.engine.replay(&ReplayOptions::default())?;
    assert_eq!(report.differs, 0, "{:?}", report.listed);
    let decisions = report.replayed as f64;
    let law = Arc::new(Shop::stricter_law()?);
    let tried = shop.engine.backtest(&law, &ReplayOptions::default())?;
    assert!(tried.differs() > 0 && tried.judged as f64 == decisions, "{tried:?}");
    let records = (report.replayed + report.attested + report.erased) as f64;
    let [again, other, verified] = in_turns(
        if quick { 2 } else { 5 },
        [
            Box::new(|| {
                let begun = Instant::now();
                assert!(shop.engine.replay(&ReplayOptions::default()).is_ok_and(|r| r.differs == 0));
                decisions / begun.elapsed().as_secs_f64()
            }),
            Box::new(|| {
                let begun = Instant::now();
                assert!(shop.engine.backtest(&law, &ReplayOptions::default()).is_ok_and(|r| r.differs() > 0));
                decisions / begun.elapsed().as_secs_f64()
            }),
            Box::new(|| {
                let begun = Instant::now();
                let options = VerifyOptions { threads: 1, ..VerifyOptions::default() };
                assert!(shop.engine.verify(&options).is_ok_and(|r| r.level == Level::Intact));
                records / begun.elapsed().as_secs_f64()
            }),
        ],
    );
    let row = Row::rate(format!("decisions judged again, of {decisions}, one core"), again).beside("records verified", verified);
    table.row(row.wants(Bar::AtLeast(100_000.0)));
    table.row(Row::rate("decisions tried under another law, one core", other).beside("records verified", verified));
    Ok(())
}
