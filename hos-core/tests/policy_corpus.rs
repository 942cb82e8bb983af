//! Cedar's own test cases and example apps, through our index and evaluator: decision, reasons and error ids must be equal.

use hos_core::id::Uid;
use hos_core::policy::plain::PlainLaw;
use hos_core::policy::{Effect, Ruling};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

fn data() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cedar");
    if dir.is_dir() {
        return Some(dir);
    }
    println!("skipped: ../shared/data is absent");
    None
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value}"))
}

fn set(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn allowed(ruling: &Ruling) -> bool {
    ruling.effect == Effect::Allow
}

/// Runs every request of one case; returns how many.
fn run(name: &str, case: &Value, read: &dyn Fn(&str) -> String) -> usize {
    let schema = read(text(case, "schema"));
    let law = PlainLaw::new(&read(text(case, "policies")), Some(&schema), &read(text(case, "entities")));
    let law = law.unwrap_or_else(|e| panic!("{name}: {e}"));
    let requests = case["requests"].as_array().unwrap();
    for request in requests {
        let uid = |key: &str| (text(&request[key], "type").to_owned(), text(&request[key], "id").to_owned());
        let (p, a, r) = (uid("principal"), uid("action"), uid("resource"));
        let case = format!("{name}: {}", text(request, "description"));
        let ruling = law
            .decide((&p.0, &p.1), (&a.0, &a.1), (&r.0, &r.1), &request["context"].to_string())
            .unwrap_or_else(|e| panic!("{case}: {e}"));
        assert_eq!(allowed(&ruling), text(request, "decision") == "allow", "{case}: decision");
        assert_eq!(ruling.determining.iter().cloned().collect::<BTreeSet<_>>(), set(&request["reason"]), "{case}: reasons");
        let errors: BTreeSet<String> = ruling.errors.iter().map(|e| e.policy.clone()).collect();
        assert_eq!(errors, set(&request["errors"]), "{case}: errors");
    }
    requests.len()
}

#[test]
fn integration_tests() {
    let Some(data) = data() else { return };
    let root = data.join("integration-tests");
    let (mut files, mut requests) = (0, 0);
    for folder in std::fs::read_dir(root.join("tests")).unwrap().map(|e| e.unwrap().path()) {
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.extension().is_some_and(|e| e == "json") {
                let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
                let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
                requests += run(&path.display().to_string(), &case, &read);
                files += 1;
            }
        }
    }
    println!("{files} files, {requests} requests");
    assert_eq!((files, requests), (22, 74));
}

/// The files of a tar archive, as far as this archive needs: names of at most 100 bytes, sizes in octal.
fn untar(bytes: &[u8]) -> HashMap<String, String> {
    let mut files = HashMap::new();
    let mut at = 0;
    let field = |range: &[u8]| String::from_utf8_lossy(range).trim_end_matches(['\0', ' ']).trim_start().to_owned();
    while let Some(header) = bytes.get(at..at + 512).filter(|h| h[0] != 0) {
        let size = usize::from_str_radix(&field(&header[124..136]), 8).unwrap();
        let body = bytes[at + 512..at + 512 + size].to_vec();
        if matches!(header[156], b'0' | 0) {
            files.insert(field(&header[..100]), String::from_utf8(body).unwrap());
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    files
}

#[test]
fn corpus() {
    let Some(data) = data() else { return };
    let packed = std::fs::File::open(data.join("dev-corpus-slice-0x.tar.gz")).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    let files = untar(&bytes);
    let (mut cases, mut requests) = (0, 0);
    for (name, content) in &files {
        if name.ends_with(".json") && !name.ends_with(".entities.json") {
            let case: Value = serde_json::from_str(content).unwrap();
            requests += run(name, &case, &|file| files[file].clone());
            cases += 1;
        }
    }
    println!("{cases} cases, {requests} requests");
    assert_eq!((cases, requests), (530, 4_240));
}

/// A request of the example apps: entities as Cedar writes them.
fn example(law: &PlainLaw, path: &Path) -> Ruling {
    let request: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let uid = |key: &str| Uid::parse(text(&request, key)).unwrap();
    let (p, a, r) = (uid("principal"), uid("action"), uid("resource"));
    let context = request.get("context").map_or_else(|| "{}".to_owned(), Value::to_string);
    law.decide((p.type_name(), p.id()), (a.type_name(), a.id()), (r.type_name(), r.id()), &context)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn find(folder: &Path, ending: &str) -> Option<String> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().find(|p| p.to_string_lossy().ends_with(ending)).map(|p| std::fs::read_to_string(p).unwrap())
}

fn app(folder: &Path, requests: &mut usize) {
    let policies = find(folder, ".cedar").unwrap();
    let entities = find(folder, "entities.json").unwrap();
    // One app's entities do not conform to its own schema; Cedar reads those without it, and so do we.
    let schema = find(folder, ".cedarschema");
    let mut law = PlainLaw::new(&policies, schema.as_deref(), &entities)
        .or_else(|_| PlainLaw::new(&policies, None, &entities))
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    if let Some(links) = find(folder, "linked") {
        for link in serde_json::from_str::<Value>(&links).unwrap().as_array().unwrap() {
            let slot = |name: &str| link["args"].get(name).map(|v| Uid::parse(v.as_str().unwrap()).unwrap());
            let (p, r) = (slot("?principal"), slot("?resource"));
            let pair = |uid: &Option<Uid>| uid.as_ref().map(|u| (u.type_name().to_owned(), u.id().to_owned()));
            let (p, r) = (pair(&p), pair(&r));
            law.link(
                text(link, "template_id"),
                text(link, "link_id"),
                p.as_ref().map(|(t, i)| (t.as_str(), i.as_str())),
                r.as_ref().map(|(t, i)| (t.as_str(), i.as_str())),
            )
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        }
    }
    for (answer, expected) in [("ALLOW", true), ("DENY", false)] {
        let Ok(files) = std::fs::read_dir(folder.join(answer)) else { continue };
        for path in files.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "json")) {
            let ruling = example(&law, &path);
            assert_eq!(allowed(&ruling), expected, "{}: {ruling:?}", path.display());
            *requests += 1;
        }
    }
}

#[test]
fn example_apps() {
    let Some(data) = data() else { return };
    let mut open = vec![data.join("examples")];
    let (mut apps, mut requests) = (0, 0);
    while let Some(folder) = open.pop() {
        if folder.join("ALLOW").is_dir() || folder.join("DENY").is_dir() {
            app(&folder, &mut requests);
            apps += 1;
            continue;
        }
        open.extend(std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()));
    }
    println!("{apps} apps, {requests} requests");
    assert!(apps >= 10 && requests >= 30, "{apps} apps, {requests} requests");
}
