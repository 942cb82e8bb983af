//! The ruling: what the selected policies say, and what a contract's expressions come to.

use super::bound::{Bound, Stand};
use super::cedar::CoreEntity;
use super::cedar::judge::{Failure, Judge, Setting, Slice, Store};
use super::cedar::light::Surroundings;
use super::directory::Node;
use super::given::Closed;
use super::index::Hit;
use super::request::{Compat, Entity, Link, Request};
use super::rule::Rule;
use super::shape::ActionInfo;
use crate::id::Uid;
use crate::shape::ExpressionId;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The decision.
    pub effect: Effect,
    /// Ids of the policies (or links) that decided, sorted; on a denial by forbid the forbids (those that could not be
    /// evaluated, where they decide), on an allowance the permits.
    pub determining: Vec<String>,
    /// Policies that could not be evaluated, sorted by id. What errs is skipped and reported; an erroring forbid also
    /// denies under [`Compat::Strict`].
    pub errors: Vec<PolicyError>,
}

/// The decision, with why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Some permit holds, no forbid.
    Allow,
    /// A forbid holds.
    Forbidden,
    /// A forbid that applies could not be evaluated.
    ForbidError,
    /// No permit holds.
    NotPermitted,
}

/// A policy that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The policy or link.
    pub policy: String,
    /// What kind: `TypeError`, `AttributeMissing`, `EntityMissing`, `Overflow`, `ExtensionError`, `ArgumentCount`,
    /// `FunctionUnknown`, `RecursionLimit`, `SlotEmpty` or `Unknown`.
    pub kind: String,
    /// Cedar's words.
    pub message: String,
}

/// A request whose slice stands: nothing it needs is absent.
pub struct Prepared<'a> {
    pub(super) bound: &'a Bound,
    pub(super) request: &'a Request<'a>,
    pub(super) action: &'a ActionInfo,
    pub(super) principal: Stand<'a>,
    pub(super) resource: Stand<'a>,
    pub(super) context: Surroundings,
    pub(super) parts: Vec<Part<'a>>,
    pub(super) hits: Vec<Hit>,
    pub(super) store: OnceLock<Store>,
}

/// One entity of a slice.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Stored(&'a Node),
    Given {
        place: usize,
        closed: Arc<Closed>,
    },
    /// An action, which the law itself declares; no part of the evidence.
    Declared(&'a Arc<CoreEntity>),
}

impl Part<'_> {
    fn core(&self, given: &[Entity]) -> Option<&Arc<CoreEntity>> {
        match self {
            Part::Stored(node) => Some(node.core()),
            Part::Given { place, closed } => given.get(*place).map(|entity| closed.core(entity)),
            Part::Declared(core) => Some(core),
        }
    }

    fn ancestors(&self) -> &[Uid] {
        match self {
            Part::Stored(node) => &node.ancestors,
            Part::Given { closed, .. } => &closed.uids,
            Part::Declared(_) => &[],
        }
    }
}

impl fmt::Debug for Prepared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was given may be personal; the request's own words are enough to know it by.
        f.debug_struct("Prepared")
            .field("action", self.request.action)
            .field("policies", &self.hits.len())
            .field("entities", &self.parts.len())
            .finish_non_exhaustive()
    }
}

impl Prepared<'_> {
    /// Judges the policies that the index selects.
    pub fn ruling(&self) -> Ruling {
        let law = self.bound.law();
        rule(&law.rules, &self.hits, law.compat, || self.judge())
    }

    /// Judges a contract's condition. The error is Cedar's words.
    pub fn condition(&self, id: ExpressionId) -> Result<bool, String> {
        let (body, false) = self.expression(id)? else { return Err("this expression is an instant, not a condition".to_owned()) };
        self.judge().truth(body).map_err(|e| e.message)
    }

    /// Evaluates a contract's instant. The error is Cedar's words.
    pub fn instant(&self, id: ExpressionId) -> Result<Timestamp, String> {
        let (body, true) = self.expression(id)? else { return Err("this expression is a condition, not an instant".to_owned()) };
        self.judge().long(body).map(Timestamp).map_err(|e| e.message)
    }

    /// The closed slice that was judged: principal, resource and every ancestor and named entity, sorted by uid, for the
    /// evidence. An ancestor that nobody gives stands in its members' `parents` alone.
    pub fn slice(&self) -> Vec<Entity> {
        let directory = self.bound.directory();
        let mut slice: BTreeMap<&Uid, &Entity> = BTreeMap::new();
        for part in &self.parts {
            let own = match part {
                Part::Stored(node) => Some(&node.entity),
                Part::Given { place, .. } => self.request.given.get(*place),
                Part::Declared(_) => None,
            };
            slice.extend(own.map(|e| (&e.uid, e)));
            slice.extend(part.ancestors().iter().filter_map(|uid| directory.get(uid)).map(|e| (&e.uid, e)));
        }
        slice.into_values().cloned().collect()
    }

    /// The links whose scope held for this request, sorted by id, for the evidence.
    pub fn links(&self) -> Vec<Link> {
        let ids = self.hits.iter().filter_map(|hit| hit.link.as_deref());
        let found: BTreeMap<&str, &Link> = ids.filter_map(|id| Some((id, self.bound.directory().link(id)?))).collect();
        found.into_values().cloned().collect()
    }

    fn expression(&self, id: ExpressionId) -> Result<(&super::cedar::judge::Body, bool), String> {
        let found = self.bound.law().expressions.get(id.0 as usize).and_then(Option::as_ref);
        let expression = found.ok_or_else(|| format!("the law has no expression {}", id.0))?;
        Ok((&expression.body, expression.instant))
    }

    #[inline]
    fn judge(&self) -> Judge<'_> {
        Judge::new(Setting {
            principal: self.principal.key().uid(),
            action: self.action.key.uid(),
            resource: self.resource.key().uid(),
            context: &self.context,
            slice: self,
        })
    }
}

impl Slice for Prepared<'_> {
    fn store(&self) -> &Store {
        let entities = || self.parts.iter().filter_map(|part| part.core(self.request.given));
        self.store.get_or_init(|| Store::new(entities().map(Arc::clone)))
    }
}

/// Judges the bodies of what was selected: everything that determines is named, what errs is skipped and reported, nothing
/// stops at the first hit.
pub(super) fn rule<'j>(rules: &[Rule], hits: &[Hit], compat: Compat, make: impl Fn() -> Judge<'j>) -> Ruling {
    // Most rulings need no evaluator at all: the index decided the scopes.
    let mut judge: Option<Judge<'j>> = None;
    let (mut permits, mut forbids, mut doubts, mut errors) = (Vec::with_capacity(hits.len()), Vec::new(), Vec::new(), Vec::new());
    for hit in hits {
        let Some(rule) = rules.get(hit.rule as usize) else { continue };
        let id = hit.link.as_deref().unwrap_or(&rule.id);
        let holds = match &rule.body {
            None => Ok(true),
            Some(body) => judge.get_or_insert_with(&make).truth(body),
        };
        match holds {
            Ok(true) if rule.forbid => forbids.push(id.to_owned()),
            Ok(true) => permits.push(id.to_owned()),
            Ok(false) => {}
            Err(Failure { kind, message }) => {
                if rule.forbid {
                    doubts.push(id.to_owned());
                }
                errors.push(PolicyError { policy: id.to_owned(), kind: kind.to_owned(), message });
            }
        }
    }
    errors.sort_by(|a, b| a.policy.cmp(&b.policy));
    let (effect, mut determining) = if !forbids.is_empty() {
        (Effect::Forbidden, forbids)
    } else if compat == Compat::Strict && !doubts.is_empty() {
        (Effect::ForbidError, doubts)
    } else if !permits.is_empty() {
        (Effect::Allow, permits)
    } else {
        (Effect::NotPermitted, Vec::new())
    };
    determining.sort_unstable();
    // A grant may be called as a policy of a law that came after it is.
    determining.dedup();
    Ruling { effect, determining, errors }
}
