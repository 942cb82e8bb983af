//! What an expression holds, told without recursion.

use cedar_policy_core::ast::{BinaryOp, EntityUID, Expr, ExprBuilder, ExprKind, Literal, UnaryOp, Var};
use cedar_policy_core::expr_builder::ExprBuilder as _;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The direct parts of an expression.
pub(in crate::policy) fn parts<'e>(expr: &'e Expr, out: &mut Vec<&'e Expr>) {
    match expr.expr_kind() {
        ExprKind::Lit(_) | ExprKind::Var(_) | ExprKind::Slot(_) | ExprKind::Unknown(_) => {}
        ExprKind::If { test_expr, then_expr, else_expr } => out.extend([&**test_expr, &**then_expr, &**else_expr]),
        ExprKind::And { left, right } | ExprKind::Or { left, right } => out.extend([&**left, &**right]),
        ExprKind::UnaryApp { arg, .. } => out.push(arg),
        ExprKind::BinaryApp { arg1, arg2, .. } => out.extend([&**arg1, &**arg2]),
        ExprKind::ExtensionFunctionApp { args, .. } => out.extend(args.iter()),
        ExprKind::GetAttr { expr, .. }
        | ExprKind::HasAttr { expr, .. }
        | ExprKind::ExtHasAttr { expr, .. }
        | ExprKind::Like { expr, .. }
        | ExprKind::Is { expr, .. } => out.push(expr),
        ExprKind::Set(items) => out.extend(items.iter()),
        ExprKind::Record(fields) => out.extend(fields.values()),
    }
}

/// How many levels the expression has.
pub(in crate::policy) fn depth(expr: &Expr) -> usize {
    let mut level = vec![expr];
    let mut levels = 0;
    while !level.is_empty() {
        levels += 1;
        let mut below = Vec::new();
        level.iter().for_each(|e| parts(e, &mut below));
        level = below;
    }
    levels
}

/// The entity literals whose data an evaluation may read: all but those that are only compared with.
pub(in crate::policy) fn read_literals(expr: &Expr) -> BTreeSet<EntityUID> {
    let mut found = BTreeSet::new();
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr.expr_kind() {
            ExprKind::Lit(Literal::EntityUID(uid)) => {
                found.insert((**uid).clone());
            }
            ExprKind::BinaryApp { op, arg1, arg2 } => match op {
                BinaryOp::Eq | BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny => {
                    open.extend([arg1, arg2].into_iter().filter(|e| !only_literals(e)).map(|e| &**e));
                }
                BinaryOp::In => {
                    open.push(arg1);
                    if !only_literals(arg2) {
                        open.push(arg2);
                    }
                }
                _ => open.extend([&**arg1, &**arg2]),
            },
            _ => parts(expr, &mut open),
        }
    }
    found
}

fn only_literals(expr: &Expr) -> bool {
    match expr.expr_kind() {
        ExprKind::Lit(_) => true,
        ExprKind::Set(items) => items.iter().all(|i| matches!(i.expr_kind(), ExprKind::Lit(_))),
        _ => false,
    }
}

/// Whether the expression speaks of `action`, whose entity must then be at hand.
pub(in crate::policy) fn names_action(expr: &Expr) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if matches!(expr.expr_kind(), ExprKind::Var(Var::Action)) {
            return true;
        }
        parts(expr, &mut open);
    }
    false
}

/// Whether Cedar's evaluator can only give true, false or an error inside it, so that no check of the result is needed.
pub(in crate::policy) fn is_surely_bool(expr: &Expr) -> bool {
    match expr.expr_kind() {
        ExprKind::Lit(Literal::Bool(_))
        | ExprKind::And { .. }
        | ExprKind::Or { .. }
        | ExprKind::HasAttr { .. }
        | ExprKind::ExtHasAttr { .. }
        | ExprKind::Like { .. }
        | ExprKind::Is { .. } => true,
        ExprKind::UnaryApp { op, .. } => !matches!(op, UnaryOp::Neg),
        ExprKind::BinaryApp { op, .. } => !matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::GetTag),
        _ => false,
    }
}

/// Why a validated condition might still not evaluate, if it might: conservative, told from its form alone.
///
/// `maybe_entity` says whether an attribute of this name may hold an entity: reading through such an attribute fails when
/// nobody gave that entity.
pub(in crate::policy) fn may_err(expr: &Expr, maybe_entity: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr.expr_kind() {
            ExprKind::UnaryApp { op: UnaryOp::Neg, .. }
            | ExprKind::BinaryApp { op: BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, .. } => {
                return Some("its arithmetic may overflow");
            }
            ExprKind::BinaryApp { op: BinaryOp::GetTag, .. } => return Some("the tag's entity may be missing"),
            ExprKind::ExtensionFunctionApp { fn_name, args } => {
                let name = fn_name.to_string();
                if matches!(name.as_str(), "offset" | "durationSince" | "toDate") {
                    return Some("its time arithmetic may overflow");
                }
                let constructs = matches!(name.as_str(), "decimal" | "datetime" | "duration" | "ip");
                if constructs && !args.iter().all(|a| matches!(a.expr_kind(), ExprKind::Lit(_))) {
                    return Some("it makes an extension value from something that is no literal");
                }
            }
            ExprKind::GetAttr { expr: base, .. } if !surely_there(base, maybe_entity) => {
                return Some("it reads an attribute of an entity that may be missing");
            }
            ExprKind::Unknown(_) => return Some("it holds an unknown"),
            _ => {}
        }
        parts(expr, &mut open);
    }
    None
}

/// What a condition needs to be there in order to hold, if it is something that may be absent without an error: an optional
/// attribute that it asks for with `has`, a membership. What it needs to be absent is no such thing: then absence forbids.
pub(in crate::policy) fn hangs_on(expr: &Expr) -> Option<String> {
    // With each part, whether it helps the condition to hold; of what is compared or chosen by, nobody can say: both.
    let mut open = vec![(expr, true, false)];
    while let Some((expr, helps, hinders)) = open.pop() {
        match expr.expr_kind() {
            ExprKind::HasAttr { attr, .. } if helps => return Some(format!("an attribute `{attr}` that may be absent")),
            ExprKind::ExtHasAttr { .. } if helps => return Some("attributes that may be absent".to_owned()),
            ExprKind::BinaryApp { op: BinaryOp::HasTag, .. } if helps => return Some("a tag that may be absent".to_owned()),
            ExprKind::BinaryApp { op: BinaryOp::In, arg1, .. }
                if helps && !matches!(arg1.expr_kind(), ExprKind::Var(Var::Action)) =>
            {
                return Some("a membership".to_owned());
            }
            ExprKind::UnaryApp { op: UnaryOp::Not, arg } => open.push((arg, hinders, helps)),
            ExprKind::And { left, right } | ExprKind::Or { left, right } => {
                open.extend([(&**left, helps, hinders), (&**right, helps, hinders)]);
            }
            ExprKind::If { test_expr, then_expr, else_expr } => {
                open.extend([(&**test_expr, true, true), (&**then_expr, helps, hinders), (&**else_expr, helps, hinders)]);
            }
            _ => {
                let mut below = Vec::new();
                parts(expr, &mut below);
                open.extend(below.into_iter().map(|part| (part, true, true)));
            }
        }
    }
    None
}

/// Whether what `base` comes to is surely at hand: a variable, or a record found below one.
fn surely_there(base: &Expr, maybe_entity: &dyn Fn(&str) -> bool) -> bool {
    match base.expr_kind() {
        ExprKind::Var(Var::Principal | Var::Resource | Var::Context) | ExprKind::Record(_) => true,
        // Whatever the context names directly was given, or the call would have been refused.
        ExprKind::GetAttr { expr, .. } if matches!(expr.expr_kind(), ExprKind::Var(Var::Context)) => true,
        ExprKind::GetAttr { attr, .. } => !maybe_entity(attr),
        _ => false,
    }
}

/// The same expression without its source places: cheaper to evaluate, and no reference count shared by all threads.
///
/// Recursive: only for expressions whose depth was bounded, on a stack that was reserved.
pub(in crate::policy) fn without_places(expr: &Expr) -> Expr {
    let same = |e: &Arc<Expr>| Arc::new(without_places(e));
    let kind = match expr.expr_kind() {
        ExprKind::If { test_expr, then_expr, else_expr } => {
            ExprKind::If { test_expr: same(test_expr), then_expr: same(then_expr), else_expr: same(else_expr) }
        }
        ExprKind::And { left, right } => ExprKind::And { left: same(left), right: same(right) },
        ExprKind::Or { left, right } => ExprKind::Or { left: same(left), right: same(right) },
        ExprKind::UnaryApp { op, arg } => ExprKind::UnaryApp { op: *op, arg: same(arg) },
        ExprKind::BinaryApp { op, arg1, arg2 } => ExprKind::BinaryApp { op: *op, arg1: same(arg1), arg2: same(arg2) },
        ExprKind::ExtensionFunctionApp { fn_name, args } => {
            ExprKind::ExtensionFunctionApp { fn_name: fn_name.clone(), args: Arc::new(args.iter().map(without_places).collect()) }
        }
        ExprKind::GetAttr { expr, attr } => ExprKind::GetAttr { expr: same(expr), attr: attr.clone() },
        ExprKind::HasAttr { expr, attr } => ExprKind::HasAttr { expr: same(expr), attr: attr.clone() },
        ExprKind::ExtHasAttr { expr, attrs } => ExprKind::ExtHasAttr { expr: same(expr), attrs: attrs.clone() },
        ExprKind::Like { expr, pattern } => ExprKind::Like { expr: same(expr), pattern: pattern.clone() },
        ExprKind::Is { expr, entity_type } => ExprKind::Is { expr: same(expr), entity_type: entity_type.clone() },
        ExprKind::Set(items) => ExprKind::Set(Arc::new(items.iter().map(without_places).collect())),
        ExprKind::Record(fields) => {
            ExprKind::Record(Arc::new(fields.iter().map(|(k, v)| (k.clone(), without_places(v))).collect()))
        }
        leaf => leaf.clone(),
    };
    ExprBuilder::with_data(()).with_expr_kind(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expr(text: &str) -> Expr {
        text.parse().unwrap()
    }

    #[test]
    fn an_expression_is_as_deep_as_the_deepest_in_it() {
        for (text, levels) in [("true", 1), ("1 + 2", 2), ("[1, 2, 3]", 2), ("principal.a.b == 1", 4), ("1 == -context.a", 4)] {
            assert_eq!(depth(&expr(text)), levels, "{text}");
        }
    }

    #[test]
    fn who_is_only_compared_with_is_told_from_whoever_is_read() {
        let read = |text: &str| read_literals(&expr(text)).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(read("principal == U::\"a\" && [U::\"a\", U::\"b\"].contains(principal) && principal in [U::\"a\"]"), "");
        assert_eq!(read("U::\"a\".x == U::\"b\".y && principal == U::\"c\""), "U::\"a\" U::\"b\"");
        assert_eq!(read("[U::\"a\".x].contains(true)"), "U::\"a\"");
        assert_eq!(read("U::\"a\" in U::\"b\""), "U::\"a\"");
        assert_eq!(read("principal in (if U::\"a\".x then principal else U::\"b\")"), "U::\"a\" U::\"b\"");
    }

    #[test]
    fn an_expression_names_the_action_where_the_word_stands_and_nowhere_else() {
        let names = |text: &str| names_action(&expr(text));
        assert!(names("action in Action::\"a\"") && names("principal.x || [1].contains(action.y)"));
        assert!(!names("true") && !names("context.action == Action::\"action\" && principal has action"));
    }
}
