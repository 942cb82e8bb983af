//! What `hos check` finds in a contract that parses, and what its drawings look like.

use hos_core::contract::Contract;
use hos_core::contract::check::check;
use hos_core::contract::draw::{dot, mermaid};
use hos_core::contract::parse::parse;
use hos_core::fault::{Severity, SourceFile};
use hos_core::spanned::FAULTS_MAX;

const ORDER: &str = include_str!("contract_order.toml");

fn read(text: &str) -> (Contract, SourceFile) {
    let file = SourceFile { path: "contracts/c.toml".into(), text: text.into() };
    let (contract, warnings) = parse(&file, "Pazar").unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    assert!(warnings.is_empty());
    (contract, file)
}

/// Nothing to find: `a` waits for a deadline, `b` may last, `z` is the end. Eighteen lines.
const SOUND: &str = "contract = \"c\"
version = 3
entity = \"Order\"
states = [
\"a\",
\"b\",
\"z\",
]
terminal = [\"z\"]
forever = [\"b\"]
[begin.birth]
to = \"a\"
[event.go]
from = [\"a\"]
to = \"b\"
[event.end]
from = [\"a\", \"b\"]
to = \"z\"
[[deadline]]
state = \"a\"
after = \"PT1H\"
event = \"end\"
";

#[test]
fn a_sound_contract_has_no_findings() {
    for text in [SOUND, ORDER] {
        let (contract, file) = read(text);
        assert_eq!(check(&contract, &file), []);
    }
}

/// Code, severity, line.
type Told = (&'static str, Severity, usize);

#[test]
fn every_finding_is_told_with_code_severity_and_line() {
    let (error, warning) = (Severity::Error, Severity::Warning);
    // What to replace in the sound one  | by                                                | findings
    #[rustfmt::skip]
    let rows: &[(&str, &str, &[Told])] = &[
        ("\"z\",\n]",                      "\"z\",\n\"q\",\n]",                                &[("dead_end", warning, 8), ("unreachable", warning, 8)]),
        ("\"z\",\n]\nterminal = [\"z\"",   "\"z\",\n\"q\",\n]\nterminal = [\"z\", \"q\"",      &[("unreachable", warning, 8)]),
        ("forever = [\"b\"]",              "",                                                 &[("waiting", warning, 6)]),
        ("after = \"PT1H\"\nevent = \"end\"", "after = \"PT1H\"\nevent = \"go\"",              &[]),
        ("state = \"a\"",                  "state = \"b\"",                                    &[("waiting", warning, 5)]),
        ("\"z\",\n]\nterminal = [\"z\"]\nforever = [\"b\"]", "\"z\",\n\"q\",\n]\nterminal = [\"z\", \"q\"]\nforever = [\"b\"]\n[migrate.\"2\"]\na = \"a\"\n[override.back]\nfrom = [\"q\"]\nto = \"a\"", &[]),
        ("\"z\",\n]\nterminal = [\"z\"]\nforever = [\"b\"]", "\"z\",\n\"q\",\n]\nterminal = [\"z\", \"q\"]\nforever = [\"b\"]\n[migrate.\"2\"]\nq = \"z\"\n[override.back]\nfrom = [\"q\"]\nto = \"a\"", &[("unreachable", warning, 8), ("unused_event", warning, 14)]),
        ("terminal = [\"z\"]",             "terminal = []",                                    &[("dead_end", warning, 7)]),
        ("terminal = [\"z\"]",             "terminal = [\"z\", \"a\"]",                        &[("unreachable", warning, 6), ("unreachable", warning, 7),
                                                                                                 ("terminal_exit", error, 13), ("terminal_exit", error, 16),
                                                                                                 ("deadline_unlawful", error, 19)]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\", \"b\"]\nto = \"b\"",                &[("self_loop", warning, 13)]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\", \"b\"]\nto = \"b\"\nself_loop = true", &[]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\", \"b\"]\nto = \"b\"\nrearm = true",  &[]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"*\"]\nto = \"b\"",                       &[("wildcard_target", warning, 13)]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"*\"]\nto = \"b\"\non_same = \"noop\"",   &[]),
        ("from = [\"a\", \"b\"]\nto = \"z\"", "from = [\"a\"]\nto = \"z\"\n[event.stop]\nfrom = [\"a\", \"b\"]\nto = \"z\"", &[("twin_events", warning, 19)]),
        ("event = \"end\"",                "event = \"end\"\n[event.stop]\nfrom = [\"*\"]\nto = \"z\"", &[]),
        ("from = [\"a\", \"b\"]\nto = \"z\"", "from = [\"a\"]\nto = \"z\"\n[event.stop]\nfrom = [\"b\"]\nto = \"z\"", &[]),
        ("event = \"end\"",                "event = \"end\"\n[[deadline]]\nstate = \"b\"\nafter = \"PT1H\"\nevent = \"go\"", &[("deadline_unlawful", error, 23)]),
        ("to = \"z\"",                     "to = \"z\"\nargs = { x = \"Long\" }",              &[("deadline_args", error, 20)]),
        ("to = \"z\"",                     "to = \"z\"\nargs = { x = \"Long?\" }",             &[]),
        ("to = \"z\"",                     "to = \"z\"\nargs = { __x = \"Long?\" }",           &[("reserved", error, 19)]),
        ("[begin.birth]",                  "[facts]\n__entity = \"Long\"\n[begin.birth]",        &[("reserved", warning, 12)]),
        ("[begin.birth]",                  "[facts]\n_x = \"Long\"\nx__ = \"Long\"\n[begin.birth]", &[]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\"]\nto = \"b\"\nreplies = [\"end\"]",  &[]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\"]\nto = \"b\"\nreplies = [\"go\"]",   &[("reply_unhandled", error, 13)]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\"]\nto = \"b\"\non_same = \"noop\"\nreplies = [\"go\"]", &[]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\"]\nbranch = [{ to = \"b\", when = \"x\" }, { to = \"z\", effects = [{ kind = \"k\" }] }]\nreplies = [\"end\"]", &[("reply_unhandled", error, 13), ("twin_events", warning, 13)]),
        ("from = [\"a\"]\nto = \"b\"",     "from = [\"a\"]\nbranch = [{ to = \"z\", when = \"x\" }, { to = \"b\", effects = [{ kind = \"k\" }] }]\nreplies = [\"end\"]", &[("twin_events", warning, 13)]),
        ("event = \"end\"",                "event = \"end\"\n[migrate.\"1\"]\no = \"p\"\nq = \"z\"\n[migrate.\"2\"]\nr = \"a\"", &[("migration_gap", error, 26)]),
        ("event = \"end\"",                "event = \"end\"\n[migrate.\"1\"]\no = \"p\"\nq = \"z\"\n[migrate.\"2\"]\np = \"a\"", &[]),
    ];
    for (old, new, expected) in rows {
        assert!(SOUND.contains(old), "{old}");
        let (contract, file) = read(&SOUND.replacen(old, new, 1));
        let found = check(&contract, &file);
        let told: Vec<_> = found.iter().map(|f| (f.code, f.severity, f.line)).collect();
        let codes: Vec<String> = expected.iter().map(|(c, _, _)| format!("law.contract.{c}")).collect();
        let expected: Vec<_> = expected.iter().zip(&codes).map(|((_, s, l), c)| (c.as_str(), *s, *l)).collect();
        assert_eq!(told, expected, "{}\n{found:#?}", file.text);
    }
}

#[test]
fn a_circle_without_an_end_is_told() {
    let (contract, file) = read(
        "contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [\"a\", \"b\", \"c\", \"z\"]\nterminal = [\"z\"]\n[begin.n]\nto = \"a\"\n\
         [event.e]\nfrom = [\"a\"]\nbranch = [{ to = \"b\", when = \"x\" }, { to = \"z\" }]\n[event.f]\nfrom = [\"b\"]\nto = \"c\"\n\
         [event.g]\nfrom = [\"c\"]\nto = \"b\"\n",
    );
    let trapped: Vec<String> =
        check(&contract, &file).into_iter().filter(|f| f.code == "law.contract.trapped").map(|f| f.message).collect();
    assert_eq!(trapped, ["no end can be reached from the state `b`", "no end can be reached from the state `c`"]);
}

/// Of two events that lead to one state, the finding names the state that one of them leaves out, and which one does not.
#[test]
fn a_twin_is_told_with_the_state_that_only_one_of_them_leaves() {
    let states: Vec<String> = (0..140).map(|i| format!("\"s{i}\"")).collect();
    let told = |one: &[usize], two: &[usize]| -> Vec<String> {
        let from = |of: &[usize]| of.iter().map(|i| states[*i].clone()).collect::<Vec<_>>().join(",");
        let (all, one, two) = (states.join(","), from(one), from(two));
        // Every state lasts and is reached by the migration, so that nothing else is found.
        let migrated: Vec<String> = states.iter().map(|s| format!("{s} = {s}")).collect();
        let (contract, file) = read(&format!(
            "contract = \"c\"\nversion = 2\nentity = \"E\"\nstates = [{all},\"z\"]\nforever = [{all}]\nterminal = [\"z\"]\n\
             [begin.n]\nto = \"s0\"\n[event.one]\nfrom = [{one}]\nto = \"z\"\n[event.two]\nfrom = [{two}]\nto = \"z\"\n\
             [migrate.1]\n{}\n",
            migrated.join("\n")
        ));
        check(&contract, &file).into_iter().map(|f| f.message).collect()
    };
    // Left by one | left by two | the first state that only one of them leaves, and which
    type Row = (&'static [usize], &'static [usize], Option<(&'static str, &'static str)>);
    let rows: [Row; 11] = [
        (&[3, 5], &[3], Some(("s5", "one"))),
        (&[3], &[3, 5], Some(("s5", "two"))),
        (&[3, 5, 6], &[3, 6], Some(("s5", "one"))),
        (&[3, 6], &[3, 5, 6], Some(("s5", "two"))),
        (&[0, 63], &[0, 62], Some(("s62", "two"))),
        (&[0, 3], &[1, 3], Some(("s0", "one"))),
        (&[3, 64], &[3], Some(("s64", "one"))),
        (&[3, 139, 138], &[3, 138], Some(("s139", "one"))),
        (&[3, 100], &[100], Some(("s3", "one"))),
        (&[3, 139], &[3, 139], None),
        // Nothing in common: they are no twins.
        (&[3, 70], &[4, 71], None),
    ];
    for (one, two, expected) in rows {
        let message =
            expected.map(|(from, only)| format!("`one` and `two` both lead to `z`, but from `{from}` only `{only}` does"));
        assert_eq!(told(one, two), Vec::from_iter(message), "{one:?} {two:?}");
    }
}

#[test]
fn what_is_found_several_times_is_listed_by_name() {
    let messages = |text: String, code: &str| -> Vec<String> {
        let (contract, file) = read(&text);
        check(&contract, &file).into_iter().filter(|f| f.code == code).map(|f| f.message).collect()
    };
    let needy = SOUND.replace("to = \"z\"", "to = \"z\"\nargs = { sum = \"Long\", note = \"String?\", by = \"String\" }");
    assert_eq!(messages(needy, "law.contract.deadline_args"), ["the clock gives no arguments, and `end` needs `by`, `sum`"]);
    let around = SOUND
        .replace("from = [\"a\"]\nto = \"b\"", "from = [\"b\", \"a\"]\nbranch = [{ to = \"b\", when = \"x\" }, { to = \"a\" }]");
    assert_eq!(
        messages(around, "law.contract.self_loop"),
        ["`go` leads from `a`, `b` to itself: say `self_loop = true` if that is meant"]
    );
}

#[test]
fn the_picture_is_the_data() {
    let (contract, _) = read(&SOUND.replace("[event.go]", "[override.back]\nfrom = [\"z\"]\nto = \"a\"\n[event.split]\nfrom = [\"b\"]\nbranch = [{ to = \"z\", when = \"context.x == \\\"a;b\\\" && [1] != [2]\" }, { to = \"a\" }]\nargs = { x = \"String\" }\n[event.go]"));
    assert_eq!(
        mermaid(&contract),
        "stateDiagram-v2
    %% c 3
    state \"a\" as s0
    state \"b\" as s1
    state \"z\" as s2
    [*] --> s0 : birth
    s0 --> s1 : go
    s0 --> s2 : end after PT1H
    s1 --> s2 : end
    s1 --> s0 : split
    s1 --> s2 : split #91;context.x #61;#61; #34;a#59;b#34; #38;#38; #91;1#93; #33;#61; #91;2#93;#93;
    s2 --> s0 : back (override)
    s2 --> [*]
"
    );
    assert_eq!(
        dot(&contract),
        "digraph \"c 3\" {
    rankdir=LR;
    node [shape=box, style=rounded];
    birth [shape=point];
    s0 [label=\"a\"];
    s1 [label=\"b\"];
    s2 [label=\"z\", peripheries=2];
    birth -> s0 [label=\"birth\"];
    s0 -> s1 [label=\"go\"];
    s0 -> s2 [label=\"end after PT1H\", style=dashed];
    s1 -> s2 [label=\"end\"];
    s1 -> s0 [label=\"split\"];
    s1 -> s2 [label=\"split [context.x == \\\"a;b\\\" && [1] != [2]]\"];
    s2 -> s0 [label=\"back (override)\", style=dashed];
}
"
    );
}

#[test]
fn drawings_are_whole_and_the_same_each_time() {
    let (contract, file) = read(ORDER);
    let (again, _) = read(&file.text);
    assert_eq!((mermaid(&contract), dot(&contract)), (mermaid(&again), dot(&again)));
    let drawn = mermaid(&contract);
    // One line for each way out of each state, one for each birth, one for each end.
    let births: usize = contract.begins.values().map(|e| e.branches.len()).sum();
    let moves: usize = contract.arrows().map(|(e, _)| e.from.len() * e.branches.len()).sum();
    let ends = contract.states.iter().filter(|s| s.terminal).count();
    assert_eq!(drawn.lines().filter(|l| l.contains("-->")).count(), births + moves + ends);
    assert_eq!(dot(&contract).lines().filter(|l| l.contains("->")).count(), births + moves);
    for line in drawn.lines().filter(|l| l.contains(" : ")) {
        let label = line.split_once(" : ").unwrap().1;
        assert!(!label.contains(['"', ':', '[', ']', '<', '>', '{', '}']), "{line}");
    }
    for line in dot(&contract).lines() {
        assert_eq!(line.replace("\\\\", "").replace("\\\"", "").matches('"').count() % 2, 0, "{line}");
    }
    for (span, text) in [("PT60M", "PT1H"), ("P14D", "P14D"), ("P1DT2H3M4S", "P1DT2H3M4S")] {
        assert!(drawn.contains(&format!("after {text}")), "{span}: {drawn}");
    }
}

/// A label is a hint: an expression is one line of sixty signs, and what turns text around is a blank in Graphviz's.
#[test]
fn a_long_or_strange_expression_is_shortened_in_a_label() {
    let label = |when: &str| {
        let by = format!("branch = [{{ to = \"b\", when = '{when}' }}, {{ to = \"z\" }}]");
        let (contract, _) = read(&SOUND.replacen("to = \"b\"", &by, 1));
        let line = |text: String, start: &str| text.lines().find_map(|l| Some(l.trim().strip_prefix(start)?.to_owned())).unwrap();
        (line(dot(&contract), "s0 -> s1 [label=\"go ["), line(mermaid(&contract), "s0 --> s1 : go #91;"))
    };
    let (sixty, more) = ("a".repeat(60), "a".repeat(61));
    assert_eq!(label(&sixty), (format!("{sixty}]\"];"), format!("{sixty}#93;")));
    assert_eq!(label(&more), (format!("{sixty}…]\"];"), format!("{sixty}…#93;")));
    assert_eq!(label("a \t b"), ("a b]\"];".to_owned(), "a b#93;".to_owned()));
    let strange = label("x == \"\u{202e}ış\u{200f}\\n\"");
    assert_eq!(strange.0, "x == \\\" ış \\\\n\\\"]\"];");
    assert_eq!(strange.1, "x #61;#61; #34;#8238;ış#8207;#92;n#34;#93;");
}

/// The largest contract that parses is checked without anything growing out of bounds.
#[test]
fn the_largest_contract_is_checked() {
    let names: Vec<String> = (0..256).map(|i| format!("\"s{i}\"")).collect();
    let states = names.join(",");
    let branches: Vec<String> = (0..32).map(|i| format!("{{to=\"s{i}\"{}}}", if i < 31 { ",when=\"x\"" } else { "" })).collect();
    let mut text = format!("contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [{states}]\n[begin.n]\nto = \"s0\"\n");
    for i in 0..300 {
        let from = names[..255 - i % 3].join(",");
        text.push_str(&format!("[event.e{i}]\nfrom=[{from}]\nbranch=[{}]\n", branches.join(",")));
    }
    // An error at the end of the file is not hidden by the flood of warnings.
    text.push_str("[event.last]\nfrom=[\"s0\"]\nto=\"s1\"\nreplies=[\"last\"]\n");
    let (contract, file) = read(&text);
    let found = check(&contract, &file);
    let of = |severity| found.iter().filter(|f| f.severity == severity).map(|f| f.code).collect::<Vec<_>>();
    assert_eq!(of(Severity::Error), ["law.contract.reply_unhandled"]);
    assert_eq!(of(Severity::Warning).len(), FAULTS_MAX);
}

/// The specification's example is sound, and every code that can be told is explained there.
#[test]
fn the_specification_is_true() {
    let spec = include_str!("../../spec/contract.md");
    let example = spec.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let (contract, file) = read(example);
    assert_eq!(check(&contract, &file), []);
    let sources = [
        include_str!("../src/contract/parse.rs"),
        include_str!("../src/contract/parse/event.rs"),
        include_str!("../src/contract/parse/names.rs"),
        include_str!("../src/contract/parse/promise.rs"),
        include_str!("../src/contract/parse/rest.rs"),
        include_str!("../src/contract/check.rs"),
        include_str!("../src/law/check.rs"),
        include_str!("../src/spanned.rs"),
    ];
    let codes = |text: &str, quote: char| -> std::collections::BTreeSet<String> {
        let words = text.split(quote).filter(|w| w.starts_with("law.contract.") || w.starts_with("law.toml."));
        words.filter(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '_')).map(str::to_owned).collect()
    };
    let told: std::collections::BTreeSet<String> = sources.iter().flat_map(|s| codes(s, '"')).collect();
    let explained = codes(spec, '`');
    assert_eq!(told, explained);
    assert!(told.len() > 30);
}
