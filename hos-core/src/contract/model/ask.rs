//! What each question follows along a path.

use super::search::{Edge, Follow, Graph};
use super::world::{self, Way};
use crate::contract::definition::{Branch, Event, PathRule};
use crate::id::Name;

/// Every world, and nothing else.
pub(super) struct Everything;

impl Follow for Everything {
    fn moved(&self, _: u16, _: &Edge<'_>) -> Option<u16> {
        Some(0)
    }
}

/// A promise; [`BROKEN`] once it is broken. Where an instance of an older version has been is not known, so only births count.
pub(super) struct Promised<'q, 'c> {
    pub(super) graph: &'q Graph<'c>,
    pub(super) rule: &'q PathRule,
}

/// No number of a state.
pub(super) const BROKEN: u16 = u16::MAX;

impl Follow for Promised<'_, '_> {
    fn moved(&self, number: u16, edge: &Edge<'_>) -> Option<u16> {
        if number == BROKEN || matches!(edge.act.way, Way::Migrated(_)) {
            return None;
        }
        let to = self.graph.state(edge.to);
        if !edge.enters(self.graph) {
            return Some(number);
        }
        Some(match self.rule {
            PathRule::Before(never, _) if never.as_str() == to => BROKEN,
            // Whatever comes later, the promise is kept.
            PathRule::Before(_, before) if before.as_str() == to => return None,
            PathRule::After(never, _) if number == 1 && never.as_str() == to => BROKEN,
            PathRule::After(_, after) if after.as_str() == to => 1,
            PathRule::Apart(states) => match states.iter().zip(1..).find(|(state, _)| state.as_str() == to) {
                Some((_, place)) if number == 0 || number == place => place,
                Some(_) => BROKEN,
                None => number,
            },
            _ => number,
        })
    }
}

/// A call that is answered as done already: 1 from then on.
pub(super) struct Answered<'q, 'c> {
    pub(super) graph: &'q Graph<'c>,
    pub(super) event: &'q Name,
}

impl Follow for Answered<'_, '_> {
    fn moved(&self, number: u16, _: &Edge<'_>) -> Option<u16> {
        Some(number)
    }

    fn answered(&self, number: u16, at: usize) -> Option<u16> {
        (number == 0 && world::same(self.graph.contract, self.event, self.graph.state(at)).is_some()).then_some(1)
    }
}

/// The effects of an arrow, which wait for one of its replies: 1 while they do.
pub(super) struct Awaiting<'q> {
    pub(super) arrow: &'q Event,
}

impl<'q> Awaiting<'q> {
    /// The branches that send what is answered. Where only some have effects, only those do.
    pub(super) fn branches(&self) -> impl Iterator<Item = &'q Branch> {
        let everywhere = !self.arrow.effects.is_empty() || self.arrow.branches.iter().all(|b| b.effects.is_empty());
        self.arrow.branches.iter().filter(move |branch| everywhere || !branch.effects.is_empty())
    }

    fn sends(&self, edge: &Edge<'_>) -> bool {
        edge.act.branch.is_some_and(|taken| self.branches().any(|branch| std::ptr::eq(branch, taken)))
    }
}

impl Follow for Awaiting<'_> {
    fn moved(&self, number: u16, edge: &Edge<'_>) -> Option<u16> {
        if self.sends(edge) {
            return Some(1);
        }
        // The clock brings no answer: a deadline's event leaves it open.
        let answers = edge.act.way == Way::Called && edge.act.event.is_some_and(|e| self.arrow.replies.contains(e));
        Some(if answers { 0 } else { number })
    }
}
