//! The judging itself: policy, state, guards, ending at the first stage that refuses.

use super::bench::Bench;
use super::door;
use super::instance::Instance;
use super::slice::Slice;
use crate::answer::Answer;
use crate::call::By;
use crate::contract::Contract;
use crate::contract::definition::{Branch, Event};
use crate::contract::step::{self, Truth};
use crate::id::{Name, Uid};
use crate::law::Law;
use crate::law::bundle::LawContract;
use crate::policy::{Entity, Prepared, Request, Ruling};
use crate::proof::record::Kind;
use crate::refusal::{Blocker, Code};
use crate::value::{Record, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// One thing asked of an instance: what all roads to a move share.
pub(super) struct Asked<'a> {
    pub(super) by: &'a By,
    pub(super) event: &'a Event,
    pub(super) is_override: bool,
    pub(super) args: &'a Record,
    /// Whether the arguments are what the event declares, so that facts may be set from them.
    pub(super) sets: bool,
    pub(super) reason: Option<&'a str>,
    pub(super) kind: Kind,
}

/// What came of judging one.
pub(super) struct Verdict<'e> {
    pub(super) blockers: Vec<Blocker>,
    pub(super) ruling: Option<Ruling>,
    pub(super) branch: Option<&'e Branch>,
    pub(super) slice: Slice,
}

impl Verdict<'_> {
    /// A verdict before anything was judged.
    pub(super) fn against(blockers: Vec<Blocker>) -> Self {
        Self { blockers, ruling: None, branch: None, slice: Slice::default() }
    }
}

pub(super) fn shown(text: impl std::fmt::Display) -> String {
    format!("`{text}`")
}

/// A name that the law lacks, and what was probably meant.
pub(super) fn unknown<'n>(code: Code, wrong: &Name, known: impl Iterator<Item = &'n Name>) -> Blocker {
    let meant = crate::fault::nearest(wrong.as_str(), known.map(Name::as_str));
    let hint = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Blocker::new(code, format!("`{wrong}`{hint}"))
}

/// A state of the world's that the contract does not have: nothing would ever lead out of it. The world's outcome stands, and the
/// instance is left where it is.
pub(super) fn undeclared(of: &LawContract, state: Option<&Name>) -> Option<Blocker> {
    let state = state.filter(|state| of.contract.state(state.as_str()).is_none())?;
    Some(Blocker::new(Code::WrongState, format!("the contract has no state `{state}`, which is the world's")))
}

/// A contract that the law lacks.
pub(super) fn contract_unknown(law: &Law, wrong: &Name) -> Blocker {
    unknown(Code::ContractUnknown, wrong, law.contracts.keys())
}

/// An event or override that a contract lacks.
pub(super) fn event_unknown(of: &Contract, wrong: &Name) -> Blocker {
    unknown(Code::EventUnknown, wrong, of.events.keys().chain(of.overrides.keys()))
}

pub(super) fn person<'u>(bench: &Bench<'_>, uid: &'u Uid) -> Option<&'u Uid> {
    bench.is_person(uid).then_some(uid)
}

/// The instance as Cedar sees it: facts and `state`.
pub(super) fn resource_of(of: &LawContract, instance: &Instance) -> Result<Entity, Blocker> {
    let uid = Uid::new(&of.contract.entity, instance.id.as_str()).map_err(|e| Blocker::new(Code::IdInvalid, e.to_string()))?;
    let mut attrs = instance.facts.clone();
    attrs.insert("state".to_owned(), Value::String(instance.state.as_str().to_owned()));
    Ok(Entity { uid, attrs, parents: BTreeSet::new(), record: None })
}

/// The entities that come with the call, the instance's own first.
pub(super) fn with_given(resource: Entity, given: &[Entity]) -> Vec<Entity> {
    std::iter::once(resource).chain(given.iter().cloned()).collect()
}

pub(super) fn standing_blocker(standing: step::Standing, event: &Name, instance: &Instance) -> Option<Blocker> {
    match standing {
        step::Standing::Lawful | step::Standing::Same => None,
        step::Standing::Terminal => Some(Blocker::new(Code::Terminal, format!("`{}` is terminal", instance.state))),
        step::Standing::WrongState => {
            Some(Blocker::new(Code::WrongState, format!("`{event}` is not lawful in `{}`", instance.state)))
        }
    }
}

/// Policy, state, guards: in this order, ending at the first stage that refuses.
pub(super) fn judge<'e>(bench: &Bench<'_>, of: &'e LawContract, instance: &Instance, asked: &Asked<'e>) -> Verdict<'e> {
    let mut verdict = Verdict::against(Vec::new());
    let (resource, context) = match resource_of(of, instance).and_then(|r| Ok((r, context_of(bench, asked)?))) {
        Ok(pair) => pair,
        Err(blocker) => {
            verdict.blockers.push(blocker);
            return verdict;
        }
    };
    let uid = resource.uid.clone();
    let given = with_given(resource, &asked.by.given);
    let action = match door::action(bench.active, &asked.event.action) {
        Ok(action) => action,
        Err(blocker) => {
            verdict.blockers.push(blocker);
            return verdict;
        }
    };
    let request = Request { principal: &asked.by.principal, action, resource: &uid, given: &given, context: &context };
    let prepared = match bench.active.bound.prepare(&request) {
        Ok(prepared) => prepared,
        Err(blocker) => {
            verdict.blockers.push(blocker);
            verdict.slice = Slice::around(bench.active, &request);
            return verdict;
        }
    };
    let ruling = prepared.ruling();
    verdict.slice = Slice::of(&prepared);
    verdict.blockers.extend(door::objection(ruling.effect, &ruling.determining));
    verdict.ruling = Some(ruling);
    if !verdict.blockers.is_empty() {
        return verdict;
    }
    let standing = if asked.kind == Kind::Begun {
        step::Standing::Lawful
    } else {
        step::standing(&of.contract, asked.event, asked.is_override, instance.state.as_str())
    };
    verdict.blockers.extend(standing_blocker(standing, &asked.event.name, instance));
    if !verdict.blockers.is_empty() || standing == step::Standing::Same {
        return verdict;
    }
    let outcome = match bench.guards.filter(|g| g.law.hash != bench.active.law.hash) {
        None => guards(of, asked.event, &prepared),
        Some(other) => match other.bound.prepare_guards(&request, bench.active.bound.law()) {
            Ok(prepared) => {
                verdict.slice.also(prepared.slice());
                guards(of, asked.event, &prepared)
            }
            // Nothing is asked of that law: whatever it would make of the request, there is one way to go.
            Err(_) if !has_conditions(asked.event) && !other.bound.is_earlier() => guards(of, asked.event, &prepared),
            Err(blocker) => {
                verdict.slice.also(other.bound.around(&request));
                Err(vec![blocker])
            }
        },
    };
    match outcome {
        Ok(branch) => verdict.branch = Some(branch),
        Err(blockers) => verdict.blockers = blockers,
    }
    verdict
}

fn has_conditions(event: &Event) -> bool {
    !event.require.is_empty() || event.branches.iter().any(|branch| branch.when.is_some())
}

fn guards<'e>(of: &LawContract, event: &'e Event, prepared: &Prepared<'_>) -> Result<&'e Branch, Vec<Blocker>> {
    step::outcome(event, &mut |index| match prepared.condition(of.expression(index)) {
        Ok(true) => Truth::True,
        Ok(false) => Truth::False,
        Err(why) => Truth::Error(why),
    })
}

/// Arguments and the caller's further context; a name in both is refused rather than resolved. So is an argument that stands in the
/// context alone: guards would be content with it, and neither facts nor messages would have it.
fn context_of<'a>(bench: &Bench<'_>, asked: &Asked<'a>) -> Result<Cow<'a, Record>, Blocker> {
    if asked.by.context.is_empty() {
        return Ok(Cow::Borrowed(asked.args));
    }
    let is_misplaced = |name: &&String| asked.event.args.contains_key(name.as_str()) && !asked.args.contains_key(*name);
    if let Some(name) = asked.by.context.keys().find(is_misplaced).filter(|_| !bench.active.bound.is_earlier()) {
        let detail = format!("`{}` is an argument of `{}`, and stands in the context", crate::id::Shown(name), asked.event.name);
        return Err(Blocker::new(Code::CallMalformed, detail));
    }
    let mut context = Record::clone(&asked.by.context);
    for (name, value) in asked.args {
        if context.insert(name.clone(), value.clone()).is_some() {
            return Err(Blocker::new(
                Code::CallMalformed,
                format!("`{}` stands in both arguments and context", crate::id::Shown(name)),
            ));
        }
    }
    Ok(Cow::Owned(context))
}

pub(super) fn answer_with(answer: &mut Answer, verdict: &Verdict<'_>) {
    if let Some(ruling) = &verdict.ruling {
        answer.effect = Some(ruling.effect);
        answer.policies = ruling.determining.clone();
        answer.errors = ruling.errors.clone();
    }
    answer.blockers = verdict.blockers.clone();
}
