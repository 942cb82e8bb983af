//! Validation: policies and expressions against the schema, and forbids that might not evaluate.

use super::judge::Body;
use super::parse::{self, Parsed, ParsedFile};
use super::place;
use super::schema::contract_fault;
use super::walk;
use crate::fault::{Fault, Lines, Severity};
use crate::shape::{Expression, Wanted};
use cedar_policy_core::ast::{
    ActionConstraint, Annotations, Effect, EntityType, EntityUID, Expr, ExprKind, Name, PolicyID, PrincipalConstraint,
    PrincipalOrResourceConstraint, ResourceConstraint, Template,
};
pub(in crate::policy) use cedar_policy_core::validator::Validator;
use cedar_policy_core::validator::{ValidationMode, ValidatorSchema};
use std::sync::Arc;

/// Cedar's strict validation of one file's policies.
pub(in crate::policy) fn policies(validator: &Validator, lines: &Lines<'_>, parsed: &ParsedFile, faults: &mut Vec<Fault>) {
    super::on_deep_stack(|| {
        let result = validator.validate(&parsed.set, ValidationMode::Strict);
        if result.validation_errors().next().is_none() && result.validation_warnings().next().is_none() {
            return;
        }
        // What is said of a policy names it: by its own id, not by its place.
        let set = parse::policy_set(parsed.policies.iter().map(|p| &p.template));
        let result = validator.validate(&set, ValidationMode::Strict);
        let mut found = Vec::new();
        for error in result.validation_errors() {
            found.extend(place::troubles(error).into_iter().map(|t| t.fault("law.policy.invalid", Severity::Error, lines)));
        }
        for warning in result.validation_warnings() {
            found.extend(place::troubles(warning).into_iter().map(|t| t.fault("law.policy.warning", Severity::Warning, lines)));
        }
        // Cedar collects them in a set whose order is chance.
        found.sort_by(|a, b| (a.span.start, &a.message).cmp(&(b.span.start, &b.message)));
        faults.extend(found);
    });
}

/// The validator of a schema.
pub(in crate::policy) fn validator(schema: ValidatorSchema) -> Validator {
    Validator::new(schema)
}

/// A forbid that is not proved free of errors: under the strict rule it would then deny.
pub(in crate::policy) fn forbid_may_err(
    lines: &Lines<'_>,
    parsed: &Parsed,
    maybe_entity: &dyn Fn(&str) -> bool,
) -> Option<Fault> {
    if parsed.template.effect() != Effect::Forbid {
        return None;
    }
    let why = walk::may_err(parsed.template.non_scope_constraints()?, maybe_entity)?;
    let message = format!("this forbid is not proved free of errors: {why}; where it cannot be evaluated, it denies");
    Some(lines.fault("law.policy.forbid_may_err", Severity::Note, parsed.span.clone(), message))
}

/// A forbid that applies only if something is there which may be left away: what is absent is data, not an error.
pub(in crate::policy) fn forbid_hangs(lines: &Lines<'_>, parsed: &Parsed) -> Option<Fault> {
    if parsed.template.effect() != Effect::Forbid {
        return None;
    }
    let hangs = |constraint: &PrincipalOrResourceConstraint| {
        matches!(constraint, PrincipalOrResourceConstraint::In(_) | PrincipalOrResourceConstraint::IsIn(_, _))
    };
    let body = || parsed.template.non_scope_constraints().and_then(walk::hangs_on);
    let what = if hangs(parsed.template.principal_constraint().as_inner()) {
        Some("what its principal is in".to_owned())
    } else if hangs(parsed.template.resource_constraint().as_inner()) {
        Some("what its resource is in".to_owned())
    } else {
        body()
    }?;
    let message = format!("this forbid hangs on {what}: where that is not given, it does not apply");
    Some(lines.fault("law.policy.forbid_hangs", Severity::Note, parsed.span.clone(), message))
}

/// A contract's expression, validated (where there is a validator) as a policy of its own over its action and resource type.
///
/// An instant is asked for its milliseconds since 1970, which only a `datetime` can tell.
pub(in crate::policy) fn expression(
    validator: Option<&Validator>,
    expression: &Expression,
    action: EntityUID,
    resource: EntityType,
    faults: &mut Vec<Fault>,
) -> Option<Body> {
    let before = faults.len();
    let fault = |code, severity, trouble: place::Trouble| {
        // Where the file spells the text as it is, a place in the text is a place in the file.
        let exact = expression.span.len() == expression.text.len();
        let span = match trouble.span {
            Some(at) if exact => {
                let start = expression.span.start + at.start.min(expression.text.len());
                start
                    ..expression.span.start
                        + at.end.clamp(at.start, expression.text.len()).max(at.start.min(expression.text.len()))
            }
            _ => expression.span.clone(),
        };
        let mut fault = contract_fault(code, severity, &expression.file, span, trouble.message);
        fault.hint = trouble.help;
        fault
    };
    let parsed = match parse::expression(&expression.text) {
        Ok(parsed) => parsed,
        Err(troubles) => {
            let code = "law.contract.expression_parse";
            faults.extend(troubles.into_iter().map(|t| fault(code, Severity::Error, t)));
            return None;
        }
    };
    if let Some(slot) = slot_of(&parsed).filter(|_| validator.is_some()) {
        // A warning, for a law that was in force is judged by as it was; who loads a new one takes it for an error.
        let message = format!("this cannot be judged: nobody is put into `{slot}`, which only a template has");
        let trouble = place::Trouble { span: None, message, help: Some("write `principal` or `resource`".to_owned()) };
        faults.push(fault("law.contract.expression_scope", Severity::Warning, trouble));
    }
    super::on_deep_stack(|| {
        let (condition, body) = match expression.wanted {
            Wanted::Bool => (parsed.clone(), Body::condition(&parsed)),
            Wanted::Instant => {
                let millis = since_1970(&parsed)?;
                (Expr::greatereq(millis.clone(), Expr::val(0)), Body::new(walk::without_places(&millis)))
            }
        };
        let Some(validator) = validator else { return Some(body) };
        let policy = Template::new(
            PolicyID::from_string("expression"),
            None,
            Annotations::new(),
            Effect::Permit,
            PrincipalConstraint::any(),
            ActionConstraint::is_eq(action),
            ResourceConstraint::is_entity_type(Arc::new(resource)),
            Some(condition),
        );
        let set = parse::policy_set([&policy]);
        let result = validator.validate(&set, ValidationMode::Strict);
        for error in result.validation_errors() {
            let code = "law.contract.expression_invalid";
            faults.extend(place::troubles(error).into_iter().map(|t| fault(code, Severity::Error, unnamed(t))));
        }
        for warning in result.validation_warnings() {
            let code = "law.contract.expression_warning";
            faults.extend(place::troubles(warning).into_iter().map(|t| fault(code, Severity::Warning, unnamed(t))));
        }
        faults[before..].sort_by(|a, b| (a.span.start, &a.message).cmp(&(b.span.start, &b.message)));
        faults[before..].iter().all(|f| f.severity != Severity::Error).then_some(body)
    })
}

/// A slot of a template's, if the expression holds one.
fn slot_of(expr: &Expr) -> Option<String> {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if let ExprKind::Slot(slot) = expr.expr_kind() {
            return Some(slot.to_string());
        }
        walk::parts(expr, &mut open);
    }
    None
}

/// The synthetic policy's name says nothing to whoever wrote the expression.
fn unnamed(trouble: place::Trouble) -> place::Trouble {
    let message = trouble.message.replacen("for policy `expression`, ", "", 1);
    place::Trouble { message, ..trouble }
}

/// `expr.durationSince(datetime("1970-01-01")).toMilliseconds()`
fn since_1970(expr: &Expr) -> Option<Expr> {
    let name = |text| Name::parse_unqualified_name(text).ok();
    let epoch = Expr::call_extension_fn(name("datetime")?, vec![Expr::val("1970-01-01")]);
    let since = Expr::call_extension_fn(name("durationSince")?, vec![expr.clone(), epoch]);
    Some(Expr::call_extension_fn(name("toMilliseconds")?, vec![since]))
}
