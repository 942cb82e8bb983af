//! Plain Cedar, unvalidated: policies with Cedar's own ids, entities and context as Cedar's JSON, no schema needed.
//!
//! This is how Cedar's own test formats enter. It goes through the same index and the same evaluator as a law does, under
//! Cedar's own rule for erring policies ([`Compat::Cedar`]); nothing absent is refused, and action groups come from the
//! ancestors in the entities given.

use super::cedar::judge::{Judge, Setting};
use super::cedar::light::Surroundings;
use super::cedar::plain::PlainSources;
use super::cedar::{Key, parse, uid};
use super::decide::{self, Ruling};
use super::index::{Index, Side};
use super::links::{Filled, LinkIndex};
use super::request::Compat;
use super::rule::Rule;
use std::sync::Arc;

/// An entity's type and id, unescaped.
pub type PlainUid<'a> = (&'a str, &'a str);

/// What a request says of its circumstances, read for one action, and of use for many requests with it.
#[derive(Debug)]
pub struct PlainContext(Surroundings);

/// A set of policies over a set of entities.
#[derive(Debug)]
pub struct PlainLaw {
    rules: Vec<Rule>,
    /// The `@id` that a policy may have beside Cedar's own id.
    names: Vec<Option<String>>,
    index: Index,
    links: LinkIndex,
    sources: PlainSources,
}

impl PlainLaw {
    /// Reads policies (`policy0`, `policy1`, … in their order), a schema in Cedar's syntax by which entities and contexts are
    /// read, and entities as Cedar's JSON. The error is Cedar's words.
    pub fn new(policies: &str, schema: Option<&str>, entities_json: &str) -> Result<PlainLaw, String> {
        let set = parse::plain(policies)?;
        let mut rules: Vec<Rule> = set.all_templates().map(parse::rule).collect();
        // Nothing is known of types here: what turns out to be an entity is found out in vain.
        rules.iter_mut().filter_map(|rule| rule.body.as_mut()).for_each(|body| body.lighten(&|_| false));
        let names = set.all_templates().map(parse::annotation_id).collect();
        let sources = PlainSources::new(schema, entities_json)?;
        Ok(PlainLaw { index: Index::new(&rules), rules, names, links: LinkIndex::default(), sources })
    }

    /// Links a template, named by Cedar's own id or by its `@id`.
    pub fn link(
        &mut self,
        template: &str,
        id: &str,
        principal: Option<PlainUid<'_>>,
        resource: Option<PlainUid<'_>>,
    ) -> Result<(), String> {
        let named = |(rule, name): &(&Rule, &Option<String>)| *rule.id == *template || name.as_deref() == Some(template);
        let mut found = self.rules.iter().zip(&self.names).filter(named).map(|(rule, _)| rule);
        let rule = found.find(|r| r.is_template()).ok_or("no such template")?;
        if (principal.is_some(), resource.is_some()) != (rule.principal.is_slot(), rule.resource.is_slot()) {
            return Err("the template has other slots".to_owned());
        }
        let key = |uid: Option<PlainUid<'_>>| uid.map(plain_key).transpose();
        let filled = Filled::new(Arc::clone(&rule.id), rule.id_hash, key(principal)?, key(resource)?);
        self.links.insert(filled, &Arc::from(id));
        Ok(())
    }

    /// Reads a context: a JSON object, as the schema wants it of the action, if there is one. The error is Cedar's words.
    pub fn context(&self, action: PlainUid<'_>, json: &str) -> Result<PlainContext, String> {
        self.sources.context(&plain_key(action)?, json).map(PlainContext)
    }

    /// Judges one request; the context is a JSON object. The error is Cedar's words.
    pub fn decide(
        &self,
        principal: PlainUid<'_>,
        action: PlainUid<'_>,
        resource: PlainUid<'_>,
        context_json: &str,
    ) -> Result<Ruling, String> {
        self.decide_in(principal, action, resource, &self.context(action, context_json)?)
    }

    /// The same, in a context that was read before.
    pub fn decide_in(
        &self,
        principal: PlainUid<'_>,
        action: PlainUid<'_>,
        resource: PlainUid<'_>,
        context: &PlainContext,
    ) -> Result<Ruling, String> {
        let (principal, action, resource) = (plain_key(principal)?, plain_key(action)?, plain_key(resource)?);
        let [above_principal, above_action, above_resource] =
            [&principal, &action, &resource].map(|key| self.sources.ancestors(key));
        let buckets = self.index.buckets(&action, &above_action);
        let side = |own, ancestors| Side { type_number: self.index.type_number(type_of(own)), own, ancestors };
        let hits = self.index.select(
            &self.rules,
            &self.links,
            &buckets,
            side(&principal, &above_principal),
            side(&resource, &above_resource),
        );
        let context = context.0.clone().with(self.sources.attrs(&principal).as_ref(), self.sources.attrs(&resource).as_ref());
        let setting = Setting {
            principal: principal.uid(),
            action: action.uid(),
            resource: resource.uid(),
            context: &context,
            slice: &self.sources,
        };
        Ok(decide::rule(&self.rules, &hits, Compat::Cedar, || Judge::new(setting)))
    }
}

fn plain_key((type_name, id): PlainUid<'_>) -> Result<Key, String> {
    let ty = uid::entity_type(type_name).ok_or_else(|| format!("`{type_name}` is not an entity type"))?;
    Ok(Key::new(Arc::new(uid::entity_uid(&ty, id))))
}

fn type_of(key: &Key) -> &super::cedar::EntityType {
    key.uid().entity_type()
}
