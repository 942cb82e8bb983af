//! Records of the engine's own acts: founding, keys, activations, tenants, erasures; and directory rows that a founding
//! attests instead of judging.

use super::bench::Bench;
use super::draft::{Draft, Drafting, Place};
use super::evidence;
use super::membership::{self, DirectoryAfter, DirectoryRows, DirectoryThread};
use super::slice::Slice;
use crate::answer::Answer;
use crate::call::{By, Change};
use crate::digest;
use crate::id::{DottedName, Handle};
use crate::proof::record::{Kind, Slot};
use crate::refusal::Blocker;

/// An act of the engine itself.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// What kind of record.
    pub kind: Kind,
    /// The stream it goes to (`hos.law`).
    pub stream: &'a str,
    /// Who asked for it; nobody at a founding.
    pub by: Option<&'a By>,
    /// What was done, in the shape that `spec/proof-record.md` gives for the kind.
    pub change: &'a [u8],
    /// The policies' word, where they were asked.
    pub judged: Option<(&'a Answer, &'a Slice)>,
}

/// The record of an act; refused where its header would be too large, or the stream's name is none.
pub fn act(bench: &Bench<'_>, act: &Act<'_>) -> Result<Draft, Blocker> {
    let name = DottedName::new(act.stream).map_err(|e| Blocker::new(crate::refusal::Code::IdInvalid, e.to_string()))?;
    let mut d = Drafting::new(bench, act.kind, Place::Stream(name.clone()), 0);
    if let Some((answer, _)) = act.judged {
        d = d.decided(&answer.blockers, &answer.policies);
    }
    d.header().event = Some(name);
    if let Some(by) = act.by {
        let person = Some(&by.principal).filter(|p| bench.is_person(p));
        d.part(Slot::Principal, person, evidence::encode_entity(&by.principal));
        d.part(Slot::Context, person, evidence::encode_record(&by.context));
    }
    d.part(Slot::Change, None, act.change.to_vec());
    if let Some((_, slice)) = act.judged {
        slice.parts(bench, &mut d);
    }
    d.finish()
}

/// A directory row that a founding attests: its record says so by deciding nothing.
pub fn attest(bench: &Bench<'_>, change: &Change, rows: &DirectoryRows) -> Result<(Draft, Option<DirectoryAfter>), Blocker> {
    let before = rows.entity.as_ref().map(|(t, ..)| *t);
    let mut fresh = [0u8; 16];
    digest::expand(&bench.seed, "thread handle", 0, &mut fresh);
    let handle = before.map_or(Handle(fresh), |t| t.handle);
    let n = before.map_or(0, |t| t.n + 1);
    let mut d = Drafting::new(bench, Kind::Directory, Place::Thread { handle, n, prev: before.map(|t| t.last) }, 0);
    d.header().event = DottedName::new(membership::operation(change)).ok();
    let person = membership::concerned(change, rows).filter(|uid| bench.is_person(uid));
    d.part(Slot::Change, person.as_ref(), evidence::encode_change(change));
    let draft = d.finish()?;
    let after = membership::apply(change, rows, DirectoryThread { handle, n, last: draft.hash });
    Ok((draft, after))
}
