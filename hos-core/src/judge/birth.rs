//! Births and adoptions: how an instance comes to be.

use super::bench::{Bench, NEAR_BYTES};
use super::door;
use super::draft::{Drafting, Place};
use super::evidence;
use super::instance::{Instance, data_subject};
use super::motion::{Motion, label_of, refuse};
use super::slice::Slice;
use super::verdict::{
    Asked, Verdict, answer_with, contract_unknown, judge, person, resource_of, shown, undeclared, unknown, with_given,
};
use super::{Judged, call_digest};
use crate::answer::{Answer, Candidate};
use crate::call::{Adopt, Begin, Call};
use crate::contract::step;
use crate::digest;
use crate::id::{Handle, InstanceId, Name, RecordHash};
use crate::law::bundle::LawContract;
use crate::law::mode::Mode;
use crate::policy::Request;
use crate::proof::record::{Kind, Slot};
use crate::refusal::{Blocker, Code};
use crate::value::Record;

/// What stands where a birth would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginRows {
    /// Nothing.
    Free,
    /// An instance.
    Taken,
    /// The tombstone of an erased one.
    Erased,
}

/// An instance as it comes to be: no record yet, nothing armed.
fn newborn(bench: &Bench<'_>, of: &LawContract, id: &InstanceId, state: &Name, facts: &Record) -> Instance {
    let mut handle = [0u8; 16];
    digest::expand(&bench.seed, "thread handle", 0, &mut handle);
    handle.iter_mut().zip(bench.seed).take(NEAR_BYTES).for_each(|(byte, near)| *byte = near);
    Instance {
        contract: of.contract.name.clone(),
        id: id.clone(),
        handle: Handle(handle),
        n: 0,
        last: RecordHash([0; 32]),
        state: state.clone(),
        version: 0,
        entered_n: 0,
        entered_at: bench.now,
        last_time: bench.now,
        law: bench.active.law.hash,
        contract_version: of.contract.version,
        subject: data_subject(bench.active.law, &of.contract, facts),
        facts: facts.clone(),
        deadlines: Vec::new(),
    }
}

/// Judges a birth.
pub fn begin(bench: &Bench<'_>, call: &Begin, rows: BeginRows) -> Judged {
    let mut answer = bench.blank();
    answer.mode = bench.modes.of(bench.tenant, call.contract.as_str());
    let whole = || Call::Begin(call.clone());
    let Some(of) = bench.active.law.contracts.get(&call.contract) else {
        let blocker = contract_unknown(bench.active.law, &call.contract);
        answer.candidate = candidate_view(bench, call, std::slice::from_ref(&blocker));
        return refuse(bench, answer, call.contract.as_str(), &whole(), blocker);
    };
    let Some(event) = of.contract.begins.get(&call.event) else {
        let blocker = unknown(Code::EventUnknown, &call.event, of.contract.begins.keys());
        answer.candidate = candidate_view(bench, call, std::slice::from_ref(&blocker));
        return refuse(bench, answer, call.event.as_str(), &whole(), blocker);
    };
    answer.mode = bench.mode(&event.action, Some(call.contract.as_str()));
    if answer.mode == Mode::Off {
        return Judged::only(door::off(answer, call.by.legacy.as_ref().map(|l| l.allowed)));
    }
    let early = match rows {
        BeginRows::Free => bench.check_clock(None).err(),
        BeginRows::Taken => Some(Blocker::new(Code::InstanceExists, shown(&call.id))),
        BeginRows::Erased => Some(Blocker::new(Code::InstanceErased, shown(&call.id))),
    };
    if let Some(blocker) = early {
        return refuse(bench, answer, event.name.as_str(), &whole(), blocker);
    }
    let mut wrong = step::check_given("fact", &of.contract.facts, &call.facts);
    // What the law could never judge again, and would not know whose it is, is kept as what was asked and as no instance.
    let no_facts = !wrong.is_empty() && !bench.active.bound.is_earlier();
    wrong.extend(step::check_given("argument", &event.args, &call.args));
    let Some(first) = event.branches.first() else {
        return refuse(bench, answer, event.name.as_str(), &whole(), Blocker::new(Code::Internal, "a birth that leads nowhere"));
    };
    let newborn = newborn(bench, of, &call.id, &first.to, &call.facts);
    let asked = Asked { by: &call.by, event, is_override: false, args: &call.args, sets: true, reason: None, kind: Kind::Begun };
    let verdict = if wrong.is_empty() { judge(bench, of, &newborn, &asked) } else { Verdict::against(wrong) };
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    answer_with(&mut answer, &verdict);
    answer.candidate = candidate_view(bench, call, &verdict.blockers);
    let landed = match (&answer.mode, &call.by.legacy) {
        (Mode::Shadow, legacy) => {
            door::shadowed(&mut answer, legacy.as_ref().map(|l| l.allowed));
            let born = legacy.as_ref().filter(|l| l.allowed);
            let undeclared = born.and_then(|l| undeclared(of, l.state.as_ref()));
            if undeclared.is_some() || no_facts && born.is_some() {
                answer.blockers.extend(undeclared);
                answer.to = None;
                let verdict = Verdict { blockers: answer.blockers.clone(), ..verdict };
                return motion.refused(answer, event.name.as_str(), &whole(), verdict);
            }
            let world = match legacy {
                Some(l) if l.allowed => Some(l.state.clone().unwrap_or_else(|| first.to.clone())),
                _ => None,
            };
            answer.divergence |= world.as_ref().zip(verdict.branch).is_some_and(|(world, lawful)| *world != lawful.to);
            world
        }
        _ => verdict.branch.map(|b| b.to.clone()),
    };
    let once = call.once.as_ref().map(|key| (key.clone(), call_digest(&whole())));
    let Some(to) = landed else {
        if answer.code() == Some(Code::LegacyMissing.as_str()) {
            return Judged::only(answer);
        }
        answer.to = None;
        return motion.refused(answer, event.name.as_str(), &whole(), verdict);
    };
    let born = match motion.advance(of, None, &newborn, &asked, &verdict, to, once.as_ref()) {
        Ok(born) => born,
        Err(blocker) => {
            answer.blockers.push(blocker);
            let verdict = Verdict { blockers: answer.blockers.clone(), ..verdict };
            return motion.refused(answer, event.name.as_str(), &whole(), verdict);
        }
    };
    answer.allowed = answer.mode != Mode::Shadow || answer.allowed;
    answer.to = Some(born.state.clone());
    answer.version = Some(born.version);
    motion.done(answer, Some(born), once)
}

/// What the candidate law says of a birth, where it says something else.
fn candidate_view(bench: &Bench<'_>, call: &Begin, blockers: &[Blocker]) -> Option<Candidate> {
    let standing = bench.candidate?;
    let other = Bench { active: standing, guards: None, candidate: None, ..*bench };
    let said = match standing.law.contracts.get(&call.contract) {
        None => vec![contract_unknown(standing.law, &call.contract)],
        Some(of) => match of.contract.begins.get(&call.event).and_then(|event| Some((event, event.branches.first()?))) {
            None => vec![unknown(Code::EventUnknown, &call.event, of.contract.begins.keys())],
            Some((event, first)) => {
                let mut wrong = step::check_given("fact", &of.contract.facts, &call.facts);
                wrong.extend(step::check_given("argument", &event.args, &call.args));
                let (by, args) = (&call.by, &call.args);
                let asked = Asked { by, event, is_override: false, args, sets: true, reason: None, kind: Kind::Begun };
                let newborn = newborn(&other, of, &call.id, &first.to, &call.facts);
                if wrong.is_empty() { judge(&other, of, &newborn, &asked).blockers } else { wrong }
            }
        },
    };
    door::differing(blockers, standing, said)
}

/// Brings an existing row in: policy-checked as the contract's `<contract>.adopt`, attested, not judged.
pub fn adopt(bench: &Bench<'_>, call: &Adopt, rows: BeginRows) -> Judged {
    let mut answer = bench.blank();
    let whole = Call::Adopt(call.clone());
    let stop = |answer: Answer, blocker| refuse(bench, answer, "adopt", &whole, blocker);
    let Some(of) = bench.active.law.contracts.get(&call.contract) else {
        return stop(answer, contract_unknown(bench.active.law, &call.contract));
    };
    match rows {
        BeginRows::Free => {}
        BeginRows::Taken => return stop(answer, Blocker::new(Code::InstanceExists, shown(&call.id))),
        BeginRows::Erased => return stop(answer, Blocker::new(Code::InstanceErased, shown(&call.id))),
    }
    if let Err(blocker) = bench.check_clock(None) {
        return stop(answer, blocker);
    }
    if of.contract.state(call.state.as_str()).is_none() {
        return stop(answer, Blocker::new(Code::WrongState, format!("the contract has no state `{}`", call.state)));
    }
    let mut wrong = step::check_given("fact", &of.contract.facts, &call.facts);
    if bench.active.bound.is_earlier() {
        // Earlier builds told the first alone.
        wrong.truncate(1);
    }
    if !wrong.is_empty() {
        answer.blockers.clone_from(&wrong);
        let motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
        return motion.refused(answer, "adopt", &whole, Verdict::against(wrong));
    }
    // What is adopted has moved once: it has a record and a version as if it had been born here.
    let mut instance = Instance { version: 1, ..newborn(bench, of, &call.id, &call.state, &call.facts) };
    let resource = match resource_of(of, &instance) {
        Ok(resource) => resource,
        Err(blocker) => return stop(answer, blocker),
    };
    let uid = resource.uid.clone();
    let given = with_given(resource, &call.by.given);
    let (ruling, slice) = match door::action(bench.active, &format!("{}.adopt", call.contract)) {
        Ok(action) => {
            let request =
                Request { principal: &call.by.principal, action, resource: &uid, given: &given, context: &call.by.context };
            door::ruled(bench.active, &request)
        }
        Err(blocker) => (Err(blocker), Slice::default()),
    };
    door::apply_ruling(&mut answer, ruling);
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    if !answer.blockers.is_empty() {
        let verdict = Verdict { slice, ..Verdict::against(answer.blockers.clone()) };
        return motion.refused(answer, "adopt", &whole, verdict);
    }
    let once = call.once.as_ref().map(|key| (key.clone(), call_digest(&whole)));
    instance.deadlines = match motion.arm(of, &instance) {
        Ok((armed, _)) => armed,
        Err(blocker) => return stop(answer, blocker),
    };
    let place = Place::Thread { handle: instance.handle, n: 0, prev: None };
    let mut d = Drafting::new(bench, Kind::Adopted, place, 0).request(call.by.request.as_ref()).decided(&[], &answer.policies);
    d.header().contract = Some(call.contract.clone());
    d.header().contract_version = Some(of.contract.version);
    d.header().to = Some(instance.state.clone());
    d.header().label = label_of(bench, of, call.id.as_str());
    d.part(Slot::Principal, person(bench, &call.by.principal), evidence::encode_entity(&call.by.principal));
    d.part(Slot::Facts, instance.subject.as_ref(), evidence::encode_record(&instance.facts));
    d.part(Slot::Id, instance.subject.as_ref(), evidence::encode_text(call.id.as_str()));
    if let Some((key, digest)) = &once {
        d.part(Slot::Once, instance.subject.as_ref(), evidence::encode_once(key, digest));
    }
    if !instance.deadlines.is_empty() {
        d.part(Slot::Deadlines, None, evidence::encode_armed(&instance.deadlines));
    }
    let draft = match d.finish() {
        Ok(draft) => draft,
        Err(blocker) => return stop(answer, blocker),
    };
    instance.last = draft.hash;
    motion.drafts.push(draft);
    answer.allowed = true;
    answer.to = Some(instance.state.clone());
    answer.version = Some(instance.version);
    motion.done(answer, Some(instance), once)
}
