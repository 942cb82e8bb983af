//! Which files this process has open: each at most once.
//!
//! POSIX drops all locks that a process holds on a file as soon as the process closes *any* descriptor of that file. So a
//! file is looked up here, by device and inode, before it is opened at all; a second store on it is refused.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

use hos_core::refusal::Code;

use super::db::Db;
use super::error::shown;
use super::identity::FileId;
use crate::store::StoreError;

struct Entry {
    file: FileId,
    pid: u32,
    db: Weak<Db>,
}

static OPEN: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// The right to have one file open in this process; given back when dropped.
pub(super) struct Seat {
    file: FileId,
    pid: u32,
}

/// How long to wait for a store that another thread has let go of and is still closing: what it does at its end takes little
/// more than the second for which it may wait for other processes.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// How long to wait for the list. It is only ever held for an instant; a list that stays locked was locked by another
/// thread of the parent when this process was forked.
const LIST_WAIT: Duration = Duration::from_secs(2);

fn list() -> Result<MutexGuard<'static, Vec<Entry>>, StoreError> {
    let until = Instant::now() + LIST_WAIT;
    loop {
        match OPEN.try_lock() {
            Ok(list) => return Ok(list),
            Err(TryLockError::Poisoned(list)) => return Ok(PoisonError::into_inner(list)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(Duration::from_micros(100)),
            Err(TryLockError::WouldBlock) => {
                let message = "this process was forked while another thread was opening a store; open stores after the fork";
                return Err(StoreError::new(Code::StoreUnavailable, message));
            }
        }
    }
}

/// Takes the seat of a file, before any descriptor of it is opened.
///
/// A store that the parent process had open when this one was forked is put aside first: SQLite keeps what it knows of a
/// file for each process, and would go on with locks that a child does not have.
pub(super) fn take(file: FileId, pid: u32, path: &Path) -> Result<Seat, StoreError> {
    let until = Instant::now() + CLOSE_WAIT;
    let parent = loop {
        let mut list = list()?;
        match list.iter_mut().find(|entry| entry.file == file) {
            None => {
                list.push(Entry { file, pid, db: Weak::new() });
                return Ok(Seat { file, pid });
            }
            // Nobody has that store any more (or not yet): its seat is given back in an instant. The file may be another one by
            // now, for the number of one that was deleted is free as soon as its last descriptor is closed.
            Some(entry) if entry.pid == pid && entry.db.strong_count() == 0 && Instant::now() < until => {
                drop(list);
                std::thread::sleep(Duration::from_micros(200));
            }
            Some(entry) if entry.pid == pid => {
                let message = format!("{} is already open in this process; use that engine, or close it first", shown(path));
                return Err(StoreError::new(Code::StoreBusy, message));
            }
            // The entry is ours while we part from the parent's store, so that no other thread opens the file meanwhile.
            Some(entry) => break (std::mem::replace(&mut entry.pid, pid), entry.db.clone()),
        }
    };
    let (parent_pid, parent_db) = parent;
    // Without a store behind it, it was being opened or closed in another thread of the parent.
    let parted = parent_db.upgrade().is_some_and(|db| db.part_from_parent());
    if parted {
        return Ok(Seat { file, pid });
    }
    if let Some(entry) = list()?.iter_mut().find(|entry| entry.file == file) {
        entry.pid = parent_pid;
    }
    Err(forked_busy())
}

/// The error of a child that was forked in the middle of its parent's work.
pub(super) fn forked_busy() -> StoreError {
    let message = "this process was forked while another thread was inside the store, whose state here cannot be known; \
                   open the engine after the fork, or fork while it is idle";
    StoreError::new(Code::StoreUnavailable, message)
}

impl Seat {
    /// Says who sits here, so that a child can part from it.
    pub(super) fn attach(&self, db: Weak<Db>) {
        if let Ok(mut list) = list()
            && let Some(entry) = list.iter_mut().find(|entry| entry.file == self.file && entry.pid == self.pid)
        {
            entry.db = db;
        }
    }

    /// Moves to the file that now has the store's name.
    pub(super) fn move_to(&mut self, file: FileId, path: &Path) -> Result<(), StoreError> {
        if file == self.file {
            return Ok(());
        }
        let mut list = list()?;
        if list.iter().any(|entry| entry.file == file) {
            return Err(StoreError::new(Code::StoreBusy, format!("{} is already open in this process", shown(path))));
        }
        if let Some(entry) = list.iter_mut().find(|entry| entry.file == self.file && entry.pid == self.pid) {
            entry.file = file;
        }
        self.file = file;
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Ok(mut list) = list() {
            list.retain(|entry| !(entry.file == self.file && entry.pid == self.pid));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_seat_that_is_being_given_back_is_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        let file = FileId::of(&std::fs::File::create(&path).unwrap().metadata().unwrap());
        let pid = std::process::id();
        let (seat, closed) = (take(file, pid, &path).unwrap(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                closed.store(true, Ordering::SeqCst);
                drop(seat);
            });
            let next = take(file, pid, &path);
            assert!(next.is_ok() && closed.load(Ordering::SeqCst), "it came before the other had left");
        });
    }
}
