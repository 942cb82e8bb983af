//! The two verifiers, which share no code, held against each other: bundles by chance, most of them bent somewhere, must never be
//! believed by one and refused by the other.

use super::tally::Tally;
use super::{House, Outcome};
use std::io;
use std::process::{Command, Stdio};

/// How many bundles; a million are for a night, by hand.
const COUNT: &str = "3000";
/// How many are enough for a verifier that skips a check.
const COUNT_PLANTED: &str = "600";
/// Checks that are skipped, by the code that they say.
const PLANTED: [&str; 3] = ["inclusion.root", "part.mismatch", "heads.root"];

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
    let asked = |count: &str, more: &[&str]| -> io::Result<Option<i32>> {
        let mut maker = Command::new(&program).args(["--count", count, "--seed", "1"]).stdout(Stdio::piped()).spawn()?;
        let Some(made) = maker.stdout.take() else { return Ok(None) };
        let script = house.root.join("verifier/testing/differential.mjs");
        let second = Command::new("node").arg(script).arg("--strict").args(more).stdin(made).status()?;
        Ok(second.code().filter(|_| maker.wait().is_ok_and(|status| status.success())))
    };
    let alike = asked(COUNT, &[])? == Some(0);
    // A verifier that skips one check is told from the other.
    let mut found = true;
    for code in PLANTED {
        let told = asked(COUNT_PLANTED, &["--skipping", code])? == Some(1);
        println!("a verifier that never says `{code}`: {}", if told { "found" } else { "NOT FOUND" });
        found &= told;
    }
    Ok(Outcome::Done(Tally::of(alike && found)))
}
