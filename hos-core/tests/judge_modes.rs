//! Off and in shadow the world's own word stands: what the judge answers then, and what it writes.

mod judge_support;

use hos_core::call::{Begin, Call, Change, Directory, Legacy, Note, Transition};
use hos_core::id::Name;
use hos_core::judge::{About, bare, stands, unjudged};
use hos_core::law::Mode;
use hos_core::refusal::{Blocker, Code};
use judge_support::law::first;
use judge_support::*;

fn world(allowed: bool, state: Option<&str>) -> Option<Legacy> {
    Some(Legacy { allowed, state: state.map(|state| Name::new(state).unwrap()) })
}

fn begins(who: &str, id: &str, legacy: Option<Legacy>) -> Begin {
    let mut call = ask(who, id, 300);
    call.by.legacy = legacy;
    call
}

fn moves(who: &str, what: &str, id: &str, legacy: Option<Legacy>) -> Transition {
    let mut call = event(who, what, id);
    call.by.legacy = legacy;
    call
}

#[test]
fn in_shadow_the_world_decides_and_the_law_s_word_is_recorded() {
    let mut scene = Scene::new("shadow");
    let mut desk = Desk::new(first());
    desk.mode("loan", Mode::Shadow);
    scene.told("without the world's word there is no answer", desk.begin(begins("ana", "l-1", None)));
    scene.told("both say yes", desk.begin(begins("ana", "l-1", world(true, None))));
    scene.told("the law says no, the world has it", desk.begin(begins("idle", "l-2", world(true, Some("lent")))));
    scene.told("both say no", desk.begin(begins("idle", "l-3", world(false, None))));
    scene.told("the law says yes, the world says no", desk.begin(begins("ana", "l-3", world(false, None))));
    scene.told("a move: no word of the world's", desk.moves(moves("ana", "lend", "l-1", None)));
    scene.told("both say yes", desk.moves(moves("ana", "lend", "l-1", world(true, Some("lent"))).once("k").unwrap()));
    scene.told("the world goes elsewhere", desk.moves(moves("ana", "stir", "l-1", world(true, Some("back")))));
    scene.told("the law says no, the world says yes and not where", desk.moves(moves("ana", "stir", "l-1", world(true, None))));
    scene.told("both say no", desk.moves(moves("ana", "stir", "l-1", world(false, None))));
    scene.told("a move of another's", desk.moves(moves("ana", "lend", "l-2", world(false, None))));
    desk.begin(begins("ana", "l-4", world(true, None)));
    scene.told("the law says yes, the world says no", desk.moves(moves("ana", "lend", "l-4", world(false, None))));
    desk.moves(moves("ana", "lend", "l-4", world(true, None)));
    scene.told("the same again is observed", desk.moves(moves("ana", "lend", "l-4", world(true, None))));
    scene.told("an event that nobody knows, the world did it", desk.moves(moves("ana", "lent", "l-1", world(true, None))));
    scene.told("one that the world did not do", desk.moves(moves("ana", "lent", "l-1", world(false, None))));
    scene.told("an instance that nobody knows", desk.moves(moves("ana", "lend", "l-8", world(true, None))));
    scene.told(
        "a contract that nobody knows",
        desk.begin(Begin { contract: Name::new("lone").unwrap(), ..begins("ana", "l-8", world(true, None)) }),
    );
    scene.told("it is there already", desk.begin(begins("ana", "l-1", world(true, None))));
    desk.wait(-HOUR);
    scene.told("a clock that went back", desk.moves(moves("ana", "stir", "l-1", world(true, None))));
    scene.ends();
}

/// Where the world goes is held against where the law leads: of a birth, of a move, and of what it holds to be done already.
#[test]
fn law_and_world_differ_where_the_world_goes_elsewhere() {
    let mut desk = Desk::new(first());
    desk.mode("loan", Mode::Shadow);
    let differs = |desk: &mut Desk, call: Call| {
        desk.call(&call);
        desk.last.as_ref().unwrap().answer.divergence
    };
    for (id, state, wanted) in [("l-1", None, false), ("l-2", Some("asked"), false), ("l-3", Some("lent"), true)] {
        assert_eq!(differs(&mut desk, Call::Begin(begins("ana", id, world(true, state)))), wanted, "a birth, {state:?}");
    }
    // l-3 is lent by the world's word: to lend it is the same again.
    for (id, state, wanted) in [
        ("l-1", Some("lent"), false),
        ("l-2", Some("back"), true),
        ("l-3", None, false),
        ("l-3", Some("lent"), false),
        ("l-3", Some("back"), true),
    ] {
        assert_eq!(differs(&mut desk, Call::Transition(moves("ana", "lend", id, world(true, state)))), wanted, "{id} {state:?}");
    }
}

#[test]
fn where_the_law_is_off_nothing_is_judged_or_written() {
    let mut scene = Scene::new("off");
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    desk.mode("loan.ask", Mode::Off);
    desk.mode("loan.lend", Mode::Off);
    for (word, legacy) in [("nothing", None), ("yes", world(true, None)), ("no", world(false, None))] {
        scene.told(&format!("a birth, the world says {word}"), desk.begin(begins("idle", "l-2", legacy.clone())));
        scene.told(&format!("a move, the world says {word}"), desk.moves(moves("ana", "lend", "l-1", legacy.clone())));
    }
    desk.mode("loan.lend", Mode::Enforce);
    scene.told(
        "enforced, the world's word is noted and decides nothing",
        desk.moves(moves("ana", "lend", "l-1", world(false, Some("back")))),
    );
    scene.told("another action is enforced", desk.moves(event("ben", "bring", "l-1").arg("whole", true)));
    desk.modes.default = Mode::Off;
    desk.modes.entries.clear();
    scene.told("nobody knows the event: off, as all is", desk.moves(moves("ana", "lent", "l-1", world(true, None))));
    scene.told(
        "nobody knows the contract",
        desk.begin(Begin { contract: Name::new("lone").unwrap(), ..begins("ana", "l-8", None) }),
    );
    scene.ends();
}

#[test]
fn the_world_has_the_last_word_only_where_the_mode_leaves_it() {
    let no = || vec![Blocker::new(Code::NotPermitted, "")];
    let table = [
        (Mode::Enforce, None, vec![], (true, false, Mode::Enforce)),
        (Mode::Enforce, world(false, None), vec![], (true, false, Mode::Enforce)),
        (Mode::Shadow, None, vec![], (true, false, Mode::Enforce)),
        (Mode::Shadow, world(true, None), vec![], (true, false, Mode::Shadow)),
        (Mode::Shadow, world(false, None), vec![], (false, true, Mode::Shadow)),
        (Mode::Shadow, world(true, None), no(), (true, true, Mode::Shadow)),
        (Mode::Shadow, world(false, None), no(), (false, false, Mode::Shadow)),
        (Mode::Off, world(false, None), vec![], (false, false, Mode::Off)),
        (Mode::Off, world(true, None), no(), (true, false, Mode::Off)),
    ];
    for (mode, legacy, blockers, wanted) in table {
        let mut answer = hos_core::answer::Answer::refused(first().hash, 0);
        (answer.allowed, answer.blockers) = (true, blockers);
        let about = format!("{mode:?} {legacy:?} {:?}", answer.blockers);
        stands(&mut answer, mode, legacy.as_ref());
        assert_eq!((answer.allowed, answer.divergence, answer.mode), wanted, "{about}");
    }
}

#[test]
fn a_call_has_the_strictest_mode_of_all_that_it_may_be() {
    let desk = {
        let mut desk = Desk::new(first());
        desk.modes.default = Mode::Off;
        desk.mode("loan", Mode::Shadow);
        desk.mode("loan.lend", Mode::Enforce);
        desk.mode("record.note", Mode::Shadow);
        desk
    };
    let mode = |call: &Call| About::of(call).mode(&desk.law, &desk.modes, &desk.tenant);
    let of = |about: About<'_>| about.mode(&desk.law, &desk.modes, &desk.tenant);
    assert_eq!(mode(&Call::Begin(ask("ana", "l-1", 1))), Mode::Shadow);
    assert_eq!(mode(&Call::Transition(event("ana", "lend", "l-1"))), Mode::Enforce);
    assert_eq!(mode(&Call::Transition(event("ana", "stir", "l-1"))), Mode::Shadow);
    assert_eq!(mode(&Call::Transition(event("sue", "reopen", "l-1"))), Mode::Shadow);
    assert_eq!(mode(&Call::Transition(event("ana", "lent", "l-1"))), Mode::Shadow, "an event that nobody knows: the contract's");
    let card = Transition::new(reader("ana"), "card", "c", "close").unwrap();
    assert_eq!(mode(&Call::Transition(card)), Mode::Off);
    assert_eq!(mode(&Call::Note(Note::new(reader("ana"), "a.b", vec![]).unwrap())), Mode::Shadow);
    assert_eq!(mode(&Call::Directory(Directory::new(reader("ana"), Change::Revoke { id: "g".into() }))), Mode::Enforce);
    assert_eq!(of(About::Act("loan.lend")), Mode::Enforce);
    assert_eq!(of(About::Act("loan.look")), Mode::Off);
}

#[test]
fn what_could_not_be_judged_is_recorded_bare_where_the_world_s_word_stands() {
    let mut scene = Scene::new("unjudged");
    let mut desk = Desk::new(first());
    let too_large = || Blocker::new(Code::CallTooLarge, "it is");
    let full = |legacy: Option<Legacy>| {
        let mut call = begins("ana", "l-1", legacy).arg("why", "x").once("k").unwrap();
        call.by.context = record(&[("c", 1.into())]).into();
        Call::Begin(call)
    };
    let moved = |legacy: Option<Legacy>| {
        Call::Transition(moves("ana", "lend", "l-1", legacy).arg("a", 1).because("so").once("k").unwrap())
    };
    let mut told = |desk: &Desk, about: &str, call: &Call| {
        let judged = desk.with(None, |bench| unjudged(bench, call, too_large()));
        let mut lines = vec![tell::answer(&judged.answer)];
        judged.drafts.iter().for_each(|draft| lines.extend(tell::draft(draft, "-")));
        assert!(judged.instance.is_none() && judged.once.is_none());
        scene.told(about, lines);
    };
    told(&desk, "enforced, it leaves nothing", &full(world(true, None)));
    desk.modes.default = Mode::Shadow;
    told(&desk, "in shadow, the world's yes stands", &full(world(true, None)));
    told(&desk, "and its no", &full(world(false, None)));
    told(&desk, "without its word", &full(None));
    told(&desk, "an event", &moved(world(true, None)));
    let mut note = Note::new(reader("ana"), "a.b", b"bytes".to_vec()).unwrap();
    note.by.legacy = world(true, None);
    told(&desk, "a note is recorded by nobody", &Call::Note(note));
    desk.modes.default = Mode::Off;
    told(&desk, "off, nothing is written", &full(world(true, None)));
    scene.ends();
}

#[test]
fn a_bare_call_says_who_and_what_and_no_value() {
    use hos_core::call::{Adopt, By, LegacyEntry, LegacyLog};
    use hos_core::id::{InstanceId, OnceKey};
    let by = || {
        let mut by = By::new(reader("ana"));
        by.context = record(&[("c", 1.into())]).into();
        by.given.push(hos_core::policy::Entity { uid: uid("Role", "x"), attrs: record(&[]), parents: [].into(), record: None });
        by.legacy = world(true, None);
        by
    };
    let (id, once) = (InstanceId::new("l-1").unwrap(), Some(OnceKey::new("k").unwrap()));
    let name = |text: &str| Name::new(text).unwrap();
    let values = || record(&[("v", 1.into())]);
    let stripped = || By { legacy: world(true, None), ..By::new(reader("ana")) };
    let begin = |by, facts, args, once| {
        Call::Begin(Begin { by, contract: name("loan"), id: id.clone(), event: name("ask"), facts, args, once })
    };
    assert_eq!(bare(&begin(by(), values(), values(), once.clone())), begin(stripped(), record(&[]), record(&[]), None));
    let moved = |by, args, reason: Option<&str>, once| {
        let reason = reason.map(str::to_owned);
        Call::Transition(Transition { by, contract: name("loan"), id: id.clone(), event: name("lend"), args, once, reason })
    };
    assert_eq!(bare(&moved(by(), values(), Some("so"), once.clone())), moved(stripped(), record(&[]), None, None));
    let note = |by, payload, once| Call::Note(Note { by, payload, once, ..Note::new(reader("ana"), "a.b", vec![]).unwrap() });
    assert_eq!(bare(&note(by(), vec![1], once.clone())), note(stripped(), vec![], None));
    let change = |by| Call::Directory(Directory { by, ..Directory::new(reader("ana"), Change::Revoke { id: "g".into() }) });
    assert_eq!(bare(&change(by())), change(stripped()));
    let adopt =
        |by, facts| Call::Adopt(Adopt { by, contract: name("loan"), id: id.clone(), state: name("lent"), facts, once: None });
    assert_eq!(bare(&adopt(by(), values())), adopt(stripped(), record(&[])));
    let log = |by, entries, once| Call::LegacyLog(LegacyLog { by, contract: name("loan"), id: id.clone(), entries, once });
    let entries = vec![LegacyEntry::new(hos_core::time::Timestamp(0), "x")];
    assert_eq!(bare(&log(by(), entries, once)), log(stripped(), vec![], None));
}

/// What is no fact could never be judged over again, and says of nobody whose it is: the world's outcome stands, and nothing is kept
/// as a fact that is none. Earlier builds kept it, and what they wrote is still the same when it is judged again.
#[test]
fn in_shadow_nothing_is_kept_as_a_fact_that_is_none() {
    let mut desk = Desk::new(first());
    desk.mode("loan", Mode::Shadow);
    let wrong = |id: &str| begins("ana", id, world(true, None)).fact("pages", "many");
    desk.begin(wrong("l-1"));
    let judged = desk.last.as_ref().unwrap();
    assert_eq!(judged.answer.code(), Some("hos.attribute_type"));
    assert!(judged.answer.allowed && judged.answer.divergence && judged.answer.to.is_none() && judged.instance.is_none());
    assert_eq!(judged.drafts.len(), 1, "that it was asked is recorded");

    desk.begin(begins("ana", "l-2", world(true, Some("lent"))));
    let before = desk.instances["loan/l-2"].clone();
    let extend =
        |pages: &str| moves("ana", "extend", "l-2", world(true, None)).arg("shelf", uid("Shelf", "b")).arg("pages", pages);
    desk.moves(extend("many"));
    let judged = desk.last.as_ref().unwrap();
    assert!(judged.answer.allowed && judged.answer.divergence, "{:?}", judged.answer);
    let after = judged.instance.as_ref().unwrap();
    assert_eq!((after.version, &after.facts), (before.version + 1, &before.facts));

    desk.earlier = true;
    for lines in [desk.begin(wrong("l-3")), desk.moves(extend("few"))] {
        assert!(!lines.concat().contains("differs"), "{lines:?}");
    }
    assert!(desk.instances.contains_key("loan/l-3"));
}
