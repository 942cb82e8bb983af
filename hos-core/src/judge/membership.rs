//! Directory changes: judged by policy like everything else, recorded, one thread a row.
//!
//! Accounts (the law's persons) live in the universe; a tenant adds memberships, roles, groups and grants of its own.

use super::bench::Bench;
use super::door;
use super::draft::{Drafting, Place};
use super::evidence;
use super::slice::Slice;
use super::{Judged, call_digest};
use crate::answer::Answer;
use crate::call::{Call, Change, Directory};
use crate::digest;
use crate::id::{DottedName, Handle, RecordHash, Uid};
use crate::law::mode::Mode;
use crate::limits::{ID_BYTES_MAX, PERSONS_NAMED_MAX};
use crate::policy::{Entity, Link, Request};
use crate::proof::record::{Kind, Slot};
use crate::refusal::{Blocker, Code};
use crate::time::Timestamp;
use crate::value::{Record, Value};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The thread of one directory row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryThread {
    /// Its handle.
    pub handle: Handle,
    /// The place of its last record.
    pub n: u64,
    /// The hash of its last record.
    pub last: RecordHash,
}

/// The tenant's own rows that a change concerns, present or removed.
#[derive(Debug, Clone, Default)]
pub struct DirectoryRows {
    /// The row of the entity changed, with whether it is removed.
    pub entity: Option<(DirectoryThread, Entity, bool)>,
    /// The row of the grant changed, with whether it is revoked.
    pub grant: Option<(DirectoryThread, Link, bool)>,
    /// What is looked at besides when a change is made. A record says nothing of it, so whoever judges one again leaves it away.
    pub beside: Option<Beside>,
}

/// What stands beside the rows that a change concerns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside {
    /// When the row's last record was made.
    pub last_time: Option<Timestamp>,
    /// Whether the universe has the entity: what a tenant puts there would say nothing, and come alive when the universe's goes.
    pub is_universes: bool,
    /// Whether a tenant has a grant of this id: as the universe's it would be there twice.
    pub is_granted: bool,
}

/// A directory row as it is after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryAfter {
    /// An entity's.
    Entity {
        /// Its thread.
        thread: DirectoryThread,
        /// What it is now.
        entity: Entity,
        /// Whether it is removed.
        removed: bool,
    },
    /// A grant's.
    Grant {
        /// Its thread.
        thread: DirectoryThread,
        /// What it is now.
        link: Link,
        /// Whether it is revoked.
        removed: bool,
    },
}

/// The reserved action, the resource it is judged on, and its context.
struct Asked {
    action: &'static str,
    resource: Uid,
    newborn: Option<Entity>,
    /// What is there, as it will be.
    after: Option<Entity>,
    context: Record,
}

/// Judges a directory change and makes its record.
pub fn change(bench: &Bench<'_>, call: &Directory, rows: &DirectoryRows) -> Judged {
    let mut answer = bench.blank();
    let stop = |mut answer: Answer, blocker: Blocker| {
        answer.blockers.push(blocker);
        refused(bench, answer, call, &Slice::default())
    };
    if !call.by.context.is_empty() {
        // A policy would wait for it in vain: what the record of a change keeps is the change's own.
        let detail = "a change of the directory takes no context: it is judged over who changes what";
        return stop(answer, Blocker::new(Code::CallMalformed, detail));
    }
    let asked = match asked(bench, &call.change, rows) {
        Ok(asked) => asked,
        Err(blocker) => return stop(answer, blocker),
    };
    if let Err(blocker) = bench.check_clock(rows.beside.and_then(|beside| beside.last_time)) {
        return stop(answer, blocker);
    }
    // A directory change is always enforced: a mode that let the world's own word stand would make anybody a manager.
    answer.mode = Mode::Enforce;
    let mut given = call.by.given.clone();
    given.extend(asked.newborn);
    let (ruling, mut slice) = match door::action(bench.active, asked.action) {
        Ok(action) => door::ruled(
            bench.active,
            &Request { principal: &call.by.principal, action, resource: &asked.resource, given: &given, context: &asked.context },
        ),
        Err(blocker) => {
            let by = &call.by.principal;
            (Err(blocker), Slice::around_these(bench.active, by, &asked.resource, &given, &asked.context))
        }
    };
    if let (Change::Revoke { .. }, Some((_, link, _))) = (&call.change, &rows.grant) {
        slice.also_link(link);
    }
    door::apply_ruling(&mut answer, ruling);
    // Nobody is to become what no decision could be made about any more, the one that mends it included.
    let misfit =
        asked.after.as_ref().filter(|_| answer.blockers.is_empty()).and_then(|after| bench.active.bound.fits(after).err());
    answer.blockers.extend(misfit);
    if answer.blockers.is_empty() && rows.beside.is_some() {
        answer.blockers.extend(asked.after.as_ref().and_then(|after| names_too_many(bench, after)));
    }
    if !answer.blockers.is_empty() {
        return refused(bench, answer, call, &slice);
    }
    answer.allowed = true;
    let once = call.once.as_ref().map(|key| (key.clone(), call_digest(&Call::Directory(call.clone()))));
    let before = match &call.change {
        Change::Grant { .. } | Change::Revoke { .. } => rows.grant.as_ref().map(|(t, ..)| *t),
        _ => rows.entity.as_ref().map(|(t, ..)| *t),
    };
    let mut fresh = [0u8; 16];
    digest::expand(&bench.seed, "thread handle", 0, &mut fresh);
    let handle = before.map_or(Handle(fresh), |t| t.handle);
    let n = before.map_or(0, |t| t.n + 1);
    let place = Place::Thread { handle, n, prev: before.map(|t| t.last) };
    let concerned = concerned(bench, &call.change, rows);
    let mut d = Drafting::new(bench, Kind::Directory, place, 0).request(call.by.request.as_ref()).decided(&[], &answer.policies);
    d.header().event = DottedName::new(operation(&call.change)).ok();
    d.part(Slot::Principal, Some(&call.by.principal).filter(|p| bench.is_person(p)), evidence::encode_entity(&call.by.principal));
    d.part(Slot::Change, concerned.as_ref(), evidence::encode_change(&call.change));
    if let Some((key, digest)) = &once {
        d.part(Slot::Once, concerned.as_ref(), evidence::encode_once(key, digest));
    }
    slice.parts(bench, &mut d);
    let draft = match d.finish() {
        Ok(draft) => draft,
        Err(blocker) => {
            answer.allowed = false;
            return stop(answer, blocker);
        }
    };
    let thread = DirectoryThread { handle, n, last: draft.hash };
    let after = apply(&call.change, rows, thread);
    Judged { answer, drafts: vec![draft], instance: None, messages: Vec::new(), once, directory: after }
}

/// The row after a change; what [`change`] has let through, so that a fold of records comes to the same.
pub fn apply(change: &Change, rows: &DirectoryRows, thread: DirectoryThread) -> Option<DirectoryAfter> {
    let record = Some(thread.last);
    let standing = rows.entity.as_ref().filter(|(.., removed)| !removed).map(|(_, e, _)| e.clone());
    let of = |uid: &Uid| {
        standing.clone().unwrap_or(Entity { uid: uid.clone(), attrs: Record::new(), parents: BTreeSet::new(), record })
    };
    let entity = |entity: Entity, removed| Some(DirectoryAfter::Entity { thread, entity: Entity { record, ..entity }, removed });
    match change {
        Change::Put { uid, attrs } => entity(Entity { attrs: attrs.clone(), ..of(uid) }, false),
        Change::Remove { uid } => entity(Entity { attrs: Record::new(), parents: BTreeSet::new(), ..of(uid) }, true),
        Change::Join { uid, parent } => {
            let mut e = of(uid);
            e.parents.insert(parent.clone());
            entity(e, false)
        }
        Change::Leave { uid, parent } => {
            let mut e = of(uid);
            e.parents.remove(parent);
            entity(e, false)
        }
        Change::Grant { id, template, principal, resource } => Some(DirectoryAfter::Grant {
            thread,
            link: Link {
                id: id.clone(),
                template: template.clone(),
                principal: principal.clone(),
                resource: resource.clone(),
                record,
            },
            removed: false,
        }),
        Change::Revoke { .. } => rows.grant.as_ref().map(|(_, link, _)| DirectoryAfter::Grant {
            thread,
            link: Link { record, ..link.clone() },
            removed: true,
        }),
    }
}

pub(super) fn operation(change: &Change) -> &'static str {
    match change {
        Change::Put { .. } => "directory.put",
        Change::Remove { .. } => "directory.remove",
        Change::Join { .. } => "directory.join",
        Change::Leave { .. } => "directory.leave",
        Change::Grant { .. } => "directory.grant",
        Change::Revoke { .. } => "directory.revoke",
    }
}

/// The person, if any, whose data a change is: the first person that it names.
pub(super) fn concerned(bench: &Bench<'_>, change: &Change, rows: &DirectoryRows) -> Option<Uid> {
    let named: Vec<Option<&Uid>> = match change {
        Change::Put { uid, .. } | Change::Remove { uid } => vec![Some(uid)],
        Change::Join { uid, parent } | Change::Leave { uid, parent } => vec![Some(uid), Some(parent)],
        Change::Grant { principal, resource, .. } => vec![principal.as_ref(), resource.as_ref()],
        Change::Revoke { .. } => {
            let link = rows.grant.as_ref().map(|(_, link, _)| link);
            link.map(|link| vec![link.principal.as_ref(), link.resource.as_ref()]).unwrap_or_default()
        }
    };
    named.into_iter().flatten().find(|uid| bench.is_person(uid)).cloned()
}

fn asked(bench: &Bench<'_>, change: &Change, rows: &DirectoryRows) -> Result<Asked, Blocker> {
    let directory = bench.active.bound.directory();
    let conflict = |what: String| Err(Blocker::new(Code::DirectoryConflict, what));
    let known = |uid: &Uid| {
        if directory.get(uid).is_some() { Ok(()) } else { Err(Blocker::new(Code::EntityMissing, format!("`{uid}`"))) }
    };
    let subject = |uid: &Uid| Record::from([("subject".to_owned(), Value::Entity(uid.clone()))]);
    match change {
        Change::Put { uid, attrs } => {
            let person = bench.is_person(uid);
            // Persons are the universe's; of the rest, whatever is there without a row of the asker's own.
            let is_anothers = match person {
                true => !bench.tenant.is_universe(),
                false => {
                    let above = rows.beside.is_some_and(|beside| beside.is_universes);
                    above || directory.get(uid).is_some() && rows.entity.is_none()
                }
            };
            if is_anothers {
                return conflict(format!("`{uid}` belongs to the universe, not to a tenant"));
            }
            let newborn = directory.get(uid).is_none().then(|| newborn_of(uid, attrs));
            let after = Some(match directory.get(uid) {
                Some(there) => Entity { attrs: attrs.clone(), ..there.clone() },
                None => newborn_of(uid, attrs),
            });
            let action = if person { "directory.account" } else { "directory.entity" };
            Ok(Asked { action, resource: uid.clone(), newborn, after, context: Record::new() })
        }
        Change::Remove { uid } => {
            known(uid)?;
            if rows.entity.as_ref().is_none_or(|(.., removed)| *removed) {
                return conflict(format!("`{uid}` has no row of this tenant's own"));
            }
            Ok(Asked { action: "directory.remove", resource: uid.clone(), newborn: None, after: None, context: Record::new() })
        }
        Change::Join { uid, parent } | Change::Leave { uid, parent } => {
            known(uid)?;
            known(parent)?;
            let own = rows.entity.as_ref().is_some_and(|(_, e, removed)| !removed && e.parents.contains(parent));
            match (change, own) {
                (Change::Join { .. }, true) => conflict(format!("`{uid}` is in `{parent}` already")),
                (Change::Leave { .. }, false) => conflict(format!("`{uid}` is not in `{parent}`")),
                (Change::Join { .. }, _) => {
                    let after = directory.get(uid).map(|there| {
                        let parents = there.parents.iter().chain([parent]).cloned().collect();
                        Entity { parents, ..there.clone() }
                    });
                    Ok(Asked {
                        action: "directory.member",
                        resource: parent.clone(),
                        newborn: None,
                        after,
                        context: subject(uid),
                    })
                }
                _ => Ok(Asked {
                    action: "directory.unmember",
                    resource: parent.clone(),
                    newborn: None,
                    after: None,
                    context: subject(uid),
                }),
            }
        }
        Change::Grant { id, template, principal, resource } => {
            // It determines decisions, whose records name it.
            if id.is_empty() || id.len() > ID_BYTES_MAX {
                return Err(Blocker::new(
                    Code::IdInvalid,
                    format!("a grant's id has 1 to {ID_BYTES_MAX} bytes, not {}", id.len()),
                ));
            }
            // The universe's grants are every tenant's too: one name is one grant.
            let elsewhere = rows.beside.is_some_and(|beside| beside.is_granted);
            if elsewhere || rows.grant.as_ref().is_some_and(|(.., removed)| !removed) || directory.link(id).is_some() {
                return conflict(format!("the grant `{}` exists already", crate::id::Shown(id)));
            }
            if bench.active.law.policy.has_policy(id) {
                return conflict(format!(
                    "a policy of the law is called `{}`: answers could not tell them apart",
                    crate::id::Shown(id)
                ));
            }
            let (name, policy) = (crate::id::Shown(template), &bench.active.law.policy);
            let Some(slots) = policy.template_slots(template) else {
                return Err(Blocker::new(Code::TemplateUnknown, format!("`{name}`")));
            };
            let filled = [("principal", slots.0, principal.is_some()), ("resource", slots.1, resource.is_some())];
            if let Some((slot, wanted, _)) = filled.into_iter().find(|(_, wanted, given)| wanted != given) {
                let detail = match wanted {
                    true => format!("`{name}` wants `?{slot}`, and no {slot} was given"),
                    false => format!("`{name}` has no `?{slot}`, and a {slot} was given"),
                };
                return Err(Blocker::new(Code::TemplateUnknown, detail));
            }
            principal.iter().chain(resource).try_for_each(known)?;
            grant_asked("directory.grant", template, principal.as_ref(), resource.as_ref())
        }
        Change::Revoke { id } => match &rows.grant {
            Some((_, link, false)) => {
                grant_asked("directory.revoke", &link.template, link.principal.as_ref(), link.resource.as_ref())
            }
            _ => conflict(format!("there is no grant `{}`", crate::id::Shown(id))),
        },
    }
}

fn newborn_of(uid: &Uid, attrs: &Record) -> Entity {
    Entity { uid: uid.clone(), attrs: attrs.clone(), parents: BTreeSet::new(), record: None }
}

/// What speaks against an entity whose attributes name persons, and theirs others in turn: judging anything about it takes them all in,
/// each in a part of the record of its own, and a record has room for so many. Nothing could be decided about it, its mending included;
/// nor about another whose attributes lead to it.
fn names_too_many<'a>(bench: &Bench<'a>, after: &'a Entity) -> Option<Blocker> {
    let will = named_from(bench, [after], Some(after));
    let others = will.keys().filter(|uid| **uid != &after.uid && bench.is_person(uid)).count();
    let own = (others > PERSONS_NAMED_MAX).then_some(&after.uid);
    let who = own.or_else(|| another_names_more(bench, after, &will))?;
    let detail = format!("`{who}` names more than {PERSONS_NAMED_MAX} persons, with those whom they name");
    Some(Blocker::new(Code::CallTooLarge, detail))
}

/// Somebody who would name too many by a change of one to whom their attributes lead, which will lead to these. Who does so already is
/// not counted: the change may be what mends them.
fn another_names_more<'a>(bench: &Bench<'a>, after: &'a Entity, will: &Named<'a>) -> Option<&'a Uid> {
    let directory = bench.active.bound.directory();
    // Whom it leads to already, they lead to as well; most changes bring nobody else.
    let was = named_from(bench, directory.get(&after.uid), None);
    if will.keys().all(|uid| was.contains_key(uid) || !bench.is_person(uid)) {
        return None;
    }
    let others = directory.leading_to(&after.uid).into_iter().filter(|uid| **uid != after.uid);
    let others: Vec<&Entity> = others.filter_map(|uid| directory.get(uid)).collect();
    let named = |changed| persons_named(bench, &named_from(bench, others.iter().copied(), changed));
    let (was, will) = (named(None), named(Some(after)));
    let too_many = |named: &Named<'a>, who: &Uid| {
        named.get(who).is_some_and(|persons| persons.iter().filter(|person| **person != who).count() > PERSONS_NAMED_MAX)
    };
    others.into_iter().map(|other| &other.uid).find(|who| too_many(&will, who) && !too_many(&was, who))
}

/// Entities, each with those whom its attributes name.
type Named<'a> = BTreeMap<&'a Uid, BTreeSet<&'a Uid>>;

/// These entities and those of the directory to whom attributes lead from them; one that is changed, as it will be.
fn named_from<'a>(bench: &Bench<'a>, from: impl IntoIterator<Item = &'a Entity>, changed: Option<&'a Entity>) -> Named<'a> {
    let directory = bench.active.bound.directory();
    let there = |uid: &'a Uid| changed.filter(|changed| changed.uid == *uid).or_else(|| directory.get(uid));
    let (mut found, mut open) = (Named::new(), Vec::new());
    open.extend(from.into_iter().filter_map(|entity| there(&entity.uid)));
    while let Some(entity) = open.pop() {
        if let Entry::Vacant(place) = found.entry(&entity.uid) {
            let names: BTreeSet<&Uid> = entity.names().into_iter().collect();
            open.extend(names.iter().copied().filter_map(&there));
            place.insert(names);
        }
    }
    found
}

/// The persons to whom each of these leads, itself among them where it leads back to itself. Of too many only so many are kept that they
/// are too many without that one: so each is told of no more persons than may be, however many lead to whom.
fn persons_named<'a>(bench: &Bench<'_>, all: &Named<'a>) -> Named<'a> {
    let mut naming: BTreeMap<&Uid, Vec<&'a Uid>> = BTreeMap::new();
    let mut open: Vec<(&'a Uid, &'a Uid)> = Vec::new();
    for (by, names) in all {
        for uid in names.iter().filter(|uid| all.contains_key(**uid)) {
            naming.entry(*uid).or_default().push(*by);
            open.extend(bench.is_person(uid).then_some((*by, *uid)));
        }
    }
    let mut persons = Named::new();
    while let Some((who, person)) = open.pop() {
        let known = persons.entry(who).or_default();
        if known.len() < PERSONS_NAMED_MAX + 2 && known.insert(person) {
            open.extend(naming.get(who).into_iter().flatten().map(|by| (*by, person)));
        }
    }
    persons
}

/// A grant is judged on what it is given over: its resource, or without one its principal.
fn grant_asked(action: &'static str, template: &str, principal: Option<&Uid>, resource: Option<&Uid>) -> Result<Asked, Blocker> {
    let Some(on) = resource.or(principal) else {
        return Err(Blocker::new(Code::TemplateUnknown, "a grant without principal and resource".to_owned()));
    };
    let mut context = Record::from([("template".to_owned(), Value::String(template.to_owned()))]);
    if let Some(principal) = principal {
        context.insert("subject".to_owned(), Value::Entity(principal.clone()));
    }
    Ok(Asked { action, resource: on.clone(), newborn: None, after: None, context })
}

fn refused(bench: &Bench<'_>, mut answer: Answer, call: &Directory, slice: &Slice) -> Judged {
    Answer::settle_precedence(&mut answer.blockers);
    let whose = Some(&call.by.principal).filter(|p| bench.is_person(p));
    let Ok(stream) = DottedName::new(crate::proof::record::STREAM_REFUSED) else { return Judged::only(answer) };
    let mut d = Drafting::new(bench, Kind::Refused, Place::Stream(stream), 0)
        .request(call.by.request.as_ref())
        .decided(&answer.blockers, &answer.policies);
    d.header().event = DottedName::new(operation(&call.change)).ok();
    d.part(Slot::Principal, whose, evidence::encode_entity(&call.by.principal));
    d.part(Slot::Blockers, whose, evidence::encode_blockers(&answer.blockers));
    d.part(Slot::Change, whose, evidence::encode_change(&call.change));
    slice.parts(bench, &mut d);
    let drafts = d.finish().into_iter().collect();
    Judged { answer, drafts, instance: None, messages: Vec::new(), once: None, directory: None }
}
