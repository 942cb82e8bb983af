//! Where Cedar enters the house: bounds of its texts, places of its words, what is judged without a schema.

mod policy_support;

use hos_core::fault::{Fault, Severity};
use hos_core::limits::{CEDAR_DEPTH_MAX, CEDAR_EXPRESSION_BYTES_MAX, NAME_BYTES_MAX, POLICY_BYTES_MAX, SCHEMA_BYTES_MAX};
use hos_core::policy::Effect;
use hos_core::policy::plain::PlainLaw;
use hos_core::shape::{ActionShape, Expression, ExpressionId, Type, Wanted};
use policy_support::*;

/// The codes of the errors of a law, none where it loads.
fn refused(draft: &Draft) -> Vec<&'static str> {
    let (law, faults) = draft.compile();
    let errors: Vec<_> = faults.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
    // The policy wing compiles what it can; whoever loads a law asks for errors.
    assert!(law.is_some() || !errors.is_empty());
    errors
}

fn with_policy(text: &str) -> Draft {
    Draft { policies: vec![file("policies/a.cedar", text)], expressions: vec![], ..draft() }
}

#[test]
fn a_policy_s_bytes_its_id_s_and_its_depth_are_bounded_each_at_its_bound() {
    let policy = |id: &str, filling: &str| format!("@id(\"{id}\") permit(principal, action, resource) {filling};");
    let bytes = |len: usize| {
        let empty = policy("a", "").len();
        refused(&with_policy(&policy("a", &" ".repeat(len - empty))))
    };
    assert_eq!(bytes(POLICY_BYTES_MAX), [] as [&str; 0]);
    assert_eq!(bytes(POLICY_BYTES_MAX + 1), ["law.policy.too_large"]);
    assert_eq!(bytes(POLICY_BYTES_MAX + 2), ["law.policy.too_large"]);
    let id = |len: usize| refused(&with_policy(&policy(&"i".repeat(len), "")));
    assert_eq!(id(1), [] as [&str; 0]);
    assert_eq!(id(NAME_BYTES_MAX), [] as [&str; 0]);
    assert_eq!(id(NAME_BYTES_MAX + 1), ["law.policy.bad_id"]);
    assert_eq!(id(NAME_BYTES_MAX + 2), ["law.policy.bad_id"]);
    assert_eq!(id(0), ["law.policy.bad_id"]);
    let text = policy("a", &format!("when {{ {}true{} }}", "(".repeat(CEDAR_DEPTH_MAX), ")".repeat(CEDAR_DEPTH_MAX)));
    let faults = with_policy(&text).compile().1;
    let deep = faults.iter().find(|f| f.code == "law.policy.too_deep").unwrap();
    assert_eq!((deep.span.len(), &text[deep.span.clone()]), (1, "("));
}

#[test]
fn a_schema_s_bytes_and_depth_are_bounded() {
    let bytes = |len: usize| {
        let mut draft = draft();
        draft.schema += &"\n".repeat(len - draft.schema.len());
        refused(&draft)
    };
    assert_eq!(bytes(SCHEMA_BYTES_MAX), [] as [&str; 0]);
    assert_eq!(bytes(SCHEMA_BYTES_MAX + 1), ["law.schema.too_large"]);
    assert_eq!(bytes(SCHEMA_BYTES_MAX + 2), ["law.schema.too_large"]);
    let mut deep = draft();
    deep.schema = format!("entity A = {{ a: {}Long{} }};", "Set<".repeat(CEDAR_DEPTH_MAX), ">".repeat(CEDAR_DEPTH_MAX));
    let faults = deep.errors();
    assert_eq!(codes(&faults), ["law.schema.too_deep"]);
    assert_eq!(&deep.schema[faults[0].span.clone()], "<");
}

#[test]
fn a_schema_of_as_many_bytes_as_may_be_is_looked_into() {
    // What is wrong with it stands at its beginning, so that the rest need not be read.
    let mut draft = Draft { schema: "(".repeat(SCHEMA_BYTES_MAX), policies: vec![], ..draft() };
    assert_eq!(refused(&draft), ["law.schema.too_deep"]);
    draft.schema.push('(');
    assert_eq!(refused(&draft), ["law.schema.too_large"]);
}

fn told(expression: Expression) -> Vec<Fault> {
    Draft { expressions: vec![expression], ..draft() }
        .compile()
        .1
        .into_iter()
        .filter(|f| f.code.starts_with("law.contract."))
        .collect()
}

#[test]
fn an_expression_is_bounded_and_its_faults_stand_where_it_is_spelled() {
    let long = |len: usize| {
        told(expression(&format!("true{}", " ".repeat(len - 4)), Wanted::Bool)).iter().map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(long(CEDAR_EXPRESSION_BYTES_MAX), [] as [&str; 0]);
    assert_eq!(long(CEDAR_EXPRESSION_BYTES_MAX + 1), ["law.contract.expression_parse"]);
    assert_eq!(long(CEDAR_EXPRESSION_BYTES_MAX + 2), ["law.contract.expression_parse"]);
    let deep = told(expression(&"(".repeat(CEDAR_DEPTH_MAX + 9), Wanted::Bool));
    assert_eq!(
        (deep[0].code, deep[0].span.clone()),
        ("law.contract.expression_parse", 100 + CEDAR_DEPTH_MAX..101 + CEDAR_DEPTH_MAX)
    );
    // A place in the text is a place in the file; where the file spells it with escapes, it is somewhere in there.
    let odd = |text: &str| told(expression(text, Wanted::Bool)).remove(0);
    let wrong = odd("true && context.none");
    assert_eq!(wrong.code, "law.contract.expression_invalid");
    assert!(wrong.span.start > 100 && wrong.span.end <= 120, "{:?}", wrong.span);
    assert!(!wrong.message.contains("`expression`"), "the policy around it is none of the author's: {}", wrong.message);
    assert!(wrong.message.chars().next().is_some_and(char::is_lowercase), "{}", wrong.message);
    let escaped = told(Expression { span: 100..140, ..expression("true && context.none", Wanted::Bool) }).remove(0);
    assert_eq!((escaped.code, escaped.span), ("law.contract.expression_invalid", 100..140));
}

#[test]
fn what_is_only_unwise_in_an_expression_is_judged_all_the_same() {
    let draft = Draft {
        expressions: vec![expression("false && context.amount > 1", Wanted::Bool), expression("1 == 1", Wanted::Bool)],
        ..draft()
    };
    let (law, faults) = draft.compile();
    let told: Vec<&str> = faults.iter().map(|f| f.code).filter(|code| code.starts_with("law.contract.")).collect();
    assert_eq!(told, ["law.contract.expression_warning"]);
    let bound = bound_of(&std::sync::Arc::new(law.unwrap()), people());
    let call = pay("ayse");
    let request = call.request();
    let prepared = bound.prepare(&request).unwrap();
    assert_eq!(prepared.condition(ExpressionId(0)), Ok(false));
    assert_eq!(prepared.condition(ExpressionId(1)), Ok(true));
}

#[test]
fn two_events_of_one_action_agree_in_what_they_are_given() {
    let also = |ty: Type| {
        let mut draft = draft();
        let second = ActionShape { context: vec![attribute("amount", ty), attribute("psp", Type::String)], ..pay_shape() };
        draft.actions.push(second);
        draft.expressions.clear();
        draft.policies.clear();
        refused(&draft)
    };
    assert_eq!(also(Type::Long), [] as [&str; 0]);
    assert_eq!(also(Type::String), ["law.schema.conflict"]);
}

#[test]
fn a_policy_without_an_id_is_told_at_its_first_line() {
    let text = "@id(\"a\") permit(principal, action, resource);\npermit(\n  principal, action, resource\n);\n";
    let faults = with_policy(text).errors();
    assert_eq!(codes(&faults), ["law.policy.missing_id"]);
    assert_eq!(&text[faults[0].span.clone()], "permit(");
}

const NOBODY: &str = "[]";

#[test]
fn a_context_may_have_any_names_where_there_is_no_schema() {
    let law = |text: &str| PlainLaw::new(text, None, NOBODY).unwrap();
    let asked = |law: &PlainLaw, context: &str| law.decide(("U", "a"), ("Action", "v"), ("R", "r"), context).unwrap().effect;
    let odd = law("permit(principal, action, resource) when { context[\"\\0principal\"] == 1 };");
    assert_eq!(asked(&odd, "{\"\\u0000principal\": 1}"), Effect::Allow);
    assert_eq!(asked(&odd, "{\"\\u0000principal\": 2}"), Effect::NotPermitted);
    let own = law("permit(principal, action, resource) when { context has \"\\0resource\" && context.n == 1 };");
    assert_eq!(asked(&own, "{\"\\u0000resource\": 1, \"n\": 1}"), Effect::Allow);
    assert_eq!(asked(&own, "{\"n\": 1}"), Effect::NotPermitted);
    let whole = law("permit(principal, action, resource) when { context == {n: 1} };");
    assert_eq!(asked(&whole, "{\"n\": 1}"), Effect::Allow);
    assert_eq!(asked(&whole, "{\"n\": 1, \"m\": 1}"), Effect::NotPermitted);
}

#[test]
fn what_is_no_truth_is_an_error_in_cedar_s_words() {
    for condition in
        ["context.n", "-context.n", "context.n + 1", "context.n - 1", "context.n * 2", "if true then context.n else 1"]
    {
        let law = PlainLaw::new(&format!("permit(principal, action, resource) when {{ {condition} }};"), None, NOBODY).unwrap();
        let ruling = law.decide(("U", "a"), ("Action", "v"), ("R", "r"), "{\"n\": 1}").unwrap();
        let told: Vec<_> = ruling.errors.iter().map(|e| (e.kind.as_str(), e.message.as_str())).collect();
        assert_eq!(
            (ruling.effect, told),
            (Effect::NotPermitted, vec![("TypeError", "type error: expected bool, got long")]),
            "{condition}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_plain_law_is_told_with_its_cause() {
    let entities = PlainLaw::new("", None, "[{\"uid\": 1}]").unwrap_err();
    assert!(entities.contains(": ") && entities.len() > 30, "{entities}");
    let law = PlainLaw::new("permit(principal, action, resource);", None, NOBODY).unwrap();
    let context = law.decide(("U", "a"), ("Action", "v"), ("R", "r"), "{\"n\": 1.5}").unwrap_err();
    assert!(context.len() > 30, "{context}");
    let deep = PlainLaw::new(&"(".repeat(CEDAR_DEPTH_MAX + 1), None, NOBODY).unwrap_err();
    assert!(deep.contains("levels deep"), "{deep}");
}

/// On a thread with so little stack, whatever the caller's own is.
fn on_little_stack<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(bytes).spawn(work).unwrap().join().expect("the thread must not die")
}

#[test]
fn what_is_let_through_is_compiled_and_judged_on_little_stack() {
    for (open, close, levels) in [("(", " && true)", CEDAR_DEPTH_MAX / 2 - 4), ("!(", ")", CEDAR_DEPTH_MAX / 2 - 4)] {
        let condition = format!("{}true{}", open.repeat(levels), close.repeat(levels));
        let text = format!("@id(\"a\") permit(principal, action, resource) when {{ {condition} }};");
        let law = on_little_stack(256 << 10, move || with_policy(&text).law());
        let bound = bound_of(&law, people());
        let ruled = on_little_stack(256 << 10, move || pay("ayse").on(&bound).unwrap());
        assert_eq!((ruled.errors.len(), ruled.effect), (0, Effect::Allow), "{levels} times {open}");
    }
}
