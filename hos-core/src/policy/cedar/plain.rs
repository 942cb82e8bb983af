//! Cedar's own JSON of entities and contexts, for unvalidated use.

use super::judge::{Slice, Store};
use super::light::Surroundings;
use super::place::chain;
use super::value::Attrs;
use super::{Key, schema};
use cedar_policy_core::ast::Context;
use cedar_policy_core::entities::{ContextJsonParser, Dereference, EntityJsonParser, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::{CoreSchema, ValidatorSchema, context_schema_for_action};
use std::sync::Arc;

/// Entities, and the schema by which they and contexts are read.
#[derive(Debug)]
pub(in crate::policy) struct PlainSources {
    store: Store,
    schema: Option<ValidatorSchema>,
}

impl PlainSources {
    pub(in crate::policy) fn new(schema: Option<&str>, entities_json: &str) -> Result<Self, String> {
        let schema = schema.map(schema::plain).transpose()?;
        let extensions = Extensions::all_available();
        let compute = TCComputation::ComputeNow;
        // Cedar closes by recursion.
        let entities = super::on_deep_stack(|| {
            match &schema {
                Some(schema) => {
                    let core = CoreSchema::new(schema);
                    EntityJsonParser::new(Some(&core), extensions, compute).from_json_str(entities_json)
                }
                None => EntityJsonParser::<'_, '_, NoEntitiesSchema>::new(None, extensions, compute).from_json_str(entities_json),
            }
            .map_err(|e| chain(&e))
        })?;
        Ok(Self { store: Store::from_cedar(entities), schema })
    }

    /// The attributes of an entity that is there.
    pub(in crate::policy) fn attrs(&self, key: &Key) -> Option<Attrs> {
        match self.store.entities().entity(key.uid()) {
            Dereference::Data(entity) => Attrs::of(entity),
            _ => None,
        }
    }

    pub(in crate::policy) fn ancestors(&self, key: &Key) -> Vec<Key> {
        match self.store.entities().entity(key.uid()) {
            Dereference::Data(entity) => entity.ancestors().map(|uid| Key::new(Arc::new(uid.clone()))).collect(),
            _ => Vec::new(),
        }
    }

    pub(in crate::policy) fn context(&self, action: &Key, json: &str) -> Result<Surroundings, String> {
        let extensions = Extensions::all_available();
        let declared = self.schema.as_ref().and_then(|schema| context_schema_for_action(schema, action.uid()));
        let context = match declared {
            Some(declared) => ContextJsonParser::new(Some(&declared), extensions).from_json_str(json),
            None => Context::from_json_str(json),
        };
        context.map(Surroundings::of).map_err(|e| chain(&e))
    }
}

impl Slice for PlainSources {
    fn store(&self) -> &Store {
        &self.store
    }
}
