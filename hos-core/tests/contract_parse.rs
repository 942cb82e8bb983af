//! Contracts as people write them: one that is right, and many that are wrong, each with the code and the line told.

use hos_core::contract::definition::{Due, Field, OnSame};
use hos_core::contract::parse::parse;
use hos_core::fault::{Fault, SourceFile};
use hos_core::shape::{Type, Wanted};
use hos_core::spanned::FAULTS_MAX;
use hos_core::time::Span;
use std::fmt::Write;

const ORDER: &str = include_str!("contract_order.toml");

fn file(text: &str) -> SourceFile {
    SourceFile { path: "contracts/order.toml".into(), text: text.into() }
}

fn faults(text: &str) -> Vec<Fault> {
    match parse(&file(text), "Pazar") {
        Ok(_) => Vec::new(),
        Err(faults) => faults,
    }
}

#[test]
fn a_contract_is_read_as_it_is_written() {
    let source = file(ORDER);
    let (order, warnings) = parse(&source, "Pazar").unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((order.name.as_str(), order.version, order.entity.as_str()), ("order", 3, "Pazar::Order"));
    assert_eq!(order.data_subject.as_ref().unwrap().as_str(), "buyer");
    let marks: Vec<_> = order.states.iter().filter(|s| s.terminal || s.forever).map(|s| s.name.as_str()).collect();
    assert_eq!(marks, ["cart", "fulfilled", "cancelled", "expired"]);
    assert_eq!(order.facts["buyer"].ty, Type::Entity("Pazar::Account".into()));
    assert!(order.facts["note"].optional && !order.facts["total"].optional);

    let pay = &order.events["pay"][0];
    let codes: Vec<_> = pay.require.iter().map(|g| g.code.as_str()).collect();
    assert_eq!(codes, ["order.amount_short", "order.not_buyer"]);
    assert_eq!((pay.action.as_str(), pay.on_same), ("order.pay", OnSame::Noop));
    let body = &pay.effects[0].body;
    assert_eq!((&body[0], &body[1], &body[2], body.len()), (&Field::Id, &Field::State, &Field::Principal, 6));
    let guard = &order.expressions[pay.require[0].when];
    assert_eq!((guard.action.as_str(), guard.resource.as_str(), guard.wanted), ("order.pay", "Pazar::Order", Wanted::Bool));
    assert_eq!(&source.text[guard.span.clone()], "context.amount >= resource.total");

    // The action that nobody wrote, the arrows of one event, the wildcard spelled out.
    assert_eq!(order.events["expire"][0].action, "order.expire");
    assert_eq!(order.events["refunded"].len(), 2);
    let cancel = &order.events["cancel"][0];
    assert_eq!(cancel.from.iter().map(|s| s.as_str()).collect::<Vec<_>>(), ["cart", "new", "paid", "refunding", "shipped"]);
    assert!(cancel.wildcard);
    assert!(order.events["remind"][0].rearm && order.events["remind"][0].self_loop);
    assert_eq!(order.events["check_out"][0].sets["total"].as_str(), "total");
    assert!(matches!(order.deadlines[0].due, Due::After(Span(3_600_000))));
    let Due::At(at) = order.deadlines[1].due else { panic!("an `at` was written") };
    assert_eq!((order.expressions[at].wanted, order.expressions[at].action.as_str()), (Wanted::Instant, "order.cancel"));
    assert_eq!(order.migrations.keys().collect::<Vec<_>>(), [&1, &2]);
}

#[test]
fn shapes_are_what_the_schema_will_be_held_against() {
    let (order, _) = parse(&file(ORDER), "Pazar").unwrap();
    let entity = order.entity_shape();
    let attributes: Vec<_> = entity.attributes.iter().map(|a| (a.name.as_str(), a.ty.to_string(), a.optional)).collect();
    assert_eq!(entity.type_name, "Pazar::Order");
    assert!(attributes.contains(&("state", "String".into(), false)));
    assert!(attributes.contains(&("note", "String".into(), true)));
    assert_eq!(attributes.len(), 5);
    let actions = order.action_shapes();
    assert_eq!(actions.len(), order.begins.len() + order.events.len() + order.overrides.len());
    let pay = actions.iter().find(|a| a.action == "order.pay").unwrap();
    assert_eq!((pay.context.len(), &ORDER[pay.span.clone()]), (2, "order.pay"));
}

/// Ten lines that are right; line 11 and what follows is the row's.
const HEAD: &str = "contract = \"c\"
version = 2
entity = \"Order\"
states = [\"a\", \"b\", \"z\"]
terminal = [\"z\"]
[facts]
owner = \"Account\"
sum = \"Long\"
[begin.birth]
to = \"a\"
";

#[test]
fn what_is_wrong_is_told_with_code_and_line() {
    // What follows the head                                                            | code             | line
    #[rustfmt::skip]
    let rows: &[(&str, &str, usize)] = &[
        ("[event.e]\nfrom = [\"a\"]\nto = \"bb\"",                                       "unknown_state",   13),
        ("[event.e]\nfrom = [\"aa\"]\nto = \"b\"",                                       "unknown_state",   12),
        ("[event.e]\nfrom = [\"a\"]\nbranch = [{ to = \"y\" }]",                         "unknown_state",   13),
        ("[event.e]\nto = \"b\"",                                                        "missing",         11),
        ("[event.e]\nfrom = [\"a\"]",                                                    "missing",         11),
        ("[event.e]\nfrom = []\nto = \"b\"",                                             "empty",           12),
        ("[event.e]\nfrom = \"a\"\nto = \"b\"",                                          "wrong_type",      12),
        ("[event.e]\nfrom = [\"a\", 3]\nto = \"b\"",                                     "wrong_type",      12),
        ("[event.e]\nfrom = [\"a\", \"a\"]\nto = \"b\"",                                 "duplicate",       12),
        ("[event.e]\nfrom = [\"*\", \"*\"]\nto = \"b\"",                                 "duplicate",       12),
        ("[event.e]\nform = [\"a\"]\nfrom = [\"a\"]\nto = \"b\"",                        "unknown_key",     12),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nbranch = [{ to = \"a\" }]",             "bad_branch",      14),
        ("[event.e]\nfrom = [\"a\"]\nbranch = []",                                       "empty",           13),
        ("[event.e]\nfrom = [\"a\"]\nbranch = [{ to = \"b\" }, { to = \"a\" }]",         "bad_branch",      13),
        ("[event.e]\nfrom = [\"a\"]\nbranch = [{ to = \"b\", when = \"true\" }]",        "bad_branch",      13),
        ("[event.e]\nfrom = [\"a\"]\nbranch = [{ when = \"true\" }, { to = \"b\" }]",    "missing",         13),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\naction = \"two words\"",                "bad_name",        14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nargs = { x = \"long\" }",               "bad_type",        14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nargs = { x = \"Set<Long\" }",           "bad_type",        14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nargs = { x = 1 }",                      "wrong_type",      14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nargs = { x-y = \"Long\" }",             "bad_name",        14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nrequire = [{ when = \"true\" }]",       "missing",         14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nrequire = [{ code = \"x\" }]",          "missing",         14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nrequire = [{ code = \"x\", when = \" \" }]", "empty",      14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nrequire = [{ code = \"x.y\", when = \"true\" }]", "bad_name", 14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nrequire = [\n{ code = \"x\", when = \"true\" },\n{ code = \"x\", when = \"true\" }]", "duplicate", 16),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nrequire = \"true\"",                    "wrong_type",      14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\non_same = \"nope\"",                    "bad_value",       14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\non_same = true",                        "wrong_type",      14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nrearm = \"yes\"",                       "wrong_type",      14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\neffects = [{ body = [\"id\"] }]",       "missing",         14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\neffects = [{ kind = \"a..b\" }]",       "bad_name",        14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\neffects = [{ kind = \"m\", body = [\"Id\"] }]", "unknown_field", 14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\neffects = [{ kind = \"m\", body = [\"facts.som\"] }]", "unknown_fact", 14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\neffects = [{ kind = \"m\", body = [\"args.x\"] }]", "unknown_arg", 14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nsets = { sum = \"args.x\" }",           "unknown_arg",     14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nsets = { sum = \"x\" }",                "unknown_arg",     14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nargs = { x = \"Long\" }\nsets = { summ = \"args.x\" }", "unknown_fact", 15),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nargs = { x = \"String\" }\nsets = { sum = \"args.x\" }", "type_mismatch", 15),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\nreplies = [\"f\"]",                     "unknown_event",   14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\ncascade = []",                          "reserved",        14),
        ("[event.\"9\"]\nfrom = [\"a\"]\nto = \"b\"",                                    "bad_name",        11),
        ("[event.birth]\nfrom = [\"a\"]\nto = \"b\"",                                    "duplicate",       11),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[override.e]\nfrom = [\"z\"]\nto = \"a\"", "duplicate",    14),
        ("[[event.e]]\nfrom = [\"a\"]\nto = \"b\"\n[[event.e]]\nfrom = [\"a\"]\nto = \"z\"", "duplicate_arrow", 14),
        ("[[event.e]]\nfrom = [\"*\"]\nto = \"b\"\n[[event.e]]\nfrom = [\"a\"]\nto = \"z\"", "duplicate_arrow", 14),
        ("[[event.e]]\nfrom = [\"a\"]\nto = \"b\"\n[[event.e]]\nfrom = [\"b\"]\nto = \"z\"\naction = \"c.f\"", "arrows_differ", 17),
        ("[[event.e]]\nfrom = [\"a\"]\nto = \"b\"\n[[event.e]]\nfrom = [\"b\"]\nto = \"z\"\nargs = { x = \"Long\" }", "arrows_differ", 17),
        ("[event]\ne = 4",                                                               "wrong_type",      12),
        ("[event]\ne = []",                                                              "empty",           12),
        ("[begin.other]\nfrom = [\"a\"]\nto = \"a\"",                                    "unknown_key",     12),
        ("[begin.other]\nto = \"c\"",                                                    "unknown_state",   12),
        ("[[deadline]]\nstate = \"a\"\nafter = \"PT1M\"\nevent = \"e\"",                 "unknown_event",   14),
        ("[[deadline]]\nstate = \"a\"\nafter = \"PT1M\"",                                "missing",         11),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[[deadline]]\nstate = \"q\"\nafter = \"PT1M\"\nevent = \"e\"", "unknown_state", 15),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[[deadline]]\nstate = \"a\"\nafter = \"P1M\"\nevent = \"e\"", "bad_span", 16),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[[deadline]]\nstate = \"a\"\nafter = \"PT0S\"\nevent = \"e\"", "bad_value", 16),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[[deadline]]\nstate = \"a\"\nevent = \"e\"", "missing",    14),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[[deadline]]\nstate = \"a\"\nafter = \"PT1M\"\nat = \"x\"\nevent = \"e\"", "bad_value", 17),
        ("[override.o]\nfrom = [\"z\"]\nto = \"a\"\n[[deadline]]\nstate = \"a\"\nafter = \"PT1M\"\nevent = \"o\"", "unknown_event", 17),
        ("[override.o]\nfrom = [\"z\"]\nto = \"a\"\nargs = { reason = \"String\" }", "reserved",   11),
        // What has another type is not missing besides.
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[[deadline]]\nstate = \"a\"\nafter = 5\nevent = \"e\"", "wrong_type", 16),
        ("[event.e]\nfrom = [\"a\"]\nto = \"b\"\n[[deadline]]\nstate = \"a\"\nat = 5\nevent = \"e\"", "wrong_type", 16),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"\nbefore = 5",                         "wrong_type",      14),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"\nafter = 5",                          "wrong_type",      14),
        // A reply is looked up in every arrow.
        ("[[event.e]]\nfrom = [\"a\"]\nto = \"b\"\n[[event.e]]\nfrom = [\"b\"]\nto = \"z\"\nreplies = [\"e\", \"f\"]", "unknown_event", 17),
        ("[[override.o]]\nfrom = [\"z\"]\nto = \"a\"\nreplies = [\"f\"]",                "unknown_event",   14),
        ("[migrate.\"0\"]\nq = \"a\"",                                                   "bad_version",     11),
        ("[migrate.\"2\"]\nq = \"a\"",                                                   "bad_version",     11),
        ("[migrate.\"01\"]\nq = \"a\"",                                                  "bad_version",     11),
        ("[migrate.\"1\"]\nq = \"y\"",                                                   "unknown_state",   12),
        ("[migrate.\"1\"]",                                                              "empty",           11),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"\nbefore = \"q\"", "unknown_state", 14),
        ("[[promise]]\ncode = \"p\"\nnever = \"q\"\nafter = \"b\"", "unknown_state", 13),
        ("[[promise]]\ncode = \"p\"\nnever_both = [\"a\", \"q\"]", "unknown_state", 13),
        ("[[promise]]\ncode = \"p\"\nnever_both = [\"a\"]", "empty", 13),
        ("[[promise]]\ncode = \"p\"\nnever_both = [\"a\", \"b\", \"a\"]", "duplicate", 13),
        ("[[promise]]\ncode = \"p\"\nnever_both = [\"a\", \"b\"]\nafter = \"a\"", "bad_value", 14),
        ("[[promise]]\nnever = \"b\"\nbefore = \"a\"", "missing", 11),
        ("[[promise]]\ncode = \"p\"\nbefore = \"a\"", "missing", 11),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"", "missing", 11),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"\nbefore = \"a\"\nafter = \"z\"", "bad_value", 15),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"\nbefore = \"b\"", "bad_value", 14),
        ("[[promise]]\ncode = \"p q\"\nnever = \"b\"\nafter = \"a\"", "bad_name", 12),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"\nafter = \"b\"\n[[promise]]\ncode = \"p\"\nnever = \"a\"\nafter = \"b\"", "duplicate", 16),
        ("[[promise]]\ncode = \"p\"\nnever = \"b\"\nbefor = \"a\"\nafter = \"a\"", "unknown_key", 14),
        ("[[promise]]\ncode = \"p\"\nnever = [\"b\"]\nafter = \"a\"", "wrong_type", 13),
        ("[promise]\ncode = \"p\"", "wrong_type", 11),
        ("[invariant]\nx = 1",                                                           "reserved",        11),
        ("[evnt.e]\nfrom = [\"a\"]",                                                     "unknown_key",     11),
    ];
    for (text, code, line) in rows {
        let found = faults(&format!("{HEAD}{text}\n"));
        let told: Vec<_> = found.iter().map(|f| (f.code, f.line)).collect();
        assert_eq!(told, [(format!("law.contract.{code}").as_str(), *line)], "{text}\n{found:#?}");
        let first = found[0].message.chars().next().unwrap();
        assert!(!first.is_uppercase() && !found[0].message.ends_with('.'), "{}", found[0].message);
    }
    assert!(faults(HEAD).is_empty());
}

#[test]
fn a_wrong_head_is_told_with_code_and_line() {
    // What to replace in the head       | by                                    | code            | line
    #[rustfmt::skip]
    let rows: &[(&str, &str, &str, usize)] = &[
        ("contract = \"c\"",                 "contract = \"hos\"",                   "reserved",        1),
        ("contract = \"c\"",                 "contract = \"a b\"",                   "bad_name",        1),
        ("contract = \"c\"",                 "contract = 5",                         "wrong_type",      1),
        ("version = 2",                      "version = 0",                          "bad_version",     2),
        ("version = 2",                      "version = -1",                         "bad_version",     2),
        ("version = 2",                      "version = 4294967296",                 "bad_version",     2),
        ("version = 2",                      "version = 2.0",                        "wrong_type",      2),
        ("version = 2",                      "",                                     "missing",         1),
        ("entity = \"Order\"",               "entity = \"Long\"",                    "bad_type",        3),
        ("entity = \"Order\"",               "entity = \"a b\"",                     "bad_type",        3),
        ("\"b\", \"z\"]",                    "\"b\", \"z\", \"a\"]",                 "duplicate",       4),
        ("\"b\", \"z\"]",                    "\"b\", \"z\", \"*\"]",                 "bad_name",        4),
        ("terminal = [\"z\"]",               "terminal = [\"zz\"]",                  "unknown_state",   5),
        ("terminal = [\"z\"]",               "terminal = [\"z\", \"z\"]",            "duplicate",       5),
        ("terminal = [\"z\"]",               "terminal = [\"z\"]\nforever = [\"z\"]", "bad_value",      6),
        ("[facts]",                          "data_subject = \"owner\"\n[facts]",    "unknown_fact",    6),
        ("[facts]",                          "data_subject = \"facts.ower\"\n[facts]", "unknown_fact",  6),
        ("[facts]",                          "data_subject = \"facts.sum\"\n[facts]", "type_mismatch",  6),
        ("[facts]",                          "children = []\n[facts]",               "reserved",        6),
        ("sum = \"Long\"",                   "sum = \"Long\"\nstate = \"Long\"",     "reserved",        9),
        ("sum = \"Long\"",                   "sum = \"Lo ng\"",                      "bad_type",        8),
        ("[begin.birth]\nto = \"a\"",        "",                                     "missing",         1),
    ];
    for (old, new, code, line) in rows {
        let text = HEAD.replacen(old, new, 1);
        let found = faults(&text);
        let told: Vec<_> = found.iter().map(|f| (f.code, f.line)).collect();
        assert_eq!(told, [(format!("law.contract.{code}").as_str(), *line)], "{text}\n{found:#?}");
    }
}

#[test]
fn nobody_else_becomes_the_data_subject() {
    let of_owner = HEAD.replacen("[facts]", "data_subject = \"facts.owner\"\n[facts]", 1);
    let event = |fact: &str| {
        let ty = of_owner.lines().find_map(|line| line.strip_prefix(&format!("{fact} = "))).unwrap();
        format!("{of_owner}\n[event.e]\nfrom = [\"a\"]\nto = \"b\"\nargs = {{ x = {ty} }}\nsets = {{ {fact} = \"args.x\" }}\n")
    };
    assert_eq!(faults(&event("sum")), []);
    let told: Vec<_> = faults(&event("owner")).into_iter().map(|f| f.code).collect();
    assert_eq!(told, ["law.contract.reserved"]);
}

#[test]
fn a_file_with_many_faults_lists_them_all() {
    let text = "contract = \"order\"
version = 0
entity = \"no type\"
states = [\"new\", \"paid\", \"paid\", \"sent\"]
terminal = [\"snet\"]
colour = \"red\"
[facts]
buyer = \"Acc ount\"
state = \"String\"
total = \"long\"
[begin.place]
to = \"neww\"
[event.pay]
from = [\"new\", \"payd\"]
to = \"paid\"
require = [{ code = \"short\" }, { code = \"a b\", when = \"true\" }]
on_same = \"nop\"
effects = [{ kind = \"mail..x\", body = [\"args.ref\"] }]
[event.ship]
to = \"sent\"
args = { when = 5 }
[event.lose]
from = [\"new\"]
branch = [{ to = \"paid\" }, { to = \"sent\", when = \"true\" }]
[[deadline]]
state = \"new\"
after = \"P1Y\"
event = \"pya\"
";
    let found = faults(text);
    let told: Vec<_> = found.iter().map(|f| (f.line, f.code.trim_start_matches("law.contract."))).collect();
    #[rustfmt::skip]
    assert_eq!(told, [
        (2, "bad_version"), (3, "bad_type"), (4, "duplicate"), (5, "unknown_state"), (6, "unknown_key"),
        (8, "bad_type"), (9, "reserved"), (10, "bad_type"), (12, "unknown_state"), (14, "unknown_state"),
        (16, "missing"), (16, "bad_name"), (17, "bad_value"), (18, "bad_name"), (18, "unknown_arg"),
        (19, "missing"), (21, "wrong_type"), (24, "bad_branch"), (24, "bad_branch"), (27, "bad_span"),
        (28, "unknown_event"),
    ]);
    let hints: Vec<_> = found.iter().filter_map(|f| f.hint.as_deref()).collect();
    for near in ["`sent`", "`new`", "`paid`", "`noop`", "`pay`", "`Long`"] {
        assert!(hints.iter().any(|h| h.contains(near)), "{near} in {hints:?}");
    }
    assert!(found.iter().all(|f| f.column > 0 && f.file == "contracts/order.toml"));
}

/// A caller cannot know which arrow is taken: each asks for the same arguments, or says nothing of them.
#[test]
fn arrows_of_one_event_ask_for_the_same_arguments() {
    // Of the first arrow | of the second | whether they are the same
    let rows = [
        ("x = \"Long\"", Some("x = \"Long\""), true),
        ("x = \"Long\", y = \"String?\"", Some("y = \"String?\", x = \"Long\""), true),
        ("x = \"Long\"", None, true),
        ("x = \"Long\"", Some(""), false),
        ("x = \"Long\"", Some("y = \"Long\""), false),
        ("x = \"Long\"", Some("x = \"String\""), false),
        ("x = \"Long\"", Some("x = \"Long?\""), false),
        ("x = \"Long?\"", Some("x = \"Long\""), false),
        ("x = \"Long\"", Some("x = \"Long\", y = \"Long\""), false),
        ("x = \"Long\", y = \"Long\"", Some("x = \"Long\""), false),
        ("", Some("x = \"Long\""), false),
    ];
    for (first, second, same) in rows {
        let second_args = second.map_or(String::new(), |args| format!("args = {{ {args} }}\n"));
        let text = format!(
            "{HEAD}[[event.e]]\nfrom = [\"a\"]\nto = \"b\"\nargs = {{ {first} }}\n[[event.e]]\nfrom = [\"b\"]\nto = \"z\"\n{second_args}"
        );
        let told: Vec<_> = faults(&text).iter().map(|f| (f.code, f.line)).collect();
        let expected = if same { Vec::new() } else { vec![("law.contract.arrows_differ", 18)] };
        assert_eq!(told, expected, "{text}");
    }
}

#[test]
fn limits_are_held_at_their_edge() {
    let states = |n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("\"s{i}\"")).collect();
        format!("contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [{}]\n[begin.b]\nto = \"s0\"\n", names.join(", "))
    };
    let events = |n: usize| {
        (0..n).fold(states(2), |mut text, i| {
            let _ = write!(text, "[event.e{i}]\nfrom = [\"s0\"]\nto = \"s1\"\n");
            text
        })
    };
    let event = |line: String| format!("{}[event.e]\nfrom = [\"s0\"]\nto = \"s1\"\n{line}\n", states(2));
    let many = |n: usize, item: fn(usize) -> String| (0..n).map(item).collect::<Vec<_>>().join(", ");
    let guards = |n| event(format!("require = [{}]", many(n, |i| format!("{{ code = \"g{i}\", when = \"true\" }}"))));
    let effects = |n| event(format!("effects = [{}]", many(n, |i| format!("{{ kind = \"m{i}\" }}"))));
    let args = |n| event(format!("args = {{ {} }}", many(n, |i| format!("a{i} = \"Long\""))));
    let expression = |n: usize| event(format!("require = [{{ code = \"g\", when = \"{}\" }}]", "x".repeat(n)));
    // None is lost on the way there.
    assert_eq!(parse(&file(&events(511)), "").unwrap().0.events.len(), 511);
    // The birth counts among the 512.
    let rows: [(&dyn Fn(usize) -> String, usize); 6] =
        [(&states, 256), (&events, 511), (&guards, 32), (&effects, 16), (&args, 64), (&expression, 4096)];
    for (make, most) in rows {
        assert!(faults(&make(most)).is_empty(), "{:?}", faults(&make(most)));
        let beyond: Vec<_> = faults(&make(most + 1)).iter().map(|f| f.code).collect();
        assert_eq!(beyond, ["law.contract.limit"], "{most}");
    }
}

#[test]
fn hostile_texts_are_faults_and_nothing_worse() {
    for text in [
        "",
        "\0",
        "contract",
        "= 1",
        "[[[[",
        "a = {",
        "\u{feff}contract = \"c\"",
        "states = [[[\"a\"]]]",
        "event = 1\nbegin = []",
    ] {
        assert!(!faults(text).is_empty(), "{text:?}");
    }
    let deep = format!("contract = \"c\"\nx = {}", "[".repeat(200_000));
    assert_eq!(faults(&deep).iter().map(|f| f.code).collect::<Vec<_>>(), ["law.toml.too_deep"]);
    // A file of nothing but mistakes costs no more than its first few hundred.
    let many = format!(
        "{HEAD}[event.e]\nto = \"b\"\nfrom = [{}]\nreplies = [{}]\n",
        "\"aa\", ".repeat(100_000),
        "\"f\", ".repeat(60_000)
    );
    assert_eq!(faults(&many).len(), FAULTS_MAX);
    // Cut anywhere, it is read or refused.
    for end in (0..ORDER.len()).step_by(7).filter(|i| ORDER.is_char_boundary(*i)) {
        let _ = parse(&file(&ORDER[..end]), "Pazar");
    }
    let odd = faults(&ORDER.replace("\"paid\"\nargs", "\"p\\u202e\\u001b\"\nargs"));
    assert_eq!(odd.len(), 1);
    assert!(odd[0].message.contains("p\\u{202e}\\u{1b}"), "{}", odd[0].message);
}
