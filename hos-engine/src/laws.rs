//! Laws by hash: those of the store, compiled once a process; and reading a law's directory.

use crate::Failure;
use crate::store::Tx;
use crate::store::sql::law as sql;
use hos_core::fault::{Fault, Severity};
use hos_core::id::LawHash;
use hos_core::law::Law;
use hos_core::law::files::role;
use hos_core::limits::{LAW_BYTES_MAX, LAW_FILE_BYTES_MAX, LAW_FILES_MAX};
use hos_core::refusal::Code;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Compiled laws, by hash.
#[derive(Default)]
pub(crate) struct Laws(Mutex<HashMap<LawHash, Arc<Law>>>);

impl Laws {
    pub(crate) fn keep(&self, law: Arc<Law>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(law.hash, law);
    }

    /// The law with this hash: compiled already, or from the store, where every law ever activated is kept.
    pub(crate) fn get(&self, tx: &Tx<'_>, hash: &LawHash) -> Result<Arc<Law>, Failure> {
        if let Some(law) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash) {
            return Ok(law.clone());
        }
        let asked = if tx.is_host() { sql::law(hash).latest() } else { sql::law(hash) };
        let row = tx.row(&asked)?.ok_or_else(|| Failure::new(Code::StoreIntegrity, format!("the store lacks the law {hash}")))?;
        // It was loaded when it was activated.
        let law = Law::load_again(sql::files_from(&row, 0)?, hash).map_err(|faults| Failure {
            faults,
            ..Failure::new(Code::StoreIntegrity, format!("the law {hash} of the store does not load"))
        })?;
        if law.hash != *hash {
            return Err(Failure::new(Code::StoreIntegrity, format!("the files kept as law {hash} are those of {}", law.hash)));
        }
        let law = Arc::new(law);
        self.keep(law.clone());
        Ok(law)
    }
}

/// The files of a law's directory, as [`Law::load`] takes them. The law's bounds are held before a file is read: what has more,
/// or is no regular file, is refused unread.
pub fn read_law_files(root: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    let mut total = 0;
    let mut folders = vec![(root.to_path_buf(), String::new(), 0usize)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|e| unreadable(&folder, &e))?;
        for entry in entries {
            let entry = entry.map_err(|e| unreadable(&folder, &e))?;
            let path = entry.path();
            let name = entry
                .file_name()
                .into_string()
                .map_err(|_| Failure::new(Code::LawInvalid, format!("{}: a name that is not UTF-8", path.display())))?;
            if name.starts_with('.') {
                continue;
            }
            let inside = format!("{prefix}{name}");
            let meta = std::fs::metadata(&path).map_err(|e| unreadable(&path, &e))?;
            if meta.is_dir() {
                if depth >= 4 {
                    return Err(Failure::new(Code::LawInvalid, format!("{}: folders nest too deep for a law", path.display())));
                }
                folders.push((path, format!("{inside}/"), depth + 1));
                continue;
            }
            if !meta.is_file() {
                return Err(Failure::new(Code::LawInvalid, format!("{}: not a regular file", path.display())));
            }
            if files.len() == LAW_FILES_MAX {
                return Err(beyond("law.file.too_many", "", format!("the law has more than {LAW_FILES_MAX} files")));
            }
            if role(&inside).is_none() {
                // The loader says that a law has no place for it; what it holds is nobody's business here.
                files.push((inside, Vec::new()));
                continue;
            }
            let bytes = read_bounded(&path).map_err(|e| unreadable(&path, &e))?;
            total += bytes.len();
            if bytes.len() > LAW_FILE_BYTES_MAX {
                return Err(beyond(
                    "law.file.too_large",
                    &inside,
                    format!("the file has {} bytes, at most {LAW_FILE_BYTES_MAX} are allowed", meta.len()),
                ));
            }
            if total > LAW_BYTES_MAX {
                return Err(beyond("law.file.total_too_large", "", format!("the law has more than {LAW_BYTES_MAX} bytes")));
            }
            files.push((inside, bytes));
        }
    }
    files.sort();
    Ok(files)
}

/// At most one byte more than a law's file may have, whatever its length was said to be.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LAW_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn beyond(code: &'static str, file: &str, message: String) -> Failure {
    let faults = vec![Fault::whole(code, Severity::Error, file, message)];
    Failure { faults, ..Failure::new(Code::LawInvalid, "the law is larger than a law may be; nothing more of it was read") }
}

/// Reads and loads a law's directory; a fault is a [`Failure`] with all faults.
pub fn load_law(root: &Path) -> Result<Law, Failure> {
    load_law_files(root, read_law_files(root)?)
}

/// Loads what was read of a directory.
pub(crate) fn load_law_files(root: &Path, files: Vec<(String, Vec<u8>)>) -> Result<Law, Failure> {
    Law::load(files).map_err(|faults| faulty(root, faults))
}

/// A law of this directory that does not load.
pub(crate) fn faulty(root: &Path, faults: Vec<Fault>) -> Failure {
    let message = format!("{}: {} fault(s)", root.display(), faults.len());
    Failure { faults, ..Failure::new(Code::LawInvalid, message) }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::LawInvalid, format!("{}: {error}", path.display()))
}
