//! A contract's picture, generated from the data: as a Mermaid state diagram and as a Graphviz graph.
//!
//! The same contract gives the same text, byte for byte. States are numbered in the order of the file, so that a name can
//! never be taken for syntax; what stands in labels is escaped.

use super::definition::{Contract, Due, Event};
use crate::time::Span;
use std::collections::BTreeMap;
use std::fmt::Write;

/// One line of the picture: from a state (or from birth) to a state.
struct Edge {
    from: Option<usize>,
    to: usize,
    label: String,
    /// A deadline or an override: what happens beside the ordinary course.
    dashed: bool,
}

/// A Mermaid `stateDiagram-v2`. Mermaid draws no dashed transitions, so deadlines and overrides are told by their labels.
pub fn mermaid(contract: &Contract) -> String {
    let mut out = format!("stateDiagram-v2\n    %% {} {}\n", contract.name, contract.version);
    for (i, state) in contract.states.iter().enumerate() {
        let _ = writeln!(out, "    state \"{}\" as s{i}", mermaid_text(state.name.as_str()));
    }
    for edge in edges(contract) {
        let from = edge.from.map_or("[*]".to_owned(), |i| format!("s{i}"));
        let _ = writeln!(out, "    {from} --> s{} : {}", edge.to, mermaid_text(&edge.label));
    }
    for (i, _) in contract.states.iter().enumerate().filter(|(_, s)| s.terminal) {
        let _ = writeln!(out, "    s{i} --> [*]");
    }
    out
}

/// A Graphviz digraph: terminal states have a double border; deadlines and overrides are dashed.
pub fn dot(contract: &Contract) -> String {
    let mut out =
        format!("digraph \"{} {}\" {{\n    rankdir=LR;\n    node [shape=box, style=rounded];\n", contract.name, contract.version);
    if !contract.begins.is_empty() {
        out.push_str("    birth [shape=point];\n");
    }
    for (i, state) in contract.states.iter().enumerate() {
        let border = if state.terminal { ", peripheries=2" } else { "" };
        let _ = writeln!(out, "    s{i} [label=\"{}\"{border}];", dot_text(state.name.as_str()));
    }
    for edge in edges(contract) {
        let from = edge.from.map_or("birth".to_owned(), |i| format!("s{i}"));
        let dashed = if edge.dashed { ", style=dashed" } else { "" };
        let _ = writeln!(out, "    {from} -> s{} [label=\"{}\"{dashed}];", edge.to, dot_text(&edge.label));
    }
    out.push_str("}\n");
    out
}

/// Births first, then by the state they leave, then by name.
fn edges(contract: &Contract) -> Vec<Edge> {
    let places: BTreeMap<&str, usize> = contract.states.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect();
    let mut out = Vec::new();
    let mut draw = |event: &Event, from: Option<&str>, label: String, dashed: bool| {
        for branch in &event.branches {
            let Some(to) = places.get(branch.to.as_str()) else { continue };
            let when = branch.when.and_then(|i| contract.expressions.get(i));
            let label = when.map_or(label.clone(), |w| format!("{label} [{}]", shorten(&w.text, LABEL_MAX)));
            out.push(Edge { from: from.and_then(|f| places.get(f)).copied(), to: *to, label, dashed });
        }
    };
    for event in contract.begins.values() {
        draw(event, None, event.name.to_string(), false);
    }
    for (event, is_override) in contract.arrows() {
        for from in &event.from {
            let due = contract.deadlines.iter().find(|d| d.event == event.name && d.state == *from).map(|d| match &d.due {
                Due::After(span) => format!(" after {}", span_text(*span)),
                Due::At(at) => {
                    format!(" at {}", contract.expressions.get(*at).map_or(String::new(), |e| shorten(&e.text, LABEL_MAX)))
                }
            });
            let label = match (is_override, &due) {
                (true, _) => format!("{} (override)", event.name),
                (false, Some(due)) => format!("{}{due}", event.name),
                (false, None) => event.name.to_string(),
            };
            draw(event, Some(from.as_str()), label, is_override || due.is_some());
        }
    }
    out.sort_by(|a, b| (a.from, a.dashed, &a.label, a.to).cmp(&(b.from, b.dashed, &b.label, b.to)));
    out
}

/// How much of an expression stands in a label.
const LABEL_MAX: usize = 60;

/// Expressions may be long; a label is a hint, not the law.
pub(super) fn shorten(text: &str, max: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", flat.get(..at).unwrap_or_default()),
        None => flat,
    }
}

pub(super) fn span_text(span: Span) -> String {
    let (days, rest) = (span.0 / 86_400_000, span.0 % 86_400_000);
    let (hours, minutes, millis) = (rest / 3_600_000, rest / 60_000 % 60, rest % 60_000);
    let mut out = String::from("P");
    if days > 0 {
        let _ = write!(out, "{days}D");
    }
    if rest > 0 {
        out.push('T');
    }
    for (n, unit) in [(hours, 'H'), (minutes, 'M')].into_iter().filter(|(n, _)| *n > 0) {
        let _ = write!(out, "{n}{unit}");
    }
    match (millis / 1000, millis % 1000) {
        (0, 0) => {}
        (seconds, 0) => _ = write!(out, "{seconds}S"),
        (seconds, thousandths) => _ = write!(out, "{seconds}.{thousandths:03}S"),
    }
    out
}

/// Mermaid ends a statement at `;` and a line, and reads `#` as an entity's begin; all else but plain signs becomes one.
fn mermaid_text(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ',' | '(' | ')' | '…');
    let mut out = String::new();
    for c in text.chars() {
        if plain(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

fn dot_text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_ascii_graphic() || c.is_alphanumeric() || c == '…' => out.push(c),
            _ => out.push(' '), // control characters and text-direction marks among them
        }
    }
    out
}
