//! Ours, a rival that stands on the same ground, and the ratio: all pairs in one run, their rounds taking turns, so that a
//! noisy machine is noisy for both. Each figure is the median of its rounds.
//!
//! ```text
//! cargo run --release -p hos-bench             minutes: `can` up to 100,000 policies, writing, verifying
//! cargo run --release -p hos-bench -- --quick  seconds: that everything runs, not what it costs
//! cargo run --release -p hos-bench -- commit   one part alone
//! cargo run --release -p hos-bench -- shell --store hos.db --question can.json   what `can` costs in Rust, for the bindings' benchmarks
//! cargo run --release -p hos-bench -- profile moves --callers 64   one hot path alone, under a profiler
//! ```
//!
//! Seconds on a machine that does other work besides say little; the ratios say more.

mod can;
mod cold;
mod commit;
mod evidence;
mod harness;
mod joined;
mod law;
mod profile;
mod replay;
mod shell;
mod shop;
mod verify;

use harness::Table;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

type Part = fn(bool, &mut Table) -> Result<()>;

const PARTS: [(&str, Part); 6] = [
    ("can", can::run),
    ("commit", commit::run),
    ("verify", verify::run),
    ("replay", replay::run),
    ("evidence", evidence::run),
    ("joined", joined::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let alone: Option<fn(&[String]) -> Result<String>> = match args.first().map(String::as_str) {
        Some("shell") => Some(shell::run),
        Some("profile") => Some(profile::run),
        _ => None,
    };
    if let Some(alone) = alone {
        return match alone(&args[1..]) {
            Ok(line) => {
                println!("{line}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("hos-bench: {}: {error}", args[0]);
                ExitCode::FAILURE
            }
        };
    }
    let quick = args.iter().any(|a| a == "--quick");
    let wanted: Vec<&str> = args.iter().map(String::as_str).filter(|a| *a != "--quick").collect();
    if wanted.iter().any(|name| !PARTS.iter().any(|(part, _)| part == name)) {
        eprintln!("usage: hos-bench [--quick] [can] [commit] [verify] [replay] [evidence] [joined]");
        return ExitCode::from(2);
    }
    let mut table = Table::default();
    for (name, part) in PARTS {
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        if let Err(error) = part(quick, &mut table) {
            eprintln!("hos-bench: {name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    print!("{table}");
    ExitCode::SUCCESS
}
