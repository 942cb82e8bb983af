//! Files of a law.

use super::policy_support::{draft, expression as hos_expression};
use super::{all_hold, but};
use hos_core::fault::Severity;
use hos_core::law::Law;
use hos_core::limits::LAW_FILE_BYTES_MAX;
use hos_core::shape::Wanted;

const MANIFEST: &str = "name = \"tiny\"\nnamespace = \"\"\n";
const SCHEMA: &str = "entity Account;\n";

/// A tiny law with more files, or other ones; the codes of its faults.
fn law(files: Vec<(String, Vec<u8>)>, beside: &[&str]) -> Result<(), String> {
    let of = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    let tiny = [of("law.toml", MANIFEST), of("schema.cedarschema", SCHEMA)];
    let kept = tiny.into_iter().filter(|(path, _)| files.iter().all(|(other, _)| other != path)).collect::<Vec<_>>();
    let faults = Law::load(kept.into_iter().chain(files).collect()).err().unwrap_or_default();
    // A law that permits nothing is told so, whatever its size.
    but(faults.iter().map(|fault| fault.code.to_owned()), &[beside, &["law.policy.none"]].concat())
}

fn one(path: &str, text: String, beside: &[&str]) -> Result<(), String> {
    law(vec![(path.to_owned(), text.into_bytes())], beside)
}

/// So many bytes of text, the rest being spaces.
fn padded(text: &str, bytes: usize) -> String {
    format!("{text}{}", " ".repeat(bytes - text.len()))
}

/// Actions in so many groups, all in all.
fn grouped(count: usize) -> String {
    const GROUPS: usize = 256;
    let named = |head: char, count: usize| (0..count).map(|i| format!("\"{head}{i}\"")).collect::<Vec<_>>().join(", ");
    let rest = match count % GROUPS {
        0 => String::new(),
        some => format!("action \"rest\" in [{}];\n", named('g', some)),
    };
    format!("action {};\naction {} in [{}];\n{rest}", named('g', GROUPS), named('a', count / GROUPS), named('g', GROUPS))
}

/// A record of 511 fields, and a type of one, which an entity type names until they come to so many types.
fn written_out(count: usize) -> String {
    const EACH: usize = 512;
    let fields = |head: char, of: &str, count: usize| (0..count).map(|i| format!("{head}{i}: {of}")).collect::<Vec<_>>();
    let names = [fields('t', "T", count / EACH), fields('o', "One", count % EACH)].concat();
    format!(
        "type T = {{{}}};\ntype One = Long;\nentity Full {{{}}};\n",
        fields('f', "Long", EACH - 1).join(", "),
        names.join(", ")
    )
}

fn policy(condition: &str) -> String {
    format!("@id(\"p\") permit(principal, action, resource) when {{ {condition} }};")
}

#[test]
fn of_a_law_s_files() {
    // What else is wrong with such a law, whatever its size.
    const TOO_LONG_FOR_TOML: &[&str] = &["law.toml.too_large"];
    const NO_POLICY_FOR_THIS: &[&str] = &["law.policy.warning"];
    let whole = |bytes: usize| {
        let mut left = bytes - MANIFEST.len() - SCHEMA.len();
        let mut files = Vec::new();
        while left > 0 {
            let size = left.min(LAW_FILE_BYTES_MAX);
            files.push((format!("contracts/c{}.toml", files.len()), vec![b' '; size]));
            left -= size;
        }
        law(files, &[TOO_LONG_FOR_TOML[0], "law.contract.missing"])
    };
    let long = |bytes: usize| policy(&format!("\"{}\" == \"x\"", "x".repeat(bytes - policy("\"\" == \"x\"").len())));
    // Two levels are the condition's own: `when`, and its brace.
    let deep = |levels: usize| policy(&format!("{}true{}", "(".repeat(levels - 2), ")".repeat(levels - 2)));
    // Of a program that brings expressions of its own.
    let expression = |bytes: usize| {
        let mut draft = draft();
        draft.expressions[0] = hos_expression(&padded("context.amount >= resource.total", bytes), Wanted::Bool);
        but(draft.compile().1.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code.to_owned()), &[])
    };
    all_hold(&[
        ("LAW_FILES_MAX", &|n| law((2..n).map(|i| (format!("policies/{i}.cedar"), Vec::new())).collect(), &[])),
        ("LAW_BYTES_MAX", &whole),
        ("LAW_FILE_BYTES_MAX", &|n| one("contracts/c.toml", " ".repeat(n), TOO_LONG_FOR_TOML)),
        ("LAW_PATH_BYTES_MAX", &|n| one(&format!("policies/{}.cedar", "x".repeat(n - 15)), String::new(), &[])),
        ("TOML_BYTES_MAX", &|n| one("law.toml", padded(MANIFEST, n), &[])),
        ("TOML_NESTING_MAX", &|n| {
            one("law.toml", format!("{MANIFEST}x = {}{}\n", "[".repeat(n), "]".repeat(n)), &["law.manifest.unknown_key"])
        }),
        ("SCHEMA_BYTES_MAX", &|n| one("schema.cedarschema", padded(SCHEMA, n), &[])),
        ("SCHEMA_ANCESTORS_MAX", &|n| one("schema.cedarschema", format!("{SCHEMA}{}", grouped(n)), &[])),
        ("SCHEMA_EXPANDED_MAX", &|n| one("schema.cedarschema", format!("{SCHEMA}{}", written_out(n)), &[])),
        ("POLICY_BYTES_MAX", &|n| one("policies/p.cedar", long(n), NO_POLICY_FOR_THIS)),
        ("CEDAR_DEPTH_MAX", &|n| one("policies/p.cedar", deep(n), NO_POLICY_FOR_THIS)),
        ("CEDAR_EXPRESSION_BYTES_MAX", &expression),
        ("MESSAGE_CHARS_MAX", &|n| {
            one(
                "messages.en.toml",
                format!("[c]\ng = \"{}\"\n", "ş".repeat(n)),
                &["law.message.unknown_guard", "law.message.unused"],
            )
        }),
        ("DEADLINES_PER_CALL_MAX", &|n| one("law.toml", format!("{MANIFEST}[limits]\ndeadlines_per_call = {n}\n"), &[])),
        ("REFUSALS_PER_HOUR_MAX", &|n| one("law.toml", format!("{MANIFEST}[limits]\nrefusals_per_hour = {n}\n"), &[])),
    ]);
}
