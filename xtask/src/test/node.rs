//! The Node binding: installs Node where that can be done, the packages that its tests need as the lock file has them, and runs
//! the tests, those of joined transactions on the databases that run. The call vectors are run elsewhere.

use super::tally::{self, Tally};
use super::{BUILD_ALL, House, Outcome};
use crate::apt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest Node that the frameworks of the tests run on. The package itself needs less.
const NODE_MIN: u32 = 20;
/// Debian's packages, where there is no Node.
const PACKAGES: [&str; 4] = ["nodejs", "npm", "libnode-dev", "g++"];

/// The major version that `v20.19.4` says.
fn version(text: &str) -> Option<u32> {
    text.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Why the tests cannot run; none where they can.
fn missing() -> Option<String> {
    let wanted = format!("it needs Node {NODE_MIN} or newer, with npm; on a new Debian: apt-get install {}", PACKAGES.join(" "));
    let said = |program: &str| Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let (Ok(node), Ok(_)) = (said("node"), said("npm")) else { return Some(format!("node or npm is missing; {wanted}")) };
    match version(&String::from_utf8_lossy(&node.stdout)) {
        Some(found) if found >= NODE_MIN => None,
        Some(found) => Some(format!("node is {found}; {wanted}")),
        None => Some(format!("node does not say its version; {wanted}")),
    }
}

/// Runs the tests of `bindings/node`.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    if missing().is_some() {
        // Whether it was of use is seen by looking again.
        apt::install(&PACKAGES)?;
    }
    if let Some(why) = missing() {
        println!("skipped: {why}");
        return Ok(Outcome::Skipped(why));
    }
    if !house.cargo(&BUILD_ALL).status()?.success() {
        return Ok(Outcome::Done(Tally::of(false)));
    }
    let place = house.root.join("bindings/node");
    if !installed(&place)? {
        println!("npm ci failed in bindings/node/: of what is compiled there, C++, make and Python are needed");
        return Ok(Outcome::Done(Tally::of(false)));
    }
    if house.databases.get().is_none_or(|databases| databases.count() < 2) {
        println!("left out: what joins transactions of a database that does not run");
    }
    let mut command = house.command("node");
    command
        .arg("--test")
        .args(test_files(&place.join("test"))?)
        .current_dir(&place)
        .env("HOS_BIN", house.target.join("debug").join("hos"))
        .env("CARGO_TARGET_DIR", &house.target)
        // Panics are planted.
        .env("RUST_BACKTRACE", "0");
    let (printed, ended_well) = tally::printed(&mut command)?;
    let mut tally = counted(&printed).unwrap_or_default();
    if !ended_well || tally.passed == 0 {
        println!("{printed}");
        tally.failed = tally.failed.max(1);
    }
    Ok(Outcome::Done(tally))
}

/// Installs what the lock file names, unless it is there: one package is compiled, which takes a minute.
fn installed(place: &Path) -> io::Result<bool> {
    let lock = std::fs::read(place.join("package-lock.json"))?;
    let mark = place.join("node_modules").join(".installed");
    if std::fs::read(&mark).is_ok_and(|marked| marked == lock) {
        return Ok(true);
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(place).stdin(Stdio::null());
    // Compiled here, of the sources that the registry gave: nothing is fetched from anywhere else.
    npm.env("npm_config_build_from_source", "true");
    if Path::new("/usr/include/node/node_api.h").exists() {
        npm.env("npm_config_nodedir", "/usr");
    }
    let done = npm.status()?.success();
    if done {
        std::fs::write(&mark, lock)?;
    }
    Ok(done)
}

/// The test files, by name: what lies beside them is theirs to use.
fn test_files(place: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(place)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.to_str().is_some_and(|path| path.ends_with(".test.mjs")));
    files.sort();
    Ok(files)
}

/// `# pass 12`, `# fail 0`, `# cancelled 0` as Node's test runner ends; other reporters write another sign before the word.
fn counted(printed: &str) -> Option<Tally> {
    let number = |word: &str| -> Option<u64> {
        printed.lines().rev().find_map(|line| {
            let rest = line.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).strip_prefix(word)?;
            rest.trim().parse().ok()
        })
    };
    Some(Tally { passed: number("pass ")?, failed: number("fail ")? + number("cancelled ")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_counts_are_read() {
        assert_eq!(version("v20.19.4\n"), Some(20));
        assert_eq!(version("20.19"), None);
        let ended = "ok 1\n# tests 6\n# pass 3\n# fail 1\n# cancelled 2\n# skipped 0\n";
        assert_eq!(counted(ended), Some(Tally { passed: 3, failed: 3 }));
        assert_eq!(counted("\u{2139} pass 7\n\u{2139} fail 0\n\u{2139} cancelled 0\n"), Some(Tally { passed: 7, failed: 0 }));
        assert_eq!(counted("nothing"), None);
    }
}
