//! Files -> [`Law`], or all faults.

use crate::contract::Contract;
use crate::fault::{Fault, SourceFile};
use crate::id::{LawHash, Name, Uid};
use crate::policy::{Compat, PolicyLaw};
use crate::shape::ExpressionId;
use std::collections::{BTreeMap, BTreeSet};
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
    /// The policy wing.
    pub policy: Arc<PolicyLaw>,
    /// Contracts by name.
    pub contracts: BTreeMap<Name, LawContract>,
    /// What an end user reads: language (`en`, `tr`) -> code -> text.
    pub messages: BTreeMap<String, BTreeMap<String, String>>,
    /// The principal of deadlines (`clock = 'Pazar::Clock::"clock"'` of `law.toml`).
    pub clock: Uid,
    /// The rule for erroring forbids.
    pub compat: Compat,
    /// Entity types that are persons (`persons = ["Account"]` of `law.toml`), fully qualified: what is said of one is
    /// encrypted under a key of their own.
    pub persons: BTreeSet<String>,
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
        ExpressionId(self.first_expression + index as u32)
    }
}

impl Law {
    /// Loads a law from its files (path inside the law, bytes). All faults at once; a law with an error does not load.
    pub fn load(_files: Vec<(String, Vec<u8>)>) -> Result<Law, Vec<Fault>> {
        todo!()
    }

    /// What `hos check` finds beyond loading: the contracts' and the law's findings, notices of loading included.
    pub fn check(&self) -> Vec<Fault> {
        todo!()
    }

    /// The action with this id in the default namespace.
    pub fn action(&self, _id: &str) -> Option<Uid> {
        todo!()
    }

    /// The text for a code in a language, falling back to English and then to the code's own meaning.
    pub fn message(&self, _language: &str, _code: &str) -> String {
        todo!()
    }
}
