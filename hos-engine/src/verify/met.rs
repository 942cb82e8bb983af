//! What a fold knows of the threads of a log that is not read from its beginning.

use hos_core::id::Handle;
use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Met {
    /// Threads that were met, and the first of their records that the fold has.
    met: HashMap<Handle, u64>,
    /// Records of the map of heads, which only a whole log can make anew.
    pub(super) maps: u64,
}

impl Met {
    /// Meets a thread, of which the fold has the records from this one on. Whether it is the first time.
    pub(super) fn meet(&mut self, thread: Handle, first: u64) -> bool {
        let known = self.met.contains_key(&thread);
        self.met.entry(thread).or_insert(first);
        !known
    }

    pub(super) fn has(&self, thread: &Handle) -> bool {
        self.met.contains_key(thread)
    }

    pub(super) fn covers(&self, thread: &Handle, n: u64) -> bool {
        self.met.get(thread).is_some_and(|first| n >= *first)
    }
}
