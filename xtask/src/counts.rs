//! Instructions of the hot paths: counted by valgrind, so that a path that became a twentieth longer is seen on a machine whose seconds
//! mean nothing. `benches/counts.txt` keeps what each took when somebody last looked.

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Where the counts are kept, from the root.
const KEPT: &str = "benches/counts.txt";
/// How much more is a regression, and how much less is worth writing down.
const BAND: f64 = 0.05;

/// Each path with two numbers of runs: what the second takes more than the first is the path's own, without what goes before.
const PATHS: [(&str, u64, u64); 5] =
    [("can", 200, 2_200), ("move", 50, 250), ("batch", 2, 12), ("verify", 1, 4), ("replay", 1, 4)];

/// What was counted of one path.
#[derive(Debug, Clone, PartialEq)]
struct Count {
    path: String,
    instructions: u64,
}

/// What came of comparing.
pub(crate) enum Compared {
    /// So many paths stayed in their bands, so many did not.
    Paths { within: u64, beyond: u64 },
    /// Nothing could be compared: this stands in the way.
    Not(String),
}

/// Counts each path with the benchmark's release build, and compares with what is kept.
pub(crate) fn compare(root: &Path, bench: &Path) -> io::Result<Compared> {
    if !Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    {
        return Ok(Compared::Not("valgrind is not installed".to_owned()));
    }
    let kept = std::fs::read_to_string(root.join(KEPT))?;
    let (made_with, counts) = read(&kept).ok_or_else(|| io::Error::other(format!("{KEPT} is not as it was written")))?;
    let here = toolchain()?;
    if made_with != here {
        return Ok(Compared::Not(format!(
            "{KEPT} is of `{made_with}`, here is `{here}`; `cargo xtask counts --write` counts anew"
        )));
    }
    let (mut within, mut beyond) = (0, 0);
    for now in count_all(bench)? {
        let Some(then) = counts.iter().find(|count| count.path == now.path) else {
            println!("{}: {} instructions, and none are kept", now.path, now.instructions);
            beyond += 1;
            continue;
        };
        let change = now.instructions as f64 / then.instructions as f64 - 1.0;
        println!("{}: {} instructions, {} kept: {:+.1} %", now.path, now.instructions, then.instructions, change * 100.0);
        if change > BAND {
            beyond += 1;
        } else {
            within += 1;
        }
        if change < -BAND {
            println!("{}: that is worth keeping: cargo xtask counts --write", now.path);
        }
    }
    Ok(Compared::Paths { within, beyond })
}

/// `cargo xtask counts`, on a release build that is there.
pub(crate) fn run(root: &Path, target: &Path, write: bool) -> ExitCode {
    let bench = target.join("release").join(format!("hos-bench{}", std::env::consts::EXE_SUFFIX));
    let done = if write { keep(root, &bench) } else { compare(root, &bench).map(|compared| told(&compared)) };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn told(compared: &Compared) -> bool {
    match compared {
        Compared::Paths { beyond, .. } => *beyond == 0,
        Compared::Not(why) => {
            eprintln!("{why}");
            false
        }
    }
}

fn keep(root: &Path, bench: &Path) -> io::Result<bool> {
    let mut text = format!("{HEAD}{}\n", toolchain()?);
    for count in count_all(bench)? {
        println!("{}: {}", count.path, count.instructions);
        text.push_str(&format!("{} {}\n", count.path, count.instructions));
    }
    std::fs::write(root.join(KEPT), text)?;
    Ok(true)
}

const HEAD: &str =
    "# Instructions of one run of each hot path, counted by valgrind: `cargo xtask counts --write` after a release build.\n";

fn read(text: &str) -> Option<(String, Vec<Count>)> {
    let mut lines = text.strip_prefix(HEAD)?.lines();
    let made_with = lines.next()?.to_owned();
    let count = |line: &str| {
        let (path, instructions) = line.split_once(' ')?;
        Some(Count { path: path.to_owned(), instructions: instructions.parse().ok()? })
    };
    Some((made_with, lines.map(count).collect::<Option<_>>()?))
}

/// What the counts hang on beside the sources: the compiler, and the C library's choices for the processor that valgrind shows.
fn toolchain() -> io::Result<String> {
    let said = |program: &str, argument: &str| -> io::Result<String> {
        let output = Command::new(program).arg(argument).stdin(Stdio::null()).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let libc = said("ldd", "--version").map_or_else(|_| String::new(), |text| text.lines().next().unwrap_or("").to_owned());
    Ok(format!("{}, {}, {}", said("rustc", "-V")?, said("valgrind", "--version")?, libc))
}

fn count_all(bench: &Path) -> io::Result<Vec<Count>> {
    PATHS
        .into_iter()
        .map(|(path, few, many)| {
            let (less, more) = (count(bench, path, few)?, count(bench, path, many)?);
            Ok(Count { path: path.to_owned(), instructions: more.saturating_sub(less) / (many - few) })
        })
        .collect()
}

fn count(bench: &Path, path: &str, times: u64) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(bench)
        .args(["count", path, &times.to_string()])
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let found = collected(&told).filter(|_| output.status.success());
    found.ok_or_else(|| io::Error::other(format!("`{}` could not be counted: {told}", bench.display())))
}

/// `==12== Collected : 6236810523`.
fn collected(told: &str) -> Option<u64> {
    told.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_valgrind_says_is_read() {
        assert_eq!(collected("==1== \n==1== Collected : 6236810523\n"), Some(6_236_810_523));
        assert_eq!(collected("==1== Collected : \n"), None);
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let text = format!("{HEAD}rustc 1\ncan 12\nmove 13\n");
        let count = |path: &str, instructions| Count { path: path.to_owned(), instructions };
        assert_eq!(read(&text), Some(("rustc 1".to_owned(), vec![count("can", 12), count("move", 13)])));
        assert_eq!(read(&text.replace("13", "x")), None);
        assert_eq!(read("can 12"), None);
    }
}
