//! The contract's file: a draft that loads, and says of everything how often it was seen.
//!
//! Prose stands behind `# `; what is written and switched off stands behind a bare `#`, so that taking the sign away switches
//! it on.

use super::arrows::{ADOPT, Arrow, Arrows};
use super::proposal::{Edge, Example, Proposal, Rule, State};
use crate::contract::draw::span_text;
use crate::contract::infer::waits::human;
use crate::id::{Name, Shown};
use crate::limits::TOML_BYTES_MAX;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many kinds of break are told in the file.
pub const BREAKS_TOLD: usize = 30;
/// How wide prose is.
const WIDTH: usize = 120;

/// What the file says besides the proposal.
#[derive(Debug, Clone)]
pub struct Title<'a> {
    /// The contract's name.
    pub contract: &'a Name,
    /// The entity type, without a namespace.
    pub entity: &'a str,
    /// What the history is called.
    pub source: &'a str,
}

/// Writes the file. Says why where it would be longer than a contract may be.
pub fn contract(proposal: &Proposal, arrows: &Arrows, title: &Title<'_>) -> Result<String, String> {
    let mut out = String::new();
    head(&mut out, proposal, title);
    for (name, place) in &arrows.births {
        if let Some(birth) = proposal.births.get(*place) {
            let how = if birth.told { "Births seen" } else { "Instances found here when the history begins" };
            prose(&mut out, &format!("{how}: {}.", birth.count));
            let _ = writeln!(out, "[begin.{name}]\nto = \"{}\"\n", birth.to);
        }
    }
    let mut often: BTreeMap<&Name, usize> = BTreeMap::new();
    arrows.arrows.iter().for_each(|a| *often.entry(&a.name).or_default() += 1);
    let single = |arrow: &Arrow| often.get(&arrow.name) == Some(&1);
    for arrow in arrows.arrows.iter().filter(|a| a.kept) {
        kept(&mut out, proposal, arrows, arrow, single(arrow));
    }
    let shut: Vec<&Arrow> = arrows.arrows.iter().filter(|a| !a.kept).collect();
    if !shut.is_empty() {
        prose(
            &mut out,
            "What follows looks illegal and is switched off. What was lawful after all is switched on by taking the `#` away.",
        );
        out.push('\n');
    }
    for arrow in shut {
        left_out(&mut out, proposal, arrow, single(arrow));
    }
    for rule in &proposal.rules {
        deadline(&mut out, proposal, arrows, rule);
    }
    if !proposal.breaks.is_empty() {
        prose(&mut out, "Breaks: where an instance was in another state than its next row says. No move is proposed from them.");
    }
    for broken in proposal.breaks.iter().take(BREAKS_TOLD) {
        prose(&mut out, &format!("- {broken};{}", such_as(&broken.examples)));
    }
    if let Some(more) = proposal.breaks.len().checked_sub(BREAKS_TOLD).filter(|more| *more > 0) {
        prose(&mut out, &format!("- and {more} more kinds, each at most as often"));
    }
    match out.len() {
        len if len > TOML_BYTES_MAX => Err(format!("the contract would have {len} bytes, and may have {TOML_BYTES_MAX}")),
        _ => Ok(out),
    }
}

fn head(out: &mut String, proposal: &Proposal, title: &Title<'_>) {
    let source: String = title.source.chars().take(80).collect();
    prose(
        out,
        &format!(
            "Proposed from {} rows of {} instances in {}: what happened, which is not yet what may happen. A draft to be read.",
            proposal.rows,
            proposal.instances,
            Shown(&source)
        ),
    );
    out.push_str("#\n");
    prose(
        out,
        "Facts, arguments and guards cannot be seen in a history: they are to be added. Nobody may do anything before policies \
         say so.",
    );
    let quoted = |names: Vec<&Name>| names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "contract = \"{}\"\nversion  = 1\nentity   = \"{}\"\nstates   = [", title.contract, title.entity);
    for state in &proposal.states {
        let _ = writeln!(out, "  \"{}\", # {}", state.name, visits(state));
    }
    out.push_str("]\n");
    let (ends, others): (Vec<&State>, Vec<&State>) = proposal.states.iter().partition(|s| s.ends);
    prose(out, "Nothing that is kept leaves these.");
    let _ = writeln!(out, "terminal = [{}]", quoted(ends.iter().map(|s| &s.name).collect()));
    prose(out, "No deadline is written for these. One that gets a deadline leaves this list.");
    let _ = writeln!(out, "forever  = [{}]\n", quoted(others.iter().map(|s| &s.name).collect()));
}

fn visits(state: &State) -> String {
    let again = if state.again > 0 { format!(" ({} of them again)", state.again) } else { String::new() };
    let stayed = if state.stayed > 0 { format!(", {} rows changed nothing", state.stayed) } else { String::new() };
    format!("{} came{again}, {} left, {} are here{stayed}", state.entries, state.left, state.resting)
}

fn kept(out: &mut String, proposal: &Proposal, arrows: &Arrows, arrow: &Arrow, single: bool) {
    let edges: Vec<&Edge> = arrow.edges.iter().filter_map(|i| proposal.edges.get(*i)).collect();
    let renamed = arrows.renamed.iter().find(|renamed| renamed.name == arrow.name);
    if let Some(renamed) = renamed.filter(|renamed| renamed.said == ADOPT) {
        let why = "who may bring instances in is asked for by that name";
        prose(out, &format!("The history calls it `{}`, and no event may be called so: {why}.", renamed.said));
    }
    if let Some(state) = arrows.split.get(&arrow.event) {
        prose(
            out,
            &format!(
                "`{}` leads from `{state}` to several states, so each has an event of its own. Where something tells them apart, \
                 one event with `branch = [{{ to, when }}, ..]` says it better.",
                arrow.event
            ),
        );
    }
    for edge in &edges {
        prose(out, &format!("{}: {} of {} visits{}", edge.from, edge.count, edge.visits, stayed(edge)));
        edge.reasons.iter().for_each(|reason| prose(out, &format!("  rare, {reason}")));
        if !edge.reasons.is_empty() {
            prose(out, &format!("  {}", such_as(&edge.examples).trim_start()));
        }
    }
    let from: Vec<String> = edges.iter().map(|e| format!("\"{}\"", e.from)).collect();
    let _ = writeln!(out, "{}\nfrom = [{}]\nto   = \"{}\"", header(&arrow.name, single), from.join(", "), arrow.to);
    if edges.iter().any(|e| e.from == e.to) {
        prose(
            out,
            "It was seen to stay where it is. If that is the same call again, `on_same = \"noop\"` without that source is better.",
        );
        out.push_str("self_loop = true\n");
    }
    out.push('\n');
}

fn header(name: &Name, single: bool) -> String {
    if single { format!("[event.{name}]") } else { format!("[[event.{name}]]") }
}

fn stayed(edge: &Edge) -> String {
    let Some(times) = edge.wait else { return String::new() };
    format!(", after {} / {} / {} (5 % / half / 95 %)", human(times.low), human(times.half), human(times.high))
}

fn left_out(out: &mut String, proposal: &Proposal, arrow: &Arrow, single: bool) {
    for edge in arrow.edges.iter().filter_map(|i| proposal.edges.get(*i)) {
        prose(out, &format!("{} -> {} by {}: {} of {} visits", edge.from, edge.to, edge.event, edge.count, edge.visits));
        edge.reasons.iter().for_each(|reason| prose(out, &format!("  {reason}")));
        prose(out, &format!("  {}", such_as(&edge.examples).trim_start()));
        if proposal.states.iter().any(|s| s.name == edge.from && s.ends) {
            prose(out, &format!("  `{}` is no longer terminal then.", edge.from));
        }
        let _ = writeln!(out, "#{}\n#from = [\"{}\"]\n#to   = \"{}\"", header(&arrow.name, single), edge.from, edge.to);
        if edge.from == edge.to {
            out.push_str("#self_loop = true\n");
        }
        out.push('\n');
    }
}

fn deadline(out: &mut String, proposal: &Proposal, arrows: &Arrows, rule: &Rule) {
    let is_its = |a: &&Arrow| {
        let edges = a.edges.iter().filter_map(|i| proposal.edges.get(*i));
        a.kept && a.event == rule.event && a.to == rule.to && edges.clone().any(|e| e.from == rule.from)
    };
    let Some(arrow) = arrows.arrows.iter().find(is_its) else { return };
    prose(out, &format!("Looks like a deadline: {rule}. If the clock does it, the policies must permit it to the clock."));
    let after = span_text(rule.after);
    let _ = writeln!(out, "#[[deadline]]\n#state = \"{}\"\n#after = \"{after}\"\n#event = \"{}\"\n", rule.from, arrow.name);
}

fn such_as(examples: &[Example]) -> String {
    let all: Vec<String> = examples.iter().map(Example::to_string).collect();
    if all.is_empty() { String::new() } else { format!(" such as {}", all.join(", ")) }
}

/// A comment, in lines that can be read. What comes from outside was escaped where it was put into words.
fn prose(out: &mut String, text: &str) {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut line = format!("# {indent}");
    let mut is_first = true;
    for word in text.split_whitespace() {
        if !is_first && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = format!("#   {indent}");
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
        is_first = false;
    }
    let _ = writeln!(out, "{line}");
}
