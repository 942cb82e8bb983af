//! `hos shadow report`: what the law and the world differed in.

mod common;

use common::{World, law, run};

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

/// What stands in place of an answer of ours does so whatever the call's size; a word that is none is no call at all.
#[test]
fn of_a_call_beyond_its_bounds_the_world_s_answer_stands() {
    let world = World::new();
    world.order("o-1");
    let law = law();
    world.run(&["law", "activate", law.to_str().unwrap(), "--mode", "order=shadow"]).ended(0);
    let pay = |size: usize, legacy: &str| {
        let head = format!(
            r#"{{"tenant":"pazar","principal":{{"type":"Stall::Account","id":"ayse"}},"contract":"order","id":"o-1","event":"pay",
                "args":{{"amount":4200,"psp_ref":"x"}}{legacy},"reason":""#
        );
        format!("{head}{}\"}}", "x".repeat(size - head.len() - 2))
    };
    let (beyond, far) = (hos_wire::CALL_BYTES_MAX + 1, 32 * hos_wire::CALL_BYTES_MAX + 1);
    let said = r#","legacy":{"allowed":true,"state":"paid"}"#;
    let path = world.path("big.json");
    std::fs::write(&path, pay(beyond, said)).unwrap();
    let mut piped = world.command(&["call", "transition"]);
    piped.write_stdin(pay(beyond, said));
    for run in [world.run(&["call", "transition", &path]), run(piped)] {
        let told = run.ended(0).json();
        assert_eq!(
            (&told["allowed"], &told["mode"], &told["code"]),
            (&true.into(), &"shadow".into(), &"hos.call_too_large".into())
        );
    }
    for (size, legacy) in [(beyond, ""), (far, said)] {
        std::fs::write(&path, pay(size, legacy)).unwrap();
        assert_eq!(world.run(&["call", "transition", &path]).ended(2).code(), "hos.call_too_large");
    }
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

/// The instance is known, and stays where it is: nothing would ever lead out of a state that the contract does not have.
#[test]
fn a_state_that_is_the_world_s_alone_moves_nothing_here() {
    let world = World::new();
    world.order("o-1");
    let law = law();
    world.run(&["law", "activate", law.to_str().unwrap(), "--mode", "order.pay=shadow"]).ended(0);
    let pay = ["transition", "order", "o-1", "pay", "--arg", "amount=4200", "--arg", "psp_ref=x"];
    world.ayse(&[&pay[..], &["--legacy", "yes", "--legacy-state", "shipped"]].concat()).ended(0);
    let text = world.run(&["shadow", "report"]).ended(0).out;
    assert!(text.contains("1  hos.wrong_state  the law refused, and nothing was moved here"), "{text}");
}
