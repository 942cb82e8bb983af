//! The only reader of seal keys: a file each.
//!
//! The file holds 64 hexadecimal digits (an Ed25519 seed) and nothing else, belongs to whoever runs the engine, and may be
//! read by nobody else.

use crate::Failure;
use crate::limits::SEAL_KEY_BYTES_MAX;
use crate::ports::Entropy;
use hos_core::id::Handle;
use hos_core::proof::key::SealKey;
use hos_core::refusal::Code;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

fn wrong(path: &Path, what: &str) -> Failure {
    Failure::new(Code::KeyInvalid, format!("{}: {what}", path.display()))
}

/// What the file system said of a key's file that could not be `done`: where the disk is full, or this user may not write, nothing
/// is wrong with the key.
fn unwritten(path: &Path, done: &str, error: &io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StoreFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Code::StoreReadOnly,
        _ => Code::KeyInvalid,
    };
    Failure::new(code, format!("{}: the key file cannot be {done}: {error}", path.display()))
}

/// Reads a seal key.
pub fn read_seal_key(path: &Path) -> Result<SealKey, Failure> {
    let mut file = std::fs::File::open(path).map_err(|e| wrong(path, &format!("the key file cannot be read: {e}")))?;
    let meta = file.metadata().map_err(|e| wrong(path, &e.to_string()))?;
    if !meta.is_file() || meta.len() > SEAL_KEY_BYTES_MAX {
        return Err(wrong(path, "this is no key file"));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(wrong(path, "the key file may be read by others; make it 0600"));
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(|_| wrong(path, "the key file is not text"))?;
    let digits = text.trim();
    let (Some(first), Some(second)) = (digits.get(..32).and_then(Handle::from_hex), digits.get(32..).and_then(Handle::from_hex))
    else {
        return Err(wrong(
            path,
            &format!("a seal key is 64 hexadecimal digits, this file has {} characters", digits.chars().count()),
        ));
    };
    let mut seed = Zeroizing::new([0u8; 32]);
    seed[..16].copy_from_slice(&first.0);
    seed[16..].copy_from_slice(&second.0);
    Ok(SealKey::from_seed(&seed))
}

/// Makes a seal key out of chance and writes it as [`write_seal_key`] does; the seed is nowhere else.
pub fn make_seal_key(path: &Path, entropy: &dyn Entropy) -> Result<SealKey, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(&mut seed[..])?;
    write_seal_key(path, &seed)
}

/// Writes a new seal key, readable by its owner alone; an existing file is never replaced.
///
/// COMMIT POINT: its name. A crash before leaves no key file, at most `<path>.partial-…`; when this returns, key and name are on the
/// disk: what is sealed with a key that the power takes can never be opened again.
pub fn write_seal_key(path: &Path, seed: &[u8; 32]) -> Result<SealKey, Failure> {
    // Threads of one process may write the same key file at once, each by a partial one of its own.
    static PARTIALS: AtomicU64 = AtomicU64::new(0);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".partial-{}-{}", std::process::id(), PARTIALS.fetch_add(1, Ordering::Relaxed)));
    let partial = PathBuf::from(name);
    let written =
        write_key_text(&partial, seed).and_then(|()| give_name(&partial, path, seed)).and_then(|()| sync_directory(path));
    // A partial file that was linked has two names; one that failed is of no use.
    let _ = std::fs::remove_file(&partial);
    written.map_err(|e| unwritten(path, "written", &e))?;
    Ok(SealKey::from_seed(seed))
}

fn write_key_text(path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in seed {
        text.push_str(&format!("{byte:02x}"));
    }
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A link replaces nothing. Where there are none, the file is written under its own name.
fn give_name(partial: &Path, path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    match std::fs::hard_link(partial, path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            write_key_text(path, seed)
        }
        linked => linked,
    }
}

/// Makes a key file that is there durable, and its name: who wrote it may have been cut short before that. Comes before anything is
/// sealed with a key that this process has not written itself.
pub fn settle_seal_key(path: &Path) -> Result<(), Failure> {
    let file = std::fs::File::open(path).map_err(|e| wrong(path, &format!("the key file cannot be read: {e}")))?;
    file.sync_all().and_then(|()| sync_directory(path)).map_err(|e| unwritten(path, "made durable", &e))
}

/// Makes the name of a file durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_whole_private_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k");
        let made = write_seal_key(&path, &[7; 32]).unwrap();
        let read = read_seal_key(&path).unwrap();
        assert_eq!(made.verify_key(), read.verify_key());
        assert_eq!(write_seal_key(&path, &[8; 32]).unwrap_err().code, Code::KeyInvalid);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_seal_key(&path).unwrap_err().message.contains("0600"));
        for (text, what) in [
            ("abcd", "64 hexadecimal"),
            ("", "64 hexadecimal"),
            (&"zz".repeat(32), "64 hexadecimal"),
            (&"ü".repeat(32), "64 hexadecimal"),
        ] {
            let bad = dir.path().join("bad");
            let _ = std::fs::remove_file(&bad);
            std::fs::write(&bad, text).unwrap();
            std::fs::set_permissions(&bad, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(read_seal_key(&bad).unwrap_err().message.contains(what), "{text}");
        }
        assert_eq!(read_seal_key(&dir.path().join("none")).unwrap_err().code, Code::KeyInvalid);
    }

    #[test]
    fn a_disk_that_is_full_is_no_fault_of_the_key() {
        for (kind, code) in [
            (io::ErrorKind::StorageFull, Code::StoreFull),
            (io::ErrorKind::QuotaExceeded, Code::StoreFull),
            (io::ErrorKind::PermissionDenied, Code::StoreReadOnly),
            (io::ErrorKind::ReadOnlyFilesystem, Code::StoreReadOnly),
            (io::ErrorKind::AlreadyExists, Code::KeyInvalid),
            (io::ErrorKind::NotFound, Code::KeyInvalid),
        ] {
            let failure = unwritten(Path::new("k"), "written", &kind.into());
            assert!(failure.code == code && failure.message.starts_with("k: the key file cannot be written: "), "{failure}");
        }
        let nowhere = tempfile::tempdir().unwrap().path().join("none/k");
        assert_eq!(settle_seal_key(&nowhere).unwrap_err().code, Code::KeyInvalid, "a key that is not there");
    }

    #[test]
    fn a_key_s_file_ends_at_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let read = |n: usize| {
            let path = dir.path().join(format!("{n}.key"));
            write_seal_key(&path, &[7; 32]).unwrap();
            let mut text = std::fs::read_to_string(&path).unwrap();
            text.push_str(&" ".repeat(n - text.len()));
            std::fs::write(&path, text).unwrap();
            read_seal_key(&path).map(drop).map_err(|failure| failure.code.as_str().to_owned())
        };
        assert_eq!(crate::limits::tried("SEAL_KEY_BYTES_MAX", read), Ok(()));
    }
}
