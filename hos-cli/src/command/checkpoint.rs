//! `hos checkpoint`: the newest checkpoint of a tenant's log, to be kept outside the store.

use super::export::write_new;
use crate::global::Global;
use crate::out::Done;
use clap::Args;
use hos_core::refusal::Code;
use hos_engine::Failure;
use serde_json::json;
use std::path::PathBuf;

/// Print the newest checkpoint of a tenant's log, to be kept outside.
///
/// It is a C2SP signed note. Kept where the store's operator cannot reach it, it is what `hos verify --against` and `--since` hold the
/// store to.
#[derive(Debug, Args)]
pub(crate) struct Checkpoint {
    /// Write it into this file, which must not exist
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Checkpoint {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let tenant = global.tenant(&engine)?;
        let empty = || Failure::new(Code::CallMalformed, format!("the log of `{}` has no entry yet", tenant.name()));
        let note = tenant.checkpoint()?.ok_or_else(empty)?;
        if let Some(path) = &self.out {
            write_new(path, note.as_bytes())?;
        }
        let said = json!({ "tenant": tenant.name().as_str(), "checkpoint": note });
        super::closed(engine);
        Ok(Done::ok(if self.out.is_some() { String::new() } else { note }, said))
    }
}
