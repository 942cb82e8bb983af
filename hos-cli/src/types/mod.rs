//! A law's names as types of a language, so that an editor finds a misspelt event before anything runs.
//!
//! [`Names`] is what all four say; each room below writes it in its language. What is written compiles against the language's
//! own binding, and is the same for the same law, byte by byte.

mod php;
mod py;
mod rust;
mod ts;

use hos_core::law::Law;
use hos_core::shape::{Attribute, Type};
use std::collections::{BTreeMap, BTreeSet};

/// A language that types are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Ts,
    Py,
    Php,
    Rust,
}

/// Writes the types of a law.
pub(crate) fn write(law: &Law, language: Language) -> String {
    let names = Names::of(law);
    match language {
        Language::Ts => ts::write(&names),
        Language::Py => py::write(&names),
        Language::Php => php::write(&names),
        Language::Rust => rust::write(&names),
    }
}

/// What a law names.
struct Names {
    /// The law's own name, in pieces of letters and digits.
    law: String,
    /// Ids of the actions that may be asked for, sorted.
    actions: Vec<String>,
    contracts: Vec<ContractNames>,
}

struct ContractNames {
    name: String,
    states: Vec<String>,
    facts: Vec<Field>,
    begins: Vec<EventNames>,
    /// Events and overrides.
    events: Vec<EventNames>,
}

struct EventNames {
    name: String,
    args: Vec<Field>,
    /// Whether it is (also) an override, which needs a reason.
    overrides: bool,
}

struct Field {
    name: String,
    ty: Type,
    optional: bool,
}

impl Names {
    fn of(law: &Law) -> Self {
        let actions: BTreeSet<String> = law.policy.askable_actions().map(|uid| uid.id().to_owned()).collect();
        let contracts = law.contracts.values().map(|of| {
            let contract = &of.contract;
            let field = |a: &Attribute| Field { name: a.name.clone(), ty: a.ty.clone(), optional: a.optional };
            let begins = contract.begins.values().map(|event| EventNames {
                name: event.name.to_string(),
                args: event.args.values().map(field).collect(),
                overrides: false,
            });
            // An event may stand several times, from other states each; an argument that one of them lacks may be absent.
            let mut events: BTreeMap<String, EventNames> = BTreeMap::new();
            for (event, overrides) in contract.arrows().filter(|(event, _)| !contract.begins.contains_key(&event.name)) {
                let args: Vec<Field> = event.args.values().map(field).collect();
                match events.get_mut(event.name.as_str()) {
                    None => {
                        events.insert(event.name.to_string(), EventNames { name: event.name.to_string(), args, overrides });
                    }
                    Some(known) => {
                        known.overrides |= overrides;
                        let lacks = |fields: &[Field], name: &str| fields.iter().all(|f| f.name != name);
                        known.args.iter_mut().filter(|f| lacks(&args, &f.name)).for_each(|f| f.optional = true);
                        for arg in args {
                            if lacks(&known.args, &arg.name) {
                                known.args.push(Field { optional: true, ..arg });
                            }
                        }
                    }
                }
            }
            ContractNames {
                name: contract.name.to_string(),
                states: contract.states.iter().map(|s| s.name.to_string()).collect(),
                facts: contract.facts.values().map(field).collect(),
                begins: begins.collect(),
                events: events.into_values().collect(),
            }
        });
        Self { law: law.name.clone(), actions: actions.into_iter().collect(), contracts: contracts.collect() }
    }
}

/// `order-line` as `OrderLine`.
fn pascal(text: &str) -> String {
    let pieces = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty());
    let name: String = pieces.map(|piece| piece[..1].to_ascii_uppercase() + &piece[1..]).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("N{name}") }
}

/// `order-line` as `order_line`.
fn snake(text: &str) -> String {
    let name: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("n{name}") } else { name }
}

/// A text as a literal of JSON, which TypeScript and Python read alike: an action's id may hold any sign.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Names that are all different, made of texts that are: where two come out alike, the later ones get a number.
fn distinct(texts: impl IntoIterator<Item = String>, taken: &[&str]) -> Vec<String> {
    distinct_as(texts, taken, str::to_owned)
}

/// The same for a language to which some names are one that are not: `read` gives what it reads of one.
fn distinct_as(texts: impl IntoIterator<Item = String>, taken: &[&str], read: impl Fn(&str) -> String) -> Vec<String> {
    let mut seen: BTreeSet<String> = taken.iter().map(|&t| read(t)).collect();
    let one = |text: String| {
        let mut name = text.clone();
        let mut number = 2;
        while !seen.insert(read(&name)) {
            name = format!("{text}_{number}");
            number += 1;
        }
        name
    };
    texts.into_iter().map(one).collect()
}

/// Required ones first, as languages with default values want it.
fn in_order(fields: &[Field]) -> Vec<&Field> {
    let (optional, needed): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|f| f.optional);
    needed.into_iter().chain(optional).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers_that_differ() {
        assert_eq!(
            (pascal("order-line"), pascal("2fa"), snake("a-b"), snake("2fa")),
            ("OrderLine".into(), "N2fa".into(), "a_b".into(), "n2fa".into())
        );
        let names = ["a-b", "a_b", "a__b"].map(snake);
        assert_eq!(distinct(names, &[]), ["a_b", "a_b_2", "a__b"]);
        assert_eq!(distinct(["id".to_owned()], &["id"]), ["id_2"]);
        let names = ["oA", "oa", "Can"].map(str::to_owned);
        assert_eq!(distinct(names.clone(), &["can"]), names);
        assert_eq!(distinct_as(names, &["can"], str::to_ascii_lowercase), ["oA", "oa_2", "Can_2"]);
    }

    /// A law with `order`, whose `line_add` takes one thing, and `order_line`, whose `add` takes another.
    fn alike(law: &str) -> Names {
        let contract = |name: &str, event: &str, arg: &str| ContractNames {
            name: name.into(),
            states: vec!["a".into()],
            facts: Vec::new(),
            begins: Vec::new(),
            events: vec![EventNames {
                name: event.into(),
                args: vec![Field { name: arg.into(), ty: Type::Long, optional: false }],
                overrides: false,
            }],
        };
        let contracts = vec![contract("order", "line_add", "qty"), contract("order_line", "add", "weight")];
        Names { law: law.into(), actions: vec!["o.a".into()], contracts }
    }

    #[test]
    fn no_name_is_given_twice() {
        let python = py::write(&alike("shop"));
        let mut records: Vec<&str> = python.lines().filter(|line| line.contains("= TypedDict(")).collect();
        records.iter_mut().for_each(|line| *line = line.split(" = ").next().unwrap().trim());
        assert_eq!(records.len(), 2, "{python}");
        assert_ne!(records[0], records[1]);
        for name in ["ext", "uid", "long", "datetime"] {
            let text = ts::write(&alike(name));
            let taken = format!("export type {} =", pascal(name));
            assert!(!text.contains(&taken) && text.contains(&format!("export type {}_2 =", pascal(name))), "{text}");
        }
    }
}
