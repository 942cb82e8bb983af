//! `hos work`: a round of what is done beside calls.

use crate::global::Global;
use crate::out::Done;
use crate::progress::Progress;
use clap::Args;
use hos_engine::Failure;
use serde_json::json;

/// Seal, sign, fire deadlines, forget old once-keys, for all tenants: one round.
#[derive(Debug, Args)]
pub(crate) struct Work {}

impl Work {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let progress = Progress::new("working", global.json);
        let report = engine.work_telling(&|done, all| progress.tell(done, all))?;
        drop(progress);
        engine.close()?;
        let text = format!(
            "sealed   {}\nsigned   {} checkpoints\nfired    {}\nforgot   {} once-keys\n",
            report.sealed, report.checkpoints, report.fired, report.forgotten
        );
        let json = json!({
            "sealed": report.sealed,
            "checkpoints": report.checkpoints,
            "fired": report.fired,
            "forgotten": report.forgotten,
        });
        Ok(Done::ok(text, json))
    }
}
