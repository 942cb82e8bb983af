//! What callers, leaders and a panic do, step by step.

use super::{Call, Caller, End, Fault, Led, Place, Round, Said, Seat, Shared, State};
use std::mem;

impl Shared {
    pub(super) fn next(&self, state: &mut State, c: u8) {
        let me = usize::from(c);
        let (caller, _) = state.callers[me].clone();
        match caller {
            Caller::Outside => state.callers[me].0 = Caller::Arrives(None),
            Caller::Arrives(ahead) => {
                state.ahead[me] = ahead;
                state.seats[me] = Call::Nothing;
                state.line.push(c);
                state.callers[me].0 =
                    if mem::replace(&mut state.led, true) { Caller::Looks(false) } else { Caller::Leads(None, 0, Led::Take) };
            }
            Caller::Looks(woken) => {
                state.callers[me].0 = match mem::replace(&mut state.seats[me], Call::Nothing) {
                    Call::Nothing => Caller::Sleeps,
                    Call::Lead => Caller::Leads(None, 0, Led::Take),
                    Call::Answer(said, _) if self.fault == Some(Fault::WakeNoneUnwoken) && !woken => Caller::Returned(said),
                    Call::Answer(said, round) => Caller::Wakes(said, round, 1),
                };
            }
            Caller::Wakes(said, round, which) => {
                let place = 2 * round.own + which;
                state.wake(round.seats.get(usize::from(place)).copied());
                state.callers[me].0 = if which == 1 { Caller::Wakes(said, round, 2) } else { Caller::Returned(said) };
            }
            Caller::Leads(own, term, led) => {
                state.callers[me].0 = self.lead(state, c, own, term, led);
            }
            Caller::Sleeps | Caller::Returned(_) => {}
        }
    }

    fn lead(&self, state: &mut State, c: u8, mine: Option<Said>, term: u8, led: Led) -> Caller {
        match led {
            Led::Take => {
                let fit = state.line.len().min(self.group_max.into());
                state.taken = (state.line.drain(..fit).collect(), term == 0);
                Caller::Leads(mine, term, if fit == 0 { Led::Leave } else { Led::Begin })
            }
            Led::Begin => {
                state.locked = true;
                let base = state.rows.len() as u8;
                let mut version = base;
                let mut moves = Vec::new();
                for place in state.taken.0.clone() {
                    let is_done = state.rows.iter().any(|(who, _)| *who == place) && self.fault != Some(Fault::OnceForgotten);
                    let ahead = state.ahead[usize::from(place)];
                    let judged_on = match ahead {
                        Some(ahead) if ahead == version || self.fault == Some(Fault::WriteUncompared) => ahead,
                        // Undone, and judged in its turn.
                        _ => version,
                    };
                    moves.push((place, (!is_done).then_some(judged_on)));
                    version += u8::from(!is_done);
                }
                if self.fault == Some(Fault::AnswerBeforeCommit) {
                    for (place, _) in moves.iter().filter(|(place, _)| *place != c) {
                        state.seats[usize::from(*place)] = Call::Answer(Said::Done, Round { seats: Vec::new(), own: 0 });
                        state.wake(Some(state.seat(*place)));
                    }
                }
                Caller::Leads(mine, term, Led::Commit(moves))
            }
            Led::Commit(_) => Caller::Leads(mine, term, led),
            Led::Answer(mut said) => {
                let mine = if mem::take(&mut state.taken.1) { Some(said.remove(0).1) } else { mine };
                let seats = said.iter().map(|(place, _)| state.seat(*place)).collect();
                Caller::Leads(mine, term, Led::Hand(said, seats, 0))
            }
            Led::Hand(said, seats, count) if usize::from(count) < said.len() => {
                let own = if self.fault == Some(Fault::FirstAnswerFirst) { count } else { said.len() as u8 - 1 - count };
                let (place, one) = said[usize::from(own)];
                let answer = Call::Answer(one, Round { seats: seats.clone(), own });
                let before = mem::replace(&mut state.seats[usize::from(place)], answer);
                state.twice |= before != Call::Nothing && self.fault != Some(Fault::AnswerBeforeCommit);
                Caller::Leads(mine, term, Led::Hand(said, seats, count + 1))
            }
            Led::Hand(_, seats, _) => {
                state.wake(seats.first().copied());
                state.taken.0.clear();
                let over = term + 1 >= self.terms;
                Caller::Leads(mine, term + 1, if over { Led::Leave } else { Led::Take })
            }
            Led::Leave if self.fault == Some(Fault::LeaveUnlooked) => {
                Caller::Leads(mine, term, Led::Act(state.line.first().copied()))
            }
            Led::Leave => {
                let next = state.line.first().copied();
                state.pass(next);
                Caller::Returned(mine.unwrap_or(Said::Unknown))
            }
            Led::Act(next) => {
                state.pass(next);
                Caller::Returned(mine.unwrap_or(Said::Unknown))
            }
        }
    }

    pub(super) fn commit(&self, state: &mut State, c: u8, end: End) {
        let me = usize::from(c);
        let (Caller::Leads(own, term, Led::Commit(moves)), _) = state.callers[me].clone() else { return };
        state.locked = false;
        if matches!(end, End::Stored | End::UnknownStored) {
            state.rows.extend(moves.iter().filter_map(|(place, judged_on)| Some((*place, (*judged_on)?))));
        }
        state.failures -= u8::from(end != End::Stored);
        let said = |judged_on: Option<u8>| match end {
            End::Stored => Said::Done,
            End::Refused => Said::Failed,
            // What was found done was done before this.
            End::UnknownStored | End::UnknownLost if judged_on.is_none() => Said::Done,
            End::UnknownStored | End::UnknownLost => Said::Unknown,
        };
        let answers = moves.iter().map(|(place, judged_on)| (*place, said(*judged_on))).collect();
        state.callers[me].0 = Caller::Leads(own, term, Led::Answer(answers));
    }

    /// A panic of the machinery, before or after the commit: whoever was taken hears that the outcome is unknown, and the next is
    /// called. The leader's own caller sees the panic.
    pub(super) fn panic(&self, state: &mut State, c: u8) {
        let me = usize::from(c);
        state.panics -= 1;
        state.locked = false;
        let (mut places, is_first_own) = mem::take(&mut state.taken);
        if is_first_own && self.fault != Some(Fault::WakeOwnSeat) {
            places.remove(0);
        }
        let seats: Vec<_> = places.iter().map(|place| state.seat(*place)).collect();
        for (own, place) in (0u8..).zip(places).collect::<Vec<_>>().into_iter().rev() {
            state.seats[usize::from(place)] = Call::Answer(Said::Unknown, Round { seats: seats.clone(), own });
        }
        state.wake(seats.first().copied());
        let next = state.line.first().copied();
        state.pass(next);
        state.callers[me].0 = Caller::Returned(Said::Unknown);
    }
}

impl State {
    /// Where a caller sits in this try.
    fn seat(&self, place: Place) -> Seat {
        (place, self.callers[usize::from(place)].1)
    }

    fn wake(&mut self, seat: Option<Seat>) {
        if let Some((place, tries)) = seat
            && let (caller @ Caller::Sleeps, now) = &mut self.callers[usize::from(place)]
            && *now == tries
        {
            *caller = Caller::Looks(true);
        }
    }

    /// Calls who is next, or leaves.
    fn pass(&mut self, next: Option<Place>) {
        match next {
            Some(next) => {
                self.seats[usize::from(next)] = Call::Lead;
                self.wake(Some(self.seat(next)));
            }
            None => self.led = false,
        }
    }

    pub(super) fn leaders(&self) -> usize {
        let leads = self.callers.iter().filter(|(caller, _)| matches!(caller, Caller::Leads(..))).count();
        leads + self.seats.iter().filter(|seat| **seat == Call::Lead).count()
    }

    pub(super) fn is_stored(&self, place: usize) -> bool {
        self.rows.iter().any(|(who, _)| usize::from(*who) == place)
    }
}
