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
//! INVARIANT: closing the guard's descriptor drops SQLite's locks. It is closed only after every connection.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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

pub(super) struct FileGuard {
    file: File,
    path: PathBuf,
    wal: PathBuf,
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
            return Err(StoreError::new(hos_core::refusal::Code::StoreUnavailable, message));
        }
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let (path, wal, id) = (path.to_owned(), PathBuf::from(wal), FileId::of(&metadata));
        Ok(Self { file, path, wal, id, wal_id: None, byte: None })
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

    /// Starts to watch: locks our byte, and remembers the write-ahead log. The first connection is open and has read, so
    /// that its shared lock keeps that log in place.
    pub(super) fn engage(&mut self, pid: u32) -> Result<(), StoreError> {
        let metadata = fs::metadata(&self.wal).map_err(|e| from_io(&e, &self.wal, "examine"))?;
        self.wal_id = Some(FileId::of(&metadata));
        self.lock_byte(pid)
    }

    fn lock_byte(&mut self, pid: u32) -> Result<(), StoreError> {
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
        Err(StoreError::new(hos_core::refusal::Code::StoreBusy, format!("too many processes have {} open", shown(&self.path))))
    }

    /// Whether our locks on the file were dropped since the guard was engaged.
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
