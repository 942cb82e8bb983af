//! A trace as a test: a shell script of `hos` commands that repeats it on a store, step by step.

use super::text;
use hos_core::contract::Contract;
use hos_core::contract::definition::{Due, Event};
use hos_core::contract::model::{Finding, Happened, Step};
use hos_core::id::Name;
use hos_core::shape::{Attribute, Type};
use hos_core::time::{Span, Timestamp};
use hos_core::value::Ext;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// When a script begins that waits for deadlines, long after the store was founded: 2036-01-01.
const START: Timestamp = Timestamp(2_082_758_400_000);
/// Between two steps.
const MINUTE: Span = Span(60_000);
/// How long a deadline is waited for whose instant only the facts know.
const AT: Span = Span(366 * 86_400_000);

const HEAD: &str = r#"
# Repeats the path on a store of its own under this law (`hos init`), as HOS_AS, in HOS_TENANT. It ends with 0 where every step
# comes out as the path says. The values are made up: give those that guards and conditions ask for, and the ids below.
set -eu
: "${HOS_STORE:?names the store}" "${HOS_AS:?says who asks}" "${HOS_TENANT:?names the tenant}"
id=${1:-trace-$$}

step() { # what must be said, and the command
    want=$1; shift
    said=$(hos "$@" --lang en 2>&1) || true
    printf '%s\n' "$said"
    case $said in *"$want"*) ;; *) echo "not as the path says: $want" >&2; exit 1 ;; esac
}
"#;

/// The script; none for a path that begins with an older version's instance.
pub(super) fn script(contract: &Contract, name: &str, finding: &Finding, steps: &[Step]) -> Option<String> {
    let mut out = format!("#!/bin/sh\n# {name}: {}: {}\n{}", finding.kind.code(), finding.message("en"), &HEAD[1..]);
    // Writing into a String cannot fail.
    let arrows = steps.iter().filter_map(|step| given(contract, step)).flatten();
    for ty in entities(arrows) {
        let _ = writeln!(out, ": \"${{{}:=x}}\" # the id of a {ty}", variable(ty));
    }
    let timed = steps.iter().any(|s| matches!(s.happened, Happened::Fired | Happened::Disarmed));
    let (mut now, mut entered) = (START, START);
    let mut kept: BTreeMap<&Name, usize> = BTreeMap::new();
    for (number, step) in (1..).zip(steps) {
        now = now.plus(MINUTE);
        if matches!(step.happened, Happened::Fired | Happened::Disarmed) {
            now = now.max(due(contract, step, entered));
        }
        let time = if timed { format!(" --time {now} --clock-confirmed") } else { String::new() };
        let event = step.event.as_ref()?;
        let guess = if step.given.is_empty() { String::new() } else { format!("if {}", text::conditions(&step.given)) };
        let note = guess.replace(['\n', '\r'], " ");
        out.push_str(&if note.is_empty() { "\n".to_owned() } else { format!("\n# {note}\n") });
        let landed = match &step.from {
            Some(from) => format!(": {from} -> {} ({event})", step.to),
            None => format!(": -> {} ({event})", step.to),
        };
        // The same call again is one with the once-key of the first.
        let once = match step.happened {
            Happened::Repeated => kept.get(event).copied().unwrap_or(number),
            _ => number,
        };
        if step.happened == Happened::Same {
            kept.insert(event, number);
        }
        let _ = match step.happened {
            Happened::Migrated(_) => return None,
            Happened::Fired => writeln!(out, "step 'fired    1' tick{time}"),
            Happened::Disarmed => writeln!(out, "step 'fired' tick{time}"),
            Happened::Born => {
                let birth = contract.begins.get(event)?;
                let (facts, args) = (words("fact", &contract.facts), words("arg", &birth.args));
                writeln!(out, "step '{landed}' begin {} \"$id\" {event}{facts}{args} --once \"$id-{once}\"{time}", contract.name)
            }
            Happened::Moved | Happened::Overridden | Happened::Same | Happened::Repeated | Happened::Refused => {
                let arrow = arrow(contract, event)?;
                let want = match step.happened {
                    Happened::Same => "again: the first receipt".to_owned(),
                    Happened::Refused => "refused".to_owned(),
                    _ => landed,
                };
                let reason = if contract.overrides.contains_key(event) { " --reason 'a path of the model'" } else { "" };
                let args = words("arg", &arrow.args);
                writeln!(
                    out,
                    "step '{want}' transition {} \"$id\" {event}{args}{reason} --once \"$id-{once}\"{time}",
                    contract.name
                )
            }
        };
        if step.from.as_ref() != Some(&step.to) {
            entered = now;
        }
    }
    Some(out)
}

/// The facts and arguments that a step gives.
fn given<'c>(contract: &'c Contract, step: &Step) -> Option<Vec<&'c BTreeMap<Name, Attribute>>> {
    let event = step.event.as_ref()?;
    match step.happened {
        Happened::Born => Some(vec![&contract.facts, &contract.begins.get(event)?.args]),
        Happened::Fired | Happened::Disarmed | Happened::Migrated(_) => None,
        _ => Some(vec![&arrow(contract, event)?.args]),
    }
}

fn arrow<'c>(contract: &'c Contract, event: &Name) -> Option<&'c Event> {
    contract.events.get(event).or_else(|| contract.overrides.get(event))?.first()
}

/// When the deadline of this step is due; an instant that only the facts know is waited for long.
fn due(contract: &Contract, step: &Step, entered: Timestamp) -> Timestamp {
    let own = |d: &&hos_core::contract::definition::Deadline| {
        step.from.as_ref() == Some(&d.state) && step.event.as_ref() == Some(&d.event)
    };
    match contract.deadlines.iter().find(own).map(|d| &d.due) {
        Some(Due::After(span)) => entered.plus(*span),
        _ => entered.plus(AT),
    }
}

/// ` --arg amount=1 --arg "by=$STALL_ACCOUNT"`: a value of each declared type; what may be absent is left out.
fn words(option: &str, declared: &BTreeMap<Name, Attribute>) -> String {
    let given = declared.values().filter(|attribute| !attribute.optional);
    given.map(|attribute| format!(" --{option} {}", word(&attribute.name, &attribute.ty))).collect()
}

/// Names are letters, digits and `_`: the shell reads them as they are.
fn word(name: &str, ty: &Type) -> String {
    match ty {
        Type::Bool => format!("{name}=true"),
        Type::Long => format!("{name}=1"),
        Type::String => format!("{name}=x"),
        Type::Set(_) => format!("{name}="),
        Type::Entity(ty) => format!("\"{name}=${}\"", variable(ty)),
        Type::Ext(ext) => {
            let text = match ext {
                Ext::Decimal => "1.0",
                Ext::Datetime => "2036-06-01T00:00:00Z",
                Ext::Duration => "1h",
                Ext::Ip => "192.0.2.1",
            };
            format!("{name}={text}")
        }
    }
}

/// `Stall::Account` as `STALL_ACCOUNT`.
fn variable(ty: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    ty.replace("::", "_").chars().map(plain).collect()
}

/// The entity types of which a script names an instance.
fn entities<'c>(declared: impl IntoIterator<Item = &'c BTreeMap<Name, Attribute>>) -> BTreeSet<&'c str> {
    let attributes = declared.into_iter().flat_map(BTreeMap::values).filter(|a| !a.optional);
    let of = |attribute: &'c Attribute| match &attribute.ty {
        Type::Entity(name) => Some(name.as_str()),
        _ => None,
    };
    attributes.filter_map(of).collect()
}
