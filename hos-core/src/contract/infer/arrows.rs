//! Moves made into a contract's arrows: one name each, and no two ways out of one state by one event.

use super::names::Renamed;
use super::proposal::{Edge, Proposal, Verdict};
use crate::id::Name;
use crate::limits::{EVENTS_MAX, NAME_BYTES_MAX};
use std::collections::{BTreeMap, BTreeSet};

/// An action is `CONTRACT.EVENT`, one name long; so much is left to the event.
const EVENT_BYTES_MIN: usize = 64;

/// The name that no event has: who may bring instances in is asked for as `CONTRACT.adopt`.
pub(super) const ADOPT: &str = "adopt";

/// One arrow of an event: all its sources, one target.
#[derive(Debug, Clone)]
pub struct Arrow {
    /// The event's name in the contract.
    pub name: Name,
    /// The event's name in the history: another where the event had to be split.
    pub event: Name,
    /// Where it leads.
    pub to: Name,
    /// Its moves, as places in [`Proposal::edges`].
    pub edges: Vec<usize>,
    /// Whether it is written; else it is written and switched off.
    pub kept: bool,
}

/// Everything that happens, named.
#[derive(Debug, Clone, Default)]
pub struct Arrows {
    /// Names of births, and their places in [`Proposal::births`].
    pub births: Vec<(Name, usize)>,
    /// Arrows, in the order of their first source.
    pub arrows: Vec<Arrow>,
    /// Events of the history that lead from one state to several, with one such state.
    pub split: BTreeMap<Name, Name>,
    /// Events and births that could not keep the name that they have in the history.
    pub renamed: Vec<Renamed>,
}

/// Names that are taken, each made so that action `CONTRACT.NAME` is no longer than a name may be.
struct Taken {
    max: usize,
    names: BTreeSet<String>,
}

impl Taken {
    /// This name, or one like it that nobody has.
    fn take(&mut self, wanted: &str) -> Option<Name> {
        let cut = |end: usize| wanted.get(..end.min(wanted.len())).unwrap_or(wanted);
        let mut name = cut(self.max).to_owned();
        let mut number = 2;
        while self.names.contains(&name) {
            let ending = format!("_{number}");
            name = format!("{}{ending}", cut(self.max.saturating_sub(ending.len())));
            number += 1;
        }
        let made = Name::new(&name).ok();
        self.names.insert(name);
        made
    }
}

/// Names all births and moves. Says why where there are more than a contract may hold.
pub fn arrows(proposal: &Proposal, contract: &Name) -> Result<Arrows, String> {
    let max = NAME_BYTES_MAX.saturating_sub(1 + contract.as_str().len());
    if max < EVENT_BYTES_MIN {
        return Err(format!("a contract's name has at most {} bytes here", NAME_BYTES_MAX - 1 - EVENT_BYTES_MIN));
    }
    let mut taken = Taken { max, names: BTreeSet::from([ADOPT.to_owned()]) };
    let split = split(&proposal.edges);
    let mut out = Arrows { split: split.clone(), ..Arrows::default() };
    // Whole events first: they keep their names.
    let mut named: BTreeMap<(&Name, Option<&Name>), Name> = BTreeMap::new();
    for pass in [false, true] {
        for edge in &proposal.edges {
            let apart = split.contains_key(&edge.event) || is_shut_out(edge, &proposal.edges);
            let key = (&edge.event, apart.then_some(&edge.to));
            if apart != pass || named.contains_key(&key) {
                continue;
            }
            let wanted = if apart { format!("{}_to_{}", edge.event, edge.to) } else { edge.event.to_string() };
            let name = taken.take(&wanted).ok_or_else(|| format!("`{}` can be no event's name", edge.event))?;
            if !apart && name != edge.event {
                out.renamed.push(Renamed { what: "event", said: edge.event.to_string(), name: name.clone() });
            }
            named.insert(key, name);
        }
    }
    for (place, edge) in proposal.edges.iter().enumerate() {
        let apart = split.contains_key(&edge.event) || is_shut_out(edge, &proposal.edges);
        let Some(name) = named.get(&(&edge.event, apart.then_some(&edge.to))) else { continue };
        let kept = edge.verdict != Verdict::Illegal;
        let same = |a: &&mut Arrow| a.name == *name && a.to == edge.to && a.kept == kept;
        // What is left out stands by itself, so that each can be switched on alone.
        match out.arrows.iter_mut().find(same).filter(|_| kept) {
            Some(arrow) => arrow.edges.push(place),
            None => out.arrows.push(Arrow {
                name: name.clone(),
                event: edge.event.clone(),
                to: edge.to.clone(),
                edges: vec![place],
                kept,
            }),
        }
    }
    births(proposal, &mut taken, &mut out)?;
    let count = out.births.len() + out.arrows.iter().filter(|a| a.kept).count();
    if count > EVENTS_MAX {
        return Err(format!("this comes to {count} births and arrows, and a contract holds {EVENTS_MAX}"));
    }
    Ok(out)
}

/// Events that are kept and lead from one state to several.
fn split(edges: &[Edge]) -> BTreeMap<Name, Name> {
    let mut seen = BTreeSet::new();
    let kept = edges.iter().filter(|e| e.verdict != Verdict::Illegal);
    kept.filter(|e| !seen.insert((&e.event, &e.from))).map(|e| (e.event.clone(), e.from.clone())).collect()
}

/// Whether a move is left out, and its event leads elsewhere from the same state: it could not be switched on under that name.
fn is_shut_out(edge: &Edge, edges: &[Edge]) -> bool {
    let same = |e: &&Edge| (&e.event, &e.from) == (&edge.event, &edge.from) && e.to != edge.to;
    edge.verdict == Verdict::Illegal && edges.iter().any(|e| same(&e))
}

fn births(proposal: &Proposal, taken: &mut Taken, out: &mut Arrows) -> Result<(), String> {
    let kept: Vec<(usize, &super::Birth)> = proposal.births.iter().enumerate().filter(|(_, b)| b.kept).collect();
    for (place, birth) in &kept {
        let alone = kept.iter().filter(|(_, b)| b.event == birth.event).count() == 1;
        let wanted = match (&birth.event, alone) {
            (Some(event), true) => event.to_string(),
            (Some(event), false) => format!("{event}_to_{}", birth.to),
            (None, true) => "begin".to_owned(),
            (None, false) => format!("begin_{}", birth.to),
        };
        // An event of that name stands already: the history calls births and moves alike.
        let wanted = if taken.names.contains(&wanted) { format!("begin_{}", birth.to) } else { wanted };
        let name = taken.take(&wanted).ok_or_else(|| format!("`{wanted}` can be no birth's name"))?;
        if birth.event.as_ref().is_some_and(|event| event.as_str() == ADOPT) {
            out.renamed.push(Renamed { what: "birth", said: ADOPT.to_owned(), name: name.clone() });
        }
        out.births.push((name, *place));
    }
    Ok(())
}
