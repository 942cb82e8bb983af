//! A contract's file -> [`Contract`], or all its faults at once.
//!
//! Faults carry codes `law.contract.*`; `spec/contract.md` lists them. What this lets through can be judged: every name is
//! declared, every type is known, every number is bounded, and an event has at most one arrow out of a state.

mod event;
mod names;
mod promise;
mod rest;

use super::definition::{Contract, State};
use crate::fault::{Fault, Severity, SourceFile};
use crate::id::{Name, Shown};
use crate::limits::{ATTRIBUTES_MAX, EXPRESSION_BYTES_MAX, STATES_MAX};
use crate::shape::{Attribute, Expression, Type, Wanted};
use crate::spanned::{self, Codes, Reader, Table, Text};
use std::collections::BTreeMap;
use std::ops::Range;

const CODES: Codes =
    Codes { unknown: "law.contract.unknown_key", missing: "law.contract.missing", wrong_type: "law.contract.wrong_type" };
/// Words kept for the composition of contracts, which is to come.
const RESERVED: [&str; 3] = ["children", "cascade", "invariant"];
const TOP_KEYS: [&str; 15] = [
    "contract",
    "version",
    "entity",
    "data_subject",
    "personal_ids",
    "states",
    "terminal",
    "forever",
    "facts",
    "begin",
    "event",
    "override",
    "deadline",
    "migrate",
    "promise",
];

/// Reads a contract. Entity types without a namespace are put into `namespace`. The second of the pair are warnings.
pub fn parse(file: &SourceFile, namespace: &str) -> Result<(Contract, Vec<Fault>), Vec<Fault>> {
    let table = spanned::parse(file)?;
    let mut parser = Parser {
        reader: Reader::new(file, CODES),
        namespace,
        name: None,
        entity: String::new(),
        states: Vec::new(),
        facts: BTreeMap::new(),
        data_subject: None,
        expressions: Vec::new(),
        arrows_count: 0,
    };
    let contract = parser.contract(&table);
    let mut faults = parser.reader.faults;
    faults.sort_by_key(|f| f.span.start);
    match contract {
        Some(contract) if faults.iter().all(|f| f.severity != Severity::Error) => Ok((contract, faults)),
        _ => Err(faults),
    }
}

/// What is known so far, while the rest is read; a part that has a fault is left out and reading goes on.
struct Parser<'f> {
    reader: Reader<'f>,
    namespace: &'f str,
    name: Option<Name>,
    entity: String,
    states: Vec<State>,
    facts: BTreeMap<Name, Attribute>,
    /// The fact that says whose the facts are.
    data_subject: Option<Name>,
    expressions: Vec<Expression>,
    arrows_count: usize,
}

impl Parser<'_> {
    fn contract(&mut self, table: &Table) -> Option<Contract> {
        self.keys(table, &TOP_KEYS);
        if let Some(text) = self.reader.required_string(table, "contract") {
            self.name = self.contract_name(text);
        }
        let version = self.version(table);
        let entity_span = self.entity(table);
        self.read_states(table);
        if let Some(facts) = self.reader.table(table, "facts") {
            self.facts = self.attributes(facts, "fact");
        }
        self.data_subject = self.data_subject(table);
        let personal_ids = self.reader.boolean(table, "personal_ids").unwrap_or(false);
        let begins = self.begins(table);
        let events = self.events(table, "event");
        let overrides = self.events(table, "override");
        self.distinct_names(&begins, &events, &overrides);
        self.replies_known(table);
        let deadlines = self.deadlines(table, &events);
        let migrations = self.migrations(table, version);
        let promises = self.promises(table);
        Some(Contract {
            name: self.name.clone()?,
            version: version?,
            file: self.reader.file().path.clone(),
            entity: std::mem::take(&mut self.entity),
            entity_span,
            data_subject: self.data_subject.take(),
            personal_ids,
            states: std::mem::take(&mut self.states),
            facts: std::mem::take(&mut self.facts),
            begins,
            events,
            overrides,
            deadlines,
            migrations,
            promises,
            expressions: std::mem::take(&mut self.expressions),
        })
    }

    fn contract_name(&mut self, text: &Text) -> Option<Name> {
        let name = self.name_of(&text.value, text.span.clone())?;
        if name.as_str() == "hos" {
            self.error(
                "law.contract.reserved",
                text.span.clone(),
                "a contract cannot be called `hos`: codes that begin so are ours",
            );
            return None;
        }
        Some(name)
    }

    fn version(&mut self, table: &Table) -> Option<u32> {
        let item = self.reader.required(table, "version")?;
        let number = self.reader.as_integer(item, "version")?;
        match u32::try_from(number) {
            Ok(version) if version > 0 => Some(version),
            _ => {
                self.error(
                    "law.contract.bad_version",
                    item.span.clone(),
                    format!("`{number}` is not a version: 1 to {}", u32::MAX),
                );
                None
            }
        }
    }

    fn entity(&mut self, table: &Table) -> Range<usize> {
        let Some(text) = self.reader.required_string(table, "entity") else { return 0..0 };
        match Type::parse(&text.value, self.namespace) {
            Some(Type::Entity(name)) => self.entity = name,
            _ => {
                let message = format!("`{}` is not an entity type, such as `Pazar::Order`", Shown(&text.value));
                self.error("law.contract.bad_type", text.span.clone(), message);
            }
        }
        text.span.clone()
    }

    fn read_states(&mut self, table: &Table) {
        if let Some(entry) = table.get("states") {
            if matches!(&entry.item.data, spanned::Data::Array(items) if items.is_empty()) {
                self.error("law.contract.empty", entry.item.span.clone(), "a contract has at least one state");
            }
        } else {
            self.reader.required(table, "states");
        }
        for text in self.reader.strings(table, "states") {
            let Some(name) = self.name_of(&text.value, text.span.clone()) else { continue };
            if self.states.iter().any(|s| s.name == name) {
                self.error("law.contract.duplicate", text.span.clone(), format!("the state `{name}` is declared twice"));
            } else if self.states.len() == STATES_MAX {
                self.limit(text.span.clone(), STATES_MAX, "states");
                break;
            } else {
                self.states.push(State { name, terminal: false, forever: false, span: text.span.clone() });
            }
        }
        for text in self.reader.strings(table, "terminal") {
            self.mark(text, "terminal", |state| !std::mem::replace(&mut state.terminal, true));
        }
        for text in self.reader.strings(table, "forever") {
            self.mark(text, "forever", |state| !std::mem::replace(&mut state.forever, true));
            if self.states.iter().any(|s| s.name.as_str() == text.value && s.terminal) {
                let message = format!("`{}` is terminal: it lasts without being called forever", Shown(&text.value));
                self.error("law.contract.bad_value", text.span.clone(), message);
            }
        }
    }

    fn mark(&mut self, text: &Text, list: &str, set: fn(&mut State) -> bool) {
        let Some(name) = self.state_of(text) else { return };
        if let Some(state) = self.states.iter_mut().find(|s| s.name == name)
            && !set(state)
        {
            self.error("law.contract.duplicate", text.span.clone(), format!("`{name}` stands twice in `{list}`"));
        }
    }

    /// Declared facts or arguments: `name = "Type"`, a `?` after the type where it may be absent.
    fn attributes(&mut self, table: &Table, what: &str) -> BTreeMap<Name, Attribute> {
        let mut found = BTreeMap::new();
        if table.entries.len() > ATTRIBUTES_MAX {
            self.limit(table.span.clone(), ATTRIBUTES_MAX, &format!("{what}s"));
        }
        for entry in table.entries.iter().take(ATTRIBUTES_MAX) {
            let name = self.attribute_name(&entry.key, entry.span.clone(), what);
            let Some(text) = self.reader.as_string(&entry.item, &entry.key) else { continue };
            let ty = self.type_of(text);
            if let (Some(name), Some((ty, optional))) = (name, ty) {
                found.insert(name.clone(), Attribute { name: name.to_string(), ty, optional, span: entry.span.clone() });
            }
        }
        found
    }

    fn data_subject(&mut self, table: &Table) -> Option<Name> {
        let text = self.reader.string(table, "data_subject")?;
        let Some(fact) = text.value.strip_prefix("facts.") else {
            let message = format!("`{}` names no fact: write `facts.` and the fact's name", Shown(&text.value));
            self.error("law.contract.unknown_fact", text.span.clone(), message);
            return None;
        };
        let (name, attribute) = self.fact_of(fact, text.span.clone())?;
        // Laws that were in force may have a String, which no new one may: that is found when it is loaded.
        if attribute.optional || !matches!(attribute.ty, Type::Entity(_) | Type::String) {
            let message = format!("the data subject `{name}` must be an entity, and never absent");
            self.error("law.contract.type_mismatch", text.span.clone(), message);
            return None;
        }
        Some(name)
    }

    /// Keeps an expression and gives its place in the list.
    fn expression(&mut self, text: &Text, action: &str, wanted: Wanted) -> usize {
        if text.value.trim().is_empty() {
            self.error("law.contract.empty", text.span.clone(), "an expression is missing here");
        }
        if text.value.len() > EXPRESSION_BYTES_MAX {
            self.limit(text.span.clone(), EXPRESSION_BYTES_MAX, "bytes in an expression");
        }
        self.expressions.push(Expression {
            file: self.reader.file().path.clone(),
            action: action.to_owned(),
            resource: self.entity.clone(),
            text: text.value.clone(),
            span: text.span.clone(),
            wanted,
        });
        self.expressions.len() - 1
    }

    /// Reports unknown keys, and the reserved ones under their own code.
    fn keys(&mut self, table: &Table, known: &[&str]) {
        let all: Vec<&str> = known.iter().chain(&RESERVED).copied().collect();
        self.reader.known_keys(table, &all);
        for entry in table.entries.iter().filter(|e| RESERVED.contains(&e.key.as_str())) {
            let message = format!("`{}` is reserved for composition, which is yet to come", entry.key);
            self.error("law.contract.reserved", entry.span.clone(), message);
        }
    }

    fn error(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>) {
        let fault = self.reader.error(code, span, message);
        self.reader.push(fault);
    }

    fn limit(&mut self, span: Range<usize>, max: usize, what: &str) {
        self.error("law.contract.limit", span, format!("at most {max} {what} are allowed"));
    }
}
