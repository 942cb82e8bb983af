//! `hos directory`: who is who. Every change is judged by policy and recorded.

use super::answered;
use crate::entity;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use crate::show;
use clap::{Args, Subcommand};
use hos_core::call::Change;
use hos_core::id::OnceKey;
use hos_core::law::Law;
use hos_core::policy::Link;
use hos_engine::{Failure, call};
use hos_wire::value::{entity_json, uid_json};
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// Accounts, roles, memberships and grants.
///
/// Accounts live in the tenant `universe`.
#[derive(Debug, Args)]
pub(crate) struct Directory {
    #[command(subcommand)]
    verb: Verb,
    /// The idempotency key of a change
    #[arg(long, value_name = "KEY", global = true)]
    once: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an entity, or give it other attributes
    Put {
        /// Who or what
        #[arg(value_name = "ENTITY")]
        uid: String,
        /// An attribute
        #[arg(long = "attr", value_name = "NAME=VALUE")]
        attrs: Vec<String>,
        /// All attributes as a JSON object, `@FILE` or `-`
        #[arg(long = "attrs", value_name = "JSON", id = "attrs_json")]
        object: Option<String>,
    },
    /// Take an entity away
    Remove {
        /// Who or what
        #[arg(value_name = "ENTITY")]
        uid: String,
    },
    /// Make an entity a member of a role or group
    Join {
        /// Who
        #[arg(value_name = "ENTITY")]
        uid: String,
        /// Of what
        #[arg(value_name = "PARENT")]
        parent: String,
    },
    /// End a membership
    Leave {
        /// Who
        #[arg(value_name = "ENTITY")]
        uid: String,
        /// Of what
        #[arg(value_name = "PARENT")]
        parent: String,
    },
    /// Link a template of the law
    Grant {
        /// The grant's id, unique in the tenant
        #[arg(value_name = "ID")]
        id: String,
        /// The template
        #[arg(value_name = "TEMPLATE")]
        template: String,
        /// Fills `?principal`
        #[arg(long, value_name = "ENTITY")]
        principal: Option<String>,
        /// Fills `?resource`
        #[arg(long, value_name = "ENTITY")]
        resource: Option<String>,
    },
    /// End a grant
    Revoke {
        /// The grant
        #[arg(value_name = "ID")]
        id: String,
    },
    /// List entities and grants of the tenant and the universe
    List,
}

impl Directory {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let Some((word, subject, change)) = self.change(&law)? else {
            let (entities, links) = tenant.directory_entities()?;
            let json = json!({
                "entities": entities.iter().map(entity_json).collect::<Vec<_>>(),
                "grants": links.iter().map(link_json).collect::<Vec<_>>(),
            });
            let mut text = String::new();
            for e in &entities {
                let parents: Vec<String> = e.parents.iter().map(ToString::to_string).collect();
                let within = if parents.is_empty() { String::new() } else { format!("  in {}", parents.join(", ")) };
                let _ = writeln!(text, "{}  {}{within}", e.uid, show::record(&e.attrs));
            }
            text.extend(links.iter().map(link_line));
            return Ok(Done::ok(text, json));
        };
        let once = self.once.as_ref().map(OnceKey::new).transpose()?;
        let answer = tenant.directory(call::Directory { by: global.by(&law)?, change, once })?;
        answered(engine, &answer, &subject, word, global)
    }

    // The change, what it is called, and whom it concerns; `None` for a listing.
    fn change(&self, law: &Law) -> Result<Option<(&'static str, String, Change)>, Failure> {
        let uid = |text: &String| entity::uid(text, law);
        let filled = |text: &Option<String>| text.as_ref().map(uid).transpose();
        Ok(Some(match &self.verb {
            Verb::Put { uid: who, attrs, object } => {
                let attrs = input::values(["--attr", "--attrs"], attrs, object.as_ref(), None, law)?;
                ("put", who.clone(), Change::Put { uid: uid(who)?, attrs })
            }
            Verb::Remove { uid: who } => ("remove", who.clone(), Change::Remove { uid: uid(who)? }),
            Verb::Join { uid: who, parent } => {
                ("join", format!("{who} in {parent}"), Change::Join { uid: uid(who)?, parent: uid(parent)? })
            }
            Verb::Leave { uid: who, parent } => {
                ("leave", format!("{who} in {parent}"), Change::Leave { uid: uid(who)?, parent: uid(parent)? })
            }
            Verb::Grant { id, template, principal, resource } => {
                let (principal, resource) = (filled(principal)?, filled(resource)?);
                ("grant", id.clone(), Change::Grant { id: id.clone(), template: template.clone(), principal, resource })
            }
            Verb::Revoke { id } => ("revoke", id.clone(), Change::Revoke { id: id.clone() }),
            Verb::List => return Ok(None),
        }))
    }
}

fn link_json(link: &Link) -> Json {
    let mut json = json!({ "id": link.id, "template": link.template });
    for (name, slot) in [("principal", &link.principal), ("resource", &link.resource)] {
        if let Some(uid) = slot {
            json[name] = uid_json(uid);
        }
    }
    json
}

fn link_line(link: &Link) -> String {
    let slot = |name: &str, uid: &Option<hos_core::id::Uid>| uid.as_ref().map_or(String::new(), |u| format!("  {name} {u}"));
    let slots = format!("{}{}", slot("principal", &link.principal), slot("resource", &link.resource));
    format!("grant {}  {}{slots}\n", show::inert(&link.id), show::inert(&link.template))
}
