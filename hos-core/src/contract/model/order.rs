//! Two calls, one after the other.

use super::path::{state, step_of, still};
use super::search::{Edge, Graph};
use super::trace::{Happened, Step};
use super::world::Way;
use crate::contract::step::{self, Standing};
use crate::id::Name;
use std::collections::BTreeSet;

/// A call that moves, and another after it.
pub(super) struct Order<'g, 'c> {
    pub(super) edge: &'g Edge<'c>,
    pub(super) one: &'c Name,
    pub(super) then: &'c Name,
    /// What the second comes to: its edges; where it has none it moves nothing.
    second: Vec<(Option<&'g Edge<'c>>, &'c Name)>,
}

impl<'g, 'c> Order<'g, 'c> {
    pub(super) fn of(graph: &'g Graph<'c>, edge: &'g Edge<'c>, then: &Edge<'c>) -> Option<Self> {
        let then = then.act.event?;
        let calls = |edge: &&Edge<'_>| edge.act.way == Way::Called && edge.act.event == Some(then);
        let moves = graph.out(edge.to).iter().filter(calls);
        let mut second: Vec<_> = moves.filter_map(|edge| Some((Some(edge), state(graph, edge.to)?))).collect();
        if second.is_empty() {
            second.push((None, state(graph, edge.to)?));
        }
        Some(Self { edge, one: edge.act.event?, then, second })
    }

    /// Where it can end.
    pub(super) fn ends(&self) -> BTreeSet<&'c Name> {
        self.second.iter().map(|(_, end)| *end).collect()
    }

    /// A state in which it can end, and the other order cannot.
    pub(super) fn beyond(&self, other: &Self) -> Option<&'c Name> {
        self.ends().difference(&other.ends()).next().copied()
    }

    /// The steps to this end, or to any.
    pub(super) fn path(&self, graph: &Graph<'c>, before: &[Step], end: Option<&Name>) -> Vec<Step> {
        let mut steps = before.to_vec();
        steps.extend(step_of(graph, self.edge));
        let last = self.second.iter().find(|(_, at)| end.is_none_or(|end| *at == end));
        steps.extend(last.and_then(|(edge, at)| match edge {
            Some(edge) => step_of(graph, edge),
            // Lawful and without an edge: a guard says `false`.
            None => Some(still(
                self.then,
                at,
                match answer(graph, self.then, at) {
                    Happened::Same => Happened::Same,
                    _ => Happened::Refused,
                },
            )),
        }));
        steps
    }
}

/// How a call is answered in a state.
pub(super) fn answer(graph: &Graph<'_>, event: &Name, state: &Name) -> Happened {
    let found = graph.contract.event(event.as_str(), state.as_str());
    match found.map(|(arrow, is_override)| step::standing(graph.contract, arrow, is_override, state.as_str())) {
        Some(Standing::Same) => Happened::Same,
        Some(Standing::Lawful) => Happened::Moved,
        _ => Happened::Refused,
    }
}
