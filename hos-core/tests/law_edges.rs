//! What a law's files are held to at the edges: clocks, persons, doubles, laws that are loaded again; and what `check` finds.

use hos_core::fault::{Fault, Severity, SourceFile};
use hos_core::id::LawHash;
use hos_core::law::{Law, Mode, Modes, render};
use hos_core::limits::NAME_BYTES_MAX;

const MANIFEST: &str = "name = \"corner\"\nnamespace = \"Corner\"\n";

const SCHEMA: &str = r#"namespace Corner {
  entity Account = { active: Bool };
  entity Clock, Order, Parcel;
  action "order.place", "order.pay" appliesTo { principal: [Account], resource: [Order] };
  action "order.expire" appliesTo { principal: [Clock], resource: [Order] };
  action "parcel.send" appliesTo { principal: [Account], resource: [Parcel] };
}
"#;

const POLICIES: &str = "@id(\"a\") permit (principal, action, resource);\n";

const ORDER: &str = r#"contract = "order"
version  = 1
entity   = "Order"
states   = ["new", "paid"]
terminal = ["paid"]
forever  = ["new"]
[facts]
total = "Long"
[begin.place]
to = "new"
[event.pay]
from = ["new"]
to   = "paid"
"#;

const DEADLINE: &str =
    "[event.expire]\nfrom = [\"new\"]\nto = \"paid\"\n[[deadline]]\nstate = \"new\"\nafter = \"PT1H\"\nevent = \"expire\"\n";

fn files(changes: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let all =
        [("law.toml", MANIFEST), ("schema.cedarschema", SCHEMA), ("policies/a.cedar", POLICIES), ("contracts/order.toml", ORDER)];
    let kept = all.iter().filter(|(path, _)| changes.iter().all(|(changed, _)| changed != path)).chain(changes);
    kept.filter(|(_, text)| !text.is_empty()).map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn load(changes: &[(&str, &str)]) -> Result<Law, Vec<Fault>> {
    Law::load(files(changes))
}

fn codes(of: &[Fault]) -> Vec<&str> {
    of.iter().map(|fault| fault.code).collect()
}

/// The faults of a law that does not load, with their places.
fn told(changes: &[(&str, &str)]) -> Vec<String> {
    let faults = load(changes).err().unwrap_or_default();
    faults.iter().map(|f| format!("{}:{}:{} {}", f.file, f.line, f.column, f.code)).collect()
}

#[test]
fn a_clock_is_asked_for_where_somebody_waits_for_it_or_names_it() {
    let without = SCHEMA.replace("entity Clock, Order", "entity Order").replace("principal: [Clock]", "principal: [Account]");
    let waiting = format!("{ORDER}{DEADLINE}");
    let named = format!("{MANIFEST}clock = 'Corner::Clock::\"c\"'\n");
    let clockless = |order: &str, manifest: &str| {
        told(&[("schema.cedarschema", &without), ("contracts/order.toml", order), ("law.toml", manifest)])
    };
    assert_eq!(clockless(ORDER, MANIFEST), [] as [String; 0], "nobody waits, nobody names it");
    assert_eq!(clockless(&waiting, MANIFEST), ["law.toml:0:0 law.manifest.clock_unknown"]);
    assert_eq!(clockless(ORDER, &named), ["law.toml:3:10 law.manifest.clock_unknown"]);
    assert_eq!(clockless(&waiting, &named), ["law.toml:3:10 law.manifest.clock_unknown"]);
    assert_eq!(told(&[("contracts/order.toml", &waiting), ("law.toml", &named)]), [] as [String; 0]);
}

/// Nothing gives an entity a tag: a `forbid` that asks for one would never speak.
#[test]
fn an_entity_type_has_no_tags() {
    let tagged = SCHEMA.replace("{ active: Bool };", "{ active: Bool } tags String;").replace("Parcel;", "Parcel tags Long;");
    let places = ["schema.cedarschema:2:3", "schema.cedarschema:3:3", "schema.cedarschema:3:3", "schema.cedarschema:3:3"];
    assert_eq!(told(&[("schema.cedarschema", &tagged)]), places.map(|place| format!("{place} law.schema.tags")));
}

#[test]
fn a_person_s_type_stands_in_the_schema_and_is_a_type() {
    let persons = |list: &str| format!("{MANIFEST}persons = [{list}]\n");
    let law = load(&[("law.toml", &persons("\"Account\", \"Corner::Parcel\""))]).unwrap();
    assert_eq!(law.persons.iter().map(String::as_str).collect::<Vec<_>>(), ["Corner::Account", "Corner::Parcel"]);
    assert_eq!(load(&[]).unwrap().persons.len(), 0);
    assert_eq!(told(&[("law.toml", &persons("\"Account\", \"Acount\""))]), ["law.toml:3:24 law.manifest.person_unknown"]);
    assert_eq!(told(&[("law.toml", &persons("\"String\""))]), ["law.toml:3:13 law.manifest.value"]);
}

/// A law that a store keeps was validated once: loaded again by its hash it is the same, and tells nothing anew.
#[test]
fn a_law_that_is_loaded_again_is_the_same_without_its_notices() {
    let odd = [(
        "policies/b.cedar",
        "@id(\"never\") permit (principal, action == Corner::Action::\"order.pay\", resource) when { false };\n",
    )];
    let law = load(&odd).unwrap();
    assert_eq!(codes(&law.notices), ["law.policy.warning"]);
    let again = Law::load_again(files(&odd), &law.hash).unwrap();
    assert_eq!((again.hash, codes(&again.notices)), (law.hash, vec![]));
    let other = Law::load_again(files(&odd), &LawHash([1; 32])).unwrap();
    assert_eq!((other.hash, codes(&other.notices)), (law.hash, vec!["law.policy.warning"]), "other files are loaded as ever");
    let wrong = [("policies/b.cedar", "@id(\"b\") permit (principal, action, resource) when { principal.none };\n")];
    assert!(Law::load_again(files(&wrong), &law.hash).is_err());
    // The hash is of the files, whether they make a law or not.
    assert_eq!(Law::hash_of(&files(&odd)), Some(law.hash));
    assert!(Law::hash_of(&files(&wrong)).is_some_and(|hash| hash != law.hash));
    // As many files and bytes as there may be are some.
    let most: Vec<_> = (0..hos_core::limits::LAW_FILES_MAX).map(|i| (format!("policies/{i}.cedar"), Vec::new())).collect();
    assert!(Law::hash_of(&most).is_some());
    let widest: Vec<_> =
        (0..4).map(|i| (format!("policies/{i}.cedar"), vec![b' '; hos_core::limits::LAW_BYTES_MAX / 4])).collect();
    assert!(Law::hash_of(&widest).is_some());
    let many: Vec<_> = (0..=hos_core::limits::LAW_FILES_MAX).map(|i| (format!("policies/{i}.cedar"), Vec::new())).collect();
    assert_eq!(Law::hash_of(&many), None, "so many are none");
}

#[test]
fn what_a_second_contract_would_have_declared_is_not_missed_by_the_policies() {
    let twin = ORDER.replace("entity   = \"Order\"", "entity   = \"Parcel\"").replace("total", "weight");
    let policy =
        "@id(\"b\") permit (principal, action == Corner::Action::\"parcel.send\", resource) when { resource.weight > 1 };\n";
    let found = told(&[("contracts/parcel.toml", &twin), ("policies/b.cedar", policy)]);
    assert_eq!(found, ["contracts/parcel.toml:1:12 law.contract.duplicate_name"]);
    let twin = ORDER.replace("contract = \"order\"", "contract = \"parcel\"").replace("total", "weight");
    let found = told(&[("contracts/parcel.toml", &twin)]);
    assert_eq!(found, ["contracts/parcel.toml:3:12 law.contract.duplicate_entity"]);
}

#[test]
fn check_tells_what_no_policy_could_permit_and_which_doors_are_missing() {
    let found = |policies: &str, schema: &str| {
        let law = load(&[("policies/a.cedar", policies), ("schema.cedarschema", schema)]).unwrap();
        let faults = law.check();
        let all = faults.iter().filter(|f| f.code.starts_with("law.action.")).map(|f| {
            let word = f.message.split('`').nth(1).unwrap_or("-").to_owned();
            format!("{:?} {}:{} {} {word}", f.severity, f.file, f.line, f.code)
        });
        all.collect::<Vec<_>>()
    };
    let missing = "Note schema.cedarschema:0 law.action.reserved_missing -".to_owned();
    assert_eq!(found(POLICIES, SCHEMA), std::slice::from_ref(&missing));
    let some = "@id(\"a\") permit (principal, action == Corner::Action::\"order.place\", resource);\n";
    let pay = "Warning contracts/order.toml:11 law.action.never_permitted order.pay".to_owned();
    assert_eq!(found(some, SCHEMA), [pay.clone(), missing.clone()]);
    let with = SCHEMA.replace("entity Clock,", "entity Gate, Clock,").replace(
        "  action \"parcel.send\"",
        "  action \"law.activate\" appliesTo { principal: [Account], resource: [Gate] };\n  action \"parcel.send\"",
    );
    let gate = "Warning schema.cedarschema:0 law.action.never_permitted law.activate".to_owned();
    assert_eq!(found(some, &with), [pay, gate, missing.clone()]);
    assert_eq!(found(POLICIES, &with), std::slice::from_ref(&missing));
    let law = load(&[]).unwrap();
    let note = law.check().into_iter().find(|f| f.code == "law.action.reserved_missing").unwrap();
    assert_eq!(note.severity, Severity::Note);
    for id in hos_core::law::reserved::ALL {
        assert!(note.message.contains(id), "{id}");
    }
}

#[test]
fn an_event_with_two_arrows_of_one_action_is_told_once() {
    let two = ORDER
        .replace("states   = [\"new\", \"paid\"]", "states   = [\"new\", \"held\", \"paid\"]")
        .replace("forever  = [\"new\"]", "forever  = [\"new\", \"held\"]");
    let arrows = "[[event.pay]]\nfrom = [\"new\"]\nto   = \"held\"\naction = \"order.pay\"\n[[event.pay]]\nfrom = [\"held\"]\nto   = \"paid\"\naction = \"order.pay\"\n[event.send]\nfrom = [\"new\"]\nto = \"held\"\naction = \"order.pay\"\n";
    let (before, _) = two.split_once("[event.pay]").unwrap();
    let some = "@id(\"a\") permit (principal, action == Corner::Action::\"order.place\", resource);\n";
    let law = load(&[("contracts/order.toml", &format!("{before}{arrows}")), ("policies/a.cedar", some)])
        .unwrap_or_else(|f| panic!("{f:#?}"));
    let lonely = law.check().into_iter().filter(|f| f.code == "law.action.never_permitted");
    let words: Vec<String> = lonely.map(|f| f.message.split('`').nth(3).unwrap().to_owned()).collect();
    assert_eq!(words, ["pay", "send"]);
}

#[test]
fn a_law_s_languages_are_written_one_way() {
    for (name, good) in [
        ("en", true),
        ("pt-BR", true),
        ("ckb", true),
        ("e", false),
        ("engl", false),
        ("En", false),
        ("e1", false),
        ("pt-br", false),
        ("pt-B", false),
        ("pt-BRA", false),
        ("pt-B1", false),
        ("PT", false),
        ("", false),
        ("pt-", false),
    ] {
        let path = format!("messages.{name}.toml");
        let found = told(&[(&path, "[hos]\nforbidden = \"No.\"\n")]);
        assert_eq!(found.is_empty(), good, "{path}: {found:?}");
    }
}

#[test]
fn paths_that_differ_in_the_size_of_letters_alone_are_one() {
    let twice = |path: &str| {
        let mut all = files(&[]);
        all.push((path.to_owned(), POLICIES.replace("\"a\"", "\"b\"").into_bytes()));
        let faults = Law::load(all).unwrap_err();
        assert_eq!(codes(&faults), ["law.file.duplicate"]);
        faults[0].message.clone()
    };
    assert_eq!(twice("policies/a.cedar"), "this file is given twice");
    assert_eq!(twice("policies/A.cedar"), "differs from `policies/A.cedar` only in the size of letters");
}

#[test]
fn modes_have_names_and_their_subjects_are_bounded() {
    for (mode, name) in [(Mode::Off, "off"), (Mode::Shadow, "shadow"), (Mode::Enforce, "enforce")] {
        assert_eq!((mode.as_str(), Mode::from_text(name)), (name, Some(mode)));
    }
    let says = |bytes: usize| {
        let file = SourceFile {
            path: "modes.toml".into(),
            text: format!("default = \"off\"\nmode = [{{ subject = \"{}\", mode = \"off\" }}]\n", "a".repeat(bytes)),
        };
        Modes::parse(&file).is_ok()
    };
    assert!(says(1) && says(NAME_BYTES_MAX) && !says(NAME_BYTES_MAX + 1) && !says(NAME_BYTES_MAX + 2));
}

#[test]
fn a_fault_is_shown_in_its_line_or_without_one() {
    let file = SourceFile { path: "policies/a.cedar".into(), text: "first\na \\d\tb\n".into() };
    let at = |span: std::ops::Range<usize>| Fault::at("law.policy.parse", Severity::Error, &file, span, "so");
    let shown = render(&[at(8..10)], std::slice::from_ref(&file));
    let wanted = "error[law.policy.parse]: so\n --> policies/a.cedar:2:3\n  |\n2 | a \\d    b\n  |   ^^\n\n";
    assert!(shown.starts_with(wanted), "{shown}");
    let whole =
        render(&[Fault::whole("law.file.path", Severity::Warning, "policies/a.cedar", "so")], std::slice::from_ref(&file));
    assert!(whole.starts_with("warning[law.file.path]: so\n --> policies/a.cedar\n\n"), "{whole}");
    // A line that fits is shown whole, a longer one is cut around the place.
    let shown_at = |chars: usize, at: usize| {
        let file = SourceFile { path: "policies/a.cedar".into(), text: "x".repeat(chars) };
        let fault = Fault::at("law.policy.parse", Severity::Error, &file, at..at + 1, "so");
        render(&[fault], &[file]).lines().nth(3).unwrap().to_owned()
    };
    let line = |chars: usize| shown_at(chars, 0);
    let widest = (1..1_000).rev().find(|chars| !line(*chars).ends_with("...")).unwrap();
    assert!(widest >= 80 && line(widest + 1).ends_with("x..."), "{widest}");
    assert_eq!(line(widest), format!("1 | {}", "x".repeat(widest)));
    assert_eq!(shown_at(widest, widest - 1), line(widest), "wherever the place is");
    assert!(shown_at(widest + 1, widest).starts_with("1 | ...x"));
}

#[test]
fn a_schema_that_is_too_large_is_told_of_the_file_as_a_whole() {
    let large = format!("{SCHEMA}{}", "\n".repeat(hos_core::limits::SCHEMA_BYTES_MAX));
    assert_eq!(told(&[("schema.cedarschema", &large)]), ["schema.cedarschema:0:0 law.schema.too_large"]);
}
