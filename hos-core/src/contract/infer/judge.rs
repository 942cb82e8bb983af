//! What each move of a history looks like, and why.

use super::history::{History, Tally};
use super::proposal::{Birth, Break, Edge, Proposal, Reason, Rule, State, Verdict};
use super::waits::Waits;
use super::{
    END_ENTRIES_MIN, END_ONE_IN, OPPOSITE_MIN, OPPOSITE_TIMES, OTHERWISE_ONE_IN, RARE_ONE_IN, RARE_VISITS_MIN,
    RULE_BEYOND_ONE_IN, deadline,
};
use crate::id::Name;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// Judges a history.
pub fn judge(history: &History) -> Proposal {
    let figures = Figures::of(history);
    let mut edges: Vec<(u16, Edge)> = history.moves.keys().filter_map(|key| Some((key.0, figures.edge(*key)?))).collect();
    edges.sort_by(|(a, x), (b, y)| (a, Reverse(x.count), &x.event, &x.to).cmp(&(b, Reverse(y.count), &y.event, &y.to)));
    let edges: Vec<Edge> = edges.into_iter().map(|(_, edge)| edge).collect();
    let kept_from = |state: &Name| edges.iter().any(|e| e.from == *state && e.verdict != Verdict::Illegal);
    let resting = history.resting();
    let states = history.states.all().iter().zip(0u16..).map(|(name, number)| State {
        name: name.clone(),
        entries: figures.entries(number),
        again: history.visits.get(usize::from(number)).map_or(0, |v| v.again),
        left: figures.left(number),
        stayed: history.visits.get(usize::from(number)).map_or(0, |v| v.stayed),
        resting: resting.get(usize::from(number)).map_or(0, |(count, _)| *count),
        stay: figures.stay(number).times(),
        ends: !kept_from(name),
    });
    Proposal {
        rows: history.rows(),
        instances: history.instances(),
        states: states.collect(),
        births: births(history),
        breaks: breaks(history),
        rules: figures.rules(&edges, &resting),
        renamed: history.states.renamed().iter().chain(history.events.renamed()).cloned().collect(),
        edges,
    }
}

/// A history with its sums.
struct Figures<'h> {
    history: &'h History,
    /// How often a state was left, moves that stay in it aside.
    left: BTreeMap<u16, u64>,
    /// By source and target, whatever the event.
    pairs: BTreeMap<(u16, u16), u64>,
}

impl<'h> Figures<'h> {
    fn of(history: &'h History) -> Self {
        let (mut left, mut pairs) = (BTreeMap::new(), BTreeMap::new());
        for ((from, _, to), moved) in &history.moves {
            *pairs.entry((*from, *to)).or_default() += moved.tally.count;
            // After a break it was another state that was left.
            if from != to {
                *left.entry(*from).or_default() += moved.tally.count - moved.after_break;
            }
        }
        Self { history, left, pairs }
    }

    fn entries(&self, state: u16) -> u64 {
        self.history.visits.get(usize::from(state)).map_or(0, |v| v.entries)
    }

    fn left(&self, state: u16) -> u64 {
        self.left.get(&state).copied().unwrap_or(0)
    }

    fn stay(&self, state: u16) -> Waits {
        let mut stay = Waits::default();
        self.history.moves.iter().filter(|((from, ..), _)| *from == state).for_each(|(_, moved)| stay.merge(&moved.waits));
        stay
    }

    fn edge(&self, (from, event, to): (u16, u16, u16)) -> Option<Edge> {
        let (states, moved) = (&self.history.states, self.history.moves.get(&(from, event, to))?);
        let reasons = self.reasons((from, event, to))?;
        let verdict = match reasons.as_slice() {
            [] => Verdict::Usual,
            some if some.iter().any(Reason::is_grave) => Verdict::Illegal,
            _ => Verdict::Rare,
        };
        Some(Edge {
            from: states.name(from)?.clone(),
            event: self.history.events.name(event)?.clone(),
            to: states.name(to)?.clone(),
            count: moved.tally.count,
            visits: self.entries(from),
            verdict,
            reasons,
            examples: moved.tally.examples.clone(),
            wait: moved.waits.times(),
        })
    }

    fn reasons(&self, key: (u16, u16, u16)) -> Option<Vec<Reason>> {
        let (from, _, to) = key;
        let (states, moved) = (&self.history.states, self.history.moves.get(&key)?);
        let (count, visits) = (moved.tally.count, self.entries(from));
        let mut out = Vec::new();
        if visits >= RARE_VISITS_MIN && one_in(count, RARE_ONE_IN, visits) {
            out.push(Reason::Seldom { count, visits });
        }
        if moved.after_break * 2 > count {
            out.push(Reason::AfterBreak { broken: moved.after_break, count });
        }
        if from == to {
            return Some(out);
        }
        let (left, reached) = (self.left(from), self.entries(to));
        let ends = visits >= END_ENTRIES_MIN && one_in(left, END_ONE_IN, visits);
        if ends && one_in(count, OTHERWISE_ONE_IN, reached) {
            out.push(Reason::LeavesEnd { from: states.name(from)?.clone(), entries: visits, left });
        }
        let opposite = self.pairs.get(&(to, from)).copied().unwrap_or(0);
        if opposite >= OPPOSITE_MIN && one_in(count, OPPOSITE_TIMES, opposite) {
            out.push(Reason::Backwards { opposite, count });
        }
        if self.is_seldom(from, to)
            && let Some(way) = self.usual_way(from, to)
        {
            out.push(Reason::Jumps { way: way.into_iter().filter_map(|s| states.name(s).cloned()).collect() });
        }
        Some(out)
    }

    /// Whether few of those that were at either end went from the one to the other.
    fn is_seldom(&self, from: u16, to: u16) -> bool {
        let count = self.pairs.get(&(from, to)).copied().unwrap_or(0);
        [self.entries(from), self.entries(to)].into_iter().all(|all| all >= RARE_VISITS_MIN && one_in(count, RARE_ONE_IN, all))
    }

    /// The shortest way between two states over moves that are not seldom at their source.
    fn usual_way(&self, from: u16, to: u16) -> Option<Vec<u16>> {
        let mut before: BTreeMap<u16, u16> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            for ((_, next), count) in self.pairs.range((at, 0)..=(at, u16::MAX)) {
                let seldom = one_in(*count, RARE_ONE_IN, self.entries(at));
                if seldom || *next == from || before.contains_key(next) {
                    continue;
                }
                before.insert(*next, at);
                queue.push_back(*next);
            }
        }
        let mut way = vec![to];
        while let Some(at) = way.last().filter(|at| **at != from) {
            way.push(*before.get(at)?);
        }
        way.reverse();
        Some(way)
    }

    fn rules(&self, edges: &[Edge], resting: &[(u64, Waits)]) -> Vec<Rule> {
        let Some(resolution) = self.history.resolution() else { return Vec::new() };
        let mut out = Vec::new();
        for ((from, event, to), moved) in &self.history.moves {
            let names = (self.history.states.name(*from), self.history.events.name(*event), self.history.states.name(*to));
            let (Some(from_name), Some(event_name), Some(to_name)) = names else { continue };
            let is_it = |e: &&Edge| (&e.from, &e.event, &e.to) == (from_name, event_name, to_name);
            let kept = edges.iter().find(is_it).is_some_and(|e| e.verdict != Verdict::Illegal);
            let Some((after, times)) = deadline::rule(&moved.waits, resolution).filter(|_| kept) else { continue };
            // A real deadline leaves nobody behind: those that stayed clearly longer speak against it.
            let late = crate::time::Span(times.high.0.saturating_add(after.0 / 10));
            let others = self.history.moves.iter().filter(|((f, e, t), _)| f == from && (e, t) != (event, to));
            let gone: u64 = others.map(|(_, other)| other.waits.beyond(late)).sum();
            let still = resting.get(usize::from(*from)).map_or(0, |(_, ages)| ages.beyond(late));
            let beyond = gone + still;
            if one_in(beyond, RULE_BEYOND_ONE_IN, times.count + beyond) {
                let (from, event, to) = (from_name.clone(), event_name.clone(), to_name.clone());
                out.push(Rule { from, event, to, after, times, beyond });
            }
        }
        out
    }
}

/// Whether a part is at most one in so many of the whole.
fn one_in(part: u64, many: u64, whole: u64) -> bool {
    part.saturating_mul(many) <= whole
}

fn births(history: &History) -> Vec<Birth> {
    let sum = |tallies: &mut dyn Iterator<Item = &Tally>| tallies.map(|t| t.count).sum::<u64>();
    let (told, found) = (sum(&mut history.births.values()), sum(&mut history.found.values()));
    let most_found = history.found.values().map(|t| t.count).max().unwrap_or(0);
    let mut out: Vec<Birth> = Vec::new();
    for ((event, to), tally) in &history.births {
        let Some(to) = history.states.name(*to) else { continue };
        let event = event.and_then(|e| history.events.name(e)).cloned();
        let (count, examples) = (tally.count, tally.examples.clone());
        out.push(Birth { event, to: to.clone(), count, told: true, kept: true, examples });
    }
    for (to, tally) in &history.found {
        let Some(to) = history.states.name(*to) else { continue };
        // Where most births are told, the others were born before the history begins. Where few are, what is found first is
        // where they were born; but not what is found seldom.
        let seldom = found >= RARE_VISITS_MIN && one_in(tally.count, RARE_ONE_IN, found);
        let kept = found > told && (!seldom || tally.count == most_found);
        let (count, examples) = (tally.count, tally.examples.clone());
        out.push(Birth { event: None, to: to.clone(), count, told: false, kept, examples });
    }
    out.sort_by_key(|birth| Reverse(birth.count));
    out
}

fn breaks(history: &History) -> Vec<Break> {
    let mut out: Vec<Break> = Vec::new();
    for ((was, said, to), tally) in &history.breaks {
        let (Some(was), Some(to)) = (history.states.name(*was), history.states.name(*to)) else { continue };
        let said = said.and_then(|s| history.states.name(s)).cloned();
        let (was, to, count, examples) = (was.clone(), to.clone(), tally.count, tally.examples.clone());
        out.push(Break { was, said, to, count, examples });
    }
    out.sort_by_key(|b| Reverse(b.count));
    out
}
