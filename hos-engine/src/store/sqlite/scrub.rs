//! Deleted rows taken off the disk: the write-ahead log emptied, and the file rebuilt where it still holds their bytes.
//!
//! What a disk, a file system with copies of its own, or a swap file keeps is beyond this; so are backups.

use std::collections::HashMap;
use std::time::Duration;

use hos_core::refusal::Code;

use super::connection::run;
use super::db::Desk;
use super::error::from_sqlite;
use super::session::Session;
use super::{Runner, SqliteStore};
use crate::store::{StoreError, Tx};

/// The longest text that is searched for: blocks of the file overlap by more.
const NEEDLE_MAX: usize = 1000;
/// By so many of its last bytes a needle is looked up. Needles begin alike; their ends tell them apart.
const END: usize = 8;
/// How many places there are for ends: some tens of thousands of needles leave nearly all of them empty.
const PLACES_BITS: u32 = 20;

impl<R: Runner> SqliteStore<R> {
    /// Sees to it that no file of the store holds any of these bytes: the write-ahead log is cut to nothing, and if the
    /// file holds them still (a page that was freed, split or merged), it is rebuilt. Without needles nobody knows what was deleted, and
    /// it is rebuilt at once, unless `is_left` says that somebody else has done it meanwhile.
    ///
    /// A needle ends in bytes that no other row has, such as a handle or a digest; one that is shorter than these is not looked for.
    ///
    /// COMMIT POINT: that of `wiped`, a write in a transaction of its own. A crash one line before it leaves all to be done anew.
    ///
    /// # Errors
    ///
    /// [`Code::StoreBusy`]: a read elsewhere keeps the write-ahead log, or the file; call again. [`Code::StoreIntegrity`]: a
    /// rebuilt file, which holds rows only, holds them: they stand in a row.
    pub fn scrub(
        &self,
        needles: Option<&[Vec<u8>]>,
        is_left: &dyn Fn(&Tx<'_>) -> Result<bool, StoreError>,
        wiped: &dyn Fn(&Tx<'_>) -> Result<(), StoreError>,
        patient: bool,
    ) -> Result<(), StoreError> {
        // While it waits for a read that keeps the log, nobody writes.
        let patience = if patient { self.options.busy_timeout } else { Duration::ZERO };
        let empty_log = |desk: &mut Desk<'_>| empty_log(desk, patience, self.options.busy_timeout);
        self.alone(empty_log)?;
        let needles = needles.map(Needles::new);
        if let Some(needles) = &needles
            && !self.holds_any(needles)?
        {
            return self.alone(|desk| commit(desk, wiped));
        }
        self.alone(|desk| {
            // Many may have come for it at once; who waited here finds it done.
            if !is_left(&Tx::of(&Session::new(desk.conn)))? {
                return Ok(());
            }
            run(desk.conn, "VACUUM").map_err(|e| from_sqlite(e, "cannot rebuild the store"))?;
            empty_log(desk)?;
            commit(desk, wiped)
        })?;
        match &needles {
            Some(needles) if self.holds_any(needles)? => {
                Err(StoreError::integrity("what was deleted still stands in a row of the store"))
            }
            _ => Ok(()),
        }
    }

    fn holds_any(&self, needles: &Needles<'_>) -> Result<bool, StoreError> {
        self.life()?.db.any_block(|block| needles.is_in(block))
    }
}

fn empty_log(desk: &mut Desk<'_>, patience: Duration, usual: Duration) -> Result<(), StoreError> {
    let doing = "cannot empty the store's write-ahead log";
    desk.conn.busy_timeout(patience).map_err(|e| from_sqlite(e, doing))?;
    let busy = desk.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    desk.conn.busy_timeout(usual).map_err(|e| from_sqlite(e, doing))?;
    let busy = busy.map_err(|e| from_sqlite(e, doing))?;
    if busy == 0 {
        return Ok(());
    }
    Err(StoreError::new(Code::StoreBusy, "a read elsewhere keeps the store's write-ahead log; `hos work` tries again"))
}

/// A write in a transaction of its own.
fn commit(desk: &Desk<'_>, work: &dyn Fn(&Tx<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
    run(desk.conn, "BEGIN IMMEDIATE").map_err(|e| from_sqlite(e, "cannot begin"))?;
    let done = work(&Tx::of(&Session::new(desk.conn)));
    match done {
        Ok(()) => desk.commit(),
        Err(error) => {
            desk.abandon();
            Err(error)
        }
    }
}

/// What is looked for: all of it in one pass, however many there are.
struct Needles<'n> {
    /// A bit for each place that the end of a needle has: most bytes of a file end none of them.
    places: Vec<u64>,
    by_end: HashMap<[u8; END], Vec<&'n [u8]>>,
}

impl<'n> Needles<'n> {
    fn new(all: &'n [Vec<u8>]) -> Self {
        let mut needles = Self { places: vec![0; 1 << (PLACES_BITS - 6)], by_end: HashMap::new() };
        for needle in all {
            let needle = needle.get(..NEEDLE_MAX).unwrap_or(needle);
            let Some(end) = needle.last_chunk::<END>() else { continue };
            let (word, bit) = place(*end);
            if let Some(word) = needles.places.get_mut(word) {
                *word |= bit;
            }
            needles.by_end.entry(*end).or_default().push(needle);
        }
        needles
    }

    fn is_in(&self, block: &[u8]) -> bool {
        block.windows(END).enumerate().any(|(at, window)| {
            let Some(end) = window.first_chunk::<END>() else { return false };
            let (word, bit) = place(*end);
            self.places.get(word).is_some_and(|word| word & bit != 0) && self.ends_at(block, at + END, end)
        })
    }

    fn ends_at(&self, block: &[u8], at: usize, end: &[u8; END]) -> bool {
        let Some(before) = block.get(..at) else { return false };
        self.by_end.get(end).is_some_and(|needles| needles.iter().any(|needle| before.ends_with(needle)))
    }
}

/// The place of an end: which word, and which bit of it. The bytes are mixed, for most of what a file holds is alike.
fn place(end: [u8; END]) -> (usize, u64) {
    let mixed = u64::from_le_bytes(end).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACES_BITS);
    ((mixed >> 6) as usize, 1 << (mixed & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_found_wherever_they_stand_and_nothing_else_is() {
        let long = [vec![b'x'; NEEDLE_MAX - END], b"12345678".to_vec(), b"what comes behind".to_vec()].concat();
        let all = [b"tenant/one/aaaaaaaa".to_vec(), b"tenant/two/aaaaaaaa".to_vec(), long.clone(), b"short".to_vec()];
        let needles = Needles::new(&all);
        let (cut, _) = long.split_at(NEEDLE_MAX);
        for needle in [&all[0][..], &all[1][..], cut] {
            for before in [0, 1, 7, 4096] {
                let block = [&vec![0_u8; before][..], needle, b"behind"].concat();
                assert!(needles.is_in(&block), "{} after {before}", needle.escape_ascii());
                assert!(!needles.is_in(&block[before + 1..]), "its beginning is missing");
                assert!(!needles.is_in(&block[..before + needle.len() - 1]), "its end is missing");
            }
        }
        assert!(!needles.is_in(b"tenant/six/aaaaaaaa short") && !needles.is_in(b""));
        assert!(!Needles::new(&[]).is_in(&[0; 64]));
    }

    #[test]
    fn many_needles_are_looked_for_at_once() {
        let digest = |n: u64| format!("tenant/{:016x}", n.wrapping_mul(0x1234_5678_9abc_def1));
        let all: Vec<Vec<u8>> = (0..50_000).map(|n| digest(n).into_bytes()).collect();
        let needles = Needles::new(&all);
        let mut block = vec![0; 1 << 20];
        assert!(!needles.is_in(&block));
        let at = block.len() - all[0].len();
        block[at..].copy_from_slice(&all[49_999]);
        assert!(needles.is_in(&block));
    }
}
