//! The policy door at its edges: what is counted, what is shown, which of several refusals is told.

mod policy_support;

use hos_core::fault::SourceFile;
use hos_core::policy::{Bound, Directory, Effect, Entity, Link, PolicyLaw};
use hos_core::refusal::{Blocker, Code};
use hos_core::shape::{EntityShape, Type, Wanted};
use hos_core::value::{Record, Value};
use policy_support::*;
use std::collections::BTreeSet;
use std::sync::Arc;

fn made(people: Vec<Entity>, links: Vec<Link>) -> Directory {
    Directory::new(people, links).unwrap()
}

fn under(directory: &Directory) -> Bound {
    Bound::new(draft().law(), Arc::new(directory.clone())).unwrap()
}

/// `ayse` sees an order of hers; so many accounts are named by the context, each has the next one as its boss.
fn naming(law: &Arc<PolicyLaw>, count: usize) -> (Bound, Call) {
    let name = |i: usize| format!("Account::\"n{i:04}\"");
    let mut all = people();
    for i in 0..count {
        let boss = uid(&name((i + 1) % count));
        all.push(Entity { attrs: record([("blocked", false.into()), ("boss", boss.into())]), ..account(&name(i), &[]) });
    }
    let seen: BTreeSet<Value> = (0..count).map(|i| Value::from(uid(&name(i)))).collect();
    let call = Call { context: record([("seen", Value::Set(seen))]), ..view("ayse") };
    (bound_of(law, all), call)
}

#[test]
fn every_entity_that_is_named_is_judged_over_once() {
    let law = draft().law();
    // Fifteen to eighteen: those that the call names besides are the principal and a shop with what stands above it.
    for count in [1, 12, 13, 14, 15, 16, 17, 18, 40, 300] {
        let (bound, call) = naming(&law, count);
        let request = call.request();
        let prepared = bound.prepare(&request).unwrap();
        let told = format!("{prepared:?}");
        let words = told.split("entities: ").nth(1).unwrap().split([',', ' ']).next().unwrap().to_owned();
        // The order, its buyer, its shop's owner are there with those that are named.
        let slice = prepared.slice();
        let named = slice.iter().filter(|e| e.uid.id().starts_with('n')).count();
        assert_eq!(named, count);
        let stored = slice.iter().filter(|e| e.uid.type_name() == "Pazar::Account").count();
        assert_eq!(words.parse::<usize>().unwrap(), stored + 1, "{count}: each account and the order, each once: {told}");
    }
}

#[test]
fn what_is_shown_of_a_request_is_its_action_and_nothing_personal() {
    let (bound, call) = naming(&draft().law(), 2);
    let request = call.request();
    let told = format!("{:?}", bound.prepare(&request).unwrap());
    assert!(told.contains("order.view") && !told.contains("ayse"), "{told}");
}

#[test]
fn what_a_refused_request_stood_on_is_gathered_up_to_a_bound() {
    let law = draft().law();
    let around = |count: usize| {
        let (bound, mut call) = naming(&law, count);
        (call.action, call.given) = (uid("Action::\"order.fly\""), vec![order(&[])]);
        assert_eq!(call.refused(&bound), Code::ActionUnknown);
        bound.around(&call.request())
    };
    let few = around(3);
    let ids: Vec<&str> = few.iter().map(|e| e.uid.id()).collect();
    assert_eq!(ids, ["ayse", "n0000", "n0001", "n0002", "o-1"]);
    // The call's own order is no stored entity.
    assert_eq!(around(1_022).len(), 1_024);
    assert_eq!(around(1_023).len(), 1_025);
    let many = around(1_100);
    assert_eq!(many.len(), 1_025);
    // Who asked is there, however much there is no room for: it would be judged again as if nobody had.
    assert!(many.iter().any(|e| e.uid.id() == "ayse"));
    // What stands above comes along; where an entity is both, the stored one is said.
    let (bound, mut call) = naming(&law, 1);
    call.principal = uid("Account::\"can\"");
    call.given.push(entity("Role::\"senior\"", Record::new(), &[]));
    call.given.push(entity("Account::\"can\"", Record::new(), &[]));
    let found = bound.around(&call.request());
    let roles: Vec<&str> = found.iter().filter(|e| e.uid.type_name() == "Pazar::Role").map(|e| e.uid.id()).collect();
    assert_eq!(roles, ["clerk", "senior"]);
    assert!(found.iter().any(|e| e.uid.id() == "can" && e.record.is_some()));
}

#[test]
fn a_ring_of_roles_is_told_from_one_to_the_next() {
    let ring = |count: usize| {
        let role = |i: usize| format!("Role::\"r{}\"", i % count);
        let all = (0..count).map(|i| entity(&role(i), Record::new(), &[&role(i + 1)])).collect();
        Directory::new(all, vec![]).unwrap_err()
    };
    let step = |i: usize| format!("Pazar::Role::\"r{i}\" in ");
    let told =
        |count: usize| format!("the hierarchy has a cycle: {}Pazar::Role::\"r0\"", (0..count).map(step).collect::<String>());
    for count in [1, 2, 7, 8] {
        assert_eq!(ring(count).detail, told(count));
    }
    let nine =
        format!("the hierarchy has a cycle: {}\u{2026} (9 in all) in Pazar::Role::\"r0\"", (0..8).map(step).collect::<String>());
    assert_eq!((ring(9).hos(), ring(9).detail), (Some(Code::HierarchyInvalid), nine));
    // Whoever stands below a ring is not in it.
    let mut below = vec![entity("Role::\"a\"", Record::new(), &["Role::\"b\""])];
    below.push(entity("Role::\"b\"", Record::new(), &["Role::\"c\""]));
    below.push(entity("Role::\"c\"", Record::new(), &["Role::\"b\""]));
    let told = Directory::new(below, vec![]).unwrap_err().detail;
    assert_eq!(told, "the hierarchy has a cycle: Pazar::Role::\"b\" in Pazar::Role::\"c\" in Pazar::Role::\"b\"");
}

#[test]
fn links_of_a_shape_are_counted_until_the_last_is_gone() {
    let orphan = |id: &str| link(id, "gone", Some("Account::\"ayse\""), None);
    let orphans = |d: &Directory| under(d).orphans().to_vec();
    let start = made(people(), vec![orphan("a"), orphan("b"), orphan("c"), link("d", "helper", Some("Account::\"ayse\""), None)]);
    assert_eq!(orphans(&start), ["a", "b", "c"]);
    let without = |d: &Directory, id: &str| d.with(vec![], vec![(id.to_owned(), None)]).unwrap();
    let two = without(&start, "a");
    assert_eq!(orphans(&two), ["b", "c"]);
    let one = without(&two, "c");
    assert_eq!(orphans(&one), ["b"]);
    assert_eq!(orphans(&without(&one, "b")), [] as [&str; 0]);
    let again = without(&one, "b").with(vec![], vec![("b".into(), Some(orphan("b")))]).unwrap();
    assert_eq!(orphans(&again), ["b"]);
}

#[test]
fn grants_over_a_pair_hold_until_the_last_of_them_is_gone() {
    let pair = |id: &str, shop: &str| link(id, "viewer", Some("Account::\"deniz\""), Some(shop));
    let start = made(people(), vec![pair("a", "Shop::\"s\""), pair("b", "Shop::\"s\""), pair("c", "Region::\"west\"")]);
    let said = |d: &Directory| view("deniz").on(&under(d)).unwrap().determining;
    assert_eq!(said(&start), ["a", "b", "c"]);
    let without = |d: &Directory, ids: &[&str]| d.with(vec![], ids.iter().map(|id| ((*id).to_owned(), None)).collect()).unwrap();
    assert_eq!(said(&without(&start, &["a"])), ["b", "c"]);
    assert_eq!(said(&without(&start, &["a", "b"])), ["c"]);
    assert_eq!(said(&without(&start, &["c"])), ["a", "b"]);
    assert!(said(&without(&start, &["a", "b", "c"])).is_empty());
}

#[test]
fn a_type_is_stored_while_somebody_of_it_is() {
    // A clock is of a type that the directory has met, in a link, but of which it holds nobody.
    let met = made(people(), vec![link("l", "viewer", Some("Clock::\"other\""), Some("Shop::\"s\""))]);
    let clock = || Call {
        principal: uid("Clock::\"c\""),
        given: vec![order(&[]), entity("Clock::\"c\"", Record::new(), &[])],
        ..pay("ayse")
    };
    assert_eq!(clock().on(&under(&met)).map(|r| r.effect), Ok(Effect::Allow));
    let put = |d: &Directory, to: Option<Entity>| d.with(vec![(uid("Clock::\"x\""), to)], vec![]).unwrap();
    let one = put(&met, Some(entity("Clock::\"x\"", Record::new(), &[])));
    assert_eq!(clock().refused(&under(&one)), Code::PrincipalUnknown);
    let same = put(&one, Some(entity("Clock::\"x\"", Record::new(), &[])));
    assert_eq!(clock().refused(&under(&same)), Code::PrincipalUnknown);
    let none = put(&same, None);
    assert_eq!(clock().on(&under(&none)).map(|r| r.effect), Ok(Effect::Allow), "with the last of them the type is gone");
}

#[test]
fn nobody_gives_what_the_directory_has_members_of() {
    let temp = "Role::\"temp\"";
    let start = made([people(), vec![account("Account::\"t\"", &[temp]), account("Account::\"u\"", &[temp])]].concat(), vec![]);
    let call = || Call { given: vec![order(&[]), entity(temp, Record::new(), &[])], ..pay("ayse") };
    let leave = |d: &Directory, who: &str| d.with(vec![(uid(who), Some(account(who, &[])))], vec![]).unwrap();
    assert_eq!(call().refused(&under(&start)), Code::DirectoryConflict);
    let one = leave(&start, "Account::\"t\"");
    assert_eq!(call().refused(&under(&one)), Code::DirectoryConflict);
    let none = leave(&one, "Account::\"u\"");
    assert!(call().on(&under(&none)).is_ok(), "the last one left");
    let gone = one.with(vec![(uid("Account::\"u\""), None)], vec![]).unwrap();
    assert!(call().on(&under(&gone)).is_ok(), "or went");
}

#[test]
fn of_several_misfits_the_first_in_the_list_of_codes_is_told() {
    let lacking = |id: &str| entity(&format!("Account::\"{id}\""), Record::new(), &[]);
    let strange = entity("Account::\"s\"", record([("blocked", false.into()), ("odd", 1.into())]), &[]);
    let wrong = entity("Account::\"w\"", record([("blocked", 1.into())]), &[]);
    let told = |given: &[Entity]| -> Blocker {
        let given = [&[order(&[])][..], given].concat();
        Call { given, ..pay("ayse") }.on(&pazar()).unwrap_err()
    };
    let orders = [
        vec![lacking("a"), strange.clone(), wrong.clone()],
        vec![wrong.clone(), strange.clone(), lacking("a")],
        vec![strange.clone(), lacking("a"), wrong.clone()],
    ];
    for given in orders {
        assert_eq!(told(&given).detail, "Pazar::Account::\"a\": `blocked` is missing", "{given:?}");
    }
    assert_eq!(told(&[wrong.clone(), strange]).hos(), Some(Code::AttributeUnknown));
    // Of two of one code, the one that was given first.
    assert_eq!(told(&[wrong, lacking("b"), lacking("a")]).detail, "Pazar::Account::\"b\": `blocked` is missing");
}

#[test]
fn a_value_is_held_against_its_declaration_and_the_place_is_told() {
    let mut draft = draft();
    draft.schema = draft.schema.replace(
        "entity Clock;",
        "entity Clock; entity Pair = { a: Long, b: Long }; entity Box = { note?: String, of?: Shop, tags?: Set<Long>, at?: { x: Long, y?: { z: Bool } }, zip: String };",
    );
    let law = draft.law();
    let says = |fields: &[(&str, Value)]| {
        let attrs = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let call = Call { given: vec![order(&["Shop::\"s\""]), entity("Box::\"b\"", attrs, &[])], ..pay("ayse") };
        match call.on(&bound_of(&law, people())) {
            Ok(_) => "it fits".to_owned(),
            Err(blocker) => format!("{} {}", blocker.code, blocker.detail.trim_start_matches("Pazar::Box::\"b\": ")),
        }
    };
    let zip = || ("zip", Value::from("34000"));
    let at = |fields: &[(&str, Value)]| {
        Value::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let set = |values: &[Value]| Value::Set(values.iter().cloned().collect());
    assert_eq!(says(&[zip()]), "it fits");
    assert_eq!(says(&[]), "hos.attribute_missing `zip` is missing");
    assert_eq!(says(&[("note", "n".into())]), "hos.attribute_missing `zip` is missing");
    // What is there instead of what is missing changes nothing about that.
    assert_eq!(says(&[("aa", "x".into())]), "hos.attribute_missing `zip` is missing");
    assert_eq!(says(&[("zz", "x".into())]), "hos.attribute_missing `zip` is missing");
    for half in ["a", "b"] {
        let given = vec![order(&[]), entity("Pair::\"p\"", record([(half, 1.into())]), &[])];
        assert_eq!(Call { given, ..pay("ayse") }.refused(&bound_of(&law, people())), Code::AttributeMissing, "{half}");
    }
    let limited = Call { given: vec![order(&[]), entity("Account::\"x\"", record([("limit", 1.into())]), &[])], ..pay("ayse") };
    assert_eq!(limited.refused(&pazar()), Code::AttributeMissing);
    assert_eq!(says(&[zip(), ("aa", 1.into())]), "hos.attribute_unknown `aa` is not declared");
    assert_eq!(says(&[zip(), ("zz", 1.into())]), "hos.attribute_unknown `zz` is not declared");
    assert_eq!(says(&[zip(), ("note", 1.into())]), "hos.attribute_type `note` must be String, not Long");
    assert_eq!(says(&[zip(), ("tags", set(&[1.into(), 2.into()]))]), "it fits");
    assert_eq!(says(&[zip(), ("tags", set(&[]))]), "it fits");
    assert_eq!(says(&[zip(), ("tags", set(&[1.into(), "x".into()]))]), "hos.attribute_type `tags` must be Long, not String");
    assert_eq!(says(&[zip(), ("tags", 1.into())]), "hos.attribute_type `tags` must be Set<Long>, not Long");
    assert_eq!(says(&[zip(), ("at", at(&[("x", 1.into())]))]), "it fits");
    assert_eq!(says(&[zip(), ("at", at(&[]))]), "hos.attribute_missing in `at`, `x` is missing");
    assert_eq!(says(&[zip(), ("at", at(&[("x", "1".into())]))]), "hos.attribute_type in `at`, `x` must be Long, not String");
    assert_eq!(
        says(&[zip(), ("at", at(&[("x", 1.into()), ("w", 1.into())]))]),
        "hos.attribute_unknown in `at`, `w` is not declared"
    );
    assert_eq!(says(&[zip(), ("at", at(&[("x", 1.into()), ("y", at(&[("z", true.into())]))]))]), "it fits");
    let deep = says(&[zip(), ("at", at(&[("x", 1.into()), ("y", at(&[("z", 1.into())]))]))]);
    assert_eq!(deep, "hos.attribute_type in `at`, in `y`, `z` must be Bool, not Long");
    assert_eq!(says(&[zip(), ("at", true.into())]), "hos.attribute_type `at` must be record, not Bool");
    assert_eq!(says(&[zip(), ("of", uid("Shop::\"s\"").into())]), "it fits");
    assert_eq!(
        says(&[zip(), ("of", uid("Region::\"west\"").into())]),
        "hos.attribute_type `of` must be Pazar::Shop, not Pazar::Region"
    );
}

#[test]
fn one_directory_under_two_laws_is_held_against_each() {
    let directory = Arc::new(made(people(), vec![]));
    let loose = draft().law();
    let mut strict = draft();
    strict.schema = strict.schema.replace("limit?: Long", "limit: Long");
    let strict = strict.law();
    for (law, wanted) in
        [(&loose, None), (&strict, Some(Code::AttributeMissing)), (&loose, None), (&strict, Some(Code::AttributeMissing))]
    {
        let bound = Bound::new(Arc::clone(law), Arc::clone(&directory)).unwrap();
        assert_eq!(pay("ayse").on(&bound).err().and_then(|b| b.hos()), wanted);
    }
}

#[test]
fn which_actions_may_be_asked_for_and_who_could_be_permitted() {
    let law = draft().law();
    let names = |uids: Vec<&hos_core::id::Uid>| uids.into_iter().map(|u| u.id().to_owned()).collect::<BTreeSet<_>>();
    let set = |of: &[&str]| of.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(names(law.actions().collect()), set(&["order", "order.pay", "order.view"]));
    assert_eq!(names(law.askable_actions().collect()), set(&["order.pay", "order.view"]), "a group applies to nothing");
    let mut nowhere = draft();
    nowhere.schema = nowhere
        .schema
        .replace("entity Clock;", "entity Clock; action \"order.dream\" appliesTo { principal: [Account], resource: [] };");
    if let (Some(law), _) = nowhere.compile() {
        assert_eq!(
            names(law.askable_actions().collect()),
            set(&["order.pay", "order.view"]),
            "nor is one over nothing asked for"
        );
    }
    for (id, is) in [("buyer", true), ("viewer", true), ("order", false), ("", false)] {
        assert_eq!(law.has_policy(id), is, "{id}");
    }
    let clock = uid("Clock::\"c\"");
    let may = |policy: &str, action: &str, resource: &str| {
        let mut draft = draft();
        draft.policies = vec![SourceFile { path: "policies/a.cedar".into(), text: policy.into() }];
        let law = draft.law();
        (law.may_permit(action), law.may_permit_to(action, &clock, resource))
    };
    let any = "@id(\"a\") permit(principal, action, resource);";
    assert_eq!(may(any, "order.pay", "Pazar::Order"), (true, true));
    assert_eq!(may(any, "order.pay", "Pazar::Shop"), (true, false), "not of this resource");
    assert_eq!(may(any, "order.view", "Pazar::Order"), (true, false), "not for a clock");
    assert_eq!(may("@id(\"a\") forbid(principal, action, resource);", "order.pay", "Pazar::Order"), (false, false));
    assert_eq!(
        may("@id(\"a\") permit(principal == Pazar::Clock::\"d\", action, resource);", "order.pay", "Pazar::Order"),
        (true, false)
    );
    assert_eq!(
        may(
            "@id(\"a\") permit(principal == Pazar::Clock::\"c\", action, resource is Pazar::Order);",
            "order.pay",
            "Pazar::Order"
        ),
        (true, true)
    );
    let within = |resource: &str| {
        may(&format!("@id(\"a\") permit(principal, action, resource is {resource});"), "order.pay", "Pazar::Order").0
    };
    assert!(within("Pazar::Order in Pazar::Region::\"x\""), "an order may be in a shop, a shop in a region");
    assert!(!within("Pazar::Shop in Pazar::Region::\"x\""), "a shop may be in a region, and is no order");
    assert!(!within("Pazar::Order in Pazar::Role::\"x\""), "no order is in a role");
}

#[test]
fn a_law_s_types_and_actions_are_told_in_words() {
    let mut draft = draft();
    draft.entities.push(EntityShape {
        file: "contracts/color.toml".into(),
        type_name: "Pazar::Region".into(),
        span: 1..2,
        attributes: vec![attribute("tags", Type::Set(Box::new(Type::Long)))],
    });
    draft.expressions = vec![expression("true", Wanted::Bool)];
    let law = draft.law();
    let lines = |of: std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>| -> Vec<String> {
        let line = |(name, fields): (String, std::collections::BTreeMap<String, String>)| {
            let fields: Vec<String> =
                fields.into_iter().filter(|(_, text)| !text.is_empty()).map(|(f, t)| format!("{f} = {t}")).collect();
            format!("{}: {}", name.trim_start_matches("Pazar::"), fields.join("; "))
        };
        of.into_iter().map(line).collect()
    };
    assert_eq!(
        lines(law.entity_types()),
        [
            "Account: attribute blocked = Bool; attribute boss = Pazar::Account?; attribute limit = Long?; in = Pazar::Role",
            "Clock: ",
            "Color: ids = blue, red",
            "Order: attribute buyer = Pazar::Account; attribute due = datetime?; attribute note = String?; attribute state = String; \
             attribute total = Long; in = Pazar::Region, Pazar::Shop",
            "Region: attribute tags = Set<Long>; in = Pazar::Region",
            "Role: in = Pazar::Role",
            "Shop: attribute owner = Pazar::Account; in = Pazar::Region",
        ]
    );
    assert_eq!(
        lines(law.action_words()),
        [
            "Action::\"order\": ",
            "Action::\"order.pay\": context amount = Long; in = Pazar::Action::\"order\"; principals = Pazar::Account, Pazar::Clock; \
             resources = Pazar::Order",
            "Action::\"order.view\": context color = Pazar::Color?; context seen = Set<Pazar::Account>?; context why = String?; \
             in = Pazar::Action::\"order\"; principals = Pazar::Account; resources = Pazar::Order, Pazar::Shop",
        ]
    );
}

#[test]
fn a_directory_gives_all_that_was_put_and_nothing_that_went() {
    let start = made(people(), vec![link("a", "helper", Some("Account::\"ayse\""), None), link("b", "gone", None, None)]);
    let all = |d: &Directory| {
        let entities: BTreeSet<String> = d.entities().map(|e| e.uid.id().to_owned()).collect();
        let links: BTreeSet<String> = d.links().map(|l| l.id.clone()).collect();
        (entities.into_iter().collect::<Vec<_>>().join(" "), links.into_iter().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(all(&start), ("ayse can clerk closed deniz s senior west".into(), "a b".into()));
    let role = entity("Role::\"new\"", Record::new(), &[]);
    let changed = vec![(uid("Account::\"deniz\""), None), (role.uid.clone(), Some(role))];
    let later = start.with(changed, vec![("b".into(), None)]).unwrap();
    assert_eq!(all(&later), ("ayse can clerk closed new s senior west".into(), "a".into()));
    assert_eq!(all(&start), ("ayse can clerk closed deniz s senior west".into(), "a b".into()));
}

#[test]
fn common_types_that_double_or_nest_without_end_are_not_written_out() {
    let codes = |schema: String| {
        let of = |path: &str, text: String| (path.to_owned(), text.into_bytes());
        let files = vec![of("law.toml", "name = \"tiny\"\nnamespace = \"\"\n".to_owned()), of("schema.cedarschema", schema)];
        let faults = hos_core::law::Law::load(files).err().unwrap_or_default();
        faults.iter().map(|fault| fault.code.to_string()).collect::<Vec<_>>()
    };
    // Each line doubles what the one before comes to.
    let doubled: Vec<String> = (1..64).map(|n| format!("type T{n} = {{a: T{m}, b: T{m}}};", m = n - 1)).collect();
    let schema = format!("type T0 = {{a: Long, b: Long}};\n{}\nentity Account {{t?: T63}};\n", doubled.join("\n"));
    assert!(codes(schema).contains(&"law.schema.too_large".to_owned()));
    // Each nests a hundred levels deeper than the one before.
    let (open, close) = ("{a: ".repeat(100), "}".repeat(100));
    let deeper: Vec<String> = (1..8).map(|n| format!("type T{n} = {open}T{}{close};", n - 1)).collect();
    let schema = format!("type T0 = Long;\n{}\nentity Account {{t?: T7}};\n", deeper.join("\n"));
    assert!(codes(schema).contains(&"law.schema.too_large".to_owned()));
    // A type that is in itself is Cedar's to tell.
    let schema = "type A = {b: B}; type B = {a: A};\nentity Account {a?: A};\n".to_owned();
    assert!(codes(schema).contains(&"law.schema.invalid".to_owned()));
}
