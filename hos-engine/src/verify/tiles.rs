//! The tiles that a growing log fills, compared with the stored ones as they fill.

use super::Pass;
use crate::Failure;
use crate::seal;
use crate::store::Tx;
use crate::store::sql::evidence as sql;
use hos_core::id::{Tenant, TreeHash};
use hos_core::proof::tree::{TILE_HEIGHT, TILE_WIDTH};

/// What each level's tile holds that is not full yet.
#[derive(Default)]
pub(super) struct Tiles {
    levels: Vec<Vec<TreeHash>>,
    /// How many are full.
    pub(super) filled: u64,
}

impl Tiles {
    /// Of a log that is read from this entry on, which is the first of a tile: as the stored tiles say. None where one is missing.
    pub(super) fn behind(tx: &Tx<'_>, tenant: &Tenant, from: u64) -> Option<Self> {
        let width = TILE_WIDTH as u64;
        let mut tiles = Self::default();
        // How many hashes a level has.
        let (mut level, mut hashes) = (0, from);
        while hashes > 0 {
            let (full, count) = (hashes / width, (hashes % width) as usize);
            let row = if count == 0 { Vec::new() } else { seal::tile_so_far(tx, tenant, from, level, full)? };
            let mut held = Vec::with_capacity(TILE_WIDTH);
            held.extend_from_slice(row.get(..count)?);
            tiles.levels.push(held);
            tiles.filled += full;
            (level, hashes) = (level + 1, full);
        }
        Some(tiles)
    }

    /// Takes the next leaf, and the roots of the tiles that it fills, by ascending level.
    pub(super) fn push(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        tenant: &Tenant,
        seq: u64,
        leaf: TreeHash,
        roots: &[TreeHash],
    ) -> Result<(), Failure> {
        let mut hash = leaf;
        let mut index = seq >> TILE_HEIGHT;
        for level in 0..=roots.len() {
            if self.levels.len() <= level {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(row) = self.levels.get_mut(level) else { return Ok(()) };
            row.push(hash);
            let Some(root) = roots.get(level) else { return Ok(()) };
            self.filled += 1;
            let bytes: Vec<u8> = row.iter().flat_map(|h| h.0).collect();
            row.clear();
            let stored = tx.row(&sql::tile(tenant, level as u8, index))?;
            if stored.as_ref().and_then(|row| row.blob(0).ok()) != Some(&bytes[..]) {
                pass.findings.add(format!("hos_tile {tenant} {level}/{index}"), "the tile is not made of the log's entries");
            }
            (hash, index) = (*root, index >> TILE_HEIGHT);
        }
        Ok(())
    }
}
