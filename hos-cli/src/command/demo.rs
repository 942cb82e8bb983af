//! `hos demo`: five minutes that show what it is.

use crate::global::Global;
use crate::out::Done;
use clap::Args;
use hos_core::refusal::Code;
use hos_engine::Failure;
use std::path::PathBuf;

/// Five minutes that show what this is: a shop's log, a shop's database, and the law in it.
///
/// Nothing but this program is needed.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// A folder to do it in, empty or not there [default: a new one among the system's temporary files]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Do not wait after each step
    #[arg(long)]
    no_pause: bool,
}

impl Demo {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let dir = match &self.dir {
            Some(dir) => dir.clone(),
            None => {
                let mut seed = [0; 8];
                hos_engine::ports::Entropy::fill(&hos_engine::clock::SystemEntropy, &mut seed)?;
                std::env::temp_dir().join(format!("hos-demo-{:016x}", u64::from_be_bytes(seed)))
            }
        };
        std::fs::create_dir_all(&dir).map_err(|e| Failure::new(Code::StoreUnavailable, format!("{}: {e}", dir.display())))?;
        crate::demo::run(&dir, &global.language(), !self.no_pause, global.json)
    }
}
