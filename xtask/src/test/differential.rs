//! The two verifiers, which share no code, held against each other: bundles by chance, most of them bent somewhere, must never be
//! believed by one and refused by the other.

use super::tally::Tally;
use super::{House, Outcome};
use std::io;
use std::process::{Command, Stdio};

/// How many bundles; a million are for a night, by hand.
const COUNT: &str = "3000";

/// Runs some thousand, where Node and the second verifier's packages are there.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    if !house.root.join("verifier/node_modules").is_dir() {
        return Ok(Outcome::Skipped("verifier/node_modules is absent: `npm ci` in verifier/".to_owned()));
    }
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Ok(Outcome::Skipped("node is not installed".to_owned()));
    }
    if !house.cargo(&["build", "--workspace", "--locked", "--example", "bundles"]).status()?.success() {
        return Ok(Outcome::Done(Tally::of(false)));
    }
    let program = house.target.join("debug/examples").join(format!("bundles{}", std::env::consts::EXE_SUFFIX));
    let mut maker = Command::new(program).args(["--count", COUNT, "--seed", "1"]).stdout(Stdio::piped()).spawn()?;
    let Some(made) = maker.stdout.take() else { return Ok(Outcome::Done(Tally::of(false))) };
    let second =
        Command::new("node").arg(house.root.join("verifier/testing/differential.mjs")).arg("--strict").stdin(made).status()?;
    Ok(Outcome::Done(Tally::of(maker.wait()?.success() && second.success())))
}
