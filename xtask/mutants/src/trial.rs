//! Which tests meet a change, and whether one of them notices it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a program may take in memory, in kilobytes: a change may make a list without end.
const MEMORY: u64 = 4 << 20;
/// How much longer than unchanged a test may run, and how long in any case.
const TIMES: u32 = 10;
const AT_LEAST: Duration = Duration::from_secs(4);
/// A test of itself may take no longer; longer ones look for what is rare, and a change is to be noticed by something swifter.
const LONGEST: Duration = Duration::from_secs(3);
/// What all tests that meet one change may take, unchanged: the swiftest are tried. What nearly every test meets is noticed by few of them,
/// or by none.
const TOGETHER: Duration = Duration::from_secs(4);

/// One test of one program.
#[derive(Debug, Clone)]
pub struct Test {
    program: PathBuf,
    pub name: String,
    takes: Duration,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// A test failed; which.
    Caught(String),
    /// A test came to no end.
    Endless(String),
    /// No test failed, of so many that met it.
    Survived(usize),
}

/// Where tests run, so that what they write lies nowhere else.
pub struct Bench<'a> {
    pub folder: &'a Path,
    pub workers: usize,
}

/// All tests, and for each change those that meet it, the swiftest first.
pub fn met(bench: &Bench<'_>, programs: &[PathBuf], count: usize) -> Result<Vec<Vec<Test>>, String> {
    let mut tests = Vec::new();
    for program in programs {
        let output = Command::new(program).args(["--list", "--format", "terse"]).current_dir(bench.folder).output();
        let output = output.map_err(|e| format!("{}: {e}", program.display()))?;
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        tests
            .extend(listed.lines().filter_map(|line| line.strip_suffix(": test")).map(|name| (program.clone(), name.to_owned())));
    }
    let found = Mutex::new(Vec::new());
    each(bench.workers, tests.len(), &|at, worker| {
        let (program, name) = &tests[at];
        let path = bench.folder.join(format!("met-{worker}"));
        let _ = std::fs::remove_file(&path);
        let begun = Instant::now();
        let environment = [("HOS_MUTANTS_MET", path.display().to_string()), ("HOS_MUTANTS_COUNT", count.to_string())];
        let ended = run(bench, program, name, &environment, LONGEST)?;
        let test = Test { program: program.clone(), name: name.clone(), takes: begun.elapsed() };
        match ended {
            Ended::Well => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                let numbers = bytes.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four) as usize);
                found.lock().expect("no worker panics").push((test, numbers.collect::<Vec<_>>()));
            }
            Ended::Badly => return Err(format!("{name} fails without a change")),
            Ended::Never => println!("left out, for it takes long: {name}"),
        }
        Ok(())
    })?;
    let mut found = found.into_inner().expect("no worker panics");
    found.sort_by_key(|(test, _)| test.takes);
    let mut out = vec![Vec::new(); count];
    let mut together = vec![Duration::ZERO; count];
    for (test, numbers) in found {
        for number in numbers {
            if let (Some(tests), Some(together)) = (out.get_mut(number), together.get_mut(number)) {
                if *together <= TOGETHER {
                    tests.push(test.clone());
                }
                *together += test.takes;
            }
        }
    }
    Ok(out)
}

/// Wakes the changes with these numbers, one at a time; each that survives is told at once.
pub fn tried(
    bench: &Bench<'_>,
    numbers: &[usize],
    met: &[Vec<Test>],
    survived: &(dyn Fn(usize) + Sync),
) -> Result<BTreeMap<usize, Fate>, String> {
    let fates = Mutex::new(BTreeMap::new());
    let begun = Instant::now();
    each(bench.workers, numbers.len(), &|at, _| {
        let number = numbers[at];
        let mut fate = Fate::Survived(met[number].len());
        for test in &met[number] {
            let limit = (test.takes * TIMES).max(AT_LEAST);
            match run(bench, &test.program, &test.name, &[("HOS_MUTANT", number.to_string())], limit)? {
                Ended::Well => {}
                Ended::Badly => fate = Fate::Caught(test.name.clone()),
                Ended::Never => fate = Fate::Endless(test.name.clone()),
            }
            if fate != Fate::Survived(met[number].len()) {
                break;
            }
        }
        if matches!(fate, Fate::Survived(_)) {
            survived(number);
        }
        let mut fates = fates.lock().expect("no worker panics");
        fates.insert(number, fate);
        if fates.len() % 250 == 0 {
            println!("{} of {} changes, {} s", fates.len(), numbers.len(), begun.elapsed().as_secs());
        }
        Ok(())
    })?;
    Ok(fates.into_inner().expect("no worker panics"))
}

enum Ended {
    Well,
    Badly,
    Never,
}

fn run(bench: &Bench<'_>, program: &Path, test: &str, environment: &[(&str, String)], limit: Duration) -> Result<Ended, String> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY}; ulimit -c 0; exec \"$@\""), "sh"]).arg(program);
    command.args(["--exact", test, "--test-threads", "1"]).current_dir(bench.folder);
    // Few cases: what is found by chance alone, in many, is not what a change is noticed by.
    command.env("PROPTEST_CASES", "64").env("HOS_CASES", "2000").envs(environment.iter().map(|(name, value)| (name, value)));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
    let until = Instant::now() + limit;
    let mut pause = Duration::from_micros(500);
    loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => return Ok(if status.success() { Ended::Well } else { Ended::Badly }),
            None if Instant::now() > until => {
                let _ = child.kill();
                let _ = child.wait();
                return Ok(Ended::Never);
            }
            None => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Does something for each number below `count`, several at once; ends at the first failure.
fn each(workers: usize, count: usize, work: &(dyn Fn(usize, usize) -> Result<(), String> + Sync)) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for worker in 0..workers.max(1) {
            let (next, failed) = (&next, &failed);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count || failed.lock().is_ok_and(|failed| failed.is_some()) {
                        return;
                    }
                    if let (Err(why), Ok(mut failed)) = (work(at, worker), failed.lock()) {
                        *failed = Some(why);
                    }
                }
            });
        }
    });
    failed.into_inner().ok().flatten().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_worked_on_once_and_a_failure_ends_it() {
        let seen = Mutex::new(Vec::new());
        let note = |at, _| {
            seen.lock().unwrap().push(at);
            Ok(())
        };
        each(3, 50, &note).unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..50).collect::<Vec<_>>());
        assert_eq!(each(2, 50, &|at, _| if at == 3 { Err("third".to_owned()) } else { Ok(()) }), Err("third".to_owned()));
    }

    #[test]
    fn a_test_that_fails_one_that_does_not_and_one_without_end_are_told_apart() {
        let bench = Bench { folder: &std::env::temp_dir(), workers: 1 };
        let ended = |program: &str, limit| match run(&bench, Path::new(program), "", &[], limit).unwrap() {
            Ended::Well => "well",
            Ended::Badly => "badly",
            Ended::Never => "never",
        };
        let folder = std::env::temp_dir().join(format!("hos-mutants-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let script = |name: &str, words: &str| {
            let path = folder.join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{words}\n")).unwrap();
            let mut rights = std::fs::metadata(&path).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
            std::fs::set_permissions(&path, rights).unwrap();
            path.display().to_string()
        };
        let long = Duration::from_secs(60);
        let told = [
            ended(&script("well", "exit 0"), long),
            ended(&script("badly", "exit 101"), long),
            ended(&script("never", "exec sleep 600"), Duration::from_millis(300)),
        ];
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(told, ["well", "badly", "never"]);
    }
}
