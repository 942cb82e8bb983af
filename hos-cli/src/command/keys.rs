//! `hos keys`: seal keys.

use crate::cli::Global;
use crate::out::Done;
use clap::{Args, Subcommand};
use hos_engine::Failure;
use serde_json::json;

/// Seal keys.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the public half for each tenant's log, as a C2SP vkey: keep a copy outside the store
    Show,
}

impl Keys {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        match self.verb {
            Verb::Show => show(global),
        }
    }
}

fn show(global: &Global) -> Result<Done, Failure> {
    let engine = global.engine()?;
    let tenants = engine.tenants()?;
    let keys = tenants.iter().map(|t| Ok((t, engine.vkey(t)?))).collect::<Result<Vec<_>, Failure>>()?;
    let text = keys.iter().map(|(tenant, vkey)| format!("{tenant}  {vkey}\n")).collect::<String>();
    let json = keys.iter().map(|(tenant, vkey)| json!({ "tenant": tenant.as_str(), "vkey": vkey })).collect::<Vec<_>>();
    Ok(Done::ok(text, json!({ "keys": json })))
}
