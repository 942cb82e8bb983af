//! Faults that are planted between the engine and its database, to see that the simulation finds them.

use hos_engine::store::Sql;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is wrong, if anything. A day counts its occasions from its beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plant {
    pub(crate) what: Option<What>,
    occasions: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A once-key is taken, and not kept.
    ForgetsOnceKeys,
    /// Every fifth commit is answered, and gone.
    LosesCommits,
    /// A lease is given, and not kept: the message goes out again.
    DeliversTwice,
    /// A deadline that has fired stays armed.
    FiresTwice,
    /// The deadlines of an instance are never armed.
    NeverFires,
    /// Instances are read in another tenant.
    ReadsAnotherTenant,
    /// What becomes of a move stays in the state before it.
    ForgetsMoves,
    /// Refusals are not counted: more of them are kept than the law bounds.
    ForgetsRefusals,
    /// Records are put in the queue for their seal, and never come out of it.
    ForgetsToSeal,
    /// A law is activated, and the one before stays in force.
    ForgetsActivations,
    /// A store is opened without a look at what it was last answered for.
    ForgetsMark,
    /// Salts and handles come from the operating system: no two runs are the same.
    OtherChance,
}

impl What {
    /// Those that break a day, with the most steps that may be left of it.
    pub(crate) const ALL: [(What, usize); 11] = [
        (What::ForgetsOnceKeys, 4),
        (What::LosesCommits, 5),
        (What::DeliversTwice, 4),
        (What::FiresTwice, 3),
        (What::NeverFires, 2),
        (What::ReadsAnotherTenant, 2),
        (What::ForgetsMoves, 2),
        (What::ForgetsRefusals, 16),
        (What::ForgetsToSeal, 1),
        (What::ForgetsActivations, 2),
        (What::ForgetsMark, 3),
    ];
}

impl Plant {
    pub(crate) fn of(what: What) -> Self {
        Self { what: Some(what), ..Self::default() }
    }

    /// The same fault, for another day.
    pub(crate) fn anew(&self) -> Self {
        Self { what: self.what, ..Self::default() }
    }

    /// Whether this commit is said to be stored, and is not.
    pub(crate) fn loses_commit(&self) -> bool {
        self.what == Some(What::LosesCommits) && self.occasions.fetch_add(1, Ordering::SeqCst) % 5 == 4
    }

    /// Whether this statement is said to be done, and is not.
    pub(crate) fn swallows(&self, sql: &str) -> bool {
        let is = |beginning: &str| sql.trim_start().starts_with(beginning);
        match self.what {
            Some(What::ForgetsOnceKeys) => is("INSERT INTO hos_once"),
            Some(What::DeliversTwice) => is("UPDATE hos_outbox SET lease ="),
            Some(What::FiresTwice) => is("DELETE FROM hos_deadline"),
            Some(What::NeverFires) => is("INSERT INTO hos_deadline"),
            Some(What::ForgetsMoves) => is("INSERT INTO hos_instance"),
            Some(What::ForgetsRefusals) => is("INSERT INTO hos_refusal"),
            Some(What::ForgetsActivations) => is("INSERT INTO hos_activation"),
            Some(What::ForgetsToSeal) => is("INSERT INTO hos_entry"),
            _ => false,
        }
    }

    /// The parameters that stand in place of the given ones.
    pub(crate) fn misread(&self, sql: &str, params: &[&Sql]) -> Option<Vec<Sql>> {
        let reads = sql.contains("FROM hos_instance WHERE tenant = ?1 AND contract = ?2 AND id = ?3");
        let mut other: Vec<Sql> = params.iter().map(|param| (*param).clone()).collect();
        match (self.what, other.first_mut()) {
            (Some(What::ReadsAnotherTenant), Some(Sql::Text(tenant))) if reads && tenant == "north" => {
                *tenant = "south".to_owned();
                Some(other)
            }
            _ => None,
        }
    }
}
