//! The past under another law: what it would have decided of the same case.

use super::case::{Case, What, is_attested};
use super::{Before, Laid, Past, Record, Stop, bench_of, bind, compare, compared};
use crate::contract::step::Armed;
use crate::id::{Name, Uid};
use crate::judge::{Draft, Standing, decode_slice};
use crate::law::Law;
use crate::law::mode::Modes;
use crate::policy::Sought;
use crate::proof::record::{Decision, Header, Slot};
use crate::refusal::Code;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// It reads entities, or asks for grants, that the evidence does not hold: what it would have decided is not known.
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
        let mut case = self.case(record, before, &own, guards.as_deref())?;
        if let Some(gone) = settle(&mut case, law) {
            return Ok(gone);
        }
        let (directory, watch) = self.closed(&case.world)?.watched();
        let bound = bind(law, &Arc::new(directory))?;
        let modes = Modes::default();
        let bench = bench_of(header, Standing { law, bound: &bound }, &modes);
        let (answer, draft) = match case.run(&bench) {
            Ok(pair) => pair,
            Err(blocker) => return Ok(Trial::Unknown(blocker.to_string())),
        };
        let sought = of_the_directory(watch.sought(), law, &case, draft.as_ref());
        if let Some(lack) = self.lacking(record, before, &own, guards.as_deref(), sought)? {
            return Ok(Trial::Unknown(lack));
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

    /// What was looked for and the record can say nothing of: it is not there, and the record's own law did not look for it. (What that
    /// one looked for is there if the directory had it.) No error tells of it: `has` and `in` are quietly false of what is not there.
    fn lacking(
        &self,
        record: &Record<'_>,
        before: &Before<'_>,
        own: &Law,
        guards: Option<&Law>,
        mut sought: Sought,
    ) -> Result<Option<String>, Stop> {
        if let Some(granted) = self.granted {
            sought.links.retain(|links| granted(&links.template));
        }
        if sought.entities.is_empty() && sought.links.is_empty() {
            return Ok(None);
        }
        let case = self.case(record, before, own, guards)?;
        let (directory, watch) = self.closed(&case.world)?.watched();
        let directory = Arc::new(directory);
        // For what its law looks, not to what it comes. An older law's guards are left out: no record holds grants that they ask for.
        let laws = Laid { active: own, older: None, directory: &directory, table: self.table(record.header) };
        drop(compared(record, &case, &laws, |bound| bound));
        let known = watch.sought();
        sought.entities.retain(|uid| !known.entities.contains(uid));
        sought.links.retain(|links| !known.links.iter().any(|found| found.covers(links)));
        let entity = sought.entities.first().map(|uid| format!("it reads {uid}, which the record does not hold"));
        let template = sought.links.first().map(|links| &links.template);
        let links = template.map(|id| format!("it asks for grants of `{id}`, which the record does not hold"));
        Ok(entity.or(links))
    }
}

/// What of it is the directory's to have: not what came with the call, what judging makes itself, or what the law declares; nor the
/// law's clock, who asks for grants where a deadline fires, and else is only read by.
fn of_the_directory(mut sought: Sought, law: &Law, case: &Case<'_>, draft: Option<&Draft>) -> Sought {
    let given: BTreeSet<&Uid> = case.world.given().into_iter().map(|entity| &entity.uid).collect();
    sought.entities.retain(|uid| *uid != law.clock && !given.contains(uid) && !law.policy.declares(uid));
    if !sought.entities.is_empty() {
        let slices = draft.into_iter().flat_map(|draft| &draft.parts).filter(|part| part.slot == Slot::Slice);
        for (entities, _) in slices.filter_map(|part| decode_slice(&part.plaintext).ok()) {
            for made in entities.iter().filter(|entity| entity.record.is_none()) {
                sought.entities.remove(&made.uid);
            }
        }
    }
    if !matches!(case.what, What::Tick(_)) {
        sought.links.retain(|links| links.principal != law.clock);
    }
    sought
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
    // A name that no law knew is none that is gone; nor is one that its own law knew of another thing: of a birth, where an event was
    // asked for.
    let refused = |code: Code| header.refusal.as_deref() == Some(code.as_str());
    let contract_was_known = header.contract.is_some() && !refused(Code::ContractUnknown);
    let was_known = contract_was_known && header.event.is_some() && !refused(Code::EventUnknown);
    match &mut case.what {
        What::Begin(call, _) => match law.contracts.get(&call.contract) {
            Some(of) if was_known && !of.contract.begins.contains_key(&call.event) => {
                Some(Trial::EventGone(format!("`{}` has no birth `{}`", call.contract, call.event)))
            }
            None if contract_was_known => gone(&call.contract),
            Some(_) | None => None,
        },
        What::Transition(call, Some(instance)) => match law.contracts.get(&call.contract) {
            None if contract_was_known => gone(&call.contract),
            None => None,
            Some(of) => {
                if was_known && of.contract.state(instance.state.as_str()).is_none() {
                    return Some(Trial::EventGone(format!("`{}` has no state `{}`", call.contract, instance.state)));
                }
                if was_known && of.contract.event(call.event.as_str(), instance.state.as_str()).is_none() {
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
