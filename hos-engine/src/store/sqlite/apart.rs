//! A private copy of a file that is to stay as it is: of an older one, of which somebody asks what only the present schema tells.

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::backup::{Claim, Progress};
use super::error::from_io;
use super::options::{Older, OpenOptions};
use super::{Runner, SqliteStore};
use crate::store::StoreError;

/// How the name of a private directory begins; behind it stand two numbers.
const NAMED: &str = "hos-copy-";

/// A directory for one copy, where temporary files lie (`TMPDIR`). It goes with all that is in it.
pub(super) struct Private {
    path: PathBuf,
    pid: u32,
    /// Ends after the directory is gone.
    _claim: Option<Claim>,
}

impl Private {
    fn new() -> Result<Self, StoreError> {
        let (place, pid) = (std::env::temp_dir(), std::process::id());
        sweep(&place);
        let mut number = 0u64;
        loop {
            let path = place.join(format!("{NAMED}{pid}-{number}"));
            number += 1;
            let claim = match Claim::of(&path) {
                Ok(Some(claim)) => Some(claim),
                Ok(None) => continue,
                // Not every file system has locks; a directory on one that has none is not swept either.
                Err(_) => None,
            };
            // Nobody else may look in: what was in the file only its owner may read.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, pid, _claim: claim }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(told(from_io(&error, &path, "make"))),
            }
        }
    }
}

/// Removes what others left who were ended before they had come to their end. What cannot be removed is in nobody's way.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_private = |name: &str| {
        let numbers = name.strip_prefix(NAMED).and_then(|numbers| numbers.split_once('-'));
        numbers.is_some_and(|(pid, number)| is_number(pid) && is_number(number))
    };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_private)) {
        // No link to one, which leads where somebody else says.
        let is_there = entry.file_type().is_ok_and(|found| found.is_dir());
        if is_there && let Ok(claim @ Some(_)) = Claim::of(&entry.path()) {
            drop(Private { path: entry.path(), pid: std::process::id(), _claim: claim });
        }
    }
}

/// The same error, with why a copy is made at all.
fn told(error: StoreError) -> StoreError {
    let what = "an older store is looked at in a copy, where TMPDIR says";
    StoreError { message: format!("{what}: {}", error.message), ..error }
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
        file.backup(&copy, &mut |_: Progress| ControlFlow::Continue(()), &|_: &Path| Ok(())).map_err(told)?;
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
