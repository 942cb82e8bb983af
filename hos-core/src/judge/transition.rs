//! Events and overrides, and what could be done next.

use super::bench::{Bench, Standing};
use super::door;
use super::instance::Instance;
use super::motion::{Motion, refuse};
use super::verdict::{Asked, Verdict, answer_with, contract_unknown, event_unknown, judge, shown, standing_blocker, undeclared};
use super::world::About;
use super::{Judged, transition_digest};
use crate::answer::{Answer, Candidate};
use crate::call::{By, Call, Transition};
use crate::contract::definition::Event;
use crate::contract::{Contract, step};
use crate::id::Name;
use crate::law::mode::Mode;
use crate::proof::record::Kind;
use crate::refusal::{Blocker, Code};
use crate::value::Record;
use std::collections::BTreeSet;

/// Judges an event or an override on an instance as it stands (`None`: there is none).
pub fn transition(bench: &Bench<'_>, call: &Transition, instance: Option<&Instance>) -> Judged {
    let mut answer = bench.blank();
    answer.mode = bench.modes.of(bench.tenant, call.contract.as_str());
    let whole = || Call::Transition(call.clone());
    let Some(instance) = instance else {
        answer.mode = About::Event(&call.contract, &call.event).mode(bench.active.law, bench.modes, bench.tenant);
        let blocker = match bench.active.law.contracts.contains_key(&call.contract) {
            true => Blocker::new(Code::InstanceUnknown, shown(&call.id)),
            false => contract_unknown(bench.active.law, &call.contract),
        };
        return refuse(bench, answer, call.event.as_str(), &whole(), blocker);
    };
    answer.from = Some(instance.state.clone());
    answer.to = Some(instance.state.clone());
    answer.version = Some(instance.version);
    let Some(of) = bench.contract(&call.contract) else {
        return refuse(bench, answer, call.event.as_str(), &whole(), Blocker::new(Code::ContractUnknown, shown(&call.contract)));
    };
    let unmoved = bench;
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    // An event is one of the edition that the instance is taken to: what this edition alone has is known at the first touch.
    let migrated = motion.migrate(instance.clone());
    let bench = &bench.behind(instance, migrated.as_ref().unwrap_or(instance));
    let older = of;
    let of = bench.contract(&call.contract).unwrap_or(of);
    motion.bench = bench;
    let state = migrated.as_ref().map_or(&instance.state, |present| &present.state);
    let known = of.contract.event(call.event.as_str(), state.as_str());
    // One that only the edition before has is refused behind the migration.
    let Some((event, _)) = known.or_else(|| older.contract.event(call.event.as_str(), instance.state.as_str())) else {
        let blocker = event_unknown(&of.contract, &call.event);
        let present = migrated.as_ref().unwrap_or(instance);
        answer.candidate = candidate_view(bench, present, call, std::slice::from_ref(&blocker));
        return refuse(unmoved, answer, call.event.as_str(), &whole(), blocker);
    };
    answer.mode = bench.mode(&event.action, Some(call.contract.as_str()));
    if answer.mode == Mode::Off {
        return Judged::only(door::off(answer, call.by.legacy.as_ref().map(|l| l.allowed)));
    }
    if let Err(blocker) = bench.check_clock(Some(instance.last_time)) {
        return refuse(unmoved, answer, call.event.as_str(), &whole(), blocker);
    }
    let mut present = match migrated {
        Ok(present) => present,
        Err(blocker) => return refuse(unmoved, answer, call.event.as_str(), &whole(), blocker),
    };
    if answer.mode == Mode::Enforce {
        let (after, stopped) = motion.fire_due(of, present, &mut answer.fired);
        if let Some(blocker) = stopped {
            answer.blockers.push(blocker);
            answer.from = Some(after.state.clone());
            answer.to = Some(after.state.clone());
            answer.version = Some(after.version);
            return motion.done(answer, Some(after), None);
        }
        present = after;
    }
    answer.from = Some(present.state.clone());
    // The state may be another now: a migration or a deadline came before. The arrow is chosen anew.
    let Some((event, is_override)) = of.contract.event(call.event.as_str(), present.state.as_str()) else {
        // What came before has happened, whatever becomes of the event.
        answer.blockers.push(event_unknown(&of.contract, &call.event));
        answer.candidate = candidate_view(bench, &present, call, &answer.blockers);
        answer.to = Some(present.state.clone());
        answer.version = Some(present.version);
        let verdict = Verdict::against(answer.blockers.clone());
        return motion.refused_behind(present, answer, call.event.as_str(), &whole(), verdict);
    };
    let wrong = wrongly_asked(event, is_override, call);
    let asked = Asked {
        by: &call.by,
        event,
        is_override,
        args: &call.args,
        // In shadow the world has moved whatever the call brought: a fact that is none could never be judged over again.
        sets: wrong.is_empty() || bench.active.bound.is_earlier(),
        reason: call.reason.as_deref(),
        kind: if is_override { Kind::Overridden } else { Kind::Moved },
    };
    let same = step::standing(&of.contract, event, is_override, present.state.as_str()) == step::Standing::Same;
    let verdict = if wrong.is_empty() { judge(bench, of, &present, &asked) } else { Verdict::against(wrong) };
    answer_with(&mut answer, &verdict);
    answer.candidate = candidate_view(bench, &present, call, &verdict.blockers);
    answer.to = Some(present.state.clone());
    answer.version = Some(present.version);
    let landed = if answer.mode == Mode::Shadow {
        door::shadowed(&mut answer, call.by.legacy.as_ref().map(|l| l.allowed));
        if answer.code() == Some(Code::LegacyMissing.as_str()) {
            return Judged::only(answer);
        }
        let world = call.by.legacy.as_ref().filter(|l| l.allowed);
        if let Some(blocker) = world.and_then(|l| undeclared(of, l.state.as_ref())) {
            answer.blockers.push(blocker);
            let verdict = Verdict { blockers: answer.blockers.clone(), ..verdict };
            return motion.refused_behind(present, answer, call.event.as_str(), &whole(), verdict);
        }
        let world = world
            .map(|l| l.state.clone().or_else(|| verdict.branch.map(|b| b.to.clone())).unwrap_or_else(|| present.state.clone()));
        // Where the law says that it is the same again, it leaves the instance where it stands.
        let stays = (same && verdict.blockers.is_empty()).then_some(&present.state);
        let lawful = verdict.branch.map(|b| &b.to).or(stays);
        answer.divergence |= world.as_ref().zip(lawful).is_some_and(|(world, lawful)| world != lawful);
        world
    } else if same && verdict.blockers.is_empty() {
        // The policy allows and the instance already is there: the receipt of the entry into this state, again.
        answer.allowed = true;
        answer.again = true;
        let kept = (!motion.drafts.is_empty()).then_some(present);
        return motion.done(answer, kept, None);
    } else {
        verdict.branch.map(|b| b.to.clone())
    };
    let Some(to) = landed else {
        return motion.refused_behind(present, answer, call.event.as_str(), &whole(), verdict);
    };
    let once = call.once.as_ref().map(|key| (key.clone(), transition_digest(call)));
    let from = present.state.clone();
    let moved = match motion.advance(of, Some(from), &present, &asked, &verdict, to, once.as_ref()) {
        Ok(moved) => moved,
        Err(blocker) => {
            answer.blockers.push(blocker);
            let verdict = Verdict { blockers: answer.blockers.clone(), ..verdict };
            return motion.refused_behind(present, answer, call.event.as_str(), &whole(), verdict);
        }
    };
    answer.allowed = answer.mode != Mode::Shadow || answer.allowed;
    answer.to = Some(moved.state.clone());
    answer.version = Some(moved.version);
    motion.done(answer, Some(moved), once)
}

/// What is wrong with a call before anything is judged: its arguments, and an override without a reason.
fn wrongly_asked(event: &Event, is_override: bool, call: &Transition) -> Vec<Blocker> {
    let mut wrong = step::check_given("argument", &event.args, &call.args);
    if is_override && call.reason.as_deref().is_none_or(|r| r.trim().is_empty()) {
        wrong.push(Blocker::new(Code::ReasonMissing, shown(&call.event)));
    }
    wrong
}

/// An event on an instance that was erased: refused, whatever it is.
pub fn erased(bench: &Bench<'_>, call: &Transition) -> Judged {
    let mut answer = bench.blank();
    answer.mode = bench.modes.of(bench.tenant, call.contract.as_str());
    let whole = Call::Transition(call.clone());
    refuse(bench, answer, call.event.as_str(), &whole, Blocker::new(Code::InstanceErased, shown(&call.id)))
}

/// Takes an instance to the active law's version of its contract, and nothing else.
pub fn migrate(bench: &Bench<'_>, instance: &Instance) -> Judged {
    let mut answer = bench.blank();
    answer.from = Some(instance.state.clone());
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    match motion.migrate(instance.clone()) {
        Err(blocker) => {
            answer.blockers.push(blocker);
            Judged::only(answer)
        }
        Ok(after) => {
            answer.allowed = true;
            answer.to = Some(after.state.clone());
            let changed = !motion.drafts.is_empty();
            motion.done(answer, changed.then_some(after), None)
        }
    }
}

/// What can be done now, and why the rest cannot: every event and override of the instance's contract, judged by the same
/// path as a transition, after the deadlines that are due by now. Policies and guards of events with arguments are not judged;
/// `needs` names the arguments.
pub fn available(bench: &Bench<'_>, instance: &Instance, by: &By) -> Vec<(Name, Answer, Vec<Name>)> {
    // Every event is asked over the same world, which is closed once.
    let (active, guards) = (bench.active.bound.for_several(), bench.guards.map(|g| (g.law, g.bound.for_several())));
    let mut several = *bench;
    several.active.bound = &active;
    several.guards = guards.as_ref().map(|(law, bound)| Standing { law, bound });
    looked_over(&several, instance, by)
}

fn looked_over(bench: &Bench<'_>, instance: &Instance, by: &By) -> Vec<(Name, Answer, Vec<Name>)> {
    let Some(of) = bench.contract(&instance.contract) else {
        return Vec::new();
    };
    // What is drafted here is thrown away: nothing fires by being looked at.
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    let mut stopped = bench.check_clock(Some(instance.last_time)).err();
    let present = motion.migrate(instance.clone()).unwrap_or_else(|blocker| {
        stopped.get_or_insert(blocker);
        instance.clone()
    });
    let bench = &bench.behind(instance, &present);
    let of = bench.contract(&instance.contract).unwrap_or(of);
    motion.bench = bench;
    let mut fired = Vec::new();
    let (after, held_up) =
        if stopped.is_none() { motion.fire_due(of, present.clone(), &mut fired) } else { (present.clone(), None) };
    let names: BTreeSet<&Name> = of.contract.events.keys().chain(of.contract.overrides.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let Some((event, _)) = of.contract.event(name.as_str(), present.state.as_str()) else { continue };
        let mode = bench.mode(&event.action, Some(instance.contract.as_str()));
        // All arrows of an event have the same arguments.
        let needs: Vec<Name> = event.args.iter().filter(|(_, a)| !a.optional).map(|(n, _)| n.clone()).collect();
        if mode == Mode::Off {
            // As the call would be answered: nothing is judged there.
            let answer = Answer { mode, from: Some(present.state.clone()), ..bench.blank() };
            found.push((name.clone(), door::off(answer, by.legacy.as_ref().map(|l| l.allowed)), needs));
            continue;
        }
        // Where the law is not enforced it fires nothing by itself: the instance stands where the world has it.
        let now = if mode == Mode::Enforce { &after } else { &present };
        let Some((event, is_override)) = of.contract.event(name.as_str(), now.state.as_str()) else { continue };
        let mut answer = bench.blank();
        answer.mode = mode;
        answer.from = Some(now.state.clone());
        if mode == Mode::Enforce {
            answer.fired = fired.clone();
        }
        let standing = step::standing(&of.contract, event, is_override, now.state.as_str());
        let enforced_and_stopped = stopped.as_ref().or(held_up.as_ref().filter(|_| mode == Mode::Enforce));
        if let Some(blocker) = enforced_and_stopped {
            answer.blockers.push(blocker.clone());
        } else if needs.is_empty() {
            let args = Record::new();
            let kind = if is_override { Kind::Overridden } else { Kind::Moved };
            let asked = Asked { by, event, is_override, args: &args, sets: true, reason: Some("available"), kind };
            let verdict = judge(bench, of, now, &asked);
            answer_with(&mut answer, &verdict);
            answer.to = verdict.branch.map(|b| b.to.clone());
            answer.blockers.extend(answer.to.as_ref().and_then(|to| motion.cannot_arm(of, now, &asked, to)));
            // The work is done already: the event would be answered with the receipt of the entry into this state.
            answer.again = standing == step::Standing::Same && answer.blockers.is_empty();
        } else if let Some(blocker) = standing_blocker(standing, name, now) {
            answer.blockers.push(blocker);
        }
        answer.allowed = answer.blockers.is_empty() && needs.is_empty();
        found.push((name.clone(), answer, needs));
    }
    found
}

/// An instance as a newer version of its contract would have it; nothing where it is not newer, or has no place for it.
fn taken_along(newer: &Contract, present: &Instance) -> Option<Instance> {
    if newer.version <= present.contract_version {
        return None;
    }
    let to = step::migrate(newer, present.contract_version, present.state.as_str())?;
    Some(Instance { state: to.clone(), contract_version: newer.version, ..present.clone() })
}

fn candidate_view(bench: &Bench<'_>, present: &Instance, call: &Transition, blockers: &[Blocker]) -> Option<Candidate> {
    let standing = bench.candidate?;
    let mut other = *bench;
    other.active = standing;
    other.guards = None;
    other.candidate = None;
    // Under the candidate the instance would be taken to its contract's version before anything is judged.
    let there = standing.law.contracts.get(&call.contract).and_then(|of| taken_along(&of.contract, present));
    let present = there.as_ref().unwrap_or(present);
    let said = match standing.law.contracts.get(&call.contract) {
        None => vec![Blocker::new(Code::ContractUnknown, shown(&call.contract))],
        Some(of) => match of.contract.event(call.event.as_str(), present.state.as_str()) {
            None => vec![event_unknown(&of.contract, &call.event)],
            Some((event, is_override)) => {
                let asked = Asked {
                    by: &call.by,
                    event,
                    is_override,
                    args: &call.args,
                    sets: true,
                    reason: call.reason.as_deref(),
                    kind: Kind::Moved,
                };
                let wrong = wrongly_asked(event, is_override, call);
                if wrong.is_empty() { judge(&other, of, present, &asked).blockers } else { wrong }
            }
        },
    };
    door::differing(blockers, standing, said)
}
