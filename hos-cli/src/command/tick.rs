//! `hos tick`: due deadlines of one tenant.

use super::closed;
use crate::global::Global;
use crate::out::Done;
use clap::Args;
use hos_engine::Failure;
use serde_json::json;

/// Fire due deadlines of one tenant.
#[derive(Debug, Args)]
pub(crate) struct Tick {
    /// How many instances at most
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: usize,
}

impl Tick {
    pub(crate) fn run(&self, global: &Global) -> Result<Done, Failure> {
        let engine = global.engine()?;
        let fired = global.tenant(&engine)?.tick(self.limit)?;
        closed(engine);
        Ok(Done::ok(format!("fired    {fired}"), json!({ "fired": fired })))
    }
}
