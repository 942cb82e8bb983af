//! `hos backup`: a verified copy of a store in use.

use super::verify;
use crate::global::Global;
use crate::out::Done;
use crate::progress::Progress;
use crate::show;
use clap::Args;
use hos_engine::Failure;
use serde_json::json;
use std::path::PathBuf;

/// Copy the store while it is in use, and verify the copy before it gets its name.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The copy's file; it must not exist
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

impl Backup {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let progress = Progress::new("copying");
        let tell = |done, all| progress.tell(done, all);
        let report = engine.backup(&self.to, Some(&tell))?;
        drop(progress);
        engine.close()?;
        let name = show::inert(&self.to.to_string_lossy());
        let mut done = verify::done(&report);
        done.text = format!("copied   {name}\n{}", done.text);
        done.json["backup"] = json!(name);
        Ok(done)
    }
}
