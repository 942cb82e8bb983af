//! The evaluator: bodies over a slice.

pub(in crate::policy) use cedar_policy_core::ast::Context;
use cedar_policy_core::ast::{Entity, EntityUID, EntityUIDEntry, Expr, Literal, Request, SlotEnv, Value, ValueKind};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::evaluator::{EvaluationError, Evaluator};
use cedar_policy_core::extensions::Extensions;
use std::sync::Arc;

/// What Cedar insists on having left, with room for ourselves.
const STACK_FLOOR_BYTES: usize = 160 << 10;
/// What one level of an expression may take, generously (a debug build's frames included).
const STACK_LEVEL_BYTES: usize = 8 << 10;

/// Why a body could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct Failure {
    pub(in crate::policy) kind: &'static str,
    pub(in crate::policy) message: String,
}

/// A slice's entities, closed.
#[derive(Debug, Default)]
pub(in crate::policy) struct Store(Entities);

impl Store {
    /// Takes entities whose ancestors are closed and whose identities differ.
    pub(in crate::policy) fn new(entities: impl IntoIterator<Item = Arc<Entity>>) -> Self {
        let closed = TCComputation::AssumeAlreadyComputed;
        let added = Entities::new().add_entities(entities, None::<&NoEntitiesSchema>, closed, Extensions::all_available());
        // Nothing is computed or checked here, and duplicates were refused: there is nothing left that could fail.
        Self(added.unwrap_or_default())
    }

    /// Takes Cedar's own.
    pub(in crate::policy) fn from_cedar(entities: Entities) -> Self {
        Self(entities)
    }

    pub(in crate::policy) fn entities(&self) -> &Entities {
        &self.0
    }
}

/// What a body is judged over.
pub(in crate::policy) struct Judge<'e> {
    evaluator: Evaluator<'e>,
    slots: SlotEnv,
}

impl<'e> Judge<'e> {
    pub(in crate::policy) fn new(
        principal: &Arc<EntityUID>,
        action: &Arc<EntityUID>,
        resource: &Arc<EntityUID>,
        context: &Context,
        store: &'e Store,
    ) -> Self {
        let known = |uid: &Arc<EntityUID>| EntityUIDEntry::Known { euid: Arc::clone(uid), loc: None };
        let request = Request::new_unchecked(known(principal), known(action), known(resource), Some(context.clone()));
        Self { evaluator: Evaluator::new(request, &store.0, Extensions::all_available()), slots: SlotEnv::new() }
    }

    /// Whether the body holds.
    pub(in crate::policy) fn truth(&self, body: &Body) -> Result<bool, Failure> {
        match self.value(body)?.value_kind() {
            ValueKind::Lit(Literal::Bool(truth)) => Ok(*truth),
            other => Err(Failure { kind: "TypeError", message: format!("type error: expected bool, got `{other}`") }),
        }
    }

    /// The whole number that the body comes to.
    pub(in crate::policy) fn long(&self, body: &Body) -> Result<i64, Failure> {
        match self.value(body)?.value_kind() {
            ValueKind::Lit(Literal::Long(n)) => Ok(*n),
            other => Err(Failure { kind: "TypeError", message: format!("type error: expected long, got `{other}`") }),
        }
    }

    fn value(&self, body: &Body) -> Result<Value, Failure> {
        let need = STACK_FLOOR_BYTES + body.depth * STACK_LEVEL_BYTES;
        stacker::maybe_grow(need, need + STACK_FLOOR_BYTES, || self.evaluator.interpret(&body.expr, &self.slots))
            .map_err(|e| Failure { kind: kind(&e), message: e.to_string() })
    }
}

/// An expression ready to be judged: its places stripped, its result surely a Boolean where one is wanted, its depth known.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Body {
    expr: Expr,
    depth: usize,
}

impl Body {
    /// A condition. What is not a Boolean by its form is put under `&& true`, so that Cedar itself says what is wrong with it.
    pub(in crate::policy) fn condition(expr: &Expr) -> Self {
        let expr = super::walk::without_places(expr);
        Self::new(if super::walk::is_surely_bool(&expr) { expr } else { Expr::and(expr, Expr::val(true)) })
    }

    /// Any expression, as it is.
    pub(in crate::policy) fn new(expr: Expr) -> Self {
        let depth = super::walk::depth(&expr);
        Self { expr, depth }
    }

    /// Whether it is `true` as it stands.
    pub(in crate::policy) fn is_true(&self) -> bool {
        matches!(self.expr.expr_kind(), cedar_policy_core::ast::ExprKind::Lit(Literal::Bool(true)))
    }

    pub(in crate::policy) fn expr(&self) -> &Expr {
        &self.expr
    }
}

/// Stable words for what went wrong.
pub(in crate::policy) fn kind(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::EntityDoesNotExist(_) => "EntityMissing",
        EvaluationError::EntityAttrDoesNotExist(_) | EvaluationError::RecordAttrDoesNotExist(_) => "AttributeMissing",
        EvaluationError::FailedExtensionFunctionLookup(_) => "FunctionUnknown",
        EvaluationError::TypeError(_) => "TypeError",
        EvaluationError::WrongNumArguments(_) => "ArgumentCount",
        EvaluationError::IntegerOverflow(_) => "Overflow",
        EvaluationError::UnlinkedSlot(_) => "SlotEmpty",
        EvaluationError::FailedExtensionFunctionExecution(_) => "ExtensionError",
        EvaluationError::NonValue(_) => "Unknown",
        EvaluationError::RecursionLimit(_) => "RecursionLimit",
    }
}
