//! What is written beside moves: notes, the engine's own acts, ends, rows of older worlds brought in.

mod judge_support;

use hos_core::answer::Answer;
use hos_core::call::{Adopt, By, Call, Legacy, LegacyEntry, LegacyLog, Note};
use hos_core::id::{DottedName, Handle, InstanceId, Name, OnceKey, RequestId};
use hos_core::judge::{self, Act, Draft, Ended, Place, decode_legacy};
use hos_core::law::Mode;
use hos_core::proof::record::{Decision, Kind, Slot};
use hos_core::time::Timestamp;
use hos_core::value::Record;
use judge_support::law::{bare, first, first_with};
use judge_support::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn adopt(who: &str, id: &str, state: &str) -> Adopt {
    let facts = record(&[("reader", reader("ana").into()), ("shelf", uid("Shelf", "b").into()), ("pages", 300.into())]);
    let id = InstanceId::new(id).unwrap();
    Adopt { by: By::new(reader(who)), contract: name("loan"), id, state: name(state), facts, once: None }
}

#[test]
fn a_note_is_judged_at_its_stream_s_gate() {
    let mut scene = Scene::new("notes");
    let mut desk = Desk::new(first());
    let note = |who: &str, stream: &str, legacy: Option<bool>| {
        let mut note = Note::new(reader(who), stream, b"closed".to_vec()).unwrap();
        note.by.context = Record::new().into();
        note.by.legacy = legacy.map(|allowed| Legacy { allowed, state: None });
        note.by.request = Some(RequestId::new("r-1").unwrap());
        Call::Note(note)
    };
    scene.told("by the staff", desk.call(&note("sue", "till.closed", None)));
    let mut of = Note {
        subject: Some(reader("ana")),
        once: Some(OnceKey::new("k").unwrap()),
        ..Note::new(reader("sue"), "till", b"x".to_vec()).unwrap()
    };
    scene.told("about a person, under a once-key", desk.call(&Call::Note(of.clone())));
    assert_eq!(desk.last.as_ref().unwrap().once.as_ref().unwrap().0.as_str(), "k");
    of.payload = vec![0x61; 3];
    scene.told("a reader may not", desk.call(&note("ana", "till.closed", None)));
    scene.told("the engine's own streams are nobody else's", desk.call(&note("sue", "hos.law", None)));
    scene.told("a name that only looks like them is free", desk.call(&note("sue", "hoses.law", None)));
    desk.mode("record.note", Mode::Shadow);
    for (who, legacy) in [("sue", None), ("sue", Some(true)), ("sue", Some(false)), ("ana", Some(true)), ("ana", Some(false))] {
        scene.told(&format!("in shadow, {who}; the world says {legacy:?}"), desk.call(&note(who, "till.closed", legacy)));
    }
    desk.last_sealed = Some(Timestamp(0));
    scene.told("in shadow, with a clock that jumped", desk.call(&note("sue", "till.closed", Some(true))));
    desk.mode("record.note", Mode::Off);
    for legacy in [None, Some(true), Some(false)] {
        scene.told(&format!("off; the world says {legacy:?}"), desk.call(&note("sue", "till.closed", legacy)));
    }
    scene.ends();
}

#[test]
fn a_row_of_the_world_is_brought_in_as_it_is() {
    let mut scene = Scene::new("adoption");
    let mut desk = Desk::new(first());
    let mut call = adopt("sue", "l-1", "lent");
    call.once = Some(OnceKey::new("k").unwrap());
    call.by.request = Some(RequestId::new("r-1").unwrap());
    scene.told("by the staff, with its deadlines", desk.call(&Call::Adopt(call)));
    assert_eq!(desk.last.as_ref().unwrap().once.as_ref().unwrap().0.as_str(), "k");
    scene.told("it moves on", desk.moves(event("ana", "bring", "l-1").arg("whole", true)));
    scene.told("into an end, nothing is armed", desk.call(&Call::Adopt(adopt("sue", "l-2", "back"))));
    scene.told("it is there", desk.call(&Call::Adopt(adopt("sue", "l-2", "back"))));
    scene.told("a reader may not", desk.call(&Call::Adopt(adopt("ana", "l-3", "lent"))));
    scene.told("no such state", desk.call(&Call::Adopt(adopt("sue", "l-3", "away"))));
    scene.told("no such contract", desk.call(&Call::Adopt(Adopt { contract: name("lone"), ..adopt("sue", "l-3", "lent") })));
    scene.told(
        "a contract whose rows nobody brings in",
        desk.call(&Call::Adopt(Adopt {
            contract: name("card"),
            state: name("open"),
            facts: record(&[("name", "x".into())]),
            ..adopt("sue", "l-3", "lent")
        })),
    );
    let mut call = adopt("sue", "l-3", "lent");
    call.facts.remove("pages");
    scene.told("facts that are wrong", desk.call(&Call::Adopt(call)));
    let mut call = adopt("sue", "l-3", "lent");
    call.facts.insert("shelf".into(), uid("Shelf", "z").into());
    scene.told("facts that name what nobody knows", desk.call(&Call::Adopt(call)));
    desk.erased = true;
    scene.told("what was erased stays so", desk.call(&Call::Adopt(adopt("sue", "l-3", "lent"))));
    desk.erased = false;
    desk.last_sealed = Some(Timestamp(0));
    scene.told("a clock that jumped", desk.call(&Call::Adopt(adopt("sue", "l-3", "lent"))));
    scene.ends();
}

#[test]
fn all_that_is_wrong_with_facts_is_told_of_an_adoption_as_of_a_birth() {
    let mut desk = Desk::new(first());
    let mut call = adopt("sue", "l-1", "lent");
    call.facts.remove("pages");
    call.facts.insert("shelf".into(), 7.into());
    call.facts.insert("colour".into(), "red".into());
    let mut born = ask("sue", "l-1", 300);
    born.facts.clone_from(&call.facts);
    let codes = |desk: &mut Desk, call: Call| {
        let lines = desk.call(&call);
        assert!(lines.iter().any(|line| line.ends_with("[the same again]")), "{lines:#?}");
        let blockers = &desk.last.as_ref().unwrap().answer.blockers;
        blockers.iter().map(|blocker| blocker.code.clone().into_owned()).collect::<Vec<_>>()
    };
    let all = ["hos.attribute_missing", "hos.attribute_unknown", "hos.attribute_type"];
    assert_eq!(codes(&mut desk, Call::Begin(born)), all);
    assert_eq!(codes(&mut desk, Call::Adopt(call.clone())), all);
    // Earlier builds told the first alone: what they recorded is judged as they did.
    desk.earlier = true;
    assert_eq!(codes(&mut desk, Call::Adopt(call)), all[..1]);
}

fn told(who: &str, entries: Vec<LegacyEntry>) -> LegacyLog {
    let id = InstanceId::new("l-1").unwrap();
    LegacyLog { by: By::new(reader(who)), contract: name("loan"), id, entries, once: None }
}

fn entry(words: [Option<&str>; 2], to: &str) -> LegacyEntry {
    let [from, event] = words.map(|word| word.map(str::to_owned));
    LegacyEntry { from, event, actor: Some("old".into()), ..LegacyEntry::new(Timestamp(1_000), to) }
}

#[test]
fn what_an_older_log_tells_is_recorded_and_moves_nothing() {
    let mut scene = Scene::new("legacy");
    let mut desk = Desk::new(first());
    let some = || {
        vec![
            entry([None, Some("ask")], "asked"),
            entry([Some("asked"), Some("reopen")], "lent"),
            entry([Some("yeni"), Some("odd")], "bitti"),
        ]
    };
    scene.told("nobody is there", desk.call(&Call::LegacyLog(told("sue", some()))));
    scene.told("no such contract", desk.call(&Call::LegacyLog(LegacyLog { contract: name("lone"), ..told("sue", some()) })));
    desk.call(&Call::Adopt(adopt("sue", "l-1", "lent")));
    let mut call = told("sue", some());
    call.once = Some(OnceKey::new("k").unwrap());
    call.by.request = Some(RequestId::new("r-1").unwrap());
    scene.told("three rows, in the old world's words; the header has the law's own alone", desk.call(&Call::LegacyLog(call)));
    let last = desk.records.last().unwrap();
    let row = decode_legacy(&last.parts.iter().find(|part| part.slot == Slot::Payload).unwrap().plaintext).unwrap();
    assert_eq!(row, entry([Some("yeni"), Some("odd")], "bitti"));
    desk.wait(-2_000);
    scene.told(
        "a clock that stepped back a little",
        desk.call(&Call::LegacyLog(told("sue", vec![entry([None, Some("lend")], "lent")]))),
    );
    assert_eq!(desk.instances["loan/l-1"].last_time, Timestamp(START));
    scene.told("a reader may not", desk.call(&Call::LegacyLog(told("ana", some()))));
    scene.told("it moves on", desk.moves(event("ana", "bring", "l-1").arg("whole", true)));
    desk.wait(-HOUR);
    scene.told("a clock that went back", desk.call(&Call::LegacyLog(told("sue", some()))));
    let instance = desk.instances.remove("loan/l-1").unwrap();
    desk.erased = true;
    scene.told("it is erased", desk.call(&Call::LegacyLog(told("sue", some()))));
    desk.law = bare();
    let call = told("sue", some());
    let judged = desk.with(None, |bench| judge::legacy_log(bench, &call, Some(&instance), judge::BeginRows::Taken));
    scene.told("a law without loans", vec![tell::answer(&judged.answer)]);
    scene.ends();
}

fn shown(draft: &Draft) -> Vec<String> {
    let h = &draft.header;
    let words = format!(
        "{:?} {:?} event {:?} {:?} {:?} by {:?}",
        h.kind,
        draft.place,
        h.event.as_ref().map(DottedName::as_str),
        h.decision,
        h.refusal,
        h.policies
    );
    let parts = draft
        .parts
        .iter()
        .map(|p| format!("{:?} of {:?}: {} bytes", p.slot, p.subject.as_ref().map(hos_core::id::Uid::id), p.plaintext.len()));
    std::iter::once(words).chain(parts).collect()
}

#[test]
fn an_act_of_the_engine_s_says_who_asked_and_what_the_policies_said() {
    let desk = Desk::new(first());
    let by = |who: &str| By { context: record(&[("x", 1.into())]).into(), ..By::new(reader(who)) };
    let act = |who: Option<&By>, judged: Option<(&Answer, &judge::Slice)>, about: Option<&str>| {
        let act = Act { kind: Kind::Activated, stream: "hos.law", by: who, change: &[1, 2, 3], judged };
        desk.with(None, |bench| judge::act_about(bench, &act, about.map(reader).as_ref())).unwrap()
    };
    let stream = "Activated Stream(DottedName(hos.law)) event Some(\"hos.law\")";
    assert_eq!(shown(&act(None, None, None)), [format!("{stream} None None by []"), "Change of None: 3 bytes".into()]);
    let about = shown(&act(None, None, Some("ana")));
    assert_eq!(about[1], "Change of Some(\"ana\"): 3 bytes");
    for (who, head) in [
        ("sue", "Allow None by [\"staff\"]"),
        ("ana", "Deny Some(\"hos.not_permitted\") by []"),
        ("idle", "Deny Some(\"hos.forbidden\") by [\"inactive\"]"),
        ("eve", "Deny Some(\"hos.principal_unknown\") by []"),
    ] {
        let by = By { context: Record::new().into(), ..by(who) };
        let mut answer = Answer::refused(desk.law.hash, 0);
        let (ruling, slice) = desk.with(None, |bench| judge::at_gate(bench.active, "law.activate", "law", &by));
        judge::apply_ruling(&mut answer, ruling);
        let lines = shown(&act(Some(&by), Some((&answer, &slice)), None));
        assert_eq!(lines[0], format!("{stream} {head}"), "{who}");
        assert!(lines.iter().any(|line| line.starts_with(&format!("Principal of Some(\"{who}\")"))), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("Slice of None")), "the gate: {lines:?}");
    }
    let lines = shown(&act(Some(&by("ana")), None, None));
    assert!(lines.iter().any(|line| line.starts_with("Context of Some(\"ana\")")), "{lines:?}");
    let unknown = desk.with(None, |bench| judge::at_gate(bench.active, "law.depose", "law", &by("sue")).0);
    assert_eq!(unknown.unwrap_err().code, "hos.action_unknown");
    let nowhere = Act { kind: Kind::Activated, stream: "no stream", by: None, change: &[], judged: None };
    let refused = desk.with(None, |bench| judge::act(bench, &nowhere)).unwrap_err();
    assert_eq!(refused.code, "hos.id_invalid");
    assert_eq!(judge::gate(&desk.law, "law").unwrap(), uid("Gate", "law"));
}

#[test]
fn by_a_clock_that_cannot_be_only_the_engine_itself_acts() {
    let mut desk = Desk::new(first());
    desk.last_sealed = Some(Timestamp(0));
    let by = By::new(reader("sue"));
    let act = |who: Option<&By>| {
        let act = Act { kind: Kind::Activated, stream: "hos.law", by: who, change: &[1], judged: None };
        desk.with(None, |bench| judge::act(bench, &act))
            .map(|draft| draft.header.kind)
            .map_err(|blocker| blocker.code.into_owned())
    };
    assert_eq!(act(Some(&by)), Err("hos.clock_implausible".to_owned()));
    assert_eq!(act(None), Ok(Kind::Activated));
}

#[test]
fn a_stream_s_record_gets_its_handle_late_and_another_hash() {
    let desk = Desk::new(first());
    let act = Act { kind: Kind::Activated, stream: "hos.law", by: None, change: &[1], judged: None };
    let draft = desk.with(None, |bench| judge::act(bench, &act)).unwrap();
    assert_eq!(draft.header.thread, Handle([0; 16]));
    let placed = draft.clone().into_stream(Handle([3; 16])).unwrap();
    assert_eq!(placed.header.thread, Handle([3; 16]));
    assert_eq!(placed.bytes, placed.header.encode().unwrap());
    assert_eq!(placed.hash, hos_core::digest::record_hash(&placed.bytes));
    assert_ne!(placed.hash, draft.hash);
}

#[test]
fn an_erased_thread_ends_with_a_record_of_who_asked() {
    let mut desk = Desk::new(first());
    desk.begin(ask("ana", "l-1", 300));
    let instance = desk.instances["loan/l-1"].clone();
    let row = desk.rows[&reader("ana")].0;
    let mut answer = Answer::refused(desk.law.hash, 0);
    answer.policies = vec!["staff".into()];
    let end =
        |desk: &Desk, ended, judged| desk.with(None, |bench| judge::end(bench, ended, Some(&reader("sue")), &[9, 9], judged));
    let draft = end(&desk, Ended::Instance(&instance), Some(&answer)).unwrap();
    assert_eq!(draft.place, Place::Thread { handle: instance.handle, n: 1, prev: Some(instance.last) });
    let h = &draft.header;
    assert_eq!((h.kind, h.decision, &h.policies[..]), (Kind::Erased, Decision::Allow, &["staff".to_owned()][..]));
    assert_eq!((h.from.as_ref(), h.to.as_ref(), h.contract_version), (Some(&name("asked")), Some(&name("asked")), Some(1)));
    assert_eq!(h.contract, Some(name("loan")));
    assert_eq!(shown(&draft)[1..], ["Principal of Some(\"sue\"): 17 bytes", "Change of None: 2 bytes"]);
    let draft = end(&desk, Ended::Row(row), None).unwrap();
    assert_eq!(draft.place, Place::Thread { handle: row.handle, n: row.n + 1, prev: Some(row.last) });
    assert_eq!((draft.header.contract.as_ref(), draft.header.from.as_ref(), draft.header.decision), (None, None, Decision::None));
    desk.wait(-HOUR);
    assert_eq!(end(&desk, Ended::Instance(&instance), None).unwrap_err().code, "hos.clock_implausible");
    assert!(end(&desk, Ended::Row(row), None).is_ok(), "a row's thread claims no time");
}

#[test]
fn whose_an_instance_is_hangs_on_who_is_a_person() {
    use hos_core::judge::data_subject;
    let facts = record(&[("reader", reader("ana").into())]);
    for (law, wanted) in [(first(), Some(reader("ana"))), (judge_support::law::impersonal(), None)] {
        let of = &law.contract("loan").unwrap().contract;
        assert_eq!(data_subject(&law, of, &facts), wanted);
        assert_eq!(data_subject(&law, of, &record(&[("reader", "ana".into())])), None);
        assert_eq!(data_subject(&law, of, &Record::new()), None);
        let card = &law.contract("card").unwrap().contract;
        assert_eq!(data_subject(&law, card, &facts), None, "it names nobody's fact");
    }
}

/// An array that says another length than it has is another spelling, and no reader takes it.
#[test]
fn parts_with_a_length_that_is_another_are_refused() {
    use hos_core::canon::Writer;
    use hos_core::judge::{decode_armed, decode_blockers, decode_entity, decode_messages, decode_once};
    let made = |write: &dyn Fn(&mut Writer)| {
        let mut w = Writer::default();
        write(&mut w);
        w.finish()
    };
    // Where the array's head stands, and what it must say.
    let says = |mut bytes: Vec<u8>, at: usize, len: u8| {
        bytes[at] = 0x80 | len;
        bytes
    };
    let entity = made(&|w| {
        w.array(2).text("Lib::Reader").text("ana");
    });
    let once = made(&|w| {
        w.array(2).text("k").bytes(&[7; 32]);
    });
    let blockers = made(&|w| {
        w.array(1).array(2).text("hos.terminal").text("");
    });
    let messages = made(&|w| {
        w.array(1).array(2).text("mail.x").record(&Record::new());
    });
    let armed = made(&|w| {
        w.array(1).array(3).uint(0).text("nag").int(5);
    });
    for (len, good) in [(1, false), (2, true), (3, false)] {
        assert_eq!(decode_entity(&says(entity.clone(), 0, len)).is_ok(), good, "entity {len}");
        assert_eq!(decode_once(&says(once.clone(), 0, len)).is_ok(), good, "once {len}");
        assert_eq!(decode_blockers(&says(blockers.clone(), 1, len)).is_ok(), good, "blockers {len}");
        assert_eq!(decode_messages(&says(messages.clone(), 1, len)).is_ok(), good, "messages {len}");
        assert_eq!(decode_armed(&says(armed.clone(), 1, len + 1)).is_ok(), good, "armed {len}");
    }
}

/// What is sealed under the key of whom the law calls no person could be erased by nobody.
#[test]
fn a_note_is_about_a_person_or_about_nobody() {
    let mut desk = Desk::new(first());
    let note = |subject| Note { subject: Some(subject), ..Note::new(reader("sue"), "till", b"x".to_vec()).unwrap() };
    for (subject, code) in [
        (reader("ana"), None),
        (uid("Shelf", "a"), Some("hos.resource_type_unknown")),
        (uid("Raeder", "ana"), Some("hos.resource_type_unknown")),
    ] {
        desk.call(&Call::Note(note(subject)));
        let judged = desk.last.as_ref().unwrap();
        assert_eq!((judged.answer.code(), judged.drafts.len()), (code, usize::from(code.is_none())));
    }
}

#[test]
fn a_candidate_s_word_on_a_note_stands_beside_the_law_s() {
    let mut desk = Desk::new(first());
    desk.candidate = Some(first_with(r#"@id("shut") forbid (principal, action == Lib::Action::"record.note", resource);"#));
    desk.call(&Call::Note(Note::new(reader("sue"), "till", b"x".to_vec()).unwrap()));
    let answer = &desk.last.as_ref().unwrap().answer;
    let candidate = answer.candidate.as_ref().map(|candidate| candidate.allowed);
    assert_eq!((answer.allowed, candidate), (true, Some(false)), "{answer:?}");
}
