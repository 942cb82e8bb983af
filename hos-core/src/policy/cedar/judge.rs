//! The evaluator: bodies over a slice.

use super::light::{self, Surroundings};
use cedar_policy_core::ast::{Context, Entity, EntityUID, EntityUIDEntry, Expr, Literal, Request, SlotEnv, Value, ValueKind};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::evaluator::{EvaluationError, Evaluator};
use cedar_policy_core::extensions::Extensions;
use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

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
#[derive(Clone, Copy)]
pub(in crate::policy) struct Setting<'e> {
    pub(in crate::policy) principal: &'e Arc<EntityUID>,
    pub(in crate::policy) action: &'e Arc<EntityUID>,
    pub(in crate::policy) resource: &'e Arc<EntityUID>,
    /// The context, with the very attributes that the principal and the resource have in the slice.
    pub(in crate::policy) context: &'e Surroundings,
    /// The entities, made when they are first asked for.
    pub(in crate::policy) slice: &'e dyn Slice,
}

/// Whoever holds a slice's entities.
pub(in crate::policy) trait Slice {
    /// The entities, closed.
    fn store(&self) -> &Store;
}

/// Judges bodies.
pub(in crate::policy) struct Judge<'e> {
    setting: Setting<'e>,
    light: OnceCell<Evaluator<'e>>,
    full: OnceCell<Evaluator<'e>>,
    slots: SlotEnv,
}

impl<'e> Judge<'e> {
    #[inline]
    pub(in crate::policy) fn new(setting: Setting<'e>) -> Self {
        Self { setting, light: OnceCell::new(), full: OnceCell::new(), slots: SlotEnv::new() }
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
        let failure = |e: EvaluationError| Failure { kind: kind(&e), message: e.to_string() };
        stacker::maybe_grow(need, need + STACK_FLOOR_BYTES, || {
            if let Some(form) = &body.light
                && let Some(evaluator) = self.light()
                && let Ok(value) = evaluator.interpret(form, &self.slots)
            {
                return Ok(value);
            }
            self.full().interpret(&body.expr, &self.slots).map_err(failure)
        })
    }

    fn light(&self) -> Option<&Evaluator<'e>> {
        static NOBODY: LazyLock<Entities> = LazyLock::new(Entities::new);
        let context = self.setting.context.light()?;
        Some(self.light.get_or_init(|| self.evaluator(context.clone(), &NOBODY)))
    }

    fn full(&self) -> &Evaluator<'e> {
        self.full.get_or_init(|| self.evaluator(self.setting.context.given(), &self.setting.slice.store().0))
    }

    fn evaluator(&self, context: Context, entities: &'e Entities) -> Evaluator<'e> {
        let Setting { principal, action, resource, .. } = self.setting;
        let known = |uid: &Arc<EntityUID>| EntityUIDEntry::Known { euid: Arc::clone(uid), loc: None };
        let request = Request::new_unchecked(known(principal), known(action), known(resource), Some(context));
        Evaluator::new(request, entities, Extensions::all_available())
    }
}

/// An expression ready to be judged: its places stripped, its result surely a Boolean where one is wanted, its depth known.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Body {
    expr: Expr,
    /// The same without entities, where that can be said ([`light`]).
    light: Option<Expr>,
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
        Self { expr, light: None, depth }
    }

    /// Adds the form that needs no entities, if there is one. `maybe_entity`: whether an attribute of this name may hold one.
    pub(in crate::policy) fn lighten(&mut self, maybe_entity: &dyn Fn(&str) -> bool) {
        self.light = super::on_deep_stack(|| light::form(&self.expr, maybe_entity));
        // What stood one level deep may stand two deep now.
        self.depth = self.depth.max(self.light.as_ref().map_or(0, super::walk::depth));
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
