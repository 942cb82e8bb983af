//! Real marketplaces' state machines, read from the shared data where it is there, as contracts.
#![allow(dead_code, reason = "each test binary uses its part")]

use hos_core::contract::definition::Contract;
use hos_core::contract::parse::parse;
use hos_core::fault::SourceFile;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// One move: event, from, to.
pub(crate) type Edge = (String, String, String);

pub(crate) struct Graph {
    pub(crate) states: Vec<String>,
    pub(crate) initial: Vec<String>,
    /// Event -> source (`*` too) -> targets in order, and whether each is guarded.
    events: BTreeMap<String, BTreeMap<String, Vec<(String, bool)>>>,
    pub(crate) undeclared: Vec<String>,
}

/// How much of what the graph leaves open the contract says on purpose.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Purpose {
    /// Nothing: as the graph is.
    None,
    /// Sinks are terminal, everything else may last, self-loops are meant.
    Declared,
}

pub(crate) fn graphs() -> Option<Vec<(String, Graph)>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/contracts/graphs");
    let Ok(files) = std::fs::read_dir(&dir) else {
        println!("skipped: ../shared/data is absent");
        return None;
    };
    let mut paths: Vec<PathBuf> =
        files.map(|f| f.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    Some(paths.iter().map(|p| (p.file_stem().unwrap().to_str().unwrap().to_owned(), Graph::read(p))).collect())
}

fn texts(json: &Json) -> Vec<String> {
    json.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect()
}

impl Graph {
    pub(crate) fn read(path: &Path) -> Self {
        let json: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut events: BTreeMap<String, BTreeMap<String, Vec<(String, bool)>>> = BTreeMap::new();
        for t in json["transitions"].as_array().unwrap() {
            let text = |key: &str| t[key].as_str().unwrap().to_owned();
            events.entry(text("event")).or_default().entry(text("from")).or_default().push((text("to"), !t["guard"].is_null()));
        }
        Self {
            states: texts(&json["states"]),
            initial: texts(&json["initial"]),
            events,
            undeclared: texts(&json["checks"]["undeclared"]),
        }
    }

    pub(crate) fn edges(&self) -> BTreeSet<Edge> {
        let mut found = BTreeSet::new();
        for (event, sources) in &self.events {
            for (from, targets) in sources {
                let froms = if from == "*" { self.states.clone() } else { vec![from.clone()] };
                for from in froms {
                    found.extend(targets.iter().map(|(to, _)| (event.clone(), from.clone(), to.clone())));
                }
            }
        }
        found
    }

    pub(crate) fn contract(&self, purpose: Purpose) -> String {
        let quoted = |names: &[String]| format!("[{}]", names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", "));
        let left: BTreeSet<String> = self.edges().into_iter().map(|(_, from, _)| from).collect();
        let (mut terminal, mut forever) = (Vec::new(), Vec::new());
        if purpose == Purpose::Declared {
            (forever, terminal) = self.states.iter().cloned().partition(|s| left.contains(s));
        }
        let mut out = format!(
            "contract = \"machine\"\nversion = 1\nentity = \"Machine\"\nstates = {}\nterminal = {}\nforever = {}\n",
            quoted(&self.states),
            quoted(&terminal),
            quoted(&forever)
        );
        for (i, state) in self.initial.iter().enumerate() {
            let _ = write!(out, "[begin.birth{i}]\nto = \"{state}\"\n");
        }
        for (event, sources) in &self.events {
            let guarded: BTreeSet<&String> = sources.values().flatten().filter(|(_, g)| *g).map(|(to, _)| to).collect();
            let args: Vec<String> = guarded.iter().map(|to| format!("may_{to} = \"Bool\"")).collect();
            // Sources with the same outcomes share an arrow.
            let mut arrows: BTreeMap<&Vec<(String, bool)>, Vec<String>> = BTreeMap::new();
            for (from, targets) in sources {
                arrows.entry(targets).or_default().push(from.clone());
            }
            for (targets, froms) in arrows {
                let _ = write!(out, "[[event.{event}]]\nfrom = {}\nargs = {{ {} }}\n", quoted(&froms), args.join(", "));
                if purpose == Purpose::Declared {
                    out.push_str("self_loop = true\n");
                }
                let (last, others) = targets.split_last().unwrap();
                if last.1 {
                    // No outcome is left over: the event is refused where no guard holds.
                    let any = targets.iter().map(|(to, _)| format!("context.may_{to}")).collect::<Vec<_>>().join(" || ");
                    let _ = writeln!(out, "require = [{{ code = \"not_allowed\", when = \"{any}\" }}]");
                }
                let branches: Vec<String> = others
                    .iter()
                    .map(|(to, guard)| {
                        assert!(*guard, "an unguarded outcome hides those after it");
                        format!("{{ to = \"{to}\", when = \"context.may_{to}\" }}")
                    })
                    .chain([format!("{{ to = \"{}\" }}", last.0)])
                    .collect();
                let _ = writeln!(out, "branch = [{}]", branches.join(", "));
            }
        }
        out
    }
}

pub(crate) fn parsed(text: &str) -> (Contract, SourceFile) {
    let file = SourceFile { path: "machine.toml".into(), text: text.into() };
    match parse(&file, "Test") {
        Ok((contract, warnings)) => {
            assert!(warnings.is_empty(), "{warnings:?}");
            (contract, file)
        }
        Err(faults) => panic!("{}\n{text}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// All of them as contracts that say on purpose what the graphs leave open.
pub(crate) fn contracts() -> Vec<(String, Contract)> {
    let graphs = graphs().unwrap_or_default().into_iter().filter(|(_, graph)| graph.undeclared.is_empty());
    graphs.map(|(name, graph)| (name, parsed(&graph.contract(Purpose::Declared)).0)).collect()
}
