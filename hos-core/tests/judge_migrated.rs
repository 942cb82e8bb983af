//! What happens to an instance that a newer edition of its contract takes over: it is judged by that edition from there on, guards
//! included, and what was done for it stays done.

mod judge_support;

use judge_support::law::{first, second};
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

#[test]
fn a_refusal_says_the_state_that_the_instance_has() {
    let mut desk = lent("b");
    desk.activate(second());
    let lines = desk.moves(event("ana", "stir", "l-1"));
    let state = desk.instances["loan/l-1"].state.clone();
    assert_eq!(desk.records.last().unwrap().header.from, Some(state));
    assert!(lines.iter().all(|line| !line.contains("differs")), "{lines:#?}");
}
