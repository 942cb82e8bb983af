//! A mark outside the store: the newest checkpoint of each log that this engine answered for. A store that was put back to an
//! older copy is whole in itself; only what is kept elsewhere tells.
//!
//! COMMIT POINT: the rename. A mark that lags behind the store is sound, one that is ahead of it is the finding; so it is
//! written after commits, and never before.

use crate::Failure;
use crate::limits::MARK_BYTES_MAX;
use hos_core::id::{Shown, StoreId, Tenant};
use hos_core::limits::NOTE_BYTES_MAX;
use hos_core::proof::checkpoint::{Checkpoint, Note, origin_parts};
use hos_core::refusal::Code;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const FIRST: &str = "hos mark 1\n";
/// A mark is written when a log has grown so far beyond it, and at the end.
const EVERY: u64 = 64;
/// How often the lock of a mark is tried; a mark that is not written now is written with a later commit.
const TRIES: usize = 50;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a mark says of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) epoch: u64,
    pub(crate) said: Checkpoint,
    pub(crate) note: String,
}

/// A mark's file.
pub(crate) struct Mark {
    path: PathBuf,
    /// The sizes that were written last.
    written: Mutex<BTreeMap<Tenant, u64>>,
    trouble: Mutex<Option<Failure>>,
}

impl Mark {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, written: Mutex::default(), trouble: Mutex::default() }
    }

    /// Why the mark could not be written, if that is so.
    pub(crate) fn trouble(&self) -> Option<Failure> {
        lock(&self.trouble).clone()
    }

    fn wrong(&self, what: impl std::fmt::Display) -> Failure {
        Failure::new(Code::StoreIntegrity, format!("the mark {}: {what}", self.path.display()))
    }

    /// What the file system said of a mark that cannot be `done`: that says nothing of the store. But what is no text is no mark.
    fn out_of_reach(&self, done: &str, error: &io::Error) -> Failure {
        let code = match error.kind() {
            ErrorKind::InvalidData => Code::StoreIntegrity,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::StoreFull,
            _ => Code::StoreUnavailable,
        };
        Failure::new(code, format!("the mark {} cannot be {done}: {error}", self.path.display()))
    }

    fn unwritten(&self, error: &io::Error) -> Failure {
        self.out_of_reach("written", error)
    }

    /// What the mark says; refused when it is another store's, or is not whole.
    pub(crate) fn read(&self, store: &StoreId) -> Result<Option<BTreeMap<Tenant, Marked>>, Failure> {
        let mut text = String::new();
        match File::open(&self.path) {
            Ok(file) => file.take(MARK_BYTES_MAX).read_to_string(&mut text).map_err(|e| self.out_of_reach("read", &e))?,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.out_of_reach("opened", &e)),
        };
        let mut marks = BTreeMap::new();
        for note in notes(&text).ok_or_else(|| self.wrong("it is not whole"))? {
            let (tenant, marked) = marked(store, note).map_err(|e| self.wrong(e))?;
            if marks.insert(tenant, marked).is_some() {
                return Err(self.wrong("it names a log twice"));
            }
        }
        Ok(Some(marks))
    }

    /// Writes what has grown enough, or all that has grown.
    pub(crate) fn advance(&self, store: &StoreId, newest: Vec<(Tenant, u64, Arc<str>)>, flush: bool) {
        let due = {
            let written = lock(&self.written);
            let grown = |(tenant, size, _): &&(Tenant, u64, Arc<str>)| {
                let last = written.get(tenant).copied().unwrap_or(0);
                *size > last && (flush || *size - last >= EVERY)
            };
            newest.iter().any(|of| grown(&of))
        };
        if due {
            let result = self.merge(store, &newest);
            if result.is_ok() {
                lock(&self.written).extend(newest.into_iter().map(|(tenant, size, _)| (tenant, size)));
            }
            *lock(&self.trouble) = result.err();
        }
    }

    /// The higher of what is there and what is given, for each log: another process may have written meanwhile.
    fn merge(&self, store: &StoreId, newest: &[(Tenant, u64, Arc<str>)]) -> Result<(), Failure> {
        let guard = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(beside(&self.path, ".lock"));
        let guard = guard.map_err(|e| self.unwritten(&e))?;
        let mut tries = 0;
        while guard.try_lock().is_err() {
            tries += 1;
            if tries > TRIES {
                let what = format!("the mark {}: another process keeps it locked", self.path.display());
                return Err(Failure::new(Code::StoreUnavailable, what));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut marks = self.read(store)?.unwrap_or_default();
        for (tenant, _, note) in newest {
            let (_, ours) = marked(store, note).map_err(|e| self.wrong(e))?;
            let is_higher = marks.get(tenant).is_none_or(|known| (known.epoch, known.said.size) < (ours.epoch, ours.said.size));
            if is_higher {
                marks.insert(tenant.clone(), ours);
            }
        }
        self.write(marks.values().map(|marked| marked.note.as_str())).map_err(|e| self.unwritten(&e))
    }

    /// Writes the mark anew, whatever it said.
    pub(crate) fn replace(&self, notes: &[String]) -> Result<(), Failure> {
        self.write(notes.iter().map(String::as_str)).map_err(|e| self.unwritten(&e))
    }

    /// Writes the mark of a store that is about to be founded, which names no log yet: one that cannot be written, or is another
    /// store's, is found while nothing is lost by it.
    pub(crate) fn begin(&self, store: &StoreId) -> Result<(), Failure> {
        self.read(store)?;
        self.replace(&[])
    }

    fn write<'n>(&self, notes: impl Iterator<Item = &'n str>) -> io::Result<()> {
        let mut text = FIRST.to_owned();
        let mut count = 0;
        for note in notes {
            text.push_str(&format!("note {}\n{note}", note.len()));
            count += 1;
        }
        text.push_str(&format!("end {count}\n"));
        let fresh = beside(&self.path, ".new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // ---- the commit point; see the head of this file ----
        std::fs::rename(&fresh, &self.path)?;
        let dir = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The notes of a mark, if it is whole.
fn notes(text: &str) -> Option<Vec<&str>> {
    let mut rest = text.strip_prefix(FIRST)?;
    let mut notes = Vec::new();
    loop {
        let (line, after) = rest.split_once('\n')?;
        let (word, number) = line.split_once(' ')?;
        let number: usize = number.parse().ok().filter(|n: &usize| n.to_string() == number)?;
        match word {
            "end" => return (number == notes.len() && after.is_empty()).then_some(notes),
            "note" if number <= NOTE_BYTES_MAX => {
                let (note, after) = after.split_at_checked(number)?;
                notes.push(note);
                rest = after;
            }
            _ => return None,
        }
    }
}

/// What a note marks.
pub(crate) fn marked(store: &StoreId, note: &str) -> Result<(Tenant, Marked), String> {
    let parsed = Note::parse(note.as_bytes()).map_err(|e| e.to_string())?;
    let said = Checkpoint::parse(parsed.text()).map_err(|e| e.to_string())?;
    let parts = origin_parts(&said.origin).filter(|(of, ..)| of == store);
    let (_, tenant, epoch) = parts.ok_or_else(|| format!("`{}` is no log of this store", Shown(&said.origin)))?;
    Ok((tenant, Marked { epoch, said, note: note.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hos_core::id::TreeHash;
    use hos_core::proof::checkpoint::origin;
    use hos_core::proof::key::SealKey;

    #[test]
    fn a_file_that_cannot_be_reached_says_nothing_of_the_store() {
        let (dir, store) = (tempfile::tempdir().unwrap(), StoreId([7; 16]));
        let mark = |name: &str| Mark::new(dir.path().join(name));
        let codes = |mark: &Mark| {
            let code = |failure: Failure| failure.code;
            [mark.read(&store).err().map(code), mark.replace(&[]).err().map(code), mark.begin(&store).err().map(code)]
        };
        let away = Some(Code::StoreUnavailable);
        std::fs::create_dir_all(dir.path().join("a.new")).unwrap();
        assert_eq!(codes(&mark("a")), [None, away, away]);
        assert_eq!(codes(&mark("nowhere/a")), [None, away, away]);
        std::fs::create_dir(dir.path().join("b")).unwrap();
        assert_eq!(codes(&mark("b")), [away, away, away]);
        // What stands in one that is read is another thing.
        for (name, bytes) in [("c", &b"hos mark 1\n"[..]), ("d", &[0xff; 20][..])] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            assert_eq!(mark(name).read(&store).map_err(|failure| failure.code), Err(Code::StoreIntegrity), "{name}");
        }
        assert_eq!(mark("e").begin(&store), Ok(()));
        assert_eq!(mark("e").read(&store), Ok(Some(BTreeMap::new())));
    }

    #[test]
    fn a_mark_ends_at_its_limit() {
        let (dir, store, key) = (tempfile::tempdir().unwrap(), StoreId([7; 16]), SealKey::from_seed(&[7; 32]));
        // Logs whose notes are as long as notes may be, and one that is as long as it must be.
        let note = |log: usize, more: usize| {
            let tenant = Tenant::new(format!("t{log}")).unwrap();
            let extensions = vec!["x".repeat(more)];
            let said = Checkpoint { origin: origin(&store, &tenant, 0), size: 7, root: TreeHash([7; 32]), extensions };
            said.sign(&key).unwrap()
        };
        let all: Vec<String> = (0..1_030).map(|log| note(log, 64_800)).collect();
        let read = |n: usize| {
            let mark = Mark::new(dir.path().join("mark"));
            let size = |notes: &[String]| {
                let lines: usize = notes.iter().map(|note| format!("note {}\n", note.len()).len() + note.len()).sum();
                FIRST.len() + lines + format!("end {}\n", notes.len()).len()
            };
            let mut notes = all.clone();
            while size(&notes) > n - 70_000 {
                notes.pop();
            }
            // What is left is three notes; the first of them takes what is missing to the byte.
            let (last, each) = (notes.len(), (n - size(&notes)) / 3 - 400);
            for log in last..last + 3 {
                notes.push(note(log, each));
            }
            let missing = n - size(&notes);
            notes[last] = note(last, each + missing);
            mark.write(notes.iter().map(String::as_str)).unwrap();
            assert_eq!(std::fs::metadata(&mark.path).unwrap().len(), n as u64);
            mark.read(&store).map(drop).map_err(|failure| failure.code.as_str().to_owned())
        };
        assert_eq!(crate::limits::tried("MARK_BYTES_MAX", read), Ok(()));
    }
}
