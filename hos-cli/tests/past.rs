//! The past judged again, another law tried on it, and two laws compared, in words and as JSON.

mod common;

use common::{World, law, run};
use serde_json::json;
use std::path::{Path, PathBuf};

/// A copy of the test law, with texts replaced in one of its files.
fn edited(world: &World, name: &str, file: &str, edits: &[(&str, &str)]) -> String {
    let to = PathBuf::from(world.path(name));
    copy(&law(), &to);
    let path = to.join(file);
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (from, into) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, into, 1);
    }
    std::fs::write(path, text).unwrap();
    to.to_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Two orders paid, one of them with too little first.
fn traded() -> World {
    let world = World::new();
    for id in ["o-1", "o-2"] {
        world.order(id);
    }
    let pay = |id: &str, amount: &str| {
        let amount = format!("amount={amount}");
        world.ayse(&["transition", "order", id, "pay", "--arg", &amount, "--arg", "psp_ref=x"])
    };
    pay("o-1", "100").ended(1);
    pay("o-1", "4200").ended(0);
    pay("o-2", "9000").ended(0);
    world
}

const STRICT: (&str, &str) = (
    "@id(\"inactive\")",
    "@id(\"large\")\nforbid (principal, action == Stall::Action::\"order.pay\", resource)\nwhen { context.amount > 5000 };\n\n@id(\"inactive\")",
);

#[test]
fn a_store_judged_again_reaches_the_level_replayed() {
    let world = traded();
    let plain = world.run(&["verify", "--json"]).ended(0).json();
    assert_eq!((plain["level"].as_str(), plain.get("replay")), (Some("intact"), None));
    let again = world.run(&["verify", "--replay", "--json"]).ended(0).json();
    assert_eq!(again["level"], "replayed");
    let replay = &again["replay"];
    assert_eq!((&replay["differs"], &replay["first"], &replay["evidence"]), (&json!(0), &json!(null), &json!("intact")));
    let counted: u64 = ["replayed", "erased", "attested"].iter().map(|k| replay[*k].as_u64().unwrap()).sum();
    assert_eq!(again["records"].as_u64(), Some(counted));
    assert!(replay["replayed"].as_u64().unwrap() >= 8, "{replay}");
    let words = world.run(&["verify", "--replay"]).ended(0).out;
    assert!(words.starts_with("replayed  ") && words.contains(" the same, 0 other, 0 erased, "), "{words}");
}

#[test]
fn a_bundle_s_records_are_judged_again() {
    let world = traded();
    let (file, trust) = (world.path("o-1.hos"), world.path("o-1.trust"));
    world.ayse(&["export", "--instance", "order/o-1", "-o", &file, "--trust-out", &trust]).ended(0);
    let verdict = world.run(&["verify", &file, "--trust", &trust, "--replay", "--json"]).ended(0).json();
    assert_eq!(verdict["replay"], json!({ "replayed": 2, "differs": 0, "erased": 0, "attested": 0, "first": null }));
    assert!(world.run(&["verify", &file, "--trust", &trust, "--json"]).ended(0).json().get("replay").is_none());
    let hidden = world.path("hidden.hos");
    world.ayse(&["export", "--instance", "order/o-1", "-o", &hidden, "--hide", "slice", "--without-map"]).ended(0);
    let words = world.run(&["verify", &hidden, "--trust", &trust, "--replay"]).ended(0).out;
    assert!(words.contains("0 the same, 0 other, 2 erased or hidden, 0 attested"), "{words}");
}

#[test]
fn a_stricter_law_is_tried_on_the_past() {
    let world = traded();
    let same = law();
    let same = same.to_str().unwrap();
    let report = world.run(&["law", "backtest", same, "--json"]).ended(0).json();
    assert_eq!((&report["differs"], &report["changes"]), (&json!(0), &json!({})));
    let strict = edited(&world, "strict", "policies/all.cedar", &[STRICT]);
    let report = world.run(&["law", "backtest", &strict, "--json"]).ended(3).json();
    assert_eq!(report["changes"], json!({ "allow_to_deny": 1 }));
    assert_eq!(report["by_policy"], json!({ "buyer": { "allow_to_deny": 1 }, "large": { "allow_to_deny": 1 } }));
    assert_eq!(report["by_event"], json!({ "order.pay": { "allow_to_deny": 1 } }));
    assert_eq!(report["by_tenant"], json!({ "pazar": { "allow_to_deny": 1 } }));
    let witness = &report["witnesses"][0];
    assert_eq!((&witness["instance"], &witness["tenant"]), (&json!("order/o-2"), &json!("pazar")));
    assert_eq!(witness["now"], json!({ "words": "deny hos.forbidden by large", "policies": ["large"] }));
    let ranges = report["ranges"].as_array().unwrap();
    assert_eq!(ranges.len(), 2);
    assert!(ranges.iter().all(|r| r["checkpoint"].as_str().is_some_and(|c| c.starts_with(r["origin"].as_str().unwrap()))));

    let universe = world.run(&["law", "backtest", &strict, "--tenant", "universe", "--json"]).ended(0).json();
    assert_eq!(universe["ranges"].as_array().unwrap().len(), 1);
    world.run(&["law", "backtest", &strict, "--to", "2026-03-01T12:00:00Z", "--json"]).ended(0);
    world.run(&["law", "backtest", &strict, "--from", "2026-03-01T12:00:00Z", "--json"]).ended(3);
    assert_eq!(world.run(&["law", "backtest", &strict, "--from", "noon", "--json"]).ended(2).code(), "hos.call_malformed");
    let words = world.run(&["law", "backtest", &strict]).ended(3).out;
    assert!(words.starts_with("1 of ") && words.contains("order/o-2  allow by buyer -> deny hos.forbidden by large"), "{words}");
    let table = world.run(&["law", "backtest", &strict, "--markdown"]).ended(3).out;
    assert!(table.contains("| large | 1 allow to deny |"), "{table}");

    let gone = [("[event.pay]", "[event.settle]")];
    let gone = edited(&world, "gone", "contracts/order.toml", &gone);
    let report = world.run(&["law", "backtest", &gone, "--json"]).ended(3).json();
    assert_eq!(report["changes"], json!({ "event_gone": 3 }));
}

#[test]
fn two_laws_are_compared_name_by_name() {
    let world = World::new();
    let old = law();
    let old = old.to_str().unwrap();
    let same = world.run(&["law", "diff", "active", old, "--json"]).ended(0).json();
    assert_eq!((&same["same"], &same["items"]), (&json!(true), &json!([])));
    let strict =
        edited(&world, "strict", "policies/all.cedar", &[STRICT, ("principal == resource.owner", "principal != resource.owner")]);
    let found = world.run(&["law", "diff", old, &strict, "--json"]).ended(3).json();
    let named = |what: &str| -> Vec<String> {
        let items = found["items"].as_array().unwrap().iter().filter(|i| i["what"] == what);
        items.map(|i| format!("{} {}", i["mark"].as_str().unwrap(), i["name"].as_str().unwrap())).collect()
    };
    assert_eq!(named("file"), ["changed policies/all.cedar"]);
    assert_eq!(named("policy"), ["added large", "changed owner-reads"]);
    assert_eq!(found["items"].as_array().unwrap().len(), 3, "{found}");

    let edits = [
        ("version      = 1", "version      = 2"),
        ("context.amount >= resource.total", "context.amount == resource.total"),
        (
            "[override.reopen]\nfrom   = [\"expired\"]\nto     = \"new\"",
            "[override.reopen]\nfrom   = [\"paid\"]\nto     = \"new\"",
        ),
        ("after = \"PT60M\"", "after = \"PT30M\""),
        ("gift  = \"Bool?\"", "gift  = \"Long?\""),
    ];
    let edited = edited(&world, "contract", "contracts/order.toml", &edits);
    let found = run(world.command(&["law", "diff", old, &edited, "--json"])).ended(3).json();
    let items = found["items"].as_array().unwrap();
    let of = |what: &str, name: &str| {
        let item = items.iter().find(|i| i["what"] == what && i["name"] == name);
        item.unwrap_or_else(|| panic!("{what} {name}: {found}")).clone()
    };
    let version = of("contract", "");
    assert_eq!(version["fields"], json!([{ "field": "version", "was": "1", "now": "2" }]));
    assert_eq!(version["contract"], "order");
    assert_eq!(of("event", "pay")["fields"][0]["field"], "guard order.amount_short");
    assert_eq!(of("machine", "paid --(reopen)--> new")["mark"], "added");
    assert_eq!(of("machine", "expired --(reopen)--> new")["mark"], "removed");
    assert_eq!(of("deadline", "new expire")["mark"], "changed");
    assert_eq!(of("fact", "gift")["fields"], json!([{ "field": "type", "was": "Bool?", "now": "Long?" }]));
    assert_eq!(of("entity type", "Stall::Order")["mark"], "changed");
    let words = world.run(&["law", "diff", old, &edited]).ended(3).out;
    assert!(words.contains("+ order: machine paid --(reopen)--> new"), "{words}");
    let table = world.run(&["law", "diff", old, &edited, "--markdown"]).ended(3).out;
    assert!(table.contains("| | | `version` | `1` | `2` |"), "{table}");
    assert_eq!(world.run(&["law", "diff", old, "nowhere", "--json"]).ended(5).code(), "hos.law_invalid");
}
