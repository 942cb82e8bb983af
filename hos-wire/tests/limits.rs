//! Every limit on JSON from outside at its edge, which is accepted, and one beyond, which is refused with the code that stands
//! beside it; and those of core that first meet the outside here.

use hos_core::limits::{Limit, held};
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::call::parse;
use hos_wire::{CALL_BYTES_MAX, JoinedEngine, Standing, limits, open, strict};

type Case<'a> = (&'a str, &'a dyn Fn(usize) -> Result<(), String>);

fn all_hold(all: &[Limit], cases: &[Case<'_>]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, tried)| {
            let limit = all.iter().find(|limit| limit.name == *name).unwrap_or_else(|| panic!("there is no `{name}`"));
            held(limit, tried).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The code of a refusal, but for one that stands for something else.
fn told<T>(result: Result<T, Failure>, beside: Option<Code>) -> Result<(), String> {
    match result.err().map(|failure| failure.code) {
        Some(code) if Some(code) != beside => Err(code.as_str().to_owned()),
        _ => Ok(()),
    }
}

fn read(operation: &str, json: &str) -> Result<(), String> {
    told(parse(operation, json.as_bytes(), CALL_BYTES_MAX), None)
}

/// A question; what each case changes of it.
fn can(tenant: &str, who: &str, more: &str) -> Result<(), String> {
    read(
        "can",
        &format!(
            r#"{{"tenant":"{tenant}","principal":{{"type":"A","id":"{who}"}},"action":"a","resource":{{"type":"B","id":"b"}}{more}}}"#
        ),
    )
}

fn begin(contract: &str) -> Result<(), String> {
    let json = format!(
        r#"{{"tenant":"t","principal":{{"type":"A","id":"x"}},"contract":"{contract}","id":"1","event":"e","facts":{{}}}}"#
    );
    read("begin", &json)
}

/// Rows of an older log.
fn legacy(rows: &[String]) -> Result<(), String> {
    let json =
        format!(r#"{{"tenant":"t","principal":{{"type":"A","id":"x"}},"contract":"o","id":"1","entries":[{}]}}"#, rows.join(","));
    read("legacy", &json)
}

fn row(word: &str, detail: &str) -> String {
    format!(r#"{{"at":"2020-01-01T00:00:00Z","to":"paid","actor":"{word}","detail":"{detail}"}}"#)
}

#[test]
fn what_stands_in_a_call_ends_at_its_limits() {
    let x = |n: usize| "x".repeat(n);
    let nested = |n: usize| can("t", "x", &format!(r#","context":{{"a":{}1{}}}"#, "[".repeat(n - 1), "]".repeat(n - 1)));
    // A name and its value; a text counts two bytes besides itself.
    let bytes = |n: usize| {
        let mut record = hos_core::value::Record::new();
        record.insert("a".to_owned(), x(n - 3).as_str().into());
        hos_core::value::Value::check_bounds(&record).map_err(|_| Code::CallTooLarge.as_str().to_owned())
    };
    all_hold(
        hos_core::limits::ALL,
        &[
            ("ID_BYTES_MAX", &|n| can("t", &x(n), "")),
            ("TENANT_BYTES_MAX", &|n| can(&x(n), "x", "")),
            ("NAME_BYTES_MAX", &|n| begin(&x(n))),
            ("REQUEST_BYTES_MAX", &|n| can("t", "x", &format!(r#","request":"{}""#, x(n)))),
            ("VALUE_DEPTH_MAX", &nested),
            ("VALUE_BYTES_MAX", &bytes),
            ("LEGACY_ENTRIES_MAX", &|n| legacy(&vec![row("x", "y"); n])),
            ("LEGACY_WORD_BYTES_MAX", &|n| legacy(&[row(&x(n), "y")])),
            ("LEGACY_DETAIL_BYTES_MAX", &|n| legacy(&[row("x", &x(n))])),
        ],
    );
}

#[test]
fn json_and_options_end_at_their_limits() {
    // No such store is there; that is told of options which were read.
    let options = |more: String| told(open(more.as_bytes()), Some(Code::StoreUnavailable));
    let padded = |n: usize| {
        let json = r#"{"store":"/nowhere/none.db"}"#;
        options(format!("{json}{}", " ".repeat(n - json.len())))
    };
    let setting = |name: &str, n: usize| options(format!(r#"{{"store":"/nowhere/none.db","{name}":{n}}}"#));
    let whole = |n: usize| {
        let json = r#"{"tenant":"t","principal":{"type":"A","id":"x"},"action":"a","resource":{"type":"B","id":"b"}}"#;
        read("can", &format!("{json}{}", " ".repeat(n - json.len())))
    };
    let nesting = |n: usize| told(strict::parse(format!("{}1{}", "[".repeat(n), "]".repeat(n)).as_bytes(), CALL_BYTES_MAX), None);
    let rows = |n: usize| {
        let engine = JoinedEngine::open(br#"{"dialect":"mysql","places":"question"}"#).map_err(|failure| failure.message)?;
        let json = r#"{"step":1,"rows":[]}"#;
        let mut given = json.as_bytes().to_vec();
        given.resize(n, b' ');
        match engine.step("go_on", None, &given).standing {
            // There is no such step: the rows were read.
            Some(Standing::Failed(Code::CallMalformed)) => Ok(()),
            Some(Standing::Failed(code)) => Err(code.as_str().to_owned()),
            other => Err(format!("{other:?}")),
        }
    };
    all_hold(
        limits::ALL,
        &[
            ("CALL_BYTES_MAX", &whole),
            ("JSON_NESTING_MAX", &nesting),
            ("OPTIONS_BYTES_MAX", &padded),
            ("DIRECTORY_AGE_MS_MAX", &|n| setting("directory_age_max_ms", n)),
            ("BUSY_TIMEOUT_MS_MAX", &|n| setting("busy_timeout_ms", n)),
            ("EVALUATIONS_MAX", &|n| {
                let one = r#"{"action":"a","resource":{"type":"B","id":"b"}}"#;
                let all = vec![one; n].join(",");
                read("can_all", &format!(r#"{{"tenant":"t","principal":{{"type":"A","id":"x"}},"evaluations":[{all}]}}"#))
            }),
            ("PARENTS_GIVEN_MAX", &|n| {
                let parents =
                    |n: std::ops::Range<usize>| n.map(|i| format!(r#"{{"type":"G","id":"{i}"}}"#)).collect::<Vec<_>>().join(",");
                let entity = |id: usize, of: String| format!(r#"{{"uid":{{"type":"B","id":"{id}"}},"parents":[{of}]}}"#);
                can("t", "x", &format!(r#","given":[{},{}]"#, entity(1, parents(0..n / 2)), entity(2, parents(n / 2..n))))
            }),
            ("ROWS_BYTES_MAX", &rows),
        ],
    );
}
