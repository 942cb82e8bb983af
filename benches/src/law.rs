//! A law of any number of policies, of which five concern the request that is measured.

use crate::Result;
use hos_core::id::Uid;
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The schema, as plain Cedar.
pub const SCHEMA: &str = r#"namespace B {
  entity Account in [Group] = { active: Bool };
  entity Group;
  entity Clock;
  entity Gate;
  entity Folder;
  entity Doc in [Folder] = { owner: Account, public: Bool };
  action "view", "edit" appliesTo { principal: [Account], resource: [Doc], context: { level: Long } };
}
"#;

/// Five policies that concern the request: one by group, one by uid, one by folder, one by nothing, one forbid.
const CONCERNED: &str = r#"
@id("staff") permit (principal in B::Group::"staff", action == B::Action::"view", resource) when { resource.public };
@id("ayse") permit (principal == B::Account::"ayse", action in [B::Action::"view", B::Action::"edit"], resource in B::Folder::"f0")
  when { principal.active && context.level >= 1 };
@id("folder") permit (principal, action == B::Action::"view", resource in B::Folder::"f0") when { resource.owner == principal };
@id("inactive") forbid (principal is B::Account, action, resource) unless { principal.active };
@id("locked") forbid (principal, action == B::Action::"view", resource == B::Doc::"d0") when { context.level < 0 };
"#;

/// The policies, as plain Cedar: five and as many others as it takes.
pub fn policies(count: usize) -> String {
    let mut text = String::from(CONCERNED);
    for i in 5..count {
        let folder = i % 1_000 + 1;
        let level = i % 10;
        let action = if i % 2 == 0 { "view" } else { "edit" };
        let _ = writeln!(
            text,
            "@id(\"p{i}\") permit (principal == B::Account::\"u{i}\", action == B::Action::\"{action}\", resource in B::Folder::\"f{folder}\") \
             when {{ resource.owner == principal || context.level > {level} }};"
        );
    }
    text
}

/// The same as a law.
pub fn law(policies: &str) -> Result<Law> {
    let files =
        [("law.toml", "name = \"bench\"\nnamespace = \"B\"\n"), ("schema.cedarschema", SCHEMA), ("policies/all.cedar", policies)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).to_vec();
    Law::load(files).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").into())
}

/// An identity of this law.
pub fn uid(kind: &str, id: &str) -> Result<Uid> {
    Ok(Uid::new(format!("B::{kind}"), id)?)
}

/// An entity of this law.
pub fn entity(uid: Uid, attrs: &[(&str, Value)], parents: &[Uid]) -> Entity {
    let attrs: Record = attrs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Entity { uid, attrs, parents: parents.iter().cloned().collect::<BTreeSet<_>>(), record: None }
}
