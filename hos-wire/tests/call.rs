//! Calls as JSON: every operation's fields, and every way to get them wrong.

use hos_core::call::{Call, Change};
use hos_core::id::{Tenant, Uid};
use hos_core::refusal::Code;
use hos_core::value::{Ext, Value};
use hos_engine::Failure;
use hos_wire::CALL_BYTES_MAX;
use hos_wire::call::{Ask, HISTORY_MAX, Request, parse};

fn read(operation: &str, json: &str) -> Result<Request, Failure> {
    parse(operation, json.as_bytes(), CALL_BYTES_MAX)
}

fn call(operation: &str, json: &str) -> Call {
    match read(operation, json).unwrap().ask {
        Ask::Call(call) => call,
        other => panic!("{other:?}"),
    }
}

fn ayse() -> Uid {
    Uid::new("Pazar::Account", "ayse").unwrap()
}

const BY: &str = r#""tenant":"pazar-tr","principal":{"type":"Pazar::Account","id":"ayse"}"#;

#[test]
fn a_question_with_all_it_may_bring() {
    let json = format!(
        r#"{{{BY},"language":"tr","request":"req-1","action":"order.view","resource":{{"__entity":{{"type":"Pazar::Order","id":"o-17"}}}},
            "context":{{"ip":{{"__extn":{{"fn":"ip","arg":"10.0.0.1"}}}}}},
            "given":[{{"uid":{{"type":"Pazar::Order","id":"o-17"}},"attrs":{{"total":4200}},"parents":[{{"type":"Pazar::Shop","id":"s"}}]}}],
            "legacy":{{"allowed":true,"state":"paid"}}}}"#
    );
    let request = read("can", &json).unwrap();
    assert_eq!((request.tenant, request.language.as_deref()), (Tenant::new("pazar-tr").unwrap(), Some("tr")));
    let Ask::Can(can) = request.ask else { panic!("no can") };
    assert_eq!((can.by.principal, can.action.as_str(), can.resource.id()), (ayse(), "order.view", "o-17"));
    assert_eq!(can.by.context["ip"], Value::Ext(Ext::Ip, "10.0.0.1".into()));
    assert_eq!(can.by.given[0].attrs["total"], Value::Long(4200));
    assert!(can.by.given[0].parents.contains(&Uid::new("Pazar::Shop", "s").unwrap()));
    let legacy = can.by.legacy.unwrap();
    assert_eq!((legacy.allowed, legacy.state.unwrap().as_str().to_owned()), (true, "paid".to_owned()));
    assert_eq!(can.by.request.unwrap().as_str(), "req-1");
}

/// A thousand questions would else hold what may be as large as the call a thousand times.
#[test]
fn what_is_said_for_all_is_held_once() {
    let (question, own) = (r#""action":"a","resource":{"type":"B","id":"b"}"#, r#","context":{"b":2},"given":[]"#);
    let common = r#""context":{"a":1},"given":[{"uid":{"type":"B","id":"b"}}]"#;
    let several =
        [question.to_owned(), format!("{question}{own}"), question.to_owned()].map(|one| format!("{{{one}}}")).join(",");
    let Ask::CanAll(all) = read("can_all", &format!(r#"{{{BY},{common},"evaluations":[{several}]}}"#)).unwrap().ask else {
        panic!("no questions")
    };
    let [first, second, third] = &all[..] else { panic!("{} questions", all.len()) };
    assert!(std::ptr::eq(&*first.by.context, &*third.by.context) && std::ptr::eq(&*first.by.given, &*third.by.given));
    assert_eq!((first.by.context["a"].clone(), first.by.given.len()), (Value::Long(1), 1));
    assert_eq!((second.by.context["b"].clone(), second.by.given.len()), (Value::Long(2), 0));
    let note = r#"{"operation":"record","stream":"s","payload":"x"}"#;
    let Ask::All(calls) = read("all", &format!(r#"{{{BY},{common},"calls":[{note},{note}]}}"#)).unwrap().ask else {
        panic!("no calls")
    };
    assert!(std::ptr::eq(&*calls[0].by().context, &*calls[1].by().context));
    // Whoever changes a copy changes that one alone.
    let mut other = first.clone();
    other.by.context.insert("c".to_owned(), Value::Long(3));
    assert_eq!((first.by.context.len(), other.by.context.len()), (1, 2));
}

#[test]
fn every_operation_becomes_its_call() {
    let json = format!(
        r#"{{{BY},"contract":"order","id":"o-17","event":"place","facts":{{"total":1}},"args":{{"x":true}},"once":"k"}}"#
    );
    let Call::Begin(begin) = call("begin", &json) else { panic!("no begin") };
    assert_eq!((begin.facts["total"].clone(), begin.args["x"].clone()), (Value::Long(1), Value::Bool(true)));
    assert_eq!(begin.once.unwrap().as_str(), "k");

    let json = format!(r#"{{{BY},"contract":"order","id":"o-17","event":"pay","args":{{"amount":4200}},"reason":"why"}}"#);
    let Call::Transition(transition) = call("transition", &json) else { panic!("no transition") };
    assert_eq!((transition.event.as_str(), transition.reason.as_deref()), ("pay", Some("why")));

    let Call::Note(note) = call("record", &format!(r#"{{{BY},"stream":"till.closed","payload_hex":"00fF"}}"#)) else {
        panic!("no note")
    };
    assert_eq!(note.payload, [0, 255]);
    let Call::Note(note) = call("record", &format!(r#"{{{BY},"stream":"till.closed","payload":"ş"}}"#)) else {
        panic!("no note")
    };
    assert_eq!(note.payload, "ş".as_bytes());

    let json = format!(r#"{{{BY},"contract":"order","id":"o-17","state":"paid","facts":{{}}}}"#);
    let Call::Adopt(adopt) = call("adopt", &json) else { panic!("no adopt") };
    assert_eq!(adopt.state.as_str(), "paid");

    let Ask::Available { by, id, .. } = read("available", &format!(r#"{{{BY},"contract":"order","id":"o-17"}}"#)).unwrap().ask
    else {
        panic!("no available")
    };
    assert_eq!((by.principal, id.as_str()), (ayse(), "o-17"));

    let json = r#"{"tenant":"pazar-tr","contract":"order","id":"o-17","from":3,"limit":99999}"#;
    let Ask::History { from, limit, .. } = read("history", json).unwrap().ask else { panic!("no history") };
    assert_eq!((from, limit), (3, HISTORY_MAX));
}

#[test]
fn directory_changes_have_one_verb() {
    let change = |json: &str| match call("directory", &format!(r#"{{{BY},"change":{json}}}"#)) {
        Call::Directory(directory) => directory.change,
        other => panic!("{other:?}"),
    };
    let uid = r#"{"type":"Pazar::Account","id":"ayse"}"#;
    let role = Uid::new("Pazar::Role", "r").unwrap();
    let both = format!(r#"{{"uid":{uid},"parent":{{"type":"Pazar::Role","id":"r"}}}}"#);
    assert_eq!(change(&format!(r#"{{"put":{{"uid":{uid}}}}}"#)), Change::Put { uid: ayse(), attrs: Default::default() });
    assert_eq!(change(&format!(r#"{{"remove":{{"uid":{uid}}}}}"#)), Change::Remove { uid: ayse() });
    assert_eq!(change(&format!(r#"{{"join":{both}}}"#)), Change::Join { uid: ayse(), parent: role.clone() });
    assert_eq!(change(&format!(r#"{{"leave":{both}}}"#)), Change::Leave { uid: ayse(), parent: role });
    let grant = change(&format!(r#"{{"grant":{{"id":"g","template":"t","principal":{uid}}}}}"#));
    assert_eq!(grant, Change::Grant { id: "g".into(), template: "t".into(), principal: Some(ayse()), resource: None });
    assert_eq!(change(r#"{"revoke":{"id":"g"}}"#), Change::Revoke { id: "g".into() });
    for wrong in [
        "{}".to_owned(),
        format!(r#"{{"put":{{"uid":{uid}}},"remove":{{"uid":{uid}}}}}"#),
        r#"{"delete":{}}"#.to_owned(),
        r#"{"revoke":"g"}"#.to_owned(),
    ] {
        let failure = read("directory", &format!(r#"{{{BY},"change":{wrong}}}"#)).unwrap_err();
        assert_eq!(failure.code, Code::CallMalformed, "{wrong}");
    }
}

#[test]
fn wrong_calls_are_refused_with_a_code_and_a_word_of_help() {
    let long = "x".repeat(256);
    let table: Vec<(&str, String, Code, &str)> = vec![
        ("cann", format!("{{{BY}}}"), Code::CallMalformed, "did you mean `can`?"),
        ("serve", format!("{{{BY}}}"), Code::CallMalformed, "known are can, can_all, begin"),
        ("can", "[]".into(), Code::CallMalformed, "must be an object, not an array"),
        ("can", String::new(), Code::CallMalformed, "no JSON"),
        (
            "can",
            format!(r#"{{{BY},"acton":"x","resource":{{"type":"A","id":"x"}}}}"#),
            Code::CallMalformed,
            "did you mean `action`?",
        ),
        ("can", format!(r#"{{{BY},"contract":"order"}}"#), Code::CallMalformed, "no field `contract`"),
        ("can", format!(r#"{{{BY},"resource":{{"type":"A","id":"x"}}}}"#), Code::CallMalformed, "lacks the field `action`"),
        ("can", r#"{"action":"x","resource":{"type":"A","id":"x"}}"#.into(), Code::CallMalformed, "lacks the field `tenant`"),
        ("can", r#"{"tenant":"t","action":"x"}"#.into(), Code::CallMalformed, "lacks the field `principal`"),
        ("can", r#"{"tenant":"Pazar","action":"x"}"#.into(), Code::IdInvalid, "only a-z"),
        ("can", r#"{"tenant":7}"#.into(), Code::CallMalformed, "must be a string, not a number"),
        (
            "can",
            r#"{"tenant":"t","principal":"Account::ayse","action":"x"}"#.into(),
            Code::CallMalformed,
            "`principal` must be an object",
        ),
        ("can", r#"{"tenant":"t","principal":{"type":"A","id":""},"action":"x"}"#.into(), Code::IdInvalid, "may not be empty"),
        ("can", format!(r#"{{"tenant":"t","principal":{{"type":"A","id":"{long}"}}}}"#), Code::IdInvalid, "at most 255 bytes"),
        ("can", format!(r#"{{{BY},"given":{{}}}}"#), Code::CallMalformed, "`given` must be an array"),
        ("can", format!(r#"{{{BY},"legacy":{{"allowed":1}}}}"#), Code::CallMalformed, "true or false, not a number"),
        ("can", format!(r#"{{{BY},"request":"a b"}}"#), Code::IdInvalid, "request id"),
        ("can", format!(r#"{{{BY},"context":[]}}"#), Code::CallMalformed, "`context` must be an object"),
        ("can", format!(r#"{{{BY},"context":{{"__a":1}}}}"#), Code::CallMalformed, "`__a` is no attribute"),
        ("can", format!(r#"{{{BY},"context":{{"a":null}}}}"#), Code::ValueInvalid, "null"),
        ("can", format!(r#"{{{BY},"context":{{"a":1.5}}}}"#), Code::ValueInvalid, "float"),
        ("can", format!(r#"{{{BY},"context":{{"a":9223372036854775808}}}}"#), Code::ValueInvalid, "beyond 64 bits"),
        ("can", format!(r#"{{{BY},"context":{{"a":1,"a":1}}}}"#), Code::CallMalformed, "stands twice"),
        ("can", format!(r#"{{{BY},"context":{{"a":"{}"}}}}"#, "x".repeat(10 << 20)), Code::CallTooLarge, "bytes of JSON"),
        ("can", format!(r#"{{{BY},"context":{{"a":{}"#, "[".repeat(100_000)), Code::CallTooLarge, "nests more than"),
        ("begin", format!(r#"{{{BY},"contract":"order","id":"","event":"place"}}"#), Code::IdInvalid, "may not be empty"),
        ("begin", format!(r#"{{{BY},"contract":"order","id":"{long}","event":"place"}}"#), Code::IdInvalid, "256"),
        ("begin", format!(r#"{{{BY},"contract":"or der","id":"x","event":"place"}}"#), Code::IdInvalid, "not a name"),
        ("begin", format!(r#"{{{BY},"contract":"order","id":"x","event":"place","once":""}}"#), Code::IdInvalid, "once-key"),
        ("transition", format!(r#"{{{BY},"contract":"order","id":"x"}}"#), Code::CallMalformed, "lacks the field `event`"),
        ("record", format!(r#"{{{BY},"stream":"a..b","payload":""}}"#), Code::IdInvalid, "dotted name"),
        ("record", format!(r#"{{{BY},"stream":"a"}}"#), Code::CallMalformed, "payload"),
        ("record", format!(r#"{{{BY},"stream":"a","payload":"","payload_hex":""}}"#), Code::CallMalformed, "can have one"),
        ("record", format!(r#"{{{BY},"stream":"a","payload_hex":"0"}}"#), Code::CallMalformed, "hexadecimal"),
        ("record", format!(r#"{{{BY},"stream":"a","payload_hex":"+0"}}"#), Code::CallMalformed, "hexadecimal"),
        ("history", format!(r#"{{{BY},"contract":"order","id":"x"}}"#), Code::CallMalformed, "no field `principal`"),
        (
            "history",
            r#"{"tenant":"t","contract":"order","id":"x","from":-1}"#.into(),
            Code::CallMalformed,
            "not a negative number",
        ),
    ];
    for (operation, json, code, words) in table {
        let shown: String = json.chars().take(200).collect();
        let failure = read(operation, &json).expect_err(&shown);
        assert_eq!(failure.code, code, "{operation} {shown}: {}", failure.message);
        assert!(failure.message.contains(words), "{operation} {shown}: {}", failure.message);
    }
}

#[test]
fn odd_ids_are_ids_and_shown_escaped() {
    for id in ["\\u0000", "\\u001b[2J", "\\u202eabc", "ş", " "] {
        let json = format!(r#"{{"tenant":"t","contract":"order","id":"{id}"}}"#);
        let Ask::History { id, .. } = read("history", &json).unwrap().ask else { panic!("no history") };
        assert!(id.to_string().chars().all(|c| !c.is_control() && c != '\u{202e}'), "{id:?}");
    }
    let failure = read("can", "{\"\\u001b[2Jx\":1}").unwrap_err();
    assert!(failure.message.contains("\\u{1b}[2Jx") && !failure.message.contains('\u{1b}'), "{}", failure.message);
}
