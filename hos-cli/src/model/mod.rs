//! What the model found in a law's contracts: for a person, for a program, as pictures and as tests.

mod files;
mod script;
mod text;

pub(crate) use files::{draw, write_tests};
pub(crate) use text::{json, text};

use hos_core::contract::Contract;
use hos_core::contract::model::{Finding, Limits, Report, explore};
use hos_core::fault::{Severity, SourceFile};
use hos_core::law::Law;

/// A contract, and what was found in it.
#[derive(Debug)]
pub(crate) struct Told<'l> {
    contract: &'l Contract,
    report: Report,
}

impl Told<'_> {
    /// Whether something so grave was found.
    pub(crate) fn is_found(&self, worst: Severity) -> bool {
        self.report.findings.iter().any(|f| f.kind.severity() <= worst)
    }

    /// Findings by their number, which names their files.
    fn numbered(&self) -> impl Iterator<Item = (usize, &Finding)> {
        (1..).zip(&self.report.findings)
    }
}

/// Follows every path of every contract of a law.
pub(crate) fn follow(law: &Law, limits: Limits) -> Vec<Told<'_>> {
    law.contracts.values().map(|of| Told { contract: &of.contract, report: explore(&of.contract, limits) }).collect()
}

fn file_of<'l>(law: &'l Law, contract: &Contract) -> Option<&'l SourceFile> {
    law.file(&contract.file)
}
