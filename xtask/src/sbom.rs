//! The bill of materials of the shared library: every crate that is linked into it, as CycloneDX 1.5 JSON.
//!
//! It stands on `cargo tree` (what is linked, with which licence) and on `Cargo.lock` (which bytes, by their hash), and on nothing of
//! the day or the machine: the same tree gives the same bytes. The C that a crate brings is named too where it is another project's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The file's name beside what it describes.
pub(crate) const FILE: &str = "libhos.cdx.json";
/// What is described.
const ROOT: &str = "hos-ffi";

/// A crate that is linked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    version: String,
    licence: String,
    /// Of the workspace.
    ours: bool,
}

/// What `Cargo.lock` says of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Locked {
    checksum: Option<String>,
    dependencies: Vec<String>,
}

type Lock = BTreeMap<(String, String), Locked>;

/// `cargo xtask sbom`: prints it.
pub(crate) fn run(root: &Path) -> ExitCode {
    match of(root) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What it lacks, or has too much, held against what is linked; and whether it is the same when it is made again.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>, String> {
    let (text, again) = (of(root)?, of(root)?);
    let mut faults = missing(&text, &linked(root)?);
    if text != again {
        faults.push("it is another when it is made again".to_owned());
    }
    Ok(faults)
}

/// The bill of this tree.
///
/// # Errors
/// When cargo does not say what is linked, or a crate has no hash or no licence.
pub(crate) fn of(root: &Path) -> Result<String, String> {
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
    written(&linked(root)?, &lock_of(&lock), bundled(root).as_deref())
}

fn linked(root: &Path) -> Result<Vec<Part>, String> {
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.args(["tree", "--locked", "--package", ROOT, "--edges", "normal", "--prefix", "none", "--format", "{p}|{l}"]);
    let output = tree.current_dir(root).stdin(Stdio::null()).output().map_err(|e| format!("cargo tree: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)));
    }
    parts_of(&String::from_utf8_lossy(&output.stdout))
}

/// `blake3 v1.8.2|CC0-1.0 OR Apache-2.0`, `hos-core v0.1.0 (path)|Apache-2.0`, with ` (*)` and ` (proc-macro)` where cargo says so.
fn parts_of(tree: &str) -> Result<Vec<Part>, String> {
    let mut parts = BTreeSet::new();
    for line in tree.lines().filter(|line| !line.trim().is_empty()) {
        let wrong = || format!("cargo tree: {line}");
        let (package, licence) = line.split_once('|').ok_or_else(wrong)?;
        // Macros run while it is compiled; nothing of them is linked.
        if package.contains("(proc-macro)") {
            continue;
        }
        let (name, rest) = package.split_once(" v").ok_or_else(wrong)?;
        let version = rest.split(' ').next().unwrap_or_default();
        let words: Vec<&str> = licence.trim_end_matches(" (*)").split('/').map(str::trim).collect();
        let licence = words.join(" OR ");
        if licence.is_empty() {
            return Err(format!("{name} {version} says no licence"));
        }
        let ours = rest.contains('/');
        parts.insert(Part { name: name.to_owned(), version: version.to_owned(), licence, ours });
    }
    Ok(parts.into_iter().collect())
}

fn lock_of(text: &str) -> Lock {
    let mut lock = Lock::new();
    for package in text.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
            line.strip_suffix('"').map(str::to_owned)
        };
        let (Some(name), Some(version)) = (field("name"), field("version")) else { continue };
        let list = package.split_once("dependencies = [").and_then(|(_, rest)| rest.split_once(']')).map_or("", |(list, _)| list);
        let dependencies = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        lock.insert((name, version), Locked { checksum: field("checksum"), dependencies });
    }
    lock
}

/// SQLite's version as the crate brings it.
fn bundled(root: &Path) -> Option<String> {
    let lock = lock_of(&std::fs::read_to_string(root.join("Cargo.lock")).ok()?);
    let (_, version) = lock.keys().find(|(name, _)| name == "libsqlite3-sys")?;
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo"))).ok()?;
    let registries = std::fs::read_dir(Path::new(&home).join("registry/src")).ok()?;
    registries.flatten().find_map(|registry| {
        let header = registry.path().join(format!("libsqlite3-sys-{version}/sqlite3/sqlite3.h"));
        let text = std::fs::read_to_string(header).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("#define SQLITE_VERSION "))?;
        Some(line.trim().trim_matches('"').to_owned())
    })
}

fn written(parts: &[Part], lock: &Lock, sqlite: Option<&str>) -> Result<String, String> {
    let of = |part: &Part| lock.get(&(part.name.clone(), part.version.clone()));
    let purl = |part: &Part| format!("pkg:cargo/{}@{}", part.name, part.version);
    let root = parts.iter().find(|part| part.name == ROOT).ok_or_else(|| format!("{ROOT} is not linked into itself"))?;
    let mut components = Vec::new();
    for part in parts.iter().filter(|part| *part != root) {
        let locked = of(part).ok_or_else(|| format!("{} {} is not in Cargo.lock", part.name, part.version))?;
        let hashes = match (&locked.checksum, part.ours) {
            (Some(hash), _) => format!(",\"hashes\":[{{\"alg\":\"SHA-256\",\"content\":{}}}]", quoted(hash)),
            (None, true) => String::new(),
            (None, false) => return Err(format!("{} {} has no hash in Cargo.lock", part.name, part.version)),
        };
        components.push(format!(
            "{{\"type\":\"library\",\"bom-ref\":{purl},\"name\":{},\"version\":{},\"licenses\":[{{\"expression\":{}}}]{hashes},\"purl\":{purl}}}",
            quoted(&part.name),
            quoted(&part.version),
            quoted(&part.licence),
            purl = quoted(&purl(part)),
        ));
    }
    let sys = parts.iter().find(|part| part.name == "libsqlite3-sys");
    if let Some(sys) = sys {
        let version = sqlite.ok_or("which SQLite is bundled cannot be told: `cargo fetch --locked` first")?;
        components.push(format!(
            "{{\"type\":\"library\",\"bom-ref\":{purl},\"name\":\"sqlite\",\"version\":{},\"description\":{},\"purl\":{purl}}}",
            quoted(version),
            quoted(&format!("compiled into {}", purl(sys))),
            purl = quoted(&format!("pkg:generic/sqlite@{version}")),
        ));
    }
    let graph: Vec<String> = parts
        .iter()
        .map(|part| {
            let known = of(part).map(|locked| locked.dependencies.as_slice()).unwrap_or_default();
            let mut below: Vec<String> = known.iter().filter_map(|name| found(name, parts).map(purl)).collect();
            if let (true, Some(version)) = (Some(part) == sys, sqlite) {
                below.push(format!("pkg:generic/sqlite@{version}"));
            }
            let below: Vec<String> = below.iter().map(|name| quoted(name)).collect();
            format!("{{\"ref\":{},\"dependsOn\":[{}]}}", quoted(&purl(part)), below.join(","))
        })
        .collect();
    Ok(format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\n\"metadata\":{{\"component\":{{\"type\":\"library\",\"bom-ref\":{purl},\"name\":\"libhos\",\"version\":{},\"licenses\":[{{\"expression\":{}}}],\"purl\":{purl}}}}},\n\"components\":[\n{}\n],\n\"dependencies\":[\n{}\n]}}\n",
        quoted(&root.version),
        quoted(&root.licence),
        components.join(",\n"),
        graph.join(",\n"),
        purl = quoted(&purl(root)),
    ))
}

/// `name`, or `name version` where a lock file has several.
fn found<'p>(named: &str, parts: &'p [Part]) -> Option<&'p Part> {
    let mut words = named.split(' ');
    let (name, version) = (words.next()?, words.next());
    parts.iter().find(|part| part.name == name && version.is_none_or(|version| part.version == version))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Crates that are linked and that the text does not name with their version.
fn missing(text: &str, parts: &[Part]) -> Vec<String> {
    let lacks =
        |part: &&Part| !text.contains(&format!("\"purl\":{}", quoted(&format!("pkg:cargo/{}@{}", part.name, part.version))));
    parts.iter().filter(lacks).map(|part| format!("it does not name {} {}", part.name, part.version)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "hos-ffi v0.1.0 (/somewhere/hos-ffi)|Apache-2.0\na v1.0.0|MIT / Apache-2.0\nb v2.0.0|MIT\nm v1.0.0 (proc-macro)|MIT\na v1.0.0|MIT / Apache-2.0 (*)\nb v1.0.0|MIT\n";
    const LOCK: &str = "[[package]]\nname = \"hos-ffi\"\nversion = \"0.1.0\"\ndependencies = [\n \"a\",\n \"b 2.0.0\",\n \"m\",\n]\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"aa\"\ndependencies = [\n \"b 1.0.0\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nchecksum = \"b1\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\nchecksum = \"b2\"\n";

    fn bill() -> (Vec<Part>, String) {
        let parts = parts_of(TREE).unwrap();
        let text = written(&parts, &lock_of(LOCK), None).unwrap();
        (parts, text)
    }

    #[test]
    fn every_linked_crate_is_named_with_its_hash() {
        let (parts, text) = bill();
        assert_eq!(parts.len(), 4, "a macro is not linked, and a crate that comes twice is one");
        assert_eq!(missing(&text, &parts), Vec::<String>::new());
        for wanted in [
            "{\"alg\":\"SHA-256\",\"content\":\"b2\"}",
            "{\"expression\":\"MIT OR Apache-2.0\"}",
            "{\"ref\":\"pkg:cargo/hos-ffi@0.1.0\",\"dependsOn\":[\"pkg:cargo/a@1.0.0\",\"pkg:cargo/b@2.0.0\"]}",
            "{\"ref\":\"pkg:cargo/a@1.0.0\",\"dependsOn\":[\"pkg:cargo/b@1.0.0\"]}",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert!(!text.contains("somewhere"), "nothing of the machine");
    }

    #[test]
    fn what_is_left_out_is_found() {
        let (parts, text) = bill();
        let other = text.replace("pkg:cargo/b@2.0.0", "pkg:cargo/b@2.0.1");
        assert_eq!(missing(&other, &parts), ["it does not name b 2.0.0"]);
        assert!(written(&parts, &lock_of(&LOCK.replace("checksum = \"b2\"\n", "")), None).unwrap_err().contains("no hash"));
        assert!(
            written(&parts, &lock_of(&LOCK.replace("\"2.0.0\"", "\"2.1.0\"")), None).unwrap_err().contains("not in Cargo.lock")
        );
        assert!(parts_of("a v1.0.0|\n").unwrap_err().contains("no licence"));
    }

    #[test]
    fn this_tree_s_bill_names_all_and_is_made_again_alike() {
        assert_eq!(faults(&crate::root()).unwrap(), Vec::<String>::new());
    }
}
