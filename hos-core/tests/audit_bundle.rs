//! The vectors in `testdata/vectors/{bundle,trust,heads}`: what a verifier believes, the same from every verifier.
//!
//! One test reads the files and holds the code to them, as a stranger would. Another makes them anew from fixed seeds and
//! compares; with `HOS_WRITE_VECTORS=1` it writes those that are missing. A file that was released is never written again.

mod audit_support;
#[path = "audit_support/cases/mod.rs"]
mod cases;
#[path = "audit_support/verdict.rs"]
mod verdict;

use audit_support::{hex, unhex};
use cases::{heads, trust};
use hos_core::digest::{heads_label, heads_thread};
use hos_core::id::*;
use hos_core::proof::heads::*;
use hos_core::proof::trust::Trust;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ROOMS: [&str; 3] = ["bundle", "trust", "heads"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors").join(name)
}

type Vectors = BTreeMap<String, Json>;

fn numbered(cases: Vec<(&str, Json)>) -> Vectors {
    cases.into_iter().enumerate().map(|(i, (name, case))| (format!("{:03}_{name}.json", i + 1), case)).collect()
}

/// Each case comes out as it was meant to, or is told of.
fn bundle_vectors() -> Vectors {
    let (mut out, mut wrong) = (Vec::new(), Vec::new());
    for case in cases::all() {
        let said = verdict::of(&case.bundle, &case.trust, &case.against);
        let found = said["code"].as_str().or(said["verdict"].as_str()).unwrap_or_default();
        if found != case.expected {
            wrong.push(format!("{}: {said} instead of {}", case.name, case.expected));
        }
        let mut json = json!({
            "what": "bundle", "about": case.about, "bundle": hex(&case.bundle), "trust": case.trust, "verdict": said,
        });
        if !case.against.is_empty() {
            json["against"] = json!(case.against);
        }
        out.push((case.name, json));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    numbered(out)
}

fn trust_file(case: trust::File) -> (&'static str, Json) {
    let mut json = json!({"what": "trust", "about": case.about});
    match String::from_utf8(case.bytes) {
        Ok(text) => json["text"] = text.into(),
        Err(error) => json["bytes"] = hex(error.as_bytes()).into(),
    }
    if let Some(error) = case.error {
        json["error"] = error.into();
    }
    (case.name, json)
}

fn belief(case: trust::Belief) -> (&'static str, Json) {
    let mut json = json!({"what": "belief", "about": case.about, "trust": case.trust, "note": case.note});
    match case.outcome {
        Ok(witnesses) => json["witnesses"] = json!(witnesses),
        Err(error) => json["error"] = error.into(),
    }
    (case.name, json)
}

fn trust_vectors() -> Vectors {
    let (files, beliefs) = trust::first_of_several();
    let out = trust::files().into_iter().map(trust_file).chain(trust::beliefs().into_iter().map(belief));
    numbered(out.chain(files.into_iter().map(trust_file)).chain(beliefs.into_iter().map(belief)).collect())
}

fn heads_vectors() -> Vectors {
    numbered(heads::all().into_iter().chain(heads::keys()).collect())
}

fn made(room: &str) -> Vectors {
    match room {
        "bundle" => bundle_vectors(),
        "trust" => trust_vectors(),
        _ => heads_vectors(),
    }
}

fn text<'a>(case: &'a Json, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} is a text"))
}

fn fixed<const N: usize>(case: &Json, field: &str) -> [u8; N] {
    unhex(text(case, field)).try_into().unwrap()
}

fn leaf(case: &Json) -> Head {
    Head {
        key: MapKey(fixed(case, "key")),
        kind: HeadKind::from_number(case["kind"].as_u64().unwrap()).unwrap(),
        thread: Handle(fixed(case, "thread")),
        n: case["n"].as_u64().unwrap(),
        last: RecordHash(fixed(case, "record")),
    }
}

/// A proof is of presence where its end is the key's own leaf, of absence otherwise.
fn proved(root: &MapHash, proof: &Json) -> Result<(), HeadsError> {
    let key = MapKey(fixed(proof, "key"));
    let end = proof["end"].is_object().then(|| leaf(&proof["end"]));
    let siblings = proof["siblings"].as_array().unwrap().iter().map(|hash| MapHash::from_hex(hash.as_str().unwrap()).unwrap());
    let siblings: Vec<MapHash> = siblings.collect();
    match end {
        Some(end) if end.key == key => verify_presence(root, &end, &siblings),
        end => verify_absence(root, &key, end.as_ref(), &siblings),
    }
}

fn run_heads(name: &str, case: &Json) {
    let mut builder = HeadsBuilder::default();
    case["leaves"].as_array().unwrap().iter().for_each(|one| builder.push(&leaf(one)));
    let map = builder.finish().unwrap();
    assert_eq!(map.root().to_string(), text(case, "root"), "{name}");
    for (i, proof) in case["proofs"].as_array().unwrap().iter().enumerate() {
        let outcome = proved(&map.root(), proof);
        assert_eq!(outcome.is_err(), proof.get("error").is_some(), "{name}, proof {i}: {outcome:?}");
        if outcome.is_ok() {
            let way = map.way(&MapKey(fixed(proof, "key"))).siblings;
            assert_eq!(proof["siblings"], json!(way.iter().map(MapHash::to_string).collect::<Vec<_>>()), "{name}, proof {i}");
        }
    }
}

fn run(name: &str, case: &Json) {
    let tenant = || Tenant::new(text(case, "tenant")).unwrap();
    let error = case.get("error").and_then(Json::as_str);
    match text(case, "what") {
        "bundle" => {
            let against = case["against"].as_array().into_iter().flatten().map(|note| note.as_str().unwrap().to_owned());
            let against: Vec<String> = against.collect();
            assert_eq!(verdict::of(&unhex(text(case, "bundle")), text(case, "trust"), &against), case["verdict"], "{name}");
        }
        "trust" => {
            let bytes = case["text"].as_str().map_or_else(|| unhex(text(case, "bytes")), |text| text.as_bytes().to_vec());
            assert_eq!(Trust::parse(&bytes).err().map(|e| e.code()), error, "{name}");
        }
        "belief" => {
            let believed = Trust::parse(text(case, "trust").as_bytes()).unwrap().believe(text(case, "note").as_bytes());
            let believed = believed.map(|believed| json!(believed.witnesses)).map_err(|e| e.code());
            let wanted = error.map_or_else(|| Ok(case["witnesses"].clone()), |error| Err(error.to_owned()));
            assert_eq!(believed, wanted, "{name}");
        }
        "heads" => run_heads(name, case),
        "label" => {
            let made = heads_label(&tenant(), text(case, "contract"), text(case, "id"));
            assert_eq!(made.to_string(), text(case, "label"), "{name}");
        }
        "thread_key" => {
            assert_eq!(heads_thread(&tenant(), &Handle(fixed(case, "thread"))).to_string(), text(case, "key"), "{name}");
        }
        other => panic!("{name}: a vector of an unknown kind, {other}"),
    }
}

fn files(room: &str) -> Vectors {
    let mut out = Vectors::new();
    for item in std::fs::read_dir(folder(room)).unwrap() {
        let path = item.unwrap().path();
        if path.extension().is_some_and(|e| e == "json") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            out.insert(name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap());
        }
    }
    out
}

#[test]
fn the_files_hold() {
    for (room, least) in ROOMS.into_iter().zip([300, 80, 10]) {
        let files = files(room);
        assert!(files.len() >= least, "{room}: only {} vectors", files.len());
        files.iter().for_each(|(name, case)| run(name, case));
    }
}

#[test]
fn the_files_are_what_the_seeds_give() {
    for room in ROOMS {
        let vectors = made(room);
        for (file, case) in &vectors {
            let path = folder(room).join(file);
            if std::env::var_os("HOS_WRITE_VECTORS").is_some() && !path.exists() {
                std::fs::create_dir_all(folder(room)).unwrap();
                std::fs::write(&path, serde_json::to_string_pretty(case).unwrap() + "\n").unwrap();
            }
        }
        let files = files(room);
        assert!(files.keys().eq(vectors.keys()), "{room}: a file is missing, or is of no case");
        vectors.iter().for_each(|(file, case)| assert_eq!(files[file], *case, "{room}/{file}"));
    }
}

/// The words of a specification's tables in the form `room.word`.
fn codes_of(page: &str, rooms: &[&str]) -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder("../../spec").join(page)).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let is_code =
        |word: &&str| word.split_once('.').is_some_and(|(room, word)| rooms.contains(&room) && !word.contains(['*', '.', ' ']));
    quoted.filter(is_code).map(str::to_owned).filter(|word| !word.ends_with(".md")).collect()
}

/// Every code that the pages name is the outcome of a vector; but for a file beyond 64 MiB, which no vector is.
#[test]
fn every_code_has_a_vector() {
    let mut met: BTreeSet<String> = BTreeSet::new();
    for room in ROOMS {
        for case in files(room).values() {
            let codes = [case.get("error"), case["verdict"].get("code")];
            met.extend(codes.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned));
        }
    }
    let rooms = [
        "bundle",
        "log",
        "key",
        "thread",
        "heads",
        "law",
        "activation",
        "directory",
        "inclusion",
        "part",
        "trust",
        "checkpoint",
        "roots",
    ];
    let mut due = codes_of("bundle.md", &rooms);
    due.extend(codes_of("trust.md", &["policy", "trust", "checkpoint"]));
    due.extend(["foreign", "disputed"].map(str::to_owned));
    let missing: Vec<&String> = due.iter().filter(|code| !met.contains(*code) && *code != "bundle.too_large").collect();
    assert!(missing.is_empty(), "no vector for {missing:?}");
    assert!(due.len() > 45, "only {due:?}");
    let mut longest = cases::all().swap_remove(0);
    longest.bundle.resize(hos_core::limits::BUNDLE_BYTES_MAX + 1, 0);
    assert_eq!(verdict::of(&longest.bundle, &longest.trust, &[])["code"], "bundle.too_large");
}
