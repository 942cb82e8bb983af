//! `can`: a decision without a move.

use super::bench::{Bench, Standing};
use super::slice::Slice;
use crate::answer::{Answer, Candidate};
use crate::call::{By, Can};
use crate::id::Uid;
use crate::law::Law;
use crate::law::mode::Mode;
use crate::policy::{Effect, Entity, Request, Ruling};
use crate::refusal::{Blocker, Code};
use crate::value::Record;
use std::collections::BTreeSet;

/// May this principal do this to that? The answer writes nothing.
pub fn can(bench: &Bench<'_>, call: &Can) -> Answer {
    let mut answer = bench.blank();
    answer.mode = bench.mode(&call.action, None);
    if answer.mode == Mode::Off {
        return off(answer, call.by.legacy.as_ref().map(|l| l.allowed));
    }
    let verdict = decide(bench.active, call);
    apply_ruling(&mut answer, verdict);
    answer.candidate = bench.candidate.and_then(|standing| {
        let mut other = bench.blank();
        apply_ruling(&mut other, decide(standing, call));
        differing(&answer.blockers, standing, other.blockers)
    });
    answer.allowed = answer.blockers.is_empty();
    if answer.mode == Mode::Shadow {
        shadowed(&mut answer, call.by.legacy.as_ref().map(|l| l.allowed));
    }
    answer
}

/// Several questions, in their order: what they bring along alike is looked at once.
pub fn can_all(bench: &Bench<'_>, calls: &[Can]) -> Vec<Answer> {
    let (active, candidate) = (bench.active.bound.for_several(), bench.candidate.map(|c| (c.law, c.bound.for_several())));
    let mut several = *bench;
    several.active.bound = &active;
    several.candidate = candidate.as_ref().map(|(law, bound)| Standing { law, bound });
    calls.iter().map(|call| can(&several, call)).collect()
}

fn decide(standing: Standing<'_>, call: &Can) -> Result<Ruling, Blocker> {
    let action = action(standing, &call.action)?;
    standing.bound.decide(&Request {
        principal: &call.by.principal,
        action,
        resource: &call.resource,
        given: &call.by.given,
        context: &call.by.context,
    })
}

/// The action's identity in the law's namespace.
pub(super) fn action<'a>(standing: Standing<'a>, id: &str) -> Result<&'a Uid, Blocker> {
    standing.law.known_action(id).ok_or_else(|| Blocker::new(Code::ActionUnknown, format!("`{}`", crate::id::Shown(id))))
}

/// Judges a request, and says over what.
pub(super) fn ruled(standing: Standing<'_>, request: &Request<'_>) -> (Result<Ruling, Blocker>, Slice) {
    match standing.bound.prepare(request) {
        Ok(prepared) => (Ok(prepared.ruling()), Slice::of(&prepared)),
        Err(blocker) => (Err(blocker), Slice::around(standing, request)),
    }
}

/// An operator's act is about no entity of the world, but about a gate of the law's: `Gate::"law"`.
pub fn gate(law: &Law, gate: &str) -> Result<Uid, Blocker> {
    let namespace = &law.namespace;
    let type_name = if namespace.is_empty() { "Gate".to_owned() } else { format!("{namespace}::Gate") };
    Uid::new(type_name, gate).map_err(|e| Blocker::new(Code::IdInvalid, e.to_string()))
}

/// Judges an operator's act at a gate, and says over what.
pub fn at_gate(standing: Standing<'_>, act: &str, at: &str, by: &By) -> (Result<Ruling, Blocker>, Slice) {
    let asked = action(standing, act).and_then(|action| Ok((action, gate(standing.law, at)?)));
    let (action, uid) = match asked {
        Ok(pair) => pair,
        Err(blocker) => return (Err(blocker), Slice::default()),
    };
    let mut given = by.given.clone();
    // What the law itself declares is given by nobody.
    if !standing.bound.law().declares(&uid) {
        given.push(Entity { uid: uid.clone(), attrs: Record::new(), parents: BTreeSet::new(), record: None });
    }
    let request = Request { principal: &by.principal, action, resource: &uid, given: &given, context: &by.context };
    ruled(standing, &request)
}

/// Writes a ruling, or the refusal before it, into an answer.
pub fn apply_ruling(answer: &mut Answer, verdict: Result<Ruling, Blocker>) {
    match verdict {
        Err(blocker) => answer.blockers.push(blocker),
        Ok(ruling) => {
            answer.effect = Some(ruling.effect);
            answer.policies = ruling.determining;
            answer.errors = ruling.errors;
            answer.blockers.extend(objection(ruling.effect, &answer.policies));
        }
    }
}

/// What stands against a request that was ruled on so.
pub(super) fn objection(effect: Effect, policies: &[String]) -> Option<Blocker> {
    match effect {
        Effect::Allow => None,
        Effect::Forbidden => Some(Blocker::new(Code::Forbidden, policies.join(", "))),
        Effect::ForbidError => Some(Blocker::new(Code::ForbidError, policies.join(", "))),
        Effect::NotPermitted => Some(Blocker::new(Code::NotPermitted, "")),
    }
}

/// What a candidate law says, if its yes or no, or its reason, is another.
pub(super) fn differing(active: &[Blocker], standing: Standing<'_>, blockers: Vec<Blocker>) -> Option<Candidate> {
    let same = active.iter().map(|b| &b.code).eq(blockers.iter().map(|b| &b.code));
    (!same).then_some(Candidate { law: standing.law.hash, allowed: blockers.is_empty(), blockers })
}

/// Mode `off`: the world's own outcome, or a refusal if it gave none.
pub(super) fn off(mut answer: Answer, legacy: Option<bool>) -> Answer {
    match legacy {
        Some(allowed) => answer.allowed = allowed,
        None => answer.blockers.push(Blocker::new(Code::ModeOff, "")),
    }
    answer
}

/// Mode `shadow`: the world's own outcome stands, the law's word beside it.
pub(super) fn shadowed(answer: &mut Answer, legacy: Option<bool>) {
    match legacy {
        Some(allowed) => {
            answer.divergence = answer.blockers.is_empty() != allowed;
            answer.allowed = allowed;
        }
        None => {
            answer.allowed = false;
            answer.blockers = vec![Blocker::new(Code::LegacyMissing, "")];
        }
    }
}
