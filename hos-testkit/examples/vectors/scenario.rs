//! A file of call vectors, and what a case expects (`testdata/vectors/call/README.md`).

use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One store and calls on it in order.
pub(crate) struct Scenario {
    pub(crate) path: PathBuf,
    pub(crate) about: Json,
    pub(crate) found: Vec<Vec<String>>,
    pub(crate) options: Map<String, Json>,
    pub(crate) cases: Vec<Case>,
}

/// One case: what is done, and the object that it was read from.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) step: Step,
    pub(crate) expect: Json,
    pub(crate) whole: Map<String, Json>,
}

/// What a case does.
pub(crate) enum Step {
    Call(String, Json),
    Text(String, Vec<u8>),
    Open(Json),
    Close,
}

/// What came of a step: the class of the C ABI in small letters, and the JSON.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) status: String,
    pub(crate) json: Json,
}

/// Every scenario, by name.
pub(crate) fn all(place: &Path) -> Vec<Scenario> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(place).expect("the vectors").map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    paths.iter().map(|path| read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))).collect()
}

fn read(path: &Path) -> Result<Scenario, String> {
    let whole: Json = serde_json::from_slice(&std::fs::read(path).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let words = |list: &Json| -> Option<Vec<String>> { list.as_array()?.iter().map(|w| Some(w.as_str()?.to_owned())).collect() };
    let found = whole["found"].as_array().ok_or("no `found`")?.iter().map(|l| words(l).ok_or("`found` holds lists of texts"));
    let cases = whole["cases"].as_array().ok_or("no `cases`")?.iter().map(case);
    Ok(Scenario {
        path: path.to_owned(),
        about: whole["about"].clone(),
        found: found.collect::<Result<_, _>>()?,
        options: whole["options"].as_object().cloned().unwrap_or_default(),
        cases: cases.collect::<Result<_, _>>()?,
    })
}

fn case(case: &Json) -> Result<Case, String> {
    let name = case["name"].as_str().ok_or("a case has no `name`")?.to_owned();
    let operation = || case["operation"].as_str().map(str::to_owned).ok_or(format!("{name}: no `operation`"));
    let step = match (case.get("call"), case.get("text"), case.get("open"), case.get("close")) {
        (Some(call), None, None, None) => Step::Call(operation()?, call.clone()),
        (None, Some(text), None, None) => Step::Text(operation()?, long(text).ok_or(format!("{name}: no text"))?),
        (None, None, Some(open), None) => Step::Open(open.clone()),
        (None, None, None, Some(Json::Bool(true))) => Step::Close,
        _ => return Err(format!("{name}: one of `call`, `text`, `open` and `close`")),
    };
    let whole = case.as_object().cloned().unwrap_or_default();
    Ok(Case { step, expect: case["expect"].clone(), whole, name })
}

/// A text, or one that is repeated.
fn long(text: &Json) -> Option<Vec<u8>> {
    if let Some(text) = text.as_str() {
        return Some(text.as_bytes().to_vec());
    }
    let part = |name: &str| text.get(name).map_or(Some(""), Json::as_str);
    let times = usize::try_from(text["times"].as_u64()?).ok()?;
    Some([part("before")?, &part("repeat")?.repeat(times), part("after")?].concat().into_bytes())
}

impl Scenario {
    /// Makes the store in an empty directory, with the program `hos`.
    pub(crate) fn found(&self, hos: &Path, law: &Path, dir: &Path) -> PathBuf {
        let store = dir.join("store.db");
        for words in &self.found {
            let words =
                words.iter().map(|w| w.replace("{law}", &law.display().to_string()).replace("{dir}", &dir.display().to_string()));
            let output = Command::new(hos).args(words).env("HOS_STORE", &store).stdin(Stdio::null()).output().expect("hos runs");
            assert!(output.status.success(), "{}: {output:?}", self.path.display());
        }
        store
    }

    /// The options that the engine is opened with.
    pub(crate) fn opening(&self, law: &Path, dir: &Path, store: &Path) -> Json {
        let mut options = Json::Object(self.options.clone());
        if options.get("store").is_none() {
            options["store"] = json!("{store}");
        }
        filled(&options, law, dir, store)
    }
}

/// Options with the names of this run's places in them.
pub(crate) fn filled(options: &Json, law: &Path, dir: &Path, store: &Path) -> Json {
    match options {
        Json::String(text) => Json::String(placed(text, law, dir, store)),
        Json::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), filled(v, law, dir, store))).collect(),
        other => other.clone(),
    }
}

fn placed(text: &str, law: &Path, dir: &Path, store: &Path) -> String {
    let places = [("{law}", law), ("{dir}", dir), ("{store}", store)];
    places.into_iter().fold(text.to_owned(), |text, (name, place)| text.replace(name, &place.display().to_string()))
}

/// What a case that came out so expects.
pub(crate) fn expectation(came: &Came) -> Json {
    let code = came.json.pointer("/error/code");
    match code {
        Some(code) => json!({ "status": came.status, "code": code }),
        None if came.json.as_object().is_some_and(Map::is_empty) => json!({ "status": came.status }),
        None => json!({ "status": came.status, "answer": normal(&came.json) }),
    }
}

/// The normal form of an answer: without what no two runs have in common.
pub(crate) fn normal(json: &Json) -> Json {
    match json {
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(k, _)| !["law", "guard_law", "time"].contains(&k.as_str()));
            let one = |(k, v): (&String, &Json)| match k.as_str() {
                "receipt" => (k.clone(), json!({ "tenant": v["tenant"], "n": v["n"], "sealed": v.get("seal").is_some() })),
                "deadlines" => (k.clone(), v.as_object().map_or(v.clone(), |times| times.keys().cloned().collect())),
                _ => (k.clone(), normal(v)),
            };
            Json::Object(kept.map(one).collect())
        }
        Json::Array(items) => items.iter().map(normal).collect(),
        other => other.clone(),
    }
}
