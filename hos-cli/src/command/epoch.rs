//! `hos epoch`: going on after the end of a log was lost.

use crate::global::Global;
use crate::input;
use crate::out::Done;
use clap::{Args, Subcommand};
use hos_core::limits::NOTE_BYTES_MAX;
use hos_engine::Failure;
use serde_json::json;
use std::path::PathBuf;

/// Go on after the end of a log was lost.
#[derive(Debug, Args)]
pub(crate) struct Epoch {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Begin a new epoch in every log: its first record says what was lost, and goes on from what is there. Ends a quarantine
    #[command(after_help = "Example:\n  hos epoch new --lost kept.note --reason \"restored from the backup of 3 May\"")]
    New {
        /// Why, without personal data
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// A checkpoint of what was lost (a C2SP signed note); those of the mark are added, and may be all there are
        #[arg(long, value_name = "NOTE")]
        lost: Vec<PathBuf>,
    },
}

impl Epoch {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let Verb::New { reason, lost } = &self.verb;
        let notes = lost
            .iter()
            .map(|path| Ok(String::from_utf8_lossy(&input::bounded_file(path, NOTE_BYTES_MAX)?).into_owned()))
            .collect::<Result<Vec<_>, Failure>>()?;
        let epoch = global.engine()?.new_epoch(reason, &notes)?;
        // Opened anew, it signs the first heads of the epoch, and the mark follows.
        let engine = global.engine()?;
        engine.work()?;
        super::closed(engine);
        Ok(Done::ok(
            format!("epoch    {epoch} begins; verifiers need its origin in their trust files\n"),
            json!({ "epoch": epoch }),
        ))
    }
}
