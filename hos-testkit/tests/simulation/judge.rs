//! The judges: what is heard is held against the reference model in the order of the commits, and the store against its own
//! evidence and against everything that was acknowledged.

use super::line::Stamp;
use super::planted::Plant;
use super::rig::{Done, Heard, Rig, START_MS, Token};
use crate::words;
use hos_core::answer::{Answer, Receipt};
use hos_core::id::{Handle, RecordHash};
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_testkit::model::{Call, Contract, Lease, Leased, Said, TENANTS, World};
use hos_testkit::simulation::{Act, Day, Deed, Step};
use std::collections::BTreeMap;
use std::fmt::Write as _;

macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => { if !$holds { return Err(format!($($why)+)); } };
}

mod evidence;

/// What did not hold: at which step (its number in the day, or behind the last), and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) step: usize,
    pub(crate) what: String,
}

/// What a day came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// Everything that was heard, and all evidence in the end.
    pub(crate) trace: String,
    /// Acts that something failed in.
    pub(crate) faults: usize,
    /// Records in the end.
    pub(crate) records: u64,
}

type Outcome<T> = Result<T, String>;
/// Acknowledged receipts: by tenant, thread and place, the record and, once it was told, the entry.
type Receipts = BTreeMap<(String, Handle, u64), (RecordHash, Option<u64>)>;
/// Calls with a once-key that were allowed, and the records of their receipts.
type Onces = BTreeMap<(&'static str, &'static str), (Call, RecordHash)>;
/// Leases by tenant, oldest first: the model's, and the engine's where it was heard.
type Leases = BTreeMap<&'static str, Vec<(Lease, Option<Token>)>>;

/// Lives through a day.
pub(crate) fn live(day: &Day, plant: &Plant) -> Result<Told, Broken> {
    let mut trial = Trial {
        rig: Rig::new(&day.processes, &plant.anew()),
        world: World::new(START_MS),
        receipts: BTreeMap::new(),
        onces: BTreeMap::new(),
        checkpoints: BTreeMap::new(),
        leases: BTreeMap::new(),
        kept: None,
        numbers: 0,
        trace: String::new(),
        faults: 0,
    };
    for (at, step) in day.steps.iter().enumerate() {
        trial.step(step).map_err(|what| Broken { step: at, what })?;
    }
    let records = trial.end().map_err(|what| Broken { step: day.steps.len(), what })?;
    Ok(Told { trace: trial.trace, faults: trial.faults, records })
}

struct Trial {
    rig: Rig,
    world: World,
    receipts: Receipts,
    onces: Onces,
    /// The newest checkpoint that was acknowledged of each log.
    checkpoints: BTreeMap<String, (u64, String)>,
    leases: Leases,
    kept: Option<Kept>,
    numbers: u64,
    trace: String,
    faults: usize,
}

/// What was known when the database was copied.
struct Kept {
    world: World,
    sizes: BTreeMap<&'static str, i64>,
    memory: (Receipts, Onces, Leases),
}

/// What the model says of an act.
enum Expected {
    Said(Vec<Said>),
    Messages(Result<Vec<Leased>, &'static str>),
    Acknowledged(Result<(), &'static str>),
    /// How many deadlines fired in the commits of a round.
    Fired(u64),
    /// No transaction came to its end.
    Nothing,
}

impl Trial {
    fn step(&mut self, step: &Step) -> Outcome<()> {
        match step {
            Step::Alone(act) => self.acts(0, std::slice::from_ref(act)),
            Step::Together { turns, acts } => self.acts(*turns, acts),
            Step::Wait(ms) => {
                self.world.now += ms;
                self.rig.now = self.world.now;
                Ok(())
            }
            Step::Skew { process, ms } => {
                self.rig.skew(*process, *ms);
                Ok(())
            }
            Step::Restart { process, end } => {
                self.rig.restart(*process, *end).map_err(|f| format!("process {process} does not close: {f}"))
            }
            Step::Keep => {
                self.rig.keep();
                let memory = (self.receipts.clone(), self.onces.clone(), self.leases.clone());
                self.kept = Some(Kept { world: self.world.clone(), sizes: self.rig.sizes(), memory });
                Ok(())
            }
            Step::Restore => self.restore(),
            Step::Inspect => self.inspect(),
        }
    }

    fn acts(&mut self, turns: u64, acts: &[Act]) -> Outcome<()> {
        // A lease is named by how many came after it.
        let leases: Vec<Option<(Lease, Option<Token>)>> = acts
            .iter()
            .map(|act| match &act.deed {
                Deed::Acknowledge { tenant, back, .. } => {
                    self.leases.get(tenant).and_then(|all| all.iter().rev().nth(*back)).copied()
                }
                _ => None,
            })
            .collect();
        let tokens: Vec<Option<Token>> = leases.iter().map(|lease| lease.and_then(|(_, token)| token)).collect();
        let (done, stamps) = self.rig.act(turns, acts, &tokens).map_err(|f| format!("a process does not begin: {f}"))?;
        let mut expected: Vec<Expected> = acts.iter().map(|_| Expected::Nothing).collect();
        let mut stored = vec![false; acts.len()];
        for (nth, stamp) in stamps.iter().enumerate() {
            let Some(at) = acts.iter().position(|act| act.process == stamp.process) else { continue };
            let earlier = stamps[..nth].iter().filter(|other| other.process == stamp.process).count();
            let last = !stamps[nth + 1..].iter().any(|other| other.process == stamp.process);
            self.settled(&acts[at], stamp, earlier, last, leases[at], &done[at], &mut expected[at], &mut stored[at])?;
        }
        for (at, act) in acts.iter().enumerate() {
            self.faults += usize::from(done[at].failed.is_some());
            self.heard(act, &done[at], &expected[at], stored[at], acts.len() > 1).map_err(|why| {
                let told: Vec<String> = acts.iter().map(Act::to_string).collect();
                format!("`{act}`: {why}\n  in: {}", told.join(" | "))
            })?;
            _ = writeln!(self.trace, "{} {}", act, spoken(&done[at]));
        }
        let mut asked: Vec<(Contract, &'static str)> =
            acts.iter().flat_map(|act| act.deed.calls()).filter_map(instance_of).collect();
        asked.sort_unstable();
        asked.dedup();
        asked.into_iter().try_for_each(|(contract, id)| self.stands(contract, id))
    }

    /// A transaction came to its end: what the model says of it.
    #[expect(clippy::too_many_arguments, reason = "one transaction, and all that is known of its act")]
    fn settled(
        &mut self,
        act: &Act,
        stamp: &Stamp,
        earlier: usize,
        last: bool,
        lease: Option<(Lease, Option<Token>)>,
        done: &Done,
        expected: &mut Expected,
        stored: &mut bool,
    ) -> Outcome<()> {
        let now = self.rig.clock(act.process);
        match &act.deed {
            // Behind the call's own commit its records are sealed.
            Deed::Call(_) | Deed::Batch(_) | Deed::Activate { .. } | Deed::Poll { .. } | Deed::Acknowledge { .. }
                if earlier > 0 =>
            {
                Ok(())
            }
            Deed::Call(call) => {
                if stamp.stored {
                    *expected = Expected::Said(vec![self.at(now, |world| world.call(call))]);
                    *stored = true;
                }
                Ok(())
            }
            Deed::Batch(calls) => {
                if stamp.stored {
                    // What failed by itself was undone by itself.
                    let ran = |at: usize| match &done.heard {
                        Heard::Answers(Ok(answers)) => answers.get(at).is_some_and(Result::is_ok),
                        _ => true,
                    };
                    let calls = calls.iter().enumerate().filter(|(at, _)| ran(*at));
                    *expected = Expected::Said(calls.map(|(_, call)| self.at(now, |world| world.call(call))).collect());
                    *stored = true;
                }
                Ok(())
            }
            Deed::Activate { by, off } => {
                if stamp.stored {
                    *expected = Expected::Said(vec![self.world.activate(by, off)]);
                    *stored = true;
                }
                Ok(())
            }
            Deed::Host(of) => {
                if last {
                    let before = (!stamp.stored).then(|| self.world.clone());
                    *expected = Expected::Said(of.calls.iter().map(|call| self.world.host_call(call)).collect());
                    *stored = stamp.stored;
                    self.world = before.unwrap_or_else(|| self.world.clone());
                }
                Ok(())
            }
            Deed::Poll { tenant, by, limit, lease_ms } => {
                if stamp.stored {
                    self.numbers += 1;
                    let number = self.numbers;
                    let polled = self.at(now, |world| world.poll(tenant, by, *limit, *lease_ms, number));
                    let heard = match &done.heard {
                        Heard::Messages(Ok(messages)) if !done.died => messages.as_slice(),
                        _ => &[],
                    };
                    for (at, leased) in polled.iter().flatten().enumerate() {
                        let token = heard.get(at).map(|message| (message.pos, message.lease));
                        self.leases.entry(tenant).or_default().push((leased.lease, token));
                    }
                    *expected = Expected::Messages(polled);
                    *stored = true;
                }
                Ok(())
            }
            Deed::Acknowledge { tenant, by, .. } => {
                let Some((lease, _)) = lease else { return Ok(()) };
                let mut after = self.world.clone();
                *expected = Expected::Acknowledged(after.acknowledge(tenant, by, lease));
                if stamp.stored {
                    self.world = after;
                    *stored = true;
                }
                Ok(())
            }
            Deed::Tick(_) | Deed::Work => {
                if stamp.stored {
                    let fired = self.fired(stamp, now)?;
                    let before = if let Expected::Fired(before) = expected { *before } else { 0 };
                    *expected = Expected::Fired(before + fired);
                    *stored = true;
                }
                Ok(())
            }
        }
    }

    /// The deadlines that a commit of a round took away were due, and each instance whose it were moves in the model too.
    fn fired(&mut self, stamp: &Stamp, now: i64) -> Outcome<u64> {
        let mut instances: Vec<&(String, String, String)> = stamp.fired.iter().collect();
        instances.sort();
        instances.dedup();
        let mut all = 0;
        for (tenant, contract, id) in instances {
            let of = if contract == "ticket" { Contract::Ticket } else { Contract::Stay };
            match self.world.fire(tenant, of, id, now) {
                Some(fired) if fired > 0 => all += fired as u64,
                _ => return Err(format!("a deadline of {tenant} {contract} {id:?} fired, and none was due")),
            }
        }
        Ok(all)
    }

    /// The model at the time of a process's clock.
    fn at<T>(&mut self, now: i64, ask: impl FnOnce(&mut World) -> T) -> T {
        let world = std::mem::replace(&mut self.world.now, now);
        let said = ask(&mut self.world);
        self.world.now = world;
        said
    }

    /// What was heard is what the model says; and who heard nothing, or that nobody knows, had a failure to thank for it.
    fn heard(&mut self, act: &Act, done: &Done, expected: &Expected, stored: bool, crowd: bool) -> Outcome<()> {
        if done.died {
            return Ok(());
        }
        let failure = match &done.heard {
            Heard::Answer(Err(f)) | Heard::Answers(Err(f)) | Heard::Host(Err(f)) | Heard::Ticked(Err(f)) => Some(f),
            Heard::Worked(Err(f)) | Heard::Messages(Err(f)) | Heard::Acknowledged(Err(f)) => Some(f),
            _ => None,
        };
        let refusal = match expected {
            Expected::Messages(Err(code)) | Expected::Acknowledged(Err(code)) => Some(*code),
            _ => None,
        };
        if let Some(failure) = failure {
            if refusal == Some(failure.code.as_str()) {
                return Ok(());
            }
            return self.failed(act, failure, done, stored, crowd);
        }
        match (&done.heard, expected) {
            (Heard::Nothing, _) => Ok(()),
            (Heard::Answer(Ok(answer)), Expected::Said(said)) => {
                let said = said.first().ok_or("the model says nothing")?;
                match act.deed.calls().first() {
                    Some(call) => self.answered(call, answer, said),
                    None => {
                        agree(answer, said)?;
                        answer.receipt.iter().try_for_each(|receipt| self.keep(receipt))
                    }
                }
            }
            (Heard::Answers(Ok(answers)), _) => self.batch(act, answers, expected, done),
            (Heard::Host(Ok(hosted)), Expected::Said(said)) => {
                ensure!(hosted.committed == stored, "committed: {}, and stored: {stored}", hosted.committed);
                ensure!(hosted.answers.len() == said.len(), "{} answers to {} calls", hosted.answers.len(), said.len());
                for ((call, answer), said) in act.deed.calls().iter().zip(&hosted.answers).zip(said) {
                    match stored {
                        true => self.answered(call, answer, said)?,
                        false => agree(answer, said)?,
                    }
                }
                Ok(())
            }
            (Heard::Ticked(Ok(fired)), Expected::Fired(_) | Expected::Nothing) => {
                self.rounded(act, *fired, expected, crowd || done.failed.is_some())
            }
            (Heard::Worked(Ok(report)), Expected::Fired(_) | Expected::Nothing) => {
                ensure!(report.unsigned.is_empty() || done.failed.is_some(), "unsigned: {:?}", report.unsigned);
                self.rounded(act, report.fired, expected, crowd || done.failed.is_some())
            }
            (Heard::Messages(Ok(messages)), Expected::Messages(Ok(leased))) => {
                let said: Vec<(&str, u32)> = messages.iter().map(|m| (m.kind.as_str(), m.attempts)).collect();
                let wanted: Vec<(&str, u32)> = leased.iter().map(|m| (m.kind, m.attempts)).collect();
                ensure!(said == wanted, "handed out {said:?}, the model {wanted:?}");
                messages.iter().try_for_each(|message| self.keep(&message.receipt))
            }
            (Heard::Acknowledged(Ok(())), Expected::Acknowledged(Ok(()))) => Ok(()),
            _ => Err("what was heard has no transaction of its own, or another than the model's".to_owned()),
        }
    }

    /// A failure had a cause, and says truly whether something is stored.
    fn failed(&self, act: &Act, failure: &Failure, done: &Done, stored: bool, crowd: bool) -> Outcome<()> {
        let code = failure.code;
        if let (Deed::Tick(_) | Deed::Work, Code::ClockImplausible) = (&act.deed, code) {
            let now = self.rig.clock(act.process);
            let back = TENANTS.iter().any(|tenant| {
                let due = self.world.due(tenant, now);
                due.into_iter().any(|(contract, id)| self.world.clone().fire(tenant, contract, id, now).is_none())
            });
            // Beside others: what was due has fired by a clock that is ahead.
            ensure!(back || (crowd && !stored), "nothing that is due has a clock before it: {failure}");
            return Ok(());
        }
        let is_round = matches!(act.deed, Deed::Work | Deed::Tick(_));
        match (done.failed, code) {
            (Some(true), Code::OutcomeUnknown) => Ok(()),
            (Some(_), Code::OutcomeUnknown) => Err(format!("nobody knows, and no commit had failed: {failure}")),
            (Some(_), _) if stored && !is_round => Err(format!("it is stored, and that was not said: {failure}")),
            (Some(_), Code::StoreUnavailable | Code::StoreBusy | Code::StoreFull) => Ok(()),
            // Of what could not be read nothing is known.
            (Some(_), Code::DirectoryStale) => Ok(()),
            (None, Code::StoreBusy | Code::Retry) if crowd && !stored => Ok(()),
            _ => Err(format!("stored: {stored}, fault: {:?}; it failed: {failure}", done.failed)),
        }
    }

    fn batch(&mut self, act: &Act, answers: &[Result<Answer, Failure>], expected: &Expected, done: &Done) -> Outcome<()> {
        let said = if let Expected::Said(said) = expected { said.as_slice() } else { &[] };
        let mut said = said.iter();
        ensure!(answers.len() == act.deed.calls().len(), "{} answers", answers.len());
        for (call, answer) in act.deed.calls().iter().zip(answers) {
            match answer {
                Ok(answer) => self.answered(call, answer, said.next().ok_or("an answer without its commit")?)?,
                Err(failure) => self.failed(act, failure, done, false, false)?,
            }
        }
        Ok(())
    }

    /// A round tells as many deadlines as it fired, and leaves none that was due, where nobody and nothing came between.
    fn rounded(&mut self, act: &Act, fired: u64, expected: &Expected, disturbed: bool) -> Outcome<()> {
        let wanted = if let Expected::Fired(fired) = expected { *fired } else { 0 };
        ensure!(fired == wanted, "{fired} deadlines fired, {wanted} in commits");
        if disturbed {
            return Ok(());
        }
        let now = self.rig.clock(act.process);
        for tenant in TENANTS {
            if matches!(act.deed, Deed::Tick(of) if of != tenant) {
                continue;
            }
            for (contract, id) in self.world.due(tenant, now) {
                // One whose clock stands back waits; one that armed itself anew waits for the next round.
                let fires = self.world.clone().fire(tenant, contract, id, now).is_some_and(|fired| fired > 0);
                ensure!(!fires, "a deadline of {tenant} {contract:?} {id:?} was due, and did not fire");
            }
        }
        Ok(())
    }

    fn answered(&mut self, call: &Call, answer: &Answer, said: &Said) -> Outcome<()> {
        agree(answer, said)?;
        let Some(receipt) = &answer.receipt else { return Ok(()) };
        ensure!(receipt.tenant.as_str() == call.tenant, "a receipt of {}", receipt.tenant);
        self.keep(receipt)?;
        let Some(key) = call.once.filter(|_| answer.allowed) else { return Ok(()) };
        match self.onces.get(&(call.tenant, key)) {
            Some((first, record)) if first == call => {
                ensure!(*record == receipt.record, "the once-key {key:?} has two receipts");
            }
            _ if answer.again => {}
            _ => _ = self.onces.insert((call.tenant, key), (call.clone(), receipt.record)),
        }
        Ok(())
    }

    /// Keeps an acknowledged receipt; one that is known says the same again.
    fn keep(&mut self, receipt: &Receipt) -> Outcome<()> {
        let tenant = receipt.tenant.to_string();
        if let Some(seal) = &receipt.seal
            && let Some(note) = &seal.checkpoint
        {
            let size: u64 = note.lines().nth(1).and_then(|line| line.parse().ok()).ok_or("a checkpoint without a size")?;
            ensure!(size > seal.seq, "entry {} under a checkpoint of {size}", seal.seq);
            let newest = self.checkpoints.entry(tenant.clone()).or_default();
            if newest.0 < size {
                *newest = (size, note.to_string());
            }
        }
        let Some(n) = receipt.n else { return Ok(()) };
        let seq = receipt.seal.as_ref().map(|seal| seal.seq);
        let known = self.receipts.entry((tenant, receipt.thread, n)).or_insert((receipt.record, seq));
        ensure!(known.0 == receipt.record, "another record than the one acknowledged: {receipt:?}");
        ensure!(known.1.is_none() || seq.is_none() || known.1 == seq, "another place than the one acknowledged: {receipt:?}");
        known.1 = known.1.or(seq);
        Ok(())
    }
}

fn instance_of(call: &Call) -> Option<(Contract, &'static str)> {
    use hos_testkit::model::Operation::{Begin, Move};
    match &call.operation {
        Begin { contract, id, .. } | Move { contract, id, .. } => Some((*contract, id)),
        _ => None,
    }
}

fn agree(answer: &Answer, said: &Said) -> Outcome<()> {
    let heard = words::said(answer);
    ensure!(heard == *said, "the engine says {heard:?}\n  and the model {said:?}");
    Ok(())
}

/// What was heard, with every hash.
fn spoken(done: &Done) -> String {
    let receipt = |receipt: &Receipt| {
        let seal = receipt.seal.as_ref();
        let note = seal.and_then(|seal| seal.checkpoint.as_deref()).unwrap_or_default().replace('\n', "/");
        format!("{}/{:?} {} {:?} {note}", receipt.thread, receipt.n, receipt.record, seal.map(|seal| seal.seq))
    };
    let answer =
        |answer: &Answer| format!("{:?} {}", words::said(answer), answer.receipt.as_ref().map(receipt).unwrap_or_default());
    let heard = match &done.heard {
        Heard::Answer(Ok(one)) => answer(one),
        Heard::Answers(Ok(all)) => {
            let each = all.iter().map(|one| one.as_ref().map_or_else(|f| f.to_string(), &answer));
            each.collect::<Vec<_>>().join(" ; ")
        }
        Heard::Host(Ok(hosted)) => hosted.answers.iter().map(answer).collect::<Vec<_>>().join(" ; "),
        Heard::Ticked(Ok(fired)) => format!("fired {fired}"),
        Heard::Worked(Ok(report)) => format!("{report:?}"),
        Heard::Messages(Ok(all)) => {
            let each = all.iter().map(|m| format!("{} {} {} {}", m.pos, m.kind, m.lease, receipt(&m.receipt)));
            each.collect::<Vec<_>>().join(" ; ")
        }
        Heard::Acknowledged(Ok(())) => "acknowledged".to_owned(),
        Heard::Nothing => "nothing".to_owned(),
        Heard::Answer(Err(f)) | Heard::Answers(Err(f)) | Heard::Host(Err(f)) | Heard::Ticked(Err(f)) => f.to_string(),
        Heard::Worked(Err(f)) | Heard::Messages(Err(f)) | Heard::Acknowledged(Err(f)) => f.to_string(),
    };
    format!("{heard} {}", if done.died { "(it died)" } else { "" })
}
