//! `hos erase`: a person's data becomes unreadable; the evidence stays whole.

use super::answered;
use crate::entity;
use crate::global::Global;
use crate::out::Done;
use clap::Args;
use hos_engine::Failure;

/// Erase a person: their keys are destroyed. It cannot be undone.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The person
    #[arg(value_name = "ENTITY")]
    subject: String,
    /// On what ground (a request's number, say); stands in the record
    #[arg(long, value_name = "TEXT")]
    ground: String,
}

impl Erase {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let subject = entity::uid(&self.subject, &law)?;
        let answer = engine.erase(&global.by(&law)?, &subject, &self.ground)?;
        answered(engine, &answer, &self.subject, "erase", global)
    }
}
