//! A law's policies before anybody asks: faults at their places, expressions, forbids that may err.

mod policy_support;

use hos_core::fault::{Fault, Severity};
use hos_core::policy::Effect;
use hos_core::shape::{ActionShape, Attribute, Type, Wanted};
use policy_support::*;
use std::sync::Arc;

#[test]
fn the_law_answers_what_contracts_ask_of_it() {
    let law = draft().law();
    assert!(law.has_action("order.pay") && !law.has_action("order.fly") && !law.has_action(""));
    assert!(law.has_entity_type("Pazar::Order") && !law.has_entity_type("Order"));
    assert_eq!(law.template_slots("viewer"), Some((true, true)));
    assert_eq!(law.template_slots("helper"), Some((true, false)));
    assert_eq!(law.template_slots("buyer"), None);
    assert!(law.may_permit("order.pay") && law.may_permit("order.view") && !law.may_permit("order"));
    let only = |text: &str| {
        let policies = vec![file("policies/a.cedar", text)];
        Draft { policies, ..draft() }.law().may_permit("order.pay")
    };
    assert!(!only("@id(\"a\") forbid(principal, action, resource);"));
    assert!(only("@id(\"a\") permit(principal, action in Pazar::Action::\"order\", resource in Pazar::Region::\"x\");"));
    assert!(!only("@id(\"a\") permit(principal, action == Pazar::Action::\"order.view\", resource);"));
    assert!(!only("@id(\"a\") permit(principal, action, resource is Pazar::Shop);"));
    assert!(!only("@id(\"a\") permit(principal in Pazar::Shop::\"x\", action, resource);"));
}

#[test]
fn every_fault_is_told_at_its_place() {
    let mut draft = draft();
    draft.policies = vec![
        file("policies/a.cedar", "@id(\"x\")\npermit(principal, action, resource);\n\npermit(principal, action, resource);\n"),
        file(
            "policies/b.cedar",
            "@id(\"x\") permit(principal, action, resource) when { principal.blocke };\n@id(\"\") forbid(principal, action, resource);",
        ),
        file("policies/c.cedar", "@id(\"y\") permit(principal, actio, resource);\n"),
    ];
    draft.entities[0].type_name = "Pazar::Ordr".into();
    draft.actions[0].action = "order.pya".into();
    draft.expressions = vec![expression("context.amount >= ", Wanted::Bool)];
    let faults = draft.errors();
    let found = codes(&faults);
    for code in [
        "law.schema.unknown_entity_type",
        "law.schema.unknown_action",
        "law.policy.missing_id",
        "law.policy.duplicate_id",
        "law.policy.bad_id",
        "law.policy.parse",
        "law.policy.invalid",
        "law.contract.expression_parse",
    ] {
        assert!(found.contains(&code), "{code} is missing from {found:?}");
    }
    let of = |code: &str| faults.iter().find(|f| f.code == code).unwrap();
    assert_eq!((of("law.policy.missing_id").line, of("law.policy.missing_id").column), (4, 1));
    assert_eq!(of("law.policy.duplicate_id").file, "policies/b.cedar");
    assert_eq!((of("law.policy.invalid").file.as_str(), of("law.policy.invalid").line), ("policies/b.cedar", 1));
    assert_eq!(of("law.policy.parse").file, "policies/c.cedar");
    assert_eq!(of("law.schema.unknown_entity_type").hint.as_deref(), Some("did you mean `Pazar::Order`?"));
    assert_eq!(of("law.schema.unknown_action").hint.as_deref(), Some("did you mean `order.pay`?"));
    for fault in &faults {
        let first = fault.message.chars().next().unwrap();
        assert!(!first.is_uppercase() && !fault.message.ends_with('.'), "{fault}");
    }
}

/// What is told of a law without policies: the shapes alone are held against the schema.
fn told_of_shapes(change: impl FnOnce(&mut Draft)) -> Vec<(&'static str, std::ops::Range<usize>)> {
    let mut draft = Draft { policies: vec![], expressions: vec![], ..draft() };
    change(&mut draft);
    draft.compile().1.into_iter().filter(|f| f.severity == Severity::Error).map(|f| (f.code, f.span)).collect()
}

#[test]
fn a_contract_has_what_the_schema_requires() {
    let with = |from: &str, to: &str| {
        let changed = SCHEMA.replace(from, to);
        told_of_shapes(|draft| draft.schema = changed)
    };
    assert_eq!(with("note?: String", "note: String"), [("law.schema.conflict", 1..5)]);
    assert_eq!(with("context: {} ", "context: { more: String } "), [("law.schema.conflict", 20..24)]);
    assert_eq!(with("context: {} ", "context: { more?: String } "), []);
}

#[test]
fn a_type_that_a_contract_names_is_declared() {
    let told = |name: &str| {
        let who = Attribute { span: 30..33, ..attribute("who", Type::Set(Box::new(Type::Entity(name.into())))) };
        told_of_shapes(|draft| draft.entities[0].attributes.push(who))
    };
    assert_eq!(told("Pazar::Acount"), [("law.schema.unknown_entity_type", 30..33)]);
    assert_eq!(told("Pazar::Account"), []);
}

#[test]
fn contracts_own_their_attributes() {
    let errors = |change: &dyn Fn(&mut Draft)| {
        let mut draft = draft();
        change(&mut draft);
        let faults = draft.errors();
        (faults[0].code, faults[0].span.clone())
    };
    let with = |from: &str, to: &str| SCHEMA.replace(from, to);
    assert_eq!(errors(&|d| d.schema = with("note?: String", "total: String")), ("law.schema.conflict", 10..14));
    assert_eq!(errors(&|d| d.schema = with("note?: String", "total?: Long")), ("law.schema.conflict", 10..14));
    assert_eq!(errors(&|d| d.schema = with("context: {} ", "context: { amount: String } ")), ("law.schema.conflict", 10..14));
    assert_eq!(errors(&|d| d.entities.push(order_shape())), ("law.schema.two_owners", 1..5));
    assert_eq!(errors(&|d| d.entities[0].type_name = "Pazar::Color".into()), ("law.schema.conflict", 1..5));
    assert_eq!(errors(&|d| d.actions[0].resource = "Pazar::Shop".into()), ("law.schema.action_resource", 20..24));
    let twin = |ty| ActionShape { context: vec![Attribute { span: 40..44, ..attribute("amount", ty) }], ..pay_shape() };
    assert_eq!(errors(&|d| d.actions.push(twin(Type::String))), ("law.schema.conflict", 40..44));
    assert_eq!(errors(&|d| d.schema = "entity A {".into()).0, "law.schema.parse");
    assert_eq!(errors(&|d| d.schema = with("blocked: Bool", "blocked: Bol")).0, "law.schema.invalid");
    // The same said twice is no conflict, and named types are seen through.
    let mut same = draft();
    same.schema = with("note?: String", "total: Long, note?: String").replace("context: {} ", "context: Amount ");
    same.schema = same.schema.replace("entity Clock;", "type Amount = { amount: Long }; entity Clock;");
    same.law();
    // What only some events of an action have is optional for all.
    let mut some = draft();
    some.actions.push(ActionShape { context: vec![attribute("psp", Type::String)], ..pay_shape() });
    let told = some.errors();
    assert!(codes(&told).contains(&"law.policy.invalid") && codes(&told).contains(&"law.contract.expression_invalid"));
    some.policies = vec![file("policies/a.cedar", "@id(\"a\") permit(principal, action, resource);")];
    some.expressions = vec![expression("context has amount && context.amount > 1 || context has psp", Wanted::Bool)];
    let bound = bound_of(&some.law(), people());
    assert_eq!(pay_without_amount().on(&bound).unwrap().effect, Effect::Allow);
}

#[test]
fn expressions_are_validated_at_their_place() {
    let fault = |text: &str, wanted| {
        let mut draft = draft();
        draft.expressions = vec![expression(text, wanted)];
        let fault = draft.errors().remove(0);
        (fault.code, fault.span)
    };
    assert_eq!(fault("context.amout > 1", Wanted::Bool), ("law.contract.expression_invalid", 100..113));
    assert_eq!(fault("context.amount", Wanted::Bool).0, "law.contract.expression_invalid");
    assert_eq!(fault("context.amount", Wanted::Instant).0, "law.contract.expression_invalid");
    assert_eq!(fault("true", Wanted::Instant).0, "law.contract.expression_invalid");
    assert_eq!(fault("true }; permit(principal, action, resource); //", Wanted::Bool).0, "law.contract.expression_parse");
    assert_eq!(fault(&"!".repeat(100_000), Wanted::Bool).0, "law.contract.expression_parse");
    let mut draft = draft();
    draft.expressions[0].action = "order.fly".into();
    assert_eq!(codes(&draft.errors()), ["law.contract.expression_scope"]);
}

#[test]
fn forbids_that_hang_on_what_may_be_absent_are_listed() {
    let listed = |scope: &str, condition: &str| {
        let text = format!(
            "@id(\"f\") forbid(principal is Pazar::Account, action == Pazar::Action::\"order.pay\", {scope}) {condition};"
        );
        let draft = Draft { policies: vec![file("policies/f.cedar", &text)], ..draft() };
        let (law, faults) = draft.compile();
        assert!(law.is_some(), "{faults:?}");
        faults.iter().any(|f| f.code == "law.policy.forbid_hangs")
    };
    let table = [
        ("resource has due && resource.due < datetime(\"2015-01-01\")", true),
        ("!(resource has due)", false),
        ("!(!(resource has due))", true),
        ("if resource has due then true else false", true),
        ("principal.blocked", false),
        ("resource.total > 5 && resource.state like \"p*\"", false),
    ];
    for (condition, hangs) in table {
        assert_eq!(listed("resource", &format!("when {{ {condition} }}")), hangs, "when {condition}");
    }
    // Absence that forbids is doubt on the safe side.
    assert!(!listed("resource", "unless { resource has due }"));
    assert!(listed("resource", "unless { !(resource has due) }"));
    assert!(!listed("resource", ""));
    // A role that is gone forbids nobody; so does one in the head of the policy.
    let headed = r#"@id("f") forbid(principal in Pazar::Role::"banned", action, resource);"#;
    let (_, faults) = Draft { policies: vec![file("policies/f.cedar", headed)], ..draft() }.compile();
    assert!(faults.iter().any(|f| f.code == "law.policy.forbid_hangs"), "{faults:?}");
}

#[test]
fn forbids_that_may_err_are_listed() {
    let (law, faults) = draft().compile();
    assert!(law.is_some());
    let notes: Vec<&Fault> = faults.iter().filter(|f| f.code == "law.policy.forbid_may_err").collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!((notes[0].severity, notes[0].line), (Severity::Note, 5));
    let listed = |condition: &str| {
        let text = format!(
            "@id(\"f\") forbid(principal is Pazar::Account, action == Pazar::Action::\"order.pay\", resource) when {{ {condition} }};"
        );
        let draft = Draft { policies: vec![file("policies/f.cedar", &text)], ..draft() };
        let (law, faults) = draft.compile();
        assert!(law.is_some(), "{faults:?}");
        faults.iter().any(|f| f.code == "law.policy.forbid_may_err")
    };
    for surely in [
        "principal.blocked",
        "resource.total > 5 && resource.state like \"p*\"",
        "resource.buyer == principal",
        "resource has due && resource.due < datetime(\"2015-01-01\")",
        "principal in Pazar::Role::\"x\" || context.amount == 1",
    ] {
        assert!(!listed(surely), "{surely}");
    }
    for maybe in [
        "resource.total + 1 > 5",
        "-resource.total > 5",
        "resource.buyer.blocked",
        "principal has boss && principal.boss.blocked",
        "resource has due && resource.due.offset(duration(\"1h\")) < datetime(\"2015-01-01\")",
    ] {
        assert!(listed(maybe), "{maybe}");
    }
}

#[test]
fn the_stack_never_decides() {
    let small = |work: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().expect("the thread must not die");
    };
    let n = 100_000;
    for (start, end) in [("(", ")"), ("[", "]"), ("!", ""), ("-", ""), ("{a: ", "}"), ("if true then true else ", "")] {
        let text = format!("@id(\"a\") permit(principal, action, resource) when {{ {}true{} }};", start.repeat(n), end.repeat(n));
        small(Box::new(move || {
            let draft = Draft { policies: vec![file("policies/a.cedar", &text)], ..draft() };
            assert_eq!(codes(&draft.errors()), ["law.policy.too_deep"]);
        }));
    }
    for joined in [" && true", " || true", " == true", ".a", "[\"a\"]", " + 1", " * 1"] {
        let text = format!("@id(\"a\") permit(principal, action, resource) when {{ true{} }};", joined.repeat(n));
        small(Box::new(move || {
            let draft = Draft { policies: vec![file("policies/a.cedar", &text)], ..draft() };
            assert_eq!(codes(&draft.errors()), ["law.policy.too_deep"]);
        }));
    }
    small(Box::new(move || {
        let schema = format!("entity A = {{ a: {}Long{} }};", "Set<".repeat(n), ">".repeat(n));
        let law = Draft { schema, entities: vec![], actions: vec![], expressions: vec![], ..draft() };
        assert_eq!(law.errors()[0].code, "law.schema.too_deep");
    }));
    // As deep as is let through: it loads and is judged, to the same answer, on the smallest stack.
    for (open, close) in [("(", " && true)"), ("!(", ")"), ("(if ", " then true else false)")] {
        let deep = (1..=400).rev().step_by(2).map(|n| format!("{}true{}", open.repeat(n), close.repeat(n)));
        let ruled: Vec<_> = deep
            .filter_map(|condition| {
                let text = format!("@id(\"a\") permit(principal, action, resource) when {{ {condition} }};");
                let draft = Draft { policies: vec![file("policies/a.cedar", &text)], ..draft() };
                draft.compile().0.map(Arc::new)
            })
            .take(1)
            .collect();
        let law = ruled.into_iter().next().expect("some depth is let through");
        let direct = pay("ayse").on(&bound_of(&law, people())).unwrap();
        assert_eq!(direct.errors, []);
        small(Box::new(move || assert_eq!(pay("ayse").on(&bound_of(&law, people())).unwrap(), direct)));
    }
}
