//! What is told from a policy's form alone: whom it reads, whether it may err, what it hangs on.

mod policy_support;

use hos_core::policy::Effect;
use hos_core::shape::Type;
use policy_support::*;

/// A law with one policy; accounts have a home, a payment is given a witness.
fn law(text: &str) -> Draft {
    let mut draft = Draft { policies: vec![file("policies/a.cedar", text)], expressions: vec![], ..draft() };
    draft.schema = draft.schema.replace("boss?: Account };", "boss?: Account, home?: { city: String, zip?: Long } };");
    draft.actions[0].context.push(attribute("who", Type::Entity("Pazar::Account".into())));
    draft
}

/// Which accounts are judged over, beside whom the call names.
fn read(condition: &str) -> String {
    let text = format!(
        "@id(\"a\") permit(principal is Pazar::Account, action == Pazar::Action::\"order.pay\", resource) when {{ {condition} }};"
    );
    let bound = bound_of(&law(&text).law(), people());
    let mut call = Call { given: vec![order(&[])], ..pay("ayse") };
    call.context.insert("who".into(), uid("Account::\"ayse\"").into());
    let request = call.request();
    let prepared = bound.prepare(&request).unwrap();
    let ruling = prepared.ruling();
    assert_eq!(ruling.errors, [], "{condition}");
    let slice = prepared.slice();
    let accounts: Vec<&str> = slice.iter().filter(|e| e.uid.type_name() == "Pazar::Account").map(|e| e.uid.id()).collect();
    format!("{} {:?}", accounts.join(" "), ruling.effect)
}

#[test]
fn whoever_is_only_compared_with_is_not_read() {
    let no = Effect::NotPermitted;
    assert_eq!(read("principal == Pazar::Account::\"deniz\""), format!("ayse {no:?}"));
    assert_eq!(read("principal != Pazar::Account::\"deniz\""), "ayse Allow");
    assert_eq!(read("[Pazar::Account::\"deniz\", Pazar::Account::\"can\"].contains(principal)"), format!("ayse {no:?}"));
    assert_eq!(read("[Pazar::Account::\"deniz\"].containsAny([Pazar::Account::\"can\"])"), format!("ayse {no:?}"));
    assert_eq!(read("principal in Pazar::Account::\"deniz\""), format!("ayse {no:?}"));
    assert_eq!(read("principal in [Pazar::Account::\"deniz\", Pazar::Account::\"ayse\"]"), "ayse Allow");
}

#[test]
fn whoever_s_data_may_be_asked_for_is_read() {
    assert_eq!(read("!Pazar::Account::\"deniz\".blocked"), "ayse deniz Allow");
    assert_eq!(read("Pazar::Account::\"can\" in Pazar::Role::\"clerk\""), "ayse can Allow");
    assert_eq!(read("Pazar::Account::\"deniz\".blocked == principal.blocked"), "ayse deniz Allow");
    assert_eq!(read("Pazar::Account::\"deniz\".blocked == Pazar::Account::\"can\".blocked"), "ayse can deniz Allow");
    assert_eq!(read("[Pazar::Account::\"deniz\".blocked].contains(false)"), "ayse deniz Allow");
    assert_eq!(
        read("!(principal in (if Pazar::Account::\"deniz\".blocked then principal else Pazar::Account::\"can\"))"),
        "ayse can deniz Allow"
    );
    assert_eq!(read("Pazar::Account::\"deniz\" has blocked && !(Pazar::Account::\"deniz\" has limit)"), "ayse deniz Allow");
}

/// Whether a forbid with this condition is noted so.
fn noted(code: &str, condition: &str) -> bool {
    let text =
        format!("@id(\"f\") forbid(principal is Pazar::Account, action == Pazar::Action::\"order.pay\", resource) {condition};");
    let (law, faults) = law(&text).compile();
    assert!(law.is_some(), "{faults:?}");
    faults.iter().any(|f| f.code == code)
}

#[test]
fn a_forbid_that_may_err_is_noted_by_its_form() {
    for (condition, may) in [
        ("when { context.who.blocked }", false),
        ("when { principal has home && principal.home.city == \"x\" }", false),
        ("when { {a: principal.blocked}.a }", false),
        ("when { principal has boss && principal.boss.blocked }", true),
        ("when { context.who has boss && context.who.boss.blocked }", true),
        ("when { principal.hasTag(\"t\") }", false),
        ("when { principal.hasTag(\"t\") && principal.getTag(\"t\") == \"x\" }", true),
        ("when { Pazar::Account::\"deniz\".blocked }", true),
    ] {
        assert_eq!(noted("law.policy.forbid_may_err", condition), may, "{condition}");
    }
}

#[test]
fn a_forbid_that_hangs_on_what_may_be_absent_is_noted_by_its_form() {
    for (condition, hangs) in [
        ("when { principal.hasTag(\"t\") }", true),
        ("unless { principal.hasTag(\"t\") }", false),
        ("when { principal has home.zip }", true),
        ("unless { principal has home.zip }", false),
        ("when { principal in Pazar::Role::\"x\" }", true),
        ("unless { principal in Pazar::Role::\"x\" }", false),
        ("when { action in Pazar::Action::\"order\" }", false),
        ("when { if principal.blocked then principal has limit else false }", true),
        ("unless { if principal.blocked then principal has limit else true }", false),
        ("unless { if principal has limit then true else false }", true),
        ("when { (principal has limit) == false }", true),
    ] {
        assert_eq!(noted("law.policy.forbid_hangs", condition), hangs, "{condition}");
    }
}
