//! What an agent signed last, by origin: durable before the signature is released.
//!
//! COMMIT POINT: the rename. A crash before it leaves the old head, and no signature was given for the new one; a crash after
//! it leaves the new head, whose signature may not have left: asking again for the same head gives it.

use hos_core::proof::checkpoint::Checkpoint;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// No head's file is longer.
const FILE_BYTES_MAX: u64 = 1024;

/// A directory with one file an origin, kept by one agent at a time.
pub(super) struct Memory {
    dir: PathBuf,
    _lock: File,
}

impl Memory {
    /// Opens the directory, or makes it; refused where another agent has it for so long.
    pub(super) fn open(dir: &Path, patience: Duration) -> Result<Self, String> {
        let at = |e: std::io::Error| format!("{}: {e}", dir.display());
        match std::fs::DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => sync_dir(dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))).map_err(at)?,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(at(e)),
        }
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(dir.join("lock")).map_err(at)?;
        let until = Instant::now() + patience;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { dir: dir.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::WouldBlock) => return Err(format!("{}: another agent keeps its state here", dir.display())),
                Err(TryLockError::Error(e)) => return Err(at(e)),
            }
        }
    }

    /// The file of an origin: pieces of lower-case letters, digits and hyphens, joined by slashes, and nothing else.
    fn path(&self, origin: &str) -> Option<PathBuf> {
        let sound =
            |piece: &str| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let fits = origin.len() <= 200 && origin.starts_with("hos/") && origin.split('/').all(sound);
        fits.then(|| self.dir.join(origin.replace('/', "+")))
    }

    /// Whether heads of this origin can be kept.
    pub(super) fn knows(&self, origin: &str) -> bool {
        self.path(origin).is_some()
    }

    /// The head signed last; what cannot be read is an error, never "nothing".
    pub(super) fn last(&self, origin: &str) -> Result<Option<Checkpoint>, String> {
        let path = self.path(origin).ok_or("no such origin")?;
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("{}: {e}", path.display())),
        };
        let mut text = String::new();
        Read::by_ref(&mut file)
            .take(FILE_BYTES_MAX + 1)
            .read_to_string(&mut text)
            .map_err(|e| format!("{}: {e}", path.display()))?;
        let head = Checkpoint::parse(&text).ok().filter(|head| head.origin == origin && head.extensions.is_empty());
        head.map(Some).ok_or_else(|| format!("{}: this is no head of `{origin}`", path.display()))
    }

    /// Keeps a head; when this returns it is on the disk.
    pub(super) fn keep(&self, head: &Checkpoint) -> Result<(), String> {
        let path = self.path(&head.origin).ok_or("no such origin")?;
        let fresh = path.with_extension("new");
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(head.text().as_bytes())?;
            file.sync_all()?;
            // ---- the commit point; see the head of this file ----
            std::fs::rename(&fresh, &path)?;
            sync_dir(&self.dir)
        };
        write().map_err(|e| format!("{}: {e}", path.display()))
    }
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}
