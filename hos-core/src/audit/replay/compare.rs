//! The record that is there, and the one that comes of judging again: the first thing in which they differ.

use super::Difference;
use super::parts::{Record, name};
use crate::answer::Answer;
use crate::canon::CanonError;
use crate::judge::{Draft, decode_blockers};
use crate::proof::record::{Decision, Header, PartRef, Slot};
use std::fmt::Display;

/// A field that differs, in words: almost none does, so nothing is put into words before.
fn differ<T: PartialEq>(what: &str, was: &T, now: &T, shown: impl Fn(&T) -> String) -> Option<Difference> {
    (was != now).then(|| Difference::new(what, shown(was), shown(now)))
}

fn shown<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
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
    differ("policies", &was.policies, &now.policies, |all| all.join(", "))
        .or_else(|| differ("kind", &was.kind, &now.kind, |kind| format!("{kind:?}")))
        .or_else(|| differ("from", &was.from, &now.from, shown))
        .or_else(|| differ("to", &was.to, &now.to, shown))
        .or_else(|| differ("contract", &was.contract, &now.contract, shown))
        .or_else(|| differ("contract version", &was.contract_version, &now.contract_version, shown))
        .or_else(|| differ("event", &was.event, &now.event, shown))
        .or_else(|| differ("n", &was.n, &now.n, shown))
        .or_else(|| differ("previous record", &was.prev, &now.prev, shown))
        .or_else(|| differ("guard law", &was.guard_law, &now.guard_law, shown))
        .or_else(|| differ("compat", &was.judge[3], &now.judge[3], u16::to_string))
        .or_else(|| differ("mode", &was.mode, &now.mode, u8::to_string))
        .or_else(|| differ("label", &was.label, &now.label, shown))
}

/// The parts, one by one; of those that are not open, only that they are there.
fn parts(record: &Record<'_>, draft: &Draft, beside: &[Slot]) -> Option<Difference> {
    let is_asked = |slot: Slot| !beside.contains(&slot);
    let places = |part: &PartRef| Some((part.slot, part.index)).filter(|(slot, _)| is_asked(*slot));
    let (was, now) = (&record.header.parts, &draft.header.parts);
    if !was.iter().filter_map(places).eq(now.iter().filter_map(places)) {
        let words =
            |all: &[PartRef]| all.iter().filter_map(places).map(|(s, i)| format!("{s:?} {i}")).collect::<Vec<_>>().join(", ");
        return Some(Difference::new("parts", words(was), words(now)));
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
