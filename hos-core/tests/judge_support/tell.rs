//! What was judged, as lines that a person reads.

use super::START;
use hos_core::answer::Answer;
use hos_core::audit::replay::Outcome;
use hos_core::call::Change;
use hos_core::id::{Name, Uid};
use hos_core::judge::*;
use hos_core::law::Mode;
use hos_core::policy::{Entity, Link};
use hos_core::proof::record::{Decision, Kind, Part, Slot};
use hos_core::refusal::Blocker;
use hos_core::value::{Record, Value};

fn who(uid: &Uid) -> String {
    format!("{} {}", uid.type_name().trim_start_matches("Lib::"), uid.id())
}

fn value(value: &Value) -> String {
    match value {
        Value::Bool(is) => is.to_string(),
        Value::Long(n) => n.to_string(),
        Value::String(text) => format!("'{text}'"),
        Value::Entity(uid) => who(uid),
        Value::Ext(_, text) => text.clone(),
        other => format!("{other:?}"),
    }
}

pub fn values(record: &Record) -> String {
    record.iter().map(|(name, v)| format!("{name}={}", value(v))).collect::<Vec<_>>().join(" ")
}

fn blockers(blockers: &[Blocker]) -> String {
    let one = |b: &Blocker| if b.detail.is_empty() { b.code.to_string() } else { format!("{} ({})", b.code, b.detail) };
    blockers.iter().map(one).collect::<Vec<_>>().join(", ")
}

pub fn message(message: &Message) -> String {
    format!("{} {}", message.kind, values(&message.body))
}

/// Yes or no, and why; what moved.
pub fn answer(answer: &Answer) -> String {
    let mut text = if answer.allowed { "yes" } else { "no" }.to_owned();
    if answer.mode != Mode::Enforce {
        text += &format!(" in {}", answer.mode.as_str());
    }
    let mut say = |what: String| text += &format!("; {what}");
    if !answer.blockers.is_empty() {
        say(blockers(&answer.blockers));
    }
    if let Some(effect) = answer.effect {
        say(format!("{effect:?} by {}", answer.policies.join(" ")));
    } else if !answer.policies.is_empty() {
        say(format!("by {}", answer.policies.join(" ")));
    }
    answer.errors.iter().for_each(|error| say(format!("{} {}", error.policy, error.kind)));
    if answer.from.is_some() || answer.to.is_some() {
        let state = |name: &Option<Name>| name.as_ref().map_or("-".to_owned(), ToString::to_string);
        say(format!("{} to {}", state(&answer.from), state(&answer.to)));
    }
    if let Some(version) = answer.version {
        say(format!("version {version}"));
    }
    if !answer.fired.is_empty() {
        say(format!("fired {}", answer.fired.iter().map(Name::as_str).collect::<Vec<_>>().join(" ")));
    }
    if answer.divergence {
        say("diverges".to_owned());
    }
    if answer.again {
        say("again".to_owned());
    }
    if let Some(other) = &answer.candidate {
        let word = if other.allowed { "yes" } else { "no" };
        say(format!("the candidate says {word} {}", blockers(&other.blockers)).trim_end().to_owned());
    }
    text
}

pub fn available(name: &Name, said: &Answer, needs: &[Name]) -> String {
    let needs = needs.iter().map(Name::as_str).collect::<Vec<_>>().join(" ");
    let needs = if needs.is_empty() { needs } else { format!("; needs {needs}") };
    format!("{name}: {}{needs}", answer(said))
}

pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Same => "the same again".to_owned(),
        Outcome::Differs(d) => format!("{} differs: {} / {}", d.what, d.was, d.now),
        Outcome::Erased => "erased".to_owned(),
        Outcome::Attested => "attested".to_owned(),
    }
}

pub fn entity(entity: &Entity) -> String {
    let stored = if entity.record.is_some() { "*" } else { "" };
    let parents = entity.parents.iter().map(|p| format!(" in {}", who(p))).collect::<String>();
    format!("{}{stored} {{{}}}{parents}", who(&entity.uid), values(&entity.attrs))
}

pub fn link(link: &Link) -> String {
    let slot = |uid: &Option<Uid>| uid.as_ref().map_or("-".to_owned(), who);
    let stored = if link.record.is_some() { "*" } else { "" };
    format!("link {}{stored} of {} ({}, {})", link.id, link.template, slot(&link.principal), slot(&link.resource))
}

fn change(change: &Change) -> String {
    let slot = |uid: &Option<Uid>| uid.as_ref().map_or("-".to_owned(), who);
    match change {
        Change::Put { uid, attrs } => format!("put {} {{{}}}", who(uid), values(attrs)),
        Change::Remove { uid } => format!("remove {}", who(uid)),
        Change::Join { uid, parent } => format!("join {} in {}", who(uid), who(parent)),
        Change::Leave { uid, parent } => format!("leave {} in {}", who(uid), who(parent)),
        Change::Grant { id, template, principal, resource } => {
            format!("grant {id} of {template} ({}, {})", slot(principal), slot(resource))
        }
        Change::Revoke { id } => format!("revoke {id}"),
    }
}

fn content(kind: Kind, part: &Part) -> String {
    let bytes = &part.plaintext[..];
    match part.slot {
        Slot::Principal => who(&decode_entity(bytes).unwrap()),
        Slot::Slice => {
            let (entities, links) = decode_slice(bytes).unwrap();
            entities.iter().map(entity).chain(links.iter().map(link)).collect::<Vec<_>>().join(", ")
        }
        Slot::Facts | Slot::Args | Slot::Context => values(&decode_values(bytes).unwrap()),
        Slot::Id | Slot::Legacy => format!("'{}'", decode_text(bytes).unwrap()),
        Slot::Once => decode_once(bytes).unwrap().0.to_string(),
        Slot::Payload if kind == Kind::Legacy => values(&decode_values(bytes).unwrap()),
        Slot::Payload => String::from_utf8(bytes.to_vec()).unwrap(),
        Slot::Change => match kind {
            Kind::Directory => change(&decode_change(bytes).unwrap()),
            Kind::Refused | Kind::Observed if decode_text(bytes).is_err() => match decode_asked(bytes).unwrap() {
                WasAsked::Directory(of) => change(&of),
                WasAsked::Begin(contract, event) => format!("begin {contract} {event}"),
                WasAsked::Transition(contract, event, reason) => format!("move {contract} {event} '{reason}'"),
                WasAsked::Adopt(contract, state) => format!("adopt {contract} {state}"),
                WasAsked::LegacyLog(contract) => format!("told {contract}"),
            },
            _ => format!("'{}'", decode_text(bytes).unwrap()),
        },
        Slot::Blockers => blockers(&decode_blockers(bytes).unwrap()),
        Slot::Effects => decode_messages(bytes).unwrap().iter().map(message).collect::<Vec<_>>().join(", "),
        Slot::Deadlines => {
            let one =
                |a: &hos_core::contract::step::Armed| format!("{} {} at {}m", a.deadline, a.event, (a.due.0 - START) / 60_000);
            let all = decode_armed(bytes).unwrap().iter().map(one).collect::<Vec<_>>().join(", ");
            if all.is_empty() { "none".to_owned() } else { all }
        }
    }
}

/// The header's line, with what judging it again came to, and a line for each part.
pub fn draft(draft: &Draft, again: &str) -> Vec<String> {
    let h = &draft.header;
    let mut words = vec![format!("{:?}", h.kind).to_lowercase()];
    match &draft.place {
        Place::Thread { n, .. } => words.push(n.to_string()),
        Place::Stream(name) => words.push(format!("in {name}")),
    }
    let mode = Mode::from_number(h.mode.into()).unwrap();
    words.extend((mode != Mode::Enforce).then(|| mode.as_str().to_owned()));
    words.extend(h.contract.as_ref().map(|c| format!("{c}@{}", h.contract_version.map_or("-".to_owned(), |v| v.to_string()))));
    words.extend(h.event.as_ref().map(ToString::to_string));
    if h.from.is_some() || h.to.is_some() {
        let state = |name: &Option<Name>| name.as_ref().map_or("-".to_owned(), ToString::to_string);
        words.push(format!("{}>{}", state(&h.from), state(&h.to)));
    }
    words.extend(match h.decision {
        Decision::None => None,
        Decision::Allow => Some("allow".to_owned()),
        Decision::Deny => Some("deny".to_owned()),
    });
    words.extend(h.refusal.as_ref().map(ToString::to_string));
    words.extend((!h.policies.is_empty()).then(|| format!("by {}", h.policies.join(" "))));
    words.extend(h.request.as_ref().map(|r| format!("request {r}")));
    words.extend(h.label.map(|_| "labelled".to_owned()));
    words.extend(h.guard_law.map(|_| "under its own law".to_owned()));
    words.extend((h.judge[3] == 1).then(|| "leniently".to_owned()));
    let part = |p: &Part| {
        let whose = p.subject.as_ref().map(|uid| format!(" of {}", uid.id())).unwrap_or_default();
        let index = if p.index == 0 { String::new() } else { format!(" {}", p.index) };
        format!("  {}{index}{whose}: {}", format!("{:?}", p.slot).to_lowercase(), content(h.kind, p))
    };
    std::iter::once(format!("{} [{again}]", words.join(" "))).chain(draft.parts.iter().map(part)).collect()
}

/// All of it, for comparing.
pub fn judged(judged: &Judged) -> String {
    let bytes: Vec<_> = judged.drafts.iter().map(|d| (&d.bytes, &d.parts, &d.place)).collect();
    format!("{:?} {bytes:?} {:?} {:?} {:?} {:?}", judged.answer, judged.instance, judged.messages, judged.once, judged.directory)
}
