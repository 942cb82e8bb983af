//! `hos transition`: an event, or an override.

use super::answered;
use crate::context::Brought;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use clap::Args;
use hos_core::id::{InstanceId, Name, OnceKey};
use hos_engine::{Failure, call};

/// Have an event, or an override, happen to an instance.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hos transition order o-17 pay --arg amount=4200 --arg psp_ref=x --once psp-evt-9")]
pub(crate) struct Transition {
    /// The contract
    #[arg(value_name = "CONTRACT")]
    contract: String,
    /// The instance
    #[arg(value_name = "ID")]
    id: String,
    /// The event or override
    #[arg(value_name = "EVENT")]
    event: String,
    /// An argument, read as the event declares it
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    args: Vec<String>,
    /// Arguments as a JSON object, `@FILE` or `-`
    #[arg(long = "args", value_name = "JSON", id = "args_json")]
    args_object: Option<String>,
    /// The idempotency key: the same call under the same key gets the first receipt again
    #[arg(long, value_name = "KEY")]
    once: Option<String>,
    /// Why; an override needs it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    brought: Brought,
}

impl Transition {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let args = input::event_args(&law, &self.contract, &self.event);
        let transition = call::Transition {
            by: global.by_with(&law, &self.brought)?,
            contract: Name::new(&self.contract)?,
            id: InstanceId::new(&self.id)?,
            event: Name::new(&self.event)?,
            args: input::values(["--arg", "--args"], &self.args, self.args_object.as_ref(), args, &law)?,
            once: self.once.as_ref().map(OnceKey::new).transpose()?,
            reason: self.reason.clone(),
        };
        let answer = tenant.transition(transition)?;
        answered(engine, &answer, &format!("{}/{}", self.contract, self.id), &self.event, global)
    }
}
