//! `hos keys`: seal keys.

use crate::global::Global;
use crate::out::Done;
use crate::show;
use clap::{Args, Subcommand};
use hos_engine::Failure;
use hos_engine::clock::SystemEntropy;
use hos_engine::keys::make_seal_key;
use serde_json::json;
use std::path::{Path, PathBuf};

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
    /// Make a new seal key's file, readable by its owner alone; an existing file is never replaced
    Generate {
        /// The file
        #[arg(value_name = "FILE")]
        path: PathBuf,
    },
}

impl Keys {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        match &self.verb {
            Verb::Show => vkeys(global),
            Verb::Generate { path } => generate(path),
        }
    }
}

fn generate(path: &Path) -> Result<Done, Failure> {
    let key = make_seal_key(path, &SystemEntropy)?;
    let public: String = key.verify_key().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let name = show::inert(&path.to_string_lossy());
    Ok(Done::ok(
        format!(
            "made     {name}
public   {public}"
        ),
        json!({ "key_file": name, "public": public }),
    ))
}

fn vkeys(global: &Global) -> Result<Done, Failure> {
    let engine = global.engine()?;
    let tenants = engine.tenants()?;
    let keys = tenants.iter().map(|t| Ok((t, engine.vkey(t)?))).collect::<Result<Vec<_>, Failure>>()?;
    let text = keys.iter().map(|(tenant, vkey)| format!("{tenant}  {vkey}\n")).collect::<String>();
    let json = keys.iter().map(|(tenant, vkey)| json!({ "tenant": tenant.as_str(), "vkey": vkey })).collect::<Vec<_>>();
    Ok(Done::ok(text, json!({ "keys": json })))
}
