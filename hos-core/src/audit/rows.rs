//! What the threads of the directory come to, record after record.
//!
//! A thread may be long and is asked often: it is walked once, and what holds from a record on is kept as the places where that begins and
//! ends.

use super::item::Held;
use super::story::Cited;
use crate::call::Change;
use crate::canon::encode_record;
use crate::id::{Handle, RecordHash, Uid};
use crate::judge::decode_change;
use crate::policy::Link;
use crate::proof::record::{Decision, Kind, Slot};
use crate::value::Record;
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Whose a thread is.
#[derive(Clone, Default, PartialEq, Eq)]
enum Of {
    /// No change named anybody yet.
    #[default]
    Nobody,
    Entity(Arc<Uid>),
    Grants,
    /// A change does not decode, names another entity than the ones before, or is of the other sort: from here on it says
    /// nothing of anybody.
    Broken,
}

/// A row as a thread's record left it, but for its memberships.
#[derive(Clone, Default)]
struct Row {
    of: Of,
    /// None where it was never put, or was removed since.
    attrs: Option<Arc<Record>>,
    removed: bool,
    /// What a grant's thread says last.
    link: Option<Arc<Link>>,
}

/// A thread's rows, one a record, as far as every change of it is disclosed.
#[derive(Default)]
pub(super) struct Thread {
    rows: Vec<Row>,
    /// Where memberships begin and end, by turns.
    turns: HashMap<Uid, Vec<usize>>,
    members: BTreeSet<Uid>,
    whole: bool,
    /// Where it was somebody's and stood, by its attributes as they are encoded; made when it is first asked for.
    stood: OnceCell<HashMap<Vec<u8>, Vec<Range<usize>>>>,
}

/// Whether a record changed the directory.
fn changes(held: &Held<'_>) -> bool {
    held.header.kind == Kind::Directory && held.header.decision != Decision::Deny && held.header.refusal.is_none()
}

impl Thread {
    /// From a change on whose content is withheld, nothing is known any more.
    fn fold(records: &[Held<'_>]) -> Self {
        let mut thread = Self { whole: true, ..Self::default() };
        for held in records {
            let before = thread.rows.last().cloned().unwrap_or_default();
            let after = match held.content(Slot::Change) {
                _ if !changes(held) => before,
                Some(content) => thread.after(before, held, content),
                None => {
                    thread.whole = false;
                    break;
                }
            };
            thread.rows.push(after);
        }
        thread
    }

    fn after(&mut self, mut row: Row, held: &Held<'_>, content: &[u8]) -> Row {
        let Ok(change) = decode_change(content) else { return Row { of: Of::Broken, ..row } };
        row.of = match (row.of, named(&change)) {
            (Of::Nobody, Some(uid)) => Of::Entity(Arc::new(uid.clone())),
            (Of::Entity(own), Some(uid)) if *own == *uid => Of::Entity(own),
            (Of::Nobody | Of::Grants, None) => Of::Grants,
            _ => Of::Broken,
        };
        match change {
            Change::Put { attrs, .. } => (row.attrs, row.removed) = (Some(Arc::new(attrs)), false),
            Change::Remove { .. } => {
                for parent in std::mem::take(&mut self.members) {
                    self.turns.entry(parent).or_default().push(self.rows.len());
                }
                (row.attrs, row.removed) = (None, true);
            }
            // Whoever is known to the universe may be joined again: the row begins anew, without attributes of its own.
            Change::Join { parent, .. } => {
                row.removed = false;
                if self.members.insert(parent.clone()) {
                    self.turns.entry(parent).or_default().push(self.rows.len());
                }
            }
            Change::Leave { parent, .. } => {
                if self.members.remove(&parent) {
                    self.turns.entry(parent).or_default().push(self.rows.len());
                }
            }
            Change::Grant { id, template, principal, resource } => {
                row.link = Some(Arc::new(Link { id, template, principal, resource, record: Some(held.hash) }));
            }
            Change::Revoke { .. } => row.link = None,
        }
        row
    }

    /// Whether it stood with these attributes at one of its records, as the row of the entity that it is of, and was a member of all
    /// these parents then.
    ///
    /// What is asked comes from a stranger, who may ask much of a long thread: it is gone through where one of them begins or ends, and
    /// never once for each of them.
    pub(super) fn has_been(&self, attrs: &Record, parents: &[&Uid]) -> bool {
        let stood = self.stood.get_or_init(|| self.stretches());
        let Some(spans) = stood.get(&encode_record(attrs)) else { return false };
        let mut turns: Vec<(usize, bool)> = spans.iter().flat_map(|span| [(span.start, true), (span.end, false)]).collect();
        for parent in parents {
            let Some(own) = self.turns.get(*parent) else { return false };
            turns.extend(own.iter().enumerate().map(|(i, place)| (*place, i % 2 == 0)));
        }
        // At one place what ends comes before what begins.
        turns.sort_unstable();
        let mut holding = 0usize;
        turns.into_iter().any(|(_, begins)| {
            holding = if begins { holding + 1 } else { holding.saturating_sub(1) };
            holding == parents.len() + 1
        })
    }

    fn stretches(&self) -> HashMap<Vec<u8>, Vec<Range<usize>>> {
        let mut stood: HashMap<Vec<u8>, Vec<Range<usize>>> = HashMap::new();
        let mut place = 0;
        for rows in self.rows.chunk_by(Row::is_as) {
            let span = place..place + rows.len();
            place = span.end;
            if let Some(Row { of: Of::Entity(_), attrs: Some(attrs), removed: false, .. }) = rows.first() {
                stood.entry(encode_record(attrs)).or_default().push(span);
            }
        }
        stood
    }
}

impl Row {
    /// Whether the next row of a thread is as this one, but for its memberships.
    fn is_as(&self, next: &Row) -> bool {
        let same = match (&self.attrs, &next.attrs) {
            (Some(attrs), Some(next)) => Arc::ptr_eq(attrs, next),
            (None, None) => true,
            _ => false,
        };
        same && self.removed == next.removed && self.of == next.of
    }
}

fn named(change: &Change) -> Option<&Uid> {
    match change {
        Change::Put { uid, .. } | Change::Remove { uid } | Change::Join { uid, .. } | Change::Leave { uid, .. } => Some(uid),
        Change::Grant { .. } | Change::Revoke { .. } => None,
    }
}

/// A row at one of its thread's records.
#[derive(Clone, Copy)]
pub(super) struct At<'t> {
    thread: &'t Thread,
    place: usize,
}

impl<'t> At<'t> {
    fn row(&self) -> Option<&'t Row> {
        self.thread.rows.get(self.place)
    }

    /// Whether what it is here is disclosed.
    pub(super) fn is_known(&self) -> bool {
        self.row().is_some()
    }

    /// Whether it is this entity's, standing or removed.
    pub(super) fn is_of(&self, uid: &Uid) -> bool {
        matches!(self.row().map(|row| &row.of), Some(Of::Entity(own)) if **own == *uid)
    }

    /// Whether it was removed.
    pub(super) fn is_removed(&self) -> bool {
        self.row().is_some_and(|row| row.removed)
    }

    /// Its attributes, where it was put and stands.
    pub(super) fn attrs(&self) -> Option<&'t Record> {
        self.row()?.attrs.as_deref()
    }

    /// The grant that stands.
    pub(super) fn link(&self) -> Option<&'t Link> {
        self.row().filter(|row| row.of == Of::Grants)?.link.as_deref()
    }

    /// Whether it is a member of this parent.
    pub(super) fn is_in(&self, parent: &Uid) -> bool {
        self.thread.turns.get(parent).is_some_and(|turns| turns.partition_point(|turn| *turn <= self.place) % 2 == 1)
    }
}

/// The rows of every directory thread that is cited.
pub(super) struct Rows<'c> {
    cited: &'c Cited<'c>,
    threads: HashMap<(usize, Handle), Thread>,
    places: HashMap<RecordHash, ((usize, Handle), usize)>,
    /// Which threads of the universe are whose.
    universe: HashMap<Uid, Vec<(usize, Handle)>>,
    universe_whole: bool,
}

impl<'c> Rows<'c> {
    pub(super) fn of(cited: &'c Cited<'c>) -> Self {
        let (threads, places, universe) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut rows = Self { cited, threads, places, universe, universe_whole: true };
        for (slot, records) in &cited.threads {
            if !records.iter().any(|held| held.header.kind == Kind::Directory) {
                continue;
            }
            let thread = Thread::fold(records);
            rows.places.extend(records.iter().enumerate().map(|(i, held)| (held.hash, (*slot, i))));
            if slot.0 == 1 {
                rows.universe_whole &= thread.whole;
                let first = thread.rows.iter().find_map(|row| if let Of::Entity(uid) = &row.of { Some(uid) } else { None });
                if let Some(uid) = first {
                    rows.universe.entry((**uid).clone()).or_default().push(*slot);
                }
            }
            rows.threads.insert(*slot, thread);
        }
        rows
    }

    /// The log of a directory record, and the row that it left. A record that is none, or was refused, is as good as missing.
    pub(super) fn at(&self, hash: &RecordHash) -> Option<(usize, At<'_>)> {
        let (slot, place) = self.places.get(hash)?;
        self.cited.threads.get(slot)?.get(*place).filter(|held| changes(held))?;
        Some((slot.0, At { thread: self.threads.get(slot)?, place: *place }))
    }

    /// The threads of an entity in the universe's log.
    pub(super) fn of_universe(&self, uid: &Uid) -> Vec<&Thread> {
        self.universe.get(uid).into_iter().flatten().filter_map(|slot| self.threads.get(slot)).collect()
    }

    /// Whether every change of the universe's directory is disclosed.
    pub(super) fn is_universe_whole(&self) -> bool {
        self.universe_whole
    }
}
