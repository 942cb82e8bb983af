//! The model and the engine agree: what the model says can happen, the engine does, and what the engine does, the model said.
//!
//! Contracts are made by chance, their guards and conditions so that arguments and facts decide them; paths are walked on a store.

mod support;

use hos_core::call::{Begin, Transition};
use hos_core::contract::Contract;
use hos_core::contract::definition::{Branch, Event};
use hos_core::contract::model::world::{Act, Move, Way, World, births, moves};
use hos_core::contract::model::{Happened, Kind, Limits, Step, explore};
use hos_core::id::{InstanceId, Name};
use hos_core::judge::Instance;
use hos_core::time::{Span, Timestamp};
use hos_core::value::{Ext, Value};
use hos_engine::Settings;
use std::fmt::Write;
use support::{Store, at, fresh_under, root};

/// SplitMix64: the same seed gives the same test.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

const STATES: usize = 5;
const CALLS: [&str; 9] = ["e0", "e1", "e2", "e3", "e4", "d0", "d1", "o0", "o1"];

/// A contract by chance. The arguments `g`, `c0`, `c1` decide guard and branches; the fact `ok` decides what the clock may.
fn contract_text(chance: &mut Chance) -> String {
    let mut out = String::from(
        "contract=\"o\"\nversion=1\nentity=\"N::O\"\nstates=[\"s0\",\"s1\",\"s2\",\"s3\",\"s4\"]\nterminal=[\"s4\"]\n\
         forever=[\"s3\"]\n[facts]\nok=\"Bool\"\nends=\"datetime\"\nx=\"Long\"\n[begin.new]\nto=\"s0\"\n",
    );
    let some = |chance: &mut Chance, of: usize| {
        let mut found: Vec<usize> = (0..of).filter(|_| chance.one_in(2)).collect();
        if found.is_empty() {
            found.push(chance.below(of));
        }
        found
    };
    let listed = |states: &[usize]| states.iter().map(|s| format!("\"s{s}\"")).collect::<Vec<_>>().join(",");
    for name in CALLS {
        let (kind, section) = (&name[..1], if name.starts_with('o') { "override" } else { "event" });
        let from = if kind == "o" { vec![4, chance.below(4)] } else { some(chance, 4) };
        let to = |out: &mut String, conditions: &[&str], chance: &mut Chance| {
            let mut branches: Vec<String> = Vec::new();
            for condition in conditions {
                branches.push(format!("{{to=\"s{}\",when=\"{condition}\"}}", chance.below(STATES)));
            }
            branches.push(format!("{{to=\"s{}\",effects=[{{kind=\"m.{name}\"}}]}}", chance.below(STATES)));
            let _ = writeln!(out, "branch=[{}]", branches.join(","));
        };
        let _ = writeln!(out, "[{section}.{name}]\nfrom=[{}]\nself_loop=true", listed(&from));
        if kind == "d" {
            // The clock gives no arguments.
            to(&mut out, if chance.one_in(2) { &["resource.ok"] } else { &[] }, chance);
            if chance.one_in(2) {
                out.push_str("require=[{code=\"g\",when=\"resource.ok\"}]\n");
            }
            continue;
        }
        out.push_str("args={g=\"Bool\",c0=\"Bool\",c1=\"Bool\",x=\"Long?\",ok=\"Bool?\"}\n");
        let conditions: &[&str] = match chance.below(4) {
            0 => &["context.c0"],
            1 => &["context.c0", "context.c1"],
            2 => &["context.c0", "context.g"],
            _ => &[],
        };
        to(&mut out, conditions, chance);
        for (one_in, line) in [
            (2, "require=[{code=\"g\",when=\"context.g\"}]\n"),
            (2, "on_same=\"noop\"\n"),
            (3, "rearm=true\n"),
            (2, "sets={x=\"args.x\",ok=\"args.ok\"}\n"),
        ] {
            if chance.one_in(one_in) {
                out.push_str(line);
            }
        }
    }
    for event in ["d0", "d1"] {
        for state in some(chance, 4) {
            let due = match chance.below(3) {
                0 => "at=\"resource.ends\"".to_owned(),
                hours => format!("after=\"PT{}H\"", hours * 2 + usize::from(event == "d1")),
            };
            let _ = writeln!(out, "[[deadline]]\nstate=\"s{state}\"\n{due}\nevent=\"{event}\"");
        }
    }
    // A deadline's event that is not lawful in its state keeps a law from loading: it is made lawful there.
    let wanted = |event: &str, out: &str| -> Vec<usize> {
        let mut found = Vec::new();
        for one in out.split("[[deadline]]\n").skip(1).filter(|one| one.contains(&format!("event=\"{event}\""))) {
            found.extend((0..4).filter(|s| one.starts_with(&format!("state=\"s{s}\""))));
        }
        found
    };
    for event in ["d0", "d1"] {
        let states = wanted(event, &out);
        let head = format!("[event.{event}]\nfrom=[");
        let begin = out.find(&head).unwrap() + head.len();
        let end = begin + out[begin..].find(']').unwrap();
        out.replace_range(begin..end, &listed(&states));
    }
    out
}

/// What chance seldom makes: an `at` that the clock may not, and a loop that changes a fact and so arms it anew.
const LOOP: &str = "contract=\"o\"\nversion=1\nentity=\"N::O\"\nstates=[\"s0\",\"s4\"]\nterminal=[\"s4\"]\n[facts]\nok=\"Bool\"
ends=\"datetime\"\nx=\"Long\"\n[begin.new]\nto=\"s0\"\n[event.e0]\nfrom=[\"s0\"]\nto=\"s0\"\nself_loop=true
args={g=\"Bool\",c0=\"Bool\",c1=\"Bool\",x=\"Long?\",ok=\"Bool?\"}\nsets={x=\"args.x\"}\n[event.d0]\nfrom=[\"s0\"]\nto=\"s4\"
require=[{code=\"g\",when=\"resource.ok\"}]\n[[deadline]]\nstate=\"s0\"\nat=\"resource.ends\"\nevent=\"d0\"
[[deadline]]\nstate=\"s0\"\nafter=\"PT90M\"\nevent=\"d1\"\n[event.d1]\nfrom=[\"s0\"]\nto=\"s4\"\nrequire=[{code=\"g\",when=\"resource.ok\"}]\n";

fn store_under(text: &str) -> Store {
    fresh_under(Settings { clock_confirmed: true, ..Settings::default() }, |path, old| match path {
        "contracts/o.toml" => text.to_owned(),
        "schema.cedarschema" => {
            let actions = CALLS.iter().map(|c| format!("\"o.{c}\"")).collect::<Vec<_>>().join(",");
            old.replace("action \"o.new\",\"o.go\"", "action \"o.new\"").replace(
                "action \"o.late\" appliesTo{principal:[Clock]",
                &format!("action {actions} appliesTo{{principal:[A,Clock]"),
            )
        }
        _ => old,
    })
}

/// An instance on a store, walked.
struct Walker<'s> {
    store: &'s Store,
    contract: Contract,
    id: String,
    calls: usize,
}

impl Walker<'_> {
    fn instance(&self) -> Instance {
        let found = self.store.tenant("t1").instance(&Name::new("o").unwrap(), &InstanceId::new(&self.id).unwrap());
        found.unwrap().expect("it was born")
    }

    fn world(&self) -> World {
        world_of(&self.contract, &self.instance())
    }

    fn born(&self, ok: bool, ends: Timestamp) {
        let begin = Begin::new(support::uid("A", "root"), "o", &self.id, "new").unwrap();
        let begin = begin.fact("ok", ok).fact("x", 0).fact("ends", Value::Ext(Ext::Datetime, ends.to_string()));
        let answer = self.store.tenant("t1").begin(begin).unwrap();
        assert!(answer.allowed, "{:?}", answer.blockers);
        assert!(births(&self.contract).iter().any(|birth| alike(&birth.to, &self.world())));
    }

    /// A call; where it was accepted, the same once more, which changes nothing.
    fn call(&mut self, event: &str, given: &[(&str, Value)]) -> hos_core::answer::Answer {
        self.calls += 1;
        let call = self.made(event, given, &format!("{}-{}", self.id, self.calls));
        let tenant = self.store.tenant("t1");
        let answer = tenant.transition(call.clone()).unwrap();
        if answer.allowed && !answer.again {
            let before = self.instance();
            let again = tenant.transition(call).unwrap();
            assert!(again.allowed && again.again, "{again:?}");
            assert_eq!(self.instance(), before, "the same call under the same once-key changes nothing");
        }
        answer
    }

    fn made(&self, event: &str, given: &[(&str, Value)], once: &str) -> Transition {
        let mut call = Transition::new(root().principal, "o", &self.id, event).unwrap().once(once).unwrap();
        if !event.starts_with('d') {
            for name in ["g", "c0", "c1"] {
                call = call.arg(name, false);
            }
            call.args.extend(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        call.reason = event.starts_with('o').then(|| "chance".to_owned());
        call
    }
}

fn world_of(contract: &Contract, instance: &Instance) -> World {
    let state = contract.states.iter().position(|s| s.name == instance.state).unwrap();
    // The model keeps the order of the entry, with an `at` first; here only which ones run is compared.
    let mut armed: Vec<usize> = instance.deadlines.iter().map(|d| d.deadline).collect();
    armed.sort_unstable();
    World { state, armed }
}

fn alike(model: &World, engine: &World) -> bool {
    let mut armed = model.armed.clone();
    armed.sort_unstable();
    model.state == engine.state && armed == engine.armed
}

/// The model's world that the engine's is, of those that can be.
fn follow<'m, 'c>(ahead: &'m [Move<'c>], engine: &World, of: impl Fn(&Act<'c>) -> bool) -> Option<&'m Move<'c>> {
    ahead.iter().find(|ahead| of(&ahead.act) && alike(&ahead.to, engine))
}

/// What decides that a branch is taken.
fn deciding(contract: &Contract, arrow: &Event, branch: &Branch) -> Vec<(String, bool)> {
    let text = |index: usize| contract.expressions[index].text.clone();
    let mut out: Vec<(String, bool)> = arrow.require.iter().map(|g| (text(g.when), true)).collect();
    for other in &arrow.branches {
        let own = std::ptr::eq(other, branch);
        out.extend(other.when.map(|when| (text(when), own)));
        if own {
            break;
        }
    }
    out
}

fn arguments(deciding: &[(String, bool)]) -> Vec<(&str, Value)> {
    deciding.iter().filter_map(|(text, is)| Some((text.strip_prefix("context.")?, (*is).into()))).collect()
}

fn is_ok(instance: &Instance) -> bool {
    instance.facts["ok"] == Value::Bool(true)
}

/// Whether what the facts decide comes out so.
fn holds(instance: &Instance, deciding: &[(String, bool)]) -> bool {
    deciding.iter().all(|(text, is)| text != "resource.ok" || is_ok(instance) == *is)
}

const CONTRACTS: u64 = 24;
const LOOPS: u64 = 4;
const STEPS: usize = 40;

#[test]
fn the_engine_goes_where_the_model_goes_and_nowhere_else() {
    let (mut moved, mut fired, mut disarmed, mut same) = (0, 0, 0, 0);
    for seed in 0..CONTRACTS {
        let mut chance = Chance(seed);
        let text = if seed < LOOPS { LOOP.to_owned() } else { contract_text(&mut chance) };
        let store = store_under(&text);
        let contract = store.engine.law().unwrap().contracts["o"].contract.clone();
        let mut walker = Walker { store: &store, contract: contract.clone(), id: "1".into(), calls: 0 };
        let start = at("2026-01-02T00:00:00Z");
        let mut now = start;
        store.clock.set(now);
        walker.born(chance.one_in(2), start.plus(Span(3_600_000 * chance.below(9) as i64)));
        let mut model = births(&contract)[0].to.clone();
        for _ in 0..STEPS {
            let before = walker.instance();
            assert!(alike(&model, &world_of(&contract, &before)), "seed {seed}");
            let ahead = moves(&contract, &model);
            let next = before.deadlines.iter().min_by_key(|d| (d.due, d.deadline)).cloned();
            if let Some(due) = next.filter(|d| d.due <= now || chance.one_in(4)) {
                // The engine fires what is due before anything else, and the model has that among its moves.
                now = now.max(due.due);
                store.clock.set(now);
                store.tenant("t1").tick(1).unwrap();
                let after = walker.world();
                let by_clock = |act: &Act<'_>| matches!(act.way, Way::Fired | Way::Disarmed) && act.event == Some(&due.event);
                // One tick may fire several that are due together.
                let Some(reached) = follow(&ahead, &after, by_clock) else {
                    let reached = reach(&contract, &model, &after, 4);
                    model = reached.unwrap_or_else(|| panic!("seed {seed}: {due:?} from {model:?} to {after:?}\n{text}"));
                    continue;
                };
                if reached.act.way == Way::Fired {
                    fired += 1
                } else {
                    disarmed += 1
                }
                model = reached.to.clone();
                continue;
            }
            let calls: Vec<&Move<'_>> = ahead.iter().filter(|m| matches!(m.act.way, Way::Called | Way::Overridden)).collect();
            let wanted = if chance.one_in(3) { None } else { calls.get(chance.below(calls.len())) };
            let (event, decided) = match wanted {
                Some(wanted) => {
                    let (arrow, branch) = (wanted.act.arrow.unwrap(), wanted.act.branch.unwrap());
                    (arrow.name.to_string(), deciding(&contract, arrow, branch))
                }
                None => {
                    let any = ["g", "c0", "c1"].map(|name| (format!("context.{name}"), chance.one_in(2)));
                    (CALLS[chance.below(CALLS.len())].to_owned(), any.to_vec())
                }
            };
            let mut given = arguments(&decided);
            for (name, one_in) in [("x", 3), ("ok", 4)] {
                if chance.one_in(one_in) {
                    let value = if name == "x" { Value::from(chance.below(3) as i64) } else { chance.one_in(2).into() };
                    given.push((name, value));
                }
            }
            let answer = walker.call(&event, &given);
            let after = walker.instance();
            let engine = world_of(&contract, &after);
            if answer.allowed && !answer.again {
                let own = |act: &Act<'_>| {
                    matches!(act.way, Way::Called | Way::Overridden) && act.event.is_some_and(|e| e.as_str() == event)
                };
                let reached = follow(&ahead, &engine, own);
                let reached = reached.unwrap_or_else(|| panic!("seed {seed}: {event} from {model:?} to {engine:?}\n{text}"));
                if let Some(wanted) = wanted.filter(|_| holds(&before, &decided)) {
                    assert_eq!(reached.to.state, wanted.to.state, "seed {seed}: {event}");
                }
                model = reached.to.clone();
                moved += 1;
            } else {
                assert_eq!(after, before, "seed {seed}: what moves nothing changes nothing");
                same += usize::from(answer.again);
                let refused = wanted.filter(|_| holds(&before, &decided));
                assert!(refused.is_none(), "seed {seed}: the model said that {event} may: {:?}\n{text}", answer.blockers);
            }
        }
    }
    println!("{moved} moved, {fired} fired, {disarmed} disarmed, {same} done already");
    assert!(moved > 200 && fired > 20 && disarmed > 5 && same > 10, "{moved} {fired} {disarmed} {same}");
}

/// A world of the model that the engine's is, after the clock moved it several times at once.
fn reach(contract: &Contract, from: &World, engine: &World, steps: usize) -> Option<World> {
    let clocked = moves(contract, from).into_iter().filter(|m| matches!(m.act.way, Way::Fired | Way::Disarmed));
    for ahead in clocked {
        let found = match alike(&ahead.to, engine) {
            true => Some(ahead.to),
            false if steps > 1 => reach(contract, &ahead.to, engine, steps - 1),
            false => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// What a step depends on, read off its words.
fn words(step: &Step) -> Vec<(String, bool)> {
    let read = |given: &String| match given.strip_prefix("!(").and_then(|g| g.strip_suffix(')')) {
        Some(inner) => (inner.to_owned(), false),
        None => (given.clone(), true),
    };
    step.given.iter().map(read).collect()
}

/// A call that was answered as done already, and comes again under its once-key, moves the instance: on a store too.
#[test]
fn a_replay_that_the_model_finds_happens_on_a_store() {
    let mut happened = 0;
    for seed in 100..100 + CONTRACTS {
        let mut chance = Chance(seed);
        let text = contract_text(&mut chance).split("[[deadline]]").next().unwrap().to_owned();
        // Without a deadline the events of the clock are anybody's.
        let text = text.replace("from=[]", "from=[\"s0\"]");
        let store = store_under(&text);
        let contract = store.engine.law().unwrap().contracts["o"].contract.clone();
        let report = explore(&contract, Limits::default());
        assert_eq!(report.bound, None);
        let found = report.findings.iter().filter(|f| matches!(f.kind, Kind::Replay { .. }));
        for (number, finding) in found.enumerate() {
            let facts = finding.trace.iter().flat_map(words).filter(|(text, _)| text == "resource.ok");
            let facts: Vec<bool> = facts.map(|(_, is)| is).collect();
            if facts.iter().any(|is| *is != facts[0]) {
                continue;
            }
            let mut walker = Walker { store: &store, contract: contract.clone(), id: number.to_string(), calls: 0 };
            walker.born(facts.first().copied().unwrap_or(true), at("2030-01-01T00:00:00Z"));
            // The first answer does not read the arguments, so it is given those that the second time needs.
            let last = words(finding.trace.last().unwrap());
            for step in &finding.trace[1..] {
                let event = step.event.as_ref().unwrap().as_str();
                let before = walker.instance();
                if matches!(step.happened, Happened::Same | Happened::Repeated) {
                    let answer =
                        store.tenant("t1").transition(walker.made(event, &arguments(&last), &format!("kept-{number}"))).unwrap();
                    assert!(answer.allowed, "{:?}", answer.blockers);
                    assert_eq!(answer.again, step.happened == Happened::Same);
                    assert_eq!(walker.instance() == before, answer.again);
                } else {
                    assert!(walker.call(event, &arguments(&words(step))).allowed, "seed {seed}: {step:?}");
                }
                assert_eq!(walker.instance().state, step.to);
            }
            happened += 1;
        }
    }
    println!("{happened} replays");
    assert!(happened > 10, "{happened}");
}
