//! The parts of `cargo xtask test`, cheap ones first.

use super::tally::{self, Tally};
use super::{
    BUILD_ALL, House, Outcome, check, databases, differential, node, php, python, readme, shop, stores, vectors, verifier,
};
use crate::counts::Compared;
use std::io::{self, BufRead, BufReader, Read};
use std::process::Stdio;

type Part = fn(&House) -> io::Result<Outcome>;

/// Every part, in order. The databases come before all that may use them, the release build comes before what runs its programs.
pub(super) const ALL: [(&str, Part); 24] = [
    ("format", format),
    ("tidy", tidy),
    ("deny", deny),
    ("lock files", locks),
    ("bill of materials", bill),
    ("build, with lints", lints),
    ("databases", databases::run),
    ("tests", tests),
    ("changes of code, put into it", mutants),
    ("engine on databases", stores::run),
    ("doc tests", doc_tests),
    ("PHP", php::run),
    ("the shop in PHP", shop::run),
    ("Python", python::run),
    ("Node", node::run),
    ("call vectors in every language", vectors::run),
    ("processes of every language", processes),
    ("release build", release),
    ("benchmarks run", benchmarks),
    ("instruction counts", counts),
    ("law of the example is clean", law),
    ("main job and first order", main_job),
    ("second verifier", verifier::run),
    ("both verifiers on bundles by chance", differential::run),
];

fn format(house: &House) -> io::Result<Outcome> {
    check(&mut house.cargo(&["fmt", "--all", "--check"]))
}

fn tidy(house: &House) -> io::Result<Outcome> {
    Ok(Outcome::Done(Tally::of(crate::tidy::count(&house.root)? == 0)))
}

/// Where cargo-deny is, it is asked; whoever says `--deny` wants it to be there.
fn deny(house: &House) -> io::Result<Outcome> {
    let installed = house.cargo(&["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success();
    if !installed && !house.deny {
        return Ok(Outcome::Skipped("it needs cargo-deny: cargo install cargo-deny --locked".to_owned()));
    }
    if !installed {
        println!("cargo-deny is not installed: cargo install cargo-deny --locked");
        return Ok(Outcome::Done(Tally::of(false)));
    }
    // It looks at the crates of every platform, and a build fetches only its own's.
    if !house.cargo(&["fetch", "--locked"]).status()?.success() {
        return Ok(Outcome::Done(Tally::of(false)));
    }
    check(&mut house.cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]))
}

/// Workspaces of their own are built with what their lock files say, as this one is.
const WORKSPACES: [&str; 4] = ["Cargo.toml", "fuzz/Cargo.toml", "benches/peers/Cargo.toml", "xtask/mutants/Cargo.toml"];

fn locks(house: &House) -> io::Result<Outcome> {
    let mut tally = Tally::default();
    for manifest in WORKSPACES {
        let mut command = house.cargo(&["metadata", "--locked", "--format-version", "1", "--manifest-path", manifest]);
        let holds = command.stdout(Stdio::null()).status()?.success();
        if !holds {
            println!("{manifest}: its lock file is not what it asks for, or is missing");
        }
        tally.add(&Tally::of(holds));
    }
    Ok(Outcome::Done(tally))
}

fn bill(house: &House) -> io::Result<Outcome> {
    let faults = crate::sbom::faults(&house.root).map_err(io::Error::other)?;
    faults.iter().for_each(|fault| println!("{fault}"));
    Ok(Outcome::Done(Tally::of(faults.is_empty())))
}

/// Builds all that the tests need, and counts what the compiler and Clippy say of it: a warning is a fault, and what comes later can
/// be run all the same.
fn lints(house: &House) -> io::Result<Outcome> {
    let mut child = house.cargo(&BUILD_ALL).env("CARGO_TERM_COLOR", "never").stderr(Stdio::piped()).spawn()?;
    let mut warned = false;
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            warned |= is_warning(&line);
            eprintln!("{line}");
        }
    }
    Ok(Outcome::Done(Tally::of(child.wait()?.success() && !warned)))
}

/// `warning: unused variable`, `warning[…]`.
fn is_warning(line: &str) -> bool {
    line.starts_with("warning")
}

fn tests(house: &House) -> io::Result<Outcome> {
    // `--tests` is every library, program and test that has tests of its own. To name libraries besides would run those of `hos-models`
    // too, which are another crate's and stand on another clockwork there.
    let args = ["test", "--workspace", "--locked", "--no-fail-fast", "--tests", "--examples"];
    Ok(Outcome::Done(tally::run(&mut house.cargo(&args))?))
}

/// The chore that tries changes is a workspace of its own.
fn mutants(house: &House) -> io::Result<Outcome> {
    let mut command = house.cargo(&["test", "--locked", "--manifest-path", "xtask/mutants/Cargo.toml"]);
    Ok(Outcome::Done(tally::run(command.env("CARGO_TARGET_DIR", house.target.join("mutants/tool")))?))
}

fn doc_tests(house: &House) -> io::Result<Outcome> {
    Ok(Outcome::Done(tally::run(&mut house.cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]))?))
}

/// Those tests again whose processes are of every language: now all that they load is built, and none may be missing.
fn processes(house: &House) -> io::Result<Outcome> {
    let files = ["--test", "languages", "--test", "forks", "--test", "foreign"];
    let mut command = house.cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    Ok(Outcome::Done(tally::run(command.args(files).env("HOS_TEST_LANGUAGES", "all"))?))
}

fn release(house: &House) -> io::Result<Outcome> {
    // All that is ever built for release, by one choice of packages: another would compile Cedar anew.
    let packages = ["hos-cli", "pazar", "hos-ffi", "hos-python", "hos-node", "hos-bench"];
    let mut args = vec!["build", "--release", "--locked"];
    args.extend(packages.iter().flat_map(|name| ["-p", name]));
    check(&mut house.release(&args))
}

/// That they run and that each answer is the rival's; what they cost is seen on a quiet machine.
fn benchmarks(house: &House) -> io::Result<Outcome> {
    check(house.command(house.released("hos-bench")).arg("--quick").current_dir(&house.root).stdin(Stdio::null()))
}

fn counts(house: &House) -> io::Result<Outcome> {
    Ok(match crate::counts::compare(&house.root, &house.released("hos-bench"))? {
        Compared::Paths { within, beyond } => Outcome::Done(Tally { passed: within, failed: beyond }),
        Compared::Not(why) => Outcome::Skipped(why),
    })
}

fn law(house: &House) -> io::Result<Outcome> {
    let mut command = house.command(house.released("hos"));
    check(command.args(["check", "examples/pazar/law"]).current_dir(&house.root).stdin(Stdio::null()))
}

/// The sample runs in a directory of its own and says at its end what verification found.
fn main_job(house: &House) -> io::Result<Outcome> {
    let place = house.target.join("xtask-main-job");
    match std::fs::remove_dir_all(&place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(&place)?,
    }
    let mut child = house
        .command(house.released("pazar"))
        .args(["--json", "--store"])
        .arg(place.join("market.db"))
        .arg("--bundle")
        .arg(place.join("story.hosb"))
        .current_dir(&house.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut printed)?;
    }
    let last = printed.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("");
    println!("{last}");
    let ended_well = child.wait()?.success();
    let intact = is_intact(last);
    if ended_well && !intact {
        println!("the main job's last line does not say that the evidence is intact");
    }
    let mut tally = Tally::of(ended_well && intact);
    tally.add(&readme::run(house)?);
    Ok(Outcome::Done(tally))
}

/// Whether the final object says `"verify":{…"level":"intact"…}`. Reading one member of a line that our own program wrote
/// needs no parser.
fn is_intact(line: &str) -> bool {
    let packed: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let Some((_, verify)) = packed.split_once("\"verify\":{") else { return false };
    verify.split('}').next().is_some_and(|object| object.contains("\"level\":\"intact\""))
}

#[cfg(test)]
mod tests {
    use super::{is_intact, is_warning};

    #[test]
    fn what_the_compiler_warns_of_is_seen() {
        assert!(is_warning("warning: unused variable: `x`"));
        assert!(is_warning("warning: `hos-core` (lib) generated 1 warning"));
        assert!(!is_warning("   Compiling hos-core v0.1.0") && !is_warning("  = help: no warning"));
    }

    #[test]
    fn every_workspace_is_held_to_its_lock_file() {
        let root = crate::root();
        let manifests = crate::tree::read(&root).unwrap().into_iter().filter(|f| f.path.ends_with("Cargo.toml"));
        let found: Vec<String> = manifests.filter(|f| f.text.lines().any(|line| line == "[workspace]")).map(|f| f.path).collect();
        let mut known = super::WORKSPACES.map(str::to_owned).to_vec();
        known.sort();
        assert_eq!(found, known);
        assert!(found.iter().all(|path| root.join(path).with_file_name("Cargo.lock").is_file()));
    }

    #[test]
    fn only_an_intact_verdict_passes() {
        assert!(is_intact("{\"orders\": 12, \"verify\": {\"records\": 9, \"level\": \"intact\"}}"));
        assert!(!is_intact("{\"verify\":{\"level\":\"broken\"}}"));
        assert!(!is_intact("{\"level\":\"intact\",\"verify\":{}}"));
        assert!(!is_intact("{\"verify\":{\"level\":\"broken\"},\"was\":{\"level\":\"intact\"}}"));
        assert!(!is_intact(""));
    }
}
