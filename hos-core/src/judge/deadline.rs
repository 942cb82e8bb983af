//! Deadlines: armed on entry, due before any later event, tick or not.

use super::Judged;
use super::bench::Bench;
use super::door;
use super::draft::{Drafting, Place};
use super::evidence;
use super::instance::Instance;
use super::motion::Motion;
use super::verdict::{Asked, Verdict, judge, resource_of, shown, with_given};
use crate::call::By;
use crate::contract::Contract;
use crate::contract::definition::Due;
use crate::contract::step::{self, Armed};
use crate::id::{Name, Tenant};
use crate::law::Law;
use crate::law::bundle::LawContract;
use crate::law::mode::{Mode, Modes};
use crate::policy::{Entity, Request};
use crate::proof::record::{Kind, Slot};
use crate::refusal::{Blocker, Code};
use crate::time::Timestamp;
use crate::value::Record;
use std::collections::BTreeSet;

/// Whether anything could come of a deadline that is due, as far as the laws and modes can say without the instance: its place in the
/// contract of the law `of`, under which the instance is. Where the law in force takes the instance to a newer version first, something does.
pub fn may_fire(of: &Law, active: &Law, modes: &Modes, tenant: &Tenant, contract: &Name, place: usize) -> bool {
    let Some(held) = of.contracts.get(contract).map(|held| &held.contract) else { return true };
    let Some(deadline) = held.deadlines.get(place) else { return true };
    let state = deadline.state.as_str();
    let newer = active.contracts.get(contract).filter(|newer| newer.contract.version > held.version);
    newer.is_some_and(|newer| step::migrate(&newer.contract, held.version, state).is_some())
        || is_enforced(held, &deadline.event, state, modes, tenant)
}

/// Whether the law decides on a deadline's event in a state.
fn is_enforced(of: &Contract, event: &Name, state: &str, modes: &Modes, tenant: &Tenant) -> bool {
    let mode = match of.event(event.as_str(), state) {
        Some((event, _)) => modes.of_act(tenant, &event.action, of.name.as_str()),
        None => modes.of(tenant, of.name.as_str()),
    };
    mode == Mode::Enforce
}

/// Fires the deadlines that are due, and nothing else. The answer's `fired` names those that moved it; `instance` is `None` when
/// none was due.
pub fn tick(bench: &Bench<'_>, instance: &Instance) -> Judged {
    let mut answer = bench.blank();
    answer.from = Some(instance.state.clone());
    answer.to = Some(instance.state.clone());
    let Some(of) = bench.contract(&instance.contract) else {
        answer.blockers.push(Blocker::new(Code::ContractUnknown, shown(&instance.contract)));
        return Judged::only(answer);
    };
    if let Err(blocker) = bench.check_clock(Some(instance.last_time)) {
        answer.blockers.push(blocker);
        return Judged::only(answer);
    }
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    // As before any event: a newer version of the contract first.
    let present = match motion.migrate(instance.clone()) {
        Ok(present) => present,
        Err(blocker) => {
            answer.blockers.push(blocker);
            return Judged::only(answer);
        }
    };
    let bench = &bench.behind(instance, &present);
    let of = bench.contract(&instance.contract).unwrap_or(of);
    motion.bench = bench;
    // What stopped it, if anything did, is for the next tick; what has fired has fired.
    let (after, _) = motion.fire_due(of, present, &mut answer.fired);
    answer.allowed = true;
    answer.to = Some(after.state.clone());
    answer.version = Some(after.version);
    let changed = after != *instance;
    motion.done(answer, changed.then_some(after), None)
}

impl Motion<'_, '_> {
    /// Fires due deadlines, the earliest first, each as a move of its own by the law's clock principal. One that is refused
    /// is disarmed and recorded, so that it holds nothing up; it is not among those that `fired`. Where the law is not enforced
    /// the world's state is the truth, and nothing moves by itself: the deadline stays armed until it is.
    pub(super) fn fire_due(
        &mut self,
        of: &LawContract,
        mut instance: Instance,
        fired: &mut Vec<Name>,
    ) -> (Instance, Option<Blocker>) {
        let now = self.bench.now.max(instance.last_time);
        let mut tried = 0;
        loop {
            let Some(due) = self.ripe(of, &instance, now) else {
                return (instance, None);
            };
            if self.bench.limits.deadlines_max == 0 {
                return (instance, None);
            }
            if tried >= self.bench.limits.deadlines_max {
                return (instance, Some(Blocker::new(Code::DeadlineLimit, format!("{tried} fired or refused"))));
            }
            let before = instance.version;
            instance = match self.fire(of, instance.clone(), &due) {
                Ok(after) => after,
                Err(blocker) => return (instance, Some(blocker)),
            };
            tried += 1;
            // Only a move raises the version.
            if instance.version > before {
                fired.push(due.event);
            }
        }
    }

    fn ripe(&self, of: &LawContract, instance: &Instance, now: Timestamp) -> Option<Armed> {
        let (state, modes, tenant) = (instance.state.as_str(), self.bench.modes, self.bench.tenant);
        let enforced = |d: &&Armed| is_enforced(&of.contract, &d.event, state, modes, tenant);
        let ripe = instance.deadlines.iter().filter(|d| d.due <= now).filter(enforced);
        ripe.min_by_key(|d| (d.due, d.deadline)).cloned()
    }

    fn fire(&mut self, of: &LawContract, mut instance: Instance, due: &Armed) -> Result<Instance, Blocker> {
        instance.deadlines.retain(|d| d != due);
        let by = self.clock();
        let args = Record::new();
        let found = of.contract.event(due.event.as_str(), instance.state.as_str()).filter(|(_, is_override)| !is_override);
        let mut verdict = match found {
            None => Verdict::against(vec![Blocker::new(Code::EventUnknown, shown(&due.event))]),
            Some((event, _)) => {
                let asked =
                    Asked { by: &by, event, is_override: false, args: &args, sets: true, reason: None, kind: Kind::Expired };
                judge(self.bench, of, &instance, &asked)
            }
        };
        if let (Some((event, _)), Some(branch)) = (found, verdict.branch) {
            let asked = Asked { by: &by, event, is_override: false, args: &args, sets: true, reason: None, kind: Kind::Expired };
            let (from, to) = (instance.state.clone(), branch.to.clone());
            match self.advance(of, Some(from), &instance, &asked, &verdict, to, None) {
                Ok(after) => return Ok(after),
                Err(blocker) => verdict.blockers.push(blocker),
            }
        }
        // Refused: the record stands in the instance's own thread, for it changes what is armed.
        instance.n += 1;
        instance.last_time = instance.last_time.max(self.bench.now);
        let place = Place::Thread { handle: instance.handle, n: instance.n, prev: Some(instance.last) };
        let policies = verdict.ruling.as_ref().map(|r| r.determining.clone()).unwrap_or_default();
        let mut d = Drafting::new(self.bench, Kind::Refused, place, self.drafts.len())
            .contract(&instance.contract, of.contract.version, &due.event)
            .decided(&verdict.blockers, &policies);
        d.header().from = Some(instance.state.clone());
        d.part(Slot::Principal, None, evidence::encode_entity(&by.principal));
        d.part(Slot::Blockers, instance.subject.as_ref(), evidence::encode_blockers(&verdict.blockers));
        d.part(Slot::Deadlines, None, evidence::encode_armed(&instance.deadlines));
        verdict.slice.parts(self.bench, &mut d);
        let draft = d.finish()?;
        instance.last = draft.hash;
        self.drafts.push(draft);
        Ok(instance)
    }

    /// The clock as a principal; given with the call unless the directory holds it, or the law itself declares it.
    fn clock(&self) -> By {
        let (bound, clock) = (self.bench.active.bound, self.bench.active.law.clock.clone());
        let mut by = By::new(clock.clone());
        let is_declared = bound.law().declares(&clock) && !bound.is_earlier();
        if !is_declared && bound.directory().get(&clock).is_none() {
            by.given.push(Entity { uid: clock, attrs: Record::new(), parents: BTreeSet::new(), record: None });
        }
        by
    }

    /// The deadlines that entering the instance's state arms, and the stored entities that their instants were read over.
    pub(super) fn arm(&self, of: &LawContract, instance: &Instance) -> Result<(Vec<Armed>, Vec<Entity>), Blocker> {
        if !of.contract.deadlines.iter().any(|d| d.state == instance.state) {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut read = Vec::new();
        let standing = if instance.law == self.bench.active.law.hash { self.bench.active } else { self.bench.guard_standing() };
        let is_older = standing.law.hash != self.bench.active.law.hash;
        let resource = resource_of(of, instance)?;
        let clock = self.clock();
        let uid = resource.uid.clone();
        let given = with_given(resource, &clock.given);
        let entered = instance.entered_at;
        let armed = step::deadlines_on_entry(&of.contract, instance.state.as_str(), entered, &mut |index| {
            let action = of.contract.expressions.get(index).map(|e| e.action.as_str()).unwrap_or_default();
            let action = door::action(standing, action).map_err(in_doubt)?;
            let context = Record::new();
            let request = Request { principal: &clock.principal, action, resource: &uid, given: &given, context: &context };
            let bound = standing.bound;
            let prepared =
                if is_older { bound.prepare_guards(&request, self.bench.active.bound.law()) } else { bound.prepare(&request) };
            let prepared = prepared.map_err(in_doubt)?;
            read.extend(prepared.slice().into_iter().filter(|e| e.record.is_some()));
            prepared.instant(of.expression(index)).map_err(|why| Blocker::new(Code::GuardError, why))
        })?;
        Ok((armed, read))
    }

    /// What is armed after a move: anew on entry; a self-loop keeps what runs, but a changed fact arms an `at` anew.
    pub(super) fn rearm(
        &self,
        of: &LawContract,
        before: &Instance,
        after: &Instance,
        entered: bool,
    ) -> Result<(Vec<Armed>, Vec<Entity>), Blocker> {
        if entered {
            return self.arm(of, after);
        }
        if after.facts == before.facts {
            return Ok((before.deadlines.clone(), Vec::new()));
        }
        let (fresh, read) = self.arm(of, after)?;
        let is_at = |armed: &Armed| of.contract.deadlines.get(armed.deadline).is_some_and(|d| matches!(d.due, Due::At(_)));
        let armed = before.deadlines.iter().filter(|d| !is_at(d)).cloned().chain(fresh.into_iter().filter(is_at)).collect();
        Ok((armed, read))
    }
}

/// Why an expression could not be evaluated at all. That the directory has other clocks than the law's stands in no record, and is
/// told by its own code: who judges again attests it.
fn in_doubt(blocker: Blocker) -> Blocker {
    if blocker.code == Code::PrincipalUnknown.as_str() { blocker } else { Blocker::new(Code::GuardError, blocker.to_string()) }
}
