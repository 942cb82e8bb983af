//! What loads and is still unwise: findings that need contracts, policies and messages together.

use super::bundle::{Law, sort};
use super::{files, message, reserved};
use crate::contract::check as contract_check;
use crate::contract::definition::{Contract, Event};
use crate::fault::{Fault, Severity, SourceFile};
use crate::id::Shown;
use std::collections::BTreeMap;

impl Law {
    /// What `hos check` finds beyond loading: the contracts' and the law's findings, notices of loading included; sorted.
    pub fn check(&self) -> Vec<Fault> {
        let mut found = findings(self);
        found.extend(self.notices.iter().cloned());
        sort(&mut found);
        found
    }
}

/// Everything that is found in a law that loaded; not sorted.
fn findings(law: &Law) -> Vec<Fault> {
    let mut found = Vec::new();
    for held in law.contracts.values() {
        let Some(file) = law.file(&held.contract.file) else { continue };
        found.extend(contract_check::check(&held.contract, file));
        found.extend(never_permitted(law, &held.contract, file));
        found.extend(clock_not_permitted(law, &held.contract, file));
    }
    found.extend(reserved_actions(law));
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

fn clock_not_permitted(law: &Law, contract: &Contract, file: &SourceFile) -> Vec<Fault> {
    let mut found = Vec::new();
    for deadline in &contract.deadlines {
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
