//! The policies of a law: parsed, merged with what the contracts say, validated strictly, indexed once.

use super::cedar::judge::Body;
use super::cedar::parse::ParsedFile;
use super::cedar::{self, EntityType, Key, walk};
use super::index::Index;
use super::request::Compat;
use super::rule::{ActionScope, Rule, Scope};
use super::shape::{ActionInfo, Tables, TypeNameSet};
use crate::fault::{Fault, Lines, Severity, SourceFile};
use crate::id::{Shown, Uid};
use crate::shape::{ActionShape, EntityShape, Expression, Wanted};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a policy law is compiled from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// `schema.cedarschema`.
    pub schema: &'a SourceFile,
    /// `policies/*.cedar`, sorted by path.
    pub policies: &'a [SourceFile],
    /// The default namespace, into which action ids are put (`Pazar`), or empty.
    pub namespace: &'a str,
    /// The rule for erroring forbids.
    pub compat: Compat,
    /// What contracts say of their entity types: merged into the schema's declarations.
    pub entities: &'a [EntityShape],
    /// What contracts say of their actions: merged into the schema's declarations.
    pub actions: &'a [ActionShape],
    /// The contracts' expressions; [`ExpressionId`](crate::shape::ExpressionId) is the index.
    pub expressions: &'a [Expression],
    /// Whether the very same sources were validated before: what validation found is not looked for again.
    pub proven: bool,
}

/// An immutable, indexed policy law.
#[derive(Debug)]
pub struct PolicyLaw {
    pub(super) rules: Vec<Rule>,
    pub(super) index: Index,
    pub(super) tables: Tables,
    pub(super) compat: Compat,
    pub(super) expressions: Vec<Option<CompiledExpression>>,
    /// Tells this law from every other one in the process.
    pub(super) number: u64,
    templates: HashMap<String, (bool, bool)>,
    action_type: String,
}

/// A contract's expression, ready.
#[derive(Debug)]
pub(super) struct CompiledExpression {
    pub(super) body: Body,
    pub(super) instant: bool,
}

impl PolicyLaw {
    /// Parses, merges, validates strictly and indexes. All faults at once; a law without an error may still have warnings.
    ///
    /// Codes: `law.schema.*` (parse, invalid, too_deep, too_large, warning, unknown_entity_type, unknown_action,
    /// action_resource, conflict, two_owners), `law.policy.*` (parse, invalid, warning, missing_id, bad_id, duplicate_id,
    /// too_deep, too_large, forbid_may_err, forbid_hangs), `law.contract.expression_*` (parse, invalid, warning, scope). Faults in a
    /// contract's file have the span within it but no line and column, for its text is not at hand here.
    pub fn compile(sources: &Sources<'_>) -> (Option<PolicyLaw>, Vec<Fault>) {
        // Once for all texts: a deep stack for each of them would cost a third of the time.
        cedar::on_deep_stack(|| Self::compile_here(sources))
    }

    fn compile_here(sources: &Sources<'_>) -> (Option<PolicyLaw>, Vec<Fault>) {
        let mut faults = Vec::new();
        let schema = cedar::schema::compile(
            sources.schema,
            sources.namespace,
            sources.entities,
            sources.actions,
            sources.proven,
            &mut faults,
        );
        let mut ids = BTreeMap::new();
        let parsed: Vec<ParsedFile> =
            sources.policies.iter().map(|file| cedar::parse::file(file, &mut ids, &mut faults)).collect();
        let Some(cedar::schema::Schema { validator, mut tables }) = schema else { return (None, faults) };
        let validator = (!sources.proven).then(|| cedar::check::validator(validator));
        for (file, parsed) in sources.policies.iter().zip(&parsed) {
            if let Some(validator) = &validator {
                cedar::check::policies(validator, &Lines::of(file), parsed, &mut faults);
            }
        }
        let action_type = cedar::action_type(sources.namespace);
        let mut expressions = Vec::with_capacity(sources.expressions.len());
        for expression in sources.expressions {
            expressions.push(compile_expression(validator.as_ref(), &mut tables, &action_type, expression, &mut faults));
        }
        if faults.iter().any(|f| f.severity == Severity::Error) {
            return (None, faults);
        }
        let entity_attributes = tables.entity_attributes();
        let maybe_entity = |name: &str| entity_attributes.contains(name);
        for (file, parsed) in sources.policies.iter().zip(&parsed) {
            let lines = Lines::of(file);
            faults.extend(parsed.policies.iter().filter_map(|p| cedar::check::forbid_may_err(&lines, p, &maybe_entity)));
            faults.extend(parsed.policies.iter().filter_map(|p| cedar::check::forbid_hangs(&lines, p)));
        }
        let mut rules: Vec<Rule> =
            parsed.iter().flat_map(|file| &file.policies).map(|p| cedar::parse::rule(&p.template)).collect();
        let bodies = rules.iter_mut().filter_map(|rule| rule.body.as_mut());
        bodies.chain(expressions.iter_mut().flatten().map(|e| &mut e.body)).for_each(|body| body.lighten(&maybe_entity));
        let index = Index::new(&rules);
        for info in tables.types.values_mut() {
            info.number = index.type_number(&info.core);
        }
        for info in tables.actions.values_mut() {
            info.buckets = index.buckets(&info.key, &info.groups);
        }
        let slots = |r: &Rule| (r.principal.is_slot(), r.resource.is_slot());
        let templates = rules.iter().filter(|r| r.is_template()).map(|r| (r.id.to_string(), slots(r))).collect();
        let law = PolicyLaw {
            rules,
            index,
            tables,
            compat: sources.compat,
            expressions,
            number: next_number(),
            templates,
            action_type,
        };
        (Some(law), faults)
    }

    /// The identities of the schema's actions in the default namespace, by id.
    pub fn actions(&self) -> impl Iterator<Item = &Uid> {
        self.tables.actions.keys().filter(|uid| uid.type_name() == self.action_type)
    }

    /// Those of them that may be asked for: others are groups, which apply to nothing.
    pub fn askable_actions(&self) -> impl Iterator<Item = &Uid> {
        self.actions()
            .filter(|uid| self.tables.actions.get(uid).is_some_and(|a| !a.principals.is_empty() && !a.resources.is_empty()))
    }

    /// Whether the schema declares this action id in the default namespace.
    pub fn has_action(&self, action: &str) -> bool {
        self.action(action).is_some()
    }

    /// Whether some permit's scope could match this action, for some principal and resource type the schema allows it.
    pub fn may_permit(&self, action: &str) -> bool {
        let Some(action) = self.action(action) else { return false };
        self.rules.iter().any(|rule| {
            !rule.forbid
                && concerns(&rule.action, action)
                && self.some_type(&rule.principal, &action.principals)
                && self.some_type(&rule.resource, &action.resources)
        })
    }

    /// Whether some permit's scope could match this action on this resource type for this very principal (a clock, say), as
    /// far as its type and id tell; memberships it may have are data.
    pub fn may_permit_to(&self, action: &str, principal: &Uid, resource_type: &str) -> bool {
        let Some(action) = self.action(action) else { return false };
        let only = |name: &str| TypeNameSet::from_iter([name.to_owned()]);
        let (principals, resources) = (only(principal.type_name()), only(resource_type));
        let itself = |scope: &Scope| match scope {
            Scope::Eq(key) => cedar::uid::from_cedar(key.uid()).as_ref() == Some(principal),
            scope => self.some_type(scope, &principals),
        };
        action.principals.contains(principal.type_name())
            && action.resources.contains(resource_type)
            && self.rules.iter().any(|rule| {
                !rule.forbid
                    && concerns(&rule.action, action)
                    && itself(&rule.principal)
                    && self.some_type(&rule.resource, &resources)
            })
    }

    /// Whether a policy or template of the law has this `@id`.
    pub fn has_policy(&self, id: &str) -> bool {
        self.policy_ids().any(|own| own == id)
    }

    /// The `@id` of every policy and template, in the order of the texts.
    pub fn policy_ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.id)
    }

    /// Whether an entity of this identity is part of the law itself: an action, or a choice of an enumerated type. Nobody gives it.
    pub fn declares(&self, uid: &Uid) -> bool {
        self.tables.declares(uid)
    }

    /// Whether the schema lets there be such an entity: its type is declared, and has this id where the ids are enumerated.
    pub fn may_be(&self, uid: &Uid) -> bool {
        let info = self.tables.types.get(uid.type_name());
        info.is_some_and(|info| info.choices.as_ref().is_none_or(|ids| ids.contains(uid.id())))
    }

    /// An attribute that each entity of this type must have, if there is one.
    pub fn required_attribute(&self, type_name: &str) -> Option<&str> {
        let fields = &self.tables.types.get(type_name)?.shape.fields;
        fields.iter().find(|(_, field)| field.required).map(|(name, _)| name.as_str())
    }

    /// Whether the schema has this action id in the default namespace, and applies it to resources of this type.
    pub fn applies_to(&self, action: &str, resource_type: &str) -> bool {
        self.action(action).is_some_and(|action| action.resources.contains(resource_type))
    }

    /// Whether the schema declares this entity type.
    pub fn has_entity_type(&self, type_name: &str) -> bool {
        self.tables.types.contains_key(type_name)
    }

    /// The slots of the template with this `@id`: (has principal slot, has resource slot).
    pub fn template_slots(&self, template: &str) -> Option<(bool, bool)> {
        self.templates.get(template).copied()
    }

    fn action(&self, action: &str) -> Option<&ActionInfo> {
        self.tables.actions.get(&Uid::new(&self.action_type, action).ok()?)
    }

    fn some_type(&self, scope: &Scope, types: &TypeNameSet) -> bool {
        let named = |ty: &EntityType, name: &str| ty.to_string() == *name;
        let within = |key: &Key, name: &str| {
            let above = key.uid().entity_type().to_string();
            above == *name || self.tables.types.get(name).is_some_and(|info| info.within.contains(&above))
        };
        types.iter().any(|name| match scope {
            Scope::Any | Scope::EqSlot | Scope::InSlot => true,
            Scope::Is(ty) | Scope::IsInSlot(ty) => named(ty, name),
            Scope::Eq(key) => named(key.uid().entity_type(), name),
            Scope::In(key) => within(key, name),
            Scope::IsIn(ty, key) => named(ty, name) && within(key, name),
        })
    }
}

fn concerns(scope: &ActionScope, action: &ActionInfo) -> bool {
    match scope {
        ActionScope::Any => true,
        ActionScope::Eq(key) => *key == action.key,
        ActionScope::In(keys) => keys.iter().any(|k| *k == action.key || action.groups.contains(k)),
    }
}

fn compile_expression(
    validator: Option<&cedar::check::Validator>,
    tables: &mut Tables,
    action_type: &str,
    expression: &Expression,
    faults: &mut Vec<Fault>,
) -> Option<CompiledExpression> {
    let action = Uid::new(action_type, &expression.action).ok();
    let info = action.as_ref().and_then(|uid| tables.actions.get_mut(uid));
    let (Some(info), Some(resource)) = (info, tables.types.get(&expression.resource)) else {
        let message = format!(
            "this cannot be judged: the schema lacks the action `{}` or the type `{}`",
            Shown(&expression.action),
            Shown(&expression.resource)
        );
        let (code, span) = ("law.contract.expression_scope", expression.span.clone());
        faults.push(cedar::schema::contract_fault(code, Severity::Error, &expression.file, span, message));
        return None;
    };
    let body = cedar::check::expression(validator, expression, (**info.key.uid()).clone(), resource.core.clone(), faults)?;
    let reads = walk::read_literals(body.expr());
    info.reads.extend(reads.iter().filter_map(cedar::uid::from_cedar));
    info.reads.sort_unstable();
    info.reads.dedup();
    info.expressions_name_action |= walk::names_action(body.expr());
    Some(CompiledExpression { body, instant: expression.wanted == Wanted::Instant })
}

fn next_number() -> u64 {
    // From 1: a directory's entity that no law looked at says 0.
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
