//! A small store to call: lamps, whose owners switch them on and off.

use hos_core::call::By;
use hos_core::id::{Tenant, Uid};
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use hos_engine::{Engine, Founding};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = r#"namespace S {
  entity Account in [Role] = { active: Bool };
  entity Role;
  entity Clock;
  entity Gate;
  entity Lamp = { owner: Account, state: String };
  action "lamp.make", "lamp.on", "lamp.off", "lamp.see" appliesTo {
    principal: [Account], resource: [Lamp], context: { room?: String }
  };
  action "tenant.open" appliesTo { principal: [Account], resource: [Gate] };
}
"#;

const POLICIES: &str = r#"
@id("owner") permit (principal, action, resource is S::Lamp) when { principal == resource.owner };
@id("operator") permit (principal in S::Role::"operator", action == S::Action::"tenant.open", resource);
@id("cellar") forbid (principal, action == S::Action::"lamp.see", resource) when { context has room && context.room == "cellar" };
"#;

const CONTRACT: &str = r#"
contract     = "lamp"
version      = 1
entity       = "S::Lamp"
data_subject = "facts.owner"
states       = ["off", "on"]
forever      = ["off", "on"]

[facts]
owner = "Account"

[begin.make]
to     = "off"
action = "lamp.make"

[event.on]
from   = ["off"]
to     = "on"
action = "lamp.on"

[event.off]
from   = ["on"]
to     = "off"
action = "lamp.off"
"#;

/// Makes a store at this path: the tenant `lamps`, whose founder is `S::Account::"ayse"`.
pub(crate) fn found(path: &Path) {
    let files = [
        ("law.toml", "name = \"lamps\"\nnamespace = \"S\"\npersons = [\"Account\"]\n"),
        ("schema.cedarschema", SCHEMA),
        ("policies/all.cedar", POLICIES),
        ("contracts/lamp.toml", CONTRACT),
    ];
    let law = Law::load(files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).to_vec()).expect("a law");
    let role = Uid::new("S::Role", "operator").unwrap();
    let ayse = Uid::new("S::Account", "ayse").unwrap();
    let entity = |uid: Uid, attrs: Record, parents: BTreeSet<Uid>| Entity { uid, attrs, parents, record: None };
    let founder = entity(ayse.clone(), Record::from([("active".to_owned(), Value::Bool(true))]), [role.clone()].into());
    let founding = Founding { founder, roles: vec![entity(role, Record::new(), BTreeSet::new())] };
    let engine = Engine::builder().law(Arc::new(law)).sqlite(path).found(founding).unwrap();
    assert!(engine.open_tenant(&By::new(ayse), &Tenant::new("lamps").unwrap()).unwrap().allowed);
    engine.close().unwrap();
}
