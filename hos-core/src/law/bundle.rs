//! Files -> [`Law`], or all faults.

use super::manifest::{self, Limits, Manifest};
use super::{files, message};
use crate::contract::{Contract, parse};
use crate::fault::{Fault, Lines, Severity, SourceFile};
use crate::id::{LawHash, Name, Shown, Uid};
use crate::policy::{Compat, PolicyLaw, Sources};
use crate::shape::{Expression, ExpressionId};
use crate::spanned;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// A law that loaded: immutable, shared.
#[derive(Debug)]
pub struct Law {
    /// Tagged hash over the sorted files.
    pub hash: LawHash,
    /// `name` of `law.toml`.
    pub name: String,
    /// The default namespace (`Pazar`).
    pub namespace: String,
    /// The rule for forbids that cannot be evaluated.
    pub compat: Compat,
    /// The policy wing.
    pub policy: Arc<PolicyLaw>,
    /// Contracts by name.
    pub contracts: BTreeMap<Name, LawContract>,
    /// What an end user reads: language (`en`, `tr`) -> code -> text.
    pub messages: BTreeMap<String, BTreeMap<String, String>>,
    /// The principal of deadlines (`clock = 'Pazar::Clock::"clock"'` of `law.toml`).
    pub clock: Uid,
    /// Entity types that are persons (`persons = ["Account"]` of `law.toml`), fully qualified: what is said of one is
    /// encrypted under a key of their own.
    pub persons: BTreeSet<String>,
    /// The actions of the default namespace by id: asked at every decision, so made once.
    actions: HashMap<String, Uid>,
    /// Bounds for whoever judges under this law.
    pub limits: Limits,
    /// The files, sorted by path, as they were given.
    pub files: Vec<SourceFile>,
    /// Warnings and notes of loading.
    pub notices: Vec<Fault>,
}

/// A contract with the place of its expressions in the law's list.
#[derive(Debug)]
pub struct LawContract {
    /// The contract.
    pub contract: Contract,
    /// Added to an expression's index to make its [`ExpressionId`].
    pub first_expression: u32,
}

impl LawContract {
    /// The law-wide id of one of the contract's expressions.
    pub fn expression(&self, index: usize) -> ExpressionId {
        ExpressionId(self.first_expression.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)))
    }
}

impl Law {
    /// Loads a law that evidence holds, whoever brings it: it was in force, and what was recorded under it is judged by it,
    /// whatever is found in its contracts that no new law may have.
    pub fn load_recorded(given: Vec<(String, Vec<u8>)>) -> Result<Law, Vec<Fault>> {
        Self::load_known(given, None)
    }

    /// Loads a law that was loaded before, as one that a store keeps: where its files are those of `hash`, Cedar's validation,
    /// which takes half of the time, is not repeated, and its notices are not told. Other files are loaded as
    /// [`Law::load_recorded`] does.
    pub fn load_again(given: Vec<(String, Vec<u8>)>, hash: &LawHash) -> Result<Law, Vec<Fault>> {
        Self::load_known(given, Some(hash))
    }

    fn load_known(given: Vec<(String, Vec<u8>)>, known: Option<&LawHash>) -> Result<Law, Vec<Fault>> {
        let mut faults = Vec::new();
        let admitted = files::admit(given, &mut faults);
        if admitted.hopeless {
            return Err(listed(faults));
        }
        let proven = known.is_some_and(|known| admitted.hash() == *known);
        let parts = Parts::read(&admitted, &mut faults);
        let law = parts.assemble(admitted, proven, &mut faults);
        sort(&mut faults);
        match law {
            Some(law) if faults.iter().all(|f| f.severity != Severity::Error) => Ok(Law { notices: faults, ..law }),
            _ => Err(listed(faults)),
        }
    }

    /// The hash that a law of these files has, whether it loads or not; none where a file cannot be one of a law at all.
    pub fn hash_of(given: &[(String, Vec<u8>)]) -> Option<LawHash> {
        let admitted = files::admit(given.to_vec(), &mut Vec::new());
        (!admitted.hopeless).then(|| admitted.hash())
    }

    /// The action with this id in the default namespace, if the schema declares it.
    pub fn action(&self, id: &str) -> Option<Uid> {
        self.known_action(id).cloned()
    }

    /// The same, as it stands in the law.
    pub(crate) fn known_action(&self, id: &str) -> Option<&Uid> {
        self.actions.get(id)
    }

    /// The text for a code in a language (`tr`, `tr-TR`), falling back to English, then to the code's own meaning, and for
    /// a guard without any message to the code.
    pub fn message(&self, language: &str, code: &str) -> String {
        message::lookup(&self.messages, language, code)
    }

    /// The contract with this name.
    pub fn contract(&self, name: &str) -> Option<&LawContract> {
        self.contracts.get(name)
    }

    /// The file with this path.
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|f| f.path == path)
    }
}

/// By file, line and column; what is told twice is told once.
pub(super) fn sort(faults: &mut Vec<Fault>) {
    faults.sort_by(|a, b| {
        let key = |f: &Fault| (f.line, f.column, f.severity, f.code);
        a.file.cmp(&b.file).then_with(|| key(a).cmp(&key(b))).then_with(|| a.message.cmp(&b.message))
    });
    faults.dedup();
}

/// How many faults of each severity are listed of a law; the rest is counted.
const LISTED_MAX: usize = 1_024;

/// What is listed to people: the first faults of each severity, and how many there are besides.
pub(super) fn listed(mut faults: Vec<Fault>) -> Vec<Fault> {
    let mut besides = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let (mut count, mut from) = (0, None);
        faults.retain(|fault| {
            count += usize::from(fault.severity == severity);
            let is_kept = fault.severity != severity || count <= LISTED_MAX;
            if !is_kept {
                from.get_or_insert_with(|| fault.file.clone());
            }
            is_kept
        });
        if let Some(file) = from {
            let message = format!("{} more, from this file on, are not listed", count - LISTED_MAX);
            besides.push(Fault::whole("law.file.more", severity, &file, message));
        }
    }
    faults.extend(besides);
    faults
}

/// An expression of which the compiler warns that it cannot be judged, whatever it is judged over: in a new law, an error.
pub(super) const SCOPE: &str = "law.contract.expression_scope";

/// What each file said by itself, before they are held against each other.
struct Parts {
    manifest: Option<Manifest>,
    contracts: Vec<Contract>,
    /// Whether some contract was left out because of its faults: policies may lean on what it would have declared.
    contracts_lacking: bool,
    messages: BTreeMap<String, BTreeMap<String, String>>,
}

impl Parts {
    fn read(admitted: &files::Files, faults: &mut Vec<Fault>) -> Self {
        let manifest = admitted.get(files::MANIFEST).and_then(|file| manifest::read(file, faults));
        let namespace = namespace_of(manifest.as_ref(), admitted);
        let mut contracts = Vec::new();
        let mut contracts_lacking = false;
        for file in admitted.with(|r| r == files::Role::Contract) {
            match parse::parse(file, &namespace) {
                Ok((contract, notices)) => {
                    faults.extend(notices);
                    contracts.push(contract);
                }
                Err(found) => {
                    faults.extend(found);
                    contracts_lacking = true;
                }
            }
        }
        let read = contracts.len();
        drop_duplicates(&mut contracts, admitted, faults);
        contracts_lacking |= contracts.len() < read;
        let mut messages = BTreeMap::new();
        for file in &admitted.all {
            if let Some(files::Role::Messages(language)) = files::role(&file.path) {
                let read = message::read(file, language, faults);
                messages.insert(read.language, read.texts);
            }
        }
        Self { manifest, contracts, contracts_lacking, messages }
    }

    fn assemble(self, admitted: files::Files, proven: bool, faults: &mut Vec<Fault>) -> Option<Law> {
        let namespace = namespace_of(self.manifest.as_ref(), &admitted);
        let compat = self.manifest.as_ref().map_or(Compat::Strict, |m| m.compat);
        let policies: Vec<SourceFile> = admitted.with(|r| r == files::Role::Policies).cloned().collect();
        let mut expressions: Vec<Expression> = Vec::new();
        let mut contracts = BTreeMap::new();
        for contract in self.contracts {
            let first_expression = u32::try_from(expressions.len()).unwrap_or(u32::MAX);
            expressions.extend(contract.expressions.iter().cloned());
            contracts.insert(contract.name.clone(), LawContract { contract, first_expression });
        }
        let shaped = || contracts.values().map(|c| &c.contract);
        let entities: Vec<_> = shaped().map(Contract::entity_shape).collect();
        let actions: Vec<_> = shaped().flat_map(Contract::action_shapes).collect();
        let schema = admitted.get(files::SCHEMA)?;
        // What a file of policies that could not be read would have permitted is unknown.
        let is_unread = |fault: &Fault| files::role(&fault.file) == Some(files::Role::Policies);
        let sources = Sources {
            schema,
            policies: &policies,
            namespace: &namespace,
            compat,
            entities: &entities,
            actions: &actions,
            expressions: &expressions,
            proven,
        };
        let (policy, found) = PolicyLaw::compile(&sources);
        let is_empty = policy.as_ref().map_or(policies.is_empty(), |policy| policy.policy_ids().next().is_none());
        if is_empty && !faults.iter().any(is_unread) {
            let message = "the law has no policies: it permits nothing";
            faults.push(Fault::whole("law.policy.none", Severity::Warning, "policies", message));
        }
        // What a broken contract would have declared is missing for the validator, and only for it.
        let told = found.into_iter().filter(|f| !self.contracts_lacking || !LEANS_ON_CONTRACTS.contains(&f.code));
        {
            let mut lines = None;
            faults.extend(told.map(|fault| placed(fault, &admitted, &mut lines)));
        }

        let (policy, manifest) = (policy?, self.manifest?);
        clock_fault(&manifest, &policy, &admitted, &contracts, faults);
        persons_faults(&manifest, &policy, &admitted, faults);
        let hash = admitted.hash();
        Some(Law {
            actions: policy.actions().map(|uid| (uid.id().to_owned(), uid.clone())).collect(),
            hash,
            name: manifest.name,
            namespace,
            compat,
            policy: Arc::new(policy),
            contracts,
            messages: self.messages,
            clock: manifest.clock,
            persons: manifest.persons.into_iter().map(|(name, _)| name).collect(),
            limits: manifest.limits,
            files: admitted.all,
            notices: Vec::new(),
        })
    }
}

/// Faults of validation that may only echo a contract which did not parse.
const LEANS_ON_CONTRACTS: [&str; 4] =
    ["law.policy.invalid", "law.policy.warning", "law.contract.expression_invalid", "law.contract.expression_warning"];

// The policy wing knows a contract's spans but not its text: line and column are found here. A span may be empty, where something is
// wanted that is not there; at the very start of a file it means the whole of it.
fn placed<'f>(fault: Fault, admitted: &'f files::Files, lines: &mut Option<Lines<'f>>) -> Fault {
    let Some(file) = admitted.get(&fault.file).filter(|_| fault.line == 0 && fault.span != (0..0)) else { return fault };
    // They come file by file.
    let of = lines.take().filter(|lines| lines.file().path == file.path).unwrap_or_else(|| Lines::of(file));
    let Fault { code, severity, span, message, hint, .. } = fault;
    let placed = Fault { hint, ..of.fault(code, severity, span, message) };
    *lines = Some(of);
    placed
}

pub(super) fn namespace_of(manifest: Option<&Manifest>, admitted: &files::Files) -> String {
    let guessed = || admitted.get(files::SCHEMA).map(|f| manifest::guess_namespace(&f.text)).unwrap_or_default();
    manifest.map_or_else(guessed, |m| m.namespace.clone())
}

// Two contracts of one name, or over one entity type: the one whose file comes first stays, so that the rest is judged.
fn drop_duplicates(contracts: &mut Vec<Contract>, admitted: &files::Files, faults: &mut Vec<Fault>) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut entities: BTreeMap<String, String> = BTreeMap::new();
    contracts.retain(|contract| {
        let told = |code, key: &str, message: String| match admitted.get(&contract.file) {
            Some(file) => Fault::at(code, Severity::Error, file, value_span(file, key), message),
            None => Fault::whole(code, Severity::Error, &contract.file, message),
        };
        let name = contract.name.as_str();
        let same_name = names.get(name).map(|other| {
            let message = format!("{} has a contract `{}` already", Shown(other), Shown(name));
            told("law.contract.duplicate_name", "contract", message)
        });
        let same_entity = entities.get(&contract.entity).map(|other| {
            let message = format!("{} has a contract over `{}` already", Shown(other), Shown(&contract.entity));
            told("law.contract.duplicate_entity", "entity", message)
        });
        names.entry(name.to_owned()).or_insert_with(|| contract.file.clone());
        entities.entry(contract.entity.clone()).or_insert_with(|| contract.file.clone());
        let keep = same_name.is_none() && same_entity.is_none();
        faults.extend(same_name);
        faults.extend(same_entity);
        keep
    });
}

// Where a top-level key's value stands; the file was read once already, so it is sound.
fn value_span(file: &SourceFile, key: &str) -> Range<usize> {
    let table = spanned::parse(file).ok();
    table.and_then(|t| t.get(key).map(|e| e.item.span.clone())).unwrap_or_default()
}

// A person's type that the schema lacks would leave that person's data in the clear.
fn persons_faults(manifest: &Manifest, policy: &PolicyLaw, admitted: &files::Files, faults: &mut Vec<Fault>) {
    let Some(file) = admitted.get(files::MANIFEST) else { return };
    for (name, span) in manifest.persons.iter().filter(|(name, _)| !policy.has_entity_type(name)) {
        let message = format!("the person's type `{}` is not in the schema", Shown(name));
        faults.push(Fault::at("law.manifest.person_unknown", Severity::Error, file, span.clone(), message));
    }
}

// A clock that is named must have a type; one that is not named must have one as soon as somebody waits for it.
fn clock_fault(
    manifest: &Manifest,
    policy: &PolicyLaw,
    admitted: &files::Files,
    contracts: &BTreeMap<Name, LawContract>,
    faults: &mut Vec<Fault>,
) {
    let awaited = contracts.values().any(|c| !c.contract.deadlines.is_empty());
    if policy.has_entity_type(manifest.clock.type_name()) || (manifest.clock_span.is_none() && !awaited) {
        return;
    }
    let message = format!("the clock's type `{}` is not in the schema", Shown(manifest.clock.type_name()));
    let hint = "deadlines are fired by this principal: declare `entity Clock;`, or name another with `clock`";
    let fault = match (&manifest.clock_span, admitted.get(files::MANIFEST)) {
        (Some(span), Some(file)) => Fault::at("law.manifest.clock_unknown", Severity::Error, file, span.clone(), message),
        _ => Fault::whole("law.manifest.clock_unknown", Severity::Error, files::MANIFEST, message),
    };
    faults.push(fault.hint(hint));
}
