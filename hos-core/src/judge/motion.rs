//! The records and messages of one case as it goes: moves carried out, refusals kept.

use super::Judged;
use super::bench::Bench;
use super::draft::{Draft, Drafting, Place};
use super::evidence;
use super::instance::{Instance, Message};
use super::slice::Slice;
use super::verdict::{Asked, Verdict, person};
use crate::answer::Answer;
use crate::call::Call;
use crate::contract::step;
use crate::digest;
use crate::id::{CallDigest, DottedName, MapKey, Name, OnceKey};
use crate::law::bundle::LawContract;
use crate::law::mode::Mode;
use crate::proof::record::{Kind, STREAM_REFUSED, Slot};
use crate::refusal::Blocker;
use crate::value::Value;
use std::borrow::Cow;

/// A once-key that is taken, with the digest of the call that takes it.
pub(super) type Taken = (OnceKey, CallDigest);

/// A refusal before anything was judged.
pub(super) fn refuse(bench: &Bench<'_>, answer: Answer, event: &str, call: &Call, blocker: Blocker) -> Judged {
    let motion = Motion { bench, drafts: Vec::new(), messages: Vec::new() };
    let mut answer = answer;
    answer.blockers.push(blocker);
    let verdict = Verdict::against(answer.blockers.clone());
    motion.refused(answer, event, call, verdict)
}

/// The records and messages of one case, growing.
pub(super) struct Motion<'b, 'a> {
    pub(super) bench: &'b Bench<'a>,
    pub(super) drafts: Vec<Draft>,
    pub(super) messages: Vec<(usize, Message)>,
}

impl Motion<'_, '_> {
    pub(super) fn done(self, mut answer: Answer, instance: Option<Instance>, once: Option<Taken>) -> Judged {
        Answer::settle_precedence(&mut answer.blockers);
        Judged { answer, drafts: self.drafts, instance, messages: self.messages, once, directory: None }
    }

    /// A refusal as evidence, in the tenant's stream of refused calls: it claims no thread.
    pub(super) fn refused(mut self, mut answer: Answer, event: &str, call: &Call, verdict: Verdict<'_>) -> Judged {
        Answer::settle_precedence(&mut answer.blockers);
        let by = call.by();
        // Off or in shadow the world's own answer stands, however early ours came to an end.
        let world = by.legacy.as_ref().map(|l| l.allowed).filter(|_| answer.mode != Mode::Enforce);
        answer.allowed = world.unwrap_or(false);
        answer.divergence |= answer.mode == Mode::Shadow && world == Some(true);
        if answer.mode == Mode::Off {
            return self.done(answer, None, None);
        }
        let whose = person(self.bench, &by.principal);
        let place = match DottedName::new(STREAM_REFUSED) {
            Ok(name) => Place::Stream(name),
            Err(_) => return self.done(answer, None, None),
        };
        // What law and world both refused is a refusal, whoever's word counts.
        let by_both = world == Some(false) && !verdict.blockers.is_empty();
        let is_observed = answer.mode == Mode::Shadow && !by_both;
        let kind = if is_observed { Kind::Observed } else { Kind::Refused };
        let mut d = Drafting::new(self.bench, kind, place, self.drafts.len())
            .request(by.request.as_ref())
            .decided(&verdict.blockers, &answer.policies);
        d.header().mode = answer.mode as u8;
        d.header().event = DottedName::new(event).ok();
        d.header().from = answer.from.clone();
        if let Some((contract, id)) = call.instance() {
            // A header holds the law's own names: one that a caller made up may say anything, of anybody.
            let known = self.bench.contract(contract);
            d.header().contract = known.map(|_| contract.clone());
            let is_event = |of: &LawContract| of.contract.begins.contains_key(event) || of.contract.event(event, "").is_some();
            if !known.is_some_and(is_event) {
                d.header().event = None;
            }
            d.part(Slot::Id, whose, evidence::encode_text(id.as_str()));
        }
        d.part(Slot::Principal, whose, evidence::encode_entity(&by.principal));
        d.part(Slot::Blockers, whose, evidence::encode_blockers(&verdict.blockers));
        let (args, facts) = match call {
            Call::Begin(c) => (Some(&c.args), Some(&c.facts)),
            Call::Transition(c) => (Some(&c.args), None),
            Call::Adopt(c) => (None, Some(&c.facts)),
            Call::Note(_) | Call::Directory(_) | Call::LegacyLog(_) => (None, None),
        };
        d.part(Slot::Args, whose, args.map(evidence::encode_record).unwrap_or_default());
        d.part(Slot::Facts, whose, facts.map(evidence::encode_record).unwrap_or_default());
        d.part(Slot::Context, whose, evidence::encode_record(&by.context));
        d.part(Slot::Change, whose, evidence::encode_asked(call));
        verdict.slice.parts(self.bench, &mut d);
        self.drafts.extend(d.finish());
        self.done(answer, None, None)
    }

    /// A refusal of an event behind what came before it: a migration and deadlines that fired have happened, and are kept.
    pub(super) fn refused_behind(
        self,
        present: Instance,
        answer: Answer,
        event: &str,
        call: &Call,
        verdict: Verdict<'_>,
    ) -> Judged {
        let changed = !self.drafts.is_empty();
        let mut judged = self.refused(answer, event, call, verdict);
        judged.instance = changed.then_some(present);
        judged
    }

    /// Takes an instance to the active law's version of its contract, if that says how.
    pub(super) fn migrate(&mut self, instance: Instance) -> Result<Instance, Blocker> {
        let target =
            self.bench.active.law.contracts.get(&instance.contract).filter(|of| of.contract.version > instance.contract_version);
        let Some((of, to)) =
            target.and_then(|of| Some((of, step::migrate(&of.contract, instance.contract_version, instance.state.as_str())?)))
        else {
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
        let (armed, read) = self.arm(of, &after)?;
        after.deadlines = armed;
        let place = Place::Thread { handle: instance.handle, n: after.n, prev: Some(instance.last) };
        let mut d = Drafting::new(self.bench, Kind::Migrated, place, self.drafts.len());
        d.header().contract = Some(instance.contract.clone());
        d.header().contract_version = Some(of.contract.version);
        d.header().guard_law = None;
        d.header().from = Some(instance.state.clone());
        d.header().to = Some(after.state.clone());
        d.part(Slot::Deadlines, None, evidence::encode_armed(&after.deadlines));
        let mut slice = Slice::default();
        slice.also(read);
        slice.parts(self.bench, &mut d);
        let draft = d.finish()?;
        after.last = draft.hash;
        self.drafts.push(draft);
        Ok(after)
    }

    /// An instance behind a move, but for what is armed there; and whether the move enters a state.
    fn moved(&self, birth: bool, before: &Instance, asked: &Asked<'_>, to: Name) -> (Instance, bool) {
        let mut after = before.with_facts(match birth || !asked.sets {
            true => before.facts.clone(),
            false => step::facts_after(asked.event, &before.facts, asked.args),
        });
        after.state = to;
        after.version += 1;
        after.n = if birth { 0 } else { before.n + 1 };
        after.last_time = before.last_time.max(self.bench.now);
        let entered = birth || after.state != before.state || asked.event.rearm;
        if entered {
            after.entered_n = after.n;
            after.entered_at = self.bench.now;
        }
        (after, entered)
    }

    /// What stands against a move that state, policy and guards allow: a deadline of where it leads whose instant cannot be told.
    pub(super) fn cannot_arm(&self, of: &LawContract, before: &Instance, asked: &Asked<'_>, to: &Name) -> Option<Blocker> {
        let (after, entered) = self.moved(false, before, asked, to.clone());
        self.rearm(of, before, &after, entered).err()
    }

    /// Carries a judged move out: the instance as it then is, its record, its messages.
    #[expect(clippy::too_many_arguments, reason = "a move is made of exactly these; a struct would only rename them")]
    pub(super) fn advance(
        &mut self,
        of: &LawContract,
        from: Option<Name>,
        before: &Instance,
        asked: &Asked<'_>,
        verdict: &Verdict<'_>,
        to: Name,
        once: Option<&Taken>,
    ) -> Result<Instance, Blocker> {
        let bench = self.bench;
        let birth = from.is_none();
        let (mut after, entered) = self.moved(birth, before, asked, to);
        let armed_before = if birth { &[][..] } else { &before.deadlines };
        let (armed, read) = self.rearm(of, before, &after, entered)?;
        after.deadlines = armed;
        let mode = bench.mode(&asked.event.action, Some(of.contract.name.as_str()));
        // In shadow the world does its own work: a message of ours would have it done twice.
        let messages = if mode == Mode::Enforce { messages_of(asked, verdict, &after) } else { Vec::new() };

        let observed = verdict.branch.is_none_or(|b| b.to != after.state);
        let place = Place::Thread { handle: before.handle, n: after.n, prev: (!birth).then_some(before.last) };
        let shadowed = asked.by.legacy.is_some() && mode == Mode::Shadow;
        let kind = if observed || shadowed { Kind::Observed } else { asked.kind };
        let policies = verdict.ruling.as_ref().map_or(&[][..], |r| &r.determining);
        let mut d = Drafting::new(bench, kind, place, self.drafts.len())
            .request(asked.by.request.as_ref())
            .contract(&after.contract, of.contract.version, &asked.event.name)
            .decided(&verdict.blockers, policies);
        d.header().mode = mode as u8;
        d.header().from = from;
        d.header().to = Some(after.state.clone());
        let whose = after.subject.as_ref();
        d.part(Slot::Principal, person(bench, &asked.by.principal), evidence::encode_entity(&asked.by.principal));
        if birth || after.facts != before.facts {
            d.part(Slot::Facts, whose, evidence::encode_record(&after.facts));
        }
        let mut args = Cow::Borrowed(asked.args);
        if let Some(reason) = asked.reason.filter(|_| asked.is_override) {
            args.to_mut().insert("reason".to_owned(), Value::String(reason.to_owned()));
        }
        d.part(Slot::Args, whose, evidence::encode_record(&args));
        if let Some(reason) = asked.reason.filter(|reason| !asked.is_override && !reason.is_empty()) {
            // Nobody asked for it; the once-key's digest is of it all the same.
            d.part(Slot::Change, whose, evidence::encode_text(reason));
        }
        d.part(Slot::Context, whose, evidence::encode_record(&asked.by.context));
        d.part(Slot::Blockers, whose, evidence::encode_blockers(&verdict.blockers));
        if birth {
            d.header().label = label_of(bench, of, after.id.as_str());
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
        if read.is_empty() {
            verdict.slice.parts(bench, &mut d);
        } else {
            let mut slice = verdict.slice.clone();
            slice.also(read);
            slice.parts(bench, &mut d);
        }
        let draft = d.finish()?;
        after.last = draft.hash;
        let index = self.drafts.len();
        self.messages.extend(messages.into_iter().map(|m| (index, m)));
        self.drafts.push(draft);
        Ok(after)
    }
}

/// The label of an instance in the map of heads; none where its contract says that ids name persons.
pub(super) fn label_of(bench: &Bench<'_>, of: &LawContract, id: &str) -> Option<MapKey> {
    (!of.contract.personal_ids).then(|| digest::heads_label(bench.tenant, of.contract.name.as_str(), id))
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
