//! Python: a protocol that an `Actor` fits, with one overload for each event.

use super::{ContractNames, EventNames, Field, Names, distinct, pascal};
use hos_core::shape::Type;
use hos_core::value::Ext;
use std::fmt::Write;

const WRITES: &str =
    "once: Optional[str] = ..., context: Values = ..., given: Given = ..., legacy: World = ..., request: Optional[str] = ...";

pub(super) fn write(names: &Names) -> String {
    let law = pascal(&names.law);
    let mut out = format!(
        "\"\"\"Made by `hos law types --py` from the law `{0}`; do not edit.\n\n    actor: {law}Actor = engine.tenant(\"..\").as_(user)\n\"\"\"\n\n\
         from __future__ import annotations\n\n\
         from typing import TYPE_CHECKING, Literal, Protocol, Union, overload\n\n\
         if TYPE_CHECKING:\n    import datetime\n    import decimal\n    import ipaddress\n    from typing import Any, Collection, Mapping, Optional, Sequence, TypedDict\n\n    \
         from hos import Answer, Entity, Ext, HasUid, Legacy, Uid\n\n    \
         Values = Optional[Mapping[str, Any]]\n    Given = Optional[Sequence[Entity]]\n    World = Union[Legacy, bool, None]\n    Named = Union[Uid, str, HasUid]\n",
        names.law
    );
    let literal = |words: &[String]| words.iter().map(|w| super::quoted(w)).collect::<Vec<_>>().join(", ");
    let mut records = String::new();
    let mut calls = [String::new(), String::new(), String::new(), String::new()];
    let titles = distinct(names.contracts.iter().map(|c| pascal(&c.name)), &[]);
    // An event's of one contract may come out as another contract's: `order` with `line_add`, and `order_line` with `add`.
    let each = names.contracts.iter().zip(&titles);
    let all = each
        .clone()
        .flat_map(|(of, title)| of.begins.iter().chain(&of.events).map(move |e| format!("{title}{}", pascal(&e.name))));
    let all = distinct(all, &[]);
    let mut all = all.iter();
    for (of, title) in each {
        contract(of, title, &mut all, &mut records, &mut calls);
    }
    out.push_str(&records);
    let _ = write!(out, "\n\nAction = Literal[{}]\n", literal(&names.actions));
    for (of, title) in names.contracts.iter().zip(&titles) {
        let _ = writeln!(out, "{title}State = Literal[{}]", literal(&of.states));
    }
    let _ = write!(out, "\n\nclass {law}Actor(Protocol):\n    \"\"\"What an actor may say under this law.\"\"\"\n");
    for name in ["can", "authorize"] {
        let _ = write!(
            out,
            "\n    def {name}(\n        self, action: Action, resource: Named, *, context: Values = ..., given: Given = ..., legacy: World = ..., request: Optional[str] = ...\n    ) -> Answer: ...\n"
        );
    }
    for (name, overloads) in ["begin", "transition", "apply", "adopt"].iter().zip(&calls) {
        // One overload alone is none.
        let alone = overloads.matches("@overload").count() == 1;
        let text = overloads.replace("NAME", name);
        out.push_str(&if alone { text.replace("    @overload\n", "") } else { text });
    }
    out
}

fn contract<'t>(
    of: &ContractNames,
    title: &str,
    titles: &mut impl Iterator<Item = &'t String>,
    records: &mut String,
    calls: &mut [String; 4],
) {
    let facts = record(&format!("{title}Facts"), &of.facts, records);
    for (events, begins) in [(&of.begins, true), (&of.events, false)] {
        for (event, title) in events.iter().zip(titles.by_ref()) {
            let args = record(&format!("{title}Args"), &event.args, records);
            if begins {
                calls[0].push_str(&call(
                    &of.name,
                    event,
                    &[given("facts", facts.as_deref(), &of.facts), given("args", args.as_deref(), &event.args)],
                ));
            } else {
                let args = given("args", args.as_deref(), &event.args);
                let reason = if event.overrides { "reason: str".to_owned() } else { String::new() };
                let text = call(&of.name, event, &[args, reason]);
                calls[1].push_str(&text);
                calls[2].push_str(&text);
            }
        }
    }
    let facts = given("facts", facts.as_deref(), &of.facts);
    let _ = write!(
        calls[3],
        "\n    @overload\n    def NAME(\n        self, contract: Literal[\"{}\"], id: str, state: {title}State, *, {facts}, {WRITES}\n    ) -> Answer: ...\n",
        of.name
    );
}

fn call(contract: &str, event: &EventNames, more: &[String]) -> String {
    let more: String = more.iter().filter(|m| !m.is_empty()).map(|m| format!("{m}, ")).collect();
    format!(
        "\n    @overload\n    def NAME(\n        self, contract: Literal[\"{contract}\"], id: str, event: Literal[\"{}\"], *, {more}{WRITES}\n    ) -> Answer: ...\n",
        event.name
    )
}

/// A parameter that may be left out where none of its fields is needed.
fn given(name: &str, record: Option<&str>, fields: &[Field]) -> String {
    match record {
        None => format!("{name}: Optional[Mapping[str, Any]] = ..."),
        Some(record) if fields.iter().all(|f| f.optional) => format!("{name}: Optional[{record}] = ..."),
        Some(record) => format!("{name}: {record}"),
    }
}

/// Writes a record's type; none where it has no fields.
fn record(title: &str, fields: &[Field], out: &mut String) -> Option<String> {
    if fields.is_empty() {
        return None;
    }
    // Keys that are no identifiers, and those that may be absent, stand in a form that any Python of this age reads.
    let list = |optional: bool| {
        let fields = fields.iter().filter(|f| f.optional == optional);
        fields.map(|f| format!("\"{}\": {}", f.name, ty(&f.ty))).collect::<Vec<_>>().join(", ")
    };
    let (needed, optional) = (list(false), list(true));
    match (needed.is_empty(), optional.is_empty()) {
        (false, true) => {
            let _ = writeln!(out, "    {title} = TypedDict(\"{title}\", {{{needed}}})");
        }
        (true, _) => {
            let _ = writeln!(out, "    {title} = TypedDict(\"{title}\", {{{optional}}}, total=False)");
        }
        (false, false) => {
            let _ = writeln!(out, "    {title}Needed = TypedDict(\"{title}Needed\", {{{needed}}})");
            let _ = writeln!(out, "    {title}Besides = TypedDict(\"{title}Besides\", {{{optional}}}, total=False)");
            let _ = write!(out, "\n    class {title}({title}Needed, {title}Besides):\n        pass\n\n");
        }
    }
    Some(title.into())
}

fn ty(of: &Type) -> String {
    match of {
        Type::Bool => "bool".into(),
        Type::Long => "int".into(),
        Type::String => "str".into(),
        Type::Set(inner) => format!("Collection[{}]", ty(inner)),
        Type::Ext(Ext::Decimal) => "Union[decimal.Decimal, Ext]".into(),
        Type::Ext(Ext::Datetime) => "Union[datetime.datetime, Ext]".into(),
        Type::Ext(Ext::Duration) => "Union[datetime.timedelta, Ext]".into(),
        Type::Ext(Ext::Ip) => "Union[ipaddress.IPv4Address, ipaddress.IPv6Address, Ext]".into(),
        Type::Entity(_) => "Union[Uid, HasUid]".into(),
    }
}
