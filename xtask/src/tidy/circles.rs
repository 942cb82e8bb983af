//! Circles between modules: among siblings of one parent, none may need another that needs it.
//!
//! A child that names its parent's own items is no circle; what a parent re-exports from another child is an arrow to that
//! child.

use super::Finding;
use super::scan::Source;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Knots that stand: where (a package, or a module of one), the modules in order, and why. The list may only become shorter.
const KNOWN: &[(&str, &str, &str)] = &[
    ("hos-core:policy", "bound decide", "a prepared request borrows the directory it is bound to, which makes it"),
    ("hos-core:policy", "cedar rule shape", "Cedar's door makes rules and shapes, and they keep what it compiled"),
    ("hos-core:policy", "index links", "links are indexed as policies are, and kept beside them"),
    ("hos-engine:store/sqlite", "db registry", "the registry of open files knows the store that a forked child parts from"),
];

type Module = Vec<String>;
/// From one sibling to another: where it is said.
type Arrows = BTreeMap<(Module, String), BTreeMap<String, (String, usize)>>;

/// All findings of this rule.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut packages: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|s| !s.is_test || s.path.starts_with("examples/pazar/src/")) {
        if let Some(package) = source.package() {
            packages.entry(package).or_default().push(source);
        }
    }
    let mut out: Vec<Finding> = packages.iter().flat_map(|(name, sources)| package(name, sources)).collect();
    let whole = packages.contains_key("hos-core") && packages.contains_key("hos-engine");
    for (place, modules, _) in KNOWN.iter().filter(|_| whole) {
        let stands = |f: &Finding| f.warning && f.message.contains(&format!("in {place}: {modules} ("));
        if !out.iter().any(stands) {
            let message = format!("the knot `{modules}` of {place} is gone: take it off the list");
            out.push(Finding::error("xtask/src/tidy/circles.rs", 0, message));
        }
    }
    out
}

fn package(name: &str, sources: &[&Source]) -> Vec<Finding> {
    let modules: BTreeMap<Module, &Source> = sources.iter().map(|s| (module(&s.path), *s)).collect();
    let exports: BTreeMap<&Module, BTreeMap<String, Module>> =
        modules.iter().map(|(here, source)| (here, exported(here, source, &modules))).collect();
    let mut arrows: Arrows = BTreeMap::new();
    for (from, source) in &modules {
        for (line, path) in &source.names {
            let Some(to) = target(from, path, &modules, &exports) else { continue };
            let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            let (Some(a), Some(b)) = (from.get(common), to.get(common)) else { continue };
            if a == b {
                continue;
            }
            let siblings = arrows.entry((from[..common].to_vec(), a.clone())).or_default();
            siblings.entry(b.clone()).or_insert_with(|| (source.path.clone(), *line));
        }
    }
    circles(name, &arrows)
}

/// `hos-core/src/policy/index.rs` is `[policy, index]`; `lib.rs`, `main.rs` and `mod.rs` are their directory.
fn module(path: &str) -> Module {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let mut pieces: Module = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let last = pieces.last().map(String::as_str);
    if last == Some("mod") || (pieces.len() == 1 && matches!(last, Some("lib" | "main"))) {
        pieces.pop();
    }
    pieces
}

/// Turns a path as written into one from the crate's root; `None` for what lies outside.
fn absolute(from: &Module, path: &[String], modules: &BTreeMap<Module, &Source>) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|s| *s == "super").count();
    match path[0].as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some(from.iter().chain(&path[1..]).cloned().collect()),
        "super" => Some(from.iter().take(from.len().checked_sub(supers)?).chain(&path[supers..]).cloned().collect()),
        first => {
            let child: Module = from.iter().cloned().chain([first.to_owned()]).collect();
            modules.contains_key(&child).then(|| from.iter().chain(path).cloned().collect())
        }
    }
}

fn exported(here: &Module, source: &Source, modules: &BTreeMap<Module, &Source>) -> BTreeMap<String, Module> {
    let mut out = BTreeMap::new();
    for (_, path) in &source.names {
        let Some(full) = absolute(here, path, modules) else { continue };
        let depth = longest(&full, modules);
        if depth > here.len()
            && depth < full.len()
            && let Some(name) = full.last()
        {
            out.insert(name.clone(), full[..depth].to_vec());
        }
    }
    out
}

fn longest(full: &[String], modules: &BTreeMap<Module, &Source>) -> usize {
    (0..=full.len()).rev().find(|n| modules.contains_key(&full[..*n])).unwrap_or(0)
}

fn target(
    from: &Module,
    path: &[String],
    modules: &BTreeMap<Module, &Source>,
    exports: &BTreeMap<&Module, BTreeMap<String, Module>>,
) -> Option<Module> {
    let full = absolute(from, path, modules)?;
    let mut to = full[..longest(&full, modules)].to_vec();
    let mut name = full.get(to.len());
    while let Some(next) = name.and_then(|n| exports.get(&to)?.get(n)) {
        if *next == to || next.starts_with(from) {
            break;
        }
        to.clone_from(next);
        name = full.last();
    }
    Some(to)
}

/// One finding for each knot: siblings that all reach each other, told by their shortest circle.
fn circles(package: &str, arrows: &Arrows) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut told: BTreeSet<(Module, BTreeSet<String>)> = BTreeSet::new();
    for ((parent, a), targets) in arrows {
        let knot: BTreeSet<String> =
            reached(arrows, parent, a).into_iter().filter(|b| reached(arrows, parent, b).contains(a)).collect();
        if !knot.contains(a) || !told.insert((parent.clone(), knot.clone())) {
            continue;
        }
        let shortest = knot.iter().filter_map(|m| way(arrows, parent, m, m)).min_by_key(Vec::len).unwrap_or_default();
        let at = targets.iter().find(|(b, _)| knot.contains(*b)).map(|(_, at)| at.clone()).unwrap_or_default();
        let names: Vec<&str> = knot.iter().map(String::as_str).collect();
        let within = if parent.is_empty() { package.to_owned() } else { format!("{package}:{}", parent.join("/")) };
        let known = KNOWN.iter().find(|(place, modules, _)| *place == within && *modules == names.join(" "));
        let message = format!("modules go in a circle in {within}: {} (shortest: {})", names.join(" "), shortest.join(" -> "));
        out.push(match known {
            Some((.., why)) => Finding::warning(&at.0, at.1, format!("{message}; known: {why}")),
            None => Finding::error(&at.0, at.1, message),
        });
    }
    out
}

/// The siblings that one reaches in one step or more.
fn reached(arrows: &Arrows, parent: &Module, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(at) = open.pop() {
        for next in arrows.get(&(parent.clone(), at)).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

/// The shortest way, of one step or more.
fn way(arrows: &Arrows, parent: &Module, from: &str, to: &str) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::from([vec![from.to_owned()]]);
    while let Some(route) = open.pop_front() {
        let last = route.last()?;
        for next in arrows.get(&(parent.clone(), last.clone())).into_iter().flat_map(BTreeMap::keys) {
            let longer: Vec<String> = route.iter().cloned().chain([next.clone()]).collect();
            if next == to {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                open.push_back(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::File;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(p, t)| Source::new(&File { path: format!("a/src/{p}"), text: (*t).into() })).collect();
        check(&sources).into_iter().map(|f| f.message).collect()
    }

    #[test]
    fn a_planted_circle_is_found() {
        assert_eq!(
            findings(&[("lib.rs", "mod x; mod y;"), ("x.rs", "use crate::y::Y;"), ("y.rs", "use super::x::X;")]),
            ["modules go in a circle in a: x y (shortest: x -> y -> x)"]
        );
    }

    #[test]
    fn a_circle_through_a_re_export_is_found() {
        let found = findings(&[
            ("lib.rs", "mod open; mod engine; pub use open::Builder; pub use engine::Engine;"),
            ("open.rs", "use crate::Engine;"),
            ("engine.rs", "use crate::Builder;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_circle_of_three_in_a_wing_is_found() {
        let found = findings(&[
            ("lib.rs", "mod w;"),
            ("w/mod.rs", "mod a; mod b; mod c;"),
            ("w/a.rs", "use super::b::B;"),
            ("w/b.rs", "use crate::w::c::C;"),
            ("w/c.rs", "use super::a::A;"),
        ]);
        assert_eq!(found, ["modules go in a circle in a:w: a b c (shortest: a -> b -> c -> a)"]);
    }

    #[test]
    fn a_knot_that_is_gone_must_leave_the_list() {
        let empty = |path: &str| Source::new(&File { path: path.into(), text: String::new() });
        let found = check(&[empty("hos-core/src/lib.rs"), empty("hos-engine/src/lib.rs")]);
        assert_eq!(found.len(), KNOWN.len());
    }

    #[test]
    fn arrows_down_and_to_the_parent_are_none() {
        let found = findings(&[
            ("lib.rs", "mod w; mod id; pub use w::Thing;"),
            ("w/mod.rs", "mod a; pub use a::f; pub struct Thing;"),
            ("w/a.rs", "use super::Thing; use crate::id::Id; use std::fmt;"),
            ("id.rs", "use std::fmt;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }
}
