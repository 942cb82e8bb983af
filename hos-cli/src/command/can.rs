//! `hos can`: may this principal do this to that?

use super::answered;
use crate::context::Brought;
use crate::entity::{self, Resource};
use crate::global::Global;
use crate::input;
use crate::out::Done;
use clap::Args;
use hos_core::id::{Name, Uid};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};
use hos_engine::{Failure, TenantRef, call};
use std::collections::BTreeSet;

/// May this principal do this to that?
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hos can order.view order/o-17 --as Account::ayse")]
pub(crate) struct Can {
    /// The action in the law's namespace (`order.view`)
    #[arg(value_name = "ACTION")]
    action: String,
    /// On what: `order/o-17` (an instance, with its facts and state as they are stored), `Shop::kadikoy` or `Pazar::Shop::"kadikoy"`
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// An attribute of the resource, where neither store nor directory holds it
    #[arg(long = "attr", value_name = "NAME=VALUE")]
    attrs: Vec<String>,
    /// A parent of the resource
    #[arg(long = "parent", value_name = "ENTITY")]
    parents: Vec<String>,
    #[command(flatten)]
    brought: Brought,
}

impl Can {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let mut by = global.by_with(&law, &self.brought)?;
        let parents = self.parents.iter().map(|p| entity::uid(p, &law)).collect::<Result<BTreeSet<_>, _>>()?;
        let (resource, declared, standing) = match entity::resource(&self.resource, &law)? {
            Resource::Entity(uid) => (uid, None, None),
            Resource::Instance(of, id) => {
                let standing = stored(&tenant, &of.contract.name, &id)?;
                (Uid::new(&of.contract.entity, id.as_str())?, Some(&of.contract.facts), standing)
            }
        };
        let named = input::values(["--attr", "--attrs"], &self.attrs, None, declared, &law)?;
        let brought_already = by.given.iter().any(|e| e.uid == resource);
        if standing.is_some() && (brought_already || !self.attrs.is_empty() || !self.parents.is_empty()) {
            let message = format!(
                "the store holds `{}`, with its facts and its state: leave out --attr, --parent and a --given of it",
                self.resource
            );
            return Err(Failure::new(Code::CallMalformed, message));
        }
        let says_something = standing.is_some() || !named.is_empty() || !parents.is_empty();
        if says_something && !brought_already {
            let mut attrs = standing.unwrap_or_default();
            attrs.extend(named);
            by.given.push(Entity { uid: resource.clone(), attrs, parents, record: None });
        }
        let answer = tenant.can(&call::Can { by, action: self.action.clone(), resource })?;
        answered(engine, &answer, &self.resource, &self.action, global)
    }
}

// An instance as the law's resource: its facts and its state.
fn stored(tenant: &TenantRef, contract: &Name, id: &hos_core::id::InstanceId) -> Result<Option<Record>, Failure> {
    Ok(tenant.instance(contract, id)?.map(|instance| {
        let mut attrs = instance.facts;
        attrs.insert("state".to_owned(), Value::from(instance.state.as_str()));
        attrs
    }))
}
