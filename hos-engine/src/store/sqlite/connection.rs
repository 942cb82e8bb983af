//! One connection: which SQLite, which settings, how it is closed.

use std::path::Path;

use hos_core::refusal::Code;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::from_sqlite;
use super::options::{OpenOptions, SecureDelete};
use crate::store::StoreError;

/// Below this, two connections that reset the write-ahead log at once can corrupt the file.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Prepared statements kept for each connection.
const STATEMENTS_KEPT: usize = 128;
/// A write-ahead log that has been emptied is cut to this size.
const WAL_KEPT_BYTES: i64 = 32 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
}

/// Refuses an SQLite that is known to lose data. The bundled one never is; a build that links the system's may.
pub(super) fn check_version() -> Result<(), StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        let message = format!("SQLite {} is linked; 3.51.3 or newer is needed", rusqlite::version());
        return Err(StoreError::new(Code::StoreVersion, message));
    }
    Ok(())
}

/// Opens a connection to a file that exists. `path` is absolute and free of symbolic links.
pub(super) fn open(path: &Path, role: Role, options: &OpenOptions) -> Result<Connection, StoreError> {
    let access = match role {
        Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE,
        // A reader writes nothing, but must be able to make the write-ahead log's index.
        Role::Reader if !options.read_only => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Role::Reader => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let doing = "cannot open the store";
    let conn = Connection::open_with_flags(path, flags).map_err(|e| from_sqlite(e, doing))?;
    // INVARIANT: from here on the connection can be dropped at any time, in any process, without a write: closing the last
    // connection to a file otherwise empties and unlinks the write-ahead log, by its name, whosever it is by then.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(|e| from_sqlite(e, doing))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(|e| from_sqlite(e, doing))?;
    // A statement's plan is that of its text. Otherwise every new bound of a range has it planned anew.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|e| from_sqlite(e, doing))?;
    conn.busy_timeout(options.busy_timeout).map_err(|e| from_sqlite(e, doing))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    configure(&conn, role, options).map_err(|e| from_sqlite(e, doing))?;
    Ok(conn)
}

fn configure(conn: &Connection, role: Role, options: &OpenOptions) -> rusqlite::Result<()> {
    // FULL: with NORMAL an acknowledged commit is lost with the power.
    conn.pragma_update(None, "synchronous", "FULL")?;
    // On Apple's systems fsync alone does not reach the medium; elsewhere these two do nothing.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    // A mapped file turns an I/O error into a signal, and a stray pointer into a write.
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // Threads lie all over their indexes: their pages come back sooner than SQLite's 2 MiB hold them.
    conn.pragma_update(None, "cache_size", -8192)?;
    conn.pragma_update(None, "secure_delete", if options.secure_delete == SecureDelete::On { "ON" } else { "FAST" })?;
    conn.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    conn.pragma_update(None, "wal_autocheckpoint", options.checkpoint_pages)?;
    if options.file_pages_max > 0 {
        conn.pragma_update(None, "max_page_count", options.file_pages_max)?;
    }
    if role == Role::Reader {
        conn.pragma_update(None, "query_only", true)?;
    }
    Ok(())
}

/// Turns the write-ahead log on; only for a file that is known to be ours.
pub(super) fn use_wal(conn: &Connection) -> Result<(), StoreError> {
    let mode: String = conn
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|e| from_sqlite(e, "cannot use a write-ahead log"))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    Err(StoreError::new(Code::StoreUnavailable, format!("a write-ahead log cannot be used here (the mode stays `{mode}`)")))
}

/// Makes what lies in the log durable, and moves it into the file. Only under the side lock, before anything else is done.
///
/// A process that was killed before its sync, and a sync that failed, leave commits in the log that whoever opens it reads, and
/// that may go with the power: the first are not on the disk yet; the second never will be, though they pass for clean, and what
/// is written behind them would go with them. So nothing may stand on what was read before it was moved: no answer, no
/// signature, no commit. Where others have the file open nothing of the kind is read, and their reading may keep some of the
/// log from being moved.
pub(super) fn settle(conn: &Connection) -> rusqlite::Result<()> {
    match conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        // The log is synced before the file grows; what finds no room in the file stays in the log.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => Ok(()),
        settled => settled,
    }
}

/// Closes the writer of a store that is whole: if nobody else has the file open, the write-ahead log goes into the file.
/// Only under the side lock, and only when the locks were never lost.
pub(super) fn close_last(conn: Connection) {
    // A failure leaves the log where it is; the next opener reads it.
    let _ = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
    drop(conn);
}

/// Runs the transaction's end or another statement without parameters, prepared once.
pub(super) fn run(conn: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.raw_execute().map(|_| ())
}
