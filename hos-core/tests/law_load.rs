//! Loading a law: all faults of all files in one answer, each at its place; and the hash.

use hos_core::fault::{Fault, Severity};
use hos_core::law::{Law, render};
use hos_core::limits::{LAW_FILE_BYTES_MAX, LAW_FILES_MAX};

fn load(files: &[(&str, &str)]) -> Result<Law, Vec<Fault>> {
    Law::load(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
}

fn told(faults: &[Fault]) -> Vec<(String, &'static str)> {
    faults.iter().map(|f| (format!("{}:{}:{}", f.file, f.line, f.column), f.code)).collect()
}

const TINY: [(&str, &str); 2] =
    [("law.toml", "name = \"tiny\"\nnamespace = \"\"\n"), ("schema.cedarschema", "entity Account;\n")];

const SCHEMA: &str = r#"namespace Corner {
  entity Account = { active: Bool };
  entity Clock;
  entity Order;
  entity Parcel;
  action "order.place", "order.pay", "order.view" appliesTo { principal: [Account], resource: [Order] };
  action "order.expire" appliesTo { principal: [Clock], resource: [Order] };
  action "parcel.send" appliesTo { principal: [Account], resource: [Parcel] };
}
"#;

const POLICIES: &str = r#"@id("buyer-orders")
permit (principal, action in [Corner::Action::"order.place", Corner::Action::"order.pay"], resource)
when { principal == resource.buyer };
@id("clock-expires")
permit (principal is Corner::Clock, action == Corner::Action::"order.expire", resource);
"#;

const ORDER: &str = r#"contract = "order"
version  = 1
entity   = "Order"
states   = ["new", "paid", "expired"]
terminal = ["paid", "expired"]
[facts]
buyer = "Account"
total = "Long"
[begin.place]
to = "new"
[event.pay]
from = ["new"]
to   = "paid"
args = { amount = "Long" }
require = [{ code = "amount_short", when = "context.amount >= resource.total" }]
[event.expire]
from = ["new"]
to   = "expired"
[[deadline]]
state = "new"
after = "PT1H"
event = "expire"
"#;

const CORNER: [(&str, &str); 5] = [
    ("law.toml", "name = \"corner\"\nnamespace = \"Corner\"\n"),
    ("schema.cedarschema", SCHEMA),
    ("policies/orders.cedar", POLICIES),
    ("contracts/order.toml", ORDER),
    ("messages.en.toml", "[order]\namount_short = \"Too little.\"\n"),
];

/// The corner law with some files replaced, added, or (empty) taken out.
fn corner(changes: &[(&str, &str)]) -> Result<Law, Vec<Fault>> {
    let kept = CORNER.iter().filter(|(path, _)| changes.iter().all(|(p, _)| p != path));
    let files: Vec<_> = kept.chain(changes.iter().filter(|(_, text)| !text.is_empty())).copied().collect();
    load(&files)
}

#[test]
fn a_small_law_loads_and_answers() {
    let law = corner(&[]).unwrap_or_else(|f| panic!("{f:#?}"));
    assert_eq!((law.name.as_str(), law.namespace.as_str()), ("corner", "Corner"));
    assert_eq!(law.notices, []);
    assert_eq!(law.clock.to_string(), "Corner::Clock::\"clock\"");
    assert_eq!(law.action("order.pay").unwrap().to_string(), "Corner::Action::\"order.pay\"");
    assert_eq!(law.action("order.nothing"), None);
    assert_eq!(law.message("tr", "order.amount_short"), "Too little.");
    let order = law.contract("order").unwrap();
    assert_eq!((order.first_expression, order.expression(0).0), (0, 0));
    let found: Vec<_> = law.check().into_iter().filter(|f| f.severity != Severity::Note).collect();
    assert_eq!(found, []);
}

#[test]
fn the_hash_of_a_tiny_law_is_the_specs() {
    let law = load(&TINY).unwrap();
    assert_eq!(law.hash.to_string(), "dae21fb01c8378ed4f422c164107fdc63823e495d2395f55ed742886bc91a4e9");
    // The order in which files are given and hidden files mean nothing; every byte does.
    let hash = |files: &[(&str, &str)]| load(files).unwrap().hash;
    assert_eq!(hash(&[TINY[1], (".DS_Store", "x"), TINY[0]]), law.hash);
    assert_ne!(hash(&[TINY[0], TINY[1], ("README.md", "")]), law.hash);
    assert_ne!(hash(&[TINY[0], ("schema.cedarschema", "entity Account;\r\n")]), law.hash);
    let spec = include_str!("../../spec/law.md");
    assert!(spec.contains(&law.hash.to_string()), "spec/law.md names another hash");
}

#[test]
fn twenty_faults_in_many_files_are_all_told_at_their_places() {
    let order = r#"contract = "order"
version  = 0
entity   = "Order"
states   = ["new", "paid", "paid"]
terminal = ["payd"]
colour   = "red"
[facts]
total = "long"
[begin.place]
to = "nwe"
"#;
    let policies = r#"@id("one")
permit (principal, action, resource);
permit (principal, action, resource);
@id("one")
permit (principal, action, resource);
"#;
    let faults = load(&[
        ("law.toml", "nmae = \"corner\"\nnamespace = \"Corner\"\ncompat = \"loose\"\nextends = \"universe\"\n"),
        ("schema.cedarschema", SCHEMA),
        ("policies/a.cedar", policies),
        ("policies/b.cedar", "@id(\"two\")\npermit (principal, action, resource)\n"),
        ("contracts/order.toml", order),
        ("contracts/broken.toml", "contract = \n"),
        ("contracts/parcel.txt", ""),
        ("messages.en.toml", "[order]\namount_short = 3\nempty = \"\"\n"),
        ("messages.tr.toml", "[order\n"),
        ("../law.toml", ""),
        ("message.tr.toml", ""),
    ])
    .unwrap_err();
    let wanted = [
        ("../law.toml:0:0", "law.file.path"),
        ("contracts/broken.toml:1:12", "law.toml.syntax"),
        ("contracts/order.toml:2:12", "law.contract.bad_version"),
        ("contracts/order.toml:4:29", "law.contract.duplicate"),
        ("contracts/order.toml:5:14", "law.contract.unknown_state"),
        ("contracts/order.toml:6:1", "law.contract.unknown_key"),
        ("contracts/order.toml:8:10", "law.contract.bad_type"),
        ("contracts/order.toml:10:7", "law.contract.unknown_state"),
        ("contracts/parcel.txt:0:0", "law.file.unknown"),
        ("law.toml:1:1", "law.manifest.missing_key"),
        ("law.toml:1:1", "law.manifest.unknown_key"),
        ("law.toml:3:11", "law.manifest.value"),
        ("law.toml:4:1", "law.manifest.extends_reserved"),
        ("message.tr.toml:0:0", "law.file.unknown"),
        ("messages.en.toml:2:16", "law.message.wrong_type"),
        ("messages.en.toml:3:10", "law.message.text"),
        ("messages.tr.toml:1:7", "law.toml.syntax"),
        ("policies/a.cedar:3:1", "law.policy.missing_id"),
        ("policies/a.cedar:4:1", "law.policy.duplicate_id"),
        ("policies/b.cedar:2:37", "law.policy.parse"),
    ];
    let wanted: Vec<_> = wanted.iter().map(|(place, code)| ((*place).to_owned(), *code)).collect();
    assert_eq!(told(&faults), wanted);
    assert!(faults.iter().all(|f| f.severity == Severity::Error));
}

#[test]
fn one_fault_each() {
    let second = ORDER.replace("entity   = \"Order\"", "entity   = \"Parcel\"").replace("Order", "Parcel");
    let same_entity = ORDER.replace("contract = \"order\"", "contract = \"parcel\"");
    let guard = ORDER.replace("context.amount >=", "context.amuont >=");
    let syntax = ORDER.replace("context.amount >=", "context.amount >==");
    let unfinished = ORDER.replace("context.amount >= resource.total", "context.amount >=");
    let sign = ORDER.replace("context.amount >= resource.total", "context.amount >= #");
    let state = ORDER.replace("to   = \"paid\"", "to   = \"piad\"");
    let action = ORDER.replace("to = \"new\"\n[event.pay]", "to = \"new\"\naction = \"order.plaice\"\n[event.pay]");
    let policy = POLICIES.replace("resource.buyer", "resource.buyers");
    type Changes<'c> = &'c [(&'c str, &'c str)];
    let cases: [(&str, Changes<'_>, &str, &str); 19] = [
        ("no manifest", &[("law.toml", "")], "law.toml:0:0", "law.file.missing"),
        ("no schema", &[("schema.cedarschema", "")], "schema.cedarschema:0:0", "law.file.missing"),
        ("unknown file", &[("policies/a.txt", "x")], "policies/a.txt:0:0", "law.file.unknown"),
        (
            "case",
            &[("policies/Orders.cedar", " "), ("policies/orders.cedar", POLICIES)],
            "policies/orders.cedar:0:0",
            "law.file.duplicate",
        ),
        ("bom", &[("messages.tr.toml", "\u{feff}[order]")], "messages.tr.toml:0:0", "law.file.bom"),
        ("nested", &[("policies/x/a.cedar", " ")], "policies/x/a.cedar:0:0", "law.file.unknown"),
        ("two of a name", &[("contracts/z.toml", &second)], "contracts/z.toml:1:12", "law.contract.duplicate_name"),
        ("two of an entity", &[("contracts/z.toml", &same_entity)], "contracts/z.toml:3:12", "law.contract.duplicate_entity"),
        (
            "clock",
            &[("law.toml", "name = \"c\"\nnamespace = \"Corner\"\nclock = 'Corner::Clok::\"c\"'\n")],
            "law.toml:3:10",
            "law.manifest.clock_unknown",
        ),
        ("message", &[("messages.tr.toml", "hos.forbidden = 1")], "messages.tr.toml:1:17", "law.message.wrong_type"),
        (
            "limits",
            &[("law.toml", "name = \"c\"\nnamespace = \"Corner\"\nlimits = 3\n")],
            "law.toml:3:10",
            "law.manifest.wrong_type",
        ),
        (
            "extends",
            &[("law.toml", "name = \"c\"\nnamespace = \"Corner\"\nextends = []\n")],
            "law.toml:3:1",
            "law.manifest.extends_reserved",
        ),
        ("guard", &[("contracts/order.toml", &guard)], "contracts/order.toml:15:45", "law.contract.expression_invalid"),
        ("guard's syntax", &[("contracts/order.toml", &syntax)], "contracts/order.toml:15:62", "law.contract.expression_parse"),
        ("guard's end", &[("contracts/order.toml", &unfinished)], "contracts/order.toml:15:62", "law.contract.expression_parse"),
        ("guard's sign", &[("contracts/order.toml", &sign)], "contracts/order.toml:15:63", "law.contract.expression_parse"),
        ("action", &[("contracts/order.toml", &action)], "contracts/order.toml:11:11", "law.schema.unknown_action"),
        ("policy", &[("policies/orders.cedar", &policy)], "policies/orders.cedar:3:21", "law.policy.invalid"),
        // The policy leans on a fact of the broken contract; only the contract is to blame.
        ("no echo", &[("contracts/order.toml", &state)], "contracts/order.toml:13:9", "law.contract.unknown_state"),
    ];
    for (what, changes, place, code) in cases {
        let faults = corner(changes).map(|_| ()).expect_err(what);
        let errors: Vec<_> = faults.into_iter().filter(|f| f.severity == Severity::Error).collect();
        assert_eq!(told(&errors), [(place.to_owned(), code)], "{what}");
    }
}

#[test]
fn the_same_file_twice_is_a_fault() {
    let mut files: Vec<_> = CORNER.to_vec();
    files.push(CORNER[2]);
    assert_eq!(told(&load(&files).unwrap_err()), [("policies/orders.cedar:0:0".to_owned(), "law.file.duplicate")]);
}

#[test]
fn bounds_are_kept_before_anything_is_read() {
    let file = |path: String, size: usize| (path, vec![b'['; size]);
    let codes = |files: Vec<(String, Vec<u8>)>| Law::load(files).unwrap_err().iter().map(|f| f.code).collect::<Vec<_>>();
    assert_eq!(codes((0..=LAW_FILES_MAX).map(|i| file(format!("contracts/{i}.toml"), 1)).collect()), ["law.file.too_many"]);
    assert_eq!(
        codes((0..5).map(|i| file(format!("contracts/{i}.toml"), LAW_FILE_BYTES_MAX)).collect()),
        ["law.file.total_too_large"]
    );
    let mut files: Vec<_> = CORNER.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect();
    files.push(file("contracts/large.toml".to_owned(), LAW_FILE_BYTES_MAX + 1));
    files.push(("messages.tr.toml".to_owned(), b"# ok\n\xff".to_vec()));
    assert_eq!(codes(files), ["law.file.too_large", "law.file.utf8"]);
    assert_eq!(codes(Vec::new()), ["law.file.missing", "law.file.missing"]);
}

#[test]
fn what_loads_and_is_unwise_is_told_by_check() {
    let warned = |changes: &[(&str, &str)]| {
        let law = corner(changes).unwrap_or_else(|f| panic!("{f:#?}"));
        let found: Vec<_> = law.check().into_iter().filter(|f| f.severity == Severity::Warning).collect();
        told(&found)
    };
    let lines = |from: &str| POLICIES.split_inclusive('\n').skip_while(|l| !l.contains(from)).collect::<String>();
    let only_clock = lines("clock-expires");
    let wanted: Vec<_> =
        [("contracts/order.toml:11:1", "law.action.never_permitted"), ("contracts/order.toml:9:1", "law.action.never_permitted")]
            .map(|(p, c)| (p.to_owned(), c))
            .to_vec();
    let mut found = warned(&[("policies/orders.cedar", &only_clock)]);
    found.sort();
    assert_eq!(found, wanted);

    // Permitted to a clock, but not to this one.
    let other_clock = POLICIES.replace("principal is Corner::Clock", "principal == Corner::Clock::\"other\"");
    let wanted = [("contracts/order.toml:19:1".to_owned(), "law.deadline.clock_not_permitted")];
    assert_eq!(warned(&[("policies/orders.cedar", &other_clock)]), wanted);

    // A message too many in one language, one too few in the other.
    let wanted = [
        ("messages.tr.toml:0:0".to_owned(), "law.message.missing"),
        ("messages.tr.toml:2:1".to_owned(), "law.message.unknown_code"),
    ];
    assert_eq!(warned(&[("messages.tr.toml", "[order]\namount_shrot = \"Az.\"\n")]), wanted);

    // Without policies nothing is permitted.
    for text in ["", "// none yet\n"] {
        let found = warned(&[("policies/orders.cedar", text)]);
        assert!(found.contains(&("policies:0:0".to_owned(), "law.policy.none")), "{text:?}: {found:?}");
    }
}

/// What stands in a file that could not be read may permit anything.
#[test]
fn a_file_of_policies_that_cannot_be_read_is_not_none() {
    let with = |policies: &[u8]| {
        let kept = CORNER.iter().filter(|(path, _)| !path.starts_with("policies/"));
        let mut files: Vec<_> = kept.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        files.push(("policies/orders.cedar".to_owned(), policies.to_vec()));
        Law::load(files).unwrap_err().iter().map(|fault| fault.code).collect::<Vec<_>>()
    };
    assert_eq!(with(&[b"\xef\xbb\xbf", POLICIES.as_bytes()].concat()), ["law.file.bom"]);
    assert_eq!(with(b"// \xff"), ["law.file.utf8"]);
    // A person's words beside the law are held to the same.
    let readme = corner(&[("README.md", "\u{feff}# Corner\n")]).map(|_| ()).unwrap_err();
    assert_eq!(told(&readme), [("README.md:0:0".to_owned(), "law.file.bom")]);
}

/// An argument that another event of the action does not have: its own guard asks whether it is there.
#[test]
fn what_only_some_events_of_an_action_have_is_optional_in_their_own_guards() {
    let shared = |guard: &str| {
        let order = ORDER.replace("context.amount >=", &format!("{guard}context.amount >="));
        let order = order
            .replace("[event.expire]", "[event.topup]\nfrom = [\"new\"]\nto = \"paid\"\naction = \"order.pay\"\n[event.expire]");
        corner(&[("contracts/order.toml", &order)]).map(|_| ())
    };
    let place = ("contracts/order.toml:15:45".to_owned(), "law.contract.expression_invalid");
    assert_eq!(told(&shared("").unwrap_err()), [place]);
    assert_eq!(shared("context has amount && "), Ok(()));
}

/// Every state that is not terminal is said in an array, as states are.
#[test]
fn a_star_stands_in_an_array() {
    let from =
        |from: &str| corner(&[("contracts/order.toml", &ORDER.replacen("from = [\"new\"]", &format!("from = {from}"), 1))]);
    assert!(from("[\"*\"]").is_ok());
    let faults = from("\"*\"").map(|_| ()).unwrap_err();
    assert!(faults.iter().any(|fault| fault.code == "law.contract.wrong_type"), "{faults:#?}");
}

#[test]
fn faults_are_shown_with_the_line_they_are_in() {
    let order = ORDER.replace("to   = \"paid\"", "to   = \"piad\"");
    let faults = corner(&[("contracts/order.toml", &order)]).unwrap_err();
    let files = [hos_core::fault::SourceFile { path: "contracts/order.toml".into(), text: order }];
    let wanted = "error[law.contract.unknown_state]: no state is called `piad`\n  --> contracts/order.toml:13:9\n   |\n\
                  13 | to   = \"piad\"\n   |         ^^^^\n   = did you mean `paid`?\n\n1 error\n";
    assert_eq!(render(&faults, &files), wanted);
}

#[test]
fn every_code_stands_in_the_specification() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let spec = ["law.md", "contract.md"].map(|name| std::fs::read_to_string(root.join("../spec").join(name)).unwrap()).concat();
    let mut open = vec![root.join("src/law"), root.join("src/policy"), root.join("src/contract"), root.join("src/spanned.rs")];
    let mut codes = std::collections::BTreeSet::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let shipped = text.split("#[cfg(test)]").next().unwrap();
        for word in shipped.split('"') {
            let is_code = word.starts_with("law.") && word.matches('.').count() > 1 || word.starts_with("modes.");
            let is_name = word.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.');
            codes.extend((is_code && is_name).then(|| format!("`{word}`")));
        }
    }
    assert!(codes.len() > 50, "{codes:?}");
    let untold: Vec<_> = codes.iter().filter(|code| !spec.contains(code.as_str())).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

/// All that is above each action is written down when a schema is resolved: of a chain, the square of its length.
#[test]
fn a_long_chain_of_actions_is_refused_before_it_is_resolved_and_many_flat_ones_are_not() {
    let schema = |declared: String| {
        let text = format!("entity Account;\n{declared}");
        load(&[TINY[0], ("schema.cedarschema", text.as_str())])
    };
    let chain = |count: usize| -> String { (1..count).map(|i| format!("action \"a{i}\" in [\"a{}\"];\n", i - 1)).collect() };
    assert!(schema(format!("action \"a0\";\n{}", chain(100))).is_ok());
    let faults = schema(format!("action \"a0\";\n{}", chain(2_000))).unwrap_err();
    assert!(told(&faults).contains(&("schema.cedarschema:0:0".to_owned(), "law.schema.too_large")), "{faults:?}");
    let types: String = (1..2_000).map(|i| format!("entity E{i} in [E{}];\n", i - 1)).collect();
    let faults = schema(format!("entity E0;\n{types}")).unwrap_err();
    assert!(told(&faults).iter().any(|(_, code)| *code == "law.schema.too_large"), "{faults:?}");
    let flat: String = (0..4_000).map(|i| format!("action \"x{i}\" in [\"read\", \"g{}\"];\n", i % 20)).collect();
    let groups: String = (0..20).map(|i| format!("action \"g{i}\" in [\"all\"];\n")).collect();
    assert!(schema(format!("action \"all\", \"read\";\n{groups}{flat}")).is_ok());
}

#[test]
fn of_many_faults_the_first_are_listed_and_all_are_counted() {
    let keys: String = (0..3_000).map(|i| format!("k{i} = 1\n")).collect();
    let messages = format!("[o]\n{keys}");
    let faults = load(&[TINY[0], TINY[1], ("messages.en.toml", messages.as_str())]).unwrap_err();
    let errors: Vec<_> = faults.iter().filter(|f| f.severity == Severity::Error).collect();
    assert_eq!((errors[0].line, errors[1_023].line, errors[1_023].code), (2, 1_025, "law.message.wrong_type"));
    assert_eq!((errors.len(), errors[1_024].code), (1_025, "law.file.more"));
    assert_eq!(errors[1_024].message, "1976 more, from this file on, are not listed");
    let policies = "permit(principal, action, resource);\n".repeat(1_030);
    let faults = load(&[TINY[0], TINY[1], ("policies/a.cedar", policies.as_str())]).unwrap_err();
    let errors: Vec<_> = faults.iter().filter(|f| f.severity == Severity::Error).collect();
    assert_eq!((errors.len(), errors[1_023].line), (1_025, 1_024));
    assert_eq!((errors[1_024].file.as_str(), errors[1_024].message.split(' ').next()), ("policies/a.cedar", Some("6")));
}
