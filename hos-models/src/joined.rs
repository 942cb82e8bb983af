//! The joined transaction with sealing (`spec/joined-transaction.md`): hosts write records and queue rows in transactions of their
//! own, sealers give them their places in the log and sign it.
//!
//! Of one tenant. A host has a call with a once-key, on a thread of its own or one that it shares, or into a stream. Its transaction
//! may commit, roll back, be cut off at each step, or commit without the host hearing of it; then the host asks again under the
//! same once-key. A sealer may be cut off at each step, too. A record is named by its place in the queue, which a sequence
//! gives before anybody knows whether the transaction commits.

mod steps;

use stateright::{Model, Property};

/// What a host asks for.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Its once-key.
    pub key: u8,
    /// The instance that it moves; none for a record of the stream.
    pub thread: Option<u8>,
}

/// What can be wrong with it, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The checkpoint is signed before the commit of what it covers.
    SignBeforeCommit,
    /// The sealer takes records with numbers greater than the last it has seen, instead of those in the queue.
    GreaterThanLast,
    /// The queue is read before the end of the log is locked.
    ReadBeforeLock,
    /// Whether a once-key was used is looked up, without claiming it.
    OnceUnclaimed,
    /// An instance's last record is looked up, without claiming the instance.
    InstanceUnclaimed,
}

/// The model, and its bounds.
#[derive(Debug, Clone)]
pub struct Joined {
    /// A host each.
    pub calls: Vec<Call>,
    /// How often a host begins anew, at most.
    pub tries: u8,
    /// How many sealers there are.
    pub sealers: u8,
    /// How many sealing transactions each begins.
    pub rounds: u8,
    /// How many records one takes, at most.
    pub limit: u8,
    /// How many crashes there are, at most.
    pub crashes: u8,
    /// What is planted.
    pub fault: Option<Fault>,
}

/// A record as it is stored: its place in the queue, which is its name, and what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Record {
    pos: u8,
    key: u8,
    thread: Option<u8>,
    n: u8,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Entry {
    pos: u8,
    thread: Option<u8>,
    n: u8,
}

/// How far a host's transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Host {
    Outside,
    /// The once-key is claimed, and was not used.
    Once,
    /// The instance is claimed too; its next n.
    Claimed(u8),
    /// All is written.
    Written(Record),
    /// It was answered: by this record.
    Answered(u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Sealer {
    Idle,
    Locked,
    Read(Vec<Record>),
    /// Where the log ended after its commit.
    Committed(usize),
}

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    // What is committed.
    records: Vec<Record>,
    queue: Vec<u8>,
    log: Vec<Entry>,
    // Who has what row locked: hosts by their places, sealers behind them.
    once: Vec<(u8, usize)>,
    instances: Vec<(u8, usize)>,
    head: Option<usize>,
    next: u8,
    hosts: Vec<(Host, u8)>,
    sealers: Vec<(Sealer, u8)>,
    /// What was signed: the records under each checkpoint, by name. A root says the same.
    signed: Vec<Vec<u8>>,
    crashes: u8,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A host does what comes next; in the end, it commits and hears of it.
    Host(usize),
    /// It commits, and does not hear of it.
    CommitUnheard(usize),
    /// It rolls back, or is cut off.
    RollBack(usize),
    /// A sealer does what comes next.
    Seal(usize),
    /// It is cut off; what it has not committed is undone.
    CutOff(usize),
    /// It commits and does not hear of it, so it signs nothing.
    SealUnheard(usize),
}

const LOST: &str = "an acknowledged record is missing in the end";
const TWICE: &str = "a record is sealed twice";
const ONCE: &str = "a once-key happens twice";
const ROLLED_BACK: &str = "what is signed is not committed";
const FORK: &str = "two checkpoints of one size have different roots";
const ORDER: &str = "in a thread n does not ascend by one";

impl Model for Joined {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            records: Vec::new(),
            queue: Vec::new(),
            log: Vec::new(),
            once: Vec::new(),
            instances: Vec::new(),
            head: None,
            next: 0,
            hosts: vec![(Host::Outside, self.tries); self.calls.len()],
            sealers: vec![(Sealer::Idle, self.rounds); self.sealers.into()],
            signed: Vec::new(),
            crashes: self.crashes,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for h in 0..state.hosts.len() {
            if self.may_go_on(state, h) {
                actions.push(Step::Host(h));
            }
            match state.hosts[h].0 {
                Host::Written(_) => actions.extend([Step::CommitUnheard(h), Step::RollBack(h)]),
                Host::Once | Host::Claimed(_) => actions.push(Step::RollBack(h)),
                Host::Outside | Host::Answered(_) => {}
            }
        }
        for s in 0..state.sealers.len() {
            if self.may_seal(state, s) {
                actions.push(Step::Seal(s));
            }
            if state.crashes == 0 {
                continue;
            }
            if state.sealers[s].0 != Sealer::Idle {
                actions.push(Step::CutOff(s));
            }
            if matches!(state.sealers[s].0, Sealer::Read(_)) && self.may_seal(state, s) {
                actions.push(Step::SealUnheard(s));
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut state = state.clone();
        match step {
            Step::Host(h) => self.host(&mut state, h),
            Step::CommitUnheard(h) => {
                self.host(&mut state, h);
                state.hosts[h].0 = Host::Outside;
            }
            Step::RollBack(h) => state.end(h, Host::Outside),
            Step::Seal(s) => self.seal(&mut state, s),
            Step::SealUnheard(s) => {
                self.seal(&mut state, s);
                state.sealers[s].0 = Sealer::Idle;
                state.crashes -= 1;
            }
            Step::CutOff(s) => {
                if state.head == Some(self.calls.len() + s) {
                    state.head = None;
                }
                state.sealers[s].0 = Sealer::Idle;
                state.crashes -= 1;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(LOST, |model: &Self, state: &State| {
                let log = model.in_the_end(state);
                let is_there = |pos| log.iter().any(|entry| entry.pos == pos);
                state.hosts.iter().all(|(host, _)| !matches!(host, Host::Answered(pos) if !is_there(*pos)))
            }),
            Property::always(TWICE, |_, state: &State| {
                let again = |i: usize, entry: &Entry| state.log.iter().skip(i + 1).any(|other| other.pos == entry.pos);
                !state.log.iter().enumerate().any(|(i, entry)| again(i, entry))
            }),
            Property::always(ONCE, |_, state: &State| {
                let again = |i: usize, record: &Record| state.records.iter().skip(i + 1).any(|other| other.key == record.key);
                !state.records.iter().enumerate().any(|(i, record)| again(i, record))
            }),
            Property::always(ROLLED_BACK, |_, state: &State| state.signed.iter().all(|root| state.roots(root.len()) == *root)),
            Property::always(FORK, |_, state: &State| {
                let forked = |i: usize, root: &Vec<u8>| state.signed.iter().skip(i + 1).any(|other| other.len() == root.len());
                !state.signed.iter().enumerate().any(|(i, root)| forked(i, root))
            }),
            Property::always(ORDER, |_, state: &State| {
                let mut next: Vec<(Option<u8>, u8)> = Vec::new();
                state.log.iter().all(|entry| match next.iter_mut().find(|(thread, _)| *thread == entry.thread) {
                    Some((_, n)) => std::mem::replace(n, entry.n + 1) == entry.n,
                    None => {
                        next.push((entry.thread, entry.n + 1));
                        entry.n == 0
                    }
                })
            }),
            Property::sometimes("a record is sealed before one with a lower number", |_, state: &State| {
                state.log.windows(2).any(|pair| pair[0].pos > pair[1].pos)
            }),
            Property::sometimes("a call that was not heard of is answered by its record", |model: &Self, state: &State| {
                let answered = |(host, tries): &(Host, u8)| matches!(host, Host::Answered(_)) && tries + 1 < model.tries;
                state.hosts.iter().filter(|host| answered(host)).count() > 0
            }),
            Property::sometimes("everything is sealed and signed", |model: &Self, state: &State| {
                let all = model.calls.iter().fold(0u64, |keys, call| keys | 1 << call.key).count_ones() as usize;
                state.log.len() == all && state.signed.last().is_some_and(|_| state.signed.iter().any(|root| root.len() == all))
            }),
        ]
    }
}

/// What each fault breaks, at least.
pub const FAULTS: [(Fault, &str); 6] = [
    (Fault::SignBeforeCommit, ROLLED_BACK),
    (Fault::SignBeforeCommit, FORK),
    (Fault::GreaterThanLast, LOST),
    (Fault::ReadBeforeLock, TWICE),
    (Fault::OnceUnclaimed, ONCE),
    (Fault::InstanceUnclaimed, ORDER),
];
