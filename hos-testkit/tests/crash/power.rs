//! Simulated loss of power: what a program did to its disk is recorded, a disk that promises little is told it up to some event,
//! and what may be there then is opened, recovered and judged.

use crate::disk::{Disk, FATES, Fate, Files};
use crate::judge::judge;
use crate::record::{Event, read};
use crate::shim::{Orders, child};
use crate::told::Account;
use crate::world::Place;
use hos_testkit::chance::Chance;
use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};

/// The index of the log is mapped, and after a crash may hold anything; whoever opens first makes it anew.
const INDEX: &str = "-shm";

/// A directory that costs no disk, where there is one.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let at = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("hos-crash-").tempdir_in(at).unwrap()
}

/// What several processes did to one store, one after the other and beside each other, some of them killed.
pub(crate) struct Recording {
    pub(crate) events: Vec<Event>,
    log: PathBuf,
    base: tempfile::TempDir,
}

/// Records what a seed says. `swallow`: syncs of files that end so are not done.
pub(crate) fn record(seed: u64, swallow: Option<&str>) -> Result<Recording, String> {
    let base = scratch();
    let root = base.path().join("root");
    let place = Place::make(&root);
    let (told, log) = (base.path().join("told"), base.path().join("log"));
    let orders = |kill| Orders { log: Some(log.clone()), kill, swallow: swallow.map(str::to_owned), ..Orders::default() };
    history(seed, &|role, kill| child(role, &root, &told, &orders(kill)).spawn().map_err(|e| e.to_string()))?;
    let events = read(&log)?;
    complete(&events, &place)?;
    Ok(Recording { events, log, base })
}

/// Starts a program in a role, which a sync of this number kills.
pub(crate) type Start<'s> = dyn Fn(&str, Option<usize>) -> Result<Child, String> + 's;

/// Starts the programs of a history, some of them killed at a sync.
pub(crate) fn history(seed: u64, start: &Start<'_>) -> Result<(), String> {
    let mut chance = Chance::new(seed);
    let mut kill = |of: usize| (chance.below(2) == 0).then(|| 1 + chance.below(of));
    let start = |phase: usize, kill| start(&format!("phase {phase} {seed}"), kill);
    // The first third of these syncs make the store.
    let first = kill(60);
    if !ended(start(0, first)?, first.is_some())?.success() {
        ended(start(4, None)?, false)?;
    }
    let (one, other) = (kill(80), kill(50));
    let beside = start(2, other)?;
    let first_of_two = ended(start(1, one)?, one.is_some());
    ended(beside, other.is_some())?;
    first_of_two?;
    let last = kill(60);
    ended(start(3, last)?, last.is_some()).map(drop)
}

/// Waits; a process that was not to be killed must end well.
fn ended(child: Child, may_be_killed: bool) -> Result<ExitStatus, String> {
    use std::os::unix::process::ExitStatusExt;
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    if output.status.success() || (may_be_killed && output.status.signal() == Some(9)) {
        return Ok(output.status);
    }
    Err(format!("a program of the recording failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// What was recorded, done on a disk, gives the files that are there: nothing passed unseen.
fn complete(events: &[Event], place: &Place) -> Result<(), String> {
    let mut disk = Disk::default();
    events.iter().try_for_each(|event| disk.take(event))?;
    let mut told = disk.crash(Fate::Kept, Fate::Kept, &mut Chance::new(0));
    let mut there = Files::new();
    for dir in std::fs::read_dir(place.root()).unwrap().map(|entry| entry.unwrap().path()) {
        for file in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.strip_prefix(place.root()).unwrap().to_str().unwrap().to_owned();
            there.insert(name, std::fs::read(file).unwrap());
        }
    }
    for files in [&mut told, &mut there] {
        files.retain(|name, _| !name.ends_with(INDEX));
    }
    if told == there {
        return Ok(());
    }
    let names: BTreeSet<&String> = told.keys().chain(there.keys()).filter(|name| told.get(*name) != there.get(*name)).collect();
    Err(format!("the record misses what was done to {names:?}"))
}

/// One crash: after so many events, with these fates, by this chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crash {
    pub(crate) cut: usize,
    bytes: usize,
    names: usize,
    chance: u64,
}

impl Crash {
    fn words(&self) -> String {
        format!("{}:{}:{}:{}", self.cut, self.bytes, self.names, self.chance)
    }

    pub(crate) fn read(words: &str) -> Option<Self> {
        let numbers: Vec<u64> = words.split(':').map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let [cut, bytes, names, chance] = numbers.try_into().ok()?;
        Some(Self { cut: cut as usize, bytes: bytes as usize, names: names as usize, chance })
    }
}

/// So many crashes, half of them just after somebody was told something.
pub(crate) fn crashes(events: &[Event], count: usize, chance: &mut Chance) -> Vec<Crash> {
    let told: Vec<usize> = (0..events.len()).filter(|at| matches!(events[*at], Event::Told(_))).map(|at| at + 1).collect();
    let mut chosen: Vec<Crash> = (0..count)
        .map(|n| {
            let cut = if n % 2 == 0 { told[chance.below(told.len())] } else { 1 + chance.below(events.len()) };
            Crash { cut, bytes: chance.below(FATES.len()), names: chance.below(4), chance: chance.bits() }
        })
        .collect();
    chosen.sort_by_key(|crash| crash.cut);
    chosen
}

/// What a run of crashes came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Crashes that were made, and of these the stores that no earlier one had left.
    pub(crate) states: usize,
    pub(crate) distinct: usize,
    /// Acknowledgements that were held against stores, over all of them.
    pub(crate) kept: usize,
}

/// Makes each crash and judges it; stops at the first that does not hold.
pub(crate) fn try_all(events: &[Event], crashes: &[Crash], tally: &mut Tally) -> Result<(), (Crash, String)> {
    let (mut disk, mut account, mut at) = (Disk::default(), Account::default(), 0);
    let mut seen = HashSet::new();
    for crash in crashes {
        let fail = |what: String| (*crash, what);
        while at < crash.cut {
            disk.take(&events[at]).map_err(fail)?;
            if let Event::Told(line) = &events[at] {
                account.take(line).map_err(fail)?;
            }
            at += 1;
        }
        let mut chance = Chance::new(crash.chance);
        let mut files = disk.crash(FATES[crash.bytes], FATES[crash.names], &mut chance);
        tally.states += 1;
        let mut hasher = DefaultHasher::new();
        (&files, account.deeds.len(), account.acknowledged()).hash(&mut hasher);
        if !seen.insert(hasher.finish()) {
            continue;
        }
        leave_an_index(&mut files, &mut chance);
        let base = scratch();
        let place = Place::make(base.path());
        lay(&place, &files);
        let turn = chance.bits() >> 8;
        let judged = std::panic::catch_unwind(|| judge(&place, &account, turn));
        let judged = judged.unwrap_or_else(|_| Err("a panic".into()));
        tally.kept += judged.map_err(fail)?.kept;
        tally.distinct += 1;
    }
    Ok(())
}

/// All that does not hold.
pub(crate) fn findings(events: &[Event], crashes: &[Crash]) -> Vec<String> {
    let found = crashes.iter().filter_map(|crash| try_all(events, &[*crash], &mut Tally::default()).err());
    found.map(|(_, what)| what).collect()
}

/// An index of the log that was left: none, zeros, or anything.
fn leave_an_index(files: &mut Files, chance: &mut Chance) {
    let logs: Vec<String> = files.keys().filter(|name| name.ends_with("-wal")).cloned().collect();
    files.retain(|name, _| !name.ends_with(INDEX));
    for log in logs {
        let noise: Vec<u8> = match chance.below(3) {
            0 => continue,
            1 => vec![0; 32768],
            _ => (0..4096).flat_map(|_| chance.bits().to_le_bytes()).collect(),
        };
        files.insert(log.replace("-wal", INDEX), noise);
    }
}

fn lay(place: &Place, files: &Files) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    for (name, content) in files {
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(place.root().join(name)).unwrap();
        file.write_all(content).unwrap();
    }
}

/// Keeps the record of a crash that does not hold, and says how it is tried again.
pub(crate) fn told_again(recording: &Recording, seed: u64, crash: Crash, what: &str) -> String {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{seed}-{}.log", std::process::id()));
    let copied = std::fs::copy(&recording.log, &kept).map_or_else(|e| e.to_string(), |_| kept.display().to_string());
    let (last, fates) = (&recording.events[crash.cut - 1], (FATES[crash.bytes], FATES[crash.names]));
    let last = format!("{last:?}").chars().take(200).collect::<String>();
    format!(
        "{what}\nseed {seed}, {fates:?}, after event {}: {last}\nagain: HOS_CRASH_LOG={copied} HOS_CRASH_STATE={} \
         cargo test --workspace --test crash -- --exact power_again --nocapture",
        crash.cut,
        crash.words()
    )
}

/// One recording with so many crashes.
pub(crate) fn campaign(seed: u64, count: usize, tally: &mut Tally) -> Result<(), String> {
    let recording = record(seed, None).map_err(|what| format!("seed {seed}: {what}"))?;
    let chosen = crashes(&recording.events, count, &mut Chance::new(seed ^ 0xc4a5));
    try_all(&recording.events, &chosen, tally).map_err(|(crash, what)| told_again(&recording, seed, crash, &what))?;
    drop(recording.base);
    Ok(())
}
