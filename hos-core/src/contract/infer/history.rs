//! A history, folded row by row: what happened how often, never which row after which.

use super::names::{Names, brief};
use super::proposal::Example;
use super::waits::Waits;
use super::{EDGES_MAX, EXAMPLES, INSTANCES_MAX};
use crate::id::InstanceId;
use crate::limits::{EVENTS_MAX, STATES_MAX};
use crate::time::{Span, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// Where a row says that its move began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// In this state.
    State(&'a str),
    /// Nowhere: the instance came into being.
    Birth,
    /// It does not say: where the row before it ended, or at a birth.
    Unsaid,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// Of which instance.
    pub instance: &'a str,
    /// From where.
    pub from: Source<'a>,
    /// Into which state.
    pub to: &'a str,
    /// By which event, where that is known.
    pub event: Option<&'a str>,
    /// When, where that is known.
    pub time: Option<Timestamp>,
    /// Where the row is.
    pub line: u64,
}

/// What part of a row is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The instance.
    Instance,
    /// The source.
    From,
    /// The target.
    To,
    /// The event.
    Event,
    /// The time.
    Time,
}

/// Why a row is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// Where it lies.
    pub column: Column,
    /// What is wrong, and what to do.
    pub message: String,
}

fn refused(column: Column) -> impl Fn(String) -> Refused {
    move |message| Refused { column, message }
}

/// How often something happened, and the first few times.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) examples: Vec<Example>,
}

impl Tally {
    fn add(&mut self, row: &Move<'_>) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(Example { instance: row.instance.to_owned(), line: row.line });
        }
    }
}

/// What is kept of one kind of move.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) tally: Tally,
    /// How often the instance was not where the row says.
    pub(super) after_break: u64,
    pub(super) waits: Waits,
}

/// Where an instance is.
#[derive(Debug)]
struct Instance {
    state: u16,
    /// Since when, in milliseconds.
    since: Option<i64>,
    /// The time of its last row.
    last: Option<i64>,
    /// The states it has been in, a bit each.
    been: [u64; STATES_MAX / 64],
}

impl Instance {
    /// Whether it had been in the state before.
    fn enter(&mut self, state: u16) -> bool {
        let (word, bit) = (usize::from(state) / 64, 1u64 << (state % 64));
        let Some(word) = self.been.get_mut(word) else { return false };
        let again = *word & bit != 0;
        *word |= bit;
        again
    }
}

/// How often a state was come to.
#[derive(Debug, Clone, Default)]
pub(super) struct Visits {
    /// From elsewhere, or at a birth, or found there when the history begins.
    pub(super) entries: u64,
    /// Of them, by an instance that had been there before.
    pub(super) again: u64,
    /// How many rows name no event and leave it as it is: the world's row was touched, and nothing moved.
    pub(super) stayed: u64,
}

/// What the rows came to, so far.
#[derive(Debug)]
pub struct History {
    /// Whether rows of an instance may go back in time.
    file_order: bool,
    pub(super) states: Names,
    pub(super) events: Names,
    instances: HashMap<Box<str>, Instance>,
    pub(super) rows: u64,
    pub(super) visits: Vec<Visits>,
    /// By source, event and target.
    pub(super) moves: BTreeMap<(u16, u16, u16), Moved>,
    /// By event and target.
    pub(super) births: BTreeMap<(Option<u16>, u16), Tally>,
    /// Instances whose first row has a source: the history begins later than they did.
    pub(super) found: BTreeMap<u16, Tally>,
    /// By where the instance was, where the row says it was (`None`: unborn), and where the row leads.
    pub(super) breaks: BTreeMap<(u16, Option<u16>, u16), Tally>,
    last: Option<i64>,
    /// The number of milliseconds that all times are multiples of: a day, an hour, ..; the coarsest such unit.
    resolution: usize,
}

/// Units that times may be whole numbers of, the coarsest first.
const UNITS: [i64; 5] = [86_400_000, 3_600_000, 60_000, 1_000, 1];

impl History {
    /// None so far. With `file_order`, rows stand as they happened whatever their times say; else an instance's row that is
    /// earlier than the one before it is refused.
    pub fn new(file_order: bool) -> Self {
        Self {
            file_order,
            states: Names::new("state", STATES_MAX),
            events: Names::new("event", EVENTS_MAX),
            instances: HashMap::new(),
            rows: 0,
            visits: Vec::new(),
            moves: BTreeMap::new(),
            births: BTreeMap::new(),
            found: BTreeMap::new(),
            breaks: BTreeMap::new(),
            last: None,
            resolution: 0,
        }
    }

    /// Takes the next row.
    pub fn add(&mut self, row: &Move<'_>) -> Result<(), Refused> {
        let said = match row.from {
            Source::State(text) => Some(self.states.number(text, row.line).map_err(refused(Column::From))?),
            Source::Birth | Source::Unsaid => None,
        };
        let to = self.states.number(row.to, row.line).map_err(refused(Column::To))?;
        self.visits.resize(self.states.all().len(), Visits::default());
        let time = row.time.map(|t| t.0);
        let event = row.event.map(|text| self.events.number(text, row.line)).transpose().map_err(refused(Column::Event))?;
        if !self.instances.contains_key(row.instance) {
            self.admit(row, to, said, event)?;
        } else {
            self.follow(row, to, said, event)?;
        }
        if let Some(ms) = time {
            self.last = self.last.max(Some(ms));
            while UNITS.get(self.resolution).is_some_and(|unit| ms % unit != 0) {
                self.resolution += 1;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// An instance's first row.
    fn admit(&mut self, row: &Move<'_>, to: u16, said: Option<u16>, event: Option<u16>) -> Result<(), Refused> {
        InstanceId::check(row.instance)
            .map_err(|e| refused(Column::Instance)(format!("{e}: does it hold the instance's id?")))?;
        if self.instances.len() >= INSTANCES_MAX {
            let message = format!("this is the instance after {INSTANCES_MAX} others: give a part of the history");
            return Err(refused(Column::Instance)(message));
        }
        let time = row.time.map(|t| t.0);
        let mut instance = Instance { state: to, since: time, last: time, been: [0; STATES_MAX / 64] };
        match said {
            None => {
                self.births.entry((event, to)).or_default().add(row);
            }
            Some(from) => {
                self.found.entry(from).or_default().add(row);
                instance.enter(from);
                self.visit(from, false);
                self.moved(row, (from, event, to), None, false)?;
            }
        }
        if said != Some(to) {
            let again = instance.enter(to);
            self.visit(to, again);
        }
        self.instances.insert(row.instance.into(), instance);
        Ok(())
    }

    /// A later row.
    fn follow(&mut self, row: &Move<'_>, to: u16, said: Option<u16>, event: Option<u16>) -> Result<(), Refused> {
        let time = row.time.map(|t| t.0);
        let Some(instance) = self.instances.get_mut(row.instance) else { return Ok(()) };
        if let (Some(before), Some(now), false) = (instance.last, time, self.file_order)
            && now < before
        {
            let (before, now) = (Timestamp(before), Timestamp(now));
            return Err(refused(Column::Time)(format!(
                "goes back from {before} to {now} within `{}`: sort the file by time, or say that it stands as it happened (`--file-order`)",
                brief(row.instance)
            )));
        }
        let was = instance.state;
        let from = if row.from == Source::Unsaid { Some(was) } else { said };
        let holds = from == Some(was);
        let span = time.zip(instance.since).map(|(now, since)| Span(now - since)).filter(|span| holds && span.0 >= 0);
        // A row that was written twice moves nothing the second time.
        let moves = was != to;
        let again = moves && instance.enter(to);
        instance.last = time;
        if moves {
            (instance.state, instance.since) = (to, time);
        }
        if moves {
            self.visit(to, again);
        }
        if !holds {
            let key = (was, from, to);
            if self.breaks.len() >= EDGES_MAX && !self.breaks.contains_key(&key) {
                let message = format!(
                    "`{}` was in another state than this row says, in another way after {EDGES_MAX}: the rows of an instance do \
                     not stand in the order of time, or a column is not what it is taken for",
                    brief(row.instance)
                );
                return Err(refused(Column::From)(message));
            }
            self.breaks.entry(key).or_default().add(row);
        }
        let Some(from) = from else { return Ok(()) };
        self.moved(row, (from, event, to), span, !holds)
    }

    fn visit(&mut self, state: u16, again: bool) {
        if let Some(visits) = self.visits.get_mut(usize::from(state)) {
            visits.entries += 1;
            visits.again += u64::from(again);
        }
    }

    /// Counts a move; an event that has no name has that of the target.
    fn moved(
        &mut self,
        row: &Move<'_>,
        key: (u16, Option<u16>, u16),
        span: Option<Span>,
        after_break: bool,
    ) -> Result<(), Refused> {
        let event = match key.1 {
            Some(event) => event,
            None if key.0 == key.2 => {
                if let Some(visits) = self.visits.get_mut(usize::from(key.2)) {
                    visits.stayed += 1;
                }
                return Ok(());
            }
            None => self.events.number(row.to, row.line).map_err(refused(Column::To))?,
        };
        let key = (key.0, event, key.2);
        if self.moves.len() >= EDGES_MAX && !self.moves.contains_key(&key) {
            let message = format!("this is another kind of move after {EDGES_MAX}: the columns hold something else than states");
            return Err(refused(Column::To)(message));
        }
        let moved = self.moves.entry(key).or_default();
        if let Some(span) = span.filter(|_| key.0 != key.2) {
            moved.waits.add(span);
        }
        moved.tally.add(row);
        moved.after_break += u64::from(after_break);
        Ok(())
    }

    /// How many instances there are.
    pub fn instances(&self) -> u64 {
        self.instances.len() as u64
    }

    /// How many rows were taken.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What all times are whole numbers of; `None` where there are none.
    pub(super) fn resolution(&self) -> Option<Span> {
        self.last.and(UNITS.get(self.resolution)).map(|ms| Span(*ms))
    }

    /// For each state, how many rest there at the end, and for how long.
    pub(super) fn resting(&self) -> Vec<(u64, Waits)> {
        let mut out = vec![(0, Waits::default()); self.states.all().len()];
        for instance in self.instances.values() {
            let Some((count, ages)) = out.get_mut(usize::from(instance.state)) else { continue };
            *count += 1;
            if let (Some(since), Some(last)) = (instance.since, self.last) {
                ages.add(Span(last.saturating_sub(since)));
            }
        }
        out
    }
}
