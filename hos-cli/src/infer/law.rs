//! The proposed law's files: manifest, schema, contract, and policies that are to be written.

use crate::usage::usage;
use hos_core::contract::infer::{Arrows, Proposal, text};
use hos_core::fault::Severity;
use hos_core::id::{Name, Shown};
use hos_core::law::Law;
use hos_engine::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// The longest name of a contract: actions bear it before the event's.
const CONTRACT_BYTES_MAX: usize = 63;
/// How many faults of a law that cannot be are told; one name makes many.
const TOLD_MAX: usize = 3;
/// Entity types that every proposed law has.
const OWN_TYPES: [&str; 4] = ["Account", "Role", "Clock", "Gate"];
/// First pieces of actions that the engine reserves.
const OWN_ACTIONS: [&str; 7] = ["hos", "directory", "law", "tenant", "outbox", "record", "evidence"];

/// What the law calls things.
#[derive(Debug)]
pub(crate) struct Title {
    pub(crate) contract: Name,
    pub(crate) entity: String,
    /// Empty for none.
    pub(crate) namespace: String,
}

impl Title {
    /// Checks the names; an entity type that is not said is the contract's name in capitals.
    pub(crate) fn new(contract: &str, entity: Option<&str>, namespace: &str) -> Result<Self, Failure> {
        let name = Name::new(contract).map_err(|e| usage(format!("--contract: {e}")))?;
        if contract.len() > CONTRACT_BYTES_MAX {
            return Err(usage(format!("--contract: at most {CONTRACT_BYTES_MAX} bytes here")));
        }
        if OWN_ACTIONS.contains(&contract) {
            return Err(usage(format!("--contract: actions called `{contract}.` are the engine's own: take another name")));
        }
        let entity = entity.map_or_else(|| capitals(contract), str::to_owned);
        if !is_ident(&entity) {
            return Err(usage(format!("--entity: `{}` is no entity type: letters, digits and _", Shown(&entity))));
        }
        if OWN_TYPES.contains(&entity.as_str()) {
            return Err(usage(format!("--entity: `{entity}` is a type that every law has for itself: take another")));
        }
        if !namespace.is_empty() && !namespace.split("::").all(is_ident) {
            return Err(usage(format!("--namespace: `{}` is no namespace: a name such as Shop, or nothing", Shown(namespace))));
        }
        Ok(Self { contract: name, entity, namespace: namespace.to_owned() })
    }

    fn qualified(&self, rest: &str) -> String {
        if self.namespace.is_empty() { rest.to_owned() } else { format!("{}::{rest}", self.namespace) }
    }
}

fn is_ident(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text.len() <= 64
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `return_request` becomes `ReturnRequest`.
fn capitals(name: &str) -> String {
    let pieces = name.split(['_', '-']).filter(|p| !p.is_empty());
    let big = pieces.map(|p| p.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(p.chars().skip(1)).collect::<String>());
    let joined: String = big.collect();
    if joined.starts_with(|c: char| c.is_ascii_alphabetic()) { joined } else { format!("Of{joined}") }
}

/// The files of the law, and the law that they make.
pub(crate) fn compiled(
    proposal: &Proposal,
    arrows: &Arrows,
    title: &Title,
    source: &str,
) -> Result<(BTreeMap<String, String>, Law), Failure> {
    let said = text::Title { contract: &title.contract, entity: &title.entity, source };
    let contract = text::contract(proposal, arrows, &said).map_err(usage)?;
    let name = &title.contract;
    let files = BTreeMap::from([
        ("law.toml".to_owned(), manifest(title)),
        ("schema.cedarschema".to_owned(), schema(proposal, arrows, title)),
        (format!("contracts/{name}.toml"), contract),
        (format!("policies/{name}.cedar"), policies(proposal, arrows, title)),
    ]);
    let bytes = files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes()));
    match Law::load(bytes.collect()) {
        Ok(law) => Ok((files, law)),
        Err(faults) => {
            // Names that are none in Cedar come here: reserved words, say. The files are nowhere, so their lines are not told.
            let mut told: Vec<&str> =
                faults.iter().filter(|f| f.severity == Severity::Error).map(|f| f.message.as_str()).collect();
            told.dedup();
            told.truncate(TOLD_MAX);
            Err(usage(format!(
                "these names make no law; take others with --contract, --entity or --namespace: {}",
                told.join("; ")
            )))
        }
    }
}

fn manifest(title: &Title) -> String {
    format!(
        "# A proposed law. It permits nothing until policies are written: policies/{}.cedar.\nname      = \"{}\"\nnamespace = \"{}\"\n\
         persons   = [\"Account\"]\n",
        title.contract, title.contract, title.namespace
    )
}

fn schema(proposal: &Proposal, arrows: &Arrows, title: &Title) -> String {
    let mut body = format!(
        "// Who there is. What is known of accounts and roles is to be added.\nentity Account in [Role] = {{\n  active: Bool,\n}};\n\
         entity Role;\n// Who fires deadlines.\nentity Clock;\n// What an operator's act is about when it is neither person nor group.\n\
         entity Gate;\n\n// What the contract is about; its facts are declared there.\nentity {};\n\n",
        title.entity
    );
    let timed = timed(proposal, arrows);
    // What is switched off has its action too, so that switching it on is one change in one file.
    let actions: BTreeSet<&Name> =
        arrows.births.iter().map(|(name, _)| name).chain(arrows.arrows.iter().map(|a| &a.name)).collect();
    for name in actions {
        let principal = if timed.contains(name) { "Account, Clock" } else { "Account" };
        let _ = writeln!(
            body,
            "action \"{}.{name}\" appliesTo {{ principal: [{principal}], resource: [{}] }};",
            title.contract, title.entity
        );
    }
    body.push_str(
        "\n// Acts of the engine itself: each is judged like any other.\n\
         action \"directory\";\naction \"operate\";\n\
         action \"directory.account\" in [\"directory\"] appliesTo { principal: [Account], resource: [Account] };\n\
         action \"directory.entity\" in [\"directory\"] appliesTo { principal: [Account], resource: [Role] };\n\
         action \"directory.member\", \"directory.unmember\" in [\"directory\"]\n  \
         appliesTo { principal: [Account], resource: [Role], context: { subject: Account } };\n\
         action \"directory.grant\", \"directory.revoke\" in [\"directory\"]\n  \
         appliesTo { principal: [Account], resource: [Role], context: { template: String, subject: Account } };\n\
         action \"directory.remove\" in [\"directory\"] appliesTo { principal: [Account], resource: [Account, Role] };\n\
         action \"law.activate\", \"tenant.open\", \"outbox.poll\", \"record.note\" in [\"operate\"]\n  \
         appliesTo { principal: [Account], resource: [Gate] };\n\
         action \"evidence.erase\", \"evidence.hold\", \"evidence.release\" in [\"operate\"]\n  \
         appliesTo { principal: [Account], resource: [Account] };\n",
    );
    if title.namespace.is_empty() {
        return body;
    }
    let indented = body.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") });
    format!("namespace {} {{\n{}}}\n", title.namespace, indented.collect::<String>())
}

fn policies(proposal: &Proposal, arrows: &Arrows, title: &Title) -> String {
    let mut out = String::from(
        "// Nobody may do anything yet. A permit that is right is switched on by taking the signs away; each keeps an id of its own.\n",
    );
    let operator = format!("principal in {}", title.qualified("Role::\"operator\""));
    let mut permit = |id: &str, who: &str, action: &str, what: &str| {
        let _ = write!(out, "\n//@id(\"{id}\")\n//permit (\n//  {who},\n//  action {action},\n//  {what}\n//);\n");
    };
    let action = |name: &str| title.qualified(&format!("Action::\"{name}\""));
    for group in ["directory", "operate"] {
        permit(&format!("operator-may-{group}"), &operator, &format!("in {}", action(group)), "resource");
    }
    let (name, resource) = (&title.contract, format!("resource is {}", title.qualified(&title.entity)));
    let births = arrows.births.iter().map(|(name, _)| name);
    let events: BTreeSet<&Name> = births.chain(arrows.arrows.iter().filter(|a| a.kept).map(|a| &a.name)).collect();
    for event in events {
        permit(
            &format!("operator-may-{name}-{event}"),
            &operator,
            &format!("== {}", action(&format!("{name}.{event}"))),
            &resource,
        );
    }
    for event in timed(proposal, arrows) {
        let clock = format!("principal is {}", title.qualified("Clock"));
        permit(&format!("clock-may-{name}-{event}"), &clock, &format!("== {}", action(&format!("{name}.{event}"))), &resource);
    }
    out
}

/// Events that a deadline may fire.
fn timed<'a>(proposal: &Proposal, arrows: &'a Arrows) -> BTreeSet<&'a Name> {
    let is_due = |arrow: &&hos_core::contract::infer::Arrow| {
        let rules = proposal.rules.iter();
        arrow.kept && rules.clone().any(|r| r.event == arrow.event && r.to == arrow.to)
    };
    arrows.arrows.iter().filter(is_due).map(|a| &a.name).collect()
}

/// Writes a law into a directory that is empty or not there.
pub(crate) fn write(files: &BTreeMap<String, String>, dir: &Path) -> Result<(), Failure> {
    let shown = Shown(&dir.to_string_lossy()).to_string();
    let failed = |e: std::io::Error| usage(format!("`{shown}` cannot be written: {e}"));
    let filled = match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
        Err(e) => return Err(failed(e)),
    };
    if filled {
        return Err(usage(format!("`{shown}` is not empty: a law is written into a new directory, so that none is lost")));
    }
    for (path, text) in files {
        let file = dir.join(path);
        file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        std::fs::write(&file, text).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_anything_is_read() {
        let title = Title::new("return_request", None, "").unwrap();
        assert_eq!((title.entity.as_str(), title.qualified("X")), ("ReturnRequest", "X".to_owned()));
        assert_eq!(Title::new("_7", None, "A::B").unwrap().qualified("X"), "A::B::X");
        for (contract, entity, namespace, said) in [
            ("a b", None, "", "--contract"),
            ("law", None, "", "the engine's own"),
            ("hos", None, "", "the engine's own"),
            ("order", Some("Account"), "", "--entity"),
            ("order", Some("A::B"), "", "--entity"),
            ("order", Some("x\" }"), "", "--entity"),
            ("account", None, "", "--entity"),
            ("order", None, "Shop::", "--namespace"),
            ("order", None, "a b", "--namespace"),
        ] {
            let why = Title::new(contract, entity, namespace).unwrap_err().message;
            assert!(why.contains(said), "{contract}: {why}");
        }
        assert!(Title::new(&"a".repeat(64), None, "").is_err());
    }
}
