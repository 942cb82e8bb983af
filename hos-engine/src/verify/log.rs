//! One tenant's log: every entry from its bytes, every record's parts, tiles, head, queue.

use super::crew::{Crew, Seen};
use super::fold::{Fold, Taken};
use super::heads::Heads;
use super::page::{Entry, Line, Page};
use super::ring::Kept;
use super::roots::Due;
use super::{Pass, cosigned, epochs, keys};
use crate::Failure;
use crate::court::epoch::Epochs;
use crate::store::Row;
use crate::store::Tx;
use crate::store::sql::{claim, evidence as sql, inbox};
use hos_core::id::{EntryHash, Handle, Tenant, TreeHash};
use hos_core::proof::chain::LogHead;
use hos_core::proof::checkpoint::NoteKey;
use hos_core::proof::examine::Examiner;
use hos_core::proof::record::{Kind, Slot};
use hos_core::proof::tree::TILE_WIDTH;
use hos_core::proof::verify::LogVerifier;
use hos_core::time::Timestamp;

/// What a log came to.
pub(super) struct Done {
    pub(super) size: u64,
    pub(super) root: TreeHash,
    pub(super) fold: Fold,
    pub(super) unsealed: (u64, i64),
    /// Sizes at which an outside checkpoint was found to hold.
    pub(super) anchored: Vec<u64>,
}

/// The tiles that a growing log fills, compared as they fill.
#[derive(Default)]
struct Tiles {
    levels: Vec<Vec<TreeHash>>,
    filled: u64,
}

impl Tiles {
    /// Takes the next leaf, and the roots of the tiles that it fills, by ascending level.
    fn push(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        tenant: &Tenant,
        seq: u64,
        leaf: TreeHash,
        roots: &[TreeHash],
    ) -> Result<(), Failure> {
        let mut hash = leaf;
        let mut index = seq / TILE_WIDTH as u64;
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
            (hash, index) = (*root, index / TILE_WIDTH as u64);
        }
        Ok(())
    }
}

/// Verifies one log and folds its records.
pub(super) fn verify(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, anchors: &[&str]) -> Result<Done, Failure> {
    let of = pass.court.of;
    let epochs = Epochs::of(tx, tenant, of)?;
    let first = match epochs.begins(0) {
        Some((epoch, note)) => LogHead::genesis(of.store, epoch, tenant.clone(), note.as_bytes()),
        None => LogHead::genesis(of.store, epochs.at(0), tenant.clone(), &[]),
    };
    let mut verifier = LogVerifier::new(first).through(of.epoch);
    let admitted = epochs::admit(pass, tenant, &epochs, anchors)?;
    let all_count = admitted.len() == anchors.len();
    keys::expect_closings(pass, tenant, &mut verifier);
    if let Some(row) = tx.row(&sql::checkpoint(tenant))? {
        let key = keys::of_note(pass, tenant, row.text(1)?, true)?;
        verifier.expect(row.text(1)?.as_bytes(), &key);
        stored_size(pass, tenant, &row, &key);
    }
    for note in cosigned::read(tx, pass, tenant)? {
        let key = keys::of_note(pass, tenant, &note, true)?;
        verifier.expect(note.as_bytes(), &key);
    }
    for anchor in admitted {
        let key = keys::of_note(pass, tenant, anchor, false)?;
        verifier.expect(anchor.as_bytes(), &key);
    }
    let crew = Crew { of, epochs: &epochs, tenant: tenant.as_str(), ring: pass.ring, threads: pass.threads };
    let mut walk = Walk {
        tenant,
        verifier,
        epochs: &epochs,
        examiner: Examiner::default(),
        fold: Fold::new(tenant),
        heads: Heads::default(),
        tiles: Tiles::default(),
        due: pass.roots.of(tenant),
        next: 0,
        sealed_at: Timestamp(0),
    };
    let mut before = walk.verifier.next_prev();
    let mut page = Some(Page::read(tx, tenant, 0, i64::MIN, Page::default())?).filter(|page| !page.lines.is_empty());
    let mut used = Page::default();
    while let Some(this) = page {
        // While records are examined, the next ones are read.
        let (next, seen) = crew.examine(&this, before, || match this.next {
            Some(from) => Page::read(tx, tenant, from, this.behind, used).map(Some),
            None => Ok(None),
        });
        for (line, seen) in this.lines.iter().zip(seen?.into_iter().flatten()) {
            walk.line(tx, pass, &this, line, seen)?;
        }
        if let Some(Line::Entry(last)) = this.lines.last() {
            before = last.hash;
        }
        if let Some(tell) = pass.progress {
            tell(pass.records, pass.total);
        }
        page = next?.filter(|page| !page.lines.is_empty());
        used = this;
    }
    let Walk { verifier, mut fold, tiles, due, sealed_at: last_sealed, .. } = walk;
    due.finish(tx, &mut pass.findings, tenant)?;
    let (unsealed, inbox) = queue(tx, pass, tenant, &mut fold)?;
    let (root, size, entry) = (verifier.tree().root(), verifier.tree().size(), verifier.next_prev());
    head(tx, pass, tenant, &verifier, entry, last_sealed)?;
    let stored_tiles = tx.rows(&sql::tiles(tenant))?.len() as u64;
    if stored_tiles != tiles.filled {
        pass.findings.add(format!("hos_tile {tenant}"), format!("{stored_tiles} tiles are stored where {} belong", tiles.filled));
    }
    let counted = tx.row(&sql::record_count(tenant))?.map_or(Ok(0), |row| row.uint(0))?;
    let placed = size + unsealed.0 - inbox;
    if counted != placed {
        pass.findings.add(
            format!("hos_record {tenant}"),
            format!("{counted} records are stored, and {placed} have a place in log or queue"),
        );
    }
    let report = verifier.finish();
    pass.erased_parts += report.erased;
    for failure in &report.failures {
        pass.findings.add(failure.to_string(), failure.what.code());
    }
    let anchored: Vec<u64> = if !anchors.is_empty() && all_count && report.failures.is_empty() {
        (0..anchors.len() as u64).collect()
    } else {
        Vec::new()
    };
    Ok(Done { size, root, fold, unsealed, anchored })
}

fn stored_size(pass: &mut Pass<'_>, tenant: &Tenant, row: &Row, key: &NoteKey) {
    let note = row.text(1).unwrap_or_default();
    let said = hos_core::proof::checkpoint::Checkpoint::open(note.as_bytes(), key).map(|c| c.size);
    if let (Ok(said), Ok(size)) = (said, row.uint(0))
        && said != size
    {
        pass.findings.add(format!("hos_checkpoint {tenant}"), "column size: the note is of another size");
    }
}

/// What a pass over one log builds up, entry by entry, in the log's order.
struct Walk<'t> {
    tenant: &'t Tenant,
    verifier: LogVerifier,
    epochs: &'t Epochs,
    examiner: Examiner,
    fold: Fold,
    heads: Heads,
    tiles: Tiles,
    /// What the universe says of this log's roots.
    due: Due,
    next: u64,
    sealed_at: Timestamp,
}

impl Walk<'_> {
    fn line(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        page: &Page,
        line: &Line,
        seen: Option<Seen<'_>>,
    ) -> Result<(), Failure> {
        let tenant = self.tenant;
        match (line, seen) {
            (Line::Entry(entry), Some(seen)) => {
                if entry.seq != self.next {
                    pass.findings.add(format!("hos_entry {tenant} seq {}", self.next), "the entry is missing");
                }
                self.next = entry.seq.saturating_add(1);
                self.sealed_at = entry.sealed_at;
                self.entry(tx, pass, page, entry, seen)
            }
            (Line::Entry(entry), None) => {
                let why = format!("entry {} of `{tenant}` was not examined", entry.seq);
                Err(Failure::new(hos_core::refusal::Code::Internal, why))
            }
            (Line::Broken(why), _) => {
                pass.findings.add(format!("hos_entry {tenant} after seq {}", self.next), why.clone());
                self.next = self.next.saturating_add(1);
                Ok(())
            }
        }
    }

    fn entry(&mut self, tx: &Tx<'_>, pass: &mut Pass<'_>, page: &Page, row: &Entry, seen: Seen<'_>) -> Result<(), Failure> {
        let tenant = self.tenant;
        let at = || format!("tenant {tenant}, seq {}, thread {}, n {}", row.seq, row.thread, row.n);
        let Some(mut examined) = seen.examined else {
            debug_assert!(page.record(row).is_none(), "what is there is examined");
            pass.findings.add(at(), "the record is missing");
            return Ok(());
        };
        pass.records += 1;
        if let Some((epoch, note)) = self.epochs.begins(row.seq) {
            self.verifier.turn(epoch, note.as_bytes());
        }
        let kind = examined.record().header().map(|header| header.kind);
        if let Some(kind) = kind.filter(|kind| *kind == Kind::Epoch || self.epochs.begins(row.seq).is_some()) {
            let content = examined.record().part(Slot::Change);
            epochs::hold(pass, tenant, self.epochs, row.seq, self.verifier.tree(), kind, content);
        }
        examined.cite(self.verifier.next_prev(), &mut self.examiner);
        let streams = examined.record().header().is_some_and(|h| h.n.is_none());
        if !streams && row.stream_prev.is_some() {
            pass.findings.add(at(), "column stream_prev: the record is of no stream");
        }
        if let Some(e) = examined.record().list_error() {
            pass.findings.add(at(), format!("column parts: {e}"));
        }
        for key in &seen.strange {
            pass.findings.add(at(), format!("column parts: the vault never had the key {key}"));
        }
        if let Some(header) = examined.record().header() {
            for key in &seen.gone {
                pass.gone.take(*key, tenant, header.kind, Some(row.seq), &examined.record().hash());
            }
        }
        if kind == Some(Kind::Heads) && row.disputed.is_none() {
            self.heads.hold(pass, tenant, row.seq, self.verifier.threads(), examined.record().part(Slot::Change));
        }
        self.verifier.push_examined(&examined);
        if let Some(header) = examined.record().header().filter(|_| row.disputed.is_none()) {
            self.heads.take(pass, tenant, row.seq, header);
        }
        if self.verifier.last() != Some((row.hash, row.leaf)) {
            pass.findings.add(at(), "column hash or leaf: not the entry's");
        }
        let leaf = self.verifier.last().map_or(row.leaf, |(_, leaf)| leaf);
        self.tiles.push(tx, pass, tenant, row.seq, leaf, self.verifier.filled())?;
        let tree = self.verifier.tree();
        self.due.hold(&mut pass.findings, self.epochs, tree.size(), || tree.root());
        if let Some(header) = examined.record().header() {
            if header.thread != row.thread || header.n.is_some_and(|n| n != row.n) {
                pass.findings.add(at(), "column thread or n: the header says another");
            }
            // Of what is disputed nothing is vouched for: its parts are as good as unread.
            let readable = row.disputed.is_none();
            let taken = Taken { header, record: examined.record(), n: row.n, readable };
            self.fold.take(&mut pass.findings, &pass.laws, &taken);
        }
        Ok(())
    }
}

/// Records that wait for their place: they count for the fold, and nothing vouches for them yet. How many, the age of the oldest,
/// and how many of them lie in the inbox: those have no place in their stream either, and count for no row.
fn queue(tx: &Tx<'_>, pass: &mut Pass<'_>, tenant: &Tenant, fold: &mut Fold) -> Result<((u64, i64), u64), Failure> {
    let now = pass.court.clock.now();
    let (mut count, mut oldest, mut waiting) = (0, 0, 0);
    let mut examiner = Examiner::default();
    for row in tx.rows(&sql::queue(tenant, usize::MAX >> 1))? {
        count += 1;
        let thread = Handle(row.bytes(1)?);
        let n = if row.int(2)? == claim::WAITING { None } else { Some(row.uint(2)?) };
        let at = || match n {
            Some(n) => format!("hos_queue {tenant}, thread {thread}, n {n}"),
            None => format!("hos_inbox {tenant}, id {thread}"),
        };
        let stored = match n {
            Some(n) => tx.row(&sql::record(tenant, &thread, n))?,
            None => {
                waiting += 1;
                tx.row(&inbox::record(tenant, &thread.0))?
            }
        };
        let Some(stored) = stored else {
            pass.findings.add(at(), "the record is missing");
            continue;
        };
        let (mut failed, mut gone) = (None, Vec::new());
        let record = examiner.record(stored.blob(0)?, stored.blob(1)?, |id| match pass.ring.of(id) {
            Ok(Kept::Key(key)) => Some(key),
            Ok(Kept::Destroyed) => {
                gone.push(*id);
                None
            }
            Ok(Kept::Never) => None,
            Err(failure) => {
                failed = Some(failure);
                None
            }
        });
        if let Some(failure) = failed {
            return Err(failure);
        }
        let Some(header) = record.header().filter(|_| record.list_error().is_none()) else {
            pass.findings.add(at(), "the record does not decode");
            continue;
        };
        pass.records += 1;
        oldest = oldest.max(now.0.saturating_sub(header.time.0));
        gone.into_iter().for_each(|key| pass.gone.take(key, tenant, header.kind, None, &record.hash()));
        if let Some(n) = n {
            fold.take(&mut pass.findings, &pass.laws, &Taken { header, record: &record, n, readable: true });
        }
    }
    for row in tx.rows(&inbox::onces_of_none(tenant))? {
        let key = String::from_utf8_lossy(row.blob(0)?).into_owned();
        pass.findings.add(format!("hos_once {tenant} {}", hos_core::id::Shown(&key)), "column key: no record took it");
    }
    Ok(((count, oldest), waiting))
}

fn head(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    verifier: &LogVerifier,
    entry: EntryHash,
    sealed_at: Timestamp,
) -> Result<(), Failure> {
    let at = || format!("hos_head {tenant}");
    let Some(row) = tx.row(&sql::head(tenant))? else {
        if verifier.tree().size() > 0 {
            pass.findings.add(at(), "the head is missing");
        }
        return Ok(());
    };
    match sql::head_from(&row) {
        Err(e) => pass.findings.add(at(), e.message),
        Ok(head) => {
            pass.findings.same(at, &head.size, &verifier.tree().size(), "column size: not the log's");
            pass.findings.same(at, &head.entry, &entry, "column entry: not the last entry's hash");
            pass.findings.same(at, &head.frontier, verifier.tree(), "column frontier: not the tree's");
            pass.findings.same(at, &head.epoch, &pass.court.of.epoch, "column epoch: not the store's");
            pass.findings.same(at, &head.sealed_at, &sealed_at, "column sealed_at: not the last entry's");
        }
    }
    Ok(())
}
