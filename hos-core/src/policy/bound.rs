//! A directory under a law, and a request made ready: whatever is absent is refused here, before anything is judged.

use super::cedar::light::Surroundings;
use super::cedar::value::Attrs;
use super::cedar::{Key, uid};
use super::decide::{Part, Prepared, Ruling};
use super::directory::{Directory, Node};
use super::given::{self, Case, Closed, Kept, LawNames};
use super::index::Side;
use super::law::PolicyLaw;
use super::request::{Entity, Request};
use super::shape::{TypeInfo, TypeNameSet};
use crate::id::Uid;
use crate::limits::{GIVEN_MAX, SLICE_MAX};
use crate::refusal::{Blocker, Code};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// A directory under a law: its links looked up beside the law's policies. Copies share everything.
#[derive(Debug, Clone)]
pub struct Bound {
    law: Arc<PolicyLaw>,
    directory: Arc<Directory>,
    orphans: Arc<[String]>,
    /// Whether it judges as earlier builds did.
    earlier: bool,
    /// What the last request brought along, where several are asked that may bring the same.
    kept: Option<Arc<Kept>>,
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
        Ok(Bound { law, directory, orphans: orphans.into(), earlier: false, kept: None })
    }

    /// The same for several requests, one after the other: what one of them brings along is not closed again for the next that brings
    /// the same. It is held as long as this.
    pub fn for_several(&self) -> Bound {
        Bound { kept: Some(Arc::default()), ..self.clone() }
    }

    /// The same as earlier builds judged: an older law's schema had to know all of a request's world, and whom a law itself declares was
    /// nobody. What was refused so stands in records, and is judged again so.
    #[must_use]
    pub fn earlier(self) -> Bound {
        Bound { earlier: true, ..self }
    }

    /// Whether it judges so.
    pub fn is_earlier(&self) -> bool {
        self.earlier
    }

    /// Whether the schema lets an entity be as it is: its attributes, and what it is in.
    pub fn fits(&self, entity: &Entity) -> Result<(), Blocker> {
        given::fits(&self.law, entity)
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
    /// - A principal whose type the directory stores must be in the directory, unless the schema declares it
    ///   (`hos.principal_unknown`).
    pub fn prepare<'a>(&'a self, request: &'a Request<'a>) -> Result<Prepared<'a>, Blocker> {
        self.made_ready(request, None)
    }

    /// The same for the guards of an instance that began under this law while another is in force. That one's schema is what the
    /// world is made by, so what this one does not declare of it (attributes, types, memberships, choices) is let be; what it declares
    /// must be as it says, and whom the law `in_force` declares is there. Guards are judged over the very world that the policies are, as
    /// Cedar judges them.
    pub fn prepare_guards<'a>(&'a self, request: &'a Request<'a>, in_force: &'a PolicyLaw) -> Result<Prepared<'a>, Blocker> {
        self.made_ready(request, Some(in_force).filter(|_| !self.earlier))
    }

    /// `in_force`: another law, by whose schema the world is made. Without one this law's schema must know all that there is.
    // Inlined: what it makes is large, and `can` would copy it once more.
    #[inline]
    fn made_ready<'a>(&'a self, request: &'a Request<'a>, in_force: Option<&'a PolicyLaw>) -> Result<Prepared<'a>, Blocker> {
        let whole = in_force.is_none();
        if request.given.len() > GIVEN_MAX {
            return Err(Blocker::new(Code::CallTooLarge, format!("at most {GIVEN_MAX} entities may be given")));
        }
        let law = &*self.law;
        let action = law
            .tables
            .actions
            .get(request.action)
            .ok_or_else(|| Blocker::new(Code::ActionUnknown, format!("the schema has no action {}", request.action)))?;
        let case = Case::new(law, &self.directory, request, action, in_force);
        // Before all else: what a record says of a refused call holds each entity once.
        if !self.earlier {
            case.gives_each_once()?;
        }
        let principal_type = self.side_type(request.principal, &action.principals).ok_or_else(|| {
            let detail = format!("{} does not apply to principals like {}", request.action, request.principal);
            Blocker::new(Code::PrincipalTypeUnknown, detail)
        })?;
        let resource_type = self.side_type(request.resource, &action.resources);
        let node = |uid: &Uid| self.directory.node(uid).map(|node| &**node);
        let principal_node = node(request.principal);
        let is_declared = || case.declares(request.principal) && !self.earlier;
        // Who is not given to an older law's guards is one whom the law in force declares.
        let is_absent = || self.directory.stores_type(request.principal.type_name()) || whole && !case.gives(request.principal);
        if principal_node.is_none() && !is_declared() && is_absent() {
            return Err(Blocker::new(Code::PrincipalUnknown, format!("{} is not in the directory", request.principal)));
        }
        let resource_type = resource_type.ok_or_else(|| {
            let detail = format!("{} does not apply to resources like {}", request.action, request.resource);
            Blocker::new(Code::ResourceTypeUnknown, detail)
        })?;
        let resource_node = node(request.resource);
        let named = case.named(resource_node)?;
        case.given_fit()?;
        let unfit = |detail| Blocker::new(Code::AttributeType, format!("context: {detail}"));
        let (closed, context) = match &self.kept {
            Some(kept) => (kept.closed(&case)?, kept.context(request.context, law).map_err(unfit)?),
            None => (case.close_given()?, Surroundings::new(request.context, &mut LawNames(law)).map_err(unfit)?),
        };
        let principal = Stand::new(request, request.principal, principal_node, &closed, principal_type);
        let resource = Stand::new(request, request.resource, resource_node, &closed, resource_type);
        let context = context.with(principal.attrs(), resource.attrs());
        let (principal_side, resource_side) = (principal.side(principal_type), resource.side(resource_type));
        let hits = law.index.select(&law.rules, self.directory.link_index(), &action.buckets, principal_side, resource_side);
        // Room for what the directory adds, too.
        let mut parts = Vec::with_capacity(closed.len() + 4);
        parts.extend(closed.into_iter().enumerate().map(|(place, closed)| Part::Given { place, closed }));
        let rules = || hits.iter().filter_map(|hit| law.rules.get(hit.rule as usize));
        if rules().any(|rule| rule.names_action) || action.expressions_name_action {
            parts.push(Part::Declared(&action.entity));
        }
        let reads = || rules().flat_map(|rule| &rule.reads).chain(&action.reads);
        parts.extend(reads().filter_map(|uid| law.tables.actions.get(uid)).map(|a| Part::Declared(&a.entity)));
        let first = principal_node.into_iter().chain(resource_node).chain(named);
        add_stored(self, &mut parts, first.chain(reads().filter_map(node)), whole)?;
        Ok(Prepared { bound: self, request, action, principal, resource, context, parts, hits, store: OnceLock::new() })
    }

    /// The whole of `can`: prepare and rule.
    pub fn decide(&self, request: &Request<'_>) -> Result<Ruling, Blocker> {
        Ok(self.prepare(request)?.ruling())
    }

    fn side_type(&self, uid: &Uid, allowed: &TypeNameSet) -> Option<&TypeInfo> {
        if !allowed.contains(uid.type_name()) {
            return None;
        }
        self.law.tables.types.get(uid.type_name())
    }
}

/// Where the principal or the resource stands.
pub(super) enum Stand<'a> {
    Stored(&'a Node),
    Given(Arc<Closed>),
    /// A choice of an enumerated type: nobody gives it, nothing is above it, it has no attributes.
    Declared(Key),
}

impl<'a> Stand<'a> {
    fn new(request: &Request<'_>, uid: &Uid, stored: Option<&'a Node>, closed: &[Arc<Closed>], info: &TypeInfo) -> Self {
        if let Some(node) = stored {
            return Self::Stored(node);
        }
        match request.given.iter().zip(closed).find(|(entity, _)| entity.uid == *uid) {
            Some((_, closed)) => Self::Given(Arc::clone(closed)),
            None => Self::Declared(Key::of(uid, uid::entity_uid(&info.core, uid.id()))),
        }
    }

    pub(super) fn key(&self) -> &Key {
        match self {
            Self::Stored(node) => &node.key,
            Self::Given(closed) => &closed.key,
            Self::Declared(key) => key,
        }
    }

    pub(super) fn attrs(&self) -> Option<&Attrs> {
        match self {
            Self::Stored(node) => Some(node.attrs()),
            Self::Given(closed) => Some(closed.attrs()),
            Self::Declared(_) => None,
        }
    }

    fn side(&self, info: &TypeInfo) -> Side<'_> {
        let ancestors = match self {
            Self::Stored(node) => &*node.ancestor_keys,
            Self::Given(closed) => &*closed.keys,
            Self::Declared(_) => &[],
        };
        Side { type_number: info.number, own: self.key(), ancestors }
    }
}

/// Adds the stored entities that judging may read: `first` ones (principal, resource, whom the call names, whom selected
/// policies name), and whom their attributes name in turn; each checked against the schema, the `whole` of it or what the schema
/// declares.
fn add_stored<'a>(
    bound: &'a Bound,
    parts: &mut Vec<Part<'a>>,
    first: impl Iterator<Item = &'a Node>,
    whole: bool,
) -> Result<(), Blocker> {
    let before = parts.len();
    let mut many: HashSet<*const Node> = HashSet::new();
    let mut take = |node: &'a Node, parts: &mut Vec<Part<'a>>| -> Result<(), Blocker> {
        let taken = parts.get(before..).unwrap_or_default();
        let is_it = |part: &Part<'_>| matches!(part, Part::Stored(have) if std::ptr::eq(*have, node));
        let known = if many.is_empty() { taken.iter().any(is_it) } else { many.contains(&std::ptr::from_ref(node)) };
        if known {
            return Ok(());
        }
        let fits = node.fits(bound.law.number, || given::fits(&bound.law, &node.entity));
        if whole {
            fits?;
        } else {
            fits.or_else(|_| given::fits_where_declared(&bound.law, &node.entity))?;
        }
        parts.push(Part::Stored(node));
        // A list is faster while it is short; then a set.
        let taken = parts.get(before..).unwrap_or_default();
        if taken.len() == 16 {
            many.extend(taken.iter().filter_map(|part| match part {
                Part::Stored(node) => Some(std::ptr::from_ref(*node)),
                _ => None,
            }));
        } else if taken.len() > 16 {
            many.insert(std::ptr::from_ref(node));
        }
        if taken.len() > SLICE_MAX {
            let detail = format!("judging this would need more than {SLICE_MAX} stored entities");
            return Err(Blocker::new(Code::HierarchyInvalid, detail));
        }
        Ok(())
    };
    for node in first {
        take(node, parts)?;
    }
    let mut next = before;
    while let Some(Part::Stored(node)) = parts.get(next) {
        next += 1;
        for uid in &node.names {
            if let Some(named) = bound.directory.node(uid) {
                take(named, parts)?;
            }
        }
    }
    Ok(())
}
