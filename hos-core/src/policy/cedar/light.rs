//! A body in a form that needs no entities: what it reads of the principal and the resource comes to it by the context.
//!
//! Cedar's evaluator finds an attribute by looking its entity up in a store that must be made for each request. Here
//! `resource.public` becomes an attribute of a record that stands in the context beside the context's own fields, under a
//! name that no body may say. Cedar's evaluator judges this form too. What it then comes to is what the body itself comes
//! to: each step gives the same value from the same attributes, and whatever would ask for more than those (`in`, tags, `has`
//! of anything but the three variables, the context as a whole) is not put into this form at all. An error in it means nothing
//! (an attribute that is missing in a record is missing in other words than one that is missing in an entity): then the body
//! itself is judged.

use super::value::{Attrs, TypeNames};
use crate::value::Record;
use cedar_policy_core::ast::{BinaryOp, Context, Expr, ExprBuilder, ExprKind, Value, Var};
use cedar_policy_core::expr_builder::ExprBuilder as _;
use std::collections::BTreeMap;
use std::sync::Arc;

const PRINCIPAL: &str = "\0principal";
const RESOURCE: &str = "\0resource";

/// A request's context, with the attributes of principal and resource for bodies in their light form.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Surroundings {
    context: Context,
    /// Whether the attributes stand in it; not where a field of the context has one of their names.
    light: bool,
}

impl Surroundings {
    /// The context's fields as Cedar's. An entity without data is left out: whoever reads of it errs.
    pub(in crate::policy) fn new(context: &Record, names: &mut impl TypeNames) -> Result<Self, String> {
        Ok(Self { context: Attrs::new(context, names)?.into_context(), light: false })
    }

    /// Cedar's own context.
    pub(in crate::policy) fn of(context: Context) -> Self {
        Self { context, light: false }
    }

    /// Adds the attributes of principal and resource; one without data is left out, and whoever reads of it errs.
    pub(in crate::policy) fn with(mut self, principal: Option<&Attrs>, resource: Option<&Attrs>) -> Self {
        let Context::Value(fields) = &mut self.context else { return self };
        if fields.contains_key(PRINCIPAL) || fields.contains_key(RESOURCE) {
            return self;
        }
        let fields = Arc::make_mut(fields);
        for (name, attrs) in [(PRINCIPAL, principal), (RESOURCE, resource)] {
            if let Some(attrs) = attrs {
                fields.insert(name.into(), attrs.value().clone());
            }
        }
        self.light = true;
        self
    }

    /// What light forms are judged over, if anything.
    pub(super) fn light(&self) -> Option<&Context> {
        self.light.then_some(&self.context)
    }

    /// The context as it was given.
    pub(super) fn given(&self) -> Context {
        match &self.context {
            Context::Value(fields) if self.light => {
                let own = fields.iter().filter(|(name, _)| !is_reserved(name));
                let own: BTreeMap<_, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
                Context::Value(Arc::new(own))
            }
            context => context.clone(),
        }
    }
}

fn is_reserved(name: &str) -> bool {
    name == PRINCIPAL || name == RESOURCE
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
        ExprKind::GetAttr { attr, .. } | ExprKind::HasAttr { attr, .. } if is_reserved(attr) => return None,
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
    let record = |name: &str| Expr::get_attr(Expr::var(Var::Context), name.into());
    match var {
        Var::Principal => Some(record(PRINCIPAL)),
        Var::Resource => Some(record(RESOURCE)),
        Var::Context => Some(Expr::var(Var::Context)),
        Var::Action => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Uid;
    use crate::policy::cedar::entity::Form;
    use crate::policy::cedar::judge::{Body, Judge, Setting, Slice, Store};
    use crate::policy::cedar::{Key, parse, uid};

    struct Names;

    impl TypeNames for Names {
        fn entity_type(&mut self, name: &str) -> Option<cedar_policy_core::ast::EntityType> {
            uid::entity_type(name)
        }
    }

    impl Slice for Store {
        fn store(&self) -> &Store {
            self
        }
    }

    fn record(of: &[(&str, crate::value::Value)]) -> Record {
        of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn key(text: &str) -> Key {
        let uid = Uid::parse(text).unwrap();
        Key::of(&uid, uid::to_cedar(&uid).unwrap())
    }

    #[test]
    fn what_a_light_form_says_is_what_the_body_says() {
        use crate::value::Value as V;
        let entity = |text: &str| V::Entity(Uid::parse(text).unwrap());
        let own = record(&[("n", V::Long(3)), ("e", entity("U::\"b\"")), ("odd", V::Bool(true))]);
        let other = record(&[("n", V::Long(4)), ("deep", V::Record(own.clone()))]);
        let given = record(&[("level", V::Long(3)), ("e", entity("U::\"b\""))]);
        let (a, b, action) = (key("U::\"a\""), key("U::\"b\""), key("Action::\"v\""));
        let forms = [(&a, Form::new(&own, &mut Names).unwrap()), (&b, Form::new(&other, &mut Names).unwrap())];
        let [(_, form_a), (_, form_b)] = &forms;
        let store = Store::new([form_a.whole(&a, [(&b, true)].into_iter()), form_b.whole(&b, [].into_iter())].map(Arc::clone));
        let bare = Surroundings::new(&given, &mut Names).unwrap();
        let both = bare.clone().with(Some(form_a.attrs()), Some(form_b.attrs()));
        let setting = |context| Setting { principal: a.uid(), action: action.uid(), resource: b.uid(), context, slice: &store };
        // The last column: whether there is a light form at all.
        for (text, light) in [
            ("principal.n < resource.n", true),
            ("principal.n == context.level && resource has n", true),
            ("principal.e == resource && principal.e == context.e", true),
            ("principal has missing || !(context has level)", true),
            ("if resource has deep then resource.deep.n == 3 else false", true),
            ("principal is U && [principal, resource].contains(resource.deep.e)", true),
            ("{x: context.level}.x + 1 == resource.n", true),
            // Errors, and what only a store can tell: the body itself is judged.
            ("principal.missing == 1", true),
            ("context.missing == 1", true),
            ("resource.n + 9223372036854775807 > 0", true),
            ("principal.e.n == 4", true),
            ("(if principal.odd then principal else resource).n == 3", true),
            ("principal.e has n", false),
            ("context.e has n && principal.e has deep.n", false),
            ("principal in resource", false),
            ("resource in principal", false),
            ("context == {level: 3, e: U::\"b\"}", false),
            ("principal.hasTag(\"t\")", false),
            ("U::\"b\".n == 4", false),
            ("U::\"b\" has n", false),
            ("action has n", false),
            ("context[\"\\0principal\"].n == 3", false),
            ("context has \"\\0resource\"", false),
        ] {
            let expr = parse::expression(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let plain = Body::condition(&expr);
            let mut lightened = plain.clone();
            lightened.lighten(&|_| false);
            assert_eq!(form(plain.expr(), &|_| false).is_some(), light, "{text}");
            let truth = Judge::new(setting(&bare)).truth(&plain);
            assert_eq!(Judge::new(setting(&both)).truth(&lightened), truth, "{text}");
            assert_eq!(Judge::new(setting(&both)).truth(&plain), truth, "{text}");
        }
        // A context that has such a field of its own is left as it is.
        let odd = record(&[(PRINCIPAL, V::Long(1))]);
        let odd = Surroundings::new(&odd, &mut Names).unwrap().with(Some(form_a.attrs()), None);
        assert!(odd.light().is_none());
        assert!(both.light().is_some());
    }

    #[test]
    fn reading_through_what_may_be_an_entity_is_not_even_tried() {
        let expr = parse::expression("principal.e.n == 4").unwrap();
        assert!(form(&expr, &|name| name == "e").is_none());
        assert!(form(&expr, &|_| false).is_some());
    }
}
