//! What was found, in columns for a person and as one object for a program.

use super::Read;
use crate::show::inert;
use hos_core::contract::infer::text::BREAKS_TOLD;
use hos_core::contract::infer::{Arrows, Birth, Edge, Example, Proposal, Times, Verdict, human};
use hos_core::time::Span;
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// For a person.
pub(crate) fn text(read: &Read, proposal: &Proposal, arrows: &Arrows) -> String {
    let columns: Vec<String> = read.columns.iter().map(|(of, name)| format!("{of}: {}", inert(name))).collect();
    let mut out = format!("read      {} rows of {} instances in {}\n", proposal.rows, proposal.instances, read.name);
    let _ = writeln!(out, "columns   {}", columns.join(", "));
    for renamed in proposal.renamed.iter().chain(&arrows.renamed) {
        let _ = writeln!(out, "renamed   {} `{}` is `{}`", renamed.what, inert(&cut(&renamed.said)), renamed.name);
    }
    states(&mut out, proposal);
    births(&mut out, proposal, arrows);
    edges(&mut out, "\nmoves", proposal.edges.iter().filter(|e| e.verdict == Verdict::Usual));
    edges(&mut out, "\nrare moves, kept", proposal.edges.iter().filter(|e| e.verdict == Verdict::Rare));
    edges(&mut out, "\nmoves that look illegal, left out", proposal.edges.iter().filter(|e| e.verdict == Verdict::Illegal));
    if !proposal.breaks.is_empty() {
        out.push_str("\nbreaks: the instance was in another state than its row says\n");
    }
    for broken in proposal.breaks.iter().take(BREAKS_TOLD) {
        let _ = writeln!(out, "  {broken};{}", such_as(&broken.examples));
    }
    if let Some(more) = proposal.breaks.len().checked_sub(BREAKS_TOLD).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more kinds, each at most as often (--json has them all)");
    }
    if !proposal.rules.is_empty() {
        out.push_str("\ndeadlines that look like rules\n");
    }
    for rule in &proposal.rules {
        let _ = writeln!(out, "  {} --({})--> {} after {}: {rule}", rule.from, rule.event, rule.to, human(rule.after));
    }
    if !arrows.split.is_empty() {
        out.push_str("\nevents that lead from one state to several: each was split, and a guard may tell them apart\n");
    }
    for (event, from) in &arrows.split {
        let names: Vec<&str> = arrows.arrows.iter().filter(|a| a.event == *event).map(|a| a.name.as_str()).collect();
        let _ = writeln!(out, "  {event} from {from}: {}", names.join(", "));
    }
    out
}

fn states(out: &mut String, proposal: &Proposal) {
    out.push_str("\nstates\n");
    let head = ["", "came", "again", "left", "here", "5 %", "half", "95 %", ""].map(str::to_owned).to_vec();
    let rows = proposal.states.iter().map(|s| {
        let mut row = vec![s.name.to_string()];
        row.extend([s.entries, s.again, s.left, s.resting].map(|n| n.to_string()));
        row.extend(times(s.stay));
        row.push(if s.ends { "ends".to_owned() } else { String::new() });
        row
    });
    lines(out, std::iter::once(head).chain(rows).collect());
    let stayed: u64 = proposal.states.iter().map(|s| s.stayed).sum();
    if stayed > 0 {
        let _ = writeln!(out, "  rows that name no event and leave the state as it is, which are no moves: {stayed}");
    }
}

fn births(out: &mut String, proposal: &Proposal, arrows: &Arrows) {
    out.push_str("\nbirths\n");
    let rows = proposal.births.iter().enumerate().map(|(place, birth)| {
        let name = arrows.births.iter().find(|(_, at)| *at == place).map_or("-", |(name, _)| name.as_str());
        vec![name.to_owned(), birth.count.to_string(), format!("-> {}", birth.to), how(birth).to_owned()]
    });
    lines(out, rows.collect());
}

fn how(birth: &Birth) -> &'static str {
    match (birth.told, birth.kept) {
        (true, _) => "",
        (false, true) => "found there by the instance's first row",
        (false, false) => "found there by the instance's first row: born before the history begins, left out",
    }
}

fn edges<'a>(out: &mut String, title: &str, edges: impl Iterator<Item = &'a Edge>) {
    let edges: Vec<&Edge> = edges.collect();
    if edges.is_empty() {
        return;
    }
    let _ = writeln!(out, "{title}");
    let head = ["", "times", "of visits", "5 %", "half", "95 %"].map(str::to_owned).to_vec();
    let rows = edges.iter().map(|e| {
        let mut row = vec![format!("{} --({})--> {}", e.from, e.event, e.to), e.count.to_string(), share(e.count, e.visits)];
        row.extend(times(e.wait));
        row
    });
    let mut told = String::new();
    lines(&mut told, std::iter::once(head).chain(rows).collect());
    for (line, edge) in told.lines().zip(std::iter::once(None).chain(edges.iter().map(Some))) {
        let _ = writeln!(out, "{line}");
        let Some(edge) = edge.filter(|e| !e.reasons.is_empty()) else { continue };
        for reason in &edge.reasons {
            let _ = writeln!(out, "      {reason}");
        }
        let _ = writeln!(out, "     {}", such_as(&edge.examples));
    }
}

/// A part in percent, with one place; a part that is there is never nothing.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    match part.saturating_mul(1_000) / whole {
        0 if part > 0 => "< 0.1 %".to_owned(),
        thousandths => format!("{}.{} %", thousandths / 10, thousandths % 10),
    }
}

fn times(of: Option<Times>) -> [String; 3] {
    of.map_or_else(Default::default, |t| [t.low, t.half, t.high].map(human))
}

fn such_as(examples: &[Example]) -> String {
    let all: Vec<String> = examples.iter().map(Example::to_string).collect();
    if all.is_empty() { String::new() } else { format!(" such as {}", all.join(", ")) }
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Rows of cells under one another; columns of numbers stand to the right, with their heads.
fn lines(out: &mut String, rows: Vec<Vec<String>>) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |i: usize| rows.iter().filter_map(move |r| r.get(i));
    let is_number = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit() || c == '<');
    let shapes: Vec<(usize, bool)> = (0..columns)
        .map(|i| (cells(i).map(|c| c.chars().count()).max().unwrap_or(0), i > 0 && cells(i).any(is_number)))
        .collect();
    for row in &rows {
        let mut line = String::from("  ");
        for (cell, (width, right)) in row.iter().zip(&shapes) {
            let blanks = " ".repeat(width - cell.chars().count());
            line.push_str(&if *right { format!("{blanks}{cell}  ") } else { format!("{cell}{blanks}  ") });
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// For a program.
pub(crate) fn figures(read: &Read, proposal: &Proposal, arrows: &Arrows) -> Json {
    let columns: serde_json::Map<String, Json> = read.columns.iter().map(|(of, name)| ((*of).to_owned(), json!(name))).collect();
    let name_of = |place: usize| {
        let arrow = arrows.arrows.iter().find(|a| a.edges.contains(&place));
        arrow.map(|a| a.name.as_str())
    };
    let birth_of = |place: usize| arrows.births.iter().find(|(_, at)| *at == place).map(|(name, _)| name.as_str());
    let states = proposal.states.iter().map(|s| {
        json!({ "name": s.name.as_str(), "entries": s.entries, "again": s.again, "left": s.left, "resting": s.resting, "stayed": s.stayed,
                "ends": s.ends, "stay": span(s.stay) })
    });
    let births = proposal.births.iter().enumerate().map(|(place, b)| {
        json!({ "name": birth_of(place), "event": b.event.as_ref().map(|e| e.as_str()), "to": b.to.as_str(), "count": b.count,
                "told": b.told, "kept": b.kept, "examples": examples(&b.examples) })
    });
    let edges = proposal.edges.iter().enumerate().map(|(place, e)| {
        let reasons = e.reasons.iter().map(|r| json!({ "code": r.code(), "text": r.to_string() }));
        json!({ "from": e.from.as_str(), "event": e.event.as_str(), "to": e.to.as_str(), "name": name_of(place), "count": e.count,
                "visits": e.visits, "verdict": e.verdict.as_str(), "reasons": reasons.collect::<Vec<_>>(),
                "examples": examples(&e.examples), "wait": span(e.wait) })
    });
    let breaks = proposal.breaks.iter().map(|b| {
        json!({ "was": b.was.as_str(), "said": b.said.as_ref().map(|s| s.as_str()), "to": b.to.as_str(), "count": b.count,
                "examples": examples(&b.examples) })
    });
    let rules = proposal.rules.iter().map(|r| {
        json!({ "state": r.from.as_str(), "event": r.event.as_str(), "to": r.to.as_str(), "after_ms": r.after.0,
                "beyond": r.beyond, "wait": span(Some(r.times)) })
    });
    let renamed = proposal
        .renamed
        .iter()
        .chain(&arrows.renamed)
        .map(|r| json!({ "what": r.what, "said": r.said, "name": r.name.as_str() }));
    json!({
        "file": read.name, "columns": columns, "rows": proposal.rows, "instances": proposal.instances,
        "states": states.collect::<Vec<_>>(), "births": births.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>(),
        "breaks": breaks.collect::<Vec<_>>(), "deadlines": rules.collect::<Vec<_>>(),
        "split": arrows.split.iter().map(|(event, from)| json!({ "event": event.as_str(), "from": from.as_str() })).collect::<Vec<_>>(),
        "renamed": renamed.collect::<Vec<_>>(),
    })
}

fn span(of: Option<Times>) -> Json {
    let ms = |Span(ms): Span| ms;
    of.map_or(Json::Null, |t| json!({ "count": t.count, "p5_ms": ms(t.low), "half_ms": ms(t.half), "p95_ms": ms(t.high) }))
}

fn examples(all: &[Example]) -> Json {
    all.iter().map(|e| json!({ "instance": e.instance, "line": e.line })).collect()
}
