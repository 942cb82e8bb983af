//! PHP: an enum of actions, and a class for each contract whose methods are its events.

use super::{ContractNames, EventNames, Field, Names, distinct, distinct_as, in_order, pascal, snake};
use hos_core::shape::Type;
use hos_core::value::Ext;
use std::fmt::Write;

/// Parameters that every call has besides.
const BESIDES: [(&str, &str, &str); 3] =
    [("context", "array", "[]"), ("given", "array", "[]"), ("legacy", "Legacy|bool|null", "null")];

/// Names of methods that mean something to PHP, so that it would want other parameters.
const MAGIC: [&str; 17] = [
    "__construct",
    "__destruct",
    "__call",
    "__callStatic",
    "__get",
    "__set",
    "__isset",
    "__unset",
    "__sleep",
    "__wakeup",
    "__serialize",
    "__unserialize",
    "__toString",
    "__invoke",
    "__set_state",
    "__clone",
    "__debugInfo",
];

/// Names of methods and classes, of which PHP does not know the size of letters.
fn caseless(texts: impl Iterator<Item = String>, taken: &[&str]) -> Vec<String> {
    distinct_as(texts, taken, str::to_ascii_lowercase)
}

/// Names of an enum's cases, of which PHP knows it but for one word.
fn cases_of(texts: impl Iterator<Item = String>) -> Vec<String> {
    let read = |name: &str| if name.eq_ignore_ascii_case("class") { "class".to_owned() } else { name.to_owned() };
    distinct_as(texts, &["class"], read)
}

pub(super) fn write(names: &Names) -> String {
    // The one name that a namespace may not have.
    let law = caseless(std::iter::once(pascal(&names.law)), &["namespace"]).concat();
    let mut out = format!(
        "<?php\n\n// Made by `hos law types --php` from the law `{0}`; do not edit.\n//\n//     $law = new {law}\\Law($engine->tenant('..')->as($user));\n\n\
         declare(strict_types=1);\n\nnamespace {law};\n\nuse Hos\\Actor;\nuse Hos\\Answer;\nuse Hos\\Ext;\nuse Hos\\Given;\nuse Hos\\HasUid;\nuse Hos\\Legacy;\n",
        names.law
    );
    let _ = write!(out, "\n/** What may be asked for. */\nenum Action: string\n{{\n");
    let cases = cases_of(names.actions.iter().map(|a| pascal(a)));
    for (action, case) in names.actions.iter().zip(&cases) {
        let _ = writeln!(out, "    case {case} = '{}';", action.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    out.push_str("}\n");
    let classes = caseless(names.contracts.iter().map(|c| format!("{}Instance", pascal(&c.name))), &[]);
    let _ = write!(
        out,
        "\n/** The law's names, for who acts. */\nfinal class Law\n{{\n    public function __construct(public readonly Actor $actor)\n    {{\n    }}\n"
    );
    for name in ["can", "authorize"] {
        let _ = write!(
            out,
            "\n    /**\n     * @param array<string, mixed> $context\n     * @param list<Given> $given\n     */\n    public function {name}(Action $action, HasUid|string $resource, array $context = [], array $given = [], Legacy|bool|null $legacy = null): Answer\n    {{\n        return $this->actor->{name}($action->value, $resource, $context, $given, $legacy);\n    }}\n"
        );
    }
    let taken = [&["can", "authorize", "actor"][..], &MAGIC].concat();
    let methods = caseless(names.contracts.iter().map(|c| snake(&c.name)), &taken);
    for (method, class) in methods.iter().zip(&classes) {
        let _ = write!(
            out,
            "\n    public function {method}(string $id): {class}\n    {{\n        return new {class}($this->actor, $id);\n    }}\n"
        );
    }
    out.push_str("}\n");
    for (of, class) in names.contracts.iter().zip(&classes) {
        contract(of, class, &mut out);
    }
    out
}

fn contract(of: &ContractNames, class: &str, out: &mut String) {
    let state = format!("{}State", class.strip_suffix("Instance").unwrap_or(class));
    let _ = write!(out, "\n/** The states of `{}`. */\nenum {state}: string\n{{\n", of.name);
    let cases = cases_of(of.states.iter().map(|s| pascal(s)));
    for (name, case) in of.states.iter().zip(&cases) {
        let _ = writeln!(out, "    case {case} = '{name}';");
    }
    let _ = write!(
        out,
        "}}\n\n/** An instance of `{}`. */\nfinal class {class}\n{{\n    public function __construct(public readonly Actor $actor, public readonly string $id)\n    {{\n    }}\n",
        of.name
    );
    // A birth and an event may have one name.
    let taken = [&["adopt", "actor", "id"][..], &MAGIC].concat();
    let lower = of.begins.iter().chain(&of.events).map(|e| snake(&e.name).to_ascii_lowercase());
    let methods = caseless(lower, &taken);
    for (i, event) in of.begins.iter().chain(&of.events).enumerate() {
        let facts: &[Field] = if i < of.begins.len() { &of.facts } else { &[] };
        method(of, event, &methods[i], (i < of.begins.len()).then_some(facts), out);
    }
    let params = Params::new(&[("facts", &of.facts)], &["state", "once"]);
    let _ = write!(
        out,
        "\n    /** An existing row is taken in as it is. */\n    public function adopt({state} $state, {}{}): Answer\n    {{\n        return $this->actor->adopt('{}', $this->id, $state->value, {}, $once, $context, $given, $legacy);\n    }}\n}}\n",
        params.list,
        rest(),
        of.name,
        params.records[0],
    );
}

fn method(of: &ContractNames, event: &EventNames, method: &str, facts: Option<&[Field]>, out: &mut String) {
    let call = match (facts, event.overrides) {
        (Some(_), _) => "begin",
        (None, _) => "transition",
    };
    let sections: Vec<(&str, &[Field])> = match facts {
        Some(facts) => vec![("facts", facts), ("args", &event.args)],
        None => vec![("args", &event.args)],
    };
    let params = Params::new(&sections, if event.overrides { &["once", "reason"] } else { &["once"] });
    let (reason, because) = match (event.overrides, call) {
        (true, _) => ("string $reason, ", ", $reason"),
        (false, "transition") => ("", ", null"),
        _ => ("", ""),
    };
    let _ = write!(
        out,
        "\n    public function {method}({reason}{}{}): Answer\n    {{\n        return $this->actor->{call}('{}', $this->id, '{}', {}, $once{because}, $context, $given, $legacy);\n    }}\n",
        params.list,
        rest(),
        of.name,
        event.name,
        params.records.join(", "),
    );
}

fn rest() -> String {
    let besides: String = BESIDES.iter().map(|(name, ty, default)| format!(", {ty} ${name} = {default}")).collect();
    format!("?string $once = null{besides}")
}

/// Parameters, and the records that they are put together into.
struct Params {
    list: String,
    records: Vec<String>,
}

impl Params {
    fn new(sections: &[(&str, &[Field])], own: &[&str]) -> Self {
        let mut taken: Vec<&str> = own.to_vec();
        taken.extend(["this", "actor", "id"]);
        taken.extend(BESIDES.iter().map(|(name, ..)| *name));
        let fields: Vec<(usize, &Field)> =
            sections.iter().enumerate().flat_map(|(i, (_, fields))| fields.iter().map(move |f| (i, f))).collect();
        let names = distinct(fields.iter().map(|(_, f)| snake(&f.name)), &taken);
        let name_of = |field: &Field, section: usize| {
            fields.iter().zip(&names).find(|((i, f), _)| *i == section && f.name == field.name).map_or("", |(_, name)| name)
        };
        let mut list = String::new();
        for optional in [false, true] {
            for ((_, field), name) in fields.iter().zip(&names).filter(|((_, f), _)| f.optional == optional) {
                let _ = match optional {
                    false => write!(list, "{} ${name}, ", ty(&field.ty)),
                    true => write!(list, "{}|null ${name} = null, ", ty(&field.ty)),
                };
            }
        }
        let record = |(i, (_, fields)): (usize, &(&str, &[Field]))| {
            let one = |f: &&Field| format!("'{}' => ${}", f.name, name_of(f, i));
            let list = in_order(fields).iter().map(one).collect::<Vec<_>>().join(", ");
            if fields.iter().any(|f| f.optional) {
                format!("array_filter([{list}], static fn (mixed $value): bool => $value !== null)")
            } else {
                format!("[{list}]")
            }
        };
        Self { list, records: sections.iter().enumerate().map(record).collect() }
    }
}

fn ty(of: &Type) -> &'static str {
    match of {
        Type::Bool => "bool",
        Type::Long => "int",
        Type::String => "string",
        Type::Set(_) => "array",
        Type::Ext(Ext::Datetime) => "\\DateTimeInterface|Ext",
        Type::Ext(_) => "Ext",
        Type::Entity(_) => "HasUid",
    }
}
