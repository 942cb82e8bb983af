//! `hos available`: what can be done now, and why not the rest.

use crate::context::Brought;
use crate::global::Global;
use crate::out::Done;
use crate::show;
use clap::Args;
use hos_core::id::{InstanceId, Name};
use hos_core::law::mode::Mode;
use hos_engine::{Available as One, Failure};
use hos_wire::answer::available_json;

/// Say what can be done with an instance now, and why not the rest.
#[derive(Debug, Args)]
pub(crate) struct Available {
    /// The contract
    #[arg(value_name = "CONTRACT")]
    contract: String,
    /// The instance
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    brought: Brought,
}

impl Available {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let law = engine.law()?;
        let tenant = global.tenant(&engine)?;
        let (contract, id) = (Name::new(&self.contract)?, InstanceId::new(&self.id)?);
        let by = global.by_with(&law, &self.brought)?;
        let instance = hos_wire::present(&law, &tenant, &contract, &id)?;
        let events = tenant.available(&contract, &id, &by)?;
        let state = judged_in(&events).unwrap_or(&instance.state);
        let mut text = format!("{contract}/{id} is {state}\n");
        text.extend(events.iter().map(line));
        let language = global.language();
        let mut json = available_json(&events, Some((&law, &language)));
        json["state"] = serde_json::json!(state.as_str());
        Ok(Done::ok(text, json))
    }
}

/// The state in which events were judged: behind the deadlines that are due, where the law is enforced.
fn judged_in(events: &[One]) -> Option<&Name> {
    let enforced = events.iter().find(|one| one.answer.mode == Mode::Enforce);
    enforced.or(events.first())?.answer.from.as_ref()
}

fn line(one: &One) -> String {
    let word = match (one.answer.blockers.first(), one.needs.is_empty()) {
        (Some(blocker), _) => return format!("  no     {:<16} {}\n", one.event.as_str(), show::inert(&blocker.to_string())),
        (None, true) => "yes",
        (None, false) => "needs",
    };
    let needs: Vec<&str> = one.needs.iter().map(|n| n.as_str()).collect();
    format!("  {word:<6} {:<16} {}\n", one.event.as_str(), needs.join(", "))
}
