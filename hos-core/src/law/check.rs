//! What loads and is still unwise: findings that need contracts, policies and messages together.

use super::bundle::{Law, SCOPE, listed, sort};
use super::{files, message, reserved};
use crate::contract::check as contract_check;
use crate::contract::definition::{Contract, Due, Event};
use crate::fault::{Fault, Severity, SourceFile};
use crate::id::{Shown, Uid};
use crate::policy::outline::Fields;
use crate::shape::Type;
use std::collections::{BTreeMap, BTreeSet};

/// The gate at which a law is activated.
const LAW_GATE: &str = "law";

/// What is said of each action, by its identity.
type Words = BTreeMap<String, Fields>;

impl Law {
    /// Loads a law from its files (path inside the law, bytes). All faults at once, sorted by file, line and column; a law
    /// with an error does not load, be it one that [`Law::check`] finds. Hidden files are left out ([`files::is_hidden`]).
    pub fn load(given: Vec<(String, Vec<u8>)>) -> Result<Law, Vec<Fault>> {
        let law = Self::load_recorded(given)?;
        if law.notices.iter().all(|fault| fault.code != SCOPE) && !has_errors(&law) {
            return Ok(law);
        }
        let mut faults = law.found();
        for fault in faults.iter_mut().filter(|fault| fault.code == SCOPE) {
            fault.severity = Severity::Error;
        }
        sort(&mut faults);
        Err(listed(faults))
    }

    /// What `hos check` finds beyond loading: the contracts' and the law's findings, notices of loading included; sorted.
    pub fn check(&self) -> Vec<Fault> {
        listed(self.found())
    }

    /// All of it.
    fn found(&self) -> Vec<Fault> {
        let mut found = findings(self);
        found.extend(self.notices.iter().cloned());
        sort(&mut found);
        found
    }
}

/// Whether something is found in a law for which it does not load. All else that is found costs time, and is not looked for.
fn has_errors(law: &Law) -> bool {
    if clock_unfit(law).or_else(|| gate_unfit(law)).is_some() {
        return true;
    }
    law.contracts.values().filter_map(|held| Some((&held.contract, law.file(&held.contract.file)?))).any(|(contract, file)| {
        !contract_check::errors(contract, file).is_empty()
            || !clock_unknown(law, contract, file).is_empty()
            || !adoption_shared(law, contract, file).is_empty()
            || subject_unfit(law, contract, file).is_some_and(|fault| fault.severity == Severity::Error)
    })
}

/// Everything that is found in a law that loaded; not sorted.
fn findings(law: &Law) -> Vec<Fault> {
    let mut found = Vec::new();
    for held in law.contracts.values() {
        let Some(file) = law.file(&held.contract.file) else { continue };
        found.extend(contract_check::check(&held.contract, file));
        found.extend(never_permitted(law, &held.contract, file));
        found.extend(clock_unknown(law, &held.contract, file));
        found.extend(clock_not_permitted(law, &held.contract, file));
        found.extend(adoption_shared(law, &held.contract, file));
        found.extend(facts_not_stored(law, &held.contract, file));
        found.extend(subject_unfit(law, &held.contract, file));
    }
    found.extend(clock_unfit(law));
    found.extend(gate_unfit(law));
    found.extend(reserved_actions(law));
    found.extend(accounts_of_nobody(law));
    found.extend(messages(law));
    found
}

fn arrows(contract: &Contract) -> impl Iterator<Item = &Event> {
    contract.begins.values().chain(contract.arrows().map(|(event, _)| event))
}

// Told once for each event and action, at the place that names the action.
fn never_permitted(law: &Law, contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    let mut lonely: Vec<&Event> =
        arrows(contract).filter(|e| law.policy.has_action(&e.action) && !law.policy.may_permit(&e.action)).collect();
    lonely.dedup_by(|a, b| a.name == b.name && a.action == b.action);
    lonely
        .into_iter()
        .map(|event| {
            let message = format!("no policy could permit `{}`: `{}` never happens", Shown(&event.action), event.name);
            let fault = Fault::at("law.action.never_permitted", Severity::Warning, file, event.action_span.clone(), message);
            fault.hint("write a permit for the action, or take the event out")
        })
        .collect()
}

/// An instant is read by the clock, as if its event came at once: where the schema does not let the clock do that event, whatever
/// would enter the state is refused.
fn clock_unknown(law: &Law, contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    if !contract.deadlines.iter().any(|d| matches!(d.due, Due::At(_))) {
        return Vec::new();
    }
    let (words, clock) = (law.policy.action_words(), law.clock.type_name());
    let mut found = Vec::new();
    for deadline in contract.deadlines.iter().filter(|d| matches!(d.due, Due::At(_))) {
        let Some((event, _)) = contract.event(deadline.event.as_str(), deadline.state.as_str()) else { continue };
        // That the schema lacks the action is told of the expression.
        if applies(law, &words, &event.action, clock) == Some(false) {
            let (action, clock, state) = (Shown(&event.action), Shown(clock), &deadline.state);
            let message = format!("`{action}` does not apply to `{clock}`, who reads the instant: nothing would enter `{state}`");
            let fault = Fault::at("law.deadline.clock_unknown", Severity::Error, file, deadline.span.clone(), message);
            found.push(fault.hint("let the action apply to the clock's type in the schema, and permit it to the clock"));
        }
    }
    found
}

/// The clock comes with its name alone: under a schema that asks for more of it, or has it not among its ids, whatever is due is
/// refused and no longer armed. One that the directory may hold has its attributes there.
fn clock_unfit(law: &Law) -> Option<Fault> {
    let clock = law.clock.type_name();
    let is_awaited = law.contracts.values().any(|held| !held.contract.deadlines.is_empty());
    // That the schema lacks the type is told of the manifest.
    if !is_awaited || !law.policy.has_entity_type(clock) {
        return None;
    }
    let code = "law.deadline.clock_unfit";
    if !law.policy.may_be(&law.clock) {
        let message = format!("`{}` is none of the ids that `{}` has: no deadline ever fires", law.clock, Shown(clock));
        let fault = Fault::whole(code, Severity::Error, files::SCHEMA, message);
        return Some(fault.hint("add its id, or name another `clock` in law.toml"));
    }
    let is_stored = [reserved::ACCOUNT, reserved::ENTITY].into_iter().any(|act| law.policy.applies_to(act, clock));
    let name = law.policy.required_attribute(clock).filter(|_| !is_stored)?;
    let (clock, name) = (Shown(clock), Shown(name));
    let message = format!("`{clock}` requires `{name}`, and the clock comes without attributes: no deadline ever fires");
    let fault = Fault::whole(code, Severity::Error, files::SCHEMA, message);
    Some(fault.hint("make it optional, or let `directory.entity` apply to the type and put the clock into the directory"))
}

/// A gate is made of its name alone, too: under a schema that asks for more of it no act of an operator's is ever lawful, and no other
/// law could follow.
fn gate_unfit(law: &Law) -> Option<Fault> {
    let gate = match law.namespace.as_str() {
        "" => reserved::GATE.to_owned(),
        namespace => format!("{namespace}::{}", reserved::GATE),
    };
    let acts = [reserved::LAW_ACTIVATE, reserved::TENANT_OPEN, reserved::OUTBOX_POLL, reserved::NOTE];
    let act = acts.into_iter().find(|act| law.policy.applies_to(act, &gate))?;
    let code = "law.action.gate_unfit";
    if let Some(name) = law.policy.required_attribute(&gate) {
        let message = format!("`{gate}` requires `{}`, and a gate has no attributes: `{act}` is always refused", Shown(name));
        return Some(Fault::whole(code, Severity::Error, files::SCHEMA, message).hint("make it optional"));
    }
    let law_gate = Uid::new(&gate, LAW_GATE).ok().filter(|_| act == reserved::LAW_ACTIVATE)?;
    if law.policy.may_be(&law_gate) {
        return None;
    }
    let message = format!("`{gate}` has no `{LAW_GATE}` among its ids: no other law could ever be activated");
    Some(Fault::whole(code, Severity::Error, files::SCHEMA, message).hint("add it, or let any id be a gate's"))
}

/// Whether the schema lets an action apply to principals of a type; nothing where it lacks the action.
fn applies(law: &Law, words: &Words, action: &str, principal: &str) -> Option<bool> {
    let fields = words.get(&law.known_action(action)?.to_string())?;
    Some(fields.get("principals")?.split(", ").any(|name| name == principal))
}

/// Bringing instances in is asked for as `CONTRACT.adopt`. Whoever may do an event of that action could bring in instances, in any
/// state and unjudged.
fn adoption_shared(law: &Law, contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    let adopted = |action: &str| {
        let name = action.strip_suffix(".adopt")?;
        law.contracts.contains_key(name).then(|| name.to_owned())
    };
    let shared = arrows(contract).filter_map(|event| Some((event, adopted(&event.action)?)));
    shared
        .map(|(event, other)| {
            let action = Shown(&event.action);
            let message = format!("`{action}` is asked for where instances of `{other}` are brought in: it is no event's");
            let fault = Fault::at("law.contract.reserved", Severity::Error, file, event.action_span.clone(), message);
            fault.hint(format!("give `{}` another `action`", event.name))
        })
        .collect()
}

/// Whose data the parts are is a person: only under a person's key are they sealed, and erased with it. A text names nobody.
fn subject_unfit(law: &Law, contract: &Contract, file: &SourceFile) -> Option<Fault> {
    let fact = contract.facts.get(contract.data_subject.as_ref()?)?;
    let (name, span) = (Shown(&fact.name), fact.span.clone());
    match &fact.ty {
        Type::Entity(of) if law.persons.contains(of) => None,
        Type::Entity(of) => {
            let of = Shown(of);
            let message =
                format!("the data subject `{name}` is `{of}`, which is no person: nothing of an instance is sealed, or erased");
            let fault = Fault::at("law.contract.subject_no_person", Severity::Warning, file, span, message);
            Some(fault.hint(format!("name `{of}` among `persons` in law.toml, or take `data_subject` out")))
        }
        _ => {
            let message = format!("the data subject `{name}` is no entity, and so no person: nothing would be sealed, or erased");
            let fault = Fault::at("law.contract.type_mismatch", Severity::Error, file, span, message);
            Some(fault.hint("make it an entity of a type that `persons` in law.toml names"))
        }
    }
}

/// The clock gives nothing with its call. What a fact names must be in the directory when a deadline fires; what no act of the
/// directory's can put there is not.
fn facts_not_stored(law: &Law, contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    // A law without these acts has no directory of its own: that is told once, as what the schema lacks.
    let put: Vec<&str> = [reserved::ACCOUNT, reserved::ENTITY].into_iter().filter(|id| law.policy.has_action(id)).collect();
    if contract.deadlines.is_empty() || put.is_empty() {
        return Vec::new();
    }
    let words = law.policy.action_words();
    let resources = |id: &&str| Some(words.get(&law.known_action(id)?.to_string())?.get("resources")?.split(", "));
    let stored: BTreeSet<&str> = put.iter().filter_map(resources).flatten().collect();
    let types = law.policy.entity_types();
    let mut found = Vec::new();
    for fact in contract.facts.values() {
        let mut ty = &fact.ty;
        while let Type::Set(inner) = ty {
            ty = inner;
        }
        let Type::Entity(name) = ty else { continue };
        let declared = types.get(name).is_some_and(|fields| fields.contains_key("ids"));
        if !declared && !stored.contains(name.as_str()) {
            let (fact_name, name) = (Shown(&fact.name), Shown(name));
            let message =
                format!("the directory never holds the `{name}` that `{fact_name}` names: the contract's deadlines fail");
            let fault = Fault::at("law.deadline.fact_not_stored", Severity::Warning, file, fact.span.clone(), message);
            found.push(fault.hint("let `directory.entity` apply to the type, or keep the id as a String"));
        }
    }
    found
}

fn clock_not_permitted(law: &Law, contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    let unread: BTreeSet<usize> = clock_unknown(law, contract, file).into_iter().map(|fault| fault.span.start).collect();
    let mut found = Vec::new();
    // Of an instant that the clock cannot read, worse is told.
    for deadline in contract.deadlines.iter().filter(|d| !unread.contains(&d.span.start)) {
        let Some((event, _)) = contract.event(deadline.event.as_str(), deadline.state.as_str()) else { continue };
        let action = event.action.as_str();
        if law.policy.has_action(action) && !law.policy.may_permit_to(action, &law.clock, &contract.entity) {
            let message = format!("no policy could permit `{}` to {}: the deadline never fires", Shown(action), law.clock);
            let fault = Fault::at("law.deadline.clock_not_permitted", Severity::Warning, file, deadline.span.clone(), message);
            found.push(fault.hint("permit the action to the clock, and let it apply to the clock's type in the schema"));
        }
    }
    found
}

// A law need not serve every door, so what it lacks is worth a note; what it declares and permits to nobody is a warning.
fn reserved_actions(law: &Law) -> Vec<Fault> {
    let mut found = Vec::new();
    let lacking: Vec<&str> = reserved::ALL.into_iter().filter(|id| !law.policy.has_action(id)).collect();
    if !lacking.is_empty() {
        let message = format!("the schema lacks reserved actions, so what they stand for is refused: {}", lacking.join(", "));
        found.push(Fault::whole("law.action.reserved_missing", Severity::Note, files::SCHEMA, message));
    }
    for id in reserved::ALL.into_iter().filter(|id| law.policy.has_action(id) && !law.policy.may_permit(id)) {
        let message = format!("no policy could permit the reserved action `{id}`");
        found.push(Fault::whole("law.action.never_permitted", Severity::Warning, files::SCHEMA, message));
    }
    found
}

/// Who is no person (`persons` of `law.toml`) is put into the directory as any entity is, whatever applies to accounts.
fn accounts_of_nobody(law: &Law) -> Vec<Fault> {
    let types = law.policy.entity_types();
    let as_account = |name: &&String| !law.persons.contains(*name) && law.policy.applies_to(reserved::ACCOUNT, name);
    let never_put = types.keys().filter(as_account).filter(|name| !law.policy.applies_to(reserved::ENTITY, name));
    never_put
        .map(|name| {
            let name = Shown(name);
            let (account, entity) = (reserved::ACCOUNT, reserved::ENTITY);
            let message = format!("`{name}` is no person, so that `{entity}` is asked for where one is put, and not `{account}`");
            let fault = Fault::whole("law.action.account_no_person", Severity::Warning, files::SCHEMA, message);
            fault.hint("name the type in `persons` of law.toml, or let `directory.entity` apply to it")
        })
        .collect()
}

fn messages(law: &Law) -> Vec<Fault> {
    let mut guards: BTreeMap<&str, &str> = BTreeMap::new();
    for held in law.contracts.values() {
        for guard in arrows(&held.contract).flat_map(|e| &e.require) {
            guards.entry(&guard.code).or_insert(&held.contract.file);
        }
    }
    let mut found = Vec::new();
    for file in &law.files {
        if let Some(files::Role::Messages(language)) = files::role(&file.path) {
            // It loaded, so reading it again finds nothing new.
            let read = message::read(file, language, &mut Vec::new());
            found.extend(message::findings(file, &read, &guards));
        }
    }
    found
}
