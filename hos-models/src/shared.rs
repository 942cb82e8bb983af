//! The shared commit (`hos-engine/src/store/sqlite/{commit,line,seat}.rs`): callers in a line, one of whom leads; answers, and who
//! wakes whom; jobs that were judged ahead of their turn.
//!
//! Every job moves one row, so that what was judged ahead is stale whenever anybody else came first, another process too. A move
//! notes the version that it was judged on. The process may be killed at each step; callers then ask again in a new one, under the
//! same once-key. Nobody wakes without being called, so that a call that is missing shows.

mod steps;

use stateright::{Model, Property};

/// What can be wrong with it, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Who stops leading looks at the line, and acts on what it saw after it gave the lock back.
    LeaveUnlooked,
    /// Answers are handed out before the commit.
    AnswerBeforeCommit,
    /// What was judged ahead is written without a look at the version that it stood on.
    WriteUncompared,
    /// When a group is lost to a panic, the leader's own seat is the first that is woken, and nobody sits there.
    WakeOwnSeat,
    /// A caller that finds its answer before it is woken wakes nobody.
    WakeNoneUnwoken,
    /// Answers are laid down from the first to the last: who finds its own early wakes others who have none yet.
    FirstAnswerFirst,
    /// A once-key is not looked up.
    OnceForgotten,
}

/// The model, and its bounds.
#[derive(Debug, Clone)]
pub struct Shared {
    /// How many callers there are; each has one job.
    pub callers: u8,
    /// How often each asks, at most: an unknown outcome is asked again.
    pub tries: u8,
    /// How many jobs a group has, at most.
    pub group_max: u8,
    /// How many groups a leader runs, at most.
    pub terms: u8,
    /// How often the process is killed, at most.
    pub kills: u8,
    /// How often a commit fails, at most.
    pub failures: u8,
    /// How often the machinery panics, at most.
    pub panics: u8,
    /// How often another process writes.
    pub others: u8,
    /// What is planted.
    pub fault: Option<Fault>,
}

type Place = u8;

/// A seat: whose, and for which of its tries. Who asks again sits elsewhere, where no late call of an earlier round comes.
type Seat = (Place, u8);

/// The callers of one group, who wake each other: two each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Round {
    seats: Vec<Seat>,
    own: u8,
}

/// What a caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Said {
    Done,
    Failed,
    Unknown,
}

/// What lies at a caller's seat.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Call {
    Nothing,
    Lead,
    Answer(Said, Round),
}

/// How far a leader is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Led {
    Take,
    Begin,
    /// In the transaction; whether each of those it took has a move there, and on which version it was judged.
    Commit(Vec<(Place, Option<u8>)>),
    /// Ended: what each of those it took gets.
    Answer(Vec<(Place, Said)>),
    /// Handing out: what each gets, the seats of this round, how many answers lie there, the last of them first.
    Hand(Vec<(Place, Said)>, Vec<Seat>, u8),
    Leave,
    /// By [`Fault::LeaveUnlooked`] alone: what it saw.
    Act(Option<Place>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Caller {
    /// May look ahead first.
    Outside,
    /// What it saw ahead: the version.
    Arrives(Option<u8>),
    /// At its seat, about to look; whether it was woken to.
    Looks(bool),
    /// At its seat, asleep.
    Sleeps,
    /// Has its answer, and has yet to wake: the first or second below it.
    Wakes(Said, Round, u8),
    /// Leads: its own answer, the term, and how far.
    Leads(Option<Said>, u8, Led),
    Returned(Said),
}

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Committed moves: who, and on which version it was judged. [`OTHER`] is another process.
    rows: Vec<(Place, u8)>,
    callers: Vec<(Caller, u8)>,
    seats: Vec<Call>,
    ahead: Vec<Option<u8>>,
    line: Vec<Place>,
    led: bool,
    /// Somebody is in a transaction.
    locked: bool,
    /// Who the leader took and has not answered: their places, whether the first is its own.
    taken: (Vec<Place>, bool),
    /// Somebody was answered twice.
    twice: bool,
    kills: u8,
    failures: u8,
    panics: u8,
    others: u8,
}

const OTHER: Place = Place::MAX;

/// How a commit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Stored, and said so.
    Stored,
    /// Surely not stored.
    Refused,
    /// An error after which nobody knows; it was stored.
    UnknownStored,
    /// The same; it was not.
    UnknownLost,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A caller looks ahead.
    Ahead(u8),
    /// It does what comes next.
    Next(u8),
    /// It commits as a leader.
    Commit(u8, End),
    /// The machinery panics under it as a leader.
    Panic(u8),
    /// It asks again, not knowing the outcome.
    Again(u8),
    /// Another process writes.
    Other,
    /// The process is killed; callers ask again in a new one.
    Kill,
}

const WAITS: &str = "somebody waits for ever";
const TWICE: &str = "somebody is answered twice";
const DURABLE: &str = "an answer says done, and it is not stored";
const LEADER: &str = "somebody waits, and nobody leads";
const STALE: &str = "a move stands on another version than that before it";
const ONCE: &str = "a job is done twice";

impl Model for Shared {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let callers = usize::from(self.callers);
        vec![State {
            rows: Vec::new(),
            callers: vec![(Caller::Outside, self.tries); callers],
            seats: vec![Call::Nothing; callers],
            ahead: vec![None; callers],
            line: Vec::new(),
            led: false,
            locked: false,
            taken: (Vec::new(), false),
            twice: false,
            kills: self.kills,
            failures: self.failures,
            panics: self.panics,
            others: self.others,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for (c, (caller, tries)) in (0..).zip(&state.callers) {
            match caller {
                Caller::Outside => actions.extend([Step::Ahead(c), Step::Next(c)]),
                Caller::Returned(Said::Unknown) if *tries > 1 => actions.push(Step::Again(c)),
                Caller::Sleeps | Caller::Returned(_) => {}
                Caller::Leads(_, _, Led::Begin) if state.locked => {}
                Caller::Leads(_, _, Led::Commit(_)) => {
                    actions.push(Step::Commit(c, End::Stored));
                    if state.failures > 0 {
                        actions.extend([End::Refused, End::UnknownStored, End::UnknownLost].map(|end| Step::Commit(c, end)));
                    }
                }
                Caller::Looks(_) | Caller::Arrives(_) | Caller::Wakes(..) | Caller::Leads(..) => actions.push(Step::Next(c)),
            }
            if state.panics > 0 && matches!(caller, Caller::Leads(_, _, Led::Commit(_) | Led::Answer(_))) {
                actions.push(Step::Panic(c));
            }
        }
        if state.others > 0 && !state.locked {
            actions.push(Step::Other);
        }
        if state.kills > 0 {
            actions.push(Step::Kill);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut state = state.clone();
        match step {
            Step::Ahead(c) => state.callers[usize::from(c)].0 = Caller::Arrives(Some(state.rows.len() as u8)),
            Step::Next(c) => self.next(&mut state, c),
            Step::Commit(c, end) => self.commit(&mut state, c, end),
            Step::Panic(c) => self.panic(&mut state, c),
            Step::Again(c) => {
                state.callers[usize::from(c)].1 -= 1;
                state.callers[usize::from(c)].0 = Caller::Arrives(None);
            }
            Step::Other => {
                state.others -= 1;
                state.rows.push((OTHER, state.rows.len() as u8));
            }
            Step::Kill => {
                state.kills -= 1;
                for (caller, _) in &mut state.callers {
                    if !matches!(caller, Caller::Returned(_)) {
                        *caller = Caller::Outside;
                    }
                }
                state.seats.fill(Call::Nothing);
                state.ahead.fill(None);
                state.line.clear();
                state.taken = (Vec::new(), false);
                (state.led, state.locked) = (false, false);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            // Every step brings the end nearer, so who is not answered where nothing can happen any more never is.
            Property::always(WAITS, |model: &Self, state: &State| {
                let mut left = Vec::new();
                model.actions(state, &mut left);
                let goes_on = left.iter().any(|step| !matches!(step, Step::Kill | Step::Other));
                goes_on || state.callers.iter().all(|(caller, _)| matches!(caller, Caller::Returned(_)))
            }),
            Property::always(TWICE, |_, state: &State| !state.twice),
            Property::always(DURABLE, |_, state: &State| {
                state.callers.iter().zip(&state.seats).enumerate().all(|(place, ((caller, _), seat))| {
                    let done = matches!(caller, Caller::Returned(Said::Done) | Caller::Wakes(Said::Done, ..))
                        || matches!(seat, Call::Answer(Said::Done, _));
                    !done || state.is_stored(place)
                })
            }),
            Property::always(LEADER, |_, state: &State| {
                let leaders = state.leaders();
                leaders <= 1 && state.led == (leaders == 1) && (state.line.is_empty() || leaders == 1)
            }),
            Property::always(STALE, |_, state: &State| {
                (0..).zip(&state.rows).all(|(version, (_, judged_on))| version == *judged_on)
            }),
            Property::always(ONCE, |_, state: &State| {
                let again = |at: usize, who: Place| state.rows.iter().skip(at + 1).any(|(other, _)| *other == who);
                !state.rows.iter().enumerate().any(|(at, (who, _))| *who != OTHER && again(at, *who))
            }),
            Property::sometimes("a group has several jobs", |model: &Self, state: &State| {
                state.taken.0.len() == usize::from(model.group_max)
            }),
            Property::sometimes("leadership is passed on", |_, state: &State| state.seats.contains(&Call::Lead)),
            Property::sometimes("everybody is done", |_, state: &State| {
                state.callers.iter().all(|(caller, _)| *caller == Caller::Returned(Said::Done))
            }),
        ]
    }
}

/// What each fault breaks, at least.
pub const FAULTS: [(Fault, &str); 8] = [
    (Fault::LeaveUnlooked, WAITS),
    (Fault::LeaveUnlooked, LEADER),
    (Fault::AnswerBeforeCommit, DURABLE),
    (Fault::WriteUncompared, STALE),
    (Fault::WakeOwnSeat, WAITS),
    (Fault::WakeNoneUnwoken, WAITS),
    (Fault::FirstAnswerFirst, WAITS),
    (Fault::OnceForgotten, ONCE),
];
