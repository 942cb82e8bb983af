//! `cargo xtask mutants [FILE…]`: changes core's code in small ways, one at a time, and sees that a test fails. Needs `cargo-mutants`.
//! Long form: each change is a build and a run of tests.
//!
//! A file's wing (proof or contract, with the ground words, and without Cedar) is put into a crate of its own below the target directory,
//! with the tests that must notice: a change is then a matter of seconds. What survives must stand on the page, with the reason.

use crate::run::done;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What survives for a reason, a line each.
const PAGE: &str = "docs/mutants.md";
/// Files that are changed, from `hos-core/src/`, each with the tests that must notice.
const FILES: [(&str, &[&str]); 10] = [
    ("proof/tree.rs", &["proof_tree"]),
    ("contract/step.rs", &["contract_step"]),
    ("canon.rs", &["proof_canon"]),
    ("proof/chain.rs", &["proof_chain"]),
    ("proof/part.rs", &["proof_record"]),
    ("proof/header.rs", &["proof_record"]),
    ("proof/heads.rs", &["proof_vectors"]),
    ("proof/stored.rs", &["proof_record"]),
    ("proof/checkpoint.rs", &["proof_checkpoint"]),
    ("proof/keyring.rs", &["proof_keyring"]),
];
/// Modules of core that need the rooms above them, or Cedar.
const ABOVE: [&str; 6] = ["answer", "audit", "call", "judge", "law", "policy"];
/// What the small crate does not need.
const WITHOUT: [&str; 4] = ["cedar-policy", "cedar-policy-core", "miette", "stacker"];

/// Makes the small crate, changes the files, and compares what survives with the page.
pub(crate) fn run(root: &Path, target: &Path, named: &[&str]) -> ExitCode {
    let files: Vec<_> = FILES.into_iter().filter(|(file, _)| named.is_empty() || named.contains(file)).collect();
    if files.is_empty() || named.iter().any(|name| !files.iter().any(|(file, _)| file == name)) {
        eprintln!("of these alone: {}", FILES.map(|(file, _)| file).join(", "));
        return ExitCode::from(2);
    }
    let (mut ended_well, page) = (true, std::fs::read_to_string(root.join(PAGE)).unwrap_or_default());
    for (file, tests) in files {
        ended_well &= told(&survivors(root, &target.join("mutants"), file, tests), &justified(&page), file);
    }
    if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told(found: &Result<(Vec<String>, String), String>, justified: &[String], file: &str) -> bool {
    match found {
        Ok((survivors, told)) => {
            let faults = faults(survivors, justified, file);
            faults.iter().for_each(|fault| println!("{fault}"));
            println!("{file}: {told}");
            faults.is_empty()
        }
        Err(why) => {
            eprintln!("{file}: {why}");
            false
        }
    }
}

fn survivors(root: &Path, place: &Path, file: &str, tests: &[&str]) -> Result<(Vec<String>, String), String> {
    let tree = place.join("hos-core");
    let _ = std::fs::remove_dir_all(&tree);
    small(root, &tree, file, tests)?;
    let mut mutants = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    mutants.args(["mutants", "--in-place", "--no-shuffle", "--no-times", "--colors", "never", "--minimum-test-timeout", "60"]);
    mutants.args(["--file", &format!("src/{file}")]).arg("--dir").arg(&tree).arg("--output").arg(place).arg("--");
    for test in tests {
        mutants.args(["--test", test]);
    }
    mutants.env("CARGO_TARGET_DIR", place.join("made"));
    // It ends with failure where something survives; that is for the page to say.
    let ended = done(&mut mutants);
    let out = place.join("mutants.out");
    let lines =
        |name: &str| std::fs::read_to_string(out.join(name)).map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    let (missed, caught, timed, unviable) =
        (lines("missed.txt"), lines("caught.txt"), lines("timeout.txt"), lines("unviable.txt"));
    let (Ok(missed), Ok(caught), Ok(timed), Ok(unviable)) = (missed, caught, timed, unviable) else {
        return Err(ended.err().unwrap_or_else(|| format!("{} says nothing", out.display())));
    };
    if caught.is_empty() {
        return Err(format!("no change was caught: {:?}", ended.err()));
    }
    let told = format!(
        "{} changes: {} caught, {} that end in no time, {} that do not compile, {} survive",
        missed.len() + caught.len() + timed.len() + unviable.len(),
        caught.len(),
        timed.len(),
        unviable.len(),
        missed.len()
    );
    Ok((missed.iter().map(|line| without_place(line)).collect(), told))
}

/// A change as it is called wherever it stands: `src/proof/tree.rs:216:25: replace …` without numbers.
fn without_place(line: &str) -> String {
    let mut pieces = line.splitn(4, ':');
    match (pieces.next(), pieces.next(), pieces.next(), pieces.next()) {
        (Some(path), Some(_), Some(_), Some(what)) => format!("{}: {}", path.trim_start_matches("src/"), what.trim()),
        _ => line.to_owned(),
    }
}

/// `` - `proof/tree.rs: replace …`: why ``; a change that stands twice may survive twice.
fn justified(page: &str) -> Vec<String> {
    let of = |line: &str| {
        let (change, why) = line.strip_prefix("- `")?.split_once("`: ")?;
        (!why.trim().is_empty()).then(|| change.to_owned())
    };
    page.lines().filter_map(of).collect()
}

/// What survives without a reason, and reasons for what does not survive.
fn faults(survivors: &[String], justified: &[String], file: &str) -> Vec<String> {
    let mut left = justified.to_vec();
    let mut out = Vec::new();
    for survivor in survivors {
        match left.iter().position(|known| known == survivor) {
            Some(at) => drop(left.swap_remove(at)),
            None => out.push(format!("it survives: {survivor}")),
        }
    }
    let looked_at = |known: &&String| known.starts_with(&format!("{file}: "));
    out.extend(left.iter().filter(looked_at).map(|known| format!("{PAGE} has a reason for what does not survive: {known}")));
    out
}

/// The file's wing as a crate with what it stands on, and its tests: what is compiled for each change.
fn small(root: &Path, tree: &Path, file: &str, tests: &[&str]) -> Result<(), String> {
    let core = root.join("hos-core");
    let read = |path: PathBuf| std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()));
    let other = if file.starts_with("contract/") { "proof" } else { "contract" };
    let without = |name: &str| ABOVE.contains(&name) || name == other;
    copied(&core.join("src"), &tree.join("src"), &|name| !without(name.trim_end_matches(".rs")))?;
    let is_module = |line: &str| line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')).is_some_and(without);
    written(&tree.join("src/lib.rs"), &kept(&read(core.join("src/lib.rs"))?, |line| !is_module(line)))?;
    let is_wanted = |name: &str| {
        let support = ["proof_support", "graphs", "golden"].contains(&name) || !name.ends_with(".rs") && name.contains('.');
        support || tests.contains(&name.trim_end_matches(".rs"))
    };
    copied(&core.join("tests"), &tree.join("tests"), &is_wanted)?;
    written(&tree.join("Cargo.toml"), &manifest(&read(root.join("Cargo.toml"))?, &read(core.join("Cargo.toml"))?)?)?;
    std::fs::copy(root.join("Cargo.lock"), tree.join("Cargo.lock")).map(drop).map_err(|e| format!("Cargo.lock: {e}"))
}

/// Core's manifest as one that stands alone: versions are the workspace's.
fn manifest(workspace: &str, core: &str) -> Result<String, String> {
    let version = |name: &str| {
        let line = workspace.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(" = ")));
        line.map(str::to_owned).ok_or_else(|| format!("Cargo.toml does not say which {name}"))
    };
    let mut out =
        "[workspace]\n\n[package]\nname = \"hos-core\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n".to_owned();
    let mut inside = false;
    for line in core.lines() {
        let named = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or("").to_owned();
        match line {
            "[dependencies]" | "[dev-dependencies]" => {
                inside = true;
                out.push_str(&format!("\n{line}\n"));
            }
            _ if line.starts_with('[') => inside = false,
            _ if !inside || line.is_empty() || line.starts_with('#') || WITHOUT.contains(&named(line).as_str()) => {}
            _ if line.ends_with(".workspace = true") => out.push_str(&format!("{}\n", version(&named(line))?)),
            _ => out.push_str(&format!("{line}\n")),
        }
    }
    out.push_str("\n[profile.dev]\ndebug = false\n\n[profile.dev.package.\"*\"]\nopt-level = 2\n");
    Ok(out)
}

fn kept(text: &str, keep: impl Fn(&str) -> bool) -> String {
    text.lines().filter(|line| keep(line)).fold(String::new(), |out, line| format!("{out}{line}\n"))
}

fn copied(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<(), String> {
    std::fs::create_dir_all(to).map_err(|e| format!("{}: {e}", to.display()))?;
    for entry in std::fs::read_dir(from).map_err(|e| format!("{}: {e}", from.display()))?.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if !wanted(&name) {
            continue;
        }
        if path.is_dir() {
            copied(&path, &to.join(&name), &|_| true)?;
        } else {
            std::fs::copy(&path, to.join(&name)).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

fn written(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_survives_without_a_reason_is_found() {
        let line = "src/proof/tree.rs:216:25: replace || with && in verify_inclusion";
        let known = "proof/tree.rs: replace || with && in verify_inclusion";
        assert_eq!(without_place(line), known);
        let page = format!(
            "# Why\n\n- `{known}`: nothing tells them apart\n- `canon.rs: replace + with * in f`: so it is\n- `canon.rs: no reason`: \n"
        );
        let reasons = justified(&page);
        assert_eq!(reasons.len(), 2, "a reason has words");
        let survivors = |n: usize| vec![known.to_owned(); n];
        assert_eq!(faults(&survivors(1), &reasons, "proof/tree.rs"), Vec::<String>::new());
        assert_eq!(faults(&survivors(2), &reasons, "proof/tree.rs").len(), 1, "a reason is for one");
        assert_eq!(faults(&[], &reasons, "canon.rs").len(), 1, "a reason too many");
    }

    #[test]
    fn the_small_crate_names_what_it_needs_and_no_cedar() {
        let workspace = "sha2 = \"0.11\"\nblake3 = \"1\"\ncedar-policy = \"=4\"\n";
        let core = "[package]\nname = \"hos-core\"\n[lints]\nworkspace = true\n\n[dependencies]\n# Words.\nblake3.workspace = true\ncedar-policy.workspace = true\nstacker = \"0.1\"\n\n[dev-dependencies]\nsha2.workspace = true\n";
        let made = manifest(workspace, core).unwrap();
        assert!(made.contains("[dependencies]\nblake3 = \"1\"\n\n[dev-dependencies]\nsha2 = \"0.11\"\n"), "{made}");
        assert!(!made.contains("cedar") && !made.contains("stacker") && !made.contains("lints"), "{made}");
        assert!(manifest("", core).is_err());
        for (file, tests) in FILES {
            let core = crate::root().join("hos-core");
            assert!(core.join("src").join(file).is_file(), "{file}");
            assert!(tests.iter().all(|test| core.join(format!("tests/{test}.rs")).is_file()), "{file}");
        }
    }
}
