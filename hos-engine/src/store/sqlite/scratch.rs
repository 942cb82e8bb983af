//! A file for what is more than memory should hold: SQLite's own temporary one, which has no name and goes with its connection.
//!
//! It lies where SQLite puts temporary files (<https://www.sqlite.org/tempfiles.html>: `SQLITE_TMPDIR`, `TMPDIR`, `/var/tmp`, …), and
//! nothing of it is meant to outlive the process: no journal, nothing forced to the disk.

use hos_core::id::Shown;
use hos_core::refusal::Code;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::error::code_of;
use crate::store::StoreError;

/// How much of it SQLite keeps in memory, in KiB.
const CACHE_KIB: i32 = 4 << 10;

/// Rows of a key and a value.
pub(crate) struct Scratch {
    conn: Connection,
    /// What shows all of them.
    all: &'static str,
}

impl Scratch {
    /// Of rows that are looked for by their keys.
    pub(crate) fn by_key() -> Result<Self, StoreError> {
        let table = "CREATE TABLE kept (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
        Self::with(table, "SELECT key, value FROM kept ORDER BY key")
    }

    /// Of rows that are written one after the other, and read in the order of their keys.
    pub(crate) fn to_sort() -> Result<Self, StoreError> {
        let table = "CREATE TABLE kept (key BLOB NOT NULL, value BLOB NOT NULL)";
        Self::with(table, "SELECT key, value FROM kept ORDER BY key, rowid")
    }

    fn with(table: &str, all: &'static str) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let made = || {
            let conn = Connection::open_with_flags("", flags | OpenFlags::SQLITE_OPEN_EXRESCODE)?;
            conn.pragma_update(None, "journal_mode", "OFF")?;
            conn.pragma_update(None, "synchronous", "OFF")?;
            conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
            conn.execute_batch(table)?;
            Ok(conn)
        };
        Ok(Self { conn: made().map_err(failed)?, all })
    }

    /// Puts rows there; where rows are looked for by their keys, in the place of earlier ones.
    pub(crate) fn put<'r>(&self, rows: impl Iterator<Item = (&'r [u8], &'r [u8])>) -> Result<(), StoreError> {
        let put = || {
            self.conn.execute_batch("BEGIN")?;
            let mut statement = self.conn.prepare_cached("INSERT OR REPLACE INTO kept (key, value) VALUES (?1, ?2)")?;
            for (key, value) in rows {
                statement.execute(params![key, value])?;
            }
            self.conn.execute_batch("COMMIT")
        };
        put().map_err(failed)
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.value("SELECT value FROM kept WHERE key = ?1", key)
    }

    /// The value of a key, which it has no longer.
    pub(crate) fn take(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.value("DELETE FROM kept WHERE key = ?1 RETURNING value", key)
    }

    fn value(&self, statement: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = || self.conn.prepare_cached(statement)?.query_row([key], |row| row.get(0)).optional();
        found().map_err(failed)
    }

    /// Takes a key's value away.
    pub(crate) fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        let removed = || self.conn.prepare_cached("DELETE FROM kept WHERE key = ?1")?.execute([key]);
        removed().map(drop).map_err(failed)
    }

    /// Shows all rows, by ascending key; of equal keys, as they were put there.
    pub(crate) fn each<E: From<StoreError>>(&self, mut see: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        let failed = |e| E::from(failed(e));
        let mut statement = self.conn.prepare(self.all).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let blob = |at| row.get_ref(at).and_then(|value| value.as_blob().map_err(Into::into));
            see(blob(0).map_err(failed)?, blob(1).map_err(failed)?)?;
        }
        Ok(())
    }
}

/// Whatever is wrong with such a file, the store is as it was.
fn failed(error: rusqlite::Error) -> StoreError {
    let code = match &error {
        rusqlite::Error::SqliteFailure(failure, _) if code_of(failure.extended_code) == Code::StoreFull => Code::StoreFull,
        _ => Code::StoreUnavailable,
    };
    let why = Shown(&error.to_string()).to_string();
    StoreError::new(
        code,
        format!("a temporary file cannot be written or read: {why}; make room where TMPDIR says, or allow more memory"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn a_broken_temporary_file_is_no_broken_store() {
        let said = |code| failed(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).code;
        assert_eq!(said(ffi::SQLITE_FULL), Code::StoreFull);
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_CANTOPEN] {
            assert_eq!(said(code), Code::StoreUnavailable, "{code}");
        }
    }

    #[test]
    fn rows_are_found_by_their_keys_until_they_are_taken() {
        let scratch = Scratch::by_key().unwrap();
        let rows: [(&[u8], &[u8]); 3] = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")];
        scratch.put(rows.into_iter()).unwrap();
        assert_eq!(scratch.get(b"a").unwrap().as_deref(), Some(&b"3"[..]), "the later one");
        assert_eq!(scratch.take(b"a").unwrap().as_deref(), Some(&b"3"[..]));
        scratch.remove(b"b").unwrap();
        assert_eq!((scratch.get(b"a").unwrap(), scratch.take(b"b").unwrap()), (None, None));
    }
}
