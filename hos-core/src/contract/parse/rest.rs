//! What stands beside the events: deadlines, migrations, and names that must agree over the whole file.

use super::Parser;
use crate::contract::definition::{Deadline, Due, Event, Migration};
use crate::id::{Name, Shown};
use crate::limits::{DEADLINE_WAIT_MS_MAX, DEADLINES_MAX, MIGRATIONS_MAX};
use crate::shape::Wanted;
use crate::spanned::{Data, Entry, Table, Text};
use crate::time::Span;
use std::collections::{BTreeMap, BTreeSet};

impl Parser<'_> {
    /// A name is a birth's, an event's or an override's: histories name them side by side.
    pub(super) fn distinct_names(
        &mut self,
        begins: &BTreeMap<Name, Event>,
        events: &BTreeMap<Name, Vec<Event>>,
        overrides: &BTreeMap<Name, Vec<Event>>,
    ) {
        let firsts = |map: &BTreeMap<Name, Vec<Event>>| map.values().filter_map(|a| a.first()).cloned().collect::<Vec<_>>();
        for event in firsts(events).iter().filter(|e| begins.contains_key(&e.name)) {
            let message = format!("a birth is called `{}` already", event.name);
            self.error("law.contract.duplicate", event.span.clone(), message);
        }
        for event in firsts(overrides).iter().filter(|e| begins.contains_key(&e.name) || events.contains_key(&e.name)) {
            let message = format!("a birth or an event is called `{}` already", event.name);
            self.error("law.contract.duplicate", event.span.clone(), message);
        }
    }

    /// Replies can only be looked up once all events are known, so the file is asked a second time.
    pub(super) fn replies_known(&mut self, table: &Table) {
        let known = event_names(table);
        let sections = ["begin", "event", "override"].into_iter().filter_map(|s| table.get(s));
        let bodies = sections.flat_map(entries).flat_map(tables);
        for text in bodies.filter_map(|b| b.get("replies")).flat_map(strings) {
            self.event_known(text, &known);
        }
    }

    fn event_known(&mut self, text: &Text, known: &BTreeSet<&str>) -> bool {
        let found = known.contains(text.value.as_str());
        if !found {
            let message = format!("no event is called `{}`", Shown(&text.value));
            let fault = self.reader.error("law.contract.unknown_event", text.span.clone(), message);
            self.reader.push_near(fault, &text.value, known.iter().copied());
        }
        found
    }

    /// `[[deadline]]`
    pub(super) fn deadlines(&mut self, table: &Table, events: &BTreeMap<Name, Vec<Event>>) -> Vec<Deadline> {
        let mut found: Vec<Deadline> = Vec::new();
        let known = event_names(table);
        let bodies = self.reader.tables(table, "deadline");
        if let Some(body) = bodies.get(DEADLINES_MAX) {
            self.limit(body.span.clone(), DEADLINES_MAX, "deadlines");
        }
        for body in bodies.into_iter().take(DEADLINES_MAX) {
            self.keys(body, &["state", "after", "at", "event"]);
            let state = self.reader.required_string(body, "state").and_then(|text| self.state_of(text));
            let event = self.reader.required_string(body, "event").filter(|text| self.event_known(text, &known));
            let arrows = event.and_then(|text| events.get_key_value(text.value.as_str()));
            let action = arrows.and_then(|(_, a)| a.first()).map_or(String::new(), |e| e.action.clone());
            let due = self.due(body, &action);
            if let (Some(state), Some((event, _)), Some(due)) = (state, arrows, due) {
                let deadline = Deadline { state, due, event: event.clone(), span: body.span.clone() };
                if found.iter().any(|d| d.state == deadline.state && d.event == deadline.event) {
                    let message = format!("`{}` has a deadline for `{}` already", deadline.state, deadline.event);
                    self.error("law.contract.duplicate", body.span.clone(), message);
                } else {
                    found.push(deadline);
                }
            }
        }
        found
    }

    fn due(&mut self, body: &Table, action: &str) -> Option<Due> {
        let (after, at) = (self.reader.string(body, "after"), self.reader.string(body, "at"));
        match (after, at) {
            (Some(_), Some(at)) => {
                self.error("law.contract.bad_value", at.span.clone(), "`after` and `at` exclude each other");
                None
            }
            (None, Some(at)) => Some(Due::At(self.expression(at, action, Wanted::Instant))),
            (Some(after), None) => match Span::parse(&after.value) {
                Ok(span) if span > Span(0) && span <= Span(DEADLINE_WAIT_MS_MAX) => Some(Due::After(span)),
                Ok(_) => {
                    self.error(
                        "law.contract.bad_value",
                        after.span.clone(),
                        "a wait is longer than nothing and shorter than 100 years",
                    );
                    None
                }
                Err(wrong) => {
                    self.error("law.contract.bad_span", after.span.clone(), wrong.to_string());
                    None
                }
            },
            (None, None) => {
                if body.get("after").is_none() && body.get("at").is_none() {
                    self.error("law.contract.missing", body.span.clone(), "`after` or `at` is missing here");
                }
                None
            }
        }
    }

    /// `[migrate."2"]`: states of version 2 to states of the next version that has a migration, or of this one.
    pub(super) fn migrations(&mut self, table: &Table, version: Option<u32>) -> BTreeMap<u32, Migration> {
        let mut found = BTreeMap::new();
        let Some(migrate) = self.reader.table(table, "migrate") else { return found };
        if let Some(entry) = migrate.entries.get(MIGRATIONS_MAX) {
            self.limit(entry.span.clone(), MIGRATIONS_MAX, "migrations");
        }
        let older = |entry: &Entry| {
            let canonical = entry.key.parse::<u32>().ok().filter(|n| n.to_string() == entry.key && *n > 0);
            canonical.filter(|n| version.is_none_or(|v| *n < v))
        };
        let last = migrate.entries.iter().filter_map(older).max();
        for entry in migrate.entries.iter().take(MIGRATIONS_MAX) {
            let from_version = older(entry);
            if from_version.is_none() {
                let message = format!("`{}` is not a version older than this contract's", Shown(&entry.key));
                self.error("law.contract.bad_version", entry.span.clone(), message);
            }
            let Some(body) = self.reader.as_table(&entry.item, &entry.key) else { continue };
            if body.entries.is_empty() {
                self.error("law.contract.empty", body.span.clone(), "a migration says where each state goes");
            }
            // Only the last one leads into the states of this file.
            let into_this = from_version.is_some() && from_version == last;
            let mut states = BTreeMap::new();
            for pair in &body.entries {
                let old = self.name_of(&pair.key, pair.span.clone());
                let Some(text) = self.reader.as_string(&pair.item, &pair.key) else { continue };
                let new = if into_this { self.state_of(text) } else { self.name_of(&text.value, text.span.clone()) };
                if let (Some(old), Some(new)) = (old, new) {
                    states.insert(old, new);
                }
            }
            if let Some(from_version) = from_version {
                found.insert(from_version, Migration { from_version, states, span: body.span.clone() });
            }
        }
        found
    }
}

/// The names of plain events, those included that were left out for their faults: one mistake is told once.
fn event_names(table: &Table) -> BTreeSet<&str> {
    table.get("event").into_iter().flat_map(entries).map(|e| e.key.as_str()).collect()
}

fn entries(entry: &Entry) -> &[Entry] {
    match &entry.item.data {
        Data::Table(table) => &table.entries,
        _ => &[],
    }
}

fn tables(entry: &Entry) -> Vec<&Table> {
    match &entry.item.data {
        Data::Table(table) => vec![table],
        Data::Array(items) => items
            .iter()
            .filter_map(|i| match &i.data {
                Data::Table(table) => Some(table),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn strings(entry: &Entry) -> Vec<&Text> {
    match &entry.item.data {
        Data::Array(items) => items
            .iter()
            .filter_map(|i| match &i.data {
                Data::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
