//! The past under another law; and the directory's rows, against what was judged over them.

mod judge_support;

use hos_core::audit::replay::{Before, Past, RowFold, Rows, Trial};
use hos_core::call::{Begin, Call, Change, Directory, Note, Transition};
use hos_core::id::{LawHash, RecordHash};
use hos_core::judge::{Draft, encode_world};
use hos_core::law::Law;
use hos_core::policy::{Entity, Link};
use hos_core::proof::record::{Decision, Header, Kind, Part, Slot};
use judge_support::law::{bare, first, guarded, keeping, second, with_policy, without_notes, without_staff};
use judge_support::*;

/// What another law says of a record.
fn tried(desk: &Desk, law: &Law, draft: &Draft, before: &Before<'_>) -> String {
    let laws = desk.laws();
    let laws = |hash: &LawHash| laws.iter().find(|law| law.hash == *hash).cloned();
    said(Past::new(&laws).under(law, &again(draft), before))
}

/// The same where it is known which laws were ever in force.
fn tried_in_its_store(desk: &Desk, law: &Law, draft: &Draft, before: &Before<'_>) -> String {
    let ever = desk.laws();
    let laws = |hash: &LawHash| ever.iter().find(|law| law.hash == *hash).cloned();
    let granted = |template: &str| ever.iter().any(|law| law.policy.template_slots(template).is_some());
    said(Past::new(&laws).granting(&granted).under(law, &again(draft), before))
}

fn said(trial: Trial) -> String {
    match trial {
        Trial::Decided { was, now } => {
            let told = |d: &hos_core::audit::replay::Decided| {
                let to = d.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
                let code = d.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
                let by = if d.policies.is_empty() { String::new() } else { format!(" by {}", d.policies.join(", ")) };
                assert!(
                    d.words.starts_with(if d.allowed { "allow" } else { "deny" }) || d.words == "nothing to do",
                    "{}",
                    d.words
                );
                assert!(
                    d.words.ends_with(&format!("{code}{by}")) || d.words == "nothing to do" || by.is_empty() || !d.allowed,
                    "{}",
                    d.words
                );
                format!("{}{code}{by}{to}", if d.allowed { "allow" } else { "deny" })
            };
            format!("{} / {}", told(&was), told(&now))
        }
        Trial::ContractGone(name) => format!("no contract {name}"),
        Trial::EventGone(why) => format!("gone: {why}"),
        Trial::Unknown(why) => format!("unknown: {why}"),
        Trial::Erased => "erased".to_owned(),
        Trial::Attested => "attested".to_owned(),
    }
}

/// Every record of a story under another law; each with what stood before it.
fn story(begin: Begin, calls: Vec<(i64, Option<Transition>)>, law: &Law) -> Vec<String> {
    let mut desk = Desk::new(first());
    let mut lines = Vec::new();
    let say = |desk: &Desk, from: usize, before: Option<&hos_core::judge::Instance>, lines: &mut Vec<String>| {
        // The first of them stands on what was before; none of these stories has more than one of the instance's own.
        for draft in &desk.records[from..] {
            lines.push(tried(desk, law, draft, &Before::Instance(before)));
        }
    };
    let key = format!("{}/{}", begin.contract, begin.id);
    let from = desk.records.len();
    desk.begin(begin);
    say(&desk, from, None, &mut lines);
    for (wait, call) in calls {
        desk.wait(wait);
        let (from, before) = (desk.records.len(), desk.instances.get(&key).cloned());
        match call {
            Some(call) => drop(desk.moves(call)),
            None => drop(desk.tick(&key)),
        }
        say(&desk, from, before.as_ref(), &mut lines);
    }
    lines
}

#[test]
fn another_law_decides_the_same_cases_its_own_way() {
    let calls = || {
        vec![
            (1, Some(event("ana", "lend", "l-1"))),
            (1, Some(event("ana", "extend", "l-1").arg("shelf", uid("Shelf", "b")))),
            (1, Some(event("ben", "bring", "l-1").arg("whole", true))),
            (1, Some(event("ana", "stir", "l-1"))),
            (HOUR, Some(event("ana", "bring", "l-1").arg("whole", false))),
            (1, Some(event("sue", "reopen", "l-1").because("found"))),
            (HOUR, None),
        ]
    };
    // Its own law, tried on its own past, decides as it did.
    let own = story(ask("ana", "l-1", 300), calls(), &first());
    assert_eq!(
        own,
        [
            "allow by readers-borrow to asked / allow by readers-borrow to asked",
            "allow by readers-borrow to lent / allow by readers-borrow to lent",
            "allow by readers-borrow to lent / allow by readers-borrow to lent",
            "deny hos.not_permitted / deny hos.not_permitted",
            "allow by readers-borrow to lent / allow by readers-borrow to lent",
            "allow by readers-borrow to lost / allow by readers-borrow to lost",
            "allow by staff to asked / allow by staff to asked",
            "allow by clock to void / allow by clock to void",
        ]
    );
    // The second edition has no state `lent`, and lends into `out`.
    let other = story(ask("ana", "l-1", 300), calls(), &second());
    let gone = "gone: `loan` has no state `lent`";
    assert_eq!(
        other,
        [
            "allow by readers-borrow to asked / allow by readers-borrow to asked",
            "allow by readers-borrow to lent / allow by readers-borrow to out",
            gone,
            gone,
            gone,
            gone,
            "allow by staff to asked / allow by staff to asked",
            "allow by clock to void / allow by clock to void",
        ]
    );
    // A law without loans.
    assert_eq!(story(ask("ana", "l-1", 300), calls(), &bare()), ["no contract loan"; 8]);
    // What is too thick is forbidden by the second edition alone.
    let thick = story(ask("ana", "l-1", 10_000), vec![(HOUR, None)], &second());
    assert_eq!(
        thick,
        ["allow by readers-borrow to asked / deny hos.forbidden by inactive", "allow by clock to void / allow by clock to void"]
    );
}

#[test]
fn what_another_law_cannot_say_is_not_guessed() {
    let mut desk = Desk::new(first());
    let last = |desk: &Desk| desk.records.last().unwrap().clone();
    desk.begin(ask("ana", "l-1", 300));
    let asked = desk.instances["loan/l-1"].clone();
    let birth = last(&desk);
    desk.moves(event("ana", "lend", "l-1"));
    let (lend, lent) = (last(&desk), desk.instances["loan/l-1"].clone());
    // The same again is nothing to do under a law whose instance is there already.
    desk.moves(event("ana", "stir", "l-1"));
    let stir = last(&desk);
    let mut away = lent.clone();
    away.state = asked.state.clone();
    assert_eq!(tried(&desk, &second(), &stir, &Before::Instance(Some(&away))), "gone: `loan` has no event `stir`");
    assert_eq!(
        tried(&desk, &first(), &lend, &Before::Instance(Some(&lent))),
        "allow by readers-borrow to lent / allow by readers-borrow to lent"
    );
    // What is not there, erased, attested or nobody's.
    assert_eq!(tried(&desk, &second(), &lend, &Before::Lost), "erased");
    assert_eq!(tried(&desk, &second(), &lend, &Before::Nothing), "unknown: the instance before: needed to judge");
    let bent = |bend: fn(&mut Header)| {
        let mut draft = lend.clone();
        bend(&mut draft.header);
        tried(&desk, &second(), &draft, &Before::Instance(Some(&asked)))
    };
    assert_eq!(bent(|h| h.decision = Decision::None), "attested");
    assert_eq!(bent(|h| h.kind = Kind::Adopted), "attested");
    assert_eq!(bent(|h| h.law = None), "attested");
    assert_eq!(bent(|h| h.law = Some(LawHash([1; 32]))), "attested");
    // Whose names no law knew are none that are gone.
    desk.begin(Begin { contract: hos_core::id::Name::new("lone").unwrap(), ..ask("ana", "l-2", 1) });
    assert_eq!(
        tried(&desk, &bare(), &last(&desk), &Before::Instance(None)),
        "deny hos.contract_unknown / deny hos.contract_unknown"
    );
    desk.begin(Begin { event: hos_core::id::Name::new("task").unwrap(), ..ask("ana", "l-2", 1) });
    assert_eq!(tried(&desk, &second(), &last(&desk), &Before::Instance(None)), "deny hos.event_unknown / deny hos.event_unknown");
    let mut other = birth.clone();
    other.header.event = Some(hos_core::id::DottedName::new("task").unwrap());
    assert_eq!(tried(&desk, &second(), &other, &Before::Instance(None)), "gone: `loan` has no birth `task`");
    // A deadline that the other law does not have in that state.
    desk.wait(3 * HOUR);
    desk.tick("loan/l-1");
    let nag =
        desk.records.iter().rev().find(|draft| draft.header.kind == Kind::Refused && draft.header.n.is_some()).unwrap().clone();
    assert_eq!(tried(&desk, &second(), &nag, &Before::Instance(Some(&lent))), "gone: `loan` has no event `nag` in `lent`");
    let stands = tried(&desk, &first(), &nag, &Before::Instance(Some(&lent)));
    assert_eq!(stands, "deny hos.not_permitted / deny hos.not_permitted");
    assert_eq!(tried(&desk, &bare(), &nag, &Before::Instance(Some(&lent))), "no contract loan");
    // Changes and notes are judged by any law.
    let put = Change::Put { uid: uid("Role", "x"), attrs: record(&[]) };
    desk.call(&Call::Directory(Directory::new(reader("sue"), put)));
    let rows = hos_core::judge::DirectoryRows::default();
    assert_eq!(tried(&desk, &bare(), &last(&desk), &Before::Row(&rows)), "allow by staff / allow by staff");
    desk.call(&Call::Note(Note::new(reader("sue"), "till", b"x".to_vec()).unwrap()));
    assert_eq!(tried(&desk, &bare(), &last(&desk), &Before::Nothing), "allow by staff / allow by staff");
}

#[test]
fn what_another_law_reads_and_no_record_holds_is_not_known() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    let asked = desk.instances["loan/l-1"].clone();
    desk.moves(event("ana", "lend", "l-1"));
    let lend = desk.records.last().unwrap().clone();
    let says = |policy: &str| tried(&desk, &with_policy(policy), &lend, &Before::Instance(Some(&asked)));
    let reads = says(
        "@id(\"nosy\") permit (principal, action == Lib::Action::\"loan.lend\", resource) when { Lib::Reader::\"ben\".limit > 5 };",
    );
    let ben = "unknown: it reads Lib::Reader::\"ben\", which the record does not hold";
    assert_eq!(reads, ben);
    // `has` and `in` do not err where somebody is not there: they are false.
    let quiet = |when: &str| {
        says(&format!("@id(\"quiet\") forbid (principal, action == Lib::Action::\"loan.lend\", resource) when {{ {when} }};"))
    };
    assert_eq!(quiet("Lib::Reader::\"ben\" has limit"), ben);
    assert_eq!(quiet("Lib::Reader::\"ben\" in Lib::Role::\"staff\""), ben);
    let staff = "unknown: it reads Lib::Role::\"staff\", which the record does not hold";
    assert_eq!(quiet("Lib::Role::\"staff\" in Lib::Role::\"door\""), staff);
    let guard = |when: &str| tried(&desk, &guarded(when), &lend, &Before::Instance(Some(&asked)));
    assert_eq!(guard("resource.pages <= 500 && !(Lib::Reader::\"ben\" in Lib::Role::\"staff\")"), ben);
    assert_eq!(guard("resource.pages <= 500 && Lib::Reader::\"ben\".active"), ben);
    // Who is there may be read.
    let same = "allow by readers-borrow to lent / allow by readers-borrow to lent";
    assert_eq!(quiet("Lib::Reader::\"ana\".limit > 9000"), same);
    assert_eq!(guard("resource.pages <= 500 && Lib::Shelf::\"a\" has closes"), same);
    let errs = says(
        "@id(\"vast\") permit (principal, action == Lib::Action::\"loan.lend\", resource) when { resource.pages + 9223372036854775807 > 0 };",
    );
    assert_eq!(errs, "allow by readers-borrow to lent / allow by readers-borrow to lent", "what errs otherwise is skipped");
    // Nothing is decided of a migration, and an event that nobody knew is none that is gone.
    desk.moves(event("ana", "lent", "l-1"));
    let lent = desk.instances["loan/l-1"].clone();
    let unknown = desk.records.last().unwrap().clone();
    assert_eq!(
        tried(&desk, &first(), &unknown, &Before::Instance(Some(&lent))),
        "deny hos.event_unknown / deny hos.event_unknown"
    );
    desk.activate(second());
    desk.migrate("loan/l-1");
    let migrated = desk.records.last().unwrap().clone();
    assert_eq!(migrated.header.kind, Kind::Migrated);
    assert_eq!(tried(&desk, &second(), &migrated, &Before::Instance(Some(&lent))), "attested");
}

#[test]
fn whom_its_own_law_looked_for_in_vain_was_not_there() {
    let odd = "@id(\"odd\") permit (principal, action == Lib::Action::\"loan.lend\", resource) when { Lib::Reader::\"zoe\".limit > 5 };";
    let mut desk = Desk::new(with_policy(odd));
    desk.begin(ask("ana", "l-1", 300));
    let asked = desk.instances["loan/l-1"].clone();
    desk.moves(event("ana", "lend", "l-1"));
    let lend = desk.records.last().unwrap().clone();
    let says = |law: &Law| tried(&desk, law, &lend, &Before::Instance(Some(&asked)));
    let same = "allow by readers-borrow to lent / allow by readers-borrow to lent";
    assert_eq!(says(&with_policy(odd)), same);
    assert_eq!(says(&guarded("!(Lib::Reader::\"zoe\" in Lib::Role::\"staff\")")), same);
    let other = says(&guarded("!(Lib::Reader::\"zed\" in Lib::Role::\"staff\")"));
    assert_eq!(other, "unknown: it reads Lib::Reader::\"zed\", which the record does not hold");
}

#[test]
fn grants_that_its_own_law_did_not_ask_for_are_not_known() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    let asked = desk.instances["loan/l-1"].clone();
    desk.moves(event("ben", "lend", "l-1"));
    let lend = desk.records.last().unwrap().clone();
    let before = Before::Instance(Some(&asked));
    let unknown = |template: &str| format!("unknown: it asks for grants of `{template}`, which the record does not hold");
    let wider =
        keeping("(principal == ?principal, action in [Lib::Action::\"loan.reopen\", Lib::Action::\"loan.lend\"], resource)");
    assert_eq!(tried(&desk, &wider, &lend, &before), unknown("keeper"));
    assert_eq!(tried_in_its_store(&desk, &wider, &lend, &before), unknown("keeper"));
    // Of a template that no law had there are no grants.
    let fresh = with_policy("@id(\"lender\") permit (principal == ?principal, action == Lib::Action::\"loan.lend\", resource);");
    assert_eq!(tried(&desk, &fresh, &lend, &before), unknown("lender"));
    let same = "deny hos.not_permitted / deny hos.not_permitted";
    assert_eq!(tried_in_its_store(&desk, &fresh, &lend, &before), same);
    // What its own law asked for is known, and not more of it.
    desk.wait(HOUR);
    desk.tick("loan/l-1");
    let void = desk.instances["loan/l-1"].clone();
    desk.moves(event("sue", "reopen", "l-1").because("found"));
    let reopen = desk.records.last().unwrap().clone();
    let says = |law: &Law| tried_in_its_store(&desk, law, &reopen, &Before::Instance(Some(&void)));
    assert_eq!(says(&wider), "allow by staff to asked / allow by staff to asked");
    assert_eq!(says(&keeping("(principal in ?principal, action == Lib::Action::\"loan.reopen\", resource)")), unknown("keeper"));
}

#[test]
fn a_name_that_its_own_law_had_for_another_thing_is_not_gone() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    let asked = desk.instances["loan/l-1"].clone();
    // A birth's name where an event is asked for, and the other way around.
    desk.moves(event("ana", "ask", "l-1"));
    let moved = desk.records.last().unwrap().clone();
    desk.begin(Begin { event: hos_core::id::Name::new("lend").unwrap(), ..ask("ana", "l-2", 300) });
    let begun = desk.records.last().unwrap().clone();
    for (draft, before) in [(&moved, Before::Instance(Some(&asked))), (&begun, Before::Instance(None))] {
        assert!(draft.header.event.is_some(), "the header has the name");
        for law in [first(), second()] {
            let says = tried(&desk, &law, draft, &before);
            assert_eq!(says, "deny hos.event_unknown / deny hos.event_unknown");
        }
        assert_eq!(tried(&desk, &bare(), draft, &before), "no contract loan");
    }
}

#[test]
fn an_action_that_another_law_lacks_is_gone_and_one_that_its_own_lacked_is_not() {
    let mut desk = Desk::new(first());
    desk.call(&Call::Note(Note::new(reader("sue"), "till", b"x".to_vec()).unwrap()));
    let note = desk.records.last().unwrap().clone();
    assert_eq!(tried(&desk, &without_notes(), &note, &Before::Nothing), "gone: the schema lacks the action of `till`");
    assert_eq!(tried(&desk, &without_staff(), &note, &Before::Nothing), "allow by staff / deny hos.not_permitted");
    let card = hos_core::call::Adopt {
        by: hos_core::call::By::new(reader("sue")),
        contract: hos_core::id::Name::new("card").unwrap(),
        id: hos_core::id::InstanceId::new("c").unwrap(),
        state: hos_core::id::Name::new("open").unwrap(),
        facts: record(&[("name", "x".into())]),
        once: None,
    };
    desk.call(&Call::Adopt(card));
    let adopt = desk.records.last().unwrap().clone();
    assert_eq!(
        tried(&desk, &without_staff(), &adopt, &Before::Instance(None)),
        "deny hos.action_unknown / deny hos.action_unknown"
    );
}

/// A record of no instance, judged over these.
fn over(desk: &Desk, entities: &[Entity], links: &[Link]) -> Draft {
    let mut draft = desk.records[0].clone();
    draft.header.kind = Kind::Noted;
    draft.header.directory_version = desk.version;
    draft.parts =
        vec![Part { slot: Slot::Slice, index: 0, subject: None, salt: [0; 32], plaintext: encode_world(entities, links) }];
    draft
}

#[test]
fn nobody_is_judged_over_rows_that_the_directory_never_had() {
    let mut desk = Desk::new(first());
    let grant =
        |id: &str| Change::Grant { id: id.into(), template: "keeper".into(), principal: Some(reader("ana")), resource: None };
    desk.call(&Call::Directory(Directory::new(reader("sue"), grant("g-1"))));
    let now = desk.records.len() as u64;
    let says = |desk: &Desk, entities: &[Entity], links: &[Link], place: u64| {
        tell::outcome(&desk.told().held(&again(&over(desk, entities, links)), false, place))
    };
    let of = |desk: &Desk, who: &hos_core::id::Uid| desk.rows[who].1.clone();
    let (ana, sue) = (of(&desk, &reader("ana")), of(&desk, &reader("sue")));
    let link = desk.grants["g-1"].1.clone();
    assert_eq!(says(&desk, &[ana.clone(), sue.clone()], std::slice::from_ref(&link), now), "the same again");
    let wrong = |entity: Entity, why: &str| {
        let name = entity.uid.to_string();
        assert_eq!(says(&desk, &[entity], &[], now), format!("part slice differs: {name} / {why}"));
    };
    let other = "the directory records come to another";
    wrong(Entity { record: Some(RecordHash([1; 32])), ..ana.clone() }, "no directory record made it");
    wrong(Entity { attrs: record(&[("active", true.into()), ("limit", 501.into())]), ..ana.clone() }, other);
    wrong(Entity { parents: [uid("Role", "staff")].into(), ..ana.clone() }, other);
    wrong(Entity { record: sue.record, ..ana.clone() }, other);
    wrong(Entity { uid: reader("eve"), ..ana.clone() }, other);
    wrong(Entity { record: link.record, ..ana.clone() }, other);
    // What came with the call was in nobody's directory.
    assert_eq!(says(&desk, &[Entity { record: None, uid: reader("eve"), ..ana.clone() }], &[], now), "the same again");
    let bent = |link: Link, why: &str| assert_eq!(says(&desk, &[], &[link], now), format!("part slice differs: g-1 / {why}"));
    bent(Link { principal: Some(reader("ben")), ..link.clone() }, other);
    bent(Link { template: "shelver".into(), ..link.clone() }, other);
    bent(Link { record: ana.record, ..link.clone() }, other);
    bent(Link { record: Some(RecordHash([1; 32])), ..link.clone() }, "no directory record made it");
    // Once a row has changed, it is judged over as it was before no more; the change itself still was.
    let join = Change::Join { uid: reader("ana"), parent: uid("Role", "staff") };
    desk.call(&Call::Directory(Directory::new(reader("sue"), join)));
    desk.call(&Call::Directory(Directory::new(reader("sue"), Change::Revoke { id: "g-1".into() })));
    let changed = "by then the directory had changed it";
    assert_eq!(says(&desk, std::slice::from_ref(&ana), &[], now), "the same again", "the record that changes it stands there");
    assert_eq!(says(&desk, std::slice::from_ref(&ana), &[], now + 1), format!("part slice differs: {} / {changed}", ana.uid));
    assert_eq!(says(&desk, &[], std::slice::from_ref(&link), now + 1), "the same again");
    assert_eq!(says(&desk, &[], std::slice::from_ref(&link), now + 2), format!("part slice differs: g-1 / {changed}"));
    let ended = desk.grants["g-1"].1.clone();
    assert_eq!(
        says(&desk, &[], &[ended], now + 2),
        format!("part slice differs: g-1 / {other}"),
        "a grant that has ended is none"
    );
    desk.call(&Call::Directory(Directory::new(reader("sue"), Change::Remove { uid: reader("ana") })));
    let removed = desk.rows[&reader("ana")].1.clone();
    assert_eq!(says(&desk, &[removed], &[], now + 3), format!("part slice differs: {} / {other}", ana.uid));
}

/// A tenant's own row of somebody in the universe stands on the universe's: attributes are its, memberships are of both.
#[test]
fn a_tenant_s_row_stands_on_the_universe_s() {
    let desk = Desk::new(first());
    let put = |limit: i64| Change::Put { uid: reader("eve"), attrs: record(&[("active", true.into()), ("limit", limit.into())]) };
    let mut rows = Rows::default();
    let (mut above, mut below) = (RowFold::default(), RowFold::default());
    let mut take = |rows: &mut Rows, universe: bool, change: &Change, version: u64, place: u64| {
        let fold = if universe { &mut above } else { &mut below };
        let before = fold.rows().cloned().unwrap_or_default();
        let (mut draft, _) = desk.with(None, |bench| hos_core::judge::attest(bench, change, &before)).unwrap();
        draft.header.directory_version = version;
        rows.take(universe, fold, &again(&draft), place);
        draft.hash
    };
    let first = take(&mut rows, true, &put(5), 0, 0);
    let joined = take(&mut rows, true, &Change::Join { uid: reader("eve"), parent: uid("Role", "all") }, 1, 1);
    let own = take(&mut rows, false, &Change::Join { uid: reader("eve"), parent: uid("Role", "here") }, 2, 0);
    let eve = |limit: i64, parents: &[&str], record: RecordHash| Entity {
        uid: reader("eve"),
        attrs: judge_support::record(&[("active", true.into()), ("limit", limit.into())]),
        parents: parents.iter().map(|id| uid("Role", id)).collect(),
        record: Some(record),
    };
    let says = |rows: &Rows, entity: &Entity, version: u64, place: u64| {
        let mut draft = over(&desk, std::slice::from_ref(entity), &[]);
        draft.header.directory_version = version;
        tell::outcome(&rows.held(&again(&draft), false, place))
    };
    let differs = |why: &str| format!("part slice differs: {} / {why}", reader("eve"));
    let (other, changed) = (differs("the directory records come to another"), differs("by then the directory had changed it"));
    assert_eq!(says(&rows, &eve(5, &["all", "here"], own), 3, 1), "the same again");
    assert_eq!(says(&rows, &eve(5, &["here"], own), 3, 1), "the same again", "as the universe's row was before");
    assert_eq!(says(&rows, &eve(6, &["here"], own), 3, 1), other);
    assert_eq!(says(&rows, &eve(5, &["there"], own), 3, 1), other);
    assert_eq!(says(&rows, &eve(5, &["all"], joined), 2, 0), "the same again");
    assert_eq!(says(&rows, &eve(5, &["all", "here"], joined), 2, 0), other, "the universe knows nothing of the tenant's");
    // Across two logs it is told by directory versions: the tenant's is the universe's and its own changes added up.
    assert_eq!(says(&rows, &eve(5, &[], first), 1, 0), "the same again", "the universe was at one, nothing of the tenant's own");
    assert_eq!(
        says(&rows, &eve(5, &[], first), 2, 1),
        "the same again",
        "the universe was at one, and one change of the tenant's own"
    );
    assert_eq!(says(&rows, &eve(5, &[], first), 3, 1), changed);
    assert_eq!(says(&rows, &eve(5, &[], first), 2, 0), changed);
    // The tenant's own changes come row by row, in no order of places.
    for (id, place) in [("x", 7), ("y", 4)] {
        let put = Change::Put { uid: uid("Role", id), attrs: judge_support::record(&[]) };
        let none = hos_core::judge::DirectoryRows::default();
        let draft = desk.with(None, |bench| hos_core::judge::attest(bench, &put, &none)).unwrap().0;
        rows.take(false, &mut RowFold::default(), &again(&draft), place);
    }
    for (place, version) in [(1, 2), (4, 2), (5, 3), (7, 3), (8, 4)] {
        assert_eq!(says(&rows, &eve(5, &[], first), version, place), "the same again", "{place}");
        assert_eq!(says(&rows, &eve(5, &[], first), version + 1, place), changed, "{place}");
    }
}

#[test]
fn a_row_folds_to_what_its_changes_leave_and_is_lost_with_one_that_is_erased() {
    let desk = Desk::new(first());
    let change = |change: &Change, rows: &hos_core::judge::DirectoryRows| {
        desk.with(None, |bench| hos_core::judge::attest(bench, change, rows)).unwrap().0
    };
    let mut fold = RowFold::default();
    let put = change(&Change::Put { uid: uid("Role", "x"), attrs: record(&[]) }, &fold.rows().unwrap().clone());
    let row = fold.take(&again(&put)).unwrap().entity.clone().unwrap();
    assert_eq!((row.0.handle, row.0.n, row.0.last, row.2), (put.header.thread, 0, put.hash, false));
    let remove = change(&Change::Remove { uid: uid("Role", "x") }, &fold.rows().unwrap().clone());
    // A refused change leaves the row.
    let mut denied = remove.clone();
    denied.header.decision = Decision::Deny;
    assert!(!fold.take(&again(&denied)).unwrap().entity.as_ref().unwrap().2);
    let row = fold.take(&again(&remove)).unwrap().entity.clone().unwrap();
    assert_eq!((row.0.n, row.2), (1, true));
    let mut erased = change(&Change::Put { uid: uid("Role", "x"), attrs: record(&[]) }, &fold.rows().unwrap().clone());
    erased.parts.clear();
    assert!(fold.take(&again(&erased)).is_none() && fold.rows().is_none());
    assert!(fold.take(&again(&put)).is_none(), "what is lost stays so");
}
