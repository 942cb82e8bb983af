//! An instance as the model knows it, and what can happen to it next.

use crate::contract::definition::{Branch, Contract, Due, Event, ExpressionIndex, OnSame};
use crate::contract::step::{self, Standing, Truth};
use crate::id::Name;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Where an instance stands: its state, and the deadlines that run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    /// The state's place in [`Contract::states`].
    pub state: usize,
    /// Deadlines by their place in [`Contract::deadlines`], in the order of [`step::deadlines_on_entry`].
    pub armed: Vec<usize>,
}

/// How something came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A birth.
    Born,
    /// An instance of this older version was taken to the present one.
    Migrated(u32),
    /// Somebody called an event.
    Called,
    /// Somebody called an override.
    Overridden,
    /// A deadline's event happened.
    Fired,
    /// A deadline's event was refused: it runs no more.
    Disarmed,
}

/// One thing that can happen.
#[derive(Debug, Clone, Copy)]
pub struct Act<'c> {
    /// How.
    pub way: Way,
    /// The arrow; none for a migration, and where a deadline's event has none.
    pub arrow: Option<&'c Event>,
    /// The event's name; a deadline's too. `None` for a migration.
    pub event: Option<&'c Name>,
    /// The branch taken.
    pub branch: Option<&'c Branch>,
    /// Whether it depends on a guard or a condition, whose truth is not known here.
    pub possible: bool,
}

/// One thing that can happen, and where the instance then stands.
#[derive(Debug, Clone)]
pub struct Move<'c> {
    /// What.
    pub act: Act<'c>,
    /// Where to.
    pub to: World,
}

/// What judging an arrow can come to.
#[derive(Debug, Default)]
pub struct Outcomes<'c> {
    /// The branches that can be taken, and whether that depends on anything.
    pub taken: Vec<(&'c Branch, bool)>,
    /// Whether a guard can refuse it; whether that depends on anything.
    pub refused: Option<bool>,
}

/// Every outcome of an arrow, by [`step::outcome`]. The same text is as true in one place of the arrow as in another.
/// That an expression cannot be evaluated is left out: the engine refuses the call then.
pub fn outcomes<'c>(contract: &Contract, arrow: &'c Event) -> Outcomes<'c> {
    let text = |index: ExpressionIndex| contract.expressions.get(index).map_or("", |e| e.text.trim());
    let truth = |index, unknown| match literal(text(index)).unwrap_or(unknown) {
        true => Truth::True,
        false => Truth::False,
    };
    let mut out = Outcomes::default();
    for (place, branch) in arrow.branches.iter().enumerate() {
        let mut said: BTreeMap<&str, bool> = BTreeMap::new();
        let mut can_be = |index, wanted| match literal(text(index)) {
            Some(is) => is == wanted,
            None => *said.entry(text(index)).or_insert(wanted) == wanted,
        };
        let guarded = arrow.require.iter().all(|guard| can_be(guard.when, true));
        let earlier = arrow.branches.iter().take(place).filter_map(|b| b.when);
        if !guarded || !earlier.into_iter().all(|when| can_be(when, false)) || !branch.when.is_none_or(|when| can_be(when, true))
        {
            continue;
        }
        let judged = step::outcome(arrow, &mut |index| truth(index, said.get(text(index)).copied().unwrap_or(false)));
        if judged.is_ok_and(|taken| std::ptr::eq(taken, branch)) {
            out.taken.push((branch, !said.is_empty()));
        }
    }
    if !arrow.require.is_empty() {
        // The branches are judged only where every guard holds, so what they say here changes nothing.
        let refuses = |unknown| step::outcome(arrow, &mut |index| truth(index, unknown)).is_err();
        let always = arrow.require.iter().any(|guard| literal(text(guard.when)) == Some(false));
        out.refused = if always { Some(false) } else { refuses(false).then_some(true) };
    }
    out
}

/// The truth of an expression that says it outright.
fn literal(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// How instances come to be: births, and older versions' instances that the last migration takes into the present states.
pub fn births(contract: &Contract) -> Vec<Move<'_>> {
    let mut found = Vec::new();
    for birth in contract.begins.values() {
        for (branch, possible) in outcomes(contract, birth).taken {
            let act = Act { way: Way::Born, arrow: Some(birth), event: Some(&birth.name), branch: Some(branch), possible };
            found.extend(entered(contract, &branch.to).map(|to| Move { act, to }));
        }
    }
    if let Some(migration) = contract.migrations.values().next_back() {
        let way = Way::Migrated(migration.from_version);
        let act = Act { way, arrow: None, event: None, branch: None, possible: false };
        // Ends that it does not name are kept by the older instances that are there.
        let ended = contract.states.iter().filter(|s| s.terminal).map(|s| &s.name);
        let kept = ended.filter(|name| !migration.states.contains_key(*name));
        let mut states: Vec<&Name> = migration.states.values().chain(kept).collect();
        states.sort();
        states.dedup();
        found.extend(states.into_iter().filter_map(|state| entered(contract, state)).map(|to| Move { act, to }));
    }
    found
}

/// Everything that can happen to an instance and changes it: deadlines, then events, then overrides, these in order of name.
pub fn moves<'c>(contract: &'c Contract, world: &World) -> Vec<Move<'c>> {
    let mut found = Vec::new();
    let Some(state) = contract.states.get(world.state).map(|s| s.name.as_str()) else { return found };
    for place in next_due(contract, world) {
        let Some(event) = contract.deadlines.get(place).map(|d| &d.event) else { continue };
        let left: Vec<usize> = world.armed.iter().copied().filter(|armed| *armed != place).collect();
        let disarmed = |arrow, possible| Move {
            act: Act { way: Way::Disarmed, arrow, event: Some(event), branch: None, possible },
            to: World { state: world.state, armed: left.clone() },
        };
        let Some((arrow, _)) = lawful(contract, event, state).filter(|(_, is_override)| !is_override) else {
            found.push(disarmed(None, false));
            continue;
        };
        let out = outcomes(contract, arrow);
        for (branch, possible) in out.taken {
            let act = Act { way: Way::Fired, arrow: Some(arrow), event: Some(event), branch: Some(branch), possible };
            let after = landed(contract, arrow, world, state, branch, &left);
            found.extend(after.into_iter().map(|to| Move { act, to }));
        }
        found.extend(out.refused.map(|possible| disarmed(Some(arrow), possible)));
    }
    for name in contract.events.keys().chain(contract.overrides.keys()) {
        let Some((arrow, is_override)) = lawful(contract, name, state) else { continue };
        let way = if is_override { Way::Overridden } else { Way::Called };
        for (branch, possible) in outcomes(contract, arrow).taken {
            let act = Act { way, arrow: Some(arrow), event: Some(name), branch: Some(branch), possible };
            let after = landed(contract, arrow, world, state, branch, &world.armed);
            found.extend(after.into_iter().map(|to| Move { act, to }));
        }
    }
    found
}

/// The arrow of this name that is lawful in a state.
pub(super) fn lawful<'c>(contract: &'c Contract, name: &Name, state: &str) -> Option<(&'c Event, bool)> {
    let found = contract.event(name.as_str(), state);
    found.filter(|(arrow, is_override)| step::standing(contract, arrow, *is_override, state) == Standing::Lawful)
}

/// The arrow of this name that a state answers with the first receipt.
pub(super) fn same<'c>(contract: &'c Contract, name: &Name, state: &str) -> Option<&'c Event> {
    let (arrow, is_override) = contract.event(name.as_str(), state)?;
    (step::standing(contract, arrow, is_override, state) == Standing::Same).then_some(arrow)
}

/// The events and overrides of which some arrow says `on_same = "noop"`.
pub(super) fn noops(contract: &Contract) -> Vec<&Name> {
    let named = contract.events.iter().chain(&contract.overrides);
    named.filter(|(_, arrows)| arrows.iter().any(|a| a.on_same == OnSame::Noop)).map(|(name, _)| name).collect()
}

fn place(contract: &Contract, state: &Name) -> Option<usize> {
    contract.states.iter().position(|s| s.name == *state)
}

/// An instance that has just entered a state.
fn entered(contract: &Contract, state: &Name) -> Option<World> {
    Some(World { state: place(contract, state)?, armed: on_entry(contract, state) })
}

/// When an `at` is due is not known; that it errs, which refuses the move, is left out as of guards.
fn on_entry(contract: &Contract, state: &Name) -> Vec<usize> {
    let armed = step::deadlines_on_entry(contract, state.as_str(), Timestamp(0), &mut |_| Ok(Timestamp(0)));
    armed.unwrap_or_default().into_iter().map(|a| a.deadline).collect()
}

/// Where a move leads. Where a fact may have changed and one of the state's `at` deadlines had been disarmed, it may run
/// again or not: both are given.
fn landed(contract: &Contract, arrow: &Event, world: &World, from: &str, branch: &Branch, armed: &[usize]) -> Vec<World> {
    if step::arms(arrow, from, branch.to.as_str()) {
        return entered(contract, &branch.to).into_iter().collect();
    }
    let kept = World { state: world.state, armed: armed.to_vec() };
    let is_at = |place: &usize| contract.deadlines.get(*place).is_some_and(|d| matches!(d.due, Due::At(_)));
    let again: Vec<usize> =
        on_entry(contract, &branch.to).into_iter().filter(|place| is_at(place) || armed.contains(place)).collect();
    match arrow.sets.is_empty() || again == kept.armed {
        true => vec![kept],
        false => vec![World { state: world.state, armed: again }, kept],
    }
}

/// The deadlines that can be due next. Of those that wait from the entry on, only the first in order; an `at` at any time.
fn next_due(contract: &Contract, world: &World) -> Vec<usize> {
    let waits = |place: &&usize| contract.deadlines.get(**place).is_some_and(|d| matches!(d.due, Due::After(_)));
    let first = world.armed.iter().find(waits);
    world.armed.iter().filter(|place| !waits(place) || Some(*place) == first).copied().collect()
}
