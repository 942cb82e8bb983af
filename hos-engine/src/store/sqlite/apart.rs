//! A private copy of a file that is to stay as it is: of an older one, of which somebody asks what only the present schema tells.

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::backup::Progress;
use super::error::from_io;
use super::options::{Older, OpenOptions};
use super::{Runner, SqliteStore};
use crate::store::StoreError;

/// A directory for one copy, where temporary files lie (`TMPDIR`). It goes with all that is in it.
pub(super) struct Private {
    path: PathBuf,
    pid: u32,
}

impl Private {
    fn new() -> Result<Self, StoreError> {
        let (place, pid) = (std::env::temp_dir(), std::process::id());
        let mut number = 0u64;
        loop {
            let path = place.join(format!("hos-copy-{pid}-{number}"));
            // Nobody else may look in: what was in the file only its owner may read.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, pid }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(from_io(&error, &path, "make")),
            }
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // A forked child has no part in it.
        if std::process::id() == self.pid {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

impl<R: Runner> SqliteStore<R> {
    /// Opens a copy of the file at this path, brought up to the schema, where temporary files lie. The file stays as it is, its
    /// write-ahead log too; whoever writes there meanwhile goes on, and what they write is not in the copy, which goes with the store.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`]; [`Code::StoreFull`](hos_core::refusal::Code::StoreFull): there is no room for a copy.
    pub fn open_apart(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self, StoreError> {
        let as_it_is = OpenOptions { create: false, read_only: true, older: Older::AsItIs, ..options.clone() };
        let file = Self::open(path, as_it_is)?;
        let private = Private::new()?;
        let copy = private.path.join("copy.db");
        file.backup(&copy, &mut |_: Progress| ControlFlow::Continue(()), &|_: &Path| Ok(())).map_err(|error| {
            let what = "an older store is looked at in a copy, where TMPDIR says";
            StoreError { message: format!("{what}: {}", error.message), ..error }
        })?;
        drop(file);
        let own = OpenOptions { create: false, read_only: false, older: Older::BroughtUp, ..options };
        let mut store = Self::open(&copy, own)?;
        store.private = Some(private);
        Ok(store)
    }

    /// Whether it is a copy that [`SqliteStore::open_apart`] made.
    pub fn is_apart(&self) -> bool {
        self.private.is_some()
    }
}
