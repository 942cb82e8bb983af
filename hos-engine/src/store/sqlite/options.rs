//! How a store's file is opened.

use std::time::Duration;

pub use crate::store::Migration;

/// What happens to the bytes of deleted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecureDelete {
    /// Overwritten with zeros wherever that costs no further I/O.
    Fast,
    /// Always overwritten with zeros.
    On,
}

/// What becomes of a file that lacks steps of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// It gets them. Where nothing may be written it is refused.
    BroughtUp,
    /// It is refused, and stays as it is.
    Refused,
    /// It is opened as it is, for who copies it; only with [`OpenOptions::read_only`].
    AsItIs,
}

/// How a store's file is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Makes the file if there is none. Without it a missing or empty file is an error.
    pub create: bool,
    /// Opens without writing into the file: no lock file, no migrations.
    pub read_only: bool,
    /// What becomes of a file whose schema is older. One whose schema is newer is refused.
    pub older: Older,
    /// The schema's steps, oldest first.
    pub schema: &'static [Migration],
    /// Stands in the file's header; tells our file from another program's, and a store from a vault.
    pub application_id: i32,
    /// How long to wait for other processes and for readers, at most.
    pub busy_timeout: Duration,
    /// What happens to the bytes of deleted rows.
    pub secure_delete: SecureDelete,
    /// How many jobs share one commit, at most (a batch counts as a whole and is never split).
    pub group_max: usize,
    /// How many connections for reading are kept open, at most.
    pub readers_kept_max: usize,
    /// After how many pages in the write-ahead log a commit moves them into the file.
    pub checkpoint_pages: u32,
    /// The largest file, in pages of 4096 bytes; 0: no limit of ours. A write beyond it is `hos.store_full`.
    pub file_pages_max: u32,
    /// The id of the running process. Tests give another one to play a fork.
    #[doc(hidden)]
    pub pid: fn() -> u32,
}

impl OpenOptions {
    /// The defaults of a store, for this schema and application id.
    pub fn new(application_id: i32, schema: &'static [Migration]) -> Self {
        Self {
            create: false,
            read_only: false,
            older: Older::BroughtUp,
            schema,
            application_id,
            busy_timeout: Duration::from_secs(10),
            secure_delete: SecureDelete::Fast,
            group_max: 256,
            readers_kept_max: 4,
            checkpoint_pages: 1000,
            file_pages_max: 0,
            pid: std::process::id,
        }
    }

    /// The same, but the file is made if there is none.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// The same, but nothing is written.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }
}
