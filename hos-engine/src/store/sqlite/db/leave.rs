//! All that is open, closed: to be opened anew, or for good, so that another engine of this process can have what lies there now.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hos_core::refusal::Code;

use super::{Db, Writer, lock_of};
use crate::store::StoreError;
use crate::store::sqlite::error::shown;
use crate::store::sqlite::fork::Stay;

impl Db {
    /// Closes the connections and the guard, once nobody reads any more. The seat stays taken, and nothing is lent.
    pub(super) fn shut(&self, writer: &mut Option<Writer>) -> Result<(), StoreError> {
        let mut pool = lock_of(&self.pool);
        let was_open = !std::mem::replace(&mut pool.closed, true);
        let until = Instant::now() + self.options.busy_timeout;
        // SQLite keeps one state of a file for a process: only when its last connection is gone does a new one take
        // locks of its own.
        while pool.lent > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                pool.closed = !was_open;
                let message = "the store must be opened anew, but reads that are under way do not end";
                return Err(StoreError::new(Code::StoreBusy, message));
            }
            pool = self.returned.wait_timeout(pool, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        pool.idle.clear();
        *writer = None;
        pool.guard = None;
        Ok(())
    }

    /// Closes the file for good and gives its seat back: who opens what lies there now may do so, and what is asked of this one is
    /// refused from here on.
    pub(in crate::store::sqlite) fn leave(&self) -> Result<(), StoreError> {
        let _stay = Stay::enter();
        let mut writer = lock_of(&self.writer);
        if self.has_left() {
            return Ok(());
        }
        self.shut(&mut writer)?;
        self.left.store(true, Ordering::Release);
        if let Some(lock) = &self.lock {
            lock.let_go();
        }
        // INVARIANT: given back last, for a descriptor of the file that is closed later drops the locks of who sits here next.
        lock_of(&self.pool).seat = None;
        self.returned.notify_all();
        Ok(())
    }

    pub(in crate::store::sqlite) fn has_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Whether what lies there was looked at, and is not what was answered from.
    pub(in crate::store::sqlite) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    pub(in crate::store::sqlite) fn set_lost(&self) {
        self.lost.store(true, Ordering::Release);
    }

    pub(in crate::store::sqlite) fn not_left(&self) -> Result<(), StoreError> {
        if !self.has_left() {
            return Ok(());
        }
        Err(StoreError::integrity(format!(
            "{} no longer holds what this engine has answered from, and was left to whoever opens it anew",
            shown(&self.path)
        )))
    }
}
