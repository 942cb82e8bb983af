//! `hos witness`: the newest checkpoints, cosigned by others.

use super::export::write_new;
use crate::exit;
use crate::global::Global;
use crate::out::Done;
use crate::show;
use crate::witnesses::Witnesses;
use clap::Args;
use hos_core::id::Tenant;
use hos_engine::Failure;
use serde_json::json;
use std::cell::RefCell;
use std::path::PathBuf;

/// Have witnesses cosign the newest checkpoint of a tenant's log (C2SP tlog-witness).
#[derive(Debug, Args)]
pub(crate) struct Witness {
    /// The witnesses, their addresses and the quorum (a C2SP tlog-policy)
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// Write the cosigned checkpoint here; it must not exist, and is written only when the quorum is met
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Witness {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let witnesses = Witnesses::read(&self.policy)?;
        let engine = global.engine()?;
        let name: Tenant = global.tenant_name()?;
        let tenant = global.tenant(&engine)?;
        let (asked, failed) = (RefCell::new(Vec::new()), RefCell::new(None));
        let cosigned = tenant.cosigned(&|note, proof| {
            let (cosigned, who) = witnesses.ask(note, proof);
            *failed.borrow_mut() = witnesses.missing(&cosigned);
            *asked.borrow_mut() = who;
            Ok(cosigned)
        })?;
        drop(tenant);
        engine.close()?;
        let (asked, failed) = (asked.into_inner(), failed.into_inner());
        let mut text = String::new();
        for (witness, why) in &asked {
            match why {
                None => text.push_str(&format!("cosigned {name} by {}\n", show::inert(witness))),
                Some(why) => text.push_str(&format!("missing  {}: {}\n", show::inert(witness), show::inert(why))),
            }
        }
        match &failed {
            None => text.push_str("quorum   met\n"),
            Some(why) => text.push_str(&format!("quorum   {}\n", show::inert(why))),
        }
        if let (Some(path), Some(note), None) = (&self.out, &cosigned, &failed) {
            write_new(path, note.as_bytes())?;
        }
        let by: Vec<&str> = asked.iter().filter(|(_, why)| why.is_none()).map(|(name, _)| name.as_str()).collect();
        let missing = asked.iter().filter_map(|(name, why)| why.as_ref().map(|why| json!({ "witness": name, "why": why })));
        let json = json!({
            "tenant": name.as_str(),
            "checkpoint": cosigned,
            "cosigned": by,
            "missing": missing.collect::<Vec<_>>(),
            "quorum": failed.is_none() && cosigned.is_some(),
        });
        let exit = if failed.is_none() { exit::OK } else { exit::STORE };
        Ok(Done { exit, text, json })
    }
}
