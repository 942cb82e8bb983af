//! What a program did to its disk and what it told its callers, in the one order in which it happened, as `shim/disk.c` writes it.
//!
//! An entry: kind (1 byte), process (4), inode (8), offset (8), two lengths (4 each), two strings of bytes; numbers are little-endian.

use std::collections::BTreeMap;
use std::path::Path;

/// A file's number in a record. A name may be given to another file later; a number is not.
pub(crate) type FileNo = usize;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file was made, and got this name.
    Made { path: String, file: FileNo },
    /// Bytes were given to the kernel. Written down before it is done.
    Written { file: FileNo, at: u64, bytes: Vec<u8> },
    /// A file's length was set.
    Cut { file: FileNo, len: u64 },
    /// A sync of a file has ended that began at event `began`: what was written before that is on the disk.
    Synced { file: FileNo, began: usize },
    /// A sync of a directory has ended that began at event `began`: what happened to its names before that is on the disk.
    NamesSynced { dir: String, began: usize },
    /// A sync begins. It says nothing yet, and power may fail here as well.
    SyncBegun,
    /// A name was given to what had the other, which is gone.
    Renamed { from: String, to: String },
    /// A further name.
    Linked { from: String, to: String },
    /// A name was taken away.
    Unlinked { path: String },
    /// A line that the program told its callers.
    Told(String),
}

/// Reads a record.
pub(crate) fn read(path: &Path) -> Result<Vec<Event>, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    parse(&bytes)
}

/// The events of a record; refused where something happened for which there is no word.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let mut reader = Reader::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (entry, after) = Entry::split(rest).ok_or("the record is cut short")?;
        reader.take(&entry)?;
        rest = after;
    }
    Ok(reader.events)
}

struct Entry<'b> {
    kind: u8,
    pid: u32,
    inode: u64,
    number: u64,
    one: &'b [u8],
    other: &'b [u8],
}

impl<'b> Entry<'b> {
    fn split(bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (head, rest) = bytes.split_at_checked(29)?;
        let four = |at: usize| head[at..at + 4].try_into().ok().map(u32::from_le_bytes);
        let eight = |at: usize| head[at..at + 8].try_into().ok().map(u64::from_le_bytes);
        let (one, rest) = rest.split_at_checked(four(21)? as usize)?;
        let (other, rest) = rest.split_at_checked(four(25)? as usize)?;
        Some((Self { kind: head[0], pid: four(1)?, inode: eight(5)?, number: eight(13)?, one, other }, rest))
    }
}

#[derive(Default)]
struct Reader {
    events: Vec<Event>,
    /// Which file an inode is now: its number is given anew when the file is gone.
    files: BTreeMap<u64, FileNo>,
    count: FileNo,
    /// Syncs that have begun: process, inode, event.
    begun: Vec<(u32, u64, usize)>,
    directories: BTreeMap<u64, String>,
}

impl Reader {
    fn take(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "a name that is not UTF-8".to_owned());
        let (one, other) = (text(entry.one), text(entry.other));
        let event = match entry.kind {
            b'C' => {
                self.files.insert(entry.inode, self.count);
                self.count += 1;
                Event::Made { path: one?, file: self.count - 1 }
            }
            b'O' if entry.number == 1 => {
                self.directories.insert(entry.inode, one?);
                return Ok(());
            }
            b'O' => return self.file(entry, &one?).map(drop),
            b'W' => Event::Written { file: self.file(entry, "")?, at: entry.number, bytes: entry.one.to_vec() },
            b'T' => Event::Cut { file: self.file(entry, "")?, len: entry.number },
            b'S' => {
                self.begun.push((entry.pid, entry.inode, self.events.len()));
                Event::SyncBegun
            }
            b'E' => self.synced(entry)?,
            b'R' => Event::Renamed { from: one?, to: other? },
            b'L' => Event::Linked { from: one?, to: other? },
            b'U' => Event::Unlinked { path: one? },
            b'A' => Event::Told(one?.trim_end().to_owned()),
            _ => return Err(format!("`{}` was done to `{}`, which no crash is made of", one?, other?)),
        };
        self.events.push(event);
        Ok(())
    }

    /// Of several syncs of one file that are under way in a process, the one that began first: it promises least.
    fn synced(&mut self, entry: &Entry<'_>) -> Result<Event, String> {
        let of = |&(pid, inode, _): &(u32, u64, usize)| (pid, inode) == (entry.pid, entry.inode);
        let at = self.begun.iter().position(of).ok_or("a sync that ended and never began")?;
        let (.., began) = self.begun.remove(at);
        if entry.number == 1 {
            let dir = self.directories.get(&entry.inode).ok_or("a directory that nobody opened")?;
            return Ok(Event::NamesSynced { dir: dir.clone(), began });
        }
        Ok(Event::Synced { file: self.file(entry, "")?, began })
    }

    fn file(&self, entry: &Entry<'_>, path: &str) -> Result<FileNo, String> {
        self.files.get(&entry.inode).copied().ok_or_else(|| format!("a file `{path}` that was there before the record"))
    }
}
