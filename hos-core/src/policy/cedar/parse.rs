//! Texts to policies, bounded before they are parsed.

use super::judge::Body;
use super::place::{self, Trouble};
use super::{Key, uid, walk};
use crate::fault::{Fault, Lines, Severity, SourceFile};
use crate::id::{Shown, text_hash};
use crate::limits::{CEDAR_DEPTH_MAX, CEDAR_EXPRESSION_BYTES_MAX, LAW_BYTES_MAX, NAME_BYTES_MAX, POLICY_BYTES_MAX};
use crate::policy::depth;
use crate::policy::rule::{ActionScope, Rule, Scope};
use cedar_policy_core::ast::{
    ActionConstraint, AnyId, Effect, EntityReference, Expr, PolicyID, PolicySet, PrincipalOrResourceConstraint, StaticPolicy,
    Template,
};
use cedar_policy_core::parser;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// A policy or template with its `@id`, and where it stands.
pub(in crate::policy) struct Parsed {
    pub(in crate::policy) template: Template,
    pub(in crate::policy) span: Range<usize>,
}

/// The policies of one file, and Cedar's own set of them under its own ids.
#[derive(Default)]
pub(in crate::policy) struct ParsedFile {
    pub(in crate::policy) policies: Vec<Parsed>,
    pub(in crate::policy) set: PolicySet,
}

/// What no parser should see: too long, or too deep. The place of it.
pub(in crate::policy) fn beyond_bounds(text: &str, bytes_max: usize) -> Option<Trouble> {
    let (span, message) = if text.len() > bytes_max {
        (0..0, format!("the text has {} bytes, at most {bytes_max} are allowed", text.len()))
    } else {
        let place = depth::deepest(text).err()?;
        (place.at..place.at + 1, format!("this nests more than {CEDAR_DEPTH_MAX} levels deep"))
    };
    Some(Trouble { span: Some(span), message, help: Some("split it into several policies".to_owned()) })
}

/// The policies of one file. `ids` are the ids taken so far, with the file of each.
pub(in crate::policy) fn file(file: &SourceFile, ids: &mut BTreeMap<String, String>, faults: &mut Vec<Fault>) -> ParsedFile {
    let lines = Lines::of(file);
    if let Some(trouble) = beyond_bounds(&file.text, LAW_BYTES_MAX) {
        faults.push(trouble.fault("law.policy.too_deep", Severity::Error, &lines));
        return ParsedFile::default();
    }
    let set = super::on_deep_stack(|| {
        parser::parse_policyset(&file.text).map_err(|errors| errors.iter().flat_map(|e| place::troubles(e)).collect::<Vec<_>>())
    });
    let set = match set {
        Ok(set) => set,
        Err(troubles) => {
            faults.extend(troubles.into_iter().map(|t| t.fault("law.policy.parse", Severity::Error, &lines)));
            return ParsedFile::default();
        }
    };
    let mut parsed: Vec<Parsed> =
        set.all_templates().map(|t| Parsed { template: t.clone(), span: t.loc().map_or(0..0, |l| l.start()..l.end()) }).collect();
    parsed.sort_by_key(|p| p.span.start);
    for policy in &mut parsed {
        let head = head_of(&file.text, &policy.span);
        let mut fault = |code, message: String| faults.push(lines.fault(code, Severity::Error, head.clone(), message));
        if policy.span.len() > POLICY_BYTES_MAX {
            fault("law.policy.too_large", format!("a policy has at most {POLICY_BYTES_MAX} bytes"));
        }
        let id = annotation_id(&policy.template);
        match id {
            None => {
                fault("law.policy.missing_id", "this policy has no `@id(\"…\")` annotation; answers name policies by it".into())
            }
            Some(id) if id.is_empty() || id.len() > NAME_BYTES_MAX => {
                fault("law.policy.bad_id", format!("an `@id` has 1 to {NAME_BYTES_MAX} bytes"));
            }
            Some(id) => {
                if let Some(other) = ids.insert(id.clone(), file.path.clone()) {
                    let message = format!("the id `{}` is used twice (also in {other})", Shown(&id));
                    fault("law.policy.duplicate_id", message);
                }
                policy.template = policy.template.new_id(PolicyID::from_string(id));
            }
        }
    }
    ParsedFile { policies: parsed, set }
}

/// The first line of a policy: a whole body is no place.
fn head_of(text: &str, span: &Range<usize>) -> Range<usize> {
    let line = text.get(span.clone()).and_then(|t| t.lines().next()).map_or(0, str::len);
    span.start..span.start + line
}

/// The `@id` of a policy, if it has one.
pub(in crate::policy) fn annotation_id(template: &Template) -> Option<String> {
    // Cedar makes a key by parsing it, which costs a seventh of loading a law when it is done for each policy.
    static ID: LazyLock<Option<AnyId>> = LazyLock::new(|| "id".parse().ok());
    template.annotation(ID.as_ref()?).map(|a| a.val.to_string())
}

/// The policies of a text with Cedar's own ids (`policy0`, …), templates among them.
pub(in crate::policy) fn plain(text: &str) -> Result<PolicySet, String> {
    if let Some(trouble) = beyond_bounds(text, LAW_BYTES_MAX) {
        return Err(trouble.message);
    }
    super::on_deep_stack(|| parser::parse_policyset(text).map_err(|e| e.to_string()))
}

/// One expression, alone: what stands after it is no policy.
pub(in crate::policy) fn expression(text: &str) -> Result<Expr, Vec<Trouble>> {
    if let Some(trouble) = beyond_bounds(text, CEDAR_EXPRESSION_BYTES_MAX) {
        return Err(vec![trouble]);
    }
    super::on_deep_stack(|| text.parse::<Expr>().map_err(|errors| errors.iter().flat_map(|e| place::troubles(e)).collect()))
}

/// A set with these policies, for the validator.
pub(in crate::policy) fn policy_set<'t>(templates: impl IntoIterator<Item = &'t Template>) -> PolicySet {
    let mut set = PolicySet::new();
    for template in templates {
        // A second one of the same id was a fault already and needs no second look.
        let _ = match StaticPolicy::try_from(template.clone()) {
            Ok(policy) => set.add_static(policy),
            Err(_) => set.add_template(template.clone()),
        };
    }
    set
}

/// A policy taken apart.
pub(in crate::policy) fn rule(template: &Template) -> Rule {
    let id: Arc<str> = Arc::from(AsRef::<str>::as_ref(template.id()));
    super::on_deep_stack(|| {
        let body = template.non_scope_constraints();
        let condition = body.map(Body::condition).filter(|b| !b.is_true());
        let reads = condition.iter().flat_map(|b| walk::read_literals(b.expr())).filter_map(|u| uid::from_cedar(&u)).collect();
        Rule {
            id_hash: text_hash(&id),
            id,
            forbid: template.effect() == Effect::Forbid,
            action: action_scope(template.action_constraint()),
            principal: scope(template.principal_constraint().as_inner()),
            resource: scope(template.resource_constraint().as_inner()),
            names_action: condition.as_ref().is_some_and(|b| walk::names_action(b.expr())),
            body: condition,
            reads,
        }
    })
}

fn action_scope(constraint: &ActionConstraint) -> ActionScope {
    match constraint {
        ActionConstraint::Any => ActionScope::Any,
        ActionConstraint::Eq(uid) => ActionScope::Eq(Key::new(Arc::clone(uid))),
        ActionConstraint::In(uids) => ActionScope::In(uids.iter().map(|u| Key::new(Arc::clone(u))).collect()),
    }
}

fn scope(constraint: &PrincipalOrResourceConstraint) -> Scope {
    use PrincipalOrResourceConstraint as C;
    let key = |uid: &Arc<_>| Key::new(Arc::clone(uid));
    match constraint {
        C::Any => Scope::Any,
        C::Is(ty) => Scope::Is((**ty).clone()),
        C::Eq(EntityReference::EUID(uid)) => Scope::Eq(key(uid)),
        C::In(EntityReference::EUID(uid)) => Scope::In(key(uid)),
        C::IsIn(ty, EntityReference::EUID(uid)) => Scope::IsIn((**ty).clone(), key(uid)),
        C::Eq(EntityReference::Slot(_)) => Scope::EqSlot,
        C::In(EntityReference::Slot(_)) => Scope::InSlot,
        C::IsIn(ty, EntityReference::Slot(_)) => Scope::IsInSlot((**ty).clone()),
    }
}

/// A policy's effect, scope and conditions, each as Cedar writes it.
pub(in crate::policy) fn said(template: &Template) -> [(&'static str, String); 5] {
    super::on_deep_stack(|| {
        let conditions = template.non_scope_constraints().map_or_else(String::new, ToString::to_string);
        [
            ("effect", template.effect().to_string()),
            ("principal", template.principal_constraint().to_string()),
            ("action", template.action_constraint().to_string()),
            ("resource", template.resource_constraint().to_string()),
            ("conditions", conditions),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_up_to_the_bytes_it_may_have() {
        let refused = |bytes_max: usize| beyond_bounds("true", bytes_max).map(|trouble| trouble.message);
        assert_eq!((refused(5), refused(4)), (None, None));
        assert_eq!(refused(3).as_deref(), Some("the text has 4 bytes, at most 3 are allowed"));
        assert_eq!(refused(1).as_deref(), Some("the text has 4 bytes, at most 1 are allowed"));
    }

    /// The codes of what is wrong with a file, told without compiling a law of it.
    fn told(text: String) -> Vec<&'static str> {
        let mut faults = Vec::new();
        file(&SourceFile { path: "policies/a.cedar".into(), text }, &mut BTreeMap::new(), &mut faults);
        faults.into_iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn a_policy_s_id_ends_at_its_bound() {
        let of = |bytes: usize| told(format!("@id(\"{}\") permit(principal, action, resource);", "i".repeat(bytes)));
        assert_eq!((of(1), of(NAME_BYTES_MAX)), (vec![], vec![]));
        for bytes in [0, NAME_BYTES_MAX + 1, NAME_BYTES_MAX + 2] {
            assert_eq!(of(bytes), ["law.policy.bad_id"], "{bytes}");
        }
    }

    /// One byte more is refused: `a_policy_s_bytes_its_id_s_and_its_depth_are_bounded_each_at_its_bound`.
    #[test]
    fn a_policy_of_as_many_bytes_as_may_be_is_taken() {
        // One long word is read faster than anything else.
        let (before, behind) = ("@id(\"a\") @", " permit(principal, action, resource);");
        let text = format!("{before}{}{behind}", "x".repeat(POLICY_BYTES_MAX - before.len() - behind.len()));
        assert_eq!(told(text), [] as [&str; 0]);
    }
}
