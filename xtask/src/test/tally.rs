//! Counting tests from what the test harness prints.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// How many passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Passed.
    pub(super) passed: u64,
    /// Failed.
    pub(super) failed: u64,
}

impl Tally {
    /// One check.
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self { passed: 1, failed: 0 } } else { Self { passed: 0, failed: 1 } }
    }

    /// Adds another's.
    pub(super) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// `test result: ok. 12 passed; 0 failed; 1 ignored; …`
    pub(super) fn of_line(line: &str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?.1;
        let number = |word: &str| rest.split("; ").find_map(|piece| piece.strip_suffix(word)?.trim().parse().ok());
        Some(Self { passed: number("passed")?, failed: number("failed")? })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Runs `cargo test`, shows what it prints, and counts. A run that fails without a failed test (it did not compile, or a
/// test program died) counts as one failure.
pub(super) fn run(command: &mut Command) -> io::Result<Tally> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        let mut out = io::stdout().lock();
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            out.write_all(&line)?;
            out.write_all(b"\n")?;
            if let Some(found) = Tally::of_line(&String::from_utf8_lossy(&line)) {
                tally.add(&found);
            }
        }
    }
    if !child.wait()?.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// Runs a program of which something is to be counted: what it printed, and whether it ended well. Its errors are shown as they come.
pub(super) fn printed(command: &mut Command) -> io::Result<(String, bool)> {
    let said = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    Ok((String::from_utf8_lossy(&said.stdout).into_owned(), said.status.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lines_are_counted_and_others_are_not() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        assert_eq!(Tally::of_line(line), Some(Tally { passed: 12, failed: 3 }));
        assert_eq!(Tally::of_line("test result: ok. 0 passed; 0 failed; 0 ignored"), Some(Tally::default()));
        assert_eq!(Tally::of_line("test id::tests::hex_round_trips ... ok"), None);
    }
}
