//! A law of any number of policies, of which five concern the request that is measured.

use crate::Result;
use hos_core::id::Uid;
use hos_core::law::Law;
use hos_core::policy::Entity;
use hos_core::value::{Record, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The schema, as plain Cedar.
pub(crate) const SCHEMA: &str = r#"namespace B {
  entity User in [Group] = { active: Bool };
  entity Group;
  entity Clock;
  entity Gate;
  entity Folder;
  entity Doc in [Folder] = { owner: User, public: Bool };
  action "v", "e" appliesTo { principal: [User], resource: [Doc], context: { level: Long } };
}
"#;

/// Five policies that concern the request: one by group, one by uid, one by folder, one by nothing, one forbid.
const CONCERNED: &str = r#"
@id("staff") permit (principal in B::Group::"staff", action == B::Action::"v", resource) when { resource.public };
@id("ayse") permit (principal == B::User::"ayse", action in [B::Action::"v", B::Action::"e"], resource in B::Folder::"f0")
  when { principal.active && context.level >= 1 };
@id("folder") permit (principal, action == B::Action::"v", resource in B::Folder::"f0") when { resource.owner == principal };
@id("inactive") forbid (principal is B::User, action, resource) unless { principal.active };
@id("locked") forbid (principal, action == B::Action::"v", resource == B::Doc::"d0") when { context.level < 0 };
"#;

/// How large one file of policies becomes, in bytes; a law's file may have twice as many.
const FILE_BYTES: usize = 512 * 1024;

/// The policies, as plain Cedar: five and as many others as it takes. The others are terse, for 100,000 of them must fit into
/// what a law may hold in all; what stands in a condition that no request reaches costs neither side anything.
pub(crate) fn policies(count: usize) -> String {
    let mut text = String::from(CONCERNED);
    for i in 5..count {
        let action = if i % 2 == 0 { "v" } else { "e" };
        let _ = writeln!(text, "@id(\"p{i}\")permit(principal==B::User::\"u{i}\",action==B::Action::\"{action}\",resource);");
    }
    text
}

/// The same as a law, in as many files as it takes.
pub(crate) fn law(policies: &str) -> Result<Law> {
    let mut files = vec![
        ("law.toml".to_owned(), b"name = \"bench\"\nnamespace = \"B\"\n".to_vec()),
        ("schema.cedarschema".to_owned(), SCHEMA.as_bytes().to_vec()),
    ];
    let mut rest = policies;
    while !rest.is_empty() {
        let near = rest.char_indices().map(|(at, _)| at).take_while(|at| *at <= FILE_BYTES).last().unwrap_or(0);
        let whole = rest.len() <= FILE_BYTES;
        let cut = if whole { rest.len() } else { rest[..near].rfind("\n@id").map_or(rest.len(), |at| at + 1) };
        files.push((format!("policies/p{:04}.cedar", files.len()), rest.as_bytes()[..cut].to_vec()));
        rest = &rest[cut..];
    }
    Law::load(files).map_err(|faults| faults.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("\n").into())
}

/// An identity of this law.
pub(crate) fn uid(kind: &str, id: &str) -> Result<Uid> {
    Ok(Uid::new(format!("B::{kind}"), id)?)
}

/// An entity of this law.
pub(crate) fn entity(uid: Uid, attrs: &[(&str, Value)], parents: &[Uid]) -> Entity {
    let attrs: Record = attrs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Entity { uid, attrs, parents: parents.iter().cloned().collect::<BTreeSet<_>>(), record: None }
}
