//! The store that needs nothing but a file: SQLite, bundled.
//!
//! `README.md` beside this file tells the life of a record. [`commit`](Runner) shares commits among callers; `guard.rs`
//! notices when somebody else touches the file; `lock.rs` keeps processes fair; `registry.rs` keeps a file to one store a
//! process; `db.rs` puts them together. This file adds what a fork needs.
//!
//! # Promises
//!
//! - An answer is given only after its commit is on the disk (`synchronous=FULL`) and the file was still ours.
//! - Reads are of one moment and see every commit that was answered before they began.
//! - Several processes may have the file open; they write in turn.
//! - A forked child goes on by itself: it puts its parent's handles aside and opens its own.

mod apart;
mod backup;
mod commit;
mod connection;
mod db;
mod error;
mod foresight;
mod fork;
mod guard;
mod identity;
mod line;
mod lock;
mod migrate;
mod options;
mod registry;
mod scratch;
mod scrub;
mod seat;
mod session;
mod sync;
mod vault;

pub use backup::Progress;
pub use commit::Runner;
pub use foresight::Foresight;
pub(crate) use fork::Stay;
pub use fork::{after_fork_in_child, after_fork_in_parent, before_fork};
pub(crate) use migrate::objects;
pub use options::{Migration, Older, OpenOptions, SecureDelete};
pub(crate) use scratch::Scratch;
pub use vault::{Look, NewKey, SecretKey, Vault, VaultKey};
pub(crate) use vault::{key_bytes, key_of};

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use hos_core::refusal::Code;

use self::apart::Private;
use self::commit::{Queue, Tally};
use self::db::{Db, Desk};
use super::{StoreError, Tx};

/// A store in one SQLite file, shared by all threads of a process.
///
/// One process has a file open at most once; a second `open` is refused with [`Code::StoreBusy`].
pub struct SqliteStore<R: Runner> {
    path: PathBuf,
    options: OpenOptions,
    /// The process whose handles `life` holds, and how far it is with that: `pid << 8 | phase`.
    home: AtomicU64,
    life: ArcSwap<Life<R>>,
    commits: AtomicU64,
    jobs: AtomicU64,
    /// Where the file is a copy of another: its directory, which goes last.
    private: Option<Private>,
}

/// What one process has of the store.
struct Life<R: Runner> {
    db: Arc<Db>,
    queue: Queue<R>,
}

/// `life` is this process's own.
const READY: u64 = 0;
/// A thread of this process is opening its own.
const OPENING: u64 = 1;
/// This process can never open its own.
const REFUSED: u64 = 2;

/// Counters of one open store, since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Commits that succeeded.
    pub commits: u64,
    /// Jobs that were run in groups that were committed.
    pub jobs: u64,
    /// Jobs that were written as they were judged before their turn.
    pub ahead: u64,
    /// Jobs that were judged before their turn, and again in it: what they stood on had changed.
    pub stale: u64,
    /// How often the file had to be opened anew because it was touched from outside or a commit broke.
    pub reopens: u64,
    /// The size of the write-ahead log now, in bytes. It grows while a long read goes on.
    pub wal_bytes: u64,
}

impl<R: Runner> SqliteStore<R> {
    /// Opens the store at this path.
    ///
    /// # Errors
    ///
    /// [`Code::StoreUnavailable`] no file, no regular file, another program's file; [`Code::StoreIntegrity`] not an SQLite
    /// file; [`Code::StoreVersion`] another schema than ours; [`Code::StoreReadOnly`] file or directory cannot be written;
    /// [`Code::StoreFull`]; [`Code::StoreBusy`] open in this process already, or locked by another for too long.
    pub fn open(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self, StoreError> {
        let pid = (options.pid)();
        let db = Db::open(path.as_ref(), &options, pid)?;
        Ok(Self {
            path: db.path.clone(),
            options,
            home: AtomicU64::new(home(pid, READY)),
            life: ArcSwap::from_pointee(Life { db, queue: Queue::new() }),
            commits: AtomicU64::new(0),
            jobs: AtomicU64::new(0),
            private: None,
        })
    }

    /// Runs one job in a commit that it may share with others, and answers when it is durable. See [`Runner`].
    pub fn submit(&self, runner: &R, job: R::Job) -> Result<R::Answer, StoreError> {
        let answer = self.submit_all(runner, vec![job])?.pop();
        answer.unwrap_or_else(|| Err(StoreError::internal("a job got no answer")))
    }

    /// Runs these jobs in one commit, each in a savepoint of its own, and answers each, in their order. The outer error
    /// means that none of them ran.
    pub fn submit_all(&self, runner: &R, jobs: Vec<R::Job>) -> Result<Vec<Result<R::Answer, StoreError>>, StoreError> {
        let life = self.life()?;
        commit::refuse_inside(&life.db)?;
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(life.queue.submit(&life.db, runner, jobs, |tally| self.count(tally)))
    }

    /// Reads, all of one moment, whatever lies there by now. Keep it short: while it goes on, the write-ahead log cannot be
    /// emptied. Long listings read page by page, a call each.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let life = self.life()?;
        commit::refuse_inside(&life.db)?;
        life.db.read(work)
    }

    /// Reads in the same way, for an answer: after the file was touched from outside, only what [`Runner::reopened`] agrees with.
    pub fn read_verified<T>(&self, runner: &R, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let life = self.life()?;
        commit::refuse_inside(&life.db)?;
        commit::read(&life.db, runner, work)
    }

    /// Leaves the file for good where what lies there now is not what the runner has answered from; says whether it has.
    ///
    /// # Errors
    ///
    /// [`Code::StoreBusy`]: it would, but reads that are under way do not end.
    pub fn leave_if_lost(&self, runner: &R) -> Result<bool, StoreError> {
        let life = self.life()?;
        commit::refuse_inside(&life.db)?;
        if !life.db.has_left() {
            // What is wrong with the file the read finds too, and opens it anew.
            let _ = life.db.check();
            if life.db.is_doubted() {
                let _ = commit::read(&life.db, runner, |_| Ok(()));
            }
            if !life.db.is_lost() {
                return Ok(false);
            }
        }
        life.db.leave().map(|()| true)
    }

    /// Leaves the file for good.
    fn leave(&self) -> Result<(), StoreError> {
        self.life()?.db.leave()
    }

    /// Copies the store into a new file; writers go on meanwhile. `verify` gets the finished copy under its temporary name,
    /// and only if it says yes does the copy get its own. `progress` may stop it. An existing `target` is never replaced.
    pub fn backup(
        &self,
        target: impl AsRef<Path>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
        verify: &dyn Fn(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let life = self.life()?;
        commit::refuse_inside(&life.db)?;
        backup::backup(&life.db, target.as_ref(), progress, verify)
    }

    /// Where the file is; absolute, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Counters, and the size of the write-ahead log.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let life = self.life()?;
        let (ahead, stale) = life.queue.luck.counts();
        Ok(Stats {
            ahead,
            stale,
            commits: self.commits.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            reopens: life.db.reopens(),
            wal_bytes: life.db.wal_bytes(),
        })
    }

    /// Work on the writer outside any group, with the side lock held.
    fn alone<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let life = self.life()?;
        commit::refuse_inside(&life.db)?;
        life.db.write(|desk| {
            desk.seen.set(None);
            work(desk)
        })
    }

    fn count(&self, tally: Tally) {
        if tally.committed {
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.jobs.fetch_add(tally.jobs as u64, Ordering::Relaxed);
        }
    }

    /// This process's handles. Comes before any lock: a mutex that another thread held at a fork is locked for ever in the
    /// child, and SQLite's handles are of no use there.
    fn life(&self) -> Result<Arc<Life<R>>, StoreError> {
        let pid = (self.options.pid)();
        let until = Instant::now() + self.options.busy_timeout;
        loop {
            let now = self.home.load(Ordering::Acquire);
            if now == home(pid, READY) {
                return Ok(self.life.load_full());
            }
            if now == home(pid, REFUSED) {
                return Err(registry::forked_busy());
            }
            if now == home(pid, OPENING) {
                if Instant::now() >= until {
                    return Err(StoreError::new(Code::StoreBusy, "another thread is opening the store after a fork"));
                }
                thread::sleep(Duration::from_micros(200));
                continue;
            }
            if self.home.compare_exchange(now, home(pid, OPENING), Ordering::AcqRel, Ordering::Acquire).is_ok() {
                let (phase, result) = self.open_in_child(pid);
                // An error that may pass leaves the old number, so that the next call tries again.
                self.home.store(phase.map_or(now, |phase| home(pid, phase)), Ordering::Release);
                return result;
            }
        }
    }

    fn open_in_child(&self, pid: u32) -> (Option<u64>, Result<Arc<Life<R>>, StoreError>) {
        fork::arrive(pid);
        let inherited = self.life.load_full();
        if let Err(left) = inherited.db.not_left() {
            return (None, Err(left));
        }
        if !inherited.db.part_from_parent() {
            // Whatever another thread of the parent was using must never be touched here, nor freed.
            std::mem::forget(inherited);
            return (Some(REFUSED), Err(registry::forked_busy()));
        }
        let mut options = self.options.clone();
        options.create = false;
        match Db::open(&self.path, &options, pid) {
            Ok(db) => {
                let life = Arc::new(Life { db, queue: Queue::new() });
                // Callers of the parent that waited in the old queue are not here.
                self.life.store(life.clone());
                (Some(READY), Ok(life))
            }
            Err(error) => (None, Err(error)),
        }
    }
}

fn home(pid: u32, phase: u64) -> u64 {
    u64::from(pid) << 8 | phase
}
