//! Ours, a rival that stands on the same ground, and the ratio: all pairs in one run, their rounds taking turns, so that a
//! noisy machine is noisy for both. Each figure is the median of its rounds; the spread is how far their quarters lie apart.
//!
//! ```text
//! cargo run --release -p hos-bench             minutes: `can` up to 100,000 policies, writing, verifying
//! cargo run --release -p hos-bench -- --quick  seconds: that everything runs, not what it costs
//! cargo run --release -p hos-bench -- commit   one part alone
//! cargo run --release -p hos-bench -- records tenants   half an hour and 17 GB: what grows, further on
//! cargo run --release -p hos-bench -- --write docs/performance.md   the table into the page that explains it
//! cargo run --release -p hos-bench -- shell --store hos.db --question can.json   what `can` costs in Rust, for the bindings' benchmarks
//! cargo run --release -p hos-bench -- profile moves --callers 64   one hot path alone, under a profiler
//! ```
//!
//! Seconds on a machine that does other work besides say little; the ratios say more.

mod apps;
mod can;
mod child;
mod cold;
mod commit;
mod evidence;
mod fair;
mod growth;
mod harness;
mod joined;
mod law;
mod links;
mod memory;
mod peers;
mod profile;
mod replay;
mod report;
mod seal;
mod shell;
mod shop;
mod table;
mod verify;

use std::process::ExitCode;
use table::Table;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

type Part = fn(bool, &mut Table) -> Result<()>;
/// One thing alone, for another program or another process of this one: its words, and the line it prints.
type Alone = fn(&[String]) -> Result<String>;

/// Each part: its name, and what it is about.
const PARTS: [(&str, &str, Part); 11] = [
    ("can", "May this principal do this", can::run),
    ("apps", "The apps of Cedar's paper", apps::run),
    ("links", "Grants, and the law itself", links::run),
    ("commit", "Durable moves on SQLite", commit::run),
    ("fair", "Several processes on one file", fair::run),
    ("seal", "Sealing by a worker", seal::run),
    ("verify", "Verifying a log", verify::run),
    ("memory", "What verifying keeps in memory", memory::run),
    ("replay", "The past judged again", replay::run),
    ("evidence", "What leaves a store", evidence::run),
    ("growth", "What length costs", growth::run),
];

/// What needs more than this machine has by itself: other engines to be fetched and built, database servers.
const MORE: [(&str, &str, Part); 2] =
    [("peers", "Other engines", peers::run), ("joined", "In a host's transaction", joined::run)];

/// What takes so long that it is run by its name alone.
const LONG: [(&str, &str, Part); 2] =
    [("records", "Ten million records", growth::more_records), ("tenants", "A hundred thousand tenants", growth::more_tenants)];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let alone: Option<Alone> = match args.first().map(String::as_str) {
        Some("shell") => Some(shell::run),
        Some("profile") => Some(profile::run),
        Some("count") => Some(profile::count),
        Some("weigh") => Some(links::weigh),
        Some("worker") => Some(fair::worker),
        Some("verified") => Some(memory::verified),
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
    let write = args.iter().position(|a| a == "--write").and_then(|at| args.get(at + 1)).cloned();
    let wanted: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|a| !matches!(*a, "--quick" | "--write") && Some(*a) != write.as_deref())
        .collect();
    let all = || PARTS.into_iter().chain(MORE).chain(LONG);
    let has = |parts: &[(&str, &str, Part)], name: &str| parts.iter().any(|(part, ..)| *part == name);
    if wanted.iter().any(|name| !all().any(|(part, ..)| part == *name)) {
        let names = all().map(|(name, ..)| format!(" [{name}]")).collect::<String>();
        eprintln!("usage: hos-bench [--quick] [--write FILE]{names}");
        return ExitCode::from(2);
    }
    let mut table = Table::default();
    for (name, about, part) in all() {
        let is_wanted = match wanted[..] {
            [] => !(has(&LONG, name) || quick && has(&MORE, name)),
            _ => wanted.contains(&name),
        };
        if !is_wanted {
            continue;
        }
        table.part(about);
        eprintln!("{name} ...");
        if let Err(error) = part(quick, &mut table) {
            eprintln!("hos-bench: {name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    let place = if wanted.iter().all(|name| has(&LONG, name)) && !wanted.is_empty() { report::LONG } else { report::ALL };
    if let Some(path) = write
        && let Err(error) = report::write(path.as_ref(), place, &table)
    {
        eprintln!("hos-bench: {path}: {error}");
        return ExitCode::FAILURE;
    }
    print!("{table}");
    let (bars, missed) = table.bars();
    println!("\n{bars} bars, {missed} missed");
    ExitCode::SUCCESS
}
