//! What happens to an instance that a newer edition of its contract takes over: it is judged by that edition from there on, guards
//! included, and what was done for it stays done.

mod judge_support;

use hos_core::call::Change;
use hos_core::id::Uid;
use hos_core::value::Value;
use judge_support::law::{first, retyped, second, wider};
use judge_support::*;

fn lent(shelf: &str) -> Desk {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300).fact("shelf", uid("Shelf", shelf)));
    desk.moves(event("ana", "lend", "l-1"));
    desk
}

#[test]
fn a_tick_that_migrates_fires_under_the_new_edition() {
    let mut desk = lent("b");
    desk.activate(second());
    desk.wait(4 * HOUR);
    let lines = desk.tick("loan/l-1");
    assert!(desk.records.last().unwrap().header.guard_law.is_none());
    assert!(lines.iter().all(|line| !line.contains("differs")));
}

#[test]
fn what_is_available_after_a_migration_is_what_a_transition_says() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ben", "l-1", 300));
    desk.activate(second());
    let lines = desk.available("ben", "loan/l-1");
    let said = lines.iter().find(|line| line.starts_with("lend")).unwrap().clone();
    let moved = desk.moves(event("ben", "lend", "l-1"));
    assert_eq!(said.contains("too_many"), moved[0].contains("too_many"));
}

fn put(desk: &mut Desk, uid: Uid, attrs: &[(&str, Value)]) {
    desk.attest(&Change::Put { uid, attrs: record(attrs) });
}

/// A desk at which ana and ben have asked, and ana has l-1 lent, before more could be said of both than their loans' schema declares.
fn widened() -> Desk {
    let mut desk = lent("b");
    desk.begin(ask("ana", "l-2", 300));
    desk.begin(ask("ben", "l-3", 300));
    desk.activate(wider());
    put(&mut desk, uid("Team", "red"), &[]);
    for (who, limit) in [("ana", 500), ("ben", 100)] {
        put(&mut desk, reader(who), &[("active", true.into()), ("limit", limit.into()), ("tier", 3.into())]);
        desk.attest(&Change::Join { uid: reader(who), parent: uid("Team", "red") });
    }
    desk
}

fn judged_alike(lines: &[String]) {
    assert!(lines.iter().any(|line| line.contains("[the same again]")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("differs")), "{lines:#?}");
}

#[test]
fn what_an_older_schema_does_not_declare_stops_nobody_who_began_under_it() {
    let mut desk = widened();
    // The guard reads her limit, and the deadline that is armed the shelf's hour: both under the law that the loan began under.
    let mut lend = event("ana", "lend", "l-2");
    lend.by.context = record(&[("ip", "::1".into())]).into();
    let lines = desk.moves(lend);
    assert!(lines[0].starts_with("yes"), "{lines:#?}");
    assert!(desk.records.last().unwrap().header.guard_law.is_some());
    judged_alike(&lines);
    let lines = desk.moves(event("ben", "lend", "l-3"));
    assert!(lines[0].starts_with("no; loan.too_many"), "{lines:#?}");
    judged_alike(&lines);
    desk.wait(3 * HOUR);
    let lines = desk.tick("loan/l-1");
    assert!(lines[0].contains("fired overdue"), "{lines:#?}");
    assert_eq!(desk.instances["loan/l-1"].state.as_str(), "lost");
    judged_alike(&lines);
}

/// What a guard may read is as its own schema says, or nothing is known; what asks for nothing goes on.
#[test]
fn what_an_older_schema_declares_otherwise_stops_guards_and_nothing_else() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    desk.activate(retyped());
    put(&mut desk, reader("ana"), &[("active", true.into()), ("limit", "many".into())]);
    let lines = desk.moves(event("ana", "lend", "l-1"));
    assert!(lines[0].starts_with("no; hos.attribute_type"), "{lines:#?}");
    judged_alike(&lines);
    desk.wait(HOUR);
    let lines = desk.tick("loan/l-1");
    assert_eq!(desk.instances["loan/l-1"].state.as_str(), "void", "{lines:#?}");
    judged_alike(&lines);
}

/// Earlier builds refused so. Their records are what was judged then.
#[test]
fn what_an_older_schema_stopped_once_is_judged_again_as_it_was() {
    let mut desk = widened();
    desk.earlier = true;
    let lines = desk.moves(event("ana", "lend", "l-2"));
    assert!(lines[0].starts_with("no; hos.attribute_unknown"), "{lines:#?}");
    judged_alike(&lines);
    desk.wait(3 * HOUR);
    let lines = desk.tick("loan/l-1");
    assert!(!lines[0].contains("fired") && lines.iter().any(|line| line.contains("hos.attribute_unknown")), "{lines:#?}");
    judged_alike(&lines);
}

#[test]
fn a_refusal_says_the_state_that_the_instance_has() {
    let mut desk = lent("b");
    desk.activate(second());
    let lines = desk.moves(event("ana", "stir", "l-1"));
    let state = desk.instances["loan/l-1"].state.clone();
    assert_eq!(desk.records.last().unwrap().header.from, Some(state));
    assert!(lines.iter().all(|line| !line.contains("differs")), "{lines:#?}");
}
