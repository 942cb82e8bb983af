//! Thirty-three state machines of real marketplaces, each as a contract: every edge is walked, every non-edge is refused,
//! and the findings are those that can be told from the graphs without this code.

mod graphs;

use graphs::{Edge, Graph, Purpose, graphs, parsed};
use hos_core::contract::check::check;
use hos_core::contract::definition::Contract;
use hos_core::contract::parse::parse;
use hos_core::contract::step::{Standing, Truth, outcome, standing};
use hos_core::fault::SourceFile;
use std::collections::{BTreeMap, BTreeSet};

/// Graph, edges, findings where nothing was declared terminal, lasting or looping on purpose. Written from the graphs' own
/// `checks` (unreachable, sinks, trapped, self_loops, wildcard_events, twin_events), not from what this code answers;
/// `waiting` is every state that is no sink, `unused_event` every event whose sources are all unreachable.
#[rustfmt::skip]
const EXPECTED: [(&str, usize, &str); 33] = [
    ("solidus__inventory_unit", 10, "trapped: canceled on_hand returned shipped; unreachable: backordered; unused_event: fill_backorder; waiting: backordered canceled on_hand returned shipped; wildcard_target: ship"),
    ("solidus__order", 12, "dead_end: resumed returned; waiting: address awaiting_return canceled cart complete confirm delivery payment"),
    ("solidus__payment", 16, "dead_end: failed invalid void; self_loop: started_processing; waiting: checkout completed pending processing"),
    ("solidus__reimbursement", 4, "dead_end: reimbursed; self_loop: errored; waiting: errored pending"),
    ("solidus__return_authorization", 1, "dead_end: canceled; waiting: authorized"),
    ("solidus__return_item_acceptance", 13, "dead_end: rejected; self_loop: accept attempt_accept require_manual_intervention; twin_events: accept+attempt_accept attempt_accept+reject attempt_accept+require_manual_intervention; waiting: accepted manual_intervention_required pending"),
    ("solidus__return_item_reception", 14, "dead_end: cancelled expired received unexchanged; waiting: awaiting given_to_customer in_transit lost_in_transit shipped_wrong_item short_shipped"),
    ("solidus__shipment", 9, "dead_end: shipped; waiting: canceled pending ready"),
    ("spree5.6__adjustment", 2, "trapped: closed open; waiting: closed open"),
    ("spree5.6__gift_card", 5, "dead_end: canceled redeemed; self_loop: partial_redeem; waiting: active partially_redeemed"),
    ("spree5.6__import", 16, "trapped: completed completed_mapping failed mapping pending processing; waiting: completed completed_mapping failed mapping pending processing; wildcard_target: fail start_mapping"),
    ("spree5.6__inventory_unit", 6, "trapped: on_hand returned shipped; unreachable: backordered; unused_event: fill_backorder; waiting: backordered on_hand returned shipped; wildcard_target: ship"),
    ("spree5.6__invitation", 1, "dead_end: accepted; waiting: pending"),
    ("spree5.6__order", 37, "self_loop: return; trapped: address awaiting_return canceled cart complete confirm delivery payment resumed returned; waiting: address awaiting_return canceled cart complete confirm delivery payment resumed returned; wildcard_target: authorize_return cancel"),
    ("spree5.6__payment", 16, "dead_end: failed invalid void; self_loop: started_processing; waiting: checkout completed pending processing"),
    ("spree5.6__payment_session", 9, "dead_end: canceled completed expired failed; waiting: pending processing"),
    ("spree5.6__payment_setup_session", 9, "dead_end: canceled completed expired failed; waiting: pending processing"),
    ("spree5.6__price_list", 12, "trapped: active draft inactive scheduled; waiting: active draft inactive scheduled; wildcard_target: activate deactivate schedule"),
    ("spree5.6__product", 9, "trapped: active archived draft; waiting: active archived draft; wildcard_target: activate archive draft"),
    ("spree5.6__reimbursement", 3, "dead_end: reimbursed; waiting: errored pending"),
    ("spree5.6__return_authorization", 1, "dead_end: canceled; waiting: authorized"),
    ("spree5.6__return_item_acceptance", 13, "dead_end: rejected; self_loop: accept attempt_accept require_manual_intervention; twin_events: accept+attempt_accept attempt_accept+reject attempt_accept+require_manual_intervention; waiting: accepted manual_intervention_required pending"),
    ("spree5.6__return_item_reception", 3, "dead_end: cancelled given_to_customer received; waiting: awaiting"),
    ("spree5.6__shipment", 8, "dead_end: shipped; waiting: canceled pending ready"),
    ("sylius1__catalog_promotion", 4, "trapped: active inactive processing; waiting: active inactive processing"),
    ("sylius1__order", 3, "dead_end: cancelled fulfilled; waiting: cart new"),
    ("sylius1__order_checkout", 18, "dead_end: completed; self_loop: address select_payment select_shipping; waiting: addressed cart payment_selected payment_skipped shipping_selected shipping_skipped"),
    ("sylius1__order_payment", 20, "dead_end: cancelled refunded; self_loop: partially_authorize partially_pay partially_refund; waiting: authorized awaiting_payment cart paid partially_authorized partially_paid partially_refunded"),
    ("sylius1__order_shipping", 5, "dead_end: cancelled shipped; waiting: cart partially_shipped ready"),
    ("sylius1__payment", 13, "dead_end: cancelled failed refunded; waiting: authorized cart completed new processing"),
    ("sylius1__product_review", 2, "dead_end: accepted rejected; waiting: new"),
    ("sylius1__shipment", 3, "dead_end: cancelled shipped; waiting: cart ready"),
    ("winzou__README-article", 9, ""),
];

/// Findings as the table writes them: `code: name name; code: name`.
fn findings(contract: &Contract, file: &SourceFile) -> String {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for fault in check(contract, file) {
        let code = fault.code.strip_prefix("law.contract.").unwrap();
        let ticked: Vec<&str> = fault.message.split('`').skip(1).step_by(2).collect();
        let name = match code {
            "twin_events" => format!("{}+{}", ticked[0], ticked[1]),
            "wildcard_target" => ticked[1].to_owned(),
            _ => ticked[0].to_owned(),
        };
        found.entry(code).or_default().insert(name);
    }
    let cell =
        |(code, names): (&&str, &BTreeSet<String>)| format!("{code}: {}", names.iter().cloned().collect::<Vec<_>>().join(" "));
    found.iter().map(cell).collect::<Vec<_>>().join("; ")
}

/// Steps over every pair of event and state and gives the moves that are possible.
fn walked(contract: &Contract, refused_as: impl Fn(&str) -> Standing) -> BTreeSet<Edge> {
    let mut found = BTreeSet::new();
    for name in contract.events.keys() {
        for state in contract.states.iter().map(|s| s.name.as_str()) {
            let (arrow, is_override) = contract.event(name.as_str(), state).unwrap();
            match standing(contract, arrow, is_override, state) {
                Standing::Lawful => {
                    for branch in &arrow.branches {
                        // Guards hold; of the branches only this one does.
                        let mut judge = |i| {
                            let other = arrow.branches.iter().any(|b| b.when == Some(i) && b.to != branch.to);
                            if other { Truth::False } else { Truth::True }
                        };
                        let taken = outcome(arrow, &mut judge).unwrap();
                        assert_eq!(taken.to, branch.to);
                        found.insert((name.to_string(), state.to_owned(), taken.to.to_string()));
                    }
                    if let Some(guard) = arrow.require.first() {
                        let blockers = outcome(arrow, &mut |_| Truth::False).unwrap_err();
                        assert_eq!(blockers[0].code, guard.code);
                    }
                }
                refused => assert_eq!(refused, refused_as(state), "{name} in {state}"),
            }
        }
    }
    found
}

#[test]
fn every_edge_is_walked_and_every_non_edge_is_refused() {
    let Some(graphs) = graphs() else { return };
    assert_eq!(graphs.len(), EXPECTED.len());
    for ((name, mut graph), (expected, edges, _)) in graphs.into_iter().zip(EXPECTED) {
        assert_eq!(name, expected);
        let undeclared = std::mem::take(&mut graph.undeclared);
        graph.states.extend(undeclared);
        let want = graph.edges();
        assert_eq!(want.len(), edges, "{name}");
        let (contract, _) = parsed(&graph.contract(Purpose::None));
        assert_eq!(walked(&contract, |_| Standing::WrongState), want, "{name}");
        // With sinks declared terminal, and wildcards therefore leaving them out, all else stays.
        let (contract, _) = parsed(&graph.contract(Purpose::Declared));
        let terminal = |state: &str| contract.state(state).unwrap().terminal;
        let refused_as = |state: &str| if terminal(state) { Standing::Terminal } else { Standing::WrongState };
        assert_eq!(walked(&contract, refused_as), want, "{name}");
    }
}

#[test]
fn findings_are_those_that_the_graphs_show() {
    let Some(graphs) = graphs() else { return };
    for ((name, graph), (_, _, expected)) in graphs.iter().zip(EXPECTED) {
        if !graph.undeclared.is_empty() {
            continue;
        }
        let (contract, file) = parsed(&graph.contract(Purpose::None));
        assert_eq!(findings(&contract, &file), expected, "{name}");
        // What is said on purpose is no finding; what is wrong all the same stays.
        let (contract, file) = parsed(&graph.contract(Purpose::Declared));
        let stays = |cell: &&str| ["unreachable", "twin_events", "unused_event"].iter().any(|code| cell.starts_with(code));
        let left: Vec<&str> = expected.split("; ").filter(stays).collect();
        assert_eq!(findings(&contract, &file), left.join("; "), "{name}");
    }
}

#[test]
fn an_undeclared_state_does_not_parse() {
    let Some(graphs) = graphs() else { return };
    let open: Vec<&(String, Graph)> = graphs.iter().filter(|(_, g)| !g.undeclared.is_empty()).collect();
    assert_eq!(open.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["winzou__README-article"]);
    for (_, graph) in open {
        let file = SourceFile { path: "machine.toml".into(), text: graph.contract(Purpose::None) };
        let faults = parse(&file, "Test").unwrap_err();
        assert!(faults.iter().all(|f| f.code == "law.contract.unknown_state"), "{faults:?}");
        let told: BTreeSet<&str> = faults.iter().filter_map(|f| f.message.split('`').nth(1)).collect();
        assert_eq!(told, BTreeSet::from(["approve", "pending_rewiew"]));
        let near = faults.iter().find(|f| f.message.contains("pending_rewiew")).unwrap();
        assert_eq!(near.hint.as_deref(), Some("did you mean `pending_review`?"));
    }
}
