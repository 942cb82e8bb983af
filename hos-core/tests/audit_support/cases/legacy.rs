//! What an older log tells of an instance: accepted as that, and nothing more believed of it.

use super::*;
use crate::audit_support::record::*;
use hos_core::proof::bundle::Why;
use hos_core::proof::record::*;
use hos_core::value::{Ext, Record, Value};

/// A row as the old log has it.
fn row() -> Record {
    let texts =
        [("from", "new"), ("to", "paid"), ("event", "pay"), ("actor", "ayşe"), ("detail", "{\"by\":\"hand\"}"), ("key", "log:7")];
    let at = ("at".to_owned(), Value::Ext(Ext::Datetime, "2024-03-01T10:00:00.000Z".into()));
    texts.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))).chain([at]).collect()
}

/// The record of the story with this name tells a row, and is then bent.
fn telling(whose: &'static str, bend: impl Fn(&mut Rec) + 'static) -> Plan {
    small().bending(move |name, rec| {
        if name == whose {
            rec.header.kind = Kind::Legacy;
            (rec.header.decision, rec.header.policies) = (Decision::None, Vec::new());
            rec.slice = None;
            rec.parts.retain(|part| part.slot == Slot::Principal);
            rec.parts.push(part(Slot::Payload, values(&row())));
            bend(rec);
        }
    })
}

/// The row is another.
fn rewritten(rec: &mut Rec, change: impl Fn(&mut Record)) {
    let mut other = row();
    change(&mut other);
    rec.part_mut(Slot::Payload).plaintext = values(&other);
}

pub(super) fn cases() -> Vec<Case> {
    let pay = |name, about, expected, bend: fn(&mut Rec)| told(name, about, expected, &telling("pay", bend));
    vec![
        pay("legacy", "an older log tells of a payment", "intact", |_| ()),
        pay("legacy_strange_words", "its words are none of the law's: the header leaves them out", "intact", |rec| {
            (rec.header.from, rec.header.to, rec.header.event) = (None, None, None);
            rewritten(rec, |row| drop(row.insert("to".into(), Value::from("ödendi!"))));
        }),
        pay("legacy_hidden", "the row is kept back", "intact", |rec| rec.part_mut(Slot::Payload).withheld = Some(Why::Hidden)),
        told("legacy_first", "it stands where no instance is", "legacy.place", &telling("birth", |rec| rec.header.from = None)),
        pay("legacy_judged", "it is said to have been allowed", "legacy.judged", |rec| rec.header.decision = Decision::Allow),
        pay("legacy_policies", "policies are said to have decided", "legacy.judged", |rec| {
            rec.header.policies = vec!["buyer-acts".into()];
        }),
        pay("legacy_refusal", "it is said to have been refused", "legacy.judged", |rec| {
            rec.header.refusal = Some("hos.forbidden".into());
        }),
        pay("legacy_facts", "it brings other facts", "legacy.parts", |rec| rec.parts.push(part(Slot::Facts, values(&row())))),
        pay("legacy_deadlines", "it arms deadlines", "legacy.parts", |rec| rec.parts.push(part(Slot::Deadlines, vec![0x80]))),
        pay("legacy_no_row", "there is no row", "legacy.parts", |rec| rec.parts.retain(|part| part.slot != Slot::Payload)),
        pay("legacy_two_rows", "there are two rows", "legacy.parts", |rec| {
            rec.parts.push(PartOf { index: 1, ..part(Slot::Payload, values(&row())) });
        }),
        pay("legacy_other_state", "the header has another state than the row", "legacy.entry", |rec| {
            rewritten(rec, |row| drop(row.insert("to".into(), Value::from("shipped"))));
        }),
        pay("legacy_more_said", "the header has a state before, the row has none", "legacy.entry", |rec| {
            rewritten(rec, |row| drop(row.remove("from")));
        }),
        pay("legacy_no_time", "the row has no time", "legacy.entry", |rec| rewritten(rec, |row| drop(row.remove("at")))),
        pay("legacy_other_time", "the row's time is spelled otherwise", "legacy.entry", |rec| {
            let other = Value::Ext(Ext::Datetime, "2024-03-01T10:00:00Z".into());
            rewritten(rec, move |row| drop(row.insert("at".into(), other.clone())));
        }),
        pay("legacy_no_date", "the row's time is no day of any year", "legacy.entry", |rec| {
            let other = Value::Ext(Ext::Datetime, "2024-02-30T10:00:00.000Z".into());
            rewritten(rec, move |row| drop(row.insert("at".into(), other.clone())));
        }),
        pay("legacy_strange_field", "the row says what no row says", "legacy.entry", |rec| {
            rewritten(rec, |row| drop(row.insert("state".into(), Value::from("paid"))));
        }),
        pay("legacy_unreadable", "the row does not decode", "legacy.entry", |rec| {
            rec.part_mut(Slot::Payload).plaintext.push(0);
        }),
    ]
}
