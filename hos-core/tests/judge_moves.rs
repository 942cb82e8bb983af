//! The judge over its public face: births, events and overrides, what they write and why they are refused.

mod judge_support;

use hos_core::answer::Receipt;
use hos_core::call::{Call, Can};
use hos_core::id::RequestId;
use hos_core::judge::{self, OnceHit, again, call_digest};
use hos_core::law::Mode;
use hos_core::policy::Entity;
use hos_core::value::Value;
use judge_support::law::{
    at_a_desk, bare, declared, first, first_with, hurried, impersonal, lenient, retyped, second, whole, wider,
};
use judge_support::*;
use std::collections::BTreeSet;

#[test]
fn the_laws_of_these_tests_are_sound() {
    for law in [first(), second(), lenient(), bare(), impersonal(), wider(), retyped(), declared(), at_a_desk()] {
        assert_eq!(whole(&law).hash, law.hash);
    }
}

#[test]
fn a_life_from_birth_to_the_end_is_told_record_by_record() {
    let mut desk = Desk::new(first());
    let mut scene = Scene::new("life");
    let mut birth = ask("ana", "l-1", 300).arg("why", "holidays").once("k-1").unwrap();
    birth.by.request = Some(RequestId::new("r-1").unwrap());
    birth.by.context = record(&[]).into();
    scene.told("ana asks, under a once-key and a request of hers", desk.begin(birth));
    desk.wait(1_000);
    scene.told("she takes the book", desk.moves(event("ana", "lend", "l-1")));
    desk.wait(1_000);
    scene.told("and takes it once more: it is lent already", desk.moves(event("ana", "lend", "l-1")));
    let extend = event("ana", "extend", "l-1").arg("shelf", uid("Shelf", "b")).arg("pages", 200).because("it is long");
    scene.told("facts change, and with the shelf the hour of its closing", desk.moves(extend));
    desk.wait(HOUR);
    scene.told("a self-loop that enters anew starts all deadlines", desk.moves(event("ana", "stir", "l-1")));
    let extend = event("ana", "extend", "l-1").arg("shelf", uid("Shelf", "b"));
    scene.told("an event that changes nothing keeps what runs", desk.moves(extend));
    let bring = event("ana", "bring", "l-1").arg("whole", false).once("k-2").unwrap();
    scene.told("it comes back in pieces", desk.moves(bring));
    scene.told("the staff opens it again", desk.moves(event("sue", "reopen", "l-1").because("it was found")));
    scene.told("and it is lent once more", desk.moves(event("ana", "lend", "l-1")));
    scene.told("and comes back whole", desk.moves(event("ana", "bring", "l-1").arg("whole", true)));
    let card = hos_core::call::Begin::new(reader("sue"), "card", "ana@example.org", "issue").unwrap().fact("name", "ana");
    scene.told("what has a person for an id bears no label", desk.begin(card));
    scene.ends();
}

#[test]
fn a_refusal_says_the_first_stage_that_stands_against_it() {
    let mut desk = Desk::new(first());
    let mut scene = Scene::new("refusals");
    let mut begin = |desk: &mut Desk, about: &str, call| scene.told(about, desk.begin(call));
    begin(&mut desk, "a contract that nobody knows", hos_core::call::Begin::new(reader("ana"), "lone", "l-1", "ask").unwrap());
    begin(&mut desk, "a birth that nobody knows", hos_core::call::Begin::new(reader("ana"), "loan", "l-1", "task").unwrap());
    begin(&mut desk, "facts and arguments that are wrong", ask("ana", "l-1", 300).fact("pages", "many").arg("how", 1));
    begin(&mut desk, "two guards at once", ask("ana", "l-1", -1));
    begin(&mut desk, "one guard", ask("ana", "l-1", 13));
    begin(&mut desk, "a forbid", ask("idle", "l-1", 300));
    begin(&mut desk, "nobody permits it", ask("ben", "l-1", 300).fact("reader", reader("ana")));
    begin(&mut desk, "a principal whom nobody knows", ask("eve", "l-1", 300));
    begin(&mut desk, "a shelf that nobody knows", ask("ana", "l-1", 300).fact("shelf", uid("Shelf", "z")));
    let mut both = ask("ana", "l-1", 300).arg("why", "so");
    both.by.context = record(&[("why", "no".into())]).into();
    begin(&mut desk, "a name in both context and arguments", both);
    let mut long = ask("ana", "l-1", 300);
    long.by.context = record(&[("else", "x".into())]).into();
    begin(&mut desk, "context that nobody declared", long);
    begin(&mut desk, "it goes well", ask("ana", "l-1", 300));
    begin(&mut desk, "it is there", ask("ana", "l-1", 300));
    let mut moves = |desk: &mut Desk, about: &str, call| scene.told(about, desk.moves(call));
    moves(&mut desk, "no such instance", event("ana", "lend", "l-9"));
    moves(&mut desk, "no such contract", hos_core::call::Transition::new(reader("ana"), "lone", "l-1", "lend").unwrap());
    moves(&mut desk, "no such event", event("ana", "lent", "l-1"));
    moves(&mut desk, "not in this state", event("ana", "bring", "l-1").arg("whole", true));
    moves(&mut desk, "nobody permits it", event("ben", "lend", "l-1"));
    moves(&mut desk, "an action that is not for this principal", event("sue", "void", "l-1"));
    moves(&mut desk, "it goes well", event("ana", "lend", "l-1"));
    moves(&mut desk, "arguments that are missing, and one that nobody asked for", event("ana", "bring", "l-1").arg("half", true));
    moves(&mut desk, "it comes back", event("ana", "bring", "l-1").arg("whole", true));
    moves(&mut desk, "it is at its end", event("ana", "bring", "l-1").arg("whole", true));
    moves(&mut desk, "an override without a reason", event("sue", "reopen", "l-1"));
    moves(&mut desk, "nor is a blank one", event("sue", "reopen", "l-1").because(" "));
    moves(&mut desk, "an override that is not for this state", event("sue", "reopen", "l-1").because("so"));
    desk.erased = true;
    moves(&mut desk, "what is erased moves no more", event("ana", "lend", "l-1"));
    scene.told("and is not born again", desk.begin(ask("ana", "l-1", 300)));
    desk.erased = false;
    scene.told("a guard over what the directory holds", desk.begin(ask("ben", "l-2", 101)));
    scene.told("ben may carry a hundred pages", desk.moves(event("ben", "lend", "l-2")));
    scene.ends();
}

/// Several things are wrong with each. The stage that comes first says its own code, whichever number the others have.
#[test]
fn codes_of_a_later_stage_are_not_given() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    let birth = hos_core::call::Begin::new(reader("ana"), "loan", "l-1", "task").unwrap();
    let moves = |who: &str, name: &str| Call::Transition(event(who, name, "l-1"));
    let both = ["hos.attribute_unknown", "hos.reason_missing"];
    let cases: [(&str, Call, &[&str]); 5] = [
        ("a birth that is none, and the id is taken", Call::Begin(birth), &["hos.event_unknown"]),
        ("an argument is missing, and nobody knows eve", moves("eve", "bring"), &["hos.attribute_missing"]),
        ("a reason is missing, and it is another state", moves("sue", "reopen"), &["hos.reason_missing"]),
        ("nobody permits it, and it is another state", moves("ben", "stir"), &["hos.not_permitted"]),
        ("one stage, in the order of the codes", Call::Transition(event("eve", "reopen", "l-1").arg("x", 1)), &both),
    ];
    for (about, call, wanted) in cases {
        desk.call(&call);
        let blockers = &desk.last.as_ref().unwrap().answer.blockers;
        assert_eq!(blockers.iter().map(|b| &*b.code).collect::<Vec<_>>(), wanted, "{about}");
    }
    desk.mode("loan", Mode::Off);
    desk.moves(event("ana", "lend", "l-9"));
    assert_eq!(desk.last.as_ref().unwrap().answer.code(), Some("hos.instance_unknown"), "though the law is off");
    desk.moves(event("ana", "bring", "l-1"));
    assert_eq!(desk.last.as_ref().unwrap().answer.code(), Some("hos.mode_off"), "and nothing more is judged");
    desk.begin(ask("ana", "l-1", 300));
    assert_eq!(desk.last.as_ref().unwrap().answer.code(), Some("hos.mode_off"), "nor the id of a birth");
}

#[test]
fn what_a_law_says_in_doubt_is_its_own_choice() {
    let mut scene = Scene::new("doubt");
    for (about, law) in [("strict", first()), ("lenient", lenient())] {
        let mut desk = Desk::new(law);
        desk.begin(ask("ana", "l-1", 300));
        let call = hos_core::call::Can::new(reader("ana"), "loan.look", uid("Loan", "l-1"));
        let mut loan = desk.instances["loan/l-1"].facts.clone();
        loan.insert("state".into(), "asked".into());
        let of = |uid, attrs| hos_core::policy::Entity { uid, attrs, parents: [].into(), record: None };
        let call = call.given(of(uid("Loan", "l-1"), loan.clone()));
        let can = |desk: &Desk, call: &hos_core::call::Can| {
            vec![tell::answer(&desk.with(None, |bench| hos_core::judge::can(bench, call)))]
        };
        scene.told(&format!("{about}: a forbid that errs"), can(&desk, &call));
        let mut other = call.clone();
        "loan.lend".clone_into(&mut other.action);
        scene.told("one that does not", can(&desk, &other));
        "loan.fly".clone_into(&mut other.action);
        scene.told("an action that nobody knows", can(&desk, &other));
        desk.candidate = Some(second());
        let mut thick = call.clone();
        "loan.lend".clone_into(&mut thick.action);
        scene.told("the candidate agrees", can(&desk, &thick));
        thick.by.given[0].attrs.insert("pages".into(), 20_000.into());
        scene.told("the candidate forbids what is too thick", can(&desk, &thick));
        thick.by.principal = reader("ben");
        scene.told("a no for another reason is told too", can(&desk, &thick));
        for (mode, word) in [
            (Mode::Off, None),
            (Mode::Off, Some(true)),
            (Mode::Off, Some(false)),
            (Mode::Shadow, None),
            (Mode::Shadow, Some(true)),
            (Mode::Shadow, Some(false)),
        ] {
            desk.mode("loan.lend", mode);
            for who in ["ana", "ben"] {
                let mut call = other.clone();
                "loan.lend".clone_into(&mut call.action);
                call.by.principal = reader(who);
                call.by.legacy = word.map(|allowed| hos_core::call::Legacy { allowed, state: None });
                desk.candidate = None;
                scene.told(&format!("{} asks in {}, the world says {word:?}", who, mode.as_str()), can(&desk, &call));
            }
        }
        scene.told("a record says how its forbids were read", desk.begin(ask("ana", "l-2", 300)));
    }
    scene.ends();
}

#[test]
fn the_candidate_s_word_stands_beside_the_law_s_where_it_is_another() {
    let mut scene = Scene::new("candidate");
    let mut desk = Desk::new(first());
    desk.candidate = Some(second());
    scene.told("both say yes", desk.begin(ask("ana", "l-1", 300)));
    scene.told("both say no", desk.begin(ask("ben", "l-9", 300).fact("reader", reader("ana"))));
    scene.told("wrong facts are wrong to both", desk.begin(ask("ana", "l-9", 300).fact("pages", "many")));
    scene.told("the candidate forbids it", desk.begin(ask("ana", "l-2", 10_000)));
    scene.told("moves: both say yes", desk.moves(event("ana", "lend", "l-1")));
    scene.told("the candidate has no such event", desk.moves(event("ana", "stir", "l-1")));
    scene.told("what the candidate only renamed is no difference", desk.moves(event("ana", "bring", "l-1").arg("whole", true)));
    desk.candidate = Some(bare());
    scene.told("the candidate has no such contract", desk.begin(ask("ana", "l-3", 300)));
    scene.told("nor any event of it", desk.moves(event("ana", "lend", "l-3")));
    let mut old = Desk::new(second());
    old.candidate = Some(first());
    scene.told("the other way around: the candidate permits what the law forbids", old.begin(ask("ana", "l-1", 10_000)));
    let mut lacking = Desk::new(bare());
    lacking.candidate = Some(first());
    scene.told("the law has no contract, the candidate is not asked", lacking.begin(ask("ana", "l-1", 300)));
    scene.ends();
}

/// What only the candidate has is refused, and what the candidate would say of it is told.
#[test]
fn what_only_the_candidate_has_is_told() {
    let told = |desk: &Desk| {
        let answer = &desk.last.as_ref().unwrap().answer;
        let said =
            answer.candidate.as_ref().map(|candidate| candidate.blockers.iter().map(|b| b.code.to_string()).collect::<Vec<_>>());
        (answer.code().map(str::to_owned), said)
    };
    let mut desk = Desk::new(first());
    desk.candidate = Some(hurried());
    desk.begin(ask("ana", "l-1", 300));
    desk.moves(event("ana", "vanish", "l-1"));
    assert_eq!(told(&desk), (Some("hos.event_unknown".to_owned()), Some(vec!["hos.principal_type_unknown".to_owned()])));
    let mut desk = Desk::new(bare());
    desk.candidate = Some(first());
    desk.begin(ask("ana", "l-1", 300));
    assert_eq!(told(&desk), (Some("hos.contract_unknown".to_owned()), Some(Vec::new())));
}

/// The detail of the refusal names the policies in doubt that forbid, and no other that erred.
#[test]
fn a_forbid_in_doubt_is_named() {
    let desk = Desk::new(first_with(
        r#"@id("a-look") permit (principal, action == Lib::Action::"loan.look", resource) when { resource.pages + 9223372036854775807 < 0 };"#,
    ));
    let mut look = Can::new(reader("ana"), "loan.look", uid("Loan", "l-1"));
    let attrs = record(&[
        ("reader", reader("ana").into()),
        ("shelf", uid("Shelf", "a").into()),
        ("pages", 300.into()),
        ("state", "asked".into()),
    ]);
    look.by.given.push(Entity { uid: uid("Loan", "l-1"), attrs, parents: BTreeSet::new(), record: None });
    let answer = desk.with(None, |bench| judge::can(bench, &look));
    let details: Vec<_> = answer.blockers.iter().map(|b| (b.code.as_ref(), b.detail.as_ref())).collect();
    assert_eq!(details, [("hos.forbid_error", "no-odd-looks")], "{:?}", answer.errors);
    assert_eq!(answer.errors.len(), 2);
}

/// What is wrong with the call itself is asked under the candidate as it would be in force.
#[test]
fn a_candidate_is_asked_about_arguments_and_reasons_too() {
    let candidate = |desk: &Desk| {
        let answer = &desk.last.as_ref().unwrap().answer;
        answer.candidate.as_ref().map(|said| said.blockers.iter().map(|b| b.code.to_string()).collect::<Vec<_>>())
    };
    let mut desk = Desk::new(first());
    desk.candidate = Some(at_a_desk());
    desk.begin(ask("ana", "l-1", 300));
    let lines = desk.moves(event("ana", "lend", "l-1"));
    assert!(lines[0].starts_with("yes"), "{lines:#?}");
    assert_eq!(candidate(&desk), Some(vec!["hos.attribute_missing".to_owned()]));
    // The same is wrong to both.
    desk.begin(ask("ana", "l-2", 300));
    desk.wait(HOUR);
    desk.tick("loan/l-2");
    let lines = desk.moves(event("sue", "reopen", "l-2"));
    assert!(lines[0].starts_with("no; hos.reason_missing"), "{lines:#?}");
    assert_eq!(candidate(&desk), None);
}

/// Whoever grants chooses the ids: as many as there is room for stand in the record, and the move is made.
#[test]
fn long_ids_of_grants_stop_no_move() {
    use hos_core::call::{Change, Directory};
    let mut desk = Desk::new(first());
    for number in 0..70 {
        let id = format!("{number:02}{}", "g".repeat(253));
        let grant = Change::Grant { id, template: "keeper".into(), principal: Some(reader("ben")), resource: None };
        let lines = desk.call(&Call::Directory(Directory::new(reader("sue"), grant)));
        assert!(lines[0].starts_with("yes"), "{}", lines[0]);
    }
    desk.begin(ask("ana", "l-1", 300));
    desk.wait(HOUR);
    desk.tick("loan/l-1");
    let lines = desk.moves(event("ben", "reopen", "l-1").because("she is on her way"));
    let answer = &desk.last.as_ref().unwrap().answer;
    assert!(answer.allowed && lines[1].contains("[the same again]"), "{:?} {}", answer.blockers, lines[1]);
    assert_eq!(answer.policies.len(), 70);
    let named = &desk.records.last().unwrap().header.policies;
    assert!((50..64).contains(&named.len()) && answer.policies.starts_with(named), "{}", named.len());
}

#[test]
fn a_once_key_is_answered_with_its_first_receipt_or_refused() {
    let mut desk = Desk::new(first());
    let call = ask("ana", "l-1", 300).once("k-1").unwrap();
    desk.begin(call.clone());
    let (key, digest) = desk.last.as_ref().unwrap().once.clone().unwrap();
    assert_eq!((key.as_str(), digest), ("k-1", call_digest(&Call::Begin(call.clone()))));
    let draft = desk.records.last().unwrap().clone();
    let receipt =
        Receipt { tenant: desk.tenant.clone(), thread: draft.header.thread, n: Some(0), record: draft.hash, seal: None };
    let hit = OnceHit { digest, receipt: receipt.clone(), header: draft.header.clone() };
    let said = |desk: &Desk, call: &Call, hit: &OnceHit| {
        let judged = desk.with(None, |bench| again(bench, call, hit));
        assert!(judged.drafts.is_empty() && judged.once.is_none());
        (tell::answer(&judged.answer), judged.answer.receipt)
    };
    let same = Call::Begin(call.clone());
    assert_eq!(said(&desk, &same, &hit), ("yes; by readers-borrow; - to asked; again".to_owned(), Some(receipt.clone())));
    let other = Call::Begin(call.clone().fact("pages", 301));
    let refused = "no; hos.once_conflict (the once-key was used for a call with other content)";
    assert_eq!(said(&desk, &other, &hit), (refused.to_owned(), None));
    // What an older log told is no state of the instance's.
    let mut told = hit.clone();
    told.header.kind = hos_core::proof::record::Kind::Legacy;
    assert_eq!(said(&desk, &same, &told).0, "yes; by readers-borrow; again");
    desk.mode("loan", Mode::Shadow);
    let mut no = call;
    no.by.legacy = Some(hos_core::call::Legacy { allowed: false, state: None });
    assert_eq!(said(&desk, &Call::Begin(no), &hit).0, "no in shadow; by readers-borrow; - to asked; diverges; again");
}

#[test]
fn a_digest_is_of_all_that_a_caller_supplied_and_of_nothing_else() {
    use hos_core::call::{Adopt, By, Change, Directory, LegacyEntry, LegacyLog, Note};
    use hos_core::id::{InstanceId, Name};
    use hos_core::time::Timestamp;
    let name = |text: &str| Name::new(text).unwrap();
    let begin = |change: &dyn Fn(&mut hos_core::call::Begin)| {
        let mut call = ask("ana", "l-1", 1).arg("why", "x");
        change(&mut call);
        Call::Begin(call)
    };
    let moved = |change: &dyn Fn(&mut hos_core::call::Transition)| {
        let mut call = event("ana", "lend", "l-1").arg("a", 1).because("so");
        change(&mut call);
        Call::Transition(call)
    };
    let note = |change: &dyn Fn(&mut Note)| {
        let mut call = Note::new(reader("ana"), "a.b", vec![1]).unwrap();
        change(&mut call);
        Call::Note(call)
    };
    let adopt = |change: &dyn Fn(&mut Adopt)| {
        let id = InstanceId::new("l-1").unwrap();
        let mut call =
            Adopt { by: By::new(reader("ana")), contract: name("loan"), id, state: name("lent"), facts: record(&[]), once: None };
        change(&mut call);
        Call::Adopt(call)
    };
    let log = |change: &dyn Fn(&mut LegacyLog)| {
        let (by, id, entries) =
            (By::new(reader("ana")), InstanceId::new("l-1").unwrap(), vec![LegacyEntry::new(Timestamp(0), "x")]);
        let mut call = LegacyLog { by, contract: name("loan"), id, entries, once: None };
        change(&mut call);
        Call::LegacyLog(call)
    };
    let directory = |change| Call::Directory(Directory::new(reader("ana"), change));
    let revoke = |id: &str| directory(Change::Revoke { id: id.into() });
    let distinct = [
        begin(&|_| {}),
        begin(&|c| c.contract = name("card")),
        begin(&|c| c.id = InstanceId::new("l-2").unwrap()),
        begin(&|c| c.event = name("issue")),
        begin(&|c| c.by.principal = reader("ben")),
        begin(&|c| drop(c.facts.insert("pages".into(), 2.into()))),
        begin(&|c| drop(c.args.insert("why".into(), "y".into()))),
        moved(&|_| {}),
        moved(&|c| c.contract = name("card")),
        moved(&|c| c.id = InstanceId::new("l-2").unwrap()),
        moved(&|c| c.event = name("close")),
        moved(&|c| c.by.principal = reader("ben")),
        moved(&|c| drop(c.args.insert("a".into(), 2.into()))),
        moved(&|c| c.reason = Some("no".into())),
        note(&|_| {}),
        note(&|c| c.stream = hos_core::id::DottedName::new("a.c").unwrap()),
        note(&|c| c.payload = vec![2]),
        note(&|c| c.subject = Some(reader("ben"))),
        note(&|c| c.by.principal = reader("ben")),
        adopt(&|_| {}),
        adopt(&|c| c.state = name("back")),
        adopt(&|c| drop(c.facts.insert("pages".into(), 2.into()))),
        log(&|_| {}),
        log(&|c| c.entries.push(LegacyEntry::new(Timestamp(0), "x"))),
        log(&|c| c.entries[0].key = Some("1".into())),
        revoke("g"),
        revoke("h"),
        directory(Change::Remove { uid: reader("ben") }),
    ];
    let digests: std::collections::BTreeSet<_> = distinct.iter().map(call_digest).collect();
    assert_eq!(digests.len(), distinct.len());
    // A retry comes at another time, with another request and context, and is the same call.
    let retried = begin(&|c| {
        c.by.context = record(&[("x", Value::from(1))]).into();
        c.by.request = Some(RequestId::new("r").unwrap());
        c.once = Some(hos_core::id::OnceKey::new("k").unwrap());
    });
    assert_eq!(call_digest(&retried), call_digest(&distinct[0]));
}

/// Guards would be content with it, and neither facts nor messages would have it. What an earlier build took so is judged again as it was.
#[test]
fn an_argument_that_stands_in_the_context_is_none() {
    for (earlier, code, again) in [(false, Some("hos.call_malformed"), "attested"), (true, None, "the same again")] {
        let mut desk = Desk::new(first());
        desk.begin(ask("ana", "l-1", 300));
        desk.moves(event("ana", "lend", "l-1"));
        desk.earlier = earlier;
        let mut extend = event("ana", "extend", "l-1").arg("shelf", uid("Shelf", "b"));
        extend.by.context = record(&[("pages", 200.into())]).into();
        let lines = desk.moves(extend);
        assert_eq!(desk.last.as_ref().and_then(|judged| judged.answer.code()), code, "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains(again)), "{lines:#?}");
    }
}

/// A record holds each entity once, and could not say which of two was judged.
#[test]
fn an_entity_that_is_given_twice_is_refused_before_all_else() {
    let given = |id: &str| Entity { uid: uid("Loan", id), attrs: record(&[]), parents: BTreeSet::new(), record: None };
    for twice in [vec![given("l-1")], vec![given("other"), given("other")]] {
        let mut desk = Desk::new(first());
        desk.begin(ask("ana", "l-1", 300));
        let mut lend = event("ana", "lend", "l-1");
        lend.by.given = twice.into();
        // The context is wrong as well.
        lend.by.context = record(&[("foo", 1.into())]).into();
        let lines = desk.moves(lend);
        assert_eq!(desk.last.as_ref().and_then(|judged| judged.answer.code()), Some("hos.call_malformed"), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("attested")), "{lines:#?}");
    }
}
