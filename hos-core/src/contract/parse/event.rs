//! Births, events and overrides.

use super::Parser;
use crate::contract::definition::{Branch, Effect, Event, Field, Guard, OnSame};
use crate::id::{DottedName, Name, Shown};
use crate::limits::{ATTRIBUTES_MAX, BRANCHES_MAX, EFFECTS_MAX, EVENTS_MAX, GUARDS_MAX};
use crate::shape::{Attribute, Wanted};
use crate::spanned::{Data, Entry, Table, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

const BEGIN_KEYS: [&str; 7] = ["to", "branch", "args", "action", "require", "effects", "replies"];
const EVENT_KEYS: [&str; 12] =
    ["from", "to", "branch", "args", "action", "require", "on_same", "effects", "sets", "rearm", "self_loop", "replies"];

impl Parser<'_> {
    /// `[begin.NAME]`
    pub(super) fn begins(&mut self, table: &Table) -> BTreeMap<Name, Event> {
        let mut found = BTreeMap::new();
        let begins = self.reader.table(table, "begin");
        if table.get("begin").is_none() || begins.is_some_and(|begins| begins.entries.is_empty()) {
            self.error("law.contract.missing", table.span.clone(), "no `[begin.NAME]`: no instance could ever be born");
        }
        let Some(begins) = begins else { return found };
        for entry in &begins.entries {
            let name = self.name_of(&entry.key, entry.span.clone());
            let Some(body) = self.reader.as_table(&entry.item, &entry.key) else { continue };
            self.keys(body, &BEGIN_KEYS);
            if let Some(name) = name
                && let Some(event) = self.arrow(&name, body, None, false)
            {
                found.insert(name, event);
            }
        }
        found
    }

    /// `[event.NAME]`, `[[event.NAME]]`, `[override.NAME]`, `[[override.NAME]]`
    pub(super) fn events(&mut self, table: &Table, section: &str) -> BTreeMap<Name, Vec<Event>> {
        let mut found = BTreeMap::new();
        let Some(events) = self.reader.table(table, section) else { return found };
        for entry in &events.entries {
            let name = self.name_of(&entry.key, entry.span.clone());
            let mut arrows: Vec<Event> = Vec::new();
            let mut taken: BTreeSet<Name> = BTreeSet::new();
            if matches!(&entry.item.data, Data::Array(items) if items.is_empty()) {
                self.error("law.contract.empty", entry.span.clone(), format!("`{}` has no arrow", Shown(&entry.key)));
            }
            for body in self.arrow_tables(entry) {
                self.keys(body, &EVENT_KEYS);
                let Some(name) = &name else { continue };
                if let Some(arrow) = self.arrow(name, body, arrows.first(), true) {
                    self.no_second_arrow(&mut taken, &arrow);
                    // A record keeps an override's reason among its arguments, under this name.
                    if section == "override" && arrow.args.contains_key("reason") {
                        let message =
                            format!("`{name}` is an override: its reason is given besides, an argument is called otherwise");
                        self.error("law.contract.reserved", arrow.span.clone(), message);
                    }
                    arrows.push(arrow);
                }
            }
            if let Some(name) = name
                && !arrows.is_empty()
            {
                found.insert(name, arrows);
            }
        }
        found
    }

    fn arrow_tables<'t>(&mut self, entry: &'t Entry) -> Vec<&'t Table> {
        match &entry.item.data {
            Data::Table(table) => vec![table],
            Data::Array(items) => items.iter().filter_map(|i| self.reader.as_table(i, &entry.key)).collect(),
            _ => {
                self.reader.wrong_type::<()>(&entry.item, &entry.key, "a table, or several");
                Vec::new()
            }
        }
    }

    /// One arrow. A later arrow of the same event takes the first one's action and arguments, or says the same.
    fn arrow(&mut self, name: &Name, body: &Table, first: Option<&Event>, moves: bool) -> Option<Event> {
        self.arrows_count += 1;
        if self.arrows_count > EVENTS_MAX {
            if self.arrows_count == EVENTS_MAX + 1 {
                self.limit(body.span.clone(), EVENTS_MAX, "births, events and overrides");
            }
            return None;
        }
        let (action, action_span) = self.action(name, body, first);
        let args = match (self.reader.table(body, "args"), first) {
            (Some(args), _) => self.attributes(args, "argument"),
            (None, Some(first)) => first.args.clone(),
            (None, None) => BTreeMap::new(),
        };
        if let Some(first) = first {
            self.same_call(first, &action, &action_span, &args, body);
        }
        let on_same = self.on_same(body);
        let require = self.guards(body, &action);
        let branches = self.branches(body, &action, &args);
        let (from, wildcard) = match moves {
            true => self.sources(body, on_same, &branches),
            false => (Vec::new(), false),
        };
        let rearm = self.reader.boolean(body, "rearm").unwrap_or(false);
        let self_loop = self.reader.boolean(body, "self_loop").unwrap_or(false) || rearm;
        Some(Event {
            name: name.clone(),
            span: body.span.clone(),
            from,
            wildcard,
            action,
            action_span,
            require,
            branches,
            sets: self.sets(body, &args),
            on_same,
            effects: self.effects(body, &args),
            rearm,
            self_loop,
            replies: self.replies(body),
            args,
        })
    }

    fn action(&mut self, name: &Name, body: &Table, first: Option<&Event>) -> (String, Range<usize>) {
        if let Some(text) = self.reader.string(body, "action") {
            if let Err(wrong) = DottedName::new(&text.value) {
                self.error("law.contract.bad_name", text.span.clone(), wrong.to_string());
            }
            return (text.value.clone(), text.span.clone());
        }
        match first {
            Some(first) => (first.action.clone(), first.action_span.clone()),
            None => (format!("{}.{name}", self.name.as_ref().map_or("", Name::as_str)), body.span.clone()),
        }
    }

    /// A caller cannot know which arrow will be taken, so all ask for the same action and the same arguments.
    fn same_call(
        &mut self,
        first: &Event,
        action: &str,
        action_span: &Range<usize>,
        args: &BTreeMap<Name, Attribute>,
        body: &Table,
    ) {
        if first.action != action {
            let message = format!("the first arrow of `{}` has the action `{}`; all must have one", first.name, first.action);
            self.error("law.contract.arrows_differ", action_span.clone(), message);
        }
        let alike = first.args.len() == args.len()
            && first.args.iter().all(|(n, a)| args.get(n).is_some_and(|b| a.ty == b.ty && a.optional == b.optional));
        if !alike {
            let span = body.get("args").map_or(body.span.clone(), |e| e.span.clone());
            let message = format!("the first arrow of `{}` has other arguments; all must have the same", first.name);
            self.error("law.contract.arrows_differ", span, message);
        }
    }

    /// Marks the states that the arrow leaves as taken; one that is taken already would leave it open which arrow counts.
    fn no_second_arrow(&mut self, taken: &mut BTreeSet<Name>, new: &Event) {
        for state in &new.from {
            if !taken.insert(state.clone()) {
                let message = format!("`{}` has an arrow out of `{state}` already", new.name);
                self.error("law.contract.duplicate_arrow", new.span.clone(), message);
            }
        }
    }

    /// `from`, spelled out in the order of the states. `"*"` is every state that is not terminal; with
    /// `on_same = "noop"` it leaves the event's own targets out, for there the event has nothing to do.
    fn sources(&mut self, body: &Table, on_same: OnSame, branches: &[Branch]) -> (Vec<Name>, bool) {
        let Some(item) = self.reader.required(body, "from") else { return (Vec::new(), false) };
        let texts = self.reader.strings(body, "from");
        if matches!(&item.data, Data::Array(items) if items.is_empty()) {
            self.error("law.contract.empty", item.span.clone(), "an event is lawful in at least one state");
        }
        let mut named: Vec<Name> = Vec::new();
        let mut wildcard = false;
        for text in texts {
            let twice = if text.value == "*" {
                std::mem::replace(&mut wildcard, true)
            } else {
                let Some(state) = self.state_of(text) else { continue };
                let twice = named.contains(&state);
                if !twice {
                    named.push(state);
                }
                twice
            };
            if twice {
                let message = format!("`{}` stands twice in `from`", Shown(&text.value));
                self.error("law.contract.duplicate", text.span.clone(), message);
            }
        }
        let left_out = |name: &Name| on_same == OnSame::Noop && branches.iter().any(|b| b.to == *name);
        let from = self.states.iter().filter(|s| named.contains(&s.name) || (wildcard && !s.terminal && !left_out(&s.name)));
        (from.map(|s| s.name.clone()).collect(), wildcard)
    }

    fn branches(&mut self, body: &Table, action: &str, args: &BTreeMap<Name, Attribute>) -> Vec<Branch> {
        let to = self.reader.string(body, "to");
        match (to, body.get("branch")) {
            (Some(_), Some(entry)) => {
                self.error("law.contract.bad_branch", entry.span.clone(), "`to` and `branch` exclude each other");
                Vec::new()
            }
            (Some(to), None) => self.state_of(to).map(|to| Branch { to, when: None, effects: Vec::new() }).into_iter().collect(),
            (None, None) => {
                if body.get("to").is_none() {
                    self.error("law.contract.missing", body.span.clone(), "`to` or `branch` is missing here");
                }
                Vec::new()
            }
            (None, Some(entry)) => {
                let tables = self.reader.tables(body, "branch");
                if matches!(&entry.item.data, Data::Array(items) if items.is_empty()) {
                    self.error("law.contract.empty", entry.item.span.clone(), "an event leads somewhere: one branch at least");
                }
                if tables.len() > BRANCHES_MAX {
                    self.limit(entry.span.clone(), BRANCHES_MAX, "branches");
                }
                let last = tables.len().saturating_sub(1);
                let found = tables.iter().enumerate().take(BRANCHES_MAX);
                found.filter_map(|(i, table)| self.branch(table, i == last, action, args)).collect()
            }
        }
    }

    fn branch(&mut self, table: &Table, last: bool, action: &str, args: &BTreeMap<Name, Attribute>) -> Option<Branch> {
        self.keys(table, &["to", "when", "effects"]);
        let to = self.reader.required_string(table, "to").and_then(|text| self.state_of(text));
        let when = self.reader.string(table, "when").map(|text| self.expression(text, action, Wanted::Bool));
        match table.get("when") {
            Some(entry) if last => {
                let message = "the last branch has no `when`: it is taken where no other holds; refuse with `require`";
                self.error("law.contract.bad_branch", entry.span.clone(), message);
            }
            None if !last => {
                let message = "a branch without `when` is always taken; those after it never are";
                self.error("law.contract.bad_branch", table.span.clone(), message);
            }
            _ => {}
        }
        let effects = self.effects(table, args);
        Some(Branch { to: to?, when, effects })
    }

    fn guards(&mut self, body: &Table, action: &str) -> Vec<Guard> {
        let mut found: Vec<Guard> = Vec::new();
        let tables = self.reader.tables(body, "require");
        if let Some(table) = tables.get(GUARDS_MAX) {
            self.limit(table.span.clone(), GUARDS_MAX, "guards");
        }
        for table in tables.into_iter().take(GUARDS_MAX) {
            self.keys(table, &["code", "when"]);
            let code = self.reader.required_string(table, "code").and_then(|text| self.guard_code(text, &found));
            let when = self.reader.required_string(table, "when").map(|text| self.expression(text, action, Wanted::Bool));
            if let (Some(code), Some(when)) = (code, when) {
                found.push(Guard { code, when });
            }
        }
        found
    }

    fn guard_code(&mut self, text: &Text, others: &[Guard]) -> Option<String> {
        let name = self.name_of(&text.value, text.span.clone())?;
        let code = format!("{}.{name}", self.name.as_ref().map_or("", Name::as_str));
        if others.iter().any(|g| g.code == code) {
            self.error("law.contract.duplicate", text.span.clone(), format!("two guards of one event have the code `{name}`"));
            return None;
        }
        Some(code)
    }

    fn on_same(&mut self, body: &Table) -> OnSame {
        let Some(text) = self.reader.string(body, "on_same") else { return OnSame::Refuse };
        match text.value.as_str() {
            "noop" => OnSame::Noop,
            "refuse" => OnSame::Refuse,
            other => {
                let message = format!("`on_same` is `noop` or `refuse`, not `{}`", Shown(other));
                let fault = self.reader.error("law.contract.bad_value", text.span.clone(), message);
                self.reader.push_near(fault, other, ["noop", "refuse"]);
                OnSame::Refuse
            }
        }
    }

    fn effects(&mut self, body: &Table, args: &BTreeMap<Name, Attribute>) -> Vec<Effect> {
        let mut found = Vec::new();
        let tables = self.reader.tables(body, "effects");
        if let Some(table) = tables.get(EFFECTS_MAX) {
            self.limit(table.span.clone(), EFFECTS_MAX, "effects");
        }
        for table in tables.into_iter().take(EFFECTS_MAX) {
            self.keys(table, &["kind", "body"]);
            let kind = self.reader.required_string(table, "kind").and_then(|text| match DottedName::new(&text.value) {
                Ok(kind) => Some(kind),
                Err(wrong) => {
                    self.error("law.contract.bad_name", text.span.clone(), wrong.to_string());
                    None
                }
            });
            let fields = self.reader.strings(table, "body");
            if let Some(text) = fields.get(ATTRIBUTES_MAX) {
                self.limit(text.span.clone(), ATTRIBUTES_MAX, "fields in a message");
            }
            let body = fields.into_iter().take(ATTRIBUTES_MAX).filter_map(|text| self.field(text, args)).collect();
            if let Some(kind) = kind {
                found.push(Effect { kind, body });
            }
        }
        found
    }

    fn field(&mut self, text: &Text, args: &BTreeMap<Name, Attribute>) -> Option<Field> {
        let span = text.span.clone();
        match text.value.as_str() {
            "id" => Some(Field::Id),
            "state" => Some(Field::State),
            "principal" => Some(Field::Principal),
            other => match (other.strip_prefix("facts."), other.strip_prefix("args.")) {
                (Some(fact), _) => self.fact_of(fact, span).map(|(name, _)| Field::Fact(name)),
                (_, Some(arg)) => self.arg_of(args, arg, span).map(|(name, _)| Field::Arg(name)),
                _ => {
                    let message = format!("a message carries no `{}`", Shown(other));
                    let fault = self.reader.error("law.contract.unknown_field", span, message);
                    let fault = fault.hint("`id`, `state`, `principal`, `facts.NAME` or `args.NAME`");
                    self.reader.push_near(fault, other, ["id", "state", "principal"]);
                    None
                }
            },
        }
    }

    /// `sets = { fact = "args.x" }`
    fn sets(&mut self, body: &Table, args: &BTreeMap<Name, Attribute>) -> BTreeMap<Name, Name> {
        let mut found = BTreeMap::new();
        let Some(table) = self.reader.table(body, "sets") else { return found };
        for entry in &table.entries {
            let fact = self.fact_of(&entry.key, entry.span.clone());
            if fact.as_ref().is_some_and(|(fact, _)| self.data_subject.as_ref() == Some(fact)) {
                let message = "the data subject is never set anew: what was recorded is kept under that person's key".to_owned();
                self.error("law.contract.reserved", entry.span.clone(), message);
                continue;
            }
            let Some(text) = self.reader.as_string(&entry.item, &entry.key) else { continue };
            let Some(arg) = text.value.strip_prefix("args.") else {
                let message = format!("`{}` names no argument: write `args.` and its name", Shown(&text.value));
                self.error("law.contract.unknown_arg", text.span.clone(), message);
                continue;
            };
            let arg = self.arg_of(args, arg, text.span.clone());
            if let (Some((fact, have)), Some((arg, given))) = (fact, arg) {
                if have.ty == given.ty {
                    found.insert(fact, arg);
                } else {
                    let message = format!("the fact `{fact}` is {}, the argument `{arg}` is {}", have.ty, given.ty);
                    self.error("law.contract.type_mismatch", text.span.clone(), message);
                }
            }
        }
        found
    }

    fn replies(&mut self, body: &Table) -> Vec<Name> {
        let texts = self.reader.strings(body, "replies");
        if let Some(text) = texts.get(EFFECTS_MAX) {
            self.limit(text.span.clone(), EFFECTS_MAX, "replies");
        }
        texts.into_iter().take(EFFECTS_MAX).filter_map(|text| self.name_of(&text.value, text.span.clone())).collect()
    }
}
