//! What was counted so far.

use crate::plan::Event;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts by name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Running totals; they stand in the replay's notes, so that it can go on where it was stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Calls made.
    pub(crate) attempted: u64,
    /// Calls that the law allowed.
    pub(crate) accepted: u64,
    /// Calls that it refused.
    pub(crate) refused: u64,
    /// Reasons of refusals by code; one call may have several.
    pub(crate) codes: Counts,
    /// Allowed calls by the policies that allowed them; one call may have several.
    pub(crate) policies: Counts,
    /// By contract and event: (attempted, accepted).
    pub(crate) steps: BTreeMap<String, (u64, u64)>,
    /// Instances by the state they are in.
    pub(crate) states: Counts,
    /// Time spent replaying, in milliseconds, over all runs.
    pub(crate) millis: u64,
}

/// What the law said to an event.
pub(crate) struct Said<'a> {
    /// Codes against it; none: allowed.
    pub(crate) codes: Vec<&'a str>,
    /// The policies that decided.
    pub(crate) policies: &'a [String],
    /// The state before, if there was one.
    pub(crate) from: Option<&'a str>,
    /// The state after.
    pub(crate) to: Option<&'a str>,
}

impl Totals {
    /// Counts one event.
    pub(crate) fn settle(&mut self, event: &Event, said: &Said<'_>) {
        self.attempted += 1;
        let step = self.steps.entry(format!("{}.{}", event.what.contract(), event.what.name())).or_default();
        step.0 += 1;
        if !said.codes.is_empty() {
            self.refused += 1;
            said.codes.iter().for_each(|code| *self.codes.entry((*code).to_owned()).or_default() += 1);
            return;
        }
        step.1 += 1;
        self.accepted += 1;
        said.policies.iter().for_each(|policy| *self.policies.entry(policy.clone()).or_default() += 1);
        if let Some(count) = said.from.and_then(|from| self.states.get_mut(from)) {
            *count = count.saturating_sub(1);
        }
        if let Some(to) = said.to {
            *self.states.entry(to.to_owned()).or_default() += 1;
        }
    }

    /// How many instances are in this state.
    pub(crate) fn in_state(&self, state: &str) -> u64 {
        self.states.get(state).copied().unwrap_or(0)
    }

    /// How often an event was (attempted, accepted).
    pub(crate) fn step(&self, name: &str) -> (u64, u64) {
        self.steps.get(name).copied().unwrap_or_default()
    }

    /// Calls a second.
    pub(crate) fn rate(&self) -> u64 {
        self.attempted.saturating_mul(1_000) / self.millis.max(1)
    }
}
