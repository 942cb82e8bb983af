//! A law of a marketplace, its people, and calls in which everything can be changed.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test takes what it needs")]

use hos_core::fault::{Fault, Severity, SourceFile};
use hos_core::id::{RecordHash, Uid};
use hos_core::policy::{Bound, Compat, Directory, Entity, Link, PolicyLaw, Request, Ruling, Sources};
use hos_core::refusal::{Blocker, Code};
use hos_core::shape::{ActionShape, Attribute, EntityShape, Expression, Type, Wanted};
use hos_core::value::{Ext, Record, Value};
use std::sync::Arc;

pub const SCHEMA: &str = r#"
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

pub const POLICIES: &str = r#"
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

pub fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

pub fn attribute(name: &str, ty: Type) -> Attribute {
    Attribute { name: name.into(), ty, optional: false, span: 10..14 }
}

pub fn order_shape() -> EntityShape {
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

pub fn pay_shape() -> ActionShape {
    ActionShape {
        file: "contracts/order.toml".into(),
        action: "order.pay".into(),
        span: 20..24,
        resource: "Pazar::Order".into(),
        context: vec![attribute("amount", Type::Long)],
    }
}

pub fn expression(text: &str, wanted: Wanted) -> Expression {
    Expression {
        file: "contracts/order.toml".into(),
        action: "order.pay".into(),
        resource: "Pazar::Order".into(),
        text: text.into(),
        span: 100..100 + text.len(),
        wanted,
    }
}

pub struct Draft {
    pub schema: String,
    pub policies: Vec<SourceFile>,
    pub compat: Compat,
    pub entities: Vec<EntityShape>,
    pub actions: Vec<ActionShape>,
    pub expressions: Vec<Expression>,
}

pub fn draft() -> Draft {
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
    pub fn compile(&self) -> (Option<PolicyLaw>, Vec<Fault>) {
        PolicyLaw::compile(&Sources {
            proven: false,
            schema: &file("schema.cedarschema", &self.schema),
            policies: &self.policies,
            namespace: "Pazar",
            compat: self.compat,
            entities: &self.entities,
            actions: &self.actions,
            expressions: &self.expressions,
        })
    }

    pub fn law(&self) -> Arc<PolicyLaw> {
        let (law, faults) = self.compile();
        Arc::new(law.unwrap_or_else(|| panic!("{}", faults.iter().map(|f| format!("{f}\n")).collect::<String>())))
    }

    /// The codes of the errors of a law that must not load.
    pub fn errors(&self) -> Vec<Fault> {
        let (law, faults) = self.compile();
        assert!(law.is_none(), "{faults:?}");
        faults.into_iter().filter(|f| f.severity == Severity::Error).collect()
    }
}

pub fn codes(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|f| f.code).collect()
}

pub fn uid(text: &str) -> Uid {
    Uid::parse(&format!("Pazar::{text}")).unwrap()
}

pub fn record<const N: usize>(fields: [(&str, Value); N]) -> Record {
    fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

pub fn entity(text: &str, attrs: Record, parents: &[&str]) -> Entity {
    Entity { uid: uid(text), attrs, parents: parents.iter().map(|p| uid(p)).collect(), record: None }
}

pub fn account(text: &str, parents: &[&str]) -> Entity {
    Entity { record: Some(RecordHash([7; 32])), ..entity(text, record([("blocked", false.into())]), parents) }
}

pub fn order(parents: &[&str]) -> Entity {
    let attrs = record([("state", "new".into()), ("total", 100.into()), ("buyer", uid("Account::\"ayse\"").into())]);
    entity("Order::\"o-1\"", attrs, parents)
}

pub fn people() -> Vec<Entity> {
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
pub struct Call {
    pub principal: Uid,
    pub action: Uid,
    pub resource: Uid,
    pub given: Vec<Entity>,
    pub context: Record,
}

pub fn pay(who: &str) -> Call {
    Call {
        principal: uid(&format!("Account::\"{who}\"")),
        action: uid("Action::\"order.pay\""),
        resource: uid("Order::\"o-1\""),
        given: vec![order(&["Shop::\"s\""])],
        context: record([("amount", 100.into())]),
    }
}

pub fn view(who: &str) -> Call {
    Call { action: uid("Action::\"order.view\""), context: Record::new(), ..pay(who) }
}

impl Call {
    pub fn request(&self) -> Request<'_> {
        Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            given: &self.given,
            context: &self.context,
        }
    }

    pub fn on(&self, bound: &Bound) -> Result<Ruling, Blocker> {
        bound.decide(&self.request())
    }

    pub fn refused(&self, bound: &Bound) -> Code {
        let blocker = self.on(bound).expect_err("this must be refused before judging");
        blocker.hos().unwrap()
    }
}

pub fn bound(law: &Arc<PolicyLaw>, people: Vec<Entity>, links: Vec<Link>) -> Bound {
    Bound::new(Arc::clone(law), Arc::new(Directory::new(people, links).unwrap())).unwrap()
}

pub fn pazar() -> Bound {
    bound(&draft().law(), people(), Vec::new())
}

pub fn bound_of(law: &Arc<PolicyLaw>, people: Vec<Entity>) -> Bound {
    bound(law, people, Vec::new())
}

pub fn link(id: &str, template: &str, principal: Option<&str>, resource: Option<&str>) -> Link {
    Link { id: id.into(), template: template.into(), principal: principal.map(uid), resource: resource.map(uid), record: None }
}

pub fn pay_without_amount() -> Call {
    Call { context: Record::new(), ..pay("ayse") }
}
