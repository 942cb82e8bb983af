//! Calls served by an engine, whole and maimed: always one JSON object, and a yes only where it was asked for soundly.

use hos_core::call::{Change, Directory};
use hos_core::id::{Tenant, Uid};
use hos_core::law::mode::{Mode, Modes};
use hos_core::policy::Entity;
use hos_core::refusal::Code;
use hos_core::value::{Record, Value};
use hos_engine::call::By;
use hos_engine::{Engine, Founding, Settings};
use hos_wire::{Standing, serve, serve_with};
use serde_json::{Value as Json, json};
use std::path::Path;
use tempfile::TempDir;

fn uid(kind: &str, id: &str) -> Uid {
    Uid::new(format!("Pazar::{kind}"), id).unwrap()
}

fn active() -> Record {
    Record::from([("active".to_owned(), Value::Bool(true))])
}

fn engine(dir: &TempDir) -> Engine {
    let law = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pazar/law");
    let operator = Entity { uid: uid("Role", "operator"), attrs: Record::new(), parents: Default::default(), record: None };
    let founder = Entity { uid: uid("Account", "root"), attrs: active(), parents: [operator.uid.clone()].into(), record: None };
    let builder = Engine::builder().law_dir(law).unwrap().sqlite(dir.path().join("hos.db")).settings(Settings::default());
    let engine = builder.found(Founding { founder, roles: vec![operator] }).unwrap();
    let root = uid("Account", "root");
    assert!(engine.open_tenant(&By::new(root.clone()), &Tenant::new("pazar-tr").unwrap()).unwrap().allowed);
    let put = |tenant: &str, uid: Uid| {
        let change = Directory::new(root.clone(), Change::Put { uid, attrs: active() });
        assert!(engine.tenant(tenant).unwrap().directory(change).unwrap().allowed);
    };
    put("universe", uid("Account", "ayse"));
    put("pazar-tr", uid("Shop", "kadikoy"));
    engine
}

fn ask(engine: &Engine, operation: &str, call: &Json) -> Json {
    serde_json::from_slice(&serve(engine, operation, call.to_string().as_bytes())).unwrap()
}

fn order(id: &str) -> Json {
    json!({
        "tenant": "pazar-tr", "principal": { "type": "Pazar::Account", "id": "ayse" }, "language": "tr",
        "contract": "order", "id": id, "event": "place",
        "facts": {
            "buyer": { "__entity": { "type": "Pazar::Account", "id": "ayse" } },
            "shop": { "__entity": { "type": "Pazar::Shop", "id": "kadikoy" } },
            "total": 4200,
        },
    })
}

#[test]
fn an_order_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir);
    let born = ask(&engine, "begin", &order("o-1"));
    assert_eq!((&born["allowed"], &born["to"], &born["mode"]), (&json!(true), &json!("new"), &json!("enforce")), "{born}");
    assert!(born.get("code").is_none() && born.get("from").is_none() && born["receipt"]["seal"]["seq"].is_u64());

    let mut pay = order("o-1");
    let object = pay.as_object_mut().unwrap();
    object.remove("facts");
    object.insert("event".into(), json!("pay"));
    object.insert("args".into(), json!({ "amount": 1, "psp_ref": "x" }));
    let short = ask(&engine, "transition", &pay);
    assert_eq!((&short["allowed"], &short["code"]), (&json!(false), &json!("order.amount_short")));
    assert_eq!(short["blockers"][0]["message"], engine.law().unwrap().message("tr", "order.amount_short"));
    pay["args"]["amount"] = json!(4200);
    pay["once"] = json!("k");
    let paid = ask(&engine, "transition", &pay);
    let again = ask(&engine, "transition", &pay);
    assert_eq!((&paid["again"], &again["again"], &again["receipt"]["n"]), (&json!(false), &json!(true), &paid["receipt"]["n"]));
    pay["args"]["amount"] = json!(4201);
    assert_eq!(ask(&engine, "transition", &pay)["code"], "hos.once_conflict");

    let place = json!({ "tenant": "pazar-tr", "contract": "order", "id": "o-1" });
    let history = ask(&engine, "history", &place);
    assert_eq!(history["history"].as_array().unwrap().len(), 2);
    let mut elsewhere = place.clone();
    elsewhere["id"] = json!("o-2");
    assert_eq!(ask(&engine, "history", &elsewhere)["error"]["code"], "hos.instance_unknown");
    elsewhere["contract"] = json!("ordre");
    assert_eq!(ask(&engine, "history", &elsewhere)["error"]["message"], "`ordre`; did you mean `order`?");
    elsewhere["tenant"] = json!("pazar-de");
    assert_eq!(ask(&engine, "history", &elsewhere)["error"]["code"], "hos.tenant_unknown");
}

#[test]
fn a_maimed_call_is_never_a_yes() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir);
    let call = json!({
        "tenant": "pazar-tr", "principal": { "type": "Pazar::Account", "id": "ayse" },
        "action": "shop.view", "resource": { "type": "Pazar::Shop", "id": "kadikoy" },
    });
    let bytes = call.to_string().into_bytes();
    assert_eq!(serve_with(&engine, "can", &bytes, 1 << 20).standing, Standing::Allowed);
    let mut maimed: Vec<Vec<u8>> = (0..bytes.len()).map(|n| bytes[..n].to_vec()).collect();
    for at in 0..bytes.len() {
        for byte in [0, b'"', b'{', b'\\', b'x', 0xff] {
            let mut other = bytes.clone();
            other[at] = byte;
            maimed.push(other);
        }
        let mut other = bytes.clone();
        other.remove(at);
        maimed.push(other);
    }
    for other in maimed.iter().filter(|other| **other != bytes) {
        let served = serve_with(&engine, "can", other, 1 << 20);
        let json: Json = serde_json::from_slice(&served.json).unwrap();
        assert!(served.standing != Standing::Allowed && json["allowed"] != true, "{}: {json}", String::from_utf8_lossy(other));
    }
    assert_eq!(serve_with(&engine, "can", &bytes, bytes.len() - 1).standing, Standing::Failed(Code::CallTooLarge));
}

#[test]
fn in_shadow_the_world_s_word_stands_whatever_a_call_holds() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir);
    let modes = |default: Mode| Modes { default, ..Modes::default() };
    let law = engine.law().unwrap();
    let root = By::new(uid("Account", "root"));
    let with = |key: &str, value: &str, id: &str| {
        let mut call = order(id);
        call["legacy"] = json!({ "allowed": true });
        let text = call.to_string();
        format!("{{\"{key}\":{value},{}", &text[1..])
    };
    let long = format!("\"{}\"", "x".repeat(2 << 20));
    let table = [
        (with("args", "{\"amount\":1.5}", "o-1"), Code::ValueInvalid),
        (with("args", "{\"amount\":null}", "o-1"), Code::ValueInvalid),
        (with("stray", "1", "o-1"), Code::CallMalformed),
        (with("context", &long, "o-1"), Code::CallTooLarge),
        (with("context", &format!("{}{}", "[".repeat(50), "]".repeat(50)), "o-1"), Code::CallTooLarge),
        (with("context", &"[".repeat(100_000), "o-1"), Code::CallTooLarge),
        (with("x", "1", "").replace("\"x\":1,", ""), Code::IdInvalid),
        (with("x", "1", "o-1").replace("\"x\":1,", "").replace("pazar-tr", "nowhere"), Code::TenantUnknown),
    ];
    for mode in [Mode::Shadow, Mode::Enforce] {
        assert!(engine.activate(&root, law.clone(), None, modes(mode)).unwrap().allowed);
        for (text, code) in &table {
            let readable = serde_json::from_str::<Json>(text).is_ok();
            let served = serve_with(&engine, "begin", text.as_bytes(), hos_wire::CALL_BYTES_MAX);
            let told: Json = serde_json::from_slice(&served.json).unwrap();
            if mode == Mode::Shadow && readable {
                assert_eq!(served.standing, Standing::Allowed, "{code} {told}");
                assert_eq!(
                    (&told["allowed"], &told["mode"], &told["divergence"]),
                    (&json!(true), &json!("shadow"), &json!(true))
                );
                assert_eq!((told["code"].as_str(), told.get("receipt")), (Some(code.as_str()), None), "{told}");
            } else {
                // Enforced, or no JSON at all: there is nothing that could stand.
                assert_eq!(served.standing, Standing::Failed(*code), "{told}");
            }
        }
    }
    // A yes of the world's that stands twice in the call is no yes.
    assert!(engine.activate(&root, law, None, modes(Mode::Shadow)).unwrap().allowed);
    let twice = with("legacy", "{\"allowed\":false}", "o-1");
    assert_eq!(serve_with(&engine, "begin", twice.as_bytes(), 1 << 20).standing, Standing::Failed(Code::CallMalformed));
}

#[test]
fn can_with_its_words_apart_says_what_can_says() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir);
    let apart = |tenant: &str, who: &str, action: &str, beside: &Json, told: bool| {
        let text = beside.as_object().filter(|o| !o.is_empty()).map_or(String::new(), |_| beside.to_string());
        let (principal, resource) = (("Pazar::Account", who), ("Pazar::Shop", "kadikoy"));
        hos_wire::can(
            &engine,
            &hos_wire::Asked { tenant, principal, action, resource, context: &[], beside: text.as_bytes() },
            told,
        )
    };
    let whole = |tenant: &str, who: &str, action: &str, beside: &Json| {
        let mut call = beside.clone();
        call["tenant"] = json!(tenant);
        call["principal"] = json!({ "type": "Pazar::Account", "id": who });
        call["action"] = json!(action);
        call["resource"] = json!({ "type": "Pazar::Shop", "id": "kadikoy" });
        serve_with(&engine, "can", call.to_string().as_bytes(), hos_wire::CALL_BYTES_MAX)
    };
    let law = engine.law().unwrap();
    let root = By::new(uid("Account", "root"));
    let mut standings = Vec::new();
    for mode in [Mode::Enforce, Mode::Shadow] {
        assert!(engine.activate(&root, law.clone(), None, Modes { default: mode, ..Modes::default() }).unwrap().allowed);
        for beside in [
            json!({}),
            json!({ "language": "tr", "request": "r-1" }),
            json!({ "legacy": { "allowed": true } }),
            json!({ "legacy": { "allowed": true }, "context": { "x": 1.5 } }),
            json!({ "legacy": { "allowed": false }, "stray": 1 }),
            json!({ "context": [] }),
        ] {
            for (tenant, who, action) in [
                ("pazar-tr", "ayse", "shop.view"),
                ("pazar-tr", "nobody", "shop.view"),
                ("pazar-tr", "ayse", "shop.burn"),
                ("pazar-tr", "", "shop.view"),
                ("nowhere", "ayse", "shop.view"),
                ("No Tenant", "ayse", "shop.view"),
            ] {
                let (one, other) = (whole(tenant, who, action, &beside), apart(tenant, who, action, &beside, true));
                let told = |served: &hos_wire::Served| serde_json::from_slice::<Json>(&served.json).unwrap();
                assert_eq!(one.standing, other.standing, "{mode:?} {tenant} {who} {action} {beside}");
                let (one, other) = (told(&one), told(&other));
                let code = |json: &Json| json.get("code").or_else(|| json.pointer("/error/code")).cloned();
                assert_eq!((code(&one), &one["allowed"]), (code(&other), &other["allowed"]), "{beside}");
                let quiet = apart(tenant, who, action, &beside, false);
                assert!(quiet.json.is_empty() || matches!(quiet.standing, Standing::Failed(_)));
                assert_eq!(quiet.standing, apart(tenant, who, action, &beside, true).standing);
                standings.push(quiet.standing);
            }
        }
    }
    assert!(standings.contains(&Standing::Allowed) && standings.contains(&Standing::Refused));
    let long = "x".repeat(hos_wire::CALL_BYTES_MAX);
    assert_eq!(apart("pazar-tr", "ayse", &long, &json!({}), true).standing, Standing::Failed(Code::CallTooLarge));
}

#[test]
fn a_tenant_is_at_hand_while_its_directory_is_young() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir);
    let can = || {
        ask(
            &engine,
            "can",
            &json!({
                "tenant": "pazar-tr", "principal": { "type": "Pazar::Account", "id": "ayse" },
                "action": "shop.view", "resource": { "type": "Pazar::Shop", "id": "kadikoy" },
            }),
        )
    };
    let age_max = Settings::default().directory_age_max;
    std::thread::sleep(age_max + std::time::Duration::from_millis(20));
    assert!(!hos_wire::is_at_hand(&engine, "pazar-tr"), "too old by now");
    assert_eq!(can()["allowed"], json!(true));
    assert!(hos_wire::is_at_hand(&engine, "pazar-tr"));
    for other in ["nowhere", "No Tenant", ""] {
        assert!(!hos_wire::is_at_hand(&engine, other), "{other}");
    }
}

#[test]
fn several_questions_are_answered_over_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir);
    let shop = json!({ "type": "Pazar::Shop", "id": "kadikoy" });
    let call = |evaluations: Json| json!({ "tenant": "pazar-tr", "principal": { "type": "Pazar::Account", "id": "ayse" }, "language": "tr", "evaluations": evaluations });
    let order = |owner: &str| {
        let whose = json!({ "__entity": { "type": "Pazar::Account", "id": owner } });
        let attrs = json!({ "buyer": whose, "shop": { "__entity": shop }, "total": 1, "state": "new" });
        json!([{ "uid": { "type": "Pazar::Order", "id": "o-1" }, "attrs": attrs }])
    };
    let of = json!({ "type": "Pazar::Order", "id": "o-1" });
    let view = json!({ "action": "shop.view", "resource": shop });
    let asked = json!([view, { "action": "order.view", "resource": of, "given": order("ayse") },
        { "action": "order.view", "resource": of, "given": order("mert") }, { "action": "order.vieuw", "resource": of }]);
    let told = ask(&engine, "can_all", &call(asked.clone()));
    let each = told["evaluations"].as_array().unwrap();
    assert_eq!((told["allowed"].clone(), each.len()), (json!(false), 4), "{told}");
    // Each is what `can` says of it.
    for (one, answer) in asked.as_array().unwrap().iter().zip(each) {
        let mut alone = call(json!([]));
        alone.as_object_mut().unwrap().remove("evaluations");
        for (name, value) in one.as_object().unwrap() {
            alone[name] = value.clone();
        }
        assert_eq!(&ask(&engine, "can", &alone), answer);
    }
    assert_eq!(each.iter().map(|a| a["allowed"].clone()).collect::<Vec<_>>(), [true, true, false, false], "{told}");
    let yes = ask(&engine, "can_all", &call(json!([view, view])));
    assert_eq!((&yes["allowed"], yes["evaluations"].as_array().map(Vec::len)), (&json!(true), Some(2)));
    // What the call says is of all that say nothing themselves.
    let mut common = call(json!([{ "action": "order.view", "resource": of }]));
    common["given"] = order("ayse");
    assert_eq!(ask(&engine, "can_all", &common)["allowed"], true);
    for (evaluations, wanted) in [
        (json!([]), "has 0 questions, not 1 to 1000"),
        (json!({}), "an array of questions, not an object"),
        (json!([{ "action": "shop.view" }]), "an evaluation lacks the field `resource`"),
        (
            json!([{ "action": "shop.view", "resource": shop, "legacy": { "allowed": true } }]),
            "an evaluation has no field `legacy`",
        ),
    ] {
        let error = ask(&engine, "can_all", &call(evaluations));
        assert_eq!(error["error"]["code"], "hos.call_malformed");
        assert!(error["error"]["message"].as_str().unwrap().contains(wanted), "{error}");
    }
    let mut watched = call(json!([view]));
    watched["legacy"] = json!({ "allowed": true });
    assert!(ask(&engine, "can_all", &watched)["error"]["message"].as_str().unwrap().contains("ask it by `can`"));
}
