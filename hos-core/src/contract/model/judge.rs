//! The questions, asked of everything that an instance can come to.

use super::ask::{Answered, Awaiting, BROKEN, Everything, Promised};
use super::order::{Order, answer};
use super::path::{state, step_of, still, trace};
use super::search::{Bound, Budget, Edge, Graph, Limits, Visit, Walked};
use super::trace::{Finding, Happened, Kind, Step};
use super::world::{self, Way};
use crate::contract::Contract;
use crate::contract::definition::{Field, OnSame, State};
use crate::contract::step;
use crate::id::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The most findings of one contract, that of what was not seen besides.
pub const FINDINGS_MAX: usize = 64;

/// What the model says of a contract.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many worlds there are.
    pub worlds: usize,
    /// How long the longest of the shortest paths is.
    pub depth: usize,
    /// The bound that was hit, if one was: then what is not found may still be there.
    pub bound: Option<Bound>,
    /// In the order of the questions; of one question, the shortest trace first.
    pub findings: Vec<Finding>,
}

/// Explores a contract, and decides everything that `spec/contract.md` lists under "By model".
pub fn explore(contract: &Contract, limits: Limits) -> Report {
    let mut budget = Budget::new(limits);
    let graph = Graph::of(contract, &mut budget);
    let all = graph.follow(&Everything, &mut budget);
    let mut asking = Asking { graph: &graph, budget: &mut budget, findings: Vec::new() };
    asking.traps(&all);
    asking.effects(&all);
    asking.replays();
    asking.orders(&all);
    asking.promises();
    asking.replies();
    asking.waits(&all);
    let mut findings = asking.findings;
    findings.truncate(FINDINGS_MAX);
    let bound = budget.bound;
    findings.extend(bound.map(|bound| Finding {
        kind: Kind::Incomplete { bound, limits },
        span: 0..0,
        possible: false,
        trace: Vec::new(),
        other: Vec::new(),
    }));
    Report { worlds: graph.worlds.len(), depth: graph.depth, bound, findings }
}

/// A reply that is refused: the shortest trace, and every state that refuses it.
struct Lost {
    span: Range<usize>,
    steps: Vec<Step>,
    states: Vec<Name>,
}

struct Asking<'q, 'c> {
    graph: &'q Graph<'c>,
    budget: &'q mut Budget,
    findings: Vec<Finding>,
}

impl Asking<'_, '_> {
    fn tell(&mut self, kind: Kind, span: &Range<usize>, trace: Vec<Step>, other: Vec<Step>) {
        let possible = trace.iter().chain(&other).any(|step| step.possible);
        self.findings.push(Finding { kind, span: span.clone(), possible, trace, other });
    }

    /// An end stays in reach. A terminal state is one, and a lasting state that nothing leaves; of a contract that has
    /// neither, every lasting state: it says that it never ends.
    fn traps(&mut self, all: &Walked<'_, '_>) {
        let graph = self.graph;
        let contract = graph.contract;
        let left = |state: &str| contract.events.keys().any(|name| world::lawful(contract, name, state).is_some());
        let rests = |s: &&State| s.terminal || (s.forever && !left(s.name.as_str()));
        let mut ends: BTreeSet<&str> = contract.states.iter().filter(rests).map(|s| s.name.as_str()).collect();
        if ends.is_empty() {
            ends = contract.states.iter().filter(|s| s.forever).map(|s| s.name.as_str()).collect();
        }
        let ending = graph.leading_to(|world| ends.contains(graph.state(world)));
        let mut told = BTreeSet::new();
        for (index, visit) in all.visits.iter().enumerate().filter(|(_, visit)| !ending.contains(&visit.world)) {
            // What lies behind the entry into a trap is the same trap.
            let entry = visit.before.and_then(|before| all.visits.get(before)).is_none_or(|v| ending.contains(&v.world));
            let Some(state) = contract.state(graph.state(visit.world)) else { continue };
            if entry && told.insert(&state.name) {
                self.tell(Kind::Trap { state: state.name.clone() }, &state.span, trace(graph, all, index, None), Vec::new());
            }
        }
    }

    /// One move sends each message once.
    fn effects(&mut self, all: &Walked<'_, '_>) {
        let graph = self.graph;
        let mut told = BTreeSet::new();
        let births = graph.births.iter().map(|edge| (None, edge));
        let out = all.visits.iter().enumerate().flat_map(|(i, v)| graph.out(v.world).iter().map(move |edge| (Some(i), edge)));
        for (visit, edge) in births.chain(out) {
            let (Some(arrow), Some(branch)) = (edge.act.arrow, edge.act.branch) else { continue };
            let sent: Vec<_> = step::effects(arrow, branch).collect();
            for (place, effect) in sent.iter().enumerate() {
                let twice =
                    sent.iter().take(place).any(|other| other.kind == effect.kind && same_body(&other.body, &effect.body));
                if twice && told.insert((arrow.span.start, &effect.kind)) {
                    let mut steps = visit.map_or_else(Vec::new, |visit| trace(graph, all, visit, None));
                    steps.extend(step_of(graph, edge));
                    let kind = Kind::EffectTwice { event: arrow.name.clone(), effect: effect.kind.clone() };
                    self.tell(kind, &arrow.span, steps, Vec::new());
                }
            }
        }
    }

    /// A call under a once-key that is made again changes nothing. One whose move was accepted is answered by its once-key,
    /// whatever the contract says; one that was answered as done already took none, and meets the instance as it is by then.
    fn replays(&mut self) {
        let graph = self.graph;
        for event in world::noops(graph.contract) {
            let walked = graph.follow(&Answered { graph, event }, self.budget);
            let again = |edge: &&Edge<'_>| edge.act.event == Some(event) && matches!(edge.act.way, Way::Called | Way::Overridden);
            let mut answered = walked.visits.iter().enumerate().filter(|(_, visit)| visit.number == 1);
            let Some((visit, edge)) = answered.find_map(|(i, visit)| Some((i, graph.out(visit.world).iter().find(again)?)))
            else {
                continue;
            };
            let asked = graph.contract.event(event.as_str(), "").map(|(arrow, _)| arrow);
            let mut steps = trace(graph, &walked, visit, asked);
            steps.extend(step_of(graph, edge).map(|step| Step { happened: Happened::Repeated, ..step }));
            let span = edge.act.arrow.map_or(0..0, |arrow| arrow.span.clone());
            self.tell(Kind::Replay { event: event.clone() }, &span, steps, Vec::new());
        }
    }

    /// Two events that tell the same news (one target, both `on_same = "noop"`) end in one state, whichever comes first.
    fn orders(&mut self, all: &Walked<'_, '_>) {
        let graph = self.graph;
        let mut told = BTreeSet::new();
        for (index, visit) in all.visits.iter().enumerate() {
            let news =
                |edge: &&Edge<'_>| edge.act.arrow.is_some_and(|a| a.on_same == OnSame::Noop) && edge.act.way == Way::Called;
            let edges: Vec<&Edge<'_>> = graph.out(visit.world).iter().filter(news).collect();
            if !self.budget.spend(edges.len() * edges.len()) {
                return;
            }
            for (place, one) in edges.iter().enumerate() {
                for other in edges.iter().skip(place + 1).filter(|other| graph.state(other.to) == graph.state(one.to)) {
                    let pair = (one.act.event, other.act.event);
                    if pair.0 == pair.1 || told.contains(&pair) {
                        continue;
                    }
                    if !self.budget.spend(graph.out(one.to).len() + graph.out(other.to).len()) {
                        return;
                    }
                    let (Some(there), Some(back)) = (Order::of(graph, one, other), Order::of(graph, other, one)) else {
                        continue;
                    };
                    // The order that can end where the other cannot is told first.
                    let ahead = there.beyond(&back).map(|ends| (&there, &back, ends));
                    let Some((order, against, ends)) = ahead.or_else(|| back.beyond(&there).map(|ends| (&back, &there, ends)))
                    else {
                        continue;
                    };
                    told.insert(pair);
                    let before = trace(graph, all, index, None);
                    let kind = Kind::Diverges {
                        one: order.one.clone(),
                        other: order.then.clone(),
                        ends: ends.clone(),
                        otherwise: against.ends().into_iter().cloned().collect(),
                    };
                    let span = order.edge.act.arrow.map_or(0..0, |arrow| arrow.span.clone());
                    self.tell(kind, &span, order.path(graph, &before, Some(ends)), against.path(graph, &before, None));
                }
            }
        }
    }

    fn promises(&mut self) {
        let graph = self.graph;
        for promise in &graph.contract.promises {
            let walked = graph.follow(&Promised { graph, rule: &promise.rule }, self.budget);
            let broken = walked.visits.iter().enumerate().find(|(_, visit)| visit.number == BROKEN);
            let Some((index, state)) = broken.and_then(|(index, visit)| Some((index, state(graph, visit.world)?))) else {
                continue;
            };
            let kind = Kind::Promise { code: promise.code.clone(), rule: promise.rule.clone(), state: state.clone() };
            self.tell(kind, &promise.span, trace(graph, &walked, index, None), Vec::new());
        }
    }

    /// A reply that comes after other events is lawful still, or asks for what is done already.
    fn replies(&mut self) {
        let graph = self.graph;
        let contract = graph.contract;
        // By who sends and who answers.
        let mut lost: BTreeMap<(&Name, &Name), Lost> = BTreeMap::new();
        let arrows = contract.begins.values().chain(contract.arrows().map(|(arrow, _)| arrow));
        for arrow in arrows.filter(|arrow| !arrow.replies.is_empty()) {
            let question = Awaiting { arrow };
            let walked = graph.follow(&question, self.budget);
            // Where the arrow itself leads, `reply_unhandled` has told it.
            let at_once: BTreeSet<&str> = question.branches().map(|branch| branch.to.as_str()).collect();
            let late = |visit: &Visit<'_, '_>| visit.number == 1 && !at_once.contains(graph.state(visit.world));
            for (index, visit) in walked.visits.iter().enumerate().filter(|(_, visit)| late(visit)) {
                let Some(at) = state(graph, visit.world) else { continue };
                for reply in arrow.replies.iter().filter(|reply| answer(graph, reply, at) == Happened::Refused) {
                    let lost = lost.entry((&arrow.name, reply)).or_insert_with(|| {
                        let mut steps = trace(graph, &walked, index, None);
                        steps.push(still(reply, at, Happened::Refused));
                        Lost { span: arrow.span.clone(), steps, states: Vec::new() }
                    });
                    if !lost.states.contains(at) {
                        lost.states.push(at.clone());
                    }
                }
            }
        }
        let mut lost: Vec<_> = lost.into_iter().collect();
        lost.sort_by_key(|(_, lost)| lost.steps.len());
        for ((event, reply), Lost { span, steps, states }) in lost {
            self.tell(Kind::ReplyLost { event: event.clone(), reply: reply.clone(), states }, &span, steps, Vec::new());
        }
    }

    /// A state that waits for a deadline has one that runs.
    fn waits(&mut self, all: &Walked<'_, '_>) {
        let graph = self.graph;
        let contract = graph.contract;
        let mut told = BTreeSet::new();
        for (index, visit) in all.visits.iter().enumerate() {
            let Some(state) = contract.state(graph.state(visit.world)).filter(|s| !s.terminal && !s.forever) else { continue };
            let runs = graph.worlds.get(visit.world).is_none_or(|w| !w.armed.is_empty());
            let Some(deadline) = contract.deadlines.iter().find(|d| d.state == state.name).filter(|_| !runs) else { continue };
            if told.insert(&state.name) {
                let steps = trace(graph, all, index, None);
                let last = steps.iter().rev().find(|s| s.happened == Happened::Disarmed).and_then(|s| s.event.clone());
                let refused = last.is_some();
                let event = last.unwrap_or_else(|| deadline.event.clone());
                let kind = Kind::Waits { state: state.name.clone(), event, refused };
                self.tell(kind, &deadline.span, steps, Vec::new());
            }
        }
    }
}

/// Whether two messages hold the same: a body is a record, whose fields have no order.
fn same_body(one: &[Field], other: &[Field]) -> bool {
    one.len() == other.len() && one.iter().all(|field| other.contains(field))
}
