//! Backups: a copy that is whole, proved before it gets its name.
//!
//! Copying the file misses what still lies in the write-ahead log. This goes through SQLite's backup interface, from one
//! snapshot: writers go on meanwhile, and what they write after the start is not in the copy. The snapshot keeps the
//! write-ahead log from being emptied, so the log grows by what is written during the backup.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hos_core::refusal::Code;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::db::{Db, sync_directory};
use super::error::{from_io, from_sqlite, shown};
use crate::store::StoreError;

/// Pages copied between two calls of the progress function.
const PAGES_AT_ONCE: i32 = 512;
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// How far a backup has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Pages copied so far.
    pub pages_done: u64,
    /// Pages in all.
    pub pages_total: u64,
}

/// Copies the store to `target`, which must not exist. The copy is made under another name in the same directory, made
/// durable, given to `verify`, and only then gets its name, never replacing a file.
///
/// The name is the commit point: a crash before leaves at most a file `<target>.partial-…`, a crash after leaves a whole
/// and verified backup.
pub(super) fn backup(
    db: &Db,
    target: &Path,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    verify: &dyn Fn(&Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if fs::symlink_metadata(target).is_ok() {
        return Err(exists(target));
    }
    let (partial, file) = begun(target)?;
    copy(db, &partial.path, progress)?;
    file.sync_all().map_err(|e| from_io(&e, &partial.path, "make durable"))?;
    // Before `verify` opens the copy: two descriptors of one file in a process cost each other their locks.
    drop(file);
    verify(&partial.path)?;
    give_name(&partial.path, target)?;
    sync_directory(&fs::canonicalize(target).map_err(|e| from_io(&e, target, "find"))?)
}

/// A new file for a copy. What others left, or are at, stays as it is: in a container every process may have the same number.
fn begun(target: &Path) -> Result<(Partial, File), StoreError> {
    let mut number = 0u64;
    loop {
        let mut name = target.as_os_str().to_owned();
        name.push(format!(".partial-{}-{number}", std::process::id()));
        let path = PathBuf::from(name);
        match File::options().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return Ok((Partial { path }, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(from_io(&error, &path, "make")),
        }
    }
}

fn copy(db: &Db, to: &Path, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<(), StoreError> {
    let doing = "the backup failed";
    let lent = db.lend()?;
    let source = lent.conn()?;
    // The snapshot: without it every commit of another connection would make the copy start again.
    let snapshot = source.unchecked_transaction().map_err(|e| from_sqlite(e, doing))?;
    let _: i64 =
        snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(|e| from_sqlite(e, doing))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut copy = Connection::open_with_flags(to, flags).map_err(|e| from_sqlite(e, doing))?;
    copy.pragma_update(None, "synchronous", "FULL").map_err(|e| from_sqlite(e, doing))?;
    {
        let steps = Backup::new(source, &mut copy).map_err(|e| from_sqlite(e, doing))?;
        let mut until = Instant::now() + db.options.busy_timeout;
        loop {
            match steps.step(PAGES_AT_ONCE).map_err(|e| from_sqlite(e, doing))? {
                StepResult::Done => break,
                StepResult::More => until = Instant::now() + db.options.busy_timeout,
                _ if Instant::now() >= until => {
                    return Err(StoreError::new(Code::StoreBusy, "the backup failed: the store stays locked"));
                }
                _ => thread::sleep(RETRY_PAUSE),
            }
            let state = steps.progress();
            let total = u64::try_from(state.pagecount).unwrap_or(0);
            let left = u64::try_from(state.remaining).unwrap_or(0);
            if progress(Progress { pages_done: total.saturating_sub(left), pages_total: total }).is_break() {
                return Err(StoreError::new(Code::StoreUnavailable, "the backup was stopped"));
            }
        }
        let total = u64::try_from(steps.progress().pagecount).unwrap_or(0);
        let _ = progress(Progress { pages_done: total, pages_total: total });
    }
    // One file that can be read from a medium that cannot be written; opening it for writing turns the log on again.
    let mode: String =
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0)).map_err(|e| from_sqlite(e, doing))?;
    if !mode.eq_ignore_ascii_case("delete") {
        // SQLite says so where the copy could not be read or written just now.
        return Err(StoreError::new(Code::StoreUnavailable, format!("{doing}: the copy stays in journal mode `{mode}`")));
    }
    copy.close().map_err(|(_, e)| from_sqlite(e, doing))?;
    drop(snapshot);
    // The pages came from our file only if it was ours all the while.
    db.check()
}

/// Gives the copy its name unless something has that name.
fn give_name(from: &Path, to: &Path) -> Result<(), StoreError> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use nix::errno::Errno;
        use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
        match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::EEXIST) => return Err(exists(to)),
            // Not every file system can; a link never replaces either.
            Err(Errno::EINVAL | Errno::ENOSYS) => {}
            Err(error) => return Err(super::error::from_errno(error, to, "name the backup")),
        }
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from).map_err(|e| from_io(&e, from, "remove the other name of the backup,")),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(to)),
        Err(error) => Err(from_io(&error, to, "name the backup")),
    }
}

fn exists(target: &Path) -> StoreError {
    StoreError::new(Code::StoreUnavailable, format!("{} exists already; a backup replaces nothing", shown(target)))
}

/// The unfinished copy; removed when dropped, unless it has got its name.
struct Partial {
    path: PathBuf,
}

impl Drop for Partial {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm", "-lock"] {
            let mut path = self.path.as_os_str().to_owned();
            path.push(suffix);
            // Most are not there.
            let _ = fs::remove_file(path);
        }
    }
}
