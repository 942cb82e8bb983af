//! Machines walked at random give back their graphs, and any history at all gives a contract that loads.

mod graphs;

use hos_core::contract::check::check;
use hos_core::contract::definition::Contract;
use hos_core::contract::infer::judge::judge;
use hos_core::contract::infer::{Arrows, History, Move, Proposal, Source, Verdict, arrows, text};
use hos_core::contract::parse::parse;
use hos_core::fault::{Severity, SourceFile};
use hos_core::id::Name;
use hos_core::limits::EVENTS_MAX;
use hos_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Event, from, to.
type Edge = (String, String, String);

/// SplitMix64: the same seed gives the same walk.
struct Chance(u64);

impl Chance {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.bits() % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

struct Machine {
    begins: Vec<String>,
    edges: BTreeSet<Edge>,
}

impl Machine {
    fn out_of(&self, state: &str) -> Vec<&Edge> {
        self.edges.iter().filter(|(_, from, _)| from == state).collect()
    }

    /// What a walk can come to.
    fn reachable(&self) -> BTreeSet<Edge> {
        let mut states: BTreeSet<&String> = self.begins.iter().collect();
        loop {
            let more: BTreeSet<&String> = self.edges.iter().filter(|e| states.contains(&e.1)).map(|e| &e.2).collect();
            let before = states.len();
            states.extend(more);
            if states.len() == before {
                return self.edges.iter().filter(|e| states.contains(&e.1)).cloned().collect();
            }
        }
    }

    /// Walks until each edge that can be reached was gone so often, every instance to an end or for so many steps.
    fn walked(&self, chance: &mut Chance, named: bool) -> History {
        let (often, steps_max) = (40, 60);
        let mut left: BTreeMap<Edge, u32> = self.reachable().into_iter().map(|e| (e, often)).collect();
        let (mut history, mut line, mut instance) = (History::new(false), 1, 0);
        while !left.is_empty() || instance < 100 {
            assert!(instance < 100_000, "some edges are never gone: {left:?}");
            instance += 1;
            let id = format!("i-{instance}");
            let mut state = &self.begins[chance.below(self.begins.len())];
            let mut add = |from, event: &str, to: &str| {
                line += 1;
                let (time, event) = (Some(Timestamp(line as i64 * 1_009)), named.then_some(event));
                history.add(&Move { instance: &id, from, to, event, time, line }).unwrap();
            };
            add(if named { Source::Birth } else { Source::Unsaid }, "begin", state);
            for _ in 0..steps_max {
                let ways = self.out_of(state);
                let Some(edge) = ways.get(chance.below(ways.len())) else { break };
                add(if named { Source::State(state) } else { Source::Unsaid }, &edge.0, &edge.2);
                if let Some(times) = left.get_mut(*edge) {
                    *times -= 1;
                    if *times == 0 {
                        left.remove(*edge);
                    }
                }
                state = &edge.2;
            }
        }
        history
    }
}

fn written(proposal: &Proposal) -> (Arrows, Contract) {
    let name = Name::new("machine").unwrap();
    let arrows = arrows(proposal, &name).unwrap();
    let text = text::contract(proposal, &arrows, &text::Title { contract: &name, entity: "Machine", source: "t" }).unwrap();
    (arrows, parsed(&text))
}

fn parsed(text: &str) -> Contract {
    let file = SourceFile { path: "contracts/machine.toml".into(), text: text.into() };
    let (contract, _) = parse(&file, "Test").unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    let errors: Vec<_> = check(&contract, &file).into_iter().filter(|f| f.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    contract
}

/// The edges of a contract's file, under the events' names in the history.
fn edges_of(contract: &Contract, arrows: &Arrows) -> BTreeSet<Edge> {
    let mut out = BTreeSet::new();
    for (name, all) in &contract.events {
        let event = arrows.arrows.iter().find(|a| a.name == *name).map(|a| a.event.to_string()).unwrap();
        for arrow in all {
            let targets = arrow.targets();
            out.extend(targets.flat_map(|to| arrow.from.iter().map(|from| (event.clone(), from.to_string(), to.to_string()))));
        }
    }
    out
}

/// Walks a machine, with and without the names of events, and holds what is proposed against it.
fn gives_itself_back(what: &str, machine: &Machine, chance: &mut Chance) {
    let want = machine.reachable();
    let proposal = judge(&machine.walked(chance, true));
    let shut: Vec<_> = proposal.edges.iter().filter(|e| e.verdict == Verdict::Illegal).collect();
    assert!(shut.is_empty(), "{what}: {shut:#?}");
    assert!(proposal.breaks.is_empty(), "{what}: {:?}", proposal.breaks);
    assert!(proposal.rules.is_empty(), "{what}: {:?}", proposal.rules);
    let (arrows, contract) = written(&proposal);
    assert_eq!(edges_of(&contract, &arrows), want, "{what}");
    let begins: BTreeSet<&str> = contract.begins.values().flat_map(|b| b.targets()).map(Name::as_str).collect();
    assert_eq!(begins, machine.begins.iter().map(String::as_str).collect(), "{what}");
    let ends: BTreeSet<&str> = contract.states.iter().filter(|s| s.terminal).map(|s| s.name.as_str()).collect();
    let seen = want.iter().flat_map(|(_, from, to)| [from, to]).chain(&machine.begins);
    let sinks: BTreeSet<&str> = seen.filter(|s| machine.out_of(s).is_empty()).map(String::as_str).collect();
    assert_eq!(ends, sinks, "{what}");
    // An event with two targets in one state is split, and no other.
    let mut ways: BTreeSet<(&str, &str)> = BTreeSet::new();
    let forks: BTreeSet<&str> = want.iter().filter(|(e, from, _)| !ways.insert((e, from))).map(|e| e.0.as_str()).collect();
    assert_eq!(arrows.split.keys().map(Name::as_str).collect::<BTreeSet<_>>(), forks, "{what}");

    // From states alone: the same moves, each under the name of its target. Of what changes nothing no state tells.
    let proposal = judge(&machine.walked(chance, false));
    let (arrows, contract) = written(&proposal);
    let moves = want.iter().filter(|(_, from, to)| from != to);
    let bare: BTreeSet<Edge> = moves.map(|(_, from, to)| (to.clone(), from.clone(), to.clone())).collect();
    assert_eq!(edges_of(&contract, &arrows), bare, "{what}");
    assert!(arrows.split.is_empty(), "{what}");
}

#[test]
fn real_machines_walked_at_random_give_back_their_graphs() {
    let Some(all) = graphs::graphs() else { return };
    assert_eq!(all.len(), 33);
    let mut chance = Chance(33);
    for (name, graph) in all {
        let machine = Machine { begins: graph.initial.clone(), edges: graph.edges() };
        gives_itself_back(&name, &machine, &mut chance);
    }
}

#[test]
fn machines_by_chance_give_back_their_graphs() {
    let mut walked = 0;
    for seed in 0..150 {
        let mut chance = Chance(seed);
        let states: Vec<String> = (0..2 + chance.below(9)).map(|i| format!("s{i}")).collect();
        let mut edges = BTreeSet::new();
        for from in states.iter().filter(|_| !chance.one_in(4)).cloned().collect::<Vec<_>>() {
            for event in 0..1 + chance.below(4) {
                let to = states[chance.below(states.len())].clone();
                // One event may lead to several states, and one state be come to by several events.
                edges.insert((format!("e{}", if chance.one_in(5) { 0 } else { event }), from.clone(), to));
            }
        }
        let machine = Machine { begins: vec![states[0].clone()], edges };
        walked += machine.reachable().len();
        gives_itself_back(&format!("seed {seed}"), &machine, &mut chance);
    }
    assert!(walked > 500, "{walked} edges are no test");
}

/// The file with everything that is switched off switched on. Nothing is terminal then.
fn switched_on(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(code) if !code.is_empty() && !code.starts_with(' ') => code,
        _ if line.starts_with("terminal = ") => "terminal = []",
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn any_history_gives_a_contract_that_loads() {
    const TEXTS: [&str; 16] = [
        "new",
        "Paid",
        "In Progress",
        "ödendi",
        "7",
        "a.b",
        "-",
        "x\u{7}y",
        "]]\n[event.z]",
        "\"q\"",
        "begin",
        "begin_new",
        "paid_2",
        "_",
        "é#'",
        "\u{202e}rtl",
    ];
    let (mut taken, mut refused, mut whole, mut shut, mut splits) = (0, 0, 0, 0, 0);
    for seed in 0..400u64 {
        let mut chance = Chance(seed);
        let mut history = History::new(chance.one_in(2));
        let long = "long".repeat(1 + chance.below(32));
        let text = |chance: &mut Chance| match chance.below(20) {
            0..=13 => TEXTS[chance.below(if seed % 3 == 0 { TEXTS.len() } else { 5 })].to_owned(),
            14 => long.clone(),
            _ => format!("s{}", chance.below(6)),
        };
        let (told, timed, events) = (chance.one_in(2), chance.one_in(2), chance.below(3));
        for line in 0..chance.below(3_000) as u64 {
            let (from, to, event) = (text(&mut chance), text(&mut chance), text(&mut chance));
            let from = match chance.below(if told { 30 } else { 1 }) {
                0 if told => Source::Birth,
                0 => Source::Unsaid,
                _ => Source::State(&from),
            };
            let event = [None, Some("go"), Some(event.as_str())][events];
            let time = timed.then(|| Timestamp(line as i64 * 3_600_000));
            let instance = format!("i\u{1b}\n{}", chance.below(200));
            match history.add(&Move { instance: &instance, from, to: &to, event, time, line }) {
                Ok(()) => taken += 1,
                Err(_) => refused += 1,
            }
        }
        let proposal = judge(&history);
        let name = Name::new("machine").unwrap();
        let Ok(arrows) = arrows(&proposal, &name) else { continue };
        let title = text::Title { contract: &name, entity: "Machine", source: "a\u{7}\n[x" };
        let text = text::contract(&proposal, &arrows, &title).unwrap();
        if history.rows() == 0 {
            continue;
        }
        let contract = parsed(&text);
        assert!(!contract.begins.is_empty(), "{text}");
        assert_eq!(edges_of(&contract, &arrows).len(), proposal.edges.iter().filter(|e| e.verdict != Verdict::Illegal).count());
        // All of it at once may be more than a contract holds.
        if arrows.births.len() + arrows.arrows.len() <= EVENTS_MAX {
            let on = parsed(&switched_on(&text));
            assert_eq!(edges_of(&on, &arrows).len(), proposal.edges.len(), "{text}");
            assert_eq!(on.deadlines.len(), proposal.rules.len());
            whole += 1;
        }
        shut += proposal.edges.iter().filter(|e| e.verdict == Verdict::Illegal).count();
        splits += arrows.split.len();
    }
    let seen = [taken > 100_000, refused > 1_000, whole > 200, shut > 1_000, splits > 100];
    assert_eq!(seen, [true; 5], "{taken} {refused} {whole} {shut} {splits}");
}
