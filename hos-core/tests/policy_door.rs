//! The policy door as a call meets it: what is absent, what is forbidden, who may what.

mod policy_support;

use hos_core::id::{RecordHash, Uid};
use hos_core::limits::{GIVEN_MAX, SLICE_MAX};
use hos_core::policy::{Bound, Compat, Effect, Entity};
use hos_core::refusal::Code;
use hos_core::shape::ExpressionId;
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Record, Value};
use policy_support::*;
use std::collections::BTreeSet;

#[test]
fn who_may_and_who_decided() {
    let bound = pazar();
    let said = |call: Call| call.on(&bound).map(|r| (r.effect, r.determining.join(",")));
    assert_eq!(said(pay("ayse")), Ok((Effect::Allow, "buyer".into())));
    assert_eq!(said(pay("can")), Ok((Effect::Allow, "clerks".into())), "through a role of a role");
    assert_eq!(said(pay("deniz")), Ok((Effect::NotPermitted, "".into())));
    let mut closed = pay("ayse");
    closed.given = vec![
        order(&["Shop::\"new\""]),
        entity("Shop::\"new\"", record([("owner", uid("Account::\"can\"").into())]), &["Region::\"closed\""]),
    ];
    assert_eq!(said(closed), Ok((Effect::Forbidden, "closed-region".into())), "through a given shop in a stored region");
}

#[test]
fn every_policy_that_determines_is_named() {
    let mut people = people();
    people[0].attrs.insert("blocked".into(), true.into());
    people[0].attrs.insert("limit".into(), 10.into());
    let bound = bound(&draft().law(), people, Vec::new());
    let ruling = pay("ayse").on(&bound).unwrap();
    assert_eq!((ruling.effect, ruling.determining), (Effect::Forbidden, vec!["blocked".into(), "over".into()]));
}

#[test]
fn a_policy_that_names_an_action_and_its_group_determines_once() {
    let text = "@id(\"a\") permit(principal, action in [Pazar::Action::\"order\", Pazar::Action::\"order.pay\"], resource);";
    let law = Draft { policies: vec![file("policies/a.cedar", text)], expressions: vec![], ..draft() }.law();
    assert_eq!(pay("ayse").on(&bound_of(&law, people())).unwrap().determining, ["a"]);
}

#[test]
fn an_erring_forbid_denies_unless_the_law_says_cedar() {
    let mut people = people();
    people[0].attrs.insert("limit".into(), 10.into());
    let mut call = pay("ayse");
    call.context.insert("amount".into(), i64::MAX.into());
    for (compat, effect, determining) in [(Compat::Strict, Effect::ForbidError, "over"), (Compat::Cedar, Effect::Allow, "buyer")]
    {
        let law = Draft { compat, ..draft() }.law();
        let ruling = call.on(&bound(&law, people.clone(), Vec::new())).unwrap();
        assert_eq!((ruling.effect, ruling.determining.as_slice()), (effect, &[determining.to_owned()][..]));
        assert_eq!(ruling.errors.len(), 1);
        assert_eq!((ruling.errors[0].policy.as_str(), ruling.errors[0].kind.as_str()), ("over", "Overflow"));
        // A forbid that holds wins over one that errs.
        let mut blocked = people.clone();
        blocked[0].attrs.insert("blocked".into(), true.into());
        let ruling = call.on(&bound_of(&law, blocked)).unwrap();
        assert_eq!((ruling.effect, ruling.determining.as_slice()), (Effect::Forbidden, &["blocked".to_owned()][..]));
        assert_eq!(ruling.errors.len(), 1);
    }
}

#[test]
fn what_is_absent_is_refused_with_its_code() {
    let bound = pazar();
    let change = |f: &dyn Fn(&mut Call)| {
        let mut call = view("ayse");
        f(&mut call);
        call.refused(&bound)
    };
    let shop = || record([("owner", uid("Account::\"can\"").into())]);
    let seen = |who: &str| Value::Set([uid(who).into()].into());
    assert_eq!(change(&|c| c.action = uid("Action::\"order.fly\"")), Code::ActionUnknown);
    assert_eq!(change(&|c| c.action = uid("Action::\"order\"")), Code::PrincipalTypeUnknown, "a group applies to nobody");
    assert_eq!(change(&|c| c.principal = uid("Clock::\"clock\"")), Code::PrincipalTypeUnknown);
    assert_eq!(change(&|c| c.principal = uid("Nobody::\"x\"")), Code::PrincipalTypeUnknown);
    assert_eq!(change(&|c| c.principal = uid("Account::\"eve\"")), Code::PrincipalUnknown);
    assert_eq!(
        change(&|c| {
            c.principal = uid("Account::\"eve\"");
            c.given.push(account("Account::\"eve\"", &["Role::\"clerk\""]));
        }),
        Code::PrincipalUnknown,
        "nobody brings themselves along where accounts are stored"
    );
    assert_eq!(change(&|c| c.resource = uid("Role::\"clerk\"")), Code::ResourceTypeUnknown);
    assert_eq!(change(&|c| c.resource = uid("Order::\"o-2\"")), Code::EntityMissing);
    assert_eq!(change(&|c| c.given.clear()), Code::EntityMissing);
    assert_eq!(change(&|c| c.given = vec![order(&["Shop::\"t\""])]), Code::EntityMissing, "a parent");
    assert_eq!(change(&|c| drop(c.context.insert("seen".into(), seen("Account::\"eve\"")))), Code::EntityMissing, "in a set");
    assert_eq!(change(&|c| drop(c.context.insert("color".into(), uid("Color::\"pink\"").into()))), Code::EntityMissing);
    assert_eq!(
        change(&|c| drop(c.given[0].attrs.insert("buyer".into(), uid("Account::\"eve\"").into()))),
        Code::EntityMissing,
        "in an attribute"
    );
    assert_eq!(change(&|c| drop(c.given[0].attrs.remove("total"))), Code::AttributeMissing);
    assert_eq!(pay_without_amount().refused(&bound), Code::AttributeMissing);
    assert_eq!(change(&|c| drop(c.given[0].attrs.insert("tota".into(), 1.into()))), Code::AttributeUnknown);
    assert_eq!(change(&|c| drop(c.context.insert("wy".into(), "x".into()))), Code::AttributeUnknown);
    assert_eq!(change(&|c| drop(c.given[0].attrs.insert("total".into(), "100".into()))), Code::AttributeType);
    assert_eq!(change(&|c| drop(c.context.insert("why".into(), 1.into()))), Code::AttributeType);
    assert_eq!(
        change(&|c| drop(c.given[0].attrs.insert("due".into(), Value::Ext(Ext::Datetime, "tomorrow".into())))),
        Code::AttributeType
    );
    assert_eq!(change(&|c| drop(c.given[0].attrs.insert("buyer".into(), uid("Role::\"clerk\"").into()))), Code::AttributeType);
    assert_eq!(change(&|c| c.given = vec![order(&["Role::\"clerk\""])]), Code::HierarchyInvalid, "a parent of a wrong type");
    assert_eq!(change(&|c| c.given.push(account("Account::\"can\"", &[]))), Code::DirectoryConflict);
    assert_eq!(change(&|c| c.given.push(entity("Shop::\"s\"", shop(), &[]))), Code::DirectoryConflict);
    assert_eq!(change(&|c| c.given.push(entity("Color::\"red\"", Record::new(), &[]))), Code::DirectoryConflict);
    assert_eq!(change(&|c| c.given.push(entity("Color::\"pink\"", Record::new(), &[]))), Code::AttributeType);
    assert_eq!(change(&|c| c.given.push(entity("Thing::\"x\"", Record::new(), &[]))), Code::AttributeUnknown);
    assert_eq!(change(&|c| c.given.push(c.given[0].clone())), Code::CallMalformed);
    assert_eq!(change(&|c| c.given = vec![order(&[]); 2_000]), Code::CallTooLarge);
    // Fine as they are, so that each refusal above has its own cause.
    let fine = |f: &dyn Fn(&mut Call)| {
        let mut call = view("ayse");
        f(&mut call);
        call.on(&bound).unwrap().effect
    };
    assert_eq!(fine(&|_| ()), Effect::NotPermitted);
    assert_eq!(fine(&|c| drop(c.context.insert("color".into(), uid("Color::\"red\"").into()))), Effect::NotPermitted);
    assert_eq!(fine(&|c| drop(c.context.insert("seen".into(), seen("Account::\"can\"")))), Effect::NotPermitted);
    assert_eq!(fine(&|c| c.resource = uid("Shop::\"s\"")), Effect::NotPermitted, "a stored resource");
}

/// One more is refused: `limits/judging.rs`, which takes longer.
#[test]
fn as_many_stored_entities_are_judged_over_as_there_may_be() {
    let mut law = Draft { policies: vec![], expressions: vec![], ..draft() };
    law.schema = law.schema.replace("seen?: Set<Account>", "seen?: Set<Role>");
    // The principal is one of them.
    let mut stored: Vec<Entity> = (1..SLICE_MAX).map(|i| entity(&format!("Role::\"{i}\""), Record::new(), &[])).collect();
    let seen = stored.iter().map(|role| role.uid.clone().into()).collect();
    stored.push(account("Account::\"ayse\"", &[]));
    let call = Call { given: vec![order(&[])], context: record([("seen", Value::Set(seen))]), ..view("ayse") };
    assert_eq!(bound_of(&law.law(), stored).prepare(&call.request()).map(drop), Ok(()));
}

#[test]
fn as_many_entities_are_given_as_there_may_be() {
    let law = Draft { policies: vec![], expressions: vec![], ..draft() }.law();
    // They are counted before the action is looked for, which is refused.
    let given = |count: usize| {
        let call = Call {
            action: uid("Action::\"order.fly\""),
            given: vec![entity("Role::\"r\"", Record::new(), &[]); count],
            ..pay("ayse")
        };
        call.refused(&bound_of(&law, vec![]))
    };
    assert_eq!(given(GIVEN_MAX), Code::ActionUnknown);
    assert_eq!(given(GIVEN_MAX + 1), Code::CallTooLarge);
}

#[test]
fn a_principal_that_is_not_stored_may_come_along() {
    let bound = pazar();
    let mut call = pay("ayse");
    call.principal = uid("Clock::\"clock\"");
    assert_eq!(call.refused(&bound), Code::PrincipalUnknown);
    call.given.push(entity("Clock::\"clock\"", Record::new(), &[]));
    assert_eq!(call.on(&bound).unwrap().determining, ["clock"]);
}

#[test]
fn a_principal_that_the_schema_declares_is_there() {
    let mut draft = draft();
    draft.schema = draft.schema.replace("entity Clock;", "entity Clock enum [\"clock\"];");
    let bound = bound_of(&draft.law(), people());
    let mut call = pay("ayse");
    call.principal = uid("Clock::\"clock\"");
    assert_eq!(call.on(&bound).unwrap().determining, ["clock"]);
    call.given.push(entity("Clock::\"clock\"", Record::new(), &[]));
    assert_eq!(call.refused(&bound), Code::DirectoryConflict);
    call.given.pop();
    call.principal = uid("Clock::\"other\"");
    assert_eq!(call.refused(&bound), Code::PrincipalUnknown);
}

#[test]
fn a_grant_that_is_called_as_a_policy_is_determines_once_with_it() {
    let links = vec![link("clerks", "helper", Some("Role::\"clerk\""), None)];
    let bound = bound(&draft().law(), people(), links);
    assert_eq!(view("can").on(&bound).unwrap().determining, ["clerks"]);
}

/// Another law is in force: accounts have a rank and are in teams, orders may be urgent, there is a color more.
#[test]
fn for_guards_what_the_schema_does_not_declare_is_let_be() {
    let mut people = people();
    people[0].attrs.insert("rank".into(), 3.into());
    people[0].parents.insert(uid("Team::\"red\""));
    let bound = bound_of(&draft().law(), people.clone());
    let mut call = pay("ayse");
    call.given[0].attrs.insert("urgent".into(), true.into());
    call.given[0].attrs.insert("color".into(), uid("Color::\"green\"").into());
    call.context.insert("ip".into(), "::1".into());
    let code = |bound: &Bound, call: &Call, for_guards: bool| {
        let request = call.request();
        let prepared = if for_guards { bound.prepare_guards(&request, bound.law()) } else { bound.prepare(&request) };
        prepared.err().and_then(|blocker| blocker.hos())
    };
    assert_eq!(code(&bound, &call, false), Some(Code::EntityMissing));
    assert_eq!(code(&bound, &call, true), None);
    let request = call.request();
    let prepared = bound.prepare_guards(&request, bound.law()).unwrap();
    assert_eq!(prepared.condition(ExpressionId(0)), Ok(true));
    assert_eq!(prepared.condition(ExpressionId(4)), Ok(true));
    assert_eq!(prepared.condition(ExpressionId(5)), Ok(false));
    // What it declares is as it says, and there.
    let refused = |change: &dyn Fn(&mut Call)| {
        let mut call = call.clone();
        change(&mut call);
        code(&bound, &call, true)
    };
    assert_eq!(refused(&|c| drop(c.given[0].attrs.remove("total"))), Some(Code::AttributeMissing));
    assert_eq!(refused(&|c| drop(c.given[0].attrs.insert("total".into(), "100".into()))), Some(Code::AttributeType));
    assert_eq!(refused(&|c| drop(c.context.remove("amount"))), Some(Code::AttributeMissing));
    assert_eq!(refused(&|c| c.given.clear()), Some(Code::EntityMissing));
    assert_eq!(refused(&|c| c.principal = uid("Account::\"eve\"")), Some(Code::PrincipalUnknown));
    assert_eq!(refused(&|c| c.given.push(account("Account::\"can\"", &[]))), Some(Code::DirectoryConflict));
    // Whom the law in force declares is there by its word.
    let schema =
        "namespace Pazar { entity Account enum [\"eve\"]; action look appliesTo { principal: [Account], resource: [Account] }; }";
    let in_force =
        Draft { schema: schema.into(), policies: vec![], entities: vec![], actions: vec![], expressions: vec![], ..draft() }
            .law();
    let declared = Call { principal: uid("Account::\"eve\""), ..call.clone() };
    let request = declared.request();
    assert_eq!(bound.prepare_guards(&request, &in_force).map(drop), Ok(()));
    people[0].attrs.insert("blocked".into(), "no".into());
    assert_eq!(code(&bound_of(&draft().law(), people.clone()), &call, true), Some(Code::AttributeType));
    // To earlier builds the whole of it had to be known.
    people[0].attrs.insert("blocked".into(), false.into());
    assert_eq!(code(&bound_of(&draft().law(), people).earlier(), &pay("ayse"), true), Some(Code::AttributeUnknown));
}

#[test]
fn a_call_cannot_put_something_above_stored_entities() {
    let mut people = people();
    people.push(account("Account::\"eve\"", &["Role::\"guest\""]));
    let bound = bound(&draft().law(), people, Vec::new());
    assert_eq!(view("eve").on(&bound).unwrap().effect, Effect::NotPermitted);
    let mut call = view("eve");
    call.given.push(entity("Role::\"guest\"", Record::new(), &["Role::\"clerk\""]));
    assert_eq!(call.refused(&bound), Code::DirectoryConflict);
}

#[test]
fn taking_something_away_never_allows_more() {
    // Every call that is not allowed, with each given thing taken away in turn.
    let mut people = people();
    people[2].attrs.insert("blocked".into(), true.into());
    let links = vec![link("l1", "viewer", Some("Account::\"deniz\""), Some("Region::\"closed\""))];
    let bound = bound(&draft().law(), people, links);
    let shop = entity("Shop::\"new\"", record([("owner", uid("Account::\"can\"").into())]), &["Region::\"new\""]);
    let region = entity("Region::\"new\"", Record::new(), &["Region::\"closed\""]);
    let mut tried = 0;
    for who in ["ayse", "can", "deniz", "eve"] {
        for call in [pay(who), view(who)] {
            let call = Call { given: vec![order(&["Shop::\"new\""]), shop.clone(), region.clone()], ..call };
            let allows = |call: &Call| call.on(&bound).is_ok_and(|r| r.effect == Effect::Allow);
            assert!(!allows(&call));
            let mut fewer: Vec<Call> = Vec::new();
            for i in 0..call.given.len() {
                let mut less = call.clone();
                less.given.remove(i);
                fewer.push(less);
                for name in call.given[i].attrs.keys() {
                    let mut less = call.clone();
                    less.given[i].attrs.remove(name);
                    fewer.push(less);
                }
            }
            for name in call.context.keys() {
                let mut less = call.clone();
                less.context.remove(name);
                fewer.push(less);
            }
            for less in fewer {
                tried += 1;
                assert!(!allows(&less), "{:?} {:?}", less.request(), less.on(&bound));
            }
        }
    }
    assert!(tried >= 60, "{tried}");
}

#[test]
fn contracts_expressions_are_judged_over_the_same_slice() {
    let bound = pazar();
    let mut call = pay("ayse");
    call.given[0].attrs.insert("due".into(), Value::Ext(Ext::Datetime, "2015-07-01T00:00:00Z".into()));
    let request = call.request();
    let prepared = bound.prepare(&request).unwrap();
    assert_eq!(prepared.condition(ExpressionId(0)), Ok(true));
    assert_eq!(prepared.instant(ExpressionId(1)), Ok(Timestamp(1_435_708_800_000)));
    assert_eq!(prepared.instant(ExpressionId(2)), Ok(Timestamp(1_435_708_800_000 + 3_600_000)));
    assert!(prepared.condition(ExpressionId(3)).unwrap_err().contains("overflow"));
    assert!(prepared.condition(ExpressionId(2)).is_err() && prepared.instant(ExpressionId(0)).is_err());
    assert!(prepared.condition(ExpressionId(99)).is_err());
    // Entities that only the expression names are at hand as well, and so is the action.
    assert_eq!(prepared.condition(ExpressionId(4)), Ok(true));
    assert_eq!(prepared.condition(ExpressionId(5)), Ok(false));
    call.context.insert("amount".into(), 99.into());
    assert_eq!(bound.prepare(&call.request()).unwrap().condition(ExpressionId(0)), Ok(false));
}

#[test]
fn the_slice_names_all_that_was_judged() {
    let bound = pazar();
    let call = pay("can");
    let request = call.request();
    let slice = bound.prepare(&request).unwrap().slice();
    let names: Vec<String> = slice.iter().map(|e| e.uid.to_string().replace("Pazar::", "")).collect();
    assert_eq!(
        names,
        [
            "Account::\"ayse\"",
            "Account::\"can\"",
            "Account::\"deniz\"",
            "Order::\"o-1\"",
            "Region::\"west\"",
            "Role::\"clerk\"",
            "Role::\"senior\"",
            "Shop::\"s\""
        ]
    );
    assert_eq!(slice[0].record, Some(RecordHash([7; 32])));
    // What was judged can be judged again from the slice alone.
    let (stored, given): (Vec<_>, Vec<_>) = slice.into_iter().partition(|e| e.uid != call.resource);
    let again = bound_of(bound.law(), stored);
    assert_eq!(Call { given, ..call.clone() }.on(&again), call.on(&bound));
}

#[test]
fn ids_may_hold_anything() {
    let strange = "a\"\\\u{0}\u{202e}\n";
    let who = Uid::new("Pazar::Account", strange).unwrap();
    let mut people = people();
    people.push(Entity { uid: who.clone(), ..account("Account::\"x\"", &["Role::\"clerk\""]) });
    let bound = bound_of(&draft().law(), people);
    let call = Call { principal: who, ..pay("ayse") };
    assert_eq!(call.on(&bound).unwrap().determining, ["clerks"]);
    assert_eq!(BTreeSet::from_iter(bound.directory().entities().map(|e| e.uid.clone())).len(), 9);
}
