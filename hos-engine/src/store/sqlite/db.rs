//! One open file: the writer, the readers, and what keeps them safe from each other and from the rest of the process.

mod leave;

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use hos_core::refusal::Code;
use rusqlite::Connection;

use super::connection::{self, Role, run};

use super::error::{from_io, from_sqlite, shown, surely_not_stored};
use super::fork::{self, Stay};
use super::guard::FileGuard;
use super::identity::FileId;
use super::lock::SideLock;
use super::migrate;
use super::options::{Older, OpenOptions};
use super::registry::{self, Seat};
use super::session::Session;
use crate::store::{StoreError, Tx};

/// A store that is closed waits no longer than this for other processes; whoever closes last empties the log.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(1);
/// How long it waits before it opens the file once more.
const BRING_UP_PAUSE: Duration = Duration::from_millis(1);
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

pub(super) struct Db {
    pub(super) path: PathBuf,
    pub(super) options: OpenOptions,
    pid: u32,
    /// Lock order: writer before pool.
    writer: Mutex<Option<Writer>>,
    pool: Mutex<Pool>,
    returned: Condvar,
    lock: Option<SideLock>,
    /// The guard fired, or a commit failed half-way: reopen before the next use.
    suspect: AtomicBool,
    /// Reopened since it was last verified: verify before the next write, and before the next read for an answer.
    unverified: AtomicBool,
    /// What lies there now was looked at and is not what was answered from.
    lost: AtomicBool,
    /// All is closed and stays so.
    left: AtomicBool,
    reopens: AtomicU64,
}

/// The one connection that writes.
struct Writer {
    conn: Connection,
    seen: Cell<Option<i64>>,
}

struct Pool {
    /// Given up last, for closing it drops SQLite's locks.
    guard: Option<FileGuard>,
    seat: Option<Seat>,
    idle: Vec<Connection>,
    lent: usize,
    /// While the store is being opened anew, or after it was left to another process.
    closed: bool,
}

/// What the leader of a commit works with.
pub(super) struct Desk<'d> {
    pub(super) conn: &'d mut Connection,
    pub(super) lock: &'d SideLock,
    /// SQLite's number for what others have written, as it was at this connection's last shared commit; `None`: unknown,
    /// or something else was done through the connection since.
    pub(super) seen: &'d Cell<Option<i64>>,
    db: &'d Db,
}

impl Db {
    /// Opens the file at this path, or makes it.
    pub(super) fn open(path: &Path, options: &OpenOptions, pid: u32) -> Result<Arc<Self>, StoreError> {
        connection::check_version()?;
        fork::arrive(pid);
        let _stay = Stay::enter();
        let (path, created) = locate(path, options)?;
        let file = identify(&path)?;
        let seat = registry::take(file, pid, &path)?;
        let lock = if options.read_only {
            None
        } else {
            // Beside what is no store no lock file is made: it would lie among somebody else's files.
            check_header(&FileGuard::open(&path, true)?, &path)?;
            Some(SideLock::open(&path)?)
        };
        let pool = Pool { guard: None, seat: Some(seat), idle: Vec::new(), lent: 0, closed: true };
        let db = Arc::new(Self {
            path,
            options: options.clone(),
            pid,
            writer: Mutex::new(None),
            pool: Mutex::new(pool),
            returned: Condvar::new(),
            lock,
            suspect: AtomicBool::new(true),
            unverified: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            left: AtomicBool::new(false),
            reopens: AtomicU64::new(0),
        });
        db.bring_up(&mut lock_of(&db.writer), options.create)?;
        if created {
            sync_directory(&db.path)?;
        }
        if let Some(seat) = &lock_of(&db.pool).seat {
            seat.attach(Arc::downgrade(&db));
        }
        Ok(db)
    }

    /// Opens the connections; everything of an earlier life is closed.
    fn bring_up(&self, writer: &mut Option<Writer>, create: bool) -> Result<(), StoreError> {
        let until = Instant::now() + self.options.busy_timeout;
        // Where SQLite makes the file, or turns on its log, it must be alone and lets go of all locks of this process once, the
        // guard's too; so does a foreign hand. Who can say which: all of it once more, now that the log is on.
        while let Some(why) = self.bring_up_whole(writer, create)? {
            if Instant::now() >= until {
                let (what, then) = match why {
                    Code::StoreBusy => ("another process has", "the file belongs to H-OS alone"),
                    Code::StoreReadOnly => ("SQLite cannot open for writing", "look at its rights and at its disk"),
                    _ => (
                        "something else in this process opens and closes, and drops the locks of H-OS on,",
                        "the file belongs to H-OS alone",
                    ),
                };
                return Err(StoreError::new(why, format!("{what} {}; {then}", shown(&self.path))));
            }
            thread::sleep(BRING_UP_PAUSE);
        }
        Ok(())
    }

    /// Why not, with all closed again: our locks were dropped meanwhile, or cannot be had yet.
    fn bring_up_whole(&self, writer: &mut Option<Writer>, create: bool) -> Result<Option<Code>, StoreError> {
        let mut pool = lock_of(&self.pool);
        let mut guard = FileGuard::open(&self.path, !self.options.read_only)?;
        if let Some(seat) = &mut pool.seat {
            seat.move_to(guard.id(), &self.path)?;
        }
        check_log(&guard, &self.path)?;
        check_header(&guard, &self.path)?;
        // From here on an early return must close the connection before the guard: locals are dropped last first.
        if self.options.read_only {
            let conn = connection::open(&self.path, Role::Reader, &self.options)?;
            migrate::check(&conn, &self.options).map_err(|e| self.named(e))?;
            pool.idle.push(conn);
        } else {
            let _held = match &self.lock {
                Some(lock) => Some(lock.acquire(self.options.busy_timeout)?),
                None => None,
            };
            if self.options.older == Older::Refused {
                // By a connection that is gone again before the guard begins to watch, and before anything of the file is touched.
                let look = connection::open(&self.path, Role::Reader, &self.options).map_err(|e| self.named(e))?;
                migrate::check(&look, &self.options).map_err(|e| self.named(e))?;
            }
            if guard.is_logged()
                && let Some(why) = guard.hold()?
            {
                return Ok(Some(why));
            }
            guard.watch(self.pid)?;
            let mut conn = connection::open(&self.path, Role::Writer, &self.options).map_err(|e| self.named(e))?;
            // What it cannot open for writing SQLite opens for reading, whatever the reason: where the disk failed once, a process
            // would write nothing more as long as it lives.
            if conn.is_readonly(rusqlite::MAIN_DB).map_err(|e| self.named(from_sqlite(e, "cannot examine the connection")))? {
                return Ok(Some(Code::StoreReadOnly));
            }
            migrate::apply(&mut conn, &self.options, create).map_err(|e| self.named(e))?;
            connection::settle(&conn).map_err(|e| self.named(from_sqlite(e, "cannot settle the write-ahead log")))?;
            if !guard.engage()? {
                return Ok(Some(Code::StoreIntegrity));
            }
            *writer = Some(Writer { conn, seen: Cell::new(None) });
        }
        pool.guard = Some(guard);
        pool.closed = false;
        self.suspect.store(false, Ordering::Release);
        Ok(None)
    }

    /// Closes all that is open and opens it anew, because the guard fired or a commit broke.
    fn reopen(&self, writer: &mut Option<Writer>) -> Result<(), StoreError> {
        self.not_left()?;
        self.shut(writer)?;
        self.unverified.store(true, Ordering::Release);
        // A store that vanished is never made again here: that would answer a loss with an empty file.
        self.bring_up(writer, false)?;
        self.reopens.fetch_add(1, Ordering::AcqRel);
        self.returned.notify_all();
        Ok(())
    }

    /// Gives the writer to the caller, whole and checked, with the side lock held while `work` runs.
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Some(lock) = &self.lock else {
            return Err(StoreError::new(Code::StoreReadOnly, format!("{} was opened for reading only", shown(&self.path))));
        };
        let _stay = Stay::enter();
        let mut writer = match self.writer.lock() {
            Ok(writer) => writer,
            Err(poisoned) => {
                // A panic went through the machinery itself; the connection may be in the middle of anything.
                self.mark_suspect();
                self.writer.clear_poison();
                poisoned.into_inner()
            }
        };
        if self.suspect.load(Ordering::Acquire) || writer.is_none() {
            self.reopen(&mut writer)?;
        }
        let _held = lock.acquire(self.options.busy_timeout)?;
        self.check()?;
        match writer.as_mut() {
            Some(writer) => work(&mut Desk { conn: &mut writer.conn, db: self, lock, seen: &writer.seen }),
            None => Err(StoreError::internal("the store has no writer")),
        }
    }

    /// Runs `work` in a read transaction: all it reads is of one moment.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let lent = self.lend()?;
        let doing = "cannot read the store";
        let tx = lent.conn()?.unchecked_transaction().map_err(|e| from_sqlite(e, doing))?;
        let answer = work(&Tx::of(&Session::new(&tx)));
        // There is nothing to keep; rolling back ends the snapshot either way. After some errors SQLite has ended it by itself: then
        // they are the answer, and not that nothing is left to roll back; and what was read without them is not of one moment.
        match (tx.rollback(), answer) {
            (Err(error), Ok(_)) => Err(StoreError::new(Code::StoreUnavailable, format!("{doing}: {error}"))),
            (_, answer) => answer,
        }
    }

    /// Lends a connection for reading.
    pub(super) fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let stay = Stay::enter();
        if self.suspect.load(Ordering::Acquire) {
            let mut writer = lock_of(&self.writer);
            if self.suspect.load(Ordering::Acquire) {
                self.reopen(&mut writer)?;
            }
        }
        let until = Instant::now() + self.options.busy_timeout;
        let mut pool = lock_of(&self.pool);
        while pool.closed {
            self.not_left()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::new(Code::StoreBusy, "the store is being opened anew"));
            }
            pool = self.returned.wait_timeout(pool, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Err(error) = pool.guard.as_ref().map_or(Ok(()), FileGuard::check) {
            // A stale log, or a file that is no longer the store's, would be read as if it were the present; the next call opens anew.
            self.mark_suspect();
            return Err(error);
        }
        let conn = match pool.idle.pop() {
            Some(conn) => conn,
            None => connection::open(&self.path, Role::Reader, &self.options)?,
        };
        pool.lent += 1;
        Ok(Lent { db: self, conn: Some(conn), _stay: stay })
    }

    /// The guard's full check.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let _stay = Stay::enter();
        let result = lock_of(&self.pool).guard.as_ref().map_or(Ok(()), FileGuard::check);
        if result.is_err() {
            self.mark_suspect();
        }
        result
    }

    pub(super) fn mark_suspect(&self) {
        self.suspect.store(true, Ordering::Release);
    }

    /// Whether it is to be opened anew or verified before its next use.
    pub(super) fn is_doubted(&self) -> bool {
        self.suspect.load(Ordering::Acquire) || self.is_unverified()
    }

    pub(super) fn is_unverified(&self) -> bool {
        self.unverified.load(Ordering::Acquire)
    }

    pub(super) fn set_verified(&self) {
        self.lost.store(false, Ordering::Release);
        self.unverified.store(false, Ordering::Release);
    }

    pub(super) fn reopens(&self) -> u64 {
        self.reopens.load(Ordering::Acquire)
    }

    pub(super) fn wal_bytes(&self) -> u64 {
        let _stay = Stay::enter();
        lock_of(&self.pool).guard.as_ref().map_or(0, FileGuard::wal_bytes)
    }

    /// Whether a block of the store's own file is what is looked for. It is read through the descriptor that is open already; a second
    /// one would drop the locks.
    pub(super) fn any_block(&self, mut is_it: impl FnMut(&[u8]) -> bool) -> Result<bool, StoreError> {
        const BLOCK: usize = 1 << 20;
        const OVERLAP: usize = 1024;
        let _stay = Stay::enter();
        let pool = lock_of(&self.pool);
        let Some(guard) = &pool.guard else {
            return Err(StoreError::new(Code::StoreUnavailable, "the store is not open"));
        };
        let mut block = vec![0u8; BLOCK];
        let mut offset = 0u64;
        loop {
            let mut filled = 0;
            while filled < BLOCK {
                match guard.file().read_at(&mut block[filled..], offset + filled as u64) {
                    Ok(0) => break,
                    Ok(n) => filled += n,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(from_io(&error, &self.path, "read")),
                }
            }
            if is_it(&block[..filled]) {
                return Ok(true);
            }
            if filled < BLOCK {
                return Ok(false);
            }
            offset += (BLOCK - OVERLAP) as u64;
        }
    }

    /// See [`SideLock::stamp`].
    pub(super) fn stamp(&self) -> Result<Option<u64>, StoreError> {
        self.lock.as_ref().map_or(Ok(None), SideLock::stamp)
    }

    /// In a child: closes what the parent had open, without a write. False when a thread of the parent was inside: then
    /// nothing here may be touched, ever.
    ///
    /// A mutex that is locked here can only have been locked before the fork, for nobody in this process gets this far
    /// into a store that it inherited.
    pub(super) fn part_from_parent(&self) -> bool {
        let (Some(mut writer), Some(mut pool)) = (try_lock_of(&self.writer), try_lock_of(&self.pool)) else {
            return false;
        };
        if pool.lent > 0 {
            return false;
        }
        pool.closed = true;
        pool.idle.clear();
        *writer = None;
        pool.guard = None;
        if let Some(lock) = &self.lock {
            lock.let_go();
        }
        true
    }

    fn named(&self, error: StoreError) -> StoreError {
        StoreError { message: format!("{}: {}", shown(&self.path), error.message), ..error }
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        if (self.options.pid)() != self.pid {
            if !self.part_from_parent() {
                // INVARIANT: what another thread of the parent was using is left alone; the seat stays taken with it.
                let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
                std::mem::forget(writer.take());
                let pool = self.pool.get_mut().unwrap_or_else(PoisonError::into_inner);
                std::mem::forget((std::mem::take(&mut pool.idle), pool.guard.take(), pool.seat.take()));
            }
            return;
        }
        let _stay = Stay::enter();
        let pool = self.pool.get_mut().unwrap_or_else(PoisonError::into_inner);
        pool.idle.clear();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let whole = !self.suspect.load(Ordering::Acquire) && pool.guard.as_ref().is_some_and(|guard| guard.check().is_ok());
        match (writer, &self.lock) {
            // The side lock keeps our other processes from committing into a log that is being unlinked.
            (Some(writer), Some(lock)) if whole => match lock.acquire(self.options.busy_timeout.min(CLOSE_WAIT_MAX)) {
                Ok(_held) => {
                    pool.guard.iter().for_each(FileGuard::release);
                    connection::close_last(writer.conn);
                }
                Err(_) => drop(writer),
            },
            (writer, _) => drop(writer),
        }
        pool.guard = None;
        pool.seat = None;
    }
}

impl Desk<'_> {
    /// COMMIT, and the guard's check after it. See the head of `commit.rs` for what an error means.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        if let Err(error) = run(self.conn, "COMMIT") {
            let sure = surely_not_stored(&error, self.conn.is_autocommit());
            let detail = from_sqlite(error, "the commit failed");
            self.abandon();
            if sure {
                return Err(detail);
            }
            // After a failed fsync nobody knows what the disk holds; what SQLite believes of the file is not to be trusted.
            self.db.mark_suspect();
            return Err(StoreError::unknown(detail.message));
        }
        // ---- durable here, if the file is still ours ----
        self.db.check().map_err(|error| {
            StoreError::unknown(format!("it was committed, but perhaps into a file that is gone: {}", error.message))
        })
    }

    /// Rolls back what is open. When even that fails, the connection is not used again.
    pub(super) fn abandon(&self) {
        if !self.conn.is_autocommit() && run(self.conn, "ROLLBACK").is_err() {
            self.db.mark_suspect();
        }
    }
}

/// A connection for reading, given back when dropped.
pub(super) struct Lent<'d> {
    db: &'d Db,
    conn: Option<Connection>,
    /// Ends after the connection is back.
    _stay: Stay,
}

impl Lent<'_> {
    pub(super) fn conn(&self) -> Result<&Connection, StoreError> {
        self.conn.as_ref().ok_or_else(|| StoreError::internal("a connection was given back twice"))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if (self.db.options.pid)() != self.db.pid {
            // This thread was forked in the middle of a read.
            std::mem::forget(self.conn.take());
            return;
        }
        let mut pool = lock_of(&self.db.pool);
        // A transaction that is still open here was left by a panic; such a connection is not used again.
        if let Some(conn) = self.conn.take()
            && conn.is_autocommit()
            && pool.idle.len() < self.db.options.readers_kept_max
            && !pool.closed
        {
            pool.idle.push(conn);
        }
        pool.lent = pool.lent.saturating_sub(1);
        drop(pool);
        self.db.returned.notify_all();
    }
}

fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock_of<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The file's true path, made if it may be; says whether it was made.
fn locate(path: &Path, options: &OpenOptions) -> Result<(PathBuf, bool), StoreError> {
    let mut created = false;
    if options.create && !options.read_only && !path.exists() {
        // Our own mode from the first instant: the file holds what others may not read. SQLite gives its side files the same.
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(_) => created = true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(from_io(&error, path, "make the store")),
        }
    }
    // SQLite names the log after the path that has no symbolic links; so do the lock and the guard.
    match fs::canonicalize(path) {
        Ok(path) => Ok((path, created)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(StoreError::new(Code::StoreUnavailable, format!("there is no store at {}", shown(path))))
        }
        Err(error) => Err(from_io(&error, path, "find the store")),
    }
}

fn identify(path: &Path) -> Result<FileId, StoreError> {
    let metadata = fs::metadata(path).map_err(|e| from_io(&e, path, "examine"))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "no regular file" };
        return Err(StoreError::new(
            Code::StoreUnavailable,
            format!("{} is {what}, where the store's file belongs", shown(path)),
        ));
    }
    Ok(FileId::of(&metadata))
}

/// Refuses a log that is another file's: one beside a file that keeps none. A copy that `hos backup` made keeps none until it is opened,
/// and is put in the place of a store whose process was killed; SQLite would play that store's log into it.
///
/// A file of ours comes to no such state: what turns its log on says so in its header, durably, before the log holds anything.
fn check_log(guard: &FileGuard, path: &Path) -> Result<(), StoreError> {
    if guard.wal_bytes() == 0 || !guard.keeps_no_log() {
        return Ok(());
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Err(StoreError::integrity(format!(
        "{} is the log of another file: {} keeps none, as a copy keeps none; move the log away before the copy is opened, with the \
         file it was of",
        shown(Path::new(&log)),
        shown(path)
    )))
}

/// Refuses what is not an SQLite file, and one that was cut short: SQLite reads what is missing as zeros.
fn check_header(guard: &FileGuard, path: &Path) -> Result<(), StoreError> {
    let size = || guard.file().metadata().map(|found| found.len()).map_err(|e| from_io(&e, path, "examine"));
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    // While a log is there, a checkpoint may not have been finished when the power failed: the file lawfully lags behind, and its first
    // page may be torn. What it says is in the log; SQLite judges what they come to together.
    if size()? == 0 || guard.wal_bytes() > 0 || Path::new(&journal).exists() {
        return Ok(());
    }
    let mut header = [0u8; 32];
    let read = guard.file().read_at(&mut header, 0).map_err(|e| from_io(&e, path, "read"))?;
    if read < header.len() || !header.starts_with(MAGIC) {
        return Err(StoreError::integrity(format!("{} is not an SQLite file, so it is no store", shown(path))));
    }
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65536,
        bytes => bytes.max(1),
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    // Asked behind the header: who closed the file last may have brought the log into it since, and made it longer by that.
    let size = size()?;
    if (size % page != 0 || size < pages * page) && guard.wal_bytes() == 0 {
        let message = format!("{} was cut short: it has {size} bytes where {pages} pages of {page} belong", shown(path));
        return Err(StoreError::integrity(message));
    }
    Ok(())
}

/// Makes a new file's name durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    fs::File::open(directory).and_then(|d| d.sync_all()).map_err(|e| from_io(&e, directory, "make a name durable in"))
}
