//! A directory under a law, and a request made ready: whatever is absent is refused here, before anything is judged.

use super::cedar::value::{self, TypeNames};
use super::cedar::{CoreEntity, EntityType, Key, uid};
use super::decide::{Part, Prepared, Ruling};
use super::directory::{Above, Directory, Node, cycle};
use super::index::Side;
use super::law::PolicyLaw;
use super::request::{Entity, Request};
use super::shape::{ActionInfo, TypeInfo};
use crate::id::Uid;
use crate::refusal::{Blocker, Code};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

/// How many entities may come with a call.
pub const GIVEN_MAX: usize = 1_024;

/// A directory under a law: its links looked up beside the law's policies. Copies share everything.
#[derive(Debug, Clone)]
pub struct Bound {
    law: Arc<PolicyLaw>,
    directory: Arc<Directory>,
    orphans: Arc<[String]>,
}

impl Bound {
    /// Puts the directory under the law; links whose template the law lacks, or whose slots are others, are reported by
    /// [`Bound::orphans`] and hold for nobody. Costs as much as there are templates, not links.
    pub fn new(law: Arc<PolicyLaw>, directory: Arc<Directory>) -> Result<Bound, Blocker> {
        let fits = |template: &str, p: bool, r: bool| law.template_slots(template) == Some((p, r));
        let mut orphans = Vec::new();
        if !directory.link_shapes().all(|(template, p, r)| fits(template, p, r)) {
            let lost = directory.links().filter(|l| !fits(&l.template, l.principal.is_some(), l.resource.is_some()));
            orphans.extend(lost.map(|l| l.id.clone()));
            orphans.sort_unstable();
        }
        Ok(Bound { law, directory, orphans: orphans.into() })
    }

    /// Ids of links whose template this law lacks, sorted.
    pub fn orphans(&self) -> &[String] {
        &self.orphans
    }

    /// The directory.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The law.
    pub fn law(&self) -> &Arc<PolicyLaw> {
        &self.law
    }

    /// Refuses what is absent or unknown (action, types, principal, entities that the call names, required attributes,
    /// undeclared or mistyped ones) and assembles the slice. Where several refusals could be given, it is the one that comes
    /// first in the list of codes.
    ///
    /// - An entity is *named* by the call if it is the resource, a parent of a given entity, or stands in the context or in an
    ///   attribute of a given entity; it must be given, in the directory, or declared by the schema itself.
    /// - What the directory holds, or names as a parent, cannot be given (`hos.directory_conflict`).
    /// - A principal whose type the directory stores must be in the directory (`hos.principal_unknown`).
    pub fn prepare<'a>(&'a self, request: &'a Request<'a>) -> Result<Prepared<'a>, Blocker> {
        if request.given.len() > GIVEN_MAX {
            return Err(Blocker::new(Code::CallTooLarge, format!("at most {GIVEN_MAX} entities may be given")));
        }
        let law = &*self.law;
        let action = law
            .tables
            .actions
            .get(request.action)
            .ok_or_else(|| Blocker::new(Code::ActionUnknown, format!("the schema has no action {}", request.action)))?;
        let principal_type = self.side_type(request.principal, &action.principals).ok_or_else(|| {
            let detail = format!("{} does not apply to principals like {}", request.action, request.principal);
            Blocker::new(Code::PrincipalTypeUnknown, detail)
        })?;
        let resource_type = self.side_type(request.resource, &action.resources);
        let case = Case { bound: self, request, action };
        let principal_node = self.directory.node(request.principal);
        if principal_node.is_none()
            && (self.directory.stores_type(request.principal.type_name()) || !case.gives(request.principal))
        {
            return Err(Blocker::new(Code::PrincipalUnknown, format!("{} is not in the directory", request.principal)));
        }
        let resource_type = resource_type.ok_or_else(|| {
            let detail = format!("{} does not apply to resources like {}", request.action, request.resource);
            Blocker::new(Code::ResourceTypeUnknown, detail)
        })?;
        case.named_are_there()?;
        case.given_fit()?;
        let mut parts = case.close_given()?;
        let mut names = LawNames(law);
        let context = value::context(request.context, &mut names)
            .map_err(|detail| Blocker::new(Code::AttributeType, format!("context: {detail}")))?;
        let principal = case.stand(request.principal, &parts, principal_type)?;
        let resource = case.stand(request.resource, &parts, resource_type)?;
        let hits = law.index.select(
            &law.rules,
            self.directory.link_index(),
            &action.buckets,
            principal.side(principal_type),
            resource.side(resource_type),
        );
        let rules = || hits.iter().filter_map(|hit| law.rules.get(hit.rule as usize));
        if rules().any(|rule| rule.names_action) || action.expressions_name_action {
            parts.push(Part::Declared(Arc::clone(&action.entity)));
        }
        let reads: Vec<&Uid> = rules().flat_map(|rule| &rule.reads).chain(&action.reads).collect();
        parts.extend(reads.iter().filter_map(|uid| law.tables.actions.get(*uid)).map(|a| Part::Declared(Arc::clone(&a.entity))));
        case.add_stored(&mut parts, &reads)?;
        let (principal, resource) = (Arc::clone(principal.key.uid()), Arc::clone(resource.key.uid()));
        Ok(Prepared { bound: self, request, action, principal, resource, context, parts, hits, store: OnceLock::new() })
    }

    /// The whole of `can`: prepare and rule.
    pub fn decide(&self, request: &Request<'_>) -> Result<Ruling, Blocker> {
        Ok(self.prepare(request)?.ruling())
    }

    fn side_type(&self, uid: &Uid, allowed: &HashSet<String>) -> Option<&TypeInfo> {
        if !allowed.contains(uid.type_name()) {
            return None;
        }
        self.law.tables.types.get(uid.type_name())
    }
}

/// One request on its way to being prepared.
struct Case<'a> {
    bound: &'a Bound,
    request: &'a Request<'a>,
    action: &'a ActionInfo,
}

/// Where the principal or the resource stands.
struct Stand {
    key: Key,
    above: Standing,
}

enum Standing {
    Stored(Arc<Node>),
    Given(Arc<Closed>),
    /// A choice of an enumerated type: nobody gives it, nothing is above it.
    Declared,
}

impl Stand {
    fn side<'s>(&'s self, info: &TypeInfo) -> Side<'s> {
        let ancestors = match &self.above {
            Standing::Stored(node) => &*node.ancestor_keys,
            Standing::Given(closed) => &*closed.keys,
            Standing::Declared => &[],
        };
        Side { type_number: info.number, own: &self.key, ancestors }
    }
}

/// A given entity, closed against the directory and the other given ones.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) key: Key,
    pub(super) core: Arc<CoreEntity>,
    pub(super) uids: Box<[Uid]>,
    keys: Box<[Key]>,
    depth: usize,
}

impl<'a> Case<'a> {
    fn gives(&self, uid: &Uid) -> bool {
        self.request.given.iter().any(|e| e.uid == *uid)
    }

    fn law(&self) -> &'a PolicyLaw {
        &self.bound.law
    }

    /// Every entity that the call names is given, stored or declared.
    fn named_are_there(&self) -> Result<(), Blocker> {
        let mut named: Vec<&Uid> = vec![self.request.resource];
        self.request.context.values().for_each(|v| v.entities(&mut named));
        for entity in self.request.given {
            named.extend(&entity.parents);
            entity.attrs.values().for_each(|v| v.entities(&mut named));
        }
        // A set only where the pairs would be many.
        let many = (named.len().saturating_mul(self.request.given.len()) > 256)
            .then(|| self.request.given.iter().map(|e| &e.uid).collect::<HashSet<_>>());
        let gives = |uid: &Uid| many.as_ref().map_or_else(|| self.gives(uid), |set| set.contains(uid));
        let there = |uid: &Uid| gives(uid) || self.bound.directory.node(uid).is_some() || self.law().tables.declares(uid);
        match named.into_iter().find(|uid| !there(uid)) {
            Some(missing) => Err(Blocker::new(Code::EntityMissing, format!("nobody gives {missing}"))),
            None => Ok(()),
        }
    }

    /// Context and given entities are as the schema declares them, and none takes the place of a stored one.
    fn given_fit(&self) -> Result<(), Blocker> {
        let mut first: Option<Blocker> = None;
        let mut keep = |blocker: Blocker| {
            let rank = |b: &Blocker| b.hos().map_or(u16::MAX, Code::number);
            if first.as_ref().is_none_or(|f| rank(&blocker) < rank(f)) {
                first = Some(blocker);
            }
        };
        if let Err(misfit) = self.action.context.check(self.request.context) {
            keep(misfit.of(&"context"));
        }
        for entity in self.request.given {
            if let Err(blocker) = self.fits(entity) {
                keep(blocker);
            }
            let directory = &self.bound.directory;
            if directory.node(&entity.uid).is_some() || self.law().tables.declares(&entity.uid) {
                let detail = format!("{} is given, but stands in the directory or the law already", entity.uid);
                keep(Blocker::new(Code::DirectoryConflict, detail));
            } else if directory.names_as_parent(&entity.uid) {
                let detail = format!("{} is given, but the directory has members of it", entity.uid);
                keep(Blocker::new(Code::DirectoryConflict, detail));
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// One entity against its declared shape and parents.
    fn fits(&self, entity: &Entity) -> Result<(), Blocker> {
        let tables = &self.law().tables;
        let uid = &entity.uid;
        let Some(info) = tables.types.get(uid.type_name()) else {
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

    /// Closes the given entities, parents first.
    fn close_given(&self) -> Result<Vec<Part>, Blocker> {
        let given = self.request.given;
        let mut parts = Vec::with_capacity(given.len() + 2);
        let mut names = LawNames(self.law());
        let mut closed: BTreeMap<&Uid, Arc<Closed>> = BTreeMap::new();
        if let [only] = given {
            // The usual call gives its resource and no more; its parents are stored.
            if !only.parents.contains(&only.uid) {
                let closed = Arc::new(self.close_one(only, &closed, &mut names)?);
                parts.push(Part::Given { place: 0, closed });
                return Ok(parts);
            }
        }
        let mut waiting: BTreeMap<&Uid, usize> = BTreeMap::new();
        let mut children: BTreeMap<&Uid, Vec<usize>> = BTreeMap::new();
        let mut ready: Vec<usize> = Vec::new();
        let places: BTreeMap<&Uid, usize> = given.iter().enumerate().map(|(i, e)| (&e.uid, i)).collect();
        if places.len() != given.len() {
            return Err(Blocker::new(Code::CallMalformed, "an entity is given twice"));
        }
        for (i, entity) in given.iter().enumerate() {
            let mut open = 0;
            for parent in entity.parents.iter().filter(|p| places.contains_key(*p)) {
                children.entry(parent).or_default().push(i);
                open += 1;
            }
            if open == 0 {
                ready.push(i);
            } else {
                waiting.insert(&entity.uid, open);
            }
        }
        while let Some(i) = ready.pop() {
            let Some(entity) = given.get(i) else { continue };
            let node = Arc::new(self.close_one(entity, &closed, &mut names)?);
            parts.push(Part::Given { place: i, closed: Arc::clone(&node) });
            closed.insert(&entity.uid, node);
            for child in children.remove(&entity.uid).into_iter().flatten() {
                let Some(uid) = given.get(child).map(|e| &e.uid) else { continue };
                if let Some(open) = waiting.get_mut(uid) {
                    *open -= 1;
                    if *open == 0 {
                        waiting.remove(uid);
                        ready.push(child);
                    }
                }
            }
        }
        if !waiting.is_empty() {
            let left = given.iter().filter(|e| waiting.contains_key(&e.uid)).map(|e| (e.uid.clone(), e.clone())).collect();
            let detail = format!("the given entities have a cycle: {}", cycle(&left).unwrap_or_default());
            return Err(Blocker::new(Code::HierarchyInvalid, detail));
        }
        Ok(parts)
    }

    fn close_one(
        &self,
        entity: &Entity,
        closed: &BTreeMap<&Uid, Arc<Closed>>,
        names: &mut LawNames<'_>,
    ) -> Result<Closed, Blocker> {
        let above = Above::of(&entity.uid, &entity.parents, |parent| match closed.get(parent) {
            Some(c) => Some((c.key.clone(), &*c.uids, &*c.keys, c.depth)),
            None => {
                let node = self.bound.directory.node(parent)?;
                Some((node.key.clone(), &*node.ancestors, &*node.ancestor_keys, node.depth))
            }
        })?;
        let refuse = |detail: String| Blocker::new(Code::AttributeType, format!("{}: {detail}", entity.uid));
        let own = names.entity_uid(&entity.uid).map_err(refuse)?;
        let (parents, indirect) = above.split(&entity.parents);
        let core = value::entity(own.clone(), &entity.attrs, parents, indirect, names).map_err(refuse)?;
        let key = Key::new(Arc::new(own));
        Ok(Closed { key, core: Arc::new(core), uids: above.uids.into(), keys: above.keys.into(), depth: above.depth })
    }

    /// Where the principal or the resource stands, its stored form checked against the schema.
    fn stand(&self, uid: &Uid, parts: &[Part], info: &TypeInfo) -> Result<Stand, Blocker> {
        if let Some(node) = self.bound.directory.node(uid) {
            return Ok(Stand { key: node.key.clone(), above: Standing::Stored(Arc::clone(node)) });
        }
        let given = parts.iter().find_map(|part| match part {
            Part::Given { place, closed } if self.request.given.get(*place).is_some_and(|e| e.uid == *uid) => Some(closed),
            _ => None,
        });
        Ok(match given {
            Some(closed) => Stand { key: closed.key.clone(), above: Standing::Given(Arc::clone(closed)) },
            None => Stand { key: Key::new(Arc::new(uid::entity_uid(&info.core, uid.id()))), above: Standing::Declared },
        })
    }

    /// Adds the stored entities that judging may read: principal, resource, whom the call names, whom selected policies name,
    /// and whom their attributes name in turn; each checked against the schema.
    fn add_stored(&self, parts: &mut Vec<Part>, reads: &[&Uid]) -> Result<(), Blocker> {
        let directory = &self.bound.directory;
        let mut taken: Vec<Arc<Node>> = Vec::with_capacity(4);
        let mut many: HashSet<Uid> = HashSet::new();
        let mut take = |uid: &Uid, taken: &mut Vec<Arc<Node>>| -> Result<(), Blocker> {
            let Some(node) = directory.node(uid) else { return Ok(()) };
            let known = if many.is_empty() { taken.iter().any(|t| Arc::ptr_eq(t, node)) } else { many.contains(uid) };
            if known {
                return Ok(());
            }
            node.fits(self.law().number, || self.fits(&node.entity))?;
            taken.push(Arc::clone(node));
            // A list is faster while it is short; then a set.
            if taken.len() == 16 {
                many.extend(taken.iter().map(|t| t.entity.uid.clone()));
            } else if taken.len() > 16 {
                many.insert(uid.clone());
            }
            if taken.len() > SLICE_MAX {
                let detail = format!("judging this would need more than {SLICE_MAX} stored entities");
                return Err(Blocker::new(Code::HierarchyInvalid, detail));
            }
            Ok(())
        };
        take(self.request.principal, &mut taken)?;
        take(self.request.resource, &mut taken)?;
        let mut named = Vec::new();
        self.request.context.values().for_each(|v| v.entities(&mut named));
        for entity in self.request.given {
            entity.attrs.values().for_each(|v| v.entities(&mut named));
        }
        for uid in named.into_iter().chain(reads.iter().copied()) {
            take(uid, &mut taken)?;
        }
        let mut next = 0;
        while let Some(node) = taken.get(next).map(Arc::clone) {
            next += 1;
            for uid in &node.names {
                take(uid, &mut taken)?;
            }
        }
        parts.extend(taken.into_iter().map(Part::Stored));
        Ok(())
    }
}

/// How many stored entities one request may draw in.
const SLICE_MAX: usize = 8_192;

/// Names of the law's own types.
struct LawNames<'l>(&'l PolicyLaw);

impl TypeNames for LawNames<'_> {
    fn entity_type(&mut self, name: &str) -> Option<EntityType> {
        match self.0.tables.types.get(name) {
            Some(info) => Some(info.core.clone()),
            None => uid::entity_type(name),
        }
    }
}
