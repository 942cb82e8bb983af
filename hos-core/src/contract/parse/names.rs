//! Names in a contract: made once, looked up with "did you mean", types read.

use super::Parser;
use crate::id::{Name, Shown};
use crate::shape::{Attribute, Type};
use crate::spanned::Text;
use std::collections::BTreeMap;
use std::ops::Range;

/// Types that need no schema.
const BUILT_IN: [&str; 7] = ["Bool", "Long", "String", "decimal", "datetime", "duration", "ipaddr"];

impl Parser<'_> {
    pub(super) fn name_of(&mut self, text: &str, span: Range<usize>) -> Option<Name> {
        match Name::new(text) {
            Ok(name) => Some(name),
            Err(wrong) => {
                self.error("law.contract.bad_name", span, wrong.to_string());
                None
            }
        }
    }

    /// A fact's or an argument's name: Cedar must be able to say `resource.name` and `context.name`.
    pub(super) fn attribute_name(&mut self, text: &str, span: Range<usize>, what: &str) -> Option<Name> {
        let name = self.name_of(text, span.clone())?;
        if name.as_str().contains('-') {
            self.error("law.contract.bad_name", span, format!("a {what} is named in expressions, so `{name}` may hold no `-`"));
            return None;
        }
        if what == "fact" && name.as_str() == "state" {
            self.error("law.contract.reserved", span, "`state` is the instance's state; call the fact something else");
            return None;
        }
        Some(name)
    }

    pub(super) fn type_of(&mut self, text: &Text) -> Option<(Type, bool)> {
        let written = text.value.trim();
        let (base, optional) = match written.strip_suffix('?') {
            Some(base) => (base.trim_end(), true),
            None => (written, false),
        };
        // `long` or `Datetime` would else be taken for an entity type.
        let misspelt = BUILT_IN.iter().find(|b| b.eq_ignore_ascii_case(base) && **b != base);
        match Type::parse(base, self.namespace) {
            Some(ty) if misspelt.is_none() => Some((ty, optional)),
            _ => {
                let message = format!("`{}` is not a type", Shown(base));
                let fault = self.reader.error("law.contract.bad_type", text.span.clone(), message);
                let fault = match misspelt {
                    Some(right) => fault.hint(format!("did you mean `{right}`?")),
                    None => fault.hint(format!("one of {}, Set<..>, or an entity type", BUILT_IN.join(", "))),
                };
                self.reader.push(fault);
                None
            }
        }
    }

    /// A declared state.
    pub(super) fn state_of(&mut self, text: &Text) -> Option<Name> {
        if let Some(state) = self.states.iter().find(|s| s.name.as_str() == text.value) {
            return Some(state.name.clone());
        }
        let message = format!("no state is called `{}`", Shown(&text.value));
        let fault = self.reader.error("law.contract.unknown_state", text.span.clone(), message);
        self.reader.push_near(fault, &text.value, self.states.iter().map(|s| s.name.as_str()));
        None
    }

    /// A declared fact.
    pub(super) fn fact_of(&mut self, name: &str, span: Range<usize>) -> Option<(Name, Attribute)> {
        if let Some((name, attribute)) = self.facts.get_key_value(name) {
            return Some((name.clone(), attribute.clone()));
        }
        let fault = self.reader.error("law.contract.unknown_fact", span, format!("no fact is called `{}`", Shown(name)));
        self.reader.push_near(fault, name, self.facts.keys().map(Name::as_str));
        None
    }

    /// A declared argument of the event.
    pub(super) fn arg_of<'a>(
        &mut self,
        args: &'a BTreeMap<Name, Attribute>,
        name: &str,
        span: Range<usize>,
    ) -> Option<(Name, &'a Attribute)> {
        if let Some((name, attribute)) = args.get_key_value(name) {
            return Some((name.clone(), attribute));
        }
        let fault = self.reader.error("law.contract.unknown_arg", span, format!("no argument is called `{}`", Shown(name)));
        self.reader.push_near(fault, name, args.keys().map(Name::as_str));
        None
    }
}
