//! What is lawful to write and still unwise, or cannot work: the findings of `hos check` on one contract.
//!
//! Undeclared names and two arrows of one event out of one state never come this far: [`super::parse`] refuses them.
//! Whether the schema has the actions, and whether any policy could permit them, is asked where policies are known.

use super::definition::{Contract, Event};
use super::step::{Standing, standing};
use crate::fault::{Fault, Severity, SourceFile};
use crate::id::Name;
use std::collections::BTreeSet;

/// Every finding on a contract, in the order of the file. `file` is the file it was read from. Codes and severities are
/// listed in `spec/contract.md`.
pub fn check(contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    let graph = Graph::of(contract);
    let mut found = Findings { contract, file, faults: Vec::new() };
    found.states(&graph);
    found.arrows(&graph);
    found.twins();
    found.deadlines();
    found.replies();
    found.migrations();
    let mut faults = found.faults;
    faults.sort_by_key(|f| (f.span.start, f.code));
    faults
}

/// Which states can be come to, and from which of them an end can be come to.
struct Graph<'c> {
    reachable: BTreeSet<&'c str>,
    /// States from which a terminal, a lasting or a dead-end state can be reached.
    ending: BTreeSet<&'c str>,
    /// States that a plain event leaves.
    left: BTreeSet<&'c str>,
}

impl<'c> Graph<'c> {
    fn of(contract: &'c Contract) -> Self {
        let terminal = |state: &str| contract.state(state).is_some_and(|s| s.terminal);
        let mut moves: Vec<(&str, &str)> = Vec::new();
        let mut left = BTreeSet::new();
        for (event, is_override) in contract.arrows() {
            for from in event.from.iter().map(Name::as_str).filter(|s| is_override || !terminal(s)) {
                if !is_override {
                    left.insert(from);
                }
                moves.extend(event.targets().map(|to| (from, to.as_str())));
            }
        }
        let births = contract.begins.values().flat_map(Event::targets);
        let migrated = contract.migrations.values().next_back().into_iter().flat_map(|m| m.states.values());
        let reachable = closure(births.chain(migrated).map(Name::as_str).collect(), &moves);
        let ends = contract.states.iter().filter(|s| s.terminal || s.forever || !left.contains(s.name.as_str()));
        let back: Vec<(&str, &str)> = moves.iter().map(|(from, to)| (*to, *from)).collect();
        let ending = closure(ends.map(|s| s.name.as_str()).collect(), &back);
        Self { reachable, ending, left }
    }
}

fn closure<'c>(from: BTreeSet<&'c str>, moves: &[(&'c str, &'c str)]) -> BTreeSet<&'c str> {
    let mut next: std::collections::BTreeMap<&str, BTreeSet<&'c str>> = std::collections::BTreeMap::new();
    for (a, b) in moves {
        next.entry(a).or_default().insert(b);
    }
    let mut found = from.clone();
    let mut open: Vec<&str> = from.into_iter().collect();
    while let Some(state) = open.pop() {
        open.extend(next.get(state).into_iter().flatten().filter(|to| found.insert(to)));
    }
    found
}

struct Findings<'c> {
    contract: &'c Contract,
    file: &'c SourceFile,
    faults: Vec<Fault>,
}

impl<'c> Findings<'c> {
    fn states(&mut self, graph: &Graph<'_>) {
        for state in &self.contract.states {
            let name = state.name.as_str();
            let waits = !state.terminal && !state.forever;
            let reachable = graph.reachable.contains(name);
            if !reachable {
                self.warn("law.contract.unreachable", &state.span, format!("nothing leads to the state `{name}`"));
            }
            if waits && !graph.left.contains(name) {
                let message = format!("no event leaves the state `{name}`, which is neither terminal nor forever");
                self.warn("law.contract.dead_end", &state.span, message);
            } else if waits && !self.contract.deadlines.iter().any(|d| d.state.as_str() == name) {
                let message = format!("an instance may wait in `{name}` for ever: no deadline, and not among `forever`");
                self.warn("law.contract.waiting", &state.span, message);
            }
            if reachable && !graph.ending.contains(name) {
                self.warn("law.contract.trapped", &state.span, format!("no end can be reached from the state `{name}`"));
            }
        }
    }

    fn arrows(&mut self, graph: &Graph<'_>) {
        for (event, is_override) in self.contract.arrows() {
            let name = &event.name;
            if !is_override {
                for state in event.from.iter().filter(|s| self.contract.state(s.as_str()).is_some_and(|s| s.terminal)) {
                    let message = format!("`{name}` leaves the terminal state `{state}`; only an override may");
                    self.error("law.contract.terminal_exit", &event.span, message);
                }
            }
            let own: Vec<&str> = event.from.iter().filter(|s| event.targets().any(|t| t == *s)).map(Name::as_str).collect();
            if !own.is_empty() && !event.self_loop {
                let states = listed(&own);
                if event.wildcard {
                    let message = format!("`*` makes `{name}` lead from {states} to itself");
                    self.warn("law.contract.wildcard_target", &event.span, message);
                } else {
                    self.warn("law.contract.self_loop", &event.span, format!("`{name}` leads from {states} to itself"));
                }
                let hint = "say `self_loop = true`, `rearm = true`, or `on_same = \"noop\"` and leave the state out";
                if let Some(fault) = self.faults.pop() {
                    self.faults.push(fault.hint(hint));
                }
            }
            if !event.from.iter().any(|s| graph.reachable.contains(s.as_str())) {
                let message = format!("`{name}` can never happen: no state in its `from` is ever reached");
                self.warn("law.contract.unused_event", &event.span, message);
            }
        }
    }

    /// Two events are twins where both lead from one state to one target; a state from which only one of them leads to
    /// that target is then most likely forgotten in the other. A wildcard forgets nothing and is nobody's twin.
    fn twins(&mut self) {
        let events: Vec<(&Name, &Event, BTreeSet<(&str, &str)>)> = self
            .contract
            .events
            .iter()
            .filter(|(_, arrows)| arrows.iter().all(|a| !a.wildcard))
            .filter_map(|(name, arrows)| {
                let pairs = |e: &'c Event| e.from.iter().flat_map(|f| e.targets().map(|t| (t.as_str(), f.as_str())));
                Some((name, arrows.first()?, arrows.iter().flat_map(pairs).collect()))
            })
            .collect();
        for (i, (name, _, arrows)) in events.iter().enumerate() {
            for (other, event, others) in events.iter().skip(i + 1) {
                let shared: BTreeSet<&str> = arrows.intersection(others).map(|(to, _)| *to).collect();
                let odd: Vec<(&str, &str)> =
                    arrows.symmetric_difference(others).filter(|(to, _)| shared.contains(to)).copied().collect();
                let Some((to, from)) = odd.first() else { continue };
                let only = if arrows.contains(&(*to, *from)) { name } else { other };
                let message = format!("`{name}` and `{other}` both lead to `{to}`, but from `{from}` only `{only}` does");
                self.warn("law.contract.twin_events", &event.span, message);
            }
        }
    }

    fn deadlines(&mut self) {
        for deadline in &self.contract.deadlines {
            let Some((event, is_override)) = self.contract.event(deadline.event.as_str(), deadline.state.as_str()) else {
                continue;
            };
            if standing(self.contract, event, is_override, deadline.state.as_str()) != Standing::Lawful {
                let message = format!("the deadline's event `{}` is not lawful in `{}`", deadline.event, deadline.state);
                self.error("law.contract.deadline_unlawful", &deadline.span, message);
            }
            let needed: Vec<&str> = event.args.values().filter(|a| !a.optional).map(|a| a.name.as_str()).collect();
            if !needed.is_empty() {
                let message = format!("the clock gives no arguments, and `{}` needs {}", deadline.event, listed(&needed));
                self.error("law.contract.deadline_args", &deadline.span, message);
            }
        }
    }

    /// An effect goes out, its outcome comes back as one of the replies: each must be lawful where the event led.
    fn replies(&mut self) {
        let births = self.contract.begins.values();
        for event in births.chain(self.contract.arrows().map(|(e, _)| e)) {
            // Where only some branches send something, only their targets await a reply.
            let everywhere = !event.effects.is_empty() || event.branches.iter().all(|b| b.effects.is_empty());
            let awaiting: BTreeSet<&Name> =
                event.branches.iter().filter(|b| everywhere || !b.effects.is_empty()).map(|b| &b.to).collect();
            for reply in &event.replies {
                for state in &awaiting {
                    let Some((arrow, is_override)) = self.contract.event(reply.as_str(), state.as_str()) else { continue };
                    let handled = standing(self.contract, arrow, is_override, state.as_str());
                    if !matches!(handled, Standing::Lawful | Standing::Same) {
                        let message = format!("`{}` leads to `{state}`, where its reply `{reply}` is not lawful", event.name);
                        self.error("law.contract.reply_unhandled", &event.span, message);
                    }
                }
            }
        }
    }

    /// A state that one migration leads to must be taken further by the next, unless it is terminal in this contract.
    fn migrations(&mut self) {
        let steps: Vec<_> = self.contract.migrations.values().collect();
        for (step, next) in steps.iter().zip(steps.iter().skip(1)) {
            let places: BTreeSet<&Name> = step.states.values().collect();
            for place in places {
                let ends = self.contract.state(place.as_str()).is_some_and(|s| s.terminal);
                if !next.states.contains_key(place) && !ends {
                    let message = format!(
                        "the migration of version {} leads to `{place}`, which the one of version {} does not take further",
                        step.from_version, next.from_version
                    );
                    self.error("law.contract.migration_gap", &next.span, message);
                }
            }
        }
    }

    fn warn(&mut self, code: &'static str, span: &std::ops::Range<usize>, message: String) {
        self.faults.push(Fault::at(code, Severity::Warning, self.file, span.clone(), message));
    }

    fn error(&mut self, code: &'static str, span: &std::ops::Range<usize>, message: String) {
        self.faults.push(Fault::at(code, Severity::Error, self.file, span.clone(), message));
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
