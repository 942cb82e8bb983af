//! `law.toml`: the law's name, its default namespace, who fires deadlines, and its limits.

use crate::fault::{Fault, SourceFile};
use crate::id::{Name, Shown, Uid};
use crate::limits::{DEADLINES_PER_CALL_MAX, REFUSALS_PER_HOUR_MAX};
use crate::policy::Compat;
use crate::shape::Type;
use crate::spanned::{self, Codes, Reader, Table, Text};
use std::ops::Range;

const CODES: Codes =
    Codes { unknown: "law.manifest.unknown_key", missing: "law.manifest.missing_key", wrong_type: "law.manifest.wrong_type" };
const KEYS: [&str; 7] = ["name", "namespace", "compat", "clock", "persons", "limits", "extends"];

/// Bounds that a law sets for whoever judges under it (`[limits]` of `law.toml`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many due deadlines one call may fire before it is refused as `hos.deadline_limit`: 1 to 256, else 16.
    pub deadlines_per_call: u32,
    /// How many refusals of one principal are kept as evidence in an hour: 0 to 10,000, else 100.
    pub refusals_per_hour: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadlines_per_call: 16, refusals_per_hour: 100 }
    }
}

/// What `law.toml` says.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) compat: Compat,
    pub(super) clock: Uid,
    /// Where the clock is named; `None` when it is the default.
    pub(super) clock_span: Option<Range<usize>>,
    /// Entity types that are persons, fully qualified, with where each is named.
    pub(super) persons: Vec<(String, Range<usize>)>,
    pub(super) limits: Limits,
}

/// Reads `law.toml`. What could not be read is left at its default, so that the other files can be judged as well.
pub(super) fn read(file: &SourceFile, faults: &mut Vec<Fault>) -> Option<Manifest> {
    let table = match spanned::parse(file) {
        Ok(table) => table,
        Err(found) => {
            faults.extend(found);
            return None;
        }
    };
    let mut reader = Reader::new(file, CODES);
    reader.known_keys(&table, &KEYS);
    if let Some(entry) = table.get("extends") {
        let fault =
            reader.error("law.manifest.extends_reserved", entry.span.clone(), "`extends` is reserved: a law stands alone");
        reader.push(fault);
    }
    let name = reader.required_string(&table, "name").and_then(|text| law_name(&mut reader, text));
    let namespace = reader.required_string(&table, "namespace").and_then(|text| namespace_of(&mut reader, text));
    let compat = reader.string(&table, "compat").and_then(|text| compat_of(&mut reader, text)).unwrap_or(Compat::Strict);
    let limits = limits_of(&mut reader, &table);
    let given = reader.string(&table, "clock");
    let clock = given.and_then(|text| clock_of(&mut reader, text));
    let persons = persons_of(&mut reader, &table, namespace.as_deref().unwrap_or_default());
    faults.append(&mut reader.faults);

    let namespace = namespace?;
    let clock_type = if namespace.is_empty() { "Clock".to_owned() } else { format!("{namespace}::Clock") };
    let clock = clock.or_else(|| Uid::new(clock_type, "clock").ok())?;
    let clock_span = given.map(|text| text.span.clone());
    Some(Manifest { name: name.unwrap_or_default(), namespace, compat, clock, clock_span, persons, limits })
}

fn value_fault<T>(reader: &mut Reader<'_>, text: &Text, message: String) -> Option<T> {
    let fault = reader.error("law.manifest.value", text.span.clone(), message);
    reader.push(fault);
    None
}

fn law_name(reader: &mut Reader<'_>, text: &Text) -> Option<String> {
    match Name::new(&text.value) {
        Ok(_) => Some(text.value.clone()),
        Err(e) => value_fault(reader, text, e.to_string()),
    }
}

fn namespace_of(reader: &mut Reader<'_>, text: &Text) -> Option<String> {
    // An entity type in the namespace must still be a sound name.
    if text.value.is_empty() || Uid::new(format!("{}::Action", text.value), "x").is_ok() {
        return Some(text.value.clone());
    }
    value_fault(reader, text, format!("`{}` is not a namespace: identifiers joined by ::", Shown(&text.value)))
}

fn compat_of(reader: &mut Reader<'_>, text: &Text) -> Option<Compat> {
    match text.value.as_str() {
        "strict" => Some(Compat::Strict),
        "cedar" => Some(Compat::Cedar),
        other => {
            let message = format!("`{}` is no rule for erroring forbids: `strict` or `cedar`", Shown(other));
            let fault = reader.error("law.manifest.value", text.span.clone(), message);
            reader.push(fault.did_you_mean(other, ["strict", "cedar"]));
            None
        }
    }
}

fn clock_of(reader: &mut Reader<'_>, text: &Text) -> Option<Uid> {
    match Uid::parse(&text.value) {
        Ok(uid) => Some(uid),
        Err(e) => {
            let fault = reader.error("law.manifest.value", text.span.clone(), e.to_string());
            reader.push(fault.hint("such as 'Pazar::Clock::\"clock\"'"));
            None
        }
    }
}

fn persons_of(reader: &mut Reader<'_>, table: &Table, namespace: &str) -> Vec<(String, Range<usize>)> {
    let mut persons = Vec::new();
    for text in reader.strings(table, "persons").into_iter().map(|t| (t.value.clone(), t.span.clone())).collect::<Vec<_>>() {
        match Type::parse(&text.0, namespace) {
            Some(Type::Entity(name)) => persons.push((name, text.1)),
            _ => {
                let message = format!("`{}` is not an entity type", Shown(&text.0));
                let fault = reader.error("law.manifest.value", text.1, message);
                reader.push(fault);
            }
        }
    }
    persons
}

fn limits_of(reader: &mut Reader<'_>, table: &Table) -> Limits {
    let mut limits = Limits::default();
    if let Some(given) = reader.table(table, "limits") {
        reader.known_keys(given, &["deadlines_per_call", "refusals_per_hour"]);
        let mut bounded = |key: &str, range: std::ops::RangeInclusive<i64>, slot: &mut u32| {
            let Some(value) = reader.integer(given, key) else { return };
            match u32::try_from(value) {
                Ok(small) if range.contains(&value) => *slot = small,
                _ => {
                    let span = given.get(key).map(|e| e.item.span.clone()).unwrap_or_default();
                    let message = format!("`{key}` must lie between {} and {}", range.start(), range.end());
                    let fault = reader.error("law.manifest.value", span, message);
                    reader.push(fault);
                }
            }
        };
        bounded("deadlines_per_call", 1..=DEADLINES_PER_CALL_MAX, &mut limits.deadlines_per_call);
        bounded("refusals_per_hour", 0..=REFUSALS_PER_HOUR_MAX, &mut limits.refusals_per_hour);
    }
    limits
}

/// The namespace that a schema opens first: what to judge the other files by when `law.toml` does not say.
pub(super) fn guess_namespace(schema: &str) -> String {
    let mut lines = schema.lines().map(str::trim).filter_map(|line| line.strip_prefix("namespace "));
    let first = lines.next().map(|rest| rest.split(|c: char| c == '{' || c.is_whitespace()).next().unwrap_or_default());
    first.filter(|name| Uid::new(name, "x").is_ok()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Option<Manifest>, Vec<(&'static str, usize, usize)>) {
        let mut faults = Vec::new();
        let file = SourceFile { path: "law.toml".into(), text: text.into() };
        let manifest = read(&file, &mut faults);
        (manifest, faults.iter().map(|f| (f.code, f.line, f.column)).collect())
    }

    #[test]
    fn a_manifest_says_what_it_says_and_the_rest_is_default() {
        let (manifest, faults) = told("name = \"m\"\nnamespace = \"A::B\"\n[limits]\nrefusals_per_hour = 0\n");
        let manifest = manifest.unwrap();
        assert_eq!(faults, []);
        assert_eq!((manifest.name.as_str(), manifest.compat, manifest.clock_span), ("m", Compat::Strict, None));
        assert_eq!(manifest.clock.to_string(), "A::B::Clock::\"clock\"");
        assert_eq!(manifest.limits, Limits { deadlines_per_call: 16, refusals_per_hour: 0 });
    }

    #[test]
    fn every_fault_of_a_manifest_is_told() {
        let text = "nmae = \"x\"\nnamespace = \"A:B\"\ncompat = \"strct\"\nclock = \"clock\"\nextends = \"u\"\n\
                    [limits]\ndeadlines_per_call = 0\nrefusals = 3\n";
        let (manifest, mut faults) = told(text);
        assert!(manifest.is_none());
        faults.sort_by_key(|f| (f.1, f.2));
        let wanted = [
            ("law.manifest.unknown_key", 1, 1),
            ("law.manifest.missing_key", 1, 1),
            ("law.manifest.value", 2, 14),
            ("law.manifest.value", 3, 11),
            ("law.manifest.value", 4, 10),
            ("law.manifest.extends_reserved", 5, 1),
            ("law.manifest.value", 7, 22),
            ("law.manifest.unknown_key", 8, 1),
        ];
        assert_eq!(faults, wanted);
    }

    #[test]
    fn the_schema_tells_the_namespace_when_the_manifest_does_not() {
        assert_eq!(guess_namespace("// x\nnamespace Pazar {\n}"), "Pazar");
        assert_eq!(guess_namespace("entity A;"), "");
        assert_eq!(guess_namespace("namespace 9{"), "");
    }
}
