//! Deleted rows taken off the disk: the write-ahead log emptied, and the file rebuilt where it still holds their bytes.
//!
//! What a disk, a file system with copies of its own, or a swap file keeps is beyond this; so are backups.

use super::connection::run;
use super::error::from_sqlite;
use super::{Runner, SqliteStore};
use crate::store::StoreError;
use hos_core::refusal::Code;

/// The longest text that is searched for: blocks of the file overlap by more.
const NEEDLE_MAX: usize = 1000;

impl<R: Runner> SqliteStore<R> {
    /// Sees to it that no file of the store holds any of these bytes: the write-ahead log is cut to nothing, and if the
    /// file holds them still (a page that was freed, split or merged), it is rebuilt.
    ///
    /// # Errors
    ///
    /// [`Code::StoreBusy`]: a read elsewhere keeps the write-ahead log, or the file; call again. [`Code::StoreIntegrity`]: a
    /// rebuilt file, which holds rows only, holds them: they stand in a row.
    pub fn scrub(&self, needles: &[Vec<u8>]) -> Result<(), StoreError> {
        self.empty_log()?;
        if !self.holds_any(needles)? {
            return Ok(());
        }
        self.alone(|desk| run(desk.conn, "VACUUM").map_err(|e| from_sqlite(e, "cannot rebuild the store")))?;
        self.empty_log()?;
        if self.holds_any(needles)? {
            return Err(StoreError::integrity("what was deleted still stands in a row of the store"));
        }
        Ok(())
    }

    fn empty_log(&self) -> Result<(), StoreError> {
        let busy = self.alone(|desk| {
            desk.conn
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
                .map_err(|e| from_sqlite(e, "cannot empty the store's write-ahead log"))
        })?;
        if busy == 0 {
            return Ok(());
        }
        Err(StoreError::new(Code::StoreBusy, "a read elsewhere keeps the store's write-ahead log; call again"))
    }

    fn holds_any(&self, needles: &[Vec<u8>]) -> Result<bool, StoreError> {
        let needles: Vec<&[u8]> = needles.iter().map(|n| n.get(..NEEDLE_MAX).unwrap_or(n)).filter(|n| !n.is_empty()).collect();
        let mut found = false;
        self.life()?.db.each_block(|block| found |= needles.iter().any(|needle| holds(block, needle)))?;
        Ok(found)
    }
}

fn holds(block: &[u8], needle: &[u8]) -> bool {
    let Some(last) = needle.last() else { return false };
    // The last byte is the most telling one: needles begin alike.
    let ends = block.iter().enumerate().skip(needle.len() - 1).filter(|(_, byte)| *byte == last);
    ends.into_iter().any(|(at, _)| block.get(at + 1 - needle.len()..=at) == Some(needle))
}
