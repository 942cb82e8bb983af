//! Callers in a line, and who of them leads.
//!
//! The first who finds nobody at work leads: it takes what waits, its own jobs first, has all of it run in one group, and
//! hands out the answers. Then it makes the first who waits the leader, or leaves. What a group does is not known here.

use std::collections::VecDeque;
use std::mem;

use super::seat::{Seat, Turn, answer_all};
use super::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many groups a leader runs before another takes its place.
const TERMS_MAX: usize = 4;

/// One caller's jobs, and the place where its answers will lie.
struct Ticket<J, A> {
    jobs: Vec<J>,
    seat: Arc<Seat<Vec<A>>>,
}

/// The callers that wait, and whether somebody leads.
///
/// INVARIANT: while anybody waits, exactly one leads or has been called to. Whoever comes to a line that nobody leads, leads it;
/// whoever stops leading calls the first who waits, or leaves if nobody does. Both look and act under one lock.
pub(super) struct Line<J, A> {
    state: Mutex<State<J, A>>,
}

struct State<J, A> {
    waiting: VecDeque<Ticket<J, A>>,
    led: bool,
}

impl<J, A> Line<J, A> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { waiting: VecDeque::new(), led: false }) }
    }

    /// Whether somebody leads.
    pub(super) fn is_led(&self) -> bool {
        lock_of(&self.state).led
    }

    /// Has these jobs run, at least one, perhaps with others' in one group of at most `group_max` (a caller's own are never
    /// parted); as many answers as jobs, in their order.
    ///
    /// Who leads calls `run`, which answers each job that it is given. If it panics, those who wait for this group get `lost`.
    pub(super) fn submit(
        &self,
        jobs: Vec<J>,
        group_max: usize,
        mut run: impl FnMut(Vec<J>) -> Vec<A>,
        lost: fn() -> A,
    ) -> Vec<A> {
        let seat = Seat::new();
        let lead = {
            let mut state = lock_of(&self.state);
            state.waiting.push_back(Ticket { jobs, seat: seat.clone() });
            !mem::replace(&mut state.led, true)
        };
        if !lead && let Turn::Answered(answers) = seat.wait() {
            return answers;
        }
        let mut led = Led { line: self, taken: Vec::new(), is_first_own: true, lost };
        let mut own = Vec::new();
        // A new leader has to be woken, and finds cold what this one has at hand: so it goes on for a while if others wait,
        // though its own answers lie there already.
        for term in 0..TERMS_MAX {
            let jobs = led.take(group_max);
            if jobs.is_empty() {
                break;
            }
            let answers = run(jobs);
            let first = led.answer(answers);
            if term == 0 {
                own = first;
            }
        }
        drop(led);
        own
    }
}

/// A leader's terms. However they end, everybody it took is answered and the next one is called.
struct Led<'l, J, A> {
    line: &'l Line<J, A>,
    taken: Vec<(usize, Arc<Seat<Vec<A>>>)>,
    /// Whether the first of those it takes is the leader itself, at whose seat nobody waits: its ticket stands first in the
    /// line, so it is in its first group, and in no other.
    is_first_own: bool,
    lost: fn() -> A,
}

impl<J, A> Led<'_, J, A> {
    /// Takes callers from the front while their jobs fit; at least one caller, if there is one.
    fn take(&mut self, group_max: usize) -> Vec<J> {
        let mut state = lock_of(&self.line.state);
        let mut jobs = Vec::new();
        while let Some(ticket) = state.waiting.front() {
            if !self.taken.is_empty() && jobs.len() + ticket.jobs.len() > group_max {
                break;
            }
            let Some(ticket) = state.waiting.pop_front() else { break };
            self.taken.push((ticket.jobs.len(), ticket.seat));
            jobs.extend(ticket.jobs);
        }
        jobs
    }

    /// Hands out the answers; gives back those of the leader itself, if it is among them.
    fn answer(&mut self, answers: Vec<A>) -> Vec<A> {
        let mut answers = answers.into_iter();
        let mut each: Vec<_> =
            mem::take(&mut self.taken).into_iter().map(|(count, seat)| (seat, answers.by_ref().take(count).collect())).collect();
        let own = if mem::take(&mut self.is_first_own) && !each.is_empty() { each.remove(0).1 } else { Vec::new() };
        answer_all(each);
        own
    }
}

impl<J, A> Drop for Led<'_, J, A> {
    fn drop(&mut self) {
        // Only a panic of the machinery itself leaves callers here; whether it committed is not known.
        let lost = self.taken.iter().flat_map(|(count, _)| (0..*count).map(|_| (self.lost)())).collect();
        self.answer(lost);
        let mut state = lock_of(&self.line.state);
        match state.waiting.front() {
            Some(next) => next.seat.lead(),
            None => state.led = false,
        }
    }
}

fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
