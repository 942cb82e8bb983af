//! One hot path alone, for as long as a profiler wants to look at it, or so many times, for who counts instructions: ours, or bare SQLite's
//! as the rival of moves. Nothing else runs beside it.

use crate::Result;
use crate::commit::{bare, steps};
use crate::shop::{Shop, owner};
use hos_core::call::Can;
use hos_engine::{Level, ReplayOptions, VerifyOptions};
use std::time::{Duration, Instant};

/// `moves [--callers N]` `verify [--threads N]` or `replay`, with `--seconds N`. One line: what was done, and how often.
pub(crate) fn run(args: &[String]) -> Result<String> {
    let named = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1));
    let number = |name: &str, otherwise: usize| named(name).map_or(Ok(otherwise), |n| n.parse::<usize>());
    let time = Duration::from_secs(number("--seconds", 5)? as u64);
    match args.first().map(String::as_str) {
        Some("moves") => {
            let callers = number("--callers", 64)?;
            let shop = Shop::new(callers)?;
            let before = shop.engine.stats()?;
            let moves = steps(&shop, callers, time)?;
            let groups = shop.engine.stats()?.commits - before.commits;
            Ok(format!(
                "{moves} moves of {callers} callers in {groups} commits, {:.2} us each",
                time.as_secs_f64() * 1e6 / moves as f64
            ))
        }
        Some("verify") => {
            let shop = Shop::with_moves(20_000)?;
            let options = VerifyOptions { threads: number("--threads", 1)?, ..VerifyOptions::default() };
            let (begun, mut records) = (Instant::now(), 0);
            while begun.elapsed() < time {
                let report = shop.engine.verify(&options)?;
                if report.level != Level::Intact {
                    return Err("what was written does not verify".into());
                }
                records += report.records;
            }
            Ok(format!("{records} records verified, {:.2} us each", begun.elapsed().as_secs_f64() * 1e6 / records as f64))
        }
        Some("replay") => {
            let shop = Shop::with_moves(5_000)?;
            let (begun, mut decisions) = (Instant::now(), 0);
            while begun.elapsed() < time {
                let report = shop.engine.replay(&ReplayOptions::default())?;
                if report.differs > 0 {
                    return Err("what was written does not replay".into());
                }
                decisions += report.replayed;
            }
            Ok(format!(
                "{decisions} decisions judged again, {:.2} us each",
                begun.elapsed().as_secs_f64() * 1e6 / decisions as f64
            ))
        }
        _ => Err("`moves`, `verify` or `replay`".into()),
    }
}

/// A path and how many times. What is done before the first time is the same for every number.
pub(crate) fn count(args: &[String]) -> Result<String> {
    let [path, times] = args else { return Err("a path, and how many times".into()) };
    let times: usize = times.parse()?;
    let shop = Shop::new(GROUP)?;
    // What a process does once it has done.
    shop.batch(GROUP, true)?;
    shop.batch(GROUP, false)?;
    match path.as_str() {
        "can" => {
            let can = Can::new(owner()?, "directory.account", owner()?);
            let all = (0..times).try_fold(true, |all, _| shop.tenant.can(&can).map(|answer| all && answer.allowed))?;
            assert!(all, "what is counted is allowed");
        }
        "move" => (0..times).try_for_each(|i| shop.toggle(0, i % 2 == 0))?,
        "batch" => (0..times).try_for_each(|_| shop.batch(GROUP, true).and_then(|()| shop.batch(GROUP, false)))?,
        // What bare SQLite takes for as many.
        "bare" => bare(&shop, GROUP, 2 * times)?,
        "verify" => {
            let options = VerifyOptions { threads: 1, ..VerifyOptions::default() };
            for _ in 0..times {
                assert_eq!(shop.engine.verify(&options)?.level, Level::Intact);
            }
        }
        "replay" => {
            for _ in 0..times {
                assert_eq!(shop.engine.replay(&ReplayOptions::default())?.differs, 0);
            }
        }
        _ => return Err("`can`, `move`, `batch`, `bare`, `verify` or `replay`".into()),
    }
    Ok(format!("{times} times"))
}

/// Instances of the shop that is counted on.
const GROUP: usize = 64;
