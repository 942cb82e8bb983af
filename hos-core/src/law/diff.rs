//! Two laws held against each other: files, manifest, policies, schema, contracts, machines, messages.

use super::bundle::Law;
use crate::contract::outline;
use crate::digest;
use crate::id::LawHash;
use crate::policy;
use std::collections::BTreeMap;

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Only the new law has it.
    Added,
    /// Only the old law has it.
    Removed,
    /// Both have it, and it says something else.
    Changed,
}

impl Mark {
    /// `added`, `removed`, `changed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::Added => "added",
            Mark::Removed => "removed",
            Mark::Changed => "changed",
        }
    }
}

/// A field of a thing; empty on the side that lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which.
    pub field: String,
    /// In the old law.
    pub was: String,
    /// In the new one.
    pub now: String,
}

/// A thing of which two laws say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What happened to it.
    pub mark: Mark,
    /// Of which contract; empty for what is of none.
    pub contract: String,
    /// What it is: `file`, `manifest`, `policy`, `entity type`, `action`, `state`, `event`, …
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// What it says otherwise; of an added or removed thing, all that it says.
    pub fields: Vec<FieldChange>,
}

/// How two laws differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawDiff {
    /// The old law.
    pub old: LawHash,
    /// The new law.
    pub new: LawHash,
    /// Everything that differs: files first, then what they say.
    pub items: Vec<Item>,
}

type Fields = BTreeMap<String, String>;
/// The things of a law: in which section, of which contract, what and its name.
type Outline = BTreeMap<(u8, String, &'static str, String), Fields>;

/// Holds two laws against each other.
pub fn diff(old: &Law, new: &Law) -> LawDiff {
    let (was, now) = (outline_of(old), outline_of(new));
    let mut items = Vec::new();
    let keys: std::collections::BTreeSet<_> = was.keys().chain(now.keys()).collect();
    for key in keys {
        let (_, contract, what, name) = key;
        let (before, after) = (was.get(key), now.get(key));
        let mark = match (before, after) {
            (None, _) => Mark::Added,
            (_, None) => Mark::Removed,
            (Some(before), Some(after)) if before == after => continue,
            _ => Mark::Changed,
        };
        let none = Fields::new();
        let fields = fields(before.unwrap_or(&none), after.unwrap_or(&none));
        items.push(Item { mark, contract: contract.clone(), what, name: name.clone(), fields });
    }
    LawDiff { old: old.hash, new: new.hash, items }
}

fn fields(was: &Fields, now: &Fields) -> Vec<FieldChange> {
    let names: std::collections::BTreeSet<&String> = was.keys().chain(now.keys()).collect();
    let text = |of: &Fields, name: &String| of.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .filter(|name| was.get(*name) != now.get(*name))
        .map(|name| FieldChange { field: name.clone(), was: text(was, name), now: text(now, name) })
        .collect()
}

fn outline_of(law: &Law) -> Outline {
    let mut out = Outline::new();
    let mut put = |section: u8, contract: &str, what: &'static str, name: String, fields: Fields| {
        out.insert((section, contract.to_owned(), what, name), fields);
    };
    for file in &law.files {
        // One file alone, hashed as a law of one file is: two are the same where the hashes are.
        let hash = digest::law_hash(std::iter::once((file.path.as_str(), file.text.as_bytes())));
        let fields = [("bytes", file.text.len().to_string()), ("hash", hash.to_string())];
        put(0, "", "file", file.path.clone(), fields.map(|(name, text)| (name.to_owned(), text)).into());
    }
    let persons = law.persons.iter().cloned().collect::<Vec<_>>().join(", ");
    let manifest = [
        ("name", law.name.clone()),
        ("namespace", law.namespace.clone()),
        ("compat", format!("{:?}", law.compat).to_lowercase()),
        ("clock", law.clock.to_string()),
        ("persons", persons),
        ("deadlines per call", law.limits.deadlines_per_call.to_string()),
        ("refusals per hour", law.limits.refusals_per_hour.to_string()),
    ];
    for (name, text) in manifest {
        put(1, "", "manifest", name.to_owned(), Fields::from([("value".to_owned(), text)]));
    }
    let files = law.files.iter().filter(|f| super::files::role(&f.path) == Some(super::files::Role::Policies));
    for (id, fields) in policy::outline::policies(files) {
        put(2, "", "policy", id, fields);
    }
    for (name, fields) in law.policy.entity_types() {
        put(3, "", "entity type", name, fields);
    }
    for (name, fields) in law.policy.action_words() {
        put(4, "", "action", name, fields);
    }
    for (name, of) in &law.contracts {
        for ((what, thing), fields) in outline::outline(&of.contract) {
            put(5, name.as_str(), what, thing, fields);
        }
    }
    for (language, texts) in &law.messages {
        for (code, text) in texts {
            put(6, "", "message", format!("{language} {code}"), Fields::from([("text".to_owned(), text.clone())]));
        }
    }
    out
}
