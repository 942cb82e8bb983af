//! The entities and links that were judged, against the directory records that made them: nobody has a role that no record
//! gave.

use super::refused::Refused;
use super::rows::{At, Rows};
use super::story::{Cited, Story};
use crate::judge::decode_slice;
use crate::policy::{Entity, Link};
use crate::proof::record::Slot;

/// What checking the slices came to.
#[derive(Default)]
pub(super) struct Roles {
    /// Something that would have been needed is withheld.
    pub(super) withheld: bool,
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
    let (log, row) = rows.at(hash).ok_or_else(|| missing(at, &judged.uid))?;
    if !row.is_known() {
        return Ok(false);
    }
    if !row.is_of(&judged.uid) || row.is_removed() {
        return Err(other(at, &judged.uid));
    }
    // A tenant's row stands on the universe's row of the same entity, as that was at one of its records.
    let universe = if log == 0 { rows.of_universe(&judged.uid) } else { Vec::new() };
    let fits = |above: Option<At<'_>>| {
        let given = |parent| row.is_in(parent) || above.is_some_and(|above| above.is_in(parent));
        above.unwrap_or(row).attrs() == Some(&judged.attrs) && judged.parents.iter().all(given)
    };
    let holds = match &universe[..] {
        [] => fits(None),
        threads => threads.iter().flat_map(|thread| thread.standing(&judged.uid)).any(|above| fits(Some(above))),
    };
    // A row of the universe whose content is withheld may be the one that was judged.
    match (holds, log == 0 && !rows.is_universe_whole()) {
        (true, _) => Ok(true),
        (false, true) => Ok(false),
        (false, false) => Err(other(at, &judged.uid)),
    }
}

/// Says whether everything needed is disclosed.
fn of_link(rows: &Rows<'_>, judged: &Link, at: &str) -> Result<bool, Refused> {
    let shown = crate::id::Shown(&judged.id);
    let hash = judged.record.as_ref().ok_or_else(|| missing(at, &shown))?;
    let (_, row) = rows.at(hash).ok_or_else(|| missing(at, &shown))?;
    if !row.is_known() {
        return Ok(false);
    }
    if row.link() == Some(judged) { Ok(true) } else { Err(other(at, &shown)) }
}
