//! Laws by hash: those of the store, compiled once a process; and reading a law's directory.

use crate::Failure;
use crate::store::sql::law as sql;
use crate::store::sqlite::Tx;
use hos_core::id::LawHash;
use hos_core::law::Law;
use hos_core::refusal::Code;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// No law has more files, and no file is read that is larger: the loader's own bounds stand behind these.
const FILES_MAX: usize = 1024;
const FILE_BYTES_MAX: u64 = 8 << 20;

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
        let row = tx
            .row(&sql::law(hash))?
            .ok_or_else(|| Failure::new(Code::StoreIntegrity, format!("the store lacks the law {hash}")))?;
        let law = Law::load(sql::files_from(&row, 0)?).map_err(|faults| Failure {
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

/// The files of a law's directory, as [`Law::load`] takes them.
pub fn read_law_files(root: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
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
            if meta.len() > FILE_BYTES_MAX || files.len() >= FILES_MAX {
                return Err(Failure::new(
                    Code::LawInvalid,
                    format!("{}: too large, or too many files, for a law", path.display()),
                ));
            }
            files.push((inside, std::fs::read(&path).map_err(|e| unreadable(&path, &e))?));
        }
    }
    files.sort();
    Ok(files)
}

/// Reads and loads a law's directory; a fault is a [`Failure`] with all faults.
pub fn load_law(root: &Path) -> Result<Law, Failure> {
    Law::load(read_law_files(root)?).map_err(|faults| {
        let message = format!("{}: {} fault(s)", root.display(), faults.len());
        Failure { faults, ..Failure::new(Code::LawInvalid, message) }
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::LawInvalid, format!("{}: {error}", path.display()))
}
