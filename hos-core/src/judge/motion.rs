//! Births, events, overrides, due deadlines and adoptions: how an instance moves, or why it does not.

use super::bench::Bench;
use super::door;
use super::draft::{Draft, Drafting, Place};
use super::evidence;
use super::instance::{Instance, Message};
use super::{Judged, call_digest};
use crate::answer::Answer;
use crate::call::{Adopt, Begin, By, Call, Transition};
use crate::contract::definition::{Branch, Event};
use crate::contract::step::{self, Armed, Truth};
use crate::contract::Contract;
use crate::digest;
use crate::id::{DottedName, Handle, Name, Uid};
use crate::law::Law;
use crate::law::bundle::LawContract;
use crate::law::mode::Mode;
use crate::policy::{Entity, Prepared, Request, Ruling};
use crate::proof::record::{Kind, Slot};
use crate::refusal::{Blocker, Code};
use crate::value::{Record, Value};
use std::collections::BTreeSet;

/// The stream of a tenant's refused calls.
pub(super) const REFUSED: &str = "hos.refused";

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

/// One thing asked of an instance: what all roads to a move share.
struct Asked<'a> {
    by: &'a By,
    event: &'a Event,
    is_override: bool,
    args: &'a Record,
    reason: Option<&'a str>,
    kind: Kind,
}

/// A once-key that is taken, with the digest of the call that takes it.
type Taken = (crate::id::OnceKey, crate::id::CallDigest);

/// What came of judging one.
struct Verdict<'e> {
    blockers: Vec<Blocker>,
    ruling: Option<Ruling>,
    branch: Option<&'e Branch>,
    slice: Slice,
}

#[derive(Default)]
struct Slice {
    entities: Vec<Entity>,
    links: Vec<crate::policy::Link>,
}

/// Judges a birth.
pub fn begin(bench: &Bench<'_>, call: &Begin, rows: BeginRows) -> Judged {
    let mut answer = bench.blank();
    let Some(of) = bench.active.law.contracts.get(&call.contract) else {
        return refuse(bench, answer, call.contract.as_str(), &Call::Begin(call.clone()), Blocker::new(Code::ContractUnknown, shown(&call.contract)));
    };
    let whole = || Call::Begin(call.clone());
    let Some(event) = of.contract.begins.get(&call.event) else {
        return refuse(bench, answer, &call.event.as_str().to_owned(), &whole(), Blocker::new(Code::EventUnknown, shown(&call.event)));
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
    wrong.extend(step::check_given("argument", &event.args, &call.args));
    let Some(first) = event.branches.first() else {
        return refuse(bench, answer, event.name.as_str(), &whole(), Blocker::new(Code::Internal, "a birth that leads nowhere"));
    };
    let mut handle = [0u8; 16];
    digest::expand(&bench.seed, "thread handle", 0, &mut handle);
    let newborn = Instance {
        contract: call.contract.clone(),
        id: call.id.clone(),
        handle: Handle(handle),
        n: 0,
        last: crate::id::RecordHash([0; 32]),
        state: first.to.clone(),
        version: 0,
        entered_n: 0,
        entered_at: bench.now,
        last_time: bench.now,
        law: bench.active.law.hash,
        contract_version: of.contract.version,
        subject: data_subject(bench.active.law, &of.contract, &call.facts),
        facts: call.facts.clone(),
        deadlines: Vec::new(),
    };
    let asked = Asked { by: &call.by, event, is_override: false, args: &call.args, reason: None, kind: Kind::Begun };
    let verdict = if wrong.is_empty() { judge(bench, of, &newborn, &asked) } else { Verdict { blockers: wrong, ruling: None, branch: None, slice: Slice::default() } };
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    answer_with(&mut answer, &verdict);
    let landed = match (&answer.mode, &call.by.legacy) {
        (Mode::Shadow, legacy) => {
            door::shadowed(&mut answer, legacy.as_ref().map(|l| l.allowed));
            match legacy {
                Some(l) if l.allowed => Some(l.state.clone().unwrap_or_else(|| first.to.clone())),
                _ => None,
            }
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
    let born = match motion.advance(of, None, newborn, &asked, &verdict, to, once.as_ref()) {
        Ok(born) => born,
        Err(blocker) => return refuse(bench, answer, event.name.as_str(), &whole(), blocker),
    };
    answer.allowed = answer.mode != Mode::Shadow || answer.allowed;
    answer.to = Some(born.state.clone());
    answer.version = Some(born.version);
    motion.done(answer, Some(born), once)
}

/// Judges an event or an override on an instance as it stands (`None`: there is none).
pub fn transition(bench: &Bench<'_>, call: &Transition, instance: Option<&Instance>) -> Judged {
    let mut answer = bench.blank();
    let whole = || Call::Transition(call.clone());
    let Some(instance) = instance else {
        let code = if bench.active.law.contracts.contains_key(&call.contract) { Code::InstanceUnknown } else { Code::ContractUnknown };
        let what = if code == Code::InstanceUnknown { shown(&call.id) } else { shown(&call.contract) };
        return refuse(bench, answer, call.event.as_str(), &whole(), Blocker::new(code, what));
    };
    answer.from = Some(instance.state.clone());
    answer.to = Some(instance.state.clone());
    answer.version = Some(instance.version);
    let Some(of) = bench.guard_standing().law.contracts.get(&call.contract) else {
        return refuse(bench, answer, call.event.as_str(), &whole(), Blocker::new(Code::ContractUnknown, shown(&call.contract)));
    };
    let Some((event, _)) = of.contract.event(call.event.as_str(), instance.state.as_str()) else {
        return refuse(bench, answer, call.event.as_str(), &whole(), Blocker::new(Code::EventUnknown, shown(&call.event)));
    };
    answer.mode = bench.mode(&event.action, Some(call.contract.as_str()));
    if answer.mode == Mode::Off {
        return Judged::only(door::off(answer, call.by.legacy.as_ref().map(|l| l.allowed)));
    }
    if let Err(blocker) = bench.check_clock(Some(instance.last_time)) {
        return refuse(bench, answer, call.event.as_str(), &whole(), blocker);
    }
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    let mut present = match motion.migrate(instance.clone()) {
        Ok(present) => present,
        Err(blocker) => return refuse(bench, answer, call.event.as_str(), &whole(), blocker),
    };
    let of = if present.law == instance.law { of } else { migrated_contract(bench, of, &call.contract) };
    if answer.mode == Mode::Enforce {
        match motion.fire_due(of, present, &mut answer.fired) {
            Ok(after) => present = after,
            Err((after, blocker)) => {
                answer.blockers.push(blocker);
                answer.to = Some(after.state.clone());
                answer.version = Some(after.version);
                return motion.done(answer, Some(after), None);
            }
        }
    }
    answer.from = Some(present.state.clone());
    // The state may be another now: a migration or a deadline came before. The arrow is chosen anew.
    let Some((event, is_override)) = of.contract.event(call.event.as_str(), present.state.as_str()) else {
        return refuse(bench, answer, call.event.as_str(), &whole(), Blocker::new(Code::EventUnknown, shown(&call.event)));
    };
    let asked = Asked {
        by: &call.by,
        event,
        is_override,
        args: &call.args,
        reason: call.reason.as_deref(),
        kind: if is_override { Kind::Overridden } else { Kind::Moved },
    };
    let mut wrong = step::check_given("argument", &event.args, &call.args);
    if is_override && call.reason.as_deref().is_none_or(|r| r.trim().is_empty()) {
        wrong.push(Blocker::new(Code::ReasonMissing, shown(&call.event)));
    }
    let same = step::standing(&of.contract, event, is_override, present.state.as_str()) == step::Standing::Same;
    let verdict = if wrong.is_empty() { judge(bench, of, &present, &asked) } else { Verdict { blockers: wrong, ruling: None, branch: None, slice: Slice::default() } };
    answer_with(&mut answer, &verdict);
    answer.candidate = candidate_view(bench, &present, call, &verdict.blockers);
    answer.to = Some(present.state.clone());
    answer.version = Some(present.version);
    let changed = !motion.drafts.is_empty();
    let landed = if answer.mode == Mode::Shadow {
        door::shadowed(&mut answer, call.by.legacy.as_ref().map(|l| l.allowed));
        if answer.code() == Some(Code::LegacyMissing.as_str()) {
            return Judged::only(answer);
        }
        let world = call.by.legacy.as_ref().filter(|l| l.allowed);
        let world = world.map(|l| l.state.clone().or_else(|| verdict.branch.map(|b| b.to.clone())).unwrap_or_else(|| present.state.clone()));
        answer.divergence |= world.as_ref().zip(verdict.branch).is_some_and(|(w, b)| *w != b.to);
        world
    } else if same && verdict.blockers.is_empty() {
        // The policy allows and the instance already is there: the receipt of the entry into this state, again.
        answer.allowed = true;
        answer.again = true;
        let kept = changed.then_some(present);
        return motion.done(answer, kept, None);
    } else {
        verdict.branch.map(|b| b.to.clone())
    };
    let Some(to) = landed else {
        let mut judged = motion.refused(answer, call.event.as_str(), &whole(), verdict);
        judged.instance = changed.then_some(present);
        return judged;
    };
    let once = call.once.as_ref().map(|key| (key.clone(), call_digest(&whole())));
    let from = present.state.clone();
    let moved = match motion.advance(of, Some(from), present.clone(), &asked, &verdict, to, once.as_ref()) {
        Ok(moved) => moved,
        Err(blocker) => {
            answer.blockers.push(blocker);
            let verdict = Verdict { blockers: answer.blockers.clone(), ..verdict };
            let mut judged = motion.refused(answer, call.event.as_str(), &whole(), verdict);
            judged.instance = changed.then_some(present);
            return judged;
        }
    };
    answer.allowed = answer.mode != Mode::Shadow || answer.allowed;
    answer.to = Some(moved.state.clone());
    answer.version = Some(moved.version);
    motion.done(answer, Some(moved), once)
}

/// Fires the deadlines that are due, and nothing else. The answer's `fired` names them; `instance` is `None` when none was.
pub fn tick(bench: &Bench<'_>, instance: &Instance) -> Judged {
    let mut answer = bench.blank();
    answer.from = Some(instance.state.clone());
    answer.to = Some(instance.state.clone());
    let Some(of) = bench.guard_standing().law.contracts.get(&instance.contract) else {
        answer.blockers.push(Blocker::new(Code::ContractUnknown, shown(&instance.contract)));
        return Judged::only(answer);
    };
    if let Err(blocker) = bench.check_clock(Some(instance.last_time)) {
        answer.blockers.push(blocker);
        return Judged::only(answer);
    }
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    let after = match motion.fire_due(of, instance.clone(), &mut answer.fired) {
        Ok(after) | Err((after, _)) => after,
    };
    answer.allowed = true;
    answer.to = Some(after.state.clone());
    answer.version = Some(after.version);
    let changed = after != *instance;
    motion.done(answer, changed.then_some(after), None)
}

/// Brings an existing row in: policy-checked as the contract's `<contract>.adopt`, attested, not judged.
pub fn adopt(bench: &Bench<'_>, call: &Adopt, rows: BeginRows) -> Judged {
    let mut answer = bench.blank();
    let whole = Call::Adopt(call.clone());
    let stop = |answer: Answer, blocker| refuse(bench, answer, "adopt", &whole, blocker);
    let Some(of) = bench.active.law.contracts.get(&call.contract) else {
        return stop(answer, Blocker::new(Code::ContractUnknown, shown(&call.contract)));
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
    let wrong = step::check_given("fact", &of.contract.facts, &call.facts);
    if let Some(blocker) = wrong.into_iter().next() {
        return stop(answer, blocker);
    }
    let mut handle = [0u8; 16];
    digest::expand(&bench.seed, "thread handle", 0, &mut handle);
    let mut instance = Instance {
        contract: call.contract.clone(),
        id: call.id.clone(),
        handle: Handle(handle),
        n: 0,
        last: crate::id::RecordHash([0; 32]),
        state: call.state.clone(),
        version: 1,
        entered_n: 0,
        entered_at: bench.now,
        last_time: bench.now,
        law: bench.active.law.hash,
        contract_version: of.contract.version,
        subject: data_subject(bench.active.law, &of.contract, &call.facts),
        facts: call.facts.clone(),
        deadlines: Vec::new(),
    };
    let resource = match resource_of(of, &instance) {
        Ok(resource) => resource,
        Err(blocker) => return stop(answer, blocker),
    };
    let given = with_given(&resource, &call.by.given);
    let ruling = door::action(bench.active, &format!("{}.adopt", call.contract)).and_then(|action| {
        let request = Request { principal: &call.by.principal, action: &action, resource: &resource.uid, given: &given, context: &call.by.context };
        bench.active.bound.decide(&request)
    });
    door::apply_ruling(&mut answer, ruling);
    if !answer.blockers.is_empty() {
        let blocker = answer.blockers.remove(0);
        return stop(answer, blocker);
    }
    let mut motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    let once = call.once.as_ref().map(|key| (key.clone(), call_digest(&whole)));
    instance.deadlines = match motion.arm(of, &instance) {
        Ok(armed) => armed,
        Err(blocker) => return stop(answer, blocker),
    };
    let place = Place::Thread { handle: instance.handle, n: 0, prev: None };
    let mut d = Drafting::new(bench, Kind::Adopted, place, 0).request(call.by.request.as_ref()).decided(&[], &answer.policies);
    d.header().contract = Some(call.contract.clone());
    d.header().contract_version = Some(of.contract.version);
    d.header().to = Some(instance.state.clone());
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

/// What can be done now, and why the rest cannot: every event and override of the instance's contract, judged by the same
/// path as a transition. Guards of events with arguments are not judged; `needs` names the arguments.
pub fn available(bench: &Bench<'_>, instance: &Instance, by: &By) -> Vec<(Name, Answer, Vec<Name>)> {
    let Some(of) = bench.guard_standing().law.contracts.get(&instance.contract) else {
        return Vec::new();
    };
    let names: BTreeSet<&Name> = of.contract.events.keys().chain(of.contract.overrides.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let Some((event, is_override)) = of.contract.event(name.as_str(), instance.state.as_str()) else { continue };
        let needs: Vec<Name> = event.args.iter().filter(|(_, a)| !a.optional).map(|(n, _)| n.clone()).collect();
        let mut answer = bench.blank();
        answer.from = Some(instance.state.clone());
        let standing = step::standing(&of.contract, event, is_override, instance.state.as_str());
        if let Some(blocker) = standing_blocker(standing, name, instance) {
            answer.blockers.push(blocker);
        } else if needs.is_empty() {
            let args = Record::new();
            let asked = Asked { by, event, is_override, args: &args, reason: Some("available"), kind: Kind::Moved };
            let verdict = judge(bench, of, instance, &asked);
            answer_with(&mut answer, &verdict);
            answer.to = verdict.branch.map(|b| b.to.clone());
        }
        answer.allowed = answer.blockers.is_empty() && needs.is_empty();
        found.push((name.clone(), answer, needs));
    }
    found
}

fn candidate_view(bench: &Bench<'_>, present: &Instance, call: &Transition, blockers: &[Blocker]) -> Option<crate::answer::Candidate> {
    let standing = bench.candidate?;
    let mut other = *bench;
    other.active = standing;
    other.guards = None;
    other.candidate = None;
    let said = match standing.law.contracts.get(&call.contract) {
        None => vec![Blocker::new(Code::ContractUnknown, shown(&call.contract))],
        Some(of) => match of.contract.event(call.event.as_str(), present.state.as_str()) {
            None => vec![Blocker::new(Code::EventUnknown, shown(&call.event))],
            Some((event, is_override)) => {
                let asked = Asked { by: &call.by, event, is_override, args: &call.args, reason: call.reason.as_deref(), kind: Kind::Moved };
                judge(&other, of, present, &asked).blockers
            }
        },
    };
    door::differing(blockers, standing, said)
}

fn migrated_contract<'a>(bench: &Bench<'a>, old: &'a LawContract, name: &Name) -> &'a LawContract {
    bench.active.law.contracts.get(name).unwrap_or(old)
}

fn shown(text: impl std::fmt::Display) -> String {
    format!("`{text}`")
}

fn person<'u>(bench: &Bench<'_>, uid: &'u Uid) -> Option<&'u Uid> {
    bench.is_person(uid).then_some(uid)
}

/// Whose data an instance's parts are: the person that its `data_subject` fact names.
pub fn data_subject(law: &Law, contract: &Contract, facts: &Record) -> Option<Uid> {
    match facts.get(contract.data_subject.as_ref()?.as_str()) {
        Some(Value::Entity(uid)) if law.persons.contains(uid.type_name()) => Some(uid.clone()),
        _ => None,
    }
}

/// The instance as Cedar sees it: facts and `state`.
fn resource_of(of: &LawContract, instance: &Instance) -> Result<Entity, Blocker> {
    let uid = Uid::new(&of.contract.entity, instance.id.as_str()).map_err(|e| Blocker::new(Code::IdInvalid, e.to_string()))?;
    let mut attrs = instance.facts.clone();
    attrs.insert("state".to_owned(), Value::String(instance.state.as_str().to_owned()));
    Ok(Entity { uid, attrs, parents: BTreeSet::new(), record: None })
}

fn with_given(resource: &Entity, given: &[Entity]) -> Vec<Entity> {
    std::iter::once(resource.clone()).chain(given.iter().cloned()).collect()
}

fn standing_blocker(standing: step::Standing, event: &Name, instance: &Instance) -> Option<Blocker> {
    match standing {
        step::Standing::Lawful | step::Standing::Same => None,
        step::Standing::Terminal => Some(Blocker::new(Code::Terminal, format!("`{}` is terminal", instance.state))),
        step::Standing::WrongState => Some(Blocker::new(Code::WrongState, format!("`{event}` is not lawful in `{}`", instance.state))),
    }
}

/// Policy, state, guards: in this order, ending at the first stage that refuses.
fn judge<'e>(bench: &Bench<'_>, of: &'e LawContract, instance: &Instance, asked: &Asked<'e>) -> Verdict<'e> {
    let mut verdict = Verdict { blockers: Vec::new(), ruling: None, branch: None, slice: Slice::default() };
    let (resource, context) = match resource_of(of, instance).and_then(|r| Ok((r, context_of(asked)?))) {
        Ok(pair) => pair,
        Err(blocker) => {
            verdict.blockers.push(blocker);
            return verdict;
        }
    };
    let given = with_given(&resource, &asked.by.given);
    let action = match door::action(bench.active, &asked.event.action) {
        Ok(action) => action,
        Err(blocker) => {
            verdict.blockers.push(blocker);
            return verdict;
        }
    };
    let request = Request { principal: &asked.by.principal, action: &action, resource: &resource.uid, given: &given, context: &context };
    let prepared = match bench.active.bound.prepare(&request) {
        Ok(prepared) => prepared,
        Err(blocker) => {
            verdict.blockers.push(blocker);
            return verdict;
        }
    };
    let ruling = prepared.ruling();
    let named: BTreeSet<&str> = ruling.determining.iter().map(String::as_str).chain(ruling.errors.iter().map(|e| e.policy.as_str())).collect();
    verdict.slice.entities = prepared.slice();
    verdict.slice.links = named.iter().filter_map(|id| bench.active.bound.directory().link(id)).cloned().collect();
    let mut says = bench.blank();
    door::apply_ruling(&mut says, Ok(ruling.clone()));
    verdict.ruling = Some(ruling);
    verdict.blockers = says.blockers;
    if !verdict.blockers.is_empty() {
        return verdict;
    }
    let standing = if asked.kind == Kind::Begun { step::Standing::Lawful } else { step::standing(&of.contract, asked.event, asked.is_override, instance.state.as_str()) };
    verdict.blockers.extend(standing_blocker(standing, &asked.event.name, instance));
    if !verdict.blockers.is_empty() || standing == step::Standing::Same {
        return verdict;
    }
    let outcome = match bench.guards.filter(|g| g.law.hash != bench.active.law.hash) {
        None => guards(of, asked.event, &prepared),
        Some(other) => match other.bound.prepare(&request) {
            Ok(prepared) => guards(of, asked.event, &prepared),
            Err(blocker) => Err(vec![blocker]),
        },
    };
    match outcome {
        Ok(branch) => verdict.branch = Some(branch),
        Err(blockers) => verdict.blockers = blockers,
    }
    verdict
}

fn guards<'e>(of: &LawContract, event: &'e Event, prepared: &Prepared<'_>) -> Result<&'e Branch, Vec<Blocker>> {
    step::outcome(event, &mut |index| match prepared.condition(of.expression(index)) {
        Ok(true) => Truth::True,
        Ok(false) => Truth::False,
        Err(why) => Truth::Error(why),
    })
}

/// Arguments and the caller's further context; a name in both is refused rather than resolved.
fn context_of(asked: &Asked<'_>) -> Result<Record, Blocker> {
    if asked.by.context.is_empty() {
        return Ok(asked.args.clone());
    }
    let mut context = asked.by.context.clone();
    for (name, value) in asked.args {
        if context.insert(name.clone(), value.clone()).is_some() {
            return Err(Blocker::new(Code::CallMalformed, format!("`{}` stands in both arguments and context", crate::id::Shown(name))));
        }
    }
    Ok(context)
}

fn answer_with(answer: &mut Answer, verdict: &Verdict<'_>) {
    if let Some(ruling) = &verdict.ruling {
        answer.effect = Some(ruling.effect);
        answer.policies = ruling.determining.clone();
        answer.errors = ruling.errors.clone();
    }
    answer.blockers = verdict.blockers.clone();
}

/// A refusal before anything was judged.
fn refuse(bench: &Bench<'_>, answer: Answer, event: &str, call: &Call, blocker: Blocker) -> Judged {
    let motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    let mut answer = answer;
    answer.blockers.push(blocker);
    let verdict = Verdict { blockers: answer.blockers.clone(), ruling: None, branch: None, slice: Slice::default() };
    motion.refused(answer, event, call, verdict)
}

/// The records and messages of one case, growing.
struct Motion<'b, 'a> {
    bench: &'b Bench<'a>,
    drafts: Vec<Draft>,
    messages: Vec<(usize, Message)>,
}

impl Motion<'_, '_> {
    fn done(self, mut answer: Answer, instance: Option<Instance>, once: Option<Taken>) -> Judged {
        Answer::settle_precedence(&mut answer.blockers);
        Judged { answer, drafts: self.drafts, instance, messages: self.messages, once, directory: None }
    }

    /// A refusal as evidence, in the tenant's stream of refused calls: it claims no thread.
    fn refused(mut self, mut answer: Answer, event: &str, call: &Call, verdict: Verdict<'_>) -> Judged {
        Answer::settle_precedence(&mut answer.blockers);
        answer.allowed = answer.mode == Mode::Shadow && answer.allowed;
        let by = call.by();
        let whose = person(self.bench, &by.principal);
        let place = match DottedName::new(REFUSED) {
            Ok(name) => Place::Stream(name),
            Err(_) => return self.done(answer, None, None),
        };
        let kind = if answer.mode == Mode::Shadow { Kind::Observed } else { Kind::Refused };
        let mut d = Drafting::new(self.bench, kind, place, self.drafts.len()).request(by.request.as_ref()).decided(&verdict.blockers, &answer.policies);
        d.header().mode = answer.mode as u8;
        d.header().event = DottedName::new(event).ok();
        d.header().from = answer.from.clone();
        if let Some((contract, id)) = call.instance() {
            d.header().contract = Some(contract.clone());
            d.part(Slot::Id, whose, evidence::encode_text(id.as_str()));
        }
        d.part(Slot::Principal, whose, evidence::encode_entity(&by.principal));
        d.part(Slot::Blockers, whose, evidence::encode_blockers(&verdict.blockers));
        let (args, facts) = match call {
            Call::Begin(c) => (Some(&c.args), Some(&c.facts)),
            Call::Transition(c) => (Some(&c.args), None),
            Call::Adopt(c) => (None, Some(&c.facts)),
            Call::Note(_) | Call::Directory(_) => (None, None),
        };
        d.part(Slot::Args, whose, args.map(evidence::encode_record).unwrap_or_default());
        d.part(Slot::Facts, whose, facts.map(evidence::encode_record).unwrap_or_default());
        d.part(Slot::Context, whose, evidence::encode_record(&by.context));
        slice_parts(self.bench, &mut d, &verdict.slice);
        self.drafts.extend(d.finish());
        self.done(answer, None, None)
    }

    /// Takes an instance to the active law's version of its contract, if that says how.
    fn migrate(&mut self, instance: Instance) -> Result<Instance, Blocker> {
        let target = self.bench.active.law.contracts.get(&instance.contract).filter(|of| of.contract.version > instance.contract_version);
        let Some((of, to)) = target.and_then(|of| Some((of, step::migrate(&of.contract, instance.contract_version, instance.state.as_str())?))) else {
            return Ok(instance);
        };
        let mut after = instance.clone();
        after.state = to.clone();
        after.law = self.bench.active.law.hash;
        after.contract_version = of.contract.version;
        after.version += 1;
        after.last_time = after.last_time.max(self.bench.now);
        after.n += 1;
        if after.state != instance.state {
            after.entered_n = after.n;
            after.entered_at = self.bench.now;
        }
        after.deadlines = self.arm(of, &after)?;
        let place = Place::Thread { handle: instance.handle, n: after.n, prev: Some(instance.last) };
        let mut d = Drafting::new(self.bench, Kind::Migrated, place, self.drafts.len());
        d.header().contract = Some(instance.contract.clone());
        d.header().contract_version = Some(of.contract.version);
        d.header().guard_law = None;
        d.header().from = Some(instance.state.clone());
        d.header().to = Some(after.state.clone());
        d.part(Slot::Deadlines, None, evidence::encode_armed(&after.deadlines));
        let draft = d.finish()?;
        after.last = draft.hash;
        self.drafts.push(draft);
        Ok(after)
    }

    /// Fires due deadlines, the earliest first, each as a move of its own by the law's clock principal. One that is refused
    /// is disarmed and recorded, so that it holds nothing up.
    fn fire_due(&mut self, of: &LawContract, mut instance: Instance, fired: &mut Vec<Name>) -> Result<Instance, (Instance, Blocker)> {
        let now = self.bench.now.max(instance.last_time);
        loop {
            let Some(due) = instance.deadlines.iter().filter(|d| d.due <= now).min_by_key(|d| (d.due, d.deadline)).cloned() else {
                return Ok(instance);
            };
            if fired.len() >= self.bench.limits.deadlines_max {
                return Err((instance, Blocker::new(Code::DeadlineLimit, format!("{} fired", fired.len()))));
            }
            instance = match self.fire(of, instance.clone(), &due) {
                Ok(after) => after,
                Err(blocker) => return Err((instance, blocker)),
            };
            fired.push(due.event);
        }
    }

    fn fire(&mut self, of: &LawContract, mut instance: Instance, due: &Armed) -> Result<Instance, Blocker> {
        instance.deadlines.retain(|d| d != due);
        let by = self.clock();
        let args = Record::new();
        let found = of.contract.event(due.event.as_str(), instance.state.as_str()).filter(|(_, is_override)| !is_override);
        let mut verdict = match found {
            None => Verdict { blockers: vec![Blocker::new(Code::EventUnknown, shown(&due.event))], ruling: None, branch: None, slice: Slice::default() },
            Some((event, _)) => {
                let asked = Asked { by: &by, event, is_override: false, args: &args, reason: None, kind: Kind::Expired };
                judge(self.bench, of, &instance, &asked)
            }
        };
        if let (Some((event, _)), Some(branch)) = (found, verdict.branch) {
            let asked = Asked { by: &by, event, is_override: false, args: &args, reason: None, kind: Kind::Expired };
            let (from, to) = (instance.state.clone(), branch.to.clone());
            match self.advance(of, Some(from), instance.clone(), &asked, &verdict, to, None) {
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
        let draft = d.finish()?;
        instance.last = draft.hash;
        self.drafts.push(draft);
        Ok(instance)
    }

    /// The clock as a principal; given with the call unless the directory holds it.
    fn clock(&self) -> By {
        let clock = self.bench.active.law.clock.clone();
        let mut by = By::new(clock.clone());
        if self.bench.active.bound.directory().get(&clock).is_none() {
            by.given.push(Entity { uid: clock, attrs: Record::new(), parents: BTreeSet::new(), record: None });
        }
        by
    }

    /// The deadlines that entering the instance's state arms.
    fn arm(&self, of: &LawContract, instance: &Instance) -> Result<Vec<Armed>, Blocker> {
        if !of.contract.deadlines.iter().any(|d| d.state == instance.state) {
            return Ok(Vec::new());
        }
        let standing = if instance.law == self.bench.active.law.hash { self.bench.active } else { self.bench.guard_standing() };
        let resource = resource_of(of, instance)?;
        let clock = self.clock();
        let given = with_given(&resource, &clock.given);
        let entered = instance.entered_at;
        step::deadlines_on_entry(&of.contract, instance.state.as_str(), entered, &mut |index| {
            let action = of.contract.expressions.get(index).map(|e| e.action.as_str()).unwrap_or_default();
            let action = door::action(standing, action).map_err(|b| b.to_string())?;
            let context = Record::new();
            let request = Request { principal: &clock.principal, action: &action, resource: &resource.uid, given: &given, context: &context };
            standing.bound.prepare(&request).map_err(|b| b.to_string())?.instant(of.expression(index))
        })
    }

    /// Carries a judged move out: the instance as it then is, its record, its messages.
    #[expect(clippy::too_many_arguments, reason = "a move is made of exactly these; a struct would only rename them")]
    fn advance(
        &mut self,
        of: &LawContract,
        from: Option<Name>,
        before: Instance,
        asked: &Asked<'_>,
        verdict: &Verdict<'_>,
        to: Name,
        once: Option<&Taken>,
    ) -> Result<Instance, Blocker> {
        let bench = self.bench;
        let birth = from.is_none();
        let mut after = before.clone();
        after.facts = if birth { before.facts.clone() } else { step::facts_after(asked.event, &before.facts, asked.args) };
        after.state = to;
        after.version += 1;
        after.n = if birth { 0 } else { before.n + 1 };
        after.last_time = before.last_time.max(bench.now);
        let entered = birth || after.state != before.state || asked.event.rearm;
        if entered {
            after.entered_n = after.n;
            after.entered_at = bench.now;
        }
        let armed_before = if birth { Vec::new() } else { before.deadlines.clone() };
        after.deadlines = self.rearm(of, &before, &after, entered)?;
        let messages = messages_of(asked, verdict, &after);

        let observed = verdict.branch.is_none_or(|b| b.to != after.state);
        let place = Place::Thread { handle: before.handle, n: after.n, prev: (!birth).then_some(before.last) };
        let kind = if observed || asked.by.legacy.is_some() && bench.mode(&asked.event.action, Some(of.contract.name.as_str())) == Mode::Shadow { Kind::Observed } else { asked.kind };
        let policies = verdict.ruling.as_ref().map(|r| r.determining.clone()).unwrap_or_default();
        let mut d = Drafting::new(bench, kind, place, self.drafts.len())
            .request(asked.by.request.as_ref())
            .contract(&after.contract, of.contract.version, &asked.event.name)
            .decided(&verdict.blockers, &policies);
        d.header().mode = bench.mode(&asked.event.action, Some(of.contract.name.as_str())) as u8;
        d.header().from = from;
        d.header().to = Some(after.state.clone());
        let whose = after.subject.as_ref();
        d.part(Slot::Principal, person(bench, &asked.by.principal), evidence::encode_entity(&asked.by.principal));
        if birth || after.facts != before.facts {
            d.part(Slot::Facts, whose, evidence::encode_record(&after.facts));
        }
        let mut args = asked.args.clone();
        if let Some(reason) = asked.reason.filter(|_| asked.is_override) {
            args.insert("reason".to_owned(), Value::String(reason.to_owned()));
        }
        d.part(Slot::Args, whose, evidence::encode_record(&args));
        d.part(Slot::Context, whose, evidence::encode_record(&asked.by.context));
        d.part(Slot::Blockers, whose, evidence::encode_blockers(&verdict.blockers));
        if birth {
            d.part(Slot::Id, whose, evidence::encode_text(after.id.as_str()));
        }
        if let Some((key, digest)) = once {
            d.part(Slot::Once, whose, evidence::encode_once(key, digest));
        }
        if let Some(legacy) = &asked.by.legacy {
            d.part(Slot::Legacy, whose, evidence::encode_text(legacy.state.as_ref().map_or("", |s| s.as_str())));
        }
        d.part(Slot::Effects, whose, evidence::encode_messages(&messages));
        // A deadline that fires was armed until now: that it no longer is must stand in the record.
        if after.deadlines != armed_before || asked.kind == Kind::Expired {
            d.part(Slot::Deadlines, None, evidence::encode_armed(&after.deadlines));
        }
        slice_parts(bench, &mut d, &verdict.slice);
        let draft = d.finish()?;
        after.last = draft.hash;
        let index = self.drafts.len();
        self.messages.extend(messages.into_iter().map(|m| (index, m)));
        self.drafts.push(draft);
        Ok(after)
    }

    /// What is armed after a move: anew on entry; a self-loop keeps what runs, but a changed fact arms an `at` anew.
    fn rearm(&self, of: &LawContract, before: &Instance, after: &Instance, entered: bool) -> Result<Vec<Armed>, Blocker> {
        if entered {
            return self.arm(of, after);
        }
        if after.facts == before.facts {
            return Ok(before.deadlines.clone());
        }
        let fresh = self.arm(of, after)?;
        let is_at = |armed: &Armed| of.contract.deadlines.get(armed.deadline).is_some_and(|d| matches!(d.due, crate::contract::definition::Due::At(_)));
        Ok(before.deadlines.iter().filter(|d| !is_at(d)).cloned().chain(fresh.into_iter().filter(is_at)).collect())
    }
}

fn messages_of(asked: &Asked<'_>, verdict: &Verdict<'_>, after: &Instance) -> Vec<Message> {
    let Some(branch) = verdict.branch.filter(|b| b.to == after.state) else { return Vec::new() };
    step::effects(asked.event, branch)
        .map(|effect| Message {
            kind: effect.kind.clone(),
            body: step::body(effect, after.id.as_str(), after.state.as_str(), &asked.by.principal, &after.facts, asked.args),
        })
        .collect()
}

/// The slice as parts: each person's entity under that person, all else under nobody.
fn slice_parts(bench: &Bench<'_>, d: &mut Drafting<'_, '_>, slice: &Slice) {
    let (persons, rest): (Vec<&Entity>, Vec<&Entity>) = slice.entities.iter().partition(|e| bench.is_person(&e.uid));
    let links: Vec<&crate::policy::Link> = slice.links.iter().collect();
    d.part(Slot::Slice, None, evidence::encode_slice(&rest, &links));
    for entity in persons {
        d.part(Slot::Slice, Some(&entity.uid), evidence::encode_slice(&[entity], &[]));
    }
}
