//! What keeps a new law from loading, and none that was in force: errors that are found in its contracts, beyond what is read.

use hos_core::fault::{Fault, Severity};
use hos_core::law::Law;

const SCHEMA: &str = r#"namespace N {
  entity A, Clock, Gate, Shop;
  entity O = { end: datetime, who?: A };
  action "o.new", "o.go", "o.adopt" appliesTo { principal: [A], resource: [O] };
  action "o.late" appliesTo { principal: [A, Clock], resource: [O] };
  action "directory.account" appliesTo { principal: [A], resource: [A] };
}
"#;

const CONTRACT: &str = r#"contract = "o"
version = 1
entity = "O"
states = ["a", "b", "c"]
terminal = ["c"]
forever = ["b"]
[facts]
end = "datetime"
who = "A?"
[begin.new]
to = "a"
[event.go]
from = ["a"]
to = "b"
[event.late]
from = ["a", "b"]
to = "c"
[[deadline]]
state = "a"
at = "resource.end"
event = "late"
"#;

const NONE: [(&str, usize); 0] = [];

/// A law's files, with texts replaced wherever they stand.
fn files(changes: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let all = [
        ("law.toml", "name = \"n\"\nnamespace = \"N\"\npersons = [\"A\"]\n"),
        ("schema.cedarschema", SCHEMA),
        ("policies/all.cedar", "@id(\"all\") permit (principal, action, resource);\n"),
        ("contracts/o.toml", CONTRACT),
    ];
    for (from, _) in changes {
        assert!(all.iter().any(|(_, text)| text.contains(from)), "{from}");
    }
    let changed = |text: &str| changes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)).into_bytes();
    all.iter().map(|(path, text)| ((*path).to_owned(), changed(text))).collect()
}

fn of(severity: Severity, faults: &[Fault]) -> Vec<(&'static str, usize)> {
    faults.iter().filter(|f| f.severity == severity).map(|f| (f.code, f.line)).collect()
}

/// The errors for which a law does not load; one that was in force is loaded all the same, and the same law.
fn errors(changes: &[(&str, &str)]) -> Vec<(&'static str, usize)> {
    let files = files(changes);
    let hash = Law::hash_of(&files).unwrap();
    for again in [Law::load_again(files.clone(), &hash), Law::load_recorded(files.clone())] {
        assert_eq!(again.unwrap_or_else(|faults| panic!("{faults:#?}")).hash, hash);
    }
    let faults = Law::load(files).err().unwrap_or_default();
    of(Severity::Error, &faults)
}

fn warnings(changes: &[(&str, &str)]) -> Vec<(&'static str, usize)> {
    let law = Law::load(files(changes)).unwrap_or_else(|faults| panic!("{faults:#?}"));
    of(Severity::Warning, &law.check())
}

#[test]
fn a_sound_law_loads_and_has_nothing_to_be_told_of() {
    assert_eq!(errors(&[]), NONE);
    assert_eq!(warnings(&[]), NONE);
}

#[test]
fn an_error_of_a_contract_keeps_a_new_law_from_loading() {
    let exit = ("from = [\"a\"]\nto = \"b\"", "from = [\"a\", \"c\"]\nto = \"b\"");
    assert_eq!(errors(&[exit]), [("law.contract.terminal_exit", 12)]);
    assert_eq!(errors(&[("from = [\"a\", \"b\"]", "from = [\"b\"]")]), [("law.contract.deadline_unlawful", 18)]);
    assert_eq!(errors(&[("to = \"c\"", "to = \"c\"\nargs = { x = \"Long\" }")]), [("law.contract.deadline_args", 19)]);
    assert_eq!(errors(&[("to = \"b\"", "to = \"b\"\nreplies = [\"go\"]")]), [("law.contract.reply_unhandled", 12)]);
    // What is found besides is told with it.
    let faults = Law::load(files(&[exit, ("forever = [\"b\"]", "forever = []")])).unwrap_err();
    assert_eq!(of(Severity::Warning, &faults), [("law.contract.waiting", 4)]);
}

/// A record's header takes no longer code, so that such a refusal would leave no record.
#[test]
fn a_code_is_no_longer_than_a_header_takes() {
    let guard = |code: &str| format!("to = \"b\"\nrequire = [{{ code = \"{code}\", when = \"true\" }}]");
    let promise = |code: &str| format!("event = \"late\"\n[[promise]]\ncode = \"{code}\"\nnever = \"b\"\nbefore = \"a\"\n");
    // `o.` and the code are 128 bytes together.
    let (longest, longer) = ("x".repeat(126), "x".repeat(127));
    assert_eq!(errors(&[("to = \"b\"", &guard(&longest))]), NONE);
    assert_eq!(errors(&[("to = \"b\"", &guard(&longer))]), [("law.contract.bad_name", 15)]);
    assert_eq!(errors(&[("event = \"late\"\n", &promise(&longest))]), NONE);
    assert_eq!(errors(&[("event = \"late\"\n", &promise(&longer))]), [("law.contract.bad_name", 22)]);
}

/// As keys of JSON such names say which kind of value stands under them: most shells could never say them. Instances that live with
/// such a fact must have it under the next law, too: of facts it is a warning.
#[test]
fn no_argument_has_a_name_that_no_call_could_give() {
    assert_eq!(errors(&[("to = \"b\"", "to = \"b\"\nargs = { __x = \"Long\" }")]), [("law.contract.reserved", 15)]);
    assert_eq!(errors(&[("who = \"A?\"", "__who = \"A?\""), ("who?: A }", "__who?: A }")]), []);
}

/// An expression is no template's: nobody is ever put into a slot of it.
#[test]
fn an_expression_has_no_slots() {
    for (slot, line) in [("?principal", 15), ("?resource", 15)] {
        let guard = format!("to = \"b\"\nrequire = [{{ code = \"g\", when = \"[1].contains(2) || principal == {slot}\" }}]");
        assert_eq!(errors(&[("to = \"b\"", &guard)]), [("law.contract.expression_scope", line)], "{slot}");
    }
    let guard = "to = \"b\"\nrequire = [{ code = \"g\", when = \"principal == principal\" }]";
    assert_eq!(errors(&[("to = \"b\"", guard)]), NONE);
}

/// The clock changes no fact: the instant that has just passed would be armed again, and be due at once.
#[test]
fn an_instant_is_not_armed_anew_by_what_it_fires() {
    let back = |more: &str| {
        format!("[event.late]\nfrom = [\"a\", \"b\"]\nto = \"a\"\n{more}\n[event.end]\nfrom = [\"a\", \"b\"]\nto = \"c\"\n")
    };
    let late = "[event.late]\nfrom = [\"a\", \"b\"]\nto = \"c\"\n";
    let action = ("action \"o.new\",", "action \"o.new\", \"o.end\",");
    assert_eq!(errors(&[(late, &back("rearm = true")), action]), [("law.contract.deadline_again", 22)]);
    assert_eq!(errors(&[(late, &back("self_loop = true")), action]), NONE);
    let after = ("at = \"resource.end\"", "after = \"PT1H\"");
    assert_eq!(errors(&[(late, &back("rearm = true")), action, after]), NONE, "what waits anew waits");
}

/// By way of another state it is the same, unless somebody changes the instants on the way: that is for whoever reads it to say.
#[test]
fn instants_that_lead_round_in_a_circle_are_told() {
    let changes = [
        ("action \"o.late\"", "action \"o.late\", \"o.back\", \"o.end\""),
        (
            "from = [\"a\", \"b\"]\nto = \"c\"\n",
            "from = [\"a\"]\nto = \"b\"\n[event.back]\nfrom = [\"b\"]\nto = \"a\"\n[event.end]\nfrom = [\"a\", \"b\"]\nto = \"c\"\n",
        ),
        ("event = \"late\"\n", "event = \"late\"\n[[deadline]]\nstate = \"b\"\nat = \"resource.end\"\nevent = \"back\"\n"),
    ];
    assert_eq!(warnings(&changes), [("law.contract.deadline_circle", 24), ("law.contract.deadline_circle", 28)]);
    let waits = [
        changes[0],
        changes[1],
        ("event = \"late\"\n", "event = \"late\"\n[[deadline]]\nstate = \"b\"\nafter = \"PT1H\"\nevent = \"back\"\n"),
    ];
    assert_eq!(warnings(&waits), NONE);
}

/// The clock reads the instant where the state is entered: what it may not even ask for, nobody enters.
#[test]
fn an_instant_whose_action_does_not_apply_to_the_clock_is_an_error() {
    let nobody = ("principal: [A, Clock]", "principal: [A]");
    assert_eq!(errors(&[nobody]), [("law.deadline.clock_unknown", 18)]);
    let faults = Law::load(files(&[nobody])).unwrap_err();
    assert_eq!(of(Severity::Warning, &faults), NONE, "it is told once");
    // With `after` the state is entered, and the deadline is refused when it is due.
    let after = ("at = \"resource.end\"", "after = \"PT1H\"");
    assert_eq!(warnings(&[nobody, after]), [("law.deadline.clock_not_permitted", 18)]);
}

/// The clock comes with its name alone, unless the directory has it, and gates always do.
#[test]
fn a_clock_or_a_gate_of_which_the_schema_asks_more_is_an_error() {
    const UNFIT: [(&str, usize); 1] = [("law.deadline.clock_unfit", 0)];
    const NO_GATE: [(&str, usize); 1] = [("law.action.gate_unfit", 0)];
    let entities = "entity A, Clock, Gate, Shop;";
    let clock = |declared: &str| format!("entity A, Gate, Shop;\n  entity Clock{declared};");
    let gate = |declared: &str| format!("entity A, Clock, Shop;\n  entity Gate{declared};");
    let account = "  action \"directory.account\"";
    let with = |action: &str, resource: &str| {
        format!("  action \"{action}\" appliesTo {{ principal: [A], resource: [{resource}] }};\n{account}")
    };
    let clocks: [(&str, &[(&str, usize)]); 4] = [
        (" = { zone: String }", &UNFIT),
        (" enum [\"other\"]", &UNFIT),
        (" = { zone?: String }", &[]),
        (" enum [\"clock\", \"other\"]", &[]),
    ];
    for (declared, wanted) in clocks {
        assert_eq!(errors(&[(entities, &clock(declared))]), wanted, "{declared}");
    }
    let zoned = clock(" = { zone: String }");
    assert_eq!(errors(&[(entities, &zoned), (account, &with("directory.entity", "Clock"))]), NONE, "the directory may have it");
    let none = ("[[deadline]]\nstate = \"a\"\nat = \"resource.end\"\nevent = \"late\"\n", "");
    assert_eq!(errors(&[(entities, &zoned), none]), NONE, "nothing is ever due");
    let gates: [(&str, &[(&str, usize)]); 4] = [
        (" = { open: Bool }", &NO_GATE),
        (" enum [\"t1\"]", &NO_GATE),
        (" = { open?: Bool }", &[]),
        (" enum [\"t1\", \"law\"]", &[]),
    ];
    for (declared, wanted) in gates {
        assert_eq!(errors(&[(entities, &gate(declared)), (account, &with("law.activate", "Gate"))]), wanted, "{declared}");
        assert_eq!(errors(&[(entities, &gate(declared))]), NONE, "a gate of the law's own: {declared}");
    }
    let note = with("record.note", "Gate");
    assert_eq!(errors(&[(entities, &gate(" = { open: Bool }")), (account, &note)]), NO_GATE);
    assert_eq!(errors(&[(entities, &gate(" enum [\"t1\"]")), (account, &note)]), NONE, "some notes are refused, not all");
}

/// Whoever may do an event of that action could bring in instances, in any state.
#[test]
fn no_event_has_the_action_of_adoption() {
    for (from, to, line) in [
        ("[event.go]", "[event.go]\naction = \"o.adopt\"", 13),
        ("[begin.new]", "[begin.new]\naction = \"o.adopt\"", 11),
        ("[event.go]", "[event.adopt]", 12),
        ("[event.go]", "[override.adopt]", 12),
    ] {
        assert_eq!(errors(&[(from, to)]), [("law.contract.reserved", line)], "{to}");
    }
    // What is called so after nobody's contract is nobody's adoption.
    let changes = [("[event.go]", "[event.go]\naction = \"p.adopt\""), ("\"o.adopt\"", "\"o.adopt\", \"p.adopt\"")];
    assert_eq!(errors(&changes), NONE);
}

/// The clock gives nothing with its call.
#[test]
fn a_fact_that_the_directory_never_holds_is_told_where_deadlines_fire() {
    let shop = [("who = \"A?\"", "who = \"A?\"\nshop = \"Set<Shop>\""), ("who?: A }", "who?: A, shop: Set<Shop> }")];
    assert_eq!(warnings(&shop), [("law.deadline.fact_not_stored", 10)]);
    let entity = (
        "  action \"directory.account\"",
        "  action \"directory.entity\" appliesTo { principal: [A], resource: [Shop] };\n  action \"directory.account\"",
    );
    assert_eq!(warnings(&[shop[0], shop[1], entity]), NONE);
    let choices = ("entity A, Clock, Gate, Shop;", "entity A, Clock, Gate;\n  entity Shop enum [\"one\", \"two\"];");
    assert_eq!(warnings(&[shop[0], shop[1], choices]), NONE, "what the schema itself declares is there");
    let deadline = ("[[deadline]]\nstate = \"a\"\nat = \"resource.end\"\nevent = \"late\"\n", "");
    let found = warnings(&[shop[0], shop[1], deadline]);
    assert!(found.iter().all(|(code, _)| *code != "law.deadline.fact_not_stored"), "{found:?}");
}

/// Who is no person is asked for as any entity is.
#[test]
fn an_account_that_is_no_person_s_is_told() {
    let nobody = ("persons = [\"A\"]\n", "");
    assert_eq!(warnings(&[nobody]), [("law.action.account_no_person", 0)]);
    let both = ("  action \"directory.account\"", "  action \"directory.account\", \"directory.entity\"");
    assert_eq!(warnings(&[nobody, both]), NONE, "it can be put all the same");
    let shop = ("resource: [A] };", "resource: [A, Shop] };");
    assert_eq!(warnings(&[shop]), [("law.action.account_no_person", 0)]);
}

/// Whose data the parts are is sealed under that person's key, or not at all.
#[test]
fn a_data_subject_is_a_person() {
    let subject = ("version = 1", "version = 1\ndata_subject = \"facts.who\"");
    let person = [subject, ("who = \"A?\"", "who = \"A\""), ("who?: A", "who: A")];
    assert_eq!((errors(&person), warnings(&person)), (NONE.to_vec(), NONE.to_vec()));
    // One that was in force is loaded all the same.
    let text = [subject, ("who = \"A?\"", "who = \"String\""), ("who?: A", "who: String")];
    assert_eq!(errors(&text), [("law.contract.type_mismatch", 10)]);
    let shop = [subject, ("who = \"A?\"", "who = \"Shop\""), ("who?: A", "who: Shop")];
    assert_eq!(warnings(&shop), [("law.contract.subject_no_person", 10), ("law.deadline.fact_not_stored", 10)]);
}
