//! All worlds that an instance can come to, and the shortest way to each.

use super::world::{self, Act, Move, Way, World};
use crate::contract::definition::Contract;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How far the model goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most worlds of a contract: its states, each with the deadlines that may run in it.
    pub worlds_max: usize,
    /// The most steps of a path.
    pub depth_max: usize,
    /// The most steps that are looked at, all questions together.
    pub steps_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { worlds_max: 65_536, depth_max: 1_024, steps_max: 4_000_000 }
    }
}

/// What stopped the model before it had seen everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// [`Limits::worlds_max`].
    Worlds,
    /// [`Limits::depth_max`].
    Depth,
    /// [`Limits::steps_max`].
    Steps,
}

/// What is left of the limits, and the first that was hit.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) limits: Limits,
    steps_left: usize,
    pub(super) bound: Option<Bound>,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, steps_left: limits.steps_max, bound: None }
    }

    /// Takes steps off what is left; false where so many are not.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let enough = self.steps_left >= steps;
        self.steps_left = self.steps_left.saturating_sub(steps);
        if !enough {
            self.hit(Bound::Steps);
        }
        enough
    }

    fn hit(&mut self, bound: Bound) {
        self.bound.get_or_insert(bound);
    }
}

/// From a world to a world, or from nothing to one.
#[derive(Debug)]
pub(super) struct Edge<'c> {
    pub(super) act: Act<'c>,
    /// None for a birth.
    pub(super) from: Option<usize>,
    pub(super) to: usize,
}

/// The worlds and what leads from each to which.
#[derive(Debug)]
pub(super) struct Graph<'c> {
    pub(super) contract: &'c Contract,
    pub(super) worlds: Vec<World>,
    pub(super) edges: Vec<Vec<Edge<'c>>>,
    pub(super) births: Vec<Edge<'c>>,
    /// Worlds that were come to and not looked at: what lies behind them is not known.
    pub(super) unseen: BTreeSet<usize>,
    /// The longest of the shortest paths.
    pub(super) depth: usize,
}

/// The worlds that are known, and those that are yet to be looked at, with their depth.
#[derive(Debug, Default)]
struct Places {
    known: BTreeMap<World, usize>,
    open: VecDeque<(usize, usize)>,
}

/// What a question follows along a path: a number that starts at 0.
pub(super) trait Follow {
    /// The number after a step; `None`: this path is of no interest any more.
    fn moved(&self, number: u16, edge: &Edge<'_>) -> Option<u16>;

    /// The number after a call in this world that is answered and moves nothing, if the question makes one.
    fn answered(&self, _number: u16, _world: usize) -> Option<u16> {
        None
    }
}

/// A step of a path: over an edge, or an answer that moved nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Taken<'g, 'c> {
    Edge(&'g Edge<'c>),
    /// The question's own call.
    Answer,
}

/// A world as a path came to it.
#[derive(Debug)]
pub(super) struct Visit<'g, 'c> {
    pub(super) world: usize,
    pub(super) number: u16,
    pub(super) taken: Taken<'g, 'c>,
    /// The visit before.
    pub(super) before: Option<usize>,
    depth: usize,
}

impl<'c> Graph<'c> {
    /// Goes everywhere, breadth first.
    pub(super) fn of(contract: &'c Contract, budget: &mut Budget) -> Self {
        let mut graph =
            Self { contract, worlds: Vec::new(), edges: Vec::new(), births: Vec::new(), unseen: BTreeSet::new(), depth: 0 };
        let mut places = Places::default();
        let births = world::births(contract).into_iter();
        graph.births = births.filter_map(|birth| graph.admit(None, birth, 1, &mut places, budget)).collect();
        while let Some((from, depth)) = places.open.pop_front() {
            graph.depth = graph.depth.max(depth);
            let ahead = graph.worlds.get(from).map_or_else(Vec::new, |w| world::moves(contract, w));
            if depth >= budget.limits.depth_max && !ahead.is_empty() {
                budget.hit(Bound::Depth);
                graph.unseen.insert(from);
                continue;
            }
            let mut edges = Vec::new();
            for ahead in ahead {
                match graph.admit(Some(from), ahead, depth + 1, &mut places, budget) {
                    Some(edge) => edges.push(edge),
                    None => _ = graph.unseen.insert(from),
                }
            }
            if let Some(place) = graph.edges.get_mut(from) {
                *place = edges;
            }
        }
        graph
    }

    fn admit(
        &mut self,
        from: Option<usize>,
        ahead: Move<'c>,
        depth: usize,
        places: &mut Places,
        budget: &mut Budget,
    ) -> Option<Edge<'c>> {
        if !budget.spend(1) {
            return None;
        }
        let to = match places.known.get(&ahead.to) {
            Some(place) => *place,
            None if self.worlds.len() >= budget.limits.worlds_max => {
                budget.hit(Bound::Worlds);
                return None;
            }
            None => {
                let place = self.worlds.len();
                self.worlds.push(ahead.to.clone());
                self.edges.push(Vec::new());
                places.known.insert(ahead.to, place);
                places.open.push_back((place, depth));
                place
            }
        };
        Some(Edge { act: ahead.act, from, to })
    }

    /// The state of a world, by name.
    pub(super) fn state(&self, world: usize) -> &'c str {
        let state = self.worlds.get(world).and_then(|w| self.contract.states.get(w.state));
        state.map_or("", |s| s.name.as_str())
    }

    /// The edges out of a world.
    pub(super) fn out(&self, world: usize) -> &[Edge<'c>] {
        self.edges.get(world).map_or(&[], Vec::as_slice)
    }

    /// Every world with every number that a path can bring to it, the shortest path first. Paths of older versions' instances
    /// come last, with what no birth leads to: they are harder to read, and to repeat.
    pub(super) fn follow(&self, question: &dyn Follow, budget: &mut Budget) -> Walked<'_, 'c> {
        let mut walked = Walked { visits: Vec::new() };
        let mut seen: BTreeSet<(usize, u16)> = BTreeSet::new();
        let (born, migrated): (Vec<_>, Vec<_>) = self.births.iter().partition(|edge| edge.act.way == Way::Born);
        for roots in [born, migrated] {
            let next = walked.visits.len();
            for edge in roots {
                if let Some(number) = question.moved(0, edge) {
                    walked.come(&mut seen, edge.to, number, Taken::Edge(edge), None, 1);
                }
            }
            self.go_on(question, budget, &mut walked, &mut seen, next);
        }
        walked
    }

    fn go_on<'g>(
        &'g self,
        question: &dyn Follow,
        budget: &mut Budget,
        walked: &mut Walked<'g, 'c>,
        seen: &mut BTreeSet<(usize, u16)>,
        mut next: usize,
    ) {
        while let Some(&Visit { world, number, depth, .. }) = walked.visits.get(next) {
            let answer = question.answered(number, world);
            let out = self.out(world);
            if !budget.spend(1 + out.len()) {
                break;
            }
            if depth >= budget.limits.depth_max && !(out.is_empty() && answer.is_none()) {
                budget.hit(Bound::Depth);
            } else {
                if let Some(number) = answer {
                    walked.come(seen, world, number, Taken::Answer, Some(next), depth + 1);
                }
                for edge in out {
                    if let Some(number) = question.moved(number, edge) {
                        walked.come(seen, edge.to, number, Taken::Edge(edge), Some(next), depth + 1);
                    }
                }
            }
            next += 1;
        }
    }

    /// Worlds from which one of these can be come to.
    pub(super) fn leading_to(&self, ends: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let mut back: Vec<Vec<usize>> = vec![Vec::new(); self.worlds.len()];
        for edge in self.edges.iter().flatten() {
            if let (Some(sources), Some(from)) = (back.get_mut(edge.to), edge.from) {
                sources.push(from);
            }
        }
        let mut open: Vec<usize> = (0..self.worlds.len()).filter(|w| ends(*w) || self.unseen.contains(w)).collect();
        let mut found: BTreeSet<usize> = open.iter().copied().collect();
        while let Some(world) = open.pop() {
            open.extend(back.get(world).into_iter().flatten().copied().filter(|from| found.insert(*from)));
        }
        found
    }
}

/// What a walk came to.
#[derive(Debug)]
pub(super) struct Walked<'g, 'c> {
    pub(super) visits: Vec<Visit<'g, 'c>>,
}

impl<'g, 'c> Walked<'g, 'c> {
    fn come(
        &mut self,
        seen: &mut BTreeSet<(usize, u16)>,
        world: usize,
        number: u16,
        taken: Taken<'g, 'c>,
        before: Option<usize>,
        depth: usize,
    ) {
        if seen.insert((world, number)) {
            self.visits.push(Visit { world, number, taken, before, depth });
        }
    }

    /// The path to a visit, from the birth on: the world that each step leads to, and the step.
    pub(super) fn path(&self, visit: usize) -> Vec<(usize, Taken<'g, 'c>)> {
        let mut path = Vec::new();
        let mut at = self.visits.get(visit);
        while let Some(visit) = at {
            path.push((visit.world, visit.taken));
            at = visit.before.and_then(|before| self.visits.get(before));
        }
        path.reverse();
        path
    }
}

impl Edge<'_> {
    /// Whether it enters a state: a birth, or a move from another state.
    pub(super) fn enters(&self, graph: &Graph<'_>) -> bool {
        self.from.is_none_or(|from| graph.state(from) != graph.state(self.to))
    }
}
