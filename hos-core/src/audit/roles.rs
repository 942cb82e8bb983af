//! The entities and links that were judged, against the directory records that made them: nobody has a role that no record
//! gave.

use super::refused::Refused;
use super::rows::Rows;
use super::story::{Cited, Story};
use crate::canon::Writer;
use crate::id::Uid;
use crate::judge::decode_slice;
use crate::policy::{Entity, Link};
use crate::proof::record::Slot;
use std::collections::HashMap;

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
    // The same persons stand in slice after slice: each is looked at once.
    let mut looked_at: HashMap<Vec<u8>, bool> = HashMap::new();
    for (place, held) in story.records.iter().enumerate() {
        let at = format!("records {place}");
        roles.withheld |= held.withholds(Slot::Slice);
        for slice in held.contents(Slot::Slice) {
            let (entities, links) = decode_slice(slice)
                .map_err(|e| Refused::new("directory.other", at.as_str(), format!("the slice does not decode: {e}")))?;
            for entity in entities.iter().filter(|e| e.record.is_some()) {
                let said = encoded(entity);
                let is_shown = match looked_at.get(&said) {
                    Some(is_shown) => *is_shown,
                    None => {
                        let is_shown = of_entity(&rows, entity, &at)?;
                        looked_at.insert(said, is_shown);
                        is_shown
                    }
                };
                roles.withheld |= !is_shown;
            }
            for link in links.iter().filter(|l| l.record.is_some()) {
                roles.withheld |= !of_link(&rows, link, &at)?;
            }
        }
    }
    Ok(roles)
}

/// An entity with all that is said of it.
fn encoded(entity: &Entity) -> Vec<u8> {
    let mut w = Writer::default();
    w.bytes(entity.record.as_ref().map_or(&[][..], |record| record.as_bytes()));
    w.text(entity.uid.type_name()).text(entity.uid.id()).record(&entity.attrs);
    for parent in &entity.parents {
        w.text(parent.type_name()).text(parent.id());
    }
    w.finish()
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
    let others: Vec<&Uid> = judged.parents.iter().filter(|parent| !row.is_in(parent)).collect();
    let holds = match &universe[..] {
        [] => row.attrs() == Some(&judged.attrs) && others.is_empty(),
        threads => threads.iter().any(|thread| thread.has_been(&judged.attrs, &others)),
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
