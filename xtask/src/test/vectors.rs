//! `cargo xtask vectors`: the call vectors in every language, a line each. All run as many cases, or one skipped some.

use super::tally::Tally;
use super::{House, Outcome};
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Each language, and what runs the vectors in it once everything is built.
type Runner = fn(&House) -> io::Result<Command>;

const LANGUAGES: [(&str, Runner); 5] = [("rust", rust), ("c", c), ("php", php), ("python", python), ("node", node)];

/// Builds what the runners need, runs them, and tallies; a language that is not there is a failure.
pub(super) fn run(house: &House) -> io::Result<Outcome> {
    if !house.cargo(&super::BUILD_ALL).status()?.success() {
        return Ok(Outcome::Done(Tally::of(false)));
    }
    let mut tally = Tally::default();
    let mut counts = Vec::new();
    for (name, runner) in LANGUAGES {
        let found = match runner(house).and_then(|mut command| told(name, &mut command)) {
            Ok(found) => found,
            Err(error) => {
                println!("{name}: {error}; what it needs is said where its own tests run");
                Tally::of(false)
            }
        };
        counts.push(found.passed + found.failed);
        tally.add(&found);
    }
    if counts.iter().any(|count| *count != counts[0]) {
        println!("not every language ran every case: {counts:?}");
        tally.add(&Tally::of(false));
    }
    Ok(Outcome::Done(tally))
}

/// Runs one and reads its last line, `name: 412 passed, 0 failed`.
fn told(name: &str, command: &mut Command) -> io::Result<Tally> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut last = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            last = line?;
            println!("{last}");
        }
    }
    let ended_well = child.wait()?.success();
    let mut found = counted(name, &last).unwrap_or_default();
    if !ended_well || found == Tally::default() {
        println!("{name}: it did not end with a count, or badly");
        found.failed = found.failed.max(1);
    }
    Ok(found)
}

fn counted(name: &str, line: &str) -> Option<Tally> {
    let (passed, failed) = line.strip_prefix(name)?.strip_prefix(": ")?.split_once(" passed, ")?;
    Some(Tally { passed: passed.parse().ok()?, failed: failed.strip_suffix(" failed")?.parse().ok()? })
}

fn example(house: &House) -> Command {
    let mut command = house.command(house.target.join("debug/examples").join(format!("vectors{}", std::env::consts::EXE_SUFFIX)));
    command.env("HOS_BIN", house.target.join("debug").join(format!("hos{}", std::env::consts::EXE_SUFFIX)));
    command
}

fn rust(house: &House) -> io::Result<Command> {
    let mut command = example(house);
    command.arg("rust");
    Ok(command)
}

/// The C program is compiled against the shared library as it was built.
fn c(house: &House) -> io::Result<Command> {
    let program: PathBuf = house.target.join("xtask-vectors-c");
    let debug = house.target.join("debug");
    let compiled = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-I"])
        .arg(house.root.join("hos-ffi/include"))
        .arg(house.root.join("hos-ffi/tests/c/vectors.c"))
        .arg(debug.join("libhos.so"))
        .arg(format!("-Wl,-rpath,{}", debug.display()))
        .arg("-o")
        .arg(&program)
        .status()?;
    if !compiled.success() {
        return Err(io::Error::other("the C program does not compile"));
    }
    // Programs ask for it under the name of its ABI.
    let (name, link) = ("libhos.so", debug.join("libhos.so.1"));
    if std::fs::read_link(&link).ok().is_none_or(|to| to.as_os_str() != name) {
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(name, &link)?;
    }
    let mut command = example(house);
    command.arg("c").arg(program);
    Ok(command)
}

/// A script of a binding, told where this build lies.
fn script(house: &House, program: &str, path: &str) -> Command {
    let mut command = house.command(program);
    command.arg(house.root.join(path)).current_dir(&house.root);
    command.env("HOS_BIN", house.target.join("debug/hos")).env("HOS_TARGET", &house.target);
    command.env("HOS_LIBRARY", house.target.join("debug/libhos.so"));
    command
}

fn php(house: &House) -> io::Result<Command> {
    Ok(script(house, "php", "bindings/php/tests/vectors.php"))
}

fn python(house: &House) -> io::Result<Command> {
    Ok(script(house, "python3", "bindings/python/tests/vectors.py"))
}

fn node(house: &House) -> io::Result<Command> {
    Ok(script(house, "node", "bindings/node/test/vectors.mjs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_read() {
        assert_eq!(counted("c", "c: 412 passed, 0 failed"), Some(Tally { passed: 412, failed: 0 }));
        assert_eq!(counted("php", "c: 412 passed, 0 failed"), None);
        assert_eq!(counted("c", "c: 412 passed"), None);
    }
}
