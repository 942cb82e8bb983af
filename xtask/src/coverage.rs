//! `cargo xtask coverage`: which lines of hos-core its tests reach. Needs LLVM's tools of the compiler's version (`llvm-profdata-22` and
//! `llvm-cov-22` of Debian, or without a number).
//!
//! Only hos-core is counted, and only the house's crates are compiled anew: this program stands between cargo and the compiler
//! (`RUSTC_WORKSPACE_WRAPPER`) and asks for counters where core or its tests are compiled.

use crate::run::done;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Says that this program was started as the compiler's wrapper.
pub(crate) const WRAPPER: &str = "HOS_XTASK_COVERAGE";
/// The least share of core's lines, in a hundred.
const LEAST: f64 = 95.0;
/// Files of which every line must be reached, from `hos-core/src/`.
const WHOLE: [&str; 5] = ["canon.rs", "proof/chain.rs", "proof/tree.rs", "contract/step.rs", "policy/index.rs"];

/// Lines of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lines {
    reached: u64,
    missed: Vec<u64>,
}

impl Lines {
    fn all(&self) -> u64 {
        self.reached + self.missed.len() as u64
    }

    fn share(&self) -> f64 {
        if self.all() == 0 { 100.0 } else { self.reached as f64 * 100.0 / self.all() as f64 }
    }
}

/// Compiles as cargo asks, with counters where core is compiled.
pub(crate) fn wrap() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let Some(compiler) = args.next() else { return ExitCode::from(2) };
    let args: Vec<_> = args.collect();
    let mut command = Command::new(compiler);
    command.args(&args);
    if std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == "hos-core") {
        command.args(["-C", "instrument-coverage"]);
    }
    match command.status() {
        Ok(status) => ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs core's tests, prints the lines of each file, and fails below what must be reached.
pub(crate) fn run(root: &Path, target: &Path) -> ExitCode {
    match measured(root, target) {
        Ok(files) => {
            print!("{}", table(&files));
            let faults = faults(&files);
            faults.iter().for_each(|fault| println!("{fault}"));
            if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn measured(root: &Path, target: &Path) -> Result<BTreeMap<String, Lines>, String> {
    let place = target.join("coverage");
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).map_err(|e| format!("{}: {e}", place.display()))?;
    let (profdata, cov) = (tool("llvm-profdata")?, tool("llvm-cov")?);
    let programs = programs(root, target)?;
    for (number, program) in programs.iter().enumerate() {
        let mut test = Command::new(program);
        test.current_dir(root.join("hos-core")).env("LLVM_PROFILE_FILE", place.join(format!("{number}.profraw")));
        test.env("CARGO_MANIFEST_DIR", root.join("hos-core"));
        done(&mut test)?;
    }
    let raw: Vec<PathBuf> = (0..programs.len()).map(|number| place.join(format!("{number}.profraw"))).collect();
    let merged = place.join("all.profdata");
    done(Command::new(profdata).args(["merge", "--sparse", "-o"]).arg(&merged).args(&raw))?;
    let mut export = Command::new(cov);
    export.args(["export", "--format=lcov", "--instr-profile"]).arg(&merged);
    for (number, program) in programs.iter().enumerate() {
        if number > 0 {
            export.arg("--object");
        }
        export.arg(program);
    }
    let output = export.stdin(Stdio::null()).output().map_err(|e| format!("{export:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{export:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let source = root.join("hos-core/src");
    let text = |path: &str| std::fs::read_to_string(source.join(path)).unwrap_or_default();
    let _ = std::fs::remove_dir_all(&place);
    read(&String::from_utf8_lossy(&output.stdout), &source.display().to_string(), &text)
}

/// A tool of LLVM, with the number that Debian gives it or without.
fn tool(name: &str) -> Result<String, String> {
    // A number says that it is new enough; what has none may be of an older distribution.
    let mut named = (20..30).rev().map(|number| format!("{name}-{number}")).chain(std::iter::once(name.to_owned()));
    let runs = |name: &String| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    named.find(runs).ok_or_else(|| format!("{name} is not installed: llvm of the compiler's version (`rustc -vV`)"))
}

/// Core's test programs: of the library, and of each file under `tests`.
fn programs(root: &Path, target: &Path) -> Result<Vec<PathBuf>, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join("hos-core/tests")).map_err(|e| e.to_string())?.flatten() {
        let path = entry.path();
        let is_test = path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file();
        names.extend(path.file_stem().filter(|_| is_test).map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--workspace", "--locked", "--no-run", "--message-format", "short", "--lib"]);
    names.iter().for_each(|name| {
        cargo.args(["--test", name]);
    });
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    cargo.current_dir(root).env("CARGO_TARGET_DIR", target).env("RUSTC_WORKSPACE_WRAPPER", own).env(WRAPPER, "1");
    println!("+ {cargo:?}");
    let output = cargo.stdin(Stdio::null()).stdout(Stdio::null()).output().map_err(|e| format!("{cargo:?}: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{cargo:?}\n{said}"));
    }
    let is_cores = |path: &str| root.join("hos-core").join(path).is_file();
    let found = said.lines().filter_map(|line| program_of(line, &names, &is_cores));
    let found: Vec<PathBuf> = found.map(|path| root.join(path)).collect();
    if found.len() == names.len() + 1 {
        Ok(found)
    } else {
        Err(format!("{} test programs of core were made, not {}\n{said}", found.len(), names.len() + 1))
    }
}

/// `Executable tests/limits/main.rs (/target/debug/deps/limits-0123)`; of libraries, core's alone, and of tests, those whose file it
/// has: another crate's may have the same name.
fn program_of(line: &str, names: &[String], has: &dyn Fn(&str) -> bool) -> Option<PathBuf> {
    let (source, path) = line.trim().strip_prefix("Executable ")?.split_once('(')?;
    let path = path.strip_suffix(')')?;
    let file = Path::new(path).file_name()?.to_str()?;
    let (name, _) = file.rsplit_once('-')?;
    let is_cores = if line.contains("unittests") {
        name == "hos_core"
    } else {
        names.iter().any(|known| known == name) && has(source.trim())
    };
    is_cores.then(|| PathBuf::from(path))
}

/// Lines of core's files, without those of their tests.
fn read(lcov: &str, source: &str, text: &dyn Fn(&str) -> String) -> Result<BTreeMap<String, Lines>, String> {
    let mut hits: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
    let mut file: Option<String> = None;
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = path.strip_prefix(source).map(|path| path.trim_start_matches('/').to_owned());
        } else if let (Some(file), Some((number, count))) = (&file, line.strip_prefix("DA:").and_then(|l| l.split_once(','))) {
            let (number, count) = (number.parse().unwrap_or(0), count.parse().unwrap_or(0));
            let seen = hits.entry(file.clone()).or_default().entry(number).or_default();
            *seen = count.max(*seen);
        }
    }
    if hits.is_empty() {
        return Err("no line of core was counted".to_owned());
    }
    let lines = |(path, hits): (String, BTreeMap<u64, u64>)| {
        let text = text(&path);
        let tests = text.lines().position(|line| line == "#[cfg(test)]").map_or(u64::MAX, |line| line as u64 + 1);
        let mut lines = Lines::default();
        for (number, count) in hits.into_iter().filter(|(number, _)| *number < tests) {
            if count > 0 { lines.reached += 1 } else { lines.missed.push(number) }
        }
        (path, lines)
    };
    Ok(hits.into_iter().map(lines).filter(|(_, lines)| lines.all() > 0).collect())
}

fn table(files: &BTreeMap<String, Lines>) -> String {
    let mut out = String::new();
    let mut all = Lines::default();
    for (path, lines) in files {
        out.push_str(&format!(
            "{:>6.1} % {:>5} of {:>5}  {path}{}\n",
            lines.share(),
            lines.reached,
            lines.all(),
            ranges(&lines.missed)
        ));
        all.reached += lines.reached;
        all.missed.extend(&lines.missed);
    }
    out.push_str(&format!("{:>6.1} % {:>5} of {:>5}  in all\n", all.share(), all.reached, all.all()));
    out
}

/// `  not 3, 7-9`.
fn ranges(lines: &[u64]) -> String {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for line in lines {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => found.push((*line, *line)),
        }
    }
    let told: Vec<String> = found.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect();
    if told.is_empty() { String::new() } else { format!("  not {}", told.join(", ")) }
}

/// What is not reached and must be.
fn faults(files: &BTreeMap<String, Lines>) -> Vec<String> {
    let mut out = Vec::new();
    let reached: u64 = files.values().map(|lines| lines.reached).sum();
    let all: u64 = files.values().map(Lines::all).sum();
    if (reached as f64) * 100.0 < LEAST * all as f64 {
        out.push(format!("{reached} of {all} lines are reached, and {LEAST} % must be"));
    }
    for path in WHOLE {
        match files.get(path) {
            None => out.push(format!("{path}: it is not there, or nothing of it was counted")),
            Some(lines) if !lines.missed.is_empty() => {
                out.push(format!("{path}: every line must be reached{}", ranges(&lines.missed)))
            }
            Some(_) => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LCOV: &str = "SF:/x/hos-core/src/canon.rs\nDA:1,5\nDA:2,0\nDA:9,0\nend_of_record\nSF:/elsewhere/other.rs\nDA:1,0\nend_of_record\nSF:/x/hos-core/src/canon.rs\nDA:2,1\nend_of_record\n";

    #[test]
    fn lines_of_core_are_counted_without_its_tests_and_over_all_programs() {
        let text = |_: &str| "a\nb\nc\n#[cfg(test)]\nmod tests {\n".to_owned();
        let files = read(LCOV, "/x/hos-core/src", &text).unwrap();
        assert_eq!(files, BTreeMap::from([("canon.rs".to_owned(), Lines { reached: 2, missed: Vec::new() })]));
        assert!(read("SF:/y/a.rs\nDA:1,1\n", "/x/hos-core/src", &text).is_err(), "nothing was counted");
    }

    #[test]
    fn what_is_not_reached_is_found() {
        let whole = |missed: Vec<u64>| {
            WHOLE
                .iter()
                .map(|path| ((*path).to_owned(), Lines { reached: 100, missed: missed.clone() }))
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(faults(&whole(Vec::new())), Vec::<String>::new());
        assert_eq!(faults(&whole(vec![7])).len(), 5, "one line of each");
        let mut less = whole(Vec::new());
        less.insert("judge/mod.rs".to_owned(), Lines { reached: 0, missed: (1..=27).collect() });
        assert_eq!(faults(&less), ["500 of 527 lines are reached, and 95 % must be"]);
        less.remove("canon.rs");
        assert!(faults(&less).iter().any(|fault| fault.starts_with("canon.rs: it is not there")));
        assert_eq!(ranges(&[3, 7, 8, 9, 12]), "  not 3, 7-9, 12");
    }

    #[test]
    fn test_programs_of_core_are_known() {
        let names = ["limits".to_owned()];
        let has = |source: &str| source != "tests/limits.rs";
        let of = |line: &str| program_of(line, &names, &has).map(|path| path.display().to_string());
        assert_eq!(of("  Executable tests/limits/main.rs (t/debug/deps/limits-01ab)"), Some("t/debug/deps/limits-01ab".into()));
        assert_eq!(of("  Executable tests/limits.rs (t/debug/deps/limits-02ab)"), None);
        assert_eq!(
            of("  Executable unittests src/lib.rs (t/debug/deps/hos_core-01ab)"),
            Some("t/debug/deps/hos_core-01ab".into())
        );
        assert_eq!(of("  Executable unittests src/lib.rs (t/debug/deps/hos_wire-01ab)"), None);
        assert_eq!(of("   Compiling hos-core v0.1.0"), None);
    }
}
