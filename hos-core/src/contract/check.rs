//! What is lawful to write and still unwise, or cannot work: the findings of `hos check` on one contract.
//!
//! Undeclared names and two arrows of one event out of one state never come this far: [`super::parse`] refuses them.
//! Whether the schema has the actions, and whether any policy could permit them, is asked where policies are known.

use super::definition::{Contract, Deadline, Due, Event};
use super::step::{Standing, standing};
use crate::fault::{Fault, Severity, SourceFile};
use crate::id::{DottedName, Name};
use crate::limits::STATES_MAX;
use crate::spanned::FAULTS_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The findings on a contract, in the order of the file, at most [`FAULTS_MAX`] errors and as many warnings. `file` is the
/// file it was read from. Codes and severities are
/// listed in `spec/contract.md`.
pub fn check(contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    let graph = Graph::of(contract);
    let mut found = Findings { contract, file, faults: Vec::new(), errors_count: 0, warnings_count: 0 };
    found.states(&graph);
    found.arrows(&graph);
    found.twins();
    found.circles();
    found.marked_facts();
    found.errors();
    found.sorted()
}

/// The errors among them, all that keeps a law from loading: without the time that the warnings take.
pub fn errors(contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    let mut found = Findings { contract, file, faults: Vec::new(), errors_count: 0, warnings_count: 0 };
    found.errors();
    found.sorted()
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
        let last = contract.migrations.values().next_back();
        let migrated = last.into_iter().flat_map(|m| m.states.values());
        // An end that the last migration does not name is kept by the older instances that are there.
        let ended = contract.states.iter().filter(|s| s.terminal).map(|s| &s.name);
        let kept = ended.filter(|name| last.is_some_and(|m| !m.states.contains_key(*name)));
        let reachable = closure(births.chain(migrated).chain(kept).map(Name::as_str).collect(), &moves);
        let ends = contract.states.iter().filter(|s| s.terminal || s.forever || !left.contains(s.name.as_str()));
        let back: Vec<(&str, &str)> = moves.iter().map(|(from, to)| (*to, *from)).collect();
        let ending = closure(ends.map(|s| s.name.as_str()).collect(), &back);
        Self { reachable, ending, left }
    }
}

fn closure<'c>(from: BTreeSet<&'c str>, moves: &[(&'c str, &'c str)]) -> BTreeSet<&'c str> {
    let mut next: BTreeMap<&str, BTreeSet<&'c str>> = BTreeMap::new();
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
    errors_count: usize,
    warnings_count: usize,
}

impl Findings<'_> {
    fn sorted(self) -> Vec<Fault> {
        let mut faults = self.faults;
        faults.sort_by_key(|f| (f.span.start, f.code));
        faults
    }

    fn errors(&mut self) {
        self.exits();
        self.marks();
        self.codes();
        self.deadlines();
        self.replies();
        self.migrations();
    }

    fn states(&mut self, graph: &Graph<'_>) {
        for state in &self.contract.states {
            let name = state.name.as_str();
            let waits = !state.terminal && !state.forever;
            let reachable = graph.reachable.contains(name);
            if !reachable {
                self.warn(
                    "law.contract.unreachable",
                    &state.span,
                    format!("no birth leads to the state `{name}`, nor what follows on one"),
                );
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
        for (event, _) in self.contract.arrows() {
            let name = &event.name;
            let own: Vec<&str> = event.from.iter().filter(|s| event.targets().any(|t| t == *s)).map(Name::as_str).collect();
            if !own.is_empty() && !event.self_loop {
                let states = listed(&own);
                if event.wildcard {
                    let message = format!(
                        "`*` makes `{name}` lead from {states} to itself: say `self_loop = true`, or `on_same = \"noop\"`, which leaves it out"
                    );
                    self.warn("law.contract.wildcard_target", &event.span, message);
                } else {
                    let message = format!("`{name}` leads from {states} to itself: say `self_loop = true` if that is meant");
                    self.warn("law.contract.self_loop", &event.span, message);
                }
            }
            if !event.from.iter().any(|s| graph.reachable.contains(s.as_str())) {
                let message = format!("`{name}` can never happen: no state in its `from` is ever reached");
                self.warn("law.contract.unused_event", &event.span, message);
            }
        }
    }

    fn exits(&mut self) {
        for event in self.contract.events.values().flatten() {
            for state in event.from.iter().filter(|s| self.contract.state(s.as_str()).is_some_and(|s| s.terminal)) {
                let message = format!("`{}` leaves the terminal state `{state}`; only an override may", event.name);
                self.error("law.contract.terminal_exit", &event.span, message);
            }
        }
    }

    /// As a key of JSON, what begins with `__` says which kind of value stands under it, so that no call in JSON could give such an
    /// argument. The parser takes it: a law that was in force must be read again.
    fn marks(&mut self) {
        let events = self.contract.begins.values().chain(self.contract.arrows().map(|(event, _)| event));
        let declared = events.flat_map(|event| event.args.values());
        // Arrows of one event may share what was declared once.
        let marked =
            declared.filter(|attribute| attribute.name.starts_with("__")).map(|attribute| (attribute.span.start, attribute));
        for attribute in marked.collect::<BTreeMap<_, _>>().into_values() {
            let message = format!("no argument begins with `__`, as `{}` does: no call in JSON could give it", attribute.name);
            self.error("law.contract.reserved", &attribute.span, message);
        }
    }

    /// The same of facts. Instances that live with one must have it under the next law too, so it keeps none from loading.
    fn marked_facts(&mut self) {
        for attribute in self.contract.facts.values().filter(|attribute| attribute.name.starts_with("__")) {
            let message = format!("no call in JSON could give the fact `{}`, for it begins with `__`", attribute.name);
            self.warn("law.contract.reserved", &attribute.span, message);
        }
    }

    /// A record's header holds the code of its refusal, as long as a name may be: a refusal under a longer one would leave no
    /// record, and a deadline that it refused would stay due. The parser takes it: a law that was in force must be read again.
    fn codes(&mut self) {
        let wrong = |code: &str| DottedName::new(code).err().map(|why| why.to_string());
        let births = self.contract.begins.values();
        for guard in births.chain(self.contract.arrows().map(|(event, _)| event)).flat_map(|event| &event.require) {
            let Some(message) = wrong(&guard.code) else { continue };
            let span = self.contract.expressions.get(guard.when).map(|e| e.span.clone()).unwrap_or_default();
            self.error("law.contract.bad_name", &span, message);
        }
        for promise in &self.contract.promises {
            if let Some(message) = wrong(&promise.code) {
                self.error("law.contract.bad_name", &promise.span, message);
            }
        }
    }

    /// Two events are twins where both lead from one state to one target; a state from which only one of them leads to
    /// that target is then most likely forgotten in the other. A wildcard forgets nothing and is nobody's twin.
    fn twins(&mut self) {
        let plain = self.contract.events.values().filter(|arrows| arrows.iter().all(|a| !a.wildcard));
        let states = self.contract.states.iter().map(|s| s.name.as_str());
        let places: BTreeMap<&str, usize> = states.zip(0..).collect();
        let events: Vec<(&Event, Sources<'_>)> = plain.filter_map(|a| Some((a.first()?, Sources::of(a, &places)))).collect();
        for (i, (one, sources)) in events.iter().enumerate() {
            for (other, others) in events.iter().skip(i + 1) {
                let Some((to, from, only_one)) = sources.odd(others) else { continue };
                let Some(from) = self.contract.states.get(from).map(|s| &s.name) else { continue };
                let only = if only_one { &one.name } else { &other.name };
                let message =
                    format!("`{}` and `{}` both lead to `{to}`, but from `{from}` only `{only}` does", one.name, other.name);
                self.warn("law.contract.twin_events", &other.span, message);
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
            // The clock changes no fact, so that the same instant is armed again, and is past by then.
            let again = event.rearm && event.leaves(deadline.state.as_str()) && event.targets().any(|to| *to == deadline.state);
            if again && matches!(deadline.due, Due::At(_)) {
                let (event, state) = (&deadline.event, &deadline.state);
                let message = format!("`{event}` leads back to `{state}` and arms the instant that has just passed, for ever");
                self.error("law.contract.deadline_again", &deadline.span, message);
            }
        }
    }

    /// Moves that `at` deadlines alone make, and that lead back to where they began. Where nobody changes the instants on the
    /// way, all of them have passed the second time round, and fire at once for ever.
    fn circles(&mut self) {
        let contract = self.contract;
        let of_instants: Vec<&Deadline> = contract.deadlines.iter().filter(|d| matches!(d.due, Due::At(_))).collect();
        let mut moves: Vec<(&str, &str)> = Vec::new();
        for deadline in &of_instants {
            let from = deadline.state.as_str();
            let Some((event, _)) = contract.event(deadline.event.as_str(), from).filter(|(event, _)| event.leaves(from)) else {
                continue;
            };
            moves.extend(event.targets().map(|to| (from, to.as_str())).filter(|(from, to)| from != to));
        }
        for deadline in of_instants {
            let state = deadline.state.as_str();
            let next = moves.iter().filter(|(from, _)| *from == state).map(|(_, to)| *to).collect();
            if closure(next, &moves).contains(state) {
                let message =
                    format!("`at` deadlines alone lead from `{state}` back to it, where the instant has passed by then");
                self.warn("law.contract.deadline_circle", &deadline.span, message);
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

    fn warn(&mut self, code: &'static str, span: &Range<usize>, message: String) {
        self.tell(code, Severity::Warning, span, message);
    }

    fn error(&mut self, code: &'static str, span: &Range<usize>, message: String) {
        self.tell(code, Severity::Error, span, message);
    }

    /// Each severity has its own bound, so that no flood of warnings hides an error.
    fn tell(&mut self, code: &'static str, severity: Severity, span: &Range<usize>, message: String) {
        let told = match severity {
            Severity::Error => &mut self.errors_count,
            _ => &mut self.warnings_count,
        };
        if *told < FAULTS_MAX {
            *told += 1;
            self.faults.push(Fault::at(code, severity, self.file, span.clone(), message));
        }
    }
}

/// For each target of an event, the states from which it leads there: one bit for each state, by its place in the contract.
struct Sources<'c>(BTreeMap<&'c str, [u64; STATES_MAX / 64]>);

impl<'c> Sources<'c> {
    fn of(arrows: &'c [Event], places: &BTreeMap<&str, usize>) -> Self {
        let mut found: BTreeMap<&str, [u64; STATES_MAX / 64]> = BTreeMap::new();
        for arrow in arrows {
            for to in arrow.targets() {
                let bits = found.entry(to.as_str()).or_default();
                for place in arrow.from.iter().filter_map(|from| places.get(from.as_str())) {
                    if let Some(word) = bits.get_mut(place / 64) {
                        *word |= 1 << (place % 64);
                    }
                }
            }
        }
        Self(found)
    }

    /// A target that both lead to from a common state, the place of a state from which only one of them does, and whether
    /// that is this one.
    fn odd(&self, other: &Self) -> Option<(&'c str, usize, bool)> {
        self.0.iter().find_map(|(to, mine)| {
            let theirs = other.0.get(to)?;
            let pairs = || mine.iter().zip(theirs).enumerate();
            pairs().find(|(_, (a, b))| *a & *b != 0)?;
            let (word, (a, b)) = pairs().find(|(_, (a, b))| a != b)?;
            let bit = (a ^ b).trailing_zeros() as usize;
            Some((*to, word * 64 + bit, a >> bit & 1 == 1))
        })
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
