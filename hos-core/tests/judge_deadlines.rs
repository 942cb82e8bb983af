//! Deadlines, clocks, migrations: what comes before any event.

mod judge_support;

use hos_core::call::{By, Call};
use hos_core::judge;
use hos_core::law::Mode;
use hos_core::policy::Entity;
use hos_core::time::Timestamp;
use judge_support::law::{bare, declared, first, hurried, second};
use judge_support::*;
use std::collections::BTreeSet;

/// A desk at which ana has l-1 lent since the start: nagged after two hours (which nobody permits), overdue when the shelf closes.
fn lent(shelf: &str) -> Desk {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300).fact("shelf", uid("Shelf", shelf)));
    desk.moves(event("ana", "lend", "l-1"));
    desk
}

#[test]
fn what_is_due_fires_before_any_event_and_not_a_millisecond_sooner() {
    let mut scene = Scene::new("due");
    let mut desk = Desk::new(first());
    for id in ["l-1", "l-2", "l-3"] {
        desk.begin(ask("ana", id, 300));
    }
    desk.wait(HOUR - 1);
    scene.told("a millisecond before the hour nothing is due", desk.tick("loan/l-1"));
    scene.told("and it can still be lent", desk.moves(event("ana", "lend", "l-1")));
    desk.wait(1);
    scene.told("on the hour it is void, whoever looks", desk.tick("loan/l-2"));
    scene.told("nothing fires twice", desk.tick("loan/l-2"));
    scene.told("an event that comes after the hour finds it void", desk.moves(event("ana", "lend", "l-3")));
    scene.told("an override of what the deadline left", desk.moves(event("sue", "reopen", "l-3").because("she was here")));
    let mut desk = lent("b");
    desk.wait(2 * HOUR);
    scene.told("what the clock may not do is refused, recorded, disarmed", desk.tick("loan/l-1"));
    desk.wait(HOUR);
    scene.told(
        "the second deadline holds all the same",
        desk.moves(event("ana", "extend", "l-1").arg("shelf", uid("Shelf", "a"))),
    );
    let mut desk = lent("b");
    desk.wait(5 * HOUR);
    scene.told("two are due: the earlier one first", desk.tick("loan/l-1"));
    let mut desk = lent("b");
    desk.wait(5 * HOUR);
    desk.limits.deadlines_max = 1;
    scene.told("more than one call may fire", desk.moves(event("ana", "stir", "l-1")));
    scene.told("the rest is for the next", desk.tick("loan/l-1"));
    let mut desk = lent("b");
    desk.wait(5 * HOUR);
    desk.limits.deadlines_max = 0;
    scene.told("none may be fired", desk.tick("loan/l-1"));
    scene.ends();
}

#[test]
fn who_is_stopped_by_the_limit_stands_where_the_deadlines_left_it() {
    let mut desk = Desk::new(hurried());
    desk.begin(ask("ana", "l-1", 300).fact("shelf", uid("Shelf", "b")));
    desk.moves(event("ana", "lend", "l-1"));
    desk.wait(5 * HOUR);
    // The nagging is refused, the loan is overdue and so lost, and what is lost is due to vanish.
    desk.limits.deadlines_max = 2;
    desk.moves(event("ana", "stir", "l-1"));
    let answer = &desk.last.as_ref().unwrap().answer;
    let state = |name: &Option<hos_core::id::Name>| name.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(answer.code(), Some("hos.deadline_limit"));
    assert_eq!((state(&answer.from), state(&answer.to)), ("lost".to_owned(), "lost".to_owned()));
}

#[test]
fn nothing_moves_by_itself_where_the_law_is_not_enforced() {
    let mut scene = Scene::new("due_in_shadow");
    let mut desk = lent("b");
    desk.wait(5 * HOUR);
    desk.mode("loan.overdue", Mode::Shadow);
    scene.told("the nagging is enforced, the end is not", desk.tick("loan/l-1"));
    let mut desk = lent("b");
    desk.wait(5 * HOUR);
    desk.mode("loan.stir", Mode::Shadow);
    let mut stir = event("ana", "stir", "l-1");
    stir.by.legacy = Some(hos_core::call::Legacy { allowed: true, state: None });
    scene.told("an event in shadow fires nothing", desk.moves(stir));
    let mut desk = lent("b");
    desk.wait(5 * HOUR);
    desk.mode("loan", Mode::Off);
    scene.told("nor does a tick where all is off", desk.tick("loan/l-1"));
    scene.ends();
}

#[test]
fn what_could_be_done_next_is_told_with_what_it_needs() {
    let mut scene = Scene::new("available");
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    scene.told("asked, for ana", desk.available("ana", "loan/l-1"));
    scene.told("asked, for sue", desk.available("sue", "loan/l-1"));
    scene.told("asked, for the inactive", desk.available("idle", "loan/l-1"));
    desk.moves(event("ana", "lend", "l-1"));
    scene.told("lent, for ana", desk.available("ana", "loan/l-1"));
    desk.wait(10 * HOUR);
    scene.told("overdue by now, for sue", desk.available("sue", "loan/l-1"));
    desk.mode("loan.reopen", Mode::Shadow);
    desk.mode("loan.stir", Mode::Off);
    scene.told("where the law is not enforced the instance stands where the world has it", desk.available("ana", "loan/l-1"));
    desk.modes.entries.clear();
    desk.limits.deadlines_max = 1;
    desk.mode("loan.stir", Mode::Shadow);
    scene.told("more is due than a call may fire", desk.available("ana", "loan/l-1"));
    desk.limits.deadlines_max = 16;
    desk.now = Timestamp(START - HOUR);
    scene.told("with a clock that went back", desk.available("ana", "loan/l-1"));
    let mut desk = lent("b");
    desk.activate(second());
    scene.told("under a new edition", desk.available("ana", "loan/l-1"));
    let instance = desk.instances["loan/l-1"].clone();
    let by = By::new(reader("ana"));
    desk.law = bare();
    assert!(
        desk.with(None, |bench| judge::available(bench, &instance, &by)).is_empty(),
        "a law without loans has nothing to offer"
    );
    scene.ends();
}

#[test]
fn an_instance_goes_to_the_new_edition_before_anything_else() {
    let mut scene = Scene::new("migration");
    let mut desk = lent("b");
    desk.begin(ask("ana", "l-2", 300));
    desk.wait(1_000);
    scene.told("there is no newer edition", desk.migrate("loan/l-1"));
    desk.activate(second());
    scene.told("lent is out now", desk.migrate("loan/l-1"));
    scene.told("once is enough", desk.migrate("loan/l-1"));
    desk.wait(1_000);
    scene.told("an event takes it along", desk.moves(event("ana", "lend", "l-2")));
    scene.told("what the new edition lacks is unknown", desk.moves(event("ana", "stir", "l-2")));
    let mut desk = lent("b");
    desk.activate(second());
    scene.told("a refusal after the migration keeps it", desk.moves(event("ben", "bring", "l-1").arg("whole", true)));
    scene.ends();
}

#[test]
fn an_instance_that_cannot_be_taken_along_keeps_its_own_law() {
    let mut scene = Scene::new("old_law");
    let mut desk = Desk::new(second());
    desk.begin(ask("ana", "l-1", 300));
    desk.begin(ask("ben", "l-2", 300));
    // The first edition is older: nothing leads back to it.
    desk.activate(first());
    scene.told("policies of the active law, guards of its own", desk.moves(event("ana", "lend", "l-1")));
    scene.told("a guard of its own", desk.moves(event("ben", "lend", "l-2")));
    scene.told("extended there", desk.moves(event("ana", "extend", "l-1").arg("shelf", uid("Shelf", "b"))));
    desk.wait(2 * HOUR);
    scene.told("its deadlines too", desk.tick("loan/l-1"));
    scene.told("what is available is its own law's", desk.available("ana", "loan/l-1"));
    desk.activate(bare());
    scene.told(
        "a law without loans: there the actions are, and nobody is permitted",
        desk.moves(event("sue", "reopen", "l-1").because("so")),
    );
    scene.told("nor the clock", {
        desk.wait(2 * HOUR);
        desk.tick("loan/l-1")
    });
    scene.ends();
}

#[test]
fn a_clock_that_cannot_be_is_refused_at_every_door() {
    let mut desk = lent("a");
    let sealed = Timestamp(START);
    let jump = desk.limits.jump_max_ms;
    let skew = desk.limits.skew_max_ms;
    assert_eq!((skew, jump), (5_000, 5 * 366 * 86_400_000));
    let mut says = |now: i64, sealed: Option<Timestamp>| {
        (desk.now, desk.last_sealed) = (Timestamp(now), sealed);
        let instance = desk.instances["loan/l-1"].clone();
        let code = |judged: &judge::Judged| judged.answer.code() == Some("hos.clock_implausible");
        let tick = desk.with(None, |bench| code(&judge::tick(bench, &instance)));
        let moved = event("ana", "stir", "l-1");
        let moved = desk.with(None, |bench| code(&judge::transition(bench, &moved, Some(&instance))));
        assert_eq!(tick, moved);
        tick
    };
    // A thread's clock may step back a little, and no record claims an instant before 1970 or after 2261.
    assert!(!says(START - skew, None));
    assert!(says(START - skew - 1, None));
    assert!(!says(START + jump, Some(sealed)));
    assert!(says(START + jump + 1, Some(sealed)));
    assert!(!says(START + jump + 1, None));
    assert!(says(i64::MAX, None));
    assert!(says(-1, None));
    // What has no thread yet steps back as far as it likes, but does not jump.
    let begin = |desk: &Desk| {
        desk.with(None, |bench| {
            judge::begin(bench, &ask("ana", "l-7", 1), judge::BeginRows::Free).answer.code().map(str::to_owned)
        })
    };
    (desk.now, desk.last_sealed) = (Timestamp(START - HOUR), Some(sealed));
    assert_eq!(begin(&desk), None);
    desk.now = Timestamp(START + jump + 1);
    assert_eq!(begin(&desk).as_deref(), Some("hos.clock_implausible"));
    let mut scene = Scene::new("clock");
    scene.told("a birth", desk.begin(ask("ana", "l-7", 1)));
    scene.told("an event", desk.moves(event("ana", "stir", "l-1")));
    scene.told("a tick", desk.tick("loan/l-1"));
    let note = hos_core::call::Note::new(reader("sue"), "till.closed", b"x".to_vec()).unwrap();
    scene.told("a note", desk.call(&Call::Note(note)));
    let put = hos_core::call::Change::Put { uid: uid("Role", "x"), attrs: record(&[]) };
    scene.told("a change of the directory", desk.call(&Call::Directory(hos_core::call::Directory::new(reader("sue"), put))));
    // A step back within bounds: the thread's own time does not.
    desk.last_sealed = None;
    desk.now = Timestamp(START - 3_000);
    scene.told("a small step back is taken", desk.moves(event("ana", "stir", "l-1")));
    assert_eq!(desk.instances["loan/l-1"].last_time, Timestamp(START));
    scene.ends();
}

#[test]
fn a_deadline_that_cannot_be_told_stops_the_move_that_would_arm_it() {
    let mut scene = Scene::new("untold");
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    // The directory holds a clock, and it is not the law's: who would ask for the instant is unknown.
    desk.attest(&hos_core::call::Change::Put { uid: uid("Clock", "other"), attrs: record(&[]) });
    // Of that clock the record says nothing, so judging it again attests it.
    scene.told("an event", desk.moves(event("ana", "lend", "l-1")));
    let take = hos_core::call::Begin { event: hos_core::id::Name::new("take").unwrap(), ..ask("ana", "l-2", 300) };
    scene.told("a birth", desk.begin(take.clone()));
    desk.attest(&hos_core::call::Change::Put { uid: uid("Clock", "clock"), attrs: record(&[]) });
    scene.told("with the clock in the directory it is told, and the clock is no guest", desk.begin(take));
    desk.wait(10 * HOUR);
    scene.told("and acts", desk.tick("loan/l-2"));
    scene.ends();
}

/// Nobody gives what the law itself declares: a clock of an enumerated type, and a gate.
#[test]
fn a_clock_that_the_law_declares_acts_by_its_name_alone() {
    let mut desk = Desk::new(declared());
    desk.begin(ask("ana", "l-1", 300));
    let lines = desk.moves(event("ana", "lend", "l-1"));
    assert!(lines[0].starts_with("yes"), "{lines:#?}");
    desk.wait(10 * HOUR);
    let lines = desk.tick("loan/l-1");
    assert!(lines[0].contains("fired overdue"), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("differs")), "{lines:#?}");
    let note = |stream: &str| Call::Note(hos_core::call::Note::new(reader("sue"), stream, b"x".to_vec()).unwrap());
    let lines = desk.call(&note("till.closed"));
    assert!(lines[0].starts_with("yes") && lines[1].contains("[the same again]"), "{lines:#?}");
    let lines = desk.call(&note("till.opened"));
    assert!(lines[0].starts_with("no; hos.attribute_type"), "{lines:#?}");
    // So it does for loans that began under a law which did not declare it.
    let mut older = lent("b");
    older.begin(ask("ana", "l-2", 300));
    older.activate(declared());
    let lines = older.moves(event("ana", "lend", "l-2"));
    assert!(lines[0].starts_with("yes") && lines[1].contains("[the same again]"), "{lines:#?}");
    older.wait(3 * HOUR);
    let lines = older.tick("loan/l-1");
    assert!(lines[0].contains("fired overdue"), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("differs")), "{lines:#?}");
    // Earlier builds gave the clock all the same, and refused whatever it was to read. Their records are what was judged then.
    desk.earlier = true;
    let take = hos_core::call::Begin { event: hos_core::id::Name::new("take").unwrap(), ..ask("ana", "l-2", 300) };
    let lines = desk.begin(take);
    assert!(lines[0].starts_with("no; hos.guard_error") && lines[1].contains("[the same again]"), "{lines:#?}");
}

#[test]
fn a_deadline_of_an_event_that_the_contract_lacks_is_disarmed() {
    let mut desk = lent("a");
    let mut instance = desk.instances["loan/l-1"].clone();
    let armed = hos_core::contract::step::Armed { deadline: 7, event: hos_core::id::Name::new("gone").unwrap(), due: desk.now };
    instance.deadlines = vec![armed.clone()];
    let tick = |desk: &Desk| {
        let judged = desk.with(None, |bench| judge::tick(bench, &instance));
        let codes: Vec<_> = judged.drafts.iter().map(|draft| draft.header.refusal.clone().unwrap().into_owned()).collect();
        (codes, judged.instance.map(|after| after.deadlines.len()))
    };
    assert_eq!(tick(&desk), (vec!["hos.event_unknown".to_owned()], Some(0)));
    // An override is nobody's deadline, either.
    instance.deadlines = vec![hos_core::contract::step::Armed { event: hos_core::id::Name::new("reopen").unwrap(), ..armed }];
    let judged = desk.with(None, |bench| judge::tick(bench, &instance));
    assert_eq!(judged.drafts[0].header.refusal.as_deref(), Some("hos.event_unknown"));
    desk.mode("loan", Mode::Shadow);
    let judged = desk.with(None, |bench| judge::tick(bench, &instance));
    assert!(judged.drafts.is_empty(), "where the contract is not enforced nothing fires");
}

#[test]
fn what_was_due_before_an_event_that_finds_all_as_it_wants_it_is_kept() {
    let lend = event("ana", "lend", "l-1");
    let judged = |desk: &Desk| {
        let instance = desk.instances["loan/l-1"].clone();
        let judged = desk.with(Some(&instance), |bench| judge::transition(bench, &lend, Some(&instance)));
        assert!(judged.answer.allowed && judged.answer.again, "{:?}", judged.answer);
        (judged.drafts.len(), judged.instance.map(|after| (after.deadlines.len(), instance.deadlines.len())))
    };
    let mut desk = lent("b");
    assert_eq!(judged(&desk), (0, None), "where nothing was due nothing is written");
    desk.wait(2 * HOUR);
    assert_eq!(judged(&desk), (1, Some((1, 2))), "what the clock was refused is recorded, and disarmed");
}

/// The clock gives no entities: an instant read over what only the caller gives is in doubt, and the move there is refused.
#[test]
fn what_leads_to_a_deadline_in_doubt_is_not_available() {
    let mut desk = Desk::new(first());
    let shelf = Entity { uid: uid("Shelf", "z"), attrs: record(&[("closes", after(4))]), parents: BTreeSet::new(), record: None };
    let mut call = ask("ana", "l-1", 300).fact("shelf", uid("Shelf", "z"));
    call.by.given.push(shelf.clone());
    desk.begin(call);
    let mut by = By::new(reader("ana"));
    by.given.push(shelf);
    let instance = desk.instances["loan/l-1"].clone();
    let found = desk.with(Some(&instance), |bench| judge::available(bench, &instance, &by));
    let (_, answer, _) = found.iter().find(|(name, ..)| name.as_str() == "lend").unwrap();
    let mut lend = event("ana", "lend", "l-1");
    lend.by = by;
    desk.moves(lend);
    let refused = &desk.last.as_ref().unwrap().answer;
    assert_eq!((refused.allowed, refused.code()), (false, Some("hos.guard_error")));
    assert_eq!((answer.allowed, &answer.blockers), (false, &refused.blockers));
}
