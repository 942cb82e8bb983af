//! Judging ahead: a call that has to wait for its turn is judged meanwhile, by its own caller's thread, on the rows of the
//! last commit or on what this process remembers of its instance. When its turn comes, only what it stood on is looked at,
//! and what was judged is written.
//!
//! INVARIANT: what is written is what judging in its turn would have written, but for the time it was judged at and the chance
//! in its salts. It stood on:
//!
//! - the laws in force, their modes and the directory: the very view that the group has;
//! - the instance, or its absence: the row is swapped against the version that was read, or inserted;
//! - the absence of the once-key: it is inserted;
//! - the keys of persons: each is still the one in force;
//! - the end of the log, by which an absurd clock is known: looked at;
//! - no deadline being due: none of the instance's has become due since.
//!
//! Whatever else a call may come to (a refusal, an earlier answer, a directory change, a stream) is judged in its turn alone.

use super::fetch::Before;
use super::settle::{failure_of, unbounded};
use crate::Failure;
use crate::court::{Court, Group};
use crate::join::{self, Found, ROUNDS_MAX, Read, Round, Rows};
use crate::sealed::Chance;
use crate::settings::Seal;
use crate::store::sqlite::Foresight;
use crate::store::{Tx, Unread};
use crate::view::{Bench as LawBench, View};
use crate::work::Job;
use hos_core::answer::Answer;
use hos_core::call::Call;
use hos_core::id::{KeyId, Tenant};
use hos_core::judge::{Judged, Place};
use hos_core::refusal::Code;
use std::sync::{Arc, PoisonError};

/// What was judged, and what it stood on.
pub(crate) struct Ahead {
    view: Arc<View>,
    judged: Judged,
    before: Option<Arc<Before>>,
    /// The parts of each record, sealed.
    parts: Vec<Vec<u8>>,
    /// The persons under whose keys they are.
    keys: Vec<([u8; 32], KeyId)>,
    chance: Chance,
}

/// Whether a job is one that may be judged ahead: a step of an instance that the world does not answer for itself.
pub(super) fn foresees(job: &Job) -> bool {
    matches!(job, Job::Call(_, call) if call.by().legacy.is_none() && matches!(**call, Call::Begin(_) | Call::Transition(_)))
}

impl Court {
    /// Judges a call on these rows; without rows, on what is known of its instance.
    pub(super) fn ahead_of(&self, rows: Option<&Tx<'_>>, tenant: &Tenant, call: &Call) -> Result<Foresight<Box<Ahead>>, Failure> {
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(in_force), Some(view)) = (in_force, self.known_view(tenant)) else { return Ok(Foresight::Dark) };
        if self.settings.seal != Seal::Inline
            || view.in_force.activation.record != in_force.activation.record
            || unbounded(call).is_some()
        {
            return Ok(Foresight::Dark);
        }
        let mut group = self.new_group(Some(in_force));
        let (mut before, mut guards): (Option<Arc<Before>>, Option<LawBench>) = (None, None);
        // That there is no once-key is seen when it is inserted.
        let mut known = Rows { once: call.once().map(|_| None), ..Rows::default() };
        let unread = Unread;
        let nothing = Tx::of(&unread);
        let tx = match rows {
            Some(tx) => tx,
            None => {
                if let Ok(mut recent) = self.recent.try_lock() {
                    before = recent.of(tenant, call);
                    group.fresh.trust(recent.look());
                }
                let Some(before) = &before else { return Ok(Foresight::Rows) };
                if before.instance.law != view.active.law.hash {
                    return Ok(Foresight::Rows);
                }
                known.instance = Some(Found::Live(before.instance.clone()));
                &nothing
            }
        };
        let seed = self.case_seed(&mut group)?;
        for _ in 0..=ROUNDS_MAX {
            let bench = self.bench_at(tx, tenant, &view, guards.as_ref(), None, seed);
            match join::step(&bench, call, &known) {
                Round::Need(reads) => {
                    for read in reads {
                        if !matches!(read, Read::Instance(..) | Read::Law(_)) {
                            return Ok(Foresight::Dark);
                        }
                        self.fetch(tx, &mut group, tenant, &view, read, &mut known, &mut before, &mut guards)?;
                    }
                }
                Round::Settle(judged) => {
                    if !is_a_step(&judged) {
                        return Ok(Foresight::Dark);
                    }
                    let mut chance = Chance::new(&seed);
                    let keys = self.keys(tx);
                    let mut parts = Vec::with_capacity(judged.drafts.len());
                    for draft in &judged.drafts {
                        parts.push(keys.seal_parts(draft, &mut group.fresh, &mut chance).map_err(failure_of)?);
                    }
                    // A key that is made for a new person is made under the store's lock.
                    let Some(keys) = group.fresh.all_kept() else { return Ok(Foresight::Dark) };
                    return Ok(Foresight::Judged(Box::new(Ahead { view, judged: *judged, before, parts, keys, chance })));
                }
            }
        }
        Ok(Foresight::Dark)
    }

    /// Writes what was judged ahead, if it still holds.
    pub(super) fn write_ahead(
        &self,
        tx: &Tx<'_>,
        group: &mut Group,
        tenant: &Tenant,
        call: &Call,
        ahead: Ahead,
    ) -> Result<Answer, Failure> {
        let Ahead { view, judged, before, parts, keys, mut chance } = ahead;
        if !Arc::ptr_eq(&self.view(tx, group, tenant)?, &view) {
            return Err(stale("the law or the directory"));
        }
        for (tag, id) in &keys {
            if !self.keys(tx).stands(tag, *id, &mut group.fresh)? {
                return Err(stale("a person's key"));
            }
        }
        let sealed = before.as_ref().map(|before| before.facts_key).filter(|key| key.0 != [0; 16]);
        if let Some(key) = sealed
            && self.keys(tx).by_id(&key, &group.fresh)?.is_none()
        {
            return Err(stale("the key of the facts"));
        }
        let jump_max_ms = self.limits(&view.in_force).jump_max_ms;
        let last = self.last_sealed(tx, group, tenant)?;
        let now = judged.drafts.iter().map(|draft| draft.header.time).max();
        if last.zip(now).is_some_and(|(last, now)| now.0 > last.0.saturating_add(jump_max_ms)) {
            return Err(stale("the end of the log"));
        }
        let armed = before.iter().flat_map(|before| &before.instance.deadlines);
        if armed.map(|armed| armed.due).min().is_some_and(|due| due <= self.now(tx)) {
            return Err(stale("a deadline"));
        }
        group.once = call.once().map(|key| key.as_str().as_bytes().to_vec());
        self.write(tx, group, tenant, &view, judged, before, parts, &mut chance)
    }
}

/// Whether nothing came of a call but an instance's step, all of whose records stand in threads of their own.
fn is_a_step(judged: &Judged) -> bool {
    let (answer, drafts) = (&judged.answer, &judged.drafts);
    let steps = answer.allowed && !answer.again && judged.instance.is_some() && judged.directory.is_none();
    steps && !drafts.is_empty() && drafts.iter().all(|draft| matches!(draft.place, Place::Thread { .. }))
}

fn stale(what: &str) -> Failure {
    Failure::new(Code::Retry, format!("{what} changed after the call was judged ahead"))
}
