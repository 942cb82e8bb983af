//! What comes with a call: checked against the schema and the directory, and closed against both.

use super::cedar::entity::Form;
use super::cedar::light::Surroundings;
use super::cedar::value::{Attrs, TypeNames};
use super::cedar::{CoreEntity, EntityType, Key, uid};
use super::directory::{Above, Directory, Node, cycle};
use super::law::PolicyLaw;
use super::request::{Entity, Request};
use super::shape::ActionInfo;
use crate::id::Uid;
use crate::refusal::{Blocker, Code};
use crate::value::{Record, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Up to here a list is faster than a map.
const FEW: usize = 16;

/// One request on its way to being prepared.
pub(super) struct Case<'a> {
    law: &'a PolicyLaw,
    directory: &'a Directory,
    request: &'a Request<'a>,
    action: &'a ActionInfo,
    places: Places<'a>,
    /// Another law, by whose schema the world is made. Without one this law's schema must know all that there is.
    in_force: Option<&'a PolicyLaw>,
}

/// A given entity, closed against the directory and the other given ones.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) key: Key,
    pub(super) uids: Vec<Uid>,
    pub(super) keys: Vec<Key>,
    form: Form,
    depth: usize,
}

impl Closed {
    /// Its attributes in Cedar's words.
    pub(super) fn attrs(&self) -> &Attrs {
        self.form.attrs()
    }

    /// The whole of it in Cedar's words; `entity` is what was closed.
    pub(super) fn core(&self, entity: &Entity) -> &Arc<CoreEntity> {
        let above = self.uids.iter().zip(&self.keys);
        self.form.whole(&self.key, above.map(|(uid, key)| (key, entity.parents.contains(uid))))
    }
}

type Closing = Result<Vec<Arc<Closed>>, Blocker>;

/// What the last of several requests brought along, and what came of it under one law and directory. Compared as a whole, which takes
/// a small part of the time that closing it takes, and telling Cedar of it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    given: Mutex<Option<(Vec<Entity>, Closing)>>,
    context: Mutex<Option<(Record, Result<Surroundings, String>)>>,
}

impl Kept {
    /// The given ones, closed.
    pub(super) fn closed(&self, case: &Case<'_>) -> Closing {
        let given = case.request.given;
        if given.len() <= FEW && !given.iter().any(|entity| entity.attrs.values().any(is_large)) {
            return case.close_given();
        }
        again(&self.given, |known: &Vec<Entity>| known == given, || (given.to_vec(), case.close_given()))
    }

    /// The context in Cedar's words.
    pub(super) fn context(&self, context: &Record, law: &PolicyLaw) -> Result<Surroundings, String> {
        let made = || Surroundings::new(context, &mut LawNames(law));
        if context.len() <= FEW && !context.values().any(is_large) {
            return made();
        }
        again(&self.context, |known: &Record| known == context, || (context.clone(), made()))
    }
}

/// Whether a value may hold many others, so that making it costs more than comparing it.
fn is_large(value: &Value) -> bool {
    matches!(value, Value::Set(_) | Value::Record(_))
}

/// What was made of the same the last time, or is made now.
fn again<K, M: Clone>(kept: &Mutex<Option<(K, M)>>, is_same: impl Fn(&K) -> bool, make: impl FnOnce() -> (K, M)) -> M {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, made)) = kept.as_ref().filter(|(known, _)| is_same(known)) {
        return made.clone();
    }
    let (of, made) = make();
    *kept = Some((of, made.clone()));
    made
}

/// Where among the given ones an entity stands.
struct Places<'a> {
    given: &'a [Entity],
    many: Option<HashMap<&'a Uid, usize>>,
}

impl<'a> Places<'a> {
    fn new(given: &'a [Entity]) -> Self {
        let many = (given.len() > FEW).then(|| given.iter().enumerate().map(|(i, e)| (&e.uid, i)).collect());
        Self { given, many }
    }

    fn of(&self, uid: &Uid) -> Option<usize> {
        match &self.many {
            Some(many) => many.get(uid).copied(),
            None => self.given.iter().position(|e| e.uid == *uid),
        }
    }

    fn any_twice(&self) -> bool {
        match &self.many {
            Some(many) => many.len() != self.given.len(),
            None => self.given.iter().enumerate().any(|(i, e)| self.of(&e.uid) != Some(i)),
        }
    }

    /// Per given entity, which given ones have it as a parent; nothing where they are few, and asked one by one.
    fn children(&self) -> Option<Vec<Vec<usize>>> {
        let many = self.many.as_ref()?;
        let mut children = vec![Vec::new(); self.given.len()];
        for (child, entity) in self.given.iter().enumerate() {
            for place in entity.parents.iter().filter_map(|p| many.get(p)) {
                children[*place].push(child);
            }
        }
        Some(children)
    }
}

impl<'a> Case<'a> {
    pub(super) fn new(
        law: &'a PolicyLaw,
        directory: &'a Directory,
        request: &'a Request<'a>,
        action: &'a ActionInfo,
        in_force: Option<&'a PolicyLaw>,
    ) -> Self {
        Self { law, directory, request, action, places: Places::new(request.given), in_force }
    }

    /// Whether an entity is there by a law's word: this one's, or that of the law in force.
    pub(super) fn declares(&self, uid: &Uid) -> bool {
        self.law.tables.declares(uid) || self.in_force.is_some_and(|law| law.tables.declares(uid))
    }

    pub(super) fn gives(&self, uid: &Uid) -> bool {
        self.places.of(uid).is_some()
    }

    /// Every entity that the call names is given, stored or declared. Returns the stored ones that the context or an attribute
    /// names: judging may read them.
    pub(super) fn named(&self, resource: Option<&'a Node>) -> Result<Vec<&'a Node>, Blocker> {
        let missing = |uid: &Uid| Blocker::new(Code::EntityMissing, format!("nobody gives {uid}"));
        // A type that the schema lacks, or of which there are more choices by now, has its entities by the law in force.
        let elsewhere = |uid: &Uid| self.law.tables.types.get(uid.type_name()).is_none_or(|info| info.choices.is_some());
        let declared = |uid: &Uid| self.declares(uid) || self.in_force.is_some() && elsewhere(uid);
        let stored = |uid: &Uid| {
            if self.gives(uid) {
                return Ok(None);
            }
            match self.directory.node(uid) {
                None if !declared(uid) => Err(missing(uid)),
                node => Ok(node.map(|node| &**node)),
            }
        };
        let uid = self.request.resource;
        if resource.is_none() && !self.gives(uid) && !declared(uid) {
            return Err(missing(uid));
        }
        let (mut read, mut named) = (Vec::new(), Vec::new());
        self.request.context.values().for_each(|v| v.entities(&mut named));
        for uid in named.drain(..) {
            read.extend(stored(uid)?);
        }
        for entity in self.request.given {
            entity.parents.iter().try_for_each(|uid| stored(uid).map(drop))?;
            entity.attrs.values().for_each(|v| v.entities(&mut named));
            for uid in named.drain(..) {
                read.extend(stored(uid)?);
            }
        }
        Ok(read)
    }

    /// Context and given entities are as the schema declares them, and none takes the place of a stored one.
    pub(super) fn given_fit(&self) -> Result<(), Blocker> {
        let mut first: Option<Blocker> = None;
        let mut keep = |blocker: Blocker| {
            let rank = |b: &Blocker| b.hos().map_or(u16::MAX, Code::number);
            if first.as_ref().is_none_or(|f| rank(&blocker) < rank(f)) {
                first = Some(blocker);
            }
        };
        let (shape, context, whole) = (&self.action.context, self.request.context, self.in_force.is_none());
        let fits_context = if whole { shape.check(context) } else { shape.check_declared(context) };
        if let Err(misfit) = fits_context {
            keep(misfit.of(&"context"));
        }
        for entity in self.request.given {
            let fits = if whole { fits } else { fits_where_declared };
            if let Err(blocker) = fits(self.law, entity) {
                keep(blocker);
            }
            let directory = self.directory;
            if directory.node(&entity.uid).is_some() || whole && self.law.tables.declares(&entity.uid) {
                let detail = format!("{} is given, but stands in the directory or the law already", entity.uid);
                keep(Blocker::new(Code::DirectoryConflict, detail));
            } else if directory.names_as_parent(&entity.uid) {
                let detail = format!("{} is given, but the directory has members of it", entity.uid);
                keep(Blocker::new(Code::DirectoryConflict, detail));
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// No entity is given twice: by a caller, or beside the one that judging itself makes of an instance or a newborn.
    pub(super) fn gives_each_once(&self) -> Result<(), Blocker> {
        match self.places.any_twice() {
            true => Err(Blocker::new(Code::CallMalformed, "an entity is given twice")),
            false => Ok(()),
        }
    }

    /// Closes the given entities, parents first; each stands at its own place among them.
    pub(super) fn close_given(&self) -> Closing {
        let given = self.request.given;
        self.gives_each_once()?;
        let mut closed: Vec<Option<Arc<Closed>>> = vec![None; given.len()];
        let waits_for = |e: &Entity| e.parents.iter().filter(|p| self.gives(p)).count();
        let mut open: Vec<usize> = given.iter().map(waits_for).collect();
        let mut ready: Vec<usize> = (0..given.len()).filter(|i| open[*i] == 0).collect();
        let children = self.places.children();
        while let Some(i) = ready.pop() {
            let entity = &given[i];
            let node = self.close_one(entity, |parent| closed[self.places.of(parent)?].as_deref())?;
            closed[i] = Some(Arc::new(node));
            let mut one_less = |child: usize| {
                open[child] -= 1;
                if open[child] == 0 {
                    ready.push(child);
                }
            };
            match &children {
                Some(children) => children[i].iter().copied().for_each(one_less),
                None => {
                    let under = |(_, e): &(usize, &Entity)| e.parents.contains(&entity.uid);
                    given.iter().enumerate().filter(under).for_each(|(child, _)| one_less(child));
                }
            }
        }
        if closed.iter().any(Option::is_none) {
            let waiting =
                given.iter().zip(&closed).filter(|(_, closed)| closed.is_none()).map(|(e, _)| (e.uid.clone(), e.clone()));
            let detail = format!("the given entities have a cycle: {}", cycle(&waiting.collect()).unwrap_or_default());
            return Err(Blocker::new(Code::HierarchyInvalid, detail));
        }
        Ok(closed.into_iter().flatten().collect())
    }

    fn close_one<'c>(&self, entity: &Entity, closed: impl Fn(&Uid) -> Option<&'c Closed>) -> Result<Closed, Blocker> {
        let mut names = LawNames(self.law);
        let above = Above::of(&entity.uid, &entity.parents, |parent| match closed(parent) {
            Some(c) => Some((c.key.clone(), &*c.uids, &*c.keys, c.depth)),
            None => {
                let node = self.directory.node(parent)?;
                Some((node.key.clone(), &*node.ancestors, &*node.ancestor_keys, node.depth))
            }
        })?;
        let refuse = |detail: String| Blocker::new(Code::AttributeType, format!("{}: {detail}", entity.uid));
        let key = Key::of(&entity.uid, names.entity_uid(&entity.uid).map_err(refuse)?);
        let form = Form::new(&entity.attrs, &mut names).map_err(refuse)?;
        Ok(Closed { key, uids: above.uids, keys: above.keys, form, depth: above.depth })
    }
}

/// One entity against its declared shape and parents.
pub(super) fn fits(law: &PolicyLaw, entity: &Entity) -> Result<(), Blocker> {
    let uid = &entity.uid;
    let Some(info) = law.tables.types.get(uid.type_name()) else {
        return Err(Blocker::new(Code::AttributeUnknown, format!("{uid}: its type is not declared")));
    };
    if info.choices.as_ref().is_some_and(|choices| !choices.contains(uid.id())) {
        return Err(Blocker::new(Code::AttributeType, format!("{uid}: not one of the ids that its type has")));
    }
    info.shape.check(&entity.attrs).map_err(|m| m.of(uid))?;
    match entity.parents.iter().find(|p| !info.within.contains(p.type_name())) {
        Some(parent) => {
            let detail = format!("{uid}: the schema does not let it be in {parent}");
            Err(Blocker::new(Code::HierarchyInvalid, detail))
        }
        None => Ok(()),
    }
}

/// One entity against what its schema declares of it: of all else that it has or is in, the schema says nothing.
pub(super) fn fits_where_declared(law: &PolicyLaw, entity: &Entity) -> Result<(), Blocker> {
    let Some(info) = law.tables.types.get(entity.uid.type_name()) else { return Ok(()) };
    info.shape.check_declared(&entity.attrs).map_err(|m| m.of(&entity.uid))
}

/// Names of the law's own types.
pub(super) struct LawNames<'l>(pub(super) &'l PolicyLaw);

impl TypeNames for LawNames<'_> {
    fn entity_type(&mut self, name: &str) -> Option<EntityType> {
        match self.0.tables.types.get(name) {
            Some(info) => Some(info.core.clone()),
            None => uid::entity_type(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn what_is_the_same_as_the_last_is_made_once() {
        let (kept, times) = (Mutex::new(None), Cell::new(0));
        let asked = |key: u32| {
            let make = || {
                times.set(times.get() + 1);
                (key, key * 10)
            };
            again(&kept, |known| *known == key, make)
        };
        assert_eq!([1, 1, 2, 2, 1].map(asked), [10, 10, 20, 20, 10]);
        assert_eq!(times.get(), 3);
    }
}
