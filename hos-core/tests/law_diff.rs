//! Two laws held against each other, thing by thing.

use hos_core::law::Law;
use hos_core::law::diff::{Item, Mark, diff};

const FILES: [(&str, &str); 4] = [
    ("law.toml", "name=\"t\"\nnamespace=\"N\"\npersons=[\"A\"]\n"),
    (
        "schema.cedarschema",
        "namespace N{entity A;entity Clock;entity G={open:Bool,tags?:Set<String>};entity O;
action \"o.new\",\"o.go\" appliesTo{principal:[A],resource:[O]};action \"see\" appliesTo{principal:[A],resource:[G],context:{x?:Long}};}
",
    ),
    ("policies/p.cedar", "@id(\"p\")permit(principal,action,resource);\n@id(\"q\")forbid(principal,action==N::Action::\"see\",resource)when{!resource.open};\n"),
    (
        "contracts/o.toml",
        "contract=\"o\"\nversion=1\nentity=\"N::O\"\nstates=[\"a\",\"b\"]\nterminal=[\"b\"]\nforever=[\"a\"]\n[facts]\nn=\"Long\"\n[begin.new]\nto=\"a\"\n[event.go]\nfrom=[\"a\"]\nto=\"b\"\nargs={m=\"Long\"}\nrequire=[{code=\"few\",when=\"context.m > 0\"}]\neffects=[{kind=\"mail\",body=[\"id\"]}]\n",
    ),
];

fn law(edits: &[(&str, &str, &str)]) -> Law {
    let files = FILES.iter().map(|(path, text)| {
        let mut text = (*text).to_owned();
        for (_, from, to) in edits.iter().filter(|(file, ..)| file == path) {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        ((*path).to_owned(), text.into_bytes())
    });
    Law::load(files.collect()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn words(items: &[Item]) -> Vec<String> {
    let of = |item: &Item| {
        let fields = item.fields.iter().map(|f| format!("{}: {} -> {}", f.field, f.was, f.now)).collect::<Vec<_>>().join("; ");
        let fields = if item.what == "file" || item.mark != Mark::Changed { String::new() } else { format!(" ({fields})") };
        format!("{} {} {}{fields}", item.mark.as_str(), item.what, item.name)
    };
    items.iter().map(of).collect()
}

#[track_caller]
fn differ(edits: &[(&str, &str, &str)], wanted: &[&str]) {
    let (old, new) = (law(&[]), law(edits));
    assert_eq!(words(&diff(&old, &new).items), wanted);
    let back = diff(&new, &old).items;
    assert_eq!(back.len(), wanted.len(), "the way back has as many");
    let added = |items: &[Item], mark| items.iter().filter(|item| item.mark == mark).count();
    assert_eq!(added(&back, Mark::Added), added(&diff(&old, &new).items, Mark::Removed));
}

#[test]
fn a_law_is_the_same_as_itself() {
    differ(&[], &[]);
}

#[test]
fn what_says_nothing_else_changes_its_file_alone() {
    differ(&[("policies/p.cedar", "permit(", "permit  (")], &["changed file policies/p.cedar"]);
    differ(&[("contracts/o.toml", "version=1", "version = 1")], &["changed file contracts/o.toml"]);
}

#[test]
fn promises_are_told_by_their_codes() {
    let more = "body=[\"id\"]}]\n[[promise]]\ncode=\"p\"\nnever=\"b\"\nafter=\"b\"\n";
    let edit = [("contracts/o.toml", "body=[\"id\"]}]\n", more)];
    differ(&edit, &["changed file contracts/o.toml", "added promise o.p"]);
}

#[test]
fn policies_are_told_by_their_ids() {
    differ(
        &[("policies/p.cedar", "forbid(principal,", "permit(principal is N::A,")],
        &[
            "changed file policies/p.cedar",
            "changed policy q (effect: forbid -> permit; principal: principal -> principal is N::A)",
        ],
    );
    differ(
        &[("policies/p.cedar", "!resource.open", "resource.open")],
        &["changed file policies/p.cedar", "changed policy q (conditions: !resource.open -> resource.open)"],
    );
    differ(
        &[("policies/p.cedar", "@id(\"q\")", "@id(\"r\")")],
        &["changed file policies/p.cedar", "removed policy q", "added policy r"],
    );
}

#[test]
fn types_and_actions_are_told_by_their_names() {
    differ(
        &[("schema.cedarschema", "tags?:Set<String>", "tags?:Set<Long>"), ("schema.cedarschema", "x?:Long", "x:Long")],
        &[
            "changed file schema.cedarschema",
            "changed entity type N::G (attribute tags: Set<String>? -> Set<Long>?)",
            "changed action N::Action::\"see\" (context x: Long? -> Long)",
        ],
    );
}

#[test]
fn contracts_are_told_as_data_and_as_machines() {
    differ(
        &[("contracts/o.toml", "context.m > 0", "context.m > 1"), ("contracts/o.toml", "kind=\"mail\"", "kind=\"post\"")],
        &[
            "changed file contracts/o.toml",
            "changed event go (effect mail: id -> ; effect post:  -> id; guard o.few: context.m > 0 -> context.m > 1)",
        ],
    );
    // Two messages of one kind are two.
    let one = "{kind=\"mail\",body=[\"id\"]}";
    let two = |first: &str| format!("{{kind=\"mail\",body=[\"{first}\"]}},{{kind=\"mail\",body=[\"state\"]}}");
    let effect = "changed event go (effect mail 2:  -> state)";
    differ(&[("contracts/o.toml", one, &two("id"))], &["changed file contracts/o.toml", effect]);
    let (old, new) = (law(&[("contracts/o.toml", one, &two("id"))]), law(&[("contracts/o.toml", one, &two("args.m"))]));
    assert_eq!(words(&diff(&old, &new).items), ["changed file contracts/o.toml", "changed event go (effect mail: id -> args.m)"]);
    differ(
        &[
            ("contracts/o.toml", "\"b\"]\nterminal=[\"b\"]", "\"b\",\"c\"]\nterminal=[\"b\",\"c\"]"),
            ("contracts/o.toml", "to=\"b\"", "branch=[{to=\"c\",when=\"context.m == 9\"},{to=\"b\"}]"),
        ],
        &[
            "changed file contracts/o.toml",
            "changed event go (branch 1: b -> c when context.m == 9; branch 2:  -> b)",
            "added machine a --(go)--> c",
            "added state c",
        ],
    );
}

#[test]
fn an_order_that_decides_is_told() {
    let edit = |first: &str, second: &str| {
        let effects = format!("effects=[{{kind=\"{first}\",body=[\"id\"]}},{{kind=\"{second}\",body=[\"id\"]}}]");
        [("contracts/o.toml", "effects=[{kind=\"mail\",body=[\"id\"]}]", effects)]
    };
    let law = |first, second| {
        let [(file, from, to)] = edit(first, second);
        law(&[(file, from, &to)])
    };
    let (old, new) = (law("mail", "sms"), law("sms", "mail"));
    let told = words(&diff(&old, &new).items);
    let order = "changed event go (effects in order: mail, sms -> sms, mail)";
    assert_eq!(told, ["changed file contracts/o.toml", order]);
}
