//! What a request that was refused before judging stood on: for the evidence, which would otherwise say nothing of it.

use super::bound::Bound;
use super::request::{Entity, Request};
use crate::id::Uid;
use crate::limits::GIVEN_MAX;
use std::collections::BTreeMap;

/// How many stored entities are gathered at most.
const AROUND_MAX: usize = 1_024;

impl Bound {
    /// What came with the request, and what the directory holds of principal, resource and all that they and the context
    /// name, with what stands above: sorted by uid. Nothing is checked; where an entity is both, the stored one is said.
    pub fn around(&self, request: &Request<'_>) -> Vec<Entity> {
        let directory = self.directory();
        let mut named: Vec<&Uid> = vec![request.principal, request.resource];
        request.context.values().for_each(|v| v.entities(&mut named));
        for entity in request.given {
            named.extend(&entity.parents);
            entity.attrs.values().for_each(|v| v.entities(&mut named));
        }
        let mut found: BTreeMap<&Uid, &Entity> = request.given.iter().take(GIVEN_MAX).map(|e| (&e.uid, e)).collect();
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
