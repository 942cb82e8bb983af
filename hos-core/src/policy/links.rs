//! Which links of a template hold for a request: found by the values of its slots, never by going through them.

use super::cedar::Key;
use super::hash::PassHash;
use super::index::Side;
use super::rule::{Rule, Scope};
use super::sought::Watch;
use crate::layered::Layered;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A template and what fills its slots, with its hash beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    hash: u64,
    template: Arc<str>,
    principal: Option<Key>,
    resource: Option<Key>,
}

impl Filled {
    pub(super) fn new(template: Arc<str>, template_hash: u64, principal: Option<Key>, resource: Option<Key>) -> Self {
        // The parts are seeded hashes already; rotations keep (a, b) and (b, a) apart.
        let part = |key: &Option<Key>, turn: u32| key.as_ref().map_or(0, |k| k.hash64().rotate_left(turn));
        let hash = template_hash ^ part(&principal, 17) ^ part(&resource, 41);
        Self { hash, template, principal, resource }
    }
}

impl Hash for Filled {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Links by what fills their slots.
#[derive(Debug, Default, Clone)]
pub(super) struct LinkIndex {
    links: Layered<Filled, Vec<Arc<str>>, PassHash>,
    /// How many links with both slots have this principal, or this resource: spares most pairs.
    halves: Layered<Filled, usize, PassHash>,
    watch: Option<Arc<Watch>>,
}

impl LinkIndex {
    /// The same, remembering what is looked for.
    pub(super) fn watched(&self, watch: Arc<Watch>) -> Self {
        Self { watch: Some(watch), ..self.clone() }
    }

    pub(super) fn insert(&mut self, filled: Filled, id: &Arc<str>) {
        for half in halves(&filled) {
            self.halves.modify(half, |count| Some(count.unwrap_or(0) + 1));
        }
        self.links.modify(filled, |ids| {
            let mut ids = ids.unwrap_or_default();
            ids.push(Arc::clone(id));
            Some(ids)
        });
    }

    /// Takes a link out that was put in.
    pub(super) fn remove(&mut self, filled: &Filled, id: &str) {
        for half in halves(filled) {
            self.halves.modify(half, |count| count.filter(|c| *c > 1).map(|c| c - 1));
        }
        self.links.modify(filled.clone(), |ids| {
            let mut ids = ids?;
            ids.retain(|have| **have != *id);
            (!ids.is_empty()).then_some(ids)
        });
    }

    /// Every link of the template that holds for these two.
    pub(super) fn find(&self, rule: &Rule, principal: Side<'_>, resource: Side<'_>, mut found: impl FnMut(&Arc<str>)) {
        if let Some(watch) = &self.watch {
            watch.links(rule, principal.own, resource.own);
        }
        if self.links.is_empty() {
            return;
        }
        let filled = |p: Option<&Key>, r: Option<&Key>| Filled::new(Arc::clone(&rule.id), rule.id_hash, p.cloned(), r.cloned());
        let mut try_one = |p: Option<&Key>, r: Option<&Key>| {
            self.links.get(&filled(p, r)).into_iter().flatten().for_each(&mut found);
        };
        match (rule.principal.is_slot(), rule.resource.is_slot()) {
            (true, false) => values(&rule.principal, principal).for_each(|p| try_one(Some(p), None)),
            (false, true) => values(&rule.resource, resource).for_each(|r| try_one(None, Some(r))),
            (true, true) => {
                let has = |p: Option<&Key>, r: Option<&Key>| self.halves.contains(&filled(p, r));
                let resources: Vec<&Key> = values(&rule.resource, resource).filter(|r| has(None, Some(r))).collect();
                if resources.is_empty() {
                    return;
                }
                for p in values(&rule.principal, principal).filter(|p| has(Some(p), None)) {
                    resources.iter().for_each(|r| try_one(Some(p), Some(r)));
                }
            }
            (false, false) => {}
        }
    }
}

/// What could fill a slot so that its scope holds.
fn values<'k>(scope: &Scope, side: Side<'k>) -> impl Iterator<Item = &'k Key> {
    let ancestors = if matches!(scope, Scope::EqSlot) { &[] } else { side.ancestors };
    std::iter::once(side.own).chain(ancestors)
}

fn halves(filled: &Filled) -> Vec<Filled> {
    let (Some(_), Some(_)) = (&filled.principal, &filled.resource) else { return Vec::new() };
    let template_hash = crate::id::text_hash(&filled.template);
    let half = |p: Option<Key>, r: Option<Key>| Filled::new(Arc::clone(&filled.template), template_hash, p, r);
    vec![half(filled.principal.clone(), None), half(None, filled.resource.clone())]
}
