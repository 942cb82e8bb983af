//! Each foreign crate enters through one file (or one small room): to exchange it, or to audit it, is to read that file.

use super::Finding;
use super::floors::HOUSE;
use super::scan::Source;
use crate::tree::File;
use std::collections::BTreeSet;

/// A package of the house, a foreign crate as code names it, and where it may be named. A path that ends with `/` is a
/// room; an empty one is the whole package.
const DOORS: &[(&str, &str, &[&str])] = &[
    ("hos-core", "base64", &["proof/armor.rs"]),
    ("hos-core", "blake3", &["digest.rs"]),
    ("hos-core", "cedar_policy", &["policy/cedar.rs", "policy/cedar/"]),
    ("hos-core", "cedar_policy_core", &["policy/cedar.rs", "policy/cedar/"]),
    ("hos-core", "chacha20poly1305", &["proof/part.rs"]),
    ("hos-core", "ed25519_dalek", &["proof/key.rs"]),
    ("hos-core", "jiff", &["time.rs"]),
    ("hos-core", "miette", &["policy/cedar/place.rs"]),
    ("hos-core", "minicbor", &["canon.rs", "canon/"]),
    ("hos-core", "sha2", &["digest.rs"]),
    ("hos-core", "stacker", &["policy/cedar/"]),
    ("hos-core", "thiserror", &[""]),
    ("hos-core", "toml", &["spanned.rs"]),
    ("hos-core", "zeroize", &["proof/key.rs", "proof/part.rs"]),
    ("hos-engine", "arc_swap", &[""]),
    ("hos-engine", "getrandom", &["clock.rs"]),
    ("hos-engine", "nix", &["signer/command.rs", "signer/socket.rs", "store/sqlite/"]),
    ("hos-engine", "rusqlite", &["store/sqlite/"]),
    ("hos-engine", "rustix", &["store/sqlite/identity.rs"]),
    ("hos-engine", "thiserror", &[""]),
    ("hos-engine", "zeroize", &["keys.rs", "open.rs", "store/sqlite/vault.rs"]),
    ("hos-drivers", "mysql", &["mysql.rs", "join/mysql.rs"]),
    ("hos-drivers", "postgres", &["postgres.rs", "join/postgres.rs"]),
    ("hos-drivers", "rusqlite", &["sqlite.rs", "join/rusqlite.rs"]),
    ("hos-drivers", "futures_util", &["join/tokio_postgres.rs"]),
    ("hos-drivers", "tokio", &["join/tokio_postgres.rs"]),
    ("hos-drivers", "tokio_postgres", &["join/tokio_postgres.rs"]),
    ("hos-ffi", "arc_swap", &["sync.rs"]),
    ("hos-ffi", "nix", &["fork.rs"]),
    ("hos-wire", "base64", &["joined.rs"]),
    ("hos-wire", "serde", &[""]),
    ("hos-wire", "serde_json", &[""]),
    ("hos-wire", "thiserror", &[""]),
    ("hos-cli", "clap", &[""]),
    ("hos-cli", "clap_complete", &[""]),
    ("hos-cli", "csv", &["infer/table.rs"]),
    ("hos-cli", "flate2", &["infer/table.rs"]),
    ("hos-cli", "indicatif", &[""]),
    ("hos-cli", "miette", &[""]),
    ("hos-cli", "serde", &["world/"]),
    ("hos-cli", "serde_json", &[""]),
    ("hos-cli", "toml", &["world/"]),
    ("hos-cli", "ureq", &["witnesses.rs"]),
    ("hos-cli", "zeroize", &["command/keys.rs"]),
    ("bindings/python", "pyo3", &[""]),
    ("bindings/node", "napi", &[""]),
    ("bindings/node", "napi_derive", &[""]),
    ("bindings/node", "napi_build", &[""]),
    ("examples/pazar", "clap", &[""]),
    ("examples/pazar", "csv", &[""]),
    ("examples/pazar", "flate2", &[""]),
    ("examples/pazar", "indicatif", &[""]),
    ("examples/pazar", "jiff", &[""]),
    ("examples/pazar", "serde", &[""]),
    ("examples/pazar", "serde_json", &[""]),
    ("benches", "blake3", &[""]),
    ("benches", "cedar_policy", &[""]),
    ("benches", "chacha20poly1305", &["commit.rs", "verify.rs"]),
    ("benches", "rusqlite", &[""]),
    ("benches", "serde_json", &["shell.rs", "apps.rs"]),
    ("benches", "sha2", &[""]),
    ("benches", "tempfile", &[""]),
    ("benches/peers", "biscuit_auth", &[""]),
    ("benches/peers", "casbin", &[""]),
    ("benches/peers", "regorus", &[""]),
    ("benches/peers", "serde", &[""]),
    ("benches/peers", "tokio", &[""]),
    ("hos-models", "shuttle", &["schedules/"]),
    ("hos-models", "stateright", &["explore.rs", "joined.rs", "shared.rs", "tail.rs"]),
    // What the command line's readers need, which are fuzzed as they stand.
    ("hos-testkit", "csv", &[]),
    ("hos-testkit", "flate2", &[]),
    ("hos-testkit", "serde_json", &["targets/"]),
    ("hos-testkit", "tempfile", &["targets/"]),
    ("fuzz", "libfuzzer_sys", &[""]),
    ("xtask/mutants", "proc_macro2", &["rewrite.rs"]),
    ("xtask/mutants", "serde", &["list.rs", "build.rs"]),
    ("xtask/mutants", "serde_json", &["list.rs", "build.rs"]),
    ("xtask/mutants", "syn", &["rewrite.rs"]),
];

/// All findings of this rule.
pub(super) fn check(files: &[File], sources: &[Source]) -> Vec<Finding> {
    let mut out = Vec::new();
    for file in files {
        if let Some(package) = file.path.strip_suffix("/Cargo.toml") {
            manifest(package, file, &mut out);
        }
        if file.path == "Cargo.lock" || file.path.ends_with("/Cargo.lock") {
            lock(file, &mut out);
        }
    }
    let known: BTreeSet<&str> = DOORS.iter().map(|(_, name, _)| *name).collect();
    for source in sources {
        let Some((package, inside)) = source.path.split_once("/src/") else { continue };
        let mut told = BTreeSet::new();
        for (line, path) in &source.names {
            let name = path[0].as_str();
            if known.contains(name) && !may_name(package, name, inside) && !is_own_module(source, name) && told.insert(name) {
                out.push(Finding::error(
                    &source.path,
                    *line,
                    format!("`{name}` may not be named here: its door is {}", door(package, name)),
                ));
            }
        }
    }
    out
}

/// A file that declares a module of this name means it, and not the crate.
fn is_own_module(source: &Source, name: &str) -> bool {
    source
        .code
        .lines()
        .any(|line| line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ") == format!("mod {name};"))
}

fn may_name(package: &str, name: &str, inside: &str) -> bool {
    DOORS.iter().filter(|(p, n, _)| *p == package && *n == name).any(|(_, _, places)| {
        places.iter().any(|place| *place == inside || place.is_empty() || (place.ends_with('/') && inside.starts_with(place)))
    })
}

fn door(package: &str, name: &str) -> String {
    let places: Vec<&str> =
        DOORS.iter().filter(|(p, n, _)| *p == package && *n == name).flat_map(|(_, _, places)| places.to_vec()).collect();
    if places.is_empty() { "in another crate".to_owned() } else { places.join(", ") }
}

/// Dependencies that the tables do not know, and floors that a manifest jumps.
fn manifest(package: &str, file: &File, out: &mut Vec<Finding>) {
    let Some((_, below)) = HOUSE.iter().find(|(name, _)| *name == package) else {
        out.push(Finding::error(&file.path, 0, format!("`{package}` is not in the floor plan")));
        return;
    };
    let mut section = "";
    for (number, line) in file.text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
        } else if let (true, Some(name)) =
            (section.ends_with("dependencies") && section != "dev-dependencies", line.split(['.', '=', ' ']).next())
        {
            let name = name.trim().replace('-', "_");
            let foreign = DOORS.iter().any(|(p, n, _)| *p == package && *n == name);
            if !name.is_empty() && !foreign && !below.contains(&name.as_str()) {
                out.push(Finding::error(
                    &file.path,
                    number + 1,
                    format!("`{name}` is a dependency that the floor plan does not know"),
                ));
            }
        }
    }
}

/// Every dependency comes from the public registry, by hash; none from a path, a mirror or a branch.
fn lock(file: &File, out: &mut Vec<Finding>) {
    const PUBLIC: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    for (number, line) in file.text.lines().enumerate() {
        if line.starts_with("source = ") && line != PUBLIC {
            out.push(Finding::error(&file.path, number + 1, "a dependency comes from elsewhere than crates.io"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.into(), text: text.into() };
        let sources = if path.ends_with(".rs") { vec![Source::new(&file)] } else { Vec::new() };
        check(&[file], &sources).into_iter().map(|f| f.message).collect()
    }

    #[test]
    fn a_crate_beside_its_door_is_found() {
        assert_eq!(findings("hos-core/src/judge/mod.rs", "use cedar_policy::Entities;").len(), 1);
        assert_eq!(findings("hos-core/src/proof/tree.rs", "fn f() { sha2::Sha256::new(); sha2::Sha256::new(); }").len(), 1);
        assert_eq!(findings("hos-engine/src/engine.rs", "use {rusqlite::Connection};").len(), 1);
        assert_eq!(findings("hos-wire/src/call.rs", "use rusqlite::Connection;").len(), 1);
        assert_eq!(findings("hos-drivers/src/lib.rs", "use postgres::Client;").len(), 1);
        assert_eq!(findings("hos-engine/src/store/server/mod.rs", "use mysql::Conn;").len(), 1);
        assert_eq!(findings("hos-core/src/value.rs", "use serde_json::Value;").len(), 1);
    }

    #[test]
    fn a_crate_at_its_door_is_none() {
        assert!(findings("hos-core/src/policy/cedar/judge.rs", "use cedar_policy_core::ast;").is_empty());
        assert!(findings("hos-core/src/digest.rs", "use sha2::Digest; use blake3::Hasher;").is_empty());
        let schema = "hos-engine/src/store/sql/schema/mod.rs";
        assert!(findings(schema, "mod postgres;\nfn f() { postgres::STEPS }").is_empty());
        assert_eq!(findings(schema, "mod postgresql;\n// mod postgres;\nfn f() { postgres::STEPS }").len(), 1);
        assert!(findings("hos-drivers/src/postgres.rs", "use postgres::Client;").is_empty());
        assert!(findings("hos-engine/src/store/sqlite/tx.rs", "use rusqlite::Transaction;").is_empty());
        assert!(findings("hos-core/src/judge/mod.rs", "use crate::policy::cedar; fn f() { crate::toml::g(); }").is_empty());
        assert!(findings("hos-core/tests/suite.rs", "use serde_json::Value;").is_empty());
    }

    #[test]
    fn unknown_dependencies_are_found() {
        let planted = "[dependencies]\nhos-core.workspace = true\nrand = \"1\" # chance\n[dev-dependencies]\ntempfile = \"3\"\n";
        assert_eq!(findings("hos-engine/Cargo.toml", planted), ["`rand` is a dependency that the floor plan does not know"]);
        assert_eq!(findings("hos-core/Cargo.toml", "[dependencies]\nhos-engine.workspace = true\n").len(), 1);
        assert_eq!(findings("hos-new/Cargo.toml", "").len(), 1);
        let lock = "source = \"registry+https://example.org/index\"\nsource = \"git+https://example.org/x\"\n";
        assert_eq!((findings("Cargo.lock", lock).len(), findings("fuzz/Cargo.lock", lock).len()), (2, 2));
    }
}
