//! A path of the search as a trace for people.

use super::search::{Edge, Graph, Taken, Walked};
use super::trace::{Happened, Step};
use super::world::Way;
use crate::contract::definition::{Contract, Event, ExpressionIndex};
use crate::contract::step;
use crate::id::Name;

/// The trace of a visit. `asked` is the arrow of the question's own call.
pub(super) fn trace(graph: &Graph<'_>, walked: &Walked<'_, '_>, visit: usize, asked: Option<&Event>) -> Vec<Step> {
    let path = walked.path(visit);
    path.into_iter()
        .filter_map(|(world, taken)| match taken {
            Taken::Edge(edge) => step_of(graph, edge),
            Taken::Answer => Some(still(&asked?.name, state(graph, world)?, Happened::Same)),
        })
        .collect()
}

/// A call that moves nothing.
pub(super) fn still(event: &Name, state: &Name, happened: Happened) -> Step {
    Step {
        happened,
        event: Some(event.clone()),
        from: Some(state.clone()),
        to: state.clone(),
        given: Vec::new(),
        effects: Vec::new(),
        possible: false,
    }
}

/// An edge as a step; none only where the graph is not one.
pub(super) fn step_of(graph: &Graph<'_>, edge: &Edge<'_>) -> Option<Step> {
    let happened = match edge.act.way {
        Way::Born => Happened::Born,
        Way::Migrated(version) => Happened::Migrated(version),
        Way::Called => Happened::Moved,
        Way::Overridden => Happened::Overridden,
        Way::Fired => Happened::Fired,
        Way::Disarmed => Happened::Disarmed,
    };
    let effects = edge.act.arrow.zip(edge.act.branch).map(|(arrow, branch)| step::effects(arrow, branch));
    Some(Step {
        happened,
        event: edge.act.event.cloned(),
        from: match edge.from {
            Some(from) => Some(state(graph, from)?.clone()),
            None => None,
        },
        to: state(graph, edge.to)?.clone(),
        given: given(graph.contract, edge),
        effects: effects.into_iter().flatten().map(|e| e.kind.clone()).collect(),
        possible: edge.act.possible,
    })
}

pub(super) fn state<'c>(graph: &Graph<'c>, world: usize) -> Option<&'c Name> {
    graph.worlds.get(world).and_then(|w| graph.contract.states.get(w.state)).map(|s| &s.name)
}

/// What a step depends on, as the contract says it.
fn given(contract: &Contract, edge: &Edge<'_>) -> Vec<String> {
    let Some(arrow) = edge.act.arrow.filter(|_| edge.act.possible) else { return Vec::new() };
    let text = |index: ExpressionIndex| contract.expressions.get(index).map(|e| e.text.trim().to_owned());
    let open = |text: &String| text != "true" && text != "false";
    let guards = || arrow.require.iter().filter_map(|guard| text(guard.when)).filter(open);
    let Some(branch) = edge.act.branch else {
        // A deadline's event that was refused: it is enough that one guard fails.
        return vec![guards().map(|g| format!("!({g})")).collect::<Vec<_>>().join(" || ")];
    };
    let mut out: Vec<String> = guards().collect();
    for other in &arrow.branches {
        let Some(when) = other.when.and_then(text).filter(open) else { continue };
        let own = std::ptr::eq(other, branch);
        out.push(if own { when } else { format!("!({when})") });
        if own {
            break;
        }
    }
    let mut said = Vec::new();
    out.into_iter().for_each(|one| {
        if !said.contains(&one) {
            said.push(one);
        }
    });
    said
}
