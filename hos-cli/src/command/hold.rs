//! `hos hold` and `hos release`: while a hold is on a person, nothing of them is erased.

use super::answered;
use crate::context::Beside;
use crate::entity;
use crate::global::Global;
use crate::out::Done;
use clap::Args;
use hos_engine::Failure;

/// Place a hold on a person, or take one back.
#[derive(Debug, Args)]
pub(crate) struct Hold {
    /// The person
    #[arg(long, value_name = "ENTITY")]
    subject: String,
    /// Why; kept as the person's own data, and erased with it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Entities that come with the call, such as the person where no directory has them: a JSON array of {"uid", "attrs",
    /// "parents"}, `@FILE` or `-`
    #[arg(long, value_name = "JSON")]
    given: Option<String>,
}

impl Hold {
    pub(crate) fn run(&self, held: bool, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let beside = Beside { given: self.given.clone(), ..Beside::default() };
        let (by, subject) = (global.by_beside(&law, &beside)?, entity::uid(&self.subject, &law)?);
        let answer = match held {
            true => engine.hold(&by, &subject, &self.reason)?,
            false => engine.release(&by, &subject, &self.reason)?,
        };
        answered(engine, &answer, &self.subject, if held { "hold" } else { "release" }, global)
    }
}
