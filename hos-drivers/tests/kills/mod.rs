//! Processes that join transactions, processes that seal, and their ends.

#![allow(dead_code, reason = "each test file uses its own part of this")]

pub(crate) mod deeds;
pub(crate) mod mortal;
pub(crate) mod roles;
pub(crate) mod storm;
pub(crate) mod verdict;

use std::io::Write;
use std::process::Command;

/// Says a line to whoever started this process. `println!` would panic on a closed pipe.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What a process is told, by its environment.
pub(crate) fn told(name: &str) -> String {
    std::env::var(format!("HOS_KILLS_{name}")).unwrap_or_default()
}

/// This test's program again, in a role.
pub(crate) fn process(role: &str, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_process", "--nocapture", "--test-threads=1"]).env("HOS_KILLS_ROLE", role);
    command.envs(settings.iter().map(|(name, value)| (format!("HOS_KILLS_{name}"), *value)));
    command
}
