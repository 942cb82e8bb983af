//! Contracts.

use super::{all_hold, but};
use hos_core::contract::parse::parse;
use hos_core::fault::SourceFile;
use std::fmt::Write;

fn contract(text: &str) -> Result<(), String> {
    let file = SourceFile { path: "contracts/c.toml".into(), text: text.into() };
    but(parse(&file, "").err().unwrap_or_default().iter().map(|fault| fault.code.to_owned()), &[])
}

/// A contract with so many states, and one birth.
fn states(n: usize) -> String {
    let names: Vec<String> = (0..n).map(|i| format!("\"s{i}\"")).collect();
    format!("contract = \"c\"\nversion = 100\nentity = \"E\"\nstates = [{}]\n[begin.b]\nto = \"s0\"\n", names.join(", "))
}

fn many(n: usize, item: impl Fn(usize) -> String) -> String {
    (0..n).map(item).collect::<Vec<_>>().join(", ")
}

/// With one event more, of which the line is a part.
fn event(line: &str) -> String {
    format!("{}[event.e]\nfrom = [\"s0\"]\nto = \"s1\"\n{line}\n", states(2))
}

/// With so many of what stands beside the events.
fn beside(n: usize, one: impl Fn(usize) -> String) -> String {
    (0..n).fold(event(""), |mut text, i| {
        let _ = writeln!(text, "{}", one(i));
        text
    })
}

#[test]
fn of_a_contract() {
    // The birth counts among the arrows.
    let events = |n: usize| {
        (1..n).fold(states(2), |mut text, i| {
            let _ = write!(text, "[event.e{i}]\nfrom = [\"s0\"]\nto = \"s1\"\n");
            text
        })
    };
    let guards = |n| event(&format!("require = [{}]", many(n, |i| format!("{{ code = \"g{i}\", when = \"true\" }}"))));
    let branches = |n: usize| {
        let last = n - 1;
        let item =
            move |i: usize| if i == last { "{ to = \"s1\" }".to_owned() } else { "{ to = \"s0\", when = \"true\" }".into() };
        format!("{}[event.e]\nfrom = [\"s0\"]\nbranch = [{}]\n", states(2), many(n, item))
    };
    let effects = |n| event(&format!("effects = [{}]", many(n, |i| format!("{{ kind = \"m{i}\" }}"))));
    let args = |n| event(&format!("args = {{ {} }}", many(n, |i| format!("a{i} = \"Long\""))));
    let expression = |n: usize| event(&format!("require = [{{ code = \"g\", when = \"{}\" }}]", "x".repeat(n)));
    // Each fires an event of its own.
    let deadlines = |n| {
        beside(n, |i| {
            format!(
                "[event.d{i}]\nfrom = [\"s0\"]\nto = \"s1\"\n[[deadline]]\nstate = \"s0\"\nafter = \"PT{}S\"\nevent = \"d{i}\"",
                i + 1
            )
        })
    };
    let migrations = |n: usize| {
        let head = event("");
        (1..=n).fold(head, |mut text, i| {
            let _ = write!(text, "[migrate.\"{i}\"]\nold = \"s0\"\n");
            text
        })
    };
    let promises = |n| beside(n, |i| format!("[[promise]]\ncode = \"p{i}\"\nnever = \"s1\"\nbefore = \"s0\""));
    let wait = |n: usize| {
        beside(1, |_| format!("[[deadline]]\nstate = \"s0\"\nafter = \"PT{}.{:03}S\"\nevent = \"e\"", n / 1000, n % 1000))
    };
    all_hold(&[
        ("STATES_MAX", &|n| contract(&states(n))),
        ("EVENTS_MAX", &|n| contract(&events(n))),
        ("GUARDS_MAX", &|n| contract(&guards(n))),
        ("BRANCHES_MAX", &|n| contract(&branches(n))),
        ("EFFECTS_MAX", &|n| contract(&effects(n))),
        ("ATTRIBUTES_MAX", &|n| contract(&args(n))),
        ("DEADLINES_MAX", &|n| contract(&deadlines(n))),
        ("MIGRATIONS_MAX", &|n| contract(&migrations(n))),
        ("PROMISES_MAX", &|n| contract(&promises(n))),
        ("EXPRESSION_BYTES_MAX", &|n| contract(&expression(n))),
        ("DEADLINE_WAIT_MS_MAX", &|n| contract(&wait(n))),
    ]);
}
