//! Steps as JSON, without any database.

use super::*;

fn open(options: &str) -> JoinedEngine {
    JoinedEngine::open(options.as_bytes()).unwrap_or_else(|f| panic!("{}", f.message))
}

fn text(stepped: &Stepped) -> String {
    String::from_utf8(stepped.json.clone()).unwrap()
}

const CALL: &str = r#"{"tenant":"t","principal":{"type":"A","id":"x"},"contract":"o","id":"1","event":"go"}"#;

#[test]
fn options_are_looked_at() {
    for (options, wanted) in [
        ("{}", "lacks the field `dialect`"),
        (r#"{"dialect":"oracle","places":"dollar"}"#, "`dialect` is"),
        (r#"{"dialect":"mysql","places":"x"}"#, "`places` is"),
        (r#"{"dialect":"mysql","places":"question","law":"/none"}"#, "/none"),
        (r#"{"dialect":"mysql","places":"question","directory_age_max_ms":60001}"#, "at most 60000"),
        (r#"{"dialect":"mysql","places":"question","together":1}"#, "true or false"),
    ] {
        let Err(failure) = JoinedEngine::open(options.as_bytes()) else { panic!("{options} was opened") };
        assert!(failure.message.contains(wanted), "{options}: {}", failure.message);
    }
}

#[test]
fn outside_a_transaction_nothing_is_asked() {
    let engine = open(r#"{"dialect":"mysql","places":"question"}"#);
    for inside in [None, Some(false)] {
        let stepped = engine.step("transition", inside, CALL.as_bytes());
        assert_eq!(stepped.standing, Some(Standing::Failed(Code::NoTransaction)));
        assert!(text(&stepped).contains(r#""settle":[]"#));
    }
}

#[test]
fn a_step_is_gone_on_with_once_and_by_rows_that_fit() {
    let engine = open(r#"{"dialect":"postgres","places":"dollar"}"#);
    let stepped = engine.step("transition", Some(true), CALL.as_bytes());
    assert_eq!(stepped.standing, None);
    let said: Json = serde_json::from_slice(&stepped.json).unwrap();
    let (step, need) = (said["step"].as_u64().unwrap(), said["need"].as_array().unwrap().len());
    assert!(need > 0 && text(&stepped).contains("$1"));
    let few = engine.step("go_on", None, format!(r#"{{"step":{step},"rows":[]}}"#).as_bytes());
    assert_eq!(few.standing, Some(Standing::Failed(Code::CallMalformed)));
    assert!(text(&few).contains("rows of 0 came"), "{}", text(&few));
    let again = engine.step("go_on", None, format!(r#"{{"step":{step},"rows":[]}}"#).as_bytes());
    assert!(text(&again).contains("is on its way"), "{}", text(&again));
    for rows in ["", "{", r#"{"step":1,"rows":[[[1.5]]]}"#, r#"{"step":1,"rows":[[["*"]]]}"#, r#"{"step":1,"rows":[],"x":1}"#] {
        let stepped = engine.step("go_on", None, rows.as_bytes());
        assert_eq!(stepped.standing, Some(Standing::Failed(Code::CallMalformed)), "{rows}");
    }
}

#[test]
fn a_round_is_one_text_where_the_driver_takes_it() {
    let said = |stepped: &Stepped| serde_json::from_slice::<Json>(&stepped.json).unwrap();
    let options = r#"{"dialect":"postgres","places":"dollar","together":true}"#;
    let first = said(&open(options).step("transition", Some(true), CALL.as_bytes()));
    let sql = first["text"].as_str().unwrap();
    assert!(first["need"].is_null(), "{first}");
    assert!(
        sql.starts_with("SELECT current_setting('bytea_output'), (SELECT CAST(coalesce(json_agg(q)") && !sql.contains('$'),
        "{sql}"
    );

    // A connection that takes no such text has the same round statement by statement, and every later one too.
    let engine = open(options);
    let asked = said(&engine.step("transition", Some(true), CALL.as_bytes()));
    let apart = said(&engine.step("apart", None, format!(r#"{{"step":{}}}"#, asked["step"]).as_bytes()));
    assert_eq!((&apart["step"], apart["need"].as_array().map(Vec::len)), (&asked["step"], Some(4)), "{apart}");
    let store = |value: &[u8]| json!([[BASE64.encode(value)]]);
    let rows = json!({"step": asked["step"], "rows": [store(&[1; 16]), store(&[0; 8]), store(&[2; 32]), [[1]]]});
    let next = said(&engine.step("go_on", None, &bytes(&rows)));
    assert!(next["text"].is_null(), "{next}");

    let engine = open(options);
    let asked = said(&engine.step("transition", Some(true), CALL.as_bytes()));
    let result = |step: &Json, setting: &str| json!({"step": step, "result": [[BASE64.encode(setting), "W10=", "W10="]]});
    assert!(text(&engine.step("go_on", None, &bytes(&result(&asked["step"], "hex")))).contains("has 3 columns, not 5"));
    // Where bytes come otherwise the round is asked again, statement by statement, under another number.
    let asked = said(&engine.step("transition", Some(true), CALL.as_bytes()));
    let again = said(&engine.step("go_on", None, &bytes(&result(&asked["step"], "escape"))));
    assert_eq!(again["need"].as_array().map(Vec::len), Some(4), "{again}");
    assert_ne!(again["step"], asked["step"]);
    let asked = said(&engine.step("transition", Some(true), CALL.as_bytes()));
    let both = json!({"step": asked["step"], "result": [], "rows": []});
    assert!(text(&engine.step("go_on", None, &bytes(&both))).contains("or with the `result`"));
    assert!(text(&engine.step("apart", None, br#"{"step":99}"#)).contains("no step 99"));

    // Outside a transaction the text would be one of its own; a question needs none.
    let question = r#"{"tenant":"t","principal":{"type":"A","id":"x"},"action":"a","resource":{"type":"A","id":"x"}}"#;
    let engine = open(options);
    assert!(said(&engine.step("transition", None, CALL.as_bytes()))["text"].is_null());
    assert!(said(&engine.step("can", None, question.as_bytes()))["text"].is_string());
    let several =
        r#"{"tenant":"t","principal":{"type":"A","id":"x"},"evaluations":[{"action":"a","resource":{"type":"A","id":"x"}}]}"#;
    assert!(said(&engine.step("can_all", None, several.as_bytes()))["text"].is_string());
    let sqlite = open(r#"{"dialect":"sqlite","places":"numbered","together":true}"#);
    assert!(said(&sqlite.step("transition", Some(true), CALL.as_bytes()))["need"].is_array());
}

#[test]
fn several_calls_are_read_one_by_one() {
    let engine = open(r#"{"dialect":"mysql","places":"question","together":true}"#);
    let all = |common: &str, calls: &str| {
        let call = format!(r#"{{"tenant":"t","principal":{{"type":"A","id":"x"}}{common},"calls":{calls}}}"#);
        engine.step("all", Some(true), call.as_bytes())
    };
    let go = r#"{"operation":"transition","contract":"o","id":"1","event":"go","context":{},"given":[]}"#;
    let note = r#"{"operation":"record","stream":"n","payload":"x","once":"k"}"#;
    let stepped = all(r#","context":{"c":1}"#, &format!("[{go},{note}]"));
    assert_eq!(stepped.standing, None, "{}", text(&stepped));
    assert!(text(&stepped).contains(r#""text":"BEGIN NOT ATOMIC"#), "{}", text(&stepped));
    for (common, calls, wanted) in [
        ("", "{}", "`calls` must be an array of calls, not an object"),
        ("", "[]", "`calls` has 0 calls, not 1 to 16"),
        ("", "[1]", "lacks the field `operation`"),
        ("", r#"[{"operation":1}]"#, "lacks the field `operation`"),
        ("", r#"[{"operation":"directory"}]"#, "`directory` is not made as one of several; begin, transition, record, adopt are"),
        ("", r#"[{"operation":"begin","reason":"x"}]"#, "a call of several has no field `reason`"),
        ("", r#"[{"operation":"begin","principal":{}}]"#, "a call of several has no field `principal`"),
        (r#","legacy":{"allowed":true}"#, go, "must be an array of calls"),
        (r#","legacy":{"allowed":true}"#, "[1]", "`legacy` is of one call"),
        ("", &format!("[{}{note}]", format!("{note},").repeat(16)), "`calls` has 17 calls, not 1 to 16"),
        ("", &format!("[{go},{go}]"), "calls 1 and 2 of several are about the same instance"),
    ] {
        let stepped = all(common, calls);
        assert_eq!(stepped.standing, Some(Standing::Failed(Code::CallMalformed)), "{calls}");
        assert!(text(&stepped).contains(wanted), "{calls}: {}", text(&stepped));
    }
}

#[test]
fn nothing_stands_instead_before_the_law_was_read() {
    let engine = open(r#"{"dialect":"mysql","places":"question"}"#);
    let call = CALL.replacen('{', r#"{"legacy":{"allowed":true},"#, 1);
    let told =
        |call: &str, code: &str| json!({ "operation": "transition", "call": call, "code": code, "message": "m" }).to_string();
    for (call, code, wanted) in [(CALL, "hos.store_busy", Code::StoreBusy), ("{", "hos.call_malformed", Code::CallMalformed)] {
        let stepped = engine.step("instead", None, told(call, code).as_bytes());
        assert_eq!(stepped.standing, Some(Standing::Failed(wanted)), "{}", text(&stepped));
    }
    // Of what bears the world's own outcome the law is asked for. A store that holds none has the failure told.
    for (code, wanted) in [("hos.retry", Code::Retry), ("hos.no_such_code", Code::Internal)] {
        let stepped = engine.step("instead", None, told(&call, code).as_bytes());
        assert_eq!(stepped.standing, None, "{}", text(&stepped));
        let told: Json = serde_json::from_slice(&stepped.json).unwrap();
        let need = told["need"].as_array().unwrap().len();
        let given = json!({ "step": told["step"], "rows": vec![json!([]); need] }).to_string();
        let stepped = engine.step("go_on", None, given.as_bytes());
        assert_eq!(stepped.standing, Some(Standing::Failed(wanted)), "{}", text(&stepped));
    }
    assert!(text(&engine.step("instead", None, b"{}")).contains("lacks the field"));
}

#[test]
fn a_claim_is_of_a_call_that_writes() {
    let engine = open(r#"{"dialect":"mysql","places":"question"}"#);
    let claim = |operation: &str| engine.step("claim", Some(true), CALL.replacen('{', operation, 1).as_bytes());
    let stepped = claim(r#"{"operation":"transition","#);
    assert_eq!(stepped.standing, None, "{}", text(&stepped));
    for (operation, wanted) in [
        ("{", "lacks the field `operation`"),
        (r#"{"operation":1,"#, "lacks the field `operation`"),
        (r#"{"operation":"none","#, "is no operation"),
        (r#"{"operation":"history","#, "has no field `event`"),
        (r#"{"operation":"available","#, "has no field `event`"),
    ] {
        let stepped = claim(operation);
        assert_eq!(stepped.standing, Some(Standing::Failed(Code::CallMalformed)), "{operation}");
        assert!(text(&stepped).contains(wanted), "{operation}: {}", text(&stepped));
    }
    let can =
        r#"{"operation":"can","tenant":"t","principal":{"type":"A","id":"x"},"action":"a","resource":{"type":"O","id":"1"}}"#;
    assert!(text(&engine.step("claim", Some(true), can.as_bytes())).contains("`can` claims nothing"));
}

#[test]
fn a_message_is_of_the_law_that_was_read() {
    let engine = open(r#"{"dialect":"sqlite","places":"numbered"}"#);
    let stepped = engine.step("message", None, br#"{"tenant":"t","code":"hos.wrong_state","language":"en"}"#);
    assert_eq!(stepped.standing, Some(Standing::Failed(Code::CallMalformed)));
    assert!(text(&stepped).contains("no law was read yet"), "{}", text(&stepped));
}

#[test]
fn what_is_no_move_is_not_asked_here() {
    let engine = open(r#"{"dialect":"sqlite","places":"numbered"}"#);
    let message = r#"{"tenant":"t","language":"tr","code":"hos.forbidden"}"#;
    for (operation, json) in [("history", "{}"), ("nothing", "{}"), ("refused", r#"{"refusal":9}"#), ("message", message)] {
        let stepped = engine.step(operation, Some(true), json.as_bytes());
        assert!(matches!(stepped.standing, Some(Standing::Failed(_))), "{operation}");
    }
}

#[test]
fn a_call_comes_out_as_it_went_in() {
    let call = call_that_came(&came("transition", CALL.as_bytes())).unwrap();
    assert_eq!(call.instance().unwrap().1.as_str(), "1");
    assert!(call_that_came(b"transition").is_err());
    assert!(call_that_came(&came("can", CALL.as_bytes())).is_err());
}
