//! What a history is judged to be: each reason by a history that has it and one that just has not.

use hos_core::contract::check::check;
use hos_core::contract::definition::Contract;
use hos_core::contract::infer::judge::judge;
use hos_core::contract::infer::{Arrows, Column, Edge, History, Move, Proposal, Refused, Source, Verdict, arrows, text};
use hos_core::contract::parse::parse;
use hos_core::fault::{Severity, SourceFile};
use hos_core::id::Name;
use hos_core::time::Timestamp;

const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;

/// A history in the making: an instance a line of states, with the minutes in between.
struct Made {
    history: History,
    line: u64,
    instances: u64,
}

impl Made {
    fn new() -> Self {
        Self { history: History::new(false), line: 1, instances: 0 }
    }

    fn row(&mut self, instance: &str, from: Source<'_>, event: Option<&str>, to: &str, ms: Option<i64>) -> Result<(), Refused> {
        self.line += 1;
        self.history.add(&Move { instance, from, to, event, time: ms.map(Timestamp), line: self.line })
    }

    /// So many instances that went `a b c`, a minute after the other.
    fn went(&mut self, times: u64, states: &str) -> &mut Self {
        for _ in 0..times {
            self.instances += 1;
            let (id, begun) = (format!("i-{}", self.instances), i64::try_from(self.instances).unwrap() * DAY);
            let mut from = Source::Birth;
            for (step, to) in states.split(' ').enumerate() {
                let at = begun + i64::try_from(step).unwrap() * MINUTE;
                self.row(&id, from, Some(&format!("to_{to}")), to, Some(at)).unwrap();
                from = Source::State(to);
            }
        }
        self
    }

    fn judged(&self) -> Proposal {
        judge(&self.history)
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn edge<'p>(proposal: &'p Proposal, from: &str, to: &str) -> &'p Edge {
    let found = proposal.edges.iter().find(|e| e.from.as_str() == from && e.to.as_str() == to);
    found.unwrap_or_else(|| panic!("no {from} -> {to}: {:?}", proposal.edges))
}

fn codes(proposal: &Proposal, from: &str, to: &str) -> (Verdict, Vec<&'static str>) {
    let edge = edge(proposal, from, to);
    (edge.verdict, edge.reasons.iter().map(|r| r.code()).collect())
}

fn written(proposal: &Proposal) -> (Arrows, String) {
    let arrows = arrows(proposal, &name("order")).unwrap();
    let text =
        text::contract(proposal, &arrows, &text::Title { contract: &name("order"), entity: "Order", source: "t" }).unwrap();
    (arrows, text)
}

fn parsed(text: &str) -> Contract {
    let file = SourceFile { path: "contracts/order.toml".into(), text: text.into() };
    let (contract, _) = parse(&file, "Shop").unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    let errors: Vec<_> = check(&contract, &file).into_iter().filter(|f| f.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    contract
}

#[test]
fn a_usual_history_is_usual() {
    let proposal = Made::new().went(150, "new paid shipped").went(50, "new cancelled").judged();
    assert!(proposal.edges.iter().all(|e| e.verdict == Verdict::Usual), "{:#?}", proposal.edges);
    assert!(proposal.breaks.is_empty() && proposal.renamed.is_empty());
    assert_eq!((proposal.rows, proposal.instances), (550, 200));
    let state = |name: &str| proposal.states.iter().find(|s| s.name.as_str() == name).unwrap();
    assert_eq!((state("new").entries, state("new").left, state("new").resting, state("new").ends), (200, 200, 0, false));
    assert_eq!((state("shipped").entries, state("shipped").left, state("shipped").resting), (150, 0, 150));
    assert!(state("shipped").ends && state("cancelled").ends && !state("paid").ends);
    assert_eq!(edge(&proposal, "new", "paid").wait.unwrap().half.0, MINUTE);
    let contract = parsed(&written(&proposal).1);
    let terminal: Vec<&str> = contract.states.iter().filter(|s| s.terminal).map(|s| s.name.as_str()).collect();
    assert_eq!(terminal, ["shipped", "cancelled"]);
    assert_eq!(contract.begins.keys().map(Name::as_str).collect::<Vec<_>>(), ["to_new"]);
}

#[test]
fn a_move_is_rare_from_one_in_a_hundred_on() {
    let proposal = Made::new().went(297, "new paid").went(3, "new lost").judged();
    assert_eq!(codes(&proposal, "new", "lost"), (Verdict::Rare, vec!["seldom"]));
    let proposal = Made::new().went(295, "new paid").went(4, "new lost").judged();
    assert_eq!(codes(&proposal, "new", "lost"), (Verdict::Usual, vec![]), "4 of 299");
    let proposal = Made::new().went(98, "new paid").went(1, "new lost").judged();
    assert_eq!(codes(&proposal, "new", "lost"), (Verdict::Usual, vec![]), "99 visits are too few to say");
    // What is rare is written, with the reason.
    let (_, text) = written(&Made::new().went(297, "new paid").went(3, "new lost").judged());
    assert!(text.contains("# new: 3 of 300 visits"), "{text}");
    assert!(text.contains("#   rare, seldom: 3 of 300 visits went this way"), "{text}");
    assert!(parsed(&text).events.contains_key("to_lost"));
}

#[test]
fn what_leaves_an_end_looks_illegal() {
    let mut made = Made::new();
    made.went(39, "new cancelled").went(100, "new paid shipped").went(1, "new cancelled shipped");
    let proposal = made.judged();
    assert_eq!(codes(&proposal, "cancelled", "shipped"), (Verdict::Illegal, vec!["leaves_end"]));
    let why = edge(&proposal, "cancelled", "shipped").reasons[0].to_string();
    assert!(why.contains("of 40 that came to `cancelled` 1 went on"), "{why}");
    assert_eq!(edge(&proposal, "cancelled", "shipped").examples[0].instance, "i-140");
    // Three of 42 are more than one in twenty.
    assert_eq!(codes(&made.went(2, "new cancelled shipped").judged(), "cancelled", "shipped").0, Verdict::Usual);
    // What only this way leads to is no breach: a return comes after the delivery.
    let proposal = Made::new().went(99, "new shipped").went(2, "new shipped returned").judged();
    assert_eq!(codes(&proposal, "shipped", "returned"), (Verdict::Usual, vec![]));
    // Nor is an end that few came to.
    let proposal = Made::new().went(18, "new cancelled").went(100, "new paid").went(1, "new cancelled paid").judged();
    assert_eq!(codes(&proposal, "cancelled", "paid").0, Verdict::Usual);
}

#[test]
fn what_runs_backwards_looks_illegal() {
    let proposal = Made::new().went(99, "new paid").went(1, "new paid new cancelled").judged();
    assert_eq!(codes(&proposal, "paid", "new").1, ["seldom", "leaves_end", "backwards"]);
    let why = edge(&proposal, "paid", "new").reasons[2].to_string();
    assert!(why.contains("1 against 100 of the opposite move"), "{why}");
    // To and fro is a way of working.
    let proposal = Made::new().went(90, "new paid shipped").went(10, "new paid new paid shipped").judged();
    assert_eq!(codes(&proposal, "paid", "new"), (Verdict::Usual, vec![]));
}

#[test]
fn what_jumps_over_a_usual_way_looks_illegal() {
    let proposal = Made::new().went(198, "new paid shipped done").went(2, "new shipped done").judged();
    assert_eq!(codes(&proposal, "new", "shipped"), (Verdict::Illegal, vec!["seldom", "jumps"]));
    let why = edge(&proposal, "new", "shipped").reasons[1].to_string();
    assert!(why.contains("new -> paid -> shipped"), "{why}");
    // Where no usual way leads, it is rare alone.
    let proposal = Made::new().went(200, "new paid").went(200, "old void").went(2, "new void").judged();
    assert_eq!(codes(&proposal, "new", "void"), (Verdict::Rare, vec!["seldom"]));
}

#[test]
fn a_row_that_says_another_state_is_a_break() {
    let mut made = Made::new();
    made.went(50, "new paid shipped");
    let at = Some(60 * DAY);
    // A parcel of what was not paid, as the row has it; really it was shipped already.
    made.row("i-7", Source::State("new"), Some("lose"), "lost", at).unwrap();
    made.row("i-8", Source::State("paid"), Some("to_shipped"), "shipped", at).unwrap();
    made.row("i-9", Source::Birth, Some("to_new"), "new", at).unwrap();
    let proposal = made.judged();
    assert_eq!(codes(&proposal, "new", "lost"), (Verdict::Illegal, vec!["after_break"]));
    assert_eq!(codes(&proposal, "paid", "shipped"), (Verdict::Usual, vec![]), "one of 51");
    let said: Vec<String> = proposal.breaks.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "1 in `shipped`, and the row says that it came into being in `new`",
            "1 in `shipped`, and the row says `new` -> `lost`",
            "1 in `shipped`, and the row says `paid` -> `shipped`, where it was: told twice?",
        ]
    );
    let shipped = proposal.states.iter().find(|s| s.name.as_str() == "shipped").unwrap();
    assert_eq!((shipped.entries, shipped.again, shipped.resting), (50, 0, 48), "a row told twice comes nowhere");
    let (_, text) = written(&proposal);
    assert!(text.contains("# - 1 in `shipped`, and the row says `new` -> `lost`; such as i-7 (line 152)"), "{text}");
    assert!(text.contains("#[event.lose]\n#from = [\"new\"]\n#to   = \"lost\"\n"), "{text}");
    parsed(&text);
}

#[test]
fn what_comes_again_is_counted() {
    let mut made = Made::new();
    made.went(10, "new paid held paid shipped");
    let proposal = made.judged();
    let paid = proposal.states.iter().find(|s| s.name.as_str() == "paid").unwrap();
    assert_eq!((paid.entries, paid.again, paid.left), (20, 10, 20));
    // What stays where it is neither comes nor leaves.
    let proposal = Made::new().went(10, "new paid paid shipped").judged();
    let paid = proposal.states.iter().find(|s| s.name.as_str() == "paid").unwrap();
    assert_eq!((paid.entries, paid.again, paid.left), (10, 0, 10));
    assert_eq!(edge(&proposal, "paid", "shipped").wait.unwrap().half.0, 2 * MINUTE, "since it came, not since it stayed");
    let (_, text) = written(&proposal);
    assert!(text.contains("self_loop = true"));
    assert!(parsed(&text).events["to_paid"].iter().any(|a| a.self_loop));
}

#[test]
fn a_row_that_changes_nothing_and_names_no_event_is_no_move() {
    let mut made = Made::new();
    for (from, to) in [(Source::Birth, "new"), (Source::State("new"), "new"), (Source::State("new"), "done")] {
        made.row("a", from, None, to, None).unwrap();
    }
    made.row("a", Source::Unsaid, None, "done", None).unwrap();
    made.row("b", Source::State("done"), None, "done", None).unwrap();
    let proposal = made.judged();
    let edges: Vec<(&str, &str)> = proposal.edges.iter().map(|e| (e.from.as_str(), e.to.as_str())).collect();
    assert_eq!(edges, [("new", "done")]);
    assert_eq!(proposal.states.iter().map(|s| s.stayed).collect::<Vec<_>>(), [1, 2]);
    let (_, text) = written(&proposal);
    assert!(text.contains("\"done\", # 2 came, 0 left, 2 are here, 2 rows changed nothing"), "{text}");
    assert!(parsed(&text).states.iter().any(|s| s.terminal), "what is touched in its end is at its end");
}

#[test]
fn births_are_told_or_found() {
    // No row tells of a birth: the state of each instance's first row is where it was born, unless few were found there.
    let mut made = Made::new();
    for i in 0..200 {
        let from = if i == 0 { "paid" } else { "new" };
        let to = if i == 0 { "shipped" } else { "paid" };
        made.row(&format!("i-{i}"), Source::State(from), Some("go"), to, None).unwrap();
    }
    let proposal = made.judged();
    let found: Vec<(&str, u64, bool)> = proposal.births.iter().map(|b| (b.to.as_str(), b.count, b.kept)).collect();
    assert_eq!(found, [("new", 199, true), ("paid", 1, false)]);
    let (arrows, text) = written(&proposal);
    assert_eq!(arrows.births[0].0.as_str(), "begin");
    assert!(text.contains("# Instances found here when the history begins: 199."), "{text}");
    // Where births are told, what was found in the middle was born before.
    let mut made = Made::new();
    made.went(20, "new paid");
    made.row("older", Source::State("new"), Some("to_paid"), "paid", None).unwrap();
    let found: Vec<(bool, bool)> = made.judged().births.iter().map(|b| (b.told, b.kept)).collect();
    assert_eq!(found, [(true, true), (false, false)]);
    // Two births by one event are two births; and one that is called like a move gets a name of its own.
    let mut made = Made::new();
    for (id, to) in [("a", "new"), ("b", "draft"), ("c", "new")] {
        made.row(id, Source::Unsaid, Some("put"), to, None).unwrap();
    }
    made.row("d", Source::Unsaid, Some("save"), "draft", None).unwrap();
    made.row("d", Source::Unsaid, Some("save"), "new", None).unwrap();
    let names: Vec<String> = written(&made.judged()).0.births.iter().map(|(n, _)| n.to_string()).collect();
    assert_eq!(names, ["put_to_new", "put_to_draft", "begin_draft"]);
}

#[test]
fn an_event_with_two_targets_is_split() {
    let mut made = Made::new();
    for i in 0..10 {
        let id = format!("i-{i}");
        made.row(&id, Source::Birth, Some("place"), "new", None).unwrap();
        made.row(&id, Source::State("new"), Some("settle"), if i < 7 { "paid" } else { "failed" }, None).unwrap();
    }
    made.row("j", Source::Birth, Some("place"), "held", None).unwrap();
    made.row("j", Source::State("held"), Some("settle"), "paid", None).unwrap();
    let proposal = made.judged();
    let (arrows, text) = written(&proposal);
    assert_eq!(arrows.split.iter().map(|(e, s)| (e.as_str(), s.as_str())).collect::<Vec<_>>(), [("settle", "new")]);
    let contract = parsed(&text);
    let events: Vec<&str> = contract.events.keys().map(Name::as_str).collect();
    assert_eq!(events, ["settle_to_failed", "settle_to_paid"]);
    let from: Vec<&str> = contract.events["settle_to_paid"][0].from.iter().map(Name::as_str).collect();
    assert_eq!(from, ["new", "held"]);
    assert!(text.contains("`branch = [{ to, when }, ..]`"), "{text}");
}

#[test]
fn a_deadline_is_proposed_where_times_crowd_and_nobody_stays_longer() {
    let made = |over: i64, beyond: i64| {
        let mut made = Made::new();
        for i in 0..100i64 {
            let (id, begun) = (format!("i-{i}"), i * MINUTE * 7 + 13);
            made.row(&id, Source::Birth, Some("place"), "new", Some(begun)).unwrap();
            let (event, to, after) = match i {
                _ if i < 50 => ("pay", "paid", i * MINUTE),
                _ if i < 50 + beyond => ("pay", "paid", 300 * MINUTE),
                _ => ("expire", "expired", 60 * MINUTE + i % 7 * over),
            };
            made.row(&id, Source::State("new"), Some(event), to, Some(begun + after)).unwrap();
        }
        made.judged()
    };
    let proposal = made(1_000, 0);
    assert_eq!(proposal.rules.len(), 1, "{:?}", proposal.rules);
    let rule = &proposal.rules[0];
    assert_eq!((rule.from.as_str(), rule.event.as_str(), rule.to.as_str()), ("new", "expire", "expired"));
    assert_eq!((rule.after.0, rule.beyond), (60 * MINUTE, 0));
    let (_, text) = written(&proposal);
    assert!(text.contains("#[[deadline]]\n#state = \"new\"\n#after = \"PT1H\"\n#event = \"expire\"\n"), "{text}");
    assert!(parsed(&text).deadlines.is_empty(), "proposed, not written");
    let contract = parsed(&switched_on(&text));
    assert_eq!((contract.deadlines.len(), contract.deadlines[0].event.as_str()), (1, "expire"));
    assert!(made(20 * MINUTE, 0).rules.is_empty(), "spread too wide");
    assert_eq!(made(1_000, 2).rules[0].beyond, 2, "two of 50 stayed longer");
    assert!(made(1_000, 3).rules.is_empty(), "three did: it is not enforced, if it is a rule");
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
fn what_is_left_out_can_be_switched_on() {
    let mut made = Made::new();
    made.went(400, "new paid shipped done").went(2, "new shipped done").went(1, "new paid new paid shipped");
    made.row("i-3", Source::State("new"), Some("to_paid"), "shipped", Some(900 * DAY)).unwrap();
    made.row("i-4", Source::State("done"), Some("to_done"), "done", Some(900 * DAY)).unwrap();
    let proposal = made.judged();
    let (arrows, text) = written(&proposal);
    let shut = arrows.arrows.iter().filter(|a| !a.kept).count();
    assert_eq!(shut, 3, "{arrows:#?}");
    let (off, on) = (parsed(&text), parsed(&switched_on(&text)));
    let count = |c: &Contract| c.events.values().map(Vec::len).sum::<usize>();
    assert_eq!(count(&on), count(&off) + shut, "{text}");
}

#[test]
fn rows_that_are_none_are_refused_with_their_column() {
    let refused = |rows: &[(&str, Source<'_>, &str, Option<i64>)]| {
        let mut made = Made::new();
        let last = rows.iter().map(|(id, from, to, ms)| made.row(id, *from, None, to, *ms)).last().unwrap();
        last.map_err(|r| (r.column, r.message)).unwrap_err()
    };
    let birth = Source::Birth;
    let (column, why) = refused(&[("a", birth, "new", Some(9)), ("a", Source::Unsaid, "paid", Some(8))]);
    assert!(column == Column::Time && why.contains("goes back") && why.contains("--file-order"), "{why}");
    let (column, why) = refused(&[("a", birth, "In Work", None), ("a", Source::State("in_work"), "done", None)]);
    assert!(column == Column::From && why.contains("(line 2)"), "{why}");
    let (column, why) = refused(&[("a", birth, "!!", None)]);
    assert!(column == Column::To && why.contains("can be no state"), "{why}");
    let long = "x".repeat(256);
    let (column, why) = refused(&[(&long, birth, "new", None)]);
    assert!(column == Column::Instance && why.contains("255"), "{why}");
    let states: Vec<String> = (0..257).map(|i| format!("s{i}")).collect();
    let rows: Vec<_> = states.iter().map(|s| ("a", Source::Unsaid, s.as_str(), None)).collect();
    let (column, why) = refused(&rows);
    assert!(column == Column::To && why.contains("`s256` is the state after the 256th"), "{why}");
    // In the order of the file, a time that goes back is only a time that is not known.
    let mut history = History::new(true);
    for (to, ms) in [("new", 9), ("paid", 8)] {
        let time = Some(Timestamp(ms));
        history.add(&Move { instance: "a", from: Source::Unsaid, to, event: None, time, line: 2 }).unwrap();
    }
    let proposal = judge(&history);
    assert_eq!((proposal.edges.len(), proposal.edges[0].wait), (1, None));
}

#[test]
fn more_kinds_of_move_than_a_history_may_have_are_refused() {
    let mut made = Made::new();
    let mut kinds = 0;
    let why = 'all: {
        for from in 0..60 {
            for to in 0..60 {
                let (from, to) = (format!("s{from}"), format!("s{to}"));
                kinds += 1;
                if let Err(why) =
                    made.row(&format!("i{kinds}"), Source::State(&from), Some(&format!("e{}", kinds % 400)), &to, None)
                {
                    break 'all why;
                }
            }
        }
        panic!("all were taken")
    };
    assert_eq!((kinds, why.column), (2_049, Column::To));
    let Err(why) = arrows(&made.judged(), &name("order")) else { panic!("all of them are arrows") };
    assert!(why.contains("a contract holds 512"), "{why}");
}
