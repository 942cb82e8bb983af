//! What an event does in a state: the step table, guards and branches, arguments, messages, deadlines, migrations.

use hos_core::contract::Contract;
use hos_core::contract::parse::parse;
use hos_core::contract::step::{
    Armed, Standing, Truth, arms, body, check_given, deadlines_on_entry, effects, facts_after, migrate, outcome, standing,
    unplaced,
};
use hos_core::fault::SourceFile;
use hos_core::id::Uid;
use hos_core::refusal::{Blocker, Code};
use hos_core::time::{TIME_MAX, TIME_MIN, Timestamp};
use hos_core::value::{Ext, Record, Value};

const ORDER: &str = include_str!("contract_order.toml");

fn contract(text: &str) -> Contract {
    let file = SourceFile { path: "order.toml".into(), text: text.into() };
    parse(&file, "Pazar").unwrap_or_else(|faults| panic!("{faults:#?}")).0
}

fn record<const N: usize>(pairs: [(&str, Value); N]) -> Record {
    pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

#[test]
fn every_event_stands_to_every_state_as_the_table_says() {
    let order = contract(ORDER);
    // L lawful, S same (no-op), T terminal, - wrong state
    //                  cart  new   paid  refnd shipd fulfd cancd expired
    #[rustfmt::skip]
    let rows = [
        ("check_out", ['L',  '-',  '-',  '-',  '-',  'T',  'T',  'T']),
        ("pay",       ['-',  'L',  'S',  '-',  '-',  'T',  'T',  'T']),
        ("remind",    ['-',  'L',  '-',  '-',  '-',  'T',  'T',  'T']),
        ("capture",   ['-',  '-',  'L',  '-',  '-',  'T',  'T',  'T']),
        ("refunded",  ['-',  '-',  '-',  'L',  'L',  'T',  'T',  'T']),
        ("deliver",   ['-',  '-',  '-',  'L',  'L',  'T',  'T',  'T']),
        ("expire",    ['-',  'L',  'L',  'L',  'L',  'T',  'T',  'T']),
        ("cancel",    ['L',  'L',  'L',  'L',  'L',  'T',  'S',  'T']),
        ("reopen",    ['-',  '-',  '-',  '-',  '-',  'T',  'L',  'L']),
    ];
    assert_eq!(rows.len(), order.events.len() + order.overrides.len());
    for (name, expected) in rows {
        let found: Vec<char> = order
            .states
            .iter()
            .map(|state| {
                let (arrow, is_override) = order.event(name, state.name.as_str()).unwrap();
                match standing(&order, arrow, is_override, state.name.as_str()) {
                    Standing::Lawful => 'L',
                    Standing::Same => 'S',
                    Standing::Terminal => 'T',
                    Standing::WrongState => '-',
                }
            })
            .collect();
        assert_eq!(found, expected, "{name}");
    }
    assert!(order.event("pey", "new").is_none());
    let (pay, _) = order.event("pay", "nowhere").unwrap();
    assert_eq!(standing(&order, pay, false, "nowhere"), Standing::WrongState);
}

#[test]
fn an_arrow_is_picked_by_the_state() {
    let order = contract(ORDER);
    let leads = |state| order.event("refunded", state).map(|(e, _)| e.branches[0].to.to_string());
    assert_eq!(leads("refunding").as_deref(), Some("cancelled"));
    assert_eq!(leads("shipped").as_deref(), Some("refunding"));
    // Where no arrow leaves, the one whose target is reached already answers, else the first is named.
    let two = contract(
        "contract = \"c\"\nversion = 1\nentity = \"E\"\nstates = [\"a\", \"b\", \"y\", \"z\"]\n[begin.n]\nto = \"a\"\n\
         [[event.e]]\nfrom = [\"a\"]\nto = \"y\"\non_same = \"noop\"\n[[event.e]]\nfrom = [\"b\"]\nto = \"z\"\non_same = \"noop\"\n",
    );
    for state in ["y", "z"] {
        let (arrow, _) = two.event("e", state).unwrap();
        assert_eq!(standing(&two, arrow, false, state), Standing::Same, "{state}");
    }
}

#[test]
fn all_guards_are_judged_and_all_blockers_told() {
    let order = contract(ORDER);
    let pay = &order.events["pay"][0];
    let short = pay.require[0].when;
    let told = |judge: &mut dyn FnMut(usize) -> Truth| -> Vec<String> {
        outcome(pay, judge).unwrap_err().iter().map(|b| b.code.to_string()).collect()
    };
    assert_eq!(outcome(pay, &mut |_| Truth::True).unwrap().to.as_str(), "paid");
    assert_eq!(told(&mut |_| Truth::False), ["order.amount_short", "order.not_buyer"]);
    assert_eq!(told(&mut |i| if i == short { Truth::True } else { Truth::False }), ["order.not_buyer"]);
    let mixed = outcome(pay, &mut |i| if i == short { Truth::Error("no\u{1b} such".into()) } else { Truth::False }).unwrap_err();
    assert_eq!(mixed.iter().map(|b| b.code.as_ref()).collect::<Vec<_>>(), ["hos.guard_error", "order.not_buyer"]);
    assert!(mixed[0].detail.contains("order.amount_short") && mixed[0].detail.contains("no\\u{1b} such"), "{}", mixed[0].detail);
}

#[test]
fn the_first_branch_that_holds_is_taken_and_doubt_refuses() {
    let order = contract(ORDER);
    let capture = &order.events["capture"][0];
    let leads = |truth: Truth| outcome(capture, &mut |_| truth.clone()).map(|b| b.to.to_string());
    assert_eq!(leads(Truth::True).as_deref(), Ok("shipped"));
    assert_eq!(leads(Truth::False).as_deref(), Ok("refunding"));
    let doubt = leads(Truth::Error("overflow".into())).unwrap_err();
    assert_eq!((doubt.len(), doubt[0].code.as_ref()), (1, "hos.guard_error"));
    // Guards stand before branches: a branch is not asked where a guard says no.
    let guarded = contract(
        &ORDER.replace("replies = [\"refunded\"", "require = [{ code = \"g\", when = \"x\" }]\nreplies = [\"refunded\""),
    );
    let capture = &guarded.events["capture"][0];
    let mut asked = 0;
    let mut judge = |_| {
        asked += 1;
        Truth::False
    };
    assert!(outcome(capture, &mut judge).is_err());
    assert_eq!(asked, 1);
}

#[test]
fn what_is_given_is_held_against_what_is_declared() {
    let order = contract(ORDER);
    let account = |kind: &str| Value::Entity(Uid::new(kind, "ayse").unwrap());
    let arrival = Value::Ext(Ext::Datetime, "2030-01-01".into());
    let right = record([("buyer", account("Pazar::Account")), ("total", 5.into()), ("arrival", arrival.clone())]);
    assert!(check_given("fact", &order.facts, &right).is_empty());
    let told = |given: &Record| -> Vec<(String, String)> {
        check_given("fact", &order.facts, given).into_iter().map(|b| (b.code.into_owned(), b.detail)).collect()
    };
    let wrong = record([("buyer", account("Pazar::Shop")), ("total", "5".into()), ("note", 1.into()), ("to\ntal", 5.into())]);
    assert_eq!(
        told(&wrong),
        [
            ("hos.attribute_missing", "the fact `arrival` is missing"),
            ("hos.attribute_type", "the fact `buyer` must be Pazar::Account, this is Pazar::Shop"),
            ("hos.attribute_type", "the fact `note` must be String, this is Long"),
            ("hos.attribute_type", "the fact `total` must be Long, this is String"),
            ("hos.attribute_unknown", "no fact is called `to\\nal`"),
        ]
        .map(|(c, d)| (c.to_owned(), d.replace("to\\nal", "to\\ntal")))
    );
    assert_eq!(told(&Record::new()).len(), 3);
}

#[test]
fn facts_change_only_by_sets() {
    let order = contract(ORDER);
    let event = &order.events["check_out"][0];
    let facts = record([("total", 5.into()), ("note", "old".into())]);
    let after = facts_after(event, &facts, &record([("total", 9.into()), ("psp_ref", "x".into())]));
    assert_eq!(after, record([("total", 9.into()), ("note", "old".into())]));
    let after = facts_after(event, &facts, &record([("total", 9.into()), ("note", "new".into())]));
    assert_eq!(after["note"], "new".into());
}

#[test]
fn messages_carry_what_the_contract_names() {
    let order = contract(ORDER);
    let ayse = Uid::new("Pazar::Account", "ayse").unwrap();
    let pay = &order.events["pay"][0];
    let facts = record([("total", 5.into()), ("buyer", Value::Entity(ayse.clone()))]);
    let args = record([("amount", 5.into()), ("psp_ref", "p-1".into())]);
    let message = body(&pay.effects[0], "o-17", "paid", &ayse, &facts, &args);
    let expected = record([
        ("id", "o-17".into()),
        ("state", "paid".into()),
        ("principal", Value::Entity(ayse)),
        ("facts.total", 5.into()),
        ("args.psp_ref", "p-1".into()),
    ]);
    assert_eq!(message, expected, "the note is optional and absent; the buyer and the amount are not named");
    let capture = &order.events["capture"][0];
    let kinds = |branch: usize| effects(capture, &capture.branches[branch]).map(|e| e.kind.to_string()).collect::<Vec<_>>();
    assert_eq!(kinds(0), ["stock.reserve", "mail.shipped"]);
    assert_eq!(kinds(1), ["stock.reserve"]);
}

#[test]
fn deadlines_are_counted_from_the_entry() {
    let order = contract(ORDER);
    let start = Timestamp::parse("2015-07-01T00:00:00Z").unwrap();
    let arm = |state: &str, entered: Timestamp, at: i64| -> Vec<(usize, String, i64)> {
        let armed = deadlines_on_entry(&order, state, entered, &mut |_| Ok(Timestamp(at))).unwrap();
        armed.into_iter().map(|Armed { deadline, event, due }| (deadline, event.to_string(), due.0 - entered.0)).collect()
    };
    let hour = 3_600_000;
    // An `at` before or after the `after`: the earliest comes first; a tie goes by the order of the file.
    assert_eq!(arm("new", start, start.0 + 24 * hour), [(0, "expire".into(), hour), (1, "cancel".into(), 24 * hour)]);
    assert_eq!(arm("new", start, start.0 + hour), [(0, "expire".into(), hour), (1, "cancel".into(), hour)]);
    assert_eq!(arm("new", start, start.0 - 5), [(1, "cancel".into(), -5), (0, "expire".into(), hour)]);
    assert_eq!(arm("refunding", start, 0), [(4, "expire".into(), 24 * hour + 2 * hour + 3 * 60_000 + 4_000)]);
    assert_eq!(arm("cart", start, 0), []);
    assert_eq!(arm("no_such_state", start, 0), []);
    // Time ends before it overflows.
    let due = |at: i64| deadlines_on_entry(&order, "new", TIME_MAX, &mut |_| Ok(Timestamp(at))).unwrap();
    assert!(due(i64::MAX).iter().all(|a| a.due == TIME_MAX));
    assert_eq!(due(i64::MIN)[0].due, TIME_MIN);
    let doubt = deadlines_on_entry(&order, "new", start, &mut |_| Err(Blocker::new(Code::GuardError, "overflow"))).unwrap_err();
    assert_eq!(doubt.code, "hos.guard_error");
}

#[test]
fn a_self_loop_rearms_only_where_it_says_so() {
    let order = contract(ORDER);
    assert!(arms(&order.events["pay"][0], "new", "paid"));
    assert!(arms(&order.events["remind"][0], "new", "new"));
    let quiet = contract(&ORDER.replace("rearm  = true", "self_loop = true"));
    assert!(!arms(&quiet.events["remind"][0], "new", "new"));
}

#[test]
fn migrations_are_chained() {
    let order = contract(ORDER);
    // from version | state   | place in version 3
    #[rustfmt::skip]
    let rows: [(u32, &str, Option<&str>); 12] = [
        (3, "paid",      Some("paid")),
        (3, "placed",    None),
        (2, "placed",    Some("new")),
        (2, "basket",    Some("cart")),
        (2, "paid",      None),               // live, and not named: it has no place
        (2, "fulfilled", Some("fulfilled")),  // terminal, and stays
        (1, "open",      Some("new")),        // open -> placed -> new
        (1, "done",      Some("fulfilled")),  // done -> fulfilled, which version 2 need not name
        (1, "placed",    None),
        (1, "cancelled", Some("cancelled")),
        (0, "open",      None),
        (4, "paid",      None),
    ];
    for (version, state, place) in rows {
        assert_eq!(migrate(&order, version, state).map(|n| n.as_str()), place, "{state} of version {version}");
    }
    let without = contract(&ORDER.replace("[migrate.\"1\"]\nopen   = \"placed\"\ndone   = \"fulfilled\"\n", ""));
    assert_eq!(migrate(&without, 1, "open"), None);
    assert_eq!(migrate(&without, 1, "cancelled"), None, "no one said how version 1 is to be read");
    // What an activation must not leave behind.
    let second = "contract = \"order\"\nversion = 2\nentity = \"Pazar::Order\"\nstates = [\"basket\", \"placed\", \"held\", \"cancelled\"]\n\
                  terminal = [\"cancelled\"]\n[begin.b]\nto = \"basket\"\n";
    let second = contract(second);
    assert_eq!(unplaced(&second, &order).iter().map(|n| n.as_str()).collect::<Vec<_>>(), ["held"]);
    assert!(unplaced(&order, &order).is_empty());
}

#[test]
fn an_event_none_of_whose_branches_holds_is_refused() {
    let order = contract(ORDER);
    let mut event = order.events.values().flatten().next().unwrap().clone();
    event.require.clear();
    event.branches.clear();
    let blockers = outcome(&event, &mut |_| Truth::True).map(|branch| branch.to.clone()).unwrap_err();
    assert_eq!(blockers.len(), 1);
    assert_eq!(&*blockers[0].code, "hos.guard_error");
}
