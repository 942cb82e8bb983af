//! What living instances need of the law that follows theirs: facts are never migrated, and policy is judged under the schema in
//! force.

use super::bundle::Law;
use crate::contract::definition::{Contract, Event};
use crate::contract::step;
use crate::id::Name;
use crate::policy::outline::Fields;
use crate::shape::Type;
use std::collections::BTreeMap;

/// Why instances of a contract of `old`, in this state, could not live on under `new`; nothing where they can, or are at their end and
/// no migration takes them along. Where the new contract has a higher version they are judged by it from their next touch on; else by
/// their own contract, under the new law's policies and schema.
pub fn bar(old: &Law, new: &Law, contract: &str, state: &str) -> Option<String> {
    let of = &old.contracts.get(contract)?.contract;
    let ended = of.state(state)?.terminal;
    let Some(newer) = new.contracts.get(contract).map(|held| &held.contract) else {
        return (!ended).then(|| "the new law has no such contract".to_owned());
    };
    let kept = || resource(of, newer).or_else(|| subject(of, newer));
    if newer.version <= of.version {
        // Whoever keeps the version keeps the word of their birth's law on whose data theirs is.
        return if ended { None } else { kept().or_else(|| calls(old, new, of)) };
    }
    if step::migrate(newer, of.version, state).is_none() {
        return (!ended).then(|| format!("no migration takes them to version {}", newer.version));
    }
    let bar = kept().or_else(|| person(old, new, of))?;
    // What is taken along at its end is judged by the new contract too, and an override, or the world in shadow, may revive it.
    if !ended {
        return Some(bar);
    }
    Some(format!("{bar}; they are at their end, and without `[migrate.\"{}\"]` they stay as they are", of.version))
}

/// What Cedar is told of an instance must be what the new schema declares, or nothing of it is ever judged again.
fn resource(of: &Contract, newer: &Contract) -> Option<String> {
    if of.entity != newer.entity {
        return Some(format!("they are `{}`, the new contract is of `{}`", of.entity, newer.entity));
    }
    for (name, have) in &of.facts {
        let Some(wanted) = newer.facts.get(name) else {
            return Some(format!("they have the fact `{name}`, which the new contract does not declare"));
        };
        if have.ty != wanted.ty {
            return Some(format!("their fact `{name}` is {}, the new contract's is {}", have.ty, wanted.ty));
        }
        if have.optional && !wanted.optional {
            return Some(format!("their fact `{name}` may be absent, and the new contract requires it"));
        }
    }
    let lacking = newer.facts.iter().find(|(name, wanted)| !wanted.optional && !of.facts.contains_key(*name));
    lacking.map(|(name, _)| format!("the new contract requires the fact `{name}`, which they do not have"))
}

/// Whose data an instance's parts are was settled at its birth, and no migration settles it anew: another subject of those that
/// live would be told as erased, with its data in the clear.
fn subject(of: &Contract, newer: &Contract) -> Option<String> {
    let said = |of: &Contract| whose(of).map_or_else(|| "nobody".to_owned(), |name| format!("`{name}`"));
    (whose(of) != whose(newer)).then(|| {
        let (was, is) = (said(of), said(newer));
        format!("whose data theirs is, {was} says and the new contract's {is}; that stays as it was at their birth")
    })
}

/// The fact that says whose data it is. A text, which no new law may have there, never said so.
fn whose(of: &Contract) -> Option<&Name> {
    of.data_subject.as_ref().filter(|name| of.facts.get(*name).is_some_and(|fact| matches!(fact.ty, Type::Entity(_))))
}

/// Whether it is anybody's data was settled with it: under the law of their birth the subject's type is a person, or is none. Taken for a
/// person's later, their facts would lie in the clear and be told as erased; taken for nobody's, so would what is written from then on.
fn person(old: &Law, new: &Law, of: &Contract) -> Option<String> {
    let fact = of.facts.get(of.data_subject.as_ref()?)?;
    let Type::Entity(name) = &fact.ty else { return None };
    let (was, is) = (old.persons.contains(name), new.persons.contains(name));
    let said = |person: bool| if person { "a person" } else { "no person" };
    (was != is).then(|| {
        let (was, is) = (said(was), said(is));
        format!("`{name}`, whose data theirs is, is {is} under the new law, and was {was} at their birth; that stays as it was")
    })
}

/// What their own contract asks of the new schema: its actions, each over its entity type, with its arguments.
fn calls(old: &Law, new: &Law, of: &Contract) -> Option<String> {
    let (was, is) = (old.policy.action_words(), new.policy.action_words());
    let said = |law: &Law, words: &BTreeMap<String, Fields>, action: &str| {
        let uid = law.known_action(action)?;
        words.get(&uid.to_string()).cloned()
    };
    for (event, _) in of.arrows() {
        let Some(now) = said(new, &is, &event.action) else {
            return Some(format!("the new schema lacks `{}`, which `{}` needs", event.action, event.name));
        };
        if !names(&now, "resources", &of.entity) {
            return Some(format!("`{}` does not apply to `{}` in the new schema", event.action, of.entity));
        }
        let before = said(old, &was, &event.action).unwrap_or_default();
        if let Some(bar) = context(event, &before, &now) {
            return Some(bar);
        }
    }
    // The clock is the new law's. An instant of theirs is read under their own schema, everything else under the new one.
    for deadline in &of.deadlines {
        let Some((event, _)) = of.event(deadline.event.as_str(), deadline.state.as_str()) else { continue };
        let before = said(old, &was, &event.action).unwrap_or_default();
        let now = said(new, &is, &event.action).unwrap_or_default();
        let clock = new.clock.type_name();
        let could = names(&before, "principals", old.clock.type_name());
        if could && !(names(&before, "principals", clock) && names(&now, "principals", clock)) {
            return Some(format!(
                "`{}` does not apply to `{clock}`, who fires the deadlines of `{}`",
                event.action, deadline.state
            ));
        }
    }
    None
}

fn names(fields: &Fields, side: &str, type_name: &str) -> bool {
    fields.get(side).is_some_and(|types| types.split(", ").any(|name| name == type_name))
}

/// The arguments of their events, against the context that the new schema declares.
fn context(event: &Event, before: &Fields, now: &Fields) -> Option<String> {
    for name in event.args.keys() {
        let field = format!("context {name}");
        let Some(wanted) = now.get(&field) else {
            return Some(format!("`{}` takes `{name}`, which the new schema does not declare", event.name));
        };
        let plain = |text: &str| text.trim_end_matches('?').to_owned();
        if before.get(&field).is_some_and(|have| plain(have) != plain(wanted)) {
            return Some(format!("`{}` takes another `{name}` than the new schema declares: {}", event.name, plain(wanted)));
        }
    }
    let given = |name: &str| event.args.get(name).is_some_and(|arg| !arg.optional);
    let mut required =
        now.iter().filter(|(_, text)| !text.ends_with('?')).filter_map(|(field, _)| field.strip_prefix("context "));
    let lacking = required.find(|name| !given(name));
    lacking.map(|name| format!("`{}` gives no `{name}`, which the new schema requires of `{}`", event.name, event.action))
}
