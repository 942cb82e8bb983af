//! The past under another law: what it would have decided of the same case.

use super::case::{Case, What, is_attested};
use super::{Before, Past, Record, Stop, bench_of, bind, compare};
use crate::contract::step::Armed;
use crate::id::Name;
use crate::judge::Standing;
use crate::law::Law;
use crate::law::mode::Modes;
use crate::proof::record::{Decision, Header};
use crate::refusal::Code;

/// A decision: the record's, or another law's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Whether it is a yes.
    pub allowed: bool,
    /// The first refusal code.
    pub code: Option<String>,
    /// The policies and grants that decided.
    pub policies: Vec<String>,
    /// The state after a yes.
    pub to: Option<Name>,
    /// In words.
    pub words: String,
}

impl Decided {
    /// What a record says was decided.
    pub fn of(header: &Header) -> Self {
        let allowed = header.decision == Decision::Allow;
        Self {
            allowed,
            code: header.refusal.as_ref().map(|code| code.clone().into_owned()),
            policies: header.policies.clone(),
            to: header.to.clone().filter(|_| allowed),
            words: compare::decision(header),
        }
    }
}

/// What trying another law on a record came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// Both decided.
    Decided {
        /// As the record says.
        was: Decided,
        /// As the other law says.
        now: Decided,
    },
    /// The other law has no such contract.
    ContractGone(Name),
    /// Its contract has no such state, event or birth, or its schema no such action.
    EventGone(String),
    /// It reads entities that the evidence does not hold: what it would have decided is not known.
    Unknown(String),
    /// A part that judging needs is erased.
    Erased,
    /// Nothing was judged.
    Attested,
}

impl Past<'_> {
    /// Judges a record's case under another law: policies, guards and effects alike, enforced.
    pub fn under(&self, law: &Law, record: &Record<'_>, before: &Before<'_>) -> Trial {
        match self.tried(law, record, before) {
            Ok(trial) => trial,
            Err(Stop::Erased) => Trial::Erased,
            Err(Stop::Attested) => Trial::Attested,
            Err(Stop::Broken(difference)) => Trial::Unknown(format!("{}: {}", difference.what, difference.now)),
        }
    }

    fn tried(&self, law: &Law, record: &Record<'_>, before: &Before<'_>) -> Result<Trial, Stop> {
        let header = record.header;
        let attested = is_attested(header) || header.decision == Decision::None;
        let own = header.law.as_ref().filter(|_| !attested).ok_or(Stop::Attested)?;
        let own = self.law(own).ok_or(Stop::Attested)?;
        let guards = header.guard_law.as_ref().and_then(|hash| self.law(hash));
        let mut case = Case::of(record, before, &own, guards.as_deref())?;
        if let Some(gone) = settle(&mut case, law) {
            return Ok(gone);
        }
        let directory = self.closed(&case.world)?;
        let bound = bind(law, &directory)?;
        let modes = Modes::default();
        let bench = bench_of(header, Standing { law, bound: &bound }, &modes);
        let (answer, draft) = match case.run(&bench) {
            Ok(pair) => pair,
            Err(blocker) => return Ok(Trial::Unknown(blocker.to_string())),
        };
        if let Some(error) = answer.errors.iter().find(|e| e.kind == "EntityMissing") {
            return Ok(Trial::Unknown(format!("`{}` reads what the record does not hold: {}", error.policy, error.message)));
        }
        let was = Decided::of(header);
        let now = match &draft {
            Some(draft) => Decided::of(&draft.header),
            None => Decided {
                allowed: answer.allowed,
                code: answer.code().map(str::to_owned),
                policies: answer.policies.clone(),
                to: answer.to.clone().filter(|_| answer.allowed),
                words: if answer.allowed { "nothing to do".to_owned() } else { shown_code(&answer) },
            },
        };
        if now.code.as_deref() == Some(Code::ActionUnknown.as_str()) && was.code != now.code {
            return Ok(Trial::EventGone(format!("the schema lacks the action of `{}`", event_of(header))));
        }
        Ok(Trial::Decided { was, now })
    }
}

fn shown_code(answer: &crate::answer::Answer) -> String {
    format!("deny {}", answer.code().unwrap_or_default())
}

fn event_of(header: &Header) -> String {
    header.event.as_ref().map_or_else(String::new, ToString::to_string)
}

/// Puts the case under the other law: the instance is that law's, as if it had begun there. Says what the law lacks.
fn settle(case: &mut Case<'_>, law: &Law) -> Option<Trial> {
    let header = case.header;
    let gone = |contract: &Name| Some(Trial::ContractGone(contract.clone()));
    // A name that no law knew is none that is gone.
    let was_known = header.contract.is_some() && header.event.is_some();
    match &mut case.what {
        What::Begin(call, _) if was_known => match law.contracts.get(&call.contract) {
            Some(of) if !of.contract.begins.contains_key(&call.event) => {
                Some(Trial::EventGone(format!("`{}` has no birth `{}`", call.contract, call.event)))
            }
            Some(_) => None,
            None => gone(&call.contract),
        },
        What::Transition(call, Some(instance)) if was_known => match law.contracts.get(&call.contract) {
            None => gone(&call.contract),
            Some(of) => {
                if of.contract.state(instance.state.as_str()).is_none() {
                    return Some(Trial::EventGone(format!("`{}` has no state `{}`", call.contract, instance.state)));
                }
                if of.contract.event(call.event.as_str(), instance.state.as_str()).is_none() {
                    return Some(Trial::EventGone(format!("`{}` has no event `{}`", call.contract, call.event)));
                }
                instance.law = law.hash;
                instance.contract_version = of.contract.version;
                // What was due has fired, in the past that was: this law is asked of this call alone.
                instance.deadlines.clear();
                None
            }
        },
        What::Tick(instance) => match law.contracts.get(&instance.contract) {
            None => gone(&instance.contract),
            Some(of) => {
                let event = Name::new(event_of(header)).ok()?;
                if of.contract.state(instance.state.as_str()).is_none()
                    || of.contract.event(event.as_str(), instance.state.as_str()).is_none()
                {
                    return Some(Trial::EventGone(format!(
                        "`{}` has no event `{event}` in `{}`",
                        instance.contract, instance.state
                    )));
                }
                instance.law = law.hash;
                instance.contract_version = of.contract.version;
                let deadline = of.contract.deadlines.iter().position(|d| d.event == event && d.state == instance.state);
                instance.deadlines = vec![Armed { deadline: deadline.unwrap_or(usize::MAX), event, due: header.time }];
                None
            }
        },
        _ => None,
    }
}
