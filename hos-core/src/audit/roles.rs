//! The entities and links that were judged, against the directory records that made them: nobody has a role that no record
//! gave.

use super::item::Held;
use super::refused::Refused;
use super::story::{Cited, Story};
use crate::id::{Handle, RecordHash};
use crate::judge::{DirectoryAfter, DirectoryRows, DirectoryThread, apply_change, decode_change, decode_slice};
use crate::policy::{Entity, Link};
use crate::proof::record::{Decision, Kind, Slot};
use std::collections::HashMap;

/// What checking the slices came to.
#[derive(Default)]
pub(super) struct Roles {
    /// Something that would have been needed is withheld.
    pub(super) withheld: bool,
}

/// A row as a thread's record left it; `None` where a part that says it is withheld.
type Row = Option<DirectoryAfter>;

/// Each directory thread's rows, one a record.
struct Rows<'c> {
    cited: &'c Cited<'c>,
    by_thread: HashMap<(usize, Handle), Vec<Row>>,
    places: HashMap<RecordHash, ((usize, Handle), usize)>,
}

impl<'c> Rows<'c> {
    fn of(cited: &'c Cited<'c>) -> Self {
        let mut rows = Self { cited, by_thread: HashMap::new(), places: HashMap::new() };
        for (slot, thread) in &cited.threads {
            if thread.first().is_some_and(|held| held.header.kind == Kind::Directory) {
                rows.by_thread.insert(*slot, fold(thread));
                rows.places.extend(thread.iter().enumerate().map(|(i, held)| (held.hash, (*slot, i))));
            }
        }
        rows
    }

    /// The row that a directory record left. A record that is none, or was refused, is as good as missing.
    fn at(&self, hash: &RecordHash) -> Option<((usize, Handle), usize, &Row)> {
        let (slot, place) = self.places.get(hash)?;
        let held = self.cited.threads.get(slot)?.get(*place)?;
        let made = held.header.kind == Kind::Directory && held.header.decision != Decision::Deny;
        Some((*slot, *place, self.by_thread.get(slot)?.get(*place)?)).filter(|_| made)
    }
}

/// A thread's rows. From a record on whose content is withheld, nothing is known any more.
fn fold(thread: &[Held<'_>]) -> Vec<Row> {
    let mut known = true;
    let mut last: Row = None;
    let mut rows = Vec::with_capacity(thread.len());
    for held in thread {
        let change = held.content(Slot::Change).and_then(|bytes| decode_change(bytes).ok());
        let this = DirectoryThread { handle: held.header.thread, n: held.header.n.unwrap_or_default(), last: held.hash };
        let before = match &last {
            Some(DirectoryAfter::Entity { thread, entity, removed }) => {
                DirectoryRows { entity: Some((*thread, entity.clone(), *removed)), grant: None }
            }
            Some(DirectoryAfter::Grant { thread, link, removed }) => {
                DirectoryRows { entity: None, grant: Some((*thread, link.clone(), *removed)) }
            }
            None => DirectoryRows::default(),
        };
        last = change.filter(|_| known).and_then(|change| apply_change(&change, &before, this));
        known = last.is_some();
        rows.push(last.clone());
    }
    rows
}

/// Checks every opened slice of the story.
pub(super) fn check(story: &Story<'_>, cited: &Cited<'_>) -> Result<Roles, Refused> {
    let rows = Rows::of(cited);
    let mut roles = Roles::default();
    for (place, held) in story.records.iter().enumerate() {
        let at = format!("records {place}");
        roles.withheld |= held.withholds(Slot::Slice);
        for slice in held.contents(Slot::Slice) {
            let (entities, links) = decode_slice(slice)
                .map_err(|e| Refused::new("directory.other", at.as_str(), format!("the slice does not decode: {e}")))?;
            for entity in entities.iter().filter(|e| e.record.is_some()) {
                roles.withheld |= !of_entity(&rows, entity, &at)?;
            }
            for link in links.iter().filter(|l| l.record.is_some()) {
                roles.withheld |= !of_link(&rows, link, &at)?;
            }
        }
    }
    Ok(roles)
}

fn missing(at: &str, what: &dyn std::fmt::Display) -> Refused {
    Refused::new("directory.missing", at, format!("no directory record in the bundle made `{what}`"))
}

fn other(at: &str, what: &dyn std::fmt::Display) -> Refused {
    Refused::new("directory.other", at, format!("the directory records come to another `{what}` than was judged"))
}

/// Says whether everything needed is disclosed.
fn of_entity(rows: &Rows<'_>, judged: &Entity, at: &str) -> Result<bool, Refused> {
    let hash = judged.record.as_ref().ok_or_else(|| missing(at, &judged.uid))?;
    let ((log, _), _, row) = rows.at(hash).ok_or_else(|| missing(at, &judged.uid))?;
    let Some(row) = row else { return Ok(false) };
    let DirectoryAfter::Entity { entity, removed: false, .. } = row else { return Err(other(at, &judged.uid)) };
    if entity.uid != judged.uid {
        return Err(other(at, &judged.uid));
    }
    let fits = |above: Option<&Entity>| {
        let attrs = above.map_or(&entity.attrs, |a| &a.attrs);
        let given = |parent| entity.parents.contains(parent) || above.is_some_and(|a| a.parents.contains(parent));
        judged.attrs == *attrs && judged.parents.iter().all(given)
    };
    // A tenant's row stands on the universe's row of the same entity, as that was at some time.
    let (mut above, mut unknown) = (false, false);
    if log == 0 {
        for (_, thread) in rows.by_thread.iter().filter(|((log, _), _)| *log == 1) {
            let is_of = |row: &Row| matches!(row, Some(DirectoryAfter::Entity { entity, .. }) if entity.uid == judged.uid);
            above |= thread.iter().any(is_of);
            unknown |= thread.iter().any(Option::is_none);
            let mut standing = thread.iter().filter_map(|row| match row {
                Some(DirectoryAfter::Entity { entity, removed: false, .. }) if entity.uid == judged.uid => Some(entity),
                _ => None,
            });
            if standing.any(|entity| fits(Some(entity))) {
                return Ok(true);
            }
        }
    }
    match (above, unknown) {
        (false, _) if fits(None) => Ok(true),
        // A row of the universe whose content is withheld may be this entity's.
        (false, true) => Ok(false),
        _ => Err(other(at, &judged.uid)),
    }
}

/// Says whether everything needed is disclosed.
fn of_link(rows: &Rows<'_>, judged: &Link, at: &str) -> Result<bool, Refused> {
    let shown = crate::id::Shown(&judged.id);
    let hash = judged.record.as_ref().ok_or_else(|| missing(at, &shown))?;
    let (.., row) = rows.at(hash).ok_or_else(|| missing(at, &shown))?;
    match row {
        None => Ok(false),
        Some(DirectoryAfter::Grant { link, removed: false, .. }) if link == judged => Ok(true),
        Some(_) => Err(other(at, &shown)),
    }
}
