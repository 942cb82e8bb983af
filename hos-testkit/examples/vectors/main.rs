//! Runs the call vectors in Rust and in C, and writes what they expect.
//!
//! ```text
//! vectors rust            by the wire, and by the engine's own calls
//! vectors c PROGRAM       the C program that reads calls line by line (hos-ffi/tests/c/vectors.c)
//! vectors bless           writes into the files what came; read the difference before you keep it
//! ```
//!
//! The program `hos` is looked for beside, or named by `HOS_BIN`.

mod native;
mod raw;
mod scenario;
mod words;

use scenario::{Came, Case, Scenario, Step, expectation, filled};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A language, as far as the vectors ask.
pub(crate) trait Language {
    /// Opens the engine that calls go to.
    fn open(&mut self, options: &Json) -> Came;
    /// Opens another and closes it.
    fn try_open(&mut self, options: &Json) -> Came;
    /// Closes the engine.
    fn close(&mut self) -> Came;
    /// A call in bytes.
    fn call(&mut self, operation: &str, json: &[u8]) -> Came;
    /// A call in the language's words.
    fn words(&mut self, operation: &str, call: &Json) -> Came;
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn hos() -> PathBuf {
    let beside = || std::env::current_exe().unwrap().parent().unwrap().join("../hos");
    std::env::var_os("HOS_BIN").map_or_else(beside, PathBuf::from)
}

/// Runs a scenario on a new store: what came of each case.
fn run(scenario: &Scenario, language: &mut dyn Language, own_words: bool) -> Vec<Came> {
    let dir = tempfile::tempdir().unwrap();
    let law = root().join("testdata/vectors/call/law");
    let store = scenario.found(&hos(), &law, dir.path());
    let opened = language.open(&scenario.opening(&law, dir.path(), &store));
    assert_eq!(opened.status, "allowed", "{}: {opened:?}", scenario.path.display());
    let came = scenario.cases.iter().map(|case| match &case.step {
        Step::Call(operation, call) if own_words && operation != "failpoint" => language.words(operation, call),
        Step::Call(operation, call) => language.call(operation, call.to_string().as_bytes()),
        Step::Text(operation, text) => language.call(operation, text),
        Step::Open(options) => language.try_open(&filled(options, &law, dir.path(), &store)),
        Step::Close => language.close(),
    });
    let came = came.collect();
    language.close();
    came
}

/// Why a case does not hold; none where it does.
fn differs(case: &Case, came: &Came) -> Option<String> {
    let found = expectation(came);
    let told = found.get("code").is_none() || came.json["error"]["message"].as_str().is_some_and(|m| !m.is_empty());
    (found != case.expect || !told).then(|| format!("expected {}\n     came {found}", case.expect))
}

fn held(name: &str, raw: &mut dyn Language, words: &mut dyn Language) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for scenario in scenario::all(&root().join("testdata/vectors/call")) {
        let (one, other) = (run(&scenario, raw, false), run(&scenario, words, true));
        for (i, case) in scenario.cases.iter().enumerate() {
            let found = [("by `call`", &one[i]), ("in its own words", &other[i])];
            let wrong: Vec<String> =
                found.iter().filter_map(|(how, came)| Some(format!("{how}: {}", differs(case, came)?))).collect();
            if wrong.is_empty() {
                passed += 1;
            } else {
                failed += 1;
                println!("{} {}: {}", scenario.path.display(), case.name, wrong.join("\n"));
            }
        }
    }
    println!("{name}: {passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes what came by the wire into the files, a case in a few lines.
fn bless() {
    for scenario in scenario::all(&root().join("testdata/vectors/call")) {
        let came = run(&scenario, &mut raw::Raw::default(), false);
        let found: Vec<String> = scenario.found.iter().map(|words| format!("    {}", json!(words))).collect();
        let cases: Vec<String> = scenario.cases.iter().zip(&came).map(|(case, came)| written(case, came)).collect();
        let text = format!(
            "{{\n  \"about\": {},\n  \"found\": [\n{}\n  ],\n  \"options\": {},\n  \"cases\": [\n{}\n  ]\n}}\n",
            scenario.about,
            found.join(",\n"),
            json!(scenario.options),
            cases.join(",\n")
        );
        std::fs::write(&scenario.path, text).unwrap();
    }
}

fn written(case: &Case, came: &Came) -> String {
    let step = ["call", "text", "open", "close"].iter().find_map(|name| Some((name, case.whole.get(*name)?))).expect("a step");
    let operation = case.whole.get("operation").map_or(String::new(), |operation| format!(" \"operation\": {operation},"));
    format!(
        "    {{ \"name\": {},{operation}\n      \"{}\": {},\n      \"expect\": {} }}",
        json!(case.name),
        step.0,
        step.1,
        expectation(came)
    )
}

fn main() -> ExitCode {
    // What panics on purpose says so nowhere.
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let said = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        if !said.is_some_and(|said| said.starts_with("planted")) {
            eprintln!("{info}");
        }
    }));
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["rust"] => held("rust", &mut raw::Raw::default(), &mut words::Words::default()),
        ["c", program] => {
            let start = |own_words| native::Native::start(Path::new(program), own_words);
            held("c", &mut start(false), &mut start(true))
        }
        ["bless"] => {
            bless();
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: vectors rust | c PROGRAM | bless");
            ExitCode::from(2)
        }
    }
}
