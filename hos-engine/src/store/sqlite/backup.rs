//! Backups: a copy that is whole, proved before it gets its name.
//!
//! Copying the file misses what still lies in the write-ahead log. This goes through SQLite's backup interface, from one
//! snapshot: writers go on meanwhile, and what they write after the start is not in the copy. The snapshot keeps the
//! write-ahead log from being emptied, so the log grows by what is written during the backup.
//!
//! An unfinished copy holds rows as a finished one does. What a killed backup left of one is removed by the next backup of the same
//! name; who is still at one holds a lock for it ([`Claim`]).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hos_core::refusal::Code;
use nix::libc;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::db::{Db, sync_directory};
use super::error::{from_io, from_sqlite, shown};
use super::identity::FileId;
use crate::store::StoreError;

/// Pages copied between two calls of the progress function.
const PAGES_AT_ONCE: i32 = 512;
const RETRY_PAUSE: Duration = Duration::from_millis(5);
/// What lies beside an unfinished copy that somebody is at.
const HELD: &str = "-held";
/// What SQLite and a store may have beside an unfinished copy.
const BESIDE: [&str; 4] = ["-journal", "-wal", "-shm", "-lock"];

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
/// The name is the commit point: a crash before leaves at most files `<target>.partial-…`, which the next backup of this target
/// removes; a crash after leaves a whole and verified backup.
pub(super) fn backup(
    db: &Db,
    target: &Path,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    verify: &dyn Fn(&Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if fs::symlink_metadata(target).is_ok() {
        return Err(exists(target));
    }
    sweep(target);
    let (partial, file) = begun(target)?;
    copy(db, &partial.path, progress)?;
    file.sync_all().map_err(|e| from_io(&e, &partial.path, "make durable"))?;
    // Before `verify` opens the copy: two descriptors of one file in a process cost each other their locks.
    drop(file);
    verify(&partial.path)?;
    give_name(&partial.path, target)?;
    sync_directory(&fs::canonicalize(target).map_err(|e| from_io(&e, target, "find"))?)
}

/// A new file for a copy. What others are at stays as it is: in a container every process may have the same number.
fn begun(target: &Path) -> Result<(Partial, File), StoreError> {
    let mut number = 0u64;
    loop {
        let path = with(target, &format!(".partial-{}-{number}", std::process::id()));
        number += 1;
        let claim = match Claim::of(&path) {
            Ok(Some(claim)) => Some(claim),
            Ok(None) => continue,
            // Not every file system has locks; one that has none is not swept either.
            Err(_) => None,
        };
        match File::options().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return Ok((Partial { path, _claim: claim }, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(from_io(&error, &path, "make")),
        }
    }
}

/// Removes what backups of this target left that were ended before they had come to their end. What cannot be removed is in nobody's way.
fn sweep(target: &Path) {
    let Some(name) = target.file_name() else { return };
    let directory = target.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(directory) else { return };
    let found = entries.flatten().filter_map(|entry| partial_of(name.as_bytes(), entry.file_name().as_bytes()));
    for partial in found.collect::<BTreeSet<OsString>>() {
        let path = target.with_file_name(partial);
        if let Ok(claim @ Some(_)) = Claim::of(&path) {
            drop(Partial { path, _claim: claim });
        }
    }
}

/// The name of the unfinished copy of a target that a file is, or lies beside.
fn partial_of(target: &[u8], name: &[u8]) -> Option<OsString> {
    let rest = name.strip_prefix(target)?.strip_prefix(b".partial-")?;
    let ends = BESIDE.iter().chain([&HELD]).find_map(|ending| rest.strip_suffix(ending.as_bytes())).unwrap_or(rest);
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let mut numbers = ends.split(|byte| *byte == b'-');
    let is_ours = numbers.next().is_some_and(is_number) && numbers.next().is_some_and(is_number) && numbers.next().is_none();
    let named = name.get(..name.len() - rest.len() + ends.len()).filter(|_| is_ours)?;
    Some(OsString::from_vec(named.to_vec()))
}

/// The path with this behind it.
fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
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
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(to)),
        Err(error) => Err(from_io(&error, to, "name the backup")),
    }
}

fn exists(target: &Path) -> StoreError {
    StoreError::new(Code::StoreUnavailable, format!("{} exists already; a backup replaces nothing", shown(target)))
}

/// The unfinished copy; removed when dropped, unless it has got its name.
struct Partial {
    path: PathBuf,
    /// Ends after the files are gone.
    _claim: Option<Claim>,
}

impl Drop for Partial {
    fn drop(&mut self) {
        for ending in [""].iter().chain(&BESIDE) {
            // Most are not there.
            let _ = fs::remove_file(with(&self.path, ending));
        }
    }
}

/// The right to the name of an unfinished copy, or of a private one: a lock on a file of its own beside it, which the kernel takes back when its process
/// dies. The copy itself is SQLite's, whose locks go with any other descriptor of it that this process closes.
pub(super) struct Claim {
    path: PathBuf,
    _locked: File,
}

impl Claim {
    /// None where somebody else has it.
    pub(super) fn of(partial: &Path) -> io::Result<Option<Self>> {
        let path = with(partial, HELD);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = options.open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Who had it may have removed the file meanwhile: a lock on a file without a name keeps nobody out.
        let is_named = FileId::named(&path).is_ok_and(|named| file.metadata().is_ok_and(|ours| FileId::of(&ours) == named));
        Ok(is_named.then_some(Self { path, _locked: file }))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // INVARIANT: before the lock goes, so that whoever gets the lock of this file sees that it has no name any more.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_an_unfinished_copy_is_told_by_its_name() {
        let of = |name: &str| partial_of(b"b.db", name.as_bytes()).map(|name| name.into_string().unwrap());
        for ending in ["", "-journal", "-wal", "-shm", "-lock", "-held"] {
            assert_eq!(of(&format!("b.db.partial-12-0{ending}")).as_deref(), Some("b.db.partial-12-0"), "{ending}");
        }
        for other in ["b.db", "b.db.partial-", "b.db.partial-12", "b.db.partial-1-", "b.db.partial-1-0-x"] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!((of("a.db.partial-12-0"), of("b.db.partial-x-0"), of("b.db.partial-12-0-held-held")), (None, None, None));
    }

    #[test]
    fn a_name_is_claimed_once_until_it_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.db.partial-1-0");
        let claim = Claim::of(&path).unwrap();
        assert!(claim.is_some() && Claim::of(&path).unwrap().is_none());
        drop(claim);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(Claim::of(&path).unwrap().is_some());
    }
}
