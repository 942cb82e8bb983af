//! One tenant's log: every entry from its bytes, every record's parts, tiles, head, queue.

use super::crew::{Crew, Seen};
use super::fold::{Fold, Taken};
use super::heads::Heads;
use super::met::Met;
use super::page::{Entry, Line, Page};
use super::ring::Asked;
use super::roots::Due;
use super::since::{Below, Start};
use super::tiles::Tiles;
use super::{Pass, cosigned, epochs, keys, owners, since, vouches};
use crate::Failure;
use crate::court::epoch::{Epochs, marked_size};
use crate::store::Row;
use crate::store::Tx;
use crate::store::sql::{claim, evidence as sql, inbox};
use hos_core::id::{EntryHash, Handle, Tenant, TreeHash};
use hos_core::proof::chain::LogHead;
use hos_core::proof::checkpoint::{Checkpoint, NoteKey};
use hos_core::proof::examine::Examiner;
use hos_core::proof::record::{Kind, Slot};
use hos_core::proof::verify::LogVerifier;
use hos_core::time::Timestamp;
use std::borrow::Cow;

/// What a log came to.
pub(super) struct Done {
    pub(super) size: u64,
    pub(super) root: TreeHash,
    pub(super) fold: Fold,
    pub(super) unsealed: (u64, i64),
    /// Sizes at which an outside checkpoint was found to hold.
    pub(super) anchored: Vec<u64>,
}

/// Verifies one log and folds its records, of which the store has so many; from one of the checkpoints of `since` on, which are among the
/// anchors.
pub(super) fn verify(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    (tenant, counted): (&Tenant, u64),
    anchors: &[&str],
    since: &[&str],
) -> Result<Done, Failure> {
    let of = pass.court.of;
    let epochs = Epochs::of(tx, tenant, of)?;
    let admitted = epochs::admit(tx, pass, tenant, anchors)?;
    let all_count = admitted.len() == anchors.len();
    let mut notes: Vec<(Cow<'_, str>, NoteKey)> = Vec::new();
    if let Some(row) = tx.row(&sql::checkpoint(tenant))? {
        let key = keys::of_note(pass, tenant, row.text(1)?, true)?;
        stored_size(pass, tenant, &row, &key);
        notes.push((row.text(1)?.to_owned().into(), key));
    }
    for note in cosigned::read(tx, pass, tenant)? {
        let key = keys::of_note(pass, tenant, &note, true)?;
        notes.push((note.into(), key));
    }
    for anchor in admitted {
        notes.push((anchor.into(), keys::of_note(pass, tenant, anchor, false)?));
    }
    // The universe's log says what the others are held against: it is read whole. So is a log whose rows of epochs excuse a checkpoint:
    // they are held where their epochs begin.
    let told = notes.iter().filter(|(note, _)| since.contains(&note.as_ref()) && !tenant.is_universe() && all_count);
    let told: Vec<(&str, &NoteKey)> = told.map(|(note, key)| (note.as_ref(), key)).collect();
    let mut due = pass.roots.of(tenant);
    let (mut verifier, tiles, below) = match since::start(tx, pass, tenant, &epochs, &told)? {
        Some(Start { head, tree, tiles }) => {
            let from = head.next_seq;
            let below = Below::new(of, &epochs, tree.clone());
            due.below(&mut pass.findings, &epochs, from, |size, root| below.goes_on(tx, tenant, size, root));
            pass.since.push((tenant.to_string(), from));
            pass.total = pass.total.saturating_sub(from);
            (LogVerifier::behind(head, tree), tiles, Some(below))
        }
        None => {
            let (epoch, note) = epochs.begins(0).unwrap_or((epochs.at(0), ""));
            let genesis = LogHead::genesis(of.store, epoch, tenant.clone(), note.as_bytes());
            (LogVerifier::new(genesis), Tiles::default(), None)
        }
    };
    verifier = verifier.through(of.epoch);
    let from = below.as_ref().map_or(0, |below| below.tree.size());
    keys::expect_closings(pass, tenant, &mut verifier);
    for (note, key) in &notes {
        match (&below, Checkpoint::open(note.as_bytes(), key)) {
            (Some(below), Ok(said)) if said.size < from => {
                if !below.goes_on(tx, tenant, said.size, &said.root) {
                    let at = format!("checkpoint of `{tenant}` at size {}", said.size);
                    pass.findings.add(at, "the log does not go on from it");
                }
            }
            _ => verifier.expect(note.as_bytes(), key),
        }
    }
    let crew = Crew { of, epochs: &epochs, tenant: tenant.as_str(), ring: pass.ring, threads: pass.threads };
    let mut walk = Walk {
        tenant,
        verifier,
        epochs: &epochs,
        examiner: Examiner::default(),
        fold: Fold::new(tenant, below.as_ref().map(|_| Met::default()), pass.room, &pass.marks),
        below,
        heads: Heads::new(pass.room),
        tiles,
        due,
        next: from,
        turned: Vec::new(),
        sealed_at: Timestamp(0),
    };
    let mut before = walk.verifier.next_prev();
    let mut page = Some(Page::read(tx, tenant, from, i64::MIN, Page::default())?).filter(|page| !page.lines.is_empty());
    let mut used = Page::default();
    while let Some(this) = page {
        // While records are examined, the next ones are read.
        let (next, seen) = crew.examine(&this, before, || match this.next {
            Some(from) => Page::read(tx, tenant, from, this.behind, used).map(Some),
            None => Ok(None),
        });
        // In their place: what was found out about a record takes a kilobyte.
        for (line, seen) in this.lines.iter().zip(seen?.iter_mut().flatten()) {
            walk.line(tx, pass, &this, line, seen.as_mut())?;
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
    let Walk { verifier, mut fold, heads, tiles, due, sealed_at: last_sealed, below, turned, .. } = walk;
    heads.finish(pass, tenant)?;
    epochs::all_met(pass, tenant, &epochs, from, &turned);
    due.finish(tx, &mut pass.findings, tenant)?;
    let (unsealed, inbox) = queue(tx, pass, tenant, &mut fold, below.as_ref())?;
    let (root, size, entry) = (verifier.tree().root(), verifier.tree().size(), verifier.next_prev());
    head(tx, pass, tenant, &verifier, entry, last_sealed)?;
    let stored_tiles = tx.row(&sql::tile_count(tenant))?.map_or(Ok(0), |row| row.uint(0))?;
    if stored_tiles != tiles.filled {
        pass.findings.add(format!("hos_tile {tenant}"), format!("{stored_tiles} tiles are stored where {} belong", tiles.filled));
    }
    let placed = size + unsealed.0 - inbox;
    if counted != placed {
        pass.findings.add(
            format!("hos_record {tenant}"),
            format!("{counted} records are stored, and {placed} have a place in log or queue"),
        );
    }
    if let Some(since) = &fold.since {
        unsaid(pass, tenant, from, since.maps);
    }
    let report = verifier.finish();
    pass.erased_parts += report.erased;
    for failure in &report.failures {
        pass.findings.add(failure.to_string(), failure.what.code());
    }
    let anchored: Vec<u64> = if !anchors.is_empty() && all_count && report.failures.is_empty() {
        anchors.iter().filter(|anchor| vouches(anchor)).filter_map(|anchor| marked_size(anchor)).collect()
    } else {
        Vec::new()
    };
    Ok(Done { size, root, fold, unsealed, anchored })
}

/// What is not said of a log that was not read from its beginning.
fn unsaid(pass: &mut Pass<'_>, tenant: &Tenant, from: u64, maps: u64) {
    let read = format!("`{tenant}` was read from entry {from} on: a checkpoint that was given vouches for those before");
    let rows = "rows of threads that did not go on since were not compared, nor was it looked whether those that went on had later records";
    pass.notices.push(format!("{read}; {rows}, or whether an instance was born before"));
    if maps > 0 {
        pass.notices.push(format!("{maps} map(s) of heads of `{tenant}` were not made anew: that takes the whole log"));
    }
}

fn stored_size(pass: &mut Pass<'_>, tenant: &Tenant, row: &Row, key: &NoteKey) {
    let note = row.text(1).unwrap_or_default();
    let said = Checkpoint::open(note.as_bytes(), key).map(|c| c.size);
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
    /// The entries before those that are read.
    below: Option<Below<'t>>,
    examiner: Examiner,
    fold: Fold,
    heads: Heads,
    tiles: Tiles,
    /// What the universe says of this log's roots.
    due: Due,
    next: u64,
    /// Entries that the rows of epochs name, as they were met.
    turned: Vec<u64>,
    sealed_at: Timestamp,
}

impl Walk<'_> {
    fn line(
        &mut self,
        tx: &Tx<'_>,
        pass: &mut Pass<'_>,
        page: &Page,
        line: &Line,
        seen: Option<&mut Seen<'_>>,
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

    fn entry(&mut self, tx: &Tx<'_>, pass: &mut Pass<'_>, page: &Page, row: &Entry, seen: &mut Seen<'_>) -> Result<(), Failure> {
        let tenant = self.tenant;
        let at = || format!("tenant {tenant}, seq {}, thread {}, n {}", row.seq, row.thread, row.n);
        let Some(examined) = &mut seen.examined else {
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
            epochs::hold(tx, pass, tenant, self.epochs, (row.seq, self.verifier.tree()), (kind, content));
            self.turned.extend(self.epochs.begins(row.seq).map(|_| row.seq));
        }
        examined.cite(self.verifier.next_prev(), &mut self.examiner);
        let streams = examined.record().header().is_some_and(|h| h.n.is_none());
        if !streams && row.stream_prev.is_some() {
            pass.findings.add(at(), "column stream_prev: the record is of no stream");
        }
        if let Some(e) = examined.record().list_error() {
            pass.findings.add(at(), format!("column parts: {e}"));
        }
        for key in &seen.asked.strange {
            pass.findings.add(at(), format!("column parts: the vault never had the key {key}"));
        }
        if let Some(header) = examined.record().header() {
            for key in &seen.asked.gone {
                pass.gone.take(*key, tenant, header.kind, Some(row.seq), &examined.record().hash());
            }
        }
        // Of what is disputed nothing is vouched for.
        if row.disputed.is_none() {
            owners::hold(pass, &at, examined.record())?;
        }
        if let Some(header) = examined.record().header() {
            let met = match &self.below {
                Some(below) => self.fold.meet(tx, pass, below, &header.thread, row.n, streams)?,
                None => None,
            };
            let stood = if met.is_some() { met } else { self.heads.stood(&header.thread)? };
            if let Some((n, last)) = stood {
                self.verifier.stood(header.thread, n, last);
            }
        }
        let is_map = kind == Some(Kind::Heads) && row.disputed.is_none();
        if let Some(since) = self.fold.since.as_mut().filter(|_| is_map) {
            since.maps += 1;
        } else if is_map {
            self.heads.hold(pass, tenant, row.seq, examined.record().part(Slot::Change))?;
        }
        self.verifier.push_examined(examined);
        if let Some(header) = examined.record().header()
            && let Some(stands) = self.verifier.leave(&header.thread)
        {
            self.heads.take(header, row.seq, stands, row.disputed.is_some())?;
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
            let taken = Taken { header, record: examined.record(), n: row.n, seq: Some(row.seq), readable };
            self.fold.take(&mut pass.findings, &pass.laws, &taken)?;
        }
        Ok(())
    }
}

/// Records that wait for their place: they count for the fold, and nothing vouches for them yet. How many, the age of the oldest,
/// and how many of them lie in the inbox: those have no place in their stream either, and count for no row.
fn queue(
    tx: &Tx<'_>,
    pass: &mut Pass<'_>,
    tenant: &Tenant,
    fold: &mut Fold,
    below: Option<&Below<'_>>,
) -> Result<((u64, i64), u64), Failure> {
    let mut examiner = Examiner::default();
    let now = pass.court.clock.now();
    let (mut count, mut oldest, mut waiting) = (0, 0, 0);
    let page = |last: Option<&Row>, limit| Ok(sql::queue_after(tenant, last.map(|row| row.int(0)).transpose()?, limit));
    tx.pages(page, |row| {
        let (Ok(thread), true) = (row.bytes(1).map(Handle), row.int(2)? != claim::CLAIMED) else {
            pass.findings.add(format!("hos_queue {tenant}, pos {}", row.int(0)?), "column thread or n: it leads to nothing");
            return Ok(());
        };
        count += 1;
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
            return Ok(());
        };
        if !row.is_null(3)? {
            pass.findings.add(at(), "the record has its place in the log already");
            return Ok(());
        }
        let mut asked = Asked::default();
        let record = examiner.record(stored.blob(0)?, stored.blob(1)?, |id| asked.key(pass.ring, id));
        asked.answered()?;
        for key in &asked.strange {
            pass.findings.add(at(), format!("column parts: the vault never had the key {key}"));
        }
        let Some(header) = record.header().filter(|_| record.list_error().is_none()) else {
            pass.findings.add(at(), "the record does not decode");
            return Ok(());
        };
        pass.records += 1;
        owners::hold(pass, &at, &record)?;
        oldest = oldest.max(now.0.saturating_sub(header.time.0));
        asked.gone.iter().for_each(|key| pass.gone.take(*key, tenant, header.kind, None, &record.hash()));
        if let Some(n) = n {
            if let Some(below) = below {
                fold.meet(tx, pass, below, &thread, n, header.n.is_none())?;
            }
            let before = fold.instances.get(&thread)?.map(|folded| (folded.n.saturating_add(1), Some(folded.last)));
            if before.is_some_and(|before| before != (n, header.prev)) {
                pass.findings.add(at(), "the record does not follow the one before it in its thread");
            }
            let taken = Taken { header, record: &record, n, seq: None, readable: true };
            fold.take(&mut pass.findings, &pass.laws, &taken)?;
        }
        Ok::<_, Failure>(())
    })?;
    if let Some(row) = tx.row(&sql::aside(tenant))?.filter(|row| row.int(0).is_ok_and(|count| count > 0)) {
        let at = format!("hos_queue {tenant}, pos {} to {}", row.int(1)?, row.int(2)?);
        pass.findings.add(at, format!("{} row(s) lead to no record that waits", row.int(0)?));
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
