//! Records of the engine's own acts: founding, keys, activations, tenants, erasures; and directory rows that a founding
//! attests instead of judging.

use super::bench::Bench;
use super::draft::{Draft, Drafting, Place};
use super::evidence;
use super::instance::Instance;
use super::membership::{self, DirectoryAfter, DirectoryRows, DirectoryThread};
use super::slice::Slice;
use crate::answer::Answer;
use crate::call::{By, Change};
use crate::digest;
use crate::id::{DottedName, Handle, RecordHash, Uid};
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

/// The record of an act; refused where its header would be too large, or the stream's name is none. By a clock that cannot be nobody has
/// one written: what they ask for can be asked again. What the engine does of itself (a key, an epoch) must be written all the same.
pub fn act(bench: &Bench<'_>, act: &Act<'_>) -> Result<Draft, Blocker> {
    act_about(bench, act, None)
}

/// The record of an act whose content is a person's.
pub fn act_about(bench: &Bench<'_>, act: &Act<'_>, subject: Option<&Uid>) -> Result<Draft, Blocker> {
    if act.by.is_some() {
        bench.check_clock(None)?;
    }
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
    d.part(Slot::Change, subject, act.change.to_vec());
    if let Some((_, slice)) = act.judged {
        slice.parts(bench, &mut d);
    }
    d.finish()
}

/// The thread that an erasure ends.
#[derive(Debug, Clone, Copy)]
pub enum Ended<'a> {
    /// An instance's; it stays in its state.
    Instance(&'a Instance),
    /// A directory row's.
    Row(DirectoryThread),
}

/// The last record of an erased thread: who asked for it, and what the erasure says. A clock that went back is refused as for
/// any record of the thread.
pub fn end(
    bench: &Bench<'_>,
    ended: Ended<'_>,
    by: Option<&Uid>,
    change: &[u8],
    judged: Option<&Answer>,
) -> Result<Draft, Blocker> {
    let (handle, n, last, last_time): (Handle, u64, RecordHash, _) = match ended {
        Ended::Instance(i) => (i.handle, i.n, i.last, Some(i.last_time)),
        Ended::Row(thread) => (thread.handle, thread.n, thread.last, None),
    };
    bench.check_clock(last_time)?;
    let mut d = Drafting::new(bench, Kind::Erased, Place::Thread { handle, n: n + 1, prev: Some(last) }, 0);
    if let Some(answer) = judged {
        d = d.decided(&answer.blockers, &answer.policies);
    }
    if let Ended::Instance(i) = ended {
        d.header().contract = Some(i.contract.clone());
        d.header().contract_version = Some(i.contract_version);
        d.header().from = Some(i.state.clone());
        d.header().to = Some(i.state.clone());
    }
    if let Some(by) = by {
        d.part(Slot::Principal, Some(by).filter(|p| bench.is_person(p)), evidence::encode_entity(by));
    }
    d.part(Slot::Change, None, change.to_vec());
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
    let person = membership::concerned(bench, change, rows);
    d.part(Slot::Change, person.as_ref(), evidence::encode_change(change));
    let draft = d.finish()?;
    let after = membership::apply(change, rows, DirectoryThread { handle, n, last: draft.hash });
    Ok((draft, after))
}
