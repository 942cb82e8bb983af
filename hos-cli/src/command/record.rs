//! `hos record`: a free record in a named stream.

use super::answered;
use crate::context::Brought;
use crate::entity;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use clap::Args;
use hos_core::id::{DottedName, OnceKey};
use hos_engine::{Failure, call};

/// Write a free record into a stream.
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// The stream (`till.closed`)
    #[arg(value_name = "STREAM")]
    stream: String,
    /// The bytes, as text
    #[arg(long, value_name = "TEXT", conflicts_with = "file", required_unless_present = "file")]
    text: Option<String>,
    /// The bytes, from a file (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Whose data they are
    #[arg(long, value_name = "ENTITY")]
    subject: Option<String>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    once: Option<String>,
    #[command(flatten)]
    brought: Brought,
}

impl Record {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let payload = match &self.file {
            Some(path) => input::file(path)?,
            None => self.text.clone().unwrap_or_default().into_bytes(),
        };
        let note = call::Note {
            by: global.by_with(&law, &self.brought)?,
            stream: DottedName::new(&self.stream)?,
            payload,
            subject: self.subject.as_ref().map(|s| entity::uid(s, &law)).transpose()?,
            once: self.once.as_ref().map(OnceKey::new).transpose()?,
        };
        let answer = tenant.record(note)?;
        answered(engine, &answer, &self.stream, "record", global)
    }
}
