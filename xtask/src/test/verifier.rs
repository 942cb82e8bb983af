//! The second verifier, which shares no code with the first: its own tests, and its word on what the first one's store exports.

use super::tally::{self, Tally};
use super::{House, Outcome};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// The oldest Node that its packages run on.
const NODE_MIN: (u32, u32) = (20, 19);

/// `v20.19.4` as numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut pieces = text.trim().strip_prefix('v')?.split('.');
    Some((pieces.next()?.parse().ok()?, pieces.next()?.parse().ok()?))
}

/// The node that is there, or why there is none.
fn node() -> Result<(), String> {
    let wanted = format!("it needs Node {}.{} or newer, with npm", NODE_MIN.0, NODE_MIN.1);
    let said =
        Command::new("node").arg("--version").stdin(Stdio::null()).output().map_err(|_| format!("node is missing; {wanted}"))?;
    match version(&String::from_utf8_lossy(&said.stdout)) {
        Some(found) if found >= NODE_MIN => Ok(()),
        Some((major, minor)) => Err(format!("node is {major}.{minor}; {wanted}")),
        None => Err(format!("node does not say its version; {wanted}")),
    }
}

/// Installs its packages as the lock file has them.
pub(crate) fn install(root: &Path) -> io::Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(root.join("verifier")).stdin(Stdio::null());
    if npm.status()?.success() { Ok(()) } else { Err(io::Error::other("npm ci failed in verifier/")) }
}

/// Installs its packages, runs its tests, and has it verify what the main job exported.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    if let Err(why) = node() {
        println!("skipped: {why}");
        return Ok(Outcome::Skipped(why));
    }
    if let Err(why) = install(&house.root) {
        println!("{why}");
        return Ok(Outcome::Done(Tally::of(false)));
    }
    let place = house.root.join("verifier");
    let mut command = house.command("node");
    command.args(["--test", "test/"]).current_dir(&place).env("HOS_BINARY", house.released("hos"));
    let (printed, ended_well) = tally::printed(&mut command)?;
    let mut tally = counted(&printed).unwrap_or_default();
    if !ended_well || tally == Tally::default() {
        println!("{printed}");
        tally.failed = tally.failed.max(1);
    }
    tally.add(&exported(house)?);
    Ok(Outcome::Done(tally))
}

/// What the main job exported, verified by both: the same object from each, and it holds.
fn exported(house: &House) -> io::Result<Tally> {
    let bundle = house.target.join("xtask-main-job").join("story.hosb");
    let trust = house.target.join("xtask-main-job").join("story.hosb.trust");
    let first = Command::new(house.released("hos"))
        .args(["verify", "--json", "--trust"])
        .arg(&trust)
        .arg(&bundle)
        .stdin(Stdio::null())
        .output()?;
    let second = Command::new("node")
        .arg(house.root.join("verifier/cli.mjs"))
        .arg(&bundle)
        .arg("--trust")
        .arg(&trust)
        .arg("--json")
        .stdin(Stdio::null())
        .output()?;
    let (first_said, second_said) = (String::from_utf8_lossy(&first.stdout), String::from_utf8_lossy(&second.stdout));
    let agree = first_said.trim() == second_said.trim() && !first_said.trim().is_empty();
    if !agree || !first.status.success() || !second.status.success() {
        println!("hos:      {}\nverifier: {}", first_said.trim(), second_said.trim());
    }
    Ok(Tally::of(agree && first.status.success() && second.status.success()))
}

/// `# pass 12`, `# fail 0`, as Node's test runner ends; other reporters write another sign before the word.
fn counted(printed: &str) -> Option<Tally> {
    let number = |word: &str| {
        printed.lines().rev().find_map(|line| {
            let rest = line.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).strip_prefix(word)?;
            rest.trim().parse().ok()
        })
    };
    Some(Tally { passed: number("pass ")?, failed: number("fail ")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_counts_are_read() {
        assert_eq!(version("v20.19.4\n"), Some((20, 19)));
        assert_eq!(version("20.19"), None);
        assert_eq!(counted("ok 1\n# tests 3\n# pass 2\n# fail 1\n# skipped 0\n"), Some(Tally { passed: 2, failed: 1 }));
        assert_eq!(counted("\u{2139} pass 7\n\u{2139} fail 0\n"), Some(Tally { passed: 7, failed: 0 }));
        assert_eq!(counted("nothing"), None);
    }
}
