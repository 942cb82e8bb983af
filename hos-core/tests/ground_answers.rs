//! Calls, answers and refusals: what every door takes and gives.

use hos_core::answer::Answer;
use hos_core::call::*;
use hos_core::id::{InstanceId, LawHash, Name, OnceKey, Uid};
use hos_core::policy::Entity;
use hos_core::refusal::{Blocker, Code};
use hos_core::time::Timestamp;
use hos_core::value::Record;

fn ayse() -> Uid {
    Uid::new("Account", "ayse").unwrap()
}

fn adopt() -> Adopt {
    Adopt {
        by: By::new(ayse()),
        contract: Name::new("order").unwrap(),
        id: InstanceId::new("o-3").unwrap(),
        state: Name::new("paid").unwrap(),
        facts: Record::new(),
        once: Some(OnceKey::new("k-adopt").unwrap()),
    }
}

fn legacy_log() -> LegacyLog {
    LegacyLog {
        by: By::new(ayse()),
        contract: Name::new("order").unwrap(),
        id: InstanceId::new("o-4").unwrap(),
        entries: vec![LegacyEntry::new(Timestamp(0), "paid")],
        once: Some(OnceKey::new("k-log").unwrap()),
    }
}

/// A call, its once-key, and the contract and instance that it names.
type Case = (Call, Option<&'static str>, Option<(&'static str, &'static str)>);

/// Every kind of call that writes.
fn calls() -> Vec<Case> {
    let begin = Begin::new(ayse(), "order", "o-1", "place").unwrap().once("k-begin").unwrap();
    let transition = Transition::new(ayse(), "order", "o-2", "pay").unwrap().once("k-pay").unwrap();
    let unkeyed = Transition::new(ayse(), "order", "o-2", "pay").unwrap();
    let mut note = Note::new(ayse(), "mail.sent", b"hello".to_vec()).unwrap();
    note.once = Some(OnceKey::new("k-note").unwrap());
    let mut directory = Directory::new(ayse(), Change::Remove { uid: ayse() });
    directory.once = Some(OnceKey::new("k-directory").unwrap());
    vec![
        (Call::Begin(begin), Some("k-begin"), Some(("order", "o-1"))),
        (Call::Transition(transition), Some("k-pay"), Some(("order", "o-2"))),
        (Call::Transition(unkeyed), None, Some(("order", "o-2"))),
        (Call::Adopt(adopt()), Some("k-adopt"), Some(("order", "o-3"))),
        (Call::LegacyLog(legacy_log()), Some("k-log"), Some(("order", "o-4"))),
        (Call::Note(note), Some("k-note"), None),
        (Call::Directory(directory), Some("k-directory"), None),
    ]
}

#[test]
fn a_call_names_who_asks_its_once_key_and_its_instance() {
    for (call, once, instance) in calls() {
        assert_eq!(call.by().principal, ayse(), "{call:?}");
        assert_eq!(call.once().map(OnceKey::as_str), once, "{call:?}");
        assert_eq!(call.instance().map(|(contract, id)| (contract.as_str(), id.as_str())), instance, "{call:?}");
    }
}

#[test]
fn what_a_call_is_given_stands_in_it() {
    let shop = Uid::new("Shop", "s").unwrap();
    let entity = Entity { uid: shop.clone(), attrs: Record::new(), parents: [ayse()].into(), record: None };
    let can = Can::new(ayse(), "order.pay", shop).with("amount", 5).given(entity.clone());
    assert_eq!(*can.by.context, Record::from([("amount".to_owned(), 5.into())]));
    assert_eq!(*can.by.given, [entity]);
    let begin = Begin::new(ayse(), "order", "o-1", "place").unwrap().fact("total", 7).arg("note", "quick");
    assert_eq!(begin.facts, Record::from([("total".to_owned(), 7.into())]));
    assert_eq!(begin.args, Record::from([("note".to_owned(), "quick".into())]));
    let transition = Transition::new(ayse(), "order", "o-1", "pay").unwrap().arg("amount", 7).because("by phone");
    assert_eq!(transition.args, Record::from([("amount".to_owned(), 7.into())]));
    assert_eq!(transition.reason.as_deref(), Some("by phone"));
    for malformed in ["", "9lives", "a b"] {
        assert!(Begin::new(ayse(), malformed, "o-1", "place").is_err());
        assert!(Transition::new(ayse(), "order", "o-1", malformed).is_err());
    }
}

#[test]
fn the_bytes_of_a_legacy_entry_are_those_of_all_its_texts() {
    let mut entry = LegacyEntry::new(Timestamp(0), "paid");
    assert_eq!(entry.bytes(), 4);
    entry.from = Some("new".into());
    entry.event = Some("payment".into());
    entry.actor = Some("ay\u{15f}e".into());
    entry.detail = Some("by card".into());
    entry.key = Some("17".into());
    assert_eq!(entry.bytes(), 4 + 3 + 7 + 5 + 7 + 2);
}

#[test]
fn an_answer_is_lawful_when_nothing_is_against_it_and_else_has_the_first_code() {
    let mut answer = Answer::refused(LawHash([1; 32]), 3);
    assert!(answer.lawful());
    assert_eq!(answer.code(), None);
    assert!(!answer.allowed, "what nobody has judged yet is not allowed");
    answer.blockers = vec![Blocker::new(Code::Forbidden, ""), Blocker::guard("order.amount_short", "")];
    assert!(!answer.lawful());
    assert_eq!(answer.code(), Some("hos.forbidden"));
    // In shadow the world's own outcome stands, and the law still says no.
    answer.allowed = true;
    assert!(!answer.lawful());
}

#[test]
fn ours_come_before_guards_and_guards_keep_their_order() {
    let mut blockers = vec![
        Blocker::guard("order.z", "first guard"),
        Blocker::new(Code::WrongState, ""),
        Blocker::guard("order.a", "second guard"),
        Blocker::new(Code::EntityMissing, ""),
        Blocker::new(Code::Forbidden, ""),
    ];
    Answer::settle_precedence(&mut blockers);
    let codes: Vec<&str> = blockers.iter().map(|b| &*b.code).collect();
    assert_eq!(codes, ["hos.entity_missing", "hos.forbidden", "hos.wrong_state", "order.z", "order.a"]);
}

#[test]
fn a_refusal_is_shown_by_its_stable_text() {
    for code in Code::ALL {
        assert_eq!(code.to_string(), code.as_str());
    }
    assert_eq!(Blocker::new(Code::Forbidden, "").to_string(), "hos.forbidden");
    assert_eq!(Blocker::new(Code::Forbidden, "`p1`").to_string(), "hos.forbidden: `p1`");
    assert_eq!(Blocker::guard("order.amount_short", "3 of 5").to_string(), "order.amount_short: 3 of 5");
}

#[test]
fn every_refusal_is_explained_in_turkish_too() {
    let mut seen = std::collections::BTreeSet::new();
    for code in Code::ALL {
        let (english, turkish) = (code.meaning(), code.meaning_in("tr"));
        for language in ["tr-TR", "tr_TR"] {
            assert_eq!(code.meaning_in(language), turkish);
        }
        for language in ["en", "en-GB", "de", ""] {
            assert_eq!(code.meaning_in(language), english);
        }
        assert!(turkish != english && turkish.ends_with('.'), "{code}: {turkish}");
        assert!(seen.insert(turkish), "{code} is explained as another is");
        // Commands are the same in every language.
        let commands = |text: &'static str| text.split('`').skip(1).step_by(2).collect::<Vec<_>>();
        assert_eq!(commands(english), commands(turkish), "{code}");
    }
    assert_eq!(
        Code::StoreFull.meaning_in("tr"),
        "Disk dolu; bu \u{e7}a\u{11f}r\u{131}dan hi\u{e7}bir \u{15f}ey saklanmad\u{131}. Yer a\u{e7}\u{131}p yeniden deneyin."
    );
}
