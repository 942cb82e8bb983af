//! A disk that is told what was done to it, and what may be on it when the power fails.
//!
//! What is promised is little, and nothing else is relied upon: bytes are on the disk once a sync of their file has ended that
//! began after they were written; names, once a sync of their directory has. Of everything else any part may be there: each write
//! whole, in part or not at all, by sectors of 512 bytes and in any order among all; a length without its bytes; a name that was
//! given or taken, or neither. A sync of a file promises nothing of its name.

use crate::record::{Event, FileNo};
use hos_testkit::chance::Chance;
use std::collections::BTreeMap;

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// Bytes or a length that no sync has promised yet.
#[derive(Debug, Clone)]
enum Change {
    Bytes { at: u64, bytes: Vec<u8> },
    Length(u64),
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<(usize, Change)>,
}

/// What happened to a directory's names and is not promised yet.
#[derive(Debug, Clone)]
enum NameChange {
    Given(String, FileNo),
    Taken(String),
    Moved(String, String, FileNo),
}

/// A disk, up to some event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    durable: BTreeMap<String, FileNo>,
    now: BTreeMap<String, FileNo>,
    pending: Vec<(usize, NameChange)>,
    events: usize,
}

/// What becomes of that which no sync has promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All of it is there: a kill.
    Kept,
    /// None of it is.
    Dropped,
    /// What came first is there, the last of it cut anywhere.
    First,
    /// Some writes are there, whole, in any order.
    Some,
    /// Some sectors are.
    Torn,
    /// Some sectors are, others hold anything.
    Garbled,
    /// The lengths are there, and some bytes; the others are zeros.
    Grown,
}

pub(crate) const FATES: [Fate; 7] = [Fate::Kept, Fate::Dropped, Fate::First, Fate::Some, Fate::Torn, Fate::Garbled, Fate::Grown];

/// Files by their names, below the watched directory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

impl Disk {
    /// Takes the next event.
    pub(crate) fn take(&mut self, event: &Event) -> Result<(), String> {
        let at = self.events;
        self.events += 1;
        match event {
            Event::Made { path, file } => {
                if self.files.len() <= *file {
                    self.files.resize_with(file + 1, File::default);
                }
                self.name(at, NameChange::Given(path.clone(), *file));
            }
            Event::Written { file, at: from, bytes } => {
                self.files[*file].pending.push((at, Change::Bytes { at: *from, bytes: bytes.clone() }));
            }
            Event::Cut { file, len } => self.files[*file].pending.push((at, Change::Length(*len))),
            Event::Synced { file, began } => {
                let file = &mut self.files[*file];
                let (safe, rest) = std::mem::take(&mut file.pending).into_iter().partition(|(at, _)| at < began);
                file.pending = rest;
                let safe: Vec<(usize, Change)> = safe;
                safe.iter().for_each(|(_, change)| apply(&mut file.durable, change));
            }
            Event::NamesSynced { dir, began } => {
                let is_of = |(at, change): &(usize, NameChange)| at < began && change.dir() == dir;
                let (safe, rest) = std::mem::take(&mut self.pending).into_iter().partition(is_of);
                self.pending = rest;
                let safe: Vec<(usize, NameChange)> = safe;
                safe.iter().for_each(|(_, change)| change.apply(&mut self.durable));
            }
            Event::Renamed { from, to } => {
                let file = self.named(from)?;
                if dir_of(from) != dir_of(to) {
                    return Err(format!("`{from}` was moved to another directory"));
                }
                self.name(at, NameChange::Moved(from.clone(), to.clone(), file));
            }
            Event::Linked { from, to } => {
                let file = self.named(from)?;
                self.name(at, NameChange::Given(to.clone(), file));
            }
            Event::Unlinked { path } => self.name(at, NameChange::Taken(path.clone())),
            Event::SyncBegun | Event::Told(_) => {}
        }
        Ok(())
    }

    fn named(&self, path: &str) -> Result<FileNo, String> {
        self.now.get(path).copied().ok_or_else(|| format!("`{path}` is no name of a file"))
    }

    fn name(&mut self, at: usize, change: NameChange) {
        change.apply(&mut self.now);
        self.pending.push((at, change));
    }

    /// Whether anything is not promised.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.files.iter().all(|file| file.pending.is_empty())
    }

    /// What is there when the power fails now, for these fates of bytes and of names.
    pub(crate) fn crash(&self, bytes: Fate, names: Fate, chance: &mut Chance) -> Files {
        // One moment up to which everything is there, whatever file it is of.
        let until = self.moment(chance);
        let mut named = self.durable.clone();
        for (at, change) in &self.pending {
            let kept = match names {
                Fate::Kept => true,
                Fate::Dropped => false,
                Fate::First => *at < until,
                _ => chance.below(2) == 0,
            };
            if kept {
                change.apply(&mut named);
            }
        }
        let mut files = Files::new();
        for (path, file) in named {
            files.insert(path, self.files[file].crash(bytes, until, chance));
        }
        files
    }

    fn moment(&self, chance: &mut Chance) -> usize {
        let pending = self.files.iter().flat_map(|file| file.pending.iter().map(|(at, _)| *at));
        let mut all: Vec<usize> = pending.chain(self.pending.iter().map(|(at, _)| *at)).collect();
        all.sort_unstable();
        let chosen = chance.below(all.len() + 1);
        all.get(chosen).copied().unwrap_or(usize::MAX)
    }
}

impl File {
    fn crash(&self, fate: Fate, until: usize, chance: &mut Chance) -> Vec<u8> {
        let mut content = self.durable.clone();
        // How much of it is lost differs from crash to crash.
        let odds = 2 + chance.below(7);
        let kept = |chance: &mut Chance| chance.below(odds) != 0;
        if fate == Fate::Grown {
            let mut whole = content.clone();
            self.pending.iter().for_each(|(_, change)| apply(&mut whole, change));
            content.resize(whole.len(), 0);
        }
        for (at, change) in &self.pending {
            match (fate, change) {
                (Fate::Dropped, _) => {}
                (Fate::Kept, _) => apply(&mut content, change),
                (Fate::First, _) if *at < until => apply(&mut content, change),
                (Fate::First, Change::Bytes { at: from, bytes }) if *at == until => {
                    let part = chance.below(bytes.len() + 1);
                    apply(&mut content, &Change::Bytes { at: *from, bytes: bytes[..part].to_vec() });
                }
                (Fate::First, _) => {}
                (Fate::Torn | Fate::Garbled | Fate::Grown, Change::Bytes { at: from, bytes }) => {
                    for (from, sector) in sectors(*from, bytes) {
                        if kept(chance) {
                            put(&mut content, from, sector);
                        } else if fate == Fate::Garbled && chance.below(2) == 0 {
                            let noise: Vec<u8> = sector.iter().map(|_| chance.bits() as u8).collect();
                            put(&mut content, from, &noise);
                        }
                    }
                }
                (Fate::Some | Fate::Torn | Fate::Garbled, _) => {
                    if kept(chance) {
                        apply(&mut content, change);
                    }
                }
                (Fate::Grown, Change::Length(_)) => {}
            }
        }
        content
    }
}

impl NameChange {
    fn dir(&self) -> &str {
        match self {
            Self::Given(path, _) | Self::Taken(path) | Self::Moved(path, ..) => dir_of(path),
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, FileNo>) {
        match self {
            Self::Given(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Taken(path) => {
                names.remove(path);
            }
            Self::Moved(from, to, file) => {
                // Whoever had the name by then keeps it.
                if names.get(from) == Some(file) {
                    names.remove(from);
                }
                names.insert(to.clone(), *file);
            }
        }
    }
}

fn dir_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Bytes { at, bytes } => put(content, *at, bytes),
        Change::Length(len) => content.resize(*len as usize, 0),
    }
}

fn put(content: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let at = at as usize;
    if content.len() < at + bytes.len() {
        content.resize(at + bytes.len(), 0);
    }
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

/// The parts of a write that lie in one sector each.
fn sectors(mut at: u64, mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let room = (SECTOR - at % SECTOR).min(bytes.len() as u64);
        let (part, rest) = bytes.split_at(room as usize);
        parts.push((at, part));
        (at, bytes) = (at + room, rest);
    }
    parts
}

#[test]
fn a_disk_keeps_what_was_promised_and_any_part_of_the_rest() {
    let made = |path: &str, file| Event::Made { path: path.into(), file };
    let wrote = |file, at, bytes: &[u8]| Event::Written { file, at, bytes: bytes.to_vec() };
    let mut disk = Disk::default();
    let feed = |disk: &mut Disk, events: &[Event]| events.iter().for_each(|event| disk.take(event).unwrap());
    let dir = || String::from("d");
    feed(&mut disk, &[made("d/a", 0), wrote(0, 0, &[1; 700]), Event::SyncBegun, wrote(0, 700, &[2; 500])]);
    feed(&mut disk, &[Event::Synced { file: 0, began: 2 }]);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..400 {
        let mut chance = Chance::new(seed);
        for names in [Fate::Kept, Fate::Some] {
            for fate in FATES {
                let files = disk.crash(fate, names, &mut chance);
                let Some(content) = files.get("d/a") else { continue };
                assert_eq!(content[..700], [1; 700], "what was synced is there");
                seen.insert(content[700..].to_vec());
            }
        }
        assert!(disk.crash(Fate::Kept, Fate::Dropped, &mut chance).is_empty(), "no directory was synced");
    }
    for part in [vec![], vec![2; 500], vec![2; 324], [vec![0; 324], vec![2; 176]].concat(), vec![0; 500]] {
        assert!(seen.contains(&part), "{part:?}");
    }
    // A name moved over another, and not promised: the old one, the new one, or both.
    feed(&mut disk, &[Event::NamesSynced { dir: dir(), began: 5 }, made("d/b", 1), Event::NamesSynced { dir: dir(), began: 7 }]);
    feed(&mut disk, &[Event::Renamed { from: "d/b".into(), to: "d/a".into() }]);
    let lost: Vec<String> = disk.crash(Fate::Kept, Fate::Dropped, &mut Chance::new(0)).into_keys().collect();
    assert_eq!(lost, ["d/a", "d/b"]);
    let kept = disk.crash(Fate::Kept, Fate::Kept, &mut Chance::new(0));
    assert_eq!(kept, Files::from([("d/a".to_owned(), vec![])]));
    assert!(!disk.is_settled());
}

#[test]
fn a_record_with_what_no_crash_is_made_of_is_refused() {
    let entry = |kind: u8, one: &[u8], other: &[u8]| {
        let numbers = [&[0; 20][..], &(one.len() as u32).to_le_bytes(), &(other.len() as u32).to_le_bytes()].concat();
        [&[kind][..], &numbers, one, other].concat()
    };
    let told = entry(b'A', b"yes 1\n", b"");
    assert_eq!(crate::record::parse(&told).unwrap(), [Event::Told("yes 1".into())]);
    assert!(crate::record::parse(&entry(b'?', b"mmap", b"s.db")).unwrap_err().contains("mmap"));
    assert!(crate::record::parse(&told[..told.len() - 1]).is_err());
    assert!(crate::record::parse(&entry(b'W', b"x", b"")).is_err(), "a file that nobody made");
}
