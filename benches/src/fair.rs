//! Several processes on one file: whether each gets its share.

use crate::Result;
use crate::child;
use crate::harness::Seen;
use crate::shop::Shop;
use crate::table::{Bar, Row, Table};
use std::time::{Duration, Instant};

const WORKERS: usize = 8;

pub(crate) fn run(quick: bool, table: &mut Table) -> Result<()> {
    let seconds = if quick { "1" } else { "6" };
    let shop = Shop::new(WORKERS)?;
    let path = shop.path().to_string_lossy().into_owned();
    let place = shop.leave()?;
    let workers =
        (0..WORKERS).map(|worker| child::start(&["worker", &path, &worker.to_string(), seconds])).collect::<Result<Vec<_>>>()?;
    let rates = workers.into_iter().map(child::read).collect::<Result<Vec<_>>>()?;
    let all: f64 = rates.iter().sum();
    let slowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
    table.row(Row::rate(format!("durable moves of {WORKERS} processes on one file, together"), Seen::once(all)));
    let row = Row::rate(format!("the slowest of {WORKERS} processes"), Seen::once(slowest));
    let row = row.beside("their average", Seen::once(all / WORKERS as f64));
    table.row(row.wants(Bar::RatioAtLeast(0.5)));
    drop(place);
    Ok(())
}

/// One of them: moves its own lamp, alone in its process. Prints moves a second.
pub(crate) fn worker(args: &[String]) -> Result<String> {
    let [path, worker, seconds] = args else { return Err("a store, a number, seconds".into()) };
    let (worker, time): (usize, _) = (worker.parse()?, Duration::from_secs(seconds.parse()?));
    let shop = Shop::open(path.as_ref(), worker)?;
    let (begun, mut moves) = (Instant::now(), 0);
    while begun.elapsed() < time {
        shop.toggle(worker, moves % 2 == 0)?;
        moves += 1;
    }
    Ok(format!("{}", moves as f64 / begun.elapsed().as_secs_f64()))
}
