//! The Python binding: its tests under the oldest and the newest Python that is there, those of frameworks, types and databases in
//! an environment of their own. The call vectors are run elsewhere.

use super::tally::Tally;
use super::{BUILD_ALL, House, Outcome};
use crate::apt;
use crate::databases::Databases;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest Python that the package runs on.
const PYTHON_MIN: (u32, u32) = (3, 9);
/// Debian's packages, where there is no Python.
const PACKAGES: [&str; 2] = ["python3", "python3-venv"];
/// What a driver of MariaDB is compiled with.
const HEADERS: [&str; 4] = ["libmariadb-dev", "pkg-config", "gcc", "python3-dev"];
/// What the environment's tests need.
const REQUIREMENTS: [&str; 2] = ["frameworks/requirements.txt", "joined/requirements.txt"];
/// What these came to, with the hash of each.
const LOCK: &str = "requirements.lock";
/// Tells an interpreter's version and its own path: what is called may be a script that finds it.
const WHO: &str = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1], sys.executable)";

/// An interpreter and its version.
type Found = ((u32, u32), PathBuf);

/// Runs the tests of `bindings/python`.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    let mut found = interpreters();
    if found.is_empty() && apt::install(&PACKAGES)? {
        found = interpreters();
    }
    let (Some(oldest), Some(newest)) = (found.first(), found.last()) else {
        let (major, minor) = PYTHON_MIN;
        let why = format!("it needs CPython {major}.{minor} or newer; on Debian: apt-get install {}", PACKAGES.join(" "));
        println!("skipped: {why}");
        return Ok(Outcome::Skipped(why));
    };
    if !house.cargo(&BUILD_ALL).status()?.success() {
        return Ok(Outcome::Done(Tally::of(false)));
    }
    let mut tally = Tally::default();
    let mut run = vec![oldest];
    run.extend(Some(newest).filter(|one| one.0 != oldest.0));
    for ((major, minor), interpreter) in run {
        println!("Python {major}.{minor}");
        tally.add(&tests(house, interpreter, "bindings/python/tests")?);
    }
    // What frameworks and checkers are there for is the Python that is called `python3`.
    let usual = named("python3").unwrap_or_else(|| newest.clone());
    println!("frameworks and types, Python {}.{}", usual.0.0, usual.0.1);
    match environment(house, &usual.1)? {
        Some(interpreter) => {
            tally.add(&tests(house, &interpreter, "bindings/python/tests/frameworks")?);
            let count = house.databases.get().map_or(0, Databases::count);
            println!("joined transactions, on SQLite and {count} databases");
            tally.add(&tests(house, &interpreter, "bindings/python/tests/joined")?);
        }
        None => tally.add(&Tally::of(false)),
    }
    Ok(Outcome::Done(tally))
}

/// Every Python that can be found and is new enough, oldest first, one of each version.
fn interpreters() -> Vec<Found> {
    let names = std::iter::once("python3".to_owned()).chain((PYTHON_MIN.1..=20).map(|minor| format!("python3.{minor}")));
    let mut found: Vec<Found> = names.filter_map(|name| named(&name)).collect();
    // Where versions lie beside each other, only one of them has the name.
    if let Some(kept) = std::env::var_os("PYENV_ROOT").and_then(|root| std::fs::read_dir(Path::new(&root).join("versions")).ok())
    {
        let beside = kept.flatten().map(|version| version.path().join("bin/python3"));
        found.extend(beside.filter_map(|path| named(&path.to_string_lossy())));
    }
    found.sort();
    found.dedup_by_key(|one| one.0);
    found
}

fn named(program: &str) -> Option<Found> {
    let mut command = Command::new(program);
    command.args(["-c", WHO]).stdin(Stdio::null()).stderr(Stdio::null());
    let said = command.output().ok().filter(|said| said.status.success())?;
    version(&String::from_utf8_lossy(&said.stdout)).filter(|found| found.0 >= PYTHON_MIN)
}

/// `3 11 /usr/bin/python3`, as [`WHO`] prints it.
fn version(text: &str) -> Option<Found> {
    let mut words = text.trim().splitn(3, ' ');
    let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some((version, PathBuf::from(words.next()?)))
}

/// An environment with what the frameworks' tests need; none where it could not be made.
fn environment(house: &House, interpreter: &Path) -> io::Result<Option<PathBuf>> {
    let place = house.target.join("python-test-venv");
    let own = place.join("bin").join("python");
    if !own.exists() {
        let mut make = Command::new(interpreter);
        if !make.args(["-m", "venv"]).arg(&place).stdin(Stdio::null()).status()?.success() {
            return Ok(None);
        }
    }
    let pip = || {
        let mut pip = Command::new(&own);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        // Every package by version and hash; what is asked for stands in the files that it was made of.
        pip.arg("--require-hashes").arg("--requirement").arg(house.root.join("bindings/python/tests").join(LOCK));
        Ok::<_, io::Error>(pip.stdin(Stdio::null()).status()?.success())
    };
    let installed = pip()? || apt::install(&HEADERS)? && pip()?;
    if !installed {
        println!(
            "pip could not install {} of bindings/python/tests; on Debian: apt-get install {}",
            REQUIREMENTS.join(" and "),
            HEADERS.join(" ")
        );
    }
    Ok(installed.then_some(own))
}

/// Runs the tests of a directory. One that is skipped has failed.
fn tests(house: &House, interpreter: &Path, place: &str) -> io::Result<Tally> {
    let debug = house.target.join("debug");
    let mut child = house
        .command(interpreter)
        .args(["-W", "ignore::DeprecationWarning", "-m", "unittest", "discover", "--start-directory"])
        .arg(house.root.join(place))
        .current_dir(&house.root)
        .env("CARGO_TARGET_DIR", &house.target)
        .env("HOS_BIN", debug.join("hos"))
        .env("HOS_PYTHON_LIB", debug.join("libhos_python.so"))
        .env_remove("PYTHONPATH")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut printed = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut printed)?;
    }
    let ended_well = child.wait()?.success();
    let mut tally = counted(&printed).unwrap_or_default();
    if !ended_well || tally.failed > 0 || tally == Tally::default() {
        println!("{printed}");
        tally.failed = tally.failed.max(1);
    }
    Ok(tally)
}

/// `Ran 62 tests in 20.1s`, and under it `OK` or `FAILED (failures=1, errors=2, skipped=3)`.
fn counted(printed: &str) -> Option<Tally> {
    let mut lines = printed.lines().rev();
    let ending = lines.find(|line| line.starts_with("OK") || line.starts_with("FAILED"))?;
    let ran = lines.find_map(|line| line.strip_prefix("Ran ")?.split_once(" test")?.0.parse::<u64>().ok())?;
    let number = |word: &str| -> u64 {
        let after = ending.split_once(&format!("{word}=")).map_or("", |(_, rest)| rest);
        after.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    let failed = number("failures") + number("errors") + number("skipped") + number("unexpected successes");
    Some(Tally { passed: ran.saturating_sub(failed), failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_counts_are_read() {
        assert_eq!(version("3 11 /opt/a b/python\n"), Some(((3, 11), PathBuf::from("/opt/a b/python"))));
        assert_eq!(version("3 x /opt/python"), None);
        let told = |passed, failed| Some(Tally { passed, failed });
        assert_eq!(counted("..\n-----\nRan 2 tests in 0.1s\n\nOK\n"), told(2, 0));
        assert_eq!(counted("Ran 9 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n"), told(6, 3));
        assert_eq!(counted("Ran 9 tests in 0.1s\n\nOK (skipped=4)\n"), told(5, 4));
        assert_eq!(counted("Traceback (most recent call last):"), None);
    }
}
