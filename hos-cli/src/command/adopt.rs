//! `hos adopt`: an existing row, brought in as it is.

use super::answered;
use crate::context::Brought;
use crate::global::Global;
use crate::input;
use crate::out::Done;
use clap::Args;
use hos_core::id::{InstanceId, Name, OnceKey};
use hos_engine::{Failure, call};

/// Bring an existing row in as an instance, in the state it is in: attested, not judged.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The contract
    #[arg(value_name = "CONTRACT")]
    contract: String,
    /// The instance
    #[arg(value_name = "ID")]
    id: String,
    /// The state it is in
    #[arg(value_name = "STATE")]
    state: String,
    /// A fact, read as the contract declares it
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    facts: Vec<String>,
    /// Facts as a JSON object, `@FILE` or `-`
    #[arg(long = "facts", value_name = "JSON", id = "facts_json")]
    facts_object: Option<String>,
    /// The idempotency key
    #[arg(long, value_name = "KEY")]
    once: Option<String>,
    #[command(flatten)]
    brought: Brought,
}

impl Adopt {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let declared = input::contract(&law, &self.contract).map(|c| &c.facts);
        let adopt = call::Adopt {
            by: global.by_with(&law, &self.brought)?,
            contract: Name::new(&self.contract)?,
            id: InstanceId::new(&self.id)?,
            state: Name::new(&self.state)?,
            facts: input::values("--fact", &self.facts, self.facts_object.as_ref(), declared, &law)?,
            once: self.once.as_ref().map(OnceKey::new).transpose()?,
        };
        let answer = tenant.adopt(adopt)?;
        answered(engine, &answer, &format!("{}/{}", self.contract, self.id), "adopt", global)
    }
}
