//! Floors: arrows run down only, core is pure, the wings never name each other, `unsafe` lives in one crate.

use super::Finding;
use super::scan::{Source, line_of};

/// What core must not name: the world outside. Paths are compared by their first segments.
const IMPURE: [&[&str]; 11] = [
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "os"],
    &["std", "io"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["jiff", "Zoned"],
    &["jiff", "Timestamp", "now"],
];
/// Calls that read a clock under whatever name they were brought in.
const CLOCKS: [&[&str]; 4] = [&["SystemTime", "now"], &["Instant", "now"], &["Timestamp", "now"], &["Zoned", "now"]];
/// What starts a thread. The engine starts none that outlives a call: programs that embed it fork. So all of it stands in one file,
/// whose threads are scoped: the scope cannot end before they have.
const THREADS: [&[&str]; 3] = [&["thread", "spawn"], &["thread", "scope"], &["thread", "Builder"]];
/// Where the engine may start scoped threads.
const CREW: &str = "hos-engine/src/verify/crew.rs";
/// Core's wings, and what each may name of the others.
const WINGS: [(&str, &[&str]); 4] = [("policy", &[]), ("contract", &[]), ("proof", &[]), ("law", &["policy", "contract"])];
/// Core's ground words, which name no wing and nothing above one.
const GROUND: [&str; 11] =
    ["canon", "digest", "fault", "id", "layered", "limits", "refusal", "shape", "spanned", "time", "value"];
/// What stands above the ground.
const ABOVE_GROUND: [&str; 7] = ["answer", "call", "policy", "contract", "proof", "law", "judge"];
/// Each crate of the house, with the crates it may name.
pub(super) const HOUSE: [(&str, &[&str]); 16] = [
    ("hos-core", &[]),
    ("hos-engine", &["hos_core"]),
    ("hos-wire", &["hos_core", "hos_engine"]),
    ("hos-drivers", &["hos_core", "hos_engine", "hos_wire"]),
    ("hos-cli", &["hos_core", "hos_engine", "hos_wire", "hos_drivers"]),
    ("hos-ffi", &["hos_core", "hos_engine", "hos_wire"]),
    ("hos-testkit", &["hos_core", "hos_engine", "hos_wire", "hos_drivers"]),
    ("hos-models", &[]),
    ("bindings/python", &["hos_core", "hos_engine", "hos_wire"]),
    ("bindings/node", &["hos_core", "hos_engine", "hos_wire"]),
    ("examples/pazar", &["hos_core", "hos_engine", "hos_wire"]),
    ("benches", &["hos_core", "hos_engine", "hos_drivers", "hos_wire"]),
    ("xtask", &[]),
    ("xtask/mutants", &[]),
    ("benches/peers", &[]),
    ("fuzz", &["hos_testkit", "hos_ffi"]),
];
/// What tests may name besides: the engine's run on real databases, too; simulated days on a file that several processes share; and
/// who kills holds what was told against what is there.
const TESTS: [(&str, &str); 4] = [
    ("hos-engine", "hos_drivers"),
    ("hos-testkit", "hos_drivers"),
    ("hos-engine", "hos_testkit"),
    ("hos-drivers", "hos_testkit"),
];
/// Every name that a crate of the house has in code.
const HOUSE_NAMES: [&str; 12] = [
    "hos_core",
    "hos_engine",
    "hos_wire",
    "hos_drivers",
    "hos_cli",
    "hos_ffi",
    "hos_server",
    "hos_testkit",
    "hos_models",
    "hos_bench",
    "pazar",
    "xtask",
];

/// All findings of this rule.
pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut out = Vec::new();
    for source in sources {
        unsafety(source, &mut out);
        let Some(package) = source.package() else { continue };
        direction(source, package, &mut out);
        if package == "hos-engine" && !source.is_test {
            threads(source, &mut out);
        }
        if package == "hos-core" && !source.is_test {
            purity(source, &mut out);
            wings(source, &mut out);
        }
    }
    out
}

fn unsafety(source: &Source, out: &mut Vec<Finding>) {
    if source.path.starts_with("hos-ffi/") {
        return;
    }
    for (at, _) in source.code.match_indices("unsafe") {
        let bytes = source.code.as_bytes();
        let word = |i: Option<&u8>| i.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if !word(at.checked_sub(1).and_then(|i| bytes.get(i))) && !word(bytes.get(at + 6)) {
            out.push(Finding::error(&source.path, line_of(&source.code, at), "`unsafe` may stand in hos-ffi only"));
        }
    }
}

fn direction(source: &Source, package: &str, out: &mut Vec<Finding>) {
    let Some((_, allowed)) = HOUSE.iter().find(|(name, _)| *name == package) else {
        out.push(Finding::error(&source.path, 0, format!("`{package}` is not in the floor plan")));
        return;
    };
    let own = package.rsplit('/').next().unwrap_or(package).replace('-', "_");
    for (line, path) in &source.names {
        let first = path[0].as_str();
        let in_tests = source.is_test && TESTS.contains(&(package, first));
        if HOUSE_NAMES.contains(&first) && first != own && !allowed.contains(&first) && !in_tests {
            out.push(Finding::error(&source.path, *line, format!("{package} names `{first}`, which is not below it")));
        }
    }
}

fn purity(source: &Source, out: &mut Vec<Finding>) {
    for (line, path) in &source.names {
        let names = |banned: &[&str]| path.len() >= banned.len() && path.iter().zip(banned).all(|(a, b)| a == b);
        let ends = |banned: &[&str]| path.len() >= 2 && path[path.len() - 2..] == *banned;
        if IMPURE.iter().any(|b| names(b)) || CLOCKS.iter().any(|b| ends(b)) || path[0] == "getrandom" {
            out.push(Finding::error(&source.path, *line, format!("core is pure and may not name `{}`", path.join("::"))));
        }
    }
    for word in ["println!", "eprintln!", "dbg!", "include_str!", "include_bytes!", "env!"] {
        for (at, _) in source.code.match_indices(word) {
            let inside = at
                .checked_sub(1)
                .is_some_and(|i| source.code.as_bytes()[i].is_ascii_alphanumeric() || source.code.as_bytes()[i] == b'_');
            if !inside {
                out.push(Finding::error(
                    &source.path,
                    line_of(&source.code, at),
                    format!("core is pure and may not say `{word}`"),
                ));
            }
        }
    }
}

fn threads(source: &Source, out: &mut Vec<Finding>) {
    for (line, path) in &source.names {
        let found = THREADS.iter().find(|starts| path.windows(2).any(|pair| pair == **starts));
        if let Some(starts) = found.filter(|starts| source.path != CREW || starts[1] == "spawn") {
            let name = starts.join("::");
            out.push(Finding::error(&source.path, *line, format!("the engine starts no thread that outlives a call: `{name}`")));
        }
    }
}

fn wings(source: &Source, out: &mut Vec<Finding>) {
    let inside = source.path.trim_start_matches("hos-core/src/");
    let room = inside.split(['/', '.']).next().unwrap_or("");
    let forbidden: Vec<&str> = if let Some((_, may)) = WINGS.iter().find(|(wing, _)| *wing == room) {
        ABOVE_GROUND.iter().copied().filter(|w| *w != room && !may.contains(w)).collect()
    } else if GROUND.contains(&room) {
        ABOVE_GROUND.to_vec()
    } else {
        return;
    };
    let depth = if inside.ends_with("/mod.rs") { inside.matches('/').count() } else { inside.matches('/').count() + 1 };
    for (line, path) in &source.names {
        let supers = path.iter().take_while(|s| *s == "super").count();
        let named = match path[0].as_str() {
            "crate" => path.get(1),
            "super" if supers == depth => path.get(supers),
            _ => None,
        };
        if let Some(named) = named.filter(|n| forbidden.contains(&n.as_str())) {
            out.push(Finding::error(&source.path, *line, format!("`{room}` may not name `{named}`")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::File;

    fn findings(path: &str, code: &str) -> Vec<String> {
        check(&[Source::new(&File { path: path.into(), text: code.into() })]).into_iter().map(|f| f.message).collect()
    }

    #[test]
    fn core_is_pure() {
        for planted in [
            "use std::fs;",
            "use std::{collections::BTreeMap, net::TcpStream};",
            "fn f() { std::thread::spawn(|| ()); }",
            "fn f() -> String { std::env::var(\"A\").unwrap() }",
            "use std::time::SystemTime;",
            "fn f() { let t = jiff::Timestamp::now(); }",
            "fn f() { println!(\"x\"); }",
        ] {
            assert_eq!(findings("hos-core/src/time.rs", planted).len(), 1, "{planted}");
            assert!(findings("hos-cli/src/main.rs", planted).is_empty(), "{planted}");
        }
        for sound in
            ["use std::time::Duration;", "// std::fs\nconst A: &str = \"std::fs\";", "#[cfg(test)]\nmod tests { use std::fs; }"]
        {
            assert!(findings("hos-core/src/time.rs", sound).is_empty(), "{sound}");
        }
    }

    #[test]
    fn the_engine_s_threads_end_with_the_call() {
        let started = |path: &str, code: &str| findings(path, code).len();
        for planted in [
            "fn f() { std::thread::spawn(|| ()); }",
            "use std::thread;\nfn f() { thread::Builder::new(); }",
            "use std::thread;\nfn f() { thread::scope(|s| ()); }",
        ] {
            assert_eq!(started("hos-engine/src/work.rs", planted), 1, "{planted}");
            assert_eq!(started(CREW, planted), usize::from(planted.contains("thread::spawn")), "{planted}");
        }
        assert_eq!(started("hos-engine/src/work.rs", "fn f() { std::thread::yield_now(); }"), 0);
        assert_eq!(started("hos-engine/src/work.rs", "#[cfg(test)]\nmod tests { fn f() { std::thread::spawn(|| ()); } }"), 0);
        assert_eq!(started("hos-engine/tests/days.rs", "fn f() { std::thread::spawn(|| ()); }"), 0);
    }

    #[test]
    fn wings_never_name_each_other() {
        assert_eq!(
            findings("hos-core/src/policy/mod.rs", "use crate::contract::Contract;"),
            ["`policy` may not name `contract`"]
        );
        assert_eq!(
            findings("hos-core/src/contract/step.rs", "use super::super::proof::Kind;"),
            ["`contract` may not name `proof`"]
        );
        assert_eq!(findings("hos-core/src/policy/mod.rs", "use super::{law, id};"), ["`policy` may not name `law`"]);
        assert_eq!(findings("hos-core/src/law/mod.rs", "use crate::proof::record::Header;"), ["`law` may not name `proof`"]);
        assert_eq!(findings("hos-core/src/id.rs", "use crate::answer::Answer;"), ["`id` may not name `answer`"]);
        assert!(findings("hos-core/src/law/bundle.rs", "use crate::{policy::PolicyLaw, contract::Contract};").is_empty());
        assert!(findings("hos-core/src/judge/mod.rs", "use crate::{policy::PolicyLaw, proof::record::Header};").is_empty());
    }

    #[test]
    fn arrows_run_down() {
        assert_eq!(
            findings("hos-core/src/id.rs", "use hos_engine::Engine;"),
            ["hos-core names `hos_engine`, which is not below it"]
        );
        assert_eq!(
            findings("hos-engine/src/engine.rs", "fn f(c: hos_wire::Call) {}"),
            ["hos-engine names `hos_wire`, which is not below it"]
        );
        assert_eq!(
            findings("hos-cli/src/main.rs", "use hos_testkit::model;"),
            ["hos-cli names `hos_testkit`, which is not below it"]
        );
        assert_eq!(
            findings("hos-engine/src/open.rs", "use hos_drivers::connector;"),
            ["hos-engine names `hos_drivers`, which is not below it"]
        );
        assert_eq!(findings("hos-ffi/src/lib.rs", "use hos_drivers::connector;").len(), 1);
        assert!(findings("hos-engine/tests/days.rs", "use hos_drivers::connector;").is_empty());
        assert!(findings("hos-cli/src/place.rs", "fn f() { hos_drivers::connector(\"\"); }").is_empty());
        assert_eq!(findings("hos-new/src/lib.rs", ""), ["`hos-new` is not in the floor plan"]);
        assert!(findings("hos-wire/src/lib.rs", "use hos_engine::Engine; use hos_core::id::Uid;").is_empty());
    }

    #[test]
    fn unsafe_lives_in_one_crate() {
        assert_eq!(findings("hos-engine/src/open.rs", "fn f() { unsafe { g() } }").len(), 1);
        assert!(findings("hos-engine/src/open.rs", "#![forbid(unsafe_code)] // unsafe").is_empty());
        assert!(findings("hos-ffi/tests/handle.rs", "unsafe fn f() {}").is_empty());
    }
}
