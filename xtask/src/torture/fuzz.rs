//! Every fuzz target under AddressSanitizer (`fuzz/`), each for its share of the time.

use super::{Count, Order};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The compiler's own triple; saying it keeps build scripts free of the sanitizer.
const TRIPLE: &str = if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };
/// Says that this program was started in the compiler's place.
pub(crate) const WRAPPER: &str = "HOS_XTASK_FUZZ";
/// Whose branches are counted, besides the house's: what reads bytes for it. The fuzzer looks through every counter after every run, and
/// those of all that is linked (Cedar, drivers, a runtime) take more time than a decoder does.
const COUNTED: [&str; 7] = ["base64", "csv-core", "minicbor", "serde_json", "toml", "toml_parser", "winnow"];
/// How long the fuzzer is given to find what is planted: it takes a second or two.
const PLANTED_SECONDS: u64 = 120;
/// What a target may take, in megabytes, and in seconds for one input: of a machine that others use as well.
const LIMITS: [&str; 3] = ["-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-timeout=300"];
/// What the fuzzer says in the end, if it is asked to.
const EXECUTED: &str = "stat::number_of_executed_units:";

/// Builds once, sees that a planted fault is found, and runs every target that has a corpus. `HOS_FUZZ_ONLY` names those that are
/// run, where it is not all.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    let place = crate::target(&order.root).join("fuzz");
    let program = built(order, &place)?;
    let work = place.join("found");
    fs::create_dir_all(&work)?;
    planted(order, &program, &work)?;
    let names = named(&order.root, &std::env::var("HOS_FUZZ_ONLY").unwrap_or_default())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(names.len());
    let share = (order.seconds * cores as u64 / names.len() as u64).max(1);
    let mut counts = each(cores, &names, &|name| fuzzed(order, &program, &work, name, share))?;
    let all = counts.iter().map(|count| count.number).sum();
    counts.insert(0, Count { what: "together, under AddressSanitizer".into(), number: all, of: "runs".into() });
    Ok(counts)
}

/// Runs the targets, so many at once. One that finds something does not keep the others from their time; the whole fails in the end.
fn each(cores: usize, names: &[String], fuzz: &(dyn Fn(&str) -> io::Result<u64> + Sync)) -> io::Result<Vec<Count>> {
    let next = AtomicUsize::new(0);
    let one = || {
        let (mut counts, mut found) = (Vec::new(), Vec::new());
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            match fuzz(name) {
                Ok(number) => {
                    println!("{name}: {number} runs");
                    counts.push(Count { what: name.clone(), number, of: "runs".into() });
                }
                Err(why) => {
                    println!("{why}");
                    found.push(why.to_string());
                }
            }
        }
        (counts, found)
    };
    let (mut counts, mut found) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        for worker in workers {
            let (counted, failed) = worker.join().map_err(|_| io::Error::other("a fuzzer's thread panicked"))?;
            counts.extend(counted);
            found.extend(failed);
        }
        Ok::<_, io::Error>(())
    })?;
    if !found.is_empty() {
        let all: u64 = counts.iter().map(|count| count.number).sum();
        return Err(io::Error::other(format!("after {all} runs of the other targets: {}", found.join("; "))));
    }
    counts.sort_by(|one, other| one.what.cmp(&other.what));
    Ok(counts)
}

/// Compiles as it is asked to, and counts branches where they are of use.
pub(crate) fn wrap() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let Some(compiler) = args.next() else { return ExitCode::from(2) };
    let is_counted = is_counted(&std::env::var("CARGO_PKG_NAME").unwrap_or_default());
    let args = args.filter(|arg| {
        is_counted || !arg.to_string_lossy().contains("sancov") && !arg.to_string_lossy().contains("sanitizer-coverage")
    });
    match Command::new(compiler).args(args).status() {
        Ok(status) => ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn is_counted(package: &str) -> bool {
    package.is_empty() || package.starts_with("hos-") || COUNTED.contains(&package)
}

fn built(order: &Order, place: &Path) -> io::Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["fuzz", "build", "one"]).current_dir(order.root.join("fuzz")).env("CARGO_TARGET_DIR", place);
    cargo.env("RUSTC_WRAPPER", std::env::current_exe()?).env(WRAPPER, "1");
    // The stable compiler has the sanitizers, but does not offer them. What is written in C is watched as well.
    let triple = TRIPLE.replace('-', "_");
    cargo.env("RUSTC_BOOTSTRAP", "1").env(format!("CFLAGS_{triple}"), "-fsanitize=address -g1");
    // What is written in C++ is the fuzzer alone. It is not what is watched, and looks through every counter after every run, which
    // takes longer than a decoder does.
    cargo.env(format!("CXXFLAGS_{triple}"), "-fno-sanitize=address -funroll-loops");
    crate::run::done(&mut cargo)
        .map_err(|why| io::Error::other(format!("{why}; `cargo install cargo-fuzz`, if it is not there")))?;
    Ok(place.join(TRIPLE).join("release/one"))
}

/// The targets: every folder of the corpus.
fn named(root: &Path, only: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/corpus"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let wanted: Vec<&str> = only.split_whitespace().collect();
    names.retain(|name| wanted.is_empty() || wanted.contains(&name.as_str()));
    if names.is_empty() { Err(io::Error::other("there is no such target")) } else { Ok(names) }
}

fn fuzzer(program: &Path, work: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.env("HOS_FUZZ_TARGET", name).arg(format!("-artifact_prefix={}/{name}-", work.display()));
    command.arg("-print_final_stats=1").args(LIMITS).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // A store that is not on a disk need not wait for one.
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        command.env("TMPDIR", memory);
    }
    command
}

/// One target for so many seconds. What it finds on its way is kept from run to run, beside the corpus that is in git.
fn fuzzed(order: &Order, program: &Path, work: &Path, name: &str, seconds: u64) -> io::Result<u64> {
    let kept = work.join(name);
    fs::create_dir_all(&kept)?;
    let mut command = fuzzer(program, work, name);
    command.args([format!("-max_total_time={seconds}"), format!("-seed={}", order.seed)]);
    let output = command.arg(&kept).arg(order.root.join("fuzz/corpus").join(name)).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let end: Vec<&str> = said.lines().rev().take(60).collect();
    if !output.status.success() {
        end.iter().rev().for_each(|line| println!("{line}"));
        return Err(io::Error::other(format!("{name}: {}; the input is in {}", output.status, work.display())));
    }
    executed(&said).ok_or_else(|| io::Error::other(format!("{name}: how many runs is not told")))
}

fn executed(said: &str) -> Option<u64> {
    said.lines().rev().find_map(|line| line.strip_prefix(EXECUTED)?.trim().parse().ok())
}

/// A fault of memory behind five letters: a fuzzer that sees nothing of what runs would not come to it, and without the sanitizer
/// nobody would notice.
fn planted(order: &Order, program: &Path, work: &Path) -> io::Result<()> {
    let mut command = fuzzer(program, work, "planted");
    let output = command.args([format!("-max_total_time={PLANTED_SECONDS}"), format!("-seed={}", order.seed)]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() || !said.contains("heap-use-after-free") {
        return Err(io::Error::other(format!("a planted fault was not found: {}\n{said}", output.status)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_from_what_the_fuzzer_says_in_the_end() {
        let said = "Done 12 runs in 1 second(s)\nstat::number_of_executed_units: 1234\nstat::peak_rss_mb:              52\n";
        assert_eq!(executed(said), Some(1_234));
        assert_eq!(executed("#12 NEW cov: 7"), None);
    }

    #[test]
    fn branches_of_what_reads_are_counted() {
        assert!(["hos-core", "hos-fuzz", "minicbor", ""].into_iter().all(is_counted));
        assert!(!["cedar-policy-core", "rusqlite", "tokio"].into_iter().any(is_counted));
    }

    #[test]
    fn what_one_target_finds_fails_when_all_have_run() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let fuzz = |name: &str| if name == "a" { Err(io::Error::other("a: found")) } else { Ok(7) };
        let told = each(1, &names, &fuzz).unwrap_err().to_string();
        assert_eq!(told, "after 14 runs of the other targets: a: found");
        let counts = each(2, &names[1..], &fuzz).unwrap();
        assert_eq!(counts.iter().map(|count| (count.what.as_str(), count.number)).collect::<Vec<_>>(), [("b", 7), ("c", 7)]);
    }

    #[test]
    fn every_corpus_is_a_target_and_can_be_chosen() {
        let all = named(&crate::root(), "").unwrap();
        assert!(all.len() > 30 && all.is_sorted());
        assert_eq!(named(&crate::root(), "header abi").unwrap(), ["abi", "header"]);
        assert!(named(&crate::root(), "heade").is_err());
    }
}
