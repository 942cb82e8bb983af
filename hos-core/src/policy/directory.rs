//! A tenant's entities and links, closed once and shared: what decisions read and never recompute.

use super::cedar::entity::Form;
use super::cedar::value::{Attrs, TypeNames};
use super::cedar::{CoreEntity, EntityType, Key, uid};
use super::hash::PassHash;
use super::links::{Filled, LinkIndex};
use super::request::{Entity, Link};
use super::sought::Watch;
use crate::id::{Shown, Uid, text_hash};
use crate::layered::Layered;
use crate::limits::{ANCESTORS_MAX, DIRECTORY_ENTITIES_MAX, DIRECTORY_LINKS_MAX, HIERARCHY_DEPTH_MAX};
use crate::refusal::{Blocker, Code};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A tenant's entities, closed once, as shared pointers. Independent of any law.
///
/// A copy is cheap, and so is [`Directory::with`]: what did not change is shared.
#[derive(Debug, Default, Clone)]
pub struct Directory {
    nodes: Layered<Uid, Arc<Node>, PassHash>,
    /// Who names an entity as a parent, whether the directory holds it or not.
    children: Naming,
    /// Who names an entity in an attribute, whether the directory holds it or not.
    naming: Naming,
    /// How many entities of a type there are, and Cedar's word for it.
    types: Layered<String, (EntityType, usize)>,
    links: Layered<String, Arc<Link>>,
    index: LinkIndex,
    /// How many links of a template have these slots filled.
    shapes: Layered<(String, bool, bool), usize>,
    watch: Option<Arc<Watch>>,
}

/// By an entity, those that name it.
type Naming = Layered<Uid, Layered<Uid, (), PassHash>, PassHash>;

/// An entity of the directory, closed.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) entity: Entity,
    pub(super) key: Key,
    form: Form,
    /// Every ancestor, and its key at the same place.
    pub(super) ancestors: Box<[Uid]>,
    pub(super) ancestor_keys: Box<[Key]>,
    /// Entities that its attributes name.
    pub(super) names: Box<[Uid]>,
    pub(super) depth: usize,
    /// The last law whose schema it was found to fit.
    fits: AtomicU64,
}

impl Node {
    /// Its attributes in Cedar's words.
    pub(super) fn attrs(&self) -> &Attrs {
        self.form.attrs()
    }

    /// The whole of it in Cedar's words.
    pub(super) fn core(&self) -> &Arc<CoreEntity> {
        let above = self.ancestors.iter().zip(&self.ancestor_keys);
        self.form.whole(&self.key, above.map(|(uid, key)| (key, self.entity.parents.contains(uid))))
    }

    /// Runs the check unless this law made it before with success.
    pub(super) fn fits<E>(&self, law: u64, check: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        // Relaxed: the node is immutable, the number only spares a repetition.
        if self.fits.load(Ordering::Relaxed) != law {
            check()?;
            self.fits.store(law, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Directory {
    /// Closes the hierarchy once. Refuses cycles, depth and size beyond the bounds (`hos.hierarchy_invalid`), an id that is
    /// used twice (`hos.directory_conflict`), values that are too deep (`hos.call_too_large`) or that Cedar cannot read
    /// (`hos.attribute_type`), and types that Cedar reserves (`hos.id_invalid`).
    ///
    /// A parent, or an entity that an attribute names, need not be in the directory.
    pub fn new(entities: Vec<Entity>, links: Vec<Link>) -> Result<Directory, Blocker> {
        let mut seen = HashSet::with_capacity(entities.len());
        if let Some(twice) = entities.iter().find(|e| !seen.insert(&e.uid)) {
            return Err(Blocker::new(Code::DirectoryConflict, format!("{} is given twice", twice.uid)));
        }
        let mut seen = HashSet::with_capacity(links.len());
        if let Some(twice) = links.iter().find(|l| !seen.insert(&l.id)) {
            return Err(Blocker::new(Code::DirectoryConflict, format!("the link `{}` is given twice", Shown(&twice.id))));
        }
        let entities = entities.into_iter().map(|e| (e.uid.clone(), Some(e))).collect();
        let links = links.into_iter().map(|l| (l.id.clone(), Some(l))).collect();
        Directory::default().with(entities, links)
    }

    /// The same directory with some entities put (or removed: `None`) and links put or removed, closing again only what
    /// stands below a changed entity. Of two changes to one entity or link the later counts. Refuses as [`Directory::new`]
    /// does, and an entity under another's identity (`hos.id_invalid`).
    pub fn with(&self, entities: Vec<(Uid, Option<Entity>)>, links: Vec<(String, Option<Link>)>) -> Result<Directory, Blocker> {
        let mut next = self.clone();
        next.put_entities(entities)?;
        for (id, link) in links {
            next.put_link(id, link)?;
        }
        Ok(next)
    }

    /// The same directory, remembering whom it is asked for and lacks, and which templates' links are looked for.
    pub(crate) fn watched(&self) -> (Directory, Arc<Watch>) {
        let watch = Arc::new(Watch::default());
        let index = self.index.watched(Arc::clone(&watch));
        (Directory { index, watch: Some(Arc::clone(&watch)), ..self.clone() }, watch)
    }

    /// The entity as it was put.
    pub fn get(&self, uid: &Uid) -> Option<&Entity> {
        self.node(uid).map(|node| &node.entity)
    }

    /// How many entities there are.
    pub fn entity_count(&self) -> usize {
        self.nodes.len()
    }

    /// The link with this id.
    pub fn link(&self, id: &str) -> Option<&Link> {
        self.links.get(id).map(|link| &**link)
    }

    /// Every entity, in no order.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.nodes.iter().map(|(_, node)| &node.entity)
    }

    /// Every link, in no order.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().map(|(_, link)| &**link)
    }

    /// Who leads to an entity by what attributes name: those that name it, and those that name these in turn. The entity itself only
    /// where such a way leads back to it. It need not be in the directory.
    pub(crate) fn leading_to<'d>(&'d self, uid: &'d Uid) -> BTreeSet<&'d Uid> {
        let mut found = BTreeSet::new();
        let mut open = vec![uid];
        while let Some(named) = open.pop() {
            for (by, ()) in self.naming.get(named).into_iter().flat_map(Layered::iter) {
                if found.insert(by) {
                    open.push(by);
                }
            }
        }
        found
    }

    pub(super) fn node(&self, uid: &Uid) -> Option<&Arc<Node>> {
        let found = self.nodes.get(uid);
        if let (None, Some(watch)) = (found, &self.watch) {
            watch.lacks(uid);
        }
        found
    }

    /// Whether some entity of the directory is a member of this one.
    pub(super) fn names_as_parent(&self, uid: &Uid) -> bool {
        self.children.contains(uid)
    }

    /// Whether the directory holds anyone of this type.
    pub(super) fn stores_type(&self, type_name: &str) -> bool {
        self.types.get(type_name).is_some_and(|(_, count)| *count > 0)
    }

    pub(super) fn link_index(&self) -> &LinkIndex {
        &self.index
    }

    /// Every (template, has principal, has resource) that some link has.
    pub(super) fn link_shapes(&self) -> impl Iterator<Item = (&str, bool, bool)> {
        self.shapes.iter().map(|((template, p, r), _)| (template.as_str(), *p, *r))
    }

    fn put_entities(&mut self, changes: Vec<(Uid, Option<Entity>)>) -> Result<(), Blocker> {
        let mut put: HashMap<Uid, Option<Entity>> = HashMap::with_capacity(changes.len());
        for (uid, entity) in changes {
            if let Some(entity) = &entity {
                if entity.uid != uid {
                    let detail = format!("{} cannot be put as {uid}", entity.uid);
                    return Err(Blocker::new(Code::IdInvalid, detail));
                }
                Value::check_bounds(&entity.attrs).map_err(|e| Blocker::new(Code::CallTooLarge, format!("{uid}: {e}")))?;
            }
            put.insert(uid, entity);
        }
        for (uid, entity) in &put {
            let old: BTreeSet<Uid> = self.get(uid).map(|e| e.parents.clone()).unwrap_or_default();
            let none = BTreeSet::new();
            let new = entity.as_ref().map_or(&none, |e| &e.parents);
            list_anew(&mut self.children, uid, &old, new);
            let names = |entity: &Entity| -> BTreeSet<Uid> { entity.names().into_iter().cloned().collect() };
            let old = self.get(uid).map(names).unwrap_or_default();
            list_anew(&mut self.naming, uid, &old, &entity.as_ref().map(names).unwrap_or_default());
            match (self.nodes.contains(uid), entity.is_some()) {
                (false, true) => self.count_type(uid.type_name(), true)?,
                (true, false) => self.count_type(uid.type_name(), false)?,
                _ => {}
            }
        }
        let affected = self.below(put.keys());
        // Those that go are gone before anyone is closed again.
        for (uid, _) in put.iter().filter(|(_, e)| e.is_none()) {
            self.nodes.remove(uid);
        }
        let mut waiting: BTreeMap<Uid, Entity> = BTreeMap::new();
        for uid in affected {
            let entity = match put.remove(&uid) {
                Some(changed) => changed,
                None => self.get(&uid).cloned(),
            };
            waiting.extend(entity.map(|e| (uid, e)));
        }
        self.close(waiting)?;
        room(self.nodes.len(), DIRECTORY_ENTITIES_MAX, "entities")
    }

    /// The changed ones and everyone below them.
    fn below<'a>(&self, changed: impl Iterator<Item = &'a Uid>) -> HashSet<Uid> {
        let mut open: Vec<Uid> = changed.cloned().collect();
        let mut found: HashSet<Uid> = open.iter().cloned().collect();
        while let Some(uid) = open.pop() {
            for (child, ()) in self.children.get(&uid).into_iter().flat_map(Layered::iter) {
                if found.insert(child.clone()) {
                    open.push(child.clone());
                }
            }
        }
        found
    }

    /// Closes these, parents first. What is left over when no parent is ready stands in a cycle.
    fn close(&mut self, mut waiting: BTreeMap<Uid, Entity>) -> Result<(), Blocker> {
        let mut open_parents: HashMap<Uid, usize> = HashMap::with_capacity(waiting.len());
        let mut ready: Vec<Uid> = Vec::new();
        for (uid, entity) in &waiting {
            match entity.parents.iter().filter(|p| waiting.contains_key(*p)).count() {
                0 => ready.push(uid.clone()),
                count => {
                    open_parents.insert(uid.clone(), count);
                }
            }
        }
        while let Some(uid) = ready.pop() {
            let Some(entity) = waiting.remove(&uid) else { continue };
            let node = self.closed(entity)?;
            self.nodes.insert(uid.clone(), Arc::new(node));
            for (child, ()) in self.children.get(&uid).into_iter().flat_map(Layered::iter) {
                if let Some(count) = open_parents.get_mut(child) {
                    *count -= 1;
                    if *count == 0 {
                        open_parents.remove(child);
                        ready.push(child.clone());
                    }
                }
            }
        }
        match cycle(&waiting) {
            Some(cycle) => Err(Blocker::new(Code::HierarchyInvalid, format!("the hierarchy has a cycle: {cycle}"))),
            None => Ok(()),
        }
    }

    /// One entity whose parents are closed.
    fn closed(&mut self, entity: Entity) -> Result<Node, Blocker> {
        let above = Above::of(&entity.uid, &entity.parents, |parent| {
            self.nodes.get(parent).map(|n| (n.key.clone(), &*n.ancestors, &*n.ancestor_keys, n.depth))
        })?;
        let mut known = DirectoryNames(&mut self.types);
        let refuse = |detail: String| Blocker::new(Code::AttributeType, format!("{}: {detail}", entity.uid));
        let own = known.entity_uid(&entity.uid).map_err(|detail| Blocker::new(Code::IdInvalid, detail))?;
        let form = Form::new(&entity.attrs, &mut known).map_err(refuse)?;
        let names = entity.names().into_iter().cloned().collect();
        Ok(Node {
            key: Key::of(&entity.uid, own),
            form,
            ancestors: above.uids.into(),
            ancestor_keys: above.keys.into(),
            names,
            depth: above.depth,
            fits: AtomicU64::new(0),
            entity,
        })
    }

    fn count_type(&mut self, type_name: &str, more: bool) -> Result<(), Blocker> {
        let (core, count) = match self.types.get(type_name) {
            Some((core, count)) => (core.clone(), *count),
            None => {
                let unknown = || Blocker::new(Code::IdInvalid, format!("`{type_name}` is not an entity type"));
                (uid::entity_type(type_name).ok_or_else(unknown)?, 0)
            }
        };
        let count = if more { count + 1 } else { count.saturating_sub(1) };
        self.types.insert(type_name.to_owned(), (core, count));
        Ok(())
    }

    fn put_link(&mut self, id: String, link: Option<Link>) -> Result<(), Blocker> {
        if let Some(old) = self.links.get(id.as_str()).cloned() {
            let filled = self.filled(&old)?;
            self.index.remove(&filled, &id);
            let shape = shape(&old);
            match self.shapes.get(&shape).copied() {
                Some(count) if count > 1 => self.shapes.insert(shape, count - 1),
                _ => self.shapes.remove(&shape),
            }
            self.links.remove(id.as_str());
        }
        let Some(link) = link else { return Ok(()) };
        if link.id != id {
            let detail = format!("the link `{}` cannot be put as `{}`", Shown(&link.id), Shown(&id));
            return Err(Blocker::new(Code::IdInvalid, detail));
        }
        room(self.links.len() + 1, DIRECTORY_LINKS_MAX, "links")?;
        let filled = self.filled(&link)?;
        self.index.insert(filled, &Arc::from(id.as_str()));
        let shape = shape(&link);
        let count = self.shapes.get(&shape).copied().unwrap_or(0);
        self.shapes.insert(shape, count + 1);
        self.links.insert(id, Arc::new(link));
        Ok(())
    }

    /// A link's template and what fills its slots.
    fn filled(&mut self, link: &Link) -> Result<Filled, Blocker> {
        let mut names = DirectoryNames(&mut self.types);
        let mut key = |uid: &Option<Uid>| {
            let key = uid.as_ref().map(|uid| names.entity_uid(uid).map(|core| Key::of(uid, core))).transpose();
            key.map_err(|detail| Blocker::new(Code::IdInvalid, detail))
        };
        let (principal, resource) = (key(&link.principal)?, key(&link.resource)?);
        let template: Arc<str> = Arc::from(link.template.as_str());
        let hash = text_hash(&template);
        Ok(Filled::new(template, hash, principal, resource))
    }
}

/// Lists an entity with those that it names now, and no longer with those that it named before.
fn list_anew(naming: &mut Naming, by: &Uid, old: &BTreeSet<Uid>, new: &BTreeSet<Uid>) {
    for gone in old.difference(new) {
        naming.modify(gone.clone(), |all| {
            let mut all = all?;
            all.remove(by);
            (!all.is_empty()).then_some(all)
        });
    }
    for come in new.difference(old) {
        naming.modify(come.clone(), |all| {
            let mut all = all.unwrap_or_default();
            all.insert(by.clone(), ());
            Some(all)
        });
    }
}

fn shape(link: &Link) -> (String, bool, bool) {
    (link.template.clone(), link.principal.is_some(), link.resource.is_some())
}

/// Names of types that the directory has met.
struct DirectoryNames<'d>(&'d mut Layered<String, (EntityType, usize)>);

impl TypeNames for DirectoryNames<'_> {
    fn entity_type(&mut self, name: &str) -> Option<EntityType> {
        if let Some((core, _)) = self.0.get(name) {
            return Some(core.clone());
        }
        let core = uid::entity_type(name)?;
        self.0.insert(name.to_owned(), (core.clone(), 0));
        Some(core)
    }
}

/// What stands above an entity: itself never among it.
pub(super) struct Above {
    pub(super) uids: Vec<Uid>,
    pub(super) keys: Vec<Key>,
    pub(super) depth: usize,
}

/// What is known of a parent: its key, its ancestors, their keys, its depth.
type Parent<'p> = (Key, &'p [Uid], &'p [Key], usize);

impl Above {
    /// Gathers the parents and what stands above them. `parent` knows those that are closed; the others have nothing above.
    pub(super) fn of<'p>(
        uid: &Uid,
        parents: &BTreeSet<Uid>,
        parent: impl Fn(&Uid) -> Option<Parent<'p>>,
    ) -> Result<Above, Blocker> {
        let refuse = |detail: String| Err(Blocker::new(Code::HierarchyInvalid, format!("{uid}: {detail}")));
        let mut above = Above { uids: Vec::new(), keys: Vec::new(), depth: 0 };
        if parents.is_empty() {
            return Ok(above);
        }
        if parents.len() > ANCESTORS_MAX {
            return refuse(format!("more than {ANCESTORS_MAX} parents"));
        }
        above.uids.reserve_exact(parents.len());
        above.keys.reserve_exact(parents.len());
        // One parent has no ancestor twice; most entities have one.
        let mut seen: Option<HashSet<Uid>> = (parents.len() > 1).then(HashSet::new);
        for direct in parents {
            let (key, uids, keys, depth) = match parent(direct) {
                Some(known) => known,
                None => match uid::to_cedar(direct) {
                    Some(core) => (Key::of(direct, core), &[][..], &[][..], 0),
                    None => return Err(Blocker::new(Code::IdInvalid, format!("`{}` is not an entity type", direct.type_name()))),
                },
            };
            above.depth = above.depth.max(depth + 1);
            let all = std::iter::once((direct, &key)).chain(uids.iter().zip(keys));
            for (uid, key) in all {
                if seen.as_mut().is_none_or(|seen| seen.insert(uid.clone())) {
                    above.uids.push(uid.clone());
                    above.keys.push(key.clone());
                }
            }
            if above.uids.len() > ANCESTORS_MAX {
                return refuse(format!("more than {ANCESTORS_MAX} ancestors"));
            }
        }
        if above.depth > HIERARCHY_DEPTH_MAX {
            return refuse(format!("more than {HIERARCHY_DEPTH_MAX} levels of parents"));
        }
        Ok(above)
    }
}

/// Names one cycle among entities that all wait for a parent that waits, if there is one.
pub(super) fn cycle(waiting: &BTreeMap<Uid, Entity>) -> Option<String> {
    const SHOWN_MAX: usize = 8;
    // Some wait only because an ancestor of theirs stands in a cycle; going up long enough enters it.
    let up = |uid: &Uid| waiting.get(uid)?.parents.iter().find(|p| waiting.contains_key(*p));
    let mut at = waiting.keys().next()?;
    let mut path: HashMap<&Uid, usize> = HashMap::new();
    let mut order: Vec<&Uid> = Vec::new();
    while !path.contains_key(at) {
        path.insert(at, order.len());
        order.push(at);
        at = up(at)?;
    }
    let start = path.get(at).copied().unwrap_or(0);
    let cycle: Vec<&Uid> = order.into_iter().skip(start).collect();
    let mut text = String::new();
    for uid in cycle.iter().take(SHOWN_MAX) {
        text.push_str(&format!("{uid} in "));
    }
    if cycle.len() > SHOWN_MAX {
        text.push_str(&format!("… ({} in all) in ", cycle.len()));
    }
    Some(text + &at.to_string())
}

/// Whether a directory may hold so many.
fn room(count: usize, max: usize, what: &str) -> Result<(), Blocker> {
    if count <= max {
        return Ok(());
    }
    Err(Blocker::new(Code::HierarchyInvalid, format!("a directory holds at most {max} {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    /// Four million entities are not made in a test: what is asked of each change is asked here.
    #[test]
    fn a_directory_s_room_ends_at_its_limits() {
        let named = |name: &str| *limits::ALL.iter().find(|limit| limit.name == name).unwrap();
        let entities = |n| room(n, DIRECTORY_ENTITIES_MAX, "entities").map_err(|b| b.code.into_owned());
        assert_eq!(limits::held(&named("DIRECTORY_ENTITIES_MAX"), entities), Ok(()));
        let links = |n| room(n, DIRECTORY_LINKS_MAX, "links").map_err(|b| b.code.into_owned());
        assert_eq!(limits::held(&named("DIRECTORY_LINKS_MAX"), links), Ok(()));
    }

    fn role(i: usize) -> Uid {
        Uid::new("Role", i.to_string()).unwrap()
    }

    fn key(uid: &Uid) -> Key {
        Key::of(uid, uid::to_cedar(uid).unwrap())
    }

    /// How many stand above the role 0, whose parents each have so many ancestors, the same ones, and how deep it is.
    fn above(parents: usize, ancestors: usize, depth: usize) -> Result<(usize, usize), String> {
        let uids: Vec<Uid> = (0..ancestors).map(|i| role(1_000_000 + i)).collect();
        // One key for all is enough: nothing is looked up by it here.
        let (one, keys) = (key(&role(0)), vec![key(&role(0)); ancestors]);
        let parent = |_: &Uid| Some((one.clone(), &*uids, &*keys, depth));
        let above = Above::of(&role(0), &(1..=parents).map(role).collect(), parent);
        above.map(|above| (above.uids.len(), above.depth)).map_err(|blocker| format!("{} {}", blocker.code, blocker.detail))
    }

    #[test]
    fn who_leads_to_an_entity_follows_every_change() {
        let naming = |i: usize, names: &[usize]| {
            let attrs = [("names".to_owned(), Value::Set(names.iter().map(|n| Value::from(role(*n))).collect()))].into();
            (role(i), Some(Entity { uid: role(i), attrs, parents: BTreeSet::new(), record: None }))
        };
        let lead = |directory: &Directory, to: usize| -> Vec<String> {
            directory.leading_to(&role(to)).into_iter().map(|uid| uid.id().to_owned()).collect()
        };
        let start = Directory::default().with(vec![naming(1, &[2, 9]), naming(2, &[3]), naming(3, &[])], vec![]).unwrap();
        assert_eq!(lead(&start, 3), ["1", "2"]);
        assert_eq!(lead(&start, 9), ["1"], "whom the directory does not hold");
        assert_eq!(lead(&start, 1), [""; 0]);
        let ring = start.with(vec![naming(3, &[1])], vec![]).unwrap();
        assert_eq!(lead(&ring, 3), ["1", "2", "3"]);
        let cut = ring.with(vec![naming(1, &[9])], vec![]).unwrap();
        assert_eq!((lead(&cut, 3), lead(&cut, 9)), (vec!["2".to_owned()], vec!["1".to_owned(), "2".to_owned(), "3".to_owned()]));
        let gone = cut.with(vec![(role(2), None)], vec![]).unwrap();
        assert_eq!(lead(&gone, 3), [""; 0]);
        assert_eq!(lead(&start, 3), ["1", "2"], "an older version stays as it was");
    }

    fn refused(what: &str) -> Result<(usize, usize), String> {
        Err(format!("hos.hierarchy_invalid Role::\"0\": more than {what}"))
    }

    #[test]
    fn who_stands_above_is_gathered_once_and_no_deeper_than_may_be() {
        assert_eq!(above(0, 0, 0), Ok((0, 0)));
        assert_eq!(above(1, 2, 1), Ok((3, 2)));
        assert_eq!(above(3, 2, 1), Ok((5, 2)), "an ancestor of several parents is one");
        assert_eq!(above(1, 1, HIERARCHY_DEPTH_MAX - 1), Ok((2, HIERARCHY_DEPTH_MAX)));
        assert_eq!(above(1, 1, HIERARCHY_DEPTH_MAX), refused("64 levels of parents"));
        assert_eq!(above(1, 1, HIERARCHY_DEPTH_MAX + 1), refused("64 levels of parents"));
    }

    #[test]
    fn as_many_stand_above_as_may_be() {
        assert_eq!(above(ANCESTORS_MAX, 0, 0), Ok((ANCESTORS_MAX, 1)));
        assert_eq!(above(1, ANCESTORS_MAX - 1, 1), Ok((ANCESTORS_MAX, 2)));
        assert_eq!(above(1, ANCESTORS_MAX, 1), refused("4096 ancestors"));
        assert_eq!(above(ANCESTORS_MAX + 1, 0, 0), refused("4096 parents"));
    }
}
