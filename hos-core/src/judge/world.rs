//! The world's own word: where the law is off or in shadow it is the answer, whatever becomes of ours.

use super::Judged;
use super::bench::Bench;
use super::motion::refuse;
use crate::answer::Answer;
use crate::call::{Call, Legacy};
use crate::id::{Name, Tenant};
use crate::law::Law;
use crate::law::mode::{Mode, Modes};
use crate::law::reserved;
use crate::policy::Entity;
use crate::refusal::Blocker;
use crate::value::Record;

/// What a call is about, as far as its mode hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About<'a> {
    /// `can`: an action.
    Act(&'a str),
    /// A birth of a contract.
    Birth(&'a Name, &'a Name),
    /// An event or override of a contract.
    Event(&'a Name, &'a Name),
    /// A free record.
    Note,
    /// What is judged and enforced always: directory changes, adoptions, what older logs tell.
    Always,
}

impl<'a> About<'a> {
    /// What a call is about.
    pub fn of(call: &'a Call) -> Self {
        match call {
            Call::Begin(c) => About::Birth(&c.contract, &c.event),
            Call::Transition(c) => About::Event(&c.contract, &c.event),
            Call::Note(_) => About::Note,
            Call::Directory(_) | Call::Adopt(_) | Call::LegacyLog(_) => About::Always,
        }
    }

    /// How the law stands to it, as far as a law and its modes can say without an instance. An event whose arrows are of
    /// several modes has the strictest of them: only the instance could say which it is.
    pub fn mode(self, law: &Law, modes: &Modes, tenant: &Tenant) -> Mode {
        let (contract, actions): (&Name, Vec<&str>) = match self {
            About::Always => return Mode::Enforce,
            About::Act(action) => return modes.of(tenant, action),
            About::Note => return modes.of(tenant, reserved::NOTE),
            About::Birth(contract, event) => {
                let found = law.contracts.get(contract).and_then(|of| of.contract.begins.get(event));
                (contract, found.map(|e| e.action.as_str()).into_iter().collect())
            }
            About::Event(contract, event) => {
                let of = law.contracts.get(contract).map(|of| &of.contract);
                let arrows = of.and_then(|of| of.events.get(event).or_else(|| of.overrides.get(event)));
                (contract, arrows.into_iter().flatten().map(|e| e.action.as_str()).collect())
            }
        };
        let strictest = actions.into_iter().map(|action| modes.of_act(tenant, action, contract.as_str())).max();
        strictest.unwrap_or_else(|| modes.of(tenant, contract.as_str()))
    }
}

/// Gives the world the last word where the mode leaves it that; an enforced answer is left as it is.
pub fn stands(answer: &mut Answer, mode: Mode, legacy: Option<&Legacy>) {
    let Some(legacy) = legacy.filter(|_| mode != Mode::Enforce) else { return };
    answer.mode = mode;
    answer.allowed = legacy.allowed;
    answer.divergence |= mode == Mode::Shadow && answer.lawful() != legacy.allowed;
}

/// Answers a call that could not be judged. Enforced, it is refused and leaves nothing; in shadow the world's own answer
/// stands, and that the law had none is recorded, without what the call held: that may be what was too much of it.
pub fn unjudged(bench: &Bench<'_>, call: &Call, blocker: Blocker) -> Judged {
    let mut answer = bench.blank();
    let mode = About::of(call).mode(bench.active.law, bench.modes, bench.tenant);
    let event = match call {
        Call::Begin(c) => &c.event,
        Call::Transition(c) => &c.event,
        Call::Note(_) | Call::Directory(_) | Call::Adopt(_) | Call::LegacyLog(_) => {
            answer.blockers.push(blocker);
            stands(&mut answer, mode, call.by().legacy.as_ref());
            return Judged::only(answer);
        }
    };
    if mode == Mode::Enforce || call.by().legacy.is_none() {
        answer.blockers.push(blocker);
        return Judged::only(answer);
    }
    answer.mode = mode;
    refuse(bench, answer, event.as_str(), &bare(call), blocker)
}

/// A call without its values: who asked for what, and what the world did.
pub fn bare(call: &Call) -> Call {
    let mut call = call.clone();
    let by = match &mut call {
        Call::Begin(c) => {
            (c.facts, c.args, c.once) = (Record::new(), Record::new(), None);
            &mut c.by
        }
        Call::Transition(c) => {
            (c.args, c.reason, c.once) = (Record::new(), None, None);
            &mut c.by
        }
        Call::Note(c) => {
            (c.payload, c.once) = (Vec::new(), None);
            &mut c.by
        }
        Call::Directory(c) => &mut c.by,
        Call::Adopt(c) => {
            c.facts = Record::new();
            &mut c.by
        }
        Call::LegacyLog(c) => {
            (c.entries, c.once) = (Vec::new(), None);
            &mut c.by
        }
    };
    by.context = Record::new().into();
    by.given = Vec::<Entity>::new().into();
    call
}
