//! `hos work`: a round of what is done beside calls.

use super::stored;
use crate::exit;
use crate::global::Global;
use crate::out::Done;
use crate::progress::Progress;
use crate::show;
use clap::Args;
use hos_engine::Failure;
use serde_json::json;

/// How many calls in shadow of a tenant one round judges.
const SHADOWS: usize = 10_000;

/// Seal, sign, fire deadlines, forget old once-keys, for all tenants: one round.
#[derive(Debug, Args)]
pub(crate) struct Work {}

impl Work {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let progress = Progress::new("working", global.json);
        // Calls in shadow that hosts' transactions left are judged first, so that their records are sealed in this round.
        let folded = engine.fold_shadows(SHADOWS, &hos_wire::joined::call_that_came);
        let report = engine.work_telling(&|done, all| progress.tell(done, all))?;
        drop(progress);
        let folded = folded?;
        stored(engine);
        let mut text = format!(
            "judged   {folded} in shadow\nsealed   {}\nsigned   {} checkpoints\nfired    {}\nforgot   {} once-keys\n",
            report.sealed, report.checkpoints, report.fired, report.forgotten
        );
        for (tenant, why) in &report.unsigned {
            text.push_str(&format!("unsigned {tenant}: {}\n", show::inert(why)));
        }
        if let Some(why) = &report.mark {
            text.push_str(&format!("mark     {}\n", show::inert(why)));
        }
        if report.nowhere > 0 {
            text.push_str(&format!("nowhere  {} rows of queues lead to no record: see `hos verify`\n", report.nowhere));
        }
        let unsigned = report.unsigned.iter().map(|(tenant, why)| json!({ "tenant": tenant, "why": why }));
        let json = json!({
            "unsigned": unsigned.collect::<Vec<_>>(),
            "mark": report.mark,
            "judged_in_shadow": folded,
            "sealed": report.sealed,
            "checkpoints": report.checkpoints,
            "fired": report.fired,
            "forgotten": report.forgotten,
            "nowhere": report.nowhere,
        });
        // Whoever runs this by the clock must notice that nobody vouches for what is new, or that somebody tampers.
        let fine = report.unsigned.is_empty() && report.mark.is_none() && report.nowhere == 0;
        let exit = if fine { exit::OK } else { exit::STORE };
        Ok(Done { exit, text, json })
    }
}
