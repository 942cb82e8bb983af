//! A policy or template, taken apart: its scope for the index, its body for the evaluator.

use super::cedar::judge::Body;
use super::cedar::{EntityType, Key};
use crate::id::Uid;
use std::sync::Arc;

/// One side of a scope: what it asks of the principal, or of the resource.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    Any,
    Is(EntityType),
    Eq(Key),
    In(Key),
    IsIn(EntityType, Key),
    EqSlot,
    InSlot,
    IsInSlot(EntityType),
}

impl Scope {
    pub(super) fn is_slot(&self) -> bool {
        matches!(self, Scope::EqSlot | Scope::InSlot | Scope::IsInSlot(_))
    }
}

/// What a scope asks of the action.
#[derive(Debug, Clone)]
pub(super) enum ActionScope {
    Any,
    Eq(Key),
    In(Vec<Key>),
}

/// A policy or template.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: Arc<str>,
    /// Hash of the id, for its links.
    pub(super) id_hash: u64,
    pub(super) forbid: bool,
    pub(super) action: ActionScope,
    pub(super) principal: Scope,
    pub(super) resource: Scope,
    /// Nothing where it holds whenever its scope does.
    pub(super) body: Option<Body>,
    /// Entities that the body names and may read.
    pub(super) reads: Vec<Uid>,
    /// Whether the body speaks of `action`.
    pub(super) names_action: bool,
}

impl Rule {
    pub(super) fn is_template(&self) -> bool {
        self.principal.is_slot() || self.resource.is_slot()
    }
}
