//! TypeScript: one type that `Engine.open<..>` takes.

use super::{ContractNames, EventNames, Field, Names, distinct, pascal};
use hos_core::shape::Type;
use std::fmt::Write;

pub(super) fn write(names: &Names) -> String {
    let law = distinct([pascal(&names.law)], &["Ext", "Uid", "Long", "Datetime"]).concat();
    let contracts: String = names.contracts.iter().map(contract).collect();
    format!(
        "// Made by `hos law types --ts` from the law `{}`; do not edit. `Engine.open<{law}>(..)` knows its names.\n\n\
         import type {{ Ext, Uid }} from \"hos\";\n\n\
         /** Values that JavaScript has types of its own for, beside `Ext`. */\n\
         type Long = number | bigint;\n\
         type Datetime = Ext | Date;\n\n\
         /** The law's names. */\n\
         export type {law} = {{\n  action:{};\n  contract: {{\n{contracts}  }};\n}};\n\n\
         export type {{ Datetime, Ext, Long, Uid }};\n",
        names.law,
        union(&names.actions, "    "),
    )
}

fn contract(of: &ContractNames) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "    {}: {{\n      state:{};", key(&of.name), union(&of.states, "        "));
    let _ = writeln!(out, "      facts: {};", record(&of.facts));
    for (name, events) in [("begin", &of.begins), ("event", &of.events)] {
        let _ = writeln!(out, "      {name}: {{{}}};", events.iter().map(event).collect::<String>());
    }
    out + "    };\n"
}

fn event(of: &EventNames) -> String {
    let needs = if of.overrides { "        /** An override: it needs a `reason`. */\n" } else { "" };
    format!("\n{needs}        {}: {};", key(&of.name), record(&of.args))
}

fn record(fields: &[Field]) -> String {
    if fields.is_empty() {
        return "{ [name: string]: never }".into();
    }
    let one = |f: &Field| format!("{}{}: {}", key(&f.name), if f.optional { "?" } else { "" }, ty(&f.ty));
    format!("{{ {} }}", fields.iter().map(one).collect::<Vec<_>>().join("; "))
}

fn ty(of: &Type) -> String {
    match of {
        Type::Bool => "boolean".into(),
        Type::Long => "Long".into(),
        Type::String => "string".into(),
        Type::Set(inner) => format!("readonly ({})[]", ty(inner)),
        Type::Ext(hos_core::value::Ext::Datetime) => "Datetime".into(),
        Type::Ext(_) => "Ext".into(),
        Type::Entity(_) => "Uid".into(),
    }
}

fn key(name: &str) -> String {
    if name.contains('-') { format!("\"{name}\"") } else { name.into() }
}

fn union(words: &[String], indent: &str) -> String {
    if words.is_empty() {
        return " never".into();
    }
    words.iter().map(|word| format!("\n{indent}| {}", super::quoted(word))).collect()
}
