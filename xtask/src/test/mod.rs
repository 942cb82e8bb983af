//! `cargo xtask test`: everything that must hold, part by part, with the minutes that each took.

mod compiler;
mod databases;
mod differential;
mod node;
mod parts;
mod php;
mod python;
mod readme;
mod shop;
mod stores;
mod tally;
mod vectors;
pub(crate) mod verifier;

use crate::databases::Databases;
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tally::Tally;

/// By what cargo compiles the workspace's own crates.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";

/// How a part ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// These many tests or checks passed and failed.
    Done(Tally),
    /// Not run, and why.
    Skipped(String),
}

/// What a part runs with.
pub(super) struct House {
    /// The workspace.
    pub(super) root: PathBuf,
    /// The one target directory of all parts.
    pub(super) target: PathBuf,
    /// Whether cargo-deny was asked for.
    pub(super) deny: bool,
    /// What the part that starts them leaves for the later ones; they end with this value.
    pub(super) databases: OnceCell<Databases>,
}

impl House {
    fn new(root: &Path, deny: bool) -> Self {
        Self { root: root.to_owned(), target: crate::target(root), deny, databases: OnceCell::new() }
    }

    /// A program that is told where the databases are, if they run. What it builds of the workspace is compiled by Clippy's compiler,
    /// so that there is no build for the lints alone.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env(WRAPPER, "clippy-driver");
        command.envs(self.databases.get().map(Databases::environment).unwrap_or_default());
        command
    }

    /// A build for release, by the compiler that users have.
    pub(super) fn release(&self, args: &[&str]) -> Command {
        let mut command = self.cargo(args);
        command.env_remove(WRAPPER);
        command
    }

    /// `cargo` in the workspace, without input, in the one target directory.
    pub(super) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).stdin(Stdio::null());
        // What cargo tells this chore of itself is none of the inner builds' business.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST")) {
                command.env_remove(name);
            }
        }
        command
    }

    /// A program that the release build made.
    pub(super) fn released(&self, name: &str) -> PathBuf {
        self.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

/// Runs all parts; one that fails does not keep the others from running, unless nothing can be built.
pub(crate) fn run(root: &Path, deny: bool) -> ExitCode {
    let house = House::new(root, deny);
    if let Err(message) = compiler::ensure() {
        eprintln!("{message}");
        return ExitCode::from(2);
    }
    let begun = Instant::now();
    let mut lines: Vec<(&str, Duration, String)> = Vec::new();
    let mut total = Tally::default();
    for (name, part) in parts::ALL {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = part(&house).unwrap_or_else(|error| {
            println!("{error}");
            Outcome::Done(Tally { passed: 0, failed: 1 })
        });
        let said = match outcome {
            Outcome::Done(tally) => {
                total.add(&tally);
                tally.to_string()
            }
            Outcome::Skipped(why) => format!("skipped: {why}"),
        };
        lines.push((name, start.elapsed(), said));
    }
    println!("\n{:>7}  part", "minutes");
    for (name, took, said) in &lines {
        println!("{:>7.1}  {name}: {said}", took.as_secs_f64() / 60.0);
    }
    println!("{:>7.1}  in all", begun.elapsed().as_secs_f64() / 60.0);
    println!("{total}");
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything that tests of other languages load, built with what tests turn on, by one choice of packages: another choice would
/// give dependencies other features and compile them anew.
const BUILD_ALL: [&str; 7] = ["build", "--workspace", "--locked", "--lib", "--bins", "--tests", "--examples"];

/// The call vectors alone.
pub(crate) fn vectors(root: &Path) -> ExitCode {
    let house = House::new(root, false);
    match vectors::run(&house) {
        Ok(Outcome::Done(tally)) if tally.failed == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that says by its exit code whether one check holds.
pub(super) fn check(command: &mut Command) -> io::Result<Outcome> {
    let holds = command.status()?.success();
    Ok(Outcome::Done(Tally::of(holds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_after_the_databases_is_told_where_they_are() {
        let order: Vec<&str> = parts::ALL.iter().map(|(name, _)| *name).collect();
        let place = |name: &str| order.iter().position(|part| *part == name).unwrap();
        assert!(
            ["tests", "engine on databases", "doc tests", "PHP", "the shop in PHP", "Python", "Node"]
                .iter()
                .all(|name| place("databases") < place(name))
        );

        let house = House::new(&crate::root(), false);
        let said = |mut command: Command| {
            let said = command.args(["-c", "echo \"$HOS_TEST_POSTGRES $HOS_TEST_MARIADB\""]).output().unwrap();
            String::from_utf8(said.stdout).unwrap()
        };
        let started = Databases::start(&house.target.join("xtask-databases")).unwrap();
        let wanted = started.environment();
        assert_eq!(wanted.len(), 2 * started.count());
        assert!(house.databases.set(started).is_ok());
        let heard = said(house.command("sh"));
        for (name, value) in wanted {
            let value = value.into_string().unwrap();
            assert_eq!(heard.contains(&value), !name.ends_with("_DIR"), "{name}: {heard}");
            let cargo = house.cargo(&["test"]);
            assert!(
                cargo.get_envs().any(|(known, given)| known == &*name && given.is_some_and(|given| given == &*value)),
                "{name}"
            );
        }
    }
}
