//! The replay itself: one commit a batch, and in each commit a note that says how far the replay is.
//!
//! THE COMMIT POINT is [`Engine::batch`]: a batch's records and the note that it is done become true together. Stopped before
//! it, the next run finds the note of the batch before and sends this one again; stopped after it, the next run finds this
//! batch's note. A note cannot hold the law's answers to its own batch, so it holds the totals before it; what the law said
//! to the last batch is read back from the records.

use crate::plan::{Event, Plan, REPLAYER, account};
use crate::totals::{Said, Totals};
use crate::trouble::Trouble;
use hos_core::answer::Answer;
use hos_core::call::{Call, Note};
use hos_core::id::{Name, OnceKey, Tenant, Uid};
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Timestamp;
use hos_engine::clock::SetClock;
use hos_engine::{Engine, TenantRef};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::time::Instant;

/// How often a batch is sent again when the store was busy or could not say whether it had committed.
const TRIES: u32 = 3;

/// The payload of a note.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// The input's digest.
    input: String,
    /// The batch that the note belongs to.
    from: usize,
    next: usize,
    /// The totals before that batch.
    before: Totals,
}

/// How a run went.
#[derive(Debug)]
pub(crate) struct Done {
    /// Over all runs.
    pub(crate) totals: Totals,
    /// How many events earlier runs had done.
    pub(crate) resumed_at: usize,
}

/// A replay under way.
pub(crate) struct Replay<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    clock: &'a SetClock,
    /// Where the notes are.
    home: TenantRef,
    home_tenant: Tenant,
    stream: String,
    replayer: Uid,
    totals: Totals,
}

impl<'a> Replay<'a> {
    /// A replay of this plan into this store, from wherever it was left.
    pub(crate) fn new(engine: &'a Engine, plan: &'a Plan, clock: &'a SetClock) -> Result<Self, Trouble> {
        let home_tenant = plan.cast.tenants.first().cloned().ok_or_else(|| Trouble::new("a replay without a tenant"))?;
        Ok(Self {
            engine,
            plan,
            clock,
            home: engine.tenant(home_tenant.as_str())?,
            home_tenant,
            stream: format!("pazar.replay_{}", plan.short_digest()),
            replayer: account(REPLAYER)?,
            totals: Totals::default(),
        })
    }

    /// Replays what is left; tells `progress` how many events are done.
    pub(crate) fn run(mut self, progress: &dyn Fn(u64)) -> Result<Done, Trouble> {
        let mut next = 0;
        if let Some(mark) = self.last_mark()? {
            self.totals = mark.before;
            next = mark.next;
            self.read_back(mark.from..mark.next)?;
        }
        let resumed_at = next;
        progress(next as u64);
        let (spent, started) = (self.totals.millis, Instant::now());
        while next < self.plan.events.len() {
            let batch = self.plan.batch(next);
            next = batch.end;
            self.commit(batch)?;
            self.totals.millis = spent + u64::try_from(started.elapsed().as_millis()).unwrap_or(0);
            progress(next as u64);
        }
        Ok(Done { totals: self.totals, resumed_at })
    }

    fn last_mark(&self) -> Result<Option<Mark>, Trouble> {
        let Some(payload) = self.home.last_note(&self.stream)? else { return Ok(None) };
        let broken =
            |why: String| Trouble::new(format!("the newest note of the stream `{}` is not this program's: {why}", self.stream));
        let mark: Mark = serde_json::from_slice(&payload).map_err(|e| broken(e.to_string()))?;
        if mark.input != self.plan.digest {
            return Err(broken("it is about another input".into()));
        }
        if mark.from >= mark.next || mark.next > self.plan.events.len() {
            return Err(broken("it speaks of events that the input does not have".into()));
        }
        Ok(Some(mark))
    }

    fn commit(&mut self, batch: Range<usize>) -> Result<(), Trouble> {
        let events = self.plan.events.get(batch.clone()).unwrap_or_default();
        // Nothing is recorded before it happened: the batch is dated by its last event.
        if let Some(last) = events.last() {
            self.clock.set(Timestamp(last.at));
        }
        let mut calls = Vec::with_capacity(events.len() + 1);
        for event in events {
            let (tenant, call) = self.plan.call(event)?;
            let tenant = self.plan.cast.tenants.get(tenant).ok_or_else(|| Trouble::new("an event without a tenant"))?;
            calls.push((tenant.clone(), call));
        }
        calls.push((self.home_tenant.clone(), Call::Note(self.note(&batch)?)));
        let mut tries = 1;
        let answers = loop {
            match self.engine.batch(calls.clone()) {
                Ok(answers) => break answers,
                Err(failure) if tries < TRIES && matches!(failure.code, Code::OutcomeUnknown | Code::StoreBusy | Code::Retry) => {
                    tries += 1;
                    // Committed after all? Then its note is there, and sending it again would record its refusals twice.
                    if self.last_mark()?.is_some_and(|mark| mark.next == batch.end) {
                        return self.read_back(batch);
                    }
                }
                Err(failure) => return Err(failure.into()),
            }
        };
        let mut answers = answers.into_iter();
        for event in events {
            let answer = answers.next().ok_or_else(|| Trouble::new("the engine answered too few calls"))?;
            let answer = answer.map_err(|failure| Trouble::new(format!("{}: {failure}", self.plan.describe(event))))?;
            self.check(event, &answer)?;
            self.totals.settle(
                event,
                &Said {
                    codes: answer.blockers.iter().map(|b| &*b.code).collect(),
                    policies: &answer.policies,
                    from: answer.from.as_ref().map(Name::as_str),
                    to: answer.to.as_ref().map(Name::as_str),
                },
            );
        }
        match answers.next() {
            Some(Ok(note)) if note.allowed => Ok(()),
            Some(Ok(note)) => Err(Trouble::new(format!("the replay's note was refused: {}", reasons(&note.blockers)))),
            Some(Err(failure)) => Err(failure.into()),
            None => Err(Trouble::new("the engine answered too few calls")),
        }
    }

    fn note(&self, batch: &Range<usize>) -> Result<Note, Trouble> {
        let mark = Mark { input: self.plan.digest.clone(), from: batch.start, next: batch.end, before: self.totals.clone() };
        let payload = serde_json::to_vec(&mark).map_err(|e| Trouble::new(format!("a note cannot be written: {e}")))?;
        let mut note = Note::new(self.replayer.clone(), &self.stream, payload)?;
        note.once = Some(OnceKey::new(format!("{}-{}", self.stream, batch.end))?);
        Ok(note)
    }

    /// An answer other than the file's own guards lead one to expect ends the replay: its counts would mean nothing.
    fn check(&self, event: &Event, answer: &Answer) -> Result<(), Trouble> {
        let expected = self.plan.expected(event);
        let what = self.plan.describe(event);
        if answer.again {
            return Err(Trouble::new(format!("{what}: this store has it already, from another input; choose another --store")));
        }
        if answer.blockers.iter().map(|b| &*b.code).eq(expected.iter().copied()) && answer.allowed == expected.is_empty() {
            return Ok(());
        }
        let elsewhere = answer.blockers.iter().any(|b| matches!(b.hos(), Some(Code::InstanceExists | Code::OnceConflict)));
        let hint = if elsewhere { " (the store holds another input with the same rows; choose another --store)" } else { "" };
        let said = if answer.blockers.is_empty() {
            "allows it".to_owned()
        } else {
            format!("refuses it: {}", reasons(&answer.blockers))
        };
        let awaited = if expected.is_empty() { "an allowance".to_owned() } else { format!("a refusal, {}", expected.join(", ")) };
        Err(Trouble::new(format!("{what}: the law {said}; by the file's own rules {awaited} was due{hint}")))
    }

    /// Counts a batch that an earlier run committed, from its records.
    fn read_back(&mut self, batch: Range<usize>) -> Result<(), Trouble> {
        let events = self.plan.events.get(batch).unwrap_or_default();
        for event in events {
            let (tenant, id) = self.plan.instance(event)?;
            let tenant = self.plan.cast.tenants.get(tenant).ok_or_else(|| Trouble::new("an event without a tenant"))?;
            let (tenant, contract) = (self.engine.tenant(tenant.as_str())?, Name::new(event.what.contract())?);
            let expected = self.plan.expected(event);
            let otherwise =
                || Trouble::new(format!("{}: an earlier run was answered otherwise than was due", self.plan.describe(event)));
            if !expected.is_empty() {
                if tenant.instance(&contract, &id)?.is_some() {
                    return Err(otherwise());
                }
                self.totals.settle(event, &Said { codes: expected.to_vec(), policies: &[], from: None, to: None });
                continue;
            }
            // Every allowed event of an item is one record of its thread, so that its step is the record's place.
            let entries = tenant.history(&contract, &id, u64::from(event.step), 1)?;
            let header = entries.first().map(|entry| &entry.header).ok_or_else(otherwise)?;
            if header.event.as_ref().is_none_or(|name| name.as_str() != event.what.name()) {
                return Err(otherwise());
            }
            self.totals.settle(
                event,
                &Said {
                    codes: Vec::new(),
                    policies: &header.policies,
                    from: header.from.as_ref().map(Name::as_str),
                    to: header.to.as_ref().map(Name::as_str),
                },
            );
        }
        Ok(())
    }
}

fn reasons(blockers: &[Blocker]) -> String {
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
