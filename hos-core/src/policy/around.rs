//! What a request that was refused before judging stood on: for the evidence, which would otherwise say nothing of it.

use super::bound::Bound;
use super::request::{Entity, Request};
use crate::id::Uid;
use crate::limits::GIVEN_MAX;
use crate::value::Record;
use std::collections::BTreeMap;

/// How many stored entities are gathered at most.
const AROUND_MAX: usize = 1_024;

impl Bound {
    /// What came with the request, and what the directory holds of principal, resource and all that they and the context
    /// name, with what stands above: sorted by uid. Nothing is checked; where an entity is both, the stored one is said.
    pub fn around(&self, request: &Request<'_>) -> Vec<Entity> {
        self.around_these(request.principal, request.resource, request.given, request.context)
    }

    /// The same where the law has no such action.
    pub fn around_these(&self, principal: &Uid, resource: &Uid, given: &[Entity], context: &Record) -> Vec<Entity> {
        let directory = self.directory();
        let mut named: Vec<&Uid> = Vec::new();
        context.values().for_each(|v| v.entities(&mut named));
        for entity in given {
            named.extend(&entity.parents);
            entity.attrs.values().for_each(|v| v.entities(&mut named));
        }
        // Taken from the end: whatever there is no room for, it is not who asked, nor what about.
        named.extend([resource, principal]);
        let mut found: BTreeMap<&Uid, &Entity> = given.iter().take(GIVEN_MAX).map(|e| (&e.uid, e)).collect();
        let mut stored = 0;
        while let Some(uid) = named.pop() {
            let Some(node) = directory.node(uid).filter(|_| stored < AROUND_MAX) else { continue };
            if found.get(uid).is_some_and(|e| std::ptr::eq(*e, &node.entity)) {
                continue;
            }
            stored += 1;
            found.insert(&node.entity.uid, &node.entity);
            found.extend(node.ancestors.iter().filter_map(|above| directory.get(above)).map(|e| (&e.uid, e)));
            named.extend(node.names.iter());
        }
        found.into_values().cloned().collect()
    }
}
