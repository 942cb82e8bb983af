//! `hos keys`: seal keys.

use super::export::is_free;
use crate::global::Global;
use crate::out::Done;
use crate::show;
use crate::usage::usage;
use clap::{Args, Subcommand};
use hos_core::id::{Tenant, TreeHash};
use hos_core::proof::checkpoint::NoteKey;
use hos_core::proof::key::VerifyKey;
use hos_core::refusal::Code;
use hos_engine::clock::SystemEntropy;
use hos_engine::keys::{make_seal_key, read_seal_key, settle_seal_key};
use hos_engine::ports::Signer;
use hos_engine::signer::{CommandLine, FileSigner, PATIENCE, Remote, SocketLine};
use hos_engine::{Engine, Failure};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// Have another key seal the store from here on: a record under the old key, one under the new, and all logs' ranges closed.
    /// Run again with the same key, it finishes a change that was cut short
    #[command(after_help = "\
Example:
  hos keys generate new.key
  hos keys rotate --new-key new.key

The key in force vouches for the change: give it as always. From then on give the new one: name it with --key-file, or put it in the old
file's place; where a signer holds the key, have it sign with the new one.")]
    Rotate {
        /// The new key's file (`hos keys generate`)
        #[arg(long, value_name = "FILE", required_unless_present_any = ["new_signer_socket", "new_signer_command"])]
        new_key: Option<PathBuf>,
        /// Or the socket of an agent that has the new key
        #[arg(long, value_name = "PATH", conflicts_with = "new_key")]
        new_signer_socket: Option<PathBuf>,
        /// Or a program that signs with the new key
        #[arg(long, value_name = "WORDS", conflicts_with_all = ["new_key", "new_signer_socket"])]
        new_signer_command: Option<String>,
    },
    /// Take back a change of key that has begun and that the old key has not vouched for: one that is not yours, or whose new key is lost
    Withdraw {
        /// Why, without personal data
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say that signatures of a key that was replaced are worthless from a size on
    #[command(after_help = "\
Example:
  hos keys revoke 64-DIGITS --from-size pazar-tr=4200 --from-size universe=310 --reason \"the old key was copied\"

`hos keys list` shows the keys, and which sizes each has signed.")]
    Revoke {
        /// The key: 64 hexadecimal digits, or a vkey
        #[arg(value_name = "KEY")]
        key: String,
        /// From which size on: `TENANT=N`, or `N` for every log; may be repeated
        #[arg(long, value_name = "[TENANT=]N", required = true)]
        from_size: Vec<String>,
        /// Why, without personal data
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List which key seals which sizes of which log
    List,
}

impl Keys {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        match &self.verb {
            Verb::Show => vkeys(global),
            Verb::Generate { path } => generate(path),
            Verb::Rotate { new_key, new_signer_socket, new_signer_command } => {
                let new: Arc<dyn Signer> = match (new_key, new_signer_socket, new_signer_command) {
                    (Some(path), ..) => {
                        settle_seal_key(path)?;
                        Arc::new(FileSigner::new(read_seal_key(path)?))
                    }
                    (_, Some(path), _) => Arc::new(Remote::new(SocketLine::new(path, PATIENCE))),
                    (.., Some(words)) => Arc::new(Remote::new(CommandLine::new(words, PATIENCE))),
                    _ => return Err(usage("no new key is named: give --new-key FILE")),
                };
                rotate(global, new)
            }
            Verb::Withdraw { reason } => withdraw(global, reason),
            Verb::Revoke { key, from_size, reason } => revoke(global, key, from_size, reason),
            Verb::List => list(global),
        }
    }
}

fn generate(path: &Path) -> Result<Done, Failure> {
    is_free(path)?;
    let key = make_seal_key(path, &SystemEntropy)?;
    let public = show::key(&key.verify_key());
    let name = show::inert(&path.to_string_lossy());
    Ok(Done::ok(
        format!(
            "made     {name}
public   {public}"
        ),
        json!({ "key_file": name, "public": public }),
    ))
}

fn rotate(global: &Global, new: Arc<dyn Signer>) -> Result<Done, Failure> {
    let public = new.public()?;
    // Who is asked again behind the last commit of a change may have either key at hand.
    let (engine, done) = match global.engine_by(None) {
        Ok(engine) => {
            let done = seals_now(&engine, &public)?;
            (engine, done)
        }
        Err(failure) if failure.code == Code::KeyInvalid => match global.engine_by(Some(new.clone())) {
            Ok(engine) if seals_now(&engine, &public)? => (engine, true),
            _ => return Err(failure),
        },
        Err(failure) => return Err(failure),
    };
    if !done {
        engine.rotate_key(new)?;
    }
    let unsigned = engine.work()?.unsigned;
    super::closed(engine);
    let key = show::key(&public);
    let mut text = if done {
        format!("rotated  already: the store is sealed with {key}\n")
    } else {
        format!(
            "rotated  the store is sealed with {key} from here on: name it with --key-file, or put it in the old file's place \
             (where a signer holds the key: point the signer at it)\n"
        )
    };
    for (tenant, why) in &unsigned {
        text.push_str(&format!("unsigned {tenant}: {}\n", show::inert(why)));
    }
    Ok(Done::ok(text, json!({ "public": key, "already": done, "unsigned": unsigned.len() })))
}

/// Whether this is the key that seals the store, and no change of it is half done.
fn seals_now(engine: &Engine, key: &VerifyKey) -> Result<bool, Failure> {
    let (ranges, pending) = engine.keys()?;
    Ok(pending.is_none() && ranges.iter().any(|range| range.tenant.is_universe() && range.to.is_none() && range.key == *key))
}

fn withdraw(global: &Global, reason: &str) -> Result<Done, Failure> {
    let engine = global.engine_by(None)?;
    let key = show::key(&engine.withdraw_key(reason)?);
    super::closed(engine);
    Ok(Done::ok(format!("withdrew the change to {key}: the store is sealed as before\n"), json!({ "withdrawn": key })))
}

fn revoke(global: &Global, key: &str, sizes: &[String], reason: &str) -> Result<Done, Failure> {
    let wrong = || usage(format!("`{}`: a key is 64 hexadecimal digits, or a vkey", show::inert(key)));
    let key = match TreeHash::from_hex(key) {
        Some(bytes) => VerifyKey::from_bytes(&bytes.0).map_err(|_| wrong())?,
        None => NoteKey::parse(key).map_err(|_| wrong())?.key().clone(),
    };
    let engine = global.engine()?;
    let mut from = BTreeMap::new();
    for said in sizes {
        let (tenants, size) = match said.split_once('=') {
            Some((tenant, size)) => (vec![Tenant::new(tenant)?], size),
            None => (engine.tenants()?, said.as_str()),
        };
        let size: u64 = size.parse().map_err(|_| usage(format!("`{}`: a size is a number", show::inert(said))))?;
        for tenant in tenants {
            if from.insert(tenant.clone(), size).is_some() {
                return Err(usage(format!("--from-size is given twice for `{tenant}`: say once from which size on")));
            }
        }
    }
    engine.revoke_key(&key, &from, reason)?;
    super::closed(engine);
    let listed = from.iter().map(|(tenant, size)| json!({ "tenant": tenant.as_str(), "from": size }));
    let text = from.iter().map(|(tenant, size)| format!("revoked  {tenant}: from size {size} on\n")).collect::<String>();
    Ok(Done::ok(text, json!({ "public": show::key(&key), "revoked": listed.collect::<Vec<_>>() })))
}

fn list(global: &Global) -> Result<Done, Failure> {
    let engine = global.engine()?;
    let (ranges, pending) = engine.keys()?;
    let mut text = String::new();
    for range in &ranges {
        let to = range.to.map_or_else(|| "now".to_owned(), |to| to.to_string());
        text.push_str(&format!("{}  {}  {} to {to}\n", range.tenant, show::key(&range.key), range.from));
    }
    if let Some(key) = &pending {
        text.push_str(&format!("begun    a change to {} is not confirmed: rotate again, or withdraw it\n", show::key(key)));
    }
    let listed =
        ranges.iter().map(|r| json!({ "tenant": r.tenant.as_str(), "public": show::key(&r.key), "from": r.from, "to": r.to }));
    Ok(Done::ok(text, json!({ "keys": listed.collect::<Vec<_>>(), "pending": pending.as_ref().map(show::key) })))
}

fn vkeys(global: &Global) -> Result<Done, Failure> {
    let engine = global.engine()?;
    let tenants = engine.tenants()?;
    let keys = tenants.iter().map(|t| Ok((t, engine.vkey(t)?))).collect::<Result<Vec<_>, Failure>>()?;
    let text = keys.iter().map(|(tenant, vkey)| format!("{tenant}  {vkey}\n")).collect::<String>();
    let json = keys.iter().map(|(tenant, vkey)| json!({ "tenant": tenant.as_str(), "vkey": vkey })).collect::<Vec<_>>();
    Ok(Done::ok(text, json!({ "keys": json })))
}
