//! A contract in words, name by name: states, facts, events, deadlines, migrations, promises, and the edges of its picture.

use super::definition::{Contract, Due, Effect, Event, Field, OnSame, PathRule};
use super::draw::span_text;
use crate::id::Name;
use crate::shape::Attribute;
use std::collections::BTreeMap;

/// What is said of one thing: field and text.
type Fields = BTreeMap<String, String>;

/// Everything that a contract says, by what it is and its name.
pub fn outline(contract: &Contract) -> BTreeMap<(&'static str, String), Fields> {
    let mut out = BTreeMap::new();
    let text = |index: usize| contract.expressions.get(index).map_or_else(String::new, |e| e.text.clone());
    out.insert(
        ("contract", String::new()),
        Fields::from([
            ("version".to_owned(), contract.version.to_string()),
            ("entity".to_owned(), contract.entity.clone()),
            ("data subject".to_owned(), contract.data_subject.as_ref().map_or_else(String::new, ToString::to_string)),
            ("personal ids".to_owned(), contract.personal_ids.to_string()),
        ]),
    );
    for state in &contract.states {
        let fields = [("terminal", state.terminal), ("forever", state.forever)];
        let fields = fields.map(|(name, is)| (name.to_owned(), is.to_string()));
        out.insert(("state", state.name.to_string()), fields.into());
    }
    for (name, fact) in &contract.facts {
        out.insert(("fact", name.to_string()), Fields::from([("type".to_owned(), type_of(fact))]));
    }
    for (name, event) in &contract.begins {
        out.insert(("begin", name.to_string()), arrows(std::slice::from_ref(event), &text));
        edges(&mut out, event, name.as_str(), &["(birth)".to_owned()]);
    }
    for (what, all) in [("event", &contract.events), ("override", &contract.overrides)] {
        for (name, of) in all {
            out.insert((what, name.to_string()), arrows(of, &text));
            for event in of {
                let from: Vec<String> = event.from.iter().map(ToString::to_string).collect();
                edges(&mut out, event, name.as_str(), &from);
            }
        }
    }
    for deadline in &contract.deadlines {
        let due = match &deadline.due {
            Due::After(span) => format!("after {}", span_text(*span)),
            Due::At(index) => format!("at {}", text(*index)),
        };
        out.insert(("deadline", format!("{} {}", deadline.state, deadline.event)), Fields::from([("due".to_owned(), due)]));
    }
    // Of those that are due together the first in the file comes first.
    for state in &contract.states {
        let of = contract.deadlines.iter().filter(|d| d.state == state.name);
        let order: Vec<&str> = of.map(|deadline| deadline.event.as_str()).collect();
        if let Some(fields) = out.get_mut(&("state", state.name.to_string())).filter(|_| order.len() > 1) {
            fields.insert("deadlines in order".to_owned(), order.join(", "));
        }
    }
    for (version, migration) in &contract.migrations {
        let fields = migration.states.iter().map(|(old, new)| (format!("state {old}"), new.to_string())).collect();
        out.insert(("migration", version.to_string()), fields);
    }
    for promise in &contract.promises {
        let rule = match &promise.rule {
            PathRule::Before(never, before) => format!("never {never} before {before}"),
            PathRule::After(never, after) => format!("never {never} after {after}"),
            PathRule::Apart(states) => {
                format!("never both {}", states.iter().map(Name::as_str).collect::<Vec<_>>().join(", "))
            }
        };
        out.insert(("promise", promise.code.clone()), Fields::from([("rule".to_owned(), rule)]));
    }
    out
}

fn type_of(attribute: &Attribute) -> String {
    format!("{}{}", attribute.ty, if attribute.optional { "?" } else { "" })
}

fn edges(out: &mut BTreeMap<(&'static str, String), Fields>, event: &Event, name: &str, from: &[String]) {
    for from in from {
        for to in event.targets() {
            out.insert(("machine", format!("{from} --({name})--> {to}")), Fields::new());
        }
    }
}

/// An event's arrows; a second one's fields bear its number, and so does what is said a second time: an effect of the same kind.
fn arrows(events: &[Event], text: &dyn Fn(usize) -> String) -> Fields {
    let mut fields = Fields::new();
    for (i, event) in events.iter().enumerate() {
        let prefix = if i == 0 { String::new() } else { format!("arrow {} ", i + 1) };
        let mut put = |name: String, said: String| {
            let own = format!("{prefix}{name}");
            let before = (1..).take_while(|n| fields.contains_key(&numbered(&own, *n))).count();
            fields.insert(numbered(&own, before + 1), said);
        };
        put("from".to_owned(), event.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        put("action".to_owned(), event.action.clone());
        let same = event.on_same == OnSame::Noop;
        for (name, is) in [("on_same noop", same), ("rearm", event.rearm), ("self loop", event.self_loop)] {
            put(name.to_owned(), is.to_string());
        }
        for (name, attribute) in &event.args {
            put(format!("argument {name}"), type_of(attribute));
        }
        for guard in &event.require {
            put(format!("guard {}", guard.code), text(guard.when));
        }
        for (fact, arg) in &event.sets {
            put(format!("sets {fact}"), format!("args.{arg}"));
        }
        for (place, branch) in event.branches.iter().enumerate() {
            let when = branch.when.map_or_else(String::new, |index| format!(" when {}", text(index)));
            put(format!("branch {}", place + 1), format!("{}{when}", branch.to));
            for effect in &branch.effects {
                put(format!("branch {} effect {}", place + 1, effect.kind), body(effect));
            }
            if let Some(order) = in_order(&branch.effects) {
                put(format!("branch {} effects in order", place + 1), order);
            }
        }
        for effect in &event.effects {
            put(format!("effect {}", effect.kind), body(effect));
        }
        if let Some(order) = in_order(&event.effects) {
            put("effects in order".to_owned(), order);
        }
        for reply in &event.replies {
            put(format!("reply {reply}"), "yes".to_owned());
        }
    }
    fields
}

fn numbered(name: &str, n: usize) -> String {
    if n == 1 { name.to_owned() } else { format!("{name} {n}") }
}

/// The order of effects, which is that of the messages, where they are of several kinds.
fn in_order(effects: &[Effect]) -> Option<String> {
    let kinds: Vec<&str> = effects.iter().map(|effect| effect.kind.as_str()).collect();
    kinds.iter().any(|kind| Some(kind) != kinds.first()).then(|| kinds.join(", "))
}

fn body(effect: &Effect) -> String {
    if effect.body.is_empty() {
        return "nothing".to_owned();
    }
    let said = effect.body.iter().map(|field| match field {
        Field::Id => "id".to_owned(),
        Field::State => "state".to_owned(),
        Field::Principal => "principal".to_owned(),
        Field::Fact(name) => format!("facts.{name}"),
        Field::Arg(name) => format!("args.{name}"),
    });
    said.collect::<Vec<_>>().join(", ")
}
