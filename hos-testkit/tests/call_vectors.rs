//! The call vectors are what their README promises: many, and every code is among them.

use hos_core::refusal::Code;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Codes that no call meets on a sound machine, or whose answer names the time: they are planted, and that is all.
const PLANTED: [&str; 10] = [
    "hos.clock_implausible",
    "hos.store_full",
    "hos.store_read_only",
    "hos.store_version",
    "hos.outcome_unknown",
    "hos.retry",
    "hos.signer_failed",
    "hos.directory_stale",
    "hos.deadline_limit",
    "hos.lease_lost",
];
/// Codes of a host's transaction, which a call in a vector has not.
const HOSTS: [&str; 1] = ["hos.no_transaction"];
/// Codes of what operators do, which is no call: laws are activated and persons erased by `hos`.
const OPERATORS: [&str; 4] = ["hos.law_in_use", "hos.subject_in_use", "hos.subject_held", "hos.subject_not_held"];

fn code(case: &Json) -> Option<&str> {
    case.pointer("/expect/code").or_else(|| case.pointer("/expect/answer/code"))?.as_str()
}

#[test]
fn every_code_is_met_and_most_by_a_call_that_earns_it() {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/vectors/call");
    let (mut met, mut earned, mut cases) = (BTreeSet::new(), BTreeSet::new(), 0);
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let scenario: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut names = BTreeSet::new();
        for case in scenario["cases"].as_array().unwrap() {
            cases += 1;
            assert!(names.insert(case["name"].as_str().unwrap()), "{}: {} twice", path.display(), case["name"]);
            assert!(case["expect"]["status"].is_string(), "{}: {} expects nothing", path.display(), case["name"]);
            let Some(code) = code(case) else { continue };
            met.insert(code.to_owned());
            if case["operation"] != "failpoint" {
                earned.insert(code.to_owned());
            }
        }
    }
    assert!(cases >= 150, "{cases} cases");
    for code in Code::ALL.iter().map(|code| code.as_str()) {
        assert!(met.contains(code), "{code} is in no vector");
        let excused = PLANTED.contains(&code) || OPERATORS.contains(&code) || HOSTS.contains(&code);
        assert_ne!(earned.contains(code), excused, "{code}: the lists above say otherwise");
    }
}
