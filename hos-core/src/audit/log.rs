//! A whole log, given as tiles, or one entry with its proof: what a stranger may believe of it without any part.

use super::logs::{against, forked, is_kept, kept_of};
use super::refused::Refused;
use crate::digest::tree_leaf;
use crate::id::TreeHash;
use crate::proof::chain::{Entry, EntryView, LogHead};
use crate::proof::checkpoint::origin_parts;
use crate::proof::record::{Header, Kind};
use crate::proof::report::Broken;
use crate::proof::tiles::{HashTiles, TileFile, entries_path, split_entries};
use crate::proof::tlog_proof::TlogProof;
use crate::proof::tree::{TILE_WIDTH, TreeError, verify_inclusion};
use crate::proof::trust::{Believed, Trust};
use crate::proof::verify::LogVerifier;
use crate::proof::view::HeaderView;

/// What a log or a proof came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerdict {
    /// The log's origin.
    pub origin: String,
    /// The checkpoint's size.
    pub size: u64,
    /// Its root.
    pub root: TreeHash,
    /// Entries seen: all of a tiled log, one of a proof.
    pub entries: u64,
    /// Threads seen.
    pub threads: u64,
    /// Entries that the sealer disputes.
    pub disputed: u64,
    /// Parts that were not given: in tiles there are none.
    pub withheld: u64,
    /// The witnesses that vouch for the checkpoint.
    pub witnesses: Vec<String>,
    /// For how many entries, from the first, somebody besides the log vouches: for all where witnesses do that the trust file asks for,
    /// of a tiled log for those of the largest checkpoint that the verifier kept, of a proof for all where one of its size was kept.
    pub anchored: Option<u64>,
}

/// Verifies a tiled log, one bundle of entries after the other.
pub struct TilesAudit {
    believed: Believed,
    anchored: Option<u64>,
    epoch: u64,
    verifier: LogVerifier,
    /// The sizes of the checkpoints that the verifier kept, and the epochs that they are of.
    kept: Vec<(u64, u64)>,
    hashes: HashTiles,
}

impl TilesAudit {
    /// Believes the log's checkpoint, or not. `kept` are checkpoints (signed notes) of this log that the verifier kept from elsewhere,
    /// of any size up to its own: each must hold.
    pub fn open(note: &[u8], trust: &Trust, kept: &[&[u8]]) -> Result<Self, Refused> {
        let believed = trust.believe(note).map_err(|e| Refused::new(e.code(), "checkpoint", e))?;
        let (store, tenant, epoch) = origin_parts(&believed.checkpoint.origin)
            .ok_or_else(|| Refused::new("log.origin", "checkpoint", "the origin is not one of ours"))?;
        let mut verifier = LogVerifier::new(LogHead::genesis(store, 0, tenant, &[])).through(epoch);
        if let Some(key) = believed.keys.first() {
            verifier.expect(note, key);
        }
        let whole = trust.asks_witnesses() | is_kept(&believed.checkpoint, trust, kept)?;
        let mut anchored = whole.then_some(believed.checkpoint.size);
        let mut sizes = Vec::with_capacity(kept.len());
        for (place, note) in kept.iter().enumerate() {
            let opened = kept_of(note, &believed.checkpoint.origin, trust);
            let (said, key) = opened.map_err(|e| Refused::new(format!("checkpoint.{}", e.code()), against(place), e))?;
            if said.size > believed.checkpoint.size {
                let what = format!("a checkpoint of {} entries was kept, and this is of {}", said.size, believed.checkpoint.size);
                return Err(Refused::new("checkpoint.beyond", against(place), what));
            }
            // One of no entries goes before every history.
            anchored = anchored.max(Some(said.size).filter(|&size| size > 0));
            verifier.expect(note, &key);
            sizes.push((said.size, origin_parts(&said.origin).map_or(epoch, |(.., of)| of)));
        }
        Ok(Self { believed, anchored, epoch, verifier, kept: sizes, hashes: HashTiles::default() })
    }

    /// The path of the next bundle of entries, and how many it must hold; none when all were taken.
    pub fn next(&self) -> Option<(String, usize)> {
        let (size, done, width) = (self.believed.checkpoint.size, self.hashes.size(), TILE_WIDTH as u64);
        let left = size.checked_sub(done).filter(|left| *left > 0)?.min(width) as usize;
        Some((entries_path(done / width, left), left))
    }

    /// Takes the next bundle of entries; gives the tiles of hashes that must be there, with their bytes.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<TileFile>, Refused> {
        let (path, wanted) =
            self.next().ok_or_else(|| Refused::new("tiles.entries", "tiles", "there are more than the checkpoint covers"))?;
        let entries = split_entries(bytes).filter(|entries| entries.len() == wanted);
        let entries = entries.ok_or_else(|| Refused::new("tiles.entries", path, format!("these are not {wanted} entries")))?;
        let mut files = Vec::new();
        for entry in entries {
            let view = EntryView::decode(entry);
            if let Ok(view) = &view {
                self.turn(view)?;
            }
            self.verifier.push_view(entry, view, None, |_| None);
            if let Some((_, leaf)) = self.verifier.last() {
                files.extend(self.hashes.push(leaf, self.verifier.filled()));
            }
        }
        Ok(files)
    }

    /// Follows the log into a later epoch, which begins with a record of its own, or with the log. An epoch beyond the
    /// checkpoint's, or one that nothing begins, is left for the chain to refuse.
    fn turn(&mut self, entry: &EntryView<'_>) -> Result<(), Refused> {
        if entry.epoch <= self.verifier.epoch() || entry.epoch > self.epoch {
            return Ok(());
        }
        let seq = self.hashes.size();
        if HeaderView::decode(entry.header).is_ok_and(|header| header.kind == Kind::Epoch) {
            self.verifier.turn_unread(entry.epoch, entry.prev);
        } else if seq == 0 {
            self.verifier.turn(entry.epoch, &[]);
        } else {
            return Ok(());
        }
        // What an epoch says of entries that were lost stands in its first record, of which tiles show nothing.
        match self.kept.iter().enumerate().find(|(_, (size, epoch))| *epoch < entry.epoch && *size > seq) {
            None => Ok(()),
            Some((place, (size, epoch))) => {
                let what = format!(
                    "a checkpoint of {size} entries was kept, of epoch {epoch}, and epoch {} goes on from {seq} of them: whether it says \
                     that the others were lost, its record tells, which is not shown here",
                    entry.epoch
                );
                Err(Refused::new("checkpoint.beyond", against(place), what))
            }
        }
    }

    /// Ends: the partial tiles that must be there, and the verdict.
    pub fn finish(self) -> Result<(Vec<TileFile>, LogVerdict), Refused> {
        let report = self.verifier.finish();
        if let Some(failure) = report.failures.first() {
            let kept = self.kept.iter().position(|(size, _)| *size == failure.seq);
            // Where the entries are not those of the log's own checkpoint either, they are what is wrong.
            let is_whole = report.root == self.believed.checkpoint.root;
            if let (Broken::Root, Some(place), true) = (&failure.what, kept, is_whole) {
                return Err(forked(place));
            }
            return Err(Refused::new(failure.what.code(), format!("entry {}", failure.seq), &failure.what));
        }
        let files = self.hashes.finish();
        let verdict = LogVerdict {
            origin: self.believed.checkpoint.origin,
            size: report.size,
            root: report.root,
            entries: report.size,
            threads: report.threads,
            disputed: report.disputed,
            withheld: report.withheld,
            witnesses: self.believed.witnesses,
            anchored: self.anchored,
        };
        Ok((files, verdict))
    }
}

/// Verifies one entry's proof. `kept` are checkpoints (signed notes) of its log that the verifier kept from elsewhere: one of the same size
/// must be the same.
pub fn proof(bytes: &[u8], trust: &Trust, kept: &[&[u8]]) -> Result<LogVerdict, Refused> {
    let proof = TlogProof::parse(bytes).map_err(|why| Refused::new("proof.malformed", "proof", why))?;
    let believed = trust.believe(proof.checkpoint.as_bytes()).map_err(|e| Refused::new(e.code(), "checkpoint", e))?;
    let origin = origin_parts(&believed.checkpoint.origin);
    let (store, tenant, epoch) =
        origin.ok_or_else(|| Refused::new("log.origin", "checkpoint", "the origin is not one of ours"))?;
    let entry = Entry::decode(&proof.entry).map_err(|e| Refused::new(format!("entry.{}", e.code()), "entry", e))?;
    if entry.epoch > epoch || (entry.store, &entry.tenant, entry.seq) != (store, &tenant, proof.index) {
        return Err(Refused::new("foreign", "entry", "the entry is of another store, tenant, epoch or place"));
    }
    let withheld = match Header::decode(&entry.header) {
        Ok(header) if header.store == store && header.tenant == tenant => header.parts.len() as u64,
        _ if entry.disputed.is_some() => 0,
        Ok(_) => return Err(Refused::new("foreign", "entry", "the record is of another store or tenant")),
        Err(e) => return Err(Refused::new(format!("header.{}", e.code()), "entry", e)),
    };
    let anchored = trust.asks_witnesses() | is_kept(&believed.checkpoint, trust, kept)?;
    let (size, root) = (believed.checkpoint.size, believed.checkpoint.root);
    verify_inclusion(proof.index, size, &tree_leaf(&proof.entry), &proof.proof, &root).map_err(|e| {
        let code = match e {
            TreeError::Range => "inclusion.range",
            TreeError::Root => "inclusion.root",
            _ => "inclusion.length",
        };
        Refused::new(code, "entry", e)
    })?;
    Ok(LogVerdict {
        origin: believed.checkpoint.origin,
        size,
        root,
        entries: 1,
        threads: 1,
        disputed: u64::from(entry.disputed.is_some()),
        withheld,
        witnesses: believed.witnesses,
        anchored: anchored.then_some(size),
    })
}
