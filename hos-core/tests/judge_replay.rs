//! Judging the past again: a record that says anything else than what it is judged to be is told, and the first thing in which it differs.

mod judge_support;

use hos_core::audit::replay::{Before, Part, Past, Record as Again, Thread};
use hos_core::call::{By, Call, Note};
use hos_core::id::{DottedName, LawHash, Name, RecordHash, RequestId};
use hos_core::judge::{self, Act, Draft, Instance, encode_armed};
use hos_core::law::{Law, Mode, Modes};
use hos_core::proof::record::{Decision, Durability, Header, Kind, PartRef, Slot};
use judge_support::law::first;
use judge_support::*;
use std::sync::Arc;

fn name(text: &str) -> Option<Name> {
    Some(Name::new(text).unwrap())
}

/// The desk's last record.
fn last(desk: &Desk) -> Draft {
    desk.records.last().unwrap().clone()
}

/// What judging a record again comes to, with the laws that the desk has.
fn outcome(desk: &Desk, draft: &Draft, before: &Before<'_>) -> String {
    let laws = desk.laws();
    let laws = |hash: &LawHash| laws.iter().find(|law| law.hash == *hash).cloned();
    tell::outcome(&Past::new(&laws).again(&again(draft), before))
}

/// A move of ana's, its record, and the instance before it.
fn moved() -> (Desk, Draft, Instance) {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    let before = desk.instances["loan/l-1"].clone();
    let mut lend = event("ana", "lend", "l-1").once("k").unwrap().because("she likes it");
    lend.by.request = Some(RequestId::new("r").unwrap());
    desk.moves(lend);
    let draft = last(&desk);
    (desk, draft, before)
}

#[test]
fn each_field_that_judging_makes_is_compared() {
    let (desk, good, before) = moved();
    let again = |draft: &Draft| outcome(&desk, draft, &Before::Instance(Some(&before)));
    assert_eq!(again(&good), "the same again");
    type Bend = fn(&mut Header);
    let bends: [(&str, Bend); 10] = [
        ("decision differs: deny hos.forbidden by readers-borrow / allow by readers-borrow", |h| {
            (h.decision, h.refusal) = (Decision::Deny, Some("hos.forbidden".into()));
        }),
        ("policies differs: staff / readers-borrow", |h| h.policies = vec!["staff".into()]),
        ("policies differs:  / readers-borrow", |h| h.policies.clear()),
        ("from differs: lent / asked", |h| h.from = name("lent")),
        ("to differs: - / lent", |h| h.to = None),
        ("contract version differs: 2 / 1", |h| h.contract_version = Some(2)),
        ("n differs: 2 / 1", |h| h.n = Some(2)),
        ("compat differs: 1 / 0", |h| h.judge[3] = 1),
        ("label differs: 0707070707070707070707070707070707070707070707070707070707070707 / -", |h| {
            h.label = Some(hos_core::id::MapKey([7; 32]));
        }),
        ("guard law differs: LAW / -", |h| h.guard_law = h.law),
    ];
    for (wanted, bend) in bends {
        let mut draft = good.clone();
        bend(&mut draft.header);
        assert_eq!(again(&draft), wanted.replace("LAW", &desk.law.hash.to_string()));
    }
    let mut other = good.clone();
    other.header.prev = Some(RecordHash([7; 32]));
    assert_eq!(again(&other), format!("previous record differs: {} / {}", RecordHash([7; 32]), before.last));
    // What hangs on the store and on the directory's count is no part of the judgement.
    let besides: [fn(&mut Header); 4] =
        [|h| h.durability = Durability::Weak, |h| h.directory_version = 99, |h| h.activation = None, |h| h.request = None];
    for bend in besides {
        let mut draft = good.clone();
        bend(&mut draft.header);
        assert_eq!(again(&draft), "the same again");
    }
    let mut overridden = good.clone();
    overridden.header.kind = Kind::Overridden;
    assert_eq!(again(&overridden), "the reason differs: absent / needed to judge");
    let mut renamed = good.clone();
    renamed.header.event = Some(DottedName::new("stir").unwrap());
    assert_eq!(again(&renamed), "decision differs: allow by readers-borrow / deny hos.wrong_state by readers-borrow");
    let mut nameless = good.clone();
    nameless.header.event = None;
    assert_eq!(again(&nameless), "event differs: absent / needed to judge");
    let mut nameless = good.clone();
    nameless.header.contract = None;
    assert_eq!(again(&nameless), "contract differs: absent / needed to judge");
    let mut shadow = good.clone();
    shadow.header.mode = 1;
    assert!(again(&shadow).starts_with("kind differs: Moved / Observed"), "{}", again(&shadow));
}

#[test]
fn each_part_that_is_open_is_compared_and_what_judging_needs_must_be() {
    let (desk, good, before) = moved();
    let again = |draft: &Draft| outcome(&desk, draft, &Before::Instance(Some(&before)));
    let slots: Vec<Slot> = good.parts.iter().map(|part| part.slot).collect();
    assert_eq!(slots, [Slot::Principal, Slot::Slice, Slot::Slice, Slot::Once, Slot::Change, Slot::Effects, Slot::Deadlines]);
    // Withheld: who asked, over what and why is needed; what came of it is not.
    let withheld = |slot: Slot| {
        let mut draft = good.clone();
        draft.parts.retain(|part| part.slot != slot);
        again(&draft)
    };
    for (slot, wanted) in [
        (Slot::Principal, "erased"),
        (Slot::Slice, "erased"),
        (Slot::Change, "erased"),
        (Slot::Once, "the same again"),
        (Slot::Effects, "the same again"),
        (Slot::Deadlines, "the same again"),
    ] {
        assert_eq!(withheld(slot), wanted, "{slot:?}");
    }
    // One of two slices is as bad as both.
    let mut one = good.clone();
    one.parts.retain(|part| (part.slot, part.index) != (Slot::Slice, 1));
    assert_eq!(again(&one), "erased");
    // Other content.
    let bent = |slot: Slot, content: Vec<u8>| {
        let mut draft = good.clone();
        draft.parts.iter_mut().find(|part| part.slot == slot).unwrap().plaintext = content;
        again(&draft)
    };
    assert!(bent(Slot::Deadlines, encode_armed(&[])).starts_with("part deadlines differs: 80 / 82"));
    assert!(bent(Slot::Effects, vec![0x80]).starts_with("part effects differs: 80 / 81"));
    for slot in [Slot::Principal, Slot::Slice, Slot::Once, Slot::Change] {
        let wanted = format!("part {slot:?} differs: bytes / it does not decode").to_lowercase();
        assert!(bent(slot, vec![0xff]).starts_with(&wanted), "{slot:?}: {}", bent(slot, vec![0xff]));
    }
    // A part that is listed and that judging does not make, and one that it makes and that is not listed.
    let mut more = good.clone();
    more.header.parts.push(PartRef { slot: Slot::Legacy, index: 0, commitment: good.header.parts[0].commitment });
    more.parts.push(hos_core::proof::record::Part { slot: Slot::Legacy, ..good.parts[0].clone() });
    assert!(again(&more).contains("differs"));
    let mut fewer = good.clone();
    fewer.header.parts.retain(|part| part.slot != Slot::Effects);
    fewer.parts.retain(|part| part.slot != Slot::Effects);
    let all = "Principal 0, Slice 0, Slice 1, Once 0, Change 0, Effects 0, Deadlines 0";
    assert_eq!(again(&fewer), format!("parts differs: {} / {all}", all.replace("Effects 0, ", "")));
}

#[test]
fn a_blocker_s_code_is_compared_and_its_words_are_not() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300).fact("pages", "many"));
    let good = last(&desk);
    let before = Before::Instance(None);
    let says = |code: &str, detail: &str| {
        let mut draft = good.clone();
        let mut w = hos_core::canon::Writer::default();
        w.array(1).array(2).text(code).text(detail);
        draft.parts.iter_mut().find(|part| part.slot == Slot::Blockers).unwrap().plaintext = w.finish();
        outcome(&desk, &draft, &before)
    };
    assert_eq!(outcome(&desk, &good, &before), "the same again");
    assert_eq!(says("hos.attribute_type", "in other words"), "the same again");
    assert!(says("hos.attribute_missing", "").starts_with("part blockers differs"));
    // A slice that is no world, and a record that stands where it cannot.
    let (desk, good, at) = moved();
    let mut twice = good.clone();
    let slice = good.parts.iter().find(|part| part.slot == Slot::Slice).unwrap().clone();
    twice.parts.iter_mut().filter(|part| part.slot == Slot::Slice).for_each(|part| part.plaintext.clone_from(&slice.plaintext));
    assert!(
        outcome(&desk, &twice, &Before::Instance(Some(&at))).starts_with("part slice differs: a world / "),
        "an entity that is there twice"
    );
    for before in [Before::Instance(None), Before::Nothing] {
        assert_eq!(outcome(&desk, &good, &before), "the instance before differs: absent / needed to judge");
    }
    assert_eq!(outcome(&desk, &good, &Before::Lost), "erased");
}

#[test]
fn what_nobody_judged_is_attested_and_what_was_judged_is_judged() {
    let (desk, good, at) = moved();
    let again = |bend: &dyn Fn(&mut Header)| {
        let mut draft = good.clone();
        bend(&mut draft.header);
        outcome(&desk, &draft, &Before::Instance(Some(&at)))
    };
    let attested = [
        Kind::Founded,
        Kind::Key,
        Kind::Heads,
        Kind::Observed,
        Kind::Adopted,
        Kind::Decided,
        Kind::Retired,
        Kind::Legacy,
        Kind::Imported,
        Kind::Epoch,
        Kind::Checkpoint,
    ];
    for kind in attested {
        assert_eq!(again(&|h| h.kind = kind), "attested", "{kind:?}");
    }
    assert_eq!(again(&|h| h.kind = Kind::Erased), "erased");
    assert_eq!(again(&|h| h.decision = Decision::None), "attested");
    assert_eq!(again(&|h| h.law = None), "attested");
    assert_eq!(again(&|h| h.law = Some(LawHash([1; 32]))), format!("law differs: {} / not at hand", LawHash([1; 32])));
    assert_eq!(again(&|h| h.guard_law = Some(LawHash([1; 32]))), format!("law differs: {} / not at hand", LawHash([1; 32])));
    for code in ["hos.clock_implausible", "hos.directory_conflict", "hos.instance_erased", "hos.call_too_large"] {
        assert_eq!(again(&|h| h.refusal = Some(code.into())), "attested", "{code}");
    }
    assert!(again(&|h| h.refusal = Some("hos.terminal".into())).starts_with("decision differs"));
    // A change of the directory without its row cannot be judged.
    let mut desk = Desk::new(first());
    let put = hos_core::call::Change::Put { uid: uid("Role", "x"), attrs: record(&[]) };
    desk.call(&Call::Directory(hos_core::call::Directory::new(reader("sue"), put)));
    let rows = hos_core::judge::DirectoryRows::default();
    assert_eq!(outcome(&desk, &last(&desk), &Before::Row(&rows)), "the same again");
    assert_eq!(outcome(&desk, &last(&desk), &Before::Nothing), "erased");
    // A note of the engine's own streams was judged elsewhere.
    desk.call(&Call::Note(Note::new(reader("sue"), "till.closed", b"x".to_vec()).unwrap()));
    let mut note = last(&desk);
    assert_eq!(outcome(&desk, &note, &Before::Nothing), "the same again");
    note.header.event = Some(DottedName::new("hos.held").unwrap());
    assert_eq!(outcome(&desk, &note, &Before::Nothing), "attested");
    note.header.event = None;
    assert_eq!(outcome(&desk, &note, &Before::Nothing), "event differs: absent / needed to judge");
}

#[test]
fn whoever_was_unknown_may_have_been_so_for_a_reason_that_no_record_holds() {
    let mut desk = Desk::new(first());
    let mut call = ask("eve", "l-1", 300);
    call.by.given.push(hos_core::policy::Entity {
        uid: reader("eve"),
        attrs: record(&[("active", true.into()), ("limit", 5.into())]),
        parents: [].into(),
        record: None,
    });
    desk.begin(call.clone());
    assert_eq!(last(&desk).header.refusal.as_deref(), Some("hos.principal_unknown"));
    let put = hos_core::call::Change::Put { uid: uid("Role", "x"), attrs: record(&[]) };
    let mut change = hos_core::call::Directory::new(reader("eve"), put);
    change.by.given.clone_from(&call.by.given);
    desk.call(&Call::Directory(change));
    assert_eq!(last(&desk).header.refusal.as_deref(), Some("hos.principal_unknown"));
    assert_eq!(outcome(&desk, &last(&desk), &Before::Nothing), "attested");
    let mut moved = event("eve", "lend", "l-2");
    moved.by.given = call.by.given;
    desk.begin(ask("ana", "l-2", 300));
    desk.moves(moved);
    let instance = desk.instances["loan/l-2"].clone();
    assert_eq!(outcome(&desk, &last(&desk), &Before::Instance(Some(&instance))), "attested");
}

/// In a tenant, somebody may be in a role by the universe's word: the tenant's own row does not say so, and may be made to.
#[test]
fn a_refused_change_is_judged_again_over_the_tenant_s_own_row() {
    use hos_core::call::{Change, Directory};
    let mut desk = Desk::new(first());
    let join = Change::Join { uid: reader("ana"), parent: uid("Role", "staff") };
    let own = desk.rows_of(&join);
    desk.attest(&join);
    let call = Directory::new(reader("ben"), join);
    let judged = desk.with(None, |bench| judge::change(bench, &call, &own));
    assert_eq!(judged.answer.code(), Some("hos.not_permitted"));
    assert_eq!(outcome(&desk, &judged.drafts[0], &Before::Nothing), "the same again");
}

#[test]
fn an_operator_s_act_is_judged_again_at_its_gate() {
    let desk = Desk::new(first());
    let acted = |who: &str, kind: Kind, action: &str, gate: &str, change: &[u8]| {
        let by = By::new(reader(who));
        let mut answer = hos_core::answer::Answer::refused(desk.law.hash, desk.version);
        let (ruling, slice) = desk.with(None, |bench| judge::at_gate(bench.active, action, gate, &by));
        judge::apply_ruling(&mut answer, ruling);
        let act = Act { kind, stream: "hos.law", by: Some(&by), change, judged: Some((&answer, &slice)) };
        desk.with(None, |bench| judge::act(bench, &act)).unwrap()
    };
    let says = |draft: &Draft| outcome(&desk, draft, &Before::Nothing);
    for who in ["sue", "ana", "idle", "eve"] {
        assert_eq!(says(&acted(who, Kind::Activated, "law.activate", "law", &[1])), "the same again", "{who}");
    }
    let opened = [0x66, b't', b'o', b'w', b'n', b'-', b'1'];
    assert_eq!(says(&acted("sue", Kind::Tenant, "tenant.open", "town-1", &opened)), "the same again");
    assert_eq!(says(&acted("ana", Kind::Tenant, "tenant.open", "town-1", &opened)), "the same again");
    let other = acted("sue", Kind::Tenant, "tenant.open", "town-2", &opened);
    assert!(says(&other).starts_with("part slice differs"), "the gate is the tenant's own: {}", says(&other));
    assert!(says(&acted("sue", Kind::Tenant, "tenant.open", "town-1", &[0xff])).starts_with("part change differs: bytes / "));
    let mut lost = acted("sue", Kind::Activated, "law.activate", "law", &[1]);
    lost.header.parts.retain(|part| part.slot != Slot::Change);
    lost.parts.retain(|part| part.slot != Slot::Change);
    assert_eq!(says(&lost), "part change differs: absent / needed to judge");
    let mut bent = acted("ana", Kind::Activated, "law.activate", "law", &[1]);
    (bent.header.decision, bent.header.refusal) = (Decision::Allow, None);
    assert_eq!(says(&bent), "decision differs: allow / deny hos.not_permitted");
}

/// Folds records into the instance that they leave.
fn folded(laws: &[Arc<Law>], drafts: &[&Draft], withheld: &[(usize, Slot)]) -> Thread {
    let laws = |hash: &LawHash| laws.iter().find(|law| law.hash == *hash).cloned();
    let past = Past::new(&laws);
    let mut thread = Thread::default();
    for (at, draft) in drafts.iter().enumerate() {
        let open = |slot: Slot| !withheld.contains(&(at, slot));
        let parts =
            draft.parts.iter().filter(|p| open(p.slot)).map(|p| Part { slot: p.slot, index: p.index, content: &p.plaintext });
        thread.take(&past, &Again::new(&draft.header, draft.hash, parts.collect()));
    }
    thread
}

#[test]
fn an_instance_is_what_its_records_leave_as_far_as_they_are_open() {
    let (desk, good, _) = moved();
    let birth = desk.records.iter().find(|draft| draft.header.kind == Kind::Begun).unwrap();
    let laws = desk.laws();
    let whole = folded(&laws, &[birth, &good], &[]);
    assert_eq!(whole.instance(), desk.instances.get("loan/l-1"));
    for (at, slot, is_lost) in [
        (0, Slot::Facts, true),
        (0, Slot::Id, true),
        (0, Slot::Deadlines, true),
        (1, Slot::Deadlines, true),
        (0, Slot::Slice, false),
        (1, Slot::Once, false),
        (1, Slot::Principal, false),
    ] {
        let thread = folded(&laws, &[birth, &good], &[(at, slot)]);
        assert_eq!((thread.is_lost(), thread.instance().is_none()), (is_lost, is_lost), "{at} {slot:?}");
    }
    // A thread that does not begin with its birth is nobody's.
    assert!(folded(&laws, &[&good], &[]).is_lost());
    let mut nowhere = birth.clone();
    nowhere.header.to = None;
    assert!(folded(&laws, &[&nowhere], &[]).is_lost());
    let mut told = birth.clone();
    told.header.kind = Kind::Legacy;
    let thread = folded(&laws, &[&told], &[]);
    assert!(thread.instance().is_none() && !thread.is_lost(), "what an older log tells is no birth");
    let lacking: [fn(&mut Header); 3] = [|h| h.n = None, |h| h.contract = None, |h| h.law = None];
    for bend in lacking {
        let mut other = birth.clone();
        bend(&mut other.header);
        assert!(folded(&laws, &[&other], &[]).instance().is_none());
    }
    // Where the law is not at hand nobody knows whose the facts are.
    let thread = folded(&[], &[birth, &good], &[]);
    assert_eq!(thread.instance().unwrap().subject, None);
}

#[test]
fn a_record_says_which_instance_it_is_about_as_far_as_that_is_known() {
    let (desk, good, before) = moved();
    let birth = desk.records.iter().find(|draft| draft.header.kind == Kind::Begun).unwrap();
    assert_eq!(again(birth).instance(&Before::Instance(None)).as_deref(), Some("loan/l-1"));
    assert_eq!(again(&good).instance(&Before::Instance(Some(&before))).as_deref(), Some("loan/l-1"));
    assert_eq!(again(&good).instance(&Before::Lost), None);
    assert_eq!(again(&desk.records[0]).instance(&Before::Nothing), None);
}

#[test]
fn a_birth_by_somebody_unknown_is_judged_again_as_an_event_is() {
    let mut desk = Desk::new(first());
    let mut call = ask("eve", "l-1", 300);
    let attrs = record(&[("active", true.into()), ("limit", 5.into())]);
    call.by.given.push(hos_core::policy::Entity { uid: reader("eve"), attrs, parents: [].into(), record: None });
    let lines = desk.begin(call);
    assert!(lines.iter().all(|line| !line.contains("differs")));
}

/// Whether a deadline comes before a call is its own event's mode to say, which stands in no header.
#[test]
fn before_a_call_a_deadline_fires_where_its_own_event_is_enforced() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    let before = desk.instances["loan/l-1"].clone();
    desk.mode("loan.void", Mode::Shadow);
    desk.wait(2 * HOUR);
    desk.moves(event("eve", "lend", "l-1"));
    let refused = last(&desk);
    desk.moves(event("ana", "lend", "l-1"));
    let moved = last(&desk);
    assert_eq!((refused.header.kind, moved.header.kind), (Kind::Refused, Kind::Moved));
    let laws = desk.laws();
    let laws = |hash: &LawHash| laws.iter().find(|law| law.hash == *hash).cloned();
    let said = |draft: &Draft, table: Option<&Modes>| {
        let activated = |_: &RecordHash| table.map(|table| Arc::new(table.clone()));
        tell::outcome(&Past::new(&laws).activated(&activated).again(&again(draft), &Before::Instance(Some(&before))))
    };
    for draft in [&refused, &moved] {
        assert_eq!(said(draft, Some(&desk.modes)), "the same again");
        // Where the table is not at hand nothing is made up: what fired has a record of its own.
        assert_eq!(said(draft, None), "the same again");
        let all = said(draft, Some(&Modes::default()));
        assert!(all.contains("differs"), "enforced, it would have come first: {all}");
    }
}
