//! What the model finds: for each question a contract with one fault, the shortest trace to it, and a contract without.

mod graphs;

use hos_core::contract::Contract;
use hos_core::contract::check::check;
use hos_core::contract::model::{Bound, Finding, Happened, Kind, Limits, Report, Step, explore};
use hos_core::contract::parse::parse;
use hos_core::fault::{Severity, SourceFile};
use std::path::Path;

fn read(text: &str) -> (Contract, SourceFile) {
    let file = SourceFile { path: "contracts/c.toml".into(), text: text.into() };
    let (contract, _) = parse(&file, "Pazar").unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    (contract, file)
}

fn explored(text: &str) -> Report {
    explore(&read(text).0, Limits::default())
}

/// A step as `event>state`, with a sign for what is no call: `!` fired, `x` disarmed, `=` done already, `~` under the same
/// once-key again, `-` refused, `?` behind it where it depends on a guard or a condition.
fn short(step: &Step) -> String {
    let sign = match step.happened {
        Happened::Born | Happened::Moved => "",
        Happened::Migrated(_) => "migrated",
        Happened::Overridden => "^",
        Happened::Fired => "!",
        Happened::Disarmed => "x",
        Happened::Same => "=",
        Happened::Repeated => "~",
        Happened::Refused => "-",
    };
    let event = step.event.as_ref().map_or("", |e| e.as_str());
    format!("{sign}{event}>{}{}", step.to, if step.possible { "?" } else { "" })
}

fn path(steps: &[Step]) -> String {
    steps.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// `code: trace`, and `| trace` where there are two.
fn told(finding: &Finding) -> String {
    let other = if finding.other.is_empty() { String::new() } else { format!(" | {}", path(&finding.other)) };
    format!("{}: {}{other}", finding.kind.code().strip_prefix("law.model.").unwrap(), path(&finding.trace))
}

fn findings(text: &str) -> Vec<String> {
    let report = explored(text);
    assert_eq!(report.bound, None);
    report.findings.iter().map(told).collect()
}

/// A sale without a fault: one guard, two who tell of the payment, a reply, a deadline, a way round, every promise kept.
const SALE: &str = r#"contract = "sale"
version = 1
entity = "Sale"
states = ["new", "paid", "refunding", "sent", "refunded", "lapsed"]
terminal = ["sent", "refunded", "lapsed"]
forever = ["paid", "refunding"]
[begin.place]
to = "new"
[event.webhook]
from = ["new"]
to = "paid"
args = { amount = "Long" }
require = [{ code = "short", when = "context.amount > 5" }]
on_same = "noop"
effects = [{ kind = "mail.paid", body = ["id"] }]
[event.redirect]
from = ["new"]
to = "paid"
on_same = "noop"
effects = [{ kind = "mail.paid", body = ["id"] }]
[event.send]
from = ["paid"]
to = "sent"
[event.refund]
from = ["paid"]
to = "refunding"
effects = [{ kind = "psp.refund", body = ["id"] }]
replies = ["refunded"]
[event.refunded]
from = ["refunding"]
to = "refunded"
on_same = "noop"
[event.lapse]
from = ["new"]
to = "lapsed"
[[deadline]]
state = "new"
after = "PT1H"
event = "lapse"
[[promise]]
code = "paid_first"
never = "sent"
before = "paid"
[[promise]]
code = "refund_is_final"
never = "paid"
after = "refunding"
[[promise]]
code = "paid_once"
never = "paid"
after = "paid"
[[promise]]
code = "sent_or_refunded"
never_both = ["sent", "refunded", "lapsed"]
"#;

#[test]
fn a_sound_contract_is_clean_and_wholly_explored() {
    let report = explored(SALE);
    assert_eq!((report.findings.len(), report.bound, report.worlds, report.depth), (0, None, 6, 4));
    let (contract, file) = read(SALE);
    assert_eq!(contract.promises.len(), 4);
    assert!(check(&contract, &file).is_empty());
}

#[test]
fn every_fault_is_found_by_its_shortest_trace() {
    // What to replace in the sale    | by                                                                | findings
    #[rustfmt::skip]
    let rows: &[(&str, &str, &[&str])] = &[
        // An end stays in reach.
        ("from = [\"refunding\"]\nto = \"refunded\"", "from = [\"refunding\"]\nto = \"refunding\"\nself_loop = true",
            &["trap: place>new redirect>paid refund>refunding"]),
        ("from = [\"refunding\"]\nto = \"refunded\"", "from = [\"refunding\"]\nto = \"refunded\"\nrequire = [{ code = \"no\", when = \"false\" }]",
            &["trap: place>new redirect>paid refund>refunding"]),
        ("[event.lapse]\nfrom = [\"new\"]\nto = \"lapsed\"", "[event.on]\nfrom = [\"limbo\"]\nto = \"void\"\n[event.back]\nfrom = [\"void\"]\nto = \"limbo\"\n[event.lapse]\nfrom = [\"new\"]\nto = \"limbo\"",
            &["trap: place>new !lapse>limbo"]),
        // A move sends each message once.
        ("from = [\"paid\"]\nto = \"sent\"", "from = [\"paid\"]\nbranch = [{ to = \"sent\", effects = [{ kind = \"mail.sent\", body = [\"id\"] }] }]\neffects = [{ kind = \"mail.sent\", body = [\"id\"] }]",
            &["effect_twice: place>new redirect>paid send>sent"]),
        ("from = [\"paid\"]\nto = \"sent\"", "from = [\"paid\"]\nbranch = [{ to = \"sent\", effects = [{ kind = \"mail.sent\", body = [\"id\", \"state\"] }] }]\neffects = [{ kind = \"mail.sent\", body = [\"state\", \"id\"] }]",
            &["effect_twice: place>new redirect>paid send>sent"]),
        ("from = [\"paid\"]\nto = \"sent\"", "from = [\"paid\"]\nbranch = [{ to = \"sent\", effects = [{ kind = \"mail.sent\", body = [\"id\"] }] }]\neffects = [{ kind = \"mail.sent\", body = [\"state\"] }]",
            &[]),
        // The same call under the same once-key changes nothing.
        ("[event.lapse]", "[override.reopen]\nfrom = [\"sent\"]\nto = \"new\"\n[event.lapse]",
            &["replay: place>new redirect>paid =redirect>paid send>sent ^reopen>new ~redirect>paid",
              "replay: place>new redirect>paid =webhook>paid send>sent ^reopen>new ~webhook>paid?",
              "promise: place>new redirect>paid send>sent ^reopen>new redirect>paid",
              "promise: place>new redirect>paid send>sent ^reopen>new !lapse>lapsed"]),
        // Two who tell the same news end in the same state.
        ("[event.redirect]\nfrom", "[[event.redirect]]\nfrom = [\"paid\"]\nto = \"sent\"\n[[event.redirect]]\nfrom",
            &["diverges: place>new redirect>paid =webhook>paid | place>new webhook>paid? redirect>sent"]),
        // Promises.
        ("from = [\"paid\"]\nto = \"sent\"", "from = [\"new\", \"paid\"]\nto = \"sent\"",
            &["promise: place>new send>sent"]),
        ("to = \"refunded\"\non_same", "branch = [{ to = \"paid\", when = \"context.x\" }, { to = \"refunded\" }]\nargs = { x = \"Bool\" }\non_same",
            &["replay: place>new redirect>paid =refunded>paid refund>refunding ~refunded>paid?",
              "promise: place>new redirect>paid refund>refunding refunded>paid?",
              "promise: place>new redirect>paid refund>refunding refunded>paid?"]),
        ("[event.lapse]", "[override.undo]\nfrom = [\"refunded\"]\nto = \"sent\"\n[event.lapse]",
            &["promise: place>new redirect>paid refund>refunding refunded>refunded ^undo>sent"]),
        // A late reply is not refused.
        ("to = \"refunding\"", "to = \"refunding\"\n[event.give_up]\nfrom = [\"refunding\"]\nto = \"lapsed\"\n[event.give]\nfrom = [\"new\"]\nto = \"refunding\"",
            &["reply_lost: place>new give>refunding give_up>lapsed -refunded>lapsed"]),
        // A deadline that is refused is not armed again.
        ("[event.lapse]\nfrom = [\"new\"]\nto = \"lapsed\"", "[event.lapse]\nfrom = [\"new\"]\nto = \"lapsed\"\nrequire = [{ code = \"no\", when = \"resource.x\" }]",
            &["waits: place>new xlapse>new?"]),
    ];
    for (old, new, expected) in rows {
        assert!(SALE.contains(old), "{old}");
        let mut text = SALE.replacen(old, new, 1);
        if text.contains("limbo") {
            text = text.replace("\"lapsed\"]\nterminal", "\"lapsed\", \"limbo\", \"void\"]\nterminal");
        }
        assert_eq!(findings(&text), *expected, "{new}");
    }
}

#[test]
fn a_word_that_is_true_or_false_is_taken_at_its_word() {
    let found = |when: &str, guard: &str| {
        let text = format!(
            "contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [\"a\", \"b\", \"z\"]\nterminal = [\"z\"]\n[begin.n]\nto = \"a\"\n\
             [event.e]\nfrom = [\"a\"]\nbranch = [{{ to = \"b\", when = \"{when}\" }}, {{ to = \"z\" }}]\n\
             require = [{{ code = \"g\", when = \"{guard}\" }}]\n"
        );
        findings(&text)
    };
    assert_eq!(found("context.x", "true"), ["trap: n>a e>b?"]);
    assert_eq!(found("true", "true"), ["trap: n>a"], "the second branch is never taken");
    assert_eq!(found("true", "context.x"), ["trap: n>a"]);
    assert_eq!(found("false", " true "), [""; 0]);
    assert_eq!(found("context.x", "false"), ["trap: n>a"]);
    // The same text is as true in a branch as in a guard.
    assert_eq!(found("context.x", "context.x"), ["trap: n>a"]);
}

/// A state with deadlines, an event that changes a fact there, and one that goes round.
const WAIT: &str = r#"contract = "wait"
version = 2
entity = "Wait"
states = ["a", "b", "z"]
terminal = ["z"]
forever = ["b"]
[facts]
ends = "datetime"
ok = "Bool"
[begin.n]
to = "a"
[event.late]
from = ["a", "b"]
to = "z"
require = [{ code = "not_ok", when = "resource.ok" }]
[event.early]
from = ["a"]
to = "b"
require = [{ code = "not_ok", when = "resource.ok" }]
[event.move]
from = ["a"]
to = "a"
self_loop = true
args = { ends = "datetime" }
sets = { ends = "args.ends" }
[[deadline]]
state = "a"
after = "PT2H"
event = "late"
[[deadline]]
state = "a"
after = "PT1H"
event = "early"
"#;

#[test]
fn deadlines_fire_in_order_and_a_refused_one_runs_no_more() {
    // The earlier one must be refused before the later one can be.
    assert_eq!(findings(WAIT), ["waits: n>a xearly>a? xlate>a?"]);
    // An `at` can be due at any time, and a changed fact arms it anew; a wait that was refused stays so.
    let at = WAIT.replace("after = \"PT2H\"", "at = \"resource.ends\"");
    assert_eq!(findings(&at), ["waits: n>a xlate>a? xearly>a?"]);
    let report = explored(&at);
    assert_eq!(report.worlds, 6, "a with both, either and none, b, z");
    // A deadline's event without a guard is never refused.
    assert_eq!(
        findings(&WAIT.replace(
            "[event.late]\nfrom = [\"a\", \"b\"]\nto = \"z\"\nrequire",
            "[event.late]\nfrom = [\"a\", \"b\"]\nto = \"z\"\n# "
        )),
        [""; 0]
    );
    // A loop that arms anew leads out of the wait; it is found all the same.
    assert_eq!(findings(&WAIT.replace("self_loop", "rearm")).len(), 1);
}

#[test]
fn older_instances_are_followed_and_promise_nothing() {
    let migrated = WAIT.replace("states = [\"a\"", "states = [\"old\", \"a\"")
        + "[migrate.\"1\"]\nwas = \"old\"\n[event.on]\nfrom = [\"old\"]\nto = \"z\"\n\
           [[promise]]\ncode = \"p\"\nnever = \"z\"\nbefore = \"old\"\n";
    let found = findings(&migrated);
    assert_eq!(found, ["promise: n>a late>z?", "waits: n>a xearly>a? xlate>a?"]);
    let stuck = migrated.replace("from = [\"old\"]\nto = \"z\"", "from = [\"old\"]\nto = \"old\"\nself_loop = true");
    assert_eq!(findings(&stuck)[0], "trap: migrated>old");
}

#[test]
fn a_contract_without_an_end_may_last() {
    let endless = "contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [\"on\", \"off\"]\nforever = [\"on\", \"off\"]\n[begin.n]\nto = \"on\"\n\
                   [event.stop]\nfrom = [\"on\"]\nto = \"off\"\n[event.start]\nfrom = [\"off\"]\nto = \"on\"\n";
    assert_eq!(findings(endless), [""; 0]);
    assert_eq!(findings(&endless.replace("forever = [\"on\", \"off\"]", "forever = []")), ["trap: n>on"]);
    // Where it says that it ends, what may last is no end; what rests on purpose is one.
    let ending = endless.replace("states = [", "states = [\"z\", ").replace("forever", "terminal = [\"z\"]\nforever");
    assert_eq!(findings(&ending), ["trap: n>on"]);
    let resting = endless.replace("[event.start]\nfrom = [\"off\"]\nto = \"on\"\n", "");
    assert_eq!(findings(&resting), [""; 0]);
}

#[test]
fn what_was_not_seen_is_said_and_is_no_finding_otherwise() {
    let (contract, file) = read(SALE);
    let rows = [
        (Limits { worlds_max: 3, ..Limits::default() }, Bound::Worlds),
        (Limits { depth_max: 2, ..Limits::default() }, Bound::Depth),
        (Limits { steps_max: 4, ..Limits::default() }, Bound::Steps),
        (Limits { steps_max: 40, ..Limits::default() }, Bound::Steps),
        (Limits { worlds_max: 0, ..Limits::default() }, Bound::Worlds),
    ];
    for (limits, bound) in rows {
        let report = explore(&contract, limits);
        assert_eq!(report.bound, Some(bound));
        assert_eq!(report.findings.iter().map(|f| f.kind.clone()).collect::<Vec<_>>(), [Kind::Incomplete { bound, limits }]);
        let fault = report.findings[0].fault(&file, "en");
        assert_eq!((fault.code, fault.severity, fault.line), ("law.model.incomplete", Severity::Error, 0));
    }
    let enough = Limits { worlds_max: 6, depth_max: 5, ..Limits::default() };
    assert_eq!(explore(&contract, enough).bound, None);
}

/// The largest contract that parses hits a bound, soon.
#[test]
fn the_largest_contract_is_bounded() {
    let names: Vec<String> = (0..256).map(|i| format!("\"s{i}\"")).collect();
    let states = names.join(",");
    let branches: Vec<String> =
        (0..32).map(|i| format!("{{to=\"s{i}\"{}}}", if i < 31 { format!(",when=\"x{i}\"") } else { String::new() })).collect();
    let mut text = format!("contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [{states}]\n[begin.n]\nto = \"s0\"\n");
    let from = names[..64].join(",");
    for i in 0..500 {
        text.push_str(&format!("[event.e{i}]\nfrom=[{from}]\nbranch=[{}]\non_same=\"noop\"\n", branches.join(",")));
    }
    let report = explored(&text);
    assert_eq!(report.bound, Some(Bound::Steps));
    assert!(report.findings.iter().any(|f| matches!(f.kind, Kind::Incomplete { .. })));
}

#[test]
fn findings_speak_both_languages_at_their_place() {
    let (contract, file) = read(&SALE.replace("from = [\"paid\"]\nto = \"sent\"", "from = [\"new\", \"paid\"]\nto = \"sent\""));
    let finding = &explore(&contract, Limits::default()).findings[0];
    let fault = finding.fault(&file, "en");
    assert_eq!(fault.message, "the promise `sale.paid_first` is broken: `sent` is entered before `paid` was");
    assert_eq!((fault.severity, &file.text[fault.span]), (Severity::Error, "[[promise]]"));
    assert_eq!(finding.message("tr"), "`sale.paid_first` sözü tutulmuyor: `paid` durumundan önce `sent` durumuna giriliyor");
    let unsure = Finding { possible: true, ..finding.clone() };
    assert!(unsure.message("en").ends_with(" (possible)") && unsure.message("tr").ends_with(" (olası)"));
}

/// What is found in the market's own contracts, and why it stands.
#[test]
fn the_market_is_known() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar/law/contracts");
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let report = explored(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(report.bound, None);
        let name = path.file_stem().unwrap().to_str().unwrap();
        found.extend(report.findings.iter().map(|f| format!("{name} {}", told(f))));
    }
    let expected = [
        // Delivered, told a second time, and then, by way of a goodwill refund that failed, shipped again: the second report,
        // were it sent once more, would be taken for the new parcel's. Reports of delivery bear the parcel's number as once-key.
        "order replay: place>new pay>paid? ship>shipped? !close>fulfilled =deliver>fulfilled ^force_refund>refunding \
         refund_failed>paid ship>shipped? ~deliver>fulfilled",
        // The provider answers after the payer gave up, or let it lapse: the refusal is the alarm, and whoever reads it gives the money back.
        "payment reply_lost: request>pending? !expire>expired -capture>expired",
        "payment reply_lost: request>pending? !expire>expired -fail>expired",
    ];
    assert_eq!(found, expected);
}

#[test]
fn real_machines_are_explored_without_a_bound() {
    for (name, contract) in graphs::contracts() {
        let report = explore(&contract, Limits::default());
        assert_eq!(report.bound, None, "{name}");
        assert_eq!(report.findings.iter().map(told).collect::<Vec<_>>(), [""; 0], "{name}");
    }
}

/// The specification lists every code with its severity, the limits, and shows what its own example comes to.
#[test]
fn the_specification_is_true() {
    let spec = include_str!("../../spec/contract.md");
    let section = spec.split("## By model").nth(1).unwrap();
    let example = spec.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let found = findings(example);
    assert_eq!(found[0], "replay: place>new? pay>paid? =pay>paid !expire>expired ^reopen>new ~pay>paid?");
    let shown: Vec<&str> = section.split("```").nth(1).unwrap().lines().filter(|line| line.starts_with("    ")).collect();
    assert_eq!(shown.len(), 6, "one line for each step");
    let (contract, file) = read(example);
    let first = &explore(&contract, Limits::default()).findings[0];
    assert!(section.contains(&format!("error[{}]: {}\n", first.kind.code(), first.message("en"))));
    assert!(section.contains(&format!(":{}:1\n", first.fault(&file, "en").line)));
    let source = include_str!("../src/contract/model/trace.rs");
    let codes: Vec<&str> = source.split('"').filter(|word| word.starts_with("law.model.")).collect();
    assert_eq!(codes.len(), 8);
    for code in codes {
        let severity = if matches!(code, "law.model.reply_lost" | "law.model.waits") { "warning" } else { "error" };
        assert!(section.contains(&format!("| `{code}` | {severity} |")), "{code}");
    }
    let limits = Limits::default();
    for (limit, text) in [(limits.worlds_max, "65,536"), (limits.depth_max, "1,024"), (limits.steps_max, "4,000,000")] {
        assert_eq!(limit.to_string(), text.replace(',', ""));
        assert!(section.contains(text), "{text}");
    }
    assert_eq!(hos_core::contract::model::FINDINGS_MAX, 64);
}
