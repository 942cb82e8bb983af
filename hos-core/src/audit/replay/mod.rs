//! The past, judged again: from what a record holds and what the records before it left, by the very code that judged it.
//!
//! [`Case::of`] makes the case out of the record: who asked what of which instance, the entities and links that were judged
//! (slot 2 is the whole entity world of a decision), the time, the modes. [`Past::again`] judges it under the laws that the
//! header names and compares the record that comes of it with the one that is there, field by field and part by part;
//! [`Past::under`] judges it under another law and says what that one would have decided (`spec/replay.md`).

mod case;
mod compare;
mod modes;
mod parts;
mod rows;
mod slice;
mod thread;
mod trial;
mod world;

pub use case::Before;
pub use parts::{Part, Record};
pub use rows::{RowFold, Rows};
pub use thread::Thread;
pub use trial::{Decided, Trial};

use crate::id::{LawHash, RecordHash};
use crate::judge::{Bench, Limits, Standing};
use crate::law::Law;
use crate::law::mode::Modes;
use crate::policy::{Bound, Directory};
use crate::proof::record::{Decision, Header};
use case::Case;
use slice::ReadSlices;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use world::World;

/// How many worlds are kept closed: most records of a day are judged over few.
const WORLDS_MAX: usize = 4_096;

/// What judging a record again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The same record.
    Same,
    /// Another one.
    Differs(Difference),
    /// A part that judging needs is erased, or withheld.
    Erased,
    /// Nothing was judged, or what it was judged by stands in no record.
    Attested,
}

/// The first thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What: `decision`, `policies`, `to`, `part facts`.
    pub what: String,
    /// As the record says.
    pub was: String,
    /// As it is judged now.
    pub now: String,
}

impl Difference {
    pub(crate) fn new(what: impl Into<String>, was: impl Into<String>, now: impl Into<String>) -> Self {
        Self { what: what.into(), was: was.into(), now: now.into() }
    }
}

/// Why a record is not judged.
pub(crate) enum Stop {
    Erased,
    Attested,
    Broken(Difference),
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Erased => Outcome::Erased,
            Stop::Attested => Outcome::Attested,
            Stop::Broken(difference) => Outcome::Differs(difference),
        }
    }
}

/// Laws by hash.
pub type Laws<'l> = dyn Fn(&LawHash) -> Option<Arc<Law>> + 'l;

/// Whether anybody could ever be granted something by the template of this id.
pub type Granted<'l> = dyn Fn(&str) -> bool + 'l;

/// The table of modes that the activation of this record set, where that is at hand.
pub type Activated<'l> = dyn Fn(&RecordHash) -> Option<Arc<Modes>> + 'l;

/// Judges the past. Keeps the slices that it has read and the worlds that it has closed, up to a bound.
pub struct Past<'l> {
    laws: &'l Laws<'l>,
    granted: Option<&'l Granted<'l>>,
    activated: Option<&'l Activated<'l>>,
    slices: RefCell<ReadSlices>,
    worlds: RefCell<HashMap<Vec<u8>, Arc<Directory>>>,
}

impl<'l> Past<'l> {
    /// With the laws that records name.
    pub fn new(laws: &'l Laws<'l>) -> Self {
        Self { laws, granted: None, activated: None, slices: RefCell::default(), worlds: RefCell::default() }
    }

    /// Of a store of which it is known by which templates anybody could ever be granted something: those that a law in force had. Of any
    /// other there are no grants, though no record says so.
    pub fn granting(self, granted: &'l Granted<'l>) -> Self {
        Self { granted: Some(granted), ..self }
    }

    /// With the modes that activations set: they say which deadlines fire before a call.
    pub fn activated(self, activated: &'l Activated<'l>) -> Self {
        Self { activated: Some(activated), ..self }
    }

    /// The table of modes under which a record was judged.
    fn table(&self, header: &Header) -> Option<Arc<Modes>> {
        (self.activated?)(header.activation.as_ref()?)
    }

    /// The law with this hash.
    pub(crate) fn law(&self, hash: &LawHash) -> Option<Arc<Law>> {
        (self.laws)(hash)
    }

    /// Judges a record again under its own laws.
    pub fn again(&self, record: &Record<'_>, before: &Before<'_>) -> Outcome {
        match self.judged(record, before) {
            Ok(None) => Outcome::Same,
            Ok(Some(difference)) => Outcome::Differs(difference),
            Err(stop) => stop.into(),
        }
    }

    fn judged(&self, record: &Record<'_>, before: &Before<'_>) -> Result<Option<Difference>, Stop> {
        let header = record.header;
        let named = |hash: &LawHash| {
            let lost = || Stop::Broken(Difference::new("law", hash.to_string(), "not at hand"));
            self.law(hash).ok_or_else(lost)
        };
        let attested = case::is_attested(header);
        let law = header.law.as_ref().filter(|_| !attested).ok_or(Stop::Attested)?;
        let active = named(law)?;
        let older = header.guard_law.as_ref().map(named).transpose()?;
        let case = self.case(record, before, &active, older.as_deref())?;
        let directory = self.closed(&case.world)?;
        let laws = Laid { active: &active, older: older.as_deref(), directory: &directory, table: self.table(header) };
        let found = compared(record, &case, &laws, |bound| bound)?;
        // What an earlier build refused was refused, whatever this one would say of it; and it took arguments that stood in the context.
        let is_told = || header.decision == Decision::Deny || case.misplaces_an_argument(older.as_deref().unwrap_or(&active));
        let is_told = found.is_some() && is_told();
        if is_told && matches!(compared(record, &case, &laws, Bound::earlier), Ok(None)) {
            return Ok(None);
        }
        Ok(found)
    }

    /// The case of a record. Of its slices each is read that was not met before.
    fn case<'r>(&self, record: &Record<'r>, before: &Before<'_>, law: &Law, guards: Option<&Law>) -> Result<Case<'r>, Stop> {
        record.slices_by(|bytes| self.slices.borrow_mut().read(bytes));
        Case::of(record, before, law, guards)
    }

    /// The world of a decision, closed.
    fn closed(&self, world: &World) -> Result<Arc<Directory>, Stop> {
        let key = world.key();
        if let Some(known) = self.worlds.borrow().get(&key) {
            return Ok(known.clone());
        }
        let made = Arc::new(world.close()?);
        let mut worlds = self.worlds.borrow_mut();
        if worlds.len() >= WORLDS_MAX {
            worlds.clear();
        }
        worlds.insert(key, made.clone());
        Ok(made)
    }
}

/// The laws of a decision, and its world.
struct Laid<'l> {
    active: &'l Law,
    /// The law of the guards, where it is another.
    older: Option<&'l Law>,
    directory: &'l Arc<Directory>,
    /// The modes of the activation.
    table: Option<Arc<Modes>>,
}

/// Judges a case, and says what differs first from its record.
fn compared(
    record: &Record<'_>,
    case: &Case<'_>,
    laws: &Laid<'_>,
    as_judged: fn(Bound) -> Bound,
) -> Result<Option<Difference>, Stop> {
    let header = record.header;
    let under = |law: &Law| bind(law, laws.directory).map(as_judged);
    let bound = under(laws.active)?;
    let guards = laws.older.map(|law| under(law).map(|bound| (law, bound))).transpose()?;
    let (modes, deadlines_max) = modes::of(header, &case.what, laws);
    let mut bench = Bench {
        activation: header.activation,
        directory_version: header.directory_version,
        durability: header.durability,
        guards: guards.as_ref().map(|(law, bound)| Standing { law, bound }),
        ..bench_of(header, Standing { law: laws.active, bound: &bound }, &modes)
    };
    bench.limits.deadlines_max = deadlines_max;
    let (answer, draft) = case.run(&bench).map_err(|blocker| {
        Stop::Broken(Difference::new("record", format!("{:?}", header.kind), format!("refused: {blocker}")))
    })?;
    Ok(compare::differing(record, &answer, draft.as_ref(), &case.beside))
}

fn bind(law: &Law, directory: &Arc<Directory>) -> Result<Bound, Stop> {
    Bound::new(law.policy.clone(), directory.clone())
        .map_err(|b| Stop::Broken(Difference::new("part slice", "a world", b.to_string())))
}

/// A bench for a record's time and place. The clock was held against settings of its own when it judged; those are no evidence,
/// and are not asked again.
fn bench_of<'b>(header: &'b Header, active: Standing<'b>, modes: &'b Modes) -> Bench<'b> {
    Bench {
        store: header.store,
        tenant: &header.tenant,
        now: header.time,
        last_sealed: None,
        durability: header.durability,
        seed: [0; 32],
        compared: true,
        active,
        candidate: None,
        guards: None,
        modes,
        activation: None,
        directory_version: 0,
        // One deadline at a time: each is a record of its own.
        limits: Limits { skew_max_ms: i64::MAX, jump_max_ms: i64::MAX, deadlines_max: 1 },
    }
}
