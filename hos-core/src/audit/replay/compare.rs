//! The record that is there, and the one that comes of judging again: the first thing in which they differ.

use super::Difference;
use super::parts::{Record, name};
use crate::answer::Answer;
use crate::canon::CanonError;
use crate::judge::{Draft, decode_blockers};
use crate::proof::record::{Decision, Header, Slot};
use std::fmt::Display;

fn shown<T: Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// A decision in words: `allow by buyer`, `deny hos.forbidden by inactive`.
pub(super) fn decision(header: &Header) -> String {
    let word = match header.decision {
        Decision::None => "nothing",
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    };
    let code = header.refusal.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    let by = if header.policies.is_empty() { String::new() } else { format!(" by {}", header.policies.join(", ")) };
    format!("{word}{code}{by}")
}

/// What differs first, if anything does.
pub(super) fn differing(record: &Record<'_>, answer: &Answer, draft: Option<&Draft>, beside: &[Slot]) -> Option<Difference> {
    let was = record.header;
    let Some(draft) = draft else {
        let now = answer.blockers.first().map_or_else(|| "no record".to_owned(), |b| format!("no record: {b}"));
        return Some(Difference::new("record", decision(was), now));
    };
    let now = &draft.header;
    headers(was, now).or_else(|| parts(record, draft, beside))
}

fn headers(was: &Header, now: &Header) -> Option<Difference> {
    if (was.decision, &was.refusal) != (now.decision, &now.refusal) {
        return Some(Difference::new("decision", decision(was), decision(now)));
    }
    if was.policies != now.policies {
        return Some(Difference::new("policies", was.policies.join(", "), now.policies.join(", ")));
    }
    let texts = [
        ("kind", format!("{:?}", was.kind), format!("{:?}", now.kind)),
        ("from", shown(was.from.as_ref()), shown(now.from.as_ref())),
        ("to", shown(was.to.as_ref()), shown(now.to.as_ref())),
        ("contract", shown(was.contract.as_ref()), shown(now.contract.as_ref())),
        ("contract version", shown(was.contract_version.as_ref()), shown(now.contract_version.as_ref())),
        ("event", shown(was.event.as_ref()), shown(now.event.as_ref())),
        ("n", shown(was.n.as_ref()), shown(now.n.as_ref())),
        ("previous record", shown(was.prev.as_ref()), shown(now.prev.as_ref())),
        ("guard law", shown(was.guard_law.as_ref()), shown(now.guard_law.as_ref())),
        ("compat", was.judge[3].to_string(), now.judge[3].to_string()),
        ("mode", was.mode.to_string(), now.mode.to_string()),
        ("label", shown(was.label.as_ref()), shown(now.label.as_ref())),
    ];
    let differs = texts.into_iter().find(|(_, was, now)| was != now);
    differs.map(|(what, was, now)| Difference::new(what, was, now))
}

/// The parts, one by one; of those that are not open, only that they are there.
fn parts(record: &Record<'_>, draft: &Draft, beside: &[Slot]) -> Option<Difference> {
    let is_asked = |slot: Slot| !beside.contains(&slot);
    let was: Vec<(Slot, u8)> = record.header.parts.iter().map(|p| (p.slot, p.index)).filter(|(s, _)| is_asked(*s)).collect();
    let now: Vec<(Slot, u8)> = draft.header.parts.iter().map(|p| (p.slot, p.index)).filter(|(s, _)| is_asked(*s)).collect();
    if was != now {
        let words = |all: &[(Slot, u8)]| all.iter().map(|(s, i)| format!("{s:?} {i}")).collect::<Vec<_>>().join(", ");
        return Some(Difference::new("parts", words(&was), words(&now)));
    }
    for part in draft.parts.iter().filter(|part| is_asked(part.slot)) {
        let Some(content) = record.open(part.slot, part.index) else { continue };
        let same = match part.slot {
            // A blocker's details are words for people; its code is what was decided.
            Slot::Blockers => codes(content).is_ok_and(|was| codes(&part.plaintext).is_ok_and(|now| was == now)),
            _ => content == &part.plaintext[..],
        };
        if !same {
            let hex = |bytes: &[u8]| bytes.iter().take(64).map(|b| format!("{b:02x}")).collect::<String>();
            return Some(Difference::new(name(part.slot), hex(content), hex(&part.plaintext)));
        }
    }
    None
}

fn codes(bytes: &[u8]) -> Result<Vec<String>, CanonError> {
    Ok(decode_blockers(bytes)?.into_iter().map(|b| b.code.into_owned()).collect())
}
