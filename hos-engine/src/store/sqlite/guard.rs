//! The guard: was our file touched behind our back?
//!
//! Three things break a store while SQLite notices nothing and goes on saying OK:
//!
//! - Somebody in this process opens and closes the file (another SQLite library, or a plain read). That drops our POSIX
//!   locks on it; then another process may empty and unlink the write-ahead log under us.
//! - The write-ahead log was unlinked so: what we commit goes into a file without a name.
//! - The store's own file was moved or replaced: the same.
//!
//! For the first, the guard keeps a record lock of its own on one byte of the file, far behind SQLite's, on a byte that no
//! other process uses. Whatever drops SQLite's locks drops this one too, and `F_OFD_GETLK` tells, whoever else has the
//! file open. For the others, the names' inodes are compared. All of it costs a few microseconds, before BEGIN and again
//! after COMMIT, before any answer.
//!
//! That is noticed; so that no harm is done until then, the guard also holds two of SQLite's own locks once more, by open file
//! descriptions of its own, which nobody's closing drops: the shared one on the file, without which another process believes
//! itself alone and unlinks the log, and the one on the log's index, without which whoever opens the file next begins that index
//! anew, under a commit that is being written.
//!
//! INVARIANT: closing the guard's descriptors drops SQLite's locks. They are closed only after every connection.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hos_core::refusal::Code;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::error::{from_errno, from_io, shown};
use super::identity::FileId;
use super::lock::record;
use crate::store::StoreError;

/// Far behind SQLite's lock bytes (1 GiB), and behind any page.
const BYTE_BASE: libc::off_t = 1 << 61;
/// Process ids are below this; processes of other namespaces with the same id take a byte further on.
const BYTE_STRIDE: libc::off_t = 1 << 32;
const BYTE_TRIES: libc::off_t = 64;

/// What each process that has the file open locks of it for reading: (first byte, bytes), from SQLite's file format.
const SHARED: (libc::off_t, libc::off_t) = (0x4000_0002, 510);
/// And of the log's index (`<store>-shm`).
const MAPPED: (libc::off_t, libc::off_t) = (128, 1);
/// The index's header, twice, and what it says of checkpoints and readers. Where the headers are zero, `isInit` among them, SQLite
/// makes the index from the log (SQLite's "WAL-mode file format", on the WAL-index).
#[cfg(any(target_os = "linux", target_os = "android"))]
const INDEX_HEADERS: usize = 136;

pub(super) struct FileGuard {
    file: File,
    path: PathBuf,
    wal: PathBuf,
    /// The log's index, open.
    index: Option<File>,
    id: FileId,
    wal_id: Option<FileId>,
    byte: Option<libc::off_t>,
}

impl FileGuard {
    /// Opens the file. The caller holds its seat, and nothing else of this process has it open.
    pub(super) fn open(path: &Path, write: bool) -> Result<Self, StoreError> {
        let doing = if write { "open for writing" } else { "open" };
        let file = File::options().read(true).write(write).open(path).map_err(|e| from_io(&e, path, doing))?;
        let metadata = file.metadata().map_err(|e| from_io(&e, path, "examine"))?;
        if metadata.nlink() > 1 {
            let message = format!("{} has several names (hard links); the write-ahead log belongs to one name only", shown(path));
            return Err(StoreError::new(Code::StoreUnavailable, message));
        }
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let (path, wal, id) = (path.to_owned(), PathBuf::from(wal), FileId::of(&metadata));
        Ok(Self { file, path, wal, index: None, id, wal_id: None, byte: None })
    }

    pub(super) fn id(&self) -> FileId {
        self.id
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The size of the write-ahead log in bytes; 0 where there is none.
    pub(super) fn wal_bytes(&self) -> u64 {
        fs::metadata(&self.wal).map_or(0, |m| m.len())
    }

    /// Starts to watch: locks our byte. INVARIANT: before the first connection takes any lock. A byte that was locked later would
    /// stand although SQLite's locks had been dropped before, and all would look whole that is not.
    pub(super) fn watch(&mut self, pid: u32) -> Result<(), StoreError> {
        for attempt in 0..BYTE_TRIES {
            let byte = BYTE_BASE + libc::off_t::from(pid) + attempt * BYTE_STRIDE;
            match fcntl(&self.file, FcntlArg::F_SETLK(&record(libc::F_WRLCK, byte, 1))) {
                Ok(_) => {
                    self.byte = Some(byte);
                    return Ok(());
                }
                Err(Errno::EACCES | Errno::EAGAIN) => {}
                Err(error) => return Err(from_errno(error, &self.path, "lock")),
            }
        }
        Err(StoreError::new(Code::StoreBusy, format!("too many processes have {} open", shown(&self.path))))
    }

    /// Remembers the write-ahead log that the first connection has open, once it has read: what is held keeps that log in place.
    /// False if that may not have been so all the while: then that log may be another one.
    pub(super) fn engage(&mut self) -> Result<bool, StoreError> {
        if cfg!(any(target_os = "linux", target_os = "android")) && self.index.is_none() || self.check_locks().is_err() {
            return Ok(false);
        }
        let metadata = fs::metadata(&self.wal).map_err(|e| from_io(&e, &self.wal, "examine"))?;
        self.wal_id = Some(FileId::of(&metadata));
        Ok(true)
    }

    /// Holds SQLite's locks for as long as this guard stands, from before the first connection. Why it cannot be, while that is so:
    /// somebody has what excludes them (busy), or a foreign hand of this process still has the files: it came before, and may
    /// believe itself alone (integrity).
    ///
    /// Only where the log is on already: to turn it on, SQLite must be alone.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn hold(&mut self) -> Result<Option<Code>, StoreError> {
        use std::os::unix::fs::{FileExt, OpenOptionsExt};
        let lock = |file: &File, kind, (start, length)| match fcntl(file, FcntlArg::F_OFD_SETLK(&record(kind, start, length))) {
            // Where there are no such locks, the rest of the guard stands alone.
            Ok(_) | Err(Errno::EINVAL | Errno::ENOLCK | Errno::ENOSYS | Errno::EOPNOTSUPP) => Ok(true),
            Err(Errno::EACCES | Errno::EAGAIN) => Ok(false),
            Err(error) => Err(from_errno(error, &self.path, "lock")),
        };
        if !lock(&self.file, libc::F_RDLCK, SHARED)? {
            return Ok(Some(Code::StoreBusy));
        }
        if self.index.is_none() {
            let path = self.index_path();
            let mode = self.file.metadata().map_err(|e| from_io(&e, &self.path, "examine"))?.mode() & 0o777;
            let mut how = File::options();
            how.read(true).write(true).create(true).truncate(false).mode(mode).custom_flags(libc::O_NOFOLLOW);
            let index = how.open(&path).map_err(|e| from_io(&e, &path, "open"))?;
            self.index = Some(index);
        }
        let Some(index) = &self.index else { return Ok(Some(Code::StoreBusy)) };
        let metadata = index.metadata().map_err(|e| from_io(&e, &self.path, "examine the index of"))?;
        // Before the index is touched: a foreign hand that has it mapped, and whose locks were dropped, would be killed by the next look
        // at it (SIGBUS).
        let is_alone = super::fork::is_child() || descriptors(&[self.id, FileId::of(&metadata)]) <= 2;
        if !is_alone {
            return Ok(Some(Code::StoreIntegrity));
        }
        // As SQLite does: who is the first to open the index begins it anew, for what it holds is of before a crash. SQLite cuts it; a
        // foreign hand of another process that has it mapped, and whose locks were dropped, would be killed by that.
        if lock(index, libc::F_WRLCK, MAPPED)? {
            index.write_all_at(&[0; INDEX_HEADERS], 0).map_err(|e| from_io(&e, &self.path, "begin the index of"))?;
        }
        if !lock(index, libc::F_RDLCK, MAPPED)? {
            return Ok(Some(Code::StoreBusy));
        }
        if FileId::at(&self.index_path()).ok() != Some(FileId::of(&metadata)) {
            // Somebody removed it between the two.
            self.index = None;
            return Ok(Some(Code::StoreBusy));
        }
        Ok(None)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn hold(&mut self) -> Result<Option<Code>, StoreError> {
        Ok(None)
    }

    /// Whether the file says of itself that it keeps no log, which the other bytes of a torn first page would not say.
    pub(super) fn keeps_no_log(&self) -> bool {
        self.versions() == Some([1, 1])
    }

    /// What the header says of how the file is written and read: 1 with a rollback journal, 2 with a log.
    fn versions(&self) -> Option<[u8; 2]> {
        use std::os::unix::fs::FileExt;
        let mut versions = [0; 2];
        self.file.read_exact_at(&mut versions, 18).is_ok().then_some(versions)
    }

    /// Whether the log is on, and no journal of before waits for somebody who is alone.
    pub(super) fn is_logged(&self) -> bool {
        let mut journal = self.path.as_os_str().to_owned();
        journal.push("-journal");
        // A first page that the power tore says nothing; a log that is there does, as it does to SQLite.
        let is_said = self.versions() == Some([2, 2]);
        (is_said || self.wal_bytes() > 0) && !Path::new(&journal).exists()
    }

    /// Lets go of what it holds besides SQLite, so that the last connection can empty and remove the log. Never in a child that was
    /// forked: its descriptions are its parent's.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn release(&self) {
        for (file, (start, length)) in std::iter::once((&self.file, SHARED)).chain(self.index.iter().map(|index| (index, MAPPED)))
        {
            // What stays locked keeps the log in place; the next opener reads it.
            let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&record(libc::F_UNLCK, start, length)));
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn release(&self) {}

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn index_path(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push("-shm");
        PathBuf::from(name)
    }

    /// Whether our locks on the file were dropped since the guard began to watch.
    fn check_locks(&self) -> Result<(), StoreError> {
        match self.byte {
            Some(byte) if !self.byte_is_locked(byte)? => Err(StoreError::integrity(format!(
                "something else in this process opened and closed {}, which dropped the locks of H-OS; the file belongs to H-OS alone",
                shown(&self.path)
            ))),
            _ => Ok(()),
        }
    }

    /// Whether the file and its log are whole and ours: locks, write-ahead log, name.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.check_locks()?;
        for (path, ours) in [(&self.wal, self.wal_id), (&self.path, Some(self.id))] {
            if ours.is_some() && FileId::at(path).ok() != ours {
                let message = format!("{} was removed or replaced while H-OS had it open", shown(path));
                return Err(StoreError::integrity(message));
            }
        }
        Ok(())
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn byte_is_locked(&self, byte: libc::off_t) -> Result<bool, StoreError> {
        // An open-file-description lock conflicts with the POSIX locks of its own process; a POSIX query would not see them.
        let mut probe = record(libc::F_WRLCK, byte, 1);
        fcntl(&self.file, FcntlArg::F_OFD_GETLK(&mut probe)).map_err(|e| from_errno(e, &self.path, "query the locks of"))?;
        Ok(i32::from(probe.l_type) != libc::F_UNLCK)
    }

    /// Elsewhere a process cannot ask for its own locks; the comparison of inodes alone stands guard.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn byte_is_locked(&self, _byte: libc::off_t) -> Result<bool, StoreError> {
        Ok(true)
    }
}

/// How many descriptors of this process are of these files; 0 where the system does not tell.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn descriptors(files: &[FileId]) -> usize {
    let Ok(all) = fs::read_dir("/proc/self/fd") else { return 0 };
    all.flatten().filter(|one| fs::metadata(one.path()).is_ok_and(|m| files.contains(&FileId::of(&m)))).count()
}
