//! The tail of the log after a crash (`hos-engine/src/store/sqlite/README.md`): what a process that is killed, a disk that fails and a
//! power loss leave of the write-ahead log, what the next start makes of it, and what it signs.
//!
//! A commit writes two frames, the second with the commit mark, syncs the log, signs, answers. A frame that is not synced is on
//! the disk after a power loss, or not; the log is read up to the first that is missing. A killed process leaves all that it
//! wrote, synced or not, and whoever starts next reads it. A sync that failed may leave frames that are read until the power
//! goes and that no later sync writes. Each commit is one entry; its root is known by the entries under it.

use stateright::{Model, Property};

/// What can be wrong with it, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The checkpoint is signed before the log is synced.
    SignBeforeSync,
    /// The call is answered before the log is synced (`synchronous=NORMAL`).
    AnswerBeforeSync,
    /// The log is used from its start before the file is synced.
    RestartBeforeSync,
    /// Who starts believes what it reads, though a killed process may not have synced it.
    StartUnsynced,
    /// Who starts syncs the log and goes on in it, though a sync may have failed before.
    StartUnmoved,
    /// Signatures hold chance.
    SignByChance,
}

/// The model, and its bounds.
#[derive(Debug, Clone)]
pub struct Tail {
    /// How many commits are begun, at most.
    pub commits: u8,
    /// A checkpoint is stored when the log has grown so far beyond the stored one.
    pub every: u8,
    /// How often the process is killed, the power fails, a sync fails.
    pub kills: u8,
    /// See `kills`.
    pub powers: u8,
    /// See `kills`.
    pub failures: u8,
    /// What is planted.
    pub fault: Option<Fault>,
}

/// Whether the disk has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Disk {
    /// Perhaps.
    Unsynced,
    Synced,
    /// A sync failed: it has not, and what was written passes for clean.
    Lost,
}

/// What one commit writes: an entry, and perhaps the size of a checkpoint that is stored with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    id: u8,
    stored: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Frame {
    row: Row,
    mark: bool,
    disk: Disk,
}

/// How far the process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Process {
    Down,
    /// Moves the log into the file: 0 log, 1 pages, 2 the file's sync, 3 the log from its start; whether it has just started.
    Moves(u8, bool),
    /// Has started, and signs the head.
    Starts,
    Ready,
    Body,
    Marked,
    Synced,
    Signed,
}

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// What lies in the file; so much of it is synced, and so much was there when the log began.
    file: Vec<Row>,
    synced: usize,
    base: usize,
    log: Vec<Frame>,
    process: Process,
    next: u8,
    /// What callers were told: entry and place.
    told: Vec<(u8, u8)>,
    /// What was signed: the entries under it, and the signature.
    signed: Vec<(Vec<u8>, u8)>,
    kills: u8,
    powers: u8,
    failures: u8,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The process starts, or does what comes next.
    Next,
    /// It moves the log into the file.
    Move,
    /// A caller that has no answer asks again, and the entry is there.
    Again(u8),
    /// The sync fails; the disk has it all the same, or has not.
    SyncFails(bool),
    /// The process is killed.
    Kill,
    /// The power fails: these of the frames that were not synced are on the disk.
    Power(u8),
}

const LOST: &str = "what was told is lost";
const CONTRADICTED: &str = "what was signed is not in the log";
const FORK: &str = "two checkpoints of one size have different roots";
const SAME: &str = "a checkpoint that is made again has other bytes";
const STORED: &str = "a stored checkpoint is larger than the log";

impl Tail {
    fn next(&self, state: &mut State) {
        let is = |fault| self.fault == Some(fault);
        state.process = match state.process {
            Process::Down => {
                // What is behind the last mark was never committed, and is written over.
                let whole = state.log.iter().rposition(|frame| frame.mark).map_or(0, |last| last + 1);
                state.log.truncate(whole);
                if is(Fault::StartUnsynced) { Process::Starts } else { Process::Moves(0, true) }
            }
            Process::Moves(0, started) => {
                state.sync();
                if started && is(Fault::StartUnmoved) { Process::Starts } else { Process::Moves(1, started) }
            }
            Process::Moves(1, started) => {
                state.file = state.content();
                Process::Moves(if is(Fault::RestartBeforeSync) { 3 } else { 2 }, started)
            }
            Process::Moves(2, started) => {
                state.synced = state.file.len();
                Process::Moves(3, started)
            }
            Process::Moves(_, started) => {
                state.log.clear();
                state.base = state.file.len();
                if started { Process::Starts } else { Process::Ready }
            }
            Process::Starts => {
                // One that is stored is not made again.
                if state.stored() < state.content().len() {
                    self.sign(state, None);
                }
                Process::Ready
            }
            Process::Ready => {
                let size = state.content().len() as u8;
                let stored = if size - state.stored() as u8 >= self.every { size } else { 0 };
                state.log.push(Frame { row: Row { id: state.next, stored }, mark: false, disk: Disk::Unsynced });
                state.next += 1;
                Process::Body
            }
            Process::Body => {
                let Some(body) = state.log.last().copied() else { return };
                if is(Fault::SignBeforeSync) {
                    self.sign(state, Some(body.row.id));
                }
                state.log.push(Frame { mark: true, disk: Disk::Unsynced, ..body });
                if is(Fault::AnswerBeforeSync) {
                    state.tell(body.row.id);
                }
                Process::Marked
            }
            Process::Marked => {
                state.sync();
                Process::Synced
            }
            Process::Synced => {
                self.sign(state, None);
                Process::Signed
            }
            Process::Signed => {
                if let Some(frame) = state.log.last().copied() {
                    state.tell(frame.row.id);
                }
                Process::Ready
            }
        };
    }

    fn sign(&self, state: &mut State, and: Option<u8>) {
        let root: Vec<u8> = state.content().iter().map(|row| row.id).chain(and).collect();
        let chance = if self.fault == Some(Fault::SignByChance) { state.signed.len() as u8 } else { 0 };
        if !state.signed.contains(&(root.clone(), chance)) {
            state.signed.push((root, chance));
            state.signed.sort();
        }
    }
}

impl State {
    /// What whoever reads now finds: the file as it was when the log began, and every commit of the log that is whole.
    fn content(&self) -> Vec<Row> {
        let marked = self.log.iter().filter(|frame| frame.mark).map(|frame| frame.row);
        self.file.iter().take(self.base).copied().chain(marked).collect()
    }

    fn stored(&self) -> usize {
        self.content().iter().map(|row| usize::from(row.stored)).max().unwrap_or(0)
    }

    fn sync(&mut self) {
        for frame in self.log.iter_mut().filter(|frame| frame.disk == Disk::Unsynced) {
            frame.disk = Disk::Synced;
        }
    }

    fn tell(&mut self, id: u8) {
        if let Some(place) = self.content().iter().position(|row| row.id == id)
            && !self.told.iter().any(|(told, _)| *told == id)
        {
            self.told.push((id, place as u8));
            self.told.sort_unstable();
        }
    }

    fn unsynced(&self) -> u32 {
        self.log.iter().filter(|frame| frame.disk == Disk::Unsynced).count() as u32
    }

    /// The power fails: of what was not synced, the disk has what `kept` says, bit by bit; pages of the file may be torn.
    fn power(&mut self, kept: u8) {
        let mut unsynced = 0;
        let mut is_there = |frame: &Frame| match frame.disk {
            Disk::Synced => true,
            Disk::Lost => false,
            Disk::Unsynced => {
                unsynced += 1;
                kept & 1 << (unsynced - 1) != 0
            }
        };
        // The frames' checksums are a chain: what stands behind a gap is not read.
        let whole = self.log.iter().take_while(|frame| is_there(frame)).count();
        self.log.truncate(whole);
        for frame in &mut self.log {
            frame.disk = Disk::Synced;
        }
        self.file.truncate(self.synced);
        self.base = self.base.min(self.synced);
        self.process = Process::Down;
    }
}

impl Model for Tail {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            file: Vec::new(),
            synced: 0,
            base: 0,
            log: Vec::new(),
            process: Process::Ready,
            next: 0,
            told: Vec::new(),
            signed: Vec::new(),
            kills: self.kills,
            powers: self.powers,
            failures: self.failures,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        if state.process != Process::Ready || state.next < self.commits {
            actions.push(Step::Next);
        }
        if state.process == Process::Ready {
            if !state.log.is_empty() {
                actions.push(Step::Move);
            }
            let untold = |row: &Row| !state.told.iter().any(|(told, _)| *told == row.id);
            actions.extend(state.content().into_iter().filter(untold).map(|row| Step::Again(row.id)));
        }
        if state.process == Process::Marked && state.failures > 0 {
            actions.extend([Step::SyncFails(true), Step::SyncFails(false)]);
        }
        if state.kills > 0 && state.process != Process::Down {
            actions.push(Step::Kill);
        }
        if state.powers > 0 {
            actions.extend((0..1 << state.unsynced()).map(Step::Power));
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut state = state.clone();
        match step {
            Step::Next => self.next(&mut state),
            Step::Move => state.process = Process::Moves(0, false),
            Step::Again(id) => state.tell(id),
            Step::SyncFails(kept) => {
                state.failures -= 1;
                let disk = if kept { Disk::Synced } else { Disk::Lost };
                for frame in state.log.iter_mut().filter(|frame| frame.disk == Disk::Unsynced) {
                    frame.disk = disk;
                }
                // The outcome is unknown, and the store is opened anew.
                state.process = Process::Down;
            }
            Step::Kill => {
                state.kills -= 1;
                state.process = Process::Down;
            }
            Step::Power(kept) => {
                state.powers -= 1;
                state.power(kept);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(LOST, |_, state: &State| {
                let content = state.content();
                state.told.iter().all(|(id, place)| content.get(usize::from(*place)).is_some_and(|row| row.id == *id))
            }),
            Property::always(CONTRADICTED, |_, state: &State| {
                let content = state.content();
                let holds = |root: &[u8]| root.len() <= content.len() && root.iter().zip(&content).all(|(id, row)| *id == row.id);
                state.signed.iter().all(|(root, _)| holds(root))
            }),
            Property::always(FORK, |_, state: &State| {
                let forked = |root: &Vec<u8>| state.signed.iter().any(|(other, _)| other.len() == root.len() && other != root);
                !state.signed.iter().any(|(root, _)| forked(root))
            }),
            Property::always(SAME, |_, state: &State| state.signed.windows(2).all(|pair| pair[0].0 != pair[1].0)),
            Property::always(STORED, |_, state: &State| state.stored() <= state.content().len()),
            Property::sometimes("a commit is lost that nobody was told of", |_, state: &State| {
                let content = state.content();
                state.process == Process::Down && (0..state.next).any(|id| content.iter().all(|row| row.id != id))
            }),
            Property::sometimes("a checkpoint is stored", |_, state: &State| state.stored() > 0),
            Property::sometimes("all is told", |model: &Self, state: &State| state.told.len() == usize::from(model.commits)),
        ]
    }
}

/// What each fault breaks, at least.
pub const FAULTS: [(Fault, &str); 9] = [
    (Fault::SignBeforeSync, CONTRADICTED),
    (Fault::SignBeforeSync, FORK),
    (Fault::AnswerBeforeSync, LOST),
    (Fault::RestartBeforeSync, LOST),
    (Fault::StartUnsynced, FORK),
    (Fault::StartUnsynced, LOST),
    (Fault::StartUnmoved, FORK),
    (Fault::StartUnmoved, LOST),
    (Fault::SignByChance, SAME),
];
