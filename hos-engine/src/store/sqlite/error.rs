//! Errors of SQLite and of the file system, as codes of H-OS.

use std::io;
use std::path::Path;

use hos_core::id::Shown;
use hos_core::refusal::Code;
use nix::errno::Errno;
use rusqlite::ffi;

use crate::store::StoreError;

/// What SQLite said, while `doing` something, as an error of the store.
pub(super) fn from_sqlite(error: rusqlite::Error, doing: &str) -> StoreError {
    let (code, detail) = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => (code_of(failure.extended_code), extended(failure.extended_code)),
        rusqlite::Error::SqlInputError { error: failure, .. } => {
            (code_of(failure.extended_code), extended(failure.extended_code))
        }
        // What a row held was not of the type that the statement promised.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::QueryReturnedNoRows => (Code::StoreIntegrity, String::new()),
        rusqlite::Error::InvalidPath(_) | rusqlite::Error::NulError(_) => (Code::StoreUnavailable, String::new()),
        _ => (Code::Internal, String::new()),
    };
    StoreError::new(code, format!("{doing}: {}{detail}", Shown(&error.to_string())))
}

fn extended(code: i32) -> String {
    match code {
        // SQLite's own words are of a disk that fails.
        ffi::SQLITE_IOERR_SHMSIZE => format!(" (SQLite {code}: the index of the write-ahead log found no room to grow)"),
        _ => format!(" (SQLite {code})"),
    }
}

/// The code for one of SQLite's extended result codes.
///
/// This is right for errors of statements, which SQLite undoes; an error from COMMIT is judged in `commit.rs`.
pub(super) fn code_of(extended: i32) -> Code {
    match extended {
        // The file at our path is not the file that we opened.
        ffi::SQLITE_READONLY_DBMOVED => return Code::StoreIntegrity,
        // The file system says that the bytes are not what was written, or the file ends inside a page.
        ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_SHORT_READ => return Code::StoreIntegrity,
        // The log's index grows by a byte that is written to each of its new pages. Why such a write fails SQLite does not look, as
        // it does with pages of its own; but it fails for want of room: SQLite's documents name no other cause.
        ffi::SQLITE_IOERR_SHMSIZE => return Code::StoreFull,
        // What SQLite made of a stored number is none any more that a column takes: the next place of a queue, behind the last there
        // is. Nobody comes that far by writing rows one by one.
        ffi::SQLITE_CONSTRAINT_DATATYPE => return Code::StoreIntegrity,
        _ => {}
    }
    match extended & 0xff {
        // PROTOCOL: the race for the WAL's locks was lost too many times.
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => Code::StoreBusy,
        ffi::SQLITE_FULL => Code::StoreFull,
        ffi::SQLITE_READONLY => Code::StoreReadOnly,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => Code::StoreIntegrity,
        ffi::SQLITE_IOERR
        | ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_PERM
        | ffi::SQLITE_AUTH
        | ffi::SQLITE_NOMEM
        | ffi::SQLITE_INTERRUPT
        | ffi::SQLITE_ABORT
        | ffi::SQLITE_NOLFS => Code::StoreUnavailable,
        // Wrong SQL, a broken constraint, a wrong type, misuse: ours, never the user's.
        _ => Code::Internal,
    }
}

/// Whether an error from COMMIT means that nothing was stored. Everything not listed may come after the commit frame was
/// written whole, and a recovery would find it.
pub(super) fn surely_not_stored(error: &rusqlite::Error, autocommit: bool) -> bool {
    match extended_code(error).map(|code| code & 0xff) {
        // The transaction is still open: COMMIT did not begin to write.
        Some(ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_CONSTRAINT) => !autocommit,
        // The write of a page failed for want of room, and the commit frame is the last that is written. (A failed fsync
        // is an I/O error, even where its cause is a full disk.)
        Some(ffi::SQLITE_FULL) => true,
        _ => false,
    }
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.extended_code),
        rusqlite::Error::SqlInputError { error: failure, .. } => Some(failure.extended_code),
        _ => None,
    }
}

/// What the file system said about a path, while `doing` something that writes.
pub(super) fn from_io(error: &io::Error, path: &Path, doing: &str) -> StoreError {
    let code = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EACCES | Errno::EPERM | Errno::EROFS) => Code::StoreReadOnly,
        Some(Errno::ENOSPC | Errno::EDQUOT) => Code::StoreFull,
        _ => Code::StoreUnavailable,
    };
    StoreError::new(code, format!("cannot {doing} {}: {}", shown(path), Shown(&error.to_string())))
}

/// What `nix` said about a path.
pub(super) fn from_errno(error: Errno, path: &Path, doing: &str) -> StoreError {
    from_io(&io::Error::from_raw_os_error(error as i32), path, doing)
}

/// A path in backticks, escaped.
pub(super) fn shown(path: &Path) -> String {
    format!("`{}`", Shown(&path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_code() {
        for (extended, code) in [
            (ffi::SQLITE_BUSY, Code::StoreBusy),
            (ffi::SQLITE_BUSY_SNAPSHOT, Code::StoreBusy),
            (ffi::SQLITE_FULL, Code::StoreFull),
            (ffi::SQLITE_IOERR_SHMSIZE, Code::StoreFull),
            (ffi::SQLITE_IOERR_SHMOPEN, Code::StoreUnavailable),
            (ffi::SQLITE_READONLY_DIRECTORY, Code::StoreReadOnly),
            (ffi::SQLITE_READONLY_DBMOVED, Code::StoreIntegrity),
            (ffi::SQLITE_CORRUPT_VTAB, Code::StoreIntegrity),
            (ffi::SQLITE_NOTADB, Code::StoreIntegrity),
            (ffi::SQLITE_IOERR_SHORT_READ, Code::StoreIntegrity),
            (ffi::SQLITE_IOERR_WRITE, Code::StoreUnavailable),
            (ffi::SQLITE_CANTOPEN, Code::StoreUnavailable),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, Code::Internal),
            (ffi::SQLITE_CONSTRAINT_DATATYPE, Code::StoreIntegrity),
            (ffi::SQLITE_ERROR, Code::Internal),
        ] {
            assert_eq!(code_of(extended), code, "{extended}");
        }
    }

    #[test]
    fn errors_of_the_file_system_have_theirs() {
        for (errno, code) in [
            (Errno::EACCES, Code::StoreReadOnly),
            (Errno::EROFS, Code::StoreReadOnly),
            (Errno::ENOSPC, Code::StoreFull),
            (Errno::EDQUOT, Code::StoreFull),
            (Errno::EIO, Code::StoreUnavailable),
            (Errno::ENOENT, Code::StoreUnavailable),
        ] {
            assert_eq!(from_errno(errno, Path::new("a\u{1b}b"), "open").code, code);
        }
        assert!(from_errno(Errno::EIO, Path::new("a\u{1b}b"), "open").message.starts_with("cannot open `a\\u{1b}b`: "));
    }

    fn sqlite_error(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn only_errors_from_before_the_commit_frame_mean_not_stored() {
        for (code, autocommit, sure) in [
            (ffi::SQLITE_BUSY, false, true),
            (ffi::SQLITE_BUSY, true, false),
            (ffi::SQLITE_FULL, true, true),
            (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, false, true),
            (ffi::SQLITE_IOERR_FSYNC, true, false),
            (ffi::SQLITE_IOERR_WRITE, true, false),
            (ffi::SQLITE_IOERR_SHMSIZE, true, false),
            (ffi::SQLITE_NOMEM, true, false),
            (ffi::SQLITE_CORRUPT, true, false),
        ] {
            assert_eq!(surely_not_stored(&sqlite_error(code), autocommit), sure, "{code}");
        }
    }
}
