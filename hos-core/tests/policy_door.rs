//! The policy door as a law and a directory meet it: what is absent, what is forbidden, who may what.

use hos_core::fault::{Fault, Severity, SourceFile};
use hos_core::id::{RecordHash, Uid};
use hos_core::policy::{Bound, Compat, Directory, Effect, Entity, Link, PolicyLaw, Request, Ruling, Sources};
use hos_core::refusal::{Blocker, Code};
use hos_core::shape::{ActionShape, Attribute, EntityShape, Expression, ExpressionId, Type, Wanted};
use hos_core::time::Timestamp;
use hos_core::value::{Ext, Record, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

const SCHEMA: &str = r#"
namespace Pazar {
  entity Role in [Role];
  entity Account in [Role] = { blocked: Bool, limit?: Long, boss?: Account };
  entity Clock;
  entity Shop in [Region] = { owner: Account };
  entity Region in [Region];
  entity Color enum ["red", "blue"];
  entity Order in [Shop] = { note?: String };
  action "order" ;
  action "order.pay" in ["order"] appliesTo { principal: [Account, Clock], resource: [Order], context: {} };
  action "order.view" in ["order"] appliesTo { principal: [Account], resource: [Order, Shop], context: { why?: String, color?: Color, seen?: Set<Account> } };
}
"#;

const POLICIES: &str = r#"
@id("buyer") permit(principal, action == Pazar::Action::"order.pay", resource) when { resource.buyer == principal };
@id("clerks") permit(principal in Pazar::Role::"clerk", action in Pazar::Action::"order", resource);
@id("blocked") forbid(principal is Pazar::Account, action, resource) when { principal.blocked };
@id("over") forbid(principal is Pazar::Account, action == Pazar::Action::"order.pay", resource)
  when { principal has limit && context.amount * 2 > principal.limit };
@id("closed-region") forbid(principal, action, resource in Pazar::Region::"closed");
@id("viewer") permit(principal == ?principal, action == Pazar::Action::"order.view", resource in ?resource);
@id("helper") permit(principal in ?principal, action == Pazar::Action::"order.view", resource is Pazar::Order);
@id("clock") permit(principal is Pazar::Clock, action, resource);
"#;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

fn attribute(name: &str, ty: Type) -> Attribute {
    Attribute { name: name.into(), ty, optional: false, span: 10..14 }
}

fn order_shape() -> EntityShape {
    EntityShape {
        file: "contracts/order.toml".into(),
        type_name: "Pazar::Order".into(),
        span: 1..5,
        attributes: vec![
            attribute("state", Type::String),
            attribute("total", Type::Long),
            attribute("buyer", Type::Entity("Pazar::Account".into())),
            Attribute { optional: true, ..attribute("due", Type::Ext(Ext::Datetime)) },
        ],
    }
}

fn pay_shape() -> ActionShape {
    ActionShape {
        file: "contracts/order.toml".into(),
        action: "order.pay".into(),
        span: 20..24,
        resource: "Pazar::Order".into(),
        context: vec![attribute("amount", Type::Long)],
    }
}

fn expression(text: &str, wanted: Wanted) -> Expression {
    Expression {
        file: "contracts/order.toml".into(),
        action: "order.pay".into(),
        resource: "Pazar::Order".into(),
        text: text.into(),
        span: 100..100 + text.len(),
        wanted,
    }
}

struct Draft {
    schema: String,
    policies: Vec<SourceFile>,
    compat: Compat,
    entities: Vec<EntityShape>,
    actions: Vec<ActionShape>,
    expressions: Vec<Expression>,
}

fn draft() -> Draft {
    Draft {
        schema: SCHEMA.into(),
        policies: vec![file("policies/all.cedar", POLICIES)],
        compat: Compat::Strict,
        entities: vec![order_shape()],
        actions: vec![pay_shape()],
        expressions: vec![
            expression("context.amount >= resource.total", Wanted::Bool),
            expression("if resource has due then resource.due else datetime(\"2015-01-01\")", Wanted::Instant),
            expression("datetime(\"2015-07-01T00:00:00Z\").offset(duration(\"1h\"))", Wanted::Instant),
            expression("context.amount * 9223372036854775807 > 0", Wanted::Bool),
            expression("Pazar::Account::\"deniz\".blocked || action in Pazar::Action::\"order\"", Wanted::Bool),
            expression("Pazar::Account::\"deniz\".blocked", Wanted::Bool),
        ],
    }
}

impl Draft {
    fn compile(&self) -> (Option<PolicyLaw>, Vec<Fault>) {
        PolicyLaw::compile(&Sources {
            schema: &file("schema.cedarschema", &self.schema),
            policies: &self.policies,
            namespace: "Pazar",
            compat: self.compat,
            entities: &self.entities,
            actions: &self.actions,
            expressions: &self.expressions,
        })
    }

    fn law(&self) -> Arc<PolicyLaw> {
        let (law, faults) = self.compile();
        Arc::new(law.unwrap_or_else(|| panic!("{}", faults.iter().map(|f| format!("{f}\n")).collect::<String>())))
    }

    /// The codes of the errors of a law that must not load.
    fn errors(&self) -> Vec<Fault> {
        let (law, faults) = self.compile();
        assert!(law.is_none(), "{faults:?}");
        faults.into_iter().filter(|f| f.severity == Severity::Error).collect()
    }
}

fn codes(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|f| f.code).collect()
}

fn uid(text: &str) -> Uid {
    Uid::parse(&format!("Pazar::{text}")).unwrap()
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Record {
    fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

fn entity(text: &str, attrs: Record, parents: &[&str]) -> Entity {
    Entity { uid: uid(text), attrs, parents: parents.iter().map(|p| uid(p)).collect(), record: None }
}

fn account(text: &str, parents: &[&str]) -> Entity {
    Entity { record: Some(RecordHash([7; 32])), ..entity(text, record([("blocked", false.into())]), parents) }
}

fn order(parents: &[&str]) -> Entity {
    let attrs = record([("state", "new".into()), ("total", 100.into()), ("buyer", uid("Account::\"ayse\"").into())]);
    entity("Order::\"o-1\"", attrs, parents)
}

fn people() -> Vec<Entity> {
    vec![
        account("Account::\"ayse\"", &[]),
        account("Account::\"can\"", &["Role::\"senior\""]),
        account("Account::\"deniz\"", &[]),
        entity("Role::\"senior\"", Record::new(), &["Role::\"clerk\""]),
        entity("Role::\"clerk\"", Record::new(), &[]),
        entity("Shop::\"s\"", record([("owner", uid("Account::\"can\"").into())]), &["Region::\"west\""]),
        entity("Region::\"west\"", Record::new(), &[]),
        entity("Region::\"closed\"", Record::new(), &[]),
    ]
}

/// A call, with everything in it changeable.
#[derive(Clone)]
struct Call {
    principal: Uid,
    action: Uid,
    resource: Uid,
    given: Vec<Entity>,
    context: Record,
}

fn pay(who: &str) -> Call {
    Call {
        principal: uid(&format!("Account::\"{who}\"")),
        action: uid("Action::\"order.pay\""),
        resource: uid("Order::\"o-1\""),
        given: vec![order(&["Shop::\"s\""])],
        context: record([("amount", 100.into())]),
    }
}

fn view(who: &str) -> Call {
    Call { action: uid("Action::\"order.view\""), context: Record::new(), ..pay(who) }
}

impl Call {
    fn request(&self) -> Request<'_> {
        Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            given: &self.given,
            context: &self.context,
        }
    }

    fn on(&self, bound: &Bound) -> Result<Ruling, Blocker> {
        bound.decide(&self.request())
    }

    fn refused(&self, bound: &Bound) -> Code {
        let blocker = self.on(bound).expect_err("this must be refused before judging");
        blocker.hos().unwrap()
    }
}

fn bound(law: &Arc<PolicyLaw>, people: Vec<Entity>, links: Vec<Link>) -> Bound {
    Bound::new(Arc::clone(law), Arc::new(Directory::new(people, links).unwrap())).unwrap()
}

fn pazar() -> Bound {
    bound(&draft().law(), people(), Vec::new())
}

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

fn bound_of(law: &Arc<PolicyLaw>, people: Vec<Entity>) -> Bound {
    bound(law, people, Vec::new())
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

fn pay_without_amount() -> Call {
    Call { context: Record::new(), ..pay("ayse") }
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
fn stored_entities_must_fit_the_law_as_well() {
    let mut people = people();
    people[0].attrs.remove("blocked");
    let bound = bound(&draft().law(), people, Vec::new());
    assert_eq!(pay("ayse").refused(&bound), Code::AttributeMissing);
    assert_eq!(pay("ayse").refused(&bound), Code::AttributeMissing, "twice: a misfit is not remembered as a fit");
    assert!(view("can").on(&bound).is_err(), "the order names ayse");
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

fn link(id: &str, template: &str, principal: Option<&str>, resource: Option<&str>) -> Link {
    Link { id: id.into(), template: template.into(), principal: principal.map(uid), resource: resource.map(uid), record: None }
}

#[test]
fn links_hold_while_they_stand() {
    let law = draft().law();
    let start = Directory::new(people(), vec![link("l1", "viewer", Some("Account::\"deniz\""), Some("Shop::\"s\""))]).unwrap();
    let said = |directory: &Directory, who: &str| {
        let bound = Bound::new(Arc::clone(&law), Arc::new(directory.clone())).unwrap();
        view(who).on(&bound).unwrap().determining
    };
    assert_eq!(said(&start, "deniz"), ["l1"]);
    assert!(said(&start, "ayse").is_empty());
    let put = |d: &Directory, l: Link| d.with(vec![], vec![(l.id.clone(), Some(l))]).unwrap();
    let more = put(&start, link("l2", "helper", Some("Role::\"clerk\""), None));
    assert_eq!(said(&more, "can"), ["clerks", "l2"]);
    let same = put(&more, link("l3", "viewer", Some("Account::\"deniz\""), Some("Region::\"west\"")));
    assert_eq!(said(&same, "deniz"), ["l1", "l3"]);
    let moved = put(&same, link("l1", "viewer", Some("Account::\"ayse\""), Some("Order::\"o-1\"")));
    assert_eq!((said(&moved, "deniz"), said(&moved, "ayse")), (vec!["l3".to_owned()], vec!["l1".to_owned()]));
    let gone = moved.with(vec![], vec![("l1".into(), None), ("l3".into(), None)]).unwrap();
    assert!(said(&gone, "deniz").is_empty() && said(&gone, "ayse").is_empty());
    assert_eq!(said(&same, "deniz"), ["l1", "l3"], "an older version stays as it was");
    assert!(gone.link("l1").is_none() && gone.link("l2").is_some());
    let call = view("deniz");
    let under = Bound::new(Arc::clone(&law), Arc::new(same)).unwrap();
    let request = call.request();
    let prepared = under.prepare(&request).unwrap();
    assert_eq!(prepared.links().iter().map(|l| l.id.as_str()).collect::<Vec<_>>(), ["l1", "l3"]);
}

#[test]
fn links_without_their_template_hold_for_nobody_and_are_told() {
    let links = vec![
        link("a", "gone", Some("Account::\"ayse\""), None),
        link("b", "viewer", Some("Account::\"ayse\""), None),
        link("c", "helper", Some("Account::\"ayse\""), Some("Shop::\"s\"")),
        link("d", "helper", Some("Account::\"ayse\""), None),
        link("e", "buyer", None, None),
    ];
    let bound = bound(&draft().law(), people(), links);
    assert_eq!(bound.orphans(), ["a", "b", "c", "e"]);
    assert_eq!(view("ayse").on(&bound).unwrap().determining, ["d"]);
}

#[test]
fn a_directory_follows_every_change() {
    let law = draft().law();
    let start = Directory::new(people(), vec![]).unwrap();
    let may = |d: &Directory| {
        let bound = Bound::new(Arc::clone(&law), Arc::new(d.clone())).unwrap();
        view("can").on(&bound).map(|r| r.effect)
    };
    let senior = uid("Role::\"senior\"");
    assert_eq!(may(&start), Ok(Effect::Allow));
    // The role two steps above loses its own parent; then gains it back; then goes altogether.
    let cut = start.with(vec![(senior.clone(), Some(entity("Role::\"senior\"", Record::new(), &[])))], vec![]).unwrap();
    assert_eq!(may(&cut), Ok(Effect::NotPermitted));
    let back = cut.with(vec![(senior.clone(), start.get(&senior).cloned())], vec![]).unwrap();
    assert_eq!(may(&back), Ok(Effect::Allow));
    let gone = back.with(vec![(senior.clone(), None)], vec![]).unwrap();
    assert_eq!(may(&gone), Ok(Effect::NotPermitted));
    assert_eq!(gone.get(&senior), None);
    let fired = back.with(vec![(uid("Account::\"can\""), None)], vec![]).unwrap();
    assert_eq!(may(&fired).unwrap_err().hos(), Some(Code::PrincipalUnknown));
    assert_eq!(may(&start), Ok(Effect::Allow), "the first version stays as it was");
}

#[test]
fn hierarchies_from_outside_are_bounded() {
    let role = |n: usize| format!("Role::\"{n}\"");
    let chain = |n: usize| -> Vec<Entity> { (0..n).map(|i| entity(&role(i), Record::new(), &[&role(i + 1)])).collect() };
    let refused = |e: Result<Directory, Blocker>| e.err().and_then(|b| b.hos());
    assert_eq!(refused(Directory::new(chain(100_000), vec![])), Some(Code::HierarchyInvalid));
    assert!(Directory::new(chain(64), vec![]).is_ok());
    assert_eq!(refused(Directory::new(chain(65), vec![])), Some(Code::HierarchyInvalid));
    let mut ring = chain(100_000);
    ring[99_999].parents = [uid(&role(0))].into();
    let told = Directory::new(ring, vec![]).unwrap_err().detail;
    assert!(told.contains("cycle") && told.len() < 500, "{told}");
    let told =
        Directory::new(vec![entity(&role(1), Record::new(), &[&role(2)]), entity(&role(2), Record::new(), &[&role(1)])], vec![]);
    assert_eq!(
        told.unwrap_err().detail,
        "the hierarchy has a cycle: Pazar::Role::\"1\" in Pazar::Role::\"2\" in Pazar::Role::\"1\""
    );
    let own = Directory::new(vec![entity(&role(1), Record::new(), &[&role(1)])], vec![]);
    assert_eq!(refused(own), Some(Code::HierarchyInvalid));
    let wide = Entity { parents: (0..5_000).map(|n| uid(&role(n))).collect(), ..entity("Role::\"w\"", Record::new(), &[]) };
    assert_eq!(refused(Directory::new(vec![wide], vec![])), Some(Code::HierarchyInvalid));
    // A later change may close a ring as well.
    let line = Directory::new(chain(3), vec![]).unwrap();
    let closing = entity(&role(3), Record::new(), &[&role(0)]);
    assert_eq!(refused(line.with(vec![(closing.uid.clone(), Some(closing))], vec![])), Some(Code::HierarchyInvalid));
    let twice = vec![entity(&role(1), Record::new(), &[]), entity(&role(1), Record::new(), &[])];
    assert_eq!(refused(Directory::new(twice, vec![])), Some(Code::DirectoryConflict));
    // And so may a call.
    let bound = pazar();
    let region = |n: usize| format!("Region::\"r{n}\"");
    let regions = |n: usize| (0..n).map(|i| entity(&region(i), Record::new(), &[&region(i + 1)]));
    let mut call = view("ayse");
    call.given.extend(regions(3));
    call.given.push(entity(&region(3), Record::new(), &[&region(1)]));
    assert_eq!(call.refused(&bound), Code::HierarchyInvalid);
    let mut call = view("ayse");
    call.given.extend(regions(900));
    call.given.push(entity(&region(900), Record::new(), &[]));
    assert_eq!(call.refused(&bound), Code::HierarchyInvalid);
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
    assert_eq!(errors(&|d| d.schema = with("note?: String", "note: String")), ("law.schema.conflict", 1..5));
    assert_eq!(errors(&|d| d.schema = with("context: {} ", "context: { amount: String } ")), ("law.schema.conflict", 10..14));
    assert_eq!(errors(&|d| d.schema = with("context: {} ", "context: { more: String } ")), ("law.schema.conflict", 20..24));
    assert_eq!(errors(&|d| d.entities.push(order_shape())), ("law.schema.two_owners", 1..5));
    assert_eq!(errors(&|d| d.entities[0].type_name = "Pazar::Color".into()), ("law.schema.conflict", 1..5));
    assert_eq!(errors(&|d| d.actions[0].resource = "Pazar::Shop".into()), ("law.schema.action_resource", 20..24));
    let unknown = Attribute { span: 30..33, ..attribute("who", Type::Set(Box::new(Type::Entity("Pazar::Acount".into())))) };
    assert_eq!(errors(&|d| d.entities[0].attributes.push(unknown.clone())), ("law.schema.unknown_entity_type", 30..33));
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

/// Not a test of time: prints how long a decision takes as the law and the directory grow. Run it alone, in release.
#[test]
#[ignore = "prints times, asserts none"]
fn how_long_a_decision_takes() {
    for policies in [20usize, 1_000, 100_000] {
        let mut text = String::new();
        // Five concern the request, the rest other people and other shops.
        for i in 0..5 {
            let line = "permit(principal in Pazar::Role::\"clerk\", action == Pazar::Action::\"order.pay\", resource) when";
            text.push_str(&format!("@id(\"p{i}\") {line} {{ resource.total >= {i} && context.amount > {i} }};\n"));
        }
        for i in 5..policies {
            let (who, what) = (format!("Pazar::Account::\"u{i}\""), format!("Pazar::Shop::\"s{i}\""));
            text.push_str(&format!(
                "@id(\"p{i}\") permit(principal == {who}, action, resource in {what}) when {{ context.amount > 1 }};\n"
            ));
        }
        let text = text.replace(", action, ", ", action == Pazar::Action::\"order.pay\", ");
        let start = std::time::Instant::now();
        let law = Draft { policies: vec![file("policies/a.cedar", &text)], ..draft() }.law();
        let compiled = start.elapsed();
        for links in [0usize, 100_000] {
            let mut all = people();
            all.extend((0..links).map(|n| account(&format!("Account::\"n{n}\""), &["Role::\"clerk\""])));
            let links: Vec<Link> = (0..links)
                .map(|n| link(&format!("l{n}"), "viewer", Some(&format!("Account::\"n{n}\"")), Some("Shop::\"s\"")))
                .collect();
            let start = std::time::Instant::now();
            let directory = Directory::new(all, links).unwrap();
            let built = start.elapsed();
            let start = std::time::Instant::now();
            let directory = directory
                .with(vec![(uid("Account::\"new\""), Some(account("Account::\"new\"", &["Role::\"clerk\""])))], vec![])
                .unwrap();
            let changed = start.elapsed();
            let bound = Bound::new(Arc::clone(&law), Arc::new(directory)).unwrap();
            let call = pay("can");
            let request = call.request();
            assert_eq!(bound.decide(&request).unwrap().determining.len(), 5);
            // Short stretches, the best of many: others use this machine too.
            const ROUNDS: u32 = 100;
            let mut best = f64::MAX;
            for _ in 0..2_000 {
                let start = std::time::Instant::now();
                for _ in 0..ROUNDS {
                    std::hint::black_box(bound.decide(std::hint::black_box(&request)).unwrap());
                }
                best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS));
            }
            println!(
                "{policies} policies (compiled in {compiled:.0?}), {} entities (built in {built:.0?}, one changed in {changed:.0?}): {best:.2} us",
                bound.directory().entities().count()
            );
        }
    }
}
