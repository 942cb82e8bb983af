//! Rust: a module for each contract with a struct for each birth and event, which makes the call.

use super::{ContractNames, EventNames, Field, Names, distinct, pascal, snake};
use hos_core::shape::Type;
use hos_core::value::Ext;
use std::fmt::Write;

const WORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "break", "const", "continue", "do", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield", "box", "final",
];
/// Words that cannot be written raw.
const NEVER: [&str; 5] = ["self", "Self", "super", "crate", "_"];
/// Types that a contract's module names beside those of its events.
const TAKEN: [&str; 12] =
    ["State", "Begin", "Transition", "Uid", "IdError", "Value", "Ext", "Self", "Result", "Option", "String", "Vec"];

pub(super) fn write(names: &Names) -> String {
    let mut out = format!(
        "// Made by `hos law types --rust` from the law `{}`; do not edit. `include!` it in a module of your own.\n\n\
         /// Ids of actions, for `Can::new`.\npub mod action {{\n",
        names.law
    );
    let constants = distinct(names.actions.iter().map(|a| snake(a).to_ascii_uppercase()), &[]);
    for (action, constant) in names.actions.iter().zip(&constants) {
        let _ = writeln!(out, "    /// `{}`\n    pub const {constant}: &str = {action:?};", action.escape_debug());
    }
    out.push_str("}\n");
    let modules = distinct(names.contracts.iter().map(|c| sayable(&c.name)), &["action"]);
    for (of, module) in names.contracts.iter().zip(&modules) {
        contract(of, &word(module), &mut out);
    }
    out
}

fn contract(of: &ContractNames, module: &str, out: &mut String) {
    let _ = write!(
        out,
        "\n/// The contract `{}`.\npub mod {module} {{\n    \
         #[allow(unused_imports, reason = \"not every contract has a birth, an event and a fact\")]\n    \
         use hos_engine::call::{{Begin, Transition}};\n    use hos_core::id::{{IdError, Uid}};\n    \
         #[allow(unused_imports, reason = \"as above\")]\n    use hos_core::value::{{Ext, Value}};\n",
        of.name
    );
    let _ = write!(out, "\n    /// A state.\n    #[derive(Debug, Clone, Copy, PartialEq, Eq)]\n    pub enum State {{\n");
    let cases = distinct(of.states.iter().map(|s| pascal(s)), &["Self"]);
    for (state, case) in of.states.iter().zip(&cases) {
        let _ = writeln!(out, "        /// `{state}`\n        {case},");
    }
    let _ = write!(
        out,
        "    }}\n\n    impl State {{\n        /// Its name.\n        pub fn as_str(self) -> &'static str {{\n            match self {{\n"
    );
    for (state, case) in of.states.iter().zip(&cases) {
        let _ = writeln!(out, "                Self::{case} => \"{state}\",");
    }
    out.push_str("            }\n        }\n    }\n");
    let titles = distinct(of.begins.iter().chain(&of.events).map(|e| pascal(&e.name)), &TAKEN);
    for (i, (event, title)) in of.begins.iter().chain(&of.events).zip(&titles).enumerate() {
        let facts: &[Field] = if i < of.begins.len() { &of.facts } else { &[] };
        call(of, event, title, facts, i < of.begins.len(), out);
    }
    out.push_str("}\n");
}

fn call(of: &ContractNames, event: &EventNames, title: &str, facts: &[Field], begins: bool, out: &mut String) {
    let fields: Vec<(&str, &Field)> = facts.iter().map(|f| ("fact", f)).chain(event.args.iter().map(|f| ("arg", f))).collect();
    let names = distinct(fields.iter().map(|(_, f)| sayable(&f.name)), if event.overrides { &["reason"] } else { &[] });
    let _ = write!(out, "\n    /// `{}`\n    #[derive(Debug, Clone)]\n    pub struct {title} {{\n", event.name);
    if event.overrides {
        out.push_str("        /// Why: an override says so.\n        pub reason: String,\n");
    }
    for ((what, field), name) in fields.iter().zip(&names) {
        let ty = if field.optional { format!("Option<{}>", ty(&field.ty)) } else { ty(&field.ty).to_owned() };
        let _ = writeln!(out, "        /// The {what} `{}`.\n        pub {}: {ty},", field.name, word(name));
    }
    let kind = if begins { "Begin" } else { "Transition" };
    let _ = write!(
        out,
        "    }}\n\n    impl {title} {{\n        /// The call.\n        pub fn by(self, principal: Uid, id: &str) -> Result<{kind}, IdError> {{\n            \
         let {}call = {kind}::new(principal, \"{}\", id, \"{}\")?;\n",
        if fields.is_empty() && !event.overrides { "" } else { "mut " },
        of.name,
        event.name
    );
    for ((what, field), name) in fields.iter().zip(&names) {
        let name = word(name);
        let value = |from: &str| value(&field.ty, from);
        if field.optional {
            let _ = write!(
                out,
                "            if let Some(given) = self.{name} {{\n                call = call.{what}(\"{}\", {});\n            }}\n",
                field.name,
                value("given")
            );
        } else {
            let _ = writeln!(out, "            call = call.{what}(\"{}\", {});", field.name, value(&format!("self.{name}")));
        }
    }
    if event.overrides {
        out.push_str("            call = call.because(&self.reason);\n");
    }
    out.push_str("            Ok(call)\n        }\n    }\n");
}

/// A name that can be written, raw at worst.
fn sayable(text: &str) -> String {
    let name = snake(text);
    if NEVER.contains(&name.as_str()) { format!("{name}_") } else { name }
}

fn word(name: &str) -> String {
    if WORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}

fn ty(of: &Type) -> String {
    match of {
        Type::Bool => "bool".into(),
        Type::Long => "i64".into(),
        Type::String => "String".into(),
        Type::Set(inner) => format!("Vec<{}>", ty(inner)),
        Type::Ext(_) => "String".into(),
        Type::Entity(_) => "Uid".into(),
    }
}

/// What makes a value of an item.
fn maker(of: &Type) -> String {
    match of {
        Type::Set(_) | Type::Ext(_) => format!("|item| {}", value(of, "item")),
        _ => value(of, "item").replace("(item)", ""),
    }
}

fn value(of: &Type, from: &str) -> String {
    match of {
        Type::Bool => format!("Value::Bool({from})"),
        Type::Long => format!("Value::Long({from})"),
        Type::String => format!("Value::String({from})"),
        Type::Set(inner) => format!("Value::Set({from}.into_iter().map({}).collect())", maker(inner)),
        Type::Ext(ext) => {
            let variant = match ext {
                Ext::Decimal => "Decimal",
                Ext::Datetime => "Datetime",
                Ext::Duration => "Duration",
                Ext::Ip => "Ip",
            };
            format!("Value::Ext(Ext::{variant}, {from})")
        }
        Type::Entity(_) => format!("Value::Entity({from})"),
    }
}
