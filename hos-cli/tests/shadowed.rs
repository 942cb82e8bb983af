//! `hos shadow report`: what the law and the world differed in.

mod common;

use common::{World, law};

#[test]
fn what_the_world_did_and_the_law_would_not_is_counted() {
    let world = World::new();
    world.order("o-1");
    world.order("o-2");
    assert_eq!(world.run(&["shadow", "report"]).ended(0).out, "nothing was judged in shadow\n");
    let nowhere = world.run(&["shadow", "report", "--tenant", "pazra", "--json"]).ended(2);
    assert_eq!(nowhere.code(), "hos.tenant_unknown");
    assert_eq!(world.run(&["shadow", "report", "--tenant", "universe"]).ended(0).out, "nothing was judged in shadow\n");
    let law = law();
    world.run(&["law", "activate", law.to_str().unwrap(), "--mode", "order.pay=shadow"]).ended(0);
    let pay = |id: &str, amount: &str, said: &str| {
        let amount = format!("amount={amount}");
        let call = ["transition", "order", id, "pay", "--legacy", said, "--arg", &amount, "--arg", "psp_ref=x"];
        world.ayse(&[&call[..], if said == "yes" { &["--legacy-state", "paid"] } else { &[] }].concat())
    };
    pay("o-1", "4200", "yes").ended(0);
    pay("o-2", "1", "yes").ended(0);
    pay("o-9", "4200", "yes").ended(0);
    let json = world.run(&["shadow", "report", "--json"]).ended(0).json();
    let acts = json["acts"].as_array().unwrap();
    let act = acts.iter().find(|act| act["contract"] == "order" && act["event"] == "pay").unwrap_or_else(|| panic!("{json}"));
    assert_eq!((&act["tenant"], &act["agreed"], &act["diverged"]), (&"pazar".into(), &1.into(), &2.into()), "{json}");
    assert_eq!(act["moved"], serde_json::json!({ "order.amount_short": 1 }), "{json}");
    assert_eq!(act["refused"], serde_json::json!({ "hos.instance_unknown": 1 }), "{json}");
    let text = world.run(&["shadow", "report"]).ended(0).out;
    assert!(text.contains("pazar  order.pay: 1 agreed, 2 differ") && text.contains("order.amount_short"), "{text}");
    let page = world.path("shadow.html");
    world.run(&["shadow", "report", "--html", &page]).ended(0);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("default-src 'none'") && page.contains("1 × order.amount_short") && !page.contains("<script"),
        "{page}"
    );
}

/// As the answers to the calls themselves say it: two who refuse agree, and one who refuses alone does not.
#[test]
fn the_report_counts_what_the_answers_said() {
    let world = World::new();
    ["o-1", "o-2", "o-3", "o-4"].iter().for_each(|id| world.order(id));
    let law = law();
    world.run(&["law", "activate", law.to_str().unwrap(), "--mode", "order.pay=shadow"]).ended(0);
    let pay = |id: &str, amount: &str, said: &str, state: &[&str]| {
        let amount = format!("amount={amount}");
        let call = ["transition", "order", id, "pay", "--legacy", said, "--arg", &amount, "--arg", "psp_ref=x", "--json"];
        world.ayse(&[&call[..], state].concat()).json()["divergence"] == true
    };
    assert!(!pay("o-1", "4200", "yes", &["--legacy-state", "paid"]), "both moved it there");
    assert!(pay("o-2", "4200", "no", &[]), "the world alone refused");
    assert!(pay("o-3", "4200", "yes", &["--legacy-state", "expired"]), "the world moved it elsewhere");
    assert!(!pay("o-4", "1", "no", &[]), "both refused");
    assert!(!pay("o-9", "4200", "no", &[]), "both knew nothing of it");
    let json = world.run(&["shadow", "report", "--json"]).ended(0).json();
    let act =
        json["acts"].as_array().unwrap().iter().find(|act| act["event"] == "pay").unwrap_or_else(|| panic!("{json}")).clone();
    let counts = ["agreed", "diverged", "held", "elsewhere"].map(|name| act[name].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 1, 1], "{json}");
    assert_eq!((&act["moved"], &act["refused"]), (&serde_json::json!({}), &serde_json::json!({})), "{json}");
    let text = world.run(&["shadow", "report"]).ended(0).out;
    assert!(text.contains("1  the law allows it, the world refused") && text.contains("leads elsewhere"), "{text}");
    // The refusals of both are evidence like any, and judged again.
    let verified = world.run(&["verify", "--replay", "--json"]).ended(0).json();
    assert_eq!(verified["level"], "replayed", "{verified}");
}
