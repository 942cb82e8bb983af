//! A contract's picture as SVG: self-contained, without scripts and foreign fonts, light or dark as the reader's screen is.
//!
//! Terminal states have a double border. A deadline's arrow is dashed, an override's dotted. With an instance's path, the arrows
//! that it took are thick and numbered, and the state it is in is filled. The same input gives the same text, byte for byte.

use super::definition::Contract;
use super::layout::{Link, Placed, Size, place};
use super::picture::{Arrow, Line, Node, Picture, Style, Walk, picture};
use std::fmt::Write;

/// The picture's style; whoever puts [`svg_body`] into a page puts this into the page's.
pub const STYLE: &str = ".hos-c{--bg:#fff;--fg:#1f2328;--mute:#59636e;--line:#6e7781;--box:#f6f8fa;--go:#0969da;--due:#9a6700;--way:#8250df}\
@media (prefers-color-scheme:dark){.hos-c{--bg:#0d1117;--fg:#e6edf3;--mute:#9198a1;--line:#8b949e;--box:#161b22;--go:#4493f8;--due:#d29922;--way:#ab7df8}}\
.hos-c .bg{fill:var(--bg)}\
.hos-c text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:12px;fill:var(--fg)}\
.hos-c .s{fill:var(--box);stroke:var(--fg);stroke-width:1.2}\
.hos-c .i{fill:none;stroke:var(--fg);stroke-width:1}\
.hos-c .n{font-size:13px;font-weight:600;text-anchor:middle}\
.hos-c .w{font-size:11px;text-anchor:middle}\
.hos-c .seen .s{stroke:var(--go);stroke-width:2}\
.hos-c .now .s{fill:var(--go);stroke:var(--go)}\
.hos-c .now .i{stroke:var(--bg)}\
.hos-c .now text{fill:var(--bg)}\
.hos-c .b{fill:var(--fg)}\
.hos-c .e{fill:none;stroke:var(--line);stroke-width:1.3}\
.hos-c .h{fill:var(--line)}\
.hos-c .m{fill:var(--mute)}\
.hos-c .due .e{stroke:var(--due);stroke-dasharray:6 4}\
.hos-c .due .h,.hos-c .due .l{fill:var(--due)}\
.hos-c .way .e{stroke:var(--way);stroke-dasharray:1.5 4;stroke-linecap:round;stroke-width:2}\
.hos-c .way .h,.hos-c .way .l{fill:var(--way)}\
.hos-c .aside .e{stroke-dasharray:8 3 1.5 3}\
.hos-c .went .e{stroke:var(--go);stroke-width:3}\
.hos-c .went .h{fill:var(--go)}\
.hos-c .p{fill:var(--go)}\
.hos-c .k{fill:var(--bg);font-size:11px;font-weight:600;text-anchor:middle}";

/// Around the picture.
const MARGIN: f64 = 16.0;
/// How wide a character is at most: of a label, and of a state's name.
const CHAR: f64 = 7.4;
const NAME_CHAR: f64 = 8.1;
/// How high a line of a label is.
const LINE: f64 = 17.0;
/// How high a state is.
const STATE: f64 = 38.0;
/// How far a loop reaches out of its state.
const LOOP: f64 = 26.0;
/// How many numbers one label shows.
const NUMBERS_MAX: usize = 6;

/// A whole file.
pub fn svg(contract: &Contract, walk: Option<&Walk>) -> String {
    drawn(contract, walk, true)
}

/// The same without its style, for a page that has it.
pub fn svg_body(contract: &Contract, walk: Option<&Walk>) -> String {
    drawn(contract, walk, false)
}

/// Text as it may stand in XML: escaped, without what XML forbids and what turns the direction of text.
pub fn xml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() => out.push('\u{fffd}'),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

/// How many columns a text takes: what is not Latin may be twice as wide.
fn columns(text: &str) -> f64 {
    text.chars().map(|c| if u32::from(c) < 0x1100 { 1.0 } else { 2.0 }).sum()
}

fn pill(number: usize) -> f64 {
    number.to_string().len() as f64 * 7.0 + 11.0
}

/// The numbers that a line shows; 0 stands for further ones.
fn numbers(line: &Line) -> Vec<usize> {
    let mut shown: Vec<usize> = line.steps.iter().copied().take(NUMBERS_MAX).collect();
    if line.steps.len() > NUMBERS_MAX {
        shown.push(0);
    }
    shown
}

fn line_width(line: &Line) -> f64 {
    let hint = if line.hint.is_empty() { 0.0 } else { columns(&line.hint) + 1.0 };
    (columns(&line.event) + hint) * CHAR + numbers(line).iter().map(|n| pill(*n) + 4.0).sum::<f64>() + 4.0
}

fn label_size(arrow: &Arrow) -> (f64, f64) {
    (arrow.lines.iter().map(line_width).fold(0.0, f64::max), arrow.lines.len() as f64 * LINE)
}

fn drawn(contract: &Contract, walk: Option<&Walk>, with_style: bool) -> String {
    let picture = picture(contract, walk);
    let loops: Vec<&Arrow> = picture.arrows.iter().filter(|a| a.from == Some(a.to)).collect();
    let others: Vec<&Arrow> = picture.arrows.iter().filter(|a| a.from != Some(a.to)).collect();
    let sizes = sizes(&picture, &loops);
    // Where births come from stands before the states, so that it comes first.
    let birth = usize::from(others.iter().any(|a| a.from.is_none()));
    let links: Vec<Link> =
        others.iter().map(|a| Link { from: a.from.map_or(0, |f| f + birth), to: a.to + birth, label: label_size(a) }).collect();
    let all: Vec<Size> =
        (0..birth).map(|_| Size { width: 12.0, height: 12.0, beside: 0.0 }).chain(sizes.iter().copied()).collect();
    let placed = place(&all, &links);

    let (width, height) = (placed.width + 2.0 * MARGIN, placed.height + 2.0 * MARGIN);
    let title = format!("{} {}", contract.name, contract.version);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hos-c\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n",
        xml_text(&title)
    );
    if with_style {
        let _ = writeln!(out, "<style>{STYLE}</style>");
        let _ = writeln!(out, "<rect class=\"bg\" width=\"{width:.0}\" height=\"{height:.0}\"/>");
    }
    let _ = writeln!(out, "<g transform=\"translate({MARGIN:.0} {MARGIN:.0})\">");
    // What was walked lies on top.
    for walked in [false, true] {
        for (arrow, at) in others.iter().zip(0..).filter(|(a, _)| a.is_walked() == walked) {
            route(&mut out, arrow, &placed, at);
        }
    }
    if birth == 1 {
        let (x, y, w) = placed.boxes[0];
        let w = if others.iter().filter(|a| a.from.is_none()).count() > 1 { w } else { 12.0 };
        let _ = writeln!(
            out,
            "<rect class=\"b\" x=\"{:.1}\" y=\"{:.1}\" width=\"{w:.1}\" height=\"12\" rx=\"6\"/>",
            x - w / 2.0,
            y - 6.0
        );
    }
    for (at, node) in picture.nodes.iter().enumerate() {
        state(&mut out, node, placed.boxes[at + birth], sizes[at].height);
        let theirs: Vec<&Arrow> = loops.iter().copied().filter(|a| a.to == at).collect();
        draw_loops(&mut out, &theirs, placed.boxes[at + birth]);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn sizes(picture: &Picture, loops: &[&Arrow]) -> Vec<Size> {
    let size = |(at, node): (usize, &Node)| {
        let theirs = || loops.iter().filter(|a| a.to == at).map(|a| label_size(a));
        let looped: f64 = theirs().map(|(_, h)| h.max(22.0) + 6.0).sum();
        let beside = theirs().map(|(w, _)| w + LOOP + 8.0).fold(0.0, f64::max);
        let note = node.note.as_ref().map_or(0.0, |note| columns(note) * 7.0);
        let width = (columns(&node.name) * NAME_CHAR).max(note) + 30.0;
        let height = if node.note.is_some() { STATE + 8.0 } else { STATE };
        Size { width: width.max(64.0), height: height.max(looped), beside }
    };
    picture.nodes.iter().enumerate().map(size).collect()
}

fn class(arrow: &Arrow) -> String {
    let style = match arrow.style {
        Style::Plain => "on",
        Style::Deadline => "due",
        Style::Override => "way",
        Style::Beside => "aside",
    };
    if arrow.is_walked() { format!("{style} went") } else { style.to_owned() }
}

fn route(out: &mut String, arrow: &Arrow, placed: &Placed, at: usize) {
    let route = &placed.routes[at];
    let Some(((x, from, to), rest)) = route.pieces.split_first() else { return };
    let mut path = format!("M{x:.1} {from:.1}V{to:.1}");
    let (mut before, mut y) = (*x, *to);
    for (x, from, to) in rest {
        let bend = (from - y) * 0.55;
        let _ = write!(path, "C{before:.1} {:.1} {x:.1} {:.1} {x:.1} {from:.1}", y + bend, from - bend);
        if from != to {
            let _ = write!(path, "V{to:.1}");
        }
        (before, y) = (*x, *to);
    }
    let up = route.pieces.last().zip(route.pieces.first()).is_some_and(|(last, first)| last.2 < first.1);
    let _ = writeln!(out, "<g class=\"{}\"><path class=\"e\" d=\"{path}\"/>", class(arrow));
    let tail = if up { 9.0 } else { -9.0 };
    let _ = writeln!(out, "<path class=\"h\" d=\"M{before:.1} {y:.1}l-4.5 {tail}h9z\"/>");
    label(out, arrow, route.label);
    out.push_str("</g>\n");
}

/// A label's lines, from their left end and the middle of their height.
fn label(out: &mut String, arrow: &Arrow, (x, middle): (f64, f64)) {
    let top = middle - arrow.lines.len() as f64 * LINE / 2.0;
    for (i, line) in arrow.lines.iter().enumerate() {
        let base = top + i as f64 * LINE + 12.5;
        let _ = write!(out, "<text class=\"l\" x=\"{x:.1}\" y=\"{base:.1}\">{}", xml_text(&line.event));
        if !line.hint.is_empty() {
            let _ = write!(out, "<tspan class=\"m\"> {}</tspan>", xml_text(&line.hint));
        }
        out.push_str("</text>");
        let hint = if line.hint.is_empty() { 0.0 } else { columns(&line.hint) + 1.0 };
        let mut at = x + (columns(&line.event) + hint) * CHAR + 4.0;
        for number in numbers(line) {
            let width = pill(number);
            let text = if number == 0 { "+".to_owned() } else { number.to_string() };
            let _ = write!(
                out,
                "<rect class=\"p\" x=\"{at:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"15\" rx=\"7.5\"/><text class=\"k\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                base - 11.5,
                at + width / 2.0,
                base - 0.2
            );
            at += width + 4.0;
        }
        out.push('\n');
    }
}

fn state(out: &mut String, node: &Node, (x, y, width): (f64, f64, f64), height: f64) {
    let class = match (node.current, node.visited) {
        (true, _) => "state now",
        (false, true) => "state seen",
        _ => "state",
    };
    let (left, top) = (x - width / 2.0, y - height / 2.0);
    let _ = writeln!(
        out,
        "<g class=\"{class}\"><rect class=\"s\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"9\"/>"
    );
    if node.terminal {
        let _ = writeln!(
            out,
            "<rect class=\"i\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"/>",
            left + 4.0,
            top + 4.0,
            width - 8.0,
            height - 8.0
        );
    }
    let name = if node.note.is_some() { y - 2.0 } else { y + 4.5 };
    let _ = write!(out, "<text class=\"n\" x=\"{x:.1}\" y=\"{name:.1}\">{}</text>", xml_text(&node.name));
    if let Some(note) = &node.note {
        let _ = write!(out, "<text class=\"w\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>", y + 11.5, xml_text(note));
    }
    out.push_str("</g>\n");
}

/// Loops, one below the other, at the right of their state.
fn draw_loops(out: &mut String, loops: &[&Arrow], (x, y, width): (f64, f64, f64)) {
    let height = |a: &Arrow| label_size(a).1.max(22.0) + 6.0;
    let mut top = y - loops.iter().map(|a| height(a)).sum::<f64>() / 2.0;
    let right = x + width / 2.0;
    for arrow in loops {
        let middle = top + height(arrow) / 2.0;
        let _ = writeln!(
            out,
            "<g class=\"{}\"><path class=\"e\" d=\"M{right:.1} {:.1}c{LOOP} -7 {LOOP} 21 4 14\"/><path class=\"h\" d=\"M{right:.1} {:.1}l9 -4.5v9z\"/>",
            class(arrow),
            middle - 7.0,
            middle + 7.0
        );
        label(out, arrow, (right + LOOP, middle));
        out.push_str("</g>\n");
        top += height(arrow);
    }
}
