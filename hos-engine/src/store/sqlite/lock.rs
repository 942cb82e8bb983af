//! The side lock: one writing process at a time, in a fair order.
//!
//! SQLite's own locks keep the file whole, but not fair: of two processes that write without a pause one starves. So a
//! writer first takes a record lock on a file beside the store (`<store>-lock`), from before BEGIN until after COMMIT.
//!
//! - It is a POSIX record lock: the kernel frees it when its process dies, and a forked child does not inherit it. It does
//!   not exclude threads of one process; the store's writer mutex does.
//! - Waiting is bounded, so it is polled. Polling alone would let the process that has just let go come back first; hence
//!   the steps: bytes 2, 1, 0 are locked one after the other, each kept until the next is got. Byte 0 is the lock. Whoever
//!   comes back must first get past byte 1, which the one who waits longest holds.
//! - Where nobody holds or waits, which is nearly always, all steps are locked at once and the two above are freed: two
//!   calls instead of five, and nobody who waits is overtaken, for whoever waits holds a step.
//! - INVARIANT: one descriptor of the lock file in each process, for closing any would free the lock. It is kept for the
//!   life of the store and shared, never opened again, unless the file was replaced.

use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use hos_core::refusal::Code;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::error::{from_errno, from_io, shown};
use super::identity::FileId;
use crate::store::StoreError;

/// The last step before the lock itself; as many processes wait in order.
const STEPS: libc::off_t = 2;
const POLL_MIN: Duration = Duration::from_micros(30);
const POLL_MAX: Duration = Duration::from_micros(1000);

pub(super) struct SideLock {
    path: PathBuf,
    file: ArcSwap<Opened>,
}

/// The lock file, open, and which file it is; `None`: one that is never the present one.
struct Opened {
    file: File,
    id: Option<FileId>,
}

/// The lock, held; freed when dropped.
pub(super) struct Held<'l> {
    lock: &'l SideLock,
}

impl SideLock {
    /// Opens or makes the lock file beside a store.
    pub(super) fn open(store: &Path) -> Result<Self, StoreError> {
        let mut name = store.as_os_str().to_owned();
        name.push("-lock");
        let path = PathBuf::from(name);
        let file = ArcSwap::from_pointee(open_file(&path)?);
        Ok(Self { path, file })
    }

    /// Waits for the lock, at most so long. Only one thread of a process at a time.
    pub(super) fn acquire(&self, timeout: Duration) -> Result<Held<'_>, StoreError> {
        let until = Instant::now() + timeout;
        loop {
            let held = match self.leap()? {
                Some(held) => held,
                None => self.climb(until)?,
            };
            // A lock on a file that nobody finds any more excludes nobody.
            if self.is_current() {
                return Ok(held);
            }
            drop(held);
            self.file.store(Arc::new(open_file(&self.path)?));
            if Instant::now() >= until {
                return Err(self.busy(timeout));
            }
        }
    }

    /// All steps at once; `None` when somebody is on any of them.
    fn leap(&self) -> Result<Option<Held<'_>>, StoreError> {
        if !self.set(libc::F_WRLCK, 0, STEPS + 1)? {
            return Ok(None);
        }
        let held = Held { lock: self };
        self.set(libc::F_UNLCK, 1, STEPS)?;
        Ok(Some(held))
    }

    fn climb(&self, until: Instant) -> Result<Held<'_>, StoreError> {
        let start = Instant::now();
        // Frees every step when the wait ends early.
        let held = Held { lock: self };
        for step in (0..=STEPS).rev() {
            let mut pause = POLL_MIN;
            while !self.set(libc::F_WRLCK, step, 1)? {
                let now = Instant::now();
                if now >= until {
                    return Err(self.busy(until.duration_since(start)));
                }
                thread::sleep(pause.min(until - now));
                pause = (pause * 3 / 2).min(POLL_MAX);
            }
            if step < STEPS {
                self.set(libc::F_UNLCK, step + 1, 1)?;
            }
        }
        Ok(held)
    }

    /// Sets or frees a lock; false when another process is in the way.
    fn set(&self, kind: libc::c_int, start: libc::off_t, len: libc::off_t) -> Result<bool, StoreError> {
        let flock = record(kind, start, len);
        let opened = self.file.load();
        loop {
            match fcntl(&opened.file, FcntlArg::F_SETLK(&flock)) {
                Ok(_) => return Ok(true),
                Err(Errno::EACCES | Errno::EAGAIN) => return Ok(false),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(from_errno(error, &self.path, "lock")),
            }
        }
    }

    /// Closes the descriptor for good: the parent's in a child, or one whose store was left to another engine of this process. Closed
    /// later, it would free a lock that this process holds by then.
    pub(super) fn let_go(&self) {
        if let Ok(nothing) = File::open("/dev/null") {
            self.file.store(Arc::new(Opened { file: nothing, id: None }));
        }
    }

    fn is_current(&self) -> bool {
        // While it is open, its number is given to no other file.
        self.file.load().id.is_some_and(|ours| FileId::named(&self.path).is_ok_and(|theirs| theirs == ours))
    }

    fn busy(&self, waited: Duration) -> StoreError {
        let message = format!("another process kept {} locked for {} ms", shown(&self.path), waited.as_millis());
        StoreError::new(Code::StoreBusy, message)
    }

    /// A number in the lock file that processes use to tell each other that something changed; `None` where it cannot be
    /// relied upon. Costs two system calls.
    pub(super) fn stamp(&self) -> Result<Option<u64>, StoreError> {
        let mut bytes = [0u8; 8];
        if !self.is_current() {
            return Ok(None);
        }
        match self.file.load().file.read_at(&mut bytes, 0) {
            Ok(8) => Ok(Some(u64::from_be_bytes(bytes))),
            Ok(_) => Ok(None),
            Err(error) => Err(from_io(&error, &self.path, "read")),
        }
    }

    /// Sets that number; only with the lock held.
    pub(super) fn set_stamp(&self, stamp: u64) -> Result<(), StoreError> {
        self.file.load().file.write_all_at(&stamp.to_be_bytes(), 0).map_err(|e| from_io(&e, &self.path, "write"))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Freeing a record lock fails only for a descriptor that is none.
        let _ = self.lock.set(libc::F_UNLCK, 0, STEPS + 1);
    }
}

/// A record lock's description.
pub(super) fn record(kind: libc::c_int, start: libc::off_t, len: libc::off_t) -> libc::flock {
    // The kinds are 0, 1 and 2, and SEEK_SET is 0; their C types differ from the fields' by history.
    libc::flock { l_type: kind as libc::c_short, l_whence: libc::SEEK_SET as libc::c_short, l_start: start, l_len: len, l_pid: 0 }
}

fn open_file(path: &Path) -> Result<Opened, StoreError> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(|e| from_io(&e, path, "open the lock file"))?;
    let id = FileId::of(&file.metadata().map_err(|e| from_io(&e, path, "examine"))?);
    Ok(Opened { file, id: Some(id) })
}
