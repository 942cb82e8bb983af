//! `hos mark`: the mark outside the store, written anew.

use crate::global::Global;
use crate::out::Done;
use clap::Args;
use hos_engine::Failure;
use serde_json::json;

/// Write the mark outside the store (`--mark FILE`) anew from the store as it stands.
///
/// Whoever does it says that this is the store.
#[derive(Debug, Args)]
pub(crate) struct Mark {}

impl Mark {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.builder()?.unmarked().open()?;
        let logs = engine.write_mark()?;
        super::closed(engine);
        Ok(Done::ok(format!("marked   {logs} logs\n"), json!({ "logs": logs })))
    }
}
