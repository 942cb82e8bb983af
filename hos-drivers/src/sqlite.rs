//! An SQLite file that belongs to somebody else: the world's own, in which a store lies among the world's tables.
//!
//! The file's owner makes it and chooses its journal; neither is ever changed here. What is committed by a connection of ours
//! is synced in full, whatever the owner's connections do.
//!
//! **Two SQLite libraries in one process destroy each other's locks on a file** (POSIX drops all locks of a process as soon as
//! any descriptor of the file is closed). So a process whose own library joins a host's transactions, such as PHP's or Python's,
//! must not open that file by this connector too: `hos work` is a process of its own. Within Rust, all that links
//! `libsqlite3-sys` shares one library, and may.

use hos_core::id::Shown;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_engine::store::Sql;
use hos_engine::store::server::{ClientError, Connection, Connector, Several, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::sql::schema::APPLICATION_ID;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Error, OpenFlags, ffi};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Below this, two connections that reset the write-ahead log at once can corrupt the file.
const VERSION_MIN: i32 = 3_051_003;
const STATEMENTS_KEPT: usize = 128;

/// One file.
pub(crate) struct File {
    path: PathBuf,
}

impl File {
    /// `sqlite:///srv/shop.db`: what stands behind `sqlite://` is the path as it is. Nothing in it is decoded, and nothing split off.
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        match url.split_once("://") {
            // A relative path would be another file for each who is started elsewhere.
            Some((_, path)) if path.starts_with('/') => Ok(Self { path: path.into() }),
            _ => Err(Failure::new(
                Code::StoreUnavailable,
                format!("{}: an SQLite file is named by its absolute path, as in `sqlite:///srv/shop.db`", Shown(url)),
            )),
        }
    }

    fn refused(&self, trouble: Trouble, why: &str) -> ClientError {
        ClientError { trouble, message: format!("{}: {why}", self.shown()) }
    }
}

impl Connector for File {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn shown(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    fn connect(&self, patience: Duration) -> Result<Box<dyn Connection>, ClientError> {
        if rusqlite::version_number() < VERSION_MIN {
            let message = format!("SQLite {} is linked; 3.51.3 or newer is needed", rusqlite::version());
            return Err(ClientError { trouble: Trouble::Unavailable, message });
        }
        let named = |e: Error| self.refused(told(&e).trouble, &told(&e).message);
        // Made by its owner, never here: a name that is misspelt must not become a store.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let conn = rusqlite::Connection::open_with_flags(&self.path, flags).map_err(named)?;
        conn.busy_timeout(patience).map_err(named)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        configure(&conn).map_err(named)?;
        // SQLite opens what it may not write for reading, and says nothing.
        if conn.is_readonly("main").map_err(named)? {
            return Err(self.refused(Trouble::ReadOnly, "the file cannot be written by this user"));
        }
        let id: i32 = conn.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(named)?;
        if id == APPLICATION_ID {
            let why = "the file is a store of its own, and no database of a host's: name it by its path alone";
            return Err(self.refused(Trouble::Unavailable, why));
        }
        let opened = identity(&self.path).ok_or_else(|| self.refused(Trouble::Unavailable, "the file is gone"))?;
        Ok(Box::new(Sqlite { conn, path: self.path.clone(), opened, alive: true }))
    }
}

/// What holds for this connection alone. The journal's mode is a setting of the file, and its owner's.
fn configure(conn: &rusqlite::Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // FULL, and where the journal is a file that is deleted, its directory too: a journal that comes back with the power undoes
    // what was committed.
    conn.pragma_update(None, "synchronous", "EXTRA")?;
    // On Apple's systems fsync alone does not reach the medium; elsewhere these two do nothing.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    // Keys of persons lie in this file: what is deleted is overwritten.
    conn.pragma_update(None, "secure_delete", "ON")?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    // A mapped file turns an I/O error into a signal.
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "temp_store", "MEMORY")
}

/// Device and inode of what has this name now.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

struct Sqlite {
    conn: rusqlite::Connection,
    path: PathBuf,
    opened: (u64, u64),
    alive: bool,
}

impl Sqlite {
    fn failed(&mut self, error: &Error) -> ClientError {
        let told = told(error);
        self.alive &= !matches!(told.trouble, Trouble::Lost | Trouble::Unavailable | Trouble::Corrupt);
        told
    }
}

impl Connection for Sqlite {
    fn execute(&mut self, sql: &str, params: &[&Sql]) -> Result<usize, ClientError> {
        let changed = bound(&self.conn, sql, params).and_then(|mut statement| statement.raw_execute());
        changed.map_err(|e| self.failed(&e))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[&Sql],
        take: &mut dyn FnMut(Vec<Sql>) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let asked = bound(&self.conn, sql, params).and_then(|mut statement| {
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                let cells = (0..columns).map(|column| row.get_ref(column).map(cell)).collect::<Result<_, _>>()?;
                if take(cells).is_break() {
                    break;
                }
            }
            Ok(())
        });
        asked.map_err(|e| self.failed(&e))
    }

    fn say(&mut self, sql: &str) -> Result<(), ClientError> {
        // A file that was put in the place of ours (a backup that was restored) is another database; what is written to the old one
        // nobody will read again.
        if sql.starts_with("BEGIN") && identity(&self.path) != Some(self.opened) {
            self.alive = false;
            let message = "another file lies at the path now".to_owned();
            return Err(ClientError { trouble: Trouble::Lost, message });
        }
        let said = self.conn.execute_batch(sql);
        said.map_err(|e| {
            let unsure = sql == "COMMIT" && !surely_not_stored(&e, self.conn.is_autocommit());
            let told = self.failed(&e);
            self.alive &= !unsure;
            ClientError { trouble: if unsure { Trouble::Lost } else { told.trouble }, ..told }
        })
    }

    fn several(&mut self, _text: &str) -> Result<Several, ClientError> {
        // Nothing is won by it: there is nobody at the other end to wait for.
        Ok(Several::Unknown)
    }

    fn is_alive(&self) -> bool {
        // One in a transaction that nobody ended would write into it.
        self.alive && self.conn.is_autocommit()
    }
}

fn bound<'c>(conn: &'c rusqlite::Connection, sql: &str, params: &[&Sql]) -> rusqlite::Result<CachedStatement<'c>> {
    let mut statement = conn.prepare_cached(sql)?;
    for (place, value) in (1..).zip(params) {
        statement.raw_bind_parameter(place, value)?;
    }
    Ok(statement)
}

fn cell(value: ValueRef<'_>) -> Sql {
    match value {
        ValueRef::Null => Sql::Null,
        ValueRef::Integer(n) => Sql::Int(n),
        ValueRef::Blob(bytes) => Sql::Blob(bytes.to_vec()),
        // What is no UTF-8 is refused where it is read.
        ValueRef::Text(bytes) => String::from_utf8(bytes.to_vec()).map_or_else(|_| Sql::Raw(bytes.to_vec()), Sql::Text),
        // Our tables have no such columns.
        ValueRef::Real(_) => Sql::Raw(b"?".to_vec()),
    }
}

/// Whether an error of COMMIT says that nothing was stored. Everything else may come after the last page was written, and a recovery
/// would find it.
fn surely_not_stored(error: &Error, autocommit: bool) -> bool {
    match code(error) & 0xff {
        // The transaction is still open: COMMIT did not begin to write.
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_CONSTRAINT => !autocommit,
        // A page found no room, and the page that commits is the last that is written.
        ffi::SQLITE_FULL => true,
        _ => false,
    }
}

/// SQLite's extended code; 0 for what it did not say itself.
fn code(error: &Error) -> i32 {
    match error {
        Error::SqliteFailure(said, _) | Error::SqlInputError { error: said, .. } => said.extended_code,
        _ => 0,
    }
}

/// Whether SQLite says that a table or a column is not there: it has one code for all that is wrong with a statement.
pub(crate) fn is_missing(words: &str) -> bool {
    words.starts_with("no such table") || words.starts_with("no such column") || words.contains(" has no column named ")
}

/// What became of a statement. SQLite's messages name tables and columns, never values.
fn told(error: &Error) -> ClientError {
    let words = match error {
        Error::SqliteFailure(_, Some(words)) | Error::SqlInputError { msg: words, .. } => words.clone(),
        // The text of a statement is left out.
        Error::SqliteFailure(said, None) => said.to_string(),
        other => other.to_string(),
    };
    let code = code(error);
    let trouble = match (code, code & 0xff) {
        // The file was changed since this transaction began to read it: waiting is of no use.
        (ffi::SQLITE_BUSY_SNAPSHOT, _) => Trouble::Retry,
        (ffi::SQLITE_READONLY_DBMOVED, _) => Trouble::Lost,
        (ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_SHORT_READ, _) => Trouble::Corrupt,
        // What SQLite made of a stored number no longer fits: the next place of a queue behind the last there is.
        (ffi::SQLITE_CONSTRAINT_DATATYPE, _) => Trouble::Corrupt,
        (ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY, _) => Trouble::Duplicate,
        // PROTOCOL: the race for the locks of the write-ahead log was lost too many times.
        (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL) => Trouble::Busy,
        (_, ffi::SQLITE_FULL) => Trouble::Full,
        (_, ffi::SQLITE_READONLY) => Trouble::ReadOnly,
        (_, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB) => Trouble::Corrupt,
        (_, ffi::SQLITE_ERROR) if is_missing(&words) => Trouble::Missing,
        (
            _,
            ffi::SQLITE_CANTOPEN
            | ffi::SQLITE_PERM
            | ffi::SQLITE_AUTH
            | ffi::SQLITE_IOERR
            | ffi::SQLITE_NOMEM
            | ffi::SQLITE_NOLFS,
        ) => Trouble::Unavailable,
        _ => Trouble::Other,
    };
    ClientError { trouble, message: format!("{} (SQLite {code})", Shown(&words)) }
}
