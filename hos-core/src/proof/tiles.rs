//! A log as C2SP tlog-tiles: which files there are, and what stands in them, so that tooling that exists reads it unchanged.

use super::tree::{TILE_WIDTH, complete_root};
use crate::digest::tree_leaf;
use crate::id::TreeHash;

/// A file of a tiled log: its path below the log's prefix, and its bytes.
pub type TileFile = (String, Vec<u8>);

/// The path of a tile of hashes; `width` is that of a partial tile, and [`TILE_WIDTH`] of a whole one.
pub fn tile_path(level: u8, index: u64, width: usize) -> String {
    format!("tile/{level}/{}", place(index, width))
}

/// The path of a bundle of entries.
pub fn entries_path(index: u64, width: usize) -> String {
    format!("tile/entries/{}", place(index, width))
}

/// A number in path elements of three digits, all but the last with an `x` before them.
fn place(index: u64, width: usize) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH { format!("{path}.p/{width}") } else { path }
}

/// Turns a log's entries into files, one after the other; holds at most one bundle of entries and one tile a level.
#[derive(Debug, Default)]
pub struct TileWriter {
    entries: Vec<u8>,
    hashes: HashTiles,
}

impl TileWriter {
    /// How many entries were taken.
    pub fn size(&self) -> u64 {
        self.hashes.size
    }

    /// Takes the next entry, of at most 65535 bytes; gives the files that it completes.
    pub fn push(&mut self, entry: &[u8]) -> Vec<TileFile> {
        debug_assert!(entry.len() <= usize::from(u16::MAX));
        self.entries.extend_from_slice(&(entry.len() as u16).to_be_bytes());
        self.entries.extend_from_slice(entry);
        let tiles = self.hashes.push(tree_leaf(entry), &[]);
        let whole = self.size().is_multiple_of(TILE_WIDTH as u64);
        let bundle =
            whole.then(|| (entries_path(self.size() / TILE_WIDTH as u64 - 1, TILE_WIDTH), std::mem::take(&mut self.entries)));
        bundle.into_iter().chain(tiles).collect()
    }

    /// The partial files at the log's end.
    pub fn finish(self) -> Vec<TileFile> {
        let (size, width) = (self.size(), TILE_WIDTH as u64);
        let rest = (size % width) as usize;
        let bundle = (rest > 0).then(|| (entries_path(size / width, rest), self.entries));
        bundle.into_iter().chain(self.hashes.finish()).collect()
    }
}

/// The tiles of hashes alone, leaf after leaf; holds at most one tile a level.
#[derive(Debug, Default)]
pub struct HashTiles {
    size: u64,
    /// For each level the hashes of the tile that is being filled.
    levels: Vec<Vec<TreeHash>>,
}

impl HashTiles {
    /// How many leaves were taken.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next leaf; gives the tiles that it completes. `filled` are the roots of these, by ascending level, as far as the caller
    /// has them from the tree that it grows beside ([`LogVerifier::filled`](super::verify::LogVerifier::filled)).
    pub fn push(&mut self, leaf: TreeHash, filled: &[TreeHash]) -> Vec<TileFile> {
        self.size += 1;
        let mut files = Vec::new();
        let (mut level, mut hash, mut count) = (0u8, leaf, self.size);
        loop {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(tile) = self.levels.get_mut(usize::from(level)) else { return files };
            tile.push(hash);
            if tile.len() < TILE_WIDTH {
                return files;
            }
            let full = std::mem::take(tile);
            count /= TILE_WIDTH as u64;
            files.push((tile_path(level, count - 1, TILE_WIDTH), bytes(&full)));
            let Some(root) = filled.get(usize::from(level)).copied().or_else(|| complete_root(&full)) else { return files };
            hash = root;
            level += 1;
        }
    }

    /// The partial tiles at the log's end.
    pub fn finish(self) -> Vec<TileFile> {
        let mut below = self.size;
        let mut files = Vec::new();
        for (level, tile) in self.levels.iter().enumerate() {
            if !tile.is_empty() {
                files.push((tile_path(level as u8, below / TILE_WIDTH as u64, tile.len()), bytes(tile)));
            }
            below /= TILE_WIDTH as u64;
        }
        files
    }
}

fn bytes(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The entries of a bundle, each with its length before it; none where the bytes are no such sequence.
pub fn split_entries(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut rest, mut entries) = (bytes, Vec::new());
    while !rest.is_empty() {
        let (len, after) = rest.split_first_chunk::<2>()?;
        let (entry, left) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        entries.push(entry);
        rest = left;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn files(size: u64) -> BTreeMap<String, Vec<u8>> {
        let mut writer = TileWriter::default();
        let mut files: BTreeMap<String, Vec<u8>> = (0..size).flat_map(|i| writer.push(&i.to_be_bytes())).collect();
        assert_eq!(writer.size(), size);
        files.extend(writer.finish());
        files
    }

    #[test]
    fn paths_are_tlog_tiles() {
        assert_eq!(tile_path(0, 1_234_067, TILE_WIDTH), "tile/0/x001/x234/067");
        assert_eq!(tile_path(2, 0, 1), "tile/2/000.p/1");
        assert_eq!(entries_path(999, 7), "tile/entries/999.p/7");
        assert_eq!(entries_path(1000, TILE_WIDTH), "tile/entries/x001/000");
    }

    #[test]
    fn seventy_thousand_entries_are_the_files_that_the_standard_counts() {
        let files = files(70_000);
        let count = |prefix: &str| files.keys().filter(|path| path.starts_with(prefix)).count();
        assert_eq!(count("tile/0/"), 274);
        assert_eq!(count("tile/1/"), 2);
        assert_eq!(count("tile/entries/"), 274);
        assert_eq!(files.get("tile/0/273.p/112").map(Vec::len), Some(112 * 32));
        assert_eq!(files.get("tile/1/001.p/17").map(Vec::len), Some(17 * 32));
        assert_eq!(files.get("tile/2/000.p/1").map(Vec::len), Some(32));
    }

    #[test]
    fn two_hundred_and_fifty_six_entries_fill_a_tile_and_begin_one_above() {
        let files = files(256);
        assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
        assert_eq!(files.len(), 3);
    }

    #[test]
    fn entries_are_split_as_they_were_joined() {
        let mut writer = TileWriter::default();
        assert!(writer.push(b"a").is_empty());
        writer.push(b"");
        let (_, bytes) = writer.finish().remove(0);
        assert_eq!(split_entries(&bytes), Some(vec![&b"a"[..], b""]));
        assert_eq!(split_entries(&bytes[..bytes.len() - 1]), None);
        assert_eq!(split_entries(&[0]), None);
    }
}
