//! What a contract promises of its paths: `[[promise]]`.

use super::Parser;
use crate::contract::definition::{PathRule, Promise};
use crate::id::Name;
use crate::limits::PROMISES_MAX;
use crate::spanned::{Table, Text};

const KEYS: [&str; 5] = ["code", "never", "before", "after", "never_both"];

impl Parser<'_> {
    /// `[[promise]]`: `never` with `before` or `after`, or `never_both`.
    pub(super) fn promises(&mut self, table: &Table) -> Vec<Promise> {
        let mut found: Vec<Promise> = Vec::new();
        let bodies = self.reader.tables(table, "promise");
        if let Some(body) = bodies.get(PROMISES_MAX) {
            self.limit(body.span.clone(), PROMISES_MAX, "promises");
        }
        for body in bodies.into_iter().take(PROMISES_MAX) {
            self.keys(body, &KEYS);
            let code = self.reader.required_string(body, "code").and_then(|text| self.promise_code(text, &found));
            let rule = self.rule(body);
            if let (Some(code), Some(rule)) = (code, rule) {
                found.push(Promise { code, rule, span: body.span.clone() });
            }
        }
        found
    }

    fn promise_code(&mut self, text: &Text, others: &[Promise]) -> Option<String> {
        let name = self.name_of(&text.value, text.span.clone())?;
        let code = format!("{}.{name}", self.name.as_ref().map_or("", Name::as_str));
        if others.iter().any(|p| p.code == code) {
            self.error("law.contract.duplicate", text.span.clone(), format!("two promises have the code `{name}`"));
            return None;
        }
        Some(code)
    }

    fn rule(&mut self, body: &Table) -> Option<PathRule> {
        if let Some(apart) = body.get("never_both") {
            for entry in ["never", "before", "after"].iter().filter_map(|key| body.get(key)) {
                let message = format!("`never_both` and `{}` exclude each other", entry.key);
                self.error("law.contract.bad_value", entry.span.clone(), message);
            }
            let texts = self.reader.strings(body, "never_both");
            let mut states: Vec<Name> = Vec::new();
            for text in &texts {
                let Some(state) = self.state_of(text) else { continue };
                if states.contains(&state) {
                    self.error("law.contract.duplicate", text.span.clone(), format!("`{state}` stands twice in `never_both`"));
                } else {
                    states.push(state);
                }
            }
            if texts.len() < 2 {
                self.error("law.contract.empty", apart.item.span.clone(), "`never_both` names two states at least");
            }
            return (states.len() > 1).then_some(PathRule::Apart(states));
        }
        let never = self.reader.required_string(body, "never").and_then(|text| self.state_of(text));
        let (before, after) = (self.reader.string(body, "before"), self.reader.string(body, "after"));
        match (before, after) {
            (Some(_), Some(after)) => {
                self.error("law.contract.bad_value", after.span.clone(), "`before` and `after` exclude each other");
                None
            }
            (Some(text), None) => {
                let (never, before) = (never, self.state_of(text));
                if never.is_some() && never == before {
                    self.error("law.contract.bad_value", text.span.clone(), "no state is entered before itself");
                    return None;
                }
                Some(PathRule::Before(never?, before?))
            }
            (None, Some(text)) => {
                let after = self.state_of(text);
                Some(PathRule::After(never?, after?))
            }
            (None, None) => {
                if body.get("before").is_none() && body.get("after").is_none() {
                    self.error("law.contract.missing", body.span.clone(), "`before` or `after` is missing here");
                }
                None
            }
        }
    }
}
