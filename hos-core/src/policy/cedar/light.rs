//! A body in a form that needs no entities: what it reads of the principal and the resource comes to it by the context.
//!
//! Cedar's evaluator finds an attribute by looking its entity up in a store that must be made for each request. Here
//! `resource.public` becomes `context.r.public`, and `context.level` becomes `context.c.level`, over a context of three
//! records that are at hand. Cedar's evaluator judges this form too. What it then comes to is what the body itself comes to:
//! each step gives the same value from the same attributes, and whatever would ask a store for more than those (`in`, tags,
//! `has` of anything but the three) is not put into this form at all. An error in it means nothing (an attribute that is
//! missing in a record is missing in other words than one that is missing in an entity): then the body itself is judged.

use super::value::Attrs;
use cedar_policy_core::ast::{BinaryOp, Context, Expr, ExprBuilder, ExprKind, Var};
use cedar_policy_core::expr_builder::ExprBuilder as _;
use std::collections::BTreeMap;
use std::sync::Arc;

const CONTEXT: &str = "c";
const PRINCIPAL: &str = "p";
const RESOURCE: &str = "r";

/// The context of the light form; an entity without data is left out, and whoever reads of it errs.
pub(super) fn context(context: &Attrs, principal: Option<&Attrs>, resource: Option<&Attrs>) -> Context {
    let mut fields = BTreeMap::new();
    fields.insert(CONTEXT.into(), context.value().clone());
    for (name, attrs) in [(PRINCIPAL, principal), (RESOURCE, resource)] {
        if let Some(attrs) = attrs {
            fields.insert(name.into(), attrs.value().clone());
        }
    }
    Context::Value(Arc::new(fields))
}

/// The light form of an expression, if it has one. `maybe_entity` says whether an attribute of this name may hold an entity:
/// reading through it would only err, so it spares a vain attempt and decides nothing.
///
/// Recursive: only for expressions whose depth was bounded, on a stack that was reserved.
pub(super) fn form(expr: &Expr, maybe_entity: &dyn Fn(&str) -> bool) -> Option<Expr> {
    let light = |e: &Arc<Expr>| form(e, maybe_entity).map(Arc::new);
    let all = |items: &[Expr]| items.iter().map(|e| form(e, maybe_entity)).collect::<Option<Vec<_>>>();
    let kind = match expr.expr_kind() {
        ExprKind::Lit(_) | ExprKind::Var(Var::Principal | Var::Action | Var::Resource) => expr.expr_kind().clone(),
        ExprKind::Var(Var::Context) => return Some(record(CONTEXT)),
        ExprKind::If { test_expr, then_expr, else_expr } => {
            ExprKind::If { test_expr: light(test_expr)?, then_expr: light(then_expr)?, else_expr: light(else_expr)? }
        }
        ExprKind::And { left, right } => ExprKind::And { left: light(left)?, right: light(right)? },
        ExprKind::Or { left, right } => ExprKind::Or { left: light(left)?, right: light(right)? },
        ExprKind::UnaryApp { op, arg } => ExprKind::UnaryApp { op: *op, arg: light(arg)? },
        ExprKind::BinaryApp { op: BinaryOp::In | BinaryOp::GetTag | BinaryOp::HasTag, .. } => return None,
        ExprKind::BinaryApp { op, arg1, arg2 } => ExprKind::BinaryApp { op: *op, arg1: light(arg1)?, arg2: light(arg2)? },
        ExprKind::ExtensionFunctionApp { fn_name, args } => {
            ExprKind::ExtensionFunctionApp { fn_name: fn_name.clone(), args: Arc::new(all(args)?) }
        }
        ExprKind::GetAttr { expr: of, attr } => {
            let of = match of.expr_kind() {
                ExprKind::Var(var) => Arc::new(attributes(*var)?),
                ExprKind::Lit(_) => return None,
                ExprKind::GetAttr { attr, .. } if maybe_entity(attr) => return None,
                _ => light(of)?,
            };
            ExprKind::GetAttr { expr: of, attr: attr.clone() }
        }
        // Of an entity that no store holds, Cedar says that it has nothing: no error would tell.
        ExprKind::HasAttr { expr: of, attr } => match of.expr_kind() {
            ExprKind::Var(var) => ExprKind::HasAttr { expr: Arc::new(attributes(*var)?), attr: attr.clone() },
            _ => return None,
        },
        ExprKind::Like { expr, pattern } => ExprKind::Like { expr: light(expr)?, pattern: pattern.clone() },
        ExprKind::Is { expr, entity_type } => ExprKind::Is { expr: light(expr)?, entity_type: entity_type.clone() },
        ExprKind::Set(items) => ExprKind::Set(Arc::new(all(items)?)),
        ExprKind::Record(fields) => {
            let field = |(name, value): (&_, &Expr)| Some((Clone::clone(name), form(value, maybe_entity)?));
            ExprKind::Record(Arc::new(fields.iter().map(field).collect::<Option<_>>()?))
        }
        _ => return None,
    };
    Some(ExprBuilder::with_data(()).with_expr_kind(kind))
}

/// Where the attributes of a variable stand.
fn attributes(var: Var) -> Option<Expr> {
    match var {
        Var::Principal => Some(record(PRINCIPAL)),
        Var::Resource => Some(record(RESOURCE)),
        Var::Context => Some(record(CONTEXT)),
        Var::Action => None,
    }
}

fn record(name: &str) -> Expr {
    Expr::get_attr(Expr::var(Var::Context), name.into())
}
