//! A file system of its own, copied block by block while the engine writes into it: what the kernel itself would find after a loss of
//! power at that moment. Each copy is mounted, which recovers its journal, and judged by what had been told before it was made.
//!
//! A copy counts only if it is of one moment: the image is read twice, and both must be the same. Half of the times the programs
//! are stopped for it; else they go on, and it is tried until nothing was written in between.

use crate::judge::judge;
use crate::power::{history, scratch};
use crate::shim::{Orders, child};
use crate::told::Account;
use crate::world::Place;
use hos_testkit::chance::Chance;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const IMAGE_BYTES: u64 = 20 << 20;
/// How often a copy of programs that go on is tried.
const TRIES: usize = 60;

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().map_err(|e| format!("{program}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// A mounted image; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(image: &Path, at: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&at).map_err(|e| e.to_string())?;
        run("mount", &["-o", "loop", &image.display().to_string(), &at.display().to_string()])?;
        Ok(Self(at))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let at = self.0.display().to_string();
        // A process that still has a file open goes soon; what is left is taken off as soon as it can be.
        if run("umount", &[&at]).is_err() {
            let _ = run("umount", &["-l", &at]);
        }
    }
}

/// An empty file system in an image.
fn image(at: &Path) -> Result<(), String> {
    let file = fs::File::create(at).map_err(|e| e.to_string())?;
    file.set_len(IMAGE_BYTES).map_err(|e| e.to_string())?;
    run("mkfs.ext4", &["-q", "-F", "-b", "4096", "-J", "size=4", &at.display().to_string()])
}

/// Why there can be no mounts here, if that is so.
pub(crate) fn missing() -> Option<String> {
    let base = scratch();
    let at = base.path().join("image");
    image(&at).and_then(|()| Mounted::new(&at, base.path().join("m"))).err()
}

/// What a history's copies came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) copies: usize,
    /// Of these, such as were made while the programs went on.
    pub(crate) moving: usize,
    pub(crate) kept: usize,
    pub(crate) findings: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.copies += other.copies;
        self.moving += other.moving;
        self.kept += other.kept;
        self.findings.extend(other.findings);
    }
}

/// A history on a file system, copied until it is over. `swallow`: syncs of files that end so are not done.
pub(crate) fn campaign(seed: u64, swallow: Option<&str>) -> Result<Tally, String> {
    let base = scratch();
    let disk = base.path().join("image");
    image(&disk)?;
    let mounted = Mounted::new(&disk, base.path().join("m"))?;
    let root = mounted.0.join("root");
    Place::make(&root);
    run("sync", &["-f", &root.display().to_string()])?;
    let told = base.path().join("told");
    let (running, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let start = |role: &str, kill| {
        let orders = Orders { kill, swallow: swallow.map(str::to_owned), ..Orders::default() };
        let child = child(role, &root, &told, &orders).spawn().map_err(|e| e.to_string())?;
        running.lock().unwrap().push(child.id());
        Ok(child)
    };
    std::thread::scope(|scope| {
        let programs = scope.spawn(|| {
            let done = history(seed, &start);
            over.store(true, Ordering::SeqCst);
            done
        });
        let mut tally = Tally::default();
        let mut chance = Chance::new(seed ^ 0x30);
        let mut judged = Ok(());
        while !over.load(Ordering::SeqCst) && judged.is_ok() {
            let stopped = chance.below(2) == 0;
            std::thread::sleep(Duration::from_millis(if stopped { chance.below(12) as u64 } else { 0 }));
            let before = whole_lines(&told);
            let copy = if stopped { stopping(&running, || copied(&disk, 3)) } else { copied(&disk, TRIES) };
            let Some(copy) = copy else { continue };
            tally.copies += 1;
            tally.moving += usize::from(!stopped);
            let account = account(&before, &whole_lines(&told))?;
            judged = look(base.path(), &copy, &account, chance.bits() >> 8, &mut tally);
        }
        programs.join().unwrap()?;
        judged.map(|()| tally)
    })
}

/// The image at one moment.
fn copied(disk: &Path, tries: usize) -> Option<Vec<u8>> {
    let mut last = fs::read(disk).ok()?;
    for _ in 0..tries {
        let next = fs::read(disk).ok()?;
        if next == last {
            return Some(next);
        }
        last = next;
    }
    None
}

/// Does it while the programs stand still.
fn stopping<T>(running: &Mutex<Vec<u32>>, work: impl FnOnce() -> T) -> T {
    let signal = |name: &str| {
        let pids: Vec<String> = running.lock().unwrap().iter().map(u32::to_string).collect();
        let mut args = vec![name];
        args.extend(pids.iter().map(String::as_str));
        // Some have ended.
        let _ = run("kill", &args);
    };
    signal("-STOP");
    let done = work();
    signal("-CONT");
    done
}

/// Mounts a copy and judges what is on it. An error is trouble of the machine's; what does not hold is among the findings.
fn look(base: &Path, copy: &[u8], account: &Account, turn: u64, tally: &mut Tally) -> Result<(), String> {
    let disk = base.join("copy");
    fs::write(&disk, copy).map_err(|e| e.to_string())?;
    let mounted = Mounted::new(&disk, base.join("c"))?;
    match judge(&Place::at(&mounted.0.join("root")), account, turn) {
        Ok(found) => tally.kept += found.kept,
        Err(what) => tally.findings.push(what),
    }
    Ok(())
}

/// Answers bind that were told before a copy was begun. What was asked until it was made may be on it.
fn account(before: &str, after: &str) -> Result<Account, String> {
    let mut known = Account::default();
    before.lines().try_for_each(|line| known.take(line))?;
    after[before.len()..].lines().filter(|line| line.starts_with("ask ")).try_for_each(|line| known.take(line))?;
    Ok(known)
}

/// What is told so far; a line that is being written is none yet.
fn whole_lines(told: &Path) -> String {
    let mut text = fs::read_to_string(told).unwrap_or_default();
    text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    text
}
