//! Threats that meet the engine: what was allowed and is no more, patterns made to be slow.

mod support;

use hos_core::call::{Can, Change, Transition};
use hos_core::policy::Entity;
use hos_engine::Settings;
use support::{change, fresh, fresh_under, go, new_order, uid};

#[test]
fn what_can_allowed_is_judged_again_inside_the_transaction() {
    let store = fresh(Settings::default());
    let (universe, tenant) = (store.tenant("universe"), store.tenant("t1"));
    change(&tenant, Change::Join { uid: uid("A", "ann"), parent: uid("R", "op") });
    assert!(tenant.begin(new_order("1")).unwrap().allowed);
    let order = Entity { uid: uid("O", "1"), attrs: [("state".to_owned(), "a".into())].into(), parents: [].into(), record: None };
    let order = Entity { attrs: order.attrs.into_iter().chain([("who".to_owned(), uid("A", "ann").into())]).collect(), ..order };
    let asked = || tenant.can(&Can::new(uid("A", "ann"), "o.go", uid("O", "1")).given(order.clone())).unwrap();
    let allowed = asked();
    assert!(allowed.allowed, "{:?}", allowed.blockers);
    // Between the question and the act the role is taken away, by another tenant reference and unknown to who asked.
    change(&store.tenant("t1"), Change::Leave { uid: uid("A", "ann"), parent: uid("R", "op") });
    let refused = tenant.transition(Transition::new(uid("A", "ann"), "o", "1", "go").unwrap()).unwrap();
    assert_eq!(refused.code(), Some("hos.not_permitted"));
    // And what the state allowed: who comes second finds the move made.
    assert!(tenant.transition(go("1")).unwrap().allowed);
    let late = tenant.transition(go("1")).unwrap();
    assert!(!late.allowed, "{late:?}");
    assert_eq!(universe.name().as_str(), "universe");
}

#[test]
fn a_pattern_made_to_be_slow_ends_with_an_answer() {
    // A guard of as many stars as an expression holds, and a fact as long as a fact may be: sixteen hundred stars, each of which could
    // be tried at each of a million places.
    let stars = "*a".repeat(1_600);
    let store = fresh_under(Settings::default(), |path, text| match path {
        "contracts/o.toml" => text.replace("who=\"A\"", "who=\"A\"\nword=\"String\"").replace(
            "[event.go]\n",
            &format!("[event.go]\nrequire=[{{code=\"like\",when=\"resource.word like \\\"{stars}*b\\\"\"}}]\n"),
        ),
        _ => text,
    });
    let tenant = store.tenant("t1");
    let born = |id: &str, word: String| tenant.begin(new_order(id).fact("word", word)).unwrap();
    let whole = hos_core::limits::VALUE_BYTES_MAX - 100;
    assert!(born("1", "a".repeat(whole)).allowed);
    assert!(born("2", format!("{}b", "a".repeat(whole - 1))).allowed);
    assert_eq!(tenant.transition(go("1")).unwrap().code(), Some("o.like"), "there is no b");
    assert!(tenant.transition(go("2")).unwrap().allowed, "and here there is one");
    // One byte more than a fact may have never comes to a pattern.
    let refused = born("3", "a".repeat(hos_core::limits::VALUE_BYTES_MAX));
    assert_eq!(refused.code(), Some("hos.call_too_large"));
}
