//! `hos witness`: the store's checkpoint, or one log's, cosigned by others; and what is kept of that.

use super::export::write_new;
use crate::exit;
use crate::global::Global;
use crate::out::Done;
use crate::show;
use crate::witnesses::Witnesses;
use clap::Args;
use hos_core::id::Tenant;
use hos_core::proof::checkpoint::Note;
use hos_engine::{Cosigned, Engine, Failure, Proof, Witnessing};
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Have witnesses cosign the store's checkpoint (C2SP tlog-witness): one for all tenants, whose own are recorded under it.
///
/// With `--tenant` that tenant's own checkpoint is cosigned instead; HOS_TENANT is not looked at. Without `--policy` the cosigned
/// checkpoints that the store keeps are shown, and nobody is asked.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hos witness --policy pazar.policy --out pazar.note")]
pub(crate) struct Witness {
    /// The witnesses, their addresses and the quorum (a C2SP tlog-policy)
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Write the cosigned checkpoint here; it must not exist, and is written only when the quorum is met
    #[arg(short = 'o', long = "out", value_name = "FILE", requires = "policy")]
    out: Option<PathBuf>,
}

impl Witness {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let only = global.tenant.as_ref().map(Tenant::new).transpose()?;
        match &self.policy {
            Some(policy) => self.ask(global, policy, only.as_ref()),
            None => kept(&global.engine()?, only.as_ref()),
        }
    }

    fn ask(&self, global: &Global, policy: &Path, only: Option<&Tenant>) -> Result<Done, Failure> {
        let witnesses = Witnesses::read(policy)?;
        let engine = global.engine()?;
        let ask = |note: &str, proof: &Proof<'_>| Ok(witnesses.ask(note, proof));
        let by = Witnessing { trust: witnesses.trust(), ask: &ask };
        let cosigned = match only {
            Some(tenant) => {
                let tenant = engine.tenant(tenant.as_str())?;
                if let Some(note) = tenant.checkpoint()? {
                    witnesses.believes(&note)?;
                }
                tenant.cosigned(&by)?
            }
            None => {
                witnesses.knows(&engine.store_id())?;
                Some(engine.cosigned(&by)?)
            }
        };
        super::closed(engine);
        let missing =
            cosigned.as_ref().map_or_else(|| Some("there is no checkpoint yet".to_owned()), |one| short(&witnesses, one));
        if let (Some(path), Some(one), None) = (&self.out, &cosigned, &missing) {
            write_new(path, one.note.as_bytes())?;
        }
        Ok(said(&witnesses, cosigned.as_ref(), missing))
    }
}

/// Why whoever has the policy would not believe a checkpoint for its witnesses' sake; nothing if they would.
fn short(witnesses: &Witnesses, one: &Cosigned) -> Option<String> {
    let vouching = Note::parse(one.note.as_bytes()).and_then(|note| witnesses.trust().vouching(&note));
    let met = vouching.is_ok_and(|vouching| witnesses.trust().is_met(&vouching));
    (!met).then(|| "trust.quorum: the witnesses that vouch for the checkpoint are fewer than the policy asks for".to_owned())
}

fn said(witnesses: &Witnesses, cosigned: Option<&Cosigned>, missing: Option<String>) -> Done {
    let mut text = String::new();
    if let Some(one) = cosigned.filter(|one| one.recorded > 0) {
        let _ = writeln!(text, "recorded {} checkpoint(s) of tenants", one.recorded);
    }
    let asked = witnesses.asked();
    for one in &asked {
        let name = show::inert(&one.name);
        let _ = match (&one.why, cosigned) {
            (Some(why), _) => writeln!(text, "missing  {name}: {}", show::inert(&why.what)),
            (None, Some(of)) => writeln!(text, "cosigned {} at {} by {name}", of.tenant, of.size),
            (None, None) => Ok(()),
        };
    }
    let _ = writeln!(text, "quorum   {}", missing.as_deref().map_or_else(|| "met".into(), show::inert));
    let by: Vec<&str> = asked.iter().filter(|one| one.why.is_none()).map(|one| one.name.as_str()).collect();
    let failed = asked.iter().filter_map(|one| one.why.as_ref().map(|why| json!({ "witness": one.name, "why": why.what })));
    let json = json!({
        "tenant": cosigned.map(|one| one.tenant.as_str()),
        "size": cosigned.map(|one| one.size),
        "checkpoint": cosigned.map(|one| &one.note),
        "recorded": cosigned.map_or(0, |one| one.recorded),
        "cosigned": by,
        "missing": failed.collect::<Vec<_>>(),
        "quorum": missing.is_none(),
    });
    let exit = if missing.is_none() { exit::OK } else { exit::STORE };
    Done { exit, text, json }
}

/// What the store keeps.
fn kept(engine: &Engine, only: Option<&Tenant>) -> Result<Done, Failure> {
    let notes = engine.cosigned_notes()?;
    let notes: Vec<_> = notes.into_iter().filter(|one| only.is_none_or(|tenant| tenant.as_str() == one.tenant)).collect();
    let mut text = String::new();
    for one in &notes {
        let _ = writeln!(text, "kept     {} at {} by {}", one.tenant, one.size, show::inert(&one.witnesses.join(", ")));
    }
    if notes.is_empty() {
        text.push_str("kept     nothing: `hos witness --policy FILE` asks witnesses\n");
    }
    let json = notes
        .iter()
        .map(|one| json!({ "tenant": one.tenant, "size": one.size, "witnesses": one.witnesses, "checkpoint": one.note }));
    Ok(Done::ok(text, json!({ "kept": json.collect::<Vec<_>>() })))
}
