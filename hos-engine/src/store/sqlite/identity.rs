//! Which file a name stands for: device and inode, whatever its names.
//!
//! The guard asks this around every commit, and how it asks matters. Whoever reads a file's times makes the next write
//! take a fresh one (Linux since 6.13 does so for ext4, XFS and Btrfs): the write-ahead log's inode is then dirty at every
//! COMMIT, and every fsync waits for a commit of the file system's own journal. That is a third of the time of a lone
//! move. So nothing but the inode's number is asked for.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The file that a path leads to now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        look(path, true)
    }

    /// The file, or the symbolic link, that has this very name now.
    pub(super) fn named(path: &Path) -> io::Result<Self> {
        look(path, false)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn look(path: &Path, follow: bool) -> io::Result<FileId> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
    match statx(CWD, path, flags, StatxFlags::INO) {
        Ok(found) if found.stx_mask & StatxFlags::INO.bits() != 0 => {
            Ok(FileId { device: makedev(found.stx_dev_major, found.stx_dev_minor), inode: found.stx_ino })
        }
        // A kernel or a sandbox that lacks the call, or a file system that kept the number to itself.
        Ok(_) | Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => examined(path, follow),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn look(path: &Path, follow: bool) -> io::Result<FileId> {
    examined(path, follow)
}

fn examined(path: &Path, follow: bool) -> io::Result<FileId> {
    let metadata = if follow { std::fs::metadata(path) } else { std::fs::symlink_metadata(path) };
    metadata.map(|m| FileId::of(&m))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn both_ways_of_asking_agree_and_a_replaced_file_is_another() {
        let place = tempfile::tempdir().unwrap();
        let (path, link) = (place.path().join("file"), place.path().join("link"));
        let kept = fs::File::create(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let first = FileId::at(&path).unwrap();
        assert_eq!(first, FileId::of(&kept.metadata().unwrap()));
        for follow in [true, false] {
            assert_eq!(look(&link, follow).unwrap(), examined(&link, follow).unwrap());
        }
        assert_eq!(FileId::at(&link).unwrap(), first);
        assert_ne!(FileId::named(&link).unwrap(), first);
        fs::remove_file(&path).unwrap();
        assert_eq!(FileId::at(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        // The first one is still open, so that its number cannot be given to this one.
        fs::File::create(&path).unwrap();
        assert_ne!(FileId::at(&path).unwrap(), first);
    }
}
