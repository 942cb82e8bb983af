//! An entity in Cedar's words: its attributes at once, the whole of it when somebody asks.
//!
//! Most rulings never look an entity up: scopes are the index's, and what a body reads of the principal and the resource are
//! attributes. So attributes are what is made, and refused if Cedar cannot read them; ancestors as Cedar keeps them wait.

use super::uid::Key;
use super::value::{Attrs, TypeNames};
use crate::value::Record;
use cedar_policy_core::ast::{Entity, PartialValue};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// An entity's attributes, and the entity.
#[derive(Debug)]
pub(in crate::policy) struct Form {
    attrs: Attrs,
    whole: OnceLock<Arc<Entity>>,
}

impl Form {
    pub(in crate::policy) fn new(attrs: &Record, names: &mut impl TypeNames) -> Result<Self, String> {
        Ok(Self { attrs: Attrs::new(attrs, names)?, whole: OnceLock::new() })
    }

    pub(in crate::policy) fn attrs(&self) -> &Attrs {
        &self.attrs
    }

    /// The entity with this key, under these ancestors: each once, with whether it is a direct parent.
    pub(in crate::policy) fn whole<'k>(&self, key: &Key, above: impl Iterator<Item = (&'k Key, bool)>) -> &Arc<Entity> {
        self.whole.get_or_init(|| {
            let (mut parents, mut indirect) = (HashSet::new(), HashSet::new());
            for (key, direct) in above {
                let set = if direct { &mut parents } else { &mut indirect };
                set.insert((**key.uid()).clone());
            }
            let attrs = self.attrs.iter().map(|(name, value)| (name.into(), PartialValue::Value(value.clone())));
            Arc::new(Entity::new_with_attr_partial_value((**key.uid()).clone(), attrs, indirect, parents, []))
        })
    }
}
