//! `hos tenant`: whose data a store holds.

use super::answered;
use crate::global::Global;
use crate::out::Done;
use clap::{Args, Subcommand};
use hos_core::id;
use hos_engine::Failure;
use serde_json::json;

/// Tenants.
#[derive(Debug, Args)]
pub(crate) struct Tenant {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Open a new tenant; judged as `tenant.open`
    Open {
        /// Its name: a-z, 0-9 and -, at most 63
        #[arg(value_name = "TENANT")]
        name: String,
    },
    /// List all tenants, the universe included
    List,
}

impl Tenant {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        match &self.verb {
            Verb::Open { name } => {
                let by = global.by(&*engine.law()?)?;
                let answer = engine.open_tenant(&by, &id::Tenant::new(name)?)?;
                answered(engine, &answer, &format!("tenant {name}"), "tenant.open", global)
            }
            Verb::List => {
                let tenants = engine.tenants()?;
                let names: Vec<&str> = tenants.iter().map(id::Tenant::as_str).collect();
                Ok(Done::ok(names.iter().map(|n| format!("{n}\n")).collect::<String>(), json!({ "tenants": names })))
            }
        }
    }
}
