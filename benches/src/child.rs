//! This benchmark again in another process: where memory is weighed, or several processes share a store.

use crate::Result;
use std::process::{Child, Command, Stdio};

/// Starts it with these words.
pub(crate) fn start(args: &[&str]) -> Result<Child> {
    Ok(Command::new(std::env::current_exe()?).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// The number that it prints.
pub(crate) fn number(args: &[&str]) -> Result<f64> {
    read(start(args)?)
}

/// The number that a child prints when it ends.
pub(crate) fn read(child: Child) -> Result<f64> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("a process of the benchmark ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The memory of this process that is in use, in bytes.
pub(crate) fn resident() -> Result<f64> {
    of_memory("VmRSS:")
}

/// The most that was ever in use, in bytes.
pub(crate) fn resident_most() -> Result<f64> {
    of_memory("VmHWM:")
}

fn of_memory(what: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).ok_or("the system does not tell")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? * 1024.0)
}
