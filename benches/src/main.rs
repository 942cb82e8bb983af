//! Ours, a rival that stands on the same ground, and the ratio: all pairs in one run, their rounds taking turns, so that a
//! noisy machine is noisy for both. Each figure is the median of its rounds.
//!
//! ```text
//! cargo run --release -p hos-bench             minutes: `can` up to 100,000 policies, writing, verifying
//! cargo run --release -p hos-bench -- --quick  seconds: that everything runs, not what it costs
//! ```
//!
//! Seconds on a machine that does other work besides say little; the ratios say more.

mod can;
mod commit;
mod harness;
mod law;
mod shop;
mod verify;

use harness::Table;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let quick = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--quick"] => true,
        _ => {
            eprintln!("usage: hos-bench [--quick]");
            return ExitCode::from(2);
        }
    };
    match run(quick) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hos-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(quick: bool) -> Result<()> {
    let mut table = Table::default();
    can::run(quick, &mut table)?;
    commit::run(quick, &mut table)?;
    verify::run(quick, &mut table)?;
    print!("{table}");
    Ok(())
}
