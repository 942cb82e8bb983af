//! `hos begin`: an instance is born.

use super::answered;
use crate::context::Brought;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use clap::Args;
use hos_core::id::{InstanceId, Name, OnceKey};
use hos_engine::{Failure, call};

/// Bring an instance into being.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hos begin order o-17 place --fact buyer=ayse --fact shop=kadikoy --fact total=4200")]
pub(crate) struct Begin {
    /// The contract
    #[arg(value_name = "CONTRACT")]
    contract: String,
    /// The new instance's id
    #[arg(value_name = "ID")]
    id: String,
    /// Which birth of the contract
    #[arg(value_name = "BIRTH")]
    event: String,
    /// A fact, read as the contract declares it
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    facts: Vec<String>,
    /// Facts as a JSON object, `@FILE` or `-`
    #[arg(long = "facts", value_name = "JSON", id = "facts_json")]
    facts_object: Option<String>,
    /// An argument, read as the birth declares it
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    args: Vec<String>,
    /// Arguments as a JSON object, `@FILE` or `-`
    #[arg(long = "args", value_name = "JSON", id = "args_json")]
    args_object: Option<String>,
    /// The idempotency key: the same call under the same key gets the first receipt again
    #[arg(long, value_name = "KEY")]
    once: Option<String>,
    #[command(flatten)]
    brought: Brought,
}

impl Begin {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let facts = input::contract(&law, &self.contract).map(|c| &c.facts);
        let args = input::birth(&law, &self.contract, &self.event).map(|e| &e.args);
        let begin = call::Begin {
            by: global.by_with(&law, &self.brought)?,
            contract: Name::new(&self.contract)?,
            id: InstanceId::new(&self.id)?,
            event: Name::new(&self.event)?,
            facts: input::values(["--fact", "--facts"], &self.facts, self.facts_object.as_ref(), facts, &law)?,
            args: input::values(["--arg", "--args"], &self.args, self.args_object.as_ref(), args, &law)?,
            once: self.once.as_ref().map(OnceKey::new).transpose()?,
        };
        let answer = tenant.begin(begin)?;
        answered(engine, &answer, &format!("{}/{}", self.contract, self.id), &self.event, global)
    }
}
