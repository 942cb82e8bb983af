//! What a contract's picture shows, before anything has a place: states, arrows with their labels, and an instance's path.

use super::definition::{Contract, Due, Event};
use super::draw::{shorten, span_text};
use std::collections::BTreeMap;

/// A path that an instance took.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// Its steps, in order; the first is numbered 1.
    pub steps: Vec<Step>,
    /// The state it is in.
    pub current: Option<String>,
    /// The word that stands in that state when the instance was erased.
    pub erased: Option<String>,
}

/// One step: from a state (none at a birth) to a state.
#[derive(Debug, Clone)]
pub struct Step {
    /// The event; for a step that is none's, a word for it (a migration, say).
    pub event: String,
    /// Where from.
    pub from: Option<String>,
    /// Where to.
    pub to: String,
}

/// How an arrow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Style {
    /// The ordinary course.
    Plain,
    /// What a deadline does.
    Deadline,
    /// A lawful way round.
    Override,
    /// A step that no arrow of the contract is: a migration, an adoption, what the world did in shadow.
    Beside,
}

/// One line of a label.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) event: String,
    /// What a deadline waits for, or when a branch is taken.
    pub(super) hint: String,
    /// The numbers of the steps that went this way.
    pub(super) steps: Vec<usize>,
}

/// All arrows of one style between two states (or from birth).
#[derive(Debug, Clone)]
pub(super) struct Arrow {
    pub(super) from: Option<usize>,
    pub(super) to: usize,
    pub(super) style: Style,
    pub(super) lines: Vec<Line>,
}

impl Arrow {
    pub(super) fn is_walked(&self) -> bool {
        self.lines.iter().any(|line| !line.steps.is_empty())
    }
}

/// A state.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) terminal: bool,
    pub(super) visited: bool,
    pub(super) current: bool,
    /// A word below the name.
    pub(super) note: Option<String>,
}

/// The whole picture.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) nodes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
}

type Key = (Option<usize>, usize, Style);

/// The picture of a contract, with an instance's path in it. States that the path names and the contract does not (of an older
/// version) are drawn too: what happened is never left out.
pub(super) fn picture(contract: &Contract, walk: Option<&Walk>) -> Picture {
    let mut nodes: Vec<Node> = contract
        .states
        .iter()
        .map(|s| Node { name: s.name.to_string(), terminal: s.terminal, visited: false, current: false, note: None })
        .collect();
    let mut arrows: BTreeMap<Key, Vec<Line>> = BTreeMap::new();
    for event in contract.begins.values() {
        draw(contract, &nodes, &mut arrows, event, None, Style::Plain, "");
    }
    for (event, is_override) in contract.arrows() {
        for from in &event.from {
            let due = contract.deadlines.iter().find(|d| d.event == event.name && d.state == *from).map(|d| match &d.due {
                Due::After(span) => format!("after {}", span_text(*span)),
                Due::At(at) => {
                    format!("at {}", contract.expressions.get(*at).map_or(String::new(), |e| shorten(&e.text, HINT_MAX)))
                }
            });
            let style = match (is_override, &due) {
                (true, _) => Style::Override,
                (false, Some(_)) => Style::Deadline,
                (false, None) => Style::Plain,
            };
            draw(contract, &nodes, &mut arrows, event, Some(from.as_str()), style, &due.unwrap_or_default());
        }
    }
    if let Some(walk) = walk {
        walked(walk, &mut nodes, &mut arrows);
    }
    let arrows = arrows.into_iter().map(|((from, to, style), lines)| Arrow { from, to, style, lines }).collect();
    Picture { nodes, arrows }
}

/// How much of an expression stands in a label; it is a hint, not the law.
const HINT_MAX: usize = 34;

fn place(nodes: &[Node], name: &str) -> Option<usize> {
    nodes.iter().position(|node| node.name == name)
}

fn draw(
    contract: &Contract,
    nodes: &[Node],
    arrows: &mut BTreeMap<Key, Vec<Line>>,
    event: &Event,
    from: Option<&str>,
    style: Style,
    due: &str,
) {
    for branch in &event.branches {
        let Some(to) = place(nodes, branch.to.as_str()) else { continue };
        // A state that another branch leads to in any case is reached whatever the condition.
        let always = event.branches.iter().any(|b| b.to == branch.to && b.when.is_none());
        let when = branch.when.filter(|_| !always).and_then(|i| contract.expressions.get(i));
        let when = when.map(|w| format!("[{}]", shorten(&w.text, HINT_MAX)));
        let hint = [Some(due.to_owned()).filter(|d| !d.is_empty()), when].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let lines = arrows.entry((from.and_then(|f| place(nodes, f)), to, style)).or_default();
        match lines.iter_mut().find(|line| line.event == event.name.as_str()) {
            // Two branches of one event may lead to one state.
            Some(line) if always || format!(" {} ", line.hint).contains(&format!(" {hint} ")) => {}
            Some(line) => line.hint = [line.hint.as_str(), hint.as_str()].join(" ").trim().to_owned(),
            None => lines.push(Line { event: event.name.to_string(), hint, steps: Vec::new() }),
        }
    }
}

fn walked(walk: &Walk, nodes: &mut Vec<Node>, arrows: &mut BTreeMap<Key, Vec<Line>>) {
    let of = |nodes: &mut Vec<Node>, name: &str| {
        place(nodes, name).unwrap_or_else(|| {
            nodes.push(Node { name: name.to_owned(), terminal: false, visited: false, current: false, note: None });
            nodes.len() - 1
        })
    };
    for (number, step) in walk.steps.iter().enumerate() {
        let from = step.from.as_deref().map(|name| of(nodes, name));
        let to = of(nodes, &step.to);
        for at in from.into_iter().chain([to]) {
            nodes[at].visited = true;
        }
        let styles = [Style::Plain, Style::Deadline, Style::Override, Style::Beside];
        let drawn = styles
            .into_iter()
            .map(|style| (from, to, style))
            .find(|key| arrows.get(key).is_some_and(|lines| lines.iter().any(|line| line.event == step.event)));
        let lines = arrows.entry(drawn.unwrap_or((from, to, Style::Beside))).or_default();
        match lines.iter_mut().find(|line| line.event == step.event) {
            Some(line) => line.steps.push(number + 1),
            None => lines.push(Line { event: step.event.clone(), hint: String::new(), steps: vec![number + 1] }),
        }
    }
    if let Some(current) = walk.current.as_deref() {
        let at = of(nodes, current);
        nodes[at].current = true;
        nodes[at].note = walk.erased.clone();
    }
}
