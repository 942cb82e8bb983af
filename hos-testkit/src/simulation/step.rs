//! What a simulated day is made of.

use crate::model::{Call, Contract};

/// How many processes a day may have.
pub const PROCESSES: usize = 4;

/// A day: its processes, and what happens in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// When each process seals what it writes.
    pub processes: Vec<Sealing>,
    /// What happens, one after the other.
    pub steps: Vec<Step>,
}

/// When a process seals what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// Just behind each commit.
    Inline,
    /// In a round of work, later.
    Worker,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What one process does.
    Alone(Act),
    /// What several processes do at once, statement by statement in an order that `turns` chooses. 0: one after the other.
    Together {
        /// The order's seed.
        turns: u64,
        /// At most one of each process.
        acts: Vec<Act>,
    },
    /// Time goes on, in milliseconds.
    Wait(i64),
    /// From here on the clock of a process stands so many milliseconds from the world's.
    Skew {
        /// Whose.
        process: usize,
        /// Ahead, or behind.
        ms: i64,
    },
    /// A process ends, and begins anew with the next thing that it does.
    Restart {
        /// Which.
        process: usize,
        /// How it ends.
        end: End,
    },
    /// The database is copied as it is.
    Keep,
    /// All processes die, and the newest copy comes back in the database's place.
    Restore,
    /// Everything is held against everything now, not only at the day's end.
    Inspect,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its engine is closed.
    Closed,
    /// Its engine is dropped.
    Dropped,
}

/// What a process does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Which process.
    pub process: usize,
    /// What it does.
    pub deed: Deed,
    /// What fails meanwhile.
    pub fault: Option<Fault>,
}

/// What a process can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A call.
    Call(Call),
    /// Several calls in one commit.
    Batch(Vec<Call>),
    /// Calls in a transaction of the world's own.
    Host(Transaction),
    /// Due deadlines of a tenant fire.
    Tick(&'static str),
    /// A round of work.
    Work,
    /// Messages of a tenant are leased.
    Poll {
        /// Of which tenant.
        tenant: &'static str,
        /// By whom.
        by: &'static str,
        /// How many at most.
        limit: usize,
        /// For how long, in milliseconds.
        lease_ms: i64,
    },
    /// The law is activated again, with other modes.
    Activate {
        /// By whom.
        by: &'static str,
        /// Where it is off from then on: these contracts of these tenants. It is enforced everywhere else.
        off: Vec<(&'static str, Contract)>,
    },
    /// One of the leases that were given in a tenant is acknowledged: the newest is 0.
    Acknowledge {
        /// Of which tenant.
        tenant: &'static str,
        /// By whom.
        by: &'static str,
        /// Which lease, counted from the newest.
        back: usize,
    },
}

/// A transaction of the world's own, in which the engine judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Whether it takes the write lock at once.
    pub immediate: bool,
    /// Whether it is committed in the end.
    pub commits: bool,
    /// What is judged in it.
    pub calls: Vec<Call>,
}

/// A failure of the world's, in the midst of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// At which statement of the act, from 0; of the kinds about commits: at which commit.
    pub at: usize,
}

/// What can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The process dies before the statement.
    Crash,
    /// The connection is lost before the statement.
    Lost,
    /// Somebody else holds a lock for too long.
    Busy,
    /// The disk is full.
    Full,
    /// The commit is stored, and the connection is lost before its answer.
    Unheard,
    /// The connection is lost before the commit is stored.
    Unsent,
}

impl Kind {
    /// All kinds, with their names.
    pub const ALL: [(Kind, &'static str); 6] = [
        (Kind::Crash, "crash"),
        (Kind::Lost, "lost"),
        (Kind::Busy, "busy"),
        (Kind::Full, "full"),
        (Kind::Unheard, "unheard"),
        (Kind::Unsent, "unsent"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Whether it happens at a commit, and not at any statement.
    pub fn is_of_commit(self) -> bool {
        matches!(self, Kind::Unheard | Kind::Unsent)
    }
}

impl Day {
    /// How many calls it asks for.
    pub fn calls(&self) -> usize {
        self.steps.iter().map(|step| step.acts().iter().map(|act| act.deed.calls().len()).sum::<usize>()).sum()
    }
}

impl Step {
    /// What is done in it.
    pub fn acts(&self) -> &[Act] {
        match self {
            Step::Alone(act) => std::slice::from_ref(act),
            Step::Together { acts, .. } => acts,
            Step::Wait(_) | Step::Skew { .. } | Step::Restart { .. } | Step::Keep | Step::Restore | Step::Inspect => &[],
        }
    }
}

impl Deed {
    /// The calls in it.
    pub fn calls(&self) -> &[Call] {
        match self {
            Deed::Call(call) => std::slice::from_ref(call),
            Deed::Batch(calls) | Deed::Host(Transaction { calls, .. }) => calls,
            Deed::Tick(_) | Deed::Work | Deed::Activate { .. } | Deed::Poll { .. } | Deed::Acknowledge { .. } => &[],
        }
    }
}
