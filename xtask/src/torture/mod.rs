//! `cargo xtask torture`: the long forms of tests that get better with time, each for as long as it is given. What a campaign came
//! to is added to `docs/reliability.md`.

mod alone;
mod crash;
mod differential;
mod fuzz;
mod joined;
mod kills;
mod machine;
mod models;
mod page;
mod simulation;

pub(crate) use fuzz::{WRAPPER as FUZZED, wrap};

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Order {
    root: PathBuf,
    seconds: u64,
    seed: u64,
}

/// How often something was done that may fail, and never did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    what: String,
    number: u64,
    of: String,
}

/// A campaign: its name, and what runs it. Each says on the page what it looks for, and which planted fault shows that it would find it.
type Campaign = (&'static str, Runs);
type Runs = fn(&Order) -> io::Result<Vec<Count>>;

const CAMPAIGNS: &[Campaign] = &[
    ("models", models::run),
    ("kills", kills::run),
    ("power", crash::power),
    ("faults", crash::faults),
    ("mounts", crash::mounts),
    ("simulation", simulation::run),
    ("fuzz", fuzz::run),
    ("differential", differential::run),
    ("joined", joined::run),
    ("backups", alone::backups),
    ("forks", alone::forks),
    ("clocks", alone::clocks),
    ("foreign", alone::foreign),
];

/// Runs the campaign that is named.
pub(crate) fn run(root: &Path, words: &[&str]) -> ExitCode {
    let Some((name, campaign, order)) = understood(root, words) else {
        let names: Vec<&str> = CAMPAIGNS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: cargo xtask torture {} --seconds N [--seed N]", names.join("|"));
        return ExitCode::from(2);
    };
    let told = campaign(&order).and_then(|counts| {
        let row = page::row(name, &order, &counts, &machine::told());
        page::add(root, &row)?;
        Ok(row)
    });
    match told {
        Ok(row) => {
            println!("{row}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn understood(root: &Path, words: &[&str]) -> Option<(&'static str, Runs, Order)> {
    let (wanted, mut rest) = words.split_first()?;
    let (name, campaign) = CAMPAIGNS.iter().find(|(name, _)| name == wanted)?;
    let mut order = Order { root: root.to_owned(), seconds: 0, seed: 1 };
    while let Some((option, values)) = rest.split_first() {
        let (value, after) = values.split_first()?;
        match *option {
            "--seconds" => order.seconds = value.parse().ok()?,
            "--seed" => order.seed = value.parse().ok()?,
            _ => return None,
        }
        rest = after;
    }
    (order.seconds > 0).then_some((*name, *campaign, order))
}

/// Makes what processes of other languages load, with what tests turn on: the test that starts them is made beside it.
fn built(order: &Order, test: &str) -> io::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--locked", "--workspace", "--lib", "--test", test]);
    command.current_dir(&order.root).env("CARGO_TARGET_DIR", crate::target(&order.root));
    if command.stdin(Stdio::null()).status()?.success() { Ok(()) } else { Err(io::Error::other("it does not compile")) }
}

/// Runs `cargo test` with the order in its environment; the counts that it tells, if all held.
fn counted(order: &Order, args: &[&str], environment: &[(&str, String)]) -> io::Result<Vec<Count>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg("test").arg("--locked").args(args).current_dir(&order.root).env("CARGO_TARGET_DIR", crate::target(&order.root));
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    println!("+ {command:?}");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut counts = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            counts.extend(count_of(&line));
        }
    }
    if !child.wait()?.success() {
        return Err(io::Error::other("it did not hold; what broke it is above"));
    }
    if counts.is_empty() {
        return Err(io::Error::other("nothing was counted"));
    }
    Ok(counts)
}

/// `count: 12 states of the tail`, wherever in a line it begins: the test harness writes before it.
fn count_of(line: &str) -> Option<Count> {
    let (number, rest) = line.split_once("count: ")?.1.split_once(' ')?;
    let (of, what) = rest.split_once(" of ")?;
    Some(Count { what: what.to_owned(), number: number.parse().ok()?, of: of.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_understood_whole_or_not_at_all() {
        let order = |words: &str| understood(Path::new("r"), &words.split(' ').collect::<Vec<_>>());
        let (name, _, models) = order("models --seconds 60 --seed 7").unwrap();
        assert_eq!((name, models.seconds, models.seed), ("models", 60, 7));
        assert_eq!(order("kills --seconds 5").unwrap().2.seed, 1);
        for wrong in ["", "models", "model --seconds 5", "models --seconds", "models --seconds x", "models --seconds 5 --speed 3"]
        {
            assert!(order(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn counts_are_read_from_what_tests_print() {
        let count = Count { what: "the tail, larger".into(), number: 12, of: "states".into() };
        assert_eq!(count_of("count: 12 states of the tail, larger"), Some(count.clone()));
        assert_eq!(count_of("test long ... count: 12 states of the tail, larger"), Some(count));
        assert_eq!(count_of("test long ... ok"), None);
        assert_eq!(count_of("count: many states of it"), None);
    }

    #[test]
    fn every_campaign_is_on_the_page() {
        let text = std::fs::read_to_string(crate::root().join(page::PAGE)).unwrap();
        for (name, _) in CAMPAIGNS {
            assert!(text.contains(&format!("\n### {name}\n")), "{name}");
        }
    }
}
