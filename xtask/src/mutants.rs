//! `cargo xtask mutants [FILE…]`: changes core's code in small ways, one at a time, and sees that a test fails. Needs `cargo-mutants`,
//! which says what to change; how all of it is tried in one build is `xtask/mutants/`.

use crate::run::done;
use std::path::Path;
use std::process::{Command, ExitCode};

/// What survives for a reason.
const PAGE: &str = "docs/mutants.md";
/// Whose code is changed.
const PACKAGE: &str = "hos-core";

/// Tries the changes of these files and folders, from `hos-core/src/`, or of all.
pub(crate) fn run(root: &Path, target: &Path, files: &[&str]) -> ExitCode {
    let mut tool = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tool.args(["run", "--quiet", "--locked", "--manifest-path"]).arg(root.join("xtask/mutants/Cargo.toml")).arg("--");
    tool.arg(root).arg(PACKAGE).arg(target).arg(PAGE).args(files);
    tool.env("CARGO_TARGET_DIR", target.join("mutants/tool"));
    match done(&mut tool) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
